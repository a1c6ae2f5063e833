/*
 * A browser's leg: ICE-lite (RFC 8445 2.5), DTLS (RFC 5764) and SRTP on the leg's one socket.
 *
 *   STUN check with our password -> the address is valid; USE-CANDIDATE selects it
 *   ClientHello from a valid address -> handshake -> fingerprint as signalled? -> keys -> MED_EV_SECURE
 *
 * The handshake may end before the other side's description is here, and the description may change later: the
 * fingerprint is compared at both moments, and no media passes before it matches. DTLS is OpenSSL on the leg's socket: libre's
 * is tied to its own UDP sockets, which allocate a buffer for each packet. STUN's codec and SRTP are libre's.
 * The SSL object (about 60 kB) goes LINGER_MS after the handshake; until then it repeats a last flight that was lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <re.h>

#include "media/media_int.h"

#define VALID_MAX 4
#define LINGER_MS 10000
#define HANDSHAKE_MS 30000 /* from the description to keys, at most */
#define KEY_LEN 16
#define SALT_LEN 14
#define MTU 1200

struct secure_shared {
	SSL_CTX *ctx;
	BIO_METHOD *bio;
	char fp[32 * 3];
};

struct secure {
	struct mleg *leg;
	struct secure_shared *shared;
	struct secure_conf conf;
	bool up, failed, done;      /* keys in use; given up; handshake ended */
	maddr valid[VALID_MAX];
	unsigned n_valid, next_valid;
	maddr selected; /* port 0: none yet */
	SSL *ssl;
	const uint8_t *in;          /* the datagram that the BIO gives */
	size_t in_len;
	maddr dtls_peer;
	int64_t since_ms, done_ms;
	uint8_t peer_fp[32];
	struct sdes_conf keys; /* from the handshake; into the leg's mcrypt when the fingerprint matches */
};

/* ---- BIO: one datagram in, datagrams out ---- */

static int bio_write(BIO *b, const char *p, int n)
{
	struct secure *s = BIO_get_data(b);

	(void)mleg_raw_send(s->leg, p, (size_t)n, &s->dtls_peer);
	return n; /* a lost datagram is repeated by the timer */
}

static int bio_read(BIO *b, char *p, int n)
{
	struct secure *s = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (!s->in_len || (size_t)n < s->in_len) {
		BIO_set_retry_read(b);
		return -1;
	}
	n = (int)s->in_len;
	memcpy(p, s->in, s->in_len);
	s->in_len = 0;
	return n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return MTU;
	default:
		return 0;
	}
}

