/* Breaks with a limit. Pure. */
import type { Agent, Break } from '@/api/types'

/** How long over its limit a break is, ms; 0: it is not, or it has none. */
export function overBy(me: Pick<Agent, 'state' | 'reason' | 'since_ms'> | null | undefined, breaks: readonly Break[], nowMs: number): number {
	const b = me?.state === 'break' ? breaks.find(x => x.code === me.reason) : undefined
	return b?.minutes_max ? Math.max(0, nowMs - me!.since_ms - b.minutes_max * 60_000) : 0
}

/** Slots of the team that are left; null: no limit. */
export const slotsLeft = (me: Pick<Agent, 'slots'> | null | undefined): number | null => (me?.slots ? Math.max(0, me.slots.max - me.slots.away) : null)
