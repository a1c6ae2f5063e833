/* The agent's projects: whether he takes part, whom he is shown next, what he may choose, and "do not call again". */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { api } from '@/api/client'
import type { DeskCampaign } from '@/api/types'
import { good, tryIt } from '@/components/say'
import { i18n } from '@/i18n'
import { useLive } from '@/live/live'
import { useDesk } from './useDesk'

const AGAIN_MS = 2000 // news of a second are asked for once
const UNDO_MS = 20_000 // so long the way back stays in sight after the call
export const SKIP_REASONS = ['later', 'known', 'wrong', 'other'] as const

export const useDialling = defineStore('dialling', () => {
	const t = i18n.global.t
	const live = useLive()
	const desk = useDesk()
	const items = ref<DeskCampaign[]>([])
	/** Who was put on the do-not-call list last, by this desk. */
	const barred = ref<{ callId: string; name: string; atMs: number } | null>(null)
	const busy = ref(false)

	const find = (id: string | null | undefined) => items.value.find(c => c.id === id) ?? null
	const preview = computed(() => (desk.me?.state === 'reserved' ? desk.me.preview : null))

	async function load() {
		try {
			items.value = (await api.dialling.mine()).items
		} catch { /* what was known stays */ }
	}
	// Which there are, whether they run, and until when a list waits.
	let timer: ReturnType<typeof setTimeout> | undefined
	const news = computed(() => [...live.live.campaigns.values()].map(c => `${c.id} ${c.name} ${c.running} ${c.why === 'later' ? c.at : ''}`).join('|'))
	function start() {
		void load()
	}
	watch(news, () => {
		clearTimeout(timer)
		timer = setTimeout(() => void load(), AGAIN_MS)
	})
	// A project that nobody has told of yet: its script and results are wanted now.
	watch(() => desk.call?.campaign_id ?? preview.value?.campaign_id, id => id && !find(id) && void load())

	async function part(c: DeskCampaign, on: boolean) {
		const shown = preview.value?.campaign_id === c.id ? preview.value.call_id : ''
		if (await tryIt(() => api.dialling.part(c.id, on), t(on ? 'dial.joined' : 'dial.left', { name: c.name }))) {
			c.takes_part = on
			if (shown && !on)
				await api.dialling.skip(shown, 'left').catch(() => {})
		}
	}
	async function once(action: () => Promise<unknown>, done?: string) {
		if (busy.value)
			return
		busy.value = true
		await tryIt(action, done)
		busy.value = false
	}
	const dial = () => (preview.value ? once(() => api.dialling.dial(preview.value!.call_id)) : undefined)
	const skip = (reason: string) => (preview.value ? once(() => api.dialling.skip(preview.value!.call_id, reason), t('dial.skipped')) : undefined)

	/** True: it is on the list now. */
	async function bar(callId: string, name: string): Promise<boolean> {
		if (busy.value)
			return false
		busy.value = true
		const done = await tryIt(() => api.dialling.bar({ call_id: callId }))
		if (done)
			barred.value = { callId, name, atMs: Date.now() }
		busy.value = false
		return done
	}
	async function unbar(): Promise<boolean> {
		const b = barred.value
		if (!b || busy.value)
			return false
		busy.value = true
		const done = await tryIt(() => api.dialling.bar({ call_id: b.callId }, true))
		if (done) {
			good(t('dial.unbarred'))
			barred.value = null
		}
		busy.value = false
		return done
	}
	/** The way back, while the card is there and for a moment after. */
	const undoable = computed(() => (barred.value && live.nowMs - live.live.skewMs < barred.value.atMs + UNDO_MS ? barred.value : null))
	return { items, barred, undoable, preview, busy, find, load, start, part, dial, skip, bar, unbar }
})
