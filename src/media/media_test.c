#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"
#include "loop/loop.h"
#include "media/media_int.h"
#include "media/phone_test.h"

/* ---- a media and its events ---- */

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

static unsigned count_of(enum med_event_type type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_events; i++)
		n += events[i].type == type;
	return n;
}

/* A range of its own for each run, as many tests run on one machine at once. */
static uint16_t some_ports(void)
{
	return (uint16_t)(2000 + (getpid() * 37 % 2000) / 200 * 200);
}

static void down(void)
{
	if (!m)
		return;
	media_stop(m);
	m = NULL;
	loop_process_done();
}

static void up_with(const struct media_conf *conf)
{
	down(); /* what a failed test left */
	n_events = 0;
	assert_int_equal(loop_process_init(), 0);
	assert_int_equal(media_start(&m, conf, on_event, NULL), 0);
}

static void up(void)
{
	struct media_conf c = {.bind = "127.0.0.1", .port_min = some_ports(), .port_max = (uint16_t)(some_ports() + 199)};

	up_with(&c);
}

static void stop(void *arg)
{
	loop_stop();
}

/* Lets the loop run. */
static void run_ms(int ms)
{
	struct ltimer t = {0};

	ltimer_set(&t, ms, stop, NULL);
	assert_int_equal(loop_run(), 0);
}

static void wait_event(enum med_event_type type, unsigned count)
{
	for (int i = 0; i < 1000 && count_of(type) < count; i++)
		run_ms(5);
	assert_true(count_of(type) >= count);
}

static void hear(struct phone *p, unsigned packets)
{
	for (int i = 0; i < 400 && p->packets < packets; i++) {
		run_ms(3);
		phone_hear(p);
	}
}

/* A leg that answered @p's offer. */
static med_leg leg_for(struct phone *p, const char *pts, const char *dir)
{
	char offer[1024], answer[MED_SDP_MAX];
	med_leg l;
	int n = phone_sdp(p, offer, sizeof(offer), pts, dir);

	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 7), 0);
	assert_int_equal(med_leg_answer(m, l, offer, (size_t)n, answer, sizeof(answer)), 0);
	phone_aim(p, answer);
	return l;
}

static struct phone a, b, x;

static void two_phones(med_leg *la, med_leg *lb, const char *pts_b)
{
	phone_open(&a, 440, 0x11111111);
	phone_open(&b, 1000, 0x22222222);
	*la = leg_for(&a, "8 0 96", "sendrecv");
	*lb = leg_for(&b, pts_b, "sendrecv");
}

/* @n packets each way; the first ones lock the sources. */
static void talk(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		phone_send(&a);
		phone_send(&b);
		if (i % 8 == 0)
			run_ms(1);
	}
}

/* ---- relay ---- */

TEST(bridge_carries_each_tone_to_the_other_phone)
{
	med_leg la, lb;

	up();
	two_phones(&la, &lb, "8 0 96");
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(100);
	hear(&a, 98);
	hear(&b, 98);
	assert_in_range(a.packets, 95, 100);
	assert_in_range(b.packets, 95, 100);
	assert_true(tone_power(b.pcm, b.n, 440) > 0.95);
	assert_true(tone_power(b.pcm, b.n, 1000) < 0.01);
	assert_true(tone_power(a.pcm, a.n, 1000) > 0.95);
	assert_false(a.disorder);
	assert_false(b.disorder); /* across the wraps of both sequence and timestamp */
	assert_int_equal(count_of(MED_EV_FIRST_RTP), 2);
	med_leg_close(m, la);
	med_leg_close(m, lb);
	wait_event(MED_EV_STATS, 2);
	assert_int_equal(event_of(MED_EV_STATS)->stats.rx_packets, 100);
	assert_int_equal(event_of(MED_EV_STATS)->stats.rx_lost, 0);
	assert_int_equal(event_of(MED_EV_STATS)->cookie, 7);
	down();
	phone_close(&a);
	phone_close(&b);
}

TEST(a_leg_bridged_with_itself_is_an_echo)
{
	med_leg la;

	up();
	phone_open(&a, 440, 0x11111111);
	la = leg_for(&a, "8 0 96", "sendrecv");
	assert_int_equal(med_bridge(m, la, la), 0);
	for (unsigned i = 0; i < 60; i++) {
		phone_send(&a);
		if (i % 8 == 0)
			run_ms(1);
	}
	hear(&a, 58);
	assert_in_range(a.packets, 55, 60);
	assert_true(tone_power(a.pcm, a.n, 440) > 0.95);
	assert_false(a.disorder);
	med_leg_close(m, la);
	wait_event(MED_EV_STATS, 1);
	down();
	phone_close(&a);
}

TEST(different_laws_are_transcoded)
{
	med_leg la, lb;

	up();
	two_phones(&la, &lb, "0 96");
	b.pt = LAW_ULAW;
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(60);
	hear(&a, 58);
	hear(&b, 58);
	assert_int_equal(b.last_pt, 0);
	assert_int_equal(a.last_pt, 8);
	assert_true(tone_power(b.pcm, b.n, 440) > 0.95);
	assert_true(tone_power(a.pcm, a.n, 1000) > 0.95);
	down();
	phone_close(&a);
	phone_close(&b);
}

