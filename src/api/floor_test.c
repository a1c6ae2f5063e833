/* Who may hear whom: every ready role against people of the same team, of the department and beyond. */
#include "api/fixture.h"

#include <unistd.h>

#include "api/live.h"

#define CALL 250000000000000100LL

enum { TEAM, DEPARTMENT, BEYOND, PLACES };
enum { L = 1, W = 2, J = 4, T = 8 }; /* listens, whispers, joins, takes over */

/*
 * Written from what the roles are for (people/rights.c): who leads may do all of it as far as he leads; a floor supervisor has no desk, so
 * takes nothing over; quality inspectors and directors only listen; trainers of the floor whisper; who serves customers, looks after
 * their data or teaches from recordings hears nobody. told: whether the agent sees that he listens.
 */
static const struct {
	const char *role;
	unsigned may;
	int reach; /* the farthest place */
	bool told;
} expected[] = {
	{"agent", 0, 0, false},            {"telesales", 0, 0, false},   {"aftersales", 0, 0, false}, {"expediter", 0, 0, false},
	{"telmanager", 0, 0, false},       {"coordinator", 0, 0, false}, {"marketing", 0, 0, false},  {"crm", 0, 0, false},
	{"trainer", 0, 0, false},          {"lead", L | W | J | T, TEAM, true},
	{"orders", L | W | J | T, DEPARTMENT, true}, {"aftersales_lead", L | W | J | T, DEPARTMENT, true},
	{"outbound_lead", L | W | J | T, DEPARTMENT, true}, {"supervisor", L | W | J | T, BEYOND, true},
	{"manager", L | W | J | T, BEYOND, true},    {"floor", L | W | J, BEYOND, true},
	{"qa", L, BEYOND, false},          {"qa_service", L, BEYOND, true}, {"training_lead", L | W, BEYOND, true},
	{"director", L, BEYOND, false},    {"admin", L | W | J | T, BEYOND, true},
};

static int64_t agents[PLACES], boss_id, n;

static void floor_make(struct fix *f)
{
	static const char *const sql[] = {
		"INSERT INTO departments (id, centre_id, rev, created_ms, updated_ms, name, sort) SELECT 901, id, 1, 1, 1, 'D1', 1 FROM centre",
		"INSERT INTO departments (id, centre_id, rev, created_ms, updated_ms, name, sort) SELECT 902, id, 1, 1, 1, 'D2', 1 FROM centre",
		"INSERT INTO teams (id, centre_id, rev, created_ms, updated_ms, name, department_id) SELECT 911, id, 1, 1, 1, 'T1', 901 FROM centre",
		"INSERT INTO teams (id, centre_id, rev, created_ms, updated_ms, name, department_id) SELECT 912, id, 1, 1, 1, 'T2', 901 FROM centre",
		"INSERT INTO teams (id, centre_id, rev, created_ms, updated_ms, name, department_id) SELECT 913, id, 1, 1, 1, 'T3', 902 FROM centre",
		"UPDATE teams SET lead_id = NULL",
		"UPDATE departments SET head_id = NULL",
		"UPDATE users SET team_id = 911 WHERE login = 'lead'",
	};

	for (size_t i = 0; i < ARRAY_LEN(sql); i++)
		fix_run(f, sql[i]);
	boss_id = fix_get(f, "SELECT id FROM users WHERE login = 'lead'");
	n = 0;
	for (int i = 0; i < PLACES; i++) {
		char text[200];

		(void)snprintf(text, sizeof(text), "SELECT id FROM users WHERE role = 'agent' ORDER BY id LIMIT 1 OFFSET %d", i);
		agents[i] = fix_get(f, text);
		(void)snprintf(text, sizeof(text), "UPDATE users SET team_id = %d WHERE id = %lld", 911 + i, (long long)agents[i]);
		fix_run(f, text);
		say_call(1000, CALL + i, "13800138000", "");
		say(EV_SEG_OPEN, 1000, CALL + i, agents[i], 0, "{\"seg\":\"1\",\"type\":\"talk\"}");
		n += 2;
	}
}

/* The live view has seen all of it. */
static void folded(struct fix *f)
{
	for (int i = 0; i < 3000 && live_talker(f->api->live, CALL + BEYOND) != agents[BEYOND]; i++)
		(void)usleep(10000);
	assert_int_equal(live_talker(f->api->live, CALL + BEYOND), agents[BEYOND]);
}

