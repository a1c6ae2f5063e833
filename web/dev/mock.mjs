/*
 * A stand-in for the server while the page is built and tested alone: the API with made-up data, the event stream, and
 * enough of SIP over WebSocket to register and to carry one offer and answer between two pages.
 *
 *   node dev/mock.mjs [PORT]        serves web/dist too, when it is built
 *
 * Tests move it by POST /mock/...: see the table at the end.
 */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { wav } from './wav.mjs'

const DIST = join(fileURLToPath(new URL('.', import.meta.url)), '..', 'dist')
const MIN = 60_000
const now = () => Date.now()
let counter = 1000
const id = () => String(++counter)

/* ---- made-up data ---- */
const NAMES = ['林晓', '陈思远', '周婉', '赵一鸣', '孙悦', '吴桐', '郑好', '王安然', '冯宁', '蒋帆', '沈青', '韩露', '杨舟'].map(n => `示例${n}`)
const teams = [{ id: '1', name: '早班组' }, { id: '2', name: '晚班组' }]
const users = [
	{ id: '10', login: 'agent', name: NAMES[0], role: 'agent', team_id: '1', extension: '8001' },
	{ id: '11', login: 'lead', name: NAMES[1], role: 'supervisor', team_id: '1', extension: '8101' },
	{ id: '12', login: 'admin', name: NAMES[2], role: 'admin', team_id: null, extension: '8100' },
	...NAMES.slice(3).map((name, i) => ({ id: String(20 + i), login: `a${i}`, name, role: 'agent', team_id: String(1 + (i % 2)), extension: String(8002 + i) })),
]
const breaks = [{ code: 'rest', zh: '休息', en: 'Rest' }, { code: 'lunch', zh: '用餐', en: 'Lunch' }, { code: 'meeting', zh: '会议', en: 'Meeting' }, { code: 'training', zh: '培训', en: 'Training' }]
const STATES = ['talking', 'ready', 'talking', 'wrapup', 'break', 'ready', 'talking', 'noanswer', 'offline', 'ready']
const agentOf = (u, i) => ({
	id: u.id, name: u.name, extension: u.extension, team_id: u.team_id, team: teams.find(t => t.id === u.team_id)?.name ?? null, role: u.role, at_desk: u.role === 'agent',
	state: u.id === '10' ? 'offline' : STATES[i % STATES.length], pending: null, reason: STATES[i % STATES.length] === 'break' ? 'lunch' : null, since_ms: now() - (i * 137 % 900) * 1000, until_ms: 0,
	device_up: true, device: null, devices: [], noted: false, call_id: null, queue_id: null, today: { answered: (i * 7) % 40, talk_ms: (i * 7 % 40) * 95_000, missed: i % 4 },
})
let queues
let agents
let live = null
let history
let resources

function reset() {
	live = null
	agents = users.filter(u => u.role === 'agent').map(agentOf)
	queues = [
		{ id: '1', name: '售前咨询', waiting: 2, oldest_ms: now() - 48_000, ready: 3, talking: 4, logged_in: 9, today: { offered: 212, answered: 198, abandoned: 12, in_target: 176 }, service_level: 0.83, target_ms: 20_000 },
		{ id: '2', name: '售后服务', waiting: 0, oldest_ms: 0, ready: 2, talking: 3, logged_in: 7, today: { offered: 148, answered: 145, abandoned: 3, in_target: 139 }, service_level: 0.94, target_ms: 20_000 },
		{ id: '3', name: '投诉处理', waiting: 1, oldest_ms: now() - 12_000, ready: 0, talking: 1, logged_in: 2, today: { offered: 0, answered: 0, abandoned: 0, in_target: 0 }, service_level: null, target_ms: 30_000 },
	]
	history = Array.from({ length: 130 }, (_, i) => {
		const answered = i % 6 !== 4
		const start = now() - (i + 1) * 11 * MIN - (i * 7919) % 50_000
		const a = agents[i % agents.length]
		const q = queues[i % 3]
		const talk = 40_000 + (i * 7717) % 240_000
		const dir = i % 9 === 5 ? 'out' : 'in'
		const number = `1${3 + (i % 6)}${String(80013800 + i * 7919).padStart(9, '0').slice(0, 9)}`
		return {
			id: String(9000 - i), start_ms: start, answer_ms: answered ? start + 9000 : null, end_ms: start + 9000 + (answered ? talk : 20_000), dir,
			from: dir === 'in' ? number : '02160000000', to: dir === 'in' ? '02160000000' : number, name: i % 3 === 0 ? `示例客户${i}` : null, number: '02160000000',
			queue_id: dir === 'in' ? q.id : null, queue: dir === 'in' ? q.name : null, agent_id: answered ? (i < 9 ? '10' : a.id) : null, agent: answered ? (i < 9 ? NAMES[0] : a.name) : null,
			wait_ms: 9000 + (answered ? 0 : 20_000), talk_ms: answered ? talk : null, by: answered ? (i % 2 ? 'customer' : 'agent') : 'customer', answered, recordings: answered ? 1 : 0,
		}
	})
	resources = {
		users: users.map(u => ({ ...u, rev: 1, created_ms: now(), updated_ms: now(), active: true, team_id_label: teams.find(t => t.id === u.team_id)?.name ?? null })),
		teams: teams.map(t => ({ ...t, rev: 1, created_ms: now(), updated_ms: now() })),
		queues: queues.map(q => ({ id: q.id, name: q.name, rev: 1, created_ms: now(), updated_ms: now(), priority: 5, ring_ms: 15000, wrapup_ms: 20000, overflow: 'none', overflow_number: null, record: true })),
		devices: Array.from({ length: 60 }, (_, i) => ({ id: String(300 + i), rev: 1, created_ms: now(), updated_ms: now(), name: String(8001 + i), user_id: users[i]?.id ?? null, user_id_label: users[i]?.name ?? null, auto_answer: i % 5 === 0 })),
		trunks: [],
	}
}
reset()

