/*
 * Conditions of a list as they stand in a query string: field=value, or field.op=value. Names come from declarations, every value is
 * bound. The operators, and which types have them, are the table at the end.
 *
 * A list of values is separated by commas; \, is a comma that belongs to a value. Times are ms UTC, or a day of the centre's zone as
 * yyyy-mm-dd. References know "none" and, where they mean people, "me". shared=me: rows of others that are shared with who asks (.with).
 */
#include "resource/engine.h"

#include <stdlib.h>
#include <string.h>

#include "journal/zone.h"

#define DAY_MS 86400000LL
#define VALUE_MAX 500  /* bytes of one text */
#define LIST_VALUES 100 /* values of one condition */
#define DAYS_MAX 36500

struct cond {
	struct res_ctx *c;
	struct query *q;
	const struct res_field *f;
	const char *column, *key; /* "t.name", and what was asked: "name.has" */
	char *value;              /* ours to cut up */
};

static void bad(struct cond *k, const char *what)
{
	res_fail(k->c, 400, "invalid", k->key, what);
}

static void add(struct cond *k, const char *text)
{
	strb_printf(&k->q->where, " AND %s%s", k->column, text);
}

/* The next of a list's values, with its \, taken as commas; NULL: that was all. */
static char *next_value(char **rest)
{
	char *start = *rest, *in = start, *out = start;

	if (!start)
		return NULL;
	for (; *in && *in != ','; in++) {
		if (*in == '\\' && in[1])
			in++;
		*out++ = *in;
	}
	*rest = *in ? in + 1 : NULL;
	*out = 0;
	return start;
}

bool res_like_pattern(char *out, size_t size, const char *before, const char *text, const char *after)
{
	size_t n = str_copy(out, size, before) ? strlen(out) : size;

	for (; *text; text++) {
		if (n + 3 + strlen(after) > size)
			return false;
		if (*text == '%' || *text == '_' || *text == '\\')
			out[n++] = '\\';
		out[n++] = *text >= 'A' && *text <= 'Z' ? (char)(*text + 'a' - 'A') : *text;
	}
	return n < size && str_copy(out + n, size - n, after);
}

/* ---- the centre's days ---- */

static int64_t wall(const struct query *q, int64_t utc_ms)
{
	return q->zone ? zone_wall_ms(q->zone, utc_ms) : utc_ms;
}

static int64_t utc(const struct query *q, int64_t wall_ms)
{
	return q->zone ? zone_utc_ms(q->zone, wall_ms) : wall_ms;
}

static void need_zone(struct cond *k)
{
	struct db_stmt *st;

	if (k->q->zone_asked)
		return;
	k->q->zone_asked = true;
	if (db_prepare(&st, k->c->db, "SELECT zone FROM centre WHERE id = $1"))
		return;
	db_bind_i64(st, 1, k->c->who->centre_id);
	if (db_step(st) == DB_ROW && db_text(st, 0))
		(void)zone_open(&k->q->zone, db_text(st, 0));
	db_done(st);
}

/* When the day begins that is @days after (before) the one of @utc_ms. */
static int64_t day_start(const struct query *q, int64_t utc_ms, int64_t days)
{
	int64_t w = wall(q, utc_ms), into = ((w % DAY_MS) + DAY_MS) % DAY_MS;

	return utc(q, w - into + days * DAY_MS);
}

/* Days since 1970-01-01 of a day of the Gregorian calendar; years begin in March, so that the odd day comes last. */
static int64_t days_of(int64_t y, int m, int d)
{
	int64_t year = y - (m <= 2), month = (m + 9) % 12;

	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + d - 1 - 719468;
}

