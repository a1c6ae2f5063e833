/* A list's conditions: what stands in the address, in a saved view and in the query string is the same. Pure. */
import type { MetaField, MetaResource } from '@/api/types'

export interface Condition { field: string; op: string; value: string }

/* Operators by type, the usual one first. Their words are list.op.<type or any>.<op>. */
const which = ['in', 'not', 'empty', 'filled']
const byType: Record<string, string[]> = {
	text: ['has', 'is', 'starts', 'in', 'empty', 'filled'], tags: ['any', 'all', 'empty', 'filled'], masked: ['is', 'empty', 'filled'],
	int: ['is', 'gte', 'lte', 'between', 'empty', 'filled'], time: ['rel', 'gte', 'lte', 'between', 'empty', 'filled'],
	enum: which, ref: which, key: which, set: ['any', 'all', 'empty', 'filled'], bool: ['is'], id: ['is', 'empty', 'filled'],
}
export const relatives = ['today', 'tomorrow', 'yesterday', 'week', 'overdue', 'next7', 'next30', 'last7', 'last30', 'older7', 'older30', 'older90']

/** id and the two times of every row, which a declaration does not name. */
export const baseFields = (label: (key: string) => { zh: string; en: string }): MetaField[] =>
	(['created_ms', 'updated_ms'] as const).map(name => ({ name, type: 'time', ...label(name), flags: {} }))

export const filterable = (meta: MetaResource): MetaField[] => meta.fields.filter(f => f.type !== 'secret' && f.type !== 'json')
export function operators(f: MetaField, unmasked = true): string[] {
	return byType[f.flags.tags ? 'tags' : f.flags.masked && !unmasked ? 'masked' : f.type] ?? ['is']
}

/** The keys and values of the query string that a condition is; between is two. */
export function toQuery(conditions: Condition[]): Record<string, string> {
	const out: Record<string, string> = {}
	for (const c of conditions) {
		if (c.op === 'is')
			out[c.field] = c.value
		else if (c.op === 'empty' || c.op === 'filled')
			out[`${c.field}.empty`] = String(c.op === 'empty')
		else if (c.op === 'between') {
			const [from = '', to = ''] = c.value.split('~')
			if (from)
				out[`${c.field}.gte`] = from
			if (to)
				out[`${c.field}.lte`] = to
		} else
			out[`${c.field}.${c.op}`] = c.value
	}
	return out
}

/** Conditions of a query string; what is no field's is left out. */
export function fromQuery(query: Record<string, unknown>, fields: MetaField[]): Condition[] {
	const out: Condition[] = []
	for (const [key, v] of Object.entries(query)) {
		const dot = key.lastIndexOf('.')
		const field = dot < 0 ? key : key.slice(0, dot)
		let op = dot < 0 ? 'is' : key.slice(dot + 1)
		let value = String(v ?? '')
		if (typeof v !== 'string' || !fields.some(f => f.name === field))
			continue
		if (op === 'empty') {
			op = value === 'true' || value === '1' ? 'empty' : 'filled'
			value = ''
		}
		const other = out.find(c => c.field === field && ((op === 'lte' && c.op === 'gte') || (op === 'gte' && c.op === 'lte')))
		if (other) {
			other.value = op === 'lte' ? `${other.value}~${value}` : `${value}~${other.value}`
			other.op = 'between'
		} else
			out.push({ field, op, value })
	}
	return out
}

/** A list's values apart and together; \, is a comma in a value. */
export const split = (s: string): string[] => (s ? (s.match(/(?:\\.|[^,\\])+|(?<=,|^)(?=,|$)/g) ?? []).map(x => x.replace(/\\(.)/g, '$1')) : [])
export const join = (list: string[]): string => list.map(x => x.replace(/([,\\])/g, '\\$1')).join(',')

/** Names of columns that are still fields, in the person's order; without any his list is as declared. */
export function chosen(names: unknown, all: MetaField[], declared: MetaField[]): MetaField[] {
	const list = Array.isArray(names) ? names.map(n => all.find(f => f.name === n)).filter((f): f is MetaField => !!f) : []
	return list.length ? list : declared
}
