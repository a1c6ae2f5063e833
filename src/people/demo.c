/*
 * The demo centre and the bench's centre, made through the engine like anything else. Each row the demo makes is noted in demo_row,
 * in the order of making, so that one call takes them away in the reverse order.
 */
#include "people/declared.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"

struct seed {
	struct db *db;
	int64_t centre_id, seq;
	bool demo;  /* note the rows as the demo's */
};

/* Creates a row by the engine: a password box left out means no log-in by password. */
static int make(int64_t *ret, struct seed *s, const struct res_def *d, json_t *body)
{
	struct system_ctx sys;
	int64_t id = 0;
	int r;

	assert(body);
	system_init(&sys, s->db, s->centre_id);
	sys.c.prepared = json_object(); /* nothing is generated or hashed */
	r = system_write(&id, &sys, d, 0, body);
	system_done(&sys);
	if (!r && s->demo)
		r = db_run(s->db, "INSERT INTO demo_row (resource, row_id, centre_id, seq) VALUES ($1, $2, $3, $4)", "tiii",
			   d->name, id, s->centre_id, ++s->seq);
	if (!r && ret)
		*ret = id;
	return r;
}

static json_t *id_text(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	return json_string(text);
}

/* ---- demo ---- */

enum { TEAM_SALES, TEAM_SERVICE, TEAM_OUTBOUND, TEAM_COUNT };
enum { QUEUE_SALES, QUEUE_SERVICE, QUEUE_COMPLAINT, QUEUE_COUNT };

static const struct {
	const char *login, *name, *role;
	int team;
} people[] = {
	{"agent", "王芳", "agent", TEAM_SALES}, /* the visitor: 8001, with a browser */
	{"lead", "李建国", "supervisor", TEAM_SALES},
	{"admin", "赵敏", "admin", TEAM_SERVICE},
	{"zhangwei", "张伟", "agent", TEAM_SALES},
	{"liuyang", "刘洋", "agent", TEAM_SALES},
	{"chenjing", "陈静", "agent", TEAM_SALES},
	{"yanglei", "杨磊", "agent", TEAM_SALES},
	{"huangli", "黄丽", "agent", TEAM_SALES},
	{"zhoujie", "周杰文", "agent", TEAM_SERVICE},
	{"wuxia", "吴霞", "agent", TEAM_SERVICE},
	{"xugang", "徐刚", "agent", TEAM_SERVICE},
	{"sunyan", "孙燕", "agent", TEAM_SERVICE},
	{"mahui", "马慧", "agent", TEAM_SERVICE},
	{"zhulin", "朱琳", "agent", TEAM_SERVICE},
	{"hubin", "胡斌", "agent", TEAM_SERVICE},
	{"fengtao", "冯涛", "agent", TEAM_OUTBOUND}, /* these serve no queue */
	{"dengli", "邓丽", "agent", TEAM_OUTBOUND},
	{"caoyang", "曹阳", "agent", TEAM_OUTBOUND},
	{"pengfei", "彭飞", "agent", TEAM_OUTBOUND},
	{"xiaolan", "萧兰", "agent", TEAM_OUTBOUND},
};
static_assert(ARRAY_LEN(people) == DEMO_PHONES + 1, "the visitor's agent and the simulator's nineteen");

/* The house: who heads what, who leads, who reports to whom. Quality belongs to the manager, not to those whose calls it hears. */
enum { DEP_CENTRE, DEP_SALES, DEP_SERVICE, DEP_COUNT };
enum { STAFF_MANAGER, STAFF_SALES_LEAD, STAFF_SERVICE_LEAD, STAFF_QUALITY, STAFF_INSPECTOR, STAFF_TRAINER, STAFF_TELESALES, STAFF_CRM, STAFF_DIRECTOR, STAFF_COUNT };

