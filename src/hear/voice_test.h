/*
 * Speech-like sound for tests: syllables of harmonics under three resonances, with pauses. The same speaker saying the same words is the same
 * sound; nothing is said.
 */
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/rng.h"

#define VOICE_S(s) ((unsigned)((s) * 8000))

/* One syllable of @n samples into @pcm. */
static inline void voice_syllable(int16_t *pcm, unsigned n, double pitch, struct rng *r)
{
	double formant[3] = {300 + 600 * rng_unit(r), 900 + 1400 * rng_unit(r), 2300 + 900 * rng_unit(r)};
	double rise = 0.8 + 0.4 * rng_unit(r), glide = 0.8 + 0.4 * rng_unit(r), phase = 0;

	for (unsigned i = 0; i < n; i++) {
		double at = (double)i / n, f0 = pitch * (1 + (rise - 1) * at), envelope = sin(M_PI * at), x = 0;

		phase += 2 * M_PI * f0 / 8000;
		for (unsigned h = 1; h * f0 < 3400; h++) {
			double a = 0.02;

			for (unsigned k = 0; k < 3; k++) {
				double off = (h * f0 - formant[k] * (1 + (glide - 1) * at)) / 120;

				a += (k ? 0.5 : 1) / (1 + off * off);
			}
			x += a * sin(phase * h);
		}
		pcm[i] = (int16_t)(2500 * envelope * x);
	}
}

/** @n samples of @speaker saying @words (a seed each). Begins and ends with 100 ms of silence. */
static inline void voice_say(int16_t *pcm, unsigned n, unsigned speaker, unsigned words)
{
	struct rng r, who;
	unsigned at = 800;
	double pitch;

	rng_init(&who, speaker);
	rng_init(&r, words);
	pitch = 110 + 130 * rng_unit(&who);
	memset(pcm, 0, n * sizeof(*pcm));
	while (at + 800 < n) {
		unsigned len = 1000 + (unsigned)rng_below(&r, 1000);

		if (at + len + 800 > n)
			len = n - 800 - at;
		voice_syllable(pcm + at, len, pitch, &r);
		at += len + (rng_below(&r, 5) ? 80 : 1200);
	}
}
