/* What happens inside dialogs: session timers, UPDATE, PRACK, forks, REFER, Replaces; both sides, over sockets. */
#include "sip/testbed.h"

static char kept[4096]; /* the peer's copy of our INVITE */

static const char *ring(int ms)
{
	const char *m;

	assert_int_equal(dial(ms), 0);
	m = await(&trunk, "INVITE", 500);
	assert_non_null(m);
	(void)str_copy(kept, sizeof(kept), m);
	return kept;
}

/* An outgoing call that is up; @lines in the 200. */
static void out_up(const char *lines)
{
	respond(&trunk, ring(0), 200, "t1", lines, SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	assert_int_equal(seen.established, 1);
}

/* A request of the called side in the dialog that @kept began. */
static void callee_request(const char *method, const char *tag, unsigned cseq, const char *lines, const char *body)
{
	static unsigned serial;

	send_to(&trunk,
		"%s sip:x@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKcallee%u;rport\r\nFrom: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %u %s\r\nContact: <sip:callee@%s>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		method, local, trunk.at, ++serial, header(kept, "To"), tag, header(kept, "From"), header(kept, "Call-ID"), cseq, method, trunk.at,
		lines, body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

static bool has(const char *text, const char *part)
{
	return text && strstr(text, part);
}

/* ---- session timers: RFC 4028 ---- */

TEST(session_too_short_for_us_is_refused_with_what_we_take)
{
	const char *m;

	begin_with((struct sip_conf){.session_min_s = 100});
	request(&trunk, "INVITE", "1", "b1", "c1", "", 1, "Supported: timer\r\nSession-Expires: 90\r\n", SDP);
	m = await(&trunk, "SIP/2.0 422", 500);
	assert_string_equal(header(m, "Min-SE"), "100");
	request(&trunk, "ACK", "1", "b1", "c1", "x", 1, "", "");
	run_ms(5);
	assert_int_equal(seen.invites, 0);
	assert_int_equal(counters().legs, 0);
	end();
}

TEST(caller_who_asks_for_a_session_gets_it_and_refreshes_it)
{
	const char *m;

	begin();
	seen.answer_at_once = true;
	request(&trunk, "INVITE", "1", "b1", "c1", "", 1, "Supported: timer\r\nSession-Expires: 600\r\nMin-SE: 120\r\n", SDP);
	m = await(&trunk, "SIP/2.0 200", 500);
	assert_string_equal(header(m, "Session-Expires"), "600;refresher=uac");
	assert_string_equal(header(m, "Require"), "timer");
	end();
	/* More than we want: ours, but never less than its Min-SE. */
	begin();
	seen.answer_at_once = true;
	request(&trunk, "INVITE", "1", "b1", "c1", "", 1, "Supported: timer\r\nSession-Expires: 7200;refresher=uas\r\nMin-SE: 3600\r\n", SDP);
	m = await(&trunk, "SIP/2.0 200", 500);
	assert_string_equal(header(m, "Session-Expires"), "3600;refresher=uas");
	end();
}

TEST(caller_without_session_timers_is_left_alone)
{
	begin();
	seen.answer_at_once = true;
	invite(&trunk, "1", "b", "c");
	assert_string_equal(header(await(&trunk, "SIP/2.0 200", 500), "Session-Expires"), "");
	assert_int_equal(seen.leg != NULL, 1);
	end();
}

TEST(session_of_the_caller_that_is_not_refreshed_ends_with_bye)
{
	const char *m;
	char tag[64];

	begin_with((struct sip_conf){.session_s = 3, .session_min_s = 1});
	seen.answer_at_once = true;
	request(&trunk, "INVITE", "1", "b1", "c1", "", 1, "Supported: timer\r\nSession-Expires: 1;refresher=uac\r\nMin-SE: 1\r\n", SDP);
	m = await(&trunk, "SIP/2.0 200", 500);
	(void)str_copy(tag, sizeof(tag), tag_of(header(m, "To")));
	request(&trunk, "ACK", "1", "a", "c1", tag, 1, "", "");
	/* It refreshes once, and is heard: 667 ms from there (one second less a third). */
	run_ms(400);
	request(&trunk, "UPDATE", "1", "u", "c1", tag, 2, "Supported: timer\r\nSession-Expires: 1;refresher=uac\r\n", "");
	m = await(&trunk, "SIP/2.0 200", 500);
	assert_string_equal(header(m, "CSeq"), "2 UPDATE");
	assert_string_equal(header(m, "Session-Expires"), "1;refresher=uac");
	assert_null(await(&trunk, "BYE", 500));
	m = await(&trunk, "BYE", 500);
	assert_string_equal(header(m, "Reason"), "SIP;cause=408;text=\"Session expired\"");
	run_ms(5);
	assert_int_equal(seen.close.by, SIP_BY_LOST);
	assert_string_equal(seen.reason, "Session expired");
	end();
}

TEST(we_refresh_by_update_where_it_is_allowed)
{
	const char *m;
	char update[4096];

	begin_with((struct sip_conf){.session_s = 1, .session_min_s = 1});
	assert_true(has(ring(0), "\r\nSession-Expires: 1\r\n"));
	assert_true(has(header(kept, "Supported"), "timer"));
	respond(&trunk, kept, 200, "t1", "Allow: INVITE, UPDATE, BYE\r\nSession-Expires: 1;refresher=uac\r\n", SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	m = await(&trunk, "UPDATE sip:callee@", 1500);
	assert_non_null(m);
	(void)str_copy(update, sizeof(update), m);
	assert_string_equal(header(update, "Session-Expires"), "1;refresher=uac");
	assert_string_equal(header(update, "Content-Length"), "0");
	respond(&trunk, update, 200, "", "Session-Expires: 1;refresher=uac\r\n", "");
	assert_non_null(await(&trunk, "UPDATE", 1500)); /* and again */
	assert_int_equal(seen.closed, 0);
	end();
}

TEST(we_refresh_by_reinvite_with_the_same_description_where_update_is_not_known)
{
	const char *m;
	char again[4096];

	begin_with((struct sip_conf){.session_s = 1, .session_min_s = 1});
	out_up("Allow: INVITE, BYE\r\nSession-Expires: 1;refresher=uac\r\n");
	m = await(&trunk, "INVITE", 1500);
	(void)str_copy(again, sizeof(again), m);
	assert_string_equal(strstr(again, "\r\n\r\n"), strstr(kept, "\r\n\r\n")); /* o= and all */
	respond(&trunk, again, 200, "", "Session-Expires: 1;refresher=uac\r\n", SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	end();
	/* UPDATE was allowed, and is not taken after all. */
	begin_with((struct sip_conf){.session_s = 1, .session_min_s = 1});
	out_up("Allow: INVITE, UPDATE, BYE\r\nSession-Expires: 1;refresher=uac\r\n");
	m = await(&trunk, "UPDATE", 1500);
	assert_non_null(m);
	(void)str_copy(again, sizeof(again), m);
	respond(&trunk, again, 501, "", "", "");
	assert_non_null(await(&trunk, "INVITE", 500));
	assert_int_equal(seen.closed, 0);
	end();
}

TEST(refresh_into_a_dialog_that_is_gone_ends_the_leg)
{
	char update[4096];

	begin_with((struct sip_conf){.session_s = 1, .session_min_s = 1});
	out_up("Allow: INVITE, UPDATE, BYE\r\nSession-Expires: 1;refresher=uac\r\n");
	(void)str_copy(update, sizeof(update), await(&trunk, "UPDATE", 1500));
	respond(&trunk, update, 481, "", "", "");
	run_ms(20);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.by, SIP_BY_LOST);
	end();
}

TEST(callee_that_refreshes_is_expected_to)
{
	begin_with((struct sip_conf){.session_s = 1, .session_min_s = 1});
	out_up("Session-Expires: 1;refresher=uas\r\n");
	assert_null(await(&trunk, "INVITE", 600)); /* not we */
	assert_true(has(await(&trunk, "BYE", 500), "Session expired"));
	end();
}

TEST(callee_that_wants_a_longer_session_gets_it_and_one_that_exaggerates_does_not)
{
	const char *m;

	begin();
	respond(&trunk, ring(0), 422, "t1", "Min-SE: 5000\r\n", "");
	assert_non_null(await(&trunk, "ACK", 500));
	m = await(&trunk, "INVITE", 500);
	assert_string_equal(header(m, "Session-Expires"), "5000");
	assert_string_equal(header(m, "Min-SE"), "5000");
	assert_string_equal(header(m, "CSeq"), "2 INVITE");
	assert_string_equal(header(m, "Call-ID"), header(kept, "Call-ID"));
	assert_string_equal(strstr(m, "\r\n\r\n"), strstr(kept, "\r\n\r\n"));
	(void)str_copy(kept, sizeof(kept), m);
	respond(&trunk, kept, 422, "t1", "Min-SE: 2000000000\r\n", "");
	assert_non_null(await(&trunk, "ACK", 500));
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.code, 422);
	end();
}

/* ---- UPDATE and re-INVITE ---- */

TEST(update_offers_and_is_answered)
{
	const char *m, *tag;

	begin();
	tag = call_up("c");
	request(&trunk, "UPDATE", "1000", "u1", "c", tag, 2, "", SDP3);
	m = await(&trunk, "SIP/2.0 200", 500);
	assert_true(has(m, "\r\n\r\n" SDP2));
	assert_string_not_equal(header(m, "Contact"), "");
	assert_int_equal(seen.reoffers, 1);
	assert_string_equal(seen.sdp, SDP3);
	/* Nothing new in it: the owner is not troubled, the answer is the same. */
	request(&trunk, "UPDATE", "1000", "u2", "c", tag, 3, "", SDP3);
	assert_true(has(await(&trunk, "SIP/2.0 200", 500), "\r\n\r\n" SDP2));
	assert_int_equal(seen.reoffers, 1);
	request(&trunk, "UPDATE", "1000", "u3", "c", tag, 4, "", "");
	assert_string_equal(header(await(&trunk, "SIP/2.0 200", 500), "Content-Length"), "0");
	assert_int_equal(seen.reoffers, 1);
	end();
}

TEST(update_that_crosses_our_offer_gets_491_and_one_before_our_answer_500)
{
	const char *m, *tag;

	begin();
	tag = call_up("c");
	assert_int_equal(sip_leg_reinvite(seen.leg, SDP2), 0);
	assert_non_null(await(&trunk, "INVITE", 500));
	request(&trunk, "UPDATE", "1000", "u1", "c", tag, 2, "", SDP3);
	assert_non_null(await(&trunk, "SIP/2.0 491", 500));
	end();
	begin();
	invite(&trunk, "1000", "b", "c");
	run_ms(5);
	assert_int_equal(sip_leg_progress(seen.leg, 180, NULL, NULL), 0);
	m = await(&trunk, "SIP/2.0 180", 500);
	request(&trunk, "UPDATE", "1000", "u1", "c", tag_of(header(m, "To")), 2, "", SDP3);
	assert_string_not_equal(header(await(&trunk, "SIP/2.0 500", 500), "Retry-After"), "");
	end();
}

TEST(refused_offer_leaves_the_session_as_it_was)
{
	const char *tag;

	begin();
	tag = call_up("c");
	seen.reoffer_code = 488;
	request(&trunk, "INVITE", "1000", "b2", "c", tag, 2, "", SDP3);
	assert_non_null(await(&trunk, "SIP/2.0 488", 500));
	request(&trunk, "ACK", "1000", "b2", "c", tag, 2, "", "");
	run_ms(5);
	assert_int_equal(seen.closed, 0);
	/* What was agreed before still stands: its offer is answered as before, without the owner. */
	request(&trunk, "INVITE", "1000", "b3", "c", tag, 3, "", SDP);
	assert_true(has(await(&trunk, "SIP/2.0 200", 500), SDP2));
	assert_int_equal(seen.reoffers, 1);
	end();
}

TEST(new_contact_is_where_later_requests_go)
{
	const char *tag;

	begin();
	tag = call_up("c");
	send_to(&trunk,
		"UPDATE sip:x@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKu;rport\r\nFrom: <sip:caller@x>;tag=ft\r\nTo: <sip:1000@x>;tag=%s\r\n"
		"Call-ID: c\r\nCSeq: 2 UPDATE\r\nContact: <sip:moved@%s>\r\nContent-Length: 0\r\n\r\n",
		local, trunk.at, tag, trunk.at);
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	assert_non_null(await(&trunk, "BYE sip:moved@", 500));
	end();
}

TEST(reinvite_while_ours_waits_for_its_ack_gets_500)
{
	const char *ok;
	char tag[64];

	begin();
	seen.answer_at_once = true;
	invite(&trunk, "1000", "b", "c");
	ok = await(&trunk, "SIP/2.0 200", 500);
	(void)str_copy(tag, sizeof(tag), tag_of(header(ok, "To")));
	request(&trunk, "INVITE", "1000", "b2", "c", tag, 2, "", SDP3);
	assert_string_not_equal(header(await(&trunk, "SIP/2.0 500", 500), "Retry-After"), "");
	end();
}

/* ---- reliable provisional answers: RFC 3262 ---- */

static void prack(const char *tag, unsigned cseq, const char *rseq, const char *invite_cseq, const char *body)
{
	char branch[32], lines[96];

	(void)snprintf(branch, sizeof(branch), "p%u", cseq);
	(void)snprintf(lines, sizeof(lines), "RAck: %s %s\r\n", rseq, invite_cseq);
	request(&trunk, "PRACK", "1000", branch, "c", tag, cseq, lines, body);
}

TEST(caller_who_requires_it_gets_reliable_answers_and_the_200_waits_for_prack)
{
	const char *m;
	char tag[64], rseq[32], wrong[32];

	begin_with((struct sip_conf){.t1_ms = 40});
	request(&trunk, "INVITE", "1000", "b", "c", "", 1, "Require: 100rel\r\n", SDP);
	run_ms(5);
	assert_true(sip_leg_is_reliable(seen.leg));
	assert_int_equal(sip_leg_progress(seen.leg, 183, NULL, SDP2), 0);
	m = await(&trunk, "SIP/2.0 183", 500);
	assert_string_equal(header(m, "Require"), "100rel");
	(void)str_copy(rseq, sizeof(rseq), header(m, "RSeq"));
	(void)str_copy(tag, sizeof(tag), tag_of(header(m, "To")));
	assert_string_equal(header(await(&trunk, "SIP/2.0 183", 500), "RSeq"), rseq); /* repeated until it is acknowledged */
	assert_int_equal(sip_leg_progress(seen.leg, 180, NULL, NULL), 0);
	assert_null(await(&trunk, "SIP/2.0 180", 60)); /* one at a time */
	assert_int_equal(sip_leg_answer(seen.leg, SDP2), 0);
	assert_null(await(&trunk, "SIP/2.0 200", 20)); /* RFC 3262 3: a description waits for its PRACK */
	(void)snprintf(wrong, sizeof(wrong), "%ld", atol(rseq) + 1);
	prack(tag, 2, wrong, "1 INVITE", "");
	assert_non_null(await(&trunk, "SIP/2.0 481", 500));
	prack(tag, 3, rseq, "2 INVITE", "");
	assert_non_null(await(&trunk, "SIP/2.0 481", 500));
	prack(tag, 4, rseq, "1 INVITE", "");
	assert_string_equal(header(await(&trunk, "SIP/2.0 200", 500), "CSeq"), "4 PRACK");
	m = await(&trunk, "SIP/2.0 200", 500);
	assert_string_equal(header(m, "CSeq"), "1 INVITE");
	assert_string_equal(header(m, "Content-Length"), "0"); /* its description went before */
	request(&trunk, "ACK", "1000", "a", "c", tag, 1, "", "");
	run_ms(5);
	assert_int_equal(seen.established, 1);
	end();
}

TEST(late_offer_goes_reliably_and_is_answered_in_prack)
{
	const char *m;
	char tag[64], rseq[32];

	begin();
	request(&trunk, "INVITE", "1000", "b", "c", "", 1, "Require: 100rel\r\n", "");
	run_ms(5);
	assert_int_equal(sip_leg_progress(seen.leg, 183, NULL, SDP2), 0);
	m = await(&trunk, "SIP/2.0 183", 500);
	(void)str_copy(rseq, sizeof(rseq), header(m, "RSeq"));
	(void)str_copy(tag, sizeof(tag), tag_of(header(m, "To")));
	request(&trunk, "UPDATE", "1000", "u", "c", tag, 2, "", SDP3);
	assert_non_null(await(&trunk, "SIP/2.0 491", 500)); /* ours waits for its answer */
	prack(tag, 3, rseq, "1 INVITE", SDP);
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	assert_int_equal(seen.reanswers, 1);
	assert_string_equal(seen.sdp, SDP);
	request(&trunk, "UPDATE", "1000", "u2", "c", tag, 4, "", SDP3); /* now an offer is in order, before the answer */
	assert_true(has(await(&trunk, "SIP/2.0 200", 500), SDP2));
	assert_int_equal(sip_leg_answer(seen.leg, SDP2), 0);
	assert_string_equal(header(await(&trunk, "SIP/2.0 200", 500), "Content-Length"), "0");
	request(&trunk, "ACK", "1000", "a", "c", tag, 1, "", "");
	run_ms(5);
	assert_int_equal(seen.established, 1);
	assert_string_equal(seen.sdp, "");
	end();
}

TEST(prack_may_bring_the_next_offer)
{
	const char *m;
	char tag[64], rseq[32];

	begin();
	request(&trunk, "INVITE", "1000", "b", "c", "", 1, "Require: 100rel\r\n", SDP);
	run_ms(5);
	assert_int_equal(sip_leg_progress(seen.leg, 183, NULL, SDP2), 0);
	m = await(&trunk, "SIP/2.0 183", 500);
	(void)str_copy(rseq, sizeof(rseq), header(m, "RSeq"));
	(void)str_copy(tag, sizeof(tag), tag_of(header(m, "To")));
	prack(tag, 2, rseq, "1 INVITE", SDP3);
	assert_true(has(await(&trunk, "SIP/2.0 200", 500), SDP2));
	assert_int_equal(seen.reoffers, 1);
	end();
}

TEST(reliable_answer_that_nobody_acknowledges_ends_the_call)
{
	begin_with((struct sip_conf){.t1_ms = 5});
	request(&trunk, "INVITE", "1000", "b", "c", "", 1, "Require: 100rel\r\n", SDP);
	run_ms(5);
	assert_int_equal(sip_leg_progress(seen.leg, 180, NULL, NULL), 0);
	assert_non_null(await(&trunk, "SIP/2.0 504", 1500));
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.code, 504);
	end();
}

TEST(ringing_is_said_again_every_minute)
{
	const char *m;
	char rseq[32], tag[64];

	begin_with((struct sip_conf){.t1_ms = 2}); /* a minute is 240 ms */
	invite(&trunk, "1000", "b0", "c0");
	run_ms(5);
	assert_int_equal(sip_leg_progress(seen.leg, 180, NULL, NULL), 0);
	assert_non_null(await(&trunk, "SIP/2.0 180", 100));
	assert_null(await(&trunk, "SIP/2.0 180", 150));
	assert_non_null(await(&trunk, "SIP/2.0 180", 200));
	assert_non_null(await(&trunk, "SIP/2.0 180", 400));
	end();
	begin_with((struct sip_conf){.t1_ms = 2});
	request(&trunk, "INVITE", "1000", "b", "c", "", 1, "Require: 100rel\r\n", SDP);
	run_ms(5);
	assert_int_equal(sip_leg_progress(seen.leg, 180, NULL, NULL), 0);
	m = await(&trunk, "SIP/2.0 180", 100);
	(void)str_copy(rseq, sizeof(rseq), header(m, "RSeq"));
	(void)str_copy(tag, sizeof(tag), tag_of(header(m, "To")));
	prack(tag, 2, rseq, "1 INVITE", "");
	run_ms(20);
	trunk.n = 0;
	m = await(&trunk, "SIP/2.0 180", 500);
	assert_int_equal(atol(header(m, "RSeq")), atol(rseq) + 1); /* a new one, to be acknowledged again */
	end();
}

TEST(caller_who_only_supports_it_is_answered_plainly)
{
	begin();
	request(&trunk, "INVITE", "1000", "b", "c", "", 1, "Supported: 100rel\r\n", SDP);
	run_ms(5);
	assert_int_equal(sip_leg_progress(seen.leg, 183, NULL, SDP2), 0);
	assert_string_equal(header(await(&trunk, "SIP/2.0 183", 500), "RSeq"), "");
	end();
}

TEST(callee_that_answers_reliably_is_acknowledged_once_and_in_order)
{
	const char *m;

	begin();
	respond(&trunk, ring(0), 183, "t1", "Require: 100rel\r\nRSeq: 7\r\n", SDP);
	m = await(&trunk, "PRACK sip:callee@", 500);
	assert_string_equal(header(m, "RAck"), "7 1 INVITE");
	assert_string_equal(tag_of(header(m, "To")), "t1");
	assert_string_equal(header(m, "CSeq"), "2 PRACK");
	respond(&trunk, m, 200, "", "", "");
	respond(&trunk, kept, 183, "t1", "Require: 100rel\r\nRSeq: 7\r\n", SDP);
	respond(&trunk, kept, 180, "t1", "Require: 100rel\r\nRSeq: 9\r\n", "");
	assert_null(await(&trunk, "PRACK", 30)); /* a repeat; one is missing before the other */
	assert_int_equal(seen.progress, 1);
	respond(&trunk, kept, 180, "t1", "Require: 100rel\r\nRSeq: 8\r\n", "");
	m = await(&trunk, "PRACK", 500);
	assert_string_equal(header(m, "RAck"), "8 1 INVITE");
	respond(&trunk, m, 200, "", "", "");
	assert_int_equal(seen.progress, 2);
	/* Its offer is in order now: ours was answered reliably. */
	callee_request("UPDATE", "t1", 1, "", SDP3);
	assert_true(has(await(&trunk, "SIP/2.0 200", 500), SDP2));
	assert_int_equal(seen.reoffers, 1);
	respond(&trunk, kept, 200, "t1", "", "");
	assert_non_null(await(&trunk, "ACK", 500));
	assert_int_equal(seen.established, 1);
	assert_string_equal(seen.sdp, ""); /* UPDATE has overtaken what the 183 said */
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	assert_string_equal(header(await(&trunk, "BYE", 500), "CSeq"), "4 BYE");
	end();
}

TEST(callees_offer_before_it_has_answered_ours_gets_491)
{
	begin();
	respond(&trunk, ring(0), 180, "t1", "", "");
	run_ms(5);
	callee_request("UPDATE", "t1", 1, "", SDP3);
	assert_non_null(await(&trunk, "SIP/2.0 491", 500));
	callee_request("UPDATE", "t1", 2, "", "");
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	callee_request("UPDATE", "nobody", 3, "", "");
	assert_non_null(await(&trunk, "SIP/2.0 481", 500));
	end();
}

/* ---- forks ---- */

TEST(early_media_is_the_last_forks_until_it_goes)
{
	begin();
	respond(&trunk, ring(0), 183, "t1", "", SDP);
	run_ms(5);
	assert_string_equal(seen.sdp, SDP);
	respond(&trunk, kept, 183, "t2", "", SDP3);
	run_ms(5);
	assert_string_equal(seen.sdp, SDP3);
	respond(&trunk, kept, 180, "t3", "", "");
	run_ms(5);
	assert_int_equal(seen.progress_code, 180);
	respond(&trunk, kept, 199, "t3", "", ""); /* was not heard */
	run_ms(5);
	assert_int_equal(seen.progress, 3);
	respond(&trunk, kept, 199, "t2", "", "");
	run_ms(5);
	assert_string_equal(seen.sdp, SDP); /* the first one's again */
	respond(&trunk, kept, 199, "t1", "", "");
	run_ms(5);
	assert_int_equal(seen.progress_code, 199);
	assert_string_equal(seen.sdp, "");
	end();
}

TEST(fork_that_answers_without_a_description_has_the_one_it_rang_with)
{
	begin();
	respond(&trunk, ring(0), 183, "t1", "", SDP);
	respond(&trunk, kept, 183, "t2", "", SDP3);
	respond(&trunk, kept, 200, "t1", "", "");
	assert_non_null(await(&trunk, "ACK", 500));
	assert_string_equal(seen.sdp, SDP);
	end();
}

TEST(forks_beyond_the_limit_only_ring)
{
	char tag[16];

	begin();
	(void)ring(0);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(tag, sizeof(tag), "t%d", i);
		respond(&trunk, kept, 180, tag, i > 10 ? "Require: 100rel\r\nRSeq: 1\r\n" : "", "");
	}
	run_ms(20);
	assert_null(await(&trunk, "PRACK", 20));
	respond(&trunk, kept, 200, "t15", "", SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	assert_int_equal(seen.established, 1);
	end();
}

TEST(redirection_is_followed_where_allowed_and_to_the_same_host_only)
{
	struct sip_dial d = {.uri = dial_uri, .from_user = "1", .sdp = SDP2, .redirects_max = 1};
	char contact[96];
	const char *m;

	begin();
	(void)snprintf(dial_uri, sizeof(dial_uri), "sip:callee@%s", trunk.at);
	for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
		seen.closed = 0;
		assert_int_equal(sip_dial(&seen.leg, stack, &d, &leg_handlers, NULL), 0);
		(void)str_copy(kept, sizeof(kept), await(&trunk, "INVITE", 500));
		(void)snprintf(contact, sizeof(contact), "Contact: <sip:other@%s>\r\n", elsewhere ? "127.0.0.9:5060" : trunk.at);
		send_to(&trunk, "SIP/2.0 302 X\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=t\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
			header(kept, "Via"), header(kept, "From"), header(kept, "To"), header(kept, "Call-ID"), header(kept, "CSeq"), contact);
		assert_non_null(await(&trunk, "ACK", 500));
		m = await(&trunk, "INVITE sip:other@", elsewhere ? 20 : 500);
		assert_int_equal(m != NULL, !elsewhere);
		if (m) {
			(void)str_copy(kept, sizeof(kept), m);
			respond(&trunk, kept, 302, "t", "", ""); /* once is enough */
		}
		run_ms(10);
		assert_int_equal(seen.closed, 1);
		assert_int_equal(seen.close.code, 302);
	}
	end();
}

/* ---- REFER: RFC 3515 ---- */

TEST(refer_is_accepted_and_its_outcome_told)
{
	const char *m, *tag;

	begin();
	tag = call_up("c");
	request(&trunk, "REFER", "1000", "r", "c", tag, 2, "Refer-To: <sip:8002@x>\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 202", 500));
	assert_string_equal(seen.refer_target, "8002");
	assert_null(seen.refer_replaces);
	m = await(&trunk, "NOTIFY", 500);
	assert_string_equal(header(m, "Event"), "refer;id=2");
	assert_string_equal(header(m, "Content-Type"), "message/sipfrag;version=2.0");
	assert_true(has(header(m, "Subscription-State"), "active"));
	assert_true(has(m, "\r\n\r\nSIP/2.0 100 Trying\r\n"));
	respond(&trunk, m, 200, "", "", "");
	request(&trunk, "REFER", "1000", "r2", "c", tag, 3, "Refer-To: <sip:8003@x>\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 491", 500)); /* one at a time */
	sip_leg_refer_result(seen.leg, 486, NULL);
	m = await(&trunk, "NOTIFY", 500);
	assert_true(has(m, "\r\n\r\nSIP/2.0 486 Busy Here\r\n"));
	assert_string_equal(header(m, "Subscription-State"), "terminated;reason=noresource");
	respond(&trunk, m, 200, "", "", "");
	sip_leg_refer_result(seen.leg, 200, NULL);
	assert_null(await(&trunk, "NOTIFY", 20)); /* it is over */
	end();
}

