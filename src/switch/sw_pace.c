/*
 * A campaign's pacing core (dialer/pace.h): what it is told, what it is asked, and its memory across a restart. It learns of the calls that were
 * dialled ahead and of its agents' talks and wrap-ups, whoever they talked with: what counts is when they are free.
 *
 * Its state is a fact, campaign.pace, every five minutes and at the end; the next process goes on from the last one and from the
 * attempts that ended after it (sw_start.paces, past).
 */
#include <stdlib.h>
#include <string.h>

#include "switch/sw_dial.h"

#define WAIT_DEFAULT_MS 2000
#define SNAP_MS 300000
#define DAY_MS 86400000LL
#define ZONE_MS (8 * 3600000LL) /* China has one zone and no summer time */
#define UP_MAX 2000             /* agents, and ringing calls, that one step looks at */

/* ---- what it is set to ---- */

static struct pace_conf wanted(const struct sw_campaign *conf)
{
	int64_t day = (clock_utc_ms() + ZONE_MS) / DAY_MS;

	return (struct pace_conf){
		.limit_permille = conf->limit_permille, .wait_ms = conf->wait_max_ms > 0 ? conf->wait_max_ms : WAIT_DEFAULT_MS,
		.from_ms = day * DAY_MS - ZONE_MS, .to_ms = (day + 1) * DAY_MS - ZONE_MS,
	};
}

static bool same(const struct pace_conf *a, const struct pace_conf *b)
{
	return a->limit_permille == b->limit_permille && a->wait_ms == b->wait_ms && a->from_ms == b->from_ms && a->to_ms == b->to_ms;
}

bool camp_pace_begin(struct camp *p)
{
	const struct sw_campaign *conf = camp_conf(p);
	struct pace_conf want = wanted(conf);

	if (p->pace && same(&want, &p->pace_conf))
		return true;
	if (p->pace ? pace_configure(p->pace, &want) : pace_new(&p->pace, &want)) {
		log_error("pacing cannot be set, nobody is dialled ahead campaign=%lld limit_permille=%d wait_ms=%d", (long long)p->id, want.limit_permille,
			  want.wait_ms);
		return false;
	}
	p->pace_conf = want;
	return true;
}

/* ---- what it is told ---- */

void camp_pace_event(struct camp *p, enum pace_event_kind kind, int64_t at_ms, int64_t ms, int32_t score_permille)
{
	struct pace_event ev = {.kind = kind, .at_ms = at_ms, .ms = ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int32_t)ms, .score_permille = score_permille};

	if (!p->pace)
		return;
	pace_event(p->pace, &ev);
	p->pace_news = true;
}

/* An agent of several campaigns is one of all of them, so all learn. */
static void tell_all(struct sw *sw, int64_t agent_id, enum pace_event_kind kind, int64_t at_ms, int64_t ms)
{
	struct camp *p;
	size_t pos = 0;

	while ((p = hmap_next(&sw->camps, &pos)))
		for (size_t i = 0; p->pace && i < p->member_n; i++)
			if (p->members[i] == agent_id)
				camp_pace_event(p, kind, at_ms, ms, 0);
}

void camp_pace_agent(struct sw *sw, struct sw_agent *a, const struct acd_out *out)
{
	if (out->state == out->prev)
		return; /* a wrap-up that was extended */
	if (out->prev == ACD_TALKING && a->state_ms)
		tell_all(sw, a->id, PACE_TALK_END, out->t_ms, out->t_ms - a->state_ms);
	if (out->prev == ACD_WRAPUP && a->state_ms)
		tell_all(sw, a->id, PACE_WRAP_END, out->t_ms, out->t_ms - a->state_ms);
	a->state_ms = out->t_ms;
}

/* ---- what it is asked ---- */

struct now {
	struct pace_now n;
	int32_t talk[UP_MAX], wrap[UP_MAX];
	struct pace_ring ring[UP_MAX];
};

