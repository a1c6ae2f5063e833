/* Is it a voice, music, or nothing? Private to hear/. */
#pragma once

#include "hear/ear.h"

#define MOOD_FRAMES 200 /* two seconds */

struct mood {
	float energy[MOOD_FRAMES];
	float peak[MOOD_FRAMES];  /* share of the loudest peak */
	bool tonal[MOOD_FRAMES];  /* a tone by itself */
	unsigned n;               /* frames so far */
};

void mood_init(struct mood *m);
/** One more frame; HEAR_NOTHING, HEAR_VOICE or HEAR_MUSIC by the last two seconds, asked each quarter of one. True when it was asked. @tonal: the frame is a tone's. */
bool mood_feed(struct mood *m, enum hear_kind *ret, const struct ear_frame *f, bool tonal);
