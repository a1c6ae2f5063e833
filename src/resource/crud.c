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
	c->prepared = c->once = NULL;
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
		return id_json(db_i64(st, col));
	case RES_JSON:
		v = json_loads(db_text(st, col), JSON_DECODE_ANY, NULL);
		return v ? v : json_null();
	default:
		return text_json(db_text(st, col));
	}
}

static json_t *row_json(const struct res_def *d, struct db_stmt *st, bool secrets)
{
	int label = RES_ROW_COLS + (int)d->field_n;
	json_t *row = json_object();
	char key[72];

	(void)json_object_set_new_nocheck(row, "id", id_json(db_i64(st, 0)));
	(void)json_object_set_new_nocheck(row, "rev", json_integer(db_i64(st, 1)));
	(void)json_object_set_new_nocheck(row, "created_ms", json_integer(db_i64(st, 2)));
	(void)json_object_set_new_nocheck(row, "updated_ms", json_integer(db_i64(st, 3)));
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (secrets || !res_field_hidden(f))
			(void)json_object_set_new_nocheck(row, f->name, column_json(f, st, RES_ROW_COLS + (int)i));
		if (f->type != RES_REF)
			continue;
		(void)snprintf(key, sizeof(key), "%s_label", f->name);
		(void)json_object_set_new_nocheck(row, key, text_json(db_text(st, label++)));
	}
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
		*ret = row_json(d, st, secrets);
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : REFUSED;
}

int res_get(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id)
{
	int r;

	if (!res_may(c->who, d->read))
		return refuse(c, 403, "forbidden");
	r = row_read(ret, c, d, id, false);
	return r == REFUSED ? refuse(c, 404, "not_found") : r;
}

/* What a list was asked for, as SQL under construction: conditions with their values. */
struct query {
	struct strb where;
	struct value {
		bool text;
		int64_t i;
		const char *s;
	} values[2 + RES_FIELDS_MAX];
	int n; /* values[n - 1] is $n */
	char pattern[512];
};

static int query_i64(struct query *q, int64_t v)
{
	q->values[q->n++] = (struct value){.i = v};
	return q->n;
}

static int query_text(struct query *q, const char *s)
{
	q->values[q->n++] = (struct value){.text = true, .s = s};
	return q->n;
}

static void bad_list(struct res_ctx *c, const char *field, const char *what)
{
	res_fail(c, 400, "invalid", field, what);
}

/* Filters come from a query string, so everything may be text. */
static void add_filter(struct res_ctx *c, struct query *q, const struct res_field *f, const char *s)
{
	int64_t v = 0;
	int at;

	if (!*s) {
		strb_printf(&q->where, " AND t.%s IS NULL", f->name);
		return;
	}
	if (f->type == RES_TEXT || f->type == RES_ENUM) {
		at = query_text(q, s);
	} else {
		bool yes = !strcmp(s, "true"), no = !strcmp(s, "false");

		if (!(f->type == RES_BOOL && (yes || no)) && !str_to_i64(&v, s, INT64_MIN, INT64_MAX)) {
			bad_list(c, f->name, "type");
			return;
		}
		at = query_i64(q, yes ? 1 : v);
	}
	strb_printf(&q->where, " AND t.%s = $%d", f->name, at);
}

static void add_filters(struct res_ctx *c, struct query *q, const struct res_def *d, const json_t *filters)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)filters, key, v) {
		int i = res_field_find(d, key);

		if (i < 0 || res_field_hidden(&d->fields[i]) || d->fields[i].type == RES_JSON)
			bad_list(c, key, "unknown");
		else if (!json_is_string(v))
			bad_list(c, key, "type");
		else
			add_filter(c, q, &d->fields[i], json_string_value(v));
	}
}

/* A LIKE pattern for "contains", with the wildcards in it meant as they are. ASCII is found in either case. */
static bool make_pattern(char *out, size_t size, const char *q)
{
	size_t n = 0;

	out[n++] = '%';
	for (; *q; q++) {
		if (n + 4 > size)
			return false;
		if (*q == '%' || *q == '_' || *q == '\\')
			out[n++] = '\\';
		out[n++] = *q >= 'A' && *q <= 'Z' ? (char)(*q + 'a' - 'A') : *q;
	}
	out[n++] = '%';
	out[n] = 0;
	return true;
}

