/* What a handler may read of its request, and its plain answers and files. Runs on workers. */
#include "http/http_int.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum http_method http_method(const struct http_req *rq)
{
	return rq->method;
}

const char *http_path(const struct http_req *rq)
{
	return rq->target.path;
}

static const char *pair_find(const struct http_pair *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			return v[i].value;
	return NULL;
}

const char *http_param(const struct http_req *rq, const char *name)
{
	return pair_find(rq->params, rq->param_n, name);
}

const char *http_query(const struct http_req *rq, const char *name)
{
	return pair_find(rq->target.query, rq->target.query_n, name);
}

void http_query_each(const struct http_req *rq, bool (*fn)(const char *name, const char *value, void *arg), void *arg)
{
	for (size_t i = 0; i < rq->target.query_n; i++)
		if (!fn(rq->target.query[i].name, rq->target.query[i].value, arg))
			return;
}

const char *http_header(const struct http_req *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->mhd, MHD_HEADER_KIND, name);
}

const char *http_cookie(const struct http_req *rq, const char *name)
{
	const char *field = http_header(rq, "Cookie");

	return field ? http_parse_cookie(rq->arena, field, name) : NULL;
}

const char *http_body(const struct http_req *rq, size_t *len)
{
	if (len)
		*len = rq->body.len;
	return rq->body.buf ? rq->body.buf : "";
}

const char *http_peer(const struct http_req *rq, uint16_t *port)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(rq->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info ? info->client_addr : NULL;
	char host[64] = "", service[8] = "0";

	if (sa)
		(void)getnameinfo(sa, sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
				  host, sizeof(host), service, sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV);
	if (port)
		*port = (uint16_t)atoi(service);
	return arena_strdup(rq->arena, !strncmp(host, "::ffff:", 7) && strchr(host, '.') ? host + 7 : host);
}

struct arena *http_arena(struct http_req *rq)
{
	return rq->arena;
}

void http_set_header(struct http_req *rq, const char *name, const char *value)
{
	assert(rq->header_n < ARRAY_LEN(rq->headers));
	rq->headers[rq->header_n].name = arena_strdup(rq->arena, name);
	rq->headers[rq->header_n++].value = arena_strdup(rq->arena, value);
}

static void reply(struct http_req *rq, int status, const char *type, const void *body, size_t len, enum MHD_ResponseMemoryMode how)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)(uintptr_t)(len ? body : ""), how);

	assert(r);
	if (type)
		(void)MHD_add_response_header(r, "Content-Type", type);
	http_answer(rq, status, r);
}

void http_reply(struct http_req *rq, int status, const char *type, const void *body, size_t len)
{
	reply(rq, status, type, body, len, MHD_RESPMEM_MUST_COPY);
}

void http_reply_static(struct http_req *rq, int status, const char *type, const void *body, size_t len)
{
	reply(rq, status, type, body, len, MHD_RESPMEM_PERSISTENT);
}

/* ---- files ---- */

static void http_date(char buf[32], time_t t)
{
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	(void)strftime(buf, 32, "%a, %d %b %Y %H:%M:%S GMT", &tm); /* the program runs in the C locale */
}

/* The date of If-Modified-Since; 0 when it is none. */
static time_t parse_date(const char *s)
{
	struct tm tm = {0};
	const char *end = strptime(s, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end && !*end ? timegm(&tm) : 0;
}

static bool not_modified(const struct http_req *rq, const char *etag, time_t mtime)
{
	const char *none_match = http_header(rq, "If-None-Match"), *since = http_header(rq, "If-Modified-Since");

	if (none_match)
		return strstr(none_match, etag) != NULL || !strcmp(none_match, "*");
	return since && parse_date(since) >= mtime;
}

/* RFC 5987 beside a plain name for old clients. */
static const char *disposition(struct arena *a, const char *name)
{
	struct strb b;
	const char *out;

	strb_init(&b, 4096);
	strb_puts(&b, "attachment; filename=\"");
	for (const char *p = name; *p; p++)
		strb_putc(&b, (unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f || *p == '"' || *p == '\\' ? '_' : *p);
	strb_puts(&b, "\"; filename*=UTF-8''");
	for (const char *p = name; *p; p++) {
		char one[2] = {*p, 0};

		if (strchr(".-_~", *p) || ((unsigned char)*p < 0x80 && http_is_token(one) && !strchr("%'*", *p)))
			strb_putc(&b, *p);
		else
			strb_printf(&b, "%%%02X", (unsigned char)*p);
	}
	out = arena_strdup(a, b.buf);
	strb_done(&b);
	return out;
}

static void reply_range(struct http_req *rq, int fd, uint64_t from, uint64_t n, int status)
{
	struct MHD_Response *r = n ? MHD_create_response_from_fd_at_offset64(n, fd, from)
				   : MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);

	if (!n)
		(void)close(fd);
	assert(r);
	http_answer(rq, status, r);
}

void http_reply_file(struct http_req *rq, const char *path, const char *type, const char *download_name)
{
	const char *range = http_header(rq, "Range"), *if_range = http_header(rq, "If-Range");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t from = 0, to = 0;
	char etag[64], date[32];
	struct stat st;
	int r = -EINVAL;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			(void)close(fd);
		http_answer_problem(rq, 404);
		return;
	}
	(void)snprintf(etag, sizeof(etag), "\"%llx-%llx\"", (unsigned long long)st.st_size,
		       (unsigned long long)st.st_mtim.tv_sec * 1000000000ull + (unsigned long long)st.st_mtim.tv_nsec);
	http_date(date, st.st_mtim.tv_sec);
	http_set_header(rq, "ETag", etag);
	http_set_header(rq, "Last-Modified", date);
	http_set_header(rq, "Accept-Ranges", "bytes");
	if (not_modified(rq, etag, st.st_mtim.tv_sec)) {
		(void)close(fd);
		http_reply_static(rq, 304, NULL, "", 0);
		return;
	}
	if (range && rq->method == HTTP_GET && (!if_range || !strcmp(if_range, etag) || !strcmp(if_range, date)))
		r = http_parse_range(&from, &to, range, (uint64_t)st.st_size);
	if (r == 1) {
		(void)close(fd);
		http_set_header(rq, "Content-Range", arena_printf(rq->arena, "bytes */%lld", (long long)st.st_size));
		http_answer_problem(rq, 416);
		return;
	}
	http_set_header(rq, "Content-Type", type);
	if (download_name)
		http_set_header(rq, "Content-Disposition", disposition(rq->arena, download_name));
	if (r) {
		reply_range(rq, fd, 0, (uint64_t)st.st_size, 200);
		return;
	}
	http_set_header(rq, "Content-Range",
			arena_printf(rq->arena, "bytes %llu-%llu/%lld", (unsigned long long)from, (unsigned long long)to,
				     (long long)st.st_size));
	reply_range(rq, fd, from, to - from + 1, 206);
}
