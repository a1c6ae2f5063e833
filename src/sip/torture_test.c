/*
 * The nastiest of RFC 4475, written from its descriptions, and some of our own. What is asked of each: no crash, no leg
 * unless it is valid, and an answer of the right class (0: silence).
 */
#include "sip/testbed.h"

#define VIA "Via: SIP/2.0/UDP 127.0.0.3:%PORT%;branch=z9hG4bK"
#define BASE "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: t\r\nContact: <sip:a@127.0.0.3>\r\n"

static const struct torture {
	const char *name, *text;
	int code; /* 0: silence */
} cases[] = {
	/* 3.1.1.1: every allowed oddity of spelling; valid. */
	{"short tortuous INVITE",
	 "INVITE sip:vivekg@127.0.0.1;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = \r\n"
	 "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 0068\r\n"
	 "Call-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 0\r\ncseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=z9hG4bK390skdjuw\r\n"
	 "s :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\nUnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
	 "Route: <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\nv:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"
	 "  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
	 "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n",
	 -1 /* an answer or silence: libre's parser does not take all of it */},
	/* 3.1.2.1 */
	{"extraneous header field separators",
	 "INVITE sip:user@example.com SIP/2.0\r\n" VIA "kdjuw\r\nTo: <sip:j.user@example.com>\r\nFrom: <sip:caller@example.net>;tag=134161461246\r\n"
	 "Max-Forwards: 7\r\nCall-ID: badinv01\r\nCSeq: 8 INVITE\r\nContact: ;;;;;,<sip:x@127.0.0.3>\r\nContent-Length: 0\r\n\r\n",
	 400},
	/* 3.1.2.2 */
	{"content length too large", "INVITE sip:b@x SIP/2.0\r\n" VIA "1\r\n" BASE "CSeq: 1 INVITE\r\nContent-Length: 9999\r\n\r\nv=0\r\n", 400},
	/* 3.1.2.3 */
	{"negative content length", "INVITE sip:b@x SIP/2.0\r\n" VIA "2\r\n" BASE "CSeq: 1 INVITE\r\nContent-Length: -999\r\n\r\nv=0\r\n", 400},
	/* 3.1.2.4 */
	{"scalars with overlarge values in a request",
	 "REGISTER sip:example.com SIP/2.0\r\n" VIA "3\r\nTo: <sip:user@example.com>\r\nFrom: <sip:user@example.com>;tag=239232jh3\r\n"
	 "CSeq: 36893488147419103232 REGISTER\r\nCall-ID: scalar02\r\nMax-Forwards: 300\r\nExpires: 10000000000000000000000000000000\r\n"
	 "Contact: <sip:user@host129.example.com>;expires=280297596632815\r\nContent-Length: 0\r\n\r\n",
	 400},
	/* 3.1.2.5 */
	{"scalars with overlarge values in a response",
	 "SIP/2.0 503 Service Unavailable\r\n" VIA "4\r\nTo: <sip:user@example.com>\r\nFrom: <sip:other@example.net>;tag=2\r\nCall-ID: scalarlg\r\n"
	 "CSeq: 9292394834772304023312 OPTIONS\r\nRetry-After: 949302838503028349304023988\r\nContent-Length: 0\r\n\r\n",
	 0},
	/* 3.1.2.6 */
	{"unterminated quoted string in display name",
	 "INVITE sip:user@example.com SIP/2.0\r\n" VIA "5\r\nTo: \"Mr. J. User <sip:j.user@example.com>\r\nFrom: sip:caller@example.net;tag=93334\r\n"
	 "Max-Forwards: 10\r\nCall-ID: quotbal\r\nCSeq: 8 INVITE\r\nContact: <sip:a@127.0.0.3>\r\nContent-Length: 0\r\n\r\n",
	 400},
	/* 3.1.2.7 */
	{"angle brackets enclosing the Request-URI", "INVITE <sip:b@x> SIP/2.0\r\n" VIA "6\r\n" BASE "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", 416},
	/* 3.1.2.8 */
	{"spaces inside the Request-URI", "INVITE sip:b@x; lr SIP/2.0\r\n" VIA "7\r\n" BASE "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", -1},
	/* 3.1.2.11 */
	{"trailing spaces on the request line", "OPTIONS sip:b@x SIP/2.0  \r\n" VIA "8\r\n" BASE "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", -1},
	/* 3.1.2.14 */
	{"spaces within addr-spec", "OPTIONS sip:b@x SIP/2.0\r\n" VIA "9\r\nFrom: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=433423\r\n"
	 "To: \"Watson, Thomas\" < sip:t.watson@example.org >\r\nCall-ID: badaspec\r\nCSeq: 3923423 OPTIONS\r\nContent-Length: 0\r\n\r\n",
	 -1},
	/* 3.1.2.16 */
	{"unknown protocol version", "OPTIONS sip:b@x SIP/7.0\r\n" VIA "a\r\n" BASE "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", 0},
	/* 3.1.2.17 */
	{"start line and CSeq method mismatch", "OPTIONS sip:b@x SIP/2.0\r\n" VIA "b\r\n" BASE "CSeq: 8 INVITE\r\nContent-Length: 0\r\n\r\n", 400},
	/* 3.1.2.18 */
	{"unknown method with CSeq method mismatch", "NEWMETHOD sip:b@x SIP/2.0\r\n" VIA "c\r\n" BASE "CSeq: 8 INVITE\r\nContent-Length: 0\r\n\r\n", 400},
	/* 3.1.2.19 */
	{"overlarge response code",
	 "SIP/2.0 4294967301 better not break the receiver\r\n" VIA "d\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: t\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
	 0},
	/* 3.2.1 */
	{"missing transaction identifier", "OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.3:%PORT%;branch=z9hG4bK\r\n" BASE "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", 200},
	/* 3.3.1 */
	{"missing required header fields", "INVITE sip:b@x SIP/2.0\r\nCSeq: 193942 INVITE\r\n" VIA "e\r\nContent-Length: 0\r\n\r\n", 0},
	/* 3.3.2 */
	{"Request-URI with unknown scheme", "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n" VIA "f\r\n" BASE "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", 416},
	/* 3.3.8 */
	{"multiple values in single value fields",
	 "INVITE sip:b@x SIP/2.0\r\n" VIA "g\r\nCSeq: 5 INVITE\r\nCall-ID: mv1\r\nCall-ID: mv2\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=3\r\nFrom: <sip:c@x>;tag=9\r\n"
	 "To: <sip:b@x>\r\nTo: <sip:d@x>\r\nContact: <sip:a@127.0.0.3>\r\nCSeq: 59 INVITE\r\nContent-Length: 0\r\n\r\n",
	 400},
	/* 3.3.9 */
	{"multiple Content-Length values", "OPTIONS sip:b@x SIP/2.0\r\n" VIA "h\r\n" BASE "CSeq: 1 OPTIONS\r\nContent-Length: 13\r\nContent-Length: 5\r\n\r\nhello", 400},
	/* 3.3.11: Max-Forwards of zero, but a REGISTER or OPTIONS for us. */
	{"Max-Forwards of zero", "OPTIONS sip:b@x SIP/2.0\r\n" VIA "i\r\n" BASE "CSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n", 483},
	/* 3.3.15 */
	{"unacceptable Content-Type", "INVITE sip:b@x SIP/2.0\r\n" VIA "j\r\n" BASE "CSeq: 1 INVITE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi", 415},
	/* 3.3.17 and our own */
	{"unknown Content-Encoding", "INVITE sip:b@x SIP/2.0\r\n" VIA "k\r\n" BASE "CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", 415},
	{"INVITE without CSeq", "INVITE sip:b@x SIP/2.0\r\n" VIA "l\r\n" BASE "Content-Length: 0\r\n\r\n", 0},
	{"INVITE without Contact", "INVITE sip:b@x SIP/2.0\r\n" VIA "m\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: t\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", 400},
	{"INVITE without a From tag", "INVITE sip:b@x SIP/2.0\r\n" VIA "n\r\nFrom: <sip:a@x>\r\nTo: <sip:b@x>\r\nCall-ID: t\r\nContact: <sip:a@127.0.0.3>\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", 400},
	{"control characters", "OPTIONS sip:b@x SIP/2.0\r\n" VIA "o\r\n" BASE "CSeq: 1 OPTIONS\r\nSubject: a\001b\r\nContent-Length: 0\r\n\r\n", 0},
	{"no end of headers", "OPTIONS sip:b@x SIP/2.0\r\n" VIA "p\r\n" BASE "CSeq: 1 OPTIONS\r\n", 0},
	{"maddr of somebody else", "OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.3:%PORT%;maddr=127.0.0.9;branch=z9hG4bKq\r\n" BASE "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", 200},
	{"nothing", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", 0},
};

static void send_case(const struct torture *t)
{
	char text[4096];
	const char *at = t->text, *port = strchr(trunk.at, ':') + 1, *p;
	size_t n = 0;

	while ((p = strstr(at, "%PORT%"))) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s%s", (int)(p - at), at, port);
		at = p + 6;
	}
	(void)snprintf(text + n, sizeof(text) - n, "%s", at);
	send_to(&trunk, "%s", text);
}

