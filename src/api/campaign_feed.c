/*
 * Feeds the switch with claims, and brings what became of them to their leads: a thread of its own, so that nothing else that waits for the
 * database stands before an agent who is free.
 *
 *   switch: ask_leads --queue--> this thread --writer: campaign_claims, commit--> sw_claims --> switch
 *   log: attempt.end --fold--> attempt --this thread, writer: campaign_apply--> lead
 *
 * At start what an earlier run has left is settled before anything is claimed.
 */
#include "api/campaigns.h"

#include "campaign/campaign.h"
#include "people/sales.h"

#define ASKED_MAX 256
#define BUSY_MS 500        /* attempts are going on */
#define IDLE_MS 3000
#define AGAIN_MS 60000     /* the switch asks again at the latest then: leads may have come */
#define PIECE_MS 15
#define WATCH_MS 30000

struct asked {
	int64_t campaign_id;
	int want;
	struct sw *sw;
};

struct campaign_feed {
	struct api *api;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop, running;
	struct asked asked[ASKED_MAX]; /* under the lock, as what follows */
	size_t asked_n;
	struct campaign_said said[CAMPAIGN_SAID_MAX];
	size_t said_n;
	struct zone *zone;             /* the thread's own */
	bool settled;
	int64_t watched_ms;
};

/* ---- jobs on the writer ---- */

struct claims_job {
	struct campaign_feed *f;
	int64_t campaign_id;
	unsigned want;
	struct campaign_given given;
};

static int claims_job(struct db *db, void *arg)
{
	struct claims_job *j = arg;

	return campaign_claims(&j->given, db, j->f->zone, j->f->api->conf.centre_id, j->campaign_id, j->want, clock_utc_ms(), clock_mono_ms() + PIECE_MS);
}

struct apply_job {
	struct campaign_feed *f;
	bool orphans, more;
	size_t n;
};

static int apply_job(struct db *db, void *arg)
{
	struct apply_job *j = arg;

	return campaign_apply(&j->more, &j->n, db, j->f->zone, j->f->api->conf.centre_id, j->orphans, clock_utc_ms());
}

struct back_job {
	struct campaign_feed *f;
	int64_t ids[CAMPAIGN_CLAIMS_MAX];
	size_t n;
};

static int back_job(struct db *db, void *arg)
{
	struct back_job *j = arg;

	return campaign_give_back(db, j->f->zone, j->f->api->conf.centre_id, j->ids, j->n, clock_utc_ms());
}

/* ---- what was said last, for who asks why there is no call ---- */

static void remember(struct campaign_feed *f, const struct claims_job *j)
{
	struct campaign_said *s = NULL;

	(void)pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->said_n && !s; i++)
		s = f->said[i].campaign_id == j->campaign_id ? &f->said[i] : NULL;
	if (!s)
		s = &f->said[f->said_n < CAMPAIGN_SAID_MAX ? f->said_n++ : 0];
	*s = (struct campaign_said){j->campaign_id, clock_utc_ms(), j->given.why, j->given.more_at_ms, j->given.n, j->given.refused};
	(void)pthread_mutex_unlock(&f->lock);
}

bool campaign_feed_said(struct campaign_feed *f, int64_t campaign_id, struct campaign_said *ret)
{
	bool found = false;

	(void)pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->said_n && !found; i++)
		if (f->said[i].campaign_id == campaign_id) {
			*ret = f->said[i];
			found = true;
		}
	(void)pthread_mutex_unlock(&f->lock);
	return found;
}

/* ---- one question ---- */

static void hand_over(struct campaign_feed *f, const struct asked *q, const struct claims_job *j)
{
	struct sw_claim claims[CAMPAIGN_CLAIMS_MAX];
	const struct campaign_given *g = &j->given;
	int64_t now = clock_utc_ms(), more = g->more_at_ms && g->more_at_ms < now + AGAIN_MS ? g->more_at_ms : now + AGAIN_MS;
	struct back_job back = {.f = f};

	for (size_t i = 0; i < g->n; i++) {
		const struct campaign_claim *c = &g->claims[i];

		claims[i] = (struct sw_claim){.id = c->id, .campaign_id = c->campaign_id, .lead_id = c->lead_id, .customer_id = c->customer_id,
					      .agent_id = c->agent_id, .until_ms = c->until_ms, .nth = c->nth, .score_permille = c->score_permille};
		(void)str_copy(claims[i].number, sizeof(claims[i].number), c->number);
		(void)str_copy(claims[i].show, sizeof(claims[i].show), c->show);
		back.ids[back.n++] = c->id;
	}
	if (!sw_claims(q->sw, q->campaign_id, claims, g->n, g->why == CAMPAIGN_MORE ? 0 : more, campaign_why_name(g->why)) || !g->n)
		return;
	if (db_writer_call(f->api->conf.writer, DB_TELEPHONY, back_job, &back))
		log_warn("claims that the switch did not take stay until the next start campaign=%lld n=%zu", (long long)q->campaign_id, back.n);
}

