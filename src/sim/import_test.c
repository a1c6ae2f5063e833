/* A simulated day written through the real log: whole records, agent figures equal to call figures, and replay from the database. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "db/db.h"
#include "db/db_fixture.h"
#include "journal/journal.h"
#include "sim/day.h"
#include "sim/replay.h"

#define OPEN_MS 1764550800000LL

struct history {
	struct db *db;
	struct journal_import *im;
	char dir[64], path[512];
	struct sim_day_result day;
};

/* Each run of the simulated program is an epoch of its own. */
static int write_event(struct ev *e, void *arg)
{
	struct history *h = arg;

	if (e->kind == EV_SYS_START) {
		journal_import_free(h->im);
		h->im = NULL;
		if (journal_import_new(&h->im, h->db, 1))
			return -EIO;
	}
	return journal_import_event(h->im, e);
}

static void some_caller(struct sim_caller *ret, uint64_t nth, const struct sim_load *load, struct rng *r, void *arg)
{
	(void)snprintf(ret->from, sizeof(ret->from), "1380000%04u", (unsigned)(nth % 10000));
	(void)snprintf(ret->to, sizeof(ret->to), "95%lld", (long long)load->number_id);
}

static void import_day(struct history *h, double calls, int64_t restart_ms)
{
	struct sim_day_conf c;

	*h = (struct history){.dir = "/dev/shm/hw_sim_import.XXXXXX"};
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(h->path, sizeof(h->path), "%s/t.db", h->dir);
	test_db_new(h->path, sizeof(h->path), strdupa(h->path));
	assert_int_equal(db_open(&h->db, h->path, DB_RW), 0);
	assert_int_equal(db_migrate(h->db), 0);
	sim_day_example(&c, 30, 3, calls, OPEN_MS);
	c.between_breaks_s = 1200;
	c.noanswer_p = c.refuse_p = 0.03;
	c.restart_ms = restart_ms;
	c.emit = write_event;
	c.caller = some_caller;
	c.arg = h;
	assert_int_equal(db_begin(h->db), 0);
	assert_int_equal(sim_day_run(&c, &h->day), 0);
	assert_int_equal(db_commit(h->db), 0);
	sim_day_done(&c);
}

static void history_done(struct history *h)
{
	char cmd[128];

	journal_import_free(h->im);
	db_close(h->db);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", h->dir);
	assert_int_equal(system(cmd), 0);
	test_db_gone(h->path);
}

static int64_t get(const struct history *h, const char *sql)
{
	int64_t v = -1;

	assert_int_equal(db_get_i64(&v, h->db, sql, NULL), 0);
	return v;
}

static void records_are_whole(const struct history *h)
{
	const struct sim_day_result *d = &h->day;

	assert_int_equal(get(h, "SELECT count(*) FROM event"), d->events);
	assert_int_equal(get(h, "SELECT count(*) FROM call"), d->calls);
	assert_int_equal(get(h, "SELECT count(*) FROM call WHERE answer_ms IS NOT NULL"), d->answered);
	assert_int_equal(get(h, "SELECT count(*) FROM offer"), d->offers);
	assert_int_equal(get(h, "SELECT count(*) FROM offer WHERE outcome = 'answered'"), d->answered);
	assert_int_equal(get(h, "SELECT count(*) FROM call WHERE end_ms IS NULL"), 0);
	assert_int_equal(get(h, "SELECT count(*) FROM leg WHERE end_ms IS NULL"), 0);
	assert_int_equal(get(h, "SELECT count(*) FROM segment WHERE end_ms IS NULL"), 0);
	assert_int_equal(get(h, "SELECT count(*) FROM activity WHERE end_ms IS NULL"), 0);
	assert_int_equal(get(h, "SELECT count(*) FROM offer WHERE end_ms IS NULL"), 0);
}

