/* The pacing core's decisions against hand calculations, its budget, and what it refuses. */
#include "dialer/pace.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"

#define DAY_MS (8 * 3600000LL)

static struct pace *fresh(void)
{
	struct pace_conf conf = PACE_CONF_DEFAULT;
	struct pace *p;

	conf.to_ms = DAY_MS;
	assert_int_equal(pace_new(&p, &conf), 0);
	return p;
}

static void feed(struct pace *p, enum pace_event_kind kind, int32_t ms, int64_t at_ms)
{
	pace_event(p, &(struct pace_event){.kind = kind, .at_ms = at_ms, .ms = ms, .score_permille = 1000});
}

/* A campaign where half of all calls answer after 10.5 s and the others fail after 30.5; wrap-ups last 10.5 s, talks 100 s. Memories
 * of at most 600 observations have forgotten what they began with. A limit of nothing leaves the price at 0.2 for one agent. */
static struct pace *taught(void)
{
	struct pace_conf before = {.wait_ms = 2000, .from_ms = -DAY_MS}, conf = {.limit_permille = 30, .wait_ms = 2000, .to_ms = DAY_MS};
	struct pace *p = fresh();

	assert_int_equal(pace_configure(p, &before), 0);
	for (int i = 0; i < 20000; i++) {
		feed(p, PACE_ANSWERED, 10500, -DAY_MS);
		feed(p, PACE_FAILED, 30500, -DAY_MS);
		feed(p, PACE_WRAP_END, 10500, -DAY_MS);
		feed(p, PACE_TALK_END, 100000, -DAY_MS);
	}
	assert_int_equal(pace_configure(p, &conf), 0);
	return p;
}

static struct pace_out step(const struct pace *p, struct pace_now now)
{
	struct pace_out out;

	pace_step(p, &now, &out);
	return out;
}

static void near(double got, double want, double within)
{
	if (!(fabs(got - want) <= within))
		fail_msg("%.9g is not %.9g", got, want);
}

TEST(a_free_agent_and_nothing_ringing_is_dialled_for)
{
	struct pace *p = fresh();
	struct pace_out out = step(p, (struct pace_now){.idle = 1});

	assert_in_range(out.launch, 1, PACE_LINES_MAX);
	assert_int_equal(out.why.verdict, PACE_DIAL);
	assert_int_equal(out.why.idle, 1);
	pace_free(p);
}

/*
 * One call has rung 5 s: by 8 s from now it has answered with 1/2 (no call fails before 30 s), so m = 1/2, v = 1/4 at 8 s and later. A new
 * one answers at 10.5 s, so the horizons from 12 s on count. One idle: P = Phi((1/2 + 1/2 - 1) / (1/2)) = Phi(0) = 1/2. Two: Phi(-2) =
 * 0.02275. Three: Phi(-4) = 3.17e-5.
 */
TEST(the_risk_of_the_next_call_is_as_calculated_by_hand)
{
	struct pace *p = taught();
	struct pace_ring ring = {.age_ms = 5000, .score_permille = 1000};
	struct pace_now now = {.ring = &ring, .ring_n = 1, .at_ms = 0};
	struct pace_out out;

	now.idle = 1;
	out = step(p, now);
	near(out.why.answer_permille, 500, 4);
	near(out.why.answers_milli, 500, 4);
	near(out.why.risk_ppm, 500000, 5000);
	assert_int_equal(out.launch, 0);
	assert_int_equal(out.why.verdict, PACE_HOLD);
	pace_free(p);
}

/* Half the score, half the answers: m = 1/4, v = 3/16; P = Phi((1/4 + 1/2 - 1) / sqrt(3/16)) = Phi(-0.57735) = 0.28185. */
TEST(a_score_moves_the_answers_expected)
{
	struct pace *p = taught();
	struct pace_ring ring = {.age_ms = 5000, .score_permille = 500};
	struct pace_out out = step(p, (struct pace_now){.idle = 1, .ring = &ring, .ring_n = 1});

	near(out.why.answers_milli, 250, 3);
	near(out.why.risk_ppm, 281850, 5000);
	pace_free(p);
}

/* Who has been in wrap-up for 5 s is free 5.5 s from now, within each horizon: f(12) = 1 but for the little the rule adds for what was
 * never seen. Who has talked for 98 s ends at 100; the rate there is one ending in 5 s, but f is 0.9 at most. Who talks since 2 s: 0. */
