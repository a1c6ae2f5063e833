/*
 * What the tests of this folder share: the stack with raw UDP peers in the same loop. Every message is written out, so
 * what is sent and what must come back can be read. 127.0.0.3 is a trunk, 127.0.0.9 a stranger.
 */
#pragma once
#pragma GCC diagnostic ignored "-Wunused-function"

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

/* The other side's next one: it holds. */
#define SDP3 "v=0\r\no=- 1 2 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\na=sendonly\r\n"

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
	p->fd = socket(sa_af(&sa), SOCK_DGRAM | SOCK_CLOEXEC, 0);
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
	bool claim, answer_at_once, socket_only, replaces;
	unsigned refers;
	int refer_code, refer_result, reoffer_code;
	char refer_target[64];
	struct sip_leg *refer_replaces;
	enum sip_origin origin;
	int64_t trunk_id;
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
	return seen.reoffer_code;
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

static int on_refer(const struct sip_refer *r, void *arg)
{
	seen.refers++;
	(void)str_copy(seen.refer_target, sizeof(seen.refer_target), r->target);
	seen.refer_replaces = r->replaces;
	if (seen.refer_result)
		sip_leg_refer_result(seen.leg, seen.refer_result, NULL);
	return seen.refer_code;
}

static const struct sip_leg_handlers leg_handlers = {on_progress, on_established, on_reoffer, on_reanswer, on_digit, on_closed, on_refer};

static int on_invite(struct sip_leg *leg, const struct sip_invite *inv, void *arg)
{
	seen.invites++;
	seen.origin = inv->origin;
	seen.trunk_id = inv->trunk_id;
	(void)str_copy(seen.dialled, sizeof(seen.dialled), inv->dialled);
	(void)str_copy(seen.from_user, sizeof(seen.from_user), inv->from_user);
	(void)str_copy(seen.device, sizeof(seen.device), inv->device ? inv->device : "");
	keep_sdp(inv->sdp, inv->sdp_len);
	seen.replaces = inv->replaces && inv->replaces == seen.leg;
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
	ret->socket_only = seen.socket_only;
	return true;
}

static int64_t on_trunk_of(const struct sip_addr *a, const char *user, bool *by_token, void *arg)
{
	*by_token = !strcmp(user, "token");
	return *by_token ? 8 : strcmp(a->host, "127.0.0.3") ? 0 : 7;
}

static int64_t on_trunk_account(const char *user, void *arg)
{
	return strcmp(user, "bob") ? 0 : 9;
}

static void on_registered(const struct sip_binding *b, bool up, void *arg)
{
	seen.ups += up;
	seen.downs += !up;
	seen.binding = *b;
	(void)str_copy(seen.device, sizeof(seen.device), b->device);
}

static bool trunk_accounts; /* bob is a carrier, no telephone */

/* One for all files that include this. */
__attribute__((weak)) bool testbed_started;

static void begin_with(struct sip_conf conf)
{
	struct sip_handlers h = {.credentials = on_credentials, .trunk_of = on_trunk_of, .invite = on_invite, .registered = on_registered,
				  .trunk_account = trunk_accounts ? on_trunk_account : NULL};

	if (!testbed_started) {
		assert_int_equal(loop_process_init(), 0);
		assert_int_equal(loop_thread_init(), 0);
		log_set_level(LOG_L_ERROR);
	}
	testbed_started = true;
	memset(&seen, 0, sizeof(seen));
	if (!conf.listen)
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
