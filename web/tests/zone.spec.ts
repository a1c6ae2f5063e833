import { describe, expect, it } from 'vitest'
import { dayMs, fieldMs, momentIn, utcMs, wallMs } from '../src/zone'

const at = (text: string) => Date.parse(text)

/* Expected: `TZ=... date -d @...` of GNU coreutils. */
describe('the centre\'s zone', () => {
	it('has its own clock', () => {
		expect(new Date(wallMs('Asia/Shanghai', at('2026-11-23T16:30:05.250Z'))).toISOString()).toBe('2026-11-24T00:30:05.250Z')
		expect(new Date(wallMs('America/New_York', at('2026-07-01T03:00:00Z'))).toISOString()).toBe('2026-06-30T23:00:00.000Z')
		expect(wallMs('Nowhere/Land', 5)).toBe(5)
	})
	it('says when its day begins', () => {
		expect(dayMs('Asia/Shanghai', at('2026-11-23T16:30:00Z'))).toBe(at('2026-11-23T16:00:00Z'))
		expect(dayMs('Asia/Shanghai', at('2026-11-23T15:59:59Z'), -6)).toBe(at('2026-11-16T16:00:00Z'))
		/* Clocks went back on 2026-11-01 at 06:00 UTC: that day has 25 hours. */
		expect(dayMs('America/New_York', at('2026-11-02T12:00:00Z'))).toBe(at('2026-11-02T05:00:00Z'))
		expect(dayMs('America/New_York', at('2026-11-02T12:00:00Z'), -1)).toBe(at('2026-11-01T04:00:00Z'))
	})
	it('reads what a field holds', () => {
		expect(fieldMs('Asia/Shanghai', '2026-11-23T09:30')).toBe(at('2026-11-23T01:30:00Z'))
		expect(fieldMs('America/New_York', '2026-03-08T03:30')).toBe(at('2026-03-08T07:30:00Z'))
		expect(fieldMs('Asia/Shanghai', '')).toBe(null)
		expect(utcMs('Asia/Shanghai', wallMs('Asia/Shanghai', 1))).toBe(1)
	})
	it('writes a moment', () => {
		const now = at('2026-11-23T16:30:00Z')
		expect(momentIn('Asia/Shanghai', now, now)).toBe('00:30:00')
		expect(momentIn('Asia/Shanghai', at('2026-11-23T15:30:00Z'), now)).toBe('11-23 23:30:00')
		expect(momentIn('Asia/Shanghai', at('2025-12-31T15:59:59Z'), now)).toBe('2025-12-31 23:59:59')
	})
})
