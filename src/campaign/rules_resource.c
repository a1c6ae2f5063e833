/* What guards every dial: whom nobody calls, when calls are made, holidays, what follows an attempt, and the centre's limits. */
#include "campaign/campaign.h"

#include <errno.h>
#include <string.h>

#include "campaign/guard.h"
#include "campaign/retry.h"
#include "db/db.h"
#include "number/number.h"
#include "people/declared.h"

/* ---- do not call ---- */

static const struct res_option dnc_reasons[] = {
	{"asked", "客户要求", "The customer asked for it"},
	{"complaint", "投诉", "A complaint"},
	{"regulator", "监管名单", "A regulator's list"},
	{"wrong", "号码已换人", "Somebody else's number now"},
	{"other", "其他", "Other"},
	{NULL},
};

static const struct res_field dnc_fields[] = {
	{"number", RES_TEXT, "号码", "Number", RES_MASKED | RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .max = 64, .also = "电话|手机|手机号|电话号码|phone|mobile"},
	{"campaign_id", RES_REF, "项目", "Project", RES_SEARCH | RES_CREATE_ONLY, .ref = "campaigns", .help_zh = "留空：整个中心都不打。", .help_en = "Empty: nobody of the centre calls."},
	{"reason", RES_ENUM, "原因", "Reason", 0, .fallback = "asked", .options = dnc_reasons},
	{"person", RES_BOOL, "此人的所有号码", "All numbers of this person", 0, .fallback = "true",
	 .help_zh = "号码属于某位客户时，这位客户的其他号码也不再拨打。", .help_en = "When it is a customer's, none of the customer's numbers is dialled."},
	{"until_ms", RES_TIME, "到何时", "Until", 0, .help_zh = "留空：永久。", .help_en = "Empty: for good."},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH | RES_HIDE_LIST, .max = 500},
	{"customer_id", RES_REF, "客户", "Customer", RES_READONLY, .ref = "customers"},
	{"user_id", RES_REF, "登记人", "Put there by", RES_READONLY, .ref = "users"},
};
static const char *const dnc_unique[] = {"number,campaign_id", NULL};

static int dnc_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const char *given = row_text(row, "number");
	int64_t customer = 0;
	struct num n;
	char id[24];
	int r;

	if (old || !*given)
		return 0;
	if (!num_read(&n, given, "")) {
		res_fail(c, 422, "invalid", "number", "number");
		return 0;
	}
	row_set(row, "number", json_string(n.text));
	r = db_get_i64(&customer, c->db, "SELECT customer_id FROM customer_phones WHERE centre_id = $1 AND number = $2", "it", c->who->centre_id, n.text);
	if (r && r != -ENOENT)
		return r;
	(void)snprintf(id, sizeof(id), "%lld", (long long)customer);
	if (customer)
		row_set(row, "customer_id", json_string(id));
	(void)snprintf(id, sizeof(id), "%lld", (long long)c->who->user_id);
	if (c->who->user_id)
		row_set(row, "user_id", json_string(id));
	return 0;
}

/* At once and everywhere: leads of who is not to be called are closed, open claims are refused by the switch at the dial. */
static int dnc_after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	int64_t until = json_integer_value(json_object_get(row, "until_ms"));

	if (until && until <= c->now_ms)
		return 0;
	return campaign_close_leads(c->db, row_id(row, "customer_id"), row_id(row, "campaign_id"), until, c->now_ms);
}

const struct res_def campaign_do_not_call = {
	.name = "do_not_call", .table = "do_not_call", .zh = "免打扰名单", .en = "Do-not-call list",
	.fields = dnc_fields, .field_n = ARRAY_LEN(dnc_fields),
	.label = "number", .order = "-created_ms", .sorts = "created_ms", .unique = dnc_unique,
	.group = "outbound", .mask_words = true,
	.before_write = dnc_before_write, .after_write = dnc_after_write,
};

/* ---- when ---- */

static const struct res_field window_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"region", RES_TEXT, "地区", "Region", RES_SEARCH, .max = 20,
	 .help_zh = "省或市，如 新疆、杭州：客户在那里时用这一条。留空：其他所有地区。", .help_en = "A province or city in Chinese, such as 新疆: for customers there. Empty: everywhere else."},
	{"days", RES_SET, "哪些天", "Days", 0, .options = campaign_days, .help_zh = "留空：每天。调休上班的周末按工作日算。", .help_en = "Empty: every day. A weekend's day that is worked counts as a working day."},
	{"hours", RES_TEXT, "时段", "Hours", 0, .max = 120, .help_zh = "形如 09:00-12:00,14:00-20:00；留空：全天。", .help_en = "As 09:00-12:00,14:00-20:00; empty: the whole day."},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true"},
};

