/*
 * Bodies of the routing core's events, as replay reads them from a log that somebody may have edited: refused, or taken and then
 * written again as something that reads back the same. A snapshot that is taken leaves a core whose invariants hold.
 *
 * Input: first byte the kind of body; then JSON.
 */
#include <assert.h>
#include <string.h>

#include "acd/acd.h"
#include "acd/check.h"
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nothing(const struct acd_out *out, void *arg)
{
}

static void fuzz_in(const char *body, size_t len)
{
	struct acd_in in, back;
	struct strb b, again;

	if (acd_in_decode(&in, 5, body, len))
		return;
	strb_init(&b, 1 << 20);
	strb_init(&again, 1 << 20);
	acd_in_encode(&in, &b);
	assert(!acd_in_decode(&back, 5, b.buf, b.len));
	acd_in_encode(&back, &again);
	assert(b.len == again.len && !memcmp(b.buf, again.buf, b.len));
	strb_done(&b);
	strb_done(&again);
}

static void fuzz_conf(const char *body, size_t len)
{
	struct acd_conf conf;
	struct acd *a;

	if (acd_conf_decode(&conf, body, len))
		return;
	assert(!acd_new(&a, nothing, NULL));
	(void)acd_configure(a, &conf, 1000);
	assert(!acd_invariant(a));
	acd_free(a);
	acd_conf_done(&conf);
}

static void fuzz_snap(const char *body, size_t len)
{
	struct acd_queue_conf queues[] = {{.id = 1, .ring_ms = 1000}, {.id = 2, .announce_ms = 1000, .overflow = ACD_OVERFLOW_QUEUE, .overflow_queue = 1}};
	struct acd_agent_conf agents[] = {{1, 1, 1000, 1000}, {2, 1, 0, 0}};
	struct acd_member members[] = {{1, 1, 1}, {1, 2, 1}, {2, 1, 2}};
	struct acd_conf conf = {0, queues, 2, agents, 2, members, 3};
	struct acd *a;

	assert(!acd_new(&a, nothing, NULL));
	assert(!acd_configure(a, &conf, 0));
	if (!acd_snap_restore(a, body, len) && acd_next_ms(a) < INT64_MAX) {
		acd_step(a, acd_next_ms(a));
		assert(!acd_invariant(a));
	}
	acd_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data + 1;

	if (!size)
		return 0;
	switch (data[0] % 4) {
	case 0:
		fuzz_in(body, size - 1);
		break;
	case 1:
		fuzz_conf(body, size - 1);
		break;
	case 2:
		fuzz_snap(body, size - 1);
		break;
	case 3:
		(void)acd_check(1, 2, 3, body, size - 1);
		break;
	}
	return 0;
}
