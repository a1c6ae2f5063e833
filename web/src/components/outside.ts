/* What was opened closes when one presses elsewhere. */
import { onBeforeUnmount, onMounted, type Ref } from 'vue'

export function useOutside(inside: Ref<HTMLElement | undefined>, pressed: () => void) {
	const look = (e: PointerEvent) => {
		if (inside.value && !inside.value.contains(e.target as Node))
			pressed()
	}
	onMounted(() => document.addEventListener('pointerdown', look, true))
	onBeforeUnmount(() => document.removeEventListener('pointerdown', look, true))
}
