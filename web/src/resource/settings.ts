/* Which resources are settings, and in which section they stand. */
import type { MetaResource } from '@/api/types'

const SECTIONS = [
	{ id: 'people', groups: ['people', 'roles'] },
	{ id: 'customers', groups: ['lists', 'customers'] },
	{ id: 'outbound', groups: ['outbound', 'campaigns'] },
	{ id: 'telephony', groups: ['telephony', 'staffing'] },
	{ id: 'data', groups: ['imports', 'exports'] },
	{ id: 'system', groups: ['access'] },
]
/* These have pages of their own, or belong to another row's. */
const ELSEWHERE = ['customers', 'customer_phones', 'notes', 'visits', 'deals', 'goals', 'callbacks', 'campaigns', 'campaign_agents', 'campaign_teams', 'campaign_numbers', 'campaign_leads', 'dial_claims', 'guarded_dials', 'views', 'list_prefs', 'attachments', 'faults']

/* What is granted with one section is looked for in another. */
const SECTION_OF: Record<string, string> = { absences: 'people' }

export function settingsOf(resources: MetaResource[]): { id: string; resources: MetaResource[] }[] {
	const rest = resources.filter(r => !ELSEWHERE.includes(r.name))
	const of = (id: string, groups: string[]) => rest.filter(r => (SECTION_OF[r.name] ? SECTION_OF[r.name] === id : groups.includes(r.group ?? '')))
	const known = SECTIONS.flatMap(s => s.groups)
	return SECTIONS
		.map(s => ({ id: s.id, resources: [...of(s.id, s.groups), ...(s.id === 'data' ? rest.filter(r => !known.includes(r.group ?? '')) : [])] }))
		.filter(s => s.resources.length)
}
