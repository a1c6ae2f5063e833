/*
 * TCP, TLS and IPv6 over real sockets. A link is the other side of one connection, in the same loop; two stacks speak TLS with one
 * another. T1 is short, and with it every limit of time.
 */
#include "sip/testbed.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sip/stream.h"

#define T1 20 /* half a message: 400 ms, a stranger: 1280 ms */

/* ---- links ---- */

struct link {
	int fd;
	struct sipframe in;
	char at[64]; /* our own address */
	bool closed;
	unsigned pongs;
};

static struct {
	int fd;
	char at[64];
	struct link links[8];
	unsigned n;
} door; /* of a carrier who listens */

static char tcp_at[64], tls_at[64];

static void link_readable(void *arg)
{
	struct link *k = arg;
	char buf[16384];
	ssize_t n = recv(k->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		k->closed = true;
		loop_unlisten(k->fd);
	} else if (n == 2 && !memcmp(buf, "\r\n", 2)) {
		k->pongs++;
	} else {
		sipframe_add(&k->in, buf, (size_t)n);
	}
	if (stop_on_message)
		loop_stop();
}

static void link_of(struct link *k, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct sa sa;

	*k = (struct link){.fd = fd};
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	(void)sa_set_sa(&sa, (struct sockaddr *)&ss);
	(void)re_snprintf(k->at, sizeof(k->at), "%J", &sa);
	assert_int_equal(loop_listen(fd, link_readable, k), 0);
}

static void link_to(struct link *k, const char *from, const char *to)
{
	struct sa src, dst;
	int fd, one = 1;

	assert_int_equal(sa_set_str(&src, from, 0), 0);
	assert_int_equal(sa_decode(&dst, to, strlen(to)), 0);
	fd = socket(sa_af(&dst), SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, &src.u.sa, src.len), 0);
	assert_int_equal(connect(fd, &dst.u.sa, dst.len), 0);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	link_of(k, fd);
}

static void link_close(struct link *k)
{
	if (!k->closed)
		loop_unlisten(k->fd);
	(void)close(k->fd);
	sipframe_done(&k->in);
}

