/*
 * One small API over SQL engines: SQLite, and PostgreSQL 15. One SQL text for both: parameters are $1, $2 ...; ids and times are
 * BIGINT, booleans 0/1 and BIGINT, JSON is TEXT, bytes are BLOB. Texts are UTF-8 without NUL; anything else is refused (-EINVAL).
 * Every test that touches data runs on both, so what only one of them understands fails at once.
 *
 * A connection belongs to one thread. All writes of the process go through one `struct db_writer`; everybody else
 * opens read-only connections.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_stmt;

enum db_mode { DB_RO, DB_RW };

/**
 * @url: a file path, sqlite:PATH, or postgresql://user@host/name (anything libpq takes; the tables are in the first schema of the
 * search_path). Errors: negative errno, after logging what is wrong; -ENOENT when a read-only database is not there, -ENOTCONN when the
 * server is not.
 */
int db_open(struct db **ret, const char *url, enum db_mode mode);
/** The same, but a server that is not there is no error yet: statements answer -ENOTCONN until it is. */
int db_open_later(struct db **ret, const char *url, enum db_mode mode);
void db_close(struct db *db);
/** Did the last statement fail because the server cannot be reached? It may be there for the next. */
bool db_away(const struct db *db);
const char *db_error(const struct db *db); /* the engine's last message; for logs, never for users */
/** @url without its password, for messages: in @ret, which is returned. */
const char *db_url_shown(char *ret, size_t size, const char *url);
/**
 * From now on no other process owns these data: -EBUSY when one does. Whoever has owned them and lost the connection owns them again when
 * it is back, unless another has in between: then every write is refused. (SQLite: the file's own lock decides.)
 */
int db_own(struct db *db);

/* Positive answers of db_step, db_run and db_commit besides rows. */
enum { DB_ROW = 1, DB_E_UNIQUE = 2, DB_E_CONSTRAINT = 3 };

/**
 * Prepares @sql, or takes it from the connection's cache (keyed by the text's pointer and content). The statement is
 * reset and unbound. It must be given back with db_done before the same text is prepared again on this connection.
 */
int db_prepare(struct db_stmt **ret, struct db *db, const char *sql);
void db_bind_i64(struct db_stmt *st, int i, int64_t v); /* i counts from 1, as $1 does */
void db_bind_num(struct db_stmt *st, int i, double v);
void db_bind_text(struct db_stmt *st, int i, const char *s); /* NULL binds NULL; copied */
void db_bind_textn(struct db_stmt *st, int i, const char *s, size_t n);
void db_bind_blob(struct db_stmt *st, int i, const void *p, size_t n);
void db_bind_null(struct db_stmt *st, int i);
/** DB_ROW: a row is there; 0: done; DB_E_*: refused by a constraint; negative: the engine failed. */
int db_step(struct db_stmt *st);
int db_cols(const struct db_stmt *st);
int64_t db_i64(const struct db_stmt *st, int col); /* col counts from 0 */
double db_num(const struct db_stmt *st, int col);
const char *db_text(const struct db_stmt *st, int col); /* NULL for NULL; valid until the next step */
const void *db_blob(const struct db_stmt *st, int col, size_t *n);
bool db_is_null(const struct db_stmt *st, int col);
void db_done(struct db_stmt *st);

/**
 * Runs a statement without rows. @types has a letter a parameter: i int64_t, r int64_t where 0 binds NULL (an id that
 * does not apply), t const char *, d double, b const void * then size_t. Returns 0, DB_E_* or negative.
 */
int db_run(struct db *db, const char *sql, const char *types, ...);
/** First column of the first row into @ret; 0, -ENOENT when there is no row, or negative. */
int db_get_i64(int64_t *ret, struct db *db, const char *sql, const char *types, ...);
int64_t db_changes(const struct db *db);

/** A transaction that writes: the only one at a time, as others wait (two seconds, then -EBUSY). */
int db_begin(struct db *db);
/** A transaction that reads one state of the data, on any connection; it may make temporary tables. End it with db_rollback. */
int db_begin_view(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);

/**
 * Runs @fn so that its INSERTs, UPDATEs and DELETEs need not each be waited for: they answer 0, and are done before the next read or the
 * end. When one of them was refused, everything @fn did is undone and @fn runs a second time, waiting for each: so @fn must be able to
 * begin anew. What it makes of results other than 0 is the same as without. Inside a transaction.
 */
