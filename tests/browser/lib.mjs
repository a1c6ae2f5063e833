/* What the browser tests share: Chromium, the page's stand-in server, log-in, the accessibility check. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const WEB = fileURLToPath(new URL('../../web/', import.meta.url))
const require = createRequire(join(WEB, 'package.json'))
const { chromium } = require('playwright-core')
export const { AxeBuilder } = require('@axe-core/playwright')

const FLAGS = [
	'--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
	'--allow-loopback-in-peer-connection', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required',
]

/** A browser of its own. @mic false: nobody answers the question for the microphone with yes. @args: further flags. @program: what starts Chromium */
export function launch({ mic = true, args = [], program = process.env.CHROMIUM ?? '/usr/bin/chromium' } = {}) {
	return chromium.launch({ executablePath: program, args: [...FLAGS, ...(mic ? ['--use-fake-ui-for-media-stream'] : ['--deny-permission-prompts']), ...args] })
}

/** Starts the stand-in on a port of the kernel's; { base, post(path, body), stop() }. */
export async function startMock() {
	const child = spawn(process.execPath, [join(WEB, 'dev/mock.mjs'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
	const base = await new Promise((done, fail) => {
		child.stdout.on('data', d => {
			const m = /listening (\S+)/.exec(String(d))
			if (m)
				done(m[1])
		})
		child.on('exit', code => fail(new Error(`mock ended with ${code}`)))
	})
	const post = async (path, body = {}) => (await fetch(`${base}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) })).json()
	return { base, post, stop: () => child.kill() }
}

export async function enter(page, base, role, path = '/') {
	await page.goto(`${base}/login`)
	await page.click(`[data-role=${role}]`)
	await page.waitForURL(u => u.pathname !== '/login')
	if (path !== '/')
		await page.goto(base + path)
	await page.waitForSelector('.conn.open')
}

/** The serious and critical findings of axe (of those @rules only, when there are any), as lines; empty when there are none. */
export async function axe(page, rules) {
	const look = new AxeBuilder({ page })
	const r = await (rules ? look.withRules(rules) : look.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])).analyze()
	return r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
		.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')} ${n.any[0]?.message ?? n.all[0]?.message ?? ''}`.slice(0, 300)))
}

export function equal(got, want, what = '') {
	const [a, b] = [JSON.stringify(got), JSON.stringify(want)]
	if (a !== b)
		throw new Error(`${what} is ${a}, wanted ${b}`)
}
export function ok(condition, what) {
	if (!condition)
		throw new Error(what)
}
/* Times are for an idle machine; a busy one is waited for longer. Only failures take their time. */
export const PATIENCE = 3
/** Asks @f until it gives something true. */
export async function until(f, what, ms = 8000) {
	const end = Date.now() + ms * PATIENCE
	for (;;) {
		const v = await f()
		if (v)
			return v
		if (Date.now() > end)
			throw new Error(`waited ${ms * PATIENCE} ms in vain: ${typeof what === 'function' ? what() : what}`)
		await new Promise(r => setTimeout(r, 50))
	}
}
export const text = (page, selector) => page.locator(selector).first().innerText()
export const scratch = () => {
	const dir = mkdtempSync(join(tmpdir(), 'huawu-browser-'))
	return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}
