/* Resources, history and board. */
import { enter, equal, launch, ok, startMock, text, until } from './lib.mjs'

let mock
let browser
let ctx
let page
export async function setup() {
	mock = await startMock()
	browser = await launch()
}
export async function done() {
	await browser?.close()
	mock?.stop()
}
async function fresh(role, path) {
	await ctx?.close()
	await mock.post('reset')
	ctx = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 768 } })
	page = await ctx.newPage()
	await enter(page, mock.base, role, path)
}
const rows = () => page.locator('tbody tr').count()
const field = n => page.locator(`[data-field=${n}]`)

export const tests = {
	'a list sorts, searches and turns pages': async () => {
		await fresh('admin', '/settings/devices')
		await until(async () => (await rows()) === 50, 'first page')
		await page.click('.turn button >> nth=1')
		await until(async () => (await rows()) === 10, 'second page')
		await page.fill('input[type=search]', '8003')
		await until(async () => (await rows()) === 1, 'found')
		await page.fill('input[type=search]', '')
		await until(async () => (await rows()) === 50, 'all')
		await page.click('th button >> nth=0')
		await until(async () => (await text(page, 'tbody tr td.c-name')) === '8060', 'descending')
		equal(await page.locator('th.c-name').getAttribute('aria-sort'), 'descending')
	},
	'a form shows what is wrong at the field, before and after sending': async () => {
		await fresh('admin', '/settings/teams')
		await page.click('[data-act=add]')
		await page.click('[data-act=save]')
		await page.waitForSelector('[data-field=name] .error >> text=必填')
		await page.fill('#i-name', '早班组')
		await page.click('[data-act=save]')
		await page.waitForSelector('[data-field=name] .error >> text=已经有同样的了')
		equal(await page.evaluate(() => document.activeElement.id), 'i-name', 'focus')
		await page.fill('#i-name', '中班组')
		await page.click('[data-act=save]')
		await page.waitForSelector('tbody >> text=中班组')
	},
	'a field shows only when its condition holds': async () => {
		await fresh('admin', '/settings/queues')
		await page.click('[data-act=add]')
		equal(await field('overflow_number').count(), 0)
		await page.selectOption('#i-overflow', 'number')
		equal(await field('overflow_number').count(), 1)
	},
	'another row is chosen by typing and arrows': async () => {
		await fresh('admin', '/settings/users')
		await page.click('tbody tr >> text=示例冯宁')
		await page.fill('#i-team_id', '早班')
		await page.waitForSelector('#i-team_id-list li >> text=早班组')
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('Enter')
		equal(await page.inputValue('#i-team_id'), '早班组')
		await page.click('[data-act=save]')
		await page.waitForSelector('[role=dialog]', { state: 'detached' })
		await until(async () => (await page.locator('tbody tr', { hasText: '示例冯宁' }).innerText()).includes('早班组'), 'saved')
	},
	'a generated secret is shown once': async () => {
		await fresh('admin', '/settings/devices')
		await page.click('[data-act=add]')
		await page.fill('#i-name', '9001')
		await page.click('[data-act=save]')
		ok((await text(page, '[data-once]')).length >= 12, 'secret')
		await page.keyboard.press('Escape')
		equal(await page.locator('[data-once]').count(), 1, 'Esc does not lose it')
		await page.click('text=我已经抄下')
		await page.waitForSelector('[data-once]', { state: 'detached' })
	},
	'a row changed by somebody else is explained, not overwritten': async () => {
		await fresh('admin', '/settings/queues')
		await page.click('tbody tr >> text=售前咨询')
		await mock.post('touch', { resource: 'queues', id: '1', set: { priority: 9 } })
		await page.fill('#i-name', '售前')
		await page.click('[data-act=save]')
		await page.waitForSelector('.conflict >> text=优先级')
		await page.click('[data-act=reload]')
		equal([await page.inputValue('#i-priority'), await page.inputValue('#i-name')], ['9', '售前咨询'])
	},
	'leaving with changes asks, deleting asks': async () => {
		await fresh('admin', '/settings/teams')
		await page.click('tbody tr >> text=晚班组')
		await page.fill('#i-name', 'x')
		await page.keyboard.press('Escape')
		await page.waitForSelector('.el-message-box >> text=没保存')
		await page.click('.el-message-box >> text=取消')
		equal(await page.inputValue('#i-name'), 'x')
		await page.click('[data-act=remove]')
		await page.click('.el-message-box button >> text=删除')
		await until(async () => (await rows()) === 1, 'deleted')
	},
	'who may only read finds no button to change': async () => {
		await fresh('supervisor', '/settings/queues')
		await page.waitForSelector('tbody tr')
		equal(await page.locator('[data-act=add]').count(), 0)
		await page.click('tbody tr >> nth=0')
		await page.waitForSelector('#i-name[disabled]')
		equal(await page.locator('[data-act=save]').count(), 0)
	},
	'the history filters, pages and keeps its filters in the address': async () => {
		await fresh('supervisor', '/calls')
		await until(async () => (await rows()) === 50, 'first page')
		await page.click('.more button')
		await until(async () => (await rows()) === 100, 'second page')
		await page.selectOption('#f-ans', '0')
		await until(async () => (await page.locator('tbody .pill.good').count()) === 0 && (await rows()) > 5, 'unanswered')
		ok(page.url().includes('answered=0'), page.url())
		await page.reload()
		equal(await page.inputValue('#f-ans'), '0')
		await until(async () => (await rows()) > 5 && (await page.locator('tbody .pill.good').count()) === 0, 'after reload')
	},
	'a call tells why this agent, in words': async () => {
		await fresh('supervisor', '/calls/9000')
		const first = page.locator('[data-why]').first()
		await first.locator('summary').click()
		const words = await first.innerText()
		ok(/空闲最久|最先轮到/.test(words) && words.includes('下一位是') && words.includes('通话中'), words)
		const second = page.locator('[data-why]').nth(1)
		await second.locator('summary').click()
		ok((await second.innerText()).includes('等得最久'), 'the other side')
	},
	'the recording is drawn, plays, seeks by keys and goes on into its next part': async () => {
		await fresh('supervisor', '/calls/9000')
		await page.waitForSelector('canvas[data-drawn=true]')
		const shades = await page.evaluate(() => {
			const c = document.querySelector('canvas')
			const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data
			const s = new Set()
			for (let i = 0; i < d.length; i += 4)
				if (d[i + 3])
					s.add(`${d[i]},${d[i + 1]},${d[i + 2]}`)
			return s.size
		})
		ok(shades > 2, 'two channels in two colours')
		await page.click('[data-act=play]')
		await until(async () => /^0:0[1-9]/.test(await text(page, '[data-time]')), 'it plays')
		await page.locator('[role=slider]').first().focus()
		await page.keyboard.press('End')
		await page.waitForSelector('[data-act=play][aria-label=播放]')
		await page.keyboard.press('ArrowLeft')
		await page.keyboard.press('Space')
		await page.waitForSelector('[data-act=play][aria-label=暂停]')
		await until(async () => { const [a, b] = (await text(page, '[data-time]')).split(' / '); return a === b }, 'the end, through the last part', 15_000)
	},
	'the board follows the events and asks before it forces': async () => {
		await fresh('supervisor', '/board')
		const row = page.locator('[data-agent="20"]')
		await row.waitFor()
		const q = { id: '2', name: '售后服务', waiting: 7, oldest_ms: Date.now() - 65_000, ready: 0, talking: 3, logged_in: 7, today: { offered: 10, answered: 5, abandoned: 1, in_target: 4 }, service_level: 0.4, target_ms: 20_000 }
		await mock.post('event', { event: 'queue', data: q })
		await until(async () => (await text(page, '[data-queue="2"]')).includes('7'), 'queue')
		ok(/1:0\d/.test(await text(page, '[data-queue="2"]')), 'longest wait runs')
		await row.locator('button').click()
		await page.click('[role=menu] >> text=签出')
		await page.click('.el-message-box button >> text=签出')
		await until(async () => (await row.innerText()).includes('未签入'), 'signed out')
	},
}
