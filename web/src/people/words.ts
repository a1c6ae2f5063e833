/* Words of roles, departments, people and leavers. */
export const zh = {
	scope: { none: '无', own: '本人', team: '班组', department: '部门及下级', centre: '全部' },
	roles: {
		lead: '每个岗位能做什么、能看到哪些数据。改动先列出来，确认后立即对所有打开的页面生效。', choose: '角色', shipped: '随程序自带', own: '自定义', changed: '已改动', rights: '功能权限', data: '数据权限',
		data_lead: '每类数据能看、能改、能删到什么范围。“班组”是本人所在和带领的班组，“部门及下级”是本人所在和负责的部门。', area: '数据', read: '看', write: '改', remove: '删', export: '导出', import: '导入', fields: '字段',
		all_fields: '全部', fields_n: '{n} 个受限', field_open: '可改', field_fixed: '只看', field_hidden: '不可见', exception: '为一种数据单独设置…', drop: '去掉单独设置',
		save: '查看改动并保存', reset: '恢复自带权限', copy: '复制角色', copy_name: '新角色的名称', copy_suffix: '（副本）', drop_role: '删除角色', remove_ask: '删除角色“{name}”？', people: '有此角色的人', people_none: '还没有人有这个角色。',
		diff: '这些会改变', diff_none: '没有改动。', diff_people: '{n} 个人有这个角色，保存后立即生效。', on: '开启', off: '关闭', saved: '已保存', copied: '已复制为“{name}”', reset_ask: '恢复后与程序自带的同名角色一致，并随程序升级。',
		more: '您只能给出自己有的权限。超出的部分：', readonly: '您只能查看。', everything: '一切', name: '名称', note: '说明', undo: '放弃改动', more_people: '另有 {n} 人',
	},
	org: {
		tree: '部门', chart: '汇报关系', head: '负责人', lead_of: '组长', people: '{n} 人', none: '还没有部门。先建一个，再把班组拖进去。', add: '新建部门', add_below: '建下级', edit: '修改', add_team: '新建班组', loose: '不在任何部门的班组',
		no_team: '不在任何班组的人', empty: '空部门', drag: '拖到另一个部门上即可移动；键盘：在部门上按 M，再选上级。', moved: '已移动', top: '移到最上级', move_to: '把“{name}”移到哪个部门？', move: '移动', reports: '按“汇报对象”画出；没有汇报对象的人在最上面。',
		chart_none: '还没有人设置汇报对象。在人员的表单里填写“汇报对象”。', open: '展开或收起', find: '找人、班组、部门', below: '下属 {n} 人',
	},
	person: {
		title: '人员', role: '角色', team: '班组', department: '部门', seat: '工位', reports: '汇报对象', below: '下属', queues: '队列', devices: '话机', customers: '客户', extension: '分机号', staff_no: '工号', login: '登录名', none: '无', edit: '修改资料',
		inactive: '已停用', active: '在职', leave: '办理离职', back: '重新启用', back_ask: '重新启用“{name}”？原来的密码仍然有效。', reactivated: '已重新启用', history: '离职交接', level: '第 {n} 级', gone: '找不到这个人，或者您看不到。', calls: '通话记录',
	},
	leave: {
		title: '{name} 离职', lead: '确认后立即生效：所有打开的页面退出，浏览器电话和话机不能再接打；网页上正在进行的通话会断开，话机上的可以说完。通话记录和小结都保留。', again: '{name} 的客户移交', customers: '他的 {n} 个客户', next: '{n} 个约了下次联系（其中 {due} 个已过期），随客户转给新的归属人。',
		drafts: '{n} 份没写完的小结：客户的随客户转交。', beyond: '{n} 个客户不在您的管理范围，暂时不动。', none: '他名下没有客户。', rule: '怎么移交', people: '分给选定的人', team: '平均分给本班组', pool: '放回公海', keep: '暂不移交，以后再分', add: '添加接收人', weight: '权重', cap: '上限', has: '现有', gets: '分到', no_cap: '不限',
		remove: '去掉', to_pool: '进公海', preview: '预览', by_hand: '逐个调整', to: '移交给', hand_more: '只列出前 {n} 个；其余按规则分。', go: '确认离职', go_again: '开始移交', go_ask: '“{name}”马上不能登录和接打电话，{n} 个客户将移交。', running: '正在移交 {done} / {n}…', done: '已移交 {n} 个客户。', done_keep: '已停用，客户未动。',
		certificate: '下载交接凭证', undo: '撤销', undo_ask: '撤销后“{name}”重新启用，仍在接收人名下的客户全部还给他。', undone: '已撤销，收回 {n} 个客户。', seed: '随机种子', seed_help: '同一种子、同样的客户，任何人都能算出同样的结果；凭证里有每个客户的抽签值。', cont: '继续移交', nobody: '本班组没有其他坐席。', choose: '先选接收人。', kept: '{n} 个没动：已经是别人的了',
	},
}

