/*
 * Customers besides their rows: claiming and giving back, merging, whose a number is, requests for another's customer; and what is told of
 * it to those it concerns. What the pool's rules bring about by themselves runs here, a piece at a time.
 */
#include "api/api_int.h"

#include "people/customer.h"

#define REASON_MAX 500
#define TICK_S 60
#define FIRST_TICK_S 20
#define DECIDERS_MAX 50

/* ---- telling ---- */

void customers_tell(struct api *a, int64_t user_id, const char *what, int64_t customer_id, const char *name, int64_t ms, int64_t n)
{
	struct strb b;
	struct jw w;

	if (!user_id)
		return;
	strb_init(&b, 2048);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "what", what);
	if (customer_id)
		jw_id(&w, "customer_id", customer_id);
	jw_str(&w, "name", name);
	jw_int(&w, "ms", ms);
	jw_int(&w, "n", n);
	jw_end_obj(&w);
	live_notice(a->live, 0, user_id, "customer", b.buf, b.len);
	strb_done(&b);
}

/* ---- jobs on the writer ---- */

struct job {
	struct res_ctx c;
	int (*fn)(struct job *j);
	int64_t id, other;
	const char *text, *answer;
	const json_t *fields, *revs;
	json_t *out;
	struct customer_asked asked;
};

static int run_job(struct db *db, void *arg)
{
	struct job *j = arg;

	j->c.db = db;
	return j->fn(j);
}

/* False after refusing. */
static bool submit(struct ask *k, struct job *j, const char *what)
{
	struct res_error e = {0};
	int r;

	j->c = (struct res_ctx){.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, run_job, j);
	res_ctx_done(&j->c);
	if (r) {
		json_decref(j->out);
		api_refuse_res(k, r, what, &e);
		return false;
	}
	res_error_done(&e);
	return true;
}

static void answer_bad(struct ask *k, json_t *bad)
{
	api_refuse(k, "invalid", bad, NULL);
}

/* ---- claim and release ---- */

static int claim_job(struct job *j)
{
	return people_customer_claim(&j->out, &j->c, j->id);
}

void customers_claim(struct ask *k)
{
	struct job j = {.fn = claim_job};

	if (api_path_id(k, &j.id) && submit(k, &j, "claim"))
		api_ok(k, 200, json_pack("{s:o}", "customer", j.out));
}

static int release_job(struct job *j)
{
	return people_customer_release(&j->out, &j->c, j->id, j->text);
}

void customers_release(struct ask *k)
{
	struct job j = {.fn = release_job};
	json_t *bad = NULL;

	if (!api_path_id(k, &j.id))
		return;
	j.text = api_text(k, "reason", REASON_MAX, true, &bad);
	if (bad)
		answer_bad(k, bad);
	else if (submit(k, &j, "release"))
		api_ok(k, 200, json_pack("{s:o}", "customer", j.out));
}

/* ---- merging ---- */

static int merge_job(struct job *j)
{
	return people_customer_merge(&j->out, &j->c, j->id, j->other, j->fields, j->revs);
}

void customers_merge(struct ask *k)
{
	struct job j = {.fn = merge_job, .fields = json_object_get(k->body, "fields"), .revs = k->body};
	json_t *bad = NULL;
	const char *other;

	if (!api_path_id(k, &j.id))
		return;
	other = api_text(k, "other", 20, true, &bad);
	if (!bad && !str_to_i64(&j.other, other, 1, INT64_MAX))
		bad = json_pack("{s:s}", "other", "ref");
	if (bad)
		answer_bad(k, bad);
	else if (submit(k, &j, "merge"))
		api_ok(k, 200, json_pack("{s:o}", "customer", j.out));
}

static int unmerge_job(struct job *j)
{
	return people_customer_unmerge(&j->out, &j->c, j->id);
}

void merges_undo(struct ask *k)
{
	struct job j = {.fn = unmerge_job};

	if (api_path_id(k, &j.id) && submit(k, &j, "unmerge"))
		api_ok(k, 200, j.out);
}

/* ---- whose is it ---- */

