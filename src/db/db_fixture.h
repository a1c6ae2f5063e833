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

/* One count for all files of a test program. */
__attribute__((weak)) unsigned test_db_made;

static bool test_db_is_postgres(void)
{
	const char *url = getenv("HW_TEST_DB");

	return url && *url;
}

static void test_db_schema(const char *url, bool make)
{
	const char *schema = strstr(url, "search_path%3D");
	struct db *db;
	char sql[160];

	assert_non_null(schema);
	snprintf(sql, sizeof(sql), make ? "CREATE SCHEMA %s" : "DROP SCHEMA IF EXISTS %s CASCADE", schema + 14);
	assert_int_equal(db_open(&db, getenv("HW_TEST_DB"), DB_RW), 0);
	if (db_script(db, sql))
		fail_msg("%s: %s", sql, db_error(db));
	db_close(db);
}

/** A new, empty place for data. @path: the file it is with SQLite, below a folder that the test removes. */
static void test_db_new(char *url, size_t size, const char *path)
{
	if (!test_db_is_postgres()) {
		snprintf(url, size, "%s", path);
		return;
	}
	assert_true(strlen(getenv("HW_TEST_DB")) + 64 < size);
	snprintf(url, size, "%s%coptions=-csearch_path%%3Dt%d_%u", getenv("HW_TEST_DB"), strchr(getenv("HW_TEST_DB"), '?') ? '&' : '?', (int)getpid(),
		 ++test_db_made);
	test_db_schema(url, true);
}


static void test_db_gone(const char *url)
{
	if (test_db_is_postgres())
		test_db_schema(url, false);
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
