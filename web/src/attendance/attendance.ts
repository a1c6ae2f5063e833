/* A day of attendance as it is drawn. Pure. */
import type { AgentState } from '@/api/types'
import type { components } from '@/api/schema'

export type AttendanceDay = components['schemas']['attendance']
export type AttendancePerson = AttendanceDay['people'][number]
export interface Piece { state: AgentState; left: number; width: number; start: number; end: number; reason: string | null }

export const SUMS: AgentState[] = ['ready', 'talking', 'wrapup', 'break', 'noanswer', 'ringing', 'reserved']
export const signedIn = (p: Pick<AttendancePerson, 'sums'>) => Object.values(p.sums).reduce((n, x) => n + x, 0)

/** From the first hour that anybody was there to the last one, at least eight hours wide. */
export function shown(d: Pick<AttendanceDay, 'from_ms' | 'to_ms' | 'people'>): { from: number; to: number } {
	const HOUR = 3_600_000
	const all = d.people.flatMap(p => p.stays)
	if (!all.length)
		return { from: d.from_ms + 8 * HOUR, to: d.from_ms + 18 * HOUR }
	const from = d.from_ms + Math.floor((Math.min(...all.map(s => s[1])) - d.from_ms) / HOUR) * HOUR
	const to = d.from_ms + Math.ceil((Math.max(...all.map(s => s[2])) - d.from_ms) / HOUR) * HOUR
	return { from: Math.min(from, Math.max(d.from_ms, d.to_ms - 8 * HOUR)), to: Math.min(d.to_ms, Math.max(to, from + 8 * HOUR)) }
}

/** Intervals as parts of the bar, in per cent. */
export function pieces(p: Pick<AttendancePerson, 'stays'>, from: number, to: number): Piece[] {
	return p.stays.filter(s => s[2] > from && s[1] < to).map(([state, start, end, reason]) => ({
		state: state as AgentState, start, end, reason, left: ((Math.max(start, from) - from) / (to - from)) * 100, width: ((Math.min(end, to) - Math.max(start, from)) / (to - from)) * 100,
	}))
}

export interface TeamSum { team: string; people: number; there: number; sums: Record<string, number> }
export function teams(people: readonly AttendancePerson[]): TeamSum[] {
	const out = new Map<string, TeamSum>()
	for (const p of people) {
		const t = out.get(p.team ?? '') ?? { team: p.team ?? '', people: 0, there: 0, sums: {} }
		t.people++
		t.there += p.first_ms ? 1 : 0
		for (const [k, v] of Object.entries(p.sums))
			t.sums[k] = (t.sums[k] ?? 0) + v
		out.set(t.team, t)
	}
	return [...out.values()]
}
