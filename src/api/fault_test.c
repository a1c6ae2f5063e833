/* 一键报障: what is taken, what is refused, who reads it, and that no secret gets in. */
#include "api/fixture.h"

#define BODY(details) "{\"happened_ms\":1,\"text\":\"听不到客户\",\"summary\":\"Chromium 140\",\"details\":" details "}"

static const json_t *first(const json_t *list)
{
	return json_array_get(json_object_get(list, "items"), 0);
}

TEST(a_report_reaches_the_administrator_and_its_state_comes_back)
{
	struct fix f;
	struct client agent, lead, admin;
	const json_t *o;
	const struct answer *a;
	char path[96], id[24];

	fix_start(&f, true);
	agent = fix_login(&f, "agent", NULL);
	lead = fix_login(&f, "supervisor", NULL);
	admin = fix_login(&f, "admin", NULL);
	o = ask_for(&agent, "POST", "/desk/faults", BODY("{\"log\":[\"a\"]}"), "201");
	(void)str_copy(id, sizeof(id), json_string_value(json_object_get(o, "id")));
	o = first(ask_for(&agent, "GET", "/desk/faults", NULL, "200"));
	assert_text(o, "id", id);
	assert_text(o, "state", "open");
	assert_true(json_is_null(json_object_get(o, "remark")));
	assert_true(json_integer_value(json_object_get(o, "happened_ms")) > 1); /* 1970 is not believed */
	assert_int_equal(json_array_size(json_object_get(ask_for(&lead, "GET", "/desk/faults", NULL, "200"), "items")), 0);

	(void)ask_for(&agent, "GET", "/faults", NULL, "403 forbidden");
	(void)ask_for(&lead, "GET", "/faults", NULL, "403 forbidden");
	o = first(ask_for(&admin, "GET", "/faults", NULL, "200"));
	assert_text(o, "text", "听不到客户");
	(void)snprintf(path, sizeof(path), "/faults/%s/details", id);
	(void)ask_for(&agent, "GET", path, NULL, "403 forbidden");
	o = ask_for(&admin, "GET", path, NULL, "200");
	assert_non_null(json_object_get(o, "log"));
	assert_text(json_object_get(o, "server"), "address", "127.0.0.1");

	(void)snprintf(path, sizeof(path), "/faults/%s", id);
	a = ask(&admin, "PATCH", path, "If-Match: 1\r\n", "{\"state\":\"solved\",\"remark\":\"换了耳机\"}");
	assert_int_equal(a->status, 200);
	assert_int_equal(ask(&admin, "PATCH", path, "If-Match: 2\r\n", "{\"text\":\"other\"}")->status, 422); /* his words stay his */
	o = first(ask_for(&agent, "GET", "/desk/faults", NULL, "200"));
	assert_text(o, "state", "solved");
	assert_text(o, "remark", "换了耳机");
	(void)ask_for(&admin, "POST", "/faults", "{\"state\":\"open\"}", "403 forbidden"); /* reports come from desks */
	assert_int_equal(ask(&admin, "DELETE", path, "If-Match: 2\r\n", NULL)->status, 204);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM fault_details"), 0);
	fix_stop(&f);
}

TEST(secrets_in_a_pages_log_are_blanked_by_the_server_too)
{
	struct fix f;
	struct client agent, admin;
	const json_t *o;
	char path[96];

	fix_start(&f, true);
	agent = fix_login(&f, "agent", NULL);
	admin = fix_login(&f, "admin", NULL);
	o = ask_for(&agent, "POST", "/desk/faults",
		    BODY("{\"log\":[{\"t\":\"sending\\n\\nREGISTER sip:h SIP/2.0\\r\\nAuthorization: Digest response=\\\"5ec2e7\\\"\\r\\n\\r\\na=ice-pwd:5ec2e7\"}]}"), "201");
	(void)snprintf(path, sizeof(path), "/faults/%s/details", json_string_value(json_object_get(o, "id")));
	assert_null(strstr(ask(&admin, "GET", path, NULL, NULL)->body, "5ec2e7"));
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM fault_details WHERE data LIKE '%5ec2e7%'"), 0);
	fix_stop(&f);
}

TEST(a_report_has_limits_in_size_and_number)
{
	struct fix f;
	struct client agent;
	char *big = xcalloc(1, 120 * 1024);
	size_t n;

	fix_start(&f, true);
	agent = fix_login(&f, "agent", NULL);
	n = (size_t)snprintf(big, 256, "{\"happened_ms\":1,\"details\":{\"log\":\"");
	memset(big + n, 'x', 97 * 1024);
	memcpy(big + n + 97 * 1024, "\"}}", 4);
	(void)ask_for(&agent, "POST", "/desk/faults", big, "413 too_large");
	(void)ask_for(&agent, "POST", "/desk/faults", "{\"happened_ms\":1}", "422 invalid");
	(void)ask_for(&agent, "POST", "/desk/faults", "{\"happened_ms\":1,\"details\":[]}", "422 invalid");
	(void)ask_for(&agent, "POST", "/desk/faults", "{\"details\":{}}", "422 invalid");
	for (int i = 0; i < 5; i++)
		(void)ask_for(&agent, "POST", "/desk/faults", BODY("{}"), "201");
	(void)ask_for(&agent, "POST", "/desk/faults", BODY("{}"), "429 slow_down");
	free(big);
	fix_stop(&f);
}

TEST(a_call_that_is_not_his_is_left_out)
{
	struct fix f;
	struct client agent;
	char body[256];

	fix_start(&f, true);
	agent = fix_login(&f, "agent", NULL);
	fix_run(&f, "INSERT INTO call (id, centre_id, dir, start_ms, agent_id, wait_ms, talk_ms) VALUES"
		    " (11, (SELECT id FROM centre), 'in', 1, (SELECT id FROM users WHERE login = 'agent'), 0, 0),"
		    " (12, (SELECT id FROM centre), 'in', 1, NULL, 0, 0)");
	for (int call = 11; call <= 12; call++) {
		(void)snprintf(body, sizeof(body), "{\"happened_ms\":1,\"call_id\":\"%d\",\"details\":{}}", call);
		(void)ask_for(&agent, "POST", "/desk/faults", body, "201");
	}
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM faults WHERE call_id = '11'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM faults WHERE call_id = '12'"), 0);
	fix_stop(&f);
}
