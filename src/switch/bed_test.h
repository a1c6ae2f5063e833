/*
 * What the switch's tests share: a real switch with a real journal in a folder of its own, and telephones on UDP or on a WebSocket
 * that the test plays line by line. The test's thread waits; nothing sleeps. After each test the records are checked for what must
 * always hold, and the routing core's decisions are derived again from the log.
 *
 * 127.0.0.2 are agents' desk phones, 127.0.0.3 the trunk, 127.0.0.4 a number outside.
 */
#pragma once
#pragma GCC diagnostic ignored "-Wunused-function"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"
#include "db/db.h"
#include "db/db_fixture.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "sim/replay.h"
#include "sip/sip_priv.h"
#include "switch/sw.h"

#define REALM "huawu.test"
#define WAIT_MS 8000 /* for what must come; sanitizers are slow */

/* ---- the centre ---- */

enum { QUEUE = 50, QUEUE2 = 51, CAMPAIGN = 60, TRUNK = 7, ALICE = 1, BOB = 2, WEB = 3 };

static struct plan {
	struct sw_device devices[3];
	struct sw_user users[3];
	struct sw_trunk trunks[3];
	size_t trunks_n;
	int32_t dead_ms;
	struct sw_number numbers[4];
	struct sw_queue queues[2];
	struct acd_queue_conf aq[3]; /* the campaign's last */
	struct acd_agent_conf aa[3];
	struct acd_member members[8];
	struct sw_campaign campaigns[1];
	size_t users_n, queues_n, campaigns_n, members_n;
	void (*leads)(struct sw *sw, int64_t campaign_id, int want, void *arg);
	struct sw_pace_state paces[1];
	size_t paces_n;
	struct sw_past past[2];
	size_t past_n;
	int64_t version;
	int resume_ms;
	size_t ring_bytes;
	const char *record_dir;
	const struct sw_toll_conf *toll;
	struct sw_used used[2];
	size_t used_n;
	bool no_writer; /* the database is away */
	void (*ask)(struct sw *sw, int64_t call_id, const char *number, void *arg); /* whose customer calls */
	int32_t ask_ms;
} plan;

static struct bed {
	char dir[64], db_path[512], ring_path[96], spill_path[96], rec_dir[96], sip[64];
	struct db_writer *writer;
	struct journal *journal;
	struct sw *sw;
	int sink, rtp_port; /* where phones say they listen */
	bool expect_invariant;
} bed;

/* ---- events ---- */

#define EVENTS_MAX 20000

struct heard {
	enum ev_kind kind;
	int64_t call, leg, agent, queue, at_ms;
	char body[360];
};

static struct heard *events;
static int event_n;
static pthread_mutex_t events_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t events_come = PTHREAD_COND_INITIALIZER;

/* When a telephone says that it rings, the switch's thread stands still so long: once. */
static atomic_int stall_ms;

static void on_event(const struct ev *e, void *arg)
{
	struct heard *h;

	if (e->kind == EV_LEG_RING)
		(void)poll(NULL, 0, atomic_exchange(&stall_ms, 0));
	(void)pthread_mutex_lock(&events_lock);
	assert_true(event_n < EVENTS_MAX);
	h = &events[event_n++];
	*h = (struct heard){e->kind, e->call_id, e->leg_id, e->agent_id, e->queue_id, e->at_ms, ""};
	if (e->body)
		(void)snprintf(h->body, sizeof(h->body), "%.*s", (int)e->body_len, e->body);
	(void)pthread_cond_broadcast(&events_come);
	(void)pthread_mutex_unlock(&events_lock);
}

/* How many there are by now. */
static int events_now(void)
{
	int n;

	(void)pthread_mutex_lock(&events_lock);
	n = event_n;
	(void)pthread_mutex_unlock(&events_lock);
	return n;
}

static int find_event(int from, enum ev_kind kind, int64_t agent, const char *text)
{
	for (int i = from; i < event_n; i++)
		if (events[i].kind == kind && (!agent || events[i].agent == agent) && strstr(events[i].body, text))
			return i;
	return -1;
}

