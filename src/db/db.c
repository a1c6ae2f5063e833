/* Connections, their cache of prepared statements, and the conveniences over both. The engine does the rest. */
#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/engine.h"

static const struct {
	const char *scheme;
	const struct db_engine *e;
} engines[] = {{"sqlite", &db_sqlite}, {"postgresql", &db_postgres}, {"postgres", &db_postgres}};

/* "scheme:rest" of a known engine, else a path for the first. */
static const struct db_engine *engine_of(const char *url, const char **where)
{
	const char *colon = strchr(url, ':');

	for (size_t i = 0; colon && i < ARRAY_LEN(engines); i++) {
		size_t n = strlen(engines[i].scheme);

		if ((size_t)(colon - url) == n && !strncmp(url, engines[i].scheme, n)) {
			*where = colon + 1;
			return engines[i].e;
		}
	}
	if (colon && !strncmp(colon, "://", 3))
		return NULL;
	*where = url;
	return engines[0].e;
}

static int open_url(struct db **ret, const char *url, enum db_mode mode, bool later)
{
	const char *where;
	const struct db_engine *e = engine_of(url, &where);
	struct db *db;
	void *conn;
	int r;

	if (!e)
		return -EPROTONOSUPPORT;
	r = e->open(&conn, where, mode, later);
	if (r)
		return r;
	db = xcalloc(1, sizeof(*db));
	db->e = e;
	db->conn = conn;
	hmap_init(&db->cache, true);
	ilist_init(&db->lru);
	*ret = db;
	return 0;
}

int db_open(struct db **ret, const char *url, enum db_mode mode)
{
	return open_url(ret, url, mode, false);
}

int db_open_later(struct db **ret, const char *url, enum db_mode mode)
{
	return open_url(ret, url, mode, true);
}

bool db_away(const struct db *db)
{
	return db->away;
}

static void stmt_free(struct db_stmt *st)
{
	st->db->e->finalize(st->raw);
	free(st->sql);
	free(st);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	ilist_each_entry(&db->lru, st, struct db_stmt, lru)
		stmt_free(st);
	hmap_done(&db->cache);
	db->e->close(db->conn);
	free(db);
}

const char *db_error(const struct db *db)
{
	return db->why ? db->why : db->e->error(db->conn);
}

const char *db_skip_quoted(const char *s)
{
	const char *end;

	switch (*s) {
	case '\'':
	case '"':
		end = strchr(s + 1, *s);
		return end ? end + 1 : s + strlen(s);
	case '-':
		return s[1] == '-' ? s + strcspn(s, "\n") : s;
	case '/':
		if (s[1] != '*')
			return s;
		end = strstr(s + 2, "*/");
		return end ? end + 2 : s + strlen(s);
	default:
		return s;
	}
}

const char *db_engine_name(const struct db *db)
{
	return db->e->scheme;
}

int db_quick_check(struct db *db, char *what, size_t size)
{
	return db->e->quick_check ? db->e->quick_check(db->conn, what, size) : 0;
}

int db_copy_to(struct db *db, const char *path)
{
	assert(!db_in_transaction(db));
	return db->e->copy_to ? db->e->copy_to(db->conn, path) : -EOPNOTSUPP;
}

/* ---- statements ---- */

static struct db_stmt **recent_slot(struct db *db, const char *sql)
{
	uint64_t h = (uintptr_t)sql * 0x9e3779b97f4a7c15ULL;

	return &db->recent[h >> 56];
}
_Static_assert(DB_RECENT == 256, "recent_slot takes the upper eight bits");

static struct db_stmt *find_cached(struct db *db, const char *sql)
{
	struct db_stmt **slot = recent_slot(db, sql);

	if (!*slot || strcmp((*slot)->sql, sql)) {
		struct db_stmt *st = hmap_get_str(&db->cache, sql);

		if (!st)
			return NULL;
		*slot = st;
	}
	return *slot;
}

static void forget(struct db *db, struct db_stmt *st)
{
	ilink_unlink(&st->lru);
	(void)hmap_del_str(&db->cache, st->sql);
	for (size_t i = 0; i < DB_RECENT; i++)
		if (db->recent[i] == st)
			db->recent[i] = NULL;
	stmt_free(st);
}

