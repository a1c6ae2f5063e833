/* Replay of simulated days: the same to the byte, also across a restart; what was tampered with is found. */
#include "sim/replay.h"

#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "journal/journal.h"
#include "sim/day.h"

#define OPEN_MS 1764550800000LL

/* A log in memory, with one event bent on its way in. */
struct tape {
	struct replay *rp;
	int result;
	uint64_t seen, bend_at;  /* the how many-th event of bend_kind */
	enum ev_kind bend_kind;
	enum { BEND_NONE, BEND_BODY, BEND_DROP, BEND_TIME } bend;
	uint64_t restarts;
};

static int record(struct ev *e, void *arg)
{
	struct tape *t = arg;
	char body[8192];

	t->restarts += e->kind == EV_SYS_START;
	if (t->bend && e->kind == t->bend_kind && ++t->seen == t->bend_at) {
		if (t->bend == BEND_DROP)
			return 0;
		if (t->bend == BEND_TIME)
			e->at_ms += 60000;
		if (t->bend == BEND_BODY) {
			char *digit;

			assert_true(e->body_len < sizeof(body));
			memcpy(body, e->body, e->body_len);
			digit = memchr(body + e->body_len / 2, '1', e->body_len / 2);
			assert_non_null(digit);
			*digit = '2';
			e->body = body;
		}
	}
	if (!t->result)
		t->result = replay_event(t->rp, e);
	return 0;
}

static int replayed(struct tape *t, int64_t restart_ms, struct replay_result *res)
{
	struct sim_day_conf c;
	struct sim_day_result r;

	assert_int_equal(replay_new(&t->rp, true), 0);
	sim_day_example(&c, 30, 3, 1500, OPEN_MS);
	c.late_s = 60;
	c.between_breaks_s = 1200;
	c.refuse_p = 0.05;
	c.noanswer_p = 0.05;
	c.restart_ms = restart_ms;
	c.emit = record;
	c.arg = t;
	assert_int_equal(sim_day_run(&c, &r), 0);
	if (!t->result)
		t->result = replay_end(t->rp);
	*res = *replay_result(t->rp);
	if (!t->result) {
		assert_int_equal(res->events, r.events);
		assert_int_equal(res->checked, r.offers);
	}
	replay_free(t->rp);
	sim_day_done(&c);
	return t->result;
}

TEST(a_simulated_day_is_derived_to_the_byte)
{
	struct tape t = {0};
	struct replay_result res;

	if (replayed(&t, 0, &res))
		fail_msg("%s\n%s\n%s", res.why, res.expected, res.logged);
	assert_true(res.decisions > 10000);
	assert_int_equal(res.epochs, 1);
}

TEST(a_day_with_a_restart_in_the_middle_is_derived_to_the_byte)
{
	struct tape t = {0};
	struct replay_result res;

	if (replayed(&t, OPEN_MS + 10000000 + 123, &res))
		fail_msg("%s\n%s\n%s", res.why, res.expected, res.logged);
	assert_int_equal(res.epochs, 2);
	assert_int_equal(t.restarts, 2);
}

static void is_found(int bend, enum ev_kind kind, uint64_t at)
{
	struct tape t = {.bend = bend, .bend_kind = kind, .bend_at = at};
	struct replay_result res;

	assert_int_equal(replayed(&t, 0, &res), 1);
	assert_non_null(res.why);
	assert_int_equal(res.epoch, 1);
	assert_true(res.n > 0);
}

TEST(a_changed_dropped_or_moved_event_is_found)
{
	is_found(BEND_BODY, EV_OFFER_NEW, 700);
	is_found(BEND_BODY, EV_AGENT_STATE, 900);
	is_found(BEND_DROP, EV_OFFER_END, 300);
	is_found(BEND_DROP, EV_ACD_IN, 500);
	is_found(BEND_DROP, EV_QUEUE_ANNOUNCE, 1);
	is_found(BEND_TIME, EV_ACD_IN, 800);
	is_found(BEND_BODY, EV_ACD_CONF, 1);
}

TEST(replay_refuses_wrong_options)
{
	char *const unknown[] = {"replay", "--nonsense"}, *const no_db[] = {"replay"};
	char *const bad_epoch[] = {"replay", "--db", "/nonexistent/huawu.db", "--from", "x"};
	char *const missing[] = {"replay", "--db", "/nonexistent/huawu.db"}, *const help[] = {"replay", "--help"};

	assert_int_equal(replay_main(2, (char **)unknown), 2);
	assert_int_equal(replay_main(1, (char **)no_db), 2);
	assert_int_equal(replay_main(5, (char **)bad_epoch), 2);
	assert_int_equal(replay_main(3, (char **)missing), 2);
	assert_int_equal(replay_main(2, (char **)help), 0);
}
