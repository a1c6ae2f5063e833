/*
 * Transactions (RFC 3261 17 with the Accepted states of RFC 6026).
 *
 *   server   PROCEEDING --2xx--> ACCEPTED (INVITE: absorbs retransmissions, the leg repeats its 200)
 *                       --final--> COMPLETED --ACK--> CONFIRMED
 *   client   CALLING --1xx--> PROCEEDING --2xx--> ACCEPTED (INVITE: passes forks and repeats on)
 *                                        --final--> COMPLETED
 *
 * A transaction keeps the few lines that it must repeat, never a parsed message: at 500 calls/s some 50,000
 * of them linger for 32 s.
 */
#include "sip/sip_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX	    (3 * SIPM_TOKEN_MAX + 64)
#define MAGIC	    "z9hG4bK"
#define DATAGRAM_MAX 1300 /* RFC 3261 18.1.1 */
#define SERVERS_MAX 200000 /* answers are kept for repeats up to here: some 200 MB */

static _Thread_local char
	out[SIPM_BYTES_MAX + 1]; /* what is being built; every use sends or copies it at once */

/* Bodies are anything: no string functions. */
static char *copy_bytes(const char *data, size_t len)
{
	char *p = xcalloc(1, len + 1);

	memcpy(p, data, len);
	return p;
}

static void out_init(struct strb *b)
{
	strb_init_fixed(b, out, sizeof(out));
}

/* ---- server ---- */

enum server_state { PROCEEDING, ACCEPTED, COMPLETED, CONFIRMED };

struct siptx_server {
	struct sip_stack *s;
	char *key, *head, *answer;
	size_t answer_len;
	struct flow to;
	struct ltimer life, resend;
	unsigned resends;
	enum server_state state;
	bool invite, reliable;
	siptx_cancel_fn *cancelled;
	struct siptx_server **slot;
	void *arg;
};

/* Address of an answer: RFC 3261 18.2.2 and RFC 3581 4. maddr is ignored: it would send answers wherever a
 * stranger likes. */
static void answer_flow(struct flow *ret, const struct rx *r)
{
	struct pl rport;

	uint16_t port = sa_port(&r->m->via.addr);

	*ret = r->flow;
	if (!port)
		port = SIP_PORT;
	if (r->flow.tp == SIP_TP_TCP) { /* should the connection be gone by then */
		ret->back = r->flow.peer;
		sa_set_port(&ret->back, port);
	} else if (r->flow.tp == SIP_TP_UDP && !r->flow.ws && msg_param_exists(&r->m->via.params, "rport", &rport)) {
		sa_set_port(&ret->peer, port);
	}
}

/* RFC 3261 17.2.3; without the magic cookie the older rule. */
static void server_key(char *key, const struct rx *r, const char *method)
{
	const struct sip_msg *m = r->m;
	int n;

	if (m->via.branch.l > strlen(MAGIC) && !strncmp(m->via.branch.p, MAGIC, strlen(MAGIC)))
		n = snprintf(key, KEY_MAX, "%.*s|%.*s|%s", (int)m->via.branch.l, m->via.branch.p,
			     (int)m->via.sentby.l, m->via.sentby.p, method);
	else
		n = snprintf(key, KEY_MAX, "%.*s|%.*s|%u|%s", (int)m->callid.l, m->callid.p,
			     (int)m->from.tag.l, m->from.tag.p, m->cseq.num, method);
	(void)n; /* lengths were checked */
}

static void server_free(struct siptx_server *t)
{
	if (t->slot)
		*t->slot = NULL;
	ltimer_cancel(&t->life);
	ltimer_cancel(&t->resend);
	(void)hmap_del_str(&t->s->servers, t->key);
	free(t->key);
	free(t->head);
	free(t->answer);
	free(t);
}

static void server_over(void *arg)
{
	server_free(arg);
}

