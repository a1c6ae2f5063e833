/*
 * RFC 4475 section by section, written from its descriptions, and some of our own; over UDP and TCP. What is asked of each: no crash, no leg
 * unless it is valid, and an answer of the right class (0: silence).
 */
#include "sip/testbed.h"

#define VIA "Via: SIP/2.0/UDP 127.0.0.3:%PORT%;branch=z9hG4bK"
#define TEN "0123456789"
#define VIAS "Via: SIP/2.0/TCP sip33.x;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP sip32.x;branch=z9hG4bK2\r\nVia: SIP/2.0/UDP sip31.x;branch=z9hG4bK3\r\n"
#define BASE "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: t\r\nContact: <sip:a@127.0.0.3>\r\n"

static const struct torture {
	const char *name, *text;
	int code; /* 0: silence; -1: an answer or silence */
	bool leg;   /* a call begins */
	bool valid; /* a response that nothing is wrong with */
	bool udp;   /* on a stream it is another case */
	const char *dialled;
} cases[] = {
	/* 3.1.1.1: every allowed oddity of spelling; valid. */
	{"short tortuous INVITE",
	 "INVITE sip:vivekg@127.0.0.1;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918n\r\n"
	 "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 0068\r\n"
	 "Call-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 0\r\ncseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;rport;branch=z9hG4bK390skdjuw\r\n"
	 "s :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\nUnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
	 "Route: <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\nv:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"
	 "  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
	 "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n",
	 481 /* understood: its tag is of no dialog */},
	/* The same spelling, but a new call. */
	{"tortuous INVITE of a new call",
	 "INVITE sip:1000@127.0.0.1;unknownparam SIP/2.0\r\nTO :\r\n sip:b@example.com\r\nfrom   : \"J \\\\\\\"\"       <sip:j@example.com>\r\n  ;\r\n  tag = 98\r\n"
	 "MaX-fOrWaRdS: 0068\r\nCall-ID: ws\r\nl   : 0\r\ncseq: 0009\r\n  INVITE\r\nv  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2 ; rport  ;branch= z9hG4bKs\r\n"
	 "s :\r\nm:\"Q \\\"\\\"\" <sip:j@127.0.0.3> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n",
	 100, .leg = true},
	/* 3.1.1.2: a method may be any token, a user part nearly anything. */
	{"wide range of valid characters",
	 "!A-Method0189_*+`.%of'all~characters SIP:1_odd.~(be!sure)&isn't+it$/odd?,/;;*:&a+b=1,c!*p$w~d_x.(y-z)@x SIP/2.0\r\n" VIA "A1\r\n"
	 "To: \"B\xc3\xa9\x7e \\\\ \\\" \" <sip:1_odd.~(be!sure)&isn't+it$/odd?,/;;*@x>\r\nFrom: tok~en1' 2`*+.!-_ <sip:m@x>;tag=_tok~1'+`*%!-.\r\n"
	 "Call-ID: in~t.%Z%&'*+@x!\r\nCSeq: 139122385 !A-Method0189_*+`.%of'all~characters\r\nMax-Forwards: 255\r\nextensionHeader-!.%*+_`'~: \xef\xbb\xbf\xe5\xa4\xa7\r\nContent-Length: 0\r\n\r\n",
	 405},
	/* 3.1.1.3 */
	{"escaped characters in URIs",
	 "INVITE sip:sips%3Auser%40x@127.0.0.1 SIP/2.0\r\n" VIA "A2\r\nTo: <sip:%75se%72@x>\r\nFrom: <sip:I%20have%20spaces@x>;tag=938\r\nCall-ID: esc1\r\n"
	 "CSeq: 234234 INVITE\r\nContact: <sip:cal%6Cer@127.0.0.3;%6C%72;n%61me=v%61lue%25%34%31>\r\nContent-Length: 0\r\n\r\n",
	 100, .leg = true, .dialled = "sips:user@x"},
	/* 3.1.1.4: NUL in a user part is a character as any other; it is no end of anything. */
	{"escaped nulls in URIs",
	 "REGISTER sip:x SIP/2.0\r\n" VIA "A3\r\nTo: sip:null-%00-null@x\r\nFrom: sip:null-%00-null@x;tag=8\r\nCall-ID: escn\r\nCSeq: 14398234 REGISTER\r\n"
	 "Contact: <sip:%00@h5.x>\r\nContact: <sip:%00%00@h5.x>\r\nContent-Length: 0\r\n\r\n",
	 401},
	/* 3.1.1.5: not REGISTER, since % is no escape there. */
	{"percent sign that is no escape",
	 "RE%47IST%45R sip:x SIP/2.0\r\n" VIA "A4\r\nTo: \"%Z%45\" <sip:r@x>\r\nFrom: \"%Z%45\" <sip:r@x>;tag=f23\r\nCall-ID: e2\r\nCSeq: 29344 RE%47IST%45R\r\n"
	 "Contact: <sip:a@127.0.0.3>\r\nContent-Length: 0\r\n\r\n",
	 405},
	/* 3.1.1.6 */
	{"no white space between display name and <",
	 "INVITE sip:1000@x SIP/2.0\r\n" VIA "A5\r\nTo: <sip:b@x>\r\nFrom: caller<sip:c@x>;tag=323\r\nCall-ID: lws\r\nCSeq: 60 INVITE\r\nContact: <sip:c@127.0.0.3>\r\nContent-Length: 0\r\n\r\n",
	 100, .leg = true},
	/* 3.1.1.7 */
	{"long values",
	 "INVITE sip:1000@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.3:%PORT%;branch=z9hG4bKA6" TEN TEN TEN TEN TEN TEN "\r\n" VIAS VIAS VIAS
	 "To: \"I have a user name of extreme" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN " proportion\" <sip:u" TEN TEN TEN TEN TEN TEN ":6000@x;p1" TEN TEN "=v" TEN TEN TEN TEN ";short=s>\r\n"
	 "F: sip:a" TEN TEN TEN TEN TEN TEN TEN TEN TEN "@x;tag=12982424" TEN TEN TEN TEN TEN TEN TEN TEN ";unknown" TEN TEN TEN "=" TEN TEN TEN "\r\nCall-ID: longreq.onereally" TEN TEN TEN TEN TEN TEN TEN TEN TEN "\r\n"
	 "CSeq: 3882340 INVITE\r\nUnknown-" TEN TEN TEN TEN TEN TEN "-Name: unknown" TEN TEN TEN TEN TEN TEN TEN TEN TEN "\r\nContact: <sip:a" TEN TEN TEN "@127.0.0.3>\r\nl: 0\r\n\r\n",
	 100, .leg = true},
	/* 3.1.1.8: what stands behind the first message of a datagram is nothing. */
	{"request behind a request in one datagram",
	 "REGISTER sip:x SIP/2.0\r\n" VIA "A7\r\n" BASE "CSeq: 8 REGISTER\r\nContent-Length: 0\r\n\r\nINVITE sip:1000@x SIP/2.0\r\n" VIA "A8\r\n" BASE "CSeq: 8 INVITE\r\nContent-Length: 0\r\n\r\n",
	 401, .udp = true},
	/* 3.1.1.9 */
	{"semicolon in a user part", "OPTIONS sip:user;par=u%40example.net@x SIP/2.0\r\n" VIA "A9\r\n" BASE "CSeq: 8 OPTIONS\r\nContent-Length: 0\r\n\r\n", 200},
	/* 3.1.1.10 */
	{"transports of all kinds",
	 "OPTIONS sip:b@x SIP/2.0\r\n" VIA "Aa\r\nVia: SIP/2.0/SCTP h2.x;branch=z9hG4bKa\r\nVia: SIP/2.0/TLS h3.x;branch=z9hG4bKb\r\nVia: SIP/2.0/UNKNOWN h4.x;branch=z9hG4bKc\r\n"
	 "Via: SIP/2.0/TCP h5.x;branch=z9hG4bKd\r\n" BASE "CSeq: 8 OPTIONS\r\nl: 0\r\n\r\n",
	 200},
	/* 3.1.1.11: bytes of all kinds in a body. */
	{"multipart message with a binary part",
	 "MESSAGE sip:b@x SIP/2.0\r\n" VIA "Ab\r\n" BASE "CSeq: 1 MESSAGE\r\nContent-Type: multipart/mixed;boundary=7a9cbec02ceef655\r\nContent-Length: 73\r\n\r\n"
	 "--7a9cbec02ceef655\r\nContent-Type: application/x\r\n\r\n\001\002\003\r\n--7a9cbec02ceef65",
	 405},
	/* 3.1.1.12 */
	{"unusual reason phrase",
	 "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xe5\xa5\xbd\r\n" VIA "Ac\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: u\r\nCSeq: 35 INVITE\r\nContact: <sip:a@127.0.0.3>\r\nContent-Length: 0\r\n\r\n",
	 0, .valid = true},
	/* 3.1.1.13 */
	{"empty reason phrase",
	 "SIP/2.0 100 \r\n" VIA "Ad\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: u\r\nCSeq: 35 INVITE\r\nContent-Length: 0\r\n\r\n",
	 0, .valid = true},
	/* 3.1.2.1 */
	{"extraneous header field separators",
	 "INVITE sip:user@example.com SIP/2.0\r\n" VIA "kdjuw\r\nTo: <sip:j.user@example.com>\r\nFrom: <sip:caller@example.net>;tag=134161461246\r\n"
	 "Max-Forwards: 7\r\nCall-ID: badinv01\r\nCSeq: 8 INVITE\r\nContact: ;;;;;,<sip:x@127.0.0.3>\r\nContent-Length: 0\r\n\r\n",
	 400},
	/* 3.1.2.2 */
	{"content length too large", "INVITE sip:b@x SIP/2.0\r\n" VIA "1\r\n" BASE "CSeq: 1 INVITE\r\nContent-Length: 9999\r\n\r\nv=0\r\n", 400, .udp = true}, /* a stream waits for the rest */
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
	{"unknown protocol version", "OPTIONS sip:b@x SIP/7.0\r\n" VIA "a\r\n" BASE "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", 505},
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
	/* 3.1.2.9 */
	{"several blanks in the request line", "OPTIONS  sip:b@x  SIP/2.0\r\n" VIA "B1\r\n" BASE "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", -1},
	/* 3.1.2.12: header fields in a Request-URI are not for us to follow. */
	{"escaped headers in the Request-URI", "INVITE sip:1000@x?Route=%3Csip:x%3E SIP/2.0\r\n" VIA "B2\r\n" BASE "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", 100, .leg = true},
	/* 3.1.2.13: nobody needs the date. */
	{"invalid time zone in Date", "INVITE sip:1000@x SIP/2.0\r\n" VIA "B3\r\n" BASE "Date: Fri, 01 Jan 2010 16:00:00 EST\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", 100, .leg = true},
	/* 3.1.2.14: whoever is not known is asked for credentials before his Contact is looked at. */
	{"Contact with headers outside of <>", "REGISTER sip:x SIP/2.0\r\n" VIA "B4\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:a@x>\r\nCall-ID: t\r\nContact: sip:a@x?Route=%3Csip:x%3E\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n", 401},
	/* 3.1.2.16: a display name of several words that has a comma. */
	{"unquoted comma in a display name", "OPTIONS sip:b@x SIP/2.0\r\n" VIA "B5\r\nFrom: Bell, Alexander <sip:a@x>;tag=43\r\nTo: Watson, Thomas <sip:b@x>\r\nCall-ID: t\r\nCSeq: 31 OPTIONS\r\nl: 0\r\n\r\n", -1},
	/* 3.3.3 */
	{"Request-URI with a known but not a SIP scheme", "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n" VIA "B6\r\n" BASE "CSeq: 1 OPTIONS\r\nl: 0\r\n\r\n", 416},
	/* 3.3.4 */
	{"unknown schemes in To and From", "REGISTER sip:x SIP/2.0\r\n" VIA "B7\r\nFrom: <http://www.x>;tag=1\r\nTo: isbn:2983792873\r\nCall-ID: t\r\nContact: <sip:a@127.0.0.3>\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n", -1},
	/* 3.3.5 */
	{"Require of what nobody supports", "OPTIONS sip:b@x SIP/2.0\r\n" VIA "B8\r\n" BASE "CSeq: 1 OPTIONS\r\nRequire: nothingSupportsThis, nothingSupportsThisEither\r\nProxy-Require: noProxiesSupportThis\r\nl: 0\r\n\r\n", 420},
	/* 3.3.6 */
	{"unknown Content-Type", "INVITE sip:1000@x SIP/2.0\r\n" VIA "B9\r\n" BASE "CSeq: 1 INVITE\r\nContent-Type: application/unknownformat\r\nContent-Length: 9\r\n\r\n<audio/>\n", 415},
	/* 3.3.7 */
	{"unknown authorization scheme", "REGISTER sip:x SIP/2.0\r\n" VIA "Ba\r\n" BASE "CSeq: 1 REGISTER\r\nAuthorization: NoOneKnowsThisScheme opaque-data=here\r\nl: 0\r\n\r\n", 401},
	/* 3.3.10 */
	{"200 with a broadcast address in Via",
	 "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.3:%PORT%;branch=z9hG4bKBb\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: b\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n",
	 0, .valid = true},
	/* 3.3.12 - 3.3.14 */
	{"parameters of unknown name in Contact", "REGISTER sip:x SIP/2.0\r\n" VIA "Bc\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:a@x>\r\nCall-ID: t\r\nContact: sip:+1972@g.x;unknownparam\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n", 401},
	{"parameters of unknown name in Contact's URI", "REGISTER sip:x SIP/2.0\r\n" VIA "Bd\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:a@x>\r\nCall-ID: t\r\nContact: <sip:+1972@g.x;unknownparam>\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n", 401},
	{"Contact with an escaped Route", "REGISTER sip:x SIP/2.0\r\n" VIA "Be\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:a@x>\r\nCall-ID: t\r\nContact: <sip:a@x?Route=%3Csip:x%3E>\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n", 401},
	/* 3.3.15: Accept of something else than a description: the call begins, since we answer with what we have. */
	{"unacceptable Accept", "INVITE sip:1000@x SIP/2.0\r\n" VIA "Bf\r\n" BASE "CSeq: 1 INVITE\r\nAccept: text/nobodyKnowsThis\r\nl: 0\r\n\r\n", 100, .leg = true},
	/* 3.4.1: RFC 2543 had neither tag nor branch. Nobody sends such to a call centre any more: silence. */
	{"INVITE of RFC 2543", "INVITE sip:1000@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.3:%PORT%\r\nFrom: <sip:+1303@x;user=phone>\r\nTo: <sip:+1650@x;user=phone>\r\nCall-ID: 2543\r\nCSeq: 56 INVITE\r\nContact: <sip:a@127.0.0.3>\r\nl: 0\r\n\r\n", 0},
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

static size_t case_text(char *text, size_t size, const struct torture *t)
{
	const char *at = t->text, *port = strchr(trunk.at, ':') + 1, *p;
	size_t n = 0;

	while ((p = strstr(at, "%PORT%"))) {
		n += (size_t)snprintf(text + n, size - n, "%.*s%s", (int)(p - at), at, port);
		at = p + 6;
	}
	return n + (size_t)snprintf(text + n, size - n, "%s", at);
}

static void judge(const struct torture *t, int code, const char *how)
{
	if (t->code >= 0 && code != t->code)
		print_error("%s over %s: got %d, want %d\n", t->name, how, code, t->code);
	if (t->code >= 0)
		assert_int_equal(code, t->code);
	if (seen.invites != t->leg && (t->leg || t->code >= 0))
		print_error("%s over %s: %u calls\n", t->name, how, seen.invites);
	if (t->leg || t->code >= 0)
		assert_int_equal(seen.invites, t->leg);
	if (t->dialled)
		assert_string_equal(seen.dialled, t->dialled);
	if (t->valid && counters().malformed)
		print_error("%s over %s is taken for malformed\n", t->name, how);
	assert_false(t->valid && counters().malformed);
	assert_int_equal(other.n, 0);
}

TEST(torture_messages_get_the_right_class_of_answer)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[8192];
		const char *m;

		begin();
		(void)case_text(text, sizeof(text), &cases[i]);
		send_to(&trunk, "%s", text);
		m = await(&trunk, "SIP/2.0 ", cases[i].code ? 300 : 20);
		judge(&cases[i], m ? atoi(m + 8) : 0, "UDP");
		end();
	}
}

