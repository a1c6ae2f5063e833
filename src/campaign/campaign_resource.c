/* Projects: what is called for, how, when, by whom, and with which numbers shown. Their state is changed by campaign_state alone. */
#include "campaign/campaign.h"

#include <string.h>

#include "campaign/guard.h"
#include "db/db.h"
#include "people/declared.h"

static const struct res_option modes[] = {
	{"preview", "预览式：先看资料再拨", "Preview: record first, then the call"},
	{"progressive", "渐进式：有坐席空闲才拨一个", "Progressive: one call for each free agent"},
	{"predictive", "预测式：按预计空闲提前拨", "Predictive: calls ahead of agents becoming free"},
	{NULL},
};

static const struct res_option states[] = {
	{"draft", "筹备", "Draft"},
	{"running", "进行中", "Running"},
	{"paused", "暂停", "Paused"},
	{"ended", "已结束", "Ended"},
	{NULL},
};

/* Personal Information Protection Law of the PRC, article 13: what a call may rest on. */
static const struct res_option bases[] = {
	{"none", "尚未填写", "Not yet said"},
	{"consent", "本人同意", "The person's consent"},
	{"contract", "订立或履行合同所必需", "Needed for a contract with the person"},
	{"duty", "履行法定职责或义务", "A legal duty"},
	{"public", "本人自行公开的信息，合理范围内", "Published by the person, within reason"},
	{NULL},
};

