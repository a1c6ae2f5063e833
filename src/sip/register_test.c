/* Digest and registrar. */
#include "sip/testbed_client.h"

/* RFC 7616 3.9.1: Mufasa, "Circle of Life", GET /dir/index.html. */
TEST(digest_gives_the_values_of_rfc7616)
{
	static const char secret[] = "Mufasa:http-auth@example.org:Circle of Life";
	struct sipa_credentials c = {
		.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		.nc = "00000001",
		.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		.qop = "auth",
		.uri = "/dir/index.html",
	};
	char ha1[65], got[65];

	sipa_hex(ha1, false, secret, strlen(secret));
	sipa_response(got, false, ha1, &c, "GET");
	assert_string_equal(got, "8ca523f5e9506fed4657c9700eebdbec");
	sipa_hex(ha1, true, secret, strlen(secret));
	sipa_response(got, true, ha1, &c, "GET");
	assert_string_equal(got, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

static int parse(const char *s)
{
	struct sipa_credentials c;

	return sipa_parse(&c, s, strlen(s));
}

TEST(credentials_are_parsed_strictly)
{
	struct sipa_credentials c;
	const char *good = "Digest username=\"a\\\"b\",realm=\"r, s\" , nonce=\"n\",uri=\"sip:x\",response=\"0\", cnonce=\"c\", nc=00000001,"
			   "qop=auth,algorithm=MD5,opaque=\"zz\"";

	assert_int_equal(sipa_parse(&c, good, strlen(good)), 0);
	assert_string_equal(c.user, "a\"b");
	assert_string_equal(c.realm, "r, s");
	assert_string_equal(c.algorithm, "MD5");
	assert_int_equal(parse("Basic abc"), -EINVAL);
	assert_int_equal(parse("Digest "), -EINVAL);
	assert_int_equal(parse("Digest username=\"a"), -EINVAL);
	assert_int_equal(parse("Digest username=\"a\",username=\"b\",nonce=\"n\",uri=\"u\",response=\"r\",cnonce=\"c\",nc=00000001,qop=auth"), -EINVAL);
	assert_int_equal(parse("Digest username=\"a\",nonce=\"n\",uri=\"u\",response=\"r\",cnonce=\"c\",nc=1,qop=auth"), -EINVAL);
	assert_int_equal(parse("Digest username=\"a\",nonce=\"n\",uri=\"u\",response=\"r\""), -EINVAL); /* no qop: no replay guard */
}

TEST(phone_registers_with_either_digest_and_leaves)
{
	for (int i = 0; i < 2; i++) {
		struct client k = client_of("alice", "secret");
		const char *m;

		begin();
		k.sha256 = i == 1;
		m = reg(&k, CONTACT "Expires: 120\r\n");
		assert_true(is(m, 200));
		assert_string_equal(header(m, "Contact"), "<sip:alice@10.0.0.7:5060>;expires=120");
		assert_int_equal(seen.ups, 1);
		assert_string_equal(seen.device, "alice");
		assert_string_equal(seen.binding.source.host, "127.0.0.9");
		assert_true(sip_device_registered(stack, "alice"));
		assert_int_equal(counters().bindings, 1);
		assert_true(is(reg(&k, CONTACT "Expires: 0\r\n"), 200));
		assert_int_equal(seen.downs, 1);
		assert_false(sip_device_registered(stack, "alice"));
		end();
	}
}

TEST(a_browsers_secret_is_good_on_its_socket_only)
{
	struct client k = client_of("alice", "secret");

	begin();
	seen.socket_only = true;
	assert_true(is(reg(&k, CONTACT), 401));
	assert_int_equal(seen.ups, 0);
	seen.socket_only = false;
	assert_true(is(reg(&k, CONTACT), 200));
	end();
}

TEST(unknown_user_and_wrong_secret_get_the_same_answer)
{
	struct client wrong = client_of("alice", "guess"), nobody = client_of("nobody", "guess");
	char a[4096], b[4096], *p;
	const char *m;

	begin();
	m = reg(&wrong, CONTACT);
	(void)str_copy(a, sizeof(a), m);
	m = reg(&nobody, CONTACT);
	(void)str_copy(b, sizeof(b), m);
	assert_true(is(a, 401) && is(b, 401));
	p = strstr(a, "WWW-Authenticate");
	assert_null(strstr(a, "stale"));
	assert_int_equal(strlen(p), strlen(strstr(b, "WWW-Authenticate")));
	assert_int_equal(counters().auth_failed, 2);
	assert_int_equal(seen.ups, 0);
	end();
}

TEST(used_answer_is_stale_the_second_time)
{
	struct client k = client_of("alice", "secret");
	const char *m;

	begin();
	assert_true(is(reg(&k, CONTACT), 200));
	k.nc--; /* the same count again, with a fresh branch */
	m = reg(&k, CONTACT);
	assert_true(is(m, 401));
	assert_non_null(strstr(header(m, "WWW-Authenticate"), "stale=true"));
	end();
}

TEST(made_up_nonce_is_stale)
{
	struct client k = client_of("alice", "secret");

	begin();
	(void)snprintf(k.nonce, sizeof(k.nonce), "00000001aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	assert_true(is(reg(&k, CONTACT), 401));
	assert_int_equal(seen.ups, 0);
	end();
}

TEST(device_registers_itself_only)
{
	struct client k = client_of("alice", "secret");

	begin();
	k.aor = "bob";
	assert_true(is(reg(&k, CONTACT), 403));
	assert_int_equal(seen.ups, 0);
	end();
}

TEST(expiry_has_bounds)
{
	struct client k = client_of("alice", "secret");
	const char *m;

	begin();
	m = reg(&k, CONTACT "Expires: 30\r\n");
	assert_true(is(m, 423));
	assert_string_equal(header(m, "Min-Expires"), "60");
	assert_non_null(strstr(reg(&k, CONTACT "Expires: 99999\r\n"), ";expires=3600"));
	assert_non_null(strstr(reg(&k, CONTACT), ";expires=300"));
	assert_non_null(strstr(reg(&k, "Contact: <sip:alice@10.0.0.7:5060>;expires=61\r\n"), ";expires=61"));
	assert_int_equal(seen.ups, 1); /* refreshes are no news */
	end();
}

TEST(star_removes_all_and_only_with_expires_0)
{
	struct client k = client_of("alice", "secret");

	begin();
	assert_true(is(reg(&k, CONTACT), 200));
	assert_true(is(reg(&k, "Contact: <sip:alice@10.0.0.8>\r\n"), 200));
	assert_int_equal(counters().bindings, 2);
	assert_true(is(reg(&k, "Contact: *\r\n"), 400));
	assert_true(is(reg(&k, "Contact: *\r\nExpires: 0\r\n"), 200));
	assert_int_equal(counters().bindings, 0);
	assert_int_equal(seen.downs, 1);
	end();
}

TEST(newest_binding_rings_at_the_address_it_registered_from)
{
	struct client k = client_of("alice", "secret");
	struct sip_dial d = {.device = "alice", .from_user = "1001", .sdp = SDP};
	const char *inv;

	begin();
	for (int i = 1; i <= 6; i++) {
		char lines[128];

		(void)snprintf(lines, sizeof(lines), "Contact: <sip:alice@10.0.0.%d>\r\nPath: <sip:p%d@127.0.0.9;lr>\r\n", i, i);
		assert_true(is(reg(&k, lines), 200));
	}
	assert_int_equal(counters().bindings, 4); /* the oldest gave way */
	assert_int_equal(sip_dial(&seen.leg, stack, &d, &leg_handlers, NULL), 0);
	inv = await(&other, "INVITE sip:alice@10.0.0.6 ", 500); /* though 10.0.0.6 is not where we can send */
	assert_non_null(inv);
	assert_string_equal(header(inv, "Route"), "<sip:p6@127.0.0.9;lr>");
	assert_non_null(strstr(header(inv, "To"), "<sip:alice@" REALM ">"));
	end();
}

TEST(call_of_a_device_is_authenticated)
{
	struct client k = client_of("alice", "secret");
	char lines[1200] = "", uri[96];

	begin();
	invite(&other, "2000", "b1", "c1");
	take_nonce(&k, await(&other, "SIP/2.0 407", 500), "Proxy-Authenticate");
	(void)snprintf(uri, sizeof(uri), "sip:2000@%s", local);
	(void)snprintf(lines, sizeof(lines), "Proxy-Authorization: ");
	authorization(lines + 21, sizeof(lines) - 21, &k, "INVITE", uri);
	request(&other, "INVITE", "2000", "b2", "c1", "", 2, lines, SDP);
	assert_non_null(await(&other, "SIP/2.0 100", 500));
	assert_int_equal(seen.origin, SIP_FROM_DEVICE);
	assert_string_equal(seen.device, "alice");
	/* The same credentials may not dial another number. */
	request(&other, "INVITE", "9000", "b3", "c3", "", 3, lines, SDP);
	assert_non_null(await(&other, "SIP/2.0 407", 500));
	assert_int_equal(seen.invites, 1);
	end();
}

TEST(one_device_cannot_take_all_legs)
{
	struct client k = client_of("alice", "secret");
	char lines[1200], uri[96], branch[16], id[16];
	unsigned refused = 0;

	begin();
	invite(&other, "2000", "b1", "c1");
	take_nonce(&k, await(&other, "SIP/2.0 407", 500), "Proxy-Authenticate");
	(void)snprintf(uri, sizeof(uri), "sip:2000@%s", local);
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(lines, sizeof(lines), "Proxy-Authorization: ");
		authorization(lines + 21, sizeof(lines) - 21, &k, "INVITE", uri);
		(void)snprintf(branch, sizeof(branch), "bx%u", i);
		(void)snprintf(id, sizeof(id), "cx%u", i);
		request(&other, "INVITE", "2000", branch, id, "", 2, lines, SDP);
		refused += !strncmp(await(&other, "SIP/2.0 ", 500), "SIP/2.0 486", 11);
	}
	assert_int_equal(seen.invites, 16);
	assert_int_equal(refused, 4);
	end();
}

TEST(phone_behind_nat_gets_line_ends_every_50_t1_another_does_not)
{
	struct client k = client_of("alice", "secret");
	char contact[96];

	begin_with((struct sip_conf){.t1_ms = 10});
	(void)snprintf(contact, sizeof(contact), "Contact: <sip:alice@%s>\r\n", other.at);
	assert_true(is(reg(&k, contact), 200));
	assert_null(await(&other, "\r\n\r\n", 700));
	assert_true(is(reg(&k, CONTACT), 200));
	assert_non_null(await(&other, "\r\n\r\n", 700));
	assert_non_null(await(&other, "\r\n\r\n", 700));
	end();
}
