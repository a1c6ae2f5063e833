/*
 * Lines to carriers: by address, or registered there like a telephone. A carrier's password must be said again in clear to answer
 * its challenges, so it is sealed (sealed.c) and never read by the API.
 */
#include "people/declared.h"

#include <arpa/inet.h>
#include <string.h>

static const struct res_option kinds[] = {
	{"address", "固定地址", "By address"},
	{"register", "注册", "By registration"},
	{NULL},
};

static const struct res_option transports[] = {
	{"udp", "UDP", "UDP"},
	{"tcp", "TCP", "TCP"},
	{"tls", "TLS", "TLS"},
	{NULL},
};

#define PLAIN RES_HIDE_LIST

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"kind", RES_ENUM, "接入方式", "Kind", RES_REQUIRED, .fallback = "address", .options = kinds,
	 .help_zh = "运营商给了固定地址的选“固定地址”；给了账号和密码、要求登录的选“注册”。",
	 .help_en = "\"By address\" when the carrier gave you addresses; \"by registration\" when it gave you an account to log in with."},
	{"host", RES_TEXT, "对端地址", "Address", RES_REQUIRED | RES_SEARCH, .max = 253,
	 .help_zh = "运营商或网关的地址或域名（注册方式填注册服务器）。来自这个地址的呼叫不需要密码，请只填可信的。",
	 .help_en = "Address or host name of the carrier or gateway (by registration: the registrar). Calls from it need no password: "
		    "enter only one you trust."},
	{"port", RES_INT, "端口", "Port", 0, .min = 0, .max = 65535, .fallback = "5060",
	 .help_zh = "呼出时发往的端口；呼入可来自任意端口。填 0：由域名的 SRV 记录决定。",
	 .help_en = "Port for calls out; calls in may come from any. 0: as the name's SRV records say."},
	{"transport", RES_ENUM, "传输", "Transport", PLAIN, .fallback = "udp", .options = transports},
	{"tls_pin", RES_TEXT, "证书指纹", "Certificate fingerprint", PLAIN, .max = 64, .show_if = "transport=tls",
	 .help_zh = "对端证书的 SHA-256（64 位十六进制，不含冒号）。留空：须由系统信任的机构签发，且与域名一致。",
	 .help_en = "SHA-256 of the carrier's certificate, 64 hex digits without colons. Empty: it must be signed for the name by an authority "
		    "that the system trusts."},
	{"sources", RES_TEXT, "其他来电地址", "Further sources", PLAIN, .max = 1000,
	 .help_zh = "来电还可能来自这些地址或网段，用空格分开，例如 203.0.113.7 198.51.100.0/24。",
	 .help_en = "Calls in may also come from these addresses and networks, parted by blanks, such as 203.0.113.7 198.51.100.0/24."},
	{"username", RES_TEXT, "账号", "Account", PLAIN, .max = 64,
	 .help_zh = "注册方式必填；固定地址时，运营商要求验证才填。", .help_en = "Needed to register; by address only when the carrier asks for it."},
	{"auth_user", RES_TEXT, "认证账号", "Authentication user", PLAIN, .max = 128,
	 .help_zh = "与账号不同时才填。", .help_en = "Only when it differs from the account."},
	{"secret", RES_SECRET, "密码", "Password", 0, .max = 128,
	 .help_zh = "运营商给的密码，加密保存，以后不再显示。", .help_en = "From the carrier. Kept encrypted, never shown again."},
	{"proxy", RES_TEXT, "出局代理", "Outbound proxy", PLAIN, .max = 260,
	 .help_zh = "运营商另给了代理服务器时填，形如 sbc.example.com 或 192.0.2.1:5060。",
	 .help_en = "Only when the carrier names one, such as sbc.example.com or 192.0.2.1:5060."},
	{"expires_s", RES_INT, "注册有效期（秒）", "Registration lasts (s)", PLAIN, .min = 60, .max = 7200, .fallback = "600",
	 .show_if = "kind=register"},
	{"auth_in", RES_BOOL, "来电验证密码", "Calls in need the password", PLAIN, .fallback = "false",
	 .help_zh = "运营商没有固定地址时用：来电须用上面的账号和密码认证。",
	 .help_en = "For a carrier without a fixed address: its calls must authenticate with the account and password above."},
	{"calls_max", RES_INT, "并发上限", "Calls at once", 0, .min = 0, .max = 100000, .fallback = "0",
	 .help_zh = "运营商允许的同时通话数，呼入呼出合计；0 表示不限。", .help_en = "As many calls as the carrier allows, in and out together; 0: no limit."},
	{"calls_per_s", RES_INT, "每秒呼叫上限", "Calls a second", PLAIN, .min = 0, .max = 1000, .fallback = "0",
	 .help_zh = "每秒新呼叫数；0 表示不限。", .help_en = "New calls a second; 0: no limit."},
	{"turn", RES_INT, "次序", "Order", 0, .min = 1, .max = 100, .fallback = "1",
	 .help_zh = "呼出先用数字小的中继，不通时换下一条。", .help_en = "Calls out try the smaller number first, and go on to the next when it fails."},
	{"weight", RES_INT, "权重", "Weight", PLAIN, .min = 1, .max = 100, .fallback = "1",
	 .help_zh = "次序相同的中继按权重分担。", .help_en = "Trunks of the same order share the calls by weight."},
	{"answer_s", RES_INT, "无应答换线（秒）", "Give up after (s)", PLAIN, .min = 1, .max = 32, .fallback = "5",
	 .help_zh = "这么久没有任何回应就换下一条中继。", .help_en = "Without any answer for so long, the next trunk is tried."},
	{"options_s", RES_INT, "探测间隔（秒）", "Supervise every (s)", PLAIN, .min = 0, .max = 3600, .fallback = "30",
	 .help_zh = "用 OPTIONS 探测中继；0 表示不探测。", .help_en = "Asks by OPTIONS whether the carrier is there; 0: never."},
	{"options_fails", RES_INT, "几次不应算中断", "Down after (failures)", PLAIN, .min = 1, .max = 10, .fallback = "3"},
	FIELD_CODECS,
	FIELD_SRTP,
	FIELD_SRTP_ANY,
	{"caller_id", RES_TEXT, "外显号码", "Caller id", RES_NUMBER,
	 .help_zh = "呼出时对方看到的号码；留空用坐席分机号。", .help_en = "The number that is shown on calls out; empty: the agent's extension."},
	{"outbound", RES_BOOL, "可呼出", "Calls out", 0, .fallback = "true"},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true"},
};

