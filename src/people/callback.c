/* Who does a call-back: its own agent first, then his team; taking one, handing one on, and what becomes of a missed call. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db/db.h"
#include "people/customer.h"
#include "people/sales.h"

static int refuse(struct res_ctx *c, int status, const char *code)
{
	res_fail(c, status, code, NULL, NULL);
	return 1;
}

static json_t *id_text(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return json_string(text);
}

const char *sales_why(const struct sales_rules *rules, const struct sales_callback *b, int64_t now_ms)
{
	int64_t since;

	if (!b->in_team || b->due_ms > now_ms)
		return NULL;
	if (!b->user_id)
		return "open";
	if (b->away && !strcmp(rules->off_rule, "team"))
		return "away";
	if (b->away && !strcmp(rules->off_rule, "lead"))
		return b->leads ? "ask" : NULL;
	since = b->due_ms > b->changed_ms ? b->due_ms : b->changed_ms;
	return !b->away && rules->grace_min && since + rules->grace_min * 60000 <= now_ms ? "team" : NULL;
}

/* 0, 1 after refusing, negative. */
static int read_one(struct sales_callback *b, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	char day[11];
	bool open = false;
	int r;

	sales_day(day, c->db, c->now_ms);
	r = db_prepare(&st, c->db,
		       "SELECT COALESCE(b.customer_id, 0), COALESCE(b.user_id, 0), COALESCE(b.team_id, 0), b.due_ms, b.state, " SALES_AWAY("u", "4")
		       ", CASE WHEN b.team_id IN " SALES_TEAMS("3") " THEN 1 ELSE 0 END,"
		       " CASE WHEN EXISTS (SELECT 1 FROM teams l WHERE l.id = b.team_id AND l.lead_id = $3) THEN 1 ELSE 0 END, b.updated_ms"
		       " FROM callbacks b LEFT JOIN users u ON u.id = b.user_id WHERE b.id = $1 AND b.centre_id = $2");
	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	db_bind_i64(st, 3, c->who->user_id);
	db_bind_text(st, 4, day);
	r = db_step(st);
	if (r == DB_ROW) {
		*b = (struct sales_callback){.id = id, .customer_id = db_i64(st, 0), .user_id = db_i64(st, 1), .team_id = db_i64(st, 2), .due_ms = db_i64(st, 3),
					     .away = db_i64(st, 5), .in_team = db_i64(st, 6), .leads = db_i64(st, 7), .changed_ms = db_i64(st, 8)};
		open = !strcmp(db_text(st, 4), "open");
	}
	db_done(st);
	if (r < 0)
		return r;
	if (r != DB_ROW)
		return refuse(c, 404, "not_found");
	return open ? 0 : refuse(c, 409, "decided");
}

/* Who works for the customer sees him. */
static int share(struct res_ctx *c, int64_t customer_id, int64_t user_id)
{
	int64_t owner = 0;
	int r;

	if (!customer_id)
		return 0;
	r = db_get_i64(&owner, c->db, "SELECT COALESCE(owner_id, 0) FROM customers WHERE id = $1", "i", customer_id);
	if (r || owner == user_id)
		return r == -ENOENT ? 0 : r;
	r = db_run(c->db, "INSERT INTO customer_shares (customer_id, user_id, at_ms) VALUES ($1, $2, $3) ON CONFLICT (customer_id, user_id) DO NOTHING",
		   "iii", customer_id, user_id, c->now_ms);
	return r || !db_changes(c->db) ? r : customer_claim_note(c, customer_id, user_id, c->who->user_id, "shared", NULL);
}

/* By the program in the name of who asks; he may not see what he gives away, so the row is only told, not shown. */
static int give(json_t **ret, struct res_ctx *c, const struct sales_callback *b, json_t *patch, json_t *from)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;
	int r;

	who.system = true;
	own.who = &who;
	own.once = NULL;
	own.prepared = from ? json_pack("{s:o}", "from_id", from) : NULL;
	r = res_update(ret, &own, &people_callbacks, b->id, patch, RES_REV_ANY);
	res_ctx_done(&own);
	json_decref(patch);
	return r;
}

int sales_take(json_t **ret, int64_t *from, struct res_ctx *c, int64_t id)
{
	struct sales_callback b;
	struct sales_rules rules;
	int r;

	if (!c->who->user_id)
		return refuse(c, 403, "forbidden");
	r = read_one(&b, c, id);
	if (!r)
		r = sales_rules_get(&rules, c->db, c->who->centre_id);
	if (r)
		return r;
	*from = b.user_id;
	if (b.user_id != c->who->user_id && !b.leads && !sales_why(&rules, &b, c->now_ms))
		return refuse(c, b.in_team ? 409 : 404, b.in_team ? "owned" : "not_found");
	r = share(c, b.customer_id, c->who->user_id);
	return r ? r : give(ret, c, &b, json_pack("{s:o}", "user_id", id_text(c->who->user_id)), NULL);
}

