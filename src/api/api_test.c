/* The API over a real loopback server; every answer is also checked against the OpenAPI document (see fixture.h). */
#include "api/fixture.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/page.h"

static const json_t *get(const json_t *o, const char *path)
{
	char part[64];

	while (o && *path) {
		size_t n = strcspn(path, ".");
		int64_t i;

		(void)snprintf(part, sizeof(part), "%.*s", (int)n, path);
		o = json_is_array(o) && str_to_i64(&i, part, 0, 1000000) ? json_array_get(o, (size_t)i) : json_object_get(o, part);
		path += n + (path[n] == '.');
	}
	return o;
}

#define text_at(o, path) json_string_value(get(o, path))

/* ---- log-in ---- */

TEST(anybody_sees_the_status_and_nothing_else_without_a_session)
{
	struct fix f;
	struct client c = {.f = &f};
	static const char *const closed[] = {"/session", "/desk", "/board", "/calls", "/meta", "/users", "/users/1", "/events",
					     "/numbers/lookup?number=1", "/recordings/1/audio"};

	fix_start(&f, true);
	assert_string_equal(text_at(ask_for(&c, "GET", "/status", NULL, "200"), "demo_users.0.login"), "agent");
	for (size_t i = 0; i < ARRAY_LEN(closed); i++)
		(void)ask_for(&c, "GET", closed[i], NULL, "401 no_session");
	(void)ask_for(&c, "POST", "/users", "{}", "401 no_session");
	(void)ask_for(&c, "POST", "/desk/ready", "{}", "401 no_session");
	(void)ask_for(&c, "DELETE", "/demo", NULL, "401 no_session");
	(void)strcpy(c.cookie, "huawu_session=0000000000000000000000000000000000000000000000000000000000000000");
	(void)ask_for(&c, "GET", "/session", NULL, "401 no_session");
	(void)strcpy(c.cookie, "huawu_session=x");
	(void)ask_for(&c, "GET", "/session", NULL, "401 no_session");
	c.cookie[0] = '\0';
	c.token = "hw_nonsense";
	(void)ask_for(&c, "GET", "/users", NULL, "401 no_session");
	fix_stop(&f);
}

TEST(log_in_gives_a_session_that_log_out_ends)
{
	struct fix f;
	struct client c;
	const struct answer *a;

	fix_start(&f, false);
	c = fix_login(&f, "root", "correct horse 7");
	assert_string_equal(text_at(ask_for(&c, "GET", "/session", NULL, "200"), "user.role"), "admin");
	assert_string_equal(text_at(ask_for(&c, "GET", "/session", NULL, "200"), "csrf"), c.csrf);
	/* what the database knows is a hash, not the cookie */
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM session WHERE length(hash) = 32"), 1);
	a = ask(&c, "DELETE", "/session", NULL, NULL);
	assert_int_equal(a->status, 204);
	assert_non_null(strstr(a->head, "Max-Age=0"));
	(void)ask_for(&c, "GET", "/session", NULL, "401 no_session");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM session"), 0);
	fix_stop(&f);
}

TEST(the_cookie_is_closed_to_scripts_and_other_sites)
{
	struct fix f;
	struct client c = {.f = &f};
	const struct answer *a;

	fix_start(&f, true);
	a = ask(&c, "POST", "/session", NULL, "{\"demo\":\"agent\"}");
	assert_non_null(strstr(a->head, "; HttpOnly; SameSite=Lax; Max-Age=43200\r\n"));
	fix_stop(&f);
	fix_start(&f, true);
	((struct api_conf *)(uintptr_t)&f.api->conf)->secure = true;
	a = ask(&c, "POST", "/session", NULL, "{\"demo\":\"agent\"}");
	assert_non_null(strstr(a->head, "; Secure\r\n"));
	fix_stop(&f);
}

TEST(a_change_without_the_csrf_value_is_refused)
{
	struct fix f;
	struct client c;

	fix_start(&f, false);
	c = fix_login(&f, "root", "correct horse 7");
	c.csrf[0] ^= 1;
	(void)ask_for(&c, "POST", "/teams", "{\"name\":\"x\"}", "403 csrf");
	c.csrf[0] = '\0';
	(void)ask_for(&c, "POST", "/teams", "{\"name\":\"x\"}", "403 csrf");
	(void)ask_for(&c, "DELETE", "/session", NULL, "403 csrf");
	(void)ask_for(&c, "GET", "/teams", NULL, "200");
	fix_stop(&f);
}

TEST(another_sites_page_can_neither_change_anything_nor_log_somebody_in)
{
	struct fix f;
	struct client c, nobody = {.f = &f};
	char own[64];

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	(void)snprintf(own, sizeof(own), "Origin: http://127.0.0.1:%u\r\n", http_port(f.http));
	assert_int_equal(ask(&nobody, "POST", "/session", "Origin: http://evil.example\r\nContent-Type: text/plain\r\n", "{\"demo\":\"admin\"}")->status, 403);
	assert_int_equal(ask(&nobody, "POST", "/session", "Origin: null\r\n", "{\"demo\":\"admin\"}")->status, 403);
	assert_int_equal(ask(&c, "POST", "/teams", "Origin: http://evil.example\r\n", "{\"name\":\"x\"}")->status, 403);
	assert_int_equal(ask(&c, "POST", "/teams", own, "{\"name\":\"x\"}")->status, 201);
	assert_int_equal(ask(&nobody, "POST", "/session", own, "{\"demo\":\"admin\"}")->status, 200);
	fix_stop(&f);
}

TEST(wrong_passwords_are_slowed_down_per_login_and_address)
{
	struct fix f;
	struct client c = {.f = &f};
	const struct answer *a;

	fix_start(&f, false);
	for (int i = 0; i < 5; i++)
		(void)ask_for(&c, "POST", "/session", "{\"login\":\"root\",\"password\":\"wrong\"}", "401 bad_login");
	(void)ask_for(&c, "POST", "/session", "{\"login\":\"root\",\"password\":\"correct horse 7\"}", "429 slow_down");
	a = ask(&c, "POST", "/session", NULL, "{\"login\":\"root\",\"password\":\"wrong\"}");
	assert_non_null(strstr(a->head, "Retry-After: "));
	/* another login from there may still try */
	(void)ask_for(&c, "POST", "/session", "{\"login\":\"nobody\",\"password\":\"wrong\"}", "401 bad_login");
	(void)ask_for(&c, "POST", "/session", "{\"demo\":\"admin\"}", "404 no_demo");
	fix_stop(&f);
}

