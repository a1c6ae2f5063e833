/* Notices reach whom they concern and nobody else; who has read them is told. Attendance is the log's intervals, cut at the day. */
#include "api/fixture.h"

static int64_t id_of(struct fix *f, const char *table, const char *column, const char *value)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "SELECT id FROM %s WHERE %s = '%s'", table, column, value);
	return fix_get(f, sql);
}

/* As one of the demo's: whom its log-in page shows, by another login. */
static struct client as(struct fix *f, const char *login)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "UPDATE users SET login = 'was_agent' WHERE login = 'agent'");
	fix_run(f, sql);
	(void)snprintf(sql, sizeof(sql), "UPDATE users SET login = 'agent' WHERE login = '%s'", login);
	fix_run(f, sql);
	struct client c = fix_login(f, "agent", NULL);

	(void)snprintf(sql, sizeof(sql), "UPDATE users SET login = '%s' WHERE login = 'agent'", login);
	fix_run(f, sql);
	fix_run(f, "UPDATE users SET login = 'agent' WHERE login = 'was_agent'");
	return c;
}

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static int64_t publish(struct client *c, const char *body, int64_t row)
{
	char text[512];

	(void)snprintf(text, sizeof(text), body, (long long)row);
	return strtoll(json_string_value(json_object_get(ask_for(c, "POST", "/notices", text, "201"), "id")), NULL, 10);
}

static const char *path_of(int64_t id, const char *rest)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "/notices/%lld%s", (long long)id, rest);
	return path;
}

static int64_t unread(struct client *c)
{
	return number(ask_for(c, "GET", "/notices/mine", NULL, "200"), "unread");
}

/* When he read it by the receipts; 0: not yet; -1: it does not concern him. */
static int64_t receipt(struct client *c, int64_t notice, int64_t user)
{
	const json_t *people = json_object_get(ask_for(c, "GET", path_of(notice, "/reads"), NULL, "200"), "people"), *p;
	char text[24];
	size_t i;

	(void)snprintf(text, sizeof(text), "%lld", (long long)user);
	json_array_foreach((json_t *)people, i, p)
		if (!strcmp(json_string_value(json_object_get(p, "id")), text))
			return number(p, "read_ms");
	return -1;
}

TEST(a_notice_concerns_a_team_and_says_who_has_read_it)
{
	struct client boss, agent, other;
	int64_t n, me;
	struct fix f;

	fix_start(&f, true);
	me = id_of(&f, "users", "login", "agent");
	boss = fix_login(&f, "supervisor", NULL);
	other = as(&f, "hubin"); /* of another team */
	agent = fix_login(&f, "agent", NULL);
	n = publish(&boss, "{\"title\":\"今天的新业务\",\"text\":\"一\",\"urgent\":true,\"reach\":\"team\",\"team_id\":\"%lld\"}", fix_get(&f, "SELECT team_id FROM users WHERE login = 'agent'"));
	assert_int_equal(unread(&agent), 1);
	assert_int_equal(unread(&other), 0);
	assert_int_equal(receipt(&boss, n, me), 0);
	assert_int_equal(receipt(&boss, n, id_of(&f, "users", "login", "hubin")), -1);
	(void)ask_for(&other, "POST", path_of(n, "/read"), "{}", "404 not_found");
	assert_int_equal(ask(&agent, "POST", path_of(n, "/read"), NULL, "{}")->status, 204);
	me = receipt(&boss, n, me);
	assert_true(me > 0);
	assert_int_equal(ask(&agent, "POST", path_of(n, "/read"), NULL, "{}")->status, 204); /* the first time counts */
	assert_int_equal(receipt(&boss, n, id_of(&f, "users", "login", "agent")), me);
	assert_int_equal(unread(&agent), 0);

	(void)ask_for(&agent, "GET", path_of(n, "/reads"), NULL, "403 forbidden");
	(void)ask_for(&agent, "POST", "/notices", "{\"title\":\"x\",\"reach\":\"centre\"}", "403 forbidden");
	assert_int_equal(ask(&boss, "PATCH", path_of(n, ""), "If-Match: 1\r\n", "{\"urgent\":false}")->status, 200);
	assert_int_equal(unread(&agent), 0); /* says the same */
	assert_int_equal(ask(&boss, "PATCH", path_of(n, ""), "If-Match: 2\r\n", "{\"text\":\"二\"}")->status, 200);
	assert_int_equal(unread(&agent), 1); /* something else: to be read anew */
	fix_run(&f, "UPDATE notices SET until_ms = 1000");
	assert_int_equal(unread(&agent), 0); /* over */
	assert_int_equal(ask(&boss, "DELETE", path_of(n, ""), "If-Match: 3\r\n", NULL)->status, 204);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM notice_reads"), 0);
	fix_stop(&f);
}

