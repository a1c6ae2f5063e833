/*
 * The demo's projects, with three days behind them: an invitation that is dialled ahead by three of the simulated agents, and a round of calls to
 * old customers that are shown first, for two of them. The visitor works for both and takes part when he says so. Names and numbers are
 * made up and marked; each row is noted in demo_row, and what hangs on them by their ids goes with them (people/demo.c).
 */
#include "campaign/campaign.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "campaign/recycle.h"
#include "campaign/retry.h"
#include "campaign/rules.h"
#include "db/db.h"
#include "journal/zone.h"
#include "people/customer.h"
#include "people/declared.h"
#include "people/demo_rows.h"

#define NEW_CUSTOMERS 400 /* 13800131000 and on: nobody calls from these */
#define OLD_CUSTOMERS 120
#define DAYS 3
#define DAY_MS 86400000ll
#define HOUR_MS 3600000ll
#define AGENTS_MAX 16
#define RESULTS_MAX 4

static const char *const shown[] = {"057188880104", "057188880105"}; /* app/demo.c tells the simulated city */

struct make {
	struct demo demo;
	int64_t agents[AGENTS_MAX], visitor, queue, trunk, show[ARRAY_LEN(shown)], results[RESULTS_MAX];
	size_t agent_n;
};

struct project {
	int64_t id;
	const char *mode;
	const int64_t *agents; /* of those who dial for it */
	size_t agent_n;
	double dialled;        /* share of the list that has been dialled at all */
};

static int ids(int64_t *list, size_t *n, size_t max, struct make *m, const char *sql)
{
	struct db_stmt *st;
	int r = db_prepare(&st, m->demo.db, sql);

	*n = 0;
	if (r)
		return r;
	db_bind_i64(st, 1, m->demo.centre_id);
	while (*n < max && (r = db_step(st)) == DB_ROW)
		list[(*n)++] = db_i64(st, 0);
	db_done(st);
	return r < 0 ? r : 0;
}

#define DEMO(table, resource) " FROM " table " x JOIN demo_row d ON d.row_id = x.id AND d.resource = '" resource "' WHERE d.centre_id = $1"

static int read_all(struct make *m)
{
	static const char *const codes[RESULTS_MAX] = {"interested", "refused", "call_later", "do_not_call"};
	size_t n;
	int r = ids(m->agents, &m->agent_n, AGENTS_MAX, m,
		    "SELECT x.id" DEMO("users", "users") " AND x.role = 'agent' AND NOT EXISTS (SELECT 1 FROM members k WHERE k.user_id = x.id) ORDER BY d.seq");

	if (!r)
		r = ids(&m->visitor, &n, 1, m, "SELECT x.id" DEMO("users", "users") " AND x.login = 'agent'");
	if (!r)
		r = ids(&m->queue, &n, 1, m, "SELECT x.id" DEMO("queues", "queues") " ORDER BY d.seq");
	if (!r)
		r = ids(&m->trunk, &n, 1, m, "SELECT x.id" DEMO("trunks", "trunks") " ORDER BY d.seq");
	for (size_t i = 0; !r && i < RESULTS_MAX; i++) {
		r = db_get_i64(&m->results[i], m->demo.db, "SELECT id FROM contact_results WHERE centre_id = $1 AND code = $2", "it", m->demo.centre_id, codes[i]);
		r = r == -ENOENT ? 0 : r; /* somebody has taken it from the list */
	}
	return r;
}

/* ---- numbers, hours ---- */

static int make_lines(struct make *m)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(shown); i++) {
		r = demo_put(&m->show[i], &m->demo, &campaign_shown_numbers, m->demo.now_ms,
			json_pack("{s:s, s:s, s:o, s:s, s:i}", "number", shown[i], "note", "外呼显示(示例)", "trunk_id", demo_id(m->trunk), "city", i ? "上海" : "杭州", "day_max", 800));
		if (!r) /* who rings it back reaches the sales queue, and who dialled him first */
			r = demo_put(NULL, &m->demo, &people_numbers, m->demo.now_ms,
				json_pack("{s:s, s:o, s:s, s:o}", "number", shown[i], "trunk_id", demo_id(m->trunk), "dest", "queue", "queue_id", demo_id(m->queue)));
	}
	/* A visitor may come at any hour of his day. */
	return r ? r : demo_put(NULL, &m->demo, &campaign_windows, m->demo.now_ms, json_pack("{s:s, s:s}", "name", "全天(示例)", "hours", "00:00-24:00"));
}