static int window_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	campaign_check_hours(c, row, "hours");
	return 0;
}

const struct res_def campaign_windows = {
	.name = "calling_windows", .table = "calling_windows", .zh = "外呼时段", .en = "Calling windows",
	.fields = window_fields, .field_n = ARRAY_LEN(window_fields),
	.label = "name", .order = "name",
	.group = "outbound",
	.before_write = window_before_write,
};

static const struct res_option day_kinds[] = {{"off", "放假", "Holiday"}, {"work", "调休上班", "Worked instead"}, {NULL}};
static const struct res_option work_days[] = {
	{"mon", "周一", "Monday"}, {"tue", "周二", "Tuesday"}, {"wed", "周三", "Wednesday"}, {"thu", "周四", "Thursday"}, {"fri", "周五", "Friday"}, {NULL},
};

static const struct res_field holiday_fields[] = {
	{"day", RES_TEXT, "日期", "Day", RES_REQUIRED | RES_UNIQUE | RES_SEARCH | RES_DAY, .max = 10},
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_SEARCH, .max = 64, .also = "节日|假日"},
	{"kind", RES_ENUM, "种类", "Kind", 0, .fallback = "off", .options = day_kinds, .also = "类型"},
	{"counts_as", RES_ENUM, "按周几算", "Counts as", 0, .fallback = "fri", .options = work_days, .show_if = "kind=work"},
};

const struct res_def campaign_holidays = {
	.name = "holidays", .table = "holidays", .zh = "节假日与调休", .en = "Holidays",
	.fields = holiday_fields, .field_n = ARRAY_LEN(holiday_fields),
	.label = "name", .order = "day",
	.group = "outbound",
};

/* ---- what follows an attempt ---- */

static const struct res_option results[] = {
#define X(e, code, zh, en, counts) {code, zh, en},
	DIAL_RESULTS(X)
#undef X
	{NULL},
};

static const struct res_option actions[] = {
	{"again", "再拨这个号码", "This number again"},
	{"next", "换客户的下一个号码", "The customer's next number"},
	{"close", "不再拨打", "Not any more"},
	{NULL},
};

static const struct res_field retry_fields[] = {
	{"result", RES_ENUM, "结果", "Result", RES_REQUIRED | RES_SEARCH, .options = results},
	{"nth", RES_INT, "第几次拨打起", "From attempt", RES_REQUIRED, .min = 1, .max = 50, .fallback = "1"},
	{"action", RES_ENUM, "怎么办", "Then", RES_REQUIRED, .fallback = "again", .options = actions},
	{"wait_min", RES_INT, "隔多久（分钟）", "After (min)", 0, .min = 1, .max = 525600, .fallback = "60", .show_if = "action=again|next",
	 .help_zh = "换号码时：所有号码都轮过之后才等这么久。", .help_en = "With further numbers: so long only after all have had their turn."},
	{"campaign_id", RES_REF, "项目", "Project", RES_SEARCH, .ref = "campaigns",
	 .help_zh = "留空：所有项目。项目对某个结果有自己的规则时，只用自己的。", .help_en = "Empty: all projects. Where a project has rules of its own for a result, only these count."},
};
static const char *const retry_unique[] = {"result,nth,campaign_id", NULL};

static int retry_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const char *result = row_text(row, "result");

	if (!strcmp(result, "answered") || !strcmp(result, "returned")) /* never tried again, and nothing has happened */
		res_fail(c, 422, "invalid", "result", "enum");
	return 0;
}

const struct res_def campaign_retry_rules = {
	.name = "retry_rules", .table = "retry_rules", .zh = "重拨规则", .en = "Retry rules",
	.fields = retry_fields, .field_n = ARRAY_LEN(retry_fields),
	.label = "result", .order = "result", .unique = retry_unique,
	.group = "outbound",
	.before_write = retry_before_write,
};

/* ---- the centre's limits ---- */

