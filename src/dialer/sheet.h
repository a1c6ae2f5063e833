/*
 * A campaign's day on one sheet: for equal slots of a window, how many answered and were abandoned, and, as of each slot's end, how
 * many might be, the slack left, and the price. Made from attempts, in the order of their answers; pure.
 */
#pragma once

#include <stdint.h>

struct jw;

#define PACE_SHEET_SLOTS 96 /* a day of quarters of an hour */

struct pace_sheet_slot {
	int32_t dialled, answered, abandoned; /* in the slot */
	int32_t price_ppm;                    /* of its last dial; 0: none */
};

struct pace_sheet {
	int64_t from_ms, slot_ms;
	int32_t limit_permille;
	int32_t n;                            /* slots, 1 to PACE_SHEET_SLOTS */
	struct pace_sheet_slot slot[PACE_SHEET_SLOTS];
};

/** Slots of @slot_ms from @from_ms to @to_ms, more of them becoming longer ones so that they fit. */
void pace_sheet_init(struct pace_sheet *s, int64_t from_ms, int64_t to_ms, int64_t slot_ms, int32_t limit_permille);
/* What lies outside the window is left out. Any order, but for the price, which is the last one added to a slot. */
void pace_sheet_dial(struct pace_sheet *s, int64_t at_ms, int32_t price_ppm);
void pace_sheet_answer(struct pace_sheet *s, int64_t at_ms, int abandoned);
/**
 * {"from_ms","slot_ms","limit_permille","slots":[{"dialled","answered","abandoned","abandoned_sum","allowed_milli","slack_milli","price_ppm"}]}
 * abandoned_sum, allowed (limit x all answered so far) and slack (allowed less abandoned_sum) are as of the slot's end; a slot without
 * a dial has the price before it.
 */
void pace_sheet_encode(const struct pace_sheet *s, struct jw *w, const char *key);
