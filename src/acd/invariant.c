/*
 * What must hold between any two inputs:
 *   - a call is either waiting, or offered to exactly one ringing agent who is offered only it
 *   - an agent has a call exactly while ringing, talking, in wrap-up or reserved, and no two are reserved for one; a deadline exactly while the state has one
 *   - counters and trees say what the agents' states say
 *   - no ready agent serves a queue where a call waits that he has not refused
 *   - a call is held for an owner who will be free, for a team none of whose agents is, or for an answer; never without an end
 *   - nothing is overdue
 */
#include "acd/core.h"

static bool refused_in_time(const struct agent *g)
{
	ilist_each_entry(&g->refusals, r, struct refusal, of_agent)
		if (!otree_in(&r->timer.node))
			return false;
	return true;
}

static const char *agent_broken(const struct agent *g)
{
	bool with_call = g->state == ACD_RINGING || g->state == ACD_TALKING || g->state == ACD_WRAPUP ||
			 g->state == ACD_RESERVED;

	if ((g->offered != NULL) != (g->state == ACD_RINGING) || (g->offer_id != 0) != (g->state == ACD_RINGING))
		return "an agent rings without an offer, or has an offer and does not ring";
	if (g->offered && (g->offered->agent != g || g->offered->id != g->call_id))
		return "an agent's offer is of another call";
	if ((g->call_id != 0) != with_call)
		return "an agent has a call in a state without one, or none in a state with one";
	if (otree_in(&g->timer.node) != (g->until_ms != 0) || (g->until_ms && g->timer.node.key[0] != g->until_ms))
		return "an agent's deadline is not that of his state";
	if ((g->state == ACD_RINGING || g->state == ACD_WRAPUP || g->state == ACD_RESERVED) && !g->until_ms)
		return "an agent rings, wraps up or is reserved without an end";
	if (otree_in(&g->by_reserved) != (g->state == ACD_RESERVED) || (g->state == ACD_RESERVED && g->by_reserved.key[0] != g->call_id))
		return "an agent is reserved for another call, or for none";
	if (g->until_ms && (g->state == ACD_OFFLINE || g->state == ACD_READY || g->state == ACD_TALKING ||
			    (g->state == ACD_BREAK && !g->away)))
		return "a state without a limit has a deadline";
	if (g->away && g->state != ACD_BREAK)
		return "an agent is away in a state that is no break";
	if ((g->state == ACD_READY || g->state == ACD_RINGING || g->state == ACD_RESERVED) && !g->device_up)
		return "an agent is ready without a device";
	if (g->after == ACD_RINGING || g->after == ACD_TALKING || g->after == ACD_WRAPUP || g->after == ACD_RESERVED)
		return "an agent would go on to a state that needs a call";
	if (!g->in_conf && g->state != ACD_TALKING)
		return "an agent without configuration does not talk and is still here";
	for (unsigned i = 0; i < g->member_n; i++) {
		if (otree_in(&g->members[i].ready) != (g->state == ACD_READY))
			return "an agent's place among the ready is not what his state says";
		if (!g->members[i].queue->in_conf)
			return "an agent serves a closed queue";
	}
	return refused_in_time(g) ? NULL : "a refusal never ends";
}

static const char *hold_broken(const struct acd *a, const struct call *c)
{
	const struct agent *g = c->hold == HOLD_OWNER ? acd_agent_find(a, c->owner_id) : NULL;

	if (c->hold == HOLD_OVER || (c->hold == HOLD_ASK && c->agent))
		return "a call is held for nobody";
	if (otree_in(&c->held.node) != (c->hold != HOLD_NONE && (!c->agent || c->hold == HOLD_TEAM)) &&
	    !(c->hold == HOLD_TEAM && c->agent)) /* its time may be over while it rings */
		return "a call is held without an end, or has an end and is not held";
	if (otree_in(&c->of_owner) != (c->hold == HOLD_OWNER && !c->agent))
		return "a call is held for an owner who does not know it";
	if (c->hold == HOLD_OWNER && (c->agent ? c->agent != g : !g || !owner_soon(g)))
		return "a call is held for an owner who will not be free";
	if (c->hold != HOLD_TEAM || c->agent)
		return NULL;
	otree_each(&c->queue->ready, n) {
		g = container_of(n, struct member, ready)->agent;
		if (g->c.team_id == c->team_id && !refusal_between(g, c))
			return "a call is held for a team of whom one is ready";
	}
	return NULL;
}

