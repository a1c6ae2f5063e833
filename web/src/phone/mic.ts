/* The microphone: asked for before the shift, opened for each call, replaced in mid-call when the headset goes. */
import { micTrouble } from './devices'
import { silentTrack, type Sounds } from './ring'

export type MicTrouble = 'mic_refused' | 'mic_none' | 'mic_busy' | 'mic_insecure'
export interface Opened { track: MediaStreamTrack; trouble: MicTrouble | null; label: string }

const wanted = (deviceId: string): MediaTrackConstraints => ({
	echoCancellation: true, noiseSuppression: true, autoGainControl: true,
	...(deviceId ? { deviceId: { exact: deviceId } } : {}),
})

export const canAskMic = () => typeof navigator !== 'undefined' && !!navigator.mediaDevices?.getUserMedia

/** Always gives a track: the microphone's, or silence and the reason why. */
export async function openMic(deviceId: string, sounds: Sounds): Promise<Opened> {
	const silent = (trouble: MicTrouble): Opened => ({ track: silentTrack(sounds.context()), trouble, label: '' })
	if (!canAskMic())
		return silent('mic_insecure')
	for (const id of deviceId ? [deviceId, ''] : ['']) {
		try {
			const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted(id), video: false })
			const track = stream.getAudioTracks()[0]!
			return { track, trouble: null, label: track.label }
		} catch (e) {
			const t = micTrouble(e)
			if (t === 'mic_refused' || !id)
				return silent(t)
		}
	}
	return silent('mic_none')
}

/** Loudness of a stream, 0..1, read on demand. */
export function meter(ctx: AudioContext, stream: MediaStream): { level: () => number; close: () => void } {
	const source = ctx.createMediaStreamSource(stream)
	const analyser = ctx.createAnalyser()
	analyser.fftSize = 1024
	source.connect(analyser)
	const buf = new Float32Array(analyser.fftSize)
	return {
		level: () => {
			analyser.getFloatTimeDomainData(buf)
			let sum = 0
			for (const v of buf)
				sum += v * v
			return Math.min(1, Math.sqrt(sum / buf.length) * 4)
		},
		close: () => source.disconnect(),
	}
}
