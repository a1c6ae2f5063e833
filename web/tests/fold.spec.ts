import { describe, expect, it } from 'vitest'
import type { Agent, Call } from '@/api/types'
import { emptyLive, fold } from '@/live/fold'

const agent = (id: string, state: Agent['state']): Agent => ({ id, state, name: id, extension: '', staff_no: null, seat: null, newcomer: false, team_id: null, team: null, role: 'agent', at_desk: true, pending: null, reason: null, since_ms: 0, until_ms: 0, device: null, devices: [], device_up: true, noted: false, preview: null, rest: null, slots: null, call_id: null, queue_id: null, today: { answered: 0, talk_ms: 0, missed: 0 } })
const call = (id: string, agentId: string | null, state: Call['state'] = 'ringing'): Call => ({ id, dir: 'in', state, from: '1', to: '2', name: null, region: null, number_id: null, queue_id: null, queue: null, campaign_id: null, campaign: null, agent_id: agentId, agent: null, customer: null, repeat: null, start_ms: 0, since_ms: 0, recording: false, noted: false, trouble: null, move: null, offer: null, parties: [], hand: null, texts: [] })

describe('fold', () => {
	it('keeps alarms by kind and object until they are over', () => {
		const l = emptyLive()
		const a = (object: string, on: boolean) => ({ what: 'trunk_down', object, name: 'T', detail: 'silent 408', on, since_ms: 1, cleared_ms: on ? null : 2 })
		fold(l, '1', 'alarm', a('7', true), 0)
		fold(l, '1', 'alarm', a('8', true), 0)
		fold(l, '1', 'alarm', a('7', false), 0)
		expect([...l.alarms.keys()]).toEqual(['trunk_down/8'])
	})

	it('knows what projects do until they are over', () => {
		const l = emptyLive()
		const c = (id: string, why: string) => ({ id, name: 'P', why, today: { dialled: 0, answered: 0, abandoned: 0 } })
		fold(l, '1', 'campaign', c('7', 'empty'), 0)
		fold(l, '1', 'campaign', c('7', 'dialling'), 0)
		fold(l, '1', 'campaign', c('8', 'paused'), 0)
		expect(l.campaigns.get('7')?.why).toBe('dialling')
		fold(l, '1', 'gone', { kind: 'campaign', id: '7' }, 0)
		expect([...l.campaigns.keys()]).toEqual(['8'])
	})

	it('takes a snapshot whole and learns the server clock', () => {
		const l = emptyLive()
		l.agents.set('old', agent('old', 'ready'))
		fold(l, '1', 'snapshot', { now_ms: 5000, me: agent('1', 'ready'), call: null, agents: [agent('1', 'ready')], queues: [], calls: [] }, 3000)
		expect([...l.agents.keys()]).toEqual(['1'])
		expect(l.skewMs).toBe(2000)
		expect(l.loaded).toBe(true)
	})
	it('keeps my own agent object', () => {
		const l = emptyLive()
		fold(l, '1', 'agent', agent('2', 'talking'), 0)
		expect(l.me).toBeNull()
		fold(l, '1', 'agent', agent('1', 'break'), 0)
		expect(l.me?.state).toBe('break')
	})
	it('my call goes when it is offered to another agent', () => {
		const l = emptyLive()
		fold(l, '1', 'call', call('c', '1'), 0)
		expect(l.call?.id).toBe('c')
		fold(l, '1', 'call', call('c', '2'), 0)
		expect(l.call).toBeNull()
		expect(l.calls.has('c')).toBe(true)
	})
	it('an ended or gone call leaves nothing behind', () => {
		const l = emptyLive()
		fold(l, '1', 'call', call('c', '1', 'talking'), 0)
		fold(l, '1', 'call', call('c', '1', 'ended'), 0)
		expect([l.call, l.calls.size]).toEqual([null, 0])
		fold(l, '1', 'call', call('d', '1', 'talking'), 0)
		fold(l, '1', 'gone', { kind: 'call', id: 'd' }, 0)
		expect([l.call, l.calls.size]).toEqual([null, 0])
	})
	it('the end of another call does not touch mine', () => {
		const l = emptyLive()
		fold(l, '1', 'call', call('c', '1', 'talking'), 0)
		fold(l, '1', 'gone', { kind: 'call', id: 'x' }, 0)
		expect(l.call?.id).toBe('c')
	})
})
