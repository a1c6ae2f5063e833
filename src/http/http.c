/*
 * The server: connections, guards, router, and the way of a request:
 *
 *   I/O thread                          worker                      I/O thread
 *   target, headers -> guards, route
 *   body (bounded) -> suspend, submit ->  route's handler
 *                                         http_reply..., resume  ->  answer goes out
 *
 * microhttpd's threads never run a handler. A ticker thread ends connections that take too long to deliver a request,
 * sends the heartbeats of event streams, and looks for a renewed certificate.
 */
#include "http/http_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define IO_THREADS 2
#define CONNECTION_MEMORY (32 * 1024) /* request line and headers; beyond: 431 or 414 */
#define STOP_WAIT_MS 10000

/* ---- answers of our own ---- */

static const struct {
	int status;
	const char *code, *message;
} problems[] = {
	{400, "bad_request", "The request is malformed."},
	{404, "not_found", "There is nothing at this address."},
	{405, "method_not_allowed", "This address does not take this method."},
	{413, "too_large", "The request body is too large."},
	{416, "bad_range", "The range lies outside the file."},
	{426, "upgrade_required", "This address speaks WebSocket only."},
	{500, "internal", "Something failed on the server; it is in its log."},
	{501, "unknown_method", "This method is not known."},
	{503, "busy", "The server is busy; try again in a moment."},
	{505, "bad_version", "Only HTTP/1.0 and HTTP/1.1 are spoken here."},
};

struct MHD_Response *http_problem(int status)
{
	const char *code = "error", *message = "";
	char text[256];
	struct MHD_Response *r;

	for (size_t i = 0; i < ARRAY_LEN(problems); i++)
		if (problems[i].status == status) {
			code = problems[i].code;
			message = problems[i].message;
		}
	(void)snprintf(text, sizeof(text), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, message);
	r = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
	assert(r);
	(void)MHD_add_response_header(r, "Content-Type", "application/json");
	return r;
}

static enum MHD_Result refuse(struct http_req *rq, int status, bool close_it)
{
	struct MHD_Response *r = http_problem(status);
	enum MHD_Result res;

	if (close_it)
		(void)MHD_add_response_header(r, "Connection", "close");
	if (status == 405)
		(void)MHD_add_response_header(r, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE");
	rq->state = RQ_ANSWERED;
	res = MHD_queue_response(rq->mhd, (unsigned)status, r);
	MHD_destroy_response(r);
	return res;
}

void http_answer(struct http_req *rq, int status, struct MHD_Response *r)
{
	assert(!rq->response && r);
	for (size_t i = 0; i < rq->header_n; i++)
		if (MHD_add_response_header(r, rq->headers[i].name, rq->headers[i].value) != MHD_YES)
			log_warn("header refused name=%s", rq->headers[i].name);
	rq->response = r;
	rq->status = status;
}

void http_answer_problem(struct http_req *rq, int status)
{
	http_answer(rq, status, http_problem(status));
}

/* ---- guards ---- */

struct guard {
	unsigned hosts, lengths, encodings;
	bool bad;
};

/* Names, numbers, "[v6]", port. Answers repeat it, so nothing else may come in. */
static const char host_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]%";

static bool is_decimal(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && n <= 18 && !s[n];
}

static enum MHD_Result look_at_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_n,
				      const char *value, size_t value_n)
{
	struct guard *g = arg;

	if (!name || strlen(name) != name_n || !http_is_token(name)) {
		g->bad = true; /* "Content-Length :", NUL, blanks */
		return MHD_YES;
	}
	if (value && (strlen(value) != value_n || strpbrk(value, "\r\n")))
		g->bad = true;
	if (!strcasecmp(name, "Host")) {
		g->hosts++;
		if (!value || value[strspn(value, host_chars)])
			g->bad = true;
	} else if (!strcasecmp(name, "Content-Length")) {
		g->lengths++;
		if (!value || !is_decimal(value))
			g->bad = true;
	} else if (!strcasecmp(name, "Transfer-Encoding")) {
		g->encodings++;
		if (!value || strcasecmp(value, "chunked") != 0)
			g->bad = true;
	}
	return MHD_YES;
}

/* Request smuggling: whatever could be framed in two ways is refused and the connection closed (RFC 9112 6.1, 6.3, 3.2). */
static int guard(struct http_req *rq, const char *version)
{
	struct guard g = {0};
	bool one_one = !strcmp(version, "HTTP/1.1");

	if (!one_one && strcmp(version, "HTTP/1.0") != 0)
		return 505;
	(void)MHD_get_connection_values_n(rq->mhd, MHD_HEADER_KIND, look_at_header, &g);
	if (g.bad || rq->bad_target || g.hosts > 1 || g.lengths > 1 || g.encodings > 1)
		return 400;
	if (one_one && g.hosts != 1)
		return 400;
	if (g.encodings && (g.lengths || !one_one))
		return 400;
	return 0;
}

