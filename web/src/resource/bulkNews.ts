/* Changes of many rows that nobody is looking at: the dialog was closed, the page loaded anew, or the server started anew in between. */
import { reactive } from 'vue'
import type { BulkJob } from '@/api/client'

/** Ids of those that a dialog shows. */
export const watched = reactive(new Set<string>())
const TOLD = 'huawu.bulk.told'
const key = (j: Pick<BulkJob, 'id' | 'state'>) => `${j.id}.${j.state}`
const told = (): string[] => (sessionStorage.getItem(TOLD) ?? '').split(' ').filter(Boolean)

export const going = (j: Pick<BulkJob, 'state'>) => j.state === 'running' || j.state === 'undoing'
/** Once each in this tab. */
export const untold = (jobs: BulkJob[]): BulkJob[] => jobs.filter(j => !watched.has(j.id) && !told().includes(key(j)))
export function tell(j: Pick<BulkJob, 'id' | 'state'>) {
	sessionStorage.setItem(TOLD, [...told().filter(x => x !== key(j)), key(j)].slice(-50).join(' '))
}
/** What is asked for when the page begins: what is under way, and what ended while nobody could see it. */
export const worthTelling = (j: BulkJob): boolean => going(j) || j.continued || j.state === 'interrupted'
