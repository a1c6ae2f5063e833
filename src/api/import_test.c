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
	assert_string_equal(refused(j, 1), "角色：找不到这一项（经理）");
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
	j = check(&c, "{\"existing\":\"leave\"}", "checked");
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

#define CUSTOMERS "客户名单\n客户姓名,手机,电话2,家属电话,出生日期,标签,来源备注\n" \
	"示例甲,13800138000.0,１３９-００１３-９０００,,1990/1/31,vip、北京,a\n" \
	"示例乙,\"13700137000/0571-88123456\n13600136000\",,13500135000,33000,,b\n" \
	"示例丙,1.38E+10,,,,,c\n" \
	"示例丁,13800138000,,,,,d\n" \
	"示例戊,,,,,,e\n"

TEST(customers_come_with_their_telephones_in_any_form_and_digits_that_are_gone_are_refused)
{
	struct fix f;
	struct client c;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "customers", CUSTOMERS);
	j = check(&c, "{}", "checked");
	counts(j, 3, 0, 0, 2);
	assert_int_equal(json_integer_value(json_object_get(j, "header_row")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(j, "columns"), 2)), "phones");
	assert_string_equal(json_string_value(json_array_get(json_object_get(j, "columns"), 3)), "phones_family");
	assert_string_equal(json_string_value(json_array_get(json_array_get(json_object_get(j, "samples"), 0), 1)), "示例乙");
	assert_string_equal(refused(j, 0), "电话：被写成了科学计数法，后面的数字已丢失；请在原表把这一列设成文本再填（1.38E+10）");
	assert_string_equal(refused(j, 1), "表里有重复，前一次在第 3 行");
	assert_int_equal(json_integer_value(json_object_get(j, "twice")), 1);
	assert_int_equal(json_array_size(json_object_get(j, "reasons")), 2);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers"), 0);
	counts(commit(&c), 3, 0, 0, 2);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_phones"), 6);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_phones WHERE number = '+8613900139000' AND label = 'self'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_phones WHERE number = '+8613500135000' AND label = 'family'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE name = '示例甲' AND birthday = '1990-01-31' AND phone = '+8613800138000' AND tags = ',vip,北京,'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE name = '示例乙' AND birthday = '1990-05-07'"), 1); /* Excel's day 33000 */
	fix_stop(&f);
}

TEST(a_row_that_has_one_of_the_numbers_is_the_row_meant)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "customers", "姓名,电话,地址\n示例甲,13800138000,\n示例乙,13900139000,旧地址\n");
	(void)check(&c, "{}", "checked");
	(void)commit(&c);
	upload(&c, "customers", "姓名,电话,地址\n示例甲二,138 0013 8000/13700137000,新地址\n示例乙,13900139000,新地址\n示例丙,13800138000、13900139000,\n");
	{
		const json_t *j = check(&c, "{\"existing\":\"leave\"}", "checked");

		counts(j, 0, 0, 0, 3);
		assert_int_equal(json_integer_value(json_object_get(j, "exists")), 2);
		assert_string_equal(refused(j, 2), "这一行的号码分属不同的记录");
	}
	counts(check(&c, "{\"existing\":\"fill\"}", "checked"), 0, 1, 1, 1);
	counts(commit(&c), 0, 1, 1, 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE name = '示例甲' AND address = '新地址'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE name = '示例乙' AND address = '旧地址'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_phones"), 3);
	upload(&c, "customers", "姓名,电话,地址\n示例乙,13900139000,新地址\n");
	counts(check(&c, "{}", "checked"), 0, 1, 0, 0);
	(void)commit(&c);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE name = '示例乙' AND address = '新地址'"), 1);
	fix_stop(&f);
}

