/* Blanking: nothing but asterisks is written, line ends stay, twice is once; and planted secrets are gone whatever surrounds them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "trace/trace.h"

static void only_asterisks(const char *was, const char *is, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (was[i] != is[i] && (is[i] != '*' || was[i] == '\n' || was[i] == '\r'))
			abort();
}

static void planted(const uint8_t *data, size_t size)
{
	static const char *const lines[] = {
		"\r\nAuthorization: Digest username=\"a\", response=\"SECRET\"\r\n",
		"\r\nIdentity: SECRET\r\n",
		"\r\na=crypto:1 S inline:SECRET|2^20\r\n",
		"\r\na=ice-pwd:SECRET\r\n",
		"\r\nContact: <sip:a:SECRET@h>\r\n",
	};
	size_t from_body = 2; /* the last three hold in bodies, too */

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		/* In front of the rest it is a header, whatever follows; behind it only what holds everywhere is tried. */
		size_t n = strlen(lines[i]), head = 7;
		char *s = xcalloc(1, head + n + size);

		memcpy(s, "OPTIONS", head);
		memcpy(s + head, lines[i], n);
		memcpy(s + head + n, data, size);
		trace_blank(s, head + n + size);
		if (memmem(s, head + n, "SECRET", 6))
			abort();
		memcpy(s, data, size);
		memcpy(s + size, lines[i], n);
		trace_blank(s, size + n);
		if (i >= from_body && memmem(s + size, n, "SECRET", 6))
			abort();
		free(s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_head h;
	char *a, *b;
	size_t n;

	if (size > 8192)
		return 0;
	a = xcalloc(1, size + 1);
	b = xcalloc(1, size + 1);
	memcpy(a, data, size);
	trace_blank(a, size);
	only_asterisks((const char *)data, a, size);
	memcpy(b, a, size);
	trace_blank(b, size);
	if (memcmp(a, b, size))
		abort();
	trace_mask_numbers(b, size);
	only_asterisks(a, b, size);
	trace_head_of(&h, a, size);
	(void)trace_call_id_of(a, size, &n);
	free(a);
	free(b);
	planted(data, size);
	return 0;
}
