/*
 * Campaigns for people: start, pause, stop; putting customers in and out, by hundreds on the thread for changes of many rows; progress, list
 * health, recycling; why there is no call; health of the numbers shown. Everything is within what who asks may see of campaigns.
 */
#include "api/campaigns.h"

#include "campaign/recycle.h"
#include "campaign/ringback.h"
#include "campaign/stats.h"
#include "number/number.h"
#include "people/declared.h"
#include "people/sales.h"

#define PIECE 200
#define JOBS_MAX 16
#define DRY_ALARM_MIN 30
#define LIST_MAX 200
#define HEALTH_DAYS 7

/* ---- changes of many leads ---- */

enum what { ADD, REMOVE, RECYCLE };
static const char *const what_names[] = {"add", "remove", "recycle"};

/* One for each campaign, kept until the next. Under the lock but for what only its own run touches (ids, ask). */
struct job {
	struct api *api;
	int64_t campaign_id, at_ms;
	enum what what;
	int64_t *ids;
	size_t n;
	int64_t priority;
	struct recycle_ask ask;
	bool running, failed;
	int64_t done, added, there, removed, closed;
};

static struct job *jobs[JOBS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct piece {
	struct job *j;
	size_t from, n;
	int64_t added, there, removed, closed;
};

static int piece_job(struct db *db, void *arg)
{
	struct piece *p = arg;
	struct job *j = p->j;
	const int64_t *ids = j->ids + p->from;

	p->added = p->there = p->removed = p->closed = 0;
	if (j->what == ADD)
		return campaign_add(&p->added, &p->there, db, j->api->conf.centre_id, j->campaign_id, ids, p->n, j->priority, j->at_ms);
	if (j->what == REMOVE)
		return campaign_remove(&p->removed, &p->closed, db, j->campaign_id, ids, p->n, j->at_ms);
	return campaign_recycle_step(&p->added, db, j->campaign_id, &j->ask, PIECE, j->at_ms);
}

static bool one_piece(struct job *j, size_t from)
{
	struct piece p = {.j = j, .from = from, .n = j->n - from < PIECE ? j->n - from : PIECE};
	int r = j->api->stopping ? -ECANCELED : db_writer_call(j->api->conf.writer, DB_BUSINESS, piece_job, &p);
	bool more;

	(void)pthread_mutex_lock(&lock);
	j->failed = r != 0;
	j->added += p.added;
	j->there += p.there;
	j->removed += p.removed;
	j->closed += p.closed;
	j->done += j->what == RECYCLE ? p.added : (int64_t)p.n;
	more = !r && (j->what == RECYCLE ? p.added == PIECE : from + p.n < j->n);
	(void)pthread_mutex_unlock(&lock);
	return more;
}

static void run(void *arg)
{
	struct job *j = arg;

	for (size_t from = 0; one_piece(j, from); from += PIECE)
		;
	log_info("leads changed campaign=%lld what=%s added=%lld removed=%lld closed=%lld", (long long)j->campaign_id, what_names[j->what],
		 (long long)j->added, (long long)j->removed, (long long)j->closed);
	if (j->what != REMOVE)
		campaign_feed_again(j->api, j->campaign_id);
	(void)pthread_mutex_lock(&lock);
	free(j->ids);
	j->ids = NULL;
	j->running = false;
	(void)pthread_mutex_unlock(&lock);
}

/* The campaign's place, or the oldest that is over; -1: all are busy, or this one is. */
static int place_of(int64_t campaign_id)
{
	int best = -1;

	for (int i = 0; i < JOBS_MAX; i++) {
		if (jobs[i] && jobs[i]->campaign_id == campaign_id)
			return jobs[i]->running ? -1 : i;
		if (!jobs[i] ? best < 0 || jobs[best] : !jobs[i]->running && (best < 0 || (jobs[best] && jobs[i]->at_ms < jobs[best]->at_ms)))
			best = i;
	}
	return best;
}

static json_t *job_json(const struct job *j)
{
	return json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "what", what_names[j->what], "running", j->running, "failed", j->failed, "total", (json_int_t)j->n,
			 "done", (json_int_t)j->done, "added", (json_int_t)j->added, "there", (json_int_t)j->there, "removed", (json_int_t)j->removed, "closed",
			 (json_int_t)j->closed);
}

