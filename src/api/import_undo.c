/*
 * The undo of an import: rows that nobody has touched since are removed, or get their old values back; the others are left and listed.
 *
 *   GET  /imports/{id}/undo   what it would do, or how far it is
 *   POST /imports/{id}/undo   does it, on the imports' thread, newest lines first
 *
 * A piece of rows goes in one transaction with the notes of what happened to them (import_rows.state), so after a crash the rest can be
 * undone as if nothing had been. Who may import there may undo; what he may write else does not matter, as it only takes back an import.
 */
#include "api/import_int.h"
#include "people/prefix.h"

#define PIECE 100
#define SHOWN_MAX 200

struct undo {
	struct api *api;
	int64_t import_id, user_id;
	const struct res_def *d;
	struct res_who who;
	bool running, failed;
	_Atomic bool stop;
	int64_t done; /* lines of this run */
};

/* One line on its way back. */
struct back {
	int64_t line, id, rev;
	bool added;
	json_t *before, *children, *mine; /* as in import_rows; NULL: none */
	const char *why;                  /* NULL: undone */
	bool done;                        /* removed with many others */
};

struct piece {
	struct undo *u;
	struct back rows[PIECE];
	size_t n;
	int64_t before; /* this line: those behind it are done */
};

/* ---- what an import is ---- */

struct import {
	int64_t id, user_id;
	char state[24];
	const struct res_def *d; /* NULL: made before there was an undo */
};

/* 0; 1: there is none; negative. */
static int import_get(struct import *im, struct db *db, int64_t centre_id, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT state, resource, COALESCE(user_id, 0) FROM imports WHERE centre_id = $1 AND id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, id);
	r = db_step(st);
	if (r == DB_ROW) {
		*im = (struct import){.id = id, .user_id = db_i64(st, 2), .d = db_is_null(st, 1) ? NULL : res_find(db_text(st, 1))};
		(void)str_copy(im->state, sizeof(im->state), db_text(st, 0));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : 1;
}

/* ---- one line ---- */

/* Changed since: the row itself, or one of its child rows, or one more or less of these. */
static int touched(bool *ret, struct res_ctx *c, const struct res_def *d, const struct back *b)
{
	json_t *children = NULL;
	int64_t rev = 0;
	int r = res_row_revs(&rev, &children, c, d, b->id);

	if (!r)
		*ret = rev != b->rev || (children && b->children && !json_equal(children, b->children));
	json_decref(children);
	return r;
}

static int remove_children(struct res_ctx *c, const struct res_def *d, const json_t *ids)
{
	const json_t *v;
	size_t i;
	int r = 0;

	json_array_foreach(ids, i, v) {
		r = res_delete(c, res_find(d->child->resource), json_integer_value(v), RES_REV_ANY);
		if (r)
			break;
	}
	return r;
}

/* 0 undone; 1 with c->error; negative. */
static int take_back(struct res_ctx *c, const struct res_def *d, const struct back *b)
{
	json_t *row = NULL, *out = NULL;
	int r = res_get(&row, c, d, b->id);

	if (!r && d->import_undo) {
		r = d->import_undo(c, b->id, row, !b->added);
		r = r < 0 ? r : r || c->error->code ? 1 : 0;
	}
	if (!r && b->mine && !b->added)
		r = remove_children(c, d, b->mine);
	if (!r && b->added)
		r = res_delete(c, d, b->id, RES_REV_ANY);
	else if (!r && json_object_size(b->before))
		r = res_update(&out, c, d, b->id, b->before, RES_REV_ANY);
	json_decref(row);
	json_decref(out);
	return r;
}

static const char *kept_why(const struct res_error *e)
{
	static const char *const codes[] = {"in_use", "worked", "taken", "conflict", "last", "forbidden"};

	for (size_t i = 0; e->code && i < ARRAY_LEN(codes); i++)
		if (!strcmp(codes[i], e->code))
			return codes[i];
	return e->code ? "refused" : "changed";
}

