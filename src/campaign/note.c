/*
 * What an agent writes about a call of a campaign changes its lead: a call-back makes it wait for its time and for him, "not reached" is as if
 * the network had said so, "do not call again" closes it everywhere. And call-backs that are moved or done elsewhere take their leads along.
 */
#include "campaign/campaign.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/base.h"
#include "campaign/rules.h"
#include "db/db.h"
#include "people/declared.h"
#include "people/sales.h"
#include "journal/zone.h"

/* The claim of the call, and its lead. */
struct about {
	int64_t claim_id, campaign_id, lead_id, customer_id;
	int32_t nth, phone_at;
	char number[64];
};

/* attempt_call serves it. -ENOENT: no campaign's call. */
static int about_call(struct about *a, struct db *db, int64_t centre_id, int64_t call_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT d.id, d.campaign_id, d.lead_id, d.customer_id, d.nth, l.phone_at, COALESCE(d.number, '') FROM attempt t"
			   " JOIN dial_claims d ON d.id = t.claim_id JOIN campaign_leads l ON l.id = d.lead_id WHERE t.call_id = $1 AND d.centre_id = $2"
			   " ORDER BY d.id DESC LIMIT 1");

	if (r)
		return r;
	db_bind_i64(st, 1, call_id);
	db_bind_i64(st, 2, centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*a = (struct about){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), (int32_t)db_i64(st, 4), (int32_t)db_i64(st, 5)};
		(void)str_copy(a->number, sizeof(a->number), db_text(st, 6));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

/* "" without one. */
static int result_code(char *ret, size_t size, bool *connected, struct db *db, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT code, connected FROM contact_results WHERE id = $1");

	*ret = 0;
	*connected = true;
	if (r)
		return r;
	db_bind_i64(st, 1, id);
	r = db_step(st);
	if (r == DB_ROW) {
		(void)str_copy(ret, size, db_text(st, 0));
		*connected = db_i64(st, 1);
	}
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* The agent heard what the program took for an answer. */
static enum dial_result heard_as(const char *code)
{
	static const struct {
		const char *code;
		enum dial_result result;
	} words[] = {
		{"busy", DIAL_BUSY}, {"rejected", DIAL_REJECTED}, {"off", DIAL_OFF}, {"no_number", DIAL_EMPTY}, {"suspended", DIAL_SUSPENDED},
		{"unreachable", DIAL_UNREACHABLE}, {"assistant", DIAL_ASSISTANT},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i].code, code))
			return words[i].result;
	return DIAL_NOANSWER;
}

static int call_back(struct res_ctx *c, const struct about *a, int64_t user_id, int64_t result_id, int64_t next_ms)
{
	int r = db_run(c->db,
		       "UPDATE campaign_leads SET state = 'open', rank = $1, next_ms = $2, agent_id = $3, result_id = $4, why = NULL, why_ms = NULL, updated_ms = $5,"
		       " rev = rev + 1 WHERE id = $6 AND COALESCE(why, '') <> 'dnc'",
		       "iirrii", (int64_t)LEAD_CALLBACK, next_ms, user_id, result_id, c->now_ms, a->lead_id);

	return r ? r
		 : db_run(c->db, "UPDATE callbacks SET campaign_id = $1 WHERE customer_id = $2 AND state = 'open' AND due_ms = $3 AND campaign_id IS NULL", "iii",
			  a->campaign_id, a->customer_id, next_ms);
}

static int not_reached(struct res_ctx *c, const struct about *a, enum dial_result result, int64_t result_id)
{
	struct campaign_rules *p = NULL;
	struct zone *zone = NULL;
	struct retry next;
	int64_t phones = 0;
	int r = sales_zone(&zone, c->db);

	if (!r)
		r = campaign_rules_load(&p, c->db, zone, c->who->centre_id, a->campaign_id, c->now_ms);
	zone_free(zone);
	if (!r)
		r = campaign_mark_number(c->db, c->who->centre_id, a->customer_id, a->number, result, c->now_ms);
	if (!r)
		r = db_get_i64(&phones, c->db, "SELECT COUNT(*) FROM customer_phones WHERE customer_id = $1 AND state = 'ok'", "i", a->customer_id);
	if (r) {
		campaign_rules_free(p);
		return r;
	}
	next = retry_after(p->retries, p->retry_n, &(struct retry_in){.campaign_id = a->campaign_id, .result = result, .nth = a->nth,
			   .attempts_max = p->attempts_max, .phone_at = a->phone_at, .phones = (int32_t)phones, .next_min = p->next_min});
	campaign_rules_free(p);
	return db_run(c->db,
		      "UPDATE campaign_leads SET state = $1, rank = $2, next_ms = $3, phone_at = $4, agent_id = NULL, result_id = $5, why = $6, why_ms = $7, updated_ms = $7,"
		      " rev = rev + 1 WHERE id = $8 AND COALESCE(why, '') <> 'dnc'",
		      "tiiirtii", next.close ? "closed" : "open", (int64_t)LEAD_RETRY, next.close ? (int64_t)0 : c->now_ms + next.wait_ms, (int64_t)next.phone_at,
		      result_id, next.close ? "result" : NULL, c->now_ms, a->lead_id);
}

static int done(struct res_ctx *c, const struct about *a, int64_t result_id)
{
	return db_run(c->db,
		      "UPDATE campaign_leads SET state = 'done', agent_id = NULL, result_id = $1, why = NULL, why_ms = NULL, updated_ms = $2, rev = rev + 1"
		      " WHERE id = $3 AND COALESCE(why, '') <> 'dnc'", "rii", result_id, c->now_ms, a->lead_id);
}

