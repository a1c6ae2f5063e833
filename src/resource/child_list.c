/*
 * A row's child rows as a list in its body: "phones": [{"id": "7", "number": "..."}, {"number": "..."}]. The list is what there is to be
 * afterwards: rows with an id are updated, rows without are new, rows that are not in it go. Where the child rows are ordered by a number,
 * the list's order is theirs. Everything goes through the child's own declaration: checks, hooks, rights, audit.
 */
#include "resource/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 50
#define ORDER_STEP 10

const char *res_child_list_name(const struct res_def *d)
{
	return d->child ? d->child->columns[0].name : NULL;
}

static const struct res_def *kid_of(const struct res_def *d)
{
	return res_find(d->child->resource);
}

int res_child_list_read(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id)
{
	const struct res_def *kid = kid_of(d);
	const struct res_sql *s = res_sql_of(kid);
	char *sql = xasprintf("%s%s WHERE t.centre_id = $1 AND t.%s = $2 ORDER BY t.%s, t.id", s->cols, s->from, d->child->parent,
			      kid->order && kid->order[0] != '-' ? kid->order : "id");
	json_t *list = json_array();
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, sql);

	if (!r) {
		db_bind_i64(st, 1, c->who->centre_id);
		db_bind_i64(st, 2, id);
		while ((r = db_step(st)) == DB_ROW)
			(void)json_array_append_new(list, res_row_json(c, kid, st, false));
		db_done(st);
	}
	free(sql);
	if (r) {
		json_decref(list);
		return r;
	}
	*ret = list;
	return 0;
}

/* What comes with every row, and what says whose it is, need not be sent again, and may be. */
json_t *res_child_item(const struct res_def *d, const json_t *item, size_t at)
{
	static const char *const system[] = {"id", "rev", "created_ms", "updated_ms"};
	const struct res_def *kid = kid_of(d);
	json_t *body = json_object(), *v;
	int order = kid->order ? res_field_find(kid, kid->order) : -1;
	const char *key;

	json_object_foreach((json_t *)item, key, v) {
		bool skip = !strcmp(key, d->child->parent);
		size_t len = strlen(key);

		for (size_t i = 0; i < ARRAY_LEN(system); i++)
			skip |= !strcmp(key, system[i]);
		skip |= len > 6 && !strcmp(key + len - 6, "_label");
		if (!skip)
			(void)json_object_set(body, key, v);
	}
	if (order >= 0 && kid->fields[order].type == RES_INT)
		(void)json_object_set_new(body, kid->order, json_integer((json_int_t)(at + 1) * ORDER_STEP));
	return body;
}

/* The one among @rows that @item means by its id; NULL: a new one. */
static const json_t *row_of(const json_t *rows, const json_t *item)
{
	const char *id = json_string_value(json_object_get(item, "id"));
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)rows, i, row)
		if (id && !strcmp(id, json_string_value(json_object_get(row, "id"))))
			return row;
	return NULL;
}

bool res_child_list_check(struct res_ctx *c, const struct res_def *d, const json_t *list, const json_t *rows)
{
	const char *name = res_child_list_name(d), *what = NULL;
	json_t *item;
	size_t i;

	if (!json_is_array(list))
		what = "type";
	else if (json_array_size(list) > LIST_MAX)
		what = "range";
	json_array_foreach((json_t *)list, i, item)
		if (!json_is_object(item))
			what = "type";
		else if (json_object_get(item, "id") && !row_of(rows, item))
			what = "unknown"; /* gone, or another's */
	if (what)
		res_fail(c, 422, "invalid", name, what);
	return !what;
}

bool res_child_list_differs(const struct res_def *d, const json_t *list, const json_t *rows)
{
	json_t *item, *v;
	const char *key;
	size_t i;

	if (json_array_size(list) != json_array_size(rows))
		return true;
	json_array_foreach((json_t *)list, i, item) {
		const json_t *row = json_array_get(rows, i);
		json_t *body;
		bool same;

		same = row_of(rows, item) == row;
		body = res_child_item(d, item, 0);
		if (kid_of(d)->order)
			(void)json_object_del(body, kid_of(d)->order); /* in the same place */
		json_object_foreach(body, key, v)
			same &= json_equal(v, json_object_get(row, key));
		json_decref(body);
		if (!same)
			return true;
	}
	return false;
}

/* "phones.0.number": what was wrong with a child, said to who sent the list. */
static void pass_error(struct res_ctx *c, const struct res_def *d, size_t at, struct res_error *e)
{
	const char *key;
	char name[160];
	json_t *what;

	json_object_foreach(e->fields, key, what) {
		(void)snprintf(name, sizeof(name), "%s.%zu.%s", res_child_list_name(d), at, key);
		res_fail(c, e->status, e->code, name, json_string_value(what));
	}
	res_fail(c, e->status, e->code, NULL, e->detail[0] ? e->detail : NULL);
	if (e->current && !c->error->current)
		c->error->current = json_incref(e->current);
}

struct step {
	enum { STEP_REMOVE, STEP_UPDATE, STEP_CREATE } what;
	size_t at;
	int64_t id;
	json_t *body;
};

/* 0; positive: refused, which is in c->error; negative. */
static int step_do(struct res_ctx *c, const struct res_def *d, const struct step *s)
{
	const struct res_def *kid = kid_of(d);
	struct res_error e = {0};
	struct res_ctx own = *c;
	json_t *row = NULL;
	int r;

	own.error = &e;
	own.prepared = own.once = NULL;
	switch (s->what) {
	case STEP_REMOVE:
		r = res_delete(&own, kid, s->id, RES_REV_ANY);
		break;
	case STEP_UPDATE:
		r = res_update(&row, &own, kid, s->id, s->body, RES_REV_ANY);
		break;
	default:
		r = res_create(&row, &own, kid, s->body);
	}
	if (r > 0)
		pass_error(c, d, s->at, &e);
	res_ctx_done(&own);
	res_error_done(&e);
	json_decref(row);
	return r;
}

static int64_t id_of(const json_t *row)
{
	int64_t id = 0;

	(void)str_to_i64(&id, json_string_value(json_object_get(row, "id")), 1, INT64_MAX);
	return id;
}

/* Removals first, so that what they held is free. All refusals of the rest are gathered. */
static int remove_gone(struct res_ctx *c, const struct res_def *d, const json_t *list, const json_t *rows)
{
	json_t *row, *item;
	size_t i, k;
	int r = 0;

	json_array_foreach((json_t *)rows, i, row) {
		bool kept = false;

		json_array_foreach((json_t *)list, k, item)
			kept |= row_of(rows, item) == row;
		if (!kept)
			r = step_do(c, d, &(struct step){.what = STEP_REMOVE, .id = id_of(row)});
		if (r)
			return r;
	}
	return 0;
}

int res_child_list_write(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *list, const json_t *rows)
{
	int r = remove_gone(c, d, list, rows), bad = 0;
	char parent[24];
	json_t *item;
	size_t i;

	(void)snprintf(parent, sizeof(parent), "%lld", (long long)id);
	if (r)
		return r;
	json_array_foreach((json_t *)list, i, item) {
		const json_t *row = row_of(rows, item);
		struct step s = {.what = row ? STEP_UPDATE : STEP_CREATE, .at = i, .id = row ? id_of(row) : 0, .body = res_child_item(d, item, i)};

		if (!row)
			(void)json_object_set_new(s.body, d->child->parent, json_string(parent));
		r = step_do(c, d, &s);
		json_decref(s.body);
		if (r < 0)
			return r;
		bad |= r;
	}
	return bad;
}
