/* What the pages of campaigns compute: progress, shares, why there is no call, charts' series, drafts and what is wrong with them. Pure. */
import type { components, paths } from '@/api/schema'
import type { CampaignLive } from '@/api/types'

type S = components['schemas']
export type Summary = S['campaign_summary']
export type Progress = S['campaign_progress']
export type Job = S['campaign_job']
export type CampaignRow = S['CampaignsRow']
export type DaySheet = paths['/campaigns/{id}/day']['get']['responses']['200']['content']['application/json']
export type NumberHealth = paths['/shown_numbers/health']['get']['responses']['200']['content']['application/json']['items'][number]
export type RecycleLook = paths['/campaigns/{id}/recycle/preview']['post']['responses']['200']['content']['application/json']
export type Person = S['campaign_person']

export const MODES = ['progressive', 'predictive', 'preview'] as const
export const STATES = ['running', 'paused', 'draft', 'ended'] as const
export type State = CampaignRow['state']
export type Action = 'start' | 'pause' | 'stop'
/** What may be pressed; ended is for good. */
export const actionsOf = (s: State): Action[] => ({ draft: ['start'], running: ['pause', 'stop'], paused: ['start', 'stop'], ended: [] } as Record<State, Action[]>)[s]

/* ---- progress ---- */

export interface Count { total: number; done: number; closed: number; claimed: number; open: number; part: number }
/** Leads by state; part: how many are through, 0 to 1. */
export function leadsOf(leads: Record<string, number>): Count {
	const n = (k: string) => leads[k] ?? 0
	const [done, closed, claimed, open] = [n('done'), n('closed'), n('claimed'), n('open')]
	const total = done + closed + claimed + open
	return { total, done, closed, claimed, open, part: total ? (done + closed) / total : 0 }
}
/** Of those who answered, how many found nobody; null: nobody has answered. */
export const abandonedShare = (d: { answered: number; abandoned: number }): number | null => (d.answered + d.abandoned ? d.abandoned / (d.answered + d.abandoned) : null)
/** Of the dials, how many were answered at all. */
export const answeredShare = (d: { dials: number; answered: number; abandoned: number }): number | null => (d.dials ? (d.answered + d.abandoned) / d.dials : null)
/** 0.0294 → "2.9%": a limit of few percent wants its decimal. */
export const fine = (x: number | null): string => (x === null ? '–' : `${+(x * 100).toFixed(1)}%`)

export const sortSummaries = (items: readonly Summary[]): Summary[] =>
	[...items].sort((a, b) => STATES.indexOf(a.campaign.state) - STATES.indexOf(b.campaign.state) || b.campaign.priority - a.campaign.priority || b.campaign.created_ms - a.campaign.created_ms)

/* ---- why there is no call ---- */

export interface Why { code: string; tone: 'good' | 'wait' | 'bad' | ''; named: { n: number; at: number; total: number; risk: number; price: number; abandoned: number; limit: number; trunk: string } }
const TONES: Record<string, Why['tone']> = {
	dialling: 'good', busy: 'good', asking: 'good', more: 'good', connecting: 'good', pacing: 'good', pacing_limit: 'wait', lines: 'wait', later: 'wait', hours: 'wait', guard: 'wait', resting: 'wait', empty: 'wait', paused: '', draft: '', ended: '',
	nobody: 'bad', no_members: 'bad', trunk: 'bad', slow: 'bad', stopping: 'bad', unknown: 'wait', state: '',
}
/** One line: what the switch says, where it says something, else what the data say. The row's own state goes before both. */
export function whyOf(s: Pick<Summary, 'campaign' | 'why' | 'forecast' | 'leads' | 'refused_today' | 'people'>, live: CampaignLive | undefined): Why {
	const answered = live?.answered ?? 0
	const named = { n: live?.n ?? 0, at: 0, total: leadsOf(s.leads).total, risk: (live?.risk ?? 0) / 1e6, price: (live?.price ?? 0) / 1e6, abandoned: answered ? (live?.abandoned ?? 0) / answered : 0, limit: (live?.limit ?? s.campaign.limit_permille) / 1000, trunk: live?.trunk ?? '' }
	let code = s.campaign.state === 'running' ? live?.why || s.why.code : s.campaign.state
	if (code === 'nobody' && !live?.why) /* the data only know that the switch has not asked */
		code = s.people ? 'nobody' : 'no_members'
	if (code === 'nobody')
		named.n = named.n || s.people
	if (code === 'pacing' && live?.verdict !== 'hold')
		code = 'pacing_limit'
	/* Those that were being dialled when it asked wait again by now. */
	if (code === 'empty' && leadsOf(s.leads).open)
		code = s.forecast.due ? 'asking' : 'later'
	/* The switch asks again within a minute whatever happens; the data know when something will. */
	named.at = (s.why.code === code && s.why.more_ms) || live?.at || 0
	if (code === 'later') {
		named.n = leadsOf(s.leads).open
		named.at = s.forecast.next_ms || named.at
	}
	if (code === 'guard')
		named.n = s.refused_today
	if (!(code in TONES))
		code = 'unknown'
	return { code, tone: TONES[code]!, named }
}
/** Dials that ring for each agent who is there; null: nobody is. */
export const dialsPerAgent = (c: CampaignLive | undefined): number | null => (c?.agents ? (c.ringing ?? 0) / c.agents : null)

