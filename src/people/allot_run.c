/* Carrying out an allocation, and putting it back: pieces on the writer, each customer in a savepoint of its own. */
#include "people/allot.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"

#define PIECE_MS 15

static json_t *id_json(int64_t id)
{
	char text[24];

	if (!id)
		return json_null();
	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return json_string(text);
}

static json_t *people_json(const struct allot *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->m; i++) {
		const struct allot_person *p = &a->people[i];

		if (!p->why || p->n) /* who takes no part changes nothing */
			(void)json_array_append_new(list, json_pack("{s:o, s:s, s:i, s:I, s:I, s:I, s:b}", "id", id_json(p->id), "name", p->name, "weight",
				(int)p->weight, "cap", (json_int_t)p->cap, "fixed", (json_int_t)p->fixed, "n", (json_int_t)p->n, "full", p->why != NULL));
	}
	return list;
}

int people_allot_begin(int64_t *id, struct res_ctx *c, const struct allot *a)
{
	json_t *people = people_json(a);
	char *text = json_dumps(people, JSON_COMPACT);
	int r;

	*id = c->next_id ? c->next_id() : res_next_id();
	r = db_run(c->db,
		   "INSERT INTO allocations (id, centre_id, rev, created_ms, updated_ms, kind, title, state, user_id, rule_id, team_id, take, method, seed,"
		   " version, people, count, done, changed, refused, undone, kept, stop)"
		   " VALUES ($1, $2, 1, $3, $3, $4, $5, 'running', $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0, 0, 0, 0)",
		   "iiittrrritttti", *id, c->who->centre_id, c->now_ms, a->rule_id ? "recycle" : "allot", a->title,
		   c->who->user_id, a->rule_id, a->team_id, (int64_t)a->take, a->method, a->seed, a->version, text, (int64_t)a->n);
	if (!r && a->rule_id)
		r = db_run(c->db, "UPDATE recycle_rules SET last_ms = $1 WHERE id = $2", "ii", c->now_ms, a->rule_id);
	free(text);
	json_decref(people);
	return r;
}

int people_allot_rows(struct res_ctx *c, int64_t id, const struct allot *a, size_t from, size_t n)
{
	int r = 0;

	for (size_t i = from; !r && i < a->n && i < from + n; i++) {
		const struct allot_customer *x = &a->customers[i];

		r = db_run(c->db,
			   "INSERT INTO allocation_rows (allocation_id, customer_id, to_id, hand, before_owner, before_team, before_owned_ms)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7)",
			   "iirirrr", id, x->id, x->to, (int64_t)x->hand, x->owner_id, x->team_id, x->owned_ms);
	}
	return r;
}

/* ---- one customer ---- */

struct row {
	int64_t id, to, owner, team, owned_ms, rev_after, at_ms;
};

struct head {
	bool take, stop;
	int64_t team_id, rule_id;
	char title[200];
};

struct now {
	int64_t owner, team, rev, last_ms;
	bool active;
};

static int head_get(struct head *ret, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, "SELECT take, stop, COALESCE(team_id, 0), COALESCE(rule_id, 0), title FROM allocations WHERE id = $1");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	r = db_step(st);
	if (r == DB_ROW) {
		*ret = (struct head){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3)};
		(void)str_copy(ret->title, sizeof(ret->title), db_text(st, 4));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

/* -ENOENT: she is gone. */
static int now_get(struct now *ret, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, "SELECT COALESCE(owner_id, 0), COALESCE(team_id, 0), rev, COALESCE(last_ms, 0), state FROM customers WHERE id = $1 AND centre_id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	r = db_step(st);
	if (r == DB_ROW)
		*ret = (struct now){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), !strcmp(db_text(st, 4), "active")};
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

#define ROWS_SQL \
	"SELECT customer_id, COALESCE(to_id, 0), COALESCE(before_owner, 0), COALESCE(before_team, 0), COALESCE(before_owned_ms, 0)," \
	" COALESCE(rev_after, 0), COALESCE(at_ms, 0) FROM allocation_rows WHERE allocation_id = $1 AND customer_id > $2 AND "

static int rows_get(struct row rows[ALLOT_PIECE], size_t *n, struct res_ctx *c, int64_t id, int64_t last, bool undo)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, undo ? ROWS_SQL "state = 'done' ORDER BY customer_id LIMIT $3" : ROWS_SQL "state IS NULL ORDER BY customer_id LIMIT $3");

	*n = 0;
	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, last);
	db_bind_i64(st, 3, ALLOT_PIECE);
	while ((r = db_step(st)) == DB_ROW)
		rows[(*n)++] = (struct row){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), db_i64(st, 4), db_i64(st, 5), db_i64(st, 6)};
	db_done(st);
	return r;
}

static int row_say(struct res_ctx *c, int64_t id, const struct row *x, const char *state, int64_t rev, const char *why)
{
	return db_run(c->db,
		      "UPDATE allocation_rows SET state = $1, rev_after = $2, at_ms = $3, why = $4 WHERE allocation_id = $5 AND customer_id = $6",
		      "trrtii", state, rev, c->now_ms, why, id, x->id);
}

