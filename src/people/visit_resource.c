/* Visits (来访): a customer is invited, comes, is received by his own agent and the lead, signs or is invited again. See sales.h. */
#include "people/declared.h"
#include "people/sales.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"

#define YEAR_MS (366 * 86400000LL)

static const struct res_option states[] = {
	{"booked", "已约", "Booked"},
	{"confirmed", "已确认", "Confirmed"},
	{"arrived", "到访", "Came"},
	{"missed", "未到", "Did not come"},
	{"signed", "签单", "Signed"},
	{NULL},
};

static const struct res_option agains[] = {
	{"todo", "待二次邀约", "To be invited again"},
	{"invited", "已再约", "Invited again"},
	{"dropped", "不再邀约", "Not again"},
	{NULL},
};

static const struct res_field fields[] = {
	{"customer_id", RES_REF, "客户", "Customer", RES_REQUIRED | RES_CREATE_ONLY | RES_SEARCH, .ref = "customers"},
	{"at_ms", RES_TIME, "来访时间", "When", RES_REQUIRED},
	{"place", RES_TEXT, "地点", "Place", RES_SEARCH, .max = 100},
	{"state", RES_ENUM, "状态", "State", 0, .fallback = "booked", .options = states},
	{"user_id", RES_REF, "本人坐席", "Own agent", RES_ASSIGN | RES_SEARCH, .ref = "users",
	 .help_zh = "客户的归属坐席，来访当天要到场。", .help_en = "The customer's own agent, who is to be there."},
	{"lead_id", RES_REF, "接待组长", "Received with", 0, .ref = "users", .help_zh = "留空：本组组长。", .help_en = "Empty: the lead of his team."},
	{"away", RES_BOOL, "坐席不在", "Agent is away", RES_READONLY, .fallback = "false"},
	{"again", RES_ENUM, "二次邀约", "Second invitation", 0, .options = agains, .show_if = "state=arrived"},
	{"note", RES_TEXT, "备注", "Note", RES_MULTILINE | RES_SEARCH, .max = 2000},
	{"arrived_ms", RES_TIME, "到访时间", "Came at", RES_READONLY | RES_HIDE_LIST},
	{"team_id", RES_REF, "班组", "Team", RES_READONLY | RES_HIDE_LIST, .ref = "teams"},
	{"campaign_id", RES_REF, "项目", "Project", RES_HIDE_LIST | RES_CREATE_ONLY, .ref = "campaigns"},
};

static bool came(const json_t *row)
{
	return !strcmp(row_text(row, "state"), "arrived") || !strcmp(row_text(row, "state"), "signed");
}

static int64_t ms_of(const json_t *row, const char *field)
{
	return json_integer_value(json_object_get(row, field));
}

/* When he came: now, if it is said on that day; else when he was to. */
static void set_arrived(struct res_ctx *c, json_t *row)
{
	char today[11], day[11];

	if (!came(row)) {
		row_set(row, "arrived_ms", json_null());
		return;
	}
	if (ms_of(row, "arrived_ms") || !ms_of(row, "at_ms"))
		return;
	sales_day(today, c->db, c->now_ms);
	sales_day(day, c->db, ms_of(row, "at_ms"));
	row_set(row, "arrived_ms", json_integer(strcmp(today, day) ? ms_of(row, "at_ms") : c->now_ms));
}

static void set_again(struct res_ctx *c, json_t *row, const json_t *old)
{
	if (strcmp(row_text(row, "state"), "arrived") != 0)
		row_set(row, "again", json_null());
	else if ((!old || strcmp(row_text(old, "state"), "arrived") != 0) && !json_object_get(c->body, "again"))
		row_set(row, "again", json_string("todo"));
}

static int set_away(struct res_ctx *c, json_t *row)
{
	bool away = false;
	char day[11];
	int r = 0;

	if (row_id(row, "user_id") && ms_of(row, "at_ms")) {
		sales_day(day, c->db, ms_of(row, "at_ms"));
		r = sales_away(&away, c->db, row_id(row, "user_id"), day);
	}
	row_set(row, "away", json_boolean(away));
	return r;
}

/* Unless somebody was said: the lead of the agent's team, but not the agent himself. */
static int set_lead(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t lead = 0, team = row_id(row, "team_id");
	char text[24];
	int r;

	if (old || row_id(row, "lead_id") || json_object_get(c->body, "lead_id") || !team)
		return 0;
	r = db_get_i64(&lead, c->db, "SELECT COALESCE(lead_id, 0) FROM teams WHERE id = $1", "i", team);
	if (r || !lead || lead == row_id(row, "user_id"))
		return r == -ENOENT ? 0 : r;
	(void)snprintf(text, sizeof(text), "%lld", (long long)lead);
	row_set(row, "lead_id", json_string(text));
	return 0;
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t at = ms_of(row, "at_ms");
	int r = sales_whose(c, row, old);

	if (!r)
		r = set_lead(c, row, old);
	if (!r)
		r = set_away(c, row);
	if (r)
		return r;
	if (json_is_integer(json_object_get(row, "at_ms")) && (at > c->now_ms + YEAR_MS || at < c->now_ms - 10 * YEAR_MS))
		res_fail(c, 422, "invalid", "at_ms", "range");
	set_arrived(c, row);
	set_again(c, row, old);
	return 0;
}

/* Who is invited anew need not be told to be. */
static int after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	if (json_object_get(row, "rev") || came(row))
		return 0;
	return db_run(c->db, "UPDATE visits SET again = 'invited', rev = rev + 1, updated_ms = $3 WHERE customer_id = $1 AND id <> $2 AND again = 'todo'",
		      "iii", row_id(row, "customer_id"), id, c->now_ms);
}

const struct res_def people_visits = {
	.name = "visits", .table = "visits", .zh = "来访", .en = "Visits",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "place", .order = "-at_ms", .sorts = "at_ms,created_ms",
	.group = "sales", .owner = "user_id", .team = "team_id", .parent = "customer_id", .mask_words = true, .no_page = true,
	.before_write = before_write, .after_write = after_write,
};
