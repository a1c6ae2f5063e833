/* Bytes of a SIP stream, cut as the first byte says: the same things must come out as from the whole at once. */
#include "sip/sip_priv.h"

#include <stdlib.h>
#include <string.h>

struct seen {
	uint64_t hash;
	unsigned n;
};

static void see(struct seen *s, enum sipframe_got g, const char *msg, size_t len)
{
	s->n++;
	s->hash = s->hash * 1099511628211u ^ (uint64_t)g ^ len << 8;
	for (size_t i = 0; i < len; i++)
		s->hash = (s->hash ^ (uint8_t)msg[i]) * 1099511628211u;
}

static struct seen run(const uint8_t *data, size_t size, size_t step)
{
	struct seen s = {14695981039346656037u, 0};
	struct sipframe f = {0};

	for (size_t i = 0; i < size; i += step) {
		enum sipframe_got g;
		const char *msg;
		size_t len;

		sipframe_add(&f, data + i, size - i < step ? size - i : step);
		while ((g = sipframe_next(&f, &msg, &len)) != SIPFRAME_MORE) {
			if (g == SIPFRAME_PING || g == SIPFRAME_TOO_LONG)
				len = 0;
			if (len > SIPM_BYTES_MAX)
				abort();
			see(&s, g, msg, len);
			if (g == SIPFRAME_HEAD || g == SIPFRAME_TOO_LONG)
				goto out; /* nothing is read any more */
			sipframe_take(&f);
		}
		if (f.cap > 4 * SIPM_BYTES_MAX)
			abort();
	}
out:
	sipframe_done(&f);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen a, b;

	if (size < 2 || size > 40000)
		return 0;
	a = run(data + 1, size - 1, size);
	b = run(data + 1, size - 1, 1 + data[0]);
	if (a.n != b.n || a.hash != b.hash)
		abort();
	return 0;
}
