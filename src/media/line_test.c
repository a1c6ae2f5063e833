/* Legs of other codecs, families and with keys: two lines and the media between them; what goes in at one comes out at the other. */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"
#include "loop/loop.h"
#include "media/media_int.h"
#include "media/phone_test.h"
#include "media/sdp.h"

static struct media *m;
static struct med_event events[256];
static unsigned n_events;

static void on_event(const struct med_event *ev, void *arg)
{
	if (n_events < ARRAY_LEN(events))
		events[n_events++] = *ev;
}

static const struct med_event *event_of(enum med_event_type type)
{
	for (unsigned i = 0; i < n_events; i++)
		if (events[i].type == type)
			return &events[i];
	return NULL;
}

static void down(void)
{
	if (!m)
		return;
	media_stop(m);
	m = NULL;
	loop_process_done();
}

static void up(const char *bind)
{
	uint16_t port = (uint16_t)(30000 + getpid() * 41 % 2000 / 40 * 40);
	struct media_conf c = {.bind = bind, .port_min = port, .port_max = (uint16_t)(port + 39), .due_ms = 200};

	down();
	n_events = 0;
	g711_tables();
	assert_int_equal(loop_process_init(), 0);
	assert_int_equal(media_start(&m, &c, on_event, NULL), 0);
}

static void stop(void *arg)
{
	loop_stop();
}

static void run_ms(int ms)
{
	struct ltimer t = {0};

	ltimer_set(&t, ms, stop, NULL);
	assert_int_equal(loop_run(), 0);
}

static const struct med_event *wait_event(enum med_event_type type)
{
	for (int i = 0; i < 1500 && !event_of(type); i++)
		run_ms(5);
	assert_non_null(event_of(type));
	return event_of(type);
}

/* ---- a line ---- */

#define HEARD 64000

struct line {
	int fd, family;
	med_leg leg;
	uint8_t codec, pt;
	struct mencoder *enc;
	struct mdecoder *dec;
	struct mcrypt *crypt;
	struct sdes_conf keys;
	char answer[MED_SDP_MAX];
	struct maddr_native to;
	uint16_t port, seq;
	uint32_t ts, ssrc;
	double hz, phase;
	int16_t pcm[HEARD]; /* at the codec's rate */
	unsigned n, packets, lost_ts, dtmf;
	uint32_t last_ts;
};

static struct line a, b;

static void line_open(struct line *l, int family, unsigned codec, double hz)
{
	struct maddr_native na;
	maddr at;

	memset(l, 0, sizeof(*l));
	assert_true(maddr_parse(&at, family == AF_INET ? "127.0.0.1" : "::1", 0));
	maddr_to(&na, &at, family);
	l->family = family;
	l->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(l->fd, &na.sa, na.len), 0);
	assert_int_equal(getsockname(l->fd, &na.sa, &na.len), 0);
	l->port = ntohs(na.in4.sin_port);
	l->codec = (uint8_t)codec;
	l->pt = codec_info[codec].pt;
	l->enc = mencoder_new(codec);
	l->dec = mdecoder_new(codec);
	l->ssrc = (uint32_t)codec + 77;
	l->seq = 65530;
	l->hz = hz;
}

static void line_close(struct line *l)
{
	mencoder_free(l->enc);
	mdecoder_free(l->dec);
	(void)mcrypt_free(l->crypt);
	(void)close(l->fd);
}

static int line_sdp(const struct line *l, char *sdp, size_t size, const char *proto, const char *more)
{
	const char *ip = l->family == AF_INET ? "IP4 127.0.0.1" : "IP6 ::1";

	return snprintf(sdp, size, "v=0\r\no=- 1 1 IN %s\r\ns=-\r\nc=IN %s\r\nt=0 0\r\nm=audio %u %s %u 101\r\n"
			"a=rtpmap:%u %s/%u000%s\r\na=rtpmap:101 telephone-event/%u000\r\n%s", ip, ip, l->port, proto, l->pt, l->pt,
			codec_info[l->codec].name, codec_info[l->codec].khz, l->codec == MED_OPUS ? "/2" : "",
			codec_info[l->codec].khz, more);
}

static void line_aim(struct line *l, const char *sdp)
{
	unsigned port;
	maddr to;

	assert_int_equal(sscanf(strstr(sdp, "m=audio "), "m=audio %u", &port), 1);
	assert_true(maddr_parse(&to, l->family == AF_INET ? "127.0.0.1" : "::1", (uint16_t)port));
	maddr_to(&l->to, &to, l->family);
}

