/* https by address from another computer (a network namespace), with the centre's own CA trusted and no certificate error ignored. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { axe, equal, ok, text } from './lib.mjs'
import { BOTH, browserWithVoice, Caller, Centre, Desk, expectHeard, HUAWU, person, queue } from './server.mjs'

const NS = `huawu-e2e-${process.pid}`
const [HOST, GUEST] = ['10.99.77.1', '10.99.77.2']
const ip = (...args) => execFileSync('ip', args, { stdio: 'pipe' })
let safe
let plain
let browser
let why = ''

function network() {
	const [a, b] = [`hw${process.pid}a`, `hw${process.pid}b`]
	ip('netns', 'add', NS)
	ip('link', 'add', a, 'type', 'veth', 'peer', 'name', b, 'netns', NS)
	ip('addr', 'add', `${HOST}/30`, 'dev', a)
	/* No other address may appear later: to the browser that is a changed network. */
	ip('link', 'set', a, 'addrgenmode', 'none', 'up')
	for (const args of [['addr', 'add', `${GUEST}/30`, 'dev', b], ['link', 'set', b, 'addrgenmode', 'none', 'up'], ['link', 'set', 'lo', 'up']])
		ip('-n', NS, ...args)
}
function program(name, home) {
	const path = join(safe.dir, name)
	mkdirSync(home, { recursive: true })
	writeFileSync(path, `#!/bin/sh\nHOME=${home} exec ip netns exec ${NS} ${process.env.CHROMIUM ?? '/usr/bin/chromium'} "$@"\n`)
	chmodSync(path, 0o755)
	return path
}
/* Chromium inside the namespace, with a home of its own whose certificate store trusts the centre's CA. */
function guestBrowser(ca) {
	const home = join(safe.dir, 'home')
	const store = join(home, '.pki/nssdb')
	mkdirSync(store, { recursive: true })
	execFileSync('certutil', ['-d', `sql:${store}`, '-N', '--empty-password'], { stdio: 'pipe' })
	execFileSync('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'huawu', '-i', ca], { stdio: 'pipe' })
	return browserWithVoice(safe, { program: program('guest', home) })
}
export async function setup() {
	try {
		network()
	} catch (e) {
		why = `no network namespace can be made here: ${String(e.stderr ?? e.message).trim()}`
		return
	}
	safe = new Centre(20_000, { host: HOST, secure: true })
	const keys = join(safe.dir, 'cert')
	execFileSync(HUAWU, ['cert', '--dir', keys, '--name', HOST], { stdio: 'pipe' })
	safe.args.push('--cert', join(keys, 'cert.pem'), '--key', join(keys, 'key.pem'))
	await safe.seed(queue('q1', '4001'), person(8001, 'q1')).start()
	plain = await new Centre(19_000, { host: HOST }).seed(queue('q1', '4001'), person(8001, 'q1')).start()
	browser = await guestBrowser(join(keys, 'ca.pem'))
}
export async function done() {
	await browser?.close()
	await safe?.stop()
	await plain?.stop()
	if (!why)
		ip('netns', 'del', NS)
}
const maybe = test => async () => why ? { skipped: why } : test()

export const tests = {
	'by https and address the microphone works, and both hear each other': maybe(async () => {
		const desk = await Desk.open(browser, safe, 8001)
		equal(await desk.page.evaluate(() => window.isSecureContext), true)
		equal(await desk.page.locator('[data-trouble]').count(), 0, 'troubles')
		const ca = await desk.tab()
		await ca.goto(`${safe.base}/ca`)
		equal(await axe(ca), [], '/ca')
		await ca.close()
		const caller = await Caller.call(safe, '4001')
		await desk.scene('incoming')
		await desk.answer()
		await expectHeard(desk, caller, BOTH, 'over the network')
		await desk.page.keyboard.press('F4')
		await caller.ended()
		await desk.close()
	}),
	'by plain http the page says in words why there is no microphone, and the agent still hears': maybe(async () => {
		const ctx = await browser.newContext({ locale: 'zh-CN' })
		const page = await ctx.newPage()
		await page.goto(`${plain.base}/login`)
		const note = await text(page, '.insecure')
		ok(note.includes('https') && note.includes('麦克风'), `the note: ${note}`)
		await page.goto(`${plain.base}/ca`)
		ok((await text(page, 'body')).includes('huawu cert'), 'without a CA the page says what to do')
		await ctx.close()
		const desk = await Desk.open(browser, plain, 8001)
		ok((await text(desk.page, '[data-trouble=mic_insecure]')).includes('https'), 'the desk says it too')
		await desk.shot('plain-http')
		const caller = await Caller.call(plain, '4001')
		await desk.scene('incoming')
		await desk.answer()
		await expectHeard(desk, caller, { page: true, caller: false }, 'without a microphone')
		await caller.hangUp()
		await desk.close()
	}),
	'without the CA the browser refuses': maybe(async () => {
		const stranger = await browserWithVoice(safe, { program: program('stranger', join(safe.dir, 'bare')) })
		try {
			const page = await stranger.newPage()
			const refused = await page.goto(safe.base).then(() => '', e => e.message)
			ok(refused.includes('ERR_CERT_AUTHORITY_INVALID'), `it said: ${refused}`)
		} finally {
			await stranger.close()
		}
	}),
}
