/* Where nobody speaks, from the peaks of a recording. Pure. */
export interface Peaks { step_ms: number; dur_ms: number; left: number[]; right: number[] }

const LOUD = 4 /* of 255: -36 dB of peak */

/** Spans of at least @leastMs without a loud peak on either side. */
export function silences(p: Peaks, leastMs = 2000): { fromMs: number; toMs: number }[] {
	const out: { fromMs: number; toMs: number }[] = []
	let from = -1
	for (let i = 0; i <= p.left.length; i++) {
		const quiet = i < p.left.length && p.left[i]! < LOUD && p.right[i]! < LOUD
		if (quiet && from < 0)
			from = i
		if (!quiet && from >= 0) {
			const span = { fromMs: from * p.step_ms, toMs: Math.min(p.dur_ms, i * p.step_ms) }
			if (span.toMs - span.fromMs >= leastMs)
				out.push(span)
			from = -1
		}
	}
	return out
}

/** Where to go on from @ms in silence: a little before somebody speaks again; null: somebody speaks. */
export function past(list: readonly { fromMs: number; toMs: number }[], ms: number): number | null {
	const s = list.find(x => ms >= x.fromMs + 300 && ms < x.toMs - 500)
	return s ? s.toMs - 300 : null
}

/** The loudest of each of @n equal slices, 0..1. */
export function slices(values: readonly number[], n: number): Float32Array {
	const out = new Float32Array(n)
	for (let i = 0; i < values.length; i++) {
		const b = Math.floor((i * n) / values.length)
		out[b] = Math.max(out[b]!, values[i]! / 255)
	}
	return out
}
