/* Visits, deals, goals and call-backs: what their hooks promise. Times: `TZ=Asia/Shanghai date -d '2026-11-20 10:00' +%s` and so on. */
#include "base/test.h"
#include "people/customer.h"
#include "people/sales.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"
#include "people/note.h"

#define FRIDAY_10 1795140000000 /* 2026-11-20 10:00 in Shanghai */
#define HOUR 3600000LL
#define DAY (24 * HOUR)

struct fix {
	char file[64], path[512];
	struct db *db;
	int64_t centre, team, lead, me, mate, customer, his; /* customer: mine; his: the mate's */
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
		*s = *s == '\'' ? '"' : *s;
	v = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	free(copy);
	return v;
}

/* The id, or minus the status of the refusal. */
static int64_t put(struct fix *f, const char *resource, int64_t id, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int64_t put(struct fix *f, const char *resource, int64_t id, const char *fmt, ...)
{
	const struct res_def *d = res_find(resource);
	json_t *b, *row = NULL;
	char text[2048];
	int64_t ret;
	va_list ap;
	int r;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	b = body(text);
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
	ret = row ? row_id(row, "id") : -f->error.status;
	json_decref(b);
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

static const char *field(struct fix *f, const char *resource, int64_t id, const char *name)
{
	static char text[200];
	json_t *row = get(f, resource, id), *v = json_object_get(row, name);

	if (json_is_integer(v))
		(void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
	else
		(void)snprintf(text, sizeof(text), "%s", json_is_true(v) ? "true" : json_is_false(v) ? "false" : json_is_string(v) ? json_string_value(v) : "-");
	json_decref(row);
	return text;
}

static const char *id_of(int64_t id)
{
	static char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return text;
}

static const char *ms(int64_t at)
{
	return id_of(at);
}

static int64_t ask(struct fix *f, const char *sql, int64_t id)
{
	int64_t v = -1;

	assert_int_equal(db_get_i64(&v, f->db, sql, "i", id), 0);
	return v;
}

static int64_t next_of(struct fix *f, int64_t customer)
{
	return ask(f, "SELECT COALESCE(next_ms, 0) FROM customers WHERE id = $1", customer);
}

static void as(struct fix *f, int64_t user, const char *role)
{
	f->who.user_id = user;
	f->who.rights = &people_rights_shipped(role)->res;
}

static void boss(struct fix *f)
{
	as(f, 1, "admin");
}

static int64_t person(struct fix *f, const char *name, const char *role)
{
	return put(f, "users", 0, "{'login':'%s','name':'%s','role':'%s','team_id':'%lld','password':'long enough 77'}", name, name, role, (long long)f->team);
}

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/sales_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	f->who.centre_id = f->centre;
	boss(f);
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = FRIDAY_10};
	f->team = put(f, "teams", 0, "{'name':'sales'}");
	f->lead = person(f, "lead", "lead");
	f->me = person(f, "me", "agent");
	f->mate = person(f, "mate", "agent");
	put(f, "teams", f->team, "{'lead_id':'%lld'}", (long long)f->lead);
	f->customer = put(f, "customers", 0, "{'name':'A','owner_id':'%lld','phones':[{'number':'13800138001'}]}", (long long)f->me);
	f->his = put(f, "customers", 0, "{'name':'B','owner_id':'%lld','phones':[{'number':'13800138002'}]}", (long long)f->mate);
	assert_true(f->team > 0 && f->lead > 0 && f->me > 0 && f->mate > 0 && f->customer > 0 && f->his > 0);
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

static int64_t visit(struct fix *f, int64_t customer, int64_t at)
{
	return put(f, "visits", 0, "{'customer_id':'%lld','at_ms':%lld,'place':'Hall 1'}", (long long)customer, (long long)at);
}

TEST(a_visit_is_of_the_customers_own_agent_with_his_lead_and_only_of_ones_own_customers)
{
	struct fix f;
	int64_t v;

	fix_init(&f);
	as(&f, f.me, "agent");
	v = visit(&f, f.customer, FRIDAY_10 + DAY);
	assert_true(v > 0);
	assert_string_equal(field(&f, "visits", v, "user_id"), id_of(f.me));
	assert_string_equal(field(&f, "visits", v, "lead_id"), id_of(f.lead));
	assert_string_equal(field(&f, "visits", v, "team_id"), id_of(f.team));
	assert_string_equal(field(&f, "visits", v, "state"), "booked");
	assert_int_equal(visit(&f, f.his, FRIDAY_10 + DAY), -422); /* not even that he is there */
	assert_int_equal(visit(&f, f.customer, FRIDAY_10 + 400 * DAY), -422);
	/* Whom a project has put through to him he may invite: his visit, her owner's customer. */
	assert_int_equal(db_run(f.db, "INSERT INTO call (id, centre_id, dir, start_ms, agent_id, customer_id) VALUES (77, $1, 'out', $2, $3, $4)", "iiii", f.centre,
				FRIDAY_10 - HOUR, f.me, f.his), 0);
	v = visit(&f, f.his, FRIDAY_10 + DAY);
	assert_true(v > 0);
	assert_string_equal(field(&f, "visits", v, "user_id"), id_of(f.me));
	f.c.now_ms = FRIDAY_10 + DAY;
	assert_int_equal(visit(&f, f.his, FRIDAY_10 + 2 * DAY), -422);
	f.c.now_ms = FRIDAY_10;
	as(&f, f.lead, "lead"); /* whoever writes it, it is the owner's */
	v = visit(&f, f.his, FRIDAY_10 + DAY);
	assert_string_equal(field(&f, "visits", v, "user_id"), id_of(f.mate));
	fix_done(&f);
}

TEST(who_came_and_did_not_sign_is_to_be_invited_again_until_he_is)
{
	struct fix f;
	int64_t v, w, d;

	fix_init(&f);
	as(&f, f.me, "agent");
	v = visit(&f, f.customer, FRIDAY_10 + HOUR);
	assert_true(put(&f, "visits", v, "{'state':'arrived'}") > 0);
	assert_string_equal(field(&f, "visits", v, "again"), "todo");
	assert_string_equal(field(&f, "visits", v, "arrived_ms"), ms(FRIDAY_10)); /* said on the day itself: now */
	w = visit(&f, f.customer, FRIDAY_10 + 3 * DAY);
	assert_string_equal(field(&f, "visits", v, "again"), "invited");
	/* He signs the second time: the deal says so of the visit. */
	d = put(&f, "deals", 0, "{'customer_id':'%lld','product':'P','amount':1250000,'visit_id':'%lld'}", (long long)f.customer, (long long)w);
	assert_true(d > 0);
	assert_string_equal(field(&f, "visits", w, "state"), "signed");
	assert_string_equal(field(&f, "visits", w, "arrived_ms"), ms(FRIDAY_10 + 3 * DAY));
	assert_string_equal(field(&f, "visits", w, "again"), "-");
	/* Back to what it was: he was not there after all. */
	assert_true(put(&f, "visits", v, "{'state':'missed'}") > 0);
	assert_string_equal(field(&f, "visits", v, "arrived_ms"), "-");
	assert_string_equal(field(&f, "visits", v, "again"), "-");
	fix_done(&f);
}

TEST(an_absence_warns_of_the_visits_of_its_days_and_no_longer_when_it_goes)
{
	struct fix f;
	int64_t v, w, a;
	json_t *row;

	fix_init(&f);
	as(&f, f.me, "agent");
	v = visit(&f, f.customer, FRIDAY_10 + DAY);         /* the 21st */
	w = visit(&f, f.customer, FRIDAY_10 + 13 * HOUR);   /* the 20th at 23:00; the 20th in UTC, too */
	boss(&f);
	a = put(&f, "absences", 0, "{'user_id':'%lld','from_day':'2026-11-21'}", (long long)f.me);
	assert_true(a > 0);
	assert_string_equal(field(&f, "absences", a, "to_day"), "2026-11-21");
	assert_string_equal(field(&f, "visits", v, "away"), "true");
	assert_string_equal(field(&f, "visits", w, "away"), "false");
	assert_true(put(&f, "visits", w, "{'at_ms':%lld}", (long long)(FRIDAY_10 + 14 * HOUR)) > 0); /* 00:00 of the 21st */
	assert_string_equal(field(&f, "visits", w, "away"), "true");
	assert_int_equal(put(&f, "absences", 0, "{'user_id':'%lld','from_day':'2026-11-21','to_day':'2026-11-20'}", (long long)f.me), -422);
	assert_int_equal(put(&f, "absences", 0, "{'user_id':'%lld','from_day':'2026-02-30'}", (long long)f.me), -422);
	row = NULL;
	clear(&f);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(res_delete(&f.c, &people_absences, a, RES_REV_ANY), 0);
	assert_int_equal(db_commit(f.db), 0);
	json_decref(row);
	assert_string_equal(field(&f, "visits", v, "away"), "false");
	fix_done(&f);
}

TEST(a_cancelled_deal_waits_for_its_last_follow_up)
{
	struct fix f;
	int64_t d, other;

	fix_init(&f);
	as(&f, f.me, "agent");
	d = put(&f, "deals", 0, "{'customer_id':'%lld','product':'P','amount':500}", (long long)f.customer);
	assert_string_equal(field(&f, "deals", d, "day"), "2026-11-20");
	assert_string_equal(field(&f, "deals", d, "state"), "signed");
	assert_true(put(&f, "deals", d, "{'state':'cancelled','cancel_reason':'too dear'}") > 0);
	assert_string_equal(field(&f, "deals", d, "follow"), "todo");
	assert_string_equal(field(&f, "deals", d, "cancelled_ms"), ms(FRIDAY_10));
	assert_true(put(&f, "deals", d, "{'follow':'done'}") > 0);
	assert_string_equal(field(&f, "deals", d, "follow"), "done");
	assert_true(put(&f, "deals", d, "{'state':'signed'}") > 0);
	assert_string_equal(field(&f, "deals", d, "follow"), "-");
	assert_string_equal(field(&f, "deals", d, "cancel_reason"), "-");
	boss(&f);
	other = visit(&f, f.his, FRIDAY_10);
	assert_int_equal(put(&f, "deals", d, "{'visit_id':'%lld'}", (long long)other), -422); /* another's visit */
	assert_int_equal(put(&f, "deals", d, "{'day':'2026-13-01'}"), -422);
	assert_int_equal(put(&f, "deals", d, "{'amount':-1}"), -422);
	fix_done(&f);
}

TEST(an_agent_or_a_team_has_one_goal_a_month)
{
	struct fix f;
	int64_t g;

	fix_init(&f);
	g = put(&f, "goals", 0, "{'month':'2026-11','user_id':'%lld','calls':2000}", (long long)f.me);
	assert_true(g > 0);
	assert_string_equal(field(&f, "goals", g, "team_id"), id_of(f.team));
	assert_int_equal(put(&f, "goals", 0, "{'month':'2026-11','user_id':'%lld'}", (long long)f.me), -422);
	assert_true(put(&f, "goals", 0, "{'month':'2026-12','user_id':'%lld'}", (long long)f.me) > 0);
	assert_true(put(&f, "goals", 0, "{'month':'2026-11','team_id':'%lld'}", (long long)f.team) > 0);
	assert_int_equal(put(&f, "goals", 0, "{'month':'2026-11','team_id':'%lld'}", (long long)f.team), -422);
	assert_int_equal(put(&f, "goals", 0, "{'month':'2026-11'}"), -422);
	assert_int_equal(put(&f, "goals", 0, "{'month':'2026-1','user_id':'%lld'}", (long long)f.mate), -422);
	as(&f, f.me, "agent");
	assert_int_equal(put(&f, "goals", g, "{'calls':1}"), -403);
	as(&f, f.lead, "lead");
	assert_true(put(&f, "goals", g, "{'calls':1800}") > 0);
	fix_done(&f);
}

TEST(the_earliest_open_call_back_is_the_customers_next_contact)
{
	struct fix f;
	int64_t a, b;

	fix_init(&f);
	as(&f, f.me, "agent");
	a = put(&f, "callbacks", 0, "{'customer_id':'%lld','due_ms':%lld,'phone':'138 0013 8001'}", (long long)f.customer, (long long)(FRIDAY_10 + 2 * HOUR));
	assert_string_equal(field(&f, "callbacks", a, "phone"), "+8613800138001");
	b = put(&f, "callbacks", 0, "{'customer_id':'%lld','due_ms':%lld}", (long long)f.customer, (long long)(FRIDAY_10 + HOUR));
	assert_true(next_of(&f, f.customer) == FRIDAY_10 + HOUR);
	assert_true(put(&f, "callbacks", b, "{'state':'done'}") > 0);
	assert_string_equal(field(&f, "callbacks", b, "done_by"), id_of(f.me));
	assert_true(next_of(&f, f.customer) == FRIDAY_10 + 2 * HOUR);
	/* Said on the customer's page: the same call-back moves. */
	assert_true(put(&f, "customers", f.customer, "{'next_ms':%lld}", (long long)(FRIDAY_10 + 5 * HOUR)) > 0);
	assert_string_equal(field(&f, "callbacks", a, "due_ms"), ms(FRIDAY_10 + 5 * HOUR));
	assert_true(put(&f, "customers", f.customer, "{'next_ms':null}") > 0);
	assert_string_equal(field(&f, "callbacks", a, "state"), "dropped");
	assert_true(!next_of(&f, f.customer));
	assert_true(put(&f, "customers", f.customer, "{'next_ms':%lld}", (long long)(FRIDAY_10 + DAY)) > 0);
	assert_int_equal(ask(&f, "SELECT COUNT(*) FROM callbacks WHERE customer_id = $1 AND state = 'open'", f.customer), 1);
	assert_int_equal(put(&f, "callbacks", 0, "{'due_ms':%lld}", (long long)FRIDAY_10), -422); /* whom? */
	assert_int_equal(put(&f, "callbacks", 0, "{'phone':'abc','due_ms':%lld}", (long long)FRIDAY_10), -422);
	fix_done(&f);
}

TEST(a_note_does_what_was_due_and_arranges_what_is_next)
{
	struct fix f;
	int64_t a, n;

	fix_init(&f);
	as(&f, f.me, "agent");
	a = put(&f, "callbacks", 0, "{'customer_id':'%lld','due_ms':%lld}", (long long)f.customer, (long long)(FRIDAY_10 - HOUR));
	n = put(&f, "notes", 0, "{'customer_id':'%lld','text':'wants the catalogue\\nsecond line','next_ms':%lld}", (long long)f.customer, (long long)(FRIDAY_10 + 10 * 60000));
	assert_true(n > 0);
	assert_string_equal(field(&f, "callbacks", a, "state"), "done");
	assert_true(next_of(&f, f.customer) == FRIDAY_10 + 10 * 60000);
	a = ask(&f, "SELECT id FROM callbacks WHERE customer_id = $1 AND state = 'open'", f.customer);
	assert_string_equal(field(&f, "callbacks", a, "reason"), "wants the catalogue");
	assert_string_equal(field(&f, "callbacks", a, "user_id"), id_of(f.me));
	/* The note is corrected: the same call-back moves; without a time nothing new is arranged. */
	assert_true(put(&f, "notes", n, "{'next_ms':%lld}", (long long)(FRIDAY_10 + HOUR)) > 0);
	assert_string_equal(field(&f, "callbacks", a, "due_ms"), ms(FRIDAY_10 + HOUR));
	assert_int_equal(ask(&f, "SELECT COUNT(*) FROM callbacks WHERE customer_id = $1", f.customer), 2);
	fix_done(&f);
}

TEST(who_gets_a_customer_gets_what_is_still_to_be_done)
{
	struct fix f;
	int64_t b, v, old;

	fix_init(&f);
	as(&f, f.me, "agent");
	b = put(&f, "callbacks", 0, "{'customer_id':'%lld','due_ms':%lld}", (long long)f.customer, (long long)(FRIDAY_10 + HOUR));
	v = visit(&f, f.customer, FRIDAY_10 + DAY);
	old = visit(&f, f.customer, FRIDAY_10 - DAY);
	assert_true(put(&f, "visits", old, "{'state':'missed'}") > 0);
	boss(&f);
	assert_true(put(&f, "customers", f.customer, "{'owner_id':'%lld'}", (long long)f.mate) > 0);
	assert_string_equal(field(&f, "callbacks", b, "user_id"), id_of(f.mate));
	assert_string_equal(field(&f, "visits", v, "user_id"), id_of(f.mate));
	assert_string_equal(field(&f, "visits", old, "user_id"), id_of(f.me)); /* what was is his */
	assert_true(put(&f, "customers", f.customer, "{'owner_id':null}") > 0); /* to the pool: the team's */
	assert_string_equal(field(&f, "callbacks", b, "user_id"), "-");
	assert_string_equal(field(&f, "callbacks", b, "team_id"), id_of(f.team));
	fix_done(&f);
}

TEST(a_merge_takes_visits_deals_and_call_backs_along_and_its_undo_brings_them_back)
{
	struct fix f;
	int64_t b, v, d, merge;
	json_t *row = NULL;

	fix_init(&f);
	b = put(&f, "callbacks", 0, "{'customer_id':'%lld','due_ms':%lld}", (long long)f.his, (long long)(FRIDAY_10 + HOUR));
	v = visit(&f, f.his, FRIDAY_10 + DAY);
	d = put(&f, "deals", 0, "{'customer_id':'%lld','product':'P','amount':1}", (long long)f.his);
	clear(&f);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(people_customer_merge(&row, &f.c, f.customer, f.his, NULL, NULL), 0);
	assert_int_equal(db_commit(f.db), 0);
	json_decref(row);
	assert_string_equal(field(&f, "callbacks", b, "customer_id"), id_of(f.customer));
	assert_string_equal(field(&f, "visits", v, "customer_id"), id_of(f.customer));
	assert_string_equal(field(&f, "deals", d, "customer_id"), id_of(f.customer));
	assert_true(next_of(&f, f.customer) == FRIDAY_10 + HOUR && !next_of(&f, f.his));
	merge = ask(&f, "SELECT id FROM customer_merges WHERE customer_id = $1", f.customer);
	clear(&f);
	row = NULL;
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(people_customer_unmerge(&row, &f.c, merge), 0);
	assert_int_equal(db_commit(f.db), 0);
	json_decref(row);
	assert_string_equal(field(&f, "callbacks", b, "customer_id"), id_of(f.his));
	assert_string_equal(field(&f, "deals", d, "customer_id"), id_of(f.his));
	assert_true(!next_of(&f, f.customer) && next_of(&f, f.his) == FRIDAY_10 + HOUR);
	fix_done(&f);
}

TEST(the_wechat_of_ones_own_customer_counts_once_and_an_import_is_nobodys)
{
	struct fix f;

	fix_init(&f);
	as(&f, f.me, "agent");
	assert_true(put(&f, "customers", f.customer, "{'wechat':'wx_a'}") > 0);
	assert_true(ask(&f, "SELECT wechat_by FROM customers WHERE id = $1", f.customer) == f.me);
	f.c.now_ms += DAY;
	assert_true(put(&f, "customers", f.customer, "{'wechat':'wx_b'}") > 0); /* a correction */
	assert_true(ask(&f, "SELECT wechat_ms FROM customers WHERE id = $1", f.customer) == FRIDAY_10);
	boss(&f);
	assert_true(put(&f, "customers", f.his, "{'wechat':'wx_c'}") > 0);
	assert_int_equal(ask(&f, "SELECT COALESCE(wechat_by, 0) FROM customers WHERE id = $1", f.his), 0);
	assert_true(put(&f, "customers", f.customer, "{'wechat':null}") > 0);
	assert_int_equal(ask(&f, "SELECT COALESCE(wechat_ms, 0) FROM customers WHERE id = $1", f.customer), 0);
	fix_done(&f);
}
