/* A browser's leg against a client made of libre's own STUN, DTLS and SRTP. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <re.h>

#include "base/base.h"
#include "base/test.h"
#include "loop/loop.h"
#include "media/media_int.h"
#include "media/phone_test.h"

static struct media *m;
static struct med_event events[64];
static unsigned n_events;

static void on_event(const struct med_event *ev, void *arg)
{
	if (n_events < ARRAY_LEN(events))
		events[n_events++] = *ev;
}

static unsigned count_of(enum med_event_type type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_events; i++)
		n += events[i].type == type;
	return n;
}

static void up(void)
{
	struct media_conf c = {.bind = "127.0.0.1", .port_min = (uint16_t)(6000 + getpid() % 20 * 40)};

	c.port_max = (uint16_t)(c.port_min + 39);
	n_events = 0;
	assert_int_equal(loop_process_init(), 0);
	assert_int_equal(media_start(&m, &c, on_event, NULL), 0);
}

static void down(void)
{
	media_stop(m);
	loop_process_done();
}

static void stop_loop(void *arg)
{
	loop_stop();
}

static void run_ms(int ms)
{
	struct ltimer t = {0};

	ltimer_set(&t, ms, stop_loop, NULL);
	assert_int_equal(loop_run(), 0);
}

/* ---- the client ---- */

struct client {
	struct udp_sock *us;
	struct stun *stun;
	struct tls *tls;
	struct dtls_sock *dtls;
	struct tls_conn *conn;
	struct srtp *tx, *rx;
	struct sa laddr, leg;
	char fp[96], ufrag[32], pwd[64]; /* fp, then the leg's */
	char lfp[128];
	bool server, established;
	int stun_ok, stun_err;
	uint16_t seq;
	uint32_t ts;
	double phase;
	int16_t pcm[PHONE_HEARD];
	unsigned n, packets, bad;
};

static void keypair(struct tls *tls)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *kb = BIO_new(BIO_s_mem()), *cb = BIO_new(BIO_s_mem());
	char *kp, *cp;
	long kn, cn;

	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	(void)X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	(void)PEM_write_bio_PrivateKey(kb, key, NULL, NULL, 0, NULL, NULL);
	(void)PEM_write_bio_X509(cb, x);
	kn = BIO_get_mem_data(kb, &kp);
	cn = BIO_get_mem_data(cb, &cp);
	assert_int_equal(tls_set_certificate_pem(tls, cp, (size_t)cn, kp, (size_t)kn), 0);
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(kb);
	BIO_free(cb);
}

static void client_rtp(struct client *c, struct mbuf *mb)
{
	struct rtp_pkt k;

	if (mrtp_is_rtcp(mbuf_buf(mb), mbuf_get_left(mb)))
		return;
	if (!c->rx || srtp_decrypt(c->rx, mb) || !mrtp_parse(&k, mbuf_buf(mb), mbuf_get_left(mb))) {
		c->bad++;
		return;
	}
	c->packets++;
	for (size_t i = 0; i < k.len && c->n < PHONE_HEARD; i++)
		c->pcm[c->n++] = alaw_to_pcm(k.payload[i]);
}

static void client_recv(const struct sa *src, struct mbuf *mb, void *arg)
{
	struct client *c = arg;

	if (mbuf_get_left(mb) && mbuf_buf(mb)[0] < 4)
		(void)stun_recv(c->stun, mb);
	else
		client_rtp(c, mb);
}

