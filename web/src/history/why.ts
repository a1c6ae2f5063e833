/*
 * A routing decision in words. Two sides: a call looked among the agents who were free (longest idle of the lowest
 * level wins), or an agent became free and looked among the calls that waited (highest priority, then longest wait).
 */
export interface BestAgent { agent: string; name?: string; level: number; idle_ms: number }
export interface BestCall { call: string; queue: string; priority: number; waited_ms: number }
export interface Why {
	side: 'agents' | 'calls'
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
	if (!w || (w.side !== 'agents' && w.side !== 'calls') || !Array.isArray(w.best) || !w.best.length)
		return null
	return { side: w.side, winner: String(w.winner ?? ''), runner_up: w.runner_up, best: w.best, members: w.members ?? {}, refused: w.refused ?? 0, waiting: w.waiting }
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
	return w.side === 'agents' ? explainAgents(w, nameOf, t, span) : explainCalls(w, nameOf, t, span)
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
