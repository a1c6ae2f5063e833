/* Ring tone, beep and key tones, made here; no sound files. */

/** The ring's cadence: 450 Hz, 1 s on, 4 s off (GB/T 3380), softened, with a second note so that it does not drill. */
const RING_HZ = [450, 560]
const RING_ON_S = 1
const RING_PERIOD_MS = 3500

export class Sounds {
	private ctx: AudioContext | null = null
	private timer: ReturnType<typeof setInterval> | undefined
	volume = 0.6

	/** The context starts suspended until the person has touched the page. */
	context(): AudioContext {
		this.ctx ??= new AudioContext()
		if (this.ctx.state === 'suspended')
			void this.ctx.resume()
		return this.ctx
	}

	get blocked() {
		return this.ctx?.state === 'suspended'
	}

	async setSink(id: string) {
		const ctx = this.context() as AudioContext & { setSinkId?: (id: string) => Promise<void> }
		await ctx.setSinkId?.(id).catch(() => {})
	}

	private note(hz: number, fromS: number, lengthS: number, gain: number) {
		const ctx = this.context()
		const o = ctx.createOscillator()
		const g = ctx.createGain()
		const t = ctx.currentTime + fromS
		o.frequency.value = hz
		g.gain.setValueAtTime(0, t)
		g.gain.linearRampToValueAtTime(gain * this.volume, t + 0.03)
		g.gain.setValueAtTime(gain * this.volume, t + lengthS - 0.06)
		g.gain.linearRampToValueAtTime(0, t + lengthS)
		o.connect(g).connect(ctx.destination)
		o.start(t)
		o.stop(t + lengthS)
	}

	private ringOnce() {
		const half = RING_ON_S / 4
		for (let i = 0; i < 4; i++)
			this.note(RING_HZ[i % 2]!, i * half, half, 0.35)
	}

	startRing() {
		if (this.timer)
			return
		this.ringOnce()
		this.timer = setInterval(() => this.ringOnce(), RING_PERIOD_MS)
	}

	stopRing() {
		clearInterval(this.timer)
		this.timer = undefined
	}

	testRing() {
		this.ringOnce()
	}

	/** Before an answer by itself: two short notes; resolves when they are over. */
	beep(): Promise<void> {
		this.note(880, 0, 0.12, 0.4)
		this.note(1175, 0.14, 0.16, 0.4)
		return new Promise(r => setTimeout(r, 320))
	}

	/** ITU-T Q.23 pairs, so that a key pressed is heard. */
	key(k: string) {
		const rows: Record<string, [number, number]> = {
			1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
			7: [852, 1209], 8: [852, 1336], 9: [852, 1477], '*': [941, 1209], 0: [941, 1336], '#': [941, 1477],
		}
		for (const hz of rows[k] ?? [])
			this.note(hz, 0, 0.12, 0.1)
	}
}

/** A track that carries silence: the call comes about without a microphone, and hears. */
export function silentTrack(ctx: AudioContext): MediaStreamTrack {
	return ctx.createMediaStreamDestination().stream.getAudioTracks()[0]!
}
