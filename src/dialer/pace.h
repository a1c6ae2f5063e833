/*
 * The pacing core: how many customers to dial now, ahead of agents becoming free. One object a campaign. Pure: events and what is up
 * now in, a number out; no clock, no randomness, no I/O; the same inputs give the same outputs to the bit on every machine.
 *
 * A supervisor sets two things: how many of the customers who answer may be abandoned (not given to an agent within their longest
 * wait), over which window, and that wait. Everything else is learned from the campaign's own calls, and forgotten again: the share
 * that answers, when calls answer and fail, how long wrap-ups last, how likely a talk of some age is to end.
 *
 *   pace_event():  learns; an answer earns budget (limit x one call), an abandoned customer costs one call. What is left decides
 *                  the price, the greatest risk of being abandoned at which the next call is still dialled.
 *   pace_step():   looks 4 to 22 s ahead, says how likely the answer of one more call would find nobody free, and dials while that
 *                  is within the price. It changes nothing, so step(t1), step(t2) is step(t2).
 *
 * However wrong the forecasts are, over T answers no more than limit x T and some are abandoned (see pace_learn.c). Within a window the
 * price follows the window's own account and what is still to come, so that each window ends just within its limit.
 * Step it once a second and, better, also after each event: half a second sooner is 0.2 points more of talk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jw;
struct strb;

struct pace_conf {
	int32_t limit_permille; /* abandoned of all who answered; 0: never ahead of a free agent */
	int32_t wait_ms;        /* a customer's longest wait for an agent after the answer */
	int64_t from_ms, to_ms; /* the limit's window, best the hours of one day that may be called in; after it the next one, as long */
};

#define PACE_CONF_DEFAULT {.limit_permille = 30, .wait_ms = 2000}

enum pace_event_kind {
	PACE_ANSWERED,  /* ms since it was dialled, score: a customer answered */
	PACE_FAILED,    /* ms, score: the call ended unanswered, not by us */
	PACE_ENDED,     /* ms, score: we ended it while it rang */
	PACE_ABANDONED, /* who answered was not given to an agent in time */
	PACE_TALK_END,  /* ms of talk: an agent goes to wrap-up */
	PACE_WRAP_END,  /* ms of wrap-up */
	PACE_EVENT_COUNT
};

struct pace_event {
	enum pace_event_kind kind;
	int64_t at_ms;
	int32_t ms;
	int32_t score_permille; /* how likely this customer answers, against the campaign's average; 0: 1000 */
};

struct pace_ring {
	int32_t age_ms;         /* since it was dialled */
	int32_t score_permille; /* 0: 1000 */
};

/* What is up at this moment; arrays are borrowed for the call, in any order. */
struct pace_now {
	int64_t at_ms;
	int32_t idle;                 /* agents who would take a call at once */
	int32_t held;                 /* customers who have answered and wait for one */
	const int32_t *talk_ms;       /* how long each agent who talks has done so */
	const int32_t *wrap_ms;       /* how long each agent in wrap-up has been there */
	const struct pace_ring *ring; /* calls dialled that have neither answered nor failed */
	size_t talk_n, wrap_n, ring_n;
	int32_t next_permille;        /* score of the customers next in line; 0: 1000 */
};

enum pace_verdict {
	PACE_DIAL,        /* launch > 0 */
	PACE_HOLD,        /* the next call's risk is above the price */
	PACE_LINES,       /* as many lines are up as there may be for so many agents */
	PACE_NOBODY,      /* no agent is there */
	PACE_PROGRESSIVE, /* no budget is left in this window: a call only for an agent who is free now */
	PACE_VERDICT_COUNT
};
const char *pace_verdict_name(enum pace_verdict v); /* dial hold lines nobody progressive */

/* What a decision was made from: stored with each dial, said in words by the page. Risk is that of the last call that was
 * dialled, or of the first that was not. Milli: thousandths of an agent, an answer, a call. */
struct pace_why {
	enum pace_verdict verdict;
	int32_t idle, held, ringing;
	int32_t free_milli;    /* agents expected to become free in 12 s */
	int32_t answers_milli; /* customers expected to answer in 12 s, this step's calls not counted */
	int32_t answer_permille; /* share of an average customer's calls that answer, as learned */
	int32_t risk_ppm, price_ppm;
	int32_t slack_milli;   /* limit x answered, less abandoned, in this window: calls that could be lost now within the limit */
};
void pace_why_encode(const struct pace_why *w, struct jw *out, const char *key);

struct pace_out {
	int32_t launch; /* calls to dial now */
	int32_t hangup; /* oldest calls to end that have rung PACE_RING_MIN_MS or longer */
	struct pace_why why;
};

#define PACE_RING_MIN_MS 15000 /* no call is ended by us earlier */
#define PACE_LINES_MAX 12      /* ringing calls for one agent */

struct pace;

int pace_new(struct pace **ret, const struct pace_conf *conf); /* -ENOMEM, or -EINVAL as pace_configure */
void pace_free(struct pace *p);
/** Sets limit, wait and window; what was learned stays. A window that begins elsewhere begins with a new account. -EINVAL: out of range. */
int pace_configure(struct pace *p, const struct pace_conf *conf);
void pace_event(struct pace *p, const struct pace_event *ev);
void pace_step(const struct pace *p, const struct pace_now *now, struct pace_out *out);

/* The window's account at a time. */
struct pace_account {
	int64_t from_ms, to_ms;
	int64_t answered, abandoned;
};
void pace_account(const struct pace *p, int64_t at_ms, struct pace_account *ret);

/* ---- codec: all that was learned, so that a restart goes on to the bit ---- */
void pace_snap_encode(const struct pace *p, struct strb *b);
int pace_snap_restore(struct pace *p, const char *body, size_t len); /* -EINVAL, and p is as it was */
