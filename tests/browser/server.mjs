/* A real centre for browser tests: `huawu serve` on its own folder and ports, its API, SIPp and baresip as the other side, tones. */
import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PATIENCE, launch, scratch, until } from './lib.mjs'

const TOP = fileURLToPath(new URL('../../', import.meta.url))
export const HUAWU = process.env.HUAWU ?? join(TOP, 'build/huawu')
export const PASSWORD = 'nur-ein-test-7'
export const SECRET = 'only-for-tests-7'
/* Between the notes of a piano, so that the music is neither. */
export const MIC_HZ = 480
export const CALLER_HZ = 720
export const sleep = ms => new Promise(r => setTimeout(r, ms))

/* ---- the server ---- */

/** An agent with a desk phone of the same name; rows for Centre.seed. */
export function person(n, queue = 'q', more = {}) {
	return [
		['users', `u${n}`, { name: `坐席${n}(示例)`, login: `agent${n}`, extension: String(n), password: PASSWORD, must_change_password: false, ...more }],
		['devices', `d${n}`, { name: String(n), user_id: `$u${n}`, secret: SECRET }],
		...(queue ? [['members', `m${n}`, { queue_id: `$${queue}`, user_id: `$u${n}`, level: 1 }]] : []),
	]
}
export const queue = (name, number, body = {}) => [
	['queues', name, { name, ring_s: 15, wrapup_s: 30, announce_position: false, ...body }],
	['numbers', `n${number}`, { number, dest: 'queue', queue_id: `$${name}` }],
]

export class Centre {
	/** Ports from @port on: SIP, HTTP, and a thousand for RTP. @options: further flags of serve. @program: another than huawu */
	constructor(port, { host = '127.0.0.1', secure = false, options = [], program = HUAWU } = {}) {
		this.program = program
		this.port = port
		this.scratch = scratch()
		this.dir = this.scratch.dir
		this.data = join(this.dir, 'data')
		mkdirSync(this.data)
		this.sip = `127.0.0.1:${port}`
		this.base = `${secure ? 'https' : 'http'}://${host}:${port + 1}`
		this.ring = `/dev/shm/${basename(this.dir)}.ring`
		this.args = ['serve', '--data', this.data, '--ring', this.ring, '--sip', this.sip, '--http', `${host}:${port + 1}`, ...(host.startsWith('[') ? [] : ['--rtp-bind', host]),
			'--rtp-min', String(port + 100), '--rtp-max', String(port + 898), '--log', 'info', ...options]
		this.peers = []
	}

	seed(...rows) {
		const all = [
			['users', 'admin', { name: '管理员(示例)', login: 'boss', role: 'admin', password: PASSWORD, must_change_password: false }],
			['trunks', 't', { name: '运营商(示例)', host: '127.0.0.3', port: this.port + 3, outbound: true, options_s: 0, caller_id: '02155550000' }],
			...rows.flat(),
		]
		execFileSync(HUAWU, ['seed', 'rows', '--db', join(this.data, 'huawu.db')],
			{ input: JSON.stringify(all.map(([resource, as, body]) => ({ resource, as, body }))), stdio: ['pipe', 'ignore', 'pipe'] })
		return this
	}

	async start() {
		this.killed = false
		const log = openSync(join(this.dir, 'server.log'), 'a')
		const before = this.log().length
		this.child = spawn(this.program, this.args, { stdio: ['ignore', log, log] })
		this.exit = new Promise(done => this.child.on('exit', (code, signal) => done(signal ?? code)))
		let ended = false
		void this.exit.then(() => (ended = true))
		await until(() => {
			if (ended)
				throw new Error(`the server ended at start:\n${this.log().slice(-2000)}`)
			return this.log().includes('\nhttp=', before)
		}, 'the server', 15_000)
		return this
	}

	log() {
		return readFileSync(join(this.dir, 'server.log'), 'utf8')
	}

	async kill() {
		this.killed = true
		this.child.kill('SIGKILL')
		await this.exit
	}

	/** Ends everything; the folder stays when the server ended badly or $KEEP is set. */
	async stop() {
		for (const p of this.peers)
			await p.stop()
		this.child?.kill('SIGTERM')
		const code = this.killed ? 0 : await this.exit
		rmSync(this.ring, { force: true })
		if (code === 0 && !process.env.KEEP)
			this.scratch.remove()
		else
			console.log(`kept ${this.dir}`)
		if (code !== 0)
			throw new Error(`the server ended with ${code}:\n${this.log().slice(-3000)}`)
	}

