/* The funnel's figures, counted by hand. */
#include "api/fixture.h"

static int64_t agent_id, mate_id;

static void people(struct fix *f)
{
	agent_id = fix_get(f, "SELECT id FROM users WHERE login = 'agent'");
	mate_id = fix_get(f, "SELECT id FROM users WHERE role = 'agent' AND login <> 'agent' ORDER BY id");
	fix_run(f, "INSERT INTO customers (id, centre_id, rev, created_ms, updated_ms, name, state, owner_id, contact_n)"
		   " SELECT 901, c.id, 1, 1, 1, 'A', 'active', u.id, 0 FROM centre c, users u WHERE u.login = 'agent'");
}

/* @answered: by the agent; else only his telephone rang. */
static void call(struct fix *f, int64_t id, int64_t agent, bool answered, int64_t at_ms)
{
	char *sql = answered ? xasprintf("INSERT INTO call (id, centre_id, dir, start_ms, answer_ms, end_ms, first_agent_id, agent_id)"
					 " SELECT %lld, id, 'out', %lld, %lld, %lld, %lld, %lld FROM centre",
					 (long long)id, (long long)at_ms, (long long)at_ms + 5000, (long long)at_ms + 9000, (long long)agent, (long long)agent)
			     : xasprintf("INSERT INTO call (id, centre_id, dir, start_ms, end_ms) SELECT %lld, id, 'out', %lld, %lld FROM centre", (long long)id,
					 (long long)at_ms, (long long)at_ms + 9000);

	fix_run(f, sql);
	free(sql);
	sql = xasprintf("INSERT INTO segment (id, centre_id, call_id, type, start_ms, agent_id) SELECT %lld, id, %lld, 'ring', %lld, %lld FROM centre",
			(long long)id, (long long)id, (long long)at_ms, (long long)agent);
	fix_run(f, sql);
	free(sql);
}

static const json_t *person(const json_t *figures, int64_t id)
{
	const json_t *list = json_object_get(figures, "people");
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_string_value(json_object_get(json_array_get(list, i), "id")), text))
			return json_array_get(list, i);
	return NULL;
}

#define assert_count(o, key, want) assert_int_equal(json_integer_value(json_object_get(o, key)), want)

