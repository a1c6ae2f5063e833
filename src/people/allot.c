/* What an allocation would do: people, customers, seed, draw. */
#include "people/allot.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "db/db.h"
#include "people/share.h"

static int bad(struct res_ctx *c, const char *field, const char *what)
{
	res_fail(c, 422, "invalid", field, what);
	return 1;
}

static bool take_id(int64_t *ret, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && str_to_i64(ret, s, 1, INT64_MAX);
}

/* A whole number in range, or missing. */
static bool take_int(int64_t *ret, const json_t *o, const char *key, int64_t min, int64_t max, int64_t fallback)
{
	const json_t *v = json_object_get(o, key);

	*ret = fallback;
	if (!v || json_is_null(v))
		return true;
	*ret = json_integer_value(v);
	return json_is_integer(v) && *ret >= min && *ret <= max;
}

/* ---- people ---- */

static bool has_person(const struct allot *a, int64_t id)
{
	for (size_t i = 0; i < a->m; i++)
		if (a->people[i].id == id)
			return true;
	return false;
}

static int is_blind(bool *ret, struct res_ctx *c, const char *role)
{
	const struct people_rights *rights;
	struct res_who who = {.centre_id = c->who->centre_id};
	int r = people_rights_find(&rights, c->db, c->who->centre_id, role);

	*ret = true;
	if (r)
		return r == -ENOENT ? 0 : r;
	who.rights = &rights->res;
	*ret = !res_may(&who, &people_customers, RES_READ);
	return 0;
}

struct found {
	int64_t id;
	char name[256], team[256], role[32];
	bool active;
};