static void link_bytes(struct link *k, const void *data, size_t n)
{
	assert_int_equal(send(k->fd, data, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void link_send(struct link *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void link_send(struct link *k, const char *fmt, ...)
{
	char buf[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	link_bytes(k, buf, (size_t)n);
}

/* The next message that begins with @start; others before it are dropped. NULL after @ms. */
static const char *link_await(struct link *k, const char *start, int ms)
{
	static char found[16384];
	struct ltimer t = {{0}};
	bool over = false;

	ltimer_set(&t, ms, timed_out, &over);
	for (;;) {
		const char *msg;
		size_t len;
		enum sipframe_got g;

		while ((g = sipframe_next(&k->in, &msg, &len)) != SIPFRAME_MORE) {
			bool it = g == SIPFRAME_MESSAGE && !strncmp(msg, start, strlen(start));

			if (it)
				(void)snprintf(found, sizeof(found), "%.*s", (int)len, msg);
			sipframe_take(&k->in);
			if (it) {
				ltimer_cancel(&t);
				return found;
			}
		}
		if (over)
			return NULL;
		stop_on_message = true;
		(void)loop_run();
		stop_on_message = false;
	}
}

static bool link_ends(struct link *k, int ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (!k->closed && clock_mono_ms() < end)
		run_ms(10);
	return k->closed;
}

static void door_readable(void *arg)
{
	int fd = accept4(door.fd, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0 && door.n < ARRAY_LEN(door.links));
	link_of(&door.links[door.n++], fd);
	if (stop_on_message)
		loop_stop();
}

static void door_open_at(const char *ip, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct sa sa;
	int one = 1;

	memset(&door, 0, sizeof(door));
	(void)sa_set_str(&sa, ip, port);
	door.fd = socket(sa_af(&sa), SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(door.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(door.fd, &sa.u.sa, sa.len), 0);
	assert_int_equal(listen(door.fd, 8), 0);
	assert_int_equal(getsockname(door.fd, (struct sockaddr *)&ss, &len), 0);
	(void)sa_set_sa(&sa, (struct sockaddr *)&ss);
	(void)re_snprintf(door.at, sizeof(door.at), "%J", &sa);
	assert_int_equal(loop_listen(door.fd, door_readable, NULL), 0);
}

static void door_open(const char *ip)
{
	door_open_at(ip, 0);
}

static void door_close(void)
{
	loop_unlisten(door.fd);
	(void)close(door.fd);
	for (unsigned i = 0; i < door.n; i++)
		link_close(&door.links[i]);
}

static struct link *door_await(unsigned i, int ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (door.n <= i && clock_mono_ms() < end)
		run_ms(5);
	return door.n > i ? &door.links[i] : NULL;
}

/* ---- the stack with TCP ---- */

static void address_of(char *buf, size_t size, const struct sip_stack *s, const char *word)
{
	char all[512], *p;

	sip_local_all(s, all, sizeof(all));
	p = strstr(all, word);
	assert_non_null(p);
	p += strlen(word);
	(void)snprintf(buf, size, "%.*s", (int)strcspn(p, ","), p);
}

static void begin_tcp_with(struct sip_conf conf)
{
	if (!conf.listen)
		conf.listen = "udp:127.0.0.1:0, tcp:127.0.0.1:0";
	conf.t1_ms = conf.t1_ms ? conf.t1_ms : T1;
	begin_with(conf);
	address_of(tcp_at, sizeof(tcp_at), stack, "tcp:");
}

static void begin_tcp(void)
{
	begin_tcp_with((struct sip_conf){0});
}

static void stream_request(struct link *k, const char *method, const char *user, const char *call_id, const char *to_tag, unsigned cseq,
			   const char *lines, const char *body)
{
	link_send(k,
		  "%s sip:%s@%s;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%s%u%s;rport\r\nFrom: <sip:%s@x>;tag=ft\r\n"
		  "To: <sip:%s@x>%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:me@%s;transport=tcp>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		  method, user, tcp_at, k->at, call_id, cseq, method, user, user, to_tag[0] ? ";tag=" : "", to_tag, call_id, cseq, method, k->at, lines,
		  body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

static void stream_respond(struct link *k, const char *req, int code, const char *contact, const char *body)
{
	link_send(k,
		  "SIP/2.0 %d X\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=zz\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <%s>\r\n%sContent-Length: %zu\r\n\r\n%s",
		  code, header(req, "Via"), header(req, "From"), header(req, "To"), header(req, "Call-ID"), header(req, "CSeq"), contact,
		  body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

static void options(struct link *k, const char *call_id)
{
	stream_request(k, "OPTIONS", "bob", call_id, "", 1, "", "");
}

static void register_as(struct link *k, const char *user, int expires_s, unsigned cseq)
{
	struct sipa_credentials c = {.cnonce = "abc", .qop = "auth", .nc = "00000001", .uri = "sip:x"};
	char text[128], ha1[65], response[65], lines[1024];
	const char *r, *p;
	int n;

	stream_request(k, "REGISTER", user, user, "", cseq, "", "");
	r = link_await(k, "SIP/2.0 401", 2000);
	assert_non_null(r);
	p = strstr(r, "nonce=\"") + 7;
	(void)snprintf(c.nonce, sizeof(c.nonce), "%.*s", (int)strcspn(p, "\""), p);
	n = snprintf(text, sizeof(text), "%s:" REALM ":secret", user);
	sipa_hex(ha1, false, text, (size_t)n);
	sipa_response(response, false, ha1, &c, "REGISTER");
	(void)snprintf(lines, sizeof(lines),
		       "Authorization: Digest username=\"%s\",realm=\"" REALM "\",nonce=\"%s\",uri=\"sip:x\",response=\"%s\",cnonce=\"abc\","
		       "nc=00000001,qop=auth,algorithm=MD5\r\nExpires: %d\r\n",
		       user, c.nonce, response, expires_s);
	stream_request(k, "REGISTER", user, user, "", cseq + 1, lines, "");
	assert_non_null(link_await(k, "SIP/2.0 200", 2000));
}

static int dial_uri_tls(const char *uri, const struct sip_tls *tls, bool tcp_if_big, const char *headers)
{
	struct sip_dial d = {.uri = uri, .tls = tls, .from_user = "1001", .sdp = SDP2, .tcp_if_big = tcp_if_big, .headers = headers};

	return sip_dial(&seen.leg, stack, &d, &leg_handlers, NULL);
}

static int dial_device(const char *device)
{
	struct sip_dial d = {.device = device, .from_user = "1001", .sdp = SDP2};

	return sip_dial(&seen.leg, stack, &d, &leg_handlers, NULL);
}

static bool wait_closed(unsigned n, int ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (seen.closed < n && clock_mono_ms() < end)
		run_ms(5);
	return seen.closed == n;
}

/* ---- telephones ---- */

TEST(tcp_phone_registers_and_is_rung_through_its_connection)
{
	struct link k;
	const char *inv;

	begin_tcp();
	link_to(&k, "127.0.0.9", tcp_at);
	register_as(&k, "alice", 300, 1);
	assert_int_equal(seen.ups, 1);
	assert_string_equal(seen.binding.transport, "tcp");
	assert_int_equal(dial_device("alice"), 0);
	assert_string_equal(sip_leg_transport(seen.leg), "tcp");
	inv = link_await(&k, "INVITE sip:me@", 1000);
	assert_non_null(inv);
	assert_non_null(strstr(header(inv, "Via"), "SIP/2.0/TCP 127.0.0.1:"));
	assert_non_null(strstr(header(inv, "Via"), tcp_at));
	assert_non_null(strstr(header(inv, "Contact"), ";transport=tcp>"));
	stream_respond(&k, inv, 200, "sip:me@127.0.0.9;transport=tcp", SDP);
	assert_non_null(link_await(&k, "ACK ", 1000));
	assert_int_equal(seen.established, 1);
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	assert_non_null(link_await(&k, "BYE ", 1000));
	link_close(&k);
	end();
}

TEST(tcp_registration_goes_with_its_connection_and_a_ringing_leg_is_told)
{
	struct link k;

	begin_tcp();
	link_to(&k, "127.0.0.9", tcp_at);
	register_as(&k, "alice", 300, 1);
	assert_int_equal(dial_device("alice"), 0);
	assert_non_null(link_await(&k, "INVITE ", 1000));
	link_close(&k);
	assert_true(wait_closed(1, 1000));
	assert_int_equal(seen.close.by, SIP_BY_LOST);
	assert_int_equal(seen.downs, 1);
	assert_false(sip_device_registered(stack, "alice"));
	assert_int_equal(dial_device("alice"), -ENOENT);
	end();
}

TEST(tcp_registration_moves_with_the_phone_to_a_new_connection)
{
	struct link a, b;

	begin_tcp();
	link_to(&a, "127.0.0.9", tcp_at);
	register_as(&a, "alice", 300, 1);
	link_to(&b, "127.0.0.9", tcp_at);
	(void)str_copy(b.at, sizeof(b.at), a.at); /* the same Contact */
	register_as(&b, "alice", 300, 3);
	link_close(&a);
	run_ms(50);
	assert_int_equal(seen.downs, 0);
	assert_int_equal(dial_device("alice"), 0);
	assert_non_null(link_await(&b, "INVITE ", 1000));
	link_close(&b);
	end();
}

TEST(tcp_call_from_a_trunk_is_answered_on_its_connection)
{
	struct link k;
	const char *ok, *tag;

	begin_tcp();
	seen.answer_at_once = true;
	link_to(&k, "127.0.0.3", tcp_at);
	stream_request(&k, "INVITE", "1000", "c1", "", 1, "", SDP);
	ok = link_await(&k, "SIP/2.0 200", 1000);
	assert_non_null(ok);
	assert_int_equal(seen.origin, SIP_FROM_TRUNK);
	tag = tag_of(header(ok, "To"));
	stream_request(&k, "ACK", "1000", "c1", tag, 1, "", "");
	run_ms(20);
	assert_int_equal(seen.established, 1);
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	assert_non_null(link_await(&k, "BYE sip:me@", 1000)); /* no second connection to the Contact's port */
	link_close(&k);
	end();
}

/* RFC 3261 18.2.2. */
TEST(tcp_answer_finds_a_new_connection_when_the_first_is_gone)
{
	struct link k;

	begin_tcp();
	door_open("127.0.0.3");
	link_to(&k, "127.0.0.3", tcp_at);
	(void)str_copy(k.at, sizeof(k.at), door.at); /* Via names where it listens */
	stream_request(&k, "INVITE", "1000", "c1", "", 1, "", SDP);
	assert_non_null(link_await(&k, "SIP/2.0 100", 1000));
	link_close(&k);
	run_ms(50);
	assert_int_equal(sip_leg_answer(seen.leg, SDP2), 0);
	assert_non_null(door_await(0, 1000));
	assert_non_null(link_await(&door.links[0], "SIP/2.0 200", 1000));
	door_close();
	end();
}

TEST(tcp_no_connection_is_made_for_the_refusal_of_a_stranger)
{
	struct link k;

	begin_tcp();
	door_open("127.0.0.9");
	link_to(&k, "127.0.0.9", tcp_at);
	(void)str_copy(k.at, sizeof(k.at), door.at);
	stream_request(&k, "INVITE", "1000", "c1", "", 1, "", SDP);
	link_close(&k);
	run_ms(100);
	assert_int_equal(door.n, 0);
	door_close();
	end();
}

/* ---- calls out ---- */

TEST(tcp_calls_to_one_carrier_share_a_connection)
{
	struct link *k;
	const char *inv;
	char uri[96];

	begin_tcp();
	door_open("127.0.0.3");
	(void)snprintf(uri, sizeof(uri), "sip:1@%s;transport=tcp", door.at);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dial_uri_tls(uri, NULL, false, NULL), 0);
		k = door_await(0, 1000);
		assert_non_null(k);
		inv = link_await(k, "INVITE ", 1000);
		assert_non_null(inv);
		stream_respond(k, inv, 486, "sip:x@x", "");
		assert_non_null(link_await(k, "ACK ", 1000));
		assert_true(wait_closed((unsigned)i + 1, 1000));
		assert_int_equal(seen.close.code, 486);
	}
	assert_int_equal(door.n, 1);
	door_close();
	end();
}

TEST(tcp_carrier_who_is_not_there_is_told_soon_not_after_32_seconds)
{
	char uri[96];
	int64_t begun;

	begin_tcp_with((struct sip_conf){.t1_ms = 500});
	door_open("127.0.0.3");
	(void)snprintf(uri, sizeof(uri), "sip:1@%s;transport=tcp", door.at);
	door_close();
	begun = clock_mono_ms();
	assert_int_equal(dial_uri_tls(uri, NULL, false, NULL), 0);
	assert_true(wait_closed(1, 5000));
	assert_true(clock_mono_ms() - begun < 3000);
	assert_int_equal(seen.close.by, SIP_BY_LOST);
	end();
}

TEST(tcp_dialog_finds_a_new_connection_to_the_carrier_for_its_bye)
{
	struct link *k;
	const char *inv;
	char uri[96], contact[96];

	begin_tcp();
	door_open("127.0.0.3");
	(void)snprintf(uri, sizeof(uri), "sip:1@%s;transport=tcp", door.at);
	(void)snprintf(contact, sizeof(contact), "sip:gw@%s;transport=tcp", door.at);
	assert_int_equal(dial_uri_tls(uri, NULL, false, NULL), 0);
	k = door_await(0, 1000);
	inv = link_await(k, "INVITE ", 1000);
	stream_respond(k, inv, 200, contact, SDP);
	assert_non_null(link_await(k, "ACK ", 1000));
	(void)shutdown(k->fd, SHUT_RDWR);
	run_ms(50);
	assert_int_equal(seen.closed, 0);
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	k = door_await(1, 1000);
	assert_non_null(k);
	assert_non_null(link_await(k, "BYE sip:gw@", 1000));
	door_close();
	end();
}

/* RFC 3261 18.1.1; 1300 bytes. */
TEST(udp_request_that_is_too_big_goes_by_tcp_where_the_peer_speaks_it)
{
	char uri[96], big[1400] = "X-Big: ";
	const char *inv;

	memset(big + 7, 'x', 1200);
	memcpy(big + 1207, "\r\n", 3);
	begin_tcp();
	door_open("127.0.0.3");
	(void)snprintf(uri, sizeof(uri), "sip:1@%s", door.at);
	assert_int_equal(dial_uri_tls(uri, NULL, true, big), 0);
	assert_non_null(door_await(0, 1000));
	inv = link_await(&door.links[0], "INVITE ", 1000);
	assert_non_null(inv);
	assert_non_null(strstr(header(inv, "Via"), "SIP/2.0/TCP "));
	assert_null(strstr(header(inv, "Contact"), "transport"));
	stream_respond(&door.links[0], inv, 486, "sip:x@x", "");
	assert_true(wait_closed(1, 1000));
	door_close();
	end();
}

TEST(udp_request_that_is_too_big_goes_by_udp_after_all_when_tcp_is_refused)
{
	char uri[96], big[1400] = "X-Big: ";
	const char *inv;

	memset(big + 7, 'x', 1200);
	memcpy(big + 1207, "\r\n", 3);
	begin_tcp();
	(void)snprintf(uri, sizeof(uri), "sip:1@%s", trunk.at);
	assert_int_equal(dial_uri_tls(uri, NULL, true, big), 0);
	inv = await(&trunk, "INVITE ", 2000);
	assert_non_null(inv);
	assert_non_null(strstr(header(inv, "Via"), "SIP/2.0/UDP "));
	respond(&trunk, inv, 486, "zz", "", "");
	assert_true(wait_closed(1, 1000));
	assert_int_equal(seen.close.code, 486);
	end();
}

/* ---- keep-alive and limits ---- */

/* RFC 5626 4.4.1. */
TEST(tcp_double_line_end_gets_a_single_one_back)
{
	struct link k;

	begin_tcp();
	link_to(&k, "127.0.0.9", tcp_at);
	link_bytes(&k, "\r\n\r\n", 4);
	run_ms(50);
	assert_int_equal(k.pongs, 1);
	options(&k, "after");
	assert_non_null(link_await(&k, "SIP/2.0 200", 1000));
	link_close(&k);
	end();
}

TEST(tcp_message_without_a_length_gets_400_and_the_connection_ends)
{
	struct link k;

	begin_tcp();
	link_to(&k, "127.0.0.9", tcp_at);
	link_send(&k, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: n\r\nCSeq: 1 "
		      "OPTIONS\r\n\r\n", k.at);
	assert_non_null(link_await(&k, "SIP/2.0 400 Content-Length", 1000));
	assert_true(link_ends(&k, 1000));
	link_close(&k);
	link_to(&k, "127.0.0.9", tcp_at);
	link_send(&k, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK2\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: n\r\nCSeq: 1 "
		      "OPTIONS\r\nContent-Length: 99999999\r\n\r\n", k.at);
	assert_non_null(link_await(&k, "SIP/2.0 400 ", 1000));
	assert_true(link_ends(&k, 1000));
	link_close(&k);
	end();
}

TEST(tcp_half_a_message_is_cut_after_20_t1_even_when_it_goes_on_byte_by_byte)
{
	struct link k, slow;
	int64_t begun = clock_mono_ms();

	begin_tcp();
	link_to(&k, "127.0.0.3", tcp_at); /* a trunk, too */
	link_to(&slow, "127.0.0.3", tcp_at);
	link_send(&k, "OPTIONS sip:x SIP/2.0\r\nVia: ");
	begun = clock_mono_ms();
	link_send(&slow, "OPTIONS sip:x SIP/2.0\r\nVia: ");
	while (!slow.closed && clock_mono_ms() - begun < 2000) {
		(void)send(slow.fd, "x", 1, MSG_NOSIGNAL);
		run_ms(20);
	}
	assert_true(slow.closed && k.closed);
	assert_true(clock_mono_ms() - begun >= 15 * T1);
	link_close(&k);
	link_close(&slow);
	end();
}

TEST(tcp_stranger_is_cut_after_64_t1_a_phone_that_logged_in_is_not)
{
	struct link stranger, silent, phone;
	int64_t begun;

	begin_tcp();
	link_to(&silent, "127.0.0.9", tcp_at);
	link_to(&stranger, "127.0.0.9", tcp_at);
	link_to(&phone, "127.0.0.9", tcp_at);
	begun = clock_mono_ms();
	register_as(&phone, "alice", 300, 1);
	options(&stranger, "o1");
	assert_non_null(link_await(&stranger, "SIP/2.0 200", 1000));
	while (!(stranger.closed && silent.closed) && clock_mono_ms() - begun < 4000)
		run_ms(20);
	assert_true(stranger.closed && silent.closed);
	assert_true(clock_mono_ms() - begun >= 60 * T1);
	assert_false(phone.closed);
	assert_true(sip_device_registered(stack, "alice"));
	link_close(&stranger);
	link_close(&silent);
	link_close(&phone);
	end();
}

/* 64 of one address; those who have logged in do not count, and other addresses do not suffer. */
TEST(tcp_strangers_of_one_address_are_bounded)
{
	static struct link k[66];
	struct link phone, elsewhere;
	unsigned closed = 0;

	begin_tcp_with((struct sip_conf){.t1_ms = 500});
	link_to(&phone, "127.0.0.9", tcp_at);
	register_as(&phone, "alice", 300, 1);
	run_ms(50);
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		link_to(&k[i], "127.0.0.9", tcp_at);
	run_ms(200);
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		closed += k[i].closed;
	assert_int_equal(closed, 2);
	assert_false(phone.closed);
	link_to(&elsewhere, "127.0.0.10", tcp_at);
	options(&elsewhere, "o");
	assert_non_null(link_await(&elsewhere, "SIP/2.0 200", 1000));
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		link_close(&k[i]);
	link_close(&phone);
	link_close(&elsewhere);
	end();
}

/* 512 in all: the oldest one makes room for the newest. */
TEST(tcp_flood_from_many_addresses_lets_a_phone_in)
{
	static struct link k[520];
	struct link phone;
	unsigned closed = 0;

	begin_tcp_with((struct sip_conf){.t1_ms = 500});
	for (size_t i = 0; i < ARRAY_LEN(k); i++) {
		char ip[32];

		(void)snprintf(ip, sizeof(ip), "127.0.1.%u", 1 + (unsigned)i / 50);
		link_to(&k[i], ip, tcp_at);
	}
	link_to(&phone, "127.0.0.9", tcp_at);
	register_as(&phone, "alice", 300, 1);
	run_ms(200);
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		closed += k[i].closed;
	assert_int_equal(closed, 520 + 1 - 512);
	assert_true(k[0].closed);
	assert_false(phone.closed);
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		link_close(&k[i]);
	link_close(&phone);
	end();
}

TEST(tcp_header_without_end_is_cut_long_before_10_megabytes)
{
	char junk[4096];
	struct link k;
	size_t sent = 0;

	begin_tcp();
	memset(junk, 'a', sizeof(junk));
	link_to(&k, "127.0.0.3", tcp_at);
	link_send(&k, "OPTIONS sip:x SIP/2.0\r\nSubject: ");
	(void)fcntl(k.fd, F_SETFL, O_NONBLOCK);
	while (!k.closed && sent < (10 << 20)) {
		ssize_t n = send(k.fd, junk, sizeof(junk), MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		run_ms(1);
	}
	assert_true(k.closed);
	assert_true(sent < (1 << 20));
	link_close(&k);
	end();
}

TEST(tcp_big_message_of_a_stranger_is_cut_the_same_of_a_trunk_is_read)
{
	char *body = xcalloc(1, 20001);
	struct link k, t;

	begin_tcp();
	memset(body, 'b', 20000);
	link_to(&k, "127.0.0.9", tcp_at);
	link_send(&k, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: n\r\nCSeq: 1 "
		      "OPTIONS\r\nContent-Length: 20000\r\n\r\n", k.at);
	link_bytes(&k, body, 20000);
	assert_true(link_ends(&k, 1000));
	link_to(&t, "127.0.0.3", tcp_at);
	run_ms(30);
	link_send(&t, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK2\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: n\r\nCSeq: 1 "
		      "OPTIONS\r\nContent-Length: 20000\r\n\r\n", t.at);
	link_bytes(&t, body, 20000);
	assert_non_null(link_await(&t, "SIP/2.0 200", 1000));
	link_close(&k);
	link_close(&t);
	free(body);
	end();
}

/* A stranger gets 20 messages a second through; the rest waits in his own socket. */
TEST(tcp_stranger_who_sends_many_messages_at_once_waits)
{
	struct link k;
	unsigned got = 0;
	char id[16];

	begin_tcp_with((struct sip_conf){.t1_ms = 500});
	link_to(&k, "127.0.0.9", tcp_at);
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(id, sizeof(id), "p%u", i);
		options(&k, id);
	}
	run_ms(900);
	while (link_await(&k, "SIP/2.0 200", 1))
		got++;
	assert_true(got >= 20 && got <= 40); /* the second may turn in between */
	assert_false(k.closed);
	link_close(&k);
	end();
}

TEST(tcp_trunk_may_send_many_messages_at_once)
{
	struct link k;
	unsigned got = 0;
	char id[16];

	begin_tcp();
	link_to(&k, "127.0.0.3", tcp_at);
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(id, sizeof(id), "p%u", i);
		options(&k, id);
	}
	while (got < 100 && link_await(&k, "SIP/2.0 200", 1000))
		got++;
	assert_int_equal(got, 100);
	link_close(&k);
	end();
}

/* ---- orphans ---- */

TEST(tcp_orphaned_dialog_of_a_carrier_gets_its_bye_on_a_new_connection)
{
	char uri[96], contact[96], dialog[2048];
	struct link *k;
	const char *inv;

	begin_tcp();
	door_open("127.0.0.3");
	(void)snprintf(uri, sizeof(uri), "sip:1@%s;transport=tcp", door.at);
	(void)snprintf(contact, sizeof(contact), "sip:gw@%s;transport=tcp", door.at);
	assert_int_equal(dial_uri_tls(uri, NULL, false, NULL), 0);
	k = door_await(0, 1000);
	inv = link_await(k, "INVITE ", 1000);
	stream_respond(k, inv, 200, contact, SDP);
	assert_non_null(link_await(k, "ACK ", 1000));
	assert_int_equal(sip_leg_dialog(seen.leg, dialog, sizeof(dialog)), 0);
	end();
	begin_tcp(); /* the process after the crash */
	assert_int_equal(sip_orphan_bye(stack, dialog), 0);
	k = door_await(1, 1000);
	assert_non_null(k);
	assert_non_null(link_await(k, "BYE sip:gw@", 1000));
	door_close();
	end();
}

TEST(tcp_orphaned_dialog_of_a_phone_waits_until_it_registers_again)
{
	char dialog[2048];
	struct link k;
	const char *inv;

	begin_tcp();
	link_to(&k, "127.0.0.9", tcp_at);
	register_as(&k, "alice", 300, 1);
	assert_int_equal(dial_device("alice"), 0);
	inv = link_await(&k, "INVITE ", 1000);
	stream_respond(&k, inv, 200, "sip:me@127.0.0.9;transport=tcp", SDP);
	assert_non_null(link_await(&k, "ACK ", 1000));
	assert_int_equal(sip_leg_dialog(seen.leg, dialog, sizeof(dialog)), 0);
	link_close(&k);
	end();
	begin_tcp();
	assert_int_equal(sip_orphan_bye(stack, dialog), -ENOENT);
	link_to(&k, "127.0.0.9", tcp_at);
	register_as(&k, "alice", 300, 1);
	assert_int_equal(sip_orphan_bye(stack, dialog), 0);
	assert_non_null(link_await(&k, "BYE sip:me@", 1000));
	link_close(&k);
	end();
}

/* ---- TLS: a second stack is the carrier ---- */

static char dir[64];

struct pair {
	char cert[96], key[96], pin[65];
};

static X509 *certificate(EVP_PKEY *key, const char *ip, X509 *issuer, EVP_PKEY *issuer_key)
{
	static long serial = 1;
	X509 *x = X509_new();
	X509V3_CTX ctx;
	char san[64];

	(void)snprintf(san, sizeof(san), "IP:%s,DNS:carrier.test", ip);
	(void)X509_set_version(x, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -60);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	(void)X509_set_pubkey(x, key);
	(void)X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const uint8_t *)(issuer ? "server" : "CA"), -1, -1, 0);
	(void)X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	X509V3_set_ctx(&ctx, issuer ? issuer : x, x, NULL, NULL, 0);
	X509_EXTENSION *ext = issuer ? X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san)
				     : X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints, "critical,CA:TRUE");
	(void)X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(x, issuer_key, EVP_sha256()) > 0);
	return x;
}

static void write_cert(const char *path, X509 *x)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, x), 1);
	(void)fclose(f);
}

