/* What the desk may do in each state. Pure: the page draws it, the server has the last word. */
import type { Agent, Call } from '@/api/types'
import type { Link, PhoneCall } from '@/phone/phone'

export type Action = 'ready' | 'break' | 'offline' | 'answer' | 'refuse' | 'hangup' | 'hold' | 'resume' | 'mute' | 'digits' | 'dial' | 'wrapEnd' | 'wrapExtend'
export type Scene = 'offline' | 'ready' | 'incoming' | 'call' | 'wrapup' | 'break' | 'noanswer' | 'reserved'

/** It rings at his telephone, though the core counts him as taken: a colleague calls, or it is sent to him, or he is to be asked. */
function ringsFor(me: Agent, call: Call): boolean {
	if (call.move?.state === 'ringing' && call.move.to_id === me.id)
		return true
	return call.state === 'ringing' && call.agent_id === me.id && !call.campaign_id && (call.dir === 'in' || (call.dir === 'internal' && call.from !== me.extension))
}

export function sceneOf(me: Agent | null, call: Call | null): Scene {
	if (!me)
		return 'offline'
	if (me.state === 'ringing')
		return 'incoming'
	if (me.state === 'talking')
		return call && ringsFor(me, call) ? 'incoming' : 'call'
	// A call the agent dialled himself may already be there before his state says so.
	if (call && call.state !== 'ended' && call.dir === 'out' && me.state !== 'wrapup')
		return 'call'
	return me.state
}

export function allowed(me: Agent | null, call: Call | null, phone: { link: Link; call: PhoneCall | null }): Set<Action> {
	const can = new Set<Action>()
	if (!me)
		return can
	const scene = sceneOf(me, call)
	const idle = scene === 'ready' || scene === 'break' || scene === 'noanswer' || scene === 'wrapup'
	if (scene === 'offline' || scene === 'break' || scene === 'noanswer' || me.pending)
		can.add('ready')
	if (me.state !== 'break' && me.pending !== 'break')
		can.add('break')
	if (scene !== 'offline' && me.pending !== 'offline')
		can.add('offline')
	if (scene === 'incoming') {
		can.add('refuse')
		if (phone.call?.phase === 'incoming')
			can.add('answer')
	}
	if (scene === 'call') {
		can.add('hangup')
		if (call?.state === 'talking')
			can.add('hold')
		if (call?.state === 'held')
			can.add('resume')
		if (phone.call?.phase === 'up')
			can.add('mute')
		if (call?.state === 'talking')
			can.add('digits')
	}
	if (scene === 'wrapup')
		can.add('wrapEnd').add('wrapExtend')
	if (idle)
		can.add('dial')
	return can
}

/** Who is at the other end: the customer when it is known whose call it is, else what the telephone network says. */
export function party(call: Pick<Call, 'dir' | 'from' | 'to' | 'name'> & { customer?: Call['customer'] | string }, extension?: string): { name: string | null; number: string | null } {
	const customer = typeof call.customer === 'string' ? call.customer : call.customer?.name
	return { name: customer || call.name, number: (call.dir === 'out' || (call.dir === 'internal' && !!extension && call.from === extension) ? call.to : call.from) || null }
}

/** Only what a telephone can dial; keeps a leading +. */
export function cleanNumber(text: string): string {
	const half = text.normalize('NFKC').trim()
	return (half.startsWith('+') ? '+' : '') + half.replace(/[^0-9*#]/g, '')
}

/** Some of its digits are stars: it is for the eye, not for a telephone. One star alone is a key. */
export const isMasked = (number: string) => number.includes('**')

const plain = (number: string) => number.replace(/^(\+86|0086)/, '').replace(/^0(?=1\d{2})/, '')
/** The same telephone, however it is written; of masks: it looks the same. */
export const samePhone = (a: string, b: string) => plain(a) === plain(b)
