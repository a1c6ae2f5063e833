/* What a custom field will look like: its description as the server will make it (src/resource/custom.c), and its place in the form. Pure. */
import type { MetaField, Row } from '@/api/types'
import type { Values } from './form'

const KINDS: Record<string, { type: MetaField['type']; flags?: Record<string, boolean> }> = {
	text: { type: 'text' }, long_text: { type: 'text', flags: { multiline: true } }, number: { type: 'int' }, money: { type: 'int' }, date: { type: 'text', flags: { date: true } },
	time: { type: 'time' }, yes_no: { type: 'bool' }, choice: { type: 'enum' }, choices: { type: 'set' }, phone: { type: 'text', flags: { number: true } },
}
type Choice = { value?: string; zh: string; en?: string; old?: boolean }

/** The field that a row of custom_fields makes, or the values of its form; @name: what it is called among others. */
export function fieldOf(v: Values, name: string): MetaField {
	const kind = KINDS[String(v.type ?? '')] ?? KINDS.text!
	const zh = String(v.zh ?? '').trim() || '…'
	const help = String(v.help ?? '').trim() || null
	const decimals = v.type === 'money' ? 2 : v.type === 'number' ? Number(v.decimals) || 0 : 0
	const options = ((Array.isArray(v.options) ? v.options : []) as Choice[]).filter(o => o.zh.trim()).map((o, i) => ({ value: o.value ?? `new-${i}`, zh: o.zh, en: o.en?.trim() || o.zh, ...(o.old ? { old: true } : {}) }))
	return {
		name, type: kind.type, zh, en: String(v.en ?? '').trim() || zh, help_zh: help, help_en: help,
		flags: { ...kind.flags, custom: true, required: v.required === true }, ...(decimals ? { decimals } : {}), ...(kind.type === 'enum' || kind.type === 'set' ? { options } : {}),
	} as MetaField
}

/** The fields of the form in their order, the one that is made (@id, null: new) among them as its values are now. */
export function formOf(rows: Row[], id: string | null, values: Values): { field: MetaField; own: boolean }[] {
	const all = [...rows.filter(r => r.id !== id && r.active !== false).map(r => ({ v: r as Values, id: Number(r.id), own: false })), { v: values, id: id ? Number(id) : Infinity, own: true }]
	const place = (v: Values) => Number(v.sort ?? 100) || 0
	return all.sort((a, b) => place(a.v) - place(b.v) || a.id - b.id).map((x, i) => ({ field: fieldOf(x.v, `preview-${i}`), own: x.own }))
}
