/* Editable lists: what kind of customer, where from, what a contact was about, what came of it. The ready rows are in customer_seed.c. */
#include "people/customer.h"

#include "db/db.h"

#define LIST_FIELDS \
	{"en", RES_TEXT, "英文名称", "English name", RES_SEARCH, .max = 64, \
	 .help_zh = "英文界面里显示；留空则显示中文名称。", .help_en = "Shown in the English page; empty: the name."}
#define LIST_END \
	{"sort", RES_INT, "顺序", "Order", 0, .min = 0, .max = 10000, .fallback = "100", \
	 .help_zh = "数字小的排在前面。", .help_en = "Lower numbers come first."}, \
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true", \
	 .help_zh = "停用后不能再选，已有的记录仍显示其名称。", .help_en = "When off, it cannot be chosen; what is there still names it."}

static const struct res_field type_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	LIST_FIELDS,
	{"keep_days", RES_INT, "私海保留天数", "Days kept", 0, .min = 0, .max = 3650,
	 .help_zh = "这类私有客户连续多少天没有联系就回到公海；0：永不；留空：按公海规则。",
	 .help_en = "A private customer of this type goes back to the pool after so many days without contact; 0: never; empty: as the pool's rules say."},
	LIST_END,
};

static int type_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	bool same = old && json_equal(json_object_get(row, "keep_days"), json_object_get(old, "keep_days"));

	return same || !old ? 0 : customer_recount(c->db, c->who->centre_id);
}

const struct res_def people_customer_types = {
	.name = "customer_types", .table = "customer_types", .zh = "客户类型", .en = "Customer types",
	.fields = type_fields, .field_n = ARRAY_LEN(type_fields),
	.label = "name", .order = "sort",
	.group = "lists",
	.before_write = type_before_write,
};

static const struct res_field source_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	LIST_FIELDS,
	LIST_END,
};

const struct res_def people_customer_sources = {
	.name = "customer_sources", .table = "customer_sources", .zh = "客户来源", .en = "Customer sources",
	.fields = source_fields, .field_n = ARRAY_LEN(source_fields),
	.label = "name", .order = "sort",
	.group = "lists",
};

static const struct res_field reason_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_SEARCH, .max = 64},
	LIST_FIELDS,
	{"parent_id", RES_REF, "上级", "Belongs to", RES_SEARCH, .ref = "contact_reasons",
	 .help_zh = "留空：一级类型。只有两级。", .help_en = "Empty: of the first level. There are two."},
	LIST_END,
};
static const char *const reason_unique[] = {"name,parent_id", NULL};

/* Two levels: a parent has no parent, and what has children gets none. */
static int reason_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t parent = row_id(row, "parent_id"), n = 0;
	int r;

	if (!parent)
		return 0;
	r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM contact_reasons WHERE id = $1 AND parent_id IS NOT NULL", "i", parent);
	if (!r && !n && old)
		r = db_get_i64(&n, c->db, "SELECT COUNT(*) FROM contact_reasons WHERE parent_id = $1", "i", row_id(old, "id"));
	if (!r && (n || parent == row_id(row, "id")))
		res_fail(c, 422, "invalid", "parent_id", "ref");
	return r;
}

const struct res_def people_contact_reasons = {
	.name = "contact_reasons", .table = "contact_reasons", .zh = "业务类型", .en = "Contact reasons",
	.fields = reason_fields, .field_n = ARRAY_LEN(reason_fields),
	.label = "name", .order = "sort", .unique = reason_unique,
	.group = "lists",
	.before_write = reason_before_write,
};

static const struct res_field result_fields[] = {
	{"code", RES_TEXT, "代码", "Code", RES_REQUIRED | RES_UNIQUE | RES_SEARCH | RES_CREATE_ONLY, .max = 31,
	 .help_zh = "报表里用的名字：小写字母、数字、下划线；建好后不能改。",
	 .help_en = "What figures know it by: lower-case letters, digits, underscore. Cannot be changed later."},
	{"zh", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_SEARCH, .max = 64},
	LIST_FIELDS,
	{"connected", RES_BOOL, "已接通", "Connected", 0, .fallback = "true",
	 .help_zh = "选这个结果时，是否算作和客户通上了话。", .help_en = "Whether the customer was spoken to."},
	LIST_END,
};

static int result_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	check_chars(c, row, "code", "abcdefghijklmnopqrstuvwxyz0123456789_");
	return 0;
}

const struct res_def people_contact_results = {
	.name = "contact_results", .table = "contact_results", .zh = "联系结果", .en = "Contact results",
	.fields = result_fields, .field_n = ARRAY_LEN(result_fields),
	.label = "zh", .order = "sort",
	.group = "lists",
	.before_write = result_before_write,
};
