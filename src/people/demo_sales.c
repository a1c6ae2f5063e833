/* The demo's visits, deals, goals and call-backs: a month of selling before now and a week after it. The same each time but for what counts from now. */
#include "people/customer.h"
#include "people/demo_rows.h"
#include "people/sales.h"

#include <errno.h>
#include <string.h>

#include "base/rng.h"
#include "db/db.h"

#define DAY_MS 86400000LL
#define HOUR_MS 3600000LL
#define CUSTOMERS_MAX 400
#define AGENTS_MAX 64

struct one {
	int64_t id, owner;
};

struct make {
	struct demo demo;
	struct one customers[CUSTOMERS_MAX];
	int64_t agents[AGENTS_MAX];
	size_t customer_n, agent_n;
};

static int read_all(struct make *m)
{
	struct db_stmt *st;
	int r = db_prepare(&st, m->demo.db,
			   "SELECT c.id, c.owner_id FROM customers c JOIN demo_row d ON d.row_id = c.id AND d.resource = 'customers'"
			   " WHERE d.centre_id = $1 AND c.owner_id IS NOT NULL AND c.state = 'active' ORDER BY d.seq");

	if (r)
		return r;
	db_bind_i64(st, 1, m->demo.centre_id);
	while (m->customer_n < CUSTOMERS_MAX && (r = db_step(st)) == DB_ROW)
		m->customers[m->customer_n++] = (struct one){db_i64(st, 0), db_i64(st, 1)};
	db_done(st);
	if (r < 0)
		return r;
	r = db_prepare(&st, m->demo.db, "SELECT u.id FROM users u JOIN demo_row d ON d.row_id = u.id AND d.resource = 'users' WHERE d.centre_id = $1 AND u.role = 'agent' AND EXISTS (SELECT 1 FROM members m WHERE m.user_id = u.id) ORDER BY d.seq");
	if (r)
		return r;
	db_bind_i64(st, 1, m->demo.centre_id);
	while (m->agent_n < AGENTS_MAX && (r = db_step(st)) == DB_ROW)
		m->agents[m->agent_n++] = db_i64(st, 0);
	db_done(st);
	return r < 0 ? r : 0;
}

/* ---- visits and deals ---- */

static const char *const places[] = {"西湖营业厅(示例)", "滨江财富中心(示例)", "城东门店(示例)"};
static const struct {
	const char *name;
	int64_t amount; /* hundredths */
} products[] = {{"稳健理财A款(示例)", 5000000}, {"养老年金(示例)", 1200000}, {"黄金积存(示例)", 880000}, {"家庭保障计划(示例)", 360000}};
static const char *const whys[] = {"家人不同意", "资金另有用途", "想再比较一下"};

static int make_deal(struct make *m, const struct one *c, int64_t visit, int64_t at_ms, bool cancelled)
{
	size_t p = rng_below(&m->demo.rng, ARRAY_LEN(products));
	json_t *body;
	char day[11];
	int r;

	sales_day(day, m->demo.db, at_ms);
	body = json_pack("{s:o, s:s, s:I, s:s, s:s}", "customer_id", demo_id(c->id), "product", products[p].name, "amount",
			 (json_int_t)(products[p].amount * (int64_t)(1 + rng_below(&m->demo.rng, 4))), "day", day, "state", cancelled ? "cancelled" : "signed");
	if (cancelled)
		row_set(body, "cancel_reason", json_string(whys[rng_below(&m->demo.rng, ARRAY_LEN(whys))]));
	else if (visit)
		row_set(body, "visit_id", demo_id(visit));
	r = demo_put(NULL, &m->demo, &people_deals, at_ms, body);
	return r;
}

/* In business hours of a day from today: by quarters of an hour from ten to six. */
static int64_t hour_of(struct make *m, int day)
{
	return m->demo.today_ms + day * DAY_MS + 10 * HOUR_MS + (int64_t)rng_below(&m->demo.rng, 32) * HOUR_MS / 4;
}

