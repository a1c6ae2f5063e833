/*
 * The agent's state machine (drawn in acd.h). What is asked while he rings, talks or wraps up waits in `after`; a state that
 * ends goes on to it through agent_settle().
 */
#include "acd/core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct agent *agent_new(struct acd *a, int64_t id)
{
	struct agent *g = xcalloc(1, sizeof(*g));

	g->c.id = id;
	g->after = ACD_READY;
	ilist_init(&g->refusals);
	otree_add(&a->agents, &g->by_id, id, 0, 0, 0);
	return g;
}

void agent_free(struct acd *a, struct agent *g)
{
	assert(!g->offered && !otree_first(&g->owned));
	ilist_each_entry(&g->refusals, r, struct refusal, of_agent)
		refusal_free(a, r);
	agent_part(g);
	acd_timer_stop(a, &g->timer);
	otree_del(&a->reserved, &g->by_reserved);
	otree_del(&a->agents, &g->by_id);
	free(g->members);
	free(g);
}

int agent_class(const struct agent *g)
{
	return g->away ? CLASS_DEVICE : (int)g->state;
}

void agent_join(struct agent *g)
{
	for (unsigned i = 0; i < g->member_n; i++) {
		struct member *m = &g->members[i];

		m->queue->members[agent_class(g)]++;
		if (g->state == ACD_READY)
			otree_add(&m->queue->ready, &m->ready, m->level, g->idle_ms, g->c.id, 0);
	}
}

void agent_part(struct agent *g)
{
	for (unsigned i = 0; i < g->member_n; i++) {
		struct member *m = &g->members[i];

		m->queue->members[agent_class(g)]--;
		otree_del(&m->queue->ready, &m->ready);
	}
}

static void set_until(struct acd *a, struct agent *g, int64_t until_ms)
{
	g->until_ms = until_ms;
	if (until_ms)
		acd_timer_set(a, &g->timer, until_ms, TIMER_AGENT, g->c.id, 0);
	else
		acd_timer_stop(a, &g->timer);
}

static void tell(struct acd *a, const struct agent *g, enum acd_state prev, const char *reason)
{
	struct acd_out out = {
		.kind = ACD_OUT_STATE, .agent_id = g->c.id, .team_id = g->c.team_id, .state = g->state, .prev = prev,
		.call_id = g->call_id, .queue_id = g->queue_id, .until_ms = g->until_ms, .reason = reason,
	};
	struct jw w;

	strb_clear(&a->body);
	jw_init(&w, &a->body);
	jw_obj(&w, NULL);
	jw_int(&w, "t", a->now_ms);
	jw_str(&w, "state", acd_state_name(g->state));
	jw_str(&w, "prev", acd_state_name(prev));
	jw_str(&w, "reason", *reason ? reason : NULL);
	jw_id(&w, "team", g->c.team_id);
	if (g->call_id)
		jw_id(&w, "call", g->call_id);
	else
		jw_null(&w, "call");
	jw_int(&w, "until", g->until_ms);
	jw_end_obj(&w);
	acd_emit(a, &out);
}

static void check_empty(struct acd *a, struct agent *g)
{
	for (unsigned i = 0; i < g->member_n; i++)
		queue_check_empty(a, g->members[i].queue);
}

/* What is asked of him meanwhile waits for its end. */
static bool with_call(enum acd_state s)
{
	return s == ACD_RINGING || s == ACD_TALKING || s == ACD_WRAPUP;
}

static void enter(struct acd *a, struct agent *g, enum acd_state state, const char *reason, int64_t until_ms, bool away)
{
	enum acd_state prev = g->state;

	assert((g->offered != NULL) == (state == ACD_RINGING));
	agent_part(g);
	otree_del(&a->reserved, &g->by_reserved);
	if (state == ACD_RESERVED)
		otree_add(&a->reserved, &g->by_reserved, g->call_id, 0, 0, 0);
	g->state = state;
	g->away = away;
	g->since_ms = a->now_ms;
	if (reason != g->reason)
		(void)str_copy(g->reason, sizeof(g->reason), reason);
	if (!with_call(state) && state != ACD_RESERVED) {
		g->call_id = g->queue_id = g->wrap_limit_ms = 0;
		if (!away) {
			g->after = ACD_READY;
			g->after_reason[0] = '\0';
			g->after_until_ms = 0;
		}
	}
	set_until(a, g, until_ms);
	agent_join(g);
	tell(a, g, prev, g->reason);
	if (state == ACD_READY) {
		match_agent(a, g);
		return;
	}
	if (state == ACD_OFFLINE)
		check_empty(a, g);
	owner_moved(a, g);
}

