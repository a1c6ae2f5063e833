/*
 * Trunks: does the other side answer an OPTIONS, how fast, and what does its answer say about what lies between? RFC 3261 18.2.1: a server
 * adds "received" to our Via when the request came from another address than the Via names; RFC 3581: "rport" likewise. And it
 * must give our Via back as we sent it, so that one that comes back changed was rewritten on the way.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/doctor.h"
#include "base/base.h"
#include "base/netmap.h"
#include "db/db.h"

#define TRUNKS_MAX 64
#define WAIT_MS 2000
#define SLOW_US 300000

bool doc_is_private(const char *address)
{
	struct in_addr a;
	uint32_t n;

	if (inet_pton(AF_INET, address, &a) != 1)
		return false;
	n = ntohl(a.s_addr);
	return n >> 24 == 10 || n >> 24 == 127 || n >> 20 == 0xac1 || n >> 16 == 0xc0a8 || n >> 16 == 0xa9fe || n >> 22 == 0x191; /* 100.64/10 */
}

/* ---- one OPTIONS ---- */

/* The value of the first @name header, or of its compact form. */
static bool header(char *ret, size_t size, const char *msg, const char *name, const char *compact)
{
	for (const char *l = strstr(msg, "\r\n"); l; l = strstr(l, "\r\n")) {
		size_t n = strcspn(l += 2, ":\r"), full = strlen(name);
		const char *v = l + n + 1;

		while (n && l[n - 1] == ' ')
			n--;
		if (l[n] == '\r' || !((n == full && !strncasecmp(l, name, n)) || (n == 1 && !strncasecmp(l, compact, 1))))
			continue;
		v += strspn(v, " \t");
		n = strcspn(v, "\r");
		if (n >= size)
			n = size - 1;
		memcpy(ret, v, n);
		ret[n] = '\0';
		return true;
	}
	return false;
}

static void param(char *ret, size_t size, const char *value, const char *name)
{
	const char *at = value;
	size_t n = strlen(name);

	ret[0] = '\0';
	while ((at = strchr(at, ';'))) {
		at++;
		if (!strncasecmp(at, name, n) && at[n] == '=') {
			size_t len = strcspn(at + n + 1, ";, ");

			if (len >= size)
				return;
			memcpy(ret, at + n + 1, len);
			ret[len] = '\0';
			return;
		}
	}
}

/* Ours when Call-ID is; then 1 and @ret is filled. */
static int take(struct doc_answer *ret, const char *msg, const char *via, const char *call_id)
{
	char value[512];

	if (strncmp(msg, "SIP/2.0 ", 8) != 0 || !header(value, sizeof(value), msg, "Call-ID", "i"))
		return 0;
	if (strcmp(value, call_id) != 0) /* ALGs rewrite this one, too: the address in it gives them away */
		ret->rewritten = true;
	ret->code = atoi(msg + 8);
	if (!header(value, sizeof(value), msg, "Via", "v"))
		return 1;
	param(ret->received, sizeof(ret->received), value, "received");
	value[strcspn(value, ";")] = '\0';
	ret->rewritten |= strcmp(value, via) != 0;
	return 1;
}

/* RFC 2782: of the lowest priority the first; 0 or -ENOENT. */
static int by_srv(char *target, size_t size, unsigned *port, const char *host, enum doc_transport tp)
{
	static const char *const services[] = {"_sip._udp", "_sip._tcp", "_sips._tcp"};
	char *name = xasprintf("%s.%s", services[tp], host);
	unsigned char answer[4096];
	unsigned best = 65536;
	ns_msg msg;
	ns_rr rr;
	int n = res_query(name, ns_c_in, ns_t_srv, answer, sizeof(answer));

	free(name);
	if (n < 0 || n > (int)sizeof(answer) || ns_initparse(answer, n, &msg))
		return -ENOENT;
	for (int i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		char got[256];
		const unsigned char *d;

		if (ns_parserr(&msg, ns_s_an, i, &rr) || ns_rr_type(rr) != ns_t_srv || ns_rr_rdlen(rr) < 7)
			continue;
		d = ns_rr_rdata(rr);
		if (ns_get16(d) >= best || dn_expand(answer, answer + n, d + 6, got, sizeof(got)) < 0)
			continue;
		best = ns_get16(d);
		*port = ns_get16(d + 4);
		(void)str_copy(target, size, got);
	}
	return best < 65536 ? 0 : -ENOENT;
}

