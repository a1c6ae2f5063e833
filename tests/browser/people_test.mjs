/* People with the real server: a leaver is out at once and his customers go by a fair draw; roles, departments, import of a sheet. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Centre, PASSWORD, person, sleep } from './server.mjs'

let centre
let browser
let page
let boss
const enterAs = async (login, path) => {
	const ctx = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 900 } })
	const p = await ctx.newPage()
	await p.goto(`${centre.base}/login`)
	await p.fill('input[autocomplete=username]', login)
	await p.fill('input[type=password]', PASSWORD)
	await p.keyboard.press('Enter')
	await p.waitForURL(u => u.pathname !== '/login')
	if (path)
		await p.goto(`${centre.base}${path}`)
	return p
}
export async function setup() {
	centre = await new Centre(9_400).seed(
		[['teams', 'sales', { name: '销售组' }]],
		...['8001', '8002', '8003'].map(n => person(n, '', { team_id: '$sales', role: 'agent' })),
		[['users', 'lead', { name: '班长', login: 'lead', role: 'lead', team_id: '$sales', password: PASSWORD, must_change_password: false }]],
	).start()
	browser = await launch()
	boss = await centre.api('boss')
	page = await enterAs('boss')
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
/* What still fades in has no contrast yet. */
const looked = async () => {
	await sleep(150)
	await page.evaluate(() => Promise.allSettled(document.getAnimations().map(a => a.finished)))
	return axe(page)
}
const user = async login => (await boss.get(`/users?login=${login}`)).items[0]
const owned = async id => (await boss.get(`/customers?owner_id=${id}&limit=1`)).total
const dialog = name => page.locator('.el-message-box button', { hasText: name })