/* ---- whom they call ---- */

static int make_customer(struct make *m, int i, int64_t *id)
{
	static const char *const families[] = {"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "朱", "高", "林", "何", "郭", "马", "罗", "梁"};
	static const char *const given[] = {"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞", "平", "刚"};
	static const char *const cities[] = {"杭州", "宁波", "上海", "南京", "苏州"};
	char name[64], number[24];

	(void)snprintf(name, sizeof(name), "%s%s(示例)", families[rng_below(&m->demo.rng, ARRAY_LEN(families))], given[rng_below(&m->demo.rng, ARRAY_LEN(given))]);
	(void)snprintf(number, sizeof(number), "1380013%04d", 1000 + i);
	return demo_put(id, &m->demo, &people_customers, m->demo.now_ms,
		   json_pack("{s:s, s:[{s:s}], s:s}", "name", name, "phones", "number", number, "city", cities[rng_below(&m->demo.rng, ARRAY_LEN(cities))]));
}

static int add(struct make *m, const struct project *p, int64_t customer_id)
{
	int64_t added = 0, there = 0;

	return campaign_add(&added, &there, m->demo.db, m->demo.centre_id, p->id, &customer_id, 1, (int64_t)(4 + rng_below(&m->demo.rng, 3)), m->demo.now_ms);
}

static int make_list(struct make *m, const struct project *p)
{
	int64_t old[OLD_CUSTOMERS], id = 0;
	size_t n = 0;
	int r = 0;

	if (strcmp(p->mode, "preview") != 0) {
		for (int i = 0; !r && i < NEW_CUSTOMERS; i++) {
			r = make_customer(m, i, &id);
			if (!r)
				r = add(m, p, id);
		}
		return r;
	}
	r = ids(old, &n, OLD_CUSTOMERS, m, "SELECT x.id" DEMO("customers", "customers") " AND x.contact_n > 0 AND x.state = 'active' ORDER BY d.seq");
	for (size_t i = 0; !r && i < n; i++)
		r = add(m, p, old[i]);
	return r;
}

/* ---- what has been dialled ---- */

struct lead {
	int64_t id, customer_id;
	char number[64];
};

struct dial {
	int64_t at_ms, ring_ms, talk_ms;
	enum dial_result result;
	int nth;
	size_t show, agent;
};

/* In working hours of a day before this one. */
static int64_t hour_of(struct make *m, int days_ago)
{
	return m->demo.today_ms - days_ago * DAY_MS + 9 * HOUR_MS + (int64_t)rng_below(&m->demo.rng, 10 * HOUR_MS);
}

static enum dial_result draw_result(struct make *m)
{
	static const struct {
		unsigned of_100;
		enum dial_result result;
	} rows[] = {{36, DIAL_ANSWERED}, {32, DIAL_NOANSWER}, {7, DIAL_BUSY}, {8, DIAL_REJECTED}, {5, DIAL_OFF}, {3, DIAL_SUSPENDED}, {4, DIAL_EMPTY}, {4, DIAL_ASSISTANT}, {1, DIAL_UNREACHABLE}};
	unsigned at = (unsigned)rng_below(&m->demo.rng, 100);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (at < rows[i].of_100)
			return rows[i].result;
		at -= rows[i].of_100;
	}
	return DIAL_NOANSWER;
}

