/* Why no customer comes, as one true line: what keeps this agent first, then what the project says. Pure: words are dialWords.ts's. */
import type { Agent, CampaignLive, DeskCampaign } from '@/api/types'

/** @key: below dial.why, or dial.trunk.x; @at: a time to be put in as t. */
export interface WhyLine { key: string; tone: 'go' | 'wait' | 'stop'; n?: number; at?: number; now?: string; limit?: string }

const GOES = new Set(['dialling', 'asking', 'connecting'])
const STOPS = new Set(['paused', 'stopping', 'no_members', 'nobody', 'empty', 'state', 'slow'])
const TRUNK = new Set(['rate', 'suspect', 'inbound', 'barred', 'down', 'resting', 'full'])
const one = (x: number) => (Math.round(x * 10) / 10).toString()

/** What keeps him, whatever the project does; null: nothing. */
function own(me: Agent | null, takesPart: boolean): WhyLine | null {
	if (!takesPart)
		return { key: 'why.away', tone: 'wait' }
	if (!me || me.state === 'offline')
		return { key: 'why.offline', tone: 'stop' }
	if (!me.device_up)
		return { key: 'why.device', tone: 'stop' }
	if (me.state === 'break' || me.state === 'noanswer')
		return { key: 'why.break', tone: 'wait' }
	if (me.state === 'wrapup')
		return { key: 'why.wrapup', tone: 'wait' }
	return me.state === 'talking' || me.state === 'ringing' ? { key: 'why.call', tone: 'go' } : null
}

export function whyLine(me: Agent | null, c: Pick<DeskCampaign, 'state' | 'takes_part' | 'next_ms' | 'next_n'>, live: CampaignLive | undefined): WhyLine {
	if (c.state === 'paused')
		return { key: 'why.paused', tone: 'stop' }
	const mine = own(me, c.takes_part)
	if (mine)
		return mine
	const why = live?.why
	if (!live || !why)
		return { key: 'why.unknown', tone: 'wait' }
	const tone = GOES.has(why) ? 'go' : STOPS.has(why) ? 'stop' : 'wait'
	switch (why) {
	case 'dialling': return live.n ? { key: 'why.dialling', tone, n: live.n } : { key: 'why.dialling_0', tone }
	case 'more': return { key: 'why.asking', tone: 'go' }
	case 'state': return { key: 'why.ended', tone }
	case 'trunk': return { key: `trunk.${live.trunk && TRUNK.has(live.trunk) ? live.trunk : '_'}`, tone: 'stop' }
	case 'later': return c.next_n && c.next_ms ? { key: 'why.later', tone, n: c.next_n, at: c.next_ms } : { key: 'why.later_0', tone, at: live.at }
	case 'hours': case 'guard': return live.at ? { key: `why.${why}`, tone, at: live.at } : { key: `why.${why}_0`, tone }
	case 'pacing': return live.answered ? { key: 'why.pacing', tone, now: one(100 * (live.abandoned ?? 0) / live.answered), limit: one((live.limit ?? 0) / 10) } : { key: 'why.pacing_0', tone }
	case 'slow': case 'lines': return { key: `why.${why}`, tone, n: live.n ?? 0 }
	case 'paused': case 'stopping': case 'no_members': case 'nobody': case 'busy': case 'asking': case 'connecting': case 'empty': case 'resting': return { key: `why.${why}`, tone }
	}
	return { key: 'why.unknown', tone: 'wait' }
}

type Translate = (key: string, named: Record<string, unknown>) => string
const pad = (n: number) => String(n).padStart(2, '0')

/** 14:05 of today, "tomorrow 09:00", else with month and day. @t knows dial.tomorrow. */
export function when(ms: number, nowMs: number, t: Translate): string {
	const d = new Date(ms)
	const time = `${pad(d.getHours())}:${pad(d.getMinutes())}`
	const next = new Date(nowMs)
	if (d.toDateString() === next.toDateString())
		return time
	next.setDate(next.getDate() + 1)
	return d.toDateString() === next.toDateString() ? t('dial.tomorrow', { t: time }) : `${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${time}`
}

/** "今天 10:32", "昨天 16:00", else the day. */
export function whenBefore(ms: number, nowMs: number, t: Translate): string {
	const d = new Date(ms)
	const time = `${pad(d.getHours())}:${pad(d.getMinutes())}`
	const before = new Date(nowMs)
	if (d.toDateString() === before.toDateString())
		return t('dial.today', { t: time })
	before.setDate(before.getDate() - 1)
	return d.toDateString() === before.toDateString() ? t('dial.yesterday', { t: time }) : `${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${time}`
}
