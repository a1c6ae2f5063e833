#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/base.h"
#include "base/embed.h"
#include "base/test.h"
#include "db/db_fixture.h"
#include "db/engine.h"

extern struct embed_file embed_migrations[];
extern const size_t embed_migrations_n;

static char dir[64], path[512]; /* path: where the data are, a file or a URL */

static void fresh(void)
{
	strcpy(dir, "/dev/shm/hw_db_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/t.db", dir);
	test_db_new_empty(path, sizeof(path), strdupa(path));
}

static void gone(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
	test_db_gone(path);
}

static struct db *open_with(const char *sql)
{
	struct db *db;

	fresh();
	assert_int_equal(db_open(&db, path, DB_RW), 0);
	assert_int_equal(db_script(db, sql), 0);
	return db;
}

static int64_t get(struct db *db, const char *sql)
{
	int64_t v;

	assert_int_equal(db_get_i64(&v, db, sql, NULL), 0);
	return v;
}

static int columns(struct db *db, const char *table)
{
	struct db_stmt *st;
	int n = 0;

	assert_int_equal(db_prepare(&st, db, db_columns_sql(db)), 0);
	db_bind_text(st, 1, table);
	while (db_step(st) == DB_ROW)
		n++;
	db_done(st);
	return n;
}

TEST(parameters_are_numbered_by_their_number_and_not_in_quotes)
{
	struct db *db = open_with("");
	struct db_stmt *st;

	assert_int_equal(db_prepare(&st, db, "SELECT $2, $1, '$1', \"$2\" /* $9 ' */ -- $8 '\n FROM (SELECT 1 AS \"$2\") AS x"), 0);
	db_bind_i64(st, 1, 11);
	db_bind_text(st, 2, "two");
	assert_int_equal(db_step(st), DB_ROW);
	assert_string_equal(db_text(st, 0), "two");
	assert_int_equal(db_i64(st, 1), 11);
	assert_string_equal(db_text(st, 2), "$1");
	assert_int_equal(db_i64(st, 3), 1);
	assert_int_equal(db_cols(st), 4);
	assert_int_equal(db_step(st), 0);
	db_done(st);
	db_close(db);
	gone();
}

TEST(values_read_back_as_they_were_bound)
{
	struct db *db = open_with("CREATE TABLE t (i BIGINT, d DOUBLE PRECISION, s TEXT, b BLOB, z TEXT)");
	struct db_stmt *st;
	size_t n;

	assert_int_equal(db_run(db, "INSERT INTO t VALUES ($1,$2,$3,$4,$5)", "idtbt", INT64_MIN, 0.1, "话务", "a\0b", (size_t)3,
				(const char *)NULL), 0);
	assert_int_equal(db_prepare(&st, db, "SELECT * FROM t"), 0);
	assert_int_equal(db_step(st), DB_ROW);
	assert_int_equal(db_i64(st, 0), INT64_MIN);
	assert_true(db_num(st, 1) == 0.1);
	assert_string_equal(db_text(st, 2), "话务");
	assert_memory_equal(db_blob(st, 3, &n), "a\0b", 3);
	assert_int_equal(n, 3);
	assert_true(db_is_null(st, 4));
	assert_null(db_text(st, 4));
	db_done(st);
	db_close(db);
	gone();
}

TEST(constraints_are_answers_and_bad_sql_is_an_error)
{
	struct db *db = open_with("CREATE TABLE p (id BIGINT PRIMARY KEY);"
				  "CREATE TABLE t (id BIGINT PRIMARY KEY, u TEXT UNIQUE, c BIGINT CHECK (c > 0), p BIGINT REFERENCES p(id));"
				  "INSERT INTO t VALUES (1, 'a', 1, NULL)");
	int64_t v;

	assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, 'b', 1, NULL)", NULL), DB_E_UNIQUE);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (2, 'a', 1, NULL)", NULL), DB_E_UNIQUE);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (2, 'b', 0, NULL)", NULL), DB_E_CONSTRAINT);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (2, 'b', 1, 7)", NULL), DB_E_CONSTRAINT);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES (2, 'b', 1, NULL)", NULL), 0);
	assert_int_equal(db_changes(db), 1);
	assert_int_equal(db_run(db, "INSERT INTO nowhere VALUES (1)", NULL), -EINVAL);
	assert_non_null(strstr(db_error(db), "nowhere"));
	assert_int_equal(db_get_i64(&v, db, "SELECT id FROM t WHERE id = $1", "i", (int64_t)9), -ENOENT);
	db_close(db);
	gone();
}