static void answer(struct campaign_feed *f, const struct asked *q)
{
	struct claims_job j = {.f = f, .campaign_id = q->campaign_id, .want = q->want > 0 ? (unsigned)q->want : 1};
	int r = db_writer_call(f->api->conf.writer, DB_TELEPHONY, claims_job, &j);

	if (r) {
		log_warn("no claims campaign=%lld error=%d, the switch asks again", (long long)q->campaign_id, -r);
		return;
	}
	remember(f, &j);
	hand_over(f, q, &j);
}

/* ---- the thread ---- */

/* True: everything that there was has been applied. */
static bool apply_all(struct campaign_feed *f, bool orphans)
{
	struct apply_job j = {.f = f, .orphans = orphans, .more = true};
	int r = 0;

	while (!r && j.more && !f->api->stopping) {
		r = db_writer_call(f->api->conf.writer, DB_BUSINESS, apply_job, &j);
		if (!r && j.n && orphans)
			log_info("claims of an earlier run are unknown n=%zu", j.n);
	}
	return !r && !j.more;
}

/* -1: the database does not answer. */
static int64_t waiting(struct campaign_feed *f, struct db *db)
{
	int64_t n = 0;
	/* attempt_new and dial_claims_number serve it */
	int r = db_get_i64(&n, db, "SELECT CASE WHEN EXISTS (SELECT 1 FROM attempt WHERE applied = 0 AND end_ms IS NOT NULL) THEN 2"
				   " WHEN EXISTS (SELECT 1 FROM dial_claims WHERE centre_id = $1 AND state = 'open') THEN 1 ELSE 0 END", "i", f->api->conf.centre_id);

	return r ? -1 : n;
}

static bool ready(struct campaign_feed *f, struct db *db)
{
	if (!f->zone && sales_zone(&f->zone, db))
		return false;
	if (!f->settled)
		f->settled = apply_all(f, false) && apply_all(f, true);
	return f->settled;
}

/* The next question, or none by @ms. False: the end. */
static bool next(struct campaign_feed *f, struct asked *q, int ms)
{
	struct timespec until;
	bool stop;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	*q = (struct asked){0};
	(void)pthread_mutex_lock(&f->lock);
	while (!f->stop && !(f->asked_n && f->settled) && pthread_cond_timedwait(&f->wake, &f->lock, &until) != ETIMEDOUT)
		;
	if (f->asked_n && f->settled) {
		*q = f->asked[0];
		memmove(&f->asked[0], &f->asked[1], --f->asked_n * sizeof(f->asked[0]));
	}
	stop = f->stop;
	(void)pthread_mutex_unlock(&f->lock);
	return !stop;
}

static void *run(void *arg)
{
	struct campaign_feed *f = arg;
	struct asked q;
	int ms = 0;

	(void)pthread_setname_np(pthread_self(), "hw-leads");
	while (next(f, &q, ms)) {
		struct db *db = api_db(f->api);
		int64_t n = db && ready(f, db) ? waiting(f, db) : -1;

		if (n == 2) /* before claiming: what has just ended counts */
			(void)apply_all(f, false);
		if (q.campaign_id && f->settled)
			answer(f, &q);
		if (f->settled && clock_mono_ms() - f->watched_ms >= WATCH_MS) {
			f->watched_ms = clock_mono_ms();
			campaigns_watch(f->api, f->zone);
		}
		ms = n > 0 ? BUSY_MS : n < 0 ? 1000 : IDLE_MS;
	}
	return NULL;
}

void api_ask_leads(struct sw *sw, int64_t campaign_id, int want, void *arg)
{
	struct api *a = arg;
	struct campaign_feed *f = a->feed;

	if (a->stopping || !f)
		return;
	(void)pthread_mutex_lock(&f->lock);
	if (f->asked_n < ASKED_MAX)
		f->asked[f->asked_n++] = (struct asked){campaign_id, want, sw};
	(void)pthread_cond_signal(&f->wake);
	(void)pthread_mutex_unlock(&f->lock);
}

void campaign_feed_again(struct api *a, int64_t campaign_id)
{
	if (a->sw)
		(void)sw_claims(a->sw, campaign_id, NULL, 0, 0, campaign_why_name(CAMPAIGN_MORE));
}

int campaign_feed_new(struct campaign_feed **ret, struct api *a)
{
	struct campaign_feed *f = xcalloc(1, sizeof(*f));
	pthread_condattr_t attr;
	int r;

	f->api = a;
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	*ret = f;
	r = a->conf.writer ? -pthread_create(&f->thread, NULL, run, f) : 0;
	f->running = a->conf.writer && !r;
	return r;
}

void campaign_feed_stop(struct campaign_feed *f)
{
	if (!f || !f->running)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->stop = true;
	(void)pthread_cond_signal(&f->wake);
	(void)pthread_mutex_unlock(&f->lock);
	(void)pthread_join(f->thread, NULL);
	f->running = false;
}

void campaign_feed_free(struct campaign_feed *f)
{
	if (!f)
		return;
	campaign_feed_stop(f);
	zone_free(f->zone);
	free(f);
}
