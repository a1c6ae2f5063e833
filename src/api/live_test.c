/* The live view: events in, objects out, to whom they belong. */
#include "api/fixture.h"

#include <sys/socket.h>
#include <unistd.h>

#include "api/live.h"

/* ---- an event stream's reader ---- */

struct stream {
	int fd;
	char buf[1 << 18];
	size_t n, at;       /* at: behind the last frame taken */
	char id[48], event[32];
	json_t *data;
};

static struct stream *stream_open(struct client *c, const char *last_id)
{
	struct stream *s = xcalloc(1, sizeof(*s));
	char *text = xasprintf("GET /api/v1/events HTTP/1.1\r\nHost: h\r\n%s%s\r\n%s%s%s\r\n",
			       c->token ? "Authorization: Bearer " : "Cookie: ", c->token ? c->token : c->cookie,
			       last_id ? "Last-Event-ID: " : "", last_id ? last_id : "", last_id ? "\r\n" : "");

	s->fd = fix_dial(c->f);
	assert_true(send(s->fd, text, strlen(text), 0) > 0);
	free(text);
	return s;
}

static void stream_close(struct stream *s)
{
	(void)close(s->fd);
	json_decref(s->data);
	free(s);
}

/* Removes chunk framing lines: lines that hold a hex length only stand alone between frames or inside; data never looks like that here. */
static bool take_line(struct stream *s, char *line, size_t size)
{
	for (;;) {
		char *end = memchr(s->buf + s->at, '\n', s->n - s->at);
		size_t n;

		if (end) {
			n = (size_t)(end - (s->buf + s->at));
			(void)snprintf(line, size, "%.*s", (int)n, s->buf + s->at);
			s->at += n + 1;
			return true;
		}
		if (s->at) {
			memmove(s->buf, s->buf + s->at, s->n - s->at);
			s->n -= s->at;
			s->at = 0;
		}
		ssize_t r = recv(s->fd, s->buf + s->n, sizeof(s->buf) - s->n, 0);

		if (r <= 0)
			return false;
		s->n += (size_t)r;
	}
}

/* The next event; false at the end. Chunks of microhttpd hold whole writes of ours here, so frames are not split within a line. */
static bool next(struct stream *s)
{
	static char line[1 << 18];
	bool data = false;

	s->event[0] = '\0';
	while (take_line(s, line, sizeof(line))) {
		if (!strncmp(line, "id: ", 4))
			(void)str_copy(s->id, sizeof(s->id), line + 4);
		else if (!strncmp(line, "event: ", 7))
			(void)str_copy(s->event, sizeof(s->event), line + 7);
		else if (!strncmp(line, "data: ", 6)) {
			json_decref(s->data);
			s->data = json_loads(line + 6, 0, NULL);
			assert_non_null(s->data);
			data = true;
		} else if (!*line && data) {
			const json_t *schemas = json_object_get(json_object_get(the_document(), "components"), "schemas");
			const char *why = schema_differs(the_document(), json_object_get(schemas, s->event), s->data);

			if (why)
				fail_msg("event %s: %s", s->event, why);
			return true;
		}
	}
	return false;
}

/* Reads on until an event of this kind with this id comes (id NULL: any). */
static const json_t *await(struct stream *s, const char *event, const char *id)
{
	while (next(s))
		if (!strcmp(s->event, event) && (!id || !strcmp(json_string_value(json_object_get(s->data, "id")), id)))
			return s->data;
	fail_msg("no event %s %s came", event, id ? id : "");
	return NULL;
}

static const char *str(const json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));

	return v ? v : "";
}

static const json_t *by_id(const json_t *list, int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(str(json_array_get(list, i), "id"), text))
			return json_array_get(list, i);
	return NULL;
}

static int64_t today(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(o, "today"), key));
}

/* The live thread has folded all that was said when its board shows this event. */
static const json_t *board(struct client *c, int64_t n)
{
	char at[32];

	(void)snprintf(at, sizeof(at), "7.%lld", (long long)n);
	for (int i = 0; i < 500; i++) {
		const json_t *b = ask_for(c, "GET", "/board", NULL, "200");

		if (!strcmp(str(b, "at"), at))
			return b;
		(void)usleep(10000);
	}
	fail_msg("the board never came to %s", at);
	return NULL;
}

static int64_t agent_id, other_id, queue_id;

static void ids(struct fix *f)
{
	agent_id = fix_get(f, "SELECT id FROM users WHERE login = 'agent'");
	queue_id = fix_get(f, "SELECT queue_id FROM members WHERE user_id = (SELECT id FROM users WHERE login = 'agent') ORDER BY queue_id");
	other_id = fix_get(f, "SELECT id FROM users WHERE role = 'agent' AND login <> 'agent' ORDER BY id");
}

static void say_state(int64_t at, int64_t agent, const char *state, int64_t call, int64_t queue)
{
	char body[256], id[32] = "null";

	if (call)
		(void)snprintf(id, sizeof(id), "\"%lld\"", (long long)call);
	(void)snprintf(body, sizeof(body), "{\"t\":%lld,\"state\":\"%s\",\"prev\":\"ready\",\"reason\":null,\"team\":\"1\",\"call\":%s,\"until\":0}",
		       (long long)at, state, id);
	say(EV_AGENT_STATE, at, call, agent, queue, body);
}

