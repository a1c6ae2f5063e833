/* Ports: free, or held by our own server? And are there enough of them? */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/doctor.h"
#include "base/base.h"

/* ---- who holds a port ---- */

/* Would binding to @host collide with what /proc/net shows as @hex? IPv6 is not looked at closely. */
static bool collides(const char *hex, const char *host)
{
	struct in_addr a;
	char ours[9];

	if (strlen(hex) != 8 || inet_pton(AF_INET, host, &a) != 1)
		return true;
	(void)snprintf(ours, sizeof(ours), "%08X", a.s_addr);
	return !a.s_addr || !strcmp(hex, "00000000") || !strcasecmp(hex, ours);
}

/* The inode of the socket that is bound to @host, @port; 0: none. @tcp: only listening ones. */
static unsigned long bound_inode(struct doctor *d, bool tcp, const char *host, unsigned port)
{
	static const char *const files[2][2] = {{"/proc/net/udp", "/proc/net/udp6"}, {"/proc/net/tcp", "/proc/net/tcp6"}};
	char *text = xcalloc(1, 1 << 20);
	unsigned long found = 0;

	for (int v6 = 0; v6 < 2 && !found; v6++) {
		char *save = NULL;

		if (doc_read(d, files[tcp][v6], text, 1 << 20) <= 0)
			continue;
		for (char *l = strtok_r(text, "\n", &save); l && !found; l = strtok_r(NULL, "\n", &save)) {
			unsigned long inode;
			unsigned p, state;
			char hex[33];

			/* sl local:port remote:port state tx:rx tr:when retrnsmt uid timeout inode */
			if (sscanf(l, "%*d: %32[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %lu", hex, &p, &state, &inode) == 4 && p == port &&
			    (!tcp || state == 0x0a) && collides(hex, host))
				found = inode;
		}
	}
	free(text);
	return found;
}

static bool holds(pid_t pid, unsigned long inode)
{
	char *dir = xasprintf("/proc/%d/fd", (int)pid), want[64], got[64];
	DIR *list = opendir(dir);
	struct dirent *e;
	bool yes = false;

	(void)snprintf(want, sizeof(want), "socket:[%lu]", inode);
	while (list && !yes && (e = readdir(list))) {
		char *path = xasprintf("%s/%s", dir, e->d_name);
		ssize_t n = readlink(path, got, sizeof(got) - 1);

		free(path);
		yes = n > 0 && (got[n] = '\0', !strcmp(got, want));
	}
	if (list)
		(void)closedir(list);
	free(dir);
	return yes;
}

/* "nginx (pid 812)", or "" when it cannot be seen. @ours: it is our server. */
static void who_holds(struct doctor *d, unsigned long inode, char *ret, size_t size, bool *ours)
{
	DIR *list = opendir("/proc");
	struct dirent *e;
	int64_t pid;

	ret[0] = '\0';
	*ours = d->server && holds(d->server, inode);
	while (list && !*ours && !*ret && (e = readdir(list))) {
		char name[64] = "", path[64];
		ssize_t n;

		if (!str_to_i64(&pid, e->d_name, 1, INT32_MAX) || !holds((pid_t)pid, inode))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)pid);
		n = doc_read(d, path, name, sizeof(name));
		if (n > 0 && name[n - 1] == '\n')
			name[n - 1] = '\0';
		(void)snprintf(ret, size, "%s (pid %lld)", name, (long long)pid);
	}
	if (list)
		(void)closedir(list);
}

/* ---- one listener ---- */

/* 0, or the negative errno of binding. Nothing listens: the socket is closed at once. */
static int try_bind(const char *host, const char *port, bool tcp, bool *v6)
{
	struct addrinfo hint = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = tcp ? SOCK_STREAM : SOCK_DGRAM}, *ai;
	int one = 1, fd, r;

	if (getaddrinfo(*host ? host : NULL, port, &hint, &ai))
		return -EINVAL;
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd >= 0 && tcp)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd >= 0 && ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	*v6 = ai->ai_family == AF_INET6;
	r = fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) ? -errno : 0;
	if (fd >= 0)
		(void)close(fd);
	freeaddrinfo(ai);
	return r;
}

