/*
 * Who is at the other end, and the note about it: of the call that rings or runs, of the one that is wrapped up, or of one whose note is missing
 * and is being written now.
 */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { api } from '@/api/client'
import type { CallRow, Pop } from '@/api/types'
import { useLive } from '@/live/live'
import { useDrafts } from '@/note/drafts'
import { useNoteLists } from '@/note/lists'
import { beforeMs, isEmpty, merged, readDraft, type Note } from '@/note/note'
import { useSession } from '@/stores/session'
import { useDesk } from './useDesk'
import { useDialling } from './useDialling'

const PAGE = 12 // as many calls and notes as the server sends at once
const WRITTEN_MS = 700 // the end of a call is in the records by then

export const usePop = defineStore('pop', () => {
	const desk = useDesk()
	const live = useLive()
	const dialling = useDialling()
	const lists = useNoteLists()
	const drafts = useDrafts()
	const session = useSession()
	const data = ref<Pop | null>(null)
	const state = ref<'loading' | 'there' | 'failed' | ''>('')
	const missing = ref<{ total: number; items: CallRow[] }>({ total: 0, items: [] })
	/** A past call whose note is being written. */
	const filling = ref<CallRow | null>(null)
	/** What was known of the call that has just ended. */
	const ended = ref<{ id: string; queueId: string | null; campaignId: string | null; answered: boolean } | null>(null)

	const working = computed(() => desk.scene === 'incoming' || desk.scene === 'call')
	const wrapping = computed(() => desk.scene === 'wrapup' && !!(desk.me?.call_id ?? ended.value?.id))
	/** Whom he is shown before she is dialled. */
	const preview = computed(() => dialling.preview)
	// The call is gone a moment before its agent is in the wrap-up.
	const callId = computed(() => (working.value ? desk.call?.id ?? (desk.scene === 'call' ? ended.value?.id : '') : wrapping.value ? desk.me?.call_id ?? ended.value?.id : preview.value ? preview.value.call_id : filling.value?.id) ?? '')
	const queueId = computed(() => (working.value ? desk.call?.queue_id : wrapping.value ? (ended.value?.id === callId.value ? ended.value.queueId : desk.me?.queue_id) : filling.value?.queue_id) ?? null)
	/** The project that this call is made for; '' for any other. */
	const campaignId = computed(() => {
		const last = ended.value?.id === callId.value ? ended.value.campaignId : null
		const now = preview.value && !working.value && !wrapping.value ? preview.value.campaign_id : working.value ? desk.call?.campaign_id ?? last : last
		return now ?? (data.value?.campaign?.now ? data.value.campaign.campaign_id : '')
	})
	const campaign = computed(() => dialling.find(campaignId.value))
	const campaignName = computed(() => (campaignId.value ? campaign.value?.name ?? preview.value?.campaign ?? desk.call?.campaign ?? (data.value?.campaign?.now ? data.value.campaign.name : '') : ''))
	/** A customer who calls, whom we have dialled lately. */
	const ringBack = computed(() => (working.value && desk.call?.dir === 'in' && data.value?.campaign && !data.value.campaign.now ? data.value.campaign : null))
	const script = computed(() => (campaignId.value ? campaign.value?.script ?? (data.value?.campaign?.now ? data.value.campaign.script : '') : (ringBack.value?.script ?? '')))
	const answered = computed(() => (working.value ? desk.call?.dir !== 'out' || ['talking', 'held'].includes(desk.call.state) : wrapping.value ? ended.value?.id !== callId.value || ended.value.answered : true))
	/** Notes about this call, which stand above the form. */
	const own = computed<Note[]>(() => ((data.value?.notes ?? []) as Note[]).filter(n => n.call_id === callId.value && n.user_id === session.user?.id))
	const customer = computed(() => data.value?.customer ?? null)
	const others = computed(() => missing.value.items.filter(c => c.id !== callId.value))
	const othersTotal = computed(() => Math.max(0, missing.value.total - (missing.value.items.length - others.value.length)))
	// The customer is his now: what who sent him had typed goes on in his own note, unless he has begun one.
	const taken = ref('')
	watch(() => [data.value?.passed_draft, desk.call?.agent_id, desk.call?.state] as const, ([passed, agentId, state]) => {
		const id = callId.value
		const key = `call:${id}`
		if (!passed || agentId !== session.user?.id || state !== 'talking' || taken.value === id)
			return
		if (!hasDraft(id)) {
			drafts.put(key, readDraft(passed))
			taken.value = id
		}
	})
	const hasDraft = (id: string) => {
		const d = drafts.drafts.get(`call:${id}`)
		return !!d && !isEmpty(d)
	}

	async function load(quiet = false) {
		const id = callId.value
		if (!id) {
			data.value = null
			state.value = ''
			return
		}
		if (!quiet) {
			data.value = null
			state.value = 'loading'
		}
		try {
			const found = await api.notes.pop({ call_id: id })
			if (callId.value !== id)
				return
			data.value = found
			state.value = 'there'
		} catch {
			if (callId.value === id && !quiet)
				state.value = 'failed'
		}
	}
	const loadingMore = ref(false)
	async function more() {
		const d = data.value
		const id = callId.value
		if (!d?.more || loadingMore.value)
			return
		loadingMore.value = true
		try {
			const older = await api.notes.pop({ call_id: id, before_ms: beforeMs(d.calls, d.notes, PAGE) })
			if (callId.value === id && data.value)
				data.value = { ...data.value, calls: merged(data.value.calls, older.calls), notes: merged(data.value.notes, older.notes), more: older.more }
		} catch {
			/* asked again at the next scrolling */
		} finally {
			loadingMore.value = false
		}
	}
	async function loadMissing() {
		try {
			missing.value = await api.notes.missing()
		} catch { /* what was known stays */ }
	}
	function start() {
		void lists.load()
		void drafts.load()
		void loadMissing()
		dialling.start()
	}
	function fill(c: CallRow | null) {
		filling.value = c
	}

	watch(callId, () => void load(), { immediate: true })
	// The dial itself may not have been in the records when its call came.
	watch(answered, now => now && campaignId.value && data.value && !data.value.campaign?.now && void load(true))
	watch(() => desk.call, c => {
		if (c && ['talking', 'held'].includes(c.state))
			ended.value = { id: c.id, queueId: c.queue_id, campaignId: c.campaign_id, answered: true }
		else if (c && ended.value?.id !== c.id)
			ended.value = { id: c.id, queueId: c.queue_id, campaignId: c.campaign_id, answered: false }
	}, { immediate: true })
	watch(() => desk.scene, (now, before) => {
		if (now === 'incoming' || now === 'call') {
			filling.value = null
			void lists.load()
		}
		if (before === 'call' || before === 'wrapup')
			setTimeout(async () => {
				await loadMissing()
				// The wrap-up's time is over in the middle of a sentence: the sentence stays where it is.
				const cut = before === 'wrapup' && now !== 'incoming' && now !== 'call' ? missing.value.items.find(c => c.id === ended.value?.id && hasDraft(c.id)) : undefined
				if (cut && !working.value && !filling.value)
					filling.value = cut
			}, before === 'call' ? WRITTEN_MS : 0)
	})
	watch(() => live.note, n => {
		void loadMissing()
		if (n && (n.call_id === callId.value || (n.customer_id && n.customer_id === customer.value?.id)))
			void load(true)
	})
	/** A new customer of nobody's, on the line: he may be given to the next in the team's turn. */
	const canTurn = computed(() => desk.scene === 'call' && ['talking', 'held'].includes(desk.call?.state ?? '') && desk.call?.dir === 'in' && state.value === 'there' && !customer.value?.owner_id)
	const turning = ref(false)
	async function turn() {
		if (!canTurn.value || turning.value)
			return null
		turning.value = true
		try {
			const r = await api.desk.turn(callId.value)
			void load(true)
			return r
		} finally {
			turning.value = false
		}
	}
	return { taken, preview, campaignId, campaign, campaignName, ringBack, script, canTurn, turning, turn, data, state, missing, filling, working, wrapping, callId, queueId, answered, own, customer, others, othersTotal, hasDraft, load, more, loadingMore, loadMissing, start, fill }
})