/* Takes @ask's ids over. */
static void start_job(struct ask *k, const struct job *like)
{
	struct job *j = xcalloc(1, sizeof(*j));
	json_t *out;
	int at;

	*j = *like;
	j->api = k->api;
	j->at_ms = k->now_ms;
	j->running = true;
	(void)pthread_mutex_lock(&lock);
	at = place_of(j->campaign_id);
	if (at >= 0) {
		free(jobs[at]);
		jobs[at] = j;
	}
	out = job_json(j);
	(void)pthread_mutex_unlock(&lock);
	if (at >= 0 && bulks_run(k->api->bulks, run, j)) {
		api_ok(k, 202, out);
		return;
	}
	(void)pthread_mutex_lock(&lock);
	if (at >= 0)
		jobs[at] = NULL;
	(void)pthread_mutex_unlock(&lock);
	free(j->ids);
	free(j);
	json_decref(out);
	api_refuse(k, "busy", NULL, NULL);
}

void campaigns_forget_jobs(struct api *a)
{
	for (int i = 0; i < JOBS_MAX; i++)
		if (jobs[i] && jobs[i]->api == a) {
			free(jobs[i]->ids);
			free(jobs[i]);
			jobs[i] = NULL;
		}
}

/* ---- within reach ---- */

static bool reach(struct ask *k, int64_t *id, enum res_act act)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int r;

	if (!api_path_id(k, id))
		return false;
	r = res_may_row(&c, &campaign_campaigns, *id, act);
	if (r)
		api_refuse_res(k, r, "campaign", &e);
	return !r;
}

void campaigns_job(struct ask *k)
{
	json_t *out = NULL;
	int64_t id;

	if (!reach(k, &id, RES_READ))
		return;
	(void)pthread_mutex_lock(&lock);
	for (int i = 0; i < JOBS_MAX && !out; i++)
		if (jobs[i] && jobs[i]->campaign_id == id && jobs[i]->api == k->api)
			out = job_json(jobs[i]);
	(void)pthread_mutex_unlock(&lock);
	if (out)
		api_ok(k, 200, out);
	else
		api_refuse(k, "not_found", NULL, NULL);
}

/* ---- start, pause, stop ---- */

struct state_job {
	struct res_ctx c;
	int64_t id;
	const char *action;
	json_t *row;
	bool changed;
};

static int state_job(struct db *db, void *arg)
{
	struct state_job *j = arg;

	j->c.db = db;
	return campaign_state(&j->row, &j->changed, &j->c, j->id, j->action);
}

void campaigns_state(struct ask *k)
{
	struct res_error e = {0};
	struct state_job j = {.c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms}, .action = strrchr(http_path(k->rq), '/') + 1};
	int r;

	if (!api_path_id(k, &j.id))
		return;
	r = db_writer_call(k->api->conf.writer, DB_TELEPHONY, state_job, &j);
	res_ctx_done(&j.c);
	if (r) {
		json_decref(j.row);
		api_refuse_res(k, r, "campaign", &e);
		return;
	}
	res_error_done(&e);
	if (j.changed) {
		api_conf_changed(k->api, k->db);
		campaign_feed_again(k->api, j.id);
	}
	api_ok(k, 200, json_pack("{s:o, s:b}", "campaign", j.row, "changed", j.changed));
}

/* ---- leads ---- */

void campaigns_add(struct ask *k)
{
	struct job j = {.what = ADD, .priority = 5};
	json_t *bad = NULL;

	if (!reach(k, &j.campaign_id, RES_WRITE))
		return;
	if (json_object_get(k->body, "priority"))
		j.priority = api_int(k, "priority", 0, 10, &bad);
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!bulk_take_rows(k, res_find("customers"), &j.ids, &j.n) || !bulk_count_fits(k, j.n)) {
		free(j.ids);
		return;
	}
	start_job(k, &j);
}

