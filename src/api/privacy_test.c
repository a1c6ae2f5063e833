/* Who has no right to numbers gets none: every answer he can get is searched for the digits. Showing one, erasing a person, the audit. */
#include "api/fixture.h"

#include "db/engine.h"
#include "people/privacy.h"

#define NUMBER "+8613800138099"
#define DIGITS "00138099" /* its last eight: it is in every form of it */
#define CALL 4711LL

static int64_t customer, phone, agent_id;
static struct client admin, agent;

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

static int64_t id_in(const json_t *row)
{
	return strtoll(json_string_value(json_object_get(row, "id")), NULL, 10);
}

static const json_t *askf(struct client *c, const char *method, const char *body, const char *expect, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
static const json_t *askf(struct client *c, const char *method, const char *body, const char *expect, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return ask_for(c, method, path, body, expect);
}

/* A tele-sales agent's customer, with a call, a note and texts that hold her number. */
static void begin(struct fix *f)
{
	int64_t at = clock_utc_ms() - 60000;
	char body[512];

	fix_start(f, true);
	fix_run(f, "UPDATE users SET role = 'telesales' WHERE login = 'agent'");
	agent_id = fix_get(f, "SELECT id FROM users WHERE login = 'agent'");
	admin = fix_login(f, "admin", NULL);
	agent = fix_login(f, "agent", NULL);
	(void)snprintf(body, sizeof(body), "{\"name\":\"张三\",\"note\":\"家里也用 138-0013-8099\",\"owner_id\":\"%lld\",\"phones\":[{\"number\":\"13800138099\"}]}",
		       (long long)agent_id);
	customer = id_in(ask_for(&admin, "POST", "/customers", body, "201"));
	phone = fix_get(f, "SELECT id FROM customer_phones WHERE number = '" NUMBER "'");
	run(f, "INSERT INTO call (id, centre_id, dir, agent_id, first_agent_id, start_ms, answer_ms, end_ms, talk_ms, customer_id)"
	       " SELECT %lld, id, 'in', %lld, %lld, %lld, %lld, %lld, 4000, %lld FROM centre", CALL, (long long)agent_id, (long long)agent_id, (long long)at,
	    (long long)at + 1000, (long long)at + 5000, (long long)customer);
	run(f, "INSERT INTO call_pii (call_id, centre_id, from_number, to_number, name) SELECT %lld, id, '" NUMBER "', '4001', '13800138099' FROM centre", CALL);
	run(f, "INSERT INTO activity (id, centre_id, agent_id, state, start_ms, end_ms, call_id) SELECT %lld, id, %lld, 'talking', %lld, %lld, %lld FROM centre",
	    CALL, (long long)agent_id, (long long)at + 1000, (long long)at + 5000, CALL);
	(void)snprintf(body, sizeof(body), "{\"customer_id\":\"%lld\",\"call_id\":\"%lld\",\"text\":\"回拨 13800138099\"}", (long long)customer, CALL);
	(void)ask_for(&admin, "POST", "/notes", body, "201");
}

static void leaks_not(struct client *c, const char *method, const char *path, const char *body)
{
	const struct answer *a = ask(c, method, path, NULL, body);

	if (strstr(a->body, DIGITS) || strstr(a->body, "0013-8099") || strstr(a->head, DIGITS))
		fail_msg("%s %s gives the number away: %s", method, path, a->body);
}

TEST(no_answer_holds_a_number_for_who_has_no_right_to_it)
{
	static const char *const paths[] = {
		"/desk", "/board", "/calls", "/calls/4711", "/calls/4711/trace", "/calls?q=8099", "/desk/pop?call_id=4711", "/desk/notes/missing", "/desk/drafts",
		"/desk/faults", "/customers", "/customers?q=8099", "/customers?phone=%2B8613800138099", "/customer_phones", "/notes", "/numbers/lookup?number=8099",
		"/customers/mine", "/customers/requests", "/customer_requests", "/customers/export.csv", "/customers/export.xlsx", "/notes/export.csv",
		"/customers?sort=phone", "/customers?phone.starts=138", "/customer_phones?number.contains=0013", "/customer_phones?sort=-number", "/audit", "/exports",
		"/calls?q=00138", "/faults", "/views", "/meta", "/imports", "/session",
	};
	static const char *const roles[] = {"telesales", "qa", "director", "trainer", "floor"};
	char path[128];
	struct fix f;

	begin(&f);
	for (size_t r = 0; r < ARRAY_LEN(roles); r++) {
		run(&f, "UPDATE users SET role = '%s' WHERE login = 'agent'", roles[r]);
		agent = fix_login(&f, "agent", NULL);
		for (size_t i = 0; i < ARRAY_LEN(paths); i++)
			leaks_not(&agent, "GET", paths[i], NULL);
		(void)snprintf(path, sizeof(path), "/customers/%lld", (long long)customer);
		leaks_not(&agent, "GET", path, NULL);
		leaks_not(&agent, "PATCH", path, "{\"name\":\"李四\"}");
		(void)snprintf(path, sizeof(path), "/customers/%lld/timeline", (long long)customer);
		leaks_not(&agent, "GET", path, NULL);
		(void)snprintf(path, sizeof(path), "/desk/pop?customer_id=%lld", (long long)customer);
		leaks_not(&agent, "GET", path, NULL);
		(void)snprintf(path, sizeof(path), "/customer_phones/%lld", (long long)phone);
		leaks_not(&agent, "GET", path, NULL);
		leaks_not(&agent, "PATCH", path, "{\"number\":\"x\"}");
		leaks_not(&agent, "POST", "/customers/check-number", "{\"number\":\"138 0013 809\"}");
		leaks_not(&agent, "POST", "/desk/dial", "{\"number\":\"8099\"}");
		run(&f, "UPDATE users SET role = 'telesales' WHERE login = 'agent'");
	}
	assert_non_null(strstr(ask(&admin, "GET", "/calls", NULL, NULL)->body, DIGITS)); /* there is something to be leaked */
	assert_non_null(strstr(ask(&admin, "GET", "/customers", NULL, NULL)->body, DIGITS));
	fix_stop(&f);
}

TEST(a_customer_is_dialled_without_the_number)
{
	char body[128];
	struct fix f;

	begin(&f);
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"number\":\"13800138099\"}", "403 forbidden");
	(void)snprintf(body, sizeof(body), "{\"customer_id\":\"%lld\",\"phone_id\":\"%lld\"}", (long long)customer, (long long)phone);
	leaks_not(&agent, "POST", "/desk/dial", body);
	assert_int_equal(sw_last.kind, SW_DIAL);
	assert_string_equal(sw_last.number, NUMBER);
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"phone_id\":\"1\"}", "422 invalid");
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"customer_id\":\"1\"}", "404 not_found");
	run(&f, "UPDATE customer_phones SET state = 'never' WHERE id = %lld", (long long)phone);
	(void)ask_for(&agent, "POST", "/desk/dial", body, "409 never_call");
	run(&f, "UPDATE customers SET owner_id = NULL, team_id = NULL WHERE id = %lld", (long long)customer);
	run(&f, "UPDATE users SET role = 'aftersales' WHERE login = 'agent'");
	fix_stop(&f);
}

