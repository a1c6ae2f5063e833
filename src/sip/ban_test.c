/* Strangers: what is counted, who is banned and who is not, and that no answer tells who exists. */
#include "sip/ban.h"
#include "sip/testbed_client.h"

static struct sa at(const char *host)
{
	struct sa sa;

	assert_int_equal(sa_set_str(&sa, host, 5060), 0);
	return sa;
}

static struct sip_ban last;

static bool offend(struct sipb *b, const char *host, const char *user, int64_t now_ms)
{
	struct sa sa = at(host);

	return sipb_note(b, &last, &sa, user, SIP_OFFENCE_PASSWORD, true, now_ms);
}

static bool pair_banned(struct sipb *b, const char *host, const char *user, int64_t now_ms)
{
	struct sa sa = at(host);

	return sipb_pair_banned(b, &sa, user, now_ms);
}

static bool source_banned(struct sipb *b, const char *host, int64_t now_ms)
{
	struct sa sa = at(host);

	return sipb_source_banned(b, &sa, now_ms);
}

static void home(struct sipb *b, const char *host, bool on)
{
	struct sa sa = at(host);

	sipb_home(b, &sa, on);
}

/* The steps are 1 min, 5 min, 30 min, 2 h, 24 h; a quiet day begins anew. */
TEST(bans_of_a_pair_grow_and_run_out)
{
	static const int64_t minutes[] = {1, 5, 30, 120, 1440, 1440};
	struct sipb *b = sipb_new(NULL, NULL);
	int64_t now = 1000;

	for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
		for (int n = 1; n < SIPB_PAIR_LIMIT; n++)
			assert_false(offend(b, "192.0.2.1", "8001", now));
		assert_true(offend(b, "192.0.2.1", "8001", now));
		assert_int_equal(last.until_ms - last.since_ms, minutes[i] * 60000);
		assert_string_equal(last.source, "192.0.2.1");
		assert_string_equal(last.user, "8001");
		assert_true(pair_banned(b, "192.0.2.1", "8001", now + minutes[i] * 60000 - 1));
		assert_false(pair_banned(b, "192.0.2.1", "8002", now));
		assert_false(pair_banned(b, "192.0.2.2", "8001", now));
		assert_false(source_banned(b, "192.0.2.1", now));
		now += minutes[i] * 60000;
		assert_false(pair_banned(b, "192.0.2.1", "8001", now));
		now += SIPB_WINDOW_MS + 1; /* or the source itself would be full */
	}
	now += 25 * 3600000LL;
	for (int n = 0; n < SIPB_PAIR_LIMIT; n++)
		(void)offend(b, "192.0.2.1", "8001", now);
	assert_int_equal(last.until_ms - last.since_ms, 60000);
	sipb_free(b);
}

TEST(failures_far_apart_are_no_attack)
{
	struct sipb *b = sipb_new(NULL, NULL);

	for (int n = 0; n < 100; n++)
		assert_false(offend(b, "192.0.2.1", "8001", 1000 + n * (SIPB_WINDOW_MS / (SIPB_PAIR_LIMIT - 2))));
	sipb_free(b);
}

TEST(source_with_nobody_at_home_is_banned_as_a_whole)
{
	struct sipb *b = sipb_new(NULL, NULL);
	char user[16];
	int n;

	for (n = 1; n <= SIPB_SOURCE_LIMIT; n++) {
		(void)snprintf(user, sizeof(user), "%d", n);
		assert_int_equal(offend(b, "192.0.2.1", user, 1000), n == SIPB_SOURCE_LIMIT);
	}
	assert_string_equal(last.user, "");
	assert_true(source_banned(b, "192.0.2.1", 1000));
	assert_false(source_banned(b, "192.0.2.2", 1000));
	home(b, "192.0.2.1", true); /* somebody proved who he is meanwhile */
	assert_false(source_banned(b, "192.0.2.1", 1000));
	home(b, "192.0.2.1", false);
	assert_true(source_banned(b, "192.0.2.1", 1000));
	assert_false(source_banned(b, "192.0.2.1", 61000));
	sipb_free(b);
}