static int asks(struct client *c, int place, const char *what, const char *body)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "/calls/%lld/%s", CALL + place, what);
	return ask(c, "POST", path, NULL, body)->status;
}

TEST(every_role_hears_whom_it_should_and_nobody_else)
{
	static const char *const how[] = {"listen", "whisper", "join"};
	struct client boss;
	char text[200];
	struct fix f;

	fix_start(&f, true);
	boss = fix_login(&f, "supervisor", NULL);
	floor_make(&f);
	folded(&f);
	assert_int_equal(fix_get(&f, "SELECT count(*) FROM roles"), ARRAY_LEN(expected)); /* a new one needs a line here */
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		(void)snprintf(text, sizeof(text), "UPDATE users SET role = '%s' WHERE login = 'lead'", expected[i].role);
		fix_run(&f, text);
		for (int place = 0; place < PLACES; place++) {
			bool in_reach = place <= expected[i].reach;

			for (unsigned k = 0; k < 3; k++) {
				int want = !(expected[i].may & (1u << k)) ? 403 : in_reach ? 204 : 404, got;

				(void)snprintf(text, sizeof(text), "{\"how\":\"%s\"}", how[k]);
				memset(&sw_last, 0, sizeof(sw_last));
				got = asks(&boss, place, "listen", text);
				if (got != want)
					fail_msg("%s %s at %d: %d, not %d", expected[i].role, how[k], place, got, want);
				if (want != 204) {
					assert_int_equal(sw_last.user_id, 0); /* the switch heard nothing of it */
					continue;
				}
				assert_int_equal(sw_last.kind, SW_LISTEN);
				assert_int_equal(sw_last.how, k);
				assert_int_equal(sw_last.call_id, CALL + place);
				assert_int_equal(sw_last.user_id, boss_id);
				assert_int_equal(sw_last.told, k || expected[i].told);
			}
			assert_int_equal(asks(&boss, place, "takeover", "{}"), !(expected[i].may & T) ? 403 : in_reach ? 204 : 404);
			assert_int_equal(asks(&boss, place, "whisper", "{\"text\":\"slowly\"}"), !(expected[i].may & W) ? 403 : in_reach ? 204 : 404);
		}
	}
	fix_stop(&f);
}

TEST(bad_ways_and_calls_that_are_not_there_are_refused)
{
	struct client boss;
	struct fix f;

	fix_start(&f, true);
	boss = fix_login(&f, "supervisor", NULL);
	floor_make(&f);
	folded(&f);
	assert_int_equal(asks(&boss, 0, "listen", "{\"how\":\"shout\"}"), 422);
	assert_int_equal(asks(&boss, 0, "listen", "{}"), 422);
	assert_int_equal(asks(&boss, 7, "listen", "{\"how\":\"listen\"}"), 404);
	assert_int_equal(asks(&boss, 0, "whisper", "{}"), 422);
	sw_answer = SW_R_NO_DEVICE;
	assert_int_equal(asks(&boss, 0, "listen", "{\"how\":\"listen\"}"), 409);
	sw_answer = SW_OK;
	assert_int_equal(asks(&boss, 0, "listen/end", "{}"), 204);
	assert_int_equal(sw_last.kind, SW_LISTEN_END);
	fix_stop(&f);
}

static const json_t *call_of(const json_t *o, int place)
{
	const json_t *calls = json_object_get(o, "calls");
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", CALL + place);
	for (size_t i = 0; i < json_array_size(calls); i++)
		if (!strcmp(json_string_value(json_object_get(json_array_get(calls, i), "id")), id))
			return json_array_get(calls, i);
	fail_msg("no call");
	return NULL;
}

