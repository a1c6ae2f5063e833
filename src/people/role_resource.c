/* Roles: what people may, by their post. A ready one keeps following the program's own until it is given rights of its own. */
#include "people/declared.h"
#include "people/rights.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"

static const struct res_field fields[] = {
	{"key", RES_TEXT, "代码", "Code", RES_REQUIRED | RES_UNIQUE | RES_SEARCH | RES_CREATE_ONLY | RES_HIDE_LIST, .min = 2, .max = 31,
	 .help_zh = "程序和表格里用的名字：小写字母、数字、下划线；建好后不能改。",
	 .help_en = "What programs and sheets know it by: lower-case letters, digits, underscore. Cannot be changed later."},
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 32},
	{"en", RES_TEXT, "英文名称", "English name", RES_SEARCH, .max = 48},
	{"note", RES_TEXT, "说明", "Note", RES_SEARCH | RES_MULTILINE, .max = 500},
	{"sort", RES_INT, "顺序", "Order", RES_HIDE_LIST, .min = 0, .max = 100000, .fallback = "1000"},
	{"rights", RES_JSON, "功能权限", "Rights", RES_HIDE_LIST, .max = 2000,
	 .help_zh = "留空：随程序自带的同名角色。", .help_en = "Empty: as the ready role of this code has."},
	{"grants", RES_JSON, "数据权限", "Data", RES_HIDE_LIST, .max = 16000,
	 .help_zh = "每类数据能看、能改、能删到什么范围。留空：随自带角色。", .help_en = "How far each kind of data is seen, changed, removed. Empty: as the ready role has."},
};

static const struct people_rights *rights_of_row(struct res_ctx *c, const json_t *row, const char **bad)
{
	const json_t *rights = json_object_get(row, "rights"), *grants = json_object_get(row, "grants");
	const struct people_rights *shipped = people_rights_shipped(row_text(row, "key")), *p;
	json_t *no_rights, *no_grants;

	*bad = NULL;
	if (json_is_null(rights) && json_is_null(grants))
		return shipped;
	no_rights = json_array();
	no_grants = json_object();
	p = people_rights_make(json_is_null(rights) ? no_rights : rights, json_is_null(grants) ? no_grants : grants, bad);
	json_decref(no_rights);
	json_decref(no_grants);
	return p;
}

/* Nobody shuts the door behind himself, or behind all. */
static int keep_door(struct res_ctx *c, const json_t *row, const json_t *old, const struct people_rights *p)
{
	int64_t users = 0;
	int r;

	if (!old || (json_equal(json_object_get(row, "rights"), json_object_get(old, "rights")) &&
		     json_equal(json_object_get(row, "grants"), json_object_get(old, "grants"))))
		return 0;
	r = db_get_i64(&users, c->db, "SELECT COUNT(*) FROM users WHERE id = $1 AND role = $2", "it", c->who->user_id, row_text(row, "key"));
	if (!r && users && !(p->res.bits & RIGHT_SYSTEM) && people_may(c->who, RIGHT_SYSTEM))
		res_fail(c, 409, "yourself", NULL, NULL);
	if (!r && !strcmp(row_text(row, "key"), "admin"))
		res_fail(c, 409, "last_admin", NULL, NULL);
	return r;
}

/* @p: what the row gives; NULL: nothing is said. */
static int judge(struct res_ctx *c, json_t *row, const json_t *old, const struct people_rights *p)
{
	int r = old ? check_role_below(c, row_text(old, "key")) : 0; /* nobody changes who has more than he */

	if (r)
		return r;
	if (!p) { /* a role of one's own begins with nothing */
		row_set(row, "rights", json_array());
		row_set(row, "grants", json_object());
		return 0;
	}
	if (c->who->system)
		return 0;
	if (!people_rights_within(p, people_rights_of(c->who))) {
		res_fail(c, 403, "more_than_own", NULL, NULL);
		return 1;
	}
	return keep_door(c, row, old, p);
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const struct people_rights *p;
	const char *bad;
	int r;

	check_chars(c, row, "key", "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (!*row_text(row, "key") || !json_object_get(row, "rights") || !json_object_get(row, "grants"))
		return 0;
	p = rights_of_row(c, row, &bad);
	if (bad) {
		res_fail(c, 422, "invalid", bad, "format");
		return 0;
	}
	r = judge(c, row, old, p);
	if (p != people_rights_shipped(row_text(row, "key")))
		people_rights_free(p);
	return r;
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	if (strcmp(row_text(old, "key"), "admin") != 0)
		return check_role_below(c, row_text(old, "key"));
	res_fail(c, 409, "last_admin", NULL, NULL);
	return 1;
}

const struct res_def people_roles = {
	.name = "roles", .table = "roles", .zh = "角色与权限", .en = "Roles and rights",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .label_en = "en", .key = "key", .order = "sort", .group = "roles",
	.before_write = before_write, .before_delete = before_delete,
	.configures_switch = true, /* who sees numbers, who keys them */
};
