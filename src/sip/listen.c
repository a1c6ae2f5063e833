/* The sockets we listen on, and which of our addresses a peer is told. */
#include "sip/sip_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netmap.h"

#define SOCKET_BUFFER (8 << 20)
#define BACKLOG	      1024

const char *sipnet_name(enum sip_tp tp)
{
	static const char *const names[] = {"udp", "tcp", "tls", "ws"};

	return names[tp];
}

const char *sipnet_transport(const struct sip_stack *s, const struct flow *f)
{
	return f->ws ? s->conf.ws_secure ? "wss" : "ws" : sipnet_name(f->tp);
}

/* ---- the list ---- */

static bool entry_read(struct sip_listener *l, const char *p, size_t len)
{
	size_t i;

	while (len && (*p == ' ' || *p == '\t')) {
		p++;
		len--;
	}
	while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	*l = (struct sip_listener){.tp = SIP_TP_UDP, .fd = -1};
	for (i = SIP_TP_UDP; i <= SIP_TP_TLS; i++)
		if (len > 4 && p[3] == ':' && !strncasecmp(p, sipnet_name((enum sip_tp)i), 3)) {
			l->tp = (enum sip_tp)i;
			p += 4;
			len -= 4;
			break;
		}
	/* sa_decode takes an address without a port */
	return len && p[len - 1] >= '0' && p[len - 1] <= '9' && !sa_decode(&l->local, p, len) &&
	       (sa_af(&l->local) == AF_INET6 || memchr(p, ':', len));
}

/* Fills up to LISTENERS_MAX of @v (may be NULL); a negative errno, or how many. */
static int list_read(struct sip_listener *v, const char *text, char *bad, size_t bad_size)
{
	int n = 0;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, ",");
		struct sip_listener l;

		if (n == LISTENERS_MAX || !entry_read(&l, p, len)) {
			if (bad)
				(void)snprintf(bad, bad_size, "%.*s", (int)len, p);
			return -EINVAL;
		}
		if (v)
			v[n] = l;
		n++;
		p += len + (p[len] == ',');
	}
	if (!n && bad && bad_size)
		bad[0] = '\0';
	return n ? n : -EINVAL;
}

int sip_listen_check(const char *text, char *bad, size_t bad_size, bool *tls)
{
	struct sip_listener v[LISTENERS_MAX];
	int n = list_read(v, text, bad, bad_size);

	if (tls)
		*tls = false;
	for (int i = 0; tls && i < n; i++)
		*tls |= v[i].tp == SIP_TP_TLS;
	return n < 0 ? n : 0;
}

/* ---- sockets ---- */

