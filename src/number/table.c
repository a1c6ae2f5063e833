/* A trunk's number table; see table.h. */
#include "number/table.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

const struct num_table num_table_none = {0};

void num_trace_add(struct num_trace *tr, const char *what, int64_t rule_id, const char *before, const char *after)
{
	struct num_step *s;

	if (!tr || tr->n == NUM_STEPS_MAX)
		return;
	s = &tr->steps[tr->n++];
	s->what = what;
	s->rule_id = rule_id;
	(void)str_copy(s->before, sizeof(s->before), before);
	(void)str_copy(s->after, sizeof(s->after), after);
}

static bool fits(const struct num_rule *r, bool in, bool calling, const char *s)
{
	const char *begins = r->begins ? r->begins : "";

	return r->in == in && r->calling == calling && !strncmp(s, begins, strlen(begins)) && (!r->len || (size_t)r->len == strlen(s));
}

/* The first that fits. A rule that would take away everything and put nothing there is none. */
static void apply_rules(char s[NUM_TEXT_MAX], const struct num_table *t, bool in, bool calling, struct num_trace *tr)
{
	char out[NUM_TEXT_MAX];
	size_t n = strlen(s), strip;

	for (size_t i = 0; i < t->rule_n; i++) {
		const struct num_rule *r = &t->rules[i];

		if (!fits(r, in, calling, s))
			continue;
		strip = r->strip > 0 ? (size_t)r->strip : 0;
		(void)snprintf(out, sizeof(out), "%.32s%s", r->put ? r->put : "", s + (strip < n ? strip : n));
		if (!out[0])
			continue;
		num_trace_add(tr, "rule", r->id, s, out);
		memcpy(s, out, sizeof(out));
		return;
	}
}

bool num_inbound(struct num *ret, const struct num_table *t, bool calling, const char *text, struct num_trace *tr)
{
	char s[NUM_TEXT_MAX];

	*ret = (struct num){0};
	if (!text || !str_copy(s, sizeof(s), text))
		return false;
	apply_rules(s, t, true, calling, tr);
	if (!num_read_form(ret, s, t->called, t->area))
		return false;
	num_trace_add(tr, "read", 0, s, ret->text);
	return true;
}

/* What is written before the rules. */
static void write_form(char ret[NUM_TEXT_MAX], const struct num_table *t, bool calling, const struct num *n, const char *dialled, enum num_city city)
{
	enum num_form form = calling ? t->shown : t->called;
	char s[NUM_MAX];

	if (form == NUM_F_RAW) {
		(void)str_copy(ret, NUM_TEXT_MAX, dialled && *dialled ? dialled : n->text);
		return;
	}
	num_write(s, n, form, t->area, city);
	(void)str_copy(ret, NUM_TEXT_MAX, s);
}

bool num_uncovered(struct num *ret, const struct num_table *t, const struct num *n, const char *dialled, enum num_city city)
{
	char s[NUM_TEXT_MAX];

	write_form(s, t, false, n, dialled, city);
	for (size_t i = 0; i < t->rule_n; i++) {
		const struct num_rule *r = &t->rules[i];

		if (!fits(r, false, false, s) || (!(r->put && *r->put) && (r->strip <= 0 || (size_t)r->strip >= strlen(s))))
			continue;
		return r->strip > 0 && (size_t)r->strip < strlen(s) && num_read(ret, s + r->strip, t->area) &&
		       (ret->kind == NUM_ABROAD || ret->kind == NUM_PREMIUM) && n->kind != NUM_ABROAD && n->kind != NUM_PREMIUM;
	}
	return false;
}

void num_outbound(char ret[NUM_TEXT_MAX], const struct num_table *t, bool calling, const struct num *n, const char *dialled, enum num_city city,
		  struct num_trace *tr)
{
	enum num_form form = calling ? t->shown : t->called;

	write_form(ret, t, calling, n, dialled, city);
	if (form != NUM_F_RAW)
		num_trace_add(tr, num_form_name(form), 0, n->text, ret);
	apply_rules(ret, t, false, calling, tr);
}

/* ---- who we say we are ---- */

/* One of several, always the same for the same customer. */
static void choose(char *buf, size_t size, const char *list, const struct num *called)
{
	size_t count = 0, pick;
	unsigned hash = 5381;
	const char *p;

	for (p = list + strspn(list, " "); *p; p += strcspn(p, " "), p += strspn(p, " "))
		count++;
	for (p = called->text; *p; p++)
		hash = hash * 33 + (unsigned char)*p;
	pick = count ? hash % count : 0;
	for (p = list + strspn(list, " "); pick; pick--)
		p += strcspn(p, " "), p += strspn(p, " ");
	(void)snprintf(buf, size, "%.*s", (int)strcspn(p, " "), p);
}

static const char *shown_number(char buf[NUM_TEXT_MAX], const struct num_table *t, const char *caller_id, const struct num *called)
{
	if (!t->numbers || !t->numbers[strspn(t->numbers, " ")])
		return caller_id;
	choose(buf, NUM_TEXT_MAX, t->numbers, called);
	return buf;
}

