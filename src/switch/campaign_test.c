/* Campaigns, played against the whole switch: the data is a double that hands out what the test has laid ready. */
#include "switch/bed_test.h"

#include "switch/sw_campaign.h"

static struct sw_claim ready[16];
static atomic_uint ready_n;
static unsigned given_n; /* the switch's thread's, while it runs */
static atomic_int asked;

/* On the switch's thread. All at once, whatever is wanted: more may be there than agents. */
static void leads(struct sw *sw, int64_t campaign_id, int want, void *arg)
{
	unsigned n = ready_n;

	asked++;
	assert_int_equal(campaign_id, CAMPAIGN);
	assert_int_equal(sw_claims(sw, campaign_id, ready + given_n, n - given_n, clock_utc_ms() + 3600000, "empty"), 0);
	given_n = n;
}

static void lead(int64_t id, const char *number)
{
	struct sw_claim *c = &ready[ready_n];

	*c = (struct sw_claim){.id = id, .campaign_id = CAMPAIGN, .lead_id = id + 100, .customer_id = id + 200, .nth = 1};
	(void)snprintf(c->number, sizeof(c->number), "%s", number);
	ready_n++; /* the switch's thread may take it now */
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
	ended("1", "\"result\":\"answered\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"wrapup\"");
	assert_null(look(&phone_a, "BYE", NULL, 0)); /* his telephone stays connected */
	end();
}

TEST(who_does_not_answer_costs_no_key_and_the_next_is_put_through_on_the_same_leg)
{
	struct dlg a, c;

	centre();
	plan.aq[2].wrapup_ms = 0;
	lead(1, "13800000001");
	lead(2, "13800000002");
	lead(3, "13800000003");
	begin();
	rung(&a, &phone_a);
	answer(&a);
	rung(&c, &trunk);
	refuse(&c, 486);
	ended("1", "\"result\":\"busy\"");
	rung(&c, &trunk);
	assert_non_null(strstr(c.invite, "13800000002"));
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	ended("2", "\"result\":\"answered\"");
	rung(&c, &trunk);
	assert_non_null(strstr(c.invite, "13800000003"));
	refuse(&c, 404);
	ended("3", "\"result\":\"empty\"");
	assert_null(look(&phone_a, "INVITE", NULL, 0));
	assert_int_equal(count_events(EV_LEG_NEW, "\"role\":\"agent\""), 1);
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
	ended("1", "\"result\":\"answered\"");
	expect_bye(&a); /* no campaign runs for her any more */
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

/* Bob too, as good as Alice. */
static void with_bob(void)
{
	plan.members[plan.members_n++] = (struct acd_member){BOB, CAMPAIGN, 2};
}

/* Alice's telephone answers, and the customer is rung. */
static void ringing(struct dlg *a, struct dlg *c)
{
	rung(a, &phone_a);
	answer(a);
	rung(c, &trunk);
}

TEST(an_agent_who_leaves_is_replaced_and_the_customer_hears_nothing_of_it)
{
	struct dlg a, b, c;

	centre();
	with_bob();
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = ALICE, .reason = "lunch"), SW_OK);
	expect_bye(&a);
	rung(&b, &phone_b);
	answer(&b);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	assert_int_equal(count_events(EV_ATTEMPT_NEW, ""), 1);
	end();
}

/* He has answered and waits for a telephone; the one that comes first is his, and what watched over his ringing and waiting is over. */
TEST(who_answers_before_the_next_agents_telephone_is_put_through_when_it_is_there)
{
	struct dlg a, b, c;

	centre();
	plan.campaigns[0].wait_max_ms = 20000;
	with_bob();
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = ALICE, .reason = "lunch"), SW_OK);
	expect_bye(&a);
	rung(&b, &phone_b);
	answer(&c);
	assert_int_equal(count_events(EV_SEG_OPEN, "\"talk\""), 0);
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	end();
}

