import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoffMs } from '@/phone/backoff'
import { deviceChange, labelOf, micTrouble, pick, realDevices, type Device } from '@/phone/devices'
import { median, toneShare } from '@/phone/selftest'
import { PatientSocket } from '@/phone/socket'
import { ArrivalWatch, lossBetween, readStats, verdict, type Sample, type TestResult } from '@/phone/stats'
import { holdTab, type TabState } from '@/phone/tab'

describe('back-off', () => {
	it('doubles to fifteen seconds and spreads by 30 %', () => {
		expect([0, 1, 2, 3, 4, 5, 20].map(n => backoffMs(n, () => 0.5))).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000])
		expect(backoffMs(0, () => 0)).toBe(350)
		expect(backoffMs(9, () => 1)).toBe(19500)
	})
})

const dev = (kind: string, deviceId: string, label = deviceId, groupId = ''): Device => ({ kind, deviceId, label, groupId })
const laptop = [dev('audioinput', 'default', 'Default - Built-in', 'g1'), dev('audioinput', 'in1', 'Built-in', 'g1'), dev('audiooutput', 'default', 'Default - Speakers', 'g1'), dev('audiooutput', 'out1', 'Speakers', 'g1')]
const headset = [dev('audioinput', 'default', 'Default - Headset', 'g2'), dev('audioinput', 'in1', 'Built-in', 'g1'), dev('audioinput', 'in2', 'Headset', 'g2'), dev('audiooutput', 'default', 'Default - Headset', 'g2'), dev('audiooutput', 'out1', 'Speakers', 'g1'), dev('audiooutput', 'out2', 'Headset', 'g2')]

describe('devices', () => {
	it('does not offer aliases as devices', () => expect(realDevices(headset, 'audioinput').map(d => d.deviceId)).toEqual(['in1', 'in2']))
	it('takes the wanted device, else the default', () => {
		expect(pick(headset, 'audioinput', 'in2')).toBe('in2')
		expect(pick(laptop, 'audioinput', 'in2')).toBe('')
	})
	it('says what the default really is', () => expect(labelOf(headset, 'audioinput', '')).toBe('Headset'))
	it('headset pulled: moves and says where to', () => expect(deviceChange(headset, laptop, '', '')).toEqual({ code: 'mic_moved', label: 'Built-in' }))
	it('the wanted headset pulled: moves to the default', () => expect(deviceChange(headset, laptop, 'in2', 'out2')).toEqual({ code: 'mic_moved', label: 'Built-in' }))
	it('headset plugged in', () => expect(deviceChange(laptop, headset, '', '')).toEqual({ code: 'mic_back', label: 'Headset' }))
	it('the last microphone gone', () => expect(deviceChange(laptop, laptop.slice(2), '', '')).toEqual({ code: 'mic_lost' }))
	it('nothing that concerns us', () => expect(deviceChange(laptop, [...laptop, dev('videoinput', 'cam')], '', '')).toBeNull())
	it('only the earpiece changed', () => {
		const after = [...laptop.slice(0, 2), dev('audiooutput', 'default', 'Default - TV', 'g3'), dev('audiooutput', 'out3', 'TV', 'g3')]
		expect(deviceChange(laptop, after, '', '')).toEqual({ code: 'speaker_moved', label: 'TV' })
	})
	it('puts the browser’s errors into our words', () => {
		expect(micTrouble({ name: 'NotAllowedError' })).toBe('mic_refused')
		expect(micTrouble({ name: 'NotFoundError' })).toBe('mic_none')
		expect(micTrouble({ name: 'NotReadableError' })).toBe('mic_busy')
	})
})

const sample = (atMs: number, received: number, lost = 0): Sample => ({ atMs, received, lost, jitterMs: null, rttMs: null })

