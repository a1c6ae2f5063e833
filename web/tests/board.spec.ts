import { describe, expect, it } from 'vitest'
import type { Agent } from '@/api/types'
import { pieces, shown, teams, type AttendancePerson } from '@/attendance/attendance'
import { overBy, slotsLeft } from '@/desk/rest'
import { everybody } from '@/board/board'
import { goalsOf } from '@/board/goals'
import { paceOf } from '@/board/trend'
import { zeros, type SalesFigures } from '@/sales/figures'

const agent = (id: string, state: Agent['state'], since_ms: number, at_desk = true) => ({ id, state, since_ms, at_desk, name: id, today: { answered: 0, talk_ms: 125_000, missed: 0 } }) as Agent

describe('board', () => {
	it('shows everybody at a desk, also who is absent, by what he does and how long', () => {
		const list = everybody([agent('absent', 'offline', 9), agent('boss', 'offline', 0, false), agent('ready', 'ready', 3), agent('long', 'talking', 1), agent('short', 'talking', 2), agent('leads', 'ready', 5, false)])
		expect(list.map(a => a.id)).toEqual(['long', 'short', 'ready', 'leads', 'absent'])
	})
	it("shares a month's goal over its working days", () => {
		const figures = { workdays: 22, people: [{ ...zeros(), id: '1', name: '1', team_id: null, team: null, calls: 30, connected: 12 }] } as unknown as SalesFigures
		// 440 / 22 = 20; 1000 / 22 = 45.5, rounded up; 125 s of talk are 2 minutes
		expect(goalsOf(agent('1', 'ready', 0), figures, [{ user_id: '1', calls: 1000, connected: null, talk_min: 440 }])).toEqual([{ figure: 'talk_min', done: 2, goal: 20 }, { figure: 'calls', done: 30, goal: 46 }])
		expect(goalsOf(agent('2', 'ready', 0), figures, [{ user_id: '1', calls: 1000 }])).toEqual([])
	})
	it('says a pace from half a minute on', () => {
		expect(paceOf([{ atMs: 0, n: 10 }, { atMs: 20_000, n: 12 }])).toBeNull()
		expect(paceOf([{ atMs: 0, n: 10 }, { atMs: 60_000, n: 12 }])).toBe(120)
	})
})

describe('attendance', () => {
	const H = 3_600_000
	const p = (stays: [string, number, number, string | null][]) => ({ stays, team: 'A', first_ms: stays.length ? stays[0]![1] : null, sums: { ready: 0, ringing: 0, talking: 0, wrapup: 0, break: 0, noanswer: 0, reserved: 0 } }) as unknown as AttendancePerson
	it('shows the hours that anybody was there', () => {
		expect(shown({ from_ms: 0, to_ms: 24 * H, people: [p([['ready', 8.5 * H, 12 * H, null]]), p([['ready', 9 * H, 19.2 * H, null]])] })).toEqual({ from: 8 * H, to: 20 * H })
		expect(shown({ from_ms: 0, to_ms: 24 * H, people: [p([['ready', 23.5 * H, 24 * H, null]])] })).toEqual({ from: 16 * H, to: 24 * H })
	})
	it('draws intervals as parts of the bar', () => {
		expect(pieces(p([['ready', 8 * H, 10 * H, null], ['break', 10 * H, 13 * H, 'lunch']]), 8 * H, 12 * H).map(x => [x.state, x.left, x.width])).toEqual([['ready', 0, 50], ['break', 50, 50]])
	})
	it('counts who is there by team', () => {
		expect(teams([p([['ready', 1, 2, null]]), p([])])).toMatchObject([{ team: 'A', people: 2, there: 1 }])
	})
})

describe('breaks', () => {
	it('count their time over the limit of their reason', () => {
		const breaks = [{ code: 'lunch', zh: '', en: '', minutes_max: 30 }, { code: 'tea', zh: '', en: '', minutes_max: 0 }]
		expect(overBy({ state: 'break', reason: 'lunch', since_ms: 0 }, breaks, 31 * 60_000)).toBe(60_000)
		expect(overBy({ state: 'break', reason: 'lunch', since_ms: 0 }, breaks, 29 * 60_000)).toBe(0)
		expect(overBy({ state: 'break', reason: 'tea', since_ms: 0 }, breaks, 1e9)).toBe(0)
		expect(overBy({ state: 'ready', reason: null, since_ms: 0 }, breaks, 1e9)).toBe(0)
	})
	it('know what is left', () => {
		expect(slotsLeft({ slots: { max: 2, away: 3 } })).toBe(0)
		expect(slotsLeft({ slots: null })).toBeNull()
	})
})