const label = (name, type, zh, en, flags = {}, more = {}) => ({ name, type, zh, en, flags, ...more })
const META = [
	{ name: 'users', zh: '人员', en: 'People', label: 'name', order: 'name', can_write: true, can_import: true, fields: [
		label('name', 'text', '姓名', 'Name', { required: true, search: true }, { min: 1, max: 40 }), label('login', 'text', '用户名', 'User name', { required: true, unique: true, search: true }, { min: 2, max: 32 }),
		label('role', 'enum', '角色', 'Role', { required: true }, { default: 'agent', options: [{ value: 'agent', zh: '坐席', en: 'Agent' }, { value: 'supervisor', zh: '班长', en: 'Team lead' }, { value: 'admin', zh: '管理员', en: 'Administrator' }] }),
		label('team_id', 'ref', '班组', 'Team', {}, { ref: 'teams' }), label('extension', 'text', '分机', 'Extension', { number: true }, { max: 8 }),
		label('password', 'secret', '密码', 'Password', { hide_list: true }, { min: 8, max: 128, help_zh: '至少 8 个字', help_en: 'At least 8 characters' }), label('active', 'bool', '启用', 'Active', {}, { default: true }),
	] },
	{ name: 'teams', zh: '班组', en: 'Teams', label: 'name', order: 'name', can_write: true, can_import: true, fields: [label('name', 'text', '名称', 'Name', { required: true, unique: true, search: true }, { min: 1, max: 40 })] },
	{ name: 'queues', zh: '队列', en: 'Queues', label: 'name', order: 'name', can_write: true, can_import: true, fields: [
		label('name', 'text', '名称', 'Name', { required: true, unique: true, search: true }, { min: 1, max: 40 }), label('priority', 'int', '优先级', 'Priority', {}, { min: 0, max: 10, default: 5, help_zh: '数字大的先接', help_en: 'Higher goes first' }),
		label('ring_ms', 'int', '振铃时长（毫秒）', 'Ring time (ms)', {}, { min: 3000, max: 120000, default: 15000 }), label('wrapup_ms', 'int', '整理时长（毫秒）', 'Wrap-up (ms)', {}, { min: 0, max: 600000, default: 20000 }),
		label('overflow', 'enum', '溢出', 'Overflow', {}, { default: 'none', options: [{ value: 'none', zh: '不溢出', en: 'None' }, { value: 'number', zh: '转到号码', en: 'To a number' }] }),
		label('overflow_number', 'text', '溢出号码', 'Overflow number', { number: true, hide_list: true }, { max: 24, show_if: 'overflow=number' }), label('record', 'bool', '录音', 'Record', {}, { default: true }),
	] },
	{ name: 'devices', zh: '话机', en: 'Devices', label: 'name', order: 'name', can_write: true, can_import: true, fields: [
		label('name', 'text', '账号', 'Account', { required: true, unique: true, search: true, create_only: true }, { min: 2, max: 32 }), label('user_id', 'ref', '使用人', 'User', {}, { ref: 'users' }),
		label('secret', 'secret', '密钥', 'Secret', { readonly: true, hide_list: true }), label('auto_answer', 'bool', '自动接听', 'Answers by itself', {}, { default: false }),
	] },
	{ name: 'trunks', zh: '线路', en: 'Lines', label: 'name', order: 'name', can_write: true, can_import: true, fields: [label('name', 'text', '名称', 'Name', { required: true, search: true }, { min: 1, max: 40 }), label('host', 'text', '地址', 'Address', { required: true }, { max: 64 })] },
]

