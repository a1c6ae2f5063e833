/* How the pool works: one row a centre, made with it. */
#include "people/customer.h"

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED, .max = 32, .fallback = "公海规则"},
	{"claim_day_max", RES_INT, "每人每天可领", "Claims a day", 0, .min = 0, .max = 10000, .fallback = "50",
	 .help_zh = "一名坐席一天最多从公海领取多少客户；0：不能领取。", .help_en = "How many customers an agent may claim from the pool in a day; 0: none."},
	{"own_max", RES_INT, "每人私海上限", "Private customers at most", 0, .min = 0, .max = 1000000, .fallback = "0",
	 .help_zh = "名下已有这么多客户就不能再领取；0：不限。", .help_en = "Who has so many cannot claim more; 0: no limit."},
	{"keep_days", RES_INT, "保留天数", "Days kept", 0, .min = 0, .max = 3650, .fallback = "30",
	 .help_zh = "私有客户连续多少天没有联系就回到公海；0：永不。客户类型里可以另定。",
	 .help_en = "A private customer goes back to the pool after so many days without contact; 0: never. A customer type may say otherwise."},
	{"warn_days", RES_INT, "提前几天提醒", "Warned before (days)", 0, .min = 0, .max = 365, .fallback = "3",
	 .help_zh = "回到公海前几天提醒归属坐席。", .help_en = "How many days before that the owner is told."},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	if (old && !json_equal(json_object_get(row, "keep_days"), json_object_get(old, "keep_days")))
		return customer_recount(c->db, c->who->centre_id);
	if (old || c->who->system)
		return 0;
	res_fail(c, 409, "only_one", NULL, NULL);
	return 1;
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	res_fail(c, 409, "only_one", NULL, NULL);
	return 1;
}

const struct res_def people_pool_settings = {
	.name = "pool_settings", .table = "pool_settings", .zh = "公海规则", .en = "Pool rules",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.group = "lists",
	.before_write = before_write, .before_delete = before_delete,
	.no_import = true,
};
