/* Request targets, cookies, ranges, token lists and route matching from arbitrary bytes. */
#include <assert.h>
#include <string.h>

#include "base/base.h"
#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1024);
	char *s = arena_strndup(a, (const char *)data, strnlen((const char *)data, size));
	struct http_target t;
	struct http_pair params[4];
	uint64_t from, to;
	size_t n;

	if (!http_parse_target(&t, a, s)) {
		assert(t.path[0] == '/' && str_is_utf8(t.path, strlen(t.path)));
		assert(!strstr(t.path, "/../") && t.query_n <= HTTP_QUERY_MAX);
		(void)http_match("/a/{id}/b", t.raw_path, a, params, 4, &n);
		(void)http_match("/a/{rest...}", t.raw_path, a, params, 4, &n);
	}
	(void)http_parse_cookie(a, s, "sid");
	if (!http_parse_range(&from, &to, s, 1000))
		assert(from <= to && to < 1000);
	(void)http_is_token(s);
	(void)http_has_token(s, "websocket");
	arena_free(a);
	return 0;
}