TEST(refer_that_is_decided_at_once_is_accepted_first)
{
	const char *m, *tag;

	begin();
	tag = call_up("c");
	seen.refer_result = 200;
	request(&trunk, "REFER", "1000", "r", "c", tag, 2, "Refer-To: sip:8002@x\r\n", "");
	run_ms(10);
	assert_int_equal(trunk.n, 2 + 1); /* 100 of the INVITE is still there */
	assert_non_null(await(&trunk, "SIP/2.0 202", 500));
	m = await(&trunk, "NOTIFY", 500);
	assert_true(has(m, "SIP/2.0 200 OK\r\n"));
	end();
}

TEST(refer_that_may_not_be_or_makes_no_sense_is_refused)
{
	const char *tag;

	begin();
	tag = call_up("c");
	seen.refer_code = 403;
	request(&trunk, "REFER", "1000", "r1", "c", tag, 2, "Refer-To: <sip:8002@x>\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 403", 500));
	request(&trunk, "REFER", "1000", "r2", "c", tag, 3, "", "");
	assert_non_null(await(&trunk, "SIP/2.0 400", 500));
	request(&trunk, "REFER", "1000", "r3", "c", tag, 4, "Refer-To: <http://x/>\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 400", 500));
	request(&trunk, "REFER", "1000", "r4", "c", tag, 5, "Refer-To: <sip:a@x?Replaces=no%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 481", 500));
	assert_null(await(&trunk, "NOTIFY", 20));
	assert_int_equal(seen.refers, 1);
	/* Outside a dialog nobody may. */
	request(&trunk, "REFER", "1000", "r5", "d", "", 5, "Refer-To: <sip:8002@x>\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 403", 500));
	end();
}

