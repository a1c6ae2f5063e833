/* The day's minutes of calls out, from the records, for a switch that starts in mid-day. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "number/guard.h"
#include "people/switch_conf.h"
#include "switch/switch.h"

struct sums {
	struct sw_used *all;
	size_t n;
	struct hmap trunks, users; /* id -> index plus one */
};

static struct sw_used *sum_of(struct sums *s, struct hmap *m, int64_t id, bool trunk)
{
	uintptr_t at = (uintptr_t)hmap_get(m, (uint64_t)id);

	if (at)
		return &s->all[at - 1];
	s->all = xrealloc(s->all, (s->n + 1) * sizeof(*s->all));
	s->all[s->n] = (struct sw_used){.trunk_id = trunk ? id : 0, .user_id = trunk ? 0 : id};
	(void)hmap_set(m, (uint64_t)id, (void *)(uintptr_t)(s->n + 1));
	return &s->all[s->n++];
}

static bool is_costly(const char *number)
{
	enum num_class c;
	struct num n;

	if (!num_read(&n, number, ""))
		return false;
	c = num_class_of(&n, "");
	return c == NUM_C_ABROAD || c == NUM_C_PREMIUM || c == NUM_C_OTHER;
}

static void add(struct sw_used *u, int64_t ms, bool costly)
{
	u->ms += ms;
	u->costly_ms += costly ? ms : 0;
}

int people_used_since(struct sw_used **ret, size_t *ret_n, struct db *db, int64_t centre_id, int64_t since_ms)
{
	struct sums s = {0};
	struct db_stmt *st;
	int r;

	/* call_start serves it: a call that began before midnight counts in the day it began. */
	r = db_prepare(&st, db,
		       "SELECT l.trunk_id, coalesce(c.first_agent_id, 0), l.end_ms - l.answer_ms, coalesce(p.to_number, '') FROM call c"
		       " JOIN leg l ON l.call_id = c.id LEFT JOIN call_pii p ON p.call_id = c.id"
		       " WHERE c.centre_id = $1 AND c.start_ms >= $2 AND l.dir = 'out' AND l.trunk_id IS NOT NULL"
		       " AND l.answer_ms IS NOT NULL AND l.end_ms > l.answer_ms");
	if (r)
		return r;
	hmap_init(&s.trunks, false);
	hmap_init(&s.users, false);
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, since_ms);
	while ((r = db_step(st)) == DB_ROW) {
		int64_t user = db_i64(st, 1), ms = db_i64(st, 2);
		bool costly = is_costly(db_text(st, 3));

		add(sum_of(&s, &s.trunks, db_i64(st, 0), true), ms, costly);
		if (user)
			add(sum_of(&s, &s.users, user, false), ms, costly);
	}
	db_done(st);
	hmap_done(&s.trunks);
	hmap_done(&s.users);
	if (r) {
		free(s.all);
		return r;
	}
	*ret = s.all;
	*ret_n = s.n;
	return 0;
}