TEST(packets_from_another_source_are_dropped)
{
	med_leg la, lb;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(20);
	hear(&b, 18);
	phone_open(&x, 2000, 0x11111111);
	x.to = a.to;
	x.seq = a.seq;
	x.ts = a.ts;
	unsigned before = b.packets;

	for (int i = 0; i < 20; i++)
		phone_send(&x);
	run_ms(50);
	phone_hear(&b);
	assert_int_equal(b.packets, before);
	talk(20);
	hear(&b, before + 20);
	assert_int_equal(b.packets, before + 20);
	assert_true(tone_power(b.pcm, b.n, 2000) < 0.01);
	down();
	phone_close(&a);
	phone_close(&b);
	phone_close(&x);
}

TEST(the_described_source_wins_over_who_came_first)
{
	med_leg la, lb;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_bridge(m, la, lb), 0);
	phone_send(&b);
	run_ms(20);
	phone_open(&x, 2000, 0x33333333);
	x.to = a.to;
	phone_send(&x);
	hear(&b, 1); /* taken: it might be the phone behind NAT */
	assert_int_equal(b.packets, 1);
	phone_send(&a);
	hear(&b, 2);
	assert_int_equal(b.packets, 2);
	phone_send(&x);
	run_ms(30);
	phone_hear(&b);
	assert_int_equal(b.packets, 2);
	down();
	phone_close(&a);
	phone_close(&b);
	phone_close(&x);
}

/* As phone_open, at another address of this machine. */
static void phone_at(struct phone *p, const char *address)
{
	struct sockaddr_in at = {.sin_family = AF_INET};

	phone_open(p, 2000, 0x33333333);
	phone_close(p);
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&at, sizeof(at)), 0);
}

TEST(a_stranger_who_speaks_first_is_never_sent_the_audio)
{
	char offer[1024], sdp[MED_SDP_MAX];
	med_leg la, lb;
	unsigned n;
	int len;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_leg_peer(m, la, "127.0.0.1"), 0);
	len = phone_sdp(&a, offer, sizeof(offer), "8", "sendrecv");
	assert_int_equal(med_leg_answer(m, la, offer, (size_t)len, sdp, sizeof(sdp)), 0);
	assert_int_equal(med_bridge(m, la, lb), 0);
	phone_send(&b);
	run_ms(20);
	phone_at(&x, "127.0.0.2");
	x.to = a.to;
	phone_send(&x);
	hear(&b, 1); /* heard: some gateways send from elsewhere */
	n = a.packets;
	phone_send(&b);
	hear(&a, n + 1); /* but the answer goes where it was described */
	phone_hear(&x);
	assert_int_equal(x.packets, 0);
	assert_true(a.packets > n);
	phone_close(&a); /* behind NAT: another port, the signalling's address */
	n = a.to;
	phone_open(&a, 440, 0x11111111);
	a.to = (uint16_t)n;
	phone_send(&a);
	hear(&b, 2);
	assert_int_equal(b.packets, 2); /* takes the stranger's place */
	phone_send(&x);
	run_ms(30);
	phone_hear(&b);
	assert_int_equal(b.packets, 2);
	phone_send(&b);
	hear(&a, 1);
	assert_int_equal(a.packets, 1);
	down();
	phone_close(&a);
	phone_close(&b);
	phone_close(&x);
}

TEST(a_description_cannot_point_the_audio_at_many_or_at_this_machine)
{
	static const char *const bad[] = {"224.0.0.1", "255.255.255.255", "127.0.0.1"};
	char offer[512], sdp[MED_SDP_MAX];
	med_leg l;

	up();
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 1), 0);
	assert_int_equal(med_leg_peer(m, l, "192.0.2.7"), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int n = snprintf(offer, sizeof(offer), "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n", bad[i]);

		assert_int_equal(med_leg_answer(m, l, offer, (size_t)n, sdp, sizeof(sdp)), MED_E_SDP);
	}
	med_leg_close(m, l);
	down();
}

TEST(late_packets_are_passed_on_and_duplicates_are_not)
{
	med_leg la, lb;
	uint16_t seq;

	up();
	two_phones(&la, &lb, "8");
	a.seq = 100;
	assert_int_equal(med_bridge(m, la, lb), 0);
	phone_send(&b);
	run_ms(20);
	phone_send(&a);
	seq = a.seq;
	a.seq = (uint16_t)(seq + 1);
	phone_send(&a);
	a.seq = seq; /* the one left out */
	phone_send(&a);
	hear(&b, 3);
	assert_int_equal(b.packets, 3);
	a.seq = (uint16_t)(seq + 1);
	phone_send(&a); /* once more */
	run_ms(30);
	phone_hear(&b);
	assert_int_equal(b.packets, 3);
	down();
	phone_close(&a);
	phone_close(&b);
}