/* "127.0.0.1:5060", "[::]:5060", "*:5060" */
static bool split(const char *listen, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(listen, ':');
	size_t n;

	if (!colon)
		return false;
	n = (size_t)(colon - listen);
	if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']') {
		listen++;
		n -= 2;
	}
	if (n >= size)
		return false;
	memcpy(host, listen, n);
	host[n] = '\0';
	*port = colon + 1;
	return true;
}

static bool is_privileged(struct doctor *d, unsigned port)
{
	char text[32];
	int64_t first = 1024;

	if (doc_read(d, "/proc/sys/net/ipv4/ip_unprivileged_port_start", text, sizeof(text)) > 0) {
		text[strcspn(text, "\n")] = '\0';
		(void)str_to_i64(&first, text, 0, 65536);
	}
	return port && port < first && d->uid;
}

static void free_port(struct doctor *d, const char *id, const char *title, const char *listen, unsigned port, bool tcp)
{
	if (is_privileged(d, port)) {
		doc_found(d, id, title, DOC_ERROR, T("%s 是特权端口，服务用户不能监听", "%s is a privileged port, which the service's user may not open"), listen);
		doc_todo(d, T("改用 1024 以上的端口，或 systemctl edit huawu 加上 [Service] AmbientCapabilities=CAP_NET_BIND_SERVICE 与 CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
			      "take a port above 1024, or `systemctl edit huawu` and add, below [Service], AmbientCapabilities=CAP_NET_BIND_SERVICE and CapabilityBoundingSet=CAP_NET_BIND_SERVICE"));
	} else if (d->server && port) {
		doc_found(d, id, title, DOC_WARN, T("服务在运行，却没有监听 %s（%s）：配置改动后还没有重启？", "the server runs but does not listen at %s (%s): was it not restarted after a change?"),
			  listen, tcp ? "TCP" : "UDP");
		doc_todo(d, "systemctl restart huawu");
	} else {
		doc_found(d, id, title, DOC_OK, T("%s（%s）空闲", "%s (%s) is free"), listen, tcp ? "TCP" : "UDP");
	}
}

static void busy_port(struct doctor *d, const char *id, const char *title, const char *listen, const char *host,
		      unsigned port, bool tcp)
{
	unsigned long inode = bound_inode(d, tcp, host, port);
	char who[128] = "";
	bool ours = false;

	if (inode)
		who_holds(d, inode, who, sizeof(who), &ours);
	if (ours) {
		doc_found(d, id, title, DOC_OK, T("%s（%s）由正在运行的服务使用", "%s (%s) is our running server's"), listen, tcp ? "TCP" : "UDP");
		return;
	}
	if (!*who && d->server) { /* not root, and the server is another user's: nobody else can be told */
		doc_found(d, id, title, DOC_OK, T("%s（%s）在使用中，服务正在运行（以 root 运行可核对）", "%s (%s) is in use and the server runs (root would see whether by it)"), listen,
			  tcp ? "TCP" : "UDP");
		return;
	}
	doc_found(d, id, title, DOC_ERROR, T("%s（%s）被占用：%s", "%s (%s) is taken: %s"), listen, tcp ? "TCP" : "UDP",
		  *who ? who : T("看不到是谁（以 root 运行可见）", "by whom cannot be seen (run this as root)"));
	doc_todo(d, T("停掉那个程序，或在配置中换一个端口", "stop that program, or take another port in the configuration"));
}

