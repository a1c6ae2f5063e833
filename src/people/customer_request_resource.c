/*
 * Somebody met a customer that is another's, and asks for it. Asked and decided by customer_request.c alone; everybody reads what concerns
 * him.
 */
#include "people/declared.h"

static const struct res_option states[] = {
	{"open", "待处理", "Open"},
	{"assigned", "已转给申请人", "Given to the asker"},
	{"shared", "共同跟进", "Shared"},
	{"refused", "已拒绝", "Refused"},
	{"withdrawn", "已撤回", "Withdrawn"},
	{NULL},
};

static const struct res_field fields[] = {
	{"customer_id", RES_REF, "客户", "Customer", RES_READONLY | RES_SEARCH, .ref = "customers"},
	{"user_id", RES_REF, "申请人", "Asked by", RES_READONLY | RES_SEARCH, .ref = "users"},
	{"owner_id", RES_REF, "归属坐席", "Owner", RES_READONLY | RES_SEARCH, .ref = "users"},
	{"team_id", RES_REF, "归属班组", "Owner's team", RES_READONLY, .ref = "teams"},
	{"number", RES_TEXT, "号码", "Number", RES_READONLY | RES_SEARCH, .max = 64},
	{"reason", RES_TEXT, "申请理由", "Reason", RES_READONLY | RES_SEARCH | RES_MULTILINE, .max = 500},
	{"state", RES_ENUM, "状态", "State", RES_READONLY, .fallback = "open", .options = states},
	{"answer", RES_TEXT, "答复", "Answer", RES_READONLY | RES_MULTILINE, .max = 500},
	{"decided_by", RES_REF, "处理人", "Decided by", RES_READONLY, .ref = "users"},
	{"decided_ms", RES_TIME, "处理时间", "Decided", RES_READONLY},
};

const struct res_def people_customer_requests = {
	.name = "customer_requests", .table = "customer_requests", .zh = "撞单申请", .en = "Requests for customers",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "state", .order = "-created_ms",
	.group = "customers", .parent = "customer_id", .closed = true, .mask_words = true,
	.no_import = true,
};
