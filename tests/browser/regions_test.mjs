/* Where numbers are at home, with the real server: nothing imported, a table by the command while the server runs, one by the page, one row by hand. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { axe, equal, launch, ok, text, until } from './lib.mjs'
import { Centre, HUAWU, PASSWORD } from './server.mjs'

let centre
let browser
let page
const shots = process.env.SHOTS
const shot = async name => shots && await page.screenshot({ path: join(shots, `${name}.png`) })
const answer = () => text(page, '[data-answer]')
const ask = async (number, want) => {
	await page.fill('#region-try', number)
	await until(async () => (await answer()).includes(want), `${number} is not said to be of ${want}`)
}
/* Prefixes that nobody has. */
const table = '号段,省份,城市,区号,运营商\r\n1601234,广东,深圳,0755,移动\r\n16012,浙江,杭州,0571,电信\r\n13,北京,北京,010,联通\r\n'

export async function setup() {
	centre = await new Centre(7_800).seed().start()
	browser = await launch()
	page = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: 1366, height: 900 } })).newPage()
	await page.goto(`${centre.base}/login`)
	await page.fill('input[autocomplete=username]', 'boss')
	await page.fill('input[type=password]', PASSWORD)
	await page.keyboard.press('Enter')
	await page.waitForURL(u => u.pathname !== '/login')
	await page.goto(`${centre.base}/settings/number_prefixes`)
	await page.waitForSelector('[data-region]')
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}

export const tests = {
	'without a table the page says so, and a new range is unknown': async () => {
		await until(async () => (await text(page, '[data-region]')).includes('还没有导入号段表'), 'no word of the missing table')
		await ask('16012345678', '未知')
		await ask('13510000000', '广东省深圳市')
		await ask('95588', '中国工商银行')
		await ask('0571-88123456', '浙江省杭州市')
		await shot('regions-none')
	},
	'a compressed table comes in by the command while the server runs': async () => {
		const file = join(centre.dir, 'table.csv.gz')
		writeFileSync(file, gzipSync(table))
		const said = execFileSync(HUAWU, ['import-prefixes', file, '--data', centre.data], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
		ok(said.startsWith('imported=2 left_out=1 '), said) /* 13 is too short */
		await page.reload()
		await page.waitForSelector('tbody tr')
		equal(await page.locator('tbody tr').count(), 2, 'rows')
		await ask('16012345678', '广东深圳')
		ok((await answer()).includes('中国移动') && (await answer()).includes('1601234'), await answer())
		await ask('16012999999', '浙江杭州')
		await shot('regions-table')
		equal(await axe(page), [], 'axe')
	},
	'a file that is none is refused and changes nothing': async () => {
		const file = join(centre.dir, 'none.csv')
		for (const [what, content] of [['no column with prefixes', 'a,b\r\n1,2\r\n'], ['no row', '号段\r\nx\r\n'], ['not a sheet', Buffer.from([0xd0, 0xcf, 0x11, 0xe0])], ['', gzipSync(table).subarray(0, 40)]]) {
			writeFileSync(file, content)
			const r = spawnSync(HUAWU, ['import-prefixes', file, '--replace', '--data', centre.data], { encoding: 'utf8' })
			equal(r.status, 1, `${what}: ${r.stderr}`)
			ok(r.stderr.includes(what), r.stderr)
		}
		await ask('16012345678', '广东深圳')
	},
	'in English the place is named by its area code': async () => {
		await page.click('text=English')
		await ask('16012345678', 'Shenzhen, Guangdong')
		ok((await answer()).includes('China Mobile'), await answer())
		await shot('regions-en')
		await page.click('text=中文')
	},
	'a row changed in the page counts at once': async () => {
		await ask('16012345678', '广东深圳')
		await page.click('tbody tr >> text=1601234')
		const city = page.getByLabel('城市', { exact: true })
		await city.fill('东莞')
		await page.click('[data-act=save]')
		await until(async () => (await answer()).includes('广东东莞'), 'the answer is the old one')
	},
}
