/*
 * Outbound, with a real server and a simulated city: a supervisor makes a project in the wizard and imports a thousand customers into it, agents
 * dial preview, progressively and predictively in their browsers; results, a call-back, a visit and a deal arrive, and the figures are what the city's own log says.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { axe, equal, ok, text, until } from './lib.mjs'
import { browserWithVoice, Caller, Centre, Desk, HUAWU, PASSWORD, person, queue } from './server.mjs'

const CUSTOMERS = 1000
const NAME = '理财邀约(示例)'
const SCRIPT = '# 开场\n您好，{姓名}，我是西湖财富的顾问。\n- 新客有一款稳健产品\n- 约本周到店'
let centre
let city
let browser
let boss
let desks = []
let project
let results

const number = i => `1391234${String(1000 + i)}`
const traceLines = () => readFileSync(join(centre.dir, 'city.jsonl'), 'utf8').split('\n').filter(Boolean).map(l => JSON.parse(l)).filter(l => l.kind === 'carrier' || l.does)
const get = async path => boss.get(path)
const progress = () => get(`/campaigns/${project.id}/progress`)
async function change(body) {
	const row = await get(`/campaigns/${project.id}`)
	await boss.patch(`/campaigns/${project.id}`, body, row.rev)
}

export async function setup() {
	centre = await new Centre(19_700, { options: ['--rtp-min', '19710', '--rtp-max', '19898'] }).seed(queue('服务(示例)', '4001', { ring_s: 60, wrapup_s: 1 }), [['teams', 'team', { name: '外呼组(示例)' }]],
		person(8001, '服务(示例)', { team_id: '$team' }), person(8002, null, { team_id: '$team' }), person(8003, null, { team_id: '$team' })).start()
	boss = await centre.api('boss')
	// The city: people answer readily, and everything but the talks goes twenty times as fast.
	city = spawn(HUAWU, ['sim', 'net', '--server', centre.sip, '--carrier', `127.0.0.3:${centre.port + 3}`, '--city', '0.8', '--hour', '18', '--faster', '20', '--talk', '900', '--seed', '5',
		'--trace', join(centre.dir, 'city.jsonl'), '--with-parent', '--quiet'], { stdio: 'ignore' })
	for (const w of (await get('/calling_windows')).items)
		await boss.patch(`/calling_windows/${w.id}`, { hours: '00:00-24:00' }, w.rev)
	results = Object.fromEntries((await get('/contact_results?limit=100')).items.map(r => [r.code, r.id]))
	browser = await browserWithVoice(centre)
}
export async function done() {
	await browser?.close()
	city?.kill('SIGTERM')
	await centre?.stop()
}

/* ---- an agent ---- */

const me = () => desks[0].page
const leadOf = async customer => (await get(`/campaign_leads?campaign_id=${project.id}&customer_id=${customer}`)).items[0]
const shownCustomer = async p => (await p.locator('[data-pop-name]').getAttribute('href')).split('/').pop()
/** A customer on the line, whose data are there: also one who has hung up already. */
async function talks(p) {
	await until(async () => await p.locator('.bar[data-state=talking], .bar[data-state=wrapup]').count() && await p.locator('[data-pop=customer] [data-pop-name]').count()
		&& await p.locator('[data-note-form] [data-result]').count(), () => `a customer who answers; the city: ${JSON.stringify(traceLines().slice(-3))}`, 30_000)
	return shownCustomer(p)
}
/** Counts every key that is pressed in the page, modifiers too. */
const countKeys = p => p.evaluate(() => {
	window.keysPressed = 0
	window.addEventListener('keydown', () => window.keysPressed++, true)
})
const gone = (p, customer) => until(async () => !await p.locator('.bar[data-state=wrapup]').count() && (!await p.locator('[data-pop-name]').count() || await shownCustomer(p) !== customer), 'the next', 20_000)
const noted = async customer => (await get(`/notes?customer_id=${customer}`)).items
async function both(name) {
	if (!process.env.SHOTS)
		return
	for (const [width, height] of [[1440, 900], [900, 900]]) {
		await me().setViewportSize({ width, height })
		for (const lang of ['zh', 'en']) {
			await me().waitForTimeout(250)
			await desks[0].shot(`${name}-${width}-${lang}`)
			await me().evaluate(() => document.querySelector('.top button[lang]').click())
		}
	}
	await me().setViewportSize({ width: 1366, height: 768 })
}

