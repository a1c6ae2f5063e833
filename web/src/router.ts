import { createRouter, createWebHistory } from 'vue-router'
import { useSession } from './stores/session'

declare module 'vue-router' {
	interface RouteMeta { open?: boolean; rights?: string[]; title?: string }
}

export const router = createRouter({
	history: createWebHistory(),
	routes: [
		{ path: '/login', component: () => import('./login/LoginPage.vue'), meta: { open: true, title: 'login.title' } },
		{ path: '/', component: { render: () => null } }, /* the guard knows where to, once it knows who */
		{ path: '/desk', component: () => import('./desk/DeskPage.vue'), meta: { title: 'nav.desk', rights: ['desk'] } },
		{ path: '/board', component: () => import('./board/BoardPage.vue'), meta: { title: 'nav.board', rights: ['floor'] } },
		{ path: '/customers', component: () => import('./customer/CustomersPage.vue'), meta: { title: 'nav.customers' } },
		{ path: '/customers/:id', component: () => import('./customer/CustomerPage.vue'), meta: { title: 'nav.customers' } },
		{ path: '/campaigns', component: () => import('./campaign/CampaignsPage.vue'), meta: { title: 'nav.campaigns', rights: ['floor', 'campaigns'] } },
		{ path: '/campaigns/new', component: () => import('./campaign/CampaignNew.vue'), meta: { title: 'campaign.wizard.new', rights: ['campaigns'] } },
		{ path: '/campaigns/:id', component: () => import('./campaign/CampaignPage.vue'), meta: { title: 'nav.campaigns', rights: ['floor', 'campaigns'] } },
		{ path: '/notices', component: () => import('./notice/NoticesPage.vue'), meta: { title: 'notice.title' } },
		{ path: '/attendance', component: () => import('./attendance/AttendancePage.vue'), meta: { title: 'attendance.title' } },
		{ path: '/todos', component: () => import('./sales/TodosPage.vue'), meta: { title: 'nav.todos' } },
		{ path: '/sales', component: () => import('./sales/FunnelPage.vue'), meta: { title: 'sales.tab.funnel' } },
		{ path: '/visits', component: () => import('./sales/VisitsPage.vue'), meta: { title: 'sales.tab.visits' } },
		{ path: '/deals', component: () => import('./sales/DealsPage.vue'), meta: { title: 'sales.tab.deals' } },
		{ path: '/goals', component: () => import('./sales/GoalsPage.vue'), meta: { title: 'sales.tab.goals' } },
		{ path: '/calls/:id?', component: () => import('./history/HistoryPage.vue'), meta: { title: 'nav.history' } },
		{ path: '/recordings/:id?', component: () => import('./recordings/RecordingsPage.vue'), meta: { title: 'rec.title' } },
		{ path: '/doctor', component: () => import('./doctor/DoctorPage.vue'), meta: { title: 'doctor.title', rights: ['system'] } },
		{ path: '/audit', component: () => import('./privacy/AuditPage.vue'), meta: { title: 'privacy.audit', rights: ['audit'] } },
		{ path: '/strangers', component: () => import('./strangers/StrangersPage.vue'), meta: { title: 'strangers.title', rights: ['system'] } },
		{ path: '/faults/:id?', component: () => import('./fault/FaultsPage.vue'), meta: { title: 'fault.list_title', rights: ['system'] } },
		{ path: '/trunks/:id/sip', component: () => import('./sip/TrunkSip.vue'), meta: { title: 'sip.title', rights: ['floor'] } },
		{ path: '/trunks/:id/numbers', component: () => import('./numbers/TrunkNumbers.vue'), meta: { title: 'numbers.page', rights: ['floor'] } },
		{ path: '/people/:id', component: () => import('./people/PersonPage.vue'), meta: { title: 'people.person.title' } },
		{ path: '/settings/roles', component: () => import('./people/RolesPage.vue'), meta: { title: 'nav.settings' } },
		{ path: '/settings/departments', component: () => import('./people/OrgPage.vue'), meta: { title: 'nav.settings' } },
		{ path: '/settings/:resource?', component: () => import('./resource/ResourcePage.vue'), meta: { title: 'nav.settings' } },
		{ path: '/:rest(.*)*', component: () => import('./components/NotFound.vue'), meta: { title: 'app.not_found' } },
	],
})

export function home(): string {
	const session = useSession()
	return session.atDesk ? '/desk' : session.may('floor') ? '/board' : session.seesCalls ? '/calls' : '/customers'
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
	if (to.path === '/')
		return home()
	if (to.meta.rights && !session.may(...to.meta.rights))
		return home()
	return true
})
