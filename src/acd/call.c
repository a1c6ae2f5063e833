/*
 * The waiting caller: enters a queue, is offered to one agent after another, and leaves by an answer, by overflow or because he
 * has gone. A call that somebody answered is no longer known here: the agent holds its id until RELEASE.
 */
#include "acd/core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct queue *queue_new(struct acd *a, int64_t id)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	q->c.id = id;
	ilist_init(&q->calls);
	otree_add(&a->queues, &q->by_id, id, 0, 0, 0);
	return q;
}

unsigned queue_waiting(const struct queue *q)
{
	return otree_size(&q->waiting) + otree_size(&q->offering) + otree_size(&q->held);
}

unsigned queue_logged_in(const struct queue *q)
{
	unsigned n = 0;

	for (int i = 0; i < CLASS_COUNT; i++)
		n += q->members[i];
	return n - q->members[ACD_OFFLINE];
}

static struct otree *place_of(const struct call *c)
{
	return c->agent ? &c->queue->offering : c->hold ? &c->queue->held : &c->queue->waiting;
}

static void place(struct call *c, struct agent *g, enum hold hold)
{
	otree_del(place_of(c), &c->place);
	c->agent = g;
	c->hold = hold;
	otree_add(place_of(c), &c->place, -(int64_t)c->priority, c->since_ms, c->id, 0);
}

void call_place(struct call *c, struct agent *g)
{
	place(c, g, c->hold);
}

void call_hold(struct call *c, enum hold hold)
{
	place(c, c->agent, hold);
}

void call_arm(struct acd *a, struct call *c)
{
	const struct acd_queue_conf *qc = &c->queue->c;
	int64_t limit_ms = c->entered_ms + qc->wait_max_ms;

	if (qc->wait_max_ms <= 0)
		c->overdue = false;
	if (qc->wait_max_ms > 0 && !c->overdue)
		acd_timer_set(a, &c->limit, limit_ms > a->now_ms ? limit_ms : a->now_ms, TIMER_LIMIT, c->id, 0);
	else
		acd_timer_stop(a, &c->limit);
	if (qc->announce_ms > 0)
		acd_timer_set(a, &c->announce, a->now_ms + qc->announce_ms, TIMER_ANNOUNCE, c->id, 0);
	else
		acd_timer_stop(a, &c->announce);
}

struct call *call_new(struct acd *a, int64_t id, struct queue *q, int32_t priority, int64_t since_ms, int64_t entered_ms)
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->id = id;
	c->queue = q;
	c->priority = priority;
	c->since_ms = since_ms;
	c->entered_ms = entered_ms;
	ilist_init(&c->refusals);
	otree_add(&a->calls, &c->by_id, id, 0, 0, 0);
	ilist_push_back(&q->calls, &c->in_queue);
	call_place(c, NULL);
	return c;
}

static void queue_let_go(struct acd *a, struct queue *q)
{
	if (q->in_conf || !ilist_empty(&q->calls))
		return;
	otree_del(&a->queues, &q->by_id);
	free(q);
}

void call_free(struct acd *a, struct call *c)
{
	struct queue *q = c->queue;

	ilist_each_entry(&c->refusals, r, struct refusal, of_call)
		refusal_free(a, r);
	acd_timer_stop(a, &c->limit);
	acd_timer_stop(a, &c->announce);
	acd_timer_stop(a, &c->held);
	owner_disown(a, c);
	otree_del(place_of(c), &c->place);
	if (c->agent) {
		c->agent->offered = NULL;
		c->agent->offer_id = 0;
	}
	ilink_unlink(&c->in_queue);
	otree_del(&a->calls, &c->by_id);
	free(c);
	queue_let_go(a, q);
}

/* ---- refusals ---- */

void refusal_new(struct acd *a, struct agent *g, struct call *c, int64_t due_ms)
{
	struct refusal *r = xcalloc(1, sizeof(*r));

	r->agent = g;
	r->call = c;
	ilist_push_back(&g->refusals, &r->of_agent);
	ilist_push_back(&c->refusals, &r->of_call);
	acd_timer_set(a, &r->timer, due_ms, TIMER_REFUSAL, c->id, g->c.id);
}

void refusal_free(struct acd *a, struct refusal *r)
{
	ilink_unlink(&r->of_agent);
	ilink_unlink(&r->of_call);
	acd_timer_stop(a, &r->timer);
	free(r);
}

bool refusal_between(const struct agent *g, const struct call *c)
{
	ilist_each_entry(&g->refusals, r, struct refusal, of_agent)
		if (r->call == c)
			return true;
	return false;
}

/* ---- overflow ---- */

