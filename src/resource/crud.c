/* Reading and writing rows of declared resources. */
#include "resource/engine.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED 1 /* positive: c->error says why */

static pthread_mutex_t id_lock = PTHREAD_MUTEX_INITIALIZER;
static struct idgen ids = {.node = 1023};

void res_set_node(unsigned node)
{
	pthread_mutex_lock(&id_lock);
	idgen_init(&ids, node);
	pthread_mutex_unlock(&id_lock);
}

int64_t res_next_id(void)
{
	int64_t id;

	pthread_mutex_lock(&id_lock);
	id = idgen_next(&ids, clock_utc_ms());
	pthread_mutex_unlock(&id_lock);
	return id;
}

void res_ctx_done(struct res_ctx *c)
{
	json_decref(c->prepared);
	json_decref(c->once);
	json_decref(c->undo);
	c->prepared = c->once = c->undo = NULL;
}

void res_once(struct res_ctx *c, const char *key, const char *value)
{
	if (!c->once)
		c->once = json_object();
	(void)json_object_set_new(c->once, key, json_string(value));
}

static int refuse(struct res_ctx *c, int status, const char *code)
{
	res_fail(c, status, code, NULL, NULL);
	return REFUSED;
}

/* A hook's answer and what it said to res_fail are one thing. */
static int hook_result(struct res_ctx *c, int r)
{
	return r < 0 ? r : r || c->error->code ? REFUSED : 0;
}

/* ---- reading ---- */

static json_t *id_json(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return json_string_nocheck(text);
}

static json_t *text_json(const char *s)
{
	json_t *v = s ? json_string(s) : NULL;

	return v ? v : json_null(); /* not UTF-8: somebody else wrote it */
}

static json_t *column_json(const struct res_field *f, struct db_stmt *st, int col)
{
	json_t *v;

	if (db_is_null(st, col))
		return json_null();
	switch (f->type) {
	case RES_INT:
	case RES_TIME:
		return json_integer(db_i64(st, col));
	case RES_BOOL:
		return json_boolean(db_i64(st, col) != 0);
	case RES_REF:
	case RES_ID:
		return id_json(db_i64(st, col));
	case RES_JSON:
		v = json_loads(db_text(st, col), JSON_DECODE_ANY, NULL);
		return v ? v : json_null();
	case RES_SET:
		return res_set_read(db_text(st, col));
	default:
		return text_json(db_text(st, col));
	}
}

json_t *res_row_json(struct res_ctx *c, const struct res_def *d, struct db_stmt *st, bool secrets)
{
	bool en = c->who->lang && c->who->lang[0] == 'e';
	int label = RES_ROW_COLS + (int)d->field_n;
	json_t *row = json_object();
	const char *other;
	char key[72];

	(void)json_object_set_new_nocheck(row, "id", id_json(db_i64(st, 0)));
	(void)json_object_set_new_nocheck(row, "rev", json_integer(db_i64(st, 1)));
	(void)json_object_set_new_nocheck(row, "created_ms", json_integer(db_i64(st, 2)));
	(void)json_object_set_new_nocheck(row, "updated_ms", json_integer(db_i64(st, 3)));
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (secrets || !res_field_hidden(f))
			(void)json_object_set_new_nocheck(row, f->name, column_json(f, st, RES_ROW_COLS + (int)i));
		if (!res_field_refers(f))
			continue;
		(void)snprintf(key, sizeof(key), "%s_label", f->name);
		other = db_is_null(st, label + 1) ? NULL : db_text(st, label + 1);
		(void)json_object_set_new_nocheck(row, key, text_json(en && other && *other ? other : db_is_null(st, label) ? NULL : db_text(st, label)));
		label += 2;
	}
	if (!secrets)
		res_row_show(c->who, d, row);
	return row;
}

