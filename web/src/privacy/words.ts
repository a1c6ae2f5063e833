/* Words of privacy: numbers shown for a reason, who saw and changed what, erasing a person. */
export const zh = {
	dial_customers: '从客户页面或通话记录拨打',
	eye: '查看完整号码', reveal_title: '查看完整号码', reveal_lead: '号码显示 30 秒。谁、什么时候、为什么查看，都会记入操作记录。', reveal_why: '原因', reveal_do: '查看',
	reveal_ready: { verify: '核对客户身份', wrong: '客户说号码有误', other: '用其他电话联系', handover: '转交同事办理' },
	left: '今天还可查看 {n} 次', left_none: '今天的次数已用完', seconds: '{n} 秒后隐藏', hide: '隐藏号码', used_up: '今天的查看次数已用完',
	audit: '操作记录', audit_lead: '谁在什么时候看过、改过、导出过什么。', audit_of: '「{name}」：谁看过改过', audit_of_row: '一条{resource}：谁看过改过', audit_link: '谁看过改过', audit_all: '看全部记录',
	time: '时间', person: '人员', action: '动作', kind: '对象', what: '内容', row: '记录', from: '从', to: '到', all: '全部', system: '系统', clear: '清除条件', more: '更早的', end: '没有更早的了', empty: '没有符合的记录', empty_hint: '换个时间、人员或动作试试。', gone: '已删除', before_after: '{a} → {b}', none: '（空）', body_erased: '内容已随客户清除',
	range: '时间段', ranges: { today: '今天', week: '近 7 天', month: '近 30 天', all: '全部', custom: '自选' },
	actions: { see: '查看', create: '新建', update: '修改', delete: '删除', export: '导出', reveal: '查看号码', erase: '清除客户', import: '导入', claim: '领取', release: '放回公海', merge: '合并', unmerge: '撤销合并', assign: '分配', allot: '分配', undo: '撤销', login: '登录', ask: '申请', attach: '添加附件', detach: '删除附件', bulk: '批量操作', import_undo: '撤销导入', leave: '离职交接', leave_undo: '撤销交接', lift: '解除封禁', phone_removed: '删除号码' },
	verify: '核对完整性', verifying: '正在核对…', verify_hint: '每条记录都带着前一条的印记；有人在数据库里改过或删过，就会在这里看到。', verify_ok: '{n} 条记录完好，没有被改动过。', verify_erased: '其中 {n} 条的内容随客户清除，印记仍在。', verify_bad: '第 {n} 条与写入时不符：有人绕过话务改动了记录。请保留备份并查明原因。',
	erase: '清除个人信息', erase_title: '清除「{name}」的个人信息', erase_goes: '会清除', erase_goes_list: { a: '姓名、号码和客户的全部资料', b: '小结的文字、附件、申请和导入留底', c: '通话记录里的号码和文字', d: '操作记录里与本人有关的内容' }, erase_stays: '会留下', erase_stays_list: { a: '通话的时间、时长、坐席等统计数字', b: '「谁在什么时候清除」这一条记录', c: '录音按「隐私规则」保留或到期删除', d: '已经导出的文件、备份和保存期内的信令' },
	erase_why: '原因', erase_ready: { asked: '客户要求删除', law: '依法删除', wrong: '误录的资料' }, erase_type: '输入「{name}」确认', erase_never: '清除后不能恢复。', erase_do: '永久清除', erase_busy: '正在清除…', erase_done: '已清除。通话里的文字在后台继续清理，重启后也会接着做。',
	is_erased: '这位客户的个人信息已经清除。下面只剩统计需要的时间和数字。', is_erased_when: '{user} 于 {t} 清除，原因：{why}',
}
export const en: typeof zh = {
	dial_customers: 'Call from a customer or the history',
	eye: 'Show the whole number', reveal_title: 'Show the whole number', reveal_lead: 'It is shown for 30 seconds. Who looked, when and why goes into the activity log.', reveal_why: 'Reason', reveal_do: 'Show',
	reveal_ready: { verify: 'Check who it is', wrong: 'Customer says it is wrong', other: 'Call from another telephone', handover: 'Hand over to a colleague' },
	left: '{n} more today', left_none: 'That was the last one today', seconds: 'hidden in {n} s', hide: 'Hide the number', used_up: 'Today’s numbers are used up',
	audit: 'Activity log', audit_lead: 'Who saw, changed or exported what, and when.', audit_of: '“{name}”: who saw or changed it', audit_of_row: 'One of {resource}: who saw or changed it', audit_link: 'Who saw or changed it', audit_all: 'Show everything',
	time: 'Time', person: 'Person', action: 'Action', kind: 'Kind', what: 'What', row: 'Row', from: 'From', to: 'To', all: 'All', system: 'System', clear: 'Clear', more: 'Earlier', end: 'Nothing earlier', empty: 'Nothing found', empty_hint: 'Try another time, person or action.', gone: 'deleted', before_after: '{a} → {b}', none: '(empty)', body_erased: 'Erased with the customer',
	range: 'Time', ranges: { today: 'Today', week: 'Last 7 days', month: 'Last 30 days', all: 'All', custom: 'Choose' },
	actions: { see: 'Opened', create: 'Added', update: 'Changed', delete: 'Deleted', export: 'Exported', reveal: 'Showed number', erase: 'Erased person', import: 'Imported', claim: 'Claimed', release: 'Released', merge: 'Merged', unmerge: 'Merge undone', assign: 'Assigned', allot: 'Allotted', undo: 'Undone', login: 'Logged in', ask: 'Asked for', attach: 'File added', detach: 'File removed', bulk: 'Bulk action', import_undo: 'Import undone', leave: 'Handover', leave_undo: 'Handover undone', lift: 'Block lifted', phone_removed: 'Number removed' },
	verify: 'Check integrity', verifying: 'Checking…', verify_hint: 'Each line carries the seal of the one before it; what somebody changes or removes in the database is seen here.', verify_ok: 'All {n} lines are as they were written.', verify_erased: 'The text of {n} of them was erased with its customer; their seals hold.', verify_bad: 'Line {n} is not as it was written: somebody changed the log around Huawu. Keep the backups and find out why.',
	erase: 'Erase personal data', erase_title: 'Erase the personal data of “{name}”', erase_goes: 'Goes', erase_goes_list: { a: 'Name, numbers and all fields of the customer', b: 'Texts of notes, attachments, requests, kept import rows', c: 'Numbers and texts in call records', d: 'What the activity log says of the person' }, erase_stays: 'Stays', erase_stays_list: { a: 'Times, durations and agents of calls, for figures', b: 'The line that says who erased and when', c: 'Recordings, as the privacy rules say', d: 'Files already exported, backups, signalling within its days' },
	erase_why: 'Reason', erase_ready: { asked: 'The customer asked for it', law: 'Required by law', wrong: 'Entered by mistake' }, erase_type: 'Type “{name}” to confirm', erase_never: 'This cannot be undone.', erase_do: 'Erase for ever', erase_busy: 'Erasing…', erase_done: 'Erased. Texts of calls are cleared in the background, also after a restart.',
	is_erased: 'This customer’s personal data have been erased. Only times and figures are left.', is_erased_when: 'Erased by {user} on {t}. Reason: {why}',
}
