/* What getStats tells, as the few numbers a person can use. Pure. */

export interface Sample {
	atMs: number
	received: number
	lost: number
	/** ms; null: the browser does not say */
	jitterMs: number | null
	rttMs: number | null
}

interface Entry {
	type: string; kind?: string; packetsReceived?: number; packetsLost?: number; jitter?: number
	roundTripTime?: number; currentRoundTripTime?: number; nominated?: boolean; state?: string
}

/** Picks inbound audio, and the round trip from RTCP or else from the ICE check of the pair in use. */
export function readStats(report: Iterable<unknown>, atMs: number): Sample {
	const s: Sample = { atMs, received: 0, lost: 0, jitterMs: null, rttMs: null }
	let pairRtt: number | null = null
	for (const raw of report) {
		const e = raw as Entry
		if (e.type === 'inbound-rtp' && e.kind === 'audio') {
			s.received += e.packetsReceived ?? 0
			s.lost += Math.max(0, e.packetsLost ?? 0)
			s.jitterMs = e.jitter === undefined ? null : e.jitter * 1000
		} else if (e.type === 'remote-inbound-rtp' && e.kind === 'audio' && e.roundTripTime !== undefined) {
			s.rttMs = e.roundTripTime * 1000
		} else if (e.type === 'candidate-pair' && e.currentRoundTripTime !== undefined && (e.nominated || e.state === 'succeeded')) {
			pairRtt = e.currentRoundTripTime * 1000
		}
	}
	if (s.rttMs === null)
		s.rttMs = pairRtt
	return s
}

/** Loss between two samples, 0..1; null when nothing was due. */
export function lossBetween(a: Sample, b: Sample): number | null {
	const lost = Math.max(0, b.lost - a.lost)
	const received = Math.max(0, b.received - a.received)
	return lost + received ? lost / (lost + received) : null
}

export const SILENCE_MS = 3000

/** Notices when packets stop coming for SILENCE_MS, and when they come back. */
export class ArrivalWatch {
	private received = -1
	private grewMs: number

	constructor(startMs: number) {
		this.grewMs = startMs
	}

	/** Milliseconds without a packet once that is too long, else 0. @held: silence is expected. */
	feed(s: Sample, held: boolean): number {
		if (s.received > this.received || held) {
			this.received = s.received
			this.grewMs = s.atMs
		}
		const silent = s.atMs - this.grewMs
		return silent >= SILENCE_MS ? silent : 0
	}
}

export interface TestResult {
	mic: 'ok' | 'none' | 'silent'
	/** why the call failed; '' it came about */
	failed: string
	received: number
	loss: number | null
	rttMs: number | null
	jitterMs: number | null
	echoMs: number | null
}

export type Verdict = 'good' | 'fair' | 'bad' | 'silent' | 'nomic' | 'noaudio' | 'nocall'

/*
 * Limits: ITU-T G.114 calls up to 150 ms one way (300 ms round trip) good and more than 400 ms (800 ms) unacceptable;
 * G.711 with ordinary concealment stays good up to about 1 % loss and is poor from 5 % (ITU-T G.113, appendix I).
 */
export function verdict(r: TestResult): Verdict {
	if (r.failed)
		return 'nocall'
	if (!r.received)
		return 'noaudio'
	if (r.mic === 'none')
		return 'nomic'
	if (r.mic === 'silent')
		return 'silent'
	const loss = r.loss ?? 0
	const rtt = r.rttMs ?? 0
	const jitter = r.jitterMs ?? 0
	if (loss > 0.05 || rtt > 800 || jitter > 80)
		return 'bad'
	if (loss > 0.01 || rtt > 300 || jitter > 30)
		return 'fair'
	return 'good'
}
