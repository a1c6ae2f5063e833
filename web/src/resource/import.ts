/* What the import dialog reckons. Pure. */
import type { MetaField, MetaResource } from '@/api/types'

/** Fields that a sheet can bring. */
export const importable = (meta: MetaResource): MetaField[] => meta.fields.filter(f => !f.flags.readonly)

export interface Target { name: string; zh: string; en: string; required: boolean; many: boolean }

/** What a column may be imported as: fields, and columns whose values become rows of their own. */
export function targets(meta: MetaResource): Target[] {
	const many = (meta.import_columns ?? []).map(c => ({ ...c, required: false, many: true }))
	const fields = importable(meta).map(f => ({ name: f.name, zh: f.zh, en: f.en, required: !!f.flags.required, many: false }))
	return [...fields.slice(0, 1), ...many, ...fields.slice(1)]
}

/** The columns with column @at as @name: a field has one column, what may be many has any number. */
export function allowed(meta: MetaResource, columns: (string | null)[], at: number, name: string | null): (string | null)[] {
	const many = (meta.import_columns ?? []).some(c => c.name === name)
	return columns.map((c, i) => (i === at ? name : c === name && !many ? null : c))
}

/** What a person chose for every row as a value of a body; null: nothing. */
export function valueOf(f: MetaField, text: string): unknown {
	if (!text.trim())
		return null
	if (f.type === 'int')
		return Number(text)
	if (f.type === 'time')
		return new Date(text).getTime()
	return f.type === 'bool' ? text === 'true' : text.trim()
}

/** "A", "Z", "AA" for 0, 25, 26. */
export function letters(i: number): string {
	let s = ''
	for (let n = i + 1; n > 0; n = Math.floor((n - 1) / 26))
		s = String.fromCharCode(65 + (n - 1) % 26) + s
	return s
}

/** 0 to 1; while a sheet is checked nobody knows how long it is, so it creeps. */
export function progress(job: { state: string; rows: number; expected: number }, total: number, sent: number): number {
	if (total)
		return Math.min(1, sent / total)
	if (job.state === 'running' && job.expected)
		return Math.min(1, job.rows / job.expected)
	return job.state === 'checking' ? 1 - 1000 / (1000 + job.rows) : 1
}