static int undo_line(struct db *db, struct undo *u, struct back *b)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &u->who, .error = &e, .now_ms = clock_utc_ms()};
	bool was_touched = false;
	int r = touched(&was_touched, &c, u->d, b);

	b->why = was_touched ? "changed" : NULL;
	if (r == -ENOENT) /* somebody has removed it already */
		return 0;
	if (!r && !was_touched) {
		r = db_run(db, "SAVEPOINT undo_row", "");
		if (!r)
			r = take_back(&c, u->d, b);
		if (r > 0) {
			b->why = kept_why(&e);
			r = db_run(db, "ROLLBACK TO SAVEPOINT undo_row", "");
		}
		if (!r)
			r = db_run(db, "RELEASE SAVEPOINT undo_row", "");
	}
	res_error_done(&e);
	res_ctx_done(&c);
	return r;
}

/* ---- a piece ---- */

static json_t *json_of(const char *text)
{
	return text ? json_loads(text, 0, NULL) : NULL;
}

static int read_piece(struct piece *p, struct db *db)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT line, row_id, rev_after, done, before_json, children, added_children FROM import_rows "
				    "WHERE import_id = $1 AND line < $2 AND state IS NULL ORDER BY line DESC LIMIT 100");

	if (r)
		return r;
	db_bind_i64(st, 1, p->u->import_id);
	db_bind_i64(st, 2, p->before);
	while (p->n < PIECE && (r = db_step(st)) == DB_ROW)
		p->rows[p->n++] = (struct back){.line = db_i64(st, 0), .id = db_i64(st, 1), .rev = db_i64(st, 2), .added = !strcmp(db_text(st, 3), "added"),
						.before = json_of(db_text(st, 4)), .children = json_of(db_text(st, 5)), .mine = json_of(db_text(st, 6))};
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* Would somebody who looks at each leave this one? */
static int stays(bool *ret, struct res_ctx *c, const struct res_def *d, const struct back *b, const struct res_gone *g)
{
	struct res_error e = {0};
	struct res_ctx own = *c;
	int r = 0;

	*ret = !b->added || !g->row || g->rev != b->rev || (g->children && b->children && !json_equal(g->children, b->children));
	own.error = &e;
	if (!*ret && d->import_undo) {
		r = d->import_undo(&own, b->id, g->row, false);
		*ret = r || e.code;
	}
	res_error_done(&e);
	return r < 0 ? r : 0;
}

/* Added rows that nobody has touched, all together. */
static int remove_many(struct piece *p, struct db *db)
{
	const struct res_def *d = p->u->d;
	struct res_gone rows[PIECE] = {0};
	struct res_ctx c = {.db = db, .who = &p->u->who, .now_ms = clock_utc_ms()};
	int r;

	if (!res_can_many_go(d))
		return 0;
	for (size_t i = 0; i < p->n; i++)
		rows[i].id = p->rows[i].id;
	r = res_many_read(rows, p->n, &c, d);
	for (size_t i = 0; !r && i < p->n; i++)
		r = stays(&rows[i].skip, &c, d, &p->rows[i], &rows[i]);
	if (!r)
		r = res_many_remove(rows, p->n, &c, d);
	for (size_t i = 0; i < p->n; i++)
		p->rows[i].done = rows[i].done;
	res_many_gone_done(rows, p->n);
	return r;
}

static int mark_lines(struct db *db, void *arg)
{
	const struct piece *p = arg;
	int r = 0;

	for (size_t i = 0; !r && i < p->n; i++)
		r = db_run(db, "UPDATE import_rows SET state = $3, why = $4, before_json = NULL WHERE import_id = $1 AND line = $2", "iitt", p->u->import_id,
			   p->rows[i].line, p->rows[i].why ? "kept" : "undone", p->rows[i].why);
	return r;
}

