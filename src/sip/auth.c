/*
 * Digest authentication, MD5 and SHA-256, qop=auth (RFC 7616, RFC 8760).
 *
 * A nonce is "time.random.HMAC(source.time.random)": nothing is kept for strangers. Only after a right answer its
 * last count is remembered, so that a captured answer cannot be used again; that memory is bounded, and what
 * falls out of it makes all nonces of its age stale. Unknown device, wrong secret and a used nonce get the
 * same answer in the same time.
 */
#include "sip/ban.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_LIFE_S 300
#define NONCES_MAX   65536
#define NONCE_LEN    56 /* 8 time + 16 random + 32 MAC */

struct used_nonce {
	struct ilink link;
	char nonce[NONCE_LEN + 1];
	int64_t issued_s;
	uint32_t count; /* the highest */
	uint64_t seen;  /* bit i: count - i was there */
};

static int64_t now_s(void)
{
	return clock_mono_ms() / 1000;
}

int sipa_open(struct sip_stack *s)
{
	hmap_init(&s->nonces, true);
	ilist_init(&s->nonce_list);
	s->nonce_not_before_s = 0;
	return RAND_bytes(s->nonce_key, sizeof(s->nonce_key)) == 1 ? 0 : -EIO;
}

static void forget(struct sip_stack *s, struct used_nonce *u)
{
	(void)hmap_del_str(&s->nonces, u->nonce);
	ilink_unlink(&u->link);
	free(u);
}

void sipa_close(struct sip_stack *s)
{
	ilist_each_entry(&s->nonce_list, u, struct used_nonce, link) forget(s, u);
	hmap_done(&s->nonces);
}

/* ---- nonces ---- */

/* Good for one source: an answer that was overheard, or a challenge that another fetched, serves nowhere else. */
static void nonce_mac(char *hex33, struct sip_stack *s, const struct flow *f, const char *stamp, size_t len)
{
	uint64_t source = sipb_source(&f->peer);
	uint8_t mac[32], text[64];
	unsigned n = sizeof(mac);

	assert(len + sizeof(source) <= sizeof(text));
	memcpy(text, &source, sizeof(source));
	memcpy(text + sizeof(source), stamp, len);
	if (!HMAC(EVP_sha256(), s->nonce_key, sizeof(s->nonce_key), text, sizeof(source) + len, mac, &n))
		abort();
	str_hex_of(hex33, mac, 16);
}

static void nonce_make(struct sip_stack *s, const struct flow *f, char *buf)
{
	char random[17];

	sipm_random(random);
	(void)snprintf(buf, 25, "%08x%s", (unsigned)now_s(), random);
	nonce_mac(buf + 24, s, f, buf, 24);
}

/* SIPA_OK: ours and of age. */
static enum sipa_result nonce_check(struct sip_stack *s, const struct flow *f, const char *nonce, int64_t *issued_s)
{
	char mac[33];
	uint8_t t[4];

	if (strlen(nonce) != NONCE_LEN)
		return SIPA_STALE;
	nonce_mac(mac, s, f, nonce, 24);
	if (CRYPTO_memcmp(mac, nonce + 24, 32) ||
		!str_hex_to(
		t, 4,
		(char[9]){nonce[0], nonce[1], nonce[2], nonce[3], nonce[4], nonce[5], nonce[6], nonce[7], 0}))
		return SIPA_STALE;
	*issued_s = (int64_t)t[0] << 24 | t[1] << 16 | t[2] << 8 | t[3];
	if (now_s() - *issued_s > NONCE_LIFE_S || *issued_s < s->nonce_not_before_s)
		return SIPA_STALE;
	return SIPA_OK;
}

static void drop_oldest(struct sip_stack *s)
{
	while (!ilist_empty(&s->nonce_list)) {
		struct used_nonce *u = container_of(s->nonce_list.next, struct used_nonce, link);

		if (s->nonces.count < NONCES_MAX && now_s() - u->issued_s <= NONCE_LIFE_S)
			return;
		if (now_s() - u->issued_s <= NONCE_LIFE_S)
			s->nonce_not_before_s = u->issued_s + 1;
		forget(s, u);
	}
}

