/* Short news and questions, in one place. */
import { ElMessage, ElMessageBox } from 'element-plus'
import { i18n } from '@/i18n'

const t = i18n.global.t

export const good = (text: string) => ElMessage({ message: text, type: 'success', duration: 2500, grouping: true })
export const bad = (text: string) => ElMessage({ message: text, type: 'error', duration: 6000, showClose: true, grouping: true })

/** Runs an action; a refusal is shown as the server's sentence. True: it went well. */
export async function tryIt(action: () => Promise<unknown>, done?: string): Promise<boolean> {
	try {
		await action()
		if (done)
			good(done)
		return true
	} catch (e) {
		bad((e as Error).message || t('app.failed'))
		return false
	}
}

export async function ask(text: string, yes: string, danger = true): Promise<boolean> {
	try {
		await ElMessageBox.confirm(text, { confirmButtonText: yes, cancelButtonText: t('app.cancel'), type: danger ? 'warning' : 'info', confirmButtonClass: danger ? 'el-button--danger' : '', autofocus: true })
		return true
	} catch {
		return false
	}
}
