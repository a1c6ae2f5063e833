/* Deals (成单): what was sold, for how much, by whom; a cancelled one gets a last follow-up. See sales.h. */
#include "people/declared.h"
#include "people/sales.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"

static const struct res_option states[] = {
	{"ordered", "预定", "Ordered"},
	{"signed", "成单", "Signed"},
	{"cancelled", "退订", "Cancelled"},
	{NULL},
};

static const struct res_option follows[] = {
	{"todo", "待最后跟进", "To be followed up"},
	{"done", "已跟进确认", "Followed up"},
	{NULL},
};

static const struct res_field fields[] = {
	{"customer_id", RES_REF, "客户", "Customer", RES_REQUIRED | RES_CREATE_ONLY | RES_SEARCH, .ref = "customers"},
	{"product", RES_TEXT, "产品", "Product", RES_REQUIRED | RES_SEARCH, .max = 100},
	{"amount", RES_INT, "金额", "Amount", RES_REQUIRED, .min = 0, .max = 100000000000000, .decimals = 2},
	{"day", RES_TEXT, "成单日期", "Day", RES_DAY, .max = 10, .help_zh = "留空：今天。", .help_en = "Empty: today."},
	{"state", RES_ENUM, "状态", "State", 0, .fallback = "signed", .options = states},
	{"user_id", RES_REF, "坐席", "Agent", RES_ASSIGN | RES_SEARCH, .ref = "users"},
	{"visit_id", RES_REF, "来访", "Visit", RES_HIDE_LIST, .ref = "visits", .help_zh = "在哪次来访签的；那次来访随之记为签单。",
	 .help_en = "At which visit it was signed; that visit then says so."},
	{"cancel_reason", RES_TEXT, "退订原因", "Why cancelled", RES_SEARCH | RES_HIDE_LIST, .max = 500, .show_if = "state=cancelled"},
	{"follow", RES_ENUM, "最后跟进", "Last follow-up", 0, .options = follows, .show_if = "state=cancelled"},
	{"note", RES_TEXT, "备注", "Note", RES_MULTILINE | RES_SEARCH | RES_HIDE_LIST, .max = 2000},
	{"cancelled_ms", RES_TIME, "退订时间", "Cancelled at", RES_READONLY | RES_HIDE_LIST},
	{"team_id", RES_REF, "班组", "Team", RES_READONLY | RES_HIDE_LIST, .ref = "teams"},
	{"campaign_id", RES_REF, "项目", "Project", RES_HIDE_LIST | RES_CREATE_ONLY, .ref = "campaigns"},
};

static void set_day(struct res_ctx *c, json_t *row)
{
	char today[11];

	if (!*row_text(row, "day")) {
		sales_day(today, c->db, c->now_ms);
		row_set(row, "day", json_string(today));
	} else if (!sales_is_day(row_text(row, "day"))) {
		res_fail(c, 422, "invalid", "day", "format");
	}
}

static void set_cancelled(struct res_ctx *c, json_t *row, const json_t *old)
{
	bool is = !strcmp(row_text(row, "state"), "cancelled"), was = old && !strcmp(row_text(old, "state"), "cancelled");

	if (!is) {
		row_set(row, "cancelled_ms", json_null());
		row_set(row, "follow", json_null());
	} else if (!was) {
		row_set(row, "cancelled_ms", json_integer(c->now_ms));
		if (!json_object_get(c->body, "follow"))
			row_set(row, "follow", json_string("todo"));
	}
}

/* It was signed by the customer who came. */
static int check_visit(struct res_ctx *c, const json_t *row)
{
	int64_t one;
	int r;

	if (!row_id(row, "visit_id"))
		return 0;
	r = db_get_i64(&one, c->db, "SELECT 1 FROM visits WHERE id = $1 AND customer_id = $2", "ii", row_id(row, "visit_id"), row_id(row, "customer_id"));
	if (r == -ENOENT)
		res_fail(c, 422, "invalid", "visit_id", "ref");
	return r == -ENOENT ? 0 : r;
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	int r = sales_whose(c, row, old);

	if (!r)
		r = check_visit(c, row);
	if (r)
		return r;
	set_day(c, row);
	set_cancelled(c, row, old);
	return 0;
}

static int after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	if (!row_id(row, "visit_id") || strcmp(row_text(row, "state"), "signed") != 0)
		return 0;
	return db_run(c->db,
		      "UPDATE visits SET state = 'signed', again = NULL, arrived_ms = COALESCE(arrived_ms, at_ms), rev = rev + 1, updated_ms = $2"
		      " WHERE id = $1 AND state <> 'signed'",
		      "ii", row_id(row, "visit_id"), c->now_ms);
}

const struct res_def people_deals = {
	.name = "deals", .table = "deals", .zh = "成单", .en = "Deals",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "product", .order = "-day", .sorts = "day,created_ms",
	.group = "sales", .owner = "user_id", .team = "team_id", .parent = "customer_id", .mask_words = true, .no_page = true,
	.before_write = before_write, .after_write = after_write,
};
