/*
 * Leavers over HTTP: what a handover would do, doing it, taking it back, and its proof as a sheet. The request lasts as long as the
 * handover; how far it is stands in the row of `leaves`, also for who looks from elsewhere, and what a stop of the server interrupted goes on by /continue.
 */
#include "api/api_int.h"

#include <unistd.h>

#include "api/sheet.h"
#include "people/leave.h"

#define SHOWN_MAX 200

struct leave_job {
	struct res_ctx c;
	struct people_leave *plan;
	int64_t leave_id;
	size_t from;
	bool more;
};

/* Without a word about customers they stay for now. */
static const json_t *what(struct ask *k)
{
	if (!json_object_get(k->body, "customers"))
		(void)json_object_set_new(k->body, "customers", json_pack("{s:s}", "rule", "keep"));
	return json_object_get(k->body, "customers");
}

static struct res_ctx ctx(struct ask *k, struct res_error *e)
{
	return (struct res_ctx){.db = k->db, .who = &k->who, .error = e, .now_ms = k->now_ms};
}

void leave_preview(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = ctx(k, &e);
	struct people_leave p = {0};
	json_t *out = NULL;
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return;
	r = people_leave_plan(&p, &c, id, what(k));
	if (!r)
		r = people_leave_preview(&out, &c, &p, SHOWN_MAX);
	people_leave_done(&p);
	if (r) {
		json_decref(out);
		api_refuse_res(k, r, "leave", &e);
	} else {
		api_ok(k, 200, out);
	}
}

static int begin_job(struct db *db, void *arg)
{
	struct leave_job *j = arg;

	j->c.db = db;
	return people_leave_begin(&j->leave_id, &j->c, j->plan);
}

static int write_job(struct db *db, void *arg)
{
	struct leave_job *j = arg;

	j->c.db = db;
	return people_leave_write(&j->from, &j->c, j->leave_id, j->plan, j->from);
}

static int step_job(struct db *db, void *arg)
{
	struct leave_job *j = arg;

	j->c.db = db;
	return people_leave_step(&j->more, &j->c, j->leave_id);
}

static int undo_job(struct db *db, void *arg)
{
	struct leave_job *j = arg;

	j->c.db = db;
	return people_leave_undo(&j->c, j->leave_id);
}

/* In pieces, so that calls are written down in between. A stop of the server ends it between two. */
static int carry_out(struct ask *k, struct leave_job *j)
{
	int r;

	do
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, step_job, j);
	while (!r && j->more && !k->api->stopping);
	return r;
}

static void answer(struct ask *k, struct leave_job *j, int r, struct res_error *e)
{
	json_t *row = NULL;

	j->c.db = k->db;
	if (!r)
		r = res_get(&row, &j->c, res_find("leaves"), j->leave_id);
	if (r)
		api_refuse_res(k, r, "leave", e);
	else
		api_ok(k, 200, row);
}

void leave_start(struct ask *k)
{
	struct res_error e = {0};
	struct people_leave p = {0};
	struct leave_job j = {.c = ctx(k, &e), .plan = &p};
	json_t *body;
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return;
	r = people_leave_plan(&p, &j.c, id, what(k));
	if (!r)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, begin_job, &j);
	if (!r) { /* he is out before the first customer goes */
		body = json_pack("{s:b}", "active", 0);
		objects_cut_off(k->api, res_find("users"), id, body, k->who.user_id);
		json_decref(body);
		api_conf_changed(k->api, k->db);
	}
	while (!r && j.from < p.customer_n)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, write_job, &j);
	if (!r)
		r = carry_out(k, &j);
	people_leave_done(&p);
	answer(k, &j, r, &e);
}

/* A plan that was not written down to its end is made again by the same seed: nothing has moved yet. */
static int plan_again(struct ask *k, struct leave_job *j, const json_t *row)
{
	struct db_stmt *st;
	struct people_leave p = {0};
	json_t *ask = NULL;
	int r = db_prepare(&st, k->db, "SELECT user_id, rule, seed, people FROM leaves WHERE id = $1");

	if (r)
		return r;
	db_bind_i64(st, 1, j->leave_id);
	r = db_step(st);
	if (r == DB_ROW) {
		json_t *people = json_loads(db_text(st, 3), 0, NULL);

		ask = json_pack("{s:s, s:s, s:o*}", "rule", db_text(st, 1), "seed", db_text(st, 2), "people", strcmp(db_text(st, 1), "people") ? NULL : people);
		if (!strcmp(db_text(st, 1), "people"))
			people = NULL;
		r = people_leave_plan(&p, &j->c, db_i64(st, 0), ask);
		json_decref(people);
	}
	db_done(st);
	j->plan = &p;
	while (!r && j->from < p.customer_n)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, write_job, j);
	people_leave_done(&p);
	json_decref(ask);
	return r;
}

void leave_continue(struct ask *k)
{
	struct res_error e = {0};
	struct leave_job j = {.c = ctx(k, &e)};
	json_t *row = NULL;
	int64_t user_id;
	int r;

	if (!api_path_id(k, &j.leave_id))
		return;
	r = res_get(&row, &j.c, res_find("leaves"), j.leave_id);
	if (!r && str_to_i64(&user_id, json_string_value(json_object_get(row, "user_id")), 1, INT64_MAX))
		r = res_may_row(&j.c, res_find("users"), user_id, RES_WRITE);
	if (!r && !strcmp(json_string_value(json_object_get(row, "state")), "planning"))
		r = plan_again(k, &j, row);
	json_decref(row);
	if (!r)
		r = carry_out(k, &j);
	answer(k, &j, r, &e);
}