static int piece_job(struct db *db, void *arg)
{
	struct piece *p = arg;
	int64_t kept = 0;
	int r = read_piece(p, db);

	if (!r && p->n)
		r = remove_many(p, db);
	for (size_t i = 0; !r && i < p->n; i++)
		if (!p->rows[i].done)
			r = undo_line(db, p->u, &p->rows[i]);
	for (size_t i = 0; i < p->n; i++)
		kept += p->rows[i].why != NULL;
	if (!r)
		r = db_batch(db, mark_lines, p);
	if (!r)
		r = db_run(db, "UPDATE imports SET rev = rev + 1, updated_ms = $2, undone = undone + $3, kept = kept + $4 WHERE id = $1", "iiii", p->u->import_id,
			   clock_utc_ms(), (int64_t)p->n - kept, kept);
	return r;
}

static void piece_done(struct piece *p)
{
	for (size_t i = 0; i < p->n; i++) {
		json_decref(p->rows[i].before);
		json_decref(p->rows[i].children);
		json_decref(p->rows[i].mine);
	}
	p->n = 0;
}

/* ---- the whole ---- */

struct ending {
	struct undo *u;
	const char *state;
};

static int end_job(struct db *db, void *arg)
{
	struct ending *end = arg;
	struct undo *u = end->u;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &u->who, .error = &e, .now_ms = clock_utc_ms()};
	json_t *after = json_pack("{s:s}", "state", end->state);
	int r = db_run(db, "UPDATE imports SET rev = rev + 1, updated_ms = $2, state = $3 WHERE id = $1", "iit", u->import_id, c.now_ms, end->state);

	if (!r)
		r = res_audit(&c, u->d->name, u->import_id, "import_undo", NULL, after);
	json_decref(after);
	res_error_done(&e);
	return r;
}

static void run(void *arg)
{
	struct undo *u = arg;
	struct piece *p = xcalloc(1, sizeof(*p));
	struct ending end = {.u = u, .state = "undone"};
	struct db_writer *w = u->api->conf.writer;
	struct imports *im = u->api->imports;
	size_t n = 0;
	int r;

	p->u = u;
	p->before = INT64_MAX;
	do {
		r = db_writer_call(w, DB_BUSINESS, piece_job, p);
		for (size_t i = 0; !r && i < p->n; i++)
			if (!p->rows[i].why)
				objects_cut_off(u->api, u->d, p->rows[i].id, p->rows[i].added ? NULL : p->rows[i].before, u->user_id);
		n = r ? 0 : p->n;
		if (n)
			p->before = p->rows[n - 1].line;
		piece_done(p);
		pthread_mutex_lock(&im->lock);
		u->done += (int64_t)n;
		pthread_mutex_unlock(&im->lock);
	} while (n && !u->stop);
	if (r || n)
		end.state = "part_undone";
	if (r)
		log_error("undo of an import failed resource=%s error=%d", u->d->name, r);
	if (db_writer_call(w, DB_BUSINESS, end_job, &end))
		log_warn("undo's end is not written resource=%s, the next start says in part", u->d->name);
	if (u->d->configures_switch || !strcmp(u->d->name, "teams"))
		api_conf_changed(u->api, api_db(u->api));
	if (!strcmp(u->d->name, "number_prefixes"))
		(void)people_prefixes_refresh(api_db(u->api), u->api->conf.centre_id, 0);
	pthread_mutex_lock(&im->lock);
	u->failed = r != 0;
	u->running = false;
	pthread_mutex_unlock(&im->lock);
	free(p);
}

int undo_interrupted(struct db *db)
{
	return db_run(db, "UPDATE imports SET state = 'part_undone', rev = rev + 1 WHERE state = 'undoing'", "");
}

void undo_stop(struct undo *u)
{
	if (u)
		u->stop = true;
}

void undo_free(struct undo *u)
{
	free(u);
}

/* ---- what the page sees ---- */

