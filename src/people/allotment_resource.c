/* Customers given out or taken back, many at a time; and the rules by which they are taken back. The program alone writes the first. */
#include "people/declared.h"

static const struct res_option kinds[] = {{"allot", "分配", "Allocation"}, {"recycle", "回收", "Reclaim"}, {NULL}};

static const struct res_option states[] = {
	{"running", "进行中", "Running"},
	{"done", "已完成", "Done"},
	{"cancelled", "已取消", "Cancelled"},
	{"interrupted", "中断", "Interrupted"},
	{"undoing", "正在撤销", "Being undone"},
	{"undone", "已撤销", "Undone"},
	{"part_undone", "部分撤销", "Undone in part"},
	{NULL},
};

static const struct res_option methods[] = {{"equal", "平均", "Equally"}, {"weighted", "按权重", "By weight"}, {NULL}};

static const struct res_field fields[] = {
	{"title", RES_TEXT, "内容", "What", RES_READONLY | RES_SEARCH, .max = 200},
	{"kind", RES_ENUM, "种类", "Kind", RES_READONLY, .options = kinds},
	{"state", RES_ENUM, "状态", "State", RES_READONLY, .options = states},
	{"user_id", RES_REF, "操作人", "By", RES_READONLY | RES_SEARCH, .ref = "users", .help_zh = "空：夜间自动。", .help_en = "Empty: at night, by itself."},
	{"rule_id", RES_REF, "回收规则", "Rule", RES_READONLY | RES_HIDE_LIST, .ref = "recycle_rules"},
	{"team_id", RES_REF, "转给班组", "To team", RES_READONLY | RES_HIDE_LIST, .ref = "teams"},
	{"method", RES_ENUM, "方式", "Method", RES_READONLY | RES_HIDE_LIST, .options = methods},
	{"count", RES_INT, "客户数", "Customers", RES_READONLY},
	{"done", RES_INT, "已处理", "Dealt with", RES_READONLY | RES_HIDE_LIST},
	{"changed", RES_INT, "已变更", "Changed", RES_READONLY},
	{"refused", RES_INT, "未变更", "Refused", RES_READONLY},
	{"undone", RES_INT, "已撤销", "Undone", RES_READONLY},
	{"kept", RES_INT, "撤销时保留", "Left by the undo", RES_READONLY | RES_HIDE_LIST},
	{"seed", RES_TEXT, "种子", "Seed", RES_READONLY | RES_HIDE_LIST, .max = 64},
	{"version", RES_TEXT, "算法", "Algorithm", RES_READONLY | RES_HIDE_LIST, .max = 16},
	{"people", RES_JSON, "分给谁", "To whom", RES_READONLY | RES_HIDE_LIST, .max = 1000000},
};

const struct res_def people_allocations = {
	.name = "allocations", .table = "allocations", .zh = "分配记录", .en = "Allocations",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "title", .order = "-created_ms",
	.group = "customers", .owner = "user_id", .closed = true,
	.no_import = true,
};

static const struct res_option targets[] = {
	{"pool", "回公海", "To the pool"},
	{"team", "转给班组，暂无归属人", "To a team, without an owner"},
	{"share", "平均分给班组的人", "Among a team's people, equally"},
	{NULL},
};

static const struct res_field rule_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"idle_days", RES_INT, "多少天没联系", "Days without contact", 0, .min = 1, .max = 3650,
	 .help_zh = "从最近联系算起；没联系过就从归属那天算起。各个条件要同时满足，留空的不管。",
	 .help_en = "Since the last contact, else since she got her owner. All conditions that are given must hold."},
	{"result_id", RES_REF, "联系结果", "Result of contacts", 0, .ref = "contact_results"},
	{"result_n", RES_INT, "出现几次", "How often", 0, .min = 1, .max = 100, .fallback = "3",
	 .help_zh = "归属以来，小结里这个结果出现这么多次。", .help_en = "So many notes have this result since she got her owner."},
	{"type_id", RES_REF, "客户类型", "Type", 0, .ref = "customer_types"},
	{"owner_left", RES_BOOL, "归属人已停用或离职", "Owner is inactive or has left", 0, .fallback = "false"},
	{"target", RES_ENUM, "收回后", "Then", RES_REQUIRED, .fallback = "pool", .options = targets},
	{"team_id", RES_REF, "班组", "Team", RES_REQUIRED, .ref = "teams", .show_if = "target=team|share"},
	{"nightly", RES_BOOL, "每晚自动执行", "Every night", 0, .fallback = "false", .help_zh = "凌晨两点以后。", .help_en = "After two o'clock."},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true"},
	{"last_ms", RES_TIME, "上次执行", "Ran last", RES_READONLY},
};

/* A rule without conditions would take everybody's customers. */
static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	if (!json_integer_value(json_object_get(row, "idle_days")) && !*row_text(row, "result_id") && !*row_text(row, "type_id") &&
	    !row_bool(row, "owner_left"))
		res_fail(c, 422, "invalid", "idle_days", "required");
	return 0;
}

const struct res_def people_recycle_rules = {
	.name = "recycle_rules", .table = "recycle_rules", .zh = "回收规则", .en = "Reclaim rules",
	.fields = rule_fields, .field_n = ARRAY_LEN(rule_fields),
	.label = "name", .order = "name",
	.group = "lists",
	.before_write = before_write,
	.no_import = true,
};
