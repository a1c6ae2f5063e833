/* Why a leg ended, in words: Q.850 causes and SIP statuses. Pure. */
import type { Leg } from '@/api/types'

const Q850 = [1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 26, 27, 28, 29, 31, 34, 38, 41, 42, 44, 47, 50, 55, 57, 58, 63, 65, 79, 88, 102, 111, 127]
const SIP = [400, 401, 403, 404, 405, 406, 407, 408, 410, 415, 420, 480, 481, 482, 483, 484, 486, 487, 488, 491, 500, 501, 502, 503, 504, 513, 600, 603, 604, 606, 607, 608]

export interface Cause { key: string; params: Record<string, number>; bad: boolean }

/** What says most comes first: a status of refusal, then a cause; an ordinary end (16) is said plainly. Nothing: it runs, or nobody said. */
export function causesOf(l: Pick<Leg, 'code' | 'q850' | 'end_ms'>): Cause[] {
	const out: Cause[] = []
	const code = l.code ?? 0
	const q = l.q850 ?? 0
	if (code >= 300)
		out.push({ key: SIP.includes(code) ? `cause.s${code}` : `cause.sip_${Math.floor(code / 100)}`, params: { n: code }, bad: code !== 487 })
	if (q)
		out.push({ key: Q850.includes(q) ? `cause.q${q}` : 'cause.q850', params: { n: q }, bad: ![16, 31].includes(q) && code !== 487 })
	return out
}

/** Whether the listener is content, after G.107 annex B: 4.0 and more satisfied, 3.6 and more some are not. */
export const mosClass = (mos: number): 'good' | 'fair' | 'bad' => (mos >= 4 ? 'good' : mos >= 3.6 ? 'fair' : 'bad')

export function lossOf(q: { lost?: number | null; rx?: number | null }): number | null {
	const all = (q.lost ?? 0) + (q.rx ?? 0)
	return all ? (q.lost ?? 0) / all : null
}
