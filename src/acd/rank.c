/*
 * Who gets whom, and why. A rule ranks candidates from both sides: agents for a call that waits, calls for an agent who is ready.
 * It answers with the best few and their numbers, best first; what it chose by is stored with the offer, and acd_check()
 * recomputes the choice from that alone.
 *
 * Rule "priority": the highest priority (the call's plus its queue's), then the longest waiting; the lowest level, then the
 * longest idle; ties by id. Both orders are kept in the queues' trees, so nothing is walked.
 */
#include "acd/core.h"

#include <assert.h>

struct cand {
	int64_t key[3]; /* the smallest is best */
	struct agent *agent;
	struct call *call;
	const struct member *member;
};

struct ranking {
	struct cand best[BEST_MAX];
	unsigned n;
};

struct rule {
	const char *name;
	void (*agents)(const struct call *c, struct ranking *r);
	void (*calls)(const struct agent *g, struct ranking *r);
};

static bool better(const struct cand *a, const struct cand *b)
{
	for (int i = 0; i < 3; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i];
	return false;
}

/* Takes @c in if it is among the best so far; false: it is not. */
static bool rank(struct ranking *r, const struct cand *c)
{
	unsigned i = r->n;

	if (i == BEST_MAX && !better(c, &r->best[BEST_MAX - 1]))
		return false;
	if (i == BEST_MAX)
		i--;
	else
		r->n++;
	for (; i && better(c, &r->best[i - 1]); i--)
		r->best[i] = r->best[i - 1];
	r->best[i] = *c;
	return true;
}

/* ---- rule "priority" ---- */

static void priority_agents(const struct call *c, struct ranking *r)
{
	otree_each(&c->queue->ready, n) {
		struct member *m = container_of(n, struct member, ready);

		if (refusal_between(m->agent, c))
			continue;
		if (!rank(r, &(struct cand){.key = {m->level, m->agent->idle_ms, m->agent->c.id}, .agent = m->agent, .member = m}))
			break;
	}
}

/* Of a team only: a call that its customer's team gets first. */
static void team_agents(const struct call *c, struct ranking *r)
{
	otree_each(&c->queue->ready, n) {
		struct member *m = container_of(n, struct member, ready);

		if (m->agent->c.team_id != c->team_id || refusal_between(m->agent, c))
			continue;
		if (!rank(r, &(struct cand){.key = {m->level, m->agent->idle_ms, m->agent->c.id}, .agent = m->agent, .member = m}))
			break;
	}
}

static void priority_calls_of(const struct agent *g, const struct queue *q, struct ranking *r)
{
	otree_each(&q->waiting, n) {
		struct call *c = container_of(n, struct call, place);

		if (refusal_between(g, c))
			continue;
		if (!rank(r, &(struct cand){.key = {-((int64_t)c->priority + q->c.priority), c->since_ms, c->id}, .call = c}))
			break;
	}
}

static void priority_calls(const struct agent *g, struct ranking *r)
{
	for (unsigned i = 0; i < g->member_n; i++)
		priority_calls_of(g, g->members[i].queue, r);
}

static const struct rule rules[] = {
	{"priority", priority_agents, priority_calls},
};

static const struct rule owner_rule = {"owner", NULL, NULL};
static const struct rule team_rule = {"team", team_agents, NULL};

/* One rule for all until queues can choose. */
static const struct rule *rule_of(void)
{
	return &rules[0];
}

/* ---- the decision's body: numbers are added up as they are written, so that none can be changed alone ---- */

struct why {
	struct jw w;
	uint64_t sum;
};

static void why_int(struct why *y, const char *key, int64_t v)
{
	jw_int(&y->w, key, v);
	y->sum += (uint64_t)v;
}

static void why_id(struct why *y, const char *key, int64_t v)
{
	jw_id(&y->w, key, v);
	y->sum += (uint64_t)v;
}

static void why_members(struct why *y, const struct queue *q)
{
	jw_obj(&y->w, "members");
	for (int i = 0; i < ACD_STATE_COUNT; i++)
		if (i != ACD_RESERVED || q->members[i]) /* older logs do not know it */
			why_int(y, acd_state_name((enum acd_state)i), q->members[i]);
	why_int(y, "device", q->members[CLASS_DEVICE]);
	jw_end_obj(&y->w);
}

bool serves(const struct agent *g, const struct queue *q)
{
	for (unsigned i = 0; i < g->member_n; i++)
		if (g->members[i].queue == q)
			return true;
	return false;
}