TEST(administrators_see_strangers_and_lift_bans)
{
	struct fix f;
	struct client nobody = {.f = &f}, agent, lead, admin;
	const json_t *row;

	fix_start(&f, true);
	agent = fix_login(&f, "agent", NULL);
	lead = fix_login(&f, "supervisor", NULL);
	admin = fix_login(&f, "admin", NULL);
	for (int i = 0; i < 5; i++)
		(void)ask_for(&nobody, "POST", "/session", "{\"login\":\"root\",\"password\":\"wrong\"}", "401 bad_login");
	(void)ask_for(&nobody, "GET", "/strangers", NULL, "401 no_session");
	(void)ask_for(&agent, "GET", "/strangers", NULL, "403 forbidden");
	(void)ask_for(&lead, "POST", "/strangers/lift", "{\"source\":\"192.0.2.1\",\"user\":\"8001\"}", "403 forbidden");
	row = ask_for(&admin, "GET", "/strangers", NULL, "200");
	assert_string_equal(text_at(row, "bans.0.user"), "8001");
	assert_string_equal(text_at(row, "logins.0.source"), "127.0.0.1");
	assert_int_equal(json_integer_value(get(row, "logins.0.count")), 5);
	assert_true(json_integer_value(get(row, "logins.0.wait_ms")) > 0);
	(void)ask_for(&admin, "POST", "/strangers/lift", "{\"user\":\"8001\"}", "422 invalid");
	(void)ask_for(&admin, "POST", "/strangers/lift", "{\"source\":\"192.0.2.9\",\"user\":\"8001\"}", "404 not_found");
	(void)ask_for(&admin, "POST", "/strangers/lift", "{\"source\":\"192.0.2.1\",\"user\":\"8001\"}", "204");
	assert_string_equal(sw_lifted.source, "192.0.2.1");
	assert_string_equal(sw_lifted.user, "8001");
	assert_int_equal(fix_get(&f, "SELECT count(*) FROM audit WHERE resource = 'strangers' AND action = 'lift'"), 1);
	/* and a log-in of the page may be tried again at once */
	(void)ask_for(&nobody, "POST", "/session", "{\"login\":\"root\",\"password\":\"correct horse 7\"}", "429 slow_down");
	(void)ask_for(&admin, "POST", "/strangers/lift", "{\"source\":\"127.0.0.1\",\"web\":true}", "204");
	(void)ask_for(&nobody, "POST", "/session", "{\"login\":\"root\",\"password\":\"correct horse 7\"}", "200");
	assert_int_equal(json_array_size(get(ask_for(&admin, "GET", "/strangers", NULL, "200"), "logins")), 0);
	fix_stop(&f);
}

TEST(networks_that_are_never_banned_are_checked_and_the_switch_is_told)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	(void)ask_for(&c, "POST", "/allowed_networks", "{\"network\":\"10.0.0.0/40\"}", "422 invalid");
	(void)ask_for(&c, "POST", "/allowed_networks", "{\"network\":\"example.com\"}", "422 invalid");
	(void)ask_for(&c, "POST", "/allowed_networks", "{\"network\":\"0.0.0.0/0\"}", "422 invalid"); /* that would be everybody */
	sw_configured = 0;
	(void)ask_for(&c, "POST", "/allowed_networks", "{\"network\":\"2001:db8::/32\",\"note\":\"x\"}", "201");
	assert_int_equal(sw_configured, 1);
	c = fix_login(&f, "supervisor", NULL);
	(void)ask_for(&c, "GET", "/allowed_networks", NULL, "403 forbidden");
	fix_stop(&f);
}

TEST(the_limiter_gives_a_token_back_with_time)
{
	struct limiter *l = limiter_new(2, 1000);

	assert_int_equal(limiter_wait_ms(l, "a", 0), 0);
	limiter_note(l, "a", 0);
	assert_int_equal(limiter_wait_ms(l, "a", 0), 0);
	limiter_note(l, "a", 0);
	assert_int_equal(limiter_wait_ms(l, "a", 0), 1001);
	assert_int_equal(limiter_wait_ms(l, "a", 999), 2); /* a thousandth of a token is missing */
	assert_int_equal(limiter_wait_ms(l, "a", 1000), 0);
	assert_int_equal(limiter_wait_ms(l, "b", 0), 0);
	limiter_note(l, "a", 1000);
	limiter_forget(l, "a");
	assert_int_equal(limiter_wait_ms(l, "a", 1000), 0);
	limiter_free(l);
}

TEST(sessions_end_when_idle_switched_off_or_of_an_old_password)
{
	struct fix f;
	struct client c, d;

	fix_start(&f, true);
	c = fix_login(&f, "agent", NULL);
	fix_run(&f, "UPDATE session SET expires_ms = 1");
	(void)ask_for(&c, "GET", "/session", NULL, "401 no_session");
	c = fix_login(&f, "agent", NULL);
	fix_run(&f, "UPDATE session SET created_ms = created_ms - 8 * 86400000"); /* busy for more than a week */
	(void)ask_for(&c, "GET", "/session", NULL, "401 no_session");
	c = fix_login(&f, "agent", NULL);
	fix_run(&f, "UPDATE users SET active = 0 WHERE login = 'agent'");
	(void)ask_for(&c, "GET", "/session", NULL, "401 no_session");
	fix_run(&f, "UPDATE users SET active = 1 WHERE login = 'agent'");
	(void)ask_for(&c, "GET", "/session", NULL, "200");
	fix_run(&f, "UPDATE users SET role = 'supervisor' WHERE login = 'agent'");
	(void)ask_for(&c, "GET", "/board", NULL, "200");

	c = fix_login(&f, "root", "correct horse 7");
	d = fix_login(&f, "root", "correct horse 7");
	(void)ask_for(&c, "POST", "/session/password", "{\"old\":\"wrong\",\"new\":\"battery staple 8\"}", "403 bad_password");
	(void)ask_for(&c, "POST", "/session/password", "{\"old\":\"correct horse 7\",\"new\":\"short\"}", "422 invalid");
	(void)ask_for(&c, "POST", "/session/password", "{\"old\":\"correct horse 7\",\"new\":\"battery staple 8\"}", "204");
	(void)ask_for(&c, "GET", "/session", NULL, "200");
	(void)ask_for(&d, "GET", "/session", NULL, "401 no_session");
	(void)fix_login(&f, "root", "battery staple 8");
	fix_stop(&f);
}