TEST(where_telephones_are_at_home_only_pairs_are_banned)
{
	struct sipb *b = sipb_new(NULL, NULL);
	char user[16];

	home(b, "192.0.2.1", true);
	for (int n = 1; n <= 1000; n++) {
		(void)snprintf(user, sizeof(user), "%d", n);
		/* each name once and never again, when the source is full of failures */
		assert_int_equal(offend(b, "192.0.2.1", user, 1000), n >= SIPB_SOURCE_LIMIT);
		assert_int_equal(pair_banned(b, "192.0.2.1", user, 1000), n >= SIPB_SOURCE_LIMIT);
	}
	assert_false(source_banned(b, "192.0.2.1", 1000));
	assert_false(pair_banned(b, "192.0.2.1", "8001", 1000));
	sipb_free(b);
}

static bool yes(const struct sa *peer, void *arg)
{
	return true;
}

TEST(carrier_is_never_banned)
{
	struct sipb *b = sipb_new(yes, NULL);
	struct sa sa = at("192.0.2.1");

	for (int n = 0; n < 1000; n++)
		assert_false(sipb_note(b, &last, &sa, "", SIP_OFFENCE_MALFORMED, false, 1000 + n * 500));
	assert_false(source_banned(b, "192.0.2.1", 500000));
	sipb_free(b);
}

/* A hundred telephones behind one address after a power cut: all ask at once, and answer. */
TEST(requests_without_credentials_count_only_when_they_go_on)
{
	struct sipb *b = sipb_new(NULL, NULL);
	struct sa sa = at("192.0.2.1");

	for (int n = 0; n < 300; n++)
		assert_false(sipb_note(b, &last, &sa, "", SIP_OFFENCE_STRANGER, false, 1000 + n * 50));
	sipb_forgive(b, &sa, "8001");
	assert_false(sipb_note(b, &last, &sa, "", SIP_OFFENCE_STRANGER, false, 1000 + SIPB_PROBE_MIN_MS));
	for (int n = 0; n < 300; n++)
		if (sipb_note(b, &last, &sa, "", SIP_OFFENCE_STRANGER, false, 1000 + SIPB_PROBE_MIN_MS + n))
			break;
	assert_true(source_banned(b, "192.0.2.1", 1500 + SIPB_PROBE_MIN_MS));
	sipb_free(b);
}

/* Anybody may write any address into a datagram: what has never answered a challenge is not shut out for long. */
TEST(source_that_may_be_forged_is_banned_for_a_minute_at_most)
{
	struct sipb *b = sipb_new(NULL, NULL);
	struct sa sa = at("192.0.2.1");
	int64_t now = 1000;
	int bans = 0;

	for (; bans < 4; now += 1000)
		if (sipb_note(b, &last, &sa, "", SIP_OFFENCE_MALFORMED, false, now)) {
			bans++;
			assert_int_equal(last.until_ms - last.since_ms, 60000);
			now += 61000;
		}
	sipb_free(b);
}

TEST(ipv6_counts_by_its_64)
{
	struct sipb *b = sipb_new(NULL, NULL);
	char host[64];

	for (int n = 1; n <= SIPB_PAIR_LIMIT; n++) {
		(void)snprintf(host, sizeof(host), "2001:db8:1:2::%x", n);
		assert_int_equal(offend(b, host, "8001", 1000), n == SIPB_PAIR_LIMIT);
	}
	assert_string_equal(last.source, "2001:db8:1:2::/64");
	assert_true(pair_banned(b, "2001:db8:1:2:ffff::1", "8001", 1000));
	assert_false(pair_banned(b, "2001:db8:1:3::1", "8001", 1000));
	assert_true(sipb_lift(b, "2001:db8:1:2::/64", "8001", 1000));
	assert_false(pair_banned(b, "2001:db8:1:2::1", "8001", 1000));
	assert_false(sipb_lift(b, "2001:db8:1:2::/64", "8001", 1000));
	sipb_free(b);
}