static unsigned refused_by(const struct call *c)
{
	unsigned n = 0;

	ilist_each_entry(&c->refusals, r, struct refusal, of_call)
		n += r->agent->state == ACD_READY && serves(r->agent, c->queue);
	return n;
}

static unsigned refused_of(const struct agent *g)
{
	unsigned n = 0;

	ilist_each_entry(&g->refusals, r, struct refusal, of_agent)
		n += !r->call->agent && !r->call->hold && serves(g, r->call->queue);
	return n;
}

static unsigned waiting_for(const struct agent *g)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->member_n; i++)
		n += otree_size(&g->members[i].queue->waiting);
	return n;
}

static unsigned ready_in_team(const struct call *c)
{
	unsigned n = 0;

	otree_each(&c->queue->ready, m) {
		const struct agent *g = container_of(m, struct member, ready)->agent;

		n += g->c.team_id == c->team_id && !refusal_between(g, c);
	}
	return n;
}

/* Agents, best first. */
static void why_candidates(const struct acd *a, struct why *y, const struct ranking *r)
{
	why_id(y, "winner", r->best[0].agent->c.id);
	if (r->n > 1)
		why_id(y, "runner_up", r->best[1].agent->c.id);
	jw_arr(&y->w, "best");
	for (unsigned i = 0; i < r->n; i++) {
		const struct cand *b = &r->best[i];

		jw_obj(&y->w, NULL);
		why_id(y, "agent", b->agent->c.id);
		why_int(y, "level", b->member->level);
		why_int(y, "idle_ms", a->now_ms - b->agent->idle_ms);
		jw_end_obj(&y->w);
	}
	jw_end_arr(&y->w);
}

/* He is the one, so there is nothing to rank: what it was right by. */
static void why_owner(const struct acd *a, struct why *y, const struct call *c, const struct agent *g)
{
	jw_str(&y->w, "side", "owner");
	why_id(y, "winner", g->c.id);
	why_id(y, "owner", c->owner_id);
	jw_bool(&y->w, "member", serves(g, c->queue));
	why_int(y, "first_ms", c->queue->c.owner_ms);
	why_int(y, "waited_ms", a->now_ms - c->since_ms);
}

static void why_agents(const struct acd *a, struct why *y, const struct call *c, const struct ranking *r)
{
	bool team = c->hold == HOLD_TEAM;

	jw_str(&y->w, "side", team ? "team" : "agents");
	if (team) {
		why_id(y, "team", c->team_id);
		why_int(y, "team_ready", ready_in_team(c));
	}
	why_candidates(a, y, r);
	why_members(y, c->queue);
	why_int(y, "refused", refused_by(c));
}

static void why_calls(const struct acd *a, struct why *y, const struct agent *g, const struct ranking *r)
{
	jw_str(&y->w, "side", "calls");
	why_id(y, "winner", r->best[0].call->id);
	if (r->n > 1)
		why_id(y, "runner_up", r->best[1].call->id);
	jw_arr(&y->w, "best");
	for (unsigned i = 0; i < r->n; i++) {
		const struct call *c = r->best[i].call;

		jw_obj(&y->w, NULL);
		why_id(y, "call", c->id);
		why_id(y, "queue", c->queue->c.id);
		why_int(y, "priority", (int64_t)c->priority + c->queue->c.priority);
		why_int(y, "waited_ms", a->now_ms - c->since_ms);
		jw_end_obj(&y->w);
	}
	jw_end_arr(&y->w);
	why_members(y, r->best[0].call->queue);
	why_int(y, "waiting", waiting_for(g));
	why_int(y, "refused", refused_of(g));
}

/* The owner has his seconds whatever the queue's ring time is; a team's agents share them. */
static int32_t ring_of(const struct acd *a, const struct call *c)
{
	int32_t ms = c->queue->c.ring_ms > 0 ? c->queue->c.ring_ms : RING_DEFAULT_MS;

	if (c->hold == HOLD_OWNER)
		return c->queue->c.owner_ms;
	if (c->hold == HOLD_TEAM && c->held.node.key[0] - a->now_ms < ms)
		ms = (int32_t)(c->held.node.key[0] - a->now_ms);
	return ms;
}

