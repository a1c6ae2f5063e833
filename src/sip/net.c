/* The ways out, and the door through which every message comes in. */
#include "sip/sip_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH	      64 /* datagrams a wake-up: timers and mailboxes get their turn under a flood */

void sipnet_readable(void *arg)
{
	static _Thread_local char buf[SIPM_BYTES_MAX + 1];
	const struct sip_listener *l = arg;

	for (int i = 0; i < BATCH && l->fd >= 0; i++) {
		struct flow f = {.from = l};
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(l->fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);

		if (n < 0)
			break; /* drained, or an ICMP error of an earlier send: its transaction's timers deal
				  with it */
		if (sa_set_sa(&f.peer, (struct sockaddr *)&from))
			continue;
		sipnet_receive(l->s, &f, NULL, buf, (size_t)n);
	}
}

bool sipnet_alive(const struct sip_stack *s, const struct flow *f)
{
	if (f->tp == SIP_TP_TCP || f->tp == SIP_TP_TLS)
		return sipc_alive(s, f);
	return !f->ws || hmap_get(&s->sockets, f->ws);
}

bool sipnet_reliable(const struct flow *f)
{
	return f->ws || f->tp != SIP_TP_UDP;
}

static int send_datagram(struct sip_stack *s, const struct flow *f, const char *data, size_t len)
{
	const struct sip_listener *l = f->from ? f->from : siplisten_for(s, SIP_TP_UDP, &f->peer);

	if (!l)
		return -EAFNOSUPPORT;
	return sendto(l->fd, data, len, MSG_DONTWAIT, &f->peer.u.sa, f->peer.len) < 0 ? -errno : 0;
}

int sipnet_send(struct sip_stack *s, const struct flow *f, const char *data, size_t len)
{
	sipt_message(s, true, f, data, len);
	if (f->ws)
		return sipnet_alive(s, f) ? sipe_send(s->edge, f->ws, data, len) : -ENOTCONN;
	return f->tp == SIP_TP_UDP ? send_datagram(s, f, data, len) : sipc_send(s, f, data, len);
}

static void malformed(struct sip_stack *s, const struct flow *f, const char *why)
{
	int64_t now = clock_mono_ms();
	char ip[64];

	s->counters.malformed++;
	sips_offence(s, f, "", SIP_OFFENCE_MALFORMED, false);
	if (s->malformed_log_ms && now - s->malformed_log_ms < 10000)
		return; /* a stranger must not fill the log */
	s->malformed_log_ms = now;
	(void)sa_ntop(&f->peer, ip, sizeof(ip));
	log_warn("sip message malformed, dropped or refused peer=%s why=\"%s\"", ip, why);
}

void sipnet_receive(struct sip_stack *s, const struct flow *f, const char *ws_device, const char *data,
			size_t len)
{
	static _Thread_local char buf[SIPM_BYTES_MAX + 1];
	struct rx r = {.flow = *f, .ws_device = ws_device, .size = len};
	const char *why = "";
	struct sip_msg *m;
	bool known = true;
	int code;

	if (len <= 4)
		return; /* keep-alive */
	if (sips_is_deaf_to(s, f, data, len))
		return;
	sipt_message(s, false, f, data, len);
	if (len > SIPM_BYTES_MAX) {
		malformed(s, f, "too big");
		return;
	}
	memcpy(buf, data, len);
	m = NULL;
	if (sipm_precheck(buf, len)) {
		known = sipm_plain(buf, &len);
		m = sipm_decode(buf, len);
	}
	if (!m) {
		malformed(s, f, "not a message");
		return;
	}
	r.m = m;
	code = sipm_check(&r, &why);
	if (!known && code >= 0 && m->req) {
		code = 505;
		why = "Version Not Supported";
	}
	if (code)
		malformed(s, f, why);
	if (code > 0 && pl_strcmp(&m->met, "ACK"))
		siptx_reply_stateless(s, &r, code, why, NULL);
	else if (!code && m->req)
		sips_request(s, &r);
	else if (!code)
		siptx_take_response(s, &r);
	mem_deref(m);
}

