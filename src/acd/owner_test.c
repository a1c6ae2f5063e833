/* Owner first, by hand: one behaviour a test. Queue 50 gives the owner 15 s and waits 30 s for a busy one; agents 1, 2, 3 serve it, 4
   (of team 8, as 3 is) does not. "100?2(talking)": told of call 100 and its owner 2; see owner.c for the words. */
#include "acd/fixture.h"

#include <stdio.h>

#define T 1000000

static struct acd_queue_conf first(void)
{
	return (struct acd_queue_conf){.id = 50, .ring_ms = 20000, .wrapup_ms = 10000, .owner_ms = 15000, .owner_busy_ms = 30000};
}

static void configure(struct centre *c, const struct acd_queue_conf *q, bool without_2, int64_t at)
{
	struct acd_agent_conf agents[] = {{1, 9, 0, 30000}, {3, 8, 0, 30000}, {4, 8, 0, 30000}, {2, 9, 0, 30000}};
	struct acd_member members[] = {{1, 50, 1}, {3, 50, 1}, {2, 50, 1}};
	struct acd_queue_conf queue = *q;
	struct acd_conf conf = {1, &queue, 1, agents, without_2 ? 3 : 4, members, without_2 ? 2 : 3};

	assert_int_equal(acd_configure(c->a, &conf, at), 0);
}

static void setup(struct centre *c, struct acd_queue_conf q)
{
	centre_init(c);
	configure(c, &q, false, T - 1000);
}

static void ready(struct centre *c, int64_t agent, int64_t at)
{
	assert_int_equal(IN(c, ACD_IN_LOGIN, at, .agent_id = agent, .device_up = true, .ready = true), 0);
}

static void enters(struct centre *c, int64_t call, int64_t owner, int64_t at)
{
	assert_int_equal(IN(c, ACD_IN_ENTER, at, .call_id = call, .queue_id = 50, .owner_id = owner), 0);
}

static int answer(struct centre *c, int64_t at)
{
	return IN(c, ACD_IN_ANSWERED, at, .agent_id = c->offer_agent, .call_id = c->offer_call, .offer_id = c->offer_id);
}

static int refuse(struct centre *c, int64_t at, int code)
{
	return IN(c, ACD_IN_REFUSED, at, .agent_id = c->offer_agent, .call_id = c->offer_call, .offer_id = c->offer_id, .code = code);
}

TEST(a_known_caller_rings_his_owner_for_the_queues_seconds_and_then_the_queue)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 1, T); /* idle longest: his, without an owner */
	ready(&c, 2, T + 1000);
	enters(&c, 100, 2, T + 2000);
	assert_string_equal(SAID(&c), "100>2 2:ringing");
	assert_non_null(strstr(c.why, "\"rule\":\"owner\""));
	centre_step(&c, T + 16999);
	assert_string_equal(SAID(&c), "");
	centre_step(&c, T + 17000);
	assert_string_equal(SAID(&c), "100<timeout 2:noanswer(timeout) 100?2(timeout) 100>1 1:ringing");
	assert_non_null(strstr(c.why, "\"idle_ms\":17000"));
	centre_done(&c);
}

TEST(without_the_setting_an_owner_changes_nothing)
{
	struct acd_queue_conf q = first();
	struct centre c;

	q.owner_ms = 0;
	setup(&c, q);
	ready(&c, 1, T);
	ready(&c, 2, T + 1000);
	enters(&c, 100, 2, T + 2000);
	assert_string_equal(SAID(&c), "100>1 1:ringing");
	centre_done(&c);
}

TEST(an_owner_who_answers_has_an_ordinary_talk_and_wrapup)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 2, T);
	enters(&c, 100, 2, T + 1000);
	assert_int_equal(answer(&c, T + 5000), 0);
	assert_string_equal(SAID(&c), "100<answered 2:talking");
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 9000, .agent_id = 2, .call_id = 100, .wrap = true), 0);
	assert_string_equal(SAID(&c), "2:wrapup");
	centre_done(&c);
}

