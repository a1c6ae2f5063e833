/*
 * Who saw or changed what: the audit's lines and the views of rows, newest first, in the words of the fields, as who reads it may see them.
 * And erasing a person, whose slow part goes on here in pieces.
 */
#include "api/api_int.h"

#include <time.h>
#include <unistd.h>

#include "api/sheet.h"
#include "journal/zone.h"
#include "people/privacy.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200
#define REASON_MAX 500

struct reading {
	struct ask *k;
	int64_t row_id, user_id, from_ms, to_ms, limit, at_ms, n;
	const char *resource, *action;
	struct zone *zone;
};

/* ---- words ---- */

static char *time_text(const struct reading *rd, int64_t ms)
{
	time_t s = (time_t)((rd->zone ? zone_wall_ms(rd->zone, ms) : ms) / 1000);
	struct tm tm;
	char text[32] = "";

	if (gmtime_r(&s, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	return xstrdup(text);
}

/* What names a row to a person, as who asks may see it; NULL: it is gone, or not his to know. */
static char *label_of(struct ask *k, const struct res_def *d, const char *id)
{
	const struct res_field *f = d->label && res_field_find(d, d->label) >= 0 ? &d->fields[res_field_find(d, d->label)] : NULL;
	char *text = NULL, *sql;
	struct db_stmt *st;
	int64_t row;

	if (!f || f->type != RES_TEXT || !res_may(&k->who, d, RES_READ) || !res_field_seen(&k->who, d, f) || !str_to_i64(&row, id, 1, INT64_MAX))
		return NULL;
	sql = xasprintf("SELECT %s FROM %s WHERE id = $1 AND centre_id = $2", d->label, d->table);
	if (!db_prepare(&st, k->db, sql)) {
		db_bind_i64(st, 1, row);
		db_bind_i64(st, 2, k->who.centre_id);
		if (db_step(st) == DB_ROW && !db_is_null(st, 0))
			text = privacy_masked(k) && (f->flags & RES_MASKED) ? res_mask(db_text(st, 0)) : xstrdup(privacy_words(k, db_text(st, 0)));
		db_done(st);
	}
	free(sql);
	return text;
}

static char *plain_text(struct ask *k, const json_t *v)
{
	char *s, *text;

	if (!v || json_is_null(v))
		return NULL;
	s = json_is_string(v) ? xstrdup(json_string_value(v)) : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	text = xstrdup(privacy_words(k, s));
	free(s);
	return text;
}

static char *value_text(const struct reading *rd, const struct res_def *d, const struct res_field *f, const json_t *row)
{
	const json_t *v = json_object_get(row, f ? f->name : "");
	char *text = NULL;

	if (!v || json_is_null(v))
		return NULL;
	if (f->type == RES_TIME && json_is_integer(v))
		return time_text(rd, json_integer_value(v));
	if (f->type == RES_REF && json_is_string(v) && res_find(f->ref))
		text = label_of(rd->k, res_find(f->ref), json_string_value(v));
	if (!text && f->type != RES_JSON && f->type != RES_REF)
		text = res_value_text(f, row, rd->k->lang);
	return text ? text : plain_text(rd->k, v);
}

static void put_change(struct jw *w, const char *field, const char *label, char *before, char *after)
{
	if (before || after) {
		jw_obj(w, NULL);
		jw_str(w, "field", field);
		jw_str(w, "label", label);
		jw_str(w, "before", before);
		jw_str(w, "after", after);
		jw_end_obj(w);
	}
	free(before);
	free(after);
}

/* What is no field: an export's count, a reason. */
static const char *key_label(const char *key, const char *lang)
{
	static const char *const words[][3] = {
		{"reason", "原因", "Reason"}, {"count", "行数", "Rows"}, {"format", "格式", "Format"}, {"filters", "条件", "Conditions"}, {"q", "搜索", "Search"},
		{"customer_id", "客户", "Customer"}, {"file", "文件", "File"}, {"address", "来源地址", "From"}, {"number", "号码", "Number"},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i][0], key))
			return words[i][lang[0] == 'e' ? 2 : 1];
	return key;
}

