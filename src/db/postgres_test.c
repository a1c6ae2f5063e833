/* What only PostgreSQL has: who owns the data, a connection that goes, statements that are sent without waiting. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "db/db.h"
#include "db/db_fixture.h"
#include "db/pg.h"

static char url[512];

static struct db *fresh(const char *sql)
{
	struct db *db;

	log_set_level(LOG_L_ERROR);
	test_db_new_empty(url, sizeof(url), "");
	assert_int_equal(db_open(&db, url, DB_RW), 0);
	assert_int_equal(db_script(db, sql), 0);
	return db;
}

static void gone(struct db *db)
{
	db_close(db);
	test_db_gone(url);
}

static int64_t get(struct db *db, const char *sql)
{
	int64_t v = -1;

	assert_int_equal(db_get_i64(&v, db, sql, NULL), 0);
	return v;
}

/* As the network would, seen from us. */
static void cut(struct db *db)
{
	struct db *other;
	int64_t pid = get(db, "SELECT pg_backend_pid()"), done;

	assert_int_equal(db_open(&other, url, DB_RW), 0);
	assert_int_equal(db_get_i64(&done, other, "SELECT pg_terminate_backend($1::int, 5000)", "i", pid), 0);
	assert_int_equal(done, 1);
	db_close(other);
}

TEST(postgres_text_that_is_no_utf8_is_refused_and_harms_nothing)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh("CREATE TABLE t (id BIGINT, s TEXT)");
	struct db_stmt *st;

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, $1)", "t", "\xff"), -EINVAL);
	assert_non_null(strstr(db_error(db), "UTF-8"));
	assert_int_equal(db_prepare(&st, db, "INSERT INTO t VALUES (2, $1)"), 0);
	db_bind_textn(st, 1, "a\0b", 3);
	assert_int_equal(db_step(st), -EINVAL);
	db_done(st);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (3, $1)", "t", "话务"), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(get(db, "SELECT sum(id) FROM t"), 3);
	gone(db);
}

TEST(postgres_sorts_by_bytes)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh("CREATE TABLE t (s TEXT); INSERT INTO t VALUES ('b'), ('B'), ('a'), ('话'), ('Z')");
	struct db_stmt *st;
	char all[32] = "";

	assert_int_equal(db_prepare(&st, db, "SELECT s FROM t ORDER BY s"), 0);
	while (db_step(st) == DB_ROW)
		strcat(all, db_text(st, 0));
	db_done(st);
	assert_string_equal(all, "BZab话"); /* as memcmp has them */
	gone(db);
}

TEST(postgres_refused_statement_leaves_its_transaction)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh("CREATE TABLE t (id BIGINT PRIMARY KEY)");

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (1)", NULL), 0);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (1)", NULL), DB_E_UNIQUE);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (2)", NULL), 0);
	assert_int_equal(db_changes(db), 1);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(get(db, "SELECT count(*) FROM t"), 2);
	gone(db);
}

struct batch {
	int runs, rows;
	int64_t twice; /* a key that is inserted a second time; 0: none */
	int refused;
};

static int insert_many(struct db *db, void *arg)
{
	struct batch *b = arg;
	int64_t n;
	int r;

	b->runs++;
	b->refused = 0;
	for (int64_t i = 1; i <= b->rows; i++) {
		r = db_run(db, "INSERT INTO t VALUES ($1, 'x')", "i", i);
		if (r)
			return r;
		r = i == b->twice ? db_run(db, "INSERT INTO t VALUES ($1, 'y')", "i", i) : 0;
		b->refused += r == DB_E_UNIQUE;
		if (r < 0)
			return r;
	}
	r = db_get_i64(&n, db, "SELECT count(*) FROM t", NULL); /* a read sees what was sent before it */
	return r ? r : n == b->rows ? 0 : 7;
}

TEST(postgres_batch_is_sent_without_waiting_and_again_one_by_one_when_refused)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh("CREATE TABLE t (id BIGINT PRIMARY KEY, s TEXT)");
	struct batch whole = {.rows = 1000}, twice = {.rows = 1000, .twice = 300};

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_batch(db, insert_many, &whole), 0);
	assert_int_equal(whole.runs, 1);
	db_rollback(db);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_batch(db, insert_many, &twice), 0);
	assert_int_equal(twice.runs, 2);
	assert_int_equal(twice.refused, 1);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(get(db, "SELECT count(*) FROM t WHERE s = 'x'"), 1000);
	gone(db);
}

TEST(postgres_reader_finds_the_server_again)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh("CREATE TABLE t (id BIGINT); INSERT INTO t VALUES (5)");

	assert_int_equal(get(db, "SELECT id FROM t"), 5);
	cut(db);
	assert_int_equal(get(db, "SELECT id FROM t"), 5); /* the statement is prepared anew */
	assert_false(db_away(db));
	gone(db);
}

