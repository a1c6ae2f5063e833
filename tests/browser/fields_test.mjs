/* An administrator adds fields to customers, with the real server: they are in the form at once and keep their choices. */
import { join } from 'node:path'
import { equal, launch, ok, text, until } from './lib.mjs'
import { Centre, PASSWORD } from './server.mjs'

let centre
let browser
let page
const shots = process.env.SHOTS
const shot = async name => shots && await page.screenshot({ path: join(shots, `${name}.png`) })
const api = (path, method = 'GET', body) => page.evaluate(async ([path, method, body]) => {
	const session = await (await fetch('/api/v1/session')).json()
	const r = await fetch(`/api/v1${path}`, { method, headers: { 'Content-Type': 'application/json', 'X-CSRF': session.csrf ?? '' }, body: body && JSON.stringify(body) })
	return { status: r.status, json: await r.json().catch(() => null) }
}, [path, method, body])
const save = async () => {
	await page.click('[data-act=save]')
	await page.waitForSelector('form.form', { state: 'detached' })
}

export async function setup() {
	centre = await new Centre(7_400).seed().start()
	browser = await launch()
	page = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 900 } })).newPage()
	await page.goto(`${centre.base}/login`)
	await page.fill('input[autocomplete=username]', 'boss')
	await page.fill('input[type=password]', PASSWORD)
	await page.keyboard.press('Enter')
	await page.waitForURL(u => u.pathname !== '/login')
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}

export const tests = {
	'a choice is added with its options': async () => {
		await page.goto(`${centre.base}/settings/custom_fields`)
		await page.click('[data-act=add]')
		await page.fill('#i-zh', '会员等级')
		await page.selectOption('#i-type', 'choice')
		await page.click('[data-act=add-choice]')
		await page.keyboard.type('金卡')
		await page.keyboard.press('Enter')
		await page.keyboard.type('银卡')
		/* As the form will be, before it is saved. */
		await page.selectOption('[data-preview] [data-field] select', { label: '银卡' })
		ok((await text(page, '[data-preview]')).includes('会员等级'), 'no label in the preview')
		await page.check('[data-field=required] input')
		ok((await text(page, '[data-preview]')).includes('弹屏'), 'it does not say that the pop asks for it')
		await page.uncheck('[data-field=required] input')
		await shot('fields-form')
		await save()
		await until(async () => (await text(page, 'table')).includes('会员等级'), 'the field is not in the list')
		await shot('fields-list')
	},
	'a label that is taken is refused with its reason': async () => {
		await page.click('[data-act=add]')
		await page.fill('#i-zh', '姓名')
		await page.click('[data-act=save]')
		await until(async () => (await text(page, '[data-field=zh]')).includes('已经有叫这个名称的字段了'), 'no reason')
		await page.keyboard.press('Escape')
		await page.click('.el-message-box .el-button--danger').catch(() => {})
	},
	'the customer has it at once, by programs too': async () => {
		const meta = (await api('/meta')).json.resources.find(r => r.name === 'customers')
		const f = meta.fields.find(x => x.zh === '会员等级')
		ok(f, 'no such field in the description')
		equal(f.name, 'x_f1')
		equal(f.options.map(o => o.zh).join(), '金卡,银卡')
		await page.goto(`${centre.base}/settings/customers`)
		await page.click('[data-act=add]')
		await page.fill('#i-name', '张三')
		await page.selectOption('#i-x_f1', { label: '银卡' })
		await shot('fields-customer')
		await save()
		await until(async () => (await text(page, 'table')).includes('银卡'), 'the list does not show the choice')
	},
	'the customer\'s page has the field, and a pasted screenshot hangs on it until it is removed': async () => {
		const id = (await api('/customers')).json.items[0].id
		await page.goto(`${centre.base}/customers/${id}`)
		await page.waitForSelector('#i-x_f1')
		await page.selectOption('#i-x_f1', { label: '金卡' })
		await page.click('[data-act=save]')
		await until(async () => (await api(`/customers/${id}`)).json.x_f1 === 'o1', 'the choice is not saved')
		await page.evaluate(async () => {
			const canvas = Object.assign(document.createElement('canvas'), { width: 400, height: 300 })
			canvas.getContext('2d').fillRect(40, 40, 200, 100)
			const blob = await new Promise(r => canvas.toBlob(r, 'image/png'))
			const data = new DataTransfer()
			data.items.add(new File([blob], 'image.png', { type: 'image/png' }))
			document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
		})
		await page.waitForSelector('[data-attachments] img')
		ok((await page.$eval('[data-attachments] img', async i => { await i.decode(); return i.naturalWidth })) === 400, 'the picture is not shown')
		/* Larger than one request takes. */
		await page.setInputFiles('[data-file-input]', { name: '合同.pdf', mimeType: 'application/pdf', buffer: Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(300_000, 'x')]) })
		await page.waitForSelector('[data-file="合同.pdf"]')
		await shot('fields-page')
		await page.setInputFiles('[data-file-input]', { name: 'a.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') })
		await until(async () => (await text(page, 'body')).includes('不收这种文件'), 'no reason for the refusal')
		await page.click('[data-file="合同.pdf"] [data-act=remove-file]')
		await page.click('[data-act=undo-file]')
		await page.waitForSelector('[data-file="合同.pdf"]')
		await page.click('[data-file="合同.pdf"] [data-act=remove-file]')
		await until(async () => (await api(`/customers/${id}/attachments`)).json.items.length === 1, 'it is not removed')
	},
}
