/*
 * The pool (公海): customers without an owner. Who has the right claims them, within the day's cap; owners give them back; those whose owner
 * has had no contact for too long go back by themselves, in pieces that each are one small transaction.
 */
#include "people/customer.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"
#include "journal/zone.h"
#include "people/note.h"

#define DAY_MS 86400000LL
#define RECOUNT_PIECE 500

static json_t *id_text(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return json_string(text);
}

static int refuse(struct res_ctx *c, int status, const char *code)
{
	res_fail(c, status, code, NULL, NULL);
	return 1;
}

struct rules {
	int64_t claim_day_max, own_max, keep_days, warn_days;
};

static int rules_get(struct rules *ret, struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT claim_day_max, own_max, keep_days, warn_days FROM pool_settings WHERE centre_id = $1");

	if (r)
		return r;
	*ret = (struct rules){0};
	db_bind_i64(st, 1, centre_id);
	r = db_step(st);
	if (r == DB_ROW)
		*ret = (struct rules){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3)};
	db_done(st);
	return r < 0 ? r : 0;
}

/* When the centre's day began. */
static int64_t today_ms(struct db *db, int64_t now_ms)
{
	struct people_centre_info info;
	struct zone *z;
	int64_t wall, start;

	if (people_centre_get(&info, db) || zone_open(&z, info.zone))
		return now_ms - now_ms % DAY_MS;
	wall = zone_wall_ms(z, now_ms);
	start = zone_utc_ms(z, wall - wall % DAY_MS);
	zone_free(z);
	return start;
}

/* customer_claims_user serves it */
static int claimed_today(int64_t *ret, struct res_ctx *c)
{
	return db_get_i64(ret, c->db, "SELECT COUNT(*) FROM customer_claims WHERE user_id = $1 AND what = 'claim' AND at_ms >= $2", "ii",
			  c->who->user_id, today_ms(c->db, c->now_ms));
}

static int owned(int64_t *ret, struct res_ctx *c)
{
	return db_get_i64(ret, c->db, "SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND state = 'active'", "i", c->who->user_id);
}

