/*
 * Every declared resource, walked: each field takes what its declaration allows and refuses, by name, what it does not; each ready role
 * may with each row what its grants say and nothing more; and nothing of another centre is reached in any way. What is expected is computed
 * here from the roles' JSON and from where the test put the rows, not by the code under test. Where a hook knows better than the
 * declaration, the tables below name it with its reason.
 */
#include "base/test.h"
#include "people/declared.h"
#include "people/customer.h"
#include "people/privacy.h"
#include "people/rights.h"
#include "people/sales.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"

/* Rights that the askers of these tests have, for as long as the program runs. */
static const struct people_rights *held[64];
static size_t held_n;

/*
 * I am in team t1 of department d1, a mate with me; dep is in t2 of d2 below d1; far in t3 of d3. Levels: whose a row is, seen from me. OPEN:
 * nobody's. CENTRE rows belong to the centre or to far.
 */
enum level { OWN = 1, TEAM, DEPARTMENT, CENTRE, OPEN };

/* Rows of the walk, made in this order in each of two centres. $x: the id of the row x. The first of a resource is also a form's base. */
static const struct seed {
	const char *d, *as;
	enum level level;
	const char *body;
	const char *patch; /* a harmless change; NULL: as the row before */
} seeds[] = {
	{"departments", "d1", DEPARTMENT, "{'name':'D1'}", "{'note':'changed'}"},
	{"departments", "d2", DEPARTMENT, "{'name':'D2','parent_id':'$d1'}", NULL},
	{"departments", "d3", CENTRE, "{'name':'D3'}", NULL},
	{"teams", "t1", TEAM, "{'name':'T1','department_id':'$d1'}", "{'note':'changed'}"},
	{"teams", "t2", DEPARTMENT, "{'name':'T2','department_id':'$d2'}", NULL},
	{"teams", "t3", CENTRE, "{'name':'T3','department_id':'$d3'}", NULL},
	{"users", "me", OWN, "{'name':'me','login':'me','role':'agent','team_id':'$t1'}", "{'seat':'B7'}"},
	{"users", "mate", TEAM, "{'name':'mate','login':'mate','role':'agent','team_id':'$t1'}", NULL},
	{"users", "dep", DEPARTMENT, "{'name':'dep','login':'dep','role':'agent','team_id':'$t2'}", NULL},
	{"users", "far", CENTRE, "{'name':'far','login':'far','role':'agent','team_id':'$t3'}", NULL},
	{"customer_types", "type", CENTRE, "{'name':'type one'}", "{'sort':7}"},
	{"customer_sources", "source", CENTRE, "{'name':'source one'}", "{'sort':7}"},
	{"contact_reasons", "reason", CENTRE, "{'name':'reason one'}", "{'sort':7}"},
	{"contact_results", "result", CENTRE, "{'code':'result_one','zh':'one'}", "{'sort':7}"},
	{"customers", "c_me", OWN, "{'name':'mine','owner_id':'$me'}", "{'company':'changed'}"},
	{"customers", "c_mate", TEAM, "{'name':'a mate has','owner_id':'$mate'}", NULL},
	{"customers", "c_dep", DEPARTMENT, "{'name':'below','owner_id':'$dep'}", NULL},
	{"customers", "c_far", CENTRE, "{'name':'far','owner_id':'$far'}", NULL},
	{"customers", "c_open", OPEN, "{'name':'of nobody'}", NULL},
	{"customer_phones", "p_me", OWN, "{'customer_id':'$c_me','number':'13800138001'}", "{'extension':'12'}"},
	{"customer_phones", "p_mate", TEAM, "{'customer_id':'$c_mate','number':'13800138002'}", NULL},
	{"customer_phones", "p_dep", DEPARTMENT, "{'customer_id':'$c_dep','number':'13800138003'}", NULL},
	{"customer_phones", "p_far", CENTRE, "{'customer_id':'$c_far','number':'13800138004'}", NULL},
	{"customer_phones", "p_open", OPEN, "{'customer_id':'$c_open','number':'13800138005'}", NULL},
	{"customer_requests", "q_me", OWN, "{'customer_id':'$c_me','user_id':'$far'}", "{'answer':'changed'}"},
	{"customer_requests", "q_mate", TEAM, "{'customer_id':'$c_mate','user_id':'$far'}", NULL},
	{"customer_requests", "q_dep", DEPARTMENT, "{'customer_id':'$c_dep','user_id':'$far'}", NULL},
	{"customer_requests", "q_far", CENTRE, "{'customer_id':'$c_far','user_id':'$me'}", NULL},
	{"note_templates", "template", CENTRE, "{'name':'template one'}", "{'active':false}"},
	{"notes", "n_me", OWN, "{'user_id':'$me','team_id':'$t1','text':'n','at_ms':1700000000000}", "{'text':'changed'}"},
	{"notes", "n_mate", TEAM, "{'user_id':'$mate','team_id':'$t1','text':'n','at_ms':1700000000000}", NULL},
	{"notes", "n_dep", DEPARTMENT, "{'user_id':'$dep','team_id':'$t2','text':'n','at_ms':1700000000000}", NULL},
	{"notes", "n_far", CENTRE, "{'user_id':'$far','team_id':'$t3','text':'n','at_ms':1700000000000}", NULL},
	{"notes", "n_mine_by_far", OWN, "{'user_id':'$far','team_id':'$t3','customer_id':'$c_me','text':'n','at_ms':1700000000000}", NULL},
	{"notes", "n_open_by_far", OPEN, "{'user_id':'$far','team_id':'$t3','customer_id':'$c_open','text':'n','at_ms':1700000000000}", NULL},
	{"recycle_rules", "rule", CENTRE, "{'name':'rule one','idle_days':30}", "{'idle_days':31}"},
	{"allocations", "a_me", OWN, "{'title':'a','kind':'allot','state':'done','user_id':'$me'}", "{'count':7}"},
	{"allocations", "a_mate", TEAM, "{'title':'a','kind':'allot','state':'done','user_id':'$mate'}", NULL},
	{"allocations", "a_dep", DEPARTMENT, "{'title':'a','kind':'allot','state':'done','user_id':'$dep'}", NULL},
	{"allocations", "a_far", CENTRE, "{'title':'a','kind':'allot','state':'done','user_id':'$far'}", NULL},
	{"visits", "v_mine", OWN, "{'customer_id':'$c_me','at_ms':1700000000000,'user_id':'$me','place':'p'}", "{'place':'changed'}"},
	{"visits", "v_mate", TEAM, "{'customer_id':'$c_mate','at_ms':1700000000000,'user_id':'$mate'}", NULL},
	{"visits", "v_dep", DEPARTMENT, "{'customer_id':'$c_dep','at_ms':1700000000000,'user_id':'$dep'}", NULL},
	{"visits", "v_of_far", CENTRE, "{'customer_id':'$c_far','at_ms':1700000000000,'user_id':'$far'}", NULL},
	{"visits", "v_my_customer", OWN, "{'customer_id':'$c_me','at_ms':1700000000000,'user_id':'$far'}", NULL},
	{"deals", "d_mine", OWN, "{'customer_id':'$c_me','product':'p','amount':100,'day':'2023-11-14','user_id':'$me'}", "{'product':'changed'}"},
	{"deals", "d_mate", TEAM, "{'customer_id':'$c_mate','product':'p','amount':100,'day':'2023-11-14','user_id':'$mate'}", NULL},
	{"deals", "d_dep", DEPARTMENT, "{'customer_id':'$c_dep','product':'p','amount':100,'day':'2023-11-14','user_id':'$dep'}", NULL},
	{"deals", "d_far", CENTRE, "{'customer_id':'$c_far','product':'p','amount':100,'day':'2023-11-14','user_id':'$far'}", NULL},
	{"goals", "g_me", OWN, "{'month':'2023-11','user_id':'$me'}", "{'calls':7}"},
	{"goals", "g_mate", TEAM, "{'month':'2023-11','user_id':'$mate'}", NULL},
	{"goals", "g_dep", DEPARTMENT, "{'month':'2023-11','user_id':'$dep'}", NULL},
	{"goals", "g_far", CENTRE, "{'month':'2023-11','user_id':'$far'}", NULL},
	{"goals", "g_team", TEAM, "{'month':'2023-11','team_id':'$t1'}", NULL},
	{"callbacks", "b_me", OWN, "{'customer_id':'$c_me','due_ms':1700000000000,'user_id':'$me'}", "{'reason':'changed'}"},
	{"callbacks", "b_mate", TEAM, "{'customer_id':'$c_mate','due_ms':1700000000000,'user_id':'$mate'}", NULL},
	{"callbacks", "b_dep", DEPARTMENT, "{'customer_id':'$c_dep','due_ms':1700000000000,'user_id':'$dep'}", NULL},
	{"callbacks", "b_far", CENTRE, "{'customer_id':'$c_far','due_ms':1700000000000,'user_id':'$far'}", NULL},
	{"absences", "x_me", OWN, "{'user_id':'$me','from_day':'2023-11-14'}", "{'note':'changed'}"},
	{"absences", "x_mate", TEAM, "{'user_id':'$mate','from_day':'2023-11-14'}", NULL},
	{"absences", "x_dep", DEPARTMENT, "{'user_id':'$dep','from_day':'2023-11-14'}", NULL},
	{"absences", "x_far", CENTRE, "{'user_id':'$far','from_day':'2023-11-14'}", NULL},
	{"todo_settings", "todo", CENTRE, NULL, "{'grace_min':4}"},
	{"campaigns", "k_me", OWN, "{'name':'project one','owner_id':'$me'}", "{'note':'changed'}"},
	{"campaigns", "k_mate", TEAM, "{'name':'a mate has','owner_id':'$mate','team_id':'$t1'}", NULL},
	{"campaigns", "k_dep", DEPARTMENT, "{'name':'below','owner_id':'$dep','team_id':'$t2'}", NULL},
	{"campaigns", "k_far", CENTRE, "{'name':'far','owner_id':'$far','team_id':'$t3'}", NULL},
	{"campaigns", "k_with", OWN, "{'name':'I work for it','owner_id':'$far','team_id':'$t3'}", NULL},
	{"campaign_agents", "ka_me", OWN, "{'campaign_id':'$k_with','user_id':'$me'}", "{'share':2}"},
	{"campaign_agents", "ka_far", CENTRE, "{'campaign_id':'$k_far','user_id':'$far'}", NULL},
	{"campaign_teams", "kt_me", OWN, "{'campaign_id':'$k_me','team_id':'$t3'}", "{'share':2}"},
	{"shown_numbers", "shown", CENTRE, "{'number':'057188120001'}", "{'note':'changed'}"},
	{"campaign_numbers", "kn_me", OWN, "{'campaign_id':'$k_me','shown_id':'$shown'}", "{}"},
	{"campaign_leads", "kl_me", OWN, "{'campaign_id':'$k_far','customer_id':'$c_me'}", "{'priority':7}"},
	{"campaign_leads", "kl_far", CENTRE, "{'campaign_id':'$k_me','customer_id':'$c_far'}", NULL},
	{"campaign_leads", "kl_open", OPEN, "{'campaign_id':'$k_me','customer_id':'$c_open'}", NULL},
	{"dial_claims", "kc_me", OWN, "{'campaign_id':'$k_far','lead_id':'$kl_me','customer_id':'$c_me','number':'+8613800138001','state':'ended','nth':1}", "{'nth':2}"},
	{"guarded_dials", "kg_me", OWN, "{'campaign_id':'$k_far','lead_id':'$kl_me','customer_id':'$c_me','why':'hours'}", "{'why':'dnc'}"},
	{"do_not_call", "dnc", CENTRE, "{'number':'13700137000'}", "{'note':'changed'}"},
	{"calling_windows", "window", CENTRE, "{'name':'window one','hours':'09:00-12:00'}", "{'region':'changed'}"},
	{"holidays", "holiday", CENTRE, "{'day':'2027-01-01','name':'one'}", "{'name':'changed'}"},
	{"retry_rules", "retry", CENTRE, "{'result':'busy','nth':3}", "{'wait_min':7}"},
	{"outbound_settings", "limits", CENTRE, NULL, "{'gap_min':7}"},
	{"custom_fields", "custom", CENTRE, "{'zh':'walked','key':'walked'}", "{'help':'changed'}"},
	{"roles", "role", CENTRE, "{'key':'walker','name':'walker'}", "{'note':'changed'}"},
	{"leaves", "l_me", OWN, "{'user_id':'$me','by_name':'b','rule':'keep','state':'done'}", "{'total':7}"},
	{"leaves", "l_mate", TEAM, "{'user_id':'$mate','by_name':'b','rule':'keep','state':'done'}", NULL},
	{"leaves", "l_dep", DEPARTMENT, "{'user_id':'$dep','by_name':'b','rule':'keep','state':'done'}", NULL},
	{"leaves", "l_far", CENTRE, "{'user_id':'$far','by_name':'b','rule':'keep','state':'done'}", NULL},
	{"queues", "queue", CENTRE, "{'name':'queue one'}", "{'note':'changed'}"},
	{"queues", "queue2", CENTRE, "{'name':'queue two'}", NULL},
	{"members", "member", CENTRE, "{'queue_id':'$queue','user_id':'$me'}", "{'level':2}"},
	{"trunks", "trunk", CENTRE, "{'name':'trunk one','host':'192.0.2.1'}", "{'turn':2}"},
	{"numbers", "number", CENTRE, "{'number':'4001','dest':'queue','queue_id':'$queue'}", "{'note':'changed'}"},
	{"devices", "device", CENTRE, "{'name':'device1','user_id':'$me','secret':'only-for-tests-7'}", "{'note':'changed'}"},
	{"number_forms", "form", CENTRE, "{'trunk_id':'$trunk'}", "{'hide':true}"},
	{"number_rules", "nrule", CENTRE, "{'trunk_id':'$trunk','put':'0'}", "{'note':'changed'}"},
	{"dial_rights", "dial", CENTRE, "{'name':'dial one','scope':'user','user_id':'$me'}", "{'premium':true}"},
	{"number_prefixes", "prefix", CENTRE, "{'prefix':'1380013','province':'p','city':'c'}", "{'city':'changed'}"},
	{"breaks", "break", CENTRE, "{'code':'walk','zh':'walk','en':'walk'}", "{'sort':7}"},
	{"tokens", "token", CENTRE, "{'name':'token one','role':'agent'}", "{'active':false}"},
	{"allowed_networks", "network", CENTRE, "{'network':'192.0.2.0/24'}", "{'note':'changed'}"},
	{"faults", "fault", CENTRE, "{'state':'open','user_id':'$me','text':'t'}", "{'remark':'changed'}"},
	{"imports", "import", CENTRE, "{'file':'f','what':'customers','by_name':'b'}", "{'bad':7}"},
	{"exports", "export", CENTRE, "{'resource':'customers','count':1}", "{'count':7}"},
	{"pool_settings", "pool", CENTRE, NULL, "{'warn_days':4}"},
	{"privacy_settings", "privacy", CENTRE, NULL, "{'reveal_day_max':4}"},
	{"views", "v_me", OWN, "{'resource':'customers','name':'mine','user_id':'$me','shared':false}", "{'ordinal':7}"},
	{"views", "v_far", CENTRE, "{'resource':'customers','name':'far','user_id':'$far','shared':false}", NULL},
	{"list_prefs", "w_me", OWN, "{'user_id':'$me','resource':'customers'}", "{'columns':['name']}"},
	{"list_prefs", "w_far", CENTRE, "{'user_id':'$far','resource':'customers'}", NULL},
};
#define SEEDS ARRAY_LEN(seeds)

