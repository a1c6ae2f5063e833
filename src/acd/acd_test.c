/* The state machines, by hand: one behaviour a test. Times are ms; queues ring 20 s, wrap up 10 s (30 s at most). */
#include "acd/fixture.h"

#define T 1000000

static const struct acd_queue_conf plain = {.id = 50, .ring_ms = 20000, .wrapup_ms = 10000, .wrapup_max_ms = 30000};

static void setup_with(struct centre *c, struct acd_queue_conf *queues, size_t queue_n)
{
	struct acd_agent_conf agents[] = {{1, 9, 0, 30000}, {2, 9, 60000, 30000}, {3, 9, 0, 0}};
	struct acd_member members[] = {{1, 50, 1}, {2, 50, 1}, {3, 50, 2}, {1, 51, 1}};
	struct acd_conf conf = {1, queues, queue_n, agents, 3, members, 4};

	centre_init(c);
	assert_int_equal(acd_configure(c->a, &conf, T - 1000), 0);
}

static void setup(struct centre *c)
{
	struct acd_queue_conf q = plain;

	setup_with(c, &q, 1);
}

static void ready(struct centre *c, int64_t agent, int64_t at)
{
	assert_int_equal(IN(c, ACD_IN_LOGIN, at, .agent_id = agent, .device_up = true, .ready = true), 0);
}

static void enters(struct centre *c, int64_t call, int64_t at)
{
	assert_int_equal(IN(c, ACD_IN_ENTER, at, .call_id = call, .queue_id = 50), 0);
}

static int answer(struct centre *c, int64_t at)
{
	return IN(c, ACD_IN_ANSWERED, at, .agent_id = c->offer_agent, .call_id = c->offer_call, .offer_id = c->offer_id);
}

static int refuse(struct centre *c, int64_t at, int code)
{
	return IN(c, ACD_IN_REFUSED, at, .agent_id = c->offer_agent, .call_id = c->offer_call, .offer_id = c->offer_id, .code = code);
}

static struct acd_agent_view view(struct centre *c, int64_t agent)
{
	struct acd_agent_view v;

	assert_int_equal(acd_agent_get(c->a, agent, &v), 0);
	return v;
}

TEST(a_call_goes_through_ring_talk_and_timed_wrapup_back_to_ready)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_string_equal(SAID(&c), "1:ready");
	enters(&c, 100, T + 1000);
	assert_string_equal(SAID(&c), "100>1 1:ringing");
	assert_int_equal(answer(&c, T + 3000), 0);
	assert_string_equal(SAID(&c), "100<answered 1:talking");
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 60000, .agent_id = 1, .call_id = 100, .wrap = true), 0);
	assert_string_equal(SAID(&c), "1:wrapup");
	assert_int_equal(acd_next_ms(c.a), T + 70000);
	centre_step(&c, T + 69999);
	assert_string_equal(SAID(&c), "");
	centre_step(&c, T + 200000);
	assert_string_equal(SAID(&c), "1:ready");
	assert_int_equal(view(&c, 1).since_ms, T + 70000); /* the nominal time, not that of the step */
	centre_done(&c);
}

TEST(longest_idle_of_the_lowest_level_is_asked_first)
{
	struct centre c;

	setup(&c);
	ready(&c, 3, T);        /* level 2, idle longest */
	ready(&c, 2, T + 1000);
	ready(&c, 1, T + 2000);
	enters(&c, 100, T + 5000);
	assert_int_equal(c.offer_agent, 2);
	enters(&c, 101, T + 6000);
	assert_int_equal(c.offer_agent, 1);
	enters(&c, 102, T + 7000);
	assert_int_equal(c.offer_agent, 3);
	centre_done(&c);
}

