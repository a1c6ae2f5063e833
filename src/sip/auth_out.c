/*
 * Digest as the one who is asked: answers to 401 and 407 (RFC 7616, RFC 8760; RFC 2617 where no qop is offered).
 *
 * The last challenge is kept with the credentials, so that the next request answers it beforehand with a higher count and mostly
 * needs no second round; what has become stale is challenged anew and answered anew.
 */
#include "sip/sip_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sip_auth {
	char *user, *secret;
	struct sipa_asked last; /* nonce "": none yet */
	uint32_t count;         /* uses of its nonce */
};

static void auth_free(void *arg)
{
	struct sip_auth *a = arg;

	free(a->user);
	if (a->secret)
		explicit_bzero(a->secret, strlen(a->secret));
	free(a->secret);
}

struct sip_auth *sip_auth_new(const char *user, const char *secret)
{
	struct sip_auth *a = obj_new(sizeof(*a), auth_free);

	if (!a)
		abort();
	a->user = xstrdup(user);
	a->secret = xstrdup(secret);
	return a;
}

/* ---- which challenge ---- */

static bool has_auth(const char *qop)
{
	for (size_t n; *qop; qop += n + strspn(qop + n, ", ")) {
		n = strcspn(qop, ", ");
		if (n == 4 && !strncasecmp(qop, "auth", 4))
			return true;
	}
	return false;
}

/* 0: none that we can answer; else the stronger the higher. */
static int strength(const struct sipa_asked *c)
{
	if (c->qop[0] && !has_auth(c->qop))
		return 0;
	if (!c->algorithm[0] || !strcasecmp(c->algorithm, "MD5"))
		return 1;
	return strcasecmp(c->algorithm, "SHA-256") ? 0 : 2;
}

static bool take_better(const struct sip_hdr *h, const struct sip_msg *m, void *arg)
{
	struct sipa_asked c, *best = arg;

	(void)m;
	if (!sipa_parse_asked(&c, h->val.p, h->val.l) && strength(&c) > strength(best)) {
		c.proxy = best->proxy;
		*best = c;
	}
	return false;
}

bool sipa_challenged(struct sipa_asked *ret, const struct rx *r)
{
	/* Nothing is better than an algorithm that nobody has. */
	*ret = (struct sipa_asked){.proxy = r->m->scode == 407, .algorithm = "none"};
	if (r->m->scode != 401 && r->m->scode != 407)
		return false;
	(void)sip_msg_hdr_apply(r->m, true, ret->proxy ? SIP_HDR_PROXY_AUTHENTICATE : SIP_HDR_WWW_AUTHENTICATE, take_better, ret);
	return strength(ret) > 0;
}

/* ---- the answer ---- */

static void put_quoted(struct strb *b, const char *name, const char *value)
{
	strb_printf(b, ", %s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			strb_putc(b, '\\');
		strb_putc(b, *value);
	}
	strb_putc(b, '"');
}

static void respond(char *ret65, const struct sip_auth *a, struct sipa_credentials *c, const char *method)
{
	bool sha256 = !strcasecmp(c->algorithm, "SHA-256");
	char ha1[65], ha2[65], *text;

	text = xasprintf("%s:%s:%s", a->user, c->realm, a->secret);
	sipa_hex(ha1, sha256, text, strlen(text));
	explicit_bzero(text, strlen(text));
	free(text);
	if (c->qop[0]) {
		sipa_response(ret65, sha256, ha1, c, method);
		return;
	}
	text = xasprintf("%s:%s", method, c->uri);
	sipa_hex(ha2, sha256, text, strlen(text));
	free(text);
	text = xasprintf("%s:%s:%s", ha1, c->nonce, ha2);
	sipa_hex(ret65, sha256, text, strlen(text));
	free(text);
}

