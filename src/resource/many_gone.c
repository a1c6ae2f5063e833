/*
 * Many rows that go, in few statements: what the undo of an import takes away. As in many.c all is in the end as if res_delete had removed
 * each, and whatever is not plain is left to it.
 */
#include "resource/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool res_can_many_go(const struct res_def *d)
{
	const struct res_sql *s = res_sql_of(d);

	for (size_t i = 0; i < s->use_n; i++)
		if (!s->uses[i].column)
			return false;
	return !d->before_delete || (d->many && d->many->before_delete);
}

void res_many_gone_done(struct res_gone *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_decref(rows[i].row);
		json_decref(rows[i].children);
		rows[i].row = rows[i].children = NULL;
	}
}

static struct res_gone *gone_of(struct res_gone *rows, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

/* A statement about several ids: @before ends with IN, $1 is the centre. */
static int ids_prepare(struct db_stmt **st, struct res_ctx *c, const char *before, const char *after, const struct res_gone *rows, size_t n)
{
	size_t places = res_places(n);
	struct strb b;
	int r;

	assert(n && n <= RES_PLACES_MAX);
	strb_init(&b, 65536);
	strb_printf(&b, "%s(", before);
	res_put_places(&b, 2, places);
	strb_printf(&b, ")%s", after);
	r = db_prepare(st, c->db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	db_bind_i64(*st, 1, c->who->centre_id);
	for (size_t i = 0; i < places; i++)
		db_bind_i64(*st, (int)i + 2, rows[i < n ? i : n - 1].id);
	return 0;
}

/* The plus: SQLite would rather walk an index of the whole centre. */
static int read_rows(struct res_gone *rows, size_t n, struct res_ctx *c, const struct res_def *d)
{
	const struct res_sql *s = res_sql_of(d);
	char *sql = xasprintf("%s%s WHERE +t.centre_id = $1 AND t.id IN ", s->cols, s->from);
	struct db_stmt *st;
	int r = ids_prepare(&st, c, sql, "", rows, n);

	free(sql);
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		struct res_gone *g = gone_of(rows, n, db_i64(st, 0));

		if (!g || g->row)
			continue;
		g->row = res_row_json(c, d, st, true);
		g->rev = db_i64(st, 1);
	}
	db_done(st);
	return r;
}

static int read_children(struct res_gone *rows, size_t n, struct res_ctx *c, const struct res_def *d)
{
	char *sql = xasprintf("SELECT t.%s, t.id, t.rev FROM %s t WHERE +t.centre_id = $1 AND t.%s IN ", d->child->parent, res_find(d->child->resource)->table,
			      d->child->parent);
	struct db_stmt *st;
	int r = ids_prepare(&st, c, sql, " ORDER BY t.id", rows, n);

	free(sql);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		rows[i].children = json_array();
	while ((r = db_step(st)) == DB_ROW) {
		struct res_gone *g = gone_of(rows, n, db_i64(st, 0));

		if (g)
			(void)json_array_append_new(g->children, json_pack("[I, I]", (json_int_t)db_i64(st, 1), (json_int_t)db_i64(st, 2)));
	}
	db_done(st);
	return r;
}

int res_many_read(struct res_gone *rows, size_t n, struct res_ctx *c, const struct res_def *d)
{
	int r = 0;

	d = res_now(d, c->who->centre_id);
	for (size_t at = 0; !r && at < n; at += RES_PLACES_MAX) {
		size_t part = n - at < RES_PLACES_MAX ? n - at : RES_PLACES_MAX;

		r = read_rows(rows + at, part, c, d);
		if (!r && d->child)
			r = read_children(rows + at, part, c, d);
	}
	return r;
}

/* ---- removing ---- */

struct job {
	struct res_ctx *c;
	const struct res_def *d;
	struct res_gone *rows;
	size_t n;
	bool used;             /* others refer to some, which skip now */
};

static bool goes(const struct res_gone *g)
{
	return g->row && !g->skip && !g->done;
}

/* Marks those of up to RES_PLACES_MAX rows that @u refers to; a row may refer to itself. */
static int mark_used(bool *any, struct res_gone *rows, size_t n, struct res_ctx *c, const struct res_use *u)
{
	char *sql = xasprintf("SELECT DISTINCT t.%s FROM %s t WHERE t.id <> t.%s AND CAST($1 AS BIGINT) IS NOT NULL AND t.%s IN ", u->column, u->by->table,
			      u->column, u->column);
	struct db_stmt *st;
	int r = ids_prepare(&st, c, sql, "", rows, n);

	free(sql);
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		struct res_gone *g = gone_of(rows, n, db_i64(st, 0));

		if (g && goes(g))
			g->skip = *any = true;
	}
	db_done(st);
	return r;
}

