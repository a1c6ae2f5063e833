/* Many new customers in few statements are the customers that come one by one; and many go as one by one. */
#include "base/test.h"
#include "people/customer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"

#define NOW 1795190340000

struct fix {
	char file[64], path[512];
	struct db *db;
	int64_t centre, team, agent, type, campaign;
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

static json_t *body(const char *text)
{
	char *copy = xstrdup(text);
	json_t *v;

	for (char *s = copy; *s; s++)
		if (*s == '\'')
			*s = '"';
	v = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
	if (!v)
		fail_msg("no JSON: %s", copy);
	free(copy);
	return v;
}

/* The id, or minus the status of the refusal. */
static int64_t put(struct fix *f, const char *resource, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int64_t put(struct fix *f, const char *resource, const char *fmt, ...)
{
	char text[4096];
	json_t *row = NULL, *b;
	va_list ap;
	int64_t ret;
	int r;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	b = body(text);
	res_error_done(&f->error);
	assert_int_equal(db_begin(f->db), 0);
	r = res_create(&row, &f->c, res_find(resource), b);
	assert_true(r >= 0);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	ret = row ? row_id(row, "id") : -f->error.status;
	res_ctx_done(&f->c);
	json_decref(b);
	json_decref(row);
	return ret;
}

static int64_t first(struct fix *f, const char *sql)
{
	int64_t n = 0;

	assert_int_equal(db_get_i64(&n, f->db, sql, ""), 0);
	return n;
}

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.user_id = 1, .rights = &people_rights_shipped("admin")->res, .lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/many_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	f->who.centre_id = f->centre;
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = NOW};
	f->team = put(f, "teams", "{'name':'一组'}");
	f->agent = put(f, "users", "{'login':'zhang','name':'张','password':'long enough 77','role':'agent','team_id':'%lld'}", (long long)f->team);
	f->type = put(f, "customer_types", "{'name':'很快回公海','en':'Soon back','keep_days':3}");
	assert_true(f->team > 0 && f->agent > 0 && f->type > 0);
	assert_int_equal(db_run(f->db, "UPDATE pool_settings SET keep_days = 30", ""), 0);
	assert_true(put(f, "custom_fields", "{'zh':'等级','key':'level','type':'text','search':true,'resource':'customers'}") > 0);
	assert_true(put(f, "custom_fields", "{'zh':'备用号','key':'spare','type':'phone','search':true,'resource':'customers'}") > 0);
	assert_int_equal(res_custom_load(f->db, f->centre), 0);
	/* An unknown caller, of whom somebody has noted something. */
	assert_int_equal(db_run(f->db, "INSERT INTO call (id, centre_id, dir, agent_id, first_agent_id, start_ms, answer_ms, end_ms, talk_ms)"
				       " VALUES (100, $1, 'in', $2, $2, $3, $3, $3, 5000)", "iii", f->centre, f->agent, (int64_t)NOW - 60000), 0);
	assert_int_equal(db_run(f->db, "INSERT INTO call_pii (call_id, centre_id, from_number, to_number) VALUES (100, $1, '13800138000', '4001')", "i",
				f->centre), 0);
	f->campaign = put(f, "campaigns", "{'name':'秋季回访','owner_id':'%lld'}", (long long)f->agent);
	assert_true(f->campaign > 0);
	f->who.user_id = f->agent;
	assert_true(put(f, "notes", "{'call_id':'100','text':'生客'}") > 0);
	assert_true(put(f, "callbacks", "{'phone':'13900139000','due_ms':1795190400000}") > 0); /* nobody's yet */
	f->who.user_id = 1;
}

static void fix_done(struct fix *f)
{
	res_error_done(&f->error);
	db_close(f->db);
	test_db_gone(f->path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", f->file, *s);

		(void)unlink(p);
		free(p);
	}
}

/* ---- everything that customers leave behind ---- */

