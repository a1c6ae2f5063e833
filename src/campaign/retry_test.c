#include "base/test.h"

#include "base/base.h"
#include "campaign/retry.h"
#include "campaign/shown.h"

#define MIN_MS 60000ll

static struct retry ready(enum dial_result result, int nth, int phone_at, int phones)
{
	struct retry_in in = {.campaign_id = 7, .result = result, .nth = nth, .attempts_max = 6, .phone_at = phone_at, .phones = phones, .next_min = 5};

	return retry_after(retry_defaults, retry_default_n, &in);
}

#define IS(r, wants_close, at, wait_min)                   \
	do {                                              \
		struct retry x = r;                       \
		assert_int_equal(x.close, wants_close);   \
		if (!x.close) {                           \
			assert_int_equal(x.phone_at, at); \
			assert_int_equal(x.wait_ms, (wait_min) * MIN_MS); \
		}                                         \
	} while (0)

TEST(the_ready_rules_by_result_and_attempt)
{
	IS(ready(DIAL_BUSY, 1, 0, 1), false, 0, 10);
	IS(ready(DIAL_BUSY, 2, 0, 1), false, 0, 30);
	IS(ready(DIAL_BUSY, 3, 0, 1), false, 0, 30);
	IS(ready(DIAL_BUSY, 4, 0, 1), false, 0, 240);
	IS(ready(DIAL_NOANSWER, 1, 0, 1), false, 0, 180);
	IS(ready(DIAL_NOANSWER, 3, 0, 1), false, 0, 1440);
	IS(ready(DIAL_REJECTED, 1, 0, 1), false, 0, 1440);
	IS(ready(DIAL_REJECTED, 2, 0, 1), true, 0, 0);
	IS(ready(DIAL_ABANDONED, 1, 0, 1), false, 0, 4320); /* 72 hours */
	IS(ready(DIAL_UNKNOWN, 1, 0, 1), false, 0, 60);     /* never at once */
	IS(ready(DIAL_ANSWERED, 1, 0, 1), true, 0, 0);
	IS(ready(DIAL_RETURNED, 1, 0, 1), false, 0, 0);
}

TEST(several_numbers_have_their_turn_before_the_first_one_is_tried_again)
{
	IS(ready(DIAL_NOANSWER, 1, 0, 3), false, 1, 5);
	IS(ready(DIAL_NOANSWER, 2, 1, 3), false, 2, 5);
	IS(ready(DIAL_NOANSWER, 3, 2, 3), false, 0, 1440);
	IS(ready(DIAL_BUSY, 1, 1, 3), false, 1, 10); /* busy: he is there, the same again */
}

TEST(a_number_that_does_not_exist_leaves_its_place_to_the_next_and_the_lead_closes_without_any)
{
	IS(ready(DIAL_EMPTY, 1, 0, 2), false, 0, 5);  /* of three the first is gone: the second is the first now */
	IS(ready(DIAL_EMPTY, 1, 2, 2), false, 0, 1440); /* the last one went */
	IS(ready(DIAL_EMPTY, 1, 0, 0), true, 0, 0);
}

TEST(the_last_attempt_closes_whatever_the_rule)
{
	IS(ready(DIAL_BUSY, 6, 0, 1), true, 0, 0);
	IS(ready(DIAL_BUSY, 5, 0, 1), false, 0, 240);
}

TEST(a_campaigns_own_rules_for_a_result_stand_in_place_of_the_centres)
{
	static const struct retry_rule rules[] = {
		{0, DIAL_BUSY, 1, RETRY_AGAIN, 10}, {0, DIAL_BUSY, 2, RETRY_AGAIN, 20}, {7, DIAL_BUSY, 2, RETRY_CLOSE, 0}, {8, DIAL_BUSY, 1, RETRY_AGAIN, 99},
	};
	struct retry_in in = {.campaign_id = 7, .result = DIAL_BUSY, .nth = 1, .phones = 1};

	IS(retry_after(rules, ARRAY_LEN(rules), &in), false, 0, 1440); /* its own say nothing of the first: a day */
	in.nth = 2;
	IS(retry_after(rules, ARRAY_LEN(rules), &in), true, 0, 0);
	in.campaign_id = 9;
	IS(retry_after(rules, ARRAY_LEN(rules), &in), false, 0, 20);
}

