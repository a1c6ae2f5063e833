/* Templates of notes, and whether what was filled in fits them. See note.h. */
#include "people/declared.h"
#include "people/note.h"

#include <math.h>
#include <string.h>

static const char *const types[] = {"text", "choice", "number", "date", "bool"};
enum { TEXT, CHOICE, NUMBER, DATE, BOOL };

#define LABEL_MAX 64   /* characters, of labels and options */
#define PHRASE_MAX 500
#define VALUE_MAX 1000

/* "fields.2.label" */
static void bad_at(struct res_ctx *c, const char *list, size_t i, const char *part, const char *what)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s.%zu%s%s", list, i, part ? "." : "", part ? part : "");
	res_fail(c, 422, "invalid", name, what);
}

static size_t chars(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* NULL, or what is wrong with a text that must be there. */
static const char *text_wrong(const json_t *v, size_t max, bool lines)
{
	const char *s = json_string_value(v);

	if (!v || json_is_null(v) || (s && !*s))
		return "required";
	if (!s)
		return "type";
	if (strlen(s) != json_string_length(v) || str_has_control(s, lines))
		return "format";
	return chars(s) > max ? "range" : NULL;
}

static int type_of(const char *name)
{
	for (int i = 0; name && i < (int)ARRAY_LEN(types); i++)
		if (!strcmp(types[i], name))
			return i;
	return -1;
}

static int field_type(const json_t *f)
{
	return type_of(json_string_value(json_object_get(f, "type")));
}

static bool has_text(const json_t *list, const char *s)
{
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)list, i, v)
		if (json_is_string(v) && !strcmp(json_string_value(v), s))
			return true;
	return false;
}

static void options_check(struct res_ctx *c, size_t at, const json_t *options)
{
	const json_t *v;
	size_t i;

	if (!json_is_array(options) || !json_array_size(options)) {
		bad_at(c, "fields", at, "options", "required");
		return;
	}
	if (json_array_size(options) > NOTE_OPTIONS_MAX)
		bad_at(c, "fields", at, "options", "range");
	json_array_foreach((json_t *)options, i, v) {
		const char *wrong = text_wrong(v, LABEL_MAX, false);

		for (size_t k = 0; !wrong && k < i; k++)
			if (json_equal(json_array_get(options, k), v))
				wrong = "unique";
		if (wrong)
			bad_at(c, "fields", at, "options", wrong);
	}
}

static void bounds_check(struct res_ctx *c, size_t at, const json_t *f, int type)
{
	const json_t *min = json_object_get(f, "min"), *max = json_object_get(f, "max");

	if (min && (type != NUMBER || !json_is_number(min)))
		bad_at(c, "fields", at, "min", "type");
	else if (max && (!json_is_number(max) || (type != NUMBER && type != TEXT)))
		bad_at(c, "fields", at, "max", "type");
	else if (max && type == TEXT && (json_number_value(max) < 1 || json_number_value(max) > VALUE_MAX))
		bad_at(c, "fields", at, "max", "range");
	else if (min && max && json_number_value(min) > json_number_value(max))
		bad_at(c, "fields", at, "max", "range");
}

static void key_check(struct res_ctx *c, const json_t *fields, size_t at)
{
	const json_t *v = json_object_get(json_array_get(fields, at), "key");
	const char *s = json_string_value(v);

	if (!s || !*s || strlen(s) > 16 || s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")]) {
		bad_at(c, "fields", at, "key", s && *s ? "format" : "required");
		return;
	}
	for (size_t i = 0; i < at; i++)
		if (json_equal(json_object_get(json_array_get(fields, i), "key"), v))
			bad_at(c, "fields", at, "key", "unique");
}

static void field_check(struct res_ctx *c, const json_t *fields, size_t at)
{
	static const char *const known[] = {"key", "label", "type", "required", "options", "min", "max"};
	const json_t *f = json_array_get(fields, at), *v;
	const char *key, *wrong;
	int type;

	if (!json_is_object(f)) {
		bad_at(c, "fields", at, NULL, "type");
		return;
	}
	json_object_foreach((json_t *)f, key, v) {
		bool ours = false;

		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			ours |= !strcmp(known[i], key);
		if (!ours)
			bad_at(c, "fields", at, NULL, "unknown");
	}
	key_check(c, fields, at);
	wrong = text_wrong(json_object_get(f, "label"), LABEL_MAX, false);
	if (wrong)
		bad_at(c, "fields", at, "label", wrong);
	type = field_type(f);
	if (type < 0)
		bad_at(c, "fields", at, "type", "enum");
	v = json_object_get(f, "required");
	if (v && !json_is_boolean(v))
		bad_at(c, "fields", at, "required", "type");
	if (type == CHOICE)
		options_check(c, at, json_object_get(f, "options"));
	else if (json_object_get(f, "options"))
		bad_at(c, "fields", at, "options", "unknown");
	bounds_check(c, at, f, type);
}

