#include "people/demo_rows.h"

#include <stdio.h>

#include "db/db.h"
#include "journal/zone.h"
#include "people/declared.h"
#include "people/sales.h"

#define DAY_MS 86400000LL

int demo_begin(struct demo *ret, bool *there, struct db *db, int64_t centre_id, int64_t now_ms, const char *resource, uint64_t seed)
{
	struct demo m = {.db = db, .centre_id = centre_id, .now_ms = now_ms};
	int64_t n = 0, wall;
	int r = db_get_i64(&n, db, "SELECT COUNT(*) FROM demo_row WHERE centre_id = $1 AND resource = $2", "it", centre_id, resource);

	*there = n > 0;
	if (r || n)
		return r;
	r = db_get_i64(&m.seq, db, "SELECT COALESCE(MAX(seq), 0) FROM demo_row WHERE centre_id = $1", "i", centre_id);
	if (!r)
		r = sales_zone(&m.zone, db);
	if (r)
		return r;
	rng_init(&m.rng, seed);
	wall = zone_wall_ms(m.zone, now_ms);
	m.today_ms = zone_utc_ms(m.zone, wall - wall % DAY_MS);
	*ret = m;
	return 0;
}

void demo_end(struct demo *m)
{
	zone_free(m->zone);
}

int demo_put(int64_t *id, struct demo *m, const struct res_def *d, int64_t at_ms, json_t *body)
{
	struct system_ctx s;
	int64_t own = 0;
	int r;

	system_init(&s, m->db, m->centre_id);
	s.c.now_ms = at_ms;
	r = system_write(&own, &s, d, 0, body);
	system_done(&s);
	if (id)
		*id = own;
	return r ? r
		 : db_run(m->db, "INSERT INTO demo_row (resource, row_id, centre_id, seq) VALUES ($1, $2, $3, $4)", "tiii", d->name, own, m->centre_id, ++m->seq);
}

json_t *demo_id(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return id ? json_string(text) : json_null();
}
