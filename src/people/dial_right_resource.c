/*
 * Who may dial what: a call out must be allowed by its trunk and by its person. For a person the row that names him counts, else his
 * role's, else everyone's; without any row everything but premium, abroad and what cannot be read is allowed (number/guard.h).
 */
#include "people/declared.h"

#include <string.h>

static const struct res_option scopes[] = {
	{"everyone", "所有人", "Everyone"}, {"role", "一种角色", "A role"}, {"user", "一个人", "A person"}, {"trunk", "一条中继", "A trunk"}, {NULL},
};
static const struct res_option abroads[] = {{"none", "不允许", "None"}, {"some", "只允许下列国家和地区", "These countries"}, {"all", "全部", "All"}, {NULL}};

#define CLASS(column, zh, en) {column, RES_BOOL, zh, en, RES_HIDE_LIST, .fallback = "true"}

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_SEARCH, .max = 64},
	{"scope", RES_ENUM, "适用于", "Holds for", RES_REQUIRED | RES_CREATE_ONLY, .fallback = "everyone", .options = scopes,
	 .help_zh = "一通呼出须同时被中继和人允许；对人：先看他本人的，再看角色的，再看所有人的。没有设置时，除国际、声讯和认不出的号码外都允许。",
	 .help_en = "A call must be allowed by its trunk and its person; for a person his own row counts, else his role's, else everyone's. "
		    "Without any row all is allowed but abroad, premium and what cannot be read."},
	{"role", RES_KEY, "角色", "Role", RES_REQUIRED | RES_CREATE_ONLY, .fallback = "agent", .ref = "roles", .show_if = "scope=role"},
	{"user_id", RES_REF, "人员", "Person", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "users", .show_if = "scope=user"},
	{"trunk_id", RES_REF, "中继", "Trunk", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "trunks", .show_if = "scope=trunk"},
	CLASS("local", "市话", "Local calls"),
	CLASS("domestic", "国内长途固话", "Fixed lines elsewhere"),
	CLASS("mobile", "手机", "Mobiles"),
	CLASS("shared", "400 号码", "400 numbers"),
	CLASS("free", "800 号码", "800 numbers"),
	CLASS("service", "95/96/100xx/123xx 等服务短号", "Service numbers (95, 96, 100xx, 123xx)"),
	CLASS("short", "对端交换机的短号", "Short numbers of an exchange"),
	{"premium", RES_BOOL, "声讯台（16x、968、118）", "Premium (16x, 968, 118)", 0, .fallback = "false"},
	{"abroad", RES_ENUM, "国际及港澳台", "Abroad", 0, .fallback = "none", .options = abroads},
	{"countries", RES_TEXT, "允许的国家和地区代码", "Countries allowed", RES_REQUIRED | RES_HIDE_LIST, .max = 200, .show_if = "abroad=some",
	 .help_zh = "国际代码，用空格分开，例如 852 853 886 1。", .help_en = "Country codes parted by blanks, such as 852 853 886 1."},
	{"other", RES_BOOL, "认不出的号码", "What cannot be read", RES_HIDE_LIST, .fallback = "false",
	 .help_zh = "功能码（*72）、179xx 选网号码等；交换机可能据此拨出国际电话。", .help_en = "Codes (*72), carrier selection (179xx) and such: an exchange might make a call abroad of it."},
	{"barred", RES_TEXT, "另外禁拨", "Barred besides", RES_HIDE_LIST, .max = 500,
	 .help_zh = "以这些数字开头的号码不能呼出，用空格分开；前加“!”为例外，以较长的为准。",
	 .help_en = "Numbers that begin so cannot be dialled; parted by blanks. With \"!\" before it, it is an exception; the longer one counts."},
	{"minutes_day", RES_INT, "每天外呼分钟数", "Minutes a day", 0, .min = 0, .max = 1000000, .fallback = "0",
	 .help_zh = "每人（或这条中继）每天接通的外呼分钟；0 表示不限。", .help_en = "Of answered calls out, for each person (or the trunk); 0: no limit."},
	{"abroad_minutes_day", RES_INT, "其中国际和声讯", "Of them abroad and premium", RES_HIDE_LIST, .min = 0, .max = 1000000, .fallback = "60"},
	{"call_max_min", RES_INT, "单次通话最长（分钟）", "Longest call (minutes)", RES_HIDE_LIST, .min = 0, .max = 1440, .fallback = "0",
	 .help_zh = "到时挂断；0 表示不限。", .help_en = "Then it is cut; 0: never."},
	{"odd_from", RES_INT, "夜间告警从（点）", "Odd hours from", RES_HIDE_LIST, .min = 0, .max = 24, .fallback = "22", .show_if = "scope=everyone",
	 .help_zh = "这段时间里有人打国际或声讯就告警。", .help_en = "A call abroad or to a premium number in these hours raises an alarm."},
	{"odd_to", RES_INT, "夜间告警到（点）", "Odd hours to", RES_HIDE_LIST, .min = 0, .max = 24, .fallback = "7", .show_if = "scope=everyone"},
	{"abroad_burst", RES_INT, "十分钟内国际呼叫告警", "Alarm: calls abroad in ten minutes", RES_HIDE_LIST, .min = 0, .max = 10000, .fallback = "5",
	 .show_if = "scope=everyone", .help_zh = "同一人、同一话机或同一中继；0 不告警。", .help_en = "By one person, device or trunk; 0: none."},
	{"short_burst", RES_INT, "十分钟内短呼叫告警", "Alarm: short calls in ten minutes", RES_HIDE_LIST, .min = 0, .max = 10000, .fallback = "20",
	 .show_if = "scope=everyone", .help_zh = "接通不到六秒的外呼；中继按五倍计。0 不告警。", .help_en = "Answered for less than six seconds; five times as many for a trunk. 0: none."},
};

static const char *const unique[] = {"scope,role,user_id,trunk_id", NULL};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	check_chars(c, row, "barred", "0123456789*#+! ");
	check_chars(c, row, "countries", "0123456789 ");
	return 0;
}

const struct res_def people_dial_rights = {
	.name = "dial_rights", .table = "dial_rights", .zh = "外呼权限", .en = "Dialling rights",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "scope", .unique = unique,
	.group = "telephony",
	.before_write = before_write,
	.configures_switch = true,
};