TEST(a_trunks_calls_end_when_it_is_taken_away)
{
	struct dlg a, c;

	centre();
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(sw_hang_up_trunk(bed.sw, TRUNK + 1), 0);
	assert_int_equal(sw_hang_up_trunk(bed.sw, TRUNK), 0);
	expect_bye(&c);
	(void)await_event(0, EV_CALL_END, ALICE, "taken away");
	assert_int_equal(count_events(EV_CALL_END, ""), 1);
	end();
}

TEST(when_the_last_agent_leaves_nobody_is_rung_any_longer)
{
	struct dlg a, c;

	centre();
	lead(1, "13800000001");
	lead(2, "13800000002");
	begin();
	ringing(&a, &c);
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = ALICE), SW_OK);
	expect_cancel(&c);
	expect_bye(&a);
	ended("1", "\"result\":\"noanswer\"");
	ended("2", "\"result\":\"returned\",\"why\":\"nobody\"");
	end();
}

TEST(an_agent_who_hangs_up_between_calls_is_on_a_break)
{
	struct dlg a, c;

	centre();
	plan.aq[2].wrapup_ms = 0;
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	refuse(&c, 486);
	ended("1", "\"result\":\"busy\"");
	bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"reason\":\"phone\"");
	lead(2, "13800000002");
	assert_int_equal(COMMAND(.kind = SW_READY, .user_id = ALICE), SW_OK);
	end();
}

TEST(an_agent_who_cannot_be_reached_is_out_and_the_customer_is_anothers)
{
	struct dlg a, b, c;

	centre();
	with_bob();
	lead(1, "13800000001");
	begin();
	rung(&a, &phone_a);
	refuse(&a, 486);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"noanswer\"");
	rung(&b, &phone_b);
	answer(&b);
	rung(&c, &trunk);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	end();
}

TEST(a_call_in_is_put_through_on_the_connected_telephone)
{
	struct dlg a, c, in;

	centre();
	plan.aq[2].wrapup_ms = 0;
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	refuse(&c, 486);
	ended("1", "\"result\":\"busy\"");
	call(&in, "13900000001", "q");
	expect_final(&in, 200);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_null(look(&phone_a, "INVITE", NULL, 0));
	bye(&in);
	(void)await_event(0, EV_CALL_END, ALICE, "\"customer\"");
	assert_null(look(&phone_a, "BYE", NULL, 0));
	end();
}

TEST(a_call_that_is_for_him_rings_and_the_connection_gives_way)
{
	struct dlg a, b, c, in;

	centre();
	with_bob();
	plan.members[4].level = 3; /* Bob first */
	plan.numbers[2].target_id = BOB;
	lead(1, "13800000001");
	begin();
	rung(&b, &phone_b);
	answer(&b);
	rung(&c, &trunk);
	refuse(&c, 486);
	ended("1", "\"result\":\"busy\"");
	call(&in, "13900000001", "user");
	expect_bye(&b);
	rung(&a, &phone_b);
	assert_null(strstr(a.invite, "Auto-Answer"));
	answer(&a);
	expect_final(&in, 200);
	bye(&in);
	expect_bye(&a);
	end();
}

TEST(click_to_dial_uses_the_connected_telephone)
{
	struct dlg a, c;

	centre();
	plan.aq[2].wrapup_ms = 0;
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	refuse(&c, 486);
	ended("1", "\"result\":\"busy\"");
	assert_int_equal(dial(ALICE, "13800000005"), SW_OK);
	rung(&c, &trunk);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(COMMAND(.kind = SW_HANGUP, .user_id = ALICE), SW_OK);
	expect_bye(&c);
	assert_null(look(&phone_a, "BYE", NULL, 0));
	assert_null(look(&phone_a, "INVITE", NULL, 0));
	end();
}

