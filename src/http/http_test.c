/* A real server on loopback, driven with raw sockets: what strangers send is what matters here. */
#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "http/http.h"
#include "http/parse.h"

/* ---- a server with one route of each kind ---- */

struct fix {
	struct pool *pool;
	struct http *h;
	char dir[64];
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct http_sse *streams[8];
	unsigned stream_n, closed_n;
	struct http_upgrade *up;
	int up_fd;
	char extra[64];
	pthread_t handler_thread;
};

static void r_echo(struct http_req *rq, void *arg)
{
	struct fix *f = arg;
	struct strb b;
	size_t n;
	const char *body = http_body(rq, &n), *q = http_query(rq, "q"), *ck = http_cookie(rq, "sid");

	f->handler_thread = pthread_self();
	strb_init(&b, 1 << 20);
	strb_printf(&b, "m=%d path=%s id=%s q=%s sid=%s n=%zu ", (int)http_method(rq), http_path(rq),
		    http_param(rq, "id") ? http_param(rq, "id") : "-", q ? q : "-", ck ? ck : "-", n);
	strb_add(&b, body, n < 100 ? n : 100);
	http_set_header(rq, "X-Test", "yes");
	http_reply(rq, 200, "text/plain", b.buf, b.len);
	strb_done(&b);
}

static void r_nothing(struct http_req *rq, void *arg)
{
}

static void r_file(struct http_req *rq, void *arg)
{
	struct fix *f = arg;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/file", f->dir);
	http_reply_file(rq, http_param(rq, "rest")[0] == 'x' ? "/nonexistent" : path, "audio/wav",
			http_query(rq, "download") ? "录音 1.wav" : NULL);
}

static void on_closed(struct http_sse *s, void *arg)
{
	struct fix *f = arg;

	(void)pthread_mutex_lock(&f->lock);
	f->closed_n++;
	(void)pthread_cond_broadcast(&f->change);
	(void)pthread_mutex_unlock(&f->lock);
}

static void r_sse(struct http_req *rq, void *arg)
{
	struct fix *f = arg;
	struct http_sse *s = http_reply_sse(rq, on_closed, f);

	(void)http_sse_send(s, "1.0", "hello", "{}", 2);
	(void)pthread_mutex_lock(&f->lock);
	f->streams[f->stream_n++] = s;
	(void)pthread_cond_broadcast(&f->change);
	(void)pthread_mutex_unlock(&f->lock);
}

static void taken(struct http_upgrade *u, int fd, const void *extra, size_t len, void *arg)
{
	struct fix *f = arg;

	(void)pthread_mutex_lock(&f->lock);
	f->up = u;
	f->up_fd = fd;
	memcpy(f->extra, extra, len < 63 ? len : 63);
	(void)pthread_cond_broadcast(&f->change);
	(void)pthread_mutex_unlock(&f->lock);
}

static void r_ws(struct http_req *rq, void *arg)
{
	http_reply_websocket(rq, "sip", taken, NULL, arg);
}

static void r_fallback(struct http_req *rq, void *arg)
{
	http_reply_static(rq, 200, "text/html", "page", 4);
}

static void start(struct fix *f, struct http_conf *extra, bool fallback)
{
	struct http_conf conf = extra ? *extra : (struct http_conf){0};
	static struct fix *arg; /* routes are constant but for this */
	static struct http_route routes[] = {
		{HTTP_GET | HTTP_POST, "/echo", r_echo, POOL_INTERACTIVE, NULL, NULL},
		{HTTP_GET | HTTP_DELETE, "/users/{id}", r_echo, POOL_INTERACTIVE, NULL, NULL},
		{HTTP_GET, "/nothing", r_nothing, POOL_LONG, NULL, NULL},
		{HTTP_GET, "/file/{rest...}", r_file, POOL_LONG, NULL, NULL},
		{HTTP_GET, "/sse", r_sse, POOL_INTERACTIVE, NULL, NULL},
		{HTTP_GET, "/sip", r_ws, POOL_INTERACTIVE, NULL, NULL},
	};

	memset(f, 0, sizeof(*f));
	arg = f;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		routes[i].arg = arg;
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->change, NULL);
	(void)strcpy(f->dir, "/tmp/http_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(pool_new(&f->pool, 2, 64), 0);
	conf.listen = "127.0.0.1:0";
	conf.pool = f->pool;
	assert_int_equal(http_start(&f->h, &conf), 0);
	http_routes(f->h, routes, ARRAY_LEN(routes));
	if (fallback)
		http_fallback(f->h, r_fallback, f);
}

