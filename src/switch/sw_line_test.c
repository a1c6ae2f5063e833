/* Trunks as they live: fail-over, limits, supervision, registration. The trunk peer is the first carrier, `outside` the second. */
#include "switch/bed_test.h"

enum { SECOND = 8 };

static uint16_t port_of(const struct peer *p)
{
	return (uint16_t)atoi(strchr(p->at, ':') + 1);
}

/* Two carriers, the trunk peer first. */
static void two(void)
{
	plan_default();
	plan.trunks[0].turn = 1;
	plan.trunks[0].name = "first";
	plan.trunks[1] = (struct sw_trunk){.id = SECOND, .name = "second", .host = "127.0.0.4", .port = port_of(&outside), .outbound = true, .turn = 2};
	plan.trunks_n = 2;
}

/* Alice's leg is up, and the customer is being dialled. */
static void dial_out(struct dlg *a, const char *number)
{
	assert_int_equal(dial(ALICE, number), SW_OK);
	rung(a, &phone_a);
	answer(a);
}

/* The INVITE at a carrier, which says nothing yet. */
static void invited(struct dlg *d, struct peer *p)
{
	const char *m;

	do
		m = await(p, "INVITE", NULL);
	while (is_repeat(p, m));
	*d = (struct dlg){.p = p};
	(void)snprintf(d->invite, sizeof(d->invite), "%s", m);
	(void)snprintf(d->call_id, sizeof(d->call_id), "%s", header(m, "Call-ID"));
	(void)snprintf(d->remote, sizeof(d->remote), "%s", header(m, "From"));
	(void)snprintf(d->local, sizeof(d->local), "%s;tag=u%u", header(m, "To"), ++serial);
	contact_of(m, d->target, sizeof(d->target));
}

static void respond_with(struct dlg *d, const char *req, int code, const char *lines)
{
	send_text(d->p, "SIP/2.0 %d X\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n", code,
		  header(req, "Via"), header(req, "From"), strstr(header(req, "To"), ";tag=") ? header(req, "To") : d->local,
		  header(req, "Call-ID"), header(req, "CSeq"), lines);
}

static void over(struct dlg *o, struct dlg *a)
{
	bye(o);
	expect_bye(a);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");
}

static void free_again(int from)
{
	(void)await_event(from, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
}

/* ---- fail-over ---- */

TEST(trunk_that_fails_is_followed_by_the_next_and_each_attempt_is_a_leg)
{
	struct dlg a, o;
	struct db *db;

	two();
	begin();
	dial_out(&a, "0555123");
	rung(&o, &trunk);
	refuse(&o, 503);
	rung(&o, &outside);
	answer(&o);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	over(&o, &a);
	stop(3000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM call"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM leg WHERE role = 'customer'"), 2);
	assert_int_equal(get(db, "SELECT code FROM leg WHERE role = 'customer' ORDER BY id LIMIT 1"), 503);
	assert_int_equal(get(db, "SELECT count(*) FROM leg WHERE role = 'customer' AND answer_ms IS NOT NULL"), 1);
	db_close(db);
	end();
}

TEST(callees_own_answers_are_not_tried_elsewhere)
{
	static const int codes[] = {404, 480, 486, 603};
	int from = 0;

	two();
	begin();
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct dlg a, o;
		char text[32];

		dial_out(&a, "0555123");
		rung(&o, &trunk);
		refuse(&o, codes[i]);
		expect_bye(&a);
		(void)snprintf(text, sizeof(text), "\"cause\":%d", codes[i]);
		from = await_event(from, EV_CALL_END, 0, text);
		free_again(from);
	}
	assert_null(look(&outside, "INVITE", NULL, 50));
	end();
}

TEST(call_that_no_trunk_takes_ends_with_the_last_trunks_answer)
{
	struct dlg a, o;

	two();
	begin();
	dial_out(&a, "0555123");
	rung(&o, &trunk);
	refuse(&o, 503);
	rung(&o, &outside);
	refuse(&o, 500);
	expect_bye(&a);
	(void)await_event(0, EV_CALL_END, 0, "\"cause\":500");
	end();
}

TEST(early_media_that_was_heard_ends_the_trying)
{
	struct dlg a, o;

	two();
	begin();
	dial_out(&a, "0555123");
	rung(&o, &trunk);
	reply(&o, 183);
	refuse(&o, 503);
	expect_bye(&a);
	(void)await_event(0, EV_CALL_END, 0, "\"cause\":503");
	assert_null(look(&outside, "INVITE", NULL, 50));
	end();
}

