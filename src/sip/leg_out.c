/*
 * Outgoing legs, up to the answer, and what its forks still bring.
 *
 *   INVITE --18x--> progress (with Require: 100rel: PRACK first)    2xx of any fork --> UP, the others' later ones: ACK, BYE
 *          --422--> again with the interval they want               3xx --> again, where that is allowed
 *          --else--> ENDED
 */
#include "sip/leg_priv.h"
#include "sip/fields.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- outgoing ---- */

/* ---- forks ---- */

static void fork_done(struct leg_fork *f)
{
	free(f->tag);
	free(f->remote);
	free(f->target);
	free(f->routes);
	free(f->sdp);
	*f = (struct leg_fork){0};
}

void leg_forks_free(struct sip_leg *l)
{
	for (unsigned i = 0; i < l->fork_n; i++)
		fork_done(&l->forks[i]);
	l->fork_n = 0;
	l->heard = NULL;
}

struct leg_fork *leg_fork_of(struct sip_leg *l, const struct pl *tag)
{
	for (unsigned i = 0; i < l->fork_n; i++)
		if (l->forks[i].tag && !pl_strcmp(tag, l->forks[i].tag))
			return &l->forks[i];
	return NULL;
}

/* The fork that rings, made when it is new. NULL: no tag, or too many of them. */
static struct leg_fork *fork_ringing(struct sip_leg *l, const struct sip_msg *m)
{
	struct leg_fork *f = pl_isset(&m->to.tag) ? leg_fork_of(l, &m->to.tag) : NULL;
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_CONTACT);
	char routes[SIPM_ROUTES_MAX];
	struct re_sip_addr a;

	if (!f && pl_isset(&m->to.tag) && l->fork_n < FORKS_MAX) {
		f = &l->forks[l->fork_n++];
		leg_replace_pl(&f->tag, &m->to.tag);
		leg_replace_pl(&f->remote, &m->to.val);
		if (!sipm_routes(routes, sizeof(routes), m, SIP_HDR_RECORD_ROUTE, true) && routes[0])
			f->routes = xstrdup(routes);
	}
	if (f && h && !sip_addr_decode(&a, &h->val) && a.auri.l < SIPM_URI_MAX && pl_isset(&a.uri.host))
		leg_replace_pl(&f->target, &a.auri);
	return f;
}

static void send_prack(struct sip_leg *l, struct leg_fork *f, const struct rx *r)
{
	struct siptx_request q = leg_request(l, "PRACK", ++l->lseq);
	struct flow flow = leg_flow_for(l, r, f->target, f->routes);
	char lines[96];

	(void)snprintf(lines, sizeof(lines), "RAck: %u %u INVITE\r\n", f->rseq, r->m->cseq.num);
	q.uri = f->target;
	q.to = f->remote;
	q.routes = f->routes;
	q.lines = lines;
	(void)siptx_client_new(NULL, l->s, &flow, &q, NULL, NULL);
}

/* A reliable answer (RFC 3262 4). false: a repeat, out of order, or one that cannot be acknowledged. */
static bool take_reliable(struct sip_leg *l, struct leg_fork *f, const struct rx *r)
{
	const struct sip_hdr *h = sip_msg_hdr(r->m, SIP_HDR_RSEQ);
	uint32_t rseq;

	if (!sipm_has_token(r->m, SIP_HDR_REQUIRE, "100rel"))
		return true;
	if (!f || !f->target || !h || !sipf_number(&rseq, &h->val) || !rseq || (f->rseq && rseq != f->rseq + 1))
		return false;
	f->rseq = rseq;
	send_prack(l, f, r);
	f->settled = f->settled || leg_has_sdp(r);
	return true;
}

/* 199 (RFC 6228): that one rings no more. Whoever else has described itself is heard instead, or nobody. */
static void fork_over(struct sip_leg *l, struct leg_fork *f)
{
	bool was_heard = l->heard == f;
	const char *sdp = NULL;

	fork_done(f);
	if (!was_heard)
		return;
	l->heard = NULL;
	for (unsigned i = 0; i < l->fork_n && !sdp; i++)
		if (l->forks[i].sdp) {
			l->heard = &l->forks[i];
			sdp = l->heard->sdp;
		}
	if (l->h.progress)
		l->h.progress(sdp ? 183 : 199, sdp, sdp ? strlen(sdp) : 0, l->arg);
}

