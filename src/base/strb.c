#include "base/strb.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void strb_init(struct strb *b, size_t max_bytes)
{
	*b = (struct strb){.max = max_bytes};
}

void strb_init_fixed(struct strb *b, char *buf, size_t size)
{
	assert(size > 0);
	*b = (struct strb){.buf = buf, .cap = size, .max = size - 1, .fixed = true};
	buf[0] = '\0';
}

void strb_done(struct strb *b)
{
	if (!b->fixed)
		free(b->buf);
	*b = (struct strb){0};
}

void strb_clear(struct strb *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->buf)
		b->buf[0] = '\0';
}

static bool reserve(struct strb *b, size_t n)
{
	size_t cap;

	if (b->overflow || n > b->max - b->len) {
		b->overflow = true;
		return false;
	}
	if (b->len + n + 1 <= b->cap)
		return true;
	cap = b->cap ? b->cap : 64;
	while (cap < b->len + n + 1)
		cap *= 2;
	b->buf = xrealloc(b->buf, cap);
	b->cap = cap;
	return true;
}

void strb_add(struct strb *b, const void *s, size_t n)
{
	if (!reserve(b, n))
		return;
	memcpy(b->buf + b->len, s, n);
	b->len += n;
	b->buf[b->len] = '\0';
}

void strb_puts(struct strb *b, const char *s)
{
	strb_add(b, s, strlen(s));
}

void strb_putc(struct strb *b, char c)
{
	strb_add(b, &c, 1);
}

void strb_i64(struct strb *b, int64_t v)
{
	char tmp[24], *p = tmp + sizeof(tmp);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		*--p = '-';
	strb_add(b, p, (size_t)(tmp + sizeof(tmp) - p));
}

void strb_printf(struct strb *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (!reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->buf + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

char *strb_take(struct strb *b)
{
	char *s = b->buf ? b->buf : xstrdup("");

	assert(!b->fixed);
	b->buf = NULL;
	b->len = b->cap = 0;
	return s;
}

void jw_init(struct jw *w, struct strb *b)
{
	w->b = b;
	w->comma = false;
}

/* Length of the valid UTF-8 sequence at s (at most n bytes), 0 if there is none. RFC 3629 section 4. */
static size_t utf8_seq(const unsigned char *s, size_t n)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2)
		return 0;
	if (s[0] < 0xe0) {
		len = 2;
	} else if (s[0] < 0xf0) {
		len = 3;
		if (s[0] == 0xe0)
			lo = 0xa0;
		if (s[0] == 0xed)
			hi = 0x9f;
	} else if (s[0] < 0xf5) {
		len = 4;
		if (s[0] == 0xf0)
			lo = 0x90;
		if (s[0] == 0xf4)
			hi = 0x8f;
	} else {
		return 0;
	}
	if (n < len || s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool str_is_utf8(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t k = utf8_seq((const unsigned char *)s + i, n - i);

		if (!k)
			return false;
		i += k;
	}
	return true;
}

bool str_has_control(const char *text, bool lines)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if (*s < 0x20 && !(lines && (*s == '\n' || *s == '\t')))
			return true;
		if (*s == 0x7f || (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)) /* DEL, and U+0080 to U+009F */
			return true;
	}
	return false;
}

void str_mend_utf8(char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t k = s[i] ? utf8_seq((const unsigned char *)s + i, n - i) : 0;

		if (!k)
			s[i] = '?';
		i += k ? k : 1;
	}
}

static void quoted(struct strb *b, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	strb_putc(b, '"');
	for (size_t i = 0; i < n;) {
		size_t plain = i, k;

		while (i < n && p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' && p[i] != '\\')
			i++;
		if (i > plain)
			strb_add(b, p + plain, i - plain);
		if (i >= n)
			break;
		if (p[i] == '"' || p[i] == '\\') {
			strb_putc(b, '\\');
			strb_putc(b, (char)p[i++]);
		} else if (p[i] < 0x20) {
			char esc[8];

			(void)snprintf(esc, sizeof(esc), "\\u%04x", p[i++]);
			strb_puts(b, esc);
		} else if ((k = utf8_seq(p + i, n - i))) {
			strb_add(b, p + i, k);
			i += k;
		} else {
			strb_puts(b, "\xef\xbf\xbd");
			i++;
		}
	}
	strb_putc(b, '"');
}

static void jw_key(struct jw *w, const char *key)
{
	if (w->comma)
		strb_putc(w->b, ',');
	w->comma = true;
	if (key) {
		quoted(w->b, key, strlen(key));
		strb_putc(w->b, ':');
	}
}

void jw_obj(struct jw *w, const char *key)
{
	jw_key(w, key);
	strb_putc(w->b, '{');
	w->comma = false;
}

void jw_arr(struct jw *w, const char *key)
{
	jw_key(w, key);
	strb_putc(w->b, '[');
	w->comma = false;
}

void jw_end_obj(struct jw *w)
{
	strb_putc(w->b, '}');
	w->comma = true;
}

void jw_end_arr(struct jw *w)
{
	strb_putc(w->b, ']');
	w->comma = true;
}

void jw_int(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	strb_i64(w->b, v);
}

void jw_id(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	strb_putc(w->b, '"');
	strb_i64(w->b, v);
	strb_putc(w->b, '"');
}

void jw_num(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	if (v != v || v - v != 0)
		strb_puts(w->b, "null"); /* JSON has no NaN and no infinity */
	else
		strb_printf(w->b, "%.17g", v);
}

void jw_bool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	strb_puts(w->b, v ? "true" : "false");
}

void jw_null(struct jw *w, const char *key)
{
	jw_key(w, key);
	strb_puts(w->b, "null");
}

void jw_strn(struct jw *w, const char *key, const char *s, size_t n)
{
	jw_key(w, key);
	quoted(w->b, s, n);
}

void jw_str(struct jw *w, const char *key, const char *s)
{
	if (s)
		jw_strn(w, key, s, strlen(s));
	else
		jw_null(w, key);
}

void jw_raw(struct jw *w, const char *key, const char *json)
{
	jw_key(w, key);
	strb_puts(w->b, json);
}

bool str_to_i64(int64_t *ret, const char *s, int64_t min, int64_t max)
{
	char *end;
	long long v;

	if (!s || !(*s == '-' || (*s >= '0' && *s <= '9')))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end || end == s || v < min || v > max)
		return false;
	*ret = v;
	return true;
}

bool str_copy(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);
	bool fits = n < size;

	if (!fits)
		n = size - 1;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return fits;
}

void str_hex_of(char *dst, const uint8_t *src, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digit[src[i] >> 4];
		dst[2 * i + 1] = digit[src[i] & 15];
	}
	dst[2 * n] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_hex_to(uint8_t *dst, size_t n, const char *hex)
{
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(hex[2 * i]);
		int lo = hi < 0 ? -1 : hex_digit(hex[2 * i + 1]);

		if (lo < 0)
			return false;
		dst[i] = (uint8_t)(hi << 4 | lo);
	}
	return hex[2 * n] == '\0';
}
