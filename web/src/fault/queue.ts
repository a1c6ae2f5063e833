/* Reports that the server could not take wait in the page, over reloads too, and go when it can be reached. */
import { ApiError } from '@/api/client'

export interface Report { text: string; summary: string; happened_ms: number; call_id?: string; details: Record<string, unknown> }
interface Waiting { user: string; report: Report }

const KEY = 'huawu.faults'
const MAX = 3
const SIZE_MAX = 90_000

/** The server's limit is in bytes: the log gives way first, then all but the facts of browser and telephone. */
export function fitted(r: Report, max = SIZE_MAX): Report {
	const size = (x: Report) => new TextEncoder().encode(JSON.stringify(x)).length
	let out = r
	for (let log = (r.details.log as unknown[] | undefined) ?? []; size(out) > max && log.length;) {
		log = log.slice(Math.ceil(log.length / 4))
		out = { ...out, details: { ...out.details, log } }
	}
	if (size(out) > max) {
		const { browser, network, permissions, phone, desk } = r.details
		out = { ...out, details: { browser, network, permissions, phone, desk, cut: true } }
	}
	return out
}

/** Worth another try: nobody answered, the server is busy, or we were too quick. A refusal for good is not. */
export const worthWaiting = (e: unknown): boolean => e instanceof ApiError && (e.status === 0 || e.status === 429 || e.status >= 500)

export class Queue {
	constructor(private readonly send: (r: Report) => Promise<unknown>, private readonly store: Pick<Storage, 'getItem' | 'setItem'> = localStorage) {}

	private load(): Waiting[] {
		try {
			const all: unknown = JSON.parse(this.store.getItem(KEY) ?? '[]')
			return Array.isArray(all) ? all as Waiting[] : []
		} catch {
			return []
		}
	}
	private save(all: Waiting[]) {
		try {
			this.store.setItem(KEY, JSON.stringify(all.slice(-MAX)))
		} catch {
			/* no room: what was just sent is lost with this page */
		}
	}
	waiting(user: string): Report[] {
		return this.load().filter(w => w.user === user).map(w => w.report)
	}
	/** true: received. false: it waits. Throws when the server refuses it for good. */
	async report(user: string, r: Report): Promise<boolean> {
		try {
			await this.send(r)
			return true
		} catch (e) {
			if (!worthWaiting(e))
				throw e
			this.save([...this.load(), { user, report: r }])
			return false
		}
	}
	/** Tries what waits, oldest first; stops at the first that still cannot go. Answers how many went. */
	async flush(user: string): Promise<number> {
		let sent = 0
		for (const r of this.waiting(user)) {
			try {
				await this.send(r)
				sent++
			} catch (e) {
				if (worthWaiting(e))
					break
			}
			this.save(this.load().filter(w => w.user !== user || w.report.happened_ms !== r.happened_ms))
		}
		return sent
	}
}