/* Those of a team, or one: within what who asks may change customers of. */
static int find_people(struct found **ret, size_t *n, struct res_ctx *c, int64_t user_id, int64_t team_id)
{
	enum res_scope s = res_scope_of(c->who, &people_customers, RES_WRITE);
	struct found *list = NULL;
	struct db_stmt *st;
	struct strb b;
	int r;

	*n = 0;
	strb_init(&b, 16384);
	strb_puts(&b, "SELECT u.id, u.name, COALESCE(g.name, ''), u.role, u.active FROM users u LEFT JOIN teams g ON g.id = u.team_id"
		      " WHERE u.centre_id = $1 AND (u.id = $2 OR u.team_id = $3) AND ");
	res_scope_text(&b, &people_users, "u", s, false, 4);
	strb_puts(&b, " ORDER BY u.id LIMIT 1001");
	r = db_prepare(&st, c->db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_i64(st, 2, user_id);
	db_bind_i64(st, 3, team_id);
	if (s != SCOPE_CENTRE && s != SCOPE_NONE)
		db_bind_i64(st, 4, c->who->user_id);
	while ((r = db_step(st)) == DB_ROW) {
		struct found *p;

		list = xrealloc(list, (*n + 1) * sizeof(*list));
		p = &list[(*n)++];
		*p = (struct found){.id = db_i64(st, 0), .active = db_i64(st, 4)};
		(void)str_copy(p->name, sizeof(p->name), db_text(st, 1));
		(void)str_copy(p->team, sizeof(p->team), db_text(st, 2));
		(void)str_copy(p->role, sizeof(p->role), db_text(st, 3) ? db_text(st, 3) : "");
	}
	db_done(st);
	*ret = list;
	return r;
}

static int add_people(struct allot *a, struct res_ctx *c, const json_t *o, bool weighted)
{
	int64_t user = 0, team = 0, weight, cap, fixed;
	struct found *list = NULL;
	size_t n = 0;
	int r;

	if (!json_is_object(o) || take_id(&user, o, "user_id") == take_id(&team, o, "team_id"))
		return bad(c, "to", "ref");
	if (!take_int(&weight, o, "weight", 1, SHARE_WEIGHT_MAX, 1) || !take_int(&cap, o, "cap", 0, ALLOT_MAX, -1) || !take_int(&fixed, o, "n", 0, ALLOT_MAX, -1))
		return bad(c, "to", "range");
	r = find_people(&list, &n, c, user, team);
	if (!r && (!n || (team && fixed >= 0)))
		r = bad(c, "to", "ref");
	for (size_t i = 0; !r && i < n; i++) {
		struct allot_person p = {.id = list[i].id, .weight = weighted ? (unsigned)weight : 1, .cap = cap, .fixed = fixed};
		bool blind;

		if (has_person(a, p.id))
			continue;
		if (a->m == ALLOT_PEOPLE_MAX) {
			r = bad(c, "to", "range");
			break;
		}
		(void)str_copy(p.name, sizeof(p.name), list[i].name);
		(void)str_copy(p.team, sizeof(p.team), list[i].team);
		r = is_blind(&blind, c, list[i].role);
		p.why = !list[i].active ? "absent" : blind ? "blind" : NULL;
		a->people[a->m++] = p;
	}
	free(list);
	return r;
}

static int take_people(struct allot *a, struct res_ctx *c, const json_t *ask)
{
	const json_t *to = json_object_get(ask, "to");
	const char *method = json_string_value(json_object_get(ask, "method"));
	size_t i;
	json_t *o;
	int r = 0;

	if (!method || (strcmp(method, "equal") != 0 && strcmp(method, "weighted") != 0))
		return bad(c, "method", method ? "enum" : "required");
	if (!json_is_array(to) || !json_array_size(to) || json_array_size(to) > ALLOT_PEOPLE_MAX)
		return bad(c, "to", "required");
	(void)str_copy(a->method, sizeof(a->method), method);
	json_array_foreach(to, i, o) {
		r = add_people(a, c, o, !strcmp(method, "weighted"));
		if (r)
			return r;
	}
	return 0;
}

/* ---- customers ---- */

#define BATCH 100

static void batch_sql(struct strb *b, enum res_scope scope, bool open)
{
	strb_puts(b, "SELECT t.id, COALESCE(t.owner_id, 0), COALESCE(t.team_id, 0), COALESCE(t.owned_ms, 0), CASE WHEN ");
	if (open)
		strb_puts(b, "t.owner_id IS NULL OR ");
	res_scope_text(b, &people_customers, "t", scope, false, BATCH + 2);
	strb_puts(b, " THEN 1 ELSE 0 END FROM customers t WHERE t.centre_id = $1 AND t.state = 'active' AND t.id IN (");
	for (int i = 0; i < BATCH; i++)
		strb_printf(b, "%s$%d", i ? ", " : "", i + 2);
	strb_puts(b, ") ORDER BY t.id");
}

static int add_batch(struct allot *a, struct res_ctx *c, const char *sql, bool scoped, const int64_t *ids, size_t n, bool owned)
{
	struct db_stmt *st;
	size_t seen = 0;
	int r = db_prepare(&st, c->db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, c->who->centre_id);
	for (size_t i = 0; i < BATCH; i++)
		db_bind_i64(st, (int)i + 2, i < n ? ids[i] : 0);
	if (scoped)
		db_bind_i64(st, BATCH + 2, c->who->user_id);
	while ((r = db_step(st)) == DB_ROW) {
		struct allot_customer x = {.id = db_i64(st, 0), .owner_id = db_i64(st, 1), .team_id = db_i64(st, 2), .owned_ms = db_i64(st, 3)};

		seen++;
		if (!db_i64(st, 4))
			a->beyond++;
		else if (x.owner_id && !owned)
			a->owned++;
		else
			a->customers[a->n++] = x;
	}
	db_done(st);
	a->beyond += (int64_t)(n - seen);
	return r;
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int take_customers(struct allot *a, struct res_ctx *c, int64_t *ids, size_t n, bool owned)
{
	enum res_scope s = res_scope_of(c->who, &people_customers, RES_WRITE);
	bool open = c->who->rights && c->who->rights->open && res_may(c->who, &people_customers, RES_READ);
	struct strb b;
	int r = 0;

	qsort(ids, n, sizeof(*ids), by_id);
	a->customers = xcalloc(n + 1, sizeof(*a->customers));
	strb_init(&b, 32768);
	batch_sql(&b, s, open);
	for (size_t at = 0; !r && at < n; at += BATCH)
		r = add_batch(a, c, b.buf, s != SCOPE_CENTRE && s != SCOPE_NONE, ids + at, n - at < BATCH ? n - at : BATCH, owned);
	strb_done(&b);
	return r;
}

/* ---- caps ---- */

static int set_caps(struct allot *a, struct res_ctx *c)
{
	int64_t most = 0;
	int r = db_get_i64(&most, c->db, "SELECT own_max FROM pool_settings WHERE centre_id = $1", "i", c->who->centre_id);

	if (r && r != -ENOENT)
		return r;
	r = 0;
	for (size_t i = 0; !r && i < a->m; i++) {
		struct allot_person *p = &a->people[i];
		int64_t room;

		r = db_get_i64(&p->own, c->db, "SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND state = 'active'", "i", p->id);
		for (size_t k = 0; k < a->n; k++)
			p->own -= a->customers[k].owner_id == p->id;
		room = most > p->own ? most - p->own : 0;
		if (most && (p->cap < 0 || room < p->cap))
			p->cap = room;
		if (!p->why && !p->cap)
			p->why = "full";
	}
	return r;
}

/* Numbers set by hand are all or none, are no more than there are, and respect the caps. */
static int check_fixed(struct allot *a, struct res_ctx *c)
{
	int64_t sum = 0;
	size_t part = 0, given = 0;

	for (size_t i = 0; i < a->m; i++) {
		const struct allot_person *p = &a->people[i];

		if (p->why)
			continue;
		part++;
		if (p->fixed < 0)
			continue;
		given++;
		sum += p->fixed;
		if (p->cap >= 0 && p->fixed > p->cap)
			return bad(c, "to", "range");
	}
	if (given && (given != part || sum > (int64_t)a->n))
		return bad(c, "to", "range");
	return 0;
}

/* ---- by hand ---- */

static int by_customer(const void *a, const void *b)
{
	const struct allot_customer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int take_hand(struct allot *a, struct res_ctx *c, const json_t *list)
{
	size_t i;
	json_t *o;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > ALLOT_MAX)
		return bad(c, "keep", "type");
	json_array_foreach(list, i, o) {
		struct allot_customer key = {0}, *x;
		int64_t user;
		size_t k;

		if (!take_id(&key.id, o, "customer_id") || !take_id(&user, o, "user_id"))
			return bad(c, "keep", "type");
		x = bsearch(&key, a->customers, a->n, sizeof(key), by_customer);
		for (k = 0; k < a->m && a->people[k].id != user; k++)
			;
		if (!x || k == a->m || (a->people[k].why && strcmp(a->people[k].why, "full") != 0))
			return bad(c, "keep", "ref");
		x->hand = true;
		x->to = user;
	}
	return 0;
}

static int check_caps(const struct allot *a, struct res_ctx *c)
{
	for (size_t i = 0; i < a->m; i++)
		if (a->people[i].cap >= 0 && a->people[i].n > a->people[i].cap)
			return bad(c, "keep", "range");
	return 0;
}

/* ---- seed ---- */

/* The same customers give the same until somebody has allotted: nobody draws again until he likes it, and a preview is what is carried out. */
static int set_seed(struct allot *a, struct res_ctx *c, const uint8_t secret[32])
{
	crypto_hash_sha256_state st;
	uint8_t hash[32];
	int64_t last = 0;
	int r = db_get_i64(&last, c->db, "SELECT COALESCE(MAX(id), 0) FROM allocations WHERE centre_id = $1", "i", c->who->centre_id);

	if (r)
		return r;
	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, secret, 32);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)&last, sizeof(last));
	for (size_t i = 0; i < a->n; i++)
		(void)crypto_hash_sha256_update(&st, (const uint8_t *)&a->customers[i].id, sizeof(int64_t));
	(void)crypto_hash_sha256_final(&st, hash);
	str_hex_of(a->seed, hash, 16);
	return 0;
}

