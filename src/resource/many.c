/*
 * Many new rows in few statements, as a sheet brings them. In the end all is as if res_create had made each; only the order is another one:
 *
 *   look:  bodies checked, before_write  ->  unique values and references, asked for all rows at once
 *   write: fill  ->  INSERTs, which are not waited for  ->  after  ->  scope, all at once  ->  the audit
 *
 * Whatever is not plain is left to res_create, which says what is wrong in its own words; so here nothing is ever refused.
 */
#include "resource/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct res_many res_many_plain = {0};

/* A row of one of the two tables, and the row of the caller that it stands or falls with. */
struct member {
	struct res_new *row, *top;
};

static const struct res_def *kid_of(const struct res_def *d)
{
	return d->child ? res_find(d->child->resource) : NULL;
}

/* What is unique must be one text with an index of its own: what somebody writes between look and write, the index refuses. */
static bool fits(const struct res_def *d)
{
	for (size_t i = 0; i < d->field_n; i++)
		if ((d->fields[i].flags & RES_UNIQUE) && d->fields[i].type != RES_TEXT)
			return false;
	return !d->unique && !d->prepare && !d->personal && (d->many || (!d->before_write && !d->after_write));
}

bool res_can_many(const struct res_def *d)
{
	const struct res_def *kid = kid_of(d);

	return fits(d) && (!kid || (fits(kid) && !kid->child && !kid->custom));
}

bool res_many_surely(const struct res_ctx *c, const struct res_def *d)
{
	return res_scope_of(c->who, d, RES_WRITE) == SCOPE_CENTRE;
}

static void one_done(struct res_new *one)
{
	for (size_t i = 0; i < one->kid_n; i++)
		json_decref(one->kids[i].row);
	free(one->kids);
	json_decref(one->row);
	*one = (struct res_new){.body = one->body};
}

void res_many_done(struct res_new *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		one_done(&rows[i]);
}

static struct member *members_of(size_t *n, struct res_new *rows, size_t row_n, bool kids)
{
	struct member *list;
	size_t all = 0;

	for (size_t i = 0; i < row_n; i++)
		all += kids ? rows[i].kid_n : 1;
	list = xcalloc(all + 1, sizeof(*list));
	*n = 0;
	for (size_t i = 0; i < row_n; i++)
		for (size_t k = 0; rows[i].row && k < (kids ? rows[i].kid_n : 1); k++)
			list[(*n)++] = (struct member){kids ? &rows[i].kids[k] : &rows[i], &rows[i]};
	return list;
}

/* ---- one row by itself ---- */

/* A row as it would be written; NULL: something speaks against it. */
static int row_make(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *body)
{
	struct res_error e = {0};
	struct res_ctx own = *c;
	json_t *row = json_object();
	char text[24];
	int r;

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	(void)json_object_set_new(row, "id", json_string(text));
	own.error = &e;
	own.body = body;
	own.prepared = own.once = own.undo = NULL;
	r = res_may_write(&own, d, body);
	if (!r) {
		res_body_take(&own, d, row, body, NULL);
		res_row_settle(&own, d, row, NULL);
		r = d->before_write ? d->before_write(&own, row, NULL) : 0;
	}
	if (r >= 0)
		*ret = r || e.code || own.once ? NULL : json_incref(row);
	res_ctx_done(&own);
	res_error_done(&e);
	json_decref(row);
	return r < 0 ? r : 0;
}

static int64_t next_id(struct res_ctx *c)
{
	return c->next_id ? c->next_id() : res_next_id();
}

static int kids_make(struct res_new *one, struct res_ctx *c, const struct res_def *d, const json_t *list)
{
	const struct res_def *kid = kid_of(d);
	struct res_error e = {0};
	struct res_ctx own = *c;
	json_t *item;
	size_t i;
	int r = 0;

	own.error = &e;
	if (!res_child_list_check(&own, d, list, NULL))
		goto out;
	one->kids = xcalloc(json_array_size(list) + 1, sizeof(*one->kids));
	json_array_foreach((json_t *)list, i, item) {
		struct res_new *k = &one->kids[one->kid_n];
		json_t *body = res_child_item(d, item, i);

		(void)json_object_set(body, d->child->parent, json_object_get(one->row, "id"));
		k->id = next_id(c);
		r = row_make(&k->row, c, kid, k->id, body);
		json_decref(body);
		if (r || !k->row)
			goto out;
		one->kid_n++;
	}
out:
	if (r || one->kid_n < json_array_size(list))
		one_done(one);
	res_error_done(&e);
	return r;
}

