#include "base/test.h"
#include "people/declared.h"
#include "people/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"
#include "find/find.h"

/* 2026-11-20 23:59:00 in Shanghai, UTC+8: 15:59 UTC. `date -ud '2026-11-20 15:59' +%s` */
#define EVENING 1795190340000
#define MINUTE 60000

struct fix {
	char file[64], path[512];
	struct db *db;
	int64_t centre, team, queue, me, other, lead, reason, sub, result;
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

static void clear(struct fix *f)
{
	res_error_done(&f->error);
	res_ctx_done(&f->c);
}

static json_t *body(const char *text)
{
	char *copy = xstrdup(text);
	json_t *v;

	for (char *s = copy; *s; s++)
		if (*s == '\'')
			*s = '"';
	v = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	free(copy);
	return v;
}

static json_t *change(struct fix *f, const char *resource, int64_t id, const char *text)
{
	const struct res_def *d = res_find(resource);
	json_t *b = body(text), *row = NULL;
	int r;

	clear(f);
	r = res_prepare(&f->c, d, id, b);
	assert_int_equal(db_begin(f->db), 0);
	if (!r)
		r = id ? res_update(&row, &f->c, d, id, b, RES_REV_ANY) : res_create(&row, &f->c, d, b);
	assert_true(r >= 0);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	json_decref(b);
	return row;
}

/* The id, or minus the status of the refusal. */
static int64_t putf(struct fix *f, const char *resource, int64_t id, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int64_t putf(struct fix *f, const char *resource, int64_t id, const char *fmt, ...)
{
	char text[4096];
	json_t *row;
	va_list ap;
	int64_t ret;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	row = change(f, resource, id, text);
	ret = row ? row_id(row, "id") : -f->error.status;
	json_decref(row);
	return ret;
}

static json_t *get(struct fix *f, const char *resource, int64_t id)
{
	json_t *row = NULL;

	clear(f);
	assert_int_equal(res_get(&row, &f->c, res_find(resource), id), 0);
	return row;
}

static const char *wrong(const struct fix *f, const char *field)
{
	const char *s = json_string_value(json_object_get(f->error.fields, field));

	return s ? s : "";
}

static void as(struct fix *f, int64_t user, const char *role)
{
	f->who.user_id = user;
	f->who.rights = &people_rights_shipped(role)->res;
}

static int64_t user(struct fix *f, const char *login, const char *role)
{
	return putf(f, "users", 0, "{'login':'%s','name':'%s','password':'long enough 77','role':'%s','team_id':'%lld'}", login, login, role,
		    (long long)f->team);
}

static int64_t first(struct fix *f, const char *sql)
{
	int64_t id = 0;

	assert_int_equal(db_get_i64(&id, f->db, sql, ""), 0);
	return id;
}

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.user_id = 1, .rights = &people_rights_shipped("admin")->res, .lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/note_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	f->who.centre_id = f->centre;
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = EVENING};
	f->team = putf(f, "teams", 0, "{'name':'一组'}");
	f->me = user(f, "zhang", "agent");
	f->other = user(f, "li", "agent");
	f->lead = user(f, "wang", "supervisor");
	f->queue = putf(f, "queues", 0, "{'name':'售后'}");
	assert_true(f->me > 0 && f->other > 0 && f->lead > 0 && f->queue > 0);
	f->reason = putf(f, "contact_reasons", 0, "{'name':'退货类'}");
	f->sub = putf(f, "contact_reasons", 0, "{'name':'质量问题','parent_id':'%lld'}", (long long)f->reason);
	assert_true(f->sub > 0);
	f->result = first(f, "SELECT id FROM contact_results ORDER BY sort, id LIMIT 1");
	/* Call 100, in, answered by me, of the queue. */
	assert_int_equal(db_run(f->db, "INSERT INTO call (id, centre_id, dir, queue_id, agent_id, first_agent_id, start_ms, answer_ms, end_ms, talk_ms)"
				       " VALUES (100, $1, 'in', $2, $3, $3, $4, $4, $4, 5000)", "iiii", f->centre, f->queue, f->me, (int64_t)EVENING - MINUTE), 0);
	assert_int_equal(db_run(f->db, "INSERT INTO call_pii (call_id, centre_id, from_number, to_number) VALUES (100, $1, '13800138000', '4001')", "i",
				f->centre), 0);
	as(f, f->me, "agent");
}