/* Positive undoes it alone; the words are in c->error. */
static int change(struct res_ctx *c, const struct row *x, json_t *patch)
{
	struct res_error e = {0};
	struct res_ctx own = *c;
	int r = db_run(c->db, "SAVEPOINT allot_row", "");

	if (r) {
		json_decref(patch);
		return r;
	}
	own.error = &e;
	r = customer_change(&own, x->id, patch, NULL);
	if (r > 0) {
		int back = db_run(c->db, "ROLLBACK TO SAVEPOINT allot_row", "");

		r = back ? back : r;
	}
	res_error_done(&e);
	if (r >= 0) {
		int end = db_run(c->db, "RELEASE SAVEPOINT allot_row", "");

		r = end ? end : r;
	}
	return r;
}

/* Her owner has changed, or she is merged, since the plan was made: she stays. */
static const char *why_not(int found, const struct now *now, int64_t owner)
{
	return found ? "gone" : !now->active ? "merged" : now->owner != owner ? "owner" : NULL;
}

static int took_back(struct res_ctx *c, const struct head *h, const struct row *x)
{
	int r = db_run(c->db, "DELETE FROM customer_shares WHERE customer_id = $1", "i", x->id);

	return r || !x->owner ? r : customer_claim_note(c, x->id, x->owner, c->who->user_id, "returned", h->title);
}

static int give(const char **state, struct res_ctx *c, int64_t id, const struct head *h, const struct row *x)
{
	struct now now = {0};
	int r = now_get(&now, c, x->id), found = r;
	const char *why = why_not(r, &now, x->owner);
	int64_t team = x->to ? 0 : h->team_id;

	if (r && r != -ENOENT)
		return r;
	*state = why ? "refused" : !x->to && !h->take ? "left" : x->to == now.owner && (x->to || team == now.team) ? "same" : "done";
	if (strcmp(*state, "done") != 0)
		return row_say(c, id, x, *state, found ? 0 : now.rev, why);
	r = change(c, x, x->to ? json_pack("{s:o}", "owner_id", id_json(x->to)) : json_pack("{s:n, s:o}", "owner_id", "team_id", id_json(team)));
	if (r > 0) {
		*state = "refused";
		return row_say(c, id, x, *state, 0, "refused");
	}
	if (!r && !x->to)
		r = took_back(c, h, x);
	if (!r)
		r = now_get(&now, c, x->id);
	return r ? r : row_say(c, id, x, *state, now.rev, NULL);
}

/* Untouched: no change of the row, no contact. */
static int put_back(const char **state, struct res_ctx *c, int64_t id, const struct row *x)
{
	struct now now = {0};
	int r = now_get(&now, c, x->id), alive = 0;
	const char *why = why_not(r, &now, now.owner);
	int64_t active = 1;

	if (r && r != -ENOENT)
		return r;
	if (!why && (now.rev != x->rev_after || now.last_ms > x->at_ms))
		why = "changed";
	if (!why && x->owner)
		alive = db_get_i64(&active, c->db, "SELECT active FROM users WHERE id = $1", "i", x->owner);
	if (alive && alive != -ENOENT)
		return alive;
	if (!why && alive == -ENOENT)
		why = "owner";
	if (!why) {
		r = change(c, x, json_pack("{s:o, s:o}", "owner_id", id_json(x->owner), "team_id", id_json(x->team)));
		if (r < 0)
			return r;
		why = r ? "refused" : NULL;
	}
	if (!why)
		r = db_run(c->db, "UPDATE customers SET owned_ms = $1 WHERE id = $2", "ri", x->owned_ms, x->id);
	if (!why && !r)
		r = customer_back_set(c->db, x->id);
	*state = why ? "kept" : "undone";
	return r < 0 ? r : row_say(c, id, x, *state, x->rev_after, why);
}

/* ---- pieces ---- */

struct count {
	int64_t done, changed, refused, undone, kept;
};

static void tally(struct count *n, const char *state)
{
	n->done += strcmp(state, "undone") != 0 && strcmp(state, "kept") != 0;
	n->changed += !strcmp(state, "done");
	n->refused += !strcmp(state, "refused");
	n->undone += !strcmp(state, "undone");
	n->kept += !strcmp(state, "kept");
}

static int step(bool *more, int64_t *last, struct res_ctx *c, int64_t id, bool undo)
{
	int64_t end_ms = clock_mono_ms() + PIECE_MS;
	struct row rows[ALLOT_PIECE];
	struct count sum = {0};
	struct head h;
	size_t n = 0, did = 0;
	int r = head_get(&h, c, id);

	*more = false;
	if (r || h.stop)
		return r;
	r = rows_get(rows, &n, c, id, *last, undo);
	for (; !r && did < n && (!did || clock_mono_ms() < end_ms); did++) {
		const char *state = "";

		r = undo ? put_back(&state, c, id, &rows[did]) : give(&state, c, id, &h, &rows[did]);
		tally(&sum, state);
	}
	if (!r && did)
		r = db_run(c->db,
			   "UPDATE allocations SET done = done + $1, changed = changed + $2, refused = refused + $3, undone = undone + $4, kept = kept + $5,"
			   " updated_ms = $6 WHERE id = $7", "iiiiiii", sum.done, sum.changed, sum.refused, sum.undone, sum.kept, c->now_ms, id);
	if (!r && did) {
		*last = rows[did - 1].id;
		*more = did < n || n == ALLOT_PIECE;
	}
	return r;
}

