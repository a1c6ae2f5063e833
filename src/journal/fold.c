/*
 * One small function a kind: event in, SQL out. They look at nothing but the event and the records. Statements say
 * themselves what they are for; "AND end_ms IS NULL" keeps what has ended as it is, whatever comes late.
 */
#include "journal/fold.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/ledger.h"
#include "journal/record.h"

/* What a fold works with. */
struct in {
	const struct fold *f;
	struct db *db;
	const struct ev *e;
	json_t *body; /* an object */
};

/* ---- the body ---- */

static const char *str(const struct in *in, const char *key)
{
	return json_string_value(json_object_get(in->body, key));
}

static int64_t num(const struct in *in, const char *key)
{
	return json_integer_value(json_object_get(in->body, key));
}

/* Ids travel as strings. 0: none. */
static int64_t id(const struct in *in, const char *key)
{
	const json_t *v = json_object_get(in->body, key);
	int64_t i = 0;

	if (json_is_integer(v))
		return json_integer_value(v) > 0 ? json_integer_value(v) : 0;
	if (json_is_string(v))
		(void)str_to_i64(&i, json_string_value(v), 0, INT64_MAX);
	return i;
}

/* The nominal time of a decision, else the event's. */
static int64_t when(const struct in *in)
{
	const json_t *v = json_object_get(in->body, "t");
	int64_t t = json_integer_value(v);

	return json_is_integer(v) && t >= 0 && t <= REC_TIME_MAX ? t : in->e->at_ms;
}

static const char *pii(const struct in *in, const char *key)
{
	for (unsigned i = 0; i < in->e->pii_n; i++)
		if (!strcmp(in->e->pii[i].key, key))
			return in->e->pii[i].text;
	return NULL;
}

/* Key of an activity or offer: from the event that began it. */
static int64_t derived_id(const struct ev *e)
{
	return e->epoch << 40 | e->n; /* REC_EPOCH_MAX, REC_N_MAX */
}

/* A sub-object as JSON text, or NULL; free it. */
static char *sub_json(const struct in *in, const char *key)
{
	const json_t *v = json_object_get(in->body, key);

	return json_is_object(v) ? json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
}

/* ---- calls ---- */

/* The last four digits of the customer's side, which recordings are searched by. */
static const char *tail_of(const char *dir, const char *from, const char *to)
{
	const char *number = dir && !strcmp(dir, "out") ? to : from;
	size_t n = number ? strlen(number) : 0;

	return n >= 4 ? number + n - 4 : number;
}

static int call_new(const struct in *in)
{
	const struct ev *e = in->e;
	const char *from = pii(in, "from"), *to = pii(in, "to"), *name = pii(in, "name");
	int r;

	r = db_run(in->db,
		   "INSERT INTO call (id, centre_id, parent_id, dir, trunk_id, number_id, campaign_id, queue_id, start_ms)"
		   " VALUES ($1, $2, $3, coalesce($4, 'in'), $5, $6, $7, $8, $9)",
		   "iirtrrrri", e->call_id, e->centre_id, id(in, "parent"), str(in, "dir"), id(in, "trunk"), id(in, "number"),
		   e->campaign_id, e->queue_id, e->at_ms);
	if (r || (!from && !to && !name))
		return r;
	return db_run(in->db,
		      "INSERT INTO call_pii (call_id, centre_id, from_number, to_number, name, tail) VALUES ($1, $2, $3, $4, $5, $6)",
		      "iitttt", e->call_id, e->centre_id, from, to, name, tail_of(str(in, "dir"), from, to));
}

static int call_answer(const struct in *in)
{
	const struct ev *e = in->e;

	return db_run(in->db,
		      "UPDATE call SET answer_ms = coalesce(answer_ms, $2), first_agent_id = coalesce(first_agent_id, $3),"
		      " agent_id = coalesce($3, agent_id), queue_id = coalesce($4, queue_id)"
		      " WHERE id = $1 AND end_ms IS NULL",
		      "iirr", e->call_id, e->at_ms, e->agent_id, e->queue_id);
}