static const struct med_leg_conf any = {.codec = {MED_PCMA, MED_PCMU, MED_G722, MED_OPUS, MED_G729}, .codecs = 5};

/* It calls; we answer. */
static void line_call(struct line *l, const char *proto, const char *more)
{
	char offer[2048];
	int n = line_sdp(l, offer, sizeof(offer), proto, more);

	assert_int_equal(med_leg_open(m, &l->leg, MED_PLAIN, 7), 0);
	med_leg_configure(m, l->leg, &any);
	assert_int_equal(med_leg_answer(m, l->leg, offer, (size_t)n, l->answer, sizeof(l->answer)), 0);
	line_aim(l, l->answer);
}

static void line_send_raw(struct line *l, uint8_t pt, const uint8_t *p, size_t n)
{
	uint8_t buf[RTP_HDR + 800 + PACKET_ROOM];
	struct mleg fake = {.crypt = l->crypt};

	mrtp_header(buf, pt, false, l->seq++, l->ts, l->ssrc);
	memcpy(buf + RTP_HDR, p, n);
	n += RTP_HDR;
	if (l->crypt)
		n = mcrypt_protect(&fake, buf, n, false);
	assert_int_equal(sendto(l->fd, buf, n, 0, &l->to.sa, l->to.len), n);
}

static void line_send(struct line *l, bool really)
{
	unsigned rate = codec_info[l->codec].rate_khz, n = rate * 20;
	uint8_t out[CODEC_OUT_MAX];
	int16_t pcm[320];
	size_t len;

	for (unsigned i = 0; i < n; i++, l->phase += 2 * M_PI * l->hz / (rate * 1000))
		pcm[i] = (int16_t)(8000 * sin(l->phase));
	len = mencode(l->enc, pcm, out);
	assert_true(len > 0);
	if (really)
		line_send_raw(l, l->pt, out, len);
	else
		l->seq++;
	l->ts += 20u * codec_info[l->codec].khz;
}

static void line_hear(struct line *l)
{
	uint8_t buf[2048];
	struct rtp_pkt k;
	ssize_t n;

	while ((n = recv(l->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		struct mleg fake = {.crypt = l->crypt};

		if (mrtp_is_rtcp(buf, (size_t)n))
			continue;
		if (l->crypt && !(n = (ssize_t)mcrypt_unprotect(&fake, buf, (size_t)n, false)))
			continue;
		if (!mrtp_parse(&k, buf, (size_t)n) || !k.len)
			continue;
		if (k.pt == 101) {
			l->dtmf++;
			continue;
		}
		assert_int_equal(k.pt, l->pt);
		if (l->packets++ && k.ts - l->last_ts != 20u * codec_info[l->codec].khz)
			l->lost_ts++;
		l->last_ts = k.ts;
		if (l->n + CODEC_PCM_MAX <= HEARD)
			l->n += mdecode(l->dec, k.payload, k.len, l->pcm + l->n);
	}
}

/* @n frames each way at the pace of speech, a little hurried. */
static void talk(unsigned n, unsigned loss_of)
{
	for (unsigned i = 0; i < n; i++) {
		line_send(&a, !loss_of || i % loss_of != loss_of - 1);
		line_send(&b, true);
		run_ms(1);
		line_hear(&a);
		line_hear(&b);
	}
	for (int i = 0; i < 6; i++) {
		run_ms(20);
		line_hear(&a);
		line_hear(&b);
	}
}

/* Share of the energy at @hz in the second half of what @l heard. */
static double heard(const struct line *l, double hz)
{
	unsigned half = l->n / 2;

	return tone_power(l->pcm + half, l->n - half, hz * 8 / codec_info[l->codec].rate_khz);
}

/* The same where packets are lost and the phase jumps: the mean over windows of 20 ms. */
static double heard_in_parts(const struct line *l, double hz)
{
	unsigned w = 20u * codec_info[l->codec].rate_khz, k = 0;
	double sum = 0;

	for (unsigned at = l->n / 4; at + w <= l->n; at += w, k++)
		sum += tone_power(l->pcm + at, w, hz * 8 / codec_info[l->codec].rate_khz);
	return k ? sum / k : 0;
}

static void bridge_lines(void)
{
	assert_int_equal(med_bridge(m, a.leg, b.leg), 0);
	run_ms(20);
}

static void close_lines(void)
{
	down();
	line_close(&a);
	line_close(&b);
}

/* ---- families ---- */

TEST(an_ipv6_phone_and_an_ipv4_phone_hear_each_other)
{
	up("::");
	line_open(&a, AF_INET6, MED_PCMA, 440);
	line_open(&b, AF_INET, MED_PCMA, 1000);
	line_call(&a, "RTP/AVP", "");
	line_call(&b, "RTP/AVP", "");
	assert_non_null(strstr(a.answer, "c=IN IP6 ::1\r\n"));
	assert_non_null(strstr(b.answer, "c=IN IP4 127.0.0.1\r\n"));
	bridge_lines();
	talk(50, 0);
	assert_in_range(a.packets, 47, 50);
	assert_in_range(b.packets, 47, 50);
	assert_true(heard(&b, 440) > 0.9 && heard(&a, 1000) > 0.9);
	close_lines();
}

TEST(a_family_we_do_not_listen_on_is_refused)
{
	char sdp[MED_SDP_MAX];
	const char *six = "v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
	med_leg l;

	up("127.0.0.1");
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 7), 0);
	assert_int_equal(med_leg_answer(m, l, six, strlen(six), sdp, sizeof(sdp)), MED_E_PROFILE);
	down();
}

