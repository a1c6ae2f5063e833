import { describe, expect, it } from 'vitest'
import type { Agent, Call, CampaignLive } from '@/api/types'
import { allowed, cleanNumber, party, sceneOf } from '@/desk/desk'
import { en, zh } from '@/desk/dialWords'
import { commandOf, digitOf, SHORTCUTS } from '@/desk/keys'
import { namesOf, parseScript } from '@/desk/script'
import { when, whenBefore, whyLine } from '@/desk/why'

const me = (state: Agent['state'], more: Partial<Agent> = {}) => ({ state, pending: null, ...more }) as Agent
const call = (state: Call['state'], dir: Call['dir'] = 'in') => ({ state, dir, from: '13800138000', to: '021', name: null }) as Call
const line = { link: 'up' as const, call: null }
const ringing = { link: 'up' as const, call: { callId: 'c', phase: 'incoming' as const, auto: false, resume: false, kept: false } }
const up = { link: 'up' as const, call: { callId: 'c', phase: 'up' as const, auto: false, resume: false, kept: false } }
const list = (s: Set<string>) => [...s].sort()

describe('what the desk allows', () => {
	it('signed out: ready, but no dialling', () => expect(list(allowed(me('offline'), null, line))).toEqual(['break', 'ready']))
	it('ready: break, sign out, dial', () => expect(list(allowed(me('ready'), null, line))).toEqual(['break', 'dial', 'offline']))
	it('ringing: answer only where the telephone rings', () => {
		expect(allowed(me('ringing'), call('ringing'), line).has('answer')).toBe(false)
		expect(allowed(me('ringing'), call('ringing'), ringing).has('answer')).toBe(true)
		expect(allowed(me('ringing'), call('ringing'), line).has('refuse')).toBe(true)
	})
	it('talking: hold or resume, never both', () => {
		const t = allowed(me('talking'), call('talking'), up)
		expect([t.has('hold'), t.has('resume'), t.has('hangup'), t.has('mute'), t.has('digits')]).toEqual([true, false, true, true, true])
		const h = allowed(me('talking'), call('held'), up)
		expect([h.has('hold'), h.has('resume'), h.has('digits')]).toEqual([false, true, false])
	})
	it('wrap-up: finish, extend, break, dial', () => expect(list(allowed(me('wrapup'), null, line))).toEqual(['break', 'dial', 'offline', 'wrapEnd', 'wrapExtend']))
	it('a break asked for in a call can be taken back', () => {
		const s = allowed(me('talking', { pending: 'break' }), call('talking'), up)
		expect([s.has('ready'), s.has('break')]).toEqual([true, false])
	})
	it('not answering: ready again', () => expect(allowed(me('noanswer'), null, line).has('ready')).toBe(true))
	it('nothing before the server spoke', () => expect(allowed(null, null, line).size).toBe(0))
	it('shows the call card for a call dialled out', () => expect(sceneOf(me('ready'), call('ringing', 'out'))).toBe('call'))
	it('does not show a call in wrap-up', () => expect(sceneOf(me('wrapup'), call('talking', 'out'))).toBe('wrapup'))
})

describe('numbers', () => {
	it('names the other end by direction', () => {
		expect(party({ dir: 'in', from: 'a', to: 'b', name: null }).number).toBe('a')
		expect(party({ dir: 'out', from: 'a', to: 'b', name: 'n' })).toEqual({ name: 'n', number: 'b' })
	})
	it('cleans what is pasted, full width too', () => {
		expect(cleanNumber(' +86 138-0013 8000 ')).toBe('+8613800138000')
		expect(cleanNumber('１３８（0013）8000')).toBe('13800138000')
		expect(cleanNumber('*43#')).toBe('*43#')
		expect(cleanNumber('abc')).toBe('')
	})
})

