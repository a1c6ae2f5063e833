/*
 * Slots for breaks (小休名额): so many of a team are away at once, and a queue keeps so many ready. Pure: who asks, what is true of him (a callback)
 * and time go in, decisions with their numbers come out. The core knows nothing of it: whoever is granted a break is given one there.
 *
 *   ask --room--> granted                    turn --asks again--> granted
 *    \--no room--> waits --room--> turn ------/--late, and not in a call--> lapsed
 *                    \--cancels, signs out, is away--> gone
 *
 * Who waits for a queue that is short does not hold up who waits for his team only; within equal reasons the first who asked is first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acd/acd.h"

struct strb;

#define REST_WAITS_MAX 500
#define REST_TURN_MS 120000 /* a slot is kept so long for whom it is told to */

/* What is true of somebody now. */
struct rest_view {
	int64_t team_id;
	int32_t max, away;       /* of his team at most, 0: no limit; on a break, or about to be */
	bool there;              /* signed in, and not on a break */
	bool ready, busy;        /* one of the ready; with a call */
	struct rest_queue {
		int64_t id;
		int32_t keep, ready; /* at least, and now */
	} queues[ACD_QUEUES_MAX]; /* that he serves, and that keep somebody */
	size_t queue_n;
};

struct rest_wait {
	int64_t agent_id, team_id, asked_ms;
	int64_t turn_ms;         /* his slot is kept until then; 0: he waits */
	char reason[ACD_REASON_MAX];
};

enum rest_what { REST_GRANTED, REST_WAITS, REST_TURN, REST_LAPSED, REST_CANCELLED, REST_GONE, REST_WHAT_COUNT };
const char *rest_what_name(enum rest_what w); /* granted waits turn lapsed cancelled gone */

/* A decision, with what it was made from. */
struct rest_out {
	enum rest_what what;
	const char *why;         /* granted: free turn; waits: team queue; turn: free; lapsed: late; cancelled: asked; gone: away */
	int64_t agent_id, team_id, queue_id, until_ms;
	int32_t max, away, keep, ready; /* away: with the slots that are kept for others; ready: without them and him */
	int32_t place;           /* waits: in his team's line, from 1 */
	const char *reason;
};

struct rest {
	struct rest_wait waits[REST_WAITS_MAX]; /* in the order in which they asked */
	size_t n;
	bool (*view)(struct rest_view *ret, int64_t agent_id, void *arg); /* false: nobody of that id */
	void (*emit)(const struct rest_out *out, void *arg);
	void *arg;
};

/** May he go now? True: granted. False: he waits, or nobody knows him, or too many wait. Asking again is no second place. */
bool rest_ask(struct rest *r, int64_t agent_id, const char *reason, int64_t now_ms);
void rest_cancel(struct rest *r, int64_t agent_id);
/** Who is late or gone leaves the line; whoever there is room for has his turn. After each change, or now and then. */
void rest_step(struct rest *r, int64_t now_ms);
const struct rest_wait *rest_find(const struct rest *r, int64_t agent_id);
/** {"what","why","team","reason","place","until","away","max","queue","keep","ready"} */
void rest_encode(const struct rest_out *out, struct strb *b);
