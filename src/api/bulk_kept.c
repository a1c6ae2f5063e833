/*
 * Changes of many rows in the database: `bulks` says what and how far, `bulk_rows` what would put a row back, or why it was refused. Written
 * in the transactions of the changes themselves, so after a crash they agree.
 */
#include "api/bulk_int.h"

#include <endian.h>
#include <stdlib.h>

#define SWEEP_ROWS 500 /* in one transaction */

void bulk_row_done(struct bulk_row *row)
{
	free(row->patch);
	free(row->name);
	free(row->why);
	*row = (struct bulk_row){0};
}

void bulk_free(struct bulks *bs, struct bulk *j)
{
	ilink_unlink(&j->link);
	bs->n--;
	for (size_t i = 0; i < j->before_n; i++)
		bulk_row_done(&j->before[i]);
	free(j->before);
	free(j->ids);
	json_decref(j->patch);
	json_decref(j->asked);
	json_decref(j->refused);
	free(j);
}

/* ---- written ---- */

int bulk_keep_new(struct db *db, const struct bulk *j, int64_t now_ms)
{
	char *patch = j->patch ? json_dumps(j->patch, JSON_COMPACT) : NULL, *asked = json_dumps(j->asked, JSON_COMPACT);
	uint64_t *ids = xcalloc(j->n, sizeof(*ids));
	int r;

	for (size_t i = 0; i < j->n; i++)
		ids[i] = htole64((uint64_t)j->ids[i]);
	r = db_run(db,
		   "INSERT INTO bulks (id, centre_id, user_id, lang, resource, patch, asked, state, row_ids, done, changed, same, bad, undone, undo_bad,"
		   " created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, 0, 0, 0, 0, 0, 0, $9)",
		   "iiittttbi", j->id, j->who.centre_id, j->who.user_id, j->lang, j->d->name, patch, asked, (const void *)ids, j->n * sizeof(*ids), now_ms);
	free(patch);
	free(asked);
	free(ids);
	return r > 0 ? -EIO : r;
}

int bulk_keep_row(struct db *db, const struct bulk *j, const struct bulk_row *row)
{
	int r;

	if (row->why && j->bad >= BULK_REFUSED_MAX)
		return 0;
	r = db_run(db, "INSERT INTO bulk_rows (bulk_id, place, row_id, rev_after, before_json, name, why) VALUES ($1, $2, $3, $4, $5, $6, $7)", "iiirttt",
		   j->id, row->place, row->id, row->rev, row->patch, row->name, row->why);
	return r > 0 ? -EIO : r;
}

int bulk_keep_kept(struct db *db, const struct bulk *j, const struct bulk_row *row)
{
	return db_run(db, "UPDATE bulk_rows SET name = $3, why = $4 WHERE bulk_id = $1 AND place = $2", "iitt", j->id, row->place, row->name, row->why);
}

int bulk_keep_counts(struct db *db, const struct bulk *j)
{
	return db_run(db, "UPDATE bulks SET done = $2, changed = $3, same = $4, bad = $5, undone = $6, undo_bad = $7 WHERE id = $1", "iiiiiii", j->id,
		      j->done, j->changed, j->same, j->bad, j->undone, j->undo_bad);
}

/* What was refused has been told, the undo tells its own. */
int bulk_keep_undo(struct db *db, const struct bulk *j)
{
	int r = db_run(db, "UPDATE bulks SET state = 'undoing', ended_ms = NULL WHERE id = $1", "i", j->id);

	if (!r)
		r = db_run(db, "DELETE FROM bulk_rows WHERE bulk_id = $1 AND before_json IS NULL AND rev_after IS NULL", "i", j->id);
	return r;
}

int bulk_keep_end(struct db *db, const struct bulk *j, int64_t now_ms)
{
	return db_run(db, "UPDATE bulks SET state = $2, ended_ms = $3 WHERE id = $1", "iti", j->id, bulk_states[j->state], now_ms);
}

/* ---- read again ---- */

