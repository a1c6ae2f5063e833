/*
 * The self-test: a real call to the echo number. Besides the browser's own figures it sends three short tones and
 * listens for them, so that the delay includes everything a caller's voice goes through.
 */
import { lossBetween, readStats, type Sample, type TestResult } from './stats'

export const TEST_MS = 6000
const TONE_HZ = 1000
const TONE_AT_MS = [1500, 3000, 4500]
const MIC_SILENT = 0.004

/** Power of one frequency among samples, relative to all power: 1 for a pure tone (Goertzel 1958). */
export function toneShare(samples: Float32Array, rateHz: number, hz: number): number {
	const c = 2 * Math.cos((2 * Math.PI * hz) / rateHz)
	let s1 = 0
	let s2 = 0
	let total = 0
	for (const x of samples) {
		const s0 = x + c * s1 - s2
		s2 = s1
		s1 = s0
		total += x * x
	}
	if (total < 1e-7)
		return 0
	const power = s1 * s1 + s2 * s2 - c * s1 * s2
	return Math.min(1, (2 * power) / (samples.length * total))
}

export function median(values: number[]): number | null {
	if (!values.length)
		return null
	const v = [...values].sort((a, b) => a - b)
	return v[Math.floor(v.length / 2)]!
}

/** What the caller of runTest places: the echo call, with our outgoing track. */
export interface EchoCall {
	pc: RTCPeerConnection
	remote: MediaStream
	hangup: () => void
}

export interface TestHooks {
	ctx: AudioContext
	mic: MediaStreamTrack
	micOk: boolean
	/** Places the call; rejects with the reason in words. */
	place: (track: MediaStreamTrack) => Promise<EchoCall>
	onStep: (step: 'call' | 'measure') => void
	onLevel: (level: number) => void
	stopped: () => boolean
}

const sleep = (ms: number) => new Promise(r => setTimeout(r, ms))

export async function runTest(h: TestHooks): Promise<TestResult> {
	const { ctx } = h
	const result: TestResult = { mic: h.micOk ? 'silent' : 'none', failed: '', received: 0, loss: null, rttMs: null, jitterMs: null, echoMs: null }
	const out = ctx.createMediaStreamDestination()
	const micSource = ctx.createMediaStreamSource(new MediaStream([h.mic]))
	const micGain = ctx.createGain()
	const micMeter = ctx.createAnalyser()
	micSource.connect(micMeter)
	micSource.connect(micGain).connect(out)
	let call: EchoCall
	try {
		h.onStep('call')
		call = await h.place(out.stream.getAudioTracks()[0]!)
	} catch (e) {
		micSource.disconnect()
		return { ...result, failed: (e as Error).message }
	}
	h.onStep('measure')
	const heard = ctx.createAnalyser()
	heard.fftSize = 1024
	// Chromium gives a remote stream to WebAudio only while an element plays it.
	const sink = new Audio()
	sink.srcObject = call.remote
	sink.muted = true
	void sink.play().catch(() => {})
	const remote = ctx.createMediaStreamSource(call.remote)
	remote.connect(heard)
	const micBuf = new Float32Array(micMeter.fftSize)
	const buf = new Float32Array(heard.fftSize)
	const start = performance.now()
	const delays: number[] = []
	let tone = 0
	let sentAt = 0
	let first: Sample | null = null
	let last: Sample | null = null
	while (performance.now() - start < TEST_MS && !h.stopped()) {
		const now = performance.now()
		micMeter.getFloatTimeDomainData(micBuf)
		const level = Math.sqrt(micBuf.reduce((s, v) => s + v * v, 0) / micBuf.length)
		h.onLevel(Math.min(1, level * 4))
		if (level > MIC_SILENT && h.micOk)
			result.mic = 'ok'
		if (tone < TONE_AT_MS.length && now - start >= TONE_AT_MS[tone]!) {
			micGain.gain.value = 0
			burst(ctx, out)
			sentAt = now
			tone++
		} else if (sentAt && now - sentAt > 1000) {
			sentAt = 0
			micGain.gain.value = 1
		}
		if (sentAt && now - sentAt > 5) {
			heard.getFloatTimeDomainData(buf)
			if (toneShare(buf.subarray(-480), ctx.sampleRate, TONE_HZ) > 0.6) {
				delays.push(now - sentAt)
				sentAt = 0
				micGain.gain.value = 1
			}
		}
		if (!last || now - last.atMs > 500) {
			last = readStats((await call.pc.getStats()).values(), now)
			first ??= last
		}
		await sleep(10)
	}
	last = readStats((await call.pc.getStats()).values(), performance.now())
	call.hangup()
	micSource.disconnect()
	remote.disconnect()
	sink.srcObject = null
	return {
		...result, received: last.received, loss: first ? lossBetween(first, last) : null,
		rttMs: last.rttMs, jitterMs: last.jitterMs, echoMs: median(delays),
	}
}

function burst(ctx: AudioContext, out: AudioNode) {
	const o = ctx.createOscillator()
	const g = ctx.createGain()
	o.frequency.value = TONE_HZ
	g.gain.value = 0.3
	o.connect(g).connect(out)
	o.start()
	o.stop(ctx.currentTime + 0.12)
}
