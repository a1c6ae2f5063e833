/* SIP messages as a ladder and as pcap, fault reports, and the choice of the device that rings: against the real server. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Caller, Centre, Desk, PASSWORD, person, queue, sleep } from './server.mjs'

const FROM = '13800138007'
let centre
let browser
let desk
let boss
const fixed = name => ['devices', `f${name}`, { name, user_id: '$u8001', kind: 'static', static_uri: 'sip:8901@127.0.0.1:9' }]
export async function setup() {
	centre = await new Centre(28_000).seed(queue('售前(示例)', '4001', { ring_s: 10 }), person(8001, '售前(示例)'), [fixed('8901')]).start()
	browser = await launch()
	desk = await Desk.open(browser, centre, 8001)
	boss = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 860 } })).newPage()
	await boss.goto(`${centre.base}/login`)
	await boss.fill('input[autocomplete=username]', 'boss')
	await boss.fill('input[type=password]', PASSWORD)
	await boss.keyboard.press('Enter')
	await boss.waitForSelector('.conn.open')
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
const toggle = page => page.click('header button:has-text("English"), header button:has-text("中文")')
async function inBoth(page, what) {
	for (const lang of ['zh', 'en']) {
		await until(async () => !await page.locator('.el-message').count(), 'news to fade')
		equal(await axe(page), [], `axe: ${what} (${lang})`)
		await page.keyboard.press('Escape')
		if (lang === 'zh')
			await toggle(page)
	}
	await toggle(page)
}
let call

export const tests = {
	'a call’s messages stand as a ladder, are stepped through by keys, and shown whole without secrets': async () => {
		await desk.ready()
		const caller = await Caller.call(centre, '4001', { from: FROM })
		await desk.scene('incoming')
		await desk.answer()
		await desk.page.click('[data-act=hangup]')
		await caller.ended()
		call = await centre.record(FROM)
		await boss.goto(`${centre.base}/calls/${call.id}`)
		await boss.click('[data-act=sip]')
		await boss.waitForSelector('[data-ladder]')
		const rungs = await boss.locator('.rung').allInnerTexts()
		const first = rungs.findIndex(r => r.includes('INVITE'))
		equal(first, 0, 'the caller’s INVITE is first')
		ok(['100', '200 OK', 'ACK', 'BYE'].every(w => rungs.some(r => r.includes(w))), rungs.join(' | '))
		equal(await boss.locator('.lane strong').allInnerTexts(), ['运营商(示例)', '话务', '浏览器'])
		await boss.locator('.rung').first().focus()
		await boss.keyboard.press('Enter')
		ok((await text(boss, '[data-message] pre')).startsWith('INVITE sip:4001@'), 'the first message')
		await boss.keyboard.press('End')
		await until(async () => /^SIP\/2.0 200/.test(await text(boss, '[data-message] pre')), 'the last message')
		equal(await axe(boss), [], 'axe')
		const all = await boss.evaluate(async id => (await (await fetch(`/api/v1/calls/${id}/trace`)).json()).messages.map(m => m.text).join('\n'), call.id)
		ok(all.includes('a=ice-pwd:*') && !/a=ice-pwd:[^*\s]/.test(all), 'ice-pwd is blanked')
		ok(/Authorization: Digest [^\r]*response="\*+"/.test(all) || !/Authorization:/.test(all), 'credentials are blanked')
	},
	'the same as pcap opens in tshark': async () => {
		const b64 = await boss.evaluate(async id => {
			const b = new Uint8Array(await (await fetch(`/api/v1/calls/${id}/trace.pcap`)).arrayBuffer())
			return btoa(String.fromCharCode(...b))
		}, call.id)
		const file = join(centre.dir, 'call.pcap')
		writeFileSync(file, Buffer.from(b64, 'base64'))
		let out
		try {
			out = execFileSync('tshark', ['-n', '-r', file, '-o', 'udp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', '-T', 'fields', '-e', 'sip.CSeq.method', '-e', 'sip.Status-Code', '-e', 'udp.checksum.status', '-e', 'ip.checksum.status'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
		} catch (e) {
			if (e.code === 'ENOENT')
				return { skipped: 'no tshark' }
			throw e
		}
		const lines = out.trim().split('\n').map(l => l.split('\t'))
		ok(lines.every(l => l[0]), `tshark takes each for SIP: ${out}`)
		ok(lines.some(l => l[0] === 'INVITE' && l[1] === '200') && lines.some(l => l[0] === 'BYE' && l[1] === '200'), out)
		ok(lines.every(l => l[2] === '1' && l[3] === '1'), `checksums are right: ${out}`)
	},
	'a trunk has its own': async () => {
		const id = await boss.evaluate(async () => (await (await fetch('/api/v1/trunks')).json()).items[0].id)
		await boss.goto(`${centre.base}/trunks/${id}/sip`)
		await boss.waitForSelector('.rung')
		await boss.selectOption('#s-only', 'calls')
		ok((await boss.locator('.rung').allInnerTexts()).every(r => !r.includes('OPTIONS')), 'calls only')
		await inBoth(boss, 'trunk')
	},
	'how a leg ended is said in words': async () => {
		await boss.goto(`${centre.base}/calls/${call.id}`)
		await boss.waitForSelector('.causes')
		ok((await text(boss, '.legs')).includes('结束'), 'words')
	},
	'a fault is reported by one key and reaches the administrator at once, and its state comes back': async () => {
		await boss.goto(`${centre.base}/board`)
		await boss.waitForSelector('.conn.open')
		await desk.page.keyboard.press('Escape')
		await desk.page.keyboard.press('b')
		await desk.page.waitForSelector('[data-fault]')
		await sleep(600) // the dialog fades in
		equal(await axe(desk.page), [], 'axe')
		await desk.page.fill('#fault-text', '客户听不到我说话')
		await desk.page.click('[data-act=fault-send]')
		await desk.page.waitForSelector('[data-fault]', { state: 'detached', timeout: 60_000 })
		await boss.waitForSelector('.fault-news')
		await boss.goto(`${centre.base}/faults`)
		await boss.click('tbody tr')
		await boss.waitForSelector('[data-fault-detail] .log')
		await sleep(600)
		ok((await text(boss, '[data-fault-detail]')).includes('Chrome'), 'browser')
		equal(await boss.locator('[data-fault-detail] [data-act=sip]').count(), 1, 'its call’s ladder')
		const log = await text(boss, '[data-fault-detail] .log')
		ok(log.includes('REGISTER') && !/Authorization: Digest/.test(log), 'the telephone’s log without credentials')
		equal(await axe(boss), [], 'axe')
		await boss.selectOption('#fd-state', 'work')
		await boss.fill('#fd-remark', '在看')
		await boss.click('[data-act=fault-save]')
		await desk.page.waitForSelector('.el-message >> text=处理中')
	},
	'a report waits in the page while the server cannot be reached': async () => {
		await desk.page.route('**/api/v1/desk/faults', r => r.request().method() === 'POST' ? r.abort() : r.continue())
		await desk.page.keyboard.press('b')
		await desk.page.fill('#fault-text', '断网时')
		await desk.page.click('[data-act=fault-send]')
		await desk.page.waitForSelector('.kept', { timeout: 60_000 })
		await desk.page.unroute('**/api/v1/desk/faults')
		await desk.page.evaluate(() => window.dispatchEvent(new Event('online')))
		await desk.page.waitForSelector('.own >> text=断网时')
		await desk.page.keyboard.press('Escape')
	},
	'the device that rings is chosen, tried, remembered, and another is offered when it is gone': async () => {
		const p = desk.page
		await p.waitForSelector('[data-fault]', { state: 'detached' })
		if (await p.locator('[data-act=wrap-end]').count())
			await p.click('[data-act=wrap-end]')
		await desk.scene('ready')
		await inBoth(p, 'desk')
		await p.selectOption('#ring-at', '8001')
		await p.waitForSelector('[data-device-lost]')
		ok((await text(p, '[data-device-lost]')).includes('8001'), 'says which')
		await until(async () => !await p.locator('.el-message').count(), 'news to fade')
		equal(await axe(p), [], 'axe')
		await p.click('[data-act=use-other]')
		await desk.scene('ready')
		await p.selectOption('#ring-at', '8901')
		await until(async () => (await p.inputValue('#ring-at')) === '8901', 'chosen')
		await p.click('[data-act=test-ring]')
		await p.waitForSelector('.el-message >> text=8901')
		await p.reload()
		await until(async () => (await p.inputValue('#ring-at').catch(() => '')) === '8901', 'still chosen')
		await p.selectOption('#ring-at', '')
		await until(async () => (await p.inputValue('#ring-at')) === '', 'back')
	},
}