/* Without ids, which differ. */
static char *plain(const char *text)
{
	static const char *const ids[] = {"id", "customer_id"};
	json_t *v = json_loads(text, 0, NULL);
	char *out;

	if (!json_is_object(v)) {
		json_decref(v);
		return xstrdup(text);
	}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		(void)json_object_del(v, ids[i]);
	out = json_dumps(v, JSON_COMPACT);
	json_decref(v);
	return out;
}

static char *everything(struct fix *f, int64_t audit_from)
{
	static const char *const sql[] = {
		"SELECT centre_id, rev, created_ms, updated_ms, name, name_sort, phone, gender, age, birthday, id_number, company, city, address, wechat,"
		" email, type_id, source_id, tags, owner_id, team_id, owned_ms, back_ms, warned_ms, next_ms, last_ms, contact_n, note, state, wechat_ms, wechat_by, campaign_id, x1, x2"
		" FROM customers WHERE 0 < $1 ORDER BY id",
		"SELECT c.name, p.centre_id, p.rev, p.created_ms, p.updated_ms, p.number, p.label, p.state, p.extension, p.sort, p.region"
		" FROM customer_phones p JOIN customers c ON c.id = p.customer_id WHERE 0 < $1 ORDER BY p.id",
		"SELECT c.name, CAST(s.words AS TEXT) FROM find_customers s JOIN customers c ON c.id = s.rowid WHERE 0 < $1 ORDER BY c.id",
		"SELECT n.text, c.name FROM notes n LEFT JOIN customers c ON c.id = n.customer_id WHERE 0 < $1 ORDER BY n.id",
		"SELECT c.name, b.phone, b.due_ms, b.state, b.user_id, b.team_id, b.rev FROM callbacks b LEFT JOIN customers c ON c.id = b.customer_id"
		" WHERE 0 < $1 ORDER BY b.id",
		"SELECT c.name, l.campaign_id, l.state, l.priority, l.rank FROM campaign_leads l JOIN customers c ON c.id = l.customer_id WHERE 0 < $1"
		" ORDER BY l.id",
		"SELECT at_ms, user_id, resource, action, before_json, after_json FROM audit WHERE n > $1 ORDER BY n",
	};
	int64_t broken = 0;
	struct strb b;

	strb_init(&b, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(sql); i++) {
		struct db_stmt *st;

		assert_int_equal(db_prepare(&st, f->db, sql[i]), 0);
		db_bind_i64(st, 1, audit_from);
		while (db_step(st) == DB_ROW) {
			for (int k = 0; k < db_cols(st); k++) {
				char *text = plain(db_is_null(st, k) ? "-" : db_text(st, k));

				strb_printf(&b, "%s|", text);
				free(text);
			}
			strb_putc(&b, '\n');
		}
		db_done(st);
	}
	assert_int_equal(res_audit_verify(f->db, f->centre, &broken), 0);
	assert_false(b.overflow);
	return strb_take(&b);
}

#define PLAIN 6
#define ALL 13
static json_t *bodies[ALL];

/* The first are plain. */
static void make_bodies(const struct fix *f)
{
	char *all = xasprintf("[{'name':'张三','company':'示例公司','note':'两行','x_level':'金卡','x_spare':'13700137000','city':'杭州','wechat':'wx1',"
			      "'phones':[{'number':'138 0013 8000'},{'number':'0571-88123456','label':'company','extension':'801'}]},"
			      "{'phones':[{'number':'95588'}]}," /* without a name */
			      "{'name':'李四','owner_id':'%lld','type_id':'%lld','phones':[{'number':'13900139000','state':'never'}]},"
			      "{'name':'王五','owner_id':'%lld','team_id':null,'tags':' vip，老客户,vip ','next_ms':1795190350000},"
			      "{'name':'赵六','campaign_id':'%lld','gender':'female','age':44,'birthday':'1990-01-31','email':'a@example.com'},"
			      "{'name':'Zoë','phones':[]},"
			      "{'name':'不认识','colour':'red'}," /* what is no field */
			      "{}," /* neither name nor number */
			      "{'name':'坏号','phones':[{'number':'13800138001'},{'number':'hello'}]},"
			      "{'name':'已有','phones':[{'number':'13600136000'}]}," /* of somebody who is there */
			      "{'name':'又来','phones':[{'number':'13500135000'},{'number':'139-0013-9000'}]}," /* 李四's */
			      "{'name':'没有','type_id':'4711'},"
			      "{'name':'生日','birthday':'1990-02-30'}]",
			      (long long)f->agent, (long long)f->type, (long long)f->agent, (long long)f->campaign);
	json_t *list = body(all);

	assert_int_equal(json_array_size(list), ALL);
	for (size_t i = 0; i < ALL; i++)
		bodies[i] = json_incref(json_array_get(list, i));
	json_decref(list);
	free(all);
}

