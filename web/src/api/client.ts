/*
 * All calls to the server. Adds the language and the CSRF token, and turns every refusal into an ApiError whose
 * message is the server's own sentence, in the user's language.
 */
import createClient from 'openapi-fetch'
import type { components, paths } from './schema'
import type { MetaResource, Row } from './types'

export type LeaveWish = components['schemas']['leave_wish']
export type LeavePreview = components['schemas']['leave_preview']
export type Org = components['schemas']['org']

export class ApiError extends Error {
	constructor(
		readonly status: number,
		readonly code: string,
		message: string,
		readonly fields: Record<string, string> = {},
		readonly current?: Row,
	) {
		super(message)
	}
}

const context = { csrf: '', lang: 'zh', lost: () => {}, mustChange: () => {}, noAnswer: () => 'The server does not answer' }

/** The session store and i18n keep this up to date; @lost is called when the server says the log-in is over. */
export function setContext(part: Partial<typeof context>) {
	Object.assign(context, part)
}

function headersFor(method: string): Record<string, string> {
	const h: Record<string, string> = { 'Accept-Language': context.lang }
	if (method !== 'GET' && context.csrf)
		h['X-Huawu-CSRF'] = context.csrf
	return h
}

async function guardedFetch(request: Request): Promise<Response> {
	for (const [k, v] of Object.entries(headersFor(request.method)))
		request.headers.set(k, v)
	try {
		return await fetch(request)
	} catch {
		throw new ApiError(0, 'no_answer', context.noAnswer())
	}
}

/** Reads the refusal's body; anything that is not ours (a proxy's page) still gives a sentence. */
export function toError(status: number, body: unknown): ApiError {
	const e = (body as { error?: Record<string, unknown> } | null)?.error
	if (e && typeof e.message === 'string' && typeof e.code === 'string')
		// Who uses it: "Members 3, Numbers 1".
		return new ApiError(status, e.code, e.code === 'in_use' && e.detail ? `${e.message} (${String(e.detail)})` : e.message, (e.fields ?? {}) as Record<string, string>, e.current as Row | undefined)
	return new ApiError(status, 'http', `${context.noAnswer()} (${status})`)
}

const client = createClient<paths>({ baseUrl: '/api/v1', fetch: guardedFetch })

/** Unwraps an answer: the data, or an ApiError thrown. */
async function ok<T>(p: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
	const { data, error, response } = await p
	if (response.ok)
		return data as T
	const e = toError(response.status, error)
	if (e.status === 401 && e.code === 'no_session')
		context.lost()
	if (e.code === 'must_change_password')
		context.mustChange()
	throw e
}

