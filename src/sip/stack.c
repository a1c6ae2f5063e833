/* Start and stop, and what happens to a request before it reaches a leg or the registrar. */
#include "sip/ban.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/netmap.h"

#define LEGS_MAX      20000
#define INVITES_PER_S 1500
#define CALLS_PER_DEVICE 16

/* ---- guards ---- */

/* One bucket, a second deep. */
static bool token_take(struct sip_stack *s)
{
	int64_t now = clock_mono_ms();
	double rate = s->conf.invites_per_s;

	s->invite_tokens += rate * (double)(now - s->invite_tokens_at_ms) / 1000;
	s->invite_tokens_at_ms = now;
	if (s->invite_tokens > rate)
		s->invite_tokens = rate;
	if (s->invite_tokens < 1)
		return false;
	s->invite_tokens -= 1;
	return true;
}

static void overloaded(struct sip_stack *s, const struct rx *r)
{
	char lines[48];

	s->counters.refused_overload++;
	/* Spread over some seconds, or all come back at once. */
	(void)snprintf(lines, sizeof(lines), "Retry-After: %u\r\n",
		       2 + (unsigned)(s->counters.refused_overload % 8));
	siptx_reply_stateless(s, r, s->refuse_code ? s->refuse_code : 503, NULL, lines);
}

struct unsupported {
	const char *const *known;
	struct strb b;
};

static bool put_unsupported(const struct sip_hdr *h, const struct sip_msg *m, void *arg)
{
	struct unsupported *u = arg;

	(void)m;
	for (const char *const *k = u->known; *k; k++)
		if (!pl_strcasecmp(&h->val, *k))
			return false;
	strb_printf(&u->b, "Unsupported: %.*s\r\n", (int)h->val.l, h->val.p);
	return false;
}

/* What a Require may ask for: of REGISTER Path only, of calls what SIPS_SUPPORTED says. */
bool sips_refuse_extensions(struct sip_stack *s, const struct rx *r)
{
	static const char *const of_register[] = {"path", "outbound", NULL};
	static const char *const of_calls[] = {"timer", "100rel", "replaces", "norefersub", NULL};
	struct unsupported u = {.known = pl_strcmp(&r->m->met, "REGISTER") ? of_calls : of_register};
	char lines[1024];

	strb_init_fixed(&u.b, lines, sizeof(lines));
	(void)sip_msg_hdr_apply(r->m, true, SIP_HDR_REQUIRE, put_unsupported, &u);
	if (!u.b.len)
		return false;
	siptx_reply_stateless(s, r, 420, NULL, u.b.overflow ? NULL : lines);
	return true;
}

static bool refuse_hops(struct sip_stack *s, const struct rx *r)
{
	if (!pl_isset(&r->m->maxfwd) || pl_u32(&r->m->maxfwd))
		return false;
	siptx_reply_stateless(s, r, 483, NULL, NULL);
	return true;
}

/* ---- strangers ---- */

/* A carrier, or the other end of a call that is up. */
static bool at_home(const struct sa *peer, void *arg)
{
	struct sip_stack *s = arg;
	uint64_t source = sipb_source(peer);
	bool by_token;

	if (sips_trunk_of(s, &(struct flow){.peer = *peer}, "", &by_token))
		return true;
	return sipl_is_with(s, source);
}

bool sips_is_deaf_to(struct sip_stack *s, const struct flow *f, const char *data, size_t len)
{
	if (f->ws || (len > 8 && !memcmp(data, "SIP/2.0 ", 8)))
		return false;
	return sipb_source_banned(s->strangers, &f->peer, clock_mono_ms());
}

void sips_offence(struct sip_stack *s, const struct flow *f, const char *user, enum sip_offence o, bool proven)
{
	struct sip_ban ban;

	if (f->ws || !sipb_note(s->strangers, &ban, &f->peer, user, o, proven || f->tp != SIP_TP_UDP, clock_mono_ms()))
		return;
	log_warn("stranger is not listened to source=%s user=\"%.32s\" reason=%s count=%u for_s=%lld", ban.source, ban.user,
		 sip_offence_name(ban.reason), ban.count, (long long)(ban.until_ms - ban.since_ms) / 1000);
	if (s->h.banned)
		s->h.banned(&ban, true, s->h.arg);
}