TEST(priority_goes_before_waiting_time_and_the_queues_priority_counts)
{
	struct acd_queue_conf q[] = {plain, plain};
	struct centre c;

	q[1].id = 51;
	q[1].priority = 5;
	setup_with(&c, q, 2);
	enters(&c, 100, T);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 1000, .call_id = 101, .queue_id = 50, .priority = 4), 0);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 2000, .call_id = 102, .queue_id = 51), 0);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 3000, .call_id = 103, .queue_id = 50, .priority = 4, .waited_ms = 5000), 0);
	ready(&c, 1, T + 10000);
	assert_string_equal(SAID(&c), "1:ready 102>1 1:ringing");
	assert_non_null(strstr(c.why, "\"winner\":\"102\",\"runner_up\":\"103\""));
	ready(&c, 2, T + 10000);
	assert_int_equal(c.offer_call, 103); /* the same priority as 101, but it waited before */
	centre_done(&c);
}

TEST(ring_out_goes_to_the_next_agent_and_this_one_is_not_asked_again)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	ready(&c, 2, T);
	enters(&c, 100, T + 1000);
	assert_int_equal(c.offer_agent, 1);
	centre_step(&c, T + 21000);
	assert_string_equal(SAID(&c), "100<timeout 1:noanswer(timeout) 100>2 2:ringing");
	centre_step(&c, T + 41000);
	assert_string_equal(SAID(&c), "100<timeout 2:noanswer(timeout)");
	centre_step(&c, T + 100999);
	assert_string_equal(SAID(&c), "");
	centre_step(&c, T + 101000); /* agent 2 has a limit of 60 s, agent 1 none */
	assert_string_equal(SAID(&c), "2:ready 100>2 2:ringing");
	assert_int_equal(IN(&c, ACD_IN_READY, T + 102000, .agent_id = 1), 0);
	assert_string_equal(SAID(&c), "1:ready");
	centre_done(&c);
}

TEST(break_and_logout_asked_in_a_call_take_effect_after_wrapup)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	enters(&c, 100, T);
	assert_int_equal(IN(&c, ACD_IN_BREAK, T + 1, .agent_id = 1, .reason = "lunch"), 0); /* while ringing */
	assert_int_equal(view(&c, 1).pending, ACD_BREAK);
	assert_int_equal(answer(&c, T + 1000), 0);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 2000, .agent_id = 1, .call_id = 100, .wrap = true), 0);
	assert_string_equal(SAID(&c), "1:wrapup");
	centre_step(&c, T + 12000);
	assert_string_equal(SAID(&c), "1:break(lunch)");

	ready(&c, 2, T + 13000);
	enters(&c, 101, T + 14000);
	assert_int_equal(answer(&c, T + 15000), 0);
	assert_int_equal(IN(&c, ACD_IN_LOGOUT, T + 16000, .agent_id = 2), 0);
	assert_int_equal(view(&c, 2).pending, ACD_OFFLINE);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 17000, .agent_id = 2, .call_id = 101, .wrap = true), 0);
	assert_int_equal(IN(&c, ACD_IN_WRAP_END, T + 18000, .agent_id = 2), 0);
	assert_string_equal(SAID(&c), "2:offline(logout)");
	centre_done(&c);
}

TEST(ringing_out_with_a_break_asked_ends_in_that_break)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	enters(&c, 100, T);
	assert_int_equal(IN(&c, ACD_IN_BREAK, T + 1, .agent_id = 1, .reason = "tea"), 0);
	centre_step(&c, T + 20000);
	assert_string_equal(SAID(&c), "100<timeout 1:break(tea)");
	centre_done(&c);
}

TEST(wrapup_is_extended_up_to_its_limit)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_int_equal(IN(&c, ACD_IN_WRAP_EXTEND, T, .agent_id = 1, .ms = 1000), ACD_E_STATE);
	enters(&c, 100, T);
	assert_int_equal(answer(&c, T), 0);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T, .agent_id = 1, .call_id = 100, .wrap = true), 0);
	assert_int_equal(IN(&c, ACD_IN_WRAP_EXTEND, T + 1, .agent_id = 1, .ms = 5000), 0);
	assert_int_equal(view(&c, 1).until_ms, T + 15000);
	assert_int_equal(IN(&c, ACD_IN_WRAP_EXTEND, T + 1, .agent_id = 1, .ms = 50000), 0);
	assert_int_equal(view(&c, 1).until_ms, T + 30000);
	assert_int_equal(IN(&c, ACD_IN_WRAP_EXTEND, T + 1, .agent_id = 1, .ms = 1), ACD_E_STATE);
	centre_done(&c);
}

