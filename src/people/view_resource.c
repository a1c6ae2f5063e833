/* Saved views of lists, one's own or shared; and how a person has each list. */
#include "people/declared.h"
#include "people/rights.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"

#define CONDITIONS_MAX 40
#define COLUMNS_MAX 100

static const struct res_field view_fields[] = {
	{"resource", RES_TEXT, "列表", "List", RES_REQUIRED | RES_CREATE_ONLY, .max = 64},
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_SEARCH, .max = 40},
	{"filters", RES_JSON, "条件", "Conditions", 0, .max = 8000},
	{"columns", RES_JSON, "列", "Columns", 0, .max = 4000},
	{"sort", RES_TEXT, "排序", "Order", 0, .max = 64},
	{"user_id", RES_REF, "谁的", "Whose", RES_READONLY, .ref = "users"},
	{"shared", RES_BOOL, "共享", "Shared", 0, .fallback = "false"},
	{"ordinal", RES_INT, "顺序", "Place", 0, .min = 0, .max = 1000, .fallback = "100"},
};

static const struct res_field pref_fields[] = {
	{"user_id", RES_REF, "谁的", "Whose", RES_READONLY, .ref = "users"},
	{"resource", RES_TEXT, "列表", "List", RES_REQUIRED | RES_CREATE_ONLY, .max = 64},
	{"columns", RES_JSON, "列", "Columns", 0, .max = 4000},
	{"view_id", RES_REF, "默认视图", "Opens with", 0, .ref = "views"},
};
static const char *const pref_unique[] = {"user_id,resource", NULL};

static void check_resource(struct res_ctx *c, const json_t *row)
{
	const char *name = row_text(row, "resource");

	if (*name && !res_find(name) && strcmp(name, "recordings") != 0) /* a list that is no resource's */
		res_fail(c, 422, "invalid", "resource", "enum");
}

static void check_columns(struct res_ctx *c, const json_t *row)
{
	const json_t *columns = json_object_get(row, "columns"), *v;
	size_t i;

	if (!columns || json_is_null(columns))
		return;
	if (!json_is_array(columns) || json_array_size(columns) > COLUMNS_MAX) {
		res_fail(c, 422, "invalid", "columns", "type");
		return;
	}
	json_array_foreach(columns, i, v)
		if (!json_is_string(v))
			res_fail(c, 422, "invalid", "columns", "type");
}

static void check_filters(struct res_ctx *c, const json_t *row)
{
	json_t *filters = json_object_get(row, "filters"), *v;
	const char *key;

	if (!filters || json_is_null(filters))
		return;
	if (!json_is_object(filters) || json_object_size(filters) > CONDITIONS_MAX) {
		res_fail(c, 422, "invalid", "filters", "type");
		return;
	}
	json_object_foreach(filters, key, v)
		if (!json_is_string(v))
			res_fail(c, 422, "invalid", "filters", "type");
}

/* What all see is set up by those with the right to share. */
static int view_may(struct res_ctx *c, const json_t *row, const json_t *old)
{
	bool own = !old || row_id(old, "user_id") == c->who->user_id;

	if (people_may(c->who, RIGHT_SHARE) || (own && !json_is_true(json_object_get(row, "shared"))))
		return 0;
	res_fail(c, 403, "forbidden", NULL, NULL);
	return 1;
}

static int view_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	check_resource(c, row);
	check_columns(c, row);
	check_filters(c, row);
	return view_may(c, row, old);
}

static int view_before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	int r = view_may(c, old, old);

	return r ? r : db_run(c->db, "UPDATE list_prefs SET view_id = NULL WHERE view_id = $1", "i", id);
}

/* A view that he sees: beside the reference stands its name. */
static int check_view(struct res_ctx *c, const json_t *row)
{
	int64_t id = row_id(row, "view_id"), one;
	int r;

	if (!id || c->who->system)
		return 0;
	r = db_get_i64(&one, c->db, "SELECT 1 FROM views WHERE id = $1 AND (user_id = $2 OR shared = 1)", "ii", id, c->who->user_id);
	if (r == -ENOENT)
		res_fail(c, 422, "invalid", "view_id", "ref");
	return r == -ENOENT ? 0 : r;
}

static int pref_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	check_resource(c, row);
	check_columns(c, row);
	return check_view(c, row);
}

int people_views_forget(struct db *db, int64_t user_id)
{
	int r = db_run(db, "UPDATE list_prefs SET view_id = NULL WHERE view_id IN (SELECT id FROM views WHERE user_id = $1)", "i", user_id);

	if (!r)
		r = db_run(db, "DELETE FROM list_prefs WHERE user_id = $1", "i", user_id);
	return r ? r : db_run(db, "DELETE FROM views WHERE user_id = $1", "i", user_id);
}

const struct res_def people_views = {
	.name = "views", .table = "views", .zh = "列表视图", .en = "Views",
	.fields = view_fields, .field_n = ARRAY_LEN(view_fields),
	.label = "name", .order = "ordinal",
	.personal = "user_id", .shared = "shared",
	.before_write = view_before_write, .before_delete = view_before_delete,
	.no_import = true, .no_page = true,
};

const struct res_def people_list_prefs = {
	.name = "list_prefs", .table = "list_prefs", .zh = "列表习惯", .en = "List preferences",
	.fields = pref_fields, .field_n = ARRAY_LEN(pref_fields),
	.order = "resource", .unique = pref_unique,
	.personal = "user_id",
	.before_write = pref_before_write,
	.no_import = true, .no_page = true,
};