TEST(refer_without_subscription_is_told_nothing)
{
	const char *m, *tag;

	begin();
	tag = call_up("c");
	request(&trunk, "REFER", "1000", "r", "c", tag, 2, "Refer-To: <sip:8002@x>\r\nRefer-Sub: false\r\nRequire: norefersub\r\n", "");
	m = await(&trunk, "SIP/2.0 202", 500);
	assert_string_equal(header(m, "Refer-Sub"), "false");
	sip_leg_refer_result(seen.leg, 200, NULL);
	assert_null(await(&trunk, "NOTIFY", 20));
	end();
}

TEST(attended_refer_names_our_other_leg)
{
	struct sip_leg *first;
	const char *m;
	char tag[64], lines[256];

	begin();
	out_up("");
	first = seen.leg;
	seen.leg = NULL;
	seen.established = 0;
	(void)str_copy(tag, sizeof(tag), call_up("c"));
	/* As the trunk's telephone sees it, the other call is one it got: our tag is to-tag's (RFC 3891 3). */
	m = kept;
	(void)snprintf(lines, sizeof(lines), "Refer-To: <sip:x@y?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3Dt1>\r\n", header(m, "Call-ID"),
		       tag_of(header(m, "From")));
	request(&trunk, "REFER", "1000", "r", "c", tag, 2, lines, "");
	assert_non_null(await(&trunk, "SIP/2.0 202", 500));
	assert_ptr_equal(seen.refer_replaces, first);
	obj_unref(first);
	end();
}

