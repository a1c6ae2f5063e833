/* Transfers by desk phones, played against the whole switch: who talks to whom afterwards, and what the records say. */
#include "switch/bed_test.h"

static void two_agents(void)
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

static void refer(struct dlg *d, const char *target, const char *more)
{
	char branch[32], lines[512];

	new_branch(branch, sizeof(branch));
	(void)snprintf(lines, sizeof(lines), "Refer-To: <sip:%s@" REALM "%s>\r\nReferred-By: <sip:a1@" REALM ">\r\n", target, more);
	request(d, "REFER", ++d->cseq, branch, lines, "");
}

static void expect_notify(struct dlg *d, const char *status)
{
	const char *m;

	do {
		m = await(d->p, "NOTIFY", d->call_id);
		respond(d, m, 200, "");
	} while (!strstr(m, "\r\n\r\nSIP/2.0 2") && strstr(m, "\r\n\r\nSIP/2.0 1") && !strstr(m, status));
	if (!strstr(m, status))
		fail_msg("NOTIFY tells %s", strstr(m, "\r\n\r\n") + 4);
}

static void accepted(struct dlg *d)
{
	(void)await(d->p, "SIP/2.0 202", d->call_id);
}

static void refused(struct dlg *d, int code)
{
	char start[32];

	(void)snprintf(start, sizeof(start), "SIP/2.0 %d", code);
	(void)await(d->p, start, d->call_id);
}

/* ---- blind ---- */

TEST(blind_transfer_to_a_colleague_gives_him_the_customer_and_the_agent_his_wrap_up)
{
	struct dlg c, a, b;
	struct db *db;
	int done;

	two_agents();
	plan.queues[0].record = true;
	begin();
	talk(&c, &a);
	refer(&a, "8002", "");
	accepted(&a);
	expect_notify(&a, "100");
	rung(&b, &phone_b);
	expect_notify(&a, "180");
	answer(&b);
	expect_notify(&a, "200");
	expect_bye(&a);
	done = await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	assert_true(await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"talking\"") < done);
	bye(&c);
	expect_bye(&b);
	(void)await_event(done, EV_CALL_END, 0, "\"by\":\"customer\"");
	(void)await_event(done, EV_AGENT_STATE, BOB, "\"state\":\"wrapup\"");
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM call"), 1);
	assert_int_equal(get(db, "SELECT first_agent_id FROM call"), ALICE);
	assert_int_equal(get(db, "SELECT agent_id FROM call"), BOB);
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'talk'"), 2);
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'talk' AND agent_id = 2"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type = 'hold' AND agent_id = 1"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM segment WHERE type IN ('queue', 'ring')"), 2); /* no second visit to the queue */
	assert_int_equal(get(db, "SELECT count(*) FROM recording_part"), 2);
	assert_int_equal(get(db, "SELECT count(*) FROM offer"), 1);
	db_close(db);
	end();
}

