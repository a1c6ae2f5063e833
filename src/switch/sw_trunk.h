/*
 * Which trunk a call out takes: pure, without clock, network or chance of its own, so that the page's try-it box and the tests ask the
 * same function as the calls. Tried in the order given until one takes the call; what is left out says why.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "switch/switch.h"

enum sw_trunk_state { SW_TRUNK_UNKNOWN, SW_TRUNK_UP, SW_TRUNK_DEGRADED, SW_TRUNK_DOWN, SW_TRUNK_STATE_COUNT };
const char *sw_trunk_state_name(enum sw_trunk_state s); /* unknown up degraded down */

/* Why a trunk may not be used now. The first that holds is told; WHY_USABLE is tried. */
enum sw_why {
	SW_WHY_USABLE,
	SW_WHY_RATE,     /* as many new calls this second as it may have: tried after the others, and after a short wait */
	SW_WHY_SUSPECT,  /* it was silent a moment ago: tried last */
	SW_WHY_INBOUND,  /* not for calls out */
	SW_WHY_BARRED,   /* this number may not be dialled through it, or not by this person (sw_number.h) */
	SW_WHY_DOWN,     /* unreachable, or the carrier does not take our registration */
	SW_WHY_RESTING,  /* it said 503 with Retry-After */
	SW_WHY_FULL,     /* as many calls as it may have */
	SW_WHY_COUNT,
};
const char *sw_why_name(enum sw_why w); /* usable rate suspect inbound barred down resting full */

/* What the switch knows of a trunk beside its configuration. */
struct sw_trunk_now {
	const struct sw_trunk *conf;
	enum sw_trunk_state state;
	bool resting;
	bool rate;       /* its second is full */
	bool barred;     /* the toll guard's word on this number and person */
	bool suspect;    /* all its addresses were silent when they were called last */
	int32_t calls;   /* in it now, both directions */
};

struct sw_route_ask {
	const char *number;          /* as dialled */
	const struct sw_user *user;  /* who dials; NULL: nobody, such as a queue's overflow */
	const struct sw_trunk_now *trunks;
	size_t trunk_n;
	uint64_t seed;               /* draws among trunks of one turn */
};

struct sw_choice {
	int64_t trunk_id;
	enum sw_why why;
};

/**
 * Every trunk once: those to try first, in order (usable ones by turn, weighted within a turn, then those that only wait for their
 * second, then those that were silent a moment ago), then the others with why not, in the order of the configuration. @ret holds ask->trunk_n.
 * Answers how many are to be tried.
 */
size_t sw_route(struct sw_choice *ret, const struct sw_route_ask *ask);

/** Why nothing is to be tried, for who dials: the reason that he could best do something about. SW_WHY_INBOUND: there is no trunk. */
enum sw_why sw_route_why(const struct sw_choice *choices, size_t n);

/* How an attempt ended, as far as it matters here. */
struct sw_attempt {
	int code;      /* SIP status */
	bool silent;   /* nothing came back at all, or the network refused */
	bool rang;     /* 18x was seen */
	bool heard;    /* early media has been heard */
};
/** Whether the trunk failed, not the person called, so that the next trunk may try. */
bool sw_trunk_failed(const struct sw_attempt *a);