TEST(replaces_from_a_carrier_is_forbidden)
{
	const char *tag;
	char lines[256];

	begin();
	tag = call_up("c");
	(void)snprintf(lines, sizeof(lines), "Replaces: c;to-tag=%s;from-tag=ft\r\n", tag);
	request(&trunk, "INVITE", "1", "b9", "c9", "", 1, lines, SDP);
	assert_non_null(await(&trunk, "SIP/2.0 403", 500));
	end();
}

/* ---- causes ---- */

TEST(sip_causes_become_q850_and_are_kept)
{
	const char *tag;

	begin();
	tag = call_up("c");
	request(&trunk, "BYE", "1000", "bye", "c", tag, 2, "Reason: SIP;cause=486;text=\"Busy\"\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	run_ms(5);
	assert_int_equal(seen.close.q850, 17); /* RFC 3398 8.2.6.1 */
	assert_string_equal(seen.reason, "Busy");
	end();
	begin();
	invite(&trunk, "1000", "b", "c");
	run_ms(5);
	request(&trunk, "CANCEL", "1000", "b", "c", "", 1, "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 487", 500));
	run_ms(5);
	assert_int_equal(seen.close.q850, 26);
	end();
}

/* ---- small requests ---- */

TEST(options_and_methods_inside_a_dialog_are_answered_truthfully)
{
	const char *m, *tag;

	begin();
	tag = call_up("c");
	request(&trunk, "OPTIONS", "1000", "o", "c", tag, 2, "", "");
	m = await(&trunk, "SIP/2.0 200", 500);
	assert_true(has(header(m, "Allow"), "UPDATE") && has(header(m, "Allow"), "PRACK") && has(header(m, "Allow"), "REFER"));
	assert_string_equal(header(m, "Supported"), SIPS_SUPPORTED);
	assert_true(has(header(m, "Accept"), "application/sdp"));
	request(&trunk, "MESSAGE", "1000", "m", "c", tag, 3, "", "");
	assert_true(has(header(await(&trunk, "SIP/2.0 405", 500), "Allow"), "INVITE"));
	request(&trunk, "SUBSCRIBE", "1000", "s", "c", tag, 4, "Event: dialog\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 489", 500));
	request(&trunk, "SUBSCRIBE", "1000", "s2", "e", "", 4, "Event: message-summary\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 407", 500)); /* only devices subscribe */
	request(&trunk, "NOTIFY", "1000", "n", "c", tag, 5, "Event: refer\r\nSubscription-State: active\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 481", 500));
	request(&trunk, "PUBLISH", "1000", "p", "d", "", 1, "Event: presence\r\n", "");
	assert_string_equal(header(await(&trunk, "SIP/2.0 489", 500), "Allow-Events"), "message-summary");
	end();
}

