/* All declared resources, in the order in which the page lists them; and the forms that several hooks check. */
#include "people/declared.h"
#include "people/rights.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* A program may be linked with one more (tests/browser/declared_resource.c). In others its address is NULL, which ends the list. */
extern const struct res_def people_one_more __attribute__((weak));

const struct res_def *const res_all[] = {
	&people_customers, &people_customer_phones, &people_customer_requests, &people_customer_types, &people_customer_sources,
	&people_contact_reasons, &people_contact_results, &people_notes, &people_note_templates, &people_pool_settings, &people_recycle_rules,
	&people_allocations, &people_custom_fields,
	&people_visits, &people_deals, &people_goals, &people_callbacks, &people_todo_settings, &people_absences, &people_notices,
	&campaign_campaigns, &campaign_agents, &campaign_teams, &campaign_numbers, &campaign_leads, &campaign_dials, &campaign_guarded,
	&campaign_do_not_call, &campaign_windows, &campaign_holidays, &campaign_retry_rules, &campaign_settings, &campaign_shown_numbers,
	&people_users, &people_teams, &people_departments, &people_roles, &people_leaves, &people_queues, &people_members, &people_numbers,
	&people_devices, &people_trunks, &people_number_forms, &people_number_rules, &people_dial_rights, &people_number_prefixes,
	&people_call_sounds, &people_breaks, &people_tokens, &people_allowed_networks, &people_faults, &people_imports, &people_exports, &people_privacy_settings,
	&people_views, &people_list_prefs, &people_one_more, NULL,
};

static void bad_format(struct res_ctx *c, const char *field)
{
	res_fail(c, 422, "invalid", field, "format");
}

void check_chars(struct res_ctx *c, const json_t *row, const char *field, const char *chars)
{
	const char *s = row_text(row, field);

	if (s[strspn(s, chars)])
		bad_format(c, field);
}

int check_role_below(struct res_ctx *c, const char *role)
{
	const struct people_rights *p = NULL;
	int r = c->who->system || !*role ? -ENOENT : people_rights_find(&p, c->db, c->who->centre_id, role);

	if (r)
		return r == -ENOENT ? 0 : r;
	if (c->who->rights && people_rights_within(p, people_rights_of(c->who)))
		return 0;
	res_fail(c, 403, "more_than_own", NULL, NULL);
	return 1;
}

int check_within(struct res_ctx *c, const struct res_def *d, const struct res_def *to, const json_t *row, const json_t *old, const char *field)
{
	int64_t id = row_id(row, field);
	struct res_error e = {0};
	struct res_ctx quiet = *c;
	int r;

	if (!id || c->who->system || (old && id == row_id(old, field)) || res_scope_of(c->who, d, RES_WRITE) == SCOPE_CENTRE)
		return 0;
	quiet.error = &e;
	r = res_may_row(&quiet, to, id, RES_WRITE);
	res_error_done(&e);
	if (r > 0)
		res_fail(c, 403, "out_of_scope", NULL, NULL);
	return r;
}

const struct res_option people_srtp[] = {
	{"off", "不用", "Off"},
	{"optional", "对方支持就用", "When the other side can"},
	{"required", "必须加密", "Required"},
	{NULL},
};

static bool codec_known(const char *s, size_t n)
{
	static const char *const names[] = {"pcma", "pcmu", "g722", "opus", "g729"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (n == strlen(names[i]) && !strncmp(s, names[i], n))
			return true;
	return false;
}

void check_codecs(struct res_ctx *c, json_t *row, const char *field)
{
	const char *s = row_text(row, field);
	char list[65] = "";
	size_t n = 0;

	for (; *s && n < sizeof(list) - 1; s++)
		if (*s != ' ')
			list[n++] = (char)(*s >= 'A' && *s <= 'Z' ? *s + 'a' - 'A' : *s);
	if (!n)
		return;
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, ",");

		if (!codec_known(p, len)) {
			bad_format(c, field);
			return;
		}
		p += len + (p[len] != '\0');
	}
	row_set(row, field, json_string(list));
}