TEST(nobody_is_dialled_who_is_in_a_call)
{
	struct dlg in, a, b;

	centre();
	with_bob();
	plan.leads = NULL;
	begin();
	call(&in, "13800000001", "q");
	rung(&a, &phone_a);
	lead(1, "13800000001");
	assert_int_equal(sw_claims(bed.sw, CAMPAIGN, ready, 1, 0, ""), 0);
	rung(&b, &phone_b);
	answer(&b);
	ended("1", "\"result\":\"returned\",\"why\":\"in_call\"");
	assert_null(look(&trunk, "INVITE", NULL, 0));
	cancelled(&in);
	end();
}

TEST(a_trunk_that_wants_rest_gives_the_claim_back_uncounted)
{
	struct dlg a, c;

	centre();
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	send_text(&trunk, "SIP/2.0 503 X\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
		  header(c.invite, "Via"), header(c.invite, "From"), c.local, c.call_id, header(c.invite, "CSeq"));
	(void)await(&trunk, "ACK", c.call_id);
	ended("1", "\"result\":\"returned\",\"why\":\"rest\"");
	lead(2, "13800000002");
	assert_int_equal(sw_claims(bed.sw, CAMPAIGN, ready + 1, 1, clock_utc_ms() + 60000, ""), 0);
	(void)await_event(0, EV_CAMPAIGN_STATE, 0, "\"why\":\"trunk\",\"trunk\":\"resting\"");
	assert_int_equal(count_events(EV_ATTEMPT_NEW, ""), 1); /* it is kept until the trunk is back */
	end();
}

/* As the carrier answers OPTIONS, or would. */
static void answers_options(void)
{
	struct dlg d = {.p = &trunk};
	const char *m = await(&trunk, "OPTIONS", NULL);

	(void)snprintf(d.local, sizeof(d.local), "%s;tag=o", header(m, "To"));
	respond(&d, m, 200, "");
}

TEST(while_the_trunk_is_down_nobody_is_dialled_and_the_claim_is_kept_for_it)
{
	struct dlg a, c;

	centre();
	plan.trunks[0].options_s = 1;
	plan.trunks[0].options_fails = 2;
	begin();
	(void)await_event(0, EV_TRUNK_STATE, 0, "\"state\":\"down\"");
	lead(1, "13800000001");
	assert_int_equal(sw_claims(bed.sw, CAMPAIGN, ready, 1, clock_utc_ms() + 60000, ""), 0);
	(void)await_event(0, EV_CAMPAIGN_STATE, 0, "\"why\":\"trunk\"");
	assert_int_equal(count_events(EV_ATTEMPT_NEW, ""), 0);
	while (!count_events(EV_TRUNK_STATE, "\"state\":\"up\""))
		answers_options();
	ringing(&a, &c);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	assert_int_equal(count_events(EV_ATTEMPT_NEW, ""), 1);
	end();
}

static void no_leads(struct sw *sw, int64_t campaign_id, int want, void *arg)
{
	asked++;
}

/* Asked once, however long it takes; what comes is dialled if there still is time for it. */
TEST(a_slow_database_is_waited_for_and_what_comes_too_late_is_not_dialled)
{
	struct dlg a, c;

	centre();
	plan.leads = no_leads;
	lead(1, "13800000001");
	lead(2, "13800000002");
	ready[0].until_ms = 1000;
	begin();
	(void)await_event(0, EV_CAMPAIGN_STATE, 0, "\"why\":\"slow\"");
	assert_int_equal(asked, 1);
	assert_int_equal(sw_claims(bed.sw, CAMPAIGN, ready, 2, clock_utc_ms() + 60000, "empty"), 0);
	ended("1", "\"result\":\"returned\",\"why\":\"late\"");
	ringing(&a, &c);
	assert_non_null(strstr(c.invite, "13800000002"));
	refuse(&c, 486);
	ended("2", "\"result\":\"busy\"");
	assert_int_equal(count_events(EV_ATTEMPT_NEW, ""), 1);
	end();
}

