/*
 * SQLite behind engine.h. WAL, so that readers never wait for the writer; synchronous=FULL, so that a commit is on
 * the disk when it returns. One connection belongs to one thread, hence NOMUTEX.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "db/engine.h"

/* How long a lock of another process (the command line, a backup) is waited for. */
#define BUSY_MS 2000

static const char setup_common[] = "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;";
static const char setup_rw[] =
	"PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	"PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-16000; PRAGMA journal_size_limit=67108864;";

static int result(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return 0;
	case SQLITE_ROW:
		return DB_ROW;
	case SQLITE_CONSTRAINT:
		return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
				       rc == SQLITE_CONSTRAINT_ROWID
			       ? DB_E_UNIQUE
			       : DB_E_CONSTRAINT;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_ERROR:
	case SQLITE_RANGE:
	case SQLITE_MISUSE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int lite_open(void **conn, const char *where, enum db_mode mode, bool later)
{
	int flags = SQLITE_OPEN_NOMUTEX | (mode == DB_RW ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
	sqlite3 *c = NULL;
	int rc;

	if (mode == DB_RO && access(where, R_OK) < 0)
		return -errno;
	rc = sqlite3_open_v2(where, &c, flags, NULL);
	if (rc == SQLITE_OK) {
		(void)sqlite3_extended_result_codes(c, 1);
		(void)sqlite3_busy_timeout(c, BUSY_MS);
		rc = sqlite3_exec(c, setup_common, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		rc = db_search_register(c);
	if (rc == SQLITE_OK && mode == DB_RW)
		rc = sqlite3_exec(c, setup_rw, NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		log_error("database cannot be opened path=%s error=\"%s\"", where, c ? sqlite3_errmsg(c) : sqlite3_errstr(rc));
		(void)sqlite3_close(c);
		return result(rc);
	}
	*conn = c;
	return 0;
}

static void lite_close(void *conn)
{
	int rc = sqlite3_close(conn);

	assert(rc == SQLITE_OK); /* else a statement was not given back */
}

static const char *lite_error(void *conn)
{
	return sqlite3_errmsg(conn);
}

/* A BIGINT key is the row's own number here only if it is spelt INTEGER; else each table has a second tree for it. */
static char *spell_keys(const char *sql)
{
	static const char ours[] = "BIGINT PRIMARY KEY", theirs[] = "INTEGER PRIMARY KEY";
	struct strb b;
	const char *hit;

	strb_init(&b, SIZE_MAX / 2);
	while ((hit = strstr(sql, ours))) {
		strb_add(&b, sql, (size_t)(hit - sql));
		strb_puts(&b, theirs);
		sql = hit + strlen(ours);
	}
	strb_puts(&b, sql);
	return strb_take(&b);
}

static int lite_script(void *conn, const char *sql)
{
	char *searched = db_spell_search(&db_sqlite, sql), *own = spell_keys(searched);
	int rc = sqlite3_exec(conn, own, NULL, NULL, NULL);

	free(own);
	free(searched);
	return result(rc);
}

static bool lite_in_transaction(void *conn)
{
	return !sqlite3_get_autocommit(conn);
}

static int lite_exec(void *conn, const char *sql)
{
	return result(sqlite3_exec(conn, sql, NULL, NULL, NULL));
}

static int lite_begin(void *conn)
{
	return lite_exec(conn, "BEGIN IMMEDIATE");
}

static int lite_begin_view(void *conn)
{
	return lite_exec(conn, "BEGIN");
}

static int lite_commit(void *conn)
{
	return lite_exec(conn, "COMMIT");
}

static void lite_rollback(void *conn)
{
	if (lite_in_transaction(conn))
		(void)lite_exec(conn, "ROLLBACK");
}

static const char *lite_schema(void *conn)
{
	return "main";
}

/* "CREATE TABLE x (...)" as it was made, with TEMP. */
static int lite_shadow(void *conn, const char *table)
{
	static const char begin[] = "CREATE TABLE";
	const char *text;
	sqlite3_stmt *st;
	char *sql = NULL;
	int rc = sqlite3_prepare_v2(conn, "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?1", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return result(rc);
	(void)sqlite3_bind_text(st, 1, table, -1, SQLITE_TRANSIENT);
	if (sqlite3_step(st) == SQLITE_ROW && (text = (const char *)sqlite3_column_text(st, 0)) && !strncmp(text, begin, sizeof(begin) - 1))
		sql = xasprintf("CREATE TEMP TABLE%s", text + sizeof(begin) - 1);
	(void)sqlite3_finalize(st);
	rc = sql ? lite_exec(conn, sql) : -EINVAL;
	free(sql);
	return rc;
}

static int64_t lite_changes(void *conn)
{
	return sqlite3_changes64(conn);
}

/* In SQLite $1 is a *named* parameter, numbered by first appearance; ?1 is what we mean. */
static void number_parameters(char *sql)
{
	while (*sql) {
		size_t quoted = (size_t)(db_skip_quoted(sql) - sql);

		if (quoted) {
			sql += quoted;
			continue;
		}
		if (sql[0] == '$' && isdigit((unsigned char)sql[1]))
			*sql = '?';
		sql++;
	}
}

static int lite_prepare(void **raw, void *conn, const char *sql)
{
	char *own = xstrdup(sql);
	sqlite3_stmt *st = NULL;
	int rc;

	number_parameters(own);
	rc = sqlite3_prepare_v3(conn, own, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
	free(own);
	if (rc != SQLITE_OK)
		return result(rc);
	if (!st)
		return -EINVAL; /* empty text */
	*raw = st;
	return 0;
}

static void lite_finalize(void *raw)
{
	(void)sqlite3_finalize(raw);
}

static void lite_reset(void *raw)
{
	(void)sqlite3_reset(raw);
	(void)sqlite3_clear_bindings(raw);
}

/* A parameter that the text does not have, or a text beyond SQLite's limit, is our own mistake. */
static void bound(int rc)
{
	assert(rc == SQLITE_OK);
}

static void lite_bind_i64(void *raw, int i, int64_t v)
{
	bound(sqlite3_bind_int64(raw, i, v));
}

static void lite_bind_num(void *raw, int i, double v)
{
	bound(sqlite3_bind_double(raw, i, v));
}

static void lite_bind_text(void *raw, int i, const char *s, size_t n)
{
	bound(sqlite3_bind_text64(raw, i, s, n, SQLITE_TRANSIENT, SQLITE_UTF8));
}

static void lite_bind_blob(void *raw, int i, const void *p, size_t n)
{
	bound(sqlite3_bind_blob64(raw, i, n ? p : "", n, SQLITE_TRANSIENT));
}

static int lite_step(void *raw)
{
	return result(sqlite3_step(raw));
}

static int lite_cols(void *raw)
{
	return sqlite3_column_count(raw);
}

static int64_t lite_i64(void *raw, int col)
{
	return sqlite3_column_int64(raw, col);
}

static double lite_num(void *raw, int col)
{
	return sqlite3_column_double(raw, col);
}

static const char *lite_text(void *raw, int col)
{
	return (const char *)sqlite3_column_text(raw, col);
}

static const void *lite_blob(void *raw, int col, size_t *n)
{
	const void *p = sqlite3_column_blob(raw, col);

	*n = (size_t)sqlite3_column_bytes(raw, col);
	return p;
}

static bool lite_is_null(void *raw, int col)
{
	return sqlite3_column_type(raw, col) == SQLITE_NULL;
}

/* The first complaint, if any. */
static int lite_quick_check(void *conn, char *what, size_t size)
{
	sqlite3_stmt *st = NULL;
	const char *text;
	int r = result(sqlite3_prepare_v2(conn, "PRAGMA quick_check(1)", -1, &st, NULL));

	if (!r)
		r = result(sqlite3_step(st));
	if (r == DB_ROW) {
		text = (const char *)sqlite3_column_text(st, 0);
		r = text && !strcmp(text, "ok") ? 0 : 1;
		if (r)
			(void)str_copy(what, size, text ? text : "");
	}
	(void)sqlite3_finalize(st);
	return r;
}

/* SQLite writes the copy without fsync; a copy that a power cut takes away is none. */
static int lite_copy_to(void *conn, const char *path)
{
	sqlite3_stmt *st = NULL;
	int fd, r;

	r = result(sqlite3_prepare_v2(conn, "VACUUM INTO ?1", -1, &st, NULL));
	if (!r)
		r = result(sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC));
	if (!r)
		r = result(sqlite3_step(st));
	(void)sqlite3_finalize(st);
	if (r)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fsync(fd) ? -errno : 0;
	(void)close(fd);
	return r;
}

const struct db_engine db_sqlite = {
	.scheme = "sqlite",
	.temp_schema = "temp",
	/* SQLite's own spelling of a 64-bit key is INTEGER. */
	.columns_sql = "SELECT name, CASE type WHEN 'INTEGER' THEN 'BIGINT' ELSE type END, \"notnull\" = 1 AND dflt_value IS NULL"
		       " FROM pragma_table_info($1) ORDER BY cid",
	.tables_sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
	/* The words are folded already: letters and what is beyond ASCII make one. Nothing is ranked, so sizes are not kept. */
	.search_sql = "CREATE VIRTUAL TABLE @ USING fts5(words, tokenize = 'ascii', columnsize = 0)",
	.search = {.and = " AND ", .or = " OR ", .then = " + ", .prefix = "*"},
	.open = lite_open,
	.close = lite_close,
	.error = lite_error,
	.schema = lite_schema,
	.script = lite_script,
	.in_transaction = lite_in_transaction,
	.begin = lite_begin,
	.begin_view = lite_begin_view,
	.commit = lite_commit,
	.rollback = lite_rollback,
	.shadow = lite_shadow,
	.changes = lite_changes,
	.prepare = lite_prepare,
	.finalize = lite_finalize,
	.reset = lite_reset,
	.bind_i64 = lite_bind_i64,
	.bind_num = lite_bind_num,
	.bind_text = lite_bind_text,
	.bind_blob = lite_bind_blob,
	.step = lite_step,
	.cols = lite_cols,
	.i64 = lite_i64,
	.num = lite_num,
	.text = lite_text,
	.blob = lite_blob,
	.is_null = lite_is_null,
	.quick_check = lite_quick_check,
	.copy_to = lite_copy_to,
};