export const en: typeof zh = {
	scope: { none: 'None', own: 'Own', team: 'Team', department: 'Department +', centre: 'All' },
	roles: {
		lead: 'What each post may do and which data it sees. Changes are listed first; once confirmed they take effect at once in every open page.', choose: 'Roles', shipped: 'Ready-made', own: 'Your own', changed: 'Changed', rights: 'Rights', data: 'Data',
		data_lead: 'How far each kind of data is seen, changed and removed. “Team” is the teams one is in or leads; “Department +” is those one belongs to or heads, with all below.', area: 'Data', read: 'See', write: 'Change', remove: 'Remove', export: 'Export', import: 'Import', fields: 'Fields',
		all_fields: 'All', fields_n: '{n} limited', field_open: 'May change', field_fixed: 'See only', field_hidden: 'Hidden', exception: 'Set one kind of data apart…', drop: 'No longer apart',
		save: 'Review and save', reset: 'Back to ready-made', copy: 'Copy role', copy_name: 'Name of the new role', copy_suffix: ' (copy)', drop_role: 'Delete role', remove_ask: 'Delete the role “{name}”?', people: 'Who has it', people_none: 'Nobody has this role yet.',
		diff: 'This will change', diff_none: 'Nothing changed.', diff_people: '{n} people have this role. It takes effect as soon as it is saved.', on: 'on', off: 'off', saved: 'Saved', copied: 'Copied as “{name}”', reset_ask: 'The role is again as the program ships it, and follows upgrades.',
		more: 'You can give only what you have yourself. Beyond it:', readonly: 'You can only look.', everything: 'Everything', name: 'Name', note: 'Note', undo: 'Discard changes', more_people: '{n} more',
	},
	org: {
		tree: 'Departments', chart: 'Reporting lines', head: 'Head', lead_of: 'Lead', people: '{n} people', none: 'No departments yet. Add one, then drag teams into it.', add: 'New department', add_below: 'Add below', edit: 'Edit', add_team: 'New team', loose: 'Teams in no department',
		no_team: 'People in no team', empty: 'Empty department', drag: 'Drag onto another department to move. By keyboard: press M on a department, then choose.', moved: 'Moved', top: 'To the top', move_to: 'Where does “{name}” belong?', move: 'Move', reports: 'Drawn from “Reports to”; who reports to nobody stands at the top.',
		chart_none: 'Nobody reports to anybody yet. Fill in “Reports to” in a person’s form.', open: 'Show or hide', find: 'Find people, teams, departments', below: '{n} reports',
	},
	person: {
		title: 'Person', role: 'Role', team: 'Team', department: 'Department', seat: 'Seat', reports: 'Reports to', below: 'Reports', queues: 'Queues', devices: 'Telephones', customers: 'Customers', extension: 'Extension', staff_no: 'Staff number', login: 'Login', none: 'None', edit: 'Edit',
		inactive: 'Switched off', active: 'Active', leave: 'Leaves the company', back: 'Switch on again', back_ask: 'Switch “{name}” on again? The old password still works.', reactivated: 'Switched on again', history: 'Handovers', level: 'level {n}', gone: 'No such person, or not one that you may see.', calls: 'Calls',
	},
	leave: {
		title: '{name} leaves', lead: 'Takes effect at once: every open page is logged out, browser phone and desk phones take and place no more calls; a call in the browser ends, one on a desk phone may be finished. Calls and notes stay.', again: 'Hand over {name}’s customers', customers: '{n} customers', next: '{n} have a next contact ({due} overdue); it goes with the customer.',
		drafts: '{n} unfinished notes: those about customers go with them.', beyond: '{n} customers are not yours to give; they stay.', none: 'No customers to hand over.', rule: 'How', people: 'To chosen people', team: 'Equally to the team', pool: 'Into the pool', keep: 'Not now', add: 'Add somebody', weight: 'Weight', cap: 'At most', has: 'Has', gets: 'Gets', no_cap: 'no limit',
		remove: 'Remove', to_pool: 'Into the pool', preview: 'Preview', by_hand: 'One by one', to: 'To', hand_more: 'The first {n} are listed; the others follow the rule.', go: 'Confirm', go_again: 'Hand over', go_ask: '“{name}” can no longer log in or call from this moment; {n} customers are handed over.', running: 'Handing over {done} of {n}…', done: '{n} customers were handed over.', done_keep: 'Switched off; customers stay.',
		certificate: 'Download the certificate', undo: 'Undo', undo_ask: '“{name}” is switched on again, and gets back every customer that is still where it was put.', undone: 'Undone; {n} customers were given back.', seed: 'Seed', seed_help: 'With the same seed and customers anybody gets the same result; the certificate has the draw of each customer.', cont: 'Go on', nobody: 'Nobody else in the team takes calls.', choose: 'Choose somebody first.', kept: '{n} left: they are somebody else’s by now',
	},
}