static void fix_done(struct fix *f)
{
	clear(f);
	db_close(f->db);
	test_db_gone(f->path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", f->file, *s);

		(void)unlink(p);
		free(p);
	}
}

TEST(a_note_knows_who_when_and_whose_call_it_was)
{
	struct fix f;
	int64_t customer, id;
	json_t *row;
	char text[24];

	fix_init(&f);
	customer = putf(&f, "customers", 0, "{'name':'张三','phones':[{'number':'13800138000'}]}");
	id = putf(&f, "notes", 0, "{'call_id':'100','text':'要退货','reason_id':'%lld','result_id':'%lld'}", (long long)f.sub, (long long)f.result);
	assert_true(customer > 0 && id > 0);
	row = get(&f, "notes", id);
	(void)snprintf(text, sizeof(text), "%lld", (long long)f.team);
	assert_string_equal(row_text(row, "call_id"), "100");
	assert_string_equal(row_text(row, "user_id_label"), "zhang");
	assert_string_equal(row_text(row, "team_id"), text);
	assert_string_equal(row_text(row, "customer_id_label"), "张三");
	assert_int_equal(json_integer_value(json_object_get(row, "at_ms")), EVENING);
	json_decref(row);
	/* A second one about the same call is the same contact. */
	assert_true(putf(&f, "notes", 0, "{'call_id':'100','text':'补充'}") > 0);
	row = get(&f, "customers", customer);
	assert_int_equal(json_integer_value(json_object_get(row, "contact_n")), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "last_ms")), EVENING);
	json_decref(row);
	fix_done(&f);
}

TEST(an_agent_notes_what_a_colleagues_customer_said_to_him)
{
	struct fix f;
	int64_t customer;
	json_t *row;

	fix_init(&f);
	as(&f, f.other, "agent");
	customer = putf(&f, "customers", 0, "{'name':'张三','phones':[{'number':'13800138000'}]}"); /* the colleague's own */
	as(&f, f.me, "agent");
	assert_true(putf(&f, "notes", 0, "{'call_id':'100','text':'催单'}") > 0);
	row = get(&f, "notes", first(&f, "SELECT id FROM notes"));
	assert_int_equal(row_id(row, "customer_id"), customer);
	json_decref(row);
	fix_done(&f);
}

TEST(a_colleagues_customer_is_not_noted_about_out_of_the_blue)
{
	struct fix f;
	int64_t theirs, own;

	fix_init(&f);
	as(&f, f.other, "agent");
	theirs = putf(&f, "customers", 0, "{'name':'张三','phones':[{'number':'13800138001'}]}");
	as(&f, f.me, "agent");
	own = putf(&f, "customers", 0, "{'name':'李四','phones':[{'number':'13800138000'}]}"); /* it was his call, 100 */
	assert_true(theirs > 0 && own > 0);
	assert_int_equal(putf(&f, "notes", 0, "{'customer_id':'%lld','text':'x'}", (long long)theirs), -422);
	assert_string_equal(wrong(&f, "customer_id"), "ref");
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'100','customer_id':'%lld','text':'x'}", (long long)theirs), -422);
	assert_true(putf(&f, "notes", 0, "{'call_id':'100','customer_id':'%lld','text':'x'}", (long long)own) > 0);
	assert_int_equal(putf(&f, "notes", first(&f, "SELECT id FROM notes"), "{'customer_id':'%lld'}", (long long)theirs), -422);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM notes"), 1);
	fix_done(&f);
}

TEST(a_note_says_something_and_about_a_call_or_customer_of_ones_own)
{
	struct fix f;

	fix_init(&f);
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'100'}"), -422);
	assert_string_equal(wrong(&f, "text"), "required");
	assert_int_equal(putf(&f, "notes", 0, "{'text':'谁'}"), -422);
	assert_string_equal(wrong(&f, "customer_id"), "required");
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'101','text':'没有这通电话'}"), -422);
	assert_string_equal(wrong(&f, "call_id"), "ref");
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'100','text':'x','next_ms':%lld}", (long long)EVENING - 10 * MINUTE), -422);
	assert_string_equal(wrong(&f, "next_ms"), "range");
	as(&f, f.other, "agent"); /* not his call */
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'100','text':'x'}"), -422);
	assert_string_equal(wrong(&f, "call_id"), "ref");
	as(&f, f.lead, "supervisor");
	assert_true(putf(&f, "notes", 0, "{'call_id':'100','text':'班长补记'}") > 0);
	as(&f, 0, "admin"); /* a program */
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'100','text':'x'}"), -403);
	fix_done(&f);
}

