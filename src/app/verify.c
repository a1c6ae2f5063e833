/* huawu verify: is the event log what was written? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"

int verify_main(int argc, char **argv)
{
	char *path = NULL;
	struct db *db = NULL;
	int64_t epoch, n;
	int r;

	if (argc == 3 && !strcmp(argv[1], "--db"))
		path = xstrdup(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "--data"))
		path = xasprintf("%s/huawu.db", argv[2]);
	else if (argc == 1)
		path = xstrdup("/var/lib/huawu/huawu.db");
	if (!path) {
		printf("huawu verify [--data DIR | --db PATH]\n\n"
		       "Recomputes the hash chain of the event log and names the first altered, missing or reordered event.\n"
		       "Exit status: 0 whole, 1 broken, 2 cannot be read. May be used while the server runs.\n");
		return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) ? 0 : 2;
	}
	r = db_open(&db, path, DB_RO);
	if (!r)
		r = journal_verify(db, &epoch, &n);
	if (r < 0)
		fprintf(stderr, "huawu verify: %s: %s\n", db_url_shown((char[200]){0}, 200, path), strerror(-r));
	else if (r)
		printf("broken: event %lld.%lld is altered, missing or out of order\n", (long long)epoch, (long long)n);
	else
		printf("whole\n");
	db_close(db);
	free(path);
	return r < 0 ? 2 : r ? 1 : 0;
}
