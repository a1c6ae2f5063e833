/* A resource's form from its description: which fields, with what values, and what is wrong with them. Pure. */
import type { MetaField, MetaResource, Row } from '@/api/types'

export type Values = Record<string, unknown>
export interface Wrong { code: string; n?: number }

/** A new row's values, or an existing row's, as the form holds them. */
export function initial(meta: MetaResource, row: Row | null): Values {
	const v: Values = {}
	for (const f of meta.fields)
		v[f.name] = row ? fromRow(f, row[f.name]) : fallback(f)
	return v
}

/** 1250 with two decimals: "12.50". */
export function decimal(value: number, decimals: number): string {
	const s = String(Math.abs(value)).padStart(decimals + 1, '0')
	return (value < 0 ? '-' : '') + (decimals ? `${s.slice(0, -decimals)}.${s.slice(-decimals)}` : s)
}
/** "12.5" with two decimals: 1250; null: no such number. */
export function parseDecimal(text: string, decimals: number): number | null {
	const m = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text.replace(/[,\s]/g, ''))
	if (!m || (m[3] ?? '').length > decimals)
		return null
	return Number(m[1]! + m[2]! + (m[3] ?? '').padEnd(decimals, '0'))
}
const pad = (n: number) => String(n).padStart(2, '0')
/** As <input type="datetime-local"> has it. */
export function localMinute(ms: number): string {
	const d = new Date(ms)
	return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}T${pad(d.getHours())}:${pad(d.getMinutes())}`
}

function fromRow(f: MetaField, value: unknown): unknown {
	if (f.type === 'set' || f.flags.options)
		return Array.isArray(value) ? value : []
	if (f.type === 'time' && editable(f, false))
		return typeof value === 'number' ? localMinute(value) : ''
	if (f.type === 'int' && f.decimals && typeof value === 'number')
		return decimal(value, f.decimals)
	if (f.type === 'secret')
		return ''
	if (f.type === 'json')
		return value === null || value === undefined ? '' : JSON.stringify(value, null, 2)
	if (f.type === 'bool')
		return value === true || value === 1
	return value === null || value === undefined ? '' : f.type === 'int' ? String(value) : value
}

function fallback(f: MetaField): unknown {
	const d = f.default
	if (f.type === 'set' || f.flags.options)
		return []
	if (f.type === 'bool')
		return d === true || d === 'true' || d === 1
	return d === null || d === undefined ? '' : String(d)
}

/** "field=value|value": the form shows it only then. */
export function shown(f: MetaField, values: Values): boolean {
	if (!f.show_if)
		return true
	const [field, wanted = ''] = f.show_if.split('=')
	return wanted.split('|').includes(String(values[field!] ?? ''))
}

export const editable = (f: MetaField, creating: boolean): boolean => !f.flags.readonly && (creating || !f.flags.create_only)

/** Fields to draw: what the person can set, and on an existing row what he may see. */
export function formFields(meta: MetaResource, values: Values, creating: boolean): MetaField[] {
	return meta.fields.filter(f => shown(f, values) && (editable(f, creating) || (!creating && f.type !== 'secret')))
}

export const columns = (meta: MetaResource): MetaField[] => meta.fields.filter(f => !f.flags.hide_list && f.type !== 'secret' && f.type !== 'json')

/** The first thing wrong with a field, or null. The server checks again; this only spares the way there. */
export function check(f: MetaField, value: unknown, creating: boolean): Wrong | null {
	const text = typeof value === 'string' ? value.trim() : value
	if (f.flags.options && (value as { zh: string }[]).some(c => !c.zh.trim()))
		return { code: 'choice_empty' }
	if (text === '' || text === null || text === undefined || (Array.isArray(text) && !text.length))
		return f.flags.required && (creating || f.type !== 'secret') ? { code: 'required' } : null
	if (f.type === 'int' && f.decimals)
		return parseDecimal(String(text), f.decimals) === null ? { code: 'decimals', n: f.decimals } : null
	if (f.type === 'int') {
		if (!/^-?\d{1,18}$/.test(String(text)))
			return { code: 'not_number' }
		return range(Number(text), f, 'min', 'max')
	}
	if (f.type === 'text' || f.type === 'secret') {
		const wrong = range([...String(text)].length, { ...f, max: f.max || undefined }, 'min_len', 'max_len')
		if (wrong)
			return wrong
		if (f.flags.number && !/^\+?\d+$/.test(String(text)))
			return { code: 'digits' }
	}
	if (f.type === 'json' && !f.flags.options) {
		try {
			JSON.parse(String(text))
		} catch {
			return { code: 'json' }
		}
	}
	return null
}

function range(n: number, f: { min?: number | null; max?: number | null }, low: string, high: string): Wrong | null {
	if (typeof f.min === 'number' && n < f.min)
		return { code: low, n: f.min }
	if (typeof f.max === 'number' && n > f.max)
		return { code: high, n: f.max }
	return null
}

function toRow(f: MetaField, value: unknown): unknown {
	const text = typeof value === 'string' ? value.trim() : value
	if (f.type === 'bool')
		return !!value
	if (text === '' || text === undefined || (Array.isArray(text) && !text.length))
		return null
	if (f.flags.options || f.type === 'set')
		return text
	if (f.type === 'int' && f.decimals)
		return parseDecimal(String(text), f.decimals)
	if (f.type === 'time')
		return typeof text === 'string' && !/^\d+$/.test(text) ? new Date(text).getTime() : Number(text)
	if (f.type === 'int')
		return Number(text)
	return f.type === 'json' ? JSON.parse(String(text)) : text
}

/** What is sent: everything on create; on change only what differs from @row. Hidden fields and empty secrets stay out. */
export function body(meta: MetaResource, values: Values, row: Row | null): Values {
	const out: Values = {}
	for (const f of meta.fields) {
		if (!editable(f, !row) || !shown(f, values))
			continue
		const v = toRow(f, values[f.name])
		if (f.type === 'secret' && v === null)
			continue
		if (row ? JSON.stringify(v) !== JSON.stringify(toRow(f, fromRow(f, row[f.name]))) : v !== null)
			out[f.name] = v
	}
	return out
}

/** Fields of which others' newer row differs from what we loaded. */
export function changedByOthers(meta: MetaResource, loaded: Row, current: Row): MetaField[] {
	return meta.fields.filter(f => JSON.stringify(loaded[f.name] ?? null) !== JSON.stringify(current[f.name] ?? null))
}
