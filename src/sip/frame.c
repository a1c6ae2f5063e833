/*
 * Messages on a byte stream (RFC 3261 18.3, 7.5): a head ends with an empty line, its Content-Length says where the body ends. Between
 * messages CRLFs may stand; two of them are a keep-alive that wants one back (RFC 5626 4.4.1).
 */
#include "sip/sip_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void sipframe_add(struct sipframe *f, const void *data, size_t n)
{
	if (f->at) {
		memmove(f->buf, f->buf + f->at, f->len - f->at);
		f->len -= f->at;
		f->scanned = f->scanned > f->at ? f->scanned - f->at : 0;
		f->at = 0;
	}
	if (f->len + n > f->cap) {
		f->cap = f->cap ? f->cap : 2048;
		while (f->cap < f->len + n)
			f->cap *= 2;
		f->buf = xrealloc(f->buf, f->cap);
	}
	if (n)
		memcpy(f->buf + f->len, data, n);
	f->len += n;
}

void sipframe_done(struct sipframe *f)
{
	free(f->buf);
	*f = (struct sipframe){0};
}

void sipframe_take(struct sipframe *f)
{
	f->at += f->whole;
	f->whole = 0;
	f->scanned = f->at;
	if (f->at < f->len)
		return;
	f->at = f->len = f->scanned = 0;
	if (f->cap > SIPFRAME_IDLE_BYTES) { /* thousands of connections stay open and say little */
		free(f->buf);
		f->buf = NULL;
		f->cap = 0;
	}
}

/* What stands before a message: 4 bytes of a keep-alive; else CRLFs are skipped. */
static bool skip_lines(struct sipframe *f)
{
	while (f->at < f->len) {
		const char *p = f->buf + f->at;
		size_t n = f->len - f->at;

		if (n >= 4 && !memcmp(p, "\r\n\r\n", 4)) {
			f->whole = 4;
			return true;
		}
		if (n < 4 && !memcmp(p, "\r\n\r\n", n))
			return false; /* perhaps the first half of one */
		if (*p != '\r' && *p != '\n')
			return false;
		f->at++;
	}
	return false;
}

/* Length of the head with its empty line; 0: not there yet. The same rule as sipm_precheck's. */
static size_t head_length(struct sipframe *f)
{
	size_t i = f->scanned > f->at ? f->scanned : f->at;

	while (i < f->len) {
		const char *nl = memchr(f->buf + i, '\n', f->len - i);
		size_t next;

		if (!nl)
			break;
		next = (size_t)(nl - f->buf) + 1;
		if (next < f->len && f->buf[next] == '\n')
			return next + 1 - f->at;
		if (next + 1 < f->len && f->buf[next] == '\r' && f->buf[next + 1] == '\n')
			return next + 2 - f->at;
		if (next + 1 >= f->len) { /* the end may be cut here */
			f->scanned = next - 1;
			return 0;
		}
		i = next;
	}
	f->scanned = f->len;
	return 0;
}

/* Start of the next header line, folded ones included in this one; @end when there is none. */
static const char *line_end(const char *p, const char *end)
{
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (!nl)
			return end;
		p = nl + 1;
		if (p >= end || (*p != ' ' && *p != '\t'))
			return p;
	}
	return end;
}

static bool is_content_length(const char *p, size_t n)
{
	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (n == 14 && !strncasecmp(p, "Content-Length", 14)) || (n == 1 && (*p == 'l' || *p == 'L'));
}

static bool read_length(size_t *ret, const char *p, const char *end)
{
	size_t v = 0, digits = 0;

	while (p < end && isspace((unsigned char)*p))
		p++;
	for (; p < end && isdigit((unsigned char)*p); p++) {
		if (++digits > 8)
			return false;
		v = v * 10 + (size_t)(*p - '0');
	}
	while (p < end && isspace((unsigned char)*p))
		p++;
	*ret = v;
	return digits && p == end;
}

/* false: none, two of them, or no number: nobody can tell where the next message begins. */
static bool body_length(size_t *ret, const char *head, size_t len)
{
	const char *end = head + len, *p = line_end(head, end), *next;
	bool found = false;

	for (; p < end; p = next) {
		const char *colon;

		next = line_end(p, end);
		colon = memchr(p, ':', (size_t)(next - p));
		if (!colon || !is_content_length(p, (size_t)(colon - p)))
			continue;
		if (found || !read_length(ret, colon + 1, next))
			return false;
		found = true;
	}
	return found;
}

enum sipframe_got sipframe_next(struct sipframe *f, const char **msg, size_t *len)
{
	size_t head, body;

	if (skip_lines(f))
		return SIPFRAME_PING;
	if (!sipframe_pending(f))
		return SIPFRAME_MORE;
	head = head_length(f);
	if (head > SIPFRAME_HEAD_MAX || (!head && f->len - f->at > SIPFRAME_HEAD_MAX))
		return SIPFRAME_TOO_LONG;
	if (!head)
		return SIPFRAME_MORE;
	*msg = f->buf + f->at;
	*len = f->whole = head;
	if (!body_length(&body, *msg, head) || head + body > SIPM_BYTES_MAX)
		return SIPFRAME_HEAD;
	if (f->len - f->at < head + body) {
		f->scanned = f->at + head - 3; /* found again at once */
		f->whole = 0;
		return SIPFRAME_MORE;
	}
	*len = f->whole = head + body;
	return SIPFRAME_MESSAGE;
}

bool sipframe_pending(const struct sipframe *f)
{
	return f->at < f->len && f->buf[f->at] != '\r' && f->buf[f->at] != '\n';
}
