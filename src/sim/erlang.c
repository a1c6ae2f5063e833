/*
 * Erlang A is the birth-death chain with arrivals lambda and deaths min(k, n) mu + max(k - n, 0) theta. Its stationary
 * probabilities are summed outwards from the likeliest state until the terms vanish.
 */
#include "sim/erlang.h"

#include <assert.h>
#include <stdlib.h>

#include "base/detmath.h"
#include "base/mem.h"

#define TINY 1e-16

void erlang_c(struct erlang *ret, int agents, double lambda, double aht_s, double target_s)
{
	double a = lambda * aht_s, b = 1, rho = a / agents, c, spare = agents / aht_s - lambda;

	if (rho >= 1) {
		*ret = (struct erlang){.p_wait = 1, .mean_wait_s = 1e18};
		return;
	}
	for (int k = 1; k <= agents; k++)
		b = a * b / (k + a * b); /* Erlang B, by recursion over agents */
	c = b / (1 - rho * (1 - b));
	*ret = (struct erlang){.p_wait = c, .mean_wait_s = c / spare, .service = 1 - c * dm_exp(-spare * target_s)};
}

/* p[k] up to a common factor, for k <= *top; the factor is chosen so that they add up to one. */
static double *stationary(int n, double lambda, double mu, double theta, int *top)
{
	int cap = n + 1024, k = 0;
	double *p = xcalloc((size_t)cap, sizeof(*p)), sum;

	p[0] = 1;
	sum = 1;
	for (;;) {
		double death = (k + 1 < n ? k + 1 : n) * mu + (k + 1 > n ? k + 1 - n : 0) * theta;

		if (k + 1 == cap)
			p = xrealloc(p, (size_t)(cap *= 2) * sizeof(*p));
		p[k + 1] = p[k] * lambda / death;
		sum += p[++k];
		if (sum > 1e200) {
			for (int i = 0; i <= k; i++)
				p[i] /= sum;
			sum = 1;
		}
		if (k > n && death > lambda && p[k] < TINY * sum)
			break;
	}
	for (int i = 0; i <= k; i++)
		p[i] /= sum;
	*top = k;
	return p;
}

/*
 * g[i]: served within t with i callers ahead and all agents busy. g0' = nmu (1 - g0) - theta g0, and
 * gi' = (nmu + i theta)(g(i-1) - gi) - theta gi; Runge-Kutta of fourth order.
 */
static void slope(double *d, const double *g, int n, double nmu, double theta)
{
	for (int i = 0; i < n; i++)
		d[i] = (nmu + i * theta) * ((i ? g[i - 1] : 1) - g[i]) - theta * g[i];
}

static void served_within(double *g, int n, double nmu, double theta, double t)
{
	double *k = xcalloc((size_t)n * 5, sizeof(*k)), *tmp = k + 4 * n;
	int steps = 20 + (int)(t * (nmu + n * theta) * 2);
	double h = t / steps;

	for (int s = 0; s < steps; s++) {
		static const double at[] = {0, 0.5, 0.5, 1};

		for (int j = 0; j < 4; j++) {
			for (int i = 0; i < n; i++)
				tmp[i] = g[i] + (j ? at[j] * h * k[(j - 1) * n + i] : 0);
			slope(k + j * n, tmp, n, nmu, theta);
		}
		for (int i = 0; i < n; i++)
			g[i] += h / 6 * (k[i] + 2 * k[n + i] + 2 * k[2 * n + i] + k[3 * n + i]);
	}
	free(k);
}

void erlang_a(struct erlang *ret, int agents, double lambda, double aht_s, double patience_s, double target_s)
{
	double mu = 1 / aht_s, theta = 1 / patience_s, waiting = 0, *g;
	struct erlang e = {0};
	int top;
	double *p = stationary(agents, lambda, mu, theta, &top);

	assert(agents > 0);
	g = xcalloc((size_t)(top - agents + 1), sizeof(*g));
	served_within(g, top - agents + 1, agents * mu, theta, target_s);
	for (int k = 0; k <= top; k++) {
		e.p_wait += k >= agents ? p[k] : 0;
		waiting += k > agents ? (k - agents) * p[k] : 0;
		e.service += p[k] * (k < agents ? 1 : g[k - agents]);
	}
	e.mean_wait_s = waiting / lambda; /* Little */
	e.p_abandon = theta * waiting / lambda;
	free(g);
	free(p);
	*ret = e;
}

int erlang_agents(double lambda, double aht_s, double patience_s, double target_s, double share)
{
	struct erlang e;

	for (int n = 1;; n++) {
		if (patience_s > 0)
			erlang_a(&e, n, lambda, aht_s, patience_s, target_s);
		else
			erlang_c(&e, n, lambda, aht_s, target_s);
		if (e.service >= share)
			return n;
	}
}