/* What became of it: of ten, three signed, four came, two stayed away; of one nobody has said. */
static const char *past_state(struct make *m)
{
	static const char *const ten[] = {"signed", "signed", "signed", "arrived", "arrived", "arrived", "arrived", "missed", "missed", "confirmed"};

	return ten[rng_below(&m->demo.rng, ARRAY_LEN(ten))];
}

static int make_visit(struct make *m, const struct one *c, int day)
{
	int64_t at = hour_of(m, day), invited = at - (int64_t)(1 + rng_below(&m->demo.rng, 4)) * DAY_MS - HOUR_MS, id = 0;
	bool past = at < m->demo.now_ms;
	const char *state = past ? past_state(m) : rng_below(&m->demo.rng, 3) ? "booked" : "confirmed";
	int r;

	if (invited > m->demo.now_ms)
		invited = m->demo.now_ms - (int64_t)rng_below(&m->demo.rng, 2 * DAY_MS);
	r = demo_put(&id, &m->demo, &people_visits, past ? at : m->demo.now_ms,
		json_pack("{s:o, s:I, s:s, s:s}", "customer_id", demo_id(c->id), "at_ms", (json_int_t)at, "place",
			  places[rng_below(&m->demo.rng, ARRAY_LEN(places))], "state", strcmp(state, "signed") ? state : "arrived"));
	if (!r)
		r = db_run(m->demo.db, "UPDATE visits SET created_ms = $2 WHERE id = $1", "ii", id, invited);
	if (!r && !strcmp(state, "signed"))
		r = make_deal(m, c, id, at, false);
	return r;
}

static int make_visits(struct make *m)
{
	int r = 0;

	for (int day = -28; !r && day <= 6; day++) {
		int n = (int)(1 + rng_below(&m->demo.rng, 4));

		for (int i = 0; !r && i < n; i++)
			r = make_visit(m, &m->customers[rng_below(&m->demo.rng, m->customer_n)], day);
	}
	/* What is long ago is settled. */
	if (!r)
		r = db_run(m->demo.db, "UPDATE visits SET again = 'dropped' WHERE centre_id = $1 AND again = 'todo' AND at_ms < $2", "ii", m->demo.centre_id, m->demo.now_ms - 5 * DAY_MS);
	if (!r)
		r = db_run(m->demo.db, "UPDATE visits SET state = 'missed' WHERE centre_id = $1 AND state = 'confirmed' AND at_ms < $2", "ii", m->demo.centre_id, m->demo.now_ms - 2 * DAY_MS);
	for (int i = 0; !r && i < 5; i++) /* without a visit: by telephone; some went back on it */
		r = make_deal(m, &m->customers[rng_below(&m->demo.rng, m->customer_n)], 0, m->demo.now_ms - (int64_t)(1 + rng_below(&m->demo.rng, 10)) * DAY_MS, i % 2);
	return r;
}

/* ---- the rest ---- */

/* Figures of a month that an agent can reach, the same for all but by a tenth. */
static json_t *goal_body(struct make *m, const char *month, int64_t people)
{
	int64_t k = people * (int64_t)(95 + rng_below(&m->demo.rng, 11));

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "month", month, "calls", (json_int_t)(k * 20), "connected", (json_int_t)(k * 8),
			 "talk_min", (json_int_t)(k * 36), "wechat", (json_int_t)(k * 30 / 100), "invited", (json_int_t)(k * 12 / 100), "visits",
			 (json_int_t)(k * 6 / 100), "deals", (json_int_t)(k * 3 / 100), "amount", (json_int_t)(k * 200000));
}

