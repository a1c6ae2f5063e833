/* A leaver's customers: dealt by the rule, by hand, within scopes; carried out in pieces, interrupted, taken back. */
#include "base/test.h"
#include "people/declared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"
#include "people/leave.h"

/* Rights that the askers of these tests have, for as long as the program runs. */
static const struct people_rights *held[64];
static size_t held_n;

#define NOW 1700000000000
#define CUSTOMERS 100

struct fix {
	char file[64], path[512];
	struct db *db;
	int64_t centre, team, leaver, a, b, c3, other;
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
	int64_t customers[CUSTOMERS];
};

static int64_t make(struct fix *f, const struct res_def *d, json_t *body)
{
	struct system_ctx s;
	int64_t id = 0;

	system_init(&s, f->db, f->centre);
	s.c.prepared = json_object();
	assert_int_equal(system_write(&id, &s, d, 0, body), 0);
	system_done(&s);
	return id;
}

static json_t *idj(int64_t id)
{
	char t[24];

	(void)snprintf(t, sizeof(t), "%lld", (long long)id);
	return json_string(t);
}

static int64_t person(struct fix *f, const char *login, const char *role, int64_t team)
{
	return make(f, &people_users, json_pack("{s:s, s:s, s:s, s:o}", "login", login, "name", login, "role", role, "team_id", team ? idj(team) : json_null()));
}

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.rights = &people_rights_shipped("admin")->res, .lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/leave_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	f->team = make(f, &people_teams, json_pack("{s:s}", "name", "一组"));
	f->leaver = person(f, "zhangsan", "agent", f->team);
	f->a = person(f, "lisi", "agent", f->team);
	f->b = person(f, "wangwu", "agent", f->team);
	f->c3 = person(f, "zhaoliu", "agent", f->team);
	f->other = person(f, "sunqi", "trainer", 0);
	for (int i = 0; i < CUSTOMERS; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "K%d", i);
		f->customers[i] = make(f, &people_customers, json_pack("{s:s, s:o}", "name", name, "owner_id", idj(f->leaver)));
	}
	f->who.centre_id = f->centre;
	f->who.user_id = person(f, "boss", "admin", 0);
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = NOW};
}

static void fix_done(struct fix *f)
{
	res_error_done(&f->error);
	res_ctx_done(&f->c);
	db_close(f->db);
	test_db_gone(f->path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", f->file, *s);

		(void)unlink(p);
		free(p);
	}
}

static int64_t count(struct fix *f, const char *sql, int64_t id)
{
	int64_t n = -1;

	assert_int_equal(db_get_i64(&n, f->db, sql, "i", id), 0);
	return n;
}

static int64_t owned(struct fix *f, int64_t user_id)
{
	return user_id ? count(f, "SELECT COUNT(*) FROM customers WHERE owner_id = $1", user_id)
		       : count(f, "SELECT COUNT(*) FROM customers WHERE owner_id IS NULL AND centre_id = $1", f->centre);
}

static int plan(struct fix *f, struct people_leave *p, json_t *body)
{
	int r;

	res_error_done(&f->error);
	f->error = (struct res_error){0};
	r = people_leave_plan(p, &f->c, f->leaver, body);
	json_decref(body);
	assert_true(r >= 0);
	return r;
}

static int in_transaction(struct fix *f, int r)
{
	assert_true(r >= 0);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	return r;
}

static int begin(struct fix *f, int64_t *id, const struct people_leave *p)
{
	assert_int_equal(db_begin(f->db), 0);
	return in_transaction(f, people_leave_begin(id, &f->c, p));
}

static bool step(struct fix *f, int64_t id)
{
	bool more;

	res_error_done(&f->error);
	f->error = (struct res_error){0};
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(in_transaction(f, people_leave_step(&more, &f->c, id)), 0);
	return more;
}

