/*
 * We as a client of carriers: a registration that is kept up (RFC 3261 10.2), and OPTIONS to see whether somebody is there. The states
 * are in sip.h.
 *
 * Times: a registration is refreshed when a quarter of it, or a minute, is left. What failed for lack of an answer is tried anew after
 * 2, 4, 8 .. 64 s; what was refused, after 30 s, 1, 2 .. 16 min, since a carrier may lock out who guesses passwords.
 */
#include "sip/sip_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOPS_MAX 16
#define HOP_MS(s) (16 * T1_MS(s)) /* 8 s for one hop, then the next */
#define UNREACHABLE_MS 2000
#define UNREACHABLE_MAX_MS 64000
#define REFUSED_MS 30000
#define REFUSED_MAX_MS 960000
#define EXPIRES_MAX_S 86400

struct sip_account {
	struct sip_stack *s;
	struct sip_account_conf conf; /* strings are ours */
	char *hops[HOPS_MAX];
	size_t hop_n, hop_at, hops_tried;
	char call_id[17], tag[17];
	uint32_t cseq;
	int asked_s;                  /* expiry that we ask for; raised by 423 */
	int64_t until_ms;             /* UP: mono time at which it has expired */
	unsigned failures;
	struct sip_account_view view;
	struct siptx_client *client;
	struct ltimer timer, hop_timer, tell;
};

static void reg_send(struct sip_account *a);

static void tell(void *arg)
{
	struct sip_account *a = arg;

	a->conf.changed(a, a->conf.arg);
}

static void set(struct sip_account *a, enum sip_account_state state, int code, const char *reason)
{
	struct sip_account_view v = {.state = state, .code = code, .expires_s = a->view.expires_s};

	(void)str_copy(v.reason, sizeof(v.reason), reason);
	if (!memcmp(&v, &a->view, sizeof(v)))
		return;
	a->view = v;
	ltimer_set(&a->tell, 0, tell, a);
}

static void again(void *arg)
{
	struct sip_account *a = arg;

	a->hops_tried = 0;
	reg_send(a);
}

static int64_t back_off(unsigned failures, int64_t first_ms, int64_t most_ms)
{
	int64_t ms = first_ms << (failures < 10 ? failures : 10);

	return ms < most_ms ? ms : most_ms;
}

static void retry_in(struct sip_account *a, int64_t ms)
{
	char random[17];
	uint8_t r[1];

	sipm_random(random);
	(void)str_hex_to(r, 1, (char[3]){random[0], random[1], 0});
	a->failures++;
	ltimer_set(&a->timer, ms + ms * r[0] / 1024, again, a); /* up to a quarter more: not all trunks at once */
}

/* Nobody answered at any hop. A registration that still holds is not given up for that. */
static void unreachable(struct sip_account *a)
{
	if (a->view.state != SIP_ACCOUNT_UP || clock_mono_ms() >= a->until_ms)
		set(a, SIP_ACCOUNT_UNREACHABLE, 0, "No answer at all");
	retry_in(a, back_off(a->failures, UNREACHABLE_MS, UNREACHABLE_MAX_MS));
}

static void next_hop(struct sip_account *a)
{
	if (a->client)
		siptx_client_detach(a->client);
	ltimer_cancel(&a->hop_timer);
	a->hop_at = a->hop_n ? (a->hop_at + 1) % a->hop_n : 0;
	if (++a->hops_tried < a->hop_n)
		reg_send(a);
	else
		unreachable(a);
}

static void hop_silent(void *arg)
{
	next_hop(arg);
}

/* ---- answers ---- */

struct granted {
	const struct sip_account *a;
	int64_t s;
};

static bool of_our_contact(const struct sip_hdr *h, const struct sip_msg *m, void *arg)
{
	struct granted *g = arg;
	struct re_sip_addr addr;
	char text[16];

	(void)m;
	if (sip_addr_decode(&addr, &h->val) || pl_strcmp(&addr.uri.user, g->a->conf.token))
		return false;
	if (sipm_param(&addr.params, "expires", text, sizeof(text)))
		(void)str_to_i64(&g->s, text, 0, EXPIRES_MAX_S);
	return true;
}

/* What the registrar gave: our Contact's, or the message's, or what we asked. */
static int granted_s(const struct sip_account *a, const struct sip_msg *m)
{
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_EXPIRES);
	struct granted g = {a, a->asked_s};

	if (h && pl_u32(&h->val) && pl_u32(&h->val) < EXPIRES_MAX_S)
		g.s = pl_u32(&h->val);
	(void)sip_msg_hdr_apply(m, true, SIP_HDR_CONTACT, of_our_contact, &g);
	return g.s ? (int)g.s : a->asked_s;
}

