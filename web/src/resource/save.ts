/** Lets the browser keep what an address answers, without holding it in the page. */
export function saveFrom(url: string) {
	const a = document.createElement('a')
	a.href = url
	a.download = ''
	document.body.append(a)
	a.click()
	a.remove()
}
