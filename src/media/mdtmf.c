#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "media/mdtmf.h"

static const unsigned tones[8] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};
static const char keys[] = "123A456B789C*0#D";

/*
 * Each block of 102 samples goes through eight Goertzel filters. A block is a hit when one low and one high tone
 *   - hold PURE of its energy: speech spreads over harmonics,
 *   - are 8 dB above the others of their group,
 *   - differ by no more than the twist (high up to 4 dB above low, 8 dB below, and what the filter's edge adds),
 *   - are louder than -32 dBm0 each.
 * Two hits in a row may be a digit when both tones, by how their phase went on from block to block, are within 2.5 % of their
 * names: Q.24 wants 1.5 % + 2 Hz taken and 3.5 % refused, and the filter alone is too wide to tell (78 Hz). They are one when the
 * tones filled LONG blocks of three in a row, cut ones counted by their amplitude: 40 ms fill 2.57 at least wherever they begin,
 * 24 ms two at most.
 * It is over when its tones are gone for two blocks: a break of 10 ms leaves none empty, a pause of 40 ms leaves two.
 */
#define PURE 0.70f
#define PURE_THERE 0.88
#define PEAK 6.3f
#define TWIST_HIGH 3.5f  /* 4 dB is 2.51; at the edge of the tolerated frequencies the filters differ by 1.1 dB */
#define TWIST_LOW 9.5f   /* 8 dB is 6.3 */
#define FREQ_TOL 0.025
#define LEVEL 573.0f     /* amplitude of -32 dBm0 per tone; full scale is +3.14 dBm0 */
#define GONE 0.1f
#define LONG 2.4

static float coeff(unsigned i)
{
	static float c[8];

	if (c[7] == 0) /* every thread would write the same */
		for (unsigned k = 8; k-- > 0;)
			c[k] = (float)(2 * cos(2 * M_PI * tones[k] / 8000));
	return c[i];
}

static unsigned loudest(const float *p)
{
	unsigned r = 0;

	for (unsigned i = 1; i < 4; i++)
		if (p[i] > p[r])
			r = i;
	return r;
}

static bool alone(const float *p, unsigned best)
{
	for (unsigned i = 0; i < 4; i++)
		if (i != best && p[i] * PEAK > p[best])
			return false;
	return true;
}

/* @p: power of each tone as amplitude squared; @energy: mean square. */
static int hit_of(const float p[8], float energy)
{
	unsigned low = loudest(p), high = loudest(p + 4);
	float l = p[low], h = p[4 + high];

	if (l < LEVEL * LEVEL || h < LEVEL * LEVEL || (l + h) / 2 < PURE * energy)
		return -1;
	if (h > TWIST_HIGH * l || l > TWIST_LOW * h || !alone(p, low) || !alone(p + 4, high))
		return -1;
	return (int)(low * 4 + high);
}

/* How far the tone is from its name, in Hz: by its phase at the end of this block against the one before. */
static double off_by(const struct mdtmf *d, unsigned i, const float *re, const float *im)
{
	double turn = 2 * M_PI * tones[i] * MDTMF_BLOCK / 8000;
	double off = remainder(atan2((double)im[i], (double)re[i]) - atan2((double)d->im[i], (double)d->re[i]) - turn, 2 * M_PI);

	return off * 8000 / (2 * M_PI * MDTMF_BLOCK);
}

/* What a filter lets through of a tone that is @off Hz beside it. */
static double passed(double off)
{
	double x = M_PI * off * MDTMF_BLOCK / 8000;

	return fabs(x) < 1e-6 ? 1 : sin(x) * sin(x) / (x * x);
}

