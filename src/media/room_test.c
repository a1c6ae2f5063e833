/* Rooms: each phone sends a tone of its own, and what each hears is held against the matrix, cell by cell. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"
#include "loop/loop.h"
#include "media/media_int.h"
#include "media/phone_test.h"

#define PHONES 12

static struct media *m;
static struct phone p[PHONES];
static med_leg leg[PHONES];
static unsigned phones;
static bool rec_closed;

static void on_event(const struct med_event *ev, void *arg)
{
	rec_closed |= ev->type == MED_EV_REC_CLOSED;
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

static void down(void)
{
	if (!m)
		return;
	media_stop(m);
	m = NULL;
	loop_process_done();
	for (unsigned i = 0; i < phones; i++)
		phone_close(&p[i]);
}

/* Tones of 300, 500, 700 Hz ...: multiples of 50 Hz, which a window of 20 ms tells apart exactly. */
static double hz_of(unsigned i)
{
	return 300 + 200 * i;
}

static void up(unsigned n)
{
	uint16_t port = (uint16_t)(22000 + getpid() * 37 % 2000 / 40 * 10);
	struct media_conf c = {.bind = "127.0.0.1", .port_min = port, .port_max = (uint16_t)(port + 99)};
	char offer[1024], answer[MED_SDP_MAX];

	down();
	rec_closed = false;
	phones = n;
	assert_int_equal(loop_process_init(), 0);
	assert_int_equal(media_start(&m, &c, on_event, NULL), 0);
	for (unsigned i = 0; i < n; i++) {
		phone_open(&p[i], hz_of(i), i + 1);
		int len = phone_sdp(&p[i], offer, sizeof(offer), i % 2 ? "0 96" : "8 96", "sendrecv");

		p[i].pt = i % 2 ? LAW_ULAW : LAW_ALAW;
		assert_int_equal(med_leg_open(m, &leg[i], MED_PLAIN, 7), 0);
		assert_int_equal(med_leg_answer(m, leg[i], offer, (size_t)len, answer, sizeof(answer)), 0);
		phone_aim(&p[i], answer);
	}
}

static void set(struct mroom *r, const uint32_t *hears, unsigned n)
{
	struct med_room_member mm[PHONES];

	for (unsigned i = 0; i < n; i++)
		mm[i] = (struct med_room_member){leg[i], hears[i]};
	assert_int_equal(med_room_set(m, r, mm, n), 0);
}

/* All speak in real time; then what was heard before is forgotten, so that what follows is of the present matrix only. */
static void talk_ms(int ms)
{
	int64_t t0 = clock_mono_ms();

	for (int i = 0; i < ms / 20; i++) {
		for (unsigned k = 0; k < phones; k++)
			phone_send(&p[k]);
		int64_t wait = t0 + (i + 1) * 20 - clock_mono_ms();

		run_ms(wait > 0 ? (int)wait : 0);
		for (unsigned k = 0; k < phones; k++)
			phone_hear(&p[k]);
	}
}

static void settle(void)
{
	talk_ms(300);
	for (unsigned k = 0; k < phones; k++)
		p[k].n = 0;
}

/*
 * The share of the energy at @hz, the median of windows of 20 ms that are not silent: a frame that a busy machine brings too late spoils its
 * window only. 0: nothing was heard.
 */
static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double level(const int16_t *pcm, unsigned n, double hz)
{
	static double share[PHONE_HEARD / FRAME];
	unsigned k = 0;

	for (unsigned at = 0; at + FRAME <= n; at += FRAME) {
		double e = 0;

		for (unsigned i = 0; i < FRAME; i++)
			e += (double)pcm[at + i] * pcm[at + i];
		if (e < FRAME * 100.0 * 100.0)
			continue;
		share[k++] = tone_power(pcm + at, FRAME, hz);
	}
	qsort(share, k, sizeof(*share), by_size);
	return k ? share[k / 2] : 0;
}

static void assert_matrix(const uint32_t *hears, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned heard = (unsigned)__builtin_popcount(hears[i] & ~(1u << i));

		for (unsigned k = 0; k < n; k++) {
			double got = level(p[i].pcm, p[i].n, hz_of(k));
			bool want = k != i && hears[i] & 1u << k;

			if (want ? got < 0.5 / heard : got > 0.03)
				fail_msg("phone %u hears %u at %.3f, of %u heard", i, k, got, heard);
		}
	}
}