/* The whole of it; the number of steps. */
static int64_t leave(struct fix *f, json_t *body)
{
	struct people_leave p;
	size_t at = 0;
	int64_t id = 0;

	assert_int_equal(plan(f, &p, body), 0);
	assert_int_equal(begin(f, &id, &p), 0);
	while (at < p.customer_n) {
		assert_int_equal(db_begin(f->db), 0);
		assert_int_equal(in_transaction(f, people_leave_write(&at, &f->c, id, &p, at)), 0);
	}
	people_leave_done(&p);
	while (step(f, id))
		;
	return id;
}

static json_t *among(struct fix *f)
{
	return json_pack("{s:s, s:s, s:[{s:o}, {s:o}, {s:o}]}", "rule", "people", "seed", "s1", "people", "id", idj(f->a), "id", idj(f->b), "id", idj(f->c3));
}

TEST(a_leaver_is_switched_off_and_his_customers_are_dealt_equally)
{
	struct fix f;
	int64_t id;

	fix_init(&f);
	id = leave(&f, among(&f));
	assert_int_equal(count(&f, "SELECT active FROM users WHERE id = $1", f.leaver), 0);
	assert_int_equal(owned(&f, f.leaver), 0);
	assert_int_equal(owned(&f, f.a) + owned(&f, f.b) + owned(&f, f.c3), CUSTOMERS);
	assert_true(owned(&f, f.a) >= 33 && owned(&f, f.a) <= 34 && owned(&f, f.b) >= 33 && owned(&f, f.b) <= 34);
	assert_int_equal(count(&f, "SELECT moved FROM leaves WHERE id = $1 AND state = 'done'", id), CUSTOMERS);
	/* The proof: each went where share_deal of the same seed says. */
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM leave_customers l JOIN customers c ON c.id = l.customer_id AND c.owner_id = l.to_id WHERE l.leave_id = $1",
			       id), CUSTOMERS);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'users' AND action = 'leave' AND row_id = $1", f.leaver), 1);
	fix_done(&f);
}

TEST(what_the_sheet_says_is_what_the_rule_gives_again)
{
	struct fix f;
	struct people_leave p, q;

	fix_init(&f);
	assert_int_equal(plan(&f, &p, among(&f)), 0);
	assert_int_equal(plan(&f, &q, among(&f)), 0);
	for (size_t i = 0; i < p.customer_n; i++) {
		assert_int_equal(p.customers[i].id, q.customers[i].id);
		assert_int_equal(p.customers[i].to_id, q.customers[i].to_id);
	}
	people_leave_done(&p);
	people_leave_done(&q);
	fix_done(&f);
}

TEST(weights_caps_and_what_is_put_by_hand_hold)
{
	struct fix f;
	char hand[24];
	json_t *body;

	fix_init(&f);
	(void)snprintf(hand, sizeof(hand), "%lld", (long long)f.customers[7]);
	body = json_pack("{s:s, s:[{s:o, s:i, s:i}, {s:o, s:i}], s:{s:o}}", "rule", "people", "people", "id", idj(f.a), "weight", 3, "cap", 20, "id", idj(f.b),
			 "weight", 1, "by_hand", hand, idj(f.c3));
	(void)leave(&f, body);
	assert_int_equal(owned(&f, f.a), 20);
	assert_int_equal(owned(&f, f.b), 79);
	assert_int_equal(owned(&f, f.c3), 1);
	assert_int_equal(count(&f, "SELECT owner_id FROM customers WHERE id = $1", f.customers[7]), f.c3);
	fix_done(&f);
}