/* The first such event from number @from on, waited for. */
static int await_event(int from, enum ev_kind kind, int64_t agent, const char *text)
{
	struct timespec until;
	int i;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_MS / 1000;
	(void)pthread_mutex_lock(&events_lock);
	while ((i = find_event(from, kind, agent, text)) < 0)
		if (pthread_cond_timedwait(&events_come, &events_lock, &until))
			break;
	(void)pthread_mutex_unlock(&events_lock);
	if (i < 0) {
		for (int k = from; k < event_n; k++)
			print_message("  %d %s agent=%lld %s\n", k, ev_kind_name(events[k].kind), (long long)events[k].agent, events[k].body);
		fail_msg("no event %s agent=%lld %s", ev_kind_name(kind), (long long)agent, text);
	}
	return i;
}

static int count_events(enum ev_kind kind, const char *text)
{
	int n = 0;

	(void)pthread_mutex_lock(&events_lock);
	for (int i = -1; (i = find_event(i + 1, kind, 0, text)) >= 0;)
		n++;
	(void)pthread_mutex_unlock(&events_lock);
	return n;
}

/* ---- telephones ---- */

struct peer {
	int fd;
	bool ws;
	char at[32];
	char device[32], secret[32]; /* what it logs in with; "": nothing */
	char inbox[64][4096];        /* oldest first */
	unsigned n;
	uint8_t frames[70000];
	size_t frames_n;
	char rung_for[64][40];       /* Call-IDs of INVITEs it has had: on a slow machine they are repeated */
	unsigned rung_n;
};

/* A dialog as the telephone has it. */
struct dlg {
	struct peer *p;
	char invite[4096];           /* received, when the switch called */
	char call_id[128], local[512], remote[512], target[256], dialled[64], branch[32];
	unsigned cseq;
	bool caller;
};

static struct peer phone_a, phone_b, trunk, outside, browser;
static unsigned serial;

static void peer_open(struct peer *p, const char *ip)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);

	memset(p, 0, sizeof(*p));
	(void)inet_pton(AF_INET, ip, &a.sin_addr);
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
	(void)snprintf(p->at, sizeof(p->at), "%s:%u", ip, ntohs(a.sin_port));
}

static void peer_close(struct peer *p)
{
	if (p->fd > 0)
		(void)close(p->fd);
	p->fd = -1;
}

static void ws_send(struct peer *p, int op, const char *text, size_t len)
{
	uint8_t buf[9000];
	size_t n = ws_frame_head(buf, op, len);

	assert_true(len < 8192);
	buf[1] |= 0x80;
	memset(buf + n, 0, 4); /* a mask of zeros */
	n += 4;
	memcpy(buf + n, text, len);
	assert_int_equal(send(p->fd, buf, n + len, MSG_NOSIGNAL), n + len);
}

