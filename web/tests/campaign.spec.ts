import { describe, expect, it } from 'vitest'
import { abandonedShare, actionsOf, addLive, answeredShare, byCount, dialsPerAgent, fine, firstWrong, funnelOf, healthOf, hoursRight, jobPart, leadsOf, LIVE_KEEP_MS, membersDiff, pacingOf, sortSummaries, stepOf, verdictOf, whyOf, type DaySheet, type Job, type Progress, type Summary } from '@/campaign/campaign'
import { zh } from '@/campaign/words'
import { alarmText } from '@/live/alarms'
import type { Alarm, CampaignLive } from '@/api/types'

const NOW = Date.UTC(2026, 10, 23, 2)
function summary(more: Partial<Summary> = {}, row: Partial<Summary['campaign']> = {}): Summary {
	return {
		leads: { open: 12, done: 6, closed: 2 }, all: { dials: 20, answered: 6, abandoned: 0, talk_ms: 0, ring_ms: 0 }, today: { dials: 20, answered: 6, abandoned: 0, talk_ms: 0, ring_ms: 0 },
		forecast: { due: 0, per_hour: 0, left: 0, end_ms: 0, dry_ms: 0, next_ms: NOW + 7 }, ring_backs: 0, people: 3, refused_today: 4, why: { code: 'more', at_ms: NOW, more_ms: 0, refused: 0 },
		campaign: { id: '1', name: 'a', state: 'running', mode: 'predictive', limit_permille: 30, priority: 0, created_ms: NOW, ...row } as Summary['campaign'], ...more,
	}
}
const live = (more: Partial<CampaignLive>): CampaignLive => ({ id: '1', name: 'a', today: { dialled: 0, answered: 0, abandoned: 0 }, running: true, ...more })

describe('progress', () => {
	it('counts who is through, and divides by nobody', () => {
		expect(leadsOf({ open: 12, done: 6, closed: 2 })).toMatchObject({ total: 20, part: 0.4 })
		expect(leadsOf({}).part).toBe(0)
	})
	it('of those who answered, so many found nobody', () => {
		expect(abandonedShare({ answered: 97, abandoned: 3 })).toBe(0.03)
		expect(abandonedShare({ answered: 0, abandoned: 0 })).toBeNull()
		expect(answeredShare({ dials: 200, answered: 57, abandoned: 3 })).toBe(0.3)
		expect([0.0294, 0.03, 0.1, 0, null].map(fine)).toEqual(['2.9%', '3%', '10%', '0%', '–'])
	})
	it('what may be pressed; ended is for good', () => expect((['draft', 'running', 'paused', 'ended'] as const).map(actionsOf)).toEqual([['start'], ['pause', 'stop'], ['start', 'stop'], []]))
	it('running ones stand first, then by priority, then the newest', () => {
		const s = (id: string, row: Partial<Summary['campaign']>) => summary({}, { id, ...row })
		expect(sortSummaries([s('1', { state: 'ended' }), s('2', { state: 'draft' }), s('3', {}), s('4', { priority: 5 }), s('5', { created_ms: NOW + 1 })]).map(x => x.campaign.id)).toEqual(['4', '5', '3', '2', '1'])
	})
})

