/* From a customer to the list one came from, as it was. */
import type { Router } from 'vue-router'

/** Is what the browser's history holds before this page a list of customers? */
export const isList = (path: unknown): boolean => typeof path === 'string' && /^\/customers(\?|$)/.test(path)

export function backToList(router: Router): unknown {
	return isList(history.state?.back) ? router.back() : router.push('/customers')
}
