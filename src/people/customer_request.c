/*
 * Requests (撞单申请): somebody met a customer who is another's. He learns that the number is taken and nothing else, and asks; who may assign
 * the owner's customers decides.
 */
#include "people/customer.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"
#include "number/number.h"
#include "number/region.h"

#define OPEN_MAX 20 /* requests of one person that wait */

static int refuse(struct res_ctx *c, int status, const char *code)
{
	res_fail(c, status, code, NULL, NULL);
	return 1;
}

/* ---- whose number is it ---- */

static int has_asked(bool *ret, struct res_ctx *c, int64_t customer_id)
{
	int64_t n = 0;
	int r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM customer_requests WHERE customer_id = $1 AND user_id = $2 AND state = 'open'", "ii",
			   customer_id, c->who->user_id);

	*ret = n > 0;
	return r;
}

static int state_of(const char **state, json_t **seen, bool *asked, struct res_ctx *c, const struct people_customer *w, int64_t except)
{
	int r;

	if (w->id == except) {
		*state = "own";
		return 0;
	}
	r = customer_seen(seen, c, w->id);
	if (r)
		return r;
	if (!*seen)
		*state = "taken";
	else
		*state = !w->owner_id ? "pool" : w->owner_id == c->who->user_id ? "mine" : "seen";
	return has_asked(asked, c, w->id);
}

int people_number_check(json_t **ret, struct res_ctx *c, const char *number, int64_t except)
{
	struct people_customer w = {0};
	const char *what = NULL, *state = "free";
	char normal[NUM_MAX] = "", region[128] = "";
	json_t *seen = NULL;
	bool asked = false;
	struct num n;
	int r = customer_number_normal(normal, sizeof(normal), &what, c, number);

	if (r < 0)
		return r;
	if (r) {
		state = "bad";
	} else {
		if (num_read(&n, normal, ""))
			(void)num_region(region, sizeof(region), &n, c->who->lang && c->who->lang[0] == 'e' ? "en" : "zh");
		r = people_customer_of(c->db, c->who->centre_id, normal, &w);
		if (!r)
			r = state_of(&state, &seen, &asked, c, &w, except);
		if (r && r != -ENOENT)
			return r;
	}
	*ret = json_pack("{s:s, s:o, s:s, s:o, s:o, s:b}", "number", normal, "region", *region ? json_string(region) : json_null(), "state", state,
			 "why", what ? json_string(what) : json_null(), "customer", seen ? seen : json_null(), "asked", asked);
	return 0;
}

/* ---- asking ---- */

static int check_askable(struct people_customer *w, struct res_ctx *c, const char *number)
{
	const char *what;
	char normal[NUM_MAX];
	int64_t open = 0;
	bool asked = false;
	int r = customer_number_normal(normal, sizeof(normal), &what, c, number);

	if (r > 0)
		res_fail(c, 422, "invalid", "number", "number");
	if (!r)
		r = people_customer_of(c->db, c->who->centre_id, normal, w);
	if (r)
		return r == -ENOENT ? refuse(c, 404, "not_found") : r;
	if (w->owner_id == c->who->user_id)
		return refuse(c, 409, "yours");
	if (!w->owner_id)
		return refuse(c, 409, "in_pool");
	r = has_asked(&asked, c, w->id);
	if (!r && asked)
		return refuse(c, 409, "asked");
	if (!r)
		r = db_get_i64(&open, c->db, "SELECT COUNT(*) FROM customer_requests WHERE user_id = $1 AND state = 'open'", "i", c->who->user_id);
	return r ? r : open >= OPEN_MAX ? refuse(c, 409, "ask_cap") : 0;
}

int people_customer_ask(struct customer_asked *ret, struct res_ctx *c, const char *number, const char *reason)
{
	struct people_customer w = {0};
	int64_t id = c->next_id ? c->next_id() : res_next_id();
	json_t *after;
	int r;

	if (!c->who->user_id)
		return refuse(c, 403, "forbidden");
	r = check_askable(&w, c, number);
	if (!r)
		r = db_run(c->db,
			   "INSERT INTO customer_requests (id, centre_id, rev, created_ms, updated_ms, customer_id, user_id, owner_id, team_id, reason,"
			   " number, state) VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8, $9, 'open')",
			   "iiiiiirtt", id, c->who->centre_id, c->now_ms, w.id, c->who->user_id, w.owner_id, w.team_id, reason, number);
	if (r)
		return r;
	after = json_pack("{s:s*}", "reason", reason);
	r = res_audit(c, "customers", w.id, "ask", NULL, after);
	json_decref(after);
	*ret = (struct customer_asked){.id = id, .customer_id = w.id, .user_id = c->who->user_id, .owner_id = w.owner_id, .team_id = w.team_id, .state = "open"};
	return r;
}

