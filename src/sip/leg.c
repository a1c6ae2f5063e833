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
#include "sip/leg_priv.h"
#include "sip/ban.h"
#include "sip/dialog_json.h"
#include "sip/fields.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void leg_replace(char **dst, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*dst);
	*dst = copy;
}

void leg_replace_pl(char **dst, const struct pl *p)
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
	(void)obj_unref(l->auth);
	free(l->sdp_local);
	free(l->sdp_remote);
	free(l->next_sdp);
	free(l->next_answer);
	free(l->invite_lines);
	leg_forks_free(l);
}

bool sipl_is_with(const struct sip_stack *s, uint64_t source)
{
	ilist_each_entry(&s->legs, l, struct sip_leg, link)
		if (sipb_source(&l->flow.peer) == source)
			return true;
	return false;
}

struct sip_leg *leg_new(struct sip_stack *s, const char *call_id)
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
	l->session_s = s->conf.session_s;
	l->session_min_s = s->conf.session_min_s;
	hmap_set_str(&s->dialogs, l->dialog_key, l);
	ilist_push_back(&s->legs, &l->link);
	s->counters.legs++;
	return l;
}

void leg_drop_server(struct sip_leg *l)
{
	if (l->server)
		siptx_server_watch(l->server, NULL, NULL, NULL);
}

/* The stack's reference goes when the owner has been told and no 2xx of ours waits for its ACK. */
void leg_done(struct sip_leg *l)
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
	ltimer_cancel(&l->first_timer);
	leg_drop_server(l);
	if (l->client)
		siptx_client_detach(l->client);
	if (l->reinvite)
		siptx_client_detach(l->reinvite);
	if (l->update)
		siptx_client_detach(l->update);
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

void leg_end(struct sip_leg *l, enum sip_by by, int code, int q850, const char *reason)
{
	if (l->state == ENDED)
		return;
	l->state = ENDED;
	ltimer_cancel(&l->ring_timer);
	ltimer_cancel(&l->first_timer);
	ltimer_cancel(&l->glare_timer);
	ltimer_cancel(&l->session_timer);
	leg_rel_stop(l);
	leg_refer_stop(l);
	(void)str_copy(l->close_reason, sizeof(l->close_reason),
		       reason && reason[0] ? reason
		       : code		   ? sipm_reason_phrase(code)
					   : "");
	l->close = (struct sip_close){.by = by, .code = code, .q850 = q850 ? q850 : sipm_q850_of_status(code), .reason = l->close_reason};
	ltimer_set(&l->close_timer, 0, report, l);
}

/* ---- requests inside the dialog ---- */

/* A browser that has reloaded, or a telephone that has lost its connection, comes back on another. */
const struct flow *leg_flow(struct sip_leg *l)
{
	struct sipr_target t;

	if (l->device && !sipnet_alive(l->s, &l->flow) && sipr_find(l->s, l->device, &t))
		l->flow = t.flow;
	return &l->flow;
}

struct siptx_request leg_request(const struct sip_leg *l, const char *method, uint32_t cseq)
{
	return (struct siptx_request){
		.method = method,
		.uri = l->target,
		.from = l->local,
		.to = l->remote,
		.call_id = l->call_id,
		.cseq = cseq,
		.routes = l->routes,
		.auth = l->auth,
	};
}

void leg_reason_lines(char *buf, size_t size, int code, int q850, const char *text)
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