static int mark_all_used(struct job *j)
{
	const struct res_sql *s = res_sql_of(j->d);
	int r = 0;

	for (size_t i = 0; !r && i < s->use_n; i++)
		for (size_t at = 0; !r && at < j->n; at += RES_PLACES_MAX)
			r = mark_used(&j->used, j->rows + at, j->n - at < RES_PLACES_MAX ? j->n - at : RES_PLACES_MAX, j->c, &s->uses[i]);
	return r;
}

static int before_all(struct job *j)
{
	int64_t *ids = xcalloc(j->n + 1, sizeof(*ids));
	size_t k = 0;
	int r = 0;

	for (size_t i = 0; i < j->n; i++)
		if (goes(&j->rows[i]))
			ids[k++] = j->rows[i].id;
	if (j->d->before_delete)
		r = j->d->many->before_delete(j->c, ids, k);
	free(ids);
	return r;
}

/* May run twice: db_batch. 1: begin again without those that skip now, or not at all. */
static int remove_job(struct db *db, void *arg)
{
	struct job *j = arg;
	const struct res_def *d = j->d;
	struct res_chain chain = {.known = false};
	struct res_ctx own = *j->c;
	int r = before_all(j);

	own.chain = &chain;
	if (!r)
		r = mark_all_used(j);
	if (!r && j->used)
		r = 1;
	for (size_t i = 0; !r && i < j->n; i++) {
		const struct res_gone *g = &j->rows[i];

		if (!goes(g))
			continue;
		r = db_run(db, res_sql_of(d)->remove, "ii", g->id, own.who->centre_id);
		if (!r && d->attachments) /* the files go at the next start */
			r = db_run(db, "DELETE FROM attachments WHERE resource = $1 AND row_id = $2", "ti", d->name, g->id);
		if (!r)
			r = res_audit_change(&own, d, g->id, "delete", g->row, NULL);
	}
	if (!r && d->configures_switch)
		r = res_conf_version_raise(db, own.who->centre_id);
	return r;
}

int res_many_remove(struct res_gone *rows, size_t n, struct res_ctx *c, const struct res_def *d)
{
	struct res_error e = {0};
	struct res_ctx own = *c;
	struct job j = {.c = &own, .rows = rows, .n = n};
	int r = 1, undone = 0;

	own.error = &e;
	j.d = d = res_now(d, c->who->centre_id);
	assert(res_can_many_go(d) && res_scope_of(c->who, d, RES_REMOVE) == SCOPE_CENTRE && !d->personal);
	for (int i = 0; r > 0 && i < 2; i++) { /* a second time without what is used elsewhere */
		j.used = false;
		r = db_run(c->db, "SAVEPOINT many_go", "");
		if (!r)
			r = db_batch(c->db, remove_job, &j);
		undone = r > 0 ? db_run(c->db, "ROLLBACK TO SAVEPOINT many_go", "") : 0;
		if (!undone && r >= 0)
			undone = db_run(c->db, "RELEASE SAVEPOINT many_go", "");
		if (undone || (r > 0 && !j.used))
			break;
	}
	for (size_t i = 0; !r && !undone && i < n; i++)
		rows[i].done |= goes(&rows[i]);
	res_error_done(&e);
	return undone ? undone : r > 0 ? 0 : r;
}
