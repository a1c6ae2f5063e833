/* Lists as files: every declared resource as XLSX and CSV, and empty templates for import. Written on a worker, then sent. */
#include "api/api_int.h"

#include <unistd.h>

#include "api/sheet.h"
#include "journal/zone.h"
#include "sheet/sheet.h"

#define COLUMNS_MAX 64
#define CHOICES_MAX 64

const char *sheet_dir(const struct api *a)
{
	return a->conf.data_dir ? a->conf.data_dir : "/tmp";
}

char *sheet_temp(struct ask *k)
{
	char *path = arena_printf(k->arena, "%s/.sheet-XXXXXX", sheet_dir(k->api));
	int fd = mkstemp(path);

	if (fd < 0) {
		api_failed(k, "temporary file", -errno);
		return NULL;
	}
	(void)close(fd);
	return path;
}

struct zone *sheet_zone(struct db *db)
{
	struct people_centre_info info;
	struct zone *z = NULL;

	if (people_centre_get(&info, db) || zone_open(&z, info.zone))
		(void)zone_open(&z, "UTC");
	return z;
}

void sheet_send(struct ask *k, const char *path, enum sheet_format format, const char *name)
{
	http_set_header(k->rq, "Cache-Control", "no-store");
	http_reply_file(k->rq, path, format == SHEET_CSV ? "text/csv; charset=utf-8" : SHEET_XLSX_TYPE,
			arena_printf(k->arena, "%s.%s", name, format == SHEET_CSV ? "csv" : "xlsx"));
}

/* A link cannot say what language the page speaks but in its address. */
void sheet_take_lang(struct ask *k)
{
	const char *lang = http_query(k->rq, "lang");

	if (lang && (!strcmp(lang, "zh") || !strcmp(lang, "en")))
		k->lang = k->who.lang = lang;
}

/* ---- export ---- */

struct export {
	struct ask *k;
	const struct res_def *d;
	struct sheet_writer *w;
	struct zone *zone;
	enum sheet_format format;
	json_t *filters;
	int64_t count;
};

static enum sheet_kind kind_of(const struct res_field *f)
{
	return f->type == RES_INT ? SHEET_NUMBER : f->type == RES_TIME ? SHEET_DATE : f->type == RES_BOOL ? SHEET_BOOL : SHEET_TEXT;
}

static void put(struct export *x, const struct res_field *f, const json_t *row)
{
	const json_t *v = json_object_get(row, f->name);
	char *text;

	if (f->type == RES_INT && json_is_integer(v)) {
		sheet_put_int(x->w, json_integer_value(v));
	} else if (f->type == RES_TIME && json_is_integer(v)) {
		sheet_put_wall(x->w, x->zone ? zone_wall_ms(x->zone, json_integer_value(v)) : json_integer_value(v));
	} else {
		text = res_value_text(f, row, x->k->lang);
		sheet_put_text(x->w, text);
		free(text);
	}
}

static int put_row(void *arg, const json_t *row)
{
	struct export *x = arg;

	for (size_t i = 0; i < x->d->field_n; i++)
		if (res_field_readable(&x->d->fields[i]))
			put(x, &x->d->fields[i], row);
	return sheet_end_row(x->w);
}

static size_t export_columns(struct sheet_column *cols, const struct res_def *d, const char *lang)
{
	size_t n = 0;

	for (size_t i = 0; i < d->field_n && n < COLUMNS_MAX; i++)
		if (res_field_readable(&d->fields[i]))
			cols[n++] = (struct sheet_column){res_field_label(&d->fields[i], lang), kind_of(&d->fields[i])};
	return n;
}

static bool add_filter(const char *name, const char *value, void *arg)
{
	if (strcmp(name, "q") && strcmp(name, "sort") && strcmp(name, "lang"))
		(void)json_object_set_new(arg, name, json_string(value));
	return true;
}

/* Who took how much out, and what he had asked for. */
static int audit_job(struct db *db, void *arg)
{
	struct export *x = arg;
	struct ask *k = x->k;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	json_t *after = json_pack("{s:s, s:I, s:O, s:s?}", "format", x->format == SHEET_CSV ? "csv" : "xlsx", "count", (json_int_t)x->count,
				  "filters", x->filters, "q", http_query(k->rq, "q"));
	int r = res_audit(&c, x->d->name, 0, "export", NULL, after);

	json_decref(after);
	res_error_done(&e);
	return r;
}

