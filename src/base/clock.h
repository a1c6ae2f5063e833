/*
 * Time. Two clocks and no third: milliseconds of UTC anchored once at process start and carried on by
 * CLOCK_MONOTONIC (never backwards within a run), and plain monotonic milliseconds for intervals.
 * Policy code never calls these; it is given the time.
 */
#pragma once

#include <stdint.h>

/** Ms UTC of the anchored clock. Any thread. */
int64_t clock_utc_ms(void);
/** Monotonic ms, and µs. Any thread. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
/** Wall clock minus the anchored clock, in ms: how far somebody has stepped the machine's clock since start. */
int64_t clock_deviation_ms(void);

/* 63-bit ids: 41 bits ms since 2025-01-01 UTC, 10 bits node, 12 bits counter. A burst borrows from the next ms. */
#define ID_EPOCH_MS 1735689600000LL

struct idgen {
	int64_t last_ms;
	unsigned node, counter;
};

/** One generator belongs to one thread; two generators of one process need different @node. */
void idgen_init(struct idgen *g, unsigned node);
int64_t idgen_next(struct idgen *g, int64_t utc_ms);
static inline int64_t id_utc_ms(int64_t id)
{
	return (id >> 22) + ID_EPOCH_MS;
}