#define C1 250000000000000001LL

TEST(a_call_goes_through_the_board_with_its_figures)
{
	struct fix f;
	struct client boss;
	const json_t *b, *q, *a, *c;

	fix_start(&f, true);
	ids(&f);
	boss = fix_login(&f, "supervisor", NULL);
	say_state(1000, agent_id, "ready", 0, 0);                                                                /* 1 */
	say_call(2000, C1, "13800138000", "示例客户");                                                           /* 2 */
	say(EV_SEG_OPEN, 2000, C1, 0, queue_id, "{\"seg\":\"1\",\"type\":\"queue\"}");                            /* 3 */
	b = board(&boss, 3);
	q = by_id(json_object_get(b, "queues"), queue_id);
	assert_int_equal(json_integer_value(json_object_get(q, "waiting")), 1);
	assert_int_equal(json_integer_value(json_object_get(q, "oldest_ms")), 2000);
	assert_int_equal(json_integer_value(json_object_get(q, "ready")), 1);
	assert_int_equal(json_integer_value(json_object_get(q, "logged_in")), 1);
	assert_int_equal(today(q, "offered"), 1);
	assert_true(json_is_null(json_object_get(q, "service_level")));
	c = by_id(json_object_get(b, "calls"), C1);
	assert_text(c, "state", "queue");
	assert_text(c, "from", "13800138000");

	say(EV_OFFER_NEW, 3000, C1, agent_id, queue_id, "{\"t\":3000,\"offer\":\"1\",\"ring_ms\":15000,\"why\":{}}"); /* 4 */
	say_state(3000, agent_id, "ringing", C1, queue_id);                                                      /* 5 */
	say(EV_SEG_OPEN, 3000, C1, agent_id, queue_id, "{\"seg\":\"2\",\"type\":\"ring\"}");                     /* 6 */
	c = by_id(json_object_get(board(&boss, 6), "calls"), C1);
	assert_text(c, "state", "ringing");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(c, "offer"), "until_ms")), 18000);

	say(EV_OFFER_END, 4000, C1, agent_id, queue_id, "{\"t\":4000,\"offer\":\"1\",\"outcome\":\"answered\",\"code\":200}"); /* 7 */
	say(EV_SEG_OPEN, 4000, C1, agent_id, queue_id, "{\"seg\":\"3\",\"type\":\"talk\"}");                     /* 8 */
	say(EV_CALL_ANSWER, 4000, C1, agent_id, queue_id, NULL);                                                  /* 9 */
	say_state(4000, agent_id, "talking", C1, queue_id);                                                       /* 10 */
	say(EV_REC_OPEN, 4000, C1, agent_id, queue_id, "{\"part\":\"1\",\"seg\":\"3\",\"path\":\"x\"}");          /* 11 */
	b = board(&boss, 11);
	q = by_id(json_object_get(b, "queues"), queue_id);
	assert_int_equal(json_integer_value(json_object_get(q, "waiting")), 0);
	assert_int_equal(today(q, "answered"), 1);
	assert_int_equal(today(q, "in_target"), 1); /* 2 s of 20 */
	assert_int_equal(json_integer_value(json_object_get(q, "talking")), 1);
	assert_int_equal(json_number_value(json_object_get(q, "service_level")), 1);
	c = by_id(json_object_get(b, "calls"), C1);
	assert_text(c, "state", "talking");
	assert_true(json_is_true(json_object_get(c, "recording")));
	assert_true(json_is_null(json_object_get(c, "offer")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(b, "totals"), "in_calls")), 1);

	say(EV_ACD_IN, 5000, 0, agent_id, 0, "{\"k\":\"break\",\"agent\":\"1\"}");                               /* 12: not his id: nothing */
	say(EV_SEG_OPEN, 34000, C1, agent_id, queue_id, "{\"seg\":\"4\",\"type\":\"hold\"}");                    /* 13 */
	say(EV_CALL_END, 35000, C1, 0, queue_id, "{\"by\":\"customer\",\"cause\":\"normal\"}");                  /* 14 */
	b = board(&boss, 14);
	assert_null(by_id(json_object_get(b, "calls"), C1));
	a = by_id(json_object_get(b, "agents"), agent_id);
	assert_int_equal(today(a, "answered"), 1);
	assert_int_equal(today(a, "talk_ms"), 30000); /* 4 s to 34 s; the hold is not talk */
	q = by_id(json_object_get(b, "queues"), queue_id);
	assert_int_equal(today(q, "abandoned"), 0);

	say_call(40000, C1 + 1, "13900139000", "");                                                              /* 15 */
	say(EV_SEG_OPEN, 40000, C1 + 1, 0, queue_id, "{\"seg\":\"5\",\"type\":\"queue\"}");                       /* 16 */
	say(EV_OFFER_NEW, 41000, C1 + 1, agent_id, queue_id, "{\"t\":41000,\"offer\":\"2\",\"ring_ms\":15000}");  /* 17 */
	say(EV_OFFER_END, 56000, C1 + 1, agent_id, queue_id, "{\"t\":56000,\"offer\":\"2\",\"outcome\":\"timeout\",\"code\":0}"); /* 18 */
	say(EV_CALL_END, 57000, C1 + 1, 0, queue_id, "{\"by\":\"customer\"}");                                   /* 19 */
	b = board(&boss, 19);
	assert_int_equal(today(by_id(json_object_get(b, "queues"), queue_id), "abandoned"), 1);
	assert_int_equal(today(by_id(json_object_get(b, "agents"), agent_id), "missed"), 1);
	assert_int_equal(json_number_value(json_object_get(by_id(json_object_get(b, "queues"), queue_id), "service_level")) * 2, 1);
	fix_stop(&f);
}

