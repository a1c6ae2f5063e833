/* What a body may say: types, ranges, choices, what is required. Everything wrong is named at once. */
#include "resource/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define INT_SAFE ((int64_t)1 << 53) /* JavaScript counts so far */

bool res_may(const struct res_who *who, unsigned roles)
{
	return who->role == ROLE_SYSTEM || (who->role & roles);
}

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

static bool has_control(const char *s, bool lines)
{
	for (; *s; s++)
		if (((unsigned char)*s < 0x20 && !(lines && (*s == '\n' || *s == '\t'))) || *s == 0x7f)
			return true;
	return false;
}

static const char *number_check(const char *s)
{
	s += *s == '+';
	return *s && strspn(s, "0123456789") == strlen(s) ? NULL : "number";
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
	if (has_control(copy, f->flags & RES_MULTILINE))
		code = "format";
	else if (utf8_chars(copy) < f->min || utf8_chars(copy) > res_text_max(f))
		code = "range";
	else if (f->flags & RES_NUMBER)
		code = number_check(copy);
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

static const char *enum_check(json_t **ret, const struct res_field *f, const char *s)
{
	if (!*s) {
		*ret = json_null();
		return NULL;
	}
	for (const struct res_option *o = f->options; o->value; o++)
		if (!strcmp(o->value, s)) {
			*ret = json_string(s);
			return NULL;
		}
	return "enum";
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
	default:
		break;
	}
	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
		return "type";
	if (f->type == RES_ENUM)
		return enum_check(ret, f, json_string_value(v));
	if (f->type == RES_REF)
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

/* What comes with every row but is no field of the declaration; a page may send it back as it was. */
static void take_system(struct res_ctx *c, const struct res_def *d, const char *key, const json_t *v, const json_t *old)
{
	static const char *const names[] = {"id", "rev", "created_ms", "updated_ms"};
	bool known = is_label_of(d, key);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		known |= !strcmp(key, names[i]);
	if (!known)
		bad(c, key, "unknown");
	else if (!old || !json_equal(v, json_object_get(old, key)))
		bad(c, key, "readonly");
}

static void take_field(struct res_ctx *c, const struct res_field *f, json_t *row, const json_t *v, const json_t *old)
{
	json_t *got = NULL;
	const char *code;

	if (f->type == RES_SECRET && old && json_is_string(v) && !json_string_length(v))
		return; /* a form's empty password box: as it was */
	code = res_value_check(&got, f, v);
	if (!code && (f->flags & RES_READONLY) && !(old && json_equal(got, json_object_get(old, f->name))))
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

void res_body_take(struct res_ctx *c, const struct res_def *d, json_t *row, const json_t *body, const json_t *old)
{
	const char *key;
	json_t *v;

	if (!old)
		for (size_t i = 0; i < d->field_n; i++)
			(void)json_object_set_new(row, d->fields[i].name, res_field_default(&d->fields[i]));
	json_object_foreach((json_t *)body, key, v) {
		int i = res_field_find(d, key);

		if (i < 0)
			take_system(c, d, key, v, old);
		else if (res_field_internal(&d->fields[i]))
			bad(c, key, "unknown");
		else
			take_field(c, &d->fields[i], row, v, old);
	}
}

void res_row_settle(struct res_ctx *c, const struct res_def *d, json_t *row)
{
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (!res_field_shown(d, f, row))
			(void)json_object_set_new(row, f->name, res_field_default(f));
		else if ((f->flags & RES_REQUIRED) && json_is_null(json_object_get(row, f->name)))
			bad(c, f->name, "required");
	}
}
