/* The whole switch, played against: see bed_test.h. A test's name is its claim; what holds of every log is checked at its end. */
#include "switch/bed_test.h"

/* ---- through the queue ---- */

static void talk(struct dlg *c, struct dlg *a, const char *from)
{
	call(c, from, "q");
	expect_final(c, 200);
	rung(a, &phone_a);
	answer(a);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
}

static void only_alice(void)
{
	plan_default();
	plan.users[1].static_agent = false;
	plan.queues[0].answer_first = true;
}

TEST(caller_is_answered_in_order_and_hangs_up)
{
	struct dlg c, a;
	int ringing, offer, talking, seg, ended, ready;

	only_alice();
	begin();
	talk(&c, &a, "13800000001");
	bye(&c);
	expect_bye(&a);
	offer = await_event(0, EV_OFFER_NEW, ALICE, "");
	ringing = await_event(0, EV_AGENT_STATE, ALICE, "\"ringing\"");
	talking = await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"talking\"");
	seg = await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	ended = await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
	ready = await_event(ended, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	assert_true(abs(offer - ringing) == 1 && ringing < talking && talking < seg && seg < ended && ended < ready);
	assert_int_equal(events[talking].call, events[seg].call);
	assert_true(await_event(0, EV_OFFER_END, ALICE, "answered") < talking);
	assert_true(await_event(0, EV_LEG_ANSWER, ALICE, "") < seg);
	end();
}

TEST(agent_who_hangs_up_is_said_to_have)
{
	struct dlg c, a;

	only_alice();
	plan.aq[0].wrapup_ms = 60000;
	begin();
	talk(&c, &a, "1");
	bye(&a);
	expect_bye(&c);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"agent\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	end();
}

TEST(agent_of_an_abandoned_call_gets_the_next_caller_at_once)
{
	struct dlg c, d, a;
	int ended;

	only_alice();
	plan.queues[0].answer_first = false;
	begin();
	call(&c, "1", "q");
	expect_progress(&c, 180);
	call(&d, "2", "q");
	expect_progress(&d, 180);
	rung(&a, &phone_a);
	reply(&a, 180);
	cancelled(&c);
	expect_cancel(&a);
	ended = await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
	(void)await_event(ended, EV_OFFER_NEW, ALICE, "");
	rung(&a, &phone_a); /* and not a pause of 15 s */
	answer(&a);
	expect_final(&d, 200);
	bye(&d);
	expect_bye(&a);
	assert_int_equal(count_events(EV_OFFER_END, "failed"), 0);
	end();
}

TEST(refused_offer_goes_to_the_next_agent)
{
	struct dlg c, a, b;

	plan_default();
	begin();
	call(&c, "1", "q");
	rung(&a, &phone_a);
	refuse(&a, 486);
	rung(&b, &phone_b);
	answer(&b);
	expect_final(&c, 200);
	bye(&b);
	expect_bye(&c);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"noanswer\",\"prev\":\"ringing\",\"reason\":\"refused\"");
	end();
}

TEST(agent_who_refuses_or_hangs_up_on_the_page_leaves_the_caller_in_the_queue)
{
	struct dlg c, a, b;

	plan_default();
	begin();
	call(&c, "1", "q");
	rung(&a, &phone_a);
	assert_int_equal(COMMAND(.kind = SW_HANGUP, .user_id = ALICE), SW_OK);
	expect_cancel(&a);
	rung(&b, &phone_b);
	assert_int_equal(COMMAND(.kind = SW_REFUSE, .user_id = BOB), SW_OK);
	expect_cancel(&b);
	assert_int_equal(COMMAND(.kind = SW_REFUSE, .user_id = BOB), SW_R_NO_CALL);
	assert_int_equal(count_events(EV_CALL_END, ""), 0);
	cancelled(&c);
	end();
}

