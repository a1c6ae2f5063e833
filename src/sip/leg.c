/*
 * Legs: one INVITE dialog each.
 *
 *   in    RINGING --answer--> ANSWERED --ACK--> UP        RINGING --reject, CANCEL--> ENDED
 *   out   CALLING --2xx--> UP                             CALLING --final, hangup, ring time-out--> ENDED
 *   any   UP --BYE of either side, lost--> ENDED          ANSWERED --no ACK in 64*T1--> ENDED, with BYE
 *
 * What a leg's end still owes the other side (CANCEL and what crosses it, a BYE that must wait for the ACK)
 * goes on behind the owner's back: closed() comes at once, from a timer of 0 ms, so that no handler is ever
 * called inside a call of its owner. The leg lives until both the owner and the network are done with it.
 */
#include "sip/sip_priv.h"
#include "sip/dialog_json.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_TIMEOUT_MS 180000 /* timer C */
#define RING_REPEAT_MS	60000  /* RFC 3261 13.3.1.1: a proxy on the way would give up otherwise */
#define ANSWER_MAX	16384  /* SDP we answer with inside a handler */
#define SDP_TYPE	"application/sdp"
#define LEG_LINES	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n"

enum leg_state { RINGING, ANSWERED, CALLING, UP, ENDED };

struct sip_leg {
	struct ilink link;
	struct sip_stack *s;
	enum leg_state state;
	bool incoming, claimed, reported;
	struct sip_leg_handlers h;
	void *arg;
	struct sip_close close;
	char close_reason[96];
	struct ltimer close_timer, ring_timer, ack_timer, glare_timer;

	char *dialog_key; /* Call-ID|our tag */
	char *merge_key;  /* Call-ID|their tag|CSeq of the INVITE */
	char *call_id, *ltag, *rtag;
	uint32_t lseq, rseq;
	char *local, *remote; /* values of From and To of our requests */
	char *target, *routes;
	char *device; /* NULL: a trunk or a plain URI */
	struct flow flow;

	struct siptx_server *server; /* the INVITE or re-INVITE we answer */
	uint32_t server_cseq;
	bool offer_is_ours; /* it came without one: the ACK brings the answer */
	bool waiting_ack;
	unsigned ack_resends;
	int64_t ack_give_up_ms;
	bool bye_after_ack;
	char *bye_lines;

	struct siptx_client *client; /* our INVITE; stays for late and forked 2xx */
	struct siptx_client *reinvite;
	char *offer_sent, *offer_waiting;
	char *ack; /* last ACK to a 2xx, for its repeats */
	size_t ack_len;
	uint32_t ack_cseq;
	uint32_t ack_due; /* CSeq of a 2xx that the owner hears of first; 0: none */
};

static void replace(char **dst, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*dst);
	*dst = copy;
}

static void replace_pl(char **dst, const struct pl *p)
{
	free(*dst);
	*dst = xstrndup(p->p, p->l);
}

/* ---- life ---- */

static void leg_free(void *arg)
{
	struct sip_leg *l = arg;

	free(l->dialog_key);
	free(l->merge_key);
	free(l->call_id);
	free(l->ltag);
	free(l->rtag);
	free(l->local);
	free(l->remote);
	free(l->target);
	free(l->routes);
	free(l->device);
	free(l->bye_lines);
	free(l->offer_sent);
	free(l->offer_waiting);
	free(l->ack);
}

static struct sip_leg *leg_new(struct sip_stack *s, const char *call_id)
{
	struct sip_leg *l = obj_new(sizeof(*l), leg_free);
	char tag[17];

	if (!l)
		abort();
	sipm_random(tag);
	l->s = s;
	l->call_id = xstrdup(call_id);
	l->ltag = xstrdup(tag);
	l->dialog_key = xasprintf("%s|%s", call_id, tag);
	l->lseq = 1;
	hmap_set_str(&s->dialogs, l->dialog_key, l);
	ilist_push_back(&s->legs, &l->link);
	s->counters.legs++;
	return l;
}

static void drop_server(struct sip_leg *l)
{
	if (l->server)
		siptx_server_watch(l->server, NULL, NULL, NULL);
}

