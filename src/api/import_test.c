/* Sheets into resources: upload, check, commit, refused rows, generated secrets, rights. */
#include "api/fixture.h"

#include <unistd.h>

#include "api/sheet.h"

static char at[64]; /* "/sheets/{id}" */

static const char *below(const char *what)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s%s", at, what);
	return path;
}

static void upload(struct client *c, const char *resource, const char *text)
{
	char *body = xasprintf("{\"resource\":\"%s\",\"name\":\"a.csv\"}", resource);

	(void)snprintf(at, sizeof(at), "/sheets/%s", json_string_value(json_object_get(ask_for(c, "POST", "/sheets", body, "201"), "id")));
	(void)ask_for(c, "POST", below("/data"), text, "200");
	free(body);
}

/* Asks until it is neither checking nor running. */
static const json_t *settled(struct client *c)
{
	for (int i = 0; i < 1000; i++) {
		const json_t *j = ask_for(c, "GET", at, NULL, "200");
		const char *state = json_string_value(json_object_get(j, "state"));

		if (strcmp(state, "checking") && strcmp(state, "running"))
			return j;
		(void)usleep(5000);
	}
	fail_msg("it does not end");
	return NULL;
}

static const json_t *check(struct client *c, const char *body, const char *state)
{
	const json_t *j;

	(void)ask_for(c, "POST", below("/check"), body, "202");
	j = settled(c);
	assert_text(j, "state", state);
	return j;
}

static const json_t *commit(struct client *c)
{
	(void)ask_for(c, "POST", below("/commit"), "{}", "202");
	return settled(c);
}

static void counts(const json_t *j, int added, int changed, int unchanged, int bad)
{
	const int want[] = {added, changed, unchanged, bad};
	static const char *const names[] = {"added", "changed", "unchanged", "bad"};

	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (json_integer_value(json_object_get(j, names[i])) != want[i])
			fail_msg("%s is %lld, not %d: %s", names[i], (long long)json_integer_value(json_object_get(j, names[i])), want[i],
				 json_dumps(j, JSON_INDENT(1)));
}

static const char *refused(const json_t *j, size_t i)
{
	return json_string_value(json_object_get(json_array_get(json_object_get(j, "refused"), i), "why"));
}

#define USERS "人员名单,,,\r\n姓名 *,登录名,分机号,班组,角色\r\n" \
	"示例甲,jia1,９００１,销售组(示例),坐席\r\n" \
	"示例乙,yi1,9002,没有的组,坐席\r\n" \
	"示例丙,yi 2,9003,,经理\r\n" \
	",ding1,9004,,\r\n" \
	"示例戊,jia1,9005,,agent\r\n" \
	"示例己,ji1,8005,,Supervisor\r\n" \
	"\r\n" \
	"刘洋(示例),liuyang,8005,,\r\n"

TEST(users_come_from_a_sheet_after_a_check_that_changes_nothing)
{
	struct fix f;
	struct client c;
	const json_t *j;
	int64_t before;
	const struct answer *a;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	before = fix_get(&f, "SELECT COUNT(*) FROM users");
	upload(&c, "users", USERS);
	j = check(&c, "{}", "checked");
	counts(j, 1, 0, 1, 5);
	assert_int_equal(json_integer_value(json_object_get(j, "header_row")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(j, "columns"), 3)), "team_id");
	assert_string_equal(refused(j, 0), "班组：找不到这一项（没有的组）");
	assert_string_equal(refused(j, 1), "角色：不在可选范围内（经理）");
	assert_string_equal(refused(j, 2), "姓名：必填");
	assert_string_equal(refused(j, 3), "表里有重复，前一次在第 3 行");
	assert_string_equal(refused(j, 4), "分机号：已经有同样的了");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM users"), before);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM imports"), 0);
	(void)ask_for(&c, "GET", below("/once.csv"), NULL, "404 not_found");

	j = commit(&c);
	assert_text(j, "state", "done");
	counts(j, 1, 0, 1, 5);
	assert_int_equal(json_integer_value(json_object_get(j, "once")), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM users"), before + 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM users WHERE login = 'jia1' AND extension = '9001' AND team_id IS NOT NULL AND must_change_password = 1"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM imports WHERE state = 'done' AND added = 1 AND unchanged = 1 AND bad = 5 AND last_row = 10"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE action = 'import' AND resource = 'users'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE action = 'create' AND resource = 'users' AND after_json LIKE '%jia1%'"), 1);
	(void)ask_for(&c, "POST", below("/commit"), "{}", "409 wrong_state");

	/* The password that was made lets him in, and must be changed. */
	a = ask(&c, "GET", below("/once.csv"), NULL, NULL);
	{
		const char *p = strstr(a->body, "jia1,password,"), *end = p ? strchr(p, '\r') : NULL;
		char password[64];

		assert_non_null(end);
		(void)snprintf(password, sizeof(password), "%.*s", (int)(end - p - 14), p + 14);
		(void)fix_login(&f, "jia1", password);
	}
	fix_stop(&f);
}

