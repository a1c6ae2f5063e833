/* A stereo A-law WAV of a made-up talk: customer left, agent right. */
const RATE = 8000

function alaw(sample) {
	let s = sample >> 3
	const sign = s >= 0 ? 0x80 : 0
	if (s < 0)
		s = -s - 1
	let e = 0
	for (let v = s >> 5; v > 0 && e < 7; v >>= 1)
		e++
	const m = e ? (s >> e) & 0x0f : (s >> 1) & 0x0f
	return (sign | (e << 4) | m) ^ 0x55
}

const speech = (t, hz, on) => (on ? Math.sin(2 * Math.PI * hz * t) * (0.35 + 0.3 * Math.sin(2 * Math.PI * 3.1 * t)) * (0.6 + 0.4 * Math.sin(2 * Math.PI * 0.7 * t)) : 0)

export function wav(seconds) {
	const n = Math.floor(seconds * RATE)
	const b = Buffer.alloc(58 + n * 2)
	b.write('RIFF', 0); b.writeUInt32LE(b.length - 8, 4); b.write('WAVEfmt ', 8); b.writeUInt32LE(18, 16)
	b.writeUInt16LE(6, 20); b.writeUInt16LE(2, 22); b.writeUInt32LE(RATE, 24); b.writeUInt32LE(RATE * 2, 28)
	b.writeUInt16LE(2, 32); b.writeUInt16LE(8, 34); b.writeUInt16LE(0, 36)
	b.write('fact', 38); b.writeUInt32LE(4, 42); b.writeUInt32LE(n, 46); b.write('data', 50); b.writeUInt32LE(n * 2, 54)
	for (let i = 0; i < n; i++) {
		const t = i / RATE
		const turn = Math.floor(t / 3.5) % 2
		b[58 + 2 * i] = alaw(Math.round(12000 * speech(t, 180, turn === 0)))
		b[59 + 2 * i] = alaw(Math.round(12000 * speech(t, 240, turn === 1)))
	}
	return b
}
