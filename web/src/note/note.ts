/* What a note's form holds and sends, which template applies, and the shortcuts. Pure. */
import type { Row } from '@/api/types'

export interface TemplateField { key: string; label: string; type: 'text' | 'choice' | 'number' | 'date' | 'bool'; required?: boolean; options?: string[]; min?: number; max?: number }
export interface Template { id: string; name: string; queue_id: string | null; reason_id: string | null; fields: TemplateField[]; phrases: string[]; active: boolean }
export interface Reason { id: string; name: string; en: string | null; parent_id: string | null; sort: number; active: boolean }
export interface Result { id: string; code: string; zh: string; en: string | null; connected: boolean; sort: number; active: boolean }
export interface FormValue { key: string; label: string; type: TemplateField['type']; value: string | number | boolean }
export interface Note { id: string; rev: number; at_ms: number; created_ms: number; updated_ms: number; customer_id: string | null; call_id: string | null; user_id: string | null; user_id_label?: string | null; customer_id_label?: string | null; template_id: string | null; reason_id: string | null; result_id: string | null; text: string | null; form: FormValue[] | null; next_ms: number | null; done: boolean }

/** What is being filled in; values of the form stay when the template changes and comes back. */
export interface Draft { text: string; reason_id: string; result_id: string; next_ms: number | null; form: Record<string, string | number | boolean | null> }

export const emptyDraft = (): Draft => ({ text: '', reason_id: '', result_id: '', next_ms: null, form: {} })
export const isEmpty = (d: Draft): boolean => !d.text.trim() && !d.reason_id && !d.result_id && !d.next_ms && !Object.values(d.form).some(v => v !== '' && v !== null && v !== undefined)

export function draftOf(n: Note): Draft {
	return { text: n.text ?? '', reason_id: n.reason_id ?? '', result_id: n.result_id ?? '', next_ms: n.next_ms, form: Object.fromEntries((n.form ?? []).map(f => [f.key, f.value])) }
}

/** A draft as it was kept, by whatever version of the page: only what is in the right form. */
export function readDraft(o: unknown): Draft {
	const d = emptyDraft()
	const v = (o ?? {}) as Record<string, unknown>
	for (const k of ['text', 'reason_id', 'result_id'] as const)
		if (typeof v[k] === 'string')
			d[k] = v[k]
	if (typeof v.next_ms === 'number')
		d.next_ms = v.next_ms
	if (v.form && typeof v.form === 'object' && !Array.isArray(v.form))
		for (const [k, x] of Object.entries(v.form))
			if (['string', 'number', 'boolean'].includes(typeof x))
				d.form[k] = x as string
	return d
}

/** The same choice as the server's: reason before its class before none, then queue before none, then by name. */
export function templateFor(all: Template[], reasons: Reason[], queueId: string | null, reasonId: string): Template | null {
	const parent = reasons.find(r => r.id === reasonId)?.parent_id ?? ''
	const rank = (t: Template) => (t.reason_id === null ? 4 : t.reason_id === reasonId ? 0 : 2) + (t.queue_id === null ? 1 : 0)
	const fits = all.filter(t => t.active && (t.queue_id === null || t.queue_id === queueId) && (t.reason_id === null || (!!reasonId && (t.reason_id === reasonId || t.reason_id === parent))))
	return fits.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))[0] ?? null
}

const given = (v: unknown) => v !== '' && v !== null && v !== undefined

/** What is sent: only the template's fields, numbers as numbers. @wrong: codes by "form.key", as the server names them. */
export function payload(d: Draft, t: Template | null): { body: Record<string, unknown>; wrong: Record<string, string> } {
	const form: Record<string, unknown> = {}
	const wrong: Record<string, string> = {}
	for (const f of t?.fields ?? []) {
		const v = d.form[f.key]
		if (!given(v)) {
			if (f.required)
				wrong[`form.${f.key}`] = 'required'
			continue
		}
		const n = Number(v)
		form[f.key] = f.type === 'number' ? n : v
		if (f.type === 'number' && !Number.isFinite(n))
			wrong[`form.${f.key}`] = 'type'
		else if (f.type === 'number' && ((f.min !== undefined && n < f.min) || (f.max !== undefined && n > f.max)))
			wrong[`form.${f.key}`] = 'range'
		else if (f.type === 'choice' && !f.options?.includes(String(v)))
			wrong[`form.${f.key}`] = 'enum'
		else if (f.type === 'text' && [...String(v)].length > (f.max ?? 1000))
			wrong[`form.${f.key}`] = 'range'
	}
	const text = d.text.trim()
	if (!text && !d.reason_id && !d.result_id && !Object.keys(form).length)
		wrong.text = 'required'
	return { body: { text: text || null, reason_id: d.reason_id || null, result_id: d.result_id || null, next_ms: d.next_ms, template_id: t?.id ?? null, form }, wrong }
}

/** Seven digits and more, however they are parted, may be somebody's number: such a text is not left in the browser. */
export const hasNumber = (d: Draft): boolean => /(?:[0-9０-９][\s\-–—.()（）]*){7}/.test([d.text, ...Object.values(d.form).map(String)].join('\n'))

export type Soon = '10' | 'pm' | 'am' | 'mon'
/** The shortcuts of the next contact, in the page's zone: in ten minutes; 14:00 (tomorrow's when that is over); 9:30 tomorrow; 9:30 on the coming Monday. */
export function soon(what: Soon, nowMs: number): number {
	const d = new Date(nowMs)
	d.setSeconds(0, 0)
	if (what === '10')
		return d.getTime() + 600_000
	if (what === 'pm') {
		if (d.getHours() >= 14)
			d.setDate(d.getDate() + 1)
		d.setHours(14, 0)
		return d.getTime()
	}
	d.setDate(d.getDate() + (what === 'am' ? 1 : ((8 - d.getDay()) % 7) || 7))
	d.setHours(9, 30)
	return d.getTime()
}

