/* What a role allows, and what a change of it changes: plain data, drawn by RolesPage. */

export type Scope = 'none' | 'own' | 'team' | 'department' | 'centre'
export const SCOPES: Scope[] = ['none', 'own', 'team', 'department', 'centre']
export interface Grant { read: Scope; write: Scope; remove: Scope; export: boolean; import: boolean; hidden: string[]; fixed: string[] }
export interface RawRole { rights: string[]; grants: Record<string, Partial<Grant>> }
export interface Area { name: string; zh: string; en: string; resources: string[] }
export interface Catalogue { rights: { name: string; zh: string; en: string; help_zh?: string | null; help_en?: string | null }[]; areas: Area[]; shipped: Record<string, RawRole> }
/** Rights as a list of names, grants by area, and apart for resources that differ from their area. */
export interface Draft { rights: string[]; grants: Record<string, Grant> }

export const noGrant = (): Grant => ({ read: 'none', write: 'none', remove: 'none', export: false, import: false, hidden: [], fixed: [] })
const full = (g: Partial<Grant> | undefined): Grant => ({ ...noGrant(), ...g, hidden: [...g?.hidden ?? []], fixed: [...g?.fixed ?? []] })
const parsed = (v: unknown): unknown => (typeof v === 'string' ? JSON.parse(v) : v)

/** As it is in force: the row's own, or the shipped one's where the row has none. */
export function draftOf(row: Record<string, unknown>, cat: Catalogue): Draft {
	const own = { rights: parsed(row.rights) as string[] | null, grants: parsed(row.grants) as RawRole['grants'] | null }
	const raw: RawRole = own.rights || own.grants ? { rights: own.rights ?? [], grants: own.grants ?? {} } : cat.shipped[String(row.key)] ?? { rights: [], grants: {} }
	return spread(raw, cat)
}
/** "*" written out, every area named. */
export function spread(raw: RawRole, cat: Catalogue): Draft {
	const all = raw.rights.includes('*')
	const grants: Record<string, Grant> = {}
	for (const a of cat.areas)
		grants[a.name] = full(raw.grants[a.name] ?? raw.grants['*'])
	for (const [name, g] of Object.entries(raw.grants))
		if (name !== '*')
			grants[name] = full(g)
	return { rights: cat.rights.map(r => r.name).filter(n => all || raw.rights.includes(n)), grants }
}
/** What is stored: areas without anything are left out, unless they take something away from a resource. */
export function rawOf(d: Draft, cat: Catalogue): RawRole {
	const areas = new Set(cat.areas.map(a => a.name))
	const grants: RawRole['grants'] = {}
	for (const [name, g] of Object.entries(d.grants)) {
		if (g.read === 'none' && areas.has(name))
			continue
		const out: Partial<Grant> = { read: g.read }
		if (g.write !== 'none')
			out.write = g.write
		if (g.remove !== 'none')
			out.remove = g.remove
		if (g.export)
			out.export = true
		if (g.import)
			out.import = true
		if (g.hidden.length)
			out.hidden = [...g.hidden].sort()
		if (g.fixed.length)
			out.fixed = [...g.fixed].sort()
		grants[name] = out
	}
	return { rights: d.rights, grants }
}
/** Nobody changes what he does not see: seeing less takes the rest along, changing more brings seeing. */
export function setScope(g: Grant, what: 'read' | 'write' | 'remove', to: Scope) {
	g[what] = to
	const at = (s: Scope) => SCOPES.indexOf(s)
	if (what === 'read') {
		for (const w of ['write', 'remove'] as const)
			if (at(g[w]) > at(to))
				g[w] = to
	} else if (at(to) > at(g.read)) {
		g.read = to
	}
	if (g.read === 'none')
		g.export = false
	if (g.write === 'none')
		g.import = false
}

export interface Change { what: 'right' | 'read' | 'write' | 'remove' | 'export' | 'import' | 'field' | 'apart'; name: string; field?: string; from: string; to: string }
const fieldState = (g: Grant, f: string) => (g.hidden.includes(f) ? 'hidden' : g.fixed.includes(f) ? 'fixed' : 'open')

export function changes(before: Draft, after: Draft): Change[] {
	const list: Change[] = []
	for (const name of new Set([...before.rights, ...after.rights]))
		if (before.rights.includes(name) !== after.rights.includes(name))
			list.push({ what: 'right', name, from: before.rights.includes(name) ? 'on' : 'off', to: after.rights.includes(name) ? 'on' : 'off' })
	for (const name of new Set([...Object.keys(before.grants), ...Object.keys(after.grants)])) {
		const a = before.grants[name], b = after.grants[name]
		if (!a || !b) {
			list.push({ what: 'apart', name, from: a ? 'on' : 'off', to: b ? 'on' : 'off' })
			continue
		}
		for (const w of ['read', 'write', 'remove'] as const)
			if (a[w] !== b[w])
				list.push({ what: w, name, from: a[w], to: b[w] })
		for (const w of ['export', 'import'] as const)
			if (a[w] !== b[w])
				list.push({ what: w, name, from: a[w] ? 'on' : 'off', to: b[w] ? 'on' : 'off' })
		for (const f of new Set([...a.hidden, ...a.fixed, ...b.hidden, ...b.fixed]))
			if (fieldState(a, f) !== fieldState(b, f))
				list.push({ what: 'field', name, field: f, from: fieldState(a, f), to: fieldState(b, f) })
	}
	return list
}
/** The rights of it that somebody with @own does not have. */
export const beyond = (d: Draft, own: string[]) => d.rights.filter(r => !own.includes(r))

/** A key for a copy: small letters, digits, underscore; not taken. */
export function keyFor(key: string, taken: string[]): string {
	for (let i = 2; ; i++) {
		const k = `${key.slice(0, 27)}_${i}`
		if (!taken.includes(k))
			return k
	}
}