/* ---- sessions and events ---- */
const sessions = new Map()
const listeners = new Set()
let eventN = 0
const send = (event, data) => {
	eventN++
	for (const l of listeners)
		if (l.all || event === 'bye' || event === 'reset' || event === 'queue' || data?.id === l.user.id || data?.agent_id === l.user.id || event === 'gone')
			l.res.write(`id: 1.${eventN}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
const me = () => agents.find(a => a.id === '10')
function setState(state, more = {}) {
	Object.assign(me(), { state, since_ms: now(), until_ms: 0, reason: null }, more)
	send('agent', me())
}
const snapshotFor = u => ({
	now_ms: now(), me: agents.find(a => a.id === u.id) ?? null, call: live && live.agent_id === u.id ? live : null, queues,
	agents: u.role === 'agent' ? agents.filter(a => a.id === u.id) : agents, calls: u.role === 'agent' ? (live ? [live] : []) : [...floorCalls(), ...(live ? [live] : [])],
})
const floorCalls = () => agents.filter(a => a.state === 'talking' && a.id !== '10').map((a, i) => ({ id: `f${a.id}`, dir: 'in', state: i % 3 === 1 ? 'held' : 'talking', from: `1380013${8000 + i}`, to: '02160000000', name: i % 2 ? `示例客户${i}` : null, number_id: '1', queue_id: '1', queue: queues[i % 3].name, agent_id: a.id, agent: a.name, start_ms: a.since_ms - 8000, since_ms: a.since_ms, recording: true, noted: false, offer: null }))

let drafts = []
const notes = []
function incoming({ from = '13800138000', name = null, queue = '1', auto = false, ring_ms = 20_000 } = {}) {
	const q = queues.find(x => x.id === queue)
	live = { id: id(), dir: 'in', state: 'ringing', from, to: '02160000000', name, number_id: '1', queue_id: q.id, queue: q.name, agent_id: '10', agent: me().name, start_ms: now(), since_ms: now(), recording: false, noted: false, offer: { id: id(), until_ms: now() + ring_ms, auto_answer: auto } }
	send('call', live)
	setState('ringing', { call_id: live.id, until_ms: now() + ring_ms })
}
function answered() {
	if (!live)
		return
	Object.assign(live, { state: 'talking', since_ms: now(), recording: true, offer: null })
	send('call', live)
	setState('talking', { call_id: live.id })
}
function over(wrap = 20_000) {
	if (!live)
		return
	history.unshift({ id: live.id, start_ms: live.start_ms, answer_ms: live.since_ms, end_ms: now(), dir: live.dir, from: live.from, to: live.to, name: live.name, number: live.to, queue_id: live.queue_id, queue: live.queue, agent_id: '10', agent: me().name, wait_ms: 5000, talk_ms: now() - live.since_ms, by: 'agent', answered: true, recordings: 1 })
	const gone = live.id
	live = null
	send('gone', { kind: 'call', id: gone })
	me().today.answered++
	setState('wrapup', { until_ms: now() + wrap, call_id: null })
}

/* ---- answers ---- */
class Refusal extends Error {
	constructor(status, code, zh, en, more = {}) {
		super(code)
		Object.assign(this, { status, code, zh, en, more })
	}
}
const sentence = (e, lang) => ({ error: { code: e.code, message: lang === 'en' ? e.en : e.zh, ...e.more } })
const wrong = () => new Refusal(409, 'wrong_state', '现在不能这样做。', 'That is not possible now.')
function need(ok) {
	if (!ok)
		throw wrong()
}
const RIGHTS = { agent: ['desk', 'dial', 'numbers', 'pool'], supervisor: ['desk', 'dial', 'floor', 'force', 'numbers', 'assign', 'pool', 'merge', 'notes', 'share', 'trace'], admin: ['desk', 'dial', 'floor', 'force', 'numbers', 'reveal', 'assign', 'pool', 'merge', 'notes', 'share', 'audit', 'trace', 'erase', 'system'] }
const publicUser = u => ({ id: u.id, login: u.login, name: u.name, role: u.role, rights: RIGHTS[u.role], recordings: u.role === 'agent' ? 'own' : 'centre', marks: u.role === 'agent' ? 'none' : 'centre', team_id: u.team_id, extension: u.extension, lang: 'zh', must_change_password: false })
const sessionOf = s => ({ user: publicUser(s.user), csrf: s.csrf, centre: { id: '1', name: '示例中心', zone: 'Asia/Shanghai' }, expires_ms: now() + 8 * 3600_000, stun: [] })

function detail(c) {
	const t = c.start_ms
	const talkEnd = c.end_ms
	const ans = c.answer_ms ?? talkEnd
	const seg = (n, type, s, e, more = {}) => ({ id: `${c.id}${n}`, type, start_ms: s, end_ms: e, queue_id: c.queue_id, queue: c.queue, agent_id: null, agent: null, end_reason: null, by: null, ...more })
	const five = agents.slice(0, 5).map((a, i) => ({ agent: a.id, level: i === 4 ? 2 : 1, idle_ms: 210_000 - i * 31_000 }))
	const members = { offline: 1, ready: 6, ringing: 0, talking: 4, wrapup: 1, break: 1, noanswer: 0, device: 0 }
	const whyAgents = { rule: 'priority', side: 'agents', winner: five[1].agent, runner_up: five[2].agent, best: five.slice(1), members, refused: 0, sum: '1' }
	const whyCalls = { rule: 'priority', side: 'calls', winner: c.id, runner_up: '1', best: [{ call: c.id, queue: c.queue_id, priority: 5, waited_ms: 46_000 }, { call: '1', queue: c.queue_id, priority: 5, waited_ms: 21_000 }], members: { ...members, ready: 0 }, waiting: 2, refused: 0, sum: '1' }
	return {
		...c,
		moves: [],
		segments: [seg(1, 'ivr', t, t + 2500), seg(2, 'queue', t + 2500, t + 5000), seg(3, 'ring', t + 5000, ans), ...(c.answered ? [seg(4, 'talk', ans, talkEnd - 9000, { agent_id: c.agent_id, agent: c.agent }), seg(5, 'hold', talkEnd - 9000, talkEnd - 4000, { agent_id: c.agent_id, agent: c.agent }), seg(6, 'talk', talkEnd - 4000, talkEnd, { agent_id: c.agent_id, agent: c.agent, by: c.by })] : [])],
		legs: [{ id: '1', role: 'customer', dir: 'in', start_ms: t, ring_ms: t + 100, answer_ms: ans, end_ms: talkEnd, by: 'remote', code: 200, q850: 16, reason: null, quality: { rx: 4200, lost: 3, jitter_ms: 4.2, rtt_ms: 22, mos: 4.37 } }, { id: '2', role: 'agent', dir: 'out', start_ms: t + 5000, ring_ms: t + 5100, answer_ms: c.answer_ms, end_ms: talkEnd, by: 'local', code: c.answered ? 200 : 480, q850: null, reason: null, quality: c.answered ? { rx: 4198, lost: 96, jitter_ms: 31, rtt_ms: 180, mos: 3.2 } : null }],
		offers: c.queue_id ? [{ id: '1', agent_id: agents[1].id, agent: agents[1].name, start_ms: t + 5000, end_ms: t + 7000, outcome: 'refused', why: whyAgents }, { id: '2', agent_id: c.agent_id ?? '10', agent: c.agent ?? NAMES[0], start_ms: t + 7000, end_ms: ans, outcome: c.answered ? 'answered' : 'timeout', why: whyCalls }] : [],
		recordings: c.answered ? [{ id: `${c.id}-1`, segment_id: `${c.id}4`, start_ms: ans, dur_ms: Math.max(1000, talkEnd - 9000 - ans), bytes: 1, missing_ms: 0, state: 'closed', error: null, left_ms: 21_000, right_ms: 34_000, over_ms: 1200, silence_ms: 6400, silence_at_ms: 3000 }, { id: `${c.id}-2`, segment_id: `${c.id}6`, start_ms: talkEnd - 4000, dur_ms: 4000, bytes: 1, missing_ms: 500, state: 'closed', error: null, left_ms: 1000, right_ms: 2000, over_ms: 0, silence_ms: 700, silence_at_ms: 0 }] : [],
		mark: { tags: ['投诉'], excellent: false, why: null, held: false, held_why: null },
	}
}

function listCalls(q, user) {
	let rows = history.filter(c => user.role !== 'agent' || c.agent_id === user.id)
	const num = k => Number(q.get(k))
	if (q.get('from_ms')) rows = rows.filter(c => c.start_ms >= num('from_ms'))
	if (q.get('to_ms')) rows = rows.filter(c => c.start_ms < num('to_ms'))
	if (q.get('dir')) rows = rows.filter(c => c.dir === q.get('dir'))
	if (q.get('queue_id')) rows = rows.filter(c => c.queue_id === q.get('queue_id'))
	if (q.get('agent_id')) rows = rows.filter(c => c.agent_id === q.get('agent_id'))
	if (q.get('answered')) rows = rows.filter(c => c.answered === (q.get('answered') === '1'))
	if (q.get('q')) rows = rows.filter(c => `${c.from} ${c.to} ${c.name}`.includes(q.get('q')))
	if (q.get('before')) rows = rows.slice(rows.findIndex(c => c.id === q.get('before')) + 1)
	const limit = Number(q.get('limit') ?? 50)
	return { items: rows.slice(0, limit), next: rows.length > limit ? rows[limit - 1].id : null }
}

function checkRow(meta, row, list, skipId) {
	const fields = {}
	for (const f of meta.fields) {
		const v = row[f.name]
		if (f.flags.required && (v === undefined || v === null || v === ''))
			fields[f.name] = 'required'
		else if (f.flags.unique && list.some(r => r.id !== skipId && r[f.name] === v))
			fields[f.name] = 'taken'
	}
	if (Object.keys(fields).length)
		throw new Refusal(422, 'invalid', '有几处填得不对。', 'Some entries are not right.', { fields })
}
function labels(meta, row) {
	for (const f of meta.fields.filter(x => x.type === 'ref'))
		row[`${f.name}_label`] = resources[f.ref]?.find(r => r.id === row[f.name])?.name ?? null
	delete row.password
	return row
}
function crud(method, meta, rowId, q, body, ifMatch) {
	const list = resources[meta.name]
	if (method === 'GET' && !rowId) {
		let rows = list.filter(r => !q.get('q') || JSON.stringify(r).includes(q.get('q')))
		const sort = q.get('sort') || meta.order
		const key = sort.replace(/^-/, '')
		rows = [...rows].sort((a, b) => String(a[key] ?? '').localeCompare(String(b[key] ?? ''), 'zh') * (sort.startsWith('-') ? -1 : 1))
		const from = Number(q.get('after') || 0)
		const to = from + Number(q.get('limit') ?? 50)
		return { items: rows.slice(from, to), total: rows.length, total_exact: true, next: to < rows.length ? String(to) : null }
	}
	if (method === 'POST') {
		checkRow(meta, body, list)
		const row = labels(meta, { ...body, id: id(), rev: 1, created_ms: now(), updated_ms: now() })
		list.push(row)
		return [201, meta.name === 'devices' ? { ...row, once: { secret: randomBytes(12).toString('base64url') } } : row]
	}
	const at = list.findIndex(r => r.id === rowId)
	if (at < 0)
		throw new Refusal(404, 'not_found', '没有找到。', 'Not found.')
	if (method === 'GET')
		return list[at]
	if (ifMatch === undefined)
		throw new Refusal(428, 'rev_required', '缺少版本号。', 'The revision is missing.')
	if (Number(ifMatch) !== list[at].rev)
		throw new Refusal(409, 'conflict', '别人刚改过这一项。', 'Somebody else has just changed this.', { current: list[at] })
	if (method === 'DELETE') {
		list.splice(at, 1)
		return null
	}
	checkRow(meta, { ...list[at], ...body }, list, rowId)
	list[at] = labels(meta, { ...list[at], ...body, rev: list[at].rev + 1, updated_ms: now() })
	return list[at]
}

const desk = {
	'/desk/login': b => { need(me().state === 'offline'); setState(b.ready ? 'ready' : 'break') },
	'/desk/logout': () => setState('offline'),
	'/desk/ready': () => { need(me().state !== 'talking' || me().pending); me().state === 'talking' || me().state === 'wrapup' ? (me().pending = null, me().state === 'wrapup' ? setState('ready') : send('agent', me())) : setState('ready') },
	'/desk/break': b => { if (me().state === 'talking' || me().state === 'wrapup') { me().pending = 'break'; send('agent', me()) } else setState('break', { reason: b.reason }) },
	'/desk/wrapup/end': () => { need(me().state === 'wrapup'); setState(me().pending === 'break' ? 'break' : 'ready', { pending: null }) },
	'/desk/wrapup/extend': b => { need(me().state === 'wrapup'); me().until_ms += b.ms; send('agent', me()) },
	'/desk/hangup': () => { need(live); bye(); over() },
	'/desk/refuse': () => { need(me().state === 'ringing'); const g = live.id; live = null; bye(); send('gone', { kind: 'call', id: g }); setState('ready') },
	'/desk/hold': () => { need(live?.state === 'talking'); live.state = 'held'; send('call', live) },
	'/desk/resume': () => { need(live?.state === 'held'); live.state = 'talking'; send('call', live) },
	'/desk/digits': b => { log.digits += b.digits },
	'/desk/dial': b => {
		need(['ready', 'break', 'wrapup', 'noanswer'].includes(me().state))
		live = { id: id(), dir: 'out', state: 'ringing', from: '02160000000', to: b.number, name: null, number_id: null, queue_id: null, queue: null, agent_id: '10', agent: me().name, start_ms: now(), since_ms: now(), recording: false, offer: null }
		send('call', live)
		setState('talking', { call_id: live.id })
		return { call_id: live.id }
	},
}
const log = { digits: '' }

function route(method, path, q, body, s, req, lang) {
	if (path === '/status')
		return { name: '话务', version: '0.1.0', demo: true, secure: false, lang: ['zh', 'en'], demo_users: ['10', '11', '12'].map(i => ({ login: users.find(u => u.id === i).login, name: users.find(u => u.id === i).name, role: users.find(u => u.id === i).role, zh: '', en: '' })) }
	if (path === '/session' && method === 'POST') {
		const u = users.find(x => (body.demo ? x.role === body.demo : x.login === body.login && body.password === 'demo'))
		if (!u)
			throw new Refusal(401, 'bad_login', '用户名或密码不对。', 'User name or password is wrong.')
		const fresh = { user: u, csrf: randomBytes(8).toString('hex') }
		const key = randomBytes(16).toString('hex')
		sessions.set(key, fresh)
		req.cookie = `huawu_session=${key}; HttpOnly; SameSite=Lax; Path=/`
		return sessionOf(fresh)
	}
	if (!s)
		throw new Refusal(401, 'no_session', '请先登录。', 'Please log in.')
	if (method !== 'GET' && req.headers['x-huawu-csrf'] !== s.csrf)
		throw new Refusal(403, 'csrf', '页面已过期，请刷新。', 'The page has expired; please reload.')
	if (path === '/session') {
		if (method === 'DELETE')
			sessions.forEach((v, k) => v === s && sessions.delete(k))
		return method === 'GET' ? sessionOf(s) : null
	}
	if (path === '/session/password') {
		if (body.old !== 'demo')
			throw new Refusal(422, 'bad_password', '现在的密码不对。', 'The present password is wrong.', { fields: { old: 'wrong' } })
		return null
	}
	if (path === '/desk/phone')
		return { device: `w${s.user.id}`, password: 'x', ws: '/sip', expires_ms: now() + 5 * MIN, realm: 'huawu.example', ice: [] }
	if (path === '/desk')
		return { at: `1.${eventN}`, ...snapshotFor(s.user), breaks, last_device: null }
	if (desk[path] && method === 'POST')
		return desk[path](body) ?? null
	if (path === '/board')
		return { at: `1.${eventN}`, ...snapshotFor(s.user), totals: { offered: 360, answered: 343, abandoned: 15, answered_in_target: 315, in_calls: 4, waiting: 3 } }
	const force = /^\/agents\/(\w+)\/(logout|ready|break)$/.exec(path)
	if (force) {
		const a = agents.find(x => x.id === force[1])
		Object.assign(a, { state: { logout: 'offline', ready: 'ready', break: 'break' }[force[2]], since_ms: now() })
		send('agent', a)
		return null
	}
	if (path === '/calls')
		return listCalls(q, s.user)
	if (path === '/recordings')
		return listRecordings(q, s.user)
	if (/^\/calls\/\w+\/remarks$/.test(path))
		return { items: [] }
	if (path === '/desk/remarks')
		return { items: [] }
	const one = /^\/calls\/(\w+)$/.exec(path)
	if (one) {
		const c = history.find(x => x.id === one[1])
		if (!c)
			throw new Refusal(404, 'not_found', '没有这通电话。', 'There is no such call.')
		return detail(c)
	}
	if (path === '/desk/pop') {
		const number = live ? (live.dir === 'out' ? live.to : live.from) : history[0]?.from ?? null
		const calls = number === '13800138000' ? history.filter(c => c.id !== q.get('call_id')).slice(0, 4) : []
		const head = { call_id: q.get('call_id'), number, region: '上海 移动', calls, notes: notes.filter(n => calls.some(c => c.id === n.call_id) || n.call_id === q.get('call_id')), more: false }
		return q.get('before_ms') ? head : { ...head, customer: null, repeat: { n: 1, within_min: 30 } }
	}
	if (path === '/bulk' || path === '/desk/campaigns')
		return { items: [] }
	if (path === '/desk/drafts')
		return { items: drafts }
	if (path === '/desk/draft') {
		drafts = [...drafts.filter(d => d.subject !== body.subject), ...(body.body ? [{ subject: body.subject, at_ms: now(), body: body.body }] : [])]
		return null
	}
	if (path === '/desk/notes/missing')
		return { total: 0, items: [] }
	if (path === '/desk/notes/missing/agents')
		return { items: [] }
	if (path === '/notes' && method === 'POST') {
		const note = { customer_id: null, call_id: null, template_id: null, reason_id: null, result_id: null, text: null, next_ms: null, done: false, ...body, form: [], id: id(), rev: 1, at_ms: now(), created_ms: now(), updated_ms: now(), user_id: s.user.id, user_id_label: s.user.name }
		notes.unshift(note)
		drafts = drafts.filter(d => d.subject !== `call:${note.call_id}`)
		return note
	}
	if (path === '/notes')
		return { items: notes.filter(n => n.call_id === q.get('call_id')), total: 0 }
	if (['/contact_reasons', '/note_templates', '/customer_types', '/customers'].includes(path))
		return { items: [], total: 0 }
	if (path === '/contact_results')
		return { items: ['接通', '有意向', '成单'].map((zh, i) => ({ id: `r${i}`, rev: 1, code: `r${i}`, zh, en: zh, connected: true, sort: i, active: true })), total: 3 }
	if (path === '/numbers/lookup')
		return { number: q.get('number'), name: null, region: '上海 移动', calls: q.get('number') === '13800138000' ? history.slice(0, 4) : [] }
	if (path === '/strangers')
		return {
			bans: [{ source: '198.51.100.7', user: '8001', reason: 'password', count: 8, dropped: 31, step: 1, since_ms: now() - 20000, until_ms: now() + 40000 },
				{ source: '2001:db8:1:2::/64', user: '', reason: 'unknown_user', count: 24, dropped: 410, step: 2, since_ms: now() - 90000, until_ms: now() + 210000 }],
			hours: [{ from_ms: now() - 600000, password: 8, unknown_user: 24, no_credentials: 3, malformed: 20, dropped: 441 }],
			sources: [{ source: '2001:db8:1:2::/64', last: 'unknown_user', count: 24, dropped: 410, home: false }, { source: '198.51.100.7', last: 'password', count: 9, dropped: 0, home: true }],
			logins: [{ source: '203.0.113.9', count: 6, names: 2, last_ms: now() - 5000, wait_ms: 55000 }],
		}
	if (path === '/doctor')
		return { version: '0.1.0', at_ms: now(), worst: 'error', errors: 1, warnings: 1, checks: [
			{ id: 'conf.file', title: '配置文件', level: 'ok', found: '/etc/huawu/huawu.ini 可读，各项都认识', todo: null },
			{ id: 'port.http', title: '网页端口', level: 'error', found: '0.0.0.0:8443（TCP）被占用：nginx (pid 812)', todo: '停掉那个程序，或在配置中换一个端口' },
			{ id: 'clock.ntp', title: '时间同步', level: 'warn', found: '没有与时间服务器同步', todo: 'timedatectl set-ntp true' },
		] }
	if (path === '/meta')
		return { resources: META.map(m => ({ ...m, can_write: s.user.role === 'admin' })) }
	if (path === '/demo' && method === 'DELETE')
		return { login: s.user.login, password: null }
	const res = /^\/(\w+)(?:\/(\w+))?$/.exec(path)
	const meta = res && META.find(m => m.name === res[1])
	if (meta)
		return crud(method, meta, res[2], q, body, req.headers['if-match'])
	throw new Refusal(404, 'not_found', '没有找到。', 'Not found.')
}

/* ---- SIP over WebSocket: REGISTER, and one INVITE whose SDP a test supplies ---- */
let phoneSocket = null
let contact = ''
let dialog = null

function frame(text, op = 1) {
	const p = Buffer.from(text)
	const head = p.length < 126 ? Buffer.from([0x80 | op, p.length]) : Buffer.from([0x80 | op, 126, p.length >> 8, p.length & 255])
	return Buffer.concat([head, p])
}
function frames(state, chunk, on) {
	state.rest = Buffer.concat([state.rest, chunk])
	for (;;) {
		const b = state.rest
		if (b.length < 6)
			return
		let len = b[1] & 127
		let at = 2
		if (len === 126) {
			len = b.readUInt16BE(2)
			at = 4
		}
		if (b.length < at + 4 + len)
			return
		const mask = b.subarray(at, at + 4)
		const data = Buffer.from(b.subarray(at + 4, at + 4 + len).map((x, i) => x ^ mask[i % 4]))
		on(b[0] & 15, data)
		state.rest = b.subarray(at + 4 + len)
	}
}
const head = (msg, name) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'im').exec(msg)?.[1]?.trim()
function reply(msg, status, extra = []) {
	const vias = msg.split('\r\n').filter(l => /^Via:/i.test(l))
	phoneSocket?.write(frame([`SIP/2.0 ${status}`, ...vias, `From: ${head(msg, 'From')}`, `To: ${head(msg, 'To')}${/tag=/.test(head(msg, 'To')) ? '' : ';tag=mock'}`, `Call-ID: ${head(msg, 'Call-ID')}`, `CSeq: ${head(msg, 'CSeq')}`, ...extra, 'Content-Length: 0', '', ''].join('\r\n')))
}
function request(method, body = '', extra = []) {
	const d = dialog
	const cseq = method === 'ACK' ? d.cseq : ++d.cseq
	phoneSocket?.write(frame([`${method} ${d.target} SIP/2.0`, `Via: SIP/2.0/WS mock.invalid;branch=z9hG4bK${randomBytes(6).toString('hex')}`, 'Max-Forwards: 70', `From: <sip:${d.from}@huawu.example>;tag=${d.tag}`, `To: <sip:w10@huawu.example>${d.toTag ? `;tag=${d.toTag}` : ''}`, `Call-ID: ${d.callId}`, `CSeq: ${cseq} ${method}`, 'Contact: <sip:mock@mock.invalid;transport=ws>', ...extra, ...(body ? ['Content-Type: application/sdp'] : []), `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n')))
}
function bye() {
	if (dialog)
		request(dialog.toTag ? 'BYE' : 'CANCEL')
	dialog = null
}
function onSip(msg) {
	if (msg.startsWith('REGISTER')) {
		contact = /<([^>]+)>/.exec(head(msg, 'Contact') ?? '')?.[1] ?? ''
		reply(msg, '200 OK', [`Contact: ${head(msg, 'Contact')}`, 'Expires: 60'])
	} else if (msg.startsWith('SIP/2.0')) {
		if (dialog && head(msg, 'CSeq')?.endsWith('INVITE') && msg.startsWith('SIP/2.0 200')) {
			dialog.toTag = /tag=([^;\s]+)/.exec(head(msg, 'To'))?.[1]
			dialog.answer = msg.slice(msg.indexOf('\r\n\r\n') + 4)
			request('ACK')
			answered()
		}
	} else if (!msg.startsWith('ACK') && msg.trim()) {
		log[msg.split(' ')[0]] = (log[msg.split(' ')[0]] ?? 0) + 1
		reply(msg, msg.startsWith('INVITE') ? '480 Temporarily Unavailable' : '200 OK')
	}
}

/* What tests may do. */
const controls = {
	reset, incoming, answered, over: b => over(b.wrap),
	state: b => setState(b.state, b),
	event: b => send(b.event, b.data),
	restart: () => { for (const l of listeners) l.res.end(); phoneSocket?.destroy() },
	touch: b => { const r = resources[b.resource].find(x => x.id === b.id); Object.assign(r, b.set); r.rev++ },
	invite: b => {
		dialog = { callId: randomBytes(6).toString('hex'), tag: 'm1', toTag: '', cseq: 0, target: contact, from: b.from ?? 'call', answer: '' }
		request('INVITE', b.sdp, Object.entries(b.headers ?? {}).map(([k, v]) => `${k}: ${v}`))
	},
	sdp: () => ({ answer: dialog?.answer ?? '' }),
	log: () => log,
	registered: () => ({ contact: phoneSocket ? contact : '' }),
}

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' }
function serveFile(path, res) {
	let file = join(DIST, path)
	if (!extname(path) || !existsSync(file))
		file = join(DIST, 'index.html')
	if (!existsSync(file)) {
		res.writeHead(404).end('npm run build first')
		return
	}
	res.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file))
}
function listRecordings(q, user) {
	const page = listCalls(q, user)
	return { items: page.items.filter(c => c.answered && c.end_ms).map((c, i) => ({ ...c, rec_ms: c.talk_ms, silence_ms: 1000 * (i * 7 % 25), left_ms: c.talk_ms * 0.4, right_ms: c.talk_ms * 0.5, over_ms: 900, bytes: c.talk_ms * 16, gone: 0, failed: 0, holds: i % 3, hold_ms: (i % 3) * 8000, campaign: null, tags: i % 4 ? [] : ['投诉'], excellent: i % 7 === 2, held: i % 11 === 3, why: null, held_why: null, remarks: i % 5 === 1 ? 2 : 0 })), next: null }
}
function serveAudio(req, res) {
	const c = history.find(x => req.url.includes(`/${x.id}-`))
	const data = wav(req.url.includes('-2') ? 4 : Math.max(1, ((c?.talk_ms ?? 20_000) - 9000) / 1000))
	const m = /bytes=(\d+)-(\d*)/.exec(req.headers.range ?? '')
	const from = m ? Number(m[1]) : 0
	const to = m && m[2] ? Math.min(Number(m[2]), data.length - 1) : data.length - 1
	res.writeHead(m ? 206 : 200, { 'Content-Type': 'audio/wav', 'Accept-Ranges': 'bytes', 'Content-Length': to - from + 1, ...(m ? { 'Content-Range': `bytes ${from}-${to}/${data.length}` } : {}) })
	res.end(data.subarray(from, to + 1))
}
function serveEvents(req, res, s) {
	res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
	const l = { res, user: s.user, all: s.user.role !== 'agent' }
	listeners.add(l)
	res.write(`id: 1.${eventN}\nevent: snapshot\ndata: ${JSON.stringify(snapshotFor(s.user))}\n\n`)
	const beat = setInterval(() => res.write(': beat\n\n'), 15_000)
	res.on('close', () => {
		clearInterval(beat)
		listeners.delete(l)
	})
}

