/* Tones by frequency and cadence. Private to hear/. */
#pragma once

#include "hear/ear.h"

#define TONE_RUNS 8

struct tone_run {
	float hz;
	int on_ms, off_ms;  /* the tone, and the pause after it */
	bool quiet;         /* the pause was one: next to nothing sounded */
};

struct tone {
	struct tone_run run[TONE_RUNS]; /* the last one is open */
	unsigned runs;
	bool on;
	int ms, other_ms;               /* of this state; since when the other one seems to be there */
	float top, hz_sum, other_hz;    /* of this tone: its loudest frame, its frequencies */
	unsigned hz_n;
	float off_energy;               /* sum over the pause */
	enum hear_kind told;            /* by the frame before */
};

void tone_init(struct tone *t);
/** One more frame. What the cadence says from now on; HEAR_NOTHING: nothing new. */
enum hear_kind tone_feed(struct tone *t, const struct ear_frame *f);
/** Whether a tone sounds now. */
bool tone_sounds(const struct tone *t);
