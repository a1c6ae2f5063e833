/*
 * Starting: what a dead run left is brought into the database and closed.
 *
 *   1. spill, then ring: inserted (what is there already is not folded again), in steps of a transaction each
 *   2. recording parts that are open are repaired, by the caller's function
 *   3. one transaction: an epoch of kind "recovery" whose events close what is open; dialogs go to `orphan`; the next
 *      epoch is taken
 *   4. orphan dialogs are handed out; again by the next two starts, until a run has served for a minute
 *
 * kill -9 between any two of these, or in them, leaves the next start the same or less to do.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/journal_priv.h"

/* ---- step 1 ---- */

struct drain_job {
	struct journal *j;
	bool more;
};

static int drain_job(struct db *db, void *arg)
{
	struct drain_job *d = arg;

	return journal_drain(d->j, db, &d->more);
}

static int insert_left(struct journal *j, struct db_writer *w)
{
	struct drain_job d = {.j = j};
	int r;

	do {
		r = db_writer_call(w, DB_TELEPHONY, drain_job, &d);
		if (r) {
			journal_undrain(j);
			return r;
		}
		journal_drained(j);
	} while (d.more);
	return j->spill.size ? -EIO : 0;
}

/* ---- step 2 ---- */

struct part {
	int64_t id, call_id, centre_id;
	char *path;
	int64_t dur_ms, bytes; /* dur_ms negative: could not be repaired */
	char hash[65];
};

struct recovery {
	struct journal *j;
	struct journal_recovery *out;
	struct db *db;
	struct part *parts;
	size_t part_n;
	struct ev ev;           /* of the recovery epoch */
	int64_t dead_epoch, epoch, next_epoch, n, last_at_ms, alive_ms;
	struct strb body;
	struct jw w;
};

static int list_parts(struct db *db, void *arg)
{
	struct recovery *rc = arg;
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, "SELECT id, call_id, centre_id, path FROM recording_part WHERE end_ms IS NULL ORDER BY id");
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		rc->parts = xrealloc(rc->parts, (rc->part_n + 1) * sizeof(*rc->parts));
		rc->parts[rc->part_n++] =
			(struct part){.id = db_i64(st, 0), .call_id = db_i64(st, 1), .centre_id = db_i64(st, 2), .path = xstrdup(db_text(st, 3)), .dur_ms = -1};
	}
	db_done(st);
	return r;
}

static void repair_parts(struct recovery *rc)
{
	for (size_t i = 0; i < rc->part_n && rc->out->part; i++) {
		struct part *p = &rc->parts[i];

		p->dur_ms = rc->out->part(p->id, p->path, &p->bytes, p->hash, rc->out->arg);
		p->hash[64] = '\0';
	}
}

/* ---- step 3: events of our own ---- */

static void begin_event(struct recovery *rc, enum ev_kind kind, int64_t centre_id)
{
	rc->ev = (struct ev){.kind = kind, .centre_id = centre_id, .at_ms = rc->last_at_ms};
	strb_clear(&rc->body);
	jw_init(&rc->w, &rc->body);
	jw_obj(&rc->w, NULL);
}

static int add_event(struct recovery *rc)
{
	struct rec rec;
	int r;

	jw_end_obj(&rc->w);
	assert(!rc->body.overflow);
	rc->ev.epoch = rc->epoch;
	rc->ev.n = ++rc->n;
	rc->ev.body = rc->body.buf;
	rc->ev.body_len = rc->body.len;
	rec = (struct rec){.ev = rc->ev, .v = ev_kind_version(rc->ev.kind)};
	r = ledger_insert(&rc->j->ledger, rc->db, &rec);
	assert(r != 1);
	return r;
}

/* Rows are copied before events are added, since events change what is walked. */
struct open_row {
	int64_t a, b, c, d;
	char text[32];
};

