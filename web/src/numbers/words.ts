/* A carrier's answer in words: a key of the texts, and what goes into it. */
import type { TestStep } from '@/api/types'

export interface Words { key: string; code: number; q850: number; reason: string }

export function words(s: TestStep): Words {
	const w = { code: s.code, q850: s.q850 ?? 0, reason: s.reason ?? '' }
	if (s.sent)
		return { key: 'sent', ...w }
	if (s.by === 'local')
		return { key: 'by_us', ...w }
	if (s.by === 'timeout')
		return { key: 'timeout', ...w }
	if (s.by && s.code < 300)
		return { key: 'hung_up', ...w }
	if (s.by)
		return { key: 'refused', ...w }
	if (s.code === 183 || s.code === 180)
		return { key: s.early ? 'early' : 'ringing', ...w }
	return { key: s.code === 200 ? 'answered' : s.code === 100 ? 'trying' : 'progress', ...w }
}

type T = (key: string, values?: Record<string, unknown>) => string

/** "user busy (486 Busy Here, Q.850 17 …)" */
export function say(w: Words, t: T, te: (key: string) => boolean): string {
	const parts: string[] = []
	if (w.key === 'refused' && te(`numbers.status.${w.code}`))
		parts.push(t(`numbers.status.${w.code}`))
	if (w.q850)
		parts.push(`Q.850 ${w.q850}${te(`numbers.q850.${w.q850}`) ? ` ${t(`numbers.q850.${w.q850}`)}` : ''}`)
	if (w.reason && w.key !== 'by_us')
		parts.push(w.reason)
	const text = t(`numbers.say.${w.key}`)
	return parts.length ? `${text} · ${parts.join(' · ')}` : text
}
