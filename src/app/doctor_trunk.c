/*
 * Trunks: does the other side answer an OPTIONS, how fast, and what does its answer say about what lies between? RFC 3261 18.2.1: a server
 * adds "received" to our Via when the request came from another address than the Via names; RFC 3581: "rport" likewise. And it
 * must give our Via back as we sent it, so that one that comes back changed was rewritten on the way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
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

static int connect_to(struct doc_answer *ret, const char *host, unsigned port)
{
	struct addrinfo hint = {.ai_socktype = SOCK_DGRAM, .ai_family = AF_INET, .ai_flags = AI_NUMERICSERV}, *ai;
	struct sockaddr_in own;
	socklen_t n = sizeof(own);
	char service[8];
	int fd;

	(void)snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hint, &ai)) {
		ret->error = EHOSTUNREACH;
		return -1;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen) || getsockname(fd, (struct sockaddr *)&own, &n)) {
		ret->error = errno;
		if (fd >= 0)
			(void)close(fd);
		fd = -1;
	} else {
		(void)inet_ntop(AF_INET, &own.sin_addr, ret->local, sizeof(ret->local));
	}
	freeaddrinfo(ai);
	return fd;
}

void doc_options(struct doc_answer *ret, const char *host, unsigned port, unsigned wait_ms)
{
	char msg[2048], via[96], call_id[128];
	struct sockaddr_in own;
	socklen_t own_n = sizeof(own);
	int64_t begin, id = clock_mono_us();
	int fd;

	*ret = (struct doc_answer){0};
	fd = connect_to(ret, host, port);
	if (fd < 0)
		return;
	(void)getsockname(fd, (struct sockaddr *)&own, &own_n);
	(void)snprintf(via, sizeof(via), "SIP/2.0/UDP %s:%u", ret->local, ntohs(own.sin_port));
	(void)snprintf(call_id, sizeof(call_id), "doctor-%llx-%x@%s", (unsigned long long)id, (unsigned)getpid(), ret->local);
	begin = clock_mono_us();
	for (unsigned sent = 0; !ret->code && clock_mono_us() - begin < (int64_t)wait_ms * 1000;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t passed = (clock_mono_us() - begin) / 1000;
		ssize_t n;

		/* RFC 3261 17.1.2.2: again after 0.5 s and 1.5 s, since UDP may lose it. */
		if (!sent || (sent == 1 && passed >= 500) || (sent == 2 && passed >= 1500)) {
			n = snprintf(msg, sizeof(msg),
				     "OPTIONS sip:%s:%u SIP/2.0\r\nVia: %s;rport;branch=z9hG4bKd%llx\r\nMax-Forwards: 70\r\n"
				     "From: <sip:doctor@%s>;tag=%llx\r\nTo: <sip:%s:%u>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n"
				     "Contact: <sip:doctor@%s:%u>\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n",
				     host, port, via, (unsigned long long)id, ret->local, (unsigned long long)id, host, port, call_id, ret->local,
				     ntohs(own.sin_port));
			sent++;
			if (send(fd, msg, (size_t)n, MSG_NOSIGNAL) < 0)
				ret->error = errno;
		}
		if (poll(&p, 1, 50) <= 0)
			continue;
		n = recv(fd, msg, sizeof(msg) - 1, MSG_DONTWAIT);
		if (n < 0) {
			ret->error = errno; /* ECONNREFUSED: an ICMP came back */
			if (errno == ECONNREFUSED)
				break;
			continue;
		}
		msg[n] = '\0';
		if (take(ret, msg, via, call_id)) {
			ret->rtt_us = clock_mono_us() - begin;
			ret->error = 0;
		}
	}
	(void)close(fd);
}

/* ---- all of them at once ---- */

struct line {
	char name[128], host[256];
	unsigned port, wait_ms;
	struct doc_answer a;
	pthread_t thread;
	bool started;
};

static void *ask(void *arg)
{
	struct line *l = arg;

	doc_options(&l->a, l->host, l->port, l->wait_ms);
	return NULL;
}