static void bodies_done(void)
{
	for (size_t i = 0; i < ALL; i++)
		json_decref(bodies[i]);
}

TEST(many_customers_at_once_are_what_they_are_one_by_one)
{
	struct fix f;
	struct res_new rows[ALL] = {0};
	char *one_by_one, *at_once;
	int64_t from;

	fix_init(&f);
	assert_true(put(&f, "customers", "{'name':'先来','phones':[{'number':'13600136000'}]}") > 0);
	from = first(&f, "SELECT MAX(n) FROM audit");
	make_bodies(&f);
	assert_int_equal(db_begin(f.db), 0);
	for (size_t i = 0; i < ALL; i++) {
		json_t *row = NULL;
		int r;

		assert_int_equal(db_run(f.db, "SAVEPOINT one", ""), 0);
		r = res_create(&row, &f.c, &people_customers, bodies[i]);
		if (r != (i < PLAIN ? 0 : 1))
			fail_msg("row %zu: %d %s", i, r, f.error.code ? f.error.code : "");
		if (r)
			assert_int_equal(db_run(f.db, "ROLLBACK TO SAVEPOINT one", ""), 0);
		assert_int_equal(db_run(f.db, "RELEASE SAVEPOINT one", ""), 0);
		res_error_done(&f.error);
		json_decref(row);
	}
	one_by_one = everything(&f, from);
	db_rollback(f.db);

	for (size_t i = 0; i < ALL; i++)
		rows[i].body = bodies[i];
	assert_true(res_can_many(&people_customers));
	assert_int_equal(res_many_look(rows, ALL, &f.c, &people_customers), 0);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(rows[i].id != 0, i < PLAIN);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(res_many_write(rows, ALL, &f.c, &people_customers), 0);
	assert_int_equal(db_commit(f.db), 0);
	at_once = everything(&f, from);
	assert_string_equal(at_once, one_by_one);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM campaign_leads"), 1);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customers WHERE name = '李四' AND next_ms = 1795190400000"), 1);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM callbacks WHERE customer_id IS NOT NULL"), 2);
	/* So that equal does not mean empty: 李四 goes back after three days, 王五 after thirty; 张三 was noted about; 95588's name. */
	assert_int_equal(first(&f, "SELECT back_ms - owned_ms FROM customers WHERE name = '李四'"), 3 * 86400000LL);
	assert_int_equal(first(&f, "SELECT back_ms - owned_ms FROM customers WHERE name = '王五'"), 30 * 86400000LL);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM notes n JOIN customers c ON c.id = n.customer_id WHERE c.name = '张三'"), 1);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customers WHERE name = '客户5588' AND phone = '95588'"), 1);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customer_phones WHERE number = '+8657188123456' AND label = 'company' AND region IS NOT NULL"), 1);
	free(one_by_one);
	free(at_once);
	res_many_done(rows, ALL);
	bodies_done();
	fix_done(&f);
}