int customer_claim_note(struct res_ctx *c, int64_t customer_id, int64_t user_id, int64_t by_id, const char *what, const char *reason)
{
	return db_run(c->db,
		      "INSERT INTO customer_claims (id, centre_id, customer_id, user_id, by_id, at_ms, what, reason)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		      "iiirritt", c->next_id ? c->next_id() : res_next_id(), c->who->centre_id, customer_id, user_id, by_id, c->now_ms, what, reason);
}

struct owner {
	int64_t id;
	char state[16];
};

static int owner_get(struct owner *ret, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, "SELECT COALESCE(owner_id, 0), state FROM customers WHERE id = $1 AND centre_id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		ret->id = db_i64(st, 0);
		(void)str_copy(ret->state, sizeof(ret->state), db_text(st, 1));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : refuse(c, 404, "not_found");
}

static int check_caps(struct res_ctx *c)
{
	struct rules rules;
	int64_t today = 0, have = 0;
	int r = rules_get(&rules, c->db, c->who->centre_id);

	if (!r)
		r = claimed_today(&today, c);
	if (!r)
		r = owned(&have, c);
	if (r)
		return r;
	if (today >= rules.claim_day_max)
		return refuse(c, 409, "claim_cap");
	return rules.own_max && have >= rules.own_max ? refuse(c, 409, "own_cap") : 0;
}

/* The writer does one after the other, so of two who claim one comes second. */
int people_customer_claim(json_t **ret, struct res_ctx *c, int64_t id)
{
	struct owner o;
	int r;

	if (!people_may(c->who, RIGHT_POOL) || !c->who->user_id)
		return refuse(c, 403, "forbidden");
	r = owner_get(&o, c, id);
	if (r)
		return r;
	if (strcmp(o.state, "active") != 0)
		return refuse(c, 409, "merged");
	if (o.id)
		return refuse(c, 409, o.id == c->who->user_id ? "yours" : "owned");
	r = check_caps(c);
	if (!r)
		r = customer_claim_note(c, id, c->who->user_id, c->who->user_id, "claim", NULL);
	if (!r)
		r = customer_change(c, id, json_pack("{s:o}", "owner_id", id_text(c->who->user_id)), NULL);
	return r ? r : customer_shown(ret, c, id);
}

int people_customer_release(json_t **ret, struct res_ctx *c, int64_t id, const char *reason)
{
	struct owner o;
	bool within = false;
	int r = customer_within(&within, c, id, true);

	if (!r)
		r = within ? owner_get(&o, c, id) : refuse(c, 404, "not_found");
	if (r)
		return r;
	if (!o.id)
		return refuse(c, 409, "in_pool");
	if (o.id != c->who->user_id && !people_may(c->who, RIGHT_ASSIGN))
		return refuse(c, 403, "forbidden");
	r = customer_claim_note(c, id, o.id, c->who->user_id, "release", reason);
	if (!r)
		r = db_run(c->db, "DELETE FROM customer_shares WHERE customer_id = $1", "i", id);
	if (!r)
		r = customer_change(c, id, json_pack("{s:n, s:n}", "owner_id", "team_id"), NULL);
	return r ? r : customer_shown(ret, c, id);
}

int people_customer_mine(json_t **ret, struct res_ctx *c)
{
	int64_t claimed = 0, have = 0, due = 0, soon = 0, asked = 0, shared = 0;
	struct rules rules;
	int r = rules_get(&rules, c->db, c->who->centre_id);

	if (!r)
		r = claimed_today(&claimed, c);
	if (!r)
		r = owned(&have, c);
	if (!r) /* customers_owner serves it */
		r = db_get_i64(&due, c->db, "SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND next_ms <= $2 AND state = 'active'", "ii",
			       c->who->user_id, c->now_ms);
	if (!r)
		r = db_get_i64(&soon, c->db, "SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND back_ms <= $2 AND state = 'active'", "ii",
			       c->who->user_id, c->now_ms + rules.warn_days * DAY_MS);
	if (!r)
		r = db_get_i64(&asked, c->db, "SELECT COUNT(*) FROM customer_requests WHERE user_id = $1 AND state = 'open'", "i", c->who->user_id);
	if (!r)
		r = db_get_i64(&shared, c->db, "SELECT COUNT(*) FROM customer_shares WHERE user_id = $1", "i", c->who->user_id);
	if (r)
		return r;
	*ret = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "claimed", (json_int_t)claimed, "claim_day_max",
			 (json_int_t)rules.claim_day_max, "own", (json_int_t)have, "own_max", (json_int_t)rules.own_max, "keep_days",
			 (json_int_t)rules.keep_days, "warn_days", (json_int_t)rules.warn_days, "due", (json_int_t)due, "back_soon",
			 (json_int_t)soon, "asked", (json_int_t)asked, "shared", (json_int_t)shared, "may_claim", people_may(c->who, RIGHT_POOL));
	return 0;
}

/* ---- what is due ---- */

/* Later of owned and last contact, and the days of its type, else the centre's. */
#define BACK_SQL \
	"(SELECT CASE WHEN COALESCE(y.keep_days, s.keep_days, 0) > 0 THEN COALESCE(y.keep_days, s.keep_days) * 86400000 +" \
	" CASE WHEN COALESCE(c.last_ms, 0) > COALESCE(c.owned_ms, 0) THEN c.last_ms ELSE COALESCE(c.owned_ms, 0) END END" \
	" FROM customers c LEFT JOIN customer_types y ON y.id = c.type_id LEFT JOIN pool_settings s ON s.centre_id = c.centre_id" \
	" WHERE c.id = customers.id AND c.owner_id IS NOT NULL AND c.state = 'active')"

int customer_back_set(struct db *db, int64_t customer_id)
{
	return db_run(db, "UPDATE customers SET back_ms = " BACK_SQL ", warned_ms = NULL WHERE id = $1", "i", customer_id);
}

/* BACK_SQL of a customer who has had no contact yet. */
int customer_back_fill(struct res_ctx *c, json_t *row)
{
	char key[48];
	int64_t days = 0;
	int r = 0;

	if (!row_id(row, "owner_id"))
		return 0;
	(void)snprintf(key, sizeof(key), "keep_days.%s", row_text(row, "type_id"));
	if (json_object_get(c->memo, key))
		days = json_integer_value(json_object_get(c->memo, key));
	else
		r = db_get_i64(&days, c->db,
			       "SELECT COALESCE((SELECT keep_days FROM customer_types WHERE id = $2), (SELECT keep_days FROM pool_settings WHERE centre_id = $1), 0)",
			       "ir", c->who->centre_id, row_id(row, "type_id"));
	if (r)
		return r;
	(void)json_object_set_new(c->memo, key, json_integer(days));
	if (days > 0)
		row_set(row, "back_ms", json_integer(days * DAY_MS + json_integer_value(json_object_get(row, "owned_ms"))));
	return 0;
}

