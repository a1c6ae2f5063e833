/* Agents kept for calls out: who, until when, and every way back. Times are ms; queue 50 is a campaign's. */
#include "acd/fixture.h"

#define T 1000000

static void setup(struct centre *c)
{
	struct acd_queue_conf q[] = {{.id = 50, .priority = -1, .ring_ms = 20000, .wrapup_ms = 10000, .wrapup_max_ms = 30000},
				     {.id = 51, .ring_ms = 20000, .owner_ms = 15000, .owner_busy_ms = 30000}};
	struct acd_agent_conf agents[] = {{1, 9, 0, 30000}, {2, 9, 0, 30000}, {3, 9, 0, 0}};
	struct acd_member members[] = {{1, 50, 1}, {2, 50, 1}, {3, 50, 2}, {1, 51, 1}, {2, 51, 1}};
	struct acd_conf conf = {1, q, 2, agents, 3, members, 5};

	centre_init(c);
	assert_int_equal(acd_configure(c->a, &conf, T - 1000), 0);
}

static void ready(struct centre *c, int64_t agent, int64_t at)
{
	assert_int_equal(IN(c, ACD_IN_LOGIN, at, .agent_id = agent, .device_up = true, .ready = true), 0);
}

static int reserve(struct centre *c, int64_t call, int64_t at)
{
	return IN(c, ACD_IN_RESERVE, at, .call_id = call, .queue_id = 50, .ms = 60000);
}

static struct acd_agent_view view(struct centre *c, int64_t agent)
{
	struct acd_agent_view v;

	assert_int_equal(acd_agent_get(c->a, agent, &v), 0);
	return v;
}

TEST(a_reserved_agent_is_the_one_a_call_would_get_and_talks_when_it_is_answered)
{
	struct centre c;

	setup(&c);
	ready(&c, 3, T);
	ready(&c, 2, T + 10);
	ready(&c, 1, T + 20);
	assert_int_equal(reserve(&c, 900, T + 100), 0);
	assert_string_equal(SAID(&c), "900=2 2:reserved"); /* level 1, idle longest */
	assert_int_equal(view(&c, 2).until_ms, T + 60100);
	assert_int_equal(IN(&c, ACD_IN_SEIZE, T + 9000, .agent_id = 2, .call_id = 900), 0);
	assert_string_equal(SAID(&c), "2:talking");
	assert_int_equal(view(&c, 2).queue_id, 50);
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T + 60000, .agent_id = 2, .call_id = 900, .wrap = true), 0);
	assert_string_equal(SAID(&c), "2:wrapup");
	assert_int_equal(acd_next_ms(c.a), T + 70000); /* the campaign's wrap-up */
	centre_done(&c);
}

TEST(nobody_is_reserved_who_is_not_ready_or_for_a_call_that_is_known)
{
	struct centre c;

	setup(&c);
	assert_int_equal(reserve(&c, 900, T), ACD_E_STALE);
	ready(&c, 1, T);
	assert_int_equal(IN(&c, ACD_IN_RESERVE, T, .call_id = 900, .queue_id = 77, .ms = 1), ACD_E_UNKNOWN);
	assert_int_equal(IN(&c, ACD_IN_RESERVE, T, .call_id = 900, .queue_id = 50), ACD_E_STATE); /* for no time */
	assert_int_equal(reserve(&c, 0, T), ACD_E_STATE);
	assert_int_equal(IN(&c, ACD_IN_RESERVE, T, .call_id = 900, .queue_id = 50, .ms = 1, .agent_id = 2), ACD_E_STALE);
	assert_int_equal(reserve(&c, 900, T), 0);
	ready(&c, 2, T);
	assert_int_equal(reserve(&c, 900, T), ACD_E_STATE); /* one call, one agent */
	assert_int_equal(IN(&c, ACD_IN_ENTER, T, .call_id = 901, .queue_id = 50), 0);
	assert_int_equal(reserve(&c, 901, T), ACD_E_STATE);
	centre_done(&c);
}

