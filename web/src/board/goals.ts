/* An agent's figures of today beside the day's share of his month's goals. The share is the month's goal over its working days. */
import type { Agent } from '@/api/types'
import type { Figure, SalesFigures } from '@/sales/figures'

export interface DayGoal { figure: Figure; done: number; goal: number }
type GoalRow = Record<string, unknown>

/** In the order in which they are worth a place in a narrow column. */
const WORTH: Figure[] = ['talk_min', 'connected', 'calls', 'deals']

/** @figures are of today and some seconds old; talk comes with the agent and is newer. */
export function goalsOf(a: Pick<Agent, 'id' | 'today'>, figures: SalesFigures | null, rows: readonly GoalRow[]): DayGoal[] {
	const row = rows.find(r => r.user_id === a.id)
	const done = figures?.people?.find(p => p.id === a.id)
	if (!row || !figures?.workdays)
		return []
	return WORTH.filter(f => Number(row[f]) > 0).slice(0, 2).map(f => ({
		figure: f, goal: Math.ceil(Number(row[f]) / figures.workdays), done: f === 'talk_min' ? Math.floor(a.today.talk_ms / 60_000) : done?.[f] ?? 0,
	}))
}