export const api = {
	status: () => ok(client.GET('/status')),
	session: {
		get: () => ok(client.GET('/session')),
		open: (body: { login: string; password: string } | { demo: string }) => ok(client.POST('/session', { body })),
		close: () => ok(client.DELETE('/session')),
		setLang: (lang: 'zh' | 'en') => ok(client.PATCH('/session', { body: { lang } })),
		setPassword: (old: string, next: string) => ok(client.POST('/session/password', { body: { old, new: next } })),
	},
	desk: {
		get: () => ok(client.GET('/desk')),
		phone: () => ok(client.POST('/desk/phone', { body: {} })),
		login: (ready: boolean, device = '') => ok(client.POST('/desk/login', { body: { device, ready } })),
		ring: (device: string) => ok(client.POST('/desk/ring', { body: { device } })),
		logout: () => ok(client.POST('/desk/logout', { body: {} })),
		ready: () => ok(client.POST('/desk/ready', { body: {} })),
		cancelBreak: () => ok(client.POST('/desk/break/cancel', { body: {} })),
		takeBreak: (reason: string) => ok(client.POST('/desk/break', { body: { reason } })),
		wrapupEnd: () => ok(client.POST('/desk/wrapup/end', { body: {} })),
		wrapupExtend: (ms: number) => ok(client.POST('/desk/wrapup/extend', { body: { ms } })),
		hangup: () => ok(client.POST('/desk/hangup', { body: {} })),
		refuse: () => ok(client.POST('/desk/refuse', { body: {} })),
		hold: () => ok(client.POST('/desk/hold', { body: {} })),
		resume: () => ok(client.POST('/desk/resume', { body: {} })),
		digits: (digits: string) => ok(client.POST('/desk/digits', { body: { digits } })),
		targets: (q: string) => ok(client.GET('/desk/targets', { params: { query: q ? { q } : {} } })),
		transfer: (body: paths['/desk/transfer']['post']['requestBody']['content']['application/json']) => ok(client.POST('/desk/transfer', { body })),
		consult: (body: paths['/desk/consult']['post']['requestBody']['content']['application/json']) => ok(client.POST('/desk/consult', { body })),
		moveDone: () => ok(client.POST('/desk/move/done', { body: {} })),
		moveBack: () => ok(client.POST('/desk/move/back', { body: {} })),
		moveJoin: () => ok(client.POST('/desk/move/join', { body: {} })),
		moveSwap: () => ok(client.POST('/desk/move/swap', { body: {} })),
		turn: (call_id: string) => ok(client.POST('/desk/turn', { body: { call_id } })),
		dial: (body: { number: string } | { customer_id: string; phone_id?: string }) => ok(client.POST('/desk/dial', { body })),
	},
	dialling: {
		mine: () => ok(client.GET('/desk/campaigns')),
		part: (id: string, part: boolean) => ok(part ? client.POST('/desk/campaigns/{id}/join', { params: { path: { id } } }) : client.POST('/desk/campaigns/{id}/leave', { params: { path: { id } } })),
		dial: (call_id: string) => ok(client.POST('/desk/preview/dial', { body: { call_id } })),
		skip: (call_id: string, reason: string) => ok(client.POST('/desk/preview/skip', { body: { call_id, reason } })),
		bar: (who: { call_id: string } | { customer_id: string }, undo = false) => ok(undo ? client.POST('/desk/do-not-call/undo', { body: who }) : client.POST('/desk/do-not-call', { body: who })),
	},
	notes: {
		pop: (query: NonNullable<paths['/desk/pop']['get']['parameters']['query']>) => ok(client.GET('/desk/pop', { params: { query } })),
		drafts: () => ok(client.GET('/desk/drafts')),
		putDraft: (subject: string, body: Record<string, unknown> | null) => ok(client.PUT('/desk/draft', { body: { subject, body }, keepalive: true })),
		missing: (agentId?: string) => ok(client.GET('/desk/notes/missing', { params: { query: agentId ? { agent_id: agentId } : {} } })),
		missingAgents: () => ok(client.GET('/desk/notes/missing/agents', { params: { query: {} } })),
	},
	floor: {
		listen: (id: string, how: 'listen' | 'whisper' | 'join') => ok(client.POST('/calls/{id}/listen', { params: { path: { id } }, body: { how } })),
		end: (id: string) => ok(client.POST('/calls/{id}/listen/end', { params: { path: { id } }, body: {} })),
		takeOver: (id: string) => ok(client.POST('/calls/{id}/takeover', { params: { path: { id } }, body: {} })),
		text: (id: string, text: string) => ok(client.POST('/calls/{id}/whisper', { params: { path: { id } }, body: { text } })),
		help: (question: string) => ok(client.POST('/desk/help', { body: { question } })),
		helpEnd: () => ok(client.POST('/desk/help/end', { body: {} })),
		answered: (id: string) => ok(client.POST('/calls/{id}/help/end', { params: { path: { id } }, body: {} })),
		listenings: (before?: string) => ok(client.GET('/listenings', { params: { query: before ? { before } : {} } })),
		helps: (before?: string) => ok(client.GET('/helps', { params: { query: before ? { before } : {} } })),
	},
	board: () => ok(client.GET('/board')),
	agent: {
		logout: (id: string) => ok(client.POST('/agents/{id}/logout', { params: { path: { id } }, body: {} })),
		ready: (id: string) => ok(client.POST('/agents/{id}/ready', { params: { path: { id } }, body: {} })),
		takeBreak: (id: string) => ok(client.POST('/agents/{id}/break', { params: { path: { id } }, body: {} })),
	},
	calls: {
		list: (query: NonNullable<paths['/calls']['get']['parameters']['query']>) => ok(client.GET('/calls', { params: { query } })),
		get: (id: string) => ok(client.GET('/calls/{id}', { params: { path: { id } } })),
	},
	recordings: {
		list: (query: NonNullable<paths['/recordings']['get']['parameters']['query']>) => ok(client.GET('/recordings', { params: { query } })),
		peaks: (id: string) => ok(client.GET('/recordings/{id}/peaks', { params: { path: { id } } })),
		mark: (callId: string, body: components['schemas']['recording_mark']) => ok(client.PUT('/calls/{id}/mark', { params: { path: { id: callId } }, body })),
		remarks: (callId: string) => ok(client.GET('/calls/{id}/remarks', { params: { path: { id: callId } } })),
		remark: (callId: string, body: { text: string; pos_ms: number; to_id?: string | null }) => ok(client.POST('/calls/{id}/remarks', { params: { path: { id: callId } }, body })),
		mine: () => ok(client.GET('/desk/remarks')),
		seen: (id: string) => ok(client.POST('/remarks/{id}/seen', { params: { path: { id } } })),
		unremark: (id: string) => ok(client.DELETE('/remarks/{id}', { params: { path: { id } } })),
	},
	faults: {
		own: () => ok(client.GET('/desk/faults')),
		report: (body: paths['/desk/faults']['post']['requestBody']['content']['application/json']) => ok(client.POST('/desk/faults', { body })),
		details: (id: string) => ok(client.GET('/faults/{id}/details', { params: { path: { id } } })) as Promise<Record<string, unknown>>,
	},
	trace: {
		call: (id: string) => ok(client.GET('/calls/{id}/trace', { params: { path: { id } } })),
		trunk: (id: string, minutes: number) => ok(client.GET('/trunks/{id}/trace', { params: { path: { id }, query: { minutes } } })),
		callPcap: (id: string) => `/api/v1/calls/${encodeURIComponent(id)}/trace.pcap`,
		trunkPcap: (id: string, minutes: number) => `/api/v1/trunks/${encodeURIComponent(id)}/trace.pcap?minutes=${minutes}`,
	},
	numbers: {
		presets: () => ok(client.GET('/number_presets')),
		region: (number?: string) => ok(client.GET('/numbers/region', { params: { query: { number } } })),
		try: (id: string, body: paths['/trunks/{id}/try']['post']['requestBody']['content']['application/json']) => ok(client.POST('/trunks/{id}/try', { params: { path: { id } }, body })),
		test: (id: string, number: string, seconds: number) => ok(client.POST('/trunks/{id}/test', { params: { path: { id } }, body: { number, seconds } })),
		testGet: (id: string) => ok(client.GET('/test_calls/{id}', { params: { path: { id } } })),
		testEnd: (id: string) => ok(client.POST('/test_calls/{id}/end', { params: { path: { id } }, body: {} })),
	},
	lookup: (number: string) => ok(client.GET('/numbers/lookup', { params: { query: { number } } })),
	meta: () => ok(client.GET('/meta')) as Promise<{ resources: MetaResource[] }>,
	rights: () => ok(client.GET('/rights')),
	org: () => ok(client.GET('/org')),
	leave: {
		preview: (id: string, customers: LeaveWish) => ok(client.POST('/users/{id}/leave/preview', { params: { path: { id } }, body: { customers } })),
		start: (id: string, customers: LeaveWish) => ok(client.POST('/users/{id}/leave', { params: { path: { id } }, body: { customers } })),
		go_on: (id: string) => ok(client.POST('/leaves/{id}/continue', { params: { path: { id } } })),
		undo: (id: string) => ok(client.POST('/leaves/{id}/undo', { params: { path: { id } } })),
		certificateUrl: (id: string) => `/api/v1/leaves/${encodeURIComponent(id)}/certificate.xlsx?lang=${context.lang}`,
	},
	doctor: () => ok(client.GET('/doctor')),
	strangers: {
		get: () => ok(client.GET('/strangers')),
		lift: (source: string, user: string, web: boolean) => ok(client.POST('/strangers/lift', { body: { source, user, web } })),
	},
	clearDemo: () => ok(client.DELETE('/demo')),
	audioUrl: (id: string, download = false) => `/api/v1/recordings/${encodeURIComponent(id)}/audio${download ? '?download=1' : ''}`,
}