TEST(ones_own_note_is_corrected_until_the_day_is_over_and_the_old_text_is_kept)
{
	struct fix f;
	int64_t id;

	fix_init(&f);
	id = putf(&f, "notes", 0, "{'call_id':'100','text':'第一版'}");
	assert_true(id > 0);
	f.c.now_ms = EVENING + 59 * 1000; /* 23:59:59 */
	assert_int_equal(putf(&f, "notes", id, "{'text':'第二版'}"), id);
	as(&f, f.other, "agent");
	assert_int_equal(putf(&f, "notes", id, "{'text':'别人的'}"), -404);
	as(&f, f.me, "agent");
	f.c.now_ms = EVENING + MINUTE; /* 0:00 of the next day there, 16:00 UTC of the same */
	assert_int_equal(putf(&f, "notes", id, "{'text':'第三版'}"), -409);
	assert_string_equal(f.error.code, "note_closed");
	as(&f, f.lead, "supervisor");
	assert_int_equal(putf(&f, "notes", id, "{'text':'班长改的'}"), id);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'notes' AND action = 'update'"), 2);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'notes' AND before_json LIKE '%第一版%' AND after_json LIKE '%第二版%'"), 1);
	clear(&f);
	assert_int_equal(db_begin(f.db), 0);
	assert_true(res_delete(&f.c, res_find("notes"), id, RES_REV_ANY) > 0); /* nobody deletes one */
	assert_int_equal(f.error.status, 403);
	db_rollback(f.db);
	fix_done(&f);
}

static int64_t template(struct fix *f, const char *name, int64_t queue, int64_t reason, const char *fields)
{
	char q[40] = "null", r[40] = "null";
	int64_t id;

	if (queue)
		(void)snprintf(q, sizeof(q), "'%lld'", (long long)queue);
	if (reason)
		(void)snprintf(r, sizeof(r), "'%lld'", (long long)reason);
	as(f, f->lead, "supervisor");
	id = putf(f, "note_templates", 0, "{'name':'%s','queue_id':%s,'reason_id':%s,'fields':%s,'phrases':['您好','已核对身份']}", name, q, r, fields);
	as(f, f->me, "agent");
	return id;
}

#define FORM                                                                                                        \
	"[{'key':'order','label':'订单号','type':'text','required':true,'max':8},{'key':'how','label':'处理','type':'choice','options':['退货','换货']}," \
	"{'key':'n','label':'件数','type':'number','min':1,'max':5},{'key':'day','label':'取件日','type':'date'},{'key':'ok','label':'满意','type':'bool','required':true}]"

