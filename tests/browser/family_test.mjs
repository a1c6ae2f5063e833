/* The page's telephone over wss, by IPv4 and by IPv6, from another host (a network namespace whose only addresses are these). */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { equal, ok, until } from './lib.mjs'
import { BOTH, browserWithVoice, Caller, Centre, Desk, expectHeard, HUAWU, person, queue } from './server.mjs'

const NS = `huawu-fam-${process.pid}`
const FAMILIES = [
	{ name: 'IPv4', host: '10.99.78.1', guest: '10.99.78.2', bits: 30, port: 28_000 },
	{ name: 'IPv6', host: 'fd99:78::1', guest: 'fd99:78::2', bits: 126, port: 29_000 },
]
const ip = (...args) => execFileSync('ip', args, { stdio: 'pipe' })
let why = ''

function network() {
	const [a, b] = [`hf${process.pid}a`, `hf${process.pid}b`]
	ip('netns', 'add', NS)
	ip('link', 'add', a, 'type', 'veth', 'peer', 'name', b, 'netns', NS)
	/* No addresses but ours: one that appears later is a changed network to the browser, which then cuts what it has. */
	ip('link', 'set', a, 'addrgenmode', 'none', 'up')
	for (const args of [['link', 'set', b, 'addrgenmode', 'none', 'up'], ['link', 'set', 'lo', 'up']])
		ip('-n', NS, ...args)
	for (const f of FAMILIES) {
		const nodad = f.name === 'IPv6' ? ['nodad'] : []
		ip('addr', 'add', `${f.host}/${f.bits}`, 'dev', a, ...nodad)
		ip('-n', NS, 'addr', 'add', `${f.guest}/${f.bits}`, 'dev', b, ...nodad)
	}
}
/* Chromium inside the namespace, with a home of its own whose certificate store trusts the centre's CA. */
function guestBrowser(centre, ca) {
	const home = join(centre.dir, 'home')
	const store = join(home, '.pki/nssdb')
	const program = join(centre.dir, 'guest')
	mkdirSync(store, { recursive: true })
	execFileSync('certutil', ['-d', `sql:${store}`, '-N', '--empty-password'], { stdio: 'pipe' })
	execFileSync('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'huawu', '-i', ca], { stdio: 'pipe' })
	writeFileSync(program, `#!/bin/sh\nHOME=${home} exec ip netns exec ${NS} ${process.env.CHROMIUM ?? '/usr/bin/chromium'} "$@"\n`)
	chmodSync(program, 0o755)
	return browserWithVoice(centre, { program })
}
export function setup() {
	try {
		network()
	} catch (e) {
		why = `no network namespace can be made here: ${String(e.stderr ?? e.message).trim()}`
	}
}
export function done() {
	if (!why)
		ip('netns', 'del', NS)
}

async function calls(f) {
	const host = f.host.includes(':') ? `[${f.host}]` : f.host
	const centre = new Centre(f.port, { host, secure: true })
	const keys = join(centre.dir, 'cert')
	let browser
	execFileSync(HUAWU, ['cert', '--dir', keys, '--name', f.host], { stdio: 'pipe' })
	centre.args.push('--cert', join(keys, 'cert.pem'), '--key', join(keys, 'key.pem'))
	try {
		await centre.seed(queue('q1', '4001', { wrapup_s: 0 }), person(8001, 'q1')).start()
		browser = await guestBrowser(centre, join(keys, 'ca.pem'))
		const desk = await Desk.open(browser, centre, 8001)
		ok(centre.log().includes('device=w') && /transport=wss/.test(centre.log()), 'registered over wss')

		const caller = await Caller.call(centre, '4001')
		await desk.scene('incoming')
		await desk.answer()
		await expectHeard(desk, caller, BOTH, 'a call in')
		await desk.page.keyboard.press('F9')
		await desk.page.waitForSelector('[data-act=hold][aria-pressed=true]')
		await expectHeard(desk, caller, { page: false, caller: false }, 'on hold')
		await desk.page.click('[data-act=hold]')
		await expectHeard(desk, caller, BOTH, 'resumed')
		await desk.page.keyboard.type('5#')
		await until(() => caller.voice.digits === '5#', () => `digits, got ${caller.voice.digits}`)
		await desk.page.keyboard.press('F4')
		await caller.ended()
		await desk.scene('ready')

		const second = await Caller.call(centre, '4001')
		await desk.scene('incoming')
		await desk.answer()
		await expectHeard(desk, second, BOTH, 'another call in')
		await second.hangUp()
		await desk.scene('ready')

		const carrier = await Caller.carrier(centre, 500)
		await desk.page.keyboard.press('/')
		await desk.page.waitForFunction(() => document.activeElement?.tagName === 'INPUT')
		await desk.page.keyboard.type('13900139000')
		await desk.page.keyboard.press('Enter')
		await carrier.answered()
		await expectHeard(desk, carrier, BOTH, 'a call out')
		await desk.page.keyboard.press('F4')
		await carrier.ended()
		equal(desk.errors, [], 'errors of the page')
	} finally {
		await browser?.close()
		await centre.stop()
	}
}

export const tests = Object.fromEntries(FAMILIES.map(f => [`over wss and ${f.name}: calls in and out, hold, digits, either side hangs up`,
	async () => why ? { skipped: why } : calls(f)]))