/* A socket that is connected, or for TCP on its way; -1 with ret->error. */
static int connect_to(struct doc_answer *ret, enum doc_transport tp, const char *host, unsigned port)
{
	struct addrinfo hint = {.ai_socktype = tp == DOC_UDP ? SOCK_DGRAM : SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG}, *ai;
	char service[8], target[256];
	int fd, r = 0;

	(void)str_copy(target, sizeof(target), host);
	if (!port && by_srv(target, sizeof(target), &port, host, tp))
		port = tp == DOC_TLS ? 5061 : 5060;
	(void)snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(target, service, &hint, &ai)) {
		hint.ai_flags = AI_NUMERICSERV; /* with only a loopback there is no address family "configured" */
		if (getaddrinfo(target, service, &hint, &ai)) {
			ret->error = EHOSTUNREACH;
			return -1;
		}
	}
	(void)getnameinfo(ai->ai_addr, ai->ai_addrlen, ret->peer, sizeof(ret->peer), NULL, 0, NI_NUMERICHOST);
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || (connect(fd, ai->ai_addr, ai->ai_addrlen) && errno != EINPROGRESS))
		r = errno;
	freeaddrinfo(ai);
	if (!r)
		return fd;
	ret->error = r;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* Waits for a TCP connection to stand. */
static bool stands(struct doc_answer *ret, int fd, unsigned wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t n = sizeof(ret->error);

	if (poll(&p, 1, (int)wait_ms) <= 0) {
		ret->error = ETIMEDOUT;
		return false;
	}
	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &ret->error, &n);
	return ret->connected = !ret->error;
}

static unsigned local_of(struct doc_answer *ret, int fd)
{
	struct sockaddr_storage own = {0};
	socklen_t n = sizeof(own);
	char service[8] = "0";

	(void)getsockname(fd, (struct sockaddr *)&own, &n);
	(void)getnameinfo((struct sockaddr *)&own, n, ret->local, sizeof(ret->local), service, sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV);
	return (unsigned)atoi(service);
}

static void ask_once(struct doc_answer *ret, int fd, enum doc_transport tp, const char *host, unsigned port, unsigned wait_ms, unsigned own_port)
{
	char msg[4096], via[160], call_id[160], at[80], to[300];
	int64_t begin = clock_mono_us(), id = begin;
	size_t have = 0;

	net_uri_host(at, sizeof(at), ret->local);
	net_uri_host(to, sizeof(to), host);
	if (port)
		(void)snprintf(to + strlen(to), sizeof(to) - strlen(to), ":%u", port);
	(void)snprintf(via, sizeof(via), "SIP/2.0/%s %s:%u", tp == DOC_UDP ? "UDP" : "TCP", at, own_port);
	(void)snprintf(call_id, sizeof(call_id), "doctor-%llx-%x@%s", (unsigned long long)id, (unsigned)getpid(), ret->local);
	for (unsigned sent = 0; !ret->code && clock_mono_us() - begin < (int64_t)wait_ms * 1000;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t passed = (clock_mono_us() - begin) / 1000;
		ssize_t n;

		/* RFC 3261 17.1.2.2: again after 0.5 s and 1.5 s, since UDP may lose it. */
		if (!sent || (tp == DOC_UDP && ((sent == 1 && passed >= 500) || (sent == 2 && passed >= 1500)))) {
			char *text = xasprintf("OPTIONS sip:%s SIP/2.0\r\nVia: %s;rport;branch=z9hG4bKd%llx\r\nMax-Forwards: 70\r\n"
					       "From: <sip:doctor@%s>;tag=%llx\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n"
					       "Contact: <sip:doctor@%s:%u>\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n",
					       to, via, (unsigned long long)id, at, (unsigned long long)id, to, call_id, at, own_port);

			sent++;
			if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
				ret->error = errno;
			free(text);
		}
		if (poll(&p, 1, 50) <= 0)
			continue;
		n = recv(fd, msg + have, sizeof(msg) - 1 - have, 0);
		if (n <= 0) {
			ret->error = n ? errno : ECONNRESET; /* ECONNREFUSED: an ICMP came back */
			if (!n || errno != EAGAIN)
				break;
			continue;
		}
		msg[have + (size_t)n] = '\0';
		if (tp != DOC_UDP) { /* a stream: until the headers are whole */
			have += (size_t)n;
			if (!strstr(msg, "\r\n\r\n") && have < sizeof(msg) - 1)
				continue;
		}
		if (take(ret, msg, via, call_id)) {
			ret->rtt_us = clock_mono_us() - begin;
			ret->error = 0;
		}
		have = 0;
	}
}

