/*
 * A simulated city: what happens when somebody there is dialled. Pure and seeded. Whether a number exists, its carrier's habits and how
 * readily its owner answers are the number's own, for ever; whether he answers this time depends on the hour and on chance.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"

#define CITY_DOES(X)                                                                                                   \
	X(CITY_ANSWERS, "answered")                                                                                    \
	X(CITY_ASSISTANT, "assistant")     /* a machine answers for him */                                             \
	X(CITY_NO_ANSWER, "noanswer")      /* rings until the carrier says that nobody answers */                      \
	X(CITY_REJECTS, "rejected")                                                                                    \
	X(CITY_BUSY, "busy")                                                                                           \
	X(CITY_OFF, "off")                                                                                             \
	X(CITY_UNREACHABLE, "unreachable")                                                                             \
	X(CITY_SUSPENDED, "suspended")                                                                                 \
	X(CITY_EMPTY, "empty")                                                                                         \
	X(CITY_CONGESTED, "congested")     /* the carrier has no room: 503 */

#define CITY_ENUM(id, name) id,
enum city_does { CITY_DOES(CITY_ENUM) CITY_DOES_COUNT };
#undef CITY_ENUM
const char *city_does_name(enum city_does d);

struct city_conf {
	uint64_t seed;
	double answer;         /* mean share of ordinary people's calls that are answered, over the day; 0 .. 0.8 */
	double talk_s;         /* mean talk of who does not hang up at once */
};

struct city_call {
	enum city_does does;
	int32_t ring_ms;       /* until the answer, or the last word; at least 500 */
	int32_t talk_ms;       /* ANSWERS, ASSISTANT: he hangs up then */
	bool at_once;          /* ANSWERS: hangs up as soon as he hears what it is */
	bool tune;             /* rings with a tune of his own (彩铃), as early media */
	bool announced;        /* the carrier says it in early media, and its code says nothing */
	bool deaf;             /* ANSWERS: nothing of what he says arrives */
	int code;              /* the refusal's status; 0 with ANSWERS and ASSISTANT */
};

/** @hour: 0 .. 23, local; @r: chance of this call. */
void city_call(struct city_call *ret, const struct city_conf *c, const char *number, int hour, struct rng *r);
/** How readily people answer at that hour, against the day's mean; 0 at night. Mean 1 over 9 .. 20 h. */
double city_hour(int hour);
