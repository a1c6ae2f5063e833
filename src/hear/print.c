#include "hear/print.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define WORDS_MAX (HEAR_SOUND_MS_MAX / PRINT_MS)
#define QUIET 1e-3f /* of the loudest word's energy: -30 dB, a pause */
#define FLOOR 100.0f /* mean square: -67 dBm0, nothing */

void printer_init(struct printer *p)
{
	memset(p, 0, sizeof(*p));
}

/* Hann over the last PRINT_SMOOTH frames. */
static const float *weights(void)
{
	static float w[PRINT_SMOOTH];

	if (w[PRINT_SMOOTH / 2] == 0) /* every thread would write the same */
		for (unsigned i = 0; i < PRINT_SMOOTH; i++)
			w[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * (i + 0.5) / PRINT_SMOOTH)) / (PRINT_SMOOTH / 2);
	return w;
}

static void smooth(const struct printer *p, float sum[EAR_BANDS], float *energy)
{
	const float *w = weights();

	memset(sum, 0, EAR_BANDS * sizeof(*sum));
	*energy = 0;
	for (unsigned i = 0; i < PRINT_SMOOTH; i++) {
		const float *band = p->band[(p->frames + i) % PRINT_SMOOTH];

		*energy += w[i] * p->energy[(p->frames + i) % PRINT_SMOOTH];
		for (unsigned b = 0; b < EAR_BANDS; b++)
			sum[b] += w[i] * band[b];
	}
}

bool printer_feed(struct printer *p, struct print_word *w, const struct ear_frame *f)
{
	float sum[EAR_BANDS], *now, *then;

	memcpy(p->band[p->frames % PRINT_SMOOTH], f->band, sizeof(f->band));
	p->energy[p->frames % PRINT_SMOOTH] = f->energy;
	p->frames++;
	if (p->frames % PRINT_STEP)
		return false;
	smooth(p, sum, &w->energy);
	now = p->diff[p->words % (PRINT_LAG + 1)];
	then = p->diff[(p->words + 1) % (PRINT_LAG + 1)]; /* the oldest */
	p->words++;
	w->bits = 0;
	for (unsigned b = 0; b < 32; b++) {
		now[b] = sum[b] - sum[b + 1];
		w->bits |= (uint32_t)(now[b] > then[b]) << b;
	}
	return true;
}

/* ---- a sound's print ---- */

static struct hear_print *print_alloc(uint32_t n)
{
	struct hear_print *p = xcalloc(1, sizeof(*p));

	p->n = n;
	p->bits = xcalloc(n, sizeof(*p->bits));
	p->loud = xcalloc(n, 1);
	return p;
}

void hear_print_free(struct hear_print *p)
{
	if (!p)
		return;
	free(p->bits);
	free(p->loud);
	free(p);
}

int32_t hear_print_ms(const struct hear_print *p)
{
	return (int32_t)p->n * PRINT_MS;
}

/* All words of a sound; answers how many. @w holds n / (EAR_HOP * PRINT_STEP) + 1. */
static uint32_t words_of(struct print_word *w, const int16_t *pcm, size_t n)
{
	struct printer *p = xcalloc(1, sizeof(*p));
	struct ear_frame f;
	struct ear e;
	uint32_t words = 0;
	bool ready;

	ear_init(&e);
	printer_init(p);
	while (n) {
		unsigned took = ear_feed(&e, &f, &ready, pcm, n > EAR_HOP ? EAR_HOP : (unsigned)n);

		pcm += took;
		n -= took;
		if (ready && printer_feed(p, &w[words], &f))
			words++;
	}
	free(p);
	return words;
}

/* What lies between the silence at both ends. */
static void trim(const struct print_word *w, uint32_t *from, uint32_t *to, float floor)
{
	while (*from < *to && w[*from].energy <= floor)
		++*from;
	while (*to > *from && w[*to - 1].energy <= floor)
		--*to;
}

int hear_print_new(struct hear_print **ret, const int16_t *pcm, size_t n)
{
	struct print_word *w;
	struct hear_print *p;
	uint32_t from = 0, to;
	float top = 0;

	if (n > (size_t)HEAR_SOUND_MS_MAX * 2 * (HEAR_HZ / 1000))
		return -ERANGE;
	w = xcalloc(n / (EAR_HOP * PRINT_STEP) + 1, sizeof(*w));
	to = words_of(w, pcm, n);
	for (uint32_t i = 0; i < to; i++)
		top = fmaxf(top, w[i].energy);
	trim(w, &from, &to, fmaxf(top * QUIET, FLOOR));
	if (to - from < HEAR_SOUND_MS_MIN / PRINT_MS || to - from > WORDS_MAX) {
		free(w);
		return from == to ? -ENODATA : -ERANGE;
	}
	p = print_alloc(to - from);
	for (uint32_t i = from; i < to; i++) {
		p->bits[i - from] = w[i].bits;
		p->loud[i - from] = w[i].energy > fmaxf(top * QUIET, FLOOR);
	}
	free(w);
	*ret = p;
	return 0;
}

/* ---- as bytes: "HP1\n", count, then five bytes a word: bits, loud ---- */

static const char magic[4] = "HP1\n";
#define HEAD 8

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

size_t hear_print_size(const struct hear_print *p)
{
	return HEAD + (size_t)p->n * 5;
}

void hear_print_write(const struct hear_print *p, uint8_t *out)
{
	memcpy(out, magic, sizeof(magic));
	put32(out + 4, p->n);
	for (uint32_t i = 0; i < p->n; i++) {
		put32(out + HEAD + i * 5, p->bits[i]);
		out[HEAD + i * 5 + 4] = p->loud[i];
	}
}

int hear_print_read(struct hear_print **ret, const uint8_t *data, size_t n)
{
	struct hear_print *p;
	uint32_t words;

	if (n < HEAD || memcmp(data, magic, sizeof(magic)))
		return -EINVAL;
	words = get32(data + 4);
	if (words < HEAR_SOUND_MS_MIN / PRINT_MS || words > WORDS_MAX || n != HEAD + (size_t)words * 5)
		return -EINVAL;
	p = print_alloc(words);
	for (uint32_t i = 0; i < words; i++) {
		p->bits[i] = get32(data + HEAD + i * 5);
		p->loud[i] = data[HEAD + i * 5 + 4] != 0;
	}
	*ret = p;
	return 0;
}
