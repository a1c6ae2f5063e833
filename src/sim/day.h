/*
 * A virtual day: callers and agents act in virtual time on the real routing core, and everything is told as the events the
 * switch would write, in its order. Seeded: the same configuration gives the same events to the byte.
 *
 * Callers arrive in each queue as a Poisson process whose rate follows a profile, give up after an exponential patience, talk for
 * a lognormal time. Agents come, take breaks, answer after a while, sometimes do not, and end wrap-up early or let it run out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acd/acd.h"
#include "base/rng.h"

struct ev;

struct sim_load {
	int64_t queue_id, number_id, trunk_id;
	double calls;                 /* expected over the day */
	const double *profile;        /* weights of equal slots from open to close; NULL: even */
	size_t profile_n;
	double patience_s;            /* mean; exponential */
	double talk_s, talk_cv;       /* lognormal; cv 0: exponential, for comparison with formulas */
	double wrap_s;                /* mean of when agents end wrap-up themselves; 0: it runs out */
	bool answer_first;            /* the queue's own 200 at once */
	int32_t priority;
};

/* Who calls: written into the event's personal texts. */
struct sim_caller {
	char from[64], to[64], name[64]; /* name "": unknown */
};

struct sim_day_conf {
	uint64_t seed;
	int64_t open_ms, close_ms;    /* UTC; nobody arrives outside; agents stay until the last caller has gone */
	int64_t restart_ms;           /* 0: none. The run ends there and another goes on from its snapshot, in a new epoch */
	const struct acd_conf *acd;
	const struct sim_load *loads;
	size_t load_n;
	double answer_s;              /* mean ring time until an agent answers; exponential; 0: at once */
	double noanswer_p, refuse_p;  /* shares of offers */
	double late_s;                /* agents come up to so much later than open; 0: all at open */
	double between_breaks_s, break_s; /* means; 0: no breaks */
	double known_p;               /* share of callers who are somebody's customers: of an agent by chance, or of one who has left */
	double known_s;               /* mean time until that is known; exponential; 0: it is known when they come */
	bool check;                   /* acd_invariant() and acd_check() at every step: assertion */

	int64_t centre_id;
	unsigned node;                /* of the id generator */
	/* Each event in order; e->epoch counts from 1 and e->n from 1 within it. Non-zero ends the run. NULL: only figures. */
	int (*emit)(struct ev *e, void *arg);
	void (*caller)(struct sim_caller *ret, uint64_t nth, const struct sim_load *load, struct rng *r, void *arg);
	void *arg;
};

struct sim_day_result {
	uint64_t calls, answered, abandoned, overflowed, waited; /* waited: not answered in the millisecond they came */
	uint64_t answered_20s, offers, events;
	uint64_t inside_max;          /* callers at once, waiting or talking */
	uint64_t to_owner, by_owner, late; /* offers to owners, answered ones, and callers who were not known in time */
	int64_t wait_ms;              /* of all callers */
	int64_t talk_ms;              /* as callers see it */
	uint64_t checksum;            /* of all decisions */
};

/** A centre of @agents in @queues queues with plausible figures; loads and lists are owned by *ret until sim_day_done. */
void sim_day_example(struct sim_day_conf *ret, unsigned agents, unsigned queues, double calls, int64_t open_ms);
void sim_day_done(struct sim_day_conf *c); /* of an example only */

/** 0, or what emit answered. Asserts that no call was lost. */
int sim_day_run(const struct sim_day_conf *c, struct sim_day_result *ret);

/** `huawu sim day ...`; argv[0] is the command's name. Prints a JSON summary to stdout. Answers the exit code. */
int sim_day_main(int argc, char **argv);