const struct res_option campaign_days[] = {
	{"mon", "周一", "Monday"}, {"tue", "周二", "Tuesday"}, {"wed", "周三", "Wednesday"}, {"thu", "周四", "Thursday"}, {"fri", "周五", "Friday"},
	{"sat", "周六", "Saturday"}, {"sun", "周日", "Sunday"}, {"holiday", "节假日", "Holidays"}, {NULL},
};

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64, .also = "项目|项目名称|campaign|project"},
	{"state", RES_ENUM, "状态", "State", RES_READONLY, .fallback = "draft", .options = states},
	{"mode", RES_ENUM, "拨号方式", "Mode", RES_REQUIRED, .fallback = "progressive", .options = modes},
	{"note", RES_TEXT, "说明", "Description", RES_SEARCH | RES_MULTILINE | RES_HIDE_LIST, .max = 2000},
	{"owner_id", RES_REF, "负责人", "Answers for it", RES_SEARCH, .ref = "users"},
	{"team_id", RES_REF, "主责班组", "Leading team", 0, .ref = "teams",
	 .help_zh = "它的组长能看到和管理这个项目。", .help_en = "Its lead sees and manages the project."},
	{"priority", RES_INT, "优先级", "Priority", RES_HIDE_LIST, .min = 0, .max = 100, .fallback = "0",
	 .help_zh = "同一坐席有几个项目时，数字大的先拨。来电永远比外呼先。",
	 .help_en = "With several projects for the same agents, the higher number is dialled first. Calls that come in always come before calls out."},
	{"script", RES_TEXT, "话术", "Script", RES_MULTILINE | RES_HIDE_LIST, .max = 20000,
	 .help_zh = "通话时显示在坐席旁边。# 开头是标题，- 开头是要点；{姓名}、{城市} 等会换成客户的资料。",
	 .help_en = "Shown beside the form in a call. Lines with # are headings, with - points; {name}, {city} and so on become the customer's."},
	{"template_id", RES_REF, "小结模板", "Note form", RES_HIDE_LIST, .ref = "note_templates"},
	{"results", RES_JSON, "可选结果", "Results", RES_HIDE_LIST, .max = 2000,
	 .help_zh = "坐席可选的联系结果，按顺序对应按键 1-9；留空则用全部。", .help_en = "What an agent may choose, in the order of the keys 1 to 9; empty: all."},
	{"days", RES_SET, "拨打日", "Days", RES_HIDE_LIST, .options = campaign_days,
	 .help_zh = "留空：每天。还要在外呼时段之内。", .help_en = "Empty: every day. The calling windows hold besides."},
	{"hours", RES_TEXT, "拨打时间", "Hours", 0, .max = 120, .fallback = "09:00-12:00,13:30-20:00",
	 .help_zh = "形如 09:00-12:00,13:30-20:00；全天写 00:00-24:00。还要在外呼时段之内。",
	 .help_en = "As 09:00-12:00,13:30-20:00; the whole day: 00:00-24:00. The calling windows hold besides."},
	{"start_day", RES_TEXT, "开始日期", "First day", RES_DAY | RES_HIDE_LIST, .max = 10},
	{"end_day", RES_TEXT, "结束日期", "Last day", RES_DAY, .max = 10},
	{"target", RES_INT, "目标接通数", "To be reached", RES_HIDE_LIST, .min = 0, .max = 10000000, .fallback = "0",
	 .help_zh = "接通这么多客户算完成；0：名单拨完为止。", .help_en = "Done when so many customers have been spoken to; 0: when the list is through."},
	{"attempts_max", RES_INT, "每个客户最多拨打", "Attempts per customer", RES_HIDE_LIST, .min = 1, .max = 50, .fallback = "6"},
	{"day_max", RES_INT, "每个客户每天最多", "Attempts a day", RES_HIDE_LIST, .min = 1, .max = 20, .fallback = "2"},
	{"basis", RES_ENUM, "拨打依据", "Lawful basis", RES_HIDE_LIST, .fallback = "none", .options = bases,
	 .help_zh = "没有依据不能开始。依据的凭证写在下面，或作为附件上传。", .help_en = "Without one it cannot start. Its evidence is written below or attached as a file."},
	{"basis_text", RES_TEXT, "依据说明", "Evidence", RES_MULTILINE | RES_HIDE_LIST, .max = 4000, .show_if = "basis=consent|contract|duty|public",
	 .help_zh = "例如：2026 年会员协议第 5 条，2026-03-01 起勾选同意。", .help_en = "For example: members' agreement 2026, article 5, ticked since 2026-03-01."},
	{"trunk_id", RES_REF, "中继", "Trunk", RES_HIDE_LIST, .ref = "trunks", .help_zh = "留空：按中继的顺序选。", .help_en = "Empty: by the trunks' order."},
	{"ring_s", RES_INT, "振铃时长（秒）", "Ring time (s)", RES_HIDE_LIST, .min = 15, .max = 120, .fallback = "30"},
	{"preview_s", RES_INT, "预览倒计时（秒）", "Preview (s)", RES_HIDE_LIST, .min = 3, .max = 600, .fallback = "20", .show_if = "mode=preview",
	 .help_zh = "到时自动拨出，坐席可以提前拨或说明原因跳过。", .help_en = "Then it is dialled; before that the agent may dial at once, or skip with a reason."},
	{"wrapup_s", RES_INT, "话后时长（秒）", "Wrap-up (s)", RES_HIDE_LIST, .min = 0, .max = 3600, .fallback = "20"},
	{"limit_permille", RES_INT, "呼损上限（‰）", "Abandoned at most (‰)", RES_HIDE_LIST, .min = 0, .max = 100, .fallback = "30", .show_if = "mode=predictive",
	 .help_zh = "客户接起而没有坐席的，占接起数的千分比。", .help_en = "Of those who answer, so many per thousand may find nobody there."},
	{"wait_ms", RES_INT, "客户最长等待（毫秒）", "Longest wait (ms)", RES_HIDE_LIST, .min = 500, .max = 10000, .fallback = "2000", .show_if = "mode=predictive"},
	{"lines_max", RES_INT, "最多同时拨打", "Lines at most", RES_HIDE_LIST, .min = 0, .max = 1000, .fallback = "0", .help_zh = "0：不限。", .help_en = "0: no limit."},
	{"talk_max_min", RES_INT, "通话时长上限（分钟）", "Talk at most (min)", RES_HIDE_LIST, .min = 0, .max = 600, .fallback = "0",
	 .help_zh = "到时提醒坐席结束；0：不限。", .help_en = "Then the agent is told to come to an end; 0: no limit."},
	{"click_day_max", RES_INT, "点击外呼每人每天", "Clicks an agent a day", RES_HIDE_LIST, .min = 0, .max = 10000, .fallback = "0",
	 .help_zh = "坐席自己点击本项目客户拨打的次数上限；0：不限。", .help_en = "How often an agent may dial customers of it himself; 0: no limit."},
	{"record", RES_BOOL, "录音", "Record", RES_HIDE_LIST, .fallback = "true"},
	{"beep", RES_BOOL, "接通提示音", "Beep", RES_HIDE_LIST, .fallback = "true",
	 .help_zh = "客户接起的那一刻，坐席先听到一声。", .help_en = "The agent hears it at the moment the customer is there."},
	{"started_ms", RES_TIME, "首次开始", "First started", RES_READONLY | RES_HIDE_LIST},
	{"ended_ms", RES_TIME, "结束时间", "Ended", RES_READONLY | RES_HIDE_LIST},
};

void campaign_check_hours(struct res_ctx *c, json_t *row, const char *field)
{
	const char *text = row_text(row, field);
	char buf[12 * HOURS_MAX + 1];
	struct hours h;

	if (!*text)
		return;
	if (!hours_read(&h, text)) {
		res_fail(c, 422, "invalid", field, "format");
		return;
	}
	hours_write(buf, sizeof(buf), &h);
	row_set(row, field, json_string(buf));
}

static void check_days(struct res_ctx *c, const json_t *row)
{
	const char *from = row_text(row, "start_day"), *to = row_text(row, "end_day");

	if (*from && *to && strcmp(to, from) < 0)
		res_fail(c, 422, "invalid", "end_day", "range");
}

