import { describe, expect, it } from 'vitest'
import type { Row } from '@/api/types'
import { fieldOf, formOf } from '@/resource/preview'

const row = (id: string, zh: string, sort: number, more: Record<string, unknown> = {}) => ({ id, rev: 1, zh, en: null, type: 'text', sort, active: true, required: false, options: null, ...more }) as unknown as Row

describe('a custom field before it is there', () => {
	it('is what the server will describe', () => {
		expect(fieldOf({ zh: '会员等级', en: '', type: 'choice', options: [{ zh: '金卡' }, { zh: ' ' }, { value: 'o2', zh: '银卡', en: 'Silver' }], required: true, help: '看卡面' }, 'x'))
			.toMatchObject({ type: 'enum', zh: '会员等级', en: '会员等级', help_zh: '看卡面', flags: { custom: true, required: true }, options: [{ value: 'new-0', zh: '金卡', en: '金卡' }, { value: 'o2', zh: '银卡', en: 'Silver' }] })
		expect(fieldOf({ zh: '余额', type: 'money' }, 'x')).toMatchObject({ type: 'int', decimals: 2 })
		expect(fieldOf({ zh: '', type: 'number', decimals: '3' }, 'x')).toMatchObject({ zh: '…', type: 'int', decimals: 3 })
		expect(fieldOf({ zh: '生日', type: 'date' }, 'x').flags).toMatchObject({ date: true })
		expect(fieldOf({ zh: '评语', type: 'long_text' }, 'x').flags).toMatchObject({ multiline: true })
	})
	it('stands where its order puts it, those that are switched off left out', () => {
		const rows = [row('1', '甲', 100), row('2', '乙', 50), row('3', '丙', 60, { active: false })]
		const names = (id: string | null, values: Record<string, unknown>) => formOf(rows, id, values).map(x => x.field.zh + (x.own ? '*' : ''))
		expect(names(null, { zh: '新', type: 'text', sort: '100' })).toEqual(['乙', '甲', '新*'])
		expect(names(null, { zh: '新', type: 'text', sort: '10' })).toEqual(['新*', '乙', '甲'])
		expect(names('1', { zh: '甲改', type: 'text', sort: '1' })).toEqual(['甲改*', '乙'])
	})
})
