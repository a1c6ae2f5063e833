/* Access by level: who manages a department manages what is in it and below, and nothing beside or above. Role x action x row. */
#include "base/test.h"
#include "people/declared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"

/* Rights that the askers of these tests have, for as long as the program runs. */
static const struct people_rights *held[64];
static size_t held_n;

/* House > East > East1; House > West. Each has a team and a person; the manager heads East. */
enum { HOUSE, EAST, EAST1, WEST, PLACES };

struct fix {
	char file[64], path[512];
	struct db *db;
	int64_t centre, department[PLACES], team[PLACES], user[PLACES], bare; /* bare: in East1 without a team */
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

static json_t *idj(int64_t id)
{
	char t[24];

	(void)snprintf(t, sizeof(t), "%lld", (long long)id);
	return id ? json_string(t) : json_null();
}

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

static void change(struct fix *f, const struct res_def *d, int64_t id, json_t *patch)
{
	struct system_ctx s;

	system_init(&s, f->db, f->centre);
	assert_int_equal(system_write(NULL, &s, d, id, patch), 0);
	system_done(&s);
}

static void fix_init(struct fix *f)
{
	static const char *const names[PLACES] = {"House", "East", "East1", "West"};
	static const int above[PLACES] = {-1, HOUSE, EAST, HOUSE};

	*f = (struct fix){.who = {.lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/access_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	for (int i = 0; i < PLACES; i++) {
		char login[16];

		f->department[i] = make(f, &people_departments, json_pack("{s:s, s:o}", "name", names[i], "parent_id", idj(above[i] < 0 ? 0 : f->department[above[i]])));
		f->team[i] = make(f, &people_teams, json_pack("{s:s, s:o}", "name", names[i], "department_id", idj(f->department[i])));
		(void)snprintf(login, sizeof(login), "agent%d", i);
		f->user[i] = make(f, &people_users, json_pack("{s:s, s:s, s:s, s:o}", "login", login, "name", login, "role", "agent", "team_id", idj(f->team[i])));
	}
	f->bare = make(f, &people_users, json_pack("{s:s, s:s, s:s, s:o}", "login", "bare", "name", "bare", "role", "agent", "department_id", idj(f->department[EAST1])));
	f->who.centre_id = f->centre;
	f->who.user_id = make(f, &people_users, json_pack("{s:s, s:s, s:s}", "login", "manager", "name", "manager", "role", "manager"));
	change(f, &people_departments, f->department[EAST], json_pack("{s:o}", "head_id", idj(f->who.user_id)));
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = 1700000000000};
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

/* A manager of people as far as @scope reaches, with what agents have besides, so that he may make agents. */
static void as(struct fix *f, const char *scope)
{
	char text[800];
	json_t *r = json_loads("[\"desk\",\"dial\",\"numbers\",\"pool\",\"merge\"]", 0, NULL), *g;
	const struct people_rights *p;
	const char *bad;

	(void)snprintf(text, sizeof(text),
		       "{\"people\":{\"read\":\"%s\",\"write\":\"%s\",\"remove\":\"%s\"},\"lists\":{\"read\":\"centre\"},\"customers\":{\"read\":\"own\",\"write\":\"own\"},"
		       "\"notes\":{\"read\":\"own\",\"write\":\"own\"},\"sales\":{\"read\":\"own\",\"write\":\"own\"},\"callbacks\":{\"read\":\"own\",\"write\":\"own\"},"
		       "\"goals\":{\"read\":\"own\"},\"campaigns\":{\"read\":\"own\"},\"calls\":{\"read\":\"own\"},\"recordings\":{\"read\":\"own\"}}",
		       scope, scope, scope);
	g = json_loads(text, 0, NULL);
	p = people_rights_make(r, g, &bad);
	assert_true(held_n < ARRAY_LEN(held));
	held[held_n++] = p;
	assert_non_null(p);
	f->who.rights = &p->res;
	json_decref(r);
	json_decref(g);
}

/* 0, or the status it was refused with. Nothing of it is kept. */
static int tried(struct fix *f, const struct res_def *d, int64_t id, json_t *body, enum res_act act)
{
	json_t *row = NULL;
	int r = 0;

	res_error_done(&f->error);
	f->error = (struct res_error){0};
	res_ctx_done(&f->c);
	f->c.prepared = f->c.once = NULL;
	if (body && d == &people_users)
		f->c.prepared = json_object();
	assert_int_equal(db_begin(f->db), 0);
	r = act == RES_READ ? res_get(&row, &f->c, d, id) : act == RES_REMOVE ? res_delete(&f->c, d, id, RES_REV_ANY)
	    : id ? res_update(&row, &f->c, d, id, body, RES_REV_ANY) : res_create(&row, &f->c, d, body);
	assert_true(r >= 0);
	db_rollback(f->db);
	json_decref(row);
	json_decref(body);
	return r ? f->error.status : 0;
}

TEST(a_department_manager_manages_what_is_in_it_and_below)
{
	static const bool his[PLACES] = {false, true, true, false};
	struct fix f;

	fix_init(&f);
	as(&f, "department");
	for (int i = 0; i < PLACES; i++) {
		int no = his[i] ? 0 : 404;

		print_message("place %d\n", i);
		assert_int_equal(tried(&f, &people_departments, f.department[i], NULL, RES_READ), no);
		assert_int_equal(tried(&f, &people_departments, f.department[i], json_pack("{s:s}", "note", "x"), RES_WRITE), no);
		assert_int_equal(tried(&f, &people_departments, f.department[i], NULL, RES_REMOVE), his[i] ? 409 : 404); /* in use: never while it holds something */
		assert_int_equal(tried(&f, &people_teams, f.team[i], NULL, RES_READ), no);
		assert_int_equal(tried(&f, &people_teams, f.team[i], json_pack("{s:s}", "note", "x"), RES_WRITE), no);
		assert_int_equal(tried(&f, &people_users, f.user[i], NULL, RES_READ), no);
		assert_int_equal(tried(&f, &people_users, f.user[i], json_pack("{s:s}", "seat", "B1"), RES_WRITE), no);
		assert_int_equal(tried(&f, &people_users, f.user[i], NULL, RES_REMOVE), no);
	}
	assert_int_equal(tried(&f, &people_users, f.bare, json_pack("{s:s}", "seat", "B1"), RES_WRITE), 0);
	fix_done(&f);
}

TEST(nobody_is_made_in_or_moved_to_where_one_does_not_reach)
{
	struct fix f;

	fix_init(&f);
	as(&f, "department");
	assert_int_equal(tried(&f, &people_users, 0, json_pack("{s:s, s:s, s:s, s:o}", "login", "new1", "name", "n", "role", "agent", "team_id", idj(f.team[EAST1])), RES_WRITE), 0);
	assert_int_not_equal(tried(&f, &people_users, 0, json_pack("{s:s, s:s, s:s, s:o}", "login", "new2", "name", "n", "role", "agent", "team_id", idj(f.team[WEST])), RES_WRITE), 0);
	assert_int_not_equal(tried(&f, &people_users, 0, json_pack("{s:s, s:s, s:s}", "login", "new3", "name", "n", "role", "agent"), RES_WRITE), 0);
	assert_int_not_equal(tried(&f, &people_users, f.user[EAST], json_pack("{s:o}", "team_id", idj(f.team[WEST])), RES_WRITE), 0);
	assert_int_not_equal(tried(&f, &people_teams, f.team[EAST], json_pack("{s:o}", "department_id", idj(f.department[WEST])), RES_WRITE), 0);
	assert_int_equal(tried(&f, &people_departments, 0, json_pack("{s:s, s:o}", "name", "East2", "parent_id", idj(f.department[EAST])), RES_WRITE), 0);
	assert_int_not_equal(tried(&f, &people_departments, 0, json_pack("{s:s, s:o}", "name", "West2", "parent_id", idj(f.department[WEST])), RES_WRITE), 0);
	/* Nor is anybody given more than the manager has. */
	assert_int_equal(tried(&f, &people_users, f.user[EAST], json_pack("{s:s}", "role", "admin"), RES_WRITE), 403);
	fix_done(&f);
}

TEST(a_lead_reaches_his_team_only_and_an_agent_himself)
{
	struct fix f;

	fix_init(&f);
	change(&f, &people_teams, f.team[WEST], json_pack("{s:o}", "lead_id", idj(f.who.user_id)));
	change(&f, &people_departments, f.department[EAST], json_pack("{s:n}", "head_id"));
	as(&f, "team");
	for (int i = 0; i < PLACES; i++) {
		assert_int_equal(tried(&f, &people_users, f.user[i], json_pack("{s:s}", "seat", "B1"), RES_WRITE), i == WEST ? 0 : 404);
		assert_int_equal(tried(&f, &people_teams, f.team[i], NULL, RES_READ), i == WEST ? 0 : 404);
	}
	as(&f, "own");
	for (int i = 0; i < PLACES; i++)
		assert_int_equal(tried(&f, &people_users, f.user[i], NULL, RES_READ), 404);
	assert_int_equal(tried(&f, &people_users, f.who.user_id, NULL, RES_READ), 0);
	as(&f, "none");
	assert_int_equal(tried(&f, &people_users, f.who.user_id, NULL, RES_READ), 403);
	fix_done(&f);
}

TEST(nobody_reports_to_himself_and_no_department_is_below_itself)
{
	struct fix f;

	fix_init(&f);
	f.who.rights = &people_rights_shipped("admin")->res;
	change(&f, &people_users, f.user[EAST], json_pack("{s:o}", "reports_to_id", idj(f.user[HOUSE])));
	change(&f, &people_users, f.user[EAST1], json_pack("{s:o}", "reports_to_id", idj(f.user[EAST])));
	assert_int_equal(tried(&f, &people_users, f.user[HOUSE], json_pack("{s:o}", "reports_to_id", idj(f.user[EAST1])), RES_WRITE), 422);
	assert_string_equal(json_string_value(json_object_get(f.error.fields, "reports_to_id")), "circle");
	assert_int_equal(tried(&f, &people_users, f.user[HOUSE], json_pack("{s:o}", "reports_to_id", idj(f.user[HOUSE])), RES_WRITE), 422);
	assert_int_equal(tried(&f, &people_users, f.user[HOUSE], json_pack("{s:o}", "reports_to_id", idj(f.user[WEST])), RES_WRITE), 0);
	assert_int_equal(tried(&f, &people_departments, f.department[HOUSE], json_pack("{s:o}", "parent_id", idj(f.department[EAST1])), RES_WRITE), 422);
	fix_done(&f);
}

TEST(who_answers_for_the_data_sees_what_left_as_a_file_and_erases)
{
	static const struct {
		const char *role;
		bool exports, erase;
	} roles[] = {{"agent", 0, 0}, {"lead", 0, 0}, {"supervisor", 0, 0}, {"coordinator", 0, 0}, {"crm", 1, 1}, {"manager", 1, 0}, {"director", 1, 0}, {"admin", 1, 1}};

	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		struct res_who who = {.centre_id = 1, .user_id = 1, .rights = &people_rights_shipped(roles[i].role)->res};

		assert_int_equal(res_may(&who, &people_exports, RES_READ), roles[i].exports);
		assert_int_equal(people_may(&who, RIGHT_ERASE), roles[i].erase);
	}
}
