/* Privacy in the page: who may not key numbers dials customers, a mask is shown for a reason, and who may reads who did it. */
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Caller, Centre, PASSWORD } from './server.mjs'

const NUMBER = '13800138001'
let centre
let browser
const pages = {}
const user = (login, name, role) => ['users', login, { name, login, role, password: PASSWORD, must_change_password: false, team_id: '$team' }]
const customer = (as, name, number, owner) => ['customers', as, { name, owner_id: `$${owner}`, phones: [{ number }] }]
async function open(login) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })
	const p = await context.newPage()
	await p.goto(`${centre.base}/login`)
	await p.fill('input[autocomplete=username]', login)
	await p.fill('input[type=password]', PASSWORD)
	await p.press('input[type=password]', 'Enter')
	await p.waitForURL(u => u.pathname !== '/login')
	await p.waitForSelector('.conn.open')
	pages[login] = p
	return p
}
export async function setup() {
	centre = await new Centre(9_600, { options: ['--rtp-min', '9620', '--rtp-max', '9698'] }).seed([
		['teams', 'team', { name: '一组(示例)' }],
		user('sales', '电销甲(示例)', 'telesales'), user('anna', '坐席甲(示例)', 'agent'),
		customer('c1', '张三', NUMBER, 'sales'), customer('c2', '李四', '13800138002', 'sales'),
	]).start()
	centre.boss = await centre.api('boss')
	const rules = (await centre.boss.get('/privacy_settings')).items[0]
	await centre.boss.patch(`/privacy_settings/${rules.id}`, { reveal_day_max: 1 }, rules.rev)
	browser = await launch()
	for (const login of ['sales', 'anna', 'boss'])
		await open(login)
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
/** A picture in both languages, when they are asked for. */
async function shot(p, name) {
	if (!process.env.SHOTS)
		return
	const other = () => p.evaluate(() => document.querySelector('.top button[lang]').click())
	await p.screenshot({ path: `${process.env.SHOTS}/${name}-zh.png` })
	await other()
	await p.waitForTimeout(500)
	await p.screenshot({ path: `${process.env.SHOTS}/${name}-en.png` })
	await other()
	await p.waitForTimeout(300)
}
const toCustomer = async (p, name) => {
	await p.goto(`${centre.base}/customers`)
	await p.click(`tbody tr[data-id]:has-text("${name}")`)
	await p.waitForSelector('.head h1')
}
const dialled = p => p.waitForRequest(r => r.url().endsWith('/desk/dial')).then(r => r.postDataJSON())

export const tests = {
	'who may not key numbers has no field for them and dials a customer through the mask': async () => {
		const p = pages.sales
		equal(await p.locator('[data-act=number]').count(), 0, 'number fields of telesales')
		equal(await p.locator('[data-act=keypad]').count(), 0, 'key pads of telesales outside a call')
		equal(await pages.anna.locator('[data-act=number]').count(), 1, 'number fields of an agent')
		await p.goto(`${centre.base}/desk`)
		await p.waitForSelector('.phone.up')
		await p.click('[data-act=ready]')
		await p.waitForSelector('.bar[data-state=ready]')
		await toCustomer(p, '张三')
		equal(await text(p, '.numbers .dial'), '138****8001')
		await shot(p, 'telesales')
		const carrier = await Caller.carrier(centre, 300)
		const asked = dialled(p)
		await p.click('.numbers [data-act=dial]')
		const body = await asked
		equal(Object.keys(body).sort(), ['customer_id', 'phone_id'], 'what is sent')
		await carrier.answered()
		ok(!(await p.content()).includes('0138001'), 'the number is nowhere in the page')
		await p.click('[data-act=hangup]')
		await p.waitForSelector('.bar[data-scene=wrapup], .bar[data-scene=ready]')
		await until(async () => (await centre.boss.get('/calls?limit=5')).items.some(c => c.end_ms && c.answered && c.to?.endsWith(NUMBER)), 'the record of the number')
	},
	'the history and the list of customers dial the customer, too': async () => {
		const p = pages.sales
		await p.goto(`${centre.base}/calls`)
		await p.waitForSelector('tr.click')
		await until(async () => !(await p.locator('tr.click [data-act=call-back]').first().isDisabled()), 'the button')
		const asked = dialled(p)
		await p.click('tr.click [data-act=call-back]')
		const body = await asked
		ok(body.customer_id && body.phone_id && !body.number, `a customer is dialled: ${JSON.stringify(body)}`)
		await p.goto(`${centre.base}/customers`)
		await p.waitForSelector('[data-act=dial-customer]')
		await shot(p, 'customers')
	},
	'a masked number is shown for a reason, and refused when the day is used up': async () => {
		const p = pages.sales
		await toCustomer(p, '张三')
		await p.click('[data-act=reveal]')
		ok(await p.isDisabled('[data-act=reveal-do]'), 'nothing without a reason')
		await p.click('[data-reason=verify]')
		equal(await axe(p), [], 'the question')
		await shot(p, 'reveal-ask')
		await p.click('[data-act=reveal-do]')
		equal(await text(p, '[data-revealed]'), '138 0013 8001')
		ok((await text(p, '[data-reveal]')).includes('今天的次数已用完'), 'how many are left')
		await shot(p, 'revealed')
		await p.click('[data-act=hide-number]')
		equal(await p.locator('[data-revealed]').count(), 0, 'hidden again')
		await p.click('[data-act=reveal]')
		await p.fill('[data-reveal-why]', '再看一次')
		await p.press('[data-reveal-why]', 'Enter')
		await p.waitForSelector('[role=dialog] [role=alert]')
		ok((await text(p, '[role=dialog] [role=alert]')).includes('明天恢复'), 'the refusal says when it ends')
		await shot(p, 'reveal-refused')
	},
	'who may reads who saw and changed a customer, and that the log is whole': async () => {
		const p = pages.boss
		await toCustomer(p, '张三')
		await p.click('[data-act=more]')
		await p.click('[role=menuitem]:has-text("谁看过改过")')
		await p.waitForURL(/\/audit\?/)
		await p.waitForSelector('[data-audit=see]')
		await p.goto(`${centre.base}/audit`)
		await p.waitForSelector('[data-audit]')
		await p.selectOption('#a-action', 'reveal')
		await until(async () => await p.locator('[data-audit]').count() === 1, 'the one that was shown')
		const line = await text(p, '[data-audit=reveal]')
		ok(line.includes('电销甲') && line.includes('核对客户身份'), `who and why: ${line}`)
		await p.selectOption('#a-action', '')
		await p.click('[data-act=verify]')
		await p.waitForSelector('[data-verdict=ok]')
		equal(await axe(p), [], 'the log')
		await shot(p, 'audit')
		equal(await pages.sales.goto(`${centre.base}/audit`).then(() => pages.sales.waitForURL(u => u.pathname !== '/audit')).then(() => true), true, 'others are sent away')
	},
	'a person is erased by typing her name, and her page says so': async () => {
		const p = pages.boss
		await toCustomer(p, '李四')
		await p.click('[data-act=more]')
		await p.click('[role=menuitem]:has-text("清除个人信息")')
		await p.fill('[data-erase=why]', '客户要求删除')
		await p.fill('[data-erase=name]', '李')
		ok(await p.isDisabled('[data-act=erase-do]'), 'not by half a name')
		await p.fill('[data-erase=name]', '李四')
		await p.waitForTimeout(500) /* it fades in */
		equal(await axe(p), [], 'the dialog')
		await shot(p, 'erase')
		await p.click('[data-act=erase-do]')
		await p.waitForSelector('[data-erased]')
		await until(async () => !(await text(p, 'main')).includes('李四'), 'her name to be gone')
		await shot(p, 'erased')
	},
}