static bool take_except(struct ask *k, int64_t *ret, json_t **bad)
{
	const char *v = api_text(k, "customer_id", 20, false, bad);

	*ret = 0;
	if (!*bad && v && *v && !str_to_i64(ret, v, 1, INT64_MAX))
		*bad = json_pack("{s:s}", "customer_id", "ref");
	return !*bad;
}

/* Forms ask while a number is typed; a list of numbers is not to be tried one by one. */
static bool may_ask(struct ask *k)
{
	const char *key = arena_printf(k->arena, "%lld", (long long)k->who.user_id);

	if (limiter_wait_ms(k->api->number_checks, key, clock_mono_ms()))
		return false;
	limiter_note(k->api->number_checks, key, clock_mono_ms());
	return true;
}

void customers_check_number(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	json_t *bad = NULL, *out = NULL;
	const char *number = api_text(k, "number", 96, true, &bad);
	int64_t except;
	int r;

	if (!take_except(k, &except, &bad) || bad) {
		answer_bad(k, bad);
		return;
	}
	if (!may_ask(k)) {
		api_refuse(k, "slow_down", NULL, NULL);
		return;
	}
	r = people_number_check(&out, &c, number, except);
	if (r)
		api_refuse_res(k, r, "number", &e);
	else
		api_ok(k, 200, privacy_answer(k, out));
}

void customers_similar(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	json_t *bad = NULL, *out = NULL;
	int64_t except;
	int r;

	if (!take_except(k, &except, &bad)) {
		answer_bad(k, bad);
		return;
	}
	r = people_customer_similar(&out, &c, k->body, except);
	if (r)
		api_refuse_res(k, r, "similar", &e);
	else
		api_ok(k, 200, privacy_answer(k, json_pack("{s:o}", "items", out)));
}

/* What a page that shows her offers. */
void customers_may(struct ask *k)
{
	static const enum res_act acts[] = {RES_WRITE, RES_REMOVE};
	bool may[ARRAY_LEN(acts)];
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return;
	for (int i = -1; i < (int)ARRAY_LEN(acts); i++) {
		struct res_error e = {0};
		struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};

		r = res_may_row(&c, &people_customers, id, i < 0 ? RES_READ : acts[i]);
		if (r < 0 || (r && i < 0)) {
			api_refuse_res(k, r, "customers", &e);
			return;
		}
		if (i >= 0)
			may[i] = !r;
		res_error_done(&e);
	}
	api_ok(k, 200, json_pack("{s:b, s:b}", "write", may[0], "remove", may[1]));
}

void customers_mine(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	json_t *out = NULL;
	int r = people_customer_mine(&out, &c);

	if (r)
		api_refuse_res(k, r, "customers", &e);
	else
		api_ok(k, 200, privacy_answer(k, out));
}

/* ---- requests ---- */

static int ask_job(struct job *j)
{
	return people_customer_ask(&j->asked, &j->c, j->text, j->answer);
}

void customers_ask(struct ask *k)
{
	struct job j = {.fn = ask_job};
	int64_t ids[DECIDERS_MAX];
	json_t *bad = NULL;
	size_t n = 0;

	j.text = api_text(k, "number", 96, true, &bad);
	j.answer = api_text(k, "reason", REASON_MAX, true, &bad);
	if (bad) {
		answer_bad(k, bad);
		return;
	}
	if (!may_ask(k)) { /* its answers tell as much as a check's */
		api_refuse(k, "slow_down", NULL, NULL);
		return;
	}
	if (!submit(k, &j, "ask"))
		return;
	j.c.db = k->db;
	if (!people_customer_deciders(ids, DECIDERS_MAX, &n, &j.c, j.asked.customer_id))
		for (size_t i = 0; i < n; i++)
			customers_tell(k->api, ids[i], "asked", j.asked.customer_id, k->user.name, k->now_ms, 1);
	api_ok(k, 201, json_pack("{s:s, s:s}", "id", arena_printf(k->arena, "%lld", (long long)j.asked.id), "state", "open"));
}