TEST(info_takes_both_forms_of_digits_and_refuses_what_it_does_not_know)
{
	static const struct {
		const char *type, *body;
		int code, digit;
	} rows[] = {
		{"application/dtmf", "7", 200, '7'},	   {"application/dtmf", "#\r\n", 200, '#'},
		{"application/dtmf-relay", "Signal= *\r\nDuration= 100\r\n", 200, '*'},
		{"application/dtmf-relay", "nonsense", 200, 0}, {"application/media_control+xml", "<x/>", 415, 0},
	};
	const char *tag;
	char start[32];

	begin();
	tag = call_up("c");
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		seen.digit = 0;
		send_to(&trunk,
			"INFO sip:x@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKi%u;rport\r\nFrom: <sip:caller@x>;tag=ft\r\nTo: <sip:1000@x>;tag=%s\r\n"
			"Call-ID: c\r\nCSeq: %u INFO\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
			local, trunk.at, i, tag, i + 2, rows[i].type, strlen(rows[i].body), rows[i].body);
		(void)snprintf(start, sizeof(start), "SIP/2.0 %d", rows[i].code);
		assert_non_null(await(&trunk, start, 500));
		run_ms(2);
		assert_int_equal(seen.digit, rows[i].digit);
	}
	request(&trunk, "INFO", "1000", "pkg", "c", tag, 20, "Info-Package: foo\r\n", "");
	assert_non_null(await(&trunk, "SIP/2.0 469", 500));
	end();
}