TEST(a_statement_in_use_can_be_prepared_again)
{
	struct db *db = open_with("CREATE TABLE t (id BIGINT); INSERT INTO t VALUES (1), (2)");
	const char *sql = "SELECT id FROM t WHERE id >= $1 ORDER BY id";
	struct db_stmt *a, *b;

	assert_int_equal(db_prepare(&a, db, sql), 0);
	db_bind_i64(a, 1, 1);
	assert_int_equal(db_step(a), DB_ROW);
	assert_int_equal(db_prepare(&b, db, sql), 0);
	db_bind_i64(b, 1, 2);
	assert_int_equal(db_step(b), DB_ROW);
	assert_int_equal(db_i64(b, 0), 2);
	db_done(b);
	assert_int_equal(db_step(a), DB_ROW);
	assert_int_equal(db_i64(a, 0), 2);
	db_done(a);
	db_close(db);
	gone();
}

TEST(the_cache_is_bounded_and_keyed_by_content)
{
	struct db *db = open_with("");
	char sql[64];

	for (int i = 0; i < 2 * DB_CACHE_MAX; i++) {
		snprintf(sql, sizeof(sql), "SELECT %d", i); /* always at the same address */
		assert_int_equal(get(db, sql), i);
	}
	assert_int_equal(db->cache.count, DB_CACHE_MAX);
	db_close(db);
	gone();
}

TEST(a_read_only_connection_needs_a_database_and_cannot_write)
{
	struct db *db = open_with("CREATE TABLE t (id BIGINT)"), *ro;

	assert_int_equal(db_open(&ro, "/tmp/hw-no-such-database", DB_RO), -ENOENT);
	assert_int_equal(db_open(&ro, "mysql://x", DB_RO), -EPROTONOSUPPORT);
	assert_int_equal(db_open(&ro, path, DB_RO), 0);
	assert_int_equal(db_run(ro, "INSERT INTO t VALUES (1)", NULL), -EROFS);
	db_close(ro);
	db_close(db);
	gone();
}

TEST(the_writer_is_durable_and_in_wal_mode)
{
	TEST_DB_SQLITE_ONLY();
	struct db *db = open_with("");
	struct db_stmt *st;

	assert_int_equal(get(db, "PRAGMA synchronous"), 2); /* FULL */
	assert_int_equal(get(db, "PRAGMA page_size"), 4096);
	assert_int_equal(get(db, "PRAGMA foreign_keys"), 1);
	assert_int_equal(db_prepare(&st, db, "PRAGMA journal_mode"), 0);
	assert_int_equal(db_step(st), DB_ROW);
	assert_string_equal(db_text(st, 0), "wal");
	db_done(st);
	db_close(db);
	gone();
}

/* ---- migrations ---- */

#define FILE_OF(name, text) {name, (const unsigned char *)(text), sizeof(text) - 1}

TEST(migrations_are_applied_once_in_order_also_when_a_lower_one_comes_later)
{
	static const struct embed_file v1[] = {FILE_OF("0002_b.sql", "CREATE TABLE b (x BIGINT)"), FILE_OF("README", "")};
	static const struct embed_file v2[] = {FILE_OF("0001_a.sql", "CREATE TABLE a (x BIGINT); INSERT INTO a VALUES (5)"),
					       FILE_OF("0002_b.sql", "CREATE TABLE b (x BIGINT)")};
	struct db *db = open_with("");

	assert_int_equal(db_migrate_files(db, v1, 2), 0);
	assert_int_equal(db_migrate_files(db, v2, 2), 0);
	assert_int_equal(db_migrate_files(db, v2, 2), 0);
	assert_int_equal(get(db, "SELECT sum(x) FROM a"), 5);
	assert_int_equal(get(db, "SELECT count(*) FROM schema_migration"), 2);
	db_close(db);
	gone();
}

TEST(a_newer_database_is_refused)
{
	static const struct embed_file v[] = {FILE_OF("0001_a.sql", "CREATE TABLE a (x BIGINT)"),
					      FILE_OF("0003_c.sql", "CREATE TABLE c (x BIGINT)")};
	struct db *db = open_with("");

	log_set_level(LOG_L_ERROR);
	assert_int_equal(db_migrate_files(db, v, 2), 0);
	assert_int_equal(db_migrate_files(db, v, 1), -EPROTO);
	db_close(db);
	gone();
}

