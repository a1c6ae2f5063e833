import { beforeEach, expect, test, vi } from 'vitest'
import type { BulkJob } from '@/api/client'
import { tell, untold, watched, worthTelling } from '@/resource/bulkNews'

const job = (id: string, state: BulkJob['state'], continued = false) => ({ id, state, continued }) as BulkJob
beforeEach(() => {
	const kept = new Map<string, string>()
	vi.stubGlobal('sessionStorage', { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v) })
	watched.clear()
})

test('each state of a change is told once, and not while a dialog shows it', () => {
	watched.add('2')
	expect(untold([job('1', 'running'), job('2', 'done')]).map(j => j.id)).toEqual(['1'])
	tell(job('1', 'running'))
	expect(untold([job('1', 'running')])).toEqual([])
	expect(untold([job('1', 'done')]).map(j => j.id)).toEqual(['1'])
})

test('at the beginning of a page only what is under way, went on or was interrupted is told', () => {
	expect([job('1', 'done'), job('2', 'running'), job('3', 'done', true), job('4', 'interrupted'), job('5', 'cancelled')].filter(worthTelling).map(j => j.id)).toEqual(['2', '3', '4'])
})