static int one_make(struct res_new *one, struct res_ctx *c, const struct res_def *d)
{
	const json_t *list = d->child ? json_object_get(one->body, res_child_list_name(d)) : NULL;
	int r;

	one->id = next_id(c);
	r = row_make(&one->row, c, d, one->id, one->body);
	if (r || !one->row) {
		one->id = 0;
		return r;
	}
	return list ? kids_make(one, c, d, list) : 0;
}

/* ---- what the database says, of all at once ---- */

/* Is it plain still? It goes with its top row. */
static const json_t *row_of(const struct member *m)
{
	return m->top->row ? m->row->row : NULL;
}

static const char *text_of(const struct member *m, const struct res_field *f)
{
	const json_t *row = row_of(m);

	return row ? json_string_value(json_object_get(row, f->name)) : NULL;
}

/* Into @found, an object by values, those that rows of the centre have. The unique index serves it. */
static int find_values(json_t *found, struct res_ctx *c, const struct res_def *d, const char *column, const char *const *values, size_t n)
{
	size_t places = res_places(n);
	struct db_stmt *st;
	struct strb b;
	int r;

	strb_init(&b, 16384);
	strb_printf(&b, "SELECT %s FROM %s WHERE centre_id = $1 AND %s IN (", column, d->table, column);
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
		(void)json_object_set_new(found, db_text(st, 0), json_true());
	db_done(st);
	return r;
}

/* A unique field: what is there already, or earlier among the rows, is not plain. */
static int look_unique(struct member *m, size_t n, struct res_ctx *c, const struct res_def *d, const struct res_field *f)
{
	json_t *found = json_object();
	const char *values[RES_PLACES_MAX];
	size_t k = 0;
	int r = 0;

	for (size_t i = 0; !r && i <= n; i++) {
		const char *s = i < n ? text_of(&m[i], f) : NULL;

		if (s)
			values[k++] = s;
		if (k && (k == RES_PLACES_MAX || i == n)) {
			r = find_values(found, c, d, res_column(f), values, k);
			k = 0;
		}
	}
	for (size_t i = 0; !r && i < n; i++) {
		const char *s = text_of(&m[i], f);

		if (!s)
			continue;
		if (json_object_get(found, s))
			one_done(m[i].top);
		else
			(void)json_object_set_new(found, s, json_true());
	}
	json_decref(found);
	return r;
}

/* A reference: many rows have the same few. */
static int look_ref(struct member *m, size_t n, struct res_ctx *c, const struct res_field *f, const char *sql)
{
	json_t *known = json_object();
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		const char *s = text_of(&m[i], f);
		struct res_error e = {0};
		struct res_ctx own = *c;

		if (!s)
			continue;
		if (!json_object_get(known, s)) {
			own.error = &e;
			r = res_check_ref(&own, f, sql, row_of(&m[i]));
			(void)json_object_set_new(known, s, json_boolean(!e.code));
			res_error_done(&e);
		}
		if (!r && !json_is_true(json_object_get(known, s)))
			one_done(m[i].top);
	}
	json_decref(known);
	return r;
}

/* @parent: a reference that is to a new row, or NULL. */
static int look_all(struct res_new *rows, size_t row_n, struct res_ctx *c, const struct res_def *d, bool kids, const char *parent)
{
	const struct res_sql *s = res_sql_of(d);
	struct member *m;
	size_t n;
	int r = 0;

	for (size_t i = 0; !r && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (!(f->flags & RES_UNIQUE) && (!res_field_refers(f) || (parent && !strcmp(parent, f->name))))
			continue;
		m = members_of(&n, rows, row_n, kids);
		r = f->flags & RES_UNIQUE ? look_unique(m, n, c, d, f) : look_ref(m, n, c, f, s->ref[i]);
		free(m);
	}
	return r;
}