/* 0; REFUSED: there is none, without saying so in c->error. */
static int row_read(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, bool secrets)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, c->db, res_sql_of(d)->get);
	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_i64(st, 2, id);
	r = db_step(st);
	if (r == DB_ROW)
		*ret = res_row_json(c, d, st, secrets);
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : REFUSED;
}

/* One row shows its child rows; lists do not. */
static int add_children(json_t *row, struct res_ctx *c, const struct res_def *d, int64_t id)
{
	json_t *list = NULL;
	int r = d->child ? res_child_list_read(&list, c, d, id) : 0;

	if (list)
		(void)json_object_set_new(row, res_child_list_name(d), list);
	return r;
}

int res_get(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id)
{
	int r;

	d = res_now(d, c->who->centre_id);
	r = res_row_may(c, d, id, RES_READ);
	if (!r)
		r = row_read(ret, c, d, id, false);
	if (!r)
		r = add_children(*ret, c, d, id);
	return r == REFUSED && !c->error->code ? refuse(c, 404, "not_found") : r;
}

/* ---- writing ---- */

void res_bind_field(struct db_stmt *st, int i, const struct res_field *f, const json_t *v)
{
	char *text;

	if (!v || json_is_null(v)) {
		db_bind_null(st, i);
		return;
	}
	switch (f->type) {
	case RES_INT:
	case RES_TIME:
		db_bind_i64(st, i, json_integer_value(v));
		return;
	case RES_BOOL:
		db_bind_i64(st, i, json_is_true(v));
		return;
	case RES_REF:
	case RES_ID:
		db_bind_i64(st, i, strtoll(json_string_value(v), NULL, 10));
		return;
	case RES_JSON:
		text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		db_bind_text(st, i, text);
		free(text);
		return;
	case RES_SET:
		text = res_set_text(v);
		db_bind_text(st, i, text);
		free(text);
		return;
	default:
		db_bind_text(st, i, json_string_value(v));
	}
}

/* 1: a row is there, 0: none, negative. */
static int has_row(struct db_stmt *st)
{
	int r = db_step(st);

	db_done(st);
	return r == DB_ROW ? 1 : r;
}

static int check_unique(struct res_ctx *c, const struct res_def *d, const struct res_unique *u, int64_t id, const json_t *row)
{
	struct db_stmt *st;
	bool any = false;
	int r;

	for (size_t k = 0; k < u->n; k++) {
		const json_t *v = json_object_get(row, d->fields[u->field[k]].name);

		if (!v)
			return 0; /* already found bad */
		any |= !json_is_null(v);
	}
	if (!any)
		return 0;
	r = db_prepare(&st, c->db, u->sql);
	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_i64(st, 2, id);
	for (size_t k = 0; k < u->n; k++) {
		const struct res_field *f = &d->fields[u->field[k]];

		res_bind_field(st, (int)k + 3, f, json_object_get(row, f->name));
	}
	r = has_row(st);
	if (r == 1)
		res_fail(c, 422, "invalid", d->fields[u->field[0]].name, "unique");
	return r < 0 ? r : 0;
}

int res_check_ref(struct res_ctx *c, const struct res_field *f, const char *sql, const json_t *row)
{
	const char *id = json_string_value(json_object_get(row, f->name));
	struct db_stmt *st;
	int r;

	if (!id)
		return 0;
	r = db_prepare(&st, c->db, sql);
	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	res_bind_field(st, 2, f, json_object_get(row, f->name));
	r = has_row(st);
	if (!r)
		res_fail(c, 422, "invalid", f->name, "ref");
	return r < 0 ? r : 0;
}

static int check_database(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *row)
{
	const struct res_sql *s = res_sql_of(d);
	int r = 0;

	for (size_t i = 0; !r && i < s->unique_n; i++)
		r = check_unique(c, d, &s->unique[i], id, row);
	for (size_t i = 0; !r && i < d->field_n; i++)
		if (res_field_refers(&d->fields[i]))
			r = res_check_ref(c, &d->fields[i], s->ref[i], row);
	return r;
}

