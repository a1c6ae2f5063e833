/*
 * For tests of every module: where a test's data live. By default a file in the test's folder; with HW_TEST_DB=postgresql://... a schema
 * of its own in that database (tools/run_tests.py starts a server for it and runs the tests that touch data a second time).
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "db/db.h"
#include "db/engine.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

/* Of all files of a test program. */
__attribute__((weak)) unsigned test_db_made, test_db_free_n;
__attribute__((weak)) char test_db_free[8][512]; /* migrated places whose tests have ended, without rows */
__attribute__((weak)) char test_db_shape[8192];  /* of a place that was just migrated */
__attribute__((weak)) char *test_db_file;        /* SQLite: what a migrated file holds */
__attribute__((weak)) size_t test_db_file_len;

static bool test_db_is_postgres(void)
{
	const char *url = getenv("HW_TEST_DB");

	return url && *url;
}

static void test_db_do(const char *url, const char *sql)
{
	struct db *db;

	assert_int_equal(db_open(&db, url, DB_RW), 0);
	if (db_script(db, sql))
		fail_msg("%s: %s", db_error(db), sql);
	db_close(db);
}

static const char *test_db_schema(const char *url)
{
	const char *schema = strstr(url, "search_path%3D");

	assert_non_null(schema);
	return schema + 14;
}

/* Its tables, and how many columns, indexes and triggers they have: a test that leaves another shape has changed more than rows. */
static void test_db_shape_of(char *buf, size_t size, const char *url)
{
	static const char sql[] =
		"SELECT string_agg(relname || ' ' || relnatts || ' ' || (SELECT COUNT(*) FROM pg_index WHERE indrelid = c.oid) || ' ' ||"
		" (SELECT COUNT(*) FROM pg_trigger WHERE tgrelid = c.oid), ',' ORDER BY relname)"
		" FROM pg_class c WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'";
	struct db_stmt *st;
	struct db *db;

	*buf = '\0';
	if (db_open(&db, url, DB_RO))
		return;
	if (!db_prepare(&st, db, sql)) {
		if (db_step(st) == DB_ROW)
			snprintf(buf, size, "%s", db_text(st, 0));
		db_done(st);
	}
	db_close(db);
}

/** A new, empty place for data. @path: the file it is with SQLite, below a folder that the test removes. */
static void test_db_new_empty(char *url, size_t size, const char *path)
{
	char sql[160];

	if (!test_db_is_postgres()) {
		snprintf(url, size, "%s", path);
		return;
	}
	assert_true(strlen(getenv("HW_TEST_DB")) + 64 < size);
	snprintf(url, size, "%s%coptions=-csearch_path%%3Dt%d_%u", getenv("HW_TEST_DB"), strchr(getenv("HW_TEST_DB"), '?') ? '&' : '?', (int)getpid(),
		 ++test_db_made);
	snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", test_db_schema(url));
	test_db_do(getenv("HW_TEST_DB"), sql);
}

/* Migrations take longer than most tests: later files begin as a copy of the first. */
static void test_db_keep_file(const char *path)
{
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	test_db_file_len = (size_t)ftell(f);
	test_db_file = malloc(test_db_file_len);
	rewind(f);
	assert_int_equal(fread(test_db_file, 1, test_db_file_len, f), test_db_file_len);
	fclose(f);
}

static void test_db_write_file(const char *path)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(test_db_file, 1, test_db_file_len, f), test_db_file_len);
	assert_int_equal(fclose(f), 0);
}

__attribute__((destructor)) static void test_db_drop_file(void)
{
	free(test_db_file);
	test_db_file = NULL;
}

/** The same, migrated already; on PostgreSQL perhaps one that an earlier test had. */
static void test_db_new(char *url, size_t size, const char *path)
{
	struct db *db;

	if (test_db_is_postgres() && test_db_free_n) {
		snprintf(url, size, "%s", test_db_free[--test_db_free_n]);
		return;
	}
	test_db_new_empty(url, size, path);
	if (test_db_file) {
		test_db_write_file(url);
		return;
	}
	assert_int_equal(db_open(&db, url, DB_RW), 0);
	assert_int_equal(db_migrate(db), 0);
	db_close(db);
	if (!test_db_is_postgres())
		test_db_keep_file(url);
	else if (!*test_db_shape)
		test_db_shape_of(test_db_shape, sizeof(test_db_shape), url);
}

static void test_db_gone(const char *url)
{
	static const char empty[] =
		"DO $x$ DECLARE t text; filled bool; BEGIN SET LOCAL session_replication_role = replica;"
		" FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'schema_migration' LOOP"
		" IF position(',' || t || ' ' IN ',%s') = 0 THEN EXECUTE format('DROP TABLE %%I CASCADE', t); ELSE"
		" EXECUTE format('SELECT EXISTS (SELECT 1 FROM %%I)', t) INTO filled;"
		" IF filled THEN EXECUTE format('DELETE FROM %%I', t); END IF; END IF; END LOOP; END $x$";
	static char text[sizeof(test_db_shape) + sizeof(empty)];

	if (!test_db_is_postgres())
		return;
	if (*test_db_shape && test_db_free_n < sizeof(test_db_free) / sizeof(test_db_free[0]) && strlen(url) < sizeof(test_db_free[0])) {
		snprintf(text, sizeof(text), empty, test_db_shape);
		test_db_do(url, text);
		test_db_shape_of(text, sizeof(text), url);
		if (!strcmp(text, test_db_shape)) {
			snprintf(test_db_free[test_db_free_n++], sizeof(test_db_free[0]), "%s", url);
			return;
		}
	}
	snprintf(text, sizeof(text), "DROP SCHEMA IF EXISTS %s CASCADE", test_db_schema(url));
	test_db_do(getenv("HW_TEST_DB"), text);
}

/** Makes the new place @to hold what @from, of this process, does. */
static void test_db_copy(const char *to, const char *from)
{
	static const char rows[] =
		"DO $x$ DECLARE t text; BEGIN SET LOCAL session_replication_role = replica;"
		" FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '%s' LOOP"
		" EXECUTE format('DELETE FROM %%I', t); EXECUTE format('INSERT INTO %%I SELECT * FROM %s.%%I', t, t); END LOOP; END $x$";
	char text[1200];
	struct db *db;

	if (!test_db_is_postgres()) {
		snprintf(text, sizeof(text), "cp %s %s", from, to);
		assert_int_equal(system(text), 0);
		return;
	}
	from = strstr(from, "search_path%3D") + 14;
	snprintf(text, sizeof(text), rows, from, from);
	assert_int_equal(db_open(&db, to, DB_RW), 0);
	assert_int_equal(db_migrate(db), 0);
	assert_int_equal(db_script(db, text), 0);
	db_close(db);
}

#define TEST_DB_SQLITE_ONLY()                                                                                          \
	do {                                                                                                           \
		if (test_db_is_postgres())                                                                             \
			skip();                                                                                        \
	} while (0)
#define TEST_DB_POSTGRES_ONLY()                                                                                        \
	do {                                                                                                           \
		if (!test_db_is_postgres())                                                                            \
			skip();                                                                                        \
	} while (0)

#pragma GCC diagnostic pop
