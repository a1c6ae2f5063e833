import { createRouter, createWebHistory } from 'vue-router'
import type { Role } from './api/types'
import { useSession } from './stores/session'

declare module 'vue-router' {
	interface RouteMeta { open?: boolean; roles?: Role[]; title?: string }
}

export const router = createRouter({
	history: createWebHistory(),
	routes: [
		{ path: '/login', component: () => import('./login/LoginPage.vue'), meta: { open: true, title: 'login.title' } },
		{ path: '/', redirect: () => home() },
		{ path: '/desk', component: () => import('./desk/DeskPage.vue'), meta: { title: 'nav.desk', roles: ['agent'] } },
		{ path: '/board', component: () => import('./board/BoardPage.vue'), meta: { title: 'nav.board', roles: ['supervisor', 'admin'] } },
		{ path: '/calls/:id?', component: () => import('./history/HistoryPage.vue'), meta: { title: 'nav.history' } },
		{ path: '/doctor', component: () => import('./doctor/DoctorPage.vue'), meta: { title: 'doctor.title', roles: ['admin'] } },
		{ path: '/strangers', component: () => import('./strangers/StrangersPage.vue'), meta: { title: 'strangers.title', roles: ['admin'] } },
		{ path: '/faults/:id?', component: () => import('./fault/FaultsPage.vue'), meta: { title: 'fault.list_title', roles: ['admin'] } },
		{ path: '/trunks/:id/sip', component: () => import('./sip/TrunkSip.vue'), meta: { title: 'sip.title', roles: ['supervisor', 'admin'] } },
		{ path: '/trunks/:id/numbers', component: () => import('./numbers/TrunkNumbers.vue'), meta: { title: 'numbers.page', roles: ['supervisor', 'admin'] } },
		{ path: '/settings/:resource?', component: () => import('./resource/ResourcePage.vue'), meta: { title: 'nav.settings', roles: ['supervisor', 'admin'] } },
		{ path: '/:rest(.*)*', component: () => import('./components/NotFound.vue'), meta: { title: 'app.not_found' } },
	],
})

export function home(): string {
	return useSession().user?.role === 'agent' ? '/desk' : '/board'
}

let restored = false
router.beforeEach(async to => {
	const session = useSession()
	if (!restored) {
		restored = true
		await session.restore()
	}
	if (to.meta.open)
		return session.user ? home() : true
	if (!session.user)
		return { path: '/login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
	if (to.meta.roles && !session.is(...to.meta.roles))
		return home()
	return true
})
