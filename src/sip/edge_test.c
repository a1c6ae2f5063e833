/* WebSocket framing, and browsers on the edge: socket pairs stand for upgraded connections. */
#include "sip/testbed.h"

#include <sys/socket.h>

/* ---- framing ---- */

static struct {
	char text[200000];
	size_t len;
	unsigned messages, controls;
	enum ws_opcode op;
	char control[130];
} got;

static void on_message(const char *data, size_t len, void *arg)
{
	got.messages++;
	memcpy(got.text, data, len);
	got.len = len;
	got.text[len] = '\0';
}

static void on_control(enum ws_opcode op, const uint8_t *data, size_t len, void *arg)
{
	got.controls++;
	got.op = op;
	memcpy(got.control, data, len);
	got.control[len] = '\0';
}

static const struct ws_handlers ws_handlers = {on_message, on_control, NULL};

static size_t client_frame(uint8_t *buf, bool fin, int op, const char *data, size_t len)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	size_t n = ws_frame_head(buf, op, len);

	if (!fin)
		buf[0] &= 0x7f;
	buf[1] |= 0x80;
	memcpy(buf + n, mask, 4);
	n += 4;
	for (size_t i = 0; i < len; i++)
		buf[n++] = (uint8_t)data[i] ^ mask[i & 3];
	return n;
}

static int feed_one(struct ws_parser *p, bool fin, int op, const char *data, size_t len)
{
	static uint8_t buf[200000];

	return ws_feed(p, buf, client_frame(buf, fin, op, data, len), &ws_handlers);
}

/* RFC 6455 5.7: a masked text message "Hello". */
TEST(websocket_example_of_rfc6455_is_read_byte_by_byte)
{
	static const uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
	struct ws_parser p = {0};

	memset(&got, 0, sizeof(got));
	for (size_t i = 0; i < sizeof(hello); i++)
		assert_int_equal(ws_feed(&p, hello + i, 1, &ws_handlers), 0);
	assert_int_equal(got.messages, 1);
	assert_string_equal(got.text, "Hello");
	ws_parser_done(&p);
}

TEST(fragments_are_joined_round_control_frames)
{
	struct ws_parser p = {0};

	memset(&got, 0, sizeof(got));
	assert_int_equal(feed_one(&p, false, WS_TEXT, "Hel", 3), 0);
	assert_int_equal(feed_one(&p, true, WS_PING, "are you there", 13), 0);
	assert_int_equal(got.op, WS_PING);
	assert_string_equal(got.control, "are you there");
	assert_int_equal(got.messages, 0);
	assert_int_equal(feed_one(&p, true, WS_CONTINUATION, "lo", 2), 0);
	assert_string_equal(got.text, "Hello");
	ws_parser_done(&p);
}

static int feed_bytes(const uint8_t *data, size_t n)
{
	struct ws_parser p = {0};
	int r = ws_feed(&p, data, n, &ws_handlers);

	ws_parser_done(&p);
	return r;
}

