/* TCP and TLS connections: stream.c's thread, stream_tls.c's certificates. Private to sip/. */
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "sip/sip_priv.h"

/* What the thread tells the stack. */
enum sipstream_event {
	SIPSTREAM_OPENED,  /* struct sipstream_opened: accepted */
	SIPSTREAM_UP,      /* uint64_t: one that we ordered is connected */
	SIPSTREAM_MESSAGE, /* uint64_t, then the message */
	SIPSTREAM_CLOSED,  /* struct sipstream_closed; comes once for every one opened or ordered */
};

struct sipstream_opened {
	uint64_t id;
	enum sip_tp tp;
	struct sa peer;
};

struct sipstream_closed {
	uint64_t id;
	bool was_up;
	char why[48];
};

/* ---- the stack's thread ---- */

/** -ENOENT, -EACCES: a TLS listener without a usable certificate. */
int sipstream_start(struct sip_streams **ret, struct sip_stack *s, void (*event)(int type, void *data, size_t len, void *arg));
void sipstream_stop(struct sip_streams *t); /* what was sent before leaves within half a second or never */
/** Answers the connection's number at once; what is sent to it waits until it is up. @tls outlives it. */
uint64_t sipstream_connect(struct sip_streams *t, enum sip_tp tp, const struct sa *to, struct sipstream_tls *tls);
int sipstream_send(struct sip_streams *t, uint64_t id, const char *data, size_t len);
void sipstream_known(struct sip_streams *t, uint64_t id); /* somebody logged in through it, or a trunk is at its other end */
void sipstream_handled(struct sip_streams *t, size_t bytes); /* that many bytes of SIPSTREAM_MESSAGE are dealt with */

/* ---- certificates: stream_tls.c ---- */

/** Whom an outgoing connection expects; from struct sip_tls, kept by the stack. The context is the stream thread's. */
struct sipstream_tls {
	char *key; /* of the stack's map */
	char *name, *ca;
	uint8_t pin[32];
	bool pinned;
	SSL_CTX *ctx;
	struct timespec ca_mtime;
};
/** -EINVAL: the pin is no SHA-256. */
int sipstream_tls_new(struct sipstream_tls **ret, const struct sip_tls *conf, const char *key);
void sipstream_tls_free(struct sipstream_tls *x);
SSL_CTX *sipstream_tls_server(const char *cert_path, const char *key_path); /* NULL: they do not load or do not fit together */
SSL_CTX *sipstream_tls_client(struct sipstream_tls *x);			       /* borrowed; NULL: the CA file does not load */
/** Before the handshake: the name that must stand in the certificate; without one, @peer's address. */
bool sipstream_tls_expect(const struct sipstream_tls *x, SSL *ssl, const struct sa *peer);
/** After it: the pin, where there is one. */
bool sipstream_tls_is_expected(const struct sipstream_tls *x, SSL *ssl);
void sipstream_tls_mtime(struct timespec *ret, const char *path);
