/* Leads come and go: by hundreds from a list or a sheet, one by one with a customer, and at once when somebody is not to be called. */
#include "campaign/campaign.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/base.h"
#include "campaign/retry.h"
#include "db/db.h"
#include "people/declared.h"

/* campaign_leads_both refuses twins. */
static int add_one(int64_t *added, struct db *db, int64_t centre_id, int64_t campaign_id, int64_t customer_id, int64_t priority, int64_t now_ms)
{
	int r = db_run(db,
		       "INSERT INTO campaign_leads (id, centre_id, rev, created_ms, updated_ms, campaign_id, customer_id, state, priority, rank, next_ms, attempts,"
		       " phone_at) SELECT $1, $2, 1, $3, $3, $4, c.id, 'open', $5, $6, 0, 0, 0 FROM customers c WHERE c.id = $7 AND c.centre_id = $2"
		       " AND c.state = 'active' ON CONFLICT (campaign_id, customer_id) DO NOTHING",
		       "iiiiiii", res_next_id(), centre_id, now_ms, campaign_id, priority, LEAD_NEW + 10 - priority, customer_id);

	if (!r)
		*added += db_changes(db);
	return r;
}

int campaign_add(int64_t *added, int64_t *there, struct db *db, int64_t centre_id, int64_t campaign_id, const int64_t *customers, size_t n,
		 int64_t priority, int64_t now_ms)
{
	int64_t before = *added;
	int r = 0;

	priority = priority < 0 ? 0 : priority > 10 ? 10 : priority;
	for (size_t i = 0; !r && i < n; i++)
		r = add_one(added, db, centre_id, campaign_id, customers[i], priority, now_ms);
	*there += (int64_t)n - (*added - before);
	return r;
}

static int remove_one(int64_t *removed, int64_t *closed, struct db *db, int64_t campaign_id, int64_t id, int64_t now_ms)
{
	int r = db_run(db, "DELETE FROM guarded_dials WHERE lead_id IN (SELECT l.id FROM campaign_leads l WHERE l.id = $1 AND l.campaign_id = $2"
			   " AND l.state <> 'claimed' AND NOT EXISTS (SELECT 1 FROM dial_claims d WHERE d.lead_id = l.id))", "ii", id, campaign_id);

	if (!r)
		r = db_run(db, "DELETE FROM campaign_leads WHERE id = $1 AND campaign_id = $2 AND state <> 'claimed'"
			       " AND NOT EXISTS (SELECT 1 FROM dial_claims d WHERE d.lead_id = campaign_leads.id)", "ii", id, campaign_id);
	if (r || db_changes(db)) {
		*removed += !r;
		return r;
	}
	r = db_run(db, "UPDATE campaign_leads SET state = 'closed', why = 'removed', why_ms = $3, updated_ms = $3, rev = rev + 1"
		       " WHERE id = $1 AND campaign_id = $2 AND state = 'open'", "iii", id, campaign_id, now_ms);
	*closed += r ? 0 : db_changes(db);
	return r;
}

int campaign_remove(int64_t *removed, int64_t *closed, struct db *db, int64_t campaign_id, const int64_t *leads, size_t n, int64_t now_ms)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = remove_one(removed, closed, db, campaign_id, leads[i], now_ms);
	return r;
}

int campaign_close_leads(struct db *db, int64_t customer_id, int64_t campaign_id, int64_t until_ms, int64_t now_ms)
{
	if (!customer_id)
		return 0;
	/* With an end they wait for it; the guard looks again then. Without, they keep their time, should it be taken back (campaign_unbar). */
	return db_run(db,
		      "UPDATE campaign_leads SET state = CASE WHEN $3 > 0 THEN 'open' ELSE 'closed' END, next_ms = CASE WHEN $3 > 0 THEN $3 ELSE next_ms END, why = 'dnc',"
		      " why_ms = $4, updated_ms = $4,"
		      " rev = rev + 1 WHERE customer_id = $1 AND state = 'open' AND ($2 = 0 OR campaign_id = $2)",
		      "iiii", customer_id, campaign_id, until_ms, now_ms);
}

/* ---- what people's hooks call ---- */

int campaign_customer_may(struct res_ctx *c, int64_t campaign_id)
{
	if (!people_may(c->who, RIGHT_CAMPAIGNS)) {
		res_fail(c, 403, "forbidden", NULL, NULL);
		return 1;
	}
	return res_may_row(c, &campaign_campaigns, campaign_id, RES_WRITE);
}

int campaign_customer_saved(struct res_ctx *c, int64_t customer_id, int64_t campaign_id)
{
	int64_t added = 0, there = 0;
	int r;

	if (!campaign_id)
		return 0;
	r = campaign_customer_may(c, campaign_id);
	return r ? r : campaign_add(&added, &there, c->db, c->who->centre_id, campaign_id, &customer_id, 1, 5, c->now_ms);
}

int campaign_customer_gone(struct db *db, int64_t customer_id)
{
	static const char *const sql[] = {
		"DELETE FROM guarded_dials WHERE customer_id = $1", "DELETE FROM dial_claims WHERE customer_id = $1",
		"DELETE FROM campaign_leads WHERE customer_id = $1", "UPDATE do_not_call SET customer_id = NULL WHERE customer_id = $1",
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(sql); i++)
		r = db_run(db, sql[i], "i", customer_id);
	return r;
}

int campaign_customer_erased(struct db *db, int64_t customer_id, int64_t now_ms)
{
	int r = db_run(db, "UPDATE dial_claims SET number = NULL, checked = '{}' WHERE customer_id = $1 AND state <> 'open'", "i", customer_id);

	if (!r)
		r = db_run(db, "UPDATE campaign_leads SET state = 'closed', why = 'gone', why_ms = $2 WHERE customer_id = $1 AND state = 'open'", "ii", customer_id, now_ms);
	return r;
}