static void add_search(struct res_ctx *c, struct query *q, const struct res_def *d, const char *text)
{
	const char *sep = "";
	int at;

	if (!make_pattern(q->pattern, sizeof(q->pattern), text)) {
		bad_list(c, "q", "range");
		return;
	}
	at = query_text(q, q->pattern);
	strb_puts(&q->where, " AND (");
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (!(f->flags & RES_SEARCH))
			continue;
		if (f->type == RES_REF)
			strb_printf(&q->where, "%slower(r%zu.%s) LIKE $%d ESCAPE '\\'", sep, i,
				    res_label_column(res_find(f->ref)), at);
		else
			strb_printf(&q->where, "%slower(t.%s) LIKE $%d ESCAPE '\\'", sep, f->name, at);
		sep = " OR ";
	}
	strb_puts(&q->where, *sep ? ")" : "1 = 1)");
}

/* References sort by what a person sees. Ties by id, so that pages neither repeat nor leave out a row. */
static void add_order(struct res_ctx *c, struct strb *b, const struct res_def *d, const char *sort)
{
	static const char *const base[] = {"id", "created_ms", "updated_ms"};
	const char *name = sort + (*sort == '-'), *way = *sort == '-' ? "DESC NULLS LAST" : "ASC NULLS FIRST";
	int i = res_field_find(d, name);
	bool known = i >= 0 && !res_field_hidden(&d->fields[i]) && d->fields[i].type != RES_JSON;

	for (size_t k = 0; k < ARRAY_LEN(base); k++)
		known |= !strcmp(name, base[k]);
	if (!known)
		bad_list(c, "sort", "unknown");
	else if (i >= 0 && d->fields[i].type == RES_REF)
		strb_printf(b, " ORDER BY r%d.%s %s, t.id", i, res_label_column(res_find(d->fields[i].ref)), way);
	else
		strb_printf(b, " ORDER BY t.%s %s, t.id", name, way);
}

static int query_prepare(struct db_stmt **ret, struct res_ctx *c, const struct query *q, const char *sql)
{
	int r = db_prepare(ret, c->db, sql);

	for (int i = 0; !r && i < q->n; i++)
		if (q->values[i].text)
			db_bind_text(*ret, i + 1, q->values[i].s);
		else
			db_bind_i64(*ret, i + 1, q->values[i].i);
	return r;
}

static int query_count(int64_t *ret, struct res_ctx *c, const struct query *q, const struct res_sql *s)
{
	char *sql = xasprintf("SELECT COUNT(*)%s%s", s->from, q->where.buf);
	struct db_stmt *st;
	int r;

	r = query_prepare(&st, c, q, sql);
	if (!r) {
		r = db_step(st);
		if (r == DB_ROW)
			*ret = db_i64(st, 0);
		db_done(st);
		r = r == DB_ROW ? 0 : r ? r : -EIO;
	}
	free(sql);
	return r;
}

static int query_rows(json_t **ret, struct res_ctx *c, const struct query *q, const struct res_def *d, const char *sql)
{
	json_t *items = json_array();
	struct db_stmt *st;
	int r;

	r = query_prepare(&st, c, q, sql);
	if (!r) {
		while ((r = db_step(st)) == DB_ROW)
			(void)json_array_append_new(items, row_json(d, st, false));
		db_done(st);
	}
	if (r) {
		json_decref(items);
		return r;
	}
	*ret = items;
	return 0;
}

static int query_run(json_t **ret, struct res_ctx *c, struct query *q, const struct res_def *d, const char *order,
		     int64_t limit, int64_t offset)
{
	const struct res_sql *s = res_sql_of(d);
	json_t *items = NULL;
	int64_t total = 0;
	char *sql;
	int r;

	r = query_count(&total, c, q, s);
	if (r)
		return r;
	sql = xasprintf("%s%s%s%s LIMIT $%d OFFSET $%d", s->cols, s->from, q->where.buf, order, q->n + 1, q->n + 2);
	(void)query_i64(q, limit);
	(void)query_i64(q, offset);
	r = query_rows(&items, c, q, d, sql);
	free(sql);
	if (!r)
		*ret = json_pack("{s:o, s:I}", "items", items, "total", (json_int_t)total);
	return r;
}

/* Conditions and order of what a list was asked for. What is wrong with them is in c->error. */
static void query_make(struct query *q, struct strb *order, struct res_ctx *c, const struct res_def *d, const char *text, const char *sort,
		       const json_t *filters)
{
	strb_init(&q->where, 65536);
	strb_init(order, 1024);
	strb_printf(&q->where, " WHERE t.centre_id = $%d", query_i64(q, c->who->centre_id));
	add_filters(c, q, d, filters);
	if (text && *text)
		add_search(c, q, d, text);
	add_order(c, order, d, sort && *sort ? sort : d->order ? d->order : "id");
}