static void enlarge(int fd, int option)
{
	int size = SOCKET_BUFFER;

	/* ..FORCE needs CAP_NET_ADMIN; else as much as net.core.[rw]mem_max gives. */
	if (setsockopt(fd, SOL_SOCKET, option == SO_RCVBUF ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
}

static int socket_bind(struct sip_listener *l)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int one = 1;

	if (sa_af(&l->local) == AF_INET6) /* IPv4 has sockets of its own */
		(void)setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (l->tp == SIP_TP_UDP) {
		enlarge(l->fd, SO_RCVBUF);
		enlarge(l->fd, SO_SNDBUF);
	} else {
		(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	}
	if (bind(l->fd, &l->local.u.sa, l->local.len) || getsockname(l->fd, (struct sockaddr *)&ss, &len))
		return -errno;
	if (l->tp != SIP_TP_UDP && listen(l->fd, BACKLOG))
		return -errno;
	return sa_set_sa(&l->local, (struct sockaddr *)&ss) ? -EINVAL : 0;
}

static int listener_open(struct sip_stack *s, struct sip_listener *l)
{
	int type = l->tp == SIP_TP_UDP ? SOCK_DGRAM : SOCK_STREAM, r;

	l->s = s;
	l->fd = socket(sa_af(&l->local), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	r = socket_bind(l);
	if (!r && l->tp == SIP_TP_UDP)
		r = loop_listen(l->fd, sipnet_readable, l);
	if (!r)
		return 0;
	(void)close(l->fd);
	l->fd = -1;
	return r;
}

static void listener_close(struct sip_listener *l)
{
	if (l->fd < 0)
		return;
	if (l->tp == SIP_TP_UDP)
		loop_unlisten(l->fd);
	(void)close(l->fd);
	l->fd = -1;
}

int siplisten_open(struct sip_stack *s)
{
	char bad[80] = "", at[80];
	int n = list_read(s->listeners, s->conf.listen, bad, sizeof(bad)), r = 0;

	if (n < 0) {
		log_error("sip cannot listen at=\"%s\": not [udp:|tcp:|tls:]address:port", bad);
		return n;
	}
	for (; (int)s->listener_n < n && !r; s->listener_n += !r)
		r = listener_open(s, &s->listeners[s->listener_n]);
	if (!r)
		return 0;
	(void)re_snprintf(at, sizeof(at), "%s:%J", sipnet_name(s->listeners[s->listener_n].tp), &s->listeners[s->listener_n].local);
	log_error("sip cannot listen at=%s error=%s", at, strerror(-r));
	siplisten_close(s);
	return r;
}

void siplisten_close(struct sip_stack *s)
{
	while (s->listener_n)
		listener_close(&s->listeners[--s->listener_n]);
}

bool siplisten_streams(const struct sip_stack *s)
{
	for (size_t i = 0; i < s->listener_n; i++)
		if (s->listeners[i].tp != SIP_TP_UDP)
			return true;
	return false;
}

void sip_local(const struct sip_stack *s, char *buf, size_t size)
{
	const struct sip_listener *first = &s->listeners[0];

	for (size_t i = 0; i < s->listener_n; i++)
		if (s->listeners[i].tp == SIP_TP_UDP) {
			first = &s->listeners[i];
			break;
		}
	(void)re_snprintf(buf, size, "%J", &first->local);
}

void sip_local_all(const struct sip_stack *s, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < s->listener_n && n < size; i++) {
		int r = re_snprintf(buf + n, size - n, "%s%s:%J", i ? ", " : "", sipnet_name(s->listeners[i].tp), &s->listeners[i].local);

		n += r > 0 ? (size_t)r : size;
	}
}

/* ---- which address of ours ---- */

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
	if (fd >= 0 && !connect(fd, &peer->u.sa, peer->len) && !getsockname(fd, (struct sockaddr *)&ss, &len)) {
		(void)sa_set_sa(ret, (struct sockaddr *)&ss);
		s->local_cache_peer = *peer;
		s->local_cache = *ret;
	}
	if (fd >= 0)
		(void)close(fd);
}

/* One of several: the socket of the address that the kernel would send from, else one for all addresses. */
static const struct sip_listener *choose(struct sip_stack *s, enum sip_tp tp, const struct sa *peer)
{
	const struct sip_listener *any = NULL, *first = NULL;
	struct sa from;

	sa_init(&from, sa_af(peer));
	routed_address(s, peer, &from);
	for (size_t i = 0; i < s->listener_n; i++) {
		const struct sip_listener *l = &s->listeners[i];

		if (l->tp != tp || sa_af(&l->local) != sa_af(peer))
			continue;
		if (sa_cmp(&l->local, &from, SA_ADDR))
			return l;
		if (!any && sa_is_any(&l->local))
			any = l;
		if (!first)
			first = l;
	}
	return any ? any : first;
}

const struct sip_listener *siplisten_for(struct sip_stack *s, enum sip_tp tp, const struct sa *peer)
{
	const struct sip_listener *only = NULL;

	for (size_t i = 0; i < s->listener_n; i++) {
		const struct sip_listener *l = &s->listeners[i];

		if (l->tp != tp || sa_af(&l->local) != sa_af(peer))
			continue;
		if (only)
			return choose(s, tp, peer);
		only = l;
	}
	return only;
}

void sipnet_local_for(struct sip_stack *s, const struct flow *f, struct sa *ret)
{
	const struct sip_listener *l = f->from ? f->from : siplisten_for(s, f->ws ? SIP_TP_UDP : f->tp, &f->peer);
	const struct sockaddr *shown = netmap_find(s->netmap, &f->peer.u.sa);

	if (!l)
		l = &s->listeners[0]; /* a WebSocket from IPv6, TCP without a listener: the number matters to nobody */
	*ret = l->local;
	if (shown)
		(void)sa_set_sa(ret, shown);
	else if (sa_is_any(&l->local) || sa_af(&l->local) != sa_af(&f->peer))
		routed_address(s, &f->peer, ret);
	sa_set_port(ret, sa_port(&l->local));
}