static void write_pair(struct pair *p, const char *name, const char *ip, X509 *ca, EVP_PKEY *ca_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = certificate(key, ip, ca, ca_key);
	uint8_t md[32];
	unsigned n = sizeof(md);
	FILE *f;

	(void)snprintf(p->cert, sizeof(p->cert), "%s/%s.pem", dir, name);
	(void)snprintf(p->key, sizeof(p->key), "%s/%s.key", dir, name);
	write_cert(p->cert, x);
	f = fopen(p->key, "w");
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(f);
	(void)X509_digest(x, EVP_sha256(), md, &n);
	str_hex_of(p->pin, md, n);
	X509_free(x);
	EVP_PKEY_free(key);
}

static struct {
	EVP_PKEY *key;
	X509 *cert;
	char path[96];
} ca;

static struct pair mine, renewed;
static struct sip_stack *carrier;
static struct sip_leg *carrier_leg;
static char carrier_transport[8];

static void ca_make(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/huawu-stream-test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	ca.key = EVP_EC_gen("P-256");
	ca.cert = certificate(ca.key, "", NULL, ca.key);
	(void)snprintf(ca.path, sizeof(ca.path), "%s/ca.pem", dir);
	write_cert(ca.path, ca.cert);
	write_pair(&mine, "mine", "127.0.0.1", ca.cert, ca.key);
	write_pair(&renewed, "renewed", "127.0.0.1", ca.cert, ca.key);
}