TEST(allowed_networks_are_never_banned)
{
	struct sipb *b = sipb_new(NULL, NULL);

	for (int n = 0; n < SIPB_PAIR_LIMIT; n++)
		(void)offend(b, "10.1.255.1", "8001", 1000);
	assert_true(pair_banned(b, "10.1.255.1", "8001", 1000));
	sipb_allow(b, "nonsense 10.0.0.0/8 192.0.2.7 2001:db8::/33");
	assert_false(pair_banned(b, "10.1.255.1", "8001", 1000)); /* and what there was is gone */
	for (int n = 0; n < 100; n++) {
		assert_false(offend(b, "10.1.255.1", "8001", 1000));
		assert_false(offend(b, "192.0.2.7", "8001", 1000));
		assert_false(offend(b, "2001:db8:7fff::1", "8001", 1000));
		(void)offend(b, "11.0.0.1", "8001", 1000);
		(void)offend(b, "2001:db8:8000::1", "8001", 1000);
	}
	assert_true(source_banned(b, "11.0.0.1", 1000));
	assert_true(source_banned(b, "2001:db8:8000::1", 1000));
	assert_true(sip_network_ok("10.0.0.0/8"));
	assert_false(sip_network_ok("10.0.0.0/33"));
	assert_false(sip_network_ok("example.com"));
	sipb_free(b);
}

TEST(memory_is_bounded_and_what_was_seen_last_stays)
{
	struct sipb *b = sipb_new(NULL, NULL);
	char host[32];

	for (int n = 0; n < SIPB_PAIR_LIMIT; n++)
		(void)offend(b, "192.0.2.1", "8001", 1000);
	for (int n = 0; n < 3 * SIPB_ENTRIES_MAX; n++) {
		(void)snprintf(host, sizeof(host), "10.%d.%d.%d", n >> 16 & 255, n >> 8 & 255, n & 255);
		(void)offend(b, host, "x", 1000);
		if (n % 1000 == 0)
			(void)offend(b, "192.0.2.1", "8001", 1000); /* it goes on */
		assert_true(sipb_count(b) <= SIPB_ENTRIES_MAX);
	}
	assert_true(source_banned(b, "192.0.2.1", 1000));
	sipb_free(b);
}

TEST(bans_survive_in_another_process)
{
	struct sipb *b = sipb_new(NULL, NULL), *next = sipb_new(NULL, NULL);
	struct sip_ban bans[4];

	for (int n = 0; n < SIPB_PAIR_LIMIT; n++)
		(void)offend(b, "192.0.2.1", "8001", 1000);
	assert_int_equal(sipb_list(b, bans, ARRAY_LEN(bans), 1000), 1);
	assert_int_equal(bans[0].count, SIPB_PAIR_LIMIT);
	sipb_restore(next, &bans[0], 77);
	assert_true(pair_banned(next, "192.0.2.1", "8001", 77));
	assert_false(pair_banned(next, "192.0.2.1", "8001", 77 + 60001));
	for (int n = 0; n < SIPB_PAIR_LIMIT; n++)
		(void)offend(next, "192.0.2.1", "8001", 70000);
	assert_int_equal(last.until_ms - last.since_ms, 5 * 60000); /* the next step */
	bans[0].until_ms = clock_utc_ms() - 1;
	sipb_restore(b, &bans[0], 77); /* has run out: nothing */
	sipb_free(b);
	sipb_free(next);
}

