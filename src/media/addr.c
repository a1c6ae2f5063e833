#include "media/addr.h"

#include <arpa/inet.h>

#include "base/base.h"

void maddr_from4(maddr *ret, uint32_t be, uint16_t port)
{
	*ret = (maddr){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	ret->sin6_addr.s6_addr16[5] = 0xffff;
	ret->sin6_addr.s6_addr32[3] = be;
}

bool maddr_parse(maddr *ret, const char *text, uint16_t port)
{
	size_t n = strlen(text);
	char buf[ADDR_TEXT_MAX];
	struct in6_addr a6;
	struct in_addr a4;

	if (inet_pton(AF_INET, text, &a4) == 1) {
		maddr_from4(ret, a4.s_addr, port);
		return true;
	}
	if (n >= sizeof(buf))
		return false;
	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		memcpy(buf, text + 1, n - 2);
		buf[n - 2] = '\0';
		text = buf;
	}
	if (inet_pton(AF_INET6, text, &a6) != 1)
		return false;
	*ret = (maddr){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = a6};
	return true;
}

const char *maddr_text(const maddr *a, char buf[ADDR_TEXT_MAX])
{
	const char *s = maddr_is4(a) ? inet_ntop(AF_INET, &a->sin6_addr.s6_addr32[3], buf, ADDR_TEXT_MAX)
				     : inet_ntop(AF_INET6, &a->sin6_addr, buf, ADDR_TEXT_MAX);

	return s ? s : "";
}

void maddr_from(maddr *ret, const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in4 = (const void *)sa;

		maddr_from4(ret, in4->sin_addr.s_addr, ntohs(in4->sin_port));
	} else {
		*ret = *(const struct sockaddr_in6 *)(const void *)sa;
	}
}

void maddr_to(struct maddr_native *ret, const maddr *a, int family)
{
	if (family == AF_INET) {
		ret->in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = a->sin6_port, .sin_addr = {maddr_be4(a)}};
		ret->len = sizeof(ret->in4);
	} else {
		ret->in6 = *a;
		ret->in6.sin6_family = AF_INET6;
		ret->len = sizeof(ret->in6);
	}
}

bool maddr_any(const maddr *a)
{
	return maddr_is4(a) ? !maddr_be4(a) : IN6_IS_ADDR_UNSPECIFIED(&a->sin6_addr);
}

bool maddr_loopback(const maddr *a)
{
	return maddr_is4(a) ? ntohl(maddr_be4(a)) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&a->sin6_addr);
}

bool maddr_unicast(const maddr *a)
{
	return maddr_is4(a) ? ntohl(maddr_be4(a)) >> 28 < 14 : !IN6_IS_ADDR_MULTICAST(&a->sin6_addr);
}

bool maddr_private(const maddr *a)
{
	uint32_t v = ntohl(maddr_be4(a));

	if (!maddr_is4(a))
		return IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr) || (a->sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
	return v >> 24 == 10 || v >> 20 == 0xac1 || v >> 16 == 0xc0a8 || v >> 22 == 0x191 || v >> 16 == 0xa9fe;
}

const char *maddr_class(const maddr *a)
{
	return maddr_loopback(a) ? "loopback" : maddr_private(a) ? "private" : "public";
}
