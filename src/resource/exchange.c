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

bool res_field_importable(const struct res_field *f)
{
	return !(f->flags & RES_READONLY) && !res_field_internal(f);
}

/* ---- out ---- */

static const char *option_label(const struct res_field *f, const char *value, bool en)
{
	for (const struct res_option *o = f->options; o->value; o++)
		if (!strcmp(o->value, value))
			return en ? o->en : o->zh;
	return value;
}

/* 1250 with two decimals: "12.50". */
static char *decimal_text(int64_t v, unsigned decimals)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%0*llu", (int)decimals + 1, (unsigned long long)(v < 0 ? -(uint64_t)v : (uint64_t)v));
	int whole = n - (int)decimals;

	return xasprintf("%s%.*s%s%s", v < 0 ? "-" : "", whole, text, decimals ? "." : "", text + whole);
}

static char *set_words(const struct res_field *f, const json_t *v, bool en)
{
	struct strb b;
	json_t *one;
	size_t i;

	strb_init(&b, 65536);
	json_array_foreach((json_t *)v, i, one)
		strb_printf(&b, "%s%s", i ? en ? ", " : "、" : "", option_label(f, json_string_value(one), en));
	return strb_take(&b);
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
	case RES_KEY:
		(void)snprintf(key, sizeof(key), "%s_label", f->name);
		row = json_object_get(row, key);
		return xstrdup(json_is_string(row) ? json_string_value(row) : json_string_value(v));
	case RES_INT:
		return decimal_text(json_integer_value(v), f->decimals);
	case RES_TIME:
		return xasprintf("%lld", (long long)json_integer_value(v));
	case RES_SET:
		return set_words(f, v, en);
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
	int target;

	return res_titles_guess(&target, d, &title, 1) && target < RES_TARGET_CHILD ? target : -1;
}

static int wrong(const char **what, const char *code)
{
	*what = code;
	return 1;
}

/* "¥1,234.5" as people write it, with at most @decimals digits behind the point: the point goes, zeros come. */
static bool decimal_digits(char *s, size_t size, unsigned decimals)
{
	const char *p = !strncmp(s, "\xc2\xa5", 2) ? s + 2 : !strncmp(s, "\xef\xbf\xa5", 3) ? s + 3 : s;
	unsigned behind = 0;
	bool point = false;
	size_t n = 0;

	for (; *p; p++) {
		if (*p == ',' && !point)
			continue;
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (point && behind++ >= decimals) {
			if (*p != '0')
				return false;
			continue;
		}
		s[n++] = *p;
	}
	for (; behind < decimals && n && n + 1 < size; behind++)
		s[n++] = '0';
	s[n] = 0;
	return true;
}

/* "85%" is the 85 that people see. */
static void drop_percent(char *s)
{
	size_t n = strlen(s);

	if (n > 1 && s[n - 1] == '%')
		s[n - 1] = 0;
}

static int parse_int(json_t **ret, const char **what, const struct res_field *f, const char *text)
{
	char s[128];
	int64_t v;

	if (f->decimals) {
		(void)plain(s, sizeof(s), text);
		drop_percent(s);
		if (!decimal_digits(s, sizeof(s), f->decimals))
			return wrong(what, "type");
	} else if (strlen(text) > 60 || res_number_clean(s, sizeof(s), text)) {
		return wrong(what, "type");
	}
	drop_percent(s);
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

static int parse_enum(json_t **ret, const char **what, const struct res_field *f, const char *text);

/* "甲、乙; 丙" */
static int parse_set(json_t **ret, const char **what, const struct res_field *f, const char *text)
{
	static const char *const parts[] = {"、", "，", "；", ",", ";", "/", "|", "\n"};
	json_t *v = json_array(), *one;
	const char *p = text;

	while (*p) {
		const char *end = p + strlen(p), *next = end;
		char word[256];
		int r;

		for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
			const char *at = strstr(p, parts[i]);

			if (at && at < end) {
				end = at;
				next = at + strlen(parts[i]);
			}
		}
		if ((size_t)(end - p) >= sizeof(word)) {
			json_decref(v);
			return wrong(what, "enum");
		}
		memcpy(word, p, (size_t)(end - p));
		word[end - p] = 0;
		p = next;
		if (!plain((char[256]){0}, 256, word))
			continue;
		r = parse_enum(&one, what, f, word);
		if (r) {
			json_decref(v);
			return r;
		}
		(void)json_array_append_new(v, one);
	}
	*ret = v;
	return 0;
}

