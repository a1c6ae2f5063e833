/* Whose call it is, at the desk and in the records; who calls again; the turn. */
#include "api/fixture.h"

#include <unistd.h>

#include "api/live.h"

static int64_t user_id(struct fix *f, const char *login)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql), "SELECT id FROM users WHERE login = '%s'", login);
	return fix_get(f, sql);
}

/* A customer of nobody's, with a number; his id. */
static int64_t new_customer(struct client *c, const char *name, const char *number)
{
	char *body = xasprintf("{\"name\":\"%s\",\"owner_id\":null}", name);
	int64_t id;

	assert_true(str_to_i64(&id, json_string_value(json_object_get(ask_for(c, "POST", "/customers", body, "201"), "id")), 1, INT64_MAX));
	free(body);
	body = xasprintf("{\"customer_id\":\"%lld\",\"number\":\"%s\"}", (long long)id, number);
	(void)ask_for(c, "POST", "/customer_phones", body, "201");
	free(body);
	return id;
}

/* Call 900 from @from, in which @agent talks; waited for on his desk. */
static const json_t *talks(struct client *c, int64_t agent, const char *from)
{
	const json_t *call = NULL;

	say_call(clock_utc_ms(), 900, from, NULL);
	say(EV_SEG_OPEN, clock_utc_ms(), 900, agent, 0, "{\"seg\":\"1\",\"type\":\"talk\"}");
	for (int i = 0; i < 300 && !json_is_object(call); i++) {
		call = json_object_get(ask_for(c, "GET", "/desk", NULL, "200"), "call");
		if (!json_is_object(call))
			(void)usleep(10000);
	}
	assert_true(json_is_object(call));
	return call;
}

TEST(the_switchs_question_is_answered_with_customer_owner_and_team_and_shown_at_the_desk)
{
	struct fix f;
	struct client admin, agent;
	const json_t *call;
	int64_t id, me;
	char *sql;

	fix_start(&f, true);
	admin = fix_login(&f, "admin", NULL);
	agent = fix_login(&f, "agent", NULL);
	me = user_id(&f, "agent");
	id = new_customer(&admin, "张三", "13800138000");
	sql = xasprintf("UPDATE customers SET owner_id = %lld WHERE id = %lld", (long long)me, (long long)id);
	fix_run(&f, sql);
	free(sql);
	sw_said = (struct sw_customer){0};
	api_ask_customer((struct sw *)(uintptr_t)1, 900, "013800138000", f.api); /* as a carrier may write it */
	for (int i = 0; i < 500 && !sw_said.call_id; i++)
		(void)usleep(10000);
	assert_int_equal(sw_said.call_id, 900);
	assert_int_equal(sw_said.customer_id, id);
	assert_int_equal(sw_said.owner_id, me);
	assert_int_equal(sw_said.by_id, 0);
	call = talks(&agent, me, "13800138000"); /* told before the call itself was folded, or after */
	for (int i = 0; i < 300 && !json_is_object(json_object_get(call, "customer")); i++) {
		(void)usleep(10000);
		call = json_object_get(ask_for(&agent, "GET", "/desk", NULL, "200"), "call");
	}
	assert_text(json_object_get(call, "customer"), "name", "张三");
	assert_non_null(json_string_value(json_object_get(json_object_get(call, "customer"), "owner")));
	assert_int_equal(json_integer_value(json_object_get(call, "repeat")), 1);
	sw_said = (struct sw_customer){0};
	api_ask_customer((struct sw *)(uintptr_t)1, 901, "13900139000", f.api);
	for (int i = 0; i < 500 && !sw_said.call_id; i++)
		(void)usleep(10000);
	assert_int_equal(sw_said.call_id, 901);
	assert_int_equal(sw_said.customer_id, 0);
	fix_stop(&f);
}

TEST(a_person_names_the_customer_of_his_own_call_and_of_no_other)
{
	struct fix f;
	struct client admin, agent;
	char *body, *sql;
	int64_t id;

	fix_start(&f, true);
	admin = fix_login(&f, "admin", NULL);
	agent = fix_login(&f, "agent", NULL);
	id = new_customer(&admin, "张三", "13800138000");
	sql = xasprintf("INSERT INTO call (id, centre_id, dir, start_ms, end_ms) SELECT 77, id, 'in', 1, 2 FROM centre");
	fix_run(&f, sql);
	free(sql);
	body = xasprintf("{\"customer_id\":\"%lld\"}", (long long)id);
	(void)ask_for(&agent, "POST", "/calls/77/customer", body, "404 not_found");
	(void)ask_for(&admin, "POST", "/calls/78/customer", body, "404 not_found");
	(void)ask_for(&admin, "POST", "/calls/77/customer", "{}", "422 invalid");
	(void)ask_for(&admin, "POST", "/calls/77/customer", "{\"customer_id\":\"x\"}", "422 invalid");
	(void)ask_for(&admin, "POST", "/calls/77/customer", "{\"customer_id\":\"12345\"}", "422 invalid");
	sw_said = (struct sw_customer){0};
	(void)ask_for(&admin, "POST", "/calls/77/customer", body, "204");
	assert_int_equal(sw_said.call_id, 77);
	assert_int_equal(sw_said.customer_id, id);
	assert_int_equal(sw_said.by_id, user_id(&f, "admin"));
	free(body);
	sql = xasprintf("UPDATE call SET customer_id = %lld WHERE id = 77", (long long)id); /* as the fold does */
	fix_run(&f, sql);
	free(sql);
	assert_text(ask_for(&admin, "GET", "/calls/77", NULL, "200"), "customer", "张三");
	sql = xasprintf("/calls?customer_id=%lld", (long long)id);
	assert_int_equal(json_array_size(json_object_get(ask_for(&admin, "GET", sql, NULL, "200"), "items")), 1);
	assert_int_equal(json_array_size(json_object_get(ask_for(&admin, "GET", "/calls?customer_id=5", NULL, "200"), "items")), 0);
	free(sql);
	fix_stop(&f);
}