TEST(a_new_ssrc_goes_on_in_the_same_outgoing_stream)
{
	med_leg la, lb;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(10);
	hear(&b, 9);
	a.ssrc = 0x55555555;
	a.seq = 7;
	a.ts = 12345;
	talk(10);
	hear(&b, 19);
	assert_true(b.packets >= 19);
	assert_false(b.disorder);
	down();
	phone_close(&a);
	phone_close(&b);
}

TEST(mute_and_holds_stop_the_audio)
{
	med_leg la, lb;
	char sdp[MED_SDP_MAX], offer[1024];
	unsigned n;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(10);
	hear(&b, 9);
	med_mute(m, la, true);
	run_ms(20);
	n = b.packets;
	talk(10);
	run_ms(30);
	phone_hear(&b);
	assert_int_equal(b.packets, n);
	med_mute(m, la, false);
	run_ms(20);
	talk(10);
	hear(&b, n + 10);
	assert_int_equal(b.packets, n + 10);
	/* the phone holds us: we answer recvonly and send nothing */
	int len = phone_sdp(&b, offer, sizeof(offer), "8", "sendonly");

	assert_int_equal(med_leg_answer(m, lb, offer, (size_t)len, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, "a=recvonly\r\n"));
	assert_true(med_leg_held_by_remote(m, lb));
	run_ms(20);
	phone_hear(&b);
	n = b.packets;
	talk(10);
	run_ms(30);
	phone_hear(&b);
	assert_int_equal(b.packets, n);
	len = phone_sdp(&b, offer, sizeof(offer), "8", "sendrecv");
	assert_int_equal(med_leg_answer(m, lb, offer, (size_t)len, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, "a=sendrecv\r\n"));
	assert_false(med_leg_held_by_remote(m, lb));
	/* we hold: the offer says so */
	med_leg_set_hold(m, lb, true);
	assert_int_equal(med_leg_offer(m, lb, sdp, sizeof(sdp)), 0);
	assert_non_null(strstr(sdp, "a=sendonly\r\n"));
	down();
	phone_close(&a);
	phone_close(&b);
}

TEST(a_reinvite_with_another_address_moves_the_source)
{
	char offer[1024], sdp[MED_SDP_MAX];
	med_leg la, lb;
	unsigned n;
	int len;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(10);
	hear(&b, 9);
	phone_open(&x, 2000, 0x33333333);
	x.to = a.to;
	len = phone_sdp(&x, offer, sizeof(offer), "8", "sendrecv");
	assert_int_equal(med_leg_answer(m, la, offer, (size_t)len, sdp, sizeof(sdp)), 0);
	run_ms(20);
	phone_hear(&b);
	n = b.packets;
	for (int i = 0; i < 10; i++)
		phone_send(&x);
	hear(&b, n + 10);
	phone_send(&a); /* the old place is a stranger now */
	run_ms(30);
	phone_hear(&b);
	assert_int_equal(b.packets, n + 10);
	phone_send(&b);
	hear(&x, 1);
	assert_int_equal(x.packets, 1);
	assert_false(b.disorder);
	down();
	phone_close(&a);
	phone_close(&b);
	phone_close(&x);
}

/* ---- digits ---- */

static void send_event(struct phone *p, uint8_t event, uint16_t duration, bool end)
{
	uint8_t e[4] = {event, (uint8_t)(end ? 0x8a : 10), (uint8_t)(duration >> 8), (uint8_t)duration};

	phone_send_raw(p, 96, e, 4);
}

TEST(a_digit_is_told_once_even_with_three_ends_or_none)
{
	med_leg la, lb;

	up();
	two_phones(&la, &lb, "8 96");
	assert_int_equal(med_bridge(m, la, lb), 0);
	phone_send(&a);
	phone_send(&b);
	run_ms(20);
	for (uint16_t d = 160; d <= 800; d = (uint16_t)(d + 160))
		send_event(&a, 5, d, false);
	for (int i = 0; i < 3; i++)
		send_event(&a, 5, 960, true);
	wait_event(MED_EV_DIGIT, 1);
	a.ts += 1600;
	send_event(&a, 11, 320, false); /* '#', its end is lost */
	wait_event(MED_EV_DIGIT, 2);
	run_ms(150);
	assert_int_equal(count_of(MED_EV_DIGIT), 2);
	for (unsigned i = 0, k = 0; i < n_events; i++)
		if (events[i].type == MED_EV_DIGIT) {
			assert_int_equal(events[i].digit, k ? '#' : '5');
			assert_int_equal(events[i].duration_ms, k ? 40 : 120); /* 960 and 320 ticks of 1/8 ms */
			k++;
		}
	phone_hear(&b); /* passed on with b's payload type */
	assert_int_equal(b.dtmf, 9);
	assert_int_equal(b.dtmf_ends, 3);
	down();
	phone_close(&a);
	phone_close(&b);
}