struct fix {
	char file[64], path[512];
	struct db *db;
	int64_t centre, other, id[SEEDS], foreign[SEEDS]; /* the same rows in two centres */
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

static json_t *idj(int64_t id)
{
	char t[24];

	(void)snprintf(t, sizeof(t), "%lld", (long long)id);
	return json_string(t);
}

static int64_t named(const int64_t *ids, const char *as)
{
	for (size_t i = 0; i < SEEDS; i++)
		if (!strcmp(seeds[i].as, as))
			return ids[i];
	fail_msg("no row %s", as);
	return 0;
}

/* JSON with ' for ", and $x for ids of @ids. */
static json_t *body_of(const int64_t *ids, const char *text)
{
	char *copy = xstrdup(text);
	const char *key;
	json_t *o, *v;
	void *tmp;

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	o = json_loads(copy, 0, NULL);
	assert_non_null(o);
	free(copy);
	json_object_foreach_safe(o, tmp, key, v)
		if (json_is_string(v) && json_string_value(v)[0] == '$')
			(void)json_object_set_new(o, key, idj(named(ids, json_string_value(v) + 1)));
	return o;
}

static size_t first_seed(const char *resource)
{
	for (size_t i = 0; i < SEEDS; i++)
		if (!strcmp(seeds[i].d, resource))
			return i;
	fail_msg("%s is declared, but the walk has no row of it", resource);
	return 0;
}

static const char *patch_of(size_t i)
{
	return seeds[first_seed(seeds[i].d)].patch;
}

/* ---- rows ---- */

/* What only the program writes is put there as it would stand. */
static bool by_hand(const struct res_def *d)
{
	return d->closed || d->personal || !strcmp(d->name, "notes") || !strcmp(d->name, "faults");
}

static void bind(struct db_stmt *st, int at, const struct res_field *f, const json_t *v)
{
	char *text;

	if (!v || json_is_null(v))
		db_bind_null(st, at);
	else if (json_is_integer(v))
		db_bind_i64(st, at, json_integer_value(v));
	else if (json_is_boolean(v))
		db_bind_i64(st, at, json_is_true(v));
	else if (f->type == RES_REF)
		db_bind_i64(st, at, strtoll(json_string_value(v), NULL, 10));
	else if (json_is_string(v) && f->type != RES_JSON)
		db_bind_text(st, at, json_string_value(v));
	else {
		text = json_dumps(v, JSON_ENCODE_ANY);
		db_bind_text(st, at, text);
		free(text);
	}
}

/* Something that no column refuses. */
static json_t *plain_of(const struct res_field *f)
{
	if (f->type == RES_INT || f->type == RES_BOOL || f->type == RES_TIME)
		return json_integer(f->type == RES_TIME ? 1700000000000 : 0);
	return f->type == RES_TEXT ? json_string("") : f->type == RES_ENUM ? json_string(f->options[0].value) : json_null();
}

static int64_t put(struct fix *f, const struct res_def *d, int64_t centre, json_t *body)
{
	int64_t id = res_next_id();
	struct db_stmt *st;
	struct strb b;

	strb_init(&b, 16384);
	strb_printf(&b, "INSERT INTO %s (id, centre_id, rev, created_ms, updated_ms", d->table);
	for (size_t i = 0; i < d->field_n; i++)
		strb_printf(&b, ", %s", res_column(&d->fields[i]));
	strb_puts(&b, ") VALUES ($1, $2, 1, 1700000000000, 1700000000000");
	for (size_t i = 0; i < d->field_n; i++)
		strb_printf(&b, ", $%zu", i + 3);
	strb_puts(&b, ")");
	assert_int_equal(db_prepare(&st, f->db, b.buf), 0);
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, centre);
	for (size_t i = 0; i < d->field_n; i++) {
		json_t *v = json_incref(json_object_get(body, d->fields[i].name));

		v = v ? v : plain_of(&d->fields[i]);
		bind(st, (int)i + 3, &d->fields[i], v);
		json_decref(v);
	}
	assert_int_equal(db_step(st), 0);
	db_done(st);
	strb_done(&b);
	json_decref(body);
	return id;
}

