/* A campaign as it is being written: the row's values by its declaration, and who works for it, which are rows of their own. */
import { reactive } from 'vue'
import { ApiError, resource } from '@/api/client'
import type { MetaResource, Row } from '@/api/types'
import { i18n } from '@/i18n'
import { body, check, editable, initial, shown, type Values } from '@/resource/form'
import { firstWrong, hoursRight, membersDiff, stepOf, type Held, type StepName, type Wanted } from './campaign'

export interface Member { key: string; name: string; more?: string; share?: number }
const PARTS = [
	{ part: 'teams', resource: 'campaign_teams', field: 'team_id', shares: true },
	{ part: 'agents', resource: 'campaign_agents', field: 'user_id', shares: true },
	{ part: 'numbers', resource: 'campaign_numbers', field: 'shown_id', shares: false },
] as const
type Part = (typeof PARTS)[number]['part']
export type CampaignForm = ReturnType<typeof useForm>
const t = i18n.global.t
const has = (key: string) => i18n.global.te(key)

export function useForm(meta: MetaResource, row: Row | null) {
	const form = reactive({
		meta, row,
		values: { ...initial(meta, row), ...(row && row.results ? { results: JSON.stringify(row.results) } : {}) } as Values,
		wrong: {} as Record<string, string>,
		parts: { teams: [], agents: [], numbers: [] } as Record<Part, Member[]>,
		kept: '', /* the parts as they are on the server */
	})
	const asText = () => JSON.stringify(PARTS.map(p => form.parts[p.part].map(m => [m.key, m.share ?? 0]).sort()))
	form.kept = asText()

	async function held(p: (typeof PARTS)[number], id: string): Promise<Row[]> {
		return (await resource.list(p.resource, { campaign_id: id, limit: 1000 })).items
	}
	/** Who works for an existing one. */
	async function loadParts() {
		const id = form.row?.id
		if (!id)
			return
		for (const p of PARTS)
			form.parts[p.part] = (await held(p, id)).map(r => ({ key: String(r[p.field]), name: String(r[`${p.field}_label`] ?? ''), ...(p.shares ? { share: Number(r.share) } : {}) }))
		form.kept = asText()
	}
	const field = (name: string) => meta.fields.find(f => f.name === name)
	function checkOne(name: string) {
		const f = field(name)
		delete form.wrong[name]
		if (!f || !shown(f, form.values) || !editable(f, !form.row))
			return
		const w = check(f, form.values[name], !form.row)
		if (w)
			form.wrong[name] = t(`resource.${w.code}`, { n: w.n ?? 0 })
		else if (name === 'hours' && !hoursRight(String(form.values.hours ?? '')))
			form.wrong.hours = t('campaign.wizard.hours_wrong')
	}
	/** Every field, or those of a step; the first step with something wrong. */
	function checkAll(only?: StepName): StepName | null {
		for (const k of Object.keys(form.wrong))
			if (!only || stepOf(k) === only)
				delete form.wrong[k]
		for (const f of meta.fields)
			if (!only || stepOf(f.name) === only)
				checkOne(f.name)
		return only ? (firstWrong(Object.fromEntries(Object.entries(form.wrong).filter(([k]) => stepOf(k) === only)))) : firstWrong(form.wrong)
	}
	/** What a start asks for besides: said at its fields. */
	function lacks(what: readonly string[]) {
		for (const k of what)
			form.wrong[k] = t('resource.required')
	}
	function refused(e: unknown) {
		const fields = e instanceof ApiError ? e.fields : {}
		for (const [name, code] of Object.entries(fields))
			form.wrong[name] = has(`resource.code.${code}`) ? t(`resource.code.${code}`) : code
	}
	const changed = () => asText() !== form.kept || Object.keys(safely(() => body(meta, form.values, form.row)) ?? {}).length > 0
	function safely<T>(f: () => T): T | null {
		try {
			return f()
		} catch {
			return null
		}
	}

	async function storePart(p: (typeof PARTS)[number], id: string) {
		const have: Held[] = (await held(p, id)).map(r => ({ id: r.id, rev: r.rev, key: String(r[p.field]), ...(p.shares ? { share: Number(r.share) } : {}) }))
		const want: Wanted[] = form.parts[p.part].map(m => ({ key: m.key, share: m.share }))
		const d = membersDiff(have, want)
		for (const a of d.add)
			await resource.create(p.resource, { campaign_id: id, [p.field]: a.key, ...(p.shares ? { share: a.share ?? 1 } : {}) })
		for (const c of d.change)
			await resource.update(p.resource, c.id, c.rev, { share: c.to })
		for (const r of d.remove)
			await resource.remove(p.resource, r.id, r.rev)
	}
	/** Writes what differs. May be called again after it failed half-way: nothing is made twice. */
	async function store(): Promise<Row> {
		const b = body(meta, form.values, form.row)
		if (!form.row)
			form.row = await resource.create('campaigns', b)
		else if (Object.keys(b).length)
			form.row = await resource.update('campaigns', form.row.id, form.row.rev, b)
		for (const p of PARTS)
			await storePart(p, form.row.id)
		form.kept = asText()
		return form.row
	}
	return { form, field, loadParts, checkOne, checkAll, lacks, refused, changed, store }
}