void campaigns_remove(struct ask *k)
{
	struct job j = {.what = REMOVE};

	if (!reach(k, &j.campaign_id, RES_WRITE))
		return;
	if (!bulk_take_rows(k, &campaign_leads, &j.ids, &j.n) || !bulk_count_fits(k, j.n)) {
		free(j.ids);
		return;
	}
	start_job(k, &j);
}

static bool take_recycle(struct ask *k, struct recycle_ask *ask)
{
	json_t *bad = NULL;

	recycle_ask_read(ask, k->body, &bad);
	if (bad)
		api_refuse(k, "invalid", bad, NULL);
	return !bad;
}

void campaigns_recycle_preview(struct ask *k)
{
	struct recycle_ask ask;
	json_t *out = NULL;
	int64_t id;
	int r;

	if (!reach(k, &id, RES_WRITE) || !take_recycle(k, &ask))
		return;
	r = campaign_recycle_preview(&out, k->db, id, &ask);
	if (r)
		api_failed(k, "recycle", r);
	else
		api_ok(k, 200, out);
}

void campaigns_recycle(struct ask *k)
{
	struct job j = {.what = RECYCLE};
	json_t *now = NULL;
	int r;

	if (!reach(k, &j.campaign_id, RES_WRITE) || !take_recycle(k, &j.ask))
		return;
	r = campaign_recycle_preview(&now, k->db, j.campaign_id, &j.ask);
	if (r) {
		api_failed(k, "recycle", r);
		return;
	}
	j.n = (size_t)json_integer_value(json_object_get(now, "n"));
	json_decref(now);
	if (bulk_count_fits(k, j.n))
		start_job(k, &j);
}

/* ---- figures ---- */

static const char *id_text(struct ask *k, int64_t id)
{
	return arena_printf(k->arena, "%lld", (long long)id);
}

/* Why there are no calls, as far as the data know: the switch knows the rest. */
static json_t *why_json(struct ask *k, int64_t id, const char *state)
{
	struct campaign_said s;

	if (strcmp(state, "running") != 0)
		return json_pack("{s:s, s:I, s:I, s:I}", "code", "state", "at_ms", (json_int_t)0, "more_ms", (json_int_t)0, "refused", (json_int_t)0);
	if (!k->api->feed || !campaign_feed_said(k->api->feed, id, &s))
		return json_pack("{s:s, s:I, s:I, s:I}", "code", "nobody", "at_ms", (json_int_t)0, "more_ms", (json_int_t)0, "refused", (json_int_t)0);
	return json_pack("{s:s, s:I, s:I, s:I}", "code", s.n ? "more" : campaign_why_name(s.why), "at_ms", (json_int_t)s.at_ms, "more_ms", (json_int_t)s.more_at_ms, "refused",
			 (json_int_t)s.refused);
}

static int64_t row_i64(const json_t *row, const char *name)
{
	int64_t v = 0;

	(void)str_to_i64(&v, json_string_value(json_object_get(row, name)) ?: "", 0, INT64_MAX);
	return v;
}

void campaigns_overview(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	struct zone *zone = NULL;
	json_t *page = NULL, *items = json_array(), *row;
	size_t i;
	int r = res_list(&page, &c, &campaign_campaigns, NULL, "-created_ms", LIST_MAX, 0, NULL);

	if (!r)
		r = sales_zone(&zone, k->db);
	json_array_foreach(json_object_get(page, "items"), i, row) {
		int64_t id = row_i64(row, "id");
		json_t *sum = NULL;

		if (!r)
			r = campaign_summary(&sum, k->db, zone, k->who.centre_id, id, k->now_ms);
		if (r)
			break;
		(void)json_object_set_new(sum, "campaign", json_incref(row));
		(void)json_object_set_new(sum, "why", why_json(k, id, row_text(row, "state")));
		(void)json_array_append_new(items, sum);
	}
	zone_free(zone);
	json_decref(page);
	if (r) {
		json_decref(items);
		api_refuse_res(k, r, "campaigns", &e);
		return;
	}
	api_ok(k, 200, json_pack("{s:o, s:b}", "items", items, "may", may(k, RIGHT_CAMPAIGNS) && res_may(&k->who, &campaign_campaigns, RES_WRITE)));
}

