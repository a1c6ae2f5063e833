import { ref, watchEffect } from 'vue'

export type Theme = 'auto' | 'light' | 'dark'
const KEY = 'huawu.theme'
const kept = localStorage.getItem(KEY)
export const theme = ref<Theme>(kept === 'light' || kept === 'dark' ? kept : 'auto')
export const dark = ref(false)
const system = window.matchMedia('(prefers-color-scheme: dark)')

function apply() {
	dark.value = theme.value === 'dark' || (theme.value === 'auto' && system.matches)
	document.documentElement.classList.toggle('dark', dark.value)
}
system.addEventListener('change', apply)
watchEffect(() => {
	localStorage.setItem(KEY, theme.value)
	apply()
})
