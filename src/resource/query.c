/*
 * Lists of declared resources: conditions, order, pages, and walking through all of it. What conditions there are: filter.c.
 *
 * A page goes on after the last row of the one before, by (value sorted by, id), so that page ten thousand costs what the first does. Rows
 * without a value come last, in a part of their own: then both parts are read off an index (centre_id, column, id) in either direction, on
 * both engines, which do not agree where NULL belongs.
 */
#include "resource/engine.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "find/find.h"
#include "journal/zone.h"

#define REFUSED 1 /* positive: c->error says why */
#define KEY_MAX 4096  /* bytes of a cursor */
#define SORT_MAX 1000 /* characters of a text that one sorts by */

static int forbidden(struct res_ctx *c)
{
	res_fail(c, 403, "forbidden", NULL, NULL);
	return REFUSED;
}

static void bad_list(struct res_ctx *c, const char *field, const char *what)
{
	res_fail(c, 400, "invalid", field, what);
}

/* ---- the query's values ---- */

int res_query_i64(struct query *q, int64_t v)
{
	q->values[q->n++] = (struct value){.i = v};
	return q->n;
}

int res_query_text(struct query *q, const char *s)
{
	q->values[q->n++] = (struct value){.text = true, .s = s};
	return q->n;
}

struct own {
	struct own *next;
	char text[];
};

char *res_query_own(struct query *q, size_t size)
{
	struct own *o = xcalloc(1, sizeof(*o) + size);

	o->next = q->own;
	q->own = o;
	return o->text;
}

void res_query_done(struct query *q)
{
	while (q->own) {
		struct own *o = q->own;

		q->own = o->next;
		free(o);
	}
	zone_free(q->zone);
	q->zone = NULL;
	strb_done(&q->where);
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

/* ---- which rows ---- */

/* Parts of what is masked are neither looked for nor sorted by: the order would tell what the text does not. */
bool res_field_masked(const struct res_who *who, const struct res_field *f)
{
	return (f->flags & RES_MASKED) && !res_unmasked(who);
}

static void add_search(struct res_ctx *c, struct query *q, const struct res_def *d, const char *text)
{
	size_t size = 512;
	char *pattern = res_query_own(q, size);
	const char *sep = "";
	int at;

	if (!str_is_utf8(text, strlen(text)) || !res_like_pattern(pattern, size, "%", text, "%")) {
		bad_list(c, "q", "range");
		return;
	}
	at = res_query_text(q, pattern);
	strb_puts(&q->where, " AND (");
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (!(f->flags & RES_SEARCH) || !res_field_seen(c->who, d, f) || res_field_masked(c->who, f) ||
		    (res_field_refers(f) && !res_label_tells(c->who, f)))
			continue;
		if (res_field_refers(f))
			strb_printf(&q->where, "%slower(r%zu.%s) LIKE $%d ESCAPE '\\'", sep, i,
				    res_label_column(res_find(f->ref)), at);
		else
			strb_printf(&q->where, "%slower(t.%s) LIKE $%d ESCAPE '\\'", sep, res_column(f), at);
		sep = " OR ";
	}
	strb_puts(&q->where, *sep ? ")" : "1 = 1)");
}

/*
 * By the index of words. A question without anything to look for, or with too few digits, finds nothing.
 */
static int add_find(struct res_ctx *c, struct query *q, const struct res_def *d, const char *text)
{
	struct strb match;
	char *own;
	int r;

	if (!str_is_utf8(text, strlen(text))) {
		bad_list(c, "q", "range");
		return 0;
	}
	strb_init(&match, 65536);
	r = find_match(&match, c->db, &(struct find_ask){.centre_id = c->who->centre_id, .kind = d->find_kind, .text = text,
							    .masked = !res_unmasked(c->who)});
	if (r == FIND_E_LONG)
		bad_list(c, "q", "range");
	else if (r > 0)
		strb_puts(&q->where, " AND 1 = 0");
	if (!r) {
		own = res_query_own(q, match.len + 1);
		memcpy(own, match.buf, match.len);
		find_where(&q->where, d->find_kind, res_query_text(q, own), FIND_WIDE);
	}
	strb_done(&match);
	return r < 0 ? r : 0;
}

