/** How long to wait before try number @failures (0 first): 0.5 s doubling to 15 s, spread so that a whole floor does not come back in the same instant. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
	const base = Math.min(15_000, 500 * 2 ** Math.min(failures, 10))
	return Math.round(base * (0.7 + 0.6 * random()))
}
