/* Which trunk, in which order, and what ends the trying. */
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "switch/sw_trunk.h"

static struct sw_trunk conf[4];
static struct sw_trunk_now now[4];
static struct sw_choice got[4];

static void four(void)
{
	for (int i = 0; i < 4; i++) {
		conf[i] = (struct sw_trunk){.id = 10 + i, .outbound = true, .turn = 1 + i, .weight = 1};
		now[i] = (struct sw_trunk_now){.conf = &conf[i], .state = SW_TRUNK_UP};
	}
}

static size_t route(const char *number, uint64_t seed)
{
	return sw_route(got, &(struct sw_route_ask){.number = number, .trunks = now, .trunk_n = 4, .seed = seed});
}

TEST(trunks_are_tried_by_turn)
{
	four();
	conf[0].turn = 9;
	assert_int_equal(route("10086", 1), 4);
	assert_int_equal(got[0].trunk_id, 11);
	assert_int_equal(got[1].trunk_id, 12);
	assert_int_equal(got[2].trunk_id, 13);
	assert_int_equal(got[3].trunk_id, 10);
}

TEST(unusable_trunks_say_why_and_stay_out)
{
	four();
	now[0].state = SW_TRUNK_DOWN;
	conf[1].outbound = false;
	conf[2].calls_max = 2;
	now[2].calls = 2;
	now[3].barred = true;
	assert_int_equal(route("0044", 1), 0);
	assert_int_equal(got[0].why, SW_WHY_DOWN);
	assert_int_equal(got[1].why, SW_WHY_INBOUND);
	assert_int_equal(got[2].why, SW_WHY_FULL);
	assert_int_equal(got[3].why, SW_WHY_BARRED);
	assert_int_equal(sw_route_why(got, 4), SW_WHY_FULL);
	now[3].barred = false;
	assert_int_equal(route("10086", 1), 1);
	assert_int_equal(got[0].trunk_id, 13);
}

TEST(resting_trunk_is_left_out_and_a_rate_waits_for_last)
{
	four();
	now[0].resting = true;
	now[1].rate = true;
	assert_int_equal(route("10086", 1), 3);
	assert_int_equal(got[0].trunk_id, 12);
	assert_int_equal(got[1].trunk_id, 13);
	assert_int_equal(got[2].trunk_id, 11);
	assert_int_equal(got[2].why, SW_WHY_RATE);
	assert_int_equal(got[3].why, SW_WHY_RESTING);
}

TEST(trunk_that_was_silent_is_tried_after_all_others)
{
	four();
	now[0].suspect = true;
	now[3].rate = true;
	assert_int_equal(route("10086", 1), 4);
	assert_int_equal(got[0].trunk_id, 11);
	assert_int_equal(got[2].trunk_id, 13);
	assert_int_equal(got[3].trunk_id, 10);
}

TEST(unknown_and_degraded_trunks_are_tried)
{
	four();
	now[0].state = SW_TRUNK_UNKNOWN;
	now[1].state = SW_TRUNK_DEGRADED;
	assert_int_equal(route("10086", 1), 4);
}

/* 3 : 1 over 4,000 draws: 3,000 expected, deviation sqrt(4000 * 0.75 * 0.25) = 27.4; six of them. */
TEST(trunks_of_one_turn_share_by_weight)
{
	unsigned first = 0;

	four();
	conf[0].turn = conf[1].turn = 1;
	conf[0].weight = 3;
	for (uint64_t seed = 1; seed <= 4000; seed++) {
		assert_int_equal(route("10086", seed), 4);
		first += got[0].trunk_id == 10;
		assert_int_equal(got[2].trunk_id, 12);
	}
	assert_in_range(first, 3000 - 165, 3000 + 165);
}

TEST(same_seed_gives_the_same_order)
{
	struct sw_choice before[4];

	four();
	for (int i = 0; i < 4; i++)
		conf[i].turn = 1;
	(void)route("10086", 77);
	memcpy(before, got, sizeof(got));
	(void)route("10086", 77);
	assert_memory_equal(before, got, sizeof(got));
}

TEST(no_trunk_at_all_is_said)
{
	assert_int_equal(sw_route(got, &(struct sw_route_ask){.number = "1"}), 0);
	assert_int_equal(sw_route_why(got, 0), SW_WHY_INBOUND);
}

TEST(only_the_trunks_own_failures_go_on_to_the_next)
{
	static const struct {
		struct sw_attempt a;
		bool next;
	} cases[] = {
		{{.code = 500}, true}, {{.code = 502}, true}, {{.code = 503}, true}, {{.code = 504, .rang = true}, true},
		{{.code = 408, .silent = true}, true}, {{.code = 408}, true}, {{.code = 408, .rang = true}, false},
		{{.code = 401}, true}, {{.code = 407}, true}, {{.code = 403}, true},
		{{.code = 404}, false}, {{.code = 480}, false}, {{.code = 484}, false}, {{.code = 486}, false}, {{.code = 487}, false},
		{{.code = 488}, false}, {{.code = 600}, false}, {{.code = 603}, false}, {{.code = 606}, false}, {{.code = 302}, false},
		{{.code = 503, .heard = true}, false}, {{.code = 408, .silent = true, .heard = true}, false}, {{.code = 0}, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(sw_trunk_failed(&cases[i].a), cases[i].next);
}