void campaigns_progress(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	struct zone *zone = NULL;
	json_t *row = NULL, *out = NULL;
	int64_t id;
	int r;

	if (!reach(k, &id, RES_READ))
		return;
	r = res_get(&row, &c, &campaign_campaigns, id);
	if (!r)
		r = sales_zone(&zone, k->db);
	if (!r)
		r = campaign_progress(&out, k->db, zone, k->who.centre_id, id, k->lang, k->now_ms);
	zone_free(zone);
	if (r) {
		json_decref(row);
		api_refuse_res(k, r, "progress", &e);
		return;
	}
	(void)json_object_set_new(out, "why", why_json(k, id, row_text(row, "state")));
	(void)json_object_set_new(out, "campaign", row);
	api_ok(k, 200, out);
}

void campaigns_people(struct ask *k)
{
	struct zone *zone = NULL;
	json_t *out = NULL;
	int64_t id;
	int r;

	if (!reach(k, &id, RES_READ))
		return;
	r = sales_zone(&zone, k->db);
	if (!r)
		r = campaign_people_today(&out, k->db, zone, id, k->now_ms);
	zone_free(zone);
	if (r)
		api_failed(k, "people", r);
	else
		api_ok(k, 200, json_pack("{s:o}", "items", out));
}

void campaigns_health(struct ask *k)
{
	json_t *out = NULL;
	int64_t days;
	int r;

	if (!res_may(&k->who, &campaign_shown_numbers, RES_READ)) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	if (!api_query_int(k, "days", &days, 1, 90, HEALTH_DAYS))
		return;
	r = campaign_shown_health(&out, k->db, k->who.centre_id, (int)days, k->now_ms);
	if (r)
		api_failed(k, "health", r);
	else
		api_ok(k, 200, json_pack("{s:o, s:I}", "items", out, "days", (json_int_t)days));
}

/* ---- the agent ---- */

/* What he may choose, in the order of the keys: the project's, or all that are active. */
static json_t *results_json(struct ask *k, const json_t *chosen)
{
	json_t *all = json_array(), *list, *v, *one;
	struct db_stmt *st;
	size_t i, n;

	if (!db_prepare(&st, k->db, "SELECT id, code, zh, COALESCE(en, zh), connected FROM contact_results WHERE centre_id = $1 AND active = 1 ORDER BY sort, id")) {
		db_bind_i64(st, 1, k->who.centre_id);
		while (db_step(st) == DB_ROW)
			(void)json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:b}", "id", id_text(k, db_i64(st, 0)), "code", db_text(st, 1), "name",
								    db_text(st, k->lang[0] == 'e' ? 3 : 2), "connected", db_i64(st, 4) != 0));
		db_done(st);
	}
	if (!json_array_size(chosen))
		return all;
	list = json_array();
	json_array_foreach(chosen, i, v)
		json_array_foreach(all, n, one)
			if (json_equal(json_object_get(one, "id"), v))
				(void)json_array_append(list, one);
	json_decref(all);
	return list;
}

/* When the next leads are due, and how many: what the desk says when there is nothing to dial. */
static int put_waiting(struct ask *k, json_t *o)
{
	int64_t at = 0, n = 0;
	int r = campaign_next_due(&at, &n, k->db, row_i64(o, "id"), k->now_ms);

	(void)json_object_set_new(o, "next_ms", json_integer(at));
	(void)json_object_set_new(o, "next_n", json_integer(n));
	return r;
}