TEST(who_hears_whom_is_the_matrix_cell_by_cell)
{
	/* customer 0, agent 1, whisperer 2, listener 3, joined 4 */
	static const uint32_t hears[] = {1 << 1 | 1 << 4, 1 << 0 | 1 << 2 | 1 << 4, 1 << 0 | 1 << 1 | 1 << 4, 1 << 0 | 1 << 1 | 1 << 4,
					 1 << 0 | 1 << 1};
	struct mroom *r;

	up(5);
	r = med_room_open(m);
	set(r, hears, 5);
	settle();
	talk_ms(800);
	assert_matrix(hears, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_false(p[i].disorder);
	/* the whisperer becomes a listener, the listener leaves: it ends at once, for the others nothing changes */
	static const uint32_t later[] = {1 << 1 | 1 << 3, 1 << 0 | 1 << 3, 1 << 0 | 1 << 1 | 1 << 3, 1 << 0 | 1 << 1};
	struct med_room_member mm[] = {{leg[0], later[0]}, {leg[1], later[1]}, {leg[2], later[2]}, {leg[4], later[3]}};

	assert_int_equal(med_room_set(m, r, mm, 4), 0);
	settle();
	talk_ms(600);
	static const uint32_t now[] = {1 << 1 | 1 << 4, 1 << 0 | 1 << 4, 1 << 0 | 1 << 1 | 1 << 4, 0, 1 << 0 | 1 << 1};

	assert_matrix(now, 5);
	med_room_close(m, r);
	down();
}

TEST(nobody_hears_himself_whatever_the_mask_says)
{
	static const uint32_t all[] = {~0u, ~0u, ~0u};
	struct mroom *r;

	up(3);
	r = med_room_open(m);
	set(r, all, 3);
	settle();
	talk_ms(400);
	static const uint32_t others[] = {6, 5, 3};

	assert_matrix(others, 3);
	down(); /* a room that is still open goes with the media */
	(void)r;
}

TEST(ten_listeners_hear_both_and_nobody_hears_them)
{
	uint32_t hears[PHONES] = {2, 1};
	struct mroom *r;

	for (unsigned i = 2; i < PHONES; i++)
		hears[i] = 3;
	up(PHONES);
	r = med_room_open(m);
	set(r, hears, PHONES);
	settle();
	talk_ms(600);
	assert_matrix(hears, PHONES);
	med_room_close(m, r);
	down();
}

TEST(a_leg_that_goes_leaves_the_others_as_they_were)
{
	static const uint32_t hears[] = {1 << 2, 1 << 0 | 1 << 2, 1 << 0 | 1 << 1};
	struct mroom *r;

	up(3);
	r = med_room_open(m);
	set(r, hears, 3);
	settle();
	med_leg_close(m, leg[1]);
	settle();
	talk_ms(400);
	static const uint32_t now[] = {1 << 2, 0, 1 << 0};

	assert_matrix(now, 3);
	struct med_room_member gone[] = {{leg[0], 0}, {leg[1], 0}};

	assert_int_equal(med_room_set(m, r, gone, 2), -ENOENT);
	assert_int_equal(med_room_set(m, r, gone, MED_ROOM_MAX + 1), -EINVAL);
	/* and a bridge takes legs out of a room */
	assert_int_equal(med_bridge(m, leg[0], leg[2]), 0);
	settle();
	talk_ms(200);
	assert_matrix(now, 3);
	med_room_close(m, r);
	down();
}

static const char *name_of(unsigned i)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/huawu-room-test-%d/%u.wav", (int)getpid(), i);
	return path;
}

static struct {
	int16_t left[PHONE_HEARD], right[PHONE_HEARD];
	unsigned n;
} wav;

static void wav_read(const char *path)
{
	static uint8_t f[2 * PHONE_HEARD + 58];
	FILE *h = fopen(path, "rb");
	size_t n;

	assert_non_null(h);
	n = fread(f, 1, sizeof(f), h);
	(void)fclose(h);
	wav.n = (unsigned)((n - 58) / 2);
	for (unsigned i = 0; i < wav.n; i++) {
		wav.left[i] = alaw_to_pcm(f[58 + 2 * i]);
		wav.right[i] = alaw_to_pcm(f[59 + 2 * i]);
	}
}