static const char *call_broken(const struct acd *a, const struct call *c)
{
	if (!otree_in(&c->place))
		return "a call is in no queue";
	if (c->agent && (c->agent->state != ACD_RINGING || c->agent->offered != c))
		return "a call is offered to an agent who does not ring for it";
	if (!c->agent && (c->overdue || !c->queue->in_conf))
		return "a call waits that should have left its queue";
	if (c->queue->c.wait_max_ms > 0 && c->queue->in_conf && !c->overdue && !otree_in(&c->limit.node))
		return "a call's limit of waiting is not watched";
	if (otree_in(&c->announce.node) != (c->queue->c.announce_ms > 0))
		return "a call's place is announced in a queue that announces none, or the other way round";
	return hold_broken(a, c);
}

/* The trees hold the calls with their keys; one ready agent and one waiting call who could meet are one too many. */
static const char *queue_broken(const struct queue *q)
{
	unsigned calls = 0, ready = 0;

	ilist_each_entry(&q->calls, c, struct call, in_queue)
		calls++;
	if (calls != queue_waiting(q))
		return "a queue's trees do not hold its calls";
	otree_each(&q->waiting, n)
		if (container_of(n, struct call, place)->agent || container_of(n, struct call, place)->hold)
			return "a call waits and is offered, or held";
	otree_each(&q->held, n)
		if (container_of(n, struct call, place)->agent || !container_of(n, struct call, place)->hold)
			return "a call among the held is offered, or held for nobody";
	otree_each(&q->offering, n)
		if (!container_of(n, struct call, place)->agent)
			return "a call among the offered has no agent";
	otree_each(&q->ready, m) {
		ready++;
		otree_each(&q->waiting, n)
			if (!refusal_between(container_of(m, struct member, ready)->agent, container_of(n, struct call, place)))
				return "a ready agent and a call that waits for him";
	}
	if (ready != q->members[ACD_READY])
		return "a queue's count of ready agents is wrong";
	if (q->c.empty_overflow && otree_first(&q->waiting) && !queue_logged_in(q))
		return "a call waits where nobody is logged in";
	return NULL;
}

static const char *counters_broken(const struct acd *a)
{
	int64_t counted = 0, joined = 0;

	otree_each(&a->queues, n)
		for (int i = 0; i < CLASS_COUNT; i++)
			counted += (int64_t)container_of(n, struct queue, by_id)->members[i] * (i + 1) * (n->key[0] % 1009 + 1);
	otree_each(&a->agents, n) {
		const struct agent *g = container_of(n, struct agent, by_id);

		for (unsigned i = 0; i < g->member_n; i++)
			joined += (agent_class(g) + 1) * (g->members[i].queue->c.id % 1009 + 1);
	}
	return counted == joined ? NULL : "the queues' counts are not the agents' states";
}

const char *acd_invariant(const struct acd *a)
{
	const char *s = counters_broken(a);
	const struct otree_node *first = otree_first(&a->timers);

	if (!s && first && first->key[0] < a->now_ms)
		s = "a deadline is overdue";
	for (struct otree_node *n = otree_first(&a->agents); n && !s; n = otree_next(n))
		s = agent_broken(container_of(n, struct agent, by_id));
	for (struct otree_node *n = otree_first(&a->calls); n && !s; n = otree_next(n))
		s = call_broken(a, container_of(n, struct call, by_id));
	for (struct otree_node *n = otree_first(&a->queues); n && !s; n = otree_next(n))
		s = queue_broken(container_of(n, struct queue, by_id));
	return s;
}