/* ---- charts ---- */

export interface Pacing { from: number; to: number; at: number[]; abandoned: number[]; allowed: number[]; price: (number | null)[]; dialled: number[]; answered: number[] }
/** The day's slots from the first dial to now; each point stands at its slot's end, the last one at now. The axis is one slot long at least. */
export function pacingOf(sheet: DaySheet['sheet'], nowMs: number): Pacing {
	const out: Pacing = { from: 0, to: 0, at: [], abandoned: [], allowed: [], price: [], dialled: [], answered: [] }
	const first = sheet.slots.findIndex(s => s.dialled || s.answered)
	if (first < 0)
		return out
	out.from = sheet.from_ms + first * sheet.slot_ms
	for (let i = first; i < sheet.slots.length; i++) {
		const s = sheet.slots[i]!
		const from = sheet.from_ms + i * sheet.slot_ms
		if (from > nowMs)
			break
		out.at.push(Math.min(from + sheet.slot_ms, nowMs))
		out.abandoned.push(s.abandoned_sum)
		out.allowed.push(s.allowed_milli / 1000)
		out.price.push(s.price_ppm ? s.price_ppm / 1e4 : null)
		out.dialled.push(s.dialled)
		out.answered.push(s.answered)
	}
	out.to = Math.max(out.from + sheet.slot_ms, out.at.at(-1) ?? 0)
	return out
}

export interface LivePoint { atMs: number; ringing: number; talking: number; idle: number; perAgent: number }
export const LIVE_KEEP_MS = 900_000
export const addLive = (points: readonly LivePoint[], p: LivePoint): LivePoint[] => [...points.filter(x => x.atMs > p.atMs - LIVE_KEEP_MS && x.atMs < p.atMs), p]

/* The order in which results of dials are shown, as the server's DIAL_RESULTS. */
export const RESULTS = ['answered', 'abandoned', 'noanswer', 'busy', 'rejected', 'off', 'unreachable', 'assistant', 'empty', 'suspended', 'failed', 'unknown'] as const
export interface HealthRow { nth: number; more: boolean; total: number; n: Record<string, number>; reached: number }
const LAST_NTH = 6
/** List health: a row an attempt, the sixth and later ones together; results that occur, and how many were answered of those dialled. */
export function healthOf(attempts: Progress['attempts']): { results: string[]; rows: HealthRow[] } {
	const rows = new Map<number, HealthRow>()
	const seen = new Set<string>()
	for (const a of attempts) {
		const nth = Math.min(a.nth, LAST_NTH)
		const r = rows.get(nth) ?? { nth, more: false, total: 0, n: {}, reached: 0 }
		r.more ||= a.nth > LAST_NTH
		r.total += a.n
		r.n[a.result] = (r.n[a.result] ?? 0) + a.n
		rows.set(nth, r)
		seen.add(a.result)
	}
	for (const r of rows.values())
		r.reached = r.total ? ((r.n.answered ?? 0) + (r.n.abandoned ?? 0)) / r.total : 0
	const known: string[] = RESULTS.filter(x => seen.has(x))
	return { results: [...known, ...[...seen].filter(x => !known.includes(x)).sort()], rows: [...rows.values()].sort((a, b) => a.nth - b.nth) }
}
/** All dials by result, most first. */
export function dialResults(attempts: Progress['attempts']): { code: string; n: number }[] {
	const sum: Record<string, number> = {}
	for (const a of attempts)
		sum[a.result] = (sum[a.result] ?? 0) + a.n
	return byCount(sum)
}
export const byCount = (counts: Record<string, number>): { code: string; n: number }[] =>
	Object.entries(counts).filter(([, n]) => n > 0).map(([code, n]) => ({ code, n })).sort((a, b) => b.n - a.n || a.code.localeCompare(b.code))

