/* The first call: a caller rings the centre, an agent answers in a real browser, and what they said stands in the records. */
import { equal, ok, text, until } from './lib.mjs'
import { BOTH, browserWithVoice, Caller, CALLER_HZ, Centre, checkChannels, Desk, expectHeard, listenBoth, MIC_HZ, person, queue } from './server.mjs'

const QUEUE = '售前(示例)'
const FROM = '13800138000'
let centre
let browser
let desk
export async function setup() {
	centre = await new Centre(26_000).seed(queue(QUEUE, '4001', { ring_s: 5 }), person(8001, QUEUE), person(8002, QUEUE)).start()
	browser = await browserWithVoice(centre)
	desk = await Desk.open(browser, centre, 8001)
}
export async function done() {
	await browser?.close()
	await centre?.stop()
}
const seconds = s => s.split(':').reduce((a, b) => a * 60 + Number(b), 0)

export const tests = {
	'a call rings in the page, is answered by a click, and both hear each other': async () => {
		const caller = await Caller.call(centre, '4001', { from: FROM })
		await desk.scene('incoming')
		equal(await text(desk.page, '[data-who]'), '138 0013 8000')
		await desk.page.waitForSelector('[data-pop-new]')
		const card = await text(desk.page, '[data-card=call]')
		ok(card.includes('新来电') && card.includes(QUEUE), `the card: ${card}`)
		ok((await text(desk.page, '[data-contacts]')).includes('第一次来电'), 'nothing was before')
		await desk.shot('incoming')
		await desk.answer()
		await expectHeard(desk, caller, BOTH, 'after the answer')
		await desk.shot('call')
		await desk.page.click('[data-act=hangup]')
		await caller.ended()
		await desk.scene('wrapup')
		const left = () => text(desk.page, '[data-card=call] .timer').then(seconds)
		const first = await left()
		ok(first > 20 && first <= 30, `${first} s of wrap-up`)
		await until(async () => (await left()) <= first - 2, 'the countdown')
		await desk.shot('wrapup')
		await desk.page.click('[data-act=wrap-extend]')
		await until(async () => (await left()) > 45, '30 s more')
		await desk.page.click('[data-act=wrap-end]')
		await desk.scene('ready')
	},
	'its record has segments, offer with reasons, qualities, and each voice in its own channel': async () => {
		const c = await centre.record(FROM)
		equal([c.dir, c.answered, c.by, c.queue, c.agent], ['in', true, 'agent', QUEUE, '坐席8001(示例)'])
		equal(c.segments.map(s => s.type), ['queue', 'ring', 'talk'].filter(t => t !== 'queue' || c.segments[0].type === 'queue'))
		c.segments.forEach((s, i) => i && equal(s.start_ms, c.segments[i - 1].end_ms, 'no gap between segments'))
		equal(c.segments.at(-1).end_ms, c.end_ms)
		ok(c.segments[0].start_ms - c.start_ms >= 0 && c.segments[0].start_ms - c.start_ms < 2000, 'the first segment begins with the call')
		equal(c.offers.map(o => o.outcome), ['answered'])
		equal(c.offers[0].why.winner.agent ?? c.offers[0].why.winner, c.offers[0].agent_id, 'the reasons name the winner')
		for (const l of c.legs)
			ok(l.quality.rx > 40 && l.quality.lost === 0 && l.quality.mos > 4 && !(l.quality.rtt_ms < 0), `quality ${JSON.stringify(l)}`)
		equal(c.recordings.length, 1)
		const r = c.recordings[0]
		equal([r.state, r.missing_ms], ['closed', 0])
		ok(Math.abs(r.dur_ms - c.talk_ms) < 300, `recorded ${r.dur_ms} of ${c.talk_ms} ms`)
		checkChannels(await centre.sound(r))
	},
	'the record opens in the page, plays each voice in its ear, and seeks': async () => {
		const p = desk.page
		await p.click('nav a[href="/calls"]')
		await p.click('tbody tr >> nth=0')
		await p.waitForSelector('canvas[data-drawn=true]')
		await desk.shot('record')
		await p.click('.player [data-act=play]')
		const at = () => p.locator('.wave').getAttribute('aria-valuenow').then(Number)
		const hear = channel => p.evaluate(([hz, ch]) => window.tap.listen(hz, 700, ch), [[CALLER_HZ, MIC_HZ], channel])
		const left = await hear(0)
		const right = await hear(1)
		ok(left[0] > 0.1 && left[1] < 0.02, `left ear ${left}`)
		ok(right[1] > 0.1 && right[0] < 0.02, `right ear ${right}`)
		await p.click('.player [data-act=play]')
		const total = Number(await p.locator('.wave').getAttribute('aria-valuemax'))
		await p.locator('.wave').click({ position: { x: 2, y: 60 } })
		await until(async () => (await at()) === 0, 'back at the start')
		const box = await p.locator('.wave').boundingBox()
		await p.locator('.wave').click({ position: { x: box.width * 0.8, y: 60 } })
		await until(async () => Math.abs((await at()) - total * 0.8) <= 1, 'seek to four fifths')
		equal(await p.evaluate(() => window.tap.audios.filter(a => a.error).length), 0, 'errors of playing')
		await desk.home()
	},
	'past calls stand there before the answer; hold, resume, mute and digits do what they say': async () => {
		await desk.home()
		const caller = await Caller.call(centre, '4001', { from: FROM })
		await desk.scene('incoming')
		await until(() => desk.page.locator('[data-contacts] [data-contact]').count(), 'the past call')
		equal(await desk.page.locator('.bar[data-state=ringing]').count(), 1, 'still ringing')
		await desk.shot('incoming-known')
		await desk.page.keyboard.press('Space')
		await desk.scene('call')
		await expectHeard(desk, caller, BOTH, 'after Space')

		await desk.page.keyboard.press('F9')
		await desk.page.waitForSelector('[data-act=hold][aria-pressed=true]')
		const held = await expectHeard(desk, caller, { page: false, caller: false }, 'on hold')
		ok(held.caller.rms > 200, `the caller hears music: ${JSON.stringify(held)}`)
		await desk.shot('held')
		await desk.page.click('[data-act=hold]')
		await desk.page.waitForSelector('[data-act=hold][aria-pressed=false]')
		await expectHeard(desk, caller, BOTH, 'resumed')

		await desk.page.keyboard.press('m')
		await expectHeard(desk, caller, { page: true, caller: false }, 'muted')
		await desk.page.keyboard.press('m')
		await expectHeard(desk, caller, BOTH, 'no longer muted')

		await desk.page.keyboard.type('159#')
		await until(() => caller.voice.digits === '159#', () => `digits, got ${caller.voice.digits}`)
		await caller.hangUp()
		await desk.scene('wrapup')
		const c = await centre.record(FROM, x => x.end_ms && x.by === 'customer')
		equal(c.segments.map(s => s.type).filter(t => t === 'talk' || t === 'hold'), ['talk', 'hold', 'talk'])
		equal(c.recordings.map(r => r.state), ['closed', 'closed'], 'a part before and one after the hold')
		for (const r of c.recordings)
			checkChannels(await centre.sound(r))
		await desk.page.keyboard.press('F10')
		await desk.scene('ready')
	},
	'who lets it ring out is "not answering", and the next agent gets the call': async () => {
		await desk.home()
		const second = await Desk.open(browser, centre, 8002)
		const caller = await Caller.call(centre, '4001', { from: '13800138001' })
		const [late, next] = await until(async () => {
			for (const [a, b] of [[desk, second], [second, desk]])
				if (await a.page.locator('.bar[data-scene=incoming]').count())
					return [a, b]
		}, 'somebody is rung')
		await late.scene('noanswer', 9000)
		await late.shot('noanswer')
		await next.scene('incoming')
		await next.answer()
		await expectHeard(next, caller, BOTH, 'the next agent')
		await next.page.keyboard.press('F4')
		await caller.ended()
		const c = await centre.record('13800138001')
		equal(c.offers.map(o => o.outcome), ['timeout', 'answered'])
		ok(Math.abs(c.offers[0].end_ms - c.offers[0].start_ms - 5000) < 100, 'rang for 5 s')
		await late.ready()
		await second.close()
	},
	'nothing went wrong in the page': () => equal(desk.errors, []),
}