/* Somebody who works here, of the teams of who asks. */
static int check_receiver(struct res_ctx *c, int64_t to)
{
	int64_t one;
	int r = db_get_i64(&one, c->db, "SELECT 1 FROM users u WHERE u.id = $1 AND u.centre_id = $2 AND u.active = 1 AND u.team_id IN " SALES_TEAMS("3"),
			   "iii", to, c->who->centre_id, c->who->user_id);

	if (r == -ENOENT) {
		res_fail(c, 422, "invalid", "user_id", "ref");
		return 1;
	}
	return r;
}

int sales_hand(json_t **ret, int64_t *from, struct res_ctx *c, int64_t id, int64_t to, const char *reason)
{
	struct sales_callback b;
	json_t *patch;
	int r;

	if (!c->who->user_id)
		return refuse(c, 403, "forbidden");
	r = read_one(&b, c, id);
	if (!r && b.user_id != c->who->user_id && !b.leads)
		return refuse(c, b.in_team ? 403 : 404, b.in_team ? "forbidden" : "not_found");
	if (!r)
		r = check_receiver(c, to);
	if (!r)
		r = share(c, b.customer_id, to);
	if (r)
		return r;
	*from = b.user_id;
	patch = json_pack("{s:o}", "user_id", id_text(to));
	if (reason && *reason)
		row_set(patch, "reason", json_string(reason));
	return give(ret, c, &b, patch, id_text(c->who->user_id));
}

struct missed {
	int64_t customer_id;
	char number[64];
};

/* It rang him, or his customer made it, or somebody who rang back to his project. */
static int missed_call(struct missed *m, struct res_ctx *c, int64_t call_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db,
			   "SELECT COALESCE(k.customer_id, 0), p.from_number FROM call k LEFT JOIN call_pii p ON p.call_id = k.id"
			   " WHERE k.id = $1 AND k.centre_id = $2 AND k.dir = 'in' AND k.answer_ms IS NULL AND k.end_ms IS NOT NULL"
			   " AND (EXISTS (SELECT 1 FROM offer o WHERE o.call_id = k.id AND o.agent_id = $3)"
			   " OR EXISTS (SELECT 1 FROM customers c WHERE c.id = k.customer_id AND c.owner_id = $3)"
			   " OR EXISTS (SELECT 1 FROM ring_backs g WHERE g.call_id = k.id AND (g.agent_id = $3"
			   " OR EXISTS (SELECT 1 FROM campaign_people y WHERE y.campaign_id = g.campaign_id AND y.user_id = $3))))");

	*m = (struct missed){0};
	if (r)
		return r;
	db_bind_i64(st, 1, call_id);
	db_bind_i64(st, 2, c->who->centre_id);
	db_bind_i64(st, 3, c->who->user_id);
	r = db_step(st);
	if (r == DB_ROW) {
		m->customer_id = db_i64(st, 0);
		(void)str_copy(m->number, sizeof(m->number), db_is_null(st, 1) ? "" : db_text(st, 1));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : refuse(c, 404, "not_found");
}

int sales_missed(json_t **ret, struct res_ctx *c, int64_t call_id, int64_t due_ms, const char *reason)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;
	const char *what = NULL;
	char number[96];
	struct missed m;
	json_t *body;
	int64_t n = 0;
	int r = c->who->user_id ? missed_call(&m, c, call_id) : refuse(c, 403, "forbidden");

	if (!r)
		r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM callbacks WHERE call_id = $1", "i", call_id);
	if (r)
		return r;
	if (n)
		return refuse(c, 409, "decided");
	body = json_pack("{s:o, s:o, s:I, s:s?, s:o, s:s}", "customer_id", m.customer_id ? id_text(m.customer_id) : json_null(), "call_id", id_text(call_id),
			 "due_ms", (json_int_t)(due_ms ? due_ms : c->now_ms), "reason", reason && *reason ? reason : NULL, "user_id",
			 id_text(c->who->user_id), "state", due_ms ? "open" : "done");
	if (*m.number && !customer_number_normal(number, sizeof(number), &what, c, m.number))
		row_set(body, "phone", json_string(number));
	who.system = true; /* the number is the call's, which he may not see */
	own.who = &who;
	own.once = NULL;
	own.prepared = NULL;
	r = res_create(ret, &own, &people_callbacks, body);
	res_ctx_done(&own);
	json_decref(body);
	return r;
}