TEST(the_language_is_the_persons_and_refusals_speak_it)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "agent", NULL);
	assert_string_equal(text_at(ask_for(&c, "GET", "/board", NULL, "403 forbidden"), "error.message"), "您没有权限这样做。");
	(void)strcpy(c.lang, "en");
	assert_string_equal(text_at(ask_for(&c, "GET", "/board", NULL, "403 forbidden"), "error.message"), "You may not do this.");
	(void)ask_for(&c, "PATCH", "/session", "{\"lang\":\"fr\"}", "422 invalid");
	(void)ask_for(&c, "PATCH", "/session", "{\"lang\":\"en\"}", "204");
	assert_string_equal(text_at(ask_for(&c, "GET", "/session", NULL, "200"), "user.lang"), "en");
	fix_stop(&f);
}

TEST(every_code_has_a_sentence_in_both_languages)
{
	for (size_t i = 0; i < api_code_n; i++) {
		assert_string_not_equal(api_sentence(api_codes[i].code, "zh"), api_sentence("?", "zh"));
		assert_string_not_equal(api_sentence(api_codes[i].code, "en"), api_sentence("?", "en"));
	}
	assert_int_equal(api_status_of("never heard of"), 500);
}

/* ---- resources ---- */

TEST(resources_are_listed_made_changed_and_deleted)
{
	struct fix f;
	struct client c;
	char path[64];
	const struct answer *a;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	(void)snprintf(path, sizeof(path), "/teams/%s", text_at(ask_for(&c, "POST", "/teams", "{\"name\":\"夜班\"}", "201"), "id"));
	assert_string_equal(text_at(ask_for(&c, "GET", path, NULL, "200"), "name"), "夜班");
	assert_int_equal(json_integer_value(get(ask_for(&c, "GET", "/teams?q=%E5%A4%9C%E7%8F%AD", NULL, "200"), "total")), 1);
	(void)ask_for(&c, "POST", "/teams", "{\"name\":\"夜班\"}", "422 invalid");
	(void)ask_for(&c, "POST", "/teams", "{\"name\":7}", "422 invalid");
	(void)ask_for(&c, "POST", "/teams", "[]", "400 bad_json");
	(void)ask_for(&c, "POST", "/teams", "{\"name\":\"a\",\"name\":\"b\"}", "400 bad_json");
	(void)ask_for(&c, "PATCH", path, "{\"name\":\"早班\"}", "428 rev_required");
	a = ask(&c, "PATCH", path, "If-Match: 1\r\n", "{\"name\":\"早班\"}");
	assert_int_equal(a->status, 200);
	a = ask(&c, "PATCH", path, "If-Match: 1\r\n", "{\"name\":\"晚班\"}");
	assert_int_equal(a->status, 409);
	assert_string_equal(text_at(a->json, "error.code"), "conflict");
	assert_string_equal(text_at(a->json, "error.current.name"), "早班");
	assert_int_equal(ask(&c, "DELETE", path, "If-Match: \"2\"\r\n", NULL)->status, 204);
	(void)ask_for(&c, "GET", path, NULL, "404 not_found");
	(void)ask_for(&c, "GET", "/teams/x", NULL, "404 not_found");
	(void)ask_for(&c, "GET", "/nothing", NULL, "404 not_found");
	(void)ask_for(&c, "GET", "/teams?limit=0", NULL, "400 bad_query");
	fix_stop(&f);
}

TEST(a_generated_secret_is_shown_once_and_a_token_works)
{
	struct fix f;
	struct client c, t = {.f = &f};
	static char token[128], password[64];
	const json_t *row;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	row = ask_for(&c, "POST", "/tokens", "{\"name\":\"wall\",\"role\":\"supervisor\"}", "201");
	(void)str_copy(token, sizeof(token), text_at(row, "once.token"));
	t.token = token;
	(void)ask_for(&t, "GET", "/board", NULL, "200");
	(void)ask_for(&t, "GET", "/session", NULL, "401 no_session");
	(void)ask_for(&t, "POST", "/teams", "{\"name\":\"x\"}", "403 forbidden"); /* no CSRF value needed, but the role */
	(void)ask_for(&t, "POST", "/desk/ready", "{}", "403 forbidden");
	assert_int_equal(sw_told, 0);
	row = ask_for(&c, "POST", "/users", "{\"name\":\"示例新人\",\"login\":\"new.one\",\"role\":\"agent\"}", "201");
	assert_non_null(text_at(row, "once.password"));
	(void)str_copy(password, sizeof(password), text_at(row, "once.password"));
	(void)fix_login(&f, "new.one", password);
	fix_stop(&f);
}

TEST(what_configures_the_switch_reaches_it_and_the_board)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	(void)ask_for(&c, "POST", "/queues", "{\"name\":\"投诉\"}", "201");
	assert_int_equal(sw_configured, 1);
	(void)ask_for(&c, "POST", "/queues", "{\"name\":\"投诉\"}", "422 invalid");
	assert_int_equal(sw_configured, 1);
	{
		const json_t *queues = get(ask_for(&c, "GET", "/board", NULL, "200"), "queues");
		bool found = false;

		for (size_t i = 0; i < json_array_size(queues); i++)
			found |= !strcmp(text_at(json_array_get(queues, i), "name"), "投诉");
		assert_true(found);
	}
	fix_stop(&f);
}

