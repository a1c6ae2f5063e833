/* Which customers go into a campaign: conditions of the customers' list, or a saved view's, counted as they are chosen. */
import { computed, reactive, watch } from 'vue'
import { resource, type ApiError } from '@/api/client'
import type { MetaResource, Row } from '@/api/types'
import { baseFields, filterable, fromQuery, toQuery, type Condition } from '@/resource/filters'

export const SOURCES = ['filter', 'view', 'import', 'later'] as const
export type SourceKind = (typeof SOURCES)[number]
export const ADD_MAX = 100_000
export type CustomerSource = ReturnType<typeof useSource>

export function useSource(meta: MetaResource | undefined) {
	const source = reactive({
		kind: 'filter' as SourceKind, q: '', conditions: [] as Condition[], view: '', views: [] as Row[], priority: '5',
		count: null as number | null, sample: [] as string[], busy: false, error: '', wrong: {} as Record<string, string>,
	})
	const fields = computed(() => (meta ? [...filterable(meta), ...baseFields(k => ({ zh: k === 'created_ms' ? '建立时间' : '修改时间', en: k === 'created_ms' ? 'Created' : 'Changed' }))] : []))
	const asked = computed(() => {
		const v = source.kind === 'view' ? source.views.find(x => x.id === source.view) : undefined
		if (source.kind === 'view' && !v)
			return null
		const saved = (v?.filters ?? {}) as Record<string, string>
		const filters = toQuery(v ? fromQuery(saved, fields.value) : source.conditions)
		return { q: v ? saved.q ?? '' : source.q.trim(), filters: { state: 'active', ...filters } as Record<string, string> }
	})
	const picks = computed(() => source.kind === 'filter' || source.kind === 'view')
	let nth = 0
	let timer: ReturnType<typeof setTimeout> | undefined
	async function countNow(): Promise<void> {
		clearTimeout(timer)
		const mine = ++nth
		const a = asked.value
		if (!meta || !picks.value || !a) {
			source.count = null
			source.busy = false
			return
		}
		source.busy = true
		try {
			const r = await resource.list('customers', { ...a.filters, q: a.q, limit: 5, count: 'exact' })
			if (mine !== nth)
				return
			source.count = r.total
			source.sample = r.items.map(x => String(x.name ?? '')).filter(Boolean).slice(0, 3)
			source.error = ''
			source.wrong = {}
		} catch (e) {
			if (mine !== nth)
				return
			source.count = null
			source.error = (e as Error).message
			source.wrong = (e as ApiError).fields ?? {}
		} finally {
			if (mine === nth)
				source.busy = false
		}
	}
	watch([asked, picks], () => {
		source.busy = picks.value && !!asked.value
		clearTimeout(timer)
		timer = setTimeout(() => void countNow(), 250)
	}, { deep: true, immediate: true })
	void resource.list('views', { resource: 'customers', limit: 100 }).then(r => (source.views = r.items), () => {})
	/** What the server is asked for; null: nobody is chosen. */
	const chosen = () => (picks.value && asked.value && source.count ? { filters: asked.value.filters, ...(asked.value.q ? { q: asked.value.q } : {}), count: source.count, priority: Number(source.priority) } : null)
	return { source, fields, picks, countNow, chosen }
}