TEST(what_is_shown_adds_up)
{
	struct sipb *b = sipb_new(NULL, NULL);
	struct strb s;
	struct jw w;

	for (int n = 0; n < SIPB_PAIR_LIMIT; n++)
		(void)offend(b, "192.0.2.1", "8001", 7200000);
	(void)pair_banned(b, "192.0.2.1", "8001", 7200000);
	strb_init(&s, 65536);
	jw_init(&w, &s);
	jw_obj(&w, NULL);
	sipb_write(b, &w, 7200000);
	jw_end_obj(&w);
	assert_non_null(strstr(s.buf, "\"bans\":[{\"source\":\"192.0.2.1\",\"user\":\"8001\",\"reason\":\"password\",\"count\":8,\"dropped\":1,"));
	assert_non_null(strstr(s.buf, "\"password\":8,\"unknown_user\":0,\"no_credentials\":0,\"malformed\":0,\"dropped\":1}]"));
	assert_non_null(strstr(s.buf, "\"sources\":[{\"source\":\"192.0.2.1\",\"last\":\"password\",\"count\":8,"));
	strb_done(&s);
	sipb_free(b);
}

/* ---- in the stack ---- */

/* The scanner is at the telephone's own address, another port, as behind one router. */
TEST(registered_telephone_works_while_a_scanner_at_its_address_is_banned)
{
	struct client phone = client_of("alice", "secret"), guess = client_of("alice", "guess");
	struct sip_ban bans[8];
	struct peer scanner;
	int answers = 0;

	begin();
	peer_open(&scanner, "127.0.0.9");
	assert_true(is(reg(&phone, CONTACT), 200));
	guess.peer = &scanner;
	guess.call_id = "guess";
	for (int i = 0; i < 30; i++) {
		const char *m;

		send_register(&guess, CONTACT);
		m = await(&scanner, "SIP/2.0 401", 20);
		answers += m != NULL;
		if (m)
			take_nonce(&guess, m, "WWW-Authenticate");
	}
	assert_int_equal(answers, 1 + SIPB_PAIR_LIMIT); /* the first had no nonce yet; then silence */
	assert_int_equal(sip_bans(stack, bans, ARRAY_LEN(bans)), 1);
	assert_string_equal(bans[0].source, "127.0.0.9");
	assert_string_equal(bans[0].user, "alice");
	/* the telephone itself, by the same name */
	assert_true(is(reg(&phone, CONTACT), 200));
	phone.nonce[0] = '\0';
	assert_true(is(reg(&phone, CONTACT), 200));
	/* and another one there that registers for the first time */
	phone = client_of("bob", "secret");
	phone.call_id = "bob";
	assert_true(is(reg(&phone, "Contact: <sip:bob@10.0.0.8:5060>\r\n"), 200));
	/* lifted: it is heard again */
	assert_true(sip_ban_lift(stack, "127.0.0.9", "alice"));
	guess.nonce[0] = '\0';
	send_register(&guess, CONTACT);
	assert_non_null(await(&scanner, "SIP/2.0 401", 300));
	peer_close(&scanner);
	end();
}

TEST(banned_source_gets_silence_and_others_do_not_notice)
{
	struct client guess = client_of("x", "guess"), phone = client_of("alice", "secret");
	struct peer scanner;
	char name[16];

	begin();
	peer_open(&scanner, "127.0.0.10");
	guess.peer = &scanner;
	guess.call_id = "guess";
	for (int i = 0; i <= SIPB_SOURCE_LIMIT; i++) {
		const char *m;

		(void)snprintf(name, sizeof(name), "user%d", i);
		guess.user = guess.aor = name;
		send_register(&guess, CONTACT);
		m = await(&scanner, "SIP/2.0 401", 300);
		assert_non_null(m);
		take_nonce(&guess, m, "WWW-Authenticate");
	}
	send_register(&guess, CONTACT);
	invite(&scanner, "1000", "b1", "c1");
	request(&scanner, "OPTIONS", "1000", "b2", "c2", "", 1, "", "");
	assert_null(await(&scanner, "SIP/2.0 ", 30));
	assert_true(is(reg(&phone, CONTACT), 200));
	call_up("c3"); /* of a carrier */
	peer_close(&scanner);
	end();
}

/* ---- nobody learns who exists ---- */

static unsigned asked_for;

