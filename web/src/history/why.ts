/*
 * A routing decision in words. Two sides: a call looked among the agents who were free (longest idle of the lowest
 * level wins), or an agent became free and looked among the calls that waited (highest priority, then longest wait).
 * A known caller goes to the owner of the customer first, or to the owner's team: nobody else was asked then.
 */
import type { OwnerStep } from '@/api/types'

export interface BestAgent { agent: string; name?: string; level: number; idle_ms: number }
export interface BestCall { call: string; queue: string; priority: number; waited_ms: number }
export interface Why {
	side: 'agents' | 'calls' | 'owner' | 'team'
	first_ms?: number
	winner: string
	runner_up?: string
	best: (BestAgent | BestCall)[]
	members: Record<string, number>
	refused: number
	waiting?: number
}

export interface WhyWords {
	lead: string
	second: string
	agents: BestAgent[]
	calls: BestCall[]
	others: string
}

type T = (key: string, named?: Record<string, unknown>) => string
type Span = (ms: number) => string

/** Anything unexpected gives null; the page then shows the decision as it was noted. */
export function parseWhy(raw: unknown): Why | null {
	const w = raw as Partial<Why> | null
	if (w?.side === 'owner' && w.winner)
		return { side: 'owner', winner: String(w.winner), first_ms: w.first_ms ?? 0, best: [], members: {}, refused: 0 }
	if (!w || !['agents', 'calls', 'team'].includes(w.side ?? '') || !Array.isArray(w.best) || !w.best.length)
		return null
	return { side: w.side!, winner: String(w.winner ?? ''), runner_up: w.runner_up, best: w.best, members: w.members ?? {}, refused: w.refused ?? 0, waiting: w.waiting }
}

/** Why the others were not asked. Those in "best" are themselves counted as ready. */
function othersOf(w: Why): { code: string; n: number }[] {
	const rows = Object.entries(w.members)
		.filter(([code]) => code !== 'ready')
		.map(([code, n]) => ({ code, n }))
	if (w.side === 'agents') {
		rows.push({ code: 'refused', n: w.refused })
		rows.push({ code: 'later', n: Math.max(0, (w.members.ready ?? 0) - w.best.length - w.refused) })
	}
	return rows.filter(r => r.n > 0).sort((a, b) => b.n - a.n)
}

/** "The other 8: 3 signed out, 5 in a call." Empty when there were no others. */
function othersSaid(w: Why, t: T): string {
	const others = othersOf(w)
	const list = others.map(o => t(`why.reason.${o.code}`, { n: o.n })).join(t('why.comma'))
	return list && t('why.others', { n: others.reduce((sum, o) => sum + o.n, 0), list })
}

export function explain(w: Why, nameOf: (id: string) => string, t: T, span: Span): WhyWords {
	if (w.side === 'owner')
		return { lead: t('why.lead_owner', { name: nameOf(w.winner), first: span(w.first_ms ?? 0) }), second: '', agents: [], calls: [], others: '' }
	if (w.side === 'calls')
		return explainCalls(w, nameOf, t, span)
	const words = explainAgents(w, nameOf, t, span)
	return w.side === 'team' ? { ...words, others: t('why.team_only') } : words
}

/** What came before the queue, one sentence a step: "owner 张三 first for 20 s: no answer → queue". */
export function ownerWords(s: OwnerStep, t: T, span: Span): string {
	const name = s.owner ?? (s.owner_id ? t('why.colleague', { id: s.owner_id.slice(-4) }) : '')
	const why = t(`why.owner_why.${s.why}`)
	if (s.to === 'wait')
		return t('why.owner_wait', { name, why, most: span(s.until_ms - s.at_ms) })
	if (s.to === 'team')
		return t(s.why === 'none' ? 'why.owner_none' : 'why.owner_gone', { name, team: s.team ?? '', first: span(s.first_ms) })
	if (s.why === 'late')
		return t('why.owner_late')
	if (s.why === 'team')
		return t('why.owner_team_over', { team: s.team ?? '' })
	return t('why.owner_queue', { name, first: span(s.first_ms), why })
}

function explainAgents(w: Why, nameOf: (id: string) => string, t: T, span: Span): WhyWords {
	const best = w.best as BestAgent[]
	const [a, b] = best
	const name = (x: BestAgent) => x.name ?? nameOf(x.agent)
	let lead = t('why.lead_only', { name: name(a!) })
	let second = ''
	if (b) {
		lead = a!.level === b.level ? t('why.lead_idle', { idle: span(a!.idle_ms) }) : t('why.lead_level', { level: a!.level, idle: span(a!.idle_ms) })
		let diff = t('why.second_same')
		if (a!.level !== b.level)
			diff = t('why.second_level', { level: b.level, first: a!.level })
		else if (a!.idle_ms !== b.idle_ms)
			diff = t('why.second_idle', { idle: span(b.idle_ms), winner: name(a!), less: span(a!.idle_ms - b.idle_ms) })
		second = t('why.second', { name: name(b), diff })
	}
	return { lead, second, agents: best.map(x => ({ ...x, name: name(x) })), calls: [], others: othersSaid(w, t) }
}

function explainCalls(w: Why, _nameOf: (id: string) => string, t: T, span: Span): WhyWords {
	const best = w.best as BestCall[]
	const [a, b] = best
	const lead = b && a!.priority !== b.priority
		? t('why.call_priority', { priority: a!.priority, waited: span(a!.waited_ms) })
		: t(b ? 'why.call_waited' : 'why.call_only', { waited: span(a!.waited_ms) })
	const second = b ? t(a!.priority === b.priority ? 'why.call_second' : 'why.call_second_priority', { waited: span(b.waited_ms), priority: b.priority }) : ''
	return { lead, second, agents: [], calls: best, others: othersSaid(w, t) }
}
