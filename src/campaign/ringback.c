#include "campaign/ringback.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "campaign/campaign.h"
#include "campaign/rules.h"
#include "db/db.h"
#include "journal/zone.h"
#include "people/sales.h"

#define DAY_MS 86400000ll
#define HOUR_MS 3600000ll

static int ringback_days(int64_t *ret, struct db *db, int64_t centre_id)
{
	int r = db_get_i64(ret, db, "SELECT ringback_days FROM outbound_settings WHERE centre_id = $1", "i", centre_id);

	if (r == -ENOENT)
		*ret = 0;
	return r == -ENOENT ? 0 : r;
}

static int dialled(struct campaign_dialled *ret, struct db *db, const char *sql, int64_t a, int64_t b)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, a);
	db_bind_i64(st, 2, b);
	r = db_step(st);
	if (r == DB_ROW) {
		*ret = (struct campaign_dialled){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), db_i64(st, 4), (int32_t)db_i64(st, 5)};
		(void)str_copy(ret->result, sizeof(ret->result), db_text(st, 6));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

#define DIALLED "SELECT d.id, d.campaign_id, d.lead_id, COALESCE(u.id, 0), d.created_ms, d.nth, COALESCE(d.result, '') FROM dial_claims d" \
	" LEFT JOIN attempt a ON a.claim_id = d.id LEFT JOIN users u ON u.id = a.agent_id AND u.active = 1 WHERE "

int campaign_last_dial(struct campaign_dialled *ret, struct db *db, int64_t centre_id, int64_t customer_id, int64_t now_ms)
{
	int64_t days = 0;
	int r = ringback_days(&days, db, centre_id);

	return r ? r : dialled(ret, db, DIALLED "d.customer_id = $1 AND d.created_ms > $2 AND d.state <> 'returned' ORDER BY d.created_ms DESC LIMIT 1", customer_id, now_ms - days * DAY_MS);
}

int campaign_hours_now(bool *ret, struct db *db, int64_t centre_id, int64_t campaign_id, int64_t now_ms)
{
	struct campaign_rules *p = NULL;
	struct zone *zone = NULL;
	int r = sales_zone(&zone, db);

	if (!r)
		r = campaign_rules_load(&p, db, zone, centre_id, campaign_id, now_ms);
	if (!r)
		*ret = guard_is_open(&p->own, &p->when, p->wall_ms, NULL);
	campaign_rules_free(p);
	zone_free(zone);
	return r;
}

int campaign_main_team(int64_t *ret, struct db *db, int64_t campaign_id)
{
	int r = db_get_i64(ret, db,
			   "SELECT u.team_id FROM campaign_people p JOIN users u ON u.id = p.user_id WHERE p.campaign_id = $1 AND u.active = 1 AND u.team_id IS NOT NULL"
			   " GROUP BY u.team_id ORDER BY COUNT(*) DESC, u.team_id LIMIT 1", "i", campaign_id);

	if (r == -ENOENT)
		*ret = 0;
	return r == -ENOENT ? 0 : r;
}

int campaign_ring_backs(size_t *n, struct db *db, const struct zone *zone, int64_t centre_id, int64_t now_ms)
{
	int64_t days = 0;
	int r = ringback_days(&days, db, centre_id);

	*n = 0;
	if (r || !days)
		return r;
	/* call_start, then dial_claims_customer serve it. A claim's own call is one out. */
	r = db_run(db,
		   "INSERT INTO ring_backs (call_id, centre_id, campaign_id, customer_id, claim_id, agent_id, at_ms, day)"
		   " SELECT c.id, c.centre_id, d.campaign_id, c.customer_id, d.id, (SELECT a.agent_id FROM attempt a WHERE a.claim_id = d.id), c.start_ms, $3"
		   " FROM call c JOIN dial_claims d ON d.id = (SELECT x.id FROM dial_claims x WHERE x.customer_id = c.customer_id AND x.created_ms < c.start_ms"
		   " AND x.created_ms > c.start_ms - $4 AND x.state <> 'returned' ORDER BY x.created_ms DESC LIMIT 1)"
		   " WHERE c.centre_id = $1 AND c.start_ms > $2 AND c.dir = 'in' AND c.customer_id IS NOT NULL ON CONFLICT (call_id) DO NOTHING",
		   "iiii", centre_id, now_ms - HOUR_MS, zone_day(zone, now_ms), days * DAY_MS);
	*n = r ? 0 : (size_t)db_changes(db);
	return r;
}

/* ---- what is shown beside a call ---- */

static json_t *about_json(const struct campaign_dialled *d, bool now, struct db_stmt *st)
{
	char campaign[24], lead[24];

	(void)snprintf(campaign, sizeof(campaign), "%lld", (long long)d->campaign_id);
	(void)snprintf(lead, sizeof(lead), "%lld", (long long)d->lead_id);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:b}", "campaign_id", campaign, "name", db_text(st, 0), "mode", db_text(st, 1), "script", db_text(st, 2),
			 "lead_id", lead, "nth", (json_int_t)d->nth, "attempts", (json_int_t)db_i64(st, 3), "at_ms", (json_int_t)d->at_ms, "result", d->result, "now", now);
}

