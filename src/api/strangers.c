/* Who knocks: bans and counts of telephony, asked of the switch, and log-ins of the page that were refused. */
#include "api/api_int.h"

#define LOGINS_MAX 256

/* ---- log-ins refused ---- */

struct refused {
	char address[64], login[65];
	int64_t count, last_ms; /* count 0: empty */
};

struct strangers {
	pthread_mutex_t lock;
	struct refused list[LOGINS_MAX];
};

struct strangers *strangers_new(void)
{
	struct strangers *s = xcalloc(1, sizeof(*s));

	(void)pthread_mutex_init(&s->lock, NULL);
	return s;
}

void strangers_free(struct strangers *s)
{
	if (!s)
		return;
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct refused *find(struct strangers *s, const char *address, const char *login)
{
	for (size_t i = 0; i < LOGINS_MAX; i++)
		if (s->list[i].count && !strcmp(s->list[i].address, address) && !strcmp(s->list[i].login, login))
			return &s->list[i];
	return NULL;
}

void strangers_note(struct strangers *s, const char *address, const char *login, int64_t now_ms)
{
	struct refused *r;
	char name[sizeof(r->login)];

	(void)str_copy(name, sizeof(name), login);
	(void)pthread_mutex_lock(&s->lock);
	r = find(s, address, name);
	if (!r) {
		r = &s->list[0]; /* the one that was seen longest ago gives way */
		for (size_t i = 1; i < LOGINS_MAX; i++)
			if (s->list[i].last_ms < r->last_ms)
				r = &s->list[i];
		*r = (struct refused){0};
		(void)str_copy(r->address, sizeof(r->address), address);
		(void)str_copy(r->login, sizeof(r->login), name);
	}
	r->count++;
	r->last_ms = now_ms;
	(void)pthread_mutex_unlock(&s->lock);
}

static bool lift_logins(struct api *a, const char *address)
{
	struct strangers *s = a->strangers;
	char pair[160];
	bool any = false;

	limiter_forget(a->login_address, address);
	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < LOGINS_MAX; i++) {
		struct refused *r = &s->list[i];

		if (!r->count || strcmp(r->address, address) != 0)
			continue;
		(void)snprintf(pair, sizeof(pair), "%s %s", address, r->login);
		limiter_forget(a->login_pair, pair);
		*r = (struct refused){0};
		any = true;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return any;
}

static int64_t wait_of(struct api *a, const struct refused *r)
{
	char pair[160];
	int64_t x, y;

	(void)snprintf(pair, sizeof(pair), "%s %s", r->address, r->login);
	x = limiter_wait_ms(a->login_pair, pair, clock_mono_ms());
	y = limiter_wait_ms(a->login_address, r->address, clock_mono_ms());
	return x > y ? x : y;
}

/* By address. Names are not told: people type their password where the name belongs. */
static json_t *logins(struct api *a)
{
	struct strangers *s = a->strangers;
	json_t *all = json_array();

	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < LOGINS_MAX; i++) {
		int64_t count = 0, last_ms = 0, wait_ms = 0, names = 0;
		bool first = s->list[i].count > 0;

		for (size_t j = 0; j < i && first; j++)
			first = !s->list[j].count || strcmp(s->list[j].address, s->list[i].address) != 0;
		for (size_t j = i; j < LOGINS_MAX && first; j++) {
			const struct refused *r = &s->list[j];
			int64_t wait;

			if (!r->count || strcmp(r->address, s->list[i].address) != 0)
				continue;
			wait = wait_of(a, r);
			count += r->count;
			names++;
			last_ms = r->last_ms > last_ms ? r->last_ms : last_ms;
			wait_ms = wait > wait_ms ? wait : wait_ms;
		}
		if (first)
			(void)json_array_append_new(all, json_pack("{s:s, s:I, s:I, s:I, s:I}", "source", s->list[i].address, "count",
								   (json_int_t)count, "names", (json_int_t)names, "last_ms", (json_int_t)last_ms,
								   "wait_ms", (json_int_t)wait_ms));
	}
	(void)pthread_mutex_unlock(&s->lock);
	return all;
}

/* ---- asked of the switch ---- */

/* NULL and @answer (NULL: there is none), or a code. */
static const char *ask_switch(struct api *a, struct sw_stranger_ask *q, json_t **answer)
{
	*answer = NULL;
	if (!a->sw)
		return "stopping";
	q->answer = api_wait_json;
	q->arg = api_wait_new();
	return api_wait_for(q->arg, sw_strangers(a->sw, q), NULL, answer);
}

void strangers_get(struct ask *k)
{
	struct sw_stranger_ask q = {0};
	json_t *answer;
	const char *code = ask_switch(k->api, &q, &answer);

	if (code || !answer) {
		api_refuse(k, code ? code : "internal", NULL, NULL);
		return;
	}
	(void)json_object_set_new(answer, "logins", logins(k->api));
	api_ok(k, 200, answer);
}

/* ---- lifted ---- */

struct lift_job {
	struct ask *k;
	json_t *what;
};

static int audit_lift(struct db *db, void *arg)
{
	const struct lift_job *j = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &j->k->who, .error = &e, .now_ms = j->k->now_ms};
	int r = res_audit(&c, "strangers", 0, "lift", j->what, NULL);

	res_error_done(&e);
	return r;
}

void strangers_lift(struct ask *k)
{
	json_t *bad = NULL, *answer = NULL;
	const char *source = api_text(k, "source", 51, true, &bad), *user = api_text(k, "user", 255, false, &bad), *code = NULL;
	bool web = api_flag(k, "web", &bad), found;
	struct sw_stranger_ask q = {.lift = true};
	struct lift_job j = {.k = k};
	int r;

	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	(void)str_copy(q.source, sizeof(q.source), source);
	(void)str_copy(q.user, sizeof(q.user), user ? user : "");
	if (web)
		found = lift_logins(k->api, source);
	else {
		code = ask_switch(k->api, &q, &answer);
		found = answer != NULL;
		json_decref(answer);
	}
	if (code || !found) {
		api_refuse(k, code ? code : "not_found", NULL, NULL);
		return;
	}
	j.what = json_pack("{s:s, s:s, s:b}", "source", q.source, "user", q.user, "web", web);
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, audit_lift, &j);
	json_decref(j.what);
	if (r)
		api_failed(k, "audit", r);
	else
		api_none(k);
}
