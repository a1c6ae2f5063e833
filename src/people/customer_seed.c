/* The lists' ready rows: made with a centre, and once for a centre that is older than they. All of them may be changed and removed. */
#include "people/customer.h"

#include <errno.h>

#include "db/db.h"

struct pair {
	const char *zh, *en;
};

static const struct pair types[] = {
	{"新客户", "New"}, {"意向客户", "Interested"}, {"多次跟踪客户", "Followed up several times"}, {"成单客户", "Order closed"},
	{"会员客户", "Member"}, {"暂无意向", "Not interested now"},
};

static const struct pair sources[] = {
	{"来电", "Called us"}, {"名单导入", "Imported list"}, {"官网", "Website"}, {"老客户介绍", "Referral"}, {"广告", "Advertisement"},
	{"展会活动", "Event"}, {"其他", "Other"},
};

#define SUB_MAX 6
static const struct {
	struct pair name, sub[SUB_MAX];
} reasons[] = {
	{{"咨询", "Enquiry"}, {{"产品功能", "Product"}, {"价格优惠", "Price and offers"}, {"活动规则", "Promotion rules"}, {"门店与营业时间", "Shops and hours"}}},
	{{"订购", "Order"}, {{"新订单", "New order"}, {"续订", "Renewal"}, {"加购", "Additional order"}}},
	{{"取消", "Cancellation"}, {{"取消订单", "Cancel an order"}, {"取消服务", "Cancel a service"}, {"取消预约", "Cancel an appointment"}}},
	{{"查询", "Query"}, {{"订单进度", "Order status"}, {"物流", "Delivery"}, {"账单费用", "Bill"}, {"积分余额", "Points and balance"}}},
	{{"修改", "Change"}, {{"收货信息", "Delivery details"}, {"订单内容", "Order contents"}, {"个人资料", "Personal details"}}},
	{{"售后", "After-sales"}, {{"报修", "Repair"}, {"安装使用", "Installation and use"}, {"质保", "Warranty"}, {"发票", "Invoice"}}},
	{{"拒收/退换货", "Refusal, return, exchange"}, {{"拒收", "Refused delivery"}, {"退货", "Return"}, {"换货", "Exchange"}, {"退款", "Refund"}}},
	{{"催货/改时", "Urge or reschedule"}, {{"催发货", "Urge dispatch"}, {"催配送", "Urge delivery"}, {"改送货时间", "Change delivery time"}}},
	{{"投诉", "Complaint"}, {{"产品质量", "Quality"}, {"服务态度", "Service"}, {"配送", "Delivery"}, {"费用", "Charges"}, {"营销打扰", "Unwanted calls"}}},
	{{"表扬", "Praise"}, {{"表扬员工", "A person"}, {"表扬产品", "A product"}}},
	{{"建议", "Suggestion"}, {{"产品建议", "Product"}, {"服务建议", "Service"}}},
	{{"其他", "Other"}, {{"打错电话", "Wrong number"}, {"无声电话", "Silent call"}, {"骚扰电话", "Nuisance"}}},
};

static const struct {
	const char *code;
	struct pair name;
	bool connected;
} results[] = {
	{"connected", {"接通", "Connected"}, true},
	{"interested", {"有意向", "Interested"}, true},
	{"ordered", {"成单", "Ordered"}, true},
	{"call_later", {"约定再联系", "Call again as agreed"}, true},
	{"considering", {"考虑中", "Considering"}, true},
	{"refused", {"明确拒绝", "Refused"}, true},
	{"not_himself", {"非本人接听", "Somebody else answered"}, true},
	{"hung_up", {"中途挂断", "Hung up midway"}, true},
	{"do_not_call", {"要求勿扰", "Asked not to be called"}, true},
	{"no_answer", {"无人应答", "No answer"}, false},
	{"rejected", {"拒接", "Rejected"}, false},
	{"busy", {"占线", "Busy"}, false},
	{"off", {"关机", "Switched off"}, false},
	{"no_number", {"空号", "Number does not exist"}, false},
	{"suspended", {"停机", "Suspended"}, false},
	{"unreachable", {"无法连接", "Cannot connect"}, false},
};

static int put(int64_t *id, struct db *db, int64_t centre_id, const struct res_def *d, json_t *body)
{
	struct system_ctx s;
	int r;

	system_init(&s, db, centre_id);
	r = system_write(id, &s, d, 0, body);
	system_done(&s);
	return r;
}

static int seed_pairs(struct db *db, int64_t centre_id, const struct res_def *d, const struct pair *rows, size_t n)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = put(NULL, db, centre_id, d, json_pack("{s:s, s:s, s:i}", "name", rows[i].zh, "en", rows[i].en, "sort", (int)(i + 1) * 10));
	return r;
}

static int seed_types(struct db *db, int64_t centre_id)
{
	return seed_pairs(db, centre_id, &people_customer_types, types, ARRAY_LEN(types));
}

static int seed_sources(struct db *db, int64_t centre_id)
{
	return seed_pairs(db, centre_id, &people_customer_sources, sources, ARRAY_LEN(sources));
}

static int seed_reason(struct db *db, int64_t centre_id, size_t i)
{
	int64_t parent = 0;
	char text[24];
	int r = put(&parent, db, centre_id, &people_contact_reasons,
		    json_pack("{s:s, s:s, s:i}", "name", reasons[i].name.zh, "en", reasons[i].name.en, "sort", (int)(i + 1) * 100));

	(void)snprintf(text, sizeof(text), "%lld", (long long)parent);
	for (size_t k = 0; !r && k < SUB_MAX && reasons[i].sub[k].zh; k++)
		r = put(NULL, db, centre_id, &people_contact_reasons,
			json_pack("{s:s, s:s, s:s, s:i}", "name", reasons[i].sub[k].zh, "en", reasons[i].sub[k].en, "parent_id", text,
				  "sort", (int)((i + 1) * 100 + k + 1)));
	return r;
}

static int seed_reasons(struct db *db, int64_t centre_id)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(reasons); i++)
		r = seed_reason(db, centre_id, i);
	return r;
}

static int seed_results(struct db *db, int64_t centre_id)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(results); i++)
		r = put(NULL, db, centre_id, &people_contact_results,
			json_pack("{s:s, s:s, s:s, s:b, s:i}", "code", results[i].code, "zh", results[i].name.zh, "en", results[i].name.en,
				  "connected", results[i].connected, "sort", (int)(i + 1) * 10));
	return r;
}

/* The pool's rules cannot be removed, so they say whether the lists were there once: a list that somebody emptied stays empty. */
int customer_seed_lists(struct db *db, int64_t centre_id)
{
	static int (*const seeds[])(struct db *db, int64_t centre_id) = {seed_types, seed_sources, seed_reasons, seed_results};
	int64_t there = 0;
	int r = db_get_i64(&there, db, "SELECT COUNT(*) FROM pool_settings WHERE centre_id = $1", "i", centre_id);

	if (r || there)
		return r;
	r = put(NULL, db, centre_id, &people_pool_settings, json_object());
	for (size_t i = 0; !r && i < ARRAY_LEN(seeds); i++)
		r = seeds[i](db, centre_id);
	return r;
}
