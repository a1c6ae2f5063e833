/* Legs, guards and overload against raw UDP peers. */
#include "sip/testbed.h"

/* ---- incoming ---- */

TEST(trunk_call_is_offered_answered_and_ended_by_bye)
{
	const char *m, *tag;

	begin();
	tag = call_up("c1");
	assert_int_equal(seen.origin, SIP_FROM_TRUNK);
	assert_string_equal(seen.dialled, "1000");
	assert_string_equal(seen.from_user, "caller");
	assert_true(sip_leg_is_established(seen.leg));
	request(&trunk, "BYE", "1000", "bye", "c1", tag, 2, "Reason: Q.850;cause=17;text=\"User busy\"\r\n", "");
	m = await(&trunk, "SIP/2.0 200", 1000);
	assert_string_equal(header(m, "CSeq"), "2 BYE");
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.by, SIP_BY_REMOTE);
	assert_int_equal(seen.close.code, 0);
	assert_int_equal(seen.close.q850, 17);
	assert_string_equal(seen.reason, "User busy");
	assert_int_equal(counters().legs, 0);
	end();
}

TEST(invite_repeats_are_absorbed_and_200_repeats_until_ack)
{
	begin_with((struct sip_conf){.t1_ms = 20});
	seen.answer_at_once = true;
	invite(&trunk, "1000", "b", "c");
	invite(&trunk, "1000", "b", "c");
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	assert_int_equal(seen.invites, 1);
	assert_int_equal(seen.established, 0);
	end();
}

TEST(answer_that_is_never_acknowledged_ends_in_bye)
{
	begin_with((struct sip_conf){.t1_ms = 5}); /* gives up after 64 * 5 ms */
	seen.answer_at_once = true;
	invite(&trunk, "1000", "b", "c");
	assert_non_null(await(&trunk, "BYE", 1500));
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.by, SIP_BY_LOST);
	assert_int_equal(seen.established, 0);
	end();
}

TEST(cancel_before_the_answer_gives_487_and_closes_once)
{
	begin();
	invite(&trunk, "1000", "b", "c");
	assert_non_null(await(&trunk, "SIP/2.0 100", 500));
	assert_int_equal(sip_leg_progress(seen.leg, 180, NULL, NULL), 0);
	assert_non_null(await(&trunk, "SIP/2.0 180", 500));
	request(&trunk, "CANCEL", "1000", "b", "c", "", 1, "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", "");
	assert_string_equal(header(await(&trunk, "SIP/2.0 200", 500), "CSeq"), "1 CANCEL");
	assert_non_null(await(&trunk, "SIP/2.0 487", 500));
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.code, 487);
	assert_string_equal(seen.reason, "Call completed elsewhere");
	request(&trunk, "CANCEL", "1000", "b", "c", "", 1, "", "");
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	end();
}

TEST(cancel_after_the_answer_changes_nothing)
{
	begin();
	seen.answer_at_once = true;
	invite(&trunk, "1000", "b", "c");
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	request(&trunk, "CANCEL", "1000", "b", "c", "", 1, "", "");
	assert_string_equal(header(await(&trunk, "SIP/2.0 200", 500), "CSeq"), "1 CANCEL");
	run_ms(5);
	assert_int_equal(seen.closed, 0);
	end();
}

TEST(early_media_goes_out_in_183)
{
	const char *m;

	begin();
	invite(&trunk, "1000", "b", "c");
	run_ms(5);
	assert_int_equal(sip_leg_progress(seen.leg, 183, NULL, SDP2), 0);
	m = await(&trunk, "SIP/2.0 183", 500);
	assert_non_null(strstr(m, "\r\n\r\n" SDP2));
	assert_string_not_equal(header(m, "Contact"), "");
	end();
}

TEST(late_offer_is_answered_in_the_ack)
{
	const char *ok;
	char tag[64];

	begin();
	request(&trunk, "INVITE", "1000", "b", "c", "", 1, "", "");
	run_ms(5);
	assert_string_equal(seen.sdp, "");
	assert_int_equal(sip_leg_answer(seen.leg, SDP2), 0);
	ok = await(&trunk, "SIP/2.0 200", 500);
	(void)str_copy(tag, sizeof(tag), tag_of(header(ok, "To")));
	request(&trunk, "ACK", "1000", "a", "c", tag, 1, "", SDP);
	run_ms(5);
	assert_int_equal(seen.established, 1);
	assert_string_equal(seen.sdp, SDP);
	end();
}