void leave_undo(struct ask *k)
{
	struct res_error e = {0};
	struct leave_job j = {.c = ctx(k, &e)};
	int r;

	if (!api_path_id(k, &j.leave_id))
		return;
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, undo_job, &j);
	if (!r) {
		known_forget(k->api->known);
		api_conf_changed(k->api, k->db);
		r = carry_out(k, &j);
	}
	answer(k, &j, r, &e);
}

/* ---- the proof ---- */

static void put_receiver(struct sheet_writer *w, struct db_stmt *st, bool en)
{
	if (db_is_null(st, 4)) {
		sheet_put_text(w, "");
		sheet_put_text(w, en ? "Pool" : "公海");
	} else {
		sheet_put_text(w, db_text(st, 4));
		sheet_put_text(w, db_is_null(st, 5) ? "" : db_text(st, 5));
	}
}

static int put_rows(struct sheet_writer *w, struct ask *k, int64_t leave_id, const char *seed)
{
	static const char *const states[][3] = {{"planned", "未执行", "Not yet"}, {"moved", "已移交", "Handed over"}, {"back", "已收回", "Given back"},
						{"kept", "未动", "Left"}};
	bool en = k->lang[0] == 'e';
	struct db_stmt *st;
	int r = db_prepare(&st, k->db,
			   "SELECT l.place, l.customer_id, COALESCE(c.name, ''), l.draw, l.to_id, u.name, l.state FROM leave_customers l"
			   " LEFT JOIN customers c ON c.id = l.customer_id LEFT JOIN users u ON u.id = l.to_id WHERE l.leave_id = $1 ORDER BY l.place");

	if (r)
		return r;
	db_bind_i64(st, 1, leave_id);
	while ((r = db_step(st)) == DB_ROW) {
		char id[24];

		(void)snprintf(id, sizeof(id), "%lld", (long long)db_i64(st, 1));
		sheet_put_int(w, db_i64(st, 0));
		sheet_put_text(w, id);
		sheet_put_text(w, db_text(st, 2));
		sheet_put_text(w, db_is_null(st, 3) ? (en ? "by hand" : "手工指定") : db_text(st, 3));
		put_receiver(w, st, en);
		for (size_t i = 0; i < ARRAY_LEN(states); i++)
			if (!strcmp(states[i][0], db_text(st, 6)))
				sheet_put_text(w, states[i][en ? 2 : 1]);
		sheet_put_text(w, seed);
		r = sheet_end_row(w);
		if (r)
			break;
	}
	db_done(st);
	return r;
}

static int certificate_job(struct db *db, void *arg)
{
	struct leave_job *j = arg;

	j->c.db = db;
	return res_audit(&j->c, "leaves", j->leave_id, "export", NULL, NULL);
}

void leave_certificate(struct ask *k)
{
	struct res_error e = {0};
	struct leave_job j = {.c = ctx(k, &e)};
	struct sheet_writer *w;
	json_t *row = NULL;
	char *path;
	int r, closed;

	if (!api_path_id(k, &j.leave_id))
		return;
	sheet_take_lang(k);
	r = res_get(&row, &j.c, res_find("leaves"), j.leave_id);
	if (!r)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, certificate_job, &j);
	if (r) {
		json_decref(row);
		api_refuse_res(k, r, "leave", &e);
		return;
	}
	path = sheet_temp(k);
	if (path) {
		bool en = k->lang[0] == 'e';
		const struct sheet_column cols[] = {
			{en ? "Place" : "次序", SHEET_NUMBER}, {en ? "Customer's id" : "客户编号", SHEET_TEXT, 22}, {en ? "Customer" : "客户", SHEET_TEXT, 16},
			{en ? "Draw" : "抽签值", SHEET_TEXT, 66,
			 .note = en ? "SHA-256 of seed:customer's id. Sorted by it, the first go to the first person." : "“种子:客户编号”的 SHA-256；按它排序，从前往后依次分给各人。"},
			{en ? "To (id)" : "接收人编号", SHEET_TEXT, 22}, {en ? "To" : "接收人", SHEET_TEXT, 16}, {en ? "State" : "状态", SHEET_TEXT, 12},
			{en ? "Seed" : "种子", SHEET_TEXT, 20},
		};

		r = sheet_writer_open(&w, path, SHEET_XLSX, en ? "Handover" : "离职交接", sheet_dir(k->api), cols, ARRAY_LEN(cols));
		if (!r) {
			r = put_rows(w, k, j.leave_id, json_string_value(json_object_get(row, "seed")));
			closed = sheet_writer_close(w);
			r = r ? r : closed;
		}
		if (r)
			api_failed(k, "certificate", r);
		else
			sheet_send(k, path, SHEET_XLSX, en ? "Handover certificate" : "离职交接凭证");
		(void)unlink(path);
	}
	json_decref(row);
}
