/* Times, durations and numbers as people read them. */

const pad = (n: number) => String(n).padStart(2, '0')

/** 65,000 → "1:05"; 3,725,000 → "1:02:05". Never negative. */
export function clock(ms: number): string {
	const s = Math.max(0, Math.floor(ms / 1000))
	const h = Math.floor(s / 3600)
	const m = Math.floor(s / 60) % 60
	return h ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`
}

type Translate = (key: string, named: Record<string, unknown>) => string

/** 65,000 → "1 分 5 秒", in the words of @t. */
export function span(ms: number, t: Translate): string {
	const s = Math.max(0, Math.round(ms / 1000))
	if (s < 60)
		return t('time.s', { n: s })
	if (s < 3600)
		return s % 60 ? t('time.ms', { m: Math.floor(s / 60), s: s % 60 }) : t('time.m', { n: s / 60 })
	return t('time.hm', { h: Math.floor(s / 3600), m: Math.floor(s / 60) % 60 })
}

/** Today only the time, else month and day as well; the year when it is another one. */
export function moment(ms: number, nowMs = Date.now()): string {
	const d = new Date(ms)
	const now = new Date(nowMs)
	const time = `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`
	if (d.toDateString() === now.toDateString())
		return time
	const day = `${pad(d.getMonth() + 1)}-${pad(d.getDate())}`
	return d.getFullYear() === now.getFullYear() ? `${day} ${time}` : `${d.getFullYear()}-${day} ${time}`
}

/** A Chinese mobile number in its usual groups; everything else as it is. */
export function phone(number: string | null | undefined): string {
	if (!number)
		return ''
	const m = /^(\+86)?(1\d{2})(\d{4})(\d{4})$/.exec(number)
	return m ? `${m[2]} ${m[3]} ${m[4]}` : number
}

export const percent = (x: number | null | undefined): string => (x === null || x === undefined ? '–' : `${Math.round(x * 100)}%`)