TEST(the_board_says_who_is_absent_where_he_sits_and_who_is_new)
{
	struct fix f;
	struct client boss;
	const json_t *b, *a;

	fix_start(&f, true);
	ids(&f);
	fix_run(&f, "UPDATE users SET seat = 'B07', staff_no = '0815', newcomer_until = '2999-12-31' WHERE login = 'agent'");
	fix_run(&f, "UPDATE users SET newcomer_until = '2020-01-31' WHERE login <> 'agent'");
	api_conf_changed(f.api, api_db(f.api));
	boss = fix_login(&f, "supervisor", NULL);
	b = ask_for(&boss, "GET", "/board", NULL, "200");
	a = by_id(json_object_get(b, "agents"), agent_id);
	assert_text(a, "state", "offline");
	assert_text(a, "seat", "B07");
	assert_text(a, "staff_no", "0815");
	assert_true(json_is_true(json_object_get(a, "newcomer")));
	assert_false(json_is_true(json_object_get(by_id(json_object_get(b, "agents"), other_id), "newcomer")));
	fix_stop(&f);
}

TEST(a_line_for_breaks_is_told_with_places_and_slots)
{
	struct fix f;
	struct client boss;
	const json_t *b, *a;

	fix_start(&f, true);
	ids(&f);
	fix_run(&f, "UPDATE teams SET break_max = 1");
	fix_run(&f, "UPDATE users SET team_id = (SELECT MIN(id) FROM teams) WHERE role = 'agent'");
	api_conf_changed(f.api, api_db(f.api));
	boss = fix_login(&f, "supervisor", NULL);
	say_state(1000, agent_id, "ready", 0, 0);
	say_state(1000, other_id, "ready", 0, 0);
	say(EV_REST, 2000, 0, other_id, 0, "{\"what\":\"waits\",\"why\":\"queue\",\"reason\":\"tea\",\"until\":0}");
	say(EV_REST, 3000, 0, agent_id, 0, "{\"what\":\"waits\",\"why\":\"team\",\"reason\":\"lunch\",\"until\":0}");
	b = json_object_get(board(&boss, 4), "agents");
	a = json_object_get(by_id(b, agent_id), "rest");
	assert_int_equal(json_integer_value(json_object_get(a, "place")), 2);
	assert_text(a, "why", "team");
	assert_text(a, "reason", "lunch");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(by_id(b, agent_id), "slots"), "away")), 0);
	say(EV_REST, 4000, 0, other_id, 0, "{\"what\":\"turn\",\"why\":\"free\",\"reason\":\"tea\",\"until\":124000}");
	b = json_object_get(board(&boss, 5), "agents");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(by_id(b, other_id), "rest"), "until_ms")), 124000);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(by_id(b, agent_id), "rest"), "place")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(by_id(b, agent_id), "slots"), "away")), 1); /* kept for him */
	say(EV_REST, 5000, 0, other_id, 0, "{\"what\":\"granted\",\"why\":\"turn\"}");
	say_state(5000, other_id, "break", 0, 0);
	b = json_object_get(board(&boss, 7), "agents");
	assert_true(json_is_null(json_object_get(by_id(b, other_id), "rest")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(by_id(b, agent_id), "slots"), "away")), 1);
	fix_stop(&f);
}

TEST(what_was_asked_for_later_is_pending)
{
	struct fix f;
	struct client boss;
	char body[128];

	fix_start(&f, true);
	ids(&f);
	boss = fix_login(&f, "supervisor", NULL);
	say_state(1000, agent_id, "talking", C1, queue_id);
	{
		struct acd_in in = {.kind = ACD_IN_BREAK, .at_ms = 2000, .agent_id = agent_id, .reason = "lunch"};
		struct strb b;

		strb_init_fixed(&b, body, sizeof(body));
		acd_in_encode(&in, &b);
		say(EV_ACD_IN, 2000, 0, agent_id, 0, body);
		assert_text(by_id(json_object_get(board(&boss, 2), "agents"), agent_id), "pending", "break");
		in = (struct acd_in){.kind = ACD_IN_DEVICE, .at_ms = 2000, .agent_id = agent_id, .device_up = true};
		strb_clear(&b);
		acd_in_encode(&in, &b);
		say(EV_ACD_IN, 2000, 0, agent_id, 0, body);
	}
	assert_true(json_is_true(json_object_get(by_id(json_object_get(board(&boss, 3), "agents"), agent_id), "device_up")));
	say_state(3000, agent_id, "break", 0, 0);
	assert_true(json_is_null(json_object_get(by_id(json_object_get(board(&boss, 4), "agents"), agent_id), "pending")));
	fix_stop(&f);
}