/* ---- message waiting: RFC 3842 ---- */

static void subscribe(unsigned cseq, const char *to_tag, const char *event, const char *expires)
{
	struct sipa_credentials c = {.cnonce = "x", .nc = "00000001", .qop = "auth", .uri = "sip:alice@" REALM};
	char ha1[65], response[65], lines[1024], branch[32];
	const char *m, *nonce;

	(void)snprintf(branch, sizeof(branch), "sub%u", cseq);
	request(&other, "SUBSCRIBE", "alice", branch, "mwi", to_tag, cseq, "", "");
	m = await(&other, "SIP/2.0 407", 500);
	assert_non_null(m);
	nonce = strstr(m, "nonce=\"");
	(void)snprintf(c.nonce, sizeof(c.nonce), "%.*s", (int)strcspn(nonce + 7, "\""), nonce + 7);
	sipa_hex(ha1, false, "alice:" REALM ":secret", strlen("alice:" REALM ":secret"));
	sipa_response(response, false, ha1, &c, "SUBSCRIBE");
	(void)snprintf(lines, sizeof(lines),
		       "Proxy-Authorization: Digest username=\"alice\", realm=\"" REALM "\", nonce=\"%s\", uri=\"%s\", response=\"%s\", cnonce=\"x\", "
		       "nc=00000001, qop=auth, algorithm=MD5\r\nEvent: %s\r\nExpires: %s\r\n",
		       c.nonce, c.uri, response, event, expires);
	(void)snprintf(branch, sizeof(branch), "suba%u", cseq);
	request(&other, "SUBSCRIBE", "alice", branch, "mwi", to_tag, cseq + 1, lines, "");
}