void doc_options(struct doc_answer *ret, enum doc_transport tp, const char *host, unsigned port, unsigned wait_ms)
{
	int64_t begin = clock_mono_us();
	unsigned own_port;
	int fd;

	*ret = (struct doc_answer){0};
	fd = connect_to(ret, tp, host, port);
	if (fd < 0)
		return;
	if (tp == DOC_UDP || stands(ret, fd, wait_ms)) {
		own_port = local_of(ret, fd);
		ret->rtt_us = clock_mono_us() - begin;
		if (tp != DOC_TLS)
			ask_once(ret, fd, tp, host, port, wait_ms, own_port);
	}
	(void)close(fd);
}

/* ---- what the running server says of its registrations: the last trunk.state of its epoch ---- */

#define EPOCH_MAX 500000 /* events; reading more would take seconds */

static void tell_registration(struct doctor *d, const char *name, const char *body)
{
	const char *title = T("中继注册", "Trunk's registration"), *state, *reason;
	json_t *j = body ? json_loads(body, 0, NULL) : NULL;
	int code;

	state = json_string_value(json_object_get(j, "registration"));
	reason = json_string_value(json_object_get(j, "reason"));
	code = (int)json_integer_value(json_object_get(j, "code"));
	if (!state || !strcmp(state, "trying")) {
		doc_found(d, "trunk.registration", title, DOC_WARN, T("%s 还没有注册上", "%s is not registered yet"), name);
		doc_todo(d, T("等半分钟再看；仍不行就核对账号与密码", "look again in half a minute; then see account and password"));
	} else if (!strcmp(state, "registered")) {
		doc_found(d, "trunk.registration", title, DOC_OK, T("%s 已注册", "%s is registered"), name);
	} else if (!strcmp(state, "refused")) {
		doc_found(d, "trunk.registration", title, DOC_ERROR, T("%s 被运营商拒绝：%d %s", "%s is refused by the carrier: %d %s"), name, code, reason ? reason : "");
		doc_todo(d, T("核对账号、认证账号和密码；403 时问运营商账号是否开通、是否限定了来源地址", "see account, authentication user and password; with 403 ask the carrier whether it is open, and from which address"));
	} else if (strcmp(state, "off") != 0) {
		doc_found(d, "trunk.registration", title, DOC_ERROR, T("%s：注册服务器没有应答", "%s: the registrar does not answer"), name);
		doc_todo(d, T("核对地址、端口和防火墙", "see address, port and firewall"));
	}
	json_decref(j);
}

static void check_registrations(struct doctor *d)
{
	struct db_stmt *st, *last;
	int64_t epoch, n;

	if ((!d->inside && !d->server) || db_get_i64(&epoch, d->db, "SELECT max(epoch) FROM epoch WHERE kind = 'run'", NULL) ||
	    db_get_i64(&n, d->db, "SELECT coalesce(max(n), 0) FROM event WHERE epoch = $1", "i", epoch) || n > EPOCH_MAX)
		return; /* the page shows it live */
	if (db_prepare(&st, d->db, "SELECT id, name FROM trunks WHERE active = 1 AND kind = 'register' ORDER BY name"))
		return;
	while (db_step(st) == DB_ROW) {
		char *like = xasprintf("%%\"trunk\":\"%lld\"%%", (long long)db_i64(st, 0));

		/* One epoch by its primary key. */
		if (!db_prepare(&last, d->db, "SELECT body FROM event WHERE epoch = $1 AND kind = 'trunk.state' AND body LIKE $2 ORDER BY n DESC LIMIT 1")) {
			db_bind_i64(last, 1, epoch);
			db_bind_text(last, 2, like);
			tell_registration(d, db_text(st, 1), db_step(last) == DB_ROW ? db_text(last, 0) : NULL);
			db_done(last);
		}
		free(like);
	}
	db_done(st);
}