/* Datagrams overtake one another: a count a little below the highest is good once (RFC 7616 5.12 wants replays refused, not disorder). */
static bool count_is_new(struct used_nonce *u, uint32_t count)
{
	uint32_t up = count - u->count, down = u->count - count;

	if (count > u->count) {
		u->seen = up < 64 ? u->seen << up | 1 : 1;
		u->count = count;
		return true;
	}
	if (down >= 64 || u->seen >> down & 1)
		return false;
	u->seen |= 1ULL << down;
	return true;
}

/* The answer was right: is it a new one? */
static bool nonce_use(struct sip_stack *s, const char *nonce, int64_t issued_s, uint32_t count)
{
	struct used_nonce *u = hmap_get_str(&s->nonces, nonce);

	if (u)
		return count_is_new(u, count);
	drop_oldest(s);
	u = xcalloc(1, sizeof(*u));
	(void)str_copy(u->nonce, sizeof(u->nonce), nonce);
	u->issued_s = issued_s;
	u->count = count;
	u->seen = 1;
	ilist_push_back(&s->nonce_list, &u->link);
	hmap_set_str(&s->nonces, u->nonce, u);
	return true;
}

/* ---- the header ---- */

struct member {
	const char *name;
	size_t offset, size;
};

#define MEMBER(type, n, member) {n, offsetof(struct type, member), sizeof(((struct type *)0)->member)}
#define FIELD(n, member) MEMBER(sipa_credentials, n, member)
static const struct member given[] = {
	FIELD("username", user), FIELD("realm", realm),	  FIELD("nonce", nonce),
	FIELD("uri", uri),	     FIELD("response", response), FIELD("cnonce", cnonce),
	FIELD("nc", nc),	     FIELD("qop", qop),		  FIELD("algorithm", algorithm),
};
#undef FIELD
#define FIELD(n, member) MEMBER(sipa_asked, n, member)
static const struct member asked[] = {
	FIELD("realm", realm), FIELD("nonce", nonce), FIELD("qop", qop),
	FIELD("algorithm", algorithm), FIELD("opaque", opaque), FIELD("stale", stale),
};
#undef FIELD

struct cursor {
	const char *p, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && isspace((unsigned char)*c->p))
		c->p++;
}

/* A token or a quoted string into @buf. */
static bool read_value(struct cursor *c, char *buf, size_t size)
{
	bool quoted = c->p < c->end && *c->p == '"';
	size_t n = 0;

	if (quoted)
		c->p++;
	while (c->p < c->end) {
		char ch = *c->p++;

		if (quoted && ch == '"') {
			buf[n] = '\0';
			return true;
		}
		if (!quoted && (ch == ',' || isspace((unsigned char)ch))) {
			c->p--;
			break;
		}
		if (quoted && ch == '\\' && c->p < c->end)
			ch = *c->p++;
		if (n + 1 >= size || (unsigned char)ch < ' ')
			return false;
		buf[n++] = ch;
	}
	buf[n] = '\0';
	return !quoted;
}

static bool store(void *dst, const struct member *members, size_t n, const char *name, const char *value)
{
	for (size_t i = 0; i < n; i++) {
		char *at = (char *)dst + members[i].offset;

		if (strcasecmp(members[i].name, name))
			continue;
		return !at[0] && str_copy(at, members[i].size, value); /* twice: which one counts? neither */
	}
	return true;
}

