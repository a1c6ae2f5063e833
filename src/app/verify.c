/* huawu verify: are the event log and the audit what was written? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
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

int verify_main(int argc, char **argv)
{
	char *path = NULL;
	struct db *db = NULL;
	int64_t epoch, n;
	bool log = false;
	int r;

	if (argc == 3 && !strcmp(argv[1], "--db"))
		path = xstrdup(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "--data"))
		path = xasprintf("%s/huawu.db", argv[2]);
	else if (argc == 1)
		path = xstrdup("/var/lib/huawu/huawu.db");
	if (!path) {
		printf("huawu verify [--data DIR | --db PATH]\n\n"
		       "Recomputes the hash chains of the event log and of the audit, and names the first event or line that is altered, missing\n"
		       "or out of order.\n"
		       "Exit status: 0 whole, 1 broken, 2 cannot be read. May be used while the server runs.\n");
		return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) ? 0 : 2;
	}
	r = db_open(&db, path, DB_RO);
	if (!r)
		r = journal_verify(db, &epoch, &n);
	log = r != 0;
	if (!r)
		r = audits(db, &n);
	if (r < 0)
		fprintf(stderr, "huawu verify: %s: %s\n", db_url_shown((char[200]){0}, 200, path), strerror(-r));
	else if (r && !log)
		printf("broken: line %lld of the audit is altered, missing or out of order\n", (long long)n);
	else if (r)
		printf("broken: event %lld.%lld is altered, missing or out of order\n", (long long)epoch, (long long)n);
	else
		printf("whole\n");
	db_close(db);
	free(path);
	return r < 0 ? 2 : r ? 1 : 0;
}