static void ca_done(void)
{
	const char *const files[] = {ca.path, mine.cert, mine.key, renewed.cert, renewed.key};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		(void)unlink(files[i]);
	(void)rmdir(dir);
	X509_free(ca.cert);
	EVP_PKEY_free(ca.key);
}

static void carrier_closed(const struct sip_close *c, void *arg)
{
	carrier_leg = obj_unref(carrier_leg);
}

static int carrier_invite(struct sip_leg *leg, const struct sip_invite *inv, void *arg)
{
	static const struct sip_leg_handlers h = {.closed = carrier_closed};

	(void)str_copy(carrier_transport, sizeof(carrier_transport), inv->transport);
	carrier_leg = sip_leg_claim(leg, &h, NULL);
	return sip_leg_answer(leg, SDP);
}

static int64_t carrier_trunk_of(const struct sip_addr *a, const char *user, bool *by_token, void *arg)
{
	return 1;
}

static void begin_tls(const char *listen)
{
	struct sip_conf conf = {.listen = listen, .realm = "carrier.test", .t1_ms = 500, .tls_cert = mine.cert, .tls_key = mine.key};
	struct sip_handlers h = {.trunk_of = carrier_trunk_of, .invite = carrier_invite};

	begin_tcp_with((struct sip_conf){.t1_ms = 500});
	carrier_transport[0] = '\0';
	assert_int_equal(sip_start(&carrier, &conf, &h), 0);
	address_of(tls_at, sizeof(tls_at), carrier, "tls:");
}

