/* A supervisor and an outbound campaign on the real server: made in the wizard, started, dialled, paused, ended. */
import { createSocket } from 'node:dgram'
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Baresip, Centre, PASSWORD, person } from './server.mjs'

const PORT = 19_500
const WIDTH = 1440
let centre
let browser
let page
let carrier
const errors = []
const customer = (i, tags) => ['customers', `c${i}`, { name: `客户${i}(示例)`, tags, owner_id: null, phones: [{ number: `1380013800${i}` }] }]

/* The other side of the trunk: 486 (RFC 3261 21.4.24) to every INVITE. */
function busyCarrier(host, port) {
	const socket = createSocket('udp4')
	socket.on('message', (m, from) => {
		const lines = m.toString().split('\r\n')
		const kept = lines.filter(l => /^(via|from|call-id|cseq):/i.test(l))
		const to = lines.find(l => /^to:/i.test(l)) ?? ''
		const answer = code => socket.send([`SIP/2.0 ${code}`, ...kept, /tag=/.test(to) ? to : `${to};tag=busy`, 'Content-Length: 0', '', ''].join('\r\n'), from.port, from.address)
		if (lines[0].startsWith('INVITE '))
			answer('486 Busy Here')
		else if (!lines[0].startsWith('ACK ') && !lines[0].startsWith('SIP/'))
			answer('200 OK')
	})
	return new Promise(done => socket.bind(port, host, () => done({ stop: () => socket.close() })))
}
export async function setup() {
	centre = new Centre(PORT)
	centre.seed([
		['users', 'lead', { name: '主管(示例)', login: 'lead', role: 'supervisor', password: PASSWORD, must_change_password: false }],
		['teams', 'team', { name: '外呼组(示例)' }], ...person(8001, '', { team_id: '$team' }), ...person(8002, '', { team_id: '$team' }),
		...[1, 2, 3].map(i => customer(i, '回访')), ...[4, 5].map(i => customer(i, '其他')),
	])
	await centre.start()
	/* Whatever time it is where the test runs. */
	const boss = await centre.api('boss')
	for (const w of (await boss.get('/calling_windows')).items)
		await boss.patch(`/calling_windows/${w.id}`, { active: false }, w.rev)
	carrier = await busyCarrier('127.0.0.3', PORT + 3)
	await Baresip.start(centre, '8001', { port: PORT + 20 })
	browser = await launch({ mic: false })
	page = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: WIDTH, height: 900 } })).newPage()
	page.on('pageerror', e => errors.push(e.message))
	await page.goto(`${centre.base}/login`)
	await page.fill('#login', 'lead')
	await page.fill('#password', PASSWORD)
	await page.keyboard.press('Enter')
	await page.waitForURL(u => u.pathname !== '/login')
}
export async function done() {
	await browser?.close()
	carrier?.stop()
	await centre?.stop()
}
const why = () => page.locator('.whyline [data-why]').getAttribute('data-why')

export const tests = {
	'a wizard leads from nothing to a running project; what is missing is said at its field': async () => {
		await page.click('nav a[href="/campaigns"]')
		await page.waitForSelector('[data-none]')
		await page.click('[data-none] [data-act=new]')
		await page.waitForSelector('[data-wizard] #c-name')
		await page.click('[data-act=create-start]')
		await until(() => page.evaluate(() => document.activeElement?.id === 'c-name' && document.activeElement.getAttribute('aria-invalid') === 'true'), 'the name is asked for')
		equal(await page.locator('.stepper.bad').evaluateAll(l => l.map(e => e.dataset.go)), ['about', 'people'], 'steps with something missing')
		await page.fill('#c-name', '老客回访(示例)')
		await page.click('[data-basis=consent]')
		await page.fill('#c-basis_text', '2026 年会员协议（示例）')
		await page.click('[data-act=next]')
		await page.waitForSelector('[data-count="5"]')
		await page.click('[data-act=filter]')
		await page.selectOption('[data-f=field]', 'tags')
		await page.selectOption('[data-f=op]', 'any')
		await page.fill('[data-f=value]', '回访')
		await page.click('[data-act=apply]')
		await page.waitForSelector('[data-count="3"]')
		await page.click('[data-act=next]')
		await page.locator('[data-team] input').check()
		equal(await axe(page), [], 'axe')
		await page.click('[data-go=rules]')
		await page.fill('#c-hours', '20:00-9:00')
		await page.click('[data-act=create-start]')
		await page.waitForSelector('#c-hours[aria-invalid=true]')
		await page.fill('#c-hours', '0-24')
		await page.click('[data-act=create-start]')
		await page.waitForURL(/\/campaigns\/\d+$/)
		await page.waitForSelector('[data-state=running]')
		await page.waitForSelector('.progress[data-total="3"]')
		await until(async () => await why() === 'nobody', 'nobody is signed in')
	},
	'with an agent there it dials; progress, list health and the list show it': async () => {
		const agent = await centre.api('agent8001')
		await agent.post('/desk/login', { device: '8001', ready: true })
		await until(async () => Number((await text(page, '[data-figure=dials] dd')).replaceAll(',', '')) >= 3, 'three dials', 20_000)
		await page.waitForSelector('[data-health] tbody tr')
		ok((await text(page, '[data-health] thead')).includes('占线'), 'busy is a column of list health')
		await until(async () => (await why()) === 'later', 'all wait for their next time', 20_000)
		await page.click('[data-tab=leads]')
		await until(async () => await page.locator('tbody tr').count() === 3, 'three leads')
		ok((await text(page, 'tbody')).includes('占线'), 'their last result')
		await page.click('[data-tab=people]')
		await page.waitForSelector('[data-person^=坐席8001] .pill:not(.offline)')
	},
	'it is paused, changed, goes on, and is ended for good': async () => {
		await page.click('[data-act=pause]')
		await page.waitForSelector('h1 ~ [data-state=paused]')
		await until(async () => (await why()) === 'paused', 'the line says so')
		await page.click('[data-tab=settings]')
		await page.waitForSelector('[data-settings] #c-name')
		await page.fill('#c-name', '老客回访二(示例)')
		await page.click('[data-part=people]')
		await page.waitForSelector('[data-team] input:checked')
		await page.selectOption('[data-team] .level', '2')
		await page.click('[data-act=save]')
		await page.waitForSelector('h1:has-text("老客回访二")')
		await page.waitForSelector('[data-act=save]:disabled')
		equal(await page.locator('[data-team] .level').inputValue(), '2', 'the level')
		await page.click('[data-act=start]')
		await page.waitForSelector('h1 ~ [data-state=running]')
		await page.click('nav a[href="/campaigns"]')
		const row = page.locator('tr[data-campaign^=老客回访二]')
		await row.locator('[data-act=stop]').click()
		await page.click('.el-message-box .el-button--danger')
		await page.waitForSelector('tr[data-campaign^=老客回访二][data-state=ended]')
		equal(await row.locator('[data-act]').count(), 0, 'buttons of what has ended')
		equal(errors, [], 'errors of the page')
	},
	'an agent does not see projects in his navigation, nor by their address': async () => {
		const ctx = await browser.newContext({ locale: 'zh-CN' })
		const p = await ctx.newPage()
		await p.goto(`${centre.base}/login?next=/campaigns`)
		await p.fill('#login', 'agent8002')
		await p.fill('#password', PASSWORD)
		await p.keyboard.press('Enter')
		await p.waitForURL(u => u.pathname === '/desk')
		await p.waitForSelector('nav a[href="/customers"]')
		equal(await p.locator('nav a[href="/campaigns"]').count(), 0, 'links')
		await ctx.close()
	},
}
