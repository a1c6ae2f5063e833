/* The toll guard's pure half: what a call costs, and who may place it. Counting is the switch's (switch/sw_toll.c). */
#pragma once

#include "number/number.h"

enum num_class {
	NUM_C_EMERGENCY, /* always allowed */
	NUM_C_LOCAL,     /* fixed lines of the trunk's area */
	NUM_C_DOMESTIC,  /* fixed lines elsewhere */
	NUM_C_MOBILE,
	NUM_C_SHARED,    /* 400 */
	NUM_C_FREE,      /* 800 */
	NUM_C_SERVICE,   /* 95xxx, 10086, 12345 */
	NUM_C_SHORT,     /* of an exchange behind the trunk */
	NUM_C_PREMIUM,
	NUM_C_ABROAD,
	NUM_C_OTHER,     /* *72, carriers' selection codes (179xx), what fits nothing: an exchange might make a call abroad of it */
	NUM_CLASSES,
};
const char *num_class_name(enum num_class c); /* emergency local domestic ... */
/** @area: of the trunk; "" or NULL: all fixed lines are domestic. */
enum num_class num_class_of(const struct num *n, const char *area);

struct num_rights {
	int64_t id;              /* 0: what holds when nobody has said anything */
	uint32_t classes;        /* bits of num_class; abroad: countries says */
	const char *countries;   /* country codes, "852 853 1", parted by blanks; "*": all; NULL: none */
	const char *barred;      /* beginnings that may not be dialled, "00 + !+852": the longest that fits decides; NULL: none */
	int32_t minutes_day;     /* of calls out that were answered; 0: no limit */
	int32_t abroad_minutes_day; /* of them abroad and premium; 0: no limit */
	int32_t call_max_min;    /* a call is cut then; 0: never */
};
extern const struct num_rights num_rights_default; /* all but premium, abroad and other */

enum num_why { NUM_OK, NUM_W_BAD, NUM_W_CLASS, NUM_W_COUNTRY, NUM_W_BARRED, NUM_WHYS };
const char *num_why_name(enum num_why w); /* ok bad class country barred */
/** @dialled: as it was typed. Emergency numbers are always fine. */
enum num_why num_may(const struct num_rights *r, const struct num *n, enum num_class c, const char *dialled);

/** By the syntax of num_rights.barred: 1 bars, -1 an exception fits, 0 nothing fits. */
int num_bars(const char *barred, const char *number);
