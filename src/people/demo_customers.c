/* The demo's customers: those who call it, with owners, a pool, appointments and notes. The same each time but for what counts from now. */
#include "people/customer.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"
#include "number/number.h"
#include "people/demo_rows.h"
#include "people/note.h"

#define CUSTOMERS 300
#define CALLERS 400 /* 13800130000 and on: three of four are customers */
#define LIST_MAX 64
#define DAY_MS 86400000LL
#define HOUR_MS 3600000LL

struct people_list {
	int64_t ids[LIST_MAX];
	size_t n;
};

struct make {
	struct demo demo;
	struct people_list agents, types, sources, reasons, results;
};

static int ids_of(struct people_list *l, struct make *m, const char *sql)
{
	struct db_stmt *st;
	int r = db_prepare(&st, m->demo.db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, m->demo.centre_id);
	while (l->n < LIST_MAX && (r = db_step(st)) == DB_ROW)
		l->ids[l->n++] = db_i64(st, 0);
	db_done(st);
	return r < 0 ? r : 0;
}

static int64_t any(struct make *m, const struct people_list *l)
{
	return l->n ? l->ids[rng_below(&m->demo.rng, l->n)] : 0;
}

static const char *word(struct make *m, const char *const *words, size_t n)
{
	return words[rng_below(&m->demo.rng, n)];
}

#define WORD(m, words) word(m, words, ARRAY_LEN(words))

static void name_of(struct make *m, char *ret, size_t size)
{
	static const char *const families[] = {"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭",
					       "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "曾", "欧阳"};
	static const char *const given[] = {"伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
					    "秀兰", "霞", "平", "刚", "桂英", "晓东", "建华", "志强", "雨桐", "子涵", "小丽", "文博"};

	(void)snprintf(ret, size, "%s%s(示例)", WORD(m, families), WORD(m, given));
}

static json_t *phones_of(struct make *m, unsigned i)
{
	char number[24], second[24];
	json_t *list = json_array();

	(void)snprintf(number, sizeof(number), "1380013%04u", i * CALLERS / CUSTOMERS);
	(void)json_array_append_new(list, json_pack("{s:s}", "number", number));
	if (i % 3 == 0) {
		(void)snprintf(second, sizeof(second), i % 2 ? "1390013%04u" : "0571-8888%04u", 1000 + i);
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "number", second, "label", i % 2 ? "family" : "company", "state",
							    i % 21 == 0 ? "empty" : "ok"));
	}
	return list;
}

static json_t *body_of(struct make *m, unsigned i, int64_t owner)
{
	static const char *const companies[] = {"西湖贸易(示例)", "钱江建材(示例)", "运河物流(示例)", "天目科技(示例)", "之江食品(示例)"};
	static const char *const tags[] = {"vip", "老客户", "价格敏感", "需要发票", "周末联系", "企业采购"};
	static const char *const cities[] = {"杭州", "宁波", "上海", "南京", "苏州", "北京", "成都"};
	static const char *const jobs[] = {"教师", "会计", "工程师", "店主", "医生", "司机"};
	char name[64], tag[128];
	json_t *b;

	name_of(m, name, sizeof(name));
	(void)snprintf(tag, sizeof(tag), "%s,%s", WORD(m, tags), WORD(m, tags));
	b = json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "name", name, "phones", phones_of(m, i), "owner_id", demo_id(owner), "type_id",
		      demo_id(any(m, &m->types)), "source_id", demo_id(any(m, &m->sources)), "city", WORD(m, cities), "gender", i % 2 ? "male" : "female");
	if (i % 2)
		row_set(b, "tags", json_string(tag));
	if (i % 4 == 0)
		row_set(b, "company", json_string(WORD(m, companies)));
	if (i % 3 == 0)
		row_set(b, "occupation", json_string(WORD(m, jobs)));
	if (owner && rng_below(&m->demo.rng, 4) == 0) /* some are due, most are not yet */
		row_set(b, "next_ms", json_integer((m->demo.now_ms + ((int64_t)rng_below(&m->demo.rng, 96) - 12) * HOUR_MS) / 60000 * 60000));
	return b;
}

/* As if it had been so for a while; some go back within days. */
static int make_older(struct make *m, int64_t id, int64_t owned_ms, int64_t last_ms)
{
	int r = db_run(m->demo.db, "UPDATE customers SET created_ms = $2, owned_ms = CASE WHEN owner_id IS NULL THEN NULL ELSE $2 END, last_ms = $3, contact_n = $4 WHERE id = $1",
		       "iiri", id, owned_ms, last_ms, last_ms ? (int64_t)(1 + rng_below(&m->demo.rng, 6)) : 0);

	return r ? r : customer_back_set(m->demo.db, id);
}

