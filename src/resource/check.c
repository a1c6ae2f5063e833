/* What a body may say: types, ranges, choices, what is required. Everything wrong is named at once. */
#include "resource/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define INT_SAFE ((int64_t)1 << 53) /* JavaScript counts so far */

void res_error_done(struct res_error *e)
{
	json_decref(e->fields);
	json_decref(e->current);
	*e = (struct res_error){0};
}

static bool is_invalid(const char *code)
{
	return !strcmp(code, "invalid");
}

#define ERROR_FIELDS_MAX 64

static void fail_field(struct res_error *e, const char *field, const char *what)
{
	if (!e->fields)
		e->fields = json_object();
	if (!json_object_get(e->fields, field) && json_object_size(e->fields) < ERROR_FIELDS_MAX)
		(void)json_object_set_new(e->fields, field, json_string(what));
}

/* What does not fit is cut between characters. */
static void detail_set(struct res_error *e, const char *text)
{
	size_t n;

	(void)str_copy(e->detail, sizeof(e->detail), text);
	for (n = strlen(e->detail); n && !str_is_utf8(e->detail, n); n--)
		;
	e->detail[n] = 0;
}

void res_fail(struct res_ctx *c, int status, const char *code, const char *field, const char *detail)
{
	struct res_error *e = c->error;

	if (!e->code || (is_invalid(e->code) && !is_invalid(code))) {
		e->status = status;
		e->code = code;
	}
	if (field)
		fail_field(e, field, is_invalid(code) && detail ? detail : code);
	else if (detail && !e->detail[0])
		detail_set(e, detail);
}

static void bad(struct res_ctx *c, const char *field, const char *what)
{
	res_fail(c, 422, "invalid", field, what);
}

json_t *res_field_default(const struct res_field *f)
{
	if (!f->fallback)
		return json_null();
	switch (f->type) {
	case RES_INT:
	case RES_TIME:
		return json_integer(strtoll(f->fallback, NULL, 10));
	case RES_BOOL:
		return json_boolean(!strcmp(f->fallback, "true"));
	case RES_JSON:
		return json_loads(f->fallback, JSON_DECODE_ANY, NULL);
	default:
		return json_string(f->fallback);
	}
}

static bool value_is(const json_t *v, const char *text, size_t len)
{
	const char *s = json_is_string(v) ? json_string_value(v) : json_is_true(v) ? "true" : json_is_false(v) ? "false" : "";

	return strlen(s) == len && !memcmp(s, text, len);
}

bool res_field_shown(const struct res_def *d, const struct res_field *f, const json_t *row)
{
	const char *p = f->show_if;
	const json_t *v;
	char name[64];
	size_t len;

	if (!p)
		return true;
	len = strcspn(p, "=");
	assert(p[len] == '=' && len < sizeof(name));
	memcpy(name, p, len);
	name[len] = 0;
	assert(res_field_find(d, name) >= 0);
	v = json_object_get(row, name);
	for (p += len + 1;; p += len + 1) {
		len = strcspn(p, "|");
		if (value_is(v, p, len))
			return true;
		if (!p[len])
			return false;
	}
}

static int64_t utf8_chars(const char *s)
{
	int64_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static const char *number_check(const char *s)
{
	s += *s == '+';
	return *s && strspn(s, "0123456789") == strlen(s) ? NULL : "number";
}

/* "2026-11-22", a day there is. */
static bool is_date(const char *s)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, m, d, end = 0;

	if (strlen(s) != 10 || strspn(s, "0123456789-") != 10 || sscanf(s, "%4d-%2d-%2d%n", &y, &m, &d, &end) != 3 || end != 10)
		return false;
	if (s[4] != '-' || s[7] != '-' || y < 1800 || m < 1 || m > 12 || d < 1)
		return false;
	return d <= days[m - 1] + (m == 2 && ((y % 4 == 0 && y % 100) || y % 400 == 0));
}