static void provisional(struct sip_leg *l, const struct rx *r)
{
	struct leg_fork *f;
	const char *sdp;
	size_t len;

	if (r->m->scode == 100) {
		if (l->h.trying)
			l->h.trying(l->arg);
		return;
	}
	f = fork_ringing(l, r->m);
	if (!take_reliable(l, f, r))
		return;
	leg_learn_peer(l, r->m);
	if (r->m->scode == 199) {
		if (f)
			fork_over(l, f);
		return;
	}
	sdp = leg_sdp_of(r, &len);
	if (sdp && f) {
		free(f->sdp);
		f->sdp = xstrndup(sdp, len);
		l->heard = f;
	}
	if (l->h.progress)
		l->h.progress(r->m->scode, sdp, len, l->arg);
}

/* ---- the answer ---- */

/* What the one that answers has described: in its 2xx, or reliably or not before. */
static const char *description(struct sip_leg *l, const struct rx *r, struct leg_fork *f, size_t *len)
{
	const char *sdp = leg_sdp_of(r, len);

	if (f && f->renegotiated && l->heard == f)
		sdp = NULL;
	else if (!sdp && f)
		sdp = f->sdp;
	*len = !sdp ? 0 : sdp == r->body ? r->body_len : strlen(sdp);
	return sdp;
}

static void established(struct sip_leg *l, const struct rx *r)
{
	struct leg_fork *f = leg_fork_of(l, &r->m->to.tag);
	char routes[SIPM_ROUTES_MAX];
	const char *sdp;
	size_t len;

	ltimer_cancel(&l->ring_timer);
	leg_replace_pl(&l->rtag, &r->m->to.tag);
	leg_replace_pl(&l->remote, &r->m->to.val);
	leg_refresh_target(l, r->m);
	if (sipm_routes(routes, sizeof(routes), r->m, SIP_HDR_RECORD_ROUTE, true))
		routes[0] = '\0';
	leg_replace(&l->routes, routes[0] ? routes : NULL);
	if (!l->device)
		leg_choose_flow(l, r);
	l->state = UP;
	l->rseq = f ? f->cseq : 0;
	l->ack_due = r->m->cseq.num;
	leg_learn_peer(l, r->m);
	leg_session_answered(l, r->m);
	sdp = description(l, r, f, &len);
	(void)obj_ref(l);
	if (l->h.established)
		l->h.established(sdp, len, l->arg);
	leg_ack_flush(l);
	leg_forks_free(l);
	leg_replace(&l->invite_lines, NULL);
	(void)obj_unref(l);
}

static int invite_send(struct sip_leg *l);

/* 3xx: only to the same host, or anybody who answers for a carrier could send our calls where they cost most. */
static bool follow(struct sip_leg *l, const struct rx *r)
{
	const struct sip_hdr *h = sip_msg_hdr(r->m, SIP_HDR_CONTACT);
	struct re_sip_addr a;
	struct flow f;
	struct pl uri;

	if (l->redirects <= 0 || !h || sip_addr_decode(&a, &h->val) || a.auri.l >= SIPM_URI_MAX || pl_isset(&a.uri.headers))
		return false;
	uri = a.auri;
	if (sipnet_flow_onward(&f, &uri, &r->flow) || !sa_cmp(&f.peer, &l->flow.peer, SA_ADDR))
		return false;
	f.tls = l->flow.tls;
	l->redirects--;
	leg_replace_pl(&l->target, &uri);
	l->flow = f;
	return true;
}

/* Whether what they answer is only that we should ask in another way, and we do. */
static bool try_again(struct sip_leg *l, const struct rx *r)
{
	bool again = (r->m->scode == 422 && leg_session_too_small(l, r->m)) || (r->m->scode / 100 == 3 && follow(l, r));

	if (!again)
		return false;
	leg_forks_free(l);
	l->lseq++;
	return !invite_send(l);
}

static void failed(struct sip_leg *l, const struct rx *r)
{
	struct sipm_reason why;
	char phrase[96];

	if (try_again(l, r))
		return;
	sipm_reason(&why, r->m);
	(void)sipm_copy(phrase, sizeof(phrase), &r->m->reason);
	leg_end(l, SIP_BY_REMOTE, r->m->scode, why.q850, why.text[0] ? why.text : phrase);
	l->close.retry_after_s = sipm_retry_after(r->m);
}