TEST(ring_out_goes_on_and_a_late_answer_is_hung_up)
{
	struct dlg c, a, b;

	plan_default();
	plan.aq[0].ring_ms = 200;
	begin();
	call(&c, "1", "q");
	rung(&a, &phone_a);
	reply(&a, 180);
	(void)await(&phone_a, "CANCEL", a.call_id);
	rung(&b, &phone_b);
	reply(&a, 200); /* crosses the CANCEL */
	(void)await(&phone_a, "ACK", a.call_id);
	expect_bye(&a);
	answer(&b);
	expect_final(&c, 200);
	bye(&c);
	expect_bye(&b);
	(void)await_event(0, EV_OFFER_END, ALICE, "timeout");
	end();
}

/* The switch reads "ringing" and the answer behind it in one go, and the ring time ends in between. */
TEST(answer_at_the_very_ring_timeout_goes_on_to_the_next_agent)
{
	struct dlg c, a, b;

	plan_default();
	plan.aq[0].ring_ms = 300;
	begin();
	call(&c, "1", "q");
	atomic_store(&stall_ms, 500);
	rung(&a, &phone_a);
	reply(&a, 200);
	(void)await(&phone_a, "ACK", a.call_id);
	expect_bye(&a);
	rung(&b, &phone_b);
	answer(&b);
	expect_final(&c, 200);
	(void)await_event(0, EV_OFFER_END, ALICE, "timeout");
	assert_int_equal(count_events(EV_OFFER_END, "failed"), 0);
	bye(&c);
	expect_bye(&b);
	end();
}

TEST(caller_who_cancels_as_the_agent_answers_leaves_nobody_in_a_call)
{
	struct dlg c, a;

	only_alice();
	plan.queues[0].answer_first = false;
	begin();
	call(&c, "1", "q");
	atomic_store(&stall_ms, 100); /* so that both are read in one go */
	rung(&a, &phone_a);
	cancel(&c);
	reply(&a, 200);
	(void)await(&phone_a, "ACK", a.call_id);
	expect_bye(&a);
	expect_final(&c, 487);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
	assert_int_equal(count_events(EV_CALL_ANSWER, ""), 0);
	(void)await_event(await_event(0, EV_CALL_END, 0, ""), EV_LEG_END, ALICE, "");
	(void)await_event(await_event(0, EV_OFFER_NEW, 0, ""), EV_AGENT_STATE, ALICE, "\"state\":\"ready\"");
	end();
}

/* ---- greeting, overflow ---- */

TEST(caller_who_hangs_up_in_the_greeting_is_offered_to_nobody)
{
	struct dlg c;

	only_alice();
	plan.queues[0].greeting = "zh/greeting";
	plan.queues[0].record_waiting = true;
	begin();
	call(&c, "1", "q");
	expect_final(&c, 200);
	(void)await_event(0, EV_SEG_OPEN, 0, "greeting");
	bye(&c);
	(void)await_event(0, EV_REC_CLOSE, 0, "");
	assert_int_equal(count_events(EV_OFFER_NEW, ""), 0);
	end();
}

TEST(greeting_that_is_not_there_does_not_hold_the_caller)
{
	struct dlg c, a;

	only_alice();
	plan.queues[0].greeting = "/nowhere/greeting.wav";
	begin();
	talk(&c, &a, "1");
	bye(&c);
	expect_bye(&a);
	end();
}

static void overflow_to(enum acd_overflow where)
{
	plan_default();
	plan.queues[0].answer_first = true;
	plan.members[0].queue_id = plan.members[1].queue_id = plan.members[2].queue_id = QUEUE2; /* nobody serves QUEUE */
	plan.members[3].agent_id = ALICE;
	plan.members[3].queue_id = QUEUE;
	plan.users[0].static_agent = false;
	plan.aq[0].empty_overflow = true;
	plan.aq[0].overflow = where;
	plan.aq[0].overflow_queue = QUEUE2;
	plan.queues[0].overflow_number = "055500";
}

