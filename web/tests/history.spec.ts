import { describe, expect, it } from 'vitest'
import type { Recording } from '@/api/types'
import { clock, moment, phone, span } from '@/format'
import { fromAddress, NONE, timeRange, toAddress, toQuery } from '@/history/filters'
import { at, layout } from '@/history/parts'
import { explain, ownerWords, parseWhy } from '@/history/why'

const say = (key: string, named: Record<string, unknown> = {}) => `${key}(${Object.values(named).join(',')})`

describe('format', () => {
	it('clock', () => expect([0, 59_999, 65_000, 3_725_000, -5].map(clock)).toEqual(['0:00', '0:59', '1:05', '1:02:05', '0:00']))
	it('span', () => expect([4000, 60_000, 65_000, 3_900_000].map(ms => span(ms, say))).toEqual(['time.s(4)', 'time.m(1)', 'time.ms(1,5)', 'time.hm(1,5)']))
	it('moment names the day when it is another one', () => {
		const now = new Date(2026, 10, 22, 12).getTime()
		expect(moment(new Date(2026, 10, 22, 9, 5, 7).getTime(), now)).toBe('09:05:07')
		expect(moment(new Date(2026, 10, 21, 9, 5, 7).getTime(), now)).toBe('11-21 09:05:07')
		expect(moment(new Date(2025, 0, 2, 9, 5, 7).getTime(), now)).toBe('2025-01-02 09:05:07')
	})
	it('groups mobile numbers only', () => expect(['13800138000', '+8613800138000', '02160000000', '10086', null].map(phone)).toEqual(['138 0013 8000', '138 0013 8000', '02160000000', '10086', '']))
})

describe('recording parts', () => {
	const rec = (id: string, start_ms: number, dur_ms: number, state: Recording['state'] = 'closed'): Recording => ({ id, segment_id: '', start_ms, dur_ms, bytes: 1, missing_ms: 0, state, error: null, left_ms: null, right_ms: null, over_ms: null, silence_ms: null, silence_at_ms: null })
	it('lie on one timeline with their gaps', () => {
		const l = layout([rec('b', 15_000, 5000), rec('a', 5000, 8000), rec('x', 0, 9000, 'failed')])
		expect(l.spans.map(s => [s.rec.id, s.fromMs, s.toMs])).toEqual([['a', 0, 8000], ['b', 10_000, 15_000]])
		expect(l.totalMs).toBe(15_000)
		expect(at(l.spans, 9000)).toEqual({ index: 1, offsetMs: 0 })
		expect(at(l.spans, 12_000)).toEqual({ index: 1, offsetMs: 2000 })
		expect(at(l.spans, 15_000)).toBeNull()
	})
	it('never overlap, whatever the clocks said', () => {
		expect(layout([rec('a', 0, 8000), rec('b', 7900, 1000)]).spans[1]).toMatchObject({ fromMs: 8000, toMs: 9000 })
	})
	it('none', () => expect(layout([]).totalMs).toBe(0))
})

describe('filters', () => {
	const now = new Date(2026, 10, 22, 15, 30).getTime()
	it('days are the calendar’s', () => {
		expect(timeRange({ ...NONE, range: 'today' }, now).from_ms).toBe(new Date(2026, 10, 22).getTime())
		expect(timeRange({ ...NONE, range: 'yesterday' }, now)).toEqual({ from_ms: new Date(2026, 10, 21).getTime(), to_ms: new Date(2026, 10, 22).getTime() })
		expect(timeRange({ ...NONE, range: 'week' }, now).from_ms).toBe(new Date(2026, 10, 16).getTime())
	})
	it('empty filters ask nothing', () => expect(Object.values(toQuery({ ...NONE, range: 'custom' }, now)).every(v => v === undefined)).toBe(true))
	it('"not answered" is not "all"', () => expect(toQuery({ ...NONE, answered: '0' }, now).answered).toBe(0))
	it('survive the address', () => {
		const f = { ...NONE, q: '138', dir: 'out', answered: '0' }
		expect(fromAddress(toAddress(f))).toEqual(f)
		expect(toAddress(NONE)).toEqual({})
	})
})

describe('why this agent', () => {
	const members = { offline: 2, ready: 3, ringing: 0, talking: 4, wrapup: 0, break: 1, noanswer: 0, device: 0 }
	const best = [{ agent: '1', level: 1, idle_ms: 90_000 }, { agent: '2', level: 1, idle_ms: 60_000 }]
	it('longest idle, and by how much', () => {
		const w = explain(parseWhy({ side: 'agents', winner: '1', runner_up: '2', best, members, refused: 1 })!, id => `N${id}`, say, ms => `${ms / 1000}s`)
		expect(w.lead).toBe('why.lead_idle(90s)')
		expect(w.second).toBe('why.second(N2,why.second_idle(60s,N1,30s))')
		expect(w.others).toBe('why.others(8,why.reason.talking(4)why.comma()why.reason.offline(2)why.comma()why.reason.break(1)why.comma()why.reason.refused(1))')
	})
	it('the owner first, with his seconds', () => {
		const w = explain(parseWhy({ rule: 'owner', side: 'owner', winner: '7', owner: '7', first_ms: 20_000, waited_ms: 0 })!, id => `N${id}`, say, ms => `${ms / 1000}s`)
		expect(w).toEqual({ lead: 'why.lead_owner(N7,20s)', second: '', agents: [], calls: [], others: '' })
	})
	it('what came before the queue', () => {
		const step = { at_ms: 1000, owner_id: '7', owner: '张三', team_id: null, team: null, queue: null, first_ms: 20_000, until_ms: 0 }
		const s = (ms: number) => `${ms / 1000}s`
		expect(ownerWords({ ...step, to: 'queue', why: 'timeout' }, say, s)).toBe('why.owner_queue(张三,20s,why.owner_why.timeout())')
		expect(ownerWords({ ...step, to: 'wait', why: 'talking', until_ms: 31_000 }, say, s)).toBe('why.owner_wait(张三,why.owner_why.talking(),30s)')
		expect(ownerWords({ ...step, to: 'team', why: 'gone', owner: null, team: '售后' }, say, s)).toMatch('why.owner_gone(')
		expect(ownerWords({ ...step, to: 'queue', why: 'late' }, say, s)).toBe('why.owner_late()')
	})
	it('a lower level goes first', () => {
		const w = explain(parseWhy({ side: 'agents', winner: '1', best: [best[0], { ...best[1], level: 2, idle_ms: 999_000 }], members, refused: 0 })!, id => id, say, String)
		expect(w.lead).toBe('why.lead_level(1,90000)')
		expect(w.second).toBe('why.second(2,why.second_level(2,1))')
	})
	it('nobody else', () => {
		const w = explain(parseWhy({ side: 'agents', winner: '1', best: [best[0]], members: {}, refused: 0 })!, id => id, say, String)
		expect([w.lead, w.second]).toEqual(['why.lead_only(1)', ''])
	})
	it('an agent became free and took the call that waited longest', () => {
		const w = explain(parseWhy({ side: 'calls', winner: 'c', best: [{ call: 'c', queue: 'q', priority: 5, waited_ms: 40 }, { call: 'd', queue: 'q', priority: 5, waited_ms: 10 }], members, waiting: 2, refused: 0 })!, id => id, say, String)
		expect([w.lead, w.second]).toEqual(['why.call_waited(40)', 'why.call_second(10,5)'])
	})
	it('anything else is shown as noted', () => expect([parseWhy(null), parseWhy({}), parseWhy({ side: 'agents', best: [] })]).toEqual([null, null, null]))
})
