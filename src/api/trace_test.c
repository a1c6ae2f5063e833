/* SIP messages by call and by trunk, by right; blanked, masked for agents, and pcap. */
#include "api/fixture.h"
#include "trace/trace.h"

#define T0 1767225600000LL /* 2026-01-01 00:00 UTC */

struct bed {
	struct fix f;
	char dir[128];
	struct trace *t;
	long long call;
};

/* A call of an agent, now, with one message from the carrier and one to his telephone. */
static void bed_start(struct bed *b)
{
	char sql[1024];
	int64_t now = clock_utc_ms();

	fix_start(&b->f, true);
	(void)snprintf(b->dir, sizeof(b->dir), "%s/trace", b->f.dir);
	assert_int_equal(trace_open(&b->t, &(struct trace_conf){b->dir, 64 << 20, 1, 1 << 20}), 0);
	b->f.api->conf.trace = b->t;
	b->f.api->conf.trace_dir = b->dir;
	b->call = (long long)((now - ID_EPOCH_MS) << 22);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO call (id, centre_id, dir, start_ms, answer_ms, end_ms, agent_id, wait_ms, talk_ms, accept_ms) VALUES"
		       " (%lld, (SELECT id FROM centre), 'in', %lld, %lld, NULL, (SELECT id FROM users WHERE login = 'agent'), 0, 0, NULL)",
		       b->call, (long long)now, (long long)now);
	fix_run(&b->f, sql);
}

static void bed_stop(struct bed *b)
{
	b->f.api->conf.trace = NULL;
	trace_close(b->t);
	fix_stop(&b->f);
}

static void message(struct bed *b, bool out, int64_t trunk, const char *text)
{
	struct trace_note n = {.out = out, .known = true, .transport = "udp", .trunk_id = trunk};

	assert_true(trace_addr_parse(&n.local, "127.0.0.1", 5060));
	assert_true(trace_addr_parse(&n.remote, "127.0.0.9", 5070));
	trace_message(b->t, &n, text, strlen(text));
}

static void a_call(struct bed *b, int64_t trunk)
{
	struct trace_leg leg = {.call_id = b->call, .leg_id = 5, .trunk_id = trunk, .role = "customer", .party = "13800138000", .sip_id = "c@x"};

	message(b, false, trunk,
		"INVITE sip:4001@h SIP/2.0\r\nFrom: <sip:13800138000@x>\r\nCall-ID: c@x\r\nCSeq: 1 INVITE\r\n"
		"Proxy-Authorization: Digest response=\"5ec2e7\"\r\n\r\n");
	trace_leg(b->t, &leg);
	leg = (struct trace_leg){.call_id = b->call, .leg_id = 6, .role = "agent", .party = "w7", .sip_id = "d@us", .out = true};
	trace_leg(b->t, &leg);
	message(b, true, 0, "INVITE sip:w7@h SIP/2.0\r\nCall-ID: d@us\r\nCSeq: 1 INVITE\r\n\r\n");
	message(b, false, 0, "SIP/2.0 486 Busy Here\r\nCall-ID: d@us\r\nCSeq: 1 INVITE\r\n\r\n");
}

