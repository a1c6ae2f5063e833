/* Number prefixes as rows. Whole tables come by `huawu import-prefixes` (prefix.c). */
#include "people/declared.h"

#include <string.h>

#include "db/db.h"
#include "number/number.h"

static const struct res_option carriers[] = {
	{"mobile", "中国移动", "China Mobile"}, {"unicom", "中国联通", "China Unicom"}, {"telecom", "中国电信", "China Telecom"},
	{"broadcast", "中国广电", "China Broadnet"}, {"other", "其他", "Other"}, {NULL},
};

static const struct res_field fields[] = {
	{"prefix", RES_TEXT, "号段", "Prefix", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .min = 3, .max = 9,
	 .help_zh = "国内号码的前 3 到 9 位，如 1380013、0755。同时符合几条时，最长的生效。", .help_en = "The first 3 to 9 digits of a mainland number: 1380013, 0755. Of several the longest counts."},
	{"province", RES_TEXT, "省份", "Province", RES_SEARCH, .max = 12},
	{"city", RES_TEXT, "城市", "City", RES_SEARCH, .max = 20},
	{"area", RES_TEXT, "区号", "Area code", RES_SEARCH, .max = 4,
	 .help_zh = "如 0755。决定外地手机前要不要加 0，英文界面也靠它显示地名。",
	 .help_en = "As 0755. It decides whether a mobile is dialled with a 0, and gives the English name of the place."},
	{"carrier", RES_ENUM, "运营商", "Carrier", 0, .options = carriers},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	char area[5];

	check_chars(c, row, "prefix", "0123456789");
	if (!num_area(area, row_text(row, "area")))
		res_fail(c, 422, "invalid", "area", "format");
	return 0;
}

static int raise_version(struct res_ctx *c)
{
	return db_run(c->db,
		      "INSERT INTO number_prefix_state (centre_id, version, changed_ms) VALUES ($1, 1, $2)"
		      " ON CONFLICT (centre_id) DO UPDATE SET version = number_prefix_state.version + 1, changed_ms = excluded.changed_ms",
		      "ii", c->who->centre_id, c->now_ms);
}

static int after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	return raise_version(c);
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	return raise_version(c);
}

const struct res_def people_number_prefixes = {
	.name = "number_prefixes", .table = "number_prefixes", .zh = "号码归属地", .en = "Number regions",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "prefix", .order = "prefix",
	.group = "telephony",
	.before_write = before_write, .after_write = after_write, .before_delete = before_delete,
};