TEST(a_recording_has_what_the_customer_hears_and_no_whisper)
{
	/* customer 0, agent 1, whisperer 2, joined 3 */
	static const uint32_t hears[] = {1 << 1 | 1 << 3, 1 << 0 | 1 << 2 | 1 << 3, 1 << 0 | 1 << 1, 1 << 0 | 1 << 1};
	struct mroom *r;
	char cmd[128];

	up(4);
	assert_int_equal(med_bridge(m, leg[0], leg[1]), 0);
	talk_ms(100);
	assert_int_equal(med_record(m, 5, leg[0], leg[1], name_of(0)), 0);
	talk_ms(400);
	r = med_room_open(m);
	set(r, hears, 4);
	talk_ms(900);
	med_record_stop(m, 5);
	for (int i = 0; i < 6000 && !rec_closed; i++)
		run_ms(5);
	assert_true(rec_closed);
	wav_read(name_of(0));
	assert_true(wav.n > 8000);
	/* before the room: the agent alone; in it agent and who joined; the customer alone on the left all the time */
	assert_true(level(wav.right, 2400, hz_of(1)) > 0.8);
	assert_true(level(wav.right, 2400, hz_of(3)) < 0.02);
	assert_true(level(wav.left, wav.n, hz_of(0)) > 0.8);
	assert_true(level(wav.left, wav.n, hz_of(1)) < 0.02);
	assert_true(level(wav.right + wav.n / 2 / FRAME * FRAME, wav.n / 3, hz_of(1)) > 0.3);
	assert_true(level(wav.right + wav.n / 2 / FRAME * FRAME, wav.n / 3, hz_of(3)) > 0.3);
	for (unsigned i = 0; i < 4; i += 2) {
		assert_true(level(wav.right, wav.n, hz_of(i)) < 0.02);
		assert_true(i == 0 || level(wav.left, wav.n, hz_of(i)) < 0.02);
	}
	med_room_close(m, r);
	down();
	(void)snprintf(cmd, sizeof(cmd), "rm -rf /tmp/huawu-room-test-%d", (int)getpid());
	assert_int_equal(system(cmd), 0);
}

TEST(three_loud_voices_are_as_loud_as_can_be_and_never_wrap)
{
	static const uint32_t hears[] = {1 << 1 | 1 << 2 | 1 << 3, 0, 0, 0};
	uint8_t loud[FRAME];
	struct mroom *r;

	up(4);
	r = med_room_open(m);
	set(r, hears, 4);
	memset(loud, alaw_of(30000), sizeof(loud));
	g711_convert(loud, FRAME, LAW_ALAW, LAW_ALAW);
	talk_ms(20);
	p[0].n = 0;
	for (int i = 0; i < 40; i++) {
		for (unsigned k = 1; k < 4; k++) {
			uint8_t f[FRAME];

			memcpy(f, loud, sizeof(f));
			g711_convert(f, FRAME, LAW_ALAW, p[k].pt == LAW_ULAW ? LAW_ULAW : LAW_ALAW);
			phone_send_raw(&p[k], p[k].pt, f, FRAME);
			p[k].ts += FRAME;
		}
		run_ms(20);
		phone_hear(&p[0]);
	}
	/* 3 * 30,000 does not fit into 16 bits: the highest value of A-law is 32,256; a wrap would be below zero */
	unsigned top = 0;

	for (unsigned i = 0; i < p[0].n; i++) {
		top += p[0].pcm[i] == 32256;
		if (i > 40 * 20)
			assert_true(p[0].pcm[i] >= -8000);
	}
	assert_true(top > 10 * FRAME);
	down();
	(void)r;
}

TEST(a_prompt_goes_before_the_room_and_digits_pass_it)
{
	static const uint32_t hears[] = {1 << 1, 1 << 0, 1 << 0 | 1 << 1};
	uint8_t digit[4] = {5, 10, 0, 160};
	struct mroom *r;

	up(3);
	r = med_room_open(m);
	set(r, hears, 3);
	settle();
	assert_int_equal(med_tone(m, leg[0], MED_TONE_RINGBACK), 0);
	settle();
	talk_ms(200);
	assert_true(level(p[0].pcm, p[0].n, hz_of(1)) < 0.02);
	assert_true(level(p[0].pcm, p[0].n, 450) > 0.9);
	med_stop(m, leg[0]);
	settle();
	talk_ms(200);
	assert_true(level(p[0].pcm, p[0].n, hz_of(1)) > 0.8);
	phone_send_raw(&p[1], 96, digit, sizeof(digit));
	for (int i = 0; i < 6000 && !(p[0].dtmf && p[2].dtmf); i++) {
		run_ms(5);
		for (unsigned k = 0; k < 3; k++)
			phone_hear(&p[k]);
	}
	assert_int_equal(p[0].dtmf, 1);
	assert_int_equal(p[0].dtmf_event, 5);
	assert_int_equal(p[2].dtmf, 1);
	assert_int_equal(p[1].dtmf, 0);
	med_room_close(m, r);
	down();
}