static struct allot *allot_new(void)
{
	struct allot *a = xcalloc(1, sizeof(*a));

	a->people = xcalloc(ALLOT_PEOPLE_MAX, sizeof(*a->people));
	(void)str_copy(a->version, sizeof(a->version), ALLOT_VERSION);
	(void)str_copy(a->method, sizeof(a->method), "equal");
	return a;
}

int people_allot_plan(struct allot **ret, struct res_ctx *c, int64_t *ids, size_t n, const json_t *ask, const uint8_t secret[32])
{
	struct allot *a = allot_new();
	bool en = c->who->lang && c->who->lang[0] == 'e';
	size_t part = 0;
	int r = take_people(a, c, ask);

	if (!r)
		r = take_customers(a, c, ids, n, json_is_true(json_object_get(ask, "owned")));
	if (!r)
		r = set_caps(a, c);
	if (!r)
		r = check_fixed(a, c);
	if (!r)
		r = set_seed(a, c, secret);
	if (!r)
		r = take_hand(a, c, json_object_get(ask, "keep"));
	if (!r) {
		allot_draw(a);
		r = check_caps(a, c);
	}
	for (size_t i = 0; i < a->m; i++)
		part += a->people[i].n > 0;
	(void)snprintf(a->title, sizeof(a->title), en ? "%zu customers to %zu people" : "%zu 位客户分给 %zu 人", a->n, part);
	if (r)
		allot_free(a);
	else
		*ret = a;
	return r;
}

/* ---- rules ---- */

struct rule {
	int64_t idle_days, result_id, result_n, type_id, team_id;
	bool owner_left;
	char target[8], name[128];
};