static int decide_job(struct job *j)
{
	return people_customer_decide(&j->asked, &j->c, j->id, j->text, j->answer);
}

void customers_decide(struct ask *k)
{
	struct job j = {.fn = decide_job};
	json_t *bad = NULL;

	if (!api_path_id(k, &j.id))
		return;
	j.text = api_text(k, "action", 16, true, &bad);
	j.answer = api_text(k, "answer", REASON_MAX, false, &bad);
	if (bad) {
		answer_bad(k, bad);
		return;
	}
	if (!submit(k, &j, "decide"))
		return;
	if (strcmp(j.asked.state, "withdrawn") != 0) {
		bool given = strcmp(j.asked.state, "refused") != 0;

		customers_tell(k->api, j.asked.user_id, j.asked.state, given ? j.asked.customer_id : 0, k->user.name, k->now_ms, 1);
		if (given)
			customers_tell(k->api, j.asked.owner_id, !strcmp(j.asked.state, "assigned") ? "given_away" : "shared_with", j.asked.customer_id, k->user.name,
			     k->now_ms, 1);
	}
	api_ok(k, 200, json_pack("{s:s}", "state", j.asked.state));
}

void customers_requests(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	json_t *out = NULL;
	int r = people_customer_requests_of(&out, &c);

	if (r)
		api_refuse_res(k, r, "requests", &e);
	else
		api_ok(k, 200, privacy_answer(k, out));
}

/* ---- what the pool's rules bring about: a thread that asks the writer for a piece, until nothing is due ---- */

struct pool_watch {
	struct api *api;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop, running;
};

struct piece {
	struct customer_tell tell[CUSTOMER_PIECE];
	size_t n;
	bool more;
};

static int piece_job(struct db *db, void *arg)
{
	struct people_centre_info centre;
	struct piece *p = arg;
	int r = people_centre_get(&centre, db);

	if (r)
		return r == -ENOENT ? 0 : r;
	return people_customer_pool_step(p->tell, &p->n, &p->more, db, centre.id, clock_utc_ms());
}

static void tell_piece(struct api *a, const struct piece *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct customer_tell *t = &p->tell[i];

		if (t->news == CUSTOMER_RETURNED)
			log_info("customer went back to the pool customer=%lld user=%lld", (long long)t->customer_id, (long long)t->user_id);
		customers_tell(a, t->user_id, t->news == CUSTOMER_RETURNED ? "returned" : "warned", t->customer_id, t->name, t->back_ms, 1);
	}
}

static bool wait_for(struct pool_watch *w, int seconds)
{
	struct timespec until;
	bool stop;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	(void)pthread_mutex_lock(&w->lock);
	while (!w->stop && pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT)
		;
	stop = w->stop;
	(void)pthread_mutex_unlock(&w->lock);
	return !stop;
}

static void *watch(void *arg)
{
	struct pool_watch *w = arg;
	struct piece p;
	int seconds = FIRST_TICK_S;

	(void)pthread_setname_np(pthread_self(), "hw-pool");
	while (wait_for(w, seconds)) {
		p = (struct piece){0};
		if (db_writer_call(w->api->conf.writer, DB_BUSINESS, piece_job, &p)) {
			seconds = TICK_S; /* the writer has said why */
			continue;
		}
		tell_piece(w->api, &p);
		p.more |= audit_erase_step(w->api);
		if (!p.more)
			allot_night(w->api);
		sounds_sweep(w->api);
		if (api_db(w->api))
			bulks_tick(w->api, api_db(w->api));
		seconds = p.more ? 0 : TICK_S;
	}
	return NULL;
}

int customers_watch_new(struct pool_watch **ret, struct api *a)
{
	struct pool_watch *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int r;

	w->api = a;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	r = a->conf.writer ? -pthread_create(&w->thread, NULL, watch, w) : 0;
	w->running = a->conf.writer && !r;
	*ret = w;
	return r;
}

void customers_watch_stop(struct pool_watch *w)
{
	if (!w || !w->running)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = true;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	w->running = false;
}

void customers_watch_free(struct pool_watch *w)
{
	customers_watch_stop(w);
	free(w);
}