/* A constraint of the database that our own checks did not foresee: another node was faster, or a hook was. */
static int written(struct res_ctx *c, int r)
{
	return r == DB_E_UNIQUE || r == DB_E_CONSTRAINT ? refuse(c, 409, "conflict") : r;
}

/* Everything between a body and a row that may be stored. @row: what is so far; @old: NULL on create. */
static int row_make(struct res_ctx *c, const struct res_def *d, int64_t id, json_t *row, const json_t *body, const json_t *old)
{
	int r;

	res_body_take(c, d, row, body, old);
	if (d->personal && !old && c->who->user_id)
		(void)json_object_set_new(row, d->personal, id_json(c->who->user_id));
	res_row_settle(c, d, row, old);
	if (d->before_write) {
		r = written(c, d->before_write(c, row, old));
		if (r < 0)
			return r;
		assert(!r || c->error->code);
	}
	r = check_database(c, d, id, row);
	if (r)
		return r;
	return c->error->code ? REFUSED : 0;
}

static int insert_bound(struct db_stmt *st, struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *row)
{
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	db_bind_i64(st, 3, 1);
	db_bind_i64(st, 4, c->now_ms);
	db_bind_i64(st, 5, c->now_ms);
	for (size_t i = 0; i < d->field_n; i++)
		res_bind_field(st, (int)i + 6, &d->fields[i], json_object_get(row, d->fields[i].name));
	return db_step(st);
}

static int row_insert(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *row)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, c->db, res_sql_of(d)->insert);
	if (r)
		return r;
	r = insert_bound(st, c, d, id, row);
	db_done(st);
	return r;
}

int res_insert_many(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *row)
{
	const struct res_sql *s = res_sql_of(d);
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, c->db, s->insert_many ? s->insert_many : s->insert);
	if (r)
		return r;
	for (size_t i = 0; s->insert_many && d->many->columns[i]; i++)
		db_bind_text(st, (int)(d->field_n + i) + 6, json_string_value(json_object_get(row, d->many->columns[i])));
	r = insert_bound(st, c, d, id, row);
	db_done(st);
	return r;
}

/* The list of child rows in the body, if there is one. */
static const json_t *body_children(const struct res_ctx *c, const struct res_def *d)
{
	return d->child ? json_object_get(c->body, res_child_list_name(d)) : NULL;
}

static int write_children(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *old)
{
	const json_t *list = body_children(c, d);
	json_t *rows = NULL;
	int r;

	if (!list)
		return 0;
	r = old ? res_child_list_read(&rows, c, d, id) : 0;
	if (!r && !res_child_list_check(c, d, list, rows))
		r = REFUSED;
	if (!r)
		r = res_child_list_write(c, d, id, list, rows);
	json_decref(rows);
	return r;
}

/* 1: the list of child rows asks for a change; 0; negative. */
static int children_differ(struct res_ctx *c, const struct res_def *d, int64_t id)
{
	const json_t *list = body_children(c, d);
	json_t *rows = NULL;
	int r;

	if (!list)
		return 0;
	r = res_child_list_read(&rows, c, d, id);
	if (!r)
		r = !json_is_array(list) || res_child_list_differs(d, list, rows);
	json_decref(rows);
	return r;
}

/* Nobody makes or puts rows where he could not change them; but who may assign gives them away. */
static int still_within(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *row, bool made)
{
	bool assigns = c->who->rights && c->who->rights->assign, within = true;
	int r = 0;

	if (made && assigns && d->open && json_is_null(json_object_get(row, d->open)))
		return 0; /* for whoever takes it */
	if (made || !assigns)
		r = res_row_within(&within, c, d, id, RES_WRITE);
	return r ? r : within ? 0 : refuse(c, 403, "out_of_scope");
}