/* "Digest name=value, ..." into @dst, which is zeroed; unknown names are left out. */
static int parse(void *dst, const struct member *members, size_t n_members, const char *value, size_t len)
{
	struct cursor at = {value, value + len};

	if (len < 7 || strncasecmp(value, "Digest", 6) || !isspace((unsigned char)value[6]))
		return -EINVAL;
	at.p += 6;
	for (;;) {
		char name[32], text[SIPM_URI_MAX];
		size_t n = 0;

		skip_space(&at);
		while (at.p < at.end && *at.p && (isalnum((unsigned char)*at.p) || strchr("-_.", *at.p)) &&
		       n + 1 < sizeof(name))
			name[n++] = *at.p++;
		name[n] = '\0';
		skip_space(&at);
		if (!n || at.p >= at.end || *at.p++ != '=')
			return -EINVAL;
		skip_space(&at);
		if (!read_value(&at, text, sizeof(text)) || !store(dst, members, n_members, name, text))
			return -EINVAL;
		skip_space(&at);
		if (at.p >= at.end)
			break;
		if (*at.p++ != ',')
			return -EINVAL;
	}
	return 0;
}

int sipa_parse(struct sipa_credentials *c, const char *value, size_t len)
{
	*c = (struct sipa_credentials){0};
	if (parse(c, given, ARRAY_LEN(given), value, len))
		return -EINVAL;
	return c->user[0] && c->nonce[0] && c->uri[0] && c->response[0] && c->cnonce[0] &&
		       strlen(c->nc) == 8 && !strcasecmp(c->qop, "auth")
		   ? 0
		   : -EINVAL;
}

int sipa_parse_asked(struct sipa_asked *c, const char *value, size_t len)
{
	*c = (struct sipa_asked){0};
	if (parse(c, asked, ARRAY_LEN(asked), value, len))
		return -EINVAL;
	c->has_opaque = memmem(value, len, "opaque", 6) != NULL;
	return c->nonce[0] ? 0 : -EINVAL;
}

/* ---- the digest ---- */

_Thread_local unsigned sipa_digests;

void sipa_hex(char *ret65, bool sha256, const char *text, size_t len)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	sipa_digests++;
	if (EVP_Digest(text, len, md, &n, sha256 ? EVP_sha256() : EVP_md5(), NULL) != 1)
		abort();
	str_hex_of(ret65, md, n);
}

void sipa_response(char *ret65, bool sha256, const char *ha1, const struct sipa_credentials *c,
		   const char *method)
{
	char ha2[65], text[2 * SIPM_URI_MAX];
	int n;

	n = snprintf(text, sizeof(text), "%s:%s", method, c->uri);
	sipa_hex(ha2, sha256, text, (size_t)n);
	n = snprintf(text, sizeof(text), "%s:%s:%s:%s:%s:%s", ha1, c->nonce, c->nc, c->cnonce, c->qop, ha2);
	sipa_hex(ret65, sha256, text, (size_t)n);
}

/* A captured INVITE must not serve to dial another number. Some clients name only the server. */
static bool uri_is_of_request(const struct sipa_credentials *c, const struct sip_msg *m)
{
	struct pl pl;
	struct uri u;

	pl_set_str(&pl, c->uri);
	if (!pl_cmp(&pl, &m->ruri))
		return true;
	return !uri_decode(&u, &pl) && (!pl_isset(&u.user) || !pl_cmp(&u.user, &m->uri.user));
}

static bool response_is_right(struct sip_stack *s, const struct sipa_credentials *c, const struct rx *r, bool *exists)
{
	const struct sip_msg *m = r->m;
	static const char nobody[] = "00000000000000000000000000000000";
	bool sha256 = !strcasecmp(c->algorithm, "SHA-256"), known;
	struct sip_ha1 ha1 = {0};
	char want[65], method[32];
	const char *h;

	*exists = false;
	if (c->algorithm[0] && !sha256 && strcasecmp(c->algorithm, "MD5"))
		return false;
	known = s->h.credentials && s->h.credentials(&ha1, c->user, s->h.arg);
	*exists = known;
	h = sha256 ? ha1.sha256 : ha1.md5;
	if (!h[0] || (ha1.socket_only && !r->flow.ws))
		known = false;
	(void)sipm_copy(method, sizeof(method), &m->met);
	sipa_response(want, sha256, known ? h : nobody, c, method);
	return strlen(c->response) == strlen(want) && !CRYPTO_memcmp(c->response, want, strlen(want)) &&
	       known && !strcmp(c->realm, s->conf.realm) && uri_is_of_request(c, m);
}

