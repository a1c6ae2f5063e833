/*
 * Claims: in one transaction a lead is picked, judged, given a number to show, and marked, so that nobody else can have it. Only after the
 * commit does the switch hear of it. Two unique indexes (an open claim's number, an open claim's lead) stand behind what is checked here.
 */
#include "campaign/campaign.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "campaign/guard.h"
#include "campaign/rules.h"
#include "db/db.h"

#define DAY_MS 86400000ll
#define CLAIM_MS 120000          /* so long a claim waits to be dialled */
#define PREVIEW_CLAIM_MS 900000  /* with somebody reading the record first */
#define AGENT_AGAIN_MS 30000     /* a call-back that its agent could not take is offered to him again */
#define BATCH 20

const char *campaign_why_name(enum campaign_why w)
{
	static const char *const names[] = {
#define X(e, name) [e] = name,
		CAMPAIGN_WHYS(X)
#undef X
	};

	return names[w];
}

struct lead {
	int64_t id, customer_id, agent_id, due_ms;
	int32_t attempts, phone_at, rank;
	char last_result[16];
};

/* What is known of a customer. */
struct facts {
	bool gone, dnc;
	char city[64];
	int32_t phones;             /* in use */
	int64_t phone_id;           /* of those the one in turn */
	char number[64], region[64];
	int32_t today, lead_today, week, open;
	int64_t week_first_ms, last_ms;
};

/* ---- candidates ---- */

/* campaign_leads_due serves it. */
static int leads_due(struct lead *list, size_t *n, size_t max, struct db *db, int64_t campaign_id, int rank, int64_t now_ms)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT id, customer_id, COALESCE(agent_id, 0), next_ms, attempts, phone_at, COALESCE(last_result, '')"
			   " FROM campaign_leads WHERE campaign_id = $1 AND state = 'open' AND rank = $2 AND next_ms <= $3"
			   " AND (agent_id IS NULL OR why_ms IS NULL OR why_ms <= $4) ORDER BY next_ms, id LIMIT $5");

	if (r)
		return r;
	db_bind_i64(st, 1, campaign_id);
	db_bind_i64(st, 2, rank);
	db_bind_i64(st, 3, now_ms);
	db_bind_i64(st, 4, now_ms - AGENT_AGAIN_MS);
	db_bind_i64(st, 5, (int64_t)max);
	while ((r = db_step(st)) == DB_ROW) {
		struct lead *l = &list[(*n)++];

		*l = (struct lead){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), (int32_t)db_i64(st, 4), (int32_t)db_i64(st, 5), rank};
		(void)str_copy(l->last_result, sizeof(l->last_result), db_text(st, 6));
	}
	db_done(st);
	return r;
}

/* When the next lead that waits is due; 0: none waits. */
static int next_due(int64_t *ret, struct db *db, int64_t campaign_id)
{
	int r = 0;

	*ret = 0;
	for (int rank = 0; !r && rank < LEAD_RANKS; rank++) {
		int64_t at;

		r = db_get_i64(&at, db, "SELECT next_ms FROM campaign_leads WHERE campaign_id = $1 AND state = 'open' AND rank = $2 ORDER BY next_ms LIMIT 1",
			       "ii", campaign_id, (int64_t)rank);
		if (!r && (!*ret || at < *ret))
			*ret = at ? at : 1;
		r = r == -ENOENT ? 0 : r;
	}
	return r;
}

/* ---- facts ---- */

