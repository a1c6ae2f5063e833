/*
 * A small server for the SIP tests: the stack with a back-to-back bridge over it, no media.
 *
 *   sip_bridge LISTEN AGENTS [INVITES_PER_S [WS_PORT]]
 *
 * 127.0.0.3 is a trunk. What dials 1000 is bridged to sip:agent@AGENTS; dialling "d-NAME" rings device NAME; "echo"
 * is answered with its own SDP; "ring" rings for ever; "late" answers after 300 ms. Devices alice, bob and carol have
 * the secret "secret"; WebSockets at ws://127.0.0.1:WS_PORT/DEVICE belong to DEVICE. On SIGUSR1 or the end it prints its counters and CPU time; SIGTERM ends it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/base.h"
#include "loop/loop.h"
#include "sip/sip.h"

static struct sip_stack *stack;
static const char *agents;
static uint64_t calls, failed, bridged;

struct call {
	struct sip_leg *in, *out;
	struct ltimer timer;
	char *sdp;
};

static void call_check(struct call *c)
{
	if (c->in || c->out)
		return;
	ltimer_cancel(&c->timer);
	free(c->sdp);
	free(c);
}

static char *text(const char *s, size_t n)
{
	return s ? xstrndup(s, n) : NULL;
}

static void in_established(const char *sdp, size_t len, void *arg)
{
	bridged++;
}

static int in_reoffer(const char *sdp, size_t len, char *answer, size_t size, void *arg)
{
	struct call *c = arg;

	(void)snprintf(answer, size, "%.*s", (int)(sdp ? len : strlen(c->sdp)), sdp ? sdp : c->sdp);
	return 0;
}

static void in_closed(const struct sip_close *k, void *arg)
{
	struct call *c = arg;

	c->in = obj_unref(c->in);
	if (c->out)
		sip_leg_hangup(c->out, 0, k->q850, k->reason);
	call_check(c);
}

static void digit(char d, int ms, void *arg)
{
	printf("digit %c %d\n", d, ms);
	fflush(stdout);
}

static void reanswer(int code, const char *sdp, size_t len, void *arg)
{
	printf("reanswer %d\n", code);
	fflush(stdout);
}

static struct sip_leg *referring;
static struct ltimer refer_timer;

static void refer_answered(void *arg)
{
	sip_leg_refer_result(referring, 200, NULL);
	referring = obj_unref(referring);
}

/* Everybody may, and it always works. */
static int refer(const struct sip_refer *r, void *arg)
{
	struct call *c = arg;

	printf("refer %s %s\n", r->target, r->replaces ? "attended" : "blind");
	fflush(stdout);
	referring = obj_ref(c->in);
	ltimer_set(&refer_timer, 100, refer_answered, NULL);
	return 0;
}

static const struct sip_leg_handlers in_handlers = {
	.refer = refer, .established = in_established, .reoffer = in_reoffer, .closed = in_closed, .info_digit = digit, .reanswer = reanswer};

static void out_progress(int code, const char *sdp, size_t len, void *arg)
{
	struct call *c = arg;
	char *t = text(sdp, len);

	if (c->in)
		(void)sip_leg_progress(c->in, code, NULL, t);
	free(t);
}

static void out_established(const char *sdp, size_t len, void *arg)
{
	struct call *c = arg;
	char *t = text(sdp, len);

	if (c->in)
		(void)sip_leg_answer(c->in, t);
	free(t);
}

static void out_closed(const struct sip_close *k, void *arg)
{
	struct call *c = arg;

	c->out = obj_unref(c->out);
	if (k->code && k->by != SIP_BY_LOCAL)
		failed++;
	if (c->in && k->code >= 300)
		(void)sip_leg_reject(c->in, k->code, k->reason);
	if (c->in)
		sip_leg_hangup(c->in, k->code, k->q850, k->reason);
	call_check(c);
}

static const struct sip_leg_handlers out_handlers = {
	.progress = out_progress, .established = out_established, .closed = out_closed, .reoffer = in_reoffer};

static void answer_late(void *arg)
{
	struct call *c = arg;

	if (c->in)
		(void)sip_leg_answer(c->in, c->sdp);
}

static void reinvite_soon(void *arg)
{
	struct call *c = arg;

	if (c->in && sip_leg_reinvite(c->in, c->sdp) == -ENOTCONN)
		ltimer_set(&c->timer, 20, reinvite_soon, c);
}

static int invite(struct sip_leg *leg, const struct sip_invite *inv, void *arg)
{
	struct call *c = xcalloc(1, sizeof(*c));
	char uri[128];
	struct sip_dial d = {.from_user = inv->from_user, .from_name = inv->from_name, .uri = uri};
	int r;

	calls++;
	c->sdp = inv->sdp ? xstrndup(inv->sdp, inv->sdp_len) : xstrdup("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n");
	c->in = sip_leg_claim(leg, &in_handlers, c);
	if (!strcmp(inv->dialled, "echo"))
		return sip_leg_answer(c->in, c->sdp);
	if (!strcmp(inv->dialled, "ring"))
		return sip_leg_progress(c->in, 180, NULL, NULL);
	if (!strcmp(inv->dialled, "late")) {
		ltimer_set(&c->timer, 300, answer_late, c);
		return sip_leg_progress(c->in, 183, NULL, c->sdp);
	}
	if (!strcmp(inv->dialled, "glare")) {
		ltimer_set(&c->timer, 20, reinvite_soon, c);
		return sip_leg_answer(c->in, c->sdp);
	}
	(void)snprintf(uri, sizeof(uri), "sip:agent@%s", agents);
	if (!strncmp(inv->dialled, "d-", 2)) {
		d.device = inv->dialled + 2;
		d.uri = NULL;
	}
	d.sdp = c->sdp;
	d.ring_timeout_ms = 30000;
	r = sip_dial(&c->out, stack, &d, &out_handlers, c);
	if (r)
		(void)sip_leg_reject(c->in, r == -ENOENT ? 480 : 503, NULL);
	return 0;
}

