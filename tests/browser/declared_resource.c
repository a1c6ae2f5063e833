/* All that a plain resource needs besides its table: page, API, rights, audit, sheets and search come from this. */
#include "base/base.h"
#include "resource/resource.h"

extern const struct res_def people_one_more;

static const struct res_option kinds[] = {
	{"staff", "员工", "Staff"},
	{"guest", "访客", "Guest"},
	{NULL},
};

static const struct res_field fields[] = {
	{"code", RES_TEXT, "编号", "Code", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 16},
	{"holder", RES_TEXT, "持有人", "Holder", RES_REQUIRED | RES_SEARCH, .max = 32},
	{"kind", RES_ENUM, "种类", "Kind", RES_REQUIRED, .fallback = "staff", .options = kinds},
	{"floor", RES_INT, "楼层", "Floor", 0, .min = -3, .max = 60},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true"},
};

const struct res_def people_one_more = {
	.name = "badges", .table = "badges", .zh = "门禁卡", .en = "Door cards",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "code", .order = "code",
	.group = "lists",
};