/* Who works in one project already comes into the next one all the same: a project replaces nothing. */
TEST(empty_fields_alone_are_filled_but_a_project_is_added)
{
	struct fix f;
	struct client c;
	char *body;
	int64_t first, second;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	(void)ask_for(&c, "POST", "/campaigns", "{\"name\":\"A\",\"basis\":\"consent\",\"basis_text\":\"x\"}", "201");
	(void)ask_for(&c, "POST", "/campaigns", "{\"name\":\"B\",\"basis\":\"consent\",\"basis_text\":\"x\"}", "201");
	first = fix_get(&f, "SELECT id FROM campaigns WHERE name = 'A'");
	second = fix_get(&f, "SELECT id FROM campaigns WHERE name = 'B'");
	upload(&c, "customers", "姓名,电话\n示例甲,13800138000\n");
	body = xasprintf("{\"values\":{\"campaign_id\":\"%lld\"}}", (long long)first);
	counts(check(&c, body, "checked"), 1, 0, 0, 0);
	(void)commit(&c);
	free(body);
	upload(&c, "customers", "姓名,电话\n别的名字,13800138000\n");
	body = xasprintf("{\"existing\":\"fill\",\"values\":{\"campaign_id\":\"%lld\"}}", (long long)second);
	counts(check(&c, body, "checked"), 0, 1, 0, 0);
	(void)commit(&c);
	free(body);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE name = '示例甲'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(DISTINCT campaign_id) FROM campaign_leads"), 2);
	fix_stop(&f);
}

TEST(every_row_gets_what_was_chosen_for_all_and_owned_customers_are_taken)
{
	struct fix f;
	struct client c;
	char *body;
	int64_t user;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	user = fix_get(&f, "SELECT id FROM users WHERE login = 'liuyang'");
	upload(&c, "customers", "姓名,电话\n示例甲,13800138000\n示例乙,13900139000\n");
	body = xasprintf("{\"values\":{\"owner_id\":\"%lld\",\"tags\":\"展会\"}}", (long long)user);
	counts(check(&c, body, "checked"), 2, 0, 0, 0);
	(void)commit(&c);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE owner_id IS NOT NULL AND tags = ',展会,'"), 2);
	free(body);
	upload(&c, "customers", "姓名,电话\n示例甲,13800138000\n示例丙,13700137000\n");
	body = xasprintf("{\"values\":{\"owner_id\":\"%lld\"}}", (long long)fix_get(&f, "SELECT id FROM users WHERE login = 'root'"));
	{
		const json_t *j = check(&c, body, "checked");

		counts(j, 1, 0, 0, 1);
		assert_int_equal(json_integer_value(json_object_get(j, "taken")), 1);
		assert_string_equal(refused(j, 0), "已经有人负责");
	}
	free(body);
	(void)ask_for(&c, "POST", below("/check"), "{\"values\":[]}", "422 invalid");
	(void)ask_for(&c, "POST", below("/check"), "{\"existing\":\"eat\"}", "422 invalid");
	fix_stop(&f);
}

TEST(columns_are_remembered_for_the_same_titles_in_any_order)
{
	struct fix f;
	struct client c;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "teams", "甲,乙\n示例组一,a\n");
	(void)check(&c, "{\"header_row\":1,\"columns\":[\"name\",\"note\"]}", "checked");
	counts(commit(&c), 1, 0, 0, 0);
	upload(&c, "teams", "乙,甲\nb,示例组二\n");
	j = check(&c, "{}", "checked");
	counts(j, 1, 0, 0, 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(j, "columns"), 1)), "name");
	assert_true(json_is_integer(json_object_get(j, "remembered_ms")));
	j = check(&c, "{\"forget\":true}", "checked");
	assert_true(json_is_null(json_array_get(json_object_get(j, "columns"), 1)));
	assert_true(json_is_null(json_object_get(j, "remembered_ms")));
	upload(&c, "teams", "甲,乙,丙\n示例组三,a,\n");
	j = check(&c, "{}", "checked");
	assert_true(json_is_null(json_array_get(json_object_get(j, "columns"), 0)));
	fix_stop(&f);
}

TEST(a_row_may_refer_to_one_above_it_in_the_same_sheet)
{
	struct fix f;
	struct client c;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "contact_reasons", "名称,上级\n示例大类,\n示例小类,示例大类\n示例别类,没有的类\n");
	counts(check(&c, "{}", "checked"), 2, 0, 0, 1);
	counts(commit(&c), 2, 0, 0, 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM contact_reasons a JOIN contact_reasons b ON b.id = a.parent_id WHERE a.name = '示例小类' AND b.name = '示例大类'"), 1);
	fix_stop(&f);
}

static const json_t *undone(struct client *c, int64_t import_id)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/imports/%lld/undo", (long long)import_id);
	(void)ask_for(c, "POST", path, "{}", "202");
	for (int i = 0; i < 1000; i++) {
		const json_t *j = ask_for(c, "GET", path, NULL, "200");

		if (!json_is_true(json_object_get(j, "running")))
			return j;
		(void)usleep(5000);
	}
	fail_msg("it does not end");
	return NULL;
}