TEST(torture_messages_get_the_right_class_of_answer)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *m;
		int code;

		begin();
		send_case(&cases[i]);
		m = await(&trunk, "SIP/2.0 ", cases[i].code ? 300 : 20);
		code = m ? atoi(m + 8) : 0;
		if (cases[i].code >= 0 && code != cases[i].code)
			print_error("%s: got %d, want %d\n", cases[i].name, code, cases[i].code);
		if (cases[i].code >= 0)
			assert_int_equal(code, cases[i].code);
		if (cases[i].code > 200)
			assert_int_equal(seen.invites, 0);
		assert_int_equal(other.n, 0);
		end();
	}
}

/* All header lines within the limit, and one more than all. */
TEST(message_with_too_many_headers_is_dropped)
{
	for (int over = 0; over < 2; over++) {
		char text[8192];
		int n;

		begin();
		n = snprintf(text, sizeof(text), "OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKz\r\n" BASE "CSeq: 1 OPTIONS\r\n", trunk.at);
		for (int i = 8; i < SIPM_LINES_MAX - 4 + 8 * over; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "X-Y: z\r\n");
		send_to(&trunk, "%s\r\n", text);
		assert_int_equal(await(&trunk, "SIP/2.0 200", over ? 20 : 300) == NULL, over);
		assert_int_equal(counters().malformed, over);
		end();
	}
}