static bool digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static bool parse_day(int64_t *days, const char *s)
{
	static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, m, d, leap;

	if (strlen(s) != 10 || s[4] != '-' || s[7] != '-' || !digits(s, 4) || !digits(s + 5, 2) || !digits(s + 8, 2))
		return false;
	y = atoi(s);
	m = atoi(s + 5);
	d = atoi(s + 8);
	leap = m == 2 && (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
	if (y < 1900 || m < 1 || m > 12 || d < 1 || d > lengths[m - 1] + leap)
		return false;
	*days = days_of(y, m, d);
	return true;
}

/* A moment, or the whole day [from, to). False after refusing. */
static bool take_time(struct cond *k, const char *s, int64_t *from, int64_t *to)
{
	int64_t day;

	if (str_to_i64(from, s, INT64_MIN + 1, INT64_MAX - 1)) {
		*to = *from + 1;
		return true;
	}
	if (!parse_day(&day, s)) {
		bad(k, "type");
		return false;
	}
	need_zone(k);
	*from = utc(k->q, day * DAY_MS);
	*to = utc(k->q, (day + 1) * DAY_MS);
	return true;
}

/* ---- one value ---- */

static bool room(struct cond *k)
{
	if (k->q->n < RES_QUERY_VALUES - RES_QUERY_RESERVE)
		return true;
	bad(k, "range");
	return false;
}

static bool is_option(const struct res_field *f, const char *s)
{
	for (const struct res_option *o = f->options; o && o->value; o++)
		if (!strcmp(o->value, s))
			return true;
	return false;
}

static bool take_ref(struct cond *k, const char *s, int64_t *v)
{
	if (!strcmp(s, "me") && k->f->ref && !strcmp(k->f->ref, "users")) {
		*v = k->c->who->user_id;
		return true;
	}
	return str_to_i64(v, s, 0, INT64_MAX);
}

/* Binds one value of the field's type: n of "$n", or 0 after refusing. */
static int bind_one(struct cond *k, const char *s)
{
	bool yes = !strcmp(s, "true"), no = !strcmp(s, "false");
	int64_t v = 0;
	const char *wrong = NULL;

	if (!room(k))
		return 0;
	switch (k->f->type) {
	case RES_TEXT:
	case RES_KEY:
		wrong = strlen(s) > VALUE_MAX ? "range" : NULL;
		break;
	case RES_ENUM:
		wrong = is_option(k->f, s) ? NULL : "enum";
		break;
	case RES_BOOL:
		wrong = yes || no || str_to_i64(&v, s, 0, 1) ? NULL : "type";
		v |= yes;
		break;
	case RES_REF:
		wrong = take_ref(k, s, &v) ? NULL : "type";
		break;
	default:
		wrong = str_to_i64(&v, s, INT64_MIN, INT64_MAX) ? NULL : "type";
	}
	if (wrong) {
		bad(k, wrong);
		return 0;
	}
	return k->f->type == RES_TEXT || k->f->type == RES_ENUM || k->f->type == RES_KEY ? res_query_text(k->q, s) : res_query_i64(k->q, v);
}

static bool means_none(const struct cond *k, const char *s)
{
	return !*s || (k->f->type == RES_REF && !strcmp(s, "none"));
}

/* ---- operators ---- */

static void add_empty(struct cond *k, bool empty)
{
	bool text = k->f->type == RES_TEXT;

	if (empty)
		strb_printf(&k->q->where, text ? " AND (%s IS NULL OR %s = '')" : " AND %s IS NULL", k->column, k->column);
	else
		strb_printf(&k->q->where, text ? " AND %s <> ''" : " AND %s IS NOT NULL", k->column);
}

static void op_is(struct cond *k)
{
	int64_t from, to;
	int at;

	if (means_none(k, k->value)) {
		add(k, " IS NULL");
		return;
	}
	if (k->f->type == RES_TIME) {
		if (take_time(k, k->value, &from, &to) && room(k)) {
			strb_printf(&k->q->where, " AND %s >= $%d", k->column, res_query_i64(k->q, from));
			strb_printf(&k->q->where, " AND %s < $%d", k->column, res_query_i64(k->q, to));
		}
		return;
	}
	at = bind_one(k, k->value);
	if (at)
		strb_printf(&k->q->where, " AND %s = $%d", k->column, at);
}

/* "(t.x IN ($1, $2) OR t.x IS NULL)", or the rows that are in none of these. */
static void add_in(struct cond *k, bool in)
{
	char *rest = k->value, *s;
	struct strb list;
	bool none = false;
	int n = 0, all = 0;

	strb_init(&list, 4096);
	strb_puts(&list, "");
	while ((s = next_value(&rest))) {
		int at;

		if (++all > LIST_VALUES) {
			bad(k, "range");
			break;
		}
		if (means_none(k, s)) {
			none = true;
			continue;
		}
		at = bind_one(k, s);
		if (!at)
			break;
		strb_printf(&list, "%s$%d", n++ ? ", " : "", at);
	}
	if (in && n)
		strb_printf(&k->q->where, none ? " AND (%s IN (%s) OR %s IS NULL)" : " AND %s IN (%s)", k->column, list.buf, k->column);
	else if (in)
		add(k, " IS NULL");
	else if (n)
		strb_printf(&k->q->where, none ? " AND %s NOT IN (%s)" : " AND (%s NOT IN (%s) OR %s IS NULL)", k->column, list.buf, k->column);
	else
		add(k, " IS NOT NULL");
	strb_done(&list);
}

static void op_in(struct cond *k)
{
	add_in(k, true);
}

static void op_not(struct cond *k)
{
	add_in(k, false);
}

static void op_empty(struct cond *k)
{
	bool yes = !strcmp(k->value, "true") || !strcmp(k->value, "1"), no = !strcmp(k->value, "false") || !strcmp(k->value, "0");

	if (yes || no)
		add_empty(k, yes);
	else
		bad(k, "type");
}

/* n of "$n" for a LIKE pattern; 0 after refusing. */
static int bind_pattern(struct cond *k, const char *before, const char *text, const char *after)
{
	size_t size = 2 * strlen(text) + 8;
	char *p;

	if (!*text || strlen(text) > VALUE_MAX) {
		bad(k, *text ? "range" : "required");
		return 0;
	}
	if (!room(k))
		return 0;
	p = res_query_own(k->q, size);
	(void)res_like_pattern(p, size, before, text, after); /* it fits */
	return res_query_text(k->q, p);
}

static void add_like(struct cond *k, const char *before, const char *after)
{
	int at = bind_pattern(k, before, k->value, after);

	if (at)
		strb_printf(&k->q->where, " AND lower(%s) LIKE $%d ESCAPE '\\'", k->column, at);
}

static void op_has(struct cond *k)
{
	add_like(k, "%", "%");
}

static void op_starts(struct cond *k)
{
	add_like(k, "", "%");
}

static void add_range(struct cond *k, bool from_here)
{
	int64_t from, to;
	int at;

	if (k->f->type == RES_TIME) {
		if (!take_time(k, k->value, &from, &to) || !room(k))
			return;
		at = res_query_i64(k->q, from_here ? from : to);
		strb_printf(&k->q->where, " AND %s %s $%d", k->column, from_here ? ">=" : "<", at);
		return;
	}
	at = bind_one(k, k->value);
	if (at)
		strb_printf(&k->q->where, " AND %s %s $%d", k->column, from_here ? ">=" : "<=", at);
}

static void op_gte(struct cond *k)
{
	add_range(k, true);
}

static void op_lte(struct cond *k)
{
	add_range(k, false);
}

/* "next7" with @word "next": 7. */
static bool days_after(int64_t *days, const char *s, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(s, word, n) && str_to_i64(days, s + n, 1, DAYS_MAX);
}

/* From and to of a time that is said relative to now; 0: open at that side. */
static bool relative(struct cond *k, int64_t *from, int64_t *to)
{
	const char *s = k->value;
	int64_t now = k->c->now_ms, n, weekday;

	need_zone(k);
	*from = *to = 0;
	weekday = ((wall(k->q, now) / DAY_MS) + 3) % 7; /* 1970-01-01 was a Thursday; Monday is 0 */
	if (!strcmp(s, "overdue")) {
		*to = now;
		return true;
	}
	if (days_after(&n, s, "older")) {
		*to = day_start(k->q, now, -n);
		return true;
	}
	if (!strcmp(s, "today"))
		*from = 0, n = 1;
	else if (!strcmp(s, "tomorrow"))
		*from = 1, n = 2;
	else if (!strcmp(s, "yesterday"))
		*from = -1, n = 0;
	else if (!strcmp(s, "week"))
		*from = -weekday, n = 7 - weekday;
	else if (days_after(&n, s, "last"))
		*from = 1 - n, n = 1;
	else if (!days_after(&n, s, "next"))
		return false;
	*from = day_start(k->q, now, *from);
	*to = day_start(k->q, now, n);
	return true;
}

static void op_rel(struct cond *k)
{
	int64_t from, to;

	if (!relative(k, &from, &to)) {
		bad(k, "enum");
		return;
	}
	if (!room(k))
		return;
	if (from)
		strb_printf(&k->q->where, " AND %s >= $%d", k->column, res_query_i64(k->q, from));
	strb_printf(&k->q->where, " AND %s < $%d", k->column, res_query_i64(k->q, to));
}

/* Tags stand as ",vip,北京,". */
static void add_tags(struct cond *k, const char *join)
{
	char *rest = k->value, *s;
	int n = 0;

	if (k->f->type != RES_SET && !(k->f->flags & RES_TAGS)) {
		bad(k, "unknown");
		return;
	}
	strb_printf(&k->q->where, " AND %s IS NOT NULL AND (", k->column); /* for an index of those that have some */
	while ((s = next_value(&rest))) {
		int at = n < LIST_VALUES ? bind_pattern(k, "%,", s, ",%") : (bad(k, "range"), 0);

		if (!at)
			break;
		strb_printf(&k->q->where, "%slower(%s) LIKE $%d ESCAPE '\\'", n++ ? join : "", k->column, at);
	}
	strb_putc(&k->q->where, ')');
}

static void op_any(struct cond *k)
{
	add_tags(k, " OR ");
}

static void op_all(struct cond *k)
{
	add_tags(k, " AND ");
}

/* One of a set's choices is among them; without one, none is. */
static void op_holds(struct cond *k)
{
	if (!*k->value)
		add(k, " IS NULL");
	else if (is_option(k->f, k->value))
		add_tags(k, " OR ");
	else
		bad(k, "enum");
}

#define T(type) (1u << (type))
#define WHICH (T(RES_TEXT) | T(RES_INT) | T(RES_ENUM) | T(RES_REF) | T(RES_ID) | T(RES_KEY))

static const struct {
	const char *name;
	unsigned types;
	void (*add)(struct cond *k);
} ops[] = {
	{"", WHICH | T(RES_BOOL) | T(RES_TIME), op_is},
	{"", T(RES_SET), op_holds},
	{"in", WHICH, op_in},
	{"not", WHICH, op_not},
	{"empty", WHICH | T(RES_BOOL) | T(RES_TIME) | T(RES_SET), op_empty},
	{"has", T(RES_TEXT), op_has},
	{"starts", T(RES_TEXT), op_starts},
	{"gte", T(RES_INT) | T(RES_TIME), op_gte},
	{"lte", T(RES_INT) | T(RES_TIME), op_lte},
	{"rel", T(RES_TIME), op_rel},
	{"any", T(RES_TEXT) | T(RES_SET), op_any},
	{"all", T(RES_TEXT) | T(RES_SET), op_all},
};

static const struct res_field base[] = {
	{"id", RES_REF},
	{"created_ms", RES_TIME},
	{"updated_ms", RES_TIME},
};

const struct res_field *res_base_field(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(base); i++)
		if (!strcmp(base[i].name, name))
			return &base[i];
	return NULL;
}