TEST(figures_count_calls_wechat_invitations_visits_and_deals_of_the_centres_days)
{
	struct fix f;
	struct client agent, lead;
	const json_t *o;
	char day[11], path[80], *sql;
	int64_t now;

	fix_start(&f, true);
	people(&f);
	/* 2024-03-05 00:00 in Shanghai: `TZ=Asia/Shanghai date -d 2024-03-05 +%s` */
	call(&f, 910, agent_id, true, 1709568000000);
	call(&f, 911, agent_id, false, 1709568000000 + 3600000);
	call(&f, 912, agent_id, true, 1709568000000 - 1);         /* the 4th */
	call(&f, 913, mate_id, true, 1709568000000 + 86399999);   /* its last moment */
	call(&f, 914, agent_id, true, 1709568000000 + 86400000);  /* the 6th */
	fix_run(&f, "UPDATE call SET dir = 'in' WHERE id = 914");
	sql = xasprintf("INSERT INTO rollup_agent_day (centre_id, day, agent_id, team_id, queue_id, talk_ms) SELECT id, 20240305, %lld, 0, 0, 605000 FROM centre", (long long)agent_id);
	fix_run(&f, sql);
	free(sql);
	fix_run(&f, "UPDATE customers SET wechat_by = owner_id, wechat_ms = 1709568000000 + 1000 WHERE id = 901");
	fix_run(&f, "INSERT INTO visits (id, centre_id, rev, created_ms, updated_ms, customer_id, at_ms, user_id, state, away, arrived_ms)"
		    " SELECT 920, centre_id, 1, 1709568000000 + 5, 1, 901, 1709568000000 + 90000000, owner_id, 'arrived', 0, 1709568000000 + 90000000 FROM customers WHERE id = 901");
	fix_run(&f, "INSERT INTO deals (id, centre_id, rev, created_ms, updated_ms, customer_id, product, amount, day, user_id, state)"
		    " SELECT 930, centre_id, 1, 1, 1, 901, 'P', 1250050, '2024-03-06', owner_id, 'signed' FROM customers WHERE id = 901");
	fix_run(&f, "INSERT INTO deals (id, centre_id, rev, created_ms, updated_ms, customer_id, product, amount, day, user_id, state)"
		    " SELECT 931, centre_id, 1, 1, 1, 901, 'P', 100, '2024-03-06', owner_id, 'cancelled' FROM customers WHERE id = 901");
	lead = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	for (int twice = 0; twice < 2; twice++) { /* the second time from what is kept */
		o = person(ask_for(&lead, "GET", "/sales/figures?from=2024-03-05&to=2024-03-05", NULL, "200"), agent_id);
		assert_count(o, "calls", 2);
		assert_count(o, "connected", 1);
		assert_count(o, "talk_min", 10);
		assert_count(o, "wechat", 1);
		assert_count(o, "invited", 1);
		assert_count(o, "visits", 0);
		assert_count(o, "deals", 0);
	}
	o = ask_for(&lead, "GET", "/sales/figures?from=2024-03-01&to=2024-03-31", NULL, "200");
	assert_count(o, "workdays", 21); /* March 2024 begins on a Friday: 5 Saturdays and 5 Sundays of 31 days */
	assert_count(o, "workdays_left", 0);
	assert_count(person(o, agent_id), "calls", 3);
	assert_count(person(o, agent_id), "visits", 1);
	assert_count(person(o, agent_id), "deals", 1);
	assert_count(person(o, agent_id), "amount", 1250050);
	assert_count(person(o, mate_id), "calls", 1);
	/* An agent sees himself alone. */
	o = ask_for(&agent, "GET", "/sales/figures?from=2024-03-05&to=2024-03-05", NULL, "200");
	assert_int_equal(json_array_size(json_object_get(o, "people")), 1);
	assert_count(person(o, agent_id), "calls", 2);
	(void)ask_for(&lead, "GET", "/sales/figures?from=2024-03-05&to=2024-02-30", NULL, "422 invalid");
	(void)ask_for(&lead, "GET", "/sales/figures?from=2024-03-05&to=2024-03-04", NULL, "422 invalid");
	(void)ask_for(&lead, "GET", "/sales/figures?from=2024-01-01&to=2024-12-31", NULL, "422 invalid");
	/* Today against goal: nothing was done before it this month, so its share is the goal over the working days that are left. */
	now = clock_utc_ms();
	call(&f, 950, agent_id, true, now);
	call(&f, 951, agent_id, false, now);
	o = ask_for(&agent, "GET", "/sales/mine", NULL, "200");
	assert_true(json_is_null(json_object_get(o, "goal_month")));
	(void)str_copy(day, sizeof(day), json_string_value(json_object_get(o, "day")));
	sql = xasprintf("INSERT INTO goals (id, centre_id, rev, created_ms, updated_ms, month, user_id, calls) SELECT 940, id, 1, 1, 1, '%.7s', %lld, 1000 FROM centre", day,
			(long long)agent_id);
	fix_run(&f, sql);
	free(sql);
	o = ask_for(&agent, "GET", "/sales/mine", NULL, "200");
	assert_count(json_object_get(o, "today"), "calls", 2);
	assert_count(json_object_get(o, "month"), "connected", 1);
	assert_count(json_object_get(o, "goal_month"), "calls", 1000);
	assert_true(json_is_null(json_object_get(json_object_get(o, "goal_today"), "deals")));
	assert_count(json_object_get(o, "goal_today"), "calls",
		     (1000 + json_integer_value(json_object_get(o, "workdays_left")) - 1) / json_integer_value(json_object_get(o, "workdays_left")));
	(void)snprintf(path, sizeof(path), "/sales/figures?from=%s", day);
	assert_count(person(ask_for(&lead, "GET", path, NULL, "200"), agent_id), "calls", 2);
	fix_stop(&f);
}