TEST(abandoned_while_ringing_gives_the_agent_back_with_his_idle_time)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	ready(&c, 2, T + 5000);
	enters(&c, 100, T + 6000);
	assert_int_equal(IN(&c, ACD_IN_LEAVE, T + 7000, .call_id = 100), 0);
	assert_string_equal(SAID(&c), "100<abandoned 1:ready");
	assert_int_equal(answer(&c, T + 7001), ACD_E_STALE); /* his answer crossed the caller's hanging up */
	enters(&c, 101, T + 8000);
	assert_int_equal(c.offer_agent, 1);
	assert_int_equal(IN(&c, ACD_IN_LEAVE, T + 9000, .call_id = 100), ACD_E_STALE);
	centre_done(&c);
}

TEST(a_lost_device_passes_the_offer_on_and_its_return_gives_ready_back)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	ready(&c, 2, T);
	enters(&c, 100, T + 1000);
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 2000, .agent_id = 1), 0);
	assert_string_equal(SAID(&c), "100<withdrawn 1:break(device) 100>2 2:ringing");
	assert_int_equal(IN(&c, ACD_IN_READY, T + 3000, .agent_id = 1), ACD_E_STATE);
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 21999, .agent_id = 1, .device_up = true), 0);
	assert_string_equal(SAID(&c), "1:ready");
	centre_done(&c);
}

TEST(a_device_back_after_the_grace_or_in_a_break_does_not_make_ready)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 1000, .agent_id = 1), 0);
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 31001, .agent_id = 1, .device_up = true), 0);
	assert_string_equal(SAID(&c), "");
	assert_int_equal(view(&c, 1).state, ACD_BREAK);
	assert_int_equal(IN(&c, ACD_IN_READY, T + 32000, .agent_id = 1), 0);
	assert_string_equal(SAID(&c), "1:ready");

	assert_int_equal(IN(&c, ACD_IN_BREAK, T + 40000, .agent_id = 1, .reason = "tea"), 0);
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 41000, .agent_id = 1), 0);
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 42000, .agent_id = 1, .device_up = true), 0);
	assert_string_equal(SAID(&c), "");
	assert_int_equal(view(&c, 1).state, ACD_BREAK);
	centre_done(&c);
}

TEST(a_device_lost_in_a_call_is_asked_for_after_wrapup)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	enters(&c, 100, T);
	assert_int_equal(answer(&c, T), 0);
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 1000, .agent_id = 1), 0);
	assert_string_equal(SAID(&c), "");
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 2000, .agent_id = 1, .call_id = 100, .wrap = true), 0);
	centre_step(&c, T + 12000);
	assert_string_equal(SAID(&c), "1:break(device)");
	assert_int_equal(view(&c, 1).until_ms, T + 31000); /* 30 s from the loss */
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 20000, .agent_id = 1, .device_up = true), 0);
	assert_string_equal(SAID(&c), "1:ready");
	centre_done(&c);
}

TEST(login_as_ready_without_a_device_waits_for_it)
{
	struct centre c;

	setup(&c);
	assert_int_equal(IN(&c, ACD_IN_LOGIN, T, .agent_id = 1, .ready = true), 0);
	assert_string_equal(SAID(&c), "1:break(device)");
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 5000, .agent_id = 1, .device_up = true), 0);
	assert_string_equal(SAID(&c), "1:ready");
	assert_int_equal(IN(&c, ACD_IN_LOGIN, T + 6000, .agent_id = 1, .ready = true), ACD_E_STATE);
	centre_done(&c);
}

