/* Queueing formulas the simulator is held against. Rates are per second. */
#pragma once

struct erlang {
	double p_wait;      /* a caller is not answered at once */
	double p_abandon;
	double mean_wait_s; /* over all callers, those who abandon included */
	double service;     /* share answered within the target */
};

/** M/M/n: Erlang C. @lambda calls/s, @aht_s handling time. With lambda * aht_s >= agents nobody is ever answered in time. */
void erlang_c(struct erlang *ret, int agents, double lambda, double aht_s, double target_s);
/** M/M/n+M: Erlang A, patience exponential with mean @patience_s. Garnett, Mandelbaum, Reiman 2002. */
void erlang_a(struct erlang *ret, int agents, double lambda, double aht_s, double patience_s, double target_s);
/** The fewest agents with @share answered within @target_s. @patience_s 0: Erlang C. */
int erlang_agents(double lambda, double aht_s, double patience_s, double target_s, double share);
