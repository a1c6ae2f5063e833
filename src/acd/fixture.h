/* For tests of the core: a small centre, inputs in one line, and everything it said as text. */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "acd/acd.h"
#include "acd/check.h"
#include "base/base.h"
#include "base/test.h"

struct centre {
	struct acd *a;
	struct strb said;            /* all outs, a line each */
	struct strb tail;            /* the last input's outs in short: "offer 7>1" "state 1 ringing" */
	int64_t offer_id, offer_agent, offer_call; /* the last offer */
	char why[4096];
	unsigned offers;
};

static inline void centre_hear(const struct acd_out *o, void *arg)
{
	struct centre *c = arg;
	static const char *const kinds[] = {"state", "offer", "end", "overflow", "announce", "owner", "reserve"};

	strb_printf(&c->said, "%s %lld %lld %lld %lld %.*s\n", kinds[o->kind], (long long)o->t_ms, (long long)o->agent_id,
		    (long long)o->call_id, (long long)o->queue_id, (int)o->body_len, o->body);
	if (c->tail.len)
		strb_putc(&c->tail, ' ');
	switch (o->kind) {
	case ACD_OUT_STATE:
		strb_printf(&c->tail, "%lld:%s", (long long)o->agent_id, acd_state_name(o->state));
		if (*o->reason)
			strb_printf(&c->tail, "(%s)", o->reason);
		break;
	case ACD_OUT_OFFER:
		strb_printf(&c->tail, "%lld>%lld", (long long)o->call_id, (long long)o->agent_id);
		c->offer_id = o->offer_id;
		c->offer_agent = o->agent_id;
		c->offer_call = o->call_id;
		c->offers++;
		memcpy(c->why, o->body, o->body_len);
		c->why[o->body_len] = '\0';
		assert_null(acd_check(o->call_id, o->agent_id, o->queue_id, o->body, o->body_len));
		break;
	case ACD_OUT_OFFER_END:
		strb_printf(&c->tail, "%lld<%s", (long long)o->call_id, o->reason);
		break;
	case ACD_OUT_OVERFLOW:
		strb_printf(&c->tail, "%lld:over(%s,%d,%lld)", (long long)o->call_id, o->reason, o->overflow,
			    (long long)o->target_queue);
		break;
	case ACD_OUT_OWNER:
		strb_printf(&c->tail, "%lld?%lld(%s)", (long long)o->call_id, (long long)o->agent_id, o->reason);
		break;
	case ACD_OUT_RESERVE:
		strb_printf(&c->tail, "%lld=%lld", (long long)o->call_id, (long long)o->agent_id);
		assert_true(o->body_len < sizeof(c->why));
		memcpy(c->why, o->body, o->body_len);
		c->why[o->body_len] = '\0';
		assert_null(acd_check(o->call_id, o->agent_id, o->queue_id, o->body, o->body_len));
		break;
	case ACD_OUT_ANNOUNCE:
		strb_printf(&c->tail, "%lld:place %d of %d", (long long)o->call_id, o->position, o->waiting);
		break;
	}
}

static inline void centre_init(struct centre *c)
{
	*c = (struct centre){0};
	strb_init(&c->said, 256 << 20);
	strb_init(&c->tail, 1 << 20);
	assert_int_equal(acd_new(&c->a, centre_hear, c), 0);
}

static inline void centre_done(struct centre *c)
{
	acd_free(c->a);
	strb_done(&c->said);
	strb_done(&c->tail);
}

static inline int centre_in(struct centre *c, const struct acd_in *in)
{
	const char *broken;
	int r;

	strb_clear(&c->tail);
	r = acd_input(c->a, in);
	broken = acd_invariant(c->a);
	if (broken)
		fail_msg("%s", broken);
	return r;
}

static inline void centre_step(struct centre *c, int64_t now_ms)
{
	const char *broken;

	strb_clear(&c->tail);
	acd_step(c->a, now_ms);
	broken = acd_invariant(c->a);
	if (broken)
		fail_msg("%s", broken);
}

#define IN(c, what, at, ...) centre_in(c, &(struct acd_in){.kind = what, .at_ms = at, __VA_ARGS__})
#define SAID(c) ((c)->tail.buf ? (c)->tail.buf : "")