static int call_accept(const struct in *in)
{
	return db_run(in->db,
		      "UPDATE call SET accept_ms = coalesce(accept_ms, $2) WHERE id = $1 AND end_ms IS NULL", "ii",
		      in->e->call_id, in->e->at_ms);
}

static int segment_close(const struct in *in, const char *reason, const char *by)
{
	return db_run(in->db,
		      "UPDATE segment SET end_ms = CASE WHEN start_ms > $2 THEN start_ms ELSE $2 END, end_reason = $3, by = $4"
		      " WHERE call_id = $1 AND end_ms IS NULL",
		      "iitt", in->e->call_id, in->e->at_ms, reason, by);
}

static int call_end(const struct in *in)
{
	const struct ev *e = in->e;
	const char *by = str(in, "by");
	struct fold_call c = {.id = e->call_id, .centre_id = e->centre_id, .by = by};
	int r;

	r = db_get_i64(&c.number_id, in->db, "SELECT coalesce(number_id, 0) FROM call WHERE id = $1 AND end_ms IS NULL", "i",
		       e->call_id);
	if (r)
		return r == -ENOENT ? DB_E_CONSTRAINT : r; /* unknown, or ended before */
	r = segment_close(in, "end", by);
	if (!r)
		r = rollup_call(in->f, in->db, &c);
	if (r)
		return r;
	return db_run(in->db,
		      "UPDATE call SET end_ms = CASE WHEN start_ms > $2 THEN start_ms ELSE $2 END, by = $3, cause = $4,"
		      " q850 = $5, reason = $6, wait_ms = $7, talk_ms = $8, hold_ms = $9 WHERE id = $1",
		      "iittrtiii", e->call_id, e->at_ms, by, str(in, "cause"), num(in, "q850"), str(in, "reason"), c.wait_ms,
		      c.talk_ms, c.hold_ms);
}

/* ---- segments ---- */

static int seg_open(const struct in *in)
{
	const struct ev *e = in->e;
	const char *type = str(in, "type"), *why = str(in, "why");
	int64_t seg = id(in, "seg");
	bool talks = type && (!strcmp(type, "talk") || !strcmp(type, "conference"));
	int r;

	if (!type || !seg)
		return DB_E_CONSTRAINT;
	r = segment_close(in, why, NULL);
	if (r)
		return r;
	r = db_run(in->db,
		   "INSERT INTO segment (id, centre_id, call_id, type, start_ms, queue_id, campaign_id, agent_id, team_id, why)"
		   " SELECT $1, $2, $3, $4, $5, $6, $7, $8, (SELECT team_id FROM activity WHERE agent_id = $8 AND end_ms IS NULL), $9"
		   " WHERE EXISTS (SELECT 1 FROM call WHERE id = $3 AND end_ms IS NULL)",
		   "iiitirrrt", seg, e->centre_id, e->call_id, type, e->at_ms, e->queue_id, e->campaign_id, e->agent_id, why);
	if (r || (!e->queue_id && !(talks && e->agent_id)))
		return r;
	if (e->queue_id)
		r = db_run(in->db, "UPDATE call SET queue_id = $2 WHERE id = $1 AND end_ms IS NULL", "ii", e->call_id,
			   e->queue_id);
	if (r || !talks || !e->agent_id)
		return r;
	/* The core says "talking" just before the segment begins. */
	return db_run(in->db,
		      "UPDATE activity SET segment_id = $2 WHERE agent_id = $1 AND end_ms IS NULL AND state = 'talking'"
		      " AND segment_id IS NULL",
		      "ii", e->agent_id, seg);
}

/* ---- legs ---- */

static int leg_new(const struct in *in)
{
	const struct ev *e = in->e;

	return db_run(in->db,
		      "INSERT INTO leg (id, centre_id, call_id, agent_id, role, dir, device_id, trunk_id, transport, start_ms)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		      "iirrttrrti", e->leg_id, e->centre_id, e->call_id, e->agent_id, str(in, "role"), str(in, "dir"),
		      id(in, "device"), id(in, "trunk"), str(in, "transport"), e->at_ms);
}