/* Blanks around are not meant. An empty text is no text: null. */
static const char *text_check(json_t **ret, const struct res_field *f, const char *s)
{
	size_t len = strlen(s);
	const char *code = NULL;
	char *copy;

	if (f->type == RES_TEXT) {
		while (*s == ' ') {
			s++;
			len--;
		}
		while (len && s[len - 1] == ' ')
			len--;
	}
	if (!len) {
		*ret = json_null();
		return NULL;
	}
	copy = xstrndup(s, len);
	if (str_has_control(copy, f->flags & RES_MULTILINE))
		code = "format";
	else if (utf8_chars(copy) < f->min || utf8_chars(copy) > res_text_max(f))
		code = "range";
	else if (f->flags & RES_NUMBER)
		code = number_check(copy);
	else if ((f->flags & RES_DAY) && !is_date(copy))
		code = "format";
	if (!code)
		*ret = json_stringn_nocheck(copy, len);
	free(copy);
	return code;
}

static const char *int_check(json_t **ret, const struct res_field *f, const json_t *v)
{
	bool open = !f->min && !f->max;
	int64_t n;

	if (!json_is_integer(v))
		return "type";
	n = json_integer_value(v);
	if (n < (open ? f->type == RES_TIME ? 0 : -INT_SAFE : f->min) || n > (open ? INT_SAFE : f->max))
		return "range";
	*ret = json_integer(n);
	return NULL;
}

const struct res_option *res_option_find(const struct res_field *f, const char *value)
{
	for (const struct res_option *o = f->options; o && o->value; o++)
		if (!strcmp(o->value, value))
			return o;
	return NULL;
}

static const char *enum_check(json_t **ret, const struct res_field *f, const char *s)
{
	if (!*s) {
		*ret = json_null();
		return NULL;
	}
	if (!res_option_find(f, s))
		return "enum";
	*ret = json_string(s);
	return NULL;
}

/* In the options' order, each once; none of them is null. */
static const char *set_check(json_t **ret, const struct res_field *f, const json_t *v)
{
	json_t *out, *one;
	size_t i;

	if (!json_is_array(v))
		return "type";
	json_array_foreach((json_t *)v, i, one) {
		if (!json_is_string(one))
			return "type";
		if (strlen(json_string_value(one)) != json_string_length(one) || !res_option_find(f, json_string_value(one)))
			return "enum";
	}
	out = json_array();
	for (const struct res_option *o = f->options; o->value; o++)
		if (res_set_has(v, o->value))
			(void)json_array_append_new(out, json_string(o->value));
	*ret = json_array_size(out) ? out : (json_decref(out), json_null());
	return NULL;
}

bool res_set_has(const json_t *v, const char *value)
{
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)v, i, one)
		if (!strcmp(json_string_value(one), value))
			return true;
	return false;
}

json_t *res_set_read(const char *text)
{
	json_t *v = json_array();

	for (const char *p = text + (*text == ','); *p;) {
		size_t n = strcspn(p, ",");

		(void)json_array_append_new(v, json_stringn(p, n));
		p += n + (p[n] == ',');
	}
	return v;
}

char *res_set_text(const json_t *v)
{
	struct strb b;
	json_t *one;
	size_t i;

	if (!json_array_size(v))
		return NULL;
	strb_init(&b, 65536);
	strb_puts(&b, ",");
	json_array_foreach((json_t *)v, i, one)
		strb_printf(&b, "%s,", json_string_value(one));
	return strb_take(&b);
}

/* A choice that is not offered any more stays where it is. */
static bool takes_old(const struct res_field *f, const json_t *v, const json_t *old)
{
	const json_t *was = old ? json_object_get(old, f->name) : NULL;

	for (const struct res_option *o = f->options; o && o->value; o++) {
		if (!o->old)
			continue;
		if (f->type == RES_ENUM && json_is_string(v) && !strcmp(json_string_value(v), o->value) && !json_equal(v, was))
			return true;
		if (f->type == RES_SET && res_set_has(v, o->value) && !res_set_has(was, o->value))
			return true;
	}
	return false;
}

