/*
 * Telephones that register. Digest needs HA1, so a device's secret is its own, never a person's password; we keep the HA1
 * of both algorithms with the realm they were made for, and show the secret once.
 */
#include "people/declared.h"

#include <string.h>

#define SECRET_GROUPS 5 /* 83 bits: a sniffed digest can be tried offline */

static const struct res_option kinds[] = {
	{"phone", "话机（注册）", "Phone (registers)"},
	{"static", "固定地址", "Fixed address"},
	{NULL},
};

static const struct res_field fields[] = {
	{"name", RES_TEXT, "设备名", "Device name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH | RES_CREATE_ONLY, .max = 32,
	 .help_zh = "话机上填写的 SIP 用户名，例如 8001；建好后不能改。",
	 .help_en = "The SIP user name that is entered in the phone, such as 8001. Cannot be changed later."},
	{"user_id", RES_REF, "使用人", "Person", RES_SEARCH, .ref = "users",
	 .help_zh = "谁的电话响在这台话机上；会议室等公用话机可留空。",
	 .help_en = "Whose calls ring here. Leave empty for a phone of no one person, such as in a meeting room."},
	{"kind", RES_ENUM, "类型", "Kind", RES_REQUIRED, .fallback = "phone", .options = kinds,
	 .help_zh = "普通话机用设备名和密钥注册；“固定地址”用于从不注册、地址不变的设备。",
	 .help_en = "An ordinary phone registers with its name and secret. A fixed address is for equipment that never registers."},
	{"secret", RES_SECRET, "密钥", "Secret", 0, .min = 12, .max = 64, .show_if = "kind=phone",
	 .help_zh = "留空自动生成，只显示一次，请随即填入话机；丢失后可重新生成。",
	 .help_en = "Left empty: generated and shown once, to be entered in the phone. When lost, generate a new one."},
	{"static_uri", RES_TEXT, "固定地址", "Fixed address", RES_REQUIRED | RES_HIDE_LIST, .max = 128, .show_if = "kind=static",
	 .help_zh = "形如 sip:8001@192.168.1.20:5060 或 sip:8001@[2001:db8::20];transport=tcp，主机须为数字地址。",
	 .help_en = "Such as sip:8001@192.168.1.20:5060 or sip:8001@[2001:db8::20];transport=tcp; the host is a numeric address."},
	{"auto_answer", RES_BOOL, "自动接听", "Auto-answer", 0, .fallback = "false",
	 .help_zh = "请话机自动摘机（话机须支持 Alert-Info）。", .help_en = "Asks the phone to answer by itself (it must know Alert-Info)."},
	FIELD_CODECS,
	FIELD_SRTP,
	FIELD_SRTP_ANY,
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH, .max = 200},
};

/* "w17" is the browser of user 17. */
static bool is_browser_name(const char *name)
{
	return name[0] == 'w' && name[1] && strspn(name + 1, "0123456789") == strlen(name + 1);
}

static void set_secret(json_t *row, const char *plain)
{
	char md5[33], sha256[65], *text;

	people_ha1(md5, sha256, row_text(row, "name"), people_realm(), plain);
	text = xasprintf("%s:%s:%s", md5, sha256, people_realm());
	row_set(row, "secret", json_string(text));
	free(text);
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	const char *given = row_text(c->body, "secret"), *name = row_text(row, "name");
	char made[40];

	check_chars(c, row, "name", SIP_USER_CHARS);
	if (is_browser_name(name))
		res_fail(c, 422, "invalid", "name", "reserved");
	check_sip_uri(c, row, "static_uri");
	check_codecs(c, row, "codecs");
	if (strcmp(row_text(row, "kind"), "phone") != 0 || !json_object_get(row, "secret"))
		return 0;
	if (*given) {
		set_secret(row, given);
	} else if (!*row_text(row, "secret")) {
		people_password_random(made, sizeof(made), SECRET_GROUPS);
		set_secret(row, made);
		res_once(c, "secret", made);
	}
	return 0;
}

const struct res_def people_devices = {
	.name = "devices", .table = "devices", .zh = "话机", .en = "Devices",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.group = "telephony",
	.before_write = before_write,
	.configures_switch = true,
};