TEST(agents_expected_free_follow_the_ages_of_talks_and_wrapups)
{
	struct pace *p = taught();
	int32_t wrap = 5000, talk = 2000;
	struct pace_out out = step(p, (struct pace_now){.wrap_ms = &wrap, .wrap_n = 1});

	near(out.why.free_milli, 1000, 5);
	out = step(p, (struct pace_now){.talk_ms = &talk, .talk_n = 1});
	assert_in_range(out.why.free_milli, 0, 5);
	talk = 98000;
	out = step(p, (struct pace_now){.talk_ms = &talk, .talk_n = 1});
	assert_in_range(out.why.free_milli, 50, 900);
	pace_free(p);
}

TEST(customers_who_wait_are_taken_off_the_idle_ones)
{
	struct pace *p = taught();
	int32_t wrap = 5000;
	struct pace_out with = step(p, (struct pace_now){.wrap_ms = &wrap, .wrap_n = 1}),
			held = step(p, (struct pace_now){.wrap_ms = &wrap, .wrap_n = 1, .held = 1});

	assert_true(held.launch < with.launch);
	assert_int_equal(held.launch, 0);
	pace_free(p);
}

TEST(nothing_is_dialled_when_nobody_is_there_and_old_calls_are_ended)
{
	struct pace *p = taught();
	struct pace_ring ring[3] = {{.age_ms = 9000}, {.age_ms = 15000}, {.age_ms = 16000}};
	struct pace_out out = step(p, (struct pace_now){.ring = ring, .ring_n = 3});

	assert_int_equal(out.launch, 0);
	assert_int_equal(out.hangup, 1);
	assert_int_equal(out.why.verdict, PACE_NOBODY);
	out = step(p, (struct pace_now){.ring = ring, .ring_n = 1}); /* it has not rung long enough */
	assert_int_equal(out.hangup, 0);
	pace_free(p);
}

TEST(no_more_lines_than_twelve_an_agent)
{
	struct pace *p = fresh();
	struct pace_out out;

	for (int i = 0; i < 5000; i++)
		feed(p, PACE_FAILED, 3000, 0);
	out = step(p, (struct pace_now){.idle = 2});
	assert_int_equal(out.launch, 2 * PACE_LINES_MAX);
	pace_free(p);
}

/* 100 answered, a abandoned: slack = 0.03 x 100 - a. Each abandoned one takes 0.12 off the price's logarithm, and each one over the limit 0.4
 * more. 30 s before the end nothing more will be earned: with less than is kept for the end, calls are made for free agents only. */
TEST(the_price_falls_when_the_account_is_overdrawn_and_the_end_is_kept)
{
	struct pace *p = fresh();
	struct pace_ring ring = {.age_ms = 1000};
	struct pace_out before, after;

	for (int i = 0; i < 100; i++)
		feed(p, PACE_ANSWERED, 10000, 1000);
	for (int i = 0; i < 3; i++)
		feed(p, PACE_ABANDONED, 2000, 1000);
	before = step(p, (struct pace_now){.at_ms = 2000, .idle = 1});
	assert_int_equal(before.why.slack_milli, 0);
	feed(p, PACE_ABANDONED, 2000, 3000);
	after = step(p, (struct pace_now){.at_ms = 3000, .idle = 1});
	assert_int_equal(after.why.slack_milli, -1000);
	near((double)after.why.price_ppm / before.why.price_ppm, exp(-0.12 - 0.4), 1e-3);
	assert_int_equal(after.why.verdict, PACE_DIAL);
	after = step(p, (struct pace_now){.at_ms = DAY_MS - 30000, .idle = 3, .ring = &ring, .ring_n = 1});
	assert_int_equal(after.why.verdict, PACE_PROGRESSIVE);
	assert_int_equal(after.launch, 2);
	for (int i = 0; i < 200; i++)
		feed(p, PACE_ANSWERED, 10000, 4000);
	after = step(p, (struct pace_now){.at_ms = DAY_MS - 30000, .idle = 3, .ring = &ring, .ring_n = 1}); /* slack 5: enough for the end */
	assert_int_equal(after.why.verdict, PACE_DIAL);
	pace_free(p);
}

/* Of many agents' answers a greater part falls together: the same share is lost at a lower price, by the root of their number. */
TEST(more_agents_pay_less_for_a_call)
{
	struct pace *p = taught();
	int32_t talk[15] = {0};
	struct pace_out one = step(p, (struct pace_now){.idle = 4}), four = step(p, (struct pace_now){.idle = 1, .talk_ms = talk, .talk_n = 15});

	assert_int_equal(one.why.price_ppm, 100000); /* 0.2 / sqrt(4) */
	assert_int_equal(four.why.price_ppm, 50000);
	pace_free(p);
}

