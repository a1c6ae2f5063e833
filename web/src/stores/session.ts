import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api, setContext } from '@/api/client'
import type { Session, Status } from '@/api/types'

export const useSession = defineStore('session', () => {
	const session = ref<Session | null>(null)
	const status = ref<Status | null>(null)
	/** Why the last log-in ended; shown on the log-in page. */
	const notice = ref('')
	/** The password just used to log in, so that who must change it need not type it again. */
	const typed = ref('')
	const user = computed(() => session.value?.user ?? null)

	function set(s: Session | null) {
		session.value = s
		setContext({ csrf: s?.csrf ?? '' })
	}

	async function restore() {
		try {
			set(await api.session.get())
		} catch {
			set(null)
		}
	}

	/** What he may, as it is now; false when the server does not answer: then nothing changes. */
	async function refresh(): Promise<boolean> {
		try {
			const s = await api.session.get()
			if (user.value)
				set(s)
			return true
		} catch {
			return false
		}
	}

	async function open(body: Parameters<typeof api.session.open>[0]) {
		set(await api.session.open(body))
		typed.value = user.value?.must_change_password && 'password' in body ? body.password : ''
		notice.value = ''
	}

	async function close() {
		try {
			await api.session.close()
		} finally {
			set(null)
		}
	}

	async function loadStatus() {
		status.value = await api.status()
	}

	/** Has he one of these rights? */
	const may = (...rights: string[]) => rights.some(r => user.value?.rights.includes(r))
	/** He works at the desk and does not watch the floor. */
	const atDesk = computed(() => may('desk') && !may('floor'))
	/** Whoever reads no calls, not even his own, has no list of them. */
	const seesCalls = computed(() => user.value?.calls !== 'none')
	/** Recordings have grants of their own: to hear some, and to say something of them. */
	const hears = computed(() => user.value?.recordings !== 'none')
	const marks = computed(() => user.value?.marks !== 'none')
	return { session, status, notice, typed, user, set, restore, refresh, open, close, loadStatus, may, atDesk, seesCalls, hears, marks }
})
