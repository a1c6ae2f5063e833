import { describe, expect, it } from 'vitest'
import { addMonths, funnel, invitationTimes, mondayOf, money, moneyShort, rangeOf, reached, sum, zeros } from '@/sales/figures'
import { dueCount, keyOf, markTold, nextChange, sectionOf, sorted, toTell, urgency, when, type Todo } from '@/sales/todo'

const MIN = 60_000
const NOW = new Date(2026, 10, 20, 10, 0).getTime() /* a Friday */
let n = 0
const todo = (more: Partial<Todo> = {}): Todo => ({ kind: 'callback', id: String(++n), rev: 1, why: 'own', due_ms: NOW, at_ms: NOW, customer_id: '1', customer: 'A', phone: null, phone_id: null, city: null, type: null, grade: 10, text: null, user_id: '1', user: 'me', from: null, call_id: null, place: null, count: 1, away: false, ...more })

describe('to-dos', () => {
	it('are coloured by how late they are', () => {
		expect([-20, -10, 0, 14, 15].map(m => urgency({ due_ms: NOW - m * MIN }, NOW))).toEqual(['later', 'soon', 'due', 'due', 'late'])
		expect([-20, -5, 0, 3, 61, 1500].map(m => when({ due_ms: NOW - m * MIN }, NOW))).toEqual([{ word: 'at', n: 20 }, { word: 'in_m', n: 5 }, { word: 'now', n: 0 }, { word: 'late_m', n: 3 }, { word: 'late_h', n: 1 }, { word: 'late_d', n: 1 }])
		expect([-600, -60, 0].map(m => sectionOf({ due_ms: NOW - m * MIN }, NOW))).toEqual(['today', 'today', 'now'])
		expect(sectionOf({ due_ms: NOW + 24 * 60 * MIN }, NOW)).toBe('later')
	})
	it('stand by time, by grade or by city, those without a city last', () => {
		const a = todo({ due_ms: NOW + 3, grade: 10, city: '上海' })
		const b = todo({ due_ms: NOW + 1, grade: 30, city: null })
		const c = todo({ due_ms: NOW + 2, grade: 10, city: '北京' })
		const ids = (o: 'due' | 'grade' | 'city') => sorted([a, b, c], o).map(x => x.id)
		expect(ids('due')).toEqual([b.id, c.id, a.id])
		expect(ids('grade')).toEqual([c.id, a.id, b.id])
		expect(ids('city')).toEqual([c.id, a.id, b.id]) /* běi before shàng */
		expect(dueCount([a, b, c], NOW + 2)).toBe(2)
	})
	it('are told of once, never over a call, and again when they were moved', () => {
		const told = new Set<string>()
		const x = todo({ due_ms: NOW })
		const soon = todo({ due_ms: NOW + 5 * MIN })
		const mates = todo({ why: 'team' })
		const missed = todo({ kind: 'missed' })
		const all = [soon, x, mates, missed]
		expect(toTell(all, told, NOW, 0, true)).toEqual([])
		expect(toTell(all, told, NOW, 0, false).map(keyOf)).toEqual([keyOf(x)])
		expect(toTell(all, told, NOW, 5, false).map(keyOf)).toEqual([keyOf(x), keyOf(soon)])
		markTold(told, [x])
		expect(toTell(all, told, NOW, 0, false)).toEqual([])
		x.due_ms = NOW + MIN
		expect(toTell(all, told, NOW, 0, false)).toEqual([])
		expect(toTell(all, told, NOW + MIN, 0, false).map(keyOf)).toEqual([keyOf(x)])
	})
	it('the next change is when one comes to its time or is late', () => {
		expect(nextChange([todo({ due_ms: NOW + 30 * MIN })], NOW, 0)).toBe(NOW + 20 * MIN)
		expect(nextChange([todo({ due_ms: NOW - 5 * MIN })], NOW, 0)).toBe(NOW + 10 * MIN)
		expect(nextChange([todo({ due_ms: NOW - 60 * MIN })], NOW, 0)).toBe(Infinity)
	})
})

describe('figures', () => {
	it('a step is as wide as its share of the largest, and says how many came so far', () => {
		const c = { ...zeros(), calls: 200, connected: 80, wechat: 0, invited: 8, visits: 4, deals: 1 }
		expect(funnel(c).map(s => [s.figure, s.share, s.of])).toEqual([['calls', 1, null], ['connected', 0.4, 0.4], ['wechat', 0, 0], ['invited', 0.04, null], ['visits', 0.02, 0.5], ['deals', 0.005, 0.25]])
		expect(sum([c, { ...c, amount: 5 }])).toEqual({ ...zeros(), calls: 400, connected: 160, invited: 16, visits: 8, deals: 2, amount: 5 })
		expect([reached(5, 10), reached(5, 0), reached(5, null)]).toEqual([0.5, null, null])
	})
	it('money is read', () => {
		expect([money(1250050), money(100), moneyShort(1250000, false), moneyShort(1250000, true), moneyShort(9_999_00, false)]).toEqual(['12,500.5', '1', '1.25万', '12.5k', '9,999'])
	})
	it('ranges begin on Mondays and firsts', () => {
		expect(mondayOf('2026-11-22')).toBe('2026-11-16') /* a Sunday */
		expect(rangeOf('last_month', '2026-03-15')).toEqual({ from: '2026-02-01', to: '2026-02-28' })
		expect(rangeOf('week', '2026-11-20')).toEqual({ from: '2026-11-16', to: '2026-11-20' })
		expect([addMonths('2026-01', -1), addMonths('2026-12', 1)]).toEqual(['2025-12', '2027-01'])
	})
	it('invitations are for tomorrow and the coming weekend', () => {
		const d = (ms: number) => { const x = new Date(ms); return [x.getDate(), x.getHours()] }
		expect(invitationTimes(NOW).map(x => [x.key, ...d(x.ms)])).toEqual([['tomorrow_am', 21, 10], ['tomorrow_pm', 21, 14], ['saturday', 21, 10], ['sunday', 22, 10]])
	})
})