/* Fifty agents and a campaign nobody knows: the prior says 0.4 +- 0.08 of calls answer, so fewer are dialled than the mean would allow. */
TEST(a_campaign_begins_carefully)
{
	struct pace *p = fresh(), *known = fresh();
	int32_t careful, sure;

	for (int i = 0; i < 3000; i++)
		feed(known, i % 5 < 2 ? PACE_ANSWERED : PACE_FAILED, 5000 + i % 20 * 1000, 0);
	careful = step(p, (struct pace_now){.idle = 50}).launch;
	sure = step(known, (struct pace_now){.idle = 50}).launch;
	assert_true(careful >= 50 && careful <= 50 / 0.4);
	assert_true(sure > careful);
	pace_free(p);
	pace_free(known);
}

/* Answers come at 10.5 s: a call that we ended at 5 s had no chance yet and says nothing, one ended at 20 s had them all. */
TEST(calls_that_we_ended_count_for_the_chances_they_had)
{
	struct pace *p = taught();

	for (int i = 0; i < 600; i++)
		feed(p, PACE_ENDED, 5000, 0);
	near(step(p, (struct pace_now){.idle = 1}).why.answer_permille, 500, 4);
	for (int i = 0; i < 600; i++)
		feed(p, PACE_ENDED, 20000, 0);
	assert_true(step(p, (struct pace_now){.idle = 1}).why.answer_permille < 350);
	pace_free(p);
}

TEST(a_new_window_has_a_new_account_and_the_old_price)
{
	struct pace *p = fresh();
	struct pace_account a;
	struct pace_out before, after;

	for (int i = 0; i < 100; i++)
		feed(p, PACE_ANSWERED, 10000, 1000);
	feed(p, PACE_ABANDONED, 2000, 1000);
	before = step(p, (struct pace_now){.at_ms = DAY_MS - 1, .idle = 1});
	after = step(p, (struct pace_now){.at_ms = DAY_MS, .idle = 1});
	assert_int_equal(before.why.slack_milli, 2000);
	assert_int_equal(after.why.slack_milli, 0);
	pace_account(p, DAY_MS + DAY_MS / 2, &a);
	assert_int_equal(a.from_ms, DAY_MS);
	assert_int_equal(a.to_ms, 2 * DAY_MS);
	assert_int_equal(a.answered, 0);
	feed(p, PACE_ABANDONED, 2000, 3 * DAY_MS + 5); /* two windows later */
	pace_account(p, 3 * DAY_MS + 5, &a);
	assert_int_equal(a.from_ms, 3 * DAY_MS);
	assert_int_equal(a.answered, 0);
	assert_int_equal(a.abandoned, 1);
	pace_free(p);
}

TEST(a_limit_of_nothing_dials_for_free_agents_only)
{
	struct pace_conf conf = {.limit_permille = 0, .wait_ms = 2000, .to_ms = DAY_MS};
	struct pace *p = fresh();
	struct pace_out out;

	assert_int_equal(pace_configure(p, &conf), 0);
	out = step(p, (struct pace_now){.idle = 3});
	assert_int_equal(out.launch, 3);
	assert_int_equal(out.why.verdict, PACE_PROGRESSIVE);
	pace_free(p);
}

/*
 * The guarantee: a world that loses `harm` x price of all answers, whatever harm is. Over T answers abandoned <= limit x T + (MAX - MIN) / GAIN =
 * 0.03 T + 17 / 0.12; and where the price need not be out of range for it, the budget is used, too: the price rises until 2.8 % are lost.
 */
TEST(the_budget_holds_whatever_the_models_error)
{
	static const double harm[] = {0.005, 1, 30, 3000};
	struct rng r;

	rng_init(&r, 5);
	for (size_t h = 0; h < ARRAY_LEN(harm); h++) {
		struct pace_conf conf = {.limit_permille = 30, .wait_ms = 2000, .to_ms = 1000000000};
		struct pace *p;
		int lost = 0, n = 20000;

		assert_int_equal(pace_new(&p, &conf), 0);
		for (int i = 0; i < n; i++) {
			double price = step(p, (struct pace_now){.at_ms = i * 1000, .idle = 1}).why.price_ppm / 1e6;

			feed(p, PACE_ANSWERED, 10000, i * 1000);
			if (rng_unit(&r) < harm[h] * price) {
				feed(p, PACE_ABANDONED, 2000, i * 1000);
				lost++;
			}
		}
		assert_true((double)lost <= 0.03 * n + 17 / 0.12);
		assert_true(harm[h] < 1 || (double)lost >= 0.028 * n);
		pace_free(p);
	}
}

