import { expect, it } from 'vitest'
import { en, zh } from '@/history/causeWords'
import { causesOf, lossOf, mosClass } from '@/history/causes'

const leg = (code: number | null, q850: number | null) => ({ code, q850, end_ms: 1 })
it('an ordinary end is no failure; a busy line is one, told by status and cause', () => {
	expect(causesOf(leg(0, 16)).map(c => [c.key, c.bad])).toEqual([['cause.q16', false]])
	expect(causesOf(leg(486, 17)).map(c => [c.key, c.bad])).toEqual([['cause.s486', true], ['cause.q17', true]])
	expect(causesOf(leg(487, 16)).every(c => !c.bad)).toBe(true)
	expect(causesOf(leg(null, null))).toEqual([])
})
it('what has no words of its own is still said', () =>
	expect(causesOf(leg(499, 99)).map(c => c.key)).toEqual(['cause.sip_4', 'cause.q850']))
it('every cause that is known has words in both languages', () => {
	for (let n = 1; n < 700; n++)
		for (const c of causesOf(leg(n >= 300 ? n : 0, n <= 127 ? n : 0)))
			expect([c.key.slice(6) in zh, c.key.slice(6) in en], c.key).toEqual([true, true])
})
it('loss and MOS: limits', () => {
	expect([4.41, 4, 3.99, 3.6, 3.59].map(mosClass)).toEqual(['good', 'good', 'fair', 'fair', 'bad'])
	expect([lossOf({ lost: 1, rx: 99 }), lossOf({ lost: 0, rx: 0 }), lossOf({})]).toEqual([0.01, null, null])
})