static void stop(struct fix *f)
{
	char cmd[128];

	http_stop(f->h);
	pool_free(f->pool);
	for (unsigned i = 0; i < f->stream_n; i++)
		http_sse_unref(f->streams[i]);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", f->dir);
	assert_int_equal(system(cmd), 0);
}

/* ---- raw client ---- */

static int dial(const struct fix *f)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_port(f->h))};
	struct timeval tv = {.tv_sec = 8};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

static void say(int fd, const char *s)
{
	(void)!send(fd, s, strlen(s), MSG_NOSIGNAL);
}

/* Reads until the other side closes, or @until is seen; static buffer. */
static const char *hear(int fd, const char *until)
{
	static char buf[1 << 20];
	size_t n = 0;

	buf[0] = '\0';
	while (n < sizeof(buf) - 1) {
		ssize_t r = recv(fd, buf + n, until ? 1 : sizeof(buf) - 1 - n, 0);

		if (r <= 0)
			break;
		n += (size_t)r;
		buf[n] = '\0';
		if (until && strstr(buf, until))
			break;
	}
	return buf;
}

static const char *ask_raw(const struct fix *f, const char *request)
{
	int fd = dial(f);
	const char *got;

	say(fd, request);
	got = hear(fd, NULL);
	(void)close(fd);
	return got;
}

/* One request on a connection of its own. */
static const char *ask_ws(const struct fix *f, const char *headers)
{
	char *text = xasprintf("GET /sip HTTP/1.1\r\nHost: h\r\n%s\r\n", headers);
	int fd = dial(f);
	const char *got;

	say(fd, text);
	got = hear(fd, "\r\n\r\n");
	(void)close(fd);
	free(text);
	return got;
}

static const char *ask(const struct fix *f, const char *method, const char *path, const char *headers, const char *body)
{
	char *text = xasprintf("%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n%s", method, path, headers, body);
	const char *got = ask_raw(f, text);

	free(text);
	return got;
}

static int status_of(const char *got)
{
	return strncmp(got, "HTTP/1.1 ", 9) ? 0 : atoi(got + 9);
}

static const char *body_of(const char *got)
{
	const char *p = strstr(got, "\r\n\r\n");

	return p ? p + 4 : "";
}

#define assert_has(text, part)                                                              \
	do {                                                                                \
		if (!strstr(text, part))                                                    \
			fail_msg("no \"%s\" in \"%.600s\"", part, text);                    \
	} while (0)

/* ---- tests ---- */

