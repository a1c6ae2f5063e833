/* Drafts, talks without a note, and the screen pop. */
#include "api/fixture.h"

#include <unistd.h>

static int64_t agent_id, queue_id, other_id;

static void ids(struct fix *f)
{
	agent_id = fix_get(f, "SELECT id FROM users WHERE login = 'agent'");
	queue_id = fix_get(f, "SELECT queue_id FROM members WHERE user_id = (SELECT id FROM users WHERE login = 'agent') ORDER BY queue_id");
	other_id = fix_get(f, "SELECT id FROM users WHERE role = 'agent' AND login <> 'agent' ORDER BY id");
}

/* A call in from @number that @agent talked in, ended just now. */
static void past_call(struct fix *f, int64_t id, int64_t agent, const char *number, int64_t ago_ms)
{
	int64_t at = clock_utc_ms() - ago_ms;
	char *sql = xasprintf("INSERT INTO call (id, centre_id, dir, queue_id, agent_id, first_agent_id, start_ms, answer_ms, end_ms, talk_ms)"
			      " SELECT %lld, id, 'in', %lld, %lld, %lld, %lld, %lld, %lld, 4000 FROM centre", (long long)id, (long long)queue_id,
			      (long long)agent, (long long)agent, (long long)at, (long long)at + 1000, (long long)at + 5000);

	fix_run(f, sql);
	free(sql);
	sql = xasprintf("INSERT INTO call_pii (call_id, centre_id, from_number, to_number) SELECT %lld, id, '%s', '4001' FROM centre", (long long)id, number);
	fix_run(f, sql);
	free(sql);
	sql = xasprintf("INSERT INTO activity (id, centre_id, agent_id, state, start_ms, end_ms, call_id) SELECT %lld, id, %lld, 'talking', %lld, %lld, %lld FROM centre",
			(long long)id, (long long)agent, (long long)at + 1000, (long long)at + 5000, (long long)id);
	fix_run(f, sql);
	free(sql);
}

static int64_t total(const json_t *list)
{
	return json_integer_value(json_object_get(list, "total"));
}

TEST(a_draft_is_there_again_and_only_for_who_typed_it)
{
	struct fix f;
	struct client agent, lead;
	const json_t *o;
	char *big;

	fix_start(&f, true);
	agent = fix_login(&f, "agent", NULL);
	lead = fix_login(&f, "supervisor", NULL);
	(void)ask_for(&agent, "PUT", "/desk/draft", "{\"subject\":\"call:12\",\"body\":{\"text\":\"客户说\"}}", "204");
	(void)ask_for(&agent, "PUT", "/desk/draft", "{\"subject\":\"call:12\",\"body\":{\"text\":\"客户说坏了\"}}", "204");
	(void)ask_for(&agent, "PUT", "/desk/draft", "{\"subject\":\"customer:7\",\"body\":{\"text\":\"b\"}}", "204");
	agent = fix_login(&f, "agent", NULL); /* another browser */
	o = json_object_get(ask_for(&agent, "GET", "/desk/drafts", NULL, "200"), "items");
	assert_int_equal(json_array_size(o), 2);
	for (size_t i = 0; i < 2; i++)
		if (!strcmp(json_string_value(json_object_get(json_array_get(o, i), "subject")), "call:12"))
			assert_text(json_object_get(json_array_get(o, i), "body"), "text", "客户说坏了");
	assert_int_equal(json_array_size(json_object_get(ask_for(&lead, "GET", "/desk/drafts", NULL, "200"), "items")), 0);
	(void)ask_for(&agent, "PUT", "/desk/draft", "{\"subject\":\"call:12\",\"body\":null}", "204");
	assert_int_equal(json_array_size(json_object_get(ask_for(&agent, "GET", "/desk/drafts", NULL, "200"), "items")), 1);
	(void)ask_for(&agent, "PUT", "/desk/draft", "{\"subject\":\"mail:1\",\"body\":{}}", "422 invalid");
	(void)ask_for(&agent, "PUT", "/desk/draft", "{\"subject\":\"call:1\",\"body\":\"text\"}", "422 invalid");
	(void)ask_for(&agent, "PUT", "/desk/draft", "{\"subject\":\"call:1\"}", "422 invalid");
	big = xasprintf("{\"subject\":\"call:1\",\"body\":{\"text\":\"%033000d\"}}", 7);
	(void)ask_for(&agent, "PUT", "/desk/draft", big, "422 invalid");
	free(big);
	for (int i = 0; i < 60; i++) {
		char *body = xasprintf("{\"subject\":\"call:%d\",\"body\":{}}", 1000 + i);

		(void)ask_for(&agent, "PUT", "/desk/draft", body, "204");
		free(body);
	}
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM note_drafts"), 50);
	fix_stop(&f);
}