TEST(every_rule_leads_to_a_close_or_to_a_number_there_is_and_never_to_at_once)
{
	struct rng rng;

	rng_init(&rng, 5);
	for (int i = 0; i < 50000; i++) {
		struct retry_in in = {
			.result = (enum dial_result)(rng_u64(&rng) % DIAL_RESULT_COUNT), .nth = 1 + (int32_t)(rng_u64(&rng) % 8), .attempts_max = (int32_t)(rng_u64(&rng) % 7),
			.phones = (int32_t)(rng_u64(&rng) % 4), .next_min = 5,
		};
		struct retry r;

		in.phone_at = (int32_t)(rng_u64(&rng) % 4);
		r = retry_after(retry_defaults, retry_default_n, &in);
		if (r.close || in.result == DIAL_RETURNED)
			continue;
		assert_true(in.phones > 0);
		assert_in_range(r.phone_at, 0, in.phones - 1);
		assert_true(r.wait_ms >= 5 * MIN_MS);
	}
}

/* ---- numbers shown ---- */

TEST(the_same_number_to_the_same_customer_then_the_same_city_then_the_least_used)
{
	struct shown pool[] = {
		{1, "057188120001", "杭州", 100, 50, false}, {2, "057188120002", "杭州", 100, 20, false}, {3, "02161230001", "上海", 100, 0, false}, {4, "4001", "", 100, 10, false},
	};

	assert_int_equal(shown_pick(pool, 4, 0, "", "浙江杭州"), 1);  /* of Hangzhou the less used */
	assert_int_equal(shown_pick(pool, 4, 1, "", "浙江杭州"), 0);  /* the one she knows */
	assert_int_equal(shown_pick(pool, 4, 3, "", "浙江杭州"), 2);  /* even of another city */
	assert_int_equal(shown_pick(pool, 4, 0, "上海市", "浙江杭州"), 2);  /* where she lives */
	assert_int_equal(shown_pick(pool, 4, 0, "", "北京"), 2);      /* nobody's city: the least used */
	pool[1].today = 100;
	assert_int_equal(shown_pick(pool, 4, 0, "", "浙江杭州"), 0);
	pool[0].rests = true;
	assert_int_equal(shown_pick(pool, 4, 1, "", "浙江杭州"), 2);  /* hers rests */
	pool[2].rests = pool[3].rests = true;
	assert_int_equal(shown_pick(pool, 4, 0, "", "浙江杭州"), -1);
}

TEST(a_number_is_compared_with_the_others_at_the_same_hours)
{
	/* 60 dials at nine, where the others have 20 %, and 40 at seven in the evening, where they have 45 %: 12 + 18 = 30 expected. */
	struct shown_hour hours[] = {{60, 5, 60 + 500, 5 + 100}, {40, 7, 40 + 400, 7 + 180}};
	struct shown_health h = shown_health(hours, 2);

	assert_int_equal(h.n, 100);
	assert_int_equal(h.answered, 12);
	assert_true(h.expected > 29.999 && h.expected < 30.001);
	/* variance 60*.2*.8*(1+60/500) + 40*.45*.55*(1+40/400) = 10.752 + 10.89 = 21.642; z = -18 / 4.652 = -3.869 */
	assert_true(h.z < -3.86 && h.z > -3.88);
	assert_true(shown_should_rest(&h, 50));   /* 12 < 15 */
	assert_false(shown_should_rest(&h, 70));  /* not below 9 */
	assert_false(shown_should_rest(&h, 0));
}

TEST(a_number_without_others_or_with_few_dials_does_not_rest)
{
	struct shown_health h = shown_health((struct shown_hour[]){{80, 0, 80, 0}}, 1);

	assert_false(h.compared);
	assert_false(shown_should_rest(&h, 50));
	h = shown_health((struct shown_hour[]){{49, 0, 1049, 500}}, 1);
	assert_true(h.compared);
	assert_false(shown_should_rest(&h, 50));
	h = shown_health((struct shown_hour[]){{50, 0, 1050, 500}}, 1);
	assert_true(shown_should_rest(&h, 50));
}
