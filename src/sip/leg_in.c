/* Incoming legs, up to our final answer. */
#include "sip/leg_priv.h"
#include "sip/fields.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- incoming ---- */

static void cancelled(const struct rx *r, void *arg)
{
	struct sip_leg *l = arg;
	struct sipm_reason why;

	if (l->state != RINGING)
		return;
	sipm_reason(&why, r->m);
	(void)siptx_reply(l->server, 487, NULL, NULL, NULL, NULL, 0);
	leg_end(l, SIP_BY_REMOTE, 487, sipm_reason_cause(&why), why.text);
}

bool leg_refuse_body(struct sip_stack *s, const struct rx *r)
{
	const struct sip_hdr *enc = sip_msg_hdr(r->m, SIP_HDR_CONTENT_ENCODING);

	if ((!r->body_len || leg_has_sdp(r)) && (!enc || !pl_strcasecmp(&enc->val, "identity")))
		return false;
	siptx_reply_stateless(s, r, 415, NULL, "Accept: " SDP_TYPE "\r\n");
	return true;
}

static struct sip_leg *incoming_new(struct sip_stack *s, const struct rx *r, const char *device)
{
	const struct sip_msg *m = r->m;
	char call_id[SIPM_TOKEN_MAX], routes[SIPM_ROUTES_MAX];
	struct sip_leg *l;

	if (sipm_routes(routes, sizeof(routes), m, SIP_HDR_RECORD_ROUTE, false))
		return NULL;
	(void)sipm_copy(call_id, sizeof(call_id), &m->callid);
	l = leg_new(s, call_id);
	l->incoming = true;
	l->state = RINGING;
	leg_replace_pl(&l->rtag, &m->from.tag);
	l->rseq = l->server_cseq = m->cseq.num;
	l->merge_key = xasprintf("%s|%s|%u", call_id, l->rtag, m->cseq.num);
	hmap_set_str(&s->merges, l->merge_key, l);
	l->local = xasprintf("%.*s;tag=%s", (int)m->to.val.l, m->to.val.p, l->ltag);
	leg_replace_pl(&l->remote, &m->from.val);
	leg_refresh_target(l, m);
	if (routes[0])
		l->routes = xstrdup(routes);
	if (device[0])
		l->device = xstrdup(device);
	l->offer_is_ours = !leg_has_sdp(r);
	if (!l->offer_is_ours)
		l->sdp_remote = xstrndup(r->body, r->body_len);
	l->rel_required = sipm_has_token(m, SIP_HDR_REQUIRE, "100rel");
	leg_learn_peer(l, m);
	leg_choose_flow(l, r);
	siptx_server_watch(siptx_server_new(s, r, l->ltag, true), cancelled, &l->server, l);
	return l;
}

/* Whose place this INVITE wants (RFC 3891 3). 0, or the status to refuse it with. */
static int find_replaced(struct sip_leg **ret, struct sip_leg *l, const struct rx *r, enum sip_origin origin)
{
	const struct sip_hdr *h = sip_msg_hdr(r->m, SIP_HDR_REPLACES);
	struct sipf_replaces rep;
	struct sip_leg *old;

	*ret = NULL;
	if (!h)
		return 0;
	if (origin != SIP_FROM_DEVICE)
		return 403; /* a carrier has no business with our dialogs */
	if (!sipf_replaces(&rep, &h->val))
		return 400;
	old = leg_find(l->s, &rep);
	if (!old || old == l || (old->incoming && old->state == RINGING))
		return 481;
	if (old->state == ENDED)
		return 603;
	if (rep.early_only && old->state != CALLING)
		return 486;
	*ret = old;
	return 0;
}

static void header_text(char *buf, size_t size, const struct sip_msg *m, const char *name)
{
	const struct sip_hdr *h = sip_msg_xhdr(m, name);

	(void)snprintf(buf, size, "%.*s", h && h->val.l < size ? (int)h->val.l : 0, h ? h->val.p : "");
}