/* Each begins where the one before ended; a call's first and last segment are its own begin and end. */
static void timelines_have_no_gaps(const struct history *h)
{
	assert_int_equal(get(h, "SELECT count(*) FROM (SELECT start_ms, lag(end_ms) OVER (PARTITION BY call_id ORDER BY start_ms, id) AS p"
				" FROM segment) AS x WHERE p IS NOT NULL AND p <> start_ms"), 0);
	assert_int_equal(get(h, "SELECT count(*) FROM call c JOIN (SELECT call_id, min(start_ms) AS s, max(end_ms) AS e, count(*) AS n"
				" FROM segment GROUP BY call_id) g ON g.call_id = c.id WHERE s = c.start_ms AND e = c.end_ms"),
			 get(h, "SELECT count(*) FROM call"));
	assert_int_equal(get(h, "SELECT count(*) FROM (SELECT start_ms, lag(end_ms) OVER (PARTITION BY agent_id ORDER BY start_ms, id) AS p"
				" FROM activity) AS x WHERE p IS NOT NULL AND p <> start_ms"), 0);
}

static void agent_figures_are_call_figures(const struct history *h)
{
	int64_t talk_ms = get(h, "SELECT sum(end_ms - start_ms) FROM segment WHERE type = 'talk'");

	assert_int_equal(talk_ms, h->day.talk_ms);
	assert_int_equal(get(h, "SELECT sum(talk_ms) FROM call"), talk_ms);
	assert_int_equal(get(h, "SELECT sum(end_ms - start_ms) FROM activity WHERE state = 'talking'"), talk_ms);
	assert_int_equal(get(h, "SELECT sum(talk_ms) FROM rollup_agent_day"), talk_ms);
	assert_int_equal(get(h, "SELECT sum(end_ms - start_ms) FROM segment WHERE type = 'ring'"),
			 get(h, "SELECT sum(end_ms - start_ms) FROM activity WHERE state = 'ringing'"));
	assert_int_equal(get(h, "SELECT sum(wait_ms) FROM call") , h->day.wait_ms);
	assert_int_equal(get(h, "SELECT sum(answered) FROM rollup_queue_slot"), h->day.answered);
}

static void the_log_holds(const struct history *h, uint64_t epochs)
{
	struct replay_result res;
	int64_t epoch, n;
	char what[256];

	assert_int_equal(journal_verify(h->db, &epoch, &n), 0);
	if (journal_rollup_check(h->db, NULL, what))
		fail_msg("%s", what);
	if (replay_run(h->db, 0, true, &res))
		fail_msg("%lld.%lld %s\n%s\n%s", (long long)res.epoch, (long long)res.n, res.why, res.expected, res.logged);
	assert_int_equal(res.epochs, epochs);
	assert_int_equal(res.checked, h->day.offers);
}

TEST(an_imported_day_has_whole_records_and_equal_figures)
{
	struct history h;

	import_day(&h, 1200, 0);
	records_are_whole(&h);
	timelines_have_no_gaps(&h);
	agent_figures_are_call_figures(&h);
	the_log_holds(&h, 1);
	history_done(&h);
}

TEST(an_imported_day_with_a_restart_is_one_day)
{
	struct history h;

	import_day(&h, 800, OPEN_MS + 9000000);
	records_are_whole(&h);
	timelines_have_no_gaps(&h);
	agent_figures_are_call_figures(&h);
	the_log_holds(&h, 2);
	history_done(&h);
}

TEST(the_replay_command_finds_what_was_changed_in_the_database)
{
	struct history h;

	import_day(&h, 200, 0);
	{
		char *const argv[] = {"replay", "--db", h.path, "--check"};

		assert_int_equal(replay_main(4, (char **)argv), 0);
		assert_int_equal(db_run(h.db, "UPDATE event SET body = replace(body, '\"idle_ms\":', '\"idle_ms\":1') WHERE kind = 'offer.new'"
					      " AND n = (SELECT max(n) FROM event WHERE kind = 'offer.new')", ""), 0);
		assert_int_equal(replay_main(4, (char **)argv), 1);
	}
	history_done(&h);
}
