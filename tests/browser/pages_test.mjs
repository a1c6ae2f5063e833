/* Every page, in Chinese and light, in English and dark: axe finds nothing serious, nothing sticks out, nothing breaks. */
import { gzipSync } from 'node:zlib'
import { axe, enter, equal, launch, ok, startMock } from './lib.mjs'

const BUDGET_BYTES = 350 * 1024
let mock
let browser
export async function setup() {
	mock = await startMock()
	browser = await launch()
}
export async function done() {
	await browser?.close()
	mock?.stop()
}
const call = async () => { await mock.post('incoming'); await mock.post('answered') }
const PAGES = [
	['log-in', null, '/login'],
	['desk, signed out', 'agent', '/desk'],
	['desk, ready, keypad open', 'agent', '/desk', () => mock.post('state', { state: 'ready' }), p => p.click('[data-act=keypad]')],
	['desk, ringing', 'agent', '/desk', () => mock.post('incoming')],
	['desk, in a call', 'agent', '/desk', call],
	['desk, wrap-up', 'agent', '/desk', async () => { await call(); await mock.post('over') }],
	['desk, break menu', 'agent', '/desk', () => mock.post('state', { state: 'ready' }), p => p.click('[data-act=break]')],
	['telephone settings', 'agent', '/desk', null, p => p.click('[data-act=phone]')],
	['shortcuts', 'agent', '/desk', null, p => p.keyboard.press('?')],
	['calls', 'supervisor', '/calls'],
	['calls, none found', 'supervisor', '/calls?q=nobody'],
	['a call', 'supervisor', '/calls/9000', null, async p => { await p.waitForSelector('canvas[data-drawn=true]'); await p.click('[data-why] summary') }],
	['board', 'supervisor', '/board', null, p => p.waitForSelector('canvas')],
	['a list', 'admin', '/settings/users'],
	['a form', 'admin', '/settings/queues', null, p => p.click('[data-act=add]')],
	['a form with errors', 'admin', '/settings/users', null, async p => { await p.click('[data-act=add]'); await p.click('[data-act=save]') }],
	['an empty list', 'admin', '/settings/trunks'],
	['server check', 'admin', '/doctor', null, p => p.waitForSelector('[data-worst=error]')],
	['strangers', 'admin', '/strangers', null, p => p.waitForSelector('[data-table=hours]')],
	['no such page', 'admin', '/nowhere'],
	['recordings, all filters', 'supervisor', '/recordings', null, p => p.click('[data-act=more]')],
]
async function open([, role, path, prepare, act], lang, scheme, width = 1366) {
	await mock.post('reset')
	const ctx = await browser.newContext({ locale: lang, colorScheme: scheme, reducedMotion: 'reduce', viewport: { width, height: 768 } })
	const page = await ctx.newPage()
	const errors = []
	page.on('pageerror', e => errors.push(e.message))
	if (role)
		await enter(page, mock.base, role, path)
	else
		await page.goto(mock.base + path)
	await page.waitForTimeout(300)
	await prepare?.()
	await page.waitForTimeout(250)
	await act?.(page)
	await page.waitForTimeout(450)
	return { ctx, page, errors }
}

/* Each page in one language and scheme, every second one in the other; colours in both schemes. */
export const tests = {}
for (const [i, p] of PAGES.entries()) {
	const [lang, scheme, other] = i % 2 ? ['en-GB', 'dark', 'light'] : ['zh-CN', 'light', 'dark']
	tests[`${p[0]}: axe finds nothing serious, ${lang}`] = async () => {
		const { ctx, page, errors } = await open(p, lang, scheme)
		try {
			equal(await axe(page), [], scheme)
			equal(errors, [], 'errors in the page')
			ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing sticks out to the right')
			await page.emulateMedia({ colorScheme: other })
			equal(await axe(page, ['color-contrast']), [], other)
		} finally {
			await ctx.close()
		}
	}
}
tests['the first load of the desk stays under 350 kB packed, without echarts; the telephone comes after it'] = async () => {
	const ctx = await browser.newContext()
	const page = await ctx.newPage()
	const names = new Set()
	page.on('request', r => {
		const name = new URL(r.url()).pathname
		if (/\.(js|css)$/.test(name) && !/JsSIP/.test(name))
			names.add(name)
	})
	await enter(page, mock.base, 'agent', '/desk')
	await page.waitForSelector('.side li')
	let bytes = 0
	for (const n of names)
		bytes += gzipSync(Buffer.from(await (await fetch(mock.base + n)).arrayBuffer())).length
	ok(bytes > 50_000 && bytes < BUDGET_BYTES, `${bytes} bytes`)
	ok(![...names].some(n => /charts/.test(n)), 'no charts on the desk')
	console.log(`        first load ${Math.round(bytes / 1024)} kB`)
	await ctx.close()
}
tests['a page on plain http from elsewhere says why there is no microphone, and leads to the certificate'] = async () => {
	const ctx = await browser.newContext({ locale: 'zh-CN' })
	const page = await ctx.newPage()
	await page.addInitScript(() => {
		Object.defineProperty(window, 'isSecureContext', { value: false })
		Object.defineProperty(navigator, 'mediaDevices', { value: undefined })
		Object.defineProperty(navigator, 'locks', { value: undefined })
	})
	await page.goto(`${mock.base}/login`)
	await page.waitForSelector('.insecure a[href="/ca"]')
	await enter(page, mock.base, 'agent')
	await page.waitForSelector('[data-trouble=mic_insecure]')
	await page.waitForSelector('[data-act=phone][data-link=up]')
	await ctx.close()
}
