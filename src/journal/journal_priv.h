#pragma once

#include "journal/journal.h"
#include "journal/ledger.h"
#include "journal/ring.h"
#include "journal/spill.h"

struct db_writer;

struct journal {
	struct ring ring;
	struct zone *zone;
	int64_t centre_id;

	/* The switch thread's. */
	int64_t epoch, n, last_at_ms;
	void (*tap)(const struct ev *e, void *arg);
	void *tap_arg;

	_Atomic int64_t durable_n;

	/* The store thread's. */
	struct spill spill;
	struct ledger ledger;
	uint8_t *buf; /* of spill_read */
	size_t buf_cap;
	uint64_t drained_pos;   /* of the ring, in the transaction that is open */
	uint64_t spill_mark;    /* of the spill, before that transaction */
	int64_t drained_n;
	bool spill_done;        /* that transaction holds the rest of the spill */
	_Atomic bool spilling;  /* told once; read by anybody */
	_Atomic bool stuck;     /* nor does the spill file take anything */
	int64_t failing_mono_ms; /* since when the database takes nothing; 0: it does */
	int64_t orphans_gone_mono_ms; /* when the dialogs of a dead run are let go; 0: they are */
};

/* A transaction takes so many events at most, so that jobs need not wait longer. */
#define DRAIN_MAX 4096

/**
 * Inserts what spill and ring hold, up to DRAIN_MAX events, without letting go of it: journal_drained does, after the
 * commit; journal_undrain after a failure. @more: there was more. Store thread.
 */
int journal_drain(struct journal *j, struct db *db, bool *more);
void journal_drained(struct journal *j);
void journal_undrain(struct journal *j);
