/* Today's figures of all whom one may see and this month's goals, asked for now and then. */
import { onBeforeUnmount, ref } from 'vue'
import { resource, sales } from '@/api/client'
import type { Row } from '@/api/types'
import { useMeta } from '@/resource/meta'
import { monthOf, type SalesFigures } from '@/sales/figures'

const EVERY_MS = 60_000

export function useDayGoals() {
	const metas = useMeta()
	const figures = ref<SalesFigures | null>(null)
	const rows = ref<Row[]>([])
	let timer: ReturnType<typeof setTimeout>
	let over = false
	async function load() {
		try {
			if (metas.find('goals')) {
				const goals = await resource.list('goals', { month: monthOf(new Date()), limit: 1000 })
				rows.value = goals.items.filter(r => r.user_id)
				if (rows.value.length)
					figures.value = await sales.figures()
			}
		} catch { /* what was known stays */ }
		if (!over)
			timer = setTimeout(load, EVERY_MS)
	}
	void load()
	onBeforeUnmount(() => {
		over = true
		clearTimeout(timer)
	})
	return { figures, rows }
}