/* ---- deciding ---- */

static int asked_get(struct customer_asked *ret, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db,
			   "SELECT customer_id, user_id, COALESCE(owner_id, 0), COALESCE(team_id, 0), state FROM customer_requests"
			   " WHERE id = $1 AND centre_id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*ret = (struct customer_asked){id, db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), ""};
		(void)str_copy(ret->state, sizeof(ret->state), db_text(st, 4));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : refuse(c, 404, "not_found");
}

static int give(struct res_ctx *c, const struct customer_asked *a)
{
	char user[24];
	int r;

	(void)snprintf(user, sizeof(user), "%lld", (long long)a->user_id);
	r = customer_claim_note(c, a->customer_id, a->user_id, c->who->user_id, "assigned", NULL);
	if (!r)
		r = db_run(c->db, "DELETE FROM customer_shares WHERE customer_id = $1 AND user_id = $2", "ii", a->customer_id, a->user_id);
	if (!r)
		r = customer_change(c, a->customer_id, json_pack("{s:s}", "owner_id", user), NULL);
	return r;
}

static int share(struct res_ctx *c, const struct customer_asked *a)
{
	int r = customer_claim_note(c, a->customer_id, a->user_id, c->who->user_id, "shared", NULL);

	return r ? r : db_run(c->db,
			      "INSERT INTO customer_shares (customer_id, user_id, at_ms) VALUES ($1, $2, $3)"
			      " ON CONFLICT (customer_id, user_id) DO NOTHING",
			      "iii", a->customer_id, a->user_id, c->now_ms);
}

/* Who asked takes it back; who may change the customer and assign decides the rest. */
static int check_decider(struct res_ctx *c, const struct customer_asked *a, bool withdraw)
{
	bool within = false;
	int r;

	if (withdraw)
		return a->user_id == c->who->user_id ? 0 : refuse(c, 403, "forbidden");
	r = customer_within(&within, c, a->customer_id, true);
	if (r)
		return r;
	if (!within)
		return refuse(c, 404, "not_found");
	return people_may(c->who, RIGHT_ASSIGN) ? 0 : refuse(c, 403, "forbidden");
}

int people_customer_decide(struct customer_asked *ret, struct res_ctx *c, int64_t id, const char *action, const char *answer)
{
	static const struct {
		const char *action, *state;
		int (*fn)(struct res_ctx *c, const struct customer_asked *a);
	} actions[] = {{"assign", "assigned", give}, {"share", "shared", share}, {"refuse", "refused", NULL}, {"withdraw", "withdrawn", NULL}};
	size_t at = 0;
	int r;

	while (at < ARRAY_LEN(actions) && strcmp(actions[at].action, action) != 0)
		at++;
	if (at == ARRAY_LEN(actions)) {
		res_fail(c, 422, "invalid", "action", "enum");
		return 1;
	}
	r = asked_get(ret, c, id);
	if (!r && strcmp(ret->state, "open") != 0)
		r = refuse(c, 409, "decided");
	if (!r)
		r = check_decider(c, ret, !strcmp(action, "withdraw"));
	if (!r && actions[at].fn)
		r = actions[at].fn(c, ret);
	if (!r)
		r = db_run(c->db,
			   "UPDATE customer_requests SET state = $1, answer = $2, decided_by = $3, decided_ms = $4, rev = rev + 1, updated_ms = $4 WHERE id = $5",
			   "ttiii", actions[at].state, answer, c->who->user_id, c->now_ms, id);
	if (!r)
		r = res_audit(c, "customers", ret->customer_id, actions[at].state, NULL, NULL);
	(void)str_copy(ret->state, sizeof(ret->state), actions[at].state);
	return r;
}

/* ---- lists ---- */

static json_t *id_or_null(struct db_stmt *st, int col)
{
	char text[24];

	if (db_is_null(st, col))
		return json_null();
	(void)snprintf(text, sizeof(text), "%lld", (long long)db_i64(st, col));
	return json_string(text);
}

static json_t *text_or_null(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? json_null() : json_string(db_text(st, col));
}

static json_t *int_or_null(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? json_null() : json_integer(db_i64(st, col));
}

#define COLS "SELECT t.id, t.created_ms, t.state, t.number, t.reason, t.answer, t.decided_ms, t.customer_id, k.name, u.name, o.name, d.name" \
	" FROM customer_requests t JOIN customers k ON k.id = t.customer_id LEFT JOIN users u ON u.id = t.user_id" \
	" LEFT JOIN users o ON o.id = t.owner_id LEFT JOIN users d ON d.id = t.decided_by WHERE t.centre_id = $1"

