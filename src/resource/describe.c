/* The declarations as JSON: for the page's lists and forms, and as OpenAPI 3.1 for programs and generated types. */
#include "resource/engine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
	[RES_TEXT] = "text", [RES_INT] = "int", [RES_BOOL] = "bool", [RES_ENUM] = "enum",
	[RES_REF] = "ref", [RES_TIME] = "time", [RES_SECRET] = "secret", [RES_JSON] = "json",
	[RES_ID] = "id",
	[RES_KEY] = "key",
	[RES_SET] = "set",
};

static const struct {
	unsigned flag;
	const char *name;
} flag_names[] = {
	{RES_REQUIRED, "required"}, {RES_UNIQUE, "unique"}, {RES_SEARCH, "search"}, {RES_READONLY, "readonly"},
	{RES_CREATE_ONLY, "create_only"}, {RES_HIDE_LIST, "hide_list"}, {RES_NUMBER, "number"}, {RES_MULTILINE, "multiline"},
	{RES_MASKED, "masked"}, {RES_TAGS, "tags"},
	{RES_DAY, "date"}, {RES_OPTIONS, "options"}, {RES_CUSTOM, "custom"},
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

	for (; o && o->value; o++) {
		json_t *v = json_pack("{s:s, s:s, s:s}", "value", o->value, "zh", o->zh, "en", o->en);

		if (o->old)
			set(v, "old", json_true());
		(void)json_array_append_new(list, v);
	}
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

static json_t *describe_field(const struct res_who *who, const struct res_def *d, const struct res_field *f)
{
	json_t *o = json_object(), *flags = json_object();
	const struct res_def *to = f->ref ? res_find(f->ref) : NULL;

	set_text(o, "name", f->name);
	set_text(o, "type", type_names[f->type]);
	set_text(o, "zh", f->zh);
	set_text(o, "en", f->en);
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (flag_names[i].flag < RES_DAY || (f->flags & flag_names[i].flag)) /* rare ones are there when they are set */
			set(flags, flag_names[i].name, json_boolean(f->flags & flag_names[i].flag));
	if (!res_field_settable(who, d, f))
		set(flags, "readonly", json_true());
	set(o, "flags", flags);
	describe_range(o, f);
	if (f->decimals)
		set(o, "decimals", json_integer(f->decimals));
	set(o, "default", res_field_default(f));
	set_text(o, "ref", f->ref);
	set_text(o, "key", f->type == RES_KEY ? to->key : NULL);
	set(o, "options", describe_options(f->options));
	set_text(o, "help_zh", f->help_zh);
	set_text(o, "help_en", f->help_en);
	set_text(o, "show_if", f->show_if);
	return o;
}

static json_t *describe_columns(const struct res_def *d)
{
	json_t *list = json_array();

	for (size_t i = 0; d->child && i < d->child->column_n; i++) {
		const struct res_child_column *c = &d->child->columns[i];

		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", c->name, "zh", c->zh, "en", c->en));
	}
	return list;
}

static json_t *describe(const struct res_def *d, const struct res_who *who)
{
	json_t *o = json_object(), *fields = json_array();

	set_text(o, "name", d->name);
	set_text(o, "zh", d->zh);
	set_text(o, "en", d->en);
	set_text(o, "label", d->label);
	set_text(o, "order", d->order);
	set_text(o, "sorts", d->sorts);
	set(o, "page", json_boolean(!d->no_page));
	set_text(o, "label_en", d->label_en);
	set_text(o, "group", d->group);
	set_text(o, "scope", res_scope_names[res_scope_of(who, d, RES_READ)]);
	set(o, "can_write", json_boolean(res_may(who, d, RES_WRITE)));
	set(o, "can_remove", json_boolean(res_may(who, d, RES_REMOVE)));
	set(o, "can_export", json_boolean(res_may(who, d, RES_EXPORT)));
	set(o, "can_import", json_boolean(res_may(who, d, RES_IMPORT)));
	set(o, "import_columns", describe_columns(d));
	for (size_t i = 0; i < d->field_n; i++)
		if (!res_field_internal(&d->fields[i]) && (d->fields[i].type == RES_SECRET || res_field_seen(who, d, &d->fields[i])))
			(void)json_array_append_new(fields, describe_field(who, d, &d->fields[i]));
	set(o, "fields", fields);
	if (d->child)
		set(o, "child", json_pack("{s:s, s:s, s:s, s:s}", "name", res_child_list_name(d), "resource", d->child->resource, "zh",
					  d->child->columns[0].zh, "en", d->child->columns[0].en));
	return o;
}

json_t *res_describe(const struct res_who *who)
{
	json_t *list = json_array();

	for (size_t i = 0; res_all[i]; i++)
		if (res_may(who, res_all[i], RES_READ))
			(void)json_array_append_new(list, describe(res_now(res_all[i], who->centre_id), who));
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

static json_t *set_schema(const struct res_field *f, bool nullable)
{
	json_t *o = type_schema("array", nullable);

	set(o, "items", enum_schema(f, false));
	set(o, "uniqueItems", json_true());
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
	if (f->flags & RES_DAY)
		set_text(o, "format", "date");
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
	case RES_SET:
		return set_schema(f, nullable);
	case RES_REF:
	case RES_ID:
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
	else if (f->decimals)
		set(o, "description", json_sprintf("Whole number; its last %d digits stand behind the point.", f->decimals));
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
	static const struct res_who anybody = {.system = true};
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
		if (!res_field_refers(f))
			continue;
		(void)snprintf(key, sizeof(key), "%s_label", f->name);
		add_property(props, required, key, type_schema("string", true));
	}
	if (d->child) /* of a single row */
		set(props, res_child_list_name(d), json_pack("{s:s, s:o}", "type", "array", "items", ref_to(res_find(d->child->resource), "Row")));
	/* Answers to a create or an update: what is shown this once. */
	set(props, "once", json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type", "string"));
	o = object_schema(props, required);
	set_text(o, "title", d->en);
	set(o, "x-huawu", describe(d, &anybody));
	return o;
}

/* All child rows as they are to be; those with an id are there. */
static json_t *child_list_schema(const struct res_def *d)
{
	const struct res_def *kid = res_find(d->child->resource);
	json_t *props = json_object();

	set(props, "id", id_schema(false));
	for (size_t i = 0; i < kid->field_n; i++)
		if (!(kid->fields[i].flags & RES_READONLY) && strcmp(kid->fields[i].name, d->child->parent) != 0)
			set(props, kid->fields[i].name, field_schema(&kid->fields[i], true));
	return json_pack("{s:s, s:i, s:{s:s, s:o}}", "type", "array", "maxItems", 50, "items", "type", "object", "properties", props);
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
	if (d->child)
		set(props, res_child_list_name(d), child_list_schema(d));
	return object_schema(props, required);
}

static json_t *list_schema(const struct res_def *d)
{
	json_t *props = json_object(), *required = json_array();

	add_property(props, required, "items", json_pack("{s:s, s:o}", "type", "array", "items", ref_to(d, "Row")));
	add_property(props, required, "total", json_pack("{s:s}", "type", "integer"));
	add_property(props, required, "total_exact", json_pack("{s:s, s:s}", "type", "boolean", "description", "False: there are more than total"));
	add_property(props, required, "next", json_pack("{s:[s, s], s:s}", "type", "string", "null", "description", "Where the next page begins, for after="));
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

json_t *res_openapi_schemas(int64_t centre_id)
{
	json_t *all = json_object();

	set(all, "Error", error_schema());
	for (size_t i = 0; res_all[i]; i++) {
		const struct res_def *d = res_now(res_all[i], centre_id);

		put_schema(all, d, "Row", row_schema(d));
		put_schema(all, d, "New", body_schema(d, false));
		put_schema(all, d, "Patch", body_schema(d, true));
		put_schema(all, d, "List", list_schema(d));
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
		  json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 1, "maximum", RES_LIST_MAX));
	add_param(op, "query", "offset", "Small steps only; a long list goes on by after.",
		  json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 0, "maximum", RES_OFFSET_MAX));
	add_param(op, "query", "after", "The next of the page before, with the same sort.", type_schema("string", false));
	add_param(op, "query", "count", "exact: the total beyond 10,000, too, however long it takes.",
		  json_pack("{s:s, s:[s]}", "type", "string", "enum", "exact"));
	set_text(op, "description",
		 "Conditions: field=value, or field.op=value; all must hold. Empty value: has none. Operators: in, not (a,b; \\, is a comma in a "
		 "value; none in it means no value, for references also me for oneself), empty (true, false), has and starts (text), gte and lte "
		 "(numbers, times), rel (times: today, tomorrow, yesterday, week, overdue, nextN, lastN, olderN with N days), any and all (tags). "
		 "Times are ms UTC or a day, yyyy-mm-dd, of the centre's zone. id, created_ms and updated_ms can be asked for, too.");
	if (d->with)
		add_param(op, "query", "shared", "Others' rows that are shared with who asks.", json_pack("{s:s, s:[s]}", "type", "string", "enum", "me"));
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

json_t *res_openapi_paths(int64_t centre_id)
{
	json_t *paths = json_object();

	for (size_t i = 0; res_all[i]; i++) {
		const struct res_def *d = res_now(res_all[i], centre_id);
		char *list = xasprintf("/%s", d->name), *row = xasprintf("/%s/{id}", d->name);
		json_t *path = json_object();

		set(path, "get", list_operation(d));
		set(path, "post", write_operation(d, "create", "New", "201"));
		set(paths, list, path);
		set(paths, row, row_path(d));
		add_file(paths, d, "export.xlsx", "export_xlsx", "The list as a workbook", XLSX_TYPE);
		add_file(paths, d, "export.csv", "export_csv", "The list as CSV", "text/csv");
		if (!d->no_import && !d->closed)
			add_file(paths, d, "template.xlsx", "template", "An empty workbook for import", XLSX_TYPE);
		free(list);
		free(row);
	}
	return paths;
}
