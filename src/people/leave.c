/* Leavers: the plan of who gets which customer, carrying it out in pieces, and taking it back. */
#include "people/leave.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "people/declared.h"

/* ---- what is asked ---- */

static bool id_of(int64_t *ret, const json_t *v)
{
	const char *s = json_string_value(v);

	return s && str_to_i64(ret, s, 1, INT64_MAX);
}

static void bad(struct res_ctx *c, const char *field, const char *why)
{
	res_fail(c, 422, "invalid", field, why);
}

static bool among(const struct people_leave *p, int64_t id)
{
	for (size_t i = 0; i < p->people_n; i++)
		if (p->people[i].id == id)
			return true;
	return false;
}

static struct leave_person *add_person(struct people_leave *p, int64_t id, unsigned weight, int64_t cap)
{
	p->people = xrealloc(p->people, (p->people_n + 1) * sizeof(*p->people));
	p->people[p->people_n] = (struct leave_person){.id = id, .weight = weight, .cap = cap};
	return &p->people[p->people_n++];
}

/* [{"id":"7","weight":2,"cap":100}], weight 1 and no cap unless said. */
static int take_people(struct people_leave *p, struct res_ctx *c, const json_t *list)
{
	size_t i;
	json_t *o;

	if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > SHARE_PEOPLE_MAX) {
		bad(c, "people", json_array_size(list) > SHARE_PEOPLE_MAX ? "range" : "required");
		return 1;
	}
	json_array_foreach((json_t *)list, i, o) {
		const json_t *w = json_object_get(o, "weight"), *cap = json_object_get(o, "cap");
		int64_t id, weight = w ? json_integer_value(w) : 1, most = json_is_integer(cap) ? json_integer_value(cap) : -1;

		if (!id_of(&id, json_object_get(o, "id")) || (w && !json_is_integer(w)) || weight < 0 || weight > SHARE_WEIGHT_MAX ||
		    (cap && !json_is_null(cap) && (!json_is_integer(cap) || most < 0)) || among(p, id) || id == p->user_id) {
			bad(c, "people", "type");
			return 1;
		}
		(void)add_person(p, id, (unsigned)weight, most);
	}
	return 0;
}

/* Everybody of his team who has a desk. */
static int take_team(struct people_leave *p, struct res_ctx *c)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db,
			   "SELECT u.id, u.role FROM users u WHERE u.centre_id = $1 AND u.active = 1 AND u.id <> $2"
			   " AND u.team_id = (SELECT x.team_id FROM users x WHERE x.id = $2) ORDER BY u.id");

	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_i64(st, 2, p->user_id);
	while ((r = db_step(st)) == DB_ROW && p->people_n < SHARE_PEOPLE_MAX) {
		const struct people_rights *rights = NULL;

		r = people_rights_find(&rights, c->db, c->who->centre_id, db_text(st, 1));
		if (r && r != -ENOENT)
			break;
		if (rights && (rights->res.bits & RIGHT_DESK) && !(rights->res.bits & RIGHT_SYSTEM))
			(void)add_person(p, db_i64(st, 0), 1, -1);
	}
	db_done(st);
	if (r < 0)
		return r;
	if (!p->people_n)
		bad(c, "rule", "nobody");
	return !p->people_n;
}

