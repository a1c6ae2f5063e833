/* Values as people write them in sheets, both ways: labels for codes, names for references. */
#include "resource/engine.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is written for yes and no; the first of each language is what we write. */
static const struct {
	const char *text;
	bool yes;
} truths[] = {
	{"是", true}, {"yes", true}, {"true", true}, {"1", true}, {"y", true}, {"√", true}, {"✓", true}, {"对", true}, {"启用", true}, {"on", true},
	{"否", false}, {"no", false}, {"false", false}, {"0", false}, {"n", false}, {"×", false}, {"x", false}, {"停用", false}, {"off", false},
};

bool res_field_readable(const struct res_field *f)
{
	return !res_field_hidden(f);
}

bool res_field_importable(const struct res_field *f)
{
	return !(f->flags & RES_READONLY) && !res_field_internal(f);
}

bool res_may_import(const struct res_who *who, const struct res_def *d)
{
	return !d->no_import && d->write && res_may(who, d->write);
}

/* ---- out ---- */

static const char *option_label(const struct res_field *f, const char *value, bool en)
{
	for (const struct res_option *o = f->options; o->value; o++)
		if (!strcmp(o->value, value))
			return en ? o->en : o->zh;
	return value;
}

char *res_value_text(const struct res_field *f, const json_t *row, const char *lang)
{
	const json_t *v = json_object_get(row, f->name);
	bool en = lang[0] == 'e';
	char key[72];

	if (!v || json_is_null(v))
		return NULL;
	switch (f->type) {
	case RES_BOOL:
		return xstrdup(json_is_true(v) ? (en ? "Yes" : "是") : en ? "No" : "否");
	case RES_ENUM:
		return xstrdup(option_label(f, json_string_value(v), en));
	case RES_REF:
		(void)snprintf(key, sizeof(key), "%s_label", f->name);
		row = json_object_get(row, key);
		return xstrdup(json_is_string(row) ? json_string_value(row) : json_string_value(v));
	case RES_INT:
	case RES_TIME:
		return xasprintf("%lld", (long long)json_integer_value(v));
	case RES_JSON:
		return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	default:
		return xstrdup(json_string_value(v));
	}
}

/* ---- in ---- */

/* ASCII in lower case, full-width letters and digits as ASCII, no blanks at the ends; answers its length. */
static size_t plain(char *out, size_t size, const char *s)
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)s; *p && n + 4 < size;) {
		unsigned c = 0;

		if (p[0] == 0xef && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80)
			c = 0xf000u | (unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
		if (c >= 0xff01 && c <= 0xff5e) { /* full-width ! to ~ */
			out[n++] = (char)tolower((int)(c - 0xfee0));
			p += 3;
		} else if (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80) { /* a wide blank */
			out[n++] = ' ';
			p += 3;
		} else {
			out[n++] = *p < 0x80 ? (char)tolower(*p) : (char)*p;
			p++;
		}
	}
	while (n && strchr(" \t\r\n\xa0", out[n - 1]))
		n--;
	out[n] = 0;
	for (s = out; *s && strchr(" \t\r\n", *s); s++)
		n--;
	memmove(out, s, n + 1);
	return n;
}

static bool same(const char *a, const char *b)
{
	char x[256], y[256];

	(void)plain(x, sizeof(x), a);
	(void)plain(y, sizeof(y), b);
	return !strcmp(x, y);
}

int res_field_of_title(const struct res_def *d, const char *title)
{
	char text[256];
	size_t n = plain(text, sizeof(text), title);

	while (n && (text[n - 1] == '*' || text[n - 1] == ' '))
		text[--n] = 0;
	for (size_t i = 0; n && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (res_field_importable(f) && (same(f->zh, text) || same(f->en, text) || same(f->name, text)))
			return (int)i;
	}
	return -1;
}

static int wrong(const char **what, const char *code)
{
	*what = code;
	return 1;
}

static int parse_int(json_t **ret, const char **what, const char *text)
{
	char s[64];
	int64_t v;

	(void)plain(s, sizeof(s), text);
	if (!str_to_i64(&v, s, INT64_MIN, INT64_MAX))
		return wrong(what, "type");
	*ret = json_integer(v);
	return 0;
}

static int parse_bool(json_t **ret, const char **what, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(truths); i++)
		if (same(truths[i].text, text)) {
			*ret = json_boolean(truths[i].yes);
			return 0;
		}
	return wrong(what, "type");
}

static int parse_enum(json_t **ret, const char **what, const struct res_field *f, const char *text)
{
	for (const struct res_option *o = f->options; o->value; o++)
		if (same(o->value, text) || same(o->zh, text) || same(o->en, text)) {
			*ret = json_string(o->value);
			return 0;
		}
	return wrong(what, "enum");
}

/* How many rows of @d have @text in @column, two at most, and the id of one. */
static int count_rows(int *n, int64_t *id, struct res_ctx *c, const struct res_def *d, const char *column, const char *text)
{
	char *sql = xasprintf("SELECT id FROM %s WHERE centre_id = $1 AND %s = $2 LIMIT 2", d->table, column);
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, sql);

	if (!r) {
		db_bind_i64(st, 1, c->who->centre_id);
		db_bind_text(st, 2, text);
		for (*n = 0; (r = db_step(st)) == DB_ROW; (*n)++)
			*id = db_i64(st, 0);
		db_done(st);
	}
	free(sql);
	return r;
}