void num_identify(struct num_identity *ret, const struct num_table *t, const char *caller_id, const char *account, const char *host,
		  const struct num *called, struct num_trace *tr)
{
	char chosen[NUM_TEXT_MAX], form[NUM_TEXT_MAX] = "", domain[128];
	const char *text = shown_number(chosen, t, caller_id ? caller_id : "", called);
	struct num n;

	(void)snprintf(domain, sizeof(domain), !t->domain && strchr(host, ':') ? "[%s]" : "%s", t->domain ? t->domain : host);

	*ret = (struct num_identity){.hidden = t->hide};
	if (t->id && num_read(&n, text, t->area))
		num_outbound(form, t, true, &n, text, NUM_CITY_UNKNOWN, tr);
	else
		(void)str_copy(form, sizeof(form), text);
	(void)snprintf(ret->number, sizeof(ret->number), "%.*s", NUM_MAX - 1, form);
	if (ret->number[0] && t->pai)
		(void)snprintf(ret->pai, sizeof(ret->pai), "<sip:%s@%s>", ret->number, domain);
	if (ret->number[0] && t->ppi)
		(void)snprintf(ret->ppi, sizeof(ret->ppi), "<sip:%s@%s>", ret->number, domain);
	if (ret->number[0] && t->rpid)
		(void)snprintf(ret->rpid, sizeof(ret->rpid), "<sip:%s@%s>;party=calling;screen=yes;privacy=%s", ret->number, domain,
			       t->hide ? "full" : "off");
	if (t->id)
		(void)str_copy(ret->from_domain, sizeof(ret->from_domain), domain);
	(void)snprintf(ret->from_user, sizeof(ret->from_user), "%s", t->from_account && account && *account ? account : ret->number);
	if (!t->hide)
		return;
	(void)str_copy(ret->from_user, sizeof(ret->from_user), "anonymous");
	(void)str_copy(ret->from_name, sizeof(ret->from_name), "Anonymous");
	(void)str_copy(ret->from_domain, sizeof(ret->from_domain), "anonymous.invalid");
}

void num_identity_lines(char *buf, size_t size, const struct num_identity *id)
{
	struct strb b;

	strb_init_fixed(&b, buf, size);
	strb_puts(&b, "");
	if (id->pai[0])
		strb_printf(&b, "P-Asserted-Identity: %s\r\n", id->pai);
	if (id->ppi[0])
		strb_printf(&b, "P-Preferred-Identity: %s\r\n", id->ppi);
	if (id->rpid[0])
		strb_printf(&b, "Remote-Party-ID: %s\r\n", id->rpid);
	if (id->hidden)
		strb_puts(&b, "Privacy: id\r\n");
}

const struct num_preset num_presets[] = {
	{"ims", "IMS 中继（+86 写法）", "IMS trunk (+86...)", "三大运营商 IMS/SIP 专线常见：被叫、主叫都带 +86，主叫另放在 P-Asserted-Identity。",
	 "Common on carriers' IMS/SIP lines: both numbers with +86, ours also in P-Asserted-Identity.", NUM_F_E164, NUM_F_E164, .pai = true},
	{"ims_account", "IMS 注册账号（+86，From 用账号）", "IMS account (+86..., From is the account)", "用账号注册的 IMS 线路：From 是账号，外显号码放在 P-Preferred-Identity。",
	 "Lines with an account: From is the account, the number shown is in P-Preferred-Identity.", NUM_F_E164, NUM_F_E164, .ppi = true,
	 .from_account = true},
	{"national", "全国写法（区号+号码，手机不加 0）", "National (area code, mobiles without 0)", "软交换、网关和多数线路商常见：01062345678、13800138000，国际 00 开头。",
	 "Common with softswitches and gateways: 01062345678, 13800138000, abroad with 00.", NUM_F_NATIONAL, NUM_F_NATIONAL},
	{"local", "市话写法（外地手机加 0）", "Local (0 before mobiles of other cities)", "像固定电话机一样拨：本地号码不加区号，外地手机前加 0。须填写“所在区号”。",
	 "As a telephone on the wall dials: local numbers without area code, 0 before mobiles of other cities. Needs the area code.", NUM_F_LOCAL,
	 NUM_F_NATIONAL},
	{"bare", "86 开头、不带加号", "86... without plus", "部分线路商：8613800138000；主叫同样，另放 Remote-Party-ID。",
	 "Some wholesale carriers: 8613800138000; ours the same, also in Remote-Party-ID.", NUM_F_BARE, NUM_F_BARE, .rpid = true},
	{"raw", "原样（交换机、网关内线）", "Unchanged (an exchange)", "拨什么送什么，来电也不改写；用于对接公司交换机。",
	 "What is dialled is sent: for an exchange of one's own.", NUM_F_RAW, NUM_F_RAW},
};
const size_t num_preset_n = ARRAY_LEN(num_presets);
