#include "people/declared.h"

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"department_id", RES_REF, "部门", "Department", RES_SEARCH, .ref = "departments"},
	{"lead_id", RES_REF, "组长", "Lead", RES_SEARCH, .ref = "users",
	 .help_zh = "看得到这个班组的客户和通话（角色允许“班组”范围时）。", .help_en = "Sees this team's customers and calls, where the role reaches teams."},
	{"break_max", RES_INT, "小休名额", "On break at most", RES_HIDE_LIST, .min = 0, .max = 1000, .fallback = "0",
	 .help_zh = "同时小休的人数上限，超过的排队等名额；0：不限。", .help_en = "So many may be on a break at once, others wait for a slot; 0: no limit."},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH | RES_MULTILINE | RES_HIDE_LIST, .max = 1000},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	return check_within(c, &people_teams, &people_departments, row, old, "department_id");
}

const struct res_def people_teams = {
	.name = "teams", .table = "teams", .zh = "班组", .en = "Teams",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.group = "people", .team = "id", .department = "department_id",
	.before_write = before_write, .many = &res_many_plain,
	.configures_switch = true,
};
