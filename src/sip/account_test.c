/* We as a carrier's client: digest asked of us, registration, OPTIONS, calls that are challenged, names of hosts. */
#include "sip/testbed.h"

/* ---- digest ---- */

/* RFC 7616 3.9.1, for which the RFC gives both answers (HTTP's method and URI). */
static void rfc_challenge(struct sipa_asked *c, const char *algorithm)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=%s, "
		       "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
		       algorithm);
	assert_int_equal(sipa_parse_asked(c, text, strlen(text)), 0);
}

static void value_of(const char *line, const char *name, char *buf, size_t size)
{
	char start[32];
	const char *p;

	(void)snprintf(start, sizeof(start), " %s=\"", name);
	p = strstr(line, start);
	assert_non_null(p);
	p += strlen(start);
	(void)snprintf(buf, size, "%.*s", (int)strcspn(p, "\""), p);
}

static void recompute(const char *line, bool sha256, const char *user, const char *realm, const char *secret, const char *method, char *ret65)
{
	struct sipa_credentials c;
	char text[512], ha1[65];

	assert_int_equal(sipa_parse(&c, strchr(line, ':') + 2, strcspn(strchr(line, ':') + 2, "\r")), 0);
	(void)snprintf(text, sizeof(text), "%s:%s:%s", user, realm, secret);
	sipa_hex(ha1, sha256, text, strlen(text));
	sipa_response(ret65, sha256, ha1, &c, method);
}

