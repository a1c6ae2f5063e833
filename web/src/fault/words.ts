/* Words of fault reports. */
export const zh = {
	button: '报障', button_long: '一键报障', title: '报告故障', lead: '把遇到的问题报给管理员，他立即就能看到。', text: '发生了什么（可以不填）', text_hint: '例如：客户听不到我说话', send: '发送报告', sending: '正在发送…',
	testing: '正在自检电话，约十秒…', skip: '跳过自检', sent: '管理员已经收到', kept: '现在连不上服务器：报告已存在这个页面里，连上后自动发送。', waiting: '{n} 份报告等待发送', own: '我报告过的', none: '还没有报告过故障',
	state_open: '已收到，未处理', state_work: '处理中', state_solved: '已解决', changed: '您的报障有进展：{state}', news: '{name} 报告了故障', look: '查看',
	list_title: '故障报告', list_lead: '坐席用“报障”按钮发来的问题，附带当时的设备、日志、自检和通话。', filter: '状态', all: '全部', empty: '没有故障报告', empty_hint: '坐席在工作台上点“报障”，这里立即收到。',
	when: '时间', who: '报告人', what: '说明', where: '环境', state: '状态', no_text: '（没有填写说明）', detail: '故障详情', remark: '处理说明', remark_hint: '报告人看得到', saved: '已保存',
	call: '相关通话', call_open: '打开这通电话', call_none: '没有相关的通话', devices: '声音设备', dev_audioinput: '麦克风', dev_audiooutput: '听筒', chosen: '选用', no_label: '（未授权，看不到名称）', permissions: '权限', microphone: '麦克风', notifications: '通知',
	granted: '允许', denied: '禁止', prompt: '尚未询问', unknown: '未知', network: '网络', online: '联网', offline: '断网', address: '来自 {a}', phone: '电话', test: '自检', no_test: '没有自检结果', stats: '通话统计', no_stats: '没有通话统计', log: '页面日志', log_n: '最近 {n} 条',
	browser: '浏览器', raw: '原始数据', sent_facts: '一起发送的还有：声音设备和权限、浏览器、页面日志、自检结果、最近一通电话的质量。密码和密钥不会发送。', shot: '报告时间 {t}，收到时间 {c}', state_error: '错误', lost: '丢包 {n}', rtt: '往返 {n} 毫秒', jitter: '抖动 {n} 毫秒',
}
export const en: typeof zh = {
	button: 'Report', button_long: 'Report a fault', title: 'Report a fault', lead: 'Tell the administrator what is wrong; it is on his page at once.', text: 'What happened (may stay empty)', text_hint: 'For example: the customer cannot hear me', send: 'Send the report', sending: 'Sending…',
	testing: 'Testing the telephone, some ten seconds…', skip: 'Skip the test', sent: 'The administrator has it', kept: 'The server cannot be reached: the report is kept in this page and goes by itself later.', waiting: '{n} reports wait to be sent', own: 'What I reported', none: 'Nothing reported yet',
	state_open: 'Received', state_work: 'In work', state_solved: 'Solved', changed: 'News of your report: {state}', news: '{name} reports a fault', look: 'Look',
	list_title: 'Fault reports', list_lead: 'What agents sent by the Report button, with their devices, log, self-test and call of that time.', filter: 'State', all: 'All', empty: 'No fault reports', empty_hint: 'When an agent presses Report at the desk, it is here at once.',
	when: 'Time', who: 'Reported by', what: 'In their words', where: 'Browser', state: 'State', no_text: '(no words)', detail: 'Fault', remark: 'Remark', remark_hint: 'The reporter sees it', saved: 'Saved',
	call: 'Call', call_open: 'Open this call', call_none: 'No call belongs to it', devices: 'Sound devices', dev_audioinput: 'Microphone', dev_audiooutput: 'Speaker', chosen: 'chosen', no_label: '(not allowed, so without a name)', permissions: 'Permissions', microphone: 'Microphone', notifications: 'Notifications',
	granted: 'allowed', denied: 'denied', prompt: 'not asked yet', unknown: 'unknown', network: 'Network', online: 'online', offline: 'offline', address: 'from {a}', phone: 'Telephone', test: 'Self-test', no_test: 'No self-test', stats: 'Call statistics', no_stats: 'No call statistics', log: 'Page log', log_n: 'Last {n} entries',
	browser: 'Browser', raw: 'Raw data', sent_facts: 'This goes along: sound devices and permissions, browser, page log, self-test, quality of the last call. Passwords and keys do not.', shot: 'Reported {t}, received {c}', state_error: 'Error', lost: 'loss {n}', rtt: 'round trip {n} ms', jitter: 'jitter {n} ms',
}
