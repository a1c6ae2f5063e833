/* A project's script as blocks: # headings, - points, everything else paragraphs; {name}, {姓名} and so on become the customer's. Pure. */
export interface Block { kind: 'head' | 'point' | 'text'; text: string }
interface Field { name: string; zh: string; en: string }

/** The customer's values by the names people may write: the field's own, its Chinese and its English label. */
export function namesOf(fields: readonly Field[], row: Record<string, unknown> | null): Map<string, string> {
	const out = new Map<string, string>()
	for (const f of fields) {
		const v = row?.[`${f.name}_label`] ?? row?.[f.name]
		if (typeof v !== 'string' && typeof v !== 'number')
			continue
		for (const key of [f.name, f.zh, f.en])
			out.set(key.toLowerCase(), String(v))
	}
	return out
}

/** What is not known stays as it is written, so that somebody sees it. */
export const fill = (text: string, names: Map<string, string>): string => text.replace(/[{｛]([^{}｛｝]{1,64})[}｝]/g, (all, key: string) => names.get(key.trim().toLowerCase()) ?? all)

export function parseScript(text: string, names: Map<string, string>): Block[] {
	const out: Block[] = []
	for (const raw of text.split(/\r?\n/)) {
		const line = fill(raw.trim(), names)
		if (!line)
			continue
		const head = /^#{1,6}\s*(.*)$/.exec(line)
		const point = /^[-*•·]\s*(.*)$/.exec(line)
		out.push(head ? { kind: 'head', text: head[1]! } : point ? { kind: 'point', text: point[1]! } : { kind: 'text', text: line })
	}
	return out
}