TEST(overflow_to_a_queue_is_answered_and_recorded_as_that_queue_says)
{
	struct dlg c, b;
	struct db *db;

	overflow_to(ACD_OVERFLOW_QUEUE);
	plan.queues[1].record = true;
	begin();
	call(&c, "1", "q");
	expect_final(&c, 200);
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(0, EV_REC_OPEN, 0, "");
	bye(&c);
	expect_bye(&b);
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT queue_id FROM call"), QUEUE2);
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'queue'"), 2);
	db_close(db);
	end();
}

TEST(overflow_to_a_number_is_talked_there)
{
	struct dlg c, o;

	overflow_to(ACD_OVERFLOW_NUMBER);
	plan.queues[0].record_waiting = plan.queues[0].record = true;
	begin();
	call(&c, "1", "q");
	expect_final(&c, 200);
	rung(&o, &trunk);
	assert_non_null(strstr(o.invite, "INVITE sip:055500@"));
	answer(&o);
	(void)await_event(0, EV_SEG_OPEN, 0, "\"talk\"");
	bye(&o);
	expect_bye(&c);
	end();
}

TEST(overflow_number_that_is_busy_ends_with_a_goodbye)
{
	struct dlg c, o;

	overflow_to(ACD_OVERFLOW_NUMBER);
	begin();
	call(&c, "1", "q");
	expect_final(&c, 200);
	rung(&o, &trunk);
	refuse(&o, 486);
	(void)await_event(0, EV_SEG_OPEN, 0, "goodbye");
	expect_bye(&c);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"system\"");
	end();
}

TEST(overflow_without_an_answer_before_refuses_the_caller)
{
	struct dlg c;

	overflow_to(ACD_OVERFLOW_GOODBYE);
	plan.queues[0].answer_first = false;
	begin();
	call(&c, "1", "q");
	expect_final(&c, 480);
	end();
}

/* ---- hold ---- */

TEST(hold_by_the_telephone_and_by_the_page_cuts_segments_and_recordings)
{
	struct dlg c, a;
	struct db *db;
	int held;

	only_alice();
	plan.queues[0].record = true;
	begin();
	talk(&c, &a, "1");
	reinvite(&a, "sendonly");
	held = await_event(0, EV_SEG_OPEN, ALICE, "\"hold\"");
	reinvite(&a, "sendrecv");
	(void)await_event(held, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(COMMAND(.kind = SW_HOLD, .user_id = ALICE), SW_OK);
	assert_int_equal(COMMAND(.kind = SW_HOLD, .user_id = ALICE), SW_R_STATE);
	bye(&c); /* in hold */
	expect_bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'talk'"), 2);
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'hold'"), 2);
	assert_int_equal(get(db, "SELECT count(*) FROM recording_part WHERE state = 'closed' AND segment_id IN"
				 " (SELECT id FROM segment WHERE type = 'talk')"), 2);
	db_close(db);
	end();
}

TEST(telephone_that_falls_silent_for_good_is_hung_up_but_not_one_that_holds)
{
	struct dlg c, a;
	int held;

	only_alice();
	plan.dead_ms = 1200; /* our telephones here never send audio */
	begin();
	talk(&c, &a, "1");
	reinvite(&a, "sendonly");
	held = await_event(0, EV_SEG_OPEN, ALICE, "\"hold\"");
	(void)await_event(held, EV_CALL_END, 0, "\"by\":\"line\""); /* the caller's silence, not the holder's */
	expect_bye(&a);
	expect_bye(&c);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	end();
}

TEST(trunk_that_is_not_heard_in_three_calls_is_an_alarm)
{
	struct dlg c, a;
	int at = 0;

	only_alice();
	plan.dead_ms = 9600; /* audio is due after a 24th of it */
	begin();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(count_events(EV_SYS_ALARM, "\"audio\""), 0);
		talk(&c, &a, "1");
		at = await_event(at, EV_LEG_AUDIO, 0, "\"trouble\":\"no_packets\",\"role\":\"customer\",\"trunk\":");
		bye(&c);
		expect_bye(&a);
		(void)await_event(at, EV_AGENT_STATE, ALICE, "\"state\":\"ready\"");
		at = await_event(at, EV_LEG_END, 0, "\"trouble\":\"no_packets\"");
	}
	(void)await_event(0, EV_SYS_ALARM, 0, "3 calls in a row with one-way audio, the last because of no_packets");
	end();
}

