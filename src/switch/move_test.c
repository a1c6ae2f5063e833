/* A call goes from one to another by command of the desk: who talks to whom afterwards, and what the records say. */
#include "switch/bed_test.h"

static void three_agents(void)
{
	plan_default();
	plan.queues[0].answer_first = true;
	plan.queues[1].answer_first = true;
	plan.aq[0].wrapup_ms = 60000;
	plan.members[1] = (struct acd_member){WEB, QUEUE, 2}; /* Bob does not serve the first one */
	plan.members[2] = (struct acd_member){WEB, QUEUE2, 3};
}

/* A customer talks to Alice. */
static void talk(struct dlg *c, struct dlg *a)
{
	call(c, "13800000001", "q");
	expect_final(c, 200);
	rung(a, &phone_a);
	answer(a);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
}

/* Alice has dialled a customer. */
static void talk_out(struct dlg *c, struct dlg *a)
{
	assert_int_equal(dial(ALICE, "13900000002"), SW_OK);
	rung(a, &phone_a);
	answer(a);
	rung(c, &trunk);
	answer(c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
}

#define TO_BOB(what) COMMAND(.kind = what, .user_id = ALICE, .target_id = BOB, .why = "will ein Angebot")
#define DO(what) COMMAND(.kind = what, .user_id = ALICE)

static void asks_bob(struct dlg *b)
{
	assert_int_equal(TO_BOB(SW_CONSULT), SW_OK);
	rung(b, &phone_b);
	answer(b);
	(void)await_event(0, EV_CALL_MOVE, ALICE, "answered");
}

/* ---- blind ---- */

TEST(blind_transfer_by_command_says_by_whom_and_why)
{
	struct dlg c, a, b;
	struct db *db;
	int begun;

	three_agents();
	begin();
	talk(&c, &a);
	assert_int_equal(TO_BOB(SW_TRANSFER), SW_OK);
	rung(&b, &phone_b);
	begun = await_event(0, EV_CALL_MOVE, ALICE, "\"what\":\"begin\",\"how\":\"blind\",\"by\":\"1\",\"user\":\"2\"");
	assert_true(begun < await_event(0, EV_LEG_RING, BOB, "180")); /* he reads why before he answers */
	assert_int_equal(TO_BOB(SW_TRANSFER), SW_R_STATE); /* clicked twice */
	answer(&b);
	expect_bye(&a);
	(void)await_event(begun, EV_SEG_OPEN, BOB, "\"talk\"");
	(void)await_event(begun, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	bye(&c);
	expect_bye(&b);
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM call_move"), 2);
	assert_int_equal(get(db, "SELECT count(*) FROM call_move WHERE step = 'begin' AND how = 'blind' AND by_id = 1 AND user_id = 2 AND why = 'will ein Angebot'"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM call_move WHERE step = 'done'"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM event WHERE body LIKE '%Angebot%'"), 0); /* what people write is beside the body */
	db_close(db);
	end();
}

TEST(blind_transfer_of_a_call_out_and_to_a_queue)
{
	struct dlg c, a, b;
	struct db *db;

	three_agents();
	begin();
	talk_out(&c, &a);
	assert_int_equal(COMMAND(.kind = SW_TRANSFER, .user_id = ALICE, .queue_id = 999), SW_R_NUMBER);
	assert_int_equal(COMMAND(.kind = SW_TRANSFER, .user_id = ALICE, .queue_id = QUEUE2), SW_OK);
	expect_bye(&a);
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&b);
	expect_bye(&c);
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM call WHERE dir = 'out' AND queue_id = 51 AND agent_id = 2 AND first_agent_id = 1"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM call_move WHERE step = 'done' AND queue_id = 51"), 1);
	db_close(db);
	end();
}

