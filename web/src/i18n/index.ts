import { createI18n } from 'vue-i18n'
import { api, setContext } from '@/api/client'
import en from './en'
import zh from './zh'

export type Lang = 'zh' | 'en'
const KEY = 'huawu.lang'

function first(): Lang {
	const kept = localStorage.getItem(KEY)
	if (kept === 'zh' || kept === 'en')
		return kept
	return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

export const i18n = createI18n({ legacy: false, locale: first(), fallbackLocale: 'zh', messages: { zh, en } })

export const lang = () => i18n.global.locale.value as Lang

function apply() {
	document.documentElement.lang = lang() === 'zh' ? 'zh-CN' : 'en'
	setContext({ lang: lang(), noAnswer: () => i18n.global.t('app.no_answer') })
}
apply()

/** Switches the page; @tell also tells the server, so that its sentences follow on other machines. */
export function setLang(l: Lang, tell = false) {
	i18n.global.locale.value = l
	localStorage.setItem(KEY, l)
	apply()
	if (tell)
		api.session.setLang(l).catch(() => {})
}

/** The label of something the server describes in both languages. */
export const inLang = (o: { zh: string; en: string }): string => (lang() === 'zh' ? o.zh : o.en) || o.en || o.zh