/* "greeting" or "zh/greeting": no dot first in either part. */
static bool is_prompt(const char *s)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strspn(s, chars);

	if (!n || s[0] == '.')
		return false;
	if (s[n] != '/')
		return !s[n];
	s += n + 1;
	return *s && *s != '.' && !s[strspn(s, chars)];
}

void check_prompt(struct res_ctx *c, const json_t *row, const char *field)
{
	const char *s = row_text(row, field);

	if (*s && !is_prompt(s))
		bad_format(c, field);
}

static bool is_ipv4(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1 && a.s_addr;
}

void check_ipv4(struct res_ctx *c, const json_t *row, const char *field)
{
	const char *s = row_text(row, field);

	if (*s && !is_ipv4(s))
		bad_format(c, field);
}

/* A numeric address, or labels of letters, digits and hyphens; a name's last label is not all digits. */
static bool is_host(const char *s)
{
	unsigned char six[16];
	size_t n, digits = 0;

	if (is_ipv4(s) || inet_pton(AF_INET6, s, six) == 1)
		return true;
	for (; *s; s += n + (s[n] == '.')) {
		n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
		if (!n || n > 63 || *s == '-' || s[n - 1] == '-' || (s[n] && (s[n] != '.' || !s[n + 1])))
			return false;
		digits = n - strspn(s, "0123456789");
	}
	return digits;
}

void check_host(struct res_ctx *c, const json_t *row, const char *field, bool with_port)
{
	const char *s = row_text(row, field), *colon = strrchr(s, ':');
	char host[256];
	size_t len = strlen(s);
	int64_t port;

	if (with_port && colon && colon == strchr(s, ':')) { /* several colons: an IPv6 address */
		if (!str_to_i64(&port, colon + 1, 1, 65535))
			bad_format(c, field);
		len = (size_t)(colon - s);
	}
	if (len >= sizeof(host)) {
		bad_format(c, field);
		return;
	}
	memcpy(host, s, len);
	host[len] = '\0';
	if (*s && !is_host(host))
		bad_format(c, field);
}

/* "192.0.2.1" or "[2001:db8::1]" at the beginning of @s; answers what follows, NULL: neither. */
static const char *after_host(const char *s)
{
	bool six = *s == '[';
	size_t len = six ? strcspn(++s, "]") : strcspn(s, ":;");
	uint8_t addr[16];
	char host[64];

	if (len >= sizeof(host) || (six && !s[len]))
		return NULL;
	memcpy(host, s, len);
	host[len] = 0;
	if (six ? inet_pton(AF_INET6, host, addr) != 1 : !is_ipv4(host))
		return NULL;
	return s + len + six;
}

/* ":5060" or nothing, then ";transport=" of those there are or nothing. */
static bool is_port_and_transport(const char *s)
{
	static const char *const transports[] = {"", ";transport=udp", ";transport=tcp", ";transport=tls"};
	char port[8];
	size_t len;
	int64_t n;

	if (*s == ':') {
		len = strcspn(++s, ";");
		if (len >= sizeof(port))
			return false;
		memcpy(port, s, len);
		port[len] = 0;
		if (!str_to_i64(&n, port, 1, 65535))
			return false;
		s += len;
	}
	for (size_t i = 0; i < ARRAY_LEN(transports); i++)
		if (!strcmp(s, transports[i]))
			return true;
	return false;
}

static bool is_sip_uri(const char *s)
{
	size_t user;

	if (strncmp(s, "sip:", 4) != 0)
		return false;
	s += 4;
	user = strspn(s, SIP_USER_CHARS);
	if (!user || user > 64 || s[user] != '@')
		return false;
	s = after_host(s + user + 1);
	return s && is_port_and_transport(s);
}

void check_sip_uri(struct res_ctx *c, const json_t *row, const char *field)
{
	const char *s = row_text(row, field);

	if (*s && !is_sip_uri(s))
		bad_format(c, field);
}
