/*
 * Cadences are those of ITU-T E.180/Q.35, its supplement 2 and of China's standard; they are made here, by the sine. How well real (synthetic)
 * speech is known is measured by tests/hear/announcements.py.
 */
#include "hear/hear.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/test.h"
#include "hear/voice_test.h"

#define MAX (60 * 8000)
static int16_t pcm[MAX];
static unsigned n;

/* 0 dBm0 is a sine of 22827 (ITU-T G.711: full scale is +3.14 dBm0). */
static void sound(double hz, double hz2, unsigned ms, double dbm0)
{
	double a = 22827 * pow(10, dbm0 / 20);

	for (unsigned i = 0; i < ms * 8; i++, n++)
		pcm[n] = (int16_t)(a * sin(2 * M_PI * hz * n / 8000) + (hz2 > 0 ? a * sin(2 * M_PI * hz2 * n / 8000) : 0));
}

static void quiet(unsigned ms)
{
	memset(pcm + n, 0, ms * 8 * sizeof(*pcm));
	n += ms * 8;
}

static void cadence(double hz, double hz2, unsigned on, unsigned off, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		sound(hz, hz2, on, -10);
		quiet(off);
	}
}

static void say(unsigned ms, unsigned speaker, unsigned words)
{
	voice_say(pcm + n, ms * 8, speaker, words);
	n += ms * 8;
}

static void add_noise(double rms)
{
	struct rng r;

	rng_init(&r, 3);
	for (unsigned i = 0; i < n; i++) { /* twelve uniform numbers are near enough to a normal one */
		double s = 0;

		for (int k = 0; k < 12; k++)
			s += rng_unit(&r);
		pcm[i] = (int16_t)(pcm[i] + (s - 6) * rms);
	}
}

static bool hurry;
static struct hear_book *book;
static struct hear_print *prints[8];
static struct hear_taught taught[8];
static unsigned taught_n;

/* What was made is taught. */
static void teach(int64_t id, enum hear_class class)
{
	assert_int_equal(hear_print_new(&prints[taught_n], pcm, n), 0);
	taught[taught_n] = (struct hear_taught){.id = id, .class = class, .print = prints[taught_n]};
	taught_n++;
	n = 0;
}

/* All that was made is heard, in packets of 20 ms; the last word. */
static struct hear_verdict listen(void)
{
	struct hear_verdict v;
	struct hear *h;

	assert_int_equal(hear_book_new(&book, taught, taught_n), 0);
	h = hear_new(book);
	if (hurry)
		hear_hurry(h);
	hurry = false;
	for (unsigned i = 0; i < n; i += 160)
		(void)hear_feed(h, &v, pcm + i, n - i < 160 ? n - i : 160);
	hear_verdict(h, &v);
	hear_free(h);
	hear_book_free(book);
	n = 0;
	return v;
}

static void forget(void)
{
	while (taught_n)
		hear_print_free(prints[--taught_n]);
	n = 0;
}

/* ---- tones ---- */

TEST(ringing_tones_of_many_countries_are_ringback)
{
	cadence(450, 0, 1000, 4000, 1); /* China */
	assert_int_equal(listen().kind, HEAR_RINGBACK);
	cadence(425, 0, 1000, 4000, 2);
	assert_int_equal(listen().kind, HEAR_RINGBACK);
	cadence(440, 480, 2000, 4000, 1); /* North America */
	assert_int_equal(listen().kind, HEAR_RINGBACK);
	for (unsigned i = 0; i < 3; i++) { /* United Kingdom */
		sound(400, 450, 400, -10);
		quiet(200);
		sound(400, 450, 400, -10);
		quiet(2000);
	}
	assert_int_equal(listen().kind, HEAR_RINGBACK);
	cadence(440, 0, 1500, 3500, 1); /* France */
	assert_int_equal(listen().kind, HEAR_RINGBACK);
}

TEST(busy_and_congestion_are_told_apart_by_their_period)
{
	cadence(450, 0, 350, 350, 4);
	assert_int_equal(listen().kind, HEAR_BUSY);
	cadence(480, 620, 500, 500, 4);
	assert_int_equal(listen().kind, HEAR_BUSY);
	cadence(450, 0, 700, 700, 4);
	assert_int_equal(listen().kind, HEAR_CONGESTION);
	cadence(480, 620, 250, 250, 6);
	assert_int_equal(listen().kind, HEAR_CONGESTION);
}

TEST(tolerances_of_the_chinese_cadences_are_kept)
{
	/* GF 002-9002.1: 450 Hz within 25 Hz, times within 10 % */
	for (int sign = -1; sign <= 1; sign += 2) {
		cadence(450 + 25 * sign, 0, (unsigned)(350 + 35 * sign), (unsigned)(350 + 35 * sign), 4);
		assert_int_equal(listen().kind, HEAR_BUSY);
		cadence(450 + 25 * sign, 0, (unsigned)(700 + 70 * sign), (unsigned)(700 + 70 * sign), 4);
		assert_int_equal(listen().kind, HEAR_CONGESTION);
		cadence(450 + 25 * sign, 0, (unsigned)(1000 + 100 * sign), (unsigned)(4000 + 400 * sign), 1);
		assert_int_equal(listen().kind, HEAR_RINGBACK);
	}
}

