#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/netmap.h"
#include "base/test.h"

/* What @peer is told; "local" when it is the interface's own. */
static const char *told(const char *table, const char *peer)
{
	static char buf[64];
	struct netmap *m;

	assert_int_equal(netmap_parse(&m, table, NULL, 0), 0);
	if (!netmap_find_text(m, peer, buf, sizeof(buf)))
		(void)str_copy(buf, sizeof(buf), "local");
	netmap_free(m);
	return buf;
}

TEST(netmap_without_entries_shows_the_local_address)
{
	struct netmap *m;

	assert_string_equal(told("", "192.0.2.1"), "local");
	assert_int_equal(netmap_parse(&m, NULL, NULL, 0), 0);
	assert_null(netmap_find(m, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET}));
	netmap_free(m);
	assert_null(netmap_find(NULL, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET}));
}

TEST(netmap_single_address_is_for_everybody_of_its_family)
{
	assert_string_equal(told("203.0.113.10", "198.51.100.1"), "203.0.113.10");
	assert_string_equal(told("203.0.113.10", "2001:db8::1"), "local");
	assert_string_equal(told("203.0.113.10, 2001:db8::10", "2001:db8::1"), "2001:db8::10");
}

TEST(netmap_longest_network_decides_in_whatever_order_they_stand)
{
	static const char table[] = "203.0.113.10, 10.0.0.0/8=local, 10.9.0.0/17 = 10.9.0.5,10.9.0.7=10.1.1.1";

	assert_string_equal(told(table, "8.8.8.8"), "203.0.113.10");
	assert_string_equal(told(table, "10.200.0.1"), "local");
	assert_string_equal(told(table, "10.9.127.255"), "10.9.0.5");
	assert_string_equal(told(table, "10.9.128.0"), "local"); /* 17 bits end between 127 and 128 */
	assert_string_equal(told(table, "10.9.0.7"), "10.1.1.1");
	assert_string_equal(told("2001:db8::/33=2001:db8::1, ::/0=2001:db8:f::f", "2001:db8:7fff::9"), "2001:db8::1");
	assert_string_equal(told("2001:db8::/33=2001:db8::1, ::/0=2001:db8:f::f", "2001:db8:8000::9"), "2001:db8:f::f");
}

TEST(netmap_mapped_ipv4_peer_is_an_ipv4_peer)
{
	assert_string_equal(told("192.0.2.0/24=198.51.100.7", "::ffff:192.0.2.9"), "198.51.100.7");
}

TEST(netmap_refuses_what_is_no_table_and_names_it)
{
	static const char *const wrong[] = {"pbx.example", "10.0.0.0/33=local", "10.0.0.0/8=", "10.0.0.0/8=2001:db8::1", "10.0.0.0/8", "0.0.0.0",
					    "::/129=local", "10.0.0.0/x=local", "1.2.3.4,,1.2.3.5", "10.0.0.0/8=0.0.0.0", "=1.2.3.4", "1.2.3.4 , x"};
	struct netmap *m;
	char bad[32] = "", *many = xcalloc(1, 65 * 24 + 1);

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(netmap_parse(&m, wrong[i], NULL, 0), -EINVAL);
	assert_int_equal(netmap_parse(&m, "10.0.0.0/8=local,nonsense", bad, sizeof(bad)), -EINVAL);
	assert_string_equal(bad, "nonsense");
	for (int i = 0; i < NETMAP_MAX; i++)
		strcat(many, "10.0.0.0/8=local,");
	assert_int_equal(netmap_parse(&m, many, NULL, 0), 0);
	netmap_free(m);
	strcat(many, "10.0.0.0/8=local");
	assert_int_equal(netmap_parse(&m, many, NULL, 0), -EINVAL);
	free(many);
}

TEST(net_addresses_are_compared_by_value_not_by_spelling)
{
	assert_true(net_same_host("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"));
	assert_true(net_same_host("::ffff:192.0.2.1", "192.0.2.1"));
	assert_false(net_same_host("192.0.2.1", "192.0.2.2"));
	assert_false(net_same_host("pbx", "pbx"));
}

TEST(net_uri_host_puts_brackets_round_ipv6_once)
{
	char buf[64];

	net_uri_host(buf, sizeof(buf), "2001:db8::1");
	assert_string_equal(buf, "[2001:db8::1]");
	net_uri_host(buf, sizeof(buf), "[2001:db8::1]");
	assert_string_equal(buf, "[2001:db8::1]");
	net_uri_host(buf, sizeof(buf), "192.0.2.1");
	assert_string_equal(buf, "192.0.2.1");
}
