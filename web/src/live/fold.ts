/* Folds live objects as they arrive. Pure: the store in live.ts holds the state and draws from it. */
import type { Agent, Alarm, Call, CampaignLive, Queue, TrunkStatus } from '@/api/types'
import { alarmKey } from './alarms'

export interface Live {
	me: Agent | null
	call: Call | null
	agents: Map<string, Agent>
	queues: Map<string, Queue>
	calls: Map<string, Call>
	/** what projects do: all of them for who watches the floor, else one's own */
	campaigns: Map<string, CampaignLive>
	trunks: Map<string, TrunkStatus>
	/** those that stand, by kind and object */
	alarms: Map<string, Alarm>
	/** server's clock minus ours, ms */
	skewMs: number
	loaded: boolean
}

export function emptyLive(): Live {
	return { me: null, call: null, agents: new Map(), queues: new Map(), calls: new Map(), campaigns: new Map(), trunks: new Map(), alarms: new Map(), skewMs: 0, loaded: false }
}

interface Snapshot { now_ms: number; me?: Agent | null; call?: Call | null; agents?: Agent[]; queues?: Queue[]; calls?: Call[]; campaigns?: CampaignLive[]; trunks?: TrunkStatus[]; alarms?: Alarm[] }

const byId = <T extends { id: string }>(items: T[] = []) => new Map(items.map(i => [i.id, i]))

/** He has it, or is in it: as who called, as whom its agent asks, as who is to get it. */
const isMine = (live: Live, c: Call, myId: string) => c.agent_id === myId || (!!live.me && live.me.call_id === c.id && ['talking', 'ringing'].includes(live.me.state))

/** @myId is the user's id: his own agent object and call are kept apart from the floor. */
export function fold(live: Live, myId: string, event: string, data: unknown, nowMs: number) {
	switch (event) {
	case 'snapshot': {
		const s = data as Snapshot
		live.agents = byId(s.agents)
		live.queues = byId(s.queues)
		live.calls = byId(s.calls)
		live.campaigns = byId(s.campaigns)
		live.trunks = byId(s.trunks)
		live.alarms = new Map((s.alarms ?? []).map(a => [alarmKey(a), a]))
		live.me = s.me ?? null
		live.call = s.call ?? null
		live.skewMs = s.now_ms - nowMs
		live.loaded = true
		break
	}
	case 'agent': {
		const a = data as Agent
		live.agents.set(a.id, a)
		if (a.id === myId) {
			live.me = a
			if (live.call && !isMine(live, live.call, myId))
				live.call = null
			const now = a.call_id ? live.calls.get(a.call_id) : undefined
			if (!live.call && now && isMine(live, now, myId))
				live.call = now
		}
		break
	}
	case 'queue': {
		const q = data as Queue
		live.queues.set(q.id, q)
		break
	}
	case 'call': {
		const c = data as Call
		if (c.state === 'ended')
			live.calls.delete(c.id)
		else
			live.calls.set(c.id, c)
		if (c.state !== 'ended' && isMine(live, c, myId))
			live.call = c
		else if (live.call?.id === c.id)
			live.call = null
		break
	}
	case 'campaign': {
		const c = data as CampaignLive
		live.campaigns.set(c.id, c)
		break
	}
	case 'trunk': {
		const t = data as TrunkStatus
		live.trunks.set(t.id, t)
		break
	}
	case 'alarm': {
		const a = data as Alarm
		if (a.on)
			live.alarms.set(alarmKey(a), a)
		else
			live.alarms.delete(alarmKey(a))
		break
	}
	case 'gone': {
		const g = data as { kind: string; id: string }
		if (g.kind === 'call') {
			live.calls.delete(g.id)
			if (live.call?.id === g.id)
				live.call = null
		} else if (g.kind === 'agent') {
			live.agents.delete(g.id)
		} else if (g.kind === 'queue') {
			live.queues.delete(g.id)
		} else if (g.kind === 'campaign') {
			live.campaigns.delete(g.id)
		} else if (g.kind === 'trunk') {
			live.trunks.delete(g.id)
		}
		break
	}
	}
}
