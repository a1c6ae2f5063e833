/* Start, pause, stop: at once, with what is said about it. */
import { ref } from 'vue'
import { ApiError, campaigns } from '@/api/client'
import { ask, bad, good } from '@/components/say'
import { i18n } from '@/i18n'
import type { Action, CampaignRow } from './campaign'

const t = i18n.global.t

export function useActs(changed: (row: CampaignRow) => void) {
	const busy = ref('')
	async function act(c: CampaignRow, what: Action): Promise<void> {
		if (busy.value || (what === 'stop' && !await ask(t('campaign.stop_ask', { name: c.name }), t('campaign.act.stop'))))
			return
		busy.value = c.id
		try {
			const r = await campaigns[what](c.id)
			good(r.changed ? t(`campaign.acted.${what}`, { name: c.name }) : t('campaign.already'))
			changed(r.campaign)
		} catch (e) {
			const lacks = what === 'start' && e instanceof ApiError ? Object.keys(e.fields) : []
			bad(lacks.length ? t('campaign.lacks', { what: lacks.map(f => t(`campaign.lack.${f}`)).join('、') }) : (e as Error).message)
		} finally {
			busy.value = ''
		}
	}
	return { busy, act }
}