static const struct {
	const char *login, *name, *role, *seat;
	int department, team, above; /* team, above: -1 for none */
} staff[STAFF_COUNT] = {
	{"manager", "何静", "manager", "A01", DEP_CENTRE, -1, -1},
	{"saleslead", "高明", "lead", "B01", DEP_SALES, TEAM_SALES, STAFF_MANAGER},
	{"servicelead", "宋佳", "lead", "C01", DEP_SERVICE, TEAM_SERVICE, STAFF_MANAGER},
	{"quality", "林悦", "qa_service", "A02", DEP_CENTRE, -1, STAFF_MANAGER},
	{"inspector", "唐宁", "qa", "A03", DEP_CENTRE, -1, STAFF_QUALITY},
	{"trainer", "郭涛", "trainer", "A04", DEP_CENTRE, -1, STAFF_MANAGER},
	{"telesales", "罗丹", "telesales", "B09", DEP_SALES, TEAM_SALES, STAFF_SALES_LEAD},
	{"crm", "许晴", "crm", "A05", DEP_CENTRE, -1, STAFF_MANAGER},
	{"director", "方正", "director", "A06", DEP_CENTRE, -1, -1},
};

struct demo {
	struct seed seed;
	const struct people_demo *conf;
	int64_t teams[TEAM_COUNT], queues[QUEUE_COUNT], users[ARRAY_LEN(people)], trunk;
	int64_t departments[DEP_COUNT], staff[STAFF_COUNT];
};

static int change(struct demo *d, const struct res_def *def, int64_t id, json_t *patch)
{
	struct system_ctx sys;
	int r;

	system_init(&sys, d->seed.db, d->seed.centre_id);
	r = system_write(NULL, &sys, def, id, patch);
	system_done(&sys);
	return r;
}

static int make_departments(struct demo *d)
{
	static const char *const names[DEP_COUNT] = {"运营中心(示例)", "销售部(示例)", "客服部(示例)"};
	int r = 0;

	for (int i = 0; !r && i < DEP_COUNT; i++)
		r = make(&d->departments[i], &d->seed, &people_departments,
			 json_pack("{s:s, s:o, s:i}", "name", names[i], "parent_id", i ? id_text(d->departments[DEP_CENTRE]) : json_null(), "sort", (i + 1) * 10));
	return r;
}

static int make_staff(struct demo *d)
{
	char name[64], staff_no[8];
	int r = 0;

	for (int i = 0; !r && i < STAFF_COUNT; i++) {
		(void)snprintf(name, sizeof(name), "%s(示例)", staff[i].name);
		(void)snprintf(staff_no, sizeof(staff_no), "%d", 1101 + i);
		r = make(&d->staff[i], &d->seed, &people_users,
			 json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b}", "login", staff[i].login, "name", name, "role", staff[i].role, "seat",
				   staff[i].seat, "staff_no", staff_no, "department_id", id_text(d->departments[staff[i].department]), "team_id",
				   staff[i].team < 0 ? json_null() : id_text(d->teams[staff[i].team]), "reports_to_id",
				   staff[i].above < 0 ? json_null() : id_text(d->staff[staff[i].above]), "must_change_password", 0));
	}
	return r;
}

static int make_teams(struct demo *d)
{
	static const char *const names[TEAM_COUNT] = {"销售组(示例)", "客服组(示例)", "外呼组(示例)"};
	int r = 0;

	for (int i = 0; !r && i < TEAM_COUNT; i++)
		r = make(&d->teams[i], &d->seed, &people_teams, json_pack("{s:s, s:o}", "name", names[i], "department_id", id_text(d->departments[i == TEAM_SERVICE ? DEP_SERVICE : DEP_SALES])));
	return r;
}