static void make_room(struct db *db)
{
	struct ilink *l = db->lru.prev;

	if (db->cache.count < DB_CACHE_MAX)
		return;
	while (l != &db->lru && container_of(l, struct db_stmt, lru)->busy)
		l = l->prev;
	if (l != &db->lru)
		forget(db, container_of(l, struct db_stmt, lru));
}

static int stmt_new(struct db_stmt **ret, struct db *db, const char *sql)
{
	struct db_stmt *st;
	void *raw;
	int r;

	r = db->e->prepare(&raw, db->conn, sql);
	if (r)
		return r;
	st = xcalloc(1, sizeof(*st));
	*st = (struct db_stmt){.db = db, .raw = raw, .sql = xstrdup(sql)};
	*ret = st;
	return 0;
}

int db_prepare(struct db_stmt **ret, struct db *db, const char *sql)
{
	struct db_stmt *st = find_cached(db, sql);
	bool taken = st && st->busy; /* walked by an outer loop: this one gets its own, not cached */
	int r;

	if (!st || taken) {
		r = stmt_new(&st, db, sql);
		if (r)
			return r;
		if (!taken) {
			make_room(db);
			st->cached = true;
			(void)hmap_set_str(&db->cache, st->sql, st);
			*recent_slot(db, sql) = st;
		}
	}
	if (st->cached) {
		ilink_unlink(&st->lru);
		ilist_push_front(&db->lru, &st->lru);
	}
	st->busy = true;
	st->refused = false;
	*ret = st;
	return 0;
}

void db_done(struct db_stmt *st)
{
	if (!st)
		return;
	assert(st->busy);
	st->busy = false;
	if (!st->cached) {
		stmt_free(st);
		return;
	}
	st->db->e->reset(st->raw);
}

void db_bind_i64(struct db_stmt *st, int i, int64_t v)
{
	st->db->e->bind_i64(st->raw, i, v);
}

void db_bind_num(struct db_stmt *st, int i, double v)
{
	st->db->e->bind_num(st->raw, i, v);
}

void db_bind_text(struct db_stmt *st, int i, const char *s)
{
	db_bind_textn(st, i, s, s ? strlen(s) : 0);
}

/* PostgreSQL keeps neither NUL nor what is not UTF-8 in a text: refused on both engines alike. */
void db_bind_textn(struct db_stmt *st, int i, const char *s, size_t n)
{
	if (s && (memchr(s, '\0', n) || !str_is_utf8(s, n))) {
		st->refused = true;
		s = NULL;
	}
	st->db->e->bind_text(st->raw, i, s, s ? n : 0);
}

void db_bind_blob(struct db_stmt *st, int i, const void *p, size_t n)
{
	st->db->e->bind_blob(st->raw, i, p, n);
}

void db_bind_null(struct db_stmt *st, int i)
{
	st->db->e->bind_text(st->raw, i, NULL, 0);
}

int db_step(struct db_stmt *st)
{
	int r;

	st->db->why = st->refused ? "a text that is not UTF-8, or has a NUL, was to be written or looked for" : NULL;
	if (st->refused)
		return -EINVAL;
	r = st->db->e->step(st->raw);
	st->db->away = r == -ENOTCONN || r == -ETIMEDOUT;
	return r;
}

int db_cols(const struct db_stmt *st)
{
	return st->db->e->cols(st->raw);
}

int64_t db_i64(const struct db_stmt *st, int col)
{
	return st->db->e->i64(st->raw, col);
}

double db_num(const struct db_stmt *st, int col)
{
	return st->db->e->num(st->raw, col);
}

const char *db_text(const struct db_stmt *st, int col)
{
	return st->db->e->text(st->raw, col);
}

const void *db_blob(const struct db_stmt *st, int col, size_t *n)
{
	return st->db->e->blob(st->raw, col, n);
}

bool db_is_null(const struct db_stmt *st, int col)
{
	return st->db->e->is_null(st->raw, col);
}

/* ---- conveniences ---- */

static void bind_list(struct db_stmt *st, const char *types, va_list ap)
{
	for (int i = 1; types && *types; types++, i++) {
		switch (*types) {
		case 'i':
			db_bind_i64(st, i, va_arg(ap, int64_t));
			break;
		case 'r': {
			int64_t id = va_arg(ap, int64_t);

			if (id)
				db_bind_i64(st, i, id);
			break; /* unbound is NULL */
		}
		case 'd':
			db_bind_num(st, i, va_arg(ap, double));
			break;
		case 't':
			db_bind_text(st, i, va_arg(ap, const char *));
			break;
		case 'b': {
			const void *p = va_arg(ap, const void *);

			db_bind_blob(st, i, p, va_arg(ap, size_t));
			break;
		}
		default:
			assert(!"a letter of i r d t b");
		}
	}
}