static int64_t make(struct fix *f, const struct res_def *d, int64_t centre, json_t *body)
{
	struct system_ctx s;
	int64_t id = 0;

	system_init(&s, f->db, centre);
	s.c.prepared = !strcmp(d->name, "users") ? json_object() : NULL;
	if (system_write(&id, &s, d, 0, body))
		fail_msg("a row of %s: %s %s", d->name, s.error.code, s.error.fields ? json_dumps(s.error.fields, 0) : "");
	system_done(&s);
	return id;
}

static void fill(struct fix *f, int64_t centre, int64_t *ids)
{
	for (size_t i = 0; i < SEEDS; i++) {
		const struct res_def *d = res_find(seeds[i].d);
		char *sql = xasprintf("SELECT MIN(id) FROM %s WHERE centre_id = $1", d->table);

		if (!seeds[i].body) /* there is one in each centre, and never another */
			assert_int_equal(db_get_i64(&ids[i], f->db, sql, "i", centre), 0);
		else
			ids[i] = by_hand(d) ? put(f, d, centre, body_of(ids, seeds[i].body)) : make(f, d, centre, body_of(ids, seeds[i].body));
		assert_true(ids[i]);
		free(sql);
	}
}

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/tmp/walk_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	f->other = res_next_id();
	assert_int_equal(db_run(f->db, "INSERT INTO centre (id, name, zone, created_ms) VALUES ($1, 'Other', 'UTC', 1)", "i", f->other), 0);
	assert_int_equal(people_roles_seed(f->db, f->other), 0);
	assert_int_equal(customer_seed_lists(f->db, f->other), 0);
	assert_int_equal(people_privacy_seed(f->db, f->other), 0);
	assert_int_equal(sales_seed(f->db, f->other), 0);
	assert_int_equal(campaign_seed(f->db, f->other), 0);
	fill(f, f->centre, f->id);
	fill(f, f->other, f->foreign);
	assert_int_equal(db_commit(f->db), 0);
	f->who.centre_id = f->centre;
	f->who.user_id = named(f->id, "me");
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = 1700000060000};
}