/* Every word an address or a network: "203.0.113.7", "2001:db8::/32". */
static void check_networks(struct res_ctx *c, const json_t *row, const char *field)
{
	char word[64];
	size_t n;

	for (const char *p = row_text(row, field); *p; p += n + strspn(p + n, " ")) {
		unsigned char a[16];
		char *slash;
		int64_t bits = 0, most;

		n = strcspn(p, " ");
		if (n >= sizeof(word))
			goto bad;
		memcpy(word, p, n);
		word[n] = '\0';
		slash = strchr(word, '/');
		if (slash)
			*slash++ = '\0';
		most = inet_pton(AF_INET, word, a) == 1 ? 32 : inet_pton(AF_INET6, word, a) == 1 ? 128 : 0;
		if (!most || (slash && !str_to_i64(&bits, slash, 8, most)))
			goto bad;
	}
	return;
bad:
	res_fail(c, 422, "invalid", field, "format");
}

static void need(struct res_ctx *c, const json_t *row, const char *field)
{
	if (!json_object_get(row, field) || *row_text(row, field))
		return;
	res_fail(c, 422, "invalid", field, "required");
}

static void seal(struct res_ctx *c, json_t *row)
{
	const char *given = row_text(c->body, "secret");
	char *sealed;

	if (!*given || !json_object_get(row, "secret"))
		return;
	sealed = people_seal(given);
	if (!sealed)
		res_fail(c, 422, "invalid", "secret", "no_key");
	else
		row_set(row, "secret", json_string(sealed));
	free(sealed);
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	check_host(c, row, "host", false);
	check_codecs(c, row, "codecs");
	check_host(c, row, "proxy", true);
	check_networks(c, row, "sources");
	check_chars(c, row, "username", SIP_USER_CHARS);
	check_chars(c, row, "tls_pin", "0123456789abcdefABCDEF");
	if (*row_text(row, "tls_pin") && strlen(row_text(row, "tls_pin")) != 64)
		res_fail(c, 422, "invalid", "tls_pin", "format");
	check_chars(c, row, "auth_user", SIP_USER_CHARS "@");
	if (!strcmp(row_text(row, "kind"), "register") || row_bool(row, "auth_in"))
		need(c, row, "username");
	seal(c, row);
	if (row_bool(row, "auth_in"))
		need(c, row, "secret");
	return 0;
}

const struct res_def people_trunks = {
	.name = "trunks", .table = "trunks", .zh = "中继", .en = "Trunks",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.group = "telephony",
	.before_write = before_write,
	.configures_switch = true,
};