static char *answer(struct sip_auth *a, const char *method, const char *uri)
{
	const struct sipa_asked *asked = &a->last;
	struct sipa_credentials c = {{0}};
	char response[65];
	struct strb b;

	(void)str_copy(c.realm, sizeof(c.realm), asked->realm);
	(void)str_copy(c.nonce, sizeof(c.nonce), asked->nonce);
	(void)str_copy(c.algorithm, sizeof(c.algorithm), asked->algorithm);
	if (!str_copy(c.uri, sizeof(c.uri), uri))
		return NULL;
	if (asked->qop[0])
		(void)str_copy(c.qop, sizeof(c.qop), "auth");
	(void)snprintf(c.nc, sizeof(c.nc), "%08x", ++a->count);
	sipm_random(c.cnonce);
	respond(response, a, &c, method);
	strb_init(&b, 8192);
	strb_printf(&b, "%s: Digest algorithm=%s", asked->proxy ? "Proxy-Authorization" : "Authorization",
		    c.algorithm[0] ? c.algorithm : "MD5");
	put_quoted(&b, "username", a->user);
	put_quoted(&b, "realm", c.realm);
	put_quoted(&b, "nonce", c.nonce);
	put_quoted(&b, "uri", c.uri);
	put_quoted(&b, "response", response);
	if (c.qop[0]) {
		put_quoted(&b, "cnonce", c.cnonce);
		strb_printf(&b, ", qop=auth, nc=%s", c.nc);
	}
	if (asked->has_opaque)
		put_quoted(&b, "opaque", asked->opaque);
	strb_puts(&b, "\r\n");
	return strb_take(&b);
}

char *sipa_answer(struct sip_auth *a, const struct sipa_asked *asked, const char *method, const char *uri)
{
	a->last = *asked;
	a->count = 0;
	return answer(a, method, uri);
}

char *sipa_answer_again(struct sip_auth *a, const char *method, const char *uri)
{
	return a->last.nonce[0] ? answer(a, method, uri) : NULL;
}

void sipa_forget(struct sip_auth *a)
{
	a->last.nonce[0] = '\0';
}

/* ---- the same request once more ---- */

static bool is_header(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && !strncasecmp(line, name, n) && line[n] == ':';
}

/* Our own requests: one Via first, no folding. */
int sipa_rewrite(struct strb *b, const char *sent, size_t len, const char *branch, uint32_t cseq, const char *line)
{
	const char *name_end = strchr(line, ':'), *p = sent, *end = sent + len;
	char name[32];
	bool via = false;

	if (!name_end || (size_t)(name_end - line) >= sizeof(name))
		return -EINVAL;
	memcpy(name, line, (size_t)(name_end - line));
	name[name_end - line] = '\0';
	while (p < end) {
		const char *eol = memmem(p, (size_t)(end - p), "\r\n", 2), *at;
		size_t n = eol ? (size_t)(eol - p) : (size_t)(end - p);

		if (!eol)
			return -EINVAL;
		if (!n) {
			strb_puts(b, line);
			strb_add(b, p, (size_t)(end - p)); /* the empty line, and the body */
			return b->overflow ? -EMSGSIZE : 0;
		}
		if (!via && is_header(p, n, "Via") && (at = memmem(p, n, ";branch=", 8))) {
			size_t old = strcspn(at + 8, ";\r");

			via = true;
			strb_add(b, p, (size_t)(at + 8 - p));
			strb_puts(b, branch);
			strb_add(b, at + 8 + old, n - (size_t)(at + 8 + old - p));
		} else if (is_header(p, n, "CSeq") && (at = memrchr(p, ' ', n))) {
			strb_printf(b, "CSeq: %u", cseq);
			strb_add(b, at, n - (size_t)(at - p));
		} else if (is_header(p, n, name)) {
			p = eol + 2;
			continue;
		} else {
			strb_add(b, p, n);
		}
		strb_puts(b, "\r\n");
		p = eol + 2;
	}
	return -EINVAL;
}