/* The row as it is now, to the asker; audit and configuration version besides. */
static int after_change(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, json_t *row, const json_t *old)
{
	json_t *full = NULL;
	int r = write_children(c, d, id, old);

	if (!r && d->after_write)
		r = hook_result(c, d->after_write(c, id, row));
	if (!r)
		r = still_within(c, d, id, row, !old);
	if (r)
		return r;
	r = row_read(&full, c, d, id, true);
	assert(r <= 0);
	if (!r)
		r = res_audit_change(c, d, id, old ? "update" : "create", old, full);
	if (!r && d->configures_switch)
		r = res_conf_version_raise(c->db, c->who->centre_id);
	if (r) {
		json_decref(full);
		return r;
	}
	res_row_show(c->who, d, full);
	if (c->once)
		(void)json_object_set(full, "once", c->once);
	r = add_children(full, c, d, id);
	*ret = full;
	return r;
}

int res_may_write(struct res_ctx *c, const struct res_def *d, const json_t *body)
{
	assert(c->error && !c->error->code);
	if (!res_may(c->who, d, body ? RES_WRITE : RES_REMOVE))
		return refuse(c, 403, "forbidden");
	if (body && !json_is_object(body))
		return refuse(c, 400, "invalid");
	return 0;
}

int res_prepare(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *body)
{
	int r;

	if (!d->prepare || c->prepared)
		return 0;
	r = res_may_write(c, d, body);
	if (r)
		return r;
	c->prepared = json_object();
	return hook_result(c, d->prepare(c, id, body));
}

static int create(json_t **ret, struct res_ctx *c, const struct res_def *d, json_t *row, const json_t *body)
{
	int64_t id = c->next_id ? c->next_id() : res_next_id();
	int r;

	(void)json_object_set_new(row, "id", id_json(id));
	r = row_make(c, d, id, row, body, NULL);
	if (!r)
		r = written(c, row_insert(c, d, id, row));
	if (!r)
		r = after_change(ret, c, d, id, row, NULL);
	return r;
}

int res_create(json_t **ret, struct res_ctx *c, const struct res_def *d, const json_t *body)
{
	json_t *row;
	int r;

	d = res_now(d, c->who->centre_id);
	r = res_may_write(c, d, body);
	if (!r)
		r = res_prepare(c, d, 0, body);
	if (r)
		return r;
	row = json_object();
	c->body = body;
	r = create(ret, c, d, row, body);
	c->body = NULL;
	json_decref(row);
	return r;
}

/* The row as it is, with its secrets, if it has the wanted rev. */
static int row_hold(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, int64_t rev, enum res_act act)
{
	int r = res_row_may(c, d, id, act);

	if (r)
		return r;
	r = row_read(ret, c, d, id, true);
	if (r == REFUSED)
		return refuse(c, 404, "not_found");
	if (r || rev == RES_REV_ANY || json_integer_value(json_object_get(*ret, "rev")) == rev)
		return r;
	*ret = (json_decref(*ret), NULL);
	r = row_read(&c->error->current, c, d, id, false);
	if (!r)
		r = add_children(c->error->current, c, d, id);
	return r ? r : refuse(c, 409, "conflict");
}

static int row_update(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *row, const json_t *old)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, c->db, res_sql_of(d)->update);
	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	db_bind_i64(st, 3, json_integer_value(json_object_get(old, "rev")));
	db_bind_i64(st, 4, c->now_ms);
	for (size_t i = 0; i < d->field_n; i++)
		res_bind_field(st, (int)i + 5, &d->fields[i], json_object_get(row, d->fields[i].name));
	r = db_step(st);
	db_done(st);
	if (!r && db_changes(c->db) != 1)
		return refuse(c, 409, "conflict"); /* another node between our read and now */
	return r;
}

static bool row_differs(const struct res_def *d, const json_t *row, const json_t *old)
{
	for (size_t i = 0; i < d->field_n; i++)
		if (!json_equal(json_object_get(row, d->fields[i].name), json_object_get(old, d->fields[i].name)))
			return true;
	return false;
}

