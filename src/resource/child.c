/* Rows of another resource that a sheet brings in columns of their parent's row. */
#include "resource/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct res_field *value_field(const struct res_def *d)
{
	const struct res_def *kid = res_find(d->child->resource);
	int i = kid ? res_field_find(kid, d->child->value) : -1;

	assert(i >= 0);
	return &kid->fields[i];
}

static int parent_of(int64_t *parent, struct res_ctx *c, const struct res_def *d, const char *value)
{
	const struct res_child *k = d->child;
	/* The unique index on the value serves it. */
	char *sql = xasprintf("SELECT %s FROM %s WHERE centre_id = $1 AND %s = $2", k->parent, res_find(k->resource)->table, k->value);
	int r = db_get_i64(parent, c->db, sql, "it", c->who->centre_id, value);

	free(sql);
	return r == -ENOENT ? 0 : r;
}

int res_child_find(int64_t *parent, char *ret, size_t size, const char **what, struct res_ctx *c, const struct res_def *d, const char *text)
{
	const struct res_field *f = value_field(d);
	int r;

	*parent = 0;
	if (d->child->normal)
		r = d->child->normal(ret, size, what, c, text);
	else
		r = str_copy(ret, size, text) ? 0 : 1;
	if (r) {
		if (r > 0 && !d->child->normal)
			*what = "range";
		return r;
	}
	return f->flags & RES_UNIQUE ? parent_of(parent, c, d, ret) : 0;
}

/* "label=family" */
static void add_with(json_t *body, const struct res_def *kid, const char *with)
{
	size_t n = strcspn(with, "=");
	char name[64];
	int i;

	(void)snprintf(name, sizeof(name), "%.*s", (int)n, with);
	i = res_field_find(kid, name);
	assert(i >= 0 && with[n] == '=');
	if (kid->fields[i].type == RES_BOOL)
		(void)json_object_set_new(body, name, json_boolean(!strcmp(with + n + 1, "true")));
	else if (kid->fields[i].type == RES_INT)
		(void)json_object_set_new(body, name, json_integer(atoll(with + n + 1)));
	else
		(void)json_object_set_new(body, name, json_string(with + n + 1));
}

json_t *res_child_body(const struct res_def *d, int target, const char *value)
{
	const struct res_child *k = d->child;
	const char *with = k->columns[target - RES_TARGET_CHILD].with;
	json_t *body = json_pack("{s:s}", k->value, value);

	if (with)
		add_with(body, res_find(k->resource), with);
	return body;
}

static int child_revs(json_t *list, struct res_ctx *c, const struct res_def *d, int64_t id)
{
	char *sql = xasprintf("SELECT id, rev FROM %s WHERE centre_id = $1 AND %s = $2 ORDER BY id", res_find(d->child->resource)->table, d->child->parent);
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, sql);

	if (!r) {
		db_bind_i64(st, 1, c->who->centre_id);
		db_bind_i64(st, 2, id);
		while ((r = db_step(st)) == DB_ROW)
			(void)json_array_append_new(list, json_pack("[I, I]", (json_int_t)db_i64(st, 0), (json_int_t)db_i64(st, 1)));
		db_done(st);
	}
	free(sql);
	return r;
}

int res_row_revs(int64_t *rev, json_t **children, struct res_ctx *c, const struct res_def *d, int64_t id)
{
	char *sql = xasprintf("SELECT rev FROM %s WHERE centre_id = $1 AND id = $2", d->table);
	int r = db_get_i64(rev, c->db, sql, "ii", c->who->centre_id, id);

	free(sql);
	*children = NULL;
	if (r || !d->child)
		return r;
	*children = json_array();
	r = child_revs(*children, c, d, id);
	if (r) {
		json_decref(*children);
		*children = NULL;
	}
	return r;
}
