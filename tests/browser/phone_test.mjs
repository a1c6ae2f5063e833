/* The telephone in the page, with real WebRTC: another page is the far end, the stand-in carries offer and answer. */
import { enter, equal, launch, ok, startMock, text, until } from './lib.mjs'

let mock
let browser
let ctx
let page
export async function setup() {
	mock = await startMock()
	browser = await launch()
}
export async function done() {
	await browser?.close()
	mock?.stop()
}
async function fresh(b = browser) {
	await ctx?.close()
	await mock.post('reset')
	ctx = await b.newContext({ locale: 'zh-CN' })
	page = await ctx.newPage()
	await enter(page, mock.base, 'agent')
	await mock.post('state', { state: 'ready' })
}
const up = p => p.waitForSelector('[data-act=phone][data-link=up]')

/* The far end: sends a 1 kHz tone, and tells what it hears. */
async function farEnd() {
	const far = await ctx.newPage()
	await far.goto(`${mock.base}/mock/log`) // not the page: it would be a second desk
	const sdp = await far.evaluate(async () => {
		await navigator.mediaDevices.getUserMedia({ audio: true }) // real addresses instead of mDNS names
		const ctx = new AudioContext()
		const o = ctx.createOscillator()
		o.frequency.value = 1000
		const d = ctx.createMediaStreamDestination()
		o.connect(d)
		o.start()
		const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
		window.pc = pc
		// Chromium counts energy only of sound that is played.
		pc.ontrack = e => { window.sink = new Audio(); window.sink.srcObject = e.streams[0]; void window.sink.play() }
		pc.addTrack(d.stream.getAudioTracks()[0], d.stream)
		await pc.setLocalDescription(await pc.createOffer())
		await new Promise(r => (pc.iceGatheringState === 'complete' ? r() : (pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && r())))
		return pc.localDescription.sdp
	})
	return { far, sdp }
}
async function ring(headers = {}) {
	const { far, sdp } = await farEnd()
	await page.bringToFront()
	await mock.post('incoming')
	await mock.post('invite', { sdp, headers: { 'X-Huawu-Call': 'c1', ...headers } })
	return far
}
async function join(far) {
	const { answer } = await until(async () => { const r = await mock.post('sdp'); return r.answer && r }, 'the answer', 10_000)
	await far.evaluate(sdp => window.pc.setRemoteDescription({ type: 'answer', sdp }), answer)
}
const packets = far => far.evaluate(async () => [...(await window.pc.getStats()).values()].find(s => s.type === 'inbound-rtp')?.packetsReceived ?? 0)
/* Energy that the far end has heard: above zero only if the microphone's beeps arrive. */
const energy = far => far.evaluate(async () => [...(await window.pc.getStats()).values()].find(s => s.type === 'inbound-rtp')?.totalAudioEnergy ?? 0)

export const tests = {
	'it registers by itself': async () => {
		await fresh()
		await up(page)
	},
	'Space answers; sound goes both ways; mute silences only us': async () => {
		await fresh()
		await up(page)
		const far = await ring()
		await page.waitForSelector('[data-card-act=answer]:not([disabled])')
		await page.keyboard.press('Space')
		await join(far)
		await page.waitForSelector('.bar[data-scene=call]')
		await until(async () => (await packets(far)) > 20 && (await energy(far)) > 0, 'the far end hears the microphone', 15_000)
		await page.waitForSelector('[data-act=mute]:not([disabled])')
		await page.keyboard.press('m')
		await page.waitForSelector('[data-act=mute][aria-pressed=true]')
		await new Promise(r => setTimeout(r, 500))
		const before = await energy(far)
		await new Promise(r => setTimeout(r, 1500))
		ok((await energy(far)) - before < 1e-4, `silence while muted, heard ${await energy(far) - before}`)
		await page.keyboard.press('F4')
		await page.waitForSelector('.bar[data-scene=wrapup]')
	},
	'auto-answer beeps and answers without a key': async () => {
		await fresh()
		await up(page)
		const far = await ring({ 'X-Huawu-Auto-Answer': '1' })
		await join(far)
		await page.waitForSelector('.bar[data-scene=call]')
	},
	'a reload in mid-call sends no BYE and comes back into the call at once': async () => {
		await fresh()
		await up(page)
		let far = await ring()
		await page.waitForSelector('[data-card-act=answer]:not([disabled])')
		await page.keyboard.press('F2')
		await join(far)
		await page.waitForSelector('.bar[data-scene=call]')
		await page.reload()
		await up(page)
		equal((await mock.post('log')).BYE, undefined, 'BYE sent')
		const again = await farEnd()
		await mock.post('invite', { sdp: again.sdp, headers: { 'X-Huawu-Call': 'c1', 'X-Huawu-Resume': '1' } })
		await join(again.far)
		await until(async () => (await packets(again.far)) > 10, 'sound after the reload', 15_000)
		equal(await page.locator('.bar[data-scene=call]').count(), 1)
	},
	'no sound arriving is said in words after three seconds, and taken back': async () => {
		await fresh()
		await up(page)
		const far = await ring()
		await page.waitForSelector('[data-card-act=answer]:not([disabled])')
		await page.keyboard.press('F2')
		await join(far)
		await page.waitForSelector('.bar[data-scene=call]')
		await until(async () => (await packets(far)) > 10, 'sound')
		await far.evaluate(() => window.pc.getSenders()[0].replaceTrack(null))
		await page.waitForSelector('[data-trouble=no_audio_in]', { timeout: 15_000 })
		ok((await text(page, '[data-trouble=no_audio_in]')).includes('没有收到对方的声音'), 'in words')
	},
	'a second tab says where the telephone is, and takes it over': async () => {
		await fresh()
		await up(page)
		const second = await ctx.newPage()
		await second.goto(`${mock.base}/desk`)
		await second.waitForSelector('[data-trouble=other]')
		await second.click('[data-trouble=other] button')
		await up(second)
		await page.waitForSelector('[data-trouble=other]')
	},
	'closing the tab with the telephone gives it to the other': async () => {
		await fresh()
		await up(page)
		const second = await ctx.newPage()
		await second.goto(`${mock.base}/desk`)
		await second.waitForSelector('[data-trouble=other]')
		await page.close()
		await up(second)
	},
	'a refused microphone is named, with what helps; the call still comes and is heard': async () => {
		const deaf = await launch({ mic: false })
		try {
			await fresh(deaf)
			await page.waitForSelector('[data-trouble=mic_refused]')
			ok((await text(page, '[data-trouble=mic_refused]')).includes('允许'), 'says what to do')
			await up(page)
		} finally {
			await ctx.close()
			ctx = null
			await deaf.close()
		}
	},
	'a lost line counts down and comes back': async () => {
		await fresh()
		await up(page)
		await mock.post('restart')
		await page.waitForSelector('[data-trouble=lost]')
		await up(page)
		await page.waitForSelector('[data-trouble=lost]', { state: 'detached' })
	},
}