const server = createServer((req, res) => {
	let text = ''
	req.on('data', d => (text += d))
	req.on('end', () => {
		const u = new URL(req.url, 'http://mock')
		const lang = (req.headers['accept-language'] ?? 'zh').startsWith('en') ? 'en' : 'zh'
		const s = sessions.get(/huawu_session=(\w+)/.exec(req.headers.cookie ?? '')?.[1])
		const json = (status, body) => res.writeHead(status, { 'Content-Type': 'application/json', ...(req.cookie ? { 'Set-Cookie': req.cookie } : {}) }).end(body === null ? undefined : JSON.stringify(body))
		try {
			const body = text ? JSON.parse(text) : {}
			if (u.pathname.startsWith('/mock/')) {
				const r = controls[u.pathname.slice(6)]?.(body)
				return json(200, r ?? {})
			}
			if (!u.pathname.startsWith('/api/v1/'))
				return serveFile(u.pathname, res)
			const path = u.pathname.slice(7)
			if (path === '/events')
				return s ? serveEvents(req, res, s) : json(401, sentence(new Refusal(401, 'no_session', '请先登录。', 'Please log in.'), lang))
			if (path.endsWith('/peaks') && s)
				return json(200, { step_ms: 50, dur_ms: 20_000, left: Array.from({ length: 400 }, (_, i) => (i % 80 < 40 ? 60 + i * 37 % 90 : 0)), right: Array.from({ length: 400 }, (_, i) => (i % 80 >= 44 ? 50 + i * 53 % 80 : 0)) })
			if (path.startsWith('/recordings/') && s)
				return serveAudio(req, res)
			const r = route(req.method, path, u.searchParams, body, s, req, lang)
			if (Array.isArray(r))
				return json(...r)
			return json(r === null ? 204 : 200, r)
		} catch (e) {
			if (e instanceof Refusal)
				return json(e.status, sentence(e, lang))
			console.error(e)
			json(500, { error: { code: 'internal', message: '服务器出错了。' } })
		}
	})
})
server.on('upgrade', (req, socket) => {
	const accept = createHash('sha1').update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
	socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: sip\r\n\r\n`)
	phoneSocket = socket
	const state = { rest: Buffer.alloc(0) }
	socket.on('data', d => frames(state, d, (op, data) => {
		if (op === 1 || op === 2)
			onSip(data.toString())
		else if (op === 8)
			socket.end()
		else if (op === 9)
			socket.write(frame(data, 10))
	}))
	const gone = () => phoneSocket === socket && (phoneSocket = null)
	socket.on('close', gone)
	socket.on('error', gone)
})
const port = Number(process.argv[2] ?? process.env.PORT ?? 8099)
server.listen(port, '127.0.0.1', () => console.log(`listening http://127.0.0.1:${server.address().port}`))