TEST(silent_trunk_is_left_soon_and_tried_last_from_then_on)
{
	struct dlg a, o;
	int from;

	two();
	plan.trunks[0].answer_ms = 150;
	begin();
	dial_out(&a, "0555123");
	invited(&o, &trunk);
	rung(&o, &outside);
	answer(&o);
	from = await_event(0, EV_LEG_END, 0, "\"code\":408");
	over(&o, &a);
	free_again(from);
	dial_out(&a, "0555124");
	rung(&o, &outside);
	answer(&o);
	bye(&o);
	expect_bye(&a);
	end();
}

TEST(trunk_that_asks_for_rest_gets_it_and_comes_back)
{
	struct dlg a, o;
	int from;

	two();
	begin();
	dial_out(&a, "0555123");
	invited(&o, &trunk);
	respond_with(&o, o.invite, 503, "Retry-After: 1\r\n");
	rung(&o, &outside);
	answer(&o);
	from = await_event(0, EV_TRUNK_STATE, 0, "\"why\":\"resting\"");
	over(&o, &a);
	free_again(0);
	(void)await_event(from + 1, EV_TRUNK_STATE, 0, "\"trunk\":\"7\",\"state\":\"unknown\",\"why\":\"\"");
	dial_out(&a, "0555124");
	rung(&o, &trunk);
	answer(&o);
	bye(&o);
	expect_bye(&a);
	end();
}

TEST(overflow_to_a_number_goes_on_to_the_next_trunk_too)
{
	struct dlg c, o;

	two();
	plan.queues[0].overflow_number = "0555";
	plan.aq[0].overflow = ACD_OVERFLOW_NUMBER;
	plan.aq[0].wait_max_ms = 200;
	plan.users[0].static_agent = plan.users[1].static_agent = false;
	begin();
	call(&c, "138", "q");
	rung(&o, &trunk);
	refuse(&o, 500);
	rung(&o, &outside);
	answer(&o);
	expect_final(&c, 200);
	(void)await_event(0, EV_SEG_OPEN, 0, "\"talk\"");
	bye(&o);
	expect_bye(&c);
	end();
}

/* ---- limits ---- */

TEST(full_trunk_is_passed_over_and_counts_calls_of_both_directions)
{
	struct dlg c, a, o, p;

	two();
	plan.trunks[0].calls_max = 1;
	begin();
	call(&c, "138", "q");
	rung(&a, &phone_a);
	answer(&a);
	expect_final(&c, 200);
	assert_int_equal(dial(BOB, "0555123"), SW_OK);
	rung(&p, &phone_b);
	answer(&p);
	rung(&o, &outside);
	answer(&o);
	bye(&o);
	expect_bye(&p);
	bye(&c);
	expect_bye(&a);
	end();
}

TEST(calls_in_beyond_a_trunks_second_are_refused)
{
	struct dlg c, d, a;

	plan_default();
	plan.trunks[0].calls_per_s = 1;
	begin();
	call(&c, "138", "q");
	rung(&a, &phone_a);
	call(&d, "139", "q");
	expect_final(&d, 503);
	cancelled(&c);
	expect_cancel(&a);
	end();
}

TEST(call_out_waits_a_moment_for_the_only_trunks_second)
{
	struct dlg c, a, b, o;
	int64_t begun;

	plan_default();
	plan.trunks[0].calls_per_s = 2;
	begin();
	call(&c, "138", "q");
	rung(&a, &phone_a);
	cancelled(&c);
	expect_cancel(&a);
	call(&c, "138", "q");
	rung(&a, &phone_a);
	dial(BOB, "0555123");
	rung(&b, &phone_b);
	begun = clock_mono_ms();
	answer(&b);
	rung(&o, &trunk);
	assert_in_range(clock_mono_ms() - begun, 150, 5000); /* two a second: half a second, less what was spent above */
	answer(&o);
	bye(&o);
	expect_bye(&b);
	cancelled(&c);
	expect_cancel(&a);
	end();
}

/* ---- supervision ---- */

static void pong(struct peer *p, int code)
{
	struct dlg d = {.p = p};
	const char *m = await(p, "OPTIONS", NULL);

	(void)snprintf(d.local, sizeof(d.local), "%s;tag=o", header(m, "To"));
	respond_with(&d, m, code, "");
}

