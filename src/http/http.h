/*
 * HTTP: a thin layer over libmicrohttpd, which could be replaced behind this header. Its threads do I/O only; handlers run on the worker
 * pool. Router, limits, ranges, server-sent events, uploads, WebSocket upgrade.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct arena;
struct strb;
struct http;
struct http_req;  /* one request; the handler's for the time of the call */
struct http_sse;  /* one connected event stream */
struct http_upgrade;

struct http_conf {
	const char *listen;         /* "0.0.0.0:8080" or "[::]:8443" */
	const char *cert_pem, *key_pem; /* file paths; NULL: plain http. Read anew when the files change */
	struct pool *pool;
	unsigned connections_max;   /* 0: 4000 */
	unsigned connections_per_ip;/* 0: 3000: a whole site may come from one address */
	size_t body_max;            /* for JSON bodies; 0: 1 MiB */
	int idle_ms;                /* to deliver a whole request, to stay idle, to take some of an answer; 0: 60 s */
};

enum http_method { HTTP_GET = 1, HTTP_POST = 2, HTTP_PUT = 4, HTTP_PATCH = 8, HTTP_DELETE = 16 };

/** Runs on a worker; answers by exactly one of the http_reply functions (none: 500). @arg: the route's. */
typedef void(http_fn)(struct http_req *rq, void *arg);

struct http_route {
	unsigned methods;
	const char *path;        /* "/api/v1/users/{id}", "/assets/{rest...}" matches the remainder */
	http_fn *fn;
	enum pool_lane lane;
	void *arg;
	struct pool *pool;       /* NULL: the server's */
};

int http_start(struct http **ret, const struct http_conf *conf);
/** Before any request comes: routes are kept, not copied. First match wins. Unknown path 404, known path with another method 405. */
void http_routes(struct http *h, const struct http_route *routes, size_t n);
/** What answers when no route matches (the page's files). */
void http_fallback(struct http *h, http_fn *fn, void *arg);
void http_stop(struct http *h); /* no new requests, current ones finish, streams are ended */
uint16_t http_port(const struct http *h);
bool http_is_tls(const struct http *h);

/* ---- request ---- */
enum http_method http_method(const struct http_req *rq);
const char *http_path(const struct http_req *rq);
const char *http_param(const struct http_req *rq, const char *name);  /* path parameter, decoded; NULL */
const char *http_query(const struct http_req *rq, const char *name);  /* query parameter, decoded; NULL */
/** Walks all query parameters; @fn answers false to stop. */
void http_query_each(const struct http_req *rq, bool (*fn)(const char *name, const char *value, void *arg), void *arg);
const char *http_header(const struct http_req *rq, const char *name); /* NULL */
const char *http_cookie(const struct http_req *rq, const char *name);
const char *http_body(const struct http_req *rq, size_t *len);        /* NUL-terminated too */
const char *http_peer(const struct http_req *rq, uint16_t *port);     /* numeric address */
struct arena *http_arena(struct http_req *rq);                         /* freed with the request */

/* ---- answer ---- */
void http_set_header(struct http_req *rq, const char *name, const char *value);
void http_reply(struct http_req *rq, int status, const char *content_type, const void *body, size_t len); /* copies */
void http_reply_static(struct http_req *rq, int status, const char *content_type, const void *body, size_t len); /* borrows for ever */
/** A file, with Range, If-Modified-Since; 404 when it is not there. @download_name: Content-Disposition, NULL inline. */
void http_reply_file(struct http_req *rq, const char *path, const char *content_type, const char *download_name);

/* ---- server-sent events ---- */
/** Turns the request into an event stream. Sends a heartbeat each 15 s. The stream lives until its client or http_sse_close ends it;
    @closed is then called once, from an I/O thread; hold no lock of yours in it that you hold when calling http_sse_send. */
struct http_sse *http_reply_sse(struct http_req *rq, void (*closed)(struct http_sse *s, void *arg), void *arg);
/** Any thread; copies. -EPIPE when the stream is gone, -ENOBUFS when its queue (256 kB) is full: it is then being ended, and the client
    resumes with Last-Event-ID. @id and @event may be NULL. @data is one line. */
int http_sse_send(struct http_sse *s, const char *id, const char *event, const char *data, size_t len);
void http_sse_close(struct http_sse *s);
/** For one text that goes to many streams: writes a frame as http_sse_send does ... */
void http_sse_frame(struct strb *b, const char *id, const char *event, const char *data, size_t len);
/** ... and sends one or several such frames at once. */
int http_sse_send_frames(struct http_sse *s, const char *frames, size_t len);
void http_sse_unref(struct http_sse *s); /* gives back the handle that http_reply_sse gave; after this it must not be used */

/* ---- WebSocket upgrade (the handshake only; frames are the taker's) ---- */
/**
 * Checks and answers RFC 6455's handshake for @subprotocol. @taken gets the socket on an I/O thread; give it back with
 * http_upgrade_close. When it does not come to that (refused, the client went), @dropped (may be NULL) is called instead.
 */
void http_reply_websocket(struct http_req *rq, const char *subprotocol,
			  void (*taken)(struct http_upgrade *u, int fd, const void *extra, size_t len, void *arg),
			  void (*dropped)(void *arg), void *arg);
void http_upgrade_close(struct http_upgrade *u);
