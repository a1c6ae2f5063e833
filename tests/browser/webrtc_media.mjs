#!/usr/bin/env node
// Real Chromium against one leg of media: both directions of offer and answer, tones both ways, digits, recording.
//   webrtc_media.mjs [PEER]    PEER: the program made of media_peer.c (default: $BUILD/media_peer)
// Finds playwright-core in web/node_modules. Needs chromium and sox.
import { spawn, execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import path from 'node:path';

const here = path.dirname(new URL(import.meta.url).pathname);
const require = createRequire(path.join(process.env.NODE_MODULES_OF ?? path.join(here, '../../web'), 'x.js'));
const { chromium } = require('playwright-core');
const tmp = mkdtempSync(path.join(tmpdir(), 'huawu-webrtc-'));
const program = process.argv[2] ?? path.join(process.env.BUILD ?? path.join(here, '../../build'), 'media_peer');
const failures = [];
let passed = 0;

function check(name, ok, found) {
	console.log(`${ok ? 'ok' : 'FAILED'} ${name}${ok ? '' : ': ' + JSON.stringify(found)}`);
	if (ok) passed++;
	else failures.push(name);
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(fn, ms = 5000) {
	for (const end = Date.now() + ms; Date.now() < end; await sleep(50))
		if (await fn()) return true;
	return false;
}

class Peer {
	constructor(program) {
		this.lines = [];
		this.child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
		createInterface({ input: this.child.stdout }).on('line', (l) => this.lines.push(l));
	}
	say(...words) { this.child.stdin.write(words.join(' ').replaceAll('\r', '').replaceAll('\n', '|') + '\n'); }
	find(start) { return this.lines.find((l) => l.startsWith(start)); }
	async reply(start) {
		if (!await until(() => this.find(start))) throw new Error(`no ${start}: ${this.lines}`);
		return this.find(start).slice(start.length + 1).replaceAll('|', '\r\n');
	}
}

// The loudest frequency of one channel, by sox's own spectrum.
function tone(file, channel) {
	const out = execFileSync('sh', ['-c', `sox '${file}' -n remix ${channel} trim 0.5 2 stat -freq 2>&1 | awk 'NF==2 && $1+0==$1 {s[$1]+=$2} END {for (f in s) if (s[f]>m) {m=s[f]; b=f} print b}'`]);
	return Number(out.toString());
}

async function run(name, connect) {
	const peer = new Peer(program);
	const page = await browser.newPage();
	const wav = path.join(tmp, name, 'call.wav');
	await page.goto(url);
	await connect(peer, page);
	check(`${name}: secure`, await until(() => peer.find('event secure')), peer.lines);
	check(`${name}: audio reaches us`, await until(() => peer.find('event first-rtp')), peer.lines);
	peer.say('record', wav);
	check(`${name}: the page hears 1000 Hz`, await until(async () => Math.abs(await page.evaluate(() => peak()) - 1000) < 15), await page.evaluate(() => peak()));
	await page.evaluate(() => digit('7'));
	check(`${name}: digit`, await until(() => peer.find('event digit 7')), peer.lines);
	await sleep(3000);
	check(`${name}: our reports reach the page`, await until(async () => (await page.evaluate(() => stats())).reported, 8000), await page.evaluate(() => stats()));
	const s = await page.evaluate(() => stats());
	check(`${name}: nothing lost`, s.lost === 0 && s.theirLoss === 0 && s.codec === 'audio/PCMA' && s.rx > 100 && s.dtls === 'connected', s);
	peer.say('stop');
	check(`${name}: figures`, await until(() => peer.find('event stats')) && /lost=0 dropped=0 .*mos=4\.[34]/.test(peer.find('event stats')), peer.lines);
	check(`${name}: recorded`, await until(() => peer.find('event rec-closed')), peer.lines);
	const left = tone(wav, 1), right = tone(wav, 2);
	check(`${name}: the microphone's 440 Hz left, ours right`, Math.abs(left - 440) < 6 && Math.abs(right - 1000) < 6, { left, right });
	peer.say('quit');
	await page.close();
}

const mic = path.join(tmp, 'mic.wav');
execFileSync('sox', ['-n', '-r', '48000', '-c', '1', '-b', '16', mic, 'synth', '30', 'sine', '440', 'gain', '-6']);
const server = createServer((_, res) => res.setHeader('content-type', 'text/html').end(readFileSync(path.join(here, 'webrtc_media.html'))));
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const url = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${mic}`,
		'--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required', '--disable-dev-shm-usage'],
});
try {
	await run('browser-calls', async (peer, page) => {
		peer.say('offer', await page.evaluate(() => call()));
		await page.evaluate((sdp) => answered(sdp), await peer.reply('answer'));
	});
	await run('we-call', async (peer, page) => {
		peer.say('call');
		const sdp = await page.evaluate((o) => answer(o), await peer.reply('offer'));
		peer.say('answered', sdp);
	});
} finally {
	await browser.close();
	server.close();
	rmSync(tmp, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length ? 1 : 0);
