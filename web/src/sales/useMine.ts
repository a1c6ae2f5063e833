/* One's own figures of today and of this month beside one's goals; asked for again when something may have changed, and now and then. */
import { onBeforeUnmount, ref, watch } from 'vue'
import { sales } from '@/api/client'
import { useLive } from '@/live/live'
import type { SalesMine } from './figures'

const EVERY_MS = 60_000
const WRITTEN_MS = 1500 /* a call is in the records by then */

export function useMine() {
	const live = useLive()
	const mine = ref<SalesMine | null>(null)
	let timer: ReturnType<typeof setTimeout>
	async function load() {
		clearTimeout(timer)
		timer = setTimeout(load, EVERY_MS)
		try {
			mine.value = await sales.mine()
		} catch { /* what was known stays */ }
	}
	void load()
	watch(() => [live.todoChanges, live.live.call?.id], () => {
		clearTimeout(timer)
		timer = setTimeout(load, WRITTEN_MS)
	})
	onBeforeUnmount(() => clearTimeout(timer))
	return mine
}
