import { describe, expect, it } from 'vitest'
import { letters, progress } from '@/resource/import'

describe('import', () => {
	it('names columns as spreadsheets do', () => {
		expect([0, 25, 26, 701, 702].map(letters)).toEqual(['A', 'Z', 'AA', 'ZZ', 'AAA'])
	})
	it('shows how far sending and taking in are', () => {
		const job = { state: 'running', rows: 50, expected: 200 }
		expect(progress(job, 0, 0)).toBe(0.25)
		expect(progress(job, 100, 40)).toBe(0.4)
		expect(progress({ state: 'checking', rows: 1000, expected: 0 }, 0, 0)).toBe(0.5)
		expect(progress({ state: 'running', rows: 9, expected: 3 }, 0, 0)).toBe(1)
	})
})