/* The index knows rows, not fields: it would tell of what is hidden from him. Then he searches in what he sees. */
static bool index_tells(const struct res_who *who, const struct res_def *d)
{
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if ((f->type == RES_TEXT || f->type == RES_JSON) && !res_field_hidden(f) && !res_field_seen(who, d, f))
			return true;
	}
	return false;
}

/* What is wrong with the conditions is in c->error. 0 or negative. */
static int query_make(struct query *q, struct res_ctx *c, const struct res_def *d, const char *text, const json_t *filters)
{
	strb_init(&q->where, 262144);
	strb_printf(&q->where, " WHERE t.centre_id = $%d", res_query_i64(q, c->who->centre_id));
	res_scope_where(c, q, d);
	res_filters_add(c, q, d, filters);
	if (text && *text && d->find_kind && !index_tells(c->who, d))
		return add_find(c, q, d, text);
	if (text && *text)
		add_search(c, q, d, text);
	return 0;
}

/* ---- in what order ---- */

struct order {
	char column[96]; /* "t.name", "r3.name" */
	const char *asked;
	bool down, number;
	bool by_id;      /* nothing else */
	bool any_size;   /* an index serves it, or the table is small */
};

/* Is @name in "a,b:column,c"? @column gets what it sorts by. */
static bool in_sorts(const char *sorts, const char *name, char *column, size_t size)
{
	while (*sorts) {
		size_t len = strcspn(sorts, ","), name_len = strcspn(sorts, ",:");

		if (name_len == strlen(name) && !strncmp(sorts, name, name_len)) {
			if (sorts[name_len] == ':')
				(void)snprintf(column, size, "t.%.*s", (int)(len - name_len - 1), sorts + name_len + 1);
			return true;
		}
		sorts += len + (sorts[len] == ',');
	}
	return false;
}

static bool may_sort(const struct res_who *who, const struct res_def *d, const char *name)
{
	int i = res_field_find(d, name);
	const struct res_field *f = i >= 0 ? &d->fields[i] : NULL;

	if (!f)
		return res_base_field(name);
	return f->type != RES_JSON && res_field_seen(who, d, f) && !res_field_masked(who, f) && (!res_field_refers(f) || res_label_tells(who, f));
}

/* The declaration's order, unless that would tell what he may not see. */
static const char *own_order(const struct res_who *who, const struct res_def *d)
{
	return d->order && may_sort(who, d, d->order + (*d->order == '-')) ? d->order : "id";
}

/* References sort by what a person sees. Ties by id, so that pages neither repeat nor leave out a row. */
static void order_make(struct order *o, struct res_ctx *c, const struct res_def *d, const char *sort)
{
	const char *asked = sort && *sort ? sort : own_order(c->who, d), *name = asked + (*asked == '-');
	int i = res_field_find(d, name);
	const struct res_field *f = i >= 0 ? &d->fields[i] : res_base_field(name);

	*o = (struct order){.asked = asked, .down = *asked == '-', .any_size = !d->sorts || (d->order && !strcmp(d->order, asked))};
	if (!may_sort(c->who, d, name)) {
		bad_list(c, "sort", "unknown");
		return;
	}
	if (f->type == RES_TEXT && res_text_max(f) > SORT_MAX) {
		bad_list(c, "sort", "range");
		return;
	}
	o->by_id = !strcmp(name, "id");
	o->any_size |= o->by_id;
	o->number = f->type != RES_TEXT && f->type != RES_ENUM && f->type != RES_SET && (!res_field_refers(f) || o->by_id);
	if (res_field_refers(f) && !o->by_id)
		(void)snprintf(o->column, sizeof(o->column), "r%d.%s", i, res_label_column(res_find(f->ref)));
	else
		(void)snprintf(o->column, sizeof(o->column), "t.%s", res_column(f));
	if (res_field_refers(f) && !o->by_id && !res_find(f->ref)->label)
		o->number = true;
	o->any_size |= d->sorts && in_sorts(d->sorts, name, o->column, sizeof(o->column));
}

