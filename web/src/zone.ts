/* Days and clocks of the centre's time zone, wherever the browser is. Pure. */

const parts = new Map<string, Intl.DateTimeFormat>()
function format(zone: string): Intl.DateTimeFormat {
	let f = parts.get(zone)
	if (!f)
		parts.set(zone, f = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' }))
	return f
}

/** What the clock on the wall of @zone shows at @ms, as if that were UTC; a zone that the browser does not know is UTC. */
export function wallMs(zone: string, ms: number): number {
	try {
		const p = Object.fromEntries(format(zone).formatToParts(ms).map(x => [x.type, Number(x.value)]))
		return Date.UTC(p.year!, p.month! - 1, p.day, p.hour, p.minute, p.second) + ((ms % 1000) + 1000) % 1000
	} catch {
		return ms
	}
}
/** When the clock shows that. What it shows twice means the later time, what it skips is an hour later or earlier. */
export function utcMs(zone: string, wall: number): number {
	const guess = wall - (wallMs(zone, wall) - wall)
	return wall - (wallMs(zone, guess) - guess)
}
/** When the day begins that lies so many days after today's. */
export function dayMs(zone: string, nowMs: number, days = 0): number {
	const wall = wallMs(zone, nowMs)
	return utcMs(zone, wall - ((wall % 86_400_000) + 86_400_000) % 86_400_000 + days * 86_400_000)
}
/** "2026-11-23T09:30", what a datetime-local field holds, as the time that it means there; null: no such time. */
export function fieldMs(zone: string, text: string): number | null {
	const ms = Date.parse(`${text}Z`)
	return text && Number.isFinite(ms) ? utcMs(zone, ms) : null
}
/** With seconds; the year when it is not this one, the day when it is not today. */
export function momentIn(zone: string, ms: number, nowMs: number): string {
	const text = new Date(wallMs(zone, ms)).toISOString()
	const now = new Date(wallMs(zone, nowMs)).toISOString()
	const time = text.slice(11, 19)
	return text.slice(0, 10) === now.slice(0, 10) ? time : `${text.slice(0, 4) === now.slice(0, 4) ? text.slice(5, 10) : text.slice(0, 10)} ${time}`
}
/** Does the browser's clock show something else than the centre's? */
export const elsewhere = (zone: string, nowMs: number): boolean => Math.abs(wallMs(zone, nowMs) - (nowMs - new Date(nowMs).getTimezoneOffset() * 60_000)) >= 60_000
