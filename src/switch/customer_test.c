/* Whose customer calls, played against the whole switch: the answer in time, too late, or never; and the turn of a team. */
#include "switch/bed_test.h"

/* What the data says of whoever calls, and when it says so: the test's thread gives answers that are late. */
static struct sw_customer known;
static atomic_llong asked_call;
static atomic_bool answers_at_once;
static char asked_number[64];

static void ask(struct sw *sw, int64_t call_id, const char *number, void *arg)
{
	struct sw_customer c = known;

	(void)snprintf(asked_number, sizeof(asked_number), "%s", number);
	asked_call = call_id;
	c.call_id = call_id;
	if (answers_at_once)
		assert_int_equal(sw_customer(sw, &c), 0);
}

/* Bob serves the queue behind Alice: who rings first says whether it was for the owner. */
static void centre(int64_t owner_id, bool at_once)
{
	plan_default();
	plan.queues[0].answer_first = true;
	plan.queues[0].owner_first = true;
	plan.aq[0].owner_ms = 15000;
	plan.ask = ask;
	known = (struct sw_customer){.customer_id = 900, .owner_id = owner_id, .team_id = 5};
	answers_at_once = at_once;
	asked_call = 0;
}

TEST(a_known_caller_rings_his_owner_and_the_call_is_his)
{
	struct dlg c, b;

	centre(BOB, true);
	known.back_campaign_id = CAMPAIGN;
	known.back_claim_id = 70;
	begin();
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	(void)await_event(0, EV_CALL_RINGBACK, 0, "\"claim\":\"70\"");
	bye(&c);
	expect_bye(&b);
	assert_string_equal(asked_number, "13800000001");
	assert_int_equal(count_events(EV_CALL_CUSTOMER, "\"customer\":\"900\""), 1);
	(void)await_event(0, EV_OFFER_NEW, BOB, "\"rule\":\"owner\"");
	end();
}

TEST(who_rings_back_out_of_hours_and_finds_nobody_is_told_so)
{
	struct dlg c;

	centre(BOB, true);
	known.back_campaign_id = CAMPAIGN;
	known.back_claim_id = 70;
	known.back_closed = true;
	begin();
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = ALICE), SW_OK);
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = BOB), SW_OK);
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	(void)await_event(0, EV_CALL_RINGBACK, 0, "\"claim\":\"70\"");
	(void)await_event(0, EV_SEG_OPEN, 0, "\"closed\"");
	expect_bye(&c); /* the prompt is over */
	assert_null(look(&phone_b, "INVITE", NULL, 0));
	end();
}

TEST(who_rings_back_out_of_hours_while_somebody_is_there_is_served)
{
	struct dlg c, b;

	centre(BOB, true);
	known.back_campaign_id = CAMPAIGN;
	known.back_claim_id = 70;
	known.back_closed = true;
	begin();
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	expect_bye(&b);
	end();
}

TEST(a_caller_whom_nobody_knows_goes_on_at_once)
{
	struct dlg c, a;

	centre(0, true);
	known = (struct sw_customer){0};
	begin();
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	rung(&a, &phone_a);
	answer(&a);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	assert_int_equal(count_events(EV_CALL_CUSTOMER, ""), 0);
	assert_int_equal(count_events(EV_QUEUE_OWNER, ""), 0);
	end();
}

TEST(data_that_is_slow_delays_nobody_beyond_150_ms_and_its_answer_is_a_fact_only)
{
	struct sw_customer late;
	struct dlg c, a;
	int in, offer;

	centre(BOB, false);
	begin();
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	rung(&a, &phone_a); /* not Bob, and without any answer */
	in = await_event(0, EV_ACD_IN, 0, "\"k\":\"enter\"");
	offer = await_event(0, EV_OFFER_NEW, ALICE, "");
	(void)await_event(0, EV_QUEUE_OWNER, 0, "\"why\":\"late\"");
	/* by the decision's own time, whatever the machine does meanwhile */
	assert_true(strtoll(strstr(events[offer].body, "{\"t\":") + 5, NULL, 10) - events[in].at_ms <= 150);
	late = known;
	late.call_id = asked_call;
	assert_int_equal(sw_customer(bed.sw, &late), 0);
	(void)await_event(offer, EV_CALL_CUSTOMER, 0, "900");
	answer(&a);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	assert_int_equal(count_events(EV_OFFER_NEW, ""), 1);
	end();
}

TEST(a_queue_without_owner_first_waits_for_no_answer)
{
	struct dlg c, a;

	centre(BOB, false);
	plan.queues[0].owner_first = false;
	plan.aq[0].owner_ms = 0;
	begin();
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	rung(&a, &phone_a);
	assert_int_equal(count_events(EV_QUEUE_OWNER, ""), 0);
	answer(&a);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(a_hidden_number_is_nobodys_and_not_asked_for)
{
	struct dlg c, a;

	centre(BOB, true);
	begin();
	call(&c, "anonymous", "q");
	expect_final(&c, 200);
	rung(&a, asked_call ? &phone_b : &phone_a);
	answer(&a);
	(void)await_event(0, EV_SEG_OPEN, 0, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

static int64_t drawn;
static bool drawn_free, drawn_owed;

static void on_drawn(int64_t agent_id, bool is_free, bool owed, void *arg)
{
	drawn = agent_id;
	drawn_free = is_free;
	drawn_owed = owed;
	(void)sem_post(arg);
}

static int64_t turn(int64_t team_id, int64_t by_id)
{
	struct sw_turn t = {.team_id = team_id, .by_id = by_id, .customer_id = 900};
	sem_t done;

	(void)sem_init(&done, 0, 0);
	assert_int_equal(sw_turn(bed.sw, &t, on_drawn, &done), 0);
	while (sem_wait(&done))
		;
	(void)sem_destroy(&done);
	return drawn;
}

TEST(turns_go_round_the_team_and_a_call_goes_along_with_the_customer)
{
	struct sw_cmd cmd = {.kind = SW_TRANSFER, .user_id = ALICE, .target_id = BOB};
	struct dlg c, a, b;

	centre(0, true);
	known = (struct sw_customer){0};
	begin();
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"ready\"");
	assert_int_equal(turn(6, 0), 0);     /* its only one is not logged in */
	assert_int_equal(turn(777, 0), 0);
	assert_int_equal(turn(5, 0), ALICE);
	assert_int_equal(turn(5, 0), BOB);
	call(&c, "13800000001", "q");
	expect_final(&c, 200);
	rung(&a, &phone_a);
	answer(&a);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(turn(5, BOB), BOB);   /* Alice talks: she is owed this one */
	assert_true(drawn_free && !drawn_owed);
	assert_int_equal(command(cmd), SW_OK);
	rung(&b, &phone_b);
	assert_int_equal(command(cmd), SW_R_STATE);
	answer(&b);
	expect_bye(&a);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"ready\",\"prev\":\"talking\"");
	assert_int_equal(turn(5, 0), ALICE);
	assert_true(drawn_free && drawn_owed);
	bye(&c);
	expect_bye(&b);
	assert_int_equal(count_events(EV_TURN_DRAW, ""), 4);
	end();
}

TEST(a_turn_that_came_to_nothing_is_owed)
{
	struct sw_turn back = {.team_id = 5, .back_id = ALICE};

	centre(0, true);
	begin();
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"ready\"");
	assert_int_equal(turn(5, 0), ALICE);
	assert_int_equal(sw_turn(bed.sw, &back, NULL, NULL), 0);
	assert_int_equal(turn(5, 0), ALICE);
	assert_true(drawn_owed);
	assert_int_equal(turn(5, 0), BOB);
	end();
}
