/* Campaigns, played against the whole switch: the data is a double that hands out what the test has laid ready. */
#include "switch/bed_test.h"

#include "switch/sw_campaign.h"

static struct sw_claim ready[16];
static unsigned ready_n, given_n;
static atomic_int asked;

/* On the switch's thread. All at once, whatever is wanted: more may be there than agents. */
static void leads(struct sw *sw, int64_t campaign_id, int want, void *arg)
{
	asked++;
	assert_int_equal(campaign_id, CAMPAIGN);
	assert_int_equal(sw_claims(sw, campaign_id, ready + given_n, ready_n - given_n, clock_utc_ms() + 3600000, "empty"), 0);
	given_n = ready_n;
}

static void lead(int64_t id, const char *number)
{
	struct sw_claim *c = &ready[ready_n++];

	*c = (struct sw_claim){.id = id, .campaign_id = CAMPAIGN, .lead_id = id + 100, .customer_id = id + 200, .nth = 1};
	(void)snprintf(c->number, sizeof(c->number), "%s", number);
}

/* Alice alone, progressive. */
static void centre(void)
{
	plan_default();
	ready_n = given_n = 0;
	asked = 0;
	plan.leads = leads;
	plan.campaigns_n = 1;
	plan.campaigns[0] = (struct sw_campaign){.id = CAMPAIGN, .name = "c", .mode = SW_PROGRESSIVE, .running = true, .ring_s = 30, .record = true};
	plan.aq[2] = (struct acd_queue_conf){.id = CAMPAIGN, .priority = -1, .ring_ms = 20000, .wait_max_ms = 2000, .wrapup_ms = 20000};
	plan.members[plan.members_n++] = (struct acd_member){ALICE, CAMPAIGN, 1};
}

static void ended(const char *claim, const char *result)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "\"claim\":\"%s\",", claim);
	assert_non_null(strstr(events[await_event(0, EV_ATTEMPT_END, 0, text)].body, result));
	assert_int_equal(count_events(EV_ATTEMPT_END, text), 1);
}

TEST(progressive_keeps_an_agent_dials_and_connects_them)
{
	struct dlg a, c;

	centre();
	lead(1, "13800000001");
	begin();
	rung(&a, &phone_a);
	assert_non_null(strstr(a.invite, "X-Huawu-Auto-Answer: 1"));
	(void)await_event(0, EV_RESERVE_NEW, ALICE, "\"winner\":\"1\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"reserved\"");
	assert_null(look(&trunk, "INVITE", NULL, 0)); /* nobody is dialled before somebody can talk to him */
	answer(&a);
	rung(&c, &trunk);
	assert_non_null(strstr(c.invite, "13800000001"));
	(void)await_event(0, EV_ATTEMPT_NEW, ALICE, "\"mode\":\"progressive\"");
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	(void)await_event(0, EV_REC_OPEN, ALICE, "");
	bye(&c);
	expect_bye(&a);
	ended("1", "\"result\":\"answered\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"wrapup\"");
	end();
}

TEST(who_does_not_answer_costs_no_key_and_the_next_is_dialled)
{
	struct dlg a, c;

	centre();
	lead(1, "13800000001");
	lead(2, "13800000002");
	begin();
	rung(&a, &phone_a);
	answer(&a);
	rung(&c, &trunk);
	refuse(&c, 486);
	expect_bye(&a);
	ended("1", "\"result\":\"busy\"");
	rung(&a, &phone_a);
	answer(&a);
	rung(&c, &trunk);
	assert_non_null(strstr(c.invite, "13800000002"));
	assert_int_equal(count_events(EV_AGENT_STATE, "\"wrapup\""), 0);
	refuse(&c, 404);
	expect_bye(&a);
	ended("2", "\"result\":\"empty\"");
	end();
}

TEST(calls_in_go_before_calls_out_and_nobody_is_dialled_without_an_agent)
{
	struct dlg in, a;

	centre();
	begin();
	call(&in, "13900000001", "q");
	rung(&a, &phone_a);
	lead(1, "13800000001");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"ringing\"");
	answer(&a);
	expect_final(&in, 200);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(count_events(EV_RESERVE_NEW, ""), 0);
	bye(&in);
	expect_bye(&a);
	end();
}

TEST(a_pause_gives_back_what_was_not_dialled)
{
	struct dlg a, c;

	centre();
	lead(1, "13800000001");
	lead(2, "13800000002");
	begin();
	rung(&a, &phone_a);
	answer(&a);
	rung(&c, &trunk);
	plan.campaigns[0].running = false;
	reconfigure();
	ended("2", "\"result\":\"returned\",\"why\":\"stopped\"");
	answer(&c); /* who rings goes on */
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	ended("1", "\"result\":\"answered\"");
	end();
}

TEST(a_claim_that_came_too_late_is_not_dialled)
{
	centre();
	lead(1, "13800000001");
	ready[0].until_ms = 1000;
	begin();
	ended("1", "\"result\":\"returned\",\"why\":\"late\"");
	assert_int_equal(count_events(EV_ATTEMPT_NEW, ""), 0);
	end();
}

TEST(a_stop_gives_everything_back_and_the_log_knows_each_claim_once)
{
	struct dlg a;

	centre();
	for (int i = 1; i <= 5; i++)
		lead(i, "13800000001");
	begin();
	rung(&a, &phone_a);
	sw_stop(bed.sw, 0);
	for (int i = 1; i <= 5; i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "%d", i);
		ended(id, "\"result\":\"returned\"");
	}
	end();
}

TEST(what_carriers_answer_means)
{
	/* RFC 3398 8.2.6 and ITU-T Q.850, see sw_campaign.c */
	static const struct { int code, q850; bool rang; const char *result; } cases[] = {
		{404, 0, false, "empty"}, {484, 0, false, "empty"}, {604, 0, false, "empty"}, {480, 1, false, "empty"},
		{486, 0, true, "busy"}, {600, 0, false, "busy"}, {480, 17, true, "busy"}, {603, 0, true, "rejected"}, {480, 21, true, "rejected"},
		{480, 0, true, "noanswer"}, {480, 0, false, "unreachable"}, {408, 0, true, "noanswer"}, {480, 20, false, "unreachable"},
		{480, 19, true, "noanswer"}, {503, 0, false, "failed"}, {500, 0, false, "failed"}, {488, 0, false, "failed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(sw_attempt_result(cases[i].code, cases[i].q850, cases[i].rang), cases[i].result);
}