bool sips_is_known(struct sip_stack *s, const struct flow *f)
{
	bool by_token;

	return f->ws || f->tp != SIP_TP_UDP || sipb_is_home(s->strangers, &f->peer) || sips_trunk_of(s, f, "", &by_token);
}

/* Too many requests a second from where nobody is at home, or the user that it names is banned there: silence. */
static bool is_ignored(struct sip_stack *s, const struct rx *r)
{
	char user[SIPM_TOKEN_MAX];
	int64_t now_ms = clock_mono_ms();
	bool by_token;

	if (r->flow.ws || sips_trunk_of(s, &r->flow, "", &by_token))
		return false;
	if (!sipb_take(s->strangers, &r->flow.peer, now_ms))
		return true;
	return sipm_user(user, sizeof(user), &r->m->from.uri.user) && !sipr_is_at(s, user, &r->flow) &&
	       sipb_pair_banned(s->strangers, &r->flow.peer, user, now_ms);
}

void sip_ban_restore(struct sip_stack *s, const struct sip_ban *b)
{
	sipb_restore(s->strangers, b, clock_mono_ms());
}

bool sip_ban_lift(struct sip_stack *s, const char *source, const char *user)
{
	struct sip_ban b = {.until_ms = clock_utc_ms()};

	if (!sipb_lift(s->strangers, source, user, clock_mono_ms()))
		return false;
	(void)str_copy(b.source, sizeof(b.source), source);
	(void)str_copy(b.user, sizeof(b.user), user);
	if (s->h.banned)
		s->h.banned(&b, false, s->h.arg);
	return true;
}

size_t sip_bans(const struct sip_stack *s, struct sip_ban *ret, size_t max)
{
	return sipb_list(s->strangers, ret, max, clock_mono_ms());
}

void sip_allow(struct sip_stack *s, const char *networks)
{
	sipb_allow(s->strangers, networks);
}

void sip_strangers(const struct sip_stack *s, struct jw *w)
{
	sipb_write(s->strangers, w, clock_mono_ms());
}

/* ---- who asks ---- */

int64_t sips_trunk_of(struct sip_stack *s, const struct flow *f, const char *user, bool *by_token)
{
	struct sip_addr a;

	*by_token = false;
	if (f->ws || !s->h.trunk_of || sa_ntop(&f->peer, a.host, sizeof(a.host)))
		return 0;
	a.port = sa_port(&f->peer);
	return s->h.trunk_of(&a, user, by_token, s->h.arg);
}

static int64_t trunk_of(struct sip_stack *s, const struct rx *r, bool *by_token)
{
	char user[SIPM_TOKEN_MAX];
	int64_t id = sips_trunk_of(s, &r->flow, sipm_user(user, sizeof(user), &r->m->uri.user) ? user : "", by_token);

	if (id)
		sipc_known(s, &r->flow);
	return id;
}

static int64_t trunk_account(struct sip_stack *s, const struct rx *r, const char *user)
{
	return !r->flow.ws && s->h.trunk_account ? s->h.trunk_account(user, s->h.arg) : 0;
}

/* A browser's socket was opened for one device: it may be no other, whatever it knows. */
static bool forbidden_on_socket(struct sip_stack *s, const struct rx *r)
{
	char user[SIPM_TOKEN_MAX];

	if (!r->flow.ws)
		return false;
	if (r->ws_device && sipm_user(user, sizeof(user), &r->m->from.uri.user) &&
		!strcmp(user, r->ws_device))
		return false;
	siptx_reply_stateless(s, r, 403, NULL, NULL);
	return true;
}

