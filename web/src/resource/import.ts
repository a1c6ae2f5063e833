/* What the import dialog reckons. Pure. */
import type { MetaField, MetaResource } from '@/api/types'

/** Fields that a sheet can bring. */
export const importable = (meta: MetaResource): MetaField[] => meta.fields.filter(f => !f.flags.readonly)

/** "A", "Z", "AA" for 0, 25, 26. */
export function letters(i: number): string {
	let s = ''
	for (let n = i + 1; n > 0; n = Math.floor((n - 1) / 26))
		s = String.fromCharCode(65 + (n - 1) % 26) + s
	return s
}

/** 0 to 1; while a sheet is checked nobody knows how long it is, so it creeps. */
export function progress(job: { state: string; rows: number; expected: number }, total: number, sent: number): number {
	if (total)
		return Math.min(1, sent / total)
	if (job.state === 'running' && job.expected)
		return Math.min(1, job.rows / job.expected)
	return job.state === 'checking' ? 1 - 1000 / (1000 + job.rows) : 1
}