/* Projects he works for, with their scripts. */
void desk_campaigns(struct ask *k)
{
	json_t *items = json_array();
	struct db_stmt *st;
	int r = db_prepare(&st, k->db,
			   "SELECT c.id, c.name, c.mode, c.state, COALESCE(c.script, ''), COALESCE(c.template_id, 0), COALESCE(c.results, ''), c.talk_max_min, c.preview_s, c.wrapup_s,"
			   " CASE WHEN EXISTS (SELECT 1 FROM campaign_away w WHERE w.campaign_id = c.id AND w.user_id = $2) THEN 0 ELSE 1 END"
			   " FROM campaigns c WHERE c.centre_id = $1 AND c.state IN ('running', 'paused') AND EXISTS (SELECT 1 FROM campaign_people p WHERE p.campaign_id = c.id"
			   " AND p.user_id = $2) ORDER BY c.priority DESC, c.name");

	if (!r) {
		db_bind_i64(st, 1, k->who.centre_id);
		db_bind_i64(st, 2, k->who.user_id);
		while ((r = db_step(st)) == DB_ROW) {
			json_t *chosen = json_loads(db_text(st, 6), 0, NULL), *o;

			o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:b}", "id", id_text(k, db_i64(st, 0)), "name", db_text(st, 1), "mode", db_text(st, 2), "state",
				      db_text(st, 3), "script", db_text(st, 4), "template_id", db_i64(st, 5) ? id_text(k, db_i64(st, 5)) : NULL, "talk_max_min",
				      (json_int_t)db_i64(st, 7), "preview_s", (json_int_t)db_i64(st, 8), "wrapup_s", (json_int_t)db_i64(st, 9), "takes_part", db_i64(st, 10) != 0);
			(void)json_object_set_new(o, "results", chosen ? chosen : json_array());
			(void)json_object_set_new(o, "why", why_json(k, db_i64(st, 0), db_text(st, 3)));
			(void)json_array_append_new(items, o);
		}
		db_done(st);
	}
	for (size_t i = 0; !r && i < json_array_size(items); i++) { /* a statement of its own */
		json_t *o = json_array_get(items, i), *chosen = json_incref(json_object_get(o, "results"));

		(void)json_object_set_new(o, "results", results_json(k, chosen));
		json_decref(chosen);
		r = put_waiting(k, o);
	}
	if (r) {
		json_decref(items);
		api_failed(k, "campaigns", r);
		return;
	}
	api_ok(k, 200, json_pack("{s:o}", "items", items));
}

/* ---- he takes part in the dialling, or not just now ---- */

struct part_job {
	struct res_ctx c;
	int64_t id;
	bool part, changed;
};

static int part_job(struct db *db, void *arg)
{
	struct part_job *j = arg;

	j->c.db = db;
	return campaign_part(&j->changed, &j->c, j->id, j->c.who->user_id, j->part);
}

void desk_campaign_part(struct ask *k)
{
	struct res_error e = {0};
	struct part_job j = {.c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms}, .part = !strcmp(strrchr(http_path(k->rq), '/'), "/join")};
	int r;

	if (!api_path_id(k, &j.id))
		return;
	r = db_writer_call(k->api->conf.writer, DB_TELEPHONY, part_job, &j);
	res_ctx_done(&j.c);
	if (r) {
		api_refuse_res(k, r, "campaign", &e);
		return;
	}
	res_error_done(&e);
	if (j.changed)
		api_conf_changed(k->api, k->db);
	api_none(k);
}

/* ---- do not call again ---- */

struct bar_job {
	struct res_ctx c;
	int64_t customer_id, campaign_id;
	char number[64];
	bool undo;
};

static int bar_job(struct db *db, void *arg)
{
	struct bar_job *j = arg;

	j->c.db = db;
	return j->undo ? campaign_unbar(&j->c, j->customer_id, j->number) : campaign_bar(&j->c, j->customer_id, j->number, j->campaign_id);
}

#define OWN_CALL_MS 86400000ll

