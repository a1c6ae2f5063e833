/* The desk's actions: what a key or a button does. The server decides; the page shows what it says. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { i18n } from '@/i18n'
import { api, resource } from '@/api/client'
import type { Break, CallRow, Lookup } from '@/api/types'
import { ask, bad, good, tryIt } from '@/components/say'
import { useLive } from '@/live/live'
import { callAttention, stopAttention } from '@/phone/attention'
import { usePhone } from '@/phone/phone'
import { useSession } from '@/stores/session'
import { allowed, cleanNumber, isMasked, party, samePhone, sceneOf, type Action } from './desk'

const EXTEND_MS = 30_000
const RECENT = 8
const WRITTEN_MS = 500 /* the end of a call is in the history by then */

export const useDesk = defineStore('desk', () => {
	const t = i18n.global.t
	const live = useLive()
	const phone = usePhone()
	const session = useSession()
	const breaks = ref<Break[]>([])
	const lookup = ref<Lookup | null>(null)
	const lookingUp = ref(false)
	const recent = ref<CallRow[] | null>(null)
	const dialled = ref('')
	const sent = ref('')
	const keypad = ref(false)
	/** The call before, for fault reports. */
	const lastCall = ref('')

	const me = computed(() => live.live.me)
	const call = computed(() => live.live.call)
	const scene = computed(() => sceneOf(me.value, call.value))
	const can = computed(() => allowed(me.value, call.value, { link: phone.link, call: phone.call }))
	const who = computed(() => (call.value ? party(call.value, me.value?.extension) : { name: null, number: null }))
	/* The device that rings: '' is this browser. Before log-in it is what was chosen last, as long as it is still his. */
	const wanted = ref('')
	const device = computed(() => (me.value?.device ? (/^w\d+$/.test(me.value.device) ? '' : me.value.device) : wanted.value))
	const deviceChoices = computed(() => [{ name: '', up: phone.link === 'up' }, ...(me.value?.devices ?? [])])
	const deviceUp = computed(() => (me.value?.device ? me.value.device_up : !!deviceChoices.value.find(d => d.name === device.value)?.up))
	const mayChoose = computed(() => !call.value && !['incoming', 'call'].includes(scene.value))
	const deviceAway = computed(() => me.value?.state === 'break' && me.value.reason === 'device')
	/** Another one that is there, to be offered when the chosen one is not. */
	const otherDevice = computed(() => deviceChoices.value.find(d => d.up && d.name !== device.value) ?? null)
	const title = computed(() => who.value.name || who.value.number || t('desk.new_caller'))

	async function load() {
		const [desk, calls] = await Promise.all([api.desk.get(), api.calls.list({ limit: RECENT })])
		breaks.value = desk.breaks
		wanted.value = desk.me?.devices.some(d => d.name === desk.last_device) ? desk.last_device! : ''
		recent.value = calls.items
	}

	async function ready() {
		phone.unlock()
		if (me.value?.state === 'offline')
			await tryIt(() => api.desk.login(true, device.value))
		else
			await tryIt(() => api.desk.ready())
	}

	/** @andReady: he was away only because the other one was gone. */
	async function choose(name: string, andReady = deviceAway.value) {
		wanted.value = name
		if (me.value?.state === 'offline')
			return
		await tryIt(async () => {
			await api.desk.login(false, name)
			if (andReady && deviceChoices.value.find(d => d.name === name)?.up)
				await api.desk.ready()
		}, name ? t('device.changed_phone', { name }) : t('device.changed_browser'))
	}

	async function testRing() {
		if (!device.value)
			phone.testRing()
		else if (await tryIt(() => api.desk.ring(device.value)))
			good(t('device.ringing', { name: device.value }))
	}

	async function takeBreak(reason: string) {
		await tryIt(async () => {
			if (me.value?.state === 'offline')
				await api.desk.login(false, device.value)
			await api.desk.takeBreak(reason)
		})
	}

	async function signOut() {
		if (await ask(t('desk.sign_out_ask'), t('desk.sign_out'), false))
			await tryIt(() => api.desk.logout())
	}

	async function hangup() {
		if (!await tryIt(() => api.desk.hangup()))
			phone.hangupLocally()
	}

	async function dial(text: string): Promise<boolean> {
		const number = cleanNumber(text)
		if (!number) {
			bad(t('desk.dial_empty'))
			return false
		}
		phone.expectDial()
		dialled.value = number
		return tryIt(() => api.desk.dial({ number }))
	}

	/** The server knows the number, which who dials may not. @phoneId: which of his telephones; the main one without. */
	async function dialCustomer(customerId: string, phoneId?: string): Promise<boolean> {
		phone.expectDial()
		dialled.value = ''
		return tryIt(() => api.desk.dial({ customer_id: customerId, ...(phoneId ? { phone_id: phoneId } : {}) }))
	}

	/** May he call the other side of this call again: a known customer, or a number that he sees and may key? */
	const mayCallBack = (c: CallRow) => !!party(c).number && (!!c.customer_id || (session.may('dial') && !isMasked(party(c).number!)))

	/** The telephone of the customer that this call was with, or his main one. */
	async function callBack(c: CallRow): Promise<boolean> {
		const number = party(c).number ?? ''
		if (!c.customer_id || (session.may('dial') && !isMasked(number)))
			return dial(number)
		const row = await resource.get('customers', c.customer_id).catch(() => null)
		const phones = (row?.phones ?? []) as { id: string; number: string }[]
		return dialCustomer(c.customer_id, phones.find(p => samePhone(p.number, number))?.id)
	}

	let digitQueue = Promise.resolve()
	function digit(d: string) {
		phone.keySound(d)
		sent.value = (sent.value + d).slice(-24)
		digitQueue = digitQueue.then(async () => void await tryIt(() => api.desk.digits(d)))
	}

	const run: Record<Action, () => unknown> = {
		ready, break: () => takeBreak(breaks.value[0]?.code ?? 'break'), offline: signOut,
		answer: () => phone.answer(), refuse: () => tryIt(() => api.desk.refuse()), hangup,
		hold: () => tryIt(() => api.desk.hold()), resume: () => tryIt(() => api.desk.resume()),
		mute: () => phone.setMuted(!phone.muted), digits: () => (keypad.value = !keypad.value), dial: () => {},
		wrapEnd: () => tryIt(() => api.desk.wrapupEnd()), wrapExtend: () => tryIt(() => api.desk.wrapupExtend(EXTEND_MS), t('desk.extended')),
	}

	/** Does it if it is possible now; true when it was. */
	function act(a: Action): boolean {
		if (!can.value.has(a))
			return false
		void run[a]()
		return true
	}

	// Past calls are looked up as soon as the call is known, so that they stand there before the answer.
	watch(() => call.value?.id, async id => {
		if (id)
			lastCall.value = id
		sent.value = ''
		keypad.value = false
		const number = who.value.number
		lookup.value = null
		if (!id || !number)
			return
		lookingUp.value = true
		try {
			const found = await api.lookup(number)
			if (call.value?.id === id)
				lookup.value = { ...found, calls: found.calls.filter(c => c.id !== id) }
		} catch {
			/* the card then shows no past calls; the call matters more */
		} finally {
			lookingUp.value = false
		}
	}, { immediate: true })

	// Signs in again as what we were; ready only who was ready and had asked for nothing else.
	watch(() => [live.restarted, phone.link] as const, async ([was, link]) => {
		if (!was || link !== 'up')
			return
		live.restarted = null
		if (me.value?.state !== 'offline' || was.pending === 'offline')
			return
		await tryIt(async () => {
			await api.desk.login(was.state === 'ready' && !was.pending, was.device && !/^w\d+$/.test(was.device) ? was.device : '')
			if (was.state === 'break' && was.reason && breaks.value.some(b => b.code === was.reason))
				await api.desk.takeBreak(was.reason)
		})
	})

	// Who was muted in the last call must be heard in the next one, though the telephone stays connected.
	watch(() => call.value?.id, () => phone.call?.kept && phone.setMuted(false))

	watch(scene, (now, before) => {
		if (now === 'incoming' && !(call.value?.campaign_id && phone.call?.kept))
			callAttention(t('phone.notify_title', { who: title.value }), call.value?.id ?? '')
		else
			stopAttention()
		if ((before === 'call' || before === 'incoming') && now !== 'call')
			setTimeout(() => api.calls.list({ limit: RECENT }).then(r => (recent.value = r.items), () => {}), WRITTEN_MS)
	})

	return { device, deviceChoices, deviceUp, deviceAway, mayChoose, otherDevice, choose, testRing, breaks, lookup, lookingUp, recent, dialled, sent, keypad, lastCall, me, call, scene, can, who, title, load, act, takeBreak, dial, dialCustomer, mayCallBack, callBack, digit }
})