/* Resources are drawn from their description, so their paths and fields are known only at run time. */
export interface ListQuery { q?: string; sort?: string; limit?: number; after?: string; count?: string; [field: string]: string | number | undefined }

async function send<T>(method: string, path: string, body?: unknown, rev?: number): Promise<T> {
	const headers = new Headers()
	if (body !== undefined)
		headers.set('Content-Type', 'application/json')
	if (rev !== undefined)
		headers.set('If-Match', String(rev))
	const response = await guardedFetch(new Request(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }))
	const text = await response.text()
	let data: unknown = null
	try {
		data = text ? JSON.parse(text) : null
	} catch {
		data = null
	}
	return ok<T>(Promise.resolve({ data: data as T, error: data, response }))
}

function queryString(query: ListQuery): string {
	const p = new URLSearchParams()
	for (const [k, v] of Object.entries(query))
		if (v !== undefined && v !== '')
			p.set(k, String(v))
	const s = p.toString()
	return s ? `?${s}` : ''
}

/** Customers besides their rows. */
export const customers = {
	mine: () => ok(client.GET('/customers/mine')),
	may: (id: string) => ok(client.GET('/customers/{id}/may', { params: { path: { id } } })),
	check: (number: string, customer_id?: string) => ok(client.POST('/customers/check-number', { body: { number, ...(customer_id ? { customer_id } : {}) } })),
	similar: (body: Record<string, unknown>) => ok(client.POST('/customers/similar', { body })),
	claim: (id: string) => send<{ customer: Row | null }>('POST', `/customers/${id}/claim`, {}),
	release: (id: string, reason: string) => send<{ customer: Row | null }>('POST', `/customers/${id}/release`, { reason }),
	merge: (id: string, body: { other: string; fields: Record<string, 'this' | 'other'>; rev: number; other_rev: number }) => send<{ customer: Row & { merge_id: string } }>('POST', `/customers/${id}/merge`, body),
	unmerge: (mergeId: string) => send<{ customer: Row | null; other: Row | null; kept: { what: string; value: string | null }[] }>('POST', `/merges/${mergeId}/undo`, {}),
	timeline: (id: string, query: { before?: string; kinds?: string; limit?: number }) => ok(client.GET('/customers/{id}/timeline', { params: { path: { id }, query } })),
	requests: () => ok(client.GET('/customers/requests')),
	ask: (number: string, reason: string) => ok(client.POST('/customers/requests', { body: { number, reason } })),
	decide: (id: string, action: 'assign' | 'share' | 'refuse' | 'withdraw', answer: string | null = null) => ok(client.POST('/customers/requests/{id}/decide', { params: { path: { id } }, body: { action, answer } })),
}