/* ---- calls out and between colleagues ---- */

TEST(click_to_dial_rings_the_agent_then_the_customer)
{
	struct dlg a, o;

	plan_default();
	begin();
	assert_int_equal(dial(ALICE, "0555123"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&o, &trunk);
	reply(&o, 180);
	assert_int_equal(count_events(EV_CALL_ANSWER, ""), 0);
	reply(&o, 180);
	answer(&o);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&o);
	expect_bye(&a);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	(void)await_event(0, EV_LEG_END, 0, "\"by\":\"remote\"");
	assert_int_equal(count_events(EV_LEG_RING, ""), 2); /* a leg rings once, however often it says so */
	end();
}

TEST(barred_numbers_are_not_dialled)
{
	static struct num_rights rights;

	plan_default();
	rights = num_rights_default;
	rights.barred = "0555";
	plan.trunks[0].rights = &rights;
	begin();
	assert_int_equal(dial(ALICE, "0555123"), SW_R_BARRED);
	assert_int_equal(dial(ALICE, "+86555123"), SW_R_BARRED);
	assert_int_equal(dial(ALICE, "0044207946000"), SW_R_ABROAD);
	assert_int_equal(dial(ALICE, "16885888"), SW_R_PREMIUM);
	assert_int_equal(dial(ALICE, "*72"), SW_R_CLASS);
	assert_int_equal(count_events(EV_DIAL_REFUSED, "\"trunk\":\"7\""), 5);
	assert_int_equal(count_events(EV_DIAL_REFUSED, "\"why\":\"barred\",\"class\":\"domestic\",\"by\":\"trunk\""), 2);
	end();
}

