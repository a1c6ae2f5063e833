/*
 * Customers given to people, or taken back by rules: preview, carrying out on the thread for changes of many rows, certificate, undo. How far
 * it is stands in the row of allocations, so nothing is lost with the process.
 */
#include "api/api_int.h"

#include <sodium.h>
#include <unistd.h>

#include "api/allot_sheet.h"
#include "api/sheet.h"
#include "journal/zone.h"
#include "people/allot.h"

#define SHOWN_MAX 200    /* customers that a preview names */
#define ROWS_PIECE 200
#define ROWS_MAX 500
#define NIGHT_HOUR 2

static int start_job(struct db *db, void *arg)
{
	return people_allot_interrupted(db);
}

int allot_start(struct api *a)
{
	randombytes_buf(a->allot_secret, sizeof(a->allot_secret));
	if (a->conf.writer && db_writer_call(a->conf.writer, DB_BUSINESS, start_job, NULL))
		log_warn("allocations of an earlier run are not marked as interrupted");
	return 0;
}

/* ---- a run ---- */

struct run {
	struct api *api;
	struct res_who who;
	char lang[4];
	struct allot *plan; /* NULL: its rows are there */
	int64_t id, last;
	size_t rows;
	bool undo, more, ok;
};

static int begin_job(struct db *db, void *arg)
{
	struct run *x = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &x->who, .error = &e, .now_ms = clock_utc_ms()};
	int r = people_allot_begin(&x->id, &c, x->plan);

	res_error_done(&e);
	return r;
}

static int rows_job(struct db *db, void *arg)
{
	struct run *x = arg;
	struct res_ctx c = {.db = db, .who = &x->who};

	return people_allot_rows(&c, x->id, x->plan, x->rows, ROWS_PIECE);
}

static int step_job(struct db *db, void *arg)
{
	struct run *x = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &x->who, .error = &e, .now_ms = clock_utc_ms()};
	int r = x->undo ? people_allot_undo_step(&x->more, &x->last, &c, x->id) : people_allot_step(&x->more, &x->last, &c, x->id);

	res_error_done(&e);
	return r;
}

static int end_job(struct db *db, void *arg)
{
	struct run *x = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &x->who, .error = &e, .now_ms = clock_utc_ms()};
	int r = people_allot_end(&c, x->id, x->undo, x->ok);

	res_error_done(&e);
	return r;
}

/* Who got how many; who lost how many by a rule. */
static void tell_all(struct run *x, struct db *db)
{
	struct db_stmt *st;
	char by[256] = "";

	if (db_prepare(&st, db,
		       "SELECT to_id, COUNT(*), 0 FROM allocation_rows WHERE allocation_id = $1 AND state = 'done' AND to_id IS NOT NULL GROUP BY to_id"
		       " UNION ALL SELECT before_owner, COUNT(*), 1 FROM allocation_rows WHERE allocation_id = $1 AND state = 'done'"
		       " AND before_owner IS NOT NULL GROUP BY before_owner"))
		return;
	db_bind_i64(st, 1, x->id);
	while (db_step(st) == DB_ROW)
		customers_tell(x->api, db_i64(st, 0), db_i64(st, 2) ? "taken_back" : "allotted", 0, by, clock_utc_ms(), db_i64(st, 1));
	db_done(st);
}

static void run_free(struct run *x)
{
	allot_free(x->plan);
	free(x);
}

static void run(struct run *x)
{
	struct db_writer *w = x->api->conf.writer;
	struct db *db = api_db(x->api);
	int r = 0;

	for (; !r && x->plan && x->rows < x->plan->n && !x->api->stopping; x->rows += ROWS_PIECE)
		r = db_writer_call(w, DB_BUSINESS, rows_job, x);
	x->more = !r && (!x->plan || x->rows >= x->plan->n);
	x->ok = x->more;
	while (!r && x->more && !x->api->stopping)
		r = db_writer_call(w, DB_BUSINESS, step_job, x);
	x->ok = x->ok && !r && !x->more;
	if (r)
		log_error("allocation failed allocation=%lld error=%d", (long long)x->id, r);
	if (db_writer_call(w, DB_BUSINESS, end_job, x))
		log_warn("the end of an allocation is not written, the next start says interrupted allocation=%lld", (long long)x->id);
	if (db && !x->undo)
		tell_all(x, db);
	log_info("allocation ended allocation=%lld undo=%d whole=%d", (long long)x->id, x->undo, x->ok);
	run_free(x);
}

