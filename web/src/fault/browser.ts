/** "Chromium 140 · Linux": what the list shows. */
export function summary(agent = navigator.userAgent): string {
	const b = /(Edg|OPR|Firefox|Chrome|Version)\/(\d+)/.exec(agent.replace(/Chrome\/(\d+)(?=.*(Edg|OPR)\/)/, ''))
	const os = /Windows NT [\d.]+|Mac OS X [\d_]+|Android [\d.]+|Linux|iPhone OS [\d_]+/.exec(agent)?.[0].replaceAll('_', '.') ?? ''
	const name = { Edg: 'Edge', OPR: 'Opera', Version: 'Safari' }[b?.[1] ?? ''] ?? b?.[1] ?? '?'
	return [b ? `${name} ${b[2]}` : '', os].filter(Boolean).join(' · ')
}