static const char *ref_check(json_t **ret, const char *s)
{
	char text[24];
	int64_t id;

	if (!*s) {
		*ret = json_null();
		return NULL;
	}
	if (!str_to_i64(&id, s, 1, INT64_MAX))
		return "ref";
	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	*ret = json_string(text);
	return NULL;
}

static const char *json_check(json_t **ret, const struct res_field *f, const json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	bool fits = text && (int64_t)strlen(text) <= res_text_max(f);

	free(text);
	if (!fits)
		return "range";
	*ret = json_deep_copy(v);
	return *ret ? NULL : "range";
}

const char *res_value_check(json_t **ret, const struct res_field *f, const json_t *v)
{
	if (json_is_null(v)) {
		*ret = res_field_default(f);
		return NULL;
	}
	switch (f->type) {
	case RES_INT:
	case RES_TIME:
		return int_check(ret, f, v);
	case RES_BOOL:
		if (!json_is_boolean(v))
			return "type";
		*ret = json_boolean(json_is_true(v));
		return NULL;
	case RES_JSON:
		return json_check(ret, f, v);
	case RES_SET:
		return set_check(ret, f, v);
	default:
		break;
	}
	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
		return "type";
	if (f->type == RES_ENUM)
		return enum_check(ret, f, json_string_value(v));
	if (f->type == RES_REF || f->type == RES_ID)
		return ref_check(ret, json_string_value(v));
	return text_check(ret, f, json_string_value(v));
}

static bool is_label_of(const struct res_def *d, const char *key)
{
	size_t len = strlen(key);
	char name[64];

	if (len < 7 || len - 6 >= sizeof(name) || strcmp(key + len - 6, "_label") != 0)
		return false;
	memcpy(name, key, len - 6);
	name[len - 6] = 0;
	return res_field_find(d, name) >= 0;
}

/* Is @v what he was shown of the old row, whole or in part? */
static bool shown_so(const struct res_ctx *c, const struct res_def *d, const char *key, const json_t *v, const json_t *old)
{
	json_t *part;
	bool same = json_equal(v, json_object_get(old, key));

	if (same || res_unmasked(c->who))
		return same;
	part = json_copy((json_t *)(uintptr_t)old);
	res_row_mask(d, part);
	same = json_equal(v, json_object_get(part, key));
	json_decref(part);
	return same;
}

/* What comes with every row but is no field of the declaration; a page may send it back as it was. */
static void take_system(struct res_ctx *c, const struct res_def *d, const char *key, const json_t *v, const json_t *old)
{
	static const char *const names[] = {"id", "rev", "created_ms", "updated_ms"};
	bool known = is_label_of(d, key);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		known |= !strcmp(key, names[i]);
	if (!known)
		bad(c, key, "unknown");
	else if (!old || !shown_so(c, d, key, v, old))
		bad(c, key, "readonly");
}

/* What he may not set may stand as it is; a new row may be his own. */
static bool may_be_so(struct res_ctx *c, const struct res_field *f, const json_t *v, const json_t *old)
{
	json_t *fallback;
	int64_t id;
	bool same;

	if (old)
		return json_equal(v, json_object_get(old, f->name));
	if ((f->flags & RES_ASSIGN) && json_is_string(v) && str_to_i64(&id, json_string_value(v), 1, INT64_MAX) && id == c->who->user_id)
		return true;
	fallback = res_field_default(f);
	same = json_equal(v, fallback);
	json_decref(fallback);
	return same;
}

static void take_value(struct res_ctx *c, const struct res_def *d, const struct res_field *f, json_t *row, const json_t *v, const json_t *old)
{
	json_t *got = NULL;
	const char *code;

	if (f->type == RES_SECRET && old && json_is_string(v) && !json_string_length(v))
		return; /* a form's empty password box: as it was */
	code = res_value_check(&got, f, v);
	if (!code && takes_old(f, got, old))
		code = "enum";
	if (!code && (f->flags & RES_READONLY) && !(old && json_equal(got, json_object_get(old, f->name))))
		code = "readonly";
	if (!code && !res_field_settable(c->who, d, f) && !may_be_so(c, f, got, old))
		code = "readonly";
	if (!code && (f->flags & RES_CREATE_ONLY) && old && !json_equal(got, json_object_get(old, f->name)))
		code = "create_only";
	if (code) {
		bad(c, f->name, code);
		(void)json_object_del(row, f->name);
		json_decref(got);
		return;
	}
	(void)json_object_set_new(row, f->name, got);
}