/* What would put the row back: of the fields a person may write, those that are others now. */
static json_t *undo_patch(const struct res_def *d, const json_t *row, const json_t *old)
{
	json_t *patch = json_object();

	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		json_t *was = json_object_get(old, f->name);

		if (!res_field_hidden(f) && !(f->flags & (RES_READONLY | RES_CREATE_ONLY)) && !json_equal(json_object_get(row, f->name), was))
			(void)json_object_set(patch, f->name, was);
	}
	return patch;
}

static int update(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, json_t *row, const json_t *patch,
		  const json_t *old)
{
	int r;

	r = row_make(c, d, id, row, patch, old);
	if (r)
		return r;
	if (!row_differs(d, row, old)) {
		r = children_differ(c, d, id);
		if (r < 0)
			return r;
		if (!r) {
			r = row_read(ret, c, d, id, false);
			return r ? r : add_children(*ret, c, d, id);
		}
	}
	if (c->want_undo)
		c->undo = undo_patch(d, row, old);
	r = written(c, row_update(c, d, id, row, old));
	if (!r)
		r = after_change(ret, c, d, id, row, old);
	return r;
}

int res_update(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *patch, int64_t rev)
{
	json_t *old = NULL, *row;
	int r;

	d = res_now(d, c->who->centre_id);
	r = res_may_write(c, d, patch);
	if (!r)
		r = res_prepare(c, d, id, patch);
	if (!r)
		r = row_hold(&old, c, d, id, rev, RES_WRITE);
	if (r)
		return r;
	row = json_copy(old);
	c->body = patch;
	r = update(ret, c, d, id, row, patch, old);
	c->body = NULL;
	json_decref(row);
	json_decref(old);
	return r;
}

/* "成员 3, 号码 1" in the asker's language; and the resources as fields. */
static int check_uses(struct res_ctx *c, const struct res_def *d, int64_t id)
{
	const struct res_sql *s = res_sql_of(d);
	bool en = c->who->lang && !strcmp(c->who->lang, "en");
	char text[sizeof(c->error->detail)];
	struct strb b;
	int r = 0;

	strb_init_fixed(&b, text, sizeof(text));
	for (size_t i = 0; !r && i < s->use_n; i++) {
		const struct res_use *u = &s->uses[i];
		int64_t n = 0;

		r = db_get_i64(&n, c->db, u->sql, "i", id);
		if (r || !n)
			continue;
		res_fail(c, 409, "in_use", u->by->name, NULL);
		strb_printf(&b, "%s%s %lld", b.len ? ", " : "", en ? u->by->en : u->by->zh, (long long)n);
	}
	if (r || !b.len)
		return r;
	res_fail(c, 409, "in_use", NULL, text);
	return REFUSED;
}

static int row_remove(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *old)
{
	int r = 0;

	if (d->before_delete)
		r = hook_result(c, d->before_delete(c, id, old));
	if (!r)
		r = check_uses(c, d, id);
	if (!r)
		r = db_run(c->db, res_sql_of(d)->remove, "ii", id, c->who->centre_id);
	if (!r && d->attachments) /* the files go at the next start */
		r = db_run(c->db, "DELETE FROM attachments WHERE resource = $1 AND row_id = $2", "ti", d->name, id);
	if (r == DB_E_CONSTRAINT)
		return refuse(c, 409, "in_use");
	if (!r)
		r = res_audit_change(c, d, id, "delete", old, NULL);
	if (!r && d->configures_switch)
		r = res_conf_version_raise(c->db, c->who->centre_id);
	return r;
}

int res_delete(struct res_ctx *c, const struct res_def *d, int64_t id, int64_t rev)
{
	json_t *old = NULL;
	int r;

	d = res_now(d, c->who->centre_id);
	r = res_may_write(c, d, NULL);
	if (!r)
		r = row_hold(&old, c, d, id, rev, RES_REMOVE);
	if (!r)
		r = row_remove(c, d, id, old);
	json_decref(old);
	return r;
}