static bool counted_credentials(struct sip_ha1 *ret, const char *device, void *arg)
{
	asked_for++;
	if (strcmp(device, "alice") != 0)
		return false;
	(void)str_copy(ret->md5, sizeof(ret->md5), "900150983cd24fb0d6963f7d28e17f72"); /* of something */
	return true;
}

/* What changes from one answer to the next whoever asks: the nonce, and what the request itself said. */
static void blank(char *text, const char *word, const char *by)
{
	for (char *p; (p = strstr(text, word));)
		memcpy(p, by, strlen(by));
}

static void blank_nonces(char *text)
{
	for (char *p = text; (p = strstr(p, "nonce=\"")); p += 7)
		for (char *q = p + 7; *q && *q != '"'; q++)
			*q = '0';
}

/* All that comes back for @method as @user: with no credentials, then with wrong ones. Both users' names are as long. */
static void ask(char *all, size_t size, const char *method, const char *user)
{
	struct client k = client_of(user, "guess");
	size_t n = 0;

	all[0] = '\0';
	for (int i = 0; i < 3; i++) {
		char auth[1024] = "", uri[96], branch[16], tagged[96];
		const char *m;

		(void)snprintf(uri, sizeof(uri), "sip:%s@%s", user, local);
		(void)snprintf(branch, sizeof(branch), "e%d", i);
		(void)snprintf(tagged, sizeof(tagged), "From: <sip:%s@x>;tag=ft\r\n", user);
		if (k.nonce[0]) {
			bool reg = !strcmp(method, "REGISTER");

			(void)snprintf(auth, sizeof(auth), "%s: ", reg ? "Authorization" : "Proxy-Authorization");
			authorization(auth + strlen(auth), sizeof(auth) - strlen(auth), &k, method, uri);
		}
		send_to(&other,
			"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\n%sTo: <sip:%s@x>\r\nCall-ID: same\r\nCSeq: %d %s\r\n"
			"Contact: <sip:%s@127.0.0.9>\r\nEvent: message-summary\r\n%sContent-Length: 0\r\n\r\n",
			method, uri, other.at, branch, tagged, user, i + 1, method, user, auth);
		while ((m = await(&other, "SIP/2.0 ", 15))) {
			const char *name = strstr(m, "WWW-Authenticate") ? "WWW-Authenticate" : "Proxy-Authenticate";

			if (strstr(m, name))
				take_nonce(&k, m, name);
			n += (size_t)snprintf(all + n, size - n, "%s----\n", m);
		}
	}
	blank_nonces(all);
	blank(all, user, "USERX");
}

TEST(users_that_exist_and_that_do_not_get_the_same_bytes_for_the_same_work)
{
	static const char *const methods[] = {"REGISTER", "INVITE", "SUBSCRIBE", "OPTIONS"};
	static char known[16384], unknown[16384];

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		unsigned work, looked_up, before;

		begin();
		stack->h.credentials = counted_credentials;
		asked_for = 0;
		work = sipa_digests;
		ask(known, sizeof(known), methods[i], "alice");
		work = sipa_digests - work;
		looked_up = asked_for;
		asked_for = 0;
		before = sipa_digests;
		ask(unknown, sizeof(unknown), methods[i], "mally");
		assert_int_equal(sipa_digests - before, work); /* the test's own client computes as much for either */
		assert_int_equal(asked_for, looked_up);
		assert_string_equal(known, unknown);
		assert_true(strlen(known) > 500);
		end();
	}
}

/* Banned after as many tries, whether they exist or not: else the ban would tell it. */
TEST(bans_do_not_tell_who_exists)
{
	static const char *const users[] = {"alice", "malic"};
	int tries[2];

	for (int u = 0; u < 2; u++) {
		struct client k = client_of(users[u], "guess");

		begin();
		tries[u] = 0;
		for (const char *m = reg(&k, CONTACT); m; m = reg(&k, CONTACT)) {
			tries[u]++;
			assert_true(tries[u] < 100);
			take_nonce(&k, m, "WWW-Authenticate");
		}
		end();
	}
	assert_int_equal(tries[0], SIPB_PAIR_LIMIT);
	assert_int_equal(tries[0], tries[1]);
}