static int make_note(struct make *m, int64_t customer_id, int64_t user_id, int64_t at_ms)
{
	static const char *const texts[] = {"询问新款的价格和到货时间，已介绍活动。", "客户反映收到的货有破损，已登记换货。", "对方案有兴趣，约定再联系确认数量。",
					    "查询订单物流，预计明天送达。", "希望开增值税发票，资料已记录。", "暂时不考虑，下个季度再联系。", "表扬配送员服务好。"};
	struct res_error e = {0};
	struct res_who who = {.centre_id = m->demo.centre_id, .user_id = user_id, .system = true, .lang = "zh"};
	struct res_ctx c = {.db = m->demo.db, .who = &who, .error = &e, .now_ms = m->demo.now_ms};
	json_t *body = json_pack("{s:o, s:s, s:o, s:o}", "customer_id", demo_id(customer_id), "text", WORD(m, texts), "reason_id",
				 demo_id(any(m, &m->reasons)), "result_id", demo_id(any(m, &m->results)));
	int r = people_note_import(&c, body, user_id, at_ms);

	if (r > 0)
		log_warn("a note of the demo was refused code=%s", e.code);
	res_error_done(&e);
	json_decref(body);
	return r < 0 ? r : 0;
}

static int make_customer(struct make *m, unsigned i)
{
	/* The visitor, who is the first, has more than the others; three of ten are nobody's. */
	int64_t owner = i % 10 < 3 || !m->agents.n ? 0 : i % 10 == 9 ? m->agents.ids[0] : m->agents.ids[i % m->agents.n];
	int64_t since = m->demo.now_ms - (int64_t)(1 + rng_below(&m->demo.rng, 28)) * DAY_MS - (int64_t)rng_below(&m->demo.rng, DAY_MS);
	int64_t last = i % 3 ? 0 : since + (int64_t)rng_below(&m->demo.rng, (uint64_t)(m->demo.now_ms - since)), id = 0;
	int r = demo_put(&id, &m->demo, &people_customers, m->demo.now_ms, body_of(m, i, owner));

	for (int k = 0; !r && last && owner && k < 2; k++)
		r = make_note(m, id, owner, k ? since + HOUR_MS : last);
	return r ? r : make_older(m, id, since, last);
}

/* A colleague follows one of @owner's customers as well, and another asks for one. */
static int ask_for_one(struct make *m, int64_t owner, int64_t asker, int64_t skip, const char *reason, const char *action)
{
	struct res_error e = {0};
	struct res_who who = {.centre_id = m->demo.centre_id, .user_id = asker, .rights = &people_rights_shipped("agent")->res, .lang = "zh"};
	struct res_ctx c = {.db = m->demo.db, .who = &who, .error = &e, .now_ms = m->demo.now_ms};
	struct customer_asked asked;
	char number[NUM_MAX] = "";
	struct db_stmt *st;
	int r = db_prepare(&st, m->demo.db, "SELECT p.number FROM customers k JOIN customer_phones p ON p.customer_id = k.id WHERE k.owner_id = $1 ORDER BY p.number LIMIT 1 OFFSET $2");

	if (r)
		return r;
	db_bind_i64(st, 1, owner);
	db_bind_i64(st, 2, skip);
	r = db_step(st);
	if (r == DB_ROW)
		(void)str_copy(number, sizeof(number), db_text(st, 0));
	db_done(st);
	if (r != DB_ROW)
		return r;
	r = people_customer_ask(&asked, &c, number, reason);
	if (!r && action) {
		who.system = true; /* a lead's word, in the owner's name */
		who.user_id = owner;
		r = people_customer_decide(&asked, &c, asked.id, action, NULL);
	}
	if (r > 0)
		log_warn("a request of the demo was refused code=%s", e.code);
	res_error_done(&e);
	return r < 0 ? r : 0;
}

/* The visitor, the first agent, has one shared with him, waits for another, and a colleague asks for one of his. */
static int make_requests(struct make *m)
{
	const int64_t *a = m->agents.ids;
	int r;

	if (m->agents.n < 4)
		return 0;
	r = ask_for_one(m, a[1], a[0], 0, "客户主动加我微信，想一起跟进。", "share");
	if (!r)
		r = ask_for_one(m, a[2], a[0], 1, "客户来电时说一直是我联系的。", NULL);
	return r ? r : ask_for_one(m, a[0], a[3], 2, "客户换到我负责的城市了。", NULL);
}

int people_demo_customers(struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct make m = {0};
	bool there;
	int r = demo_begin(&m.demo, &there, db, centre_id, now_ms, "customers", 20261122);

	if (r || there)
		return r;
	r = ids_of(&m.agents, &m, "SELECT u.id FROM users u JOIN demo_row d ON d.row_id = u.id WHERE d.centre_id = $1 AND u.role = 'agent' AND EXISTS (SELECT 1 FROM members m WHERE m.user_id = u.id) ORDER BY d.seq");
	if (!r)
		r = ids_of(&m.types, &m, "SELECT id FROM customer_types WHERE centre_id = $1 ORDER BY sort");
	if (!r)
		r = ids_of(&m.sources, &m, "SELECT id FROM customer_sources WHERE centre_id = $1 ORDER BY sort");
	if (!r)
		r = ids_of(&m.reasons, &m, "SELECT id FROM contact_reasons WHERE centre_id = $1 AND parent_id IS NOT NULL ORDER BY sort");
	if (!r)
		r = ids_of(&m.results, &m, "SELECT id FROM contact_results WHERE centre_id = $1 AND connected = 1 ORDER BY sort");
	for (unsigned i = 0; !r && i < CUSTOMERS; i++)
		r = make_customer(&m, i);
	if (!r)
		r = make_requests(&m);
	demo_end(&m.demo);
	return r;
}
