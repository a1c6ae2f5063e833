/* Opus in a real browser, for a person who is set to it: both voices are heard, and the recording has each in its channel. */
import { equal, ok } from './lib.mjs'
import { BOTH, browserWithVoice, Caller, Centre, checkChannels, Desk, expectHeard, person, queue } from './server.mjs'

const FROM = '13800138009'
let centre
let browser
export async function setup() {
	centre = await new Centre(30_000).seed(queue('q1', '4001'), person(8001, 'q1', { browser_codec: 'opus' })).start()
	browser = await browserWithVoice(centre)
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}

export const tests = {
	'who is set to Opus speaks it, and the caller on A-law and the recording understand': async () => {
		const desk = await Desk.open(browser, centre, 8001)
		const caller = await Caller.call(centre, '4001', { from: FROM })
		await desk.scene('incoming')
		await desk.answer()
		await expectHeard(desk, caller, BOTH, 'after the answer')
		await desk.page.keyboard.press('F4')
		await caller.ended()
		const c = await centre.record(FROM)
		const codecs = c.legs.map(l => String(l.quality.codec).toLowerCase())
		ok(codecs.some(x => x.includes('opus')) && codecs.some(x => x.includes('pcma')), `the legs' codecs: ${codecs}`)
		checkChannels(await centre.sound(c.recordings[0]))
		equal(desk.errors, [], 'errors of the page')
	},
}