static json_t *parsed(const char *text)
{
	return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static void take_ids(struct bulk *j, const struct db_stmt *st, int col)
{
	size_t size = 0;
	const uint8_t *p = db_blob(st, col, &size);
	uint64_t id;

	j->n = size / sizeof(id);
	j->ids = xcalloc(j->n + 1, sizeof(*j->ids));
	for (size_t i = 0; i < j->n; i++) {
		memcpy(&id, p + i * sizeof(id), sizeof(id));
		j->ids[i] = (int64_t)le64toh(id);
	}
}

static enum bulk_state state_named(const char *name)
{
	for (enum bulk_state s = 0; s < BULK_STATES; s++)
		if (!strcmp(bulk_states[s], name))
			return s;
	return BULK_INTERRUPTED;
}

/* NULL: its resource is no more. */
static struct bulk *read_one(struct api *a, const struct db_stmt *st)
{
	const struct res_def *d = res_named(db_text(st, 4), db_i64(st, 1));
	struct bulk *j;

	if (!d)
		return NULL;
	j = xcalloc(1, sizeof(*j));
	*j = (struct bulk){.api = a, .id = db_i64(st, 0), .d = d, .who = {.centre_id = db_i64(st, 1), .user_id = db_i64(st, 2)}};
	(void)str_copy(j->lang, sizeof(j->lang), db_text(st, 3));
	j->who.lang = j->lang;
	j->patch = parsed(db_text(st, 5));
	j->remove = !j->patch;
	j->asked = parsed(db_text(st, 6));
	j->state = state_named(db_text(st, 7));
	take_ids(j, st, 8);
	j->done = db_i64(st, 9);
	j->changed = db_i64(st, 10);
	j->same = db_i64(st, 11);
	j->bad = db_i64(st, 12);
	j->undone = db_i64(st, 13);
	j->undo_bad = db_i64(st, 14);
	j->until_ms = db_i64(st, 15) + BULK_KEPT_MS;
	j->at = (size_t)j->done < j->n ? (size_t)j->done : j->n;
	j->refused = json_array();
	j->before = j->remove ? NULL : xcalloc(j->n + 1, sizeof(*j->before));
	return j;
}

static int read_rows(struct bulk *j, struct db *db)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT place, row_id, COALESCE(rev_after, 0), before_json, name, why FROM bulk_rows WHERE bulk_id = $1 ORDER BY place");

	if (r)
		return r;
	db_bind_i64(st, 1, j->id);
	while ((r = db_step(st)) == DB_ROW) {
		struct bulk_row row = {.place = db_i64(st, 0), .id = db_i64(st, 1), .rev = db_i64(st, 2), .name = (char *)db_text(st, 4), .why = (char *)db_text(st, 5)};

		if (row.why)
			bulk_refused_add(j, &row);
		if (db_text(st, 3) && j->before && j->before_n < j->n)
			j->before[j->before_n++] = (struct bulk_row){.place = row.place, .id = row.id, .rev = row.rev, .patch = xstrdup(db_text(st, 3))};
	}
	db_done(st);
	return r;
}

/* Who may no longer do anything does not go on. */
static void take_who(struct bulk *j, struct db *db)
{
	struct people_user u;

	j->nobody = people_user_get(&u, db, j->who.user_id) || !u.active || !u.rights;
	if (!j->nobody)
		j->who.rights = &u.rights->res;
}

static void where_it_is(struct bulk *j)
{
	size_t back = (size_t)(j->undone + j->undo_bad);

	if (j->state == BULK_UNDOING || back)
		j->undo_at = back < j->before_n ? j->before_n - back : 0;
}

int bulk_kept_load(struct api *a, struct db *db)
{
	struct bulks *bs = a->bulks;
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT id, centre_id, user_id, lang, resource, patch, asked, state, row_ids, done, changed, same, bad, undone, undo_bad,"
			   " COALESCE(ended_ms, 0) FROM bulks WHERE ended_ms IS NULL OR ended_ms > $1 ORDER BY ended_ms IS NULL DESC, id DESC LIMIT $2");

	if (r)
		return r;
	db_bind_i64(st, 1, clock_utc_ms() - BULK_KEPT_MS);
	db_bind_i64(st, 2, BULK_JOBS_MAX);
	while ((r = db_step(st)) == DB_ROW) {
		struct bulk *j = read_one(a, st);

		if (j) {
			ilist_push_front(&bs->jobs, &j->link);
			bs->n++;
		}
	}
	db_done(st);
	ilist_each_entry(&bs->jobs, j, struct bulk, link)
		if (!r) {
			r = read_rows(j, db);
			take_who(j, db);
			where_it_is(j);
		}
	while (r && !ilist_empty(&bs->jobs))
		bulk_free(bs, container_of(bs->jobs.next, struct bulk, link));
	return r;
}

/* ---- forgotten ---- */

struct sweep {
	int64_t id; /* 0: nothing is due */
	bool more;
};

static int sweep_job(struct db *db, void *arg)
{
	struct sweep *s = arg;
	int64_t place = 0;
	int r = db_get_i64(&s->id, db, "SELECT id FROM bulks WHERE ended_ms < $1 ORDER BY id LIMIT 1", "i", clock_utc_ms() - BULK_KEPT_MS);

	s->more = !r;
	if (r)
		return r == -ENOENT ? 0 : r;
	r = db_get_i64(&place, db, "SELECT place FROM bulk_rows WHERE bulk_id = $1 ORDER BY place LIMIT 1 OFFSET $2", "ii", s->id, (int64_t)SWEEP_ROWS);
	if (!r)
		return db_run(db, "DELETE FROM bulk_rows WHERE bulk_id = $1 AND place < $2", "ii", s->id, place);
	if (r == -ENOENT)
		r = db_run(db, "DELETE FROM bulk_rows WHERE bulk_id = $1", "i", s->id);
	return r ? r : db_run(db, "DELETE FROM bulks WHERE id = $1", "i", s->id);
}

void bulk_kept_sweep(struct api *a)
{
	struct sweep s = {.more = true};

	while (s.more && !a->stopping)
		if (db_writer_call(a->conf.writer, DB_BUSINESS, sweep_job, &s))
			return;
}