static void client_estab(void *arg)
{
	struct client *c = arg;
	uint8_t cli[30], srv[30];
	enum srtp_suite suite;

	assert_int_equal(tls_srtp_keyinfo(c->conn, &suite, cli, sizeof(cli), srv, sizeof(srv)), 0);
	assert_int_equal(suite, SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(srtp_alloc(&c->tx, suite, c->server ? srv : cli, 30, 0), 0);
	assert_int_equal(srtp_alloc(&c->rx, suite, c->server ? cli : srv, 30, 0), 0);
	c->established = true;
}

static void client_closed(int err, void *arg)
{
}

static void client_conn(const struct sa *peer, void *arg)
{
	struct client *c = arg;

	if (c->server)
		assert_int_equal(dtls_accept(&c->conn, c->tls, c->dtls, client_estab, NULL, client_closed, c), 0);
}

static void client_open(struct client *c)
{
	uint8_t md[32];

	memset(c, 0, sizeof(*c));
	assert_int_equal(sa_set_str(&c->laddr, "127.0.0.1", 0), 0);
	assert_int_equal(udp_listen(&c->us, &c->laddr, client_recv, c), 0);
	assert_int_equal(udp_local_get(c->us, &c->laddr), 0);
	assert_int_equal(stun_alloc(&c->stun, NULL, NULL, NULL), 0);
	assert_int_equal(tls_alloc(&c->tls, TLS_METHOD_DTLS, NULL, NULL), 0);
	keypair(c->tls);
	tls_set_verify_client(c->tls);
	assert_int_equal(tls_set_srtp(c->tls, "SRTP_AES128_CM_SHA1_80"), 0);
	assert_int_equal(tls_fingerprint(c->tls, TLS_FINGERPRINT_SHA256, md, sizeof(md)), 0);
	for (int i = 0; i < 32; i++)
		(void)snprintf(c->fp + 3 * i, 4, "%02x%s", md[i], i < 31 ? ":" : "");
	assert_int_equal(dtls_listen(&c->dtls, NULL, c->us, 2, 0, client_conn, c), 0);
	c->seq = 65530;
}

static void client_close(struct client *c)
{
	mem_deref(c->conn);
	mem_deref(c->dtls);
	mem_deref(c->tls);
	mem_deref(c->stun);
	mem_deref(c->us);
	mem_deref(c->tx);
	mem_deref(c->rx);
}

/* As Chromium writes it, cut to what counts. */
static int client_sdp(const struct client *c, char *sdp, size_t size, const char *setup)
{
	return snprintf(sdp, size,
			"v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
			"a=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS 7c2c\r\n"
			"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\n"
			"a=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:R3Md\r\na=ice-pwd:Xg2VlJbQk0mO9Z8yU3aHqTnW\r\n"
			"a=ice-options:trickle\r\na=fingerprint:sha-256 %s\r\na=setup:%s\r\na=mid:0\r\n"
			"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\na=rtcp-mux\r\n"
			"a=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
			"a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n", c->fp, setup);
}

static void grab(char *dst, size_t size, const char *sdp, const char *name)
{
	const char *p = strstr(sdp, name);
	size_t n;

	assert_non_null(p);
	p += strlen(name);
	n = strcspn(p, "\r\n");
	assert_true(n < size);
	memcpy(dst, p, n);
	dst[n] = '\0';
}

static void client_read(struct client *c, const char *sdp)
{
	const char *m_line = strstr(sdp, "m=audio ");
	unsigned port;

	assert_non_null(m_line);
	assert_int_equal(sscanf(m_line, "m=audio %u", &port), 1);
	assert_int_equal(sa_set_str(&c->leg, "127.0.0.1", (uint16_t)port), 0);
	grab(c->ufrag, sizeof(c->ufrag), sdp, "a=ice-ufrag:");
	grab(c->pwd, sizeof(c->pwd), sdp, "a=ice-pwd:");
	grab(c->lfp, sizeof(c->lfp), sdp, "a=fingerprint:sha-256 ");
}

static void stun_answer(int err, uint16_t scode, const char *reason, const struct stun_msg *msg, void *arg)
{
	struct client *c = arg;
	struct stun_attr *a = msg ? stun_msg_attr(msg, STUN_ATTR_XOR_MAPPED_ADDR) : NULL;

	if (!err && !scode && a && sa_cmp(&a->v.sa, &c->laddr, SA_ALL) &&
	    !stun_msg_chk_mi(msg, (uint8_t *)c->pwd, strlen(c->pwd)) && !stun_msg_chk_fingerprint(msg))
		c->stun_ok++;
	else
		c->stun_err++;
}

static void client_check(struct client *c, const char *pwd)
{
	char user[64];
	uint32_t prio = 1853817087;
	uint64_t controlling = 1;

	(void)snprintf(user, sizeof(user), "%s:R3Md", c->ufrag);
	assert_int_equal(stun_request(NULL, c->stun, IPPROTO_UDP, c->us, &c->leg, 0, STUN_METHOD_BINDING, (const uint8_t *)pwd,
				      strlen(pwd), true, stun_answer, c, 4, STUN_ATTR_USERNAME, user, STUN_ATTR_PRIORITY, &prio,
				      STUN_ATTR_CONTROLLING, &controlling, STUN_ATTR_USE_CAND, &controlling), 0);
}

static void client_ice(struct client *c)
{
	client_check(c, c->pwd);
	for (int i = 0; i < 200 && !c->stun_ok; i++)
		run_ms(5);
	assert_int_equal(c->stun_ok, 1);
}

static void client_dtls(struct client *c)
{
	assert_int_equal(dtls_connect(&c->conn, c->tls, c->dtls, &c->leg, client_estab, NULL, client_closed, c), 0);
}

static void wait_for(bool (*done)(struct client *), struct client *c)
{
	for (int i = 0; i < 600 && !done(c); i++)
		run_ms(5);
	assert_true(done(c));
}

static bool is_secure(struct client *c)
{
	return c->established && count_of(MED_EV_SECURE);
}

static bool has_failed(struct client *c)
{
	return count_of(MED_EV_SECURE_FAILED);
}

static bool is_established(struct client *c)
{
	return c->established;
}

/* 20 ms of 600 Hz, protected. */
static void client_send(struct client *c)
{
	uint8_t buf[RTP_HDR + 160 + 64];
	struct mbuf mb = {.buf = buf, .size = sizeof(buf), .end = RTP_HDR + 160};

	mrtp_header(buf, 8, false, c->seq++, c->ts, 0x99);
	c->ts += 160;
	for (int i = 0; i < 160; i++) {
		buf[RTP_HDR + i] = alaw_of((int16_t)(8000 * sin(c->phase)));
		c->phase += 2 * M_PI * 600 / 8000;
	}
	assert_int_equal(srtp_encrypt(c->tx, &mb), 0);
	mb.pos = 0;
	assert_int_equal(udp_send(c->us, &c->leg, &mb), 0);
}

static struct client c;
static struct phone p;

static med_leg plain_leg(struct phone *ph)
{
	char offer[1024], answer[MED_SDP_MAX];
	med_leg l;
	int n;

	phone_open(ph, 440, 0x1234);
	n = phone_sdp(ph, offer, sizeof(offer), "8", "sendrecv");
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 1), 0);
	assert_int_equal(med_leg_answer(m, l, offer, (size_t)n, answer, sizeof(answer)), 0);
	phone_aim(ph, answer);
	return l;
}