static void send_text(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void send_text(struct peer *p, const char *fmt, ...)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	char buf[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (p->ws) {
		ws_send(p, WS_TEXT, buf, (size_t)n);
		return;
	}
	(void)inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons((uint16_t)atoi(strchr(bed.sip, ':') + 1));
	assert_int_equal(sendto(p->fd, buf, (size_t)n, 0, (struct sockaddr *)&to, sizeof(to)), n);
}

static void keep(struct peer *p, const char *text, size_t len)
{
	assert_true(p->n < ARRAY_LEN(p->inbox));
	(void)snprintf(p->inbox[p->n++], sizeof(p->inbox[0]), "%.*s", (int)len, text);
}

/* Whole frames of the server: not masked, not fragmented. */
static void take_frames(struct peer *p)
{
	for (;;) {
		size_t head = 2, len;

		if (p->frames_n < 2)
			return;
		len = p->frames[1] & 0x7f;
		if (len == 126) {
			head = 4;
			if (p->frames_n < 4)
				return;
			len = (size_t)p->frames[2] << 8 | p->frames[3];
		}
		if (p->frames_n < head + len)
			return;
		if ((p->frames[0] & 0x0f) == WS_TEXT)
			keep(p, (char *)p->frames + head, len);
		p->frames_n -= head + len;
		memmove(p->frames, p->frames + head + len, p->frames_n);
	}
}

/* False: nothing came. */
static bool peer_read(struct peer *p, int ms)
{
	struct pollfd f = {.fd = p->fd, .events = POLLIN};
	char buf[8192];
	ssize_t n;

	if (poll(&f, 1, ms) <= 0)
		return false;
	if (p->ws) {
		n = recv(p->fd, p->frames + p->frames_n, sizeof(p->frames) - p->frames_n, MSG_DONTWAIT);
		if (n <= 0)
			return false;
		p->frames_n += (size_t)n;
		take_frames(p);
	} else {
		n = recv(p->fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
		if (n > 0)
			keep(p, buf, (size_t)n);
	}
	return true;
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

/* The oldest message that begins with @start, of that Call-ID (NULL: any), taken out; NULL after @ms. */
static const char *look(struct peer *p, const char *start, const char *call_id, int ms)
{
	static char found[4096];
	int64_t until = clock_mono_ms() + ms;

	for (;;) {
		int64_t left;

		for (unsigned i = 0; i < p->n; i++) {
			if (strncmp(p->inbox[i], start, strlen(start)) || (call_id && strcmp(header(p->inbox[i], "Call-ID"), call_id)))
				continue;
			memcpy(found, p->inbox[i], sizeof(found));
			p->n--;
			memmove(p->inbox[i], p->inbox[i + 1], (p->n - i) * sizeof(p->inbox[0]));
			return found;
		}
		left = until - clock_mono_ms();
		if (left <= 0)
			return NULL;
		(void)peer_read(p, (int)left);
	}
}

static const char *await(struct peer *p, const char *start, const char *call_id)
{
	const char *m = look(p, start, call_id, WAIT_MS);

	if (!m) {
		for (unsigned i = 0; i < p->n; i++)
			print_message("  inbox: %.*s\n", (int)strcspn(p->inbox[i], "\r"), p->inbox[i]);
		fail_msg("%s has no %s", p->at, start);
	}
	return m;
}

static const char *sdp_with(const struct peer *p, const char *direction)
{
	static char sdp[1024];

	if (p->ws)
		(void)snprintf(sdp, sizeof(sdp),
			       "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8 101\r\n"
			       "c=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
			       "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:"
			       "1E:1F\r\na=setup:active\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n",
			       direction);
	else
		(void)snprintf(sdp, sizeof(sdp),
			       "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 101\r\n"
			       "a=rtpmap:101 telephone-event/8000\r\na=%s\r\n",
			       bed.rtp_port, direction);
	return sdp;
}

static const char *sdp_of(const struct peer *p)
{
	return sdp_with(p, "sendrecv");
}

static void contact_of(const char *msg, char *buf, size_t size)
{
	const char *c = strchr(header(msg, "Contact"), '<');

	if (c)
		(void)snprintf(buf, size, "%.*s", (int)strcspn(c + 1, ">"), c + 1);
}

/* Any request of ours in the dialog or to begin it. */
static void request(struct dlg *d, const char *method, unsigned cseq, const char *branch, const char *lines, const char *body)
{
	const char *uri = d->target;

	send_text(d->p,
		  "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		  "CSeq: %u %s\r\nContact: <sip:phone@%s%s>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		  method, uri, d->p->ws ? "WS" : "UDP", d->p->at, branch, d->local, d->remote, d->call_id, cseq, method, d->p->at,
		  d->p->ws ? ";transport=ws" : "", lines, body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

static void new_branch(char *buf, size_t size)
{
	(void)snprintf(buf, size, "b%u", ++serial);
}

static void begin_call(struct dlg *d, struct peer *p, const char *from, const char *to, const char *body)
{
	*d = (struct dlg){.p = p, .caller = true, .cseq = 1};
	(void)snprintf(d->call_id, sizeof(d->call_id), "c%u", ++serial);
	(void)snprintf(d->local, sizeof(d->local), "<sip:%s@%s>;tag=t%u", from, p->ws ? REALM : p->at, serial);
	(void)snprintf(d->remote, sizeof(d->remote), "<sip:%s@%s>", to, bed.sip);
	(void)snprintf(d->target, sizeof(d->target), "sip:%s@%s", to, p->ws ? REALM : bed.sip);
	(void)snprintf(d->dialled, sizeof(d->dialled), "%s", to);
	new_branch(d->branch, sizeof(d->branch));
	request(d, "INVITE", 1, d->branch, "", body);
}

/* An INVITE from the trunk. */
static void call(struct dlg *d, const char *from, const char *to)
{
	begin_call(d, &trunk, from, to, sdp_of(&trunk));
}

static void ack(struct dlg *d, bool of_2xx)
{
	char branch[32];

	new_branch(branch, sizeof(branch));
	request(d, "ACK", d->cseq, of_2xx ? branch : d->branch, "", "");
}

/* Waits for a final answer of our INVITE and acknowledges it. */
static void expect_final(struct dlg *d, int code)
{
	char start[32];
	const char *m;

	(void)snprintf(start, sizeof(start), "SIP/2.0 %d", code);
	m = await(d->p, start, d->call_id);
	(void)snprintf(d->remote, sizeof(d->remote), "%s", header(m, "To"));
	if (code < 300)
		contact_of(m, d->target, sizeof(d->target));
	ack(d, code < 300);
}

static void expect_progress(struct dlg *d, int code)
{
	char start[32];

	(void)snprintf(start, sizeof(start), "SIP/2.0 %d", code);
	(void)await(d->p, start, d->call_id);
}

static void cancel(struct dlg *d)
{
	request(d, "CANCEL", 1, d->branch, "", "");
}

static void cancelled(struct dlg *d)
{
	cancel(d);
	expect_final(d, 487);
}

static void respond(struct dlg *d, const char *req, int code, const char *body)
{
	send_text(d->p,
		  "SIP/2.0 %d X\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:phone@%s%s>\r\n%s"
		  "Content-Length: %zu\r\n\r\n%s",
		  code, header(req, "Via"), header(req, "From"), strstr(header(req, "To"), ";tag=") ? header(req, "To") : d->local,
		  header(req, "Call-ID"), header(req, "CSeq"), d->p->at, d->p->ws ? ";transport=ws" : "",
		  body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

static bool is_repeat(struct peer *p, const char *invite)
{
	const char *id = header(invite, "Call-ID");

	for (unsigned i = 0; i < p->rung_n; i++)
		if (!strcmp(p->rung_for[i], id))
			return true;
	assert_true(p->rung_n < ARRAY_LEN(p->rung_for));
	(void)str_copy(p->rung_for[p->rung_n++], sizeof(p->rung_for[0]), id);
	return false;
}

/* The switch's INVITE at a telephone, which rings. */
static void rung(struct dlg *d, struct peer *p)
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
	respond(d, d->invite, 180, "");
}

static void reply(struct dlg *d, int code)
{
	respond(d, d->invite, code, code == 183 || code == 200 ? sdp_of(d->p) : "");
}

static void answer(struct dlg *d)
{
	reply(d, 200);
	(void)await(d->p, "ACK", d->call_id);
}

static void refuse(struct dlg *d, int code)
{
	reply(d, code);
	(void)await(d->p, "ACK", d->call_id);
}

/* The other side took its INVITE back. */
static void expect_cancel(struct dlg *d)
{
	respond(d, await(d->p, "CANCEL", d->call_id), 200, "");
	refuse(d, 487);
}

static void expect_bye(struct dlg *d)
{
	respond(d, await(d->p, "BYE", d->call_id), 200, "");
}

static void bye(struct dlg *d)
{
	char branch[32];

	new_branch(branch, sizeof(branch));
	request(d, "BYE", ++d->cseq, branch, "", "");
	(void)await(d->p, "SIP/2.0 200", d->call_id);
}

static void reinvite(struct dlg *d, const char *direction)
{
	new_branch(d->branch, sizeof(d->branch));
	request(d, "INVITE", ++d->cseq, d->branch, "", sdp_with(d->p, direction));
	(void)await(d->p, "SIP/2.0 200", d->call_id);
	ack(d, true);
}

/* ---- a browser ---- */

static void credential_lines(char *lines, size_t size, const struct peer *p, const char *challenge, const char *method, const char *uri)
{
	struct sipa_credentials c = {.cnonce = "x", .nc = "00000001", .qop = "auth"};
	const char *nonce = strstr(challenge, "nonce=\"");
	char text[256], ha1[65], response[65];
	int n = snprintf(text, sizeof(text), "%s:" REALM ":%s", p->device, p->secret);

	assert_non_null(nonce);
	(void)snprintf(c.nonce, sizeof(c.nonce), "%.*s", (int)strcspn(nonce + 7, "\""), nonce + 7);
	(void)snprintf(c.uri, sizeof(c.uri), "%s", uri);
	sipa_hex(ha1, false, text, (size_t)n);
	sipa_response(response, false, ha1, &c, method);
	(void)snprintf(lines, size,
		       "%s: Digest username=\"%s\", realm=\"" REALM "\", nonce=\"%s\", uri=\"%s\", response=\"%s\", cnonce=\"x\", nc=00000001, "
		       "qop=auth, algorithm=MD5\r\n",
		       strncmp(challenge, "SIP/2.0 407", 11) ? "Authorization" : "Proxy-Authorization", p->device, c.nonce, uri, response);
}

static void register_once(struct peer *p, const char *lines)
{
	send_text(p,
		  "REGISTER sip:" REALM " SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKr%u;rport\r\nMax-Forwards: 69\r\nFrom: <sip:%s@" REALM
		  ">;tag=r\r\nTo: <sip:%s@" REALM ">\r\nCall-ID: reg%s\r\nCSeq: %u REGISTER\r\nContact: <sip:phone@%s%s>\r\nExpires: 300\r\n"
		  "%s%sContent-Length: 0\r\n\r\n",
		  p->ws ? "WS" : "UDP", p->at, serial + 1, p->device, p->device, p->at, serial + 1, p->at, p->ws ? ";transport=ws" : "",
		  p->ws ? "Supported: path,outbound\r\n" : "", lines);
	serial++;
}

static void register_phone(struct peer *p)
{
	char lines[1024];

	register_once(p, "");
	credential_lines(lines, sizeof(lines), p, await(p, "SIP/2.0 401", NULL), "REGISTER", "sip:" REALM);
	register_once(p, lines);
	(void)await(p, "SIP/2.0 200", NULL);
}

static enum sw_refusal command(struct sw_cmd cmd);

static void browser_open(struct peer *p)
{
	struct sw_cmd cmd = {.kind = SW_CREDENTIAL, .user_id = WEB, .device = "w3", .ms = 60000};
	char text[64];
	int fds[2], n;

	memset(p, 0, sizeof(*p));
	p->ws = true;
	(void)snprintf(p->at, sizeof(p->at), "x%u.invalid", ++serial);
	(void)snprintf(p->device, sizeof(p->device), "w3");
	(void)snprintf(p->secret, sizeof(p->secret), "s3");
	n = snprintf(text, sizeof(text), "w3:" REALM ":s3");
	sipa_hex(cmd.ha1_sha256, true, text, (size_t)n);
	sipa_hex(cmd.ha1_sha256, false, text, (size_t)n);
	memcpy(cmd.ha1_md5, cmd.ha1_sha256, 33);
	sipa_hex(cmd.ha1_sha256, true, text, (size_t)n);
	assert_int_equal(command(cmd), SW_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	p->fd = fds[0];
	assert_int_equal(sw_phone_add(bed.sw, fds[1], "192.0.2.7", (uint16_t)(1000 + serial), "w3", NULL, 0, NULL, NULL), 0);
	register_phone(p);
}

/* A call from a device: the INVITE is challenged and comes again with the answer. */
static void device_call(struct dlg *d, struct peer *p, const char *to)
{
	char lines[1024];
	const char *m;

	begin_call(d, p, p->device, to, sdp_of(p));
	m = await(p, "SIP/2.0 40", d->call_id); /* 401 or 407 */
	credential_lines(lines, sizeof(lines), p, m, "INVITE", d->target);
	request(d, "ACK", 1, d->branch, "", "");
	new_branch(d->branch, sizeof(d->branch));
	d->cseq = 2;
	request(d, "INVITE", 2, d->branch, lines, sdp_of(p));
}

/* ---- commands ---- */

struct answered {
	sem_t sem;
	enum sw_refusal r;
	int64_t call_id;
};

static void on_answer(enum sw_refusal r, int64_t call_id, void *arg)
{
	struct answered *a = arg;

	a->r = r;
	a->call_id = call_id;
	(void)sem_post(&a->sem);
}

static enum sw_refusal command(struct sw_cmd cmd)
{
	struct answered a;

	(void)sem_init(&a.sem, 0, 0);
	assert_int_equal(sw_command(bed.sw, &cmd, on_answer, &a), 0);
	while (sem_wait(&a.sem))
		;
	(void)sem_destroy(&a.sem);
	return a.r;
}

static enum sw_refusal dial(int64_t user, const char *number)
{
	struct sw_cmd cmd = {.kind = SW_DIAL, .user_id = user};

	(void)snprintf(cmd.number, sizeof(cmd.number), "%s", number);
	return command(cmd);
}

#define COMMAND(...) command((struct sw_cmd){__VA_ARGS__})

/* ---- beginning and end ---- */

static void conf_free(void *data)
{
	arena_free(((struct sw_conf *)data)->arena);
}

static void *copied(struct arena *a, const void *v, size_t size)
{
	return memcpy(arena_alloc(a, size), v, size);
}

static struct snap *make_conf(void)
{
	struct arena *a = arena_new(8192);
	struct sw_conf *c = arena_alloc(a, sizeof(*c));

	c->arena = a;
	c->version = c->acd.version = ++plan.version;
	c->devices = copied(a, plan.devices, sizeof(plan.devices));
	c->device_n = ARRAY_LEN(plan.devices);
	c->users = copied(a, plan.users, sizeof(plan.users));
	c->user_n = c->acd.agent_n = plan.users_n;
	c->trunks = copied(a, plan.trunks, sizeof(plan.trunks));
	c->trunk_n = plan.trunks_n;
	c->numbers = copied(a, plan.numbers, sizeof(plan.numbers));
	c->number_n = ARRAY_LEN(plan.numbers);
	c->queues = copied(a, plan.queues, sizeof(plan.queues));
	c->queue_n = plan.queues_n;
	c->campaigns = copied(a, plan.campaigns, sizeof(plan.campaigns));
	c->campaign_n = plan.campaigns_n;
	c->acd.queue_n = plan.queues_n + plan.campaigns_n;
	c->toll = plan.toll;
	c->acd.queues = copied(a, plan.aq, sizeof(plan.aq));
	c->acd.agents = copied(a, plan.aa, sizeof(plan.aa));
	c->acd.members = copied(a, plan.members, sizeof(plan.members));
	c->acd.member_n = plan.members_n;
	return snap_new(c, conf_free);
}

static void reconfigure(void)
{
	assert_int_equal(sw_configure(bed.sw, make_conf()), 0);
	assert_int_equal(COMMAND(.kind = SW_CREDENTIAL_GONE, .device = "nobody"), SW_OK); /* it is through when this is */
}

static void paths(void)
{
	strcpy(bed.dir, "/dev/shm/hw_switch_test.XXXXXX");
	assert_non_null(mkdtemp(bed.dir));
	(void)snprintf(bed.db_path, sizeof(bed.db_path), "%s/t.db", bed.dir);
	test_db_new(bed.db_path, sizeof(bed.db_path), strdupa(bed.db_path));
	(void)snprintf(bed.ring_path, sizeof(bed.ring_path), "%s/ring", bed.dir);
	(void)snprintf(bed.spill_path, sizeof(bed.spill_path), "%s/spill", bed.dir);
	(void)snprintf(bed.rec_dir, sizeof(bed.rec_dir), "%s/rec", bed.dir);
}

/* Alice and Bob have desk phones and serve QUEUE, Alice first; the third has a browser and logs in himself. */
static void plan_default(void)
{
	static char uris[3][64];
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);

	events = events ? events : calloc(EVENTS_MAX, sizeof(*events));
	event_n = 0;
	memset(&bed, 0, sizeof(bed));
	paths();
	bed.sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(bed.sink, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(bed.sink, (struct sockaddr *)&a, &len), 0);
	bed.rtp_port = ntohs(a.sin_port);
	peer_open(&phone_a, "127.0.0.2");
	peer_open(&phone_b, "127.0.0.2");
	peer_open(&trunk, "127.0.0.3");
	peer_open(&outside, "127.0.0.4");
	browser.fd = -1;
	(void)snprintf(uris[0], sizeof(uris[0]), "sip:a1@%s", phone_a.at);
	(void)snprintf(uris[1], sizeof(uris[1]), "sip:a2@%s", phone_b.at);
	(void)snprintf(uris[2], sizeof(uris[2]), "sip:out@%s", outside.at);
	plan = (struct plan){
		.devices = {{.id = 11, .user_id = ALICE, .name = "a1", .static_uri = uris[0]},
			    {.id = 12, .user_id = BOB, .name = "a2", .static_uri = uris[1]},
			    {.id = 13, .name = "spare"}},
		.users = {{.id = ALICE, .team_id = 5, .name = "A", .login = "a", .extension = "8001", .static_agent = true},
			  {.id = BOB, .team_id = 5, .name = "B", .login = "b", .extension = "8002", .static_agent = true},
			  {.id = WEB, .team_id = 6, .name = "C", .login = "c", .extension = "8003"}},
		.trunks = {{.id = TRUNK, .name = "t", .host = "127.0.0.3", .port = (uint16_t)atoi(strchr(trunk.at, ':') + 1), .outbound = true}},
		.numbers = {{.id = 70, .number = "q", .dest = SW_DEST_QUEUE, .target_id = QUEUE},
			    {.id = 71, .number = "uri", .dest = SW_DEST_URI, .uri = uris[2]},
			    {.id = 72, .number = "user", .dest = SW_DEST_USER, .target_id = BOB, .record = true},
			    {.id = 73, .number = "web", .dest = SW_DEST_USER, .target_id = WEB}},
		.queues = {{.id = QUEUE, .name = "q"}, {.id = QUEUE2, .name = "r"}},
		.aq = {{.id = QUEUE, .ring_ms = 20000, .target_ms = 20000}, {.id = QUEUE2, .ring_ms = 20000, .target_ms = 20000}},
		.aa = {{.id = ALICE, .team_id = 5}, {.id = BOB, .team_id = 5}, {.id = WEB, .team_id = 6, .device_grace_ms = 30000}},
		.members = {{ALICE, QUEUE, 1}, {BOB, QUEUE, 2}, {WEB, QUEUE, 3}, {BOB, QUEUE2, 1}},
		.users_n = 3,
		.trunks_n = 1,
		.members_n = 4,
		.queues_n = 2,
		.resume_ms = 300,
	};
}

static void journal_begin(void)
{
	struct journal_conf conf = {
		.ring_path = bed.ring_path, .ring_bytes = plan.ring_bytes ? plan.ring_bytes : 8 << 20, .spill_path = bed.spill_path, .centre_id = 1,
	};
	struct journal_recovery rec = {0};
	struct db *db;

	assert_int_equal(db_open(&db, bed.db_path, DB_RW), 0);
	assert_int_equal(db_migrate(db), 0);
	db_close(db);
	assert_int_equal(db_writer_new(&bed.writer, bed.db_path, 100), 0);
	assert_int_equal(journal_open(&bed.journal, &conf), 0);
	assert_int_equal(journal_recover(bed.journal, bed.writer, &rec), 0);
	if (!plan.no_writer)
		journal_attach(bed.journal, bed.writer, 20);
	journal_tap(bed.journal, on_event, NULL);
}

/* One for all files that include this. */
__attribute__((weak)) bool bed_started;

static void begin(void)
{
	struct sw_start start = {
		.sip_listen = "127.0.0.1:0", .external = "127.0.0.1", .realm = REALM, .rtp_bind = "127.0.0.1", .rtp_min = 14000, .rtp_max = 15998,
		.media_threads = 1, .calls_max = 1000, .centre_id = 1, .node = 1, .resume_ms = plan.resume_ms, .dead_ms = plan.dead_ms,
		.record_dir = plan.record_dir ? plan.record_dir : bed.rec_dir, .heard_dir = bed.rec_dir, .used = plan.used, .used_n = plan.used_n,
		.ask_customer = plan.ask, .ask_ms = plan.ask_ms, .ask_leads = plan.leads,
		.paces = plan.paces, .pace_n = plan.paces_n, .past = plan.past, .past_n = plan.past_n,
	};

	if (!bed_started)
		assert_int_equal(loop_process_init(), 0);
	bed_started = true;
	log_set_level(getenv("HW_TEST_LOG") ? LOG_L_DEBUG : LOG_L_ERROR);
	journal_begin();
	assert_int_equal(sw_new(&bed.sw, &start, bed.journal, make_conf()), 0);
	sw_sip_local(bed.sw, bed.sip, sizeof(bed.sip));
}

static int64_t get(struct db *db, const char *sql)
{
	int64_t v = -1;

	assert_int_equal(db_get_i64(&v, db, sql, NULL), 0);
	return v;
}

static struct db *records(void)
{
	struct db *db;

	assert_int_equal(db_open(&db, bed.db_path, DB_RO), 0);
	return db;
}

static void check_none(struct db *db, const char *what, const char *sql)
{
	int64_t n = get(db, sql);

	if (n)
		fail_msg("%lld %s", (long long)n, what);
}

/* What must hold of every log. */
static void check_records(void)
{
	struct db *db = records();
	struct replay_result res;
	int64_t epoch, n;

	check_none(db, "calls are open", "SELECT count(*) FROM call WHERE end_ms IS NULL OR by IS NULL");
	check_none(db, "legs are open", "SELECT count(*) FROM leg WHERE end_ms IS NULL");
	check_none(db, "segments are open", "SELECT count(*) FROM segment WHERE end_ms IS NULL");
	check_none(db, "activities are open", "SELECT count(*) FROM activity WHERE end_ms IS NULL");
	check_none(db, "offers are open", "SELECT count(*) FROM offer WHERE end_ms IS NULL");
	check_none(db, "attempts are open", "SELECT count(*) FROM attempt WHERE end_ms IS NULL OR result IS NULL");
	check_none(db, "parties are open", "SELECT count(*) FROM call_party WHERE end_ms IS NULL");
	check_none(db, "recordings are open", "SELECT count(*) FROM recording_part WHERE state = 'open' OR end_ms IS NULL");
	check_none(db, "segments overlap or leave a gap",
		   "SELECT count(*) FROM (SELECT end_ms, lead(start_ms) OVER (PARTITION BY call_id ORDER BY id) AS next FROM segment) s"
		   " WHERE next IS NOT NULL AND next <> end_ms");
	check_none(db, "calls end before or after their last segment",
		   "SELECT count(*) FROM call c WHERE EXISTS (SELECT 1 FROM segment WHERE call_id = c.id)"
		   " AND end_ms <> (SELECT max(end_ms) FROM segment WHERE call_id = c.id)");
	check_none(db, "activities overlap or leave a gap that is no log-out",
		   "SELECT count(*) FROM (SELECT end_ms, agent_id, lead(start_ms) OVER (PARTITION BY agent_id ORDER BY id) AS next FROM activity) a"
		   " WHERE next IS NOT NULL AND (next < end_ms OR (next > end_ms AND NOT EXISTS (SELECT 1 FROM event e WHERE e.agent_id = a.agent_id"
		   " AND e.kind = 'agent.state' AND e.body LIKE '%\"state\":\"offline\"%' AND e.at_ms BETWEEN a.end_ms AND a.next)))");
	check_none(db, "talks with an agent who does not talk",
		   "SELECT count(*) FROM segment s WHERE type = 'talk' AND agent_id > 0 AND NOT EXISTS (SELECT 1 FROM activity a"
		   " WHERE a.agent_id = s.agent_id AND a.state = 'talking' AND a.call_id = s.call_id AND a.start_ms <= s.start_ms"
		   " AND a.end_ms >= s.start_ms)");
	if (journal_verify(db, &epoch, &n))
		fail_msg("the log is broken at %lld.%lld", (long long)epoch, (long long)n);
	if (replay_run(db, 0, true, &res))
		fail_msg("replay differs at %lld.%lld: %s\n derived %s\n logged  %s", (long long)res.epoch, (long long)res.n, res.why, res.expected,
			 res.logged);
	db_close(db);
}

/* Ends the switch; the database can be read then. */
static void stop(int deadline_ms)
{
	if (!bed.sw)
		return;
	sw_stop(bed.sw, deadline_ms);
	sw_free(bed.sw);
	bed.sw = NULL;
	if (plan.no_writer)
		journal_attach(bed.journal, bed.writer, 20);
	db_writer_free(bed.writer);
	journal_close(bed.journal);
	if (!bed.expect_invariant)
		assert_int_equal(count_events(EV_SYS_ALARM, "invariant"), 0);
	check_records();
}

static void end(void)
{
	char cmd[128];

	stop(3000);
	peer_close(&phone_a);
	peer_close(&phone_b);
	peer_close(&trunk);
	peer_close(&outside);
	peer_close(&browser);
	(void)close(bed.sink);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", bed.dir);
	assert_int_equal(system(cmd), 0);
	test_db_gone(bed.db_path);
}