TEST(click_to_dial_fails_on_either_side_and_lets_the_agent_go)
{
	struct dlg a, o;
	int from;

	plan_default();
	plan.trunks[0].calls_max = 1;
	begin();
	assert_int_equal(dial(ALICE, "0555123"), SW_OK);
	assert_int_equal(dial(ALICE, "0555123"), SW_R_STATE);
	rung(&a, &phone_a);
	refuse(&a, 486); /* the agent will not */
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"agent\"");
	from = await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	assert_int_equal(dial(ALICE, "0555123"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&o, &trunk);
	refuse(&o, 486); /* the customer is busy */
	expect_bye(&a);
	from = await_event(from + 1, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	assert_int_equal(dial(ALICE, "0555123"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&o, &trunk);
	assert_int_equal(dial(BOB, "0555124"), SW_R_FULL); /* the trunk carries one */
	bye(&a);           /* the agent gives up */
	expect_cancel(&o);
	from = await_event(from + 1, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	assert_int_equal(dial(ALICE, "0555123"), SW_OK);
	rung(&a, &phone_a);
	assert_int_equal(COMMAND(.kind = SW_HANGUP, .user_id = ALICE), SW_OK);
	expect_cancel(&a);
	assert_int_equal(dial(ALICE, "nobody"), SW_R_NUMBER);
	assert_int_equal(dial(WEB, "0555123"), SW_R_STATE);
	end();
}

TEST(colleagues_talk_and_both_are_let_go)
{
	struct dlg a, b;

	plan_default();
	begin();
	assert_int_equal(dial(ALICE, "8002"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&a);
	expect_bye(&b);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"ready\",\"prev\":\"talking\"");
	end();
}

TEST(colleague_who_refuses_is_busy_or_oneself_ends_the_call)
{
	struct dlg a, b, c;
	int from;

	plan_default();
	begin();
	assert_int_equal(dial(ALICE, "8001"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	expect_bye(&a);
	from = await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	assert_int_equal(dial(ALICE, "8002"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&b, &phone_b);
	assert_int_equal(COMMAND(.kind = SW_REFUSE, .user_id = BOB), SW_OK);
	expect_cancel(&b);
	expect_bye(&a);
	from = await_event(from + 1, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	call(&c, "1", "user"); /* Bob's own number */
	rung(&b, &phone_b);
	answer(&b);
	expect_final(&c, 200);
	assert_int_equal(dial(ALICE, "8002"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	expect_bye(&a); /* busy */
	bye(&c);
	expect_bye(&b);
	(void)await_event(from + 1, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	end();
}

TEST(number_of_a_person_who_is_out_or_refuses_is_answered_so)
{
	struct dlg c, b;

	plan_default();
	begin();
	call(&c, "1", "web");
	expect_final(&c, 480);
	call(&c, "1", "user");
	rung(&b, &phone_b);
	refuse(&b, 603);
	expect_final(&c, 603);
	call(&c, "1", "nothing");
	expect_final(&c, 404);
	end();
}

TEST(number_outside_passes_early_media_and_its_refusal)
{
	struct dlg c, o;

	plan_default();
	begin();
	call(&c, "1", "uri");
	rung(&o, &outside);
	reply(&o, 183);
	assert_non_null(strstr(await(&trunk, "SIP/2.0 183", c.call_id), "m=audio"));
	answer(&o);
	expect_final(&c, 200);
	bye(&c);
	expect_bye(&o);
	call(&c, "1", "uri");
	rung(&o, &outside);
	refuse(&o, 486);
	expect_final(&c, 486);
	call(&c, "1", "uri");
	rung(&o, &outside);
	reply(&o, 180);
	expect_progress(&c, 180);
	cancelled(&c);
	expect_cancel(&o);
	end();
}

TEST(full_trunk_refuses_and_takes_calls_again)
{
	struct dlg c, d, o;

	plan_default();
	plan.trunks[0].calls_max = 1;
	begin();
	for (int i = 0; i < 3; i++) {
		call(&c, "1", "uri");
		rung(&o, &outside);
		answer(&o);
		expect_final(&c, 200);
		call(&d, "2", "uri");
		expect_final(&d, 503);
		bye(&o);
		expect_bye(&c);
		(void)await_event(0, EV_LEG_END, 0, "");
		while (count_events(EV_LEG_END, "") < 2 * (i + 1))
			(void)poll(NULL, 0, 2);
	}
	end();
}

/* ---- configuration and log-outs in mid-call ---- */

TEST(forced_log_out_ends_a_talk_and_gives_an_offer_back)
{
	struct dlg c, a, b;

	plan_default();
	begin();
	call(&c, "1", "q");
	rung(&a, &phone_a);
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = ALICE, .force = true), SW_OK);
	expect_cancel(&a);
	rung(&b, &phone_b); /* the caller was not his to lose */
	answer(&b);
	expect_final(&c, 200);
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = BOB, .force = true), SW_OK);
	expect_bye(&b);
	expect_bye(&c);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"system\"");
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"offline\"");
	end();
}

TEST(user_who_is_switched_off_leaves_his_call_and_his_offer)
{
	struct dlg c, d, a, b;

	plan_default();
	begin();
	call(&c, "1", "q");
	rung(&a, &phone_a);
	answer(&a);
	expect_final(&c, 200);
	call(&d, "2", "q");
	rung(&b, &phone_b);
	plan.users_n = 0;
	reconfigure();
	expect_bye(&a);
	expect_bye(&c);
	expect_cancel(&b);
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"offline\"");
	assert_int_equal(count_events(EV_CALL_END, ""), 1); /* the second waits on */
	assert_int_equal(dial(ALICE, "055"), SW_R_STATE);
	cancelled(&d);
	end();
}

TEST(queue_that_is_removed_sends_its_callers_away_and_a_talk_goes_on)
{
	struct dlg c, d, a;

	only_alice();
	begin();
	talk(&c, &a, "1");
	call(&d, "2", "q");
	expect_final(&d, 200);
	plan.queues_n = 0;
	plan.numbers[0].target_id = QUEUE2;
	reconfigure();
	(void)await_event(0, EV_QUEUE_OVERFLOW, 0, "closed");
	expect_bye(&d); /* after the goodbye */
	bye(&a);
	expect_bye(&c);
	call(&d, "3", "q");
	expect_final(&d, 404);
	end();
}

TEST(static_agent_who_logged_out_stays_out_when_the_configuration_changes)
{
	int from;

	plan_default();
	begin();
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = ALICE), SW_OK);
	from = await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"offline\"");
	reconfigure();
	assert_int_equal(find_event(from + 1, EV_AGENT_STATE, ALICE, ""), -1);
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = ALICE, .device = "a1", .ready = true), SW_OK);
	end();
}