TEST(a_browser_is_offered_candidates_of_both_families)
{
	char sdp[MED_SDP_MAX];
	med_leg l;

	up("::");
	assert_int_equal(med_leg_open(m, &l, MED_WEBRTC, 7), 0);
	assert_int_equal(med_leg_offer(m, l, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, " 127.0.0.1 "));
	assert_non_null(strstr(sdp, " ::1 "));
	down();
}

/* ---- codecs ---- */

struct pair {
	uint8_t a, b;
};

static void speak_and_be_understood(unsigned x, unsigned y)
{
	up("127.0.0.1");
	line_open(&a, AF_INET, x, 440);
	line_open(&b, AF_INET, y, 1000);
	line_call(&a, "RTP/AVP", "");
	line_call(&b, "RTP/AVP", "");
	bridge_lines();
	talk(30, 0);
	assert_in_range(a.packets, 28, 31);
	assert_in_range(b.packets, 28, 31);
	assert_true(heard(&b, 440) > 0.85);
	assert_true(heard(&b, 1000) < 0.02);
	assert_true(heard(&a, 1000) > 0.85);
	assert_true(a.lost_ts <= 1 && b.lost_ts <= 1); /* one stream of even steps */
	close_lines();
}

TEST(every_codec_is_understood_by_every_other)
{
	for (unsigned x = 0; x < CODEC_N; x++)
		for (unsigned y = x; y < CODEC_N; y++)
			if (codec_here(x) && codec_here(y))
				speak_and_be_understood(x, y);
}

/* 5 kHz is there in G.722 and Opus, and must be gone (not folded down to 3 kHz) at 8 kHz. */
TEST(what_does_not_fit_into_8_khz_is_left_out)
{
	up("127.0.0.1");
	line_open(&a, AF_INET, MED_G722, 5000);
	line_open(&b, AF_INET, MED_PCMA, 1000);
	line_call(&a, "RTP/AVP", "");
	line_call(&b, "RTP/AVP", "");
	bridge_lines();
	talk(50, 0);
	double energy = 0;

	for (unsigned i = b.n / 2; i < b.n; i++)
		energy += (double)b.pcm[i] * b.pcm[i];
	/* amplitude 8000 came in; 40 dB below that is an rms of 57 */
	assert_true(b.n > 4000 && sqrt(energy / (b.n - b.n / 2)) < 57);
	close_lines();
}

TEST(lost_opus_packets_are_made_up)
{
	up("127.0.0.1");
	line_open(&a, AF_INET, MED_OPUS, 440);
	line_open(&b, AF_INET, MED_PCMA, 1000);
	line_call(&a, "RTP/AVP", "");
	line_call(&b, "RTP/AVP", "");
	bridge_lines();
	talk(100, 10);
	assert_in_range(b.packets, 96, 101); /* all of them, though 10 never came */
	assert_int_equal(b.lost_ts, 0);
	assert_true(heard(&b, 440) > 0.8);
	close_lines();
}

TEST(a_prompt_is_heard_in_opus_and_digits_keep_their_duration)
{
	static const uint8_t digit[] = {5, 0x8a, 0x12, 0xc0}; /* 4800 of 48 kHz: 100 ms */

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_OPUS, 440);
	line_call(&a, "RTP/AVP", "");
	line_send(&a, true);
	assert_int_equal(med_tone(m, a.leg, MED_TONE_RINGBACK), 0); /* 450 Hz */
	for (int i = 0; i < 30; i++) {
		run_ms(20);
		line_hear(&a);
	}
	assert_in_range(a.packets, 20, 500); /* as long as this machine took */
	assert_true(heard(&a, 450) > 0.85);
	line_send_raw(&a, 101, digit, sizeof(digit));
	assert_int_equal(wait_event(MED_EV_DIGIT)->digit, '5');
	assert_int_equal(event_of(MED_EV_DIGIT)->duration_ms, 100);
	down();
	line_close(&a);
}