/* ---- all of them at once ---- */

struct line {
	char name[128], host[256];
	enum doc_transport tp;
	unsigned port, wait_ms;
	struct doc_answer a;
	pthread_t thread;
	bool started;
};

static void *ask(void *arg)
{
	struct line *l = arg;

	doc_options(&l->a, l->tp, l->host, l->port, l->wait_ms);
	return NULL;
}

/* "sbc.example.com", "192.0.2.1:5070", "[2001:db8::1]:5060" in place of the trunk's own host. */
static void through_proxy(struct line *l, const char *proxy)
{
	const char *colon = strrchr(proxy, ':');
	size_t n = strlen(proxy);
	int64_t port;

	l->port = 0;
	if (colon && (strchr(proxy, ':') == colon || colon[-1] == ']') && str_to_i64(&port, colon + 1, 1, 65535)) {
		l->port = (unsigned)port;
		n = (size_t)(colon - proxy);
	}
	if (n >= 2 && proxy[0] == '[' && proxy[n - 1] == ']') {
		proxy++;
		n -= 2;
	}
	(void)snprintf(l->host, sizeof(l->host), "%.*s", (int)n, proxy);
}

static size_t read_trunks(struct doctor *d, struct line *lines)
{
	struct db_stmt *st;
	size_t n = 0;

	if (db_prepare(&st, d->db, "SELECT name, host, port, transport, proxy FROM trunks WHERE active = 1 ORDER BY name"))
		return 0;
	while (n < TRUNKS_MAX && db_step(st) == DB_ROW) {
		struct line *l = &lines[n++];
		const char *tp = db_text(st, 3), *proxy = db_text(st, 4);

		(void)str_copy(l->name, sizeof(l->name), db_text(st, 0));
		(void)str_copy(l->host, sizeof(l->host), db_text(st, 1));
		l->port = (unsigned)db_i64(st, 2);
		l->tp = tp && !strcmp(tp, "tls") ? DOC_TLS : tp && !strcmp(tp, "tcp") ? DOC_TCP : DOC_UDP;
		if (proxy && *proxy)
			through_proxy(l, proxy);
		l->wait_ms = d->trunk_wait_ms ? d->trunk_wait_ms : WAIT_MS;
	}
	db_done(st);
	return n;
}

static void tell_answer(struct doctor *d, const struct line *l)
{
	const char *title = T("中继", "Trunk");

	if (l->tp == DOC_TLS && l->a.connected) {
		doc_found(d, "trunk", title, DOC_OK, T("%s（%s，TLS）的端口可以连接，%.1f 毫秒", "%s (%s, TLS) takes connections, %.1f ms"), l->name, l->host, (double)l->a.rtt_us / 1000);
	} else if (!*l->a.peer) {
		doc_found(d, "trunk", title, DOC_ERROR, T("%s：域名 %s 解析不出来", "%s: the name %s is not found"), l->name, l->host);
		doc_todo(d, T("核对域名；看 /etc/resolv.conf 里的域名服务器是否可用", "see whether the name is right and the name servers in /etc/resolv.conf answer"));
	} else if (!l->a.code) {
		doc_found(d, "trunk", title, DOC_ERROR, T("%s（%s:%u）没有应答 OPTIONS：%s", "%s (%s:%u) does not answer OPTIONS: %s"), l->name, l->host, l->port,
			  l->a.error ? doc_why(d, l->a.error) : T("等了 2 秒", "waited 2 s"));
		doc_todo(d, T("核对地址和端口；防火墙放行；问运营商是否已登记本机地址%s%s，以及是否应答 OPTIONS",
			      "see address and port; let it through the firewall; ask the carrier whether he knows our address%s%s and answers OPTIONS"),
			 *l->a.local ? " " : "", l->a.local);
	} else if (l->a.rewritten) {
		doc_found(d, "trunk", title, DOC_WARN, T("%s 应答 %d，但信令在途中被改写：路由器上开着 SIP ALG", "%s answers %d, but SIP is rewritten on the way: a router's SIP ALG"), l->name, l->a.code);
		doc_todo(d, T("在路由器或防火墙上关闭 SIP ALG（SIP helper、SIP inspection）", "switch SIP ALG (SIP helper, SIP inspection) off in the router or firewall"));
	} else if (l->a.rtt_us > SLOW_US) {
		doc_found(d, "trunk", title, DOC_WARN, T("%s 应答 %d，但用了 %lld 毫秒", "%s answers %d, but after %lld ms"), l->name, l->a.code, (long long)(l->a.rtt_us / 1000));
		doc_todo(d, T("线路拥塞或绕路：看 mtr %s", "a crowded or long way: see mtr %s"), l->host);
	} else {
		doc_found(d, "trunk", title, DOC_OK, T("%s 应答 %d，往返 %.1f 毫秒，本机地址 %s", "%s answers %d in %.1f ms, our address is %s"), l->name, l->a.code,
			  (double)l->a.rtt_us / 1000, l->a.local);
	}
}

