/*
 * A WebSocket as JsSIP wants it, which tries again by itself with our own back-off and says when. JsSIP asks for a new
 * connection one second after each loss; the rest of the wait is spent in connect().
 */
import { backoffMs } from './backoff'

export interface SocketEvents {
	/** @retryMs 0: trying now */
	onWait: (retryMs: number) => void
	/** What must be had before a connection is opened anew; a refusal counts as a failed try. */
	prepare?: () => Promise<void>
}

const JSSIP_WAITS_MS = 1000

export class PatientSocket {
	onconnect: () => void = () => {}
	ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => {}
	ondata: (data: unknown) => void = () => {}
	via_transport: string
	readonly sip_uri: string
	private ws: WebSocket | null = null
	private failures = 0
	private timer: ReturnType<typeof setTimeout> | undefined
	private preparing: object | null = null

	constructor(
		readonly url: string,
		private readonly events: SocketEvents,
		private readonly make: (url: string) => WebSocket = u => new WebSocket(u, 'sip'),
	) {
		const u = new URL(url)
		this.via_transport = u.protocol === 'wss:' ? 'WSS' : 'WS'
		this.sip_uri = `sip:${u.host};transport=ws`
	}

	connect() {
		if (this.ws || this.timer || this.preparing)
			return
		const wait = this.failures ? Math.max(0, backoffMs(this.failures - 1) - JSSIP_WAITS_MS) : 0
		if (!wait)
			return this.open()
		this.events.onWait(wait)
		this.timer = setTimeout(() => this.open(), wait)
	}

	/** Ends the waiting: the network is back, or the user asks. */
	retryNow() {
		if (this.timer)
			this.open()
	}

	disconnect() {
		clearTimeout(this.timer)
		this.timer = undefined
		this.preparing = null
		const ws = this.ws
		this.ws = null
		ws?.close()
	}

	send(message: string | ArrayBufferLike | Blob | ArrayBufferView): boolean {
		if (this.ws?.readyState !== 1)
			return false
		this.ws.send(message as string)
		return true
	}

	isConnected() {
		return this.ws?.readyState === 1
	}

	isConnecting() {
		return this.ws?.readyState === 0 || !!this.timer || !!this.preparing
	}

	private open() {
		clearTimeout(this.timer)
		this.timer = undefined
		this.events.onWait(0)
		if (!this.failures || !this.events.prepare)
			return this.dial()
		const mine = (this.preparing = {})
		const then = (go: () => void) => () => {
			if (this.preparing !== mine)
				return
			this.preparing = null
			go()
		}
		this.events.prepare().then(then(() => this.dial()), then(() => this.failed(true)))
	}

	private failed(error: boolean, code?: number, reason?: string) {
		this.failures++
		this.events.onWait(Math.max(JSSIP_WAITS_MS, backoffMs(this.failures - 1, () => 0.5)))
		this.ondisconnect(error, code, reason)
	}

	private dial() {
		const ws = this.make(this.url)
		this.ws = ws
		ws.binaryType = 'arraybuffer'
		ws.onopen = () => {
			if (this.ws !== ws)
				return
			this.failures = 0
			this.onconnect()
		}
		ws.onmessage = e => this.ws === ws && this.ondata(e.data)
		ws.onclose = e => {
			if (this.ws !== ws)
				return
			this.ws = null
			this.failed(!e.wasClean, e.code, e.reason)
		}
	}
}