static void end_tls(void)
{
	sip_stop(carrier);
	carrier_leg = obj_unref(carrier_leg);
	end();
}

/* Calls the carrier; the reason of the failure, or "up". */
static const char *call_by_tls(const struct sip_tls *tls)
{
	char uri[96];
	int64_t end = clock_mono_ms() + 4000;

	(void)snprintf(uri, sizeof(uri), "sip:1@%s;transport=tls", tls_at);
	seen.closed = seen.established = 0;
	assert_int_equal(dial_uri_tls(uri, tls, false, NULL), 0);
	while (!seen.closed && !seen.established && clock_mono_ms() < end)
		run_ms(5);
	if (!seen.established)
		return seen.closed && seen.close.by == SIP_BY_LOST ? "refused" : "nothing";
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	assert_true(wait_closed(1, 1000));
	run_ms(20);
	return carrier_leg ? "left up" : "up";
}

TEST(tls_call_takes_the_carriers_certificate_only_when_it_is_the_expected_one)
{
	char wrong_pin[65];

	ca_make();
	begin_tls("tls:127.0.0.1:0");
	assert_string_equal(call_by_tls(&(struct sip_tls){.ca = ca.path}), "up");
	assert_string_equal(carrier_transport, "tls");
	assert_string_equal(call_by_tls(&(struct sip_tls){.ca = ca.path, .name = "carrier.test"}), "up");
	assert_string_equal(call_by_tls(&(struct sip_tls){.ca = ca.path, .name = "other.test"}), "refused");
	assert_string_equal(call_by_tls(&(struct sip_tls){.ca = mine.cert, .name = "127.0.0.2"}), "refused");
	assert_string_equal(call_by_tls(NULL), "refused"); /* not of the system's CAs */
	assert_string_equal(call_by_tls(&(struct sip_tls){.pin = mine.pin}), "up");
	(void)str_copy(wrong_pin, sizeof(wrong_pin), renewed.pin);
	assert_string_equal(call_by_tls(&(struct sip_tls){.pin = wrong_pin}), "refused");
	assert_string_equal(call_by_tls(&(struct sip_tls){.ca = "/nonexistent"}), "refused");
	end_tls();
	ca_done();
}