TEST(every_value_that_does_not_fit_the_template_is_named_at_once)
{
	struct fix f;
	int64_t id, t;
	json_t *row, *form;

	fix_init(&f);
	t = template(&f, "退货", f.queue, 0, FORM);
	assert_true(t > 0);
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'100','text':'x','form':{'order':'123456789','how':'修','n':6,'day':'2026-02-29','more':1}}"), -422);
	assert_string_equal(wrong(&f, "form.order"), "range");
	assert_string_equal(wrong(&f, "form.how"), "enum");
	assert_string_equal(wrong(&f, "form.n"), "range");
	assert_string_equal(wrong(&f, "form.day"), "format");
	assert_string_equal(wrong(&f, "form.ok"), "required");
	assert_string_equal(wrong(&f, "form.more"), "unknown");
	/* The template of the call's queue counts whether it is named or not. */
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'100','text':'x'}"), -422);
	assert_string_equal(wrong(&f, "form.order"), "required");
	assert_int_equal(putf(&f, "notes", 0, "{'call_id':'100','text':'x','form':'text'}"), -422);
	assert_string_equal(wrong(&f, "form"), "type");
	id = putf(&f, "notes", 0, "{'call_id':'100','form':{'order':'A1','how':'换货','n':2.5,'day':'2028-02-29','ok':false}}");
	assert_true(id > 0);
	/* The template changes: what was written reads as it was, also after a correction of something else. */
	as(&f, f.lead, "supervisor");
	assert_int_equal(putf(&f, "note_templates", t, "{'fields':[{'key':'order','label':'单号','type':'text'}]}"), t);
	as(&f, f.me, "agent");
	assert_int_equal(putf(&f, "notes", id, "{'text':'补充'}"), id);
	row = get(&f, "notes", id);
	form = json_object_get(row, "form");
	assert_int_equal(json_array_size(form), 5);
	assert_string_equal(row_text(json_array_get(form, 0), "label"), "订单号");
	assert_string_equal(row_text(json_array_get(form, 1), "value"), "换货");
	assert_true(json_is_false(json_object_get(json_array_get(form, 4), "value")));
	json_decref(row);
	assert_int_equal(putf(&f, "notes", id, "{'form':{'order':'B2'}}"), id);
	row = get(&f, "notes", id);
	assert_int_equal(json_array_size(json_object_get(row, "form")), 1);
	json_decref(row);
	fix_done(&f);
}

TEST(the_most_specific_template_is_used)
{
	struct fix f;
	int64_t all, queue, cls, both, id;

	fix_init(&f);
	all = template(&f, "1 all", 0, 0, "[]");
	queue = template(&f, "2 queue", f.queue, 0, "[]");
	assert_true(all > 0 && queue > 0);
	id = putf(&f, "notes", 0, "{'call_id':'100','text':'x'}");
	assert_int_equal(first(&f, "SELECT template_id FROM notes ORDER BY id DESC LIMIT 1"), queue);
	cls = template(&f, "3 class", 0, f.reason, "[]");
	assert_true(putf(&f, "notes", 0, "{'call_id':'100','text':'x','reason_id':'%lld'}", (long long)f.sub) > id);
	assert_int_equal(first(&f, "SELECT template_id FROM notes ORDER BY id DESC LIMIT 1"), cls);
	both = template(&f, "4 both", f.queue, f.sub, "[]");
	assert_true(putf(&f, "notes", 0, "{'call_id':'100','text':'x','reason_id':'%lld'}", (long long)f.sub) > id);
	assert_int_equal(first(&f, "SELECT template_id FROM notes ORDER BY id DESC LIMIT 1"), both);
	fix_done(&f);
}

TEST(a_template_that_makes_no_sense_is_refused_with_every_fault)
{
	struct fix f;

	fix_init(&f);
	assert_int_equal(template(&f, "x", 0, 0,
				  "[{'key':'a b','label':'','type':'text'},{'key':'a','label':'甲','type':'picture'},{'key':'a','label':'乙','type':'choice'},"
				  "{'key':'c','label':'丙','type':'choice','options':['一','一']},{'key':'d','label':'丁','type':'number','min':3,'max':1},"
				  "{'key':'e','label':'戊','type':'text','required':1,'colour':'red'},7]"),
			 -422);
	assert_string_equal(wrong(&f, "fields.0.key"), "format");
	assert_string_equal(wrong(&f, "fields.0.label"), "required");
	assert_string_equal(wrong(&f, "fields.1.type"), "enum");
	assert_string_equal(wrong(&f, "fields.2.key"), "unique");
	assert_string_equal(wrong(&f, "fields.2.options"), "required");
	assert_string_equal(wrong(&f, "fields.3.options"), "unique");
	assert_string_equal(wrong(&f, "fields.4.max"), "range");
	assert_string_equal(wrong(&f, "fields.5"), "unknown");
	assert_string_equal(wrong(&f, "fields.5.required"), "type");
	assert_string_equal(wrong(&f, "fields.6"), "type");
	assert_int_equal(template(&f, "x", 0, 0, "{'a':1}"), -422);
	assert_string_equal(wrong(&f, "fields"), "type");
	assert_int_equal(putf(&f, "note_templates", 0, "{'name':'x'}"), -403); /* agents make none */
	fix_done(&f);
}