static void nothing_came(struct sip_leg *l, enum sip_by by, const char *why)
{
	leg_end(l, by, 408, 0, why);
	l->close.silent = true;
}

static void on_answer(const struct rx *r, void *arg)
{
	struct sip_leg *l = arg;

	obj_ref(l);
	ltimer_cancel(&l->first_timer);
	if (!r) {
		nothing_came(l, SIP_BY_LOST, "No answer at all");
	} else if (l->state != CALLING) {
		if (r->m->scode >= 200 && r->m->scode < 300)
			sipl_refuse_answer(l->s, r); /* a repeat of the one we took, or another fork's */
	} else if (r->m->scode < 200) {
		provisional(l, r);
	} else if (r->m->scode < 300) {
		established(l, r);
	} else {
		failed(l, r);
	}
	obj_unref(l);
}

/* The repeat of a 2xx in a dialog that is up: its ACK was lost. */
static bool acknowledged_again(struct sip_stack *s, const struct rx *r)
{
	char key[2 * SIPM_TOKEN_MAX + 2];
	struct sip_leg *l;

	(void)snprintf(key, sizeof(key), "%.*s|%.*s", (int)r->m->callid.l, r->m->callid.p,
		       (int)r->m->from.tag.l, r->m->from.tag.p);
	l = hmap_get_str(&s->dialogs, key);
	if (!l || l->state != UP || !l->rtag || pl_strcmp(&r->m->to.tag, l->rtag))
		return false;
	if (l->ack && l->ack_cseq == r->m->cseq.num)
		(void)sipnet_send(s, leg_flow(l), l->ack, l->ack_len);
	return true;
}

void sipl_refuse_answer(struct sip_stack *s, const struct rx *r)
{
	const struct sip_hdr *h = sip_msg_hdr(r->m, SIP_HDR_CONTACT);
	char uri[SIPM_URI_MAX], from[SIPM_URI_MAX], to[SIPM_URI_MAX], call_id[SIPM_TOKEN_MAX],
		routes[SIPM_ROUTES_MAX], buf[8192];
	struct siptx_request q = {
		.uri = uri, .from = from, .to = to, .call_id = call_id, .cseq = r->m->cseq.num, .routes = routes};
	struct re_sip_addr a;
	struct strb b;

	if (acknowledged_again(s, r) || !h || sip_addr_decode(&a, &h->val) ||
		!sipm_copy(uri, sizeof(uri), &a.auri) || !sipm_copy(from, sizeof(from), &r->m->from.val) ||
		!sipm_copy(to, sizeof(to), &r->m->to.val) ||
		sipm_routes(routes, sizeof(routes), r->m, SIP_HDR_RECORD_ROUTE, true))
		return;
	(void)sipm_copy(call_id, sizeof(call_id), &r->m->callid);
	strb_init_fixed(&b, buf, sizeof(buf));
	q.method = "ACK";
	(void)siptx_send_ack(s, &r->flow, &q, &b);
	q.method = "BYE";
	q.cseq += 1000; /* it may have had PRACKs of ours, nobody knows how many */
	(void)siptx_client_new(NULL, s, &r->flow, &q, NULL, NULL);
}

void leg_give_up_ringing(struct sip_leg *l, const char *lines)
{
	struct siptx_client *t = l->client;

	if (!t)
		return;
	siptx_client_detach(t);
	siptx_client_cancel(t, lines && lines[0] ? lines : NULL);
}

static void ring_timeout(void *arg)
{
	struct sip_leg *l = arg;

	leg_give_up_ringing(l, "Reason: Q.850;cause=19;text=\"No answer\"\r\n");
	leg_end(l, SIP_BY_TIMEOUT, 408, 19, "No answer");
}

static void first_timeout(void *arg)
{
	struct sip_leg *l = arg;

	leg_give_up_ringing(l, NULL);
	nothing_came(l, SIP_BY_TIMEOUT, "No answer at all");
}

