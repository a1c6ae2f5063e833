/*
 * The event log: one append-only sequence of what happened in telephony, from which all records and figures are
 * folded. The switch thread appends to a ring mapped from tmpfs; the store (db's writer) drains it in group commits,
 * folds the records in the same transaction, and only then does the ring's tail move.
 *
 *   switch thread           store thread                       start
 *   journal_append -> ring -> insert + folds -> commit -> ack  ring, then spill, inserted with "on conflict do nothing"
 *                              `-- database away: spill file, fdatasync
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/kinds.h"

struct db;
struct db_writer;

enum ev_class { EV_CLASS_IN, EV_CLASS_OUT, EV_CLASS_CFG, EV_CLASS_SNAP, EV_CLASS_FACT };

#define EV_ENUM(id, name, class, v) id,
enum ev_kind { EV_KINDS(EV_ENUM) EV_KIND_COUNT };
#undef EV_ENUM

const char *ev_kind_name(enum ev_kind k);
int ev_kind_version(enum ev_kind k);
enum ev_class ev_kind_class(enum ev_kind k);
const char *ev_class_name(enum ev_class c); /* in out cfg snap fact */
int ev_kind_parse(enum ev_kind *ret, const char *name); /* -EINVAL */

struct ev_pii {
	const char *key;  /* from, to, name, local, remote, dialog */
	const char *text;
};

#define EV_BODY_MAX (4 << 20) /* configuration and state of the cores are one event */
#define EV_PII_MAX 6

/* One event. Ids that do not apply are 0. Strings are borrowed for the call. */
struct ev {
	int64_t epoch, n; /* identity; set by journal_append */
	int64_t centre_id, at_ms;
	enum ev_kind kind;
	int64_t call_id, leg_id, agent_id, queue_id, campaign_id;
	const char *body; /* JSON object; NULL means {} */
	size_t body_len;
	struct ev_pii pii[EV_PII_MAX];
	unsigned pii_n;
};

struct journal_conf {
	const char *ring_path;  /* on tmpfs */
	size_t ring_bytes;      /* 64 MiB by default (0) */
	const char *spill_path; /* on disk */
	int64_t centre_id;
	const char *zone;       /* IANA name of the centre's zone, for its days; NULL: JOURNAL_ZONE */
};
#define JOURNAL_ZONE "Asia/Shanghai"

struct journal;

/** Opens or takes over a ring; what it holds of earlier epochs is kept for journal_recover. -EBUSY: another process has it. */
int journal_open(struct journal **ret, const struct journal_conf *conf);
void journal_close(struct journal *j);

/**
 * At start, before serving: inserts what ring and spill still hold, then closes what earlier epochs left open (calls, legs, segments,
 * activities, offers, recording parts) with events of its own, at the last time known of that epoch. Takes the next epoch number.
 * For every dialog that was open, @orphan is called with its serialised form, so that BYE can be sent.
 * For every recording part that was open, @part may repair the file: it answers the duration in ms, or negative.
 */
struct journal_recovery {
	void (*orphan)(int64_t leg_id, const char *dialog, void *arg);
	int64_t (*part)(int64_t part_id, const char *path, int64_t *bytes, char hash_hex[65], void *arg);
	void *arg;
	unsigned calls, legs, parts, events; /* out: how many were closed or inserted */
};
int journal_recover(struct journal *j, struct db_writer *w, struct journal_recovery *rec);

/**
 * Lets @w drain the ring from now on, every @interval_ms (<= 200). At the end: no more appends, db_writer_free (drains the rest),
 * journal_close.
 */
void journal_attach(struct journal *j, struct db_writer *w, int interval_ms);

/**
 * Appends one event; sets e->epoch and e->n, and moves e->at_ms to the last event's where it would go backwards. The switch thread only; never blocks, no system call.
 * -ENOSPC when the ring is full (the event is lost: callers keep away from that with journal_pressed). -EMSGSIZE when body or a
 * text is beyond its limit, or at_ms is no time.
 */
int journal_append(struct journal *j, struct ev *e);
/** The ring is more than three quarters full: refuse new calls (503), raise an alarm. */
bool journal_pressed(const struct journal *j);
/** The database is away, and events go to the spill file until it is back and has them all. Any thread. */
bool journal_spills(const struct journal *j);
/** Neither database nor spill file take events, as when the disk is full: they wait in the ring, in memory. Any thread. */
bool journal_is_stuck(const struct journal *j);
/** Highest n that is committed (or spilled) durably, for what must not happen twice. Any thread. */
int64_t journal_durable_n(const struct journal *j);
int64_t journal_epoch(const struct journal *j);

/** @fn sees every appended event, on the switch thread, right after it is in the ring. */
void journal_tap(struct journal *j, void (*fn)(const struct ev *e, void *arg), void *arg);

/* ---- reading ---- */

/** Walks events in order of (epoch, n) from (@epoch, @n) on; stops when @fn answers non-zero, and returns that. */
int journal_read(struct db *db, int64_t epoch, int64_t n, int (*fn)(const struct ev *e, void *arg), void *arg);

/** Recomputes the hash chain. 0: whole. 1: broken, and @epoch, @n name the first altered, missing or reordered event. */
int journal_verify(struct db *db, int64_t *epoch, int64_t *n);

/** The same for the last @rows events, trusting the one before them. */
int journal_verify_last(struct db *db, int64_t rows, int64_t *epoch, int64_t *n);

/* What a ring's file holds, without opening it as one. */
struct journal_ring_look {
	uint64_t used;    /* bytes of events that no database has yet */
	int64_t alive_ms; /* when its process was last known to live */
};
/** 0; -EBADMSG: the file is no sound ring; or why it cannot be read. Nothing is changed or locked. */
int journal_ring_look(struct journal_ring_look *ret, const char *path);

/**
 * Derives the roll-ups again from the records and compares. 0: same. 1: they differ, and @what says where. @zone NULL:
 * JOURNAL_ZONE. Makes temporary tables in a transaction of its own; any connection.
 */
int journal_rollup_check(struct db *db, const char *zone, char what[256]);

/**
 * For history made in virtual time: inserts and folds @e at once, on @db inside the caller's transaction. Takes an epoch of its own.
 * The log is one sequence: import before journal_recover takes the run's epoch, never beside a serving process. After an error the
 * transaction must be rolled back and the import given up.
 */
struct journal_import;
int journal_import_new(struct journal_import **ret, struct db *db, int64_t centre_id);
int journal_import_zone(struct journal_import *im, const char *zone); /* default JOURNAL_ZONE */
int journal_import_event(struct journal_import *im, struct ev *e);
void journal_import_free(struct journal_import *im);
