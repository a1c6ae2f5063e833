/* What http/ parses itself: request targets, query strings, cookies, ranges, field syntax. No I/O; fuzzed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define HTTP_QUERY_MAX 64 /* parameters of one request */

struct http_pair {
	const char *name, *value;
};

struct http_target {
	const char *path;                 /* decoded; no NUL, valid UTF-8, no "." or ".." segment */
	const char *raw_path;             /* as it came, without the query */
	struct http_pair query[HTTP_QUERY_MAX];
	size_t query_n;
};

/** Takes an origin-form request target apart. 0, or -EINVAL. Strings are in @a. */
int http_parse_target(struct http_target *ret, struct arena *a, const char *raw);

/** Decodes %XX (and + as a blank when @plus). NULL when it is malformed, holds a NUL or is not UTF-8. */
char *http_decode(struct arena *a, const char *s, size_t n, bool plus);

/** The value of cookie @name in a Cookie field, or NULL. First one wins. */
const char *http_parse_cookie(struct arena *a, const char *field, const char *name);

/** RFC 9110 14.1.2, one range. 0: @from..@to inclusive; 1: unsatisfiable; -EINVAL: to be ignored (the whole is sent). */
int http_parse_range(uint64_t *from, uint64_t *to, const char *field, uint64_t size);

bool http_is_token(const char *s);                        /* RFC 9110 5.6.2 */
/** Whether the comma-separated list @field has the token @want, case aside. */
bool http_has_token(const char *field, const char *want);

/**
 * Matches @raw_path against a route's pattern: literal segments, "{name}" for one segment, "{name...}" for the rest.
 * 1 with up to @max parameters decoded into @params; 0 no match; -EINVAL when a parameter cannot be decoded.
 */
int http_match(const char *pattern, const char *raw_path, struct arena *a, struct http_pair *params, size_t max, size_t *n);