/* What is recorded of an Opus caller is his tone, in its place: one second of sound is one second of the file. */
TEST(other_codecs_are_recorded_as_alaw)
{
	char path[128];
	struct stat st;
	int64_t start;

	up("127.0.0.1");
	(void)snprintf(path, sizeof(path), "/tmp/huawu-line-%d.wav", (int)getpid());
	line_open(&a, AF_INET, MED_OPUS, 440);
	line_open(&b, AF_INET, MED_G722, 1000);
	line_call(&a, "RTP/AVP", "");
	line_call(&b, "RTP/AVP", "");
	bridge_lines();
	assert_int_equal(med_record(m, 5, a.leg, b.leg, path), 0);
	start = clock_mono_ms();
	for (int i = 0; i < 60; i++) { /* as fast as speech, however late the machine wakes us */
		int64_t left = start + 20 * i - clock_mono_ms();

		if (left > 0)
			run_ms((int)left);
		line_send(&a, true);
		line_send(&b, true);
	}
	run_ms(40);
	med_record_stop(m, 5);
	(void)wait_event(MED_EV_REC_CLOSED);
	assert_int_equal(stat(path, &st), 0);
	FILE *f = fopen(path, "rb");
	static uint8_t wav[40000];
	static int16_t left[20000], right[20000];
	size_t n = fread(wav, 1, sizeof(wav), f), frames = (n - 58) / 2;

	(void)fclose(f);
	(void)unlink(path);
	assert_true(frames > 8000);
	for (size_t i = 0; i < frames; i++) {
		left[i] = alaw_to_pcm(wav[58 + 2 * i]);
		right[i] = alaw_to_pcm(wav[59 + 2 * i]);
	}
	assert_true(tone_power(left + 2400, 4800, 440) > 0.9);
	assert_true(tone_power(right + 2400, 4800, 1000) > 0.9);
	close_lines();
}

TEST(an_offer_begins_with_what_the_other_side_speaks)
{
	struct med_leg_conf desk = {.codecs = 0};
	char sdp[MED_SDP_MAX];
	med_leg l;

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_G722, 440);
	line_call(&a, "RTP/AVP", "");
	assert_true(med_codecs_parse(&desk, "pcma, pcmu,g722,nonsense,opus"));
	assert_int_equal(desk.codecs, 4);
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 7), 0);
	med_leg_configure(m, l, &desk);
	med_leg_like(m, l, a.leg);
	assert_int_equal(med_leg_offer(m, l, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, " RTP/AVP 9 8 0 111 101 110\r\n"));
	assert_non_null(strstr(sdp, "a=rtpmap:111 opus/48000/2\r\n"));
	/* One that may speak only G.711 is not offered it. */
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 7), 0);
	med_leg_like(m, l, a.leg);
	assert_int_equal(med_leg_offer(m, l, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, " RTP/AVP 8 0 101\r\n"));
	down();
	line_close(&a);
}

/* How the page moves a browser to Opus: the next offer has it first, under a free number; nothing changes before the answer. */
TEST(a_call_moves_to_opus_and_back_by_new_offers)
{
	char sdp[MED_SDP_MAX], answer[1024];
	int n;

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_PCMA, 440);
	line_call(&a, "RTP/AVP", "");
	med_leg_prefer(m, a.leg, MED_OPUS);
	assert_int_equal(med_leg_offer(m, a.leg, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, " RTP/AVP 111 8 101 110\r\n"));
	mencoder_free(a.enc);
	mdecoder_free(a.dec);
	a.codec = MED_OPUS;
	a.pt = 111;
	a.enc = mencoder_new(MED_OPUS);
	a.dec = mdecoder_new(MED_OPUS);
	n = line_sdp(&a, answer, sizeof(answer), "RTP/AVP", "");
	assert_int_equal(med_leg_answered(m, a.leg, answer, (size_t)n), 0);
	line_open(&b, AF_INET, MED_PCMA, 1000);
	line_call(&b, "RTP/AVP", "");
	bridge_lines();
	talk(40, 0);
	assert_true(heard(&b, 440) > 0.85 && heard(&a, 1000) > 0.85);
	close_lines();
}