/* The stack's reference goes when the owner has been told and no 2xx of ours waits for its ACK. */
static void leg_done(struct sip_leg *l)
{
	struct sip_stack *s = l->s;

	if (!l->reported || l->waiting_ack || !ilink_linked(&l->link))
		return;
	ilink_unlink(&l->link);
	s->counters.legs--;
	(void)hmap_del_str(&s->dialogs, l->dialog_key);
	if (l->merge_key && hmap_get_str(&s->merges, l->merge_key) == l)
		(void)hmap_del_str(&s->merges, l->merge_key);
	ltimer_cancel(&l->close_timer);
	ltimer_cancel(&l->ring_timer);
	ltimer_cancel(&l->ack_timer);
	ltimer_cancel(&l->glare_timer);
	drop_server(l);
	if (l->client)
		siptx_client_detach(l->client);
	if (l->reinvite)
		siptx_client_detach(l->reinvite);
	obj_unref(l);
}

static void report(void *arg)
{
	struct sip_leg *l = arg;

	l->reported = true;
	if (l->h.closed)
		l->h.closed(&l->close, l->arg);
	leg_done(l);
}

static void leg_end(struct sip_leg *l, enum sip_by by, int code, int q850, const char *reason)
{
	if (l->state == ENDED)
		return;
	l->state = ENDED;
	ltimer_cancel(&l->ring_timer);
	ltimer_cancel(&l->glare_timer);
	(void)str_copy(l->close_reason, sizeof(l->close_reason),
		       reason && reason[0] ? reason
		       : code		   ? sipm_reason_phrase(code)
					   : "");
	l->close = (struct sip_close){by, code, q850 ? q850 : sipm_q850_of_status(code), l->close_reason};
	ltimer_set(&l->close_timer, 0, report, l);
}

/* ---- requests inside the dialog ---- */

/* A browser that has reloaded comes back on another socket. */
static const struct flow *leg_flow(struct sip_leg *l)
{
	struct sipr_target t;

	if (l->device && !sipnet_alive(l->s, &l->flow) && sipr_find(l->s, l->device, &t))
		l->flow = t.flow;
	return &l->flow;
}

static struct siptx_request in_dialog(const struct sip_leg *l, const char *method, uint32_t cseq)
{
	return (struct siptx_request){
		.method = method,
		.uri = l->target,
		.from = l->local,
		.to = l->remote,
		.call_id = l->call_id,
		.cseq = cseq,
		.routes = l->routes,
	};
}

static void reason_lines(char *buf, size_t size, int code, int q850, const char *text)
{
	char clean[64];
	size_t n = 0;

	for (; text && *text && n + 1 < sizeof(clean); text++)
		if ((unsigned char)*text >= ' ' && *text != '"' && *text != '\\' && *text != 127)
			clean[n++] = *text;
	clean[n] = '\0';
	buf[0] = '\0';
	if (q850 > 0 && q850 < 128)
		(void)snprintf(buf, size, "Reason: Q.850;cause=%d%s%s%s\r\n", q850, n ? ";text=\"" : "",
			       clean, n ? "\"" : "");
	else if (code >= 200)
		(void)snprintf(buf, size, "Reason: SIP;cause=%d%s%s%s\r\n", code, n ? ";text=\"" : "", clean,
			       n ? "\"" : "");
}

static void send_ack(struct sip_leg *l, uint32_t cseq)
{
	struct siptx_request q = in_dialog(l, "ACK", cseq);
	char buf[8192];
	struct strb b;

	strb_init_fixed(&b, buf, sizeof(buf));
	(void)siptx_send_ack(l->s, leg_flow(l), &q, &b);
	free(l->ack);
	l->ack = xstrndup(b.buf, b.len);
	l->ack_len = b.len;
	l->ack_cseq = cseq;
}

/* The ACK to the 2xx goes out when the owner has written down that the call is up, or before anything else
 * would. */
static void ack_flush(struct sip_leg *l)
{
	uint32_t cseq = l->ack_due;

	l->ack_due = 0;
	if (cseq)
		send_ack(l, cseq);
}

static void send_bye(struct sip_leg *l, const char *lines)
{
	struct siptx_request q = in_dialog(l, "BYE", ++l->lseq);

	q.lines = lines && lines[0] ? lines : NULL;
	(void)siptx_client_new(NULL, l->s, leg_flow(l), &q, NULL, NULL);
}

