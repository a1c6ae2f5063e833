/*
 * Removing a person. What names her in rows goes in one transaction: her own row keeps what figures are made of, her notes keep when, who,
 * reason and result. The log's texts of her calls, which stand in no order that finds them quickly, go in pieces; then the numbers in the
 * records, then recordings when the rules say so. What is still to be done is in erasures, so a crash in the middle only delays it.
 *
 *   begin --> texts of events, EVENTS a piece --> numbers of calls --> recordings at recordings_ms, FILES a piece --> done
 *
 * Files that were exported, backups, and SIP messages within their days are not reached; the page says so.
 */
#include "people/privacy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "find/find.h"
#include "people/customer.h"

#define EVENTS 20000 /* texts looked at in a piece */
#define DONE_TEXTS (-1)
#define DONE_NUMBERS (-2)

/* ---- rows ---- */

/* $1: the customer. Each is served by an index on it. */
static const char *const rows_sql[] = {
	"UPDATE customers SET name = NULL, name_sort = NULL, phone = NULL, gender = NULL, age = NULL, birthday = NULL, id_number = NULL, company = NULL,"
	" occupation = NULL, interests = NULL, city = NULL, address = NULL, wechat = NULL, email = NULL, tags = NULL, note = NULL, next_ms = NULL,"
	" back_ms = NULL, owner_id = NULL, team_id = NULL, owned_ms = NULL, x1 = NULL, x2 = NULL, x3 = NULL, x4 = NULL, x5 = NULL, x6 = NULL, x7 = NULL, x8 = NULL, x9 = NULL, x10 = NULL, x11 = NULL,"
	" x12 = NULL, x13 = NULL, x14 = NULL, x15 = NULL, x16 = NULL, x17 = NULL, x18 = NULL, x19 = NULL, x20 = NULL, x21 = NULL, x22 = NULL, x23 = NULL,"
	" x24 = NULL, n1 = NULL, n2 = NULL, n3 = NULL, n4 = NULL, n5 = NULL, n6 = NULL, n7 = NULL, n8 = NULL, n9 = NULL, n10 = NULL, n11 = NULL,"
	" n12 = NULL, n13 = NULL, n14 = NULL, n15 = NULL, n16 = NULL, state = 'erased', rev = rev + 1 WHERE id = $1",
	"DELETE FROM customer_phones WHERE customer_id = $1",
	"UPDATE notes SET text = NULL, form = NULL, rev = rev + 1 WHERE customer_id = $1",
	"UPDATE customer_requests SET number = NULL, reason = NULL, answer = NULL, state = CASE WHEN state = 'open' THEN 'withdrawn' ELSE state END,"
	" rev = rev + 1 WHERE customer_id = $1",
	"DELETE FROM customer_shares WHERE customer_id = $1",
	"UPDATE callbacks SET reason = NULL, phone = NULL, state = CASE WHEN state = 'open' THEN 'dropped' ELSE state END, rev = rev + 1 WHERE customer_id = $1",
	"UPDATE visits SET note = NULL, again = NULL, rev = rev + 1 WHERE customer_id = $1",
	"UPDATE deals SET note = NULL, cancel_reason = NULL, follow = NULL, rev = rev + 1 WHERE customer_id = $1",
	"UPDATE customer_claims SET reason = NULL WHERE customer_id = $1",
	"UPDATE customer_merges SET moved = '{}' WHERE customer_id = $1 OR other_id = $1",
	"UPDATE import_rows SET before_json = NULL, state = COALESCE(state, 'kept'), why = COALESCE(why, 'erased') WHERE row_id = $1 AND before_json IS NOT NULL",
	"UPDATE bulk_rows SET before_json = CASE WHEN before_json IS NULL THEN NULL ELSE '{}' END, name = NULL WHERE row_id = $1",
	"DELETE FROM call_remark WHERE call_id IN (SELECT x.call_id FROM erasure_calls x WHERE x.customer_id = $1)",
	"UPDATE call_mark SET tags = NULL, why = NULL, held_why = NULL WHERE call_id IN (SELECT x.call_id FROM erasure_calls x WHERE x.customer_id = $1)",
	"DELETE FROM note_drafts WHERE subject IN (SELECT 'call:' || x.call_id FROM erasure_calls x WHERE x.customer_id = $1)",
};