static int write_dial(struct make *m, const struct project *p, const struct lead *l, const struct dial *d)
{
	bool up = d->result == DIAL_ANSWERED || d->result == DIAL_ABANDONED, talks = d->result == DIAL_ANSWERED;
	int64_t claim = res_next_id(), rings = d->at_ms + 2500, answer = rings + d->ring_ms, end = answer + (talks ? d->talk_ms : 0);
	const char *name = dial_result_name(d->result);
	int r = db_run(m->demo.db,
		       "INSERT INTO dial_claims (id, centre_id, rev, created_ms, updated_ms, campaign_id, lead_id, customer_id, number, show_id, show, nth, state, until_ms, ended_ms,"
		       " result, checked) VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8, $9, $10, 'ended', $3, $11, $12, '{}')",
		       "iiiiiititiit", claim, m->demo.centre_id, d->at_ms, p->id, l->id, l->customer_id, l->number, m->show[d->show], shown[d->show], (int64_t)d->nth, end, name);

	if (!r)
		r = db_run(m->demo.db,
			   "INSERT INTO attempt (claim_id, centre_id, campaign_id, lead_id, customer_id, agent_id, mode, nth, begin_ms, ring_ms, answer_ms, connect_ms, end_ms, result, code,"
			   " abandoned, applied) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1)",
			   "iiiiirtiiirritii", claim, m->demo.centre_id, p->id, l->id, l->customer_id, talks ? p->agents[d->agent] : 0, p->mode, (int64_t)d->nth, d->at_ms, rings,
			   up ? answer : 0, talks ? answer : 0, end, name, up ? (int64_t)200 : (int64_t)480, (int64_t)(d->result == DIAL_ABANDONED));
	if (!r)
		r = db_run(m->demo.db,
			   "INSERT INTO campaign_tally (campaign_id, day, nth, result, n, ring_ms, talk_ms) VALUES ($1, $2, $3, $4, 1, $5, $6)"
			   " ON CONFLICT (campaign_id, day, nth, result) DO UPDATE SET n = campaign_tally.n + 1, ring_ms = campaign_tally.ring_ms + $5,"
			   " talk_ms = campaign_tally.talk_ms + $6",
			   "iiitii", p->id, zone_day(m->demo.zone, d->at_ms), (int64_t)d->nth, name, d->ring_ms, talks ? d->talk_ms : 0);
	return r ? r
		 : db_run(m->demo.db,
			  "INSERT INTO shown_tally (show_id, hour_ms, n, answered) VALUES ($1, $2, 1, $3)"
			  " ON CONFLICT (show_id, hour_ms) DO UPDATE SET n = shown_tally.n + 1, answered = shown_tally.answered + $3",
			  "iii", m->show[d->show], campaign_hour(d->at_ms), (int64_t)up);
}

/* Three days of one lead: dialled until somebody answers or it is closed, once a day at most. */
static int dial_lead(struct make *m, const struct project *p, const struct lead *l)
{
	struct dial d = {0};
	bool closes = false, done = false;
	int64_t result = 0;
	int r = 0;

	for (int ago = (int)(1 + rng_below(&m->demo.rng, DAYS)); !r && ago >= 1 && !done && !closes; ago -= (int)(1 + rng_below(&m->demo.rng, 2))) {
		d = (struct dial){.at_ms = hour_of(m, ago), .ring_ms = 3000 + (int64_t)rng_below(&m->demo.rng, 22000), .talk_ms = 15000 + (int64_t)rng_below(&m->demo.rng, 160000),
				  .result = draw_result(m), .nth = d.nth + 1, .show = rng_below(&m->demo.rng, ARRAY_LEN(shown)), .agent = rng_below(&m->demo.rng, p->agent_n)};
		if (d.result == DIAL_ANSWERED && !strcmp(p->mode, "predictive") && rng_below(&m->demo.rng, 100) < 2)
			d.result = DIAL_ABANDONED;
		done = d.result == DIAL_ANSWERED;
		closes = d.result == DIAL_EMPTY || d.result == DIAL_SUSPENDED;
		r = write_dial(m, p, l, &d);
	}
	if (done)
		result = m->results[rng_below(&m->demo.rng, RESULTS_MAX - 1)];
	return r || !d.nth ? r
			   : db_run(m->demo.db,
				    "UPDATE campaign_leads SET attempts = $1, last_ms = $2, last_result = $3, result_id = $4, state = $5, why = $6, rank = $7, next_ms = $8, updated_ms = $2"
				    " WHERE id = $9",
				    "iitrttiii", (int64_t)d.nth, d.at_ms, dial_result_name(d.result), result, done ? "done" : closes ? "closed" : "open", closes ? "result" : NULL,
				    (int64_t)LEAD_RETRY, done || closes ? (int64_t)0 : m->demo.now_ms + (int64_t)rng_below(&m->demo.rng, 90) * 60000, l->id);
}

