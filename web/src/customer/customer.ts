/* What customers' pages reckon with: tags, days left, when to call again. Pure. */
import type { MetaField, MetaResource, Row } from '@/api/types'
import { phone as readable } from '@/format'

export interface Phone { id?: string; rev?: number; number: string; label: string; state: string; extension: string | null; region?: string | null; sort?: number }
export type Customer = Row & { name: string | null; phone: string | null; phones?: Phone[] }

/** ",vip,北京," as a list. */
export const tagsOf = (text: unknown): string[] => (typeof text === 'string' ? text.split(',').filter(Boolean) : [])
export const tagsText = (tags: string[]): string | null => (tags.length ? `,${tags.join(',')},` : null)

const DAY = 86_400_000
/** Whole days until a private customer goes back; 0: today; null: never. */
export function daysLeft(backMs: unknown, nowMs: number): number | null {
	return typeof backMs === 'number' ? Math.max(0, Math.floor((backMs - nowMs) / DAY)) : null
}

export type Shortcut = 'next_10' | 'next_pm' | 'next_tomorrow' | 'next_monday'
/** The times that are chosen most; those that are over today are left out. */
export function shortcuts(now: Date): { key: Shortcut; ms: number }[] {
	const at = (days: number, h: number, m: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, h, m).getTime()
	const all: { key: Shortcut; ms: number }[] = [
		{ key: 'next_10', ms: Math.ceil((now.getTime() + 600_000) / 60_000) * 60_000 },
		{ key: 'next_pm', ms: at(0, 15, 0) },
		{ key: 'next_tomorrow', ms: at(1, 9, 30) },
		{ key: 'next_monday', ms: at(((8 - now.getDay()) % 7) || 7, 9, 30) },
	]
	return all.filter(s => s.ms > now.getTime())
}

/** For <input type="datetime-local">, in local time to the minute; "" for none. */
export function localInput(ms: unknown): string {
	if (typeof ms !== 'number')
		return ''
	const d = new Date(ms)
	const pad = (n: number) => String(n).padStart(2, '0')
	return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}T${pad(d.getHours())}:${pad(d.getMinutes())}`
}
export const fromLocalInput = (text: string): number | null => (text ? new Date(text).getTime() : null)

export const SECTIONS = ['basic', 'contact', 'work', 'more', 'custom'] as const
export type Section = (typeof SECTIONS)[number]
const PLACE: Record<string, Section> = {
	name: 'basic', gender: 'basic', age: 'basic', birthday: 'basic', id_number: 'basic', company: 'basic', occupation: 'basic', interests: 'basic',
	wechat: 'contact', email: 'contact', city: 'contact', address: 'contact',
	type_id: 'work', source_id: 'work', owner_id: 'work', team_id: 'work', tags: 'work',
}
/* The header, the telephones' own editor and the page itself show these. */
const ELSEWHERE = new Set(['phone', 'next_ms', 'last_ms', 'back_ms', 'contact_n', 'owned_ms', 'state', 'merged_id'])

/** The fields of a form, by section; an administrator's own come last. */
export function sections(meta: MetaResource, creating: boolean): { section: Section; fields: MetaField[] }[] {
	const shown = meta.fields.filter(f => !ELSEWHERE.has(f.name) && f.type !== 'secret' && !(creating && f.flags.readonly))
	return SECTIONS.map(section => ({ section, fields: shown.filter(f => (f.flags.custom ? 'custom' : PLACE[f.name] ?? 'more') === section) })).filter(s => s.fields.length)
}

export const newPhone = (): Phone => ({ number: '', label: 'self', state: 'ok', extension: null })

/** As people read them; what is shown in part stays so. */
export const shownPhones = (phones: Phone[] | undefined): Phone[] => (phones ?? []).map(p => ({ ...p, number: readable(p.number) || p.number }))

/** What is sent of the telephones; empty lines are left out, and numbers that are as they were (@saved) need not be said. */
export function phonesBody(phones: Phone[], saved: Phone[] = []): Record<string, unknown>[] {
	return phones.filter(p => p.number.trim()).map(p => ({
		...(p.id ? { id: p.id } : {}),
		...(p.id && saved.some(x => x.id === p.id && x.number === p.number) ? {} : { number: p.number.trim() }),
		label: p.label, state: p.state, extension: p.extension?.trim() || null,
	}))
}
export const samePhones = (a: Phone[], b: Phone[]): boolean => JSON.stringify(phonesBody(a)) === JSON.stringify(phonesBody(b))

/** Where a refusal of the list belongs: "phones.1.number" → [1, "number"]. */
export function phoneError(key: string): [number, string] | null {
	const m = /^phones\.(\d+)\.(\w+)$/.exec(key)
	return m ? [Number(m[1]), m[2]!] : null
}

/** Fields of which both have something else: who merges chooses. */
export function differing(meta: MetaResource, one: Row, other: Row): MetaField[] {
	const UNITED = new Set(['tags', 'note'])
	return meta.fields.filter(f => {
		const a = one[f.name]
		const b = other[f.name]
		return !f.flags.readonly && !UNITED.has(f.name) && !ELSEWHERE.has(f.name) && f.type !== 'secret' && given(a) && given(b) && JSON.stringify(a) !== JSON.stringify(b)
	})
}
const given = (v: unknown) => v !== null && v !== undefined && v !== ''

/** The day a moment belongs to, for the timeline's headings. */
export const dayOf = (ms: number): string => new Date(ms).toDateString()

/** A text in parts, those that say a word of @q among them; from shortly before the first one on. */
export function marked(text: string, q: string): { text: string; hit: boolean }[] {
	const words = q.trim().split(/\s+/).filter(Boolean).map(w => w.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
	if (!words.length)
		return [{ text, hit: false }]
	const first = text.search(new RegExp(words.join('|'), 'i'))
	const from = first > 60 ? first - 20 : 0
	return ((from ? '…' : '') + text.slice(from)).split(new RegExp(`(${words.join('|')})`, 'i')).map((part, i) => ({ text: part, hit: i % 2 === 1 })).filter(p => p.text)
}