TEST(the_team_or_the_pool_take_them_or_they_stay_for_now)
{
	struct fix f;

	fix_init(&f);
	(void)leave(&f, json_pack("{s:s}", "rule", "keep"));
	assert_int_equal(owned(&f, f.leaver), CUSTOMERS);
	assert_int_equal(count(&f, "SELECT active FROM users WHERE id = $1", f.leaver), 0);
	(void)leave(&f, json_pack("{s:s}", "rule", "team")); /* later, of one who is gone already */
	assert_int_equal(owned(&f, f.leaver), 0);
	assert_int_equal(owned(&f, f.a) + owned(&f, f.b) + owned(&f, f.c3), CUSTOMERS);
	fix_done(&f);
	fix_init(&f);
	(void)leave(&f, json_pack("{s:s}", "rule", "pool"));
	assert_int_equal(owned(&f, 0), CUSTOMERS);
	fix_done(&f);
}

TEST(undone_within_a_day_everything_is_as_it_was_but_what_went_on)
{
	struct fix f;
	int64_t id;
	int r;

	fix_init(&f);
	assert_int_equal(db_run(f.db, "UPDATE customers SET owned_ms = 777, next_ms = $1", "i", NOW + 5), 0);
	id = leave(&f, among(&f));
	/* One has been given to somebody else meanwhile: he keeps it. */
	assert_int_equal(db_run(f.db, "UPDATE customers SET owner_id = $1 WHERE id = $2", "ii", f.other, f.customers[3]), 0);
	f.c.now_ms += LEAVE_UNDO_MS;
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(in_transaction(&f, people_leave_undo(&f.c, id)), 0);
	while (step(&f, id))
		;
	assert_int_equal(owned(&f, f.leaver), CUSTOMERS - 1);
	assert_int_equal(owned(&f, f.other), 1);
	assert_int_equal(count(&f, "SELECT active FROM users WHERE id = $1", f.leaver), 1);
	assert_int_equal(count(&f, "SELECT back FROM leaves WHERE id = $1 AND state = 'undone' AND kept = 1", id), CUSTOMERS - 1);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM customers WHERE owner_id = $1 AND owned_ms = 777 AND next_ms IS NOT NULL", f.leaver), CUSTOMERS - 1);
	/* Twice is once. */
	assert_int_equal(db_begin(f.db), 0);
	r = in_transaction(&f, people_leave_undo(&f.c, id));
	assert_int_equal(r, 1);
	assert_string_equal(f.error.code, "leave_running");
	fix_done(&f);
}

TEST(after_a_day_it_stays)
{
	struct fix f;
	int64_t id;

	fix_init(&f);
	id = leave(&f, json_pack("{s:s}", "rule", "pool"));
	f.c.now_ms += LEAVE_UNDO_MS + 1;
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(in_transaction(&f, people_leave_undo(&f.c, id)), 1);
	assert_string_equal(f.error.code, "leave_too_old");
	fix_done(&f);
}

TEST(an_interrupted_handover_goes_on_and_a_second_one_waits)
{
	struct fix f;
	struct people_leave p, q;
	size_t at = 0;
	int64_t id, id2;

	fix_init(&f);
	assert_int_equal(plan(&f, &p, among(&f)), 0);
	assert_int_equal(begin(&f, &id, &p), 0);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(in_transaction(&f, people_leave_write(&at, &f.c, id, &p, 0)), 0);
	assert_true(step(&f, id));
	assert_int_equal(owned(&f, f.leaver), CUSTOMERS - LEAVE_PIECE);
	assert_int_equal(plan(&f, &q, json_pack("{s:s}", "rule", "pool")), 0);
	assert_int_equal(begin(&f, &id2, &q), 1);
	assert_string_equal(f.error.code, "leave_running");
	while (step(&f, id))
		;
	assert_int_equal(owned(&f, f.leaver), 0);
	people_leave_done(&p);
	people_leave_done(&q);
	fix_done(&f);
}

static void refused(struct fix *f, json_t *body, const char *field, const char *why)
{
	struct people_leave p;

	assert_int_equal(plan(f, &p, body), 1);
	people_leave_done(&p);
	assert_int_equal(f->error.status, 422);
	assert_string_equal(json_string_value(json_object_get(f->error.fields, field)), why);
}

