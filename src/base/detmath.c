#include "base/detmath.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two parts, the first with 21 low bits zero, so that n * LN2_HIGH is exact for |n| < 2^20. */
#define LN2_HIGH 0.693147180369123816490
#define LN2_LOW 1.90821492927058770002e-10

static double from_bits(uint64_t u)
{
	double d;

	memcpy(&d, &u, sizeof(d));
	return d;
}

static double power_of_two(int n) /* -1022 .. 1023 */
{
	return from_bits((uint64_t)(n + 1023) << 52);
}

/* exp(x) = 2^n exp(r), |r| <= ln 2 / 2; Taylor to r^14 / 14!, whose next term is below 1e-19. */
double dm_exp(double x)
{
	double r, sum = 1;
	int n;

	if (x != x)
		return x;
	if (x > 709.78)
		return from_bits(0x7ff0000000000000u);
	if (x < -745)
		return 0;
	n = (int)(x / (LN2_HIGH + LN2_LOW) + (x < 0 ? -0.5 : 0.5));
	r = (x - n * LN2_HIGH) - n * LN2_LOW;
	for (int k = 14; k > 0; k--)
		sum = 1 + sum * r / k;
	if (n > 1000)
		return sum * power_of_two(1000) * power_of_two(n - 1000);
	if (n < -1000)
		return sum * power_of_two(-1000) * power_of_two(n + 1000);
	return sum * power_of_two(n);
}

/* x = 2^n m with m in [sqrt(1/2), sqrt 2): ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.172; s^25 / 25 is below 1e-20. */
double dm_ln(double x)
{
	double m, s, s2, sum = 0;
	uint64_t u;
	int n = 0;

	assert(x > 0 && x - x == 0);
	if (x < power_of_two(-1022)) {
		x *= power_of_two(60);
		n = -60;
	}
	memcpy(&u, &x, sizeof(u));
	n += (int)(u >> 52) - 1023;
	m = from_bits((u & 0xfffffffffffffu) | 0x3ff0000000000000u);
	if (m > 1.41421356237309504880) {
		m /= 2;
		n++;
	}
	s = (m - 1) / (m + 1);
	s2 = s * s;
	for (int k = 23; k > 0; k -= 2)
		sum = sum * s2 + 1.0 / k;
	return n * LN2_HIGH + (2 * s * sum + n * LN2_LOW);
}

/*
 * Below 3 the part between 0 and x, phi(x) (x + x^3/3 + x^5/(3 5) + ...) (Marsaglia 2004); beyond, where that part nears 1/2, the
 * tail itself, Laplace's continued fraction phi(x) / (x + 1 / (x + 2 / (x + ...))).
 */
double dm_phi(double x)
{
	double a = x < 0 ? -x : x, density, term, sum, tail;

	if (x != x)
		return x;
	if (a > 39)
		return x < 0 ? 0 : 1;
	density = 0.39894228040143267794 * dm_exp(-a * a / 2);
	if (a < 3) {
		sum = term = a;
		for (int k = 3; term > 1e-18 * sum; k += 2)
			sum += term *= a * a / k;
		return 0.5 + (x < 0 ? -density : density) * sum;
	}
	tail = a;
	for (int k = a < 5 ? 70 : 30; k > 0; k--)
		tail = a + k / tail;
	tail = density / tail;
	return x < 0 ? tail : 1 - tail;
}
