/* The list of to-dos as it is now: asked for when something of it has changed, and once a minute, since some come by time alone. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { resource, todos as calls } from '@/api/client'
import { bad, good } from '@/components/say'
import { i18n } from '@/i18n'
import { useDesk } from '@/desk/useDesk'
import { useLive } from '@/live/live'
import { useMeta } from '@/resource/meta'
import { useSession } from '@/stores/session'
import { dueCount, keyOf, markTold, stale, toTell, type Todo, type Todos } from './todo'

const POLL_MS = 60_000
const KEY = 'huawu.todos.told'
const TOLD_MAX = 300
const SOON_MS = 300 /* several changes at once are one */

export const useTodos = defineStore('todos', () => {
	const t = i18n.global.t
	const live = useLive()
	const desk = useDesk()
	const metas = useMeta()
	const session = useSession()
	const items = ref<Todo[]>([])
	const mates = ref<Todos['mates']>([])
	const rules = ref<Todos['rules']>({ grace_min: 15, off_rule: 'team', remind_min: 0, visit_hours: 24 })
	const more = ref(false)
	const loaded = ref(false)
	const error = ref('')
	const told = reactive(new Set<string>(JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as string[])) /* a reload tells nothing twice */
	/** What the pop-up shows. */
	const shown = ref<string[]>([])
	let timer: ReturnType<typeof setTimeout> | undefined
	let asked = 0

	const has = computed(() => !!metas.find('callbacks'))
	const due = computed(() => dueCount(items.value, live.nowMs))
	/** In a call, or about to be: nothing pops up. */
	const busy = computed(() => !!live.live.call || ['talking', 'ringing', 'reserved'].includes(live.live.me?.state ?? ''))
	const telling = computed(() => (busy.value ? [] : shown.value.map(k => items.value.find(x => keyOf(x) === k)).filter((x): x is Todo => !!x)))

	async function load() {
		clearTimeout(timer)
		timer = setTimeout(load, POLL_MS)
		if (!has.value || !session.user)
			return
		const mine = ++asked
		try {
			const r = await calls.get()
			if (mine !== asked)
				return
			items.value = r.items ?? []
			mates.value = r.mates ?? []
			rules.value = r.rules ?? rules.value
			more.value = !!r.more
			if (!loaded.value)
				markTold(told, stale(items.value, live.nowMs))
			loaded.value = true
			error.value = ''
		} catch (e) {
			error.value = (e as Error).message
		}
	}
	function later() {
		clearTimeout(timer)
		timer = setTimeout(load, SOON_MS)
	}
	watch(has, there => there && void load(), { immediate: true })
	watch(() => [live.todoChanges, live.live.me?.today.missed, live.live.call?.id], later)
	watch(() => session.user?.id, (id, before) => {
		items.value = []
		shown.value = []
		if (before) {
			told.clear()
			sessionStorage.removeItem(KEY)
		}
		loaded.value = false
		if (id)
			later()
	})

	watch(() => [items.value, live.nowMs, busy.value] as const, () => {
		const now = toTell(items.value, told, live.nowMs, rules.value.remind_min, busy.value)
		if (!now.length)
			return
		markTold(told, now)
		sessionStorage.setItem(KEY, JSON.stringify([...told].slice(-TOLD_MAX)))
		shown.value = [...shown.value.filter(k => items.value.some(x => keyOf(x) === k)), ...now.map(keyOf)]
	})
	const dismiss = (x?: Todo) => (shown.value = x ? shown.value.filter(k => k !== keyOf(x)) : [])

	/* ---- what is done with one ---- */

	/** Runs it, says what came of it, and asks for the list again. */
	async function run(action: () => Promise<unknown>, done = ''): Promise<boolean> {
		try {
			await action()
			if (done)
				good(done)
			return true
		} catch (e) {
			bad((e as Error).message || t('app.failed'))
			return false
		} finally {
			await load()
		}
	}
	const table = (x: Todo) => (x.kind === 'callback' || x.kind === 'hand' ? 'callbacks' : x.kind === 'follow' ? 'deals' : 'visits')
	const patch = (x: Todo, p: Record<string, unknown>, done: string) => run(() => resource.update(table(x), x.id, x.rev, p), done)
	const take = (x: Todo) => run(() => calls.take(x.id), t('sales.todo.taken'))

	const canDial = (x: Todo) => desk.can.has('dial') && (!!x.customer_id || (!!x.phone && session.may('dial') && !x.phone.includes('*')))
	/** Who calls for a mate has taken it. */
	async function dial(x: Todo) {
		if (!canDial(x))
			return false
		if (x.why !== 'own' && table(x) === 'callbacks' && !await take(x))
			return false
		dismiss(x)
		return x.customer_id ? desk.dialCustomer(x.customer_id, x.phone_id ?? undefined) : desk.dial(x.phone!)
	}
	const canFinish = (x: Todo) => x.why === 'own' || x.why === 'lead'
	function finish(x: Todo) {
		dismiss(x)
		switch (x.kind) {
		case 'missed': return run(() => calls.missed(x.id, null), t('sales.todo.dealt'))
		case 'confirm': return patch(x, { state: 'confirmed' }, t('sales.todo.confirmed'))
		case 'visit': return patch(x, { state: 'arrived' }, t('sales.todo.arrived'))
		case 'second': return patch(x, { again: 'dropped' }, t('sales.todo.not_again'))
		case 'follow': return patch(x, { follow: 'done' }, t('sales.todo.followed'))
		default: return patch(x, { state: 'done' }, t('sales.todo.done_said'))
		}
	}
	/** Only what is a call: a visit's time is the customer's, too. */
	const canMove = (x: Todo) => ['callback', 'hand', 'missed'].includes(x.kind) && (x.why === 'own' || x.why === 'ask')
	function move(x: Todo, ms: number) {
		dismiss(x)
		return x.kind === 'missed' ? run(() => calls.missed(x.id, ms), t('sales.todo.moved')) : patch(x, { due_ms: ms }, t('sales.todo.moved'))
	}
	const canHand = (x: Todo) => table(x) === 'callbacks' && x.kind !== 'missed' && (x.why === 'own' || x.why === 'ask') && mates.value.length > 0
	const hand = (x: Todo, userId: string, reason: string | null) => run(() => calls.hand(x.id, userId, reason), t('sales.todo.handed', { name: mates.value.find(m => m.id === userId)?.name ?? '' }))

	return { items, mates, rules, more, loaded, error, has, due, busy, telling, dismiss, load, run, take, canTake: (x: Todo) => ['team', 'away', 'open', 'ask'].includes(x.why), canDial, dial, canFinish, finish, canMove, move, canHand, hand }
})
