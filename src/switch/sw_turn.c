/*
 * The turns of the teams (acd/turn.h): whose is the next new customer. Of a team take part who serves a queue. The state is in memory, and
 * each fact holds what is needed to go on from it in another process.
 */
#include <stdlib.h>
#include <string.h>

#include "acd/turn.h"
#include "switch/sw.h"

void sw_turn_init(struct sw *sw, const struct sw_turn_state *states, size_t n)
{
	hmap_init(&sw->turns, false);
	for (size_t i = 0; i < n; i++) {
		struct turn *t = xcalloc(1, sizeof(*t));

		if (hmap_get(&sw->turns, (uint64_t)states[i].team_id) || turn_decode(t, states[i].body, strlen(states[i].body))) {
			log_warn("turn of a team cannot be read, it begins anew team=%lld", (long long)states[i].team_id);
			free(t);
			continue;
		}
		(void)hmap_set(&sw->turns, (uint64_t)states[i].team_id, t);
	}
}

void sw_turn_done(struct sw *sw)
{
	struct turn *t;
	size_t pos = 0;

	while ((t = hmap_next(&sw->turns, &pos)))
		free(t);
	hmap_done(&sw->turns);
}

static bool serves_any(const struct sw *sw, int64_t user_id)
{
	for (size_t i = 0; i < sw->conf->acd.member_n; i++)
		if (sw->conf->acd.members[i].agent_id == user_id)
			return true;
	return false;
}

static enum turn_reach reach_of(const struct sw *sw, int64_t user_id, int64_t by_id)
{
	const struct sw_agent *a = hmap_get(&sw->agents, (uint64_t)user_id);

	if (!a)
		return TURN_ABSENT;
	switch (a->state) {
	case ACD_READY:
		return a->call && user_id != by_id ? TURN_BUSY : TURN_FREE;
	case ACD_RINGING:
	case ACD_TALKING:
	case ACD_WRAPUP:
	case ACD_RESERVED:
		return user_id == by_id ? TURN_FREE : TURN_BUSY;
	default:
		return TURN_ABSENT;
	}
}

/* By id: the configuration has its users in that order. */
static size_t members_of(struct turn_member *m, const struct sw *sw, const struct sw_turn *t)
{
	size_t n = 0;

	for (size_t i = 0; i < sw->conf->user_n && n < TURN_MEMBERS_MAX; i++) {
		const struct sw_user *u = &sw->conf->users[i];

		if (u->team_id == t->team_id && serves_any(sw, u->id))
			m[n++] = (struct turn_member){u->id, reach_of(sw, u->id, t->by_id)};
	}
	return n;
}

/* What it is about stands behind what the draw consists of. */
static void emit(struct sw *sw, enum ev_kind kind, int64_t agent_id, const struct sw_turn *t, struct strb *b)
{
	struct ev e = {.kind = kind, .call_id = t->call_id, .agent_id = agent_id};

	b->len--; /* the brace */
	strb_printf(b, ",\"team\":\"%lld\",\"call\":\"%lld\",\"customer\":\"%lld\",\"by\":\"%lld\"}", (long long)t->team_id,
		    (long long)t->call_id, (long long)t->customer_id, (long long)t->by_id);
	if (b->overflow)
		log_error("turn is too large for the log team=%lld", (long long)t->team_id);
	else
		sw_emit(sw, &e, b);
}

static void give_back(struct sw *sw, struct turn *turn, const struct sw_turn *t)
{
	struct strb b;

	turn_owe(turn, t->back_id);
	strb_init(&b, EV_BODY_MAX);
	turn_encode(turn, &(struct turn_draw){.agent_id = t->back_id}, NULL, 0, &b);
	emit(sw, EV_TURN_BACK, t->back_id, t, &b);
	strb_done(&b);
}

int64_t sw_turn_draw(struct sw *sw, const struct sw_turn *t, bool *is_free, bool *owed)
{
	struct turn *turn = hmap_get(&sw->turns, (uint64_t)t->team_id);
	struct turn_member *m;
	struct turn_draw d = {0};
	struct strb b;
	size_t n;

	if (t->back_id) {
		if (turn)
			give_back(sw, turn, t);
		return 0;
	}
	m = xcalloc(TURN_MEMBERS_MAX, sizeof(*m));
	n = members_of(m, sw, t);
	if (n && !turn) {
		turn = xcalloc(1, sizeof(*turn));
		(void)hmap_set(&sw->turns, (uint64_t)t->team_id, turn);
	}
	if (n && !turn_next(turn, &d, m, n)) {
		strb_init(&b, EV_BODY_MAX);
		turn_encode(turn, &d, m, n, &b);
		emit(sw, EV_TURN_DRAW, d.agent_id, t, &b);
		strb_done(&b);
		*is_free = d.reach == TURN_FREE;
		*owed = d.owed;
	}
	free(m);
	return d.agent_id;
}