static bool empty(const struct queue *q)
{
	return q->c.empty_overflow && !queue_logged_in(q);
}

/* An offer only shortens the line when somebody is free, and then nobody waits. */
static bool full(const struct queue *q)
{
	return q->c.len_max > 0 && queue_waiting(q) >= (unsigned)q->c.len_max;
}

/* Where the callers of @q go. A queue that would send them on at once is passed by, so they cannot go round in circles. */
static enum acd_overflow overflow_target(const struct acd *a, const struct queue *q, int64_t *queue_id)
{
	const struct queue *from = q;

	*queue_id = 0;
	for (int i = 0; i < HOPS_MAX; i++) {
		if (q->c.overflow != ACD_OVERFLOW_QUEUE)
			return q->c.overflow == ACD_OVERFLOW_NUMBER ? ACD_OVERFLOW_NUMBER : ACD_OVERFLOW_GOODBYE;
		q = acd_queue_find(a, q->c.overflow_queue);
		if (!q || !q->in_conf || q == from)
			return ACD_OVERFLOW_GOODBYE;
		if (!empty(q) && (!full(q) || otree_size(&q->ready))) {
			*queue_id = q->c.id;
			return ACD_OVERFLOW_QUEUE;
		}
	}
	return ACD_OVERFLOW_GOODBYE;
}

static void tell_overflow(struct acd *a, int64_t call_id, const struct queue *q, const char *why)
{
	static const char *const names[] = {"", "queue", "number", "goodbye"};
	struct acd_out out = {.kind = ACD_OUT_OVERFLOW, .call_id = call_id, .queue_id = q->c.id, .reason = why};
	struct jw w;

	out.overflow = overflow_target(a, q, &out.target_queue);
	strb_clear(&a->body);
	jw_init(&w, &a->body);
	jw_obj(&w, NULL);
	jw_int(&w, "t", a->now_ms);
	jw_str(&w, "to", names[out.overflow]);
	if (out.target_queue)
		jw_id(&w, "target", out.target_queue);
	else
		jw_null(&w, "target");
	jw_str(&w, "why", why);
	jw_end_obj(&w);
	acd_emit(a, &out);
}

static void overflow(struct acd *a, struct call *c, const char *why)
{
	assert(!c->agent);
	tell_overflow(a, c->id, c->queue, why);
	call_free(a, c);
}

static void overflow_all(struct acd *a, struct otree *calls, const char *why)
{
	struct otree_node *n = otree_first(calls);

	while (n) {
		struct otree_node *next = otree_next(n);

		overflow(a, container_of(n, struct call, place), why);
		n = next; /* with the last call of a closed queue the queue goes too */
	}
}

void queue_check_empty(struct acd *a, struct queue *q)
{
	if (empty(q))
		overflow_all(a, &q->waiting, "empty"); /* who is held is not waiting for its members */
}

void queue_close(struct acd *a, struct queue *q)
{
	bool held = otree_first(&q->held) != NULL;

	q->in_conf = false;
	if (ilist_empty(&q->calls)) {
		queue_let_go(a, q);
		return;
	}
	overflow_all(a, &q->waiting, "closed");
	if (held) /* else the queue may be gone */
		overflow_all(a, &q->held, "closed");
}

void queue_rearm(struct acd *a, struct queue *q)
{
	ilist_each_entry(&q->calls, c, struct call, in_queue)
		call_arm(a, c);
}

/* ---- offers and deadlines ---- */

void call_offer_end(struct acd *a, struct agent *g, const char *outcome, int code)
{
	struct call *c = g->offered;
	struct acd_out out = {
		.kind = ACD_OUT_OFFER_END, .agent_id = g->c.id, .team_id = g->c.team_id, .call_id = c->id,
		.queue_id = c->queue->c.id, .offer_id = g->offer_id, .reason = outcome, .code = code,
	};
	struct jw w;

	strb_clear(&a->body);
	jw_init(&w, &a->body);
	jw_obj(&w, NULL);
	jw_int(&w, "t", a->now_ms);
	jw_id(&w, "offer", g->offer_id);
	jw_str(&w, "outcome", outcome);
	jw_int(&w, "code", code);
	jw_end_obj(&w);
	g->offered = NULL;
	g->offer_id = 0;
	c->missed = outcome;
	place(c, NULL, c->hold == HOLD_OWNER ? HOLD_OVER : c->hold);
	acd_emit(a, &out);
}

void call_again(struct acd *a, struct call *c)
{
	struct queue *q = c->queue;

	if (!q->in_conf)
		overflow(a, c, "closed");
	else if (c->overdue)
		overflow(a, c, "wait");
	else if (c->hold)
		owner_again(a, c);
	else if (empty(q))
		overflow(a, c, "empty");
	else
		match_call(a, c);
}

