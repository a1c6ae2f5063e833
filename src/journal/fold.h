/*
 * Folds make the records (call, leg, segment, activity, offer, recording part) and the roll-ups out of events.
 * ledger.c calls each event's fold exactly once, in the transaction that inserts the event.
 */
#pragma once

#include <stdbool.h>

#include "journal/journal.h"
#include "journal/zone.h"

struct fold {
	const struct zone *zone;
	unsigned refused; /* events whose body or order made no sense: kept in the log, not in the records */
};

/** 0, or negative when the database fails. Nonsense in the event is logged and left out, never an error. */
int fold_event(struct fold *f, struct db *db, const struct ev *e);

/* ---- roll-ups, from records that have ended (rollup.c) ---- */

struct fold_activity {
	int64_t centre_id, agent_id, team_id, queue_id, start_ms, end_ms;
	const char *state;
};

struct fold_offer {
	int64_t centre_id, agent_id, team_id, queue_id, start_ms;
	const char *outcome;
};

struct fold_call {
	int64_t id, centre_id, number_id;
	const char *by;
	int64_t wait_ms, talk_ms, hold_ms; /* out */
};

int rollup_activity(const struct fold *f, struct db *db, const struct fold_activity *a);
int rollup_offer(const struct fold *f, struct db *db, const struct fold_offer *o);
/** Sums the segments of an ended call; adds them to the roll-ups unless @f is NULL. */
int rollup_call(const struct fold *f, struct db *db, struct fold_call *c);