TEST(agents_may_not_read_or_write_what_is_not_theirs)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "agent", NULL);
	(void)ask_for(&c, "GET", "/users", NULL, "403 forbidden");
	(void)ask_for(&c, "GET", "/tokens", NULL, "403 forbidden");
	(void)ask_for(&c, "POST", "/queues", "{\"name\":\"x\"}", "403 forbidden");
	(void)ask_for(&c, "POST", "/agents/1/logout", "{}", "403 forbidden");
	(void)ask_for(&c, "DELETE", "/demo", NULL, "403 forbidden");
	assert_true(json_array_size(get(ask_for(&c, "GET", "/meta", NULL, "200"), "resources")) > 0);
	fix_stop(&f);
}

TEST(the_demo_is_cleared_by_the_administrator)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	assert_true(fix_get(&f, "SELECT COUNT(*) FROM queues") > 0);
	assert_null(text_at(ask_for(&c, "DELETE", "/demo", NULL, "200"), "password"));
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM queues"), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM users"), 1);
	(void)ask_for(&c, "DELETE", "/demo", NULL, "404 no_demo");
	fix_stop(&f);
}

TEST(who_clears_the_demo_stays_and_gets_a_password)
{
	static char password[64];
	struct client c, other;
	const json_t *o;
	struct fix f;
	int64_t trunk;

	fix_start(&f, true);
	fix_run(&f, "INSERT INTO call (id, centre_id, dir, trunk_id, start_ms, end_ms) SELECT 1, t.centre_id, 'in', t.id, 1, 2 FROM trunks t");
	fix_run(&f, "INSERT INTO call (id, centre_id, dir, start_ms, end_ms) SELECT 2, centre_id, 'in', 1, 2 FROM trunks");
	c = fix_login(&f, "admin", NULL);
	other = fix_login(&f, "agent", NULL);
	trunk = fix_get(&f, "SELECT id FROM trunks");
	sw_hung_up_trunk = 0;
	o = ask_for(&c, "DELETE", "/demo", NULL, "200");
	assert_int_equal(sw_hung_up_trunk, trunk); /* its calls end before it goes */
	assert_text(o, "login", "admin");
	(void)str_copy(password, sizeof(password), text_at(o, "password"));
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM users WHERE login NOT IN ('admin', 'root')"), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM teams"), 0);
	assert_int_equal(fix_get(&f, "SELECT id FROM call"), 2); /* the one that is not the demo's */
	(void)ask_for(&c, "GET", "/board", NULL, "200");
	(void)ask_for(&other, "GET", "/session", NULL, "401 no_session");
	(void)ask_for(&c, "POST", "/session", "{\"demo\":\"admin\"}", "404 no_demo");
	assert_false(json_is_true(get(ask_for(&c, "GET", "/status", NULL, "200"), "demo")));
	(void)fix_login(&f, "admin", password);
	fix_stop(&f);
}

TEST(a_password_that_was_given_is_changed_before_anything_else)
{
	struct client c;
	struct fix f;

	fix_start(&f, true);
	fix_run(&f, "UPDATE users SET must_change_password = 1 WHERE login = 'root'");
	c = fix_login(&f, "root", "correct horse 7");
	assert_true(json_is_true(get(ask_for(&c, "GET", "/session", NULL, "200"), "user.must_change_password")));
	(void)ask_for(&c, "GET", "/board", NULL, "403 must_change_password");
	(void)ask_for(&c, "GET", "/events", NULL, "403 must_change_password");
	(void)ask_for(&c, "POST", "/users", "{}", "403 must_change_password");
	(void)ask_for(&c, "POST", "/session/password", "{\"old\":\"correct horse 7\",\"new\":\"battery staple 8\"}", "204");
	(void)ask_for(&c, "GET", "/board", NULL, "200");
	fix_stop(&f);
}

/* ---- desk ---- */

TEST(desk_commands_reach_the_switch_and_its_refusals_come_back)
{
	static const struct {
		const char *path, *body;
		enum sw_cmd_kind kind;
	} all[] = {
		{"/desk/login", "{\"device\":\"\",\"ready\":true}", SW_LOGIN}, {"/desk/ready", "{}", SW_READY},
		{"/desk/break", "{\"reason\":\"lunch\"}", SW_BREAK}, {"/desk/wrapup/extend", "{\"ms\":30000}", SW_WRAP_EXTEND},
		{"/desk/wrapup/end", "{}", SW_WRAP_END}, {"/desk/hangup", "{}", SW_HANGUP}, {"/desk/refuse", "{}", SW_REFUSE},
		{"/desk/hold", "{}", SW_HOLD}, {"/desk/resume", "{}", SW_RESUME}, {"/desk/digits", "{\"digits\":\"12#\"}", SW_DIGITS},
		{"/desk/logout", "{}", SW_LOGOUT},
	};
	struct fix f;
	struct client c;
	int64_t id;
	char path[64];

	fix_start(&f, true);
	c = fix_login(&f, "agent", NULL);
	id = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		sw_answer = SW_OK;
		(void)ask_for(&c, "POST", all[i].path, all[i].body, "204");
		assert_int_equal(sw_last.kind, all[i].kind);
		assert_int_equal(sw_last.user_id, id);
		sw_answer = SW_R_STATE;
		(void)ask_for(&c, "POST", all[i].path, all[i].body, "409 wrong_state");
	}
	assert_int_equal(sw_told, 2 * ARRAY_LEN(all));
	sw_answer = SW_OK;
	assert_string_equal(text_at(ask_for(&c, "POST", "/desk/dial", "{\"number\":\"13800138000\"}", "200"), "call_id"), "4711");
	assert_string_equal(sw_last.number, "13800138000");
	sw_answer = SW_R_NO_TRUNK;
	(void)ask_for(&c, "POST", "/desk/dial", "{\"number\":\"13800138000\"}", "409 no_trunk");
	(void)ask_for(&c, "POST", "/desk/dial", "{\"number\":\"1380; DROP\"}", "422 invalid");
	(void)ask_for(&c, "POST", "/desk/break", "{}", "422 invalid");
	(void)ask_for(&c, "POST", "/desk/wrapup/extend", "{\"ms\":-1}", "422 invalid");
	c = fix_login(&f, "supervisor", NULL);
	sw_answer = SW_OK;
	id = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	(void)snprintf(path, sizeof(path), "/agents/%lld/break", (long long)id);
	(void)ask_for(&c, "POST", path, "{}", "204");
	assert_int_equal(sw_last.user_id, id);
	assert_true(sw_last.force);
	assert_string_equal(sw_last.reason, "forced");
	(void)ask_for(&c, "POST", "/agents/77/break", "{}", "404 not_found");
	fix_stop(&f);
}