export const tests = {
	'a supervisor makes a project and imports a thousand customers into it': async () => {
		const p = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: 1440, height: 900 } })).newPage()
		await p.goto(`${centre.base}/login?next=/campaigns`)
		await p.fill('#login', 'boss')
		await p.fill('#password', PASSWORD)
		await p.keyboard.press('Enter')
		await p.waitForURL(u => u.pathname !== '/login')
		await p.goto(`${centre.base}/campaigns/new`)
		await p.fill('#c-name', NAME)
		await p.click('[data-basis=consent]')
		await p.fill('#c-basis_text', '2026 年会员协议(示例)')
		await p.click('[data-act=next]')
		await p.locator('[data-source=import] input').check()
		await p.click('[data-act=next]')
		await p.locator('[data-team] input').check()
		await p.click('[data-go=rules]')
		await p.fill('#c-hours', '0-24')
		await p.click('[data-act=create]')
		await p.waitForURL(/\/campaigns\/\d+/)
		const file = join(centre.dir, 'leads.csv')
		writeFileSync(file, `\uFEFF姓名,电话,城市,归属坐席\n${Array.from({ length: CUSTOMERS }, (_, i) => `客户${i}(示例),${number(i)},杭州,坐席${8001 + i % 3}(示例)`).join('\n')}\n`)
		await p.setInputFiles('[data-file]', file)
		await p.waitForSelector('[data-act=commit]')
		equal([await text(p, '[data-n=added] b'), await text(p, '[data-n=bad] b')], ['1000', '0'])
		await p.click('[data-act=commit]')
		project = (await get('/campaigns')).items[0]
		await until(async () => (await get(`/campaign_leads?campaign_id=${project.id}&limit=1&count=exact`)).total === CUSTOMERS, 'a thousand leads', 60_000)
		await p.context().close()
		await change({ mode: 'progressive', script: SCRIPT, ring_s: 15, wrapup_s: 600, results: [results.interested, results.refused, results.call_later] })
	},
	'an agent takes part or not, and reads in one line why nobody is dialled': async () => {
		desks = [await Desk.open(browser, centre, 8001)]
		const line = () => me().locator('[data-project] .why')
		await me().waitForSelector('[data-projects]', { state: 'detached' }) // a project that is only planned is none of his
		await boss.post(`/campaigns/${project.id}/start`)
		await boss.post(`/campaigns/${project.id}/pause`)
		await until(async () => (await line().count()) && (await line().getAttribute('data-why')) === 'why.paused', 'paused')
		await me().click('[data-act=project-leave]')
		await me().waitForSelector('[data-act=project-join]')
		await boss.post(`/campaigns/${project.id}/start`)
		await until(async () => (await line().getAttribute('data-why')) === 'why.away', 'he is not there')
		equal(await text(me(), '[data-project] .why'), '您没有参加这个项目的拨打')
		await both('idle')
		equal(await axe(me()), [], 'the projects')
		equal(await me().locator('.bar[data-state=ready]').count(), 1, 'nobody is dialled for him')
	},
	'progressive: the customer, his project and its script stand there; who is refused takes three keys at most': async () => {
		await countKeys(me())
		await me().click('[data-act=project-join]')
		const customer = await talks(me())
		ok((await text(me(), '[data-project-of]')).includes(NAME), 'the project')
		ok((await text(me(), '[data-script]')).includes(`您好，${(await get(`/customers/${customer}`)).name}，`), 'the script with his name')
		equal(await me().locator('[data-note-form] [data-result]').evaluateAll(l => l.slice(0, 3).map(b => b.dataset.result)), ['interested', 'refused', 'call_later'], 'the project\'s results')
		await both('talk')
		equal(await axe(me()), [], 'the call')
		await me().evaluate(() => (window.keysPressed = 0))
		await me().keyboard.press('2') // refused
		await me().waitForSelector('[data-result=refused][aria-checked=true]')
		await me().keyboard.press('F4')
		await me().waitForSelector('.bar[data-state=wrapup]')
		await both('wrapup')
		await me().evaluate(n => (window.keysPressed = n), 2)
		await me().keyboard.press('Enter')
		await gone(me(), customer)
		equal(await me().evaluate(() => window.keysPressed), 3, 'keys of a refused call')
		equal((await noted(customer)).map(n => n.result_id), [results.refused])
		await until(async () => (await leadOf(customer)).state === 'done', 'the lead is done')
	},
	'"do not call" is one key, and one to take it back; a call-back, a visit and a deal arrive': async () => {
		const customer = await talks(me())
		await me().keyboard.press('x')
		await me().waitForSelector('[data-barred]')
		await until(async () => (await get('/do_not_call')).items.length === 1, 'on the list')
		await me().waitForSelector('[data-act=bar][aria-pressed=true]')
		await both('barred')
		await me().keyboard.press('x')
		await me().waitForSelector('[data-barred]', { state: 'detached' })
		equal((await get('/do_not_call')).items, [])
		await me().keyboard.press('0')
		await me().keyboard.press('3') // tomorrow 9:30
		await me().keyboard.press('1')
		await me().click('[data-act=note-invite]')
		await me().locator('[data-visit-form] [data-time]').first().click()
		await me().fill('[data-visit=place]', '城东门店(示例)')
		await me().click('[data-act=visit-save]')
		await me().waitForSelector('[data-visit-form]', { state: 'detached' })
		if (await me().locator('.bar[data-state=talking]').count())
			await me().keyboard.press('F4')
		await me().waitForSelector('.bar[data-state=wrapup]')
		await me().keyboard.press('F10')
		await gone(me(), customer)
		const lead = await until(async () => {
			const l = await leadOf(customer)
			return l.state === 'open' && l.agent_id && l
		}, 'the call-back')
		const due = new Date(lead.next_ms)
		equal([due.getHours(), due.getMinutes(), due.getTime() > Date.now()], [9, 30, true], 'tomorrow 9:30')
		equal((await get(`/visits?customer_id=${customer}`)).items.map(v => v.place), ['城东门店(示例)'])
		await boss.post('/deals', { customer_id: customer, product: '稳健理财A款(示例)', amount: 5_000_000, day: new Date().toISOString().slice(0, 10), state: 'signed' })
		equal((await get(`/callbacks?customer_id=${customer}&state=open`)).items.length, 1, 'a to-do for it')
	},
	'preview: the record first; skipped he does not come again at once; F2 dials': async () => {
		await change({ mode: 'preview', preview_s: 60 })
		for (;;) { // the last one of before
			await until(async () => await me().locator('[data-preview], .bar[data-state=wrapup], .bar[data-state=talking]').count(), 'a preview', 30_000)
			if (await me().locator('[data-preview]').count())
				break
			const c = await talks(me())
			await me().keyboard.press('2')
			if (await me().locator('.bar[data-state=talking]').count())
				await me().keyboard.press('F4')
			await me().keyboard.press('Enter')
			await gone(me(), c)
		}
		await me().waitForSelector('[data-pop-name]')
		const first = await shownCustomer(me())
		ok((await text(me(), '[data-script]')).includes('您好'), 'the script before the call')
		await both('preview')
		equal(await axe(me()), [], 'the preview')
		await me().keyboard.press('1')
		await until(async () => await me().locator('[data-preview] ').count() && await me().locator('[data-pop-name]').count() && await shownCustomer(me()) !== first, 'another one', 20_000)
		const skipped = await until(async () => {
			const l = await leadOf(first)
			return l.state === 'open' && l
		}, 'he is let go')
		equal([skipped.why, skipped.attempts], ['skipped', 0])
		ok(skipped.next_ms > Date.now(), 'he waits')
		const second = await shownCustomer(me())
		await me().keyboard.press('F2')
		const dialled = async () => (await get(`/dial_claims?customer_id=${second}`)).items[0]
		await me().waitForSelector('[data-preview]', { state: 'detached' })
		await until(async () => (await me().locator('.bar[data-state=talking]').count()) || (await dialled()).state === 'ended', 'he is dialled', 20_000)
		ok((await dialled()).result !== 'returned', 'and not let go')
	},
	'three agents dial predictively, and the figures are the city\'s own': async () => {
		await change({ mode: 'predictive', wrapup_s: 1, limit_permille: 100 })
		desks.push(...await Promise.all([8002, 8003].map(n => Desk.open(browser, centre, n, { ready: false }))))
		for (const d of desks.slice(1)) { // who is dialled for is not ready any more
			await d.page.click('[data-act=ready]')
			await d.page.waitForSelector('.bar:not([data-scene=offline])')
		}
		const before = (await progress()).all.answered
		// Nobody waits for the end of a talk: each desk hangs up, the note is written another time.
		await until(async () => {
			for (const d of desks) {
				if (await d.page.locator('.bar[data-state=talking]').count())
					await d.page.keyboard.press('F4')
				else if (await d.page.locator('.bar[data-state=wrapup]').count())
					await d.page.keyboard.press('F10')
			}
			return (await progress()).all.answered >= before + 8
		}, async () => JSON.stringify((await progress()).all), 60_000)
		await both('idle-predictive')
		await boss.post(`/campaigns/${project.id}/pause`)
		for (const d of desks)
			await d.page.keyboard.press('F4')
		const open = async () => (await get(`/dial_claims?campaign_id=${project.id}&state=open&limit=100`)).items.length
		await until(async () => {
			for (const d of desks)
				if (await d.page.locator('.bar[data-state=talking]').count())
					await d.page.keyboard.press('F4')
			return !await open()
		}, 'all calls are over', 30_000)
		const p = (await progress()).all
		const lines = traceLines()
		const refused = (await get(`/dial_claims?campaign_id=${project.id}&result=failed&limit=100`)).items.length
		equal(p.dials, lines.length + refused, 'as many dials as the city saw')
		equal(p.answered + p.abandoned, lines.filter(l => l.answer_ms >= 0 && l.does !== 'assistant').length + (await machines()), 'as many answers')
		const dials = (await get(`/dial_claims?campaign_id=${project.id}&state=ended&limit=500`)).items
		for (const l of lines.filter(x => x.by === 'us' && (x.does === 'noanswer' || (x.does === 'busy' && x.code === 486) || (x.does === 'empty' && x.code === 404))))
			equal(dials.find(x => x.number.endsWith(l.number.slice(-11))).result, l.does, `what became of ${l.number}`)
	},
	'who rings back is told to the agent with what we wanted': async () => {
		const missed = (await get(`/dial_claims?campaign_id=${project.id}&result=noanswer&limit=10`)).items[0]
		await desks[0].ready()
		await Caller.call(centre, '4001', { from: missed.number.slice(-11) })
		await desks[0].scene('incoming')
		await me().waitForSelector('[data-ring-back]')
		const said = await text(me(), '[data-ring-back]')
		ok(/^今天 \d\d:\d\d 我方外呼未接 · 项目 理财邀约\(示例\)$/.test(said), said)
		ok((await text(me(), '[data-script]')).includes('您好'), 'the script')
		await both('ring-back')
		equal(desks.flatMap(d => d.errors), [], 'errors of the pages')
	},
}
async function machines() {
	return traceLines().filter(l => l.does === 'assistant' && l.answer_ms >= 0).length - (await get(`/dial_claims?campaign_id=${project.id}&result=assistant&limit=100`)).items.length
}
