/* The agent's desk, moved by the stand-in server. */
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
async function fresh(state) {
	await ctx?.close()
	await mock.post('reset')
	ctx = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 768 } })
	page = await ctx.newPage()
	await enter(page, mock.base, 'agent')
	if (state)
		await mock.post('state', { state })
}
const scene = s => page.waitForSelector(`.bar[data-scene=${s}]`)

export const tests = {
	'F8 signs in and makes ready, again it opens the breaks, arrows and Enter choose one': async () => {
		await fresh()
		await scene('offline')
		await page.keyboard.press('F8')
		await scene('ready')
		await page.keyboard.press('F8')
		await page.waitForSelector('[role=menu]')
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('Enter')
		await scene('break')
		equal(await text(page, '.state .name'), '用餐')
	},
	'number, queue and past calls stand there before the answer': async () => {
		await fresh('ready')
		await mock.post('incoming', { from: '13800138000' })
		await scene('incoming')
		equal(await text(page, '[data-who]'), '138 0013 8000')
		ok((await text(page, '[data-card=call]')).includes('售前咨询'), 'queue is named')
		await until(() => page.locator('[data-contacts] [data-contact]').count(), 'past calls')
		equal(await page.locator('.bar[data-state=ringing]').count(), 1, 'still ringing')
	},
	'a caller without a name is a new caller, and a screen reader hears of him': async () => {
		await fresh('ready')
		await mock.post('incoming', { from: '13911112222' })
		await scene('incoming')
		await until(async () => (await text(page, '[data-card=call]')).includes('新来电'), 'says new caller')
		equal(await page.locator('[role=alert][aria-live=assertive]').first().innerText(), '来电：13911112222，队列售前咨询')
	},
	'F4 refuses': async () => {
		await fresh('ready')
		await mock.post('incoming')
		await scene('incoming')
		await page.keyboard.press('F4')
		await scene('ready')
	},
	'hold, resume, digits, hang up, extend and finish the wrap-up, by keys alone': async () => {
		await fresh('ready')
		await mock.post('incoming')
		await mock.post('answered')
		await scene('call')
		await page.keyboard.press('F9')
		await page.waitForSelector('[data-act=hold][aria-pressed=true]')
		await page.keyboard.press('F9')
		await page.waitForSelector('[data-act=hold][aria-pressed=false]')
		await page.keyboard.type('12#')
		await until(async () => (await mock.post('log')).digits.endsWith('12#'), 'digits arrive in order')
		await page.keyboard.press('F4')
		await scene('wrapup')
		const before = await text(page, '[data-card=call] .timer')
		await page.click('[data-act=wrap-extend]')
		await until(async () => (await text(page, '[data-card=call] .timer')) > before, 'more time')
		await page.keyboard.press('F10')
		await scene('ready')
	},
	'a break asked for while talking is shown and can be taken back': async () => {
		await fresh('ready')
		await mock.post('incoming')
		await mock.post('answered')
		await page.click('[data-act=break]')
		await page.click('[role=menu] button >> nth=0')
		await until(async () => (await text(page, '.pending')) === '挂机后小休', 'pending is shown')
		await page.click('[data-act=ready]')
		await until(async () => (await text(page, '.pending')) === '', 'pending is gone')
	},
	'letters typed into the dial field are no commands': async () => {
		await fresh('ready')
		await scene('ready')
		await page.keyboard.press('/')
		await page.keyboard.type('m13800138000')
		await page.keyboard.press('Enter')
		await scene('call')
		equal(await text(page, '[data-who]'), '138 0013 8000')
		equal(await page.locator('[data-act=mute][aria-pressed=true]').count(), 0)
	},
	'the layout does not move between states': async () => {
		await fresh('ready')
		const boxes = () => page.evaluate(() => [...document.querySelectorAll('.bar [data-act=ready], .bar [data-act=break], .bar [data-act=hold], .bar [data-act=number]')].map(e => Math.round(e.getBoundingClientRect().x * 10) + ':' + Math.round(e.getBoundingClientRect().y)))
		const first = await boxes()
		await mock.post('incoming')
		await scene('incoming')
		equal(await boxes(), first, 'incoming')
		await mock.post('answered')
		await scene('call')
		equal(await boxes(), first, 'call')
		await mock.post('over')
		await scene('wrapup')
		equal(await boxes(), first, 'wrap-up')
	},
	'after the server was away the page comes back by itself, with the state it then has': async () => {
		await fresh('ready')
		await page.waitForSelector('[data-act=phone][data-link=up]')
		await mock.post('restart')
		await page.waitForSelector('[data-act=phone]:not([data-link=up])')
		await mock.post('state', { state: 'noanswer' })
		await scene('noanswer')
		await page.waitForSelector('[data-act=phone][data-link=up]', { timeout: 15_000 })
		await page.waitForSelector('.conn.open')
	},
	'a refusal is the server’s sentence': async () => {
		await fresh('ready')
		await page.evaluate(() => fetch('/mock/state', { method: 'POST', body: '{"state":"talking"}' }))
		await page.route('**/desk/hangup', r => r.fulfill({ status: 409, contentType: 'application/json', body: '{"error":{"code":"wrong_state","message":"现在不能这样做。"}}' }))
		await scene('call')
		await page.keyboard.press('F4')
		await page.waitForSelector('.el-message >> text=现在不能这样做。')
	},
	'whoever is logged out elsewhere lands on the log-in page and is told why': async () => {
		await fresh('ready')
		await mock.post('event', { event: 'bye', data: { why: 'taken_over' } })
		await page.waitForURL('**/login')
		equal(await text(page, '.notice'), '您在别处登录了，这里已退出')
	},
	'both languages, at once and after a reload': async () => {
		await fresh('ready')
		await page.click('header >> text=English')
		await until(async () => (await text(page, '.state .name')) === 'Ready', 'English')
		await page.reload()
		await until(async () => (await text(page, '.state .name')) === 'Ready', 'English after reload')
		equal(await page.evaluate(() => document.documentElement.lang), 'en')
		await page.click('header >> text=中文')
		await until(async () => (await text(page, '.state .name')) === '就绪', 'Chinese')
	},
	'the question mark shows the keys, Esc closes them': async () => {
		await fresh('ready')
		await page.keyboard.press('?')
		await page.waitForSelector('[role=dialog] >> text=键盘快捷键')
		await page.keyboard.press('Escape')
		await page.waitForSelector('[role=dialog]', { state: 'detached' })
	},
	'a hidden tab blinks its title while a call rings': async () => {
		await fresh('ready')
		await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true, configurable: true }))
		await mock.post('incoming', { from: '13911112222' })
		await until(async () => (await page.title()).includes('来电：13911112222'), 'title')
		await page.keyboard.press('F4')
		await until(async () => !(await page.title()).includes('来电：1'), 'title is back')
	},
}
