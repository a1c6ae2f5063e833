#include "base/netmap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

struct address {
	int family;
	uint8_t bytes[16];
};

union show {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct entry {
	struct address net;
	unsigned bits;
	bool local;
	union show show;
};

struct netmap {
	size_t n;
	struct entry v[NETMAP_MAX]; /* longest networks first */
};

static unsigned width(const struct address *a)
{
	return a->family == AF_INET ? 32 : 128;
}

/* ::ffff:192.0.2.1 is an IPv4 peer on a socket for both families. */
static void unmap(struct address *a)
{
	static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (a->family != AF_INET6 || memcmp(a->bytes, prefix, sizeof(prefix)) != 0)
		return;
	a->family = AF_INET;
	memmove(a->bytes, a->bytes + 12, 4);
	memset(a->bytes + 4, 0, 12);
}

static bool address_read(struct address *ret, const char *text)
{
	*ret = (struct address){.family = AF_INET};
	if (inet_pton(AF_INET, text, ret->bytes) == 1)
		return true;
	ret->family = AF_INET6;
	if (inet_pton(AF_INET6, text, ret->bytes) != 1)
		return false;
	unmap(ret);
	return true;
}

static bool address_of(struct address *ret, const struct sockaddr *sa)
{
	*ret = (struct address){.family = sa->sa_family};
	if (sa->sa_family == AF_INET)
		memcpy(ret->bytes, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	else if (sa->sa_family == AF_INET6)
		memcpy(ret->bytes, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	else
		return false;
	unmap(ret);
	return true;
}

static bool holds(const struct entry *e, const struct address *a)
{
	unsigned whole = e->bits / 8, rest = e->bits % 8;

	if (e->net.family != a->family || memcmp(e->net.bytes, a->bytes, whole) != 0)
		return false;
	return !rest || !((e->net.bytes[whole] ^ a->bytes[whole]) >> (8 - rest));
}

static void show_set(union show *s, const struct address *a)
{
	memset(s, 0, sizeof(*s));
	s->sa.sa_family = (sa_family_t)a->family;
	if (a->family == AF_INET)
		memcpy(&s->in.sin_addr, a->bytes, 4);
	else
		memcpy(&s->in6.sin6_addr, a->bytes, 16);
}

static bool network_read(struct entry *e, char *text)
{
	char *slash = strchr(text, '/');
	int64_t bits;

	if (slash)
		*slash = '\0';
	if (!address_read(&e->net, text))
		return false;
	e->bits = width(&e->net);
	if (!slash)
		return true;
	if (!str_to_i64(&bits, slash + 1, 0, width(&e->net)))
		return false;
	e->bits = (unsigned)bits;
	return true;
}

static bool is_any(const struct address *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->bytes, zero, sizeof(zero));
}

static bool entry_read(struct entry *e, char *text)
{
	char *equals = strchr(text, '=');
	struct address show;

	*e = (struct entry){0};
	if (!equals) {
		if (!address_read(&show, text) || is_any(&show))
			return false;
		e->net.family = show.family;
		show_set(&e->show, &show);
		return true;
	}
	*equals++ = '\0';
	if (!network_read(e, text))
		return false;
	e->local = !strcmp(equals, "local");
	if (e->local)
		return true;
	if (!address_read(&show, equals) || show.family != e->net.family || is_any(&show))
		return false;
	show_set(&e->show, &show);
	return true;
}

static void insert(struct netmap *m, const struct entry *e)
{
	size_t i = m->n++;

	for (; i && m->v[i - 1].bits < e->bits; i--)
		m->v[i] = m->v[i - 1];
	m->v[i] = *e;
}

/* One entry without the spaces around it and around its '='; false: too long. */
static bool cut(char *buf, size_t size, const char *from, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (from[i] == ' ' || from[i] == '\t')
			continue;
		if (n + 1 >= size)
			return false;
		buf[n++] = from[i];
	}
	buf[n] = '\0';
	return n > 0;
}

int netmap_parse(struct netmap **ret, const char *text, char *bad, size_t bad_size)
{
	struct netmap *m = xcalloc(1, sizeof(*m));

	for (const char *p = text; p && *p;) {
		size_t len = strcspn(p, ",");
		struct entry e;
		char one[128];

		if (!cut(one, sizeof(one), p, len) || m->n == NETMAP_MAX || !entry_read(&e, one)) {
			if (bad)
				(void)snprintf(bad, bad_size, "%.*s", (int)len, p);
			free(m);
			return -EINVAL;
		}
		insert(m, &e);
		p += len + (p[len] == ',');
	}
	*ret = m;
	return 0;
}

void netmap_free(struct netmap *m)
{
	free(m);
}

const struct sockaddr *netmap_find(const struct netmap *m, const struct sockaddr *peer)
{
	struct address a;

	if (!m || !m->n || !address_of(&a, peer))
		return NULL;
	for (size_t i = 0; i < m->n; i++)
		if (holds(&m->v[i], &a))
			return m->v[i].local ? NULL : &m->v[i].show.sa;
	return NULL;
}

bool netmap_find_text(const struct netmap *m, const char *peer, char *buf, size_t size)
{
	const struct sockaddr *sa;
	struct address a;
	union show s;

	if (!address_read(&a, peer))
		return false;
	show_set(&s, &a);
	sa = netmap_find(m, &s.sa);
	if (!sa)
		return false;
	return inet_ntop(sa->sa_family,
			 sa->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)sa)->sin_addr
						  : (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr,
			 buf, (socklen_t)size) != NULL;
}

bool net_same_host(const char *a, const char *b)
{
	struct address x, y;

	return address_read(&x, a) && address_read(&y, b) && x.family == y.family && !memcmp(x.bytes, y.bytes, 16);
}

void net_uri_host(char *buf, size_t size, const char *host)
{
	bool brackets = strchr(host, ':') && host[0] != '[';

	(void)snprintf(buf, size, "%s%s%s", brackets ? "[" : "", host, brackets ? "]" : "");
}
