/* `huawu sim day`: a virtual day on the example centre; prints its figures, and can write it into a database through the log. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"
#include "sim/day.h"

static const char usage[] =
	"huawu sim day: a virtual day of a call centre on the real routing core, in seconds\n"
	"\n"
	"  --calls N      expected over the day (8000)\n"
	"  --agents N     (84)\n"
	"  --queues N     (4)\n"
	"  --seed N       the same seed gives the same day to the byte (1)\n"
	"  --begin MS     opening time, ms UTC (1764550800000)\n"
	"  --restart MIN  the program is restarted so long after opening (0: not)\n"
	"  --check        assert the core's invariants at every step, and each choice by its numbers\n"
	"  --db PATH      write the day into this database, through the log\n"
	"  --help\n"
	"\n"
	"Prints one line of JSON.\n";

struct options {
	int64_t calls, agents, queues, seed, begin_ms, restart_min;
	const char *db;
	bool check, help;
};

struct number_option {
	const char *name;
	size_t at;
	int64_t min, max;
};

static const struct number_option numbers[] = {
	{"--calls", offsetof(struct options, calls), 1, 10000000},
	{"--agents", offsetof(struct options, agents), 1, 20000},
	{"--queues", offsetof(struct options, queues), 1, 1000},
	{"--seed", offsetof(struct options, seed), 0, INT64_MAX},
	{"--begin", offsetof(struct options, begin_ms), ID_EPOCH_MS, ID_EPOCH_MS + (1LL << 40)},
	{"--restart", offsetof(struct options, restart_min), 0, 540},
};

static int complain(const char *what, const char *a)
{
	fprintf(stderr, "huawu sim day: %s %s; --help lists the options\n", what, a);
	return 2;
}

static int take_number(struct options *o, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (strcmp(numbers[i].name, name))
			continue;
		if (!str_to_i64((int64_t *)((char *)o + numbers[i].at), value, numbers[i].min, numbers[i].max))
			return complain("bad value for", name);
		return 0;
	}
	return complain("unknown option", name);
}

static int parse(struct options *o, int argc, char **argv)
{
	int r = 0;

	for (int i = 1; i < argc && !r; i++) {
		if (!strcmp(argv[i], "--help"))
			o->help = true;
		else if (!strcmp(argv[i], "--check"))
			o->check = true;
		else if (i + 1 == argc)
			r = complain("no such option, or a value is missing:", argv[i]);
		else if (!strcmp(argv[i], "--db"))
			o->db = argv[++i];
		else
			r = take_number(o, argv[i], argv[i + 1]), i++;
	}
	return r;
}

struct history {
	struct db *db;
	struct journal_import *im;
};

static int write_event(struct ev *e, void *arg)
{
	struct history *h = arg;
	int r = 0;

	if (e->kind == EV_SYS_START) {
		journal_import_free(h->im);
		h->im = NULL;
		r = journal_import_new(&h->im, h->db, e->centre_id);
	}
	return r ? r : journal_import_event(h->im, e);
}

/* Numbers no network gives out: +86 with an area that does not exist. */
static void some_caller(struct sim_caller *ret, uint64_t nth, const struct sim_load *load, struct rng *r, void *arg)
{
	(void)snprintf(ret->from, sizeof(ret->from), "+86000%08u", (unsigned)rng_below(r, 100000000));
	(void)snprintf(ret->to, sizeof(ret->to), "%lld", (long long)load->number_id);
}

struct day_job {
	struct sim_day_conf *c;
	struct sim_day_result *res;
};

/* The same day each time it is run. */
static int run_day(struct db *db, void *arg)
{
	struct day_job *j = arg;
	struct history *h = j->c->arg;

	journal_import_free(h->im);
	h->im = NULL;
	return sim_day_run(j->c, j->res);
}

static int run_into_db(struct sim_day_conf *c, const char *path, struct sim_day_result *res)
{
	struct history h = {0};
	int r = db_open(&h.db, path, DB_RW);

	if (r)
		return r;
	c->emit = write_event;
	c->caller = some_caller;
	c->arg = &h;
	r = db_migrate(h.db);
	if (!r)
		r = db_begin(h.db);
	if (!r) {
		r = db_batch(h.db, run_day, &(struct day_job){c, res});
		if (r)
			db_rollback(h.db);
		else
			r = db_commit(h.db);
	}
	journal_import_free(h.im);
	db_close(h.db);
	return r;
}

static void print_result(const struct sim_day_result *r, int64_t ms)
{
	struct strb b;
	struct jw w;

	strb_init(&b, 4096);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_int(&w, "calls", (int64_t)r->calls);
	jw_int(&w, "answered", (int64_t)r->answered);
	jw_int(&w, "answered_20s", (int64_t)r->answered_20s);
	jw_int(&w, "abandoned", (int64_t)r->abandoned);
	jw_int(&w, "overflowed", (int64_t)r->overflowed);
	jw_int(&w, "waited", (int64_t)r->waited);
	jw_int(&w, "wait_ms", r->wait_ms);
	jw_int(&w, "talk_ms", r->talk_ms);
	jw_int(&w, "offers", (int64_t)r->offers);
	jw_int(&w, "events", (int64_t)r->events);
	jw_int(&w, "inside_max", (int64_t)r->inside_max);
	jw_id(&w, "checksum", (int64_t)(r->checksum & INT64_MAX));
	jw_int(&w, "run_ms", ms);
	jw_end_obj(&w);
	puts(b.buf);
	strb_done(&b);
}

int sim_day_main(int argc, char **argv)
{
	struct options o = {.calls = 8000, .agents = 84, .queues = 4, .seed = 1, .begin_ms = 1764550800000};
	struct sim_day_result res;
	struct sim_day_conf c;
	int64_t t;
	int r = parse(&o, argc, argv);

	if (r)
		return r;
	if (o.help) {
		fputs(usage, stdout);
		return 0;
	}
	sim_day_example(&c, (unsigned)o.agents, (unsigned)o.queues, (double)o.calls, o.begin_ms);
	c.seed = (uint64_t)o.seed;
	c.check = o.check;
	c.restart_ms = o.restart_min ? o.begin_ms + o.restart_min * 60000 : 0;
	t = clock_mono_ms();
	r = o.db ? run_into_db(&c, o.db, &res) : sim_day_run(&c, &res);
	sim_day_done(&c);
	if (r) {
		fprintf(stderr, "huawu sim day: %s: %s\n", o.db, r < 0 ? strerror(-r) : "the database refused it");
		return 1;
	}
	print_result(&res, clock_mono_ms() - t);
	return 0;
}
