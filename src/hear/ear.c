#include "hear/ear.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define HALF (EAR_WINDOW / 2)
#define FROM_HZ 300.0
#define TO_HZ 3400.0
#define BIN_HZ ((double)HEAR_HZ / EAR_WINDOW)
#define LOW_BIN 6    /* 188 Hz: what lies below is the line's hum */
#define HIGH_BIN 115 /* 3594 Hz */
#define PEAK_SIDE 2  /* bins at each side of a peak that a Hann window fills */

static struct tables {
	float window[EAR_WINDOW];
	float cos[HALF], sin[HALF];   /* of -2 pi k / EAR_WINDOW */
	uint8_t turned[HALF];         /* bit reversal */
	uint8_t first[EAR_BANDS + 1]; /* a band's first bin */
	float part[EAR_BANDS + 1];    /* how much of that bin is the band's; the rest is the one's before */
	float scale;                  /* sum of a spectrum to mean square */
} t;

static double mel(double hz)
{
	return 1127 * log1p(hz / 700);
}

static double hz_of_mel(double m)
{
	return 700 * expm1(m / 1127);
}

static void bands_make(void)
{
	double from = mel(FROM_HZ), step = (mel(TO_HZ) - from) / EAR_BANDS;

	for (unsigned b = 0; b <= EAR_BANDS; b++) {
		double bin = hz_of_mel(from + step * b) / BIN_HZ + 0.5; /* bin k reaches from k - 1/2 to k + 1/2 */

		t.first[b] = (uint8_t)bin;
		t.part[b] = (float)(1 - (bin - floor(bin)));
	}
}

static void tables_make(void)
{
	double sum = 0;

	for (unsigned i = 0; i < EAR_WINDOW; i++) {
		double w = 0.5 - 0.5 * cos(2 * M_PI * i / EAR_WINDOW);

		t.window[i] = (float)w;
		sum += w * w;
	}
	t.scale = (float)(2 / (sum * EAR_WINDOW)); /* Parseval, one half of the spectrum */
	for (unsigned k = 0; k < HALF; k++) {
		t.cos[k] = (float)cos(2 * M_PI * k / EAR_WINDOW);
		t.sin[k] = (float)-sin(2 * M_PI * k / EAR_WINDOW);
		for (unsigned b = 0; b < 7; b++)
			t.turned[k] = (uint8_t)(t.turned[k] | ((k >> b & 1) << (6 - b)));
	}
	bands_make();
}

void ear_init(struct ear *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, tables_make);
	*e = (struct ear){.due = EAR_HOP};
}

/* In place, HALF complex numbers in bit-reversed order. */
static void transform(float *re, float *im)
{
	for (unsigned size = 2; size <= HALF; size *= 2) {
		unsigned half = size / 2, step = EAR_WINDOW / size;

		for (unsigned k = 0; k < half; k++) {
			float c = t.cos[k * step], s = t.sin[k * step];

			for (unsigned i = k; i < HALF; i += size) {
				float a = re[i + half] * c - im[i + half] * s, b = re[i + half] * s + im[i + half] * c;

				re[i + half] = re[i] - a;
				im[i + half] = im[i] - b;
				re[i] += a;
				im[i] += b;
			}
		}
	}
}

/* Even samples as real, odd as imaginary parts: a transform of half the length (Sorensen and others 1987, "split"). */
static void spectrum(const struct ear *e, float power[EAR_BINS])
{
	float re[HALF], im[HALF];

	for (unsigned i = 0; i < HALF; i++) {
		unsigned k = t.turned[i] * 2;

		re[i] = (float)e->ring[(e->at + k) % EAR_WINDOW] * t.window[k];
		im[i] = (float)e->ring[(e->at + k + 1) % EAR_WINDOW] * t.window[k + 1];
	}
	transform(re, im);
	power[0] = 0;
	for (unsigned k = 1; k < HALF; k++) {
		unsigned m = HALF - k;
		float er = (re[k] + re[m]) / 2, ei = (im[k] - im[m]) / 2, or = (im[k] + im[m]) / 2, oi = (re[m] - re[k]) / 2;
		float a = er + or * t.cos[k] - oi * t.sin[k], b = ei + or * t.sin[k] + oi * t.cos[k];

		power[k] = (a * a + b * b) * t.scale;
	}
}

static void bands(struct ear_frame *f, const float power[EAR_BINS])
{
	for (unsigned b = 0; b < EAR_BANDS; b++) {
		unsigned from = t.first[b], to = t.first[b + 1];
		float sum = power[to] * (1 - t.part[b + 1]);

		if (from == to)
			sum -= power[from] * (1 - t.part[b]);
		else
			sum += power[from] * t.part[b];
		for (unsigned k = from + 1; k < to; k++)
			sum += power[k];
		f->band[b] = sum;
	}
}

/* The loudest bin of those not @taken, its energy with its neighbours, and its frequency by their centre of gravity. */
static float peak(float *power, float *hz)
{
	float sum = 0, moment = 0;
	unsigned top = LOW_BIN;

	for (unsigned k = LOW_BIN; k <= HIGH_BIN; k++)
		if (power[k] > power[top])
			top = k;
	for (unsigned k = top - PEAK_SIDE; k <= top + PEAK_SIDE; k++) {
		sum += power[k];
		moment += power[k] * (float)k;
	}
	*hz = sum > 0 ? moment / sum * (float)BIN_HZ : 0;
	for (unsigned k = top - PEAK_SIDE; k <= top + PEAK_SIDE; k++)
		power[k] = 0;
	return sum;
}

static void frame_make(const struct ear *e, struct ear_frame *f)
{
	float power[EAR_BINS];

	spectrum(e, power);
	bands(f, power);
	f->energy = 0;
	for (unsigned k = LOW_BIN - PEAK_SIDE; k <= HIGH_BIN + PEAK_SIDE; k++)
		f->energy += power[k];
	for (unsigned i = 0; i < 2; i++) {
		float sum = peak(power, &f->hz[i]);

		f->share[i] = f->energy > 0 ? sum / f->energy : 0;
	}
}

unsigned ear_feed(struct ear *e, struct ear_frame *f, bool *ready, const int16_t *pcm, unsigned n)
{
	unsigned take = n < e->due ? n : e->due;

	for (unsigned i = 0; i < take; i++) {
		e->ring[e->at] = pcm[i];
		e->at = (e->at + 1) % EAR_WINDOW;
	}
	e->due -= take;
	*ready = !e->due;
	if (*ready) {
		e->due = EAR_HOP;
		frame_make(e, f);
	}
	return take;
}
