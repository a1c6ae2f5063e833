import { enter, launch } from './lib.mjs'
const base = process.env.BASE
const dir = '/tmp/sales_shots/'
const which = process.argv.slice(2)
const browser = await launch()
for (const [lang, w, h] of [['zh-CN', 1440, 900], ['en-GB', 1440, 900], ['zh-CN', 900, 800]]) {
	const tag = `${lang.slice(0, 2)}${w}`
	if (process.env.TAGS && !process.env.TAGS.split(',').includes(tag)) continue
	for (const role of ['agent', 'supervisor']) {
		const ctx = await browser.newContext({ locale: lang, viewport: { width: w, height: h } })
		const page = await ctx.newPage()
		page.on('pageerror', e => console.log('PAGEERROR', role, e.message))
		page.on('console', m => m.type() === 'error' && console.log('CONSOLE', role, m.text()))
		await enter(page, base, role)
		for (const p of ['/', '/todos', '/visits', '/visits?tab=again', '/deals', '/deals?tab=follow', '/goals', '/sales']) {
			const name = `${tag}_${role}_${p.replace(/[/?=]/g, '_')}`
			if (which.length && !which.some(x => name.includes(x))) continue
			await page.goto(base + p)
			await page.waitForSelector('.conn.open')
			await page.waitForTimeout(1500)
			await page.screenshot({ path: `${dir}${name}.png` })
		}
		if (!which.length || which.some(x => `${tag}_${role}_customer`.includes(x))) {
			await page.goto(base + '/customers?tab=mine')
			await page.waitForTimeout(1200)
			const id = await page.evaluate(async () => (await (await fetch('/api/v1/visits?limit=1&sort=-at_ms')).json()).items[0].customer_id)
			await page.goto(`${base}/customers/${id}`)
			await page.waitForTimeout(1500)
			await page.screenshot({ path: `${dir}${tag}_${role}_customer.png` })
			if (await page.locator('[data-act=invite]').count()) {
				await page.click('[data-act=invite]')
				await page.waitForTimeout(800)
				await page.screenshot({ path: `${dir}${tag}_${role}_customer_invite.png` })
				await page.keyboard.press('Escape')
				await page.waitForTimeout(400)
				await page.locator('[data-item=visit] .link').first().click()
				await page.waitForTimeout(900)
				await page.screenshot({ path: `${dir}${tag}_${role}_customer_visit.png` })
				await page.keyboard.press('Escape')
				await page.waitForTimeout(400)
				await page.click('[data-act=deal]')
				await page.waitForTimeout(900)
				await page.screenshot({ path: `${dir}${tag}_${role}_customer_deal.png` })
			}
		}
		await ctx.close()
	}
}
await browser.close()