TEST(an_import_is_undone_but_for_what_somebody_touched_since)
{
	struct fix f;
	struct client c;
	const json_t *j;
	int64_t id;
	char path[64];

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	upload(&c, "customers", "姓名,电话,地址\n示例甲,13800138000,旧址\n");
	(void)check(&c, "{}", "checked");
	(void)commit(&c);
	upload(&c, "customers", "姓名,电话,地址\n示例甲,13800138000/13800138001,新址\n示例乙,13900139000/13900139001,\n示例丙,13700137000,\n示例丁,13600136000,\n");
	(void)check(&c, "{}", "checked");
	counts(commit(&c), 3, 1, 0, 0);
	id = fix_get(&f, "SELECT MAX(id) FROM imports");
	fix_run(&f, "UPDATE customers SET rev = rev + 1, note = 'x' WHERE name = '示例丙'");
	fix_run(&f, "UPDATE customers SET contact_n = 1, last_ms = 5 WHERE name = '示例丁'");
	(void)snprintf(path, sizeof(path), "/imports/%lld/undo", (long long)id);
	j = ask_for(&c, "GET", path, NULL, "200");
	assert_int_equal(json_integer_value(json_object_get(j, "remove")), 2);
	assert_int_equal(json_integer_value(json_object_get(j, "put_back")), 1);
	assert_int_equal(json_integer_value(json_object_get(j, "touched")), 1);
	j = undone(&c, id);
	assert_text(j, "state", "undone");
	assert_int_equal(json_integer_value(json_object_get(j, "undone")), 2);
	assert_int_equal(json_integer_value(json_object_get(j, "kept")), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(j, "kept_rows"), 0), "why")), "后来被改过");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(j, "kept_rows"), 1), "why")), "已经跟进过（有通话或小结）");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers"), 3);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers WHERE name = '示例甲' AND address = '旧址' AND phone = '+8613800138000'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customer_phones"), 3);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE action = 'import_undo'"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE action = 'delete' AND resource = 'customers' AND user_id IS NOT NULL"), 1);
	(void)ask_for(&c, "POST", path, "{}", "409 wrong_state");
	(void)ask_for(&c, "POST", "/imports/7/undo", "{}", "404 not_found");
	fix_stop(&f);
}

TEST(who_may_not_import_there_may_not_undo)
{
	struct fix f;
	struct client c, lead;
	char path[64];

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	lead = fix_login(&f, "supervisor", NULL);
	upload(&c, "users", "姓名,登录名\n示例甲,jia1\n");
	(void)check(&c, "{}", "checked");
	(void)commit(&c);
	(void)snprintf(path, sizeof(path), "/imports/%lld/undo", (long long)fix_get(&f, "SELECT MAX(id) FROM imports"));
	(void)ask_for(&lead, "POST", path, "{}", "403 forbidden");
	(void)ask_for(&lead, "GET", path, NULL, "403 forbidden");
	fix_stop(&f);
}

/* His role imports, too, but reaches only a department's customers. */
TEST(whose_reach_is_shorter_undoes_only_imports_of_his_own)
{
	struct fix f;
	struct client c, other;
	char path[64];

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	(void)ask_for(&c, "POST", "/users", "{\"name\":\"示例乙\",\"login\":\"yi\",\"role\":\"outbound_lead\",\"password\":\"long enough 77\",\"must_change_password\":false}", "201");
	other = fix_login(&f, "yi", "long enough 77");
	upload(&c, "customers", "姓名,电话\n示例甲,13800138000\n");
	(void)check(&c, "{}", "checked");
	(void)commit(&c);
	(void)snprintf(path, sizeof(path), "/imports/%lld/undo", (long long)fix_get(&f, "SELECT MAX(id) FROM imports"));
	(void)ask_for(&other, "POST", path, "{}", "403 forbidden");
	(void)ask_for(&other, "GET", path, NULL, "403 forbidden");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers"), 1);
	upload(&other, "customers", "姓名,电话,归属坐席\n示例丙,13800138001,示例乙\n");
	(void)check(&other, "{}", "checked");
	(void)commit(&other);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers"), 2);
	assert_text(undone(&other, fix_get(&f, "SELECT MAX(id) FROM imports")), "state", "undone");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM customers"), 1);
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