static int each_id(struct db *db, const char *sql, int64_t id, int (*fn)(struct db *db, int64_t id, void *arg), void *arg)
{
	int64_t *ids = NULL;
	size_t n = 0, room = 0;
	struct db_stmt *st;
	int r = db_prepare(&st, db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	while ((r = db_step(st)) == DB_ROW) {
		if (n == room)
			ids = xrealloc(ids, (room = room * 2 + 32) * sizeof(*ids));
		ids[n++] = db_i64(st, 0);
	}
	db_done(st);
	for (size_t i = 0; !r && i < n; i++)
		r = fn(db, ids[i], arg);
	free(ids);
	return r;
}

struct whose {
	int64_t centre_id;
	const char *resource;
};

static int forget_line(struct db *db, int64_t id, void *arg)
{
	const struct whose *w = arg;
	int r = !strcmp(w->resource, "notes") ? find_drop(db, "notes", id) : !strcmp(w->resource, "customers") ? find_drop(db, "customers", id) : 0;

	return r ? r : res_audit_erase(db, w->centre_id, w->resource, id);
}

/* Texts that people searched with. @id: where the customer's is bound, whose numbers are still there. */
#define HOLDS(column, id) \
	"EXISTS (SELECT 1 FROM customer_phones p WHERE p.customer_id = " id " AND (" column " LIKE '%' || p.number || '%' OR " column \
	" LIKE '%' || substr(p.number, 4) || '%'))"

/* What the audit says of her row, her telephones (those of earlier, too) and her notes. */
static int erase_audit(struct db *db, int64_t centre_id, int64_t id)
{
	static const struct {
		const char *resource, *ids;
	} lines[] = {
		{"customers", "SELECT c.id FROM customers c WHERE c.id = $1"},
		{"customer_phones", "SELECT DISTINCT a.row_id FROM audit a, customers c WHERE c.id = $1 AND a.centre_id = c.centre_id AND a.resource = 'customer_phones'"
				    " AND (a.before_json LIKE '%\"customer_id\":\"' || c.id || '\"%' OR a.after_json LIKE '%\"customer_id\":\"' || c.id || '\"%')"},
		{"customer_requests", "SELECT q.id FROM customer_requests q WHERE q.customer_id = $1"},
		{"notes", "SELECT n.id FROM notes n WHERE n.customer_id = $1"},
		{"views", "SELECT v.id FROM views v, customers c WHERE c.id = $1 AND v.centre_id = c.centre_id AND v.filters IS NOT NULL AND " HOLDS("v.filters", "$1")},
		{"visits", "SELECT v.id FROM visits v WHERE v.customer_id = $1"},
		{"deals", "SELECT d.id FROM deals d WHERE d.customer_id = $1"},
		{"callbacks", "SELECT b.id FROM callbacks b WHERE b.customer_id = $1"},
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(lines); i++)
		r = each_id(db, lines[i].ids, id, forget_line, &(struct whose){centre_id, lines[i].resource});
	return r;
}

/* $1 the centre, $2 the customer. */
static int erase_questions(struct db *db, int64_t centre_id, int64_t id)
{
	static const char *const sql[] = {
		"UPDATE audit SET before_json = NULL, after_json = NULL, salt = '' WHERE centre_id = $1 AND action = 'export' AND body_hash IS NOT NULL AND "
		HOLDS("audit.after_json", "$2"),
		"UPDATE exports SET filters = NULL WHERE centre_id = $1 AND filters IS NOT NULL AND " HOLDS("exports.filters", "$2"),
		"UPDATE views SET filters = NULL, rev = rev + 1 WHERE centre_id = $1 AND filters IS NOT NULL AND " HOLDS("views.filters", "$2"),
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(sql); i++)
		r = db_run(db, sql[i], "ii", centre_id, id);
	return r;
}

/* Attachments are another module's: their files are found by the rows that are gone. */
static int erase_attachments(struct db *db, int64_t id)
{
	if (!res_find("attachments"))
		return 0;
	return db_run(db,
		      "DELETE FROM attachments WHERE (resource = 'customers' AND row_id = $1)"
		      " OR (resource = 'notes' AND row_id IN (SELECT n.id FROM notes n WHERE n.customer_id = $1))",
		      "i", id);
}

/* Those that know her, and those with one of her numbers, in the forms that records have it. */
static int find_calls(struct db *db, int64_t centre_id, int64_t id)
{
	return db_run(db,
		      "INSERT INTO erasure_calls (customer_id, call_id)"
		      " SELECT $1, x.call_id FROM (SELECT i.call_id FROM customer_phones p JOIN call_pii i ON i.from_number IN"
		      " (p.number, substr(p.number, 4), '0' || substr(p.number, 4)) WHERE p.customer_id = $1"
		      " UNION SELECT i.call_id FROM customer_phones p JOIN call_pii i ON i.to_number IN"
		      " (p.number, substr(p.number, 4), '0' || substr(p.number, 4)) WHERE p.customer_id = $1"
		      " UNION SELECT k.id FROM call k WHERE k.customer_id = $1) AS x JOIN call c ON c.id = x.call_id WHERE c.centre_id = $2",
		      "ii", id, centre_id);
}

static int may_erase(struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	char state[16] = "";
	int r = res_may_row(c, &people_customers, id, RES_READ);

	if (r)
		return r;
	if (!people_may(c->who, RIGHT_ERASE)) {
		res_fail(c, 403, "forbidden", NULL, NULL);
		return 1;
	}
	r = db_prepare(&st, c->db, "SELECT state FROM customers WHERE id = $1");
	if (r)
		return r;
	db_bind_i64(st, 1, id);
	r = db_step(st);
	if (r == DB_ROW)
		(void)str_copy(state, sizeof(state), db_text(st, 0));
	db_done(st);
	if (r == DB_ROW && strcmp(state, "erased") != 0)
		return 0;
	if (r >= 0)
		res_fail(c, r == DB_ROW ? 409 : 404, r == DB_ROW ? "erased" : "not_found", NULL, NULL);
	return r < 0 ? r : 1;
}

static int64_t recordings_at(const struct people_privacy *rules, int64_t now_ms)
{
	return !strcmp(rules->recordings, "now") ? now_ms : now_ms + rules->recordings_days * 86400000;
}

int people_erase_begin(struct res_ctx *c, int64_t id, const char *reason)
{
	int64_t centre = c->who->centre_id, open = 0, held = 0;
	struct people_privacy rules;
	json_t *after;
	int r = may_erase(c, id);

	if (!r)
		r = people_privacy_get(&rules, c->db, centre);
	if (!r)
		r = db_run(c->db, "INSERT INTO erasures (customer_id, centre_id, user_id, at_ms, epoch, n, recordings_ms) VALUES ($1, $2, $3, $4, 0, 0, $5)",
			   "iiiir", id, centre, c->who->user_id, c->now_ms,
			   strcmp(rules.recordings, "keep") ? recordings_at(&rules, c->now_ms) : 0);
	if (!r)
		r = find_calls(c->db, centre, id);
	if (!r)
		r = db_get_i64(&open, c->db, "SELECT COUNT(*) FROM call c JOIN erasure_calls x ON x.call_id = c.id WHERE x.customer_id = $1 AND c.end_ms IS NULL",
			       "i", id);
	if (!r && open) {
		res_fail(c, 409, "in_call", NULL, NULL);
		return 1;
	}
	if (!r)
		r = db_get_i64(&held, c->db, "SELECT COUNT(*) FROM call_mark m JOIN erasure_calls x ON x.call_id = m.call_id WHERE x.customer_id = $1 AND m.held = 1", "i", id);
	if (!r && held) {
		res_fail(c, 409, "held", NULL, NULL);
		return 1;
	}
	if (!r)
		r = erase_audit(c->db, centre, id);
	if (!r)
		r = erase_questions(c->db, centre, id);
	if (!r)
		r = erase_attachments(c->db, id);
	for (size_t i = 0; !r && i < ARRAY_LEN(rows_sql); i++)
		r = db_run(c->db, rows_sql[i], "i", id);
	if (!r)
		r = campaign_customer_erased(c->db, id, c->now_ms);
	if (r)
		return r;
	after = json_pack("{s:s}", "reason", reason);
	r = res_audit(c, "customers", id, "erase", NULL, after);
	json_decref(after);
	return r;
}

/* ---- what takes long ---- */

struct erasure {
	int64_t customer_id, epoch, n, recordings_ms;
};

static int next_erasure(struct erasure *e, struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT customer_id, epoch, n, COALESCE(recordings_ms, 0) FROM erasures WHERE centre_id = $1"
			   " AND (epoch <> $2 OR recordings_ms IS NULL OR recordings_ms <= $3) ORDER BY at_ms LIMIT 1");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, DONE_NUMBERS);
	db_bind_i64(st, 3, now_ms);
	r = db_step(st);
	if (r == DB_ROW)
		*e = (struct erasure){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3)};
	db_done(st);
	return r;
}

