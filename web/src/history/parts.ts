/* Several recording parts on one timeline: which part sounds at a moment, and where in it. Pure. */
import type { Recording } from '@/api/types'

export interface Span { rec: Recording; fromMs: number; toMs: number }

/** Parts in order, on a timeline that starts with the first of them. Failed parts have no sound and no place. */
export function layout(recordings: readonly Recording[]): { spans: Span[]; startMs: number; totalMs: number } {
	const ok = recordings.filter(r => r.state !== 'failed' && r.dur_ms > 0).sort((a, b) => a.start_ms - b.start_ms)
	const startMs = ok[0]?.start_ms ?? 0
	const spans: Span[] = []
	for (const rec of ok) {
		const before = spans.at(-1)?.toMs ?? 0
		const fromMs = Math.max(before, rec.start_ms - startMs)
		spans.push({ rec, fromMs, toMs: fromMs + rec.dur_ms })
	}
	return { spans, startMs, totalMs: spans.at(-1)?.toMs ?? 0 }
}

/** The part that sounds at @ms, or the next one after a gap; null after the end. */
export function at(spans: readonly Span[], ms: number): { index: number; offsetMs: number } | null {
	const index = spans.findIndex(s => ms < s.toMs)
	if (index < 0)
		return null
	return { index, offsetMs: Math.max(0, ms - spans[index]!.fromMs) }
}