TEST(digits_are_sent_as_rfc4733_events)
{
	med_leg la;

	up();
	phone_open(&a, 440, 1);
	la = leg_for(&a, "8 96", "sendrecv");
	assert_int_equal(med_send_digits(m, la, "4a"), -EINVAL);
	assert_int_equal(med_send_digits(m, la, "9#"), 0);
	hear(&a, 20);
	assert_int_equal(a.dtmf, 20); /* 7 updates and 3 ends each */
	assert_int_equal(a.dtmf_ends, 6);
	assert_int_equal(a.dtmf_event, 11);
	assert_int_equal(a.dtmf_duration, 1280); /* 160 ms */
	assert_false(a.disorder);
	down();
	phone_close(&a);
}

/* ---- playing ---- */

TEST(tones_and_prompts_are_heard_and_their_end_is_told_once)
{
	static const char *const beep[] = {"beep"};
	static const char *const unknown[] = {"beep", "no/such"};
	med_leg la;

	up();
	phone_open(&a, 440, 1);
	la = leg_for(&a, "8", "sendrecv");
	assert_int_equal(med_play(m, la, unknown, 2, false), -ENOENT);
	assert_int_equal(med_play(m, la, beep, 1, false), 0);
	wait_event(MED_EV_PLAYED, 1);
	phone_hear(&a);
	assert_int_equal(a.packets, 10); /* 200 ms */
	assert_true(tone_power(a.pcm, a.n, 1000) > 0.9);
	assert_int_equal(med_tone(m, la, MED_TONE_RINGBACK), 0);
	a.n = 0;
	hear(&a, 25);
	assert_true(tone_power(a.pcm, 2400, 450) > 0.9);
	med_stop(m, la);
	run_ms(60);
	phone_hear(&a);
	unsigned n = a.packets;

	run_ms(60);
	phone_hear(&a);
	assert_int_equal(a.packets, n);
	assert_int_equal(count_of(MED_EV_PLAYED), 1);
	assert_false(a.disorder);
	assert_int_equal(a.markers, 2);
	down();
	phone_close(&a);
}

TEST(ticks_keep_real_time)
{
	static const char *const music[] = {"music/1"};
	med_leg la;
	int64_t t0;

	up();
	phone_open(&a, 440, 1);
	la = leg_for(&a, "8", "sendrecv");
	assert_int_equal(med_play(m, la, music, 1, true), 0);
	t0 = clock_mono_ms();
	hear(&a, 50);
	/* 50 frames are 49 intervals of 20 ms; a wait for each side of the machine's noise */
	assert_in_range(clock_mono_ms() - t0, 950, 1400);
	down();
	phone_close(&a);
}

/* ---- refusals ---- */

static int answer_to(med_leg l, const char *offer)
{
	char sdp[MED_SDP_MAX];

	return med_leg_answer(m, l, offer, strlen(offer), sdp, sizeof(sdp));
}

TEST(descriptions_that_cannot_be_are_refused_with_their_reason)
{
	static const char *const head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
	char s[512];
	med_leg l;

	up();
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 1), 0);
	assert_int_equal(answer_to(l, ""), MED_E_SDP);
	assert_int_equal(answer_to(l, "hello"), MED_E_SDP);
	assert_int_equal(answer_to(l, "v=0\r\nm=audio 4000 RTP/AVP 8\r\n"), MED_E_SDP); /* no origin, no address */
	(void)snprintf(s, sizeof(s), "%sm=audio 4000 RTP/AVP 18 9\r\n", head);
	assert_int_equal(answer_to(l, s), MED_E_CODEC);
	(void)snprintf(s, sizeof(s), "%sm=video 4000 RTP/AVP 31\r\n", head);
	assert_int_equal(answer_to(l, s), MED_E_CODEC);
	(void)snprintf(s, sizeof(s), "%sm=audio 4000 RTP/SAVP 8\r\n", head);
	assert_int_equal(answer_to(l, s), MED_E_PROFILE);
	(void)snprintf(s, sizeof(s), "%sm=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n", head); /* no fingerprint */
	assert_int_equal(answer_to(l, s), MED_E_PROFILE);
	(void)snprintf(s, sizeof(s), "%sm=audio 99999 RTP/AVP 8\r\n", head);
	assert_int_equal(answer_to(l, s), MED_E_SDP);
	(void)snprintf(s, sizeof(s), "%sm=audio 4000 RTP/AVP 8\r\n", head);
	assert_int_equal(answer_to(l, s), 0);
	down();
}

