/* Departments, a tree. Who heads one sees what is below it, as far as his role reaches departments. */
#include "people/declared.h"

#include <errno.h>

#include "db/db.h"

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"parent_id", RES_REF, "上级部门", "Belongs to", RES_SEARCH, .ref = "departments"},
	{"head_id", RES_REF, "负责人", "Head", RES_SEARCH, .ref = "users"},
	{"sort", RES_INT, "顺序", "Order", RES_HIDE_LIST, .min = 0, .max = 100000, .fallback = "100"},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH | RES_MULTILINE | RES_HIDE_LIST, .max = 1000},
};

/* A department is not below itself. */
static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t id = row_id(old, "id"), up = row_id(row, "parent_id"), one;
	int r = check_within(c, &people_departments, &people_departments, row, old, "parent_id");

	if (r || !id || !up)
		return r;
	r = db_get_i64(&one, c->db,
		       "SELECT 1 FROM (WITH RECURSIVE above(id) AS (SELECT id FROM departments WHERE id = $1 UNION"
		       " SELECT d.parent_id FROM departments d JOIN above ON d.id = above.id WHERE d.parent_id IS NOT NULL)"
		       " SELECT id FROM above) AS a WHERE a.id = $2", "ii", up, id);
	if (!r)
		res_fail(c, 422, "invalid", "parent_id", "circle");
	return r == -ENOENT ? 0 : r;
}

const struct res_def people_departments = {
	.name = "departments", .table = "departments", .zh = "部门", .en = "Departments",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "sort", .group = "people", .department = "id",
	.before_write = before_write,
};
