/* The rows of the walk, in two centres: see walk.h. What a row's level is stands here, not in what is tested. */
#include "walk.h"

#include <unistd.h>

#include "db/db_fixture.h"
#include "people/customer.h"
#include "people/privacy.h"
#include "people/sales.h"

/* In the order in which they are made. Resources that are not named here get rows by their declarations (derive). */
static const struct seed given[] = {
	{"departments", "d1", DEPARTMENT, "{'name':'D1'}", "{'note':'changed'}"},
	{"departments", "d2", DEPARTMENT, "{'name':'D2','parent_id':'$d1'}", NULL},
	{"departments", "d3", CENTRE, "{'name':'D3'}", NULL},
	{"teams", "t1", TEAM, "{'name':'T1','department_id':'$d1'}", "{'note':'changed'}"},
	{"teams", "t2", DEPARTMENT, "{'name':'T2','department_id':'$d2'}", NULL},
	{"teams", "t3", CENTRE, "{'name':'T3','department_id':'$d3'}", NULL},
	{"users", "me", OWN, "{'name':'me','login':'me','role':'agent','team_id':'$t1','extension':'8701','staff_no':'701'}", "{'seat':'B7'}"},
	{"users", "mate", TEAM, "{'name':'mate','login':'mate','role':'agent','team_id':'$t1'}", NULL},
	{"users", "dep", DEPARTMENT, "{'name':'dep','login':'dep','role':'agent','team_id':'$t2'}", NULL},
	{"users", "far", CENTRE, "{'name':'far','login':'far','role':'agent','team_id':'$t3'}", NULL},
	{"customer_types", "type", CENTRE, "{'name':'type one'}", "{'sort':7}"},
	{"customer_sources", "source", CENTRE, "{'name':'source one'}", "{'sort':7}"},
	{"contact_reasons", "reason", CENTRE, "{'name':'reason one'}", "{'sort':7}"},
	{"contact_results", "result", CENTRE, "{'code':'result_one','zh':'one'}", "{'sort':7}"},
	{"customers", "c_me", OWN, "{'name':'mine 13900139009','owner_id':'$me'}", "{'company':'changed'}"},
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
	{"notes", "n_me", OWN, "{'user_id':'$me','team_id':'$t1','text':'n','form':[],'at_ms':1700000000000}", "{'text':'changed'}"},
	{"notes", "n_mate", TEAM, "{'user_id':'$mate','team_id':'$t1','text':'n','form':[],'at_ms':1700000000000}", NULL},
	{"notes", "n_dep", DEPARTMENT, "{'user_id':'$dep','team_id':'$t2','text':'n','form':[],'at_ms':1700000000000}", NULL},
	{"notes", "n_far", CENTRE, "{'user_id':'$far','team_id':'$t3','text':'n','form':[],'at_ms':1700000000000}", NULL},
	{"notes", "n_mine_by_far", OWN, "{'user_id':'$far','team_id':'$t3','customer_id':'$c_me','text':'n','form':[],'at_ms':1700000000000}", NULL},
	{"notes", "n_open_by_far", OPEN, "{'user_id':'$far','team_id':'$t3','customer_id':'$c_open','text':'n','form':[],'at_ms':1700000000000}", NULL},
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
	{"notices", "nt_team", TEAM, "{'title':'n','reach':'team','team_id':'$t1'}", "{'title':'changed'}"},
	{"notices", "nt_dep", DEPARTMENT, "{'title':'n','reach':'team','team_id':'$t2'}", NULL},
	{"notices", "nt_dep2", DEPARTMENT, "{'title':'n','reach':'department','department_id':'$d2'}", NULL},
	{"notices", "nt_far", CENTRE, "{'title':'n','reach':'team','team_id':'$t3'}", NULL},
	{"notices", "nt_all", CENTRE, "{'title':'n','reach':'centre'}", NULL},
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
	{"trunks", "trunk2", CENTRE, "{'name':'trunk two','host':'192.0.2.2'}", NULL},
	{"numbers", "number", CENTRE, "{'number':'4001','dest':'queue','queue_id':'$queue'}", "{'note':'changed'}"},
	{"devices", "device", CENTRE, "{'name':'device1','user_id':'$me','secret':'only-for-tests-7'}", "{'note':'changed'}"},
	{"number_forms", "form", CENTRE, "{'trunk_id':'$trunk'}", "{'hide':true}"},
	{"number_rules", "nrule", CENTRE, "{'trunk_id':'$trunk','put':'0'}", "{'note':'changed'}"},
	{"dial_rights", "dial", CENTRE, "{'name':'dial one','scope':'user','user_id':'$me'}", "{'premium':true}"},
	{"number_prefixes", "prefix", CENTRE, "{'prefix':'1380013','province':'p','city':'c'}", "{'city':'changed'}"},
	{"breaks", "break", CENTRE, "{'code':'walk','zh':'walk','en':'walk'}", "{'sort':7}"},
	{"tokens", "token", CENTRE, "{'name':'token one','role':'agent'}", "{'active':false}"},
	{"call_sounds", "sound", CENTRE, "{'name':'sound one','class':'off'}", "{'note':'changed'}"},
	{"allowed_networks", "network", CENTRE, "{'network':'192.0.2.0/24'}", "{'note':'changed'}"},
	{"faults", "fault", CENTRE, "{'state':'open','user_id':'$me','text':'t','happened_ms':1700000000000}", "{'remark':'changed'}"},
	{"imports", "import", CENTRE, "{'file':'f','what':'customers','by_name':'b'}", "{'bad':7}"},
	{"exports", "export", CENTRE, "{'resource':'customers','count':1}", "{'count':7}"},
	{"pool_settings", "pool", CENTRE, NULL, "{'warn_days':4}"},
	{"privacy_settings", "privacy", CENTRE, NULL, "{'reveal_day_max':4}"},
	{"views", "v_me", OWN, "{'resource':'customers','name':'mine','user_id':'$me','shared':false}", "{'ordinal':7}"},
	{"views", "v_far", CENTRE, "{'resource':'customers','name':'far','user_id':'$far','shared':false}", NULL},
	{"list_prefs", "w_me", OWN, "{'user_id':'$me','resource':'customers'}", "{'columns':['name']}"},
	{"list_prefs", "w_far", CENTRE, "{'user_id':'$far','resource':'customers'}", NULL},
};