struct search {
	struct sip_stack *s;
	struct sipa_credentials *c;
	bool found;
};

static bool of_our_realm(const struct sip_hdr *h, const struct sip_msg *m, void *arg)
{
	struct search *f = arg;

	(void)m;
	f->found = !sipa_parse(f->c, h->val.p, h->val.l) && !strcmp(f->c->realm, f->s->conf.realm);
	return f->found;
}

/* Somebody may be guessing: the operator, or his fail2ban, must be able to see from where. A stranger must not fill the log. */
static void note_refused(struct sip_stack *s, const struct rx *r, const char *user)
{
	int64_t now = clock_mono_ms();
	char ip[64];

	s->counters.auth_failed++;
	if (s->auth_log_ms && now - s->auth_log_ms < 1000)
		return;
	s->auth_log_ms = now;
	(void)sa_ntop(&r->flow.peer, ip, sizeof(ip));
	log_warn("sip log-in refused peer=%s device=%.32s refused_so_far=%llu", ip, user, (unsigned long long)s->counters.auth_failed);
}

enum sipa_result sipa_check(struct sip_stack *s, const struct rx *r, char *device)
{
	struct sipa_credentials c;
	struct search f = {s, &c, false};
	enum sipa_result fresh;
	int64_t issued_s = 0;
	uint8_t nc[4];
	bool exists;

	(void)sip_msg_hdr_apply(r->m, true, SIP_HDR_AUTHORIZATION, of_our_realm, &f);
	if (!f.found)
		(void)sip_msg_hdr_apply(r->m, true, SIP_HDR_PROXY_AUTHORIZATION, of_our_realm, &f);
	if (!f.found)
		return SIPA_CHALLENGE;
	if (!r->flow.ws && !sipr_is_at(s, c.user, &r->flow) && sipb_pair_banned(s->strangers, &r->flow.peer, c.user, clock_mono_ms()))
		return SIPA_SILENT;
	fresh = nonce_check(s, &r->flow, c.nonce, &issued_s);
	if (!response_is_right(s, &c, r, &exists) || !str_hex_to(nc, 4, c.nc)) {
		note_refused(s, r, c.user);
		sips_offence(s, &r->flow, c.user, exists ? SIP_OFFENCE_PASSWORD : SIP_OFFENCE_UNKNOWN, fresh == SIPA_OK);
		return SIPA_WRONG;
	}
	if (!r->flow.ws)
		sipb_forgive(s->strangers, &r->flow.peer, c.user);
	if (fresh != SIPA_OK ||
		!nonce_use(s, c.nonce, issued_s,
		       (uint32_t)nc[0] << 24 | (uint32_t)nc[1] << 16 | (uint32_t)nc[2] << 8 | nc[3]))
		return SIPA_STALE;
	(void)str_copy(device, SIPM_TOKEN_MAX, c.user);
	return SIPA_OK;
}

/* Browsers' libraries read the first challenge only and know MD5; RFC 8760 wants the stronger one first. */
void sipa_challenge(struct sip_stack *s, const struct rx *r, bool stale)
{
	bool registers = !pl_strcmp(&r->m->met, "REGISTER");
	const char *name = registers ? "WWW-Authenticate" : "Proxy-Authenticate";
	char nonce[NONCE_LEN + 1], lines[1024];
	int n = 0;

	nonce_make(s, &r->flow, nonce);
	for (int i = 0; i < 2; i++) {
		bool sha256 = r->flow.ws ? i == 1 : i == 0;

		if (sha256 && !s->conf.digest_sha256)
			continue;
		n += snprintf(lines + n, sizeof(lines) - (size_t)n,
			      "%s: Digest realm=\"%s\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s\r\n", name,
			      s->conf.realm, nonce, sha256 ? "SHA-256" : "MD5", stale ? ", stale=true" : "");
	}
	siptx_reply_stateless(s, r, registers ? 401 : 407, NULL, lines);
}