int campaign_noted(struct res_ctx *c, int64_t call_id, int64_t user_id, int64_t result_id, int64_t next_ms)
{
	struct about a;
	bool connected;
	char code[32];
	int r = call_id ? about_call(&a, c->db, c->who->centre_id, call_id) : -ENOENT;

	if (!r)
		r = result_code(code, sizeof(code), &connected, c->db, result_id);
	if (r)
		return r == -ENOENT ? 0 : r;
	if (!strcmp(code, "do_not_call"))
		return campaign_bar(c, a.customer_id, a.number, 0);
	if (next_ms)
		return call_back(c, &a, user_id, result_id, next_ms);
	return connected ? result_id ? done(c, &a, result_id) : 0 : not_reached(c, &a, heard_as(code), result_id);
}

int campaign_callbacks(struct db *db, int64_t customer_id)
{
#define FIRST(col) "(SELECT b." col " FROM callbacks b WHERE b.customer_id = $1 AND b.state = 'open' AND b.campaign_id = campaign_leads.campaign_id ORDER BY b.due_ms, b.id LIMIT 1)"
#define ANY "EXISTS (SELECT 1 FROM callbacks b WHERE b.customer_id = $1 AND b.state = 'open' AND b.campaign_id = campaign_leads.campaign_id)"
	int r = db_run(db,
		       "UPDATE campaign_leads SET next_ms = CASE WHEN COALESCE(last_ms, 0) >= " FIRST("due_ms") " THEN next_ms ELSE " FIRST("due_ms") " END,"
		       " agent_id = " FIRST("user_id") ", rev = rev + 1 WHERE customer_id = $1 AND rank = 0 AND state = 'open' AND " ANY, "i", customer_id);

	if (!r) /* somebody has called back without us */
		r = db_run(db, "UPDATE campaign_leads SET state = 'done', agent_id = NULL, rev = rev + 1 WHERE customer_id = $1 AND rank = 0 AND state = 'open' AND NOT " ANY, "i",
			   customer_id);
#undef FIRST
#undef ANY
	return r;
}

/* ---- not to be called again ---- */

int campaign_bar(struct res_ctx *c, int64_t customer_id, const char *number, int64_t campaign_id)
{
	struct res_who who = *c->who;
	struct res_error e = {0};
	struct res_ctx own = *c;
	json_t *body = json_pack("{s:s, s:s}", "number", number, "reason", "asked"), *row = NULL;
	char id[24];
	int r;

	who.system = true; /* whoever hears it puts it down */
	own.who = &who;
	own.error = &e;
	own.prepared = own.once = own.undo = NULL;
	own.want_undo = false;
	(void)snprintf(id, sizeof(id), "%lld", (long long)campaign_id);
	if (campaign_id)
		(void)json_object_set_new(body, "campaign_id", json_string(id));
	r = res_create(&row, &own, &campaign_do_not_call, body);
	res_ctx_done(&own);
	json_decref(body);
	json_decref(row);
	if (r > 0 && e.fields && !strcmp(json_string_value(json_object_get(e.fields, "number")) ?: "", "unique"))
		r = 0; /* he is there already */
	if (r > 0)
		res_fail(c, e.status, e.code, NULL, e.detail);
	res_error_done(&e);
	return r ? r : campaign_close_leads(c->db, customer_id, campaign_id, 0, c->now_ms);
}

/* What is his and new: the row, and since when. -ENOENT: nothing. */
static int own_bar(int64_t *id, int64_t *since_ms, struct res_ctx *c, int64_t customer_id, const char *number)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db,
			   "SELECT id, created_ms FROM do_not_call WHERE centre_id = $1 AND user_id = $2 AND campaign_id IS NULL AND created_ms > $3"
			   " AND (number = $4 OR ($5 > 0 AND customer_id = $5)) ORDER BY created_ms DESC, id DESC LIMIT 1");

	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_i64(st, 2, c->who->user_id);
	db_bind_i64(st, 3, c->now_ms - CAMPAIGN_UNBAR_MS);
	db_bind_text(st, 4, number);
	db_bind_i64(st, 5, customer_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*id = db_i64(st, 0);
		*since_ms = db_i64(st, 1);
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

int campaign_unbar(struct res_ctx *c, int64_t customer_id, const char *number)
{
	struct res_who who = *c->who;
	struct res_error e = {0};
	struct res_ctx own = *c;
	int64_t id, since_ms;
	int r = own_bar(&id, &since_ms, c, customer_id, number);

	if (r == -ENOENT) {
		res_fail(c, 404, "not_found", NULL, NULL);
		return 1;
	}
	if (r)
		return r;
	who.system = true;
	own.who = &who;
	own.error = &e;
	own.prepared = own.once = own.undo = NULL;
	own.want_undo = false;
	r = res_delete(&own, &campaign_do_not_call, id, RES_REV_ANY);
	res_ctx_done(&own);
	if (r > 0)
		res_fail(c, e.status, e.code, NULL, e.detail);
	res_error_done(&e);
	if (!r && customer_id)
		r = db_run(c->db, "UPDATE campaign_leads SET state = 'open', why = NULL, why_ms = NULL, updated_ms = $1, rev = rev + 1 WHERE customer_id = $2 AND state = 'closed'"
				  " AND why = 'dnc' AND why_ms >= $3", "iii", c->now_ms, customer_id, since_ms);
	return r;
}