TEST(a_talk_longer_than_the_project_allows_is_an_alarm_until_it_ends)
{
	struct dlg a, c;

	centre();
	plan.campaigns[0].talk_max_ms = 200;
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	answer(&c);
	(void)await_event(0, EV_SYS_ALARM, 0, "\"what\":\"talk_long\"");
	assert_int_equal(count_events(EV_SYS_ALARM, "\"on\":false"), 0);
	bye(&c);
	(void)await_event(0, EV_SYS_ALARM, 0, "\"on\":false");
	ended("1", "\"result\":\"answered\"");
	end();
}

TEST(customers_who_hang_up_at_once_are_no_matter_of_the_toll_guard)
{
	static const struct sw_toll_conf toll = {.short_burst = 1};
	struct dlg a, c;

	centre();
	plan.aq[2].wrapup_ms = 0;
	plan.toll = &toll;
	for (int i = 1; i <= 6; i++) /* a trunk's alarm comes with the fifth */
		lead(i, "13800000001");
	begin();
	rung(&a, &phone_a);
	answer(&a);
	for (int i = 1; i <= 6; i++) {
		char id[8];

		rung(&c, &trunk);
		answer(&c);
		bye(&c);
		(void)snprintf(id, sizeof(id), "%d", i);
		ended(id, "\"result\":\"answered\"");
	}
	assert_int_equal(count_events(EV_SYS_ALARM, ""), 0);
	end();
}

TEST(a_number_that_is_barred_fails_and_is_not_tried_again)
{
	struct dlg a;

	centre();
	lead(1, "0044207946000");
	lead(2, "110");
	begin();
	rung(&a, &phone_a);
	answer(&a);
	ended("1", "\"result\":\"failed\",\"why\":\"barred\"");
	ended("2", "\"result\":\"failed\",\"why\":\"barred\"");
	assert_null(look(&trunk, "INVITE", NULL, 0));
	assert_int_equal(count_events(EV_DIAL_REFUSED, "\"campaign\""), 1);
	end();
}

/* ---- preview ---- */

static void centre_preview(int seconds)
{
	centre();
	plan.campaigns[0].mode = SW_PREVIEW;
	plan.campaigns[0].preview_s = seconds;
}

TEST(preview_shows_the_customer_and_dials_when_the_agent_says_so)
{
	struct dlg a, c;

	centre_preview(600);
	lead(1, "13800000001");
	begin();
	rung(&a, &phone_a);
	answer(&a);
	(void)await_event(0, EV_PREVIEW_NEW, ALICE, "\"customer\":\"201\"");
	assert_null(look(&trunk, "INVITE", NULL, 0));
	assert_int_equal(COMMAND(.kind = SW_PREVIEW_DIAL, .user_id = BOB), SW_R_NO_CALL);
	assert_int_equal(COMMAND(.kind = SW_PREVIEW_DIAL, .user_id = ALICE), SW_OK);
	rung(&c, &trunk);
	assert_int_equal(COMMAND(.kind = SW_PREVIEW_DIAL, .user_id = ALICE), SW_R_NO_CALL);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	(void)await_event(0, EV_ATTEMPT_NEW, ALICE, "\"mode\":\"preview\"");
	end();
}

TEST(preview_dials_by_itself_when_its_time_is_over)
{
	struct dlg a, c;

	centre_preview(1);
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	(void)await_event(0, EV_PREVIEW_NEW, ALICE, "");
	refuse(&c, 486);
	ended("1", "\"result\":\"busy\"");
	end();
}

TEST(a_skipped_customer_goes_back_with_the_reason_and_the_next_is_shown)
{
	struct dlg a;

	centre_preview(600);
	lead(1, "13800000001");
	lead(2, "13800000002");
	begin();
	rung(&a, &phone_a);
	answer(&a);
	(void)await_event(0, EV_PREVIEW_NEW, ALICE, "\"claim\":\"1\"");
	assert_int_equal(COMMAND(.kind = SW_PREVIEW_SKIP, .user_id = ALICE, .reason = "known"), SW_OK);
	ended("1", "\"result\":\"returned\",\"why\":\"skip:known\"");
	(void)await_event(0, EV_PREVIEW_NEW, ALICE, "\"claim\":\"2\"");
	plan.campaigns[0].running = false;
	reconfigure();
	ended("2", "\"result\":\"returned\",\"why\":\"stopped\"");
	assert_int_equal(count_events(EV_ATTEMPT_NEW, ""), 0);
	expect_bye(&a);
	end();
}