static const struct res_field settings_fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED, .max = 32, .fallback = "外呼限制"},
	{"day_max", RES_INT, "一位客户每天最多拨打", "Attempts to a customer a day", 0, .min = 0, .max = 100, .fallback = "3",
	 .help_zh = "所有项目加起来；0：不限。", .help_en = "All projects together; 0: no limit."},
	{"week_max", RES_INT, "一位客户七天最多拨打", "Attempts in seven days", 0, .min = 0, .max = 500, .fallback = "8", .help_zh = "0：不限。", .help_en = "0: no limit."},
	{"gap_min", RES_INT, "两次拨打至少间隔（分钟）", "Between two attempts (min)", 0, .min = 0, .max = 10080, .fallback = "5"},
	{"next_min", RES_INT, "换号码间隔（分钟）", "Between two numbers (min)", 0, .min = 0, .max = 1440, .fallback = "5"},
	{"click_day_max", RES_INT, "点击外呼每人每天", "Clicks an agent a day", 0, .min = 0, .max = 10000, .fallback = "0",
	 .help_zh = "坐席自己点击客户拨打的次数上限；0：不限。", .help_en = "How often an agent may dial customers himself; 0: no limit."},
	{"ringback_days", RES_INT, "回拨识别天数", "Ring back within (days)", 0, .min = 0, .max = 365, .fallback = "14",
	 .help_zh = "拨过的客户这么多天内打回来，先找拨打的坐席。", .help_en = "Who rings back within so many days reaches the agent who dialled."},
	{"grace_min", RES_INT, "预约回拨过时多久由同事代拨（分钟）", "Call-backs: colleagues after (min)", 0, .min = 0, .max = 10080, .fallback = "15",
	 .help_zh = "到了预约时间先等约好的坐席，过了这么久还没拨，项目里的其他坐席也可以拨；0：立即。",
	 .help_en = "At its time a call-back waits for its own agent; when he has not called after so long, others of the project do. 0: at once."},
};

static int settings_before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	if (old || c->who->system)
		return 0;
	res_fail(c, 409, "only_one", NULL, NULL);
	return 1;
}

static int settings_before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	res_fail(c, 409, "only_one", NULL, NULL);
	return 1;
}

const struct res_def campaign_settings = {
	.name = "outbound_settings", .table = "outbound_settings", .zh = "外呼限制", .en = "Limits of calls out",
	.fields = settings_fields, .field_n = ARRAY_LEN(settings_fields),
	.label = "name", .order = "name",
	.group = "outbound",
	.before_write = settings_before_write, .before_delete = settings_before_delete,
	.no_import = true,
};

/* ---- numbers to show ---- */

static const struct res_option shown_states[] = {{"active", "使用", "In use"}, {"off", "停用", "Off"}, {NULL}};

static const struct res_field shown_fields[] = {
	{"number", RES_TEXT, "号码", "Number", RES_REQUIRED | RES_SEARCH | RES_NUMBER, .max = 20, .help_zh = "按中继要求的写法。", .help_en = "As the trunk wants it."},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH | RES_HIDE_LIST, .max = 200},
	{"trunk_id", RES_REF, "中继", "Trunk", RES_SEARCH, .ref = "trunks", .help_zh = "留空：任何中继。", .help_en = "Empty: any."},
	{"city", RES_TEXT, "城市", "City", RES_SEARCH, .max = 20, .help_zh = "先显示给这座城市的客户，如 杭州。", .help_en = "Shown first to customers of this city, in Chinese."},
	{"day_max", RES_INT, "每天最多拨打", "Dials a day", 0, .min = 0, .max = 100000, .fallback = "300", .help_zh = "0：不限。", .help_en = "0: no limit."},
	{"rest_percent", RES_INT, "接通率低多少就休息（%）", "Rests when answered less by (%)", RES_HIDE_LIST, .min = 0, .max = 100, .fallback = "50",
	 .help_zh = "与同一小时其他号码相比，接通率低这么多、且不是偶然，就自动休息；0：不休息。",
	 .help_en = "When it is answered so much less than the others at the same hours, and not by chance, it rests by itself; 0: never."},
	{"rest_h", RES_INT, "休息多久（小时）", "Rests for (h)", RES_HIDE_LIST, .min = 1, .max = 720, .fallback = "24"},
	{"state", RES_ENUM, "状态", "State", 0, .fallback = "active", .options = shown_states},
	{"rest_ms", RES_TIME, "休息到", "Rests until", RES_READONLY},
	{"rest_why", RES_TEXT, "休息原因", "Rests because", RES_READONLY | RES_HIDE_LIST, .max = 200},
};
static const char *const shown_unique[] = {"number,trunk_id", NULL};

const struct res_def campaign_shown_numbers = {
	.name = "shown_numbers", .table = "shown_numbers", .zh = "外显号码", .en = "Numbers shown",
	.fields = shown_fields, .field_n = ARRAY_LEN(shown_fields),
	.label = "number", .order = "number", .unique = shown_unique,
	.group = "outbound",
	.configures_switch = true, /* who rings one back */
};