/* The first answer that comes back over a connection from the trunk's address; 0: none. */
static int over_tcp(const char *text, size_t len, int ms)
{
	struct sa from, to = stack->listeners[1].local;
	char back[65536];
	ssize_t n = -1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)sa_set_str(&from, "127.0.0.3", 0);
	assert_int_equal(bind(fd, &from.u.sa, from.len), 0);
	assert_int_equal(connect(fd, &to.u.sa, to.len), 0);
	assert_int_equal(send(fd, text, len, 0), len);
	for (; n <= 0 && ms > 0; ms -= 5) {
		run_ms(5);
		n = recv(fd, back, sizeof(back) - 1, MSG_DONTWAIT);
	}
	(void)close(fd);
	back[n > 0 ? n : 0] = '\0';
	return strncmp(back, "SIP/2.0 ", 8) ? 0 : atoi(back + 8);
}

TEST(torture_messages_get_the_same_answers_over_tcp)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[8192];
		size_t n;

		if (cases[i].udp)
			continue;
		begin_with((struct sip_conf){.listen = "udp:127.0.0.1:0, tcp:127.0.0.1:0"});
		n = case_text(text, sizeof(text), &cases[i]);
		judge(&cases[i], over_tcp(text, n, cases[i].code ? 300 : 20), "TCP");
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
