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
	from = event_n;
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
