/* Listening to a leg: packets in, verdicts and a small file out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"
#include "hear/voice_test.h"
#include "loop/loop.h"
#include "media/media_int.h"
#include "media/phone_test.h"

#define SPEECH VOICE_S(4)

static struct media *m;
static struct phone a;
static struct med_heard heard[32];
static unsigned n_heard, n_stats;
static bool heard_after_stats;
static int16_t speech[SPEECH];

static void on_event(const struct med_event *ev, void *arg)
{
	n_stats += ev->type == MED_EV_STATS;
	if (ev->type != MED_EV_HEARD)
		return;
	assert_int_equal(ev->cookie, 7);
	heard_after_stats |= n_stats > 0;
	if (n_heard < ARRAY_LEN(heard))
		heard[n_heard++] = ev->heard;
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

static void book_free(void *b)
{
	hear_book_free(b);
}

/* One announcement is taught: speaker 1 saying words 1 means that the telephone is off. */
static struct snap *taught(void)
{
	struct hear_print *p;
	struct hear_book *b;

	voice_say(speech, SPEECH, 1, 1);
	assert_int_equal(hear_print_new(&p, speech, SPEECH), 0);
	assert_int_equal(hear_book_new(&b, &(struct hear_taught){.id = 5, .class = HEAR_C_OFF, .print = p}, 1), 0);
	hear_print_free(p);
	return snap_new(b, book_free);
}

static med_leg up(void)
{
	uint16_t port = (uint16_t)(20000 + (getpid() * 37 % 160) / 20 * 20);
	struct media_conf c = {.bind = "127.0.0.1", .port_min = port, .port_max = (uint16_t)(port + 39)};
	char offer[1024], answer[MED_SDP_MAX];
	med_leg l;
	int n;

	n_heard = n_stats = 0;
	heard_after_stats = false;
	assert_int_equal(loop_process_init(), 0);
	assert_int_equal(media_start(&m, &c, on_event, NULL), 0);
	med_hear_book(m, taught());
	phone_open(&a, 450, 0x11111111);
	n = phone_sdp(&a, offer, sizeof(offer), "8 0 96", "sendrecv");
	assert_int_equal(med_leg_open(m, &l, MED_PLAIN, 7), 0);
	assert_int_equal(med_leg_answer(m, l, offer, (size_t)n, answer, sizeof(answer)), 0);
	phone_aim(&a, answer);
	return l;
}

static void down(void)
{
	phone_close(&a);
	media_stop(m);
	m = NULL;
	loop_process_done();
}

/* As fast as it is taken: where sound lies say its timestamps. */
static void send_sound(const int16_t *pcm, unsigned n, unsigned lost_each)
{
	uint8_t f[160];

	g711_tables();
	for (unsigned i = 0; i + 160 <= n; i += 160) {
		for (unsigned k = 0; k < 160; k++)
			f[k] = alaw_of(pcm[i + k]);
		if (lost_each && i / 160 % lost_each == 3)
			a.seq++;
		else
			phone_send_raw(&a, 8, f, 160);
		a.ts += 160;
		if (i / 160 % 8 == 0)
			run_ms(2);
	}
}

static void wait_heard(unsigned count)
{
	for (int i = 0; i < 6000 && n_heard < count; i++)
		run_ms(5);
	assert_true(n_heard >= count);
}

static void wait_stats(void)
{
	for (int i = 0; i < 6000 && !n_stats; i++)
		run_ms(5);
	assert_int_equal(n_stats, 1);
}

