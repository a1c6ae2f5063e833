#include "people/declared.h"

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"host", RES_TEXT, "对端地址", "Address", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 15,
	 .help_zh = "运营商或网关的 IPv4 数字地址；来自这个地址的呼叫不需要密码，请只填可信的地址。",
	 .help_en = "Numeric IPv4 address of the carrier or gateway. Calls from it need no password: enter only one you trust."},
	{"port", RES_INT, "端口", "Port", 0, .min = 1, .max = 65535, .fallback = "5060",
	 .help_zh = "呼出时发往的 UDP 端口；呼入可来自任意端口。", .help_en = "UDP port for calls out; calls in may come from any."},
	{"calls_max", RES_INT, "并发上限", "Calls at once", 0, .min = 0, .max = 100000, .fallback = "0",
	 .help_zh = "运营商允许的同时通话数；0 表示不限。", .help_en = "As many calls as the carrier allows; 0: no limit."},
	{"caller_id", RES_TEXT, "外显号码", "Caller id", RES_NUMBER,
	 .help_zh = "呼出时对方看到的号码；留空用坐席分机号。", .help_en = "The number that is shown on calls out; empty: the agent's extension."},
	{"outbound", RES_BOOL, "可呼出", "Calls out", 0, .fallback = "true",
	 .help_zh = "按名称排序，呼出走第一条可呼出的线路。", .help_en = "Calls out take the first such trunk, by name."},
	{"barred", RES_TEXT, "禁拨号码", "Barred numbers", RES_HIDE_LIST, .max = 500, .fallback = "00 + !0086 !+86",
	 .help_zh = "以这些数字开头的号码不能呼出，用空格分开；前加“!”为例外，以较长的为准；只填“!”则全部放开。默认只禁国际长途，防止盗打。",
	 .help_en = "Numbers that begin so cannot be dialled out; parted by blanks. With \"!\" before it, it is an exception; the longer one "
		    "counts; a lone \"!\" bars nothing. As it comes, only calls abroad are barred: who steals a log-in shall not dial at your expense."},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true"},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	check_ipv4(c, row, "host");
	check_chars(c, row, "barred", "0123456789*#+! ");
	return 0;
}

const struct res_def people_trunks = {
	.name = "trunks", .table = "trunks", .zh = "中继", .en = "Trunks",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.read = ROLE_SUPERVISOR | ROLE_ADMIN, .write = ROLE_ADMIN,
	.before_write = before_write,
	.configures_switch = true,
};