int db_batch(struct db *db, int (*fn)(struct db *db, void *arg), void *arg);

/* ---- what the engines spell differently ---- */

/** An empty temporary table of the same name, columns and keys hides @table until the db_begin_view transaction ends. */
int db_shadow(struct db *db, const char *table);
const char *db_schema(const struct db *db);      /* of the real tables: "main" */
const char *db_temp_schema(const struct db *db); /* of temporary ones: "temp" */
/** SQL: $1 a table's name; rows of column name, type ("BIGINT", "TEXT", "BLOB" ...), 1 when a value must be given. */
const char *db_columns_sql(const struct db *db);

/*
 * Words of rows, found by the engine's full-text index: "CREATE SEARCH name;" in a migration makes a table with rowid (BIGINT, the key) and
 * words. Words are of letters, digits and what is beyond ASCII, folded by whoever makes them, with one blank between; db_search_words makes
 * of them what is put. WHERE words MATCH $1 finds rows by a text of words joined as db_search says: b directly after a is a phrase.
 * search_match(words, $1) is the same of a row that is at hand, without the index.
 */
struct db_search {
	const char *and, *or, *then; /* between; "then" binds closest; parentheses group */
	const char *prefix;          /* after the last word of a phrase: any word that begins so */
	bool places;                 /* each word is put with its place */
};
const struct db_search *db_search(const struct db *db);
/** What is put into the column words, a new text. */
char *db_search_words(const struct db *db, const char *words);

/** Applies the embedded forward-only migrations (src/db/migrations/NNNN_name.sql) that are not applied yet. */
int db_migrate(struct db *db);

/** How far is the database from this program? @missing: migrations that db_migrate would apply; @newer: the name of one that a newer
    program applied, "" if none. Any connection. */
int db_migration_state(struct db *db, int64_t *missing, char *newer, size_t newer_size);

/* ---- for administrators ---- */

const char *db_engine_name(const struct db *db); /* "sqlite" ... */
/** Reads through the file's structure, which may take seconds. 0: whole, or the engine looks after itself; 1: damaged, @what says how. */
int db_quick_check(struct db *db, char *what, size_t size);
/** A whole and consistent copy as a new file at @path, while others go on working; outside a transaction. -EOPNOTSUPP: its server has tools for that. */
int db_copy_to(struct db *db, const char *path);

/* ---- the writer: one thread, one read-write connection ---- */

struct db_writer;
enum db_lane { DB_TELEPHONY, DB_BUSINESS }; /* telephony first */

int db_writer_new(struct db_writer **ret, const char *url, size_t jobs_max);
void db_writer_free(struct db_writer *w); /* finishes what was submitted */

/**
 * @job runs on the writer thread inside a savepoint of a group commit and should last <= 20 ms; a non-zero result
 * undoes the job's own changes. @done (may be NULL) runs on the writer thread after the commit, with the job's result or the
 * commit's error. Any thread. 0, or -EAGAIN when the queue is full.
 */
int db_writer_submit(struct db_writer *w, enum db_lane lane, int (*job)(struct db *db, void *arg),
		     void (*done)(int result, void *arg), void *arg);
/** The same, and waits for the commit. Never from the switch or a media thread. */
int db_writer_call(struct db_writer *w, enum db_lane lane, int (*job)(struct db *db, void *arg), void *arg);

/**
 * The event log's source: @drain runs before the jobs of each group commit, at the latest every @interval_ms while
 * it is kicked or @pending, and @committed after the commit succeeded. When drain or commit fails, @failed is called instead (may be
 * NULL) and it is tried again after the interval. All on the writer's thread.
 */
struct db_source {
	int (*drain)(struct db *db, void *arg);
	void (*committed)(void *arg);
	void (*failed)(int error, void *arg);
	void *arg;
	int interval_ms;
	bool (*pending)(void *arg); /* asked every interval, lock-free: is there something to drain? NULL: only after kicks */
};
/** Takes @s by value. NULL, or another one, waits until the old one is drained a last time and out of use. */
void db_writer_set_source(struct db_writer *w, const struct db_source *s);
/** There is something to drain: it is committed within the interval. */
void db_writer_kick(struct db_writer *w); /* cheap; any thread */
