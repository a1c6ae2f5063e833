import { describe, expect, it, vi } from 'vitest'
import { EventParser, EventStream, type ServerEvent, type StreamState } from '@/live/sse'

describe('EventParser', () => {
	it('reads events in any pieces', () => {
		const p = new EventParser()
		const text = 'id: 1.7\nevent: agent\ndata: {"a":1}\n\n: beat\n\nid: 1.8\r\ndata: x\r\ndata: y\r\n\r\n'
		const got = [...text].flatMap(c => p.feed(c))
		expect(got).toEqual([{ id: '1.7', event: 'agent', data: '{"a":1}' }, { id: '1.8', event: 'message', data: 'x\ny' }])
	})
	it('keeps the last id for an event without one, as the standard says', () => {
		expect(new EventParser().feed('id: 5\ndata: a\n\ndata: b\n\n').map(e => e.id)).toEqual(['5', '5'])
	})
	it('gives nothing for an event without data', () => {
		expect(new EventParser().feed('event: x\n\n')).toEqual([])
	})
	it('keeps characters of several bytes whole when the decoder streams', () => {
		expect(new EventParser().feed('data: 话务\n\n')[0]!.data).toBe('话务')
	})
})

function body(chunks: string[], end: boolean): ReadableStream<Uint8Array> {
	const enc = new TextEncoder()
	return new ReadableStream({
		start(c) {
			chunks.forEach(x => c.enqueue(enc.encode(x)))
			if (end)
				c.close()
		},
	})
}

describe('EventStream', () => {
	it('resumes with the last id after the line broke', async () => {
		vi.useFakeTimers()
		const asked: (string | undefined)[] = []
		const events: ServerEvent[] = []
		const fetchMock = vi.fn(async (_u: unknown, o?: RequestInit) => {
			asked.push((o?.headers as Record<string, string>)['Last-Event-ID'])
			return new Response(body(['id: 3.9\nevent: queue\ndata: {}\n\n'], asked.length === 1))
		})
		const s = new EventStream({ url: '/e', onEvent: e => events.push(e), onState: () => {}, onRefused: () => {}, fetch: fetchMock as never, random: () => 0 })
		s.start()
		await vi.advanceTimersByTimeAsync(2000)
		expect(asked).toEqual([undefined, '3.9'])
		expect(events.length).toBe(2)
		s.stop()
		vi.useRealTimers()
	})
	it('asks without the id after a reset', async () => {
		vi.useFakeTimers()
		const asked: (string | undefined)[] = []
		const fetchMock = vi.fn(async (_u: unknown, o?: RequestInit) => {
			asked.push((o?.headers as Record<string, string>)['Last-Event-ID'])
			return new Response(body(['id: 3.9\ndata: {}\n\n'], false))
		})
		const s = new EventStream({ url: '/e', onEvent: () => {}, onState: () => {}, onRefused: () => {}, fetch: fetchMock as never })
		s.start()
		await vi.advanceTimersByTimeAsync(10)
		s.reset()
		await vi.advanceTimersByTimeAsync(10)
		expect(asked).toEqual([undefined, undefined])
		s.stop()
		vi.useRealTimers()
	})
	it('stops when nobody is logged in', async () => {
		const states: StreamState[] = []
		const refused = vi.fn()
		new EventStream({ url: '/e', onEvent: () => {}, onState: st => states.push(st), onRefused: refused, fetch: (async () => new Response('', { status: 401 })) as never }).start()
		await vi.waitFor(() => expect(refused).toHaveBeenCalled())
		expect(states.at(-1)).toBe('stopped')
	})
	it('waits longer after each failure and cuts a silent line', async () => {
		vi.useFakeTimers()
		const waits: number[] = []
		let calls = 0
		const s = new EventStream({
			url: '/e', silenceMs: 1000, random: () => 0.5, onEvent: () => {}, onRefused: () => {},
			onState: (st, ms) => st === 'waiting' && waits.push(ms),
			fetch: ((_u: unknown, o: RequestInit) => {
				calls++
				return new Promise((_ok, fail) => o.signal!.addEventListener('abort', () => fail(new Error('cut'))))
			}) as never,
		})
		s.start()
		await vi.advanceTimersByTimeAsync(8000)
		expect(calls).toBeGreaterThan(2)
		expect(waits.slice(0, 3)).toEqual([500, 1000, 2000])
		s.stop()
		vi.useRealTimers()
	})
})
