/* A trunk's page of numbers with the real server behind it and SIPp as the carrier: the preset, the try-it box, the test call. */
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Caller, Centre, PASSWORD } from './server.mjs'

let centre
let browser
let page
export async function setup() {
	centre = await new Centre(27_800).seed().start()
	browser = await launch()
	const ctx = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 900 } })
	page = await ctx.newPage()
	await page.goto(`${centre.base}/login`)
	await page.fill('input[autocomplete=username]', 'boss')
	await page.fill('input[type=password]', PASSWORD)
	await page.keyboard.press('Enter')
	await page.waitForURL(u => u.pathname !== '/login')
	await page.goto(`${centre.base}/settings/trunks`)
	await page.click('tbody tr .open >> nth=0')
	await page.click('[data-act=numbers]')
	await page.waitForSelector('#n-preset option[value=local]', { state: 'attached' })
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
const sent = name => text(page, `[data-sent="${name}"]`)
const tries = async (number, check, what) => {
	await page.fill('#t-number', number)
	await until(async () => (await page.locator('[data-result]').count()) && await check(), what)
}

export const tests = {
	'a preset shows at once what a number becomes, before it is saved': async () => {
		await page.selectOption('#n-preset', 'local')
		await page.fill('#n-area', '021')
		await tries('135 1000 0000', async () => (await sent('INVITE')).startsWith('sip:013510000000@'), 'a mobile of Shenzhen has a 0 in Shanghai')
		await tries('（021）62345678', async () => (await sent('INVITE')).startsWith('sip:62345678@'), 'a number of the place')
		await page.selectOption('#n-preset', 'ims')
		await until(async () => (await sent('From')).startsWith('<sip:+862155550000@'), 'our number with +86')
		equal(await sent('P-Asserted-Identity'), await sent('From'))
		await tries('00852 21234567', async () => (await page.locator('[data-allowed=false]').count()) === 1, 'abroad is closed')
		ok((await text(page, '[data-result]')).includes('没有开通国际及港澳台长途'), 'a sentence')
		equal((await (await centre.api('boss')).get('/number_forms')).total, 0, 'nothing is saved yet')
	},
	'a detail changed makes the form custom, and it is saved': async () => {
		await page.click('summary')
		await page.check('text=带 Remote-Party-ID')
		equal(await page.inputValue('#n-preset'), 'custom')
		await page.click('[data-part=form] [data-act=save]')
		await until(async () => (await (await centre.api('boss')).get('/number_forms')).items[0]?.rpid === true, 'saved')
	},
	'a test call lists each answer of the carrier': async () => {
		const carrier = await Caller.carrier(centre, 500)
		await page.fill('#c-number', '13900139000')
		await page.selectOption('#c-s', '10')
		await page.click('[data-act=test]')
		await page.waitForSelector('.log li[data-code="183"]')
		await page.waitForSelector('.log li[data-code="200"]')
		ok((await text(page, '.log')).includes('+8613900139000'), 'what was sent')
		await page.click('[data-act=test-end]')
		await page.waitForSelector('[data-act=test]')
		await carrier.ended()
		ok((await text(page, '.log li >> nth=-1')).includes('我方挂断'), 'the end')
	},
	'it is accessible and speaks English': async () => {
		equal(await axe(page), [])
		await page.click('text=English')
		await page.waitForSelector('text=Test call')
		equal(await axe(page), [])
	},
}
