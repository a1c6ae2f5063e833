/* Pictures of every page, both languages, light and dark, two sizes: node dev/shots.mjs OUT [BASE] [only] */
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'

const [out = 'shots', base = 'http://127.0.0.1:8099', only = ''] = process.argv.slice(2)
mkdirSync(out, { recursive: true })
const post = (path, body = {}) => fetch(`${base}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) })
const PAGES = [
	['login', null, '/login'], ['desk-offline', 'agent', '/desk'],
	['desk-ready', 'agent', '/desk', () => post('state', { state: 'ready' })],
	['desk-incoming', 'agent', '/desk', () => post('incoming', { name: '示例客户甲' })],
	['desk-new', 'agent', '/desk', () => post('incoming', { from: '13911112222' })],
	['desk-call', 'agent', '/desk', async () => { await post('incoming'); await post('answered') }],
	['desk-wrapup', 'agent', '/desk', async () => { await post('incoming'); await post('answered'); await post('over') }],
	['desk-settings', 'agent', '/desk', () => post('state', { state: 'break', reason: 'lunch' }), p => p.click('[data-act=phone]')],
	['desk-keypad', 'agent', '/desk', () => post('state', { state: 'ready' }), p => p.click('[data-act=keypad]')],
	['desk-keys', 'agent', '/desk', null, p => p.keyboard.press('?')],
	['calls', 'supervisor', '/calls'], ['call', 'supervisor', '/calls/9000'], ['board', 'supervisor', '/board'],
	['settings', 'admin', '/settings/queues'], ['settings-form', 'admin', '/settings/users', null, async p => { await p.waitForSelector('tbody tr'); await p.click('tbody tr >> nth=1') }], ['settings-empty', 'admin', '/settings/trunks'],
]
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] })
const all = [['zh', 'light', 1366, 768], ['en', 'light', 1366, 768], ['zh', 'dark', 1366, 768], ['en', 'dark', 1920, 1080], ['zh', 'light', 1920, 1080]]
const variants = process.env.V ? all.filter((_, i) => process.env.V.includes(String(i))) : all
for (const [lang, scheme, width, height] of variants) {
	for (const [name, role, path, prepare, act] of PAGES) {
		if (only && !only.split(',').includes(name))
			continue
		const ctx = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: lang === 'zh' ? 'zh-CN' : 'en-GB' })
		const page = await ctx.newPage()
		page.on('pageerror', e => console.log(name, e.message))
		page.on('console', m => m.type() === 'error' && console.log(name, m.text()))
		await post('reset')
		await page.goto(`${base}/login`)
		if (role) {
			await page.click(`[data-role=${role}]`)
			await page.waitForURL(u => u.pathname !== '/login')
			await page.goto(base + path)
			await page.waitForTimeout(500)
			await prepare?.()
			await page.waitForTimeout(300)
			await act?.(page)
		}
		await page.waitForTimeout(900)
		await page.screenshot({ path: `${out}/${name}-${lang}-${scheme}-${width}.png` })
		await ctx.close()
	}
}
await browser.close()