static int leg_ring(const struct in *in)
{
	return db_run(in->db, "UPDATE leg SET ring_ms = coalesce(ring_ms, $2) WHERE id = $1 AND end_ms IS NULL", "ii",
		      in->e->leg_id, in->e->at_ms);
}

static int leg_answer(const struct in *in)
{
	const char *dialog = pii(in, "dialog");
	int r;

	r = db_run(in->db, "UPDATE leg SET answer_ms = coalesce(answer_ms, $2) WHERE id = $1 AND end_ms IS NULL", "ii",
		   in->e->leg_id, in->e->at_ms);
	if (r || !dialog)
		return r;
	return db_run(in->db,
		      "INSERT INTO leg_dialog (leg_id, centre_id, dialog) SELECT $1, $2, $3"
		      " WHERE EXISTS (SELECT 1 FROM leg WHERE id = $1 AND end_ms IS NULL)"
		      " ON CONFLICT (leg_id) DO UPDATE SET dialog = excluded.dialog",
		      "iit", in->e->leg_id, in->e->centre_id, dialog);
}

static int leg_end(const struct in *in)
{
	char *quality = sub_json(in, "quality");
	int r;

	r = db_run(in->db,
		   "UPDATE leg SET end_ms = CASE WHEN start_ms > $2 THEN start_ms ELSE $2 END, by = $3, code = $4, q850 = $5,"
		   " reason = $6, quality = $7 WHERE id = $1 AND end_ms IS NULL",
		   "iitrrtt", in->e->leg_id, in->e->at_ms, str(in, "by"), num(in, "code"), num(in, "q850"), str(in, "reason"),
		   quality);
	free(quality);
	if (r)
		return r;
	return db_run(in->db, "DELETE FROM leg_dialog WHERE leg_id = $1", "i", in->e->leg_id);
}

/* ---- agents ---- */

/* Ends the agent's open activity, if there is one, and adds it to the roll-ups. @end: when, not before it began. */
static int activity_close(const struct in *in, int64_t *end)
{
	struct fold_activity a = {.centre_id = in->e->centre_id, .agent_id = in->e->agent_id};
	struct db_stmt *st;
	char state[16] = "";
	int64_t row = 0;
	int r;

	r = db_prepare(&st, in->db,
		       "SELECT id, start_ms, state, coalesce(team_id, 0), coalesce(queue_id, 0) FROM activity"
		       " WHERE agent_id = $1 AND end_ms IS NULL"); /* activity_open */
	if (r)
		return r;
	db_bind_i64(st, 1, in->e->agent_id);
	r = db_step(st);
	if (r == DB_ROW) {
		row = db_i64(st, 0);
		a.start_ms = db_i64(st, 1);
		(void)str_copy(state, sizeof(state), db_text(st, 2));
		a.team_id = db_i64(st, 3);
		a.queue_id = db_i64(st, 4);
	}
	db_done(st);
	if (r != DB_ROW)
		return r;
	if (*end < a.start_ms)
		*end = a.start_ms;
	r = db_run(in->db, "UPDATE activity SET end_ms = $2 WHERE id = $1", "ii", row, *end);
	if (r)
		return r;
	a.end_ms = *end;
	a.state = state;
	return rollup_activity(in->f, in->db, &a);
}

static int agent_state(const struct in *in)
{
	const struct ev *e = in->e;
	const char *state = str(in, "state");
	int64_t t = when(in), call = e->call_id ? e->call_id : id(in, "call");
	int r;

	if (!state || !e->agent_id)
		return DB_E_CONSTRAINT;
	r = activity_close(in, &t);
	if (r || !strcmp(state, "offline"))
		return r;
	return db_run(in->db,
		      "INSERT INTO activity (id, centre_id, agent_id, team_id, state, reason, start_ms, call_id, queue_id, segment_id)"
		      " VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, coalesce($9, (SELECT queue_id FROM call WHERE id = $8)),"
		      " (SELECT id FROM segment WHERE $5 = 'talking' AND call_id = $8 AND end_ms IS NULL AND agent_id = $3"
		      " AND type IN ('talk', 'conference')))",
		      "iiirttirr", derived_id(e), e->centre_id, e->agent_id, id(in, "team"), state, str(in, "reason"), t, call,
		      e->queue_id);
}