TEST(refusals_are_told_and_change_nothing)
{
	struct dlg c, a, d, b;

	three_agents();
	begin();
	talk(&c, &a);
	assert_int_equal(COMMAND(.kind = SW_TRANSFER, .user_id = ALICE, .target_id = WEB), SW_R_TARGET_AWAY); /* logged out */
	assert_int_equal(COMMAND(.kind = SW_TRANSFER, .user_id = ALICE, .target_id = 4711), SW_R_TARGET_AWAY);
	assert_int_equal(COMMAND(.kind = SW_CONSULT, .user_id = ALICE, .target_id = ALICE), SW_R_TARGET_BUSY);
	assert_int_equal(COMMAND(.kind = SW_TRANSFER, .user_id = ALICE, .number = "0012025550123"), SW_R_ABROAD); /* the toll guard */
	(void)await_event(0, EV_DIAL_REFUSED, ALICE, "");
	assert_int_equal(COMMAND(.kind = SW_CONSULT, .user_id = ALICE, .number = "0012025550123"), SW_R_ABROAD);
	assert_int_equal(COMMAND(.kind = SW_TRANSFER, .user_id = ALICE, .number = "x"), SW_R_NUMBER);
	assert_int_equal(DO(SW_MOVE_DONE), SW_R_STATE);
	assert_int_equal(DO(SW_MOVE_SWAP), SW_R_STATE);
	assert_int_equal(COMMAND(.kind = SW_TRANSFER, .user_id = BOB, .target_id = ALICE), SW_R_NO_CALL);
	call(&d, "1", "user"); /* Bob is rung */
	rung(&b, &phone_b);
	assert_int_equal(TO_BOB(SW_TRANSFER), SW_R_TARGET_BUSY);
	assert_int_equal(COMMAND(.kind = SW_CONSULT, .user_id = ALICE, .queue_id = QUEUE2), SW_R_TARGET_BUSY); /* nobody of it is free */
	cancelled(&d);
	expect_cancel(&b);
	assert_int_equal(count_events(EV_CALL_MOVE, ""), 0);
	assert_int_equal(count_events(EV_SEG_OPEN, "\"hold\""), 0);
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(blind_transfer_is_taken_back_while_it_rings)
{
	struct dlg c, a, b;
	int back;

	three_agents();
	begin();
	talk(&c, &a);
	assert_int_equal(TO_BOB(SW_TRANSFER), SW_OK);
	rung(&b, &phone_b);
	assert_int_equal(DO(SW_MOVE_BACK), SW_OK);
	expect_cancel(&b);
	back = await_event(0, EV_CALL_MOVE, ALICE, "back");
	(void)await_event(back, EV_SEG_OPEN, ALICE, "\"talk\"");
	(void)await_event(back - 1, EV_AGENT_STATE, BOB, "\"state\":\"ready\"");
	bye(&a); /* at once: he ends the call, nothing is given back to a queue */
	expect_bye(&c);
	end();
}

TEST(target_that_is_logged_off_in_that_moment_gives_the_customer_back)
{
	struct dlg c, a, b;
	int failed;

	three_agents();
	begin();
	talk(&c, &a);
	assert_int_equal(TO_BOB(SW_TRANSFER), SW_OK);
	rung(&b, &phone_b);
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = BOB, .force = true), SW_OK);
	expect_cancel(&b);
	failed = await_event(0, EV_CALL_MOVE, ALICE, "failed");
	(void)await_event(failed, EV_SEG_OPEN, ALICE, "\"talk\"");
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"offline\"");
	bye(&c);
	expect_bye(&a);
	end();
}

/* ---- consultation ---- */