static int by_unique(int *n, int64_t *id, struct res_ctx *c, const struct res_def *d, const char *text)
{
	int r = 0;

	for (size_t i = 0; !r && *n != 1 && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		int k = 0;

		if (!(f->flags & RES_UNIQUE) || f->type != RES_TEXT)
			continue;
		r = count_rows(&k, id, c, d, f->name, text);
		if (k == 1)
			*n = 1;
	}
	return r;
}

static int parse_ref(json_t **ret, const char **what, struct res_ctx *c, const struct res_field *f, const char *text)
{
	const struct res_def *d = res_find(f->ref);
	char id_text[24];
	int64_t id = 0;
	int n = 0, r = 0;

	if (d->label)
		r = count_rows(&n, &id, c, d, d->label, text);
	if (!r && n != 1)
		r = by_unique(&n, &id, c, d, text);
	if (!r && !n && str_to_i64(&id, text, 1, INT64_MAX)) {
		char *sql = xasprintf("SELECT id FROM %s WHERE centre_id = $1 AND id = $2", d->table);

		r = db_get_i64(&id, c->db, sql, "ii", c->who->centre_id, id);
		n = !r;
		r = r == -ENOENT ? 0 : r;
		free(sql);
	}
	if (r)
		return r;
	if (n != 1)
		return wrong(what, n ? "ambiguous" : "ref");
	(void)snprintf(id_text, sizeof(id_text), "%lld", (long long)id);
	*ret = json_string(id_text);
	return 0;
}

/* A telephone number as one writes it: full-width digits, blanks, hyphens and brackets in it. */
static json_t *number_json(const char *text)
{
	char s[64];
	size_t n = 0, len = plain(s, sizeof(s), text);

	for (size_t i = 0; i < len; i++)
		if (!strchr(" -()", s[i]))
			s[n++] = s[i];
	s[n] = 0;
	return json_string(s);
}

int res_value_parse(json_t **ret, const char **what, struct res_ctx *c, const struct res_field *f, const char *text)
{
	switch (f->type) {
	case RES_INT:
	case RES_TIME:
		return parse_int(ret, what, text);
	case RES_BOOL:
		return parse_bool(ret, what, text);
	case RES_ENUM:
		return parse_enum(ret, what, f, text);
	case RES_REF:
		return parse_ref(ret, what, c, f, text);
	case RES_JSON:
		*ret = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
		return *ret ? 0 : wrong(what, "type");
	default:
		*ret = f->flags & RES_NUMBER && strlen(text) < 60 ? number_json(text) : json_string(text);
		return *ret ? 0 : wrong(what, "type");
	}
}

/* ---- which row is meant ---- */

/* Does @body say every field of the group, and at least one with a value? */
static bool group_given(const struct res_def *d, const struct res_unique *u, const json_t *body)
{
	bool any = false;

	for (size_t i = 0; i < u->n; i++) {
		const json_t *v = json_object_get(body, d->fields[u->field[i]].name);

		if (u->n == 1 && !v)
			return false;
		any |= v && !json_is_null(v);
	}
	return any;
}

static void bind_value(struct db_stmt *st, int i, const struct res_field *f, const json_t *v)
{
	if (!v || json_is_null(v))
		db_bind_null(st, i);
	else if (f->type == RES_REF)
		db_bind_i64(st, i, strtoll(json_string_value(v), NULL, 10));
	else if (json_is_string(v))
		db_bind_text(st, i, json_string_value(v));
	else
		db_bind_i64(st, i, json_is_boolean(v) ? json_is_true(v) : json_integer_value(v));
}

static char *group_key(const struct res_def *d, const struct res_unique *u, const json_t *body)
{
	struct strb b;

	strb_init(&b, 4096);
	for (size_t i = 0; i < u->n; i++) {
		const char *name = d->fields[u->field[i]].name;
		char *v = json_dumps(json_object_get(body, name), JSON_COMPACT | JSON_ENCODE_ANY);

		strb_printf(&b, "%s=%s;", name, v ? v : "null");
		free(v);
	}
	return strb_take(&b);
}

static int group_find(int64_t *id, struct res_ctx *c, const struct res_def *d, const struct res_unique *u, const json_t *body)
{
	char *sql = xasprintf("SELECT id%s", strstr(u->sql, " FROM"));
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, sql);

	*id = 0;
	if (!r) {
		db_bind_i64(st, 1, c->who->centre_id);
		db_bind_i64(st, 2, 0); /* no row has it */
		for (size_t i = 0; i < u->n; i++) {
			const struct res_field *f = &d->fields[u->field[i]];

			bind_value(st, (int)i + 3, f, json_object_get(body, f->name));
		}
		r = db_step(st);
		if (r == DB_ROW)
			*id = db_i64(st, 0);
		db_done(st);
	}
	free(sql);
	return r == DB_ROW ? 0 : r;
}

int res_row_find(int64_t *id, char **key, struct res_ctx *c, const struct res_def *d, const json_t *body)
{
	const struct res_sql *s = res_sql_of(d);

	*id = 0;
	*key = NULL;
	for (size_t i = 0; i < s->unique_n; i++) {
		if (!group_given(d, &s->unique[i], body))
			continue;
		*key = group_key(d, &s->unique[i], body);
		return group_find(id, c, d, &s->unique[i], body);
	}
	return 0;
}