TEST(an_agent_sees_himself_his_queues_and_his_calls_only)
{
	struct fix f;
	struct client c;
	struct stream *s;
	const json_t *snap;
	char id[32];

	fix_start(&f, true);
	ids(&f);
	c = fix_login(&f, "agent", NULL);
	say_call(1000, C1, "13800138000", "甲");
	say(EV_SEG_OPEN, 1000, C1, other_id, queue_id, "{\"seg\":\"1\",\"type\":\"talk\"}");
	s = stream_open(&c, NULL);
	snap = await(s, "snapshot", NULL);
	assert_int_equal(json_array_size(json_object_get(snap, "agents")), 1);
	assert_int_equal(json_array_size(json_object_get(snap, "calls")), 0);
	assert_true(json_is_null(json_object_get(snap, "call")));
	assert_true(json_array_size(json_object_get(snap, "queues")) > 0);

	say_call(2000, C1 + 1, "13900139000", "乙");
	say(EV_OFFER_NEW, 2000, C1 + 1, agent_id, queue_id, "{\"t\":2000,\"offer\":\"1\",\"ring_ms\":15000}");
	(void)snprintf(id, sizeof(id), "%lld", C1 + 1);
	for (;;) { /* of the other's call and of the other himself nothing may come before his own */
		assert_true(next(s));
		if (!strcmp(s->event, "call"))
			break;
		assert_true(strcmp(s->event, "agent") || !strcmp(str(s->data, "id"), str(json_object_get(s->data, "me"), "id")) ||
			    by_id(json_pack("[O]", s->data), agent_id));
	}
	assert_text(s->data, "id", id);
	assert_text(s->data, "from", "13900139000");
	/* the offer rings out and the call goes to somebody else: it is gone for him */
	say(EV_OFFER_END, 3000, C1 + 1, agent_id, queue_id, "{\"t\":3000,\"offer\":\"1\",\"outcome\":\"timeout\",\"code\":0}");
	assert_text(await(s, "gone", NULL), "id", id);
	assert_int_equal(json_array_size(json_object_get(ask_for(&c, "GET", "/desk", NULL, "200"), "breaks")) > 0, 1);
	stream_close(s);
	fix_stop(&f);
}

TEST(a_program_with_an_agents_role_sees_no_call_and_ends_with_its_token)
{
	struct fix f;
	struct client boss, t = {.f = &f};
	static char token[128];
	char path[64];
	struct stream *s;
	const json_t *row;

	fix_start(&f, true);
	ids(&f);
	boss = fix_login(&f, "admin", NULL);
	row = ask_for(&boss, "POST", "/tokens", "{\"name\":\"wall\",\"role\":\"agent\"}", "201");
	(void)str_copy(token, sizeof(token), str(json_object_get(row, "once"), "token"));
	(void)snprintf(path, sizeof(path), "/tokens/%s", str(row, "id"));
	t.token = token;
	say_call(1000, C1, "13800138000", "甲"); /* nobody's yet */
	(void)board(&boss, 1);
	s = stream_open(&t, NULL);
	assert_int_equal(json_array_size(json_object_get(await(s, "snapshot", NULL), "calls")), 0);
	say_call(2000, C1 + 1, "13800138001", "乙");
	assert_int_equal(ask(&boss, "PATCH", path, "If-Match: 1\r\n", "{\"active\":false}")->status, 200);
	assert_true(next(s));
	assert_string_equal(s->event, "bye");
	assert_false(next(s));
	stream_close(s);
	fix_stop(&f);
}

TEST(a_new_password_ends_what_other_log_ins_hold_open)
{
	struct fix f;
	struct client c, other;
	struct stream *mine, *theirs;

	fix_start(&f, false);
	c = fix_login(&f, "root", "correct horse 7");
	other = fix_login(&f, "root", "correct horse 7");
	(void)ask_for(&other, "POST", "/desk/phone", "{}", "200");
	mine = stream_open(&c, NULL);
	theirs = stream_open(&other, NULL);
	(void)await(theirs, "snapshot", NULL);
	(void)ask_for(&c, "POST", "/session/password", "{\"old\":\"correct horse 7\",\"new\":\"staple battery 8\"}", "204");
	assert_text(await(theirs, "bye", NULL), "why", "logged_out");
	assert_false(next(theirs));
	assert_int_equal(sw_last.kind, SW_CREDENTIAL_GONE);
	assert_int_equal(edge_cuts, 1);
	(void)await(mine, "snapshot", NULL);
	say_call(1000, C1, "13800138000", "甲");
	(void)await(mine, "call", NULL);
	stream_close(mine);
	stream_close(theirs);
	fix_stop(&f);
}