TEST(broken_frames_end_the_socket)
{
	struct ws_parser p = {0};

	assert_int_equal(feed_bytes((uint8_t[]){0x81, 0x05, 'H', 'e', 'l', 'l', 'o'}, 7), 1002);     /* not masked */
	assert_int_equal(feed_bytes((uint8_t[]){0xc1, 0x80, 0, 0, 0, 0}, 6), 1002);                  /* reserved bit */
	assert_int_equal(feed_bytes((uint8_t[]){0x83, 0x80, 0, 0, 0, 0}, 6), 1002);                  /* reserved opcode */
	assert_int_equal(feed_bytes((uint8_t[]){0x8b, 0x80, 0, 0, 0, 0}, 6), 1002);                  /* reserved control opcode */
	assert_int_equal(feed_bytes((uint8_t[]){0x80, 0x80, 0, 0, 0, 0}, 6), 1002);                  /* continues nothing */
	assert_int_equal(feed_bytes((uint8_t[]){0x09, 0x80, 0, 0, 0, 0}, 6), 1002);                  /* fragmented control */
	assert_int_equal(feed_bytes((uint8_t[]){0x89, 0xfe, 0, 200}, 4), 1002);                      /* long control */
	assert_int_equal(feed_bytes((uint8_t[]){0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 10), 1009); /* forged length */
	assert_int_equal(feed_bytes((uint8_t[]){0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1}, 10), 1009);     /* one over */
	assert_int_equal(feed_one(&p, false, WS_TEXT, "a", 1), 0);
	assert_int_equal(feed_one(&p, true, WS_TEXT, "b", 1), 1002); /* a new one inside */
	ws_parser_done(&p);
}

TEST(fragments_together_are_bounded_too)
{
	static char big[40000];
	struct ws_parser p = {0};

	memset(big, 'x', sizeof(big));
	assert_int_equal(feed_one(&p, false, WS_BINARY, big, sizeof(big)), 0);
	assert_int_equal(feed_one(&p, true, WS_CONTINUATION, big, sizeof(big)), 1009);
	ws_parser_done(&p);
	memset(&got, 0, sizeof(got));
	static char whole[65536];
	assert_int_equal(feed_one(&p, true, WS_BINARY, whole, sizeof(whole)), 0);
	assert_int_equal(got.len, 65536);
	ws_parser_done(&p);
}

/* ---- browsers ---- */

static struct sip_edge *edge;

struct browser {
	int fd;
	struct ws_parser p; /* of a client: not for server frames */
	uint8_t buf[65536];
	size_t len;
	unsigned cseq;
	char nonce[128];
};

static void edge_begin(void)
{
	begin();
	assert_int_equal(sip_edge_start(&edge, stack), 0);
}

static void edge_end(void)
{
	sip_edge_stop(edge);
	end();
}

static int browser_open(struct browser *b, const char *device, const char *ip)
{
	struct sip_addr peer = {.port = 1234};
	int fds[2], r;

	*b = (struct browser){.cseq = 1};
	(void)str_copy(peer.host, sizeof(peer.host), ip);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	b->fd = fds[0];
	r = sip_edge_add(edge, fds[1], &peer, device, NULL, 0, NULL, NULL);
	if (r)
		(void)close(fds[1]);
	return r;
}

static void browser_send(struct browser *b, const char *text)
{
	static uint8_t buf[70000];
	size_t n = client_frame(buf, true, WS_TEXT, text, strlen(text));

	assert_int_equal(send(b->fd, buf, n, 0), n);
}

/* The next frame that begins with @start (or a close frame when it is NULL), within a second. */
static const char *browser_await(struct browser *b, const char *start)
{
	static char text[65536];
	int64_t until = clock_mono_ms() + 1000;

	while (clock_mono_ms() < until) {
		ssize_t n = recv(b->fd, b->buf + b->len, sizeof(b->buf) - b->len, MSG_DONTWAIT);
		size_t head = 2, len;

		if (n > 0)
			b->len += (size_t)n;
		len = b->len >= 2 ? b->buf[1] & 0x7f : 0;
		if (len == 126 && b->len >= 4) {
			len = (size_t)b->buf[2] << 8 | b->buf[3];
			head = 4;
		}
		if (b->len >= 2 && b->len >= head + len) {
			int op = b->buf[0] & 0x0f;

			memcpy(text, b->buf + head, len);
			text[len] = '\0';
			b->len -= head + len;
			memmove(b->buf, b->buf + head + len, b->len);
			if (start ? op == WS_TEXT && !strncmp(text, start, strlen(start)) : op == WS_CLOSE)
				return text;
			continue;
		}
		if (n == 0)
			return NULL;
		run_ms(1);
	}
	return NULL;
}

static void browser_register(struct browser *b, const char *user, const char *secret)
{
	char auth[1024] = "", text[2048], ha1[65], response[65];
	struct sipa_credentials c = {.cnonce = "x", .nc = "00000001", .qop = "auth", .uri = "sip:" REALM};

	if (b->nonce[0]) {
		int n = snprintf(text, sizeof(text), "%s:" REALM ":%s", user, secret);

		(void)str_copy(c.nonce, sizeof(c.nonce), b->nonce);
		sipa_hex(ha1, false, text, (size_t)n);
		sipa_response(response, false, ha1, &c, "REGISTER");
		(void)snprintf(auth, sizeof(auth),
			       "Authorization: Digest username=\"%s\", realm=\"" REALM "\", nonce=\"%s\", uri=\"sip:" REALM
			       "\", response=\"%s\", cnonce=\"x\", nc=00000001, qop=auth, algorithm=MD5\r\n",
			       user, c.nonce, response);
	}
	(void)snprintf(text, sizeof(text),
		       "REGISTER sip:" REALM " SIP/2.0\r\nVia: SIP/2.0/WS abc.invalid;branch=z9hG4bK%u\r\nMax-Forwards: 69\r\nFrom: <sip:%s@" REALM
		       ">;tag=1\r\nTo: <sip:%s@" REALM ">\r\nCall-ID: r\r\nCSeq: %u REGISTER\r\nContact: "
		       "<sip:xyz@abc.invalid;transport=ws>;+sip.ice;reg-id=1\r\nSupported: path,gruu,outbound\r\n%sContent-Length: 0\r\n\r\n",
		       b->cseq, user, user, b->cseq, auth);
	b->cseq++;
	browser_send(b, text);
}

static void browser_log_in(struct browser *b)
{
	const char *m, *p;

	browser_register(b, "alice", "secret");
	m = browser_await(b, "SIP/2.0 401");
	assert_non_null(m);
	p = strstr(m, "nonce=\"") + 7;
	(void)snprintf(b->nonce, sizeof(b->nonce), "%.*s", (int)strcspn(p, "\""), p);
	assert_true(strstr(m, "algorithm=MD5") < strstr(m, "algorithm=SHA-256")); /* JsSIP reads the first and knows MD5 */
	browser_register(b, "alice", "secret");
	assert_non_null(browser_await(b, "SIP/2.0 200"));
	assert_int_equal(seen.ups, 1);
}

TEST(browser_registers_and_its_socket_is_its_binding)
{
	struct browser b;

	edge_begin();
	assert_int_equal(browser_open(&b, "alice", "192.0.2.7"), 0);
	browser_log_in(&b);
	assert_string_equal(seen.binding.transport, "ws");
	assert_string_equal(seen.binding.source.host, "192.0.2.7"); /* the real peer */
	(void)close(b.fd);
	for (int i = 0; i < 100 && !seen.downs; i++)
		run_ms(5);
	assert_int_equal(seen.downs, 1);
	assert_false(sip_device_registered(stack, "alice"));
	edge_end();
}

TEST(browser_is_no_other_device)
{
	struct browser b;

	edge_begin();
	assert_int_equal(browser_open(&b, "alice", "192.0.2.7"), 0);
	browser_register(&b, "bob", "secret");
	assert_non_null(browser_await(&b, "SIP/2.0 403"));
	(void)close(b.fd);
	edge_end();
}

TEST(call_to_a_browser_goes_through_its_socket_and_back)
{
	struct sip_dial d = {.device = "alice", .from_user = "1001", .sdp = SDP};
	char inv[4096], text[8192];
	const char *m;
	struct browser b;

	edge_begin();
	assert_int_equal(browser_open(&b, "alice", "192.0.2.7"), 0);
	browser_log_in(&b);
	assert_int_equal(sip_dial(&seen.leg, stack, &d, &leg_handlers, NULL), 0);
	m = browser_await(&b, "INVITE sip:xyz@abc.invalid;transport=ws SIP/2.0");
	assert_non_null(m);
	assert_non_null(strstr(header(m, "Via"), "SIP/2.0/WS "));
	assert_non_null(strstr(header(m, "Contact"), ";transport=ws"));
	(void)str_copy(inv, sizeof(inv), m);
	(void)snprintf(text, sizeof(text),
		       "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=bt\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:xyz@abc.invalid;transport=ws>\r\n"
		       "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		       header(inv, "Via"), header(inv, "From"), header(inv, "To"), header(inv, "Call-ID"), header(inv, "CSeq"), strlen(SDP2), SDP2);
	browser_send(&b, text);
	assert_non_null(browser_await(&b, "ACK sip:xyz@abc.invalid"));
	assert_int_equal(seen.established, 1);
	/* In the dialog, from the browser. */
	(void)snprintf(text, sizeof(text),
		       "BYE sip:x SIP/2.0\r\nVia: SIP/2.0/WS abc.invalid;branch=z9hG4bKbye\r\nFrom: %s;tag=bt\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 7 BYE\r\n"
		       "Content-Length: 0\r\n\r\n",
		       header(inv, "To"), header(inv, "From"), header(inv, "Call-ID"));
	browser_send(&b, text);
	assert_non_null(browser_await(&b, "SIP/2.0 200"));
	run_ms(5);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.by, SIP_BY_REMOTE);
	(void)close(b.fd);
	edge_end();
}

TEST(call_to_a_browser_comes_back_on_its_new_socket_after_a_reload)
{
	struct sip_dial d = {.device = "alice", .from_user = "1001", .sdp = SDP};
	char inv[4096], text[4096];
	struct browser b, c;

	edge_begin();
	assert_int_equal(browser_open(&b, "alice", "192.0.2.7"), 0);
	browser_log_in(&b);
	assert_int_equal(sip_dial(&seen.leg, stack, &d, &leg_handlers, NULL), 0);
	(void)str_copy(inv, sizeof(inv), browser_await(&b, "INVITE"));
	(void)snprintf(text, sizeof(text), "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=bt\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:xyz@abc.invalid>\r\n\r\n",
		       header(inv, "Via"), header(inv, "From"), header(inv, "To"), header(inv, "Call-ID"), header(inv, "CSeq"));
	browser_send(&b, text);
	assert_non_null(browser_await(&b, "ACK"));
	(void)close(b.fd);
	for (int i = 0; i < 100 && !seen.downs; i++)
		run_ms(5);
	assert_int_equal(browser_open(&c, "alice", "192.0.2.7"), 0);
	seen.ups = 0;
	browser_log_in(&c);
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	assert_non_null(browser_await(&c, "BYE"));
	(void)close(c.fd);
	edge_end();
}

TEST(sockets_are_limited_and_cut_by_device_not_by_address)
{
	static struct browser b[17], x;

	edge_begin();
	for (int i = 0; i < 16; i++)
		assert_int_equal(browser_open(&b[i], "alice", "192.0.2.7"), 0);
	assert_int_equal(browser_open(&b[16], "alice", "192.0.2.7"), -EAGAIN);
	assert_int_equal(browser_open(&x, "bob", "192.0.2.7"), 0); /* a colleague behind the same NAT */
	sip_edge_cut(edge, "alice");
	for (int i = 0; i < 17; i++) {
		if (i < 16)
			assert_non_null(browser_await(&b[i], NULL));
		(void)close(b[i].fd);
	}
	browser_register(&x, "bob", "secret");
	assert_non_null(browser_await(&x, "SIP/2.0 401")); /* lives on */
	(void)close(x.fd);
	edge_end();
}

TEST(broken_frame_closes_the_socket_with_its_code)
{
	struct browser b;
	const char *m;

	edge_begin();
	assert_int_equal(browser_open(&b, "alice", "192.0.2.7"), 0);
	assert_int_equal(send(b.fd, "\x81\x05Hello", 7, 0), 7);
	m = browser_await(&b, NULL);
	assert_non_null(m);
	assert_int_equal((uint8_t)m[0] << 8 | (uint8_t)m[1], 1002);
	(void)close(b.fd);
	edge_end();
}

TEST(browser_that_floods_is_cut)
{
	struct browser b;
	const char *m;

	edge_begin();
	assert_int_equal(browser_open(&b, "alice", "192.0.2.7"), 0);
	for (int i = 0; i < 1002; i++) /* at least 501 of them within one second of the clock, if it is quick */
		browser_send(&b, "not SIP at all");
	m = browser_await(&b, NULL);
	assert_non_null(m);
	assert_int_equal((uint8_t)m[0] << 8 | (uint8_t)m[1], 1008);
	(void)close(b.fd);
	edge_end();
}

static int given_back;

static void back(void *arg)
{
	given_back++;
}

TEST(socket_is_given_back_and_early_bytes_are_read)
{
	struct sip_addr peer = {.host = "192.0.2.7", .port = 1};
	uint8_t early[600];
	char text[400];
	struct browser b = {.cseq = 1};
	size_t n;
	int fds[2];

	edge_begin();
	given_back = 0;
	(void)snprintf(text, sizeof(text), "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bKo\r\nFrom: <sip:alice@x>;tag=1\r\nTo: <sip:x>\r\n"
					   "Call-ID: o\r\nCSeq: 1 OPTIONS\r\n\r\n");
	n = client_frame(early, true, WS_BINARY, text, strlen(text));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	b.fd = fds[0];
	assert_int_equal(sip_edge_add(edge, fds[1], &peer, "alice", early, n, back, NULL), 0);
	assert_non_null(browser_await(&b, "SIP/2.0 200"));
	(void)close(b.fd);
	sip_edge_stop(edge);
	assert_int_equal(given_back, 1);
	assert_int_equal(close(fds[1]), 0);
	end();
}