TEST(the_unobtainable_tone_is_known_wherever_it_begins)
{
	for (unsigned from = 0; from < 1600; from += 200) {
		for (unsigned i = 0; i < 3; i++) {
			cadence(450, 0, 100, 100, 3);
			cadence(450, 0, 400, 400, 1);
		}
		memmove(pcm, pcm + from * 8, (n - from * 8) * sizeof(*pcm));
		n -= from * 8;
		assert_int_equal(listen().kind, HEAR_UNOBTAINABLE);
	}
}

TEST(the_special_information_tone_is_known_with_and_without_pauses)
{
	sound(950, 0, 330, -10);
	sound(1400, 0, 330, -10);
	sound(1800, 0, 330, -10);
	quiet(500);
	assert_int_equal(listen().kind, HEAR_SIT);
	sound(985.2, 0, 380, -10); /* North America, vacant circuit */
	quiet(20);
	sound(1370.6, 0, 276, -10);
	quiet(20);
	sound(1776.7, 0, 380, -10);
	quiet(500);
	assert_int_equal(listen().kind, HEAR_SIT);
	sound(1800, 0, 330, -10); /* the other way round it is none */
	sound(1400, 0, 330, -10);
	sound(950, 0, 330, -10);
	quiet(500);
	assert_int_not_equal(listen().kind, HEAR_SIT);
}

TEST(tones_are_known_from_minus_40_to_0_dbm0_and_in_noise)
{
	for (int level = -40; level <= 0; level += 8) {
		for (unsigned i = 0; i < 4; i++) {
			sound(450, 0, 350, level);
			quiet(350);
		}
		assert_int_equal(listen().kind, HEAR_BUSY);
	}
	cadence(450, 0, 350, 350, 5);
	add_noise(22827 * pow(10, -10 / 20.0) / sqrt(2) * pow(10, -15 / 20.0)); /* 15 dB below the tone */
	assert_int_equal(listen().kind, HEAR_BUSY);
}

TEST(other_frequencies_and_cadences_mean_nothing)
{
	cadence(1000, 0, 350, 350, 5);
	assert_int_equal(hear_result(&(struct hear_verdict){.kind = listen().kind})[0], '\0');
	cadence(450, 0, 350, 900, 5);
	assert_int_equal(hear_result(&(struct hear_verdict){.kind = listen().kind})[0], '\0');
	sound(450, 0, 8000, -10); /* a dial tone */
	assert_int_equal(listen().kind, HEAR_NOTHING);
	quiet(8000);
	assert_int_equal(listen().kind, HEAR_NOTHING);
}

/* ---- taught sounds ---- */

TEST(a_taught_sound_is_known_at_another_level_in_noise_and_where_it_lies)
{
	struct hear_verdict v;

	say(4000, 1, 1);
	teach(11, HEAR_C_OFF);
	say(4000, 1, 2);
	teach(12, HEAR_C_EMPTY);
	quiet(1230);
	say(4000, 1, 1);
	for (unsigned i = 0; i < n; i++)
		pcm[i] = (int16_t)(pcm[i] / 5);
	add_noise(40);
	quiet(500);
	v = listen();
	assert_int_equal(v.kind, HEAR_TAUGHT);
	assert_int_equal(v.class, HEAR_C_OFF);
	assert_int_equal(v.sample, 11);
	assert_in_range(v.at_ms, 1230 + 3500, 1230 + 4400); /* when it has been said to its end */
	assert_in_range(v.offset_ms, 3300, 4000);
	assert_in_range(v.confidence, 500, 1000);
	assert_string_equal(hear_result(&v), "off");
	forget();
}

TEST(what_nobody_taught_is_a_voice)
{
	say(4000, 1, 1);
	teach(11, HEAR_C_OFF);
	say(6000, 1, 3);
	assert_int_equal(listen().kind, HEAR_VOICE);
	say(6000, 2, 1); /* the same words by another speaker */
	assert_int_equal(listen().kind, HEAR_VOICE);
	forget();
}

TEST(the_same_beginning_with_another_end_is_not_taken_for_it)
{
	say(2500, 1, 1);
	say(1000, 1, 2);
	say(800, 1, 9);
	teach(11, HEAR_C_OFF);
	say(2500, 1, 1);
	say(1000, 1, 3);
	say(800, 1, 9);
	assert_int_equal(listen().kind, HEAR_VOICE);
	say(2500, 1, 1);
	say(1000, 1, 2);
	say(800, 1, 9);
	assert_int_equal(listen().kind, HEAR_TAUGHT);
	forget();
}