TEST(an_agent_looks_up_who_is_on_his_line_and_nobody_else)
{
	struct fix f;
	struct client c;
	const json_t *found;

	fix_start(&f, true);
	ids(&f);
	c = fix_login(&f, "agent", NULL);
	fix_run(&f, "INSERT INTO call (id, centre_id, dir, start_ms, end_ms) SELECT 77, id, 'in', 1800000000000, 1800000001000 FROM centre");
	fix_run(&f, "INSERT INTO call_pii (call_id, centre_id, from_number, to_number, name) SELECT 77, id, '13800138000', '4001', '甲' FROM centre");
	found = ask_for(&c, "GET", "/numbers/lookup?number=13800138000", NULL, "200");
	assert_int_equal(json_array_size(json_object_get(found, "calls")), 0);
	assert_true(json_is_null(json_object_get(found, "name")));
	say_call(1000, C1, "13800138000", "甲");
	say(EV_OFFER_NEW, 2000, C1, agent_id, queue_id, "{\"t\":2000,\"offer\":\"1\",\"ring_ms\":15000}");
	for (int i = 0; i < 500 && !json_object_get(json_object_get(ask_for(&c, "GET", "/desk", NULL, "200"), "call"), "id"); i++)
		(void)usleep(10000);
	found = ask_for(&c, "GET", "/numbers/lookup?number=13800138000", NULL, "200");
	assert_int_equal(json_array_size(json_object_get(found, "calls")), 1);
	fix_stop(&f);
}

TEST(a_stream_resumes_where_it_was_and_starts_anew_when_it_cannot)
{
	struct fix f;
	struct client boss;
	struct stream *s;
	char id[48], call[32];

	fix_start(&f, true);
	ids(&f);
	boss = fix_login(&f, "supervisor", NULL);
	s = stream_open(&boss, NULL);
	(void)await(s, "snapshot", NULL);
	say_state(1000, agent_id, "ready", 0, 0);
	say_call(1000, C1, "13800138000", "甲");
	say_call(1000, C1 + 1, "13800138000", "乙");
	(void)board(&boss, 3);
	(void)snprintf(call, sizeof(call), "%lld", C1 + 1);
	(void)await(s, "call", call);
	while (strcmp(s->id, "7.3") != 0)
		assert_true(next(s));
	(void)str_copy(id, sizeof(id), s->id);
	stream_close(s);
	/* meanwhile one changes and one goes */
	say(EV_SEG_OPEN, 2000, C1, agent_id, queue_id, "{\"seg\":\"1\",\"type\":\"talk\"}");
	say(EV_CALL_END, 2000, C1 + 1, 0, 0, "{\"by\":\"customer\"}");
	(void)board(&boss, 5);
	s = stream_open(&boss, id);
	{
		bool changed = false, gone = false, ready = false;

		while (!(changed && gone) && next(s)) {
			assert_string_not_equal(s->event, "snapshot");
			changed |= !strcmp(s->event, "call") && !strcmp(str(s->data, "state"), "talking");
			gone |= !strcmp(s->event, "gone") && !strcmp(str(s->data, "id"), call);
			ready |= !strcmp(s->event, "agent"); /* unchanged since: not again */
		}
		assert_true(changed && gone);
		assert_false(ready);
		assert_string_equal(s->id, "7.5");
	}
	stream_close(s);
	{
		static const char *const stale[] = {"6.3", "7.99", "x", "7.", "99999999999999999999999.1"};

		for (size_t i = 0; i < ARRAY_LEN(stale); i++) {
			s = stream_open(&boss, stale[i]);
			(void)await(s, "snapshot", NULL);
			stream_close(s);
		}
	}
	fix_stop(&f);
}

TEST(streams_are_told_of_alarms_and_of_the_end)
{
	struct fix f;
	struct client boss, again;
	struct stream *s, *t;

	fix_start(&f, true);
	ids(&f);
	boss = fix_login(&f, "supervisor", NULL);
	again = fix_login(&f, "supervisor", NULL);
	s = stream_open(&boss, NULL);
	t = stream_open(&again, NULL);
	(void)await(s, "snapshot", NULL);
	(void)await(t, "snapshot", NULL);
	say(EV_SYS_ALARM, 1, 0, 0, 0, "{\"what\":\"disk\",\"detail\":\"full\",\"on\":true}");
	assert_text(await(s, "alarm", NULL), "what", "disk");
	(void)ask_for(&boss, "DELETE", "/session", NULL, "204");
	assert_text(await(s, "bye", NULL), "why", "logged_out");
	assert_false(next(s));
	api_stop(f.api);
	assert_text(await(t, "bye", NULL), "why", "restart");
	stream_close(s);
	stream_close(t);
	fix_stop(&f);
}

