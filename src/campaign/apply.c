/*
 * What became of attempts, brought to their leads: a piece at a time on the writer, each once (attempt.applied, and the claim's own state).
 * A claim whose attempt nobody knows, because the program died, counts as dialled: it is tried again after the ordinary pause, never at once.
 */
#include "campaign/campaign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "campaign/rules.h"
#include "db/db.h"
#include "journal/zone.h"
#include "people/declared.h"

#define PIECE 50

struct ended {
	int64_t claim_id, end_ms, talk_ms, ring_ms;
	enum dial_result result;
	bool skipped;                /* RETURNED: an agent saw him and did not want to dial him now */
};

struct claimed {
	int64_t campaign_id, lead_id, customer_id, show_id, created_ms;
	int32_t nth;
	char number[64];
	int32_t phone_at;            /* of the lead */
};

/* Rules of the campaign whose attempts come next; many in a row are of one. */
struct work {
	struct db *db;
	const struct zone *zone;
	int64_t centre_id, now_ms;
	struct campaign_rules *rules;
};

static int rules_of(struct work *w, int64_t campaign_id)
{
	if (w->rules && w->rules->campaign_id == campaign_id)
		return 0;
	campaign_rules_free(w->rules);
	w->rules = NULL;
	return campaign_rules_load(&w->rules, w->db, w->zone, w->centre_id, campaign_id, w->now_ms);
}

/* -ENOENT: there is no such claim, or it has had its end. */
static int claim_get(struct claimed *c, struct db *db, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT d.campaign_id, d.lead_id, d.customer_id, COALESCE(d.show_id, 0), d.created_ms, d.nth, COALESCE(d.number, ''), l.phone_at"
			   " FROM dial_claims d JOIN campaign_leads l ON l.id = d.lead_id WHERE d.id = $1 AND d.state = 'open'");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	r = db_step(st);
	if (r == DB_ROW) {
		*c = (struct claimed){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), db_i64(st, 4), (int32_t)db_i64(st, 5)};
		(void)str_copy(c->number, sizeof(c->number), db_text(st, 6));
		c->phone_at = (int32_t)db_i64(st, 7);
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

int campaign_mark_number(struct db *db, int64_t centre_id, int64_t customer_id, const char *number, enum dial_result result, int64_t now_ms)
{
	struct system_ctx s;
	int64_t id = 0;
	int r;

	if (result != DIAL_EMPTY && result != DIAL_SUSPENDED)
		return 0;
	r = db_get_i64(&id, db, "SELECT id FROM customer_phones WHERE centre_id = $1 AND number = $2 AND customer_id = $3 AND state = 'ok'", "iti", centre_id, number,
		       customer_id);
	if (r)
		return r == -ENOENT ? 0 : r;
	system_init(&s, db, centre_id);
	s.c.now_ms = now_ms;
	r = system_write(NULL, &s, &people_customer_phones, id, json_pack("{s:s}", "state", dial_result_name(result)));
	system_done(&s);
	return r;
}

static int phones_in_use(int32_t *ret, struct work *w, const struct claimed *c)
{
	int64_t n = 0;
	int r = db_get_i64(&n, w->db, "SELECT COUNT(*) FROM customer_phones WHERE customer_id = $1 AND state = 'ok'", "i", c->customer_id);

	*ret = (int32_t)n;
	return r;
}

static int end_claim(struct work *w, const struct ended *e)
{
	return db_run(w->db, "UPDATE dial_claims SET state = $1, result = $2, ended_ms = $3, updated_ms = $4, rev = rev + 1 WHERE id = $5", "ttiii",
		      e->result == DIAL_RETURNED ? "returned" : "ended", dial_result_name(e->result), e->end_ms, w->now_ms, e->claim_id);
}

/* Sums. A number that was not shown after all gets its dial back. */
static int tally(struct work *w, const struct claimed *c, const struct ended *e)
{
	bool answered = e->result == DIAL_ANSWERED || e->result == DIAL_ABANDONED;
	int r = 0;

	if (e->result != DIAL_RETURNED)
		r = db_run(w->db,
			   "INSERT INTO campaign_tally (campaign_id, day, nth, result, n, ring_ms, talk_ms) VALUES ($1, $2, $3, $4, 1, $5, $6)"
			   " ON CONFLICT (campaign_id, day, nth, result) DO UPDATE SET n = campaign_tally.n + 1, ring_ms = campaign_tally.ring_ms + $5,"
			   " talk_ms = campaign_tally.talk_ms + $6",
			   "iiitii", c->campaign_id, zone_day(w->zone, c->created_ms), (int64_t)c->nth, dial_result_name(e->result), e->ring_ms, e->talk_ms);
	if (r || !c->show_id || (e->result != DIAL_RETURNED && !answered))
		return r;
	return db_run(w->db, answered ? "UPDATE shown_tally SET answered = answered + 1 WHERE show_id = $1 AND hour_ms = $2"
				      : "UPDATE shown_tally SET n = n - 1 WHERE show_id = $1 AND hour_ms = $2 AND n > 0",
		      "ii", c->show_id, campaign_hour(c->created_ms));
}

/*
 * As it was. why_ms says when, so that a call-back whose agent is away is not offered to him all the time. Who was skipped waits for a while,
 * or he would be the next one again.
 */
static int lead_returned(struct work *w, const struct claimed *c, const struct ended *e)
{
	if (e->skipped)
		return db_run(w->db,
			      "UPDATE campaign_leads SET state = 'open', claim_id = NULL, next_ms = $1, why = 'skipped', why_ms = $2, updated_ms = $3, rev = rev + 1"
			      " WHERE id = $4 AND state = 'claimed'", "iiii", e->end_ms + CAMPAIGN_SKIP_MIN * 60000ll, e->end_ms, w->now_ms, c->lead_id);
	return db_run(w->db, "UPDATE campaign_leads SET state = 'open', claim_id = NULL, why_ms = $1, updated_ms = $1, rev = rev + 1 WHERE id = $2 AND state = 'claimed'",
		      "ii", w->now_ms, c->lead_id);
}