/* A call that he had himself, and not long ago: while he writes what was said. DB_ROW: it is there. */
static int own_call(struct ask *k, struct bar_job *j, int64_t call_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db,
			   "SELECT CASE WHEN c.dir = 'out' THEN i.to_number ELSE i.from_number END, COALESCE(c.customer_id, 0) FROM call c JOIN call_pii i ON i.call_id = c.id"
			   " WHERE c.id = $1 AND c.centre_id = $2 AND c.agent_id = $3 AND c.start_ms > $4");

	if (r)
		return r;
	db_bind_i64(st, 1, call_id);
	db_bind_i64(st, 2, k->who.centre_id);
	db_bind_i64(st, 3, k->who.user_id);
	db_bind_i64(st, 4, k->now_ms - OWN_CALL_MS);
	r = db_step(st);
	if (r == DB_ROW && db_text(st, 0)) {
		(void)str_copy(j->number, sizeof(j->number), db_text(st, 0));
		j->customer_id = db_i64(st, 1);
	}
	db_done(st);
	return r == DB_ROW && !j->number[0] ? 0 : r;
}

/* As the list of customers has it, whatever the trunk made of it. */
static void plain_number(struct bar_job *j)
{
	struct num n;

	if (num_read(&n, j->number, ""))
		(void)str_copy(j->number, sizeof(j->number), n.text);
}

/* The customer he names and may see, or whoever he talks with. */
static bool take_barred(struct ask *k, struct bar_job *j)
{
	json_t *bad = NULL;
	const char *customer = api_text(k, "customer_id", 20, false, &bad), *call = api_text(k, "call_id", 20, false, &bad);
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int64_t call_id = 0;
	struct db_stmt *st;
	int r;

	if (!bad && customer && !str_to_i64(&j->customer_id, customer, 1, INT64_MAX))
		bad = json_pack("{s:s}", "customer_id", "ref");
	if (!bad && call && !str_to_i64(&call_id, call, 1, INT64_MAX))
		bad = json_pack("{s:s}", "call_id", "ref");
	if (!bad && !j->customer_id == !call_id)
		bad = json_pack("{s:s}", "customer_id", "required");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return false;
	}
	if (call_id && live_other_side(k->api->live, k->who.user_id, call_id, j->number)) {
		j->customer_id = live_customer_of(k->api->live, call_id);
		return true;
	}
	if (call_id) {
		r = own_call(k, j, call_id);
		if (r < 0)
			api_failed(k, "call", r);
		else if (r != DB_ROW)
			api_refuse(k, "not_found", NULL, NULL);
		return r == DB_ROW;
	}
	r = res_may_row(&c, res_find("customers"), j->customer_id, RES_READ);
	if (r) {
		api_refuse_res(k, r, "do-not-call", &e);
		return false;
	}
	r = db_prepare(&st, k->db, "SELECT number FROM customer_phones WHERE customer_id = $1 ORDER BY sort, id LIMIT 1");
	if (!r) {
		db_bind_i64(st, 1, j->customer_id);
		r = db_step(st);
		if (r == DB_ROW)
			(void)str_copy(j->number, sizeof(j->number), db_text(st, 0));
		db_done(st);
	}
	if (r != DB_ROW)
		api_refuse(k, "not_found", NULL, NULL);
	return r == DB_ROW;
}

void desk_do_not_call(struct ask *k)
{
	struct res_error e = {0};
	struct bar_job j = {.c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms}};
	int r;

	j.undo = !strcmp(strrchr(http_path(k->rq), '/'), "/undo");
	if (!take_barred(k, &j))
		return;
	plain_number(&j);
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, bar_job, &j);
	res_ctx_done(&j.c);
	if (r) {
		api_refuse_res(k, r, "do-not-call", &e);
		return;
	}
	res_error_done(&e);
	api_none(k);
}

/* ---- by the clock ---- */

struct end_job {
	int64_t centre_id, id, now_ms;
};