TEST(postgres_broken_transaction_writes_nothing_until_it_is_given_up)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh("CREATE TABLE t (id BIGINT)");

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (1)", NULL), 0);
	cut(db);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (2)", NULL), -ENOTCONN);
	assert_true(db_away(db));
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (3)", NULL), -ENOTCONN); /* not on a new connection, outside of it */
	assert_int_equal(db_commit(db), -ENOTCONN);
	db_rollback(db);
	assert_int_equal(get(db, "SELECT count(*) FROM t"), 0);
	gone(db);
}

TEST(postgres_data_have_one_owner_who_keeps_them_through_a_cut)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh(""), *other;

	assert_int_equal(db_migrate(db), 0);
	assert_int_equal(db_own(db), 0);
	assert_int_equal(get(db, "SELECT token FROM db_owner"), 1);
	assert_int_equal(db_open(&other, url, DB_RW), 0);
	assert_int_equal(db_own(other), -EBUSY); /* after some seconds */
	cut(db);
	assert_int_equal(db_begin(db), 0); /* owns them again */
	db_rollback(db);
	assert_int_equal(get(db, "SELECT token FROM db_owner"), 1);
	assert_int_equal(db_own(other), -EBUSY);
	db_close(other);
	gone(db);
}

TEST(postgres_owner_that_was_replaced_never_writes_again)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh(""), *other;

	assert_int_equal(db_migrate(db), 0);
	assert_int_equal(db_own(db), 0);
	cut(db);
	assert_int_equal(db_open(&other, url, DB_RW), 0); /* while the first is away */
	assert_int_equal(db_own(other), 0);
	assert_int_equal(db_begin(db), -EBUSY);
	db_close(other); /* it has gone again, but it has written */
	(void)usleep(600000);
	assert_int_equal(db_begin(db), -EBUSY);
	assert_non_null(strstr(db_error(db), "another huawu has"));
	gone(db);
}

TEST(postgres_frozen_connection_is_given_up_in_time)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh("");
	struct pg *p = db->conn;
	int64_t begin = clock_mono_ms(), v;

	p->patience_ms = 300;
	assert_int_equal(db_get_i64(&v, db, "SELECT 1 FROM pg_sleep(20)", NULL), -ETIMEDOUT);
	assert_true(clock_mono_ms() - begin < 5000);
	assert_int_equal(get(db, "SELECT 5"), 5);
	gone(db);
}

TEST(postgres_url_is_shown_without_its_password)
{
	char shown[200];

	assert_string_equal(db_url_shown(shown, sizeof(shown), "postgresql://huawu:tiger@db.example:5433/centre"), "postgresql://huawu@db.example:5433/centre");
	assert_string_equal(db_url_shown(shown, sizeof(shown), "postgresql://h/c?user=u&password=tiger"), "postgresql://u@h/c");
	assert_string_equal(db_url_shown(shown, sizeof(shown), "/var/lib/huawu/huawu.db"), "/var/lib/huawu/huawu.db");
}

/* ---- what an administrator reads ---- */

static void opens_with(const char *bad_url, int want)
{
	struct db *db;

	assert_int_equal(db_open(&db, bad_url, DB_RW), want);
}

TEST(postgres_that_is_not_there_or_not_fit_is_named)
{
	TEST_DB_POSTGRES_ONLY();
	struct db *db = fresh("CREATE TABLE wordpress (id BIGINT)"), *narrow;
	const char *server = getenv("HW_TEST_DB");
	char other[512];
	const char *slash = strrchr(server, '/');

	log_set_level(LOG_L_ERROR);
	opens_with("postgresql://nobody@%2Fnowhere/x", -ENOTCONN);
	opens_with("postgresql://nobody@127.0.0.1:1/x", -ENOTCONN);
	snprintf(other, sizeof(other), "%.*s/no_such_database", (int)(slash - server), server);
	opens_with(other, -ENOENT);
	assert_int_equal(db_migrate(db), -EEXIST); /* another program's tables */

	/* no right to create tables */
	assert_int_equal(db_script(db, "DROP TABLE wordpress; DROP ROLE IF EXISTS hw_narrow; CREATE ROLE hw_narrow LOGIN"), 0);
	{
		const char *schema = strstr(url, "search_path%3D") + 14, *at = strchr(server, '@');
		char grant[200];

		snprintf(grant, sizeof(grant), "GRANT USAGE ON SCHEMA %s TO hw_narrow", schema);
		assert_int_equal(db_script(db, grant), 0);
		snprintf(other, sizeof(other), "postgresql://hw_narrow%s?options=-csearch_path%%3D%s", at, schema);
	}
	assert_int_equal(db_open(&narrow, other, DB_RW), 0);
	assert_int_equal(db_migrate(narrow), -EACCES);
	db_close(narrow);

	/* sorting by a language's rules */
	assert_int_equal(db_script(db, "DROP DATABASE IF EXISTS hw_sorted"), 0);
	assert_int_equal(db_script(db, "CREATE DATABASE hw_sorted TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'zh' LOCALE 'C.UTF-8'"), 0);
	snprintf(other, sizeof(other), "%.*s/hw_sorted", (int)(slash - server), server);
	opens_with(other, -EINVAL);
	assert_int_equal(db_script(db, "DROP DATABASE hw_sorted"), 0);
	gone(db);
}
