/*
 * Fingerprints: one word of 32 bits each 20 ms. Private to hear/.
 *
 * J. Haitsma, T. Kalker: A Highly Robust Audio Fingerprinting System, ISMIR 2002, 107-115. A bit says whether the difference of two
 * neighbouring bands' energies has grown since a moment ago: no gain and hardly a filter or a codec changes that. Ours is fitted to the
 * telephone: bands over 300 to 3400 Hz and energies of short spectra smoothed over PRINT_SMOOTH frames, where theirs has one
 * spectrum of 370 ms, so that tones and fingerprints share one transform.
 */
#pragma once

#include "hear/ear.h"

#ifndef PRINT_SMOOTH
#define PRINT_SMOOTH 32 /* frames, Hann: 320 ms */
#define PRINT_LAG 3    /* words back to the moment that energies are compared with */
#endif
#define PRINT_STEP 2   /* frames a word */
#define PRINT_MS 20

struct printer {
	float band[PRINT_SMOOTH][EAR_BANDS];
	float energy[PRINT_SMOOTH];
	float diff[PRINT_LAG + 1][32]; /* of the words before */
	unsigned frames, words;
};

struct print_word {
	uint32_t bits;
	float energy; /* smoothed alike; mean square */
};

void printer_init(struct printer *p);
/** One more frame of the ear. True when a word is complete. */
bool printer_feed(struct printer *p, struct print_word *w, const struct ear_frame *f);

struct hear_print {
	uint32_t n;
	uint32_t *bits;
	uint8_t *loud; /* a word each: 1 where there is sound, 0 in pauses, whose bits are noise's */
};
