/* Private to http/. */
#pragma once

#include <assert.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>

#include "base/base.h"
#include "http/http.h"
#include "http/parse.h"

#define HTTP_PARAMS_MAX 8
#define HTTP_ROUTE_GROUPS_MAX 16
#define HTTP_HEARTBEAT_MS 15000

struct tls;

/* One TCP connection. The fd is valid while it is in h->conns: microhttpd closes it only after our `closed` notice. */
struct conn {
	struct ilink link;
	int fd;
	int64_t deadline_ms; /* must have delivered a whole request by then; 0: it is our turn */
};

struct http {
	struct MHD_Daemon *mhd;
	struct pool *pool;
	struct tls *tls;
	int listen_fd;
	uint16_t port;
	size_t body_max;
	int idle_ms;

	struct {
		const struct http_route *v;
		size_t n;
	} groups[HTTP_ROUTE_GROUPS_MAX];
	_Atomic size_t group_n;
	http_fn *fallback;
	void *fallback_arg;

	pthread_t ticker;
	bool ticking;
	pthread_mutex_t lock; /* everything below; taken after no lock, before an sse's */
	pthread_cond_t change;
	struct ilink conns, streams, upgrades;
	unsigned running;  /* requests in handlers */
	bool stopping;
};

enum rq_state { RQ_NEW, RQ_BODY, RQ_DRAIN, RQ_RUNNING, RQ_ANSWERED };

struct http_req {
	struct http *h;
	struct MHD_Connection *mhd;
	struct conn *conn;
	struct arena *arena;
	enum rq_state state;
	enum http_method method;
	bool head;
	bool bad_target;
	struct http_target target;
	const struct http_route *route;
	struct http_route fallback;
	struct http_pair params[HTTP_PARAMS_MAX];
	size_t param_n;
	struct strb body;
	size_t drained;
	struct {
		const char *name, *value;
	} headers[24];
	size_t header_n;
	struct MHD_Response *response;
	int status;
	struct http_upgrade *upgrade; /* promised, not taken yet */
	bool upgraded;
};

/* Gives @rq its answer (takes @r over); a second one is a programming error. */
void http_answer(struct http_req *rq, int status, struct MHD_Response *r);
void http_answer_problem(struct http_req *rq, int status);
struct MHD_Response *http_problem(int status);

void http_cut(struct http *h, struct conn *c); /* h->lock held: makes microhttpd see the end */

void http_sse_tick(struct http *h, int64_t now_ms); /* h->lock held */
void http_sse_end_all(struct http *h);              /* h->lock held */
void http_upgrade_drop(struct http_upgrade *u);      /* never taken */
void http_upgrade_end_all(struct http *h);          /* h->lock held */
void http_upgrade_orphan_all(struct http *h);       /* h->lock held: what was not given back in time */

int tls_new(struct tls **ret, const char *cert_path, const char *key_path);
void tls_free(struct tls *t);
void tls_tick(struct tls *t, int64_t now_ms); /* looks for new files now and then */
void *tls_callback(void); /* for MHD_OPTION_HTTPS_CERT_CALLBACK2 */
void tls_use(struct tls *t);
