import { describe, expect, it } from 'vitest'
import { fromAddress, NONE, share, toAddress, toQuery } from '@/recordings/filters'
import { past, silences, slices } from '@/recordings/silence'

describe('filters of recordings', () => {
	it('make a query without what is not asked for', () => {
		const now = new Date(2026, 10, 22, 12).getTime()
		expect(toQuery({ ...NONE, range: 'today', q: ' 8000 ', min_s: '30', silence_s: '0', excellent: '1' }, now)).toEqual({ from_ms: new Date(2026, 10, 22).getTime(), q: '8000', min_s: 30, excellent: 1 })
		expect(toQuery({ ...NONE, range: 'all', max_s: 'x' }, now)).toEqual({})
	})
	it('stand in the address', () => {
		expect(toAddress({ ...NONE, tag: '投诉' })).toEqual({ tag: '投诉' })
		expect(fromAddress({ tag: '投诉', nonsense: '1' })).toEqual({ ...NONE, tag: '投诉' })
	})
	it('share the talk', () => {
		expect(share(1000, 3000)).toEqual({ left: 25, right: 75 })
		expect(share(null, 3000)).toBeNull()
		expect(share(0, 0)).toBeNull()
	})
})

describe('silence', () => {
	const p = { step_ms: 500, dur_ms: 9900, left: [90, 0, 0, 0, 0, 0, 80, 0, 0, 70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], right: [0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
	it('is where both sides are quiet for long enough', () => {
		expect(silences(p)).toEqual([{ fromMs: 500, toMs: 3000 }, { fromMs: 5000, toMs: 9900 }])
		expect(silences(p, 3000)).toEqual([{ fromMs: 5000, toMs: 9900 }])
	})
	it('is left a little before its end', () => {
		const s = silences(p)
		expect(past(s, 400)).toBeNull()
		expect(past(s, 1000)).toBe(2700)
		expect(past(s, 2800)).toBeNull()
	})
	it('peaks are drawn by their loudest', () => expect([...slices([0, 255, 51, 0], 2)].map(x => Math.round(x * 100))).toEqual([100, 20]))
})
