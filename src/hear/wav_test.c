/* WAV files made here byte by byte, by the RIFF specification; levels and frequencies by the sine. */
#include "hear/wav.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "hear/hear.h"

static uint8_t file[8 << 20];

static void le(uint8_t *p, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* Header of 44 bytes for @bytes of sound; answers the file's size. */
static size_t head(unsigned tag, unsigned channels, unsigned rate, unsigned bits, size_t bytes)
{
	memcpy(file, "RIFF....WAVEfmt ", 16);
	le(file + 4, (uint32_t)(bytes + 36), 4);
	le(file + 16, 16, 4);
	le(file + 20, tag, 2);
	le(file + 22, channels, 2);
	le(file + 24, rate, 4);
	le(file + 28, rate * channels * bits / 8, 4);
	le(file + 32, channels * bits / 8, 2);
	le(file + 34, bits, 2);
	memcpy(file + 36, "data", 4);
	le(file + 40, (uint32_t)bytes, 4);
	return 44 + bytes;
}

/* One second of a sine, in each channel. */
static size_t tone(unsigned channels, unsigned rate, double hz)
{
	for (unsigned i = 0; i < rate * channels; i++)
		le(file + 44 + 2 * i, (uint16_t)(int16_t)(10000 * sin(2 * M_PI * hz * (i / channels) / rate)), 2);
	return head(1, channels, rate, 16, rate * channels * 2);
}

/* Amplitude of @hz in what was read. */
static double amplitude(const int16_t *pcm, size_t n, double hz)
{
	double re = 0, im = 0;

	for (size_t i = 0; i < n; i++) {
		re += pcm[i] * cos(2 * M_PI * hz * (double)i / HEAR_HZ);
		im += pcm[i] * sin(2 * M_PI * hz * (double)i / HEAR_HZ);
	}
	return 2 * sqrt(re * re + im * im) / (double)n;
}

TEST(files_of_all_rates_become_8_khz_with_their_tone_as_it_was)
{
	static const unsigned rates[] = {8000, 11025, 16000, 22050, 32000, 44100, 48000};

	for (unsigned i = 0; i < ARRAY_LEN(rates); i++)
		for (unsigned channels = 1; channels <= 2; channels++) {
			int16_t *pcm = NULL;
			size_t n = 0;

			assert_int_equal(hear_wav_read(&pcm, &n, file, tone(channels, rates[i], 1000)), HEAR_WAV_OK);
			assert_int_equal(n, 8000);
			assert_in_range((long)amplitude(pcm, n, 1000), 9800, 10100); /* within 0.2 dB */
			free(pcm);
		}
}

TEST(what_does_not_fit_below_4_khz_is_left_out)
{
	int16_t *pcm = NULL;
	size_t n = 0;

	assert_int_equal(hear_wav_read(&pcm, &n, file, tone(1, 48000, 5000)), HEAR_WAV_OK);
	assert_in_range((long)amplitude(pcm, n, 3000), 0, 30); /* where 5000 Hz would fold to: 50 dB below */
	free(pcm);
}

TEST(laws_are_decoded_as_g711_has_them)
{
	int16_t *pcm = NULL;
	size_t n = 0, size = head(6, 1, 8000, 8, 4);

	/* G.711 tables 1a and 2a, in units of 16 bits: A-law 0xd5 is +8, 0x55 -8, 0xaa the largest, +32256 */
	memcpy(file + 44, "\xd5\x55\xaa\x2a", 4);
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_OK);
	assert_int_equal(pcm[0], 8);
	assert_int_equal(pcm[1], -8);
	assert_int_equal(pcm[2], 32256);
	assert_int_equal(pcm[3], -32256);
	free(pcm);
	size = head(7, 1, 8000, 8, 3);
	memcpy(file + 44, "\xff\x80\x00", 3); /* 0, the largest, the least */
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_OK);
	assert_int_equal(pcm[0], 0);
	assert_int_equal(pcm[1], 32124);
	assert_int_equal(pcm[2], -32124);
	free(pcm);
}

TEST(what_cannot_be_taken_is_refused_by_its_reason)
{
	int16_t *pcm = NULL;
	size_t n = 0, size;

	assert_int_equal(hear_wav_read(&pcm, &n, (const uint8_t *)"ID3", 3), HEAR_WAV_NONE);
	assert_int_equal(hear_wav_read(&pcm, &n, file, 0), HEAR_WAV_NONE);
	size = tone(1, 8000, 1000);
	assert_int_equal(hear_wav_read(&pcm, &n, file, 40), HEAR_WAV_NONE);
	assert_int_equal(hear_wav_read(&pcm, &n, file, 44), HEAR_WAV_EMPTY);
	le(file + 20, 2, 2); /* ADPCM */
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_CODEC);
	(void)head(1, 1, 8000, 24, 16000);
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_CODEC);
	(void)head(1, 6, 8000, 16, 16000);
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_CODEC);
	(void)head(1, 1, 4000, 16, 16000);
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_RATE);
	(void)head(1, 1, 96000, 16, 16000);
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_RATE);
	size = head(1, 1, 8000, 16, 2 * 8000 * 121);
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_LONG);
	assert_null(pcm);
	size = tone(1, 8000, 1000);
	le(file + 40, 0xffffffff, 4); /* never closed: to the end */
	assert_int_equal(hear_wav_read(&pcm, &n, file, size), HEAR_WAV_OK);
	assert_int_equal(n, 8000);
	free(pcm);
}