static void order_whole(char *out, size_t size, const struct order *o)
{
	const char *way = o->down ? "DESC" : "ASC";

	if (o->by_id)
		(void)snprintf(out, size, " ORDER BY t.id %s", way);
	else
		(void)snprintf(out, size, " ORDER BY %s %s NULLS LAST, t.id %s", o->column, way, way);
}

/* ---- a page ---- */

/* Where a page goes on: after the row @id, whose value is @text or @i; @none: it has none. */
struct cursor {
	bool given, none;
	char *text;
	int64_t i, id;
};

static json_t *cursor_json(const struct order *o, const struct db_stmt *st, int col)
{
	json_t *v = db_is_null(st, col) ? json_null() : o->number ? json_integer(db_i64(st, col)) : json_string(db_text(st, col));

	return json_pack("[s, o, I]", o->asked, v ? v : json_null(), (json_int_t)db_i64(st, 0));
}

/* The row's place as text that means nothing to others. NULL: a value too long to go on from. */
static char *cursor_text(const json_t *place)
{
	char *plain = json_dumps(place, JSON_COMPACT), *out = NULL;
	size_t n = plain ? strlen(plain) : 0, room = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

	if (n && n <= KEY_MAX)
		out = sodium_bin2base64(xcalloc(1, room), room, (const unsigned char *)plain, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	free(plain);
	return out;
}

static bool cursor_parse(struct cursor *k, const struct order *o, const char *text)
{
	unsigned char plain[KEY_MAX + 1];
	const char *asked;
	json_t *v, *value;
	json_int_t id;
	size_t n = 0;
	bool ok;

	if (sodium_base642bin(plain, KEY_MAX, text, strlen(text), NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING))
		return false;
	v = json_loadb((const char *)plain, n, JSON_REJECT_DUPLICATES, NULL);
	ok = v && !json_unpack(v, "[s, o, I!]", &asked, &value, &id) && !strcmp(asked, o->asked) &&
	     (json_is_null(value) || (o->number ? json_is_integer(value) : json_is_string(value)));
	if (ok)
		*k = (struct cursor){.given = true, .none = json_is_null(value), .i = json_integer_value(value), .id = id,
				     .text = json_is_string(value) ? xstrdup(json_string_value(value)) : NULL};
	json_decref(v);
	return ok && (k->none ? !o->by_id : true);
}

struct page {
	struct res_ctx *c;
	const struct res_def *d;
	const struct res_ask *ask;
	struct query q;
	struct order o;
	struct cursor at;
	json_t *items, *last; /* last: where the page's last row stands */
	bool more;
};

/* Rows by @sql until the page is full; one more says that there are more. */
static int page_rows(struct page *p, const char *sql)
{
	int r, key = RES_ROW_COLS + (int)p->d->field_n;
	struct db_stmt *st;

	for (size_t i = 0; i < p->d->field_n; i++)
		key += res_field_refers(&p->d->fields[i]) ? 2 : 0; /* its labels */
	r = query_prepare(&st, p->c, &p->q, sql);
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		p->more = (int64_t)json_array_size(p->items) >= p->ask->limit;
		if (p->more) {
			r = 0;
			break;
		}
		json_decref(p->last);
		p->last = cursor_json(&p->o, st, key);
		(void)json_array_append_new(p->items, res_row_json(p->c, p->d, st, false));
	}
	db_done(st);
	return r;
}