/* Out for want of a device; @after is given back if it returns (or, after a failed offer, just by time) before @until_ms. */
static void go_away(struct acd *a, struct agent *g, enum acd_state after, int64_t until_ms)
{
	g->after = after;
	enter(a, g, ACD_BREAK, "device", until_ms > a->now_ms ? until_ms : 0, true);
}

void agent_settle(struct acd *a, struct agent *g, bool keep_idle)
{
	char reason[ACD_REASON_MAX];

	if (!keep_idle)
		g->idle_ms = a->now_ms;
	(void)str_copy(reason, sizeof(reason), g->after_reason);
	switch (g->after) {
	case ACD_OFFLINE:
		enter(a, g, ACD_OFFLINE, g->in_conf ? "logout" : "removed", 0, false);
		return;
	case ACD_BREAK:
		enter(a, g, ACD_BREAK, reason, 0, false);
		return;
	case ACD_NOANSWER:
		if (!g->device_up) {
			go_away(a, g, ACD_NOANSWER, g->lost_ms + g->c.device_grace_ms);
			return;
		}
		if (!g->after_until_ms || g->after_until_ms > a->now_ms) {
			enter(a, g, ACD_NOANSWER, reason, g->after_until_ms, false);
			return;
		}
		g->idle_ms = a->now_ms;
		break;
	default:
		assert(g->after == ACD_READY);
	}
	if (g->device_up)
		enter(a, g, ACD_READY, "", 0, false);
	else
		go_away(a, g, ACD_READY, g->lost_ms + g->c.device_grace_ms);
}

void agent_ring(struct acd *a, struct agent *g, struct call *c, int64_t offer_id, int64_t until_ms)
{
	assert(g->state == ACD_READY);
	g->offered = c;
	g->offer_id = offer_id;
	g->call_id = c->id;
	g->queue_id = c->queue->c.id;
	enter(a, g, ACD_RINGING, "", until_ms, false);
}

void agent_talk(struct acd *a, struct agent *g, int64_t call_id, int64_t queue_id)
{
	g->call_id = call_id;
	g->queue_id = queue_id;
	enter(a, g, ACD_TALKING, "", 0, false);
}

void agent_reserve(struct acd *a, struct agent *g, int64_t call_id, int64_t queue_id, int64_t until_ms)
{
	assert(g->state == ACD_READY);
	g->call_id = call_id;
	g->queue_id = queue_id;
	enter(a, g, ACD_RESERVED, "", until_ms, false);
}

static int64_t later(const struct acd *a, int64_t ms)
{
	return ms > 0 ? a->now_ms + ms : 0;
}

void agent_refused(struct acd *a, struct agent *g)
{
	if (g->after == ACD_READY)
		enter(a, g, ACD_NOANSWER, "refused", later(a, REFUSED_AGENT_MS), false);
	else
		agent_settle(a, g, false);
}

void agent_failed(struct acd *a, struct agent *g)
{
	int64_t pause = g->c.device_grace_ms > FAILED_MS ? g->c.device_grace_ms : FAILED_MS;

	if (g->after == ACD_READY)
		go_away(a, g, ACD_READY, a->now_ms + pause);
	else
		agent_settle(a, g, false);
}

static void rang_out(struct acd *a, struct agent *g)
{
	int64_t call_id = g->offered->id;

	call_offer_end(a, g, "timeout", 0);
	if (g->after == ACD_READY)
		enter(a, g, ACD_NOANSWER, "timeout", later(a, g->c.noanswer_ms), false);
	else
		agent_settle(a, g, false);
	call_waits_on(a, call_id);
}

void agent_timer(struct acd *a, struct agent *g)
{
	if (g->state == ACD_RINGING) {
		rang_out(a, g);
	} else if (g->away && !g->device_up) {
		g->until_ms = 0; /* the grace is over: back only when he says so */
	} else {
		assert(g->away || g->state == ACD_WRAPUP || g->state == ACD_NOANSWER || g->state == ACD_RESERVED);
		agent_settle(a, g, g->away || g->state == ACD_RESERVED);
	}
}

/* Takes the offer from a ringing agent for a reason of his own; @next moves him. */
static void withdraw(struct acd *a, struct agent *g, void (*next)(struct acd *, struct agent *))
{
	int64_t call_id = g->offered->id;

	call_offer_end(a, g, "withdrawn", 0);
	next(a, g);
	call_waits_on(a, call_id);
}

