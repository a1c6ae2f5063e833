/*
 * How a trunk's carrier writes numbers, and how ours is shown: one row a trunk, without one numbers pass as they are. A preset fills
 * in what carriers of a kind commonly want; whoever changes a detail afterwards has a form of his own ("custom").
 */
#include "people/declared.h"

#include <string.h>

#include "number/table.h"

static const struct res_option forms[] = {
	{"raw", "原样", "Unchanged"},
	{"e164", "+86 开头（+8613800138000）", "With +86 (+8613800138000)"},
	{"bare", "86 开头不带加号（8613800138000）", "With 86, no plus (8613800138000)"},
	{"intl", "0086 开头（008613800138000）", "With 0086 (008613800138000)"},
	{"national", "区号+号码，手机不加 0（01062345678、13800138000）", "Area code, mobiles without 0 (01062345678, 13800138000)"},
	{"local", "市话拨法（62345678，外地手机加 0）", "As dialled locally (62345678, 0 before mobiles of other cities)"},
	{NULL},
};

static const struct res_option presets[] = {
	{"ims", "IMS 中继（+86 写法）", "IMS trunk (+86...)"},
	{"ims_account", "IMS 注册账号（+86，From 用账号）", "IMS account (+86..., From is the account)"},
	{"national", "全国写法（区号+号码，手机不加 0）", "National (area code, mobiles without 0)"},
	{"local", "市话写法（外地手机加 0）", "Local (0 before mobiles of other cities)"},
	{"bare", "86 开头、不带加号", "86... without plus"},
	{"raw", "原样（交换机、网关内线）", "Unchanged (an exchange)"},
	{"custom", "自定义", "Custom"},
	{NULL},
};

static const struct res_option from_users[] = {
	{"number", "外显号码", "The number shown"},
	{"account", "中继账号", "The trunk's account"},
	{NULL},
};

static const struct res_field fields[] = {
	{"trunk_id", RES_REF, "中继", "Trunk", RES_REQUIRED | RES_UNIQUE | RES_SEARCH | RES_CREATE_ONLY, .ref = "trunks"},
	{"preset", RES_ENUM, "常见写法", "Preset", RES_REQUIRED, .fallback = "national", .options = presets,
	 .help_zh = "先选与运营商说明最接近的一种，再用“试拨号码”看结果，需要时改下面各项。",
	 .help_en = "Take what is nearest to the carrier's description, look at the result in the try-it box, and change the details where needed."},
	{"area", RES_TEXT, "所在区号", "Area code", 0, .max = 5,
	 .help_zh = "这条中继的归属地区号，例如 010、0755；来电只送本地号码、或外地手机要加 0 时必填。",
	 .help_en = "Of the place the trunk belongs to, such as 010 or 0755. Needed when local numbers come without it, or mobiles of other cities need a 0."},
	{"called", RES_ENUM, "被叫号码写法", "Form of the number called", RES_REQUIRED, .fallback = "national", .options = forms},
	{"shown", RES_ENUM, "主叫号码写法", "Form of our number", RES_REQUIRED, .fallback = "national", .options = forms},
	{"numbers", RES_TEXT, "外显号码", "Numbers shown", 0, .max = 300,
	 .help_zh = "可填多个，用空格分开：同一位客户总是看到同一个。留空用中继上填的外显号码。",
	 .help_en = "Several are parted by blanks: the same customer always sees the same one. Empty: the trunk's caller id."},
	{"hide", RES_BOOL, "隐藏主叫号码", "Hide our number", RES_HIDE_LIST, .fallback = "false"},
	{"from_user", RES_ENUM, "From 里放", "In From stands", RES_REQUIRED | RES_HIDE_LIST, .fallback = "number", .options = from_users},
	{"domain", RES_TEXT, "From 的域", "Domain of From", RES_HIDE_LIST, .max = 120,
	 .help_zh = "运营商指定时填，例如 ims.example.com；留空用对端地址。", .help_en = "Where the carrier names one, such as ims.example.com; empty: its address."},
	{"pai", RES_BOOL, "带 P-Asserted-Identity", "Send P-Asserted-Identity", RES_HIDE_LIST, .fallback = "false"},
	{"ppi", RES_BOOL, "带 P-Preferred-Identity", "Send P-Preferred-Identity", RES_HIDE_LIST, .fallback = "false"},
	{"rpid", RES_BOOL, "带 Remote-Party-ID", "Send Remote-Party-ID", RES_HIDE_LIST, .fallback = "false"},
};

static const struct num_preset *preset_of(const char *code)
{
	for (size_t i = 0; i < num_preset_n; i++)
		if (!strcmp(num_presets[i].code, code))
			return &num_presets[i];
	return NULL;
}

static void fill(json_t *row, const struct num_preset *p)
{
	row_set(row, "called", json_string(num_form_name(p->called)));
	row_set(row, "shown", json_string(num_form_name(p->shown)));
	row_set(row, "from_user", json_string(p->from_account ? "account" : "number"));
	row_set(row, "pai", json_boolean(p->pai));
	row_set(row, "ppi", json_boolean(p->ppi));
	row_set(row, "rpid", json_boolean(p->rpid));
}

static bool is_as(const json_t *row, const struct num_preset *p)
{
	return !strcmp(row_text(row, "called"), num_form_name(p->called)) && !strcmp(row_text(row, "shown"), num_form_name(p->shown)) &&
	       !strcmp(row_text(row, "from_user"), p->from_account ? "account" : "number") && row_bool(row, "pai") == p->pai &&
	       row_bool(row, "ppi") == p->ppi && row_bool(row, "rpid") == p->rpid;
}

/* A preset chosen anew fills in the details; a detail changed makes it custom. */
static void follow_preset(json_t *row, const json_t *old)
{
	const struct num_preset *p = preset_of(row_text(row, "preset"));

	if (!p)
		return;
	if (!old || strcmp(row_text(old, "preset"), p->code) != 0)
		fill(row, p);
	else if (!is_as(row, p))
		row_set(row, "preset", json_string("custom"));
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	char area[5];

	check_chars(c, row, "domain", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
	check_chars(c, row, "numbers", "0123456789+ ");
	if (!num_area(area, row_text(row, "area")))
		res_fail(c, 422, "invalid", "area", "format");
	follow_preset(row, old);
	if (!*row_text(row, "area") && !strcmp(row_text(row, "called"), "local"))
		res_fail(c, 422, "invalid", "area", "required");
	return 0;
}

const struct res_def people_number_forms = {
	.name = "number_forms", .table = "number_forms", .zh = "号码格式", .en = "Number forms",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "preset", .order = "trunk_id",
	.group = "telephony",
	.before_write = before_write,
	.configures_switch = true,
};