/* ---- browsers ---- */

static void web_begin(void)
{
	plan_default();
	plan.users[0].static_agent = plan.users[1].static_agent = false;
	plan.queues[0].answer_first = true;
	begin();
	browser_open(&browser);
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = WEB, .ready = true), SW_OK);
}

static void web_talk(struct dlg *c, struct dlg *w)
{
	call(c, "1", "q");
	expect_final(c, 200);
	rung(w, &browser);
	answer(w);
	(void)await_event(0, EV_SEG_OPEN, WEB, "\"talk\"");
}

/* The socket is cut, and the page is loaded anew. */
static void reload(void)
{
	peer_close(&browser);
	browser_open(&browser);
}

TEST(browser_that_comes_back_resumes_its_call)
{
	struct dlg c, w;
	int lost;

	web_begin();
	web_talk(&c, &w);
	peer_close(&browser);
	lost = await_event(0, EV_SEG_OPEN, WEB, "lost");
	browser_open(&browser);
	rung(&w, &browser);
	assert_non_null(strstr(w.invite, "X-Huawu-Resume: 1"));
	answer(&w);
	(void)await_event(lost, EV_SEG_OPEN, WEB, "\"talk\"");
	bye(&w);
	expect_bye(&c);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"agent\"");
	assert_int_equal(count_events(EV_CALL_ANSWER, ""), 1);
	end();
}

TEST(caller_of_a_browser_that_does_not_come_back_waits_anew)
{
	struct dlg c, w, a;
	int lost;

	web_begin();
	web_talk(&c, &w);
	peer_close(&browser);
	lost = await_event(0, EV_SEG_OPEN, WEB, "lost");
	(void)await_event(lost, EV_SEG_OPEN, 0, "\"queue\"");
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = ALICE, .device = "a1", .ready = true), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	(void)await_event(lost, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(caller_hangs_up_while_the_browser_is_away_and_while_it_resumes)
{
	struct dlg c, w;

	web_begin();
	web_talk(&c, &w);
	assert_int_equal(COMMAND(.kind = SW_HOLD, .user_id = WEB), SW_OK); /* lost out of a hold, too */
	reload();
	rung(&w, &browser);
	bye(&c);
	expect_cancel(&w);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
	(void)await_event(0, EV_AGENT_STATE, WEB, "\"prev\":\"talking\"");
	end();
}

TEST(agent_logged_out_while_his_browser_is_away_gives_the_caller_back)
{
	struct dlg c, w;
	int lost;

	web_begin();
	web_talk(&c, &w);
	peer_close(&browser);
	lost = await_event(0, EV_SEG_OPEN, WEB, "lost");
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = WEB, .force = true), SW_OK);
	(void)await_event(lost, EV_SEG_OPEN, 0, "\"queue\"");
	bye(&c);
	(void)await_event(0, EV_AGENT_STATE, WEB, "\"state\":\"offline\"");
	end();
}

TEST(browser_that_vanishes_while_it_rings_loses_the_offer_only)
{
	struct dlg c, w;
	int end1;

	web_begin();
	call(&c, "1", "q");
	expect_final(&c, 200);
	rung(&w, &browser);
	peer_close(&browser);
	end1 = await_event(0, EV_OFFER_END, WEB, "withdrawn");
	(void)await_event(end1, EV_SEG_OPEN, 0, "\"queue\"");
	browser_open(&browser);
	rung(&w, &browser); /* ready again, and asked again */
	answer(&w);
	bye(&c);
	expect_bye(&w);
	end();
}