static int count_row(void *arg, const struct sheet_row *row)
{
	struct strb *b = arg;

	for (size_t i = 0; i < row->n; i++)
		strb_printf(b, "%s%s", i ? "|" : "", row->cells[i].text);
	strb_putc(b, '\n');
	return 0;
}

TEST(refused_rows_are_a_sheet_with_reasons_that_can_be_mended_and_come_again)
{
	struct fix f;
	struct client c;
	const struct answer *a;
	struct sheet_error e;
	struct strb b;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "users", USERS);
	(void)check(&c, "{}", "checked");
	a = ask(&c, "GET", below("/refused.xlsx"), NULL, NULL);
	assert_int_equal(a->status, 200);
	strb_init(&b, 65536);
	assert_int_equal(sheet_read(a->body, (size_t)atoll(strcasestr(a->head, "Content-Length: ") + 16), &(struct sheet_handler){.row = count_row}, &b, NULL, &e), 0);
	assert_non_null(strstr(b.buf, "姓名 *|登录名|分机号|班组|角色|原行号|退回原因\n示例乙|yi1|9002|没有的组|坐席|4|班组：找不到这一项（没有的组）\n"));
	strb_done(&b);
	fix_stop(&f);
}

TEST(existing_rows_are_changed_or_refused_as_wished_and_empty_cells_change_nothing)
{
	struct fix f;
	struct client c;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "users", "login,name,staff_no\nliuyang,示例新名,\n");
	j = check(&c, "{\"existing\":\"refuse\"}", "checked");
	counts(j, 0, 0, 0, 1);
	j = check(&c, "{}", "checked");
	counts(j, 0, 1, 0, 0);
	j = commit(&c);
	counts(j, 0, 1, 0, 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM users WHERE login = 'liuyang' AND name = '示例新名' AND staff_no = '1005' AND extension = '8005'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM users WHERE login = 'liuyang' AND password IS NOT NULL"), 0);
	upload(&c, "users", "login,name,staff_no\nliuyang,示例新名,\n");
	counts(check(&c, "{}", "checked"), 0, 0, 1, 0);
	fix_stop(&f);
}

TEST(columns_sheet_and_header_may_be_chosen)
{
	struct fix f;
	struct client c;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "teams", "x,y\n示例组一,a\n示例组二,b\n");
	j = check(&c, "{}", "checked");
	counts(j, 0, 0, 0, 0); /* no column is known, so no row has a value */
	j = check(&c, "{\"header_row\":1,\"columns\":[\"name\",null]}", "checked");
	counts(j, 2, 0, 0, 0);
	j = check(&c, "{\"columns\":[\"name\",\"name\"]}", "checked");
	assert_true(json_is_null(json_array_get(json_object_get(j, "columns"), 1)));
	(void)ask_for(&c, "POST", below("/check"), "{\"columns\":[1]}", "422 invalid");
	counts(commit(&c), 2, 0, 0, 0);
	fix_stop(&f);
}

TEST(references_go_by_name_login_or_number_and_devices_get_secrets)
{
	struct fix f;
	struct client c;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "devices", "设备名,使用人,类型\nd901,liuyang,\nd902,8010,话机（注册）\nd903,示例无此人,\n");
	j = check(&c, "{}", "checked");
	counts(j, 2, 0, 0, 1);
	j = commit(&c);
	counts(j, 2, 0, 0, 1);
	assert_int_equal(json_integer_value(json_object_get(j, "once")), 2);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM devices d JOIN users u ON u.id = d.user_id WHERE d.name = 'd902' AND u.extension = '8010'"), 1);
	fix_stop(&f);
}