static void put_changes(struct reading *rd, struct jw *w, const struct res_def *d, json_t *before, json_t *after)
{
	const char *key;
	json_t *v;

	jw_arr(w, "changes");
	if (d && before)
		res_row_show(&rd->k->who, d, before);
	if (d && after)
		res_row_show(&rd->k->who, d, after);
	for (size_t i = 0; d && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		const json_t *b = json_object_get(before, f->name), *a = json_object_get(after, f->name);

		if ((b || a) && !(b && a && json_equal(b, a)))
			put_change(w, f->name, res_field_label(f, rd->k->lang), value_text(rd, d, f, before), value_text(rd, d, f, after));
	}
	json_object_foreach(after, key, v)
		if ((!d || res_field_find(d, key) < 0) && !strstr(key, "_label") && strcmp(key, "id") && strcmp(key, "rev") && !strstr(key, "ated_ms"))
			put_change(w, key, key_label(key, rd->k->lang), plain_text(rd->k, json_object_get(before, key)), plain_text(rd->k, v));
	jw_end_arr(w);
}

/* ---- the list ---- */

/* $1 centre, $2 from, $3 to, $4 $5 place, $6 limit, then what was asked for. audit_row, audit_user or audit_time serves the lines. */
static const char *list_sql(struct reading *rd)
{
	struct arena *a = rd->k->arena;
	const char *both = arena_printf(a, "%s%s%s", rd->resource ? " AND t.resource = $7" : "", rd->row_id ? " AND t.row_id = $8" : "",
					rd->user_id ? " AND t.user_id = $9" : "");
	const char *lines = arena_printf(a,
					 "SELECT t.at_ms, t.n, t.user_id, t.resource, t.row_id, t.action, t.before_json, t.after_json, t.salt FROM audit t"
					 " WHERE t.centre_id = $1 AND t.at_ms BETWEEN $2 AND $3 AND (t.at_ms < $4 OR (t.at_ms = $4 AND t.n < $5))%s%s",
					 both, rd->action ? " AND t.action = $10" : "");
	const char *views = arena_printf(a,
					 "SELECT t.at_ms, 0 AS n, t.user_id, t.resource, t.row_id, 'see' AS action, NULL AS before_json, NULL AS after_json,"
					 " NULL AS salt FROM row_views t WHERE t.centre_id = $1 AND t.at_ms BETWEEN $2 AND $3 AND t.at_ms < $4%s",
					 both);
	const char *from = !rd->action ? arena_printf(a, "%s UNION ALL %s", lines, views) : !strcmp(rd->action, "see") ? views : lines;

	return arena_printf(a, "SELECT x.at_ms, x.n, x.user_id, u.name, x.resource, x.row_id, x.action, x.before_json, x.after_json, x.salt FROM (%s) AS x"
			       " LEFT JOIN users u ON u.id = x.user_id ORDER BY x.at_ms DESC, x.n DESC LIMIT $6", from);
}

static void put_line(struct reading *rd, struct jw *w, struct db_stmt *st)
{
	const struct res_def *d = res_find(db_text(st, 4));
	bool read = d && res_may(&rd->k->who, d, RES_READ), erased = !db_is_null(st, 9) && !*db_text(st, 9);
	json_t *before = db_is_null(st, 7) || (d && !read) ? NULL : json_loads(db_text(st, 7), 0, NULL);
	json_t *after = db_is_null(st, 8) || (d && !read) ? NULL : json_loads(db_text(st, 8), 0, NULL);
	const char *row = db_i64(st, 5) ? arena_printf(rd->k->arena, "%lld", (long long)db_i64(st, 5)) : NULL;
	char *label = d && row ? label_of(rd->k, d, row) : NULL;

	jw_obj(w, NULL);
	jw_str(w, "id", arena_printf(rd->k->arena, "%lld.%lld", (long long)db_i64(st, 0), (long long)db_i64(st, 1)));
	jw_int(w, "at_ms", db_i64(st, 0));
	jw_str(w, "user_id", db_i64(st, 2) ? arena_printf(rd->k->arena, "%lld", (long long)db_i64(st, 2)) : NULL);
	jw_str(w, "user", db_is_null(st, 3) ? NULL : db_text(st, 3));
	jw_str(w, "action", db_text(st, 6));
	jw_str(w, "resource", db_text(st, 4));
	jw_str(w, "row_id", row);
	jw_str(w, "row", label);
	jw_bool(w, "erased", erased);
	put_changes(rd, w, d, before, after);
	jw_end_obj(w);
	free(label);
	json_decref(before);
	json_decref(after);
}

