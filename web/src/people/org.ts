/* The organisation as trees: departments with teams and people, and people by whom they report to. */
import type { Org } from '@/api/client'

export type OrgPerson = Org['people'][number]
export type OrgTeam = Org['teams'][number]
export type OrgDepartment = Org['departments'][number]
export interface TeamNode { team: OrgTeam; people: OrgPerson[] }
export interface DepartmentNode { department: OrgDepartment; below: DepartmentNode[]; teams: TeamNode[]; people: OrgPerson[]; count: number }
export interface LineNode { person: OrgPerson; below: LineNode[]; count: number }

/** A parent who is not seen does not hide what is below: that begins a tree of its own. A circle cannot be stored; should there be one, it is cut. */
export function departmentTree(org: Org): { top: DepartmentNode[]; loose: TeamNode[]; alone: OrgPerson[] } {
	const nodes = new Map<string, DepartmentNode>(org.departments.map(d => [d.id, { department: d, below: [], teams: [], people: [], count: 0 }]))
	const teams = new Map<string, TeamNode>(org.teams.map(t => [t.id, { team: t, people: [] }]))
	const top: DepartmentNode[] = [], loose: TeamNode[] = [], alone: OrgPerson[] = []
	const above = (d: OrgDepartment, id: string): boolean => {
		for (let up = d.parent_id, n = 0; up && n < 100; up = nodes.get(up)?.department.parent_id ?? null, n++)
			if (up === id)
				return true
		return false
	}
	for (const n of nodes.values()) {
		const up = nodes.get(n.department.parent_id ?? '')
		if (up && !above(up.department, n.department.id))
			up.below.push(n)
		else
			top.push(n)
	}
	for (const p of org.people) {
		const team = teams.get(p.team_id ?? ''), department = nodes.get(p.department_id ?? '')
		if (team)
			team.people.push(p)
		else if (department)
			department.people.push(p)
		else
			alone.push(p)
	}
	for (const t of teams.values()) {
		const d = nodes.get(t.team.department_id ?? '')
		if (d)
			d.teams.push(t)
		else
			loose.push(t)
	}
	const count = (n: DepartmentNode): number => (n.count = n.people.length + n.teams.reduce((s, t) => s + t.people.length, 0) + n.below.reduce((s, b) => s + count(b), 0))
	top.forEach(count)
	return { top, loose, alone }
}

/** Who reports to nobody that is seen stands at the top; then by how many are below. */
export function lines(org: Org): LineNode[] {
	const nodes = new Map<string, LineNode>(org.people.map(p => [p.id, { person: p, below: [], count: 0 }]))
	const top: LineNode[] = []
	const circular = (p: OrgPerson): boolean => {
		let up = p.reports_to_id
		for (let n = 0; up && n < 100; n++) {
			if (up === p.id)
				return true
			up = nodes.get(up)?.person.reports_to_id ?? null
		}
		return false
	}
	for (const n of nodes.values()) {
		const up = nodes.get(n.person.reports_to_id ?? '')
		if (up && !circular(n.person))
			up.below.push(n)
		else
			top.push(n)
	}
	const count = (n: LineNode): number => (n.count = n.below.reduce((s, b) => s + 1 + count(b), 0))
	top.forEach(count)
	const order = (list: LineNode[]) => {
		list.sort((a, b) => b.count - a.count || a.person.name.localeCompare(b.person.name, 'zh'))
		list.forEach(n => order(n.below))
	}
	order(top)
	return top
}
