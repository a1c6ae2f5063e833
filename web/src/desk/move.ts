/* Whom a call may go to, and how that stands. Pure. */
import type { Agent, Call } from '@/api/types'

export type Target =
	| { kind: 'user'; key: string; id: string; name: string; extension: string; staffNo: string | null; team: string | null; state: string; sinceMs: number }
	| { kind: 'queue'; key: string; id: string; name: string; waiting: number; ready: number }
	| { kind: 'number'; key: string; id: string; name: string }

interface Found {
	colleagues: { id: string; name: string; extension: string; staff_no: string | null; team: string | null; state: string; since_ms: number }[]
	queues: { id: string; name: string; waiting: number; ready: number }[]
}

/** Colleagues, queues, and last the number itself when what is typed can be dialled (@number) and is nobody's of ours. */
export function targetsOf(found: Found | null, q: string, number: string): Target[] {
	const out: Target[] = []
	for (const c of found?.colleagues ?? [])
		out.push({ kind: 'user', key: `u${c.id}`, id: c.id, name: c.name, extension: c.extension, staffNo: c.staff_no, team: c.team, state: c.state, sinceMs: c.since_ms })
	for (const x of found?.queues ?? [])
		out.push({ kind: 'queue', key: `q${x.id}`, id: x.id, name: x.name, waiting: x.waiting, ready: x.ready })
	const typed = /^[\d\s+*#()-]+$/.test(q.normalize('NFKC').trim())
	if (typed && number.length >= 3 && !found?.colleagues.some(c => c.extension === number || c.staff_no === number))
		out.push({ kind: 'number', key: `n${number}`, id: number, name: number })
	return out
}

export const stepped = (at: number, n: number, by: number) => (n ? (at + by + n) % n : 0)

export const bodyOf = (x: Target, why: string) => ({ to: x.kind === 'user' ? { user: x.id } : x.kind === 'queue' ? { queue: x.id } : { number: x.id }, ...(why.trim() ? { why: why.trim() } : {}) })

export type MoveView = 'none' | 'sending' | 'asking' | 'asked' | 'swapped' | 'joined' | 'failed' | 'left' | 'offered' | 'consulted' | 'got'

/**
 * What the desk shows of it. Of who sends: sending (blind, it rings), asking (it rings), asked (they talk), swapped, failed, left. Of who is to
 * get it: offered (it rings), consulted (they talk), got (the customer is his now).
 */
export function moveView(call: Call | null, me: Agent | null): MoveView {
	const m = call?.move
	if (!m || !me || !call)
		return 'none'
	if (m.by_id === me.id && call.agent_id === me.id) {
		if (m.state === 'ringing')
			return m.how === 'consult' ? 'asking' : 'sending'
		return m.state === 'talking' ? 'asked' : m.state === 'swapped' || m.state === 'joined' || m.state === 'failed' || m.state === 'left' ? m.state : 'none'
	}
	if (m.state === 'done' && call.agent_id === me.id)
		return 'got'
	if (m.state === 'joined' && m.to_id === me.id && call.agent_id !== me.id)
		return 'joined'
	if (m.to_id === me.id)
		return m.state === 'ringing' ? 'offered' : m.state === 'talking' || m.state === 'swapped' ? 'consulted' : 'none'
	return 'none'
}

/** Why it failed, as a key below move.code. */
export const failedKey = (code: number) => ({ 486: 'busy', 600: 'busy', 603: 'refused', 408: 'noanswer', 480: 'away', 487: 'noanswer', 404: 'number' }[code] ?? 'other')