static int write_file(struct export *x, struct res_ctx *c, const char *path)
{
	struct sheet_column cols[COLUMNS_MAX];
	struct ask *k = x->k;
	const char *title = k->lang[0] == 'e' ? x->d->en : x->d->zh;
	int r, closed;

	r = sheet_writer_open(&x->w, path, x->format, title, sheet_dir(k->api), cols, export_columns(cols, x->d, k->lang));
	if (r)
		return r;
	r = res_walk(&x->count, c, x->d, http_query(k->rq, "q"), http_query(k->rq, "sort"), x->filters, put_row, x);
	closed = sheet_writer_close(x->w);
	return r ? r : closed;
}

static void export(struct ask *k, enum sheet_format format)
{
	struct export x = {.k = k, .d = res_find(http_param(k->rq, "resource")), .format = format};
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	char *path = NULL;
	int r;

	if (!x.d) {
		api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	sheet_take_lang(k);
	path = sheet_temp(k);
	if (!path)
		return;
	x.filters = json_object();
	http_query_each(k->rq, add_filter, x.filters);
	x.zone = sheet_zone(k->db);
	r = write_file(&x, &c, path);
	if (!r)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, audit_job, &x);
	if (r)
		api_refuse_res(k, r, x.d->name, &e);
	else
		sheet_send(k, path, format, k->lang[0] == 'e' ? x.d->en : x.d->zh);
	(void)unlink(path); /* what is being sent is open */
	zone_free(x.zone);
	json_decref(x.filters);
}

void sheet_export_xlsx(struct ask *k)
{
	export(k, SHEET_XLSX);
}

void sheet_export_csv(struct ask *k)
{
	export(k, SHEET_CSV);
}

/* ---- template ---- */

static const char *const *choices(struct ask *k, const struct res_field *f)
{
	const char **list = arena_alloc(k->arena, (CHOICES_MAX + 1) * sizeof(*list));
	bool en = k->lang[0] == 'e';
	size_t n = 0;

	if (f->type == RES_BOOL) {
		list[n++] = en ? "Yes" : "是";
		list[n++] = en ? "No" : "否";
	}
	for (const struct res_option *o = f->options; o && o->value && n < CHOICES_MAX; o++)
		list[n++] = en ? o->en : o->zh;
	list[n] = NULL;
	return n ? list : NULL;
}

static struct sheet_column template_column(struct ask *k, const struct res_field *f)
{
	const char *help = k->lang[0] == 'e' ? f->help_en : f->help_zh, *label = res_field_label(f, k->lang);
	bool must = (f->flags & RES_REQUIRED) && !f->fallback;

	/* All text, so that a program does not make other things of numbers and days. */
	return (struct sheet_column){must ? arena_printf(k->arena, "%s *", label) : label, SHEET_TEXT, .note = help, .choices = choices(k, f)};
}

void sheet_template(struct ask *k)
{
	const struct res_def *d = res_find(http_param(k->rq, "resource"));
	struct sheet_column cols[COLUMNS_MAX];
	struct sheet_writer *w;
	size_t n = 0;
	char *path;
	int r;

	if (!d || !res_may_import(&k->who, d)) {
		api_refuse(k, d ? "forbidden" : "not_found", NULL, NULL);
		return;
	}
	sheet_take_lang(k);
	for (size_t i = 0; i < d->field_n && n < COLUMNS_MAX; i++)
		if (res_field_importable(&d->fields[i]))
			cols[n++] = template_column(k, &d->fields[i]);
	path = sheet_temp(k);
	if (!path)
		return;
	r = sheet_writer_open(&w, path, SHEET_XLSX, k->lang[0] == 'e' ? d->en : d->zh, sheet_dir(k->api), cols, n);
	if (!r)
		r = sheet_writer_close(w);
	if (r)
		api_failed(k, "template", r);
	else
		sheet_send(k, path, SHEET_XLSX, arena_printf(k->arena, k->lang[0] == 'e' ? "%s template" : "%s导入模板", k->lang[0] == 'e' ? d->en : d->zh));
	(void)unlink(path);
}