static int take_seed(struct people_leave *p, struct res_ctx *c, const json_t *v)
{
	const char *s = json_string_value(v);
	uint8_t raw[8];

	if (v && !json_is_null(v) && (!s || !*s || strlen(s) > 64 || s[strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.")])) {
		bad(c, "seed", "format");
		return 1;
	}
	randombytes_buf(raw, sizeof(raw));
	if (s)
		(void)str_copy(p->seed, sizeof(p->seed), s);
	else
		str_hex_of(p->seed, raw, sizeof(raw));
	return 0;
}

static int take(struct people_leave *p, struct res_ctx *c, const json_t *body)
{
	static const char *const keys[] = {"rule", "people", "seed", "by_hand"}, *const rules[] = {"keep", "people", "team", "pool"};
	const char *rule = json_string_value(json_object_get(body, "rule")), *key;
	const json_t *hand = json_object_get(body, "by_hand");
	bool known = false;
	json_t *v;

	json_object_foreach((json_t *)body, key, v) {
		bool is = false;

		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			is |= !strcmp(key, keys[i]);
		if (!is)
			bad(c, key, "unknown");
	}
	for (size_t i = 0; rule && i < ARRAY_LEN(rules); i++)
		known |= !strcmp(rule, rules[i]);
	if (!known)
		bad(c, "rule", rule ? "enum" : "required");
	if (hand && !json_is_null(hand) && (!json_is_object(hand) || json_object_size(hand) > 5000))
		bad(c, "by_hand", json_is_object(hand) ? "range" : "type");
	if (take_seed(p, c, json_object_get(body, "seed")) || c->error->code)
		return 1;
	(void)str_copy(p->rule, sizeof(p->rule), rule);
	return !strcmp(rule, "people") ? take_people(p, c, json_object_get(body, "people")) : !strcmp(rule, "team") ? take_team(p, c) : 0;
}

/* Only to who works here and is seen by who asks. */
static int check_receiver(struct res_ctx *c, int64_t id)
{
	int64_t active = 0;
	int r = db_get_i64(&active, c->db, "SELECT active FROM users WHERE id = $1 AND centre_id = $2", "ii", id, c->who->centre_id);

	if (r && r != -ENOENT)
		return r;
	r = r ? 1 : c->who->system ? 0 : res_may_row(c, &people_users, id, RES_READ);
	if (r < 0)
		return r;
	if (r || !active) {
		res_error_done(c->error);
		*c->error = (struct res_error){0};
		bad(c, "people", active ? "ref" : "inactive");
		return 1;
	}
	return 0;
}

static int name_people(struct people_leave *p, struct res_ctx *c)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->people_n; i++) {
		struct leave_person *w = &p->people[i];
		struct db_stmt *st;

		r = check_receiver(c, w->id);
		if (!r)
			r = db_prepare(&st, c->db,
				       "SELECT u.name, t.name, (SELECT COUNT(*) FROM customers c WHERE c.owner_id = u.id AND c.state = 'active')"
				       " FROM users u LEFT JOIN teams t ON t.id = u.team_id WHERE u.id = $1");
		if (r)
			break;
		db_bind_i64(st, 1, w->id);
		r = db_step(st);
		if (r == DB_ROW) {
			(void)str_copy(w->name, sizeof(w->name), db_text(st, 0));
			(void)str_copy(w->team, sizeof(w->team), db_is_null(st, 1) ? "" : db_text(st, 1));
			w->has = db_i64(st, 2);
		}
		db_done(st);
		r = r == DB_ROW ? 0 : r;
	}
	return r;
}

/* ---- his customers ---- */

static int count(int64_t *ret, struct res_ctx *c, const char *sql, int64_t user_id, int64_t now_ms)
{
	return now_ms ? db_get_i64(ret, c->db, sql, "ii", user_id, now_ms) : db_get_i64(ret, c->db, sql, "i", user_id);
}