/** Numbers for a reason, who saw and changed what, erasing a person. */
export type AuditLine = components['schemas']['audit_page']['items'][number]
export const privacy = {
	reveal: (phoneId: string, reason: string) => ok(client.POST('/customer_phones/{id}/reveal', { params: { path: { id: phoneId } }, body: { reason } })),
	audit: (query: NonNullable<paths['/audit']['get']['parameters']['query']>) => ok(client.GET('/audit', { params: { query } })),
	verify: () => ok(client.POST('/audit/verify')),
	erase: (id: string, reason: string) => ok(client.POST('/customers/{id}/erase', { params: { path: { id } }, body: { reason } })),
}

/** Customers given to people, and taken back by rules. */
export type AllotPlan = components['schemas']['allot_plan']
export type AllotRow = components['schemas']['allot_row']
export type AllotVerdict = components['schemas']['allot_verdict']
export const allot = {
	preview: (body: Record<string, unknown>) => send<AllotPlan>('POST', '/allocations/preview', body),
	start: (body: Record<string, unknown>) => send<Row>('POST', '/allocations', body),
	get: (id: string) => send<Row>('GET', `/allocations/${id}`),
	cancel: (id: string) => send<Row>('POST', `/allocations/${id}/cancel`, {}),
	undo: (id: string) => send<Row>('POST', `/allocations/${id}/undo`, {}),
	rows: (id: string) => send<{ items: AllotRow[] }>('GET', `/allocations/${id}/rows`),
	verify: (id: string) => send<AllotVerdict>('GET', `/allocations/${id}/verify?lang=${context.lang}`),
	sheetUrl: (id: string, format: string) => `/api/v1/allocations/${id}/sheet.${format}?lang=${context.lang}`,
	rule: (id: string) => send<AllotPlan>('GET', `/recycle_rules/${id}/preview`),
	ruleRun: (id: string, count: number) => send<Row>('POST', `/recycle_rules/${id}/run`, { count }),
}