TEST(handler_sees_method_path_parameter_query_cookie_and_body)
{
	struct fix f;

	start(&f, NULL, false);
	assert_string_equal(body_of(ask(&f, "GET", "/users/%E5%BC%A0%2F3?x=1&q=a+b%26c", "Cookie: a=1; sid=\"xy z\" ;b=2\r\n", "")),
			    "m=1 path=/users/张/3 id=张/3 q=a b&c sid=xy z n=0 ");
	assert_string_equal(body_of(ask(&f, "POST", "/echo", "Content-Length: 5\r\n", "hello")),
			    "m=2 path=/echo id=- q=- sid=- n=5 hello");
	assert_string_equal(body_of(ask(&f, "POST", "/echo", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")),
			    "m=2 path=/echo id=- q=- sid=- n=5 abcde");
	assert_has(ask(&f, "DELETE", "/users/7", "", ""), "X-Test: yes");
	assert_string_equal(body_of(ask(&f, "HEAD", "/echo", "", "")), "");
	assert_false(pthread_equal(f.handler_thread, pthread_self()));
	stop(&f);
}

TEST(unknown_path_is_404_known_path_other_method_405_no_answer_500)
{
	struct fix f;

	start(&f, NULL, false);
	assert_int_equal(status_of(ask(&f, "GET", "/nowhere", "", "")), 404);
	assert_int_equal(status_of(ask(&f, "GET", "/users/", "", "")), 404);
	assert_int_equal(status_of(ask(&f, "GET", "/users/1/2", "", "")), 404);
	assert_int_equal(status_of(ask(&f, "DELETE", "/echo", "", "")), 405);
	assert_int_equal(status_of(ask(&f, "BREW", "/echo", "", "")), 501);
	assert_int_equal(status_of(ask(&f, "GET", "/nothing", "", "")), 500);
	stop(&f);
	start(&f, NULL, true);
	assert_string_equal(body_of(ask(&f, "GET", "/nowhere", "", "")), "page");
	assert_int_equal(status_of(ask(&f, "POST", "/nowhere", "Content-Length: 0\r\n", "")), 405);
	stop(&f);
}

/* RFC 9112 3.2, 5.1, 6.1, 6.3: each of these is framed differently by different servers, so each must be refused and the
   connection closed; the second request, smuggled behind, must never be answered. */
TEST(request_smuggling_is_refused)
{
	static const char smuggled[] = "GET /echo?q=smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char *const heads[] = {
		"Content-Length: 5\r\nContent-Length: 6\r\n",
		"Content-Length: 5\r\nContent-Length: 5\r\n",
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: gzip, chunked\r\n",
		"Transfer-Encoding: identity\r\n",
		"Transfer-Encoding: xchunked\r\n",
		"Transfer-Encoding : chunked\r\n",
		"Transfer-Encoding\t: chunked\r\n",
		"Content-Length : 5\r\n",
		" Content-Length: 5\r\n",
		"Content-Length: +5\r\n",
		"Content-Length: -5\r\n",
		"Content-Length: 0x5\r\n",
		"Content-Length: 5,5\r\n",
		"Content-Length: 5 5\r\n",
		"Content-Length: 18446744073709551621\r\n",
		"Content-Length:\r\n",
		"Transfer-Encoding:\r\n chunked, x\r\n",
		"Host: other\r\n",
		"Host : other\r\n",
		"X(Y): 1\r\n",
	};
	struct fix f;

	start(&f, NULL, false);
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		char *text = xasprintf("POST /echo HTTP/1.1\r\nHost: h\r\n%s\r\n0\r\n\r\n%s", heads[i], smuggled);
		const char *got = ask_raw(&f, text);

		if (status_of(got) != 400 && status_of(got) != 413 && got[0])
			fail_msg("\"%s\" was answered \"%.200s\"", heads[i], got);
		if (strstr(got, "smuggled"))
			fail_msg("\"%s\" smuggled", heads[i]);
		free(text);
	}
	stop(&f);
}