/* Who calls by the carrier's word, sip: or tel: (RFC 3325 9.1). */
static void asserted_user(char *buf, size_t size, const struct sip_msg *m)
{
	const struct sip_hdr *h = sip_msg_xhdr(m, "P-Asserted-Identity");
	struct re_sip_addr a;

	buf[0] = '\0';
	if (!h)
		h = sip_msg_xhdr(m, "Remote-Party-ID");
	if (h && !sip_addr_decode(&a, &h->val))
		(void)sipm_user(buf, size, pl_strcasecmp(&a.uri.scheme, "tel") ? &a.uri.user : &a.uri.host);
}

static void ask_owner(struct sip_leg *l, const struct rx *r, enum sip_origin origin, int64_t trunk, bool dialled_in_to)
{
	struct sip_stack *s = l->s;
	const struct sip_msg *m = r->m;
	char dialled[SIPM_TOKEN_MAX], from_user[SIPM_TOKEN_MAX], from_name[SIPM_TOKEN_MAX],
		to_user[SIPM_TOKEN_MAX], from_host[SIPM_TOKEN_MAX], asserted[SIPM_TOKEN_MAX], privacy[SIPM_TOKEN_MAX];
	struct sip_invite inv = {
		.origin = origin,
		.trunk_id = trunk,
		.device = l->device,
		.transport = sipnet_transport(s, &r->flow),
		.dialled = dialled_in_to ? to_user : dialled,
		.from_user = from_user,
		.from_name = from_name,
		.from_host = from_host,
		.asserted_user = asserted,
		.privacy = privacy,
		.to_user = to_user,
		.call_id = l->call_id,
	};
	int code;

	(void)sipm_user(dialled, sizeof(dialled), &m->uri.user);
	(void)sipm_user(from_user, sizeof(from_user), &m->from.uri.user);
	(void)sipm_user(to_user, sizeof(to_user), &m->to.uri.user);
	sipm_display(from_name, sizeof(from_name), &m->from.dname);
	(void)snprintf(from_host, sizeof(from_host), "%.*s", m->from.uri.host.l < sizeof(from_host) ? (int)m->from.uri.host.l : 0, m->from.uri.host.p);
	asserted_user(asserted, sizeof(asserted), m);
	header_text(privacy, sizeof(privacy), m, "Privacy");
	(void)sa_ntop(&r->flow.peer, inv.source.host, sizeof(inv.source.host));
	inv.source.port = sa_port(&r->flow.peer);
	inv.sdp = leg_sdp_of(r, &inv.sdp_len);
	code = find_replaced(&inv.replaces, l, r, origin);
	if (!code)
		code = s->h.invite(l, &inv, s->h.arg);
	if (code >= 300 && l->state == RINGING)
		(void)siptx_reply(l->server, code, NULL, NULL, NULL, NULL, 0);
	else if (!l->claimed && l->state == RINGING)
		(void)siptx_reply(l->server, 500, NULL, NULL, NULL, NULL, 0);
	else
		return;
	l->h = (struct sip_leg_handlers){0}; /* refused: nobody is told */
	leg_end(l, SIP_BY_LOCAL, code, 0, NULL);
}

void sipl_invite(struct sip_stack *s, const struct rx *r, enum sip_origin origin, int64_t trunk,
		 const char *device, bool dialled_in_to)
{
	char lines[LINES_MAX] = "";
	struct sip_leg *l;

	if (leg_refuse_body(s, r))
		return;
	l = incoming_new(s, r, device);
	if (!l) {
		siptx_reply_stateless(s, r, 400, "Route Set Too Long", NULL);
		return;
	}
	if (leg_session_asked(l, r->m, lines, sizeof(lines))) {
		(void)siptx_reply(l->server, 422, NULL, lines, NULL, NULL, 0);
		leg_end(l, SIP_BY_LOCAL, 422, 0, NULL); /* nobody has claimed it */
		return;
	}
	(void)siptx_reply(l->server, 100, NULL, NULL, NULL, NULL, 0);
	ask_owner(l, r, origin, trunk, dialled_in_to);
}