static int list(struct reading *rd, struct jw *w, const char **next)
{
	struct db_stmt *st;
	int64_t n = 0;
	int r = db_prepare(&st, rd->k->db, list_sql(rd));

	*next = NULL;
	if (r)
		return r;
	db_bind_i64(st, 1, rd->k->who.centre_id);
	db_bind_i64(st, 2, rd->from_ms);
	db_bind_i64(st, 3, rd->to_ms);
	db_bind_i64(st, 4, rd->at_ms);
	if (!rd->action || strcmp(rd->action, "see"))
		db_bind_i64(st, 5, rd->n);
	db_bind_i64(st, 6, rd->limit + 1);
	if (rd->resource)
		db_bind_text(st, 7, rd->resource);
	if (rd->row_id)
		db_bind_i64(st, 8, rd->row_id);
	if (rd->user_id)
		db_bind_i64(st, 9, rd->user_id);
	if (rd->action && strcmp(rd->action, "see"))
		db_bind_text(st, 10, rd->action);
	while ((r = db_step(st)) == DB_ROW) {
		if (n++ == rd->limit) {
			r = 0;
			break;
		}
		*next = arena_printf(rd->k->arena, "%lld.%lld", (long long)db_i64(st, 0), (long long)db_i64(st, 1));
		put_line(rd, w, st);
	}
	db_done(st);
	if (n <= rd->limit)
		*next = NULL;
	return r;
}

static bool take_place(struct reading *rd)
{
	const char *before = http_query(rd->k->rq, "before");
	long long at, n;

	rd->at_ms = INT64_MAX / 2;
	if (!before || !*before)
		return true;
	if (sscanf(before, "%lld.%lld", &at, &n) == 2) {
		rd->at_ms = at;
		rd->n = n;
		return true;
	}
	api_refuse(rd->k, "bad_query", json_pack("{s:s}", "before", "format"), NULL);
	return false;
}

static const char *word(struct ask *k, const char *name)
{
	const char *v = http_query(k->rq, name);

	return v && *v && strlen(v) <= 64 ? v : NULL;
}

