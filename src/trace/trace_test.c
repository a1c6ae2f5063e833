/* What is blanked, what comes back, what is cut, and that other programs read our pcap (tests/sip/trace_pcap.py looks deeper). */
#include "trace/trace.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"

/* ---- blanking ---- */

static char *blanked(const char *text)
{
	static char buf[4096];

	(void)str_copy(buf, sizeof(buf), text);
	trace_blank(buf, strlen(buf));
	return buf;
}

#define HEAD "REGISTER sip:huawu SIP/2.0\r\n"
#define END  "\r\nContent-Length: 0\r\n\r\n"

TEST(digest_credentials_keep_who_and_where_and_lose_the_rest)
{
	assert_string_equal(
		blanked(HEAD "Authorization: Digest username=\"8001\", realm=\"huawu\", nonce=\"abc\", uri=\"sip:huawu\", response=\"0123ef\","
			     " algorithm=MD5, cnonce=\"c\\\"d\", qop=auth, nc=00000001, opaque=\"xy\"" END),
		HEAD "Authorization: Digest username=\"8001\", realm=\"huawu\", nonce=\"***\", uri=\"sip:huawu\", response=\"******\","
		     " algorithm=MD5, cnonce=\"****\", qop=auth, nc=00000001, opaque=\"**\"" END);
}

TEST(credentials_over_two_lines_and_in_small_letters_are_blanked_too)
{
	assert_string_equal(blanked(HEAD "proxy-authorization : digest Response = \"12\",\r\n  NONCE=34, foo=bar" END),
			    HEAD "proxy-authorization : digest Response = \"**\",\r\n  NONCE=**, foo=***" END);
}

TEST(other_schemes_are_blanked_whole)
{
	assert_string_equal(blanked(HEAD "Authorization: Basic dXNlcjpwYXNz" END), HEAD "Authorization: Basic ************" END);
	assert_string_equal(blanked(HEAD "Authorization: Bearer ab cd" END), HEAD "Authorization: Bearer ** **" END);
	assert_string_equal(blanked(HEAD "Authorization: Digest c2VjcmV0, nonce=\"a\"" END), HEAD "Authorization: Digest ********* *********" END);
}

TEST(challenges_and_authentication_info_lose_nonces_and_proofs)
{
	assert_string_equal(blanked("SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"huawu\", nonce=\"n1\", stale=true" END),
			    "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"huawu\", nonce=\"**\", stale=true" END);
	assert_string_equal(blanked("SIP/2.0 200 OK\r\nAuthentication-Info: nextnonce=\"n2\", rspauth=\"r\", qop=auth" END),
			    "SIP/2.0 200 OK\r\nAuthentication-Info: nextnonce=\"**\", rspauth=\"*\", qop=auth" END);
}

TEST(identity_is_blanked_in_both_forms)
{
	assert_string_equal(blanked(HEAD "Identity: eyJ.abc;info=<x>" END), HEAD "Identity: ****************" END);
	assert_string_equal(blanked(HEAD "y: abc" END), HEAD "y: ***" END);
}

TEST(passwords_in_uris_are_blanked_wherever_they_stand)
{
	assert_string_equal(blanked("INVITE sip:bob:pw@h:5060 SIP/2.0\r\nContact: <sips:bob:p@w@h>\r\nCall-Info: <http://u:p@w/x>" END),
			    "INVITE sip:bob:**@h:5060 SIP/2.0\r\nContact: <sips:bob:***@h>\r\nCall-Info: <http://u:*@w/x>" END);
	assert_string_equal(blanked(HEAD "Refer-To: <sip:a@h?Proxy-Authorization=Digest%20x&Replaces=y>" END),
			    HEAD "Refer-To: <sip:a@h?Proxy-Authorization=**********&Replaces=y>" END);
}

TEST(hosts_ports_and_users_are_no_passwords)
{
	static const char text[] = "INVITE sip:bob@10.0.0.1:5060 SIP/2.0\r\nFrom: \"A: B\" <sip:+86138@h:5060;transport=tcp>;tag=x@y\r\n"
				   "Contact: sip:h:5060\r\nRecord-Route: <sip:h:5060;lr>, <sip:k@h2:5061>" END;

	assert_string_equal(blanked(text), text);
}

