/* Customers given to three people in three steps, the certificate drawn again by the page and by the program alone, and undone. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Centre, HUAWU, PASSWORD, sleep } from './server.mjs'

let centre
let browser
let page
const N = 301
const shots = process.env.SHOTS
const shot = async name => {
	await sleep(200)
	await page.evaluate(() => Promise.allSettled(document.getAnimations().map(a => a.finished)))
	if (shots)
		await page.screenshot({ path: join(shots, `${name}.png`) })
}
const body = async (method, path, data) => page.evaluate(async ([m, p, d]) => {
	const r = await fetch(`/api/v1${p}`, { method: m, headers: d ? { 'Content-Type': 'application/json' } : {}, body: d ? JSON.stringify(d) : undefined })
	return r.json()
}, [method, path, data])
async function enter(login, password = PASSWORD) {
	await page.goto(`${centre.base}/login`)
	await page.fill('input[autocomplete=username]', login)
	await page.fill('input[type=password]', password)
	await page.keyboard.press('Enter')
	await page.waitForURL(u => u.pathname !== '/login')
}

export async function setup() {
	const people = ['甲', '乙', '丙'].map((n, i) => ['users', `u${i}`, { name: `坐席${n}(示例)`, login: `agent${i}`, role: i ? 'agent' : 'marketing', password: PASSWORD, must_change_password: false, team_id: '$g' }])
	const customers = Array.from({ length: N }, (_, i) => ['customers', `c${i}`, { name: `客户${String(i).padStart(3, '0')}` }])
	centre = await new Centre(9_800).seed([['teams', 'g', { name: '早班(示例)' }], ...people, ...customers]).start()
	browser = await launch()
	const ctx = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 900 }, acceptDownloads: true })
	page = await ctx.newPage()
	await enter('boss')
	await page.goto(`${centre.base}/customers?tab=pool`)
	await page.waitForSelector('tbody tr')
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}

const gets = () => page.$$eval('[data-gets]', list => list.map(x => Number(x.dataset.gets)).sort((a, b) => b - a))
async function choose() {
	await page.click('[data-act=allot]')
	await page.fill('#allot-team', '早班')
	await page.click('[role=option]:has-text("早班")')
	await until(async () => (await page.$$('[data-person]')).length === 3, 'the team')
}

export const tests = {
	async three_people_get_101_100_and_100() {
		await choose()
		await shot('allot-who')
		await page.click('[data-act=allot-next]')
		await page.waitForSelector('[data-gets]')
		equal(await gets(), [101, 100, 100])
		await shot('allot-plan')
		equal(await axe(page), [])
		await page.click('[data-act=allot-go]')
		await page.waitForSelector('[data-end]')
		ok((await text(page, '[data-end]')).includes('301'))
		await shot('allot-done')
	},
	async anybody_can_draw_again() {
		await page.click('[data-act=verify]')
		await page.waitForSelector('[data-verdict].yes')
		await shot('allot-verified')
		for (const [act, suffix] of [['certificate', 'xlsx'], ['certificate-csv', 'csv']]) {
			const [d] = await Promise.all([page.waitForEvent('download'), page.click(`[data-act=${act}]`)])
			const path = join(centre.dir, `certificate.${suffix}`)
			await d.saveAs(path)
			ok(execFileSync(HUAWU, ['allocate', '--verify', path], { encoding: 'utf8' }).startsWith('equal: 301 customers, 3 people'))
		}
		writeFileSync(join(centre.dir, 'not.csv'), '项目,编号\n什么,1\n')
		let status = 0
		try {
			execFileSync(HUAWU, ['allocate', '--verify', join(centre.dir, 'not.csv')], { stdio: 'pipe' })
		} catch (e) {
			status = e.status
		}
		equal(status, 2)
	},
	async undone_they_are_in_the_pool_again() {
		await page.click('[data-act=allot-undo]')
		await page.click('.el-message-box__btns .el-button--primary')
		await until(async () => (await text(page, '[data-end]')).includes('已撤销 301 位'), 'the undo')
		await page.click('[data-act=allot-close]')
		equal((await body('GET', '/customers?owner_id=none&limit=1')).total, N)
	},
	async numbers_are_moved_by_hand_and_the_list_shows_both() {
		await choose()
		await page.click('[data-act=allot-next]')
		await page.waitForSelector('[data-gets]')
		await page.click('[data-act=by-hand]')
		const fields = page.locator('.bars input')
		for (const [i, n] of [[0, 1], [1, 200], [2, 100]])
			await fields.nth(i).fill(String(n))
		await shot('allot-hand')
		await page.click('[data-act=allot-go]')
		await page.waitForSelector('[data-end]')
		await page.click('[data-act=verify]')
		await page.waitForSelector('[data-verdict].yes')
		await page.click('[data-act=allot-close]')
		const rows = (await body('GET', '/allocations')).items
		equal(rows.map(r => r.state), ['done', 'undone'])
		equal(rows[0].people.map(p => p.n).sort((a, b) => a - b), [1, 100, 200])
		await page.goto(`${centre.base}/settings/allocations`)
		await page.waitForSelector('[data-act=look]')
		await shot('allot-list')
		await page.locator('[data-act=look]').first().click()
		await page.waitForSelector('[data-end]')
		await shot('allot-look')
		equal(await axe(page), [])
		await page.keyboard.press('Escape')
	},
	async a_rule_takes_back_by_a_leaver() {
		const user = (await body('GET', '/users?login=agent2')).items[0]
		await page.goto(`${centre.base}/settings/recycle_rules`)
		const rule = await page.evaluate(async () => {
			const csrf = (await (await fetch('/api/v1/session')).json()).csrf
			const h = { 'Content-Type': 'application/json', 'X-Huawu-CSRF': csrf }
			return (await fetch('/api/v1/recycle_rules', { method: 'POST', headers: h, body: JSON.stringify({ name: '离职回收', owner_left: true }) })).status
		})
		equal(rule, 201)
		await page.evaluate(async ([id, rev]) => {
			const csrf = (await (await fetch('/api/v1/session')).json()).csrf
			await fetch(`/api/v1/users/${id}`, { method: 'PATCH', headers: { 'Content-Type': 'application/json', 'X-Huawu-CSRF': csrf, 'If-Match': String(rev) }, body: '{"active":false}' })
		}, [user.id, user.rev])
		await page.reload()
		await page.click('[data-act=rule]')
		await page.waitForSelector('[data-count]')
		const n = Number((await text(page, '[data-count]')).match(/\d+/)[0])
		ok(n > 0)
		await shot('rule-try')
		await page.click('[data-act=rule-go]')
		await until(async () => (await text(page, '[data-end]').catch(() => '')).includes(`已收回 ${n}`), 'the reclaim')
		equal((await body('GET', '/customers?owner_id=none&limit=1')).total, n)
	},
	async chosen_customers_of_a_saved_view_go_to_one_person() {
		await page.goto(`${centre.base}/settings/customers?owner_id=none`)
		await page.waitForSelector('tbody tr')
		await page.locator('tbody input[type=checkbox]').first().click()
		await page.click('[data-act=allot]')
		await page.fill('#allot-user', '坐席甲')
		await page.click('[role=option]:has-text("坐席甲")')
		await page.waitForSelector('[data-person]')
		await page.click('[data-act=allot-next]')
		await page.waitForSelector('[data-gets="1"]')
		await page.click('[data-act=allot-go]')
		await page.waitForSelector('[data-end]')
		await page.click('[data-act=allot-close]')
	},
	async in_english_it_reads_as_well() {
		await page.click('button:has-text("English")')
		await page.goto(`${centre.base}/customers?tab=all`)
		await page.waitForSelector('tbody tr')
		await page.click('[data-act=allot]')
		await page.fill('#allot-user', '坐席乙')
		await page.click('[role=option]:has-text("坐席乙")')
		await page.waitForSelector('[data-person]')
		await page.check('[data-owned]')
		await page.check('input[value=weighted]')
		await shot('en-who')
		await page.click('[data-act=allot-next]')
		await page.waitForSelector('[data-gets]')
		await shot('en-plan')
		equal(await axe(page), [])
		ok((await text(page, '.el-dialog')).includes('Set numbers by hand'))
		await page.keyboard.press('Escape')
		await page.goto(`${centre.base}/settings/allocations`)
		await page.locator('[data-act=look]').first().click()
		await page.waitForSelector('[data-end]')
		await shot('en-look')
	},
	async marketing_finds_what_it_was_given() {
		await page.context().clearCookies()
		await enter('agent0')
		await page.goto(`${centre.base}/customers?tab=mine`)
		await page.waitForSelector('tbody tr')
		ok((await page.$$('tbody tr')).length > 0)
		equal(await page.$('[data-act=allot]'), null)
		await shot('marketing')
	},
}