TEST(extra_lines_are_answered_with_port_zero_in_their_places)
{
	static const char *const offer =
		"v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
		"m=video 5000 RTP/AVP 97\nc=IN IP4 127.0.0.1\na=rtpmap:97 H264/90000\n"
		"m=audio 4000 RTP/AVP 97 98\nc=IN IP4 127.0.0.1\na=rtpmap:97 PCMU/8000\na=rtpmap:98 PCMA/8000\n"
		"m=application 6000 TCP/BFCP *\nc=IN IP4 127.0.0.1\n";
	char sdp[MED_SDP_MAX], again[MED_SDP_MAX];
	const char *v, *au, *ap;
	med_leg l;

	up();
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 1), 0);
	assert_int_equal(med_leg_answer(m, l, offer, strlen(offer), sdp, sizeof(sdp)), 0);
	v = strstr(sdp, "m=video 0 RTP/AVP 97\r\n");
	au = strstr(sdp, "m=audio ");
	ap = strstr(sdp, "m=application 0 TCP/BFCP *\r\n");
	assert_true(v && au && ap && v < au && au < ap);
	assert_non_null(strstr(sdp, "RTP/AVP 98\r\n")); /* A-law is preferred, whatever its number */
	assert_non_null(strstr(sdp, "a=rtpmap:98 PCMA/8000\r\n"));
	/* our next offer repeats the lines; o= differs in its version by one */
	assert_int_equal(med_leg_offer(m, l, again, sizeof(again)), 0);
	assert_non_null(strstr(again, "m=video 0 RTP/AVP 97\r\n"));
	char *o1 = strstr(sdp, "o="), *o2 = strstr(again, "o=");
	unsigned long long id1, id2, v1, v2;

	assert_int_equal(sscanf(o1, "o=- %llu %llu", &id1, &v1), 2);
	assert_int_equal(sscanf(o2, "o=- %llu %llu", &id2, &v2), 2);
	assert_true(id1 == id2 && v2 == v1 + 1);
	down();
}

TEST(our_offer_is_answered_and_audio_flows)
{
	char offer[MED_SDP_MAX], answer[1024];
	static const char *const beep[] = {"beep"};
	med_leg l;
	int n;

	up();
	phone_open(&a, 440, 1);
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 1), 0);
	assert_int_equal(med_leg_offer(m, l, offer, sizeof(offer)), 0);
	assert_non_null(strstr(offer, "RTP/AVP 8 0 101\r\n"));
	assert_non_null(strstr(offer, "c=IN IP4 127.0.0.1\r\n"));
	assert_int_equal(med_play(m, l, beep, 1, false), 0); /* waits for the answer */
	n = phone_sdp(&a, answer, sizeof(answer), "0 96", "sendrecv");
	assert_int_equal(med_leg_answered(m, l, answer, (size_t)n), 0);
	wait_event(MED_EV_PLAYED, 1);
	phone_hear(&a);
	assert_int_equal(a.packets, 10);
	assert_int_equal(a.last_pt, 0);
	assert_true(tone_power(a.pcm, a.n, 1000) > 0.9);
	n = phone_sdp(&a, answer, sizeof(answer), "18", "sendrecv");
	assert_int_equal(med_leg_answered(m, l, answer, (size_t)n), MED_E_CODEC);
	down();
	phone_close(&a);
}

TEST(ports_and_legs_run_out_with_an_answer_and_come_back)
{
	struct media_conf c = {.bind = "127.0.0.1", .port_min = (uint16_t)(some_ports() + 2000)};
	med_leg l[3], gone;

	c.port_max = (uint16_t)(c.port_min + 3);
	up_with(&c);
	assert_int_equal(med_leg_open(m, &l[0], MED_PLAIN, 1), 0);
	assert_int_equal(med_leg_open(m, &l[1], MED_PLAIN, 2), 0);
	assert_int_equal(med_leg_open(m, &l[2], MED_PLAIN, 3), -EADDRINUSE);
	gone = l[0];
	med_leg_close(m, l[0]);
	assert_int_equal(med_bridge(m, gone, l[1]), -ENOENT);
	wait_event(MED_EV_STATS, 1);
	assert_int_equal(med_leg_open(m, &l[0], MED_PLAIN, 4), 0);
	assert_true(l[0] != gone); /* the same place, another generation */
	assert_int_equal(med_bridge(m, gone, l[1]), -ENOENT);
	down();
	c.legs_max = 1;
	up_with(&c);
	assert_int_equal(med_leg_open(m, &l[0], MED_PLAIN, 1), 0);
	assert_int_equal(med_leg_open(m, &l[1], MED_PLAIN, 2), -ENFILE);
	down();
}

TEST(silence_is_told_once_and_so_is_its_end)
{
	struct media_conf c = {.bind = "127.0.0.1", .port_min = some_ports(), .silence_ms = 300};

	c.port_max = (uint16_t)(c.port_min + 199);
	up_with(&c);
	phone_open(&a, 440, 1);
	(void)leg_for(&a, "8", "sendrecv");
	phone_send(&a);
	wait_event(MED_EV_SILENT, 1);
	phone_send(&a);
	wait_event(MED_EV_AUDIO_BACK, 1);
	assert_int_equal(count_of(MED_EV_SILENT), 1);
	down();
	phone_close(&a);
}

/* ---- recording ---- */

static char dir[64];

static void rec_clean(void)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
}

/*
 * How pure the tones of a recording must be: a mix of both sides would be one half of each, a wrong order of frames a tenth.
 * The phones of these tests speak in real time, and each frame that a busy machine brings too late costs its share.
 */
#define PURE 0.6

