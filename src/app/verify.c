/* huawu verify: are the event log and the audit what was written? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/rec_check.h"
#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"
#include "resource/resource.h"

/* As journal_verify, for each centre's audit. */
static int audits(struct db *db, int64_t *n)
{
	int64_t ids[64];
	struct db_stmt *st;
	size_t count = 0;
	int r = db_prepare(&st, db, "SELECT id FROM centre ORDER BY id");

	if (r)
		return r;
	while (count < ARRAY_LEN(ids) && (r = db_step(st)) == DB_ROW)
		ids[count++] = db_i64(st, 0);
	db_done(st);
	r = r < 0 ? r : 0;
	for (size_t i = 0; !r && i < count; i++)
		r = res_audit_verify(db, ids[i], n);
	return r;
}

/* What is asked for. */
struct wish {
	char *db, *dir;
	bool recordings;
	const char *root;
};

static bool take_args(struct wish *w, int argc, char **argv)
{
	const char *data = "/var/lib/huawu";

	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--recordings")) {
			w->recordings = true;
		} else if (more && !strcmp(argv[i], "--db")) {
			free(w->db);
			w->db = xstrdup(argv[++i]);
		} else if (more && !strcmp(argv[i], "--data")) {
			data = argv[++i];
		} else if (more && !strcmp(argv[i], "--files")) {
			free(w->dir);
			w->dir = xstrdup(argv[++i]);
			w->recordings = true;
		} else if (more && !strcmp(argv[i], "--root")) {
			w->root = argv[++i];
		} else {
			return false;
		}
	}
	if (!w->db)
		w->db = xasprintf("%s/huawu.db", data);
	return true;
}

/* "EPOCH.N HASH" of an event of the chain; @where " WHERE ..." or " ORDER BY ...". False: there is none. */
static bool root_text(char *ret, size_t size, struct db *db, const char *where, int64_t epoch, int64_t n)
{
	char sql[200], hex[65];
	struct db_stmt *st;
	const void *hash;
	size_t len = 0;
	bool there;

	(void)snprintf(sql, sizeof(sql), "SELECT epoch, n, hash FROM event%s", where);
	if (db_prepare(&st, db, sql))
		return false;
	if (strstr(where, "$1")) {
		db_bind_i64(st, 1, epoch);
		db_bind_i64(st, 2, n);
	}
	there = db_step(st) == DB_ROW;
	hash = there ? db_blob(st, 2, &len) : NULL;
	there = there && len == 32;
	if (there) {
		str_hex_of(hex, hash, len);
		(void)snprintf(ret, size, "%lld.%lld:%s", (long long)db_i64(st, 0), (long long)db_i64(st, 1), hex);
	}
	db_done(st);
	return there;
}

bool verify_root(struct db *db, const char *root)
{
	long long epoch, n;
	char is[128];

	return sscanf(root, "%lld.%lld:", &epoch, &n) == 2 && root_text(is, sizeof(is), db, " WHERE epoch = $1 AND n = $2", epoch, n) && !strcmp(is, root);
}

static int recordings(struct db *db, const char *dir)
{
	struct rec_check c;
	int r = rec_check(&c, db, dir);

	if (r > 0)
		printf("broken: recording %lld of call %lld is %s: %s (its hash is in event %lld.%lld)\n", (long long)c.part, (long long)c.call_id, c.wrong, c.path,
		       (long long)c.epoch, (long long)c.n);
	else if (!r)
		printf("recordings: %lld whole, %lld erased with the person they were of, %lld never written\n", (long long)c.whole, (long long)c.erased,
		       (long long)c.unheard);
	return r;
}

/* 0: whole; 1: broken, and said so; negative. */
static int verify(struct db *db, const struct wish *w)
{
	int64_t epoch, n;
	char root[128];
	int r = journal_verify(db, &epoch, &n);

	if (r > 0)
		printf("broken: event %lld.%lld is altered, missing or out of order\n", (long long)epoch, (long long)n);
	if (r)
		return r;
	if (w->root && !verify_root(db, w->root)) {
		printf("broken: the log is another one than when this root was noted: %s\n", w->root);
		return 1;
	}
	r = audits(db, &n);
	if (r > 0)
		printf("broken: line %lld of the audit is altered, missing or out of order\n", (long long)n);
	if (!r && w->recordings)
		r = recordings(db, w->dir);
	if (r)
		return r;
	printf("whole\n");
	if (root_text(root, sizeof(root), db, " ORDER BY epoch DESC, n DESC LIMIT 1", 0, 0))
		printf("root %s\n", root);
	return 0;
}

int verify_main(int argc, char **argv)
{
	struct wish w = {0};
	struct db *db = NULL;
	int r;

	if (!take_args(&w, argc, argv)) {
		printf("huawu verify [--data DIR | --db PATH] [--recordings] [--files DIR] [--root EPOCH.N:HASH]\n\n"
		       "Recomputes the hash chains of the event log and of the audit, and names the first event or line that is altered, missing\n"
		       "or out of order. With --recordings each file is compared with the hash that the log has of it; --files says where they\n"
		       "are when they were moved. It prints the log's root. Note it down elsewhere: with --root a later run also finds a log\n"
		       "that somebody has written anew as a whole, or cut off.\n"
		       "Exit status: 0 whole, 1 broken, 2 cannot be read. May be used while the server runs.\n");
		free(w.db);
		free(w.dir);
		return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) ? 0 : 2;
	}
	r = db_open(&db, w.db, DB_RO);
	if (!r)
		r = verify(db, &w);
	if (r < 0)
		fprintf(stderr, "huawu verify: %s: %s\n", db_url_shown((char[200]){0}, 200, w.db), strerror(-r));
	db_close(db);
	free(w.db);
	free(w.dir);
	return r < 0 ? 2 : r ? 1 : 0;
}