/* 8001 has a browser and no telephone; the others' telephones are the simulator's, the agents' among them manned from the start. */
static int make_person(struct demo *d, size_t i)
{
	char extension[8], staff_no[8], name[64], uri[64];
	bool agent = !strcmp(people[i].role, "agent"), simulated = i > 0, manned = simulated && agent;
	int above = !agent ? STAFF_MANAGER : people[i].team == TEAM_SERVICE ? STAFF_SERVICE_LEAD : STAFF_SALES_LEAD, r;

	(void)snprintf(extension, sizeof(extension), "%zu", 8001 + i);
	(void)snprintf(staff_no, sizeof(staff_no), "%zu", 1001 + i);
	(void)snprintf(name, sizeof(name), "%s(示例)", people[i].name);
	r = make(&d->users[i], &d->seed, &people_users,
		 json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:b, s:b}", "login", people[i].login, "name", name, "role",
			   people[i].role, "team_id", id_text(d->teams[people[i].team]), "reports_to_id", id_text(d->staff[above]), "extension", extension, "staff_no",
			   staff_no, "deskless", manned, "must_change_password", 0));
	if (r || !simulated)
		return r;
	(void)snprintf(uri, sizeof(uri), "sip:%s@%s:%u", extension, d->conf->phone_host, d->conf->phone_port);
	return make(NULL, &d->seed, &people_devices,
		    json_pack("{s:s, s:o, s:s, s:s, s:s}", "name", extension, "user_id", id_text(d->users[i]), "kind",
			      "static", "static_uri", uri, "note", "模拟话机(示例)"));
}

static int make_people(struct demo *d)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(people); i++)
		r = make_person(d, i);
	return r;
}

static int draw_lines(struct demo *d)
{
	static const int heads[DEP_COUNT] = {STAFF_MANAGER, STAFF_SALES_LEAD, STAFF_SERVICE_LEAD};
	int r = 0;

	for (int i = 0; !r && i < DEP_COUNT; i++)
		r = change(d, &people_departments, d->departments[i], json_pack("{s:o}", "head_id", id_text(d->staff[heads[i]])));
	for (int i = 0; !r && i < TEAM_COUNT; i++)
		r = change(d, &people_teams, d->teams[i], json_pack("{s:o}", "lead_id", id_text(d->staff[i == TEAM_SERVICE ? STAFF_SERVICE_LEAD : STAFF_SALES_LEAD])));
	return r;
}

/* What refers to each other lets go before it is removed. */
static int erase_lines(struct db *db, int64_t centre_id)
{
	static const char *const sql[] = {
		"UPDATE departments SET head_id = NULL, parent_id = NULL WHERE centre_id = $1 AND id IN (SELECT row_id FROM demo_row WHERE resource = 'departments')",
		"UPDATE teams SET lead_id = NULL, department_id = NULL WHERE centre_id = $1 AND id IN (SELECT row_id FROM demo_row WHERE resource = 'teams')",
		"UPDATE users SET reports_to_id = NULL WHERE centre_id = $1 AND reports_to_id IN (SELECT row_id FROM demo_row WHERE resource = 'users')",
		"DELETE FROM leave_customers WHERE leave_id IN (SELECT l.id FROM leaves l WHERE l.centre_id = $1 AND l.user_id IN"
		" (SELECT row_id FROM demo_row WHERE resource = 'users'))",
		"DELETE FROM leaves WHERE centre_id = $1 AND user_id IN (SELECT row_id FROM demo_row WHERE resource = 'users')",
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(sql); i++)
		r = db_run(db, sql[i], "i", centre_id);
	return r;
}

static int make_queues(struct demo *d)
{
	static const struct {
		const char *name, *note;
		int priority, wrapup_s, owner_first_s, owner_busy_s;
	} queues[QUEUE_COUNT] = {
		{"销售热线(示例)", "咨询与订购。", 0, 15, 12, 20}, /* a sale is its owner's, also when he is busy for a moment */
		{"客户服务(示例)", "售后、查询与报修。", 0, 20, 12, 0},
		{"投诉专线(示例)", "优先接听。", 10, 30, 0, 0},
	};
	int r = 0;

	for (int i = 0; !r && i < QUEUE_COUNT; i++)
		r = make(&d->queues[i], &d->seed, &people_queues,
			 json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:s}", "name", queues[i].name, "note", queues[i].note, "priority",
				   queues[i].priority, "wrapup_s", queues[i].wrapup_s, "owner_first_s", queues[i].owner_first_s, "owner_busy_s",
				   queues[i].owner_busy_s, "greeting", "zh/greeting"));
	return r;
}

