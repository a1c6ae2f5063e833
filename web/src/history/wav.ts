/* Reads a WAV recording for drawing: A-law, mu-law or 16-bit PCM, one or two channels. Pure. */

export interface Wave { rateHz: number; channels: number; format: number; dataAt: number; dataBytes: number }
export interface Peaks { left: Float32Array; right: Float32Array; durMs: number }

const tag = (v: DataView, at: number) => String.fromCharCode(v.getUint8(at), v.getUint8(at + 1), v.getUint8(at + 2), v.getUint8(at + 3))

/** Throws a sentence for the log when it is not such a file. A data length that runs past the end is cut there. */
export function readHeader(buf: ArrayBuffer): Wave {
	const v = new DataView(buf)
	if (buf.byteLength < 12 || tag(v, 0) !== 'RIFF' || tag(v, 8) !== 'WAVE')
		throw new Error('not a WAV file')
	const w: Wave = { rateHz: 0, channels: 0, format: 0, dataAt: 0, dataBytes: 0 }
	for (let at = 12; at + 8 <= buf.byteLength;) {
		const size = v.getUint32(at + 4, true)
		const body = at + 8
		if (tag(v, at) === 'fmt ' && body + 16 <= buf.byteLength) {
			w.format = v.getUint16(body, true)
			w.channels = v.getUint16(body + 2, true)
			w.rateHz = v.getUint32(body + 4, true)
		} else if (tag(v, at) === 'data') {
			w.dataAt = body
			w.dataBytes = Math.min(size, buf.byteLength - body)
			break
		}
		at = body + size + (size & 1)
	}
	if (!w.dataAt || !w.rateHz || w.channels < 1 || w.channels > 2 || ![1, 6, 7].includes(w.format))
		throw new Error('a kind of WAV that cannot be drawn')
	return w
}

/** ITU-T G.711, A-law to linear, -1..1. */
export function alaw(code: number): number {
	const c = code ^ 0x55
	const e = (c >> 4) & 7
	let m = (c & 15) << 4
	m = e ? (m + 0x108) << (e - 1) : m + 8
	return (c & 0x80 ? m : -m) / 32768
}

/** ITU-T G.711, mu-law to linear, -1..1. */
export function mulaw(code: number): number {
	const c = ~code & 0xff
	const m = (((c & 15) << 3) + 0x84) << ((c >> 4) & 7)
	return (c & 0x80 ? 0x84 - m : m - 0x84) / 32768
}

const table = (f: (c: number) => number) => Float32Array.from({ length: 256 }, (_, i) => f(i))

/** The loudest sample of each of @buckets equal slices, per channel; a mono file fills both. */
export function peaks(buf: ArrayBuffer, buckets: number): Peaks {
	const w = readHeader(buf)
	const bytes = w.format === 1 ? 2 : 1
	const frames = Math.floor(w.dataBytes / (bytes * w.channels))
	const v = new DataView(buf, w.dataAt, w.dataBytes)
	const law = table(w.format === 6 ? alaw : mulaw)
	const read = w.format === 1 ? (i: number) => v.getInt16(2 * i, true) / 32768 : (i: number) => law[v.getUint8(i)]!
	const out: Peaks = { left: new Float32Array(buckets), right: new Float32Array(buckets), durMs: (frames / w.rateHz) * 1000 }
	for (let i = 0; i < frames; i++) {
		const b = Math.floor((i * buckets) / frames)
		const l = Math.abs(read(i * w.channels))
		const r = w.channels === 2 ? Math.abs(read(i * 2 + 1)) : l
		if (l > out.left[b]!)
			out.left[b] = l
		if (r > out.right[b]!)
			out.right[b] = r
	}
	return out
}
