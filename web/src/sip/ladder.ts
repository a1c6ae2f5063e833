/* A trace as a ladder: who stands where, and an arrow a message. Pure. */
import type { Trace, TraceMessage } from '@/api/types'

/** One upright line. @role: whose side; us: ourselves. */
export interface Lane { key: string; role: 'customer' | 'agent' | 'third' | 'line' | 'us'; name: string; note: string }
export type Tone = 'ask' | 'wait' | 'good' | 'auth' | 'bad' | 'again'
export interface Rung { m: TraceMessage; n: number; from: number; to: number; label: string; tone: Tone; offsetMs: number }
export interface Ladder { lanes: Lane[]; rungs: Rung[] }

const host = (address: string) => address.replace(/:\d+$/, '')

/** A lane is a party: a telephone that is rung twice is one, and so is a trunk. Without legs, an address. */
function laneOf(t: Trace, m: TraceMessage, byLine: boolean): Lane {
	const leg = t.legs[m.leg]
	if (byLine || !leg)
		return { key: `a|${host(m.remote)}`, role: 'line', name: host(m.remote), note: m.transport.toUpperCase() }
	const name = leg.trunk ?? leg.party
	return { key: `${leg.role}|${leg.trunk ? leg.trunk : leg.party}`, role: leg.role, name, note: `${m.transport.toUpperCase()} ${m.remote}` }
}

export function toneOf(m: TraceMessage): Tone {
	if (m.again)
		return 'again'
	if (!m.code)
		return 'ask'
	if (m.code < 200)
		return 'wait'
	if (m.code < 300)
		return 'good'
	return m.code === 401 || m.code === 407 ? 'auth' : 'bad'
}

/** What stands on the arrow. An answer says whose it is only when that is not plain from the one before. */
export function labelOf(m: TraceMessage): string {
	return m.code ? `${m.code} ${m.reason}`.trim() : m.method || '?'
}

/** @us: our name. The customer's side stands left of us, everybody else right. */
export function ladder(t: Trace, us: string, byLine = false, keep: (m: TraceMessage) => boolean = () => true): Ladder {
	const messages = t.messages.filter(keep)
	const found = new Map<string, Lane>()
	const keys = messages.map(m => {
		const l = laneOf(t, m, byLine)
		if (!found.has(l.key))
			found.set(l.key, l)
		return l.key
	})
	const all = [...found.values()]
	const left = all.filter(l => l.role === 'customer' || l.role === 'line')
	const lanes: Lane[] = [...left, { key: 'us', role: 'us', name: us, note: '' }, ...all.filter(l => !left.includes(l))]
	const at = new Map(lanes.map((l, i) => [l.key, i]))
	const first = messages[0]?.at_us ?? 0
	const rungs = messages.map((m, i): Rung => {
		const them = at.get(keys[i]!)!
		const mine = left.length
		return {
			m, n: i + 1, from: m.out ? mine : them, to: m.out ? them : mine, label: labelOf(m), tone: toneOf(m),
			offsetMs: (m.at_us - first) / 1000,
		}
	})
	return { lanes, rungs }
}

/** 0.004 s apart matters as much as 12 s: three digits behind the point, always. */
export const seconds = (ms: number): string => (ms / 1000).toFixed(3)

/** REGISTER and OPTIONS, which say nothing of any call. */
export const isKeeping = (m: TraceMessage): boolean => m.method === 'REGISTER' || m.method === 'OPTIONS'