TEST(hangup_before_the_ack_waits_for_it)
{
	const char *ok;
	char tag[64];

	begin();
	seen.answer_at_once = true;
	invite(&trunk, "1000", "b", "c");
	ok = await(&trunk, "SIP/2.0 200", 500);
	(void)str_copy(tag, sizeof(tag), tag_of(header(ok, "To")));
	sip_leg_hangup(seen.leg, 0, 16, "done");
	run_ms(20);
	assert_int_equal(seen.closed, 1);
	assert_null(await(&trunk, "BYE", 20));
	request(&trunk, "ACK", "1000", "a", "c", tag, 1, "", "");
	assert_string_equal(header(await(&trunk, "BYE", 500), "Reason"), "Q.850;cause=16;text=\"done\"");
	assert_int_equal(seen.established, 0);
	end();
}

TEST(bye_instead_of_the_ack_ends_a_leg_that_waits_for_it)
{
	const char *ok;
	char tag[64];

	begin();
	seen.answer_at_once = true;
	invite(&trunk, "1000", "b", "c");
	ok = await(&trunk, "SIP/2.0 200", 500);
	(void)str_copy(tag, sizeof(tag), tag_of(header(ok, "To")));
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	run_ms(5);
	assert_int_equal(counters().legs, 1);
	request(&trunk, "BYE", "1000", "bye", "c", tag, 2, "", "");
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	run_ms(5);
	assert_int_equal(counters().legs, 0);
	assert_int_equal(seen.closed, 1);
	end();
}

TEST(reinvite_of_the_other_side_is_offered_and_answered)
{
	const char *tag, *ok;

	begin();
	tag = call_up("c");
	request(&trunk, "INVITE", "1000", "b2", "c", tag, 2, "", SDP3);
	ok = await(&trunk, "SIP/2.0 200", 500);
	assert_int_equal(seen.reoffers, 1);
	assert_non_null(strstr(ok, SDP2));
	request(&trunk, "ACK", "1000", "a2", "c", tag, 2, "", "");
	run_ms(5);
	assert_int_equal(seen.established, 1); /* not again */
	/* Without a body: our offer goes out, its answer comes in the ACK. */
	request(&trunk, "INVITE", "1000", "b3", "c", tag, 3, "", "");
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	request(&trunk, "ACK", "1000", "a3", "c", tag, 3, "", SDP);
	run_ms(5);
	assert_int_equal(seen.reanswers, 1);
	assert_string_equal(seen.sdp, SDP);
	end();
}

