#include "hear/wav.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "hear/hear.h"

#define RATE_MAX 48000
#define MS_MAX (2 * HEAR_SOUND_MS_MAX)
#define SIDE 12     /* zero crossings of the low-pass at each side */
#define CUT 0.92    /* of half the lower rate */

enum { TAG_PCM = 1, TAG_ALAW = 6, TAG_ULAW = 7, TAG_EXTENSIBLE = 0xfffe };

struct wav {
	unsigned tag, channels, rate, bits;
	const uint8_t *data;
	size_t size;
};

static unsigned le16(const uint8_t *p)
{
	return (unsigned)p[1] << 8 | p[0];
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void format(struct wav *w, const uint8_t *p, size_t n)
{
	w->tag = le16(p);
	w->channels = le16(p + 2);
	w->rate = le32(p + 4);
	w->bits = le16(p + 14);
	if (w->tag == TAG_EXTENSIBLE && n >= 26) /* the subformat's first two bytes */
		w->tag = le16(p + 24);
}

/* Chunks up to the sound. A length that is too large, as a header that was never closed has, means: to the end. */
static bool chunks(struct wav *w, const uint8_t *p, size_t size)
{
	size_t off = 12;

	if (size < 12 || memcmp(p, "RIFF", 4) || memcmp(p + 8, "WAVE", 4))
		return false;
	while (size - off >= 8) {
		size_t n = le32(p + off + 4), room = size - off - 8;

		if (!memcmp(p + off, "data", 4)) {
			w->data = p + off + 8;
			w->size = n < room ? n : room;
			return w->rate != 0;
		}
		if (n > room)
			return false;
		if (!memcmp(p + off, "fmt ", 4)) {
			if (n < 16)
				return false;
			format(w, p + off + 8, n);
		}
		n += n & 1;
		if (n > room)
			return false;
		off += 8 + n;
	}
	return false;
}

/* ITU-T G.711; as numbers of 16 bits. */
static int alaw(uint8_t a)
{
	int v, e;

	a ^= 0x55;
	e = a >> 4 & 7;
	v = (a & 15) << 4 | 8;
	v = e ? (v + 0x100) << (e - 1) : v;
	return a & 0x80 ? v : -v;
}

static int ulaw(uint8_t u)
{
	int v;

	u = (uint8_t)~u;
	v = (((u & 15) << 3) + 0x84) << (u >> 4 & 7);
	return u & 0x80 ? 0x84 - v : v - 0x84;
}

static int sample(const struct wav *w, size_t i)
{
	return w->tag == TAG_PCM ? (int16_t)le16(w->data + 2 * i) : w->tag == TAG_ALAW ? alaw(w->data[i]) : ulaw(w->data[i]);
}

/* One channel of @frames. */
static float *mono(const struct wav *w, size_t frames)
{
	float *x = xcalloc(frames, sizeof(*x));

	for (size_t i = 0; i < frames; i++)
		for (unsigned c = 0; c < w->channels; c++)
			x[i] += (float)sample(w, i * w->channels + c) / (float)w->channels;
	return x;
}

/* A sinc under a Hann window, at @at of @x. @rate: of @x against HEAR_HZ, at least 1. */
static double between(const float *x, size_t n, double at, double rate)
{
	double side = SIDE * rate, sum = 0, weight = 0;
	size_t from = at > side ? (size_t)(at - side) + 1 : 0, to = at + side < (double)n ? (size_t)(at + side) : n - 1;

	for (size_t i = from; i <= to && i < n; i++) {
		double d = ((double)i - at) / rate * CUT, h = 0.5 + 0.5 * cos(M_PI * ((double)i - at) / side);
		double k = (fabs(d) < 1e-9 ? 1 : sin(M_PI * d) / (M_PI * d)) * h;

		sum += k * (double)x[i];
		weight += k;
	}
	return weight != 0 ? sum / weight : 0;
}

static int16_t to16(double v)
{
	return (int16_t)lrint(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
}

enum hear_wav hear_wav_read(int16_t **ret, size_t *n, const uint8_t *data, size_t size)
{
	struct wav w = {0};
	size_t frames, out;
	double rate;
	float *x;

	if (!chunks(&w, data, size))
		return HEAR_WAV_NONE;
	if (!(w.tag == TAG_PCM && w.bits == 16) && !((w.tag == TAG_ALAW || w.tag == TAG_ULAW) && w.bits == 8))
		return HEAR_WAV_CODEC;
	if (w.channels < 1 || w.channels > 2)
		return HEAR_WAV_CODEC;
	if (w.rate < HEAR_HZ || w.rate > RATE_MAX)
		return HEAR_WAV_RATE;
	frames = w.size / (w.bits / 8) / w.channels;
	out = (size_t)((uint64_t)frames * HEAR_HZ / w.rate);
	if (!out)
		return HEAR_WAV_EMPTY;
	if (out > (size_t)MS_MAX * (HEAR_HZ / 1000))
		return HEAR_WAV_LONG;
	rate = (double)w.rate / HEAR_HZ;
	x = mono(&w, frames);
	*ret = xcalloc(out, sizeof(**ret));
	for (size_t i = 0; i < out; i++)
		(*ret)[i] = w.rate == HEAR_HZ ? to16((double)x[i]) : to16(between(x, frames, (double)i * rate, rate));
	*n = out;
	free(x);
	return HEAR_WAV_OK;
}