/* A day as people write it: 2026-1-5, 2026/1/5, 2026.1.5, 2026年1月5日, 20260105, and with a time behind it, as programs give it. */
static int parse_date(json_t **ret, const char **what, const char *text)
{
	static const char *const marks[] = {"年", "月", "日"};
	char s[64], out[32];
	int y, m, d, end = 0;

	(void)plain(s, sizeof(s), text);
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		char *at = strstr(s, marks[i]);

		if (!at)
			continue;
		*at = i == 2 ? ' ' : '-';
		memmove(at + 1, at + strlen(marks[i]), strlen(at + strlen(marks[i])) + 1);
	}
	if (strlen(s) == 8 && strspn(s, "0123456789") == 8)
		(void)sscanf(s, "%4d%2d%2d%n", &y, &m, &d, &end);
	else if (sscanf(s, "%4d%*1[-/.]%2d%*1[-/.]%2d%n", &y, &m, &d, &end) != 3 || (s[end] && s[end] != ' ' && s[end] != 't'))
		end = 0;
	if (!end)
		return wrong(what, "format");
	(void)snprintf(out, sizeof(out), "%04d-%02d-%02d", y, m, d);
	*ret = json_string(out);
	return 0;
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

/* As a reference, and then by its key. */
static int parse_key(json_t **ret, const char **what, struct res_ctx *c, const struct res_field *f, const char *text)
{
	const struct res_def *d = res_find(f->ref);
	struct db_stmt *st;
	json_t *id = NULL;
	char *sql;
	char key[64];
	int r, n = 0;
	int64_t row;

	if (plain(key, sizeof(key), text) && !count_rows(&n, &row, c, d, d->key, key) && n == 1) {
		*ret = json_string(key);
		return 0;
	}
	r = parse_ref(&id, what, c, f, text);
	if (r)
		return r;
	sql = xasprintf("SELECT %s FROM %s WHERE id = $1", d->key, d->table);
	r = db_prepare(&st, c->db, sql);
	if (!r) {
		db_bind_i64(st, 1, strtoll(json_string_value(id), NULL, 10));
		r = db_step(st);
		if (r == DB_ROW)
			*ret = json_string(db_text(st, 0));
		db_done(st);
	}
	free(sql);
	json_decref(id);
	return r == DB_ROW ? 0 : r ? r : wrong(what, "ref");
}

/* A telephone number as one writes it: full-width digits, blanks, hyphens and brackets in it. */
static int parse_number(json_t **ret, const char **what, const char *text)
{
	static const char *const wide[] = {"\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x88\x92"}; /* hyphens */
	char s[128];
	size_t n = 0;

	if (strlen(text) > 60 || res_number_clean(s, sizeof(s), text) == 2)
		return wrong(what, strlen(text) > 60 ? "number" : "digits_lost");
	for (const char *p = s; *p; p++) {
		bool hyphen = false;

		for (size_t i = 0; !hyphen && i < ARRAY_LEN(wide); i++)
			hyphen = !strncmp(p, wide[i], 3);
		if (hyphen)
			p += 2;
		else if (!strchr(" -()", *p))
			s[n++] = *p;
	}
	s[n] = 0;
	*ret = json_string(s);
	return *ret ? 0 : wrong(what, "number");
}

/* Nobody means 1.10101E+17: it is what a spreadsheet made of an ID number. */
static int parse_text(json_t **ret, const char **what, const char *text)
{
	char s[128];

	if (text[0] >= '0' && text[0] <= '9' && strlen(text) < 40 && strstr(text, "E+") && res_number_clean(s, sizeof(s), text) == 2)
		return wrong(what, "digits_lost");
	*ret = json_string(text);
	return *ret ? 0 : wrong(what, "type");
}

int res_value_parse(json_t **ret, const char **what, struct res_ctx *c, const struct res_field *f, const char *text)
{
	switch (f->type) {
	case RES_INT:
	case RES_TIME:
		return parse_int(ret, what, f, text);
	case RES_SET:
		return parse_set(ret, what, f, text);
	case RES_BOOL:
		return parse_bool(ret, what, text);
	case RES_ENUM:
		return parse_enum(ret, what, f, text);
	case RES_REF:
		return parse_ref(ret, what, c, f, text);
	case RES_KEY:
		return parse_key(ret, what, c, f, text);
	case RES_JSON:
		*ret = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
		return *ret ? 0 : wrong(what, "type");
	default:
		if (f->flags & RES_DAY && *text)
			return parse_date(ret, what, text);
		return f->type == RES_TEXT && f->flags & RES_NUMBER ? parse_number(ret, what, text) : parse_text(ret, what, text);
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
	else if (f->type == RES_REF || f->type == RES_ID)
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
	const struct res_sql *s;

	d = res_now(d, c->who->centre_id);
	s = res_sql_of(d);
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
