/*
 * Forward-only migrations, embedded from src/db/migrations/NNNN_name.sql. Each is applied in one transaction together
 * with its row in schema_migration, so that a crash leaves it applied or not. Numbers may land out of order (each
 * module has its range): what is missing is applied, in order of number.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "db/engine.h"

extern struct embed_file embed_migrations[];
extern const size_t embed_migrations_n;

static const char create_sql[] =
	"CREATE TABLE IF NOT EXISTS schema_migration ("
	" version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL)";

/* 0: not a migration's name. */
static int64_t version_of(const char *name)
{
	for (int i = 0; i < 4; i++)
		if (!isdigit((unsigned char)name[i]))
			return 0;
	return name[4] == '_' ? strtol(name, NULL, 10) : 0;
}

static bool known(int64_t version, const struct embed_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (version_of(files[i].name) == version)
			return true;
	return false;
}

/* Tables, and not one of them ours: another program's. */
static int refuse_foreign(struct db *db)
{
	char first[64] = "";
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, db->e->tables_sql);
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		if (!strcmp(db_text(st, 0), "schema_migration"))
			*first = '\0';
		else if (!*first)
			(void)str_copy(first, sizeof(first), db_text(st, 0));
		if (!strcmp(db_text(st, 0), "schema_migration"))
			break;
	}
	db_done(st);
	if (r < 0 || !*first)
		return r < 0 ? r : 0;
	log_error("database holds tables of another program table=%s; give huawu an empty database of its own", first);
	return -EEXIST;
}

/* In one transaction, as several commands may meet a new database. */
static int make_table(struct db *db)
{
	int r = db_begin(db);

	if (r)
		return r;
	r = refuse_foreign(db);
	if (!r)
		r = db_run(db, create_sql, NULL);
	if (r == -EACCES)
		log_error("database: this role may not create tables here error=\"%s\"; make it the database's owner: ALTER DATABASE name OWNER TO role",
			  db_error(db));
	if (!r)
		r = db_commit(db);
	db_rollback(db);
	return r > 0 ? -EIO : r;
}

/* A database that has seen a newer program may hold what this one would damage. */
static int refuse_newer(struct db *db, const struct embed_file *files, size_t n)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, "SELECT version, name FROM schema_migration ORDER BY version");
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		if (known(db_i64(st, 0), files, n))
			continue;
		log_error("database is newer than this program migration=%s, install the program that made it", db_text(st, 1));
		r = -EPROTO;
		break;
	}
	db_done(st);
	return r;
}

static int apply(struct db *db, const struct embed_file *f)
{
	int64_t there;
	int r;

	r = db_begin(db);
	if (r)
		return r;
	r = db_get_i64(&there, db, "SELECT version FROM schema_migration WHERE version = $1", "i", version_of(f->name));
	if (r != -ENOENT)
		goto out; /* applied, or an error */
	r = db_script(db, (const char *)f->data);
	if (!r)
		r = db_run(db, "INSERT INTO schema_migration (version, name, applied_ms) VALUES ($1, $2, $3)", "iti",
			   version_of(f->name), f->name, clock_utc_ms());
	if (!r)
		r = db_commit(db);
	if (r)
		log_error("migration failed name=%s error=\"%s\"", f->name, db_error(db));
	else
		log_info("migration applied name=%s", f->name);
out:
	db_rollback(db); /* no-op after a commit */
	return r > 0 ? -EINVAL : r;
}

int db_migrate_files(struct db *db, const struct embed_file *files, size_t n)
{
	int r;

	r = make_table(db);
	if (!r)
		r = refuse_newer(db, files, n);
	for (size_t i = 0; i < n && !r; i++)
		if (version_of(files[i].name))
			r = apply(db, &files[i]);
	return r;
}

/* 1: ours has been here; 0; negative. */
static int has_table(struct db *db)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, db->e->columns_sql);
	if (r)
		return r;
	db_bind_text(st, 1, "schema_migration");
	r = db_step(st);
	db_done(st);
	return r;
}

int db_migration_state(struct db *db, int64_t *missing, char *newer, size_t newer_size)
{
	int64_t ours = 0, there = 0;
	struct db_stmt *st;
	int r;

	for (size_t i = 0; i < embed_migrations_n; i++)
		ours += version_of(embed_migrations[i].name) != 0;
	newer[0] = '\0';
	r = has_table(db);
	if (r <= 0)
		return r ? r : -ENOENT;
	r = db_prepare(&st, db, "SELECT version, name FROM schema_migration ORDER BY version");
	if (r)
		return r;
	while ((r = db_step(st)) == DB_ROW) {
		if (known(db_i64(st, 0), embed_migrations, embed_migrations_n))
			there++;
		else if (!*newer)
			(void)str_copy(newer, newer_size, db_text(st, 1));
	}
	db_done(st);
	if (!r)
		*missing = ours - there;
	return r;
}

int db_migrate(struct db *db)
{
	return db_migrate_files(db, embed_migrations, embed_migrations_n);
}
