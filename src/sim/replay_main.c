/* `huawu replay`, and the walk over a database's log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"
#include "sim/replay.h"

static int feed(const struct ev *e, void *arg)
{
	return replay_event(arg, e);
}

int replay_run(struct db *db, int64_t epoch, bool check, struct replay_result *ret)
{
	struct replay *rp;
	int r = replay_new(&rp, check);

	if (r)
		return r;
	r = journal_read(db, epoch, 0, feed, rp);
	if (!r)
		r = replay_end(rp);
	*ret = *replay_result(rp);
	replay_free(rp);
	return r;
}

static const char usage[] =
	"huawu replay: derives the routing decisions of a log again and compares them byte by byte\n"
	"\n"
	"  --db PATH      the database (required)\n"
	"  --from EPOCH   begin with this run; default: the first\n"
	"  --check        also recompute each choice from the numbers stored with it\n"
	"  --help\n"
	"\n"
	"Exit code: 0 all the same, 1 a difference (which is printed), 2 the log cannot be read.\n";

struct options {
	const char *db;
	int64_t epoch;
	bool check, help;
};

static int complain(const char *fmt, const char *what)
{
	fprintf(stderr, "huawu replay: ");
	fprintf(stderr, fmt, what);
	fprintf(stderr, "; --help lists the options\n");
	return 2;
}

static int parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(a, "--help")) {
			o->help = true;
		} else if (!strcmp(a, "--check")) {
			o->check = true;
		} else if (strcmp(a, "--db") && strcmp(a, "--from")) {
			return complain("unknown option %s", a);
		} else if (!value) {
			return complain("%s needs a value", a);
		} else if (!strcmp(a, "--db")) {
			o->db = argv[++i];
		} else if (!str_to_i64(&o->epoch, argv[++i], 1, INT64_MAX)) {
			return complain("--from cannot be %s", value);
		}
	}
	return o->db || o->help ? 0 : complain("%s is missing", "--db");
}

static void report(const struct replay_result *res)
{
	printf("%llu events of %llu runs, %llu inputs, %llu decisions derived, %llu choices checked\n",
	       (unsigned long long)res->events, (unsigned long long)res->epochs, (unsigned long long)res->inputs,
	       (unsigned long long)res->decisions, (unsigned long long)res->checked);
	if (!res->why)
		return;
	printf("first difference at %lld.%lld: %s\n  derived: %s\n  logged:  %s\n", (long long)res->epoch, (long long)res->n, res->why,
	       res->expected, res->logged);
}

int replay_main(int argc, char **argv)
{
	struct options o = {0};
	struct replay_result res;
	struct db *db;
	int r = parse(&o, argc, argv);

	if (r)
		return r;
	if (o.help) {
		fputs(usage, stdout);
		return 0;
	}
	r = db_open(&db, o.db, DB_RO);
	if (r) {
		fprintf(stderr, "huawu replay: %s: %s\n", db_url_shown((char[200]){0}, 200, o.db), strerror(-r));
		return 2;
	}
	r = replay_run(db, o.epoch, o.check, &res);
	db_close(db);
	if (r < 0) {
		fprintf(stderr, "huawu replay: the log cannot be read: %s\n", strerror(-r));
		return 2;
	}
	report(&res);
	return r ? 1 : 0;
}