TEST(a_switch_that_does_not_answer_costs_three_seconds_not_a_worker)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "agent", NULL);
	sw_silent = true;
	(void)ask_for(&c, "POST", "/desk/ready", "{}", "503 busy");
	sw_silent = false;
	(void)ask_for(&c, "POST", "/desk/ready", "{}", "204");
	fix_stop(&f);
}

static int open_sip(struct client *c, const char *origin)
{
	char *text = xasprintf("GET /sip HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n"
			       "Cookie: %s\r\n%s\r\n",
			       http_port(c->f->http), c->cookie, origin);
	int fd = fix_dial(c->f);

	assert_true(send(fd, text, strlen(text), 0) > 0);
	free(text);
	return fd;
}

static int sip_status(struct client *c, const char *origin, char *after, size_t size)
{
	char buf[2048];
	size_t n = 0;
	int fd = open_sip(c, origin), status;
	char *gap = NULL;

	buf[0] = '\0';
	while (n < sizeof(buf) - 1) {
		ssize_t r = recv(fd, buf + n, sizeof(buf) - 1 - n, 0);

		if (r <= 0)
			break;
		n += (size_t)r;
		buf[n] = '\0';
		gap = strstr(buf, "\r\n\r\n");
		if (gap && (strncmp(buf, "HTTP/1.1 101", 12) || strstr(gap, "peer=")))
			break;
	}
	status = atoi(buf + 9);
	(void)str_copy(after, size, gap ? gap + 4 : "");
	(void)close(fd);
	return status;
}

TEST(the_browsers_telephone_is_bound_to_its_session_and_origin)
{
	struct fix f;
	struct client c, d;
	char after[256], origin[128], want[128], md5[33];
	const json_t *a;
	int64_t id;

	fix_start(&f, true);
	c = fix_login(&f, "agent", NULL);
	id = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	(void)snprintf(origin, sizeof(origin), "Origin: http://127.0.0.1:%u\r\n", http_port(f.http));
	assert_int_equal(sip_status(&c, origin, after, sizeof(after)), 403); /* no telephone asked for yet */
	a = ask_for(&c, "POST", "/desk/phone", "{}", "200");
	(void)snprintf(want, sizeof(want), "w%lld", (long long)id);
	assert_text(a, "device", want);
	assert_string_equal(sw_last.device, want);
	/* no TURN is configured */
	assert_int_equal(json_array_size(get(a, "ice")), 0);
	/* HA1 = MD5(user:realm:password), RFC 7616 3.4.2, by another program */
	{
		char cmd[256];
		FILE *p;

		(void)snprintf(cmd, sizeof(cmd), "printf '%%s' '%s:huawu:%s' | md5sum | cut -c1-32", want, text_at(a, "password"));
		p = popen(cmd, "r");
		assert_non_null(fgets(md5, sizeof(md5), p));
		(void)pclose(p);
		assert_string_equal(sw_last.ha1_md5, md5);
	}
	assert_int_equal(sip_status(&c, origin, after, sizeof(after)), 101);
	(void)snprintf(want, sizeof(want), "device=w%lld peer=127.0.0.1", (long long)id);
	assert_string_equal(after, want);
	assert_int_equal(sip_status(&c, "", after, sizeof(after)), 403);
	assert_int_equal(sip_status(&c, "Origin: http://evil.example\r\n", after, sizeof(after)), 403);
	/* another browser of the same person takes the telephone over */
	d = fix_login(&f, "agent", NULL);
	(void)ask_for(&d, "POST", "/desk/phone", "{}", "200");
	assert_int_equal(edge_cuts, 1);
	assert_int_equal(sip_status(&c, origin, after, sizeof(after)), 403);
	assert_int_equal(sip_status(&d, origin, after, sizeof(after)), 101);
	/* asking anew from the same one is no taking over */
	(void)ask_for(&d, "POST", "/desk/phone", "{}", "200");
	assert_int_equal(edge_cuts, 1);
	/* log-out: desk, secret and socket go */
	sw_told = 0;
	(void)ask_for(&d, "DELETE", "/session", NULL, "204");
	assert_int_equal(sw_told, 2);
	assert_int_equal(sw_last.kind, SW_CREDENTIAL_GONE);
	assert_int_equal(edge_cuts, 2);
	fix_stop(&f);
}

TEST(who_is_switched_off_loses_session_and_telephone_at_once)
{
	struct fix f;
	struct client c, boss;
	char path[64];

	fix_start(&f, true);
	c = fix_login(&f, "agent", NULL);
	boss = fix_login(&f, "admin", NULL);
	(void)ask_for(&c, "POST", "/desk/phone", "{}", "200");
	(void)snprintf(path, sizeof(path), "/users/%lld", (long long)fix_get(&f, "SELECT id FROM users WHERE login = 'agent'"));
	assert_int_equal(ask(&boss, "PATCH", path, "If-Match: 1\r\n", "{\"active\":false}")->status, 200);
	assert_int_equal(sw_last.kind, SW_CREDENTIAL_GONE);
	assert_int_equal(edge_cuts, 1);
	(void)ask_for(&c, "GET", "/session", NULL, "401 no_session");
	fix_stop(&f);
}

/* ---- history ---- */

#define CALL_AT(ms) (((ms) - ID_EPOCH_MS) << 22)
#define T0 1800000000000LL