TEST(blind_transfer_that_fails_gives_the_customer_back_to_the_agent)
{
	struct dlg c, a, b;
	int failed;

	two_agents();
	begin();
	talk(&c, &a);
	refer(&a, "8002", "");
	accepted(&a);
	rung(&b, &phone_b);
	refuse(&b, 486);
	expect_notify(&a, "486");
	failed = await_event(0, EV_SEG_OPEN, ALICE, "transfer");
	(void)await_event(failed, EV_SEG_OPEN, ALICE, "\"talk\"");
	(void)await_event(failed, EV_AGENT_STATE, BOB, "\"state\":\"ready\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(telephone_that_hangs_up_when_it_hears_of_the_failure_loses_no_customer)
{
	struct dlg c, a, b;
	int failed;

	two_agents();
	plan.aq[0].wrapup_ms = 0;
	begin();
	talk(&c, &a);
	refer(&a, "8002", "");
	accepted(&a);
	rung(&b, &phone_b);
	refuse(&b, 486);
	expect_notify(&a, "486");
	failed = await_event(0, EV_SEG_OPEN, ALICE, "transfer");
	(void)await_event(failed, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&a);
	(void)await_event(failed, EV_SEG_OPEN, 0, "\"queue\"");
	rung(&a, &phone_a);
	answer(&a);
	bye(&c);
	expect_bye(&a);
	(void)await_event(failed, EV_CALL_END, 0, "\"by\":\"customer\"");
	end();
}

TEST(blind_transfer_of_a_held_customer_that_fails_leaves_him_held)
{
	struct dlg c, a, b;
	int failed;

	two_agents();
	begin();
	talk(&c, &a);
	reinvite(&a, "sendonly");
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"hold\"");
	refer(&a, "8002", "");
	accepted(&a);
	rung(&b, &phone_b);
	refuse(&b, 603);
	expect_notify(&a, "603");
	failed = await_event(0, EV_SEG_OPEN, ALICE, "transfer failed");
	reinvite(&a, "sendrecv");
	(void)await_event(failed, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(agent_may_hang_up_while_the_target_rings_and_the_customer_goes_on)
{
	struct dlg c, a, b;

	two_agents();
	begin();
	talk(&c, &a);
	refer(&a, "8002", "");
	accepted(&a);
	rung(&b, &phone_b);
	bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&b);
	expect_bye(&c);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"agent\"");
	end();
}

TEST(customer_whose_transfer_fails_when_the_agent_is_gone_waits_in_front)
{
	struct dlg c, a, b;
	int back;

	two_agents();
	plan.aq[0].wrapup_ms = 0;
	begin();
	talk(&c, &a);
	refer(&a, "8002", "");
	accepted(&a);
	rung(&b, &phone_b);
	bye(&a);
	refuse(&b, 486);
	back = await_event(0, EV_ACD_IN, 0, "\"priority\":1000");
	rung(&a, &phone_a); /* who is ready again */
	answer(&a);
	(void)await_event(back, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(customer_who_hangs_up_while_the_target_rings_frees_everybody)
{
	struct dlg c, a, b;
	int ended;

	two_agents();
	begin();
	talk(&c, &a);
	refer(&a, "8002", "");
	accepted(&a);
	rung(&b, &phone_b);
	bye(&c);
	expect_cancel(&b);
	expect_bye(&a);
	ended = await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
	(void)await_event(ended, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	(void)await_event(ended, EV_AGENT_STATE, BOB, "\"state\":\"ready\"");
	end();
}

TEST(blind_transfer_to_a_queues_number_waits_there)
{
	struct dlg c, a, b;
	struct db *db;

	two_agents();
	plan.numbers[2] = (struct sw_number){.id = 74, .number = "6000", .dest = SW_DEST_QUEUE, .target_id = QUEUE2};
	begin();
	talk(&c, &a);
	refer(&a, "6000", "");
	accepted(&a);
	expect_bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	rung(&b, &phone_b);
	answer(&b);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	expect_bye(&b);
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT queue_id FROM call"), QUEUE2);
	assert_int_equal(get(db, "SELECT agent_id FROM call"), BOB);
	db_close(db);
	end();
}

TEST(blind_transfer_outside_follows_what_may_be_dialled)
{
	struct dlg c, a, o;

	two_agents();
	begin();
	talk(&c, &a);
	refer(&a, "0012025550123", "");
	refused(&a, 403);
	refer(&a, "no%20number", "");
	refused(&a, 404);
	refer(&a, "13900000002", "");
	accepted(&a);
	rung(&o, &trunk);
	assert_non_null(strstr(o.invite, "INVITE sip:13900000002@"));
	answer(&o);
	expect_notify(&a, "200");
	expect_bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	bye(&o);
	expect_bye(&c);
	end();
}

TEST(customers_and_agents_without_a_customer_transfer_nothing)
{
	struct dlg c, a;

	two_agents();
	begin();
	talk(&c, &a);
	refer(&c, "8002", "");
	refused(&c, 403);
	refer(&a, "8001", ""); /* himself */
	refused(&a, 486);
	refer(&a, "8003", ""); /* logged out */
	refused(&a, 480);
	bye(&c);
	expect_bye(&a);
	end();
}

/* ---- attended ---- */

static void phones_log_in(void)
{
	static char ha1[65];
	char text[64];
	int n = snprintf(text, sizeof(text), "a1:" REALM ":s1");

	sipa_hex(ha1, false, text, (size_t)n);
	plan.devices[0].ha1_md5 = ha1;
	(void)snprintf(phone_a.device, sizeof(phone_a.device), "a1");
	(void)snprintf(phone_a.secret, sizeof(phone_a.secret), "s1");
}

static const char *tag_in(const char *addr)
{
	const char *t = strstr(addr, ";tag=");

	assert_non_null(t);
	return t + 5;
}

/* The URI header that names @d, as the switch has it: its own tag is to-tag's. */
static const char *replaces(const struct dlg *d)
{
	static char text[256];

	(void)snprintf(text, sizeof(text), "?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s", d->call_id, tag_in(d->remote), tag_in(d->local));
	return text;
}

/* Alice holds her customer and calls @to. */
static void consult(struct dlg *second, struct dlg *c, struct dlg *a, const char *to)
{
	talk(c, a);
	reinvite(a, "sendonly");
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"hold\"");
	device_call(second, &phone_a, to);
}

TEST(attended_transfer_joins_the_customer_with_whom_the_agent_has_asked)
{
	struct dlg c, a, second, b;
	struct db *db;

	two_agents();
	phones_log_in();
	begin();
	consult(&second, &c, &a, "8002");
	rung(&b, &phone_b);
	answer(&b);
	expect_final(&second, 200);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	refer(&a, "8002", replaces(&second));
	accepted(&a);
	expect_notify(&a, "200");
	expect_bye(&a);
	expect_bye(&second);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	assert_null(look(&phone_b, "BYE", NULL, 50));
	bye(&c);
	expect_bye(&b);
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM call"), 2);
	assert_int_equal(get(db, "SELECT count(*) FROM call s JOIN call f ON s.parent_id = f.id WHERE s.dir = 'internal' AND f.dir = 'in'"), 1);
	assert_int_equal(get(db, "SELECT agent_id FROM call WHERE dir = 'in'"), BOB);
	assert_int_equal(get(db, "SELECT count(*) FROM segment s JOIN call c ON c.id = s.call_id WHERE c.dir = 'in' AND s.type = 'talk' AND s.agent_id = 2"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM activity WHERE agent_id = 2 AND state = 'talking'"), 2); /* with her, with him */
	assert_int_equal(get(db, "SELECT count(*) FROM activity WHERE agent_id = 2 AND state = 'ready'"), 1);   /* before; not between */
	db_close(db);
	end();
}

TEST(attended_transfer_before_the_other_one_answers_goes_on_by_itself)
{
	struct dlg c, a, second, b;

	two_agents();
	phones_log_in();
	begin();
	consult(&second, &c, &a, "8002");
	rung(&b, &phone_b);
	expect_progress(&second, 180);
	/* The early dialog: our tag is in the 180; it has none in `remote` yet. */
	(void)snprintf(second.remote + strlen(second.remote), 64, ";tag=%s", "");
	cancel(&second);
	expect_final(&second, 487);
	expect_cancel(&b);
	/* Given up; the customer is still held by her, and she takes him back. */
	reinvite(&a, "sendrecv");
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(customer_who_hangs_up_while_the_agent_asks_leaves_him_in_that_call)
{
	struct dlg c, a, second, b;
	int ended;

	two_agents();
	phones_log_in();
	begin();
	consult(&second, &c, &a, "8002");
	rung(&b, &phone_b);
	answer(&b);
	expect_final(&second, 200);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&c);
	expect_bye(&a);
	ended = await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
	(void)await_event(ended, EV_AGENT_STATE, ALICE, "\"state\":\"talking\",\"prev\":\"talking\"");
	assert_int_equal(count_events(EV_AGENT_STATE, "\"wrapup\""), 0);
	bye(&b);
	expect_bye(&second);
	(void)await_event(ended, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	(void)await_event(ended, EV_AGENT_STATE, BOB, "\"state\":\"ready\"");
	end();
}

TEST(semi_attended_transfer_rings_on_for_the_customer)
{
	struct dlg c, a, second, b;
	const char *m;

	two_agents();
	phones_log_in();
	begin();
	consult(&second, &c, &a, "8002");
	rung(&b, &phone_b);
	m = await(&phone_a, "SIP/2.0 180", second.call_id);
	(void)snprintf(second.remote, sizeof(second.remote), "%s", header(m, "To"));
	refer(&a, "8002", replaces(&second));
	accepted(&a);
	expect_final(&second, 480); /* the second call is over for her: its other side rings for the customer now */
	answer(&b);
	expect_notify(&a, "200");
	expect_bye(&a);
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	bye(&b);
	expect_bye(&c);
	end();
}

TEST(attended_transfer_outside_and_asked_in_the_second_call)
{
	struct dlg c, a, second, o;

	two_agents();
	phones_log_in();
	begin();
	consult(&second, &c, &a, "13900000002");
	rung(&o, &trunk);
	answer(&o);
	expect_final(&second, 200);
	refer(&second, "8001", replaces(&a));
	accepted(&second);
	expect_notify(&second, "200");
	expect_bye(&second);
	expect_bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	assert_null(look(&trunk, "BYE", NULL, 50));
	bye(&c);
	expect_bye(&o);
	end();
}

TEST(transfer_that_names_a_call_of_nobody_or_of_others_is_refused)
{
	struct dlg c, a, d;

	two_agents();
	begin();
	talk(&c, &a);
	refer(&a, "x", "?Replaces=no%3Bto-tag%3D1%3Bfrom-tag%3D2");
	refused(&a, 481);
	call(&d, "2", "q"); /* another customer, who waits */
	expect_final(&d, 200);
	refer(&a, "x", replaces(&d));
	refused(&a, 403);
	bye(&d);
	bye(&c);
	expect_bye(&a);
	end();
}

/* ---- pick-up ---- */

static void pick_up(struct dlg *d, const struct dlg *old)
{
	char lines[1400], rep[300];
	const char *m;

	(void)snprintf(rep, sizeof(rep), "Replaces: %s;to-tag=%s;from-tag=%s\r\nRequire: replaces\r\n", old->call_id, tag_in(old->remote),
		       tag_in(old->local));
	begin_call(d, &phone_a, "a1", "8002", sdp_of(&phone_a));
	m = await(&phone_a, "SIP/2.0 40", d->call_id);
	credential_lines(lines, sizeof(lines), &phone_a, m, "INVITE", d->target);
	(void)strncat(lines, rep, sizeof(lines) - strlen(lines) - 1);
	request(d, "ACK", 1, d->branch, "", "");
	new_branch(d->branch, sizeof(d->branch));
	d->cseq = 2;
	request(d, "INVITE", 2, d->branch, lines, sdp_of(&phone_a));
}

TEST(ringing_offer_of_a_colleague_is_picked_up)
{
	struct dlg c, b, d;

	two_agents();
	phones_log_in();
	plan.numbers[2] = (struct sw_number){.id = 74, .number = "q2", .dest = SW_DEST_QUEUE, .target_id = QUEUE2};
	begin();
	call(&c, "1", "q2");
	expect_final(&c, 200);
	rung(&b, &phone_b);
	pick_up(&d, &b);
	expect_final(&d, 200);
	expect_cancel(&b);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	(void)await_event(0, EV_AGENT_STATE, BOB, "\"state\":\"ready\",\"prev\":\"ringing\"");
	bye(&d);
	expect_bye(&c);
	end();
}

TEST(call_to_a_colleague_is_picked_up_and_a_talk_is_not)
{
	struct dlg c, b, d;

	two_agents();
	phones_log_in();
	begin();
	call(&c, "1", "user"); /* Bob's number */
	rung(&b, &phone_b);
	pick_up(&d, &b);
	expect_final(&d, 200);
	expect_final(&c, 200);
	expect_cancel(&b);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&c);
	expect_bye(&d);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	call(&c, "1", "user");
	rung(&b, &phone_b);
	answer(&b);
	expect_final(&c, 200);
	pick_up(&d, &b);
	expect_final(&d, 403);
	bye(&c);
	expect_bye(&b);
	end();
}

/* ---- re-INVITEs, in all forms ---- */

static int reinvite_with(struct dlg *d, const char *method, const char *sdp)
{
	const char *m;

	new_branch(d->branch, sizeof(d->branch));
	request(d, method, ++d->cseq, d->branch, "", sdp);
	do
		m = await(d->p, "SIP/2.0 ", d->call_id);
	while (!strncmp(m, "SIP/2.0 1", 9));
	if (strcmp(method, "INVITE"))
		return atoi(m + 8);
	ack(d, atoi(m + 8) < 300);
	return atoi(m + 8);
}

static const char *sdp_like(unsigned version, const char *host, const char *types, const char *direction)
{
	static char sdp[1024];

	(void)snprintf(sdp, sizeof(sdp), "v=0\r\no=- 1 %u IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP %s\r\na=%s\r\n", version,
		       host, bed.rtp_port, types, direction);
	return sdp;
}

TEST(telephones_hold_and_take_back_in_every_way)
{
	struct dlg c, a;
	int at = 0;

	two_agents();
	begin();
	talk(&c, &a);
	static const struct {
		const char *method, *host, *direction;
	} holds[] = {
		{"INVITE", "127.0.0.1", "sendonly"}, {"INVITE", "127.0.0.1", "inactive"}, {"INVITE", "0.0.0.0", "sendrecv"}, {"UPDATE", "127.0.0.1", "sendonly"},
	};
	for (unsigned i = 0; i < ARRAY_LEN(holds); i++) {
		assert_int_equal(reinvite_with(&a, holds[i].method, sdp_like(2 + 2 * i, holds[i].host, "8", holds[i].direction)), 200);
		at = await_event(at + 1, EV_SEG_OPEN, ALICE, "\"hold\"");
		assert_int_equal(reinvite_with(&a, holds[i].method, sdp_like(3 + 2 * i, "127.0.0.1", "8", "sendrecv")), 200);
		at = await_event(at + 1, EV_SEG_OPEN, ALICE, "\"talk\"");
	}
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(reinvite_may_change_codec_and_address_ask_for_an_offer_or_be_refused)
{
	struct dlg c, a;
	const char *m;
	char branch[32];

	two_agents();
	begin();
	talk(&c, &a);
	assert_int_equal(reinvite_with(&a, "INVITE", sdp_like(2, "127.0.0.2", "0", "sendrecv")), 200); /* u-law, from elsewhere */
	assert_int_equal(reinvite_with(&c, "INVITE", sdp_like(2, "127.0.0.1", "8", "sendrecv")), 200); /* the customer's side too */
	assert_int_equal(reinvite_with(&a, "INVITE", sdp_like(3, "127.0.0.1", "97", "sendonly")), 488); /* nothing in common: nothing changes */
	assert_int_equal(count_events(EV_SEG_OPEN, "\"hold\""), 0);
	assert_int_equal(reinvite_with(&a, "INVITE", sdp_like(2, "127.0.0.2", "0", "sendrecv")), 200);  /* as agreed before */
	/* Without a description: ours comes in the 200, theirs, which holds, in the ACK. */
	new_branch(a.branch, sizeof(a.branch));
	request(&a, "INVITE", ++a.cseq, a.branch, "", "");
	do
		m = await(&phone_a, "SIP/2.0 200", a.call_id);
	while (!strstr(m, "INVITE\r\n"));
	assert_non_null(strstr(m, "m=audio "));
	new_branch(branch, sizeof(branch));
	request(&a, "ACK", a.cseq, branch, "", sdp_like(4, "127.0.0.1", "0", "sendonly"));
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"hold\"");
	bye(&c);
	expect_bye(&a);
	end();
}

/* ---- what is heard while it rings ---- */

static int packets_in(int ms)
{
	int64_t until = clock_mono_ms() + ms;
	char buf[2048];
	int n = 0;

	while (clock_mono_ms() < until) {
		struct pollfd f = {.fd = bed.sink, .events = POLLIN};

		if (poll(&f, 1, 5) > 0 && recv(bed.sink, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			n++;
	}
	return n;
}

/* @n packets of silence to the port that @invite names. */
static void speak(const char *invite, int n)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const char *m = strstr(invite, "m=audio ");
	uint8_t rtp[172] = {0x80, 8};
	static uint8_t seq;

	assert_non_null(m);
	to.sin_port = htons((uint16_t)atoi(m + 8));
	for (int i = 0; i < n; i++) {
		rtp[3] = ++seq;
		rtp[6] = (uint8_t)(seq * 160 >> 8);
		rtp[7] = (uint8_t)(seq * 160);
		memset(rtp + 12, 0xd5, 160);
		assert_int_equal(sendto(bed.sink, rtp, sizeof(rtp), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(rtp));
		(void)poll(NULL, 0, 20);
	}
}

TEST(agent_hears_ring_back_until_the_carriers_own_sound_comes_and_again_after_it)
{
	struct dlg a, o;

	plan_default();
	begin();
	assert_int_equal(dial(ALICE, "13900000002"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&o, &trunk);
	(void)await_event(0, EV_LEG_RING, 0, "180");
	assert_true(packets_in(200) > 3); /* ours: 50 a second */
	respond(&o, o.invite, 183, sdp_of(&trunk));
	(void)poll(NULL, 0, 50);
	assert_true(packets_in(200) > 3); /* it has described itself, but says nothing yet */
	speak(o.invite, 5);
	(void)packets_in(100);
	assert_true(packets_in(300) < 3); /* ours has stopped */
	respond(&o, o.invite, 180, "");   /* changes nothing */
	(void)poll(NULL, 0, 50);
	assert_true(packets_in(300) < 3);
	respond(&o, o.invite, 199, "");
	(void)poll(NULL, 0, 50);
	assert_true(packets_in(200) > 3);
	reply(&o, 200);
	(void)await(&trunk, "ACK", o.call_id);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	bye(&o);
	expect_bye(&a);
	end();
}