static void md(char *hex, const EVP_MD *type, const char *user, const char *realm, const char *secret)
{
	uint8_t out[EVP_MAX_MD_SIZE];
	char s[256];
	unsigned n;

	(void)snprintf(s, sizeof(s), "%s:%s:%s", user, realm, secret);
	(void)EVP_Digest(s, strlen(s), out, &n, type, NULL);
	str_hex_of(hex, out, n);
}

static bool credentials(struct sip_ha1 *ret, const char *device, void *arg)
{
	if (strcmp(device, "alice") && strcmp(device, "bob") && strcmp(device, "carol"))
		return false;
	md(ret->md5, EVP_md5(), device, "huawu.test", "secret");
	md(ret->sha256, EVP_sha256(), device, "huawu.test", "secret");
	return true;
}

static int64_t trunk_of(const struct sip_addr *a, const char *user, bool *by_token, void *arg)
{
	return !strcmp(a->host, "127.0.0.3") ? 7 : 0;
}

static void registered(const struct sip_binding *b, bool up, void *arg)
{
	printf("%s %s %s %s:%u %lld\n", up ? "up" : "down", b->device, b->transport, b->source.host, b->source.port,
	       (long long)b->expires_s);
	fflush(stdout);
}

static void print_counters(void)
{
	struct sip_counters k;
	struct rusage u;

	sip_get_counters(stack, &k);
	(void)getrusage(RUSAGE_SELF, &u);
	printf("invites=%llu calls=%llu bridged=%llu failed=%llu stranger=%llu overload=%llu malformed=%llu auth_failed=%llu legs=%u "
	       "bindings=%u cpu_ms=%ld maxrss_kb=%ld\n",
	       (unsigned long long)k.invites, (unsigned long long)calls, (unsigned long long)bridged, (unsigned long long)failed,
	       (unsigned long long)k.refused_stranger, (unsigned long long)k.refused_overload, (unsigned long long)k.malformed,
	       (unsigned long long)k.auth_failed, k.legs, k.bindings,
	       (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000, u.ru_maxrss);
	fflush(stdout);
}

/* ---- a WebSocket handshake, as the HTTP side would do it ---- */

static struct sip_edge *edge;
static int ws_listener;

static bool ws_accept(int fd, char *device, size_t size)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char req[4096], key[128], accept[64], reply[256];
	uint8_t sha[20];
	ssize_t n = recv(fd, req, sizeof(req) - 1, 0); /* one piece, from one test client */
	const char *k;
	int m;

	if (n <= 0)
		return false;
	req[n] = '\0';
	k = strcasestr(req, "\r\nSec-WebSocket-Key: ");
	if (!k || sscanf(req, "GET /%31[a-z] ", device) != 1 || sscanf(k + 21, "%64s", key) != 1)
		return false;
	(void)size;
	(void)strcat(key, guid);
	(void)EVP_Digest(key, strlen(key), sha, NULL, EVP_sha1(), NULL);
	(void)EVP_EncodeBlock((unsigned char *)accept, sha, 20);
	m = snprintf(reply, sizeof(reply),
		     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n"
		     "Sec-WebSocket-Accept: %s\r\n\r\n",
		     accept);
	return send(fd, reply, (size_t)m, 0) == m;
}

static void ws_readable(void *arg)
{
	struct sip_addr peer = {.host = "127.0.0.1", .port = 1};
	char device[32] = "";
	int fd = accept4(ws_listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (!ws_accept(fd, device, sizeof(device)) || sip_edge_add(edge, fd, &peer, device, NULL, 0, NULL, NULL))
		(void)close(fd);
}

static void ws_start(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	ws_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(ws_listener, (struct sockaddr *)&a, sizeof(a)) || listen(ws_listener, 16) || sip_edge_start(&edge, stack) ||
	    loop_listen(ws_listener, ws_readable, NULL))
		exit(1);
}

static int sigs;

static void signalled(void *arg)
{
	struct signalfd_siginfo si;

	if (read(sigs, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo != SIGUSR1)
		loop_stop();
	else
		print_counters();
}

int main(int argc, char **argv)
{
	struct sip_conf conf = {.listen = argc > 1 ? argv[1] : "127.0.0.1:0", .realm = "huawu.test", .user_agent = "huawu-test"};
	struct sip_handlers h = {.credentials = credentials, .trunk_of = trunk_of, .invite = invite, .registered = registered};
	char local[64];
	sigset_t set;

	agents = argc > 2 ? argv[2] : "127.0.0.2:28090";
	if (getenv("SESSION_S"))
		conf.session_s = conf.session_min_s = (unsigned)atoi(getenv("SESSION_S"));
	conf.invites_per_s = argc > 3 ? (unsigned)atoi(argv[3]) : 0;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (loop_process_init() || loop_thread_init() || sip_start(&stack, &conf, &h)) {
		fprintf(stderr, "cannot start\n");
		return 1;
	}
	sigs = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	(void)loop_listen(sigs, signalled, NULL);
	if (argc > 4)
		ws_start(atoi(argv[4]));
	sip_local(stack, local, sizeof(local));
	printf("sip=%s\n", local);
	fflush(stdout);
	(void)loop_run();
	print_counters();
	sip_edge_stop(edge);
	sip_stop(stack);
	return 0;
}
