/* What visits, deals, goals and call-backs share: days, who is away, whose a row is, and the customer's next contact. */
#include "people/sales.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "db/db.h"
#include "journal/journal.h"
#include "journal/zone.h"
#include "people/customer.h"

/* ---- days ---- */

int sales_zone(struct zone **ret, struct db *db)
{
	struct people_centre_info centre = {.zone = ""};
	int r = people_centre_get(&centre, db);

	return r ? r : zone_open(ret, *centre.zone ? centre.zone : JOURNAL_ZONE);
}

void sales_day(char ret[11], struct db *db, int64_t at_ms)
{
	struct zone *z = NULL;
	int64_t wall = at_ms;
	struct tm tm;
	time_t t;

	if (!sales_zone(&z, db)) {
		wall = zone_wall_ms(z, at_ms);
		zone_free(z);
	}
	t = (time_t)(wall / 1000);
	if (!gmtime_r(&t, &tm) || !strftime(ret, 11, "%Y-%m-%d", &tm))
		ret[0] = 0; /* after the year 9999 */
}

bool sales_is_day(const char *s)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, m, d, n = 0;

	return strlen(s) == 10 && sscanf(s, "%4d-%2d-%2d%n", &y, &m, &d, &n) == 3 && n == 10 && y >= 1900 && m >= 1 && m <= 12 && d >= 1 &&
	       d <= days[m - 1] + (m == 2 && ((y % 4 == 0 && y % 100) || y % 400 == 0));
}

/* absences_user serves it */
int sales_away(bool *ret, struct db *db, int64_t user_id, const char *day)
{
	int64_t n = 0;
	int r = db_get_i64(&n, db,
			   "SELECT CASE WHEN u.active = 0 OR EXISTS (SELECT 1 FROM absences a WHERE a.user_id = u.id AND a.to_day >= $2 AND a.from_day <= $2)"
			   " THEN 1 ELSE 0 END FROM users u WHERE u.id = $1",
			   "it", user_id, day);

	*ret = !r && n;
	return r == -ENOENT ? 0 : r;
}

/* ---- whose ---- */

static json_t *id_or_null(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return id ? json_string(text) : json_null();
}

static int owner_of(int64_t *ret, struct res_ctx *c, int64_t customer_id)
{
	int r = db_get_i64(ret, c->db, "SELECT COALESCE(owner_id, 0) FROM customers WHERE id = $1 AND centre_id = $2", "ii", customer_id,
			   c->who->centre_id);

	if (r)
		*ret = 0;
	return r == -ENOENT ? 0 : r;
}

static int team_of(int64_t *ret, struct res_ctx *c, int64_t user_id)
{
	int r = db_get_i64(ret, c->db, "SELECT COALESCE(team_id, 0) FROM users WHERE id = $1", "i", user_id);

	if (r)
		*ret = 0;
	return r == -ENOENT ? 0 : r;
}

#define ON_LINE_MS 86400000ll

/* Whom he spoke with himself within a day he may invite, whoever's customer she is. */
static int spoke_with(bool *ret, struct res_ctx *c, int64_t customer_id)
{
	int64_t n = 0; /* call_customer */
	int r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM call WHERE customer_id = $1 AND agent_id = $2 AND centre_id = $3 AND start_ms > $4", "iiii", customer_id,
			   c->who->user_id, c->who->centre_id, c->now_ms - ON_LINE_MS);

	*ret = n > 0;
	return r;
}

int sales_whose(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t customer = row_id(row, "customer_id"), user = row_id(row, "user_id"), team = 0;
	bool within = true;
	int r = 0;

	if (!old && customer && !c->who->system) {
		r = customer_within(&within, c, customer, false);
		if (!r && !within) {
			r = spoke_with(&within, c, customer);
			user = within && !user ? c->who->user_id : user;
			if (within)
				row_set(row, "user_id", id_or_null(user));
		}
		if (!r && !within)
			res_fail(c, 422, "invalid", "customer_id", "ref");
	}
	if (!r && !old && !user && !json_object_get(c->body, "user_id")) {
		if (customer)
			r = owner_of(&user, c, customer);
		user = user ? user : c->who->user_id;
		row_set(row, "user_id", id_or_null(user));
	}
	if (r || (old && user == row_id(old, "user_id")) || !user)
		return r; /* nobody's any more: the team's that it was */
	r = team_of(&team, c, user);
	row_set(row, "team_id", id_or_null(team));
	return r;
}

/* ---- the next contact ---- */

int sales_next_set(struct db *db, int64_t customer_id)
{
	int r = db_run(db,
		       "UPDATE customers SET next_ms = (SELECT MIN(b.due_ms) FROM callbacks b WHERE b.customer_id = $1 AND b.state = 'open')"
		       " WHERE id = $1",
		       "i", customer_id);

	return r ? r : campaign_callbacks(db, customer_id);
}

/* 0 with @id 0: none. callbacks_customer serves it. */
static int first_open(int64_t *id, int64_t *due_ms, struct db *db, int64_t customer_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT id, due_ms FROM callbacks WHERE customer_id = $1 AND state = 'open' ORDER BY due_ms, id LIMIT 1");

	*id = *due_ms = 0;
	if (r)
		return r;
	db_bind_i64(st, 1, customer_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*id = db_i64(st, 0);
		*due_ms = db_i64(st, 1);
	}
	db_done(st);
	return r < 0 ? r : 0;
}

