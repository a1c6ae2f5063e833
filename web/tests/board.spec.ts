import { describe, expect, it } from 'vitest'
import type { Agent } from '@/api/types'
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