TEST(what_somebody_wrote_since_the_look_undoes_all_and_nothing_else)
{
	struct fix f;
	struct res_new rows[PLAIN] = {0};
	int64_t n, lines;

	fix_init(&f);
	make_bodies(&f);
	for (size_t i = 0; i < PLAIN; i++)
		rows[i].body = bodies[i];
	assert_int_equal(res_many_look(rows, PLAIN, &f.c, &people_customers), 0);
	assert_true(put(&f, "customers", "{'name':'快一步','phones':[{'number':'95588'}]}") > 0);
	n = first(&f, "SELECT COUNT(*) FROM customers");
	lines = first(&f, "SELECT COUNT(*) FROM audit");
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(db_run(f.db, "UPDATE pool_settings SET warn_days = 4", ""), 0);
	assert_int_equal(res_many_write(rows, PLAIN, &f.c, &people_customers), 1);
	assert_int_equal(db_commit(f.db), 0);
	for (size_t i = 0; i < PLAIN; i++)
		assert_int_equal(rows[i].id, 0);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customers"), n);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM audit"), lines);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customer_phones"), 1);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM find_customers"), 1);
	assert_int_equal(first(&f, "SELECT warn_days FROM pool_settings"), 4); /* what the transaction did before stands */
	res_many_done(rows, PLAIN);
	bodies_done();
	fix_done(&f);
}

TEST(many_customers_go_but_those_that_something_refers_to)
{
	struct fix f;
	struct res_gone rows[4] = {0};
	int64_t ids[4], left = 0;

	fix_init(&f);
	for (size_t i = 0; i < 4; i++) {
		ids[i] = put(&f, "customers", "{'name':'K%zu','phones':[{'number':'1380013800%zu'}]}", i, i + 1);
		assert_true(ids[i] > 0);
		rows[i].id = ids[i];
	}
	f.who.user_id = f.agent;
	assert_true(put(&f, "notes", "{'customer_id':'%lld','text':'谈过了'}", (long long)ids[1]) > 0);
	assert_true(res_can_many_go(&people_customers));
	assert_int_equal(res_many_read(rows, 4, &f.c, &people_customers), 0);
	assert_string_equal(row_text(rows[2].row, "phone"), "+8613800138003");
	assert_int_equal(json_array_size(rows[2].children), 1);
	rows[3].skip = true;
	f.who.system = true;
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(res_many_remove(rows, 4, &f.c, &people_customers), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_true(rows[0].done && !rows[1].done && rows[2].done && !rows[3].done);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customers"), 2);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customer_phones"), 2);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM find_customers"), 2);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'customers' AND action = 'delete' AND after_json IS NULL"), 2);
	assert_int_equal(res_audit_verify(f.db, f.centre, &left), 0);
	res_many_gone_done(rows, 4);
	fix_done(&f);
}

/* What the look found free may be taken before it is written: then only the index says so. (SQLite tells; both have the same migrations.) */
TEST(unique_fields_of_what_is_made_in_many_have_their_index)
{
	struct fix f;
	size_t seen = 0;

	if (test_db_is_postgres())
		return;
	fix_init(&f);
	for (size_t d = 0; res_all[d]; d++)
		for (size_t i = 0; i < res_all[d]->field_n; i++) {
			const struct res_field *field = &res_all[d]->fields[i];
			int64_t n = 0;

			if (!(field->flags & RES_UNIQUE) || field->type != RES_TEXT)
				continue;
			assert_int_equal(db_get_i64(&n, f.db, "SELECT COUNT(*) FROM pragma_index_list($1) l WHERE l.\"unique\" = 1 AND l.partial = 0 AND"
							     " (SELECT group_concat(name) FROM pragma_index_info(l.name)) = 'centre_id,' || $2",
						    "tt", res_all[d]->table, res_column(field)), 0);
			if (!n)
				fail_msg("%s.%s has no unique index", res_all[d]->table, res_column(field));
			seen++;
		}
	assert_true(seen > 10);
	fix_done(&f);
}