/* Those that who asks may give away; customers_owner serves it. */
static int read_customers(struct people_leave *p, struct res_ctx *c)
{
	enum res_scope scope = res_scope_of(c->who, &people_customers, RES_WRITE);
	int64_t all = 0;
	struct db_stmt *st;
	struct strb b;
	size_t cap = 0;
	int r;

	strb_init(&b, 16384);
	strb_puts(&b, "SELECT t.id, COALESCE(t.team_id, 0), COALESCE(t.owned_ms, 0) FROM customers t WHERE t.owner_id = $1 AND t.state = 'active' AND ");
	res_scope_text(&b, &people_customers, "t", scope, false, 2);
	strb_puts(&b, " ORDER BY t.id");
	r = db_prepare(&st, c->db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	db_bind_i64(st, 1, p->user_id);
	if (scope != SCOPE_CENTRE && scope != SCOPE_NONE)
		db_bind_i64(st, 2, c->who->user_id);
	while ((r = db_step(st)) == DB_ROW && p->customer_n < LEAVE_CUSTOMERS_MAX) {
		if (p->customer_n == cap)
			p->customers = xrealloc(p->customers, (cap = cap ? 2 * cap : 256) * sizeof(*p->customers));
		p->customers[p->customer_n++] = (struct leave_customer){.id = db_i64(st, 0), .team_id = db_i64(st, 1), .owned_ms = db_i64(st, 2)};
	}
	db_done(st);
	r = r == DB_ROW ? 0 : r;
	if (!r)
		r = count(&all, c, "SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND state = 'active'", p->user_id, 0);
	if (!r)
		r = count(&p->next, c, "SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND state = 'active' AND next_ms IS NOT NULL", p->user_id, 0);
	if (!r)
		r = count(&p->due, c, "SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND state = 'active' AND next_ms < $2", p->user_id, c->now_ms);
	if (!r)
		r = count(&p->drafts, c, "SELECT COUNT(*) FROM note_drafts WHERE user_id = $1", p->user_id, 0);
	p->beyond = all - (int64_t)p->customer_n;
	return r;
}

static int by_hand_last(const void *a, const void *b)
{
	const struct leave_customer *x = a, *y = b;

	if (x->by_hand != y->by_hand)
		return x->by_hand ? 1 : -1;
	if (x->by_hand)
		return x->id < y->id ? -1 : x->id > y->id;
	return memcmp(x->draw, y->draw, sizeof(x->draw));
}

/* {"customer id": "user id" or null}: these are not drawn. */
static int take_hand(struct people_leave *p, struct res_ctx *c, const json_t *hand)
{
	int r = 0;

	for (size_t i = 0; !r && json_object_size(hand) && i < p->customer_n; i++) {
		struct leave_customer *k = &p->customers[i];
		const json_t *v;
		char id[24];

		(void)snprintf(id, sizeof(id), "%lld", (long long)k->id);
		v = json_object_get(hand, id);
		if (!v)
			continue;
		if ((!json_is_null(v) && !id_of(&k->to_id, v)) || k->to_id == p->user_id) {
			bad(c, "by_hand", "type");
			return 1;
		}
		k->by_hand = true;
		if (k->to_id && !among(p, k->to_id))
			(void)add_person(p, k->to_id, 0, -1);
	}
	return r;
}

/* What the caps leave no room for goes into the pool. */
static void deal(struct people_leave *p)
{
	struct share_thing *things = xcalloc(p->customer_n + 1, sizeof(*things));
	struct share_person *people = xcalloc(p->people_n + 1, sizeof(*people));
	size_t n = 0;

	for (size_t i = 0; i < p->customer_n; i++)
		if (!p->customers[i].by_hand)
			things[n++].id = p->customers[i].id;
		else
			share_draw(p->customers[i].draw, p->seed, p->customers[i].id);
	for (size_t i = 0; i < p->people_n; i++)
		people[i] = (struct share_person){.id = p->people[i].id, .weight = p->people[i].weight, .cap = p->people[i].cap};
	share_deal(things, n, people, p->people_n, p->seed);
	for (size_t i = 0; i < p->customer_n; i++)
		share_draw(p->customers[i].draw, p->seed, p->customers[i].id);
	if (p->customer_n)
		qsort(p->customers, p->customer_n, sizeof(*p->customers), by_hand_last); /* the same order as things */
	for (size_t i = 0; i < n; i++)
		p->customers[i].to_id = things[i].to == SHARE_NONE ? 0 : people[things[i].to].id;
	for (size_t k = 0; k < p->people_n; k++) {
		for (size_t i = 0; i < p->people_n; i++)
			p->people[k].gets += people[i].id == p->people[k].id ? people[i].n : 0;
		for (size_t i = n; i < p->customer_n; i++)
			p->people[k].gets += p->customers[i].to_id == p->people[k].id;
	}
	free(things);
	free(people);
}

/* "Stay for now": only what was put somewhere by hand goes. */
static void keep_rest(struct people_leave *p)
{
	size_t n = 0;

	if (strcmp(p->rule, "keep") != 0)
		return;
	for (size_t i = 0; i < p->customer_n; i++)
		if (p->customers[i].by_hand)
			p->customers[n++] = p->customers[i];
	p->customer_n = n;
}

int people_leave_plan(struct people_leave *ret, struct res_ctx *c, int64_t user_id, const json_t *body)
{
	struct people_leave *p = ret;
	int r;

	*p = (struct people_leave){.user_id = user_id};
	if (user_id == c->who->user_id) {
		res_fail(c, 409, "yourself", NULL, NULL);
		return 1;
	}
	r = res_may_row(c, &people_users, user_id, RES_WRITE);
	if (!r)
		r = take(p, c, body);
	if (!r)
		r = read_customers(p, c);
	if (!r)
		r = take_hand(p, c, json_object_get(body, "by_hand"));
	if (!r)
		r = name_people(p, c);
	if (r)
		return r;
	keep_rest(p);
	if (p->customer_n && !people_may(c->who, RIGHT_ASSIGN)) {
		res_fail(c, 403, "forbidden", NULL, NULL);
		return 1;
	}
	deal(p);
	return 0;
}

void people_leave_done(struct people_leave *p)
{
	free(p->people);
	free(p->customers);
}

/* ---- for the page ---- */

static json_t *id_json(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return id ? json_string(text) : json_null();
}

static json_t *people_json(const struct people_leave *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->people_n; i++) {
		const struct leave_person *w = &p->people[i];

		(void)json_array_append_new(list, json_pack("{s:o, s:s, s:s, s:i, s:o, s:I, s:I}", "id", id_json(w->id), "name", w->name, "team", w->team,
							    "weight", (int)w->weight, "cap", w->cap < 0 ? json_null() : json_integer(w->cap), "has",
							    (json_int_t)w->has, "gets", (json_int_t)w->gets));
	}
	return list;
}