static void put_agents(struct now *n, const struct camp *p)
{
	for (size_t i = 0; i < p->member_n; i++) {
		const struct sw_agent *a = hmap_get(&p->sw->agents, (uint64_t)p->members[i]);
		int64_t age = a ? n->n.at_ms - a->state_ms : 0;

		if (!a || (a->state != ACD_TALKING && a->state != ACD_WRAPUP) || !camp_counts_for(p, a->id))
			continue;
		if (age < 0 || age > INT32_MAX)
			age = 0;
		if (a->state == ACD_TALKING && n->n.talk_n < UP_MAX)
			n->talk[n->n.talk_n++] = (int32_t)age;
		else if (a->state == ACD_WRAPUP && n->n.wrap_n < UP_MAX)
			n->wrap[n->n.wrap_n++] = (int32_t)age;
	}
}

static void put_calls(struct now *n, struct camp *p)
{
	ilist_each_entry(&p->dials, d, struct sw_dial, link) {
		if (d->state == DIAL_HELD && !n->n.next_permille && !d->claim.agent_id)
			n->n.next_permille = d->claim.score_permille;
		if (d->state == DIAL_RINGING && d->mode == SW_PREDICTIVE && n->n.ring_n < UP_MAX)
			n->ring[n->n.ring_n++] = (struct pace_ring){(int32_t)(n->n.at_ms - d->begin_ms), d->claim.score_permille};
	}
}

void camp_pace_ask(struct camp *p, struct pace_out *out)
{
	struct now *n = xcalloc(1, sizeof(*n));

	n->n.at_ms = clock_utc_ms();
	n->n.idle = p->view.idle;
	n->n.held = p->view.waiting;
	put_agents(n, p);
	put_calls(n, p);
	n->n.talk_ms = n->talk;
	n->n.wrap_ms = n->wrap;
	n->n.ring = n->ring;
	pace_step(p->pace, &n->n, out);
	free(n);
}

/* ---- its memory ---- */

void camp_pace_snap(struct camp *p, bool at_once)
{
	struct ev e = {.kind = EV_CAMPAIGN_PACE, .campaign_id = p->id};
	int64_t now = clock_mono_ms();
	struct strb b;

	if (!p->pace || !p->pace_news || (!at_once && now - p->snap_ms < SNAP_MS))
		return;
	p->snap_ms = now;
	p->pace_news = false;
	strb_init(&b, EV_BODY_MAX);
	pace_snap_encode(p->pace, &b);
	if (b.overflow)
		log_error("state of a campaign's pacing is too large for the log campaign=%lld", (long long)p->id);
	else
		sw_emit(p->sw, &e, &b);
	strb_done(&b);
}

static void learn_past(struct camp *p, const struct sw_past *a)
{
	if (a->answer_ms) {
		camp_pace_event(p, PACE_ANSWERED, a->answer_ms, a->answer_ms - a->begin_ms, 0);
		if (a->abandoned)
			camp_pace_event(p, PACE_ABANDONED, a->end_ms, 0, 0);
	} else {
		camp_pace_event(p, PACE_FAILED, a->end_ms, a->end_ms - a->begin_ms, 0);
	}
}

void camp_pace_restore(struct camp *p, const struct sw_start *start)
{
	struct pace_conf any = PACE_CONF_DEFAULT;

	for (size_t i = 0; i < start->pace_n; i++) {
		const struct sw_pace_state *s = &start->paces[i];

		if (s->campaign_id != p->id || (!p->pace && pace_new(&p->pace, &any)))
			continue;
		if (pace_snap_restore(p->pace, s->body, strlen(s->body)))
			log_warn("state of a campaign's pacing cannot be read, it learns anew campaign=%lld", (long long)p->id);
	}
	for (size_t i = 0; i < start->past_n; i++)
		if (start->past[i].campaign_id == p->id && (p->pace || !pace_new(&p->pace, &any)))
			learn_past(p, &start->past[i]);
	p->pace_news = false;
}