int res_many_look(struct res_new *rows, size_t n, struct res_ctx *c, const struct res_def *d)
{
	struct res_ctx own = *c;
	int r = 0;

	d = res_now(d, c->who->centre_id);
	assert(res_can_many(d));
	own.memo = json_object();
	for (size_t i = 0; !r && i < n; i++)
		r = one_make(&rows[i], &own, d);
	if (!r)
		r = look_all(rows, n, &own, d, false, NULL);
	if (!r && d->child)
		r = look_all(rows, n, &own, kid_of(d), true, d->child->parent);
	json_decref(own.memo);
	if (r)
		res_many_done(rows, n);
	return r;
}

/* ---- writing ---- */

/* What a reference is called: many rows have the same few. */
static int labels_of(const json_t **ret, struct res_ctx *c, const struct res_def *d, const struct res_field *f, const char *value)
{
	const struct res_def *other = res_find(f->ref);
	char *key = xasprintf("%s.%s=%s", d->name, f->name, value), *sql;
	struct db_stmt *st;
	int r;

	*ret = json_object_get(c->memo, key);
	if (*ret) {
		free(key);
		return 0;
	}
	sql = xasprintf("SELECT %s, %s FROM %s WHERE centre_id = $1 AND %s = $2", res_label_column(other),
			other->label_en ? other->label_en : res_label_column(other), other->table, f->type == RES_KEY ? other->key : "id");
	r = db_prepare(&st, c->db, sql);
	if (!r) {
		db_bind_i64(st, 1, c->who->centre_id);
		if (f->type == RES_KEY)
			db_bind_text(st, 2, value);
		else
			db_bind_i64(st, 2, strtoll(value, NULL, 10));
		r = db_step(st);
		(void)json_object_set_new(c->memo, key, r == DB_ROW ? json_pack("[s?, s?]", db_text(st, 0), db_text(st, 1)) : json_array());
		db_done(st);
	}
	*ret = json_object_get(c->memo, key);
	free(sql);
	free(key);
	return r < 0 ? r : 0;
}

/* The row as reading it would give it, in the same order (res_row_json). */
static int row_full(json_t **ret, struct res_ctx *c, const struct res_def *d, const json_t *row)
{
	bool en = c->who->lang && c->who->lang[0] == 'e';
	json_t *full = json_object();
	int r = 0;

	(void)json_object_set(full, "id", json_object_get(row, "id"));
	(void)json_object_set_new(full, "rev", json_integer(1));
	(void)json_object_set_new(full, "created_ms", json_integer(c->now_ms));
	(void)json_object_set_new(full, "updated_ms", json_integer(c->now_ms));
	for (size_t i = 0; !r && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		json_t *v = json_object_get(row, f->name), *label;
		const json_t *labels = NULL;
		char key[72];

		(void)json_object_set_new(full, f->name, v ? json_incref(v) : json_null());
		if (!res_field_refers(f))
			continue;
		if (json_is_string(v))
			r = labels_of(&labels, c, d, f, json_string_value(v));
		label = json_array_get(labels, en && json_string_length(json_array_get(labels, 1)) ? 1 : 0);
		(void)snprintf(key, sizeof(key), "%s_label", f->name);
		(void)json_object_set_new(full, key, label ? json_incref(label) : json_null());
	}
	*ret = full;
	return r;
}

static int insert_all(struct res_ctx *c, const struct res_def *d, const struct member *m, size_t n)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = res_insert_many(c, d, m[i].row->id, m[i].row->row);
	return r;
}

/* As after every create: nobody makes rows where he could not change them, unless he gives them to everybody. */
static int within_all(bool *ret, struct res_ctx *c, const struct res_def *d, const struct member *m, size_t n)
{
	bool gives = c->who->rights && c->who->rights->assign && d->open;
	int64_t *ids = xcalloc(n + 1, sizeof(*ids));
	size_t k = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		if (!gives || !json_is_null(json_object_get(m[i].row->row, d->open)))
			ids[k++] = m[i].row->id;
	r = res_rows_within(ret, c, d, ids, k, RES_WRITE);
	free(ids);
	return r;
}

static int audit_row(struct res_ctx *c, const struct res_def *d, const struct res_new *one)
{
	json_t *full = NULL;
	int r = row_full(&full, c, d, one->row);

	if (!r)
		r = res_audit_change(c, d, one->id, "create", NULL, full);
	json_decref(full);
	return r;
}

