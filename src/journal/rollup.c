/*
 * Roll-ups: sums kept in the same transaction as the records they come from, so that a report reads hundreds of rows
 * instead of millions. Each is a function of records that have ended; journal_rollup_check derives them all anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/fold.h"

#define SLOT_MS 900000LL
#define SLOTS_MAX 3000 /* a state of more than a month is damage, and left out */

/* ---- agent x team x queue x day ---- */

struct agent_day {
	int64_t centre_id, at_ms, agent_id, team_id, queue_id;
	int64_t offered, answered, missed, talks, talk_ms, hold_ms, wrapup_ms;
};

static int add_agent_day(const struct fold *f, struct db *db, const struct agent_day *d)
{
	return db_run(db,
		      "INSERT INTO rollup_agent_day AS r (centre_id, day, agent_id, team_id, queue_id,"
		      " offered, answered, missed, talks, talk_ms, hold_ms, wrapup_ms)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
		      " ON CONFLICT (centre_id, day, agent_id, team_id, queue_id) DO UPDATE SET"
		      " offered = r.offered + excluded.offered, answered = r.answered + excluded.answered,"
		      " missed = r.missed + excluded.missed, talks = r.talks + excluded.talks,"
		      " talk_ms = r.talk_ms + excluded.talk_ms, hold_ms = r.hold_ms + excluded.hold_ms,"
		      " wrapup_ms = r.wrapup_ms + excluded.wrapup_ms",
		      "iiiiiiiiiiii", d->centre_id, zone_day(f->zone, d->at_ms), d->agent_id, d->team_id, d->queue_id, d->offered,
		      d->answered, d->missed, d->talks, d->talk_ms, d->hold_ms, d->wrapup_ms);
}

int rollup_offer(const struct fold *f, struct db *db, const struct fold_offer *o)
{
	bool answered = !strcmp(o->outcome, "answered");
	bool missed = !strcmp(o->outcome, "timeout") || !strcmp(o->outcome, "refused");

	return add_agent_day(f, db,
			     &(struct agent_day){.centre_id = o->centre_id, .at_ms = o->start_ms, .agent_id = o->agent_id,
						 .team_id = o->team_id, .queue_id = o->queue_id, .offered = 1,
						 .answered = answered, .missed = missed});
}

/* ---- agent x team x slot ---- */

static const char *const slot_states[] = {"ready", "ringing", "talking", "wrapup", "break", "noanswer", "reserved"};