TEST(talks_without_a_note_are_listed_until_they_have_one)
{
	struct fix f;
	struct client agent, lead;
	const json_t *o;
	char path[80];

	fix_start(&f, true);
	ids(&f);
	fix_run(&f, "UPDATE schema_migration SET applied_ms = applied_ms - 86400000 WHERE version = 108");
	agent = fix_login(&f, "agent", NULL);
	lead = fix_login(&f, "supervisor", NULL);
	past_call(&f, 71, agent_id, "13800138000", 60000);
	past_call(&f, 72, agent_id, "13800138001", 50000);
	past_call(&f, 73, other_id, "13800138002", 50000);
	past_call(&f, 74, agent_id, "13800138000", 172800000); /* before there were notes */
	fix_run(&f, "UPDATE call SET dir = 'internal' WHERE id = 72");
	o = ask_for(&agent, "GET", "/desk/notes/missing", NULL, "200");
	assert_int_equal(total(o), 1);
	assert_text(json_array_get(json_object_get(o, "items"), 0), "id", "71");
	fix_run(&f, "UPDATE call SET dir = 'out' WHERE id = 72");
	assert_int_equal(total(ask_for(&agent, "GET", "/desk/notes/missing", NULL, "200")), 2);
	(void)snprintf(path, sizeof(path), "/desk/notes/missing?agent_id=%lld", (long long)other_id);
	(void)ask_for(&agent, "GET", path, NULL, "403 forbidden");
	assert_int_equal(total(ask_for(&lead, "GET", path, NULL, "200")), 1);
	(void)ask_for(&agent, "GET", "/desk/notes/missing/agents", NULL, "403 forbidden");
	o = json_object_get(ask_for(&lead, "GET", "/desk/notes/missing/agents", NULL, "200"), "items");
	assert_int_equal(json_array_size(o), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(o, 0), "n")), 2);

	(void)ask_for(&agent, "POST", "/notes", "{\"call_id\":\"71\",\"text\":\"已答复\"}", "201");
	assert_int_equal(total(ask_for(&agent, "GET", "/desk/notes/missing", NULL, "200")), 1);
	fix_run(&f, "UPDATE queues SET note_rule = 'off'");
	assert_int_equal(total(ask_for(&agent, "GET", "/desk/notes/missing", NULL, "200")), 0);
	(void)ask_for(&agent, "POST", "/notes", "{\"call_id\":\"73\",\"text\":\"别人的\"}", "422 invalid");
	fix_stop(&f);
}

TEST(a_queue_may_want_the_note_before_ready)
{
	struct fix f;
	struct client agent;

	fix_start(&f, true);
	ids(&f);
	fix_run(&f, "UPDATE schema_migration SET applied_ms = applied_ms - 86400000 WHERE version = 108");
	agent = fix_login(&f, "agent", NULL);
	past_call(&f, 71, agent_id, "13800138000", 10000);
	(void)ask_for(&agent, "POST", "/desk/ready", "{}", "204"); /* a hint is no block */
	fix_run(&f, "UPDATE queues SET note_rule = 'block'");
	(void)ask_for(&agent, "POST", "/desk/ready", "{}", "409 note_missing");
	(void)ask_for(&agent, "POST", "/desk/wrapup/end", "{}", "409 note_missing");
	(void)ask_for(&agent, "POST", "/desk/hold", "{}", "204");
	(void)ask_for(&agent, "POST", "/notes", "{\"call_id\":\"71\",\"text\":\"好\"}", "201");
	(void)ask_for(&agent, "POST", "/desk/wrapup/end", "{}", "204");
	fix_stop(&f);
}

#define C1 ((int64_t)5 << 40)

