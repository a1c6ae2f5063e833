/* ITU-T Q.23 and Q.24 (the values for China and AT&T agree where both are given). Tones are made here, by the sine, not by the code. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "media/mdtmf.h"

static const double rows[] = {697, 770, 852, 941}, cols[] = {1209, 1336, 1477, 1633};
static const char keys[] = "123A456B789C*0#D";

#define MAX 80000
static int16_t pcm[MAX];
static unsigned n;
static char got[1000];

static void quiet(unsigned ms)
{
	memset(pcm + n, 0, ms * 8 * sizeof(*pcm));
	n += ms * 8;
}

/* Levels in dBm0; 0 dBm0 is a sine of 22827. */
static void tone(unsigned key, unsigned ms, double shift, double low_db, double high_db)
{
	double w = 2 * M_PI * rows[key / 4] * (1 + shift) / 8000, v = 2 * M_PI * cols[key % 4] * (1 + shift) / 8000;
	double l = 22827 * pow(10, low_db / 20), h = 22827 * pow(10, high_db / 20);

	for (unsigned i = 0; i < ms * 8; i++)
		pcm[n++] = (int16_t)(l * sin(w * i) + h * sin(v * i + 1));
}

static unsigned noise_seed = 1;
static void add_noise(double rms)
{
	for (unsigned i = 0; i < n; i++) { /* twelve uniform numbers are near enough to a normal one */
		double s = 0;

		for (int k = 0; k < 12; k++) {
			noise_seed = noise_seed * 1103515245 + 12345;
			s += (double)(noise_seed >> 8 & 0xffff) / 65536;
		}
		pcm[i] = (int16_t)(pcm[i] + (s - 6) * rms);
	}
}

static const char *detect(void)
{
	struct mdtmf d = {0};
	unsigned k = 0;

	for (unsigned i = 0; i < n; i += 160) {
		char c = mdtmf_feed(&d, pcm + i, n - i < 160 ? n - i : 160);

		if (c && k < sizeof(got) - 1)
			got[k++] = c;
	}
	got[k] = '\0';
	n = 0;
	return got;
}

TEST(all_digits_at_their_shortest_are_heard_once)
{
	for (unsigned offset = 0; offset < 102; offset += 7) {
		memset(pcm, 0, offset * sizeof(*pcm));
		n = offset;
		for (unsigned k = 0; k < 16; k++) {
			tone(k, 40, 0, -9, -7);
			quiet(40);
		}
		assert_string_equal(detect(), keys);
	}
}

TEST(frequencies_within_tolerance_are_taken_and_others_refused)
{
	for (unsigned k = 0; k < 16; k++)
		for (int sign = -1; sign <= 1; sign += 2) {
			tone(k, 100, sign * 0.015, -9, -7);
			quiet(100);
			assert_int_equal(detect()[0], keys[k]);
			tone(k, 100, sign * 0.035, -9, -7);
			quiet(100);
			assert_string_equal(detect(), "");
		}
}

TEST(levels_and_twist_as_q24_has_them)
{
	tone(5, 60, 0, -25, -25); /* the weakest that must be taken */
	quiet(60);
	tone(5, 60, 0, -3, -3);   /* and the loudest that fits into 16 bits */
	quiet(60);
	tone(5, 60, 0, -12, -8);  /* high 4 dB above low */
	quiet(60);
	tone(5, 60, 0, -8, -16);  /* low 8 dB above high */
	quiet(60);
	assert_string_equal(detect(), "5555");
	tone(5, 60, 0, -45, -45);
	quiet(60);
	tone(5, 60, 0, -25, -10);
	quiet(60);
	tone(5, 60, 0, -8, -25);
	quiet(60);
	assert_string_equal(detect(), "");
}

TEST(what_is_too_short_is_none_and_a_break_does_not_double_it)
{
	for (unsigned offset = 0; offset < 102; offset += 11) {
		memset(pcm, 0, offset * sizeof(*pcm));
		n = offset;
		tone(0, 23, 0, -9, -7);
		quiet(60);
		assert_string_equal(detect(), "");
		n = offset;
		tone(0, 60, 0, -9, -7);
		quiet(9);
		tone(0, 60, 0, -9, -7);
		quiet(60);
		assert_string_equal(detect(), "1");
	}
}

TEST(noise_15_db_below_does_not_hide_digits)
{
	for (unsigned k = 0; k < 16; k++) {
		tone(k, 60, 0, -9, -9);
		quiet(60);
	}
	add_noise(22827 * pow(10, -21.0 / 20) / sqrt(2)); /* -21 dBm0: 15 dB under the pair at -6 */
	assert_string_equal(detect(), keys);
}

/*
 * Talk-off. Speech has harmonics of one voice: pulses of a larynx through formants that move, with consonants of noise. Ten
 * minutes of such a voice from 80 to 300 Hz, with the formants wandering over the digits' own frequencies: no digit.
 */
TEST(a_voice_is_not_a_digit)
{
	struct mdtmf d = {0};
	double pitch = 0, f[3] = {500, 1200, 2400}, y1[3] = {0}, y2[3] = {0};
	unsigned found = 0, seed = 7;
	int16_t frame[160];

	for (unsigned k = 0; k < 30000; k++) {
		double hz = 190 + 110 * sin(k * 0.013), target[3];

		target[0] = 550 + 300 * sin(k * 0.051);
		target[1] = 1350 + 450 * sin(k * 0.037 + 1);
		target[2] = 2500 + 300 * sin(k * 0.029 + 2);
		for (unsigned i = 0; i < 160; i++) {
			double x = 0, out = 0;

			seed = seed * 1103515245 + 12345;
			pitch += hz / 8000;
			if (pitch >= 1) {
				pitch -= 1;
				x = 1;
			}
			if (k % 40 > 33) /* a consonant */
				x = ((double)(seed >> 8 & 0xffff) / 65536 - 0.5) * 0.3;
			for (unsigned r = 0; r < 3; r++) {
				double w = 2 * M_PI * (f[r] += (target[r] - f[r]) * 0.001) / 8000, q = 0.97;
				double y = x + 2 * q * cos(w) * y1[r] - q * q * y2[r];

				y2[r] = y1[r];
				y1[r] = y;
				out += y * (r ? 0.5 : 1);
			}
			out *= 3000;
			frame[i] = (int16_t)(out > 30000 ? 30000 : out < -30000 ? -30000 : out);
		}
		found += mdtmf_feed(&d, frame, 160) != 0;
	}
	assert_int_equal(found, 0);
}

TEST(the_tones_we_make_are_digits)
{
	for (unsigned k = 0; k < 16; k++) {
		mdtmf_tone(keys[k], 0, pcm + n, 800);
		n += 800;
		quiet(60);
	}
	assert_string_equal(detect(), keys);
}
