/*
 * The log in the database: inserts events with their place in the hash chain, and folds each exactly once. One
 * connection, inside the caller's transaction.
 */
#pragma once

#include <stdint.h>

#include "journal/fold.h"
#include "journal/record.h"

#define LEDGER_HASH 32
#define LEDGER_SALT 16

struct ledger {
	struct fold fold;
	int64_t epoch, n;            /* of the last event of the log; 0: there is none */
	uint8_t hash[LEDGER_HASH];   /* its hash */
	bool loaded;                 /* the three above are the database's */
	uint8_t salts[64][LEDGER_SALT];
	unsigned salts_left;
};

void ledger_init(struct ledger *l, struct zone *zone);
/** Forgets the end of the chain, after a rollback; it is read again. */
void ledger_forget(struct ledger *l);
/** Inserts and folds. 0; 1: it was there already (not folded again); negative: the database failed. */
int ledger_insert(struct ledger *l, struct db *db, const struct rec *rec);
/** A new epoch's number, written down. @kind: run, recovery, import. */
int ledger_take_epoch(int64_t *ret, struct db *db, int64_t centre_id, const char *kind, int64_t at_least);

/** Does this result mean that the disk or the engine fails (as opposed to: this statement is refused)? */
bool ledger_disk_fails(int r);