int customer_recount(struct db *db, int64_t centre_id)
{
	return db_run(db, "UPDATE pool_settings SET recount_id = 0 WHERE centre_id = $1", "i", centre_id);
}

/* The ids of a piece by the primary key; its end is remembered, so that it goes on after a restart. */
static int recount_step(bool *more, struct db *db, int64_t centre_id)
{
	int64_t from = -1, to = 0;
	int r = db_get_i64(&from, db, "SELECT COALESCE(recount_id, -1) FROM pool_settings WHERE centre_id = $1", "i", centre_id);

	if (r || from < 0)
		return r == -ENOENT ? 0 : r;
	r = db_get_i64(&to, db, "SELECT COALESCE(MAX(p.id), 0) FROM (SELECT id FROM customers WHERE id > $1 ORDER BY id LIMIT $2) AS p", "ii", from,
		       (int64_t)RECOUNT_PIECE);
	if (!r && to)
		r = db_run(db, "UPDATE customers SET back_ms = " BACK_SQL " WHERE id > $1 AND id <= $2 AND centre_id = $3", "iii", from, to, centre_id);
	if (!r)
		r = db_run(db, "UPDATE pool_settings SET recount_id = $1 WHERE centre_id = $2", "ri", to, centre_id);
	*more |= to != 0;
	return r;
}

/* customers_back serves both. */
#define DUE_SQL "SELECT id, owner_id, name, back_ms FROM customers WHERE back_ms <= $1 AND owner_id IS NOT NULL AND state = 'active' AND centre_id = $2"
#define RETURN_SQL DUE_SQL " ORDER BY back_ms LIMIT $3"
#define WARN_SQL DUE_SQL " AND warned_ms IS NULL ORDER BY back_ms LIMIT $3"

/* Up to what a piece holds; @n: how many there are already. */
static int due(struct customer_tell *tell, size_t *n, const char *sql, enum customer_news news, struct db *db, int64_t centre_id, int64_t until_ms)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, until_ms);
	db_bind_i64(st, 2, centre_id);
	db_bind_i64(st, 3, (int64_t)(CUSTOMER_PIECE - *n));
	while ((r = db_step(st)) == DB_ROW) {
		tell[*n] = (struct customer_tell){.customer_id = db_i64(st, 0), .user_id = db_i64(st, 1), .news = news, .back_ms = db_i64(st, 3)};
		(void)str_copy(tell[*n].name, sizeof(tell[*n].name), db_text(st, 2) ? db_text(st, 2) : "");
		(*n)++;
	}
	db_done(st);
	return r;
}

static int give_back(struct res_ctx *c, const struct customer_tell *t)
{
	int r = customer_claim_note(c, t->customer_id, t->user_id, 0, "returned", NULL);

	if (!r)
		r = db_run(c->db, "DELETE FROM customer_shares WHERE customer_id = $1", "i", t->customer_id);
	if (!r)
		r = customer_change(c, t->customer_id, json_pack("{s:n, s:n}", "owner_id", "team_id"), NULL);
	return r > 0 ? -EINVAL : r;
}

int people_customer_pool_step(struct customer_tell tell[CUSTOMER_PIECE], size_t *n, bool *more, struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct rules rules;
	struct system_ctx s;
	size_t back;
	int r;

	*n = 0;
	*more = false;
	r = customer_index_step(more, db, centre_id);
	if (!r && !*more)
		r = people_notes_index_step(more, db, centre_id);
	if (!r && !*more)
		r = recount_step(more, db, centre_id);
	if (r || *more) /* times that are not counted yet are not acted upon */
		return r;
	r = rules_get(&rules, db, centre_id);
	if (!r)
		r = due(tell, n, RETURN_SQL, CUSTOMER_RETURNED, db, centre_id, now_ms);
	back = *n;
	system_init(&s, db, centre_id);
	s.c.now_ms = now_ms;
	for (size_t i = 0; !r && i < back; i++)
		r = give_back(&s.c, &tell[i]);
	system_done(&s);
	if (!r && rules.warn_days && *n < CUSTOMER_PIECE)
		r = due(tell, n, WARN_SQL, CUSTOMER_WARNED, db, centre_id, now_ms + rules.warn_days * DAY_MS);
	for (size_t i = back; !r && i < *n; i++)
		r = db_run(db, "UPDATE customers SET warned_ms = $1 WHERE id = $2", "ii", now_ms, tell[i].customer_id);
	*more = *n == CUSTOMER_PIECE;
	return r;
}