/* Results of the centre, each once, at most as many as there are. */
static int check_results(struct res_ctx *c, json_t *row)
{
	json_t *list = json_object_get(row, "results"), *v;
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > 50) {
		res_fail(c, 422, "invalid", "results", "type");
		return 0;
	}
	if (!json_array_size(list))
		row_set(row, "results", json_null());
	json_array_foreach(list, i, v) {
		int64_t id = 0, n = 0;
		int r;

		if (!json_is_string(v) || !str_to_i64(&id, json_string_value(v), 1, INT64_MAX)) {
			res_fail(c, 422, "invalid", "results", "type");
			return 0;
		}
		r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM contact_results WHERE id = $1 AND centre_id = $2", "ii", id, c->who->centre_id);
		if (r)
			return r;
		if (!n)
			res_fail(c, 422, "invalid", "results", "ref");
	}
	return 0;
}

/* Who makes one answers for it, unless he says who does. */
static void set_owner(struct res_ctx *c, json_t *row)
{
	char id[24];

	if (!c->who->user_id || json_object_get(c->body, "owner_id"))
		return;
	(void)snprintf(id, sizeof(id), "%lld", (long long)c->who->user_id);
	row_set(row, "owner_id", json_string(id));
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const char *key;
	json_t *v;

	if (c->who->system) /* campaign_state's */
		json_object_foreach(json_object_get(c->prepared, "set"), key, v)
			(void)json_object_set(row, key, v);
	if (!old)
		set_owner(c, row);
	campaign_check_hours(c, row, "hours");
	check_days(c, row);
	return check_results(c, row);
}

/* A campaign that has dialled is a record; it is ended, not removed. */
static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	static const char *const sql[] = {
		"DELETE FROM guarded_dials WHERE campaign_id = $1", "DELETE FROM campaign_leads WHERE campaign_id = $1",
		"DELETE FROM campaign_agents WHERE campaign_id = $1", "DELETE FROM campaign_teams WHERE campaign_id = $1",
		"DELETE FROM campaign_numbers WHERE campaign_id = $1", "DELETE FROM retry_rules WHERE campaign_id = $1",
		"DELETE FROM guard_tally WHERE campaign_id = $1", "DELETE FROM campaign_away WHERE campaign_id = $1", "UPDATE customers SET campaign_id = NULL WHERE campaign_id = $1",
	};
	int64_t n = 0;
	int r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM dial_claims WHERE campaign_id = $1", "i", id);

	if (!r && n) {
		res_fail(c, 409, "history", NULL, NULL);
		return 1;
	}
	for (size_t i = 0; !r && i < ARRAY_LEN(sql); i++)
		r = db_run(c->db, sql[i], "i", id);
	return r;
}

const struct res_def campaign_campaigns = {
	.name = "campaigns", .table = "campaigns", .zh = "项目", .en = "Projects",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "-created_ms",
	.group = "campaigns", .owner = "owner_id", .team = "team_id", .with = "campaign_people.campaign_id",
	.before_write = before_write, .before_delete = before_delete,
	.configures_switch = true, .attachments = true,
};

/* ---- who works for it, and what is shown ---- */

#define FIELD_CAMPAIGN {"campaign_id", RES_REF, "项目", "Project", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "campaigns"}
#define FIELD_SHARE {"share", RES_INT, "级别", "Level", 0, .min = 1, .max = 9, .fallback = "1", \
	.help_zh = "数字小的先得到电话。", .help_en = "Lower levels get calls first."}

static const struct res_field agent_fields[] = {
	FIELD_CAMPAIGN,
	{"user_id", RES_REF, "坐席", "Agent", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "users"},
	FIELD_SHARE,
};
static const char *const agent_unique[] = {"campaign_id,user_id", NULL};

const struct res_def campaign_agents = {
	.name = "campaign_agents", .table = "campaign_agents", .zh = "项目坐席", .en = "Projects' agents",
	.fields = agent_fields, .field_n = ARRAY_LEN(agent_fields),
	.order = "campaign_id", .unique = agent_unique,
	.group = "campaigns", .parent = "campaign_id",
	.configures_switch = true,
};

static const struct res_field team_fields[] = {
	FIELD_CAMPAIGN,
	{"team_id", RES_REF, "班组", "Team", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "teams"},
	FIELD_SHARE,
};
static const char *const team_unique[] = {"campaign_id,team_id", NULL};

const struct res_def campaign_teams = {
	.name = "campaign_teams", .table = "campaign_teams", .zh = "项目班组", .en = "Projects' teams",
	.fields = team_fields, .field_n = ARRAY_LEN(team_fields),
	.order = "campaign_id", .unique = team_unique,
	.group = "campaigns", .parent = "campaign_id",
	.configures_switch = true,
};

static const struct res_field number_fields[] = {
	FIELD_CAMPAIGN,
	{"shown_id", RES_REF, "外显号码", "Number to show", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "shown_numbers"},
};
static const char *const number_unique[] = {"campaign_id,shown_id", NULL};

const struct res_def campaign_numbers = {
	.name = "campaign_numbers", .table = "campaign_numbers", .zh = "项目外显号码", .en = "Projects' numbers",
	.fields = number_fields, .field_n = ARRAY_LEN(number_fields),
	.order = "campaign_id", .unique = number_unique,
	.group = "campaigns", .parent = "campaign_id",
};
