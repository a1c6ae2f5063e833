/* Which microphone or earpiece to use, and what to say when they come and go. Pure. */

export interface Device { deviceId: string; kind: string; label: string; groupId?: string }
export type Kind = 'audioinput' | 'audiooutput'

/** Browsers list "default" and "communications" as aliases of real devices; those are not devices to choose. */
export function realDevices(all: readonly Device[], kind: Kind): Device[] {
	return all.filter(d => d.kind === kind && d.deviceId !== '' && d.deviceId !== 'default' && d.deviceId !== 'communications')
}

/** The wanted device if it is there, else '' (the system's default). */
export function pick(all: readonly Device[], kind: Kind, wanted: string): string {
	return wanted && realDevices(all, kind).some(d => d.deviceId === wanted) ? wanted : ''
}

/** What the default is really: its alias carries the real device's group. */
export function labelOf(all: readonly Device[], kind: Kind, id: string): string {
	const hit = all.find(d => d.kind === kind && d.deviceId === (id || 'default'))
	if (!hit)
		return realDevices(all, kind)[0]?.label ?? ''
	if (id)
		return hit.label
	const real = realDevices(all, kind).find(d => d.groupId && d.groupId === hit.groupId)
	return real?.label ?? hit.label
}

export type Change =
	| { code: 'mic_moved'; label: string }
	| { code: 'mic_lost' }
	| { code: 'mic_back'; label: string }
	| { code: 'speaker_moved'; label: string }

/** Compares the devices in use before and after; null: nothing that concerns us. */
export function deviceChange(before: readonly Device[], after: readonly Device[], wantedMic: string, wantedSpeaker: string): Change | null {
	const had = realDevices(before, 'audioinput').length
	const have = realDevices(after, 'audioinput').length
	const was = labelOf(before, 'audioinput', pick(before, 'audioinput', wantedMic))
	const is = labelOf(after, 'audioinput', pick(after, 'audioinput', wantedMic))
	if (had && !have)
		return { code: 'mic_lost' }
	if (!had && have)
		return { code: 'mic_back', label: is }
	if (have && was !== is)
		return { code: have < had ? 'mic_moved' : 'mic_back', label: is }
	const out = labelOf(after, 'audiooutput', pick(after, 'audiooutput', wantedSpeaker))
	if (out && labelOf(before, 'audiooutput', pick(before, 'audiooutput', wantedSpeaker)) !== out)
		return { code: 'speaker_moved', label: out }
	return null
}

/** Why getUserMedia refused, as one of our words. */
export function micTrouble(error: unknown): 'mic_refused' | 'mic_none' | 'mic_busy' {
	const name = (error as { name?: string } | null)?.name
	if (name === 'NotAllowedError' || name === 'SecurityError')
		return 'mic_refused'
	if (name === 'NotReadableError' || name === 'AbortError')
		return 'mic_busy'
	return 'mic_none'
}