describe('statistics', () => {
	it('reads what the browser reports, the pair’s round trip when RTCP has none', () => {
		const s = readStats([
			{ type: 'inbound-rtp', kind: 'audio', packetsReceived: 100, packetsLost: 2, jitter: 0.004 },
			{ type: 'inbound-rtp', kind: 'video', packetsReceived: 9 },
			{ type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.02 },
		], 7)
		expect(s).toEqual({ atMs: 7, received: 100, lost: 2, jitterMs: 4, rttMs: 20 })
	})
	it('loss is of what was due between two samples', () => {
		expect(lossBetween(sample(0, 100, 5), sample(1, 195, 10))).toBe(0.05)
		expect(lossBetween(sample(0, 100), sample(1, 100))).toBeNull()
	})
	it('notices three seconds without a packet, and its end', () => {
		const w = new ArrivalWatch(0)
		expect(w.feed(sample(1000, 50), false)).toBe(0)
		expect(w.feed(sample(3900, 50), false)).toBe(0)
		expect(w.feed(sample(4000, 50), false)).toBe(3000)
		expect(w.feed(sample(5000, 51), false)).toBe(0)
	})
	it('a call that never sends anything is noticed too', () => expect(new ArrivalWatch(0).feed(sample(3000, 0), false)).toBe(0))
	it('silence while held is no trouble', () => {
		const w = new ArrivalWatch(0)
		w.feed(sample(0, 5), false)
		expect(w.feed(sample(9000, 5), true)).toBe(0)
		expect(w.feed(sample(10_000, 5), false)).toBe(0)
	})
	const good: TestResult = { mic: 'ok', failed: '', received: 300, loss: 0, rttMs: 30, jitterMs: 2, echoMs: 100 }
	it('gives a verdict', () => {
		expect(verdict(good)).toBe('good')
		expect(verdict({ ...good, loss: 0.02 })).toBe('fair')
		expect(verdict({ ...good, loss: 0.06 })).toBe('bad')
		expect(verdict({ ...good, rttMs: 301 })).toBe('fair')
		expect(verdict({ ...good, rttMs: 801 })).toBe('bad')
		expect(verdict({ ...good, mic: 'silent' })).toBe('silent')
		expect(verdict({ ...good, mic: 'none' })).toBe('nomic')
		expect(verdict({ ...good, received: 0 })).toBe('noaudio')
		expect(verdict({ ...good, failed: 'Busy' })).toBe('nocall')
	})
	it('finds a tone and not another', () => {
		const tone = (hz: number) => Float32Array.from({ length: 480 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * hz * i) / 48000))
		expect(toneShare(tone(1000), 48000, 1000)).toBeGreaterThan(0.95)
		expect(toneShare(tone(2500), 48000, 1000)).toBeLessThan(0.05)
		expect(toneShare(new Float32Array(480), 48000, 1000)).toBe(0)
	})
	it('median of delays', () => {
		expect(median([90, 500, 100])).toBe(100)
		expect(median([])).toBeNull()
	})
})

class FakeSocket {
	static all: FakeSocket[] = []
	readyState = 0
	binaryType = ''
	onopen = () => {}
	onmessage = (_e: { data: unknown }) => {}
	onclose = (_e: { wasClean: boolean; code: number; reason: string }) => {}
	sent: unknown[] = []
	constructor() {
		FakeSocket.all.push(this)
	}
	send(m: unknown) {
		this.sent.push(m)
	}
	close() {
		this.readyState = 3
	}
	open() {
		this.readyState = 1
		this.onopen()
	}
	lose() {
		this.readyState = 3
		this.onclose({ wasClean: false, code: 1006, reason: '' })
	}
}