TEST(browser_that_moves_while_it_rings_is_rung_where_it_is)
{
	static struct peer second;
	struct dlg c, w, x;

	web_begin();
	call(&c, "1", "q");
	expect_final(&c, 200);
	rung(&w, &browser);
	browser_open(&second); /* the old socket is not known to be dead yet */
	rung(&x, &second);
	answer(&x);
	(void)await_event(0, EV_SEG_OPEN, WEB, "\"talk\"");
	bye(&c);
	expect_bye(&x);
	peer_close(&second);
	end();
}

TEST(browser_that_vanishes_while_it_dials_ends_the_call)
{
	struct dlg w, o, b;
	int from;

	web_begin();
	assert_int_equal(dial(WEB, "0555123"), SW_OK);
	rung(&w, &browser);
	peer_close(&browser); /* rung, click-to-dial */
	from = await_event(0, EV_AGENT_STATE, WEB, "\"prev\":\"talking\"");
	browser_open(&browser);
	(void)await_event(from, EV_AGENT_STATE, WEB, "\"state\":\"ready\"");
	assert_int_equal(dial(WEB, "0555123"), SW_OK);
	rung(&w, &browser);
	answer(&w);
	rung(&o, &trunk);
	peer_close(&browser); /* the other side rings */
	expect_cancel(&o);
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = BOB, .device = "a2", .ready = true), SW_OK);
	browser_open(&browser);
	from = events_now();
	assert_int_equal(dial(WEB, "8002"), SW_OK);
	rung(&w, &browser);
	answer(&w);
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(from, EV_SEG_OPEN, BOB, "\"talk\"");
	peer_close(&browser); /* the one who called a colleague */
	expect_bye(&b);
	end();
}

TEST(calls_from_a_browser_go_out_to_colleagues_and_to_the_echo)
{
	struct dlg w, o, b;
	int from;

	web_begin();
	device_call(&w, &browser, "0555123");
	rung(&o, &trunk);
	answer(&o);
	expect_final(&w, 200);
	(void)await_event(0, EV_SEG_OPEN, WEB, "\"talk\"");
	bye(&w);
	expect_bye(&o);
	from = await_event(0, EV_AGENT_STATE, WEB, "\"state\":\"ready\",\"prev\":\"talking\"");
	device_call(&w, &browser, "*43");
	expect_final(&w, 200);
	(void)await_event(from, EV_SEG_OPEN, 0, "echo");
	bye(&w);
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = BOB, .device = "a2", .ready = true), SW_OK);
	device_call(&w, &browser, "8002");
	rung(&b, &phone_b);
	cancelled(&w);
	expect_cancel(&b);
	device_call(&w, &browser, "0555123");
	rung(&o, &trunk);
	refuse(&o, 404);
	expect_final(&w, 404);
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"ready\",\"prev\":\"talking\"");
	end();
}

/* ---- alarms, stopping, invariants ---- */

TEST(recordings_that_fail_leave_the_call_alone_and_the_alarm_ends_with_the_next_good_one)
{
	char file[128];
	struct dlg c, a;
	FILE *f;
	int on;

	only_alice();
	plan.queues[0].record = true;
	(void)snprintf(file, sizeof(file), "%s/rec", bed.dir);
	f = fopen(file, "w");
	assert_non_null(f);
	(void)fclose(f);
	begin();
	talk(&c, &a, "1");
	(void)await_event(0, EV_REC_FAIL, 0, "");
	on = await_event(0, EV_SYS_ALARM, 0, "\"on\":true");
	bye(&c);
	expect_bye(&a);
	(void)unlink(file);
	call(&c, "2", "q");
	expect_final(&c, 200);
	rung(&a, &phone_a);
	answer(&a);
	(void)await_event(on, EV_REC_OPEN, 0, "");
	(void)poll(NULL, 0, 50); /* some sound */
	bye(&c);
	expect_bye(&a);
	(void)await_event(on, EV_SYS_ALARM, 0, "\"on\":false");
	assert_int_equal(count_events(EV_SYS_ALARM, ""), 2);
	end();
}

