/*
 * What must hold between two events, looked at once a second:
 *   - whom the core says rings, talks or is kept for a call is in the call it says, and that call has him; nobody else is in a call
 *   - a call that is offered, lost or talked with an agent has him, and he is in no other
 *   - a call waits or is offered here exactly while it does in the core
 *   - a call that has ended, or has no leg, goes within a minute
 *
 * None of it should ever be found broken. If it is, the smallest thing is done that sets both sides right: the agent is released, taken
 * for his call again, or the call waits anew. A pointer that may be stale is compared, never followed.
 */
#include <string.h>

#include "switch/sw.h"
#include "switch/sw_campaign.h"

#define BARE_MS 60000

static const char *claim(struct sw_call *c, struct sw_agent *a)
{
	if (!a)
		return NULL;
	if (a->found && a->found != c)
		return "an agent is in two calls";
	a->found = c;
	return NULL;
}

static bool too_long_bare(struct sw_call *c, int64_t now_ms)
{
	if (c->legs && c->phase != CALL_ENDED)
		c->bare_ms = 0;
	else if (!c->bare_ms)
		c->bare_ms = now_ms;
	return c->bare_ms && now_ms - c->bare_ms > BARE_MS;
}

static const char *call_broken(struct sw_call *c)
{
	bool known = acd_call_waits(c->sw->acd, c->id);

	switch (c->phase) {
	case CALL_WAITING:
	case CALL_OFFERED:
		if (known && (c->phase == CALL_WAITING || c->agent))
			return NULL;
		sw_call_wait_on(c);
		return known ? "a call is offered to nobody" : "a call waits and the core does not know of it";
	case CALL_LOST:
	case CALL_TALK:
	case CALL_HELD:
		if (c->cust && (c->agent || (c->ag && c->ag->role == ROLE_THIRD && c->phase != CALL_LOST)))
			break;
		sw_call_end(c, "system", 500, 41, "nobody is on the other side");
		return "a call is talked with nobody";
	case CALL_TRANSFER:
		if (c->cust && (c->xleg || c->out)) /* out: between two trunks */
			break;
		sw_call_end(c, "system", 500, 41, "nobody is on the other side");
		return "a call is transferred to nobody";
	case CALL_CONSULT:
		if (c->cust && c->agent && c->ag && (c->xleg || c->out))
			break;
		sw_call_end(c, "system", 500, 41, "nobody is on the other side");
		return "an agent asks nobody";
	default:
		break;
	}
	if (!known)
		return NULL;
	(void)sw_acd(c->sw, &(struct acd_in){.kind = ACD_IN_LEAVE, .call_id = c->id, .reason = "lost"});
	return "the core keeps a call in a queue that has left it";
}

static const char *calls_broken(struct sw *sw, int64_t now_ms)
{
	const char *s = NULL;
	struct sw_call *c;
	size_t pos = 0;

	while ((c = hmap_next(&sw->calls, &pos)) && !s) {
		if (too_long_bare(c, now_ms)) {
			s = "a call that is over does not go"; /* with legs it stays: it is not freed under them */
			sw_call_end(c, "system", 500, 41, "no leg is left");
		} else if (c->phase != CALL_ENDED)
			s = call_broken(c);
		if (!s && c->phase != CALL_ENDED)
			s = claim(c, c->agent);
		if (!s && c->phase != CALL_ENDED)
			s = claim(c, c->caller);
		if (!s && c->phase != CALL_ENDED)
			s = claim(c, c->xagent);
		ilist_each_entry(&c->parties, p, struct sw_party, link)
			if (!s && p->seized)
				s = claim(c, p->agent);
	}
	return s;
}

static const char *agent_broken(struct sw *sw, struct sw_agent *a)
{
	struct acd_agent_view v = {.state = ACD_OFFLINE};

	(void)acd_agent_get(sw->acd, a->id, &v);
	if (a->call != a->found) {
		a->call = a->found;
		return "an agent has a call that does not have him";
	}
	if (v.state != a->state) {
		a->state = v.state;
		return "an agent's state is not the core's";
	}
	if (v.state == ACD_TALKING && (!a->call || a->call->id != v.call_id || a->call->phase == CALL_OFFERED)) {
		(void)sw_acd(sw, &(struct acd_in){.kind = ACD_IN_RELEASE, .agent_id = a->id, .call_id = v.call_id});
		return "an agent talks in a call that is not there";
	}
	if (v.state == ACD_RINGING && (!a->call || a->call->id != v.call_id || a->call->phase != CALL_OFFERED))
		return "an agent is offered a call that does not ring him"; /* the ring time ends it */
	if (v.state == ACD_RESERVED && !sw_campaign_keeps(a, v.call_id)) {
		(void)sw_acd(sw, &(struct acd_in){.kind = ACD_IN_UNRESERVE, .call_id = v.call_id});
		return "an agent is kept for a call that is not there";
	}
	if (!a->call || v.state == ACD_TALKING || v.state == ACD_RINGING || v.state == ACD_RESERVED)
		return NULL;
	if (a->call->phase == CALL_OFFERED)
		sw_call_wait_on(a->call);
	else if (sw_acd(sw, &(struct acd_in){.kind = ACD_IN_SEIZE, .agent_id = a->id, .call_id = a->call->id}))
		sw_call_end(a->call, "system", 480, 41, "agent is not in the call");
	return "an agent is in a call that the core does not know of";
}

const char *sw_check(struct sw *sw)
{
	const char *s;
	struct sw_agent *a;
	size_t pos = 0;

	while ((a = hmap_next(&sw->agents, &pos)))
		a->found = NULL;
	s = calls_broken(sw, clock_mono_ms());
	for (pos = 0; !s && (a = hmap_next(&sw->agents, &pos));)
		s = agent_broken(sw, a);
	return s;
}
