/*
 * The stack against raw UDP peers in the same loop: every message is written out here, so what is sent and what must
 * come back can be read. 127.0.0.3 is a trunk, 127.0.0.9 a stranger.
 */
#include "sip/sip_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"

#define REALM "huawu.test"
#define SDP "v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
#define SDP2 "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"

/* ---- what a test has ---- */

struct peer {
	int fd;
	char at[32];           /* "127.0.0.3:40001" */
	char inbox[64][4096];  /* oldest first */
	unsigned n;
};

static struct sip_stack *stack;
static char local[64];
static struct peer trunk, other;
static bool stop_on_message;

static void peer_readable(void *arg)
{
	struct peer *p = arg;
	ssize_t n;

	assert_true(p->n < ARRAY_LEN(p->inbox));
	n = recv(p->fd, p->inbox[p->n], sizeof(p->inbox[0]) - 1, MSG_DONTWAIT);
	if (n < 0)
		return;
	p->inbox[p->n++][n] = '\0';
	if (stop_on_message)
		loop_stop();
}

static void peer_open(struct peer *p, const char *ip)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct sa sa;

	(void)sa_set_str(&sa, ip, 0);
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->n = 0;
	assert_int_equal(bind(p->fd, &sa.u.sa, sa.len), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&ss, &len), 0);
	(void)sa_set_sa(&sa, (struct sockaddr *)&ss);
	(void)re_snprintf(p->at, sizeof(p->at), "%J", &sa);
	assert_int_equal(loop_listen(p->fd, peer_readable, p), 0);
}

static void peer_close(struct peer *p)
{
	loop_unlisten(p->fd);
	(void)close(p->fd);
}

static void timed_out(void *arg)
{
	*(bool *)arg = true;
	loop_stop();
}

static void run_ms(int ms)
{
	struct ltimer t = {{0}};
	bool over = false;

	ltimer_set(&t, ms, timed_out, &over);
	while (!over)
		(void)loop_run();
}