/* One of the two parts: rows with a value, and after them those without. */
static int page_part(struct page *p, bool none)
{
	const struct res_sql *s = res_sql_of(p->d);
	const char *way = p->o.down ? "DESC" : "ASC", *beyond = p->o.down ? "<" : ">";
	int n = p->q.n, r;
	struct strb b;

	strb_init(&b, 1 << 20);
	strb_printf(&b, "%s, %s%s%s", s->cols, p->o.column, s->from, p->q.where.buf);
	if (!p->o.by_id)
		strb_printf(&b, " AND %s IS %sNULL", p->o.column, none ? "" : "NOT ");
	if (p->at.given && (none || p->o.by_id) && p->at.none == none) {
		strb_printf(&b, " AND t.id %s $%d", beyond, res_query_i64(&p->q, p->at.id));
	} else if (p->at.given && p->at.none == none) {
		int value = p->o.number ? res_query_i64(&p->q, p->at.i) : res_query_text(&p->q, p->at.text);

		strb_printf(&b, " AND (%s, t.id) %s ($%d, $%d)", p->o.column, beyond, value, res_query_i64(&p->q, p->at.id));
	}
	if (none || p->o.by_id)
		strb_printf(&b, " ORDER BY t.id %s", way);
	else
		strb_printf(&b, " ORDER BY %s %s, t.id %s", p->o.column, way, way);
	strb_printf(&b, " LIMIT $%d", res_query_i64(&p->q, p->ask->limit + 1 - (int64_t)json_array_size(p->items)));
	r = b.overflow ? -E2BIG : page_rows(p, b.buf);
	strb_done(&b);
	p->q.n = n;
	return r;
}

static int page_offset(struct page *p)
{
	const struct res_sql *s = res_sql_of(p->d);
	char order[256], *sql;
	int n = p->q.n, limit, r;

	order_whole(order, sizeof(order), &p->o);
	limit = res_query_i64(&p->q, p->ask->limit + 1);
	sql = xasprintf("%s, %s%s%s%s LIMIT $%d OFFSET $%d", s->cols, p->o.column, s->from, p->q.where.buf, order, limit,
			res_query_i64(&p->q, p->ask->offset));
	r = page_rows(p, sql);
	p->q.n = n;
	free(sql);
	return r;
}

static int page_read(struct page *p)
{
	int r = 0;

	if (p->ask->offset)
		return page_offset(p);
	if (!p->at.given || !p->at.none)
		r = page_part(p, false);
	if (!r && !p->more && !p->o.by_id)
		r = page_part(p, true);
	return r;
}

static int page_count(int64_t *ret, struct page *p, bool all)
{
	const struct res_sql *s = res_sql_of(p->d);
	char *sql = all ? xasprintf("SELECT COUNT(*)%s%s", s->from, p->q.where.buf)
			: xasprintf("SELECT COUNT(*) FROM (SELECT 1%s%s LIMIT %d) AS counted", s->from, p->q.where.buf, RES_COUNT_MAX + 1);
	struct db_stmt *st;
	int r;

	r = query_prepare(&st, p->c, &p->q, sql);
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

/* Rows, and how many there are in all: when the first page is not full it says so itself. */
static int page_run(json_t **ret, struct page *p)
{
	int64_t total = -1;
	char *next;
	int r = 0;

	if (!p->o.any_size) {
		r = page_count(&total, p, p->ask->count_all);
		if (!r && total > RES_COUNT_MAX) {
			bad_list(p->c, "sort", "too_many");
			return REFUSED;
		}
	}
	if (!r)
		r = page_read(p);
	if (!r && total < 0 && !p->more && !p->ask->offset && !p->at.given)
		total = (int64_t)json_array_size(p->items);
	if (!r && total < 0)
		r = page_count(&total, p, p->ask->count_all);
	if (r)
		return r;
	next = p->more && p->last ? cursor_text(p->last) : NULL;
	*ret = json_pack("{s:O, s:I, s:b, s:s?}", "items", p->items, "total",
			 (json_int_t)(p->ask->count_all || total <= RES_COUNT_MAX ? total : RES_COUNT_MAX), "total_exact",
			 p->ask->count_all || total <= RES_COUNT_MAX, "next", next);
	free(next);
	return 0;
}

int res_page(json_t **ret, struct res_ctx *c, const struct res_def *d, const struct res_ask *ask)
{
	struct page p = {.c = c, .d = res_now(d, c->who->centre_id), .ask = ask};
	int r;

	d = p.d;
	if (!res_may(c->who, d, RES_READ))
		return forbidden(c);
	r = query_make(&p.q, c, d, ask->q, ask->filters);
	order_make(&p.o, c, d, ask->sort);
	if (ask->limit < 0 || ask->limit > RES_LIST_MAX)
		bad_list(c, "limit", "range");
	if (ask->offset < 0 || ask->offset > RES_OFFSET_MAX)
		bad_list(c, "offset", "range");
	if (ask->after && *ask->after && (ask->offset || !cursor_parse(&p.at, &p.o, ask->after)))
		bad_list(c, "after", "format");
	if (!r && c->error->code)
		r = REFUSED;
	p.items = json_array();
	if (!r)
		r = page_run(ret, &p);
	json_decref(p.items);
	json_decref(p.last);
	free(p.at.text);
	res_query_done(&p.q);
	return r;
}

int res_list(json_t **ret, struct res_ctx *c, const struct res_def *d, const char *text, const char *sort, int64_t limit,
	     int64_t offset, const json_t *filters)
{
	return res_page(ret, c, d, &(struct res_ask){.q = text, .sort = sort, .limit = limit, .offset = offset, .filters = filters});
}

/* ---- walking through a list of any length: its ids at once, its rows in pieces ---- */

#define WALK_PIECE 200

static int read_ids(int64_t **ret, size_t *n, struct res_ctx *c, const struct query *q, const char *sql)
{
	struct db_stmt *st;
	size_t room = 0;
	int r;

	r = query_prepare(&st, c, q, sql);
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		if (*n == room) {
			room = room * 2 + 64;
			*ret = xrealloc(*ret, room * sizeof(**ret));
		}
		(*ret)[(*n)++] = db_i64(st, 0);
	}
	db_done(st);
	return r;
}

