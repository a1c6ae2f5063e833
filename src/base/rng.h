/* Seeded random numbers, the same on every machine (xoshiro256**, Blackman and Vigna 2018). Not for secrets. */
#pragma once

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* 0 .. n-1, n > 0 */
double rng_unit(struct rng *r);                /* (0, 1), never 0 */
