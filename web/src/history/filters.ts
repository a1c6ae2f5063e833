/* The history's filters and the query they make; kept in the address, so that a view can be sent to a colleague. Pure. */
export interface Filters { range: string; from: string; to: string; q: string; dir: string; queue_id: string; agent_id: string; answered: string; by: string }
export const NONE: Filters = { range: 'week', from: '', to: '', q: '', dir: '', queue_id: '', agent_id: '', answered: '', by: '' }

const DAY = 86_400_000

function midnight(ms: number): number {
	const d = new Date(ms)
	d.setHours(0, 0, 0, 0)
	return d.getTime()
}

export function timeRange(f: Filters, nowMs: number): { from_ms?: number; to_ms?: number } {
	const today = midnight(nowMs)
	switch (f.range) {
	case 'today': return { from_ms: today }
	case 'yesterday': return { from_ms: midnight(today - DAY / 2), to_ms: today }
	case 'week': return { from_ms: midnight(today - 5.5 * DAY) }
	case 'month': return { from_ms: midnight(today - 28.5 * DAY) }
	case 'custom': {
		const from = f.from ? new Date(f.from).getTime() : NaN
		const to = f.to ? new Date(f.to).getTime() : NaN
		return { from_ms: Number.isNaN(from) ? undefined : from, to_ms: Number.isNaN(to) ? undefined : to }
	}
	}
	return {}
}

export function toQuery(f: Filters, nowMs: number) {
	const some = (v: string) => v || undefined
	return {
		...timeRange(f, nowMs), q: some(f.q.trim()), dir: some(f.dir) as 'in' | 'out' | 'internal' | 'test' | undefined, queue_id: some(f.queue_id), agent_id: some(f.agent_id), by: some(f.by) as 'agent' | 'customer' | 'line' | 'system' | undefined,
		answered: f.answered === '' ? undefined : (Number(f.answered) as 0 | 1),
	}
}

export function toAddress(f: Filters): Record<string, string> {
	return Object.fromEntries(Object.entries(f).filter(([k, v]) => v && v !== NONE[k as keyof Filters]))
}

export function fromAddress(q: Record<string, unknown>): Filters {
	const f = { ...NONE }
	for (const k of Object.keys(NONE) as (keyof Filters)[])
		if (typeof q[k] === 'string')
			f[k] = q[k]
	return f
}