/* What one trunk shows of the way to it: true when something was found. */
static bool nat_of(struct doctor *d, const struct line *l, const struct netmap *map)
{
	const char *title = T("地址转换（NAT）", "NAT");
	const struct doc_answer *a = &l->a;
	bool seen = *a->received && !net_same_host(a->received, a->local), behind = doc_is_private(a->local) && *a->peer && !strchr(a->peer, ':') && !doc_is_private(a->peer);
	char told[64];
	bool mapped = *a->peer && netmap_find_text(map, a->peer, told, sizeof(told));

	if (mapped && seen && !net_same_host(a->received, told)) {
		doc_found(d, "nat", title, DOC_ERROR, T("%s 看到我们来自 %s，而 [sip] external 写的是 %s：声音会发到错误的地址", "%s sees us at %s, but [sip] external says %s: audio is sent to the wrong address"),
			  l->name, a->received, told);
		doc_todo(d, "[sip] external = %s", a->received);
		return true;
	}
	if (!mapped && (seen || behind)) {
		doc_found(d, "nat", title, DOC_WARN, T("本机地址 %s 是内网地址，%s 在公网%s%s：对方的声音到不了我们这里", "our address %s is private while %s is not%s%s: its audio cannot reach us"),
			  a->local, l->name, seen ? T("，它看到我们来自 ", ", and sees us at ") : "", seen ? a->received : "");
		doc_todo(d, T("在配置中写 [sip] external = %s，并在路由器上把 SIP 端口和音频端口 UDP %lld-%lld 转到 %s",
			      "write [sip] external = %s, and forward the SIP port and UDP %lld-%lld to %s in the router"),
			 seen ? a->received : T("公网地址", "PUBLIC ADDRESS"), (long long)d->conf->rtp_min, (long long)d->conf->rtp_max, a->local);
		return true;
	}
	return false;
}

static void tell_nat(struct doctor *d, const struct line *lines, size_t n)
{
	const char *title = T("地址转换（NAT）", "NAT");
	struct netmap *map = NULL;
	bool found = false;

	(void)netmap_parse(&map, d->conf->sip_external, NULL, 0);
	for (size_t i = 0; i < n && !found; i++)
		found = nat_of(d, &lines[i], map);
	netmap_free(map);
	if (!found)
		doc_found(d, "nat", title, DOC_OK, d->conf->sip_external ? T("对外地址 %s", "we say that we are at %s") : T("没有发现地址转换%s", "none was seen%s"),
			  d->conf->sip_external ? d->conf->sip_external : "");
}

void doc_trunks(struct doctor *d)
{
	struct line *lines;
	size_t n;

	if (!d->db)
		return;
	lines = xcalloc(TRUNKS_MAX, sizeof(*lines));
	n = read_trunks(d, lines);
	for (size_t i = 0; i < n; i++)
		lines[i].started = !pthread_create(&lines[i].thread, NULL, ask, &lines[i]);
	for (size_t i = 0; i < n; i++)
		if (lines[i].started)
			(void)pthread_join(lines[i].thread, NULL);
	for (size_t i = 0; i < n; i++)
		tell_answer(d, &lines[i]);
	check_registrations(d);
	if (n)
		tell_nat(d, lines, n);
	else
		doc_found(d, "trunk", T("中继", "Trunk"), DOC_OK, T("没有启用的中继", "no trunk is active"));
	free(lines);
}