describe('keys', () => {
	const key = (k: string, more = {}) => ({ key: k, ctrlKey: false, altKey: false, metaKey: false, ...more })
	it('Space answers only while a call rings', () => {
		expect(commandOf(key(' '), false, true)).toBe('answer')
		expect(commandOf(key(' '), false, false)).toBeNull()
	})
	it('in a field only F keys count', () => {
		expect(commandOf(key('m'), true, false)).toBeNull()
		expect(commandOf(key('F8'), true, false)).toBe('ready')
		expect(commandOf(key(' '), true, true)).toBeNull()
	})
	it('leaves shortcuts of browser and system alone', () => {
		expect(commandOf(key('F4', { altKey: true }), false, false)).toBeNull()
		const taken = ['F1', 'F3', 'F5', 'F6', 'F7', 'F11', 'F12', 'Escape', 'Tab', 'Enter']
		expect(SHORTCUTS.flatMap(s => s.keys).filter(k => taken.includes(k))).toEqual([])
	})
	it('no key does two things', () => {
		const keys = SHORTCUTS.flatMap(s => s.keys)
		expect(new Set(keys).size).toBe(keys.length)
	})
	it('does not act on a key of an input method', () => expect(commandOf(key('m', { isComposing: true }), false, false)).toBeNull())
	it('digits are digits outside fields', () => {
		expect(digitOf(key('#'), false)).toBe('#')
		expect(digitOf(key('5'), true)).toBeNull()
		expect(digitOf(key('5', { ctrlKey: true }), false)).toBeNull()
	})
})

describe('why no customer comes', () => {
	const mine = { state: 'running', takes_part: true, next_ms: 0, next_n: 0 }
	const at = (more: object) => ({ id: '1', name: 'x', why: 'empty', today: { dialled: 0, answered: 0, abandoned: 0 }, ...more }) as CampaignLive
	const ready = me('ready', { device_up: true })
	it('his own state goes first', () => {
		expect(whyLine(ready, { ...mine, takes_part: false }, at({})).key).toBe('why.away')
		expect(whyLine(me('offline'), mine, at({})).key).toBe('why.offline')
		expect(whyLine(me('break', { device_up: true }), mine, at({})).key).toBe('why.break')
		expect(whyLine(me('ready', { device_up: false }), mine, at({})).key).toBe('why.device')
		expect(whyLine(ready, { ...mine, state: 'paused' }, at({})).key).toBe('why.paused')
	})
	it('then what the project says, with its numbers', () => {
		expect(whyLine(ready, mine, at({}))).toEqual({ key: 'why.empty', tone: 'stop' })
		expect(whyLine(ready, { ...mine, next_ms: 5, next_n: 12 }, at({ why: 'later', at: 4 }))).toEqual({ key: 'why.later', tone: 'wait', n: 12, at: 5 })
		expect(whyLine(ready, mine, at({ why: 'pacing', answered: 1000, abandoned: 29, limit: 30 }))).toEqual({ key: 'why.pacing', tone: 'wait', now: '2.9', limit: '3' })
		expect(whyLine(ready, mine, at({ why: 'trunk', trunk: 'full' })).key).toBe('trunk.full')
		expect(whyLine(ready, mine, at({ why: 'something new' })).key).toBe('why.unknown')
	})
	it('every line is in words', () => {
		for (const k of ['away', 'offline', 'break', 'device', 'wrapup', 'call', 'paused', 'ended', 'stopping', 'no_members', 'nobody', 'dialling', 'busy', 'slow', 'asking', 'lines', 'connecting', 'pacing', 'empty', 'later', 'hours', 'guard', 'resting'])
			expect((zh.why as Record<string, string>)[k] && (en.why as Record<string, string>)[k]).toBeTruthy()
	})
	it('times are told as people do', () => {
		const now = new Date(2026, 10, 22, 15, 0).getTime()
		const t = (k: string, n: Record<string, unknown>) => `${k} ${String(n.t)}`
		expect(when(new Date(2026, 10, 22, 16, 5).getTime(), now, t)).toBe('16:05')
		expect(when(new Date(2026, 10, 23, 9, 0).getTime(), now, t)).toBe('dial.tomorrow 09:00')
		expect(whenBefore(new Date(2026, 10, 22, 10, 32).getTime(), now, t)).toBe('dial.today 10:32')
		expect(whenBefore(new Date(2026, 10, 20, 10, 32).getTime(), now, t)).toBe('11-20 10:32')
	})
})

describe('a project\'s script', () => {
	const names = namesOf([{ name: 'name', zh: '姓名', en: 'Name' }, { name: 'city', zh: '城市', en: 'City' }], { name: '张伟', city: '杭州' })
	it('has headings, points and the customer\'s data; what nobody knows stays', () => expect(parseScript('# 开场\n\n您好，{姓名}，{City}的{生日}？\n- 第一点', names)).toEqual([
		{ kind: 'head', text: '开场' }, { kind: 'text', text: '您好，张伟，杭州的{生日}？' }, { kind: 'point', text: '第一点' }]))
})
