/*
 * The server's types, in the shape openapi-typescript gives. `npm run schema` writes this file anew from
 * schema/openapi.json; do not add anything here by hand that the server does not say.
 */
type Answer<T> = { headers: { [name: string]: unknown }; content: { 'application/json': T } }
type Empty = { headers: { [name: string]: unknown }; content?: never }
type Ask<T, Q = undefined> = {
	parameters: { query?: Q extends undefined ? never : Q; header?: never; path?: never; cookie?: never }
	requestBody?: never
	responses: { 200: Answer<T>; default: Answer<components['schemas']['error']> }
}
type AskId<T, Q = undefined> = {
	parameters: { query?: Q extends undefined ? never : Q; header?: never; path: { id: string }; cookie?: never }
	requestBody?: never
	responses: { 200: Answer<T>; default: Answer<components['schemas']['error']> }
}
type Tell<B, T = undefined> = {
	parameters: { query?: never; header?: never; path?: never; cookie?: never }
	requestBody: { content: { 'application/json': B } }
	responses: (T extends undefined ? { 204: Empty } : { 200: Answer<T> }) & { default: Answer<components['schemas']['error']> }
}
type TellId<B> = {
	parameters: { query?: never; header?: never; path: { id: string }; cookie?: never }
	requestBody: { content: { 'application/json': B } }
	responses: { 204: Empty; default: Answer<components['schemas']['error']> }
}
type Remove = {
	parameters: { query?: never; header?: never; path?: never; cookie?: never }
	requestBody?: never
	responses: { 204: Empty; default: Answer<components['schemas']['error']> }
}
type Nothing = Record<string, never>

export interface paths {
	'/status': { get: Ask<components['schemas']['status']> }
	'/session': {
		get: Ask<components['schemas']['session']>
		post: Tell<{ login?: string; password?: string; demo?: 'agent' | 'supervisor' | 'admin' }, components['schemas']['session']>
		patch: Tell<{ lang: string }>
		delete: Remove
	}
	'/session/password': { post: Tell<{ old: string; new: string }> }
	'/desk/phone': { post: Tell<Nothing, components['schemas']['desk_phone']> }
	'/desk': { get: Ask<components['schemas']['desk']> }
	'/desk/login': { post: Tell<{ device: string; ready: boolean }> }
	'/desk/logout': { post: Tell<Nothing> }
	'/desk/ready': { post: Tell<Nothing> }
	'/desk/break': { post: Tell<{ reason: string }> }
	'/desk/wrapup/end': { post: Tell<Nothing> }
	'/desk/wrapup/extend': { post: Tell<{ ms: number }> }
	'/desk/hangup': { post: Tell<Nothing> }
	'/desk/refuse': { post: Tell<Nothing> }
	'/desk/hold': { post: Tell<Nothing> }
	'/desk/resume': { post: Tell<Nothing> }
	'/desk/digits': { post: Tell<{ digits: string }> }
	'/desk/dial': { post: Tell<{ number: string }, { call_id: string }> }
	'/board': { get: Ask<components['schemas']['board']> }
	'/agents/{id}/logout': { post: TellId<Nothing> }
	'/agents/{id}/ready': { post: TellId<Nothing> }
	'/agents/{id}/break': { post: TellId<{ reason?: string }> }
	'/calls': {
		get: Ask<{ items: components['schemas']['call_row'][]; next: string | null }, {
			from_ms?: number; to_ms?: number; q?: string; dir?: string; queue_id?: string; agent_id?: string
			answered?: 0 | 1; by?: string; limit?: number; before?: string
		}>
	}
	'/calls/{id}': { get: AskId<components['schemas']['call_detail']> }
	'/numbers/lookup': { get: Ask<components['schemas']['lookup'], { number: string }> }
	'/meta': { get: Ask<components['schemas']['meta']> }
	'/demo': { delete: Remove }
}