static int arrange(struct res_ctx *c, const struct sales_noted *n)
{
	int64_t team = 0;
	int r = n->user_id ? team_of(&team, c, n->user_id) : 0;

	return r ? r
		 : db_run(c->db,
			  "INSERT INTO callbacks (id, centre_id, rev, created_ms, updated_ms, customer_id, phone, due_ms, reason, user_id, team_id, state)"
			  " VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8, $9, 'open')",
			  "iiirtitrr", c->next_id ? c->next_id() : res_next_id(), c->who->centre_id, c->now_ms, n->customer_id,
			  n->phone && *n->phone ? n->phone : NULL, n->next_ms, n->reason && *n->reason ? n->reason : NULL, n->user_id, team);
}

int sales_next_said(struct res_ctx *c, int64_t customer_id, int64_t next_ms)
{
	struct sales_noted n = {.customer_id = customer_id, .next_ms = next_ms};
	int64_t id, due;
	int r = first_open(&id, &due, c->db, customer_id);

	if (r || due == next_ms)
		return r;
	if (!next_ms)
		return db_run(c->db,
			      "UPDATE callbacks SET state = 'dropped', done_ms = $2, done_by = $3, rev = rev + 1, updated_ms = $2"
			      " WHERE customer_id = $1 AND state = 'open'",
			      "iir", customer_id, c->now_ms, c->who->user_id);
	if (id)
		return db_run(c->db, "UPDATE callbacks SET due_ms = $2, rev = rev + 1, updated_ms = $3 WHERE id = $1", "iii", id, next_ms, c->now_ms);
	r = owner_of(&n.user_id, c, customer_id);
	n.user_id = n.user_id ? n.user_id : c->who->user_id;
	return r ? r : arrange(c, &n);
}

/* What was due is done with the talk; a new arrangement takes the place of the others. */
int sales_noted(struct res_ctx *c, const struct sales_noted *n)
{
	int64_t id, due;
	int r;

	if (!n->customer_id)
		return n->next_ms && n->phone && *n->phone ? arrange(c, n) : 0;
	r = db_run(c->db,
		   "UPDATE callbacks SET state = 'done', done_ms = $2, done_by = $3, rev = rev + 1, updated_ms = $2"
		   " WHERE customer_id = $1 AND state = 'open' AND due_ms <= $2",
		   "iir", n->customer_id, c->now_ms, n->user_id);
	if (!r && n->next_ms) {
		r = first_open(&id, &due, c->db, n->customer_id);
		if (!r && id)
			r = db_run(c->db,
				   "UPDATE callbacks SET due_ms = $2, reason = COALESCE($3, reason), phone = COALESCE($4, phone), rev = rev + 1,"
				   " updated_ms = $5 WHERE id = $1",
				   "iitti", id, n->next_ms, n->reason && *n->reason ? n->reason : NULL, n->phone && *n->phone ? n->phone : NULL, c->now_ms);
		else if (!r)
			r = arrange(c, n);
	}
	return r ? r : sales_next_set(c->db, n->customer_id);
}

int sales_adopt(struct db *db, int64_t centre_id, int64_t customer_id, const char *number)
{
	/* callbacks_phone serves it */
	int r = db_run(db, "UPDATE callbacks SET customer_id = $1 WHERE centre_id = $2 AND customer_id IS NULL AND phone = $3", "iit", customer_id,
		       centre_id, number);

	return r ? r : db_changes(db) ? sales_next_set(db, customer_id) : 0;
}

int sales_owner_changed(struct db *db, int64_t customer_id, int64_t owner_id)
{
	static const char *const sql[] = {
		"UPDATE callbacks SET user_id = $2, team_id = COALESCE((SELECT u.team_id FROM users u WHERE u.id = $2), team_id), rev = rev + 1"
		" WHERE customer_id = $1 AND state = 'open'",
		"UPDATE visits SET user_id = $2, team_id = COALESCE((SELECT u.team_id FROM users u WHERE u.id = $2), team_id), rev = rev + 1"
		" WHERE customer_id = $1 AND (state IN ('booked', 'confirmed') OR again = 'todo')",
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(sql); i++)
		r = db_run(db, sql[i], "ir", customer_id, owner_id);
	return r;
}

/* ---- rules ---- */

int sales_rules_get(struct sales_rules *ret, struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT grace_min, off_rule, remind_min, visit_hours FROM todo_settings WHERE centre_id = $1");

	*ret = (struct sales_rules){.grace_min = 15, .visit_hours = 24, .off_rule = "team"};
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*ret = (struct sales_rules){.grace_min = db_i64(st, 0), .remind_min = db_i64(st, 2), .visit_hours = db_i64(st, 3)};
		(void)str_copy(ret->off_rule, sizeof(ret->off_rule), db_text(st, 1));
	}
	db_done(st);
	return r < 0 ? r : 0;
}

int sales_seed(struct db *db, int64_t centre_id)
{
	struct system_ctx s;
	int64_t there = 0;
	int r = db_get_i64(&there, db, "SELECT COUNT(*) FROM todo_settings WHERE centre_id = $1", "i", centre_id);

	if (r || there)
		return r;
	system_init(&s, db, centre_id);
	r = system_write(NULL, &s, &people_todo_settings, 0, json_object());
	system_done(&s);
	return r;
}
