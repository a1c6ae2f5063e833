import { describe, expect, it } from 'vitest'
import { ref } from 'vue'
import { useHeld } from '@/resource/held'

describe('the name of what a reference field holds', () => {
	it('is the row\'s until somebody chooses', () => {
		const model = ref<string | null>(null)
		const label = ref('')
		const held = useHeld(model, () => label.value)
		expect(held.name.value).toBe('')
		label.value = '甲组' /* the row came late */
		expect(held.name.value).toBe('甲组')
	})
	it('stays what was chosen when the row\'s name comes later', () => {
		const model = ref<string | null>(null)
		const label = ref('')
		const held = useHeld(model, () => label.value)
		held.choose('2', '乙组')
		label.value = '甲组'
		expect([model.value, held.name.value]).toEqual(['2', '乙组'])
		held.choose('', '')
		label.value = '丙组'
		expect([model.value, held.name.value]).toEqual(['', ''])
	})
	it('follows the form when it takes what others saved', () => {
		const model = ref<string | null>('1')
		const label = ref('甲组')
		const held = useHeld(model, () => label.value)
		held.choose('2', '乙组')
		model.value = '1' /* the same row, unchanged there: only the value goes back */
		expect(held.name.value).toBe('甲组')
		held.choose('2', '乙组')
		label.value = '丙组'
		model.value = '3'
		expect(held.name.value).toBe('丙组')
	})
})
