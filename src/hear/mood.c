/*
 * Speech pauses between syllables and words; music seldom does. The share of frames with less than half the mean energy of their two seconds is
 * high in speech (E. Scheirer, M. Slaney: Construction and Evaluation of a Robust Multifeature Speech/Music Discriminator, ICASSP 1997,
 * "percentage of low-energy frames"). It is a hint for people, nothing is decided by it.
 */
#include "hear/mood.h"

#include <string.h>

#define FLOOR 1e4f      /* mean square of two seconds: -44 dBm0 */
#define EVERY 25        /* frames */
#define LOW 0.1f        /* of the mean energy: a pause */
#define LOW_SHARE 0.15f /* of all frames */
#define TONE_SHARE 0.85f /* of the energy in tonal frames: a tone and its pauses */
#define STEADY 0.5f     /* of the mean energy: what nine frames of ten have is a noise ... */
#define PLAIN 0.25f     /* ... unless its peaks have more than this of it */

void mood_init(struct mood *m)
{
	memset(m, 0, sizeof(*m));
}

static enum hear_kind judge(const struct mood *m)
{
	float sum = 0, tone = 0, peak = 0;
	unsigned low = 0, steady = 0;

	for (unsigned i = 0; i < MOOD_FRAMES; i++) {
		sum += m->energy[i];
		tone += m->tonal[i] ? m->energy[i] : 0;
		peak += m->peak[i] * m->energy[i];
	}
	for (unsigned i = 0; i < MOOD_FRAMES; i++) {
		low += m->energy[i] * MOOD_FRAMES < sum * LOW;
		steady += m->energy[i] * MOOD_FRAMES > sum * STEADY;
	}
	if (sum < FLOOR * MOOD_FRAMES || tone > TONE_SHARE * sum || (steady > MOOD_FRAMES * 9 / 10 && peak < PLAIN * sum))
		return HEAR_NOTHING;
	return low > LOW_SHARE * MOOD_FRAMES ? HEAR_VOICE : HEAR_MUSIC;
}

bool mood_feed(struct mood *m, enum hear_kind *ret, const struct ear_frame *f, bool tonal)
{
	m->energy[m->n % MOOD_FRAMES] = f->energy;
	m->peak[m->n % MOOD_FRAMES] = f->share[0];
	m->tonal[m->n % MOOD_FRAMES] = tonal;
	m->n++;
	if (m->n < MOOD_FRAMES || m->n % EVERY)
		return false;
	*ret = judge(m);
	return true;
}