struct siptx_server *siptx_server_new(struct sip_stack *s, const struct rx *r, const char *tag,
				      bool record_route)
{
	struct siptx_server *t = xcalloc(1, sizeof(*t));
	struct strb b;
	char key[KEY_MAX], method[32];

	(void)sipm_copy(method, sizeof(method), &r->m->met);
	server_key(key, r, method);
	out_init(&b);
	sipm_put_reply_head(&b, r, tag, record_route);
	t->s = s;
	t->key = xstrdup(key);
	t->head = copy_bytes(b.buf, b.len);
	t->invite = !strcmp(method, "INVITE");
	t->reliable = sipnet_reliable(&r->flow);
	answer_flow(&t->to, r);
	hmap_set_str(&s->servers, t->key, t);
	return t;
}

void siptx_server_watch(struct siptx_server *t, siptx_cancel_fn *cancelled, struct siptx_server **slot,
			void *arg)
{
	if (t->slot)
		*t->slot = NULL;
	t->cancelled = cancelled;
	t->slot = slot;
	t->arg = arg;
	if (slot)
		*slot = t;
	else if (t->state == ACCEPTED) { /* nobody will resend it */
		free(t->answer);
		t->answer = NULL;
	}
}

static void server_resend(void *arg)
{
	struct siptx_server *t = arg;
	int64_t delay = T1_MS(t->s) << ++t->resends;

	(void)sipnet_send(t->s, &t->to, t->answer, t->answer_len);
	ltimer_set(&t->resend, delay < T2_MS(t->s) ? delay : T2_MS(t->s), server_resend, t);
}

static void server_finish(struct siptx_server *t, int code)
{
	free(t->head);
	t->head = NULL;
	if (t->invite && code < 300) {
		t->state = ACCEPTED;
		ltimer_set(&t->life, GIVE_UP_MS(t->s), server_over, t); /* L */
		return;
	}
	t->state = COMPLETED;
	if (!t->invite && t->reliable) {
		ltimer_set(&t->life, 0, server_over, t); /* J */
		return;
	}
	ltimer_set(&t->life, GIVE_UP_MS(t->s), server_over, t); /* H, J */
	if (t->invite && !t->reliable)
		ltimer_set(&t->resend, T1_MS(t->s), server_resend, t); /* G */
}

int siptx_reply(struct siptx_server *t, int code, const char *reason, const char *lines,
		const char *content_type, const char *body, size_t len)
{
	struct strb b;

	if (t->state != PROCEEDING)
		return -EALREADY;
	out_init(&b);
	strb_printf(&b, "SIP/2.0 %d %s\r\n", code, reason && reason[0] ? reason : sipm_reason_phrase(code));
	strb_puts(&b, t->head);
	if (t->s->conf.user_agent)
		strb_printf(&b, "Server: %s\r\n", t->s->conf.user_agent);
	if (lines)
		strb_puts(&b, lines);
	sipm_put_body(&b, content_type, body, len);
	if (b.overflow)
		return -EMSGSIZE;
	free(t->answer);
	t->answer = copy_bytes(b.buf, b.len);
	t->answer_len = b.len;
	(void)sipnet_send(t->s, &t->to, t->answer, t->answer_len); /* lost or not, the timers go on */
	if (code >= 200)
		server_finish(t, code);
	return 0;
}

int siptx_resend(struct siptx_server *t)
{
	return t->answer ? sipnet_send(t->s, &t->to, t->answer, t->answer_len) : 0;
}

void siptx_stateless_tag(char *buf9, const struct rx *r)
{
	(void)snprintf(buf9, 9, "%08x", hash_joaat((const uint8_t *)r->m->callid.p, r->m->callid.l));
}

static void stateless(struct strb *b, struct sip_stack *s, const struct rx *r, const char *status, const char *lines, bool server)
{
	char tag[9];

	siptx_stateless_tag(tag, r);
	out_init(b);
	strb_printf(b, "SIP/2.0 %s\r\n", status);
	sipm_put_reply_head(b, r, tag, false);
	if (s->conf.user_agent && server)
		strb_printf(b, "Server: %s\r\n", s->conf.user_agent);
	if (lines)
		strb_puts(b, lines);
	sipm_put_body(b, NULL, NULL, 0);
}