static int offer_new(const struct in *in)
{
	const struct ev *e = in->e;
	char *why = sub_json(in, "why");
	int r;

	r = db_run(in->db,
		   "INSERT INTO offer (id, centre_id, core_id, call_id, agent_id, team_id, queue_id, start_ms, ring_ms, why)"
		   " VALUES ($1, $2, $3, $4, $5, (SELECT team_id FROM activity WHERE agent_id = $5 AND end_ms IS NULL),"
		   " $6, $7, $8, $9)",
		   "iiiiiriit", derived_id(e), e->centre_id, id(in, "offer"), e->call_id, e->agent_id, e->queue_id, when(in),
		   num(in, "ring_ms"), why);
	free(why);
	return r;
}

static int offer_end(const struct in *in)
{
	struct fold_offer o = {.centre_id = in->e->centre_id, .outcome = str(in, "outcome")};
	struct db_stmt *st;
	int64_t row = 0, t = when(in);
	int r;

	if (!o.outcome)
		return DB_E_CONSTRAINT;
	r = db_prepare(&st, in->db,
		       "SELECT id, agent_id, coalesce(team_id, 0), coalesce(queue_id, 0), start_ms FROM offer"
		       " WHERE core_id = $1 AND end_ms IS NULL ORDER BY id DESC LIMIT 1"); /* offer_open */
	if (r)
		return r;
	db_bind_i64(st, 1, id(in, "offer"));
	r = db_step(st);
	if (r == DB_ROW) {
		row = db_i64(st, 0);
		o.agent_id = db_i64(st, 1);
		o.team_id = db_i64(st, 2);
		o.queue_id = db_i64(st, 3);
		o.start_ms = db_i64(st, 4);
	}
	db_done(st);
	if (r != DB_ROW)
		return r ? r : DB_E_CONSTRAINT;
	r = db_run(in->db, "UPDATE offer SET end_ms = $2, outcome = $3, code = $4 WHERE id = $1", "iitr", row,
		   t < o.start_ms ? o.start_ms : t, o.outcome, num(in, "code"));
	return r ? r : rollup_offer(in->f, in->db, &o);
}

/* ---- recordings ---- */

static int rec_open(const struct in *in)
{
	const struct ev *e = in->e;
	int r = db_run(in->db,
		       "INSERT INTO recording_part (id, centre_id, call_id, segment_id, path, start_ms, state)"
		       " VALUES ($1, $2, $3, $4, $5, $6, 'open')",
		       "iiirti", id(in, "part"), e->centre_id, e->call_id, id(in, "seg"), str(in, "path"), e->at_ms);

	return r ? r : db_run(in->db, "UPDATE call SET rec_n = rec_n + 1 WHERE id = $1", "i", e->call_id);
}

/* Facts are noted by who wrote the file to its end; who repaired it did not listen. */
static int rec_facts(const struct in *in)
{
	int64_t silence = num(in, "silence_ms");
	int r;

	if (!json_object_get(in->body, "silence_ms"))
		return 0;
	r = db_run(in->db,
		   "UPDATE recording_part SET left_ms = $2, right_ms = $3, over_ms = $4, silence_ms = $5, silence_at_ms = $6 WHERE id = $1",
		   "iiiiii", id(in, "part"), num(in, "left_ms"), num(in, "right_ms"), num(in, "over_ms"), silence, num(in, "silence_at_ms"));
	return r ? r
		 : db_run(in->db,
			  "UPDATE call SET rec_silence_ms = CASE WHEN rec_silence_ms > $2 THEN rec_silence_ms ELSE $2 END WHERE id = $1",
			  "ii", in->e->call_id, silence);
}