static int customer_json(json_t *list, struct res_ctx *c, const struct leave_customer *k)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, "SELECT COALESCE(name, ''), next_ms FROM customers WHERE id = $1");

	if (r)
		return r;
	db_bind_i64(st, 1, k->id);
	r = db_step(st);
	if (r == DB_ROW)
		(void)json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o, s:b}", "id", id_json(k->id), "name", db_text(st, 0), "next_ms",
							    db_is_null(st, 1) ? json_null() : json_integer(db_i64(st, 1)), "to_id", id_json(k->to_id),
							    "by_hand", k->by_hand));
	db_done(st);
	return r < 0 ? r : 0;
}

int people_leave_preview(json_t **ret, struct res_ctx *c, const struct people_leave *p, size_t max)
{
	json_t *list = json_array();
	int64_t pool = 0;
	int r = 0;

	for (size_t i = 0; !r && i < p->customer_n && i < max; i++)
		r = customer_json(list, c, &p->customers[i]);
	for (size_t i = 0; i < p->customer_n; i++)
		pool += !p->customers[i].to_id;
	*ret = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "rule", p->rule, "seed", p->seed, "total", (json_int_t)p->customer_n,
			 "beyond", (json_int_t)p->beyond, "next", (json_int_t)p->next, "due", (json_int_t)p->due, "drafts", (json_int_t)p->drafts,
			 "pool", (json_int_t)pool, "people", people_json(p), "customers", list);
	return r;
}

/* ---- carrying out ---- */

/* The engine's own rules and audit, but what is changed is decided already: who asks stays in the audit. */
static int write_as(struct res_ctx *c, const struct res_def *d, int64_t id, json_t *patch, bool system)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;
	json_t *row = NULL;
	int r;

	who.system |= system;
	own.who = &who;
	own.prepared = own.once = NULL;
	r = res_update(&row, &own, d, id, patch, RES_REV_ANY);
	res_ctx_done(&own);
	json_decref(row);
	json_decref(patch);
	return r;
}

int people_leave_begin(int64_t *leave_id, struct res_ctx *c, const struct people_leave *p)
{
	json_t *people, *after;
	int64_t busy = 0;
	char *text;
	int r;

	r = db_get_i64(&busy, c->db, "SELECT COUNT(*) FROM leaves WHERE user_id = $1 AND state NOT IN ('done', 'undone')", "i", p->user_id);
	if (!r && busy) {
		res_fail(c, 409, "leave_running", NULL, NULL);
		return 1;
	}
	if (!r)
		r = write_as(c, &people_users, p->user_id, json_pack("{s:b}", "active", 0), false);
	if (r)
		return r;
	*leave_id = res_next_id();
	people = people_json(p);
	text = json_dumps(people, JSON_COMPACT);
	r = db_run(c->db,
		   "INSERT INTO leaves (id, centre_id, rev, created_ms, updated_ms, user_id, by_id, by_name, rule, seed, state, total, moved, back, kept, people)"
		   " VALUES ($1, $2, 1, $3, $3, $4, $5, (SELECT name FROM users WHERE id = $5), $6, $7, $8, $9, 0, 0, 0, $10)",
		   "iiiirtttit", *leave_id, c->who->centre_id, c->now_ms, p->user_id, c->who->user_id, p->rule, p->seed,
		   p->customer_n ? "planning" : "done", (int64_t)p->customer_n, text);
	after = json_pack("{s:o, s:s, s:s, s:I, s:O}", "leave", id_json(*leave_id), "rule", p->rule, "seed", p->seed, "customers",
			  (json_int_t)p->customer_n, "people", people);
	if (!r)
		r = res_audit(c, "users", p->user_id, "leave", NULL, after);
	json_decref(after);
	json_decref(people);
	free(text);
	return r;
}

