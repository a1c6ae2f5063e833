/*
 * The telephone of this page: one SIP user agent over the server's WebSocket.
 *
 *   off --start--> waiting (another tab holds it) / connecting --> up <--> down
 *
 * It carries sound and answers; which state the agent is in is the server's to say (live/). Unloading the page sends
 * nothing, so that the server keeps the call and rings us back into it (X-Huawu-Resume).
 */
import type { UA } from 'jssip/lib/JsSIP'
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent } from 'jssip/lib/UA'
import type { RTCSession } from 'jssip/lib/RTCSession'
import { defineStore } from 'pinia'
import { computed, reactive, ref } from 'vue'
import { api, ApiError } from '@/api/client'
import type { DeskPhone } from '@/api/types'
import { deviceChange, pick, type Device } from './devices'
import { openMic, type MicTrouble } from './mic'
import { Sounds } from './ring'
import { runTest } from './selftest'
import { PatientSocket } from './socket'
import { ArrivalWatch, readStats, type TestResult } from './stats'
import { holdTab, type TabHold, type TabState } from './tab'

export type Link = 'off' | 'connecting' | 'up' | 'down' | 'other' | 'refused'
export type Trouble = MicTrouble | 'mic_moved' | 'mic_lost' | 'mic_back' | 'speaker_moved' | 'no_audio_in' | 'lost' | 'restored' | 'audio_blocked'
/** kept: connected for as long as the agent dials, in a call or between two (X-Huawu-Kept); it has no call's id. */
export interface PhoneCall { callId: string; phase: 'incoming' | 'answering' | 'up'; auto: boolean; resume: boolean; kept: boolean }
/** What the desk knows and the telephone must ask: silence while held is no trouble. */
export interface Surroundings { held: () => boolean }

interface Prefs { mic: string; speaker: string; ringer: string; volume: number }
const PREFS = 'huawu.phone'
const RENEW_BEFORE_MS = 60_000
const RETRY_REGISTER_MS = 3000
const DIAL_EXPECT_MS = 30_000
const SAID_MS = 8000

function loadPrefs(): Prefs {
	const fallback = { mic: '', speaker: '', ringer: '', volume: 0.6 }
	try {
		return { ...fallback, ...JSON.parse(localStorage.getItem(PREFS) ?? '{}') as Partial<Prefs> }
	} catch {
		return fallback
	}
}

function socketUrl(ws: string): string {
	const u = new URL(ws, location.href)
	u.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
	u.host = location.host
	return u.href
}