struct seed seeds[SEEDS_MAX];
size_t seed_n;

static size_t find_seed(const char *resource)
{
	size_t i = 0;

	while (i < seed_n && strcmp(seeds[i].d, resource) != 0)
		i++;
	return i;
}

bool has_seed(const char *resource)
{
	return find_seed(resource) < seed_n;
}

size_t first_seed(const char *resource)
{
	assert_true(has_seed(resource));
	return find_seed(resource);
}

const char *patch_of(size_t i)
{
	return seeds[first_seed(seeds[i].d)].patch;
}

json_t *idj(int64_t id)
{
	char t[24];

	(void)snprintf(t, sizeof(t), "%lld", (long long)id);
	return json_string(t);
}

int64_t row_named(const int64_t *ids, const char *as)
{
	for (size_t i = 0; i < seed_n; i++)
		if (!strcmp(seeds[i].as, as))
			return ids[i];
	fail_msg("no row %s", as);
	return 0;
}

static void put_ids(const int64_t *ids, json_t *in);

static json_t *with_id(const int64_t *ids, json_t *v)
{
	if (json_is_string(v) && json_string_value(v)[0] == '$')
		return idj(row_named(ids, json_string_value(v) + 1));
	put_ids(ids, v);
	return json_incref(v);
}

static void put_ids(const int64_t *ids, json_t *in)
{
	const char *key;
	json_t *v;
	void *tmp;
	size_t i;

	json_object_foreach_safe(in, tmp, key, v)
		(void)json_object_set_new(in, key, with_id(ids, v));
	json_array_foreach(in, i, v)
		(void)json_array_set_new(in, i, with_id(ids, v));
}

json_t *body_of(const int64_t *ids, const char *text)
{
	char *copy = xstrdup(text);
	json_t *o;

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	o = json_loads(copy, 0, NULL);
	if (!o)
		fail_msg("no JSON: %s", text);
	free(copy);
	put_ids(ids, o);
	return o;
}

json_t *pack1(const char *key, json_t *v)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, key, v);
	return o;
}

void show(const struct res_field *f, json_t *body)
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

void walk_seeds(void)
{
	if (seed_n)
		return;
	memcpy(seeds, given, sizeof(given));
	seed_n = ARRAY_LEN(given);
	for (size_t i = 0; res_all[i]; i++)
		derive(res_all[i], 0);
}

/* ---- rows ---- */

static bool program_sets(const struct res_def *d, const char *column)
{
	const struct res_field *f = field_of(d, column);

	return f && (f->flags & RES_READONLY);
}

bool by_hand(const struct res_def *d)
{
	return d->closed || d->personal || program_sets(d, d->owner ? d->owner : d->team ? d->team : d->parent) ||
	       !strcmp(d->name, "faults") ||    /* they come from desks */
	       !strcmp(d->name, "call_sounds"); /* with a sound */
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
	else if (f->type == RES_REF || f->type == RES_ID)
		db_bind_i64(st, at, strtoll(json_string_value(v), NULL, 10));
	else if (json_is_string(v) && f->type != RES_JSON)
		db_bind_text(st, at, json_string_value(v));
	else {
		text = json_dumps(v, JSON_ENCODE_ANY);
		db_bind_text(st, at, text);
		free(text);
	}
}