TEST(bad_hosts_versions_and_targets_are_refused)
{
	static const struct {
		const char *text;
		int status;
	} all[] = {
		{"GET /echo HTTP/1.1\r\n\r\n", 400},
		{"GET /echo HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
		{"GET /echo HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
		{"GET /echo HTTP/1.1\r\nHost: h\xff\r\n\r\n", 400},
		{"GET /echo HTTP/1.1\r\nHost: h; script-src *\r\n\r\n", 400},
		{"GET /echo HTTP/1.1\r\nHost: h\"\r\n\r\n", 400},
		{"GET /echo?q=%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"GET /echo?q=%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"GET /echo?q=%ff HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"GET /users/%2 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"GET /file/../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"GET /file/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"GET http://h/echo HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	};
	struct fix f;

	start(&f, NULL, false);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (status_of(ask_raw(&f, all[i].text)) != all[i].status)
			fail_msg("\"%s\"", all[i].text);
	assert_int_not_equal(status_of(ask_raw(&f, "GET /echo HTTP/2.7\r\nHost: h\r\n\r\n")), 200);
	assert_int_not_equal(status_of(ask_raw(&f, "GET /echo\r\n\r\n")), 200);
	assert_has(ask_raw(&f, "GET /echo HTTP/1.0\r\n\r\n"), " 200 ");
	stop(&f);
}

TEST(what_is_too_large_is_refused_and_bounded)
{
	struct fix f;
	struct http_conf conf = {.body_max = 1000};
	char big[4001], header[60000], chunked[5000];
	int n;

	start(&f, &conf, false);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(status_of(ask(&f, "POST", "/echo", "Content-Length: 1001\r\n", big)), 413);
	big[1000] = '\0';
	assert_has(ask(&f, "POST", "/echo", "Content-Length: 1000\r\n", big), " n=1000 ");
	n = snprintf(chunked, sizeof(chunked), "3e8\r\n%s\r\n1\r\nx\r\n0\r\n\r\n", big); /* 1000 + 1 */
	assert_true(n > 0);
	assert_int_equal(status_of(ask(&f, "POST", "/echo", "Transfer-Encoding: chunked\r\n", chunked)), 413);
	memcpy(header, "X-Big: ", 7);
	memset(header + 7, 'y', 50000);
	memcpy(header + 50007, "\r\n", 3);
	assert_int_equal(status_of(ask(&f, "GET", "/echo", header, "")), 431);
	/* an endless body is cut, not read for ever */
	{
		int fd = dial(&f);
		bool cut = false;

		say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
		for (int i = 0; i < 5000 && !cut; i++)
			cut = send(fd, chunked, 1007, MSG_NOSIGNAL) < 0;
		assert_true(cut);
		(void)close(fd);
	}
	stop(&f);
}

TEST(slow_loris_is_cut_after_the_deadline_however_it_drips)
{
	struct fix f;
	struct http_conf conf = {.idle_ms = 1000};
	int64_t t0;
	int drip, silent, body;
	unsigned open = 3;
	struct pollfd p[3];

	start(&f, &conf, false);
	drip = dial(&f);
	silent = dial(&f);
	body = dial(&f);
	say(drip, "GET /echo HTTP/1.1\r\nHost: h\r\n");
	say(body, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n");
	t0 = clock_mono_ms();
	for (int i = 0; i < 3; i++)
		p[i] = (struct pollfd){(int[]){drip, silent, body}[i], POLLIN, 0};
	while (open && clock_mono_ms() - t0 < 6000) {
		say(drip, "X: y\r\n");
		say(body, "z");
		(void)poll(p, 3, 100);
		for (int i = 0; i < 3; i++) {
			char c[256];

			if (p[i].fd >= 0 && p[i].revents && recv(p[i].fd, c, sizeof(c), MSG_DONTWAIT) <= 0) {
				p[i].fd = -1;
				open--;
			}
		}
	}
	assert_int_equal(open, 0);
	assert_true(clock_mono_ms() - t0 >= 900); /* not before its time either */
	(void)close(drip);
	(void)close(silent);
	(void)close(body);
	stop(&f);
}

TEST(ranges_of_a_file)
{
	struct fix f;
	char path[128], etag[128], header[256];
	const char *got;
	FILE *o;

	start(&f, NULL, false);
	(void)snprintf(path, sizeof(path), "%s/file", f.dir);
	o = fopen(path, "w");
	(void)fputs("0123456789", o);
	(void)fclose(o);
	got = ask(&f, "GET", "/file/a", "", "");
	assert_int_equal(status_of(got), 200);
	assert_string_equal(body_of(got), "0123456789");
	assert_has(got, "Content-Type: audio/wav");
	assert_has(got, "Accept-Ranges: bytes");
	assert_int_equal(sscanf(strstr(got, "ETag: "), "ETag: %120[^\r]", etag), 1);
	got = ask(&f, "GET", "/file/a", "Range: bytes=2-4\r\n", "");
	assert_int_equal(status_of(got), 206);
	assert_string_equal(body_of(got), "234");
	assert_has(got, "Content-Range: bytes 2-4/10");
	assert_string_equal(body_of(ask(&f, "GET", "/file/a", "Range: bytes=7-\r\n", "")), "789");
	assert_string_equal(body_of(ask(&f, "GET", "/file/a", "Range: bytes=-3\r\n", "")), "789");
	assert_string_equal(body_of(ask(&f, "GET", "/file/a", "Range: bytes=-30\r\n", "")), "0123456789");
	assert_string_equal(body_of(ask(&f, "GET", "/file/a", "Range: bytes=8-99\r\n", "")), "89");
	got = ask(&f, "GET", "/file/a", "Range: bytes=10-\r\n", "");
	assert_int_equal(status_of(got), 416);
	assert_has(got, "Content-Range: bytes */10");
	/* what is no single range is ignored: RFC 9110 14.2 */
	assert_int_equal(status_of(ask(&f, "GET", "/file/a", "Range: bytes=0-1,3-4\r\n", "")), 200);
	assert_int_equal(status_of(ask(&f, "GET", "/file/a", "Range: bytes=4-2\r\n", "")), 200);
	assert_int_equal(status_of(ask(&f, "GET", "/file/a", "Range: lines=1-2\r\n", "")), 200);
	(void)snprintf(header, sizeof(header), "If-None-Match: %s\r\n", etag);
	assert_int_equal(status_of(ask(&f, "GET", "/file/a", header, "")), 304);
	(void)snprintf(header, sizeof(header), "Range: bytes=0-0\r\nIf-Range: %s\r\n", etag);
	assert_int_equal(status_of(ask(&f, "GET", "/file/a", header, "")), 206);
	assert_int_equal(status_of(ask(&f, "GET", "/file/a", "Range: bytes=0-0\r\nIf-Range: \"old\"\r\n", "")), 200);
	assert_int_equal(status_of(ask(&f, "GET", "/file/x", "", "")), 404);
	assert_has(ask(&f, "GET", "/file/a?download=1", "", ""),
		   "Content-Disposition: attachment; filename=\"______ 1.wav\"; filename*=UTF-8''%E5%BD%95%E9%9F%B3%201.wav");
	stop(&f);
}

static struct http_sse *stream(struct fix *f, unsigned i)
{
	struct http_sse *s;

	(void)pthread_mutex_lock(&f->lock);
	while (f->stream_n <= i)
		(void)pthread_cond_wait(&f->change, &f->lock);
	s = f->streams[i];
	(void)pthread_mutex_unlock(&f->lock);
	return s;
}

static void await_closed(struct fix *f, unsigned n)
{
	(void)pthread_mutex_lock(&f->lock);
	while (f->closed_n < n)
		(void)pthread_cond_wait(&f->change, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
}

TEST(event_streams_reach_each_client_and_the_slow_one_is_dropped)
{
	static const char request[] = "GET /sse HTTP/1.1\r\nHost: h\r\n\r\n";
	struct fix f;
	char data[4096], id[32];
	int fd[3], small = 4096;
	unsigned sent = 0;
	int r = 0;

	start(&f, NULL, false);
	for (unsigned i = 0; i < 3; i++) {
		fd[i] = dial(&f);
		(void)setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		say(fd[i], request);
		assert_has(hear(fd[i], "hello\ndata: {}\n\n"), "text/event-stream");
		(void)stream(&f, i);
	}
	for (unsigned n = 1; n <= 20; n++) {
		(void)snprintf(id, sizeof(id), "1.%u", n);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(http_sse_send(stream(&f, i), id, "agent", "{\"a\":1}", 7), 0);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_has(hear(fd[i], "id: 1.20\nevent: agent\ndata: {\"a\":1}\n\n"), "id: 1.19\n");
	/* the third stops reading: its queue fills, it is dropped; the others go on */
	memset(data, 'x', sizeof(data));
	while (sent < 100000 && !(r = http_sse_send(stream(&f, 2), NULL, "big", data, sizeof(data))))
		sent++;
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(http_sse_send(stream(&f, 2), NULL, "x", "1", 1), -EPIPE);
	await_closed(&f, 1);
	assert_int_equal(http_sse_send(stream(&f, 0), NULL, "still", "1", 1), 0);
	assert_has(hear(fd[0], "event: still\ndata: 1\n\n"), "still");
	/* ended from our side: the second sees the last event and the end */
	assert_int_equal(http_sse_send(stream(&f, 1), NULL, "bye", "{}", 2), 0);
	http_sse_close(stream(&f, 1));
	assert_has(hear(fd[1], NULL), "event: bye");
	await_closed(&f, 2);
	stop(&f); /* ends the first */
	assert_int_equal(f.closed_n, 3);
	for (unsigned i = 0; i < 3; i++)
		(void)close(fd[i]);
}

static void *blast(void *arg)
{
	struct fix *f = arg;

	for (int i = 0; i < 3000; i++)
		for (unsigned k = 0; k < f->stream_n; k++)
			(void)http_sse_send(f->streams[k], NULL, "e", "{\"n\":12345}", 11);
	return NULL;
}

TEST(event_streams_survive_senders_racing_with_leaving_clients)
{
	struct fix f;
	pthread_t t[2];
	int fd[6];

	start(&f, NULL, false);
	for (unsigned i = 0; i < 6; i++) {
		fd[i] = dial(&f);
		say(fd[i], "GET /sse HTTP/1.1\r\nHost: h\r\n\r\n");
		(void)hear(fd[i], "data: {}\n\n");
		(void)stream(&f, i);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, blast, &f), 0);
	for (unsigned i = 0; i < 6; i++)
		(void)close(fd[i]);
	for (int i = 0; i < 2; i++)
		(void)pthread_join(t[i], NULL);
	stop(&f);
	assert_int_equal(f.closed_n, 6);
}

TEST(websocket_handshake_as_in_rfc_6455_and_refusals)
{
	/* key and answer of RFC 6455 1.3 */
	static const char head[] = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n";
	struct fix f;
	char text[512], buf[8] = "";
	const char *got;
	int fd;

	start(&f, NULL, false);
	(void)snprintf(text, sizeof(text),
		       "GET /sip HTTP/1.1\r\nHost: h\r\n%sSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		       "Sec-WebSocket-Protocol: chat, sip\r\n\r\nearly", head);
	fd = dial(&f);
	say(fd, text);
	got = hear(fd, "\r\n\r\n");
	assert_int_equal(status_of(got), 101);
	assert_has(got, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_has(got, "Sec-WebSocket-Protocol: sip");
	(void)pthread_mutex_lock(&f.lock);
	while (!f.up)
		(void)pthread_cond_wait(&f.change, &f.lock);
	(void)pthread_mutex_unlock(&f.lock);
	if (!f.extra[0]) /* it may have come behind the headers, or on the socket */
		assert_int_equal(recv(f.up_fd, f.extra, 5, MSG_WAITALL), 5);
	assert_memory_equal(f.extra, "early", 5);
	assert_int_equal(send(f.up_fd, "pong", 4, 0), 4);
	assert_int_equal(recv(fd, buf, 4, MSG_WAITALL), 4);
	assert_string_equal(buf, "pong");
	http_upgrade_close(f.up);
	assert_int_equal(recv(fd, buf, 1, 0), 0);
	(void)close(fd);

	assert_int_equal(status_of(ask_ws(&f, "")), 426);
	assert_int_equal(status_of(ask_ws(&f, "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 8\r\n")), 426);
	(void)snprintf(text, sizeof(text), "%sSec-WebSocket-Protocol: sip\r\n", head);
	assert_int_equal(status_of(ask_ws(&f, text)), 400);
	(void)snprintf(text, sizeof(text), "%sSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Key: short\r\n", head);
	assert_int_equal(status_of(ask_ws(&f, text)), 400);
	(void)snprintf(text, sizeof(text), "%sSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", head);
	assert_int_equal(status_of(ask_ws(&f, text)), 400);
	stop(&f);
}

TEST(keep_alive_serves_many_requests_on_one_connection)
{
	struct fix f;
	int fd;

	start(&f, NULL, false);
	fd = dial(&f);
	for (int i = 0; i < 50; i++) {
		say(fd, "GET /echo?q=42 HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_has(hear(fd, " n=0 "), "q=42");
	}
	(void)close(fd);
	stop(&f);
}

static int shell(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;
	char cmd[2048];
	FILE *p;
	size_t n;

	va_start(ap, fmt);
	(void)vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	p = popen(cmd, "r");
	n = fread(out, 1, size - 1, p);
	out[n] = '\0';
	return pclose(p);
}

static void make_cert(const char *dir, const char *cn)
{
	char out[256];

	assert_int_equal(shell(out, sizeof(out),
			       "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=%s "
			       "-addext subjectAltName=IP:127.0.0.1 -keyout k.tmp -out c.tmp 2>&1 && mv c.tmp cert.pem && mv k.tmp key.pem",
			       dir, cn), 0);
}

TEST(tls_answers_and_uses_a_renewed_certificate_without_restart)
{
	struct fix f, f0;
	struct http_conf conf = {0};
	char dir[] = "/tmp/http_tls.XXXXXX", cert[64], key[64], out[4096];
	bool renewed = false;

	assert_non_null(mkdtemp(dir));
	make_cert(dir, "first");
	(void)snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
	(void)snprintf(key, sizeof(key), "%s/key.pem", dir);
	conf.cert_pem = cert;
	conf.key_pem = key;
	start(&f, &conf, false);
	assert_true(http_is_tls(f.h));
	assert_int_equal(shell(out, sizeof(out), "curl -sS --cacert %s https://127.0.0.1:%u/echo 2>&1", cert, http_port(f.h)), 0);
	assert_has(out, "path=/echo");
	make_cert(dir, "second");
	for (int i = 0; i < 40 && !renewed; i++) /* looked at every 2 s */
		renewed = !shell(out, sizeof(out), "curl -sS --cacert %s https://127.0.0.1:%u/echo 2>&1 || (sleep 0.2; false)", cert,
				 http_port(f.h));
	assert_true(renewed);
	/* TLS 1.1 is not spoken */
	assert_int_not_equal(shell(out, sizeof(out), "curl -sS --tls-max 1.1 -k https://127.0.0.1:%u/echo 2>&1", http_port(f.h)), 0);
	stop(&f);
	/* a key that is not the certificate's */
	assert_int_equal(shell(out, sizeof(out), "cd %s && openssl ecparam -genkey -name prime256v1 -noout -out key.pem 2>&1", dir), 0);
	conf.listen = "127.0.0.1:0";
	assert_int_equal(http_start(&f0.h, &conf), -EINVAL);
	conf.cert_pem = "/nonexistent";
	assert_int_equal(http_start(&f0.h, &conf), -ENOENT);
	assert_int_equal(shell(out, sizeof(out), "rm -rf %s", dir), 0);
}

TEST(a_bad_listen_address_is_an_error)
{
	struct http_conf conf = {.listen = "localhost"};
	struct http *h;

	assert_int_equal(http_start(&h, &conf), -EINVAL);
	conf.listen = "[::1:80";
	assert_int_equal(http_start(&h, &conf), -EINVAL);
	conf.listen = "127.0.0.1:99999";
	assert_int_equal(http_start(&h, &conf), -EINVAL);
}

TEST(ranges_cookies_and_tokens_are_parsed_by_the_book)
{
	struct arena *a = arena_new(1024);
	uint64_t from = 9, to = 9;

	assert_int_equal(http_parse_range(&from, &to, "bytes=0-0", 0), 1);
	assert_int_equal(http_parse_range(&from, &to, "bytes=-0", 10), 1);
	assert_int_equal(http_parse_range(&from, &to, "bytes=-", 10), -EINVAL);
	assert_int_equal(http_parse_range(&from, &to, "bytes=99999999999999999999999-", 10), 1);
	assert_int_equal(http_parse_range(&from, &to, "bytes=0-99999999999999999999999", 10), 0);
	assert_int_equal(to, 9);
	assert_null(http_parse_cookie(a, "xsid=1; sidx=2", "sid"));
	assert_string_equal(http_parse_cookie(a, "a=b;sid=1;sid=2", "sid"), "1");
	assert_true(http_has_token("keep-alive , UPGRADE", "upgrade"));
	assert_false(http_has_token("upgraded", "upgrade"));
	assert_null(http_decode(a, "%C0%80", 6, false)); /* overlong NUL */
	arena_free(a);
}