static int rec_close(const struct in *in)
{
	const json_t *repaired = json_object_get(in->body, "repaired");
	int r = db_run(in->db,
		       "UPDATE recording_part SET end_ms = CASE WHEN start_ms > $2 THEN start_ms ELSE $2 END,"
		       " state = CASE WHEN state = 'failed' THEN 'failed' ELSE 'closed' END,"
		       " bytes = $3, dur_ms = $4, missing_ms = $5, hash = $6, repaired = $7 WHERE id = $1",
		       "iiiiiti", id(in, "part"), in->e->at_ms, num(in, "bytes"), num(in, "dur_ms"), num(in, "missing_ms"),
		       str(in, "hash"), (int64_t)json_is_true(repaired));

	if (!r)
		r = rec_facts(in);
	return r ? r : db_run(in->db, "UPDATE call SET rec_ms = rec_ms + $2 WHERE id = $1", "ii", in->e->call_id, num(in, "dur_ms"));
}

static int rec_fail(const struct in *in)
{
	return db_run(in->db,
		      "UPDATE recording_part SET end_ms = CASE WHEN start_ms > $2 THEN start_ms ELSE $2 END, state = 'failed',"
		      " error = $3 WHERE id = $1",
		      "iit", id(in, "part"), in->e->at_ms, str(in, "error"));
}

/* ---- test calls ---- */

static int test_step(const struct in *in)
{
	const struct ev *e = in->e;
	char *body = json_dumps(in->body, JSON_COMPACT);
	int r;

	r = db_run(in->db, "INSERT INTO test_step (call_id, n, centre_id, at_ms, body, sent) VALUES ($1, $2, $3, $4, $5, $6)", "iiiitt", e->call_id,
		   derived_id(e), e->centre_id, e->at_ms, body, pii(in, "sent"));
	free(body);
	return r;
}

/* ---- bans ---- */

static int sip_ban(const struct in *in)
{
	const char *source = str(in, "source"), *user = str(in, "user");
	char *body;
	int r;

	if (!source || !user)
		return 0;
	r = db_run(in->db, "DELETE FROM sip_ban WHERE source = $1 AND name = $2", "tt", source, user);
	if (r || !json_is_true(json_object_get(in->body, "on")))
		return r;
	r = db_run(in->db, "DELETE FROM sip_ban WHERE until_ms < $1", "i", in->e->at_ms); /* few: scanned */
	body = json_dumps(in->body, JSON_COMPACT);
	if (!r)
		r = db_run(in->db, "INSERT INTO sip_ban (source, name, centre_id, body, until_ms) VALUES ($1, $2, $3, $4, $5)", "ttiti", source, user,
			   in->e->centre_id, body, num(in, "until_ms"));
	free(body);
	return r;
}

/* ---- customers ---- */

/* Also of a call that has ended. */
static int call_customer(const struct in *in)
{
	int64_t customer = id(in, "customer");

	if (!customer)
		return DB_E_CONSTRAINT;
	return db_run(in->db, "UPDATE call SET customer_id = $2 WHERE id = $1", "ii", in->e->call_id, customer);
}

static int queue_owner(const struct in *in)
{
	const struct ev *e = in->e;

	return db_run(in->db,
		      "INSERT INTO owner_step (id, centre_id, call_id, queue_id, agent_id, team_id, at_ms, step, why, first_ms, until_ms)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		      "iiirrrittii", derived_id(e), e->centre_id, e->call_id, e->queue_id, e->agent_id, id(in, "team"), when(in), str(in, "to"),
		      str(in, "why"), num(in, "first_ms"), num(in, "until"));
}

static int turn_draw(const struct in *in)
{
	const struct ev *e = in->e;
	char *body = json_dumps(in->body, JSON_COMPACT);
	int r;

	r = db_run(in->db,
		   "INSERT INTO turn_draw (id, centre_id, team_id, agent_id, call_id, customer_id, by_id, at_ms, back, body)"
		   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		   "iiiirrriit", derived_id(e), e->centre_id, id(in, "team"), e->agent_id, e->call_id, id(in, "customer"), id(in, "by"), e->at_ms,
		   (int64_t)(e->kind == EV_TURN_BACK), body);
	free(body);
	return r;
}

/* ---- dialling out ---- */