/* ---- router ---- */

static int method_of(enum http_method *ret, bool *head, const char *s)
{
	static const struct {
		const char *name;
		enum http_method m;
	} all[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_GET}, {"POST", HTTP_POST}, {"PUT", HTTP_PUT},
		   {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcmp(s, all[i].name)) {
			*ret = all[i].m;
			*head = i == 1;
			return 0;
		}
	return -EINVAL;
}

/* 0 and rq->route, or a status. */
static int find_route(struct http_req *rq)
{
	struct http *h = rq->h;
	size_t groups = h->group_n;
	bool other_method = false;

	for (size_t g = 0; g < groups; g++)
		for (size_t i = 0; i < h->groups[g].n; i++) {
			const struct http_route *rt = &h->groups[g].v[i];
			int r = http_match(rt->path, rq->target.raw_path, rq->arena, rq->params, HTTP_PARAMS_MAX,
					   &rq->param_n);

			if (r < 0)
				return 400;
			if (!r)
				continue;
			if (rt->methods & rq->method) {
				rq->route = rt;
				return 0;
			}
			other_method = true;
		}
	rq->param_n = 0;
	if (other_method)
		return 405;
	if (!h->fallback)
		return groups ? 404 : 503;
	if (rq->method != HTTP_GET)
		return 405;
	rq->fallback = (struct http_route){HTTP_GET, "", h->fallback, POOL_INTERACTIVE, h->fallback_arg, NULL};
	rq->route = &rq->fallback;
	return 0;
}

/* ---- a request's way ---- */

static void set_deadline(struct http_req *rq, int64_t in_ms)
{
	(void)pthread_mutex_lock(&rq->h->lock);
	if (rq->conn)
		rq->conn->deadline_ms = in_ms ? clock_mono_ms() + in_ms : 0;
	(void)pthread_mutex_unlock(&rq->h->lock);
}

/* Called with the raw target, before the headers; what it returns is the request's context. */
static void *on_target(void *arg, const char *raw, struct MHD_Connection *mhd)
{
	struct http_req *rq = xcalloc(1, sizeof(*rq));
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	rq->h = arg;
	rq->mhd = mhd;
	rq->conn = info ? info->socket_context : NULL;
	rq->arena = arena_new(2048);
	rq->bad_target = http_parse_target(&rq->target, rq->arena, raw) != 0;
	strb_init(&rq->body, rq->h->body_max + 1);
	return rq;
}

static enum MHD_Result begin(struct http_req *rq, const char *method, const char *version)
{
	const char *length;
	int status = guard(rq, version);

	if (status)
		return refuse(rq, status, true);
	if (method_of(&rq->method, &rq->head, method))
		return refuse(rq, 501, true);
	length = MHD_lookup_connection_value(rq->mhd, MHD_HEADER_KIND, "Content-Length");
	if (length && strtoull(length, NULL, 10) > rq->h->body_max)
		return refuse(rq, 413, true);
	status = find_route(rq);
	if (status)
		return refuse(rq, status, rq->method != HTTP_GET);
	rq->state = RQ_BODY;
	set_deadline(rq, rq->h->idle_ms);
	return MHD_YES;
}

/* microhttpd takes no answer in the middle of a body: what is too long is dropped to its end, within reason, then refused. */
static enum MHD_Result take_body(struct http_req *rq, const char *data, size_t *len)
{
	if (rq->state == RQ_BODY && rq->body.len + *len > rq->h->body_max) {
		rq->state = RQ_DRAIN;
		strb_done(&rq->body);
		strb_init(&rq->body, 1);
	}
	if (rq->state == RQ_DRAIN) {
		rq->drained += *len;
		if (rq->drained > rq->h->body_max)
			return MHD_NO;
	} else {
		strb_add(&rq->body, data, *len);
	}
	*len = 0;
	return MHD_YES;
}

static void run(void *arg)
{
	struct http_req *rq = arg;
	struct http *h = rq->h;

	rq->route->fn(rq, rq->route->arg);
	if (!rq->response) {
		log_error("handler gave no answer path=%s", rq->route->path);
		http_answer_problem(rq, 500);
	}
	/* From the resume on, the request is the I/O thread's. */
	MHD_resume_connection(rq->mhd);
	(void)pthread_mutex_lock(&h->lock);
	h->running--;
	(void)pthread_cond_broadcast(&h->change);
	(void)pthread_mutex_unlock(&h->lock);
}

static enum MHD_Result dispatch(struct http_req *rq)
{
	struct http *h = rq->h;
	bool stopping;

