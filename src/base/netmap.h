/*
 * Which address of ours a peer is to be told: behind NAT, carriers see another one than the telephones of the house.
 *
 * The text is a list, by commas: "10.0.0.0/8=local, 198.51.100.0/24=198.51.100.7, 203.0.113.10, 2001:db8::10".
 *   NETWORK=ADDRESS   peers in NETWORK are told ADDRESS
 *   NETWORK=local     peers in NETWORK are told the address of the interface towards them
 *   ADDRESS           everybody of its family is told ADDRESS, as 0.0.0.0/0=ADDRESS or ::/0=ADDRESS
 * The longest network that holds the peer decides. No network: local. A table does not change once made; any thread may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct netmap;
struct sockaddr;

#define NETMAP_MAX 64 /* entries */

/** -EINVAL: not such a list, or over NETMAP_MAX; @bad (may be NULL) then gets the entry that is wrong. NULL or "": an empty table. */
int netmap_parse(struct netmap **ret, const char *text, char *bad, size_t bad_size);
void netmap_free(struct netmap *m); /* NULL is fine */
/** What @peer is told, of the same family; NULL: the local address. NULL for @m is an empty table. */
const struct sockaddr *netmap_find(const struct netmap *m, const struct sockaddr *peer);
/** The same in text, without brackets; false: the local address. */
bool netmap_find_text(const struct netmap *m, const char *peer, char *buf, size_t size);
/** Whether two numeric addresses are the same one: IPv6 has many spellings, and ::ffff:192.0.2.1 is 192.0.2.1. */
bool net_same_host(const char *a, const char *b);
/** "192.0.2.1", "2001:db8::1" or "[2001:db8::1]" as a URI writes it. */
void net_uri_host(char *buf, size_t size, const char *host);
