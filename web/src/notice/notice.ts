/* A notice as one sees it. Pure. */
import type { components } from '@/api/schema'

export type Notice = components['schemas']['notices_mine']['items'][number]
export type NoticeReads = components['schemas']['notice_reads']

export const overAt = (n: Pick<Notice, 'until_ms'>, nowMs: number) => n.until_ms !== null && n.until_ms <= nowMs