export interface FunnelStep { key: 'leads' | 'dialled' | 'reached' | 'noted' | 'visits' | 'deals'; n: number; share: number; of: number | null }
/** 名单 → 拨过 → 接通 → 有结果 → 来访 → 成单; null: one may not see those. */
export function funnelOf(p: Pick<Progress, 'leads' | 'attempts' | 'all' | 'results'>, visits: number | null, deals: number | null): FunnelStep[] {
	const total = leadsOf(p.leads).total
	const first = p.attempts.filter(a => a.nth === 1).reduce((n, a) => n + a.n, 0)
	const dialled = Math.min(total, first) /* who was recycled had two first ones, who was called back two answers */
	const all: [FunnelStep['key'], number | null][] = [
		['leads', total], ['dialled', dialled], ['reached', Math.min(dialled, p.all.answered)],
		['noted', p.results.reduce((n, r) => n + r.n, 0)], ['visits', visits], ['deals', deals],
	]
	const steps = all.filter((x): x is [FunnelStep['key'], number] => x[1] !== null)
	const most = Math.max(1, ...steps.map(x => x[1]))
	return steps.map(([key, n], i) => ({ key, n, share: n / most, of: i && steps[i - 1]![1] ? n / steps[i - 1]![1] : null }))
}

/* ---- the wizard ---- */

export const STEPS = ['about', 'customers', 'people', 'script', 'rules'] as const
export type StepName = (typeof STEPS)[number]
/* Which step a field of the row, or what a start lacks, stands in. */
const STEP_OF: Record<string, StepName> = {
	name: 'about', mode: 'about', basis: 'about', basis_text: 'about', note: 'about', limit_permille: 'about', wait_ms: 'about', preview_s: 'about',
	leads: 'customers', count: 'customers', filters: 'customers', q: 'customers', ids: 'customers', source: 'customers',
	agents: 'people', teams: 'people', owner_id: 'people', team_id: 'people', user_id: 'people', share: 'people',
	script: 'script', template_id: 'script', results: 'script',
}
export const stepOf = (field: string): StepName => STEP_OF[field] ?? 'rules'
/** The first step, in their order, that has something wrong. */
export const firstWrong = (wrong: Record<string, string>): StepName | null => STEPS.find(s => Object.keys(wrong).some(f => wrong[f] && stepOf(f) === s)) ?? null

export const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri'] as const
export const HOURS = ['09:00-12:00,13:30-20:00', '09:00-18:00', '09:00-21:00'] as const

const WIDE: Record<string, string> = { '：': ':', '，': ',', '、': ',', '；': ',', ';': ',', '～': '-', '~': '-', '—': '-', '–': '-', '－': '-', '至': '-' }
/** As the server reads hours (guard.h), roughly: it says no where the server would, so that the field is told at once. */
export function hoursRight(text: string): boolean {
	const parts = text.replace(/[：，、；;～~—–－至]/g, c => WIDE[c]!).replace(/\s/g, '').split(',').filter(Boolean)
	const spans: [number, number][] = []
	for (const p of parts) {
		const m = /^(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?$/.exec(p)
		if (!m)
			return false
		const [from, to] = [Number(m[1]) * 60 + Number(m[2] ?? 0), Number(m[3]) * 60 + Number(m[4] ?? 0)]
		if (from >= to || to > 1440 || Number(m[2] ?? 0) > 59 || Number(m[4] ?? 0) > 59)
			return false
		spans.push([from, to])
	}
	spans.sort((a, b) => a[0] - b[0])
	return spans.length <= 8 && spans.every((s, i) => !i || s[0] >= spans[i - 1]![1])
}

/** Rows of a campaign's agents, teams or numbers: what is to be written so that they are as wanted. */
export interface Held { id: string; rev: number; key: string; share?: number }
export interface Wanted { key: string; share?: number }
export function membersDiff(have: readonly Held[], want: readonly Wanted[]): { add: Wanted[]; change: (Held & { to: number })[]; remove: Held[] } {
	const wanted = new Map(want.map(w => [w.key, w]))
	return {
		add: want.filter(w => !have.some(h => h.key === w.key)),
		change: have.flatMap(h => {
			const to = wanted.get(h.key)?.share
			return to !== undefined && h.share !== undefined && to !== h.share ? [{ ...h, to }] : []
		}),
		remove: have.filter(h => !wanted.has(h.key)),
	}
}

/** How far a change of many leads is, 0 to 1. */
export const jobPart = (j: Job | null): number => (!j ? 0 : !j.running ? 1 : j.total ? Math.min(1, j.done / j.total) : 0)

export const HEALTH_DIALS = 50 /* SHOWN_REST_DIALS: fewer say nothing */
/** Two and three standard deviations from what the others had at the same hours. */
export function verdictOf(x: Pick<NumberHealth, 'dials' | 'compared' | 'z'>): 'few' | 'bad' | 'low' | 'good' | 'high' {
	return !x.compared || x.dials < HEALTH_DIALS ? 'few' : x.z < -3 ? 'bad' : x.z < -2 ? 'low' : x.z > 2 ? 'high' : 'good'
}
