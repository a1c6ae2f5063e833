#include "people/declared.h"

#include <string.h>

static const struct res_option overflows[] = {
	{"none", "继续等待", "Keep waiting"},
	{"queue", "转其他队列", "To another queue"},
	{"number", "转电话号码", "To a number"},
	{"goodbye", "播放道歉并挂断", "Say goodbye"},
	{NULL},
};

static const struct res_option note_rules[] = {
	{"off", "不用填", "Not wanted"},
	{"hint", "提醒", "Reminded"},
	{"block", "填了才能就绪", "Needed before ready"},
	{NULL},
};

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH | RES_MULTILINE | RES_HIDE_LIST, .max = 1000,
	 .help_zh = "给同事看的说明：谁来接、何时用。分配规则：级别小的成员先接，同级中空闲最久的先接。",
	 .help_en = "For colleagues: who answers, and when it is used. Calls go to the lowest level first, within it to whoever "
		    "has been idle longest."},
	{"priority", RES_INT, "优先级", "Priority", 0, .min = 0, .max = 100, .fallback = "0",
	 .help_zh = "坐席同时服务多个队列时，数字大的队列先得到坐席。",
	 .help_en = "When agents serve several queues, the one with the higher number gets the next free agent."},
	{"answer_first", RES_BOOL, "先接起再排队", "Answer at once", RES_HIDE_LIST, .fallback = "true",
	 .help_zh = "开：立即接起，播放问候语和音乐（主叫开始计费）。关：一直振铃，到坐席接听才接起。",
	 .help_en = "On: answered at once, with greeting and music (the caller pays from then). Off: it rings until an agent answers."},
	{"greeting", RES_TEXT, "问候语", "Greeting", RES_HIDE_LIST, .max = 64, .show_if = "answer_first=true",
	 .help_zh = "接起后先播放的提示音，例如 zh/greeting、en/greeting；留空则不播放。",
	 .help_en = "The prompt that is played first, such as zh/greeting or en/greeting; empty: none."},
	{"music", RES_TEXT, "等待音乐", "Music", RES_HIDE_LIST, .max = 64, .fallback = "music/1", .show_if = "answer_first=true",
	 .help_zh = "等待时循环播放的音乐，例如 music/1。", .help_en = "What is played over and over while callers wait, such as music/1."},
	{"announce_position", RES_BOOL, "播报排位", "Announce position", RES_HIDE_LIST, .fallback = "true",
	 .show_if = "answer_first=true", .help_zh = "告诉等待的客户前面还有几位。", .help_en = "Tells waiting callers how many are before them."},
	{"announce_s", RES_INT, "播报间隔（秒）", "Announce every (s)", RES_HIDE_LIST, .min = 10, .max = 600, .fallback = "30",
	 .show_if = "announce_position=true"},
	{"ring_s", RES_INT, "振铃时长（秒）", "Ring time (s)", 0, .min = 5, .max = 120, .fallback = "15",
	 .help_zh = "坐席在此时间内不接，转下一位，该坐席变为“未应答”。",
	 .help_en = "An agent who does not answer within this time becomes \"not answering\", and the next one is rung."},
	{"wrapup_s", RES_INT, "话后时长（秒）", "Wrap-up (s)", 0, .min = 0, .max = 3600, .fallback = "20",
	 .help_zh = "通话结束后留给坐席整理记录的时间；0 表示立即就绪。",
	 .help_en = "Time for notes after a call; 0: ready at once."},
	{"wrapup_max_s", RES_INT, "话后最长（秒）", "Wrap-up at most (s)", RES_HIDE_LIST, .min = 0, .max = 7200, .fallback = "180",
	 .help_zh = "坐席延长话后时间的上限，不小于话后时长。", .help_en = "How far agents may extend it; not less than the wrap-up."},
	{"note_rule", RES_ENUM, "小结", "Note after a call", RES_HIDE_LIST, .fallback = "hint", .options = note_rules,
	 .help_zh = "没有填小结的通话列在坐席的“未填小结”里。选“填了才能就绪”时，坐席不能提前结束话后整理，也不能自己就绪；话后时间到了仍会自动就绪。",
	 .help_en = "Calls without a note are listed on the agent's desk. When needed before ready, agents can neither end the wrap-up early nor "
		    "make themselves ready without it; the end of the wrap-up's time still makes them ready."},
	{"len_max", RES_INT, "最多等待人数", "Callers waiting at most", RES_HIDE_LIST, .min = 0, .max = 10000, .fallback = "0",
	 .help_zh = "超过后新来电溢出；0 表示不限。", .help_en = "Further callers overflow; 0: no limit."},
	{"wait_max_s", RES_INT, "最长等待（秒）", "Longest wait (s)", RES_HIDE_LIST, .min = 0, .max = 7200, .fallback = "0",
	 .help_zh = "等待超过此时间溢出；0 表示不限。", .help_en = "Callers who waited this long overflow; 0: no limit."},
	{"empty_overflow", RES_BOOL, "无人登录时溢出", "Overflow when nobody is there", RES_HIDE_LIST, .fallback = "false",
	 .help_zh = "没有任何成员登录时，来电立即溢出而不等待。", .help_en = "When no member is logged in, callers overflow at once."},
	{"overflow", RES_ENUM, "溢出去向", "Overflow", 0, .fallback = "none", .options = overflows,
	 .help_zh = "人数、时长超限或无人登录时，来电去哪里。",
	 .help_en = "Where callers go when the queue is too long, the wait too long, or nobody is there."},
	{"overflow_queue_id", RES_REF, "溢出到队列", "Overflow queue", RES_REQUIRED | RES_HIDE_LIST, .ref = "queues",
	 .show_if = "overflow=queue"},
	{"overflow_number", RES_TEXT, "溢出到号码", "Overflow number", RES_REQUIRED | RES_HIDE_LIST | RES_NUMBER,
	 .show_if = "overflow=number"},
	{"owner_first_s", RES_INT, "归属坐席优先（秒）", "Owner first (s)", RES_HIDE_LIST, .min = 0, .max = 120, .fallback = "0",
	 .help_zh = "老客户来电先振铃其归属坐席这么久，不接再进队列（排队时间从进线算起）；归属坐席已离职时先给其小组。0 表示不用。",
	 .help_en = "A known customer's call rings its owner for so long before the queue (the wait counts from the start); when the owner has left "
		    "the centre, his team comes first. 0: off."},
	{"owner_busy_s", RES_INT, "等待忙碌的归属坐席（秒）", "Wait for a busy owner (s)", RES_HIDE_LIST, .min = 0, .max = 600, .fallback = "0",
	 .help_zh = "归属坐席正在通话或话后时最多等这么久；0 表示直接进队列。",
	 .help_en = "When the owner is in a call or in wrap-up, wait so long at most; 0: the queue at once."},
	{"owner_member", RES_BOOL, "归属坐席须是队列成员", "Owner must serve the queue", RES_HIDE_LIST, .fallback = "false",
	 .help_zh = "开：归属坐席不服务本队列时直接进队列。",
	 .help_en = "On: an owner who does not serve this queue is passed by."},
	{"keep_ready", RES_INT, "至少就绪人数", "Keeps ready", RES_HIDE_LIST, .min = 0, .max = 1000, .fallback = "0",
	 .help_zh = "小休不会使这个队列的就绪人数低于它，想小休的人排队等；0：不限。",
	 .help_en = "No break leaves fewer than these ready for the queue: who wants one waits; 0: no limit."},
	{"target_s", RES_INT, "服务水平目标（秒）", "Service target (s)", 0, .min = 1, .max = 3600, .fallback = "20",
	 .help_zh = "在此时间内接听的来电计入服务水平。", .help_en = "Calls answered within this time count for the service level."},
	{"auto_answer", RES_BOOL, "自动接听", "Auto-answer", RES_HIDE_LIST, .fallback = "false",
	 .help_zh = "此队列的来电在坐席端响一声提示音后自动接通。", .help_en = "Calls of this queue are put through to the agent after a beep."},
	{"record", RES_BOOL, "录音", "Record", 0, .fallback = "true", .help_zh = "从坐席接听到通话结束，双声道录音。",
	 .help_en = "From the agent's answer to the end, in stereo."},
	{"record_waiting", RES_BOOL, "录等待过程", "Record the wait", RES_HIDE_LIST, .fallback = "false",
	 .help_zh = "问候语和等待阶段也录音。", .help_en = "Records greeting and waiting, too."},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const json_t *wrap = json_object_get(row, "wrapup_s"), *most = json_object_get(row, "wrapup_max_s");

	check_prompt(c, row, "greeting");
	check_prompt(c, row, "music");
	if (wrap && most && json_integer_value(most) < json_integer_value(wrap))
		res_fail(c, 422, "invalid", "wrapup_max_s", "range");
	if (row_id(row, "overflow_queue_id") == row_id(row, "id"))
		res_fail(c, 422, "invalid", "overflow_queue_id", "ref");
	return 0;
}

const struct res_def people_queues = {
	.name = "queues", .table = "queues", .zh = "队列", .en = "Queues",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.group = "telephony",
	.before_write = before_write,
	.configures_switch = true,
};