	/** A program that logs in as a person would. */
	async api(login, password = PASSWORD) {
		const post = (path, body, headers = {}) => fetch(`${this.base}/api/v1${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) })
		const r = await post('/session', { login, password })
		if (!r.ok)
			throw new Error(`log-in of ${login}: ${r.status} ${await r.text()}`)
		const cookie = r.headers.get('set-cookie').split(';')[0]
		const { csrf } = await r.json()
		const said = async answer => {
			const body = await answer.text()
			if (!answer.ok)
				throw new Error(`${answer.url}: ${answer.status} ${body}`)
			return body ? JSON.parse(body) : null
		}
		return {
			get: async path => said(await fetch(`${this.base}/api/v1${path}`, { headers: { cookie } })),
			post: async (path, body = {}) => said(await post(path, body, { cookie, 'X-Huawu-CSRF': csrf })),
			patch: async (path, body, rev) => said(await fetch(`${this.base}/api/v1${path}`, { method: 'PATCH', headers: { 'Content-Type': 'application/json', 'If-Match': String(rev), cookie, 'X-Huawu-CSRF': csrf }, body: JSON.stringify(body) })),
			raw: async (path, headers = {}) => fetch(`${this.base}/api/v1${path}`, { headers: { cookie, ...headers } }),
		}
	}

	async agent(n) {
		this.boss ??= await this.api('boss')
		return (await this.boss.get('/board')).agents.find(a => a.extension === String(n))
	}

	/** The record of the call from (or to) @number once @ready says so of it. */
	async record(number, ready = c => c.end_ms) {
		this.boss ??= await this.api('boss')
		const row = await until(async () => (await this.boss.get('/calls?limit=50')).items.find(c => (c.from === number || c.to === number) && ready(c)), `the record of ${number}`)
		return until(async () => {
			const c = await this.boss.get(`/calls/${row.id}`)
			return c.recordings.every(r => r.state !== 'open') && c
		}, 'closed recordings')
	}

	/** Channels of a recording as samples: customer, agent. */
	async sound(recording) {
		const r = await this.boss.raw(`/recordings/${recording.id}/audio?download=1`)
		if (!r.ok)
			throw new Error(`recording: ${r.status}`)
		return wavAlaw(Buffer.from(await r.arrayBuffer()))
	}
}

/* ---- sound ---- */

const RATE = 8000

/* ITU-T G.711 */
function alawEncode(v) {
	let x = Math.max(-32768, Math.min(32767, Math.trunc(v))) >> 3
	const sign = x >= 0 ? 0xd5 : 0x55
	x = x >= 0 ? x : ~x
	const seg = Math.max(0, 32 - Math.clz32(x) - 5)
	return ((seg << 4) | ((seg < 2 ? x >> 1 : x >> seg) & 15)) ^ sign
}
function alawDecode(b) {
	const x = b ^ 0x55
	const seg = (x >> 4) & 7
	const m = x & 15
	const v = seg ? ((m << 4) + 0x108) << (seg - 1) : (m << 4) + 8
	return x & 0x80 ? v : -v
}
const DECODE = Array.from({ length: 256 }, (_, b) => alawDecode(b))

/** Amplitude of one frequency over all the samples (Goertzel). */
export function tone(samples, hz, rate = RATE) {
	const c = 2 * Math.cos((2 * Math.PI * hz) / rate)
	let [s1, s2] = [0, 0]
	for (const x of samples)
		[s1, s2] = [x + c * s1 - s2, s1]
	return (2 * Math.sqrt(Math.max(0, s1 * s1 + s2 * s2 - c * s1 * s2))) / Math.max(1, samples.length)
}
/** The loudest stretch of 200 ms. */
export function loudest(samples, hz) {
	let most = 0
	for (let i = 0; i + 1600 <= samples.length; i += 800)
		most = Math.max(most, tone(samples.slice(i, i + 1600), hz))
	return most
}

function wavAlaw(b) {
	if (b.toString('latin1', 0, 4) !== 'RIFF' || b.readUInt16LE(20) !== 6 || b.readUInt32LE(24) !== RATE)
		throw new Error(`no A-law WAV: ${b.subarray(0, 48).toString('hex')}`)
	const channels = b.readUInt16LE(22)
	let at = 12
	while (b.toString('latin1', at, at + 4) !== 'data')
		at += 8 + b.readUInt32LE(at + 4)
	const body = b.subarray(at + 8, at + 8 + b.readUInt32LE(at + 4))
	return Array.from({ length: channels }, (_, c) => Array.from({ length: Math.floor(body.length / channels) }, (_, i) => DECODE[body[i * channels + c]]))
}

/** A WAV file of tones that come and go, as a voice does: a steady one would be taken for noise and removed. */
export function writeTone(path, hz, { rate = RATE, secs = 20, on = 0.35, off = 0.15, amplitude = 12000 } = {}) {
	const b = Buffer.alloc(44 + rate * secs * 2)
	b.write('RIFF', 0); b.writeUInt32LE(b.length - 8, 4); b.write('WAVEfmt ', 8); b.writeUInt32LE(16, 16)
	b.writeUInt16LE(1, 20); b.writeUInt16LE(1, 22); b.writeUInt32LE(rate, 24); b.writeUInt32LE(rate * 2, 28); b.writeUInt16LE(2, 32); b.writeUInt16LE(16, 34)
	b.write('data', 36); b.writeUInt32LE(b.length - 44, 40)
	for (let i = 0; i < rate * secs; i++)
		b.writeInt16LE((i / rate) % (on + off) < on ? Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / rate)) : 0, 44 + 2 * i)
	writeFileSync(path, b)
}

/** A party's voice: sends a tone in PCMA to whoever sends to it and keeps what it hears, with the digits of RFC 4733. */
class Voice {
	constructor(host, hz) {
		Object.assign(this, { host, hz, to: null, heard: [], digits: '', lastDigit: -1 })
		this.sock = createSocket('udp4')
		this.sock.on('message', (p, from) => this.take(p, from))
	}

	async open() {
		await new Promise(done => this.sock.bind(0, this.host, done))
		let seq = 1
		const begin = performance.now()
		this.timer = setInterval(() => {
			for (; (seq - 1) * 20 < performance.now() - begin; seq++)
				this.send(seq)
		}, 10)
		return this.sock.address().port
	}

	send(seq) {
		if (!this.to)
			return
		const p = Buffer.alloc(172)
		p.writeUInt16BE(0x8008, 0)
		p.writeUInt16BE(seq & 0xffff, 2)
		p.writeUInt32BE((seq * 160) >>> 0, 4)
		p.writeUInt32BE(0x5eed0001, 8)
		for (let i = 0; i < 160; i++)
			p[12 + i] = alawEncode(9000 * Math.sin((2 * Math.PI * this.hz * (seq * 160 + i)) / RATE))
		this.sock.send(p, this.to.port, this.to.address)
	}

	take(p, from) {
		this.to ??= from
		if (p.length > 12 && p[0] === 0x80 && (p[1] & 127) === 8) {
			for (const b of p.subarray(12))
				this.heard.push(DECODE[b])
		} else if (p.length === 16 && (p[1] & 127) === 101 && p.readUInt32BE(4) !== this.lastDigit) {
			this.lastDigit = p.readUInt32BE(4)
			this.digits += '0123456789*#ABCD'[p[12]]
		}
	}

	/** What is heard in the next so many ms. */
	async listen(ms) {
		const at = this.heard.length
		await sleep(ms)
		return this.heard.slice(at)
	}

	close() {
		clearInterval(this.timer)
		this.sock.close()
	}
}

/* ---- peers ---- */

let nth = 0

/** SIPp with a scenario of tests/calls and a voice of its own beside it. */
export class Caller {
	/** @number: the one dialled; @from: his own. He stays until told or until the other side hangs up. */
	static async call(centre, number, { from = `138${String(10_000_000 + process.pid % 1000 * 1000 + ++nth)}`, hz = CALLER_HZ } = {}) {
		const c = new Caller()
		c.number = from
		c.name = `caller${++nth}`
		c.dir = centre.dir
		c.port = centre.port + 10 + nth
		c.voice = new Voice('127.0.0.6', hz)
		const rtp = await c.voice.open()
		c.sipp(centre, 'caller_until_told.xml', rtp, [centre.sip, '-s', number, '-key', 'user', from])
		return c
	}

	/** The other side of calls out, at the trunk's address: early media at once, the answer after @ms. */
	static async carrier(centre, ms) {
		const c = new Caller()
		Object.assign(c, { name: `carrier${++nth}`, dir: centre.dir, port: centre.port + 3, voice: new Voice('127.0.0.6', CALLER_HZ) })
		c.sipp(centre, 'carrier.xml', await c.voice.open(), ['-d', String(ms)])
		await sleep(300)
		return c
	}

	sipp(centre, scenario, rtp, args) {
		this.child = spawn('sipp', ['-sf', join(TOP, 'tests/calls', scenario), '-nostdin', '-i', '127.0.0.3', '-p', String(this.port), '-mi', '127.0.0.9', '-m', '1',
			'-aa', '-key', 'rtp_host', '127.0.0.6', '-key', 'rtp_port', String(rtp), '-trace_logs', '-log_file', `${this.name}.log`, '-trace_err', '-error_file',
			`${this.name}.err`, '-trace_msg', '-message_file', `${this.name}.msg`, '-timeout', '170s', ...args], { cwd: centre.dir, stdio: 'ignore' })
		this.exit = new Promise(done => this.child.on('exit', (code, signal) => done(signal ?? code)))
		centre.peers.push(this)
	}

	/** Seconds since 1970 at which SIPp noted D dialled, P rings, A answered, B the other side's BYE, H its own; 0: not yet. */
	at(letter) {
		const path = join(this.dir, `${this.name}.log`)
		const line = existsSync(path) && readFileSync(path, 'utf8').split('\n').find(l => l.startsWith(`${letter} `))
		return line ? Number(/(\d+\.\d+)\s*$/.exec(line)[1]) : 0
	}

	answered(ms = 10_000) {
		return until(() => this.at('A'), 'the answer', ms)
	}

	/** The word that the scenario waits for: an INFO in its own call. */
	async hangUp() {
		const word = `INFO sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.3:1;branch=z9hG4bKword\r\nFrom: <sip:test@127.0.0.3>;tag=t\r\nTo: <sip:x>\r\n`
			+ `Call-ID: 1-${this.child.pid}@127.0.0.3\r\nCSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n`
		const s = createSocket('udp4')
		await new Promise(done => s.send(word, this.port, '127.0.0.3', done))
		s.close()
		await until(() => this.at('H'), 'the answer to BYE')
	}

	ended(ms = 10_000) {
		return until(() => this.at('B'), "the server's BYE", ms)
	}

	async stop() {
		if (this.stopped)
			return
		this.stopped = true
		this.child.kill('SIGKILL')
		await this.exit
		this.voice.close()
	}
}

const config = (host, port, dir, source) => `sip_listen ${host}:${port}
net_interface ${host}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path ${dir}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen ${host}:${port + 2}
audio_source aufile,${source}
audio_player aubridge,x
audio_alert aufile,${dir}/none.wav
ausrc_srate 8000
auplay_srate 8000
rtp_ports ${port + 10}-${port + 60}
`

/** baresip as a desk phone: registers, answers by itself, plays a tone, keeps what it hears. */
export class Baresip {
	static async start(centre, name, { port, host = '127.0.0.5', hz = MIC_HZ }) {
		const b = new Baresip()
		b.dir = join(centre.dir, `baresip-${name}-${++nth}`)
		b.ctrl = { host, port: port + 2 }
		mkdirSync(b.dir)
		writeTone(join(b.dir, 'tone.wav'), hz, { secs: 60 })
		writeFileSync(join(b.dir, 'config'), config(host, port, b.dir, join(b.dir, 'tone.wav')))
		writeFileSync(join(b.dir, 'accounts'), `<sip:${name}@${centre.sip}>;auth_user=${name};auth_pass=${SECRET};regint=60;answermode=auto;audio_codecs=PCMA/8000/1\n`)
		const out = openSync(join(b.dir, 'out.txt'), 'w')
		b.child = spawn('baresip', ['-f', b.dir], { stdio: ['ignore', out, out] })
		b.exit = new Promise(done => b.child.on('exit', done))
		centre.peers.push(b)
		await until(() => b.said('200 OK'), 'baresip', 10_000)
		return b
	}

	said(text) {
		return readFileSync(join(this.dir, 'out.txt'), 'utf8').includes(text)
	}

	command(command, params = '') {
		const text = JSON.stringify({ command, params, token: 't' })
		return new Promise((done, fail) => {
			const s = connect(this.ctrl.port, this.ctrl.host, () => s.write(`${text.length}:${text},`))
			s.on('error', fail)
			s.on('data', d => {
				s.destroy()
				done(String(d))
			})
		})
	}

	/** Samples of the last call, once it is over. */
	heard() {
		const file = readdirSync(this.dir).filter(f => /^dump.*-dec\.wav$/.test(f)).sort().pop()
		if (!file)
			return []
		const b = readFileSync(join(this.dir, file)).subarray(44)
		return Array.from(new Int16Array(b.buffer.slice(b.byteOffset, b.byteOffset + (b.length & ~1))))
	}

	async stop() {
		this.child.kill('SIGTERM')
		await Promise.race([this.exit, sleep(3000)])
		this.child.kill('SIGKILL')
		await this.exit
	}
}

/* ---- the page ---- */

/* Runs in the page before its own code: keeps the peer connections, so that a test can listen to what arrives. */
function tap() {
	const Real = window.RTCPeerConnection
	const t = (window.tap = { pcs: [], stream: null })
	window.RTCPeerConnection = class extends Real {
		constructor(...args) {
			super(...args)
			t.pcs.push(this)
			this.addEventListener('track', e => (t.stream = e.streams[0] ?? new MediaStream([e.track])))
		}
	}
	t.sockets = []
	window.WebSocket = class extends window.WebSocket {
		constructor(...args) {
			super(...args)
			t.sockets.push(this)
		}
	}
	t.notes = []
	const start = OscillatorNode.prototype.start
	OscillatorNode.prototype.start = function (...args) {
		t.notes.push({ hz: Math.round(this.frequency.value), at: Date.now() })
		return start.apply(this, args)
	}
	const RealAudio = window.Audio
	t.audios = []
	window.Audio = function (...args) {
		const a = new RealAudio(...args)
		t.audios.push(a)
		return a
	}
	/** The loudest of each frequency, 0..1, during @ms, in what arrives; or in one channel of what the page plays from /recordings */
	t.listen = async (hz, ms, channel = -1) => {
		const most = hz.map(() => 0)
		const playing = t.audios.findLast(x => x.src.includes('/recordings/'))
		while (channel >= 0 && !(playing.currentTime > 0))
			await new Promise(r => setTimeout(r, 50))
		const stream = channel < 0 ? t.stream : playing.captureStream()
		if (!stream)
			return most
		t.ctx ??= new AudioContext()
		const source = t.ctx.createMediaStreamSource(stream)
		const a = t.ctx.createAnalyser()
		a.fftSize = 8192
		if (channel < 0) {
			source.connect(a)
		} else {
			const split = t.ctx.createChannelSplitter(2)
			source.connect(split)
			split.connect(a, channel)
		}
		const buf = new Float32Array(a.fftSize)
		const end = performance.now() + ms
		await new Promise(r => setTimeout(r, 250)) // the buffer fills
		do {
			a.getFloatTimeDomainData(buf)
			hz.forEach((f, i) => {
				const c = 2 * Math.cos((2 * Math.PI * f) / t.ctx.sampleRate)
				let [s1, s2] = [0, 0]
				for (const x of buf)
					[s1, s2] = [x + c * s1 - s2, s1]
				most[i] = Math.max(most[i], (2 * Math.sqrt(Math.max(0, s1 * s1 + s2 * s2 - c * s1 * s2))) / buf.length)
			})
			await new Promise(r => setTimeout(r, 50))
		} while (performance.now() < end)
		source.disconnect()
		return most
	}
}

/** Chromium whose microphone plays a file with the tone MIC_HZ. */
export async function browserWithVoice(centre, more = {}) {
	const mic = join(centre.dir, 'mic.wav')
	writeTone(mic, MIC_HZ, { rate: 48_000 })
	return launch({ args: [`--use-file-for-fake-audio-capture=${mic}`, '--window-size=1366,768'], ...more })
}

export class Desk {
	/** A browser of its own (a context), logged in by name and password, with the telephone up. */
	static async open(browser, centre, n, { ready = true, base = centre.base, locale = 'zh-CN' } = {}) {
		const d = new Desk()
		d.centre = centre
		d.ctx = await browser.newContext({ locale, viewport: { width: 1366, height: 768 } })
		await d.ctx.addInitScript(tap)
		d.errors = []
		d.page = await d.tab()
		await d.page.goto(`${base}/login`)
		await d.page.fill('#login', `agent${n}`)
		await d.page.fill('#password', PASSWORD)
		await d.page.keyboard.press('Enter')
		await d.page.waitForURL(u => u.pathname === '/desk')
		await d.up()
		if (ready)
			await d.ready()
		return d
	}

	async tab() {
		const p = await this.ctx.newPage()
		p.on('pageerror', e => this.errors.push(e.message))
		return p
	}

	up(ms = 15_000, page = this.page) {
		return page.waitForSelector('[data-act=phone][data-link=up]', { timeout: ms * PATIENCE })
	}

	/** Who comes back soon is what he was. */
	async ready() {
		await this.page.waitForSelector('[data-act=ready]:not([disabled]), .bar[data-scene=ready]')
		if (!await this.page.locator('.bar[data-scene=ready]').count())
			await this.page.click('[data-act=ready]', { timeout: 2000 }).catch(() => {}) // ready by itself meanwhile
		await this.scene('ready')
	}

	scene(s, ms = 10_000) {
		return this.page.waitForSelector(`.bar[data-scene=${s}]`, { timeout: ms * PATIENCE })
	}

	/** Back to the desk, whatever an earlier test left open. */
	async home() {
		await this.page.keyboard.press('Escape')
		await this.page.locator('nav a[href="/desk"]').dispatchEvent('click')
		await this.page.waitForSelector('.desk')
		return this
	}

	async answer() {
		await this.page.click('[data-card-act=answer]:not([disabled])')
		await this.scene('call')
	}

	/** How loud the caller's and the own tone (which must not come back) are in what the page plays, 0..1 */
	async hears(ms = 1000, hz = [CALLER_HZ, MIC_HZ]) {
		const [caller, own] = await this.page.evaluate(([f, t]) => window.tap.listen(f, t), [hz, ms])
		return { caller, own }
	}

	shot(name) {
		return process.env.SHOTS ? this.page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) }) : null
	}

	async close() {
		await this.ctx.close()
	}
}

/* Of full scale and of 16 bits: the caller's tone is sent with 0.27 and 9000. */
const HEARD = 0.03
const HEARD_16 = 1000

/** What each side hears of both tones. */
export async function listenBoth(desk, caller, ms = 1000) {
	const [page, samples] = await Promise.all([desk.hears(ms), caller.voice.listen(ms)])
	return { page, caller: { agent: loudest(samples, MIC_HZ), own: loudest(samples, CALLER_HZ), rms: Math.sqrt(samples.reduce((s, v) => s + v * v, 0) / Math.max(1, samples.length)) } }
}
const hears = h => ({ page: h.page.caller > HEARD, caller: h.caller.agent > HEARD_16 })

/** Waits until the page hears the caller (or not), the caller the page (or not), and neither himself. */
export async function expectHeard(desk, caller, { page, caller: far }, what, ms = 8000) {
	const end = Date.now() + ms * PATIENCE
	let h
	do {
		h = await listenBoth(desk, caller)
		if (hears(h).page === page && hears(h).caller === far && h.page.own < HEARD / 3 && h.caller.own < HEARD_16 / 3)
			return h
	} while (Date.now() < end)
	throw new Error(`${what}: heard ${JSON.stringify(h)}`)
}
export const BOTH = { page: true, caller: true }

/** The recording has the caller left and the agent right, and neither in the other's channel. */
export function checkChannels(channels, what = 'recording') {
	const [left, right] = channels.map(c => ({ caller: loudest(c, CALLER_HZ), agent: loudest(c, MIC_HZ) }))
	if (channels.length !== 2 || left.caller < HEARD_16 || right.agent < HEARD_16 || left.agent > left.caller / 50 || right.caller > right.agent / 50)
		throw new Error(`${what}: left ${JSON.stringify(left)}, right ${JSON.stringify(right)}`)
	return { left, right }
}