/* Of two challenges the shorter one, which comes with every other answer as it is. */
static const char *least(int code, const char *lines)
{
	const char *second = lines ? strstr(lines, "\r\n") : NULL;

	if (code != 401 && code != 407)
		return NULL;
	if (!second || !second[2])
		return lines;
	return strstr(second, "algorithm=MD5") ? second + 2 : lines;
}

/*
 * A datagram's sender may be forged, and what we send would hit somebody else: to a stranger an answer is at most half as long again as the
 * request; what is not necessary is left out, and what is still over twice as long stays unsaid.
 */
static void shorten(struct strb *b, struct sip_stack *s, const struct rx *r, int code, const char *status, const char *lines)
{
	if (b->len <= r->size * 3 / 2 || sips_is_known(s, &r->flow))
		return;
	stateless(b, s, r, status, lines, false);
	if (b->len > r->size * 3 / 2)
		stateless(b, s, r, status, least(code, lines), false);
	if (b->len > r->size * 2)
		b->overflow = true;
}

void siptx_reply_stateless(struct sip_stack *s, const struct rx *r, int code, const char *reason,
			   const char *lines)
{
	struct flow to;
	struct strb b;
	char status[160];

	answer_flow(&to, r);
	sa_init(&to.back, AF_UNSPEC); /* no connection is made for strangers */
	(void)snprintf(status, sizeof(status), "%d %s", code, reason && reason[0] ? reason : sipm_reason_phrase(code));
	stateless(&b, s, r, status, lines, true);
	shorten(&b, s, r, code, status, lines);
	if (!b.overflow)
		(void)sipnet_send(s, &to, b.buf, b.len);
}

void siptx_answer(struct sip_stack *s, const struct rx *r, const char *tag, int code, const char *lines)
{
	if (s->servers.count < SERVERS_MAX)
		(void)siptx_reply(siptx_server_new(s, r, tag, false), code, NULL, lines, NULL, NULL, 0);
	else
		siptx_reply_stateless(s, r, code, NULL, lines);
}

static struct siptx_server *server_of(struct sip_stack *s, const struct rx *r, const char *method)
{
	char key[KEY_MAX];

	server_key(key, r, method);
	return hmap_get_str(&s->servers, key);
}

/* RFC 3261 9.2. An ACK for a 2xx has a branch of its own and never comes here. */
static bool take_cancel(struct sip_stack *s, const struct rx *r)
{
	struct siptx_server *t = server_of(s, r, "INVITE");

	siptx_reply_stateless(s, r, t ? 200 : 481, NULL, NULL);
	if (t && t->state == PROCEEDING && t->cancelled)
		t->cancelled(r, t->arg);
	return true;
}

static bool take_ack(struct sip_stack *s, const struct rx *r)
{
	struct siptx_server *t = server_of(s, r, "INVITE");

	if (!t || t->state == ACCEPTED)
		return false;
	if (t->state == COMPLETED) {
		t->state = CONFIRMED;
		ltimer_cancel(&t->resend);
		ltimer_set(&t->life, t->reliable ? 0 : T4_MS(t->s), server_over, t); /* I */
	}
	return true;
}

bool siptx_take_request(struct sip_stack *s, const struct rx *r)
{
	struct siptx_server *t;
	char method[32];

	if (!pl_strcmp(&r->m->met, "ACK"))
		return take_ack(s, r);
	if (!pl_strcmp(&r->m->met, "CANCEL"))
		return take_cancel(s, r);
	(void)sipm_copy(method, sizeof(method), &r->m->met);
	t = server_of(s, r, method);
	if (!t)
		return false;
	if (t->state == PROCEEDING || t->state == COMPLETED)
		(void)siptx_resend(t);
	return true;
}

/* ---- client ---- */

enum client_state { CALLING, GOT_1XX, CLIENT_ACCEPTED, CLIENT_COMPLETED };