TEST(warm_transfer_gives_the_customer_to_whom_one_has_asked)
{
	struct dlg c, a, b;
	struct db *db;
	int done;

	three_agents();
	plan.queues[0].record = true;
	begin();
	talk(&c, &a);
	asks_bob(&b);
	assert_int_equal(DO(SW_MOVE_DONE), SW_OK);
	expect_bye(&a);
	done = await_event(0, EV_CALL_MOVE, 0, "\"done\",\"how\":\"consult\"");
	(void)await_event(done, EV_SEG_OPEN, BOB, "\"talk\"");
	(void)await_event(done, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	assert_int_equal(DO(SW_MOVE_DONE), SW_R_NO_CALL); /* clicked twice */
	bye(&c);
	expect_bye(&b);
	(void)await_event(done, EV_AGENT_STATE, BOB, "\"state\":\"wrapup\"");
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM call"), 1);
	assert_int_equal(get(db, "SELECT agent_id FROM call"), BOB);
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'hold' AND agent_id = 1"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'talk' AND agent_id = 2"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM recording_part"), 2); /* her talk, his talk; not what they said to each other */
	assert_int_equal(get(db, "SELECT count(*) FROM activity WHERE agent_id = 2 AND state = 'talking'"), 1);
	db_close(db);
	end();
}

TEST(swap_and_back_and_swap_again)
{
	struct dlg c, a, b;
	struct db *db;
	int at;

	three_agents();
	plan.queues[0].record = true;
	begin();
	talk(&c, &a);
	assert_int_equal(TO_BOB(SW_CONSULT), SW_OK);
	rung(&b, &phone_b);
	assert_int_equal(DO(SW_MOVE_SWAP), SW_R_STATE); /* he has not answered */
	answer(&b);
	at = await_event(0, EV_CALL_MOVE, ALICE, "answered");
	assert_int_equal(DO(SW_MOVE_SWAP), SW_OK);
	at = await_event(at, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(DO(SW_MOVE_SWAP), SW_OK);
	at = await_event(at, EV_SEG_OPEN, ALICE, "\"hold\"");
	assert_int_equal(DO(SW_MOVE_SWAP), SW_OK);
	at = await_event(at, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(DO(SW_MOVE_BACK), SW_OK);
	expect_bye(&b);
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"ready\",\"prev\":\"talking\"");
	assert_int_equal(COMMAND(.kind = SW_HOLD, .user_id = ALICE), SW_OK); /* an ordinary talk again */
	assert_int_equal(COMMAND(.kind = SW_RESUME, .user_id = ALICE), SW_OK);
	asks_bob(&b);
	assert_int_equal(DO(SW_MOVE_SWAP), SW_OK);
	bye(&a); /* whoever he talks with: whom he asked gets the customer */
	(void)await_event(at, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	expect_bye(&b);
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'talk' AND agent_id = 1"), 5);
	assert_int_equal(get(db, "SELECT count(*) FROM recording_part"), 6);
	db_close(db);
	end();
}

TEST(who_is_asked_and_hangs_up_leaves_agent_and_customer)
{
	struct dlg c, a, b;
	int at;

	three_agents();
	begin();
	talk(&c, &a);
	asks_bob(&b);
	bye(&b);
	at = await_event(0, EV_CALL_MOVE, ALICE, "left");
	at = await_event(at, EV_SEG_OPEN, ALICE, "\"talk\"");
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"ready\",\"prev\":\"talking\"");
	assert_int_equal(TO_BOB(SW_CONSULT), SW_OK);
	rung(&b, &phone_b);
	refuse(&b, 486);
	at = await_event(at, EV_CALL_MOVE, ALICE, "\"failed\",\"how\":\"consult\",\"by\":\"1\",\"user\":\"2\",\"code\":486");
	at = await_event(at, EV_SEG_OPEN, ALICE, "\"talk\"");
	assert_int_equal(TO_BOB(SW_CONSULT), SW_OK);
	rung(&b, &phone_b);
	assert_int_equal(COMMAND(.kind = SW_REFUSE, .user_id = BOB), SW_OK);
	expect_cancel(&b);
	at = await_event(at + 1, EV_SEG_OPEN, ALICE, "\"talk\"");
	asks_bob(&b);
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = BOB, .force = true), SW_OK);
	expect_bye(&b);
	(void)await_event(at + 1, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(agent_who_hangs_up_while_the_target_rings_has_transferred)
{
	struct dlg c, a, b;

	three_agents();
	begin();
	talk(&c, &a);
	assert_int_equal(TO_BOB(SW_CONSULT), SW_OK);
	rung(&b, &phone_b);
	assert_int_equal(COMMAND(.kind = SW_HANGUP, .user_id = ALICE), SW_OK);
	expect_bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	expect_bye(&b);
	end();
}

TEST(consultation_that_becomes_a_transfer_and_fails_waits_in_front)
{
	struct dlg c, a, b;
	int back;

	three_agents();
	plan.aq[0].wrapup_ms = 0;
	begin();
	talk(&c, &a);
	assert_int_equal(TO_BOB(SW_CONSULT), SW_OK);
	rung(&b, &phone_b);
	assert_int_equal(DO(SW_MOVE_DONE), SW_OK);
	expect_bye(&a);
	refuse(&b, 603);
	back = await_event(0, EV_ACD_IN, 0, "\"priority\":1000");
	rung(&a, &phone_a);
	answer(&a);
	(void)await_event(back, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(customer_who_hangs_up_in_a_consultation_frees_everybody)
{
	struct dlg c, a, b;
	int ended;

	three_agents();
	begin();
	talk(&c, &a);
	asks_bob(&b);
	bye(&c);
	expect_bye(&a);
	expect_bye(&b);
	ended = await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
	(void)await_event(ended, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	(void)await_event(ended, EV_AGENT_STATE, BOB, "\"state\":\"ready\"");
	end();
}

TEST(number_outside_is_asked_about_a_customer_who_was_dialled)
{
	struct dlg c, a, o;

	three_agents();
	begin();
	talk_out(&c, &a);
	assert_int_equal(COMMAND(.kind = SW_CONSULT, .user_id = ALICE, .number = "13900000003"), SW_OK);
	rung(&o, &trunk);
	answer(&o);
	(void)await_event(0, EV_CALL_MOVE, ALICE, "answered");
	assert_int_equal(COMMAND(.kind = SW_DIGITS, .user_id = ALICE, .number = "1"), SW_OK);
	assert_int_equal(DO(SW_MOVE_DONE), SW_OK);
	expect_bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"prev\":\"talking\"");
	assert_null(look(&trunk, "BYE", NULL, 50));
	bye(&c);
	expect_bye(&o);
	end();
}

TEST(number_outside_that_is_busy_gives_the_customer_back)
{
	struct dlg c, a, o;
	int failed;

	three_agents();
	begin();
	talk(&c, &a);
	assert_int_equal(COMMAND(.kind = SW_CONSULT, .user_id = ALICE, .number = "13900000003"), SW_OK);
	rung(&o, &trunk);
	refuse(&o, 486);
	failed = await_event(0, EV_CALL_MOVE, ALICE, "\"code\":486");
	(void)await_event(failed, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(next_free_agent_of_a_queue_is_asked)
{
	struct dlg c, a, b;

	three_agents();
	begin();
	talk(&c, &a);
	assert_int_equal(COMMAND(.kind = SW_CONSULT, .user_id = ALICE, .queue_id = QUEUE2), SW_OK);
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(0, EV_CALL_MOVE, ALICE, "answered");
	assert_int_equal(DO(SW_MOVE_BACK), SW_OK);
	expect_bye(&b);
	bye(&a);
	expect_bye(&c);
	end();
}

TEST(telephone_that_holds_while_it_asks_has_the_customer_held_afterwards)
{
	struct dlg c, a, b;
	int at;

	three_agents();
	begin();
	talk(&c, &a);
	reinvite(&a, "sendonly");
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"hold\"");
	assert_int_equal(TO_BOB(SW_CONSULT), SW_OK);
	rung(&b, &phone_b);
	refuse(&b, 486);
	at = await_event(0, EV_CALL_MOVE, ALICE, "failed");
	reinvite(&a, "sendrecv");
	(void)await_event(at, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(browsers_telephone_that_is_lost_in_a_consultation_comes_back_to_the_customer)
{
	struct dlg c, w, b;
	int at;

	three_agents();
	plan.resume_ms = 20000;
	begin();
	browser_open(&browser);
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = WEB, .ready = true), SW_OK);
	call(&c, "1", "web");
	rung(&w, &browser);
	answer(&w);
	expect_final(&c, 200);
	(void)await_event(0, EV_SEG_OPEN, WEB, "\"talk\"");
	assert_int_equal(COMMAND(.kind = SW_CONSULT, .user_id = WEB, .target_id = BOB), SW_OK);
	rung(&b, &phone_b);
	answer(&b);
	at = await_event(0, EV_CALL_MOVE, WEB, "answered");
	peer_close(&browser);
	expect_bye(&b);
	at = await_event(at, EV_SEG_OPEN, WEB, "lost");
	browser_open(&browser);
	rung(&w, &browser);
	answer(&w);
	(void)await_event(at, EV_SEG_OPEN, WEB, "\"talk\"");
	bye(&c);
	end();
}

TEST(colleague_who_called_may_transfer_too)
{
	struct dlg a, b, w;

	three_agents();
	begin();
	browser_open(&browser);
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = WEB, .ready = false), SW_OK);
	assert_int_equal(dial(ALICE, "8002"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	assert_int_equal(COMMAND(.kind = SW_CONSULT, .user_id = ALICE, .target_id = WEB), SW_OK);
	rung(&w, &browser);
	answer(&w);
	(void)await_event(0, EV_CALL_MOVE, ALICE, "answered");
	assert_int_equal(DO(SW_MOVE_DONE), SW_OK);
	expect_bye(&a);
	(void)await_event(0, EV_SEG_OPEN, WEB, "\"talk\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	bye(&b);
	end();
}

TEST(conference_goes_on_whoever_of_ours_leaves_and_ends_with_the_customer)
{
	struct dlg c, a, b;
	struct db *db;
	int at;

	three_agents();
	plan.queues[0].record = true;
	begin();
	talk(&c, &a);
	assert_int_equal(DO(SW_MOVE_JOIN), SW_R_STATE);
	asks_bob(&b);
	assert_int_equal(DO(SW_MOVE_JOIN), SW_OK);
	at = await_event(0, EV_SEG_OPEN, ALICE, "\"conference\"");
	(void)await_event(0, EV_PARTY_NEW, BOB, "\"how\":\"join\"");
	assert_int_equal(TO_BOB(SW_CONSULT), SW_R_STATE);
	assert_int_equal(DO(SW_MOVE_JOIN), SW_R_STATE); /* clicked twice */
	bye(&b);
	at = await_event(at, EV_SEG_OPEN, ALICE, "\"talk\"");
	asks_bob(&b);
	assert_int_equal(DO(SW_MOVE_SWAP), SW_OK);
	assert_int_equal(DO(SW_MOVE_JOIN), SW_OK);
	at = await_event(at, EV_SEG_OPEN, ALICE, "\"conference\"");
	bye(&a);
	at = await_event(at, EV_SEG_OPEN, BOB, "\"talk\"");
	(void)await_event(at - 3, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	bye(&c);
	expect_bye(&b);
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'conference'"), 2);
	assert_int_equal(get(db, "SELECT count(*) FROM call_move WHERE step = 'joined'"), 2);
	assert_int_equal(get(db, "SELECT agent_id FROM call"), BOB);
	db_close(db);
	end();
}
