/* A pacing core's memory from a log that somebody has written in: refused, and then as it was; or taken, and then it is said again to the bit. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "dialer/pace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say(const struct pace *p, struct strb *b)
{
	strb_init(b, 1 << 20);
	pace_snap_encode(p, b);
	assert(!b->overflow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pace_conf conf = PACE_CONF_DEFAULT;
	const int32_t talk[] = {0, 30000, 900000}, wrap[] = {1000};
	const struct pace_ring ring[] = {{1000, 0}, {20000, 1500}};
	struct pace_now now = {.at_ms = 1, .idle = 3, .talk_ms = talk, .talk_n = 3, .wrap_ms = wrap, .wrap_n = 1, .ring = ring, .ring_n = 2};
	struct strb a, b;
	struct pace_out out;
	struct pace *p, *q;

	if (pace_new(&p, &conf) || pace_new(&q, &conf))
		abort();
	say(p, &a);
	if (pace_snap_restore(p, (const char *)data, size)) {
		say(p, &b);
	} else {
		strb_done(&a);
		say(p, &a);
		assert(!pace_snap_restore(q, a.buf, a.len));
		say(q, &b);
		pace_step(p, &now, &out);
		assert(out.launch >= 0 && out.hangup >= 0 && out.why.risk_ppm >= 0);
		for (int i = 0; i < PACE_EVENT_COUNT; i++)
			pace_event(p, &(struct pace_event){.kind = (enum pace_event_kind)i, .at_ms = 2, .ms = 5000});
		pace_step(p, &now, &out);
		assert(out.launch >= 0 && out.hangup >= 0);
	}
	assert(a.len == b.len && !memcmp(a.buf, b.buf, a.len));
	strb_done(&a);
	strb_done(&b);
	pace_free(p);
	pace_free(q);
	return 0;
}
