/* Agents who are kept for a call that is about to be dialled: the states are drawn in acd.h, who is chosen is rank.c's. */
#include "acd/core.h"

#include <assert.h>

struct agent *reserved_for(const struct acd *a, int64_t call_id)
{
	struct otree_node *n = otree_find(&a->reserved, call_id);

	return n ? container_of(n, struct agent, by_reserved) : NULL;
}

static int in_reserve(struct acd *a, const struct acd_in *in)
{
	struct queue *q = acd_queue_find(a, in->queue_id);

	if (!q || !q->in_conf)
		return ACD_E_UNKNOWN;
	if (in->call_id <= 0 || in->ms <= 0 || acd_call_find(a, in->call_id) || reserved_for(a, in->call_id))
		return ACD_E_STATE;
	return match_reserve(a, q, in) ? 0 : ACD_E_STALE;
}

static int in_unreserve(struct acd *a, const struct acd_in *in)
{
	struct agent *g = reserved_for(a, in->call_id);

	if (!g)
		return ACD_E_STALE;
	assert(g->after == ACD_READY);
	if (!in->code)
		agent_settle(a, g, true);
	else if (in->code == 486 || in->code == 600 || in->code == 603)
		agent_refused(a, g);
	else
		agent_failed(a, g);
	return 0;
}

int reserve_input(struct acd *a, const struct acd_in *in)
{
	return in->kind == ACD_IN_RESERVE ? in_reserve(a, in) : in_unreserve(a, in);
}