void audit_list(struct ask *k)
{
	struct reading rd = {.k = k, .resource = word(k, "resource"), .action = word(k, "action")};
	const char *next;
	struct strb b;
	struct jw w;
	int r;

	if (!api_query_int(k, "row_id", &rd.row_id, 1, INT64_MAX, 0) || !api_query_int(k, "user_id", &rd.user_id, 1, INT64_MAX, 0) ||
	    !api_query_int(k, "from_ms", &rd.from_ms, 0, INT64_MAX / 2, 0) || !api_query_int(k, "to_ms", &rd.to_ms, 0, INT64_MAX / 2, INT64_MAX / 2) ||
	    !api_query_int(k, "limit", &rd.limit, 1, LIMIT_MAX, LIMIT_DEFAULT) || !take_place(&rd))
		return;
	rd.zone = sheet_zone(k->db);
	strb_init(&b, 8 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_arr(&w, "items");
	r = list(&rd, &w, &next);
	jw_end_arr(&w);
	jw_str(&w, "next", next);
	jw_end_obj(&w);
	zone_free(rd.zone);
	if (r || b.overflow)
		api_failed(k, "audit", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

void audit_verify(struct ask *k)
{
	int64_t bad = 0, lines = 0, erased = 0;
	int r = res_audit_verify(k->db, k->who.centre_id, &bad);

	if (r >= 0 && !db_get_i64(&lines, k->db, "SELECT COUNT(*) FROM audit WHERE centre_id = $1", "i", k->who.centre_id))
		(void)db_get_i64(&erased, k->db, "SELECT COUNT(*) FROM audit WHERE centre_id = $1 AND salt = ''", "i", k->who.centre_id);
	if (r < 0)
		api_failed(k, "audit", r);
	else
		api_ok(k, 200, json_pack("{s:b, s:I, s:o, s:I}", "ok", r == 0, "lines", (json_int_t)lines, "bad", r ? json_integer((json_int_t)bad) : json_null(),
					 "erased", (json_int_t)erased));
}

/* ---- a row was looked at ---- */

struct seen {
	struct ask *k;
	const char *resource;
	int64_t row_id;
};

static int seen_job(struct db *db, void *arg)
{
	const struct seen *s = arg;

	return people_row_seen(db, s->k->who.centre_id, s->resource, s->row_id, s->k->who.user_id, s->k->now_ms);
}

void audit_seen(struct ask *k, const char *resource, int64_t row_id)
{
	struct seen s = {k, resource, row_id};
	int64_t n = 0;

	if (!k->who.user_id || strcmp(resource, "customers") != 0)
		return;
	if (db_get_i64(&n, k->db, "SELECT COUNT(*) FROM row_views WHERE centre_id = $1 AND resource = $2 AND row_id = $3 AND user_id = $4 AND hour = $5", "itiii",
		       k->who.centre_id, resource, row_id, k->who.user_id, k->now_ms / 3600000) ||
	    n)
		return;
	if (db_writer_call(k->api->conf.writer, DB_BUSINESS, seen_job, &s))
		log_warn("a view is not noted resource=%s row=%lld user=%lld", resource, (long long)row_id, (long long)k->who.user_id);
}

/* ---- erasing ---- */

struct job {
	struct res_ctx c;
	int64_t id;
	const char *reason;
};

static int erase_job(struct db *db, void *arg)
{
	struct job *j = arg;

	j->c.db = db;
	return people_erase_begin(&j->c, j->id, j->reason);
}

void customers_erase(struct ask *k)
{
	struct res_error e = {0};
	struct job j = {.c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms}};
	json_t *bad = NULL;
	int r;

	if (!api_path_id(k, &j.id))
		return;
	j.reason = api_text(k, "reason", REASON_MAX, true, &bad);
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, erase_job, &j);
	if (r) {
		api_refuse_res(k, r, "erase", &e);
		return;
	}
	res_error_done(&e);
	log_info("customer erased customer=%lld user=%lld", (long long)j.id, (long long)k->who.user_id);
	api_none(k);
}

struct piece {
	struct people_erased e;
	int64_t centre_id;
};

static int step_job(struct db *db, void *arg)
{
	struct piece *p = arg;

	return people_erase_step(&p->e, db, p->centre_id, clock_utc_ms());
}

static int gone_job(struct db *db, void *arg)
{
	return people_erase_files_gone(db, &((struct piece *)arg)->e);
}

static void unlink_all(const struct api *a, const struct people_erased *e)
{
	for (size_t i = 0; i < e->file_n; i++) {
		const char *f = e->files[i];
		char *path = f[0] == '/' || !a->conf.record_dir ? xstrdup(f) : xasprintf("%s/%s", a->conf.record_dir, f);

		char *peaks = xasprintf("%s.peaks", path);

		if (*f && unlink(path) && errno != ENOENT)
			log_warn("recording of an erased person stays path=%s error=%d", path, errno);
		if (*f)
			(void)unlink(peaks);
		free(peaks);
		free(path);
	}
}

bool audit_erase_step(struct api *a)
{
	struct piece p = {.centre_id = a->conf.centre_id};
	bool more = !db_writer_call(a->conf.writer, DB_BUSINESS, step_job, &p) && p.e.more;

	if (more && p.e.file_n) {
		unlink_all(a, &p.e);
		more = !db_writer_call(a->conf.writer, DB_BUSINESS, gone_job, &p);
	}
	people_erased_done(&p.e);
	return more;
}
