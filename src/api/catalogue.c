/* Every refusal's sentence, for the person who reads it. Codes are stable; words may change. */
#include "api/api_int.h"

static const struct {
	const char *code, *zh, *en;
} sentences[] = {
	{"bad_json", "请求内容不是有效的 JSON 对象。", "The request body is not a valid JSON object."},
	{"invalid", "有些内容填写得不对，请检查标出的字段。", "Some fields are not right; please check those marked."},
	{"bad_query", "查询条件不正确。", "The query is not right."},
	{"no_session", "请先登录。", "Please log in first."},
	{"bad_login", "用户名或密码不对。", "Login or password is wrong."},
	{"bad_password", "原密码不对。", "The old password is wrong."},
	{"must_change_password", "请先修改密码，再继续使用。", "Please choose a new password first."},
	{"csrf", "这个页面已过期，请刷新后重试。", "This page is out of date; please reload it and try again."},
	{"forbidden", "您没有权限这样做。", "You may not do this."},
	{"bad_origin", "这个连接来自别的网站，已拒绝。", "This connection comes from another site and was refused."},
	{"no_phone", "这个浏览器没有领取电话，请刷新页面。", "This browser holds no telephone; please reload the page."},
	{"not_found", "没有找到。", "It was not found."},
	{"too_large", "内容太多，没有收下。", "It is too much and was not taken."},
	{"no_trace", "没有保存 SIP 消息（配置里关闭了）。", "SIP messages are not kept (switched off in the configuration)."},
	{"no_recording", "录音文件不在了。", "The recording's file is gone."},
	{"conflict", "别人刚刚修改过它，请看过最新内容后再改。", "Somebody changed it meanwhile; look at what is there now and change it again."},
	{"count_changed", "符合条件的行数变了，请确认新的行数后再做。", "Another number of rows fits by now; please confirm the new number."},
	{"in_use", "它还在被使用，不能删除。", "It is still in use and cannot be deleted."},
	{"file_type", "不收这种文件：可以是图片（PNG、JPEG、GIF、WebP）、PDF、TXT、DOCX、XLSX 和录音（WAV、MP3、M4A、OGG）；内容和名称不符的也不收。",
	 "This kind of file is not taken: pictures (PNG, JPEG, GIF, WebP), PDF, TXT, DOCX, XLSX and sound (WAV, MP3, M4A, OGG) are, by what they hold."},
	{"row_full", "附件太多了：每条记录最多 100 MB。", "Too many attachments: a record holds 100 MB at most."},
	{"label_taken", "已经有叫这个名称的字段了。", "Another field is called so already."},
	{"no_text_column", "文字类的自定义字段已用完 24 个：删除一个不用的，等它清空后再加。", "All 24 text columns are used: delete a field that is not needed, and add this one when its column is empty."},
	{"no_number_column", "数字、日期时间、是/否类的自定义字段已用完 16 个：删除一个不用的，等它清空后再加。", "All 16 number columns are used: delete a field that is not needed, and add this one when its column is empty."},
	{"fields_too_often", "自定义字段今天改动太多，请明天再改，或重启服务。", "Custom fields were changed too often today: go on tomorrow, or restart the server."},
	{"taken", "这个号码已属于另一位客户。", "This number belongs to another customer already."},
	{"owned", "这位客户刚刚被别人领走了。", "Somebody else has just claimed this customer."},
	{"yours", "这位客户已经是您的。", "This customer is yours already."},
	{"in_pool", "这位客户在公海里，可以直接领取。", "This customer is in the pool: claim it."},
	{"claim_cap", "今天可领取的客户数已用完。", "You have claimed as many customers as you may today."},
	{"own_cap", "您名下的客户已到上限，请先释放一些。", "You have as many customers as you may; release some first."},
	{"merged", "这位客户已并入另一位客户。", "This customer went into another one."},
	{"erased", "这位客户的资料已抹除。", "This customer has been erased."},
	{"undone", "这次合并已经撤销过了。", "This merge has been taken back already."},
	{"asked", "您已经申请过，请等待处理。", "You have asked already; please wait for the answer."},
	{"ask_cap", "您有太多申请还没有处理，请等一等。", "Too many of your requests still wait for an answer."},
	{"decided", "这个申请已经处理过了。", "This request has been decided already."},
	{"only_one", "这里只有一条，不能新增或删除。", "There is exactly one of these; it can be neither added nor removed."},
	{"rev_required", "缺少版本号（If-Match），请刷新后重试。", "The revision (If-Match) is missing; reload and try again."},
	{"slow_down", "尝试太频繁，请稍后再试。", "Too many attempts; please wait a moment."},
	{"busy", "服务器正忙，请稍后再试。", "The server is busy; please try again in a moment."},
	{"database_away", "数据库暂时连不上：通话不受影响，记录会在恢复后补上；请稍后再试。",
	 "The database is away for now. Calls go on, and their records follow when it is back; please try again later."},
	{"disk_full", "服务器的磁盘满了，无法保存；通话不受影响。请管理员清理磁盘。",
	 "The server's disk is full: nothing can be saved. Calls go on. The administrator has to make room."},
	{"internal", "服务器出错了，管理员可以在日志中看到。", "Something failed on the server; its log says what."},
	{"no_demo", "这里不是演示中心。", "This is not a demo centre."},
	{"unknown", "电话系统还不认识这个人或号码，请稍后再试。", "The telephone system does not know this person or number yet; try again in a moment."},
	{"wrong_state", "现在的状态下不能这样做。", "This cannot be done in the present state."},
	{"no_device", "您的电话没有连接，请检查网络或刷新页面。", "Your telephone is not connected; check the network or reload the page."},
	{"no_trunk", "没有可用的外线。", "There is no line to the outside."},
	{"bad_number", "这个号码不能拨打。", "This number cannot be dialled."},
	{"nobody_in_turn", "这个组现在没有可以轮到的坐席。", "Nobody of this team is there to take a turn."},
	{"has_owner", "这位客户已有归属坐席，不参加轮派。", "This customer has an owner already and is not given by turn."},
	{"no_call", "没有正在进行的通话。", "There is no call."},
	{"full", "线路已满，请稍后再试。", "All lines are busy; please try again in a moment."},
	{"stopping", "服务器正在停止，请稍后再试。", "The server is shutting down; please try again in a moment."},
	{"class_off", "您没有开通拨打这类号码。需要时请管理员在“外呼权限”里开通。", "You may not dial such numbers. An administrator can allow it under Dialling rights."},
	{"abroad_off", "没有开通国际及港澳台长途，或不含这个国家和地区。需要时请管理员在“外呼权限”里开通。", "Calls abroad, or to this country, are not allowed. An administrator can allow them under Dialling rights."},
	{"premium_off", "声讯台号码按高价收费，没有开通。需要时请管理员在“外呼权限”里开通。", "Premium numbers cost extra and are not allowed. An administrator can allow them under Dialling rights."},
	{"barred", "这个号码被管理员设为禁拨。", "An administrator has barred this number."},
	{"minutes_used", "今天的外呼分钟数已经用完，明天恢复；急用请找管理员。", "Today's minutes for calls out are used up; they come back tomorrow. Ask an administrator if it is urgent."},
	{"emergency_test", "拨测不能拨打报警、急救等紧急号码。", "A test call may not ring the police or other emergency services."},
	/* resources and people */
	{"reveal_limit", "今天可看的号码已经用完，明天恢复；急用请找主管。", "Today's numbers are used up; they come back tomorrow. Ask your supervisor if it is urgent."},
	{"erased", "这位客户的个人信息已经清除。", "This customer's personal data have been erased."},
	{"in_call", "这位客户正在通话，请挂断后再清除。", "There is a call with this customer; erase her when it is over."},
	{"never_call", "这个号码标为勿用，不能拨打。", "This number is marked as not to be used."},
	{"note_closed", "这一天已经结束，小结不能再改；需要更正请找班长。", "That day is over and the note can no longer be changed; ask your supervisor if it must be."},
	{"note_missing", "还有通话没有填小结，填完才能就绪。", "A call has no note yet; write it before you are ready."},
	{"last_admin", "至少要保留一位可以登录的管理员。", "At least one administrator who can log in must remain."},
	{"more_than_own", "不能给出或更改比您自己更大的权限。", "Nobody can give, or change who has, more rights than his own."},
	{"out_of_scope", "这一条不在您的权限范围内。", "This would lie outside of what you may change."},
	{"leave_running", "这个人的交接还没有完成，或者已经有更新的一次。", "The handover of this person is still running, or there is a newer one."},
	{"leave_too_old", "超过一天，不能再整体撤销；可以重新启用此人并分配客户。", "More than a day ago: it cannot be undone as a whole. Switch the person on again and assign customers."},
	{"yourself", "不能对自己的账号这样做。", "This cannot be done to your own account."},
	{"history", "通话记录里还有它，请停用，不要删除。", "Call history knows it: switch it off instead of deleting it."},
};

const char *api_sentence(const char *code, const char *lang)
{
	bool zh = strcmp(lang, "en") != 0;

	for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
		if (!strcmp(sentences[i].code, code))
			return zh ? sentences[i].zh : sentences[i].en;
	return zh ? "请求被拒绝。" : "The request was refused.";
}