TEST(a_failing_migration_leaves_nothing)
{
	static const struct embed_file v[] = {FILE_OF("0001_a.sql", "CREATE TABLE a (x BIGINT); CREATE TABLE a (x BIGINT)")};
	struct db *db = open_with("");

	assert_true(db_migrate_files(db, v, 1) < 0);
	assert_int_equal(get(db, "SELECT count(*) FROM schema_migration"), 0);
	assert_int_equal(columns(db, "a"), 0);
	db_close(db);
	gone();
}

TEST(the_embedded_migrations_apply)
{
	struct db *db = open_with("");

	assert_int_equal(db_migrate(db), 0);
	assert_int_equal(db_migrate(db), 0);
	db_close(db);
	gone();
}

/* ---- writer ---- */

static struct db_writer *writer_with(const char *sql, size_t jobs_max)
{
	struct db_writer *w;

	db_close(open_with(sql));
	assert_int_equal(db_writer_new(&w, path, jobs_max), 0);
	return w;
}

static int insert(struct db *db, void *arg)
{
	return db_run(db, "INSERT INTO t VALUES ($1)", "i", (int64_t)(intptr_t)arg);
}

static int insert_and_refuse(struct db *db, void *arg)
{
	assert_int_equal(insert(db, arg), 0);
	return 7;
}

static int count_rows(struct db *db, void *arg)
{
	return db_get_i64(arg, db, "SELECT count(*) FROM t", NULL);
}

TEST(a_refused_job_undoes_only_itself)
{
	struct db_writer *w = writer_with("CREATE TABLE t (id BIGINT UNIQUE)", 10);
	int64_t n;

	assert_int_equal(db_writer_call(w, DB_BUSINESS, insert, (void *)1), 0);
	assert_int_equal(db_writer_call(w, DB_BUSINESS, insert_and_refuse, (void *)2), 7);
	assert_int_equal(db_writer_call(w, DB_BUSINESS, insert, (void *)1), DB_E_UNIQUE);
	assert_int_equal(db_writer_call(w, DB_TELEPHONY, insert, (void *)3), 0);
	assert_int_equal(db_writer_call(w, DB_BUSINESS, count_rows, &n), 0);
	assert_int_equal(n, 2);
	db_writer_free(w);
	gone();
}

/* Holds the writer in a job until told to go on, so that the tests decide what waits behind it. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool entered, open;
};
#define GATE_INIT {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false}

static int gate_job(struct db *db, void *arg)
{
	struct gate *g = arg;

	pthread_mutex_lock(&g->lock);
	g->entered = true;
	(void)pthread_cond_broadcast(&g->cond);
	while (!g->open)
		(void)pthread_cond_wait(&g->cond, &g->lock);
	pthread_mutex_unlock(&g->lock);
	return 0;
}

static void gate_close(struct gate *g, struct db_writer *w)
{
	assert_int_equal(db_writer_submit(w, DB_BUSINESS, gate_job, NULL, g), 0);
	pthread_mutex_lock(&g->lock);
	while (!g->entered)
		(void)pthread_cond_wait(&g->cond, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void gate_open(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	(void)pthread_cond_broadcast(&g->cond);
	pthread_mutex_unlock(&g->lock);
}

static char order[8];
static int note_order(struct db *db, void *arg)
{
	order[strlen(order)] = *(const char *)arg;
	return 0;
}

TEST(telephony_goes_first_and_a_full_queue_refuses)
{
	struct db_writer *w = writer_with("CREATE TABLE t (id BIGINT)", 3);
	struct gate g = GATE_INIT;

	memset(order, 0, sizeof(order));
	gate_close(&g, w);
	assert_int_equal(db_writer_submit(w, DB_BUSINESS, note_order, NULL, "b"), 0);
	assert_int_equal(db_writer_submit(w, DB_BUSINESS, note_order, NULL, "c"), 0);
	assert_int_equal(db_writer_submit(w, DB_TELEPHONY, note_order, NULL, "t"), 0);
	assert_int_equal(db_writer_submit(w, DB_TELEPHONY, note_order, NULL, "x"), -EAGAIN);
	gate_open(&g);
	db_writer_free(w); /* finishes what was submitted */
	assert_string_equal(order, "tbc");
	gone();
}

static struct db *done_reader;
static int done_saw;
static void done_reads(int result, void *arg)
{
	int64_t n = -1;

	assert_int_equal(result, 0);
	assert_int_equal(count_rows(done_reader, &n), 0);
	done_saw = (int)n;
}