describe('why there is no call', () => {
	it('a list is not through while somebody waits in it', () => {
		expect(whyOf(summary(), live({ why: 'empty' }))).toMatchObject({ code: 'later', named: { n: 12, at: NOW + 7 } })
		expect(whyOf(summary({ leads: { done: 3, closed: 1 } }), live({ why: 'empty' })).code).toBe('empty')
	})
	it('has words for every code', () => {
		const codes = ['paused', 'stopping', 'no_members', 'nobody', 'trunk', 'dialling', 'busy', 'slow', 'empty', 'later', 'hours', 'guard', 'resting', 'state', 'asking', 'more', 'lines', 'connecting', 'pacing']
		expect(codes.filter(c => whyOf(summary({ leads: { done: 3 } }), live({ why: c, verdict: 'hold' })).code !== c)).toEqual([])
		for (const c of [...codes, 'pacing_limit', 'draft', 'ended', 'unknown'])
			expect(zh.why).toHaveProperty(c)
	})
	it("the row's state goes before what the switch told last", () => expect(whyOf(summary({}, { state: 'paused' }), live({ why: 'dialling' })).code).toBe('paused'))
	it('without the switch the data speak', () => {
		expect(whyOf(summary({ why: { code: 'hours', at_ms: NOW, more_ms: NOW + 9, refused: 0 } }), undefined)).toMatchObject({ code: 'hours', named: { at: NOW + 9 } })
		expect(whyOf(summary({ why: { code: 'nobody', at_ms: 0, more_ms: 0, refused: 0 }, people: 0 }), undefined).code).toBe('no_members')
		expect(whyOf(summary({ why: { code: 'nobody', at_ms: 0, more_ms: 0, refused: 0 } }), undefined)).toMatchObject({ code: 'nobody', named: { n: 3 } })
	})
	it('when it goes on is what the data say, not when the switch looks again', () => {
		expect(whyOf(summary({ why: { code: 'hours', at_ms: NOW, more_ms: NOW + 3_600_000, refused: 0 } }), live({ why: 'hours', at: NOW + 60_000 })).named.at).toBe(NOW + 3_600_000)
		expect(whyOf(summary(), live({ why: 'later', at: NOW + 60_000 })).named).toMatchObject({ at: NOW + 7, n: 12 })
	})
	it('pacing holds, or its budget is spent; with its numbers', () => {
		const w = whyOf(summary(), live({ why: 'pacing', verdict: 'hold', risk: 42_000, price: 31_000, answered: 200, abandoned: 5, limit: 30 }))
		expect(w).toMatchObject({ code: 'pacing', named: { risk: 0.042, price: 0.031, abandoned: 0.025, limit: 0.03 } })
		expect(whyOf(summary(), live({ why: 'pacing', verdict: 'progressive' })).code).toBe('pacing_limit')
	})
	it('what a newer server says is not known', () => expect(whyOf(summary(), live({ why: 'tomorrow' })).code).toBe('unknown'))
	it('dials for each agent who is there', () => {
		expect(dialsPerAgent(live({ agents: 4, ringing: 6 }))).toBe(1.5)
		expect(dialsPerAgent(live({ agents: 0, ringing: 1 }))).toBeNull()
	})
	it('a list that runs dry is said with its minutes, or that it is now', () => {
		const t = (key: string, named?: Record<string, unknown>) => `${key} ${named?.detail ?? ''}`.trim()
		const a = (detail: string) => ({ what: 'list_dry', name: 'x', detail } as Alarm)
		expect([alarmText(a('12'), t, () => false), alarmText(a('0'), t, () => true), alarmText(a('12'), t, k => k === 'alarm.list_dry')]).toEqual(['x: 12', 'alarm.list_dry_now', 'alarm.list_dry 12'])
	})
})

