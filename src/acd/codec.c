/* To and from event bodies: inputs, configurations, snapshots. Ids are strings; what is zero in an input is left out. */
#include "acd/core.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define ACD_NAME(id, name) [id] = name,
static const char *const in_names[ACD_IN_COUNT] = {ACD_INPUTS(ACD_NAME)};
static const char *const overflow_names[] = {"none", "queue", "number", "goodbye"};
static const char *const hold_names[] = {"none", "ask", "owner", "team"};

/* ---- reading: the first value that is not as it should be sets `bad` ---- */

struct reader {
	bool bad;
};

static int64_t as_int(struct reader *rd, const json_t *v, int64_t min, int64_t max)
{
	int64_t i = json_is_integer(v) ? json_integer_value(v) : 0;

	if (!json_is_integer(v) || i < min || i > max) {
		rd->bad = true;
		return min <= 0 && max >= 0 ? 0 : min;
	}
	return i;
}

static int64_t as_id(struct reader *rd, const json_t *v)
{
	int64_t id = 0;

	if (!json_is_string(v) || !str_to_i64(&id, json_string_value(v), INT64_MIN, INT64_MAX))
		rd->bad = true;
	return id;
}

static int64_t get_int(struct reader *rd, const json_t *o, const char *key, int64_t min, int64_t max)
{
	const json_t *v = json_object_get(o, key);

	return v ? as_int(rd, v, min, max) : 0;
}

static int32_t get_i32(struct reader *rd, const json_t *o, const char *key)
{
	return (int32_t)get_int(rd, o, key, INT32_MIN, INT32_MAX);
}

static int64_t get_time(struct reader *rd, const json_t *o, const char *key)
{
	return get_int(rd, o, key, -TIME_MAX_MS, TIME_MAX_MS);
}

static int64_t get_id(struct reader *rd, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return v ? as_id(rd, v) : 0;
}

static bool get_bool(struct reader *rd, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (v && !json_is_boolean(v))
		rd->bad = true;
	return json_is_true(v);
}

static void get_reason(struct reader *rd, const json_t *o, const char *key, char ret[ACD_REASON_MAX])
{
	const json_t *v = json_object_get(o, key);

	ret[0] = '\0';
	if (v && (!json_is_string(v) || !str_copy(ret, ACD_REASON_MAX, json_string_value(v))))
		rd->bad = true;
}

static int get_name(struct reader *rd, const json_t *o, const char *key, const char *const *names, int n)
{
	const char *s = json_string_value(json_object_get(o, key));

	for (int i = 0; s && i < n; i++)
		if (!strcmp(s, names[i]))
			return i;
	rd->bad = true;
	return 0;
}

static json_t *get_array(struct reader *rd, const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (v && !json_is_array(v))
		rd->bad = true;
	return v;
}

static json_t *parse(const char *body, size_t len)
{
	return json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
}

/* ---- inputs ---- */

static void put_id(struct jw *w, const char *key, int64_t id)
{
	if (id)
		jw_id(w, key, id);
}

static void put_int(struct jw *w, const char *key, int64_t v)
{
	if (v)
		jw_int(w, key, v);
}

static void put_bool(struct jw *w, const char *key, bool v)
{
	if (v)
		jw_bool(w, key, true);
}

void acd_in_encode(const struct acd_in *in, struct strb *b)
{
	struct jw w;

	assert((unsigned)in->kind < ACD_IN_COUNT);
	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_str(&w, "k", in_names[in->kind]);
	put_id(&w, "agent", in->agent_id);
	put_id(&w, "call", in->call_id);
	put_id(&w, "queue", in->queue_id);
	put_id(&w, "offer", in->offer_id);
	put_id(&w, "owner", in->owner_id);
	put_id(&w, "team", in->team_id);
	put_int(&w, "priority", in->priority);
	put_int(&w, "code", in->code);
	put_int(&w, "ms", in->ms);
	put_int(&w, "waited_ms", in->waited_ms);
	put_bool(&w, "up", in->device_up);
	put_bool(&w, "ready", in->ready);
	put_bool(&w, "force", in->force);
	put_bool(&w, "wrap", in->wrap);
	if (in->reason[0])
		jw_str(&w, "reason", acd_reason(in));
	jw_end_obj(&w);
}