static void run_it(void *arg)
{
	run(arg);
}

static struct run *run_new(struct ask *k)
{
	struct run *x = xcalloc(1, sizeof(*x));

	x->api = k->api;
	x->who = k->who;
	(void)str_copy(x->lang, sizeof(x->lang), k->lang);
	x->who.lang = x->lang;
	return x;
}

static void answer_row(struct ask *k, int64_t id, int status)
{
	struct res_error e = {0};
	struct res_who who = k->who;
	struct res_ctx c = {.db = k->db, .who = &who, .error = &e, .now_ms = k->now_ms};
	json_t *row = NULL;
	int r;

	r = res_get(&row, &c, &people_allocations, id);
	if (r)
		api_refuse_res(k, r, "allocations", &e);
	else
		api_ok(k, status, row);
}

/* Takes the plan over. */
static void carry_out(struct ask *k, struct allot *plan)
{
	struct run *x = run_new(k);
	int64_t id;
	int r;

	x->plan = plan;
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, begin_job, x);
	if (r) {
		run_free(x);
		api_failed(k, "allocation", r);
		return;
	}
	id = x->id;
	if (!bulks_run(k->api->bulks, run_it, x)) {
		(void)db_writer_call(k->api->conf.writer, DB_BUSINESS, end_job, x); /* nothing was done */
		run_free(x);
		api_refuse(k, "busy", NULL, NULL);
		return;
	}
	answer_row(k, id, 202);
}

/* ---- preview ---- */

static json_t *id_json(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return id ? json_string(text) : json_null();
}

static json_t *name_json(struct ask *k, int64_t id)
{
	int i = res_field_find(&people_customers, "name");
	struct db_stmt *st;
	json_t *name = NULL;

	if (!res_field_seen(&k->who, &people_customers, &people_customers.fields[i]) ||
	    db_prepare(&st, k->db, "SELECT COALESCE(name, '') FROM customers WHERE id = $1"))
		return json_null();
	db_bind_i64(st, 1, id);
	if (db_step(st) == DB_ROW)
		name = json_string(db_text(st, 0));
	db_done(st);
	return name ? name : json_null();
}

static json_t *plan_json(struct ask *k, const struct allot *a)
{
	json_t *people = json_array(), *items = json_array();
	int64_t left = 0;

	for (size_t i = 0; i < a->m; i++) {
		const struct allot_person *p = &a->people[i];

		(void)json_array_append_new(people, json_pack("{s:o, s:s, s:s, s:i, s:o, s:I, s:I, s:s?}", "id", id_json(p->id), "name", p->name, "team",
			p->team, "weight", (int)p->weight, "cap", p->cap < 0 ? json_null() : json_integer(p->cap), "own", (json_int_t)p->own, "n",
			(json_int_t)p->n, "why", p->why));
	}
	for (size_t i = 0; i < a->n; i++) {
		left += !a->customers[i].to;
		if (i < SHOWN_MAX)
			(void)json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:b}", "id", id_json(a->customers[i].id), "name",
				name_json(k, a->customers[i].id), "to", id_json(a->customers[i].to), "hand", a->customers[i].hand));
	}
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "seed", a->seed, "version", a->version, "count", (json_int_t)a->n, "owned",
			 (json_int_t)a->owned, "beyond", (json_int_t)a->beyond, "left", (json_int_t)left, "people", people, "items", items);
}

/* False after refusing. */
static bool plan(struct ask *k, struct allot **ret)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int64_t *ids = NULL;
	size_t n = 0;
	int r;

	if (!bulk_take_rows(k, &people_customers, &ids, &n) || !bulk_count_fits(k, n)) {
		free(ids);
		return false;
	}
	r = people_allot_plan(ret, &c, ids, n, k->body, k->api->allot_secret);
	free(ids);
	if (r)
		api_refuse_res(k, r, "allocations", &e);
	return !r;
}

void allot_preview(struct ask *k)
{
	struct allot *a;

	if (!plan(k, &a))
		return;
	api_ok(k, 200, plan_json(k, a));
	allot_free(a);
}