/* The default, as the engine would put it; what the program sets has something in it. */
static json_t *plain_of(const struct res_field *f)
{
	bool number = f->type == RES_INT || f->type == RES_BOOL;

	if (f->fallback && !number)
		return f->type == RES_JSON ? json_loads(f->fallback, JSON_DECODE_ANY, NULL) : json_string(f->fallback);
	if (number)
		return json_integer(f->fallback ? !strcmp(f->fallback, "true") || atoi(f->fallback) : 0);
	if (!(f->flags & RES_READONLY))
		return json_null();
	return f->type == RES_TIME ? json_integer(1700000000000) : f->type == RES_TEXT ? json_string(f->flags & RES_DAY ? "2023-11-14" : "p")
	       : f->type == RES_ENUM ? json_string(f->options[0].value) : json_null();
}

static int64_t put(struct db *db, const struct res_def *d, int64_t centre, json_t *body)
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
	assert_int_equal(db_prepare(&st, db, b.buf), 0);
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, centre);
	for (size_t i = 0; i < d->field_n; i++) {
		json_t *v = json_incref(json_object_get(body, d->fields[i].name));

		v = v ? v : plain_of(&d->fields[i]);
		bind(st, (int)i + 3, &d->fields[i], v);
		json_decref(v);
	}
	if (db_step(st))
		fail_msg("%s: %s", d->name, db_error(db));
	db_done(st);
	strb_done(&b);
	json_decref(body);
	return id;
}

static int64_t make(struct db *db, const struct res_def *d, int64_t centre, json_t *body)
{
	struct system_ctx s;
	int64_t id = 0;

	system_init(&s, db, centre);
	s.c.prepared = !strcmp(d->name, "users") ? json_object() : NULL; /* no slow hash of nothing */
	if (system_write(&id, &s, d, 0, body))
		fail_msg("a row of %s: %s %s", d->name, s.error.code, s.error.fields ? json_dumps(s.error.fields, 0) : "");
	system_done(&s);
	return id;
}

void walk_fill(struct db *db, int64_t centre, int64_t *ids)
{
	for (size_t i = 0; i < seed_n; i++) {
		const struct res_def *d = res_find(seeds[i].d);
		char *sql = xasprintf("SELECT MIN(id) FROM %s WHERE centre_id = $1", d->table);

		if (!seeds[i].body)
			assert_int_equal(db_get_i64(&ids[i], db, sql, "i", centre), 0);
		else
			ids[i] = (by_hand(d) ? put : make)(db, d, centre, body_of(ids, seeds[i].body));
		assert_true(ids[i]);
		free(sql);
	}
}

int64_t walk_other(struct db *db)
{
	int64_t id = res_next_id();

	assert_int_equal(db_run(db, "INSERT INTO centre (id, name, zone, created_ms) VALUES ($1, 'Other', 'UTC', 1)", "i", id), 0);
	assert_int_equal(people_roles_seed(db, id), 0);
	assert_int_equal(customer_seed_lists(db, id), 0);
	assert_int_equal(people_privacy_seed(db, id), 0);
	assert_int_equal(sales_seed(db, id), 0);
	assert_int_equal(campaign_seed(db, id), 0);
	return id;
}

void walk_tables(struct db *db)
{
	const struct res_def *d = res_find("badges"); /* tests/browser/declared_resource.c */
	struct strb b;

	strb_init(&b, 16384);
	strb_printf(&b, "CREATE TABLE %s (id BIGINT PRIMARY KEY, centre_id BIGINT NOT NULL, rev BIGINT NOT NULL, created_ms BIGINT NOT NULL,"
			" updated_ms BIGINT NOT NULL", d->table);
	for (size_t i = 0; i < d->field_n; i++) {
		enum res_type t = d->fields[i].type;
		bool number = t == RES_INT || t == RES_BOOL || t == RES_TIME || t == RES_REF || t == RES_ID;

		strb_printf(&b, ", %s %s", res_column(&d->fields[i]), number ? "BIGINT" : "TEXT");
	}
	strb_puts(&b, ")");
	assert_int_equal(db_run(db, b.buf, ""), 0);
	strb_done(&b);
}

/* ---- who asks ---- */

static struct walk world; /* one for all tests: nothing that they try is kept */