static void forget(struct fix *f)
{
	res_error_done(&f->error);
	res_ctx_done(&f->c);
}

static void fix_done(struct fix *f)
{
	forget(f);
	db_close(f->db);
	test_db_gone(f->path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", f->file, *s);

		(void)unlink(p);
		free(p);
	}
}

enum act { READ, UPDATE, REMOVE, CREATE };

/* 0, or the status it was refused with; f->error says why. Nothing of it is kept. @ret may be NULL; takes @body. */
static int tried(json_t **ret, struct fix *f, const struct res_def *d, int64_t id, json_t *body, enum act act)
{
	json_t *row = NULL;
	int r;

	forget(f);
	if (act != READ)
		assert_int_equal(db_begin(f->db), 0);
	if (!strcmp(d->name, "users") && !json_object_get(body, "password"))
		f->c.prepared = json_object(); /* no slow hash of nothing */
	r = act == READ ? res_get(&row, &f->c, d, id) : act == REMOVE ? res_delete(&f->c, d, id, RES_REV_ANY)
	    : act == UPDATE ? res_update(&row, &f->c, d, id, body, RES_REV_ANY) : res_create(&row, &f->c, d, body);
	assert_true(r >= 0);
	if (act != READ)
		db_rollback(f->db);
	json_decref(body);
	if (ret)
		*ret = row;
	else
		json_decref(row);
	return r ? f->error.status : 0;
}

