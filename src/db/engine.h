/*
 * What an SQL engine gives to db.c. Results are those of db.h: 0, DB_ROW, DB_E_*, or negative errno. SQL arrives as
 * our one dialect with $1, $2 ...; an engine translates it when it prepares.
 */
#pragma once

#include "base/embed.h"
#include "base/hmap.h"
#include "base/list.h"
#include "db/db.h"

struct db_engine {
	const char *scheme;      /* of the url, without the colon */
	const char *temp_schema; /* of temporary tables */
	const char *columns_sql; /* $1 a table: name, type in our words, must a value be given; in order */
	const char *tables_sql;  /* names of all tables of the centre's schema */
	const char *search_sql;  /* makes the search table @ */
	struct db_search search;

	/* @later: a server that is away is no error */
	int (*open)(void **conn, const char *where, enum db_mode mode, bool later);
	void (*close)(void *conn);
	const char *(*error)(void *conn);
	int (*script)(void *conn, const char *sql); /* many statements without parameters */
	const char *(*schema)(void *conn); /* of the real tables */
	bool (*in_transaction)(void *conn);
	int (*begin)(void *conn);      /* a transaction that writes, and is the only one */
	int (*begin_view)(void *conn); /* one that reads one state of the data, and may make temporary tables */
	int (*commit)(void *conn);
	void (*rollback)(void *conn);  /* when there is one */
	int64_t (*changes)(void *conn);
	int (*defer)(void *conn, bool on); /* see db_batch; NULL: there is nothing to be gained */
	int (*shadow)(void *conn, const char *table);
	int (*own)(void *conn);            /* NULL: the file's lock, or the ring's, does it */

	int (*prepare)(void **raw, void *conn, const char *sql);
	void (*finalize)(void *raw);
	void (*reset)(void *raw); /* and unbinds */
	void (*bind_i64)(void *raw, int i, int64_t v);
	void (*bind_num)(void *raw, int i, double v);
	void (*bind_text)(void *raw, int i, const char *s, size_t n); /* copied; NULL binds NULL */
	void (*bind_blob)(void *raw, int i, const void *p, size_t n); /* copied */
	int (*step)(void *raw);
	int (*cols)(void *raw);
	int64_t (*i64)(void *raw, int col);
	double (*num)(void *raw, int col);
	const char *(*text)(void *raw, int col);
	const void *(*blob)(void *raw, int col, size_t *n);
	bool (*is_null)(void *raw, int col);

	int (*quick_check)(void *conn, char *what, size_t size); /* NULL: the engine looks after itself */
	int (*copy_to)(void *conn, const char *path);            /* NULL: not ours to do */
};

extern const struct db_engine db_sqlite, db_postgres;

/* Statements kept per connection. More than any module's fixed SQL; made-up SQL pushes out the least used. */
#define DB_CACHE_MAX 512
#define DB_RECENT 256

struct db_stmt {
	struct db *db;
	void *raw;
	char *sql;         /* own copy; key in the cache */
	struct ilink lru;  /* in db->lru when cached */
	bool cached, busy; /* busy: given out and not yet db_done */
	bool refused;      /* a text that is not UTF-8 was bound */
};

struct db {
	const struct db_engine *e;
	void *conn;
	struct hmap cache;                  /* text -> statement */
	struct ilink lru;                   /* most recently used first */
	struct db_stmt *recent[DB_RECENT];  /* by the text's address: the fast way for fixed SQL */
	bool away;
	const char *why;                    /* our own refusal, in the place of the engine's message; NULL: the engine's */
};

/** End of the quoted text or comment that begins at @s; @s itself when none does. */
const char *db_skip_quoted(const char *s);

/** @sql with each "CREATE SEARCH name;" in the engine's words, a new text. */
char *db_spell_search(const struct db_engine *e, const char *sql);

struct sqlite3;
/** Gives a connection of SQLite its function search_match; its result code. */
int db_search_register(struct sqlite3 *conn);

/** Is a transaction open? An engine may roll back by itself when the disk fails. */
bool db_in_transaction(const struct db *db);
/** Several statements without parameters. */
int db_script(struct db *db, const char *sql);
/** db_migrate with other files than the embedded ones. */
int db_migrate_files(struct db *db, const struct embed_file *files, size_t n);
