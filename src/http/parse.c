/* What http/ parses itself. Everything here takes a stranger's bytes. */
#include "http/parse.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *http_decode(struct arena *a, const char *s, size_t n, bool plus)
{
	char *out = arena_alloc(a, n + 1);
	size_t o = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '%') {
			int hi, lo;

			if (n - i < 3 || (hi = hex(s[i + 1])) < 0 || (lo = hex(s[i + 2])) < 0)
				return NULL;
			c = (char)(hi * 16 + lo);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (!c)
			return NULL;
		out[o++] = c;
	}
	out[o] = '\0';
	return str_is_utf8(out, o) ? out : NULL;
}

static bool has_dot_segment(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/.")); p++) {
		const char *e = p + 2;

		if (*e == '.')
			e++;
		if (!*e || *e == '/')
			return true;
	}
	return false;
}

static int parse_query(struct http_target *t, struct arena *a, const char *q)
{
	while (*q) {
		size_t n = strcspn(q, "&");
		const char *eq = memchr(q, '=', n);
		size_t name_n = eq ? (size_t)(eq - q) : n;

		if (n) {
			struct http_pair *p = &t->query[t->query_n];

			if (t->query_n == HTTP_QUERY_MAX)
				return -EINVAL;
			p->name = http_decode(a, q, name_n, true);
			p->value = eq ? http_decode(a, eq + 1, n - name_n - 1, true) : "";
			if (!p->name || !p->value)
				return -EINVAL;
			t->query_n++;
		}
		q += n;
		if (*q)
			q++;
	}
	return 0;
}

int http_parse_target(struct http_target *ret, struct arena *a, const char *raw)
{
	size_t n = strcspn(raw, "?");
	struct http_target *t = ret;

	t->query_n = 0;
	if (raw[0] != '/')
		return -EINVAL; /* absolute and authority forms are for proxies */
	for (const char *p = raw; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '#')
			return -EINVAL;
	t->raw_path = arena_strndup(a, raw, n);
	t->path = http_decode(a, raw, n, false);
	if (!t->path || has_dot_segment(t->path))
		return -EINVAL;
	return raw[n] ? parse_query(t, a, raw + n + 1) : 0;
}

const char *http_parse_cookie(struct arena *a, const char *field, const char *name)
{
	size_t want = strlen(name);

	for (const char *p = field; *p;) {
		size_t n;

		p += strspn(p, " \t;");
		n = strcspn(p, ";");
		if (n > want && p[want] == '=' && !memcmp(p, name, want)) {
			const char *v = p + want + 1;
			size_t vn = n - want - 1;

			while (vn && (v[vn - 1] == ' ' || v[vn - 1] == '\t'))
				vn--;
			if (vn >= 2 && v[0] == '"' && v[vn - 1] == '"') {
				v++;
				vn -= 2;
			}
			return arena_strndup(a, v, vn);
		}
		p += n;
	}
	return NULL;
}

/* Digits only; what is larger than 64 bits is as large as can be. */
static const char *number(uint64_t *ret, const char *s)
{
	uint64_t v = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (unsigned)(*s - '0'), &v))
			v = UINT64_MAX / 16;
	*ret = v;
	return s;
}

int http_parse_range(uint64_t *from, uint64_t *to, const char *field, uint64_t size)
{
	uint64_t a = 0, b = UINT64_MAX;
	const char *p, *q;

	if (strncasecmp(field, "bytes=", 6) != 0)
		return -EINVAL;
	p = number(&a, field + 6);
	if (*p != '-')
		return -EINVAL;
	q = p + 1;
	if (*q)
		q = number(&b, q);
	if (*q) /* several ranges, or rubbish */
		return -EINVAL;
	if (p == field + 6) { /* the last b bytes */
		if (p[1] == '\0')
			return -EINVAL;
		if (!b || !size)
			return 1;
		*from = b < size ? size - b : 0;
		*to = size - 1;
		return 0;
	}
	if (p[1] && b < a)
		return -EINVAL;
	if (a >= size)
		return 1;
	*from = a;
	*to = b < size ? b : size - 1;
	return 0;
}

bool http_is_token(const char *s)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";

	if (!*s)
		return false;
	for (; *s; s++) {
		bool alnum = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');

		if (!alnum && !strchr(extra, *s))
			return false;
	}
	return true;
}

bool http_has_token(const char *field, const char *want)
{
	size_t wn = strlen(want);

	while (*field) {
		size_t n;

		field += strspn(field, " \t,");
		n = strcspn(field, " \t,");
		if (n == wn && !strncasecmp(field, want, n))
			return true;
		field += n;
	}
	return false;
}

/* "{name}" or "{name...}" at @seg: its name into @a; NULL when it is a literal. */
static const char *placeholder(const char *seg, size_t n, struct arena *a, bool *rest)
{
	if (n < 3 || seg[0] != '{' || seg[n - 1] != '}')
		return NULL;
	*rest = n > 5 && !memcmp(seg + n - 4, "...", 3);
	return arena_strndup(a, seg + 1, n - 2 - (*rest ? 3 : 0));
}

int http_match(const char *pattern, const char *path, struct arena *a, struct http_pair *params, size_t max, size_t *n)
{
	*n = 0;
	while (*pattern == '/' && *path == '/') {
		size_t pn = strcspn(++pattern, "/"), sn = strcspn(++path, "/");
		bool rest = false;
		const char *name = placeholder(pattern, pn, a, &rest);

		if (rest)
			sn = strlen(path);
		if (name) {
			char *value;

			if (!sn && !rest)
				return 0;
			value = http_decode(a, path, sn, false);
			if (!value || *n == max)
				return -EINVAL;
			params[(*n)++] = (struct http_pair){name, value};
		} else if (pn != sn || memcmp(pattern, path, pn) != 0) {
			return 0;
		}
		pattern += pn;
		path += sn;
	}
	return !*pattern && !*path;
}