static int set_place(struct db *db, const struct erasure *e, int64_t epoch, int64_t n)
{
	return db_run(db, "UPDATE erasures SET epoch = $2, n = $3 WHERE customer_id = $1", "iii", e->customer_id, epoch, n);
}

/* The next EVENTS texts of the log, by its primary key: those of her calls go. */
static int erase_texts(struct db *db, const struct erasure *e)
{
	int64_t epoch = 0, n = 0;
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT epoch, n FROM event_pii WHERE (epoch, n) > ($1, $2) ORDER BY epoch, n LIMIT 1 OFFSET $3");

	if (r)
		return r;
	db_bind_i64(st, 1, e->epoch);
	db_bind_i64(st, 2, e->n);
	db_bind_i64(st, 3, EVENTS);
	r = db_step(st);
	if (r == DB_ROW) {
		epoch = db_i64(st, 0);
		n = db_i64(st, 1);
	}
	db_done(st);
	if (r < 0)
		return r;
	r = db_run(db,
		   "DELETE FROM event_pii WHERE (epoch, n) > ($2, $3) AND ($4 = 0 OR (epoch, n) <= ($4, $5)) AND EXISTS (SELECT 1 FROM event e"
		   " JOIN erasure_calls x ON x.call_id = e.call_id WHERE e.epoch = event_pii.epoch AND e.n = event_pii.n AND x.customer_id = $1)",
		   "iiiii", e->customer_id, e->epoch, e->n, epoch, n);
	return r ? r : epoch ? set_place(db, e, epoch, n) : set_place(db, e, DONE_TEXTS, 0);
}