/** ms → "2026-11-22T09:30", the value of a datetime-local field; and back. */
export function localTime(ms: number | null): string {
	if (!ms)
		return ''
	const d = new Date(ms)
	return new Date(ms - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
export const fromLocalTime = (s: string): number | null => (s && Number.isFinite(Date.parse(s)) ? Date.parse(s) : null)

/* The first character by pinyin of each letter there is; the browser's own collation does the rest. */
const FIRST = '阿八嚓哒妸发旮哈讥咔垃麻拏噢妑七呥仨他屲夕丫帀'
const LETTERS = 'abcdefghjklmnopqrstwxyz'
const pinyin = new Intl.Collator('zh-Hans-CN-u-co-pinyin')

/** "退换货" → "thh"; what is no Chinese character stays, in lower case. */
export function initials(text: string): string {
	let out = ''
	for (const c of text) {
		if (!/\p{Script=Han}/u.test(c)) {
			out += /[\p{L}\p{N}]/u.test(c) ? c.toLowerCase() : ''
			continue
		}
		let i = FIRST.length - 1
		while (i > 0 && pinyin.compare(c, FIRST[i]!) < 0)
			i--
		out += LETTERS[i]!
	}
	return out
}

export interface ReasonChoice { id: string; label: string; parent: string; find: string }
/** Reasons that may be chosen: those below a class, and classes that have none below. */
export function reasonChoices(all: Reason[], en: boolean): ReasonChoice[] {
	const name = (r: Reason) => (en && r.en) || r.name
	const on = all.filter(r => r.active).sort((a, b) => a.sort - b.sort)
	return on.filter(r => !r.parent_id).flatMap(p => {
		const below = on.filter(r => r.parent_id === p.id)
		const find = (r?: Reason) => [p.name, p.en ?? '', initials(p.name), r ? `${r.name} ${r.en ?? ''} ${initials(r.name)} ${initials(p.name)}${initials(r.name)}` : ''].join(' ').toLowerCase()
		return [{ id: p.id, label: name(p), parent: '', find: find() }, ...below.map(r => ({ id: r.id, label: name(r), parent: name(p), find: find(r) }))]
	})
}
export function findReasons(choices: ReasonChoice[], q: string): ReasonChoice[] {
	const words = q.toLowerCase().split(/[\s/]+/).filter(Boolean)
	const hit = choices.filter(c => words.every(w => c.find.includes(w)))
	// What begins with it, by name or initials of its own, stands first.
	const rank = (c: ReasonChoice) => (words.length && (c.label.toLowerCase().startsWith(words[0]!) || initials(c.label).startsWith(words[0]!)) ? 0 : 1)
	return words.length ? [...hit].sort((a, b) => rank(a) - rank(b)) : hit
}
export function reasonName(all: Reason[], id: string | null, en: boolean): string {
	const r = all.find(x => x.id === id)
	if (!r)
		return ''
	const name = (x: Reason) => (en && x.en) || x.name
	const p = r.parent_id ? all.find(x => x.id === r.parent_id) : undefined
	return p ? `${name(p)} / ${name(r)}` : name(r)
}

/** The text before the cursor asks for a phrase: "/xx" at its beginning or behind a blank. What was typed behind the stroke, or null. */
export function slash(before: string): string | null {
	const m = /(?:^|[\s，。；,;])\/([\p{L}\p{N}]{0,12})$/u.exec(before)
	return m ? m[1]! : null
}
export const findPhrases = (all: string[], q: string): string[] => all.filter(p => !q || p.toLowerCase().includes(q.toLowerCase()) || initials(p).includes(q.toLowerCase())).slice(0, 9)

/** Calls and notes as one list, newest first; notes about a call stand below it. */
export interface Contact<C> { at: number; call: C | null; notes: Note[] }
export function contacts<C extends { id: string; start_ms: number }>(calls: C[], notes: Note[]): Contact<C>[] {
	const byCall = new Map<string, Contact<C>>(calls.map(c => [c.id, { at: c.start_ms, call: c, notes: [] }]))
	const all: Contact<C>[] = [...byCall.values()]
	for (const n of notes) {
		const c = n.call_id ? byCall.get(n.call_id) : undefined
		if (c)
			c.notes.push(n)
		else
			all.push({ at: n.at_ms, call: null, notes: [n] })
	}
	return all.sort((a, b) => b.at - a.at)
}

/** Which are older than what is there for certain: where a list was cut, nothing before its last row is whole. */
export function beforeMs(calls: { start_ms: number }[], notes: { at_ms: number }[], page: number): number {
	const ends = [calls.length && calls.length % page === 0 ? calls.at(-1)!.start_ms : 0, notes.length && notes.length % page === 0 ? notes.at(-1)!.at_ms : 0]
	return Math.max(...ends) || Math.min(calls.at(-1)?.start_ms ?? Infinity, notes.at(-1)?.at_ms ?? Infinity)
}
export const merged = <T extends { id: string }>(a: T[], b: T[]): T[] => [...a, ...b.filter(x => !a.some(y => y.id === x.id))]

export const tagsOf = (tags: unknown): string[] => String(tags ?? '').split(',').filter(Boolean)
export const rowTo = {
	template: (r: Row): Template => ({ ...(r as unknown as Template), fields: (r.fields as TemplateField[] | null) ?? [], phrases: (r.phrases as string[] | null) ?? [] }),
}