describe('charts', () => {
	const slot = (more: object) => ({ dialled: 0, answered: 0, abandoned: 0, abandoned_sum: 0, allowed_milli: 0, slack_milli: 0, price_ppm: 0, ...more })
	it('begin with the first dial and end now', () => {
		const sheet: DaySheet['sheet'] = { from_ms: 0, slot_ms: 100, limit_permille: 30, slots: [slot({}), slot({ dialled: 4, answered: 2, allowed_milli: 60 }), slot({ dialled: 3, abandoned_sum: 1, allowed_milli: 90, price_ppm: 25_000 }), slot({ abandoned_sum: 1 }), slot({})] }
		expect(pacingOf(sheet, 250)).toEqual({ from: 100, to: 250, at: [200, 250], abandoned: [0, 1], allowed: [0.06, 0.09], price: [null, 2.5], dialled: [4, 3], answered: [2, 0] })
		expect(pacingOf(sheet, 150)).toMatchObject({ from: 100, to: 200, at: [150] }) // one slot, not over yet
		expect(pacingOf({ ...sheet, slots: [slot({})] }, 250).at).toEqual([])
	})
	it('keep a quarter of an hour', () => {
		const p = (atMs: number) => ({ atMs, ringing: 0, talking: 0, idle: 0, perAgent: 0 })
		expect(addLive([p(0), p(10)], p(LIVE_KEEP_MS + 5)).map(x => x.atMs)).toEqual([10, LIVE_KEEP_MS + 5])
	})
	it('list health: a row an attempt, late ones together', () => {
		const a = (nth: number, result: string, n: number) => ({ nth, result, n, ring_ms: 0, talk_ms: 0 })
		const h = healthOf([a(1, 'noanswer', 6), a(1, 'answered', 3), a(1, 'abandoned', 1), a(6, 'busy', 1), a(9, 'answered', 1)])
		expect(h.results).toEqual(['answered', 'abandoned', 'noanswer', 'busy'])
		expect(h.rows.map(r => [r.nth, r.more, r.total, r.reached])).toEqual([[1, false, 10, 0.4], [6, true, 2, 0.5]])
	})
	it('counts stand by size', () => expect(byCount({ a: 1, b: 3, c: 0, d: 3 })).toEqual([{ code: 'b', n: 3 }, { code: 'd', n: 3 }, { code: 'a', n: 1 }]))
	it('the funnel never has more reached than dialled, and leaves out what one may not see', () => {
		const p = { ...summary(), attempts: [{ nth: 1, result: 'answered', n: 10, ring_ms: 0, talk_ms: 0 }], results: [{ id: '1', name: 'x', n: 4 }], all: { dials: 0, answered: 12, abandoned: 0, talk_ms: 0, ring_ms: 0 } } as unknown as Progress
		expect(funnelOf(p, null, 1).map(s => [s.key, s.n, s.of])).toEqual([['leads', 20, null], ['dialled', 10, 0.5], ['reached', 10, 1], ['noted', 4, 0.4], ['deals', 1, 0.25]])
	})
	it('a number shown is judged from fifty dials on', () => {
		expect([[49, -9], [50, -3.1], [50, -2.5], [50, 0], [50, 2.1]].map(([dials, z]) => verdictOf({ dials: dials!, z: z!, compared: true }))).toEqual(['few', 'bad', 'low', 'good', 'high'])
		expect(verdictOf({ dials: 900, z: -9, compared: false })).toBe('few')
	})
})

describe('the wizard', () => {
	it('knows where a field stands, and the first step with something wrong', () => {
		expect(['name', 'leads', 'agents', 'script', 'hours', 'end_day'].map(stepOf)).toEqual(['about', 'customers', 'people', 'script', 'rules', 'rules'])
		expect(firstWrong({ hours: 'x', agents: 'x' })).toBe('people')
		expect(firstWrong({ hours: '' })).toBeNull()
	})
	it('reads hours as the server does', () => {
		expect(['', '9:00-12:00, 13:30-20:00', '9：00—12：00、14至18', '0-24', '00:00-24:00'].map(hoursRight)).toEqual([true, true, true, true, true])
		expect(['9', '12:00-9:00', '9-12,11-14', '9-25', '9:70-10', 'morning'].map(hoursRight)).toEqual([false, false, false, false, false, false])
	})
	it('writes only what differs of agents and levels', () => {
		const have = [{ id: '1', rev: 1, key: 'a', share: 1 }, { id: '2', rev: 1, key: 'b', share: 1 }, { id: '3', rev: 1, key: 'c', share: 2 }]
		const d = membersDiff(have, [{ key: 'a', share: 1 }, { key: 'b', share: 3 }, { key: 'd', share: 1 }])
		expect([d.add.map(x => x.key), d.change.map(x => [x.key, x.to]), d.remove.map(x => x.key)]).toEqual([['d'], [['b', 3]], ['c']])
	})
	it('long work has a part', () => {
		const j = (more: Partial<Job>): Job => ({ what: 'add', running: true, failed: false, total: 400, done: 100, added: 0, there: 0, removed: 0, closed: 0, ...more })
		expect([null, j({}), j({ total: 0 }), j({ running: false })].map(jobPart)).toEqual([0, 0.25, 0, 1])
	})
})
