/*
 * Which of our numbers a customer sees. Pure.
 *
 *   the one she saw last  >  one of her city  >  any;   among equals the one with the least use of its day's limit
 * One that rests, is off or has reached its limit is none of them.
 *
 * Health: answered against what the other numbers had at the same hours. Expected = Σ over hours of its dials × the pool's rate in that hour;
 * it rests when answered < (1 − percent) × expected, and by more than three standard deviations of chance (binomial).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shown {
	int64_t id;
	char number[40];
	char city[64];      /* "": none */
	int32_t day_max;    /* 0: no limit */
	int32_t today;      /* dialled */
	bool rests;
};

/** Index of the number for a customer; -1: none can be shown. @last_id: what she saw last, 0. @city, @region: hers. */
int shown_pick(const struct shown *pool, size_t n, int64_t last_id, const char *city, const char *region);

/* One hour of one number, and of the whole pool, itself included. */
struct shown_hour {
	int32_t n, answered, pool_n, pool_answered;
};

struct shown_health {
	int32_t n, answered;
	double expected;    /* answers, had it been as good as the others */
	double z;           /* standard deviations from that; negative: worse */
	bool compared;      /* there were others to compare with */
};
struct shown_health shown_health(const struct shown_hour *hours, size_t n);
#define SHOWN_REST_DIALS 50 /* so many are needed to judge */
bool shown_should_rest(const struct shown_health *h, int32_t percent);