void leg_send_ack(struct sip_leg *l, uint32_t cseq)
{
	struct siptx_request q = leg_request(l, "ACK", cseq);
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
void leg_ack_flush(struct sip_leg *l)
{
	uint32_t cseq = l->ack_due;

	l->ack_due = 0;
	if (cseq)
		leg_send_ack(l, cseq);
}

void leg_send_bye(struct sip_leg *l, const char *lines)
{
	struct siptx_request q = leg_request(l, "BYE", ++l->lseq);

	q.lines = lines && lines[0] ? lines : NULL;
	(void)siptx_client_new(NULL, l->s, leg_flow(l), &q, NULL, NULL);
}

/* A TCP telephone listens where its Contact says, when it is not behind NAT; unset: nowhere. */
static struct sa way_back_to_device(const struct flow *came, const char *target)
{
	struct flow f;
	struct pl uri;
	struct sa nowhere;

	sa_init(&nowhere, AF_UNSPEC);
	pl_set_str(&uri, target);
	if (came->tp == SIP_TP_TCP && !sipnet_flow_of_uri(&f, &uri) && f.tp == SIP_TP_TCP && sa_cmp(&f.peer, &came->peer, SA_ADDR))
		return f.back;
	return nowhere;
}

/* Where the dialog's requests go. A device: the way it came, whatever it says of itself. A trunk: RFC
 * 3261 12.2.1.1. */
void leg_choose_flow(struct sip_leg *l, const struct rx *r)
{
	l->flow = leg_flow_for(l, r, l->target, l->routes);
}

struct flow leg_flow_for(const struct sip_leg *l, const struct rx *r, const char *target, const char *routes)
{
	struct flow f = r->flow;
	struct re_sip_addr a;
	struct pl uri, first;

	if (l->device) {
		f.back = way_back_to_device(&f, target);
		return f;
	}
	pl_set_str(&uri, target);
	if (routes && !re_regex(routes, strlen(routes), "Route: [^\r\n]+", &first)) {
		if (sip_addr_decode(&a, &first))
			return f;
		uri = a.auri;
	}
	if (sipnet_flow_onward(&f, &uri, &r->flow) && f.conn)
		f.back = l->flow.back; /* a name: as before */
	f.tls = l->flow.tls;
	f.tcp_if_big = l->flow.tcp_if_big;
	return f;
}

void leg_refresh_target(struct sip_leg *l, const struct sip_msg *m)
{
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_CONTACT);
	struct re_sip_addr a;

	if (h && !sip_addr_decode(&a, &h->val) && a.auri.l < SIPM_URI_MAX && pl_isset(&a.uri.host))
		leg_replace_pl(&l->target, &a.auri);
}

bool leg_has_sdp(const struct rx *r)
{
	return r->body_len && msg_ctype_cmp(&r->m->ctyp, "application", "sdp");
}

const char *leg_sdp_of(const struct rx *r, size_t *len)
{
	*len = leg_has_sdp(r) ? r->body_len : 0;
	return *len ? r->body : NULL;
}

void leg_contact_lines(struct sip_leg *l, char *buf, size_t size)
{
	struct sa local;

	sipnet_local_for(l->s, &l->flow, &local);
	(void)re_snprintf(buf, size, "Contact: <sip:%J%s>\r\n" LEG_LINES, &local,
			  sipnet_uri_params(&l->flow));
}

void leg_learn_peer(struct sip_leg *l, const struct sip_msg *m)
{
	if (sip_msg_hdr(m, SIP_HDR_ALLOW))
		l->updates = sipm_has_token(m, SIP_HDR_ALLOW, "UPDATE");
}

struct sip_leg *leg_find(struct sip_stack *s, const struct sipf_replaces *r)
{
	char key[2 * SIPM_TOKEN_MAX + 2];
	struct sip_leg *l;
	struct pl tag;

	(void)snprintf(key, sizeof(key), "%s|%s", r->call_id, r->to_tag);
	l = hmap_get_str(&s->dialogs, key);
	if (!l)
		return NULL;
	pl_set_str(&tag, r->from_tag);
	if (l->rtag ? strcmp(l->rtag, r->from_tag) : !leg_fork_of(l, &tag))
		return NULL;
	return l;
}

/* ---- in-dialog requests ---- */

void leg_answer_now(struct sip_leg *l, const struct rx *r, int code, const char *lines)
{
	siptx_answer(l->s, r, l->ltag, code, lines);
}

static void take_bye(struct sip_leg *l, const struct rx *r)
{
	struct sipm_reason why;

	leg_answer_now(l, r, 200, NULL);
	sipm_reason(&why, r->m);
	if (l->state == RINGING && l->server)
		(void)siptx_reply(l->server, 487, NULL, NULL, NULL, NULL, 0);
	if (l->state == CALLING)
		return;	      /* of a fork that we never accepted */
	if (l->waiting_ack) { /* who hangs up will not acknowledge */
		l->waiting_ack = false;
		ltimer_cancel(&l->ack_timer);
	}
	leg_end(l, SIP_BY_REMOTE, l->state == RINGING ? 487 : 0, sipm_reason_cause(&why), why.text);
	leg_done(l); /* when it had ended and waited for the ACK only */
}
void leg_answer_sdp(struct sip_leg *l, const struct rx *r, int code, const char *lines, const char *sdp)
{
	(void)siptx_reply(siptx_server_new(l->s, r, l->ltag, false), code, NULL, lines, SDP_TYPE, sdp, sdp ? strlen(sdp) : 0);
}