/* CPU of one call-minute: 2 x 3000 frames, one direction each way. Printed, and held below a bound that a fault would break. */
TEST(transcoding_costs_what_it_should)
{
	for (unsigned c = MED_G722; c < CODEC_N; c++) {
		struct timespec t0, t1;
		double ms;

		if (!codec_here(c))
			continue;
		up("127.0.0.1");
		struct mencoder *e = mencoder_new(c);
		struct mdecoder *d = mdecoder_new(c);
		struct mresamp *up_ = mresamp_new(8, 16), *down_ = mresamp_new(16, 8);
		int16_t pcm[CODEC_PCM_MAX * 2 + 16], wide[CODEC_PCM_MAX * 2 + 16];
		uint8_t out[CODEC_OUT_MAX];
		bool is_wide = codec_info[c].rate_khz == 16;
		unsigned n;

		assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t0), 0);
		for (int i = 0; i < 500; i++) { /* ten seconds */
			for (int k = 0; k < 160; k++)
				pcm[k] = (int16_t)(6000 * sin(0.3 * (i * 160 + k)) + 2000 * sin(0.9 * k));
			n = is_wide ? mresamp(up_, pcm, 160, wide) : 160;
			if (n >= 160) {
				size_t len = mencode(e, is_wide ? wide : pcm, out);

				n = mdecode(d, out, len, wide);
				if (is_wide)
					(void)mresamp(down_, wide, n, pcm);
			}
		}
		assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t1), 0);
		ms = ((double)(t1.tv_sec - t0.tv_sec) * 1e3 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e6) * 6;
		print_message("%s <-> G.711: %.0f ms of CPU a call-minute\n", codec_info[c].name, ms);
#ifndef __SANITIZE_ADDRESS__
#ifndef __SANITIZE_THREAD__
		assert_true(ms < 6000);
#endif
#endif
		mencoder_free(e);
		mdecoder_free(d);
		mresamp_free(up_);
		mresamp_free(down_);
		down();
	}
}

/* ---- SDES ---- */

TEST(crypto_lines_are_read_as_the_rfc_writes_them)
{
	/* RFC 4568 6.1: the key of its examples, with a lifetime; with an MKI we cannot */
	const char *good = "1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20";
	const char *bad[] = {
		"1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32",
		"1 F8_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR",
		"1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR UNENCRYPTED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtx",
		"1 AES_CM_128_HMAC_SHA1_80 uri:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR",
		"1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVe*CFCanVmcjkpPywjNWhcYD0mXXtxaVBR",
		"x AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR", "", "1", "1 AES_CM_128_HMAC_SHA1_80",
	};
	struct sdp_crypto c;

	assert_true(msdp_crypto(&c, good, strlen(good)));
	assert_int_equal(c.tag, 1);
	assert_int_equal(c.suite, SUITE_CM_80);
	assert_memory_equal(c.key, "=-n@%^x!Bjufr9)?,#5h\\`=&]{qiPQ", 30); /* as base64 -d prints it */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(msdp_crypto(&c, bad[i], strlen(bad[i])));
}

static void take_keys(struct line *l, const char *their_sdp, const char *our_line)
{
	const char *c = strstr(their_sdp, "a=crypto:");
	struct sdp_crypto ours;

	assert_non_null(c);
	assert_true(msdp_crypto(&l->keys.rx, c + 9, strcspn(c + 9, "\r")));
	assert_true(msdp_crypto(&ours, our_line, strlen(our_line)));
	l->keys.tx = ours;
	assert_int_equal(l->keys.rx.tag, ours.tag);
	assert_int_equal(l->keys.rx.suite, ours.suite);
	assert_true(mcrypt_set(&l->crypt, &l->keys));
}

static const char *const sdes_lines[] = {
	"7 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR",
	"7 AES_CM_128_HMAC_SHA1_32 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR",
	"7 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==",
	"7 AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=",
};

TEST(a_phone_with_keys_talks_to_one_without)
{
	for (size_t i = 0; i < ARRAY_LEN(sdes_lines); i++) {
		char more[256];

		up("127.0.0.1");
		line_open(&a, AF_INET, MED_PCMA, 440);
		line_open(&b, AF_INET, MED_PCMA, 1000);
		(void)snprintf(more, sizeof(more), "a=crypto:%s\r\n", sdes_lines[i]);
		line_call(&a, "RTP/SAVP", more);
		assert_non_null(strstr(a.answer, " RTP/SAVP 8 101\r\n"));
		take_keys(&a, a.answer, sdes_lines[i]);
		line_call(&b, "RTP/AVP", "");
		bridge_lines();
		talk(40, 0);
		assert_in_range(a.packets, 37, 40);
		assert_true(heard(&b, 440) > 0.9 && heard(&a, 1000) > 0.9);
		med_leg_close(m, a.leg);
		assert_string_equal(wait_event(MED_EV_STATS)->stats.encrypted, "sdes");
		close_lines();
	}
}

