/* Which resources are settings, and in which section they stand. */
import type { MetaResource } from '@/api/types'

const SECTIONS = [
	{ id: 'people', groups: ['people', 'roles'] },
	{ id: 'customers', groups: ['lists', 'customers'] },
	{ id: 'telephony', groups: ['telephony', 'staffing'] },
	{ id: 'data', groups: ['imports', 'exports'] },
	{ id: 'system', groups: ['access'] },
]
/* These have pages of their own, or belong to another row's. */
const ELSEWHERE = ['customers', 'customer_phones', 'notes', 'views', 'list_prefs', 'attachments', 'faults']

export function settingsOf(resources: MetaResource[]): { id: string; resources: MetaResource[] }[] {
	const rest = resources.filter(r => !ELSEWHERE.includes(r.name))
	const of = (groups: string[]) => rest.filter(r => groups.includes(r.group ?? ''))
	const known = SECTIONS.flatMap(s => s.groups)
	return SECTIONS
		.map(s => ({ id: s.id, resources: [...of(s.groups), ...(s.id === 'data' ? rest.filter(r => !known.includes(r.group ?? '')) : [])] }))
		.filter(s => s.resources.length)
}
