/*
 * Digits in the sound (ITU-T Q.23), found within the tolerances of ITU-T Q.24, and made. Pure: no clock, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MDTMF_BLOCK 102 /* samples at 8 kHz: two whole blocks lie in any 40 ms, no two in 24 ms */
#define MDTMF_MS 40     /* what a digit told at once has lasted at least */

struct mdtmf {
	float s1[8], s2[8];      /* the eight filters */
	float energy;
	unsigned n;              /* samples in this block */
	float re[8], im[8];      /* of the block before */
	float p1[8], p2[8];      /* powers of the two blocks before */
	int hit, may;            /* of the block before: 0..15, -1 none; may: two in a row, in tune, not yet long enough */
	int digit;               /* sounding and told; -1: none */
	float power;             /* of its tones when it was told */
	unsigned gone;           /* blocks without it */
	bool begun;
};

/** @n samples at 8 kHz; answers a digit once, when it is sure, else 0. */
char mdtmf_feed(struct mdtmf *d, const int16_t *pcm, unsigned n);
/** Samples @at.. of the digit's two tones, -9 and -7 dBm0; @at counts from the tone's beginning. */
void mdtmf_tone(char digit, unsigned at, int16_t *pcm, unsigned n);
