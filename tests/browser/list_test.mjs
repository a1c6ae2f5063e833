/* A declared resource's list: conditions that the address keeps, a saved view, keys, many rows changed and put back, deletion by count. */
import { join } from 'node:path'
import { axe, equal, launch, ok, until } from './lib.mjs'
import { Centre, PASSWORD } from './server.mjs'

let centre
let browser
let page
const shots = process.env.SHOTS
const shot = async name => shots && await page.screenshot({ path: join(shots, `${name}.png`) })
const names = () => page.$$eval('tbody tr .open', list => list.map(e => e.textContent.trim()))
const shown = want => until(async () => JSON.stringify(await names()) === JSON.stringify(want), `the list to show ${want}`)
export async function setup() {
	centre = await new Centre(7_300).seed([1, 2, 3, 4].map(n => ['breaks', `b${n}`, { code: `list_${n}`, zh: `事由${n}`, en: `Reason ${n}`, sort: 900 + n }])).start()
	browser = await launch()
	const ctx = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1280, height: 800 } })
	page = await ctx.newPage()
	await page.goto(`${centre.base}/login`)
	await page.fill('input[autocomplete=username]', 'boss')
	await page.fill('input[type=password]', PASSWORD)
	await page.keyboard.press('Enter')
	await page.waitForURL(u => u.pathname !== '/login')
	await page.goto(`${centre.base}/settings/breaks`)
	await page.waitForSelector('tbody tr')
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
export const tests = {
	'a condition narrows the list, stands in the address and survives a reload': async () => {
		await page.click('[data-act=filter]')
		await page.selectOption('[data-f=field]', 'code')
		await page.selectOption('[data-f=op]', 'starts')
		await page.fill('[data-f=value]', 'list_')
		await shot('filter')
		await page.click('[data-act=apply]')
		await shown(['list_1', 'list_2', 'list_3', 'list_4'])
		ok(page.url().includes('code.starts=list_'), page.url())
		await page.reload()
		await shown(['list_1', 'list_2', 'list_3', 'list_4'])
		equal((await axe(page)).join('\n'), '')
	},
	'it is kept as a view': async () => {
		await page.click('[data-act=save-view]')
		await page.fill('.el-message-box input', '我的事由')
		await page.click('.el-message-box .el-button--primary')
		await page.waitForSelector('[data-view]')
		await page.click('[data-act=clear]')
		await until(async () => (await names()).length > 4, 'all rows')
		await page.click('[data-view]')
		await shown(['list_1', 'list_2', 'list_3', 'list_4'])
	},
	'keys go through it: slash, arrows, space': async () => {
		await page.focus('.list')
		await page.keyboard.press('/')
		equal(await page.evaluate(() => document.activeElement.type), 'search')
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('Space')
		equal(await page.$$eval('tbody input:checked', l => l.length), 1)
		await page.keyboard.press('Space')
	},
	'many are changed at once, and put back': async () => {
		await page.click('thead input[type=checkbox]')
		await shot('picked')
		await page.click('[data-act=bulk-edit]')
		await page.check('.el-dialog [data-field=sort] input[type=checkbox]')
		await page.fill('.el-dialog [data-field=sort] input.input', '7')
		await shot('bulk')
		await page.click('[data-act=bulk-go]')
		await page.waitForSelector('[data-act=bulk-undo]')
		await shot('bulk_done')
		await page.click('[data-act=bulk-undo]')
		await until(async () => (await page.textContent('[data-end]')) === '已撤销', 'undone')
		await page.click('[data-act=bulk-close]')
		await shown(['list_1', 'list_2', 'list_3', 'list_4'])
	},
	'who closed the dialog, or loads the page anew, is told of the end': async () => {
		await page.evaluate(async () => {
			const csrf = (await (await fetch('/api/v1/session')).json()).csrf
			await fetch('/api/v1/breaks/bulk', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Huawu-CSRF': csrf }, body: JSON.stringify({ filters: { 'code.starts': 'list_' }, count: 4, patch: { sort: 8 } }) })
		})
		await page.click('.bulk-news')
		equal(await page.textContent('[data-end]'), '完成')
		await page.click('[data-act=bulk-undo]')
		await until(async () => (await page.textContent('[data-end]')) === '已撤销', 'undone')
		await page.click('[data-act=bulk-close]')
	},
	'deleting many asks for their number': async () => {
		await page.click('thead input[type=checkbox]')
		await page.click('[data-act=bulk-remove]')
		ok(await page.isDisabled('[data-act=bulk-go]'), 'not yet')
		await page.fill('[data-f=count]', '4')
		await page.click('[data-act=bulk-go]')
		await page.waitForSelector('[data-act=bulk-close]')
		await page.click('[data-act=bulk-close]')
		await shown([])
	},
}
