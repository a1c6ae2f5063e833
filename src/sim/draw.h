/* Random variates that are the same on every machine: from base's generator and deterministic exp and ln. Times in ms, >= 0. */
#pragma once

#include <stdbool.h>

#include "base/rng.h"

int64_t draw_exponential_ms(struct rng *r, double mean_s);
int64_t draw_lognormal_ms(struct rng *r, double mean_s, double cv);
bool draw_chance(struct rng *r, double p);
