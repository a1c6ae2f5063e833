/*
 * Copies of the database, so that an upgrade can be taken back: the server makes one before it changes the tables, `huawu backup-db`
 * makes one at any time, and `huawu restore-db` puts one in the database's place. They lie in backup/ below the data folder, newest last
 * by name. PostgreSQL has tools of its own for this (pg_dump).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/app.h"
#include "app/doctor.h"
#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"

#define KEPT 5 /* of those made by upgrades, and of those made by hand */

static const char before[] = "before-", by_hand[] = "copy-";

static char *stamp(void)
{
	char text[32];
	time_t now = time(NULL);
	struct tm tm;

	(void)strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	return xstrdup(text);
}

/* ---- the folder ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* huawu-20260725T120000Z-before-0.2.0.db */
static int is_copy(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 9 && !strncmp(e->d_name, "huawu-", 6) && !strcmp(e->d_name + n - 3, ".db");
}

static void drop_old(const char *dir, const char *kind)
{
	struct dirent **list;
	int n = scandir(dir, &list, is_copy, by_name), more = -KEPT;

	for (int i = 0; i < n; i++)
		more += strstr(list[i]->d_name, kind) != NULL;
	for (int i = 0; i < n; i++) {
		if (more > 0 && strstr(list[i]->d_name, kind)) {
			char *path = xasprintf("%s/%s", dir, list[i]->d_name);

			(void)unlink(path);
			free(path);
			more--;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* Who runs this as root leaves nothing that the service cannot read. */
static void same_owner(const char *path, const char *like)
{
	struct stat st;

	if (!geteuid() && !stat(like, &st) && lchown(path, st.st_uid, st.st_gid))
		fprintf(stderr, "huawu: %s: %s\n", path, strerror(errno));
}

/* @name into backup/; it appears whole or not at all. @ret: its path. */
static int copy_into(char **ret, struct db *db, const char *data_dir, const char *name)
{
	char *dir = xasprintf("%s/backup", data_dir), *tmp = xasprintf("%s/.new", dir), *path = xasprintf("%s/%s", dir, name);
	int r;

	(void)mkdir(dir, 0700);
	same_owner(dir, data_dir);
	(void)unlink(tmp);
	r = db_copy_to(db, tmp);
	if (!r && rename(tmp, path))
		r = -errno;
	if (r)
		(void)unlink(tmp);
	else
		same_owner(path, data_dir);
	free(dir);
	free(tmp);
	if (r)
		free(path);
	else
		*ret = path;
	return r;
}

int copies_before_migration(struct db *db, const char *data_dir)
{
	char newer[128], *when, *name, *path, *dir;
	int64_t missing;
	int r;

	/* No table of migrations: nothing is in it yet. */
	if (db_migration_state(db, &missing, newer, sizeof(newer)) || !missing || *newer)
		return 0;
	when = stamp();
	name = xasprintf("huawu-%s-%s%s.db", when, before, HUAWU_VERSION);
	r = copy_into(&path, db, data_dir, name);
	free(when);
	free(name);
	if (r == -EOPNOTSUPP) {
		log_warn("the database is upgraded now without a copy steps=%lld: on this engine copies are its administrator's (pg_dump)", (long long)missing);
		return 0;
	}
	if (r) {
		log_error("no copy of the database can be kept before its upgrade error=\"%s\", so that it is left as it is: make room in %s/backup", strerror(-r), data_dir);
		return r;
	}
	log_info("copy of the database kept before its upgrade path=%s", path);
	dir = xasprintf("%s/backup", data_dir);
	drop_old(dir, before);
	free(dir);
	free(path);
	return 0;
}

void copies_tell_newer(const char *data_dir)
{
	log_error("the database was upgraded by a newer program: install that one again, or go back to the copy from before the upgrade (what came later is lost): "
		  "huawu restore-db --data %s", data_dir);
}

/* ---- the commands ---- */

struct place {
	char *data_dir, *db, *ring, *file;
	struct app_conf conf;
};

static void place_done(struct place *p)
{
	free(p->file);
	app_conf_done(&p->conf);
}

/* [--data DIR] [--db PATH] [--to FILE | FILE]; 0, or an exit status plus one. Ports and the like are of no interest here. */
static int place_read(struct place *p, int argc, char **argv, const char *usage)
{
	char **rest = xcalloc((size_t)argc + 3, sizeof(*rest));
	int n = 0, r = 0;
	bool placed = false;
	struct stat st;

	for (int i = 0; i < argc && !r; i++) {
		bool takes = !strcmp(argv[i], "--data") || !strcmp(argv[i], "--db") || !strcmp(argv[i], "--config");

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			r = 1;
		} else if (!i) {
			rest[n++] = argv[i];
		} else if (!strcmp(argv[i], "--to") && i + 1 < argc) {
			free(p->file);
			p->file = xstrdup(argv[++i]);
		} else if (takes && i + 1 < argc) {
			placed = true;
			rest[n++] = argv[i++];
			rest[n++] = argv[i];
		} else if (argv[i][0] != '-' && !p->file) {
			p->file = xstrdup(argv[i]);
		} else {
			fputs(usage, stderr);
			r = 3;
		}
	}
	if (!placed && !access("/etc/huawu/huawu.ini", R_OK)) {
		rest[n++] = (char *)(uintptr_t) "--config";
		rest[n++] = (char *)(uintptr_t) "/etc/huawu/huawu.ini";
	}
	if (!r)
		r = app_conf_read(&p->conf, n, rest);
	free(rest);
	if (r)
		return r;
	app_conf_derive(&p->conf, stat(p->conf.data_dir, &st) ? getuid() : st.st_uid);
	p->data_dir = p->conf.data_dir;
	p->db = p->conf.db;
	p->ring = p->conf.ring;
	return 0;
}

static const char backup_usage[] =
	"huawu backup-db [--config INI | --data DIR] [--to FILE]\n\n"
	"Makes a whole, consistent copy of the database (SQLite) while the server goes on working: as FILE, or in backup/ below the\n"
	"data folder, where the newest five are kept. Recordings are plain files below recordings/ and are copied with any tool;\n"
	"keep secrets.key with them, too: without it the passwords of trunks cannot be read. With PostgreSQL use pg_dump.\n";

int backup_main(int argc, char **argv)
{
	struct place p = {0};
	struct db *db = NULL;
	char *path = NULL;
	int r = place_read(&p, argc, argv, backup_usage);

	if (r) {
		place_done(&p);
		return r - 1;
	}
	r = db_open(&db, p.db, DB_RO);
	if (!r && p.file) {
		r = db_copy_to(db, p.file);
		path = r ? NULL : xstrdup(p.file);
	} else if (!r) {
		char *when = stamp(), *name = xasprintf("huawu-%s-%s%s.db", when, by_hand, HUAWU_VERSION), *dir = xasprintf("%s/backup", p.data_dir);

		r = copy_into(&path, db, p.data_dir, name);
		if (!r)
			drop_old(dir, by_hand);
		free(when);
		free(name);
		free(dir);
	}
	db_close(db);
	if (r == -EOPNOTSUPP)
		fprintf(stderr, "huawu backup-db: this engine has its own tools: pg_dump / 请用 pg_dump 备份 PostgreSQL\n");
	else if (r)
		fprintf(stderr, "huawu backup-db: %s: %s\n", p.db, r == -EINVAL ? "the file is there already, or cannot be made" : strerror(-r));
	else
		printf("%s\n", path);
	free(path);
	place_done(&p);
	return r ? 1 : 0;
}

static const char restore_usage[] =
	"huawu restore-db [--config INI | --data DIR] [FILE]\n\n"
	"Puts a copy in the place of the database, so that a program can go on with the data from before an upgrade. Without FILE it\n"
	"lists the copies. The server must be stopped. What was recorded since the copy is set aside beside it, not removed:\n"
	"huawu.db.replaced-TIME. With PostgreSQL use pg_restore.\n";

static int list_copies(const struct place *p)
{
	char *dir = xasprintf("%s/backup", p->data_dir);
	struct dirent **list;
	int n = scandir(dir, &list, is_copy, by_name);

	if (n <= 0)
		fprintf(stderr, "huawu restore-db: there is no copy in %s / 那里没有副本\n", dir);
	else
		printf("copies, newest last; give one to put it in place / 以下是副本，最后的最新，请指定一个：\n");
	for (int i = 0; i < n; i++) {
		printf("  %s/%s\n", dir, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	free(dir);
	return n > 0 ? 0 : 1;
}

/* What the ring still holds belongs to the database that is to go. 0, or after saying why not. */
static int at_rest(const struct place *p)
{
	const struct doctor here = {.root = ""};
	struct journal_ring_look look;

	if (doc_lock_holder(&here, p->ring)) {
		fprintf(stderr, "huawu restore-db: stop the server first (systemctl stop huawu) / 请先停止服务\n");
		return -EBUSY;
	}
	if (!journal_ring_look(&look, p->ring) && look.used) {
		fprintf(stderr, "huawu restore-db: the last run ended suddenly, and %s holds events that are not in the database yet: start and stop the program that "
				"made them once / 上次运行突然结束，请先用原来的程序正常启动、停止一次\n", p->ring);
		return -EBUSY;
	}
	return 0;
}

static int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, r = in < 0 ? -errno : 0;
	char buf[1 << 16];
	ssize_t n;

	if (!r && (out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		r = -errno;
	while (!r && (n = read(in, buf, sizeof(buf))) != 0)
		if (n < 0 || write(out, buf, (size_t)n) != n)
			r = n < 0 ? -errno : -ENOSPC;
	if (!r && fsync(out))
		r = -errno;
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	return r;
}

/* The database and its two companions get another name; what is not there is no error. */
static int set_aside(const char *db, const char *when)
{
	static const char *const tails[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		char *from = xasprintf("%s%s", db, tails[i]), *to = xasprintf("%s.replaced-%s%s", db, when, tails[i]);
		int r = rename(from, to) && errno != ENOENT ? -errno : 0;

		free(from);
		free(to);
		if (r)
			return r;
	}
	return 0;
}

/* Is @path a whole database that this program can go on with? 0, or after saying why not. */
static int fits(const char *path)
{
	char what[256] = "", newer[128] = "";
	struct db *db = NULL;
	int64_t missing;
	int r = db_open(&db, path, DB_RO);

	if (!r)
		r = db_quick_check(db, what, sizeof(what));
	if (!r)
		r = db_migration_state(db, &missing, newer, sizeof(newer));
	if (!r && *newer)
		r = -EPROTO;
	db_close(db);
	if (r == -EPROTO)
		fprintf(stderr, "huawu restore-db: %s is newer than this program, too (%s) / 这份副本比本程序还新\n", path, newer);
	else if (r)
		fprintf(stderr, "huawu restore-db: %s is no sound copy: %s\n", path, *what ? what : strerror(abs(r)));
	return r;
}

static int restore(const struct place *p)
{
	char *when = stamp(), *tmp = xasprintf("%s.restoring", p->db);
	int r = at_rest(p);

	if (!r)
		r = fits(p->file);
	if (!r) {
		(void)unlink(tmp);
		r = copy_file(p->file, tmp);
		if (!r) {
			same_owner(tmp, p->data_dir);
			r = set_aside(p->db, when);
		}
		if (!r && rename(tmp, p->db))
			r = -errno;
		if (r)
			fprintf(stderr, "huawu restore-db: %s: %s\n", p->db, strerror(-r));
		else
			printf("%s is in place again; what was there is kept as %s.replaced-%s / 已恢复，原来的库另存\n", p->file, p->db, when);
	}
	(void)unlink(tmp);
	free(tmp);
	free(when);
	return r;
}

int restore_main(int argc, char **argv)
{
	struct place p = {0};
	int r = place_read(&p, argc, argv, restore_usage);

	if (r) {
		place_done(&p);
		return r - 1;
	}
	log_set_level(LOG_L_ERROR);
	if (!strncmp(p.db, "postgres", 8)) {
		fprintf(stderr, "huawu restore-db: use pg_restore / 请用 pg_restore\n");
		r = 1;
	} else {
		r = p.file ? restore(&p) : list_copies(&p);
	}
	place_done(&p);
	return r ? 1 : 0;
}