export const usePhone = defineStore('phone', () => {
	const link = ref<Link>('off')
	const retryAtMs = ref(0)
	const call = ref<PhoneCall | null>(null)
	const muted = ref(false)
	const micOk = ref<boolean | null>(null)
	const troubles = reactive(new Map<Trouble, Record<string, string | number>>())
	const devices = ref<Device[]>([])
	const prefs = reactive(loadPrefs())
	const sounds = new Sounds()
	sounds.volume = prefs.volume
	const testing = ref(false)
	/** The last self-test, and what getStats said last of a call: for fault reports. */
	const lastTest = ref<{ at: number; result: TestResult } | null>(null)
	let lastStats: { at: number; report: unknown[] } | null = null
	const quality = reactive({ loss: null as number | null, rttMs: null as number | null, jitterMs: null as number | null })

	let ua: UA | null = null
	let socket: PatientSocket | null = null
	let secret: DeskPhone | null = null
	let hold: TabHold | null = null
	let session: RTCSession | null = null
	let track: MediaStreamTrack | null = null
	let renewTimer: ReturnType<typeof setTimeout> | undefined
	let watchTimer: ReturnType<typeof setInterval> | undefined
	let expectDialUntil = 0
	let around: Surroundings = { held: () => false }
	const audio = new Audio()
	audio.autoplay = true

	const trouble = (t: Trouble, params: Record<string, string | number> = {}) => troubles.set(t, params)
	/** A sentence that is only news: it goes by itself. */
	const say = (t: Trouble, params: Record<string, string | number> = {}) => {
		trouble(t, params)
		setTimeout(() => troubles.delete(t), SAID_MS)
	}

	/* ---- start and stop ---- */

	function start(userId: string, s: Surroundings) {
		around = s
		hold?.leave()
		hold = holdTab({ name: `huawu-phone-${userId}`, locks: navigator.locks, onState: onTab })
		navigator.mediaDevices?.addEventListener?.('devicechange', onDevices)
		void checkMic()
	}

	function onTab(s: TabState) {
		if (s === 'held') {
			link.value = 'connecting'
			void connect()
		} else {
			drop()
			link.value = 'other'
		}
	}

	function stop() {
		hold?.leave()
		hold = null
		navigator.mediaDevices?.removeEventListener?.('devicechange', onDevices)
		drop()
		link.value = 'off'
		troubles.clear()
	}

	/** Lets go of the line without a word: a BYE or an un-REGISTER would end what another tab goes on with. */
	function drop() {
		clearTimeout(renewTimer)
		const old = ua
		ua = null
		socket?.disconnect()
		old?.stop()
		socket = null
		endCall()
		troubles.delete('lost')
	}

	async function connect() {
		clearTimeout(renewTimer)
		try {
			const [jssip, got] = await Promise.all([import('jssip'), api.desk.phone()])
			if (link.value === 'other' || link.value === 'off' || ua)
				return
			// Into the page's log (fault/log.ts), not onto the console.
			jssip.default.debug.enable('JsSIP:*')
			secret = got
			planRenewal()
			socket = new PatientSocket(socketUrl(got.ws), { onWait, prepare: freshSecret })
			const mine = new jssip.default.UA({
				sockets: socket as never,
				uri: `sip:${got.device}@${got.realm}`,
				password: got.password,
				register_expires: 60,
				session_timers: false,
				connection_recovery_min_interval: 1,
				connection_recovery_max_interval: 1,
				user_agent: 'Huawu page',
			})
			ua = mine
			// One that was let go still talks for a while.
			mine.on('registered', () => mine === ua && onRegistered())
			mine.on('registrationFailed', () => mine === ua && onRegistrationFailed())
			mine.on('disconnected', () => mine === ua && onLost())
			mine.on('newRTCSession', (e: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => {
				if (mine === ua && (e.originator as string) === 'remote')
					onInvite(e as IncomingRTCSessionEvent)
			})
			mine.start()
		} catch (e) {
			if (e instanceof ApiError && (e.status === 401 || e.status === 403)) {
				link.value = 'refused'
				return
			}
			onWait(RETRY_REGISTER_MS)
			link.value = 'down'
			renewTimer = setTimeout(() => void connect(), RETRY_REGISTER_MS)
		}
	}

	function planRenewal() {
		clearTimeout(renewTimer)
		const ms = Math.max(5000, (secret?.expires_ms ?? 0) - Date.now() - RENEW_BEFORE_MS)
		renewTimer = setTimeout(() => void renew(), ms)
	}

	/** Also before each new connection: a restarted server knows neither this page's secret nor that it has the telephone. */
	async function freshSecret() {
		secret = await api.desk.phone()
		ua?.set('password', secret.password)
		planRenewal()
	}

	async function renew() {
		if (!ua)
			return
		try {
			await freshSecret()
			ua.register()
		} catch {
			renewTimer = setTimeout(() => void renew(), RETRY_REGISTER_MS)
		}
	}

	function onRegistered() {
		if (link.value === 'down')
			say('restored')
		troubles.delete('lost')
		link.value = 'up'
	}

	/** The secret ran out, or the server no longer knows it: fetch a new one and go on. */
	function onRegistrationFailed() {
		if (link.value === 'up' || link.value === 'connecting')
			link.value = 'down'
		clearTimeout(renewTimer)
		renewTimer = setTimeout(() => void renew(), link.value === 'down' ? RETRY_REGISTER_MS : 0)
	}

	function onLost() {
		if (link.value !== 'up' && link.value !== 'connecting')
			return
		link.value = 'down'
		trouble('lost')
	}

	function onWait(retryMs: number) {
		retryAtMs.value = retryMs ? Date.now() + retryMs : 0
	}

	/* ---- calls ---- */

	function onInvite(e: IncomingRTCSessionEvent) {
		const { session: s, request } = e
		if (testing.value)
			stopTest()
		const header = (name: string) => request.getHeader(name)
		const resume = header('X-Huawu-Resume') === '1'
		const kept = header('X-Huawu-Kept') === '1'
		if (session && !resume) {
			s.terminate({ status_code: 486 })
			return
		}
		// Rung back into the call: what was left of it here went with the line.
		letGo()
		const dialled = Date.now() < expectDialUntil
		const auto = header('X-Huawu-Auto-Answer') === '1'
		session = s
		call.value = { callId: header('X-Huawu-Call') ?? '', phase: 'incoming', auto: auto || resume || dialled, resume, kept }
		s.on('peerconnection', ({ peerconnection }: { peerconnection: RTCPeerConnection }) => listen(peerconnection))
		s.on('icecandidate', ({ ready }: { ready: () => void }) => ready())
		s.on('confirmed', onUp)
		s.on('ended', () => s === session && endCall())
		s.on('failed', () => s === session && endCall())
		if (resume || dialled || kept) // a kept one beeps with each call, from the server
			void answer()
		else if (auto)
			void sounds.beep().then(answer)
		else
			sounds.startRing()
	}

	const pcConfig = (): RTCConfiguration => ({
		iceServers: secret?.ice ?? [],
		rtcpMuxPolicy: 'require',
		bundlePolicy: 'max-bundle',
	})

	async function answer() {
		const s = session
		if (!s || call.value?.phase !== 'incoming')
			return
		call.value.phase = 'answering'
		expectDialUntil = 0
		sounds.stopRing()
		muted.value = false
		await openTrack()
		if (s !== session)
			return
		s.answer({ mediaStream: new MediaStream([track!]), mediaConstraints: { audio: true, video: false }, pcConfig: pcConfig() })
	}

	function listen(pc: RTCPeerConnection) {
		pc.addEventListener('track', e => play(e.streams[0] ?? new MediaStream([e.track])))
	}

	function play(stream: MediaStream) {
		audio.srcObject = stream
		void setSink()
		audio.play().then(() => troubles.delete('audio_blocked'), () => trouble('audio_blocked'))
	}

	function allowAudio() {
		sounds.context()
		void audio.play().then(() => troubles.delete('audio_blocked'), () => {})
	}

	function onUp() {
		if (call.value)
			call.value.phase = 'up'
		const arrival = new ArrivalWatch(performance.now())
		clearInterval(watchTimer)
		watchTimer = setInterval(() => void watch(arrival), 1000)
	}

	async function watch(arrival: ArrivalWatch) {
		const pc = session?.connection
		if (!pc)
			return
		const report = [...(await pc.getStats()).values()]
		lastStats = { at: Date.now(), report }
		const s = readStats(report, performance.now())
		quality.rttMs = s.rttMs
		quality.jitterMs = s.jitterMs
		quality.loss = s.received + s.lost ? s.lost / (s.received + s.lost) : null
		const silent = arrival.feed(s, around.held())
		if (silent)
			trouble('no_audio_in', { n: Math.round(silent / 1000) })
		else
			troubles.delete('no_audio_in')
	}

	/** Ends our side of a call that the server has already given up. */
	function letGo() {
		const old = session
		if (!old)
			return
		endCall()
		try {
			old.terminate()
		} catch {
			/* already over */
		}
	}

	function endCall() {
		sounds.stopRing()
		clearInterval(watchTimer)
		session = null
		call.value = null
		muted.value = false
		audio.srcObject = null
		track?.stop()
		track = null
		troubles.delete('no_audio_in')
		quality.loss = quality.rttMs = quality.jitterMs = null
	}

	/** Only when the server cannot be asked; otherwise it hangs up, so that the record says who did. */
	function hangupLocally() {
		try {
			session?.terminate()
		} catch {
			/* already over */
		}
	}

	function setMuted(on: boolean) {
		muted.value = on
		if (track)
			track.enabled = !on
	}

	/** The person dialled: the server's call to us that follows is answered at once. */
	function expectDial() {
		expectDialUntil = Date.now() + DIAL_EXPECT_MS
	}

	/* ---- devices ---- */

	async function openTrack() {
		const opened = await openMic(pick(devices.value, 'audioinput', prefs.mic), sounds)
		setMicTrouble(opened.trouble)
		track?.stop()
		track = opened.track
		track.enabled = !muted.value
		track.addEventListener('ended', () => void onDevices())
		await listDevices()
		return opened
	}

	function setMicTrouble(t: MicTrouble | null) {
		for (const k of ['mic_refused', 'mic_none', 'mic_busy', 'mic_insecure', 'mic_lost'] as const)
			troubles.delete(k)
		micOk.value = !t
		if (t)
			trouble(t)
	}

	/** Asks for the microphone before the first call, and lets it go again. */
	async function checkMic() {
		const opened = await openMic(pick(devices.value, 'audioinput', prefs.mic), sounds)
		setMicTrouble(opened.trouble)
		opened.track.stop()
		await listDevices()
	}

	async function listDevices() {
		devices.value = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => []))?.map(d => d.toJSON() as Device) ?? []
	}

	async function onDevices() {
		const before = devices.value
		await listDevices()
		const change = deviceChange(before, devices.value, prefs.mic, prefs.speaker)
		if (session && track && (change || track.readyState === 'ended')) {
			await openTrack()
			await session?.connection?.getSenders().find(s => s.track?.kind === 'audio' || s.track === null)?.replaceTrack(track)
		}
		void setSink()
		if (change?.code === 'mic_lost') {
			micOk.value = false
			trouble('mic_lost')
		} else if (change) {
			if (change.code !== 'speaker_moved')
				setMicTrouble(null)
			say(change.code, { label: change.label })
		}
	}

	async function setSink() {
		const el = audio as HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> }
		await el.setSinkId?.(pick(devices.value, 'audiooutput', prefs.speaker)).catch(() => {})
		if (prefs.ringer)
			await sounds.setSink(pick(devices.value, 'audiooutput', prefs.ringer))
	}

	async function setPrefs(part: Partial<Prefs>) {
		const micWas = prefs.mic
		Object.assign(prefs, part)
		sounds.volume = prefs.volume
		localStorage.setItem(PREFS, JSON.stringify(prefs))
		if (session && prefs.mic !== micWas) {
			await openTrack()
			await session.connection?.getSenders()[0]?.replaceTrack(track)
		}
		await setSink()
	}

	/* ---- self-test ---- */

	let testStop = false
	const stopTest = () => (testStop = true)

	async function test(onStep: (s: 'mic' | 'call' | 'measure') => void, onLevel: (n: number) => void): Promise<TestResult> {
		testing.value = true
		testStop = false
		onStep('mic')
		const mic = await openMic(pick(devices.value, 'audioinput', prefs.mic), sounds)
		setMicTrouble(mic.trouble)
		try {
			const result = await runTest({
				ctx: sounds.context(), mic: mic.track, micOk: !mic.trouble, place: placeEcho,
				onStep, onLevel, stopped: () => testStop,
			})
			lastTest.value = { at: Date.now(), result }
			return result
		} finally {
			mic.track.stop()
			testing.value = false
		}
	}

	const TOLD = ['inbound-rtp', 'outbound-rtp', 'remote-inbound-rtp', 'remote-outbound-rtp', 'candidate-pair', 'local-candidate', 'remote-candidate', 'transport', 'codec', 'media-source']
	/** What getStats says of this call, or said last of the one before. */
	async function statsNow() {
		const pc = session?.connection
		if (pc)
			lastStats = { at: Date.now(), report: [...(await pc.getStats()).values()] }
		return lastStats && { at: lastStats.at, report: (lastStats.report as { type: string }[]).filter(e => TOLD.includes(e.type)) }
	}

	function placeEcho(out: MediaStreamTrack) {
		return new Promise<{ pc: RTCPeerConnection; remote: MediaStream; hangup: () => void }>((done, fail) => {
			if (!ua || link.value !== 'up')
				return fail(new Error('SIP'))
			const remote = new MediaStream()
			const s = ua.call(`sip:*43@${secret!.realm}`, {
				mediaStream: new MediaStream([out]), mediaConstraints: { audio: true, video: false }, pcConfig: pcConfig(),
			})
			s.on('icecandidate', ({ ready }: { ready: () => void }) => ready())
			s.connection?.addEventListener('track', e => remote.addTrack(e.track))
			s.on('failed', (e: { cause: string }) => fail(new Error(e.cause)))
			s.on('confirmed', () => done({ pc: s.connection as unknown as RTCPeerConnection, remote, hangup: () => s.isEnded() || s.terminate() }))
		})
	}

	window.addEventListener('online', () => socket?.retryNow())
	const mine = computed(() => link.value !== 'other' && link.value !== 'off')
	return {
		link, retryAtMs, call, muted, micOk, troubles, devices, prefs, quality, testing, lastTest, mine, statsNow,
		start, stop, answer, hangupLocally, setMuted, expectDial, allowAudio, checkMic, setPrefs, test, stopTest,
		takeOver: () => hold?.take(), retryNow: () => socket?.retryNow(),
		testRing: () => sounds.testRing(), keySound: (k: string) => sounds.key(k), unlock: () => sounds.context(),
	}
})