TEST(each_way_an_owner_cannot_take_it_goes_to_the_queue_at_once_and_says_why)
{
	static const struct {
		int state; /* of agent 2 */
		const char *why;
	} ways[] = {{0, "offline"}, {1, "break"}, {2, "device"}, {3, "gone"}};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		char expected[64];
		struct centre c;

		setup(&c, first());
		ready(&c, 1, T);
		if (ways[i].state)
			ready(&c, 2, T);
		if (ways[i].state == 1)
			assert_int_equal(IN(&c, ACD_IN_BREAK, T + 10, .agent_id = 2, .reason = "tea"), 0);
		if (ways[i].state == 2)
			assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 10, .agent_id = 2), 0);
		enters(&c, 100, ways[i].state == 3 ? 77 : 2, T + 1000);
		(void)snprintf(expected, sizeof(expected), "100?%d(%s) 100>1 1:ringing", ways[i].state == 3 ? 77 : 2, ways[i].why);
		assert_string_equal(SAID(&c), expected);
		centre_done(&c);
	}
}

TEST(an_owner_who_refuses_or_cannot_be_reached_sends_it_on_at_once)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 2, T);
	ready(&c, 1, T + 1);
	enters(&c, 100, 2, T + 1000);
	assert_int_equal(refuse(&c, T + 2000, 603), 0);
	assert_string_equal(SAID(&c), "100<refused 2:noanswer(refused) 100?2(refused) 100>1 1:ringing");
	assert_int_equal(answer(&c, T + 2500), 0);
	centre_step(&c, T + 90000); /* he is back */
	assert_int_equal(IN(&c, ACD_IN_READY, T + 90000, .agent_id = 2), 0);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 91000, .agent_id = 1, .call_id = 100), 0);
	enters(&c, 101, 2, T + 92000);
	assert_int_equal(refuse(&c, T + 92500, 480), 0);
	assert_string_equal(SAID(&c), "101<failed 2:break(device) 101?2(failed) 101>1 1:ringing");
	centre_done(&c);
}

TEST(an_owner_who_logs_out_while_it_rings_sends_it_on)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 2, T);
	ready(&c, 1, T + 1);
	enters(&c, 100, 2, T + 1000);
	assert_int_equal(IN(&c, ACD_IN_LOGOUT, T + 2000, .agent_id = 2, .force = true), 0);
	assert_string_equal(SAID(&c), "100<withdrawn 2:offline(forced) 100?2(withdrawn) 100>1 1:ringing");
	centre_done(&c);
}

static void talks(struct centre *c, int64_t agent, int64_t at)
{
	assert_int_equal(IN(c, ACD_IN_SEIZE, at, .agent_id = agent, .call_id = 900 + agent), 0);
}

TEST(a_busy_owner_is_waited_for_and_gets_his_full_seconds_when_he_is_free)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 1, T);
	ready(&c, 2, T);
	talks(&c, 2, T + 500);
	enters(&c, 100, 2, T + 1000);
	assert_string_equal(SAID(&c), "100?2(talking)");
	enters(&c, 101, 0, T + 2000); /* others are not held up */
	assert_string_equal(SAID(&c), "101>1 1:ringing");
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 25000, .agent_id = 2, .call_id = 902), 0);
	assert_non_null(strstr(SAID(&c), "2:ready 100>2 2:ringing"));
	centre_step(&c, T + 39999);
	assert_int_equal(answer(&c, T + 39999), 0);
	centre_done(&c);
}

TEST(a_busy_owner_is_waited_for_no_longer_than_the_setting)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 1, T);
	ready(&c, 2, T);
	talks(&c, 2, T + 500);
	enters(&c, 100, 2, T + 1000);
	centre_step(&c, T + 30999);
	assert_string_equal(SAID(&c), "");
	centre_step(&c, T + 31000);
	assert_string_equal(SAID(&c), "100?2(talking) 100>1 1:ringing");
	assert_non_null(strstr(c.why, "\"winner\":\"1\""));
	centre_done(&c);
}

TEST(with_no_time_for_a_busy_owner_the_queue_gets_it_at_once)
{
	struct acd_queue_conf q = first();
	struct centre c;

	q.owner_busy_ms = 0;
	setup(&c, q);
	ready(&c, 1, T);
	ready(&c, 2, T);
	talks(&c, 2, T + 500);
	enters(&c, 100, 2, T + 1000);
	assert_string_equal(SAID(&c), "100?2(talking) 100>1 1:ringing");
	centre_done(&c);
}