TEST(a_department_is_told_with_what_is_below_and_nobody_publishes_beyond_his_reach)
{
	struct client boss, lead, agent, other;
	int64_t top, sales;
	char body[256];
	struct fix f;

	fix_start(&f, true);
	top = fix_get(&f, "SELECT id FROM departments WHERE parent_id IS NULL");
	sales = fix_get(&f, "SELECT t.department_id FROM users u JOIN teams t ON t.id = u.team_id WHERE u.login = 'agent'");
	lead = as(&f, "saleslead"); /* reaches his own team */
	other = as(&f, "hubin");    /* of the other department */
	boss = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	(void)publish(&boss, "{\"title\":\"a\",\"reach\":\"department\",\"department_id\":\"%lld\"}", sales);
	assert_int_equal(unread(&agent), 1);
	assert_int_equal(unread(&other), 0);
	(void)publish(&boss, "{\"title\":\"b\",\"reach\":\"department\",\"department_id\":\"%lld\"}", top);
	assert_int_equal(unread(&agent), 2);
	assert_int_equal(unread(&other), 1);
	(void)publish(&boss, "{\"title\":\"c\",\"reach\":\"centre\"}", 0);
	assert_int_equal(unread(&other), 2);
	(void)ask_for(&boss, "POST", "/notices", "{\"title\":\"d\",\"reach\":\"department\"}", "422 invalid");

	(void)snprintf(body, sizeof(body), "{\"title\":\"e\",\"reach\":\"team\",\"team_id\":\"%lld\"}", (long long)fix_get(&f, "SELECT team_id FROM users WHERE login = 'saleslead'"));
	(void)ask_for(&lead, "POST", "/notices", body, "201");
	(void)snprintf(body, sizeof(body), "{\"title\":\"e\",\"reach\":\"team\",\"team_id\":\"%lld\"}", (long long)fix_get(&f, "SELECT team_id FROM users WHERE login = 'hubin'"));
	assert_int_equal(ask(&lead, "POST", "/notices", NULL, body)->status, 403);
	assert_int_equal(ask(&lead, "POST", "/notices", NULL, "{\"title\":\"e\",\"reach\":\"centre\"}")->status, 403);
	fix_stop(&f);
}

/* ---- attendance ---- */

#define MIN 60000LL
#define DAY "/attendance?day=2024-03-05"

static void stay(struct fix *f, int64_t agent, const char *state, int64_t from, int64_t to)
{
	static int64_t id = 1000;
	char sql[256];

	(void)snprintf(sql, sizeof(sql), "INSERT INTO activity (id, centre_id, agent_id, state, start_ms, end_ms) VALUES (%lld, %lld, %lld, '%s', %lld, %lld)",
		       (long long)++id, (long long)f->centre_id, (long long)agent, state, (long long)from, (long long)to);
	fix_run(f, sql);
}