int acd_in_decode(struct acd_in *ret, int64_t at_ms, const char *body, size_t len)
{
	json_t *o = parse(body, len);
	struct reader rd = {0};
	struct acd_in in = {.at_ms = at_ms};

	in.kind = (enum acd_in_kind)get_name(&rd, o, "k", in_names, ACD_IN_COUNT);
	in.agent_id = get_id(&rd, o, "agent");
	in.call_id = get_id(&rd, o, "call");
	in.queue_id = get_id(&rd, o, "queue");
	in.offer_id = get_id(&rd, o, "offer");
	in.owner_id = get_id(&rd, o, "owner");
	in.team_id = get_id(&rd, o, "team");
	in.priority = get_i32(&rd, o, "priority");
	in.code = get_i32(&rd, o, "code");
	in.ms = get_i32(&rd, o, "ms");
	in.waited_ms = get_int(&rd, o, "waited_ms", INT64_MIN, INT64_MAX);
	in.device_up = get_bool(&rd, o, "up");
	in.ready = get_bool(&rd, o, "ready");
	in.force = get_bool(&rd, o, "force");
	in.wrap = get_bool(&rd, o, "wrap");
	get_reason(&rd, o, "reason", in.reason);
	json_decref(o);
	if (rd.bad)
		return -EINVAL;
	*ret = in;
	return 0;
}

/* ---- configurations ---- */

static void queue_encode(struct jw *w, const struct acd_queue_conf *q)
{
	jw_obj(w, NULL);
	jw_id(w, "id", q->id);
	put_int(w, "priority", q->priority);
	put_int(w, "ring_ms", q->ring_ms);
	put_int(w, "wrapup_ms", q->wrapup_ms);
	put_int(w, "wrapup_max_ms", q->wrapup_max_ms);
	put_int(w, "len_max", q->len_max);
	put_int(w, "wait_max_ms", q->wait_max_ms);
	put_int(w, "announce_ms", q->announce_ms);
	put_int(w, "target_ms", q->target_ms);
	put_bool(w, "empty_overflow", q->empty_overflow);
	put_int(w, "owner_ms", q->owner_ms);
	put_int(w, "owner_busy_ms", q->owner_busy_ms);
	put_bool(w, "owner_member", q->owner_member);
	jw_str(w, "overflow", overflow_names[q->overflow]);
	put_id(w, "overflow_queue", q->overflow_queue);
	jw_end_obj(w);
}

static void queue_decode(struct reader *rd, struct acd_queue_conf *ret, const json_t *o)
{
	ret->id = get_id(rd, o, "id");
	ret->priority = get_i32(rd, o, "priority");
	ret->ring_ms = get_i32(rd, o, "ring_ms");
	ret->wrapup_ms = get_i32(rd, o, "wrapup_ms");
	ret->wrapup_max_ms = get_i32(rd, o, "wrapup_max_ms");
	ret->len_max = get_i32(rd, o, "len_max");
	ret->wait_max_ms = get_i32(rd, o, "wait_max_ms");
	ret->announce_ms = get_i32(rd, o, "announce_ms");
	ret->target_ms = get_i32(rd, o, "target_ms");
	ret->empty_overflow = get_bool(rd, o, "empty_overflow");
	ret->owner_ms = get_i32(rd, o, "owner_ms");
	ret->owner_busy_ms = get_i32(rd, o, "owner_busy_ms");
	ret->owner_member = get_bool(rd, o, "owner_member");
	ret->overflow = (enum acd_overflow)get_name(rd, o, "overflow", overflow_names, ARRAY_LEN(overflow_names));
	ret->overflow_queue = get_id(rd, o, "overflow_queue");
}

/* [id, team, noanswer_ms, device_grace_ms]: there are thousands of these */
static void agent_conf_encode(struct jw *w, const struct acd_agent_conf *g)
{
	jw_arr(w, NULL);
	jw_id(w, NULL, g->id);
	jw_id(w, NULL, g->team_id);
	jw_int(w, NULL, g->noanswer_ms);
	jw_int(w, NULL, g->device_grace_ms);
	jw_end_arr(w);
}

