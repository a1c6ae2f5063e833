/*
 * The page's log: the last entries of what the console says, the telephone's library included, and of errors nobody caught. It is
 * kept here only; a fault report takes it along. Secrets are blanked as entries come in, and the server blanks once more.
 */

export interface Entry { at: number; kind: 'error' | 'warn' | 'info' | 'sip' | 'note'; text: string }

const ENTRIES = 300
const ENTRY_MAX = 1500

/** What must not be told: credentials, keys, passwords, in the forms in which they come along. */
export function blank(text: string): string {
	return text
		.replace(/^([ \t]*(?:(?:proxy-)?authorization|(?:www|proxy)-authenticate|(?:proxy-)?authentication-info|identity|y|cookie|set-cookie|x-huawu-csrf)[ \t]*:).*(?:\r?\n[ \t]+.*)*/gim, '$1 ***')
		.replace(/(inline:)\S+/gi, '$1***')
		.replace(/^([ \t]*(?:a=ice-pwd:|a=key-mgmt:|k=)).*/gim, '$1***')
		.replace(/\b(sips?:|:\/\/)([^\s<>":@]*):[^\s<>"]*@/gi, '$1$2:***@')
		.replace(/((?:password|secret|token|csrf|ha1|credential)["']?[ \t]*[:=][ \t]*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;}]+)/gi, '$1***')
		.replace(/^(Signal[ \t]*=).*/gim, '$1***')
}

function one(v: unknown): string {
	if (typeof v === 'string')
		return v
	if (v instanceof Error)
		return `${v.name}: ${v.message}\n${(v.stack ?? '').split('\n').slice(1, 6).join('\n')}`
	try {
		return JSON.stringify(v) ?? String(v)
	} catch {
		return String(v)
	}
}

/** The arguments of a console call as one text, without the colours. */
export function line(args: unknown[]): string {
	const rest = [...args]
	if (typeof rest[0] === 'string' && rest[0].includes('%c')) {
		const n = rest[0].split('%c').length - 1
		rest[0] = rest[0].replaceAll('%c', '')
		rest.splice(1, n)
	}
	const text = blank(rest.filter(a => typeof a !== 'string' || !/^color: #\w+$/.test(a)).map(one).join(' '))
	return text.length > ENTRY_MAX ? `${text.slice(0, ENTRY_MAX)}…` : text
}

export class Ring {
	private entries: Entry[] = []
	constructor(private readonly max = ENTRIES) {}
	add(kind: Entry['kind'], args: unknown[], at = Date.now()) {
		this.entries.push({ at, kind, text: line(args) })
		if (this.entries.length > this.max)
			this.entries.splice(0, this.entries.length - this.max)
	}
	/** The newest that fit into @bytes of JSON. */
	last(bytes: number): Entry[] {
		const coder = new TextEncoder()
		let from = this.entries.length
		for (let left = bytes; from > 0; from--) {
			left -= coder.encode(JSON.stringify(this.entries[from - 1])).length + 1
			if (left < 0)
				break
		}
		return this.entries.slice(from)
	}
}

export const pageLog = new Ring()
export const note = (...args: unknown[]) => pageLog.add('note', args)

/** Before anything else is loaded, so that whoever keeps a reference to console's functions keeps ours. */
export function listen(target: Console = console) {
	for (const kind of ['error', 'warn', 'info'] as const) {
		const was = target[kind].bind(target)
		target[kind] = (...args: unknown[]) => {
			const sip = typeof args[0] === 'string' && args[0].includes('JsSIP')
			pageLog.add(sip ? 'sip' : kind, args)
			if (!sip || kind === 'error')
				was(...args)
		}
	}
	window.addEventListener('error', e => pageLog.add('error', [e.message, `${e.filename}:${e.lineno}:${e.colno}`]))
	window.addEventListener('unhandledrejection', e => pageLog.add('error', ['unhandled', e.reason]))
}