static void settle_idle(struct acd *a, struct agent *g)
{
	agent_settle(a, g, true);
}

static void log_out(struct acd *a, struct agent *g, const char *reason)
{
	int64_t call_id = g->offered ? g->offered->id : 0;

	if (call_id)
		call_offer_end(a, g, "withdrawn", 0);
	enter(a, g, ACD_OFFLINE, reason, 0, false);
	if (call_id)
		call_waits_on(a, call_id);
}

void agent_remove(struct acd *a, struct agent *g)
{
	if (g->state == ACD_TALKING) {
		g->after = ACD_OFFLINE; /* freed when that call is released */
		owner_moved(a, g);
		return;
	}
	if (g->state != ACD_OFFLINE)
		log_out(a, g, "removed");
	agent_free(a, g);
}

static int in_login(struct acd *a, struct agent *g, const struct acd_in *in)
{
	if (g->state != ACD_OFFLINE) {
		if (!with_call(g->state) || g->after != ACD_OFFLINE)
			return ACD_E_STATE;
		g->after = in->ready ? ACD_READY : ACD_BREAK; /* he had asked to log out, and stays */
		(void)str_copy(g->after_reason, sizeof(g->after_reason), in->ready ? "" : "login");
		return 0;
	}
	g->device_up = in->device_up;
	g->lost_ms = a->now_ms;
	g->after = in->ready ? ACD_READY : ACD_BREAK;
	(void)str_copy(g->after_reason, sizeof(g->after_reason), in->ready ? "" : "login");
	agent_settle(a, g, false);
	return 0;
}

static int in_logout(struct acd *a, struct agent *g, const struct acd_in *in)
{
	if (g->state == ACD_OFFLINE)
		return ACD_E_STATE;
	if (with_call(g->state) && !in->force) {
		g->after = ACD_OFFLINE;
		owner_moved(a, g);
	} else {
		log_out(a, g, in->force ? "forced" : "logout");
	}
	return 0;
}

static int in_ready(struct acd *a, struct agent *g, const struct acd_in *in)
{
	bool later = g->state == ACD_RINGING || g->state == ACD_TALKING;

	if (g->state == ACD_OFFLINE || (!later && !g->device_up))
		return ACD_E_STATE;
	if (g->state == ACD_READY || g->state == ACD_RESERVED)
		return 0;
	g->after = ACD_READY;
	if (!later)
		agent_settle(a, g, false);
	return 0;
}

/* Bytes that are no UTF-8 would not come back from the log as they were. */
const char *acd_reason(const struct acd_in *in)
{
	if (!str_is_utf8(in->reason, strlen(in->reason)))
		return "?";
	return in->reason[0] ? in->reason : "break";
}

static int in_break(struct acd *a, struct agent *g, const struct acd_in *in)
{
	const char *reason = acd_reason(in);

	if (g->state == ACD_OFFLINE)
		return ACD_E_STATE;
	if (with_call(g->state)) {
		g->after = ACD_BREAK;
		(void)str_copy(g->after_reason, sizeof(g->after_reason), reason);
		owner_moved(a, g);
	} else if (g->state != ACD_BREAK || g->away || strcmp(g->reason, reason) != 0) {
		enter(a, g, ACD_BREAK, reason, 0, false);
	}
	return 0;
}

static int in_wrap_extend(struct acd *a, struct agent *g, const struct acd_in *in)
{
	int64_t until_ms;

	if (g->state != ACD_WRAPUP || in->ms <= 0 || g->until_ms >= g->wrap_limit_ms)
		return ACD_E_STATE;
	until_ms = g->until_ms + in->ms;
	set_until(a, g, until_ms < g->wrap_limit_ms ? until_ms : g->wrap_limit_ms);
	tell(a, g, g->state, "extend");
	return 0;
}

static int in_wrap_end(struct acd *a, struct agent *g, const struct acd_in *in)
{
	if (g->state != ACD_WRAPUP)
		return ACD_E_STATE;
	agent_settle(a, g, false);
	return 0;
}