/* Where the dialog's requests go. A device: the way it came, whatever it says of itself. A trunk: RFC
 * 3261 12.2.1.1. */
static void choose_flow(struct sip_leg *l, const struct rx *r)
{
	struct re_sip_addr a;
	struct flow f;
	struct pl first;

	l->flow = r->flow;
	if (l->device)
		return;
	if (l->routes && !re_regex(l->routes, strlen(l->routes), "Route: [^\r\n]+", &first)) {
		if (!sip_addr_decode(&a, &first) && !sipnet_flow_of_uri(&f, &a.auri))
			l->flow = f;
		return;
	}
	pl_set_str(&first, l->target);
	if (!sipnet_flow_of_uri(&f, &first))
		l->flow = f;
}

static void refresh_target(struct sip_leg *l, const struct sip_msg *m)
{
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_CONTACT);
	struct re_sip_addr a;

	if (h && !sip_addr_decode(&a, &h->val) && a.auri.l < SIPM_URI_MAX && pl_isset(&a.uri.host))
		replace_pl(&l->target, &a.auri);
}

static bool has_sdp(const struct rx *r)
{
	return r->body_len && msg_ctype_cmp(&r->m->ctyp, "application", "sdp");
}

static const char *sdp_of(const struct rx *r, size_t *len)
{
	*len = has_sdp(r) ? r->body_len : 0;
	return *len ? r->body : NULL;
}

static void contact_lines(struct sip_leg *l, char *buf, size_t size)
{
	struct sa local;

	sipnet_local_for(l->s, &l->flow, &local);
	(void)re_snprintf(buf, size, "Contact: <sip:%J%s>\r\n" LEG_LINES, &local,
			  l->flow.ws ? ";transport=ws" : "");
}

/* ---- our 2xx waits for its ACK (RFC 3261 13.3.1.4) ---- */

static void reinvite_try(struct sip_leg *l);

static void ack_overdue(void *arg)
{
	struct sip_leg *l = arg;
	int64_t delay;

	if (clock_mono_ms() >= l->ack_give_up_ms) {
		l->waiting_ack = false;
		send_bye(l, l->bye_lines);
		leg_end(l, SIP_BY_LOST, 408, 0, "No ACK");
		leg_done(l);
		return;
	}
	if (l->server)
		(void)siptx_resend(l->server);
	delay = T1_MS(l->s) << ++l->ack_resends;
	ltimer_set(&l->ack_timer, delay < T2_MS(l->s) ? delay : T2_MS(l->s), ack_overdue, l);
}

static void ack_expect(struct sip_leg *l)
{
	l->waiting_ack = true;
	l->ack_resends = 0;
	l->ack_give_up_ms = clock_mono_ms() + GIVE_UP_MS(l->s);
	ltimer_set(&l->ack_timer, T1_MS(l->s), ack_overdue, l);
}

static void take_ack(struct sip_leg *l, const struct rx *r)
{
	const char *sdp;
	size_t len;
	bool ours = l->offer_is_ours;

	if (!l->waiting_ack || r->m->cseq.num != l->server_cseq)
		return;
	l->waiting_ack = false;
	ltimer_cancel(&l->ack_timer);
	drop_server(l);
	sdp = ours ? sdp_of(r, &len) : NULL;
	if (!sdp)
		len = 0;
	if (l->state == ENDED) {
		if (l->bye_after_ack)
			send_bye(l, l->bye_lines);
		leg_done(l);
	} else if (l->state == ANSWERED) {
		l->state = UP;
		if (l->h.established)
			l->h.established(sdp, len, l->arg);
	} else if (ours && l->h.reanswer) {
		l->h.reanswer(200, sdp, len, l->arg);
	}
	if (l->state == UP)
		reinvite_try(l);
}

/* ---- incoming ---- */

static void cancelled(const struct rx *r, void *arg)
{
	struct sip_leg *l = arg;
	struct sipm_reason why;

	if (l->state != RINGING)
		return;
	sipm_reason(&why, r->m);
	(void)siptx_reply(l->server, 487, NULL, NULL, NULL, NULL, 0);
	leg_end(l, SIP_BY_REMOTE, 487, why.q850 ? why.q850 : 16, why.text);
}