static int read_open(struct open_row **ret, size_t *n, struct db *db, const char *sql)
{
	struct open_row *rows = NULL;
	struct db_stmt *st;
	size_t k = 0;
	int r;

	r = db_prepare(&st, db, sql);
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		rows = xrealloc(rows, (k + 1) * sizeof(*rows));
		rows[k] = (struct open_row){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), ""};
		(void)str_copy(rows[k++].text, sizeof(rows->text), db_text(st, 4) ? db_text(st, 4) : "");
	}
	db_done(st);
	if (r) {
		free(rows);
		return r;
	}
	*ret = rows;
	*n = k;
	return 0;
}

static void offer_body(struct recovery *rc, const struct open_row *o)
{
	begin_event(rc, EV_OFFER_END, o->b);
	rc->ev.call_id = o->c;
	rc->ev.agent_id = o->d;
	jw_int(&rc->w, "t", rc->last_at_ms);
	jw_id(&rc->w, "offer", o->a);
	jw_str(&rc->w, "outcome", "withdrawn");
}

static void leg_body(struct recovery *rc, const struct open_row *o)
{
	begin_event(rc, EV_LEG_END, o->b);
	rc->ev.leg_id = o->a;
	rc->ev.call_id = o->c;
	rc->ev.agent_id = o->d;
	jw_str(&rc->w, "by", "lost");
	rc->out->legs++;
}

static void call_body(struct recovery *rc, const struct open_row *o)
{
	begin_event(rc, EV_CALL_END, o->b);
	rc->ev.call_id = o->a;
	rc->ev.agent_id = o->c;
	rc->ev.queue_id = o->d;
	jw_str(&rc->w, "by", "system");
	jw_str(&rc->w, "cause", "lost");
	jw_str(&rc->w, "reason", "restart");
	rc->out->calls++;
}

static void agent_body(struct recovery *rc, const struct open_row *o)
{
	begin_event(rc, EV_AGENT_STATE, o->b);
	rc->ev.agent_id = o->a;
	jw_int(&rc->w, "t", rc->last_at_ms);
	jw_str(&rc->w, "state", "offline");
	jw_str(&rc->w, "prev", o->text);
	jw_str(&rc->w, "reason", "restart");
	jw_id(&rc->w, "team", o->c);
	jw_int(&rc->w, "until", 0);
}

/* Nobody knows how it would have ended. */
static void attempt_body(struct recovery *rc, const struct open_row *o)
{
	begin_event(rc, EV_ATTEMPT_END, o->b);
	rc->ev.call_id = o->c;
	rc->ev.campaign_id = o->d;
	jw_id(&rc->w, "claim", o->a);
	jw_str(&rc->w, "result", "unknown");
}

static void party_body(struct recovery *rc, const struct open_row *o)
{
	begin_event(rc, EV_PARTY_END, o->b);
	rc->ev.call_id = o->c;
	rc->ev.agent_id = o->d;
	jw_id(&rc->w, "party", o->a);
	jw_str(&rc->w, "how", o->text);
	jw_str(&rc->w, "why", "restart");
}

/* In this order: what stands in something else ends before it. */
static const struct {
	const char *sql;
	void (*body)(struct recovery *rc, const struct open_row *o);
} closers[] = {
	{"SELECT core_id, centre_id, call_id, agent_id, '' FROM offer WHERE end_ms IS NULL ORDER BY id", offer_body},
	{"SELECT id, centre_id, call_id, coalesce(agent_id, 0), how FROM call_party WHERE end_ms IS NULL ORDER BY id", party_body},
	{"SELECT id, centre_id, coalesce(call_id, 0), coalesce(agent_id, 0), '' FROM leg WHERE end_ms IS NULL ORDER BY id",
	 leg_body},
	{"SELECT id, centre_id, coalesce(agent_id, 0), coalesce(queue_id, 0), '' FROM call WHERE end_ms IS NULL ORDER BY id",
	 call_body},
	{"SELECT claim_id, centre_id, coalesce(call_id, 0), campaign_id, '' FROM attempt WHERE end_ms IS NULL ORDER BY claim_id",
	 attempt_body},
	{"SELECT agent_id, centre_id, coalesce(team_id, 0), 0, state FROM activity WHERE end_ms IS NULL ORDER BY agent_id",
	 agent_body},
};

