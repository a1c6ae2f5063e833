/* Between bulk.c, which runs changes of many rows, and bulk_kept.c, which keeps them. */
#pragma once

#include "api/api_int.h"

#define BULK_JOBS_MAX 16
#define BULK_KEPT_MS 3600000
#define BULK_REFUSED_MAX 10000 /* refused rows that are told one by one */

enum bulk_state { BULK_RUNNING, BULK_DONE, BULK_CANCELLED, BULK_INTERRUPTED, BULK_UNDOING, BULK_UNDONE, BULK_STATES };
extern const char *const bulk_states[];

struct bulk_row {
	int64_t id, place; /* place: in ids */
	int64_t rev;       /* as our change left it */
	char *patch;       /* puts it back; NULL: refused */
	char *name, *why;  /* refused; NULL: was not */
};
void bulk_row_done(struct bulk_row *row);

struct bulk {
	struct ilink link;
	struct api *api;
	int64_t id, until_ms; /* wall time until which it is kept */
	const struct res_def *d;
	struct res_who who;
	char lang[4];
	enum bulk_state state;
	_Atomic bool cancel;
	bool remove;
	bool nobody;    /* who started it may no longer */
	bool continued; /* after the process had ended */
	json_t *patch, *asked;
	int64_t *ids;
	size_t n, at;            /* ids[at] is next */
	struct bulk_row *before; /* room for n; NULL: rows are deleted */
	size_t before_n, undo_at;
	json_t *refused;         /* [{id, name, why}] */
	int64_t done, changed, same, bad, undone, undo_bad;
};

struct bulks {
	pthread_mutex_t lock;
	struct ilink jobs; /* the oldest first */
	size_t n;
	bool loaded;       /* those of an earlier process */
	struct pool *pool;
};

void bulk_free(struct bulks *bs, struct bulk *j); /* takes it off the list */
void bulk_refused_add(struct bulk *j, const struct bulk_row *row);

/* On the writer, in its transaction. */
int bulk_keep_new(struct db *db, const struct bulk *j, int64_t now_ms);
int bulk_keep_row(struct db *db, const struct bulk *j, const struct bulk_row *row);
int bulk_keep_kept(struct db *db, const struct bulk *j, const struct bulk_row *row); /* one that the undo left, and why */
int bulk_keep_counts(struct db *db, const struct bulk *j);
int bulk_keep_undo(struct db *db, const struct bulk *j);
int bulk_keep_end(struct db *db, const struct bulk *j, int64_t now_ms);

/** Puts those of the last hour, and those that are not over, on the list. Caller holds the lock. */
int bulk_kept_load(struct api *a, struct db *db);
/** Forgets those that are over for an hour. */
void bulk_kept_sweep(struct api *a);
