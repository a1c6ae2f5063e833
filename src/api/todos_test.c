/* The list of to-dos: what is in whose list, from when, and what becomes of it. */
#include "api/fixture.h"

#define MIN 60000LL
#define HOUR (60 * MIN)

static int64_t agent_id, mate_id, team_id, mine, his;

/* The agent and a mate of one team, that "supervisor" leads; a customer of each. */
static void people(struct fix *f)
{
	agent_id = fix_get(f, "SELECT id FROM users WHERE login = 'agent'");
	mate_id = fix_get(f, "SELECT id FROM users WHERE role = 'agent' AND login <> 'agent' ORDER BY id");
	fix_run(f, "INSERT INTO teams (id, centre_id, rev, created_ms, updated_ms, name, lead_id) SELECT 900, id, 1, 1, 1, 'floor two',"
		   " (SELECT u.id FROM users u WHERE u.role = 'supervisor' ORDER BY u.id LIMIT 1) FROM centre");
	team_id = 900;
	fix_run(f, "UPDATE users SET team_id = 900 WHERE role = 'agent'");
	fix_run(f, "INSERT INTO customers (id, centre_id, rev, created_ms, updated_ms, name, phone, state, owner_id, contact_n, city)"
		   " SELECT 901, c.id, 1, 1, 1, '王一', '+8613800139001', 'active', u.id, 0, '杭州' FROM centre c, users u WHERE u.login = 'agent'");
	fix_run(f, "INSERT INTO customers (id, centre_id, rev, created_ms, updated_ms, name, phone, state, owner_id, contact_n)"
		   " SELECT 902, c.id, 1, 1, 1, '李二', '+8613800139002', 'active', MIN(u.id), 0 FROM centre c, users u WHERE u.role = 'agent' AND u.login <> 'agent' GROUP BY c.id");
	fix_run(f, "INSERT INTO customer_phones (id, centre_id, rev, created_ms, updated_ms, customer_id, number, label, state, sort)"
		   " SELECT 903, id, 1, 1, 1, 901, '+8613800139001', 'self', 'ok', 1 FROM centre");
	mine = 901;
	his = 902;
}

static struct client log_in_mate(struct fix *f)
{
	char hash[PEOPLE_HASH_MAX], *sql;

	assert_int_equal(people_password_hash(hash, "correct horse 7"), 0);
	sql = xasprintf("UPDATE users SET login = 'mate', password = '%s', password_ms = 1, must_change_password = 0 WHERE id = %lld", hash, (long long)mate_id);
	fix_run(f, sql);
	free(sql);
	return fix_login(f, "mate", "correct horse 7");
}

/* The item of @kind about the customer (0: nobody known); NULL: it is not in his list. */
static const json_t *item(struct client *c, const char *kind, int64_t customer)
{
	const json_t *items = json_object_get(ask_for(c, "GET", "/todos", NULL, "200"), "items");
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)customer);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *x = json_array_get(items, i);
		const char *whose = json_string_value(json_object_get(x, "customer_id"));

		if (!strcmp(json_string_value(json_object_get(x, "kind")), kind) && (customer ? whose && !strcmp(whose, id) : !whose))
			return x;
	}
	return NULL;
}

static const char *word(const json_t *x, const char *key)
{
	const char *s = json_string_value(json_object_get(x, key));

	return s ? s : "";
}

static const char *created(struct client *c, const char *resource, const char *fmt, int64_t a, int64_t b)
{
	static char id[24];
	char *path = xasprintf("/%s", resource), *body = xasprintf(fmt, (long long)a, (long long)b);

	(void)str_copy(id, sizeof(id), word(ask_for(c, "POST", path, body, "201"), "id"));
	free(path);
	free(body);
	return id;
}

static void patch(struct client *c, const char *resource, const json_t *x, const char *body)
{
	char *path = xasprintf("/%s/%s", resource, word(x, "id"));
	char *rev = xasprintf("If-Match: %lld\r\n", (long long)json_integer_value(json_object_get(x, "rev")));

	assert_int_equal(ask(c, "PATCH", path, rev, body)->status, 200);
	free(path);
	free(rev);
}

