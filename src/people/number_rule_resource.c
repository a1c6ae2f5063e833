/* What a trunk's number form does not cover: ordered rules on the carrier's digits; the first that fits counts. */
#include "people/declared.h"

static const struct res_option dirs[] = {{"in", "呼入", "In"}, {"out", "呼出", "Out"}, {NULL}};
static const struct res_option whiches[] = {{"called", "被叫号码", "The number called"}, {"calling", "主叫号码", "The caller's number"}, {NULL}};

static const struct res_field fields[] = {
	{"trunk_id", RES_REF, "中继", "Trunk", RES_REQUIRED | RES_SEARCH, .ref = "trunks"},
	{"dir", RES_ENUM, "方向", "Direction", RES_REQUIRED, .fallback = "out", .options = dirs,
	 .help_zh = "呼入：先按规则改运营商送来的号码，再识别。呼出：写成运营商的格式后，再按规则改。",
	 .help_en = "In: on what the carrier delivers, before it is read. Out: on what was written in the carrier's form."},
	{"which", RES_ENUM, "改哪个号码", "On", RES_REQUIRED, .fallback = "called", .options = whiches},
	{"sort", RES_INT, "次序", "Order", 0, .min = 0, .max = 9999, .fallback = "10",
	 .help_zh = "从小到大，第一条符合的规则生效，后面的不再看。", .help_en = "Smaller first; the first rule that fits counts, and no other."},
	{"begins", RES_TEXT, "号码开头", "Begins with", RES_SEARCH, .max = 32, .help_zh = "留空：任何号码。", .help_en = "Empty: any number."},
	{"len", RES_INT, "号码长度", "Length", 0, .min = 0, .max = 32, .fallback = "0", .help_zh = "0：不论长短。", .help_en = "0: any."},
	{"strip", RES_INT, "去掉前几位", "Remove digits in front", 0, .min = 0, .max = 32, .fallback = "0"},
	{"put", RES_TEXT, "前面加上", "Put in front", 0, .max = 32},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH, .max = 200},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true"},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	check_chars(c, row, "begins", "0123456789+*#");
	check_chars(c, row, "put", "0123456789+*#");
	return 0;
}

const struct res_def people_number_rules = {
	.name = "number_rules", .table = "number_rules", .zh = "号码规则", .en = "Number rules",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "begins", .order = "sort",
	.group = "telephony",
	.before_write = before_write,
	.configures_switch = true,
};