static int rule_get(struct rule *ret, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db,
			   "SELECT COALESCE(idle_days, 0), COALESCE(result_id, 0), COALESCE(result_n, 3), COALESCE(type_id, 0), COALESCE(team_id, 0),"
			   " owner_left, target, name FROM recycle_rules WHERE id = $1 AND centre_id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*ret = (struct rule){.idle_days = db_i64(st, 0), .result_id = db_i64(st, 1), .result_n = db_i64(st, 2), .type_id = db_i64(st, 3),
				     .team_id = db_i64(st, 4), .owner_left = db_i64(st, 5)};
		(void)str_copy(ret->target, sizeof(ret->target), db_text(st, 6));
		(void)str_copy(ret->name, sizeof(ret->name), db_text(st, 7));
	}
	db_done(st);
	if (r == DB_ROW)
		return 0;
	if (!r) {
		res_fail(c, 404, "not_found", NULL, NULL);
		return 1;
	}
	return r;
}

/* One text whatever the rule says; what it does not ask for is 0. notes_customer serves the results. */
#define MATCH_SQL \
	"SELECT t.id FROM customers t WHERE t.centre_id = $1 AND t.state = 'active' AND t.owner_id IS NOT NULL" \
	" AND ($2 = 0 OR (CASE WHEN COALESCE(t.last_ms, 0) > COALESCE(t.owned_ms, 0) THEN t.last_ms ELSE COALESCE(t.owned_ms, 0) END) <= $2)" \
	" AND ($3 = 0 OR t.type_id = $3)" \
	" AND ($4 = 0 OR EXISTS (SELECT 1 FROM users u WHERE u.id = t.owner_id AND u.active = 0))" \
	" AND ($5 = 0 OR (SELECT COUNT(*) FROM notes n WHERE n.customer_id = t.id AND n.result_id = $5 AND n.at_ms >= COALESCE(t.owned_ms, 0)) >= $6)" \
	" ORDER BY t.id LIMIT $7"

static int rule_ids(int64_t **ids, size_t *n, struct res_ctx *c, const struct rule *rule)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, MATCH_SQL);

	*n = 0;
	if (r)
		return r;
	*ids = xcalloc(ALLOT_MAX, sizeof(**ids));
	db_bind_i64(st, 1, c->who->centre_id);
	db_bind_i64(st, 2, rule->idle_days ? c->now_ms - rule->idle_days * 86400000 : 0);
	db_bind_i64(st, 3, rule->type_id);
	db_bind_i64(st, 4, rule->owner_left);
	db_bind_i64(st, 5, rule->result_id);
	db_bind_i64(st, 6, rule->result_n);
	db_bind_i64(st, 7, ALLOT_MAX);
	while ((r = db_step(st)) == DB_ROW)
		(*ids)[(*n)++] = db_i64(st, 0);
	db_done(st);
	return r;
}

static int rule_people(struct allot *a, struct res_ctx *c, int64_t team_id)
{
	char id[24];
	json_t *o;
	int r;

	(void)snprintf(id, sizeof(id), "%lld", (long long)team_id);
	o = json_pack("{s:s}", "team_id", id);
	r = add_people(a, c, o, false);
	json_decref(o);
	return r;
}

int people_recycle_plan(struct allot **ret, struct res_ctx *c, int64_t rule_id, const uint8_t secret[32])
{
	struct allot *a = allot_new();
	int64_t *ids = NULL;
	struct rule rule;
	size_t n = 0;
	int r = rule_get(&rule, c, rule_id);

	if (!r) {
		bool share = !strcmp(rule.target, "share");

		a->rule_id = rule_id;
		a->take = !share;
		a->team_id = !strcmp(rule.target, "team") ? rule.team_id : 0;
		(void)str_copy(a->title, sizeof(a->title), rule.name);
		r = share ? rule_people(a, c, rule.team_id) : 0;
	}
	if (!r)
		r = rule_ids(&ids, &n, c, &rule);
	if (!r)
		r = take_customers(a, c, ids, n, true);
	if (!r)
		r = set_caps(a, c);
	if (!r)
		r = set_seed(a, c, secret);
	free(ids);
	if (r) {
		allot_free(a);
		return r;
	}
	allot_draw(a);
	*ret = a;
	return 0;
}

int people_recycle_due(int64_t *rule_id, struct db *db, int64_t centre_id, int64_t since_ms)
{
	return db_get_i64(rule_id, db,
			  "SELECT id FROM recycle_rules WHERE centre_id = $1 AND active = 1 AND nightly = 1 AND COALESCE(last_ms, 0) < $2"
			  " ORDER BY id LIMIT 1", "ii", centre_id, since_ms);
}