static int customer_facts(struct facts *f, struct db *db, const struct campaign_rules *p, int64_t customer_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT c.state, COALESCE(c.city, ''), EXISTS (SELECT 1 FROM do_not_call d WHERE d.customer_id = c.id AND d.person = 1"
			   " AND (d.campaign_id IS NULL OR d.campaign_id = $2) AND (d.until_ms IS NULL OR d.until_ms > $3)) FROM customers c WHERE c.id = $1");

	if (r)
		return r;
	db_bind_i64(st, 1, customer_id);
	db_bind_i64(st, 2, p->campaign_id);
	db_bind_i64(st, 3, p->now_ms);
	r = db_step(st);
	f->gone = r != DB_ROW || strcmp(db_text(st, 0), "active") != 0;
	if (r == DB_ROW) {
		(void)str_copy(f->city, sizeof(f->city), db_text(st, 1));
		f->dnc = db_i64(st, 2);
	}
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* Numbers in their order. One on the list for the person bars them all, one for itself only itself. */
static int phone_facts(struct facts *f, struct db *db, const struct campaign_rules *p, const struct lead *l)
{
	bool barred = false;
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT p.id, p.number, COALESCE(p.region, ''), p.state, COALESCE((SELECT MAX(1 + d.person) FROM do_not_call d WHERE d.centre_id = p.centre_id"
			   " AND d.number = p.number AND (d.campaign_id IS NULL OR d.campaign_id = $2) AND (d.until_ms IS NULL OR d.until_ms > $3)), 0)"
			   " FROM customer_phones p WHERE p.customer_id = $1 ORDER BY p.sort, p.id");

	if (r)
		return r;
	db_bind_i64(st, 1, l->customer_id);
	db_bind_i64(st, 2, p->campaign_id);
	db_bind_i64(st, 3, p->now_ms);
	while ((r = db_step(st)) == DB_ROW) {
		int64_t listed = db_i64(st, 4);

		f->dnc |= listed == 2;
		barred |= listed > 0;
		if (strcmp(db_text(st, 3), "ok") != 0 || listed)
			continue;
		if (!f->phones || f->phones == l->phone_at) { /* past the last one: the first */
			f->phone_id = db_i64(st, 0);
			(void)str_copy(f->number, sizeof(f->number), db_text(st, 1));
			(void)str_copy(f->region, sizeof(f->region), db_text(st, 2));
		}
		f->phones++;
	}
	db_done(st);
	f->dnc |= barred && !f->phones;
	return r;
}

/* dial_claims_customer serves it. */
static int dial_facts(struct facts *f, struct db *db, const struct campaign_rules *p, const struct lead *l)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT COUNT(*), COALESCE(SUM(CASE WHEN created_ms >= $3 THEN 1 ELSE 0 END), 0),"
			   " COALESCE(SUM(CASE WHEN created_ms >= $3 AND lead_id = $4 THEN 1 ELSE 0 END), 0),"
			   " COALESCE(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0), COALESCE(MIN(created_ms), 0), COALESCE(MAX(created_ms), 0)"
			   " FROM dial_claims WHERE customer_id = $1 AND created_ms > $2 AND state <> 'returned'");

	if (r)
		return r;
	db_bind_i64(st, 1, l->customer_id);
	db_bind_i64(st, 2, p->now_ms - 7 * DAY_MS);
	db_bind_i64(st, 3, p->midnight_ms);
	db_bind_i64(st, 4, l->id);
	r = db_step(st);
	if (r == DB_ROW) {
		f->week = (int32_t)db_i64(st, 0);
		f->today = (int32_t)db_i64(st, 1);
		f->lead_today = (int32_t)db_i64(st, 2);
		f->open = (int32_t)db_i64(st, 3);
		f->week_first_ms = db_i64(st, 4);
		f->last_ms = db_i64(st, 5);
	}
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

static struct guard_verdict judge(const struct campaign_rules *p, const struct lead *l, const struct facts *f)
{
	int64_t shift = p->wall_ms - p->now_ms;
	struct guard_in in = {
		.wall_ms = p->wall_ms,
		.gone = f->gone,
		.dnc = f->dnc,
		.number = f->phones > 0,
		.basis = p->basis,
		.taken = f->open > 0,
		.attempts = l->attempts,
		.attempts_max = p->attempts_max,
		.lead_today = f->lead_today,
		.lead_day_max = p->lead_day_max,
		.today = f->today,
		.day_max = p->day_max,
		.week = f->week,
		.week_max = p->week_max,
		.week_first_ms = f->week_first_ms + shift,
		.last_ms = f->last_ms ? f->last_ms + shift : 0,
		.gap_min = l->rank == LEAD_CALLBACK ? 0 : p->gap_min, /* he asked for this time */
		.when = p->when,
	};

	in.when.city = f->city;
	in.when.region = f->region;
	return guard_judge(&p->calendar, &in);
}

/* ---- what becomes of it ---- */

static int tally_guard(struct db *db, const struct campaign_rules *p, const char *why)
{
	return db_run(db,
		      "INSERT INTO guard_tally (campaign_id, day, why, n) VALUES ($1, $2, $3, 1)"
		      " ON CONFLICT (campaign_id, day, why) DO UPDATE SET n = guard_tally.n + 1", "iit", p->campaign_id, p->day, why);
}

static int refuse(struct db *db, const struct campaign_rules *p, const struct lead *l, enum guard_reason why, int64_t again_ms)
{
	const char *name = guard_reason_name(why);
	int r = db_run(db,
		       "UPDATE campaign_leads SET state = $1, next_ms = $2, why = $3, why_ms = $4, updated_ms = $4, rev = rev + 1 WHERE id = $5", "titii",
		       again_ms ? "open" : "closed", again_ms, name, p->now_ms, l->id);

	if (!r)
		r = db_run(db,
			   "INSERT INTO guarded_dials (id, centre_id, rev, created_ms, updated_ms, campaign_id, lead_id, customer_id, why, again_ms)"
			   " VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8)", "iiiiiitr", res_next_id(), p->centre_id, p->now_ms, p->campaign_id, l->id,
			   l->customer_id, name, again_ms);
	return r ? r : tally_guard(db, p, name);
}

/* Of 1000 calls of this kind, how many are answered compared with new ones: a first guess that the pacer's own learning corrects. */
static int32_t score_of(const struct lead *l)
{
	static const struct {
		const char *result;
		int32_t score;
	} after[] = {{"answered", 1300}, {"busy", 1100}, {"noanswer", 750}, {"off", 500}, {"unreachable", 500}, {"assistant", 600}, {"rejected", 500}};

	if (l->rank == LEAD_CALLBACK)
		return 2000;
	for (size_t i = 0; i < ARRAY_LEN(after); i++)
		if (!strcmp(after[i].result, l->last_result))
			return after[i].score;
	return 1000;
}

static char *checked_text(const struct campaign_rules *p, const struct lead *l, const struct facts *f, int64_t open_until_ms)
{
	json_t *o = json_pack("{s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:s}", "open_until", (json_int_t)open_until_ms, "attempts", (int)l->attempts,
			      "attempts_max", (int)p->attempts_max, "today", (int)f->today, "day_max", (int)p->day_max, "week", (int)f->week, "week_max",
			      (int)p->week_max, "city", f->city, "region", f->region, "basis", p->basis_code);
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	return text;
}

static int last_shown(int64_t *ret, struct db *db, int64_t customer_id)
{
	int r = db_get_i64(ret, db, "SELECT show_id FROM dial_claims WHERE customer_id = $1 AND show_id IS NOT NULL ORDER BY created_ms DESC, id DESC LIMIT 1",
			   "i", customer_id);

	if (r == -ENOENT)
		*ret = 0;
	return r == -ENOENT ? 0 : r;
}

static int count_shown(struct db *db, const struct campaign_rules *p, int64_t show_id)
{
	return db_run(db,
		      "INSERT INTO shown_tally (show_id, hour_ms, n, answered) VALUES ($1, $2, 1, 0)"
		      " ON CONFLICT (show_id, hour_ms) DO UPDATE SET n = shown_tally.n + 1", "ii", show_id, campaign_hour(p->now_ms));
}

static int claim(struct campaign_claim *ret, struct db *db, struct campaign_rules *p, const struct lead *l, const struct facts *f, int show,
		 int64_t open_until_ms)
{
	int64_t until = p->now_ms + (p->preview ? PREVIEW_CLAIM_MS : CLAIM_MS);
	char *checked = checked_text(p, l, f, open_until_ms);
	int r;

	*ret = (struct campaign_claim){
		.id = res_next_id(), .campaign_id = p->campaign_id, .lead_id = l->id, .customer_id = l->customer_id,
		.agent_id = p->now_ms < l->due_ms + p->grace_min * 60000ll ? l->agent_id : 0,
		.until_ms = until < open_until_ms ? until : open_until_ms, .nth = l->attempts + 1, .score_permille = score_of(l),
	};
	(void)str_copy(ret->number, sizeof(ret->number), f->number);
	if (show >= 0)
		(void)str_copy(ret->show, sizeof(ret->show), p->pool[show].number);
	r = db_run(db,
		   "INSERT INTO dial_claims (id, centre_id, rev, created_ms, updated_ms, campaign_id, lead_id, customer_id, number, show_id, show, agent_id, nth,"
		   " state, until_ms, checked) VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', $12, $13)",
		   "iiiiiitrtriit", ret->id, p->centre_id, p->now_ms, p->campaign_id, l->id, l->customer_id, f->number, show >= 0 ? p->pool[show].id : 0,
		   show >= 0 ? ret->show : NULL, ret->agent_id, (int64_t)ret->nth, ret->until_ms, checked ? checked : "{}");
	free(checked);
	if (!r)
		r = db_run(db,
			   "UPDATE campaign_leads SET state = 'claimed', claim_id = $1, phone_at = CASE WHEN phone_at < $2 THEN phone_at ELSE 0 END, why = NULL,"
			   " why_ms = NULL, updated_ms = $3, rev = rev + 1 WHERE id = $4", "iiii", ret->id, (int64_t)f->phones, p->now_ms, l->id);
	if (!r && show >= 0) {
		p->pool[show].today++;
		r = count_shown(db, p, p->pool[show].id);
	}
	return r;
}

/* One lead: claimed, refused, or (@resting) left as it is because no number can be shown. */
static int take(struct campaign_given *g, bool *resting, struct db *db, struct campaign_rules *p, const struct lead *l)
{
	struct facts f = {0};
	struct guard_verdict v;
	int64_t last = 0, shift = p->wall_ms - p->now_ms;
	int show = -1, r = customer_facts(&f, db, p, l->customer_id);

	if (!r)
		r = phone_facts(&f, db, p, l);
	if (!r)
		r = dial_facts(&f, db, p, l);
	if (r)
		return r;
	v = judge(p, l, &f);
	if (v.why != GUARD_OK) {
		g->refused++;
		return refuse(db, p, l, v.why, v.again_ms ? v.again_ms - shift : 0);
	}
	if (p->pool_n) {
		r = last_shown(&last, db, l->customer_id);
		show = r ? -1 : shown_pick(p->pool, p->pool_n, last, f.city, f.region);
		*resting = !r && show < 0;
		if (r || show < 0)
			return r;
	}
	return claim(&g->claims[g->n++], db, p, l, &f, show, v.again_ms - shift);
}

#define LOOKED_LEAST 8 /* so many of a rank are looked at before time ends a piece: a slow database must not starve the agents */

/* What is due of one rank. @full: enough, or the time is over. */
static int take_rank(struct campaign_given *g, bool *full, bool *resting, struct db *db, struct campaign_rules *p, int rank, unsigned want, int64_t end_ms)
{
	struct lead list[BATCH];
	size_t n, looked = 0;
	int r = 0;

	do {
		n = 0;
		r = leads_due(list, &n, BATCH, db, p->campaign_id, rank, p->now_ms);
		for (size_t i = 0; !r && i < n && !*full && !*resting; i++) {
			r = take(g, resting, db, p, &list[i]);
			*full = g->n >= want || (++looked >= LOOKED_LEAST && end_ms && clock_mono_ms() >= end_ms);
		}
	} while (!r && n == BATCH && !*full && !*resting);
	return r;
}

/* Why no more: the list is empty, or something waits until then. */
static int say_why(struct campaign_given *g, struct db *db, const struct campaign_rules *p, bool resting)
{
	int64_t due = 0;
	int r;

	if (resting) {
		g->why = CAMPAIGN_RESTING;
		g->more_at_ms = p->now_ms + 60000;
		return 0;
	}
	r = next_due(&due, db, p->campaign_id);
	g->why = due ? g->refused && !g->n ? CAMPAIGN_GUARDED : CAMPAIGN_LATER : CAMPAIGN_EMPTY;
	g->more_at_ms = due && due < p->now_ms + 1000 ? p->now_ms + 1000 : due;
	return r;
}

int campaign_claims(struct campaign_given *ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, unsigned want,
		    int64_t now_ms, int64_t end_ms)
{
	int64_t open;
	struct campaign_rules *p = NULL;
	bool full = false, resting = false;
	int r;

	*ret = (struct campaign_given){0};
	want = want < CAMPAIGN_CLAIMS_MAX ? want : CAMPAIGN_CLAIMS_MAX;
	r = campaign_rules_load(&p, db, zone, centre_id, campaign_id, now_ms);
	if (r == -ENOENT)
		ret->why = CAMPAIGN_NOT_RUNNING;
	if (r)
		return r == -ENOENT ? 0 : r;
	if (!p->running) {
		ret->why = CAMPAIGN_NOT_RUNNING;
	} else if (!guard_is_open(&p->own, &p->when, p->wall_ms, NULL)) {
		ret->why = CAMPAIGN_OUT_OF_HOURS;
		open = guard_next_open(&p->own, &p->when, p->wall_ms);
		ret->more_at_ms = open < 0 ? 0 : open - p->wall_ms + now_ms;
	} else {
		for (int rank = 0; !r && rank < LEAD_RANKS && !full && !resting; rank++)
			r = take_rank(ret, &full, &resting, db, p, rank, want, end_ms);
		if (!r && !full)
			r = say_why(ret, db, p, resting);
	}
	campaign_rules_free(p);
	return r;
}
