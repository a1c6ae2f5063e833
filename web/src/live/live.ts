/* The live state of the floor as this user may see it, kept by the event stream alone. */
import { defineStore } from 'pinia'
import { reactive, ref } from 'vue'
import { emptyLive, fold } from './fold'
import { EventStream, type StreamState } from './sse'
import type { Agent } from '@/api/types'

export const useLive = defineStore('live', () => {
	const live = reactive(emptyLive())
	const state = ref<StreamState>('stopped')
	const retryAtMs = ref(0)
	/** The last news of a fault report. */
	const fault = ref<{ id: string; user_id: string; user: string | null; state: 'open' | 'work' | 'solved' } | null>(null)
	/** The last note that was saved anywhere, by him, or, for supervisors, by anybody. */
	const note = ref<{ id: string; call_id: string | null; customer_id: string | null; user_id: string } | null>(null)
	/** The last news of a customer of ours; see api/customers.c. */
	const customer = ref<{ what: string; customer_id?: string; name: string | null; ms: number; n: number } | null>(null)
	/** The last change of many rows of his that ended. */
	const bulk = ref<{ id: string; resource: string; state: string } | null>(null)
	/** How often the list of to-dos may have changed: asked for again. */
	const todoChanges = ref(0)
	/** The last news of a notice. */
	const notice = ref<{ id: string; what: 'changed' | 'gone' | 'read' } | null>(null)
	/** How often somebody changed what a resource is: custom fields. */
	const metaChanges = ref(0)
	const nowMs = ref(Date.now())
	let stream: EventStream | null = null
	/** What we were when the server was started anew, which leaves everybody signed out; the desk takes it from here. */
	const restarted = ref<Agent | null>(null)
	let epoch = ''
	let onBye: (why: string) => void = () => {}
	setInterval(() => (nowMs.value = Date.now() + live.skewMs), 500)

	function receive(myId: string, event: string, text: string, id: string) {
		const data: unknown = JSON.parse(text)
		const before = live.me
		if (event === 'reset') {
			stream?.reset()
		} else if (event === 'bye') {
			const why = (data as { why: string }).why
			if (why !== 'restart')
				stream?.stop()
			onBye(why)
		} else if (event === 'fault') {
			fault.value = data as typeof fault.value
		} else if (event === 'note') {
			note.value = data as typeof note.value
		} else if (event === 'customer') {
			customer.value = data as typeof customer.value
		} else if (event === 'bulk') {
			bulk.value = data as typeof bulk.value
		} else if (event === 'notice') {
			notice.value = data as typeof notice.value
		} else if (event === 'todo') {
			todoChanges.value++
		} else if (event === 'meta.changed') {
			metaChanges.value++
		} else {
			fold(live, myId, event, data, Date.now())
			nowMs.value = Date.now() + live.skewMs
		}
		// An event's id is epoch.n; an epoch is one run of the server.
		const now = id.split('.')[0] ?? ''
		if (epoch && now && now !== epoch && before && before.state !== 'offline' && live.me?.state === 'offline')
			restarted.value = before
		epoch = now || epoch
	}

	function connect(myId: string, refused: () => void, bye: (why: string) => void) {
		close()
		onBye = bye
		stream = new EventStream({
			url: '/api/v1/events',
			onEvent: e => receive(myId, e.event, e.data, e.id),
			onState: (s, retryMs) => {
				state.value = s
				retryAtMs.value = Date.now() + retryMs
			},
			onRefused: refused,
		})
		stream.start()
	}

	function close() {
		stream?.stop()
		stream = null
		Object.assign(live, emptyLive())
		restarted.value = null
		epoch = ''
	}

	window.addEventListener('online', () => stream?.retryNow())
	return { live, state, retryAtMs, nowMs, fault, note, notice, customer, bulk, todoChanges, metaChanges, restarted, connect, close, retryNow: () => stream?.retryNow() }
})
