/* To-dos: how pressing they are, their order, and which are to be told of now. Pure. */
import type { components } from '@/api/schema'

export type Todo = components['schemas']['todo']
export type Todos = components['schemas']['todos']
export type Order = 'due' | 'grade' | 'city'
export type Urgency = 'late' | 'due' | 'soon' | 'later'

const MIN = 60_000
const LATE_MS = 15 * MIN
const SOON_MS = 10 * MIN
const STALE_MS = 12 * 60 * MIN

export const keyOf = (x: Pick<Todo, 'kind' | 'id'>) => `${x.kind}:${x.id}`

/** Its colour: late by a quarter of an hour, due, due within ten minutes, later. */
export function urgency(x: Pick<Todo, 'due_ms'>, nowMs: number): Urgency {
	const over = nowMs - x.due_ms
	return over >= LATE_MS ? 'late' : over >= 0 ? 'due' : over >= -SOON_MS ? 'soon' : 'later'
}

const byDue = (a: Todo, b: Todo) => a.due_ms - b.due_ms || (keyOf(a) < keyOf(b) ? -1 : 1)
const city = new Intl.Collator('zh-Hans-CN-u-co-pinyin')
/** By time; by the customer's type (the best first), or by city (without one last), and then by time. */
export function sorted(items: Todo[], order: Order): Todo[] {
	const first = (a: Todo, b: Todo) => {
		if (order === 'grade')
			return a.grade - b.grade
		return order === 'city' ? Number(!a.city) - Number(!b.city) || city.compare(a.city ?? '', b.city ?? '') : 0
	}
	return [...items].sort((a, b) => first(a, b) || byDue(a, b))
}

/** How many have come to their time: what the navigation shows. */
export const dueCount = (items: Todo[], nowMs: number) => items.filter(x => x.due_ms <= nowMs).length

/* What nobody need be told of: a missed call was just heard; what is a mate's. */
const TELLS: Todo['kind'][] = ['callback', 'hand', 'confirm', 'visit', 'second', 'follow']
const toldKey = (x: Todo) => `${keyOf(x)}:${x.due_ms}`

/**
 * Those to be told of now, oldest first: one's own that have come to their time (@remindMin before it) and were not told yet. While he is @busy
 * nothing is told, and nothing counts as told.
 */
export function toTell(items: Todo[], told: Set<string>, nowMs: number, remindMin: number, busy: boolean): Todo[] {
	if (busy)
		return []
	return items.filter(x => (x.why === 'own' || x.why === 'ask') && TELLS.includes(x.kind) && x.due_ms - remindMin * MIN <= nowMs && !told.has(toldKey(x))).sort(byDue)
}
export function markTold(told: Set<string>, items: Todo[]) {
	for (const x of items)
		told.add(toldKey(x))
}
/** What was due long before he came is in the list and its count; nobody need be told of it again at each log-in. */
export const stale = (items: Todo[], nowMs: number): Todo[] => items.filter(x => nowMs - x.due_ms > STALE_MS)

/** The next moment at which something changes by itself: an item comes to its time, or is late. Infinity: none. */
export function nextChange(items: Todo[], nowMs: number, remindMin: number): number {
	const times = items.flatMap(x => [x.due_ms - SOON_MS, x.due_ms - remindMin * MIN, x.due_ms, x.due_ms + LATE_MS])
	return Math.min(Infinity, ...times.filter(t => t > nowMs))
}

/** "12 minutes late", "in 5 minutes", or the time: what stands before an item. n in minutes below an hour, else hours. */
export function when(x: Pick<Todo, 'due_ms'>, nowMs: number): { word: 'late_m' | 'late_h' | 'late_d' | 'now' | 'in_m' | 'at'; n: number } {
	const min = Math.floor((nowMs - x.due_ms) / MIN)
	if (min >= 1440)
		return { word: 'late_d', n: Math.floor(min / 1440) }
	if (min >= 60)
		return { word: 'late_h', n: Math.floor(min / 60) }
	if (min >= 1)
		return { word: 'late_m', n: min }
	if (nowMs >= x.due_ms)
		return { word: 'now', n: 0 }
	return { word: x.due_ms - nowMs <= SOON_MS ? 'in_m' : 'at', n: Math.ceil((x.due_ms - nowMs) / MIN) }
}

export type Section = 'now' | 'today' | 'later'
/** Where an item stands in a list by time. */
export function sectionOf(x: Pick<Todo, 'due_ms'>, nowMs: number): Section {
	return x.due_ms <= nowMs ? 'now' : new Date(x.due_ms).toDateString() === new Date(nowMs).toDateString() ? 'today' : 'later'
}
