/*
 * A frame is tonal when one peak of its spectrum, or two near to each other, hold nearly all its energy. Runs of such frames and the
 * pauses between them are measured; a table of cadences says what they mean.
 *
 *   off --tonal for SETTLE_MS--> on --not tonal, or far below its level, for SETTLE_MS--> off
 *                                on --another frequency for SETTLE_MS--> on (a new run, without a pause)
 *
 * Sources: GF 002-9002.1 and YD/T 965 for China (450 Hz; ring-back 1/4 s, busy 0.35/0.35, congestion 0.7/0.7, unobtainable 3 x 0.1/0.1
 * and 0.4/0.4), ITU-T E.180/Q.35 for ranges: a ringing tone of 0.67 to 1.5 s with a pause of 3 to 5 s, busy and congestion with
 * periods up to 1.2 s, the special information tone of 950, 1400 and 1800 Hz, 330 ms each. Its supplement 2 lists countries: ringing
 * tones of 2/4 s (North America, 440 + 480 Hz), 0.4/0.2/0.4/2 s (United Kingdom and others, 400 + 450 Hz), 1.5/3.5 s (France).
 */
#include "hear/tone.h"

#include <math.h>
#include <string.h>

#define FRAME_MS 10
#define SETTLE_MS 40      /* what is shorter is an error of the line */
#define PURE 0.75f        /* of the energy in the peaks */
#define FLOOR 3e3f        /* mean square: -50 dBm0, where 0 dBm0 is a sine of 22827 */
#define HALF 0.25f        /* -6 dB: where a run begins and ends, for a Hann window across the edge */
#define HZ_NEAR 45.0f     /* within a run: half the distance of 440 and 480 Hz, and their beat */
#define CALL_HZ_MIN 380.0f
#define CALL_HZ_MAX 640.0f /* 480 + 620 Hz, North America's busy tone, has its centre at 550 */
#define RING_OFF_MS 1500
#define QUIET 0.1f        /* a pause has less than this of its tone's energy */

void tone_init(struct tone *t)
{
	memset(t, 0, sizeof(*t));
}

/* The frequency of a tonal frame, else 0. Two peaks count as their mean. */
static float tonal(const struct ear_frame *f)
{
	if (f->energy < FLOOR)
		return 0;
	if (f->share[0] > PURE)
		return f->hz[0];
	if (f->share[0] + f->share[1] > PURE && fabsf(f->hz[0] - f->hz[1]) < 250 && f->hz[0] < CALL_HZ_MAX && f->hz[1] < CALL_HZ_MAX)
		return (f->hz[0] + f->hz[1]) / 2;
	return 0;
}

static struct tone_run *last(struct tone *t)
{
	return &t->run[TONE_RUNS - 1];
}

static void run_new(struct tone *t, float hz, int ms)
{
	memmove(t->run, t->run + 1, (TONE_RUNS - 1) * sizeof(t->run[0]));
	*last(t) = (struct tone_run){.hz = hz, .on_ms = ms};
	t->runs += t->runs < TONE_RUNS;
	t->on = true;
	t->ms = ms;
	t->other_ms = 0;
	t->top = t->hz_sum = t->off_energy = 0;
	t->hz_n = 0;
}

/* The pause so far has less energy than its tone. */
static bool pause_quiet(const struct tone *t)
{
	return t->ms <= 0 || t->off_energy * FRAME_MS / (float)t->ms < QUIET * t->top;
}

static void frame_on(struct tone *t, const struct ear_frame *f, float hz)
{
	bool same = hz > 0 && f->energy > HALF * t->top && fabsf(hz - last(t)->hz) < HZ_NEAR;

	t->ms += FRAME_MS;
	if (same) {
		t->top = fmaxf(t->top, f->energy);
		t->hz_sum += hz;
		last(t)->hz = t->hz_sum / (float)++t->hz_n;
		t->other_ms = 0;
		return;
	}
	t->other_hz = t->other_ms && hz > 0 && fabsf(hz - t->other_hz) < HZ_NEAR ? t->other_hz : hz;
	t->other_ms += FRAME_MS;
	if (t->other_ms < SETTLE_MS)
		return;
	last(t)->on_ms = t->ms - t->other_ms;
	if (t->other_hz > 0 && hz > 0 && f->energy > HALF * t->top) {
		last(t)->quiet = true;
		run_new(t, hz, t->other_ms);
		return;
	}
	t->on = false;
	t->ms = t->other_ms;
	t->other_ms = 0;
	t->off_energy = 0; /* what belongs to the edge of the tone is not the pause's */
}