TEST(trunks_and_alarms_are_told_live_and_on_demand)
{
	static const char up[] = "{\"trunk\":\"%s\",\"state\":\"up\",\"why\":\"\",\"code\":0,\"reason\":\"\",\"registration\":\"registered\","
				 "\"addresses\":[\"192.0.2.1:5060\"],\"rtt_ms\":7}";
	struct client boss, agent, admin;
	struct stream *s;
	char id[24], body[256];
	struct fix f;
	const json_t *j;

	fix_start(&f, true);
	ids(&f);
	boss = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	admin = fix_login(&f, "admin", NULL);
	j = ask_for(&admin, "POST", "/trunks", "{\"name\":\"T\",\"host\":\"192.0.2.1\",\"calls_max\":3}", "201");
	(void)snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(j, "id")));
	s = stream_open(&boss, NULL);
	j = await(s, "snapshot", NULL);
	assert_non_null(json_object_get(j, "trunks"));
	assert_int_equal(json_array_size(json_object_get(j, "alarms")), 0);
	(void)snprintf(body, sizeof(body), up, id);
	say(EV_TRUNK_STATE, 0, 0, 0, 0, body);
	j = await(s, "trunk", NULL);
	assert_text(j, "state", "up");
	assert_text(j, "registration", "registered");
	assert_int_equal(json_integer_value(json_object_get(j, "rtt_ms")), 7);
	(void)snprintf(body, sizeof(body), "{\"role\":\"customer\",\"dir\":\"in\",\"trunk\":\"%s\"}", id);
	say(EV_LEG_NEW, 1, 0, 0, 0, body);
	j = await(s, "trunk", NULL);
	assert_int_equal(json_integer_value(json_object_get(j, "calls")), 1);
	say(EV_LEG_END, 1, 0, 0, 0, body);
	j = await(s, "trunk", NULL);
	assert_int_equal(json_integer_value(json_object_get(j, "calls")), 0);

	say(EV_SYS_ALARM, 0, 0, 0, 0, "{\"what\":\"trunk_down\",\"object\":\"9\",\"name\":\"T\",\"detail\":\"silent\",\"on\":true}");
	assert_text(await(s, "alarm", NULL), "object", "9");
	say(EV_SYS_ALARM, 0, 0, 0, 0, "{\"what\":\"trunk_down\",\"object\":\"8\",\"name\":\"U\",\"detail\":\"silent\",\"on\":true}");
	assert_text(await(s, "alarm", NULL), "object", "8");
	say(EV_SYS_ALARM, 0, 0, 0, 0, "{\"what\":\"trunk_down\",\"object\":\"9\",\"detail\":\"\",\"on\":false}");
	j = await(s, "alarm", NULL);
	assert_text(j, "object", "9"); /* the other one stands */
	assert_true(json_is_false(json_object_get(j, "on")));
	stream_close(s);
	j = json_object_get(ask_for(&boss, "GET", "/alarms", NULL, "200"), "items");
	assert_int_equal(json_array_size(j), 2);
	assert_text(json_array_get(j, 0), "name", "U");
	assert_text(json_array_get(j, 1), "name", "T");
	assert_true(json_is_integer(json_object_get(json_array_get(j, 1), "cleared_ms")));
	assert_true(json_is_null(json_object_get(json_array_get(j, 0), "cleared_ms")));
	s = stream_open(&boss, NULL); /* who comes later hears of what stands */
	assert_int_equal(json_array_size(json_object_get(await(s, "snapshot", NULL), "alarms")), 1);
	stream_close(s);
	(void)ask_for(&agent, "GET", "/alarms", NULL, "403 forbidden");
	(void)ask_for(&agent, "GET", "/trunk-status", NULL, "403 forbidden");
	fix_stop(&f);
}

TEST(who_is_switched_off_leaves_the_board)
{
	struct client boss, admin;
	struct stream *s;
	char id[24], body[128];
	struct fix f;

	fix_start(&f, true);
	boss = fix_login(&f, "supervisor", NULL);
	admin = fix_login(&f, "admin", NULL);
	(void)snprintf(id, sizeof(id), "%lld", (long long)fix_get(&f, "SELECT id FROM users WHERE login = 'hubin'"));
	(void)snprintf(body, sizeof(body), "/users/%s", id);
	s = stream_open(&boss, NULL);
	(void)await(s, "snapshot", NULL);
	assert_int_equal(ask(&admin, "PATCH", body, "If-Match: 1\r\n", "{\"active\":false}")->status, 200);
	assert_text(await(s, "gone", id), "kind", "agent");
	stream_close(s);
	fix_stop(&f);
}

