/* The funnel's figures: their names, sums, shares, and money. Pure. */
import type { components } from '@/api/schema'

export type SalesCount = components['schemas']['sales_count']
export type SalesGoal = components['schemas']['sales_goal']
export type SalesPerson = components['schemas']['sales_person']
export type SalesMine = components['schemas']['sales_mine']
export type SalesFigures = components['schemas']['sales_figures']

export const FIGURES = ['calls', 'connected', 'talk_min', 'wechat', 'invited', 'visits', 'deals', 'amount'] as const
export type Figure = (typeof FIGURES)[number]
/** 拨打 → 接通 → 加微 → 邀约 → 到访 → 签单 */
export const STEPS = ['calls', 'connected', 'wechat', 'invited', 'visits', 'deals'] as const
/** The agent's bar. */
export const BAR = ['calls', 'connected', 'talk_min', 'invited', 'deals'] as const

export const zeros = (): SalesCount => ({ calls: 0, connected: 0, talk_min: 0, wechat: 0, invited: 0, visits: 0, deals: 0, amount: 0 })

export function sum(people: readonly SalesCount[]): SalesCount {
	const all = zeros()
	for (const p of people)
		for (const f of FIGURES)
			all[f] += p[f]
	return all
}

export interface Step { figure: (typeof STEPS)[number]; n: number; share: number; of: number | null }
/** A step's width against the largest one, and how many of the step before came so far; null: there was nobody before. */
export function funnel(c: SalesCount): Step[] {
	const most = Math.max(1, ...STEPS.map(f => c[f]))
	return STEPS.map((f, i) => {
		const before = i ? c[STEPS[i - 1]!] : 0
		return { figure: f, n: c[f], share: c[f] / most, of: before ? c[f] / before : null }
	})
}

/** How much of a goal is reached, 0 to 1 and above; null: there is none. */
export const reached = (done: number, goal: number | null | undefined): number | null => (goal ? done / goal : null)

/** Hundredths as people write them: 1250050 → "12,500.5"; without a fraction where there is none. */
export const money = (hundredths: number): string => (hundredths / 100).toLocaleString('zh-CN', { maximumFractionDigits: 2 })
/** In a narrow place: 1250050 → "1.25万" (zh), "12.5k" (en). */
export function moneyShort(hundredths: number, en: boolean): string {
	const v = hundredths / 100
	if (en)
		return v >= 1e6 ? `${+(v / 1e6).toFixed(2)}M` : v >= 1e4 ? `${+(v / 1e3).toFixed(1)}k` : money(hundredths)
	return v >= 1e8 ? `${+(v / 1e8).toFixed(2)}亿` : v >= 1e4 ? `${+(v / 1e4).toFixed(2)}万` : money(hundredths)
}
export const figureText = (f: Figure, n: number, en: boolean): string => (f === 'amount' ? moneyShort(n, en) : n.toLocaleString('zh-CN'))

/* ---- days ---- */

const pad = (n: number) => String(n).padStart(2, '0')
export const dayOf = (d: Date): string => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`
export const monthOf = (d: Date): string => dayOf(d).slice(0, 7)
export function addDays(day: string, n: number): string {
	const d = new Date(`${day}T12:00:00`)
	d.setDate(d.getDate() + n)
	return dayOf(d)
}
export function addMonths(month: string, n: number): string {
	const [y, m] = month.split('-').map(Number) as [number, number]
	const d = new Date(y, m - 1 + n, 1)
	return monthOf(d)
}
/** The Monday of a day's week. */
export function mondayOf(day: string): string {
	const d = new Date(`${day}T12:00:00`)
	return addDays(day, -((d.getDay() + 6) % 7))
}
export type Range = 'today' | 'yesterday' | 'week' | 'month' | 'last_month'
export function rangeOf(r: Range, today: string): { from: string; to: string } {
	switch (r) {
	case 'yesterday': return { from: addDays(today, -1), to: addDays(today, -1) }
	case 'week': return { from: mondayOf(today), to: today }
	case 'month': return { from: `${today.slice(0, 7)}-01`, to: today }
	case 'last_month': {
		const month = addMonths(today.slice(0, 7), -1)
		return { from: `${month}-01`, to: addDays(`${today.slice(0, 7)}-01`, -1) }
	}
	default: return { from: today, to: today }
	}
}

/** Times for an invitation: tomorrow at ten and at two, and the coming weekend at ten. */
export function invitationTimes(nowMs: number): { key: 'tomorrow_am' | 'tomorrow_pm' | 'saturday' | 'sunday'; ms: number }[] {
	const at = (days: number, hour: number) => {
		const d = new Date(nowMs)
		d.setDate(d.getDate() + days)
		d.setHours(hour, 0, 0, 0)
		return d.getTime()
	}
	const today = new Date(nowMs).getDay()
	return [
		{ key: 'tomorrow_am', ms: at(1, 10) }, { key: 'tomorrow_pm', ms: at(1, 14) },
		{ key: 'saturday', ms: at((6 - today + 7) % 7 || 7, 10) }, { key: 'sunday', ms: at((7 - today) % 7 || 7, 10) },
	]
}