TEST(two_with_the_same_beginning_are_told_apart_by_their_ends)
{
	for (unsigned i = 0; i < 2; i++) {
		say(2500, 1, 1);
		say(1200, 1, 5 + i);
		teach(11 + i, i ? HEAR_C_EMPTY : HEAR_C_OFF);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct hear_verdict v;

		say(2500, 1, 1);
		say(1200, 1, 5 + i);
		quiet(300);
		v = listen();
		assert_int_equal(v.kind, HEAR_TAUGHT);
		assert_int_equal(v.sample, 11 + i);
	}
	forget();
}

TEST(an_announcement_after_ringing_and_before_the_busy_tone_is_what_counts)
{
	struct hear_verdict v;

	say(3000, 1, 1);
	teach(11, HEAR_C_NOANSWER);
	cadence(450, 0, 1000, 4000, 3);
	say(3000, 1, 1);
	cadence(450, 0, 350, 350, 5);
	v = listen();
	assert_int_equal(v.kind, HEAR_TAUGHT);
	assert_string_equal(hear_result(&v), "noanswer");
	forget();
}

TEST(in_a_hurry_two_seconds_are_enough)
{
	say(8000, 1, 1);
	teach(11, HEAR_C_ASSISTANT);
	for (unsigned i = 0; i < 2; i++) {
		say(8000, 1, 1);
		n = 8 * 3000;
		hurry = i;
		assert_int_equal(listen().kind, i ? HEAR_TAUGHT : HEAR_VOICE);
	}
	hurry = true;
	say(3000, 1, 2);
	assert_int_equal(listen().kind, HEAR_VOICE);
	forget();
}

TEST(lost_sound_keeps_its_place)
{
	struct hear_verdict v = {0};
	struct hear *h;

	say(4000, 1, 1);
	teach(11, HEAR_C_BUSY);
	assert_int_equal(hear_book_new(&book, taught, taught_n), 0);
	h = hear_new(book);
	say(4000, 1, 1);
	quiet(200);
	for (unsigned i = 0; i < n; i += 160)
		if (i / 160 % 20 == 7) /* 5 % */
			(void)hear_gap(h, &v, 160);
		else
			(void)hear_feed(h, &v, pcm + i, 160);
	hear_verdict(h, &v);
	assert_int_equal(v.kind, HEAR_TAUGHT);
	hear_free(h);
	hear_book_free(book);
	forget();
}

TEST(a_taught_ringback_only_rings)
{
	struct hear_verdict v;

	say(4000, 1, 1);
	teach(11, HEAR_C_RINGBACK);
	say(4000, 1, 1);
	quiet(300);
	v = listen();
	assert_int_equal(v.kind, HEAR_TAUGHT);
	assert_string_equal(hear_result(&v), "");
	forget();
}

/* ---- prints and books ---- */

TEST(a_print_survives_its_bytes_and_others_are_refused)
{
	struct hear_print *p, *q;
	uint8_t *a, *b;
	size_t size;

	say(3000, 1, 1);
	assert_int_equal(hear_print_new(&p, pcm, n), 0);
	size = hear_print_size(p);
	a = xcalloc(1, size);
	b = xcalloc(1, size);
	hear_print_write(p, a);
	assert_int_equal(hear_print_read(&q, a, size), 0);
	hear_print_write(q, b);
	assert_memory_equal(a, b, size);
	assert_int_equal(hear_print_ms(p), hear_print_ms(q));
	hear_print_free(q);
	assert_int_equal(hear_print_read(&q, a, size - 1), -EINVAL);
	assert_int_equal(hear_print_read(&q, a, 7), -EINVAL);
	a[0] = 'X';
	assert_int_equal(hear_print_read(&q, a, size), -EINVAL);
	a[0] = 'H';
	a[7] = 0xff; /* four thousand million words */
	assert_int_equal(hear_print_read(&q, a, size), -EINVAL);
	free(a);
	free(b);
	hear_print_free(p);
	n = 0;
}

TEST(what_is_too_short_too_long_or_silent_cannot_be_taught)
{
	struct hear_print *p;

	say(1200, 1, 1);
	assert_int_equal(hear_print_new(&p, pcm, n), -ERANGE);
	n = 0;
	quiet(5000);
	assert_int_equal(hear_print_new(&p, pcm, n), -ENODATA);
	n = 0;
	assert_int_equal(hear_print_new(&p, pcm, 0), -ENODATA);
}

TEST(classes_and_kinds_have_names)
{
	for (unsigned i = 1; i < HEAR_CLASSES; i++)
		assert_int_equal(hear_class_of(hear_class_name((enum hear_class)i)), i);
	assert_int_equal(hear_class_of("answered"), HEAR_C_NONE);
	assert_string_equal(hear_kind_name(HEAR_TAUGHT), "taught");
}