TEST(wrong_keys_are_silence_and_are_named)
{
	char more[256];

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_PCMA, 440);
	line_open(&b, AF_INET, MED_PCMA, 1000);
	(void)snprintf(more, sizeof(more), "a=crypto:%s\r\n", sdes_lines[0]);
	line_call(&a, "RTP/SAVP", more);
	take_keys(&a, a.answer, sdes_lines[0]);
	a.keys.tx.key[3] ^= 1;
	assert_true(mcrypt_set(&a.crypt, &a.keys));
	line_call(&b, "RTP/AVP", "");
	bridge_lines();
	med_leg_up(m, a.leg);
	talk(20, 0);
	assert_int_equal(b.packets, 0);
	assert_int_equal(wait_event(MED_EV_TROUBLE)->trouble, MED_T_SRTP);
	close_lines();
}

/* A re-INVITE with another key: from then on that one, and we change ours; with the same key ours stays, too. */
TEST(a_new_offer_changes_the_keys)
{
	static const char second[] = "7 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
	char more[256], offer[2048], first_answer[MED_SDP_MAX];
	struct sdes_conf before;
	int n;

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_PCMA, 440);
	line_open(&b, AF_INET, MED_PCMA, 1000);
	(void)snprintf(more, sizeof(more), "a=crypto:%s\r\n", sdes_lines[0]);
	line_call(&a, "RTP/SAVP", more);
	take_keys(&a, a.answer, sdes_lines[0]);
	line_call(&b, "RTP/AVP", "");
	bridge_lines();
	talk(20, 0);
	before = a.keys;
	n = line_sdp(&a, offer, sizeof(offer), "RTP/SAVP", more);
	assert_int_equal(med_leg_answer(m, a.leg, offer, (size_t)n, first_answer, sizeof(first_answer)), 0);
	take_keys(&a, first_answer, sdes_lines[0]);
	assert_memory_equal(a.keys.rx.key, before.rx.key, 30);
	talk(20, 0);
	assert_in_range(b.packets, 38, 40);
	(void)snprintf(more, sizeof(more), "a=crypto:%s\r\n", second);
	n = line_sdp(&a, offer, sizeof(offer), "RTP/SAVP", more);
	assert_int_equal(med_leg_answer(m, a.leg, offer, (size_t)n, a.answer, sizeof(a.answer)), 0);
	take_keys(&a, a.answer, second);
	assert_memory_not_equal(a.keys.rx.key, before.rx.key, 30);
	run_ms(20);
	talk(20, 0);
	assert_in_range(b.packets, 57, 60);
	assert_in_range(a.packets, 57, 60);
	close_lines();
}

TEST(keys_are_offered_as_the_setting_says)
{
	struct med_leg_conf conf = {.sdes = MED_SDES_OPTIONAL};
	char sdp[MED_SDP_MAX], answer[1024];
	med_leg l;
	int n;

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_PCMA, 440);
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 7), 0);
	med_leg_configure(m, l, &conf);
	assert_int_equal(med_leg_offer(m, l, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, " RTP/AVP 8 0 101\r\n"));
	assert_non_null(strstr(sdp, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"));
	assert_non_null(strstr(sdp, "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:"));
	n = line_sdp(&a, answer, sizeof(answer), "RTP/AVP", "");
	assert_int_equal(med_leg_answered(m, l, answer, (size_t)n), 0); /* it has none: in the clear */
	conf.sdes = MED_SDES_REQUIRED;
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 7), 0);
	med_leg_configure(m, l, &conf);
	assert_int_equal(med_leg_offer(m, l, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, " RTP/SAVP 8 0 101\r\n"));
	assert_int_equal(med_leg_answered(m, l, answer, (size_t)n), MED_E_PROFILE);
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 7), 0);
	med_leg_configure(m, l, &conf);
	assert_int_equal(med_leg_answer(m, l, answer, (size_t)n, sdp, sizeof(sdp)), MED_E_PROFILE);
	down();
	line_close(&a);
}

/* ---- strangers ---- */