TEST(pressed_journal_refuses_new_calls_until_the_database_is_back)
{
	struct dlg c, o;
	int on, seen = 0;

	plan_default();
	plan.no_writer = true;
	plan.ring_bytes = 256 << 10;
	begin();
	for (int i = 0; i < 1000 && !journal_pressed(bed.journal); i++) {
		call(&c, "1", "web");
		expect_final(&c, 480);
		seen = await_event(seen, EV_LEG_END, 0, "") + 1; /* of many at once the last ones would find no room */
		trunk.n = 0;
	}
	on = await_event(0, EV_SYS_ALARM, 0, "\"journal\"");
	call(&c, "1", "uri");
	expect_final(&c, 503);
	assert_int_equal(dial(ALICE, "0555"), SW_R_FULL);
	journal_attach(bed.journal, bed.writer, 20);
	plan.no_writer = false;
	(void)await_event(on, EV_SYS_ALARM, 0, "\"on\":false");
	call(&c, "1", "uri");
	rung(&o, &outside);
	answer(&o);
	expect_final(&c, 200);
	bye(&c);
	expect_bye(&o);
	end();
}

TEST(stop_waits_for_calls_then_ends_them_and_says_stop_last)
{
	struct dlg c, d, a;

	only_alice();
	plan.queues[0].record = true;
	begin();
	talk(&c, &a, "1");
	call(&d, "2", "q");
	expect_final(&d, 200);
	stop(300); /* one talks, one waits; nobody answers the BYEs */
	assert_int_equal(events[event_n - 1].kind, EV_SYS_STOP);
	assert_int_equal(count_events(EV_CALL_END, "\"by\":\"system\""), 2);
	assert_int_equal(count_events(EV_REC_CLOSE, ""), 1);
	assert_int_equal(count_events(EV_AGENT_STATE, "\"state\":\"offline\""), 1);
	end();
}

/* On the switch's thread. */
static void break_agent(enum sw_refusal r, int64_t call_id, void *arg)
{
	struct sw_agent *a = hmap_get(&bed.sw->agents, ALICE);

	a->call = NULL;
	(void)sem_post(arg);
}

static void break_core(enum sw_refusal r, int64_t call_id, void *arg)
{
	struct sw_call *c;
	size_t pos = 0;

	c = hmap_next(&bed.sw->calls, &pos);
	(void)sw_acd(bed.sw, &(struct acd_in){.kind = ACD_IN_LEAVE, .call_id = c->id, .reason = "test"});
	(void)sem_post(arg);
}

static void on_switch(void (*fn)(enum sw_refusal r, int64_t call_id, void *arg))
{
	struct sw_cmd nothing = {.kind = SW_CREDENTIAL_GONE, .device = "nobody"};
	sem_t done;

	(void)sem_init(&done, 0, 0);
	assert_int_equal(sw_command(bed.sw, &nothing, fn, &done), 0);
	while (sem_wait(&done))
		;
	(void)sem_destroy(&done);
}

TEST(broken_invariant_is_told_mended_and_over)
{
	struct dlg c, d, a;
	int on;

	only_alice();
	bed.expect_invariant = true;
	begin();
	talk(&c, &a, "1");
	on_switch(break_agent);
	on = await_event(0, EV_SYS_ALARM, 0, "an agent has a call that does not have him");
	on = await_event(on, EV_SYS_ALARM, 0, "\"on\":false");
	bye(&c);
	expect_bye(&a);
	call(&d, "2", "q");
	expect_final(&d, 200);
	rung(&a, &phone_a);
	on_switch(break_core); /* the core forgets the caller */
	expect_cancel(&a);
	on = await_event(on, EV_SYS_ALARM, 0, "core does not know");
	rung(&a, &phone_a); /* offered anew */
	answer(&a);
	(void)await_event(on, EV_SYS_ALARM, 0, "\"on\":false");
	bye(&d);
	expect_bye(&a);
	end();
}