TEST(a_question_is_on_the_board_until_it_is_answered_and_stays_in_the_list)
{
	struct client boss, me;
	const json_t *c, *items;
	int64_t agent;
	struct fix f;

	fix_start(&f, true);
	boss = fix_login(&f, "supervisor", NULL);
	me = fix_login(&f, "agent", NULL);
	floor_make(&f);
	agent = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	folded(&f);
	(void)ask_for(&me, "POST", "/desk/help", "{\"question\":\"x\"}", agent == agents[0] ? "204" : "409 no_call");
	say(EV_SEG_OPEN, 2000, CALL + BEYOND, agent, 0, "{\"seg\":\"2\",\"type\":\"talk\"}");
	for (int i = 0; i < 3000 && live_talker(f.api->live, CALL + BEYOND) != agent; i++)
		(void)usleep(10000);
	say(EV_SEG_OPEN, 2000, CALL, agents[1], 0, "{\"seg\":\"2\",\"type\":\"talk\"}");
	for (int i = 0; i < 3000 && live_talker(f.api->live, CALL) != agents[1]; i++)
		(void)usleep(10000);
	(void)ask_for(&me, "POST", "/desk/help", "{\"question\":\"how much\"}", "204");
	(void)ask_for(&me, "POST", "/desk/help", "{\"question\":\"how much is the large one\"}", "204");
	c = call_of(ask_for(&boss, "GET", "/board", NULL, "200"), BEYOND);
	assert_text(json_object_get(c, "hand"), "question", "how much is the large one");
	assert_int_equal(asks(&boss, BEYOND, "whisper", "{\"text\":\"588\"}"), 204);
	c = json_object_get(ask_for(&me, "GET", "/desk", NULL, "200"), "call");
	assert_true(json_is_null(json_object_get(c, "hand"))); /* answered */
	assert_text(json_array_get(json_object_get(c, "texts"), 0), "text", "588");
	items = json_object_get(ask_for(&boss, "GET", "/helps", NULL, "200"), "items");
	assert_text(json_array_get(items, 0), "question", "how much is the large one");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(items, 0), "end_ms")) > 0, 1);
	(void)ask_for(&me, "GET", "/helps", NULL, "403 forbidden");
	fix_stop(&f);
}

TEST(who_listens_is_shown_to_the_agent_only_where_he_is_told)
{
	struct client boss, me;
	const json_t *c;
	int64_t agent;
	char text[400];
	struct fix f;

	fix_start(&f, true);
	boss = fix_login(&f, "supervisor", NULL);
	me = fix_login(&f, "agent", NULL);
	floor_make(&f);
	agent = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	say(EV_SEG_OPEN, 2000, CALL, agent, 0, "{\"seg\":\"2\",\"type\":\"talk\"}");
	say(EV_SEG_OPEN, 2000, CALL + 1, agents[1] == agent ? agents[0] : agents[1], 0, "{\"seg\":\"2\",\"type\":\"hold\"}");
	say(EV_PARTY_NEW, 2000, CALL, boss_id, 0, "{\"party\":\"1\",\"how\":\"listen\",\"whom\":\"1\",\"told\":false}");
	say(EV_PARTY_NEW, 2000, CALL, boss_id, 0, "{\"party\":\"2\",\"how\":\"whisper\",\"whom\":\"1\",\"told\":true}");
	for (int i = 0; i < 3000; i++) {
		c = call_of(ask_for(&boss, "GET", "/board", NULL, "200"), 0);
		if (json_array_size(json_object_get(c, "parties")) == 2)
			break;
		(void)usleep(10000);
	}
	assert_int_equal(json_array_size(json_object_get(c, "parties")), 2);
	c = json_object_get(ask_for(&me, "GET", "/desk", NULL, "200"), "call");
	assert_int_equal(json_array_size(json_object_get(c, "parties")), 1);
	assert_text(json_array_get(json_object_get(c, "parties"), 0), "how", "whisper");
	/* the list is of the records, newest first, of people in reach */
	(void)snprintf(text, sizeof(text), "INSERT INTO call_party (id, centre_id, call_id, leg_id, agent_id, whom_id, how, told, start_ms, end_ms, reason)"
		       " SELECT 5, id, 9, 8, %lld, %lld, 'listen', 0, 1000, 61000, 'ended' FROM centre", (long long)boss_id, (long long)agents[0]);
	fix_run(&f, text);
	(void)snprintf(text, sizeof(text), "INSERT INTO call_party (id, centre_id, call_id, leg_id, agent_id, whom_id, how, told, start_ms)"
		       " SELECT 6, id, 9, 8, %lld, %lld, 'join', 1, 1000 FROM centre", (long long)boss_id, (long long)agents[BEYOND]);
	fix_run(&f, text);
	c = json_object_get(ask_for(&boss, "GET", "/listenings", NULL, "200"), "items");
	assert_int_equal(json_array_size(c), 2);
	assert_text(json_array_get(c, 0), "how", "join");
	assert_text(json_array_get(c, 1), "why", "ended");
	fix_run(&f, "UPDATE users SET role = 'lead' WHERE login = 'lead'");
	c = json_object_get(ask_for(&boss, "GET", "/listenings", NULL, "200"), "items");
	assert_int_equal(json_array_size(c), 1);
	assert_text(json_array_get(c, 0), "how", "listen");
	fix_stop(&f);
}
