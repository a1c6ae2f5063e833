/*
 * The event stream, read with fetch rather than EventSource: a refusal's status is seen, a silent line is noticed by
 * its missing heartbeat, and the last event's id survives a server restart, so that the stream resumes.
 */
import { backoffMs } from '@/phone/backoff'

export interface ServerEvent { id: string; event: string; data: string }

/** Incremental parser of text/event-stream (WHATWG HTML 9.2.6); feed it any pieces of text. */
export class EventParser {
	private rest = ''
	private id = ''
	private event = ''
	private data: string[] = []

	feed(text: string): ServerEvent[] {
		const out: ServerEvent[] = []
		this.rest += text
		for (;;) {
			const m = /\r\n|\n|\r(?!$)/.exec(this.rest)
			if (!m)
				return out
			const line = this.rest.slice(0, m.index)
			this.rest = this.rest.slice(m.index + m[0].length)
			const done = this.line(line)
			if (done)
				out.push(done)
		}
	}

	private line(line: string): ServerEvent | null {
		if (line === '')
			return this.dispatch()
		if (line.startsWith(':'))
			return null
		const colon = line.indexOf(':')
		const field = colon < 0 ? line : line.slice(0, colon)
		let value = colon < 0 ? '' : line.slice(colon + 1)
		if (value.startsWith(' '))
			value = value.slice(1)
		if (field === 'id')
			this.id = value
		else if (field === 'event')
			this.event = value
		else if (field === 'data')
			this.data.push(value)
		return null
	}

	private dispatch(): ServerEvent | null {
		const { data, event, id } = this
		this.data = []
		this.event = ''
		return data.length ? { id, event: event || 'message', data: data.join('\n') } : null
	}
}

export type StreamState = 'connecting' | 'open' | 'waiting' | 'stopped'

export interface StreamOptions {
	url: string
	onEvent: (e: ServerEvent) => void
	/** @retryMs: when it tries again, in state "waiting" */
	onState: (s: StreamState, retryMs: number) => void
	/** The server says that nobody is logged in; the stream stops. */
	onRefused: () => void
	/** A line without heartbeat for so long is dead. The server beats every 15 s. */
	silenceMs?: number
	fetch?: typeof fetch
	random?: () => number
}

export class EventStream {
	private lastId = ''
	private failures = 0
	private abort: AbortController | null = null
	private timer: ReturnType<typeof setTimeout> | undefined
	private watchdog: ReturnType<typeof setTimeout> | undefined
	private stopped = false

	constructor(private readonly o: StreamOptions) {}

	start() {
		this.stopped = false
		void this.run()
	}

	stop() {
		this.stopped = true
		clearTimeout(this.timer)
		clearTimeout(this.watchdog)
		this.abort?.abort()
		this.o.onState('stopped', 0)
	}

	/** Connects anew, from a fresh snapshot. */
	reset() {
		this.lastId = ''
		this.retryNow()
	}

	/** Tries at once; the browser says that it is online again, or the user asks. */
	retryNow() {
		if (this.stopped)
			return
		clearTimeout(this.timer)
		this.abort?.abort()
		this.failures = 0
		void this.run()
	}

	private async run() {
		const abort = new AbortController()
		this.abort = abort
		this.o.onState('connecting', 0)
		const headers: Record<string, string> = { Accept: 'text/event-stream' }
		if (this.lastId)
			headers['Last-Event-ID'] = this.lastId
		try {
			this.beat(abort)
			const r = await (this.o.fetch ?? fetch)(this.o.url, { headers, signal: abort.signal, cache: 'no-store' })
			if (r.status === 401) {
				this.stop()
				this.o.onRefused()
				return
			}
			if (!r.ok || !r.body)
				throw new Error(`status ${r.status}`)
			await this.read(r.body, abort)
		} catch {
			/* the line broke, or was cut by the watchdog: tried again below */
		}
		clearTimeout(this.watchdog)
		if (this.stopped || this.abort !== abort)
			return
		const wait = backoffMs(this.failures++, this.o.random ?? Math.random)
		this.o.onState('waiting', wait)
		this.timer = setTimeout(() => void this.run(), wait)
	}

	private async read(body: ReadableStream<Uint8Array>, abort: AbortController) {
		const reader = body.getReader()
		const decoder = new TextDecoder()
		const parser = new EventParser()
		this.o.onState('open', 0)
		for (;;) {
			const { done, value } = await reader.read()
			if (done || this.abort !== abort)
				return
			this.beat(abort)
			for (const e of parser.feed(decoder.decode(value, { stream: true }))) {
				this.failures = 0
				if (e.id)
					this.lastId = e.id
				this.o.onEvent(e)
			}
		}
	}

	private beat(abort: AbortController) {
		clearTimeout(this.watchdog)
		this.watchdog = setTimeout(() => abort.abort(), this.o.silenceMs ?? 40_000)
	}
}