TEST(an_appointment_is_the_customers_next_contact_until_it_is_kept)
{
	struct fix f;
	int64_t customer;
	json_t *row;

	fix_init(&f);
	customer = putf(&f, "customers", 0, "{'name':'张三','phones':[{'number':'13800138000'}]}");
	assert_true(putf(&f, "notes", 0, "{'customer_id':'%lld','text':'明天再打','next_ms':%lld}", (long long)customer, (long long)EVENING + 60 * MINUTE) > 0);
	row = get(&f, "customers", customer);
	assert_int_equal(json_integer_value(json_object_get(row, "next_ms")), EVENING + 60 * MINUTE);
	json_decref(row);
	/* He calls before: it stands. */
	assert_true(putf(&f, "notes", 0, "{'call_id':'100','text':'催'}") > 0);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customers WHERE next_ms IS NOT NULL"), 1);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM notes WHERE done = 1"), 0);
	f.c.now_ms = EVENING + 61 * MINUTE;
	assert_true(putf(&f, "notes", 0, "{'customer_id':'%lld','text':'已回访'}", (long long)customer) > 0);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM customers WHERE next_ms IS NOT NULL"), 0);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM notes WHERE done = 1"), 1);
	fix_done(&f);
}

TEST(a_note_of_an_unknown_caller_is_the_customers_once_the_number_is_known)
{
	struct fix f;
	int64_t customer, id;
	json_t *row;

	fix_init(&f);
	id = putf(&f, "notes", 0, "{'call_id':'100','text':'生客'}");
	row = get(&f, "notes", id);
	assert_true(json_is_null(json_object_get(row, "customer_id")));
	json_decref(row);
	customer = putf(&f, "customers", 0, "{'name':'张三','phones':[{'number':'138 0013 8000'}]}");
	assert_true(customer > 0);
	row = get(&f, "notes", id);
	assert_int_equal(row_id(row, "customer_id"), customer);
	json_decref(row);
	fix_done(&f);
}

TEST(words_in_a_note_are_found_and_follow_a_correction)
{
	struct find_ask a;
	int64_t id, ids[4];
	struct fix f;
	size_t n = 0;

	fix_init(&f);
	assert_true(template(&f, "t", f.queue, 0, "[{'key':'o','label':'订单号','type':'text'}]") > 0);
	id = putf(&f, "notes", 0, "{'call_id':'100','text':'客户说包装破损','form':{'o':'HW20261122'}}");
	a = (struct find_ask){.centre_id = f.centre, .kind = "notes", .text = "破损"};
	assert_int_equal(find_rows(ids, 4, &n, f.db, &a), 0);
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], id);
	a.text = "HW20261122";
	assert_int_equal(find_rows(ids, 4, &n, f.db, &a), 0);
	assert_int_equal(n, 1);
	assert_int_equal(putf(&f, "notes", id, "{'text':'客户说少了配件'}"), id);
	a.text = "破损";
	assert_int_equal(find_rows(ids, 4, &n, f.db, &a), 0);
	assert_int_equal(n, 0);
	/* From before one character was a word: put again, with the form's values. */
	assert_int_equal(find_drop(f.db, "notes", id), 0);
	assert_int_equal(find_notes_done(f.db, f.centre, 1), 0);
	for (bool more = true; more;) {
		more = false;
		assert_int_equal(people_notes_index_step(&more, f.db, f.centre), 0);
	}
	a.text = "配 HW20261122";
	assert_int_equal(find_rows(ids, 4, &n, f.db, &a), 0);
	assert_int_equal(n, 1);
	fix_done(&f);
}

TEST(a_saved_note_takes_its_draft_away)
{
	struct fix f;

	fix_init(&f);
	assert_int_equal(db_run(f.db, "INSERT INTO note_drafts (user_id, subject, centre_id, at_ms, body) VALUES ($1, 'call:100', $3, 1, '{}'),"
				      " ($1, 'call:101', $3, 1, '{}'), ($2, 'call:100', $3, 1, '{}')", "iii", f.me, f.other, f.centre), 0);
	assert_true(putf(&f, "notes", 0, "{'call_id':'100','text':'x'}") > 0);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM note_drafts"), 2);
	assert_int_equal(first(&f, "SELECT COUNT(*) FROM note_drafts WHERE subject = 'call:100'"), 1); /* another's */
	fix_done(&f);
}