TEST(a_number_is_shown_for_a_reason_and_so_many_a_day)
{
	const json_t *o;
	struct fix f;

	begin(&f);
	fix_run(&f, "UPDATE privacy_settings SET reveal_day_max = 2");
	(void)askf(&agent, "POST", "{}", "422 invalid", "/customer_phones/%lld/reveal", (long long)phone);
	o = askf(&agent, "POST", "{\"reason\":\"客户要求短信\"}", "200", "/customer_phones/%lld/reveal", (long long)phone);
	assert_string_equal(json_string_value(json_object_get(o, "number")), NUMBER);
	assert_int_equal(json_integer_value(json_object_get(o, "left")), 1);
	(void)askf(&agent, "POST", "{\"reason\":\"再看\"}", "200", "/customer_phones/%lld/reveal", (long long)phone);
	(void)askf(&agent, "POST", "{\"reason\":\"再看\"}", "429 reveal_limit", "/customer_phones/%lld/reveal", (long long)phone);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE action = 'reveal'"), 2);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE action = 'reveal' AND after_json LIKE '%" DIGITS "%'"), 0);
	o = ask_for(&admin, "GET", "/audit?action=reveal", NULL, "200");
	assert_int_equal(json_array_size(json_object_get(o, "items")), 2);
	run(&f, "UPDATE customers SET owner_id = (SELECT id FROM users WHERE login = 'admin'), team_id = NULL WHERE id = %lld", (long long)customer);
	(void)askf(&agent, "POST", "{\"reason\":\"别人的\"}", "404 not_found", "/customer_phones/%lld/reveal", (long long)phone);
	run(&f, "UPDATE users SET role = 'qa' WHERE login = 'agent'");
	agent = fix_login(&f, "agent", NULL);
	(void)askf(&agent, "POST", "{\"reason\":\"质检\"}", "403 forbidden", "/customer_phones/%lld/reveal", (long long)phone);
	fix_stop(&f);
}

