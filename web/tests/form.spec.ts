import { describe, expect, it } from 'vitest'
import type { MetaField, MetaResource, Row } from '@/api/types'
import { body, changedByOthers, check, columns, formFields, initial, shown } from '@/resource/form'

const f = (name: string, type: MetaField['type'], flags: Record<string, boolean> = {}, more: Partial<MetaField> = {}): MetaField => ({ name, type, zh: name, en: name, flags, ...more })
const meta: MetaResource = {
	name: 'queues', zh: '', en: '', label: 'name', order: 'name', sorts: null, page: true, label_en: null, group: null, scope: 'centre', can_write: true, can_remove: true, can_export: true, can_import: true, import_columns: [],
	fields: [
		f('name', 'text', { required: true }, { min: 0, max: 5 }), f('n', 'int', {}, { min: 0, max: 10, default: 5 }), f('on', 'bool', {}, { default: true }),
		f('kind', 'enum', {}, { default: 'none' }), f('number', 'text', { required: true, number: true, hide_list: true }, { show_if: 'kind=number|both' }),
		f('secret', 'secret', { required: true }), f('made', 'text', { readonly: true }), f('login', 'text', { create_only: true }), f('boss_id', 'ref', {}, { ref: 'users' }), f('more', 'json'),
	],
}
const row: Row = { id: '1', rev: 3, name: 'A', n: 5, on: false, kind: 'none', number: null, made: 'x', login: 'l', boss_id: '9', more: { a: 1 } }

describe('form from a description', () => {
	it('starts with the defaults', () => expect(initial(meta, null)).toMatchObject({ name: '', n: '5', on: true, kind: 'none', boss_id: '' }))
	it('never shows a secret', () => expect(initial(meta, { ...row, secret: 'x' }).secret).toBe(''))
	it('shows a field only when its condition holds', () => {
		const field = meta.fields[4]!
		expect([shown(field, { kind: 'none' }), shown(field, { kind: 'number' }), shown(field, { kind: 'both' })]).toEqual([false, true, true])
		expect(shown(f('x', 'text', {}, { show_if: 'on=true' }), { on: true })).toBe(true)
	})
	it('asks on create for what can be set, shows the rest on change', () => {
		expect(formFields(meta, initial(meta, null), true).map(x => x.name)).toEqual(['name', 'n', 'on', 'kind', 'secret', 'login', 'boss_id', 'more'])
		expect(formFields(meta, initial(meta, row), false).map(x => x.name)).toContain('made')
	})
	it('lists neither secrets nor hidden fields', () => expect(columns(meta).map(x => x.name)).toEqual(['name', 'n', 'on', 'kind', 'made', 'login', 'boss_id']))
	it('checks before sending', () => {
		const [name, n, , , number, secret] = meta.fields as [MetaField, MetaField, MetaField, MetaField, MetaField, MetaField]
		expect(check(name, '  ', true)).toEqual({ code: 'required' })
		expect(check(name, '一二三四五六', true)).toEqual({ code: 'max_len', n: 5 })
		expect(check(name, '一二三四五', true)).toBeNull()
		expect(check(n, '1.5', true)).toEqual({ code: 'not_number' })
		expect(check(n, '11', true)).toEqual({ code: 'max', n: 10 })
		expect(check(n, '-1', true)).toEqual({ code: 'min', n: 0 })
		expect(check(number, '+86a', true)).toEqual({ code: 'digits' })
		expect(check(secret, '', true)).toEqual({ code: 'required' })
		expect(check(secret, '', false)).toBeNull()
		expect(check(meta.fields[9]!, '{', true)).toEqual({ code: 'json' })
	})
	it('sends on change only what changed, with its type', () => {
		const v = initial(meta, row)
		expect(body(meta, v, row)).toEqual({})
		expect(body(meta, { ...v, n: '7', on: true, boss_id: '' }, row)).toEqual({ n: 7, on: true, boss_id: null })
	})
	it('sends neither readonly nor hidden fields nor an empty secret', () => {
		const v = { ...initial(meta, row), made: 'y', login: 'z', number: '123' }
		expect(body(meta, v, row)).toEqual({})
		expect(body(meta, { ...initial(meta, null), name: ' A ' }, null)).toEqual({ name: 'A', n: 5, on: true, kind: 'none' })
	})
	it('tells what others changed', () => expect(changedByOthers(meta, row, { ...row, rev: 4, n: 6 }).map(x => x.name)).toEqual(['n']))
})