static int make_member(struct demo *d, int queue, size_t user, int level)
{
	return make(NULL, &d->seed, &people_members,
		    json_pack("{s:o, s:o, s:i}", "queue_id", id_text(d->queues[queue]), "user_id", id_text(d->users[user]),
			      "level", level));
}

/* Agents serve their team's queue first and help the other; complaints go to every third agent. Lead and administrator take no calls. */
static int make_members(struct demo *d)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(people); i++) {
		bool sales = people[i].team == TEAM_SALES;

		if (strcmp(people[i].role, "agent") != 0 || people[i].team == TEAM_OUTBOUND)
			continue;
		/* The visitor is asked first, so that his telephone rings soon however many others are idle. */
		r = make_member(d, QUEUE_SALES, i, !i ? 1 : sales ? 2 : 3);
		if (!r)
			r = make_member(d, QUEUE_SERVICE, i, sales ? 2 : 1);
		if (!r && i % 3 == 0)
			r = make_member(d, QUEUE_COMPLAINT, i, 1);
	}
	return r;
}

static int make_lines(struct demo *d)
{
	/* 0571-8888 01xx: numbers nobody has here; the simulator calls them. */
	static const char *const numbers[QUEUE_COUNT] = {"057188880101", "057188880102", "057188880103"};
	int r;

	r = make(&d->trunk, &d->seed, &people_trunks,
		 json_pack("{s:s, s:s, s:i, s:s, s:b}", "name", "模拟运营商(示例)", "host", d->conf->carrier_host, "port",
			   (int)d->conf->carrier_port, "caller_id", numbers[0], "outbound", 1));
	for (int i = 0; !r && i < QUEUE_COUNT; i++)
		r = make(NULL, &d->seed, &people_numbers,
			 json_pack("{s:s, s:o, s:s, s:o}", "number", numbers[i], "trunk_id", id_text(d->trunk), "dest", "queue",
				   "queue_id", id_text(d->queues[i])));
	return r;
}

/* What is asked for after a call of the service queue, and phrases for all. */
static int make_templates(struct demo *d)
{
	int r = make(NULL, &d->seed, &people_note_templates,
		     json_pack("{s:s, s:o, s:[{s:s, s:s, s:s, s:i}, {s:s, s:s, s:s, s:[s, s, s, s]}, {s:s, s:s, s:s}], s:[s, s, s]}", "name",
			       "客户服务小结(示例)", "queue_id", id_text(d->queues[QUEUE_SERVICE]), "fields", "key", "order", "label", "订单号", "type", "text", "max",
			       32, "key", "how", "label", "处理方式", "type", "choice", "options", "已解答", "退货", "换货", "转专人", "key", "ok", "label", "客户满意",
			       "type", "bool", "phrases", "已核对身份。", "已告知三个工作日内回复。", "客户要求尽快处理。"));

	if (!r)
		r = make(NULL, &d->seed, &people_note_templates,
			 json_pack("{s:s, s:[s, s, s]}", "name", "通用(示例)", "phrases", "已核对身份。", "客户稍后再联系。", "已发送资料。"));
	return r;
}

int people_demo_present(bool *ret, struct db *db, int64_t centre_id)
{
	int64_t n = 0;
	int r;

	r = db_get_i64(&n, db, "SELECT COUNT(*) FROM demo_row WHERE centre_id = $1", "i", centre_id);
	if (!r)
		*ret = n > 0;
	return r;
}