static int attempt_new(const struct in *in)
{
	const struct ev *e = in->e;
	char *why = sub_json(in, "why");
	int r;

	r = db_run(in->db,
		   "INSERT INTO attempt (claim_id, centre_id, campaign_id, lead_id, customer_id, call_id, agent_id, mode, nth, begin_ms, why)"
		   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		   "iiiirrrtiit", id(in, "claim"), e->centre_id, e->campaign_id, id(in, "lead"), id(in, "customer"), e->call_id, e->agent_id,
		   str(in, "mode"), num(in, "nth"), e->at_ms, why);
	free(why);
	return r;
}

/* What was never dialled has only this. */
static int attempt_end(const struct in *in)
{
	const struct ev *e = in->e;
	bool abandoned = json_is_true(json_object_get(in->body, "abandoned"));

	if (!str(in, "result") || !id(in, "claim"))
		return DB_E_CONSTRAINT;
	return db_run(in->db,
		      "INSERT INTO attempt (claim_id, centre_id, campaign_id, lead_id, customer_id, call_id, agent_id, ring_ms, answer_ms,"
		      " connect_ms, end_ms, result, reason, code, q850, heard, abandoned)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, nullif($13, ''), $14, $15, nullif($16, ''), $17)"
		      " ON CONFLICT (claim_id) DO UPDATE SET agent_id = coalesce(excluded.agent_id, attempt.agent_id), ring_ms = excluded.ring_ms,"
		      " answer_ms = excluded.answer_ms, connect_ms = excluded.connect_ms, end_ms = excluded.end_ms, result = excluded.result,"
		      " reason = excluded.reason, code = excluded.code, q850 = excluded.q850, heard = excluded.heard,"
		      " abandoned = excluded.abandoned WHERE attempt.end_ms IS NULL",
		      "iiiirrrrrrittrrti", id(in, "claim"), e->centre_id, e->campaign_id, id(in, "lead"), id(in, "customer"), e->call_id,
		      e->agent_id, num(in, "rang_at"), num(in, "answered_at"), num(in, "connected_at"), e->at_ms, str(in, "result"),
		      str(in, "why"), num(in, "code"), num(in, "q850"), str(in, "heard"), (int64_t)abandoned);
}

/* ---- from one to another ---- */

static int call_move(const struct in *in)
{
	const struct ev *e = in->e;

	if (!str(in, "what") || !str(in, "how"))
		return DB_E_CONSTRAINT;
	return db_run(in->db,
		      "INSERT INTO call_move (id, centre_id, call_id, at_ms, step, how, by_id, user_id, queue_id, number, why, code)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		      "iiiittrrrttr", derived_id(e), e->centre_id, e->call_id, e->at_ms, str(in, "what"), str(in, "how"), id(in, "by"),
		      id(in, "user"), id(in, "queue"), pii(in, "to"), pii(in, "why"), num(in, "code"));
}

/* ---- what was heard ---- */

static int leg_heard(const struct in *in)
{
	const struct ev *e = in->e;

	if (!str(in, "stage") || !str(in, "kind"))
		return DB_E_CONSTRAINT;
	return db_run(in->db,
		      "INSERT INTO leg_heard (leg_id, stage, centre_id, call_id, campaign_id, trunk_id, at_ms, kind, class, confidence, sample_id,"
		      " offset_ms, heard_ms, file, kept_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, nullif($14, ''), $15)"
		      " ON CONFLICT (leg_id, stage) DO NOTHING",
		      "itiirrittrriitr", e->leg_id, str(in, "stage"), e->centre_id, e->call_id, e->campaign_id, id(in, "trunk"), e->at_ms, str(in, "kind"),
		      str(in, "class"), num(in, "confidence"), id(in, "sample"), num(in, "offset_ms"), num(in, "at_ms"), str(in, "file"), num(in, "kept_ms"));
}

/* ---- who listened ---- */