void note_fields_check(struct res_ctx *c, const json_t *fields)
{
	if (!json_is_array(fields)) {
		res_fail(c, 422, "invalid", "fields", "type");
		return;
	}
	if (json_array_size(fields) > NOTE_FIELDS_MAX) {
		res_fail(c, 422, "invalid", "fields", "range");
		return;
	}
	for (size_t i = 0; i < json_array_size(fields); i++)
		field_check(c, fields, i);
}

void note_phrases_check(struct res_ctx *c, const json_t *phrases)
{
	const json_t *v;
	size_t i;

	if (!json_is_array(phrases)) {
		res_fail(c, 422, "invalid", "phrases", "type");
		return;
	}
	if (json_array_size(phrases) > NOTE_PHRASES_MAX) {
		res_fail(c, 422, "invalid", "phrases", "range");
		return;
	}
	json_array_foreach((json_t *)phrases, i, v) {
		const char *wrong = text_wrong(v, PHRASE_MAX, true);

		if (wrong)
			bad_at(c, "phrases", i, NULL, wrong);
	}
}

/* ---- what was filled in ---- */

static bool is_date(const char *s)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, m, d, n = 0;

	if (strlen(s) != 10 || sscanf(s, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 || s[4] != '-' || s[7] != '-')
		return false;
	if (strspn(s, "0123456789-") != 10 || y < 1900 || y > 2200 || m < 1 || m > 12)
		return false;
	return d >= 1 && d <= days[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

static const char *number_wrong(const json_t *f, const json_t *v)
{
	const json_t *min = json_object_get(f, "min"), *max = json_object_get(f, "max");
	double n = json_number_value(v);

	if (!json_is_number(v))
		return "type";
	if ((min && n < json_number_value(min)) || (max && n > json_number_value(max)) || fabs(n) > 1e15)
		return "range";
	return NULL;
}

static const char *value_wrong(const json_t *f, const json_t *v)
{
	const json_t *max = json_object_get(f, "max");
	const char *wrong;

	switch (field_type(f)) {
	case NUMBER:
		return number_wrong(f, v);
	case BOOL:
		return json_is_boolean(v) ? NULL : "type";
	case CHOICE:
		if (!json_is_string(v))
			return "type";
		return has_text(json_object_get(f, "options"), json_string_value(v)) ? NULL : "enum";
	case DATE:
		if (!json_is_string(v))
			return "type";
		return is_date(json_string_value(v)) ? NULL : "format";
	default:
		wrong = text_wrong(v, max ? (size_t)json_number_value(max) : VALUE_MAX, true);
		return wrong;
	}
}

static void bad_value(struct res_ctx *c, const char *key, const char *what)
{
	char name[80];

	(void)snprintf(name, sizeof(name), "form.%.60s", key);
	res_fail(c, 422, "invalid", name, what);
}

static bool is_given(const json_t *v)
{
	return v && !json_is_null(v) && !(json_is_string(v) && !json_string_length(v));
}

static void take_value(struct res_ctx *c, json_t *form, const json_t *f, const json_t *v)
{
	const char *key = json_string_value(json_object_get(f, "key")), *wrong;

	if (!is_given(v)) {
		if (json_is_true(json_object_get(f, "required")))
			bad_value(c, key, "required");
		return;
	}
	wrong = value_wrong(f, v);
	if (wrong)
		bad_value(c, key, wrong);
	else
		(void)json_array_append_new(form, json_pack("{s:s, s:O, s:O, s:O}", "key", key, "label", json_object_get(f, "label"), "type",
							    json_object_get(f, "type"), "value", v));
}

json_t *note_form_take(struct res_ctx *c, const json_t *fields, const json_t *values)
{
	json_t *form = json_array();
	const json_t *f, *v;
	const char *key;
	size_t i;

	if (values && !json_is_null(values) && !json_is_object(values))
		res_fail(c, 422, "invalid", "form", "type");
	json_array_foreach((json_t *)fields, i, f)
		take_value(c, form, f, json_object_get(values, json_string_value(json_object_get(f, "key"))));
	json_object_foreach((json_t *)values, key, v) {
		bool known = false;

		json_array_foreach((json_t *)fields, i, f)
			known |= !strcmp(json_string_value(json_object_get(f, "key")), key);
		if (!known)
			bad_value(c, key, "unknown");
	}
	return form;
}
