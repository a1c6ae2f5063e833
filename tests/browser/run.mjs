#!/usr/bin/env node
/*
 * Runs every *_test.mjs here, or those whose name holds one of the words given:
 *
 *   node tests/browser/run.mjs [WORD...]
 *
 * A test file exports `tests`, { claim: async function }, and may export setup() and done().
 * A test that cannot run here answers { skipped: why }.
 */
import { readdirSync } from 'node:fs'

const LIMIT_MS = 180_000
const words = process.argv.slice(2)
const files = readdirSync(new URL('.', import.meta.url)).filter(f => f.endsWith('_test.mjs') && (!words.length || words.some(w => f.includes(w)))).sort()
let passed = 0
let failed = 0
let left = 0
let through = false
process.on('exit', () => { if (!through) process.exitCode = 1 }) /* a test that ends the process does not pass */

function limited(run) {
	let timer
	const late = new Promise((_, fail) => (timer = setTimeout(() => fail(new Error(`took longer than ${LIMIT_MS} ms`)), LIMIT_MS)))
	return Promise.race([run(), late]).finally(() => clearTimeout(timer))
}
for (const file of files) {
	const m = await import(new URL(file, import.meta.url))
	try {
		await m.setup?.()
		for (const [claim, run] of Object.entries(m.tests)) {
			const start = Date.now()
			try {
				const skipped = (await limited(run))?.skipped
				if (skipped) {
					left++
					console.log(`skipped ${file}: ${claim}: ${skipped}`)
					continue
				}
				passed++
				console.log(`ok      ${file}: ${claim} (${Date.now() - start} ms)`)
			} catch (e) {
				failed++
				const line = new RegExp(`${file}:(\\d+)`).exec(e.stack ?? '')?.[1] ?? ''
				console.log(`FAILED  ${file}:${line} ${claim}\n        ${String(e.message ?? e).replaceAll('\n', '\n        ')}`)
			}
		}
	} catch (e) {
		failed++
		console.log(`FAILED  ${file}: setup: ${e.message}`)
	} finally {
		await m.done?.()
	}
}
through = true
console.log(`${passed} passed, ${failed} failed${left ? `, ${left} skipped` : ''}`)
process.exit(failed ? 1 : 0)