static int make_goals(struct make *m)
{
	char day[2][11];
	int r = 0;

	sales_day(day[0], m->demo.db, m->demo.now_ms);
	day[0][7] = '\0';
	sales_day(day[1], m->demo.db, m->demo.now_ms - 31 * DAY_MS);
	day[1][7] = '\0';
	for (int k = strcmp(day[0], day[1]) ? 1 : 0; !r && k >= 0; k--)
		for (size_t i = 0; !r && i < m->agent_n; i++) {
			json_t *body = goal_body(m, day[k], 1);

			row_set(body, "user_id", demo_id(m->agents[i]));
			r = demo_put(NULL, &m->demo, &people_goals, m->demo.now_ms, body);
		}
	return r;
}

/* Some have their customers' WeChat since this month. */
static int make_wechat(struct make *m)
{
	int r = 0;

	for (size_t i = 0; !r && i < m->customer_n; i += 4) {
		char name[32];

		(void)snprintf(name, sizeof(name), "wx_shili_%03zu", i);
		r = db_run(m->demo.db, "UPDATE customers SET wechat = $2, wechat_ms = $3, wechat_by = owner_id WHERE id = $1", "iti", m->customers[i].id, name,
			   m->demo.now_ms - (int64_t)rng_below(&m->demo.rng, 25 * DAY_MS));
	}
	return r;
}

/* For the visitor, who is the first: one that is late, one that is due soon, one that a mate handed on; a mate's that is the team's by now. */
static int make_callbacks(struct make *m)
{
	static const struct {
		size_t agent;
		int64_t min;
		const char *reason;
		bool handed;
	} few[] = {
		{0, -25, "昨天没说完，问他想看哪一款", false}, {0, 12, "客户约好这个时间谈价格", false}, {0, 95, "寄了资料，问收到没有", false},
		{0, 40, "客户指名找王芳", true},              {2, -40, "报价有效期今天到", false},   {3, 30, "回访用得怎么样", false},
	};
	int r = 0;

	for (size_t i = 0, at = 0; !r && i < ARRAY_LEN(few) && m->agent_n > few[i].agent; i++) {
		int64_t id = 0;

		while (at < m->customer_n && m->customers[at].owner != m->agents[few[i].agent])
			at++;
		if (at == m->customer_n) {
			at = 0;
			continue;
		}
		r = demo_put(&id, &m->demo, &people_callbacks, m->demo.now_ms - HOUR_MS,
			json_pack("{s:o, s:I, s:s, s:o}", "customer_id", demo_id(m->customers[at++].id), "due_ms", (json_int_t)((m->demo.now_ms + few[i].min * 60000) / 60000 * 60000),
				  "reason", few[i].reason, "user_id", demo_id(m->agents[few[i].agent])));
		if (!r && few[i].handed && m->agent_n > 1)
			r = db_run(m->demo.db, "UPDATE callbacks SET from_id = $2 WHERE id = $1", "ii", id, m->agents[1]);
		if (few[i].agent != (i + 1 < ARRAY_LEN(few) ? few[i + 1].agent : 0))
			at = 0;
	}
	return r;
}

/* One is off today and tomorrow. */
static int make_absence(struct make *m)
{
	char from[11], to[11];

	if (m->agent_n < 5)
		return 0;
	sales_day(from, m->demo.db, m->demo.now_ms);
	sales_day(to, m->demo.db, m->demo.now_ms + DAY_MS);
	return demo_put(NULL, &m->demo, &people_absences, m->demo.now_ms,
		   json_pack("{s:o, s:s, s:s, s:s}", "user_id", demo_id(m->agents[4]), "from_day", from, "to_day", to, "kind", "rest"));
}

static int make_all(struct make *m)
{
	int r = make_goals(m);

	if (!r)
		r = make_visits(m);
	if (!r)
		r = make_wechat(m);
	if (!r)
		r = make_callbacks(m);
	return r ? r : make_absence(m);
}

int people_demo_sales(struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct make m = {0};
	bool there;
	int r = demo_begin(&m.demo, &there, db, centre_id, now_ms, "goals", 20261123);

	if (r || there)
		return r;
	r = read_all(&m);
	if (!r && m.customer_n)
		r = make_all(&m);
	demo_end(&m.demo);
	return r;
}