static int party_new(const struct in *in)
{
	const struct ev *e = in->e;

	if (!str(in, "how") || !id(in, "party"))
		return DB_E_CONSTRAINT;
	return db_run(in->db,
		      "INSERT INTO call_party (id, centre_id, call_id, leg_id, agent_id, whom_id, how, told, start_ms)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		      "iiiirrtii", id(in, "party"), e->centre_id, e->call_id, e->leg_id, e->agent_id, id(in, "whom"), str(in, "how"),
		      (int64_t)json_is_true(json_object_get(in->body, "told")), e->at_ms);
}

static int party_end(const struct in *in)
{
	return db_run(in->db,
		      "UPDATE call_party SET end_ms = CASE WHEN start_ms > $2 THEN start_ms ELSE $2 END, reason = $3"
		      " WHERE id = $1 AND end_ms IS NULL",
		      "iit", id(in, "party"), in->e->at_ms, str(in, "why"));
}

static int campaign_pace(const struct in *in)
{
	const struct ev *e = in->e;
	char *body = json_dumps(in->body, JSON_COMPACT | JSON_REAL_PRECISION(17));
	int r = db_run(in->db,
		       "INSERT INTO campaign_pace (campaign_id, centre_id, at_ms, body) VALUES ($1, $2, $3, $4)"
		       " ON CONFLICT (campaign_id) DO UPDATE SET at_ms = excluded.at_ms, body = excluded.body",
		       "iiit", e->campaign_id, e->centre_id, e->at_ms, body);

	free(body);
	return r;
}

/* ---- the table ---- */

static int (*const folds[EV_KIND_COUNT])(const struct in *in) = {
	[EV_CALL_NEW] = call_new,
	[EV_CALL_ACCEPT] = call_accept,
	[EV_CALL_ANSWER] = call_answer,
	[EV_CALL_END] = call_end,
	[EV_LEG_NEW] = leg_new,
	[EV_LEG_RING] = leg_ring,
	[EV_LEG_ANSWER] = leg_answer,
	[EV_LEG_END] = leg_end,
	[EV_SEG_OPEN] = seg_open,
	[EV_AGENT_STATE] = agent_state,
	[EV_OFFER_NEW] = offer_new,
	[EV_OFFER_END] = offer_end,
	[EV_REC_OPEN] = rec_open,
	[EV_REC_CLOSE] = rec_close,
	[EV_REC_FAIL] = rec_fail,
	[EV_TEST_STEP] = test_step,
	[EV_SIP_BAN] = sip_ban,
	[EV_CALL_CUSTOMER] = call_customer,
	[EV_QUEUE_OWNER] = queue_owner,
	[EV_TURN_DRAW] = turn_draw,
	[EV_TURN_BACK] = turn_draw,
	[EV_ATTEMPT_NEW] = attempt_new,
	[EV_ATTEMPT_END] = attempt_end,
	[EV_CALL_MOVE] = call_move,
	[EV_LEG_HEARD] = leg_heard,
	[EV_CAMPAIGN_PACE] = campaign_pace,
	[EV_PARTY_NEW] = party_new,
	[EV_PARTY_END] = party_end,
};

static void refuse(struct fold *f, const struct ev *e, const char *why)
{
	f->refused++;
	log_warn("event makes no record event=%lld.%lld kind=%s why=\"%s\"", (long long)e->epoch, (long long)e->n,
		 ev_kind_name(e->kind), why);
}

static json_t *parse(const struct ev *e)
{
	json_t *body;

	if (!e->body || (e->body_len == 2 && !memcmp(e->body, "{}", 2)))
		return json_object();
	body = json_loadb(e->body, e->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(body)) {
		json_decref(body);
		return NULL;
	}
	return body;
}

int fold_event(struct fold *f, struct db *db, const struct ev *e)
{
	struct in in = {.f = f, .db = db, .e = e};
	int r;

	if (!folds[e->kind])
		return 0;
	in.body = parse(e);
	if (!in.body) {
		refuse(f, e, "body is not a JSON object");
		return 0;
	}
	r = folds[e->kind](&in);
	json_decref(in.body);
	if (ledger_disk_fails(r))
		return r;
	if (r)
		refuse(f, e, r == DB_E_UNIQUE ? "it is there already" : r < 0 ? db_error(db) : "it refers to nothing that is open");
	return 0;
}