static void send_to(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void send_to(struct peer *p, const char *fmt, ...)
{
	char buf[8192];
	struct sa sa;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	(void)sa_decode(&sa, local, strlen(local));
	assert_int_equal(sendto(p->fd, buf, (size_t)n, 0, &sa.u.sa, sa.len), n);
}

/* The oldest message that begins with @start, taken out; NULL after @ms. */
static const char *await(struct peer *p, const char *start, int ms)
{
	static char found[4096];
	struct ltimer t = {{0}};
	bool over = false;

	ltimer_set(&t, ms, timed_out, &over);
	for (;;) {
		for (unsigned i = 0; i < p->n; i++) {
			if (strncmp(p->inbox[i], start, strlen(start)))
				continue;
			memcpy(found, p->inbox[i], sizeof(found));
			p->n--;
			memmove(p->inbox[i], p->inbox[i + 1], (p->n - i) * sizeof(p->inbox[0]));
			ltimer_cancel(&t);
			return found;
		}
		if (over)
			return NULL;
		stop_on_message = true;
		(void)loop_run();
		stop_on_message = false;
	}
}

static const char *header(const char *msg, const char *name)
{
	static char values[8][1024];
	static unsigned turn;
	char *v = values[turn++ % 8], start[64];
	const char *p;

	(void)snprintf(start, sizeof(start), "\r\n%s: ", name);
	p = msg ? strstr(msg, start) : NULL;
	if (!p)
		return "";
	p += strlen(start);
	(void)snprintf(v, 1024, "%.*s", (int)strcspn(p, "\r"), p);
	return v;
}

static const char *tag_of(const char *value)
{
	const char *p = strstr(value, ";tag=");

	return p ? p + 5 : "";
}

/* ---- what the handlers saw ---- */

static struct seen {
	struct sip_leg *leg;
	unsigned invites, progress, established, reoffers, reanswers, digits, closed, ups, downs;
	int progress_code, reanswer_code, refuse;
	char dialled[64], from_user[64], sdp[1024], digit, reason[96], device[64];
	struct sip_close close;
	bool claim, answer_at_once;
	enum sip_origin origin;
	struct sip_binding binding;
} seen;

static void keep_sdp(const char *sdp, size_t len)
{
	(void)snprintf(seen.sdp, sizeof(seen.sdp), "%.*s", (int)len, sdp ? sdp : "");
}

static void on_progress(int code, const char *sdp, size_t len, void *arg)
{
	seen.progress++;
	seen.progress_code = code;
	keep_sdp(sdp, len);
}

static void on_established(const char *sdp, size_t len, void *arg)
{
	seen.established++;
	keep_sdp(sdp, len);
}

static int on_reoffer(const char *sdp, size_t len, char *answer, size_t size, void *arg)
{
	seen.reoffers++;
	keep_sdp(sdp, len);
	(void)snprintf(answer, size, SDP2);
	return 0;
}

static void on_reanswer(int code, const char *sdp, size_t len, void *arg)
{
	seen.reanswers++;
	seen.reanswer_code = code;
	keep_sdp(sdp, len);
}

static void on_digit(char digit, int ms, void *arg)
{
	seen.digits++;
	seen.digit = digit;
}

static void on_closed(const struct sip_close *c, void *arg)
{
	seen.closed++;
	seen.close = *c;
	(void)str_copy(seen.reason, sizeof(seen.reason), c->reason);
	seen.leg = obj_unref(seen.leg);
}

static const struct sip_leg_handlers leg_handlers = {on_progress, on_established, on_reoffer, on_reanswer, on_digit, on_closed};

static int on_invite(struct sip_leg *leg, const struct sip_invite *inv, void *arg)
{
	seen.invites++;
	seen.origin = inv->origin;
	(void)str_copy(seen.dialled, sizeof(seen.dialled), inv->dialled);
	(void)str_copy(seen.from_user, sizeof(seen.from_user), inv->from_user);
	(void)str_copy(seen.device, sizeof(seen.device), inv->device ? inv->device : "");
	keep_sdp(inv->sdp, inv->sdp_len);
	if (seen.refuse)
		return seen.refuse;
	if (seen.leg) { /* keeps the first only */
		(void)sip_leg_claim(leg, &(struct sip_leg_handlers){0}, NULL);
		obj_unref(leg);
		return 0;
	}
	seen.leg = sip_leg_claim(leg, &leg_handlers, NULL);
	return seen.answer_at_once ? sip_leg_answer(leg, SDP2) : 0;
}

static bool on_credentials(struct sip_ha1 *ret, const char *device, void *arg)
{
	char text[128], hex[65];
	int n = snprintf(text, sizeof(text), "%s:" REALM ":secret", device);

	if (strcmp(device, "alice") && strcmp(device, "bob"))
		return false;
	sipa_hex(hex, false, text, (size_t)n);
	memcpy(ret->md5, hex, 33);
	sipa_hex(ret->sha256, true, text, (size_t)n);
	return true;
}

static int64_t on_trunk_of(const struct sip_addr *a, void *arg)
{
	return strcmp(a->host, "127.0.0.3") ? 0 : 7;
}

static void on_registered(const struct sip_binding *b, bool up, void *arg)
{
	seen.ups += up;
	seen.downs += !up;
	seen.binding = *b;
	(void)str_copy(seen.device, sizeof(seen.device), b->device);
}

static void begin_with(struct sip_conf conf)
{
	static bool process;
	struct sip_handlers h = {on_credentials, on_trunk_of, on_invite, on_registered, NULL};

	if (!process) {
		assert_int_equal(loop_process_init(), 0);
		assert_int_equal(loop_thread_init(), 0);
		log_set_level(LOG_L_ERROR);
	}
	process = true;
	memset(&seen, 0, sizeof(seen));
	conf.listen = "127.0.0.1:0";
	conf.realm = REALM;
	conf.digest_sha256 = true;
	if (!conf.t1_ms)
		conf.t1_ms = 500;
	assert_int_equal(sip_start(&stack, &conf, &h), 0);
	sip_local(stack, local, sizeof(local));
	peer_open(&trunk, "127.0.0.3");
	peer_open(&other, "127.0.0.9");
}

static void begin(void)
{
	begin_with((struct sip_conf){0});
}

static struct sip_counters counters(void)
{
	struct sip_counters c;

	sip_get_counters(stack, &c);
	return c;
}

static void end(void)
{
	sip_stop(stack);
	seen.leg = obj_unref(seen.leg);
	peer_close(&trunk);
	peer_close(&other);
}

/* ---- messages ---- */

static void request(struct peer *p, const char *method, const char *uri_user, const char *branch, const char *call_id, const char *to_tag,
		    unsigned cseq, const char *lines, const char *body)
{
	send_to(p,
		"%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\nFrom: \"A\" <sip:caller@%s>;tag=ft\r\n"
		"To: <sip:%s@%s>%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:caller@%s>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		method, uri_user, local, p->at, branch, p->at, uri_user, local, to_tag[0] ? ";tag=" : "", to_tag, call_id, cseq, method, p->at,
		lines, body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

static void invite(struct peer *p, const char *user, const char *branch, const char *call_id)
{
	request(p, "INVITE", user, branch, call_id, "", 1, "", SDP);
}

/* Answers @req with its own Via, From, To, Call-ID and CSeq. */
static void respond(struct peer *p, const char *req, int code, const char *tag, const char *lines, const char *body)
{
	send_to(p,
		"SIP/2.0 %d X\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s%s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:callee@%s>\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		code, header(req, "Via"), header(req, "From"), header(req, "To"), tag[0] ? ";tag=" : "", tag, header(req, "Call-ID"),
		header(req, "CSeq"), p->at, lines, body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

/* An answered, acknowledged incoming call; the local tag. */
static const char *call_up(const char *call_id)
{
	static char tag[64];
	const char *ok;

	seen.answer_at_once = true;
	invite(&trunk, "1000", call_id, call_id);
	ok = await(&trunk, "SIP/2.0 200", 1000);
	assert_non_null(ok);
	(void)str_copy(tag, sizeof(tag), tag_of(header(ok, "To")));
	request(&trunk, "ACK", "1000", "ack", call_id, tag, 1, "", "");
	run_ms(5);
	assert_int_equal(seen.established, 1);
	return tag;
}

static char dial_uri[64];

static int dial(int ring_timeout_ms)
{
	struct sip_dial d = {.uri = dial_uri, .from_user = "1001", .from_name = "Caller \"Q\"", .pai = "1002", .headers = "X-Call: 7\r\n",
			     .sdp = SDP2, .ring_timeout_ms = ring_timeout_ms};

	(void)snprintf(dial_uri, sizeof(dial_uri), "sip:callee@%s", trunk.at);
	return sip_dial(&seen.leg, stack, &d, &leg_handlers, NULL);
}

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

TEST(reinvite_of_the_other_side_is_offered_and_answered)
{
	const char *tag, *ok;

	begin();
	tag = call_up("c");
	request(&trunk, "INVITE", "1000", "b2", "c", tag, 2, "", SDP);
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
	assert_string_equal(header(await(&trunk, "SIP/2.0 420", 500), "Unsupported"), "100rel");
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

TEST(options_is_answered_and_unknown_methods_get_405)
{
	const char *m;

	begin();
	request(&other, "OPTIONS", "x", "b", "c", "", 1, "", "");
	assert_string_not_equal(header(await(&other, "SIP/2.0 200", 500), "Allow"), "");
	request(&other, "SUBSCRIBE", "x", "b2", "c", "", 1, "", "");
	assert_non_null(await(&other, "SIP/2.0 405", 500));
	request(&other, "BYE", "x", "b3", "c", "tag", 1, "", "");
	assert_non_null(await(&other, "SIP/2.0 481", 500));
	request(&other, "CANCEL", "x", "b4", "c", "", 1, "", "");
	m = await(&other, "SIP/2.0 481", 500);
	assert_non_null(strstr(header(m, "Via"), "received=127.0.0.9"));
	end();
}
