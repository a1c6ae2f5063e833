/* The desk's side of fault reports: gather, send or keep, and what became of one's own. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import { api } from '@/api/client'
import type { OwnFault } from '@/api/types'
import { useDesk } from '@/desk/useDesk'
import { useLive } from '@/live/live'
import { usePhone } from '@/phone/phone'
import { useSession } from '@/stores/session'
import { summary } from './browser'
import { collect } from './collect'
import { fitted, Queue, type Report } from './queue'

const RETRY_MS = 20_000
const LAST_CALL_MS = 12 * 3600_000
const TEST_MAX_MS = 25_000

export const useFault = defineStore('fault', () => {
	const desk = useDesk()
	const live = useLive()
	const phone = usePhone()
	const session = useSession()
	const queue = new Queue(r => api.faults.report(r))
	const open = ref(false)
	const step = ref<'' | 'test' | 'send'>('')
	const own = ref<OwnFault[]>([])
	const waiting = ref(0)

	const me = () => session.user?.id ?? ''
	async function load() {
		waiting.value = queue.waiting(me()).length
		own.value = (await api.faults.own()).items
	}
	let flushing = false
	async function flush() {
		if (flushing || !queue.waiting(me()).length)
			return
		flushing = true
		try {
			if (await queue.flush(me()))
				await load()
		} finally {
			flushing = false
			waiting.value = queue.waiting(me()).length
		}
	}
	setInterval(() => void flush().catch(() => {}), RETRY_MS)
	window.addEventListener('online', () => void flush().catch(() => {}))
	watch(() => live.state, s => s === 'open' && void flush().catch(() => {}))
	// Somebody has taken it up.
	watch(() => live.fault, f => f && f.user_id === me() && void load().catch(() => {}))

	/** A test of our own takes ten seconds, disturbs a call, and needs a telephone: only when all of this is right. */
	const canTest = () => !phone.lastTest && phone.link === 'up' && !phone.call && !phone.testing && desk.scene !== 'call' && desk.scene !== 'incoming'
	async function test() {
		step.value = 'test'
		const late = new Promise(r => setTimeout(r, TEST_MAX_MS))
		await Promise.race([phone.test(() => {}, () => {}).catch(() => {}), late])
	}

	/** true: received; false: it is kept until the server can be reached. */
	async function send(text: string): Promise<boolean> {
		const happened = Date.now()
		const last = desk.recent?.[0]
		const call = desk.call?.id || desk.lastCall || (last && happened - last.start_ms < LAST_CALL_MS ? last.id : '')
		try {
			if (canTest())
				await test()
			step.value = 'send'
			const report: Report = { text: text.trim(), summary: summary(), happened_ms: happened, ...(call ? { call_id: call } : {}), details: await collect() }
			const received = await queue.report(me(), fitted(report))
			await load().catch(() => {})
			return received
		} finally {
			step.value = ''
			waiting.value = queue.waiting(me()).length
		}
	}
	return { open, step, own, waiting, load, flush, send, canTest, skipTest: () => phone.stopTest() }
})
