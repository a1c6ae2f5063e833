/*
 * Customers in projects, every permission to dial, and what the guard refused. A lead is seen by who sees its customer: a project's list
 * shows nobody more than the customers' list does.
 */
#include "campaign/campaign.h"

#include "campaign/guard.h"
#include "campaign/retry.h"
#include "db/db.h"
#include "people/declared.h"

static const struct res_option states[] = {
	{"open", "待拨", "Waiting"},
	{"claimed", "拨打中", "Being dialled"},
	{"done", "已完成", "Done"},
	{"closed", "已关闭", "Closed"},
	{NULL},
};

static const struct res_option results[] = {
#define X(e, code, zh, en, counts) {code, zh, en},
	DIAL_RESULTS(X)
#undef X
	{NULL},
};

static const struct res_option reasons[] = {
#define X(e, name, zh, en) {name, zh, en},
	GUARD_REASONS(X)
#undef X
	{"result", "按结果关闭", "Closed by a result"},
	{"removed", "已移出", "Taken out"},
	{"skipped", "坐席跳过", "Skipped by an agent"},
	{NULL},
};

static const struct res_field fields[] = {
	{"campaign_id", RES_REF, "项目", "Project", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "campaigns", .also = "项目名称"},
	{"customer_id", RES_REF, "客户", "Customer", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "customers"},
	{"state", RES_ENUM, "状态", "State", RES_READONLY, .fallback = "open", .options = states},
	{"attempts", RES_INT, "已拨次数", "Attempts", RES_READONLY, .fallback = "0"},
	{"last_result", RES_ENUM, "上次拨打", "Last attempt", RES_READONLY, .options = results},
	{"result_id", RES_REF, "联系结果", "Result", RES_READONLY, .ref = "contact_results"},
	{"last_ms", RES_TIME, "上次拨打时间", "Last attempt at", RES_READONLY},
	{"next_ms", RES_TIME, "下次拨打", "Next attempt", RES_READONLY, .fallback = "0"},
	{"agent_id", RES_REF, "回拨坐席", "Call-back by", RES_READONLY, .ref = "users"},
	{"why", RES_ENUM, "原因", "Why", RES_READONLY, .options = reasons,
	 .help_zh = "为什么在等，或为什么关闭。", .help_en = "Why it waits, or was closed."},
	{"why_ms", RES_TIME, "原因时间", "Since", RES_READONLY | RES_HIDE_LIST},
	{"priority", RES_INT, "优先级", "Priority", 0, .min = 0, .max = 10, .fallback = "5", .help_zh = "大的先拨。", .help_en = "Higher ones are dialled first."},
	{"rank", RES_INT, "次序", "Order", RES_READONLY | RES_HIDE_LIST, .fallback = "7"},
	{"phone_at", RES_INT, "第几个号码", "Number in turn", RES_READONLY | RES_HIDE_LIST, .fallback = "0"},
};
static const char *const unique[] = {"campaign_id,customer_id", NULL};

/* New leads go by their priority; retries and call-backs before them all. */
static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	json_t *priority = json_object_get(row, "priority");

	if (!old && !c->who->system && !people_may(c->who, RIGHT_CAMPAIGNS)) {
		res_fail(c, 403, "forbidden", NULL, NULL);
		return 1;
	}
	if (json_is_integer(priority) && json_integer_value(json_object_get(row, "rank")) >= LEAD_NEW)
		row_set(row, "rank", json_integer(LEAD_NEW + 10 - json_integer_value(priority)));
	return 0;
}

/* What was dialled stays in the records. */
static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	int64_t n = 0;
	int r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM dial_claims WHERE lead_id = $1", "i", id);

	if (!r && n) {
		res_fail(c, 409, "history", NULL, NULL);
		return 1;
	}
	return r ? r : db_run(c->db, "DELETE FROM guarded_dials WHERE lead_id = $1", "i", id);
}

const struct res_def campaign_leads = {
	.name = "campaign_leads", .table = "campaign_leads", .zh = "项目名单", .en = "Leads",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.order = "-created_ms", .sorts = "created_ms,next_ms,last_ms", .unique = unique,
	.group = "campaigns", .parent = "customer_id",
	.before_write = before_write, .before_delete = before_delete,
	.no_page = true,
};

static const struct res_option claim_states[] = {
	{"open", "进行中", "Open"},
	{"ended", "已结束", "Ended"},
	{"returned", "未拨出", "Not dialled"},
	{NULL},
};

static const struct res_field claim_fields[] = {
	{"campaign_id", RES_REF, "项目", "Project", RES_READONLY | RES_SEARCH, .ref = "campaigns"},
	{"customer_id", RES_REF, "客户", "Customer", RES_READONLY | RES_SEARCH, .ref = "customers"},
	{"lead_id", RES_ID, "名单行", "Lead", RES_READONLY | RES_HIDE_LIST},
	{"number", RES_TEXT, "号码", "Number", RES_MASKED | RES_READONLY, .max = 40},
	{"show", RES_TEXT, "外显号码", "Number shown", RES_READONLY, .max = 40},
	{"agent_id", RES_REF, "指定坐席", "Only by", RES_READONLY | RES_HIDE_LIST, .ref = "users"},
	{"nth", RES_INT, "第几次", "Attempt", RES_READONLY},
	{"state", RES_ENUM, "状态", "State", RES_READONLY, .options = claim_states},
	{"result", RES_ENUM, "结果", "Result", RES_READONLY, .options = results},
	{"until_ms", RES_TIME, "有效期", "Valid until", RES_READONLY | RES_HIDE_LIST},
	{"ended_ms", RES_TIME, "结束时间", "Ended", RES_READONLY},
	{"checked", RES_JSON, "拨前检查", "Checked before", RES_READONLY | RES_HIDE_LIST, .max = 2000},
};

const struct res_def campaign_dials = {
	.name = "dial_claims", .table = "dial_claims", .zh = "拨打记录", .en = "Dials",
	.fields = claim_fields, .field_n = ARRAY_LEN(claim_fields),
	.order = "-created_ms", .sorts = "created_ms",
	.group = "campaigns", .parent = "customer_id", .closed = true,
	.no_import = true, .no_page = true,
};

static const struct res_field guarded_fields[] = {
	{"campaign_id", RES_REF, "项目", "Project", RES_READONLY | RES_SEARCH, .ref = "campaigns"},
	{"customer_id", RES_REF, "客户", "Customer", RES_READONLY | RES_SEARCH, .ref = "customers"},
	{"lead_id", RES_ID, "名单行", "Lead", RES_READONLY | RES_HIDE_LIST},
	{"why", RES_ENUM, "原因", "Why", RES_READONLY, .options = reasons},
	{"again_ms", RES_TIME, "再次检查", "Looked at again", RES_READONLY, .help_zh = "空：不再拨打。", .help_en = "Empty: not dialled any more."},
};

const struct res_def campaign_guarded = {
	.name = "guarded_dials", .table = "guarded_dials", .zh = "拦截记录", .en = "Refused by the guard",
	.fields = guarded_fields, .field_n = ARRAY_LEN(guarded_fields),
	.order = "-created_ms", .sorts = "created_ms",
	.group = "campaigns", .parent = "customer_id", .closed = true,
	.no_import = true,
};