int people_demo_move(struct db *db, int64_t centre_id, const struct people_demo *conf)
{
	char *old = NULL, at[80];
	int r = db_run(db, "UPDATE trunks SET port = $2 WHERE port <> $2 AND id IN (SELECT row_id FROM demo_row WHERE centre_id = $1 AND resource = 'trunks')", "ii", centre_id,
		       (int64_t)conf->carrier_port);
	struct db_stmt *st;

	if (r)
		return r;
	r = db_prepare(&st, db, "SELECT d.static_uri FROM devices d JOIN demo_row x ON x.row_id = d.id AND x.resource = 'devices' WHERE x.centre_id = $1 AND d.static_uri LIKE 'sip:%@%'"
				" ORDER BY x.seq LIMIT 1");
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	r = db_step(st);
	if (r == DB_ROW)
		old = xstrdup(strchr(db_text(st, 0), '@'));
	db_done(st);
	(void)snprintf(at, sizeof(at), "@%s:%u", conf->phone_host, conf->phone_port);
	r = r < 0 ? r : 0;
	if (!r && old && strcmp(old, at) != 0)
		r = db_run(db, "UPDATE devices SET static_uri = REPLACE(static_uri, $2, $3) WHERE id IN (SELECT row_id FROM demo_row WHERE centre_id = $1 AND resource = 'devices')", "itt",
			   centre_id, old, at);
	free(old);
	return r;
}

int people_demo_seed(struct db *db, int64_t centre_id, const struct people_demo *conf)
{
	struct demo d = {.seed = {.db = db, .centre_id = centre_id, .demo = true}, .conf = conf};
	bool there = false;
	int r;

	r = people_demo_present(&there, db, centre_id);
	if (r || there)
		return r;
	r = make_departments(&d);
	if (!r)
		r = make_teams(&d);
	if (!r)
		r = make_staff(&d);
	if (!r)
		r = draw_lines(&d);
	if (!r)
		r = make_people(&d);
	if (!r)
		r = make_queues(&d);
	if (!r)
		r = make_members(&d);
	if (!r)
		r = make_lines(&d);
	if (!r)
		r = make_templates(&d);
	return r;
}

/* Removes one row; a refusal, because somebody else's row refers to it, only counts. */
static int clear_row(struct res_ctx *c, const char *resource, int64_t id, unsigned *left)
{
	struct res_who who = *c->who;
	struct res_error error = {0};
	struct res_ctx own = *c;
	int r;

	who.system = true;
	own.who = &who;
	own.error = &error;
	r = res_delete(&own, res_find(resource), id, RES_REV_ANY);
	if (r > 0 && error.status == 409) {
		(*left)++;
		r = 0;
	} else if (r > 0 && error.status == 404) {
		r = 0; /* somebody was here before */
	}
	res_error_done(&error);
	if (r)
		return r > 0 ? -EIO : r;
	return 0;
}

struct demo_row {
	const struct res_def *d;
	int64_t id;
};

static int read_demo_rows(struct demo_row **ret, size_t *n, struct db *db, int64_t centre_id)
{
	struct demo_row *rows = NULL;
	struct db_stmt *st;
	size_t cap = 0;
	int r;

	*n = 0;
	r = db_prepare(&st, db, "SELECT resource, row_id FROM demo_row WHERE centre_id = $1 ORDER BY seq DESC");
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	while ((r = db_step(st)) == DB_ROW) {
		if (*n == cap)
			rows = xrealloc(rows, (cap = cap ? 2 * cap : 128) * sizeof(*rows));
		rows[(*n)++] = (struct demo_row){res_find(db_text(st, 0)), db_i64(st, 1)};
	}
	db_done(st);
	*ret = rows;
	return r;
}

#define DEMO(resource) "(SELECT row_id FROM demo_row WHERE centre_id = $1 AND resource = '" resource "')"
#define CALLS                                                                                                          \
	"(SELECT id FROM call WHERE centre_id = $1 AND end_ms IS NOT NULL AND (trunk_id IN " DEMO("trunks")           \
	" OR queue_id IN " DEMO("queues") " OR agent_id IN " DEMO("users") "))"