TEST(a_refused_call_goes_on_and_comes_back_only_after_a_minute)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	enters(&c, 100, T);
	assert_int_equal(refuse(&c, T + 1000, 486), 0);
	assert_string_equal(SAID(&c), "100<refused 1:noanswer(refused)");
	centre_step(&c, T + 16000);
	assert_string_equal(SAID(&c), "1:ready");
	enters(&c, 101, T + 17000); /* another call he gets */
	assert_string_equal(SAID(&c), "101>1 1:ringing");
	assert_int_equal(IN(&c, ACD_IN_LEAVE, T + 18000, .call_id = 101), 0);
	centre_step(&c, T + 61000);
	assert_string_equal(SAID(&c), "100>1 1:ringing");
	centre_done(&c);
}

TEST(an_unreachable_phone_is_like_a_lost_device_and_tried_again)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	ready(&c, 2, T);
	enters(&c, 100, T);
	assert_int_equal(refuse(&c, T + 1000, 480), 0);
	assert_string_equal(SAID(&c), "100<failed 1:break(device) 100>2 2:ringing");
	assert_int_equal(refuse(&c, T + 1001, 404), 0);
	centre_step(&c, T + 31000);
	assert_string_equal(SAID(&c), "1:ready 100>1 1:ringing");
	centre_done(&c);
}

TEST(a_call_outside_the_queues_keeps_the_agent_from_offers)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_int_equal(IN(&c, ACD_IN_SEIZE, T, .agent_id = 1, .call_id = 7), 0);
	enters(&c, 100, T + 1);
	assert_string_equal(SAID(&c), "");
	assert_int_equal(IN(&c, ACD_IN_SEIZE, T + 2, .agent_id = 1, .call_id = 8), ACD_E_STATE);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 3, .agent_id = 1, .call_id = 8), ACD_E_STALE);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 4, .agent_id = 1, .call_id = 7, .wrap = true), 0);
	assert_string_equal(SAID(&c), "1:ready 100>1 1:ringing");
	centre_done(&c);
}

TEST(a_talk_that_moves_to_another_call_leaves_no_moment_for_an_offer)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_int_equal(IN(&c, ACD_IN_MOVE, T, .agent_id = 1, .call_id = 8), ACD_E_STATE); /* he talks to nobody */
	assert_int_equal(IN(&c, ACD_IN_SEIZE, T, .agent_id = 1, .call_id = 7), 0);
	enters(&c, 100, T + 1);
	assert_int_equal(IN(&c, ACD_IN_MOVE, T + 1, .agent_id = 1, .call_id = 7), ACD_E_STATE);
	assert_int_equal(IN(&c, ACD_IN_MOVE, T + 1, .agent_id = 1, .call_id = 100), ACD_E_STATE); /* that one waits */
	assert_string_equal(SAID(&c), "");
	assert_int_equal(IN(&c, ACD_IN_MOVE, T + 2, .agent_id = 1, .call_id = 8), 0);
	assert_string_equal(SAID(&c), "1:talking");
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 3, .agent_id = 1, .call_id = 7), ACD_E_STALE);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 4, .agent_id = 1, .call_id = 8), 0);
	assert_string_equal(SAID(&c), "1:ready 100>1 1:ringing");
	centre_done(&c);
}

TEST(a_call_dialled_in_a_break_returns_to_that_break)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_int_equal(IN(&c, ACD_IN_BREAK, T + 1, .agent_id = 1, .reason = "desk"), 0);
	assert_int_equal(IN(&c, ACD_IN_SEIZE, T + 2, .agent_id = 1, .call_id = 7), 0);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 3, .agent_id = 1, .call_id = 7, .wrap = true, .ms = 5000), 0);
	assert_string_equal(SAID(&c), "1:wrapup");
	centre_step(&c, T + 5003);
	assert_string_equal(SAID(&c), "1:break(desk)");
	centre_done(&c);
}

