/* What the board has seen since it opened: one point every few seconds, ten minutes long. Pure. */
export interface Point { atMs: number; waiting: number; talking: number }
export const KEEP_MS = 600_000

export function addPoint(points: readonly Point[], p: Point): Point[] {
	return [...points.filter(x => x.atMs > p.atMs - KEEP_MS && x.atMs < p.atMs), p]
}

export interface PacePoint { atMs: number; n: number }
/** Dials an hour between the first and the last point; null: too short a time to say. */
export function paceOf(points: readonly PacePoint[]): number | null {
	const first = points[0]
	const last = points[points.length - 1]
	if (!first || !last || last.atMs - first.atMs < 30_000)
		return null
	return Math.round(((last.n - first.n) * 3_600_000) / (last.atMs - first.atMs))
}