TEST(trunk_that_does_not_answer_options_is_down_until_it_does)
{
	struct dlg a, o;
	int from;

	two();
	plan.trunks[0].options_s = 1;
	plan.trunks[0].options_fails = 2;
	begin();
	pong(&trunk, 405); /* any answer is one */
	from = await_event(0, EV_TRUNK_STATE, 0, "\"state\":\"up\"");
	assert_int_equal(count_events(EV_SYS_ALARM, ""), 0);
	from = await_event(from + 1, EV_TRUNK_STATE, 0, "\"state\":\"degraded\",\"why\":\"silent\"");
	from = await_event(from + 1, EV_TRUNK_STATE, 0, "\"state\":\"down\",\"why\":\"silent\",\"code\":408");
	(void)await_event(from, EV_SYS_ALARM, 0, "\"what\":\"trunk_down\",\"object\":\"7\",\"name\":\"first\"");
	dial_out(&a, "0555123");
	rung(&o, &outside);
	answer(&o);
	bye(&o);
	expect_bye(&a);
	while (count_events(EV_TRUNK_STATE, "\"state\":\"up\"") < 2)
		pong(&trunk, 200); /* those that it slept through, too */
	from = await_event(from + 1, EV_TRUNK_STATE, 0, "\"state\":\"up\"");
	(void)await_event(from, EV_SYS_ALARM, 0, "\"on\":false");
	end();
}

TEST(trunk_that_is_switched_off_takes_its_alarm_with_it)
{
	int from;

	two();
	plan.trunks[1].options_s = 1;
	plan.trunks[1].options_fails = 1;
	begin();
	from = await_event(0, EV_SYS_ALARM, 0, "\"object\":\"8\",\"name\":\"second\"");
	plan.trunks_n = 1;
	reconfigure();
	(void)await_event(from + 1, EV_SYS_ALARM, 0, "\"on\":false");
	(void)await_event(from + 1, EV_TRUNK_STATE, 0, "{\"trunk\":\"8\",\"state\":\"gone\"}");
	end();
}

/* ---- registration ---- */

#define ASK401 "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"\r\n"

static void registering(void)
{
	plan_default();
	plan.trunks[0].registers = true;
	plan.trunks[0].username = "0571";
	plan.trunks[0].secret = "tiger";
	plan.trunks[0].expires_s = 600;
}

static void registrar_says(int code, const char *lines, char *token, size_t size)
{
	struct dlg d = {.p = &trunk};
	const char *m = await(&trunk, "REGISTER", NULL), *c = strstr(header(m, "Contact"), "sip:");

	(void)snprintf(d.local, sizeof(d.local), "%s;tag=r", header(m, "To"));
	if (token)
		(void)snprintf(token, size, "%.*s", (int)strcspn(c + 4, "@"), c + 4);
	respond_with(&d, m, code, lines);
}

TEST(registered_trunk_takes_calls_by_its_token_from_anywhere_and_answers_challenges)
{
	struct dlg c, a, o;
	char token[64];
	const char *m;

	registering();
	plan.numbers[0].number = "057188880000";
	begin();
	registrar_says(401, ASK401, NULL, 0);
	registrar_says(200, "", token, sizeof(token));
	(void)await_event(0, EV_TRUNK_STATE, 0, "\"state\":\"up\",\"why\":\"\",\"code\":0,\"reason\":\"\",\"registration\":\"registered\"");
	begin_call(&c, &outside, "138", token, sdp_of(&outside)); /* 127.0.0.4 is no trunk's address; To names nobody */
	expect_final(&c, 404);
	send_text(&outside,
		  "INVITE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKtk;rport\r\nMax-Forwards: 70\r\nFrom: <sip:138@x>;tag=f\r\n"
		  "To: <sip:057188880000@carrier>\r\nCall-ID: byto\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%s>\r\nContent-Type: application/sdp\r\n"
		  "Content-Length: %zu\r\n\r\n%s", token, bed.sip, outside.at, outside.at, strlen(sdp_of(&outside)), sdp_of(&outside));
	rung(&a, &phone_a);
	send_text(&outside,
		  "CANCEL sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKtk;rport\r\nMax-Forwards: 70\r\nFrom: <sip:138@x>;tag=f\r\n"
		  "To: <sip:057188880000@carrier>\r\nCall-ID: byto\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n", token, bed.sip, outside.at);
	expect_cancel(&a);
	(void)await_event(0, EV_CALL_END, 0, "\"by\":\"customer\"");

	dial_out(&a, "0555123");
	invited(&o, &trunk);
	assert_non_null(strstr(header(o.invite, "From"), "@127.0.0.3>")); /* the carrier's domain */
	m = header(o.invite, "Authorization");
	assert_non_null(strstr(m, "username=\"0571\"")); /* beforehand, with the registrar's challenge */
	reply(&o, 180);
	answer(&o);
	bye(&o);
	expect_bye(&a);
	stop(3000);
	m = await(&trunk, "REGISTER", NULL);
	assert_string_equal(header(m, "Expires"), "0");
	end();
}

