#include "sim/draw.h"

#include "base/detmath.h"

static int64_t to_ms(double s)
{
	return s < 1e9 ? (int64_t)(s * 1000 + 0.5) : 1000000000000LL;
}

int64_t draw_exponential_ms(struct rng *r, double mean_s)
{
	return to_ms(-dm_ln(rng_unit(r)) * mean_s);
}

/* Marsaglia's polar method: only sqrt, which IEEE 754 rounds the same way everywhere. */
static double normal(struct rng *r)
{
	double u, v, s;

	do {
		u = 2 * rng_unit(r) - 1;
		v = 2 * rng_unit(r) - 1;
		s = u * u + v * v;
	} while (s >= 1 || s == 0);
	return u * __builtin_sqrt(-2 * dm_ln(s) / s);
}

int64_t draw_lognormal_ms(struct rng *r, double mean_s, double cv)
{
	double var = dm_ln(1 + cv * cv);

	return to_ms(dm_exp(dm_ln(mean_s) - var / 2 + __builtin_sqrt(var) * normal(r)));
}

bool draw_chance(struct rng *r, double p)
{
	return rng_unit(r) < p;
}