/* ---- ahead of agents ---- */

static void centre_predictive(void)
{
	centre();
	plan.campaigns[0].mode = SW_PREDICTIVE;
	plan.campaigns[0].beep = true;
	plan.aq[2].wrapup_ms = 0;
}

TEST(who_answers_is_given_to_an_agent_whose_telephone_is_connected)
{
	struct dlg a, c;

	centre_predictive();
	lead(1, "13800000001");
	begin();
	rung(&a, &phone_a);
	assert_null(look(&trunk, "INVITE", NULL, 0)); /* nobody is dialled for telephones that are not there */
	answer(&a);
	rung(&c, &trunk);
	assert_int_equal(count_events(EV_RESERVE_NEW, ""), 0);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	(void)await_event(0, EV_OFFER_NEW, ALICE, "\"side\":\"agents\"");
	assert_int_equal(count_events(EV_ATTEMPT_NEW, "\"mode\":\"predictive\""), 1);
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	assert_null(look(&phone_a, "INVITE", NULL, 0));
	end();
}

/* What rings goes on: also for who answers then, an agent is there at once. */
TEST(a_stop_leaves_telephones_connected_until_the_last_who_rings_is_through)
{
	struct dlg a, c;

	centre_predictive();
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	plan.campaigns[0].running = false;
	reconfigure();
	(void)await_event(0, EV_CAMPAIGN_STATE, 0, "\"why\":\"paused\"");
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_null(look(&phone_a, "INVITE", NULL, 0)); /* not rung first */
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	expect_bye(&a);
	end();
}

TEST(when_all_leave_at_once_nobody_is_rung_any_longer_and_everything_goes_back)
{
	struct dlg a, b, c;

	centre_predictive();
	with_bob();
	for (int i = 1; i <= 12; i++)
		lead(i, "13800000001");
	begin();
	rung(&a, &phone_a);
	answer(&a);
	rung(&b, &phone_b);
	answer(&b);
	rung(&c, &trunk); /* the same number for all: one rings, the others are given back or wait */
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = ALICE, .reason = "lunch"), SW_OK);
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = BOB), SW_OK);
	expect_cancel(&c);
	for (int i = 1; i <= 12; i++) {
		char text[48];

		(void)snprintf(text, sizeof(text), "\"claim\":\"%d\",", i);
		(void)await_event(0, EV_ATTEMPT_END, 0, text);
	}
	assert_int_equal(count_events(EV_ATTEMPT_END, "\"abandoned\":true"), 0);
	assert_int_equal(count_events(EV_ATTEMPT_NEW, ""), 1);
	end();
}

/* She is taken in the moment before he answers. */
TEST(who_finds_nobody_free_is_abandoned_when_his_wait_is_over_and_it_is_counted)
{
	struct dlg a, c, in;

	centre_predictive();
	plan.aq[2].wait_max_ms = 300;
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	call(&in, "13900000001", "q");
	expect_final(&in, 200);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	answer(&c);
	expect_bye(&c);
	assert_non_null(strstr(events[await_event(0, EV_ATTEMPT_END, 0, "\"claim\":\"1\"")].body, "\"abandoned\":true"));
	ended("1", "\"result\":\"abandoned\"");
	bye(&in);
	end();
}

TEST(who_is_somebodys_own_is_dialled_only_with_him)
{
	struct dlg a, b, c;

	centre_predictive();
	with_bob();
	lead(1, "13800000001");
	ready[0].agent_id = BOB;
	begin();
	rung(&a, &phone_a);
	answer(&a);
	rung(&b, &phone_b);
	answer(&b);
	rung(&c, &trunk);
	(void)await_event(0, EV_RESERVE_NEW, BOB, "\"side\":\"asked\"");
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	end();
}