/* What was previewed is what is done: the seed is made of the customers. */
static bool seed_fits(struct ask *k, const struct allot *a)
{
	const char *seed = json_string_value(json_object_get(k->body, "seed"));
	json_t *now;

	if (seed && !strcmp(seed, a->seed))
		return true;
	now = json_pack("{s:I}", "count", (json_int_t)a->n);
	api_refuse_status(k, 409, "count_changed", NULL, NULL, now);
	json_decref(now);
	return false;
}

void allot_new(struct ask *k)
{
	struct allot *a;

	if (!plan(k, &a))
		return;
	if (a->n && seed_fits(k, a)) {
		carry_out(k, a);
		return;
	}
	if (!a->n)
		api_refuse(k, "invalid", json_pack("{s:s}", "count", "range"), NULL);
	allot_free(a);
}

/* ---- one of them ---- */

/* False after refusing. */
static bool within(struct ask *k, int64_t *id, char state[16])
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	json_t *row = NULL;
	int r;

	if (!api_path_id(k, id))
		return false;
	r = res_get(&row, &c, &people_allocations, *id);
	if (r)
		api_refuse_res(k, r, "allocations", &e);
	else
		(void)str_copy(state, 16, json_string_value(json_object_get(row, "state")));
	json_decref(row);
	return !r;
}

struct set {
	int64_t id;
	const char *sql;
	int64_t changed;
};

static int set_job(struct db *db, void *arg)
{
	struct set *s = arg;
	int r = db_run(db, s->sql, "i", s->id);

	s->changed = r ? 0 : db_changes(db);
	return r;
}

static bool set(struct ask *k, int64_t id, const char *sql)
{
	struct set s = {.id = id, .sql = sql};
	int r = db_writer_call(k->api->conf.writer, DB_BUSINESS, set_job, &s);

	if (r)
		api_failed(k, "allocation", r);
	else if (!s.changed)
		api_refuse(k, "wrong_state", NULL, NULL);
	return !r && s.changed;
}

void allot_cancel(struct ask *k)
{
	char state[16];
	int64_t id;

	if (within(k, &id, state) && set(k, id, "UPDATE allocations SET stop = 1 WHERE id = $1 AND state IN ('running', 'undoing')"))
		answer_row(k, id, 200);
}

void allot_undo(struct ask *k)
{
	char state[16];
	struct run *x;
	int64_t id;

	if (!within(k, &id, state) ||
	    !set(k, id, "UPDATE allocations SET state = 'undoing', stop = 0 WHERE id = $1 AND changed > undone + kept AND state IN ('done', 'cancelled', 'interrupted', 'part_undone')"))
		return;
	x = run_new(k);
	x->id = id;
	x->undo = true;
	if (!bulks_run(k->api->bulks, run_it, x)) {
		(void)db_writer_call(k->api->conf.writer, DB_BUSINESS, end_job, x);
		run_free(x);
		api_refuse(k, "busy", NULL, NULL);
		return;
	}
	answer_row(k, id, 202);
}

/* Those that were not given, or not put back. */
void allot_rows(struct ask *k)
{
	json_t *items = json_array();
	struct db_stmt *st;
	char state[16];
	int64_t id;
	int r;

	if (!within(k, &id, state)) {
		json_decref(items);
		return;
	}
	r = db_prepare(&st, k->db, "SELECT customer_id, COALESCE(to_id, 0), state, COALESCE(why, '') FROM allocation_rows WHERE allocation_id = $1"
				   " AND state IN ('refused', 'kept') ORDER BY customer_id LIMIT $2");
	if (!r) {
		struct {
			int64_t id, to;
			char state[16], why[16];
		} rows[ROWS_MAX];
		size_t n = 0;

		db_bind_i64(st, 1, id);
		db_bind_i64(st, 2, ROWS_MAX);
		while ((r = db_step(st)) == DB_ROW) {
			rows[n].id = db_i64(st, 0);
			rows[n].to = db_i64(st, 1);
			(void)str_copy(rows[n].state, sizeof(rows[n].state), db_text(st, 2));
			(void)str_copy(rows[n].why, sizeof(rows[n].why), db_text(st, 3));
			n++;
		}
		db_done(st);
		for (size_t i = 0; i < n; i++)
			(void)json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:s, s:s}", "id", id_json(rows[i].id), "name", name_json(k, rows[i].id), "to",
				id_json(rows[i].to), "state", rows[i].state, "why", rows[i].why));
	}
	if (r) {
		json_decref(items);
		api_failed(k, "allocation", r);
	} else {
		api_ok(k, 200, json_pack("{s:o}", "items", items));
	}
}