/* ---- roles ---- */

struct role {
	const char *key;
	json_t *rights, *grants;
};

static bool has_right(const struct role *r, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach(r->rights, i, v)
		if (!strcmp(json_string_value(v), name) || !strcmp(json_string_value(v), "*"))
			return true;
	return false;
}

static const json_t *grant_of(const struct role *r, const struct res_def *d)
{
	const json_t *g = json_object_get(r->grants, d->name);

	if (!g && d->group)
		g = json_object_get(r->grants, d->group);
	return g ? g : json_object_get(r->grants, "*");
}

/* 0: none, else the highest level that is reached. What is personal is its owner's, whatever the role. */
static int reach(const struct role *r, const struct res_def *d, const char *what)
{
	static const char *const names[] = {"none", "own", "team", "department", "centre"};
	const char *scope = json_string_value(json_object_get(grant_of(r, d), what));

	if (d->closed && strcmp(what, "read") != 0)
		return 0;
	if (d->personal)
		return OWN;
	for (int i = 0; scope && i < 5; i++)
		if (!strcmp(names[i], scope))
			return i;
	return 0;
}

static bool reached(const struct role *r, const struct res_def *d, const char *what, enum level level)
{
	int n = reach(r, d, what);

	if (level == OPEN)
		return n == CENTRE || (n && !strcmp(what, "read") && has_right(r, "pool"));
	return n >= (int)level;
}

