#include "people/declared.h"

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH | RES_MULTILINE | RES_HIDE_LIST, .max = 1000},
};

const struct res_def people_teams = {
	.name = "teams", .table = "teams", .zh = "班组", .en = "Teams",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.read = ROLE_SUPERVISOR | ROLE_ADMIN, .write = ROLE_ADMIN,
	.configures_switch = true,
};