/* Who asked, or may know the customer, sees whose it is; the number is what the asker typed himself. */
static json_t *request_json(const struct res_who *who, struct db_stmt *st, bool known)
{
	json_t *o = json_object();

	row_set(o, "id", id_or_null(st, 0));
	row_set(o, "created_ms", int_or_null(st, 1));
	row_set(o, "state", text_or_null(st, 2));
	row_set(o, "number", customer_number_shown(who, db_text(st, 3)));
	row_set(o, "reason", text_or_null(st, 4));
	row_set(o, "answer", text_or_null(st, 5));
	row_set(o, "decided_ms", int_or_null(st, 6));
	row_set(o, "user", text_or_null(st, 9));
	row_set(o, "decided_by", text_or_null(st, 11));
	row_set(o, "customer_id", known ? id_or_null(st, 7) : json_null());
	row_set(o, "customer", known ? text_or_null(st, 8) : json_null());
	row_set(o, "owner", known ? text_or_null(st, 10) : json_null());
	return o;
}

static int requests(json_t *list, struct res_ctx *c, const char *sql, int64_t user_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	if (user_id)
		db_bind_i64(st, 2, user_id);
	while ((r = db_step(st)) == DB_ROW) {
		const char *state = db_text(st, 2);
		bool given = !strcmp(state, "assigned") || !strcmp(state, "shared");
		static const struct res_who himself = {.system = true}; /* he typed the number */

		(void)json_array_append_new(list, request_json(user_id ? &himself : c->who, st, !user_id || given));
	}
	db_done(st);
	return r;
}

/* Of the open ones those whose customer he may change. */
static int keep_decidable(json_t *list, struct res_ctx *c)
{
	for (size_t i = json_array_size(list); i > 0; i--) {
		bool within = false;
		int r = customer_within(&within, c, row_id(json_array_get(list, i - 1), "customer_id"), true);

		if (r)
			return r;
		if (!within)
			(void)json_array_remove(list, i - 1);
	}
	return 0;
}

int people_customer_requests_of(json_t **ret, struct res_ctx *c)
{
	json_t *mine = json_array(), *others = json_array();
	int r = requests(mine, c, COLS " AND t.user_id = $2 ORDER BY t.created_ms DESC LIMIT 50", c->who->user_id);

	if (!r && people_may(c->who, RIGHT_ASSIGN))
		r = requests(others, c, COLS " AND t.state = 'open' ORDER BY t.created_ms LIMIT 500", 0);
	if (!r)
		r = keep_decidable(others, c);
	if (r) {
		json_decref(mine);
		json_decref(others);
		return r;
	}
	*ret = json_pack("{s:o, s:o}", "mine", mine, "others", others);
	return 0;
}

/* The roles whose rights hold what it takes. */
static int deciding_roles(char (*roles)[32], size_t max, size_t *n, struct res_ctx *c)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, "SELECT DISTINCT role FROM users WHERE centre_id = $1 AND active = 1");

	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	while (*n < max && (r = db_step(st)) == DB_ROW)
		if (str_copy(roles[*n], sizeof(roles[0]), db_text(st, 0)))
			(*n)++;
	db_done(st);
	return r < 0 ? r : 0;
}

static int decider_of_role(int64_t *ids, size_t max, size_t *n, struct res_ctx *c, const char *role, const struct people_rights *rights, int64_t customer_id)
{
	struct db_stmt *st;
	int64_t users[200];
	size_t user_n = 0;
	int r = db_prepare(&st, c->db, "SELECT id FROM users WHERE centre_id = $1 AND active = 1 AND role = $2 ORDER BY id LIMIT 200");

	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_text(st, 2, role);
	while (user_n < ARRAY_LEN(users) && (r = db_step(st)) == DB_ROW)
		users[user_n++] = db_i64(st, 0);
	db_done(st);
	r = r < 0 ? r : 0;
	for (size_t i = 0; !r && i < user_n && *n < max; i++) {
		struct res_who who = {.centre_id = c->who->centre_id, .user_id = users[i], .rights = &rights->res, .lang = "zh"};
		struct res_ctx his = *c;
		bool within = false;

		his.who = &who;
		r = customer_within(&within, &his, customer_id, true);
		if (within)
			ids[(*n)++] = users[i];
	}
	return r;
}

int people_customer_deciders(int64_t *ids, size_t max, size_t *n, struct res_ctx *c, int64_t customer_id)
{
	char roles[64][32];
	size_t role_n = 0;
	int r = deciding_roles(roles, ARRAY_LEN(roles), &role_n, c);

	*n = 0;
	for (size_t i = 0; !r && i < role_n; i++) {
		const struct people_rights *rights;

		r = people_rights_find(&rights, c->db, c->who->centre_id, roles[i]);
		if (!r && (rights->res.bits & RIGHT_ASSIGN))
			r = decider_of_role(ids, max, n, c, roles[i], rights, customer_id);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}
