/* The declarations as JSON: for the page's lists and forms, and as OpenAPI 3.1 for programs and generated types. */
#include "resource/engine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
	[RES_TEXT] = "text", [RES_INT] = "int", [RES_BOOL] = "bool", [RES_ENUM] = "enum",
	[RES_REF] = "ref", [RES_TIME] = "time", [RES_SECRET] = "secret", [RES_JSON] = "json",
};

static const struct {
	unsigned flag;
	const char *name;
} flag_names[] = {
	{RES_REQUIRED, "required"}, {RES_UNIQUE, "unique"}, {RES_SEARCH, "search"}, {RES_READONLY, "readonly"},
	{RES_CREATE_ONLY, "create_only"}, {RES_HIDE_LIST, "hide_list"}, {RES_NUMBER, "number"}, {RES_MULTILINE, "multiline"},
};

static void set(json_t *o, const char *key, json_t *v)
{
	(void)json_object_set_new(o, key, v);
}

static void set_text(json_t *o, const char *key, const char *s)
{
	set(o, key, s ? json_string(s) : json_null());
}

/* ---- for the page ---- */

static json_t *describe_options(const struct res_option *o)
{
	json_t *list = json_array();

	for (; o && o->value; o++)
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "value", o->value, "zh", o->zh, "en", o->en));
	return list;
}

static bool has_length(const struct res_field *f)
{
	return f->type == RES_TEXT || f->type == RES_SECRET;
}

static void describe_range(json_t *o, const struct res_field *f)
{
	bool open = !f->min && !f->max;

	set(o, "min", f->type == RES_INT && open ? json_null() : json_integer(f->min));
	if (has_length(f))
		set(o, "max", json_integer(res_text_max(f)));
	else
		set(o, "max", open ? json_null() : json_integer(f->max));
}

static json_t *describe_field(const struct res_field *f)
{
	json_t *o = json_object(), *flags = json_object();

	set_text(o, "name", f->name);
	set_text(o, "type", type_names[f->type]);
	set_text(o, "zh", f->zh);
	set_text(o, "en", f->en);
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		set(flags, flag_names[i].name, json_boolean(f->flags & flag_names[i].flag));
	set(o, "flags", flags);
	describe_range(o, f);
	set(o, "default", res_field_default(f));
	set_text(o, "ref", f->ref);
	set(o, "options", describe_options(f->options));
	set_text(o, "help_zh", f->help_zh);
	set_text(o, "help_en", f->help_en);
	set_text(o, "show_if", f->show_if);
	return o;
}

static json_t *describe(const struct res_def *d, const struct res_who *who)
{
	json_t *o = json_object(), *fields = json_array();

	set_text(o, "name", d->name);
	set_text(o, "zh", d->zh);
	set_text(o, "en", d->en);
	set_text(o, "label", d->label);
	set_text(o, "order", d->order);
	set(o, "can_write", json_boolean(res_may(who, d->write)));
	set(o, "can_import", json_boolean(res_may_import(who, d)));
	for (size_t i = 0; i < d->field_n; i++)
		if (!res_field_internal(&d->fields[i]))
			(void)json_array_append_new(fields, describe_field(&d->fields[i]));
	set(o, "fields", fields);
	return o;
}

json_t *res_describe(unsigned role)
{
	const struct res_who who = {.role = role};
	json_t *list = json_array();

	for (size_t i = 0; res_all[i]; i++)
		if (res_may(&who, res_all[i]->read))
			(void)json_array_append_new(list, describe(res_all[i], &who));
	return list;
}

/* ---- OpenAPI ---- */

/* "queues" -> "QueuesRow" */
static char *schema_name(const struct res_def *d, const char *what)
{
	char *s = xasprintf("%s%s", d->name, what);

	s[0] = (char)toupper((unsigned char)s[0]);
	return s;
}

static json_t *ref_to(const struct res_def *d, const char *what)
{
	char *name = schema_name(d, what);
	json_t *o = json_object();
	char *path = xasprintf("#/components/schemas/%s", name);

	set_text(o, "$ref", path);
	free(path);
	free(name);
	return o;
}

static json_t *type_schema(const char *type, bool nullable)
{
	return nullable ? json_pack("{s:[s, s]}", "type", type, "null") : json_pack("{s:s}", "type", type);
}

static json_t *id_schema(bool nullable)
{
	json_t *o = type_schema("string", nullable);

	set_text(o, "pattern", "^[0-9]+$");
	return o;
}

static json_t *enum_schema(const struct res_field *f, bool nullable)
{
	json_t *o = type_schema("string", nullable), *values = json_array();

	for (const struct res_option *p = f->options; p->value; p++)
		(void)json_array_append_new(values, json_string(p->value));
	if (nullable)
		(void)json_array_append_new(values, json_null());
	set(o, "enum", values);
	return o;
}

static json_t *text_schema(const struct res_field *f, bool nullable)
{
	json_t *o = type_schema("string", nullable);

	if (f->min > 0)
		set(o, "minLength", json_integer(f->min));
	set(o, "maxLength", json_integer(res_text_max(f)));
	if (f->flags & RES_NUMBER)
		set_text(o, "pattern", "^\\+?[0-9]+$");
	return o;
}