int res_list(json_t **ret, struct res_ctx *c, const struct res_def *d, const char *text, const char *sort, int64_t limit,
	     int64_t offset, const json_t *filters)
{
	struct query q = {0};
	struct strb order;
	int r = REFUSED;

	if (!res_may(c->who, d->read))
		return refuse(c, 403, "forbidden");
	query_make(&q, &order, c, d, text, sort, filters);
	if (limit < 0 || limit > RES_LIST_MAX)
		bad_list(c, "limit", "range");
	if (offset < 0)
		bad_list(c, "offset", "range");
	if (!c->error->code)
		r = query_run(ret, c, &q, d, order.buf, limit, offset);
	strb_done(&q.where);
	strb_done(&order);
	return r;
}

/* ---- walking through a list of any length: its ids at once, its rows in pieces ---- */

#define WALK_PIECE 200

static int walk_ids(int64_t **ret, size_t *n, struct res_ctx *c, const struct query *q, const struct res_sql *s, const char *order)
{
	char *sql = xasprintf("SELECT t.id%s%s%s", s->from, q->where.buf, order);
	struct db_stmt *st;
	size_t room = 0;
	int r;

	r = query_prepare(&st, c, q, sql);
	if (!r) {
		while ((r = db_step(st)) == DB_ROW) {
			if (*n == room) {
				room = room * 2 + 64;
				*ret = xrealloc(*ret, room * sizeof(**ret));
			}
			(*ret)[(*n)++] = db_i64(st, 0);
		}
		db_done(st);
	}
	free(sql);
	return r;
}

/*
 * The same order within a piece as in the whole, so the pieces join. The centre is not asked for again: SQLite would then walk the
 * centre's whole index in the list's order for each piece, rather than look the ids up.
 */
static char *walk_sql(const struct res_sql *s, const char *order)
{
	struct strb b;

	strb_init(&b, 1 << 17);
	strb_printf(&b, "%s%s WHERE t.id IN (", s->cols, s->from);
	for (int i = 0; i < WALK_PIECE; i++)
		strb_printf(&b, "%s$%d", i ? ", " : "", i + 1);
	strb_printf(&b, ")%s", order);
	return strb_take(&b);
}

static int walk_piece(struct res_ctx *c, const struct res_def *d, const char *sql, const int64_t *ids, size_t n,
		      int (*fn)(void *arg, const json_t *row), void *arg)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, sql);

	if (r)
		return r;
	for (size_t i = 0; i < WALK_PIECE; i++)
		db_bind_i64(st, (int)i + 1, i < n ? ids[i] : 0);
	while ((r = db_step(st)) == DB_ROW) {
		json_t *row = row_json(d, st, false);

		r = fn(arg, row);
		json_decref(row);
		if (r)
			break;
	}
	db_done(st);
	return r;
}

static int walk(struct res_ctx *c, const struct res_def *d, const struct query *q, const char *order, int (*fn)(void *arg, const json_t *row),
		void *arg, int64_t *count)
{
	const struct res_sql *s = res_sql_of(d);
	char *sql = walk_sql(s, order);
	int64_t *ids = NULL;
	size_t n = 0;
	int r = db_begin_view(c->db);

	if (!r) {
		r = walk_ids(&ids, &n, c, q, s, order);
		for (size_t at = 0; !r && at < n; at += WALK_PIECE)
			r = walk_piece(c, d, sql, ids + at, n - at < WALK_PIECE ? n - at : WALK_PIECE, fn, arg);
		db_rollback(c->db);
	}
	*count = (int64_t)n;
	free(ids);
	free(sql);
	return r;
}

int res_walk(int64_t *count, struct res_ctx *c, const struct res_def *d, const char *text, const char *sort, const json_t *filters,
	     int (*fn)(void *arg, const json_t *row), void *arg)
{
	struct query q = {0};
	struct strb order;
	int r = REFUSED;

	if (!res_may(c->who, d->read))
		return refuse(c, 403, "forbidden");
	query_make(&q, &order, c, d, text, sort, filters);
	if (!c->error->code)
		r = walk(c, d, &q, order.buf, fn, arg, count);
	strb_done(&q.where);
	strb_done(&order);
	return r;
}

/* ---- writing ---- */

