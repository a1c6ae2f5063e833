/*
 * SRTP and SRTCP with libre's: keys from DTLS (msecure.c) or from the description (RFC 4568). What does not authenticate
 * never comes through: a wrong key gives silence and a count, not noise.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>

#include "media/media_int.h"

#define NEW_SSRC_MS 100 /* another SSRC is looked at only after so much silence of the current one */

struct mcrypt {
	struct sdes_conf keys;
	struct srtp *tx, *rx;
	uint32_t rx_ssrc;
};

static const enum srtp_suite suites[SUITE_N] = {
	[SUITE_CM_80] = SRTP_AES_CM_128_HMAC_SHA1_80,
	[SUITE_CM_32] = SRTP_AES_CM_128_HMAC_SHA1_32,
	[SUITE_GCM_128] = SRTP_AES_128_GCM,
	[SUITE_GCM_256] = SRTP_AES_256_GCM,
};

static bool same(const struct sdp_crypto *a, const struct sdp_crypto *b)
{
	return a->suite == b->suite && !CRYPTO_memcmp(a->key, b->key, msdp_suite_key(a->suite));
}

static bool make(struct srtp **st, const struct sdp_crypto *c)
{
	*st = mem_deref(*st);
	return !srtp_alloc(st, suites[c->suite], c->key, msdp_suite_key(c->suite), 0);
}

bool mcrypt_set(struct mcrypt **ret, const struct sdes_conf *c)
{
	struct mcrypt *m = *ret ? *ret : xcalloc(1, sizeof(*m));

	*ret = m;
	if ((!m->tx || !same(&m->keys.tx, &c->tx)) && !make(&m->tx, &c->tx))
		return false;
	if ((!m->rx || !same(&m->keys.rx, &c->rx)) && !make(&m->rx, &c->rx))
		return false;
	m->keys = *c;
	return true;
}

struct mcrypt *mcrypt_free(struct mcrypt *m)
{
	if (!m)
		return NULL;
	mem_deref(m->tx);
	mem_deref(m->rx);
	OPENSSL_cleanse(m, sizeof(*m));
	free(m);
	return NULL;
}

enum sdp_suite mcrypt_suite(const struct mcrypt *m)
{
	return m->keys.tx.suite;
}

size_t mcrypt_protect(struct mleg *l, uint8_t *buf, size_t n, bool rtcp)
{
	struct mbuf mb = {.buf = buf, .size = n + PACKET_ROOM, .pos = 0, .end = n};
	struct mcrypt *m = l->crypt;

	if (!m || (rtcp ? srtcp_encrypt(m->tx, &mb) : srtp_encrypt(m->tx, &mb)))
		return 0;
	return mb.end;
}

static uint32_t ssrc_of(const uint8_t *buf)
{
	return (uint32_t)buf[8] << 24 | (uint32_t)buf[9] << 16 | (uint32_t)buf[10] << 8 | buf[11];
}

/*
 * libre makes a stream for each SSRC before it checks the packet, eight at most: a new SSRC is looked at only when
 * the current one is silent, and a full table is made anew.
 */
static bool ssrc_ok(const struct mleg *l, const uint8_t *buf)
{
	if (!l->rx.up || ssrc_of(buf) == l->crypt->rx_ssrc)
		return true;
	return clock_mono_ms() - l->rx_ms >= NEW_SSRC_MS;
}

size_t mcrypt_unprotect(struct mleg *l, uint8_t *buf, size_t n, bool rtcp)
{
	struct mbuf mb = {.buf = buf, .size = n, .pos = 0, .end = n};
	struct mcrypt *m = l->crypt;
	int r;

	if (!m)
		return 0;
	if (rtcp)
		return srtcp_decrypt(m->rx, &mb) ? 0 : mb.end;
	if (n < RTP_HDR || !ssrc_ok(l, buf))
		return 0;
	r = srtp_decrypt(m->rx, &mb);
	if (r == ENOSR || r == ENOMEM) {
		(void)make(&m->rx, &m->keys.rx);
		return 0;
	}
	if (r) {
		l->bad_srtp += r == EAUTH || r == EBADMSG; /* not a repeated packet */
		return 0;
	}
	m->rx_ssrc = ssrc_of(buf);
	return mb.end;
}
