/* Who may not see numbers gets none: everything that reaches a tele-sales agent's browser during a real call is kept and searched for the digits. */
import { equal, ok, until } from './lib.mjs'
import { browserWithVoice, Caller, Centre, Desk, person, queue, sleep } from './server.mjs'

const FROM = '13926471853'
const DIGITS = FROM.slice(-8)
let centre
let browser
let desk
const got = [] // { where, text }

/* Bodies of all answers; the event stream, which has no end, is kept in the page (below). */
function keep(page) {
	page.on('response', async r => {
		const body = await r.body().catch(() => null)
		if (body)
			got.push({ where: `answer ${r.url()}`, text: body.toString('latin1') + body.toString('utf16le') })
		got.push({ where: `headers ${r.url()}`, text: JSON.stringify(r.headers()) })
	})
	page.on('websocket', w => w.on('framereceived', f => got.push({ where: `frame ${w.url()}`, text: String(f.payload) })))
}

/* In the page, before its own code: what the event stream brings is read twice. */
function listen() {
	window.streamed = []
	const real = window.fetch
	window.fetch = async (...args) => {
		const r = await real(...args)
		if (!String(args[0]?.url ?? args[0]).includes('/events') || !r.body)
			return r
		const [theirs, ours] = r.body.tee()
		void (async () => {
			const reader = ours.pipeThrough(new TextDecoderStream()).getReader()
			for (let p = await reader.read(); !p.done; p = await reader.read())
				window.streamed.push(p.value)
		})().catch(() => {})
		return new Response(theirs, { status: r.status, headers: r.headers })
	}
}

/** The page's text and fields, and everything it keeps. */
const held = page => page.evaluate(async () => {
	const stores = []
	for (const { name } of await indexedDB.databases()) {
		const db = await new Promise((done, fail) => Object.assign(indexedDB.open(name), { onsuccess: e => done(e.target.result), onerror: fail }))
		for (const s of db.objectStoreNames)
			stores.push(await new Promise(done => { db.transaction(s).objectStore(s).getAll().onsuccess = e => done(e.target.result) }))
		db.close()
	}
	const fields = [...document.querySelectorAll('input, textarea')].map(e => e.value)
	return { streamed: window.streamed.join('\n'), dom: document.documentElement.outerHTML, text: document.body.innerText, fields: fields.join('\n'), title: document.title,
		local: JSON.stringify({ ...localStorage }), session: JSON.stringify({ ...sessionStorage }), indexed: JSON.stringify(stores) }
})
async function look(page, at) {
	for (const [where, text] of Object.entries(await held(page)))
		got.push({ where: `${where} ${at}`, text })
}

export async function setup() {
	centre = await new Centre(9_700, { options: ['--rtp-min', '9720', '--rtp-max', '9798'] }).seed(queue('q', '4001', { ring_s: 60, wrapup_s: 60 }), person(8001, 'q', { role: 'telesales' }), [
		['customers', 'c', { name: '张三', owner_id: '$u8001', note: `请打 ${FROM}` }],
		['customer_phones', 'p', { customer_id: '$c', number: FROM }],
	]).start()
	browser = await browserWithVoice(centre)
	desk = await Desk.open(browser, centre, 8001, { ready: false })
	keep(desk.page)
	await desk.ctx.addInitScript(listen)
	await desk.page.reload() // from here on all is kept
	await desk.up()
	await desk.ready()
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}

export const tests = {
	"a tele-sales agent's browser never has the digits of a known customer who calls": async () => {
		const p = desk.page
		await Caller.call(centre, '4001', { from: FROM })
		await desk.scene('incoming')
		await p.waitForSelector('[data-pop=customer]')
		await look(p, 'ringing')
		await desk.answer()
		await look(p, 'in the call')
		await p.fill('[data-note-text]', '要一份报价')
		await p.click('[data-act=hangup]')
		await desk.scene('wrapup')
		await look(p, 'wrap-up')
		const [customer] = await p.evaluate(async () => (await (await fetch('/api/v1/customers')).json()).items)
		equal(customer.name, '张三')
		for (const path of ['/customers', `/customers/${customer.id}`, '/calls', `/customers?q=${DIGITS.slice(-4)}`]) {
			await p.goto(centre.base + path)
			await p.waitForSelector('#main')
			await sleep(1500)
			await look(p, path.replaceAll(/\d{6,}/g, 'id'))
		}
		const call = await p.evaluate(async () => (await (await fetch('/api/v1/calls?limit=5')).json()).items[0])
		await p.goto(`${centre.base}/calls/${call.id}`)
		await sleep(1500)
		await look(p, 'the call')
		const asked = await p.evaluate(async paths => {
			const answers = []
			for (const path of paths) {
				const r = await fetch(`/api/v1${path}`)
				answers.push([r.status, await r.text()])
			}
			return answers
		}, ['/customers/export?format=csv', '/customers/export?format=xlsx', '/customer_phones', '/customer_phones/export?format=csv', '/notes', `/calls/${call.id}`, `/customers/${customer.id}`])
		ok(asked[0][0] !== 200 && asked[1][0] !== 200, `an export without the right is refused, not ${asked[0][0]}`)
		asked.forEach(([, text], i) => got.push({ where: `asked ${i}`, text }))
		await until(() => got.some(g => g.where.startsWith('frame')), 'SIP in a WebSocket')
		ok(got.some(g => g.where.startsWith('frame') && g.text.includes('INVITE')), 'the call in a frame')
		ok(got.some(g => g.where.startsWith('streamed') && g.text.length > 50), 'what the stream brought')
		ok(got.some(g => g.text.includes('1853')), 'the mask shows the last four')
		const leaks = got.filter(g => g.text.replaceAll(/[\s\u00a0-]/g, '').includes(DIGITS) && !g.where.includes(DIGITS))
		equal([...new Set(leaks.map(g => g.where))], [], 'where the digits are')
	},
}