/* udp when nothing is said; false: none that we have. */
static bool read_transport(enum sip_tp *ret, const struct uri *u)
{
	bool secure = !pl_strcasecmp(&u->scheme, "sips");
	struct pl v;

	*ret = secure ? SIP_TP_TLS : SIP_TP_UDP;
	if (!u->params.l || msg_param_decode(&u->params, "transport", &v))
		return true;
	for (enum sip_tp tp = SIP_TP_UDP; tp <= SIP_TP_TLS; tp++)
		if (!pl_strcasecmp(&v, sipnet_name(tp))) {
			*ret = secure ? SIP_TP_TLS : tp; /* sips over tcp is TLS (RFC 3261 26.2.2) */
			return !secure || tp != SIP_TP_UDP;
		}
	return false;
}

int sipnet_flow_of_uri(struct flow *ret, const struct pl *text)
{
	return sipnet_flow_onward(ret, text, &(struct flow){.ws = 0});
}

int sipnet_flow_onward(struct flow *ret, const struct pl *text, const struct flow *came)
{
	struct flow f = {.ws = 0};
	uint16_t port;
	struct uri u;
	struct pl v;

	if (uri_decode(&u, text) || (pl_strcasecmp(&u.scheme, "sip") && pl_strcasecmp(&u.scheme, "sips")) || !read_transport(&f.tp, &u))
		return -EINVAL;
	if (came->conn && msg_param_decode(&u.params, "transport", &v))
		f.tp = came->tp; /* many leave it out */
	port = u.port ? u.port : f.tp == SIP_TP_TLS ? SIP_PORT_TLS : SIP_PORT;
	if (sa_set(&f.peer, &u.host, port))
		return -EHOSTUNREACH;
	if (f.tp == SIP_TP_UDP && sa_af(&f.peer) == sa_af(&came->peer))
		f.from = came->from;
	if (f.tp != SIP_TP_UDP)
		f.back = f.peer;
	if (came->conn && f.tp == came->tp && sa_cmp(&f.peer, &came->peer, SA_ADDR))
		f.conn = came->conn;
	*ret = f;
	return 0;
}

const char *sipnet_uri_params(const struct flow *f)
{
	static const char *const params[] = {"", ";transport=tcp", ";transport=tls", ";transport=ws"};

	return params[f->ws ? SIP_TP_WS : f->tp];
}

int sipnet_flow_of_dial(struct flow *ret, struct sip_stack *s, const char *uri, const struct sip_tls *tls)
{
	struct pl pl;
	struct flow f;
	int r;

	pl_set_str(&pl, uri);
	r = sipnet_flow_of_uri(&f, &pl);
	if (!r && f.tp == SIP_TP_TLS)
		r = sipc_expect(&f.tls, s, tls);
	if (!r)
		*ret = f;
	return r;
}

/* ---- from the edge ---- */

static void opened(struct sip_stack *s, const struct edge_opened *o)
{
	struct ws_flow *w = xcalloc(1, sizeof(*w));

	w->id = o->id;
	w->peer = o->peer;
	(void)str_copy(w->device, sizeof(w->device), o->device);
	free(hmap_set(&s->sockets, w->id, w));
}

static void closed(struct sip_stack *s, uint64_t id)
{
	struct ws_flow *w = hmap_del(&s->sockets, id);

	if (!w)
		return;
	sipr_drop_socket(s, id, w->device);
	free(w);
}

void sipnet_edge_event(int type, void *data, size_t len, void *arg)
{
	struct sip_stack *s = arg;
	struct ws_flow *w;
	uint64_t id;

	if (type == EDGE_OPENED) {
		opened(s, data);
		return;
	}
	memcpy(&id, data, sizeof(id));
	if (type == EDGE_CLOSED) {
		closed(s, id);
		return;
	}
	w = hmap_get(&s->sockets, id);
	if (w) {
		struct flow f = {.ws = id, .peer = w->peer, .tp = SIP_TP_WS};

		sipnet_receive(s, &f, w->device, (char *)data + sizeof(id), len - sizeof(id));
	}
}
