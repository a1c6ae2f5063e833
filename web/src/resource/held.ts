/* The name of what a reference field holds: as chosen here, else as the form's row says. */
import { ref, watch, type Ref } from 'vue'

export function useHeld(model: Ref<string | null | undefined>, label: () => string) {
	const name = ref(label())
	let mine: string | null = null /* chosen here; its name is known better than the row's */

	watch([label, model], () => {
		if (mine !== null && model.value === mine)
			return
		mine = null
		name.value = label()
	}, { flush: 'sync' })
	return {
		name,
		choose(id: string, itsName: string) {
			mine = id
			name.value = itsName
			model.value = id
		},
	}
}