TEST(challenge_of_the_rfc_is_answered_with_both_algorithms_and_a_rising_count)
{
	static const char *const algorithms[] = {"MD5", "SHA-256"};

	for (int i = 0; i < 2; i++) {
		struct sip_auth *a = sip_auth_new("Mufasa", "Circle of Life");
		char got[70], want[65], *line;
		struct sipa_asked c;

		rfc_challenge(&c, algorithms[i]);
		line = sipa_answer(a, &c, "GET", "/dir/index.html");
		assert_non_null(line);
		assert_non_null(strstr(line, "Authorization: Digest algorithm="));
		assert_non_null(strstr(line, "nc=00000001"));
		assert_non_null(strstr(line, "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""));
		recompute(line, i, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", want);
		value_of(line, "response", got, sizeof(got));
		assert_string_equal(got, want);
		free(line);
		line = sipa_answer_again(a, "GET", "/dir/index.html");
		assert_non_null(strstr(line, "nc=00000002"));
		free(line);
		sipa_forget(a);
		assert_null(sipa_answer_again(a, "GET", "/"));
		(void)obj_unref(a);
	}
}

/* RFC 2617's form without qop: MD5(HA1:nonce:HA2), by hand: printf 'u:r:p' | md5sum and so on. */
TEST(challenge_without_qop_is_answered_the_old_way)
{
	static const char text[] = "Digest realm=\"r\", nonce=\"n\"";
	struct sip_auth *a = sip_auth_new("u", "p");
	char got[70], ha1[65], ha2[65], want[65], all[200], *line;
	struct sipa_asked c;

	assert_int_equal(sipa_parse_asked(&c, text, strlen(text)), 0);
	line = sipa_answer(a, &c, "REGISTER", "sip:x");
	assert_null(strstr(line, "qop"));
	assert_null(strstr(line, "opaque"));
	sipa_hex(ha1, false, "u:r:p", 5);
	sipa_hex(ha2, false, "REGISTER:sip:x", 14);
	(void)snprintf(all, sizeof(all), "%s:n:%s", ha1, ha2);
	sipa_hex(want, false, all, strlen(all));
	value_of(line, "response", got, sizeof(got));
	assert_string_equal(got, want);
	free(line);
	(void)obj_unref(a);
}

TEST(a_request_is_repeated_with_its_answer_in_the_place_of_an_older_one)
{
	static const char sent[] = "INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKold;rport\r\nCSeq: 41 INVITE\r\n"
				   "Proxy-Authorization: old\r\nAuthorization: other\r\nContent-Length: 3\r\n\r\na\r\n";
	static const char want[] = "INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKnew;rport\r\nCSeq: 42 INVITE\r\n"
				   "Authorization: other\r\nContent-Length: 3\r\nProxy-Authorization: new\r\n\r\na\r\n";
	struct strb b;

	strb_init(&b, 4096);
	assert_int_equal(sipa_rewrite(&b, sent, strlen(sent), "z9hG4bKnew", 42, "Proxy-Authorization: new\r\n"), 0);
	assert_string_equal(b.buf, want);
	strb_clear(&b);
	assert_int_equal(sipa_rewrite(&b, "INVITE\r\nno end", 14, "b", 1, "A: b\r\n"), -EINVAL);
	strb_done(&b);
}

/* ---- calls out that are challenged ---- */

#define ASK407 "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s\r\n"

static char hop[64], ask_lines[256];
static struct sip_auth *auth;

static const char *ask_for(const char *nonce, bool stale)
{
	(void)snprintf(ask_lines, sizeof(ask_lines), ASK407, nonce, stale ? ", stale=true" : "");
	return ask_lines;
}

static int dial_carrier(int first_ms)
{
	struct sip_dial d = {.uri = "sip:10086@sip.carrier.example", .from_user = "0571", .from_host = "sip.carrier.example", .sdp = SDP2,
			     .next_hop = hop, .route = "sip:proxy.carrier.example", .auth = auth, .first_ms = first_ms};

	(void)snprintf(hop, sizeof(hop), "sip:%s", trunk.at);
	return sip_dial(&seen.leg, stack, &d, &leg_handlers, NULL);
}

static void assert_answered(const char *req, const char *method, const char *name)
{
	struct sipa_credentials c;
	const char *v = header(req, name);
	char line[1200], want[65];

	assert_int_equal(sipa_parse(&c, v, strlen(v)), 0);
	(void)snprintf(line, sizeof(line), "%s: %s\r\n", name, v);
	recompute(line, false, "0571", "carrier", "tiger", method, want);
	assert_string_equal(c.response, want);
}

TEST(challenged_invite_is_sent_again_and_its_bye_answers_beforehand)
{
	const char *req;
	char call_id[128], via[256];

	begin();
	auth = sip_auth_new("0571", "tiger");
	assert_int_equal(dial_carrier(0), 0);
	req = await(&trunk, "INVITE sip:10086@sip.carrier.example", 1000);
	assert_non_null(req);
	assert_non_null(strstr(header(req, "From"), "<sip:0571@sip.carrier.example>"));
	assert_string_equal(header(req, "Route"), "<sip:proxy.carrier.example;lr>");
	assert_string_equal(header(req, "CSeq"), "1 INVITE");
	(void)snprintf(call_id, sizeof(call_id), "%s", header(req, "Call-ID"));
	(void)snprintf(via, sizeof(via), "%s", header(req, "Via"));
	respond(&trunk, req, 407, "t1", ask_for("n1", false), "");
	assert_non_null(await(&trunk, "ACK", 1000));
	req = await(&trunk, "INVITE", 1000);
	assert_non_null(req);
	assert_string_equal(header(req, "CSeq"), "2 INVITE");
	assert_string_equal(header(req, "Call-ID"), call_id);
	assert_string_not_equal(header(req, "Via"), via);
	assert_non_null(strstr(req, SDP2));
	assert_answered(req, "INVITE", "Proxy-Authorization");
	respond(&trunk, req, 407, "t2", ask_for("n2", true), ""); /* the nonce went stale meanwhile */
	req = await(&trunk, "INVITE", 1000);
	assert_string_equal(header(req, "CSeq"), "3 INVITE");
	assert_non_null(strstr(header(req, "Proxy-Authorization"), "nonce=\"n2\""));
	respond(&trunk, req, 200, "t3", "", SDP);
	req = await(&trunk, "ACK sip:callee", 1000);
	assert_string_equal(header(req, "CSeq"), "3 ACK");
	run_ms(5);
	assert_int_equal(seen.established, 1);
	sip_leg_hangup(seen.leg, 0, 16, "");
	req = await(&trunk, "BYE", 1000);
	assert_string_equal(header(req, "CSeq"), "4 BYE");
	assert_answered(req, "BYE", "Proxy-Authorization");
	assert_non_null(strstr(header(req, "Proxy-Authorization"), "nc=00000002"));
	respond(&trunk, req, 407, "t3", ask_for("n3", false), ""); /* the carrier asks anew for each request */
	req = await(&trunk, "BYE", 1000);
	assert_string_equal(header(req, "CSeq"), "5 BYE");
	assert_non_null(strstr(header(req, "Proxy-Authorization"), "nonce=\"n3\""));
	respond(&trunk, req, 200, "t3", "", "");
	run_ms(10);
	end();
	auth = obj_unref(auth);
}

TEST(wrong_password_is_told_with_the_carriers_answer)
{
	const char *req;

	begin();
	auth = sip_auth_new("0571", "wrong");
	assert_int_equal(dial_carrier(0), 0);
	respond(&trunk, await(&trunk, "INVITE", 1000), 407, "t1", ask_for("n1", false), "");
	(void)await(&trunk, "ACK", 1000);
	respond(&trunk, await(&trunk, "INVITE", 1000), 407, "t1", ask_for("n2", false), "");
	(void)await(&trunk, "ACK", 1000);
	run_ms(20);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.code, 407);
	assert_false(seen.close.silent);
	req = await(&trunk, "INVITE", 50);
	assert_null(req);
	end();
	auth = obj_unref(auth);
}

TEST(call_that_is_given_up_while_it_is_challenged_is_not_sent_again)
{
	const char *req;

	begin();
	auth = sip_auth_new("0571", "tiger");
	assert_int_equal(dial_carrier(0), 0);
	req = await(&trunk, "INVITE", 1000);
	sip_leg_hangup(seen.leg, 0, 16, "");
	respond(&trunk, req, 407, "t1", ask_for("n1", false), "");
	assert_non_null(await(&trunk, "ACK", 1000));
	assert_null(await(&trunk, "INVITE", 100));
	end();
	auth = obj_unref(auth);
}

TEST(way_without_any_answer_is_given_up_soon_and_100_is_an_answer)
{
	const char *req;

	begin();
	auth = NULL;
	assert_int_equal(dial_carrier(60), 0);
	assert_non_null(await(&trunk, "INVITE", 1000));
	run_ms(100);
	assert_int_equal(seen.closed, 1);
	assert_true(seen.close.silent);
	assert_int_equal(seen.close.by, SIP_BY_TIMEOUT);
	seen.closed = 0;
	assert_int_equal(dial_carrier(60), 0);
	req = await(&trunk, "INVITE", 1000);
	respond(&trunk, req, 100, "", "", "");
	run_ms(120);
	assert_int_equal(seen.closed, 0);
	respond(&trunk, req, 503, "t", "Retry-After: 7 (no lines);duration=1\r\n", "");
	run_ms(20);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.close.code, 503);
	assert_int_equal(seen.close.retry_after_s, 7);
	assert_false(seen.close.silent);
	end();
}

/* ---- calls in ---- */

TEST(call_with_the_token_of_a_registration_is_that_trunks_and_the_number_is_in_to)
{
	begin();
	send_to(&other,
		"INVITE sip:token@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKtok;rport\r\nFrom: <sip:138@x>;tag=f\r\n"
		"To: <sip:057188880000@carrier>\r\nCall-ID: tok\r\nCSeq: 1 INVITE\r\nContact: <sip:138@%s>\r\n"
		"Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s", local, other.at, other.at, strlen(SDP), SDP);
	assert_non_null(await(&other, "SIP/2.0 100", 1000));
	assert_int_equal(seen.invites, 1);
	assert_int_equal(seen.origin, SIP_FROM_TRUNK);
	assert_int_equal(seen.trunk_id, 8);
	assert_string_equal(seen.dialled, "057188880000");
	end();
}

static void with_credentials(struct peer *p, const char *method, const char *challenge, char *lines, size_t size)
{
	struct sip_auth *a = sip_auth_new("bob", "secret");
	struct sipa_asked c;
	const char *v = header(challenge, strstr(challenge, "SIP/2.0 407") ? "Proxy-Authenticate" : "WWW-Authenticate");
	char uri[96], *line;

	assert_int_equal(sipa_parse_asked(&c, v, strlen(v)), 0);
	c.proxy = strstr(challenge, "SIP/2.0 407") != NULL;
	(void)snprintf(uri, sizeof(uri), "sip:4001@%s", local);
	line = sipa_answer(a, &c, method, uri);
	(void)snprintf(lines, size, "%s", line);
	free(line);
	(void)obj_unref(a);
}

TEST(carrier_without_an_address_calls_by_password_and_registers_nothing)
{
	char lines[1200];

	trunk_accounts = true;
	begin();
	invite(&other, "4001", "x1", "x");
	with_credentials(&other, "INVITE", await(&other, "SIP/2.0 407", 1000), lines, sizeof(lines));
	request(&other, "INVITE", "4001", "x2", "x", "", 2, lines, SDP);
	assert_non_null(await(&other, "SIP/2.0 100", 1000));
	assert_int_equal(seen.origin, SIP_FROM_TRUNK);
	assert_int_equal(seen.trunk_id, 9);
	assert_string_equal(seen.device, "");
	request(&other, "REGISTER", "4001", "r1", "r", "", 1, "", "");
	with_credentials(&other, "REGISTER", await(&other, "SIP/2.0 401", 1000), lines, sizeof(lines));
	request(&other, "REGISTER", "4001", "r2", "r", "", 2, lines, "");
	assert_non_null(await(&other, "SIP/2.0 403", 1000));
	end();
	trunk_accounts = false;
}

/* ---- registration ---- */

static struct sip_account *account;
static unsigned changes;
static bool stop_on_change;

static void on_changed(struct sip_account *a, void *arg)
{
	assert_ptr_equal(a, account);
	changes++;
	if (stop_on_change)
		loop_stop();
}

static void account_begin(const char *secret, int expires_s)
{
	struct sip_account_conf conf = {.domain = "sip.carrier.example", .user = "0571", .token = "tk1", .expires_s = expires_s,
					.changed = on_changed};
	const char *hops[] = {hop};

	begin_with((struct sip_conf){.t1_ms = 10});
	changes = 0;
	auth = conf.auth = sip_auth_new("0571", secret);
	assert_int_equal(sip_account_new(&account, stack, &conf), 0);
	(void)snprintf(hop, sizeof(hop), "sip:%s", trunk.at);
	sip_account_aim(account, hops, 1);
}

static struct sip_account_view view(void)
{
	struct sip_account_view v;

	sip_account_get(account, &v);
	return v;
}

static void account_end(void)
{
	sip_account_free(account);
	auth = obj_unref(auth);
	end();
}

#define ASK401 "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"\r\n"
#define ASK256 "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"\r\n"

TEST(registration_is_challenged_granted_refreshed_and_taken_back)
{
	char contact[128];
	const char *req;

	account_begin("tiger", 600);
	req = await(&trunk, "REGISTER sip:sip.carrier.example SIP/2.0", 1000);
	assert_non_null(req);
	assert_string_equal(header(req, "To"), "<sip:0571@sip.carrier.example>");
	assert_string_equal(header(req, "Expires"), "600");
	(void)snprintf(contact, sizeof(contact), "<sip:tk1@%s>", local);
	assert_string_equal(header(req, "Contact"), contact);
	respond(&trunk, req, 401, "t", ASK401, "");
	req = await(&trunk, "REGISTER", 1000);
	assert_answered(req, "REGISTER", "Authorization");
	/* another telephone's binding is in the list too; ours gets 2 s */
	respond(&trunk, req, 200, "t", "Contact: <sip:else@192.0.2.1>;expires=900\r\nContact: <sip:tk1@192.0.2.1>;expires=2\r\n", "");
	run_ms(20);
	assert_int_equal(view().state, SIP_ACCOUNT_UP);
	assert_int_equal(view().expires_s, 2);
	req = await(&trunk, "REGISTER", 2500); /* before the two seconds are over, and answering beforehand */
	assert_non_null(req);
	assert_answered(req, "REGISTER", "Authorization");
	assert_non_null(strstr(header(req, "Authorization"), "nc=00000002"));
	respond(&trunk, req, 200, "t", "Expires: 300\r\n", "");
	run_ms(20);
	assert_int_equal(view().expires_s, 300);
	sip_account_free(account);
	account = NULL;
	req = await(&trunk, "REGISTER", 1000);
	assert_string_equal(header(req, "Expires"), "0");
	assert_answered(req, "REGISTER", "Authorization");
	account_end();
}

TEST(stronger_algorithm_is_taken_when_both_are_offered)
{
	const char *req;

	account_begin("tiger", 600);
	respond(&trunk, await(&trunk, "REGISTER", 1000), 401, "t", ASK401 ASK256, "");
	req = await(&trunk, "REGISTER", 1000);
	assert_non_null(strstr(header(req, "Authorization"), "algorithm=SHA-256"));
	account_end();
}

TEST(brief_expiry_is_raised_to_what_the_registrar_wants)
{
	const char *req;

	account_begin("tiger", 60);
	respond(&trunk, await(&trunk, "REGISTER", 1000), 423, "t", "Min-Expires: 1800\r\n", "");
	req = await(&trunk, "REGISTER", 1000);
	assert_string_equal(header(req, "Expires"), "1800");
	respond(&trunk, req, 200, "t", "", "");
	run_ms(20);
	assert_int_equal(view().expires_s, 1800);
	account_end();
}

TEST(refusal_is_shown_as_the_registrar_said_it_and_not_hammered)
{
	account_begin("wrong", 600);
	respond(&trunk, await(&trunk, "REGISTER", 1000), 401, "t", ASK401, "");
	respond(&trunk, await(&trunk, "REGISTER", 1000), 401, "t", ASK401, "");
	run_ms(20);
	assert_int_equal(view().state, SIP_ACCOUNT_REFUSED);
	assert_int_equal(view().code, 401);
	assert_string_equal(view().reason, "X");
	assert_null(await(&trunk, "REGISTER", 100));
	account_end();
}

TEST(silent_registrar_is_left_for_the_next_hop)
{
	char second[64];
	const char *hops[] = {hop, second};

	account_begin("tiger", 600); /* T1 10 ms: a hop has 160 ms */
	assert_non_null(await(&trunk, "REGISTER", 1000));
	(void)snprintf(second, sizeof(second), "sip:%s", other.at);
	sip_account_aim(account, hops, 2);
	respond(&other, await(&other, "REGISTER", 1000), 200, "t", "", "");
	run_ms(20);
	assert_int_equal(view().state, SIP_ACCOUNT_UP);
	account_end();
}

TEST(nobody_anywhere_is_told_as_such)
{
	account_begin("tiger", 600);
	stop_on_change = true;
	(void)loop_run();
	stop_on_change = false;
	assert_int_equal(view().state, SIP_ACCOUNT_UNREACHABLE);
	assert_int_equal(view().code, 0);
	account_end();
}

/* ---- OPTIONS ---- */

static int pong_code, pong_ms;

static void on_done(int code, int rtt_ms, void *arg)
{
	pong_code = code;
	pong_ms = rtt_ms;
}

TEST(ping_tells_the_answer_and_how_long_it_took_or_that_none_came)
{
	struct sip_ping *p;
	const char *req;

	begin();
	(void)snprintf(hop, sizeof(hop), "sip:%s", trunk.at);
	pong_code = 0;
	assert_int_equal(sip_ping_new(&p, stack, "sip:carrier.example", hop, NULL, NULL, 2000, on_done, NULL), 0);
	req = await(&trunk, "OPTIONS sip:carrier.example", 1000);
	run_ms(30);
	respond(&trunk, req, 404, "t", "", "");
	run_ms(10);
	assert_int_equal(pong_code, 404);
	assert_in_range(pong_ms, 29, 500);
	sip_ping_free(p);
	assert_int_equal(sip_ping_new(&p, stack, "sip:carrier.example", hop, NULL, NULL, 40, on_done, NULL), 0);
	run_ms(70);
	assert_int_equal(pong_code, 408);
	sip_ping_free(p);
	assert_int_equal(sip_ping_new(&p, stack, "sip:x", "sip:a.name", NULL, NULL, 40, on_done, NULL), -EHOSTUNREACH);
	end();
}

/* ---- names ---- */

/* A name server on the loop: answers what the test wants, one record type each. */
static struct dns_bed {
	struct peer p;
	unsigned asked;
	bool mute;
	int rcode;
	unsigned ttl_s;
	struct sip_target got[SIP_TARGETS_MAX];
	size_t got_n;
	char problem[64];
	unsigned told;
} names;

static void put16(uint8_t *b, size_t *n, unsigned v)
{
	b[(*n)++] = (uint8_t)(v >> 8);
	b[(*n)++] = (uint8_t)v;
}

static void put_name(uint8_t *b, size_t *n, const char *name)
{
	for (size_t len; *name; name += len + (name[len] == '.')) {
		len = strcspn(name, ".");
		b[(*n)++] = (uint8_t)len;
		memcpy(b + *n, name, len);
		*n += len;
	}
	b[(*n)++] = 0;
}

/* One record, its owner the question's name. */
static void put_rr(uint8_t *b, size_t *n, unsigned type, const uint8_t *data, size_t len)
{
	put16(b, n, 0xc00c);
	put16(b, n, type);
	put16(b, n, 1);
	put16(b, n, names.ttl_s >> 16);
	put16(b, n, names.ttl_s & 0xffff);
	put16(b, n, (unsigned)len);
	memcpy(b + *n, data, len);
	*n += len;
}

static void put_srv(uint8_t *b, size_t *n, unsigned priority, unsigned weight, unsigned port, const char *target)
{
	uint8_t d[300];
	size_t len = 0;

	put16(d, &len, priority);
	put16(d, &len, weight);
	put16(d, &len, port);
	put_name(d, &len, target);
	put_rr(b, n, 33, d, len);
}

static void name_asked(void *arg)
{
	uint8_t q[600], b[2000];
	char name[300] = "";
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(names.p.fd, q, sizeof(q), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
	size_t n = 12, end;
	unsigned type, count = 0;

	if (len < 17)
		return;
	names.asked++;
	if (names.mute)
		return;
	for (end = 12; q[end]; end += q[end] + 1u) {
		size_t at = strlen(name);

		(void)snprintf(name + at, sizeof(name) - at, "%.*s.", q[end], (char *)q + end + 1);
	}
	type = (unsigned)q[end + 1] << 8 | q[end + 2];
	end += 5;
	memcpy(b, q, end);
	n = end;
	if (!names.rcode && !strcmp(name, "_sip._udp.two.test.") && type == 33) {
		put_srv(b, &n, 20, 0, 5082, "b.test");
		put_srv(b, &n, 10, 5, 5081, "a.test");
		count = 2;
	} else if (!names.rcode && type == 1 && strcmp(name, "_sip._udp.one.test.") != 0) {
		put_rr(b, &n, 1, (const uint8_t[]){127, 0, 0, (uint8_t)(name[0] == 'a' ? 11 : name[0] == 'b' ? 12 : 13)}, 4);
		count = 1;
	}
	b[2] = 0x81;
	b[3] = (uint8_t)(0x80 | names.rcode);
	b[6] = 0;
	b[7] = (uint8_t)count;
	b[8] = b[9] = b[10] = b[11] = 0;
	(void)sendto(names.p.fd, b, n, 0, (struct sockaddr *)&from, from_len);
}

static void on_names(const struct sip_target *t, size_t n, const char *problem, void *arg)
{
	memcpy(names.got, t, n * sizeof(*t));
	names.got_n = n;
	(void)snprintf(names.problem, sizeof(names.problem), "%s", problem ? problem : "");
	names.told++;
	if (stop_on_change)
		loop_stop();
}

static struct sip_lookup *lookup(const char *host, uint16_t port)
{
	struct sip_lookup_conf conf = {.servers = names.p.at, .host = host, .port = port, .service = "_sip._udp", .port_default = 5060,
				       .changed = on_names};
	struct sip_lookup *l;

	names.told = 0;
	assert_int_equal(sip_lookup_new(&l, &conf), 0);
	return l;
}

static void names_begin(void)
{
	begin();
	memset(&names, 0, sizeof(names));
	names.ttl_s = 60;
	peer_open(&names.p, "127.0.0.1");
	loop_unlisten(names.p.fd);
	assert_int_equal(loop_listen(names.p.fd, name_asked, NULL), 0);
}

static void wait_told(void)
{
	while (!names.told) {
		stop_on_change = true;
		(void)loop_run();
		stop_on_change = false;
	}
}

static void names_end(struct sip_lookup *l)
{
	sip_lookup_free(l);
	peer_close(&names.p);
	end();
}

TEST(srv_gives_targets_in_order_of_priority_with_their_ports)
{
	struct sip_lookup *l;

	names_begin();
	l = lookup("two.test", 0);
	wait_told();
	assert_int_equal(names.got_n, 2);
	assert_string_equal(names.got[0].addr.host, "127.0.0.11");
	assert_int_equal(names.got[0].addr.port, 5081);
	assert_string_equal(names.got[1].addr.host, "127.0.0.12");
	assert_int_equal(names.got[1].addr.port, 5082);
	assert_string_equal(names.problem, "");
	names_end(l);
}

TEST(name_without_srv_or_with_a_port_is_its_address)
{
	struct sip_lookup *l;

	names_begin();
	l = lookup("one.test", 0);
	wait_told();
	assert_int_equal(names.got_n, 1);
	assert_string_equal(names.got[0].addr.host, "127.0.0.13");
	assert_int_equal(names.got[0].addr.port, 5060);
	sip_lookup_free(l);
	l = lookup("two.test", 5070);
	wait_told();
	assert_int_equal(names.got_n, 1);
	assert_int_equal(names.got[0].addr.port, 5070);
	names_end(l);
}

TEST(numeric_address_is_told_at_once_and_nobody_is_asked)
{
	struct sip_lookup *l;

	names_begin();
	l = lookup("127.0.0.5", 0);
	assert_int_equal(names.told, 1);
	assert_string_equal(names.got[0].addr.host, "127.0.0.5");
	assert_int_equal(names.got[0].addr.port, 5060);
	run_ms(10);
	assert_int_equal(names.asked, 0);
	names_end(l);
}

TEST(name_that_does_not_exist_is_said_so)
{
	struct sip_lookup *l;

	names_begin();
	names.rcode = 3;
	l = lookup("one.test", 5060);
	wait_told();
	assert_int_equal(names.got_n, 0);
	assert_string_equal(names.problem, "no such name");
	names_end(l);
}

/* The smallest TTL is raised to 5 s; what was known stays when the servers fall silent. */
TEST(addresses_are_asked_again_after_their_ttl_and_outlive_the_name_servers)
{
	struct sip_lookup *l;

	names_begin();
	names.ttl_s = 1;
	l = lookup("one.test", 5060);
	wait_told();
	names.told = 0;
	names.rcode = 2;
	wait_told();
	assert_int_equal(names.got_n, 1);
	assert_string_equal(names.problem, "name servers do not answer");
	names_end(l);
}