/* ---- nonces ---- */

static int with_count(struct client *k, unsigned nc)
{
	k->nc = nc - 1;
	return atoi(reg(k, CONTACT) + 8);
}

TEST(datagrams_may_overtake_one_another_but_not_come_twice)
{
	struct client k = client_of("alice", "secret");

	begin();
	k.nc = 0;
	assert_true(is(reg(&k, CONTACT), 200)); /* the challenge, then 1 */
	assert_int_equal(with_count(&k, 5), 200);
	assert_int_equal(with_count(&k, 3), 200);
	assert_int_equal(with_count(&k, 3), 401);
	assert_int_equal(with_count(&k, 5), 401);
	assert_int_equal(with_count(&k, 1), 401);
	assert_int_equal(with_count(&k, 2), 200);
	assert_int_equal(with_count(&k, 100), 200);
	assert_int_equal(with_count(&k, 36), 401); /* 64 below: nobody knows any more */
	assert_int_equal(with_count(&k, 37), 200);
	assert_int_equal(with_count(&k, 0xffffffff), 200);
	assert_int_equal(with_count(&k, 0x7fffffff), 401);
	end();
}

TEST(nonce_is_good_for_the_address_that_asked_for_it)
{
	struct client k = client_of("alice", "secret"), thief = k;
	struct peer elsewhere;
	const char *m;

	begin();
	peer_open(&elsewhere, "127.0.0.10");
	send_register(&k, CONTACT);
	m = await(&other, "SIP/2.0 401", 300);
	assert_non_null(m);
	take_nonce(&thief, m, "WWW-Authenticate");
	thief.peer = &elsewhere;
	m = reg(&thief, CONTACT);
	assert_true(is(m, 401));
	/* a telephone that has moved tries again by itself */
	assert_non_null(strstr(header(m, "WWW-Authenticate"), "stale=true"));
	take_nonce(&thief, m, "WWW-Authenticate");
	assert_true(is(reg(&thief, CONTACT), 200));
	peer_close(&elsewhere);
	end();
}

/* ---- amplification ---- */

/* Forged requests must not make us shoot at somebody: little more comes back than was sent, and once. The shortest request there is may
   get twice its length, one as long as a telephone's half as much again. */
TEST(stranger_gets_one_answer_of_hardly_more_than_he_sent)
{
	static const char *const methods[] = {"REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE", "BYE", "PUBLISH", "CANCEL", "NOTIFY", "REFER"};

	for (size_t i = 0; i < 2 * ARRAY_LEN(methods); i++) {
		const char *method = methods[i / 2], *m;
		size_t sent, back = 0;
		unsigned n = 0;
		char text[1024];

		begin_with((struct sip_conf){.t1_ms = 5, .user_agent = "Huawu"});
		sent = (size_t)snprintf(text, sizeof(text),
					"%s sip:b SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
					"Call-ID: 1\r\nCSeq: 1 %s\r\nContact: <sip:a@b>\r\n%sContent-Length: 0\r\n\r\n",
					method, other.at, method, i % 2 ? "User-Agent: a telephone like many others 1.0\r\nSupported: replaces, path\r\n"
					"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY\r\nX: 0123456789012345678901234567890123456789\r\n" : "");
		send_to(&other, "%s", text);
		while ((m = await(&other, "SIP/2.0 ", n ? 60 : 100))) { /* 12 T1 after the first */
			back += strlen(m);
			n++;
		}
		if (n > 1 || back > (i % 2 ? sent * 3 / 2 : sent * 2) || (i % 2 && !n))
			print_error("%s: %u answers, %zu bytes for %zu\n", method, n, back, sent);
		assert_true(n <= 1 && back <= (i % 2 ? sent * 3 / 2 : sent * 2));
		assert_true(n == 1 || i % 2 == 0);
		end();
	}
}