/* A page sends back what it was shown. */
static void take_field(struct res_ctx *c, const struct res_def *d, const struct res_field *f, json_t *row, const json_t *v, const json_t *old)
{
	json_t *meant = res_unmask(c->who, d, f, v, json_object_get(old, f->name));

	take_value(c, d, f, row, meant, old);
	json_decref(meant);
}

void res_body_take(struct res_ctx *c, const struct res_def *d, json_t *row, const json_t *body, const json_t *old)
{
	const char *key;
	json_t *v;

	if (!old)
		for (size_t i = 0; i < d->field_n; i++)
			(void)json_object_set_new(row, d->fields[i].name, res_field_default(&d->fields[i]));
	json_object_foreach((json_t *)body, key, v) {
		int i = res_field_find(d, key);

		if (d->child && !strcmp(key, res_child_list_name(d)))
			continue; /* child_list.c */
		if (i < 0)
			take_system(c, d, key, v, old);
		else if (res_field_internal(&d->fields[i]) || (d->fields[i].type != RES_SECRET && !res_field_seen(c->who, d, &d->fields[i])))
			bad(c, key, "unknown");
		else
			take_field(c, d, &d->fields[i], row, v, old);
	}
}

/*
 * A custom field became required when rows were there already: it is asked for in new rows and where somebody writes it, or a change of
 * anything else would be refused for it.
 */
static bool must_be_given(const struct res_ctx *c, const struct res_field *f, const json_t *old)
{
	return !(f->flags & RES_CUSTOM) || (!c->who->system && (!old || json_object_get(c->body, f->name)));
}

void res_row_settle(struct res_ctx *c, const struct res_def *d, json_t *row, const json_t *old)
{
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (!res_field_shown(d, f, row))
			(void)json_object_set_new(row, f->name, res_field_default(f));
		else if ((f->flags & RES_REQUIRED) && json_is_null(json_object_get(row, f->name)) && must_be_given(c, f, old))
			bad(c, f->name, "required");
	}
}

/* What would be the same in many rows: nothing unique, no secrets. */
static const char *bulk_wrong(const struct res_who *who, const struct res_def *d, const char *key, const json_t *v)
{
	int i = res_field_find(d, key);
	const struct res_field *f = i >= 0 ? &d->fields[i] : NULL;
	const char *wrong;
	json_t *value = NULL;

	if (!f || !res_field_seen(who, d, f))
		return "unknown";
	if (!res_field_settable(who, d, f) || (f->flags & (RES_READONLY | RES_CREATE_ONLY | RES_UNIQUE)))
		return f->flags & RES_UNIQUE ? "unique" : "readonly";
	if (json_is_null(v))
		return (f->flags & RES_REQUIRED) && !f->fallback && !f->show_if ? "required" : NULL;
	wrong = res_value_check(&value, f, v);
	json_decref(value);
	return wrong;
}

int res_bulk_check(struct res_ctx *c, const struct res_def *d, const json_t *patch)
{
	const char *key, *wrong;
	json_t *v;

	if (!res_may(c->who, d, patch ? RES_WRITE : RES_REMOVE)) {
		res_fail(c, 403, "forbidden", NULL, NULL);
		return 1;
	}
	if (patch && (!json_is_object(patch) || !json_object_size(patch)))
		res_fail(c, 422, "invalid", "patch", json_is_object(patch) ? "required" : "type");
	json_object_foreach((json_t *)(uintptr_t)patch, key, v) {
		wrong = bulk_wrong(c->who, d, key, v);
		if (wrong)
			res_fail(c, 422, "invalid", key, wrong);
	}
	return c->error->code ? 1 : 0;
}