static void agent_conf_decode(struct reader *rd, struct acd_agent_conf *ret, const json_t *v)
{
	ret->id = as_id(rd, json_array_get(v, 0));
	ret->team_id = as_id(rd, json_array_get(v, 1));
	ret->noanswer_ms = (int32_t)as_int(rd, json_array_get(v, 2), INT32_MIN, INT32_MAX);
	ret->device_grace_ms = (int32_t)as_int(rd, json_array_get(v, 3), INT32_MIN, INT32_MAX);
}

void acd_conf_encode(const struct acd_conf *c, struct strb *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_int(&w, "version", c->version);
	jw_arr(&w, "queues");
	for (size_t i = 0; i < c->queue_n; i++)
		queue_encode(&w, &c->queues[i]);
	jw_end_arr(&w);
	jw_arr(&w, "agents");
	for (size_t i = 0; i < c->agent_n; i++)
		agent_conf_encode(&w, &c->agents[i]);
	jw_end_arr(&w);
	jw_arr(&w, "members"); /* [agent, queue, level] */
	for (size_t i = 0; i < c->member_n; i++) {
		jw_arr(&w, NULL);
		jw_id(&w, NULL, c->members[i].agent_id);
		jw_id(&w, NULL, c->members[i].queue_id);
		jw_int(&w, NULL, c->members[i].level);
		jw_end_arr(&w);
	}
	jw_end_arr(&w);
	jw_end_obj(&w);
}