	(void)pthread_mutex_lock(&h->lock);
	if (rq->conn)
		rq->conn->deadline_ms = 0;
	stopping = h->stopping;
	if (!stopping)
		h->running++;
	(void)pthread_mutex_unlock(&h->lock);
	if (stopping)
		return refuse(rq, 503, true);
	rq->state = RQ_RUNNING;
	MHD_suspend_connection(rq->mhd);
	if (!pool_submit(rq->route->pool ? rq->route->pool : h->pool, rq->route->lane, run, rq))
		return MHD_YES;
	http_answer_problem(rq, 503);
	MHD_resume_connection(rq->mhd);
	(void)pthread_mutex_lock(&h->lock);
	h->running--;
	(void)pthread_cond_broadcast(&h->change);
	(void)pthread_mutex_unlock(&h->lock);
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
				  const char *version, const char *data, size_t *len, void **ctx)
{
	struct http_req *rq = *ctx;
	enum MHD_Result res;

	switch (rq->state) {
	case RQ_NEW:
		return begin(rq, method, version);
	case RQ_BODY:
		if (*len)
			return take_body(rq, data, len);
		return dispatch(rq);
	case RQ_DRAIN:
		if (*len)
			return take_body(rq, data, len);
		return refuse(rq, 413, true);
	case RQ_RUNNING:
		assert(rq->response);
		rq->state = RQ_ANSWERED;
		res = MHD_queue_response(mhd, (unsigned)rq->status, rq->response);
		MHD_destroy_response(rq->response);
		rq->response = NULL;
		return res;
	case RQ_ANSWERED:
		return MHD_YES;
	}
	return MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **ctx, enum MHD_RequestTerminationCode why)
{
	struct http_req *rq = *ctx;

	if (!rq)
		return;
	*ctx = NULL;
	if (!rq->upgraded) /* of an upgraded one we hear under microhttpd's own lock: no lock of ours then */
		set_deadline(rq, rq->h->idle_ms);
	if (rq->response)
		MHD_destroy_response(rq->response);
	if (rq->upgrade)
		http_upgrade_drop(rq->upgrade);
	strb_done(&rq->body);
	arena_free(rq->arena);
	free(rq);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **ctx, enum MHD_ConnectionNotificationCode what)
{
	struct http *h = arg;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		static _Thread_local bool low;
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		struct conn *c = xcalloc(1, sizeof(*c));
		int one = 1;

		if (!low)
			(void)setpriority(PRIO_PROCESS, 0, 5); /* this thread's alone: calls go first */
		low = true;
		c->fd = info ? info->connect_fd : -1;
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		c->deadline_ms = clock_mono_ms() + h->idle_ms;
		*ctx = c;
		(void)pthread_mutex_lock(&h->lock);
		ilist_push_back(&h->conns, &c->link);
		(void)pthread_mutex_unlock(&h->lock);
	} else {
		struct conn *c = *ctx;

		(void)pthread_mutex_lock(&h->lock);
		ilink_unlink(&c->link);
		(void)pthread_mutex_unlock(&h->lock);
		free(c);
		*ctx = NULL;
	}
}

void http_cut(struct http *h, struct conn *c)
{
	c->deadline_ms = 0;
	(void)shutdown(c->fd, SHUT_RDWR);
}

static void *tick(void *arg)
{
	struct http *h = arg;
	struct timespec at;

	(void)pthread_setname_np(pthread_self(), "http tick");
	(void)pthread_mutex_lock(&h->lock);
	while (h->ticking) {
		int64_t now_ms = clock_mono_ms();

		ilist_each_entry(&h->conns, c, struct conn, link)
			if (c->deadline_ms && c->deadline_ms <= now_ms)
				http_cut(h, c);
		http_sse_tick(h, now_ms);
		if (h->tls) {
			(void)pthread_mutex_unlock(&h->lock);
			tls_tick(h->tls, now_ms);
			(void)pthread_mutex_lock(&h->lock);
		}
		(void)clock_gettime(CLOCK_REALTIME, &at);
		at.tv_nsec += 500000000;
		if (at.tv_nsec >= 1000000000) {
			at.tv_nsec -= 1000000000;
			at.tv_sec++;
		}
		while (h->ticking && pthread_cond_timedwait(&h->change, &h->lock, &at) != ETIMEDOUT)
			;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* ---- start and stop ---- */

/* "host:port" or "[v6]:port" */
static int listen_on(int *ret, uint16_t *port, const char *where)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *ai = NULL;
	struct sockaddr_storage got;
	socklen_t got_n = sizeof(got);
	char host[64];
	const char *colon = strrchr(where, ':');
	size_t n = colon ? (size_t)(colon - where) : 0;
	int fd, one = 1, zero = 0, r;
	int64_t number;

	if (!colon || !n || n >= sizeof(host) || !str_to_i64(&number, colon + 1, 0, 65535))
		return -EINVAL;
	if (where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	}
	(void)snprintf(host, sizeof(host), "%.*s", (int)n, where);
	if (getaddrinfo(host, colon + 1, &hints, &ai))
		return -EINVAL;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = fd < 0 ? -errno : 0;
	if (!r) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (ai->ai_family == AF_INET6)
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
		if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 1024) ||
		    getsockname(fd, (struct sockaddr *)&got, &got_n))
			r = -errno;
	}
	freeaddrinfo(ai);
	if (r) {
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	*port = ntohs(got.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&got)->sin6_port
						: ((struct sockaddr_in *)&got)->sin_port);
	*ret = fd;
	return 0;
}

