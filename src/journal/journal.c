/* The log's two ends: append on the switch thread, drain and spill on the store thread. Starting is recover.c. */
#include "journal/journal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/journal_priv.h"

#define RING_BYTES_DEFAULT (64u << 20)
#define RING_BYTES_MIN 65536u
#define ORPHANS_KEPT_MS 60000
#define SPILL_AFTER_MS 1000 /* a lock that is held for a moment is no reason */

int journal_open(struct journal **ret, const struct journal_conf *conf)
{
	size_t bytes = conf->ring_bytes ? conf->ring_bytes : RING_BYTES_DEFAULT;
	struct journal *j = xcalloc(1, sizeof(*j));
	int r;

	if (bytes < RING_BYTES_MIN)
		bytes = RING_BYTES_MIN;
	j->centre_id = conf->centre_id;
	j->ring.fd = j->spill.fd = -1;
	(void)crc32c("", 0); /* makes its table now, not in the first append */
	r = zone_open(&j->zone, conf->zone ? conf->zone : JOURNAL_ZONE);
	if (!r)
		r = ring_open(&j->ring, conf->ring_path, (bytes + 4095) & ~(size_t)4095);
	if (!r)
		r = spill_open(&j->spill, conf->spill_path);
	if (r) {
		journal_close(j);
		return r;
	}
	ledger_init(&j->ledger, j->zone);
	*ret = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	ring_close(&j->ring);
	spill_close(&j->spill);
	zone_free(j->zone);
	free(j->buf);
	free(j);
}

/* ---- switch thread ---- */

int journal_append(struct journal *j, struct ev *e)
{
	struct ring_head *h = j->ring.h;
	uint64_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&h->tail, memory_order_acquire);
	size_t size;

	assert(j->epoch); /* journal_recover came before */
	if (e->at_ms < j->last_at_ms)
		e->at_ms = j->last_at_ms;
	size = rec_size(e);
	if (!size)
		return -EMSGSIZE;
	if (size > j->ring.bytes - (head - tail))
		return -ENOSPC;
	e->epoch = j->epoch;
	e->n = ++j->n;
	if (!e->centre_id)
		e->centre_id = j->centre_id;
	j->last_at_ms = e->at_ms;
	rec_encode(ring_at(&j->ring, head), size, e);
	atomic_store_explicit(&h->head, head + size, memory_order_release);
	if (j->tap)
		j->tap(e, j->tap_arg);
	return 0;
}

bool journal_spills(const struct journal *j)
{
	return atomic_load_explicit(&j->spilling, memory_order_relaxed);
}

bool journal_is_stuck(const struct journal *j)
{
	return atomic_load_explicit(&j->stuck, memory_order_relaxed);
}

bool journal_pressed(const struct journal *j)
{
	return ring_used(&j->ring) > j->ring.bytes / 4 * 3;
}

int64_t journal_durable_n(const struct journal *j)
{
	return atomic_load(&j->durable_n);
}

int64_t journal_epoch(const struct journal *j)
{
	return j->epoch;
}

void journal_tap(struct journal *j, void (*fn)(const struct ev *e, void *arg), void *arg)
{
	j->tap = fn;
	j->tap_arg = arg;
}

/* ---- store thread: draining ---- */

static int insert(struct journal *j, struct db *db, const struct rec *rec)
{
	int r;

	if (rec->ev.kind == EV_KIND_COUNT) {
		log_error("event log holds a kind this program does not know kind=%s, use the newer program", rec->kind_name);
		return -EPROTO;
	}
	r = ledger_insert(&j->ledger, db, rec);
	return r > 0 ? 0 : r;
}

/* The spill is older than the ring, so it goes first, and the ring waits until it is through. */
static int drain_spill(struct journal *j, struct db *db, unsigned *left)
{
	struct rec rec;
	int r = 0;

	while (*left && (r = spill_read(&j->spill, &rec, &j->buf, &j->buf_cap)) == 1) {
		r = insert(j, db, &rec);
		if (r)
			return r;
		--*left;
	}
	j->spill_done = !r && *left;
	return r < 0 ? r : 0;
}

static int drain_ring(struct journal *j, struct db *db, unsigned *left)
{
	uint64_t head = atomic_load_explicit(&j->ring.h->head, memory_order_acquire);

	while (*left && j->drained_pos < head) {
		struct rec rec;
		size_t n = rec_decode(&rec, ring_at(&j->ring, j->drained_pos), head - j->drained_pos);
		int r;

		if (!n) {
			log_error("event ring is damaged bytes_lost=%llu", (unsigned long long)(head - j->drained_pos));
			j->drained_pos = head;
			return 0;
		}
		r = insert(j, db, &rec);
		if (r)
			return r;
		j->drained_pos += n;
		if (rec.ev.epoch == j->epoch)
			j->drained_n = rec.ev.n;
		--*left;
	}
	return 0;
}