static void accepted(struct sip_account *a, const struct sip_msg *m)
{
	int s = granted_s(a, m), early = s / 4 < 60 ? s / 4 : 60;

	a->failures = 0;
	a->until_ms = clock_mono_ms() + s * 1000;
	a->view.expires_s = s;
	set(a, SIP_ACCOUNT_UP, m->scode, "");
	ltimer_set(&a->timer, (s - early) * 1000 > 1000 ? (s - early) * 1000 : 1000, again, a);
}

/* 423: ask for longer, once for each longer minimum. */
static bool too_brief(struct sip_account *a, const struct sip_msg *m)
{
	const struct sip_hdr *h = m->scode == 423 ? sip_msg_hdr(m, SIP_HDR_MIN_EXPIRES) : NULL;
	uint32_t min = h ? pl_u32(&h->val) : 0;

	if (min <= (uint32_t)a->asked_s || min > EXPIRES_MAX_S)
		return false;
	a->asked_s = (int)min;
	reg_send(a);
	return true;
}

static void refused(struct sip_account *a, const struct sip_msg *m)
{
	int wait_s = sipm_retry_after(m);
	char phrase[96];

	(void)sipm_copy(phrase, sizeof(phrase), &m->reason);
	set(a, SIP_ACCOUNT_REFUSED, m->scode, phrase);
	retry_in(a, wait_s ? wait_s * 1000 : back_off(a->failures, REFUSED_MS, REFUSED_MAX_MS));
}

static void on_reg_answer(const struct rx *r, void *arg)
{
	struct sip_account *a = arg;

	if (r && r->m->scode < 200)
		return;
	ltimer_cancel(&a->hop_timer);
	if (!r)
		next_hop(a);
	else if (r->m->scode < 300)
		accepted(a, r->m);
	else if (too_brief(a, r->m))
		return;
	else if (r->m->scode >= 500 && r->m->scode < 600 && a->hops_tried + 1 < a->hop_n)
		next_hop(a);
	else
		refused(a, r->m);
}

/* ---- requests ---- */

static void put_contact(struct sip_account *a, const struct flow *f, struct strb *b, int expires_s)
{
	const char *transport = strstr(a->hops[a->hop_at], ";transport=");
	struct sa local;
	char host[64];

	sipnet_local_for(a->s, f, &local);
	(void)re_snprintf(host, sizeof(host), "%J", &local);
	strb_printf(b, "Contact: <sip:%s@%s%s>\r\nExpires: %d\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n", a->conf.token, host,
		    transport ? transport : "", expires_s);
}

static int reg_request(struct sip_account *a, int expires_s, struct siptx_client **slot, siptx_response_fn *on)
{
	char uri[300], aor[480], from[512], route[320], lines[1024];
	struct siptx_request q = {.method = "REGISTER", .uri = uri, .from = from, .to = aor, .call_id = a->call_id,
				  .cseq = ++a->cseq, .lines = lines, .auth = a->conf.auth, .cseq_slot = slot ? &a->cseq : NULL};
	struct flow f;
	struct strb b;

	if (sipnet_flow_of_dial(&f, a->s, a->hops[a->hop_at], a->conf.tls))
		return -EHOSTUNREACH;
	(void)snprintf(uri, sizeof(uri), "sip:%.270s", a->conf.domain);
	(void)snprintf(aor, sizeof(aor), "<sip:%.160s@%.270s>", a->conf.user, a->conf.domain);
	(void)snprintf(from, sizeof(from), "%s;tag=%s", aor, a->tag);
	if (a->conf.route) {
		(void)snprintf(route, sizeof(route), "Route: <%.280s;lr>\r\n", a->conf.route);
		q.routes = route;
	}
	strb_init_fixed(&b, lines, sizeof(lines));
	put_contact(a, &f, &b, expires_s);
	return b.overflow ? -EMSGSIZE : siptx_client_new(slot, a->s, &f, &q, on, a);
}

static void reg_send(struct sip_account *a)
{
	if (!a->hop_n)
		return;
	if (reg_request(a, a->asked_s, &a->client, on_reg_answer)) {
		ltimer_set(&a->hop_timer, 0, hop_silent, a);
		return;
	}
	ltimer_set(&a->hop_timer, HOP_MS(a->s), hop_silent, a);
}

static void hops_free(struct sip_account *a)
{
	for (size_t i = 0; i < a->hop_n; i++)
		free(a->hops[i]);
	a->hop_n = 0;
}

static bool same_hops(const struct sip_account *a, const char *const *hops, size_t n)
{
	if (n != a->hop_n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a->hops[i], hops[i]) != 0)
			return false;
	return true;
}

