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

int res_child_value(char *ret, size_t size, const char **what, struct res_ctx *c, const struct res_def *d, const char *text)
{
	if (d->child->normal)
		return d->child->normal(ret, size, what, c, text);
	if (str_copy(ret, size, text))
		return 0;
	*what = "range";
	return 1;
}

/* The unique index on the value serves it. */
static int find_parents(json_t *parents, struct res_ctx *c, const struct res_def *d, const char *const *values, size_t n)
{
	const struct res_child *k = d->child;
	size_t places = res_places(n);
	struct db_stmt *st;
	struct strb b;
	int r;

	strb_init(&b, 16384);
	strb_printf(&b, "SELECT %s, %s FROM %s WHERE centre_id = $1 AND %s IN (", k->value, k->parent, res_find(k->resource)->table, k->value);
	res_put_places(&b, 2, places);
	strb_puts(&b, ")");
	r = db_prepare(&st, c->db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	for (size_t i = 0; i < places; i++)
		db_bind_text(st, (int)i + 2, values[i < n ? i : n - 1]);
	while ((r = db_step(st)) == DB_ROW)
		(void)json_object_set_new(parents, db_text(st, 0), json_integer(db_i64(st, 1)));
	db_done(st);
	return r;
}

int res_child_parents(json_t *parents, struct res_ctx *c, const struct res_def *d, const char *const *values, size_t n)
{
	int r = 0;

	if (!(value_field(d)->flags & RES_UNIQUE))
		return 0;
	for (size_t at = 0; !r && at < n; at += RES_PLACES_MAX)
		r = find_parents(parents, c, d, values + at, n - at < RES_PLACES_MAX ? n - at : RES_PLACES_MAX);
	return r;
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