TEST(a_calls_messages_come_with_their_legs_and_without_secrets)
{
	struct bed b;
	struct client boss, agent;
	const struct answer *a;
	const json_t *o, *m;
	char path[96], sql[128];
	int64_t trunk;

	bed_start(&b);
	trunk = fix_get(&b.f, "SELECT id FROM trunks ORDER BY id LIMIT 1");
	a_call(&b, trunk);
	boss = fix_login(&b.f, "supervisor", NULL);
	(void)snprintf(path, sizeof(path), "/calls/%lld/trace", b.call);
	o = ask_for(&boss, "GET", path, NULL, "200");
	assert_false(json_is_true(json_object_get(o, "masked")));
	assert_int_equal(json_array_size(json_object_get(o, "legs")), 2);
	assert_true(json_is_string(json_object_get(json_array_get(json_object_get(o, "legs"), 0), "trunk")));
	assert_int_equal(json_array_size(json_object_get(o, "messages")), 3);
	m = json_array_get(json_object_get(o, "messages"), 2);
	assert_text(m, "method", "INVITE");
	assert_int_equal(json_integer_value(json_object_get(m, "code")), 486);
	assert_text(m, "remote", "127.0.0.9:5070");
	assert_int_equal(json_integer_value(json_object_get(m, "leg")), 1);
	m = json_array_get(json_object_get(o, "messages"), 0);
	assert_non_null(strstr(json_string_value(json_object_get(m, "text")), "13800138000"));
	assert_null(strstr(json_string_value(json_object_get(m, "text")), "5ec2e7"));
	(void)snprintf(path, sizeof(path), "/calls/%lld/trace.pcap", b.call);
	a = ask(&boss, "GET", path, NULL, NULL);
	assert_int_equal(a->status, 200);
	assert_memory_equal(a->body, "\xd4\xc3\xb2\xa1", 4);
	assert_non_null(strstr(a->head, ".pcap\""));

	fix_run(&b.f, "UPDATE users SET role = 'telesales' WHERE login = 'agent'");
	agent = fix_login(&b.f, "agent", NULL);
	(void)snprintf(path, sizeof(path), "/calls/%lld/trace", b.call);
	o = ask_for(&agent, "GET", path, NULL, "200");
	assert_true(json_is_true(json_object_get(o, "masked")));
	m = json_array_get(json_object_get(o, "messages"), 0);
	assert_non_null(strstr(json_string_value(json_object_get(m, "text")), "138******00"));
	assert_text(json_array_get(json_object_get(o, "legs"), 0), "party", "138******00");

	(void)snprintf(sql, sizeof(sql), "UPDATE call SET agent_id = NULL WHERE id = %lld", b.call);
	fix_run(&b.f, sql);
	(void)ask_for(&agent, "GET", path, NULL, "404 not_found"); /* somebody else's */
	bed_stop(&b);
}

TEST(a_trunks_last_minutes_are_for_those_who_watch_the_floor)
{
	struct bed b;
	struct client boss, agent;
	char path[96];
	const json_t *o;
	int64_t trunk;

	bed_start(&b);
	trunk = fix_get(&b.f, "SELECT id FROM trunks ORDER BY id LIMIT 1");
	message(&b, true, trunk, "OPTIONS sip:x SIP/2.0\r\nCall-ID: o@us\r\nCSeq: 9 OPTIONS\r\n\r\n");
	message(&b, true, trunk, "OPTIONS sip:x SIP/2.0\r\nCall-ID: o@us\r\nCSeq: 9 OPTIONS\r\n\r\n");
	message(&b, true, trunk + 1, "OPTIONS sip:y SIP/2.0\r\nCall-ID: p@us\r\nCSeq: 9 OPTIONS\r\n\r\n");
	boss = fix_login(&b.f, "supervisor", NULL);
	agent = fix_login(&b.f, "agent", NULL);
	(void)snprintf(path, sizeof(path), "/trunks/%lld/trace?minutes=5", (long long)trunk);
	o = ask_for(&boss, "GET", path, NULL, "200");
	assert_int_equal(json_array_size(json_object_get(o, "messages")), 2);
	assert_true(json_is_true(json_object_get(json_array_get(json_object_get(o, "messages"), 1), "again")));
	(void)ask_for(&agent, "GET", path, NULL, "403 forbidden");
	(void)snprintf(path, sizeof(path), "/trunks/%lld/trace.pcap?minutes=1441", (long long)trunk);
	(void)ask_for(&boss, "GET", path, NULL, "400 bad_query");
	(void)ask_for(&boss, "GET", "/trunks/12345/trace", NULL, "404 not_found");
	b.f.api->conf.trace_dir = NULL;
	(void)snprintf(path, sizeof(path), "/trunks/%lld/trace", (long long)trunk);
	(void)ask_for(&boss, "GET", path, NULL, "404 no_trace");
	bed_stop(&b);
}