static void frame_off(struct tone *t, const struct ear_frame *f, float hz)
{
	t->ms += FRAME_MS;
	t->off_energy += f->energy;
	if (hz <= 0 || (t->other_ms && fabsf(hz - t->other_hz) > HZ_NEAR)) {
		t->other_ms = 0;
		return;
	}
	if (!t->other_ms)
		t->other_hz = hz;
	t->other_ms += FRAME_MS;
	t->off_energy -= f->energy;
	if (t->other_ms < SETTLE_MS)
		return;
	last(t)->off_ms = t->ms - t->other_ms;
	last(t)->quiet = pause_quiet(t);
	run_new(t, hz, t->other_ms);
	t->top = f->energy;
}

/* ---- cadences ---- */

static bool about(int ms, int want, int tolerance)
{
	return ms >= want - tolerance && ms <= want + tolerance;
}

static bool call_tone(const struct tone_run *r)
{
	return r->hz >= CALL_HZ_MIN && r->hz <= CALL_HZ_MAX;
}

/* Three runs and the pauses between them are alike: busy and congestion. The last run is open, so it only says that it is there. */
static enum hear_kind even(const struct tone *t)
{
	const struct tone_run *r = &t->run[TONE_RUNS - 3];
	int on = r[0].on_ms, off = r[0].off_ms, slack = on / 6 + 30;

	if (t->runs < 3 || !call_tone(&r[0]) || !r[0].quiet || !r[1].quiet || fabsf(r[0].hz - r[1].hz) > HZ_NEAR)
		return HEAR_NOTHING;
	if (!about(r[1].on_ms, on, slack) || !about(r[1].off_ms, off, slack) || !about(off, on, slack))
		return HEAR_NOTHING;
	if (on >= 600 && on <= 850)
		return HEAR_CONGESTION;
	if (on >= 270)
		return on < 600 ? HEAR_BUSY : HEAR_NOTHING;
	return on >= 180 ? HEAR_CONGESTION : HEAR_NOTHING;
}

/* 0.1 on, 0.1 off, three times, then 0.4 on, 0.4 off, and the next one has begun. */
static bool unobtainable(const struct tone *t)
{
	const struct tone_run *r = &t->run[TONE_RUNS - 5];

	if (t->runs < 5)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (!call_tone(&r[i]) || !about(r[i].on_ms, i < 3 ? 100 : 400, i < 3 ? 45 : 80) || !about(r[i].off_ms, i < 3 ? 100 : 400, i < 3 ? 45 : 80))
			return false;
	return true;
}

/* 950, 1400 and 1800 Hz, 330 ms each (North America: 276 or 380), pauses of 30 ms at most. */
static bool information(const struct tone *t)
{
	static const float hz[] = {950, 1400, 1790}, slack[] = {50, 50, 60};
	const struct tone_run *r = &t->run[TONE_RUNS - 3];

	if (t->runs < 3)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		int on = i == 2 && t->on ? t->ms : r[i].on_ms;

		if (fabsf(r[i].hz - hz[i]) > slack[i] || on < 180 || on > 450 || (i < 2 && r[i].off_ms > 100))
			return false;
	}
	return true;
}

/* A tone of 0.3 to 2.5 s and then a pause longer than any other cadence has. */
static bool ringback(const struct tone *t)
{
	const struct tone_run *r = &t->run[TONE_RUNS - 1];

	return t->runs && !t->on && t->ms >= RING_OFF_MS && r->on_ms >= 300 && r->on_ms <= 2500 && call_tone(r) && r->hz < 520 && pause_quiet(t);
}

static enum hear_kind cadence(const struct tone *t)
{
	if (!t->on)
		return ringback(t) ? HEAR_RINGBACK : information(t) ? HEAR_SIT : HEAR_NOTHING;
	if (information(t))
		return HEAR_SIT;
	return unobtainable(t) ? HEAR_UNOBTAINABLE : even(t);
}

enum hear_kind tone_feed(struct tone *t, const struct ear_frame *f)
{
	enum hear_kind k, before = t->told;
	float hz = tonal(f);

	if (t->on)
		frame_on(t, f, hz);
	else
		frame_off(t, f, hz);
	k = t->told = cadence(t);
	return k == before ? HEAR_NOTHING : k;
}

bool tone_sounds(const struct tone *t)
{
	return t->on;
}