/* A lead's role reads people of his teams: the rest of the floor is not there for him, neither to see nor to force. */
TEST(a_lead_sees_and_forces_only_his_teams)
{
	const json_t *b, *a, *snap;
	int64_t team, mine, others;
	struct client boss;
	struct stream *s;
	char path[64];
	struct fix f;
	size_t i;

	fix_start(&f, true);
	ids(&f);
	boss = fix_login(&f, "supervisor", NULL);
	fix_run(&f, "UPDATE users SET role = 'lead' WHERE login = 'lead'");
	team = fix_get(&f, "SELECT team_id FROM users WHERE login = 'lead'");
	mine = fix_get(&f, "SELECT id FROM users WHERE login = 'zhangwei'");
	others = fix_get(&f, "SELECT id FROM users WHERE login = 'hubin'");
	say_state(1000, mine, "ready", 0, 0);
	say_state(1000, others, "ready", 0, 0);
	say_call(1000, C1, "13800138000", "甲");
	say(EV_SEG_OPEN, 1000, C1, others, queue_id, "{\"seg\":\"1\",\"type\":\"talk\"}");
	s = stream_open(&boss, NULL);
	snap = await(s, "snapshot", NULL);
	assert_null(by_id(json_object_get(snap, "agents"), others));
	b = ask_for(&boss, "GET", "/board", NULL, "200");
	assert_non_null(by_id(json_object_get(b, "agents"), mine));
	assert_null(by_id(json_object_get(b, "agents"), others));
	assert_null(by_id(json_object_get(b, "calls"), C1));
	json_array_foreach(json_object_get(b, "agents"), i, a)
		assert_int_equal(strtoll(str(a, "team_id"), NULL, 10), team);
	/* The call goes to one of his: now it is there; it goes away again: gone. */
	say(EV_SEG_OPEN, 2000, C1, mine, queue_id, "{\"seg\":\"2\",\"type\":\"talk\"}");
	(void)snprintf(path, sizeof(path), "%lld", C1);
	(void)await(s, "call", path);
	say(EV_SEG_OPEN, 3000, C1, others, queue_id, "{\"seg\":\"3\",\"type\":\"talk\"}");
	(void)await(s, "gone", path);
	(void)snprintf(path, sizeof(path), "/agents/%lld/logout", (long long)others);
	(void)ask_for(&boss, "POST", path, "{}", "404 not_found");
	(void)snprintf(path, sizeof(path), "/agents/%lld/logout", (long long)mine);
	assert_int_equal(ask(&boss, "POST", path, NULL, "{}")->status / 100, 2);
	assert_int_equal(sw_last.user_id, mine);
	stream_close(s);
	fix_stop(&f);
}

TEST(figures_of_today_come_from_the_roll_ups_at_start)
{
	struct fix f;
	struct client boss;
	char sql[512], date[16];
	time_t now = time(NULL);
	const json_t *b;

	fix_start(&f, true);
	ids(&f);
	(void)strftime(date, sizeof(date), "%Y%m%d", localtime(&now));
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO rollup_agent_day (centre_id, day, agent_id, team_id, queue_id, answered, talk_ms, missed)"
		       " VALUES (%lld, %s, %lld, 0, 0, 7, 60000, 2)",
		       (long long)f.centre_id, date, (long long)agent_id);
	fix_run(&f, sql);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO rollup_queue_slot (centre_id, slot_ms, queue_id, number_id, offered, answered, abandoned, answered_20, answered_30)"
		       " VALUES (%lld, %lld, %lld, 0, 10, 8, 2, 5, 6)",
		       (long long)f.centre_id, (long long)(clock_utc_ms() - clock_utc_ms() % 900000), (long long)queue_id);
	fix_run(&f, sql);
	(void)snprintf(sql, sizeof(sql), "UPDATE queues SET target_s = 20 WHERE id = %lld", (long long)queue_id);
	fix_run(&f, sql);
	{
		struct live *l;

		assert_int_equal(live_new(&l, &f.api->conf), 0);
		live_free(f.api->live);
		f.api->live = l;
	}
	boss = fix_login(&f, "supervisor", NULL);
	b = ask_for(&boss, "GET", "/board", NULL, "200");
	assert_int_equal(today(by_id(json_object_get(b, "agents"), agent_id), "answered"), 7);
	assert_int_equal(today(by_id(json_object_get(b, "queues"), queue_id), "offered"), 10);
	assert_int_equal(today(by_id(json_object_get(b, "queues"), queue_id), "in_target"), 5);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(b, "totals"), "answered_in_target")), 5);
	fix_stop(&f);
}

/* ---- dialling out ---- */

static void say_campaign(enum ev_kind kind, int64_t call, int64_t agent, const char *body, const char *to)
{
	struct ev e = {.kind = kind, .at_ms = 1000, .call_id = call, .agent_id = agent, .campaign_id = 60, .body = body, .body_len = strlen(body)};

	if (to)
		e.pii[e.pii_n++] = (struct ev_pii){"to", to};
	say_event(&e);
}

/* A project of the agent's that rests, and a supervisor's stream with it. */
static void campaign(struct fix *f, struct client *admin)
{
	char sql[512], path[64];

	fix_run(f, "INSERT INTO campaigns (id, centre_id, rev, created_ms, updated_ms, name, mode, state, priority, target, attempts_max, day_max, basis, ring_s,"
		   " preview_s, wrapup_s, limit_permille, wait_ms, lines_max, talk_max_min, click_day_max, record, beep)"
		   " SELECT 60, id, 1, 1, 1, '理财邀约', 'preview', 'paused', 0, 0, 6, 2, 'consent', 30, 20, 20, 30, 2000, 0, 0, 0, 1, 1 FROM centre");
	(void)snprintf(sql, sizeof(sql), "INSERT INTO campaign_agents (id, centre_id, rev, created_ms, updated_ms, campaign_id, user_id, share)"
					 " SELECT 61, id, 1, 1, 1, 60, %lld, 1 FROM centre", (long long)agent_id);
	fix_run(f, sql);
	(void)snprintf(path, sizeof(path), "/users/%lld", (long long)other_id);
	assert_int_equal(ask(admin, "PATCH", path, "If-Match: 1\r\n", "{\"active\":false}")->status, 200); /* read anew */
}