/* In the order of the list: whoever stands first has been dialled. */
static int make_past(struct make *m, const struct project *p)
{
	static struct lead leads[NEW_CUSTOMERS + OLD_CUSTOMERS];
	struct db_stmt *st;
	size_t n = 0;
	int r = db_prepare(&st, m->demo.db, "SELECT l.id, l.customer_id, (SELECT p.number FROM customer_phones p WHERE p.customer_id = l.customer_id ORDER BY p.sort, p.id LIMIT 1)"
				       " FROM campaign_leads l WHERE l.campaign_id = $1 ORDER BY l.rank, l.id");

	if (r)
		return r;
	db_bind_i64(st, 1, p->id);
	while (n < ARRAY_LEN(leads) && (r = db_step(st)) == DB_ROW) {
		leads[n] = (struct lead){db_i64(st, 0), db_i64(st, 1)};
		(void)str_copy(leads[n++].number, sizeof(leads[0].number), db_text(st, 2) ? db_text(st, 2) : "");
	}
	db_done(st);
	r = r < 0 ? r : 0;
	for (size_t i = 0; !r && i < (size_t)(p->dialled * (double)n); i++)
		r = dial_lead(m, p, &leads[i]);
	return r;
}

/* ---- the projects ---- */

static json_t *results_of(const struct make *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < RESULTS_MAX; i++)
		if (m->results[i])
			(void)json_array_append_new(list, demo_id(m->results[i]));
	return list;
}

static int make_people(struct make *m, const struct project *p)
{
	int r = 0;

	for (size_t i = 0; !r && i <= p->agent_n; i++)
		r = demo_put(NULL, &m->demo, &campaign_agents, m->demo.now_ms, json_pack("{s:o, s:o}", "campaign_id", demo_id(p->id), "user_id", demo_id(i < p->agent_n ? p->agents[i] : m->visitor)));
	for (size_t i = 0; !r && i < ARRAY_LEN(shown); i++)
		r = demo_put(NULL, &m->demo, &campaign_numbers, m->demo.now_ms, json_pack("{s:o, s:o}", "campaign_id", demo_id(p->id), "shown_id", demo_id(m->show[i])));
	return r ? r /* nobody is dialled for a visitor who has not asked for it */
		 : db_run(m->demo.db, "INSERT INTO campaign_away (campaign_id, user_id, at_ms) VALUES ($1, $2, $3)", "iii", p->id, m->visitor, m->demo.now_ms);
}

static int make_project(struct make *m, struct project *p, json_t *body)
{
	int r;

	row_set(body, "results", results_of(m));
	row_set(body, "basis", json_string("consent"));
	row_set(body, "basis_text", json_string("2026 年会员协议第 5 条，勾选同意(示例)"));
	row_set(body, "hours", json_string("00:00-24:00"));
	row_set(body, "trunk_id", demo_id(m->trunk));
	r = demo_put(&p->id, &m->demo, &campaign_campaigns, m->demo.now_ms, body);
	if (!r)
		r = make_people(m, p);
	if (!r)
		r = make_list(m, p);
	if (!r)
		r = make_past(m, p);
	return r ? r : db_run(m->demo.db, "UPDATE campaigns SET state = 'running', started_ms = $2 WHERE id = $1", "ii", p->id, m->demo.today_ms - DAYS * DAY_MS + 9 * HOUR_MS);
}