/* "Signal=5\r\nDuration=160", or a lone digit as application/dtmf. false: neither. */
static bool info_digit(char *digit, int *ms, const struct rx *r)
{
	struct pl signal, duration;

	*ms = 160;
	if (msg_ctype_cmp(&r->m->ctyp, "application", "dtmf-relay")) {
		if (re_regex(r->body, r->body_len, "Signal[ ]*=[ ]*[0-9A-D*#]1", NULL, NULL, &signal))
			return false;
		if (!re_regex(r->body, r->body_len, "Duration[ ]*=[ ]*[0-9]1-5", NULL, NULL, &duration))
			*ms = (int)pl_u32(&duration);
	} else if (msg_ctype_cmp(&r->m->ctyp, "application", "dtmf")) {
		signal = (struct pl){r->body, 1};
	} else {
		return false;
	}
	*digit = signal.p[0];
	return *digit && strchr("0123456789ABCD*#", *digit);
}

/* RFC 6086 4.2.2: a package is asked for by name, and we have none; the old use of INFO has a body or nothing at all. */
static void take_info(struct sip_leg *l, const struct rx *r)
{
	char digit;
	int ms;

	if (sip_msg_xhdr(r->m, "Info-Package")) {
		leg_answer_now(l, r, 469, "Recv-Info: \r\n");
		return;
	}
	if (r->body_len && !msg_ctype_cmp(&r->m->ctyp, "application", "dtmf-relay") &&
		!msg_ctype_cmp(&r->m->ctyp, "application", "dtmf")) {
		leg_answer_now(l, r, 415, "Accept: application/dtmf-relay, application/dtmf\r\n");
		return;
	}
	leg_answer_now(l, r, 200, NULL);
	if (r->body_len && l->state == UP && l->h.info_digit && info_digit(&digit, &ms, r))
		l->h.info_digit(digit, ms, l->arg);
}

static void take_options(struct sip_leg *l, const struct rx *r)
{
	leg_answer_now(l, r, 200, LEG_LINES "Accept: " SDP_TYPE ", application/dtmf-relay, application/dtmf\r\n");
}

/* On a WebSocket only the device of the dialog; elsewhere no dialog of a browser and, in the clear, none that is
 * encrypted: tags alone are not enough there. */
static bool came_the_right_way(struct sip_leg *l, const struct rx *r)
{
	if (r->flow.ws) {
		if (!l->device || !r->ws_device || strcmp(l->device, r->ws_device))
			return false;
		l->flow = r->flow;
		return true;
	}
	if (l->flow.ws || (l->flow.tp == SIP_TP_TLS && r->flow.tp != SIP_TP_TLS))
		return false;
	if (r->flow.conn && l->flow.tp == r->flow.tp && !sipnet_alive(l->s, &l->flow))
		l->flow.conn = r->flow.conn; /* it has connected anew */
	return true;
}

/* Each early dialog of a forked INVITE counts for itself. */
static bool in_sequence(struct sip_leg *l, const struct rx *r)
{
	struct leg_fork *f = l->state == CALLING ? leg_fork_of(l, &r->m->from.tag) : NULL;
	uint32_t *last = f ? &f->cseq : &l->rseq;

	if (r->m->cseq.num <= *last && *last)
		return false; /* RFC 3261 12.2.2 */
	*last = r->m->cseq.num;
	return true;
}