static void device_lost(struct acd *a, struct agent *g)
{
	int64_t until_ms = a->now_ms + g->c.device_grace_ms;

	if (g->state == ACD_RINGING) {
		withdraw(a, g, settle_idle);
	} else if (g->state == ACD_READY || g->state == ACD_RESERVED) {
		go_away(a, g, ACD_READY, until_ms);
	} else if (g->state == ACD_NOANSWER) {
		g->after_until_ms = g->until_ms;
		(void)str_copy(g->after_reason, sizeof(g->after_reason), g->reason);
		go_away(a, g, ACD_NOANSWER, until_ms);
	} else if (g->away && g->until_ms) {
		go_away(a, g, g->after, until_ms); /* an offer had failed, now it is known why */
	} else {
		owner_moved(a, g);
	}
}

/* Talking and wrap-up go on without a device; the switch ends the talk, and wrap-up ends in `away`. */
static int in_device(struct acd *a, struct agent *g, const struct acd_in *in)
{
	bool was_up = g->device_up;

	g->device_up = in->device_up;
	if (!in->device_up && was_up) {
		g->lost_ms = a->now_ms;
		device_lost(a, g);
	} else if (in->device_up && g->away && g->until_ms) {
		agent_settle(a, g, true);
	}
	return 0;
}

static int in_seize(struct acd *a, struct agent *g, const struct acd_in *in)
{
	if (g->state == ACD_OFFLINE || g->state == ACD_RINGING || g->state == ACD_TALKING || !in->call_id)
		return ACD_E_STATE;
	if (acd_call_find(a, in->call_id))
		return ACD_E_STATE; /* it waits: it must leave the queue first */
	if (g->state == ACD_RESERVED && g->call_id != in->call_id)
		return ACD_E_STATE;
	if ((g->state == ACD_BREAK && !g->away) || g->state == ACD_NOANSWER) {
		g->after = g->state;
		g->after_until_ms = g->until_ms;
		(void)str_copy(g->after_reason, sizeof(g->after_reason), g->reason);
	}
	agent_talk(a, g, in->call_id, g->state == ACD_RESERVED ? g->queue_id : in->queue_id);
	return 0;
}

/* Without a moment in between: he is not free for anybody. */
static int in_move(struct acd *a, struct agent *g, const struct acd_in *in)
{
	if (g->state != ACD_TALKING || !in->call_id || in->call_id == g->call_id || acd_call_find(a, in->call_id))
		return ACD_E_STATE;
	agent_talk(a, g, in->call_id, in->queue_id);
	return 0;
}

/* What wrap-up follows: in->ms when the switch says so, else the queue's. */
static void wrap_up(struct acd *a, struct agent *g, int32_t ms)
{
	const struct queue *q = acd_queue_find(a, g->queue_id);
	int64_t most = 0;

	if (q) {
		ms = ms > 0 ? ms : q->c.wrapup_ms;
		most = q->c.wrapup_max_ms;
	}
	if (ms <= 0 || !g->in_conf) {
		agent_settle(a, g, false);
		return;
	}
	g->wrap_limit_ms = a->now_ms + (most > ms ? most : ms);
	enter(a, g, ACD_WRAPUP, "", a->now_ms + ms, false);
}

static int in_release(struct acd *a, struct agent *g, const struct acd_in *in)
{
	if (g->state != ACD_TALKING || g->call_id != in->call_id)
		return ACD_E_STALE;
	if (in->wrap)
		wrap_up(a, g, in->ms);
	else
		agent_settle(a, g, false);
	return 0;
}

static bool for_the_removed(enum acd_in_kind k)
{
	return k == ACD_IN_RELEASE || k == ACD_IN_LOGOUT || k == ACD_IN_DEVICE;
}

int agent_input(struct acd *a, const struct acd_in *in)
{
	static int (*const handle[ACD_IN_COUNT])(struct acd *, struct agent *, const struct acd_in *) = {
		[ACD_IN_LOGIN] = in_login,     [ACD_IN_LOGOUT] = in_logout,           [ACD_IN_READY] = in_ready,
		[ACD_IN_BREAK] = in_break,     [ACD_IN_WRAP_EXTEND] = in_wrap_extend, [ACD_IN_WRAP_END] = in_wrap_end,
		[ACD_IN_DEVICE] = in_device,   [ACD_IN_SEIZE] = in_seize,             [ACD_IN_RELEASE] = in_release,
		[ACD_IN_MOVE] = in_move,
	};
	struct agent *g = acd_agent_find(a, in->agent_id);
	int r;

	if (!g || (!g->in_conf && !for_the_removed(in->kind)))
		return ACD_E_UNKNOWN;
	r = handle[in->kind](a, g, in);
	if (!g->in_conf && g->state == ACD_OFFLINE)
		agent_free(a, g);
	return r;
}