static const json_t *person(const json_t *day, int64_t id)
{
	const json_t *p;
	char text[24];
	size_t i;

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	json_array_foreach(json_object_get(day, "people"), i, p)
		if (!strcmp(json_string_value(json_object_get(p, "id")), text))
			return p;
	return NULL;
}

static int64_t summed(struct fix *f, int64_t agent, int64_t from, int64_t to)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql), "SELECT SUM(CASE WHEN end_ms < %lld THEN end_ms ELSE %lld END - CASE WHEN start_ms > %lld THEN start_ms ELSE %lld END) FROM activity"
					 " WHERE agent_id = %lld AND start_ms < %lld AND end_ms > %lld", (long long)to, (long long)to, (long long)from, (long long)from,
		       (long long)agent, (long long)to, (long long)from);
	return fix_get(f, sql);
}

TEST(a_day_of_attendance_is_the_intervals_of_the_log_cut_at_midnight)
{
	struct client boss, agent;
	const json_t *day, *p, *sums;
	int64_t me, other, d;
	struct fix f;

	fix_start(&f, true);
	boss = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	me = id_of(&f, "users", "login", "agent");
	other = id_of(&f, "users", "login", "hubin");
	d = number(ask_for(&boss, "GET", DAY, NULL, "200"), "from_ms");
	stay(&f, me, "ready", d - 3 * 1440 * MIN, d - 2 * 1440 * MIN); /* another day */
	stay(&f, me, "ready", d - 30 * MIN, d + 20 * MIN);
	stay(&f, me, "break", d + 480 * MIN, d + 510 * MIN);
	stay(&f, me, "ready", d + 510 * MIN, d + 720 * MIN);
	stay(&f, me, "break", d + 720 * MIN, d + 765 * MIN);
	stay(&f, me, "talking", d + 765 * MIN, d + 780 * MIN);
	stay(&f, me, "ready", d + 1410 * MIN, d + 1470 * MIN);         /* over midnight */
	stay(&f, other, "ready", d + 500 * MIN, d + 600 * MIN);
	stay(&f, other, "wrapup", d + 600 * MIN, d + 601 * MIN);

	day = ask_for(&boss, "GET", DAY, NULL, "200");
	p = person(day, me);
	sums = json_object_get(p, "sums");
	assert_int_equal(number(p, "first_ms"), d);
	assert_true(json_is_true(json_object_get(p, "from_before")));
	assert_true(json_is_true(json_object_get(p, "here")));
	assert_true(json_is_null(json_object_get(p, "last_ms")));
	assert_int_equal(number(sums, "ready"), (20 + 210 + 30) * MIN);
	assert_int_equal(number(sums, "break"), (30 + 45) * MIN);
	assert_int_equal(number(sums, "talking"), 15 * MIN);
	assert_int_equal(summed(&f, me, d, number(day, "to_ms")), (260 + 75 + 15) * MIN);
	assert_int_equal(json_array_size(json_object_get(p, "stays")), 6);
	p = person(day, other);
	assert_int_equal(number(p, "first_ms"), d + 500 * MIN);
	assert_int_equal(number(p, "last_ms"), d + 601 * MIN);
	assert_false(json_is_true(json_object_get(p, "here")));
	assert_true(json_is_null(json_object_get(person(day, id_of(&f, "users", "login", "zhulin")), "first_ms"))); /* absent, and there */

	day = ask_for(&agent, "GET", DAY, NULL, "200"); /* himself and nobody else */
	assert_int_equal(json_array_size(json_object_get(day, "people")), 1);
	assert_non_null(person(day, me));
	(void)ask_for(&boss, "GET", "/attendance?day=2024-02-30", NULL, "400 bad_query");
	assert_int_equal(ask(&boss, "GET", "/attendance.xlsx?day=2024-03-05&lang=en", NULL, NULL)->status, 200);
	assert_int_equal(ask(&boss, "GET", "/attendance.xlsx?day=2024-03-05&what=stays", NULL, NULL)->status, 200);
	fix_stop(&f);
}