TEST(a_call_back_is_its_agents_then_his_teams_and_whoever_takes_it_sees_the_customer)
{
	struct fix f;
	struct client agent, mate, lead;
	int64_t now = clock_utc_ms();
	char path[80], id[24], *body;
	const json_t *x;

	fix_start(&f, true);
	people(&f);
	agent = fix_login(&f, "agent", NULL);
	lead = fix_login(&f, "supervisor", NULL);
	(void)str_copy(id, sizeof(id), created(&agent, "callbacks", "{\"customer_id\":\"%lld\",\"due_ms\":%lld,\"reason\":\"报价\"}", mine, now - 5 * MIN));
	x = item(&agent, "callback", mine);
	assert_text(x, "why", "own");
	assert_text(x, "customer", "王一");
	assert_text(x, "city", "杭州");
	assert_text(x, "phone", "+8613800139001");
	/* Late by five minutes, of fifteen: the team waits. */
	mate = log_in_mate(&f);
	assert_null(item(&mate, "callback", mine));
	(void)snprintf(path, sizeof(path), "/callbacks/%s/take", id);
	(void)ask_for(&mate, "POST", path, "{}", "409 owned");
	fix_run(&f, "UPDATE callbacks SET due_ms = due_ms - 900000, updated_ms = updated_ms - 900000");
	assert_text(item(&mate, "callback", mine), "why", "team");
	(void)snprintf(path, sizeof(path), "/customers/%lld", (long long)mine);
	(void)ask_for(&mate, "GET", path, NULL, "404 not_found");
	(void)snprintf(path, sizeof(path), "/callbacks/%s/take", id);
	(void)ask_for(&mate, "POST", path, "{}", "200");
	assert_text(item(&mate, "callback", mine), "why", "own");
	assert_null(item(&agent, "callback", mine));
	(void)snprintf(path, sizeof(path), "/customers/%lld", (long long)mine);
	(void)ask_for(&mate, "GET", path, NULL, "200");
	/* Handed back, with a word; to nobody outside the team, and by nobody else. */
	(void)snprintf(path, sizeof(path), "/callbacks/%s/hand", id);
	body = xasprintf("{\"user_id\":\"%lld\",\"reason\":\"客户找你\"}", (long long)agent_id);
	(void)ask_for(&mate, "POST", path, body, "200");
	(void)ask_for(&mate, "POST", path, body, "403 forbidden");
	free(body);
	x = item(&agent, "hand", mine);
	assert_text(x, "text", "客户找你");
	assert_true(*word(x, "from"));
	body = xasprintf("{\"user_id\":\"%lld\"}", (long long)fix_get(&f, "SELECT id FROM users WHERE login = 'admin'"));
	(void)ask_for(&agent, "POST", path, body, "422 invalid");
	free(body);
	/* The lead takes it at any time; done is done. */
	(void)snprintf(path, sizeof(path), "/callbacks/%s/take", id);
	(void)ask_for(&lead, "POST", path, "{}", "200");
	patch(&lead, "callbacks", item(&lead, "callback", mine) ? item(&lead, "callback", mine) : item(&lead, "hand", mine), "{\"state\":\"done\"}");
	(void)ask_for(&lead, "POST", path, "{}", "409 decided");
	fix_stop(&f);
}

TEST(when_its_agent_is_away_the_rule_says_who_has_it)
{
	struct fix f;
	struct client agent, mate, lead;
	int64_t now = clock_utc_ms();

	fix_start(&f, true);
	people(&f);
	agent = fix_login(&f, "agent", NULL);
	lead = fix_login(&f, "supervisor", NULL);
	(void)created(&agent, "callbacks", "{\"customer_id\":\"%lld\",\"due_ms\":%lld}", mine, now - MIN);
	mate = log_in_mate(&f);
	assert_null(item(&mate, "callback", mine));
	fix_run(&f, "INSERT INTO absences (id, centre_id, rev, created_ms, updated_ms, user_id, from_day, to_day, kind)"
		    " SELECT 910, centre_id, 1, 1, 1, id, '2000-01-01', '2999-12-31', 'leave' FROM users WHERE login = 'agent'");
	assert_text(item(&mate, "callback", mine), "why", "away");
	fix_run(&f, "UPDATE todo_settings SET off_rule = 'lead'");
	assert_null(item(&mate, "callback", mine));
	assert_text(item(&lead, "callback", mine), "why", "ask");
	fix_run(&f, "UPDATE todo_settings SET off_rule = 'wait'");
	assert_null(item(&lead, "callback", mine));
	assert_text(item(&agent, "callback", mine), "why", "own");
	/* The customer goes to the pool: it is the team's, whoever is away. */
	fix_run(&f, "UPDATE callbacks SET user_id = NULL");
	assert_text(item(&mate, "callback", mine), "why", "open");
	fix_stop(&f);
}

/* A call in that nobody took. */
static void missed_call(struct fix *f, int64_t id, int64_t customer, const char *number, int64_t ago_ms, bool rang)
{
	int64_t at = clock_utc_ms() - ago_ms;
	char *sql = xasprintf("INSERT INTO call (id, centre_id, dir, start_ms, end_ms, customer_id) SELECT %lld, id, 'in', %lld, %lld, %s FROM centre", (long long)id,
			      (long long)at, (long long)at + 9000, customer == 901 ? "901" : customer == 902 ? "902" : "NULL");

	fix_run(f, sql);
	free(sql);
	sql = xasprintf("INSERT INTO call_pii (call_id, centre_id, from_number, to_number) SELECT %lld, id, '%s', '4001' FROM centre", (long long)id, number);
	fix_run(f, sql);
	free(sql);
	if (!rang)
		return;
	sql = xasprintf("INSERT INTO offer (id, centre_id, core_id, call_id, agent_id, start_ms, end_ms, outcome) SELECT %lld, centre_id, %lld, %lld, id, %lld, %lld, 'timeout'"
			" FROM users WHERE login = 'agent'", (long long)id, (long long)id, (long long)id, (long long)at + 1000, (long long)at + 9000);
	fix_run(f, sql);
	free(sql);
}

