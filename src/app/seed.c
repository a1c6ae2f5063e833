/* huawu seed bench: a database for the benchmark and the crash tests. Not in the list of commands. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/seed.h"
#include "base/base.h"
#include "db/db.h"
#include "people/people.h"

#define AGENTS_MAX 100000

static int seed(const char *path, unsigned agents)
{
	struct db *db = NULL;
	int64_t centre_id;
	int r = db_open(&db, path, DB_RW);

	r = r ? r : db_migrate(db);
	r = r ? r : db_begin(db);
	if (!r) {
		r = people_centre(&centre_id, db, "Bench", "Asia/Shanghai");
		r = r ? r : people_bench_seed(db, centre_id, agents);
		if (r)
			db_rollback(db);
		else
			r = db_commit(db);
	}
	if (r)
		fprintf(stderr, "huawu seed: %s: %s\n", path, r < 0 ? strerror(-r) : "refused");
	db_close(db);
	return r ? 1 : 0;
}

int seed_main(int argc, char **argv)
{
	const char *path = NULL;
	int64_t agents = 50;
	bool bad = argc < 2 || strcmp(argv[1], "bench") != 0;

	for (int i = 2; i < argc && !bad; i += 2) {
		if (i + 1 == argc)
			bad = true;
		else if (!strcmp(argv[i], "--agents"))
			bad = !str_to_i64(&agents, argv[i + 1], 0, AGENTS_MAX);
		else if (!strcmp(argv[i], "--db"))
			path = argv[i + 1];
		else
			bad = true;
	}
	if (bad || !path) {
		fprintf(stderr, "usage: huawu seed bench [--agents N] --db PATH\n");
		return 2;
	}
	if (people_init(NULL))
		return 1;
	return seed(path, (unsigned)agents);
}
