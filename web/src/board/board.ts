/* Whom the board shows, and in which order. Pure. */
import type { Agent, AgentState } from '@/api/types'

export const STATES: AgentState[] = ['talking', 'ringing', 'reserved', 'ready', 'wrapup', 'noanswer', 'break', 'offline']

/** Who sits at a desk, also when he is absent, and whoever else is signed in: by state, the longest in it first. */
export function everybody(agents: Iterable<Agent>): Agent[] {
	return [...agents].filter(a => a.at_desk || a.state !== 'offline')
		.sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.state === 'offline' ? 0 : a.since_ms - b.since_ms) || a.name.localeCompare(b.name, 'zh'))
}
