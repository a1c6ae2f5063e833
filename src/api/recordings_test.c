/* Recordings: found by what is said of them and only by who may hear them; marks, remarks, peaks. */
#include "api/fixture.h"

#include <unistd.h>

#define T0 1800000000000LL
#define CALL_AT(ms) (((ms) - ID_EPOCH_MS) << 22)
#define AGENT "(SELECT id FROM users WHERE login = 'agent')"

static int64_t call_id(int i)
{
	return CALL_AT(T0 + i * 60000LL);
}

static void run(struct fix *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void run(struct fix *f, const char *fmt, ...)
{
	char sql[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	fix_run(f, sql);
}

/* Call @i: i minutes after T0, i * 10 s of talk, longest silence i s; odd ones by the agent. Its part is 900 + i. */
static void make(struct fix *f, int i)
{
	long long id = call_id(i), at = T0 + i * 60000LL;

	run(f,
	    "INSERT INTO call (id, centre_id, dir, queue_id, agent_id, start_ms, answer_ms, end_ms, talk_ms, by, rec_n, rec_ms, rec_silence_ms) VALUES"
	    " (%lld, %lld, '%s', (SELECT MIN(id) FROM queues), %s, %lld, %lld, %lld, %d, '%s', 1, %d, %d)",
	    id, (long long)f->centre_id, i % 3 ? "in" : "out", i % 2 ? AGENT : "NULL", at, at + 5000, at + 50000, i * 10000, i % 4 ? "customer" : "agent",
	    i * 10000, i * 1000);
	run(f, "INSERT INTO call_pii (call_id, centre_id, from_number, to_number, tail) VALUES (%lld, %lld, '+86138001380%02d', '4001', '80%02d')", id,
	    (long long)f->centre_id, i, i);
	run(f, "INSERT INTO segment (id, centre_id, call_id, type, start_ms, end_ms, agent_id) VALUES (%d, %lld, %lld, 'talk', 1, 2, %s), (%d, %lld, %lld, 'hold', 2, 3, %s)",
	    800 + i, (long long)f->centre_id, id, i % 2 ? AGENT : "NULL", 700 + i, (long long)f->centre_id, id, i % 2 ? AGENT : "NULL");
	run(f,
	    "INSERT INTO recording_part (id, centre_id, call_id, path, start_ms, state, dur_ms, bytes, left_ms, right_ms, over_ms, silence_ms, silence_at_ms)"
	    " VALUES (%d, %lld, %lld, 'r%d.wav', %lld, 'closed', 1000, 100, 300, 500, 50, 200, 10)",
	    900 + i, (long long)f->centre_id, id, i, at);
}

static size_t found(struct client *c, const char *query)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "/recordings?%s", query);
	return json_array_size(json_object_get(ask_for(c, "GET", path, NULL, "200"), "items"));
}

static const char *at_call(const char *fmt, int i)
{
	static char path[200];

	(void)snprintf(path, sizeof(path), fmt, (long long)call_id(i));
	return path;
}

TEST(recordings_are_found_by_what_is_said_of_them_and_paged)
{
	struct fix f;
	struct client boss;
	const json_t *page, *row;
	char query[200];

	fix_start(&f, true);
	for (int i = 1; i <= 10; i++)
		make(&f, i);
	run(&f, "INSERT INTO call (id, centre_id, dir, start_ms) VALUES (%lld, %lld, 'in', %lld)", (long long)call_id(20), (long long)f.centre_id, T0 + 1200000);
	boss = fix_login(&f, "supervisor", NULL);
	(void)snprintf(query, sizeof(query), "from_ms=%lld", T0);
	assert_int_equal(found(&boss, query), 10); /* not the call without recordings */
	(void)snprintf(query, sizeof(query), "from_ms=%lld&to_ms=%lld", T0 + 3 * 60000, T0 + 5 * 60000);
	assert_int_equal(found(&boss, query), 2);
	page = ask_for(&boss, "GET", "/recordings?limit=4", NULL, "200");
	row = json_array_get(json_object_get(page, "items"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "start_ms")), T0 + 10 * 60000); /* newest first */
	assert_int_equal(json_integer_value(json_object_get(row, "silence_ms")), 10000);
	assert_int_equal(json_integer_value(json_object_get(row, "left_ms")), 300);
	assert_int_equal(json_integer_value(json_object_get(row, "holds")), 1);
	(void)snprintf(query, sizeof(query), "limit=4&after=%s", json_string_value(json_object_get(page, "next")));
	assert_int_equal(found(&boss, query), 4);
	(void)snprintf(query, sizeof(query), "limit=10&after=%lld", (long long)call_id(7));
	assert_int_equal(found(&boss, query), 6);
	assert_int_equal(found(&boss, "silence_s=8"), 3);
	assert_int_equal(found(&boss, "min_s=30&max_s=50"), 3);
	assert_int_equal(found(&boss, "dir=out"), 3);
	assert_int_equal(found(&boss, "by=agent"), 2);
	(void)snprintf(query, sizeof(query), "agent_id=%lld", (long long)fix_get(&f, "SELECT id FROM users WHERE login = 'agent'"));
	assert_int_equal(found(&boss, query), 5);
	(void)snprintf(query, sizeof(query), "queue_id=%lld&dir=in", (long long)fix_get(&f, "SELECT MIN(id) FROM queues"));
	assert_int_equal(found(&boss, query), 7);
	assert_int_equal(found(&boss, "campaign_id=77"), 0);
	assert_int_equal(found(&boss, "q=8007"), 1);
	assert_int_equal(found(&boss, "q=138%200013%208007"), 1);
	assert_int_equal(found(&boss, "q=98007"), 0);
	(void)ask_for(&boss, "GET", "/recordings?q=807", NULL, "400 bad_query");
	(void)ask_for(&boss, "GET", "/recordings?dir=sideways", NULL, "400 bad_query");
	(void)ask_for(&boss, "GET", "/recordings?limit=1000", NULL, "400 bad_query");
	fix_stop(&f);
}