struct siptx_client {
	struct sip_stack *s;
	char key[64]; /* branch|method */
	struct flow to;
	char *sent, *ack;
	size_t sent_len, ack_len;
	char *cancel_lines;
	struct ltimer life, resend;
	unsigned resends;
	enum client_state state;
	bool invite, reliable, cancel_wanted;
	bool datagram_too; /* it went by TCP for its size only */
	siptx_response_fn *on;
	struct siptx_client **slot;
	void *arg;
	struct sip_auth *auth; /* ours to unref */
	uint32_t *cseq_slot;
	unsigned answers;      /* challenges answered for this request */
	bool answered_as;      /* the last of them: a proxy's */
};

static void client_free(struct siptx_client *t)
{
	if (t->slot)
		*t->slot = NULL;
	ltimer_cancel(&t->life);
	ltimer_cancel(&t->resend);
	(void)hmap_del_str(&t->s->clients, t->key);
	free(t->sent);
	free(t->ack);
	free(t->cancel_lines);
	(void)obj_unref(t->auth);
	free(t);
}

static void client_over(void *arg)
{
	client_free(arg);
}

/* Timers B and F, or the flow is gone. */
static void client_failed(void *arg)
{
	struct siptx_client *t = arg;
	siptx_response_fn *on = t->on;
	void *on_arg = t->arg;

	client_free(t);
	if (on)
		on(NULL, on_arg);
}

static void client_resend(void *arg)
{
	struct siptx_client *t = arg;
	int64_t delay;

	t->resends++;
	if (t->invite)
		delay = T1_MS(t->s) << t->resends; /* A doubles without a bound; B ends it */
	else
		delay =
			t->state == GOT_1XX || t->resends > 2 ? T2_MS(t->s) : T1_MS(t->s) << t->resends; /* E */
	(void)sipnet_send(t->s, &t->to, t->sent, t->sent_len);
	ltimer_set(&t->resend, delay, client_resend, t);
}

/* @f: how it goes; @shown: how we want to be reached, when that is another way. */
static void put_request(struct strb *b, struct sip_stack *s, const struct flow *f, const struct flow *shown,
			const char *branch, const struct siptx_request *q)
{
	static const char *const via[] = {"UDP", "TCP", "TLS", "WS"};
	struct sa local;
	char host[64];

	sipnet_local_for(s, f, &local);
	(void)re_snprintf(host, sizeof(host), "%J", &local);
	strb_printf(b, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=" MAGIC "%s;rport\r\nMax-Forwards: 70\r\n",
			q->method, q->uri, via[f->ws ? SIP_TP_WS : f->tp], host, branch);
	if (q->routes)
		strb_puts(b, q->routes);
	strb_printf(b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", q->from, q->to, q->call_id,
			q->cseq, q->method);
	if (q->contact && shown != f) {
		sipnet_local_for(s, shown, &local);
		(void)re_snprintf(host, sizeof(host), "%J", &local);
	}
	if (q->contact)
		strb_printf(b, "Contact: <sip:%s%s>\r\n", host, sipnet_uri_params(shown));
	if (s->conf.user_agent)
		strb_printf(b, "User-Agent: %s\r\n", s->conf.user_agent);
	if (q->lines)
		strb_puts(b, q->lines);
	sipm_put_body(b, q->content_type, q->body, q->body_len);
}

/* Errors that repeating does not mend: the owner may have another way. */
static bool no_way(int r)
{
	return r == -ENOTCONN || r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL || r == -EACCES ||
	       r == -EPERM;
}

static void client_send(struct siptx_client *t)
{
	sipc_used(t->s, &t->to);
	t->reliable = sipnet_reliable(&t->to);
	if (no_way(sipnet_send(t->s, &t->to, t->sent, t->sent_len))) {
		ltimer_set(&t->life, 0, client_failed, t);
		return;
	}
	ltimer_set(&t->life, GIVE_UP_MS(t->s), client_failed, t);
	if (!t->reliable)
		ltimer_set(&t->resend, T1_MS(t->s), client_resend, t);
}

static void client_start(struct siptx_client *t, struct strb *b)
{
	t->sent = copy_bytes(b->buf, b->len);
	t->sent_len = b->len;
	hmap_set_str(&t->s->clients, t->key, t);
	client_send(t);
}