/* The description names a machine that is neither the signalling's nor ever heard from: five seconds of sound, then a drop a second. */
TEST(little_is_sent_where_nothing_comes_from)
{
	char offer[1024];
	int n;

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_PCMA, 440);
	assert_int_equal(med_leg_open(m, &a.leg, MED_PLAIN, 7), 0);
	assert_int_equal(med_leg_peer(m, a.leg, "127.0.0.2"), 0);
	n = line_sdp(&a, offer, sizeof(offer), "RTP/AVP", "");
	assert_int_equal(med_leg_answer(m, a.leg, offer, (size_t)n, a.answer, sizeof(a.answer)), 0);
	line_aim(&a, a.answer);
	line_open(&b, AF_INET, MED_PCMA, 1000);
	line_call(&b, "RTP/AVP", "");
	bridge_lines();
	for (int i = 0; i < 400; i++) {
		line_send(&b, true);
		if (i % 4 == 0)
			run_ms(1);
		line_hear(&a);
	}
	for (int i = 0; i < 200 && a.packets < 253; i++) {
		run_ms(10);
		line_hear(&a);
	}
	assert_int_equal(a.packets, 253); /* 250, and the 300th, 350th and 400th */
	line_send(&a, true); /* it speaks: now it is somebody */
	run_ms(20);
	for (int i = 0; i < 50; i++)
		line_send(&b, true);
	for (int i = 0; i < 200 && a.packets < 303; i++) {
		run_ms(10);
		line_hear(&a);
	}
	assert_int_equal(a.packets, 303);
	close_lines();
}

/* ---- one-way audio ---- */

static enum med_trouble trouble_of(void)
{
	return wait_event(MED_EV_TROUBLE)->trouble;
}

TEST(a_side_that_sends_nothing_is_named_with_the_cause)
{
	up("127.0.0.1");
	line_open(&a, AF_INET, MED_PCMA, 440);
	line_call(&a, "RTP/AVP", "");
	med_leg_up(m, a.leg);
	assert_int_equal(trouble_of(), MED_T_NOTHING);
	n_events = 0;
	line_send(&a, true);
	assert_int_equal(trouble_of(), MED_T_NONE); /* better late than never */
	down();
	line_close(&a);

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_PCMA, 440);
	line_call(&a, "RTP/AVP", "");
	(void)close(a.fd); /* nobody listens there: ICMP says so */
	assert_int_equal(med_tone(m, a.leg, MED_TONE_BUSY), 0);
	med_leg_up(m, a.leg);
	assert_int_equal(trouble_of(), MED_T_UNREACHABLE);
	down();
	a.fd = -1;
	line_close(&a);

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_PCMA, 440);
	line_call(&a, "RTP/AVP", "");
	med_leg_up(m, a.leg);
	a.pt = 0; /* agreed was 8 */
	for (int i = 0; i < 5; i++)
		line_send(&a, true);
	assert_int_equal(trouble_of(), MED_T_CODEC);
	down();
	line_close(&a);
}

/* ---- bad networks ---- */

/* @n packets of @l's, of which each hundred loses @lost; @swap and @twice: every so many-th comes after its follower, or twice. */
static void impaired(struct line *l, unsigned n, unsigned lost, unsigned swap, unsigned twice)
{
	for (unsigned i = 0; i < n; i++) {
		bool gone = i % 100 >= 50 && i % 100 < 50 + lost * 2 && i % 2; /* single packets: random loss, BurstR 1 */

		if (swap && i % swap == 1 && !gone) {
			l->seq++;
			l->ts += 160;
			line_send(l, true);
			l->seq = (uint16_t)(l->seq - 2);
			l->ts -= 320;
			line_send(l, true);
			l->seq++;
			l->ts += 160;
			i++;
		} else {
			line_send(l, !gone);
		}
		if (twice && i % twice == 3 && !gone) {
			l->seq--;
			l->ts -= 160;
			line_send(l, true);
		}
		run_ms(1);
		line_hear(&a);
		line_hear(&b);
	}
	run_ms(60);
	line_hear(&b);
}

/*
 * G.107 by hand, default values, G.711 with concealment (Bpl 25.1), R = 93.2 - 95 P / (P + 25.1), MOS = 1 + 0.035 R + R (R - 60)
 * (100 - R) 7e-6:
 *    1 %   Ie_eff = 95 / 26.1   =  3.6398   R = 89.5602   MOS = 1 + 3.13461 + 0.19347 = 4.3281
 *    5 %   Ie_eff = 475 / 30.1  = 15.7807   R = 77.4193   MOS = 1 + 2.70968 + 0.21317 = 3.9228
 *   20 %   Ie_eff = 1900 / 45.1 = 42.1286   R = 51.0714   MOS = 1 + 1.78750 - 0.15618 = 2.6313
 */