static const struct {
	const char *code, *zh, *en;
} whys[] = {
	{"changed", "后来被改过", "was changed since"},
	{"in_use", "别处在用", "is in use elsewhere"},
	{"worked", "已经跟进过（有通话或小结）", "has been worked with (calls or notes)"},
	{"taken", "已经有人负责", "somebody looks after it"},
	{"conflict", "刚刚被改过", "was just changed"},
	{"last", "不能再少了", "is the last one"},
	{"forbidden", "没有权限", "is beyond your rights"},
	{"refused", "现在不能删除或改回", "cannot be removed or put back now"},
};

static const char *why_text(const char *code, bool en)
{
	for (size_t i = 0; code && i < ARRAY_LEN(whys); i++)
		if (!strcmp(whys[i].code, code))
			return en ? whys[i].en : whys[i].zh;
	return code ? code : "";
}

/* How many of what the import did stand as it left them. */
static int plan(json_t *out, struct ask *k, const struct import *im)
{
	char *sql = xasprintf("SELECT i.done, COUNT(*), SUM(CASE WHEN t.id IS NOT NULL AND t.rev <> i.rev_after THEN 1 ELSE 0 END) FROM import_rows i "
			      "LEFT JOIN %s t ON t.id = i.row_id WHERE i.import_id = $1 AND i.state IS NULL GROUP BY i.done", im->d->table);
	int64_t added = 0, changed = 0, touched_n = 0;
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, sql);

	if (!r) {
		db_bind_i64(st, 1, im->id);
		while ((r = db_step(st)) == DB_ROW) {
			int64_t n = db_i64(st, 1), other = db_i64(st, 2);

			*(!strcmp(db_text(st, 0), "added") ? &added : &changed) = n - other;
			touched_n += other;
		}
		db_done(st);
	}
	free(sql);
	(void)json_object_set_new(out, "remove", json_integer(added));
	(void)json_object_set_new(out, "put_back", json_integer(changed));
	(void)json_object_set_new(out, "touched", json_integer(touched_n));
	return r;
}

static int kept_rows(json_t *out, struct ask *k, const struct import *im)
{
	char *sql = xasprintf("SELECT i.line, i.row_id, i.why, %s%s FROM import_rows i LEFT JOIN %s t ON t.id = i.row_id "
			      "WHERE i.import_id = $1 AND i.state = 'kept' ORDER BY i.line LIMIT %d", im->d->label ? "t." : "t.id", im->d->label ? im->d->label : "",
			      im->d->table, SHOWN_MAX);
	bool en = k->lang[0] == 'e';
	json_t *list = json_array();
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, sql);

	if (!r) {
		db_bind_i64(st, 1, im->id);
		while ((r = db_step(st)) == DB_ROW) {
			char id[24];

			(void)snprintf(id, sizeof(id), "%lld", (long long)db_i64(st, 1));
			(void)json_array_append_new(list, json_pack("{s:I, s:s, s:s?, s:s}", "row", (json_int_t)db_i64(st, 0), "id", id, "name", db_text(st, 3), "why",
								    why_text(db_text(st, 2), en)));
		}
		db_done(st);
	}
	free(sql);
	(void)json_object_set_new(out, "kept_rows", list);
	return r;
}

/* His own, or he may write all rows there: what an undo takes away may be anybody's. */
static bool may_undo(const struct ask *k, const struct import *im)
{
	if (!im->d)
		return true; /* there is nothing to undo */
	return res_may(&k->who, im->d, RES_IMPORT) &&
	       ((im->user_id && im->user_id == k->who.user_id) || res_scope_of(&k->who, im->d, RES_WRITE) == SCOPE_CENTRE);
}

/* The import that is asked for, if he may: else answers and NULL. */
static bool take_import(struct ask *k, struct import *im)
{
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return false;
	r = import_get(im, k->db, k->who.centre_id, id);
	if (r < 0)
		api_failed(k, "import", r);
	else if (r)
		api_refuse(k, "not_found", NULL, NULL);
	else if (!may_undo(k, im))
		api_refuse(k, "forbidden", NULL, NULL);
	else
		return true;
	return false;
}