int people_allot_step(bool *more, int64_t *last, struct res_ctx *c, int64_t id)
{
	return step(more, last, c, id, false);
}

int people_allot_undo_step(bool *more, int64_t *last, struct res_ctx *c, int64_t id)
{
	return step(more, last, c, id, true);
}

/* ---- the end ---- */

static const char *end_state(const struct count *n, bool undo, bool ok, bool stop)
{
	if (!ok)
		return "interrupted";
	if (!undo)
		return stop ? "cancelled" : "done";
	return n->kept || n->undone < n->changed ? "part_undone" : "undone";
}

int people_allot_end(struct res_ctx *c, int64_t id, bool undo, bool ok)
{
	struct count n = {0};
	struct db_stmt *st;
	bool stop = false;
	const char *state;
	json_t *after;
	int r = db_prepare(&st, c->db, "SELECT done, changed, refused, undone, kept, stop FROM allocations WHERE id = $1");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	r = db_step(st);
	if (r == DB_ROW) {
		n = (struct count){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), db_i64(st, 4)};
		stop = db_i64(st, 5);
	}
	db_done(st);
	if (r != DB_ROW)
		return r ? r : -ENOENT;
	state = end_state(&n, undo, ok, stop);
	after = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "state", state, "done", (json_int_t)n.done, "changed", (json_int_t)n.changed, "refused",
			  (json_int_t)n.refused, "undone", (json_int_t)n.undone, "kept", (json_int_t)n.kept);
	r = db_run(c->db, "UPDATE allocations SET state = $1, stop = 0, rev = rev + 1, updated_ms = $2 WHERE id = $3", "tii", state, c->now_ms, id);
	if (!r)
		r = res_audit(c, "allocations", id, undo ? "undo" : "allot", NULL, after);
	json_decref(after);
	return r;
}

int people_allot_interrupted(struct db *db)
{
	return db_run(db, "UPDATE allocations SET state = 'interrupted', stop = 0, rev = rev + 1 WHERE state = 'running' OR state = 'undoing'", "");
}

/* ---- as it was ---- */

static void load_people(struct allot *a, const char *text)
{
	json_t *list = json_loads(text ? text : "[]", 0, NULL), *o;
	size_t i;

	a->people = xcalloc(json_array_size(list) + 1, sizeof(*a->people));
	json_array_foreach(list, i, o) {
		struct allot_person *p = &a->people[a->m++];

		p->id = row_id(o, "id");
		(void)str_copy(p->name, sizeof(p->name), row_text(o, "name"));
		p->weight = (unsigned)json_integer_value(json_object_get(o, "weight"));
		p->cap = json_integer_value(json_object_get(o, "cap"));
		p->fixed = json_integer_value(json_object_get(o, "fixed"));
		p->n = json_integer_value(json_object_get(o, "n"));
		p->why = row_bool(o, "full") ? "full" : NULL;
	}
	json_decref(list);
}

static int load_rows(struct allot *a, struct db *db, int64_t id, int64_t count)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT customer_id, COALESCE(to_id, 0), hand FROM allocation_rows WHERE allocation_id = $1 ORDER BY customer_id");

	if (r)
		return r;
	a->customers = xcalloc((size_t)count + 1, sizeof(*a->customers));
	db_bind_i64(st, 1, id);
	while ((r = db_step(st)) == DB_ROW && a->n < (size_t)count)
		a->customers[a->n++] = (struct allot_customer){.id = db_i64(st, 0), .to = db_i64(st, 1), .hand = db_i64(st, 2)};
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

int people_allot_load(struct allot **ret, struct db *db, int64_t centre_id, int64_t id)
{
	struct allot *a = xcalloc(1, sizeof(*a));
	struct db_stmt *st;
	int64_t count = 0;
	int r = db_prepare(&st, db, "SELECT title, method, seed, version, people, count FROM allocations WHERE id = $1 AND centre_id = $2");

	if (!r) {
		db_bind_i64(st, 1, id);
		db_bind_i64(st, 2, centre_id);
		r = db_step(st);
		if (r == DB_ROW) {
			(void)str_copy(a->title, sizeof(a->title), db_text(st, 0));
			(void)str_copy(a->method, sizeof(a->method), db_text(st, 1));
			(void)str_copy(a->seed, sizeof(a->seed), db_text(st, 2));
			(void)str_copy(a->version, sizeof(a->version), db_text(st, 3));
			load_people(a, db_text(st, 4));
			count = db_i64(st, 5);
		}
		db_done(st);
		r = r == DB_ROW ? load_rows(a, db, id, count) : r ? r : -ENOENT;
	}
	if (r)
		allot_free(a);
	else
		*ret = a;
	return r;
}
