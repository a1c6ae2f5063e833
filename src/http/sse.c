/*
 * Server-sent events. A stream is written by anybody (http_sse_send) and read by microhttpd's thread; when there is nothing to read, the
 * reader suspends its connection, and the next sender resumes it. Both happen under the stream's lock, and `suspended` says
 * which is true, so that neither is done twice.
 *
 * Two holders: the response (until microhttpd frees it) and the handle (until http_sse_unref).
 * Lock order: h->lock, then s->lock.
 */
#include "http/http_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX (256 * 1024)
#define SMALL 2048

struct http_sse {
	struct ilink link; /* h->streams; under h->lock */
	struct http *h;
	struct MHD_Connection *mhd;
	struct conn *conn; /* valid while linked */
	void (*closed)(struct http_sse *s, void *arg);
	void *arg;

	pthread_mutex_t lock;
	unsigned refs;
	bool suspended, ending, gone, overflowed;
	char *buf;           /* queue: buf[start .. end) */
	size_t start, end, cap;
	int64_t sent_ms;
};

static void unref(struct http_sse *s)
{
	bool last;

	(void)pthread_mutex_lock(&s->lock);
	last = --s->refs == 0;
	(void)pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	(void)pthread_mutex_destroy(&s->lock);
	free(s->buf);
	free(s);
}

/* s->lock held. */
static void wake(struct http_sse *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->mhd);
}

static ssize_t reader(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct http_sse *s = arg;
	bool over;
	size_t n;

	(void)pthread_mutex_lock(&s->lock);
	over = s->ending;
	n = s->end - s->start;
	if (n > max)
		n = max;
	if (n) {
		memcpy(buf, s->buf + s->start, n);
		s->start += n;
		if (s->start == s->end) {
			s->start = s->end = 0;
			if (s->cap > SMALL) { /* a thousand idle streams stay small */
				free(s->buf);
				s->buf = NULL;
				s->cap = 0;
			}
		}
	} else if (!over) {
		assert(!s->suspended);
		s->suspended = true;
		MHD_suspend_connection(s->mhd);
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (n)
		return (ssize_t)n;
	return over ? MHD_CONTENT_READER_END_OF_STREAM : 0;
}

static void response_gone(void *arg)
{
	struct http_sse *s = arg;
	struct http *h = s->h;

	(void)pthread_mutex_lock(&s->lock);
	s->gone = true;
	(void)pthread_mutex_unlock(&s->lock);
	if (s->closed)
		s->closed(s, s->arg);
	(void)pthread_mutex_lock(&h->lock);
	ilink_unlink(&s->link);
	(void)pthread_cond_broadcast(&h->change);
	(void)pthread_mutex_unlock(&h->lock);
	unref(s);
}

struct http_sse *http_reply_sse(struct http_req *rq, void (*closed)(struct http_sse *s, void *arg), void *arg)
{
	struct http_sse *s = xcalloc(1, sizeof(*s));
	struct MHD_Response *r;

	s->h = rq->h;
	s->mhd = rq->mhd;
	s->conn = rq->conn;
	s->closed = closed;
	s->arg = arg;
	s->refs = 2;
	s->sent_ms = clock_mono_ms();
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_mutex_lock(&s->h->lock);
	ilist_push_back(&s->h->streams, &s->link);
	(void)pthread_mutex_unlock(&s->h->lock);
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, reader, s, response_gone);
	assert(r);
	(void)MHD_add_response_header(r, "Content-Type", "text/event-stream");
	(void)MHD_add_response_header(r, "Cache-Control", "no-store");
	(void)MHD_add_response_header(r, "X-Accel-Buffering", "no");
	(void)MHD_add_response_header(r, "Connection", "close"); /* its end is the end */
	http_answer(rq, 200, r);
	return s;
}

/* s->lock held. Room for @n more; false when the queue is full. An empty queue takes any one thing, such as a large first snapshot. */
static bool reserve(struct http_sse *s, size_t n)
{
	size_t used = s->end - s->start, cap = s->cap ? s->cap : SMALL;

	if (used && used + n > QUEUE_MAX)
		return false;
	if (s->end + n <= s->cap)
		return true;
	if (s->start) {
		memmove(s->buf, s->buf + s->start, used);
		s->start = 0;
		s->end = used;
	}
	while (cap < used + n)
		cap *= 2;
	if (cap > s->cap) {
		s->buf = xrealloc(s->buf, cap);
		s->cap = cap;
	}
	return true;
}

static void put(struct http_sse *s, const char *p, size_t n)
{
	memcpy(s->buf + s->end, p, n);
	s->end += n;
}

int http_sse_send_frames(struct http_sse *s, const char *frames, size_t len)
{
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	if (s->gone || s->ending) {
		r = -EPIPE;
	} else if (!reserve(s, len)) {
		s->ending = s->overflowed = true; /* the ticker cuts the connection */
		wake(s);
		r = -ENOBUFS;
	} else {
		put(s, frames, len);
		s->sent_ms = clock_mono_ms();
		wake(s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

void http_sse_frame(struct strb *b, const char *id, const char *event, const char *data, size_t len)
{
	assert(!memchr(data, '\n', len) && !memchr(data, '\r', len));
	if (id)
		strb_printf(b, "id: %s\n", id);
	if (event)
		strb_printf(b, "event: %s\n", event);
	strb_puts(b, "data: ");
	strb_add(b, data, len);
	strb_puts(b, "\n\n");
}

int http_sse_send(struct http_sse *s, const char *id, const char *event, const char *data, size_t len)
{
	struct strb b;
	int r;

	strb_init(&b, len + 1024);
	http_sse_frame(&b, id, event, data, len);
	r = http_sse_send_frames(s, b.buf, b.len);
	strb_done(&b);
	return r;
}

void http_sse_close(struct http_sse *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->ending = true;
	if (!s->gone)
		wake(s);
	(void)pthread_mutex_unlock(&s->lock);
}

void http_sse_unref(struct http_sse *s)
{
	unref(s);
}

void http_sse_tick(struct http *h, int64_t now_ms)
{
	static const char beat[] = ":\n\n";

	ilist_each_entry(&h->streams, s, struct http_sse, link) {
		(void)pthread_mutex_lock(&s->lock);
		if (s->overflowed && !s->gone) {
			s->overflowed = false;
			if (s->conn)
				http_cut(h, s->conn); /* it stopped reading, so it would not see the end either */
		} else if (!s->ending && !s->gone && now_ms - s->sent_ms >= HTTP_HEARTBEAT_MS && reserve(s, 3)) {
			put(s, beat, 3);
			s->sent_ms = now_ms;
			wake(s);
		}
		(void)pthread_mutex_unlock(&s->lock);
	}
}

void http_sse_end_all(struct http *h)
{
	ilist_each_entry(&h->streams, s, struct http_sse, link) {
		(void)pthread_mutex_lock(&s->lock);
		if (s->end > s->start && !s->suspended && s->conn && s->ending)
			http_cut(h, s->conn);
		s->ending = true;
		wake(s);
		(void)pthread_mutex_unlock(&s->lock);
	}
}