/* false: answered with a challenge or a refusal. */
static bool authenticate(struct sip_stack *s, const struct rx *r, char *device)
{
	enum sipa_result a;

	if (forbidden_on_socket(s, r))
		return false;
	a = sipa_check(s, r, device);
	if (a == SIPA_OK && r->flow.ws && strcmp(device, r->ws_device)) {
		siptx_reply_stateless(s, r, 403, NULL, NULL);
		return false;
	}
	if (a == SIPA_OK) {
		sipc_known(s, &r->flow);
		return true;
	}
	if (a == SIPA_SILENT)
		return false;
	if (a == SIPA_CHALLENGE)
		sips_offence(s, &r->flow, "", SIP_OFFENCE_STRANGER, false);
	sipa_challenge(s, r, a == SIPA_STALE);
	return false;
}

/* One telephone, or who has stolen its secret, must not take all legs there are. */
static bool device_is_busy(struct sip_stack *s, const struct rx *r, const char *device)
{
	if (!device[0] || sipl_calls_of(s, device) < CALLS_PER_DEVICE)
		return false;
	siptx_reply_stateless(s, r, 486, NULL, NULL);
	return true;
}

static void take_invite(struct sip_stack *s, const struct rx *r)
{
	char device[SIPM_TOKEN_MAX] = "";
	int64_t trunk;
	bool by_token;

	s->counters.invites++;
	if (refuse_hops(s, r) || sips_refuse_extensions(s, r))
		return;
	if (s->refuse_code || s->counters.legs >= s->conf.legs_max) {
		overloaded(s, r); /* before any cryptography */
		return;
	}
	trunk = trunk_of(s, r, &by_token);
	if (!trunk) {
		if (!authenticate(s, r, device)) {
			s->counters.refused_stranger++;
			return;
		}
		trunk = trunk_account(s, r, device);
		if (trunk)
			device[0] = '\0';
	}
	if (sipl_is_merged(s, r)) {
		siptx_reply_stateless(s, r, 482, NULL, NULL);
		return;
	}
	if (device_is_busy(s, r, device))
		return;
	if (!token_take(s)) {
		overloaded(s, r);
		return;
	}
	sipl_invite(s, r, trunk ? SIP_FROM_TRUNK : SIP_FROM_DEVICE, trunk, device, by_token);
}

static void take_register(struct sip_stack *s, const struct rx *r)
{
	char device[SIPM_TOKEN_MAX];

	if (refuse_hops(s, r) || sips_refuse_extensions(s, r) || !authenticate(s, r, device))
		return;
	if (trunk_account(s, r, device))
		siptx_reply_stateless(s, r, 403, NULL, NULL); /* it calls, but is no telephone of ours */
	else
		sipr_register(s, r, device);
}

static void take_options(struct sip_stack *s, const struct rx *r)
{
	if (!refuse_hops(s, r) && !sips_refuse_extensions(s, r))
		siptx_reply_stateless(s, r, 200, NULL,
				      SIPS_ALLOW_ALL "Accept: application/sdp\r\nSupported: path, " SIPS_SUPPORTED "\r\n");
}

static void take_subscribe(struct sip_stack *s, const struct rx *r)
{
	char device[SIPM_TOKEN_MAX];

	if (!refuse_hops(s, r) && !sips_refuse_extensions(s, r) && authenticate(s, r, device))
		sips_subscribe(s, r, device);
}

void sips_request(struct sip_stack *s, const struct rx *r)
{
	const struct pl *met = &r->m->met;

	if (s->stopping || siptx_take_request(s, r) || sipl_take_request(s, r))
		return;
	if (!pl_strcmp(met, "ACK") || is_ignored(s, r))
		return;
	if (!pl_strcmp(met, "SUBSCRIBE"))
		take_subscribe(s, r); /* with a tag or without: see subscribe.c */
	else if (pl_isset(&r->m->to.tag) && pl_strcmp(met, "REGISTER"))
		siptx_reply_stateless(s, r, 481, NULL, NULL);
	else if (!pl_strcmp(met, "INVITE"))
		take_invite(s, r);
	else if (!pl_strcmp(met, "REGISTER"))
		take_register(s, r);
	else if (!pl_strcmp(met, "OPTIONS"))
		take_options(s, r);
	else if (!pl_strcmp(met, "BYE") || !pl_strcmp(met, "INFO") || !pl_strcmp(met, "UPDATE") || !pl_strcmp(met, "PRACK") ||
		 !pl_strcmp(met, "NOTIFY"))
		siptx_reply_stateless(s, r, 481, NULL, NULL);
	else
		sips_refuse_method(s, r);
}

