/* The WebSocket handshake of RFC 6455 section 4.2; what follows it is the taker's. */
#include "http/http_int.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct http_upgrade {
	struct ilink link; /* h->upgrades; under h->lock */
	struct http *h;    /* NULL: the server is gone */
	struct MHD_UpgradeResponseHandle *urh;
	int fd;
	void (*taken)(struct http_upgrade *u, int fd, const void *extra, size_t len, void *arg);
	void (*dropped)(void *arg);
	void *arg;
};

static void on_upgraded(void *arg, struct MHD_Connection *mhd, void *req, const char *extra, size_t extra_n,
			MHD_socket fd, struct MHD_UpgradeResponseHandle *urh)
{
	struct http_upgrade *u = arg;
	struct http *h = u->h;
	struct http_req *rq = req;

	rq->upgrade = NULL;
	rq->upgraded = true;
	u->urh = urh;
	u->fd = fd;
	(void)pthread_mutex_lock(&h->lock);
	ilist_push_back(&h->upgrades, &u->link);
	(void)pthread_mutex_unlock(&h->lock);
	u->taken(u, fd, extra, extra_n, u->arg);
}

/* base64(SHA-1(key + GUID)) */
static void accept_value(char out[32], const char *key)
{
	char text[96];
	uint8_t sum[20];
	int n = snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);

	assert(n > 0 && n < (int)sizeof(text));
	assert(!gnutls_hash_fast(GNUTLS_DIG_SHA1, text, (size_t)n, sum));
	(void)sodium_bin2base64(out, 32, sum, sizeof(sum), sodium_base64_VARIANT_ORIGINAL);
}

static bool key_is_good(const char *key)
{
	uint8_t raw[24];
	size_t n = 0;

	return strlen(key) == 24 &&
	       !sodium_base642bin(raw, sizeof(raw), key, 24, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) && n == 16;
}

void http_reply_websocket(struct http_req *rq, const char *subprotocol,
			  void (*taken)(struct http_upgrade *u, int fd, const void *extra, size_t len, void *arg),
			  void (*dropped)(void *arg), void *arg)
{
	const char *upgrade = http_header(rq, "Upgrade"), *connection = http_header(rq, "Connection");
	const char *version = http_header(rq, "Sec-WebSocket-Version"), *key = http_header(rq, "Sec-WebSocket-Key");
	const char *protocols = http_header(rq, "Sec-WebSocket-Protocol");
	struct MHD_Response *r;
	struct http_upgrade *u;
	char value[32];

	if (!upgrade || !connection || !http_has_token(upgrade, "websocket") || !http_has_token(connection, "upgrade") ||
	    !version || strcmp(version, "13") != 0) {
		http_set_header(rq, "Sec-WebSocket-Version", "13");
		http_set_header(rq, "Upgrade", "websocket");
		http_answer_problem(rq, 426);
		if (dropped)
			dropped(arg);
		return;
	}
	if (rq->method != HTTP_GET || rq->head || !key || !key_is_good(key) || !protocols ||
	    !http_has_token(protocols, subprotocol)) {
		http_answer_problem(rq, 400);
		if (dropped)
			dropped(arg);
		return;
	}
	u = xcalloc(1, sizeof(*u));
	u->h = rq->h;
	u->taken = taken;
	u->dropped = dropped;
	u->arg = arg;
	rq->upgrade = u;
	r = MHD_create_response_for_upgrade(on_upgraded, u);
	assert(r);
	accept_value(value, key);
	(void)MHD_add_response_header(r, "Upgrade", "websocket");
	(void)MHD_add_response_header(r, "Sec-WebSocket-Accept", value);
	(void)MHD_add_response_header(r, "Sec-WebSocket-Protocol", subprotocol);
	http_answer(rq, 101, r);
}

void http_upgrade_close(struct http_upgrade *u)
{
	struct http *h = u->h;

	if (h) {
		(void)MHD_upgrade_action(u->urh, MHD_UPGRADE_ACTION_CLOSE);
		(void)pthread_mutex_lock(&h->lock);
		ilink_unlink(&u->link);
		(void)pthread_cond_broadcast(&h->change);
		(void)pthread_mutex_unlock(&h->lock);
	}
	free(u);
}

void http_upgrade_drop(struct http_upgrade *u)
{
	if (u->dropped)
		u->dropped(u->arg);
	free(u);
}

void http_upgrade_end_all(struct http *h)
{
	ilist_each_entry(&h->upgrades, u, struct http_upgrade, link)
		(void)shutdown(u->fd, SHUT_RDWR);
}

void http_upgrade_orphan_all(struct http *h)
{
	ilist_each_entry(&h->upgrades, u, struct http_upgrade, link) {
		log_error("upgraded socket was not given back, closed under its owner");
		(void)MHD_upgrade_action(u->urh, MHD_UPGRADE_ACTION_CLOSE);
		ilink_unlink(&u->link);
		u->h = NULL;
	}
}