/** To-dos, and the funnel's figures. */
export const todos = {
	get: () => ok(client.GET('/todos')),
	take: (id: string) => ok(client.POST('/callbacks/{id}/take', { params: { path: { id } }, body: {} })),
	hand: (id: string, user_id: string, reason: string | null = null) => ok(client.POST('/callbacks/{id}/hand', { params: { path: { id } }, body: { user_id, reason } })),
	/** @dueMs null: dealt with. */
	missed: (callId: string, dueMs: number | null) => ok(client.POST('/calls/{id}/callback', { params: { path: { id: callId } }, body: { due_ms: dueMs } })),
}
export const sales = {
	mine: () => ok(client.GET('/sales/mine')),
	/** Without days: the centre's today. */
	figures: (from?: string, to?: string) => ok(client.GET('/sales/figures', { params: { query: { from, to } } })),
}

export const attendance = {
	/** @day: 2026-11-22 */
	day: (day: string) => ok(client.GET('/attendance', { params: { query: { day } } })),
	url: (day: string, what: string) => `/api/v1/attendance.xlsx${queryString({ day, what, lang: context.lang })}`,
}
export const notices = {
	mine: () => ok(client.GET('/notices/mine')),
	read: (id: string) => ok(client.POST('/notices/{id}/read', { params: { path: { id } }, body: {} })),
	reads: (id: string) => ok(client.GET('/notices/{id}/reads', { params: { path: { id } } })),
}

/** Projects: figures, states, changes of many leads (see campaigns.job). */
type Chosen = { ids?: string[]; filters?: Record<string, string>; q?: string; count: number }
type Recycling = NonNullable<paths['/campaigns/{id}/recycle/preview']['post']['requestBody']>['content']['application/json']
const one = (id: string) => ({ path: { id } })
export const campaigns = {
	overview: () => ok(client.GET('/campaigns/overview')),
	progress: (id: string) => ok(client.GET('/campaigns/{id}/progress', { params: one(id) })),
	people: (id: string) => ok(client.GET('/campaigns/{id}/people', { params: one(id) })),
	/** @day: 20261122; without: today */
	day: (id: string, day?: number) => ok(client.GET('/campaigns/{id}/day', { params: { ...one(id), query: { day } } })),
	dayUrl: (id: string, day?: number) => `/api/v1/campaigns/${encodeURIComponent(id)}/day.xlsx${queryString({ day, lang: context.lang })}`,
	start: (id: string) => ok(client.POST('/campaigns/{id}/start', { params: one(id), body: {} })),
	pause: (id: string) => ok(client.POST('/campaigns/{id}/pause', { params: one(id), body: {} })),
	stop: (id: string) => ok(client.POST('/campaigns/{id}/stop', { params: one(id), body: {} })),
	add: (id: string, what: Chosen & { priority?: number }) => ok(client.POST('/campaigns/{id}/leads', { params: one(id), body: what })),
	remove: (id: string, what: Chosen) => ok(client.POST('/campaigns/{id}/leads/remove', { params: one(id), body: what })),
	job: (id: string) => ok(client.GET('/campaigns/{id}/job', { params: one(id) })),
	recycleLook: (id: string, what: Recycling) => ok(client.POST('/campaigns/{id}/recycle/preview', { params: one(id), body: what })),
	recycle: (id: string, what: Recycling & { count: number }) => ok(client.POST('/campaigns/{id}/recycle', { params: one(id), body: what })),
	health: (days: number) => ok(client.GET('/shown_numbers/health', { params: { query: { days } } })),
}

export const resource = {
	exportUrl: (name: string, format: string, query: ListQuery = {}) => `/api/v1/${name}/export.${format}${queryString({ ...query, lang: context.lang })}`,
	list: (name: string, query: ListQuery = {}) => send<{ items: Row[]; total: number; total_exact?: boolean; next?: string | null }>('GET', `/${name}${queryString(query)}`),
	get: (name: string, id: string) => send<Row>('GET', `/${name}/${encodeURIComponent(id)}`),
	create: (name: string, row: Record<string, unknown>) => send<Row & { once?: Record<string, string> }>('POST', `/${name}`, row),
	update: (name: string, id: string, rev: number, patch: Record<string, unknown>) =>
		send<Row & { once?: Record<string, string> }>('PATCH', `/${name}/${encodeURIComponent(id)}`, patch, rev),
	remove: (name: string, id: string, rev: number) => send<null>('DELETE', `/${name}/${encodeURIComponent(id)}`, undefined, rev),
}