static bool refuse_body(struct sip_stack *s, const struct rx *r)
{
	const struct sip_hdr *enc = sip_msg_hdr(r->m, SIP_HDR_CONTENT_ENCODING);

	if ((!r->body_len || has_sdp(r)) && (!enc || !pl_strcasecmp(&enc->val, "identity")))
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
	replace_pl(&l->rtag, &m->from.tag);
	l->rseq = l->server_cseq = m->cseq.num;
	l->merge_key = xasprintf("%s|%s|%u", call_id, l->rtag, m->cseq.num);
	hmap_set_str(&s->merges, l->merge_key, l);
	l->local = xasprintf("%.*s;tag=%s", (int)m->to.val.l, m->to.val.p, l->ltag);
	replace_pl(&l->remote, &m->from.val);
	refresh_target(l, m);
	if (routes[0])
		l->routes = xstrdup(routes);
	if (device[0])
		l->device = xstrdup(device);
	l->offer_is_ours = !has_sdp(r);
	choose_flow(l, r);
	siptx_server_watch(siptx_server_new(s, r, l->ltag, true), cancelled, &l->server, l);
	return l;
}

static void ask_owner(struct sip_leg *l, const struct rx *r, enum sip_origin origin, int64_t trunk)
{
	struct sip_stack *s = l->s;
	const struct sip_msg *m = r->m;
	char dialled[SIPM_TOKEN_MAX], from_user[SIPM_TOKEN_MAX], from_name[SIPM_TOKEN_MAX],
		to_user[SIPM_TOKEN_MAX];
	struct sip_invite inv = {
		.origin = origin,
		.trunk_id = trunk,
		.device = l->device,
		.transport = r->flow.ws ? "ws" : "udp",
		.dialled = dialled,
		.from_user = from_user,
		.from_name = from_name,
		.to_user = to_user,
		.call_id = l->call_id,
	};
	int code;

	(void)sipm_user(dialled, sizeof(dialled), &m->uri.user);
	(void)sipm_user(from_user, sizeof(from_user), &m->from.uri.user);
	(void)sipm_user(to_user, sizeof(to_user), &m->to.uri.user);
	sipm_display(from_name, sizeof(from_name), &m->from.dname);
	(void)sa_ntop(&r->flow.peer, inv.source.host, sizeof(inv.source.host));
	inv.source.port = sa_port(&r->flow.peer);
	inv.sdp = sdp_of(r, &inv.sdp_len);
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
		 const char *device)
{
	struct sip_leg *l;

	if (refuse_body(s, r))
		return;
	l = incoming_new(s, r, device);
	if (!l) {
		siptx_reply_stateless(s, r, 400, "Route Set Too Long", NULL);
		return;
	}
	(void)siptx_reply(l->server, 100, NULL, NULL, NULL, NULL, 0);
	ask_owner(l, r, origin, trunk);
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

	if (l->server)
		(void)siptx_resend(l->server);
	ltimer_set(&l->ring_timer, RING_REPEAT_MS, ring_repeat, l);
}

int sip_leg_progress(struct sip_leg *l, int code, const char *reason, const char *sdp)
{
	char lines[256];

	assert(code > 100 && code < 200);
	if (!l->incoming || l->state != RINGING || !l->server)
		return -ENOTCONN;
	contact_lines(l, lines, sizeof(lines));
	ltimer_set(&l->ring_timer, RING_REPEAT_MS, ring_repeat, l);
	return siptx_reply(l->server, code, reason, lines, SDP_TYPE, sdp, sdp ? strlen(sdp) : 0);
}