TEST(searches_for_numbers_by_who_sees_none_are_counted)
{
	struct fix f;
	int n = 0;

	begin(&f);
	(void)ask_for(&agent, "GET", "/calls?q=809", NULL, "400 bad_query"); /* less than four */
	assert_int_equal(json_array_size(json_object_get(ask_for(&agent, "GET", "/calls?q=8099", NULL, "200"), "items")), 1);
	assert_int_equal(json_array_size(json_object_get(ask_for(&agent, "GET", "/calls?q=0138", NULL, "200"), "items")), 0); /* the middle */
	while (n < 40 && ask(&agent, "GET", "/customers?q=8099", NULL, NULL)->status == 200)
		n++;
	assert_true(n >= 26 && n <= 30);
	assert_non_null(strstr(ask(&agent, "GET", "/customers?q=8099", NULL, NULL)->head, "Retry-After:"));
	(void)ask_for(&agent, "GET", "/customers?q=%E5%BC%A0", NULL, "200"); /* names are not */
	(void)ask_for(&admin, "GET", "/customers?q=8099", NULL, "200");
	fix_stop(&f);
}

/* Steps as the program takes them, but for a crash after each. */
static void finish_erasing(struct fix *f)
{
	for (int i = 0; i < 20 && audit_erase_step(f->api); i++)
		;
}

/* How many texts of @table hold one of the words. What an index of words keeps is no text. */
static int64_t texts_in(struct db *db, const char *table)
{
	struct db_stmt *st;
	int64_t n = 0, of;
	int r = db_prepare(&st, db, db_columns_sql(db));

	assert_int_equal(r, 0);
	db_bind_text(st, 1, table);
	while ((r = db_step(st)) == DB_ROW) {
		char sql[512];

		if (strcmp(db_text(st, 1), "TEXT") != 0)
			continue;
		(void)snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s x WHERE x.%s LIKE '%%" DIGITS "%%' OR x.%s LIKE '%%0013-8099%%' OR x.%s LIKE '%%张三%%'",
			       table, db_text(st, 0), db_text(st, 0), db_text(st, 0));
		assert_int_equal(db_get_i64(&of, db, sql, ""), 0);
		if (of)
			print_message("%s.%s holds %lld\n", table, db_text(st, 0), (long long)of);
		n += of;
	}
	db_done(st);
	return n;
}

static int64_t texts_anywhere(struct fix *f)
{
	struct db_stmt *st;
	struct db *db;
	int64_t n = 0;

	assert_int_equal(db_open(&db, f->url, DB_RO), 0);
	assert_int_equal(db_prepare(&st, db, db->e->tables_sql), 0);
	while (db_step(st) == DB_ROW)
		n += texts_in(db, db_text(st, 0));
	db_done(st);
	db_close(db);
	return n;
}

