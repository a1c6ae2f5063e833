/* The filters of recordings and the query they make; kept in the address and in saved views. Pure. */
import { NONE as CALLS, timeRange } from '@/history/filters'

export interface Filters {
	range: string; from: string; to: string; q: string; words: string; agent_id: string; team_id: string; queue_id: string; campaign_id: string; reason_id: string; result_id: string
	dir: string; by: string; min_s: string; max_s: string; silence_s: string; tag: string; excellent: string; held: string
}
export const NONE: Filters = {
	range: 'week', from: '', to: '', q: '', words: '', agent_id: '', team_id: '', queue_id: '', campaign_id: '', reason_id: '', result_id: '',
	dir: '', by: '', min_s: '', max_s: '', silence_s: '', tag: '', excellent: '', held: '',
}
/** Shown only on request: the others are asked for daily. */
export const MORE: (keyof Filters)[] = ['team_id', 'campaign_id', 'reason_id', 'result_id', 'dir', 'by', 'min_s', 'max_s', 'silence_s', 'tag', 'held']

const NUMBERS = ['min_s', 'max_s', 'silence_s', 'excellent', 'held']

export function toQuery(f: Filters, nowMs: number): Record<string, string | number> {
	const out: Record<string, string | number> = {}
	for (const [k, v] of Object.entries(timeRange({ ...CALLS, range: f.range, from: f.from, to: f.to }, nowMs)))
		if (v !== undefined)
			out[k] = v
	for (const [k, v] of Object.entries(f)) {
		const text = String(v).trim()
		if (['range', 'from', 'to'].includes(k) || !text)
			continue
		if (!NUMBERS.includes(k))
			out[k] = text
		else if (Number(text) >= 1)
			out[k] = Math.floor(Number(text))
	}
	return out
}

export function toAddress(f: Filters): Record<string, string> {
	return Object.fromEntries(Object.entries(f).map(([k, v]) => [k, String(v)] as const).filter(([k, v]) => v && v !== NONE[k as keyof Filters]))
}

export function fromAddress(q: Record<string, unknown>): Filters {
	const f = { ...NONE }
	for (const k of Object.keys(NONE) as (keyof Filters)[])
		if (typeof q[k] === 'string')
			f[k] = q[k]
	return f
}

/** Which part of what was said each side said, in percent; null when nothing is known or nobody spoke. */
export function share(leftMs: number | null, rightMs: number | null): { left: number; right: number } | null {
	const sum = (leftMs ?? 0) + (rightMs ?? 0)
	if (leftMs === null || rightMs === null || !sum)
		return null
	const left = Math.round((leftMs / sum) * 100)
	return { left, right: 100 - left }
}