/* What a hook refuses although the grant allows it, by name and reason. The status, or 0. */
static int hooks_say(const struct role *r, const struct seed *s, enum act act, const char *code)
{
	bool mine = !strcmp(s->as, "n_me");

	if (!strcmp(s->d, "notes") && act == REMOVE)
		return 403; /* what was said was said */
	if (!strcmp(s->d, "notes") && act == UPDATE && !mine && !has_right(r, "notes"))
		return 403; /* words of another are corrected with a right of its own */
	if (!strcmp(s->d, "users") && code && !strcmp(code, "more_than_own"))
		return 403; /* an agent's role holds what this one lacks: nobody changes who has more */
	if ((!strcmp(s->d, "roles") || !strcmp(s->d, "tokens")) && code && !strcmp(code, "more_than_own"))
		return 403; /* nor hands more out by a role or a token */
	return 0;
}

static void check_row(struct fix *f, const struct role *r, size_t i, enum act act)
{
	static const char *const words[] = {"read", "write", "remove"};
	const struct seed *s = &seeds[i];
	const struct res_def *d = res_find(s->d);
	bool may = reached(r, d, words[act], s->level), sees = reached(r, d, "read", s->level);
	int got = tried(NULL, f, d, f->id[i], act == UPDATE ? body_of(f->id, patch_of(i)) : NULL, act), want;
	const char *code = f->error.code;

	want = !reach(r, d, words[act]) ? 403 : may ? hooks_say(r, s, act, code) : sees && act != READ ? 403 : 404;
	if (act == REMOVE && may && got == 409)
		want = 409; /* in use, the only one, oneself, the last administrator: the right was there */
	if (got != want)
		fail_msg("%s, %s of %s %s: %d %s, wanted %d", r->key, words[act], s->d, s->as, got, code ? code : "", want);
}