static struct MHD_Daemon *start_daemon(struct http *h, const struct http_conf *conf)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_TURBO;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, tls_callback()},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	if (h->tls)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, h->listen_fd, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned)IO_THREADS, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
		conf->connections_max ? conf->connections_max : 4000u, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		conf->connections_per_ip ? conf->connections_per_ip : 3000u, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)((h->idle_ms + 999) / 1000), MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
		MHD_OPTION_ARRAY, h->tls ? tls : none, MHD_OPTION_END);
}

static void http_free(struct http *h)
{
	tls_free(h->tls);
	(void)pthread_mutex_destroy(&h->lock);
	(void)pthread_cond_destroy(&h->change);
	if (h->listen_fd >= 0)
		(void)close(h->listen_fd);
	free(h);
}

int http_start(struct http **ret, const struct http_conf *conf)
{
	struct http *h = xcalloc(1, sizeof(*h));
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)mallopt(M_ARENA_MAX, 2); /* memory by the number of threads buys us nothing */
	h->listen_fd = -1;
	h->pool = conf->pool;
	h->body_max = conf->body_max ? conf->body_max : 1 << 20;
	h->idle_ms = conf->idle_ms ? conf->idle_ms : 60000;
	ilist_init(&h->conns);
	ilist_init(&h->streams);
	ilist_init(&h->upgrades);
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->change, NULL);
	r = listen_on(&h->listen_fd, &h->port, conf->listen);
	if (!r && conf->cert_pem)
		r = tls_new(&h->tls, conf->cert_pem, conf->key_pem);
	if (!r) {
		if (h->tls)
			tls_use(h->tls);
		h->mhd = start_daemon(h, conf);
		if (!h->mhd)
			r = -EIO;
	}
	if (!r) {
		h->ticking = true;
		r = -pthread_create(&h->ticker, NULL, tick, h);
	}
	if (r) {
		if (h->mhd) {
			(void)MHD_quiesce_daemon(h->mhd);
			MHD_stop_daemon(h->mhd);
		}
		http_free(h);
		return r;
	}
	*ret = h;
	return 0;
}

void http_routes(struct http *h, const struct http_route *routes, size_t n)
{
	size_t g = h->group_n;

	assert(g < HTTP_ROUTE_GROUPS_MAX);
	h->groups[g].v = routes;
	h->groups[g].n = n;
	h->group_n = g + 1;
}

void http_fallback(struct http *h, http_fn *fn, void *arg)
{
	h->fallback_arg = arg;
	h->fallback = fn;
}

/* h->lock held. False: time is over. */
static bool wait_change(struct http *h, int64_t until_ms)
{
	struct timespec at;
	int64_t left_ms = until_ms - clock_mono_ms();

	if (left_ms <= 0)
		return false;
	(void)clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += (left_ms + 999) / 1000;
	(void)pthread_cond_timedwait(&h->change, &h->lock, &at);
	return true;
}

void http_stop(struct http *h)
{
	int64_t until_ms = clock_mono_ms() + STOP_WAIT_MS;

	if (!h)
		return;
	(void)MHD_quiesce_daemon(h->mhd);
	(void)pthread_mutex_lock(&h->lock);
	h->stopping = true;
	while (h->running) /* handlers end by themselves */
		(void)pthread_cond_wait(&h->change, &h->lock);
	http_sse_end_all(h);
	http_upgrade_end_all(h);
	while ((!ilist_empty(&h->streams) || !ilist_empty(&h->upgrades)) && wait_change(h, until_ms))
		;
	http_upgrade_orphan_all(h);
	h->ticking = false;
	(void)pthread_cond_broadcast(&h->change);
	(void)pthread_mutex_unlock(&h->lock);
	(void)pthread_join(h->ticker, NULL);
	MHD_stop_daemon(h->mhd);
	http_free(h);
}

uint16_t http_port(const struct http *h)
{
	return h->port;
}

bool http_is_tls(const struct http *h)
{
	return h->tls != NULL;
}