/* RFC 3261 18.1.1: what may not fit a datagram goes by TCP, if the peer is known to speak it. */
static bool goes_by_tcp(struct flow *tcp, struct sip_stack *s, const struct flow *f, size_t len)
{
	struct stream_flow *w;

	if (len <= DATAGRAM_MAX || f->tp != SIP_TP_UDP || f->ws)
		return false;
	w = sipc_target(s, SIP_TP_TCP, &f->peer, NULL);
	if (!f->tcp_if_big && !(w && w->up))
		return false;
	*tcp = (struct flow){.tp = SIP_TP_TCP, .peer = f->peer, .back = f->peer};
	return true;
}

/* RFC 3261 18.1.1: and by UDP after all, when there is no TCP there. Only the Via says by which. */
static void back_to_udp(struct siptx_client *t)
{
	char *via = memmem(t->sent, t->sent_len, "\r\nVia: SIP/2.0/TCP", 18);

	assert(via);
	memcpy(via + 15, "UDP", 3);
	t->to = (struct flow){.peer = t->to.back};
	t->datagram_too = false;
	client_send(t);
}

void siptx_conn_lost(struct sip_stack *s, uint64_t conn, bool was_up)
{
	struct siptx_client *t;
	size_t pos = 0;

	while ((t = hmap_next(&s->clients, &pos))) {
		if (t->to.conn != conn || t->state > GOT_1XX)
			continue;
		if (t->datagram_too && !was_up)
			back_to_udp(t);
		else if (t->state == CALLING || !sa_isset(&t->to.back, SA_ALL)) /* else the answer may come by another */
			ltimer_set(&t->life, 0, client_failed, t);
	}
}

/* With the answer to the last challenge of where it goes, before that is asked again. */
static void put_request_answered(struct strb *b, struct sip_stack *s, const struct flow *f, const struct flow *shown,
				 const char *branch, const struct siptx_request *q)
{
	char *line = q->auth ? sipa_answer_again(q->auth, q->method, q->uri) : NULL, *lines;
	struct siptx_request with = *q;

	lines = line ? xasprintf("%s%s", q->lines ? q->lines : "", line) : NULL;
	if (lines)
		with.lines = lines;
	put_request(b, s, f, shown, branch, &with);
	free(lines);
	free(line);
}

static struct siptx_client *client_new(struct sip_stack *s, const struct flow *f, const char *branch, const char *method,
				       siptx_response_fn *on, void *arg)
{
	struct siptx_client *t = xcalloc(1, sizeof(*t));

	t->s = s;
	t->to = *f;
	t->invite = !strcmp(method, "INVITE");
	(void)snprintf(t->key, sizeof(t->key), MAGIC "%s|%s", branch, method);
	t->on = on;
	t->arg = arg;
	return t;
}

int siptx_client_new(struct siptx_client **slot, struct sip_stack *s, const struct flow *f,
		     const struct siptx_request *q, siptx_response_fn *on, void *arg)
{
	struct siptx_client *t;
	struct flow tcp;
	struct strb b;
	char branch[17];
	bool by_tcp;

	sipm_random(branch);
	out_init(&b);
	put_request_answered(&b, s, f, f, branch, q);
	by_tcp = goes_by_tcp(&tcp, s, f, b.len);
	if (by_tcp) {
		out_init(&b);
		put_request_answered(&b, s, &tcp, f, branch, q);
	}
	if (b.overflow)
		return -EMSGSIZE;
	t = client_new(s, by_tcp ? &tcp : f, branch, q->method, on, arg);
	t->datagram_too = by_tcp;
	t->auth = q->auth ? obj_ref(q->auth) : NULL;
	t->cseq_slot = q->cseq_slot;
	t->slot = slot;
	if (slot)
		*slot = t;
	client_start(t, &b);
	return 0;
}

#define ANSWERS_MAX 3 /* challenges of one request: a proxy's, a registrar's, and a nonce that went stale */