/* Finds where to send it. 0, -ENOENT, -EINVAL, -EHOSTUNREACH. */
static int aim(struct sipr_target *t, struct sip_stack *s, const struct sip_dial *d)
{
	int r;

	assert(!d->device != !d->uri);
	if (d->device)
		return sipr_find(s, d->device, t) ? 0 : -ENOENT;
	if (strpbrk(d->uri, "<> \r\n") || !str_copy(t->uri, sizeof(t->uri), d->uri))
		return -EINVAL;
	r = sipnet_flow_of_dial(&t->flow, s, d->next_hop ? d->next_hop : d->uri, d->tls);
	if (!r)
		t->flow.tcp_if_big = d->tcp_if_big;
	t->routes[0] = '\0';
	if (d->route)
		(void)snprintf(t->routes, sizeof(t->routes), "Route: <%s;lr>\r\n", d->route);
	return r;
}

int sip_dial_host(struct sip_stack *s, const struct sip_dial *d, char *host, size_t size)
{
	struct sipr_target t;
	int r = aim(&t, s, d);

	return r ? r : sa_ntop(&t.flow.peer, host, (int)size) ? -EINVAL : 0;
}

static void outgoing_names(struct sip_leg *l, const struct sip_dial *d)
{
	const char *realm = d->from_host ? d->from_host : l->s->conf.realm,
		   *user = d->from_user && d->from_user[0] ? d->from_user : "anonymous";
	struct strb b;

	strb_init(&b, SIPM_URI_MAX);
	sipm_put_addr(&b, d->from_name, user, realm);
	strb_printf(&b, ";tag=%s", l->ltag);
	l->local = strb_take(&b);
	if (d->device) {
		strb_init(&b, SIPM_URI_MAX);
		sipm_put_addr(&b, NULL, d->device, realm);
		l->remote = strb_take(&b);
		l->device = xstrdup(d->device);
	} else {
		l->remote = xasprintf("<%s>", d->uri);
	}
}

/* What every INVITE of this call says; the session's part may change. */
static int outgoing_lines(struct sip_leg *l, const struct sip_dial *d)
{
	struct strb b;

	strb_init(&b, 16384);
	strb_puts(&b, LEG_LINES);
	if (d->pai) {
		strb_puts(&b, "P-Asserted-Identity: ");
		sipm_put_addr(&b, d->from_name, d->pai, d->from_host ? d->from_host : l->s->conf.realm);
		strb_puts(&b, "\r\n");
	}
	if (d->headers)
		strb_puts(&b, d->headers);
	if (b.overflow) {
		strb_done(&b);
		return -EMSGSIZE;
	}
	l->invite_lines = strb_take(&b);
	return 0;
}

static int invite_send(struct sip_leg *l)
{
	struct siptx_request q = leg_request(l, "INVITE", l->lseq);
	struct strb b;
	int r;

	strb_init(&b, 20000);
	strb_puts(&b, l->invite_lines);
	leg_session_offer(l, &b);
	q.lines = b.buf;
	q.contact = true;
	q.content_type = SDP_TYPE;
	q.body = l->sdp_local;
	q.body_len = l->sdp_local ? strlen(l->sdp_local) : 0;
	q.cseq_slot = &l->lseq;
	r = b.overflow ? -EMSGSIZE : siptx_client_new(&l->client, l->s, &l->flow, &q, on_answer, l);
	strb_done(&b);
	return r;
}

int sip_dial(struct sip_leg **ret, struct sip_stack *s, const struct sip_dial *d,
	     const struct sip_leg_handlers *h, void *arg)
{
	struct sipr_target t;
	struct sip_leg *l;
	char call_id[34];
	int r;

	r = aim(&t, s, d);
	if (r)
		return r;
	sipm_random(call_id);
	sipm_random(call_id + 16);
	l = leg_new(s, call_id);
	l->state = CALLING;
	l->target = xstrdup(t.uri);
	l->routes = t.routes[0] ? xstrdup(t.routes) : NULL;
	l->flow = t.flow;
	l->auth = d->auth ? obj_ref(d->auth) : NULL;
	outgoing_names(l, d);
	l->redirects = d->redirects_max;
	leg_replace(&l->sdp_local, d->sdp);
	r = outgoing_lines(l, d);
	if (!r)
		r = invite_send(l);
	if (r) {
		l->state = ENDED;
		l->reported = true;
		leg_done(l);
		return r;
	}
	l->h = *h;
	l->arg = arg;
	ltimer_set(&l->ring_timer, d->ring_timeout_ms ? d->ring_timeout_ms : RING_TIMEOUT_MS, ring_timeout,
		   l);
	if (d->first_ms)
		ltimer_set(&l->first_timer, d->first_ms, first_timeout, l);
	*ret = obj_ref(l);
	return 0;
}
