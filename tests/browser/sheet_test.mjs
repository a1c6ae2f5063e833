/* Lists as files and files into lists, with the real server: export, template, check, columns changed, import, refused rows, secrets. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Centre, PASSWORD, sleep } from './server.mjs'

let centre
let browser
let page
const shots = process.env.SHOTS
const shot = async name => shots && await page.screenshot({ path: join(shots, `${name}.png`) })
export async function setup() {
	centre = await new Centre(31_800).seed([['teams', 't1', { name: '早班组(示例)' }]]).start()
	browser = await launch()
	const ctx = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 900 }, acceptDownloads: true })
	page = await ctx.newPage()
	await page.goto(`${centre.base}/login`)
	await page.fill('input[autocomplete=username]', 'boss')
	await page.fill('input[type=password]', PASSWORD)
	await page.keyboard.press('Enter')
	await page.waitForURL(u => u.pathname !== '/login')
	await page.goto(`${centre.base}/settings/users`)
	await page.waitForSelector('tbody tr')
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
const saved = async act => {
	const [d] = await Promise.all([page.waitForEvent('download'), act()])
	const path = join(centre.dir, d.suggestedFilename())
	await d.saveAs(path)
	return { name: d.suggestedFilename(), data: readFileSync(path), text: () => readFileSync(path, 'utf8') }
}
/* What still fades in has no contrast yet. */
const looked = async () => {
	await sleep(100)
	await page.evaluate(() => Promise.allSettled(document.getAnimations().map(a => a.finished)))
	return axe(page)
}
const figure = n => text(page, `[data-n=${n}] b`)
const put = async (name, content) => {
	const path = join(centre.dir, name)
	writeFileSync(path, content)
	await page.setInputFiles('[data-file]', path)
}
const checked = () => page.waitForSelector('[data-act=commit]')
const people = '﻿人员名单,,,,\r\n姓名,登录名,座席号,班组,角色\r\n示例甲,jia,9001,早班组(示例),坐席\r\n示例乙,yi,9002,没有的组,坐席\r\n示例丙,bing,9003,,主管\r\n'