static json_t *int_schema(const struct res_field *f, bool nullable)
{
	json_t *o = type_schema("integer", nullable);

	set_text(o, "format", "int64");
	if (f->min || f->max) {
		set(o, "minimum", json_integer(f->min));
		set(o, "maximum", json_integer(f->max));
	}
	return o;
}

static json_t *value_schema(const struct res_field *f, bool nullable)
{
	switch (f->type) {
	case RES_INT:
	case RES_TIME:
		return int_schema(f, nullable);
	case RES_BOOL:
		return type_schema("boolean", nullable);
	case RES_ENUM:
		return enum_schema(f, nullable);
	case RES_REF:
		return id_schema(nullable);
	case RES_JSON:
		return json_object();
	default:
		return text_schema(f, nullable);
	}
}

/* Never null in a row: required and always shown, or with a default. */
static bool always_there(const struct res_field *f)
{
	return f->fallback || ((f->flags & RES_REQUIRED) && !f->show_if);
}

/* No "default": openapi-typescript takes what has one as always there, and in a patch nothing is. It is in x-huawu. */
static json_t *field_schema(const struct res_field *f, bool nullable)
{
	json_t *o = value_schema(f, nullable);

	set_text(o, "title", f->en);
	if (f->help_en)
		set_text(o, "description", f->help_en);
	return o;
}

static json_t *object_schema(json_t *properties, json_t *required)
{
	json_t *o = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);

	if (json_array_size(required))
		set(o, "required", json_incref(required));
	json_decref(required);
	return o;
}

static void add_property(json_t *props, json_t *required, const char *name, json_t *schema)
{
	set(props, name, schema);
	(void)json_array_append_new(required, json_string(name));
}

static json_t *row_schema(const struct res_def *d)
{
	static const struct res_who anybody = {.role = ROLE_SYSTEM};
	json_t *props = json_object(), *required = json_array(), *o;
	char key[72];

	add_property(props, required, "id", id_schema(false));
	add_property(props, required, "rev", json_pack("{s:s}", "type", "integer"));
	add_property(props, required, "created_ms", json_pack("{s:s, s:s}", "type", "integer", "format", "int64"));
	add_property(props, required, "updated_ms", json_pack("{s:s, s:s}", "type", "integer", "format", "int64"));
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (res_field_hidden(f))
			continue;
		add_property(props, required, f->name, field_schema(f, !always_there(f)));
		if (f->type != RES_REF)
			continue;
		(void)snprintf(key, sizeof(key), "%s_label", f->name);
		add_property(props, required, key, type_schema("string", true));
	}
	/* Answers to a create or an update: what is shown this once. */
	set(props, "once", json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type", "string"));
	o = object_schema(props, required);
	set_text(o, "title", d->en);
	set(o, "x-huawu", describe(d, &anybody));
	return o;
}

static json_t *body_schema(const struct res_def *d, bool patch)
{
	json_t *props = json_object(), *required = json_array();

	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		bool must = !patch && (f->flags & RES_REQUIRED) && !f->show_if && !f->fallback;

		if ((f->flags & RES_READONLY) || (patch && (f->flags & RES_CREATE_ONLY)))
			continue;
		set(props, f->name, field_schema(f, !must));
		if (must)
			(void)json_array_append_new(required, json_string(f->name));
	}
	return object_schema(props, required);
}

static json_t *list_schema(const struct res_def *d)
{
	json_t *props = json_object(), *required = json_array();

	add_property(props, required, "items", json_pack("{s:s, s:o}", "type", "array", "items", ref_to(d, "Row")));
	add_property(props, required, "total", json_pack("{s:s}", "type", "integer"));
	return object_schema(props, required);
}

static json_t *error_schema(void)
{
	return json_pack("{s:s, s:[s], s:{s:{s:s, s:[s, s], s:{s:{s:s}, s:{s:s}, s:{s:s, s:{s:s}}, s:{s:s}, s:{s:s}}}}}",
			 "type", "object", "required", "error", "properties", "error", "type", "object", "required", "code",
			 "message", "properties", "code", "type", "string", "message", "type", "string", "fields", "type",
			 "object", "additionalProperties", "type", "string", "detail", "type", "string", "current", "type",
			 "object");
}

static void put_schema(json_t *all, const struct res_def *d, const char *what, json_t *schema)
{
	char *name = schema_name(d, what);

	set(all, name, schema);
	free(name);
}

json_t *res_openapi_schemas(void)
{
	json_t *all = json_object();

	set(all, "Error", error_schema());
	for (size_t i = 0; res_all[i]; i++) {
		put_schema(all, res_all[i], "Row", row_schema(res_all[i]));
		put_schema(all, res_all[i], "New", body_schema(res_all[i], false));
		put_schema(all, res_all[i], "Patch", body_schema(res_all[i], true));
		put_schema(all, res_all[i], "List", list_schema(res_all[i]));
	}
	return all;
}

static json_t *json_content(json_t *schema)
{
	return json_pack("{s:{s:o}}", "application/json", "schema", schema);
}