TEST(one_answer_has_the_card_and_all_that_was_before_and_only_of_ones_own_call)
{
	struct fix f;
	struct client agent, lead;
	const json_t *o;
	char path[96], id[24];

	fix_start(&f, true);
	ids(&f);
	lead = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	past_call(&f, 70, other_id, "13800138000", 86400000 * 2);
	past_call(&f, 71, other_id, "+8613800138000", 10 * 60000);
	past_call(&f, 72, other_id, "13900139000", 5 * 60000);
	(void)ask_for(&lead, "POST", "/notes", "{\"call_id\":\"70\",\"text\":\"第一次\"}", "201");
	(void)ask_for(&lead, "POST", "/notes", "{\"call_id\":\"72\",\"text\":\"别的客户\"}", "201");
	(void)ask_for(&agent, "GET", "/desk/pop?call_id=71", NULL, "404 not_found"); /* another's call */
	(void)ask_for(&agent, "GET", "/desk/pop", NULL, "400 bad_query");
	(void)ask_for(&agent, "GET", "/desk/pop?number=%27", NULL, "400 bad_query");
	o = ask_for(&agent, "GET", "/desk/pop?number=13800138000", NULL, "200"); /* not on his line */
	assert_int_equal(json_array_size(json_object_get(o, "calls")), 0);
	assert_int_equal(json_array_size(json_object_get(o, "notes")), 0);

	say_call(1000, C1, "13800138000", "");
	say(EV_OFFER_NEW, 2000, C1, agent_id, queue_id, "{\"t\":2000,\"offer\":\"1\",\"ring_ms\":15000}");
	for (int i = 0; i < 500 && !json_object_get(json_object_get(ask_for(&agent, "GET", "/desk", NULL, "200"), "call"), "id"); i++)
		(void)usleep(10000);
	(void)snprintf(path, sizeof(path), "/desk/pop?call_id=%lld", (long long)C1);
	o = ask_for(&agent, "GET", path, NULL, "200");
	assert_text(o, "number", "+8613800138000");
	assert_text(o, "region", json_string_value(json_object_get(o, "region")));
	assert_true(json_is_null(json_object_get(o, "customer")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "repeat"), "n")), 2); /* ten minutes ago, and now */
	assert_int_equal(json_array_size(json_object_get(o, "calls")), 2);
	assert_text(json_array_get(json_object_get(o, "calls"), 0), "id", "71");
	assert_int_equal(json_array_size(json_object_get(o, "notes")), 1);
	assert_text(json_array_get(json_object_get(o, "notes"), 0), "text", "第一次");

	o = ask_for(&lead, "POST", "/customers", "{\"name\":\"张三\",\"phones\":[{\"number\":\"13800138000\"},{\"number\":\"01062345678\"}]}", "201");
	(void)str_copy(id, sizeof(id), json_string_value(json_object_get(o, "id")));
	past_call(&f, 75, other_id, "01062345678", 3600000);
	o = ask_for(&agent, "GET", path, NULL, "200");
	assert_text(json_object_get(o, "customer"), "id", id);
	assert_text(json_object_get(o, "customer"), "name", "张三");
	assert_int_equal(json_array_size(json_object_get(o, "calls")), 3); /* of all his numbers */
	assert_text(json_array_get(json_object_get(o, "notes"), 0), "customer_id", id);
	/* The live call says that it has a note. */
	fix_run(&f, "INSERT INTO call (id, centre_id, dir, start_ms) SELECT 5497558138880, id, 'in', 1 FROM centre");
	(void)snprintf(path, sizeof(path), "{\"call_id\":\"%lld\",\"text\":\"x\"}", (long long)C1);
	(void)ask_for(&lead, "POST", "/notes", path, "201");
	assert_true(json_is_true(json_object_get(json_object_get(ask_for(&agent, "GET", "/desk", NULL, "200"), "call"), "noted")));
	fix_stop(&f);
}

TEST(older_calls_and_notes_come_by_scrolling)
{
	struct fix f;
	struct client lead;
	const json_t *o;
	char path[96];

	fix_start(&f, true);
	ids(&f);
	lead = fix_login(&f, "supervisor", NULL);
	for (int i = 0; i < 30; i++)
		past_call(&f, 100 + i, other_id, "13800138000", 86400000LL * (30 - i));
	o = ask_for(&lead, "GET", "/desk/pop?number=13800138000", NULL, "200");
	assert_int_equal(json_array_size(json_object_get(o, "calls")), 12);
	assert_true(json_is_true(json_object_get(o, "more")));
	(void)snprintf(path, sizeof(path), "/desk/pop?number=13800138000&before_ms=%lld",
		       (long long)json_integer_value(json_object_get(json_array_get(json_object_get(o, "calls"), 11), "start_ms")));
	o = ask_for(&lead, "GET", path, NULL, "200");
	assert_text(json_array_get(json_object_get(o, "calls"), 0), "id", "117");
	assert_null(json_object_get(o, "customer"));
	fix_stop(&f);
}