/* Where nothing is, whatever an earlier test left. */
static const char *rec_path(void)
{
	static char path[128];

	(void)snprintf(dir, sizeof(dir), "/tmp/huawu-media-test-%d", (int)getpid());
	(void)snprintf(path, sizeof(path), "%s/2026/01/a.wav", dir);
	rec_clean();
	return path;
}

struct stereo {
	int16_t left[PHONE_HEARD], right[PHONE_HEARD];
	unsigned n;
	uint32_t riff, data;
};

static void wav_read(struct stereo *s, const char *path)
{
	static uint8_t f[2 * PHONE_HEARD + 58];
	FILE *h = fopen(path, "rb");
	size_t n;

	assert_non_null(h);
	n = fread(f, 1, sizeof(f), h);
	(void)fclose(h);
	assert_true(n >= 58);
	memcpy(&s->riff, f + 4, 4);
	memcpy(&s->data, f + 54, 4);
	s->n = (unsigned)((n - 58) / 2);
	for (unsigned i = 0; i < s->n; i++) {
		s->left[i] = alaw_to_pcm(f[58 + 2 * i]);
		s->right[i] = alaw_to_pcm(f[59 + 2 * i]);
	}
}

static struct stereo wav;

/* Both phones speak in real time. */
static void talk_ms(int ms)
{
	int64_t t0 = clock_mono_ms();

	for (int i = 0; i < ms / 20; i++) {
		phone_send(&a);
		phone_send(&b);
		int64_t wait = t0 + (i + 1) * 20 - clock_mono_ms();

		run_ms(wait > 0 ? (int)wait : 0);
		phone_hear(&a);
		phone_hear(&b);
	}
}

TEST(recording_has_left_only_left_and_right_only_right)
{
	const char *path = rec_path();
	char cmd[512], hash[65];
	med_leg la, lb;
	int64_t bytes;

	up();
	two_phones(&la, &lb, "0");
	b.pt = LAW_ULAW;
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(2);
	run_ms(20);
	assert_int_equal(med_record(m, 5, la, lb, path), 0);
	assert_int_equal(med_record(m, 5, la, lb, path), -EEXIST);
	talk_ms(1400);
	med_record_stop(m, 5);
	wait_event(MED_EV_REC_CLOSED, 1);
	const struct med_rec_result *r = &event_of(MED_EV_REC_CLOSED)->rec;

	assert_in_range(r->dur_ms, 1300, 2400);
	assert_int_equal(r->missing_ms, 0);
	assert_int_equal(r->bytes, 58 + r->dur_ms * 16 + (r->bytes - 58) % 16);
	wav_read(&wav, path);
	assert_int_equal(wav.riff, r->bytes - 8);
	assert_int_equal(wav.data, r->bytes - 58);
	assert_true(tone_power(wav.left, 10000, 440) > PURE);
	assert_true(tone_power(wav.left, 10000, 1000) < 0.02);
	assert_true(tone_power(wav.right, 10000, 1000) > PURE);
	assert_true(tone_power(wav.right, 10000, 440) < 0.02);
	/* an independent reader agrees */
	(void)snprintf(cmd, sizeof(cmd), "soxi -c %s | grep -qx 2 && soxi -e %s | grep -q A-law", path, path);
	assert_int_equal(system(cmd), 0);
	/* the hash is of the file as it is: repairing a whole file changes nothing */
	assert_int_equal(med_rec_repair(path, &bytes, hash), r->dur_ms);
	assert_int_equal(bytes, r->bytes);
	assert_string_equal(hash, r->hash);
	(void)snprintf(cmd, sizeof(cmd), "[ $(b2sum -l 256 %s | cut -d' ' -f1) = %s ]", path, r->hash);
	assert_int_equal(system(cmd), 0);
	down();
	rec_clean();
	phone_close(&a);
	phone_close(&b);
}

TEST(without_a_right_leg_what_is_played_goes_right_and_closing_the_leg_ends_it)
{
	const char *path = rec_path();
	med_leg la;

	up();
	phone_open(&a, 440, 1);
	phone_open(&b, 1000, 2);
	la = leg_for(&a, "8", "sendrecv");
	b.to = a.port; /* nobody's */
	assert_int_equal(med_record(m, 6, la, 0, path), 0);
	assert_int_equal(med_tone(m, la, MED_TONE_RINGBACK), 0);
	for (int i = 0; i < 40; i++) {
		phone_send(&a);
		run_ms(20);
	}
	med_leg_close(m, la);
	wait_event(MED_EV_REC_CLOSED, 1);
	wait_event(MED_EV_STATS, 1);
	wav_read(&wav, path);
	assert_true(wav.n >= 6000);
	assert_true(tone_power(wav.right + 800, 4800, 450) > PURE);
	assert_true(tone_power(wav.left + 800, 4800, 440) > PURE);
	down();
	rec_clean();
	phone_close(&a);
	phone_close(&b);
}