static void bind_field(struct db_stmt *st, int i, const struct res_field *f, const json_t *v)
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
		db_bind_i64(st, i, strtoll(json_string_value(v), NULL, 10));
		return;
	case RES_JSON:
		text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
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

		bind_field(st, (int)k + 3, f, json_object_get(row, f->name));
	}
	r = has_row(st);
	if (r == 1)
		res_fail(c, 422, "invalid", d->fields[u->field[0]].name, "unique");
	return r < 0 ? r : 0;
}

static int check_ref(struct res_ctx *c, const struct res_field *f, const char *sql, const json_t *row)
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
	db_bind_i64(st, 2, strtoll(id, NULL, 10));
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
		if (d->fields[i].type == RES_REF)
			r = check_ref(c, &d->fields[i], s->ref[i], row);
	return r;
}

/* Everything between a body and a row that may be stored. @row: what is so far; @old: NULL on create. */
static int row_make(struct res_ctx *c, const struct res_def *d, int64_t id, json_t *row, const json_t *body, const json_t *old)
{
	int r;

	res_body_take(c, d, row, body, old);
	res_row_settle(c, d, row);
	if (d->before_write) {
		r = d->before_write(c, row, old);
		if (r < 0)
			return r;
		assert(!r || c->error->code);
	}
	r = check_database(c, d, id, row);
	if (r)
		return r;
	return c->error->code ? REFUSED : 0;
}

static int row_insert(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *row)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, c->db, res_sql_of(d)->insert);
	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	db_bind_i64(st, 3, 1);
	db_bind_i64(st, 4, c->now_ms);
	db_bind_i64(st, 5, c->now_ms);
	for (size_t i = 0; i < d->field_n; i++)
		bind_field(st, (int)i + 6, &d->fields[i], json_object_get(row, d->fields[i].name));
	r = db_step(st);
	db_done(st);
	return r;
}

/* A constraint of the database that our own checks did not foresee: another node was faster. */
static int written(struct res_ctx *c, int r)
{
	return r == DB_E_UNIQUE || r == DB_E_CONSTRAINT ? refuse(c, 409, "conflict") : r;
}

/* The row as it is now, to the asker; audit and configuration version besides. */
static int after_change(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, json_t *row, const json_t *old)
{
	json_t *full = NULL;
	int r;

	if (d->after_write) {
		r = hook_result(c, d->after_write(c, id, row));
		if (r)
			return r;
	}
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
	for (size_t i = 0; i < d->field_n; i++)
		if (res_field_hidden(&d->fields[i]))
			(void)json_object_del(full, d->fields[i].name);
	if (c->once)
		(void)json_object_set(full, "once", c->once);
	*ret = full;
	return 0;
}

static int may_write(struct res_ctx *c, const struct res_def *d, const json_t *body)
{
	assert(c->error && !c->error->code);
	if (!res_may(c->who, d->write))
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
	r = may_write(c, d, body);
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

	r = may_write(c, d, body);
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
static int row_hold(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, int64_t rev)
{
	int r;

	r = row_read(ret, c, d, id, true);
	if (r == REFUSED)
		return refuse(c, 404, "not_found");
	if (r || rev == RES_REV_ANY || json_integer_value(json_object_get(*ret, "rev")) == rev)
		return r;
	*ret = (json_decref(*ret), NULL);
	r = row_read(&c->error->current, c, d, id, false);
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
		bind_field(st, (int)i + 5, &d->fields[i], json_object_get(row, d->fields[i].name));
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

static int update(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, json_t *row, const json_t *patch,
		  const json_t *old)
{
	int r;

	r = row_make(c, d, id, row, patch, old);
	if (r)
		return r;
	if (!row_differs(d, row, old))
		return row_read(ret, c, d, id, false);
	r = written(c, row_update(c, d, id, row, old));
	if (!r)
		r = after_change(ret, c, d, id, row, old);
	return r;
}

int res_update(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *patch, int64_t rev)
{
	json_t *old = NULL, *row;
	int r;

	r = may_write(c, d, patch);
	if (!r)
		r = res_prepare(c, d, id, patch);
	if (!r)
		r = row_hold(&old, c, d, id, rev);
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

		r = db_get_i64(&n, c->db, u->sql, "ii", c->who->centre_id, id);
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

	r = may_write(c, d, NULL);
	if (!r)
		r = row_hold(&old, c, d, id, rev);
	if (!r)
		r = row_remove(c, d, id, old);
	json_decref(old);
	return r;
}