int res_ids(int64_t **ids, size_t *n, struct res_ctx *c, const struct res_def *d, const char *text, const json_t *filters, size_t max)
{
	struct query q = {0};
	char *sql;
	int r;

	*ids = NULL;
	*n = 0;
	d = res_now(d, c->who->centre_id);
	if (!res_may(c->who, d, RES_READ))
		return forbidden(c);
	r = query_make(&q, c, d, text, filters);
	if (!r && c->error->code)
		r = REFUSED;
	if (!r) {
		sql = xasprintf("SELECT t.id%s%s LIMIT %zu", res_sql_of(d)->from, q.where.buf, max + 1);
		r = read_ids(ids, n, c, &q, sql);
		free(sql);
	}
	res_query_done(&q);
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
		json_t *row = res_row_json(c, d, st, false);

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
	char *sql = walk_sql(s, order), *ids_sql = xasprintf("SELECT t.id%s%s%s", s->from, q->where.buf, order);
	int64_t *ids = NULL;
	size_t n = 0;
	int r = db_begin_view(c->db);

	if (!r) {
		r = read_ids(&ids, &n, c, q, ids_sql);
		for (size_t at = 0; !r && at < n; at += WALK_PIECE)
			r = walk_piece(c, d, sql, ids + at, n - at < WALK_PIECE ? n - at : WALK_PIECE, fn, arg);
		db_rollback(c->db);
	}
	*count = (int64_t)n;
	free(ids);
	free(sql);
	free(ids_sql);
	return r;
}

int res_walk(int64_t *count, struct res_ctx *c, const struct res_def *d, const char *text, const char *sort, const json_t *filters,
	     int (*fn)(void *arg, const json_t *row), void *arg)
{
	struct query q = {0};
	struct order o;
	char order[256];
	int r;

	d = res_now(d, c->who->centre_id);
	if (!res_may(c->who, d, RES_READ))
		return forbidden(c);
	r = query_make(&q, c, d, text, filters);
	order_make(&o, c, d, sort);
	order_whole(order, sizeof(order), &o);
	if (!r && c->error->code)
		r = REFUSED;
	if (!r)
		r = walk(c, d, &q, order, fn, arg, count);
	res_query_done(&q);
	return r;
}