TEST(who_waits_for_a_busy_owner_goes_on_when_that_one_asks_for_a_break_or_loses_his_telephone)
{
	for (int i = 0; i < 3; i++) {
		struct centre c;

		setup(&c, first());
		ready(&c, 1, T);
		ready(&c, 2, T);
		talks(&c, 2, T + 500);
		enters(&c, 100, 2, T + 1000);
		if (i == 0)
			assert_int_equal(IN(&c, ACD_IN_BREAK, T + 5000, .agent_id = 2, .reason = "tea"), 0);
		else if (i == 1)
			assert_int_equal(IN(&c, ACD_IN_LOGOUT, T + 5000, .agent_id = 2), 0);
		else
			assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 5000, .agent_id = 2), 0);
		assert_string_equal(SAID(&c), i == 2 ? "100?2(device) 100>1 1:ringing" : "100?2(talking) 100>1 1:ringing");
		centre_done(&c);
	}
}

TEST(the_place_in_the_queue_counts_from_entering)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 2, T);
	talks(&c, 2, T + 500);
	enters(&c, 100, 2, T + 1000);  /* waits for 2 */
	enters(&c, 101, 0, T + 2000);
	centre_step(&c, T + 31000);    /* and now in the queue, where 101 was all the time */
	assert_string_equal(SAID(&c), "100?2(talking)");
	ready(&c, 1, T + 32000);
	assert_string_equal(SAID(&c), "1:ready 100>1 1:ringing");
	assert_non_null(strstr(c.why, "\"waited_ms\":31000"));
	centre_done(&c);
}

TEST(an_owner_need_not_serve_the_queue_unless_it_is_asked)
{
	struct acd_queue_conf q = first();
	struct centre c;

	setup(&c, q);
	ready(&c, 1, T);
	ready(&c, 4, T);
	enters(&c, 100, 4, T + 1000);
	assert_string_equal(SAID(&c), "100>4 4:ringing");
	assert_non_null(strstr(c.why, "\"member\":false"));
	centre_done(&c);
	q.owner_member = true;
	setup(&c, q);
	ready(&c, 1, T);
	ready(&c, 4, T);
	enters(&c, 100, 4, T + 1000);
	assert_string_equal(SAID(&c), "100?4(not_member) 100>1 1:ringing");
	centre_done(&c);
}

TEST(when_the_owner_has_left_his_team_comes_first_and_then_the_queue)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 1, T);
	ready(&c, 3, T + 1000);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 2000, .call_id = 100, .queue_id = 50, .owner_id = 77, .team_id = 8), 0);
	assert_string_equal(SAID(&c), "100?77(gone) 100>3 3:ringing");
	assert_non_null(strstr(c.why, "\"side\":\"team\""));
	assert_int_equal(refuse(&c, T + 4000, 486), 0);
	assert_string_equal(SAID(&c), "100<refused 3:noanswer(refused)"); /* he may be free again before the seconds are over */
	centre_step(&c, T + 17000);
	assert_string_equal(SAID(&c), "100?77(team) 100>1 1:ringing");
	centre_done(&c);
}

TEST(a_team_of_whom_nobody_is_there_is_not_waited_for)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 1, T);
	ready(&c, 4, T); /* of the team, but does not serve the queue */
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 2000, .call_id = 100, .queue_id = 50, .owner_id = 77, .team_id = 8), 0);
	assert_string_equal(SAID(&c), "100?77(gone) 100>1 1:ringing");
	centre_done(&c);
}

TEST(an_owner_who_leaves_the_centre_lets_go_who_waits_for_him)
{
	struct acd_queue_conf q = first();
	struct centre c;

	setup(&c, q);
	ready(&c, 1, T);
	ready(&c, 2, T);
	talks(&c, 2, T + 500);
	enters(&c, 100, 2, T + 1000);
	strb_clear(&c.tail);
	configure(&c, &q, true, T + 5000);
	assert_null(acd_invariant(c.a));
	assert_string_equal(SAID(&c), "100?2(gone) 100>1 1:ringing");
	centre_done(&c);
}

TEST(whose_customer_he_is_may_be_told_within_the_time_given_and_not_later)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 1, T);
	ready(&c, 2, T + 100);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 1000, .call_id = 100, .queue_id = 50, .ms = 150), 0);
	assert_string_equal(SAID(&c), "");
	assert_int_equal(IN(&c, ACD_IN_KNOWN, T + 1149, .call_id = 100, .owner_id = 2), 0);
	assert_string_equal(SAID(&c), "100>2 2:ringing");
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 2000, .call_id = 101, .queue_id = 50, .ms = 150), 0);
	assert_int_equal(IN(&c, ACD_IN_KNOWN, T + 2150, .call_id = 101, .owner_id = 2), ACD_E_STALE);
	assert_string_equal(SAID(&c), "101?0(late) 101>1 1:ringing");
	assert_int_equal(IN(&c, ACD_IN_KNOWN, T + 2151, .call_id = 555, .owner_id = 2), ACD_E_STALE);
	centre_done(&c);
}