int acd_conf_decode(struct acd_conf *ret, const char *body, size_t len)
{
	json_t *o = parse(body, len), *queues, *agents, *members, *v;
	struct reader rd = {.bad = !json_is_object(o)};
	struct acd_conf c = {0};
	size_t i;

	c.version = get_int(&rd, o, "version", INT64_MIN, INT64_MAX);
	queues = get_array(&rd, o, "queues");
	agents = get_array(&rd, o, "agents");
	members = get_array(&rd, o, "members");
	c.queues = xcalloc(json_array_size(queues), sizeof(*c.queues));
	c.agents = xcalloc(json_array_size(agents), sizeof(*c.agents));
	c.members = xcalloc(json_array_size(members), sizeof(*c.members));
	json_array_foreach(queues, i, v)
		queue_decode(&rd, &c.queues[c.queue_n++], v);
	json_array_foreach(agents, i, v)
		agent_conf_decode(&rd, &c.agents[c.agent_n++], v);
	json_array_foreach(members, i, v) {
		struct acd_member *m = &c.members[c.member_n++];

		m->agent_id = as_id(&rd, json_array_get(v, 0));
		m->queue_id = as_id(&rd, json_array_get(v, 1));
		m->level = (int32_t)as_int(&rd, json_array_get(v, 2), INT32_MIN, INT32_MAX);
	}
	json_decref(o);
	if (rd.bad) {
		acd_conf_done(&c);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

void acd_conf_done(struct acd_conf *c)
{
	free(c->queues);
	free(c->agents);
	free(c->members);
	*c = (struct acd_conf){0};
}

/* ---- snapshots: agents that were ever logged in, calls in the order they entered, what vanished from the configuration ---- */

static void agent_encode(struct jw *w, const struct agent *g)
{
	jw_obj(w, NULL);
	jw_id(w, "id", g->c.id);
	jw_str(w, "state", acd_state_name(g->state));
	jw_str(w, "reason", g->reason);
	jw_int(w, "since", g->since_ms);
	jw_int(w, "until", g->until_ms);
	jw_int(w, "idle", g->idle_ms);
	jw_int(w, "lost", g->lost_ms);
	put_bool(w, "up", g->device_up);
	put_bool(w, "away", g->away);
	jw_str(w, "after", acd_state_name(g->after));
	if (g->after_reason[0])
		jw_str(w, "after_reason", g->after_reason);
	put_int(w, "after_until", g->after_until_ms);
	put_id(w, "call", g->call_id);
	put_id(w, "queue", g->queue_id);
	put_id(w, "offer", g->offer_id);
	put_int(w, "wrap_limit", g->wrap_limit_ms);
	jw_end_obj(w);
}

static void agent_decode(struct reader *rd, struct acd *a, const json_t *o)
{
	struct agent *g = acd_agent_find(a, get_id(rd, o, "id"));

	if (!g || g->since_ms || g->device_up) {
		rd->bad = true;
		return;
	}
	agent_part(g);
	g->state = (enum acd_state)get_name(rd, o, "state", acd_state_names, ACD_STATE_COUNT);
	get_reason(rd, o, "reason", g->reason);
	g->since_ms = get_time(rd, o, "since");
	g->until_ms = get_time(rd, o, "until");
	g->idle_ms = get_time(rd, o, "idle");
	g->lost_ms = get_time(rd, o, "lost");
	g->device_up = get_bool(rd, o, "up");
	g->away = get_bool(rd, o, "away");
	g->after = (enum acd_state)get_name(rd, o, "after", acd_state_names, ACD_STATE_COUNT);
	get_reason(rd, o, "after_reason", g->after_reason);
	g->after_until_ms = get_time(rd, o, "after_until");
	g->call_id = get_id(rd, o, "call");
	g->queue_id = get_id(rd, o, "queue");
	g->offer_id = get_id(rd, o, "offer");
	g->wrap_limit_ms = get_time(rd, o, "wrap_limit");
	if (g->until_ms)
		acd_timer_set(a, &g->timer, g->until_ms, TIMER_AGENT, g->c.id, 0);
	if (g->state == ACD_RESERVED && reserved_for(a, g->call_id))
		rd->bad = true;
	else if (g->state == ACD_RESERVED)
		otree_add(&a->reserved, &g->by_reserved, g->call_id, 0, 0, 0);
	agent_join(g);
}

static int64_t due(const struct timer *t)
{
	return otree_in(&t->node) ? t->node.key[0] : 0;
}

static void call_encode(struct jw *w, const struct call *c)
{
	jw_obj(w, NULL);
	jw_id(w, "id", c->id);
	jw_id(w, "queue", c->queue->c.id);
	if (c->agent)
		jw_id(w, "agent", c->agent->c.id);
	put_int(w, "priority", c->priority);
	jw_int(w, "since", c->since_ms);
	jw_int(w, "entered", c->entered_ms);
	put_bool(w, "overdue", c->overdue);
	put_int(w, "limit", due(&c->limit));
	put_int(w, "announce", due(&c->announce));
	if (c->hold) {
		jw_str(w, "hold", hold_names[c->hold]);
		put_id(w, "owner", c->owner_id);
		put_id(w, "team", c->team_id);
		put_int(w, "held", due(&c->held));
	}
	jw_end_obj(w);
}

static void hold_decode(struct reader *rd, struct acd *a, struct call *c, const json_t *o)
{
	int64_t ms = get_time(rd, o, "held");
	struct agent *g;

	if (!json_object_get(o, "hold"))
		return;
	call_hold(c, (enum hold)get_name(rd, o, "hold", hold_names, ARRAY_LEN(hold_names)));
	c->owner_id = get_id(rd, o, "owner");
	c->team_id = get_id(rd, o, "team");
	if (ms)
		acd_timer_set(a, &c->held, ms, TIMER_HOLD, c->id, 0);
	g = c->hold == HOLD_OWNER ? acd_agent_find(a, c->owner_id) : NULL;
	if (c->hold == HOLD_OWNER && !g)
		rd->bad = true;
	else if (g && !json_object_get(o, "agent"))
		owner_own(a, c, g);
}

static void call_decode(struct reader *rd, struct acd *a, const json_t *o)
{
	int64_t id = get_id(rd, o, "id"), agent_id = get_id(rd, o, "agent"), ms;
	struct queue *q = acd_queue_find(a, get_id(rd, o, "queue"));
	struct agent *g = acd_agent_find(a, agent_id);
	struct call *c;

	if (id <= 0 || !q || acd_call_find(a, id) || (agent_id && (!g || g->offered))) {
		rd->bad = true;
		return;
	}
	c = call_new(a, id, q, get_i32(rd, o, "priority"), get_time(rd, o, "since"), get_time(rd, o, "entered"));
	c->overdue = get_bool(rd, o, "overdue");
	if ((ms = get_time(rd, o, "limit")))
		acd_timer_set(a, &c->limit, ms, TIMER_LIMIT, id, 0);
	if ((ms = get_time(rd, o, "announce")))
		acd_timer_set(a, &c->announce, ms, TIMER_ANNOUNCE, id, 0);
	hold_decode(rd, a, c, o);
	if (g) {
		call_place(c, g);
		g->offered = c;
	}
}

static void refusal_decode(struct reader *rd, struct acd *a, const json_t *v)
{
	struct call *c = acd_call_find(a, as_id(rd, json_array_get(v, 0)));
	struct agent *g = acd_agent_find(a, as_id(rd, json_array_get(v, 1)));
	int64_t ms = as_int(rd, json_array_get(v, 2), 0, TIME_MAX_MS);

	if (!c || !g || refusal_between(g, c))
		rd->bad = true;
	else
		refusal_new(a, g, c, ms);
}

static void refusals_encode(struct jw *w, const struct acd *a)
{
	otree_each(&a->calls, n) {
		ilist_each_entry(&container_of(n, struct call, by_id)->refusals, r, struct refusal, of_call) {
			jw_arr(w, NULL);
			jw_id(w, NULL, r->call->id);
			jw_id(w, NULL, r->agent->c.id);
			jw_int(w, NULL, due(&r->timer));
			jw_end_arr(w);
		}
	}
}

static void closed_encode(struct jw *w, const struct acd *a)
{
	jw_arr(w, "closed");
	otree_each(&a->queues, n)
		if (!container_of(n, struct queue, by_id)->in_conf)
			queue_encode(w, &container_of(n, struct queue, by_id)->c);
	jw_end_arr(w);
	jw_arr(w, "removed");
	otree_each(&a->agents, n)
		if (!container_of(n, struct agent, by_id)->in_conf)
			agent_conf_encode(w, &container_of(n, struct agent, by_id)->c);
	jw_end_arr(w);
}

void acd_snap_encode(const struct acd *a, struct strb *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_int(&w, "now", a->now_ms);
	jw_id(&w, "offer_last", a->offer_last);
	jw_int(&w, "version", a->conf_version);
	closed_encode(&w, a);
	jw_arr(&w, "agents");
	otree_each(&a->agents, n) {
		const struct agent *g = container_of(n, struct agent, by_id);

		if (g->since_ms || g->device_up)
			agent_encode(&w, g);
	}
	jw_end_arr(&w);
	jw_arr(&w, "calls");
	otree_each(&a->queues, n)
		ilist_each_entry(&container_of(n, struct queue, by_id)->calls, c, struct call, in_queue)
			call_encode(&w, c);
	jw_end_arr(&w);
	jw_arr(&w, "refused");
	refusals_encode(&w, a);
	jw_end_arr(&w);
	jw_end_obj(&w);
}

static void closed_decode(struct reader *rd, struct acd *a, const json_t *o)
{
	json_t *v;
	size_t i;

	json_array_foreach(get_array(rd, o, "closed"), i, v) {
		struct acd_queue_conf c = {0};

		queue_decode(rd, &c, v);
		if (c.id <= 0 || acd_queue_find(a, c.id))
			rd->bad = true;
		else
			queue_new(a, c.id)->c = c;
	}
	json_array_foreach(get_array(rd, o, "removed"), i, v) {
		struct acd_agent_conf c = {0};

		agent_conf_decode(rd, &c, v);
		if (c.id <= 0 || acd_agent_find(a, c.id))
			rd->bad = true;
		else
			agent_new(a, c.id)->c = c;
	}
}

static void snap_decode(struct reader *rd, struct acd *a, const json_t *o)
{
	json_t *v;
	size_t i;

	a->now_ms = get_time(rd, o, "now");
	a->offer_last = get_id(rd, o, "offer_last");
	if (get_int(rd, o, "version", INT64_MIN, INT64_MAX) != a->conf_version)
		rd->bad = true;
	closed_decode(rd, a, o);
	json_array_foreach(get_array(rd, o, "agents"), i, v)
		agent_decode(rd, a, v);
	json_array_foreach(get_array(rd, o, "calls"), i, v)
		call_decode(rd, a, v);
	json_array_foreach(get_array(rd, o, "refused"), i, v)
		refusal_decode(rd, a, v);
}

int acd_snap_restore(struct acd *a, const char *body, size_t len)
{
	json_t *o = parse(body, len);
	struct reader rd = {.bad = !json_is_object(o) || otree_first(&a->calls)};

	if (!rd.bad)
		snap_decode(&rd, a, o);
	json_decref(o);
	return rd.bad || acd_invariant(a) ? -EINVAL : 0;
}