TEST(an_agent_who_is_let_go_is_idle_since_before)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	ready(&c, 2, T + 10);
	assert_int_equal(reserve(&c, 900, T + 100), 0);
	assert_int_equal(IN(&c, ACD_IN_UNRESERVE, T + 20000, .call_id = 900), 0);
	assert_string_equal(SAID(&c), "1:ready");
	assert_int_equal(IN(&c, ACD_IN_UNRESERVE, T + 20000, .call_id = 900), ACD_E_STALE);
	assert_int_equal(reserve(&c, 901, T + 20100), 0);
	assert_string_equal(SAID(&c), "901=1 1:reserved"); /* idle longest still: no key, no wait, no place lost */
	centre_step(&c, T + 200000);
	assert_string_equal(SAID(&c), "1:ready");
	assert_int_equal(view(&c, 1).since_ms, T + 80100); /* its end, nominally */
	centre_done(&c);
}

TEST(a_caller_waits_while_his_agent_is_reserved_and_is_first_afterwards)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_int_equal(reserve(&c, 900, T + 100), 0);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 200, .call_id = 7, .queue_id = 51), 0);
	assert_string_equal(SAID(&c), "");
	assert_int_equal(IN(&c, ACD_IN_UNRESERVE, T + 300, .call_id = 900), 0);
	assert_string_equal(SAID(&c), "1:ready 7>1 1:ringing");
	centre_done(&c);
}

TEST(an_owner_who_is_reserved_is_waited_for)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	ready(&c, 2, T + 10);
	assert_int_equal(reserve(&c, 900, T + 100), 0);
	assert_int_equal(IN(&c, ACD_IN_ENTER, T + 200, .call_id = 7, .queue_id = 51, .owner_id = 1), 0);
	assert_string_equal(SAID(&c), "7?1(reserved)");
	assert_int_equal(IN(&c, ACD_IN_UNRESERVE, T + 300, .call_id = 900), 0);
	assert_string_equal(SAID(&c), "1:ready 7>1 1:ringing");
	centre_done(&c);
}

TEST(break_log_out_and_a_lost_device_end_a_reservation_at_once)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_int_equal(reserve(&c, 900, T), 0);
	assert_int_equal(IN(&c, ACD_IN_READY, T, .agent_id = 1), 0);
	assert_string_equal(SAID(&c), "");
	assert_int_equal(IN(&c, ACD_IN_BREAK, T, .agent_id = 1, .reason = "lunch"), 0);
	assert_string_equal(SAID(&c), "1:break(lunch)");
	assert_int_equal(IN(&c, ACD_IN_SEIZE, T, .agent_id = 1, .call_id = 900), 0); /* the customer had answered in that moment */
	assert_int_equal(IN(&c, ACD_IN_RELEASE, T, .agent_id = 1, .call_id = 900), 0);
	assert_string_equal(SAID(&c), "1:break(lunch)");
	assert_int_equal(IN(&c, ACD_IN_READY, T, .agent_id = 1), 0);
	assert_int_equal(reserve(&c, 901, T), 0);
	assert_int_equal(IN(&c, ACD_IN_SEIZE, T, .agent_id = 1, .call_id = 555), ACD_E_STATE); /* nobody else may have him */
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 10, .agent_id = 1, .device_up = false), 0);
	assert_string_equal(SAID(&c), "1:break(device)");
	assert_int_equal(IN(&c, ACD_IN_DEVICE, T + 20, .agent_id = 1, .device_up = true), 0);
	assert_string_equal(SAID(&c), "1:ready");
	assert_int_equal(reserve(&c, 902, T + 30), 0);
	assert_int_equal(IN(&c, ACD_IN_LOGOUT, T + 40, .agent_id = 1), 0);
	assert_string_equal(SAID(&c), "1:offline(logout)");
	centre_done(&c);
}

TEST(a_telephone_that_refuses_the_reservation_is_out_as_after_an_offer)
{
	struct centre c;

	setup(&c);
	ready(&c, 1, T);
	assert_int_equal(reserve(&c, 900, T), 0);
	assert_int_equal(IN(&c, ACD_IN_UNRESERVE, T + 10, .call_id = 900, .code = 486), 0);
	assert_string_equal(SAID(&c), "1:noanswer(refused)");
	centre_step(&c, T + 15010); /* REFUSED_AGENT_MS */
	assert_string_equal(SAID(&c), "1:ready");
	assert_int_equal(reserve(&c, 901, T + 15010), 0);
	assert_int_equal(IN(&c, ACD_IN_UNRESERVE, T + 15020, .call_id = 901, .code = 480), 0);
	assert_string_equal(SAID(&c), "1:break(device)");
	centre_done(&c);
}
