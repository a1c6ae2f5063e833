/* What an alarm and a trunk's state are in words. Kinds that are not known here (a newer server) show the server's own words. */
import type { Alarm, TrunkStatus } from '@/api/types'

type T = (key: string, named?: Record<string, unknown>) => string
type Has = (key: string) => boolean

/** "register_refused 403 Forbidden" */
function inDetail(detail: string, t: T, te: Has): string {
	const [code = '', ...rest] = detail.split(' ')
	const said = rest.join(' ').trim()
	return te(`trunk.why.${code}`) ? t(`trunk.why.${code}`) + (said ? ` (${said})` : '') : detail
}

export function alarmText(a: Alarm, t: T, te: Has): string {
	const known = te(`alarm.${a.what}`)
	const detail = inDetail(a.detail, t, te)
	if (a.what === 'list_dry' && !Number(a.detail))
		return t('alarm.list_dry_now', { name: a.name })
	if (!known)
		return [a.name, detail || a.what].filter(Boolean).join(': ')
	return t(`alarm.${a.what}`, { name: a.name, detail })
}

export const alarmKey = (a: { what: string; object?: string | null }) => `${a.what}/${a.object ?? ''}`

/** The look of a trunk's state: the classes of .pill. */
export const trunkPill: Record<TrunkStatus['state'], string> = { up: 'good', degraded: 'fair', down: 'bad', unknown: '' }

/** Why it is as it is, with the carrier's answer: "the carrier refuses our registration (403 Forbidden)". */
export function trunkWhy(s: TrunkStatus, t: T): string {
	const why = s.why ? t(`trunk.why.${s.why}`) : ''
	const said = [s.code || '', s.reason].filter(Boolean).join(' ')
	return why && said ? `${why} (${said})` : why || said
}