struct draining {
	struct journal *j;
	bool more, again;
};

/* May be run a second time, after everything it did was undone. */
static int drain(struct db *db, void *arg)
{
	struct draining *d = arg;
	struct journal *j = d->j;
	unsigned left = DRAIN_MAX;
	int r = 0;

	if (d->again)
		journal_undrain(j);
	d->again = true;
	j->drained_pos = atomic_load(&j->ring.h->tail);
	j->spill_mark = j->spill.pos;
	j->spill_done = false;
	if (j->spill.size)
		r = drain_spill(j, db, &left);
	if (!r && (!j->spill.size || j->spill_done))
		r = drain_ring(j, db, &left);
	d->more = !left;
	return r;
}

int journal_drain(struct journal *j, struct db *db, bool *more)
{
	struct draining d = {.j = j};
	int r = db_batch(db, drain, &d);

	*more = d.more;
	return r;
}

void journal_drained(struct journal *j)
{
	if (j->spill_done && j->spill.size) {
		int r = spill_empty(&j->spill);

		/* Then it is read again, and every event found to be there already. */
		if (r)
			log_warn("spill file cannot be emptied error=%d", -r);
		else
			log_info("spilled events are in the database");
		j->spilling = false;
	}
	j->stuck = false;
	atomic_store_explicit(&j->ring.h->tail, j->drained_pos, memory_order_release);
	atomic_store(&j->durable_n, j->drained_n);
}

void journal_undrain(struct journal *j)
{
	ledger_forget(&j->ledger);
	j->spill.pos = j->spill_mark;
	j->drained_n = atomic_load(&j->durable_n);
}

/* ---- store thread: spilling ---- */

/* Moves the ring's records to the spill file; what cannot be written stays in the ring. */
static void spill_ring(struct journal *j)
{
	uint64_t head = atomic_load_explicit(&j->ring.h->head, memory_order_acquire);
	uint64_t tail = atomic_load(&j->ring.h->tail), pos = tail;
	int64_t n = j->drained_n;
	struct rec rec;
	size_t size;
	int r;

	while (pos < head && (size = rec_decode(&rec, ring_at(&j->ring, pos), head - pos))) {
		pos += size;
		if (rec.ev.epoch == j->epoch)
			n = rec.ev.n;
	}
	r = spill_write(&j->spill, ring_at(&j->ring, tail), pos - tail);
	j->stuck = r != 0;
	if (r) {
		log_error("spill file does not take events error=%d ring_used_pct=%llu", -r,
			  (unsigned long long)(100 * (head - tail) / j->ring.bytes));
		return;
	}
	if (!j->spilling)
		log_warn("database does not take events, they go to the spill file path=%s", j->spill.path);
	j->spilling = true;
	j->drained_n = n;
	atomic_store_explicit(&j->ring.h->tail, pos, memory_order_release);
	atomic_store(&j->durable_n, n);
}

/* ---- store thread: as the writer's source ---- */

static bool source_pending(void *arg)
{
	struct journal *j = arg;

	atomic_store_explicit(&j->ring.h->alive_ms, clock_utc_ms(), memory_order_relaxed);
	ring_warm(&j->ring);
	return ring_used(&j->ring) || j->spill.size || (j->orphans_gone_mono_ms && clock_mono_ms() > j->orphans_gone_mono_ms);
}

static int source_drain(struct db *db, void *arg)
{
	struct journal *j = arg;
	bool more;
	int r;

	r = journal_drain(j, db, &more);
	if (!r && j->orphans_gone_mono_ms && clock_mono_ms() > j->orphans_gone_mono_ms) {
		r = db_run(db, "DELETE FROM orphan", NULL);
		j->orphans_gone_mono_ms = 0;
	}
	return r;
}

static void source_committed(void *arg)
{
	struct journal *j = arg;

	j->failing_mono_ms = 0;
	journal_drained(j);
}

static void source_failed(int error, void *arg)
{
	struct journal *j = arg;

	int64_t now = clock_mono_ms();

	journal_undrain(j);
	if (!j->failing_mono_ms)
		j->failing_mono_ms = now;
	if (ring_used(&j->ring) && (now - j->failing_mono_ms >= SPILL_AFTER_MS || ring_used(&j->ring) > j->ring.bytes / 2))
		spill_ring(j);
}

void journal_attach(struct journal *j, struct db_writer *w, int interval_ms)
{
	assert(j->epoch);
	ring_warm(&j->ring);
	j->orphans_gone_mono_ms = clock_mono_ms() + ORPHANS_KEPT_MS;
	db_writer_set_source(w, &(struct db_source){.drain = source_drain, .committed = source_committed, .failed = source_failed,
						    .pending = source_pending, .arg = j, .interval_ms = interval_ms});
}