TEST(telephone_that_asks_for_its_messages_is_told_that_there_are_none)
{
	const char *m;
	char tag[64];

	begin();
	subscribe(1, "", "message-summary", "7200");
	m = await(&other, "SIP/2.0 200", 500);
	assert_string_equal(header(m, "Expires"), "3600"); /* no longer than that */
	(void)str_copy(tag, sizeof(tag), tag_of(header(m, "To")));
	m = await(&other, "NOTIFY sip:caller@", 500);
	assert_string_equal(header(m, "Event"), "message-summary");
	assert_string_equal(header(m, "Subscription-State"), "active;expires=3600");
	assert_string_equal(tag_of(header(m, "From")), tag);
	assert_string_equal(tag_of(header(m, "To")), "ft");
	assert_true(has(m, "\r\n\r\nMessages-Waiting: no\r\n"));
	respond(&other, m, 200, "", "", "");
	/* It refreshes in the dialog, then ends it. */
	subscribe(3, tag, "message-summary", "600");
	assert_string_equal(tag_of(header(await(&other, "SIP/2.0 200", 500), "To")), tag);
	m = await(&other, "NOTIFY", 500);
	assert_string_equal(header(m, "CSeq"), "4 NOTIFY");
	respond(&other, m, 200, "", "", "");
	subscribe(5, tag, "message-summary", "0");
	m = await(&other, "NOTIFY", 500);
	assert_string_equal(header(m, "Subscription-State"), "terminated;reason=timeout");
	respond(&other, m, 200, "", "", "");
	subscribe(7, "", "presence", "60");
	assert_string_equal(header(await(&other, "SIP/2.0 489", 500), "Allow-Events"), "message-summary");
	end();
}
