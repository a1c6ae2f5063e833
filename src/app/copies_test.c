/* Copies before upgrades, by hand, and back again. */
#include "base/test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app.h"
#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"
#include "journal/ring.h"

struct place {
	char dir[64];
	char *db, *ring;
};

static void place_up(struct place *p)
{
	struct db *db;

	strcpy(p->dir, "/dev/shm/huawu-copies.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->db = xasprintf("%s/huawu.db", p->dir);
	p->ring = xasprintf("%s/own.ring", p->dir);
	assert_int_equal(db_open(&db, p->db, DB_RW), 0);
	assert_int_equal(copies_before_migration(db, p->dir), 0); /* nothing is in it: nothing to keep */
	assert_int_equal(db_migrate(db), 0);
	assert_int_equal(copies_before_migration(db, p->dir), 0); /* nothing to change: no copy */
	db_close(db);
}

static void place_down(struct place *p)
{
	char *command = xasprintf("rm -rf %s", p->dir);

	assert_int_equal(system(command), 0);
	free(command);
	free(p->db);
	free(p->ring);
}

/* Names in backup/ that hold @word; the last one in order of name goes to @last. */
static unsigned copies(const struct place *p, const char *word, char **last)
{
	char *dir = xasprintf("%s/backup", p->dir), *best = NULL;
	DIR *list = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	while (list && (e = readdir(list)))
		if (e->d_name[0] != '.' && strstr(e->d_name, word)) {
			n++;
			if (!best || strcmp(e->d_name, best) > 0) {
				free(best);
				best = xstrdup(e->d_name);
			}
		}
	if (list)
		(void)closedir(list);
	if (last)
		*last = best ? xasprintf("%s/%s", dir, best) : NULL;
	free(best);
	free(dir);
	return n;
}

static void run(const struct place *p, const char *sql)
{
	struct db *db;

	assert_int_equal(db_open(&db, p->db, DB_RW), 0);
	assert_int_equal(db_run(db, sql, NULL), 0);
	db_close(db);
}

static int64_t ask(const char *path, const char *sql)
{
	struct db *db;
	int64_t n;

	assert_int_equal(db_open(&db, path, DB_RO), 0);
	assert_int_equal(db_get_i64(&n, db, sql, NULL), 0);
	db_close(db);
	return n;
}

static int command(int (*fn)(int, char **), const char *name, const char *data, const char *file)
{
	char *argv[] = {(char *)(uintptr_t)name, (char *)(uintptr_t) "--data", (char *)(uintptr_t)data, (char *)(uintptr_t)file, NULL};

	return fn(file ? 4 : 3, argv);
}

TEST(a_copy_is_kept_before_tables_change_and_five_at_most)
{
	struct place p;
	struct db *db;
	char *last, *name;

	place_up(&p);
	assert_int_equal(copies(&p, ".db", NULL), 0);
	run(&p, "DELETE FROM schema_migration WHERE version = (SELECT max(version) FROM schema_migration)"); /* as if one were new */
	for (int i = 0; i < 7; i++) {
		name = xasprintf("%s/backup/huawu-2020010%dT000000Z-before-0.0.%d.db", p.dir, i, i);
		if (i) { /* older ones, and one made by hand that does not count */
			FILE *f = fopen(name, "we");

			assert_non_null(f);
			(void)fclose(f);
		} else {
			assert_int_equal(db_open(&db, p.db, DB_RW), 0);
			assert_int_equal(copies_before_migration(db, p.dir), 0);
			db_close(db);
		}
		free(name);
	}
	assert_int_equal(copies(&p, "before-", NULL), 7);
	assert_int_equal(command(backup_main, "backup-db", p.dir, NULL), 0);
	assert_int_equal(db_open(&db, p.db, DB_RW), 0);
	assert_int_equal(unlink((copies(&p, "before-" HUAWU_VERSION, &last), last)), 0);
	free(last);
	assert_int_equal(copies_before_migration(db, p.dir), 0);
	db_close(db);
	assert_int_equal(copies(&p, "before-", &last), 5);
	assert_int_equal(copies(&p, "copy-", NULL), 1);
	assert_non_null(strstr(last, "before-" HUAWU_VERSION));
	assert_int_equal(ask(last, "SELECT count(*) FROM schema_migration"), ask(p.db, "SELECT count(*) FROM schema_migration"));
	free(last);
	place_down(&p);
}

TEST(an_upgrade_without_room_for_its_copy_is_refused)
{
	struct place p;
	struct db *db;
	char *in_the_way;
	FILE *f;

	place_up(&p);
	run(&p, "DELETE FROM schema_migration WHERE version = (SELECT max(version) FROM schema_migration)");
	in_the_way = xasprintf("%s/backup", p.dir);
	f = fopen(in_the_way, "we"); /* a file where the folder should be */
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(db_open(&db, p.db, DB_RW), 0);
	assert_true(copies_before_migration(db, p.dir) < 0);
	db_close(db);
	free(in_the_way);
	place_down(&p);
}

TEST(a_copy_is_put_back_and_what_was_there_is_kept)
{
	struct place p;
	char *last, *kept;

	place_up(&p);
	run(&p, "CREATE TABLE mine (a BIGINT)");
	run(&p, "INSERT INTO mine VALUES (1)");
	assert_int_equal(command(backup_main, "backup-db", p.dir, NULL), 0);
	assert_int_equal(copies(&p, "copy-", &last), 1);
	run(&p, "INSERT INTO mine VALUES (2)");
	/* As a newer program leaves it. */
	run(&p, "INSERT INTO schema_migration (version, name, applied_ms) VALUES (9999, '9999_future.sql', 1)");
	assert_int_equal(command(restore_main, "restore-db", p.dir, last), 0);
	assert_int_equal(ask(p.db, "SELECT count(*) FROM mine"), 1);
	assert_int_equal(ask(p.db, "SELECT count(*) FROM schema_migration WHERE version = 9999"), 0);
	kept = xasprintf("ls %s/huawu.db.replaced-* >/dev/null", p.dir);
	assert_int_equal(system(kept), 0);
	free(kept);
	free(last);
	place_down(&p);
}

TEST(what_is_no_copy_or_newer_still_is_not_put_in_place)
{
	struct place p;
	char *bad;
	FILE *f;

	place_up(&p);
	bad = xasprintf("%s/bad.db", p.dir);
	f = fopen(bad, "we");
	assert_non_null(f);
	(void)fputs("not a database, and long enough for its head to be looked at by the engine: 0123456789 0123456789 0123456789", f);
	(void)fclose(f);
	assert_int_equal(command(restore_main, "restore-db", p.dir, bad), 1);
	assert_int_equal(unlink(bad), 0);
	assert_int_equal(command(restore_main, "restore-db", p.dir, bad), 1); /* not there */
	run(&p, "INSERT INTO schema_migration (version, name, applied_ms) VALUES (9999, '9999_future.sql', 1)");
	assert_int_equal(command(backup_main, "backup-db", p.dir, NULL), 0);
	free(bad);
	assert_int_equal(copies(&p, "copy-", &bad), 1);
	assert_int_equal(command(restore_main, "restore-db", p.dir, bad), 1);
	assert_int_equal(ask(p.db, "SELECT count(*) FROM schema_migration WHERE version = 9999"), 1);
	assert_int_equal(command(restore_main, "restore-db", p.dir, NULL), 0); /* a list */
	free(bad);
	place_down(&p);
}

TEST(nothing_is_put_back_under_a_running_server_or_over_events_that_wait)
{
	struct place p;
	struct app_conf c = {0};
	struct ring r;
	char *last;

	place_up(&p);
	assert_int_equal(command(backup_main, "backup-db", p.dir, NULL), 0);
	assert_int_equal(copies(&p, "copy-", &last), 1);
	c.data_dir = xstrdup(p.dir);
	app_conf_derive(&c, getuid()); /* the ring's name, as the server makes it */
	assert_int_equal(ring_open(&r, c.ring, 1 << 16), 0);
	assert_int_equal(command(restore_main, "restore-db", p.dir, last), 1);
	atomic_store(&r.h->head, 4096);
	ring_close(&r);
	assert_int_equal(command(restore_main, "restore-db", p.dir, last), 1);
	assert_int_equal(unlink(c.ring), 0);
	assert_int_equal(command(restore_main, "restore-db", p.dir, last), 0);
	app_conf_done(&c);
	free(last);
	place_down(&p);
}
