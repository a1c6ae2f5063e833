/*
 * Owner first: a known caller is held back from the queue for the one whose customer he is, and keeps his place meanwhile.
 *
 *   ASK    until the data has said whose he is, or for the few ms that the input gives; an answer that comes later is refused
 *   OWNER  rung for owner_ms at once when he is ready; else waited for, owner_busy_ms at most, while he rings, talks or wraps up
 *   TEAM   the owner is no agent any more: the agents of the customer's team who serve the queue, for owner_ms
 *
 * What is decided is told (ACD_OUT_OWNER), "to" and "why":
 *   wait   ringing talking wrapup reserved   what the owner does whom the call waits for, until "until"
 *   team   gone none                      there is no such agent, or only a team; its agents are asked until "until"
 *   queue  timeout refused failed withdrawn   how the offer to the owner ended
 *          offline break device noanswer not_member gone   why he was not asked at all, or no longer waited for
 *          ringing talking wrapup reserved   he is not waited for, or was for long enough
 *          team                           none of his team took it
 *          late                           nobody had said in time whose the caller is
 */
#include "acd/core.h"

#include <assert.h>

static void tell(struct acd *a, const struct call *c, const char *to, const char *why, int64_t until_ms)
{
	struct acd_out out = {
		.kind = ACD_OUT_OWNER, .agent_id = c->owner_id, .team_id = c->team_id, .call_id = c->id, .queue_id = c->queue->c.id,
		.reason = why, .until_ms = until_ms,
	};
	struct jw w;

	strb_clear(&a->body);
	jw_init(&w, &a->body);
	jw_obj(&w, NULL);
	jw_int(&w, "t", a->now_ms);
	jw_str(&w, "to", to);
	jw_str(&w, "why", why);
	if (c->team_id)
		jw_id(&w, "team", c->team_id);
	else
		jw_null(&w, "team");
	jw_int(&w, "first_ms", c->queue->c.owner_ms);
	jw_int(&w, "until", until_ms);
	jw_end_obj(&w);
	acd_emit(a, &out);
}

void owner_own(struct acd *a, struct call *c, struct agent *g)
{
	otree_add(&g->owned, &c->of_owner, c->since_ms, c->id, 0, 0);
}

void owner_disown(struct acd *a, struct call *c)
{
	if (otree_in(&c->of_owner))
		otree_del(&acd_agent_find(a, c->owner_id)->owned, &c->of_owner);
}

static void hold(struct acd *a, struct call *c, enum hold h, int64_t until_ms)
{
	call_hold(c, h);
	acd_timer_set(a, &c->held, until_ms, TIMER_HOLD, c->id, 0);
}

/* To the others, as if nobody had held it. */
static void let_go(struct acd *a, struct call *c, const char *why)
{
	assert(!c->agent);
	owner_disown(a, c);
	acd_timer_stop(a, &c->held);
	call_hold(c, HOLD_NONE);
	if (why)
		tell(a, c, "queue", why, 0);
	c->owner_id = c->team_id = 0;
	call_again(a, c);
}

bool owner_soon(const struct agent *g)
{
	return (g->state == ACD_RINGING || g->state == ACD_TALKING || g->state == ACD_WRAPUP || g->state == ACD_RESERVED) &&
	       g->after == ACD_READY && g->device_up && g->in_conf;
}

/* Why he is not asked now, be it that he is waited for. NULL: he is ready. */
static const char *why_not(const struct queue *q, const struct agent *g)
{
	if (!g || !g->in_conf)
		return "gone";
	if (q->c.owner_member && !serves(g, q))
		return "not_member";
	return g->away ? "device" : g->state == ACD_READY ? NULL : acd_state_name(g->state);
}

bool owner_free(const struct acd *a, const struct queue *q, const struct acd_in *in)
{
	return q->c.owner_ms > 0 && in->owner_id && !why_not(q, acd_agent_find(a, in->owner_id));
}

/* Somebody of the team who serves the queue is there, or will be soon. */
static bool team_there(const struct acd *a, const struct queue *q, int64_t team_id)
{
	otree_each(&a->agents, n) {
		const struct agent *g = container_of(n, struct agent, by_id);

		if (g->in_conf && g->c.team_id == team_id && (g->state == ACD_READY || owner_soon(g)) && serves(g, q))
			return true;
	}
	return false;
}

static void ask_team(struct acd *a, struct call *c)
{
	int64_t until_ms = a->now_ms + c->queue->c.owner_ms;

	hold(a, c, HOLD_TEAM, until_ms);
	tell(a, c, "team", c->owner_id ? "gone" : "none", until_ms);
	(void)match_team(a, c);
}