static json_t *answer(const char *text, json_t *schema)
{
	json_t *o = json_pack("{s:s}", "description", text);

	if (schema)
		set(o, "content", json_content(schema));
	return o;
}

/* @status: what a success is; every operation may also be refused. */
static json_t *answers(const char *status, const char *text, json_t *schema)
{
	json_t *error = json_pack("{s:s}", "$ref", "#/components/schemas/Error"), *o = json_object();

	set(o, status, answer(text, schema));
	set(o, "default", answer("Refused", error));
	return o;
}

static json_t *operation(const struct res_def *d, const char *verb, json_t *responses)
{
	char *id = xasprintf("%s_%s", d->name, verb);
	json_t *o = json_pack("{s:s, s:[s], s:o}", "operationId", id, "tags", d->name, "responses", responses);

	free(id);
	return o;
}

static void add_body(json_t *op, const struct res_def *d, const char *what)
{
	set(op, "requestBody", json_pack("{s:b, s:o}", "required", 1, "content", json_content(ref_to(d, what))));
}

static void add_param(json_t *op, const char *in, const char *name, const char *text, json_t *schema)
{
	json_t *params = json_object_get(op, "parameters");
	bool required = strcmp(in, "query") != 0;
	json_t *p = json_pack("{s:s, s:s, s:b, s:o}", "in", in, "name", name, "required", required, "schema", schema);

	if (text)
		set_text(p, "description", text);
	if (!params) {
		params = json_array();
		set(op, "parameters", params);
	}
	(void)json_array_append_new(params, p);
}

static void add_rev(json_t *op)
{
	add_param(op, "header", "If-Match", "The rev that was read; 409 with the current row when it is another by now.",
		  json_pack("{s:s}", "type", "string"));
}

static json_t *list_operation(const struct res_def *d)
{
	json_t *op = operation(d, "list", answers("200", "Rows", ref_to(d, "List")));

	add_param(op, "query", "q", "Found in the searchable fields.", json_pack("{s:s}", "type", "string"));
	add_param(op, "query", "sort", "A field's name; -name: downwards.", json_pack("{s:s}", "type", "string"));
	add_param(op, "query", "limit", NULL,
		  json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 0, "maximum", RES_LIST_MAX));
	add_param(op, "query", "offset", NULL, json_pack("{s:s, s:i}", "type", "integer", "minimum", 0));
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (!res_field_hidden(f) && f->type != RES_JSON)
			add_param(op, "query", f->name, NULL, value_schema(f, false));
	}
	return op;
}

static json_t *write_operation(const struct res_def *d, const char *verb, const char *what, const char *status)
{
	json_t *op = operation(d, verb, answers(status, "The row; generated secrets once", ref_to(d, "Row")));

	add_body(op, d, what);
	return op;
}

static json_t *row_path(const struct res_def *d)
{
	json_t *path = json_object(), *patch = write_operation(d, "update", "Patch", "200"),
	       *remove = operation(d, "delete", answers("204", "Deleted", NULL));

	add_param(path, "path", "id", NULL, id_schema(false));
	add_rev(patch);
	add_rev(remove);
	set(path, "get", operation(d, "get", answers("200", "The row", ref_to(d, "Row"))));
	set(path, "patch", patch);
	set(path, "delete", remove);
	return path;
}

/* A file that is sent. */
static void add_file(json_t *paths, const struct res_def *d, const char *name, const char *verb, const char *text, const char *type)
{
	char *key = xasprintf("/%s/%s", d->name, name);
	json_t *ok = json_pack("{s:s, s:{s:{s:{s:s, s:s}}}}", "description", text, "content", type, "schema", "type", "string", "format", "binary");
	json_t *r = answers("200", text, NULL), *op;

	set(r, "200", ok);
	op = operation(d, verb, r);
	add_param(op, "query", "lang", "zh or en: of titles and choices, instead of the request's", type_schema("string", false));
	if (strncmp(name, "export", 6) == 0) {
		add_param(op, "query", "q", "Search, as in the list; filters by field besides", type_schema("string", false));
		add_param(op, "query", "sort", "A field, - before it for descending", type_schema("string", false));
	}
	set(paths, key, json_pack("{s:o}", "get", op));
	free(key);
}

#define XLSX_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

json_t *res_openapi_paths(void)
{
	json_t *paths = json_object();

	for (size_t i = 0; res_all[i]; i++) {
		const struct res_def *d = res_all[i];
		char *list = xasprintf("/%s", d->name), *row = xasprintf("/%s/{id}", d->name);
		json_t *path = json_object();

		set(path, "get", list_operation(d));
		set(path, "post", write_operation(d, "create", "New", "201"));
		set(paths, list, path);
		set(paths, row, row_path(d));
		add_file(paths, d, "export.xlsx", "export_xlsx", "The list as a workbook", XLSX_TYPE);
		add_file(paths, d, "export.csv", "export_csv", "The list as CSV", "text/csv");
		if (!d->no_import && d->write)
			add_file(paths, d, "template.xlsx", "template", "An empty workbook for import", XLSX_TYPE);
		free(list);
		free(row);
	}
	return paths;
}