static int close_all(struct recovery *rc, const char *sql, void (*body)(struct recovery *rc, const struct open_row *o))
{
	struct open_row *rows;
	size_t n;
	int r;

	r = read_open(&rows, &n, rc->db, sql);
	if (r)
		return r;
	for (size_t i = 0; i < n && !r; i++) {
		body(rc, &rows[i]);
		r = add_event(rc);
	}
	free(rows);
	return r;
}

static int close_parts(struct recovery *rc)
{
	int r = 0;

	for (size_t i = 0; i < rc->part_n && !r; i++) {
		const struct part *p = &rc->parts[i];

		begin_event(rc, p->dur_ms < 0 ? EV_REC_FAIL : EV_REC_CLOSE, p->centre_id);
		rc->ev.call_id = p->call_id;
		jw_id(&rc->w, "part", p->id);
		if (p->dur_ms < 0) {
			jw_str(&rc->w, "error", "lost");
		} else {
			jw_int(&rc->w, "bytes", p->bytes);
			jw_int(&rc->w, "dur_ms", p->dur_ms);
			jw_int(&rc->w, "missing_ms", 0);
			jw_str(&rc->w, "hash", p->hash);
			jw_bool(&rc->w, "repaired", true);
		}
		r = add_event(rc);
		rc->out->parts++;
	}
	return r;
}

/* The last event of the dead epoch, and what its process noted later in the ring. */
static int find_dead_epoch(struct recovery *rc)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, rc->db, "SELECT epoch, at_ms FROM event ORDER BY epoch DESC, n DESC LIMIT 1");
	if (r)
		return r;
	r = db_step(st);
	if (r == DB_ROW) {
		rc->dead_epoch = db_i64(st, 0);
		rc->last_at_ms = db_i64(st, 1);
		r = 0;
	}
	db_done(st);
	if (!r && rc->dead_epoch == atomic_load(&rc->j->ring.h->epoch) && rc->alive_ms > rc->last_at_ms &&
	    rc->alive_ms <= REC_TIME_MAX)
		rc->last_at_ms = rc->alive_ms;
	return r;
}

static int close_what_is_open(struct recovery *rc)
{
	int r;

	r = ledger_take_epoch(&rc->epoch, rc->db, rc->j->centre_id, "recovery", 1);
	if (r)
		return r;
	begin_event(rc, EV_SYS_RECOVER, rc->j->centre_id);
	jw_int(&rc->w, "epoch", rc->dead_epoch);
	jw_int(&rc->w, "last_at", rc->last_at_ms);
	r = add_event(rc);
	if (!r)
		r = db_run(rc->db,
			   "INSERT INTO orphan (leg_id, centre_id, dialog) SELECT leg_id, centre_id, dialog FROM leg_dialog"
			   " WHERE 1 = 1 ON CONFLICT DO NOTHING",
			   NULL);
	if (!r)
		r = close_parts(rc);
	for (size_t i = 0; i < ARRAY_LEN(closers) && !r; i++)
		r = close_all(rc, closers[i].sql, closers[i].body);
	return r;
}

static int anything_open(bool *ret, struct db *db)
{
	int64_t n = 0;
	int r = db_get_i64(&n, db,
			   "SELECT EXISTS (SELECT 1 FROM call WHERE end_ms IS NULL) OR EXISTS (SELECT 1 FROM leg WHERE end_ms IS NULL)"
			   " OR EXISTS (SELECT 1 FROM activity WHERE end_ms IS NULL) OR EXISTS (SELECT 1 FROM offer WHERE end_ms IS NULL)"
			   " OR EXISTS (SELECT 1 FROM recording_part WHERE end_ms IS NULL)"
			   " OR EXISTS (SELECT 1 FROM attempt WHERE end_ms IS NULL)"
			   " OR EXISTS (SELECT 1 FROM call_party WHERE end_ms IS NULL)",
			   NULL);

	*ret = n;
	return r;
}