static void both_talk(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		client_send(&c);
		phone_send(&p);
		if (i % 4 == 0)
			run_ms(1);
	}
	run_ms(50);
	phone_hear(&p);
}

static med_leg browser_calls(char *answer)
{
	char offer[MED_SDP_MAX];
	med_leg l;
	int n = client_sdp(&c, offer, sizeof(offer), "actpass");

	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 2), 0); /* follows the offer */
	assert_int_equal(med_leg_answer(m, l, offer, (size_t)n, answer, MED_SDP_MAX), 0);
	client_read(&c, answer);
	return l;
}

TEST(a_browser_calls_and_both_hear_each_other)
{
	char answer[MED_SDP_MAX];
	med_leg lb, lp;

	up();
	client_open(&c);
	lb = browser_calls(answer);
	assert_non_null(strstr(answer, "UDP/TLS/RTP/SAVPF 8 126\r\n"));
	assert_non_null(strstr(answer, "a=ice-lite\r\n"));
	assert_non_null(strstr(answer, "a=setup:passive\r\n"));
	assert_non_null(strstr(answer, "a=rtcp-mux\r\n"));
	assert_non_null(strstr(answer, "a=group:BUNDLE 0\r\n"));
	assert_string_equal(c.lfp, media_fingerprint(m));
	lp = plain_leg(&p);
	assert_int_equal(med_bridge(m, lb, lp), 0);
	client_ice(&c);
	client_dtls(&c);
	wait_for(is_secure, &c);
	both_talk(60);
	assert_true(p.packets >= 58 && c.packets >= 58);
	assert_false(p.disorder);
	assert_int_equal(c.bad, 0);
	assert_true(tone_power(p.pcm, p.n, 600) > 0.95);
	assert_true(tone_power(c.pcm, c.n, 440) > 0.95);
	/* the same source address but no key: nothing passes */
	unsigned n = p.packets;
	struct mbuf *mb = mbuf_alloc(200);

	mb->end = 182;
	mrtp_header(mb->buf, 8, false, c.seq, c.ts, 0x99);
	(void)udp_send(c.us, &c.leg, mb);
	mem_deref(mb);
	run_ms(30);
	phone_hear(&p);
	assert_int_equal(p.packets, n);
	med_leg_close(m, lb);
	run_ms(50);
	assert_int_equal(count_of(MED_EV_STATS), 1);
	for (unsigned i = 0; i < n_events; i++)
		if (events[i].type == MED_EV_STATS)
			assert_true(events[i].stats.rx_dropped >= 1 && events[i].stats.rx_packets == 60);
	client_close(&c);
	phone_close(&p);
	down();
}