TEST(tls_pin_that_is_none_is_an_error_at_once)
{
	begin_tcp();
	assert_int_equal(dial_uri_tls("sip:1@127.0.0.1;transport=tls", &(struct sip_tls){.pin = "abcd"}, false, NULL), -EINVAL);
	assert_int_equal(dial_uri_tls("sip:1@127.0.0.1;transport=sctp", NULL, false, NULL), -EINVAL);
	assert_int_equal(dial_uri_tls("sips:1@127.0.0.1;transport=udp", NULL, false, NULL), -EINVAL);
	assert_int_equal(dial_uri_tls("sips:1@carrier.test", NULL, false, NULL), -EHOSTUNREACH);
	end();
}

TEST(tls_orphaned_dialog_is_ended_at_the_carrier_that_was_expected)
{
	char uri[96], dialog[2048];
	int64_t end_ms;

	ca_make();
	begin_tls("tls:127.0.0.1:0");
	(void)snprintf(uri, sizeof(uri), "sip:1@%s;transport=tls", tls_at);
	assert_int_equal(dial_uri_tls(uri, &(struct sip_tls){.pin = mine.pin}, false, NULL), 0);
	end_ms = clock_mono_ms() + 3000;
	while (!seen.established && clock_mono_ms() < end_ms)
		run_ms(5);
	run_ms(20);
	assert_int_equal(sip_leg_dialog(seen.leg, dialog, sizeof(dialog)), 0);
	/* Its process dies: the carrier is left with a call, and hears of it from another. */
	assert_non_null(carrier_leg);
	assert_int_equal(sip_orphan_bye(stack, dialog), 0);
	end_ms = clock_mono_ms() + 3000;
	while (carrier_leg && clock_mono_ms() < end_ms)
		run_ms(5);
	assert_null(carrier_leg);
	end_tls();
	ca_done();
}