/* As the program; who started it is told by the list. */
static int end_job(struct db *db, void *arg)
{
	const struct end_job *j = arg;
	struct system_ctx s;
	json_t *row = NULL;
	bool changed;
	int r;

	system_init(&s, db, j->centre_id);
	s.c.now_ms = j->now_ms;
	r = campaign_state(&row, &changed, &s.c, j->id, "stop");
	system_done(&s);
	json_decref(row);
	return r;
}

struct watched {
	int64_t id, target, answered;
	int32_t end_day;
	char name[256];
};

static int read_running(struct watched *list, size_t *n, struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT c.id, c.target, COALESCE((SELECT SUM(t.n) FROM campaign_tally t WHERE t.campaign_id = c.id AND t.result = 'answered'), 0), COALESCE(c.end_day, ''), c.name"
			   " FROM campaigns c WHERE c.centre_id = $1 AND c.state = 'running' ORDER BY c.id LIMIT $2");

	*n = 0;
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, LIST_MAX);
	while ((r = db_step(st)) == DB_ROW) {
		struct watched *w = &list[(*n)++];

		*w = (struct watched){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2)};
		w->end_day = (int32_t)campaign_day_of(db_text(st, 3));
		(void)str_copy(w->name, sizeof(w->name), db_text(st, 4));
	}
	db_done(st);
	return r;
}

struct care {
	int64_t centre_id;
	const struct zone *zone;
};

static int care_job(struct db *db, void *arg)
{
	const struct care *x = arg;
	int64_t now = clock_utc_ms();
	size_t n = 0;
	int r = campaign_shown_rest(&n, db, x->centre_id, now);

	if (n)
		log_warn("numbers shown rest n=%zu: they are answered less than the others", n);
	if (!r)
		r = campaign_demo_refill(db, x->centre_id, now);
	return r ? r : campaign_ring_backs(&n, db, x->zone, x->centre_id, now);
}

static void watch_list(struct api *a, const struct watched *w, struct db *db, int64_t now_ms)
{
	struct campaign_pace p;
	char detail[64];
	int dry;

	if (campaign_pace_read(&p, db, w->id, now_ms))
		return;
	dry = campaign_dry_in(p.due, p.coming, (double)p.last_hour / 60);
	(void)snprintf(detail, sizeof(detail), "%d", dry);
	if (a->sw)
		(void)sw_raise(a->sw, "list_dry", w->id, w->name, detail, p.open && dry >= 0 && dry < DRY_ALARM_MIN);
}

/* Also after the last campaign has ended, for as long as somebody may ring back. */
static bool ring_backs_due(struct db *db, int64_t centre_id)
{
	int64_t n = 0;

	return !db_get_i64(&n, db, "SELECT CASE WHEN EXISTS (SELECT 1 FROM campaigns WHERE centre_id = $1 AND started_ms IS NOT NULL) THEN 1 ELSE 0 END", "i", centre_id) && n;
}

void campaigns_watch(struct api *a, const struct zone *zone)
{
	struct watched list[LIST_MAX];
	struct db *db = api_db(a);
	int64_t now = clock_utc_ms(), day = zone_day(zone, now), centre = a->conf.centre_id;
	bool ended = false;
	size_t n = 0;

	if (!db || read_running(list, &n, db, centre))
		return;
	for (size_t i = 0; i < n; i++) {
		const struct watched *w = &list[i];
		struct end_job j = {centre, w->id, now};

		if ((!w->target || w->answered < w->target) && (!w->end_day || day <= w->end_day))
			watch_list(a, w, db, now);
		else if (!db_writer_call(a->conf.writer, DB_BUSINESS, end_job, &j)) {
			log_info("campaign has reached its end campaign=%lld answered=%lld", (long long)w->id, (long long)w->answered);
			ended = true;
		}
	}
	if (ended)
		api_conf_changed(a, db);
	if (n || ring_backs_due(db, centre))
		(void)db_writer_call(a->conf.writer, DB_BUSINESS, care_job, &(struct care){centre, zone});
}
