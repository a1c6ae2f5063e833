/* For sw_start: see paces.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct db;

struct paces {
	struct sw_pace_state *states;
	size_t state_n;
	struct sw_past *past;
	size_t past_n;
};

/** @since_ms: of campaigns that have no state, attempts from then on. What cannot be read is left out. */
void paces_load(struct paces *p, struct db *db, int64_t centre_id, int64_t since_ms);
void paces_free(struct paces *p);