export interface components {
	schemas: {
		error: { error: { code: string; message: string; fields?: Record<string, string>; detail?: string; current?: Record<string, unknown> } }
		status: {
			name: string; version: string; demo: boolean; secure: boolean; lang: string[]
			demo_users?: { login: string; name: string; role: 'agent' | 'supervisor' | 'admin'; zh: string; en: string }[]
		}
		user: {
			id: string; login: string; name: string; role: 'agent' | 'supervisor' | 'admin'; team_id: string | null
			extension: string; lang: string; must_change_password: boolean
		}
		session: {
			user: components['schemas']['user']; csrf: string; centre: { id: string; name: string }; expires_ms: number; stun: string[]
		}
		desk_phone: { device: string; password: string; ws: string; expires_ms: number; realm: string; ice: string[] }
		break: { code: string; zh: string; en: string }
		agent: {
			id: string; name: string; extension: string; team_id: string | null; team: string | null; role: string
			state: 'offline' | 'ready' | 'ringing' | 'talking' | 'wrapup' | 'break' | 'noanswer'
			pending: null | 'break' | 'offline'; reason: string | null; since_ms: number; until_ms: number; device_up: boolean
			call_id: string | null; queue_id: string | null; today: { answered: number; talk_ms: number; missed: number }
		}
		call: {
			id: string; dir: 'in' | 'out' | 'internal'; state: 'ivr' | 'queue' | 'ringing' | 'talking' | 'held' | 'ended'
			from: string | null; to: string | null; name: string | null; number_id: string | null
			queue_id: string | null; queue: string | null; agent_id: string | null; agent: string | null
			start_ms: number; since_ms: number; recording: boolean
			offer: { id: string; until_ms: number; auto_answer: boolean } | null
		}
		queue: {
			id: string; name: string; waiting: number; oldest_ms: number; ready: number; talking: number; logged_in: number
			today: { offered: number; answered: number; abandoned: number; in_target: number }
			service_level: number | null; target_ms: number
		}
		desk: {
			at: string; now_ms: number; me: components['schemas']['agent'] | null; call: components['schemas']['call'] | null
			queues: components['schemas']['queue'][]; breaks: components['schemas']['break'][]
		}
		board: {
			at: string; now_ms: number; agents: components['schemas']['agent'][]; queues: components['schemas']['queue'][]
			calls: components['schemas']['call'][]
			totals: { offered: number; answered: number; abandoned: number; answered_in_target: number; in_calls: number; waiting: number }
		}
		call_row: {
			id: string; start_ms: number; answer_ms: number | null; end_ms: number | null; dir: 'in' | 'out' | 'internal'
			from: string | null; to: string | null; name: string | null; number: string | null
			queue_id: string | null; queue: string | null; agent_id: string | null; agent: string | null
			wait_ms: number | null; talk_ms: number | null; by: string | null; answered: boolean; recordings: number
		}
		segment: {
			id: string; type: string; start_ms: number; end_ms: number | null; queue_id: string | null; queue: string | null
			agent_id: string | null; agent: string | null; end_reason: string | null; by: string | null
		}
		leg: {
			id: string; role: string; dir: string; start_ms: number; ring_ms: number | null; answer_ms: number | null
			end_ms: number | null; by: string | null; code: number | null; q850: number | null; reason: string | null
			quality: Record<string, number> | null
		}
		offer: {
			id: string; agent_id: string; agent: string; start_ms: number; end_ms: number | null; outcome: string | null
			why: Record<string, unknown> | null
		}
		recording: {
			id: string; segment_id: string; start_ms: number; dur_ms: number; bytes: number; missing_ms: number
			state: 'open' | 'closed' | 'failed'; error: string | null
		}
		call_detail: Omit<components['schemas']['call_row'], 'recordings'> & {
			segments: components['schemas']['segment'][]; legs: components['schemas']['leg'][]
			offers: components['schemas']['offer'][]; recordings: components['schemas']['recording'][]
		}
		lookup: { number: string; name: string | null; region: string | null; calls: components['schemas']['call_row'][] }
		meta_field: {
			name: string; type: 'text' | 'int' | 'bool' | 'enum' | 'ref' | 'time' | 'secret' | 'json'; zh: string; en: string
			flags: Record<string, boolean>; min?: number | null; max?: number | null; default?: unknown; ref?: string | null
			options?: { value: string; zh: string; en: string }[]; help_zh?: string | null; help_en?: string | null; show_if?: string | null
		}
		meta_resource: {
			name: string; zh: string; en: string; label: string; order: string; can_write: boolean
			fields: components['schemas']['meta_field'][]
		}
		meta: { resources: components['schemas']['meta_resource'][] }
	}
}
