/* What goes wrong in a shift: reloads, closed browsers, lost lines, a killed server. Neither agent nor caller is ever stuck. */
import { equal, ok, text, until } from './lib.mjs'
import { BOTH, browserWithVoice, Caller, Centre, Desk, expectHeard, person, queue, sleep } from './server.mjs'

const RESUME_MS = 20_000 // SW_RESUME_MS
let centre
let browser
let desk
export async function setup() {
	const short = { wrapup_s: 3 }
	centre = await new Centre(27_000).seed(queue('q1', '4001', short), queue('q2', '4002', short), queue('q3', '4003', { ...short, auto_answer: true }),
		person(8001, 'q1'), person(8002, 'q2'), person(8003, 'q3'), person(8004, 'q1')).start()
	browser = await browserWithVoice(centre)
	desk = await Desk.open(browser, centre, 8001)
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}

async function talk(number = '4001', d = desk) {
	const caller = await Caller.call(centre, number)
	await d.scene('incoming')
	await d.answer()
	await expectHeard(d, caller, BOTH, 'after the answer')
	return caller
}
const state = async (n, wanted, ms) => until(async () => (await centre.agent(n)).state === wanted, `agent ${n} is ${wanted}`, ms)
async function back(d = desk) {
	await d.scene('wrapup')
	await d.page.keyboard.press('F10')
	await d.scene('ready')
}

export const tests = {
	'a reload in mid-call comes back into the call, with sound both ways': async () => {
		const caller = await talk()
		await desk.page.reload()
		await desk.scene('call')
		await expectHeard(desk, caller, BOTH, 'after the reload')
		await desk.page.keyboard.press('F4')
		await caller.ended()
		await back()
		const c = await centre.record(caller.number)
		equal([c.by, c.segments.filter(s => s.type === 'talk').length], ['agent', 2])
	},
	'a lost line to the server is said, comes back by itself, and the call with it': async () => {
		const caller = await talk()
		await desk.page.evaluate(() => window.tap.sockets.forEach(s => s.close()))
		await desk.page.waitForSelector('[data-trouble=lost]')
		await desk.shot('lost')
		await desk.up()
		await expectHeard(desk, caller, BOTH, 'after the line is back')
		await desk.page.waitForSelector('[data-trouble=lost]', { state: 'detached' })
		await desk.page.keyboard.press('F4')
		await caller.ended()
		await back()
	},
	'another tab takes the telephone over in mid-call, the first one says so, and goes on when the other closes': async () => {
		const caller = await talk()
		const first = desk.page
		const second = await desk.tab()
		await second.goto(`${centre.base}/desk`)
		await second.waitForSelector('[data-trouble=other]')
		await second.click('[data-trouble=other] button')
		await desk.up(15_000, second)
		await first.waitForSelector('[data-trouble=other]')
		desk.page = second
		await desk.scene('call')
		await expectHeard(desk, caller, BOTH, 'in the second tab')
		await desk.shot('taken-over')
		await second.keyboard.press('F4')
		await caller.ended()
		await back()
		await second.close()
		desk.page = first
		await first.click('[data-trouble=other] button')
		await desk.up()
		const again = await talk()
		await again.hangUp()
		await back()
	},
	'a break asked for while talking begins after the wrap-up': async () => {
		const caller = await talk()
		await desk.page.click('[data-act=break]')
		await desk.page.keyboard.press('Enter')
		await until(async () => (await text(desk.page, '.pending')) !== '', 'it is announced')
		await expectHeard(desk, caller, BOTH, 'while a break is pending')
		await caller.hangUp()
		await desk.scene('wrapup')
		await desk.scene('break', 6000)
		await desk.ready()
	},
	'signing out while talking takes effect after the wrap-up': async () => {
		const caller = await talk()
		await desk.page.click('[data-act=offline]')
		await desk.page.click('.el-message-box__btns button.el-button--primary')
		await until(async () => (await text(desk.page, '.pending')) !== '', 'it is announced')
		await expectHeard(desk, caller, BOTH, 'while the sign-out is pending')
		await caller.hangUp()
		await desk.scene('wrapup')
		await desk.scene('offline', 6000)
		await desk.ready()
	},
	'auto-answer: a beep in the page, then the caller': async () => {
		const d = await Desk.open(browser, centre, 8003)
		const caller = await Caller.call(centre, '4003')
		await d.scene('call')
		const notes = (await d.page.evaluate(() => window.tap.notes)).map(n => n.hz)
		equal(notes.slice(-2), [880, 1175], 'the beep')
		await expectHeard(d, caller, BOTH, 'after the beep')
		await caller.hangUp()
		await d.scene('wrapup')
		await d.close()
	},
	'a browser closed in mid-call: its caller waits on with music and goes to the next agent': async () => {
		const caller = await talk()
		const other = await Desk.open(browser, centre, 8004)
		await desk.close()
		const start = Date.now()
		await sleep(2000)
		const heard = await caller.voice.listen(500)
		ok(heard.some(v => Math.abs(v) > 200), 'music meanwhile')
		await other.scene('incoming', RESUME_MS + 5000)
		ok(Date.now() - start > RESUME_MS - 1500, `the agent had ${Date.now() - start} ms to come back`)
		await other.answer()
		await expectHeard(other, caller, BOTH, 'with the next agent')
		await state(8001, 'break', 8000)
		await caller.hangUp()
		await other.scene('wrapup')
		const c = await centre.record(caller.number)
		equal([c.offers.map(o => o.outcome), c.by], [['answered', 'answered'], 'customer'])
		await other.close()
		desk = await Desk.open(browser, centre, 8001)
	},
	'after kill -9 all desks come back by themselves: ready only who was, and no call stays': async () => {
		const talking = await Desk.open(browser, centre, 8002)
		const resting = await Desk.open(browser, centre, 8004)
		await resting.page.click('[data-act=break]')
		await resting.page.keyboard.press('Enter')
		await resting.scene('break')
		const caller = await talk('4002', talking)
		await centre.kill()
		await desk.page.waitForSelector('[data-trouble=lost]')
		await desk.shot('server-gone')
		await centre.start()
		await Promise.all([desk, talking, resting].map(d => d.up(20_000)))
		await caller.ended(15_000)
		await Promise.all([desk.scene('ready', 15_000), resting.scene('break', 15_000)])
		const c = await centre.record(caller.number)
		equal([c.by, c.answered, c.recordings.map(r => r.state)], ['system', true, ['closed']])
		const s = (await centre.agent(8002)).state
		ok(['wrapup', 'ready', 'break'].includes(s), `who talked is ${s}`)
		const next = await talk()
		await next.hangUp()
		await Promise.all([talking, resting].map(d => d.close()))
		await back()
	},
	'logging out of the page while talking ends the call, and nobody is stuck': async () => {
		const caller = await talk()
		await desk.page.click('header .who')
		await desk.page.locator('[role=menu] [role=menuitem]').last().click()
		await desk.page.click('.el-message-box__btns button.el-button--primary')
		await desk.page.waitForURL('**/login')
		await caller.ended()
		await state(8001, 'offline', 10_000)
		equal((await centre.record(caller.number)).by, 'agent')
	},
	'nothing went wrong in the page': () => equal(desk.errors, []),
}