void sip_account_aim(struct sip_account *a, const char *const *hops, size_t n)
{
	char *was = a->hop_n ? a->hops[a->hop_at] : NULL;
	size_t at = 0;

	if (n > HOPS_MAX)
		n = HOPS_MAX;
	if (same_hops(a, hops, n) && n)
		return;
	was = was ? xstrdup(was) : NULL;
	hops_free(a);
	for (; a->hop_n < n; a->hop_n++) {
		a->hops[a->hop_n] = xstrdup(hops[a->hop_n]);
		if (was && !strcmp(was, hops[a->hop_n]))
			at = a->hop_n + 1;
	}
	free(was);
	a->hop_at = at ? at - 1 : 0;
	if (at && a->view.state == SIP_ACCOUNT_UP)
		return; /* where it is registered is still one of them */
	if (a->client)
		siptx_client_detach(a->client);
	ltimer_cancel(&a->hop_timer);
	ltimer_set(&a->timer, 0, again, a);
}

int sip_account_new(struct sip_account **ret, struct sip_stack *s, const struct sip_account_conf *conf)
{
	struct sip_account *a = xcalloc(1, sizeof(*a));

	a->s = s;
	a->conf = *conf;
	a->conf.domain = xstrdup(conf->domain);
	a->conf.user = xstrdup(conf->user);
	a->conf.token = xstrdup(conf->token);
	a->conf.route = conf->route ? xstrdup(conf->route) : NULL;
	a->conf.auth = conf->auth ? obj_ref(conf->auth) : NULL;
	a->asked_s = conf->expires_s;
	sipm_random(a->call_id);
	sipm_random(a->tag);
	*ret = a;
	return 0;
}

void sip_account_refresh(struct sip_account *a)
{
	if (a->hop_n && !a->client)
		ltimer_set(&a->timer, 0, again, a);
}

void sip_account_get(const struct sip_account *a, struct sip_account_view *ret)
{
	*ret = a->view;
}

void sip_account_free(struct sip_account *a)
{
	if (!a)
		return;
	ltimer_cancel(&a->timer);
	ltimer_cancel(&a->hop_timer);
	ltimer_cancel(&a->tell);
	if (a->client)
		siptx_client_detach(a->client);
	if (a->hop_n && a->view.state == SIP_ACCOUNT_UP)
		(void)reg_request(a, 0, NULL, NULL);
	hops_free(a);
	free((char *)a->conf.domain);
	free((char *)a->conf.user);
	free((char *)a->conf.token);
	free((char *)a->conf.route);
	(void)obj_unref(a->conf.auth);
	free(a);
}

/* ---- is anybody there? ---- */

struct sip_ping {
	struct sip_stack *s;
	struct siptx_client *client;
	struct ltimer timer;
	int64_t sent_ms;
	uint32_t cseq;
	int code;
	void (*done)(int code, int rtt_ms, void *arg);
	void *arg;
};

static void ping_report(void *arg)
{
	struct sip_ping *p = arg;

	p->done(p->code, (int)(clock_mono_ms() - p->sent_ms), p->arg);
}

static void ping_late(void *arg)
{
	struct sip_ping *p = arg;

	if (p->client)
		siptx_client_detach(p->client);
	p->code = 408;
	ping_report(p);
}

static void on_pong(const struct rx *r, void *arg)
{
	struct sip_ping *p = arg;

	if (r && r->m->scode < 200)
		return;
	ltimer_cancel(&p->timer);
	p->code = r ? r->m->scode : 408;
	ping_report(p);
}

int sip_ping_new(struct sip_ping **ret, struct sip_stack *s, const char *uri, const char *hop, struct sip_auth *auth,
		 const struct sip_tls *tls, int timeout_ms, void (*done)(int code, int rtt_ms, void *arg), void *arg)
{
	struct sip_ping *p;
	char from[SIPM_URI_MAX], to[SIPM_URI_MAX], call_id[17], tag[17];
	struct siptx_request q = {.method = "OPTIONS", .uri = uri, .from = from, .to = to, .call_id = call_id, .cseq = 1, .contact = true,
				  .lines = "Accept: application/sdp\r\n", .auth = auth};
	struct flow f;

	if (strpbrk(uri, "<> \r\n") || sipnet_flow_of_dial(&f, s, hop, tls))
		return -EHOSTUNREACH;
	p = xcalloc(1, sizeof(*p));
	p->s = s;
	p->done = done;
	p->arg = arg;
	p->sent_ms = clock_mono_ms();
	sipm_random(call_id);
	sipm_random(tag);
	(void)snprintf(from, sizeof(from), "<sip:huawu@%s>;tag=%s", s->conf.realm, tag);
	(void)snprintf(to, sizeof(to), "<%s>", uri);
	if (siptx_client_new(&p->client, s, &f, &q, on_pong, p)) {
		free(p);
		return -EHOSTUNREACH;
	}
	ltimer_set(&p->timer, timeout_ms, ping_late, p);
	*ret = p;
	return 0;
}

void sip_ping_free(struct sip_ping *p)
{
	if (!p)
		return;
	ltimer_cancel(&p->timer);
	if (p->client)
		siptx_client_detach(p->client);
	free(p);
}