TEST(keys_of_media_are_blanked)
{
	assert_string_equal(blanked("SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nk=clear:abc\r\n"
				    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19z|2^20|1:4;inline:QU|2^20|2:4 FEC_ORDER=FEC_SRTP\r\n"
				    "a=ice-ufrag:Ab\r\na=ice-pwd:secretsecret\r\na=key-mgmt:mikey AQ\r\na=fingerprint:sha-256 AB:CD\r\n"),
			    "SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nk=*********\r\n"
			    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:************************************ FEC_ORDER=FEC_SRTP\r\n"
			    "a=ice-ufrag:Ab\r\na=ice-pwd:************\r\na=key-mgmt:***** **\r\na=fingerprint:sha-256 AB:CD\r\n");
}

#define INFO "INFO sip:a@h SIP/2.0\r\nCSeq: 3 INFO\r\nContent-Type: "

TEST(digits_by_info_are_blanked)
{
	assert_string_equal(blanked(INFO "application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n"),
			    INFO "application/dtmf-relay\r\n\r\nSignal=*\r\nDuration=160\r\n");
	assert_string_equal(blanked(INFO "application/dtmf\r\n\r\n7"), INFO "application/dtmf\r\n\r\n*");
	assert_string_equal(blanked("NOTIFY sip:a@h SIP/2.0\r\nc: application/kpml-response+xml\r\n\r\n<r digits=\"42\"/>"),
			    "NOTIFY sip:a@h SIP/2.0\r\nc: application/kpml-response+xml\r\n\r\n<r digits=******");
	assert_string_equal(blanked(INFO "application/media_control+xml\r\n\r\n<x y=\"z\"/>"), INFO "application/media_control+xml\r\n\r\n<x y=\"z\"/>");
}

TEST(telephone_numbers_are_masked_for_those_who_may_not_see_them)
{
	char text[] = "INVITE sip:13800138000@10.20.30.40:15060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK123456789\r\n"
		      "From: \"138-0013-8000\" <sip:+8613800138000@h>;tag=a1\r\nTo: <tel:10086>\r\nCall-ID: 123456789@h\r\n"
		      "P-Asserted-Identity: <tel:02112345678>\r\nContent-Type: application/sdp\r\n\r\n"
		      "v=0\r\no=13800138000 1234567890 2 IN IP4 10.0.0.1\r\nm=audio 20000 RTP/AVP 8\r\n";

	trace_mask_numbers(text, strlen(text));
	assert_string_equal(text, "INVITE sip:138******00@10.20.30.40:15060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK123456789\r\n"
				  "From: \"138-****-**00\" <sip:+861********00@h>;tag=a1\r\nTo: <tel:10086>\r\nCall-ID: 123456789@h\r\n"
				  "P-Asserted-Identity: <tel:021******78>\r\nContent-Type: application/sdp\r\n\r\n"
				  "v=0\r\no=138******00 1234567890 2 IN IP4 10.0.0.1\r\nm=audio 20000 RTP/AVP 8\r\n");
}

/* ---- what a person sees first ---- */

TEST(head_of_requests_and_answers)
{
	static const char ok[] = "SIP/2.0 486 Busy Here\r\nCall-ID : x@h\r\nCSeq: 7 INVITE\r\n\r\n";
	static const char bye[] = "BYE sip:a@h SIP/2.0\r\ni: y\r\nCSeq: 8 BYE\r\nc: application/sdp;x\r\n\r\n";
	struct trace_head h;
	size_t len;

	trace_head_of(&h, ok, strlen(ok));
	assert_string_equal(h.method, "INVITE");
	assert_string_equal(h.reason, "Busy Here");
	assert_int_equal(h.code, 486);
	assert_int_equal(h.cseq, 7);
	assert_false(h.sdp);
	assert_memory_equal(trace_call_id_of(ok, strlen(ok), &len), "x@h", 3);
	assert_int_equal(len, 3);
	trace_head_of(&h, bye, strlen(bye));
	assert_string_equal(h.method, "BYE");
	assert_int_equal(h.code, 0);
	assert_true(h.sdp);
	assert_memory_equal(trace_call_id_of(bye, strlen(bye), &len), "y", 1);
	assert_null(trace_call_id_of("OPTIONS sip:x SIP/2.0\r\n\r\nCall-ID: body\r\n", 40, &len));
}