static int erase_numbers(struct db *db, const struct erasure *e)
{
	int r = db_run(db, "DELETE FROM call_pii WHERE call_id IN (SELECT x.call_id FROM erasure_calls x WHERE x.customer_id = $1)", "i", e->customer_id);

	if (!r)
		r = db_run(db, "UPDATE call_move SET number = NULL, why = NULL WHERE call_id IN (SELECT x.call_id FROM erasure_calls x WHERE x.customer_id = $1)",
			   "i", e->customer_id);
	return r ? r : set_place(db, e, DONE_NUMBERS, 0);
}

static int list_files(struct people_erased *ret, struct db *db, const struct erasure *e)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT p.id, p.path FROM recording_part p JOIN erasure_calls x ON x.call_id = p.call_id WHERE x.customer_id = $1"
			   " AND p.state <> 'erased' AND NOT EXISTS (SELECT 1 FROM call_mark m WHERE m.call_id = p.call_id AND m.held = 1) ORDER BY p.id LIMIT $2");

	if (r)
		return r;
	db_bind_i64(st, 1, e->customer_id);
	db_bind_i64(st, 2, PEOPLE_ERASE_FILES);
	while ((r = db_step(st)) == DB_ROW) {
		ret->parts[ret->file_n] = db_i64(st, 0);
		ret->files[ret->file_n++] = xstrdup(db_text(st, 1));
	}
	db_done(st);
	return r;
}

static int finish(struct db *db, const struct erasure *e)
{
	int r = db_run(db, "DELETE FROM erasure_calls WHERE customer_id = $1", "i", e->customer_id);

	return r ? r : db_run(db, "DELETE FROM erasures WHERE customer_id = $1", "i", e->customer_id);
}

int people_erase_step(struct people_erased *ret, struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct erasure e = {0};
	int r;

	*ret = (struct people_erased){0};
	r = next_erasure(&e, db, centre_id, now_ms);
	if (r != DB_ROW)
		return r;
	ret->more = true;
	ret->customer_id = e.customer_id;
	if (e.epoch >= 0)
		return erase_texts(db, &e);
	if (e.epoch == DONE_TEXTS)
		return erase_numbers(db, &e);
	r = e.recordings_ms ? list_files(ret, db, &e) : 0;
	return r || ret->file_n ? r : finish(db, &e);
}

int people_erase_files_gone(struct db *db, const struct people_erased *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < e->file_n; i++)
		r = db_run(db, "UPDATE recording_part SET state = 'erased', path = '', hash = NULL WHERE id = $1", "i", e->parts[i]);
	return r;
}

void people_erased_done(struct people_erased *e)
{
	for (size_t i = 0; i < e->file_n; i++)
		free(e->files[i]);
	e->file_n = 0;
}