TEST(a_missed_call_stays_until_somebody_has_spoken_with_him_or_says_what_becomes_of_it)
{
	struct fix f;
	struct client agent;
	const json_t *x;
	char path[80], *body;

	fix_start(&f, true);
	people(&f);
	agent = fix_login(&f, "agent", NULL);
	missed_call(&f, 920, mine, "+8613800139001", 30 * MIN, false); /* rang nobody: his customer all the same */
	missed_call(&f, 921, mine, "+8613800139001", 20 * MIN, false);
	missed_call(&f, 922, 0, "+8613800139099", 10 * MIN, true);     /* nobody known rang him */
	missed_call(&f, 923, his, "+8613800139002", 10 * MIN, true);   /* that is his owner's */
	x = item(&agent, "missed", mine);
	assert_text(x, "id", "921");
	assert_int_equal(json_integer_value(json_object_get(x, "count")), 2);
	assert_text(item(&agent, "missed", 0), "phone", "+8613800139099");
	assert_null(item(&agent, "missed", his));
	/* He is called and does not answer: it stays. He answers: it goes. */
	fix_run(&f, "INSERT INTO call (id, centre_id, dir, start_ms, end_ms, customer_id) SELECT 930, id, 'out', (SELECT start_ms + 60000 FROM call WHERE id = 921), 1, 901 FROM centre");
	assert_non_null(item(&agent, "missed", mine));
	fix_run(&f, "UPDATE call SET answer_ms = start_ms + 1 WHERE id = 930");
	assert_null(item(&agent, "missed", mine));
	/* Later, please: a call-back with his number; then there is nothing more to say of the call. */
	body = xasprintf("{\"due_ms\":%lld}", (long long)(clock_utc_ms() + HOUR));
	(void)ask_for(&agent, "POST", "/calls/922/callback", body, "200");
	assert_null(item(&agent, "missed", 0));
	assert_text(item(&agent, "callback", 0), "phone", "+8613800139099");
	(void)ask_for(&agent, "POST", "/calls/922/callback", body, "409 decided");
	free(body);
	(void)snprintf(path, sizeof(path), "/calls/%d/callback", 920);
	(void)ask_for(&agent, "POST", "/calls/77777/callback", "{}", "404 not_found");
	(void)ask_for(&agent, "POST", path, "{\"due_ms\":\"soon\"}", "422 invalid");
	(void)ask_for(&agent, "POST", path, "{}", "200");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM callbacks WHERE call_id = 920 AND state = 'done'"), 1);
	fix_stop(&f);
}

TEST(visits_are_confirmed_received_and_asked_again_and_cancelled_deals_followed_up)
{
	struct fix f;
	struct client agent, lead;
	int64_t now = clock_utc_ms();
	const json_t *x;

	fix_start(&f, true);
	people(&f);
	agent = fix_login(&f, "agent", NULL);
	lead = fix_login(&f, "supervisor", NULL);
	(void)created(&agent, "visits", "{\"customer_id\":\"%lld\",\"at_ms\":%lld,\"place\":\"一号厅\"}", mine, now + 2 * HOUR);
	x = item(&agent, "visit", mine); /* made today for today: there is nothing to confirm */
	assert_text(x, "place", "一号厅");
	assert_text(item(&lead, "visit", mine), "why", "lead");
	fix_run(&f, "UPDATE visits SET created_ms = created_ms - 200000000"); /* made the day before yesterday */
	x = item(&agent, "confirm", mine);
	assert_true(json_integer_value(json_object_get(x, "due_ms")) == now + 2 * HOUR - 24 * HOUR);
	assert_null(item(&lead, "confirm", mine));
	patch(&agent, "visits", item(&agent, "confirm", mine), "{\"state\":\"confirmed\"}");
	x = item(&agent, "visit", mine);
	assert_true(json_integer_value(json_object_get(x, "due_ms")) == now + 2 * HOUR);
	patch(&agent, "visits", x, "{\"state\":\"arrived\"}");
	assert_null(item(&agent, "visit", mine));
	x = item(&agent, "second", mine);
	assert_true(json_integer_value(json_object_get(x, "due_ms")) > now);
	patch(&agent, "visits", x, "{\"again\":\"dropped\"}");
	assert_null(item(&agent, "second", mine));
	(void)created(&agent, "deals", "{\"customer_id\":\"%lld\",\"product\":\"年卡\",\"amount\":%lld,\"state\":\"cancelled\"}", mine, 100);
	x = item(&agent, "follow", mine);
	assert_text(x, "place", "年卡");
	patch(&agent, "deals", x, "{\"follow\":\"done\"}");
	assert_null(item(&agent, "follow", mine));
	fix_stop(&f);
}
