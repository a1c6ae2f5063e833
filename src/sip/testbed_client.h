/* A telephone of the tests that logs in with digest. */
#pragma once

#include "sip/testbed.h"

/* ---- a client ---- */

struct client {
	const char *user, *secret, *aor, *call_id;
	char nonce[128];
	unsigned cseq, nc;
	bool sha256;
	struct peer *peer; /* NULL: other */
};

static struct client client_of(const char *user, const char *secret)
{
	return (struct client){.user = user, .secret = secret, .aor = user, .call_id = "reg", .cseq = 1};
}

static void authorization(char *buf, size_t size, struct client *k, const char *method, const char *uri)
{
	struct sipa_credentials c = {.cnonce = "abc", .qop = "auth"};
	char text[256], ha1[65], response[65];
	int n;

	(void)str_copy(c.nonce, sizeof(c.nonce), k->nonce);
	(void)str_copy(c.uri, sizeof(c.uri), uri);
	(void)snprintf(c.nc, sizeof(c.nc), "%08x", ++k->nc);
	n = snprintf(text, sizeof(text), "%s:" REALM ":%s", k->user, k->secret);
	sipa_hex(ha1, k->sha256, text, (size_t)n);
	sipa_response(response, k->sha256, ha1, &c, method);
	(void)snprintf(buf, size,
		       "Digest username=\"%s\", realm=\"" REALM "\", nonce=\"%s\", uri=\"%s\", response=\"%s\", cnonce=\"abc\", nc=%s, "
		       "qop=auth, algorithm=%s\r\n",
		       k->user, c.nonce, uri, response, c.nc, k->sha256 ? "SHA-256" : "MD5");
}

static void take_nonce(struct client *k, const char *msg, const char *name)
{
	const char *v = header(msg, name), *p = strstr(v, "nonce=\"");

	assert_non_null(p);
	(void)snprintf(k->nonce, sizeof(k->nonce), "%.*s", (int)strcspn(p + 7, "\""), p + 7);
	k->nc = 0;
}

static void send_register(struct client *k, const char *lines)
{
	struct peer *p = k->peer ? k->peer : &other;
	char auth[1024] = "", uri[96];
	static unsigned branch;

	(void)snprintf(uri, sizeof(uri), "sip:%s", local);
	if (k->nonce[0]) {
		(void)snprintf(auth, sizeof(auth), "Authorization: ");
		authorization(auth + 15, sizeof(auth) - 15, k, "REGISTER", uri);
	}
	send_to(p,
		"REGISTER %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKr%u;rport\r\nFrom: <sip:%s@x>;tag=ft\r\nTo: <sip:%s@x>\r\nCall-ID: %s\r\n"
		"CSeq: %u REGISTER\r\nUser-Agent: test phone\r\n%s%sContent-Length: 0\r\n\r\n",
		uri, p->at, branch++, k->aor, k->aor, k->call_id, k->cseq++, lines, auth);
}

/* Sends, takes the challenge, sends again; the final answer. */
static const char *reg(struct client *k, const char *lines)
{
	struct peer *p = k->peer ? k->peer : &other;
	const char *m;

	if (!k->nonce[0]) {
		send_register(k, lines);
		m = await(p, "SIP/2.0 401", 500);
		assert_non_null(m);
		take_nonce(k, m, "WWW-Authenticate");
	}
	send_register(k, lines);
	return await(p, "SIP/2.0 ", 500);
}

static bool is(const char *msg, int code)
{
	return msg && atoi(msg + 8) == code;
}

#define CONTACT "Contact: <sip:alice@10.0.0.7:5060>\r\n"
