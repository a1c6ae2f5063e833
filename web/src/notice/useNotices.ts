/* The notices that concern me, asked for again whenever one is published, changed or gone; what is over by the clock is no longer there. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { notices } from '@/api/client'
import { useLive } from '@/live/live'
import { overAt, type Notice } from './notice'

export const useNotices = defineStore('notices', () => {
	const live = useLive()
	const all = ref<Notice[]>([])
	let asked = 0
	async function load() {
		const mine = ++asked
		try {
			const r = await notices.mine()
			if (mine === asked)
				all.value = r.items
		} catch { /* what was known stays; the next change asks again */ }
	}
	const items = computed(() => all.value.filter(n => !overAt(n, live.nowMs)))
	const unread = computed(() => items.value.filter(n => n.read_ms === null))
	const urgent = computed(() => unread.value.filter(n => n.urgent))
	async function read(n: Notice) {
		await notices.read(n.id)
		all.value = all.value.map(x => (x.id === n.id ? { ...x, read_ms: live.nowMs } : x))
	}
	watch(() => live.notice, n => {
		if (n && n.what !== 'read')
			void load()
	})
	// A stream that was away may have missed one.
	watch(() => live.state, (now, before) => {
		if (now === 'open' && before !== 'open')
			void load()
	})
	return { items, unread, urgent, load, read }
})