/* What an agent has written in the meantime (a call-back, a result) stays: the lead is not "claimed" any more then. */
static int lead_ended(struct work *w, const struct claimed *c, const struct ended *e)
{
	struct retry_in in = {.campaign_id = c->campaign_id, .result = e->result, .nth = c->nth, .attempts_max = w->rules->attempts_max, .phone_at = c->phone_at,
			      .next_min = w->rules->next_min};
	struct retry next;
	const char *why;
	int r = phones_in_use(&in.phones, w, c);

	if (r)
		return r;
	next = retry_after(w->rules->retries, w->rules->retry_n, &in);
	why = e->result == DIAL_ANSWERED || !next.close ? NULL : !in.phones ? "number" : in.attempts_max && in.nth >= in.attempts_max ? "attempts" : "result";
	r = db_run(w->db,
		   "UPDATE campaign_leads SET attempts = attempts + 1, last_ms = $1, last_result = $2, updated_ms = $3, rev = rev + 1,"
		   " claim_id = CASE WHEN state = 'claimed' THEN NULL ELSE claim_id END,"
		   " state = CASE WHEN state <> 'claimed' THEN state ELSE $4 END, rank = CASE WHEN state <> 'claimed' OR agent_id IS NOT NULL THEN rank ELSE 1 END,"
		   " next_ms = CASE WHEN state <> 'claimed' THEN next_ms ELSE $5 END, phone_at = CASE WHEN state <> 'claimed' THEN phone_at ELSE $6 END,"
		   " why = CASE WHEN state <> 'claimed' THEN why ELSE $7 END, why_ms = CASE WHEN state <> 'claimed' THEN why_ms ELSE $1 END WHERE id = $8",
		   "ititiiti", e->end_ms, dial_result_name(e->result), w->now_ms,
		   e->result == DIAL_ANSWERED ? "done" : next.close ? "closed" : "open", next.close ? (int64_t)0 : e->end_ms + next.wait_ms, (int64_t)next.phone_at,
		   why, c->lead_id);
	return r;
}

static int apply_one(struct work *w, const struct ended *e)
{
	struct claimed c;
	int r = claim_get(&c, w->db, e->claim_id);

	if (r == -ENOENT)
		return 0; /* applied before, or of another centre's data */
	if (!r)
		r = rules_of(w, c.campaign_id);
	if (!r)
		r = end_claim(w, e);
	if (!r)
		r = campaign_mark_number(w->db, w->centre_id, c.customer_id, c.number, e->result, w->now_ms);
	if (!r)
		r = tally(w, &c, e);
	if (!r)
		r = e->result == DIAL_RETURNED ? lead_returned(w, &c, e) : lead_ended(w, &c, e);
	return r;
}

/* attempt_new serves it. */
static int read_ended(struct ended *list, size_t *n, struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT claim_id, end_ms, CASE WHEN connect_ms IS NULL THEN 0 ELSE end_ms - connect_ms END,"
			   " CASE WHEN ring_ms IS NULL THEN 0 ELSE COALESCE(answer_ms, end_ms) - ring_ms END, result, COALESCE(reason, '') FROM attempt"
			   " WHERE applied = 0 AND end_ms IS NOT NULL AND centre_id = $1 ORDER BY end_ms LIMIT $2");

	*n = 0;
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, PIECE);
	while ((r = db_step(st)) == DB_ROW)
		list[(*n)++] = (struct ended){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), dial_result_of(db_text(st, 4)),
					     !strncmp(db_text(st, 5), "skip:", 5)};
	db_done(st);
	return r;
}

/* Open claims without an attempt that ended: of an earlier run of the program, since this one has told of none yet. */
static int read_orphans(struct ended *list, size_t *n, struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT d.id FROM dial_claims d WHERE d.centre_id = $1 AND d.state = 'open' AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.claim_id = d.id"
			   " AND a.end_ms IS NOT NULL) ORDER BY d.id LIMIT $2");

	*n = 0;
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, PIECE);
	while ((r = db_step(st)) == DB_ROW)
		list[(*n)++] = (struct ended){.claim_id = db_i64(st, 0), .end_ms = now_ms, .result = DIAL_UNKNOWN};
	db_done(st);
	return r;
}

int campaign_give_back(struct db *db, const struct zone *zone, int64_t centre_id, const int64_t *claims, size_t n, int64_t now_ms)
{
	struct work w = {.db = db, .zone = zone, .centre_id = centre_id, .now_ms = now_ms};
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = apply_one(&w, &(struct ended){.claim_id = claims[i], .end_ms = now_ms, .result = DIAL_RETURNED});
	campaign_rules_free(w.rules);
	return r;
}

int campaign_apply(bool *more, size_t *done, struct db *db, const struct zone *zone, int64_t centre_id, bool orphans, int64_t now_ms)
{
	struct work w = {.db = db, .zone = zone, .centre_id = centre_id, .now_ms = now_ms};
	struct ended list[PIECE];
	size_t n = 0;
	int r = orphans ? read_orphans(list, &n, db, centre_id, now_ms) : read_ended(list, &n, db, centre_id);

	for (size_t i = 0; !r && i < n; i++) {
		r = apply_one(&w, &list[i]);
		if (!r && !orphans)
			r = db_run(db, "UPDATE attempt SET applied = 1 WHERE claim_id = $1", "i", list[i].claim_id);
	}
	campaign_rules_free(w.rules);
	*done = n;
	*more = n == PIECE;
	return r;
}
