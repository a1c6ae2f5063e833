import { describe, expect, it } from 'vitest'
import type { MetaField } from '@/api/types'
import { chosen, fromQuery, join, operators, split, toQuery, type Condition } from '@/resource/filters'

const f = (name: string, type: MetaField['type'], flags: Record<string, boolean> = {}): MetaField => ({ name, type, zh: name, en: name, flags })
const fields = [f('name', 'text'), f('age', 'int'), f('next_ms', 'time'), f('owner_id', 'ref'), f('tags', 'text', { tags: true }), f('phone', 'text', { masked: true })]

describe('conditions', () => {
	it('go to the address and come back', () => {
		const all: Condition[] = [
			{ field: 'name', op: 'has', value: '张' }, { field: 'age', op: 'between', value: '3~9' }, { field: 'next_ms', op: 'rel', value: 'next7' },
			{ field: 'owner_id', op: 'in', value: 'me,none' }, { field: 'tags', op: 'filled', value: '' }, { field: 'phone', op: 'is', value: '110' },
		]
		expect(toQuery(all)).toEqual({ 'name.has': '张', 'age.gte': '3', 'age.lte': '9', 'next_ms.rel': 'next7', 'owner_id.in': 'me,none', 'tags.empty': 'false', phone: '110' })
		expect(fromQuery(toQuery(all), fields)).toEqual(all)
	})
	it('leave out what is no field', () => {
		expect(fromQuery({ q: 'x', sort: 'name', 'nothing.has': '1', after: 'abc' }, fields)).toEqual([])
	})
	it('take an open end for from or to', () => {
		expect(toQuery([{ field: 'age', op: 'between', value: '~9' }])).toEqual({ 'age.lte': '9' })
	})
	it('keep commas in values', () => {
		expect(split(join(['a,b', 'c\\d', 'e']))).toEqual(['a,b', 'c\\d', 'e'])
	})
	it('ask only for the whole of what is masked', () => {
		expect(operators(fields[5]!, false)).toEqual(['is', 'empty', 'filled'])
		expect(operators(fields[4]!)).toContain('any')
	})
})

describe('columns', () => {
	it('are those chosen that are still there, else the declared ones', () => {
		expect(chosen(['age', 'gone', 'name'], fields, [fields[0]!]).map(x => x.name)).toEqual(['age', 'name'])
		expect(chosen(null, fields, [fields[0]!]).map(x => x.name)).toEqual(['name'])
	})
})
