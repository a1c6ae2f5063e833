#include "base/detmath.h"

#include <math.h>

#include "base/rng.h"
#include "base/test.h"

static void near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-12 * fabs(want)))
		fail_msg("%.17g is not %.17g", got, want);
}

TEST(exp_and_ln_are_within_1e_12_of_libm)
{
	struct rng r;

	rng_init(&r, 1);
	for (int i = 0; i < 200000; i++) {
		double x = (rng_unit(&r) - 0.5) * 1400;

		near(dm_exp(x), exp(x));
		near(dm_exp(x / 1000), exp(x / 1000));
		near(dm_ln(exp(x)), log(exp(x)));
		x = rng_unit(&r) * 3;
		near(dm_ln(x), log(x));
	}
}

TEST(exp_and_ln_keep_their_edges)
{
	assert_true(dm_exp(0) == 1);
	assert_true(dm_ln(1) == 0);
	assert_true(dm_exp(-800) == 0);
	assert_true(isinf(dm_exp(710)));
	assert_true(isnan(dm_exp(NAN)));
	near(dm_exp(709), exp(709));
	near(dm_exp(-700), exp(-700));
	near(dm_ln(5e-324), log(5e-324)); /* the smallest denormal */
	near(dm_ln(1.7e308), log(1.7e308));
	near(dm_ln(1 + 1e-9), log(1 + 1e-9));
	near(dm_ln(1 - 1e-9), log(1 - 1e-9));
}

TEST(the_normal_distribution_is_within_1e_12_of_libm_in_both_tails)
{
	for (double x = -37; x < 9; x += 0.00390625)
		near(dm_phi(x), erfc(-x / sqrt(2)) / 2);
}

/* Abramowitz and Stegun, Handbook of Mathematical Functions (1964), tables 26.1 and 26.2. */
TEST(the_normal_distribution_has_its_tabled_values)
{
	assert_true(dm_phi(0) == 0.5);
	near(dm_phi(1), 0.841344746068543);
	near(dm_phi(-1), 0.158655253931457);
	near(dm_phi(2), 0.977249868051821);
	near(dm_phi(3), 0.998650101968370);
	assert_true(fabs(dm_phi(-5) - 2.866515719e-7) < 1e-16);
	assert_true(dm_phi(-50) == 0 && dm_phi(50) == 1);
	assert_true(isnan(dm_phi(NAN)));
}
