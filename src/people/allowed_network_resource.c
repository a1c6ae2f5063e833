/* Addresses and networks that telephony never bans, however often a password is wrong there. */
#include "people/declared.h"

#include <arpa/inet.h>
#include <string.h>

static const struct res_field fields[] = {
	{"network", RES_TEXT, "地址或网段", "Address or network", RES_REQUIRED | RES_SEARCH, .max = 64,
	 .help_zh = "例如 192.0.2.1、10.0.0.0/8、2001:db8::/32。从这里来的 SIP 请求怎样失败都不封禁；只填自己管得住的网络。",
	 .help_en = "Such as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32. However often SIP requests from there fail, nothing is banned: only networks in "
		    "your own hands belong here."},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH, .max = 200},
};

static const char *const unique[] = {"network", NULL};

static bool is_network(const char *text)
{
	const char *slash = strchr(text, '/');
	struct in6_addr a;
	char host[64];
	int64_t bits;

	(void)str_copy(host, sizeof(host), text);
	host[strcspn(host, "/")] = '\0';
	if (inet_pton(AF_INET, host, &a) == 1)
		return !slash || str_to_i64(&bits, slash + 1, 1, 32);
	return inet_pton(AF_INET6, host, &a) == 1 && (!slash || str_to_i64(&bits, slash + 1, 1, 128));
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	if (!is_network(row_text(row, "network")))
		res_fail(c, 422, "invalid", "network", "format");
	return 0;
}

const struct res_def people_allowed_networks = {
	.name = "allowed_networks", .table = "allowed_networks", .zh = "免封禁网络", .en = "Networks never banned",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "network", .order = "network", .unique = unique,
	.group = "access",
	.before_write = before_write,
	.configures_switch = true,
};