int sip_leg_answer(struct sip_leg *l, const char *sdp)
{
	char lines[256];
	int r;

	if (!l->incoming || l->state != RINGING || !l->server)
		return -ENOTCONN;
	contact_lines(l, lines, sizeof(lines));
	r = siptx_reply(l->server, 200, NULL, lines, SDP_TYPE, sdp, sdp ? strlen(sdp) : 0);
	if (r)
		return r;
	ltimer_cancel(&l->ring_timer);
	l->state = ANSWERED;
	ack_expect(l);
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

/* ---- in-dialog requests ---- */

static void answer_now(struct sip_leg *l, const struct rx *r, int code, const char *lines)
{
	siptx_answer(l->s, r, l->ltag, code, lines);
}

static void take_bye(struct sip_leg *l, const struct rx *r)
{
	struct sipm_reason why;

	answer_now(l, r, 200, NULL);
	sipm_reason(&why, r->m);
	if (l->state == RINGING && l->server)
		(void)siptx_reply(l->server, 487, NULL, NULL, NULL, NULL, 0);
	if (l->state == CALLING)
		return;	      /* of a fork that we never accepted */
	if (l->waiting_ack) { /* who hangs up will not acknowledge */
		l->waiting_ack = false;
		ltimer_cancel(&l->ack_timer);
	}
	leg_end(l, SIP_BY_REMOTE, l->state == RINGING ? 487 : 0, why.q850 ? why.q850 : 16, why.text);
	leg_done(l); /* when it had ended and waited for the ACK only */
}

static void reoffer(struct sip_leg *l, struct siptx_server *t, const struct rx *r)
{
	static _Thread_local char answer[ANSWER_MAX];
	char lines[256];
	const char *sdp;
	size_t len;
	int code = 488;

	sdp = sdp_of(r, &len);
	answer[0] = '\0';
	if (l->h.reoffer)
		code = l->h.reoffer(sdp, len, answer, sizeof(answer), l->arg);
	if (l->state != UP)
		code = 487; /* the owner hung up meanwhile */
	if (code) {
		(void)siptx_reply(t, code < 300 ? 500 : code, NULL, NULL, NULL, NULL, 0);
		return;
	}
	contact_lines(l, lines, sizeof(lines));
	if (siptx_reply(t, 200, NULL, lines, SDP_TYPE, answer, strlen(answer)))
		return;
	drop_server(l);
	siptx_server_watch(t, NULL, &l->server, l);
	l->server_cseq = r->m->cseq.num;
	l->offer_is_ours = !sdp;
	ack_expect(l);
}

static void take_reinvite(struct sip_leg *l, const struct rx *r)
{
	if (l->state != UP || l->waiting_ack) {
		answer_now(l, r, 500, "Retry-After: 1\r\n"); /* RFC 3261 14.2 */
		return;
	}
	if (l->reinvite) {
		answer_now(l, r, 491, NULL);
		return;
	}
	if (sips_refuse_extensions(l->s, r) || refuse_body(l->s, r))
		return;
	refresh_target(l, r->m);
	choose_flow(l, r);
	reoffer(l, siptx_server_new(l->s, r, l->ltag, true), r);
}

/* "Signal=5\r\nDuration=160", or a lone digit as application/dtmf. */
static void take_info(struct sip_leg *l, const struct rx *r)
{
	struct pl signal, duration;
	int ms = 160;

	answer_now(l, r, 200, NULL);
	if (!r->body_len || l->state != UP || !l->h.info_digit)
		return;
	if (msg_ctype_cmp(&r->m->ctyp, "application", "dtmf-relay")) {
		if (re_regex(r->body, r->body_len, "Signal[ ]*=[ ]*[0-9A-D*#]1", NULL, NULL, &signal))
			return;
		if (!re_regex(r->body, r->body_len, "Duration[ ]*=[ ]*[0-9]1-5", NULL, NULL, &duration))
			ms = (int)pl_u32(&duration);
	} else if (msg_ctype_cmp(&r->m->ctyp, "application", "dtmf")) {
		signal = (struct pl){r->body, 1};
	} else {
		return;
	}
	if (strchr("0123456789ABCD*#", signal.p[0]))
		l->h.info_digit(signal.p[0], ms, l->arg);
}

/* On a WebSocket only the device of the dialog, on UDP no dialog of a browser: tags alone are not enough
 * there. */
static bool came_the_right_way(struct sip_leg *l, const struct rx *r)
{
	if (r->flow.ws) {
		if (!l->device || !r->ws_device || strcmp(l->device, r->ws_device))
			return false;
		l->flow = r->flow;
		return true;
	}
	return !l->flow.ws;
}

static void take(struct sip_leg *l, const struct rx *r)
{
	const struct pl *met = &r->m->met;

	if (!pl_strcmp(met, "ACK")) {
		take_ack(l, r);
		return;
	}
	if (r->m->cseq.num <= l->rseq && l->rseq) {
		answer_now(l, r, 500, NULL); /* RFC 3261 12.2.2 */
		return;
	}
	l->rseq = r->m->cseq.num;
	if (!pl_strcmp(met, "BYE"))
		take_bye(l, r);
	else if (l->state == ENDED)
		answer_now(l, r, 481, NULL);
	else if (!pl_strcmp(met, "INVITE"))
		take_reinvite(l, r);
	else if (!pl_strcmp(met, "INFO"))
		take_info(l, r);
	else
		answer_now(l, r, pl_strcmp(met, "OPTIONS") ? 405 : 200, LEG_LINES);
}

bool sipl_take_request(struct sip_stack *s, const struct rx *r)
{
	char key[2 * SIPM_TOKEN_MAX + 2], tag[SIPM_TOKEN_MAX];
	struct sip_leg *l;

	if (!sipm_tag(&r->m->to, tag, sizeof(tag)))
		return false;
	(void)snprintf(key, sizeof(key), "%.*s|%s", (int)r->m->callid.l, r->m->callid.p, tag);
	l = hmap_get_str(&s->dialogs, key);
	if (!l || (l->rtag && pl_strcmp(&r->m->from.tag, l->rtag)) || !came_the_right_way(l, r))
		return false;
	obj_ref(l);
	take(l, r);
	obj_unref(l);
	return true;
}

/* ---- outgoing ---- */

static void established(struct sip_leg *l, const struct rx *r)
{
	char routes[SIPM_ROUTES_MAX];
	const char *sdp;
	size_t len;

	ltimer_cancel(&l->ring_timer);
	replace_pl(&l->rtag, &r->m->to.tag);
	replace_pl(&l->remote, &r->m->to.val);
	refresh_target(l, r->m);
	if (sipm_routes(routes, sizeof(routes), r->m, SIP_HDR_RECORD_ROUTE, true))
		routes[0] = '\0';
	replace(&l->routes, routes[0] ? routes : NULL);
	if (!l->device)
		choose_flow(l, r);
	l->state = UP;
	l->ack_due = r->m->cseq.num;
	sdp = sdp_of(r, &len);
	(void)obj_ref(l);
	if (l->h.established)
		l->h.established(sdp, len, l->arg);
	ack_flush(l);
	(void)obj_unref(l);
}

static void failed(struct sip_leg *l, const struct rx *r)
{
	struct sipm_reason why;
	char phrase[96];

	sipm_reason(&why, r->m);
	(void)sipm_copy(phrase, sizeof(phrase), &r->m->reason);
	leg_end(l, SIP_BY_REMOTE, r->m->scode, why.q850, why.text[0] ? why.text : phrase);
}

static void on_answer(const struct rx *r, void *arg)
{
	struct sip_leg *l = arg;
	const char *sdp;
	size_t len;

	obj_ref(l);
	if (!r) {
		leg_end(l, SIP_BY_LOST, 408, 0, "No answer at all");
	} else if (l->state != CALLING) {
		if (r->m->scode >= 200 && r->m->scode < 300)
			sipl_refuse_answer(l->s, r); /* a repeat of the one we took, or another fork's */
	} else if (r->m->scode < 200) {
		sdp = sdp_of(r, &len);
		if (r->m->scode > 100 && l->h.progress)
			l->h.progress(r->m->scode, sdp, len, l->arg);
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
	q.cseq++;
	(void)siptx_client_new(NULL, s, &r->flow, &q, NULL, NULL);
}

static void give_up_ringing(struct sip_leg *l, const char *lines)
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

	give_up_ringing(l, "Reason: Q.850;cause=19;text=\"No answer\"\r\n");
	leg_end(l, SIP_BY_TIMEOUT, 408, 19, "No answer");
}

/* Finds where to send it. 0, -ENOENT, -EINVAL, -EHOSTUNREACH. */
static int aim(struct sipr_target *t, struct sip_stack *s, const struct sip_dial *d)
{
	struct pl pl;
	int r;

	assert(!d->device != !d->uri);
	if (d->device)
		return sipr_find(s, d->device, t) ? 0 : -ENOENT;
	pl_set_str(&pl, d->uri);
	if (strpbrk(d->uri, "<> \r\n") || !str_copy(t->uri, sizeof(t->uri), d->uri))
		return -EINVAL;
	r = sipnet_flow_of_uri(&t->flow, &pl);
	t->routes[0] = '\0';
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
	const char *realm = l->s->conf.realm,
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

static int outgoing_send(struct sip_leg *l, const struct sip_dial *d)
{
	struct siptx_request q = in_dialog(l, "INVITE", l->lseq);
	struct strb b;
	int r;

	strb_init(&b, 16384);
	strb_puts(&b, LEG_LINES);
	if (d->pai) {
		strb_puts(&b, "P-Asserted-Identity: ");
		sipm_put_addr(&b, d->from_name, d->pai, l->s->conf.realm);
		strb_puts(&b, "\r\n");
	}
	if (d->headers)
		strb_puts(&b, d->headers);
	q.lines = b.buf;
	q.contact = true;
	q.content_type = SDP_TYPE;
	q.body = d->sdp;
	q.body_len = d->sdp ? strlen(d->sdp) : 0;
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
	outgoing_names(l, d);
	r = outgoing_send(l, d);
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
	*ret = obj_ref(l);
	return 0;
}

/* ---- our re-INVITE ---- */

static void glare_over(void *arg)
{
	reinvite_try(arg);
}

/* RFC 3261 14.1: who made the Call-ID waits 2.1 to 4 s, the other side up to 2 s, in steps of 10 ms. */
static void glare_wait(struct sip_leg *l)
{
	char random[17];
	uint8_t b[2];
	int64_t steps;

	sipm_random(random);
	(void)str_hex_to(b, 2, (char[5]){random[0], random[1], random[2], random[3], 0});
	steps = (b[0] << 8 | b[1]) % (l->incoming ? 201 : 191);
	if (!l->offer_waiting) { /* unless a newer one came up */
		l->offer_waiting = l->offer_sent;
		l->offer_sent = NULL;
	}
	ltimer_set(&l->glare_timer, l->incoming ? steps * 10 : 2100 + steps * 10, glare_over, l);
}

static void reinvite_accepted(struct sip_leg *l, const struct rx *r)
{
	const char *sdp;
	size_t len;

	refresh_target(l, r->m);
	if (!l->device)
		choose_flow(l, r);
	send_ack(l, r->m->cseq.num);
	siptx_client_detach(l->reinvite); /* repeats: acknowledged_again */
	sdp = sdp_of(r, &len);
	if (l->h.reanswer)
		l->h.reanswer(r->m->scode, sdp, len, l->arg);
}

static void on_reanswer(const struct rx *r, void *arg)
{
	struct sip_leg *l = arg;
	int code = r ? r->m->scode : 408;

	if (code < 200 || l->state != UP)
		return;
	obj_ref(l);
	if (code < 300) {
		reinvite_accepted(l, r);
	} else if (code == 491) {
		glare_wait(l);
	} else if (code == 408 || code == 481) { /* RFC 3261 12.2.1.2: the dialog is gone */
		send_bye(l, NULL);
		leg_end(l, SIP_BY_LOST, code, 0, NULL);
	} else if (l->h.reanswer) {
		l->h.reanswer(code, NULL, 0, l->arg);
	}
	if (l->state == UP)
		reinvite_try(l);
	obj_unref(l);
}

static void reinvite_try(struct sip_leg *l)
{
	struct siptx_request q;

	if (!l->offer_waiting || l->reinvite || l->waiting_ack || l->state != UP ||
		ltimer_running(&l->glare_timer))
		return;
	free(l->offer_sent);
	l->offer_sent = l->offer_waiting;
	l->offer_waiting = NULL;
	q = in_dialog(l, "INVITE", ++l->lseq);
	q.contact = true;
	q.lines = LEG_LINES;
	q.content_type = SDP_TYPE;
	q.body = l->offer_sent;
	q.body_len = strlen(l->offer_sent);
	(void)siptx_client_new(&l->reinvite, l->s, leg_flow(l), &q, on_reanswer, l);
}

int sip_leg_reinvite(struct sip_leg *l, const char *sdp)
{
	if (l->state != UP)
		return -ENOTCONN;
	if (strlen(sdp) >= ANSWER_MAX)
		return -EMSGSIZE;
	replace(&l->offer_waiting, sdp);
	reinvite_try(l);
	return 0;
}

/* ---- the end, by us ---- */

void sip_leg_hangup(struct sip_leg *l, int code, int q850, const char *reason)
{
	char lines[192];
	int status = code >= 300 ? code : q850 ? sipm_status_of_q850(q850) : 480;

	reason_lines(lines, sizeof(lines), code, q850, reason);
	switch (l->state) {
	case RINGING:
		if (l->server)
			(void)siptx_reply(l->server, status, NULL, lines, NULL, NULL, 0);
		leg_end(l, SIP_BY_LOCAL, status, q850, reason);
		break;
	case ANSWERED:
		l->bye_after_ack = true; /* RFC 3261 15: not before the ACK */
		replace(&l->bye_lines, lines);
		leg_end(l, SIP_BY_LOCAL, 0, q850 ? q850 : 16, reason);
		break;
	case CALLING:
		give_up_ringing(l, lines);
		leg_end(l, SIP_BY_LOCAL, 487, q850 ? q850 : 16, reason);
		break;
	case UP:
		/* A re-INVITE of ours that is under way ends with the dialog; one of theirs gets its ACK or
		 * not. */
		send_bye(l, lines);
		leg_end(l, SIP_BY_LOCAL, 0, q850 ? q850 : 16, reason);
		if (l->waiting_ack) {
			l->waiting_ack = false;
			ltimer_cancel(&l->ack_timer);
		}
		break;
	case ENDED:
		break;
	}
}

const char *sip_leg_call_id(const struct sip_leg *l)
{
	return l->call_id;
}

bool sip_leg_is_over(const struct sip_leg *l)
{
	return l->state == ENDED;
}

bool sip_leg_is_established(const struct sip_leg *l)
{
	return l->state == UP;
}

void sipl_close(struct sip_stack *s)
{
	struct ilink *l;

	while (!ilist_empty(&s->legs)) {
		struct sip_leg *leg;

		l = s->legs.next;
		leg = container_of(l, struct sip_leg, link);
		sip_leg_hangup(leg, 503, 0, "Shutdown");
		if (leg->waiting_ack)
			send_bye(leg, leg->bye_lines);
		leg->waiting_ack = false;
		ltimer_cancel(&leg->close_timer);
		if (leg->reported)
			leg_done(leg);
		else
			report(leg);
	}
}

/* ---- dialogs that outlive the process ---- */

int sip_leg_dialog(const struct sip_leg *l, char *buf, size_t size)
{
	char host[64];
	struct strb b;
	struct jw w;

	if (l->state != UP && l->state != ANSWERED && !(l->incoming && l->state == RINGING))
		return -ENOTCONN;
	strb_init_fixed(&b, buf, size);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_int(&w, "v", 1);
	jw_str(&w, "call_id", l->call_id);
	jw_str(&w, "local", l->local);
	jw_str(&w, "remote", l->remote);
	jw_str(&w, "target", l->target);
	jw_str(&w, "routes", l->routes ? l->routes : "");
	jw_int(&w, "cseq", l->lseq);
	if (l->flow.ws) {
		jw_str(&w, "device", l->device);
	} else {
		(void)re_snprintf(host, sizeof(host), "%J", &l->flow.peer);
		jw_str(&w, "peer", host);
	}
	jw_end_obj(&w);
	return b.overflow ? -ENOSPC : 0;
}

int sip_orphan_bye(struct sip_stack *s, const char *dialog)
{
	struct sipd_dialog d;
	struct siptx_request q = {.method = "BYE", .lines = "Reason: Q.850;cause=41;text=\"Restart\"\r\n"};
	struct flow f = {.ws = 0};
	struct sipr_target t;
	int r = sipd_read(&d, dialog);

	if (r)
		return r;
	q.uri = d.target;
	q.from = d.local;
	q.to = d.remote;
	q.call_id = d.call_id;
	q.routes = d.routes;
	q.cseq = (uint32_t)d.cseq + 1000; /* re-INVITEs after the dialog was written down have moved it on */
	if (d.peer && sa_decode(&f.peer, d.peer, strlen(d.peer)))
		r = -EINVAL;
	else if (d.device && !sipr_find(s, d.device, &t))
		r = -ENOENT;
	else if (d.device)
		f = t.flow;
	if (!r)
		r = siptx_client_new(NULL, s, &f, &q, NULL, NULL);
	sipd_done(&d);
	return r;
}
