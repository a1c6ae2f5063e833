/*
 * TLS's side of connections. Whoever calls us is known by digest, not by certificate. Whom we call must show one: signed by the given CA
 * (else the system's) and made out for the expected name (RFC 5922 7.1: the domain of the URI; else its address), or exactly the pinned
 * one, whoever signed it.
 */
#include "sip/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void sipstream_tls_mtime(struct timespec *ret, const char *path)
{
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (path && !stat(path, &st))
		*ret = st.st_mtim;
}

static SSL_CTX *context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		abort();
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

SSL_CTX *sipstream_tls_server(const char *cert_path, const char *key_path)
{
	SSL_CTX *ctx = context(TLS_server_method());

	if (SSL_CTX_use_certificate_chain_file(ctx, cert_path) == 1 && SSL_CTX_use_PrivateKey_file(ctx, key_path, SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1)
		return ctx;
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

SSL_CTX *sipstream_tls_client(struct sipstream_tls *x)
{
	struct timespec mtime;
	int loaded = 1;

	sipstream_tls_mtime(&mtime, x->ca);
	if (x->ctx && !memcmp(&mtime, &x->ca_mtime, sizeof(mtime)))
		return x->ctx;
	SSL_CTX_free(x->ctx);
	x->ca_mtime = mtime;
	x->ctx = context(TLS_client_method());
	if (!x->pinned)
		loaded = x->ca ? SSL_CTX_load_verify_locations(x->ctx, x->ca, NULL) : SSL_CTX_set_default_verify_paths(x->ctx);
	if (loaded != 1) {
		ERR_clear_error();
		SSL_CTX_free(x->ctx);
		x->ctx = NULL;
	}
	return x->ctx;
}

bool sipstream_tls_expect(const struct sipstream_tls *x, SSL *ssl, const struct sa *peer)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	uint8_t ip[16];
	char host[64];

	SSL_set_verify(ssl, x->pinned ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (x->pinned)
		return true;
	if (!x->name && sa_ntop(peer, host, sizeof(host)))
		return false;
	if (!x->name)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	if (inet_pton(AF_INET, x->name, ip) == 1 || inet_pton(AF_INET6, x->name, ip) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, x->name) == 1;
	return SSL_set1_host(ssl, x->name) == 1 && SSL_set_tlsext_host_name(ssl, x->name) == 1;
}

bool sipstream_tls_is_expected(const struct sipstream_tls *x, SSL *ssl)
{
	X509 *cert;
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool same;

	if (!x->pinned)
		return SSL_get_verify_result(ssl) == X509_V_OK;
	cert = SSL_get1_peer_certificate(ssl);
	same = cert && X509_digest(cert, EVP_sha256(), md, &n) == 1 && n == sizeof(x->pin) && !CRYPTO_memcmp(md, x->pin, n);
	X509_free(cert);
	return same;
}

/* "ab:cd:..." or "abcd...". */
static bool read_pin(uint8_t *pin, const char *text)
{
	char hex[65];
	size_t n = 0;

	for (; *text; text++) {
		if (*text == ':' || *text == ' ')
			continue;
		if (n == 64)
			return false;
		hex[n++] = *text;
	}
	hex[n] = '\0';
	return n == 64 && str_hex_to(pin, 32, hex);
}

int sipstream_tls_new(struct sipstream_tls **ret, const struct sip_tls *conf, const char *key)
{
	struct sipstream_tls *x = xcalloc(1, sizeof(*x));

	x->pinned = conf->pin && conf->pin[0];
	if (x->pinned && !read_pin(x->pin, conf->pin)) {
		free(x);
		return -EINVAL;
	}
	x->key = xstrdup(key);
	x->name = conf->name && conf->name[0] ? xstrdup(conf->name) : NULL;
	x->ca = conf->ca && conf->ca[0] ? xstrdup(conf->ca) : NULL;
	*ret = x;
	return 0;
}

void sipstream_tls_free(struct sipstream_tls *x)
{
	if (!x)
		return;
	SSL_CTX_free(x->ctx);
	free(x->key);
	free(x->name);
	free(x->ca);
	free(x);
}