TEST(reinvites_that_cross_get_491_and_ours_is_tried_again)
{
	const char *tag, *ours;
	char first[4096];

	begin();
	tag = call_up("c");
	assert_int_equal(sip_leg_reinvite(seen.leg, SDP2), 0);
	ours = await(&trunk, "INVITE", 500);
	assert_non_null(ours);
	(void)str_copy(first, sizeof(first), ours);
	request(&trunk, "INVITE", "1000", "b2", "c", tag, 2, "", SDP);
	assert_non_null(await(&trunk, "SIP/2.0 491", 500));
	respond(&trunk, first, 491, "", "", "");
	assert_non_null(await(&trunk, "ACK", 500));
	/* We did not make the Call-ID: up to 2 s (RFC 3261 14.1). */
	ours = await(&trunk, "INVITE", 2500);
	assert_non_null(ours);
	assert_string_not_equal(header(ours, "CSeq"), header(first, "CSeq"));
	respond(&trunk, ours, 200, "", "", SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	assert_int_equal(seen.reanswers, 1);
	assert_int_equal(seen.reanswer_code, 200);
	end();
}

TEST(repeated_2xx_to_our_reinvite_is_acknowledged_again_not_ended)
{
	const char *m;
	char ours[4096];

	begin();
	(void)call_up("c");
	assert_int_equal(sip_leg_reinvite(seen.leg, SDP2), 0);
	m = await(&trunk, "INVITE", 500);
	(void)str_copy(ours, sizeof(ours), m);
	respond(&trunk, ours, 200, "", "", SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	respond(&trunk, ours, 200, "", "", SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	assert_null(await(&trunk, "BYE", 20));
	assert_int_equal(seen.reanswers, 1);
	end();
}

TEST(info_digits_come_once_each)
{
	const char *tag;

	begin();
	tag = call_up("c");
	for (int i = 0; i < 2; i++) /* the second is a repeat */
		send_to(&trunk,
			"INFO sip:x@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKi;rport\r\nFrom: <sip:caller@x>;tag=ft\r\nTo: <sip:1000@x>;tag=%s\r\n"
			"Call-ID: c\r\nCSeq: 2 INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 24\r\n\r\nSignal=5\r\nDuration=160\r\n",
			local, trunk.at, tag);
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	assert_int_equal(seen.digits, 1);
	assert_int_equal(seen.digit, '5');
	end();
}

TEST(old_cseq_in_a_dialog_is_refused)
{
	const char *tag;

	begin();
	tag = call_up("c");
	request(&trunk, "BYE", "1000", "x", "c", tag, 1, "", "");
	assert_non_null(await(&trunk, "SIP/2.0 500", 500));
	request(&trunk, "BYE", "1000", "y", "c", "wrong", 2, "", "");
	assert_non_null(await(&trunk, "SIP/2.0 481", 500));
	run_ms(5);
	assert_int_equal(seen.closed, 0);
	end();
}

/* ---- outgoing ---- */

TEST(outgoing_call_rings_is_answered_and_hung_up_by_us)
{
	const char *inv, *m;
	char first[4096];

	begin();
	assert_int_equal(dial(0), 0);
	inv = await(&trunk, "INVITE sip:callee@", 500);
	assert_non_null(inv);
	(void)str_copy(first, sizeof(first), inv);
	assert_non_null(strstr(first, "From: \"Caller \\\"Q\\\"\" <sip:1001@" REALM ">;tag="));
	assert_non_null(strstr(header(first, "P-Asserted-Identity"), "<sip:1002@" REALM ">"));
	assert_string_equal(header(first, "X-Call"), "7");
	respond(&trunk, first, 183, "t1", "", SDP);
	run_ms(5);
	assert_int_equal(seen.progress_code, 183);
	assert_string_equal(seen.sdp, SDP);
	respond(&trunk, first, 200, "t1", "Record-Route: <sip:r2@127.0.0.3:1;lr>, <sip:r1@", ""); /* broken: no answer of ours may crash */
	run_ms(5);
	respond(&trunk, first, 200, "t1", "", SDP);
	m = await(&trunk, "ACK sip:callee@", 500);
	assert_string_equal(tag_of(header(m, "To")), "t1");
	assert_int_equal(seen.established, 1);
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	assert_int_equal(seen.closed, 0); /* never inside */
	m = await(&trunk, "BYE", 500);
	assert_string_equal(header(m, "Reason"), "Q.850;cause=16");
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.by, SIP_BY_LOCAL);
	end();
}

TEST(record_route_is_reversed_for_the_caller)
{
	const char *inv, *m;
	char lines[256];

	begin();
	assert_int_equal(dial(0), 0);
	inv = await(&trunk, "INVITE", 500);
	(void)snprintf(lines, sizeof(lines), "Record-Route: <sip:far@127.0.0.3:9;lr>\r\nRecord-Route: <sip:%s;lr>\r\n", trunk.at);
	respond(&trunk, inv, 200, "t", lines, SDP);
	m = await(&trunk, "ACK", 500);
	assert_non_null(m);
	assert_true(strstr(m, trunk.at) < strstr(m, "Route: <sip:far@"));
	end();
}

TEST(refusal_carries_status_and_cause)
{
	const char *inv;

	begin();
	assert_int_equal(dial(0), 0);
	inv = await(&trunk, "INVITE", 500);
	respond(&trunk, inv, 486, "t", "Reason: Q.850;cause=17\r\n", "");
	assert_non_null(await(&trunk, "ACK", 500));
	run_ms(5);
	assert_int_equal(seen.close.code, 486);
	assert_int_equal(seen.close.q850, 17);
	assert_int_equal(seen.close.by, SIP_BY_REMOTE);
	end();
}

TEST(hangup_while_ringing_cancels)
{
	const char *inv, *m;
	char first[4096];

	begin();
	assert_int_equal(dial(0), 0);
	inv = await(&trunk, "INVITE", 500);
	(void)str_copy(first, sizeof(first), inv);
	sip_leg_hangup(seen.leg, 200, 0, "Call completed elsewhere");
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	assert_null(await(&trunk, "CANCEL", 20)); /* not before a provisional answer (RFC 3261 9.1) */
	respond(&trunk, first, 180, "t", "", "");
	m = await(&trunk, "CANCEL", 500);
	assert_string_equal(header(m, "Via"), header(first, "Via"));
	assert_string_equal(header(m, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
	respond(&trunk, m, 200, "t", "", "");
	respond(&trunk, first, 487, "t", "", "");
	assert_non_null(await(&trunk, "ACK", 500));
	assert_int_equal(seen.closed, 1);
	end();
}

TEST(answer_that_crosses_cancel_is_acknowledged_and_ended)
{
	const char *inv;
	char first[4096];

	begin();
	assert_int_equal(dial(0), 0);
	inv = await(&trunk, "INVITE", 500);
	(void)str_copy(first, sizeof(first), inv);
	respond(&trunk, first, 180, "t", "", "");
	run_ms(5);
	sip_leg_hangup(seen.leg, 0, 0, NULL);
	respond(&trunk, first, 200, "t", "", SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	assert_non_null(await(&trunk, "BYE", 500));
	assert_int_equal(seen.established, 0);
	assert_int_equal(seen.closed, 1);
	end();
}

TEST(second_fork_that_answers_is_ended)
{
	const char *inv, *m;
	char first[4096];

	begin();
	assert_int_equal(dial(0), 0);
	inv = await(&trunk, "INVITE", 500);
	(void)str_copy(first, sizeof(first), inv);
	respond(&trunk, first, 180, "t1", "", "");
	respond(&trunk, first, 180, "t2", "", "");
	respond(&trunk, first, 200, "t2", "", SDP);
	m = await(&trunk, "ACK", 500);
	assert_string_equal(tag_of(header(m, "To")), "t2");
	respond(&trunk, first, 200, "t1", "", SDP);
	m = await(&trunk, "BYE", 500);
	assert_string_equal(tag_of(header(m, "To")), "t1");
	assert_int_equal(seen.established, 1);
	assert_int_equal(seen.closed, 0);
	/* The winner repeats its 200: an ACK again, no BYE. */
	(void)await(&trunk, "ACK", 50);
	respond(&trunk, first, 200, "t2", "", SDP);
	assert_non_null(await(&trunk, "ACK", 500));
	assert_null(await(&trunk, "BYE", 20));
	end();
}

TEST(ring_timeout_cancels_and_closes_with_408)
{
	const char *inv;

	begin();
	assert_int_equal(dial(60), 0);
	inv = await(&trunk, "INVITE", 500);
	respond(&trunk, inv, 180, "t", "", "");
	assert_non_null(await(&trunk, "CANCEL", 500));
	run_ms(5);
	assert_int_equal(seen.close.by, SIP_BY_TIMEOUT);
	assert_int_equal(seen.close.code, 408);
	end();
}

TEST(silence_is_repeated_and_given_up)
{
	begin_with((struct sip_conf){.t1_ms = 5});
	assert_int_equal(dial(0), 0);
	assert_non_null(await(&trunk, "INVITE", 500));
	assert_non_null(await(&trunk, "INVITE", 500)); /* timer A */
	run_ms(400);                                   /* timer B: 64 * 5 ms */
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.by, SIP_BY_LOST);
	assert_int_equal(seen.close.code, 408);
	end();
}

TEST(dial_knows_the_address_before_it_sends)
{
	struct sip_dial d = {.uri = "sip:x@127.0.0.3:5070;transport=udp"};
	char host[64];

	begin();
	assert_int_equal(sip_dial_host(stack, &d, host, sizeof(host)), 0);
	assert_string_equal(host, "127.0.0.3");
	d.uri = "sip:x@carrier.example";
	assert_int_equal(sip_dial_host(stack, &d, host, sizeof(host)), -EHOSTUNREACH);
	d = (struct sip_dial){.device = "nobody"};
	assert_int_equal(sip_dial_host(stack, &d, host, sizeof(host)), -ENOENT);
	end();
}

TEST(dial_refuses_names_and_unknown_devices)
{
	struct sip_dial d = {.uri = "sip:x@carrier.example", .sdp = SDP};
	struct sip_leg *leg = NULL;

	begin();
	assert_int_equal(sip_dial(&leg, stack, &d, &leg_handlers, NULL), -EHOSTUNREACH);
	d.uri = "tel:1";
	assert_int_equal(sip_dial(&leg, stack, &d, &leg_handlers, NULL), -EINVAL);
	d.uri = "sip:x@127.0.0.3>\r\nX: y";
	assert_int_equal(sip_dial(&leg, stack, &d, &leg_handlers, NULL), -EINVAL);
	d.uri = NULL;
	d.device = "bob";
	assert_int_equal(sip_dial(&leg, stack, &d, &leg_handlers, NULL), -ENOENT);
	assert_null(leg);
	assert_int_equal(counters().legs, 0);
	end();
}

TEST(dialog_of_a_dead_process_gets_its_bye)
{
	char json[2048], call_id[64], remote[128], tag[64];
	const char *m;

	begin();
	(void)str_copy(tag, sizeof(tag), call_up("c"));
	assert_int_equal(sip_leg_dialog(seen.leg, json, 20), -ENOSPC);
	assert_int_equal(sip_leg_dialog(seen.leg, json, sizeof(json)), 0);
	(void)str_copy(call_id, sizeof(call_id), sip_leg_call_id(seen.leg));
	(void)snprintf(remote, sizeof(remote), "\"A\" <sip:caller@%s>;tag=ft", trunk.at);
	assert_int_equal(sip_orphan_bye(stack, json), 0); /* as good as another process */
	m = await(&trunk, "BYE sip:caller@", 500);
	assert_string_equal(header(m, "Call-ID"), "c");
	assert_string_equal(header(m, "To"), remote);
	assert_string_equal(tag_of(header(m, "From")), tag);
	assert_int_equal(sip_orphan_bye(stack, "{}"), -EINVAL);
	assert_int_equal(sip_orphan_bye(stack, "nonsense"), -EINVAL);
	assert_int_equal(sip_orphan_bye(stack, "{\"call_id\":\"a\\r\\nX: y\",\"local\":\"l\",\"remote\":\"r\",\"target\":\"t\",\"routes\":\"\",\"cseq\":1,\"peer\":\"127.0.0.1:1\"}"), -EINVAL);
	end();
}

TEST(stop_ends_every_leg_at_once)
{
	begin();
	(void)call_up("c");
	sip_stop(stack);
	assert_int_equal(seen.closed, 1);
	assert_non_null(await(&trunk, "BYE", 500));
	peer_close(&trunk);
	peer_close(&other);
}

/* ---- guards ---- */

TEST(stranger_is_challenged_and_leaves_no_state)
{
	const char *m;

	begin();
	invite(&other, "1000", "b", "c");
	m = await(&other, "SIP/2.0 407", 500);
	assert_non_null(strstr(header(m, "Proxy-Authenticate"), "algorithm=SHA-256"));
	assert_int_equal(seen.invites, 0);
	assert_int_equal(counters().refused_stranger, 1);
	assert_int_equal(stack->servers.count, 0);
	assert_int_equal(counters().legs, 0);
	end();
}

TEST(max_forwards_require_and_merged_requests_are_refused)
{
	begin();
	request(&trunk, "INVITE", "1", "b1", "c1", "", 1, "Max-Forwards: 0\r\n", SDP);
	assert_non_null(await(&trunk, "SIP/2.0 483", 500));
	request(&trunk, "INVITE", "1", "b2", "c2", "", 1, "Require: 100rel, nothingwelike\r\n", SDP);
	assert_string_equal(header(await(&trunk, "SIP/2.0 420", 500), "Unsupported"), "nothingwelike");
	invite(&trunk, "1", "b3", "c3");
	assert_non_null(await(&trunk, "SIP/2.0 100", 500));
	invite(&trunk, "1", "b4", "c3");
	assert_non_null(await(&trunk, "SIP/2.0 482", 500));
	assert_int_equal(seen.invites, 1);
	end();
}

TEST(owner_may_refuse)
{
	begin();
	seen.refuse = 486;
	invite(&trunk, "1", "b", "c");
	assert_non_null(await(&trunk, "SIP/2.0 486", 500));
	request(&trunk, "ACK", "1", "b", "c", "x", 1, "", "");
	run_ms(5);
	assert_int_equal(counters().legs, 0);
	assert_int_equal(seen.closed, 0);
	end();
}

TEST(flood_gets_503_at_once_and_accepted_calls_live)
{
	const char *m, *tag;
	char branch[16];

	begin_with((struct sip_conf){.invites_per_s = 5});
	tag = call_up("c");
	for (int i = 0; i < 20; i++) {
		(void)snprintf(branch, sizeof(branch), "f%d", i);
		invite(&trunk, "1", branch, branch);
	}
	m = await(&trunk, "SIP/2.0 503", 500);
	assert_string_not_equal(header(m, "Retry-After"), "");
	run_ms(10);
	assert_true(counters().refused_overload >= 14 && counters().refused_overload <= 16);
	trunk.n = 0;
	request(&trunk, "BYE", "1000", "bye", "c", tag, 2, "", "");
	assert_non_null(await(&trunk, "SIP/2.0 200", 500));
	end();
}

TEST(legs_max_and_refuse_new_answer_503)
{
	begin_with((struct sip_conf){.legs_max = 1});
	invite(&trunk, "1", "b1", "c1");
	assert_non_null(await(&trunk, "SIP/2.0 100", 500));
	invite(&trunk, "1", "b2", "c2");
	assert_non_null(await(&trunk, "SIP/2.0 503", 500));
	end();
	begin();
	sip_refuse_new(stack, 503);
	invite(&trunk, "1", "b1", "c1");
	assert_non_null(await(&trunk, "SIP/2.0 503", 500));
	sip_refuse_new(stack, 0);
	invite(&trunk, "1", "b2", "c2");
	assert_non_null(await(&trunk, "SIP/2.0 100", 500));
	end();
}

TEST(ipv6_is_spoken)
{
	struct peer six = {.fd = -1};
	struct sa sa;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	(void)sa_set_str(&sa, "::1", 0);
	if (fd < 0 || bind(fd, &sa.u.sa, sa.len)) {
		(void)close(fd);
		skip(); /* no IPv6 here */
	}
	(void)close(fd);
	begin_with((struct sip_conf){.listen = "[::1]:0"});
	peer_open(&six, "::1");
	request(&six, "OPTIONS", "x", "b", "c", "", 1, "", "");
	assert_non_null(strstr(header(await(&six, "SIP/2.0 200", 500), "Via"), "received=::1"));
	peer_close(&six);
	end();
}

TEST(reinvite_that_requires_an_extension_gets_420)
{
	const char *tag;

	begin();
	tag = call_up("c");
	request(&trunk, "INVITE", "1000", "b2", "c", tag, 2, "Require: precondition\r\n", SDP);
	assert_non_null(await(&trunk, "SIP/2.0 420", 500));
	assert_int_equal(seen.reoffers, 0);
	end();
}

TEST(options_is_answered_and_unknown_methods_get_405)
{
	const char *m;

	begin();
	request(&trunk, "OPTIONS", "x", "b", "c", "", 1, "", "");
	assert_string_not_equal(header(await(&trunk, "SIP/2.0 200", 500), "Allow"), "");
	request(&other, "MESSAGE", "x", "b2", "c", "", 1, "", "");
	assert_non_null(await(&other, "SIP/2.0 405", 500));
	request(&other, "BYE", "x", "b3", "c", "tag", 1, "", "");
	assert_non_null(await(&other, "SIP/2.0 481", 500));
	request(&other, "CANCEL", "x", "b4", "c", "", 1, "", "");
	m = await(&other, "SIP/2.0 481", 500);
	assert_non_null(strstr(header(m, "Via"), "received=127.0.0.9"));
	end();
}
