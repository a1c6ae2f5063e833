import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/client'
import { summary } from '@/fault/browser'
import { blank, line, Ring } from '@/fault/log'
import { fitted, Queue, worthWaiting, type Report } from '@/fault/queue'

describe('secrets do not get into the page’s log', () => {
	const cases: [string, string][] = [
		['a\r\nAuthorization: Digest username="8001", response="5ec2e7"\r\nTo: x', 'a\r\nAuthorization: ***\r\nTo: x'],
		['Proxy-Authorization: Digest a="5ec2e7",\r\n  response="5ec2e7"\r\nTo: x', 'Proxy-Authorization: ***\r\nTo: x'],
		['WWW-Authenticate: Digest nonce="5ec2e7"', 'WWW-Authenticate: ***'],
		['Identity: 5ec2e7\ny: 5ec2e7', 'Identity: ***\ny: ***'],
		['a=crypto:1 AES inline:5ec2e7|2^20 X', 'a=crypto:1 AES inline:*** X'],
		['a=ice-pwd:5ec2e7\r\nk=clear:5ec2e7', 'a=ice-pwd:***\r\nk=***'],
		['<sip:bob:5ec2e7@h>', '<sip:bob:***@h>'],
		['{"password":"5ec\\"2e7","csrf":"5ec2e7","a":1}', '{"password":***,"csrf":***,"a":1}'],
		['password: 5ec2e7, x', 'password: ***, x'],
		['Signal=5\r\nDuration=160', 'Signal=***\r\nDuration=160'],
	]
	it.each(cases)('%s', (from, to) => expect(blank(from)).toBe(to))
	it('and what is none stays', () => {
		const t = 'INVITE sip:bob@10.0.0.1:5060 SIP/2.0\r\nFrom: <sip:a@h:5060>;tag=1'
		expect(blank(t)).toBe(t)
	})
})

describe('the log', () => {
	it('leaves colours out and takes errors apart', () => {
		expect(line(['%cJsSIP:UA %cup', 'color: red', 'color: blue', 7])).toBe('JsSIP:UA up 7')
		expect(line([new TypeError('no')])).toMatch(/^TypeError: no/)
	})
	it('holds the last ones, and gives as many of the newest as fit', () => {
		const r = new Ring(3)
		for (let i = 0; i < 5; i++)
			r.add('info', [`entry ${i}`], 0)
		expect(r.last(1e6).map(e => e.text)).toEqual(['entry 2', 'entry 3', 'entry 4'])
		expect(r.last(90).map(e => e.text)).toEqual(['entry 3', 'entry 4'])
	})
})

const report = (more: Partial<Report> = {}): Report => ({ text: 'x', summary: '', happened_ms: 1, details: { log: [], browser: 'b' }, ...more })

describe('a report', () => {
	it('is cut until it fits, the oldest of the log first', () => {
		const log = Array.from({ length: 200 }, (_, i) => ({ at: i, kind: 'info', text: '字'.repeat(100) }))
		const r = fitted(report({ details: { log, browser: 'b' } }), 20_000)
		const kept = r.details.log as { at: number }[]
		expect(new TextEncoder().encode(JSON.stringify(r)).length).toBeLessThanOrEqual(20_000)
		expect(kept.length).toBeGreaterThan(10)
		expect(kept.at(-1)!.at).toBe(199)
		expect(fitted(report({ details: { browser: 'b', stats: 'y'.repeat(30_000) } }), 20_000).details).toMatchObject({ browser: 'b', cut: true })
	})
	it('waits when the server is away, and goes later, in order', async () => {
		const kept = new Map<string, string>()
		const store = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) }
		const sent: number[] = []
		let away = true
		const q = new Queue(async r => {
			if (away)
				throw new ApiError(0, 'no_answer', '')
			sent.push(r.happened_ms)
		}, store)
		for (const n of [1, 2, 3, 4])
			expect(await q.report('7', report({ happened_ms: n }))).toBe(false)
		expect(q.waiting('7')).toHaveLength(3) // the oldest gives way
		expect(q.waiting('8')).toHaveLength(0)
		expect(await q.flush('7')).toBe(0)
		away = false
		expect(await q.flush('7')).toBe(3)
		expect(sent).toEqual([2, 3, 4])
		expect(q.waiting('7')).toHaveLength(0)
	})
	it('that is refused for good does not wait', async () => {
		expect([0, 429, 503, 422, 413, 403].map(s => worthWaiting(new ApiError(s, '', '')))).toEqual([true, true, true, false, false, false])
		const q = new Queue(() => Promise.reject(new ApiError(422, 'invalid', 'no')), { getItem: () => null, setItem: () => {} })
		await expect(q.report('7', report())).rejects.toThrow('no')
	})
})

it('a browser in few words', () => {
	expect(summary('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36')).toBe('Chrome 140 · Linux')
	expect(summary('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0')).toBe('Edge 140 · Windows NT 10.0')
})
