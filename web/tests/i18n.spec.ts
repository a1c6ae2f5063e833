import { describe, expect, it } from 'vitest'
import en from '@/i18n/en'
import zh from '@/i18n/zh'

type Tree = { [k: string]: string | Tree }
function leaves(t: Tree, at = ''): [string, string][] {
	return Object.entries(t).flatMap(([k, v]) => (typeof v === 'string' ? [[at + k, v] as [string, string]] : leaves(v, `${at}${k}.`)))
}
const z = new Map(leaves(zh))
const e = new Map(leaves(en))
const names = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map(m => m[1]).sort()

describe('both languages', () => {
	it('have the same sentences', () => expect([...e.keys()].sort()).toEqual([...z.keys()].sort()))
	it('with the same figures in them', () => {
		const odd = [...z].filter(([k, v]) => names(v).some(n => !names(e.get(k)!).includes(n)))
		expect(odd.map(([k]) => k)).toEqual([])
	})
	it('are not empty and contain no sign that vue-i18n reads as its own', () => {
		for (const v of [...z.values(), ...e.values()])
			expect(v).toMatch(/^[^@|]+$/)
	})
	it('Chinese is Chinese', () => {
		const latin = [...z].filter(([, v]) => !/[\u4e00-\u9fff]/.test(v)).map(([k]) => k)
		expect(latin).toEqual(['privacy.before_after', 'phone.percent', 'why.comma', 'player.at', 'list.or'])
	})
})
