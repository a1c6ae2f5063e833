/* Which of his devices rings is the agent's choice; and the test ring, which is no call. */
#include "switch/bed_test.h"

/* Alice has two telephones: a1, and the one at phone_b. */
static void two_phones(void)
{
	static char uri[64];

	plan_default();
	(void)snprintf(uri, sizeof(uri), "sip:a9@%s", phone_b.at);
	plan.devices[2] = (struct sw_device){.id = 13, .user_id = ALICE, .name = "a9", .static_uri = uri};
	plan.users[1].static_agent = false;
	plan.queues[0].answer_first = true;
	begin();
}

TEST(calls_ring_the_device_that_was_chosen_and_it_changes_only_between_calls)
{
	struct dlg c, a;
	int from;

	two_phones();
	from = await_event(0, EV_AGENT_DEVICE, ALICE, "\"a1\"");
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = ALICE, .device = "a2", .ready = true), SW_R_NO_DEVICE); /* Bob's */
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = ALICE, .device = "a9", .ready = true), SW_OK);
	(void)await_event(from + 1, EV_AGENT_DEVICE, ALICE, "\"a9\"");
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	rung(&a, &phone_b);
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = ALICE, .device = "a1", .ready = true), SW_R_STATE);
	answer(&a);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = ALICE, .device = "a1", .ready = true), SW_R_STATE);
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(a_chosen_device_that_is_not_there_gets_no_calls_and_says_why)
{
	int from;

	two_phones();
	from = await_event(0, EV_AGENT_DEVICE, ALICE, "\"a1\"");
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = ALICE, .device = "", .ready = true), SW_OK); /* his browser, which is closed */
	(void)await_event(from + 1, EV_AGENT_STATE, ALICE, "\"reason\":\"device\"");
	assert_int_equal(COMMAND(.kind = SW_READY, .user_id = ALICE), SW_R_NO_DEVICE);
	from = events_now();
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = ALICE, .device = "a9", .ready = true), SW_OK); /* the switch that is offered */
	assert_int_equal(COMMAND(.kind = SW_READY, .user_id = ALICE), SW_OK);
	(void)await_event(from, EV_AGENT_STATE, ALICE, "\"state\":\"ready\"");
	end();
}

TEST(a_test_ring_is_no_call_and_ends_by_itself_when_answered)
{
	struct dlg a;

	two_phones();
	assert_int_equal(COMMAND(.kind = SW_TEST_RING, .user_id = ALICE, .device = "a2"), SW_R_NO_DEVICE);
	assert_int_equal(COMMAND(.kind = SW_TEST_RING, .user_id = ALICE, .device = ""), SW_R_NO_DEVICE);
	assert_int_equal(COMMAND(.kind = SW_TEST_RING, .user_id = ALICE, .device = "a9"), SW_OK);
	rung(&a, &phone_b);
	assert_int_equal(COMMAND(.kind = SW_TEST_RING, .user_id = ALICE, .device = "a9"), SW_R_STATE);
	answer(&a);
	expect_bye(&a);
	assert_int_equal(find_event(0, EV_CALL_NEW, 0, ""), -1);
	assert_int_equal(find_event(0, EV_LEG_NEW, 0, ""), -1);
	end();
}

TEST(a_call_ends_a_test_ring)
{
	struct dlg c, a, t;

	two_phones();
	assert_int_equal(COMMAND(.kind = SW_TEST_RING, .user_id = ALICE, .device = "a1"), SW_OK);
	rung(&t, &phone_a);
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	expect_cancel(&t);
	rung(&a, &phone_a);
	answer(&a);
	bye(&c);
	expect_bye(&a);
	end();
}

/* Two of a team with one slot: the second waits, is told when it is his, and goes; a lead's word needs no slot. */
TEST(a_break_waits_for_its_slot_and_a_leads_word_does_not)
{
	int n;

	plan_default();
	plan.users[0].team_id = plan.users[1].team_id = 5;
	plan.users[0].rest_max = plan.users[1].rest_max = 1;
	begin();
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\"");
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"ready\"");
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = ALICE, .reason = "lunch"), SW_OK);
	(void)await_event(0, EV_REST, ALICE, "\"granted\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"lunch\"");
	n = events_now();
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = BOB, .reason = "tea"), SW_OK);
	(void)await_event(n, EV_REST, BOB, "\"what\":\"waits\",\"why\":\"team\"");
	assert_int_equal(COMMAND(.kind = SW_READY, .user_id = ALICE), SW_OK);
	(void)await_event(n, EV_REST, BOB, "\"turn\"");
	assert_int_equal(count_events(EV_AGENT_STATE, "\"tea\""), 0);
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = BOB, .reason = "tea"), SW_OK);
	(void)await_event(n, EV_AGENT_STATE, BOB, "\"tea\"");
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = ALICE, .reason = "tea"), SW_OK);
	(void)await_event(n, EV_REST, ALICE, "\"waits\"");
	assert_int_equal(COMMAND(.kind = SW_BREAK_CANCEL, .user_id = ALICE), SW_OK);
	(void)await_event(n, EV_REST, ALICE, "\"cancelled\"");
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = ALICE, .reason = "forced", .force = true), SW_OK);
	(void)await_event(n, EV_AGENT_STATE, ALICE, "\"forced\"");
	end();
}