int people_leave_write(size_t *next, struct res_ctx *c, int64_t leave_id, const struct people_leave *p, size_t from)
{
	size_t to = from + LEAVE_PLAN_PIECE < p->customer_n ? from + LEAVE_PLAN_PIECE : p->customer_n;
	int r = from ? 0 : db_run(c->db, "DELETE FROM leave_customers WHERE leave_id = $1", "i", leave_id);

	for (size_t i = from; !r && i < to; i++) {
		const struct leave_customer *k = &p->customers[i];
		char draw[65];

		str_hex_of(draw, k->draw, sizeof(k->draw));
		r = db_run(c->db,
			   "INSERT INTO leave_customers (leave_id, customer_id, place, draw, to_id, team_id, owned_ms, state)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, 'planned')",
			   "iiitrrr", leave_id, k->id, (int64_t)i + 1, k->by_hand ? NULL : draw, k->to_id, k->team_id, k->owned_ms);
	}
	if (!r && to == p->customer_n)
		r = db_run(c->db, "UPDATE leaves SET state = 'running' WHERE id = $1", "i", leave_id);
	*next = to;
	return r;
}

struct leave_row {
	int64_t id, centre_id, user_id, created_ms;
	char state[12];
};

static int read_leave(struct leave_row *ret, struct res_ctx *c, int64_t leave_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, "SELECT id, centre_id, user_id, created_ms, state FROM leaves WHERE id = $1 AND centre_id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, leave_id);
	db_bind_i64(st, 2, c->who->centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*ret = (struct leave_row){.id = db_i64(st, 0), .centre_id = db_i64(st, 1), .user_id = db_i64(st, 2), .created_ms = db_i64(st, 3)};
		(void)str_copy(ret->state, sizeof(ret->state), db_text(st, 4));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

struct step_row {
	int64_t customer_id, to_id, team_id, owned_ms, owner_id; /* owner_id: now; -1: the customer is gone */
};

static int read_step(struct step_row *rows, size_t *n, struct res_ctx *c, int64_t leave_id, const char *state)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db,
			   "SELECT l.customer_id, COALESCE(l.to_id, 0), COALESCE(l.team_id, 0), COALESCE(l.owned_ms, 0),"
			   " CASE WHEN c.id IS NULL OR c.state <> 'active' THEN -1 ELSE COALESCE(c.owner_id, 0) END"
			   " FROM leave_customers l LEFT JOIN customers c ON c.id = l.customer_id"
			   " WHERE l.leave_id = $1 AND l.state = $2 ORDER BY l.place LIMIT $3");

	*n = 0;
	if (r)
		return r;
	db_bind_i64(st, 1, leave_id);
	db_bind_text(st, 2, state);
	db_bind_i64(st, 3, LEAVE_PIECE);
	while ((r = db_step(st)) == DB_ROW)
		rows[(*n)++] = (struct step_row){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), db_i64(st, 4)};
	db_done(st);
	return r;
}

static int mark(struct res_ctx *c, int64_t leave_id, int64_t customer_id, const char *state)
{
	return db_run(c->db, "UPDATE leave_customers SET state = $3 WHERE leave_id = $1 AND customer_id = $2", "iit", leave_id, customer_id, state);
}

/* A note that was begun goes with the customer, unless the new owner has begun one himself. */
static int move_draft(struct res_ctx *c, int64_t customer_id, int64_t from_id, int64_t to_id)
{
	char subject[40];

	if (!to_id)
		return 0;
	(void)snprintf(subject, sizeof(subject), "customer:%lld", (long long)customer_id);
	return db_run(c->db,
		      "UPDATE note_drafts SET user_id = $1 WHERE user_id = $2 AND subject = $3"
		      " AND NOT EXISTS (SELECT 1 FROM note_drafts d WHERE d.user_id = $1 AND d.subject = $3)",
		      "iit", to_id, from_id, subject);
}