/* ---- certificate and context ---- */

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name;
	uint64_t serial = 0;

	if (!x)
		return NULL;
	(void)RAND_bytes((uint8_t *)&serial, sizeof(serial));
	name = X509_get_subject_name(x);
	(void)X509_set_version(x, 2);
	(void)ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 10L * 365 * 86400);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"huawu", -1, -1, 0);
	(void)X509_set_issuer_name(x, name);
	if (X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

/* Any certificate is taken here: the fingerprint decides later. */
static int take_any(int ok, X509_STORE_CTX *ctx)
{
	return 1;
}

static bool context(struct secure_shared *s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? self_signed(key) : NULL;
	uint8_t md[32];
	bool ok = false;

	s->ctx = SSL_CTX_new(DTLS_method());
	if (cert && s->ctx && SSL_CTX_use_certificate(s->ctx, cert) == 1 && SSL_CTX_use_PrivateKey(s->ctx, key) == 1 &&
	    SSL_CTX_set_min_proto_version(s->ctx, DTLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(s->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES") == 1 &&
	    !SSL_CTX_set_tlsext_use_srtp(s->ctx, "SRTP_AES128_CM_SHA1_80") &&
	    X509_digest(cert, EVP_sha256(), md, NULL) == 1) {
		SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, take_any);
		SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_OFF);
		(void)SSL_CTX_set_options(s->ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
		(void)SSL_CTX_set_mode(s->ctx, SSL_MODE_RELEASE_BUFFERS);
		for (int i = 0; i < 32; i++)
			(void)snprintf(s->fp + 3 * i, 4, "%02X%s", md[i], i < 31 ? ":" : "");
		ok = true;
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

int msecure_shared_new(struct secure_shared **ret)
{
	struct secure_shared *s = xcalloc(1, sizeof(*s));

	s->bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "leg");
	if (!s->bio || BIO_meth_set_write(s->bio, bio_write) != 1 || BIO_meth_set_read(s->bio, bio_read) != 1 ||
	    BIO_meth_set_ctrl(s->bio, bio_ctrl) != 1 || !context(s)) {
		msecure_shared_free(s);
		return -EIO;
	}
	*ret = s;
	return 0;
}

void msecure_shared_free(struct secure_shared *s)
{
	if (!s)
		return;
	SSL_CTX_free(s->ctx);
	BIO_meth_free(s->bio);
	free(s);
}

const char *msecure_fingerprint(const struct secure_shared *s)
{
	return s->fp;
}

/* ---- keys ---- */

static void fail(struct secure *s)
{
	if (s->failed)
		return;
	s->failed = true;
	s->up = false;
	mleg_ticking(s->leg, TICK_SECURE, false);
	mleg_event(s->leg, MED_EV_SECURE_FAILED);
}

/* Both are there now, whichever came first: the handshake's certificate and the description's fingerprint. */
static void settle(struct secure *s)
{
	if (!s->done || !s->conf.has_fp || s->up || s->failed)
		return;
	if (CRYPTO_memcmp(s->peer_fp, s->conf.fp, sizeof(s->peer_fp)) || !mcrypt_set(&s->leg->crypt, &s->keys)) {
		fail(s);
		return;
	}
	s->up = true;
	mleg_event(s->leg, MED_EV_SECURE);
}

/* RFC 5764 4.2: client key, server key, client salt, server salt. */
static bool take_keys(struct secure *s)
{
	uint8_t km[2 * (KEY_LEN + SALT_LEN)];
	struct sdp_crypto *tx = &s->keys.tx, *rx = &s->keys.rx;
	uint8_t *client = s->conf.client ? tx->key : rx->key, *server = s->conf.client ? rx->key : tx->key;
	X509 *cert = SSL_get1_peer_certificate(s->ssl);
	bool ok = cert && X509_digest(cert, EVP_sha256(), s->peer_fp, NULL) == 1 &&
		  SSL_get_selected_srtp_profile(s->ssl) &&
		  SSL_export_keying_material(s->ssl, km, sizeof(km), "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) == 1;

	X509_free(cert);
	if (!ok)
		return false;
	memcpy(client, km, KEY_LEN);
	memcpy(server, km + KEY_LEN, KEY_LEN);
	memcpy(client + KEY_LEN, km + 2 * KEY_LEN, SALT_LEN);
	memcpy(server + KEY_LEN, km + 2 * KEY_LEN + SALT_LEN, SALT_LEN);
	tx->suite = rx->suite = SUITE_CM_80;
	OPENSSL_cleanse(km, sizeof(km));
	return true;
}

/* ---- handshake ---- */

static bool ssl_new(struct secure *s)
{
	BIO *bio = BIO_new(s->shared->bio);

	s->ssl = SSL_new(s->shared->ctx);
	if (!bio || !s->ssl) {
		BIO_free(bio);
		return false;
	}
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	SSL_set_bio(s->ssl, bio, bio);
	(void)SSL_set_mtu(s->ssl, MTU);
	if (s->conf.client)
		SSL_set_connect_state(s->ssl);
	else
		SSL_set_accept_state(s->ssl);
	return true;
}

static void ssl_drop(struct secure *s)
{
	if (!s->ssl)
		return;
	SSL_set_quiet_shutdown(s->ssl, 1);
	SSL_free(s->ssl);
	s->ssl = NULL;
}

static void handshake(struct secure *s)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(s->ssl);
	if (r == 1) {
		if (!take_keys(s)) {
			fail(s);
			return;
		}
		s->done = true;
		s->done_ms = clock_mono_ms();
		settle(s);
		return;
	}
	r = SSL_get_error(s->ssl, r);
	if (r != SSL_ERROR_WANT_READ && r != SSL_ERROR_WANT_WRITE)
		fail(s);
}

static bool is_valid(const struct secure *s, const maddr *a)
{
	for (unsigned i = 0; i < s->n_valid; i++)
		if (maddr_same(&s->valid[i], a))
			return true;
	return false;
}

static void dtls_packet(struct secure *s, const uint8_t *p, size_t n, const maddr *from)
{
	char rest[64];

	if (s->failed || !is_valid(s, from)) {
		s->leg->dropped++;
		return;
	}
	if (!s->ssl && (s->done || !ssl_new(s)))
		return;
	s->dtls_peer = *from;
	s->in = p;
	s->in_len = n;
	if (!s->done)
		handshake(s);
	else
		(void)SSL_read(s->ssl, rest, sizeof(rest)); /* their last flight again: ours is repeated */
	s->in_len = 0;
}

/* They answered setup:passive: we speak first, once there is an address. */
static void connect_now(struct secure *s)
{
	if (!s->conf.client || s->ssl || s->done || s->failed || !s->n_valid)
		return;
	s->dtls_peer = s->selected.sin6_port ? s->selected : s->valid[0];
	if (ssl_new(s))
		handshake(s);
}

void msecure_tick(struct mleg *l)
{
	struct secure *s = l->sec;
	int64_t now = clock_mono_ms();

	if (s->done) {
		if (now - s->done_ms < LINGER_MS)
			return;
		ssl_drop(s);
		if (s->up)
			mleg_ticking(l, TICK_SECURE, false);
	} else if (s->ssl && DTLSv1_handle_timeout(s->ssl) < 0) {
		fail(s);
		return;
	}
	connect_now(s);
	if (!s->up && s->conf.has_fp && now - s->since_ms > HANDSHAKE_MS)
		fail(s);
}

/* ---- ICE-lite ---- */

/* USERNAME is "ours:theirs"; theirs is known once their description is. */
static bool username_ok(const struct secure *s, const char *name)
{
	size_t n = strlen(s->conf.ufrag);

	if (!n || strncmp(name, s->conf.ufrag, n) || name[n] != ':')
		return false;
	return !s->conf.their_ufrag[0] || !strcmp(name + n + 1, s->conf.their_ufrag);
}

static bool check_ok(const struct secure *s, const struct stun_msg *msg, const struct stun_unknown_attr *ua)
{
	const struct stun_attr *name = stun_msg_attr(msg, STUN_ATTR_USERNAME);

	return stun_msg_class(msg) == STUN_CLASS_REQUEST && stun_msg_method(msg) == STUN_METHOD_BINDING && !ua->typec &&
	       name && username_ok(s, name->v.username) && !stun_msg_chk_fingerprint(msg) &&
	       !stun_msg_chk_mi(msg, (const uint8_t *)s->conf.pwd, strlen(s->conf.pwd));
}

static void reply(struct secure *s, const struct stun_msg *msg, const maddr *from)
{
	struct mbuf *mb = mbuf_alloc(256);
	struct sa sa;

	struct maddr_native to;

	if (!mb)
		return;
	maddr_to(&to, from, maddr_is4(from) ? AF_INET : AF_INET6); /* a mapped address would tell the browser nothing */
	if (!sa_set_sa(&sa, &to.sa) &&
	    !stun_msg_encode(mb, STUN_METHOD_BINDING, STUN_CLASS_SUCCESS_RESP, stun_msg_tid(msg), NULL,
			     (const uint8_t *)s->conf.pwd, strlen(s->conf.pwd), true, 0x00, 1, STUN_ATTR_XOR_MAPPED_ADDR, &sa))
		(void)mleg_raw_send(s->leg, mb->buf, mb->end, from);
	mem_deref(mb);
}

static void valid_add(struct secure *s, const maddr *from)
{
	if (is_valid(s, from))
		return;
	s->valid[s->next_valid++ % VALID_MAX] = *from;
	if (s->n_valid < VALID_MAX)
		s->n_valid++;
}

static void stun_packet(struct secure *s, const uint8_t *p, size_t n, const maddr *from)
{
	struct stun_unknown_attr ua;
	struct stun_msg *msg = NULL;
	struct mbuf *mb = mbuf_alloc(n);

	if (!mb)
		return;
	(void)mbuf_write_mem(mb, p, n);
	mb->pos = 0;
	if (!stun_msg_decode(&msg, mb, &ua) && check_ok(s, msg, &ua)) {
		valid_add(s, from);
		if (!s->selected.sin6_port || stun_msg_attr(msg, STUN_ATTR_USE_CAND))
			s->selected = *from;
		reply(s, msg, from);
		connect_now(s);
	} else {
		s->leg->dropped++;
	}
	mem_deref(msg);
	mem_deref(mb);
}

/* RFC 7983: who is meant tells the first byte. */
bool msecure_packet(struct mleg *l, uint8_t *buf, size_t n, const maddr *from)
{
	if (!n || buf[0] > 63)
		return false;
	if (buf[0] < 4)
		stun_packet(l->sec, buf, n, from);
	else if (buf[0] >= 20)
		dtls_packet(l->sec, buf, n, from);
	return true;
}

/* ---- set-up ---- */

/* Another certificate is another association: everything from the old one goes. */
static void dtls_reset(struct secure *s)
{
	ssl_drop(s);
	s->up = s->done = s->failed = false;
	s->leg->crypt = mcrypt_free(s->leg->crypt);
}

void msecure_set(struct mleg *l, struct secure_shared *shared, struct secure_conf *conf)
{
	struct secure *s = l->sec;

	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->leg = l;
		s->shared = shared;
		l->sec = s;
	} else if (s->conf.has_fp && conf->has_fp && memcmp(s->conf.fp, conf->fp, sizeof(conf->fp))) {
		dtls_reset(s);
	} else if (!conf->has_fp) { /* an offer of ours: theirs stays as it was */
		conf->has_fp = s->conf.has_fp;
		conf->client = s->conf.client;
		memcpy(conf->fp, s->conf.fp, sizeof(conf->fp));
		memcpy(conf->their_ufrag, s->conf.their_ufrag, sizeof(conf->their_ufrag));
	}
	s->conf = *conf;
	free(conf);
	s->since_ms = clock_mono_ms();
	if (!s->up)
		mleg_ticking(l, TICK_SECURE, true);
	settle(s);
}

void msecure_free(struct secure *s)
{
	if (!s)
		return;
	ssl_drop(s);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

bool msecure_ready(const struct mleg *l)
{
	return l->sec->up && l->sec->selected.sin6_port;
}

const maddr *msecure_target(const struct mleg *l)
{
	return l->sec->selected.sin6_port ? &l->sec->selected : NULL;
}

/* Any address that passed a check: a browser that moves to another pair has packets of both on the way. */
bool msecure_source(const struct mleg *l, const maddr *from)
{
	return l->sec->up && is_valid(l->sec, from);
}