void res_filter_add(struct res_ctx *c, struct query *q, const struct res_field *f, const char *column, const char *key, const char *op,
		    const char *value)
{
	struct cond k = {.c = c, .q = q, .f = f, .column = column, .key = key};
	size_t size = strlen(value) + 1;

	if (!str_is_utf8(value, size - 1)) {
		bad(&k, "type");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (strcmp(ops[i].name, op) != 0 || !(ops[i].types & T(f->type)))
			continue;
		k.value = memcpy(res_query_own(q, size), value, size);
		ops[i].add(&k);
		return;
	}
	bad(&k, "unknown");
}

/* What others shared with who asks. */
static void add_shared(struct res_ctx *c, struct query *q, const struct res_def *d, const char *value)
{
	const char *dot = strchr(d->with, '.');

	if (strcmp(value, "me") != 0)
		res_fail(c, 400, "invalid", "shared", "enum");
	else
		strb_printf(&q->where, " AND t.id IN (SELECT w.%s FROM %.*s w WHERE w.user_id = $%d)", dot + 1, (int)(dot - d->with), d->with,
			    res_query_i64(q, c->who->user_id));
}

static void add_filter(struct res_ctx *c, struct query *q, const struct res_def *d, const char *key, const char *value)
{
	const char *dot = strrchr(key, '.');
	const struct res_field *f;
	char name[64], column[72];
	int i;

	if (d->with && !strcmp(key, "shared")) {
		add_shared(c, q, d, value);
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s", dot ? (int)(dot - key) : (int)strlen(key), key);
	i = res_field_find(d, name);
	f = i >= 0 ? &d->fields[i] : res_base_field(name);
	if (!f || (i >= 0 && !res_field_seen(c->who, d, f)) || f->type == RES_JSON ||
	    (res_field_masked(c->who, f) && dot && strcmp(dot, ".empty") != 0)) {
		res_fail(c, 400, "invalid", key, "unknown");
		return;
	}
	(void)snprintf(column, sizeof(column), "t.%s", res_column(f));
	res_filter_add(c, q, f, column, key, dot ? dot + 1 : "", value);
}

void res_filters_add(struct res_ctx *c, struct query *q, const struct res_def *d, const json_t *filters)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)filters, key, v) {
		if (json_is_string(v))
			add_filter(c, q, d, key, json_string_value(v));
		else
			res_fail(c, 400, "invalid", key, "type");
	}
}