static int add_agent_slot(struct db *db, const struct fold_activity *a, int64_t slot, int64_t ms)
{
	int64_t v[ARRAY_LEN(slot_states)];

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = strcmp(a->state, slot_states[i]) ? 0 : ms;
	return db_run(db,
		      "INSERT INTO rollup_agent_slot AS r (centre_id, slot_ms, agent_id, team_id,"
		      " ready_ms, ringing_ms, talking_ms, wrapup_ms, break_ms, noanswer_ms, reserved_ms)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
		      " ON CONFLICT (centre_id, slot_ms, agent_id, team_id) DO UPDATE SET"
		      " ready_ms = r.ready_ms + excluded.ready_ms, ringing_ms = r.ringing_ms + excluded.ringing_ms,"
		      " talking_ms = r.talking_ms + excluded.talking_ms, wrapup_ms = r.wrapup_ms + excluded.wrapup_ms,"
		      " break_ms = r.break_ms + excluded.break_ms, noanswer_ms = r.noanswer_ms + excluded.noanswer_ms,"
		      " reserved_ms = r.reserved_ms + excluded.reserved_ms",
		      "iiiiiiiiiii", a->centre_id, slot, a->agent_id, a->team_id, v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
}

int rollup_activity(const struct fold *f, struct db *db, const struct fold_activity *a)
{
	int64_t t = a->start_ms;
	int r = 0;

	if (a->end_ms - a->start_ms > SLOTS_MAX * SLOT_MS)
		return 0;
	while (t < a->end_ms && !r) {
		int64_t slot = t - t % SLOT_MS;
		int64_t end = slot + SLOT_MS < a->end_ms ? slot + SLOT_MS : a->end_ms;

		r = add_agent_slot(db, a, slot, end - t);
		t = end;
	}
	if (r || strcmp(a->state, "wrapup"))
		return r;
	return add_agent_day(f, db,
			     &(struct agent_day){.centre_id = a->centre_id, .at_ms = a->start_ms, .agent_id = a->agent_id,
						 .team_id = a->team_id, .queue_id = a->queue_id,
						 .wrapup_ms = a->end_ms - a->start_ms});
}

/* ---- queue x number called x slot, and the call's own sums ---- */

enum visit_end { VISIT_ANSWERED, VISIT_ABANDONED, VISIT_MOVED_ON };

/* A call's stay in one queue, waiting or ringing at agents. */
struct visit {
	int64_t queue_id, start_ms; /* queue_id 0: in none */
};

static int add_visit(const struct fold *f, struct db *db, const struct fold_call *c, struct visit *v, int64_t end_ms,
		     enum visit_end how)
{
	int64_t wait = end_ms - v->start_ms, queue = v->queue_id;
	int64_t in[6];
	static const int64_t limit_ms[6] = {5000, 10000, 20000, 30000, 60000, 120000};

	v->queue_id = 0;
	if (!f)
		return 0;
	for (int i = 0; i < 6; i++)
		in[i] = how == VISIT_ANSWERED && wait <= limit_ms[i];
	return db_run(db,
		      "INSERT INTO rollup_queue_slot AS r (centre_id, slot_ms, queue_id, number_id, offered,"
		      " answered, abandoned, moved_on, wait_ms, wait_max_ms,"
		      " answered_5, answered_10, answered_20, answered_30, answered_60, answered_120)"
		      " VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $8, $9, $10, $11, $12, $13, $14)"
		      " ON CONFLICT (centre_id, slot_ms, queue_id, number_id) DO UPDATE SET"
		      " offered = r.offered + 1, answered = r.answered + excluded.answered,"
		      " abandoned = r.abandoned + excluded.abandoned, moved_on = r.moved_on + excluded.moved_on,"
		      " wait_ms = r.wait_ms + excluded.wait_ms,"
		      " wait_max_ms = CASE WHEN excluded.wait_max_ms > r.wait_max_ms THEN excluded.wait_max_ms ELSE r.wait_max_ms END,"
		      " answered_5 = r.answered_5 + excluded.answered_5, answered_10 = r.answered_10 + excluded.answered_10,"
		      " answered_20 = r.answered_20 + excluded.answered_20, answered_30 = r.answered_30 + excluded.answered_30,"
		      " answered_60 = r.answered_60 + excluded.answered_60, answered_120 = r.answered_120 + excluded.answered_120",
		      "iiiiiiiiiiiiii", c->centre_id, v->start_ms - v->start_ms % SLOT_MS, queue, c->number_id,
		      (int64_t)(how == VISIT_ANSWERED), (int64_t)(how == VISIT_ABANDONED), (int64_t)(how == VISIT_MOVED_ON), wait,
		      in[0], in[1], in[2], in[3], in[4], in[5]);
}

struct segment {
	int64_t start_ms, end_ms, queue_id, agent_id, team_id;
	bool waits, talks, holds;
};

static void segment_of_row(struct segment *s, const struct db_stmt *st)
{
	const char *type = db_text(st, 0);

	*s = (struct segment){
		.start_ms = db_i64(st, 1), .end_ms = db_i64(st, 2), .queue_id = db_i64(st, 3), .agent_id = db_i64(st, 4),
		.team_id = db_i64(st, 5),
		.waits = !strcmp(type, "queue") || !strcmp(type, "ring"),
		.talks = !strcmp(type, "talk") || !strcmp(type, "conference"),
		.holds = !strcmp(type, "hold"),
	};
}

/* Moves the visit along: it ends when another queue, an agent, or anything else begins. */
static int visit_segment(const struct fold *f, struct db *db, const struct fold_call *c, struct visit *v,
			 const struct segment *s)
{
	int r = 0;

	if (v->queue_id && !(s->waits && s->queue_id == v->queue_id))
		r = add_visit(f, db, c, v, s->start_ms, s->talks ? VISIT_ANSWERED : VISIT_MOVED_ON);
	if (s->waits && s->queue_id && !v->queue_id)
		*v = (struct visit){s->queue_id, s->start_ms};
	return r;
}

/* @resumed: the talk goes on after hold, or as a conference or no longer one, with the same agent, and counts once. */
static int agent_segment(const struct fold *f, struct db *db, const struct fold_call *c, const struct segment *s, bool resumed)
{
	int64_t ms = s->end_ms - s->start_ms;

	if (!f || !s->agent_id || !(s->talks || s->holds))
		return 0;
	return add_agent_day(f, db,
			     &(struct agent_day){.centre_id = c->centre_id, .at_ms = s->start_ms, .agent_id = s->agent_id,
						 .team_id = s->team_id, .queue_id = s->queue_id, .talks = s->talks && !resumed,
						 .talk_ms = s->talks ? ms : 0, .hold_ms = s->holds ? ms : 0});
}

int rollup_call(const struct fold *f, struct db *db, struct fold_call *c)
{
	struct segment s, before = {0};
	struct visit v = {0};
	struct db_stmt *st;
	bool talked = false;
	int r;

	r = db_prepare(&st, db,
		       "SELECT type, start_ms, end_ms, coalesce(queue_id, 0), coalesce(agent_id, 0), coalesce(team_id, 0)"
		       " FROM segment WHERE call_id = $1 ORDER BY start_ms, id"); /* segment_call */
	if (r)
		return r;
	db_bind_i64(st, 1, c->id);
	c->wait_ms = c->talk_ms = c->hold_ms = 0;
	while ((r = db_step(st)) == DB_ROW) {
		segment_of_row(&s, st);
		talked |= s.talks;
		c->wait_ms += s.waits && !talked ? s.end_ms - s.start_ms : 0;
		c->talk_ms += s.talks ? s.end_ms - s.start_ms : 0;
		c->hold_ms += s.holds ? s.end_ms - s.start_ms : 0;
		r = visit_segment(f, db, c, &v, &s);
		if (!r)
			r = agent_segment(f, db, c, &s, (before.holds || before.talks) && before.agent_id == s.agent_id);
		if (r)
			break;
		before = s;
	}
	db_done(st);
	if (!r && v.queue_id)
		r = add_visit(f, db, c, &v, before.end_ms, c->by && !strcmp(c->by, "system") ? VISIT_MOVED_ON : VISIT_ABANDONED);
	return r;
}

/* ---- checking ---- */

/* Temporary tables of the same names come before the real ones, so the same code fills them. */
static const char *const tables[] = {"rollup_agent_day", "rollup_agent_slot", "rollup_queue_slot"};

static int make_shadows(struct db *db)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(tables) && !r; i++)
		r = db_shadow(db, tables[i]);
	return r;
}