TEST(recordings_are_found_by_words_and_result_of_their_notes)
{
	struct fix f;
	struct client boss;
	char body[400], query[80];
	long long result;

	fix_start(&f, true);
	for (int i = 1; i <= 4; i++)
		make(&f, i);
	boss = fix_login(&f, "supervisor", NULL);
	result = fix_get(&f, "SELECT MIN(id) FROM contact_results");
	(void)snprintf(body, sizeof(body), "{\"call_id\":\"%lld\",\"text\":\"外箱破损，要求补发\",\"result_id\":\"%lld\"}", (long long)call_id(3), result);
	(void)ask_for(&boss, "POST", "/notes", body, "201");
	assert_int_equal(found(&boss, "words=%E7%A0%B4%E6%8D%9F"), 1); /* 破损 */
	assert_int_equal(found(&boss, "words=%E9%80%80%E6%AC%BE"), 0); /* 退款 */
	(void)snprintf(query, sizeof(query), "result_id=%lld", result);
	assert_int_equal(found(&boss, query), 1);
	assert_int_equal(found(&boss, "reason_id=1"), 0);
	fix_stop(&f);
}

TEST(an_agent_finds_the_recordings_he_talked_in)
{
	struct fix f;
	struct client agent;

	fix_start(&f, true);
	for (int i = 1; i <= 10; i++)
		make(&f, i);
	agent = fix_login(&f, "agent", NULL);
	assert_int_equal(found(&agent, ""), 5);
	assert_int_equal(found(&agent, "q=8004"), 0);
	(void)ask_for(&agent, "PUT", at_call("/calls/%lld/mark", 1), "{\"tags\":[],\"excellent\":true,\"held\":false}", "404 not_found");
	(void)ask_for(&agent, "POST", at_call("/calls/%lld/remarks", 1), "{\"text\":\"x\",\"pos_ms\":1}", "404 not_found");
	(void)ask_for(&agent, "GET", at_call("/calls/%lld/remarks", 2), NULL, "404 not_found");
	fix_stop(&f);
}

TEST(recordings_are_tagged_marked_and_held_by_right)
{
	struct fix f;
	struct client boss, admin;

	fix_start(&f, true);
	for (int i = 1; i <= 3; i++)
		make(&f, i);
	boss = fix_login(&f, "supervisor", NULL);
	admin = fix_login(&f, "admin", NULL);
	(void)ask_for(&boss, "PUT", at_call("/calls/%lld/mark", 2), "{\"tags\":[\"投诉\",\"交接\"],\"excellent\":true,\"why\":\"开场白好\",\"held\":false}", "204");
	assert_int_equal(found(&boss, "tag=%E6%8A%95%E8%AF%89"), 1); /* 投诉 */
	assert_int_equal(found(&boss, "tag=%E8%AF%89"), 0);           /* a whole tag */
	assert_int_equal(found(&boss, "excellent=1"), 1);
	assert_int_equal(found(&boss, "held=1"), 0);
	(void)ask_for(&boss, "PUT", at_call("/calls/%lld/mark", 2), "{\"tags\":[],\"excellent\":false,\"held\":true}", "403 forbidden");
	(void)ask_for(&admin, "PUT", at_call("/calls/%lld/mark", 2), "{\"tags\":[],\"excellent\":false,\"held\":true,\"held_why\":\"案件\"}", "204");
	assert_int_equal(found(&boss, "held=1"), 1);
	assert_int_equal(found(&boss, "excellent=1"), 0);
	(void)ask_for(&boss, "PUT", at_call("/calls/%lld/mark", 2), "{\"tags\":[\"a,b\"],\"excellent\":false,\"held\":true}", "422 invalid");
	(void)ask_for(&boss, "PUT", at_call("/calls/%lld/mark", 2), "{\"tags\":[\"一二三四五六七八九十一二三四五六七八九十一\"],\"excellent\":false,\"held\":true}", "422 invalid");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'calls' AND action = 'mark'"), 2);
	fix_stop(&f);
}

