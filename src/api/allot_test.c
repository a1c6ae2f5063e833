/* Customers given to people: preview, draw, certificate, undo; and taken back by rules. */
#include "api/fixture.h"

#include <unistd.h>

#include "api/allot_sheet.h"
#include "people/allot.h"

static char users[8][24];

static int64_t count(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static const char *word(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

static void agents(struct client *c, int n)
{
	for (int i = 0; i < n; i++) {
		char *body = xasprintf("{\"login\":\"a%d\",\"name\":\"坐席%d\",\"role\":\"agent\",\"password\":\"pferd lampe 12\"}", i, i);

		(void)str_copy(users[i], sizeof(users[i]), word(ask_for(c, "POST", "/users", body, "201"), "id"));
		free(body);
	}
}

static void customers(struct fix *f, int n)
{
	for (int i = 0; i < n; i++) {
		char *sql = xasprintf("INSERT INTO customers (id, centre_id, rev, created_ms, updated_ms, name, contact_n, state) VALUES (%d, %lld, 1, 1, 1, '客户%d', 0, 'active')",
				      1000 + i, (long long)f->centre_id, i);

		fix_run(f, sql);
		free(sql);
	}
}

static char *asked(int n, int people, const char *more)
{
	struct strb b;

	strb_init(&b, 4096);
	strb_printf(&b, "{\"filters\":{\"state\":\"active\"},\"count\":%d,\"method\":\"equal\",\"to\":[", n);
	for (int i = 0; i < people; i++)
		strb_printf(&b, "%s{\"user_id\":\"%s\"}", i ? "," : "", users[i]);
	strb_printf(&b, "]%s}", more);
	return strb_take(&b);
}

static char at[64];

static const json_t *settled(struct client *c)
{
	for (int i = 0; i < 4000; i++) {
		const json_t *j = ask_for(c, "GET", at, NULL, "200");

		if (strcmp(word(j, "state"), "running") != 0 && strcmp(word(j, "state"), "undoing") != 0)
			return j;
		(void)usleep(5000);
	}
	fail_msg("it does not end");
	return NULL;
}

/* Preview and all of it. */
static const json_t *allot(struct client *c, int n, int people, const char *more)
{
	char *body = asked(n, people, more), *full, *both;

	full = xasprintf("%s,\"seed\":\"%s\"", more, word(ask_for(c, "POST", "/allocations/preview", body, "200"), "seed"));
	both = asked(n, people, full);
	(void)snprintf(at, sizeof(at), "/allocations/%s", word(ask_for(c, "POST", "/allocations", both, "202"), "id"));
	free(body);
	free(full);
	free(both);
	return settled(c);
}

static int64_t owned_by(struct fix *f, int i)
{
	char *sql = xasprintf("SELECT COUNT(*) FROM customers WHERE owner_id = %s", users[i]);
	int64_t n = fix_get(f, sql);

	free(sql);
	return n;
}

static const char *below(const char *what)
{
	static char path[100];

	(void)snprintf(path, sizeof(path), "%s%s", at, what);
	return path;
}

TEST(three_get_101_100_and_100_and_it_can_be_drawn_again_and_put_back)
{
	struct fix f;
	struct client c;
	const json_t *j;
	int64_t sum = 0;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	agents(&c, 3);
	customers(&f, 301);
	j = allot(&c, 301, 3, "");
	assert_string_equal(word(j, "state"), "done");
	assert_int_equal(count(j, "changed"), 301);
	for (int i = 0; i < 3; i++) {
		assert_in_range(owned_by(&f, i), 100, 101);
		sum += owned_by(&f, i);
	}
	assert_int_equal(sum, 301);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'customers' AND action = 'update'"), 301);
	j = ask_for(&c, "GET", below("/verify"), NULL, "200");
	assert_true(json_is_true(json_object_get(j, "equal")));
	assert_int_equal(count(j, "customers"), 301);
	/* One is touched: she stays where she is. */
	fix_run(&f, "UPDATE customers SET last_ms = 9000000000000 WHERE id = 1007");
	(void)ask_for(&c, "POST", below("/undo"), "{}", "202");
	j = settled(&c);
	assert_string_equal(word(j, "state"), "part_undone");
	assert_int_equal(count(j, "undone"), 300);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE owner_id IS NULL AND owned_ms IS NULL"), 300);
	j = json_array_get(json_object_get(ask_for(&c, "GET", below("/rows"), NULL, "200"), "items"), 0);
	assert_string_equal(word(j, "id"), "1007");
	assert_string_equal(word(j, "why"), "changed");
	(void)ask_for(&c, "POST", below("/undo"), "{}", "409 wrong_state");
	fix_stop(&f);
}

TEST(a_sheet_that_somebody_changed_names_the_customer)
{
	struct allot_verdict v;
	struct client c;
	struct fix f;
	char *text, *p, path[100];
	FILE *out;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	agents(&c, 2);
	customers(&f, 9);
	(void)allot(&c, 9, 2, "");
	text = xstrdup(ask(&c, "GET", below("/sheet.csv?lang=zh"), "", NULL)->body);
	(void)snprintf(path, sizeof(path), "%s/certificate.csv", f.dir);
	for (int round = 0; round < 3; round++) {
		out = fopen(path, "w");
		(void)fputs(text, out);
		(void)fclose(out);
		assert_int_equal(allot_sheet_verify(&v, path, "en"), round == 2);
		assert_int_equal(v.equal, round == 0);
		if (round == 1)
			assert_non_null(strstr(v.first, "drawn again"));
		if (round == 2)
			break;
		p = strstr(text, "种子"); /* another seed, then none */
		assert_non_null(p);
		p += strlen("种子,") + (p[strlen("种子,")] == '"');
		if (round == 0)
			*p = *p == '0' ? '1' : '0';
		else
			memcpy(strstr(text, "种子"), "种瓜", strlen("种瓜"));
	}
	free(text);
	fix_stop(&f);
}

TEST(hands_caps_and_who_is_away_are_respected)
{
	struct fix f;
	struct client c;
	const json_t *j;
	char *body, *more;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	agents(&c, 3);
	customers(&f, 10);
	more = xasprintf("/users/%s", users[2]);
	(void)ask(&c, "PATCH", more, "If-Match: *\r\n", "{\"active\":false}");
	free(more);
	more = xasprintf("UPDATE users SET active = 0 WHERE id = %s", users[2]);
	fix_run(&f, more);
	free(more);
	body = asked(10, 3, "");
	j = json_object_get(ask_for(&c, "POST", "/allocations/preview", body, "200"), "people");
	assert_int_equal(count(json_array_get(j, 0), "n"), 5);
	assert_int_equal(count(json_array_get(j, 2), "n"), 0);
	assert_string_equal(word(json_array_get(j, 2), "why"), "absent");
	free(body);
	/* No more than four are anybody's: two stay in the pool. */
	fix_run(&f, "UPDATE pool_settings SET own_max = 4");
	body = asked(10, 2, "");
	j = ask_for(&c, "POST", "/allocations/preview", body, "200");
	assert_int_equal(count(j, "left"), 2);
	free(body);
	fix_run(&f, "UPDATE pool_settings SET own_max = 0");
	/* Numbers by hand. */
	more = xasprintf("{\"ids\":[\"1000\",\"1001\",\"1002\",\"1003\"],\"count\":4,\"method\":\"equal\",\"to\":[{\"user_id\":\"%s\",\"n\":3},{\"user_id\":\"%s\",\"n\":1}]}", users[0],
			 users[1]);
	j = json_object_get(ask_for(&c, "POST", "/allocations/preview", more, "200"), "people");
	assert_int_equal(count(json_array_get(j, 0), "n"), 3);
	assert_int_equal(count(json_array_get(j, 1), "n"), 1);
	free(more);
	/* One customer by hand. */
	more = xasprintf(",\"keep\":[{\"customer_id\":\"1003\",\"user_id\":\"%s\"},{\"customer_id\":\"1004\",\"user_id\":\"%s\"}]", users[1], users[1]);
	(void)allot(&c, 10, 2, more);
	free(more);
	more = xasprintf("SELECT COUNT(*) FROM customers WHERE id IN (1003, 1004) AND owner_id = %s", users[1]);
	assert_int_equal(fix_get(&f, more), 2);
	free(more);
	assert_true(json_is_true(json_object_get(ask_for(&c, "GET", below("/verify"), NULL, "200"), "equal")));
	/* They have owners now; taking them away is said. */
	body = asked(10, 2, "");
	j = ask_for(&c, "POST", "/allocations/preview", body, "200");
	assert_int_equal(count(j, "count"), 0);
	assert_int_equal(count(j, "owned"), 10);
	free(body);
	assert_int_equal(count(allot(&c, 10, 1, ",\"owned\":true"), "count"), 10);
	assert_int_equal(owned_by(&f, 0), 10);
	fix_stop(&f);
}

TEST(what_cannot_be_allotted_is_refused)
{
	static const struct {
		const char *more, *status;
	} cases[] = {
		{"\"count\":4,\"filters\":{\"state\":\"active\"},\"method\":\"equal\",\"to\":[{\"user_id\":\"U\"}]", "409 count_changed"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"other\",\"to\":[{\"user_id\":\"U\"}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"equal\",\"to\":[]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"equal\",\"to\":[{\"user_id\":\"77\"}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"equal\",\"to\":[{}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"weighted\",\"to\":[{\"user_id\":\"U\",\"weight\":0}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"weighted\",\"to\":[{\"user_id\":\"U\",\"weight\":1001}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"equal\",\"to\":[{\"user_id\":\"U\",\"cap\":-1}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"equal\",\"to\":[{\"user_id\":\"U\",\"n\":6}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"equal\",\"to\":[{\"user_id\":\"U\"}],\"keep\":[{\"customer_id\":\"9\",\"user_id\":\"U\"}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"state\":\"active\"},\"method\":\"equal\",\"to\":[{\"user_id\":\"U\",\"cap\":1}],\"keep\":[{\"customer_id\":\"1000\",\"user_id\":\"U\"},{\"customer_id\":\"1001\",\"user_id\":\"U\"}]", "422 invalid"},
		{"\"count\":5,\"filters\":{\"nothing\":\"1\"},\"method\":\"equal\",\"to\":[{\"user_id\":\"U\"}]", "400 invalid"},
	};
	struct fix f;
	struct client c, agent;
	char *body;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	agents(&c, 1);
	customers(&f, 5);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strb b;

		strb_init(&b, 4096);
		strb_puts(&b, "{");
		for (const char *p = cases[i].more; *p; p++)
			strb_printf(&b, "%.*s", *p == 'U' ? 0 : 1, p), strb_puts(&b, *p == 'U' ? users[0] : "");
		strb_puts(&b, "}");
		(void)ask_for(&c, "POST", "/allocations/preview", b.buf, cases[i].status);
		strb_done(&b);
	}
	body = asked(5, 1, ",\"seed\":\"00\"");
	(void)ask_for(&c, "POST", "/allocations", body, "409 count_changed");
	agent = fix_login(&f, "agent", NULL);
	(void)ask_for(&agent, "POST", "/allocations/preview", body, "403 forbidden");
	free(body);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM allocations"), 0);
	fix_stop(&f);
}

TEST(a_lead_gives_from_the_pool_to_his_team_alone)
{
	struct fix f;
	struct client c, lead;
	const json_t *j;
	char *body, *sql;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	agents(&c, 2);
	(void)ask_for(&c, "POST", "/users", "{\"login\":\"boss_a\",\"name\":\"组长\",\"role\":\"lead\",\"password\":\"pferd lampe 12\"}", "201");
	(void)ask_for(&c, "POST", "/teams", "{\"name\":\"早班\"}", "201");
	customers(&f, 4);
	sql = xasprintf("UPDATE users SET team_id = (SELECT v.team_id FROM users v WHERE v.login = 'boss_a') WHERE id = %s", users[0]);
	fix_run(&f, "UPDATE users SET must_change_password = 0, team_id = (SELECT MIN(id) FROM teams) WHERE login = 'boss_a'");
	fix_run(&f, "UPDATE teams SET lead_id = NULL");
	fix_run(&f, sql);
	free(sql);
	/* One belongs to somebody else. */
	sql = xasprintf("UPDATE customers SET owner_id = %s WHERE id = 1003", users[1]);
	fix_run(&f, sql);
	free(sql);
	lead = fix_login(&f, "boss_a", "pferd lampe 12");
	body = xasprintf("{\"ids\":[\"1000\",\"1001\",\"1003\"],\"count\":3,\"method\":\"equal\",\"owned\":true,\"to\":[{\"user_id\":\"%s\"}]}", users[0]);
	j = ask_for(&lead, "POST", "/allocations/preview", body, "200");
	assert_int_equal(count(j, "count"), 2);
	assert_int_equal(count(j, "beyond"), 1);
	free(body);
	body = xasprintf("{\"ids\":[\"1000\"],\"count\":1,\"method\":\"equal\",\"to\":[{\"user_id\":\"%s\"}]}", users[1]);
	(void)ask_for(&lead, "POST", "/allocations/preview", body, "422 invalid");
	free(body);
	fix_stop(&f);
}

TEST(rules_take_back_by_days_results_and_leavers)
{
	struct fix f;
	struct client c;
	const json_t *j;
	char *sql, *path, *body;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	agents(&c, 3);
	customers(&f, 6);
	sql = xasprintf("UPDATE customers SET owner_id = %s, owned_ms = 1000, last_ms = 2000 WHERE id < 1004", users[0]);
	fix_run(&f, sql);
	free(sql);
	sql = xasprintf("UPDATE customers SET owner_id = %s, owned_ms = 9000000000000 WHERE id = 1004", users[1]);
	fix_run(&f, sql);
	free(sql);
	(void)ask_for(&c, "POST", "/recycle_rules", "{\"name\":\"空\"}", "422 invalid");
	path = xasprintf("/recycle_rules/%s", word(ask_for(&c, "POST", "/recycle_rules", "{\"name\":\"一月没联系\",\"idle_days\":30}", "201"), "id"));
	body = xasprintf("%s/preview", path);
	assert_int_equal(count(ask_for(&c, "GET", body, NULL, "200"), "count"), 4);
	free(body);
	body = xasprintf("%s/run", path);
	(void)ask_for(&c, "POST", body, "{\"count\":3}", "409 count_changed");
	(void)snprintf(at, sizeof(at), "/allocations/%s", word(ask_for(&c, "POST", body, "{\"count\":4}", "202"), "id"));
	j = settled(&c);
	assert_string_equal(word(j, "kind"), "recycle");
	assert_int_equal(count(j, "changed"), 4);
	assert_int_equal(owned_by(&f, 0), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_claims WHERE what = 'returned'"), 4);
	assert_string_equal(word(ask_for(&c, "GET", below("/verify"), NULL, "200"), "first"), "");
	(void)ask_for(&c, "POST", below("/undo"), "{}", "202");
	assert_string_equal(word(settled(&c), "state"), "undone");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE owned_ms = 1000"), 4);
	free(body);
	free(path);
	/* Refused three times since she is his; and whose owner has left. */
	sql = xasprintf("SELECT id FROM contact_results WHERE code = 'refused'");
	for (int i = 0; i < 4; i++) {
		char *note = xasprintf("INSERT INTO notes (id, centre_id, rev, created_ms, updated_ms, customer_id, user_id, at_ms, result_id, done)"
				       " VALUES (%d, %lld, 1, 1, 1, %d, %s, %d, %lld, 0)", 500 + i, (long long)f.centre_id, i < 3 ? 1001 : 1002, users[0], 3000 + i,
				       (long long)fix_get(&f, sql));

		fix_run(&f, note);
		free(note);
	}
	body = xasprintf("{\"name\":\"拒绝三次\",\"result_id\":\"%lld\",\"result_n\":3}", (long long)fix_get(&f, sql));
	path = xasprintf("/recycle_rules/%s/preview", word(ask_for(&c, "POST", "/recycle_rules", body, "201"), "id"));
	j = ask_for(&c, "GET", path, NULL, "200");
	assert_int_equal(count(j, "count"), 1);
	assert_string_equal(word(json_array_get(json_object_get(j, "items"), 0), "id"), "1001");
	free(path);
	free(body);
	free(sql);
	sql = xasprintf("UPDATE users SET active = 0 WHERE id = %s", users[0]);
	fix_run(&f, sql);
	free(sql);
	path = xasprintf("/recycle_rules/%s/preview", word(ask_for(&c, "POST", "/recycle_rules", "{\"name\":\"离职\",\"owner_left\":true,\"nightly\":true}", "201"), "id"));
	assert_int_equal(count(ask_for(&c, "GET", path, NULL, "200"), "count"), 4);
	free(path);
	/* That one runs at night, once; as the program itself. */
	{
		int64_t rule = 0;
		struct db *db;

		assert_int_equal(db_open(&db, f.url, DB_RO), 0);
		assert_int_equal(people_recycle_due(&rule, db, f.centre_id, 5), 0);
		assert_int_equal(rule, fix_get(&f, "SELECT id FROM recycle_rules WHERE nightly = 1"));
		fix_run(&f, "UPDATE recycle_rules SET last_ms = 6");
		assert_int_equal(people_recycle_due(&rule, db, f.centre_id, 5), -ENOENT);
		db_close(db);
	}
	fix_stop(&f);
}
