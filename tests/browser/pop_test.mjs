/* The screen pop with real calls: a stranger becomes a customer, her second call shows the first note, and nothing that was typed is lost. */
import { axe, equal, ok, text, until } from './lib.mjs'
import { browserWithVoice, Caller, Centre, Desk, person, queue } from './server.mjs'

const QUEUE = '售后(示例)'
const FROM = '13800138000'
const OTHER = '13900139000'
let centre
let browser
let desk
export async function setup() {
	centre = await new Centre(9_200, { options: ['--rtp-min', '9300', '--rtp-max', '9398'] }).seed(queue(QUEUE, '4001', { ring_s: 60, wrapup_s: 60, wrapup_max_s: 600 }), queue('短(示例)', '4002', { ring_s: 60, wrapup_s: 3 }), person(8001, QUEUE), [
		['members', 'm2', { queue_id: '$短(示例)', user_id: '$u8001', level: 1 }],
		['users', 'lead', { name: '班长(示例)', login: 'lead', role: 'supervisor', password: 'nur-ein-test-7', must_change_password: false }],
		['custom_fields', 'level', { zh: '会员等级', type: 'choice', required: true, options: [{ zh: '金卡' }, { zh: '银卡' }] }],
		['note_templates', 'tpl', { name: '售后(示例)', queue_id: `$${QUEUE}`, fields: [
			{ key: 'order', label: '订单号', type: 'text', required: true, max: 20 }, { key: 'how', label: '处理方式', type: 'choice', options: ['退货', '换货', '维修'] },
			{ key: 'n', label: '件数', type: 'number', min: 1, max: 99 }], phrases: ['已核对身份，客户同意。', '客户要求尽快处理。', '已告知三个工作日内回复。'] }],
	]).start()
	browser = await browserWithVoice(centre)
	desk = await Desk.open(browser, centre, 8001)
	await desk.page.setViewportSize({ width: 1280, height: 720 })
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
const field = name => desk.page.locator(`[data-note-form] [data-form=${name}] input`)
const draftKept = () => until(async () => (await text(desk.page, '[data-draft-state]')) === '草稿已存', 'the draft on the server')
async function both(name) {
	if (!process.env.SHOTS)
		return
	await desk.shot(`${name}-zh`)
	await desk.page.evaluate(() => document.querySelector('.top button[lang]').click())
	await desk.page.waitForTimeout(300)
	await desk.shot(`${name}-en`)
	await desk.page.evaluate(() => document.querySelector('.top button[lang]').click())
	await desk.page.waitForTimeout(200)
}
const values = async () => ({ text: await desk.page.inputValue('[data-note-text]'), order: await field('order').inputValue(), result: await desk.page.locator('[data-result][aria-checked=true]').getAttribute('data-result') })
const TYPED = { text: '客户说收到的杯子是碎的', order: 'HW2026-88', result: 'call_later' }

export const tests = {
	'a stranger is shown with number and region before the answer, and is a customer by one key': async () => {
		const p = desk.page
		const caller = await Caller.call(centre, '4001', { from: FROM })
		await desk.scene('incoming')
		equal(await text(p, '[data-who]'), '138 0013 8000')
		await p.waitForSelector('[data-pop-new]')
		ok((await text(p, '[data-pop-new]')).includes('北京'), 'the region of the number')
		ok((await text(p, '[data-contacts]')).includes('第一次来电'), 'nothing was before')
		equal(await axe(p), [], 'the pop of a stranger')
		await both('unknown')
		await desk.answer()
		await p.fill('[data-new=name]', '张小丽')
		await p.fill('[data-new=note]', '喜欢下午接电话')
		await p.press('[data-new=note]', 'Enter')
		await p.waitForSelector('[data-pop-new] [data-field=x_f1] [role=alert]') // not without what the centre wants of every customer
		equal(await p.evaluate(() => document.activeElement?.id), 'i-x_f1')
		await p.selectOption('#i-x_f1', { label: '银卡' })
		await both('required')
		await p.press('[data-new=note]', 'Enter')
		await p.waitForSelector('[data-pop=customer]')
		equal(await text(p, '[data-who]'), '张小丽')
		ok((await text(p, '[data-pop=customer]')).includes('银卡'), 'the field beside the others')
		const boss = await centre.api('boss')
		const [own] = (await boss.get('/custom_fields')).items
		await boss.patch(`/custom_fields/${own.id}`, { active: false }, own.rev)
		caller // stays
	},
	'what is typed is there after a reload, after kill -9 of the server, and in another browser': async () => {
		const p = desk.page
		await p.fill('[data-note-text]', TYPED.text)
		await field('order').fill(TYPED.order)
		await p.click('[data-result=call_later]')
		await p.reload() // at once: the server has not heard of it yet
		await p.waitForSelector('[data-note-form]')
		await until(async () => (await p.inputValue('[data-note-text]')) === TYPED.text, 'the draft after a reload')
		equal(await values(), TYPED)
		await draftKept()
		equal(await p.evaluate(() => Object.keys(localStorage).filter(k => k.startsWith('huawu.draft'))), [], 'what the server has is not left in the browser')
		await both('call')

		await p.fill('[data-note-text]', `${TYPED.text}，电话 139 0013 9000`)
		equal(await p.evaluate(() => Object.keys(localStorage).filter(k => k.startsWith('huawu.draft'))), [], 'a telephone number is never left in the browser')
		await draftKept()
		await p.fill('[data-note-text]', TYPED.text)
		await draftKept()

		const b2 = await browser.newContext({ viewport: { width: 1280, height: 720 } })
		const cookies = await desk.ctx.cookies()
		await b2.addCookies(cookies)
		const second = await b2.newPage()
		await second.goto(`${centre.base}/desk`)
		await until(async () => (await second.locator('[data-note-text]').count()) && (await second.inputValue('[data-note-text]')) === TYPED.text, 'the draft in another browser')
		await b2.close()
	},
	'the wrap-up has the form in focus, and Ctrl+Enter saves and ends it': async () => {
		const p = desk.page
		await p.evaluate(() => document.activeElement?.blur())
		await p.click('[data-act=hangup]')
		await desk.scene('wrapup')
		await until(() => p.evaluate(() => document.activeElement?.matches('[data-note-text]')), 'the form in focus')
		equal(await values(), TYPED)
		await both('wrapup')
		// Not without what the template wants.
		await field('order').fill('')
		await p.keyboard.press('Control+Enter')
		await p.waitForSelector('[data-form=order].bad')
		await field('order').fill(TYPED.order)
		// The reason by initials, a phrase by /, the result by its digit.
		await p.click('[data-note-form] [role=combobox]')
		await p.keyboard.type('ts')
		await until(async () => (await p.locator('[role=option].active').innerText()).includes('投诉'), 'found by initials')
		await p.keyboard.press('Enter')
		await p.focus('[data-note-text]')
		await p.keyboard.press('End')
		await p.keyboard.type('。/khyq')
		await p.waitForSelector('.menu li.active')
		await p.keyboard.press('Enter')
		await until(async () => (await p.inputValue('[data-note-text]')).endsWith('。客户要求尽快处理。'), 'the phrase')
		await p.keyboard.press('Alt+2')
		await p.waitForSelector('[data-result=interested][aria-checked=true]')
		await p.click('[data-soon=am]')
		ok((await p.locator('[data-note-form] input[type=datetime-local]').inputValue()).endsWith('T09:30'), 'tomorrow morning')
		equal(await axe(p), [], 'the wrap-up')
		await p.focus('[data-note-text]')
		await p.keyboard.press('Control+Enter')
		await desk.scene('ready')
		await p.waitForSelector('[data-missing]')
		equal(await p.locator('[data-missing-count]').count(), 0, 'every call has its note')
		const boss = await centre.api('boss')
		const [note] = (await boss.get('/notes')).items
		equal([note.text, note.customer_id_label, note.form.map(f => f.value)], ['客户说收到的杯子是碎的。客户要求尽快处理。', '张小丽', [TYPED.order]])
		equal((await boss.get('/customers')).items[0].next_ms, note.next_ms)
	},
	'her second call pops her with the first note before it is answered, and says that she calls again': async () => {
		const p = desk.page
		const started = Date.now()
		await Caller.call(centre, '4001', { from: FROM })
		await desk.scene('incoming')
		await p.waitForSelector('[data-pop=customer]')
		console.log(`        popped ${Date.now() - started} ms after the caller was started`)
		equal(await text(p, '[data-who]'), '张小丽')
		ok((await text(p, '[data-contacts]')).includes('客户说收到的杯子是碎的'), 'the first note')
		ok((await text(p, '[data-repeat]')).includes('第 2 次来电'), 'calls again')
		ok((await text(p, '[data-pop=customer]')).includes('喜欢下午接电话'), 'the remark')
		equal(await axe(p), [], 'the pop of a customer')
		await both('incoming')
		// All that is needed is on the screen of 1280 by 720.
		const cut = await p.evaluate(() => [document.querySelector('#main'), ...document.querySelectorAll('[data-card=call], [data-note-form] .scroll')].filter(e => e.scrollHeight > e.clientHeight + 1).map(e => `${e.className || e.id} ${e.scrollHeight} > ${e.clientHeight}`))
		equal(cut, [], 'scrolls')
		await desk.answer()
		await p.fill('[data-note-text]', '催办')
	},
	'kill -9 of the server: the draft and the list of what has no note are there again': async () => {
		const p = desk.page
		await field('order').fill('A-2')
		await draftKept()
		await centre.kill()
		await p.fill('[data-note-text]', '催办，服务器断了还在写') // while nobody answers
		await centre.start()
		await p.waitForSelector('.conn.open', { timeout: 60_000 })
		await p.reload()
		await p.waitForSelector('[data-missing-count]', { timeout: 30_000 })
		ok((await text(p, '[data-missing]')).includes('有草稿'), 'the list knows of the draft')
		await both('missing')
		await p.click('[data-fill]')
		await until(async () => (await p.inputValue('[data-note-text]')) === '催办，服务器断了还在写', 'the draft after the crash')
		equal(await field('order').inputValue(), 'A-2')
		await both('fill')
		await p.click('[data-act=note-save]')
		await p.waitForSelector('[data-missing]')
		equal(await p.locator('[data-missing-count]').count(), 0)
	},
	'what was saved in one tab is seen in the other, and is corrected in the history until the day is over': async () => {
		const p = desk.page
		const boss = await centre.api('boss')
		const calls = (await boss.get('/calls?limit=5')).items
		const tab = await desk.tab()
		await tab.goto(`${centre.base}/calls/${calls[0].id}`)
		await tab.waitForSelector('[data-notes] [data-note]')
		await p.click('nav a[href="/calls"]')
		await p.goto(`${centre.base}/calls/${calls[0].id}`)
		await p.click('[data-notes] [data-act=note-edit]')
		await p.fill('[data-notes] [data-note-text]', '催办，已答复')
		await p.click('[data-notes] [data-act=note-save]')
		await until(async () => (await text(tab, '[data-notes]')).includes('已答复'), 'the other tab')
		ok((await text(tab, '[data-notes]')).includes('更正过'), 'it says that it was corrected')
		await both('history')
		await tab.close()
		await desk.home()
	},
	'the wrap-up ends in the middle of a sentence: the sentence stays': async () => {
		const p = desk.page
		await desk.home()
		await desk.ready()
		await Caller.call(centre, '4002', { from: OTHER })
		await desk.scene('incoming')
		await desk.answer()
		await p.click('[data-act=hangup]')
		await desk.scene('wrapup')
		await p.fill('[data-note-text]', '说到一半')
		await desk.scene('ready')
		await p.waitForSelector('[data-act=fill-back]')
		equal(await p.inputValue('[data-note-text]'), '说到一半')
		await p.click('[data-act=fill-back]')
		equal(await text(p, '[data-missing-count]'), '1')
		ok((await text(p, '[data-missing]')).includes('有草稿'), 'the list knows of the draft')
	},
	'a template is made in the page, and what is wrong is told at its field': async () => {
		const ctx = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1280, height: 720 } })
		const p = await ctx.newPage()
		await p.goto(`${centre.base}/login`)
		await p.fill('input[autocomplete=username]', 'lead')
		await p.fill('input[autocomplete=current-password]', 'nur-ein-test-7')
		await p.keyboard.press('Enter')
		await p.waitForURL(u => u.pathname !== '/login')
		await p.goto(`${centre.base}/settings/note_templates`)
		await p.click('[data-act=add]')
		await p.fill('#i-name', '回访(示例)')
		await p.click('[data-act=add-field]')
		await p.fill('[data-edit=f1] input', '满意度')
		await p.selectOption('[data-edit=f1] select', 'choice')
		await p.click('[data-act=save]')
		await p.waitForSelector('[data-edit=f1].bad')
		await p.fill('[data-edit=f1] textarea', '满意\n一般\n不满意')
		await p.locator('[data-edit=f1] textarea').blur()
		await p.click('[data-act=add-field]')
		await p.fill('[data-edit=f2] input', '建议')
		await p.click('[data-edit=f2] [data-act=up]')
		equal(await p.locator('[data-edit]').evaluateAll(l => l.map(e => e.dataset.edit)), ['f2', 'f1'])
		await p.click('[data-act=add-phrase]')
		await p.fill('[data-phrases-editor] input', '感谢您的建议。')
		ok((await text(p, '.preview')).includes('满意度'), 'the preview')
		if (process.env.SHOTS)
			await p.screenshot({ path: `${process.env.SHOTS}/template-zh.png` })
		equal(await axe(p), [], 'the editor')
		await p.click('[data-act=save]')
		await until(async () => (await text(p, '.list')).includes('回访(示例)'), 'the saved template')
		await ctx.close()
	},
}
