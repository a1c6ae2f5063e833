/* Call-backs (预约回拨), who is away, and the rules of the list of to-dos. See sales.h. */
#include "people/customer.h"
#include "people/sales.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"
#include "journal/zone.h"

#define YEAR_MS (366 * 86400000LL)

/* ---- call-backs ---- */

static const struct res_option states[] = {
	{"open", "待回拨", "Open"},
	{"done", "已完成", "Done"},
	{"dropped", "不再联系", "Dropped"},
	{NULL},
};

static const struct res_field fields[] = {
	{"customer_id", RES_REF, "客户", "Customer", RES_CREATE_ONLY | RES_SEARCH, .ref = "customers"},
	{"phone", RES_TEXT, "号码", "Number", RES_MASKED | RES_SEARCH, .max = 40, .help_zh = "留空：客户的主号码。", .help_en = "Empty: the customer's main number."},
	{"due_ms", RES_TIME, "约定时间", "Due", RES_REQUIRED},
	{"reason", RES_TEXT, "事由", "About", RES_SEARCH, .max = 500},
	{"user_id", RES_REF, "谁来回", "By", RES_ASSIGN | RES_SEARCH, .ref = "users", .help_zh = "留空：客户的归属坐席，没有就是填写人。",
	 .help_en = "Empty: the customer's owner, else who writes it."},
	{"state", RES_ENUM, "状态", "State", 0, .fallback = "open", .options = states},
	{"from_id", RES_REF, "转交人", "Handed on by", RES_READONLY, .ref = "users"},
	{"call_id", RES_ID, "未接来电", "Missed call", RES_CREATE_ONLY | RES_HIDE_LIST},
	{"done_ms", RES_TIME, "完成时间", "Done at", RES_READONLY | RES_HIDE_LIST},
	{"done_by", RES_REF, "完成人", "Done by", RES_READONLY | RES_HIDE_LIST, .ref = "users"},
	{"team_id", RES_REF, "班组", "Team", RES_READONLY | RES_HIDE_LIST, .ref = "teams"},
	{"campaign_id", RES_REF, "项目", "Project", RES_HIDE_LIST | RES_CREATE_ONLY, .ref = "campaigns"},
};

static int set_phone(struct res_ctx *c, json_t *row, const json_t *old)
{
	const char *what = "format", *s = row_text(row, "phone");
	char number[96];
	int r;

	if (!*s || (old && !strcmp(s, row_text(old, "phone"))))
		return 0;
	r = customer_number_normal(number, sizeof(number), &what, c, s);
	if (r > 0)
		res_fail(c, 422, "invalid", "phone", "number");
	else if (!r)
		row_set(row, "phone", json_string(number));
	return r < 0 ? r : 0;
}

static void set_done(struct res_ctx *c, json_t *row, const json_t *old)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)c->who->user_id);
	if (!strcmp(row_text(row, "state"), "open")) {
		row_set(row, "done_ms", json_null());
		row_set(row, "done_by", json_null());
	} else if (!old || !strcmp(row_text(old, "state"), "open")) {
		row_set(row, "done_ms", json_integer(c->now_ms));
		row_set(row, "done_by", c->who->user_id ? json_string(text) : json_null());
	}
}

/* A program hands on by saying so besides the body. */
static void take_from(struct res_ctx *c, json_t *row)
{
	json_t *from = json_object_get(c->prepared, "from_id");

	if (c->who->system && from)
		(void)json_object_set(row, "from_id", from);
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const json_t *due = json_object_get(row, "due_ms");
	int r = sales_whose(c, row, old);

	if (!r)
		r = set_phone(c, row, old);
	if (r)
		return r;
	take_from(c, row);
	if (!old && !c->who->system && !row_id(row, "customer_id") && !*row_text(row, "phone") && json_object_get(row, "customer_id") && json_object_get(row, "phone"))
		res_fail(c, 422, "invalid", "customer_id", "required");
	if (json_is_integer(due) && (json_integer_value(due) > c->now_ms + 5 * YEAR_MS || json_integer_value(due) < c->now_ms - 10 * YEAR_MS))
		res_fail(c, 422, "invalid", "due_ms", "range");
	set_done(c, row, old);
	return 0;
}

static int after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	return row_id(row, "customer_id") ? sales_next_set(c->db, row_id(row, "customer_id")) : 0;
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	int r;

	if (!row_id(old, "customer_id"))
		return 0;
	r = db_run(c->db, "UPDATE callbacks SET state = 'dropped' WHERE id = $1", "i", id); /* it does not count any more */
	return r ? r : sales_next_set(c->db, row_id(old, "customer_id"));
}

const struct res_def people_callbacks = {
	.name = "callbacks", .table = "callbacks", .zh = "预约回拨", .en = "Call-backs",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "reason", .order = "due_ms", .sorts = "due_ms",
	.group = "callbacks", .owner = "user_id", .team = "team_id", .parent = "customer_id", .mask_words = true, .no_page = true,
	.before_write = before_write, .after_write = after_write, .before_delete = before_delete,
	.no_import = true,
};

/* ---- absences ---- */

static const struct res_option kinds[] = {
	{"rest", "休息", "Day off"}, {"leave", "请假", "Leave"}, {"sick", "病假", "Sick"}, {"training", "培训", "Training"}, {"other", "其他", "Other"}, {NULL},
};