/* ---- start and stop ---- */

static void conf_copy(struct sip_conf *dst, const struct sip_conf *src)
{
	*dst = *src;
	dst->listen = xstrdup(src->listen);
	dst->external = src->external && src->external[0] ? xstrdup(src->external) : NULL;
	dst->realm = xstrdup(src->realm);
	dst->tls_cert = src->tls_cert ? xstrdup(src->tls_cert) : NULL;
	dst->tls_key = src->tls_key ? xstrdup(src->tls_key) : NULL;
	dst->user_agent = src->user_agent ? xstrdup(src->user_agent) : NULL;
	if (!dst->legs_max)
		dst->legs_max = LEGS_MAX;
	if (!dst->invites_per_s)
		dst->invites_per_s = INVITES_PER_S;
	if (!dst->t1_ms)
		dst->t1_ms = 500;
	if (!dst->session_min_s)
		dst->session_min_s = 90;
	if (!dst->session_s)
		dst->session_s = 1800;
	if (dst->session_s < dst->session_min_s)
		dst->session_s = dst->session_min_s;
}

static void stack_free(struct sip_stack *s)
{
	struct ws_flow *w;
	size_t pos = 0;

	while ((w = hmap_next(&s->sockets, &pos)))
		free(w);
	sipa_close(s);
	sipb_free(s->strangers);
	sipt_close(s);
	sipc_done(s);
	netmap_free(s->netmap);
	hmap_done(&s->servers);
	hmap_done(&s->clients);
	hmap_done(&s->dialogs);
	hmap_done(&s->merges);
	hmap_done(&s->devices);
	hmap_done(&s->sockets);
	free((char *)s->conf.listen);
	free((char *)s->conf.external);
	free((char *)s->conf.tls_cert);
	free((char *)s->conf.tls_key);
	free((char *)s->conf.realm);
	free((char *)s->conf.user_agent);
	free(s);
}

int sip_start(struct sip_stack **ret, const struct sip_conf *conf, const struct sip_handlers *h)
{
	struct sip_stack *s = xcalloc(1, sizeof(*s));
	int r;

	conf_copy(&s->conf, conf);
	s->h = *h;
	hmap_init(&s->servers, true);
	hmap_init(&s->clients, true);
	hmap_init(&s->dialogs, true);
	hmap_init(&s->merges, true);
	hmap_init(&s->devices, true);
	hmap_init(&s->sockets, false);
	ilist_init(&s->legs);
	s->strangers = sipb_new(at_home, s);
	s->invite_tokens = s->conf.invites_per_s;
	s->invite_tokens_at_ms = clock_mono_ms();
	sipt_open(s);
	sipc_init(s);
	r = sipa_open(s);
	if (!r)
		r = netmap_parse(&s->netmap, s->conf.external, NULL, 0);
	if (!r)
		r = siplisten_open(s);
	if (!r)
		r = sipc_open(s);
	if (r) {
		siplisten_close(s);
		stack_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sip_stop(struct sip_stack *s)
{
	if (!s)
		return;
	assert(!s->edge); /* the edge is stopped first */
	s->stopping = true;
	sipl_close(s);
	sipr_close(s);
	siptx_close(s);
	sipc_close(s);
	siplisten_close(s);
	stack_free(s);
}

void sip_refuse_new(struct sip_stack *s, int code)
{
	s->refuse_code = code;
}

void sip_get_counters(const struct sip_stack *s, struct sip_counters *ret)
{
	*ret = s->counters;
}