/* Calls that still run stay; the sealed event log keeps all of them. */
static int clear_history(struct db *db, int64_t centre_id)
{
	static const char *const sql[] = {
		"DELETE FROM notes WHERE call_id IN " CALLS " OR customer_id IN " DEMO("customers"),
		"DELETE FROM deals WHERE customer_id IN " DEMO("customers"),
		"DELETE FROM visits WHERE customer_id IN " DEMO("customers"),
		"DELETE FROM callbacks WHERE customer_id IN " DEMO("customers") " OR user_id IN " DEMO("users"),
		"DELETE FROM goals WHERE user_id IN " DEMO("users") " OR team_id IN " DEMO("teams"),
		"DELETE FROM absences WHERE user_id IN " DEMO("users"),
		"DELETE FROM customer_merges WHERE customer_id IN " DEMO("customers") " OR other_id IN " DEMO("customers"),
		"UPDATE customers SET merged_id = NULL WHERE merged_id IS NOT NULL AND id IN " DEMO("customers"),
		"DELETE FROM note_drafts WHERE user_id IN " DEMO("users"),
		"DELETE FROM ring_backs WHERE campaign_id IN " DEMO("campaigns") " OR customer_id IN " DEMO("customers"),
		"DELETE FROM click_dials WHERE user_id IN " DEMO("users") " OR customer_id IN " DEMO("customers"),
		"DELETE FROM do_not_call WHERE user_id IN " DEMO("users") " OR customer_id IN " DEMO("customers") " OR campaign_id IN " DEMO("campaigns"),
		"DELETE FROM attempt WHERE campaign_id IN " DEMO("campaigns") " OR customer_id IN " DEMO("customers"),
		"DELETE FROM guarded_dials WHERE campaign_id IN " DEMO("campaigns"),
		"DELETE FROM dial_claims WHERE campaign_id IN " DEMO("campaigns"),
		"DELETE FROM campaign_tally WHERE campaign_id IN " DEMO("campaigns"),
		"DELETE FROM campaign_pace WHERE campaign_id IN " DEMO("campaigns"),
		"DELETE FROM campaign_away WHERE campaign_id IN " DEMO("campaigns") " OR user_id IN " DEMO("users"),
		"DELETE FROM shown_tally WHERE show_id IN " DEMO("shown_numbers"),
		"DELETE FROM call_move WHERE call_id IN " CALLS,
		"DELETE FROM leg_heard WHERE call_id IN " CALLS " OR trunk_id IN " DEMO("trunks"),
		"DELETE FROM call_sound_data WHERE sound_id IN (SELECT id FROM call_sounds WHERE centre_id = $1 AND user_id IN " DEMO("users") ")",
		"DELETE FROM call_sounds WHERE centre_id = $1 AND user_id IN " DEMO("users"),
		"DELETE FROM recording_part WHERE call_id IN " CALLS,
		"DELETE FROM offer WHERE call_id IN " CALLS,
		"DELETE FROM segment WHERE call_id IN " CALLS,
		"DELETE FROM leg WHERE call_id IN " CALLS,
		"DELETE FROM call_pii WHERE call_id IN " CALLS,
		"DELETE FROM call WHERE id IN " CALLS,
		"DELETE FROM activity WHERE end_ms IS NOT NULL AND agent_id IN " DEMO("users"),
		"DELETE FROM rollup_agent_day WHERE agent_id IN " DEMO("users"),
		"DELETE FROM rollup_agent_slot WHERE agent_id IN " DEMO("users"),
		"DELETE FROM rollup_queue_slot WHERE queue_id IN " DEMO("queues"),
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(sql); i++)
		r = db_run(db, sql[i], "i", centre_id);
	return r;
}

