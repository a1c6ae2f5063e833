/* Calling a person back to a hidden tab: a system notification and a blinking title. */
const BLINK_MS = 900
let timer: ReturnType<typeof setInterval> | undefined
let plain = ''
let note: Notification | null = null

export const canNotify = () => typeof Notification !== 'undefined' && window.isSecureContext
export const notifyState = () => (canNotify() ? Notification.permission : 'denied')
export const askNotify = () => (canNotify() ? Notification.requestPermission() : Promise.resolve('denied' as const))

export function callAttention(text: string, tag: string) {
	stopAttention()
	plain = document.title
	const show = () => (document.title = document.hidden && document.title === plain ? `● ${text}` : plain)
	timer = setInterval(show, BLINK_MS)
	if (document.hidden && notifyState() === 'granted') {
		note = new Notification(text, { tag, requireInteraction: true })
		note.onclick = () => {
			window.focus()
			note?.close()
		}
	}
}

export function stopAttention() {
	if (!timer)
		return
	clearInterval(timer)
	timer = undefined
	document.title = plain
	note?.close()
	note = null
}
