/*
 * What the makers of the demo's rows share: a beginning that is the same each time, and rows made as the program itself, each noted in demo_row,
 * so that they are found again when the demo is cleared. On the writer, in its transaction.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"

struct db;
struct res_def;
struct zone;

struct demo {
	struct db *db;
	struct zone *zone;
	int64_t centre_id, now_ms, today_ms, seq; /* today_ms: when the centre's day began; seq: of the last row */
	struct rng rng;
};

/** @there: rows of @resource were made already, and nothing is to be ended. */
int demo_begin(struct demo *ret, bool *there, struct db *db, int64_t centre_id, int64_t now_ms, const char *resource, uint64_t seed);
void demo_end(struct demo *m);
/** A row of @d. @id may be NULL. @at_ms: when it was written, as far as hooks ask. Takes @body. */
int demo_put(int64_t *id, struct demo *m, const struct res_def *d, int64_t at_ms, json_t *body);
/** As a reference stands in a body; 0 is null. */
json_t *demo_id(int64_t id);
