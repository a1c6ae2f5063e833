/* Inside the pacing core: what is learned, and how it is asked. */
#pragma once

#include "dialer/pace.h"

#define RING_BINS 64    /* seconds after the dial */
#define WRAP_BINS 240   /* seconds of wrap-up */
#define HIST_BINS 240   /* the larger of both */
#define TALK_BINS 144   /* of TALK_BIN_S */
#define TALK_BIN_S 5

/* When something happens, learned in bins of a second. */
struct hist {
	double bin[HIST_BINS];       /* forgetting counts; the last one holds all that is later */
	double below[HIST_BINS + 1]; /* share that happened before so many seconds; from bin */
	double area[HIST_BINS + 1];  /* integral of below from 0 */
	int n;
	double keep;                 /* of each bin at each observation: 1 - 1 / memory */
};

void hist_init(struct hist *h, int n, double memory);
void hist_add(struct hist *h, double s);
void hist_fill(struct hist *h, int from_s, int to_s, double weight); /* prior: so many observations, even between both */
void hist_sum(struct hist *h); /* below and area, after bins were set */
double hist_below(const struct hist *h, double s);
double hist_area(const struct hist *h, double s);
double hist_seen(const struct hist *h); /* observations it rests on */

struct pace {
	struct pace_conf conf;
	int64_t from_ms;             /* of the window that the account is of */
	int64_t answered, abandoned; /* in it */
	int64_t first_ms;            /* of its first answer; with answered > 0 */
	double ln_price;             /* for one agent alone; for n it is divided by sqrt(n) */
	double answers, scores;      /* forgetting sums over resolved calls; answers / scores is p */
	struct hist answer, fail, wrap;
	double talk_end[TALK_BINS], talk_s[TALK_BINS]; /* by age: ended, and seconds seen; forgetting */
	double hazard[TALK_BINS];    /* of ending, per second; from both */
};

#define LN_PRICE_MIN -16.0
#define LN_PRICE_MAX 1.0

/* How the window's account stands; all in calls that may be abandoned. */
struct budget {
	double slack;  /* earned by those who answered, less abandoned; below 0: over the limit */
	double coming; /* will be earned until the window ends, if customers answer as they have so far */
};
void pace_budget(const struct pace *p, int64_t at_ms, struct budget *ret);

bool pace_conf_ok(const struct pace_conf *conf);
void pace_learn_sum(struct pace *p); /* what is derived, after bins were set */
double pace_answer_share(const struct pace *p);
int64_t pace_window_at(const struct pace *p, int64_t at_ms); /* where the window that holds at_ms begins */