TEST(a_turn_makes_the_customer_his_rings_him_and_is_given_back_when_that_fails)
{
	struct fix f;
	struct client admin, agent;
	char *body, *sql;
	const json_t *got;
	int64_t id, me, other, audits;

	fix_start(&f, true);
	admin = fix_login(&f, "admin", NULL);
	agent = fix_login(&f, "agent", NULL);
	me = user_id(&f, "agent");
	other = fix_get(&f, "SELECT MAX(id) FROM users WHERE role = 'agent' AND login <> 'agent'");
	id = new_customer(&admin, "张三", "13800138000");
	(void)talks(&agent, me, "13800138000");
	live_customer(f.api->live, 900, &(struct people_customer){.id = id, .name = "张三"});
	(void)ask_for(&agent, "POST", "/desk/turn", "{}", "422 invalid");
	(void)ask_for(&agent, "POST", "/desk/turn", "{\"call_id\":\"901\"}", "404 not_found");
	sw_next_in_turn = 0;
	(void)ask_for(&agent, "POST", "/desk/turn", "{\"call_id\":\"900\"}", "409 nobody_in_turn");
	audits = fix_get(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'customers'");
	/* one who is no user any more cannot own: the draw is given back */
	sw_next_in_turn = 4242;
	sw_drawn_back = (struct sw_turn){0};
	(void)ask_for(&agent, "POST", "/desk/turn", "{\"call_id\":\"900\"}", "422 invalid");
	assert_int_equal(sw_drawn_back.back_id, 4242);
	sw_next_in_turn = other;
	got = ask_for(&agent, "POST", "/desk/turn", "{\"call_id\":\"900\"}", "200");
	body = xasprintf("%lld", (long long)other);
	assert_text(json_object_get(got, "agent"), "id", body);
	assert_true(json_is_true(json_object_get(got, "transferred")));
	free(body);
	assert_int_equal(sw_drawn.customer_id, id);
	assert_int_equal(sw_drawn.by_id, me);
	assert_int_equal(sw_last.kind, SW_TRANSFER);
	assert_int_equal(sw_last.target_id, other);
	sql = xasprintf("SELECT owner_id FROM customers WHERE id = %lld", (long long)id);
	assert_int_equal(fix_get(&f, sql), other);
	free(sql);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'customers'"), audits + 1);
	(void)ask_for(&agent, "POST", "/desk/turn", "{\"call_id\":\"900\"}", "409 has_owner");
	fix_stop(&f);
}

TEST(who_calls_again_within_half_an_hour_is_counted_by_number_and_by_customer)
{
	struct recents *r = recents_new();
	const int64_t M = 60000, T = 100000000;

	recents_add(r, 1, "+8613800138000", T);
	recents_add(r, 2, "13800138000", T + 5 * M); /* the same, written otherwise */
	recents_add(r, 3, "13900139000", T + 6 * M);
	recents_add(r, 3, "13900139000", T + 6 * M); /* told twice */
	assert_int_equal(recents_count(r, "013800138000", 0, T + 7 * M), 2);
	assert_int_equal(recents_count(r, "13900139000", 0, T + 7 * M), 1);
	recents_customer(r, 2, 55);
	recents_customer(r, 3, 55);
	assert_int_equal(recents_count(r, "13800138000", 55, T + 7 * M), 3);
	assert_int_equal(recents_count(r, "", 55, T + 7 * M), 2);
	recents_customer(r, 3, 56); /* somebody said better */
	assert_int_equal(recents_count(r, "13800138000", 55, T + 7 * M), 2);
	assert_int_equal(recents_count(r, "13800138000", 55, T + 30 * M), 1); /* the first is half an hour ago */
	assert_int_equal(recents_count(r, "13900139000", 56, T + 36 * M), 0);
	assert_int_equal(recents_count(r, "", 0, T + 36 * M), 0);
	for (int i = 0; i < 150; i++)
		recents_add(r, 100 + i, "95588", T + 40 * M);
	assert_int_equal(recents_count(r, "95588", 0, T + 40 * M), 99);
	recents_free(r);
}

TEST(call_is_sent_on_and_who_gets_it_reads_by_whom_and_why)
{
	struct client agent, lead;
	const json_t *got, *row;
	int64_t me, other;
	struct fix f;
	char *body;
	struct ev e = {.kind = EV_CALL_MOVE, .call_id = 900, .at_ms = clock_utc_ms(), .pii = {{"why", "要合同"}}, .pii_n = 1};

	fix_start(&f, true);
	agent = fix_login(&f, "agent", NULL);
	lead = fix_login(&f, "supervisor", NULL);
	me = user_id(&f, "agent");
	other = user_id(&f, "lead");
	(void)talks(&agent, me, "13800138000");
	(void)ask_for(&agent, "POST", "/desk/transfer", "{}", "422 invalid");
	(void)ask_for(&agent, "POST", "/desk/transfer", "{\"to\":{\"user\":\"1\",\"queue\":\"2\"}}", "422 invalid");
	(void)ask_for(&agent, "POST", "/desk/transfer", "{\"to\":{\"user\":\"x\"}}", "422 invalid");
	(void)ask_for(&agent, "POST", "/desk/transfer", "{\"to\":{\"number\":\"\"}}", "422 invalid");
	body = xasprintf("{\"to\":{\"user\":\"%lld\"},\"why\":\"要合同\"}", (long long)other);
	(void)ask_for(&agent, "POST", "/desk/consult", body, "204");
	free(body);
	assert_int_equal(sw_last.kind, SW_CONSULT);
	assert_int_equal(sw_last.target_id, other);
	assert_string_equal(sw_last.why, "要合同");
	(void)ask_for(&agent, "POST", "/desk/transfer", "{\"to\":{\"number\":\"139 0000 0001\"}}", "204");
	assert_int_equal(sw_last.kind, SW_TRANSFER);
	assert_string_equal(sw_last.number, "13900000001");
	(void)ask_for(&agent, "POST", "/desk/transfer", "{\"to\":{\"queue\":\"7\"}}", "204");
	assert_int_equal(sw_last.queue_id, 7);
	(void)ask_for(&agent, "POST", "/desk/move/done", "{}", "204");
	assert_int_equal(sw_last.kind, SW_MOVE_DONE);
	(void)ask_for(&agent, "POST", "/desk/move/swap", "{}", "204");
	assert_int_equal(sw_last.kind, SW_MOVE_SWAP);
	sw_answer = SW_R_TARGET_BUSY;
	(void)ask_for(&agent, "POST", "/desk/transfer", "{\"to\":{\"queue\":\"7\"}}", "409 target_busy");
	sw_answer = SW_OK;
	got = ask_for(&agent, "GET", "/desk/targets?q=zhaosi", NULL, "200");
	assert_true(json_is_array(json_object_get(got, "colleagues")));
	got = ask_for(&agent, "GET", "/desk/targets", NULL, "200");
	assert_int_equal(json_array_size(json_object_get(got, "colleagues")), 0); /* nobody is signed in */
	assert_true(json_array_size(json_object_get(got, "queues")) > 0);
	/* what he typed goes along, and the live call says how it stands */
	(void)ask_for(&agent, "PUT", "/desk/draft", "{\"subject\":\"call:900\",\"body\":{\"text\":\"wants a quote\"}}", "204");
	(void)ask_for(&lead, "GET", "/desk/pop?call_id=900", NULL, "404 not_found");
	body = xasprintf("{\"what\":\"begin\",\"how\":\"consult\",\"by\":\"%lld\",\"user\":\"%lld\"}", (long long)me, (long long)other);
	e.agent_id = me;
	e.body = body;
	e.body_len = strlen(body);
	say_event(&e);
	free(body);
	say(EV_AGENT_STATE, clock_utc_ms(), 900, other, 0, "{\"t\":1,\"state\":\"talking\",\"prev\":\"ready\",\"call\":\"900\"}");
	for (int i = 0; i < 3000; i++) {
		got = ask_for(&lead, "GET", "/desk", NULL, "200");
		if (json_is_object(json_object_get(got, "call")))
			break;
		(void)usleep(10000);
	}
	row = json_object_get(json_object_get(got, "call"), "move");
	assert_text(row, "state", "ringing");
	assert_text(row, "how", "consult");
	assert_text(row, "why", "要合同");
	got = ask_for(&lead, "GET", "/desk/pop?call_id=900", NULL, "200");
	assert_text(json_object_get(got, "passed_draft"), "text", "wants a quote");
	got = ask_for(&agent, "GET", "/desk/pop?call_id=900", NULL, "200");
	assert_true(json_is_null(json_object_get(got, "passed_draft")));
	fix_stop(&f);
}
