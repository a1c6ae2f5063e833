/* Reasons, results and templates, as the centre has set them; asked for at the first need, and again when a call begins. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { resource } from '@/api/client'
import { lang } from '@/i18n'
import { reasonName, rowTo, type Reason, type Result, type Template } from './note'

export interface Named { id: string; name: string; en: string | null; active: boolean }
const FRESH_MS = 60_000

export const useNoteLists = defineStore('noteLists', () => {
	const reasons = ref<Reason[]>([])
	const results = ref<Result[]>([])
	const templates = ref<Template[]>([])
	const types = ref<Named[]>([])
	let at = 0

	async function all(name: string, sort: string) {
		return (await resource.list(name, { limit: 1000, sort })).items
	}
	/** Without these a note is still text; so what does not come is left as it was. */
	async function load() {
		if (Date.now() - at < FRESH_MS)
			return
		at = Date.now()
		const [r, s, t, y] = await Promise.allSettled([all('contact_reasons', 'sort'), all('contact_results', 'sort'), all('note_templates', 'name'), all('customer_types', 'sort')])
		if (r.status === 'fulfilled')
			reasons.value = r.value as unknown as Reason[]
		if (s.status === 'fulfilled')
			results.value = s.value as unknown as Result[]
		if (t.status === 'fulfilled')
			templates.value = t.value.map(rowTo.template)
		if (y.status === 'fulfilled')
			types.value = y.value as unknown as Named[]
		if ([r, s, t, y].some(x => x.status === 'rejected'))
			at = 0
	}
	const reason = (id: string | null) => reasonName(reasons.value, id, lang() === 'en')
	const result = (id: string | null) => {
		const r = results.value.find(x => x.id === id)
		return r ? (lang() === 'en' && r.en) || r.zh : ''
	}
	return { reasons, results, templates, types, load, reason, result }
})