static void make_world(struct walk *w)
{
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	walk_seeds();
	(void)snprintf(w->file, sizeof(w->file), "/tmp/walk_key.%d", getpid());
	assert_int_equal(people_secrets_open(w->file), 0);
	(void)unlink(w->file);
	(void)snprintf(w->file, sizeof(w->file), "/tmp/walk_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(w->file));
	test_db_new(w->path, sizeof(w->path), w->file);
	assert_int_equal(db_open(&w->db, w->path, DB_RW), 0);
	assert_int_equal(db_migrate(w->db), 0);
	assert_int_equal(db_begin(w->db), 0);
	walk_tables(w->db);
	assert_int_equal(people_centre(&w->centre, w->db, "Test", "Asia/Shanghai"), 0);
	w->other = walk_other(w->db);
	walk_fill(w->db, w->centre, w->id);
	walk_fill(w->db, w->other, w->foreign);
	assert_int_equal(db_commit(w->db), 0);
	w->who.centre_id = w->centre;
	w->who.user_id = row_named(w->id, "me");
}

void walk_init(struct walk *w)
{
	if (!world.db)
		make_world(&world);
	*w = world;
	w->who.lang = "en";
	w->who.rights = &people_rights_shipped("admin")->res;
	w->c = (struct res_ctx){.db = w->db, .who = &w->who, .error = &w->error, .now_ms = 1700000060000, .dry = true};
}

void forget(struct walk *w)
{
	res_error_done(&w->error);
	res_ctx_done(&w->c);
}

void walk_done(struct walk *w)
{
	forget(w);
}

__attribute__((destructor)) static void drop_world(void)
{
	if (!world.db)
		return;
	db_close(world.db);
	test_db_gone(world.path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", world.file, *s);

		(void)unlink(p);
		free(p);
	}
}

int tried(json_t **ret, struct walk *w, const struct res_def *d, int64_t id, json_t *body, enum act act)
{
	json_t *row = NULL;
	int r;

	forget(w);
	if (act != READ)
		assert_int_equal(db_begin(w->db), 0);
	r = act == READ ? res_get(&row, &w->c, d, id) : act == REMOVE ? res_delete(&w->c, d, id, RES_REV_ANY)
	    : act == UPDATE ? res_update(&row, &w->c, d, id, body, RES_REV_ANY) : res_create(&row, &w->c, d, body);
	if (r < 0)
		fail_msg("%s failed with %d at %s", d->name, r, shown(body));
	if (act != READ)
		db_rollback(w->db);
	json_decref(body);
	if (ret)
		*ret = row;
	else
		json_decref(row);
	return r ? w->error.status : 0;
}

const char *said(const struct walk *w, const char *field)
{
	const char *s = json_string_value(json_object_get(w->error.fields, field));

	return s ? s : "";
}

const struct res_rights *rights_of(json_t *rights, json_t *grants)
{
	static const struct people_rights **held; /* askers keep pointing to them */
	static size_t n;
	const char *bad = NULL;

	held = xrealloc(held, (n + 1) * sizeof(*held));
	held[n] = people_rights_make(rights, grants, &bad);
	if (!held[n])
		fail_msg("%s", bad);
	json_decref(rights);
	json_decref(grants);
	return &held[n++]->res;
}

/* ---- each resource ---- */

/* One of each type, and one that is required, so that effective declarations are walked. */
static void custom_fields(struct walk *w)
{
	const struct res_def *d = res_find("custom_fields");
	const struct res_option *o = d->fields[res_field_find(d, "type")].options;
	static bool made;

	if (made)
		return;
	made = true;
	assert_int_equal(db_begin(w->db), 0);
	for (; o->value; o++) {
		json_t *row = NULL, *body = json_pack("{s:s, s:s, s:s, s:b}", "key", o->value, "zh", o->zh, "type", o->value, "required", !strcmp(o->value, "date"));

		if (!strncmp(o->value, "choice", 6))
			(void)json_object_set_new(body, "options", json_pack("[{s:s}, {s:s}]", "zh", "one", "zh", "two"));
		forget(w);
		if (res_create(&row, &w->c, d, body))
			fail_msg("no field of type %s: %s", o->value, w->error.code);
		json_decref(body);
		json_decref(row);
	}
	assert_int_equal(db_commit(w->db), 0);
	assert_int_equal(res_custom_load(w->db, w->centre), 0);
}

unsigned wrong_n;

void wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
	wrong_n++;
}

const char *shown(const json_t *v)
{
	static char lines[4][160];
	static unsigned at;
	char *text = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL, *line = lines[at++ % 4];

	(void)snprintf(line, sizeof(lines[0]), "%s", text ? text : "nothing");
	free(text);
	return line;
}

const char *why_not(const struct walk *w)
{
	static char line[400];

	(void)snprintf(line, sizeof(line), "%d %s %s", w->error.status, w->error.code ? w->error.code : "", shown(w->error.fields));
	return line;
}

void each_resource(void (*fn)(struct walk *w, const struct res_def *d))
{
	struct walk w;

	wrong_n = 0;
	walk_init(&w);
	custom_fields(&w);
	for (size_t i = 0; res_all[i]; i++)
		fn(&w, res_now(res_all[i], w.centre));
	walk_done(&w);
	assert_int_equal(wrong_n, 0);
}
