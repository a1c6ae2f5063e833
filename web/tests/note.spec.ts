import { describe, expect, it } from 'vitest'
import { beforeMs, contacts, emptyDraft, findPhrases, findReasons, hasNumber, initials, isEmpty, payload, readDraft, reasonChoices, reasonName, slash, soon, templateFor, type Note, type Reason, type Template } from '@/note/note'

const reason = (id: string, name: string, parent_id: string | null = null): Reason => ({ id, name, en: null, parent_id, sort: Number(id), active: true })
const REASONS = [reason('1', '咨询'), reason('2', '价格优惠', '1'), reason('3', '投诉'), reason('4', '服务态度', '3'), reason('5', '表扬')]
const template = (name: string, queue_id: string | null, reason_id: string | null): Template => ({ id: name, name, queue_id, reason_id, fields: [], phrases: [], active: true })

describe('templates', () => {
	it('the most specific one applies, as on the server', () => {
		const all = [template('all', null, null), template('queue', 'q', null), template('class', null, '1'), template('sub', null, '2'), template('both', 'q', '2')]
		const pick = (q: string | null, r: string) => templateFor(all, REASONS, q, r)?.name
		expect([pick(null, ''), pick('q', ''), pick('q', '3'), pick(null, '1'), pick('x', '2'), pick('q', '2')]).toEqual(['all', 'queue', 'queue', 'class', 'sub', 'both'])
		expect(templateFor([template('q', 'q', null)], REASONS, 'x', '')).toBe(null)
	})
	it('what does not fit is named, and only what the template asks for is sent', () => {
		const t: Template = { ...template('t', null, null), fields: [{ key: 'a', label: 'A', type: 'text', required: true }, { key: 'n', label: 'N', type: 'number', min: 1 }, { key: 'c', label: 'C', type: 'choice', options: ['x'] }, { key: 'b', label: 'B', type: 'bool' }] }
		const d = { ...emptyDraft(), form: { n: '0', c: 'y', other: 'gone' } }
		expect(payload(d, t).wrong).toEqual({ 'form.a': 'required', 'form.n': 'range', 'form.c': 'enum' })
		expect(payload({ ...d, form: { a: 'v', n: '2.5', b: false, other: 1 } }, t)).toEqual({ wrong: {}, body: { text: null, reason_id: null, result_id: null, next_ms: null, template_id: 't', form: { a: 'v', n: 2.5, b: false } } })
		expect(payload(emptyDraft(), null).wrong).toEqual({ text: 'required' })
	})
})

describe('drafts', () => {
	it('a telephone number, however written, keeps a draft out of the browser', () => {
		const d = (text: string, v = '') => hasNumber({ ...emptyDraft(), text, form: { a: v } })
		expect([d('订单 123456'), d('138 0013 8000'), d('010-62345678'), d('１３８００１３８０００'), d('', '+86 (138) 0013.8000'), d('今天 20 件')]).toEqual([false, true, true, true, true, false])
	})
	it('what was kept by another version of the page is read as far as it fits', () => {
		expect(readDraft({ text: 1, reason_id: '7', form: { a: 'x', b: { c: 1 } }, more: 2 })).toEqual({ ...emptyDraft(), reason_id: '7', form: { a: 'x' } })
		expect([readDraft(null), readDraft('x')].every(isEmpty)).toBe(true)
	})
})

describe('typing', () => {
	it('initials by pinyin', () => {
		expect(['退换货', '咨询', '啊', '做', '张小丽', 'VIP 客户'].map(initials)).toEqual(['thh', 'zx', 'a', 'z', 'zxl', 'vipkh'])
	})
	it('reasons are found by name and initials of themselves or their class', () => {
		const all = reasonChoices(REASONS, false)
		expect(all.map(c => c.label)).toEqual(['咨询', '价格优惠', '投诉', '服务态度', '表扬'])
		const find = (q: string) => findReasons(all, q).map(c => c.label)
		expect([find('jg'), find('tousu'), find('ts'), find('投诉 fw'), find('by')]).toEqual([['价格优惠'], [], ['投诉', '服务态度'], ['服务态度'], ['表扬']])
		expect(reasonName(REASONS, '4', false)).toBe('投诉 / 服务态度')
	})
	it('a stroke asks for a phrase where a word may begin', () => {
		expect([slash('/'), slash('你好 /khq'), slash('好。/核'), slash('1/2'), slash('a/b'), slash('/x y')]).toEqual(['', 'khq', '核', null, null, null])
		expect(findPhrases(['客户要求尽快', '已核对身份'], 'khyq')).toEqual(['客户要求尽快'])
	})
	it('shortcuts of the next contact', () => {
		const at = (s: string) => new Date(s).getTime() // the page's zone
		const show = (ms: number) => { const d = new Date(ms); return `${d.getDay()} ${d.getHours()}:${String(d.getMinutes()).padStart(2, '0')}` }
		expect(soon('10', at('2026-11-20T10:00:30')) - at('2026-11-20T10:00:00')).toBe(600_000)
		expect(soon('pm', at('2026-11-20T10:00:00'))).toBe(at('2026-11-20T14:00:00'))
		expect(soon('pm', at('2026-11-20T14:30:00'))).toBe(at('2026-11-21T14:00:00'))
		expect(show(soon('am', at('2026-11-20T10:00:00')))).toBe('6 9:30')
		for (const day of ['16', '20', '22']) // a Monday, a Friday, a Sunday
			expect(show(soon('mon', at(`2026-11-${day}T10:00:00`)))).toBe('1 9:30')
		expect(soon('mon', at('2026-11-16T10:00:00'))).toBe(at('2026-11-23T09:30:00'))
	})
})

describe('contacts', () => {
	const note = (id: string, at_ms: number, call_id: string | null): Note => ({ id, rev: 1, at_ms, created_ms: at_ms, updated_ms: at_ms, customer_id: null, call_id, user_id: null, template_id: null, reason_id: null, result_id: null, text: id, form: [], next_ms: null, done: false })
	it('notes stand with their call, others alone, newest first', () => {
		const list = contacts([{ id: 'a', start_ms: 30 }, { id: 'b', start_ms: 10 }], [note('n1', 35, 'a'), note('n2', 20, null), note('n3', 12, 'gone')])
		expect(list.map(x => [x.call?.id ?? null, x.notes.map(n => n.id)])).toEqual([['a', ['n1']], [null, ['n2']], [null, ['n3']], ['b', []]])
	})
	it('older ones begin where one of the lists was cut', () => {
		const calls = [9, 8].map(start_ms => ({ start_ms }))
		expect([beforeMs(calls, [{ at_ms: 3 }], 2), beforeMs(calls, [{ at_ms: 20 }, { at_ms: 15 }], 2), beforeMs([{ start_ms: 5 }], [{ at_ms: 4 }, { at_ms: 3 }], 2)]).toEqual([8, 15, 3])
	})
})