unsigned sipl_calls_of(const struct sip_stack *s, const char *device)
{
	unsigned n = 0;

	ilist_each_entry(&s->legs, l, struct sip_leg, link) n += l->incoming && l->device && !strcmp(l->device, device);
	return n;
}

bool sipl_is_merged(const struct sip_stack *s, const struct rx *r)
{
	char key[2 * SIPM_TOKEN_MAX + 16];

	(void)snprintf(key, sizeof(key), "%.*s|%.*s|%u", (int)r->m->callid.l, r->m->callid.p,
		       (int)r->m->from.tag.l, r->m->from.tag.p, r->m->cseq.num);
	return hmap_get_str(&s->merges, key) != NULL;
}

struct sip_leg *sip_leg_claim(struct sip_leg *l, const struct sip_leg_handlers *h, void *arg)
{
	assert(l->incoming && !l->claimed);
	l->claimed = true;
	l->h = *h;
	l->arg = arg;
	return obj_ref(l);
}

static void ring_repeat(void *arg)
{
	struct sip_leg *l = arg;

	if (l->server && l->rel_required && !l->rel_waiting)
		(void)leg_rel_progress(l, l->last_code, NULL);
	else if (l->server && !l->rel_required)
		(void)siptx_resend(l->server);
	ltimer_set(&l->ring_timer, RING_REPEAT_MS(l->s), ring_repeat, l);
}

int sip_leg_progress(struct sip_leg *l, int code, const char *reason, const char *sdp)
{
	char lines[LINES_MAX];

	assert(code > 100 && code < 200);
	if (!l->incoming || l->state != RINGING || !l->server || l->next_answer)
		return -ENOTCONN;
	l->last_code = code;
	ltimer_set(&l->ring_timer, RING_REPEAT_MS(l->s), ring_repeat, l);
	if (l->rel_required)
		return leg_rel_progress(l, code, sdp);
	if (sdp)
		leg_replace(&l->sdp_local, sdp);
	leg_contact_lines(l, lines, sizeof(lines));
	return siptx_reply(l->server, code, reason, lines, SDP_TYPE, sdp, sdp ? strlen(sdp) : 0);
}

bool sip_leg_is_reliable(const struct sip_leg *l)
{
	return l->rel_required;
}

int sip_leg_answer(struct sip_leg *l, const char *sdp)
{
	char lines[LINES_MAX];
	int r;

	if (!l->incoming || l->state != RINGING || !l->server)
		return -ENOTCONN;
	if (l->rel_waiting && l->rel_has_sdp) { /* RFC 3262 3: not before its PRACK */
		leg_replace(&l->next_answer, sdp);
		return 0;
	}
	leg_rel_stop(l);
	if (l->settled)
		sdp = NULL; /* both have the other's */
	else
		leg_replace(&l->sdp_local, sdp);
	leg_contact_lines(l, lines, sizeof(lines));
	leg_session_answer(l, lines, sizeof(lines));
	r = siptx_reply(l->server, 200, NULL, lines, SDP_TYPE, sdp, sdp ? strlen(sdp) : 0);
	if (r)
		return r;
	ltimer_cancel(&l->ring_timer);
	l->state = ANSWERED;
	l->offer_is_ours = l->offer_is_ours && !l->settled;
	leg_ack_expect(l);
	return 0;
}

int sip_leg_reject(struct sip_leg *l, int code, const char *reason)
{
	assert(code >= 300);
	if (!l->incoming || l->state != RINGING || !l->server)
		return -ENOTCONN;
	(void)siptx_reply(l->server, code, reason, NULL, NULL, NULL, 0);
	leg_end(l, SIP_BY_LOCAL, code, 0, reason);
	return 0;
}