/* Who clears the demo stays, if he is one of its people: as an administrator with nothing of the demo about him. */
static int keep_who_asks(struct res_ctx *c)
{
	struct system_ctx sys;
	int64_t mine = 0;
	int r = db_get_i64(&mine, c->db, "SELECT row_id FROM demo_row WHERE centre_id = $1 AND resource = 'users' AND row_id = $2",
			   "ii", c->who->centre_id, c->who->user_id);

	if (r)
		return r == -ENOENT ? 0 : r;
	system_init(&sys, c->db, c->who->centre_id);
	r = system_write(NULL, &sys, &people_users, mine,
			 json_pack("{s:s, s:n, s:n, s:n}", "name", "管理员", "team_id", "extension", "staff_no"));
	system_done(&sys);
	return r;
}

int people_demo_clear(struct res_ctx *c, unsigned *left)
{
	struct demo_row *rows = NULL;
	size_t n;
	int r;

	*left = 0;
	r = clear_history(c->db, c->who->centre_id);
	if (!r)
		r = erase_lines(c->db, c->who->centre_id);
	if (!r)
		r = keep_who_asks(c);
	if (r)
		return r;
	r = read_demo_rows(&rows, &n, c->db, c->who->centre_id);
	for (size_t i = 0; !r && i < n; i++)
		if (rows[i].d)
			r = clear_row(c, rows[i].d->name, rows[i].id, left);
	free(rows);
	if (!r)
		r = db_run(c->db, "DELETE FROM demo_row WHERE centre_id = $1", "i", c->who->centre_id);
	return r;
}

/* ---- bench ---- */

#define BENCH_CALLER "127.0.0.3"
#define BENCH_AGENTS "127.0.0.2"
#define BENCH_PORT 28090

static int bench_number(struct seed *s, const char *number, bool record)
{
	char uri[64];

	(void)snprintf(uri, sizeof(uri), "sip:%s@" BENCH_AGENTS ":%d", number, BENCH_PORT);
	return make(NULL, s, &people_numbers,
		    json_pack("{s:s, s:s, s:s, s:b}", "number", number, "dest", "uri", "uri", uri, "record", record));
}

static int bench_agent(struct seed *s, unsigned i, int64_t queue)
{
	char name[16], uri[64];
	int64_t id = 0;
	int r;

	(void)snprintf(name, sizeof(name), "a%u", i);
	(void)snprintf(uri, sizeof(uri), "sip:%s@" BENCH_AGENTS ":%d", name, BENCH_PORT);
	r = make(&id, s, &people_users, json_pack("{s:s, s:s, s:b}", "login", name, "name", name, "deskless", 1));
	if (!r)
		r = make(NULL, s, &people_devices,
			 json_pack("{s:s, s:o, s:s, s:s}", "name", name, "user_id", id_text(id), "kind", "static",
				   "static_uri", uri));
	if (!r)
		r = make(NULL, s, &people_members,
			 json_pack("{s:o, s:o}", "queue_id", id_text(queue), "user_id", id_text(id)));
	return r;
}

int people_bench_seed(struct db *db, int64_t centre_id, unsigned agents)
{
	struct seed s = {.db = db, .centre_id = centre_id};
	int64_t queue = 0;
	int r;

	r = make(NULL, &s, &people_trunks, json_pack("{s:s, s:s, s:i}", "name", "bench", "host", BENCH_CALLER, "port", 28080));
	if (!r)
		r = make(&queue, &s, &people_queues,
			 json_pack("{s:s, s:i, s:i, s:b, s:b}", "name", "bench", "wrapup_s", 0, "ring_s", 30, "record", 0,
				   "announce_position", 0));
	if (!r)
		r = make(NULL, &s, &people_numbers,
			 json_pack("{s:s, s:s, s:o}", "number", "q", "dest", "queue", "queue_id", id_text(queue)));
	if (!r)
		r = bench_number(&s, "1000", false);
	if (!r)
		r = bench_number(&s, "2000", true);
	for (unsigned i = 1; !r && i <= agents; i++)
		r = bench_agent(&s, i, queue);
	return r;
}
