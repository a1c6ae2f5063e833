/* Lists as files, read back by our own reader. */
#include "api/fixture.h"

#include "api/sheet.h"

struct read {
	struct strb b;
	unsigned rows;
};

static int take_row(void *arg, const struct sheet_row *row)
{
	struct read *v = arg;

	for (size_t i = 0; i < row->n; i++)
		strb_printf(&v->b, "%s%s", i ? "|" : "", row->cells[i].text);
	strb_putc(&v->b, '\n');
	v->rows++;
	return 0;
}

/* The body of the last answer as text, by its length on the wire. */
static void read_body(struct read *v, const struct answer *a)
{
	const char *len = strcasestr(a->head, "Content-Length: ");
	struct sheet_error e;

	assert_int_equal(a->status, 200);
	assert_non_null(len);
	strb_init(&v->b, 1 << 20);
	v->rows = 0;
	if (sheet_read(a->body, (size_t)atoll(len + 16), &(struct sheet_handler){.row = take_row}, v, NULL, &e))
		fail_msg("not readable: %s %s", e.code, e.part);
}

TEST(lists_are_exported_in_the_askers_language_without_secrets)
{
	static const char *const formats[] = {"xlsx", "csv"};
	struct fix f;
	struct client c, en;
	struct read v;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	en = c;
	(void)strcpy(en.lang, "en");
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		char *path = xasprintf("/users/export.%s", formats[i]);
		const struct answer *a = ask(&c, "GET", path, NULL, NULL);

		assert_non_null(strstr(a->head, "attachment; filename=\""));
		read_body(&v, a);
		assert_int_equal(v.rows, 2 + fix_get(&f, "SELECT COUNT(*) FROM users"));
		assert_non_null(strstr(v.b.buf, "导出: ")); /* who took it out */
		assert_non_null(strstr(v.b.buf, "(root) "));
		assert_non_null(strstr(v.b.buf, "姓名|登录名|下次登录须改密码|角色|班组|分机号"));
		assert_non_null(strstr(v.b.buf, "\n刘洋(示例)|liuyang|否|坐席|销售组(示例)|8005|1005|"));
		assert_non_null(strstr(v.b.buf, "|坐席|"));
		assert_null(strstr(v.b.buf, "argon2"));
		strb_done(&v.b);
		read_body(&v, ask(&en, "GET", path, NULL, NULL));
		assert_non_null(strstr(v.b.buf, "Name|Login|"));
		assert_non_null(strstr(v.b.buf, "|Administrator|"));
		strb_done(&v.b);
		free(path);
	}
	read_body(&v, ask(&c, "GET", "/users/export.csv?lang=en", NULL, NULL)); /* a link's language */
	assert_non_null(strstr(v.b.buf, "Name|Login|"));
	strb_done(&v.b);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE action = 'export' AND resource = 'users'"), 5);
	fix_stop(&f);
}

TEST(an_export_keeps_filter_search_and_sort_and_refuses_what_the_list_refuses)
{
	struct fix f;
	struct client c, agent;
	struct read v;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	read_body(&v, ask(&c, "GET", "/users/export.csv?q=%E7%8E%8B&role=agent&sort=-login", NULL, NULL));
	assert_int_equal(v.rows, 2 + fix_get(&f, "SELECT COUNT(*) FROM users WHERE role = 'agent' AND name LIKE '%王%'"));
	strb_done(&v.b);
	read_body(&v, ask(&c, "GET", "/users/export.csv?sort=-extension", NULL, NULL));
	assert_true(strstr(v.b.buf, "|8015") < strstr(v.b.buf, "|8002"));
	strb_done(&v.b);
	(void)ask_for(&c, "GET", "/users/export.csv?password=x", NULL, "400 invalid");
	(void)ask_for(&c, "GET", "/users/export.xlsx?sort=password", NULL, "400 invalid");
	(void)ask_for(&c, "GET", "/nothing/export.csv", NULL, "404 not_found");
	agent = fix_login(&f, "agent", NULL);
	(void)ask_for(&agent, "GET", "/users/export.csv", NULL, "403 forbidden");
	(void)ask_for(&agent, "GET", "/users/template.xlsx", NULL, "403 forbidden");
	fix_stop(&f);
}

TEST(every_resource_is_exported_and_has_a_template_if_it_may_be_imported)
{
	struct fix f;
	struct client c;
	struct read v;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	for (size_t i = 0; res_all[i]; i++) {
		char *path = xasprintf("/%s/export.xlsx", res_all[i]->name), *empty = xasprintf("/%s/template.xlsx", res_all[i]->name);
		char *sql = xasprintf("SELECT COUNT(*) FROM %s", res_all[i]->table);

		int64_t rows = fix_get(&f, sql); /* before: an export is a row of exports */

		read_body(&v, ask(&c, "GET", path, NULL, NULL));
		assert_int_equal(v.rows, 2 + rows);
		strb_done(&v.b);
		if (res_all[i]->no_import || res_all[i]->closed) {
			(void)ask_for(&c, "GET", empty, NULL, "403 forbidden");
		} else {
			read_body(&v, ask(&c, "GET", empty, NULL, NULL));
			assert_int_equal(v.rows, 1);
			strb_done(&v.b);
		}
		free(path);
		free(empty);
		free(sql);
	}
	fix_stop(&f);
}

/* More than a piece of the walk, in an order that is not the ids'. */
TEST(an_export_of_many_rows_has_each_once_and_in_order)
{
	struct fix f;
	struct client c;
	struct read v;
	const char *last = NULL;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	fix_run(&f, "INSERT INTO breaks (id, centre_id, rev, created_ms, updated_ms, code, zh, en, sort, active) "
		    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234) "
		    "SELECT 500000 - i, (SELECT MIN(id) FROM centre), 1, 1, 1, 'x' || (i + 10000), 'many', 'x', 0, 1 FROM n");
	read_body(&v, ask(&c, "GET", "/breaks/export.csv?sort=code&q=many", NULL, NULL));
	assert_int_equal(v.rows, 1236);
	for (int i = 1; i <= 1234; i++) {
		char want[24];
		const char *at;

		(void)snprintf(want, sizeof(want), "\nx%d|", i + 10000);
		at = strstr(v.b.buf, want);
		assert_true(at && at > last);
		last = at;
	}
	strb_done(&v.b);
	fix_stop(&f);
}
