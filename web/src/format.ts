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

/** Numbers of the mainland as people write them there, mobiles and 400 in their usual groups; everything else as it is. */
export function phone(number: string | null | undefined): string {
	if (!number)
		return ''
	const mobile = /^(\+86)?(1[3-9]\d)(\d{4})(\d{4})$/.exec(number)
	if (mobile)
		return `${mobile[2]} ${mobile[3]} ${mobile[4]}`
	const shared = /^(?:\+86)?([48]00)(\d{3})(\d{4})$/.exec(number)
	if (shared)
		return `${shared[1]}-${shared[2]}-${shared[3]}`
	const fixed = /^\+86(10|2\d|[3-9]\d{2})(\d{3,8})$/.exec(number)
	return fixed ? `0${fixed[1]}-${fixed[2]}` : number
}

export const percent = (x: number | null | undefined): string => (x === null || x === undefined ? '–' : `${Math.round(x * 100)}%`)