/* One who answered; the next process counts him, and two more that ended after that was written down. */
TEST(what_pacing_has_learned_goes_on_in_the_next_process)
{
	static char learned[65536];
	struct dlg a, c;
	struct db_stmt *st;
	struct db *db;

	centre_predictive();
	plan.campaigns[0].limit_permille = 30;
	lead(1, "13800000001");
	begin();
	ringing(&a, &c);
	(void)await_event(0, EV_ATTEMPT_NEW, 0, "\"pace\":{\"verdict\":\"dial\"");
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	ended("1", "\"result\":\"answered\"");
	(void)await_event(0, EV_CAMPAIGN_STATE, 0, "\"answered\":1,\"abandoned\":0");
	stop(0);
	db = records();
	assert_int_equal(db_prepare(&st, db, "SELECT body FROM campaign_pace WHERE campaign_id = 60"), 0);
	assert_int_equal(db_step(st), DB_ROW);
	(void)snprintf(learned, sizeof(learned), "%s", db_text(st, 0));
	db_done(st);
	db_close(db);
	plan.paces[0] = (struct sw_pace_state){CAMPAIGN, learned};
	plan.past[0] = (struct sw_past){.campaign_id = CAMPAIGN, .begin_ms = clock_utc_ms() - 9000, .answer_ms = clock_utc_ms() - 5000, .end_ms = clock_utc_ms(),
					.abandoned = true};
	plan.past[1] = (struct sw_past){.campaign_id = CAMPAIGN, .begin_ms = clock_utc_ms() - 9000, .end_ms = clock_utc_ms()};
	plan.paces_n = 1;
	plan.past_n = 2;
	event_n = 0;
	begin();
	(void)await_event(0, EV_CAMPAIGN_STATE, 0, "\"answered\":2,\"abandoned\":1");
	end();
}

/* ---- why nobody comes ---- */

static void says(const char *why)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "\"why\":\"%s\"", why);
	(void)await_event(0, EV_CAMPAIGN_STATE, 0, text);
}

TEST(a_campaign_says_what_keeps_customers_from_its_agents)
{
	struct dlg a, c;

	centre();
	plan.campaigns[0].running = false;
	begin();
	says("paused");
	plan.campaigns[0].running = true;
	reconfigure();
	says("empty"); /* as the data said */
	lead(1, "13800000001");
	assert_int_equal(sw_claims(bed.sw, CAMPAIGN, ready, 1, 0, "more"), 0);
	rung(&a, &phone_a);
	says("dialling");
	answer(&a);
	rung(&c, &trunk);
	answer(&c);
	says("busy");
	assert_int_equal(COMMAND(.kind = SW_BREAK, .user_id = ALICE, .reason = "lunch"), SW_OK);
	bye(&c);
	assert_int_equal(COMMAND(.kind = SW_WRAP_END, .user_id = ALICE), SW_OK);
	says("nobody");
	end();
}

TEST(what_carriers_answer_means)
{
	/* RFC 3398 8.2.6 and ITU-T Q.850, see sw_campaign.c */
	static const struct { int code, q850; bool rang; const char *result; } cases[] = {
		{404, 0, false, "empty"}, {484, 0, false, "empty"}, {604, 0, false, "empty"}, {480, 1, false, "empty"},
		{486, 0, true, "busy"}, {600, 0, false, "busy"}, {480, 17, true, "busy"}, {603, 0, true, "rejected"}, {480, 21, true, "rejected"},
		{480, 0, true, "noanswer"}, {480, 0, false, "unreachable"}, {408, 0, true, "noanswer"}, {480, 20, false, "unreachable"},
		{480, 19, true, "noanswer"}, {480, 18, true, "noanswer"}, {480, 18, false, "unreachable"}, {503, 0, false, "failed"}, {500, 0, false, "failed"}, {488, 0, false, "failed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(sw_attempt_result(cases[i].code, cases[i].q850, cases[i].rang), cases[i].result);
}