/* The list holds the rows within reach, and no others. */
static void check_list(struct fix *f, const struct role *r, const struct res_def *d)
{
	json_t *page = NULL, *row;
	size_t i, n = 0, want = 0;
	int64_t all = 0, got;
	char *sql = xasprintf("SELECT COUNT(*) FROM %s WHERE centre_id = $1", d->table);
	int result;

	forget(f);
	result = res_list(&page, &f->c, d, NULL, NULL, 1000, 0, NULL);
	assert_true(result >= 0);
	if (!reach(r, d, "read")) {
		if (!result || f->error.status != 403)
			fail_msg("%s lists %s", r->key, d->name);
		free(sql);
		return;
	}
	assert_int_equal(result, 0);
	assert_int_equal(db_get_i64(&all, f->db, sql, "i", f->centre), 0);
	free(sql);
	for (size_t k = 0; k < SEEDS; k++)
		want += !strcmp(seeds[k].d, d->name) && reached(r, d, "read", seeds[k].level);
	json_array_foreach(json_object_get(page, "items"), i, row)
		for (size_t k = 0; k < SEEDS; k++) {
			got = row_id(row, "id");
			if (got == f->foreign[k] || (got == f->id[k] && !reached(r, d, "read", seeds[k].level)))
				fail_msg("%s sees %s %s in the list", r->key, d->name, seeds[k].as);
			n += got == f->id[k];
		}
	if (n != want || (int64_t)i != (reach(r, d, "read") == CENTRE ? all : (int64_t)want))
		fail_msg("%s lists %zu of %s, %zu of the walk's; wanted %zu", r->key, i, d->name, n, want);
	json_decref(page);
}

/* Files: out only with the grant and reading, in only with the grant and writing, and not where rows come one by one. */
static void check_files(struct fix *f, const struct role *r, const struct res_def *d)
{
	const json_t *g = grant_of(r, d);
	bool out = d->personal || (json_is_true(json_object_get(g, "export")) && reach(r, d, "read"));
	bool in = !d->no_import && json_is_true(json_object_get(g, "import")) && reach(r, d, "write");

	if (res_may(&f->who, d, RES_EXPORT) != out || res_may(&f->who, d, RES_IMPORT) != in)
		fail_msg("%s and files of %s: wanted export %d, import %d", r->key, d->name, out, in);
}

/* A role that may write nothing makes nothing; new rows below another's row are made only where that is reached. */
static void check_create(struct fix *f, const struct role *r, const struct res_def *d)
{
	bool none = !reach(r, d, "write");
	int got;

	if (none) {
		got = tried(NULL, f, d, 0, body_of(f->id, seeds[first_seed(d->name)].body ? seeds[first_seed(d->name)].body : "{'name':'x'}"), CREATE);
		if (got != 403)
			fail_msg("%s makes %s: %d", r->key, d->name, got);
	}
	if (none || strcmp(d->name, "customer_phones") != 0)
		return;
	for (size_t i = 0; i < SEEDS; i++) {
		json_t *body;

		if (strcmp(seeds[i].d, "customers") != 0)
			continue;
		body = json_pack("{s:o, s:s}", "customer_id", idj(f->id[i]), "number", "13900139000");
		got = tried(NULL, f, d, 0, body, CREATE);
		if (!got != reached(r, d, "write", seeds[i].level))
			fail_msg("%s gives %s a telephone: %d", r->key, seeds[i].as, got);
	}
}

static void walk_role(struct fix *f, const struct role *r)
{
	const struct people_rights *p;
	const char *bad = NULL;

	p = people_rights_make(r->rights, r->grants, &bad);
	assert_true(held_n < ARRAY_LEN(held));
	held[held_n++] = p;
	assert_non_null(p);
	f->who.rights = &p->res;
	for (size_t i = 0; i < SEEDS; i++)
		for (enum act a = READ; a <= REMOVE; a++)
			check_row(f, r, i, a);
	for (size_t k = 0; res_all[k]; k++) {
		check_list(f, r, res_all[k]);
		check_files(f, r, res_all[k]);
		check_create(f, r, res_all[k]);
	}
}

TEST(every_ready_role_may_what_its_grants_say_and_nothing_more)
{
	json_t *all = people_rights_catalogue(), *one;
	const char *key;
	struct fix f;

	fix_init(&f);
	json_object_foreach(json_object_get(all, "shipped"), key, one) {
		struct role r = {key, json_object_get(one, "rights"), json_object_get(one, "grants")};

		walk_role(&f, &r);
	}
	json_decref(all);
	fix_done(&f);
}