TEST(a_caller_whom_nobody_owns_goes_on_without_a_word)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 1, T);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 1000, .call_id = 100, .queue_id = 50, .ms = 150), 0);
	assert_int_equal(IN(&c, ACD_IN_KNOWN, T + 1020, .call_id = 100), 0);
	assert_string_equal(SAID(&c), "100>1 1:ringing");
	centre_done(&c);
}

TEST(nobody_waits_longer_than_two_seconds_to_be_known)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 1, T);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 1000, .call_id = 100, .queue_id = 50, .ms = 60000), 0);
	centre_step(&c, T + 3000);
	assert_string_equal(SAID(&c), "100?0(late) 100>1 1:ringing");
	centre_done(&c);
}

TEST(a_full_or_empty_queue_lets_in_whose_owner_is_free)
{
	struct acd_queue_conf q = first();
	struct centre c;

	q.empty_overflow = true;
	q.overflow = ACD_OVERFLOW_GOODBYE;
	setup(&c, q);
	ready(&c, 4, T); /* serves no queue */
	enters(&c, 99, 0, T + 900);
	assert_string_equal(SAID(&c), "99:over(empty,3,0)");
	enters(&c, 100, 4, T + 1000);
	assert_string_equal(SAID(&c), "100>4 4:ringing");
	assert_int_equal(refuse(&c, T + 2000, 603), 0);
	assert_string_equal(SAID(&c), "100<refused 4:noanswer(refused) 100?4(refused) 100:over(empty,3,0)");
	centre_done(&c);
}

TEST(a_caller_who_hangs_up_while_held_is_gone)
{
	struct centre c;

	setup(&c, first());
	ready(&c, 2, T);
	talks(&c, 2, T + 500);
	enters(&c, 100, 2, T + 1000);
	assert_int_equal(IN(&c, ACD_IN_LEAVE, T + 5000, .call_id = 100), 0);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 6000, .agent_id = 2, .call_id = 902), 0);
	assert_string_equal(SAID(&c), "2:ready");
	centre_done(&c);
}

TEST(the_last_agent_who_rings_out_while_logging_out_leaves_nothing_behind)
{
	struct acd_queue_conf q = first();
	struct centre c;

	q.empty_overflow = true;
	q.overflow = ACD_OVERFLOW_GOODBYE;
	setup(&c, q);
	ready(&c, 1, T);
	enters(&c, 100, 0, T + 1000);
	assert_int_equal(IN(&c, ACD_IN_LOGOUT, T + 2000, .agent_id = 1), 0);
	centre_step(&c, T + 60000);
	assert_string_equal(SAID(&c), "100<timeout 1:offline(logout) 100:over(empty,3,0)");
	centre_done(&c);
}

TEST(positions_count_those_who_are_held)
{
	struct acd_queue_conf q = first();
	struct acd_queue_view v;
	struct centre c;

	q.announce_ms = 10000;
	setup(&c, q);
	ready(&c, 2, T);
	talks(&c, 2, T + 500);
	enters(&c, 100, 2, T + 1000);
	enters(&c, 101, 0, T + 2000);
	centre_step(&c, T + 12000);
	assert_string_equal(SAID(&c), "100:place 1 of 2 101:place 2 of 2");
	assert_int_equal(acd_queue_get(c.a, 50, &v), 0);
	assert_int_equal(v.waiting, 2);
	centre_done(&c);
}

TEST(an_owners_offer_with_a_number_changed_fails_the_check)
{
	static const char *const parts[] = {"\"winner\":\"", "\"owner\":\"", "\"first_ms\":", "\"waited_ms\":", "\"ring_ms\":", "\"sum\":\""};
	struct centre c;

	setup(&c, first());
	ready(&c, 2, T);
	enters(&c, 100, 2, T + 1000);
	assert_null(acd_check(100, 2, 50, c.why, strlen(c.why)));
	assert_non_null(acd_check(100, 1, 50, c.why, strlen(c.why)));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *s = xstrdup(c.why), *at = strstr(s, parts[i]);

		assert_non_null(at);
		at += strlen(parts[i]);
		*at = *at == '9' ? '8' : (char)(*at + 1);
		assert_non_null(acd_check(100, 2, 50, s, strlen(s)));
		free(s);
	}
	centre_done(&c);
}
