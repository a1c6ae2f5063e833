/*
 * Speech-like sound: syllables of a buzz through three formant filters, with the four tones and the rhythm of Mandarin, and
 * nothing said. Enough for ears to know it for a voice, for a wave form to look like one, and for pauses to be pauses.
 */
#include "sim/net_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <rem_g711.h>

#define PATIENCE 150 /* frames: 3 s */
#define PHRASES 24
#define RATE 8000.0
#define SILENCE 0xd5 /* A-law of zero */
#define PEAK 14000.0

struct voice {
	double f0, tract; /* pitch in Hz; formants are multiplied by tract (1: a man's) */
	uint8_t *phrase[PHRASES];
	size_t len[PHRASES];
};

struct voices {
	unsigned n;
	struct voice v[];
};

/* First three formants in Hz; textbook values for a, e, i, o, u, ü as Mandarin has them. */
static const double vowels[][3] = {
	{850, 1250, 2600}, {520, 1250, 2500}, {300, 2250, 2950}, {550, 900, 2450}, {350, 750, 2400}, {300, 1950, 2350},
};
/* Pitch at start, middle and end of each tone, as a share of the voice's own. */
static const double tones[][3] = {{1.25, 1.25, 1.24}, {0.95, 1.05, 1.3}, {0.95, 0.75, 0.9}, {1.35, 1.1, 0.8}};

struct resonator {
	double a, b, c, y1, y2;
};

static void resonator_set(struct resonator *r, double hz, double width)
{
	r->c = -exp(-2 * M_PI * width / RATE);
	r->b = 2 * exp(-M_PI * width / RATE) * cos(2 * M_PI * hz / RATE);
	r->a = 1 - r->b - r->c;
}

static double resonator_run(struct resonator *r, double x)
{
	double y = r->a * x + r->b * r->y1 + r->c * r->y2;

	r->y2 = r->y1;
	r->y1 = y;
	return y;
}

static double between(struct rng *r, double min, double max)
{
	return min + (max - min) * rng_unit(r);
}

/* Rises over the first tenth, falls over the last third: no click at either end. */
static double envelope(double at)
{
	if (at < 0.1)
		return at / 0.1;
	return at > 0.66 ? (1 - at) / 0.34 : 1;
}

/* One syllable of @n samples, added to @out; the first @hiss samples are a consonant's noise. */
static void syllable(double *out, size_t n, size_t hiss, const struct voice *v, struct rng *r)
{
	const double *f = vowels[rng_below(r, ARRAY_LEN(vowels))], *tone = tones[rng_below(r, ARRAY_LEN(tones))];
	struct resonator res[3] = {0}, mouth = {0};
	double phase = 0, loud = between(r, 0.6, 1), last = 0, lips = 0;

	for (int i = 0; i < 3; i++)
		resonator_set(&res[i], f[i] * v->tract, 60 + 40 * i);
	resonator_set(&mouth, 100, 500);
	for (size_t i = 0; i < hiss; i++) {
		double noise = between(r, -1, 1);

		out[i] += (noise - last) * 0.05 * envelope((double)i / (double)hiss);
		last = noise;
	}
	for (size_t i = 0; i + hiss < n; i++) {
		double at = (double)i / (double)(n - hiss), pulse = 0, x;
		double bend = at < 0.5 ? tone[0] + (tone[1] - tone[0]) * at * 2 : tone[1] + (tone[2] - tone[1]) * (at * 2 - 1);

		phase += v->f0 * bend / RATE;
		if (phase >= 1) {
			phase -= 1;
			pulse = 30;
		}
		x = resonator_run(&mouth, pulse + between(r, -0.1, 0.1));
		for (int k = 0; k < 3; k++)
			x = resonator_run(&res[k], x);
		out[hiss + i] += (x - 0.97 * lips) * loud * envelope(at);
		lips = x;
	}
}

static uint8_t *phrase_make(size_t *len, const struct voice *v, struct rng *r)
{
	unsigned syllables = 3 + (unsigned)rng_below(r, 9);
	size_t max = (syllables + 1) * (size_t)(RATE * 0.36), n = 0;
	double *pcm = xcalloc(max, sizeof(*pcm)), peak = 1e-9;
	uint8_t *alaw;

	for (unsigned i = 0; i < syllables; i++) {
		size_t hiss = rng_below(r, 3) ? (size_t)between(r, 250, 600) : 0;
		size_t one = hiss + (size_t)between(r, 0.11 * RATE, 0.24 * RATE);

		syllable(pcm + n, one, hiss, v, r);
		n += one + (rng_below(r, 4) ? 0 : (size_t)between(r, 100, 400));
	}
	n = (n + NET_FRAME - 1) / NET_FRAME * NET_FRAME;
	for (size_t i = 0; i < n; i++)
		peak = fmax(peak, fabs(pcm[i]));
	alaw = xcalloc(n, 1);
	for (size_t i = 0; i < n; i++)
		alaw[i] = g711_pcm2alaw((int16_t)(pcm[i] / peak * PEAK));
	free(pcm);
	*len = n;
	return alaw;
}

struct voices *voices_new(unsigned n, uint64_t seed)
{
	struct voices *all = xcalloc(1, sizeof(*all) + n * sizeof(all->v[0]));
	struct rng r;

	rng_init(&r, seed);
	all->n = n;
	for (unsigned i = 0; i < n; i++) {
		struct voice *v = &all->v[i];
		bool woman = i % 2;

		v->f0 = woman ? between(&r, 190, 240) : between(&r, 95, 135);
		v->tract = woman ? between(&r, 1.12, 1.2) : between(&r, 0.95, 1.03);
		for (int k = 0; k < PHRASES; k++)
			v->phrase[k] = phrase_make(&v->len[k], v, &r);
	}
	return all;
}

void voices_free(struct voices *all)
{
	if (!all)
		return;
	for (unsigned i = 0; i < all->n; i++)
		for (int k = 0; k < PHRASES; k++)
			free(all->v[i].phrase[k]);
	free(all);
}

void speaker_init(struct speaker *s, const struct voices *v, unsigned voice, uint64_t seed)
{
	*s = (struct speaker){.voices = v, .voice = voice % v->n};
	rng_init(&s->rng, seed);
	s->pause = 10 + (int)rng_below(&s->rng, 60);
}

/* After a phrase: a breath, or the other's turn. */
static int pause_after_phrase(struct speaker *s)
{
	return rng_below(&s->rng, 100) < 45 ? 8 + (int)rng_below(&s->rng, 14) : 45 + (int)rng_below(&s->rng, 90);
}

void speaker_frame(struct speaker *s, bool other, uint8_t out[NET_FRAME])
{
	const struct voice *v = &s->voices->v[s->voice];

	if (s->pause >= 0) {
		/* Whoever hears the other waits until he has been quiet for a moment, but not for ever: a noise is no speech. */
		s->patience++;
		if (other && s->pause < 15 && s->patience < PATIENCE)
			s->pause = 15 + (int)rng_below(&s->rng, 30);
		s->listened++;
		memset(out, SILENCE, NET_FRAME);
		if (--s->pause < 0) {
			s->phrase = (unsigned)rng_below(&s->rng, PHRASES);
			s->at = 0;
		}
		return;
	}
	memcpy(out, v->phrase[s->phrase] + s->at, NET_FRAME);
	s->spoken++;
	s->at += NET_FRAME;
	if (s->at >= v->len[s->phrase]) {
		s->pause = pause_after_phrase(s);
		s->patience = 0;
	}
}
