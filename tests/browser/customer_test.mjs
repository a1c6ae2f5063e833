/* Customers in the page: made with the numbers checked while typing, found twice, merged and taken apart again, claimed and given back. */
import { readFileSync } from 'node:fs'
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Centre, PASSWORD } from './server.mjs'

let centre
let browser
const pages = {}
const user = (login, name, role) => ['users', login, { name, login, role, password: PASSWORD, must_change_password: false, team_id: '$team' }]
const customer = (as, name, number, owner) => ['customers', as, { name, owner_id: owner ? `$${owner}` : null, phones: [{ number }] }]
async function open(login) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'zh-CN' })
	const p = await context.newPage()
	await p.goto(`${centre.base}/login`)
	await p.fill('input[autocomplete=username]', login)
	await p.fill('input[type=password]', PASSWORD)
	await p.press('input[type=password]', 'Enter')
	await p.waitForURL(u => u.pathname !== '/login')
	await p.goto(`${centre.base}/customers`)
	await p.waitForSelector('[data-act=add]')
	pages[login] = p
	return p
}
export async function setup() {
	centre = await new Centre(9_100, { options: ['--rtp-min', '9120', '--rtp-max', '9198'] }).seed([
		['teams', 'team', { name: '一组(示例)' }],
		user('anna', '坐席甲(示例)', 'agent'), user('bert', '坐席乙(示例)', 'agent'), user('chief', '主管(示例)', 'supervisor'),
		customer('c1', '张三', '13800138001', 'anna'), customer('c2', '李四', '13800138002', 'bert'), customer('c3', '王五', '13800138003'), customer('c4', '赵六', '13800138004'),
	]).start()
	browser = await launch()
	for (const login of ['anna', 'bert', 'chief'])
		await open(login)
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
const shows = (p, selector, part) => until(async () => ((await p.locator(selector).first().textContent().catch(() => '')) ?? '').includes(part), `${part} in ${selector}`)
const tab = async (p, name) => {
	await p.click(`[data-tab=${name}]`)
	await p.waitForSelector('.list[aria-busy=false]')
}

export const tests = {
	'an agent makes a customer and is told while typing whose a number is': async () => {
		const p = pages.anna
		await p.keyboard.press('n')
		await p.waitForSelector('[data-new-customer]')
		for (const [number, state] of [['13800138001', 'mine'], ['13800138002', 'taken'], ['13800138003', 'pool'], ['1380013', 'bad'], ['138 0013 8099', 'free']]) {
			await p.fill('[data-phone-number]', number)
			await p.waitForSelector(`[data-check=${state}]`)
		}
		await p.fill('#i-name', '孙小丽')
		await p.fill('#i-wechat', 'sunxl')
		await p.click('[data-act=save]')
		await p.waitForURL(/customers\/\d+/)
		await shows(p, 'h1', '孙小丽')
		await shows(p, '.tl', '建立客户')
		await shows(p, '.numbers', '138 0013 8099')
		equal(await axe(p), [], 'a customer')
	},
	'a change is saved, its words stand in the timeline, and a stale one is told what others changed': async () => {
		const p = pages.anna
		const other = pages.chief
		await other.goto(p.url())
		await other.waitForSelector('#i-company')
		await p.fill('#i-company', '西湖贸易')
		await p.click('.savebar [data-act=save]')
		await shows(p, '.tl', '西湖贸易')
		await other.fill('#i-city', '杭州')
		await other.click('.savebar [data-act=save]')
		await other.waitForSelector('.conflict')
		ok((await text(other, '.conflict')).includes('西湖贸易'), 'what somebody else wrote')
		await other.click('[data-act=reload]')
		equal(await other.inputValue('#i-city'), '杭州', 'what was typed')
		await other.click('.savebar [data-act=save]')
		await until(async () => !await other.locator('.savebar').count(), 'the second save')
		equal(await other.inputValue('#i-company'), '西湖贸易')
	},
	'a customer is found by initials, and the pool is claimed from once': async () => {
		const p = pages.anna
		await p.goto(`${centre.base}/customers`)
		await p.waitForSelector('tbody tr[data-id]')
		await p.fill('[data-find]', 'sxl')
		await until(async () => await p.locator('tbody tr[data-id]').count() === 1, 'one row')
		await p.fill('[data-find]', '')
		await tab(p, 'pool')
		await until(async () => await p.locator('tbody tr[data-id]').count() === 2, 'two in the pool')
		const b = pages.bert
		await tab(b, 'pool')
		await until(async () => await b.locator('tbody tr[data-id]').count() === 2, 'two in the pool')
		const mine = p.locator('tbody tr[data-id]', { hasText: '王五' }).locator('[data-act=claim]')
		const his = b.locator('tbody tr[data-id]', { hasText: '王五' }).locator('[data-act=claim]')
		await mine.click()
		await shows(p, '.el-message', '已领取')
		await his.click()
		await shows(b, '.el-message--error', '别人领走')
		await until(async () => await b.locator('tbody tr[data-id]').count() === 1, 'one left')
	},
	'a number outside the view is taken, one asks, and the lead gives it': async () => {
		const p = pages.anna
		await p.click('[data-act=add]')
		await p.fill('[data-phone-number]', '13800138002')
		await p.waitForSelector('[data-check=taken]')
		ok(!(await text(p, '[data-check=taken]')).includes('李四'), 'whose it is, is not said')
		await p.click('[data-act=check-ask]')
		await p.fill('[data-ask=why]', '客户主动找我')
		await p.click('[data-act=ask-send]')
		await shows(p, '[data-check=taken]', '已申请')
		await p.keyboard.press('Escape')
		const lead = pages.chief
		await lead.goto(`${centre.base}/customers?requests=1`)
		await lead.locator('[data-request] [data-act=assign]').click()
		await until(async () => !await lead.locator('[data-request] [data-act=assign]').count(), 'decided')
		await p.goto(`${centre.base}/customers`)
		await p.waitForSelector('tbody tr[data-id]')
		await until(async () => await p.locator('tbody tr[data-id]', { hasText: '李四' }).count() === 1, 'hers now')
	},
	'two are merged with a choice, and taken apart again': async () => {
		const p = pages.chief
		await p.goto(`${centre.base}/customers`)
		await p.waitForSelector('tbody tr[data-id]')
		await p.locator('tbody tr a.open', { hasText: '张三' }).click()
		await p.waitForSelector('#i-name')
		await p.click('[data-act=more]')
		await p.getByText('与另一位合并').click()
		await p.fill('[data-merge-find]', '孙小丽')
		await p.locator('[data-merge-pick]').first().click()
		await p.waitForSelector('[data-merge-field=name]')
		equal(await axe(p), [], 'the merge')
		await p.locator('[data-merge-field=name] [data-pick-other]').check()
		await p.click('[data-act=merge-do]')
		await shows(p, 'h1', '孙小丽')
		await shows(p, '.numbers', '138 0013 8001')
		await shows(p, '.numbers', '138 0013 8099')
		await shows(p, '.tl', '合并了')
		await p.click('[data-act=undo-merge]')
		await p.click('.el-message-box__btns .el-button--primary')
		await shows(p, 'h1', '张三')
		await until(async () => !(await text(p, '.numbers')).includes('8099'), 'the number went back')
	},
	'the next contact is arranged with one click, and a customer is given back with a reason': async () => {
		const p = pages.anna
		await p.locator('tbody tr a.open', { hasText: '王五' }).click()
		await p.waitForSelector('[data-next=next_tomorrow]')
		await p.click('[data-next=next_tomorrow]')
		await shows(p, '.next', '09:30')
		await p.click('[data-act=more]')
		await p.getByText('释放到公海').click()
		await p.fill('[data-release=why]', '没有需求')
		await p.click('[data-act=release-do]')
		await shows(p, '.first', '公海')
		await shows(p, '.tl', '没有需求')
	},
	'tabs and the search stand in the address; who comes back from a customer finds the list as it was': async () => {
		const p = pages.chief
		const boss = await centre.api('boss')
		for (let i = 0; i < 60; i++)
			await boss.post('/customers', { name: `批${String(i).padStart(2, '0')}`, tags: 'vip,老客户', phones: [{ number: `1390000${String(1000 + i)}` }] })
		await p.goto(`${centre.base}/customers?sort=name`)
		await p.waitForSelector('tbody tr')
		await p.fill('[data-find]', '批')
		await until(async () => await p.locator('tbody tr').count() === 50, 'a full page')
		await shows(p, 'tbody .c-tags .pill', 'vip')
		await p.click('[data-tab=all]')
		await p.getByRole('button', { name: '下一页' }).click()
		await until(async () => await p.locator('tbody tr').count() === 10, 'the second page')
		const at = p.url()
		const name = await text(p, 'tbody tr:nth-child(7) a.open')
		await p.click('tbody tr:nth-child(7) .c-tags')
		await p.waitForSelector('#i-name')
		await p.goBack()
		await until(async () => await p.locator('tbody tr').count() === 10, 'the same page')
		equal(p.url(), at)
		equal(await p.evaluate(() => document.activeElement.querySelector('a.open')?.textContent.trim()), name, 'the row that was open')
		await p.click('tbody tr:nth-child(7) a.open')
		await p.waitForSelector('[data-act=back]')
		await p.click('[data-act=back]')
		await until(async () => await p.locator('tbody tr').count() === 10, 'the same page by the arrow')
		equal(p.url(), at)
	},
	'what is searched for is found in the other lists, too, in what is shared and in notes': async () => {
		const p = pages.anna
		const [anna, bert, chief] = await Promise.all(['anna', 'bert', 'chief'].map(login => centre.api(login)))
		const made = await bert.post('/customers', { name: '冯共同', phones: [{ number: '13800138055' }] })
		await bert.post('/notes', { customer_id: made.id, text: '想要蓝色的途观，周末看车' })
		await anna.post('/customers/requests', { number: '13800138055', reason: '一起跟' })
		const { others } = await chief.get('/customers/requests')
		await chief.post(`/customers/requests/${others[0].id}/decide`, { action: 'share' })
		await p.goto(`${centre.base}/customers?tab=mine`)
		await shows(p, '[data-tab=shared]', '1')
		ok(!await p.locator('[data-tab=team]').count(), 'who sees only his own has no list of the team')
		await p.fill('[data-find]', '冯共同')
		await p.click('[data-elsewhere-tab=shared]')
		await until(async () => (await p.locator('tbody tr[data-id]').allInnerTexts()).join().includes('冯共同'), 'the shared one')
		await p.fill('[data-find]', '途观')
		await shows(p, '[data-found-note] mark', '途观')
		await p.click('[data-found-note] a')
		await shows(p, 'h1', '冯共同')
	},
	'a view brings back its tab, and many get a date at once': async () => {
		const p = pages.chief
		await p.goto(`${centre.base}/customers?tab=pool&q=批`)
		await until(async () => await p.locator('tbody tr').count() === 50, 'the pool')
		await p.click('[data-act=save-view]')
		await p.fill('.el-message-box input', '公海批次')
		await p.click('.el-message-box .el-button--primary')
		await p.waitForSelector('[data-view]')
		await p.click('[data-tab=mine]')
		await p.waitForURL(/tab=mine/)
		await p.click('[data-view]')
		await p.waitForURL(/tab=pool/)
		await until(async () => await p.locator('tbody tr').count() === 50, 'the view')
		await p.click('thead input[type=checkbox]')
		ok(!await p.locator('[data-act=export-picked]').count(), 'no export without the right')
		await p.click('[data-act=bulk-edit]')
		await p.waitForSelector('.el-dialog [data-field=next_ms]')
		equal(await p.locator('.el-dialog [data-field=last_ms]').count(), 0, 'what only the program sets')
		await p.check('.el-dialog [data-field=next_ms] input[type=checkbox]')
		equal(await p.getAttribute('.el-dialog #i-next_ms', 'type'), 'datetime-local')
		await p.fill('.el-dialog #i-next_ms', '2031-05-06T09:30')
		equal(await axe(p), [], 'the bulk dialog')
		await p.click('[data-act=bulk-go]')
		await p.waitForSelector('[data-act=bulk-undo]')
		await p.click('[data-act=bulk-close]')
		await until(async () => (await text(p, 'tbody .c-next_ms')).startsWith('2031-05-06 09:30'), 'the date')
	},
	'who may export gets the selection, or all that the list shows': async () => {
		const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', acceptDownloads: true })
		const p = await context.newPage()
		await p.goto(`${centre.base}/login`)
		await p.fill('input[autocomplete=username]', 'boss')
		await p.fill('input[type=password]', PASSWORD)
		await p.press('input[type=password]', 'Enter')
		await p.waitForURL(u => u.pathname !== '/login')
		await p.goto(`${centre.base}/customers?tab=pool&q=批`)
		await until(async () => await p.locator('tbody tr').count() === 50, 'the pool')
		const lines = async (button, kind) => {
			await p.click(button)
			const [d] = await Promise.all([p.waitForEvent('download'), p.getByRole('menuitem', { name: kind }).click()])
			return readFileSync(await d.path())
		}
		const csv = async button => (await lines(button, 'CSV')).toString('utf8').trim().split('\n').length
		equal(await csv('[data-act=export]'), 62, 'a mark, a head and the filter')
		equal((await lines('[data-act=export]', 'Excel')).subarray(0, 2).toString(), 'PK')
		await p.check('tbody tr:nth-child(2) input')
		await p.check('tbody tr:nth-child(4) input')
		equal(await csv('[data-act=export-picked]'), 4, 'a mark, a head and the selection')
		equal(await axe(p), [], 'a selection')
		await context.close()
	},
	'the list holds the accessibility rules, wide and narrow': async () => {
		const p = pages.anna
		await p.goto(`${centre.base}/customers`)
		await p.waitForSelector('tbody tr[data-id]')
		equal(await axe(p), [], 'the list')
		await p.setViewportSize({ width: 900, height: 800 })
		equal(await axe(p), [], 'the list, narrow')
		ok(await p.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing sticks out')
	},
}
