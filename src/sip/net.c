/* The UDP socket, the way to a WebSocket, and the door through which every message comes in. */
#include "sip/sip_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_BUFFER (8 << 20)
#define BATCH	      64 /* datagrams a wake-up: timers and mailboxes get their turn under a flood */

static void readable(void *arg)
{
	static _Thread_local char buf[SIPM_BYTES_MAX + 1];
	struct sip_stack *s = arg;

	for (int i = 0; i < BATCH && s->fd >= 0; i++) {
		struct flow f = {.ws = 0};
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		ssize_t n =
			recvfrom(s->fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);

		if (n < 0)
			break; /* drained, or an ICMP error of an earlier send: its transaction's timers deal
				  with it */
		if (sa_set_sa(&f.peer, (struct sockaddr *)&from))
			continue;
		sipnet_receive(s, &f, NULL, buf, (size_t)n);
	}
}

static void enlarge(int fd, int option)
{
	int size = SOCKET_BUFFER;

	/* ..FORCE needs CAP_NET_ADMIN; else as much as net.core.[rw]mem_max gives. */
	if (setsockopt(fd, SOL_SOCKET, option == SO_RCVBUF ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &size,
		       sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
}

int sipnet_open(struct sip_stack *s)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int r;

	if (sa_decode(&s->local, s->conf.listen, strlen(s->conf.listen)))
		return -EINVAL;
	s->fd = socket(sa_af(&s->local), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	enlarge(s->fd, SO_RCVBUF);
	enlarge(s->fd, SO_SNDBUF);
	if (bind(s->fd, &s->local.u.sa, s->local.len) || getsockname(s->fd, (struct sockaddr *)&ss, &len))
		goto failed;
	if (sa_set_sa(&s->local, (struct sockaddr *)&ss))
		goto failed;
	r = loop_listen(s->fd, readable, s);
	if (!r)
		return 0;
	errno = -r;
failed:
	r = -errno;
	(void)close(s->fd);
	s->fd = -1;
	return r ? r : -EINVAL;
}

void sipnet_close(struct sip_stack *s)
{
	if (s->fd < 0)
		return;
	loop_unlisten(s->fd);
	(void)close(s->fd);
	s->fd = -1;
}

bool sipnet_alive(const struct sip_stack *s, const struct flow *f)
{
	return !f->ws || hmap_get(&s->sockets, f->ws);
}

int sipnet_send(struct sip_stack *s, const struct flow *f, const char *data, size_t len)
{
	ssize_t n;

	sipt_message(s, true, f, f->ws ? "ws" : "udp", data, len);
	if (f->ws)
		return sipnet_alive(s, f) ? sipe_send(s->edge, f->ws, data, len) : -ENOTCONN;
	n = sendto(s->fd, data, len, MSG_DONTWAIT, &f->peer.u.sa, f->peer.len);
	return n < 0 ? -errno : 0;
}

/* The kernel's choice of source address towards a peer. */
static void routed_address(struct sip_stack *s, const struct sa *peer, struct sa *ret)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	if (sa_cmp(peer, &s->local_cache_peer, SA_ADDR)) {
		*ret = s->local_cache;
		return;
	}
	fd = socket(sa_af(peer), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, &peer->u.sa, peer->len) &&
		!getsockname(fd, (struct sockaddr *)&ss, &len)) {
		(void)sa_set_sa(ret, (struct sockaddr *)&ss);
		s->local_cache_peer = *peer;
		s->local_cache = *ret;
	}
	if (fd >= 0)
		(void)close(fd);
}

void sipnet_local_for(struct sip_stack *s, const struct flow *f, struct sa *ret)
{
	if (sa_isset(&s->external, SA_ADDR)) {
		*ret = s->external;
	} else {
		*ret = s->local;
		if (sa_is_any(&s->local))
			routed_address(s, &f->peer, ret);
	}
	sa_set_port(ret, sa_isset(&s->external, SA_PORT) ? sa_port(&s->external) : sa_port(&s->local));
}

static void malformed(struct sip_stack *s, const struct flow *f, const char *why)
{
	int64_t now = clock_mono_ms();
	char ip[64];

	s->counters.malformed++;
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
	struct rx r = {.flow = *f, .ws_device = ws_device};
	const char *why = "";
	struct sip_msg *m;
	int code;

	if (len <= 4)
		return; /* keep-alive */
	sipt_message(s, false, f, f->ws ? "ws" : "udp", data, len);
	if (len > SIPM_BYTES_MAX) {
		malformed(s, f, "too big");
		return;
	}
	memcpy(buf, data, len);
	m = sipm_precheck(buf, len) ? sipm_decode(buf, len) : NULL;
	if (!m) {
		malformed(s, f, "not a message");
		return;
	}
	r.m = m;
	code = sipm_check(&r, &why);
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

int sipnet_flow_of_uri(struct flow *ret, const struct pl *text)
{
	struct uri u;

	if (uri_decode(&u, text) || pl_strcasecmp(&u.scheme, "sip"))
		return -EINVAL;
	*ret = (struct flow){.ws = 0};
	if (sa_set(&ret->peer, &u.host, u.port ? u.port : SIP_PORT))
		return -EHOSTUNREACH;
	return 0;
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
		struct flow f = {.ws = id, .peer = w->peer};

		sipnet_receive(s, &f, w->device, (char *)data + sizeof(id), len - sizeof(id));
	}
}
