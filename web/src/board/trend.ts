/* What the board has seen since it opened: one point every few seconds, ten minutes long. Pure. */
export interface Point { atMs: number; waiting: number; talking: number }
export const KEEP_MS = 600_000

export function addPoint(points: readonly Point[], p: Point): Point[] {
	return [...points.filter(x => x.atMs > p.atMs - KEEP_MS && x.atMs < p.atMs), p]
}
