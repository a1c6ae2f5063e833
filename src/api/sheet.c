/* Lists as files: every declared resource as XLSX and CSV, and empty templates for import. Written on a worker, then sent. */
#include "api/api_int.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "api/sheet.h"
#include "journal/zone.h"
#include "sheet/sheet.h"

#define COLUMNS_MAX RES_FIELDS_MAX
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
	int64_t count, id;
	char sha256[65], mark[200]; /* of the file; who, when and its number */
};

static enum sheet_kind kind_of(const struct res_field *f)
{
	return f->type == RES_INT && !f->decimals ? SHEET_NUMBER : f->type == RES_TIME ? SHEET_DATE : f->type == RES_BOOL ? SHEET_BOOL : SHEET_TEXT;
}

static void put(struct export *x, const struct res_field *f, const json_t *row)
{
	const json_t *v = json_object_get(row, f->name);
	char *text;

	if (f->type == RES_INT && !f->decimals && json_is_integer(v)) {
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
		if (res_field_seen(&x->k->who, x->d, &x->d->fields[i]))
			put(x, &x->d->fields[i], row);
	return sheet_end_row(x->w);
}

static size_t export_columns(struct sheet_column *cols, const struct res_who *who, const struct res_def *d, const char *lang)
{
	size_t n = 0;

	for (size_t i = 0; i < d->field_n && n < COLUMNS_MAX; i++)
		if (res_field_seen(who, d, &d->fields[i]))
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
	char *filters = json_object_size(x->filters) || http_query(k->rq, "q") ? json_dumps(after, JSON_COMPACT) : NULL;
	int r = res_audit(&c, x->d->name, 0, "export", NULL, after);

	if (!r)
		r = db_run(db,
			   "INSERT INTO exports (id, centre_id, rev, created_ms, updated_ms, user_id, resource, format, count, filters, masked, sha256, mark)"
			   " VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
			   "iiirttitit" "t", x->id, k->who.centre_id, k->now_ms, k->who.user_id, x->d->name, x->format == SHEET_CSV ? "csv" : "xlsx",
			   x->count, filters, (int64_t)privacy_masked(k), x->sha256, x->mark);
	free(filters);
	json_decref(after);
	res_error_done(&e);
	return r;
}

/* What a file that turned up somewhere is known by. */
static int stamp(struct export *x, const char *path)
{
	unsigned char buf[65536], sum[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state h;
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return -errno;
	crypto_hash_sha256_init(&h);
	while ((n = fread(buf, 1, sizeof(buf), f)))
		crypto_hash_sha256_update(&h, buf, n);
	(void)fclose(f);
	crypto_hash_sha256_final(&h, sum);
	str_hex_of(x->sha256, sum, sizeof(sum));
	return 0;
}

/* The first row of the file, and what its row of exports says. */
static void put_mark(struct export *x)
{
	time_t s = (time_t)((x->zone ? zone_wall_ms(x->zone, x->k->now_ms) : x->k->now_ms) / 1000);
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&s, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	x->id = res_next_id();
	(void)snprintf(x->mark, sizeof(x->mark), x->k->lang[0] == 'e' ? "Export: %.60s (%.40s) %s · no. %lld" : "导出: %.60s (%.40s) %s · 第 %lld 号", x->k->user.name,
		       x->k->user.login, when, (long long)x->id);
	for (size_t n = strlen(x->mark); n && !str_is_utf8(x->mark, n); n--)
		x->mark[n - 1] = 0;
}

static int write_file(struct export *x, struct res_ctx *c, const char *path)
{
	struct sheet_column cols[COLUMNS_MAX];
	struct ask *k = x->k;
	const char *title = k->lang[0] == 'e' ? x->d->en : x->d->zh;
	int r, closed;

	put_mark(x);
	r = sheet_writer_open_titled(&x->w, path, x->format, title, sheet_dir(k->api), cols, export_columns(cols, &k->who, x->d, k->lang), x->mark);
	if (r)
		return r;
	r = res_walk(&x->count, c, x->d, http_query(k->rq, "q"), http_query(k->rq, "sort"), x->filters, put_row, x);
	closed = sheet_writer_close(x->w);
	return r ? r : closed;
}

static void export(struct ask *k, enum sheet_format format)
{
	struct export x = {.k = k, .d = res_named(http_param(k->rq, "resource"), k->who.centre_id), .format = format};
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	char *path = NULL;
	int r;

	if (!x.d || !res_may(&k->who, x.d, RES_EXPORT)) {
		api_refuse(k, x.d ? "forbidden" : "not_found", NULL, NULL);
		return;
	}
	sheet_take_lang(k);
	path = sheet_temp(k);
	if (!path)
		return;
	x.filters = json_object();
	http_query_each(k->rq, add_filter, x.filters);
	if (!privacy_list(k, x.d, http_query(k->rq, "q"), x.filters)) {
		json_decref(x.filters);
		(void)unlink(path);
		return;
	}
	x.zone = sheet_zone(k->db);
	r = write_file(&x, &c, path);
	if (!r)
		r = stamp(&x, path);
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
	for (const struct res_option *o = f->type == RES_ENUM ? f->options : NULL; o && o->value && n < CHOICES_MAX; o++)
		if (!o->old)
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
	const struct res_def *d = res_named(http_param(k->rq, "resource"), k->who.centre_id);
	struct sheet_column cols[COLUMNS_MAX];
	struct sheet_writer *w;
	size_t n = 0;
	char *path;
	int r;

	if (!d || !res_may(&k->who, d, RES_IMPORT)) {
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