static void check_listener(struct doctor *d, const char *id, const char *title, const char *listen, bool tcp)
{
	char host[128];
	const char *port;
	int64_t n;
	bool v6;
	int r;

	if (!listen || !*listen || !split(listen, host, sizeof(host), &port) || !str_to_i64(&n, port, 0, 65535))
		return;
	if (d->inside) {
		doc_found(d, id, title, DOC_OK, T("%s（%s）由本服务使用", "%s (%s) is this server's"), listen, tcp ? "TCP" : "UDP");
		return;
	}
	r = try_bind(host, port, tcp, &v6);
	if (!r || r == -EACCES) {
		free_port(d, id, title, listen, (unsigned)n, tcp);
	} else if (r == -EADDRINUSE) {
		busy_port(d, id, title, listen, host, (unsigned)n, tcp);
	} else if (r == -EADDRNOTAVAIL) {
		doc_found(d, id, title, DOC_ERROR, T("%s 不是这台机器的地址", "%s is no address of this machine"), listen);
		doc_todo(d, T("用 ip addr 看本机地址，或写 0.0.0.0；公网地址写在 [sip] external", "`ip addr` shows its addresses; or write 0.0.0.0. A public address belongs into [sip] external"));
	} else {
		doc_found(d, id, title, DOC_ERROR, "%s: %s", listen, doc_why(d, -r));
		doc_todo(d, T("检查配置里的地址", "see the address in the configuration"));
	}
}

/* "udp:0.0.0.0:5060, tls:[::]:5061": one finding each. */
static void check_sip_listeners(struct doctor *d)
{
	char *list = xstrdup(d->conf->sip_listen ? d->conf->sip_listen : ""), *rest = list, *one;

	while ((one = strsep(&rest, ","))) {
		const char *id = "port.sip.udp";
		bool stream;

		one += strspn(one, " \t");
		one[strcspn(one, " \t")] = '\0';
		if (!strncasecmp(one, "tcp:", 4))
			id = "port.sip.tcp";
		else if (!strncasecmp(one, "tls:", 4))
			id = "port.sip.tls";
		stream = strcmp(id, "port.sip.udp") != 0;
		check_listener(d, id, T("SIP 端口", "SIP port"), stream || !strncasecmp(one, "udp:", 4) ? one + 4 : one, stream);
	}
	free(list);
}

/* ---- audio ports ---- */

static void check_rtp(struct doctor *d)
{
	const char *title = T("音频端口", "Audio ports");
	int64_t min = d->conf->rtp_min, max = d->conf->rtp_max, legs = (max - min + 1) / 2, need = d->seats + d->lines;
	char text[64];
	int low = 0, high = 0;

	if (legs < need) {
		doc_found(d, "port.rtp", title, DOC_WARN, T("%lld-%lld 只够 %lld 路声音，而 %lld 个坐席加 %lld 条中继要 %lld 路", "%lld-%lld carry %lld legs, while %lld people and %lld lines want %lld"),
			  (long long)min, (long long)max, (long long)legs, (long long)d->seats, (long long)d->lines, (long long)need);
		doc_todo(d, T("把 [media] rtp_max 提到 %lld 以上，并在防火墙放行", "raise [media] rtp_max to %lld or more, and open the ports in the firewall"), (long long)(min + 2 * need));
		return;
	}
	doc_found(d, "port.rtp", title, DOC_OK, T("UDP %lld-%lld，可同时 %lld 路声音", "UDP %lld-%lld, %lld legs at once"), (long long)min, (long long)max, (long long)legs);
	/* What the kernel gives to others by itself may be in our range just when we want it. */
	if (doc_read(d, "/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text)) > 0 && sscanf(text, "%d %d", &low, &high) == 2 && min <= high && max >= low) {
		doc_found(d, "port.rtp.range", title, DOC_WARN, T("与系统临时端口 %d-%d 重叠，别的程序可能占走其中的端口", "overlap the system's own range %d-%d: other programs may take some of them"), low, high);
		doc_todo(d, T("echo %lld-%lld > /proc/sys/net/ipv4/ip_local_reserved_ports，并写进 /etc/sysctl.d/", "echo %lld-%lld > /proc/sys/net/ipv4/ip_local_reserved_ports, and in /etc/sysctl.d/"),
			 (long long)min, (long long)max);
	}
}

void doc_ports(struct doctor *d)
{
	if (!d->inside)
		doc_found(d, "server", T("服务", "Server"), DOC_OK, d->server ? T("正在运行（pid %d）", "runs (pid %d)") : T("没有在运行%.0d", "does not run%.0d"), (int)d->server);
	check_sip_listeners(d);
	check_listener(d, "port.http", T("网页端口", "Page's port"), d->conf->http_listen, true);
	check_rtp(d);
}
