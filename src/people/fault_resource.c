/*
 * Fault reports: what an agent sent by the button on his desk. Made by people_fault_new alone; administrators keep state and remark.
 * What his page collected lies beside the row, since it is long and seldom read.
 */
#include "people/declared.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"

static const struct res_option states[] = {
	{"open", "未处理", "Open"},
	{"work", "处理中", "In work"},
	{"solved", "已解决", "Solved"},
	{NULL},
};

static const struct res_field fields[] = {
	{"happened_ms", RES_TIME, "时间", "Time", RES_READONLY},
	{"user_id", RES_REF, "报告人", "Reported by", RES_READONLY | RES_SEARCH, .ref = "users"},
	{"text", RES_TEXT, "说明", "In his words", RES_READONLY | RES_SEARCH | RES_MULTILINE, .max = PEOPLE_FAULT_TEXT_MAX},
	{"summary", RES_TEXT, "环境", "Browser", RES_READONLY | RES_SEARCH | RES_HIDE_LIST, .max = 200},
	{"call_id", RES_TEXT, "通话", "Call", RES_READONLY | RES_HIDE_LIST, .max = 20},
	{"state", RES_ENUM, "状态", "State", RES_REQUIRED, .fallback = "open", .options = states},
	{"remark", RES_TEXT, "处理说明", "Remark", RES_SEARCH | RES_MULTILINE, .max = 1000,
	 .help_zh = "报告人看得到。", .help_en = "Who reported it sees this."},
};

/* Reports come from desks, not from forms. */
static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	static const char *const given[] = {"happened_ms", "user_id", "text", "summary", "call_id"};

	if (old)
		return 0;
	if (!c->who->system || !c->prepared) {
		res_fail(c, 403, "forbidden", NULL, NULL);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		(void)json_object_set(row, given[i], json_object_get(c->prepared, given[i]));
	return 0;
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	return db_run(c->db, "DELETE FROM fault_details WHERE fault_id = $1", "i", id);
}

const struct res_def people_faults = {
	.name = "faults", .table = "faults", .zh = "故障报告", .en = "Fault reports",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "summary", .order = "-happened_ms",
	.group = "faults", .mask_words = true,
	.before_write = before_write, .before_delete = before_delete,
	.no_import = true,
};

static json_t *text_or_null(const char *s)
{
	return s && *s ? json_string(s) : json_null();
}

int people_fault_new(int64_t *ret, struct res_ctx *c, const struct people_fault *f)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;
	json_t *row = NULL, *body = json_pack("{s:s}", "state", "open");
	char user[24], call[24] = "";
	int r;

	(void)snprintf(user, sizeof(user), "%lld", (long long)f->user_id);
	if (f->call_id)
		(void)snprintf(call, sizeof(call), "%lld", (long long)f->call_id);
	who.system = true; /* the row is the program's; who pressed the button stays in the audit */
	own.who = &who;
	own.once = NULL;
	own.prepared = json_pack("{s:I, s:s, s:o, s:o, s:o}", "happened_ms", (json_int_t)f->happened_ms, "user_id", user, "text",
				 text_or_null(f->text), "summary", text_or_null(f->summary), "call_id", text_or_null(call));
	r = res_create(&row, &own, &people_faults, body);
	if (!r) {
		*ret = row_id(row, "id");
		r = db_run(c->db, "INSERT INTO fault_details (fault_id, data) VALUES ($1, $2)", "it", *ret, f->details);
	}
	res_ctx_done(&own);
	json_decref(row);
	json_decref(body);
	return r;
}
