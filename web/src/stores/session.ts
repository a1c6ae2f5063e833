import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api, setContext } from '@/api/client'
import type { Role, Session, Status } from '@/api/types'

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

	const is = (...roles: Role[]) => !!user.value && roles.includes(user.value.role)
	return { session, status, notice, typed, user, set, restore, open, close, loadStatus, is }
})