TEST(every_scope_of_every_action_reaches_its_rows_and_no_others)
{
	static const char *const scopes[] = {"none", "own", "team", "department", "centre"};
	struct fix f;

	fix_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		for (int pool = 0; pool < 2; pool++) {
			struct role r = {scopes[i], pool ? json_pack("[s, s]", "pool", "notes") : json_array(),
					 json_pack("{s:{s:s, s:s, s:s, s:b, s:b}}", "*", "read", scopes[i], "write", scopes[i], "remove", scopes[i], "export", pool, "import", pool)};

			walk_role(&f, &r);
			json_decref(r.rights);
			json_decref(r.grants);
		}
	fix_done(&f);
}

/* ---- another centre ---- */

TEST(nothing_of_another_centre_is_reached_by_id)
{
	struct fix f;
	int64_t *ids = NULL;
	size_t n = 0;

	fix_init(&f);
	f.who.rights = &people_rights_shipped("admin")->res;
	for (size_t i = 0; i < SEEDS; i++) {
		const struct res_def *d = res_find(seeds[i].d);
		int closed = d->closed ? 403 : 404;

		print_message("%s\n", seeds[i].as);
		assert_int_equal(tried(NULL, &f, d, f.foreign[i], NULL, READ), 404);
		assert_int_equal(tried(NULL, &f, d, f.foreign[i], body_of(f.foreign, patch_of(i)), UPDATE), closed);
		assert_int_equal(tried(NULL, &f, d, f.foreign[i], NULL, REMOVE), closed);
	}
	for (size_t k = 0; res_all[k]; k++) { /* what a change of many rows would reach */
		forget(&f);
		assert_int_equal(res_ids(&ids, &n, &f.c, res_all[k], NULL, NULL, 10000), 0);
		for (size_t j = 0; j < n; j++)
			for (size_t i = 0; i < SEEDS; i++)
				assert_true(ids[j] != f.foreign[i]);
		free(ids);
		ids = NULL;
	}
	fix_done(&f);
}

static json_t *pack1(const char *key, json_t *v)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, key, v);
	return o;
}

/* A field that the form shows only beside another's value gets it: otherwise it is emptied, and there is nothing to refuse. */
static void show(const struct res_field *f, json_t *body)
{
	const char *eq = f->show_if ? strchr(f->show_if, '=') : NULL;
	char *name, *value;

	if (!eq)
		return;
	name = xstrndup(f->show_if, (size_t)(eq - f->show_if));
	value = xstrndup(eq + 1, strcspn(eq + 1, "|"));
	(void)json_object_set_new(body, name, !strcmp(value, "true") ? json_true() : !strcmp(value, "false") ? json_false() : json_string(value));
	free(name);
	free(value);
}

static bool says(const struct fix *f, const char *field)
{
	return f->error.status == 422 && json_object_get(f->error.fields, field);
}

TEST(nothing_refers_to_a_row_of_another_centre)
{
	struct fix f;
	size_t n = 0;

	fix_init(&f);
	f.who.rights = &people_rights_shipped("admin")->res;
	for (size_t k = 0; res_all[k]; k++) {
		const struct res_def *d = res_all[k];
		size_t base = first_seed(d->name);

		for (size_t i = 0; !d->closed && i < d->field_n; i++) {
			const struct res_field *fd = &d->fields[i];
			json_t *id, *body;

			if (fd->type != RES_REF)
				continue;
			id = idj(f.foreign[first_seed(fd->ref)]);
			body = pack1(fd->name, json_incref(id));
			show(fd, body);
			if (!tried(NULL, &f, d, f.id[base], body, UPDATE) || !says(&f, fd->name))
				fail_msg("%s.%s takes a row of another centre: %d %s", d->name, fd->name, f.error.status, f.error.code ? f.error.code : "");
			if (seeds[base].body && !by_hand(d)) {
				body = body_of(f.id, seeds[base].body);
				(void)json_object_set(body, fd->name, id);
				show(fd, body);
				if (!tried(NULL, &f, d, 0, body, CREATE) || !json_object_get(f.error.fields, fd->name)) /* besides what is there twice */
					fail_msg("a new row's %s.%s takes a row of another centre: %d", d->name, fd->name, f.error.status);
			}
			json_decref(id);
			n++;
		}
	}
	assert_true(n > 30);
	fix_done(&f);
}
