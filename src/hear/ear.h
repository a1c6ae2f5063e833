/*
 * The ear: short-time spectra of a sound, 100 a second, and what all of hear/ takes from them. Private to hear/.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hear/hear.h"

#define EAR_HOP 80     /* samples from one frame to the next: 10 ms */
#define EAR_WINDOW 256 /* Hann; bins of 31.25 Hz */
#define EAR_BINS (EAR_WINDOW / 2)
#define EAR_BANDS 33   /* of equal width on the mel scale, 300 to 3400 Hz */

struct ear_frame {
	float band[EAR_BANDS]; /* energies */
	float energy;          /* of 200 to 3600 Hz, as the mean square of samples */
	float hz[2], share[2]; /* the loudest two peaks, and their shares of the energy */
};

struct ear {
	int16_t ring[EAR_WINDOW];
	unsigned at, due; /* next place; samples until the next frame */
};

void ear_init(struct ear *e);
/** Takes samples until a frame is complete, and answers how many; *@ready says whether it is. */
unsigned ear_feed(struct ear *e, struct ear_frame *f, bool *ready, const int16_t *pcm, unsigned n);