/* @c and @g are the two; the ranking is of one side, told by which pointer its candidates hold; none: he is its owner. */
static void offer(struct acd *a, const struct rule *rule, struct call *c, struct agent *g, const struct ranking *r)
{
	const struct queue *q = c->queue;
	int32_t ring_ms = ring_of(a, c);
	struct acd_out out = {
		.kind = ACD_OUT_OFFER, .agent_id = g->c.id, .team_id = g->c.team_id, .call_id = c->id, .queue_id = q->c.id,
		.offer_id = ++a->offer_last, .ring_ms = ring_ms, .until_ms = a->now_ms + ring_ms,
	};
	struct why y = {0};

	strb_clear(&a->body);
	jw_init(&y.w, &a->body);
	jw_obj(&y.w, NULL);
	why_int(&y, "t", a->now_ms);
	why_id(&y, "offer", out.offer_id);
	why_int(&y, "ring_ms", ring_ms);
	jw_obj(&y.w, "why");
	jw_str(&y.w, "rule", rule->name);
	if (!r)
		why_owner(a, &y, c, g);
	else if (r->best[0].agent)
		why_agents(a, &y, c, r);
	else
		why_calls(a, &y, g, r);
	jw_id(&y.w, "sum", (int64_t)(y.sum & INT64_MAX));
	jw_end_obj(&y.w);
	jw_end_obj(&y.w);
	call_place(c, g);
	acd_emit(a, &out);
	agent_ring(a, g, c, out.offer_id, out.until_ms);
}

void match_call(struct acd *a, struct call *c)
{
	const struct rule *rule = rule_of();
	struct ranking r = {.n = 0};

	assert(!c->agent && !c->hold);
	rule->agents(c, &r);
	if (r.n)
		offer(a, rule, c, r.best[0].agent, &r);
}

void match_agent(struct acd *a, struct agent *g)
{
	const struct rule *rule = rule_of();
	struct ranking r = {.n = 0};

	assert(g->state == ACD_READY);
	if (owner_match(a, g))
		return;
	rule->calls(g, &r);
	if (r.n)
		offer(a, rule, r.best[0].call, g, &r);
}

bool match_team(struct acd *a, struct call *c)
{
	struct ranking r = {.n = 0};

	assert(!c->agent && c->hold == HOLD_TEAM);
	if (c->held.node.key[0] <= a->now_ms)
		return false; /* its time is over in this moment */
	team_rule.agents(c, &r);
	if (r.n)
		offer(a, &team_rule, c, r.best[0].agent, &r);
	return r.n != 0;
}

void match_owner(struct acd *a, struct call *c, struct agent *g)
{
	assert(!c->agent && c->hold == HOLD_OWNER && g->state == ACD_READY);
	offer(a, &owner_rule, c, g, NULL);
}

/* The one who would get a call of this queue, or the one who is asked for. */
static void reserve_agents(const struct queue *q, int64_t agent_id, struct ranking *r)
{
	otree_each(&q->ready, n) {
		struct member *m = container_of(n, struct member, ready);

		if (agent_id && m->agent->c.id != agent_id)
			continue;
		if (!rank(r, &(struct cand){.key = {m->level, m->agent->idle_ms, m->agent->c.id}, .agent = m->agent, .member = m}))
			break;
	}
}

bool match_reserve(struct acd *a, struct queue *q, const struct acd_in *in)
{
	int32_t ms = in->ms < RESERVE_MAX_MS ? in->ms : RESERVE_MAX_MS;
	struct acd_out out = {.kind = ACD_OUT_RESERVE, .call_id = in->call_id, .queue_id = q->c.id, .until_ms = a->now_ms + ms};
	struct ranking r = {.n = 0};
	struct agent *g;
	struct why y = {0};

	reserve_agents(q, in->agent_id, &r);
	if (!r.n)
		return false;
	g = r.best[0].agent;
	out.agent_id = g->c.id;
	out.team_id = g->c.team_id;
	strb_clear(&a->body);
	jw_init(&y.w, &a->body);
	jw_obj(&y.w, NULL);
	why_int(&y, "t", a->now_ms);
	why_int(&y, "ms", ms);
	jw_obj(&y.w, "why");
	jw_str(&y.w, "rule", rule_of()->name);
	jw_str(&y.w, "side", in->agent_id ? "asked" : "reserve");
	why_candidates(a, &y, &r);
	why_members(&y, q);
	jw_id(&y.w, "sum", (int64_t)(y.sum & INT64_MAX));
	jw_end_obj(&y.w);
	jw_end_obj(&y.w);
	acd_emit(a, &out);
	agent_reserve(a, g, in->call_id, q->c.id, out.until_ms);
	return true;
}
