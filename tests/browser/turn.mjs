#!/usr/bin/env node
// A browser whose network lets no UDP through to us speaks by way of a real coturn, with deploy/turnserver.conf:
//
//   namespace "far" (Chromium)  10.77.1.2 -- 10.77.1.1 namespace "turn" (coturn) 10.77.2.1 -- 10.77.2.2  namespace "near" (a leg of media)
//
// Nothing is forwarded between the two networks: without TURN there is no audio, which is tried first. Needs root for the namespaces.
import { spawn, spawnSync, execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import path from 'node:path';

const here = path.dirname(new URL(import.meta.url).pathname);
const program = path.join(process.env.BUILD ?? path.join(here, '../../build'), 'media_peer');
const sh = (c) => execFileSync('sh', ['-ec', c], { stdio: ['ignore', 'ignore', 'inherit'] });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const skip = (why) => { console.log(`skipped: ${why}`); process.exit(77); };

if (!process.argv.includes('inside')) {
	const id = process.pid % 10000, ns = { far: `hwf${id}`, turn: `hwt${id}`, near: `hwn${id}` };
	if (process.getuid() !== 0 || spawnSync('ip', ['netns', 'add', ns.far]).status) skip('no network namespaces here');
	if (spawnSync('which', ['turnserver']).status || !existsSync('/usr/bin/chromium')) { sh(`ip netns del ${ns.far}`); skip('coturn or chromium is missing'); }
	let status = 1;
	try {
		sh(`ip netns add ${ns.turn}; ip netns add ${ns.near}
			ip -n ${ns.far} link add far0 type veth peer name turn0 netns ${ns.turn}
			ip -n ${ns.near} link add near0 type veth peer name turn1 netns ${ns.turn}
			ip -n ${ns.far} addr add 10.77.1.2/24 dev far0; ip -n ${ns.turn} addr add 10.77.1.1/24 dev turn0
			ip -n ${ns.near} addr add 10.77.2.2/24 dev near0; ip -n ${ns.turn} addr add 10.77.2.1/24 dev turn1
			for n in ${ns.far} ${ns.turn} ${ns.near}; do ip -n $n link set lo up; done
			ip -n ${ns.far} link set far0 up; ip -n ${ns.near} link set near0 up
			ip -n ${ns.turn} link set turn0 up; ip -n ${ns.turn} link set turn1 up
			ip -n ${ns.far} route add default via 10.77.1.1; ip -n ${ns.near} route add default via 10.77.2.1
			ip netns exec ${ns.turn} sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'`);
		status = spawnSync('ip', ['netns', 'exec', ns.far, process.execPath, process.argv[1], 'inside', ns.turn, ns.near], { stdio: 'inherit', timeout: 90000 }).status ?? 1;
	} finally {
		for (const n of Object.values(ns)) spawnSync('ip', ['netns', 'del', n]);
	}
	process.exit(status);
}

const [turnNs, nearNs] = process.argv.slice(process.argv.indexOf('inside') + 1);
const require = createRequire(path.join(process.env.NODE_MODULES_OF ?? path.join(here, '../../web'), 'x.js'));
const { chromium } = require('playwright-core');
const tmp = mkdtempSync(path.join(tmpdir(), 'huawu-turn-'));
const children = [];
let failed = 0, passed = 0;
function check(name, ok, found) {
	console.log(`${ok ? 'ok' : 'FAILED'} ${name}${ok ? '' : ': ' + JSON.stringify(found)}`);
	ok ? passed++ : failed++;
}
async function until(fn, ms) {
	for (const end = Date.now() + ms; Date.now() < end; await sleep(100))
		if (await fn()) return true;
	return false;
}

// What is shipped, with the addresses and the secret of here.
const secret = 'turn-test-secret';
const conf = readFileSync(path.join(here, '../../deploy/turnserver.conf'), 'utf8').replace('# listening-ip=192.0.2.20', 'listening-ip=10.77.1.1\nrelay-ip=10.77.2.1')
	.replace('static-auth-secret=change-me', `static-auth-secret=${secret}`).replace('allowed-peer-ip=192.0.2.10', 'allowed-peer-ip=10.77.2.2');
writeFileSync(path.join(tmp, 'turnserver.conf'), conf + `\npidfile=${tmp}/pid\nlog-file=stdout\nsimple-log\nuserdb=${tmp}/db\nno-tls\nno-dtls\n`);
const log = [];
const turn = spawn('ip', ['netns', 'exec', turnNs, 'turnserver', '-v', '-c', path.join(tmp, 'turnserver.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
children.push(turn);
for (const s of [turn.stdout, turn.stderr]) createInterface({ input: s }).on('line', (l) => log.push(l));

class Peer {
	constructor() {
		this.lines = [];
		this.child = spawn('ip', ['netns', 'exec', nearNs, program, '10.77.2.2'], { stdio: ['pipe', 'pipe', 'inherit'] });
		children.push(this.child);
		createInterface({ input: this.child.stdout }).on('line', (l) => this.lines.push(l));
	}
	say(...words) { this.child.stdin.write(words.join(' ').replaceAll('\r', '').replaceAll('\n', '|') + '\n'); }
	find(start) { return this.lines.find((l) => l.startsWith(start)); }
	async reply(start) {
		if (!await until(() => this.find(start), 5000)) throw new Error(`no ${start}: ${this.lines}`);
		return this.find(start).slice(start.length + 1).replaceAll('|', '\r\n');
	}
}

// As src/api/turn.c makes them; api_test holds it against openssl.
const username = `${Math.floor(Date.now() / 1000) + 43200}:w17`;
const ice = (s, url) => [{ urls: [url], username, credential: createHmac('sha1', s).update(username).digest('base64') }];
const mic = path.join(tmp, 'mic.wav');
execFileSync('sox', ['-n', '-r', '48000', '-c', '1', '-b', '16', mic, 'synth', '30', 'sine', '440', 'gain', '-6']);
const server = createServer((_, res) => res.setHeader('content-type', 'text/html').end(readFileSync(path.join(here, 'webrtc_media.html'))));
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${mic}`,
		'--autoplay-policy=no-user-gesture-required', '--disable-dev-shm-usage'],
});

async function call(iceServers) {
	const peer = new Peer(), page = await browser.newPage();
	await page.addInitScript((servers) => {
		const Plain = window.RTCPeerConnection;
		window.RTCPeerConnection = class extends Plain { constructor(c) { super({ ...c, iceServers: servers }); } };
	}, iceServers);
	await page.goto(`http://127.0.0.1:${server.address().port}/`);
	peer.say('call');
	peer.say('answered', await page.evaluate((o) => answer(o), await peer.reply('offer')));
	return { peer, page };
}

try {
	check('coturn starts with the configuration that is shipped', await until(() => log.some((l) => /listener opened on.*10\.77\.1\.1:3478/i.test(l)), 8000), log.slice(-20));
	let c = await call([]);
	check('without TURN nothing comes through', !await until(() => c.peer.find('event first-rtp'), 3000), c.peer.lines);
	await c.page.close();
	for (const url of ['turn:10.77.1.1:3478?transport=udp', 'turn:10.77.1.1:3478?transport=tcp']) {
		c = await call(ice(secret, url));
		check(`${url}: secure`, await until(() => c.peer.find('event secure'), 15000), [c.peer.lines, log.slice(-10)]);
		check(`${url}: audio reaches us`, await until(() => c.peer.find('event first-rtp'), 5000), c.peer.lines);
		check(`${url}: the page hears 1000 Hz`, await until(async () => Math.abs(await c.page.evaluate(() => peak()) - 1000) < 15, 8000), await c.page.evaluate(() => peak()));
		await c.page.close();
	}
	c = await call(ice('another secret', 'turn:10.77.1.1:3478'));
	check('a password of another secret is refused', !await until(() => c.peer.find('event first-rtp'), 3000) && log.some((l) => /401|Unauthorized/i.test(l)), c.peer.lines);
} finally {
	await browser.close();
	server.close();
	for (const ch of children) ch.kill('SIGKILL');
	rmSync(tmp, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