TEST(an_erased_person_is_gone_from_rows_calls_and_audit_and_figures_stay)
{
	const json_t *o;
	struct fix f;
	char path[96];

	begin(&f);
	run(&f, "INSERT INTO event (epoch, n, centre_id, at_ms, class, kind, v, call_id, body, pii, hash)"
		" SELECT 999, 1, id, 1, 'call', 'call.new', 1, %lld, '{}', '', '' FROM centre", CALL);
	run(&f, "INSERT INTO event_pii (epoch, n, key, centre_id, salt, text) SELECT 999, 1, 'from', id, '', '" NUMBER "' FROM centre");
	run(&f, "INSERT INTO recording_part (id, centre_id, call_id, path, start_ms, state) SELECT 77, id, %lld, 'none/such.wav', 1, 'done' FROM centre", CALL);
	(void)ask_for(&admin, "POST", "/customers/requests", "{\"number\":\"138 0013 8099\",\"reason\":\"张三找我\"}", "201");
	(void)ask_for(&admin, "POST", "/views", "{\"resource\":\"customers\",\"name\":\"找人\",\"filters\":{\"q\":\"13800138099\"}}", "201");
	assert_int_equal(ask(&admin, "GET", "/customers/export.csv?q=13800138099", NULL, NULL)->status, 200);
	run(&f, "INSERT INTO customer_shares (customer_id, user_id, at_ms) VALUES (%lld, %lld, 1)", (long long)customer, (long long)agent_id);
	assert_true(texts_anywhere(&f) > 10);
	(void)askf(&agent, "POST", "{\"reason\":\"x\"}", "403 forbidden", "/customers/%lld/erase", (long long)customer);
	(void)askf(&admin, "POST", "{}", "422 invalid", "/customers/%lld/erase", (long long)customer);
	run(&f, "INSERT INTO call_mark (call_id, centre_id, at_ms, tags, why, held) SELECT %lld, id, 1, ',张三,', '张三说得好', 1 FROM centre", CALL);
	run(&f, "INSERT INTO call_remark (id, centre_id, call_id, user_id, at_ms, pos_ms, text) SELECT 78, id, %lld, 1, 1, 1, '张三' FROM centre", CALL);
	(void)askf(&admin, "POST", "{\"reason\":\"本人要求\"}", "409 held", "/customers/%lld/erase", (long long)customer);
	run(&f, "UPDATE call_mark SET held = 0 WHERE call_id = %lld", CALL);
	(void)askf(&admin, "POST", "{\"reason\":\"本人要求\"}", "204", "/customers/%lld/erase", (long long)customer);
	(void)askf(&admin, "POST", "{\"reason\":\"再来\"}", "409 erased", "/customers/%lld/erase", (long long)customer);
	finish_erasing(&f);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM erasures"), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_phones WHERE number = '" NUMBER "'"), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM call_pii WHERE call_id = 4711"), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM event_pii WHERE epoch = 999"), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM recording_part WHERE id = 77 AND state = 'erased' AND path = ''"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM notes WHERE call_id = 4711 AND text IS NULL"), 1);
	assert_int_equal(texts_anywhere(&f), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE state = 'erased' AND owner_id IS NULL AND team_id IS NULL"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_shares"), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_requests WHERE state = 'withdrawn'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM call WHERE id = 4711 AND talk_ms = 4000"), 1); /* figures */
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE before_json LIKE '%" DIGITS "%' OR after_json LIKE '%" DIGITS "%'"
				     " OR after_json LIKE '%0013-8099%' OR after_json LIKE '%张三%'"), 0);
	o = ask_for(&admin, "POST", "/audit/verify", "{}", "200");
	assert_true(json_is_true(json_object_get(o, "ok")));
	assert_true(json_integer_value(json_object_get(o, "erased")) >= 3);
	fix_run(&f, "UPDATE audit SET after_json = '{}' WHERE salt = ''"); /* what is erased is not written anew */
	assert_false(json_is_true(json_object_get(ask_for(&admin, "POST", "/audit/verify", "{}", "200"), "ok")));
	(void)snprintf(path, sizeof(path), "/customers/%lld", (long long)customer);
	o = ask_for(&admin, "GET", path, NULL, "200");
	assert_string_equal(json_string_value(json_object_get(o, "state")), "erased");
	fix_stop(&f);
}

TEST(the_audit_says_who_saw_and_changed_a_customer)
{
	const json_t *items, *line;
	struct fix f;

	begin(&f);
	(void)askf(&agent, "GET", NULL, "200", "/customers/%lld", (long long)customer);
	(void)askf(&agent, "GET", NULL, "200", "/customers/%lld", (long long)customer); /* one line an hour */
	items = json_object_get(askf(&admin, "GET", NULL, "200", "/audit?resource=customers&row_id=%lld", (long long)customer), "items");
	assert_int_equal(json_array_size(items), 2);
	line = json_array_get(items, 0);
	assert_string_equal(json_string_value(json_object_get(line, "action")), "see");
	line = json_array_get(items, 1);
	assert_string_equal(json_string_value(json_object_get(line, "action")), "create");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(line, "changes"), 0), "label")), "姓名");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(line, "changes"), 0), "after")), "张三");
	(void)ask_for(&agent, "GET", "/audit", NULL, "403 forbidden");
	(void)ask_for(&agent, "POST", "/audit/verify", "{}", "403 forbidden");
	fix_stop(&f);
}

TEST(the_audit_says_who_logged_in_and_from_where)
{
	const json_t *items, *line;
	struct fix f;

	begin(&f);
	items = json_object_get(ask_for(&admin, "GET", "/audit?action=login", NULL, "200"), "items");
	assert_int_equal(json_array_size(items), 2);
	line = json_array_get(items, 0); /* the newest first */
	assert_int_equal(strtoll(json_string_value(json_object_get(line, "user_id")), NULL, 10), agent_id);
	line = json_array_get(json_object_get(line, "changes"), 0);
	assert_string_equal(json_string_value(json_object_get(line, "label")), "来源地址");
	assert_string_equal(json_string_value(json_object_get(line, "after")), "127.0.0.1");
	fix_stop(&f);
}