TEST(refused_registration_shows_the_carriers_answer_and_is_an_alarm)
{
	registering();
	begin();
	registrar_says(403, "", NULL, 0);
	(void)await_event(0, EV_TRUNK_STATE, 0, "\"state\":\"down\",\"why\":\"register_refused\",\"code\":403,\"reason\":\"X\",\"registration\":\"refused\"");
	(void)await_event(0, EV_SYS_ALARM, 0, "\"what\":\"trunk_down\",\"object\":\"7\",\"name\":\"t\",\"detail\":\"register_refused 403 X\",\"on\":true");
	assert_int_equal(dial(ALICE, "0555123"), SW_R_NO_TRUNK);
	end();
}

TEST(carrier_that_comes_back_is_registered_at_anew)
{
	registering();
	plan.trunks[0].options_s = 1;
	plan.trunks[0].options_fails = 1;
	begin();
	registrar_says(200, "", NULL, 0);
	(void)await_event(0, EV_TRUNK_STATE, 0, "\"state\":\"down\",\"why\":\"silent\"");
	assert_null(look(&trunk, "REGISTER", NULL, 0)); /* 600 s are not over */
	while (count_events(EV_SYS_ALARM, "\"on\":false") < 1)
		pong(&trunk, 200);
	registrar_says(200, "", NULL, 0);
	end();
}

TEST(changed_password_registers_anew_and_a_changed_limit_does_not)
{
	registering();
	begin();
	registrar_says(403, "", NULL, 0);
	(void)await_event(0, EV_TRUNK_STATE, 0, "register_refused");
	plan.trunks[0].calls_max = 5;
	reconfigure();
	assert_null(look(&trunk, "REGISTER", NULL, 50));
	plan.trunks[0].secret = "lion";
	reconfigure();
	registrar_says(200, "", NULL, 0);
	(void)await_event(0, EV_TRUNK_STATE, 0, "\"state\":\"up\"");
	(void)await_event(0, EV_SYS_ALARM, 0, "\"on\":false");
	end();
}

/* ---- whose call is it ---- */

TEST(calls_come_from_any_address_and_network_of_the_trunk_and_from_no_other)
{
	struct dlg c;

	plan_default();
	plan.trunks[0].sources = "192.0.2.1 127.0.0.4/31";
	begin();
	begin_call(&c, &outside, "138", "nobody", sdp_of(&outside));
	expect_final(&c, 404); /* known, and the number is not */
	begin_call(&c, &phone_a, "138", "nobody", sdp_of(&phone_a));
	expect_final(&c, 407);
	end();
}

TEST(trunk_without_an_address_calls_by_password_only)
{
	char text[64], md5[65], sha256[65];
	struct dlg c;
	int n;

	plan_default();
	n = snprintf(text, sizeof(text), "gw:" REALM ":pw");
	sipa_hex(md5, false, text, (size_t)n);
	sipa_hex(sha256, true, text, (size_t)n);
	plan.trunks[0].auth_in = true;
	plan.trunks[0].username = "gw";
	plan.trunks[0].ha1_md5 = md5;
	plan.trunks[0].ha1_sha256 = sha256;
	begin();
	begin_call(&c, &trunk, "138", "q", sdp_of(&trunk));
	expect_final(&c, 407); /* its address alone is nothing */
	strcpy(outside.device, "gw");
	strcpy(outside.secret, "pw");
	device_call(&c, &outside, "nobody");
	expect_final(&c, 404);
	strcpy(outside.secret, "other");
	device_call(&c, &outside, "nobody");
	(void)await(&outside, "SIP/2.0 407", c.call_id);
	end();
}