static void random_day(struct rng *r, struct pace *p, struct pace_out *ret, int n)
{
	int32_t talk[40], wrap[40];
	struct pace_ring ring[40];

	for (int i = 0; i < n; i++) {
		struct pace_now now = {.at_ms = i * 1000, .idle = (int32_t)rng_below(r, 9), .held = (int32_t)rng_below(r, 2), .talk_ms = talk,
				       .wrap_ms = wrap, .ring = ring, .talk_n = rng_below(r, 40), .wrap_n = rng_below(r, 40), .ring_n = rng_below(r, 40)};

		for (int k = 0; k < 40; k++) {
			talk[k] = (int32_t)rng_below(r, 900000);
			wrap[k] = (int32_t)rng_below(r, 300000);
			ring[k] = (struct pace_ring){(int32_t)rng_below(r, 40000), (int32_t)rng_below(r, 3000)};
		}
		pace_event(p, &(struct pace_event){(enum pace_event_kind)rng_below(r, PACE_EVENT_COUNT), i * 1000, (int32_t)rng_below(r, 400000),
						   (int32_t)rng_below(r, 3000)});
		pace_step(p, &now, &ret[i]);
		assert_true(ret[i].launch >= 0 && (ret[i].hangup == 0 || ret[i].launch == 0));
	}
}

TEST(a_snapshot_goes_on_to_the_bit_and_a_step_changes_nothing)
{
	enum { N = 400 };
	struct pace_out *a = xcalloc(N, sizeof(*a)), *b = xcalloc(N, sizeof(*b));
	struct pace *p = fresh(), *q = fresh();
	struct strb before, after;
	struct rng r, again;

	rng_init(&r, 9);
	random_day(&r, p, a, N);
	strb_init(&before, 1 << 20);
	strb_init(&after, 1 << 20);
	pace_snap_encode(p, &before);
	assert_int_equal(pace_snap_restore(q, before.buf, before.len), 0);
	(void)step(p, (struct pace_now){.at_ms = 500000, .idle = 4});
	pace_snap_encode(p, &after);
	assert_string_equal(before.buf, after.buf);
	again = r;
	random_day(&r, p, a, N);
	random_day(&again, q, b, N);
	assert_memory_equal(a, b, N * sizeof(*a));
	strb_clear(&after);
	pace_snap_encode(q, &after);
	strb_clear(&before);
	pace_snap_encode(p, &before);
	assert_string_equal(before.buf, after.buf);
	strb_done(&before);
	strb_done(&after);
	pace_free(p);
	pace_free(q);
	free(a);
	free(b);
}

TEST(a_bad_snapshot_is_refused_and_leaves_the_core_as_it_was)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"limit_permille\":30}"};
	struct pace *p = taught();
	struct strb b, c;

	strb_init(&b, 1 << 20);
	strb_init(&c, 1 << 20);
	pace_snap_encode(p, &b);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(pace_snap_restore(p, bad[i], strlen(bad[i])), -EINVAL);
	for (char *at = b.buf; (at = strstr(at, ":")); at++) { /* each value in turn is no number */
		char *broken = xasprintf("%.*s:\"x\"%s", (int)(at - b.buf), b.buf, strpbrk(at + (at[1] == '[' ? 2 : 1), at[1] == '[' ? "]" : ",}") + (at[1] == '['));

		assert_int_equal(pace_snap_restore(p, broken, strlen(broken)), -EINVAL);
		free(broken);
	}
	pace_snap_encode(p, &c);
	assert_string_equal(b.buf, c.buf);
	strb_done(&b);
	strb_done(&c);
	pace_free(p);
}

TEST(settings_out_of_range_are_refused)
{
	static const struct pace_conf bad[] = {
		{.limit_permille = -1}, {.limit_permille = 1001}, {.wait_ms = -1}, {.wait_ms = 60001}, {.from_ms = 2, .to_ms = 1},
	};
	struct pace *p = fresh(), *none = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(pace_configure(p, &bad[i]), -EINVAL);
		assert_int_equal(pace_new(&none, &bad[i]), -EINVAL);
		assert_null(none);
	}
	pace_free(p);
}

TEST(why_is_told_in_numbers)
{
	struct pace_why w = {.verdict = PACE_DIAL, .idle = 3, .held = 1, .ringing = 9, .free_milli = 2100, .answers_milli = 4400, .answer_permille = 250,
			     .risk_ppm = 19000, .price_ppm = 23000, .slack_milli = -400};
	char text[512];
	struct strb b;
	struct jw j;

	strb_init_fixed(&b, text, sizeof(text));
	jw_init(&j, &b);
	pace_why_encode(&w, &j, NULL);
	assert_string_equal(text, "{\"verdict\":\"dial\",\"idle\":3,\"held\":1,\"ringing\":9,\"free_milli\":2100,\"answers_milli\":4400,"
				  "\"answer_permille\":250,\"risk_ppm\":19000,\"price_ppm\":23000,\"slack_milli\":-400}");
}