/* ---- ring, files, finding ---- */

struct bed {
	char dir[64];
	struct trace *t;
	struct arena *a;
};

static void bed_open(struct bed *b, int64_t bytes_max)
{
	(void)str_copy(b->dir, sizeof(b->dir), "/tmp/huawu-trace-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	assert_int_equal(trace_open(&b->t, &(struct trace_conf){b->dir, bytes_max, 1, 1 << 20}), 0);
	b->a = arena_new(1 << 16);
}

static unsigned bed_files(const struct bed *b, int64_t *bytes)
{
	DIR *d = opendir(b->dir);
	unsigned n = 0;

	*bytes = 0;
	for (struct dirent *e; (e = readdir(d));) {
		char *path = xasprintf("%s/%s", b->dir, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");

		if (f) {
			n++;
			(void)fseek(f, 0, SEEK_END);
			*bytes += ftell(f);
			(void)fclose(f);
		}
		free(path);
	}
	(void)closedir(d);
	return n;
}

static void bed_close(struct bed *b)
{
	DIR *d;

	trace_close(b->t);
	d = opendir(b->dir);
	for (struct dirent *e; (e = readdir(d));) {
		char *path = xasprintf("%s/%s", b->dir, e->d_name);

		if (e->d_name[0] != '.')
			(void)unlink(path);
		free(path);
	}
	(void)closedir(d);
	(void)rmdir(b->dir);
	arena_free(b->a);
}

static void say(struct bed *b, bool out, bool known, int64_t trunk, const char *call_id, const char *start)
{
	struct trace_note n = {.out = out, .known = known, .transport = "udp", .trunk_id = trunk};
	char text[512];

	assert_true(trace_addr_parse(&n.local, "127.0.0.1", 5060));
	assert_true(trace_addr_parse(&n.remote, "127.0.0.2", 5070));
	(void)snprintf(text, sizeof(text), "%s\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", start, call_id);
	trace_message(b->t, &n, text, strlen(text));
}

static struct trace_found seek(struct bed *b, int64_t call, int64_t trunk, size_t max)
{
	struct trace_query q = {.dir = b->dir, .to_us = INT64_MAX, .call_id = call, .trunk_id = trunk, .max = max};
	struct trace_found f;

	trace_sync(b->t);
	assert_int_equal(trace_find(&f, b->a, &q), 0);
	return f;
}

static void leg(struct bed *b, int64_t call, int64_t id, const char *role, const char *sip_id)
{
	trace_leg(b->t, &(struct trace_leg){.call_id = call, .leg_id = id, .role = role, .party = "8001", .sip_id = sip_id});
}

TEST(a_call_is_its_legs_messages_in_order_and_nobody_elses)
{
	struct trace_found f;
	struct bed b;

	bed_open(&b, 64 << 20);
	say(&b, false, true, 9, "in@carrier", "INVITE sip:1@h SIP/2.0"); /* before its leg is known, as in life */
	leg(&b, 1, 11, "customer", "in@carrier");
	say(&b, false, true, 9, "other@carrier", "INVITE sip:2@h SIP/2.0");
	say(&b, true, true, 0, "out@us", "INVITE sip:8001@p SIP/2.0");
	leg(&b, 1, 12, "agent", "out@us");
	say(&b, false, false, 0, "out@us", "SIP/2.0 200 OK"); /* among the strangers' */
	say(&b, true, true, 0, "out@us", "INVITE sip:8001@p SIP/2.0");
	f = seek(&b, 1, 0, 100);
	assert_int_equal(f.leg_n, 2);
	assert_string_equal(f.legs[1].role, "agent");
	assert_int_equal(f.n, 4);
	assert_false(f.more);
	assert_int_equal(f.items[0].leg, 0);
	assert_true(strstr(f.items[2].text, "200 OK"));
	assert_int_equal(f.items[2].leg, 1);
	assert_false(f.items[2].again);
	assert_true(f.items[3].again);
	f = seek(&b, 2, 0, 100);
	assert_int_equal(f.n, 0);
	bed_close(&b);
}

TEST(a_trunk_shows_its_newest)
{
	struct trace_found f;
	struct bed b;

	bed_open(&b, 64 << 20);
	for (int i = 0; i < 30; i++) {
		char start[64];

		(void)snprintf(start, sizeof(start), "OPTIONS sip:%d@h SIP/2.0", i);
		say(&b, i & 1, true, 7 + (i & 1), "o", start);
	}
	f = seek(&b, 0, 7, 5);
	assert_int_equal(f.n, 5);
	assert_true(f.more);
	assert_memory_equal(f.items[0].text, "OPTIONS sip:20@", 15);
	assert_memory_equal(f.items[4].text, "OPTIONS sip:28@", 15);
	bed_close(&b);
}

TEST(secrets_are_not_in_the_files)
{
	struct trace_found f;
	struct bed b;

	bed_open(&b, 64 << 20);
	say(&b, false, true, 3, "x\r\nAuthorization: Digest response=\"SECRET\"", "REGISTER sip:h SIP/2.0");
	f = seek(&b, 0, 3, 5);
	assert_int_equal(f.n, 1);
	assert_null(strstr(f.items[0].text, "SECRET"));
	bed_close(&b);
}

TEST(strangers_are_cut_off_and_drive_nobody_out)
{
	struct trace_counters c;
	struct trace_found f;
	struct bed b;

	bed_open(&b, 64 << 20);
	say(&b, false, true, 1, "mine", "INVITE sip:1@h SIP/2.0");
	for (int i = 0; i < 20000; i++)
		say(&b, false, false, 0, "theirs", "INVITE sip:1@h SIP/2.0");
	f = seek(&b, 0, 1, 5);
	trace_get_counters(b.t, &c);
	assert_int_equal(f.n, 1);
	assert_true(c.limited >= 19000);
	assert_int_equal(c.lost, 0);
	bed_close(&b);
}

/* 1 MB: 224 kB a file, four files and what is being written. */
TEST(files_stay_within_their_limit_and_the_newest_stay)
{
	struct trace_found f;
	int64_t bytes;
	struct bed b;

	bed_open(&b, 1 << 20);
	for (int i = 0; i < 20000; i++) {
		say(&b, false, true, 1, "x", "INVITE sip:1@h SIP/2.0");
		if (i % 500 == 0)
			trace_sync(b.t);
	}
	say(&b, false, true, 2, "y", "BYE sip:1@h SIP/2.0");
	f = seek(&b, 0, 2, 5);
	assert_int_equal(f.n, 1);
	assert_true(bed_files(&b, &bytes) >= 3);
	assert_true(bytes <= 1 << 20);
	f = seek(&b, 0, 1, 100000);
	assert_true(f.n > 1000 && f.n < 20000);
	bed_close(&b);
}

TEST(a_full_ring_loses_and_says_so)
{
	struct trace_counters c;
	struct bed b;
	char *big = xcalloc(1, 60000);

	bed_open(&b, 64 << 20);
	memset(big, 'x', 60000);
	for (int i = 0; i < 400; i++) /* 24 MB through a ring of 1 MB, faster than anybody writes */
		trace_message(b.t, &(struct trace_note){.known = true, .transport = "udp"}, big, 60000);
	trace_sync(b.t);
	trace_get_counters(b.t, &c);
	assert_true(c.lost > 0);
	assert_int_equal(c.lost + c.messages, 400);
	free(big);
	bed_close(&b);
}

TEST(a_torn_record_ends_its_file)
{
	struct trace_found f;
	struct bed b;
	DIR *d;

	bed_open(&b, 64 << 20);
	say(&b, false, true, 1, "a", "INVITE sip:1@h SIP/2.0");
	say(&b, false, true, 1, "b", "INVITE sip:1@h SIP/2.0");
	trace_sync(b.t);
	d = opendir(b.dir);
	for (struct dirent *e; (e = readdir(d));) {
		char *path = xasprintf("%s/%s", b.dir, e->d_name);
		int64_t bytes;

		if (e->d_name[0] != '.') {
			(void)bed_files(&b, &bytes);
			assert_int_equal(truncate(path, bytes - 8), 0);
		}
		free(path);
	}
	(void)closedir(d);
	f = seek(&b, 0, 1, 9);
	assert_int_equal(f.n, 1);
	bed_close(&b);
}

TEST(one_message_costs_the_switch_little)
{
	struct timespec from, to;
	struct bed b;
	double us;

	bed_open(&b, 64 << 20);
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (int i = 0; i < 20000; i++)
		say(&b, false, true, 1, "x", "INVITE sip:1@h SIP/2.0");
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	us = ((double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3) / 20000;
	print_message("%.2f us a message, making it included\n", us);
	assert_true(us < 50); /* a machine under sanitizers and with neighbours */
	bed_close(&b);
}

/* ---- pcap ---- */

static uint32_t le32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint16_t be16(const char *p)
{
	return (uint16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}

/* RFC 1071: the sum over a whole header, its checksum included, is all ones. */
static unsigned ones(const char *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += be16(p + i);
	if (n & 1)
		sum += (uint32_t)(uint8_t)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

TEST(pcap_has_right_headers_for_both_families)
{
	struct trace_item items[2] = {
		{.at_us = 1700000000123456, .out = true, .transport = "udp", .text = "OPTIONS", .len = 7},
		{.at_us = 1700000001000000, .transport = "ws", .text = "SIP/2.0 2", .len = 9},
	};
	struct strb b;
	const char *p;

	assert_true(trace_addr_parse(&items[0].local, "192.0.2.1", 5060));
	assert_true(trace_addr_parse(&items[0].remote, "198.51.100.7", 5070));
	assert_true(trace_addr_parse(&items[1].local, "[2001:db8::1]", 8443));
	assert_true(trace_addr_parse(&items[1].remote, "2001:db8::2", 4242));
	strb_init(&b, 1 << 20);
	trace_pcap(&b, items, 2);
	assert_int_equal(b.len, 24 + 16 + 28 + 7 + 16 + 48 + 9);
	assert_int_equal(le32(b.buf), 0xa1b2c3d4);
	assert_int_equal(le32(b.buf + 20), 101);
	p = b.buf + 24;
	assert_int_equal(le32(p), 1700000000);
	assert_int_equal(le32(p + 4), 123456);
	assert_int_equal(le32(p + 8), 35);
	p += 16;
	assert_int_equal(p[0], 0x45);
	assert_int_equal(ones(p, 20, 0), 0xffff);
	assert_int_equal(be16(p + 20), 5060);
	assert_int_equal(be16(p + 22), 5070);
	assert_int_equal(ones(p + 12, 8 + 8 + 7, 17 + 15), 0xffff);
	p += 35 + 16;
	assert_int_equal(p[0], 0x60);
	assert_int_equal(be16(p + 40), 4242);
	assert_int_equal(be16(p + 42), 5060);
	assert_int_equal(ones(p + 8, 32 + 8 + 9, 17 + 17), 0xffff);
	strb_done(&b);
}

TEST(addresses_are_read_and_written)
{
	struct trace_addr a;
	char host[46];

	assert_true(trace_addr_parse(&a, "10.1.2.3", 1));
	trace_addr_host(&a, host, sizeof(host));
	assert_string_equal(host, "10.1.2.3");
	assert_true(trace_addr_parse(&a, "fe80::1%eth0", 1));
	trace_addr_host(&a, host, sizeof(host));
	assert_string_equal(host, "fe80::1");
	assert_false(trace_addr_parse(&a, "carrier.example", 1));
}