/* A child records and is killed; what its file has must lack at most a second. */
TEST(kill_costs_at_most_one_second_and_repair_closes_the_file)
{
	const char *path = rec_path();
	char hash[65];
	int64_t bytes, dur;
	int64_t t0 = clock_mono_ms();
	int st;
	pid_t pid;

	down(); /* what a failed test left: threads are not forked */
	pid = fork();
	if (!pid) {
		med_leg la, lb;

		up();
		two_phones(&la, &lb, "8");
		(void)med_bridge(m, la, lb);
		talk(2);
		(void)med_record(m, 5, la, lb, path);
		t0 = clock_mono_ms();
		talk_ms(2400);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFSIGNALED(st));
	wav_read(&wav, path);
	assert_int_equal(wav.data, 0); /* open */
	dur = med_rec_repair(path, &bytes, hash);
	assert_in_range(dur, 1400, clock_mono_ms() - t0);
	wav_read(&wav, path);
	assert_int_equal(wav.data, bytes - 58);
	assert_int_equal(wav.data, dur * 16);
	assert_true(tone_power(wav.left + 800, 8000, 440) > PURE);
	rec_clean();
}

TEST(repair_refuses_what_is_no_recording)
{
	char path[64], hash[65];
	int64_t bytes;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/tmp/huawu-media-test-%d.x", (int)getpid());
	assert_int_equal(med_rec_repair(path, &bytes, hash), -ENOENT);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fprintf(f, "%-100s", "a letter, not a recording");
	(void)fclose(f);
	assert_int_equal(med_rec_repair(path, &bytes, hash), -EINVAL);
	(void)unlink(path);
}

/* Half a second fits, the rest does not; later there is room again. */
TEST(a_full_disk_is_told_once_and_the_call_goes_on)
{
	const char *path = rec_path();
	struct rlimit old, small = {10000, RLIM_INFINITY};
	med_leg la, lb;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(2);
	run_ms(20);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(med_record(m, 5, la, lb, path), 0);
	talk_ms(1900);
	wait_event(MED_EV_REC_FAILED, 1);
	assert_true(event_of(MED_EV_REC_FAILED)->error < 0);
	assert_int_equal(event_of(MED_EV_REC_FAILED)->rec_id, 5);
	assert_true(b.packets > 80 && a.packets > 80);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	talk_ms(800);
	med_record_stop(m, 5);
	wait_event(MED_EV_REC_CLOSED, 1);
	assert_int_equal(count_of(MED_EV_REC_FAILED), 1);
	const struct med_rec_result *r = &event_of(MED_EV_REC_CLOSED)->rec;

	assert_in_range(r->missing_ms, 500, 1500);
	assert_int_equal(r->missing_ms % 500, 0); /* whole blocks */
	assert_in_range(r->dur_ms, 2550, 3900);   /* the timeline is whole */
	wav_read(&wav, path);
	assert_true(tone_power(wav.left + 800, 3000, 440) > PURE);
	assert_true(tone_power(wav.left + 4200, 3500, 440) < 0.1); /* silence where the disk was full */
	assert_true(tone_power(wav.left + wav.n - 4000, 3000, 440) > PURE);
	down();
	rec_clean();
	phone_close(&a);
	phone_close(&b);
}

/* A disk that hangs: all blocks there may be wait for it. */
TEST(too_many_blocks_waiting_cost_sound_and_not_memory)
{
	static uint8_t *held[1 << 15];
	const char *path = rec_path();
	med_leg la, lb;
	unsigned n = 0;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(2);
	run_ms(20);
	while (n < ARRAY_LEN(held) && (held[n] = mrec_block(m->recorder)))
		n++;
	assert_int_equal(n, 16384); /* 128 MB */
	assert_int_equal(med_record(m, 5, la, lb, path), 0);
	talk_ms(900);
	while (n)
		mrec_block_drop(m->recorder, held[--n]);
	talk_ms(1400);
	med_record_stop(m, 5);
	wait_event(MED_EV_REC_CLOSED, 1);
	assert_int_equal(count_of(MED_EV_REC_FAILED), 1);
	assert_int_equal(event_of(MED_EV_REC_FAILED)->error, -EAGAIN);
	const struct med_rec_result *r = &event_of(MED_EV_REC_CLOSED)->rec;

	assert_in_range(r->missing_ms, 1500, 2000); /* two blocks at the start, the third is asked for at 0.7 s */
	assert_in_range(r->dur_ms, 2150, 3400);
	wav_read(&wav, path);
	assert_true(tone_power(wav.left, 3900, 440) < 0.1);
	assert_true(tone_power(wav.left + wav.n - 4000, 3000, 440) > PURE);
	down();
	rec_clean();
	phone_close(&a);
	phone_close(&b);
}

TEST(a_recording_never_replaces_a_file)
{
	const char *path = rec_path();
	char cmd[256];
	med_leg la;

	up();
	phone_open(&a, 440, 1);
	la = leg_for(&a, "8", "sendrecv");
	(void)snprintf(cmd, sizeof(cmd), "mkdir -p %s/2026/01 && echo here > %s", dir, path);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(med_record(m, 5, la, 0, path), 0);
	wait_event(MED_EV_REC_FAILED, 1);
	assert_int_equal(event_of(MED_EV_REC_FAILED)->error, -EEXIST);
	med_record_stop(m, 5);
	wait_event(MED_EV_REC_CLOSED, 1);
	assert_int_equal(event_of(MED_EV_REC_CLOSED)->rec.bytes, 0);
	(void)snprintf(cmd, sizeof(cmd), "grep -qx here %s", path);
	assert_int_equal(system(cmd), 0);
	down();
	rec_clean();
	phone_close(&a);
}

