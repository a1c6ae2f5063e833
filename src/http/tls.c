/*
 * The TLS certificate: microhttpd asks for it at each handshake, so files that were renewed are used without a restart. A new pair that
 * does not load or does not fit together leaves the old one in use. Old pairs are kept until the end (a renewal is
 * rare), since handshakes of the moment may still hold them.
 */
#include "http/http_int.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define CHAIN_MAX 8
#define LOOK_EVERY_MS 2000

struct pair {
	struct ilink link;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned chain_n;
	gnutls_privkey_t key;
};

struct tls {
	char *cert_path, *key_path;
	pthread_mutex_t lock;
	struct ilink pairs; /* newest first; that one is in use */
	struct timespec cert_mtime, key_mtime;
	int64_t looked_ms;
};

/* microhttpd's callback has no argument of ours; one TLS server a process. */
static _Atomic(struct tls *) in_use;

static void pair_free(struct pair *p)
{
	for (unsigned i = 0; i < p->chain_n; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	if (p->key)
		gnutls_privkey_deinit(p->key);
	free(p);
}

/* 0 when the certificate is for the key. */
static int fits(struct pair *p)
{
	unsigned char a[64], b[64];
	size_t an = sizeof(a), bn = sizeof(b);
	gnutls_pubkey_t pub;
	int r;

	if (gnutls_pubkey_init(&pub))
		return -ENOMEM;
	r = gnutls_pubkey_import_privkey(pub, p->key, 0, 0);
	if (!r)
		r = gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, a, &an);
	if (!r)
		r = gnutls_pubkey_get_key_id(p->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, b, &bn);
	gnutls_pubkey_deinit(pub);
	return r || an != bn || memcmp(a, b, an) != 0 ? -EINVAL : 0;
}

static int pair_load(struct pair **ret, const char *cert_path, const char *key_path)
{
	struct pair *p = xcalloc(1, sizeof(*p));
	gnutls_datum_t cert = {0}, key = {0};
	unsigned n = CHAIN_MAX;
	int r = -ENOENT;

	if (gnutls_load_file(cert_path, &cert) || gnutls_load_file(key_path, &key))
		goto out;
	r = -EINVAL;
	if (gnutls_pcert_list_import_x509_raw(p->chain, &n, &cert, GNUTLS_X509_FMT_PEM, 0))
		goto out;
	p->chain_n = n;
	if (!n || gnutls_privkey_init(&p->key))
		goto out;
	if (gnutls_privkey_import_x509_raw(p->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0))
		goto out;
	r = fits(p);
out:
	gnutls_free(cert.data);
	if (key.data)
		gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	if (r)
		pair_free(p);
	else
		*ret = p;
	return r;
}

static void mtimes(const struct tls *t, struct timespec *cert, struct timespec *key)
{
	struct stat st;

	memset(cert, 0, sizeof(*cert));
	memset(key, 0, sizeof(*key));
	if (!stat(t->cert_path, &st))
		*cert = st.st_mtim;
	if (!stat(t->key_path, &st))
		*key = st.st_mtim;
}

static int load(struct tls *t)
{
	struct pair *p = NULL;
	int r;

	mtimes(t, &t->cert_mtime, &t->key_mtime);
	r = pair_load(&p, t->cert_path, t->key_path);
	if (r)
		return r;
	(void)pthread_mutex_lock(&t->lock);
	ilist_push_front(&t->pairs, &p->link);
	(void)pthread_mutex_unlock(&t->lock);
	return 0;
}

int tls_new(struct tls **ret, const char *cert_path, const char *key_path)
{
	struct tls *t = xcalloc(1, sizeof(*t));
	int r;

	t->cert_path = xstrdup(cert_path);
	t->key_path = xstrdup(key_path);
	(void)pthread_mutex_init(&t->lock, NULL);
	ilist_init(&t->pairs);
	r = load(t);
	if (r) {
		tls_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void tls_use(struct tls *t)
{
	struct tls *none = NULL;

	assert(atomic_compare_exchange_strong(&in_use, &none, t));
}

void tls_free(struct tls *t)
{
	struct tls *self = t;

	if (!t)
		return;
	(void)atomic_compare_exchange_strong(&in_use, &self, NULL);
	ilist_each_entry(&t->pairs, p, struct pair, link) {
		ilink_unlink(&p->link);
		pair_free(p);
	}
	(void)pthread_mutex_destroy(&t->lock);
	free(t->cert_path);
	free(t->key_path);
	free(t);
}

void tls_tick(struct tls *t, int64_t now_ms)
{
	struct timespec cert, key;
	int r;

	if (now_ms - t->looked_ms < LOOK_EVERY_MS)
		return;
	t->looked_ms = now_ms;
	mtimes(t, &cert, &key);
	if (!memcmp(&cert, &t->cert_mtime, sizeof(cert)) && !memcmp(&key, &t->key_mtime, sizeof(key)))
		return;
	r = load(t);
	if (r)
		log_warn("certificate changed, but does not load error=%d, the old one stays in use", -r);
	else
		log_info("certificate changed, in use from now on");
}

static int retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
		    unsigned *certs_n, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_n, gnutls_privkey_t *key,
		    unsigned *flags)
{
	struct tls *t = in_use;
	struct pair *p;

	if (!t)
		return -1;
	(void)pthread_mutex_lock(&t->lock);
	p = container_of(t->pairs.next, struct pair, link);
	(void)pthread_mutex_unlock(&t->lock);
	*certs = p->chain;
	*certs_n = p->chain_n;
	*ocsp = NULL;
	*ocsp_n = 0;
	*key = p->key;
	*flags = 0; /* they stay ours */
	return 0;
}

void *tls_callback(void)
{
	gnutls_certificate_retrieve_function3 *fn = retrieve;

	return (void *)fn;
}