export type BulkJob = components['schemas']['bulk']
export const bulk = {
	start: (name: string, what: Record<string, unknown>) => send<BulkJob>('POST', `/${name}/bulk`, what),
	mine: () => send<{ items: BulkJob[] }>('GET', '/bulk'),
	get: (id: string) => send<BulkJob>('GET', `/bulk/${id}`),
	cancel: (id: string) => send<BulkJob>('POST', `/bulk/${id}/cancel`, {}),
	undo: (id: string) => send<BulkJob>('POST', `/bulk/${id}/undo`, {}),
	refusedUrl: (id: string) => `/api/v1/bulk/${id}/refused.csv?lang=${context.lang}`,
}

/* ---- sheets ---- */

export type Sheet = components['schemas']['sheet']
export type ImportUndo = components['schemas']['import_undo']
const PIECE = 96 * 1024 // the server takes 128 kB at once

async function sendPiece(id: string, offset: number, piece: Blob): Promise<Sheet> {
	const response = await guardedFetch(new Request(`/api/v1/sheets/${id}/data?offset=${offset}`, { method: 'POST', body: piece, headers: { 'Content-Type': 'application/octet-stream' } }))
	const data = await response.json().catch(() => null) as unknown
	return ok<Sheet>(Promise.resolve({ data: data as Sheet, error: data, response }))
}

export const sheets = {
	open: (name: string, file: string) => send<Sheet>('POST', '/sheets', { resource: name, name: file.slice(0, 60) }),
	async send(id: string, file: Blob, told: (bytes: number) => void) {
		for (let at = 0; at < file.size; at += PIECE) {
			await sendPiece(id, at, file.slice(at, at + PIECE))
			told(Math.min(file.size, at + PIECE))
		}
	},
	get: (id: string) => send<Sheet>('GET', `/sheets/${id}`),
	check: (id: string, wish: { sheet?: string; header_row?: number; columns?: (string | null)[]; existing: string; skip_hidden: boolean; forget: boolean; values: Record<string, unknown> }) => send<Sheet>('POST', `/sheets/${id}/check`, wish),
	commit: (id: string) => send<Sheet>('POST', `/sheets/${id}/commit`, {}),
	cancel: (id: string) => send<Sheet>('POST', `/sheets/${id}/cancel`, {}),
	remove: (id: string) => send<null>('DELETE', `/sheets/${id}`),
	undoPlan: (id: string) => send<ImportUndo>('GET', `/imports/${id}/undo`),
	undo: (id: string) => send<ImportUndo>('POST', `/imports/${id}/undo`, {}),
	templateUrl: (name: string) => `/api/v1/${name}/template.xlsx?lang=${context.lang}`,
	refusedUrl: (id: string) => `/api/v1/sheets/${id}/refused.xlsx`,
	onceUrl: (id: string) => `/api/v1/sheets/${id}/once.csv?lang=${context.lang}`,
}

/* ---- files on rows ---- */

export type Attachment = components['schemas']['attachment']

export const attachments = {
	list: (name: string, id: string) => send<{ items: Attachment[] }>('GET', `/${name}/${id}/attachments`),
	remove: (id: string) => send<null>('DELETE', `/attachments/${id}`),
	url: (id: string, download = false) => `/api/v1/attachments/${id}/data${download ? '?download=1' : ''}`,
	/** In pieces; @told: what part of it is there. */
	async send(name: string, id: string, file: File, told: (part: number) => void): Promise<Attachment> {
		let upload = ''
		for (let at = 0; ; at += PIECE) {
			const query = queryString({ name: file.name.slice(-120), size: file.size, offset: at || undefined, upload: upload || undefined })
			const response = await guardedFetch(new Request(`/api/v1/${name}/${id}/attachments${query}`, { method: 'POST', body: file.slice(at, at + PIECE), headers: { 'Content-Type': 'application/octet-stream' } }))
			const data = await response.json().catch(() => null) as unknown
			const got = await ok<Attachment | { upload: string }>(Promise.resolve({ data: data as Attachment, error: data, response }))
			told(Math.min(1, (at + PIECE) / Math.max(1, file.size)))
			if ('id' in got)
				return got
			upload = got.upload
		}
	},
}
export const customUsed = (id: string) => send<{ n: number }>('GET', `/custom_fields/${id}/used`)