TEST(a_thousand_rows_come_in_pieces_and_again_change_nothing)
{
	struct fix f;
	struct client c;
	struct strb b;
	int64_t before;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	before = fix_get(&f, "SELECT COUNT(*) FROM teams");
	strb_init(&b, 1 << 20);
	strb_puts(&b, "名称\n");
	for (int i = 0; i < 1000; i++)
		strb_printf(&b, "示例组 %d\n", i);
	upload(&c, "teams", b.buf);
	counts(check(&c, "{}", "checked"), 1000, 0, 0, 0);
	counts(commit(&c), 1000, 0, 0, 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM teams"), before + 1000);
	upload(&c, "teams", b.buf);
	counts(check(&c, "{}", "checked"), 0, 0, 1000, 0);
	strb_done(&b);
	fix_stop(&f);
}

TEST(files_that_are_no_sheets_are_refused_with_code_and_words)
{
	struct fix f;
	struct client c;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "teams", "PK\3\4 what");
	j = check(&c, "{}", "refused");
	assert_text(json_object_get(j, "error"), "code", "damaged");
	(void)ask_for(&c, "POST", below("/commit"), "{}", "409 wrong_state");
	upload(&c, "teams", "\r\n\r\n");
	j = check(&c, "{}", "refused");
	assert_text(json_object_get(j, "error"), "code", "no_rows");
	fix_stop(&f);
}

TEST(pieces_of_a_file_come_one_after_the_other)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "teams", "名称\n示例");
	(void)ask_for(&c, "POST", below("/data?offset=3"), "x", "409 wrong_state");
	(void)ask_for(&c, "POST", below("/data?offset=13"), "组九\n", "200");
	counts(check(&c, "{}", "checked"), 1, 0, 0, 0);
	(void)ask_for(&c, "POST", below("/data?offset=20"), "x", "409 wrong_state");
	(void)ask_for(&c, "DELETE", at, NULL, "204");
	(void)ask_for(&c, "GET", at, NULL, "404 not_found");
	fix_stop(&f);
}

TEST(who_may_not_write_may_not_import_and_sees_nobody_elses)
{
	struct fix f;
	struct client c, lead, agent;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	lead = fix_login(&f, "supervisor", NULL);
	agent = fix_login(&f, "agent", NULL);
	(void)ask_for(&lead, "POST", "/sheets", "{\"resource\":\"users\",\"name\":\"a\"}", "403 forbidden");
	(void)ask_for(&agent, "POST", "/sheets", "{\"resource\":\"members\",\"name\":\"a\"}", "403 forbidden");
	(void)ask_for(&lead, "POST", "/sheets", "{\"resource\":\"members\",\"name\":\"a\"}", "201");
	(void)ask_for(&c, "POST", "/sheets", "{\"resource\":\"tokens\",\"name\":\"a\"}", "403 forbidden");
	(void)ask_for(&c, "POST", "/sheets", "{\"resource\":\"imports\",\"name\":\"a\"}", "403 forbidden");
	(void)ask_for(&c, "POST", "/sheets", "{\"resource\":\"nothing\",\"name\":\"a\"}", "404 not_found");
	(void)ask_for(&c, "POST", "/imports", "{}", "403 forbidden");
	upload(&c, "teams", "名称\n示例组\n");
	(void)ask_for(&lead, "GET", at, NULL, "404 not_found");
	(void)ask_for(&lead, "POST", below("/commit"), "{}", "404 not_found");
	fix_stop(&f);
}

/* As after a crash: the row was running, the process is another. */
TEST(an_import_that_a_crash_ended_says_so_at_the_next_start)
{
	struct fix f;
	struct api *again;

	fix_start(&f, true);
	fix_run(&f, "INSERT INTO imports (id, centre_id, rev, created_ms, updated_ms, what, file, by_name, state, added, changed, unchanged, bad, last_row) "
		    "VALUES (5, (SELECT MIN(id) FROM centre), 1, 1, 1, 'x', 'a.xlsx', 'root', 'running', 25, 0, 0, 0, 26)");
	assert_int_equal(api_new(&again, &f.conf), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM imports WHERE state = 'interrupted' AND added = 25 AND last_row = 26"), 1);
	api_free(again);
	fix_stop(&f);
}