/* Both tones are near their names, and, taken as loud as they are there, nearly all that sounds. */
static bool in_tune(const struct mdtmf *d, int hit, const float *re, const float *im, const float *p)
{
	unsigned low = (unsigned)hit / 4, high = 4 + (unsigned)hit % 4;
	double l = off_by(d, low, re, im), h = off_by(d, high, re, im);

	return fabs(l) <= FREQ_TOL * tones[low] && fabs(h) <= FREQ_TOL * tones[high] &&
	       ((double)p[low] / passed(l) + (double)p[high] / passed(h)) / 2 >= PURE_THERE * (double)d->energy / MDTMF_BLOCK;
}

static double filled(const struct mdtmf *d, const float p[8], int digit)
{
	unsigned low = (unsigned)digit / 4, high = 4 + (unsigned)digit % 4;
	double a = sqrt((double)(p[low] + p[high])), b = sqrt((double)(d->p1[low] + d->p1[high]));
	double c = sqrt((double)(d->p2[low] + d->p2[high])), top = fmax(a, fmax(b, c));

	return top > 0 ? (a + b + c) / top : 0;
}

static char block_end(struct mdtmf *d)
{
	float re[8], im[8], p[8], norm = 4.0f / (MDTMF_BLOCK * MDTMF_BLOCK);
	int hit, before = d->hit, may = d->may;
	char told = 0;

	for (unsigned i = 0; i < 8; i++) {
		double w = 2 * M_PI * tones[i] / 8000;

		re[i] = d->s1[i] - d->s2[i] * (float)cos(w);
		im[i] = d->s2[i] * (float)sin(w);
		p[i] = (re[i] * re[i] + im[i] * im[i]) * norm;
	}
	hit = hit_of(p, d->energy / MDTMF_BLOCK);
	d->may = -1;
	if (hit >= 0 && hit == before && hit != d->digit && in_tune(d, hit, re, im, p))
		may = d->may = hit;
	if (may >= 0 && filled(d, p, may) >= LONG) {
		d->digit = may;
		d->may = -1;
		d->power = p[may / 4] + p[4 + may % 4];
		told = keys[may];
	}
	if (d->digit >= 0)
		d->gone = p[d->digit / 4] + p[4 + d->digit % 4] < GONE * d->power ? d->gone + 1 : 0;
	if (d->gone >= 2)
		d->digit = -1;
	memcpy(d->p2, d->p1, sizeof(p));
	memcpy(d->p1, p, sizeof(p));
	memcpy(d->re, re, sizeof(re));
	memcpy(d->im, im, sizeof(im));
	d->hit = hit;
	return told;
}

char mdtmf_feed(struct mdtmf *d, const int16_t *pcm, unsigned n)
{
	char told = 0;

	if (!d->begun) {
		*d = (struct mdtmf){.begun = true, .hit = -1, .may = -1, .digit = -1};
		(void)coeff(0);
	}
	for (unsigned k = 0; k < n; k++) {
		float x = pcm[k];

		for (unsigned i = 0; i < 8; i++) {
			float s = x + coeff(i) * d->s1[i] - d->s2[i];

			d->s2[i] = d->s1[i];
			d->s1[i] = s;
		}
		d->energy += x * x;
		if (++d->n < MDTMF_BLOCK)
			continue;
		char c = block_end(d);

		told = c ? c : told;
		memset(d->s1, 0, sizeof(d->s1));
		memset(d->s2, 0, sizeof(d->s2));
		d->energy = 0;
		d->n = 0;
	}
	return told;
}

void mdtmf_tone(char digit, unsigned at, int16_t *pcm, unsigned n)
{
	const char *k = strchr(keys, digit);
	unsigned i = k && digit ? (unsigned)(k - keys) : 0;
	double low = 2 * M_PI * tones[i / 4] / 8000, high = 2 * M_PI * tones[4 + i % 4] / 8000;

	/* 0 dBm0 has the amplitude 32767 / 10^(3.14/20) = 22827: -9 dBm0 is 8099, -7 is 10196 */
	for (unsigned j = 0; j < n; j++)
		pcm[j] = (int16_t)(8099 * sin(low * (at + j)) + 10196 * sin(high * (at + j)));
}
