/* Hearing calls from this page: which call, how, and the telephone for it, which starts when it is first wanted. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { i18n } from '@/i18n'
import { api } from '@/api/client'
import type { Call } from '@/api/types'
import { bad, tryIt } from '@/components/say'
import { usePhone } from '@/phone/phone'
import { useSession } from '@/stores/session'
import { useLive } from './live'

export type How = 'listen' | 'whisper' | 'join'
export const HOWS: How[] = ['listen', 'whisper', 'join']
const LINE_MS = 15_000
const GIVE_UP_MS = 20_000

export const useListen = defineStore('listen', () => {
	const t = i18n.global.t
	const live = useLive()
	const phone = usePhone()
	const session = useSession()
	/** What was asked for and is not there yet; take: the agent's place as soon as it is. */
	const wanted = ref<{ callId: string; how: How; take: boolean } | null>(null)
	let giveUp: ReturnType<typeof setTimeout> | undefined

	const me = computed(() => session.user?.id ?? '')
	const ways = computed(() => HOWS.filter(h => session.may(h)))
	const mayTake = computed(() => session.may('join') && session.may('desk'))
	const now = computed(() => {
		for (const call of live.live.calls.values()) {
			const party = call.parties.find(p => p.user_id === me.value)
			if (party)
				return { call, party }
		}
		return null
	})
	/** A call that he has taken over, on a page without a desk. */
	const own = computed(() => (!session.atDesk && live.live.call && ['talking', 'held'].includes(live.live.call.state) ? live.live.call : null))
	const canHear = (c: Call) => ways.value.length > 0 && ['talking', 'held'].includes(c.state) && !!c.agent_id && c.agent_id !== me.value

	/** The browser's telephone, unless he has logged in with one on his desk. */
	function line(): Promise<boolean> {
		if (live.live.me?.device && !/^w\d+$/.test(live.live.me.device))
			return Promise.resolve(true)
		if (phone.link === 'off' || phone.link === 'refused')
			phone.start(me.value, { held: () => !now.value && !own.value })
		return new Promise(done => {
			const end = (ok: boolean) => {
				clearTimeout(timer)
				stop()
				done(ok)
			}
			const timer = setTimeout(() => end(false), LINE_MS)
			const stop = watch(() => phone.link, l => (l === 'up' || l === 'other' ? setTimeout(() => end(true)) : l === 'refused' && setTimeout(() => end(false))), { immediate: true })
		})
	}

	async function start(callId: string, how: How, take = false) {
		clearTimeout(giveUp)
		phone.unlock()
		if (take && now.value?.call.id === callId) {
			await tryIt(() => api.floor.takeOver(callId))
			return
		}
		wanted.value = { callId, how, take }
		const ready = await line()
		if (wanted.value?.callId !== callId)
			return
		if (!ready) {
			wanted.value = null
			bad(t('listen.no_line'))
			return
		}
		phone.expectDial()
		if (!await tryIt(() => api.floor.listen(callId, how)))
			wanted.value = null
		giveUp = setTimeout(() => (wanted.value = null), GIVE_UP_MS)
	}

	async function stop() {
		const callId = now.value?.call.id ?? wanted.value?.callId
		wanted.value = null
		if (callId)
			await tryIt(() => api.floor.end(callId))
	}

	watch([now, wanted], () => {
		const w = wanted.value
		if (!w || now.value?.call.id !== w.callId || now.value.party.how !== w.how)
			return
		wanted.value = null
		clearTimeout(giveUp)
		if (w.take)
			void tryIt(() => api.floor.takeOver(w.callId))
	})

	return { wanted, ways, mayTake, now, own, canHear, start, stop }
})