static void take(struct sip_leg *l, const struct rx *r)
{
	static const struct {
		const char *method;
		void (*take)(struct sip_leg *l, const struct rx *r);
	} rows[] = {
		{"INVITE", leg_take_reinvite}, {"UPDATE", leg_take_update}, {"PRACK", leg_take_prack},
		{"INFO", take_info},	       {"REFER", leg_take_refer},   {"OPTIONS", take_options},
	};
	const struct pl *met = &r->m->met;

	if (!pl_strcmp(met, "ACK")) {
		leg_take_ack(l, r);
		return;
	}
	if (!in_sequence(l, r)) {
		leg_answer_now(l, r, 500, NULL);
		return;
	}
	if (!pl_strcmp(met, "BYE")) {
		take_bye(l, r);
		return;
	}
	if (l->state == ENDED) {
		leg_answer_now(l, r, 481, NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!pl_strcmp(met, rows[i].method)) {
			rows[i].take(l, r);
			return;
		}
	if (!pl_strcmp(met, "SUBSCRIBE"))
		leg_answer_now(l, r, 489, "Allow-Events: message-summary\r\n");
	else if (!pl_strcmp(met, "NOTIFY"))
		leg_answer_now(l, r, 481, NULL); /* of no subscription of ours */
	else
		leg_answer_now(l, r, 405, LEG_LINES);
}

bool sipl_take_request(struct sip_stack *s, const struct rx *r)
{
	char key[2 * SIPM_TOKEN_MAX + 2], tag[SIPM_TOKEN_MAX];
	struct sip_leg *l;

	if (!sipm_tag(&r->m->to, tag, sizeof(tag)))
		return false;
	(void)snprintf(key, sizeof(key), "%.*s|%s", (int)r->m->callid.l, r->m->callid.p, tag);
	l = hmap_get_str(&s->dialogs, key);
	if (!l || (l->rtag ? pl_strcmp(&r->m->from.tag, l->rtag) : !leg_fork_of(l, &r->m->from.tag)) || !came_the_right_way(l, r))
		return false;
	obj_ref(l);
	take(l, r);
	obj_unref(l);
	return true;
}
/* ---- the end, by us ---- */

void sip_leg_hangup(struct sip_leg *l, int code, int q850, const char *reason)
{
	char lines[192];
	int status = code >= 300 ? code : q850 ? sipm_status_of_q850(q850) : 480;

	if (l->refer_deciding) { /* the telephone first hears what becomes of its transfer */
		l->refer_hangup = true;
		l->hangup_code = code;
		l->hangup_q850 = q850;
		(void)str_copy(l->hangup_reason, sizeof(l->hangup_reason), reason ? reason : "");
		return;
	}
	leg_reason_lines(lines, sizeof(lines), code, q850, reason);
	switch (l->state) {
	case RINGING:
		if (l->server)
			(void)siptx_reply(l->server, status, NULL, lines, NULL, NULL, 0);
		leg_end(l, SIP_BY_LOCAL, status, q850, reason);
		break;
	case ANSWERED:
		l->bye_after_ack = true; /* RFC 3261 15: not before the ACK */
		leg_replace(&l->bye_lines, lines);
		leg_end(l, SIP_BY_LOCAL, 0, q850 ? q850 : 16, reason);
		break;
	case CALLING:
		leg_give_up_ringing(l, lines);
		leg_end(l, SIP_BY_LOCAL, 487, q850 ? q850 : 16, reason);
		break;
	case UP:
		/* A re-INVITE of ours that is under way ends with the dialog; one of theirs gets its ACK or
		 * not. */
		leg_send_bye(l, lines);
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

void *sip_leg_owner(const struct sip_leg *l)
{
	return l->arg;
}

const char *sip_leg_call_id(const struct sip_leg *l)
{
	return l->call_id;
}

const char *sip_leg_transport(const struct sip_leg *l)
{
	return sipnet_transport(l->s, &l->flow);
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
			leg_send_bye(leg, leg->bye_lines);
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
	if (sipnet_reliable(&l->flow) && l->device) {
		jw_str(&w, "device", l->device);
	} else {
		(void)re_snprintf(host, sizeof(host), "%J", sa_isset(&l->flow.back, SA_ALL) ? &l->flow.back : &l->flow.peer);
		jw_str(&w, "peer", host);
	}
	if (l->flow.tp == SIP_TP_TCP || l->flow.tp == SIP_TP_TLS)
		jw_str(&w, "transport", sipnet_name(l->flow.tp));
	if (l->flow.tls)
		jw_str(&w, "tls", sipc_expected(l->flow.tls));
	jw_end_obj(&w);
	return b.overflow ? -ENOSPC : 0;
}

/* 0; -EINVAL; -ENOENT when the device must come first. */
static int orphan_flow(struct flow *f, struct sip_stack *s, const struct sipd_dialog *d)
{
	struct sipr_target t;

	*f = (struct flow){.ws = 0};
	if (d->device) {
		if (!sipr_find(s, d->device, &t))
			return -ENOENT;
		*f = t.flow;
		return 0;
	}
	if (sa_decode(&f->peer, d->peer, strlen(d->peer)))
		return -EINVAL;
	if (!d->transport)
		return 0;
	f->tp = !strcmp(d->transport, "tls") ? SIP_TP_TLS : SIP_TP_TCP;
	f->back = f->peer;
	return d->tls ? sipc_expect_again(&f->tls, s, d->tls) : 0;
}

int sip_orphan_bye(struct sip_stack *s, const char *dialog)
{
	struct sipd_dialog d;
	struct siptx_request q = {.method = "BYE", .lines = "Reason: Q.850;cause=41;text=\"Restart\"\r\n"};
	struct flow f;
	int r = sipd_read(&d, dialog);

	if (r)
		return r;
	q.uri = d.target;
	q.from = d.local;
	q.to = d.remote;
	q.call_id = d.call_id;
	q.routes = d.routes;
	q.cseq = (uint32_t)d.cseq + 1000; /* re-INVITEs after the dialog was written down have moved it on */
	r = orphan_flow(&f, s, &d);
	if (!r)
		r = siptx_client_new(NULL, s, &f, &q, NULL, NULL);
	sipd_done(&d);
	return r;
}