TEST(a_remark_reaches_the_agent_who_acknowledges_it)
{
	struct fix f;
	struct client boss, agent, other;
	char body[200], path[80];
	const json_t *o;
	long long id, to;

	fix_start(&f, true);
	make(&f, 1);
	make(&f, 2);
	boss = fix_login(&f, "supervisor", NULL);
	other = fix_login(&f, "admin", NULL);
	agent = fix_login(&f, "agent", NULL);
	to = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	(void)ask_for(&boss, "POST", at_call("/calls/%lld/remarks", 1), "{\"text\":\"只给自己看\",\"pos_ms\":500}", "201");
	(void)snprintf(body, sizeof(body), "{\"text\":\"这里应先确认地址\",\"pos_ms\":12500,\"to_id\":\"%lld\"}", to);
	id = strtoll(json_string_value(json_object_get(ask_for(&boss, "POST", at_call("/calls/%lld/remarks", 1), body, "201"), "id")), NULL, 10);
	(void)ask_for(&boss, "POST", at_call("/calls/%lld/remarks", 2), body, "422 invalid"); /* he did not talk there */
	(void)ask_for(&boss, "POST", at_call("/calls/%lld/remarks", 1), "{\"text\":\"\",\"pos_ms\":1}", "422 invalid");
	(void)ask_for(&boss, "POST", at_call("/calls/%lld/remarks", 1), "{\"text\":\"x\",\"pos_ms\":-1}", "422 invalid");
	assert_int_equal(json_array_size(json_object_get(ask_for(&other, "GET", at_call("/calls/%lld/remarks", 1), NULL, "200"), "items")), 2);
	o = json_object_get(ask_for(&agent, "GET", at_call("/calls/%lld/remarks", 1), NULL, "200"), "items");
	assert_int_equal(json_array_size(o), 1); /* the one that was sent */
	o = json_object_get(ask_for(&agent, "GET", "/desk/remarks", NULL, "200"), "items");
	assert_int_equal(json_array_size(o), 1);
	assert_text(json_array_get(o, 0), "text", "这里应先确认地址");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(o, 0), "pos_ms")), 12500);
	(void)snprintf(path, sizeof(path), "/remarks/%lld/seen", id);
	(void)ask_for(&boss, "POST", path, "{}", "404 not_found"); /* nobody acknowledges for him */
	(void)ask_for(&agent, "POST", path, "{}", "204");
	(void)ask_for(&agent, "POST", path, "{}", "204"); /* twice is once */
	assert_int_equal(json_array_size(json_object_get(ask_for(&agent, "GET", "/desk/remarks", NULL, "200"), "items")), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM call_remark WHERE seen_ms IS NOT NULL"), 1);
	(void)snprintf(path, sizeof(path), "/remarks/%lld", id);
	(void)ask_for(&other, "DELETE", path, NULL, "404 not_found");
	(void)ask_for(&boss, "DELETE", path, NULL, "204");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'calls' AND action IN ('remark', 'remark_away')"), 3);
	fix_stop(&f);
}

/* 150 ms: silence, then the loudest sample on the left in the second 50 ms, half of it on the right in the third. */
TEST(peaks_are_computed_once_and_kept_beside_the_file)
{
	struct fix f;
	struct client boss, agent;
	uint8_t file[58 + 2 * 1200];
	char path[300];
	const json_t *o;
	FILE *w;

	fix_start(&f, true);
	make(&f, 2);
	memset(file, 0xd5, sizeof(file));
	file[58 + 2 * 500] = 0xaa;     /* A-law's largest, 32256: 252 of 255 */
	file[58 + 2 * 900 + 1] = 0xba; /* one chord less: 16128 */
	(void)snprintf(path, sizeof(path), "%s/r2.wav", f.dir);
	w = fopen(path, "w");
	assert_int_equal(fwrite(file, 1, sizeof(file), w), sizeof(file));
	(void)fclose(w);
	boss = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	for (int i = 0; i < 2; i++) {
		o = ask_for(&boss, "GET", "/recordings/902/peaks", NULL, "200");
		assert_int_equal(json_integer_value(json_object_get(o, "step_ms")), 50);
		assert_int_equal(json_integer_value(json_object_get(o, "dur_ms")), 150);
		assert_int_equal(json_integer_value(json_array_get(json_object_get(o, "left"), 1)), 252);
		assert_int_equal(json_integer_value(json_array_get(json_object_get(o, "right"), 1)), 0);
		assert_int_equal(json_integer_value(json_array_get(json_object_get(o, "right"), 2)), 126);
	}
	(void)strcat(path, ".peaks");
	assert_int_equal(access(path, R_OK), 0);
	(void)ask_for(&agent, "GET", "/recordings/902/peaks", NULL, "404 not_found");
	(void)ask_for(&boss, "GET", "/recordings/77/peaks", NULL, "404 not_found");
	fix_stop(&f);
}