TEST(done_comes_after_the_commit)
{
	struct db_writer *w = writer_with("CREATE TABLE t (id BIGINT)", 3);

	assert_int_equal(db_open(&done_reader, path, DB_RO), 0);
	done_saw = -1;
	assert_int_equal(db_writer_submit(w, DB_BUSINESS, insert, done_reads, (void *)5), 0);
	db_writer_free(w);
	assert_int_equal(done_saw, 1);
	db_close(done_reader);
	gone();
}

/* A source that inserts the numbers appended so far, as the event log does. */
struct numbers {
	_Atomic int64_t head, tail;
	int64_t drained;
	_Atomic int failed, commits;
};

static bool numbers_pending(void *arg)
{
	struct numbers *s = arg;

	return s->head != s->tail;
}

static int numbers_drain(struct db *db, void *arg)
{
	struct numbers *s = arg;
	int r = 0;

	s->drained = s->head;
	for (int64_t i = s->tail; i < s->drained && !r; i++)
		r = insert(db, (void *)(intptr_t)i);
	return r;
}

static void numbers_committed(void *arg)
{
	struct numbers *s = arg;

	s->tail = s->drained;
	s->commits++;
}

static void numbers_failed(int error, void *arg)
{
	struct numbers *s = arg;

	s->failed = error;
}

static void attach(struct db_writer *w, struct numbers *s, int interval_ms)
{
	db_writer_set_source(w, &(struct db_source){.drain = numbers_drain, .committed = numbers_committed, .failed = numbers_failed,
						    .pending = numbers_pending, .arg = s, .interval_ms = interval_ms});
}

TEST(the_source_is_drained_by_itself_with_jobs_and_at_the_end)
{
	struct db_writer *w = writer_with("CREATE TABLE t (id BIGINT UNIQUE)", 3);
	struct numbers s = {0};
	int64_t n;

	attach(w, &s, 1);
	s.head = 10;
	while (s.tail != 10)
		(void)usleep(500);
	attach(w, &s, 3600000); /* now only jobs make it commit */
	s.head = 20;
	assert_int_equal(db_writer_call(w, DB_BUSINESS, count_rows, &n), 0);
	assert_int_equal(n, 20);
	assert_int_equal(s.tail, 20);
	s.head = 30;
	db_writer_set_source(w, NULL);
	assert_int_equal(s.tail, 30);
	attach(w, &s, 3600000);
	s.head = 40;
	db_writer_free(w);
	assert_int_equal(s.tail, 40);
	gone();
}

TEST(a_source_that_fails_does_not_take_the_jobs_with_it)
{
	struct db_writer *w = writer_with("CREATE TABLE t (id BIGINT UNIQUE)", 3);
	struct numbers s = {0};

	log_set_level(LOG_L_ERROR + 0);
	assert_int_equal(db_writer_call(w, DB_BUSINESS, insert, (void *)3), 0); /* in the source's way */
	attach(w, &s, 3600000);
	s.head = 5;
	assert_int_equal(db_writer_call(w, DB_BUSINESS, insert, (void *)100), 0);
	assert_int_equal(s.failed, DB_E_UNIQUE);
	assert_int_equal(s.tail, 0);
	db_writer_free(w);
	gone();
}

TEST(a_locked_database_fails_the_source_and_is_tried_again)
{
	struct db_writer *w = writer_with("CREATE TABLE t (id BIGINT UNIQUE)", 3);
	struct numbers s = {0};
	struct db *other;
	int64_t n;

	attach(w, &s, 5);
	assert_int_equal(db_open(&other, path, DB_RW), 0);
	assert_int_equal(db_begin(other), 0);
	s.head = 5;
	while (!s.failed)
		(void)usleep(1000);
	assert_int_equal(s.failed, -EBUSY);
	assert_int_equal(db_writer_call(w, DB_BUSINESS, count_rows, &n), -EBUSY);
	db_rollback(other);
	while (s.tail != 5)
		(void)usleep(1000);
	assert_int_equal(db_writer_call(w, DB_BUSINESS, count_rows, &n), 0);
	assert_int_equal(n, 5);
	db_close(other);
	db_writer_free(w);
	gone();
}

static int insert_much(struct db *db, void *arg)
{
	return db_run(db, "INSERT INTO t VALUES (1, zeroblob(1000000))", NULL);
}

