/* What a fault report takes along. Everything here may fail: a broken telephone must not keep anybody from reporting it. */
import { usePhone } from '@/phone/phone'
import { useDesk } from '@/desk/useDesk'
import { useLive } from '@/live/live'
import { pageLog } from './log'

export type Details = Record<string, unknown>
const LOG_BYTES = 56_000
const STATS_BYTES = 12_000

async function attempt<T>(f: () => T | Promise<T>): Promise<T | string> {
	try {
		return await f()
	} catch (e) {
		return `? ${(e as Error).message ?? e}`
	}
}

interface Connection { effectiveType?: string; rtt?: number; downlink?: number; type?: string }

const permission = (name: string) => navigator.permissions?.query({ name: name as PermissionName }).then(p => p.state as string)

const short = (s: string, max: number) => (s.length > max ? s.slice(0, max) : s)

export async function collect(): Promise<Details> {
	const phone = usePhone()
	const desk = useDesk()
	const live = useLive()
	const connection = (navigator as { connection?: Connection }).connection
	return {
		browser: { agent: navigator.userAgent, languages: navigator.languages, screen: `${screen.width}x${screen.height}@${devicePixelRatio}`, window: `${innerWidth}x${innerHeight}`, zone: Intl.DateTimeFormat().resolvedOptions().timeZone, at: location.origin + location.pathname, open_s: Math.round(performance.now() / 1000), secure: isSecureContext },
		network: { online: navigator.onLine, type: connection?.type, effective: connection?.effectiveType, rtt_ms: connection?.rtt, downlink_mbit: connection?.downlink, events: live.state },
		permissions: { microphone: await attempt(() => permission('microphone')), notifications: typeof Notification === 'undefined' ? 'none' : Notification.permission.replace('default', 'prompt') },
		devices: await attempt(async () => (await navigator.mediaDevices.enumerateDevices()).filter(d => d.kind !== 'videoinput').slice(0, 40).map(d => ({ kind: d.kind, label: short(d.label, 100), chosen: [phone.prefs.mic, phone.prefs.speaker, phone.prefs.ringer].includes(d.deviceId) && d.deviceId !== '' }))),
		phone: { link: phone.link, mic_ok: phone.micOk, muted: phone.muted, call: phone.call?.phase ?? null, troubles: [...phone.troubles.keys()], volume: phone.prefs.volume },
		desk: { state: desk.me?.state ?? null, reason: desk.me?.reason ?? null, device_up: desk.me?.device_up ?? null, since_ms: desk.me?.since_ms ?? null, call_id: desk.call?.id ?? null },
		self_test: phone.lastTest,
		stats: await attempt(async () => {
			const s = await phone.statsNow()
			return s && JSON.stringify(s).length > STATS_BYTES ? { at: s.at, cut: short(JSON.stringify(s.report), STATS_BYTES) } : s
		}),
		log: pageLog.last(LOG_BYTES),
	}
}