int db_run(struct db *db, const char *sql, const char *types, ...)
{
	struct db_stmt *st;
	va_list ap;
	int r;

	r = db_prepare(&st, db, sql);
	if (r)
		return r;
	va_start(ap, types);
	bind_list(st, types, ap);
	va_end(ap);
	do
		r = db_step(st);
	while (r == DB_ROW);
	db_done(st);
	return r;
}

int db_get_i64(int64_t *ret, struct db *db, const char *sql, const char *types, ...)
{
	struct db_stmt *st;
	va_list ap;
	int r;

	r = db_prepare(&st, db, sql);
	if (r)
		return r;
	va_start(ap, types);
	bind_list(st, types, ap);
	va_end(ap);
	r = db_step(st);
	if (r == DB_ROW) {
		*ret = db_i64(st, 0);
		r = 0;
	} else if (r == 0) {
		r = -ENOENT;
	}
	db_done(st);
	return r;
}

int64_t db_changes(const struct db *db)
{
	return db->e->changes(db->conn);
}

int db_begin(struct db *db)
{
	return db->e->begin(db->conn);
}

int db_begin_view(struct db *db)
{
	return db->e->begin_view(db->conn);
}

int db_commit(struct db *db)
{
	return db->e->commit(db->conn);
}

void db_rollback(struct db *db)
{
	db->e->rollback(db->conn);
}

int db_own(struct db *db)
{
	int r = db->e->own ? db->e->own(db->conn) : 0;

	if (r)
		log_error("database is not ours to write error=\"%s\"", db_error(db));
	return r;
}

int db_shadow(struct db *db, const char *table)
{
	return db->e->shadow(db->conn, table);
}

const char *db_schema(const struct db *db)
{
	return db->e->schema(db->conn);
}

const char *db_temp_schema(const struct db *db)
{
	return db->e->temp_schema;
}

const char *db_columns_sql(const struct db *db)
{
	return db->e->columns_sql;
}

const struct db_search *db_search(const struct db *db)
{
	return &db->e->search;
}

char *db_search_words(const struct db *db, const char *words)
{
	struct strb b;
	int64_t place = 1;

	if (!db->e->search.places)
		return xstrdup(words);
	strb_init(&b, SIZE_MAX / 2);
	for (; *words; words += *words == ' ') {
		size_t n = strcspn(words, " ");

		strb_add(&b, words, n);
		strb_putc(&b, ':');
		strb_i64(&b, place++);
		strb_putc(&b, ' ');
		words += n;
	}
	strb_puts(&b, "");
	return strb_take(&b);
}

char *db_spell_search(const struct db_engine *e, const char *sql)
{
	static const char ours[] = "CREATE SEARCH ";
	const char *hit;
	struct strb b;

	strb_init(&b, SIZE_MAX / 2);
	for (; (hit = strstr(sql, ours)); sql = hit) {
		size_t n;

		strb_add(&b, sql, (size_t)(hit - sql));
		hit += strlen(ours);
		n = strcspn(hit, ";");
		for (const char *t = e->search_sql; *t; t++)
			strb_add(&b, *t == '@' ? hit : t, *t == '@' ? n : 1);
		hit += n;
	}
	strb_puts(&b, sql);
	return strb_take(&b);
}

/* The savepoint is what a second try begins from. */
int db_batch(struct db *db, int (*fn)(struct db *db, void *arg), void *arg)
{
	int r, settled;

	if (!db->e->defer)
		return fn(db, arg);
	r = db_run(db, "SAVEPOINT batch", NULL);
	if (r)
		return r;
	(void)db->e->defer(db->conn, true);
	r = fn(db, arg);
	settled = db->e->defer(db->conn, false);
	if (settled == -ECANCELED) {
		r = db_run(db, "ROLLBACK TO batch", NULL);
		if (!r)
			r = fn(db, arg);
	} else if (settled) {
		return settled;
	}
	if (!r)
		r = db_run(db, "RELEASE batch", NULL);
	return r;
}

bool db_in_transaction(const struct db *db)
{
	return db->e->in_transaction(db->conn);
}

int db_script(struct db *db, const char *sql)
{
	return db->e->script(db->conn, sql);
}
