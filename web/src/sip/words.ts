/* Words of the SIP ladder. */
export const zh = {
	title: 'SIP 消息', show: '查看 SIP 消息', lead: '这通电话在中继、话务和坐席话机之间的每一条信令。密码和密钥已遮盖。', masked: '电话号码已遮盖。', more: '消息太多，只显示一部分；下载的文件也是这一部分。',
	none: '没有保存这段时间的 SIP 消息', none_hint: '可能已过保存期限，或者当时没有开启。', download: '下载 pcap', copy: '复制这条', us: '话务', browser: '浏览器', again: '重发',
	list: '消息梯形图', hint: '上下键逐条查看，回车展开', message: '消息 {n} / {all}', direction: '从{from}到{to}', role_customer: '客户侧', role_agent: '坐席侧', role_third: '第三方', line: '中继',
	trunk_title: '{name} 的 SIP 消息', trunk_lead: '这条中继最近的信令，包括注册（REGISTER）和探测（OPTIONS）。', minutes: '最近 {n} 分钟', refresh: '刷新', back: '返回中继', span: '时间范围', of_trunk: '查看 SIP 消息',
	only: '只看', all: '全部', calls: '通话', keep: '注册和探测', shown: '{n} 条',
}
export const en: typeof zh = {
	title: 'SIP messages', show: 'Show SIP messages', lead: 'Each signalling message of this call between line, Huawu and the agent’s telephone. Passwords and keys are blanked.', masked: 'Telephone numbers are masked.', more: 'There are more messages than are shown; the file holds the same part.',
	none: 'No SIP messages are kept from that time', none_hint: 'They may be past their time, or were not being kept.', download: 'Download pcap', copy: 'Copy it', us: 'Huawu', browser: 'browser', again: 'again',
	list: 'Ladder of messages', hint: 'Up and Down step through, Enter opens', message: 'Message {n} of {all}', direction: 'From {from} to {to}', role_customer: 'Customer’s side', role_agent: 'Agent’s side', role_third: 'Third party', line: 'Trunk',
	trunk_title: 'SIP messages of {name}', trunk_lead: 'What was said with this trunk of late, registration (REGISTER) and probes (OPTIONS) included.', minutes: 'Last {n} minutes', refresh: 'Refresh', back: 'Back to the trunk', span: 'Span of time', of_trunk: 'Show SIP messages',
	only: 'Only', all: 'All', calls: 'Calls', keep: 'Registration and probes', shown: '{n} messages',
}