TEST(forced_logout_takes_the_offer_along_and_later_words_are_stale)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	ready(&c, 3, T);
	enters(&c, 100, T);
	assert_int_equal(IN(&c, ACD_IN_LOGOUT, T + 1, .agent_id = 1, .force = true), 0);
	assert_string_equal(SAID(&c), "100<withdrawn 1:offline(forced) 100>3 3:ringing");
	assert_int_equal(answer(&c, T + 2), 0);
	assert_int_equal(IN(&c, ACD_IN_LOGOUT, T + 3, .agent_id = 3, .force = true), 0);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 4, .agent_id = 3, .call_id = 100), ACD_E_STALE);
	centre_done(&c);
}

TEST(limits_of_length_and_of_wait_overflow)
{
	struct acd_queue_conf q[] = {plain, plain};
	struct centre c;

	q[0].len_max = 2;
	q[0].wait_max_ms = 30000;
	q[0].overflow = ACD_OVERFLOW_QUEUE;
	q[0].overflow_queue = 51;
	q[1].id = 51;
	q[1].len_max = 1;
	q[1].overflow = ACD_OVERFLOW_NUMBER;
	setup_with(&c, q, 2);
	enters(&c, 100, T);
	enters(&c, 101, T + 1000);
	enters(&c, 102, T + 2000);
	assert_string_equal(SAID(&c), "102:over(length,1,51)");
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 2000, .call_id = 102, .queue_id = 51), 0);
	enters(&c, 103, T + 2001); /* 51 is full too: straight on to where it would send him */
	assert_string_equal(SAID(&c), "103:over(length,2,0)");
	centre_step(&c, T + 30000);
	assert_string_equal(SAID(&c), "100:over(wait,2,0)");
	ready(&c, 2, T + 30500);
	assert_int_equal(c.offer_call, 101);
	centre_step(&c, T + 31000); /* it rings: let it */
	assert_string_equal(SAID(&c), "");
	centre_step(&c, T + 50500);
	assert_string_equal(SAID(&c), "101<timeout 2:noanswer(timeout) 101:over(wait,2,0)");
	centre_done(&c);
}

TEST(a_queue_without_anybody_overflows_at_once_also_when_the_last_one_goes)
{
	struct acd_queue_conf q = plain;
	struct centre c;

	q.empty_overflow = true;
	q.overflow = ACD_OVERFLOW_GOODBYE;
	setup_with(&c, &q, 1);
	enters(&c, 100, T);
	assert_string_equal(SAID(&c), "100:over(empty,3,0)");
	assert_int_equal(IN(&c, ACD_IN_LOGIN, T, .agent_id = 1, .device_up = true), 0);
	enters(&c, 101, T + 1);
	enters(&c, 102, T + 2);
	assert_string_equal(SAID(&c), "");
	assert_int_equal(IN(&c, ACD_IN_LOGOUT, T + 3, .agent_id = 1), 0);
	assert_string_equal(SAID(&c), "1:offline(logout) 101:over(empty,3,0) 102:over(empty,3,0)");
	centre_done(&c);
}

TEST(positions_are_announced_and_count_those_who_ring)
{
	struct acd_queue_conf q = plain;
	struct centre c;

	q.announce_ms = 15000;
	setup_with(&c, &q, 1);
	enters(&c, 100, T);
	enters(&c, 101, T + 1000);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 2000, .call_id = 102, .queue_id = 50, .priority = 1), 0);
	ready(&c, 1, T + 3000);
	assert_int_equal(c.offer_call, 102);
	centre_step(&c, T + 17000);
	assert_string_equal(SAID(&c), "100:place 2 of 3 101:place 3 of 3 102:place 1 of 3");
	centre_done(&c);
}

