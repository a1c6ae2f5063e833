/* A sequence of events with any bodies: kind, ids and time from three bytes, the body up to the next 0xff. No input may
 * make the store fail; the roll-ups must still be what the records say. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct db *open_db(void)
{
	struct db *db;

	log_set_level(LOG_L_ERROR - 1);
	if (db_open(&db, ":memory:", DB_RW) || db_migrate(db))
		abort();
	return db;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct db *db;
	struct journal_import *im;
	int64_t at = 1767225600000, epoch, n;
	const uint8_t *end = data + size;

	if (!db)
		db = open_db();
	if (db_begin(db) || journal_import_new(&im, db, 1))
		abort();
	while (end - data > 3) {
		const uint8_t *stop = memchr(data + 3, 0xff, (size_t)(end - data - 3));
		struct ev e = {.kind = (enum ev_kind)(data[0] % EV_KIND_COUNT), .body = (const char *)data + 3, .pii_n = 1,
			       .pii = {{"dialog", "d"}}};

		e.call_id = 1 + data[1] % 3;
		e.leg_id = 1 + data[1] / 16 % 3;
		e.agent_id = data[1] / 64;
		e.queue_id = data[2] % 3;
		at += data[2] * 10000;
		e.at_ms = at;
		e.body_len = (size_t)((stop ? stop : end) - data - 3);
		if (journal_import_event(im, &e))
			abort();
		data = stop ? stop + 1 : end;
	}
	if (journal_verify(db, &epoch, &n))
		abort();
	db_rollback(db);
	journal_import_free(im);
	return 0;
}
