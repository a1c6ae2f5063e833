/*
 * Nothing typed is lost: each change is in the browser at once (unless it may hold a telephone number) and on the server a second later. What
 * the server has is taken out of the browser again.
 */
import { defineStore } from 'pinia'
import { reactive, ref } from 'vue'
import { api } from '@/api/client'
import { useSession } from '@/stores/session'
import { hasNumber, isEmpty, readDraft, type Draft } from './note'

const WAIT_MS = 1000
const AGAIN_MS = 5000
type State = '' | 'keeping' | 'kept' | 'here'

export const useDrafts = defineStore('drafts', () => {
	const session = useSession()
	/** What is known to be unsaved, by subject; null: gone. */
	const drafts = reactive(new Map<string, Draft>())
	const state = ref<State>('')
	const waiting = new Map<string, ReturnType<typeof setTimeout>>()
	const sending = new Map<string, Promise<unknown>>()
	let loaded: Promise<void> | null = null
	let forUser = ''

	const prefix = () => `huawu.draft.${session.user?.id ?? ''}.`
	function keepHere(subject: string, d: Draft | null) {
		try {
			if (d && !hasNumber(d))
				localStorage.setItem(prefix() + subject, JSON.stringify(d))
			else
				localStorage.removeItem(prefix() + subject)
		} catch { /* full or forbidden: the server has it in a second */ }
	}
	function here(): [string, Draft][] {
		const out: [string, Draft][] = []
		for (let i = 0; i < localStorage.length; i++) {
			const k = localStorage.key(i)!
			if (!k.startsWith(prefix()))
				continue
			try {
				out.push([k.slice(prefix().length), readDraft(JSON.parse(localStorage.getItem(k)!))])
			} catch { /* somebody else's */ }
		}
		return out
	}

	async function send(subject: string) {
		clearTimeout(waiting.get(subject))
		waiting.delete(subject)
		const d = drafts.get(subject)
		const text = JSON.stringify(d ?? null)
		const p = api.notes.putDraft(subject, d ? { ...d } : null)
		sending.set(subject, p)
		try {
			await p
			if (JSON.stringify(drafts.get(subject) ?? null) === text) {
				keepHere(subject, null)
				state.value = d ? 'kept' : ''
			}
		} catch (e) {
			state.value = 'here'
			// Refused for good: asking again would not help.
			if ((e as { status?: number }).status !== 422 && session.user)
				later(subject, AGAIN_MS)
		} finally {
			if (sending.get(subject) === p)
				sending.delete(subject)
		}
	}
	function later(subject: string, ms: number) {
		clearTimeout(waiting.get(subject))
		waiting.set(subject, setTimeout(() => void send(subject), ms))
	}

	/** What was left from before: the server's, and what this browser could not send any more, which is newer. */
	function load(): Promise<void> {
		if (loaded && forUser === session.user?.id)
			return loaded
		forUser = session.user?.id ?? ''
		loaded = (async () => {
			drafts.clear()
			try {
				for (const x of (await api.notes.drafts()).items)
					drafts.set(x.subject, readDraft(x.body))
			} catch {
				loaded = null
			}
			for (const [subject, d] of here()) {
				drafts.set(subject, d)
				later(subject, 0)
			}
		})()
		return loaded
	}

	function put(subject: string, d: Draft) {
		const copy = JSON.parse(JSON.stringify(d)) as Draft
		const had = drafts.get(subject)
		if (isEmpty(copy)) {
			if (had)
				drop(subject, true)
			return
		}
		if (had && JSON.stringify(had) === JSON.stringify(copy))
			return
		drafts.set(subject, copy)
		keepHere(subject, copy)
		state.value = 'keeping'
		later(subject, hasNumber(copy) ? 200 : WAIT_MS)
	}
	/** Not wanted any more; @tell: the server does not know yet. */
	function drop(subject: string, tell: boolean) {
		clearTimeout(waiting.get(subject))
		waiting.delete(subject)
		drafts.delete(subject)
		keepHere(subject, null)
		state.value = ''
		if (tell)
			void send(subject)
	}
	/** Before a note is saved: no draft may come after it. */
	async function settle(subject: string) {
		clearTimeout(waiting.get(subject))
		waiting.delete(subject)
		await sending.get(subject)?.catch(() => {})
	}
	/** What waits goes now. */
	async function flush(subject: string) {
		if (waiting.has(subject))
			await send(subject)
		await sending.get(subject)?.catch(() => {})
	}
	// The page goes: what waits goes now, by requests that outlive it.
	window.addEventListener('pagehide', () => {
		for (const subject of waiting.keys())
			void send(subject)
	})
	return { drafts, state, load, put, drop, settle, flush }
})