static size_t read_trunks(struct doctor *d, struct line *lines)
{
	struct db_stmt *st;
	size_t n = 0;

	if (db_prepare(&st, d->db, "SELECT name, host, port FROM trunks WHERE active = 1 ORDER BY name"))
		return 0;
	while (n < TRUNKS_MAX && db_step(st) == DB_ROW) {
		struct line *l = &lines[n++];

		(void)str_copy(l->name, sizeof(l->name), db_text(st, 0));
		(void)str_copy(l->host, sizeof(l->host), db_text(st, 1));
		l->port = (unsigned)db_i64(st, 2);
		l->wait_ms = d->trunk_wait_ms ? d->trunk_wait_ms : WAIT_MS;
	}
	db_done(st);
	return n;
}

static void tell_answer(struct doctor *d, const struct line *l)
{
	const char *title = T("中继", "Trunk");

	if (!l->a.code) {
		doc_found(d, "trunk", title, DOC_ERROR, T("%s（%s:%u）没有应答 OPTIONS：%s", "%s (%s:%u) does not answer OPTIONS: %s"), l->name, l->host, l->port,
			  l->a.error ? doc_why(d, l->a.error) : T("等了 2 秒", "waited 2 s"));
		doc_todo(d, T("核对地址和端口；防火墙放行 UDP；问运营商是否已登记本机地址%s%s，以及是否应答 OPTIONS",
			      "see address and port; let UDP through the firewall; ask the carrier whether he knows our address%s%s and answers OPTIONS"),
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

static void tell_nat_by(struct doctor *d, const char *title, const struct netmap *map, const struct line *lines, size_t n)
{
	const char *external = NULL;
	char shown[64];

	/* 192.0.2.1 stands for a name: somewhere out there. */
	if (netmap_find_text(map, "192.0.2.1", shown, sizeof(shown)))
		external = shown;
	for (size_t i = 0; i < n; i++) {
		const struct doc_answer *a = &lines[i].a;
		bool seen = *a->received && strcmp(a->received, a->local) != 0;
		bool behind = *a->local && doc_is_private(a->local) && !doc_is_private(lines[i].host) && inet_addr(lines[i].host) != INADDR_NONE;

		if (netmap_find_text(map, lines[i].host, shown, sizeof(shown)))
			external = shown;
		if (external && seen && strcmp(a->received, external) != 0) {
			doc_found(d, "nat", title, DOC_ERROR, T("%s 看到我们来自 %s，而 [sip] external 写的是 %s：声音会发到错误的地址", "%s sees us at %s, but [sip] external says %s: audio is sent to the wrong address"),
				  lines[i].name, a->received, external);
			doc_todo(d, "[sip] external = %s", a->received);
			return;
		}
		if (!external && (seen || behind)) {
			doc_found(d, "nat", title, DOC_WARN, T("本机地址 %s 是内网地址，%s 在公网%s%s：对方的声音到不了我们这里", "our address %s is private while %s is not%s%s: its audio cannot reach us"),
				  a->local, lines[i].name, seen ? T("，它看到我们来自 ", ", and sees us at ") : "", seen ? a->received : "");
			doc_todo(d, T("在配置中写 [sip] external = %s，并在路由器上把 SIP 端口和音频端口 UDP %lld-%lld 转到 %s",
				      "write [sip] external = %s, and forward the SIP port and UDP %lld-%lld to %s in the router"),
				 seen ? a->received : T("公网地址", "PUBLIC ADDRESS"), (long long)d->conf->rtp_min, (long long)d->conf->rtp_max, a->local);
			return;
		}
	}
	doc_found(d, "nat", title, DOC_OK, external ? T("对外地址 %s", "we say that we are at %s") : T("没有发现地址转换%s", "none was seen%s"), external ? external : "");
}

static void tell_nat(struct doctor *d, const struct line *lines, size_t n)
{
	const char *title = T("地址转换（NAT）", "NAT");
	struct netmap *map = NULL;

	(void)netmap_parse(&map, d->conf->sip_external, NULL, 0);
	tell_nat_by(d, title, map, lines, n);
	netmap_free(map);
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
	if (n)
		tell_nat(d, lines, n);
	else
		doc_found(d, "trunk", T("中继", "Trunk"), DOC_OK, T("没有启用的中继", "no trunk is active"));
	free(lines);
}
