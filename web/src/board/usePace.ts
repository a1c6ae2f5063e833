/* How many customers each project has dialled in the last minutes, as dials an hour: from the sums as they come. */
import { onBeforeUnmount, ref } from 'vue'
import { useLive } from '@/live/live'
import { paceOf, type PacePoint } from './trend'

const EVERY_MS = 5000
const KEEP_MS = 5 * 60_000

export function usePace() {
	const live = useLive()
	const points = ref(new Map<string, PacePoint[]>())
	function tick() {
		const now = Date.now()
		for (const c of live.live.campaigns.values()) {
			const had = points.value.get(c.id) ?? []
			points.value.set(c.id, [...had.filter(p => p.atMs > now - KEEP_MS && p.n <= c.today.dialled), { atMs: now, n: c.today.dialled }])
		}
	}
	tick()
	const timer = setInterval(tick, EVERY_MS)
	onBeforeUnmount(() => clearInterval(timer))
	return (id: string) => paceOf(points.value.get(id) ?? [])
}