static int make_all(struct make *m)
{
	struct project invite = {.mode = "predictive", .agents = m->agents, .agent_n = m->agent_n - 2, .dialled = 0.4},
		       again = {.mode = "preview", .agents = m->agents + m->agent_n - 2, .agent_n = 2, .dialled = 0.5};
	int r = make_lines(m);

	if (!r)
		r = make_project(m, &invite,
				 json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i}", "name", "理财邀约(示例)", "mode", invite.mode, "note", "邀请新客到营业厅，面谈稳健理财。", "script",
					   "# 开场\n您好，{姓名}，我是西湖财富(示例)的顾问，打扰您一分钟。\n# 说什么\n- {城市}的老客户这个月可以领一份资产体检\n- 稳健型产品，起点低，随时可以问\n"
					   "# 邀约\n- 这周六还是周日到营业厅方便？\n- 记下人数，发地址和联系人",
					   "wrapup_s", 25, "lines_max", 6, "talk_max_min", 10));
	return r ? r
		 : make_project(m, &again,
				json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i}", "name", "老客回访(示例)", "mode", again.mode, "note", "先看资料再拨：问使用情况，介绍续期。", "script",
					  "# 先看\n上次联系记录和没有解决的事。\n# 开场\n您好，{姓名}，我是您的客户经理，做个简短回访。\n# 问\n- 最近用得怎么样？\n- 有什么要我们改进的？\n# 续期\n- 到期前续期有礼",
					  "preview_s", 20, "wrapup_s", 25, "lines_max", 2, "priority", 10));
}

int campaign_demo(struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct make m = {0};
	bool there;
	int r = demo_begin(&m.demo, &there, db, centre_id, now_ms, "campaigns", 20261124);

	if (r || there)
		return r;
	r = read_all(&m);
	if (!r && m.agent_n >= 3 && m.visitor && m.queue && m.trunk) /* else a demo of an earlier version: its people have other work */
		r = make_all(&m);
	demo_end(&m.demo);
	return r;
}

/* ---- lists that do not run out ---- */

#define REFILL_BELOW 60
#define REFILL 40
#define CUSTOMERS_MAX 4000 /* the demo's in all: enough for a day at its pace */

static int more_customers(struct make *m, const struct project *p, int64_t n)
{
	int64_t there = 0, id = 0;
	int r = db_get_i64(&there, m->demo.db, "SELECT COUNT(*) FROM demo_row WHERE centre_id = $1 AND resource = 'customers'", "i", m->demo.centre_id);

	if (!r)
		r = db_get_i64(&m->demo.seq, m->demo.db, "SELECT COALESCE(MAX(seq), 0) FROM demo_row WHERE centre_id = $1", "i", m->demo.centre_id);
	rng_init(&m->demo.rng, 20261124 + (uint64_t)there);
	for (int64_t i = 0; !r && i < n && there + i < CUSTOMERS_MAX; i++) { /* these are more than make_list has numbered */
		r = make_customer(m, (int)(there + i), &id);
		if (!r)
			r = add(m, p, id);
	}
	return r;
}

static int refill(struct make *m, const struct project *p)
{
	struct recycle_ask ask = {.last = {"answered", "noanswer", "busy", "rejected", "off", "unreachable", "assistant", "abandoned"}, .last_n = 8, .before_ms = m->demo.now_ms - DAY_MS,
				  .fresh = true, .priority = 5};
	int64_t open = 0, n = 0;
	int r = db_get_i64(&open, m->demo.db, "SELECT COUNT(*) FROM campaign_leads WHERE campaign_id = $1 AND state IN ('open', 'claimed')", "i", p->id);

	if (r || open >= REFILL_BELOW)
		return r;
	r = ids(ask.results, &ask.result_n, RECYCLE_MAX, m, "SELECT id FROM contact_results WHERE centre_id = $1 AND code <> 'do_not_call' ORDER BY id");
	if (r)
		return r;
	r = campaign_recycle_step(&n, m->demo.db, p->id, &ask, REFILL, m->demo.now_ms);
	return r || strcmp(p->mode, "preview") == 0 ? r : more_customers(m, p, REFILL - n); /* old customers do not become more */
}

int campaign_demo_refill(struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct make m = {.demo = {.db = db, .centre_id = centre_id, .now_ms = now_ms}};
	int64_t list[2];
	size_t n = 0;
	int r = ids(list, &n, ARRAY_LEN(list), &m, "SELECT x.id" DEMO("campaigns", "campaigns") " AND x.state = 'running' ORDER BY d.seq");

	for (size_t i = 0; !r && i < n; i++) {
		int64_t preview = 0;

		r = db_get_i64(&preview, db, "SELECT CASE WHEN mode = 'preview' THEN 1 ELSE 0 END FROM campaigns WHERE id = $1", "i", list[i]);
		if (!r)
			r = refill(&m, &(struct project){.id = list[i], .mode = preview ? "preview" : "predictive"});
	}
	return r;
}