static int close_job(struct db *db, void *arg)
{
	struct recovery *rc = arg;
	bool open = false;
	int r;

	rc->db = db;
	rc->out->calls = rc->out->legs = rc->out->parts = 0;
	ledger_forget(&rc->j->ledger);
	r = find_dead_epoch(rc);
	if (!r)
		r = anything_open(&open, db);
	if (!r && open)
		r = close_what_is_open(rc);
	if (!r)
		r = ledger_take_epoch(&rc->next_epoch, db, rc->j->centre_id, "run", atomic_load(&rc->j->ring.h->epoch) + 1);
	return r;
}

/* ---- step 4 ---- */

struct orphans {
	struct {
		int64_t leg_id;
		char *dialog;
	} *v;
	size_t n;
};

static int list_orphans(struct db *db, void *arg)
{
	struct orphans *o = arg;
	struct db_stmt *st;
	int r;

	/* A program that dies again and again must not send all the BYEs of all its lives each time. */
	r = db_run(db, "UPDATE orphan SET tries = tries + 1", NULL);
	if (!r)
		r = db_run(db, "DELETE FROM orphan WHERE tries > 3", NULL);
	if (!r)
		r = db_prepare(&st, db, "SELECT leg_id, dialog FROM orphan ORDER BY leg_id");
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		o->v = xrealloc(o->v, (o->n + 1) * sizeof(*o->v));
		o->v[o->n].leg_id = db_i64(st, 0);
		o->v[o->n++].dialog = xstrdup(db_text(st, 1));
	}
	db_done(st);
	return r;
}

static int hand_out_orphans(struct db_writer *w, const struct journal_recovery *out)
{
	struct orphans o = {0};
	int r = db_writer_call(w, DB_TELEPHONY, list_orphans, &o);

	for (size_t i = 0; i < o.n; i++) {
		if (!r && out->orphan)
			out->orphan(o.v[i].leg_id, o.v[i].dialog, out->arg);
		free(o.v[i].dialog);
	}
	free(o.v);
	return r;
}

/* ---- all of it ---- */

/* The old records are in the database: the ring is the new epoch's. */
static void begin_epoch(struct journal *j, int64_t epoch)
{
	struct ring_head *h = j->ring.h;

	assert(!ring_used(&j->ring) && !j->spill.size);
	j->epoch = epoch;
	j->n = j->drained_n = 0;
	atomic_store(&j->durable_n, 0);
	atomic_store(&h->alive_ms, clock_utc_ms());
	atomic_store(&h->epoch, epoch);
}

int journal_recover(struct journal *j, struct db_writer *w, struct journal_recovery *rec)
{
	struct journal_recovery none = {0};
	struct recovery rc = {.j = j, .out = rec ? rec : &none, .alive_ms = atomic_load(&j->ring.h->alive_ms)};
	int r;

	assert(!j->epoch);
	strb_init(&rc.body, 65536);
	r = insert_left(j, w);
	if (!r)
		r = db_writer_call(w, DB_TELEPHONY, list_parts, &rc);
	if (!r) {
		repair_parts(&rc);
		r = db_writer_call(w, DB_TELEPHONY, close_job, &rc);
	}
	if (!r)
		r = hand_out_orphans(w, rc.out);
	if (!r) {
		begin_epoch(j, rc.next_epoch);
		rc.out->events = (unsigned)rc.n;
		if (rc.n)
			log_warn("records of a dead run closed epoch=%lld calls=%u legs=%u parts=%u", (long long)rc.dead_epoch,
				 rc.out->calls, rc.out->legs, rc.out->parts);
	}
	for (size_t i = 0; i < rc.part_n; i++)
		free(rc.parts[i].path);
	free(rc.parts);
	strb_done(&rc.body);
	return r > 0 ? -EIO : r;
}
