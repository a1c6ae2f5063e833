/*
 * exp, ln and the normal distribution that give the same bits on every machine: only + - * / on doubles, no libm (glibc's differ by CPU). Compiled with
 * -ffp-contract=off. Within 1e-12 relative of the true value.
 */
#pragma once

double dm_exp(double x); /* 0 below -745, infinity above 709.78 */
double dm_ln(double x);  /* x > 0, finite */
double dm_phi(double x); /* the standard normal distribution's P(X <= x); both tails to the same relative accuracy */