TEST(who_watches_and_who_dials_see_what_a_project_does)
{
	struct client boss, me, admin;
	struct stream *s, *own;
	struct fix f;
	const json_t *c;

	fix_start(&f, true);
	ids(&f);
	admin = fix_login(&f, "admin", NULL);
	campaign(&f, &admin);
	boss = fix_login(&f, "supervisor", NULL);
	me = fix_login(&f, "agent", NULL);
	s = stream_open(&boss, NULL);
	(void)await(s, "snapshot", NULL);
	own = stream_open(&me, NULL);
	c = await(own, "snapshot", NULL);
	assert_int_equal(json_array_size(json_object_get(c, "campaigns")), 1);
	say_campaign(EV_CAMPAIGN_STATE, 0, 0, "{\"mode\":\"preview\",\"running\":true,\"why\":\"empty\",\"n\":0,\"at\":5,\"ready\":2}", NULL);
	c = await(s, "campaign", "60");
	assert_text(c, "name", "理财邀约");
	assert_text(c, "why", "empty");
	assert_text(await(own, "campaign", "60"), "why", "empty");
	say_campaign(EV_ATTEMPT_NEW, 900, agent_id, "{\"claim\":\"1\",\"mode\":\"preview\"}", NULL);
	say_campaign(EV_ATTEMPT_END, 900, agent_id, "{\"claim\":\"1\",\"result\":\"answered\",\"answered_at\":7,\"abandoned\":false}", NULL);
	say_campaign(EV_ATTEMPT_END, 0, 0, "{\"claim\":\"2\",\"result\":\"returned\",\"answered_at\":0}", NULL);
	do
		c = await(s, "campaign", "60");
	while (!today(c, "answered"));
	assert_int_equal(today(c, "dialled"), 1);
	assert_int_equal(today(c, "abandoned"), 0);
	c = ask_for(&me, "GET", "/desk", NULL, "200");
	assert_text(json_array_get(json_object_get(c, "campaigns"), 0), "why", "empty");
	assert_int_equal(json_array_size(json_object_get(ask_for(&boss, "GET", "/board", NULL, "200"), "campaigns")), 1);
	stream_close(s);
	stream_close(own);
	fix_stop(&f);
}

TEST(an_agent_sees_whom_he_will_dial_and_says_go_or_not)
{
	struct client me, boss, admin;
	char path[64], id[24];
	struct fix f;
	const json_t *p;

	fix_start(&f, true);
	ids(&f);
	admin = fix_login(&f, "admin", NULL);
	campaign(&f, &admin);
	me = fix_login(&f, "agent", NULL);
	boss = fix_login(&f, "supervisor", NULL);
	(void)snprintf(id, sizeof(id), "%lld", (long long)agent_id);
	say_state(1000, agent_id, "reserved", 900, 60);
	say_campaign(EV_PREVIEW_NEW, 900, agent_id, "{\"claim\":\"1\",\"lead\":\"2\",\"customer\":\"3\",\"nth\":2,\"until\":99000}", "+8613800138000");
	for (int i = 0; i < 500; i++) {
		p = json_object_get(json_object_get(ask_for(&me, "GET", "/desk", NULL, "200"), "me"), "preview");
		if (json_is_object(p))
			break;
		(void)usleep(10000);
	}
	assert_text(p, "call_id", "900");
	assert_text(p, "campaign", "理财邀约");
	assert_int_equal(json_integer_value(json_object_get(p, "until_ms")), 99000);
	(void)snprintf(path, sizeof(path), "/desk/pop?call_id=900");
	assert_true(json_is_string(json_object_get(ask_for(&me, "GET", path, NULL, "200"), "number")));
	(void)ask_for(&boss, "GET", path, NULL, "404 not_found");
	(void)ask_for(&me, "POST", "/desk/preview/dial", "{}", "422 invalid");
	(void)ask_for(&me, "POST", "/desk/preview/dial", "{\"call_id\":\"900\"}", "204");
	assert_int_equal(sw_last.kind, SW_PREVIEW_DIAL);
	assert_int_equal(sw_last.call_id, 900);
	(void)ask_for(&me, "POST", "/desk/preview/skip", "{\"call_id\":\"900\",\"reason\":\"No way\"}", "422 invalid");
	(void)ask_for(&me, "POST", "/desk/preview/skip", "{\"call_id\":\"900\",\"reason\":\"known\"}", "204");
	assert_int_equal(sw_last.kind, SW_PREVIEW_SKIP);
	assert_string_equal(sw_last.reason, "known");
	say_state(2000, agent_id, "ready", 0, 0);
	for (int i = 0; i < 500; i++) {
		p = json_object_get(json_object_get(ask_for(&me, "GET", "/desk", NULL, "200"), "me"), "preview");
		if (!json_is_object(p))
			break;
		(void)usleep(10000);
	}
	assert_true(json_is_null(p));
	fix_stop(&f);
}