static void make_call(struct fix *f, int i, const char *agent, bool answered)
{
	char sql[1024];
	long long at = T0 + i * 60000LL, id = CALL_AT(at);

	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO call (id, centre_id, dir, queue_id, agent_id, first_agent_id, start_ms, answer_ms, end_ms, wait_ms, talk_ms, by)"
		       " VALUES (%lld, %lld, 'in', (SELECT MIN(id) FROM queues), %s, %s, %lld, %s, %lld, 5000, 30000, 'customer')",
		       id, (long long)f->centre_id, agent, agent, at, answered ? "1800000000000" : "NULL", at + 40000);
	fix_run(f, sql);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO call_pii (call_id, centre_id, from_number, to_number, name) VALUES (%lld, %lld, '138001380%02d', '4001', '示例客户%d')",
		       id, (long long)f->centre_id, i % 3, i);
	fix_run(f, sql);
}

#define AGENT "(SELECT id FROM users WHERE login = 'agent')"

TEST(history_is_filtered_paged_and_an_agents_own)
{
	struct fix f;
	struct client boss, agent;
	const json_t *page;
	char path[256], next[32];
	int64_t own;

	fix_start(&f, true);
	for (int i = 0; i < 10; i++)
		make_call(&f, i, i % 2 ? AGENT : "NULL", i % 2);
	boss = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	page = ask_for(&boss, "GET", "/calls?limit=4", NULL, "200");
	assert_int_equal(json_array_size(get(page, "items")), 4);
	assert_int_equal(json_integer_value(get(page, "items.0.start_ms")), T0 + 9 * 60000); /* newest first */
	(void)str_copy(next, sizeof(next), text_at(page, "next"));
	(void)snprintf(path, sizeof(path), "/calls?limit=4&before=%s", next);
	page = ask_for(&boss, "GET", path, NULL, "200");
	assert_int_equal(json_integer_value(get(page, "items.0.start_ms")), T0 + 5 * 60000);
	(void)snprintf(path, sizeof(path), "/calls?limit=4&before=%s", text_at(page, "next"));
	page = ask_for(&boss, "GET", path, NULL, "200");
	assert_int_equal(json_array_size(get(page, "items")), 2);
	assert_true(json_is_null(get(page, "next")));
	assert_int_equal(json_array_size(get(ask_for(&boss, "GET", "/calls?answered=0", NULL, "200"), "items")), 5);
	assert_int_equal(json_array_size(get(ask_for(&boss, "GET", "/calls?dir=out", NULL, "200"), "items")), 0);
	assert_int_equal(json_array_size(get(ask_for(&boss, "GET", "/calls?q=13800138001", NULL, "200"), "items")), 3); /* 1, 4, 7 */
	assert_int_equal(json_array_size(get(ask_for(&boss, "GET", "/calls?q=%25", NULL, "200"), "items")), 0);
	(void)snprintf(path, sizeof(path), "/calls?from_ms=%lld&to_ms=%lld&by=customer", T0 + 60000, T0 + 3 * 60000);
	assert_int_equal(json_array_size(get(ask_for(&boss, "GET", path, NULL, "200"), "items")), 2);
	(void)ask_for(&boss, "GET", "/calls?by=me", NULL, "400 bad_query");
	(void)ask_for(&boss, "GET", "/calls?limit=1000", NULL, "400 bad_query");
	assert_int_equal(json_array_size(get(ask_for(&agent, "GET", "/calls", NULL, "200"), "items")), 5);
	own = CALL_AT(T0 + 60000);
	(void)snprintf(path, sizeof(path), "/calls/%lld", (long long)own);
	(void)ask_for(&agent, "GET", path, NULL, "200");
	(void)snprintf(path, sizeof(path), "/calls/%lld", (long long)CALL_AT(T0));
	(void)ask_for(&agent, "GET", path, NULL, "404 not_found");
	(void)ask_for(&boss, "GET", path, NULL, "200");
	page = ask_for(&boss, "GET", "/numbers/lookup?number=13800138001", NULL, "200");
	assert_int_equal(json_array_size(get(page, "calls")), 3);
	page = ask_for(&agent, "GET", "/numbers/lookup?number=13800138001", NULL, "200");
	assert_int_equal(json_array_size(get(page, "calls")), 2); /* 1 and 7 are his */
	assert_string_equal(text_at(page, "name"), "示例客户7");
	(void)ask_for(&agent, "GET", "/numbers/lookup?number=%27", NULL, "400 bad_query");
	fix_stop(&f);
}

TEST(a_call_in_detail_and_its_recording_by_the_same_right)
{
	struct fix f;
	struct client boss, agent;
	char path[256], sql[1024];
	long long id = CALL_AT(T0);
	const struct answer *a;
	const json_t *o;
	FILE *w;

	fix_start(&f, true);
	make_call(&f, 0, "NULL", false);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO segment (id, centre_id, call_id, type, start_ms, end_ms, queue_id) VALUES (1, 1, %lld, 'queue', 1, 2, NULL),"
		       " (2, 1, %lld, 'talk', 2, 3, NULL)", id, id);
	fix_run(&f, sql);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO offer (id, centre_id, core_id, call_id, agent_id, start_ms, why) VALUES (5, 1, 1, %lld, " AGENT
		       ", 1, '{\"winner\":\"7\",\"best\":[{\"agent\":\"' || " AGENT " || '\",\"idle_ms\":7},{\"agent\":\"9\"}]}')", id);
	fix_run(&f, sql);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO leg (id, centre_id, call_id, role, dir, start_ms, quality) VALUES (6, 1, %lld, 'customer', 'in', 1,"
		       " '{\"rx\":500,\"mos\":4.3}')", id);
	fix_run(&f, sql);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO recording_part (id, centre_id, call_id, segment_id, path, start_ms, state, dur_ms, bytes) VALUES"
		       " (9, 1, %lld, 2, 'r.wav', 2, 'closed', 1000, 10), (10, 1, %lld, 2, 'gone.wav', 2, 'closed', 1000, 10)", id, id);
	fix_run(&f, sql);
	(void)snprintf(path, sizeof(path), "%s/r.wav", f.dir);
	w = fopen(path, "w");
	(void)fputs("RIFF012345", w);
	(void)fclose(w);
	boss = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	(void)snprintf(path, sizeof(path), "/calls/%lld", id);
	o = ask_for(&boss, "GET", path, NULL, "200");
	assert_string_equal(text_at(o, "segments.1.type"), "talk");
	assert_int_equal(json_integer_value(get(o, "offers.0.why.best.0.idle_ms")), 7);
	assert_string_equal(text_at(o, "offers.0.why.best.0.name"), text_at(o, "offers.0.agent"));
	assert_null(get(o, "offers.0.why.best.1.name")); /* gone meanwhile */
	assert_int_equal(json_integer_value(get(o, "legs.0.quality.rx")), 500);
	assert_int_equal(json_integer_value(get(o, "recordings.0.bytes")), 10);
	a = ask(&boss, "GET", "/recordings/9/audio", "Range: bytes=4-6\r\n", NULL);
	assert_int_equal(a->status, 206);
	assert_string_equal(a->body, "012");
	assert_non_null(strstr(ask(&boss, "GET", "/recordings/9/audio?download=1", NULL, NULL)->head, "Content-Disposition: attachment"));
	assert_int_equal(ask(&boss, "GET", "/recordings/10/audio", NULL, NULL)->status, 404);
	(void)ask_for(&agent, "GET", "/recordings/9/audio", NULL, "404 not_found");
	(void)ask_for(&boss, "GET", "/recordings/77/audio", NULL, "404 not_found");
	fix_stop(&f);
}

