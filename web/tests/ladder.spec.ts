import { describe, expect, it } from 'vitest'
import type { Trace, TraceMessage } from '@/api/types'
import { isKeeping, ladder, seconds, toneOf } from '@/sip/ladder'

const message = (part: Partial<TraceMessage>): TraceMessage => ({
	at_us: 0, leg: 0, out: false, again: false, transport: 'udp', local: '10.0.0.1:5060', remote: '10.0.0.9:5060', method: 'INVITE', code: 0, reason: '', cseq: 1, sdp: false, text: '', ...part,
})
const leg = (role: 'customer' | 'agent' | 'third', party: string, trunk: string | null = null) => ({ id: '1', call_id: '1', role, party, trunk, out: false, sip_id: 'x' })
const trace: Trace = {
	more: false, masked: false, legs: [leg('customer', '13800138000', '示例线路'), leg('agent', 'w7'), leg('agent', '8001'), leg('agent', 'w7')],
	messages: [
		message({ at_us: 1_000_000 }), message({ at_us: 1_004_600, leg: 1, out: true, transport: 'ws', remote: '10.0.0.5:4000' }),
		message({ at_us: 1_500_000, leg: 2, out: true }), message({ at_us: 2_000_000, leg: 3, out: false, code: 486, reason: 'Busy Here' }),
	],
}

describe('a ladder', () => {
	const l = ladder(trace, '话务')
	it('has the customer left, us between, each telephone once on the right', () =>
		expect(l.lanes.map(x => x.name)).toEqual(['示例线路', '话务', 'w7', '8001']))
	it('points from who spoke to who was spoken to', () =>
		expect(l.rungs.map(r => [r.from, r.to])).toEqual([[0, 1], [1, 2], [1, 3], [2, 1]]))
	it('counts time from the first message', () => expect(l.rungs.map(r => seconds(r.offsetMs))).toEqual(['0.000', '0.005', '0.500', '1.000']))
	it('says code and reason of an answer', () => expect(l.rungs.map(r => r.label)).toEqual(['INVITE', 'INVITE', 'INVITE', '486 Busy Here']))
	it('of a trunk has its addresses', () => expect(ladder(trace, 'us', true).lanes.map(x => x.name)).toEqual(['10.0.0.9', '10.0.0.5', 'us']))
	it('leaves out what is not asked for', () => expect(ladder(trace, 'us', true, m => m.code > 0).rungs).toHaveLength(1))
	it('of nothing is only us', () => expect(ladder({ ...trace, messages: [] }, 'us').lanes).toHaveLength(1))
})

it('colours: failures are red, being asked for a password is none, repeats are repeats', () => {
	expect([0, 180, 200, 302, 401, 407, 486, 503].map(code => toneOf(message({ code })))).toEqual(['ask', 'wait', 'good', 'bad', 'auth', 'auth', 'bad', 'bad'])
	expect(toneOf(message({ code: 200, again: true }))).toBe('again')
	expect(isKeeping(message({ method: 'OPTIONS' }))).toBe(true)
})