TEST(stopping_media_closes_recordings_and_tells)
{
	const char *path = rec_path();
	med_leg la;

	up();
	phone_open(&a, 440, 1);
	la = leg_for(&a, "8", "sendrecv");
	assert_int_equal(med_record(m, 5, la, 0, path), 0);
	run_ms(100);
	down();
	assert_int_equal(count_of(MED_EV_REC_CLOSED), 1);
	wav_read(&wav, path);
	assert_int_equal(wav.data, wav.n * 2);
	rec_clean();
	phone_close(&a);
}

/* 0.3 s on the CPU and 0.2 s waiting for it, in one second. */
TEST(load_is_time_running_and_time_waiting_to_run_when_that_makes_late)
{
	struct mload l = {0};

	assert_int_equal(mload_look(&l, "5000000000 1000000000 77", 1000000), 0); /* nothing to compare with */
	l.late_ms = MLOAD_LATE_MS * MLOAD_TICKS + 1;
	assert_int_equal(mload_look(&l, "5300000000 1200000000 99", 2000000), 50);
	l.late_ms = MLOAD_LATE_MS * MLOAD_TICKS;
	assert_int_equal(mload_look(&l, "5600000000 1400000000 99", 3000000), 30);
	l.late_ms = 20000;
	assert_int_equal(mload_look(&l, "5600000000 3400000000 99", 4000000), 100);
	assert_int_equal(mload_look(&l, "", 5000000), 0);
}

/* From many addresses, with the numbers that the telephone's next packets would have, before and after its own first packet. */
TEST(sprays_of_packets_from_third_addresses_are_neither_heard_nor_answered)
{
	char offer[1024], sdp[MED_SDP_MAX];
	med_leg la, lb;
	unsigned before;
	int len;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_leg_peer(m, la, "127.0.0.1"), 0);
	len = phone_sdp(&a, offer, sizeof(offer), "8", "sendrecv");
	assert_int_equal(med_leg_answer(m, la, offer, (size_t)len, sdp, sizeof(sdp)), 0);
	assert_int_equal(med_bridge(m, la, lb), 0);
	for (int locked = 0; locked < 2; locked++) {
		before = b.packets;
		for (int i = 2; i < 22; i++) {
			char address[16];

			(void)snprintf(address, sizeof(address), "127.0.0.%d", i);
			phone_at(&x, address);
			x.to = a.to;
			x.seq = a.seq;
			x.ts = a.ts;
			x.ssrc = a.ssrc;
			for (int n = 0; n < 20; n++)
				phone_send(&x);
			run_ms(5);
			phone_send(&b);
			run_ms(5);
			phone_hear(&x);
			assert_int_equal(x.packets, 0); /* never sent anybody's sound */
			phone_close(&x);
		}
		phone_hear(&b);
		/* Before anybody has a claim one of them may be heard, see above, until the telephone speaks; afterwards none. */
		assert_true(b.packets - before <= (locked ? 0 : 20));
		before = b.packets;
		talk(20);
		hear(&b, before + 20);
		assert_int_equal(b.packets, before + 20);
	}
	down();
	phone_close(&a);
	phone_close(&b);
}

/* RFC 3550 6.6: BYE ends a source. Anybody can write one, so it ends nothing here: SIP does. */
TEST(forged_rtcp_bye_ends_nothing)
{
	uint8_t bye[28] = {0x80, 201, 0, 1, 0x11, 0x11, 0x11, 0x11, 0x81, 203, 0, 1, 0x11, 0x11, 0x11, 0x11};
	med_leg la, lb;
	unsigned before;

	up();
	two_phones(&la, &lb, "8");
	assert_int_equal(med_bridge(m, la, lb), 0);
	talk(20);
	hear(&b, 18);
	phone_at(&x, "127.0.0.2");
	for (int i = 0; i < 100; i++) {
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(a.to + i % 2)), .sin_addr = {htonl(INADDR_LOOPBACK)}};

		(void)!sendto(x.fd, bye, 16, 0, (struct sockaddr *)&to, sizeof(to));
		(void)!sendto(a.fd, bye, 16, 0, (struct sockaddr *)&to, sizeof(to)); /* and by the right address */
	}
	run_ms(30);
	phone_hear(&b);
	before = b.packets;
	talk(20);
	hear(&b, before + 20);
	assert_int_equal(b.packets, before + 20);
	phone_hear(&x);
	assert_int_equal(x.packets, 0);
	assert_int_equal(count_of(MED_EV_STATS), 0); /* no leg ended */
	down();
	phone_close(&a);
	phone_close(&b);
	phone_close(&x);
}
