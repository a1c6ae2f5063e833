#include "people/declared.h"

#include <string.h>

static const struct res_field fields[] = {
	{"code", RES_TEXT, "代码", "Code", RES_REQUIRED | RES_UNIQUE | RES_SEARCH | RES_CREATE_ONLY, .max = 31,
	 .help_zh = "记录和报表里用的名字：小写字母、数字、下划线；建好后不能改。",
	 .help_en = "What records and figures know it by: lower-case letters, digits, underscore. Cannot be changed later."},
	{"zh", RES_TEXT, "中文名称", "Chinese name", RES_REQUIRED | RES_SEARCH, .max = 32},
	{"en", RES_TEXT, "英文名称", "English name", RES_REQUIRED | RES_SEARCH, .max = 32},
	{"sort", RES_INT, "顺序", "Order", 0, .min = 0, .max = 1000, .fallback = "100",
	 .help_zh = "数字小的排在前面。", .help_en = "Lower numbers come first."},
	{"minutes_max", RES_INT, "时限（分钟）", "At most (minutes)", 0, .min = 0, .max = 480, .fallback = "0",
	 .help_zh = "超过后本人会看到超时；0：不限。", .help_en = "Beyond it the agent is told; 0: no limit."},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true",
	 .help_zh = "停用后坐席不能再选，历史记录仍显示其名称。", .help_en = "When off, agents cannot choose it; history still names it."},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	/* Reasons that the routing core gives by itself. */
	static const char *const ours[] = {"login", "device", "noanswer", "forced", "phone"};

	check_chars(c, row, "code", "abcdefghijklmnopqrstuvwxyz0123456789_");
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (!strcmp(row_text(row, "code"), ours[i]))
			res_fail(c, 422, "invalid", "code", "reserved");
	return 0;
}

const struct res_def people_breaks = {
	.name = "breaks", .table = "breaks", .zh = "小休原因", .en = "Break reasons",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "zh", .order = "sort",
	.group = "lists",
	.before_write = before_write,
};
