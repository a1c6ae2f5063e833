/* What was written lately in a field, so that it need not be typed again: places of visits, products of deals. */
import { ref } from 'vue'
import { resource } from '@/api/client'

/** Different values of the newest hundred rows that one may see, the most frequent first. */
export function useRecent(name: 'visits' | 'deals', field: 'place' | 'product') {
	const values = ref<string[]>([])
	void resource.list(name, { sort: '-created_ms', limit: 100 }).then(r => {
		const count = new Map<string, number>()
		for (const row of r.items)
			if (row[field])
				count.set(String(row[field]), (count.get(String(row[field])) ?? 0) + 1)
		values.value = [...count].sort((a, b) => b[1] - a[1]).map(([v]) => v).slice(0, 20)
	}, () => {})
	return values
}