TEST(tls_certificate_that_is_renewed_is_used_without_a_restart)
{
	int64_t end_ms;

	ca_make();
	begin_tls("tls:127.0.0.1:0");
	assert_string_equal(call_by_tls(&(struct sip_tls){.pin = mine.pin}), "up");
	assert_int_equal(rename(renewed.key, mine.key), 0);
	assert_int_equal(rename(renewed.cert, mine.cert), 0);
	end_ms = clock_mono_ms() + 6000; /* looked at every 2 s */
	for (;;) {
		/* Pins have connections of their own, so this makes a new one. */
		const char *got = call_by_tls(&(struct sip_tls){.pin = renewed.pin});

		if (!strcmp(got, "up"))
			break;
		assert_true(clock_mono_ms() < end_ms);
		run_ms(200);
	}
	end_tls();
	ca_done();
}

TEST(tls_listener_without_a_certificate_does_not_start)
{
	struct sip_conf conf = {.listen = "tls:127.0.0.1:0", .realm = "x"};
	struct sip_handlers h = {0};
	struct sip_stack *s;

	begin_tcp();
	log_set_level(LOG_L_ERROR);
	assert_int_equal(sip_start(&s, &conf, &h), -ENOENT);
	conf.tls_cert = conf.tls_key = "/dev/null";
	assert_int_equal(sip_start(&s, &conf, &h), -EACCES);
	end();
}

TEST(tls_peer_that_speaks_no_tls_is_cut)
{
	struct link k;

	ca_make();
	begin_tls("tls:127.0.0.1:0");
	link_to(&k, "127.0.0.9", tls_at);
	link_send(&k, "OPTIONS sip:x SIP/2.0\r\n\r\n");
	assert_true(link_ends(&k, 1000));
	link_close(&k);
	end_tls();
	ca_done();
}

/* ---- IPv6, addresses, the list ---- */

