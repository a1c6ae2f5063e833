/* Numbers shown for a reason, and who opened which row. */
#include "people/privacy.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"
#include "journal/zone.h"
#include "people/declared.h"

int people_reveals_since(int64_t *ret, struct db *db, int64_t user_id, int64_t since_ms)
{
	return db_get_i64(ret, db, "SELECT COUNT(*) FROM reveals WHERE user_id = $1 AND at_ms >= $2", "ii", user_id, since_ms);
}

/* When the centre's day began. */
static int64_t day_began(struct db *db, int64_t now_ms)
{
	struct people_centre_info info;
	struct zone *z = NULL;
	int64_t wall, ms;

	if (people_centre_get(&info, db) || zone_open(&z, info.zone))
		return now_ms - now_ms % 86400000;
	wall = zone_wall_ms(z, now_ms);
	ms = zone_utc_ms(z, wall - wall % 86400000);
	zone_free(z);
	return ms;
}

struct phone {
	int64_t customer_id;
	char number[64];
};

static int find_phone(struct phone *p, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, "SELECT customer_id, number FROM customer_phones WHERE id = $1 AND centre_id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		p->customer_id = db_i64(st, 0);
		(void)str_copy(p->number, sizeof(p->number), db_text(st, 1));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

/* 0; 1: the day's are used up; negative. A program has no day. */
static int take_one(int64_t *left, struct res_ctx *c)
{
	struct people_privacy rules;
	char text[24];
	int64_t n;
	int r = people_privacy_get(&rules, c->db, c->who->centre_id);

	if (!r)
		r = people_reveals_since(&n, c->db, c->who->user_id, day_began(c->db, c->now_ms));
	if (r)
		return r;
	*left = rules.reveal_day_max - n - 1;
	if (*left >= 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%lld", (long long)rules.reveal_day_max);
	res_fail(c, 429, "reveal_limit", NULL, text);
	return 1;
}

int people_phone_reveal(json_t **ret, struct res_ctx *c, int64_t phone_id, const char *reason)
{
	bool all = people_may(c->who, RIGHT_NUMBERS);
	int64_t left = -1;
	struct phone p;
	json_t *after;
	int r = find_phone(&p, c, phone_id);

	if (r == -ENOENT) {
		res_fail(c, 404, "not_found", NULL, NULL);
		return 1;
	}
	if (!r)
		r = res_may_row(c, &people_customer_phones, phone_id, RES_READ);
	if (!r && !all)
		r = take_one(&left, c);
	if (r)
		return r;
	after = json_pack("{s:s, s:s}", "customer_id", "", "reason", reason);
	(void)json_object_set_new(after, "customer_id", json_sprintf("%lld", (long long)p.customer_id));
	r = db_run(c->db, "INSERT INTO reveals (id, centre_id, user_id, customer_id, phone_id, at_ms, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)", "iiiiiit",
		   res_next_id(), c->who->centre_id, c->who->user_id, p.customer_id, phone_id, c->now_ms, reason);
	if (!r)
		r = res_audit(c, "customer_phones", phone_id, "reveal", NULL, after);
	json_decref(after);
	if (r)
		return r;
	*ret = json_pack("{s:s, s:o}", "number", p.number, "left", all ? json_null() : json_integer((json_int_t)left));
	return 0;
}

int people_row_seen(struct db *db, int64_t centre_id, const char *resource, int64_t row_id, int64_t user_id, int64_t now_ms)
{
	return db_run(db,
		      "INSERT INTO row_views (centre_id, resource, row_id, user_id, hour, at_ms) VALUES ($1, $2, $3, $4, $5, $6)"
		      " ON CONFLICT DO NOTHING",
		      "itiiii", centre_id, resource, row_id, user_id, now_ms / 3600000, now_ms);
}