/* One customer goes over; next contact and open notes go with the row. */
static int move(struct res_ctx *c, const struct leave_row *l, const struct step_row *s)
{
	bool his = s->owner_id == l->user_id;
	int r = 0;

	if (his)
		r = write_as(c, &people_customers, s->customer_id, json_pack("{s:o}", "owner_id", id_json(s->to_id)), true);
	if (!r && his)
		r = move_draft(c, s->customer_id, l->user_id, s->to_id);
	return r ? r : mark(c, l->id, s->customer_id, his ? "moved" : "kept");
}

static int give_back(struct res_ctx *c, const struct leave_row *l, const struct step_row *s)
{
	bool there = s->owner_id == s->to_id;
	int r = 0;

	if (there)
		r = write_as(c, &people_customers, s->customer_id,
			     json_pack("{s:o, s:o}", "owner_id", id_json(l->user_id), "team_id", id_json(s->team_id)), true);
	if (!r && there)
		r = db_run(c->db, "UPDATE customers SET owned_ms = $2 WHERE id = $1", "ir", s->customer_id, s->owned_ms);
	if (!r && there)
		r = move_draft(c, s->customer_id, s->to_id, l->user_id);
	return r ? r : mark(c, l->id, s->customer_id, there ? "back" : "kept");
}

static int tally(struct res_ctx *c, int64_t leave_id, const char *state)
{
	return db_run(c->db,
		      "UPDATE leaves SET rev = rev + 1, updated_ms = $2, state = COALESCE($3, state),"
		      " moved = (SELECT COUNT(*) FROM leave_customers WHERE leave_id = $1 AND state = 'moved'),"
		      " back = (SELECT COUNT(*) FROM leave_customers WHERE leave_id = $1 AND state = 'back'),"
		      " kept = (SELECT COUNT(*) FROM leave_customers WHERE leave_id = $1 AND state = 'kept') WHERE id = $1",
		      "iit", leave_id, c->now_ms, state);
}

int people_leave_step(bool *more, struct res_ctx *c, int64_t leave_id)
{
	struct step_row rows[LEAVE_PIECE];
	struct leave_row l;
	bool forth;
	size_t n;
	int r = read_leave(&l, c, leave_id);

	*more = false;
	if (r)
		return r;
	forth = !strcmp(l.state, "running");
	if (!forth && strcmp(l.state, "undoing") != 0)
		return 0;
	r = read_step(rows, &n, c, leave_id, forth ? "planned" : "moved");
	for (size_t i = 0; !r && i < n; i++)
		r = forth ? move(c, &l, &rows[i]) : give_back(c, &l, &rows[i]);
	*more = n == LEAVE_PIECE;
	return r ? r : tally(c, leave_id, *more ? NULL : forth ? "done" : "undone");
}

int people_leave_undo(struct res_ctx *c, int64_t leave_id)
{
	struct leave_row l;
	json_t *after;
	int64_t newer = 0;
	int r = read_leave(&l, c, leave_id);

	if (r == -ENOENT) {
		res_fail(c, 404, "not_found", NULL, NULL);
		return 1;
	}
	if (!r)
		r = res_may_row(c, &people_users, l.user_id, RES_WRITE);
	if (r)
		return r;
	r = db_get_i64(&newer, c->db, "SELECT COUNT(*) FROM leaves WHERE user_id = $1 AND created_ms > $2 AND state <> 'undone'", "ii", l.user_id, l.created_ms);
	if (!r && (strcmp(l.state, "done") != 0 || newer)) {
		res_fail(c, 409, "leave_running", NULL, NULL);
		return 1;
	}
	if (!r && c->now_ms - l.created_ms > LEAVE_UNDO_MS) {
		res_fail(c, 409, "leave_too_old", NULL, NULL);
		return 1;
	}
	if (!r)
		r = write_as(c, &people_users, l.user_id, json_pack("{s:b}", "active", 1), false);
	if (!r)
		r = db_run(c->db, "UPDATE leaves SET state = 'undoing', rev = rev + 1, updated_ms = $2 WHERE id = $1", "ii", leave_id, c->now_ms);
	after = json_pack("{s:o}", "leave", id_json(leave_id));
	if (!r)
		r = res_audit(c, "users", l.user_id, "leave_undo", NULL, after);
	json_decref(after);
	return r;
}