static void answer(struct ask *k, const struct import *im, int status)
{
	struct imports *all = k->api->imports;
	struct db_stmt *st;
	json_t *out;
	int64_t done = 0;
	bool running, failed;
	int r;

	pthread_mutex_lock(&all->lock);
	running = all->undo && all->undo->import_id == im->id && all->undo->running;
	failed = all->undo && all->undo->import_id == im->id && all->undo->failed;
	done = running ? all->undo->done : 0;
	pthread_mutex_unlock(&all->lock);
	out = json_pack("{s:s, s:b, s:b, s:I, s:i, s:i, s:i, s:i, s:i, s:[]}", "state", im->state, "running", running, "failed", failed, "done", (json_int_t)done, "undone",
			0, "kept", 0, "remove", 0, "put_back", 0, "touched", 0, "kept_rows");
	r = db_prepare(&st, k->db, "SELECT undone, kept FROM imports WHERE id = $1");
	if (!r) {
		db_bind_i64(st, 1, im->id);
		r = db_step(st);
		if (r == DB_ROW) {
			(void)json_object_set_new(out, "undone", json_integer(db_i64(st, 0)));
			(void)json_object_set_new(out, "kept", json_integer(db_i64(st, 1)));
			r = 0;
		}
		db_done(st);
	}
	if (!r && im->d)
		r = plan(out, k, im);
	if (!r && im->d && !running)
		r = kept_rows(out, k, im);
	if (!r) {
		api_ok(k, status, out);
		return;
	}
	json_decref(out);
	api_failed(k, "undo", r);
}

void imports_undo_get(struct ask *k)
{
	struct import im;

	if (take_import(k, &im))
		answer(k, &im, 200);
}

static int begin_job(struct db *db, void *arg)
{
	const struct undo *u = arg;

	return db_run(db, "UPDATE imports SET rev = rev + 1, updated_ms = $2, state = 'undoing' WHERE id = $1", "ii", u->import_id, clock_utc_ms());
}

static struct undo *undo_new(struct ask *k, const struct import *im)
{
	struct undo *u = xcalloc(1, sizeof(*u));

	*u = (struct undo){.api = k->api, .import_id = im->id, .user_id = k->who.user_id, .d = im->d, .running = true};
	u->who = (struct res_who){.centre_id = k->who.centre_id, .user_id = k->who.user_id, .system = true, .lang = "zh"};
	return u;
}

void imports_undo(struct ask *k)
{
	static const char *const states[] = {"done", "cancelled", "interrupted", "part_undone"};
	struct imports *all = k->api->imports;
	struct import im;
	struct undo *u, *old;
	bool may = false;
	int r;

	if (!take_import(k, &im))
		return;
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		may |= !strcmp(im.state, states[i]);
	if (!may || !im.d) {
		api_refuse(k, "wrong_state", NULL, NULL);
		return;
	}
	u = undo_new(k, &im);
	pthread_mutex_lock(&all->lock);
	old = all->undo;
	may = !(old && old->running) && all->pool;
	if (may)
		all->undo = u;
	pthread_mutex_unlock(&all->lock);
	if (!may) {
		free(u);
		api_refuse(k, "busy", NULL, NULL);
		return;
	}
	undo_free(old);
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, begin_job, u);
	if (!r && all->pool && pool_submit(all->pool, POOL_LONG, run, u))
		r = -EAGAIN;
	if (r) {
		pthread_mutex_lock(&all->lock);
		u->running = false;
		pthread_mutex_unlock(&all->lock);
		api_failed(k, "undo", r);
		return;
	}
	(void)str_copy(im.state, sizeof(im.state), "undoing");
	answer(k, &im, 202);
}