describe('PatientSocket', () => {
	beforeEach(() => {
		FakeSocket.all = []
		vi.useFakeTimers()
	})
	afterEach(() => vi.useRealTimers())
	const make = (onWait = (_ms: number) => {}) => new PatientSocket('wss://h:8443/sip', { onWait }, () => new FakeSocket() as unknown as WebSocket)

	it('tells JsSIP its transport', () => {
		const s = make()
		expect([s.via_transport, s.sip_uri]).toEqual(['WSS', 'sip:h:8443;transport=ws'])
	})
	it('opens at once, then later and later, and says when', () => {
		const waits: number[] = []
		const s = make(ms => waits.push(ms))
		s.connect()
		expect(FakeSocket.all.length).toBe(1)
		for (let i = 0; i < 4; i++) {
			FakeSocket.all.at(-1)!.lose()
			vi.advanceTimersByTime(1000) // JsSIP's own second
			s.connect()
			vi.advanceTimersByTime(20_000)
		}
		expect(FakeSocket.all.length).toBe(5)
		expect(Math.max(...waits)).toBeGreaterThan(3000)
	})
	it('tries at once when asked', () => {
		const s = make()
		s.connect()
		for (let i = 0; i < 6; i++) {
			FakeSocket.all.at(-1)!.lose()
			s.connect()
			s.retryNow()
		}
		expect(FakeSocket.all.length).toBeGreaterThanOrEqual(6)
	})
	it('starts afresh after a success', () => {
		const s = make()
		s.connect()
		FakeSocket.all[0]!.lose()
		s.connect()
		vi.advanceTimersByTime(20_000)
		FakeSocket.all.at(-1)!.open()
		const waits: number[] = []
		;(s as unknown as { events: { onWait: (n: number) => void } }).events.onWait = n => waits.push(n)
		FakeSocket.all.at(-1)!.lose()
		expect(waits).toEqual([1000])
	})
	it('a closed line neither speaks nor sends', () => {
		const s = make()
		const data = vi.fn()
		s.ondata = data
		s.connect()
		const ws = FakeSocket.all[0]!
		ws.open()
		s.disconnect()
		ws.onmessage({ data: 'x' })
		expect(data).not.toHaveBeenCalled()
		expect(s.send('y')).toBe(false)
	})
})

/* Web Locks as the standard describes them, for one name. */
function fakeLocks() {
	type Held = { reject: (e: Error) => void }
	let held: Held | null = null
	const queue: (() => void)[] = []
	return {
		request(_name: string, o: LockOptions, cb: () => Promise<void> | undefined) {
			return new Promise<void>((done, reject) => {
				const run = () => {
					const me: Held = { reject }
					held = me
					void Promise.resolve(cb()).then(() => {
						if (held === me) {
							held = null
							queue.shift()?.()
						}
						done()
					})
				}
				if (o.steal) {
					held?.reject(new Error('stolen'))
					run()
				} else if (held) {
					queue.push(run)
				} else {
					run()
				}
			})
		},
	} as unknown as LockManager
}

describe('one telephone among tabs', () => {
	it('goes to the next tab when its holder leaves, and can be taken over', async () => {
		const locks = fakeLocks()
		const a: TabState[] = []
		const b: TabState[] = []
		const tabA = holdTab({ name: 'p', locks, onState: s => a.push(s) })
		const tabB = holdTab({ name: 'p', locks, onState: s => b.push(s) })
		await Promise.resolve()
		expect([a.at(-1), b.at(-1)]).toEqual(['held', 'waiting'])
		tabB.take()
		await new Promise(r => setTimeout(r))
		expect([a.at(-1), b.at(-1)]).toEqual(['lost', 'held'])
		tabA.take()
		await new Promise(r => setTimeout(r))
		expect([a.at(-1), b.at(-1)]).toEqual(['held', 'lost'])
	})
	it('on plain http the tabs ask each other', async () => {
		const name = `t${Math.random()}`
		const a: TabState[] = []
		const b: TabState[] = []
		const tabA = holdTab({ name, onState: s => a.push(s), answerMs: 40 })
		await vi.waitFor(() => expect(a.at(-1)).toBe('held'))
		const tabB = holdTab({ name, onState: s => b.push(s), answerMs: 40 })
		await new Promise(r => setTimeout(r, 120))
		expect(b).toEqual(['waiting'])
		tabB.take()
		await vi.waitFor(() => expect(a.at(-1)).toBe('lost'))
		tabB.leave()
		await vi.waitFor(() => expect(a.at(-1)).toBe('held'))
		tabA.leave()
	})
})