/* The answer to a challenge is a transaction of its own; this one lives on for repeats of the 401. */
static bool answer_challenge(struct siptx_client *t, const struct rx *r)
{
	struct sip_msg *q;
	struct sipa_asked asked;
	struct siptx_client *again;
	char *line, branch[17], key[sizeof(MAGIC) + 16], method[32], uri[SIPM_URI_MAX];
	struct strb b;
	uint32_t cseq;
	int err;

	if (!t->auth || (t->invite && !t->on) || !sipa_challenged(&asked, r))
		return false;
	if (t->answers >= ANSWERS_MAX || (t->answers && t->answered_as == asked.proxy && strcasecmp(asked.stale, "true") != 0)) {
		sipa_forget(t->auth); /* the right answer was not right: wrong password */
		return false;
	}
	q = sipm_decode(t->sent, t->sent_len);
	if (!q || !sipm_copy(method, sizeof(method), &q->met) || !sipm_copy(uri, sizeof(uri), &q->ruri)) {
		mem_deref(q);
		return false;
	}
	cseq = q->cseq.num + 1;
	mem_deref(q);
	line = sipa_answer(t->auth, &asked, method, uri);
	sipm_random(branch);
	(void)snprintf(key, sizeof(key), MAGIC "%s", branch);
	out_init(&b);
	err = line ? sipa_rewrite(&b, t->sent, t->sent_len, key, cseq, line) : -EINVAL;
	free(line);
	if (err)
		return false;
	again = client_new(t->s, &t->to, branch, method, t->on, t->arg);
	again->auth = obj_ref(t->auth);
	again->answers = t->answers + 1;
	again->answered_as = asked.proxy;
	again->cseq_slot = t->cseq_slot;
	again->slot = t->slot;
	if (again->slot)
		*again->slot = again;
	if (again->cseq_slot && *again->cseq_slot < cseq)
		*again->cseq_slot = cseq;
	t->slot = NULL;
	siptx_client_detach(t);
	client_start(again, &b);
	return true;
}

int siptx_send_ack(struct sip_stack *s, const struct flow *f, const struct siptx_request *q, struct strb *b)
{
	char branch[17];

	sipm_random(branch);
	put_request(b, s, f, f, branch, q);
	return b->overflow ? -EMSGSIZE : sipnet_send(s, f, b->buf, b->len);
}

void siptx_client_detach(struct siptx_client *t)
{
	if (t->slot)
		*t->slot = NULL;
	t->slot = NULL;
	t->cseq_slot = NULL;
	t->on = NULL;
	t->arg = NULL;
}

static bool put_route(const struct sip_hdr *h, const struct sip_msg *m, void *arg)
{
	(void)m;
	strb_printf(arg, "Route: %.*s\r\n", (int)h->val.l, h->val.p);
	return false;
}

/* ACK to a final non-2xx (17.1.1.3) and CANCEL (9.1) repeat the request's own head. */
static bool put_sibling(struct strb *b, struct siptx_client *t, const char *method,
			const struct sip_taddr *to, const char *lines)
{
	struct sip_msg *q = sipm_decode(t->sent, t->sent_len);

	if (!q)
		return false;
	strb_printf(b, "%s %.*s SIP/2.0\r\nVia: %.*s\r\nMax-Forwards: 70\r\n", method, (int)q->ruri.l,
			q->ruri.p, (int)q->via.val.l, q->via.val.p);
	(void)sip_msg_hdr_apply(q, true, SIP_HDR_ROUTE, put_route, b);
	if (!to)
		to = &q->to;
	strb_printf(b, "From: %.*s\r\nTo: %.*s\r\nCall-ID: %.*s\r\nCSeq: %u %s\r\n", (int)q->from.val.l,
			q->from.val.p, (int)to->val.l, to->val.p, (int)q->callid.l, q->callid.p, q->cseq.num,
			method);
	if (lines)
		strb_puts(b, lines);
	sipm_put_body(b, NULL, NULL, 0);
	mem_deref(q);
	return !b->overflow;
}

