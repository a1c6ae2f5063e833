#include "sim/erlang.h"

#include <math.h>

#include "base/test.h"

static void near(double got, double want, double by)
{
	if (!(fabs(got - want) <= by))
		fail_msg("%.12g is not %.12g", got, want);
}

/* One agent: M/M/1, C = rho. Two agents, 1 erlang: B = 1/2, then 1/5, C = B / (1 - rho (1 - B)) = 1/3. */
TEST(erlang_c_is_as_by_hand)
{
	struct erlang e;

	erlang_c(&e, 1, 0.5, 1, 0);
	near(e.p_wait, 0.5, 1e-12);
	near(e.mean_wait_s, 1, 1e-12); /* rho / (mu - lambda) */
	erlang_c(&e, 2, 1, 1, 2);
	near(e.p_wait, 1.0 / 3, 1e-12);
	near(e.service, 1 - exp(-2) / 3, 1e-12);
	erlang_c(&e, 2, 3, 1, 20);
	near(e.service, 0, 0);
}

/* With theta = mu the chain is that of infinitely many servers: Poisson. n = 1, lambda = mu = theta = 1: P(wait) = 1 - 1/e, one
 * expects E(k) - P(k >= 1) = 1/e waiting; the one who waits with nobody ahead is served at rate 1 and lost at rate 1. */
TEST(erlang_a_is_as_by_hand_where_it_is_poisson)
{
	struct erlang e;

	erlang_a(&e, 1, 1, 1, 1, 1e3);
	near(e.p_wait, 1 - exp(-1), 1e-12);
	near(e.mean_wait_s, exp(-1), 1e-12);
	near(e.p_abandon, exp(-1), 1e-12);
	near(e.service, 1 - exp(-1), 1e-9); /* after long all who stay are served */
	erlang_a(&e, 3, 2, 1, 1, 0);
	near(e.p_wait, 1 - 5 * exp(-2), 1e-12); /* 1 - e^-2 (1 + 2 + 2) */
	near(e.service, 5 * exp(-2), 1e-12);
}

/* With endless patience Erlang A becomes Erlang C. */
TEST(erlang_a_becomes_erlang_c_with_patience)
{
	struct erlang a, c;

	erlang_a(&a, 12, 100 / 1800.0, 180, 1e9, 20);
	erlang_c(&c, 12, 100 / 1800.0, 180, 20);
	near(a.p_wait, c.p_wait, 1e-5);
	near(a.service, c.service, 1e-5);
}

/* Agents for 80 % in 20 s: calls in half an hour, handling and patience in s. Published worked examples. */
TEST(staff_for_80_in_20_is_as_tabulated)
{
	static const struct {
		double calls, aht_s, patience_s;
		int by_c, by_a;
	} row[] = {{20, 155, 180, 4, 4}, {100, 155, 180, 12, 11}, {100, 180, 415, 14, 13}, {400, 180, 180, 45, 42}};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(erlang_agents(row[i].calls / 1800, row[i].aht_s, 0, 20, 0.8), row[i].by_c);
		assert_int_equal(erlang_agents(row[i].calls / 1800, row[i].aht_s, row[i].patience_s, 20, 0.8), row[i].by_a);
	}
}
