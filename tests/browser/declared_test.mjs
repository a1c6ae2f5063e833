/*
 * What a declaration alone gives (declared_resource.c, in a program of its own): rows are made, changed, searched, exported and imported
 * in the page by one role, and only looked at by another.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Centre, HUAWU, PASSWORD } from './server.mjs'

const TABLE = `CREATE TABLE badges (id BIGINT PRIMARY KEY, centre_id BIGINT NOT NULL, rev BIGINT NOT NULL, created_ms BIGINT NOT NULL,
	updated_ms BIGINT NOT NULL, code TEXT NOT NULL, holder TEXT NOT NULL, kind TEXT NOT NULL, floor BIGINT, active BIGINT NOT NULL);
	CREATE UNIQUE INDEX badges_code ON badges (centre_id, code);`
const MAKE = 'import sqlite3, sys\nsqlite3.connect(sys.argv[1]).executescript(sys.argv[2])'

let centre
let browser
let page
let other
let chief
const shots = process.env.SHOTS
const shot = async (name, of = page) => shots && await of.screenshot({ path: join(shots, `${name}.png`) })
const cells = () => page.$$eval('tbody tr', rows => rows.map(r => r.innerText.split(/\s+/).filter(Boolean).join(' ')))
const codes = () => page.$$eval('tbody tr .open', list => list.map(e => e.textContent.trim()))
const shown = want => until(async () => JSON.stringify(await codes()) === JSON.stringify(want), `the list to show ${want}`)
const enter = async login => {
	const p = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 900 }, acceptDownloads: true })).newPage()
	await p.goto(`${centre.base}/login`)
	await p.fill('input[autocomplete=username]', login)
	await p.fill('input[type=password]', PASSWORD)
	await p.keyboard.press('Enter')
	await p.waitForURL(u => u.pathname !== '/login')
	await p.goto(`${centre.base}/settings/badges`)
	await p.waitForSelector('h1 >> text=门禁卡')
	return p
}
const save = async p => {
	await p.click('[data-act=save]')
	await p.waitForSelector('form.form', { state: 'detached' })
}
const add = async (code, holder, floor) => {
	await page.click('[data-act=add]')
	await page.fill('#i-code', code)
	await page.fill('#i-holder', holder)
	await page.fill('#i-floor', floor)
	await save(page)
}
const open = (p, code) => p.click(`tbody tr .open >> text=${code}`)
let file
let before

export async function setup() {
	centre = new Centre(7_500, { program: join(HUAWU, '../huawu_declared') })
		.seed([['users', 'chief', { name: '主管(示例)', login: 'chief', role: 'supervisor', password: PASSWORD, must_change_password: false }]])
	execFileSync('python3', ['-c', MAKE, join(centre.data, 'huawu.db'), TABLE])
	await centre.start()
	browser = await launch()
	page = await enter('boss')
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}

export const tests = {
	'it stands among the settings, and its form checks before it makes rows': async () => {
		ok((await text(page, 'nav.side')).includes('门禁卡'), 'not in the list of settings')
		await page.click('[data-act=add]')
		await page.fill('#i-code', 'A1')
		await page.fill('#i-floor', '61')
		await page.click('[data-act=save]')
		equal(await page.$$eval('.field.bad', l => l.map(e => e.dataset.field)), ['holder', 'floor'])
		await shot('declared-form')
		await page.fill('#i-holder', '张三')
		await page.fill('#i-floor', '6')
		await save(page)
		await add('B2', '李四', '-1')
		await add('C3', '王五', '')
		await shown(['A1', 'B2', 'C3'])
		await shot('declared-list')
		equal((await axe(page)).join('\n'), '')
	},
	'who saves what another has changed meanwhile is told, and loses nothing of the other': async () => {
		other = await enter('boss')
		await open(page, 'A1')
		await open(other, 'A1')
		await other.fill('#i-holder', '赵六')
		await save(other)
		await page.fill('#i-floor', '7')
		const [answer] = await Promise.all([page.waitForResponse(r => r.request().method() === 'PATCH'), page.click('[data-act=save]')])
		equal(answer.status(), 409)
		await page.waitForSelector('.conflict')
		ok((await text(page, '.conflict')).includes('持有人: 张三 → 赵六'), await text(page, '.conflict'))
		await shot('declared-conflict')
		await page.click('[data-act=reload]')
		equal(await page.inputValue('#i-holder'), '赵六')
		await page.fill('#i-floor', '7')
		await save(page)
		await until(async () => (await cells())[0].includes('A1 赵六 员工 7'), async () => (await cells())[0])
	},
	'it is searched': async () => {
		await page.fill('input[type=search]', '李')
		await shown(['B2'])
		await page.fill('input[type=search]', '')
		await shown(['A1', 'B2', 'C3'])
	},
	'it leaves as a sheet': async () => {
		before = await cells()
		await page.click('[data-act=export]')
		const [d] = await Promise.all([page.waitForEvent('download'), page.click('[role=menuitem] >> text=.xlsx')])
		equal(d.suggestedFilename(), '门禁卡.xlsx')
		file = join(centre.dir, d.suggestedFilename())
		await d.saveAs(file)
	},
	'what was changed and removed since comes back from that sheet': async () => {
		await open(page, 'A1')
		await page.fill('#i-holder', '写错了')
		await save(page)
		await open(page, 'B2')
		await page.click('[data-act=remove]')
		await page.click('.el-message-box .el-button--primary, .el-message-box .el-button--danger')
		await shown(['A1', 'C3'])
		await page.click('[data-act=import]')
		await page.setInputFiles('[data-file]', file)
		await page.waitForSelector('[data-act=commit]')
		await page.selectOption('[data-act=existing]', 'overwrite')
		const figures = () => page.$$eval('[data-n]', l => Object.fromEntries(l.map(e => [e.dataset.n, e.querySelector('b').textContent])))
		await until(async () => {
			const n = await figures()
			return n.added === '1' && n.changed === '1' && n.bad === '0'
		}, 'one new, one changed')
		await shot('declared-import')
		await page.click('[data-act=commit]')
		await page.waitForSelector('text=导入完成')
		await page.click('[data-act=close]')
		await until(async () => JSON.stringify(await cells()) === JSON.stringify(before), 'the list as it was')
	},
	'who may only look sees no button, and is refused': async () => {
		chief = await enter('chief')
		await until(async () => (await chief.locator('tbody tr .open').count()) === 3, 'three rows')
		for (const act of ['add', 'import', 'export', 'bulk-edit', 'bulk-remove'])
			equal(await chief.locator(`[data-act=${act}]`).count(), 0, act)
		await open(chief, 'A1')
		await chief.waitForSelector('form.form')
		equal([await chief.locator('[data-act=save], [data-act=remove]').count(), await chief.isDisabled('#i-holder')], [0, true])
		await shot('declared-look', chief)
		const tried = await chief.evaluate(async () => {
			const { csrf } = await (await fetch('/api/v1/session')).json()
			const { items } = await (await fetch('/api/v1/badges')).json()
			const go = async (method, path, body) => (await fetch(`/api/v1${path}`, {
				method, headers: { 'Content-Type': 'application/json', 'X-Huawu-CSRF': csrf, 'If-Match': String(items[0].rev) }, body: body && JSON.stringify(body),
			})).status
			const one = `/badges/${items[0].id}`
			return [await go('POST', '/badges', { code: 'D4', holder: '孙七' }), await go('PATCH', one, { holder: '孙七' }), await go('DELETE', one), await go('GET', '/badges/export.xlsx'),
				await go('GET', one)]
		})
		equal(tried, [403, 403, 403, 403, 200])
		equal((await (await centre.api('boss')).get('/badges')).items.map(b => b.holder), ['赵六', '李四', '王五'])
	},
}
