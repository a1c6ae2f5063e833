/* Keyboard shortcuts: one table, read by the listener and by the help. */
export type Command = 'answer' | 'hangup' | 'ready' | 'hold' | 'mute' | 'wrap' | 'dial' | 'turn' | 'hand' | 'transfer' | 'fault' | 'help' | 'desk' | 'board' | 'history'
export interface Shortcut { command: Command; keys: string[]; shown: string[] }

/* F1, F3, F5, F6, F11 and F12 belong to the browser. */
export const SHORTCUTS: Shortcut[] = [
	{ command: 'answer', keys: ['F2', ' '], shown: ['F2', 'space'] },
	{ command: 'hangup', keys: ['F4'], shown: ['F4'] },
	{ command: 'ready', keys: ['F8'], shown: ['F8'] },
	{ command: 'hold', keys: ['F9'], shown: ['F9'] },
	{ command: 'mute', keys: ['m', 'M'], shown: ['M'] },
	{ command: 'wrap', keys: ['F10'], shown: ['F10'] },
	{ command: 'dial', keys: ['/'], shown: ['/'] },
	{ command: 'transfer', keys: ['t', 'T'], shown: ['T'] },
	{ command: 'turn', keys: ['l', 'L'], shown: ['L'] },
	{ command: 'hand', keys: ['h', 'H'], shown: ['H'] },
	{ command: 'fault', keys: ['b', 'B'], shown: ['B'] },
	{ command: 'help', keys: ['?', '？'], shown: ['?'] },
]

interface KeyLike { key: string; ctrlKey: boolean; altKey: boolean; metaKey: boolean; isComposing?: boolean }

/**
 * The command of a key press, or null. @typing: focus is in a field, where only F keys count. Space is a command only while a
 * call rings (@ringing); else it presses the button that has the focus.
 */
export function commandOf(e: KeyLike, typing: boolean, ringing: boolean): Command | null {
	if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing)
		return null
	const isF = /^F\d+$/.test(e.key)
	if (typing && !isF)
		return null
	if (e.key === ' ' && !ringing)
		return null
	return SHORTCUTS.find(s => s.keys.includes(e.key))?.command ?? null
}

/** A digit to send in a call, or null. */
export function digitOf(e: KeyLike, typing: boolean): string | null {
	return !typing && !e.ctrlKey && !e.altKey && !e.metaKey && /^[0-9*#]$/.test(e.key) ? e.key : null
}

export function isTyping(target: EventTarget | null): boolean {
	const el = target as HTMLElement | null
	return !!el && (el.isContentEditable || el.tagName === 'TEXTAREA' || el.tagName === 'SELECT'
		|| (el.tagName === 'INPUT' && !['checkbox', 'radio', 'button', 'range'].includes((el as HTMLInputElement).type)))
}