static int derive_calls(const struct fold *f, struct db *db)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, "SELECT id, centre_id, coalesce(number_id, 0), by FROM call WHERE end_ms IS NOT NULL");
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		struct fold_call c = {.id = db_i64(st, 0), .centre_id = db_i64(st, 1), .number_id = db_i64(st, 2), .by = db_text(st, 3)};

		r = rollup_call(f, db, &c);
		if (r)
			break;
	}
	db_done(st);
	return r;
}

static int derive_activities(const struct fold *f, struct db *db)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db,
		       "SELECT centre_id, agent_id, coalesce(team_id, 0), coalesce(queue_id, 0), start_ms, end_ms, state"
		       " FROM activity WHERE end_ms IS NOT NULL");
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		struct fold_activity a = {db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), db_i64(st, 4), db_i64(st, 5),
					  db_text(st, 6)};

		r = rollup_activity(f, db, &a);
		if (r)
			break;
	}
	db_done(st);
	return r;
}

static int derive_offers(const struct fold *f, struct db *db)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db,
		       "SELECT centre_id, agent_id, coalesce(team_id, 0), coalesce(queue_id, 0), start_ms, outcome"
		       " FROM offer WHERE end_ms IS NOT NULL");
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		struct fold_offer o = {db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), db_i64(st, 4), db_text(st, 5)};

		r = rollup_offer(f, db, &o);
		if (r)
			break;
	}
	db_done(st);
	return r;
}

/* 0 same, 1 rows differ, negative. */
static int compare(struct db *db, const char *table, char what[256])
{
	const char *real = db_schema(db), *temp = db_temp_schema(db);
	char sql[512];
	int64_t n;
	int r;

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM (SELECT * FROM (SELECT * FROM %s.%s EXCEPT SELECT * FROM %s.%s) AS more"
		 " UNION ALL SELECT * FROM (SELECT * FROM %s.%s EXCEPT SELECT * FROM %s.%s) AS less) AS differ",
		 real, table, temp, table, temp, table, real, table);
	r = db_get_i64(&n, db, sql, NULL);
	if (r || !n)
		return r;
	snprintf(what, 256, "%s: %lld rows differ from the records", table, (long long)n);
	return 1;
}

int journal_rollup_check(struct db *db, const char *zone, char what[256])
{
	struct fold f = {0};
	struct zone *z;
	int r;

	r = zone_open(&z, zone ? zone : JOURNAL_ZONE);
	if (r)
		return r;
	f.zone = z;
	r = db_begin_view(db);
	if (!r)
		r = make_shadows(db);
	if (!r)
		r = derive_calls(&f, db);
	if (!r)
		r = derive_activities(&f, db);
	if (!r)
		r = derive_offers(&f, db);
	for (size_t i = 0; i < ARRAY_LEN(tables) && !r; i++)
		r = compare(db, tables[i], what);
	if (r < 0)
		log_error("roll-ups cannot be checked error=%d \"%s\"", -r, db_error(db));
	db_rollback(db); /* the temporary tables too */
	zone_free(z);
	return r;
}
