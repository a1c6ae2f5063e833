/* Time and inputs: what is due is processed at its nominal time, then the input. */
#include "acd/core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BODY_MAX 65536

const char *const acd_state_names[ACD_STATE_COUNT] = {
	[ACD_OFFLINE] = "offline", [ACD_READY] = "ready", [ACD_RINGING] = "ringing", [ACD_TALKING] = "talking",
	[ACD_WRAPUP] = "wrapup",   [ACD_BREAK] = "break", [ACD_NOANSWER] = "noanswer", [ACD_RESERVED] = "reserved",
};

const char *acd_state_name(enum acd_state s)
{
	assert((unsigned)s < ACD_STATE_COUNT);
	return acd_state_names[s];
}

int acd_new(struct acd **ret, void (*emit)(const struct acd_out *out, void *arg), void *arg)
{
	struct acd *a = xcalloc(1, sizeof(*a));

	a->emit = emit;
	a->arg = arg;
	strb_init(&a->body, BODY_MAX);
	*ret = a;
	return 0;
}

void acd_free(struct acd *a)
{
	struct otree_node *n;

	if (!a)
		return;
	while ((n = otree_first(&a->calls)))
		call_free(a, container_of(n, struct call, by_id));
	while ((n = otree_first(&a->agents)))
		agent_free(a, container_of(n, struct agent, by_id));
	while ((n = otree_first(&a->queues))) {
		otree_del(&a->queues, n);
		free(container_of(n, struct queue, by_id));
	}
	strb_done(&a->body);
	free(a);
}

struct agent *acd_agent_find(const struct acd *a, int64_t id)
{
	struct otree_node *n = otree_find(&a->agents, id);

	return n ? container_of(n, struct agent, by_id) : NULL;
}

struct queue *acd_queue_find(const struct acd *a, int64_t id)
{
	struct otree_node *n = otree_find(&a->queues, id);

	return n ? container_of(n, struct queue, by_id) : NULL;
}

struct call *acd_call_find(const struct acd *a, int64_t id)
{
	struct otree_node *n = otree_find(&a->calls, id);

	return n ? container_of(n, struct call, by_id) : NULL;
}

void acd_timer_set(struct acd *a, struct timer *t, int64_t due_ms, enum timer_kind kind, int64_t id, int64_t id2)
{
	otree_del(&a->timers, &t->node);
	otree_add(&a->timers, &t->node, due_ms, kind, id, id2);
}

void acd_timer_stop(struct acd *a, struct timer *t)
{
	otree_del(&a->timers, &t->node);
}

void acd_emit(struct acd *a, struct acd_out *out)
{
	assert(!a->body.overflow);
	out->t_ms = a->now_ms;
	out->body = a->body.buf;
	out->body_len = a->body.len;
	a->emit(out, a->arg);
}

static void refusal_over(struct acd *a, struct refusal *r)
{
	struct call *c = r->call;

	refusal_free(a, r);
	if (c->hold == HOLD_TEAM && !c->agent)
		(void)match_team(a, c);
	else if (!c->agent && !c->hold)
		match_call(a, c);
}

static void fire(struct acd *a, struct timer *t, enum timer_kind kind)
{
	switch (kind) {
	case TIMER_AGENT:
		agent_timer(a, container_of(t, struct agent, timer));
		break;
	case TIMER_LIMIT:
		call_timer(a, container_of(t, struct call, limit), kind);
		break;
	case TIMER_ANNOUNCE:
		call_timer(a, container_of(t, struct call, announce), kind);
		break;
	case TIMER_HOLD:
		call_timer(a, container_of(t, struct call, held), kind);
		break;
	case TIMER_REFUSAL:
		refusal_over(a, container_of(t, struct refusal, timer));
		break;
	}
}

/* The core's time is that of the last thing processed, not of the last step: steps are not in the log. */
void acd_step(struct acd *a, int64_t now_ms)
{
	struct otree_node *n;

	while ((n = otree_first(&a->timers)) && n->key[0] <= now_ms) {
		if (n->key[0] > a->now_ms)
			a->now_ms = n->key[0];
		otree_del(&a->timers, n);
		fire(a, container_of(n, struct timer, node), (enum timer_kind)n->key[1]);
	}
}

int64_t acd_next_ms(const struct acd *a)
{
	struct otree_node *n = otree_first(&a->timers);

	return n ? n->key[0] : INT64_MAX;
}

int acd_input(struct acd *a, const struct acd_in *in)
{
	if (in->at_ms < 0 || in->at_ms > TIME_MAX_MS)
		return ACD_E_STATE;
	acd_step(a, in->at_ms);
	if (in->at_ms > a->now_ms)
		a->now_ms = in->at_ms;
	switch (in->kind) {
	case ACD_IN_LOGIN:
	case ACD_IN_LOGOUT:
	case ACD_IN_READY:
	case ACD_IN_BREAK:
	case ACD_IN_WRAP_EXTEND:
	case ACD_IN_WRAP_END:
	case ACD_IN_DEVICE:
	case ACD_IN_SEIZE:
	case ACD_IN_RELEASE:
	case ACD_IN_MOVE:
		return agent_input(a, in);
	case ACD_IN_ENTER:
	case ACD_IN_KNOWN:
	case ACD_IN_LEAVE:
	case ACD_IN_ANSWERED:
	case ACD_IN_REFUSED:
		return call_input(a, in);
	case ACD_IN_RESERVE:
	case ACD_IN_UNRESERVE:
		return reserve_input(a, in);
	case ACD_IN_STEP:
		return 0;
	case ACD_IN_COUNT:
		break;
	}
	return ACD_E_UNKNOWN;
}

static bool has_pending(const struct agent *g)
{
	return (g->state == ACD_RINGING || g->state == ACD_TALKING || g->state == ACD_WRAPUP) &&
	       (g->after == ACD_BREAK || g->after == ACD_OFFLINE);
}

int acd_agent_get(const struct acd *a, int64_t agent_id, struct acd_agent_view *ret)
{
	const struct agent *g = acd_agent_find(a, agent_id);

	if (!g)
		return ACD_E_UNKNOWN;
	*ret = (struct acd_agent_view){
		.state = g->state,
		.pending = has_pending(g) ? g->after : g->state,
		.since_ms = g->since_ms,
		.until_ms = g->until_ms,
		.call_id = g->call_id,
		.queue_id = g->queue_id,
		.device_up = g->device_up,
	};
	(void)str_copy(ret->reason, sizeof(ret->reason), g->reason);
	return 0;
}

bool acd_call_waits(const struct acd *a, int64_t call_id)
{
	return acd_call_find(a, call_id) != NULL;
}

int acd_queue_get(const struct acd *a, int64_t queue_id, struct acd_queue_view *ret)
{
	const struct queue *q = acd_queue_find(a, queue_id);

	if (!q)
		return ACD_E_UNKNOWN;
	*ret = (struct acd_queue_view){
		.waiting = otree_size(&q->waiting) + otree_size(&q->held),
		.offering = otree_size(&q->offering),
		.ready = q->members[ACD_READY],
		.logged_in = queue_logged_in(q),
	};
	memcpy(ret->members, q->members, sizeof(ret->members));
	if (!ilist_empty(&q->calls))
		ret->oldest_ms = container_of(q->calls.next, struct call, in_queue)->entered_ms;
	return 0;
}