TEST(an_announcement_is_told_with_its_sample_and_the_file_ends_with_it)
{
	char path[] = "/tmp/huawu-listen-XXXXXX", file[64];
	static int16_t busy[VOICE_S(3)];
	uint8_t *back = NULL, head[200000];
	size_t n = 0, size;
	med_leg l;
	FILE *f;

	assert_non_null(mkdtemp(path));
	(void)snprintf(file, sizeof(file), "%s/a/b/early.wav", path);
	l = up();
	assert_int_equal(med_leg_hear(m, l, &(struct med_hear_ask){.keep = file, .known_too = true}), 0);
	send_sound(speech, SPEECH, 20);
	wait_heard(1);
	while (heard[n_heard - 1].verdict.kind != HEAR_TAUGHT)
		wait_heard(n_heard + 1);
	assert_int_equal(heard[n_heard - 1].verdict.class, HEAR_C_OFF);
	assert_int_equal(heard[n_heard - 1].verdict.sample, 5);
	assert_false(heard[n_heard - 1].last);
	for (unsigned i = 0; i < ARRAY_LEN(busy); i++)
		busy[i] = (int16_t)(8000 * sin(2 * M_PI * 450 * i / 8000));
	send_sound(busy, ARRAY_LEN(busy), 0); /* what comes afterwards is not kept */
	med_leg_close(m, l);
	wait_stats();
	assert_false(heard_after_stats);
	assert_true(heard[n_heard - 1].last);
	assert_int_equal(heard[n_heard - 1].verdict.kind, HEAR_TAUGHT);
	assert_in_range(heard[n_heard - 1].kept_ms, 3300, 4100);
	f = fopen(file, "rb");
	assert_non_null(f);
	size = fread(head, 1, sizeof(head), f);
	(void)fclose(f);
	assert_int_equal(size, heard[n_heard - 1].bytes);
	assert_int_equal(mprompt_wav(&back, &n, head, size), 0); /* as our own reader takes it */
	assert_int_equal(n, (size_t)heard[n_heard - 1].kept_ms * 8);
	free(back);
	down();
	assert_int_equal(unlink(file), 0);
}

TEST(ringing_is_told_and_the_last_word_comes_when_listening_ends)
{
	static int16_t ring[VOICE_S(3)];
	med_leg l = up();

	for (unsigned i = 0; i < VOICE_S(1); i++)
		ring[i] = (int16_t)(8000 * sin(2 * M_PI * 450 * i / 8000));
	assert_int_equal(med_leg_hear(m, l, &(struct med_hear_ask){0}), 0);
	send_sound(ring, ARRAY_LEN(ring), 0);
	wait_heard(1);
	assert_int_equal(heard[0].verdict.kind, HEAR_RINGBACK);
	med_leg_hear_end(m, l, false);
	wait_heard(2);
	assert_true(heard[1].last);
	assert_int_equal(heard[1].verdict.kind, HEAR_RINGBACK);
	assert_int_equal(heard[1].bytes, 0);
	med_leg_hear_end(m, l, false); /* twice is no harm */
	med_leg_close(m, l);
	wait_stats();
	assert_int_equal(n_heard, 2);
	down();
}

TEST(nothing_heard_leaves_no_file)
{
	char file[64];
	med_leg l = up();

	(void)snprintf(file, sizeof(file), "/tmp/huawu-listen-%d.wav", getpid());
	assert_int_equal(med_leg_hear(m, l, &(struct med_hear_ask){.keep = file, .known_too = true}), 0);
	med_leg_close(m, l);
	wait_stats();
	assert_int_equal(n_heard, 1);
	assert_true(heard[0].last);
	assert_int_equal(heard[0].verdict.kind, HEAR_NOTHING);
	assert_int_equal(heard[0].kept_ms, 0);
	assert_int_not_equal(access(file, F_OK), 0);
	assert_int_equal(med_leg_hear(m, l, &(struct med_hear_ask){0}), -ENOENT);
	down();
}

TEST(listening_to_the_end_of_the_program_leaves_nothing_behind)
{
	med_leg l = up();

	assert_int_equal(med_leg_hear(m, l, &(struct med_hear_ask){.keep = "/tmp/huawu-never.wav"}), 0);
	assert_int_equal(med_leg_hear(m, l, &(struct med_hear_ask){0}), 0); /* anew: the first one's last word, no file */
	wait_heard(1);
	assert_true(heard[0].last);
	down();
}