static void wait_for(struct acd *a, struct call *c, struct agent *g, const char *why)
{
	int64_t until_ms = a->now_ms + c->queue->c.owner_busy_ms;

	hold(a, c, HOLD_OWNER, until_ms);
	owner_own(a, c, g);
	tell(a, c, "wait", why, until_ms);
}

static void ask_owner(struct acd *a, struct call *c, struct agent *g)
{
	owner_disown(a, c);
	acd_timer_stop(a, &c->held); /* from now on his ring time counts */
	call_hold(c, HOLD_OWNER);
	match_owner(a, c, g);
}

static void known(struct acd *a, struct call *c, int64_t owner_id, int64_t team_id)
{
	struct agent *g = owner_id ? acd_agent_find(a, owner_id) : NULL;
	bool there = g && g->in_conf;
	const char *why;

	c->owner_id = owner_id;
	c->team_id = team_id;
	if (!owner_id && !team_id)
		let_go(a, c, NULL);
	else if (!there && team_id && team_there(a, c->queue, team_id))
		ask_team(a, c);
	else if (!(why = why_not(c->queue, g)))
		ask_owner(a, c, g);
	else if (there && owner_soon(g) && c->queue->c.owner_busy_ms > 0 && (!c->queue->c.owner_member || serves(g, c->queue)))
		wait_for(a, c, g, why);
	else
		let_go(a, c, owner_id ? why : "team");
}

void owner_enter(struct acd *a, struct call *c, const struct acd_in *in)
{
	if (c->queue->c.owner_ms > 0 && (in->owner_id || in->team_id))
		known(a, c, in->owner_id, in->team_id);
	else if (c->queue->c.owner_ms > 0 && in->ms > 0)
		hold(a, c, HOLD_ASK, a->now_ms + (in->ms < ASK_MAX_MS ? in->ms : ASK_MAX_MS));
	else
		match_call(a, c);
}

int owner_known(struct acd *a, const struct acd_in *in)
{
	struct call *c = acd_call_find(a, in->call_id);

	if (!c || c->hold != HOLD_ASK)
		return ACD_E_STALE;
	acd_timer_stop(a, &c->held);
	known(a, c, in->owner_id, in->team_id);
	return 0;
}

void owner_timer(struct acd *a, struct call *c)
{
	const struct agent *g;

	switch (c->hold) {
	case HOLD_ASK:
		let_go(a, c, "late");
		break;
	case HOLD_OWNER:
		g = acd_agent_find(a, c->owner_id);
		let_go(a, c, acd_state_name(g->state));
		break;
	default:
		assert(c->hold == HOLD_TEAM);
		if (!c->agent) /* else it is let go when that offer fails */
			let_go(a, c, "team");
	}
}

void owner_again(struct acd *a, struct call *c)
{
	if (c->hold == HOLD_OVER)
		let_go(a, c, c->missed);
	else if (c->hold == HOLD_TEAM && !otree_in(&c->held.node))
		let_go(a, c, "team");
	else if (c->hold == HOLD_TEAM)
		(void)match_team(a, c);
}

void owner_moved(struct acd *a, struct agent *g)
{
	struct otree_node *n;

	while (g->state != ACD_READY && !owner_soon(g) && (n = otree_first(&g->owned))) {
		const char *why = !g->in_conf ? "gone" : g->away || !g->device_up ? "device" : acd_state_name(g->state);

		let_go(a, container_of(n, struct call, of_owner), why);
	}
}

/* The one who has waited longest of the highest priority. */
static struct call *best_of(struct call *best, struct call *c)
{
	int64_t p, b;

	if (!best)
		return c;
	p = (int64_t)c->priority + c->queue->c.priority;
	b = (int64_t)best->priority + best->queue->c.priority;
	if (p != b)
		return p > b ? c : best;
	if (c->since_ms != best->since_ms)
		return c->since_ms < best->since_ms ? c : best;
	return c->id < best->id ? c : best;
}

static struct call *held_for_team(const struct agent *g)
{
	struct call *best = NULL;

	for (unsigned i = 0; i < g->member_n; i++) {
		otree_each(&g->members[i].queue->held, n) {
			struct call *c = container_of(n, struct call, place);

			if (c->hold == HOLD_TEAM && c->team_id == g->c.team_id && !refusal_between(g, c))
				best = best_of(best, c);
		}
	}
	return best;
}

bool owner_match(struct acd *a, struct agent *g)
{
	struct call *best = NULL;

	otree_each(&g->owned, n)
		best = best_of(best, container_of(n, struct call, of_owner));
	if (best && best->queue->c.owner_ms <= 0) { /* no longer by the configuration */
		let_go(a, best, NULL);
		return g->state != ACD_READY || owner_match(a, g);
	}
	if (best) {
		ask_owner(a, best, g);
		return true;
	}
	best = held_for_team(g);
	return best && match_team(a, best);
}
