/*
 * What is said of a recording: who spoke how long, how long nobody did. Computed from the samples as they are written, 20 ms at
 * a time; nothing is allocated, and a file of any length is the same work a second.
 *
 * A side is loud in a window of 20 ms when the mean of its samples' amounts is at least MFACTS_LOUD. It speaks from its first loud
 * window to its last with pauses of up to MFACTS_PAUSE windows between: the stops and breaths within speech are no silence.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "media/media.h"

#define MFACTS_WINDOW 160 /* samples: 20 ms */
#define MFACTS_LOUD 200   /* of 32768: -44 dB, above what lines and quiet rooms have, below soft speech */
#define MFACTS_PAUSE 20u  /* windows: 400 ms */

struct mfacts {
	uint32_t sum[2];
	unsigned n;          /* samples in the window that is open */
	uint64_t loud[2];    /* one bit a window, the newest lowest; pauses are filled when speech goes on */
	int64_t windows;     /* that were closed */
	int64_t told;        /* of them counted: MFACTS_PAUSE behind */
	int64_t side[2], both, quiet, longest, longest_at; /* windows */
};

/** @stereo: @samples pairs of A-law octets. In order; any thread, one at a time. */
void mfacts_put(struct mfacts *f, const uint8_t *stereo, size_t samples);
/** Closes: an unfinished window counts when it is at least half full. Nothing may be put afterwards. */
void mfacts_end(struct med_rec_facts *ret, struct mfacts *f);
