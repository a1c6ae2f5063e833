#include "media/mfacts.h"

#include <string.h>

#include "media/g711.h"

#define WINDOW_MS 20

/* The amount of each A-law octet, made from the codec's own table. */
static const uint16_t *amounts(void)
{
	static _Thread_local uint16_t table[256];
	static _Thread_local bool made;

	if (!made) {
		g711_tables();
		for (int i = 0; i < 256; i++) {
			int pcm = alaw_to_pcm((uint8_t)i);

			table[i] = (uint16_t)(pcm < 0 ? -pcm : pcm);
		}
		made = true;
	}
	return table;
}

/* The window that is MFACTS_PAUSE old: nothing that comes can change it any more. */
static void tell(struct mfacts *f)
{
	bool l = f->loud[0] >> MFACTS_PAUSE & 1, r = f->loud[1] >> MFACTS_PAUSE & 1;

	f->side[0] += l;
	f->side[1] += r;
	f->both += l && r;
	f->quiet = l || r ? 0 : f->quiet + 1;
	f->told++;
	if (f->quiet > f->longest) {
		f->longest = f->quiet;
		f->longest_at = f->told - f->quiet;
	}
}

/* Speech that goes on after a pause was never silent. */
static uint64_t add(uint64_t bits, bool loud)
{
	unsigned pause = bits ? (unsigned)__builtin_ctzll(bits) : 64;

	bits <<= 1;
	if (loud)
		bits |= pause && pause <= MFACTS_PAUSE ? (2ull << pause) - 1 : 1;
	return bits;
}

static void window(struct mfacts *f, bool left, bool right)
{
	f->loud[0] = add(f->loud[0], left);
	f->loud[1] = add(f->loud[1], right);
	if (++f->windows > MFACTS_PAUSE)
		tell(f);
}

static void close_window(struct mfacts *f)
{
	window(f, f->sum[0] >= f->n * MFACTS_LOUD, f->sum[1] >= f->n * MFACTS_LOUD);
	f->sum[0] = f->sum[1] = 0;
	f->n = 0;
}

void mfacts_put(struct mfacts *f, const uint8_t *p, size_t samples)
{
	const uint16_t *amount = amounts();

	while (samples) {
		unsigned room = MFACTS_WINDOW - f->n, m = samples < room ? (unsigned)samples : room;
		uint32_t l = 0, r = 0;

		for (unsigned i = 0; i < m; i++) {
			l += amount[p[2 * i]];
			r += amount[p[2 * i + 1]];
		}
		f->sum[0] += l;
		f->sum[1] += r;
		f->n += m;
		p += 2 * m;
		samples -= m;
		if (f->n == MFACTS_WINDOW)
			close_window(f);
	}
}

void mfacts_end(struct med_rec_facts *ret, struct mfacts *f)
{
	int64_t n;

	if (f->n >= MFACTS_WINDOW / 2)
		close_window(f);
	n = f->windows;
	for (unsigned i = 0; i < MFACTS_PAUSE; i++) { /* what waits; silence that is not of the file is not told */
		if (f->told == n)
			break;
		f->loud[0] <<= 1;
		f->loud[1] <<= 1;
		if (f->windows + i >= MFACTS_PAUSE)
			tell(f);
	}
	*ret = (struct med_rec_facts){
		.left_ms = f->side[0] * WINDOW_MS,
		.right_ms = f->side[1] * WINDOW_MS,
		.over_ms = f->both * WINDOW_MS,
		.silence_ms = f->longest * WINDOW_MS,
		.silence_at_ms = f->longest_at * WINDOW_MS,
	};
}
