/* Goals (目标): an agent's or a team's figures of a month. See sales.h. */
#include "people/declared.h"
#include "people/sales.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db/db.h"

#define FIGURE(name, zh, en) {name, RES_INT, zh, en, 0, .min = 0, .max = 1000000}

static const struct res_field fields[] = {
	{"month", RES_TEXT, "月份", "Month", RES_REQUIRED | RES_CREATE_ONLY, .max = 7, .help_zh = "形如 2026-11。", .help_en = "As 2026-11."},
	{"user_id", RES_REF, "坐席", "Agent", RES_CREATE_ONLY | RES_SEARCH, .ref = "users", .help_zh = "留空：整个班组的目标。", .help_en = "Empty: the team's goal."},
	{"team_id", RES_REF, "班组", "Team", RES_CREATE_ONLY | RES_SEARCH, .ref = "teams", .help_zh = "坐席的目标留空：他的班组。", .help_en = "Empty in an agent's goal: his team."},
	FIGURE("calls", "拨打", "Calls"),
	FIGURE("connected", "接通", "Connected"),
	FIGURE("talk_min", "通话分钟", "Talk minutes"),
	FIGURE("wechat", "加微", "WeChat"),
	FIGURE("invited", "邀约", "Invitations"),
	FIGURE("visits", "到访", "Visits"),
	FIGURE("deals", "成单", "Deals"),
	{"amount", RES_INT, "金额", "Amount", 0, .min = 0, .max = 100000000000000, .decimals = 2},
};
static const char *const unique[] = {"user_id,team_id,month", NULL};

static bool is_month(const char *s)
{
	char day[16];

	(void)snprintf(day, sizeof(day), "%s-01", s);
	return strlen(s) == 7 && sales_is_day(day);
}

/* An agent has one goal a month, also when he has moved to another team since. */
static int check_user(struct res_ctx *c, json_t *row, int64_t user)
{
	int64_t n = 0, team = 0;
	char text[24];
	int r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM goals WHERE centre_id = $1 AND month = $2 AND user_id = $3", "iti", c->who->centre_id,
			   row_text(row, "month"), user);

	if (r)
		return r;
	if (n)
		res_fail(c, 422, "invalid", "user_id", "unique");
	if (row_id(row, "team_id"))
		return 0;
	r = db_get_i64(&team, c->db, "SELECT COALESCE(team_id, 0) FROM users WHERE id = $1", "i", user);
	(void)snprintf(text, sizeof(text), "%lld", (long long)team);
	row_set(row, "team_id", team ? json_string(text) : json_null());
	return r == -ENOENT ? 0 : r;
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t user = row_id(row, "user_id");

	if (old)
		return 0;
	if (*row_text(row, "month") && !is_month(row_text(row, "month")))
		res_fail(c, 422, "invalid", "month", "format");
	if (!user && !row_id(row, "team_id") && json_object_get(row, "user_id") && json_object_get(row, "team_id"))
		res_fail(c, 422, "invalid", "user_id", "required");
	return user ? check_user(c, row, user) : 0;
}

const struct res_def people_goals = {
	.name = "goals", .table = "goals", .zh = "目标", .en = "Goals",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "month", .order = "-month", .unique = unique,
	.group = "goals", .owner = "user_id", .team = "team_id", .no_page = true,
	.before_write = before_write,
};