void call_waits_on(struct acd *a, int64_t id)
{
	struct call *c = acd_call_find(a, id);

	if (c && !c->agent)
		call_again(a, c);
}

static void announce(struct acd *a, struct call *c)
{
	const struct queue *q = c->queue;
	struct acd_out out = {.kind = ACD_OUT_ANNOUNCE, .call_id = c->id, .queue_id = q->c.id};
	struct jw w;

	out.position = 1 + (int32_t)(otree_rank(&q->waiting, c->place.key) + otree_rank(&q->offering, c->place.key) +
				     otree_rank(&q->held, c->place.key));
	out.waiting = (int32_t)queue_waiting(q);
	strb_clear(&a->body);
	jw_init(&w, &a->body);
	jw_obj(&w, NULL);
	jw_int(&w, "t", a->now_ms);
	jw_int(&w, "position", out.position);
	jw_int(&w, "waiting", out.waiting);
	jw_end_obj(&w);
	acd_timer_set(a, &c->announce, a->now_ms + q->c.announce_ms, TIMER_ANNOUNCE, c->id, 0);
	acd_emit(a, &out);
}

void call_timer(struct acd *a, struct call *c, enum timer_kind kind)
{
	if (kind == TIMER_ANNOUNCE)
		announce(a, c);
	else if (kind == TIMER_HOLD)
		owner_timer(a, c);
	else if (c->agent)
		c->overdue = true;
	else
		overflow(a, c, "wait");
}

/* ---- inputs ---- */

static int in_enter(struct acd *a, const struct acd_in *in)
{
	struct queue *q = acd_queue_find(a, in->queue_id);
	struct call *c;

	if (!q || !q->in_conf)
		return ACD_E_UNKNOWN;
	if (in->call_id <= 0 || acd_call_find(a, in->call_id) || in->waited_ms < 0 || in->waited_ms > WAITED_MAX_MS)
		return ACD_E_STATE;
	if ((empty(q) || (full(q) && !otree_size(&q->ready))) && !owner_free(a, q, in)) {
		tell_overflow(a, in->call_id, q, empty(q) ? "empty" : "length");
		return 0;
	}
	c = call_new(a, in->call_id, q, in->priority, a->now_ms - in->waited_ms, a->now_ms);
	call_arm(a, c);
	owner_enter(a, c, in);
	return 0;
}

static int in_leave(struct acd *a, const struct acd_in *in)
{
	struct call *c = acd_call_find(a, in->call_id);
	struct agent *g;

	if (!c)
		return ACD_E_STALE;
	g = c->agent;
	if (g)
		call_offer_end(a, g, in->reason[0] ? "withdrawn" : "abandoned", 0);
	call_free(a, c);
	if (g)
		agent_settle(a, g, true);
	return 0;
}

/* The agent whose running offer an input speaks of, or NULL: it comes too late. */
static struct agent *offer_of(const struct acd *a, const struct acd_in *in)
{
	struct agent *g = acd_agent_find(a, in->agent_id);

	if (!g || !g->offered || g->offer_id != in->offer_id || g->offered->id != in->call_id)
		return NULL;
	return g;
}

static int in_answered(struct acd *a, const struct acd_in *in)
{
	struct agent *g = offer_of(a, in);
	int64_t queue_id;
	struct call *c;

	if (!g)
		return ACD_E_STALE;
	c = g->offered;
	queue_id = c->queue->c.id;
	call_offer_end(a, g, "answered", in->code);
	call_free(a, c);
	agent_talk(a, g, in->call_id, queue_id);
	return 0;
}

static int in_refused(struct acd *a, const struct acd_in *in)
{
	struct agent *g = offer_of(a, in);
	bool refused = in->code == 486 || in->code == 600 || in->code == 603;
	struct call *c;

	if (!g)
		return ACD_E_STALE;
	c = g->offered;
	call_offer_end(a, g, refused ? "refused" : "failed", in->code);
	if (refused) {
		refusal_new(a, g, c, a->now_ms + REFUSED_CALL_MS);
		agent_refused(a, g);
	} else {
		agent_failed(a, g);
	}
	call_waits_on(a, in->call_id);
	return 0;
}

int call_input(struct acd *a, const struct acd_in *in)
{
	switch (in->kind) {
	case ACD_IN_ENTER:
		return in_enter(a, in);
	case ACD_IN_KNOWN:
		return owner_known(a, in);
	case ACD_IN_LEAVE:
		return in_leave(a, in);
	case ACD_IN_ANSWERED:
		return in_answered(a, in);
	default:
		return in_refused(a, in);
	}
}
