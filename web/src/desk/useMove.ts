/* The call goes on to somebody: what the panel and the keys do. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { api } from '@/api/client'
import { tryIt } from '@/components/say'
import { useDrafts } from '@/note/drafts'
import { bodyOf, moveView, type Target } from './move'
import { useDesk } from './useDesk'

export const useMove = defineStore('move', () => {
	const desk = useDesk()
	const drafts = useDrafts()
	const open = ref(false)
	const busy = ref(false)
	const view = computed(() => moveView(desk.call, desk.me))
	const can = computed(() => desk.scene === 'call' && !!desk.call && ['talking', 'held'].includes(desk.call.state) && !['sending', 'asking', 'asked', 'swapped', 'consulted', 'joined'].includes(view.value))

	async function run(what: () => Promise<unknown>) {
		if (busy.value)
			return false
		busy.value = true
		try {
			return await tryIt(what)
		} finally {
			busy.value = false
		}
	}
	async function send(x: Target, why: string, consult: boolean) {
		const id = desk.call?.id
		if (!id)
			return
		if (await run(async () => {
			await drafts.flush(`call:${id}`) // who gets it reads what was typed so far
			await (consult ? api.desk.consult(bodyOf(x, why)) : api.desk.transfer(bodyOf(x, why)))
		}))
			open.value = false
	}
	const done = () => run(() => api.desk.moveDone())
	const back = () => run(() => api.desk.moveBack())
	const join = () => run(() => api.desk.moveJoin())
	const swap = () => run(() => api.desk.moveSwap())
	watch(can, now => !now && (open.value = false))
	return { open, busy, view, can, send, done, back, swap, join }
})
