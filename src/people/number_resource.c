#include "people/declared.h"

static const struct res_option dests[] = {
	{"queue", "队列", "Queue"},
	{"user", "个人", "Person"},
	{"uri", "SIP 地址", "SIP address"},
	{NULL},
};

static const struct res_field fields[] = {
	{"number", RES_TEXT, "号码", "Number", RES_REQUIRED | RES_SEARCH, .max = 32,
	 .help_zh = "中继送来的被叫号码，须与送来的一字不差（是否带区号、+86 等）。",
	 .help_en = "The number called, exactly as the trunk delivers it (with or without area code, +86 and so on)."},
	{"trunk_id", RES_REF, "中继", "Trunk", RES_SEARCH, .ref = "trunks",
	 .help_zh = "留空：从任何中继来的都算。", .help_en = "Empty: from any trunk."},
	{"dest", RES_ENUM, "去向", "Goes to", RES_REQUIRED, .fallback = "queue", .options = dests},
	{"queue_id", RES_REF, "队列", "Queue", RES_REQUIRED | RES_SEARCH, .ref = "queues", .show_if = "dest=queue"},
	{"user_id", RES_REF, "个人", "Person", RES_REQUIRED | RES_SEARCH, .ref = "users", .show_if = "dest=user"},
	{"uri", RES_TEXT, "SIP 地址", "SIP address", RES_REQUIRED | RES_HIDE_LIST, .max = 128, .show_if = "dest=uri",
	 .help_zh = "形如 sip:1000@192.168.1.20:5060 或 sip:1000@[2001:db8::20];transport=tcp，主机须为数字地址。",
	 .help_en = "Such as sip:1000@192.168.1.20:5060 or sip:1000@[2001:db8::20];transport=tcp; the host is a numeric address."},
	{"record", RES_BOOL, "录音", "Record", RES_HIDE_LIST, .fallback = "true", .show_if = "dest=user|uri",
	 .help_zh = "去队列的来电按队列的设置录音。", .help_en = "Calls to a queue are recorded as the queue says."},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH, .max = 200},
};

static const char *const unique[] = {"number,trunk_id", NULL};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	check_chars(c, row, "number", SIP_USER_CHARS);
	check_sip_uri(c, row, "uri");
	return 0;
}

const struct res_def people_numbers = {
	.name = "numbers", .table = "numbers", .zh = "号码", .en = "Numbers",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "number", .order = "number", .unique = unique,
	.group = "telephony",
	.before_write = before_write,
	.configures_switch = true,
};