TEST(mos_of_lossy_legs_is_the_one_computed_by_hand)
{
	static const struct {
		unsigned lost;
		double mos;
	} points[] = {{1, 4.3281}, {5, 3.9228}, {20, 2.6313}};

	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		up("127.0.0.1");
		line_open(&a, AF_INET, MED_PCMA, 440);
		line_open(&b, AF_INET, MED_PCMA, 1000);
		line_call(&a, "RTP/AVP", "");
		line_call(&b, "RTP/AVP", "");
		bridge_lines();
		impaired(&a, 200, points[i].lost, 0, 0);
		assert_true(heard_in_parts(&b, 440) > 0.9);
		n_events = 0;
		med_leg_close(m, a.leg);
		assert_int_equal(wait_event(MED_EV_STATS)->stats.rx_lost, 2 * points[i].lost);
		assert_true(fabs((double)event_of(MED_EV_STATS)->stats.mos - points[i].mos) < 0.0005);
		close_lines();
	}
	/* G.729A, Ie 11, Bpl 19, at 2 %: Ie_eff = 11 + 84 * 2 / 21 = 19, R = 74.2, MOS = 1 + 2.597 + 0.19029 */
	assert_true(fabs((double)med_mos_codec(MED_G729, 2, 0, 0) - 3.7873) < 0.0005);
}

TEST(audio_stays_in_a_network_that_loses_swaps_and_doubles)
{
	static const uint8_t codecs[][2] = {{MED_PCMA, MED_PCMA}, {MED_PCMA, MED_OPUS}, {MED_G722, MED_PCMA}};

	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		up("127.0.0.1");
		line_open(&a, AF_INET, codecs[i][0], 440);
		line_open(&b, AF_INET, codecs[i][1], 1000);
		line_call(&a, "RTP/AVP", "");
		line_call(&b, "RTP/AVP", "");
		bridge_lines();
		impaired(&a, 200, 3, 17, 13);
		assert_in_range(b.packets, 185, 201); /* doubles are not passed on twice */
		assert_true(heard_in_parts(&b, 440) > 0.8);
		close_lines();
	}
}

/* ---- rooms ---- */

/*
 * In how many of the windows of 20 ms that are not silent, in the second half of what @l heard, @hz has more than @share of the energy; per cent.
 * A machine that is late spoils windows, but not how a window sounds that it has in time.
 */
static unsigned windows_with(const struct line *l, double hz, double share)
{
	unsigned w = 20u * codec_info[l->codec].rate_khz, all = 0, with = 0;

	for (unsigned at = l->n / 2; at + w <= l->n; at += w) {
		double e = 0;

		for (unsigned i = 0; i < w; i++)
			e += (double)l->pcm[at + i] * l->pcm[at + i];
		if (e < w * 300.0 * 300.0)
			continue;
		all++;
		with += tone_power(l->pcm + at, w, hz * 8 / codec_info[l->codec].rate_khz) > share;
	}
	return all ? 100 * with / all : 0;
}

static void assert_room_heard(const struct line *l, double hz, bool heard)
{
	unsigned pct = windows_with(l, hz, 0.2);

	if (heard ? pct < 30 : pct > 15)
		fail_msg("%s hears %.0f Hz in %u %% of its windows", codec_info[l->codec].name, hz, pct);
}

TEST(opus_g722_and_g711_hear_each_other_in_a_room)
{
	static struct line c;
	struct mroom *r;
	int64_t start;

	up("127.0.0.1");
	line_open(&a, AF_INET, MED_OPUS, 400);
	line_open(&b, AF_INET, MED_G722, 1000);
	line_open(&c, AF_INET, MED_PCMA, 1600);
	line_call(&a, "RTP/AVP", "");
	line_call(&b, "RTP/AVP", "");
	line_call(&c, "RTP/AVP", "");
	r = med_room_open(m);
	assert_int_equal(med_room_set(m, r, (struct med_room_member[]){{a.leg, 6}, {b.leg, 5}, {c.leg, 1}}, 3), 0);
	start = clock_mono_ms();
	for (int i = 0; i < 70; i++) {
		int64_t left = start + 20 * i - clock_mono_ms();

		line_send(&a, true);
		line_send(&b, true);
		line_send(&c, true);
		run_ms(left > 0 ? (int)left : 0);
		line_hear(&a);
		line_hear(&b);
		line_hear(&c);
	}
	for (unsigned i = 0; i < 9; i++) {
		static const double hz[] = {400, 1000, 1600};
		static const unsigned hears[] = {6, 5, 1}; /* b is not for c's ears */

		assert_room_heard((const struct line *[]){&a, &b, &c}[i / 3], hz[i % 3], hears[i / 3] >> i % 3 & 1);
	}
	med_room_close(m, r);
	line_close(&c);
	close_lines();
}