static void send_cancel(struct siptx_client *t)
{
	struct siptx_client *c;
	struct strb b;

	t->cancel_wanted = false;
	out_init(&b);
	if (!put_sibling(&b, t, "CANCEL", NULL, t->cancel_lines))
		return;
	c = xcalloc(1, sizeof(*c));
	c->s = t->s;
	c->to = t->to;
	(void)snprintf(c->key, sizeof(c->key), "%.*s|CANCEL", (int)(strchr(t->key, '|') - t->key), t->key);
	client_start(c, &b);
	ltimer_set(&t->life, GIVE_UP_MS(t->s), client_failed,
		   t); /* the other side may never answer the INVITE */
}

void siptx_client_cancel(struct siptx_client *t, const char *lines)
{
	if (t->state > GOT_1XX || t->cancel_wanted)
		return;
	free(t->cancel_lines);
	t->cancel_lines = lines ? xstrdup(lines) : NULL;
	t->cancel_wanted = true;
	if (t->state == GOT_1XX)
		send_cancel(t);
}

static void got_provisional(struct siptx_client *t, const struct rx *r)
{
	if (t->state == CALLING) {
		t->state = GOT_1XX;
		if (t->invite) {
			ltimer_cancel(&t->resend);
			ltimer_cancel(&t->life); /* the leg's ring time-out is timer C */
		}
	}
	if (t->cancel_wanted)
		send_cancel(t);
	if (t->on)
		t->on(r, t->arg);
}

static void acknowledge(struct siptx_client *t, const struct rx *r)
{
	struct strb b;

	out_init(&b);
	if (!put_sibling(&b, t, "ACK", &r->m->to, NULL))
		return;
	t->ack = copy_bytes(b.buf, b.len);
	t->ack_len = b.len;
	(void)sipnet_send(t->s, &t->to, t->ack, t->ack_len);
}

static void got_final(struct siptx_client *t, const struct rx *r)
{
	siptx_response_fn *on = t->on;
	void *arg = t->arg;
	bool accepted = t->invite && r->m->scode < 300, again;

	ltimer_cancel(&t->resend);
	if (t->invite && !accepted)
		acknowledge(t, r);
	again = !accepted && answer_challenge(t, r);
	t->state = accepted ? CLIENT_ACCEPTED : CLIENT_COMPLETED;
	ltimer_set(&t->life,
		   t->invite	 ? GIVE_UP_MS(t->s)
		   : t->reliable ? 0
				 : T4_MS(t->s),
		   client_over, t); /* M, D, K */
	free(t->sent);
	t->sent = NULL;
	if (!accepted)
		siptx_client_detach(t);
	if (again)
		return;
	if (on)
		on(r, arg);
	else if (accepted)
		sipl_refuse_answer(t->s, r);
}

void siptx_take_response(struct sip_stack *s, const struct rx *r)
{
	struct siptx_client *t;
	char key[SIPM_TOKEN_MAX + 40];

	(void)snprintf(key, sizeof(key), "%.*s|%.*s", (int)r->m->via.branch.l, r->m->via.branch.p,
		       (int)r->m->cseq.met.l, r->m->cseq.met.p);
	t = hmap_get_str(&s->clients, key);
	if (!t)
		return;
	if (t->state <= GOT_1XX && r->m->scode < 200) {
		got_provisional(t, r);
	} else if (t->state <= GOT_1XX) {
		got_final(t, r);
	} else if (t->state == CLIENT_ACCEPTED && r->m->scode >= 200 && r->m->scode < 300) {
		if (t->on)
			t->on(r, t->arg);
		else
			sipl_refuse_answer(s, r);
	} else if (t->state == CLIENT_COMPLETED && t->ack && r->m->scode >= 300) {
		(void)sipnet_send(s, &t->to, t->ack, t->ack_len);
	}
}

void siptx_close(struct sip_stack *s)
{
	size_t pos = 0;
	void *t;

	while ((t = hmap_next(&s->servers, &pos)))
		server_free(t);
	pos = 0;
	while ((t = hmap_next(&s->clients, &pos)))
		client_free(t);
}