static bool has_ipv6(void)
{
	struct sockaddr_in6 lo = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && !bind(fd, (struct sockaddr *)&lo, sizeof(lo));

	if (fd >= 0)
		(void)close(fd);
	return has;
}

TEST(ipv6_calls_go_by_udp_and_tcp_with_brackets_where_they_belong)
{
	struct peer p;
	struct link k;
	const char *inv, *ok;
	char uri[96];

	if (!has_ipv6())
		skip();
	begin_tcp_with((struct sip_conf){.listen = "udp:127.0.0.1:0, udp:[::1]:0, tcp:[::1]:0"});
	peer_open(&p, "::1");
	(void)snprintf(uri, sizeof(uri), "sip:callee@%s", p.at);
	assert_int_equal(dial_uri_tls(uri, NULL, false, NULL), 0);
	inv = await(&p, "INVITE sip:callee@[::1]:", 1000);
	assert_non_null(inv);
	assert_non_null(strstr(header(inv, "Via"), "SIP/2.0/UDP [::1]:"));
	assert_non_null(strstr(header(inv, "Contact"), "<sip:[::1]:"));
	address_of(local, sizeof(local), stack, ", udp:");
	respond(&p, inv, 200, "zz", "", SDP);
	assert_non_null(await(&p, "ACK sip:callee@[::1]:", 1000));
	assert_int_equal(seen.established, 1);
	sip_leg_hangup(seen.leg, 0, 16, NULL);
	assert_non_null(await(&p, "BYE sip:callee@[::1]:", 1000));
	link_to(&k, "::1", tcp_at);
	options(&k, "six");
	ok = link_await(&k, "SIP/2.0 200", 1000);
	assert_non_null(ok);
	assert_non_null(strstr(header(ok, "Via"), ";received=::1"));
	register_as(&k, "bob", 300, 1);
	assert_string_equal(seen.binding.source.host, "::1");
	assert_int_equal(dial_device("bob"), 0);
	inv = link_await(&k, "INVITE ", 1000);
	assert_non_null(inv);
	assert_non_null(strstr(header(inv, "Via"), "SIP/2.0/TCP [::1]:"));
	link_close(&k);
	peer_close(&p);
	end();
}

TEST(external_addresses_are_shown_by_the_peers_network)
{
	struct link k;
	const char *inv;

	begin_tcp_with((struct sip_conf){.external = "203.0.113.10, 127.0.0.9=198.51.100.7"});
	assert_int_equal(dial(0), 0); /* 127.0.0.3 */
	inv = await(&trunk, "INVITE ", 1000);
	assert_non_null(strstr(header(inv, "Via"), "SIP/2.0/UDP 203.0.113.10:"));
	assert_non_null(strstr(header(inv, "Contact"), "sip:203.0.113.10:"));
	respond(&trunk, inv, 486, "zz", "", "");
	assert_true(wait_closed(1, 1000));
	link_to(&k, "127.0.0.9", tcp_at);
	register_as(&k, "alice", 300, 1);
	assert_int_equal(dial_device("alice"), 0);
	inv = link_await(&k, "INVITE ", 1000);
	assert_non_null(strstr(header(inv, "Via"), "SIP/2.0/TCP 198.51.100.7:"));
	assert_non_null(strstr(header(inv, "Contact"), "sip:198.51.100.7:"));
	link_close(&k);
	end();
}

TEST(udp_goes_out_by_the_socket_it_came_in_by)
{
	struct peer p;
	char second[64];

	begin_with((struct sip_conf){.listen = "127.0.0.1:0, 127.0.0.2:0"});
	address_of(second, sizeof(second), stack, ", udp:");
	(void)str_copy(local, sizeof(local), second);
	peer_open(&p, "127.0.0.3");
	request(&p, "OPTIONS", "x", "o1", "o1", "", 1, "", "");
	{
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		char buf[2048], ip[64];
		struct sa sa;

		loop_unlisten(p.fd);
		run_ms(30);
		assert_true(recvfrom(p.fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len) > 0);
		(void)sa_set_sa(&sa, (struct sockaddr *)&from);
		(void)re_snprintf(ip, sizeof(ip), "%J", &sa);
		assert_string_equal(ip, second);
	}
	(void)close(p.fd);
	end();
}

TEST(listen_list_is_read_strictly)
{
	static const char *const good[] = {"127.0.0.1:5060", "udp:0.0.0.0:5060,tcp:[::]:5060 , TLS:192.0.2.1:5061", "[::1]:0"};
	static const char *const wrong[] = {"", "127.0.0.1", "sctp:127.0.0.1:1", "udp:", "udp:127.0.0.1:5060,,tcp:127.0.0.1:1", "pbx.example:5060", "127.0.0.1:",
					    "[::1]"};
	char many[1024] = "", bad[64];
	bool tls;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(sip_listen_check(good[i], NULL, 0, &tls), 0);
	assert_int_equal(sip_listen_check(good[1], NULL, 0, &tls), 0);
	assert_true(tls);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(sip_listen_check(wrong[i], NULL, 0, &tls), -EINVAL);
	assert_int_equal(sip_listen_check("127.0.0.1:1,nonsense", bad, sizeof(bad), NULL), -EINVAL);
	assert_string_equal(bad, "nonsense");
	for (int i = 0; i < LISTENERS_MAX + 1; i++)
		(void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "127.0.0.1:%d,", 1000 + i);
	assert_int_equal(sip_listen_check(many, NULL, 0, NULL), -EINVAL);
}