export const tests = {
	'the list is exported as it is searched, in both formats': async () => {
		await page.click('[data-act=export]')
		const xlsx = await saved(() => page.click('[role=menuitem] >> text=.xlsx'))
		equal([xlsx.name, xlsx.data.subarray(0, 2).toString()], ['人员.xlsx', 'PK'])
		await page.fill('input[type=search]', 'boss')
		await sleep(400)
		await page.click('[data-act=export]')
		const csv = await saved(() => page.click('[role=menuitem] >> text=.csv'))
		const lines = csv.text().trim().split('\r\n')
		equal(lines.length, 3)
		ok(lines[0].includes('导出: 管理员(示例) (boss)') && lines[1].includes('姓名,登录名') && lines[2].includes('管理员(示例),boss'), csv.text())
		await page.fill('input[type=search]', '')
	},
	'a sheet is tried first: what is new, what is refused and why': async () => {
		await page.click('[data-act=import]')
		await page.waitForSelector('.drop')
		equal(await looked(), [])
		await shot('import-empty-zh')
		const t = await saved(() => page.click('[data-act=template]'))
		equal([t.name, t.data.subarray(0, 2).toString()], ['人员导入模板.xlsx', 'PK'])
		await put('people.csv', people)
		await checked()
		equal([await figure('added'), await figure('changed'), await figure('bad')], ['2', '0', '1'])
		ok((await text(page, 'div.bad')).includes('班组：找不到这一项'), 'the reason')
		equal(await page.inputValue('[data-col="2"]'), '', 'a title that nobody knows')
		equal((await (await centre.api('boss')).get('/users')).total, 1, 'nothing came in')
	},
	'a column may be given another meaning': async () => {
		await page.selectOption('[data-col="2"]', 'extension')
		await until(async () => (await page.inputValue('[data-col="2"]')) === 'extension' && (await page.locator('[data-act=commit]').count()) === 1, 'checked again')
		await shot('import-checked-zh')
		equal(await looked(), [])
	},
	'it is taken in, and gives back refused rows and passwords': async () => {
		await page.click('[data-act=commit]')
		await page.waitForSelector('text=导入完成')
		equal([await figure('added'), await figure('bad')], ['2', '1'])
		await shot('import-done-zh')
		const back = await saved(() => page.click('[data-act=refused]'))
		equal(back.data.subarray(0, 2).toString(), 'PK')
		const once = (await saved(() => page.click('[data-act=once]'))).text()
		const password = once.split('\r\n').find(l => l.includes(',jia,')).split(',')[4]
		ok(password.length >= 8, once)
		const rows = (await (await centre.api('boss')).get('/users?sort=login')).items
		equal(rows.map(r => [r.login, r.extension]), [['bing', '9003'], ['boss', null], ['jia', '9001']])
		await page.click('[data-act=close]')
		await page.click('.el-message-box button >> text=关闭')
		await page.waitForSelector('.drop', { state: 'detached' })
		await page.waitForSelector('tbody >> text=示例丙')
	},
	'a file that is no sheet is refused in words': async () => {
		await page.click('[data-act=import]')
		await put('x.xlsx', 'PK\x03\x04 nothing')
		await page.waitForSelector('.error >> text=文件已损坏')
	},
	'the sheet of refused rows can be mended and comes again': async () => {
		await page.setInputFiles('[data-file]', join(centre.dir, '退回的行.xlsx'))
		await checked()
		equal([await figure('added'), await figure('bad')], ['0', '1'])
		ok((await text(page, 'div.bad')).includes('班组：找不到这一项（没有的组）'), 'the reason')
		await page.selectOption('[data-col="3"]', '')
		await until(async () => (await figure('added')) === '1', 'without its team')
		await page.click('[data-act=close]')
	},
	'a file of several pieces comes in whole, with a bar': async () => {
		await page.goto(`${centre.base}/settings/teams`)
		await page.click('[data-act=import]')
		await put('many.csv', `名称,备注\n${Array.from({ length: 3000 }, (_, i) => `示例组${i},${'备'.repeat(40)}`).join('\n')}\n`) // 400 kB
		await checked()
		equal([await figure('added'), await figure('bad')], ['3000', '0'])
		await page.click('[data-act=commit]')
		await page.waitForSelector('progress')
		await page.waitForSelector('text=导入完成')
		equal((await (await centre.api('boss')).get('/teams')).total, 3001)
		await page.click('[data-act=close]')
	},
	'customers come with telephones, a value for every row, and the columns are known the next time': async () => {
		await page.goto(`${centre.base}/settings/customers`)
		await page.click('[data-act=import]')
		const list = '客户,手机,电话2,不认识\n示例甲,13800138000.0,13900139000,x\n示例乙,1.38E+10,,y\n示例丙,13700137000/13600136000,,z\n'
		await put('customers.csv', list)
		await checked()
		equal([await figure('added'), await figure('bad')], ['2', '1'])
		ok((await text(page, 'div.bad')).includes('科学计数法'), 'the reason')
		equal([await page.inputValue('[data-col="1"]'), await page.inputValue('[data-col="2"]')], ['phones', 'phones'])
		await page.selectOption('[data-col="3"]', 'note')
		await until(async () => (await page.inputValue('[data-col="3"]')) === 'note' && (await page.locator('[data-act=commit]').count()) === 1, 'checked again')
		await page.selectOption('[data-act=every]', 'tags')
		await page.fill('#every-tags', '展会')
		await page.press('#every-tags', 'Tab')
		await page.waitForSelector('[data-act=commit]:not([disabled])')
		await sleep(500)
		await shot('import-customers-zh')
		equal(await looked(), [])
		await page.click('[data-act=commit]')
		await page.waitForSelector('text=导入完成')
		await page.click('[data-act=close]')
		const rows = (await (await centre.api('boss')).get('/customers?sort=phone')).items
		equal(rows.map(r => [r.name, r.phone, r.tags, r.note]), [['示例丙', '+8613700137000', ',展会,', 'z'], ['示例甲', '+8613800138000', ',展会,', 'x']])
		await page.click('[data-act=import]')
		await put('customers2.csv', list)
		await checked()
		await page.waitForSelector('.remembered')
		equal(await page.inputValue('[data-col="3"]'), 'note')
		await page.click('[data-act=forget]')
		await until(async () => (await page.inputValue('[data-col="3"]')) === '' && (await page.locator('[data-act=commit]').count()) === 1, 'guessed anew')
		await page.click('[data-act=close]')
	},
	'an import is undone, and what somebody touched since stays and is listed': async () => {
		const api = await centre.api('boss')
		const one = (await api.get('/customers?sort=phone')).items[0]
		await api.patch(`/customers/${one.id}`, { address: '新址' }, one.rev)
		await page.goto(`${centre.base}/settings/imports`)
		const line = page.locator('tr', { hasText: 'customers.csv' })
		await line.locator('[data-act=undo]').click()
		await page.waitForSelector('[data-act=undo-go]')
		ok((await text(page, '.will')).includes('删除 1 行') && (await text(page, '.will')).includes('1 行后来被改过'), 'what it will do')
		equal(await looked(), [])
		await shot('undo-ask-zh')
		await page.click('[data-act=undo-go]')
		await page.waitForSelector('text=已撤销 1 行')
		ok((await text(page, '.kept')).includes('后来被改过'), 'what stays')
		await shot('undo-done-zh')
		await page.click('[data-act=undo-close]')
		equal((await api.get('/customers')).items.map(r => r.name), ['示例丙'])
	},
	'imports are listed, and all of it speaks English': async () => {
		await page.goto(`${centre.base}/settings/imports`)
		await page.waitForSelector('tbody >> text=people.csv')
		equal(await page.locator('[data-act=import]').count(), 0)
		await shot('imports-zh')
		await page.click('text=English')
		await page.waitForSelector('tbody >> text=Done')
		await page.goto(`${centre.base}/settings/users`)
		await page.click('[data-act=import]')
		await put('again.csv', people)
		await checked()
		equal([await figure('added'), await figure('unchanged'), await figure('bad')], ['0', '2', '1'])
		ok((await text(page, 'div.bad')).includes('Team is not there'), 'the reason')
		equal(await looked(), [])
		await shot('import-checked-en')
	},
}