export const tests = {
	'a leaver is out of an open browser at once, and his customers go equally to whom one chose': async () => {
		const [leaver, b, c] = [await user('agent8001'), await user('agent8002'), await user('agent8003')]
		for (let i = 0; i < 11; i++)
			await boss.post('/customers', { name: `客户${i}`, owner_id: leaver.id, phones: [{ number: `138000020${String(i).padStart(2, '0')}` }] })
		const his = await enterAs('agent8001', '/desk')
		await his.waitForSelector('.conn.open')
		await page.goto(`${centre.base}/people/${leaver.id}`)
		await until(async () => (await text(page, '[data-customers]')) === '11', 'customers')
		await page.click('[data-act=leave]')
		for (const who of ['坐席8002', '坐席8003']) {
			await page.fill('#leave-add', who)
			await page.click(`#leave-add-list >> text=${who}`)
			await page.waitForSelector(`[data-to^="${who}"]`)
		}
		await until(async () => /5|6/.test(await text(page, '[data-to^=坐席8002] b')), 'the preview')
		equal(await looked(), [])
		equal(await owned(leaver.id), 11, 'before it is confirmed')
		await page.click('[data-act=go]')
		await dialog('确认离职').click()
		await until(async () => (await page.locator('.done').count()) && (await text(page, '.done')).includes('11'), 'done')
		await his.waitForURL(u => u.pathname === '/login', { timeout: 15_000 })
		const [nb, nc] = [await owned(b.id), await owned(c.id)]
		ok(nb + nc === 11 && Math.abs(nb - nc) === 1, `${nb} and ${nc}`)
		equal(await owned(leaver.id), 0)
		const again = await fetch(`${centre.base}/api/v1/session`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ login: 'agent8001', password: PASSWORD }) })
		equal(again.status, 401, 'his log-in')
		const sheet = await boss.raw(`/leaves/${(await boss.get(`/leaves?user_id=${leaver.id}`)).items[0].id}/certificate.xlsx`)
		equal((await sheet.arrayBuffer()).byteLength > 1000 && sheet.status, 200, 'the certificate')
	},
	'within a day it is undone': async () => {
		const leaver = await user('agent8001')
		await page.click('.leave [data-act=undo]')
		await dialog('撤销').click()
		await until(async () => (await text(page, '.done')).includes('收回 11'), 'given back')
		equal(await owned(leaver.id), 11)
		equal((await user('agent8001')).active, true)
		const his = await enterAs('agent8001', '/desk')
		await his.waitForSelector('.conn.open')
		await his.context().close()
	},
	'a role is copied, changed with its differences shown, and works at once in an open page': async () => {
		const lead = await enterAs('lead', '/board')
		await lead.waitForSelector('.conn.open')
		await page.goto(`${centre.base}/settings/roles`)
		await page.click('[data-key=lead]')
		await page.click('[data-right=floor]')
		await page.locator('[data-area=customers] [data-what=remove]').selectOption('team')
		await page.click('[data-act=review]')
		await page.waitForSelector('.diff li')
		equal(await page.locator('.diff li').count(), 2)
		equal(await looked(), [])
		await page.click('.el-dialog [data-act=save]')
		await page.waitForSelector('[data-act=reset]')
		await until(async () => !(await lead.locator('nav a[href="/board"]').count()), 'the board is gone from his page', 15_000)
		await lead.context().close()
		await page.click('[data-act=reset]')
		await page.click('.el-dialog [data-act=save]')
		await until(async () => !(await page.locator('[data-act=reset]').count()), 'as shipped')
		await page.click('[data-act=copy]')
		await page.fill('.el-message-box input', '大组长')
		await dialog('复制角色').click()
		await page.waitForSelector('[data-key=lead_2][aria-current=true]')
	},
	'departments are a tree, teams are put into them': async () => {
		const dep = await boss.post('/departments', { name: '运营部' })
		await boss.post('/departments', { name: '夜班部', parent_id: dep.id })
		await page.goto(`${centre.base}/settings/departments`)
		await page.waitForSelector('[data-department=夜班部]')
		await page.locator('[data-team=销售组]').dragTo(page.locator('[data-department=夜班部]'))
		await until(async () => (await boss.get('/teams?name=销售组')).items[0].department_id, 'the team moved')
		await until(async () => /4 人/.test(await text(page, '[data-department=运营部]')), 'people are counted upwards')
		await page.locator('[data-department=夜班部] .name').focus()
		await page.keyboard.press('m')
		await page.selectOption('.el-dialog select', { label: '移到最上级' })
		await page.click('[data-act=move]')
		await page.waitForSelector('.el-dialog', { state: 'hidden' })
		await until(async () => (await boss.get('/departments?name=夜班部')).items[0].parent_id === null, 'the department moved')
		equal(await looked(), [])
	},
	'people come from a workbook with department, team and role in words, and change their first password': async () => {
		const path = join(centre.dir, 'people.xlsx')
		execFileSync('python3', ['-c', `
import zipfile
rows = [["姓名", "登录名", "角色", "班组", "部门", "汇报对象", "工位"], ["李四", "lisi", "电销专员", "销售组", "夜班部", "班长", "B07"]]
cells = "".join("<row r='%d'>%s</row>" % (i + 1, "".join("<c r='%s%d' t='inlineStr'><is><t>%s</t></is></c>" % (chr(65 + k), i + 1, v) for k, v in enumerate(r))) for i, r in enumerate(rows))
z = zipfile.ZipFile(${JSON.stringify(path)}, "w")
z.writestr("[Content_Types].xml", "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'><Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/><Default Extension='xml' ContentType='application/xml'/><Override PartName='/xl/workbook.xml' ContentType='application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml'/><Override PartName='/xl/worksheets/sheet1.xml' ContentType='application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml'/></Types>")
z.writestr("_rels/.rels", "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='xl/workbook.xml'/></Relationships>")
z.writestr("xl/workbook.xml", "<workbook xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'><sheets><sheet name='a' sheetId='1' r:id='r1'/></sheets></workbook>")
z.writestr("xl/_rels/workbook.xml.rels", "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' Target='worksheets/sheet1.xml'/></Relationships>")
z.writestr("xl/worksheets/sheet1.xml", "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>" + cells + "</sheetData></worksheet>")
z.close()`])
		await page.goto(`${centre.base}/settings/users`)
		await page.click('[data-act=import]')
		await page.setInputFiles('[data-file]', path)
		await page.waitForSelector('[data-act=commit]')
		await page.click('[data-act=commit]')
		const lisi = await until(() => user('lisi'), 'the new person')
		equal([lisi.role, lisi.team_id_label, lisi.department_id_label, lisi.reports_to_id_label, lisi.seat, lisi.must_change_password], ['telesales', '销售组', '夜班部', '班长', 'B07', true])
		await page.waitForSelector('text=密码')
	},
}