/* ---- the rest ---- */

TEST(health_says_when_the_log_is_pressed)
{
	struct fix f;
	struct client c = {.f = &f};

	fix_start(&f, false);
	assert_true(json_is_true(get(ask_for(&c, "GET", "/health", NULL, "200"), "ok")));
	say_ring_full(true);
	assert_true(json_is_true(get(ask_for(&c, "GET", "/health", NULL, "503"), "journal_pressed")));
	fix_stop(&f);
}

TEST(the_checked_in_document_is_the_served_one_and_names_every_endpoint)
{
	struct fix f;
	struct client c = {.f = &f};
	char *text = api_openapi(), *file, path[256];
	FILE *s;
	long n;

	/* Where the compiler was told a relative path, it was from the build folder: also run from the folder above it. */
	(void)snprintf(path, sizeof(path), "%.*s/../../schema/openapi.json", (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
	if (!strncmp(path, "../", 3) && access(path, F_OK))
		memmove(path, path + 3, strlen(path + 3) + 1);
	if (getenv("HUAWU_WRITE_SCHEMA")) {
		s = fopen(path, "we");
		(void)fputs(text, s);
		(void)fclose(s);
	}
	s = fopen(path, "re");
	if (!s)
		fail_msg("%s is not there", path);
	(void)fseek(s, 0, SEEK_END);
	n = ftell(s);
	rewind(s);
	file = xcalloc(1, (size_t)n + 1);
	assert_int_equal(fread(file, 1, (size_t)n, s), (size_t)n);
	(void)fclose(s);
	if (strcmp(file, text) != 0)
		fail_msg("schema/openapi.json is not what the server says: HUAWU_WRITE_SCHEMA=1 build/test_api checked_in writes it anew");
	fix_start(&f, false);
	assert_int_equal(ask(&c, "GET", "/openapi.json", NULL, NULL)->status, 200);
	fix_stop(&f);
	for (size_t i = 0; i < api_endpoint_n; i++) {
		static const struct {
			unsigned m;
			const char *name;
		} verbs[] = {{HTTP_GET, "get"}, {HTTP_POST, "post"}, {HTTP_PATCH, "patch"}, {HTTP_DELETE, "delete"}};
		const json_t *item = json_object_get(json_object_get(the_document(), "paths"), api_endpoints[i].path);

		if (api_endpoints[i].page || strstr(api_endpoints[i].path, "{resource}"))
			continue;
		for (size_t v = 0; v < ARRAY_LEN(verbs); v++)
			if ((api_endpoints[i].methods & verbs[v].m) && !json_object_get(item, verbs[v].name))
				fail_msg("%s %s is not in the document", verbs[v].name, api_endpoints[i].path);
	}
	free(file);
	free(text);
}

TEST(the_page_is_served_with_its_types_and_guards)
{
	static struct embed_file files[] = {
		{"assets/index-abc.js", (const unsigned char *)"let a", 5},
		{"favicon.svg", (const unsigned char *)"<svg/>", 6},
		{"index.html", (const unsigned char *)"<html>", 6},
	};
	struct embed_file *kept = page_files;
	size_t kept_n = page_files_n;
	struct fix f;
	struct client c = {.f = &f};
	const struct answer *a;
	char header[128], etag[64];

	fix_start(&f, false);
	page_files = NULL;
	page_files_n = 0;
	a = ask(&c, "GET", "//", NULL, NULL);
	assert_int_equal(a->status, 200);
	assert_non_null(strstr(a->body, "npm run build"));
	page_files = files;
	page_files_n = 3;
	a = ask(&c, "GET", "//", NULL, NULL);
	assert_string_equal(a->body, "<html>");
	assert_non_null(strstr(a->head, "Cache-Control: no-cache"));
	assert_non_null(strstr(a->head, "frame-ancestors 'none'"));
	assert_non_null(strstr(a->head, "X-Content-Type-Options: nosniff"));
	assert_non_null(strstr(a->head, "Referrer-Policy: "));
	assert_int_equal(sscanf(strstr(a->head, "ETag: "), "ETag: %60[^\r]", etag), 1);
	(void)snprintf(header, sizeof(header), "If-None-Match: %s\r\n", etag);
	assert_int_equal(ask(&c, "GET", "//", header, NULL)->status, 304);
	assert_string_equal(ask(&c, "GET", "//history/5", NULL, NULL)->body, "<html>");
	a = ask(&c, "GET", "//assets/index-abc.js", NULL, NULL);
	assert_non_null(strstr(a->head, "text/javascript"));
	assert_non_null(strstr(a->head, "immutable"));
	assert_int_equal(ask(&c, "GET", "//assets/index-old.js", NULL, NULL)->status, 404);
	assert_int_equal(ask(&c, "GET", "//api/v2/status", NULL, NULL)->status, 404);
	assert_int_equal(ask(&c, "GET", "//ca", NULL, NULL)->status, 404);
	fix_stop(&f);
	page_files = kept;
	page_files_n = kept_n;
}

static char *a_doctor(void *arg, struct db *db, bool en)
{
	assert_non_null(db);
	return xasprintf("{\"version\":\"1\",\"at_ms\":1,\"worst\":\"warn\",\"errors\":0,\"warnings\":1,\"checks\":[{\"id\":\"x\",\"title\":\"%s\",\"level\":\"warn\","
			 "\"found\":\"f\",\"todo\":null}]}",
			 en ? "Disk" : "磁盘");
}

TEST(the_doctor_is_for_administrators_and_speaks_their_language)
{
	struct fix f;
	struct client c, lead;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	(void)ask_for(&c, "GET", "/doctor", NULL, "404 not_found");
	((struct api_conf *)(uintptr_t)&f.api->conf)->doctor = a_doctor;
	j = ask_for(&c, "GET", "/doctor", NULL, "200");
	assert_string_equal(text_at(json_array_get(json_object_get(j, "checks"), 0), "title"), "磁盘");
	strcpy(c.lang, "en");
	j = ask_for(&c, "GET", "/doctor", NULL, "200");
	assert_string_equal(text_at(json_array_get(json_object_get(j, "checks"), 0), "title"), "Disk");
	lead = fix_login(&f, "supervisor", NULL);
	(void)ask_for(&lead, "GET", "/doctor", NULL, "403 forbidden");
	fix_stop(&f);
}

TEST(numbers_are_tried_and_test_calls_placed)
{
	struct fix f;
	struct client admin, agent;
	const json_t *page;

	fix_start(&f, true);
	admin = fix_login(&f, "admin", NULL);
	agent = fix_login(&f, "agent", NULL);
	page = ask_for(&admin, "POST", "/trunks/7/try", "{\"number\":\"00852 2123-4567\",\"dir\":\"out\"}", "200");
	assert_string_equal(text_at(page, "sentence"), api_sentence("abroad_off", "zh"));
	assert_string_equal(text_at(page, "region"), "中国香港特别行政区");
	assert_string_equal(sw_tried.number, "0085221234567"); /* cleaned as a dialled number is */
	(void)ask_for(&admin, "POST", "/trunks/7/try",
		      "{\"number\":\"+8613800138000\",\"dir\":\"in\",\"which\":\"calling\",\"form\":{\"called\":\"local\",\"shown\":\"e164\",\"area\":\"0755\",\"pai\":true}}",
		      "200");
	assert_true(sw_tried.in && sw_tried.calling && sw_tried.has_form && sw_tried.form.pai && sw_tried.form.called == NUM_F_LOCAL);
	assert_string_equal(sw_tried.form.area, "755");
	(void)ask_for(&admin, "POST", "/trunks/404/try", "{\"number\":\"1\",\"dir\":\"out\"}", "404 not_found");
	(void)ask_for(&admin, "POST", "/trunks/7/try", "{\"number\":\"1\",\"dir\":\"up\"}", "422 invalid");
	(void)ask_for(&admin, "POST", "/trunks/7/try", "{\"number\":\"1\",\"dir\":\"out\",\"form\":{\"called\":\"x\",\"shown\":\"raw\"}}", "422 invalid");
	(void)ask_for(&agent, "POST", "/trunks/7/try", "{\"number\":\"1\",\"dir\":\"out\"}", "403 forbidden");
	page = ask_for(&admin, "GET", "/number_presets", NULL, "200");
	assert_true(json_array_size(get(page, "items")) >= 5);
	page = ask_for(&admin, "POST", "/trunks/7/test", "{\"number\":\"138 0013 8000\",\"seconds\":30}", "200");
	assert_string_equal(text_at(page, "call_id"), "4711");
	assert_true(sw_last.kind == SW_TEST_CALL && sw_last.trunk_id == 7 && sw_last.ms == 30000);
	assert_string_equal(sw_last.number, "13800138000");
	(void)ask_for(&admin, "POST", "/trunks/7/test", "{\"number\":\"1\",\"seconds\":3600}", "422 invalid");
	(void)ask_for(&agent, "POST", "/trunks/7/test", "{\"number\":\"1\",\"seconds\":30}", "403 forbidden");
	page = ask_for(&admin, "GET", "/test_calls/4711", NULL, "200");
	assert_true(json_is_false(get(page, "known")));
	(void)ask_for(&admin, "POST", "/test_calls/4711/end", "{}", "204");
	assert_true(sw_last.kind == SW_TEST_END && sw_last.call_id == 4711);
	fix_stop(&f);
}

/* What coturn computes itself, by another program; the secret never leaves, and the list keeps its order. */
TEST(turn_passwords_are_those_that_coturn_expects)
{
	struct api_conf conf = {.turn = "turn:t.example.com:3478?transport=udp, stun:t.example.com", .turn_secret = "north-wind"};
	json_t *ice = turn_servers(&conf, "w17", 1700000000123);
	char cmd[256], want[64] = "";
	FILE *p;

	assert_int_equal(json_array_size(ice), 2);
	assert_string_equal(json_string_value(get(ice, "0.urls.0")), "turn:t.example.com:3478?transport=udp");
	assert_string_equal(json_string_value(get(ice, "0.username")), "1700043200:w17"); /* twelve hours later */
	assert_string_equal(json_string_value(get(ice, "1.urls.0")), "stun:t.example.com");
	assert_null(get(ice, "1.credential"));
	(void)snprintf(cmd, sizeof(cmd), "printf '1700043200:w17' | openssl dgst -sha1 -hmac north-wind -binary | base64");
	p = popen(cmd, "r");
	assert_non_null(fgets(want, sizeof(want), p));
	(void)pclose(p);
	want[strcspn(want, "\n")] = '\0';
	assert_string_equal(json_string_value(get(ice, "0.credential")), want);
	json_decref(ice);
	conf.turn_secret = NULL; /* half a configuration: no TURN without a password */
	ice = turn_servers(&conf, "w17", 1700000000123);
	assert_int_equal(json_array_size(ice), 1);
	json_decref(ice);
}
