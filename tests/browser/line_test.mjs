/* Calls out, desk phones, the self-test, and every page with the real server behind it. */
import { axe, equal, ok, text, until } from './lib.mjs'
import { Baresip, BOTH, browserWithVoice, Caller, CALLER_HZ, Centre, checkChannels, Desk, expectHeard, loudest, MIC_HZ, PASSWORD, person, queue } from './server.mjs'

const OUT = '13900139000'
let centre
let browser
let desk
export async function setup() {
	centre = await new Centre(22_000).seed(queue('q1', '4001'), queue('q2', '4002', { wrapup_s: 0 }), person(8001, 'q1'), person(8002, 'q2')).start()
	browser = await browserWithVoice(centre)
	desk = await Desk.open(browser, centre, 8001)
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}

export const tests = {
	'a call out: early media is heard, the other side answers, and the record has both voices': async () => {
		const carrier = await Caller.carrier(centre, 3000)
		const boss = await centre.api('boss')
		const state = async () => (await boss.get('/board')).calls[0]?.state
		await desk.page.keyboard.press('/')
		await desk.page.keyboard.type(OUT)
		await desk.page.keyboard.press('Enter')
		await desk.scene('call')
		equal(await text(desk.page, '[data-who]'), '139 0013 9000')
		await until(async () => (await desk.hears(300)).caller > 0.03, 'early media')
		equal([await state(), carrier.at('A')], ['ringing', 0], 'before the answer')
		await desk.shot('dialling')
		await carrier.answered()
		await expectHeard(desk, carrier, BOTH, 'after the answer')
		equal(await state(), 'talking')
		await desk.shot('outbound')
		await desk.page.keyboard.press('F4')
		await carrier.ended()
		await desk.scene('ready')
		const r = await centre.record(OUT)
		equal([r.dir, r.answered, r.by, r.agent, r.from], ['out', true, 'agent', '坐席8001(示例)', '8001'])
		ok(Math.abs(r.answer_ms - carrier.at('A') * 1000) < 150, 'answered when the carrier did')
		equal(r.recordings.length, 1)
		checkChannels(await centre.sound(r.recordings[0]))
		await desk.page.click('nav a[href="/calls"]')
		const row = await text(desk.page, 'tbody tr >> nth=0')
		ok(row.includes('139 0013 9000') && row.includes('坐席8001(示例)'), `the row: ${row}`)
		await desk.home()
	},
	'a desk phone that registers takes queue calls, holds, resumes and hangs up': async () => {
		const phone = await Baresip.start(centre, '8002', { port: centre.port + 50 })
		const me = await centre.api('agent8002')
		await me.post('/desk/login', { device: '8002', ready: true })
		const caller = await Caller.call(centre, '4002')
		await until(async () => (await centre.agent(8002)).state === 'talking', 'the phone answers')
		const hears = async (yes, what) => {
			let level
			await until(async () => (level = loudest(await caller.voice.listen(800), MIC_HZ)) > 1000 === yes, () => `${what}: ${level}`)
		}
		await hears(true, 'the caller hears the phone')
		await phone.command('hold')
		await hears(false, 'on hold')
		ok((await caller.voice.listen(600)).some(v => Math.abs(v) > 200), 'music on hold')
		await phone.command('resume')
		await hears(true, 'resumed')
		await phone.command('hangup')
		await caller.ended()
		const r = await centre.record(caller.number)
		equal([r.by, r.segments.filter(s => s.type !== 'queue' && s.type !== 'ring').map(s => s.type)], ['agent', ['talk', 'hold', 'talk']])
		for (const part of r.recordings)
			checkChannels(await centre.sound(part))
		await until(() => loudest(phone.heard(), CALLER_HZ) > 1000, 'the phone heard the caller')
		equal((await centre.agent(8002)).state, 'ready')
	},
	'the self-test calls the echo and gives its verdict with figures': async () => {
		await desk.page.click('[data-act=phone]')
		await desk.page.click('[data-act=selftest]')
		await desk.page.waitForSelector('[data-verdict]', { timeout: 20_000 })
		const verdict = await desk.page.locator('[data-verdict]').getAttribute('data-verdict')
		const said = await text(desk.page, '[data-verdict]')
		await desk.shot('selftest')
		ok(['good', 'fair'].includes(verdict), `${verdict}: ${said}`)
		ok(/0\.0%/.test(said) && !/-1/.test(said), `figures: ${said}`)
		equal((said.match(/\d+ 毫秒/g) ?? []).length >= 2, true, `delays: ${said}`)
		await desk.home()
	},
	'nothing went wrong in the page': () => equal(desk.errors, []),
}

/* Two resources stand for all, which are one component; the desk's scenes in English are seen against the mock (pages_test). */
const PAGES = { 'zh-CN': ['/board', '/calls', '/settings/users', '/settings/numbers', '/settings/tokens', '/ca'], 'en-GB': ['/board', '/calls', '/settings/queues'] }
for (const locale of ['zh-CN', 'en-GB']) {
	tests[`axe finds nothing serious on any page of the real centre, ${locale}`] = async () => {
		const ctx = await browser.newContext({ locale, viewport: { width: 1366, height: 768 }, reducedMotion: 'reduce' })
		const page = await ctx.newPage()
		const look = async where => equal(await axe(page), [], where)
		await page.goto(`${centre.base}/login`)
		await page.waitForSelector('#login')
		await look('/login')
		const call = (await centre.record(OUT)).id
		await page.fill('#login', 'boss')
		await page.fill('#password', PASSWORD)
		await page.keyboard.press('Enter')
		await page.waitForURL(u => u.pathname === '/board')
		for (const path of [...PAGES[locale], `/calls/${call}`]) {
			await page.goto(centre.base + path)
			await page.waitForTimeout(500)
			await look(path)
		}
		await ctx.close()
		if (locale !== 'zh-CN')
			return
		const d = await Desk.open(browser, centre, 8001, { ready: false, locale })
		equal(await axe(d.page), [], '/desk')
		await d.ready()
		equal(await axe(d.page), [], '/desk, ready')
		const caller = await Caller.call(centre, '4001')
		await d.scene('incoming')
		equal(await axe(d.page), [], '/desk, incoming')
		await d.answer()
		equal(await axe(d.page), [], '/desk, in a call')
		await caller.hangUp()
		await d.scene('wrapup')
		equal(await axe(d.page), [], '/desk, wrap-up')
		await d.page.keyboard.press('F10')
		await d.close()
	}
}
