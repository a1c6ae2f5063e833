import { describe, expect, it } from 'vitest'
import { marked } from '@/customer/customer'

const hits = (text: string, q: string) => marked(text, q).filter(p => p.hit).map(p => p.text)
const whole = (text: string, q: string) => marked(text, q).map(p => p.text).join('')

describe('words that were searched for', () => {
	it('are found in any case', () => expect(hits('Wants an INVOICE, the invoice of May', 'invoice')).toEqual(['INVOICE', 'invoice']))
	it('are each looked for', () => expect(hits('希望开增值税发票，资料已记录。', '发票 资料')).toEqual(['发票', '资料']))
	it('are taken as they are', () => expect(hits('a.c (x) abc', 'a.c (x)')).toEqual(['a.c', '(x)']))
	it('leave the text whole', () => expect(whole('希望开增值税发票', '增值税')).toBe('希望开增值税发票'))
	it('that stand far behind are shown', () => expect(whole(`${'a'.repeat(100)}发票`, '发票')).toBe(`…${'a'.repeat(20)}发票`))
	it('need not be there', () => expect(marked('姓名', 'xm')).toEqual([{ text: '姓名', hit: false }]))
})