TEST(a_queue_that_vanishes_lets_its_callers_go_and_an_agent_who_vanishes_finishes_his_call)
{
	struct acd_queue_conf q[] = {plain, plain};
	struct acd_conf none = {.version = 2, .queues = q + 1, .queue_n = 1};
	struct acd_queue_view v;
	struct centre c;

	q[1].id = 51;
	setup_with(&c, q, 2);
	ready(&c, 1, T);
	enters(&c, 100, T);
	assert_int_equal(answer(&c, T), 0);
	enters(&c, 101, T);
	strb_clear(&c.tail);
	assert_int_equal(acd_configure(c.a, &none, T + 1), 0);
	assert_string_equal(SAID(&c), "101:over(closed,3,0)");
	assert_null(acd_invariant(c.a));
	assert_int_equal(acd_queue_get(c.a, 50, &v), ACD_E_UNKNOWN);
	assert_int_equal(IN(&c, ACD_IN_READY, T + 2, .agent_id = 1), ACD_E_UNKNOWN);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 3, .agent_id = 1, .call_id = 100, .wrap = true), 0);
	assert_string_equal(SAID(&c), "1:offline(removed)");
	assert_int_equal(IN(&c, ACD_IN_READY, T + 4, .agent_id = 1), ACD_E_UNKNOWN);
	centre_done(&c);
}

TEST(a_new_membership_finds_the_waiting_call)
{
	struct acd_queue_conf q = plain;
	struct acd_agent_conf g = {1, 9, 0, 0};
	struct acd_member m = {1, 50, 1};
	struct acd_conf conf = {1, &q, 1, &g, 1, &m, 0};
	struct centre c;

	centre_init(&c);
	assert_int_equal(acd_configure(c.a, &conf, T), 0);
	ready(&c, 1, T);
	enters(&c, 100, T);
	assert_string_equal(SAID(&c), "");
	conf.member_n = 1;
	assert_int_equal(acd_configure(c.a, &conf, T + 1), 0);
	assert_string_equal(SAID(&c), "100>1 1:ringing");
	centre_done(&c);
}

TEST(a_bad_configuration_changes_nothing)
{
	struct acd_queue_conf q = plain;
	struct acd_agent_conf g = {1, 9, 0, 0};
	struct acd_member m[] = {{1, 50, 1}, {1, 50, 2}};
	struct acd_conf conf = {1, &q, 1, &g, 1, m, 2};
	struct centre c;

	setup(&c);
	assert_int_equal(acd_configure(c.a, &conf, T), -EINVAL);
	m[0].queue_id = 51;
	m[0].level = 10;
	assert_int_equal(acd_configure(c.a, &conf, T), -EINVAL);
	assert_int_equal(view(&c, 3).state, ACD_OFFLINE);
	centre_done(&c);
}

TEST(unknown_ones_and_wrong_states_are_refused_without_a_word)
{
	struct centre c;

	setup(&c);
	assert_int_equal(IN(&c, ACD_IN_READY, T, .agent_id = 4), ACD_E_UNKNOWN);
	assert_int_equal(IN(&c, ACD_IN_READY, T, .agent_id = 1), ACD_E_STATE);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T, .call_id = 1, .queue_id = 4), ACD_E_UNKNOWN);
	enters(&c, 100, T);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T, .call_id = 100, .queue_id = 50), ACD_E_STATE);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T, .call_id = 101, .queue_id = 50, .waited_ms = -1), ACD_E_STATE);
	assert_int_equal(IN(&c, ACD_IN_LEAVE, T, .call_id = 101), ACD_E_STALE);
	assert_int_equal(IN(&c, ACD_IN_READY, -1, .agent_id = 1), ACD_E_STATE);
	assert_int_equal(IN(&c, ACD_IN_READY, INT64_MAX, .agent_id = 1), ACD_E_STATE);
	assert_int_equal(IN(&c, (enum acd_in_kind)77, T, .agent_id = 1), ACD_E_UNKNOWN);
	assert_string_equal(SAID(&c), "");
	centre_done(&c);
}