static const struct res_field absence_fields[] = {
	{"user_id", RES_REF, "谁", "Who", RES_REQUIRED | RES_CREATE_ONLY | RES_SEARCH, .ref = "users"},
	{"from_day", RES_TEXT, "从", "From", RES_REQUIRED | RES_DAY, .max = 10, .help_zh = "形如 2026-11-22。", .help_en = "As 2026-11-22."},
	{"to_day", RES_TEXT, "到", "To", RES_DAY, .max = 10, .help_zh = "含当天；留空：只一天。", .help_en = "That day included; empty: one day."},
	{"kind", RES_ENUM, "原因", "Why", 0, .fallback = "rest", .options = kinds},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH, .max = 200},
};

static int absence_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const char *const days[] = {"from_day", "to_day"};

	if (!*row_text(row, "to_day") && json_object_get(row, "to_day") && *row_text(row, "from_day"))
		(void)json_object_set(row, "to_day", json_object_get(row, "from_day"));
	for (size_t i = 0; i < ARRAY_LEN(days); i++)
		if (*row_text(row, days[i]) && !sales_is_day(row_text(row, days[i])))
			res_fail(c, 422, "invalid", days[i], "format");
	if (strcmp(row_text(row, "to_day"), row_text(row, "from_day")) < 0)
		res_fail(c, 422, "invalid", "to_day", "range");
	return 0;
}

struct due_visit {
	int64_t id, at_ms;
};

/* His visits that are still to be say whether he will be there. */
static int visits_again(struct res_ctx *c, int64_t user_id)
{
	struct due_visit v[200];
	struct db_stmt *st;
	size_t n = 0;
	int r = db_prepare(&st, c->db, "SELECT id, at_ms FROM visits WHERE user_id = $1 AND at_ms >= $2 AND state IN ('booked', 'confirmed') ORDER BY at_ms LIMIT 200");

	if (r)
		return r;
	db_bind_i64(st, 1, user_id);
	db_bind_i64(st, 2, c->now_ms - 86400000);
	while (n < ARRAY_LEN(v) && (r = db_step(st)) == DB_ROW)
		v[n++] = (struct due_visit){db_i64(st, 0), db_i64(st, 1)};
	db_done(st);
	r = r == DB_ROW ? 0 : r;
	for (size_t i = 0; !r && i < n; i++) {
		char day[11];
		bool away;

		sales_day(day, c->db, v[i].at_ms);
		r = sales_away(&away, c->db, user_id, day);
		if (!r)
			r = db_run(c->db, "UPDATE visits SET away = $2, rev = rev + 1 WHERE id = $1 AND away <> $2", "ii", v[i].id, (int64_t)away);
	}
	return r;
}

static int absence_after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	return visits_again(c, row_id(row, "user_id"));
}

static int absence_before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	int r = db_run(c->db, "UPDATE absences SET to_day = '0000-00-00' WHERE id = $1", "i", id); /* it does not count any more */

	return r ? r : visits_again(c, row_id(old, "user_id"));
}

const struct res_def people_absences = {
	.name = "absences", .table = "absences", .zh = "休假与缺勤", .en = "Absences",
	.fields = absence_fields, .field_n = ARRAY_LEN(absence_fields),
	.label = "from_day", .order = "-from_day",
	.group = "staffing", .owner = "user_id",
	.before_write = absence_before_write, .after_write = absence_after_write, .before_delete = absence_before_delete,
};

/* ---- the list's rules ---- */

static const struct res_option off_rules[] = {
	{"wait", "等他回来", "Wait for him"},
	{"team", "同组都能处理", "His team may do it"},
	{"lead", "问组长", "Ask the lead"},
	{NULL},
};

static const struct res_field setting_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED, .max = 32, .fallback = "待办规则"},
	{"grace_min", RES_INT, "几分钟后给同组", "To the team after (min)", 0, .min = 0, .max = 1440, .fallback = "15",
	 .help_zh = "到时间后本人这么久还没处理，同组的人也能看到；0：一直只归本人。",
	 .help_en = "When its agent has not done it so long after its time, his team sees it, too; 0: it stays his."},
	{"off_rule", RES_ENUM, "本人不在时", "When he is away", 0, .fallback = "team", .options = off_rules,
	 .help_zh = "请假、休息或已停用的人的待办怎么办。", .help_en = "What becomes of the to-dos of who is absent or has left."},
	{"remind_min", RES_INT, "提前几分钟弹出", "Reminded before (min)", 0, .min = 0, .max = 60, .fallback = "0"},
	{"visit_hours", RES_INT, "来访前几小时确认", "Visits confirmed before (h)", 0, .min = 1, .max = 168, .fallback = "24",
	 .help_zh = "到时提醒坐席打电话确认来访。", .help_en = "Then the agent is reminded to confirm the visit."},
};

static int only_one(struct res_ctx *c)
{
	res_fail(c, 409, "only_one", NULL, NULL);
	return 1;
}

static int setting_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	return old || c->who->system ? 0 : only_one(c);
}

static int setting_before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	return only_one(c);
}

const struct res_def people_todo_settings = {
	.name = "todo_settings", .table = "todo_settings", .zh = "待办规则", .en = "Rules of to-dos",
	.fields = setting_fields, .field_n = ARRAY_LEN(setting_fields),
	.label = "name", .order = "name",
	.group = "lists",
	.before_write = setting_before_write, .before_delete = setting_before_delete,
	.no_import = true,
};
