/* Who left, and how his customers were handed over. Written by leave.c alone. */
#include "people/declared.h"

static const struct res_option rules[] = {
	{"keep", "暂不移交", "Stay for now"},
	{"people", "分给选定的人", "To chosen people"},
	{"team", "分给本班组", "To the team"},
	{"pool", "放回公海", "Into the pool"},
	{NULL},
};

static const struct res_option states[] = {
	{"planning", "正在计划", "Being planned"},
	{"running", "进行中", "Running"},
	{"done", "已完成", "Done"},
	{"undoing", "正在撤销", "Being undone"},
	{"undone", "已撤销", "Undone"},
	{NULL},
};

static const struct res_field fields[] = {
	{"user_id", RES_REF, "离职人员", "Who left", RES_READONLY, .ref = "users"},
	{"by_name", RES_TEXT, "办理人", "By", RES_READONLY | RES_SEARCH, .max = 64},
	{"rule", RES_ENUM, "移交规则", "Rule", RES_READONLY, .fallback = "keep", .options = rules},
	{"state", RES_ENUM, "状态", "State", RES_READONLY, .fallback = "done", .options = states},
	{"total", RES_INT, "客户数", "Customers", RES_READONLY, .fallback = "0"},
	{"moved", RES_INT, "已移交", "Handed over", RES_READONLY, .fallback = "0"},
	{"back", RES_INT, "已收回", "Given back", RES_READONLY, .fallback = "0"},
	{"kept", RES_INT, "未动", "Left as they were", RES_READONLY, .fallback = "0"},
	{"seed", RES_TEXT, "种子", "Seed", RES_READONLY | RES_HIDE_LIST, .max = 64},
};

const struct res_def people_leaves = {
	.name = "leaves", .table = "leaves", .zh = "离职交接", .en = "Leavers",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "by_name", .order = "-created_ms",
	.group = "people", .parent = "user_id", .closed = true,
	.no_import = true,
};
