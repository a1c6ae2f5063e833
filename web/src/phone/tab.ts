/*
 * Of all tabs of one log-in, one holds the telephone. Web Locks give that for nothing: the lock goes to the next tab
 * when its holder closes or crashes, and "steal" takes it over. Pages on plain http have no locks; there the tabs ask
 * each other over a channel, and only a button takes over.
 *
 *   waiting --granted--> held --stolen--> lost --take()--> held
 */
export type TabState = 'waiting' | 'held' | 'lost'

export interface TabOptions {
	name: string
	onState: (s: TabState) => void
	locks?: LockManager
	channel?: () => BroadcastChannel
	answerMs?: number
}

export interface TabHold { take(): void; leave(): void }

export function holdTab(o: TabOptions): TabHold {
	return o.locks ? withLocks(o, o.locks) : withChannel(o)
}

function withLocks(o: TabOptions, locks: LockManager): TabHold {
	let release: (() => void) | null = null
	let left = false
	const ask = (steal: boolean) => {
		const options: LockOptions = steal ? { steal: true } : {}
		locks.request(o.name, options, () => {
			if (left)
				return
			o.onState('held')
			return new Promise<void>(done => (release = done))
		}).catch(() => {
			release = null
			if (!left)
				o.onState('lost')
		})
	}
	o.onState('waiting')
	ask(false)
	return {
		take: () => ask(true),
		leave: () => {
			left = true
			release?.()
		},
	}
}

function withChannel(o: TabOptions): TabHold {
	const me = Math.random().toString(36).slice(2)
	const ch = o.channel ? o.channel() : new BroadcastChannel(o.name)
	let held = false
	let timer: ReturnType<typeof setTimeout> | undefined
	const say = (what: string) => ch.postMessage({ what, who: me })
	const hold = () => {
		clearTimeout(timer)
		held = true
		o.onState('held')
	}
	ch.onmessage = (e: MessageEvent<{ what: string; who: string }>) => {
		const { what } = e.data
		if (what === 'ask' && held) {
			say('held')
		} else if (what === 'held') {
			clearTimeout(timer)
		} else if (what === 'steal' && held) {
			held = false
			o.onState('lost')
		} else if (what === 'free' && !held) {
			// All waiting tabs hear it; the first to claim wins, the others hear "held".
			timer = setTimeout(claim, Math.random() * 100)
		}
	}
	const claim = () => {
		say('ask')
		timer = setTimeout(hold, o.answerMs ?? 250)
	}
	o.onState('waiting')
	claim()
	return {
		take: () => {
			say('steal')
			hold()
		},
		leave: () => {
			clearTimeout(timer)
			if (held)
				say('free')
			held = false
			ch.close()
		},
	}
}