struct job {
	struct res_ctx *c;
	const struct res_def *d, *kid;
	struct res_new *rows;
	size_t n, top_n, kid_n;
	struct member *top, *kids;
};

/* What its child rows say of it. */
static void note_parent(struct job *j, struct res_ctx *c, const struct res_new *one)
{
	int label = j->d->label ? res_field_find(j->d, j->d->label) : -1, en = j->d->label_en ? res_field_find(j->d, j->d->label_en) : label;
	const char *id = json_string_value(json_object_get(one->row, "id"));
	char key[160];

	(void)snprintf(key, sizeof(key), "%s.%s=%s", j->kid->name, j->d->child->parent, id);
	(void)json_object_set_new(c->memo, key,
				  json_pack("[s?, s?]", label < 0 ? id : json_string_value(json_object_get(one->row, j->d->fields[label].name)),
					    en < 0 ? NULL : json_string_value(json_object_get(one->row, j->d->fields[en].name))));
}

static int audit_all(struct job *j, struct res_ctx *c)
{
	int r = 0;

	for (size_t i = 0; !r && i < j->top_n; i++) {
		struct res_new *one = j->top[i].row;

		if (one->kid_n)
			note_parent(j, c, one);
		for (size_t k = 0; !r && k < one->kid_n; k++)
			r = audit_row(c, j->kid, &one->kids[k]);
		if (!r)
			r = audit_row(c, j->d, one);
	}
	return r;
}

/* Both may run twice: db_batch. */
static int insert_job(struct db *db, void *arg)
{
	struct job *j = arg;
	int r = insert_all(j->c, j->d, j->top, j->top_n);

	return !r && j->kid ? insert_all(j->c, j->kid, j->kids, j->kid_n) : r;
}

static int audit_job(struct db *db, void *arg)
{
	struct job *j = arg;
	struct res_chain chain = {.known = false};
	struct res_ctx own = *j->c;

	own.chain = &chain;
	return audit_all(j, &own);
}

static int write_in_savepoint(struct job *j)
{
	struct res_ctx *c = j->c;
	bool within = true;
	int r = db_batch(c->db, insert_job, j);

	if (!r && j->d->many && j->d->many->after)
		r = j->d->many->after(c, j->rows, j->n);
	if (!r && c->error->code)
		r = 1;
	if (!r)
		r = within_all(&within, c, j->d, j->top, j->top_n);
	if (!r && within && j->kid)
		r = within_all(&within, c, j->kid, j->kids, j->kid_n);
	if (!r && !within)
		r = 1;
	if (!r)
		r = db_batch(c->db, audit_job, j);
	if (!r && (j->d->configures_switch || (j->kid && j->kid->configures_switch)))
		r = res_conf_version_raise(c->db, c->who->centre_id);
	return r;
}

static int write_all(struct job *j)
{
	int r = db_run(j->c->db, "SAVEPOINT many_rows", ""), undone;

	if (r)
		return r;
	r = write_in_savepoint(j);
	undone = r > 0 ? db_run(j->c->db, "ROLLBACK TO SAVEPOINT many_rows", "") : 0;
	if (!undone && r >= 0)
		undone = db_run(j->c->db, "RELEASE SAVEPOINT many_rows", "");
	return undone ? undone : r > 0 ? 1 : r;
}

int res_many_write(struct res_new *rows, size_t n, struct res_ctx *c, const struct res_def *d)
{
	struct res_error e = {0};
	struct res_ctx own = *c;
	struct job j = {.c = &own, .rows = rows};
	int r = 0;

	own.error = &e;
	own.memo = json_object();
	j.d = d = res_now(d, c->who->centre_id);
	j.kid = kid_of(d);
	j.top = members_of(&j.top_n, rows, n, false);
	j.kids = members_of(&j.kid_n, rows, n, true);
	j.n = n;
	if (d->many && d->many->fill)
		r = d->many->fill(&own, rows, n);
	if (!r && j.top_n)
		r = e.code ? 1 : write_all(&j);
	if (r > 0)
		res_many_done(rows, n);
	free(j.top);
	free(j.kids);
	json_decref(own.memo);
	res_error_done(&e);
	return r;
}