TEST(dtls_is_not_answered_before_a_check_with_the_right_password)
{
	char answer[MED_SDP_MAX];

	up();
	client_open(&c);
	(void)browser_calls(answer);
	client_check(&c, "a wrong password of some length");
	client_dtls(&c);
	run_ms(300);
	assert_int_equal(c.stun_ok, 0);
	assert_false(c.established);
	client_ice(&c);
	wait_for(is_secure, &c); /* the client's next flight is taken */
	client_close(&c);
	down();
}

TEST(another_certificate_than_signalled_gets_no_media)
{
	char answer[MED_SDP_MAX];
	med_leg lb, lp;

	up();
	client_open(&c);
	c.fp[0] = c.fp[0] == '0' ? '1' : '0';
	lb = browser_calls(answer);
	lp = plain_leg(&p);
	assert_int_equal(med_bridge(m, lb, lp), 0);
	client_ice(&c);
	client_dtls(&c);
	wait_for(has_failed, &c);
	if (c.established)
		both_talk(5);
	assert_int_equal(p.packets, 0);
	assert_int_equal(count_of(MED_EV_SECURE), 0);
	client_close(&c);
	phone_close(&p);
	down();
}

/* We call the browser; ICE and DTLS are through before its answer comes. */
static void we_call(bool right)
{
	char offer[MED_SDP_MAX], answer[MED_SDP_MAX];
	med_leg l, lp;
	int n;

	up();
	client_open(&c);
	assert_int_equal(med_leg_open(m, &l, MED_WEBRTC, 3), 0);
	assert_int_equal(med_leg_offer(m, l, offer, sizeof(offer)), 0);
	assert_non_null(strstr(offer, "a=setup:actpass\r\n"));
	client_read(&c, offer);
	lp = plain_leg(&p);
	assert_int_equal(med_bridge(m, l, lp), 0);
	client_ice(&c);
	client_dtls(&c);
	wait_for(is_established, &c);
	both_talk(5);
	assert_int_equal(p.packets, 0); /* held: nobody has said whose certificate this ought to be */
	assert_int_equal(count_of(MED_EV_SECURE), 0);
	if (!right)
		c.fp[0] = c.fp[0] == '0' ? '1' : '0';
	n = client_sdp(&c, answer, sizeof(answer), "active");
	assert_int_equal(med_leg_answered(m, l, answer, (size_t)n), 0);
	wait_for(right ? is_secure : has_failed, &c);
	both_talk(20);
	assert_int_equal(p.packets > 15, right);
	assert_int_equal(c.packets > 15, right);
	client_close(&c);
	phone_close(&p);
	down();
}

TEST(early_dtls_waits_for_the_answer)
{
	we_call(true);
}

TEST(early_dtls_with_another_fingerprint_in_the_answer_fails)
{
	we_call(false);
}

TEST(a_browser_that_answers_passive_is_called_by_dtls)
{
	char offer[MED_SDP_MAX], answer[MED_SDP_MAX];
	med_leg l, lp;
	int n;

	up();
	client_open(&c);
	c.server = true;
	assert_int_equal(med_leg_open(m, &l, MED_WEBRTC, 3), 0);
	assert_int_equal(med_leg_offer(m, l, offer, sizeof(offer)), 0);
	client_read(&c, offer);
	lp = plain_leg(&p);
	assert_int_equal(med_bridge(m, l, lp), 0);
	n = client_sdp(&c, answer, sizeof(answer), "passive");
	assert_int_equal(med_leg_answered(m, l, answer, (size_t)n), 0);
	client_ice(&c);
	wait_for(is_secure, &c);
	both_talk(20);
	assert_true(p.packets > 15 && c.packets > 15);
	client_close(&c);
	phone_close(&p);
	down();
}

TEST(a_browser_hears_prompts_only_from_the_moment_it_can)
{
	static const char *const beep[] = {"beep"};
	char answer[MED_SDP_MAX];
	med_leg l;

	up();
	client_open(&c);
	l = browser_calls(answer);
	assert_int_equal(med_play(m, l, beep, 1, false), 0);
	run_ms(300);
	assert_int_equal(count_of(MED_EV_PLAYED), 0);
	client_ice(&c);
	client_dtls(&c);
	wait_for(is_secure, &c);
	for (int i = 0; i < 100 && !count_of(MED_EV_PLAYED); i++)
		run_ms(5);
	run_ms(20);
	assert_true(c.packets >= 9);
	assert_true(tone_power(c.pcm, c.n, 1000) > 0.9);
	client_close(&c);
	down();
}
