/*
 * Addresses of peers. One form for both families: IPv4 stands mapped (::ffff:a.b.c.d), as sockets of both families give it;
 * what an IPv4-only socket wants is made at its edge. Port 0: no address.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define ADDR_TEXT_MAX 64

typedef struct sockaddr_in6 maddr;

/** Reads "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". False on anything else; link-local needs no zone. */
bool maddr_parse(maddr *ret, const char *text, uint16_t port);
/** IPv4 dotted, IPv6 by RFC 5952, without brackets. */
const char *maddr_text(const maddr *a, char buf[ADDR_TEXT_MAX]);
void maddr_from4(maddr *ret, uint32_t be, uint16_t port);
void maddr_from(maddr *ret, const struct sockaddr *sa); /* AF_INET or AF_INET6 */

static inline bool maddr_is4(const maddr *a)
{
	return IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);
}

static inline uint32_t maddr_be4(const maddr *a)
{
	return a->sin6_addr.s6_addr32[3];
}

static inline uint16_t maddr_port(const maddr *a)
{
	return ntohs(a->sin6_port);
}

static inline bool maddr_same_host(const maddr *a, const maddr *b)
{
	return !memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr));
}

static inline bool maddr_same(const maddr *a, const maddr *b)
{
	return a->sin6_port == b->sin6_port && maddr_same_host(a, b);
}

bool maddr_any(const maddr *a);       /* 0.0.0.0 or :: */
bool maddr_loopback(const maddr *a);
bool maddr_private(const maddr *a);   /* RFC 1918, RFC 6598, link-local, RFC 4193 */
bool maddr_unicast(const maddr *a);   /* not multicast, broadcast or reserved */
/** "loopback", "private" or "public": what a record may say of an address without naming it. */
const char *maddr_class(const maddr *a);

/* What the kernel wants on a socket of family @family. */
struct maddr_native {
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};
void maddr_to(struct maddr_native *ret, const maddr *a, int family);
