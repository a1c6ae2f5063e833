/* Virtual days of outbound dialling: what must hold of any day is asserted by pacing_run; here hundreds of them, and the figures. */
#include "sim/pacing.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"

static void run(const struct pacing_world *w, struct pacer *p, struct pacing_day *d)
{
	pacing_run(w, p, d);
	p->done(p);
}

static double uniform(struct rng *r, double lo, double hi)
{
	return lo + (hi - lo) * rng_unit(r);
}

/* Small centres of all sorts, three hours each. A binomial count with 3 % has a standard deviation of its own; the limit must hold in 99 of
 * 100, by the guard. */
TEST(hundreds_of_days_of_all_sorts_keep_the_limit)
{
	int days = 200, over = 0;
	struct rng r;

	rng_init(&r, 20);
	for (int i = 0; i < days; i++) {
		struct pacing_world w;
		struct pacing_day d;

		pacing_world_init(&w, 2 + (int32_t)rng_below(&r, 19), uniform(&r, 0.08, 0.6), (uint64_t)i);
		w.day_ms = 3 * 3600000;
		w.drift = uniform(&r, 0, 0.5);
		w.jump = uniform(&r, 0, 0.5);
		w.talk_s = uniform(&r, 40, 240);
		w.talk_cv = uniform(&r, 0.4, 1.6);
		w.wrap_s = uniform(&r, 2, 60);
		w.ring_s = uniform(&r, 5, 14);
		w.wait_ms = 1000 + (int32_t)rng_below(&r, 4000);
		run(&w, pacer_ours(&w, NULL), &d);
		assert_true(d.dialled > 0 && d.answered > 0 && d.talk_ms <= d.staffed_ms);
		over += pacing_abandoned_share(&d) > 0.03;
	}
	print_message("%d of %d days over the limit\n", over, days);
	assert_true(over <= days / 100);
}

/* Each attempt takes an agent for as long as it rings, talks and is written up: share p answers after 3 + 9.5 s (the lognormal cut at 30 s: 9.4),
 * the rest costs 3 + 0.55 x 30 + 0.2 x 0.5 + 0.25 x 8 s; of an agent's time 135 / (135 + 20 + 2.4 + the attempts') is talk. */
TEST(progressive_dialling_keeps_agents_as_busy_as_arithmetic_has_it)
{
	static const double share[] = {0.15, 0.25, 0.40};

	for (size_t i = 0; i < ARRAY_LEN(share); i++) {
		struct pacing_world w;
		struct pacing_day d;
		double attempts;

		pacing_world_init(&w, 200, share[i], 3);
		w.drift = w.jump = 0;
		run(&w, pacer_progressive(&w, NULL), &d);
		attempts = 3 + 9.4 + (1 / share[i] - 1) * (3 + 0.55 * 30 + 0.2 * 0.5 + 0.25 * 7.9);
		assert_int_equal(d.abandoned, 0);
		assert_true(fabs(pacing_talk_share(&d) - 135 / (135 + 20 + 2.4 + attempts)) < 0.01);
	}
}

TEST(the_same_seed_gives_the_same_day_and_a_restart_of_the_core_changes_nothing)
{
	struct pacing_world w;
	struct pacing_day a, b, c;

	pacing_world_init(&w, 12, 0.3, 5);
	w.day_ms = 2 * 3600000;
	run(&w, pacer_ours(&w, NULL), &a);
	run(&w, pacer_ours(&w, "restarts"), &b);
	w.seed = 6;
	run(&w, pacer_ours(&w, NULL), &c);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(a.checksum != c.checksum);
}

/* At 20 agents and a quarter of calls answered: 76.5 % in talk is the goal, progressive dialling gets 57. */
TEST(ours_keeps_twenty_agents_far_busier_than_progressive_dialling_within_the_limit)
{
	double ours = 0, progressive = 0;

	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct pacing_world w;
		struct pacing_day d;

		pacing_world_init(&w, 20, 0.25, seed);
		run(&w, pacer_ours(&w, NULL), &d);
		ours += pacing_talk_share(&d) / 4;
		assert_true(pacing_abandoned_share(&d) <= 0.03);
		run(&w, pacer_progressive(&w, NULL), &d);
		progressive += pacing_talk_share(&d) / 4;
		assert_int_equal(d.abandoned, 0);
	}
	assert_true(ours > 0.75);
	assert_true(progressive < 0.58);
}

/* ---- the line protocol ---- */

TEST(a_line_is_answered_with_what_to_dial)
{
	struct pace_conf conf = PACE_CONF_DEFAULT;
	struct pacing_line *l = pacing_line_new(&conf, 8 * 3600000);
	struct pace_out out;

	assert_int_equal(pacing_line_read(l, "S 0 2 0 | | | | 0 0 0 0 |\n", &out), 0);
	assert_true(out.launch >= 2 && out.hangup == 0);
	assert_int_equal(pacing_line_read(l, "S 1 2 0 | 3.5 100 | 0.2 | 1:1 1:0.8 2.25 | 3 1 1 0 | a9.5:1 f3:0.5 t120.5 w20\n", &out), 0);
	assert_int_equal(out.why.ringing, 3);
	assert_int_equal(out.why.idle, 2);
	assert_int_equal(out.why.slack_milli, 30); /* 0.03 x 1 */
	assert_int_equal(pacing_line_read(l, "S 2 0 1 | | | 20:1 | 3 1 1 1 |", &out), 0);
	assert_int_equal(out.why.slack_milli, -970);
	assert_int_equal(out.launch, 0);
	assert_int_equal(out.hangup, 1);
	assert_int_equal(pacing_line_read(l, "S 0 1 0 | | | | 0 0 0 0 |", &out), 0); /* the next day */
	assert_int_equal(out.why.slack_milli, 0);
	pacing_line_free(l);
}

TEST(what_is_no_line_is_refused_and_changes_nothing)
{
	static const char *const bad[] = {
		"", "T 0 2 0 | | | | 0 0 0 0 |", "S 0 2 | | | | 0 0 0 0 |", "S 0 2 0 | | | | 0 0 0 |", "S 0 2 0 | | | 0 0 0 0 |", "S -1 2 0 | | | | 0 0 0 0 |",
		"S 0 2 0 | x | | | 0 0 0 0 |", "S 0 2 0 | | | 1:x | 0 0 0 0 |", "S 0 2 0 | | | | 0 0 1 0 | b1", "S 0 2 0 | | | | 0 0 1 0 | a", "S nan 2 0 | | | | 0 0 0 0 |",
		"S 0 2 0 | | | | 0 0 0 0 | |", "S 0 2 0 | 1e300 | | | 0 0 0 0 |",
	};
	struct pace_conf conf = PACE_CONF_DEFAULT;
	struct pacing_line *l = pacing_line_new(&conf, 8 * 3600000);
	struct pace_out out = {.launch = 7};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(pacing_line_read(l, bad[i], &out), -EINVAL);
	assert_int_equal(out.launch, 7);
	assert_int_equal(pacing_line_read(l, "S 0 1 0 | | | | 0 0 0 0 |", &out), 0);
	assert_int_equal(out.why.slack_milli, 0);
	pacing_line_free(l);
}