/* ---- certificate ---- */

/* Into a new file; NULL after refusing. Unlinked by the caller. */
static char *certificate(struct ask *k, enum sheet_format format, int64_t *id)
{
	struct allot *a = NULL;
	char state[16], *path;
	int r;

	sheet_take_lang(k);
	if (!within(k, id, state))
		return NULL;
	path = sheet_temp(k);
	if (!path)
		return NULL;
	r = people_allot_load(&a, k->db, k->who.centre_id, *id);
	if (!r)
		r = allot_sheet_write(path, format, a, k->lang, sheet_dir(k->api));
	allot_free(a);
	if (!r)
		return path;
	(void)unlink(path);
	api_failed(k, "certificate", r);
	return NULL;
}

static void send_certificate(struct ask *k, enum sheet_format format)
{
	int64_t id;
	char *path = certificate(k, format, &id);

	if (!path)
		return;
	sheet_send(k, path, format, arena_printf(k->arena, "%s-%lld", k->lang[0] == 'e' ? "certificate" : "分配凭证", (long long)id));
	(void)unlink(path); /* what is being sent is open */
}

void allot_sheet_xlsx(struct ask *k)
{
	send_certificate(k, SHEET_XLSX);
}

void allot_sheet_csv(struct ask *k)
{
	send_certificate(k, SHEET_CSV);
}

/* The same way as anybody who has the sheet: written, read, drawn. */
void allot_verify(struct ask *k)
{
	struct allot_verdict v;
	int64_t id;
	char *path = certificate(k, SHEET_CSV, &id);
	int r;

	if (!path)
		return;
	r = allot_sheet_verify(&v, path, k->lang);
	(void)unlink(path);
	if (r < 0)
		api_failed(k, "certificate", r);
	else
		api_ok(k, 200, json_pack("{s:b, s:I, s:I, s:s}", "equal", v.equal, "customers", (json_int_t)v.customers, "people", (json_int_t)v.people,
					 "first", v.first));
}

/* ---- rules ---- */

static bool rule_plan(struct ask *k, struct allot **ret)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return false;
	if (!res_may(&k->who, &people_recycle_rules, RES_READ)) {
		api_refuse(k, "forbidden", NULL, NULL);
		return false;
	}
	r = people_recycle_plan(ret, &c, id, k->api->allot_secret);
	if (r)
		api_refuse_res(k, r, "recycle_rules", &e);
	return !r;
}

void recycle_preview(struct ask *k)
{
	struct allot *a;

	if (!rule_plan(k, &a))
		return;
	api_ok(k, 200, plan_json(k, a));
	allot_free(a);
}

void recycle_run(struct ask *k)
{
	struct allot *a;

	if (!rule_plan(k, &a))
		return;
	if (bulk_count_fits(k, a->n))
		carry_out(k, a);
	else
		allot_free(a);
}

/* When this night's two o'clock was; 0: it has not been yet. */
static int64_t night_ms(struct db *db, int64_t now_ms)
{
	struct zone *z = sheet_zone(db);
	int64_t wall, two;

	if (!z)
		return 0;
	wall = zone_wall_ms(z, now_ms);
	two = zone_utc_ms(z, wall - wall % 86400000 + NIGHT_HOUR * 3600000);
	zone_free(z);
	return two <= now_ms ? two : 0;
}

/* As the program itself: in the audit without a person. */
void allot_night(struct api *a)
{
	struct res_error e = {0};
	struct res_who who = {.centre_id = a->conf.centre_id, .system = true, .lang = "zh"};
	struct res_ctx c = {.db = api_db(a), .who = &who, .error = &e, .now_ms = clock_utc_ms()};
	int64_t rule, since = c.db ? night_ms(c.db, c.now_ms) : 0;
	struct run *x;

	if (!since || a->stopping || people_recycle_due(&rule, c.db, who.centre_id, since))
		return;
	x = xcalloc(1, sizeof(*x));
	x->api = a;
	x->who = who;
	if (people_recycle_plan(&x->plan, &c, rule, a->allot_secret) || db_writer_call(a->conf.writer, DB_BUSINESS, begin_job, x)) {
		log_warn("reclaim rule cannot run rule=%lld", (long long)rule);
		run_free(x);
	} else {
		run(x);
	}
	res_error_done(&e);
}