int campaign_about(json_t **ret, struct db *db, int64_t centre_id, int64_t call_id, int64_t customer_id, int64_t now_ms)
{
	struct campaign_dialled d;
	struct db_stmt *st;
	bool now = false;
	int r = -ENOENT;

	*ret = NULL;
	if (call_id) { /* attempt_call serves it */
		r = dialled(&d, db, DIALLED "d.id = (SELECT t.claim_id FROM attempt t WHERE t.call_id = $1 ORDER BY t.claim_id DESC LIMIT 1) AND d.centre_id = $2", call_id, centre_id);
		now = !r;
	}
	if (r == -ENOENT && customer_id) {
		r = campaign_last_dial(&d, db, centre_id, customer_id, now_ms);
		now = !r && !call_id && !d.result[0]; /* shown before it is dialled */
	}
	if (r)
		return r == -ENOENT ? 0 : r;
	r = db_prepare(&st, db, "SELECT c.name, c.mode, COALESCE(c.script, ''), l.attempts FROM campaigns c JOIN campaign_leads l ON l.id = $2 WHERE c.id = $1");
	if (r)
		return r;
	db_bind_i64(st, 1, d.campaign_id);
	db_bind_i64(st, 2, d.lead_id);
	r = db_step(st);
	if (r == DB_ROW)
		*ret = about_json(&d, now, st);
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* ---- clicks ---- */

/* Of today's clicks, those on customers of the same campaign, too. */
static int over_cap(bool *ret, struct db *db, int64_t centre_id, int64_t user_id, int64_t customer_id, int64_t midnight_ms)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT COALESCE((SELECT s.click_day_max FROM outbound_settings s WHERE s.centre_id = $1), 0),"
			   " (SELECT COUNT(*) FROM click_dials k WHERE k.user_id = $2 AND k.at_ms >= $4), c.click_day_max,"
			   " (SELECT COUNT(*) FROM click_dials k WHERE k.user_id = $2 AND k.at_ms >= $4 AND k.campaign_id = c.id)"
			   " FROM (SELECT 1 AS one) AS x LEFT JOIN campaigns c ON c.id = (SELECT l.campaign_id FROM campaign_leads l JOIN campaigns y ON y.id = l.campaign_id"
			   " WHERE l.customer_id = $3 AND y.state = 'running' ORDER BY y.priority DESC, y.id LIMIT 1)");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, user_id);
	db_bind_i64(st, 3, customer_id);
	db_bind_i64(st, 4, midnight_ms);
	r = db_step(st);
	*ret = r == DB_ROW && ((db_i64(st, 0) && db_i64(st, 1) >= db_i64(st, 0)) || (!db_is_null(st, 2) && db_i64(st, 2) && db_i64(st, 3) >= db_i64(st, 2)));
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

int campaign_may_click(enum click *ret, struct db *db, int64_t centre_id, int64_t user_id, int64_t customer_id, const char *number, int64_t midnight_ms, int64_t now_ms)
{
	int64_t barred = 0;
	bool over = false;
	/* do_not_call_number and do_not_call_customer serve it */
	int r = db_get_i64(&barred, db,
			   "SELECT CASE WHEN EXISTS (SELECT 1 FROM do_not_call WHERE centre_id = $1 AND number = $2 AND campaign_id IS NULL AND (until_ms IS NULL OR until_ms > $4))"
			   " OR EXISTS (SELECT 1 FROM do_not_call WHERE customer_id = $3 AND person = 1 AND campaign_id IS NULL AND (until_ms IS NULL OR until_ms > $4)) THEN 1 ELSE 0 END",
			   "itii", centre_id, number, customer_id, now_ms);

	if (!r && !barred)
		r = over_cap(&over, db, centre_id, user_id, customer_id, midnight_ms);
	*ret = barred ? CLICK_BARRED : over ? CLICK_CAP : CLICK_OK;
	return r;
}

int campaign_clicked(struct db *db, int64_t centre_id, int64_t user_id, int64_t customer_id, int64_t now_ms)
{
	return db_run(db,
		      "INSERT INTO click_dials (id, centre_id, user_id, customer_id, campaign_id, at_ms) VALUES ($1, $2, $3, $4,"
		      " (SELECT l.campaign_id FROM campaign_leads l JOIN campaigns y ON y.id = l.campaign_id WHERE l.customer_id = $4 AND y.state = 'running'"
		      " ORDER BY y.priority DESC, y.id LIMIT 1), $5)",
		      "iiiii", res_next_id(), centre_id, user_id, customer_id, now_ms);
}