TEST(display_names_lose_their_quoting_only)
{
	char buf[64];
	struct pl p;

	pl_set_str(&p, "\"J \\\"R\\\\\\\"\"");
	sipm_display(buf, sizeof(buf), &p);
	assert_string_equal(buf, "J \"R\\\"");
	pl_set_str(&p, "\xff\xfe");
	sipm_display(buf, sizeof(buf), &p);
	assert_string_equal(buf, "");
}

TEST(user_parts_are_decoded_and_never_hold_control_characters)
{
	char buf[64];
	struct pl p;

	pl_set_str(&p, "%2b86%31");
	assert_true(sipm_user(buf, sizeof(buf), &p));
	assert_string_equal(buf, "+861");
	pl_set_str(&p, "a%0d%0aX");
	assert_false(sipm_user(buf, sizeof(buf), &p));
	assert_string_equal(buf, "");
}

/* RFC 3398 7.2.4.1 and 8.2.6.1. */
TEST(causes_map_both_ways)
{
	assert_int_equal(sipm_q850_of_status(486), 17);
	assert_int_equal(sipm_q850_of_status(404), 1);
	assert_int_equal(sipm_q850_of_status(480), 18);
	assert_int_equal(sipm_q850_of_status(599), 31);
	assert_int_equal(sipm_q850_of_status(0), 0);
	assert_int_equal(sipm_status_of_q850(17), 486);
	assert_int_equal(sipm_status_of_q850(1), 404);
	assert_int_equal(sipm_status_of_q850(34), 503);
	assert_int_equal(sipm_status_of_q850(16), 480);
}