TEST(a_full_disk_is_an_error_and_passes)
{
	TEST_DB_SQLITE_ONLY(); /* the other's disk is its server's */
	struct db_writer *w = writer_with("CREATE TABLE t (id BIGINT, b BLOB)", 3);
	struct rlimit old, small = {300000, RLIM_INFINITY};
	int r;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = db_writer_call(w, DB_BUSINESS, insert_much, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(r == -EIO || r == -ENOSPC);
	assert_int_equal(db_writer_call(w, DB_BUSINESS, insert_much, NULL), 0);
	db_writer_free(w);
	gone();
}

TEST(a_bigint_key_is_the_row_itself)
{
	TEST_DB_SQLITE_ONLY();
	struct db *db = open_with("CREATE TABLE t (id BIGINT PRIMARY KEY, x TEXT); CREATE TABLE u (a BIGINT, PRIMARY KEY (a))");

	/* no tree of its own, unlike the other spelling */
	assert_int_equal(get(db, "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = 't'"), 0);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES ($1, 'x')", "i", INT64_MAX), 0);
	assert_int_equal(db_run(db, "INSERT INTO t VALUES ($1, 'x')", "i", INT64_MAX), DB_E_UNIQUE);
	db_close(db);
	gone();
}

/* ---- search tables ---- */

static void put_words(struct db *db, int64_t id, const char *words)
{
	char *own = db_search_words(db, words);

	assert_int_equal(db_run(db, "INSERT INTO find_notes (rowid, words) VALUES ($1, $2)", "it", id, own), 0);
	free(own);
}

/* Ids that match, summed; by the index and row by row. */
static void expect_matches(struct db *db, const char *question, int64_t sum)
{
	int64_t n;

	assert_int_equal(db_get_i64(&n, db, "SELECT COALESCE(CAST(SUM(rowid) AS BIGINT), 0) FROM find_notes WHERE words MATCH $1", "t", question), 0);
	assert_int_equal(n, sum);
	assert_int_equal(db_get_i64(&n, db, "SELECT COALESCE(CAST(SUM(rowid) AS BIGINT), 0) FROM find_notes WHERE search_match(words, $1)", "t",
				    question),
			 0);
	assert_int_equal(n, sum);
}

TEST(search_tables_match_words_phrases_and_beginnings)
{
	struct db *db = open_with("CREATE SEARCH find_notes; CREATE TABLE other (id BIGINT PRIMARY KEY)");
	const struct db_search *s = db_search(db);
	char text[200];

	put_words(db, 1, "ab cd ef");
	put_words(db, 2, "cd ab 客户");
	put_words(db, 4, "abc");
	expect_matches(db, "ab", 3);
	expect_matches(db, "客户", 2);
	expect_matches(db, "zz", 0);
	(void)snprintf(text, sizeof(text), "ab%scd", s->then);
	expect_matches(db, text, 1);
	(void)snprintf(text, sizeof(text), "cd%sa%s", s->then, s->prefix);
	expect_matches(db, text, 2);
	(void)snprintf(text, sizeof(text), "ab%s", s->prefix);
	expect_matches(db, text, 7);
	(void)snprintf(text, sizeof(text), "(ef%sabc)%s(cd%sabc)", s->or, s->and, s->or);
	expect_matches(db, text, 5);
	(void)snprintf(text, sizeof(text), "zz%sab%scd", s->or, s->and);
	expect_matches(db, text, 3);
	db_close(db);
	gone();
}

TEST(what_is_no_question_is_refused)
{
	TEST_DB_SQLITE_ONLY();
	static const char *const bad[] = {"", "(", "(a", "a)", "a +", "a AND", "a b", "a OR OR b", "((((((((((a))))))))))", "a + (b)"};
	struct db *db = open_with("CREATE SEARCH find_notes");
	int64_t n;

	put_words(db, 1, "a b");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(db_get_i64(&n, db, "SELECT rowid FROM find_notes WHERE search_match(words, $1)", "t", bad[i]), -EINVAL);
	db_close(db);
	gone();
}

/* Of two with one number only the first would ever be applied. */
TEST(every_migration_has_a_number_of_its_own)
{
	long last = 0;

	for (size_t i = 0; i < embed_migrations_n; i++) { /* sorted by name */
		long n = strtol(embed_migrations[i].name, NULL, 10);

		if (n && n <= last)
			print_message("%s\n", embed_migrations[i].name);
		assert_true(!n || n > last);
		last = n ? n : last;
	}
	assert_true(last > 0);
}
