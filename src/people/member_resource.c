#include "people/declared.h"

static const struct res_field fields[] = {
	{"queue_id", RES_REF, "队列", "Queue", RES_REQUIRED | RES_SEARCH, .ref = "queues"},
	{"user_id", RES_REF, "坐席", "Agent", RES_REQUIRED | RES_SEARCH, .ref = "users"},
	{"level", RES_INT, "级别", "Level", RES_REQUIRED, .min = 1, .max = 9, .fallback = "1",
	 .help_zh = "1 最先接，9 最后接：级别大的成员只在前面的都忙时才接。",
	 .help_en = "1 is asked first, 9 last: higher levels help out when everybody before them is busy."},
};

static const char *const unique[] = {"user_id,queue_id", NULL};

const struct res_def people_members = {
	.name = "members", .table = "members", .zh = "队列成员", .en = "Queue members",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.order = "queue_id", .unique = unique,
	.group = "staffing",
	.configures_switch = true,
};