TEST(what_cannot_be_is_refused_and_nothing_changes)
{
	struct fix f;
	char hand[24];

	fix_init(&f);
	(void)snprintf(hand, sizeof(hand), "%lld", (long long)f.customers[0]);
	refused(&f, json_object(), "rule", "required");
	refused(&f, json_pack("{s:s}", "rule", "burn"), "rule", "enum");
	refused(&f, json_pack("{s:s}", "rule", "people"), "people", "required");
	refused(&f, json_pack("{s:s, s:[{s:o}]}", "rule", "people", "people", "id", idj(f.leaver)), "people", "type");
	refused(&f, json_pack("{s:s, s:[{s:o}, {s:o}]}", "rule", "people", "people", "id", idj(f.a), "id", idj(f.a)), "people", "type");
	refused(&f, json_pack("{s:s, s:[{s:s}]}", "rule", "people", "people", "id", "12345"), "people", "inactive");
	refused(&f, json_pack("{s:s, s:[{s:o, s:i}]}", "rule", "people", "people", "id", idj(f.a), "weight", 1001), "people", "type");
	refused(&f, json_pack("{s:s, s:i}", "rule", "pool", "colour", 1), "colour", "unknown");
	refused(&f, json_pack("{s:s, s:s}", "rule", "pool", "seed", "a b"), "seed", "format");
	refused(&f, json_pack("{s:s, s:{s:o}}", "rule", "pool", "by_hand", hand, idj(f.leaver)), "by_hand", "type");
	assert_int_equal(db_run(f.db, "UPDATE users SET active = 0 WHERE id = $1", "i", f.b), 0);
	refused(&f, among(&f), "people", "inactive");
	assert_int_equal(owned(&f, f.leaver), CUSTOMERS);
	fix_done(&f);
}

TEST(only_who_manages_him_may_and_only_with_customers_within_reach)
{
	struct fix f;
	struct people_leave p;
	int64_t lead, team2, outsider;
	const struct people_rights *rights;
	const char *bad;
	json_t *r, *g;

	fix_init(&f);
	lead = person(&f, "lead", "lead", f.team);
	f.who.user_id = lead;
	f.who.rights = &people_rights_shipped("lead")->res; /* reads people of his team, writes none */
	assert_int_equal(plan(&f, &p, json_pack("{s:s}", "rule", "pool")), 1);
	assert_int_equal(f.error.status, 403);
	people_leave_done(&p);
	f.who.rights = &people_rights_shipped("agent")->res;
	assert_int_equal(plan(&f, &p, json_pack("{s:s}", "rule", "pool")), 1);
	assert_int_equal(f.error.status, 403);
	people_leave_done(&p);

	/* A team's manager: people and customers of his team, also one of the leaver's that is another team's now. */
	r = json_loads("[\"desk\",\"dial\",\"numbers\",\"pool\",\"assign\"]", 0, NULL);
	g = json_loads("{\"people\":{\"read\":\"team\",\"write\":\"team\"},\"customers\":{\"read\":\"own\",\"write\":\"own\"}}", 0, NULL);
	rights = people_rights_make(r, g, &bad);
	assert_true(held_n < ARRAY_LEN(held));
	held[held_n++] = rights;
	assert_non_null(rights);
	f.who.rights = &rights->res;
	assert_int_equal(plan(&f, &p, json_pack("{s:s}", "rule", "pool")), 0);
	assert_int_equal(p.customer_n, 0);
	assert_int_equal(p.beyond, CUSTOMERS);
	people_leave_done(&p);
	team2 = make(&f, &people_teams, json_pack("{s:s}", "name", "二组"));
	outsider = person(&f, "zhouba", "agent", team2);
	refused(&f, json_pack("{s:s, s:[{s:o}]}", "rule", "people", "people", "id", idj(outsider)), "people", "ref");
	json_decref(r);
	json_decref(g);
	fix_done(&f);
}
