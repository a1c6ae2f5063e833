/*
 * Campaigns: what is dialled when. Claims come from the data (start.ask_leads, sw_claims), as few as will soon be needed; what becomes of
 * one is sw_dial.h's. Everything is looked at anew when something has changed, and once a second: nothing is planned that could be stale.
 */
#include <stdlib.h>
#include <string.h>

#include "switch/sw_dial.h"
#include "switch/sw_kept.h"

#define ASK_MS 30000        /* an answer that is not there by then is not waited for */
#define LOOK_MIN_MS 1000    /* when there was nothing, it is not asked again sooner ... */
#define LOOK_MAX_MS 30000   /* ... nor much later, whatever was said: leads are added at any time */
#define LOOK_MS 10000       /* nothing was said */
#define KEPT_MS 15000       /* an agent's telephone answers by itself, or not */
#define LET_GO_MS 1000
#define SHARE_MS 300000     /* agents of several campaigns change between them so often */

const char *sw_mode_name(enum sw_mode m)
{
	static const char *const names[] = {"preview", "progressive", "predictive"};

	return names[m];
}

const struct sw_campaign *camp_conf(const struct camp *p)
{
	return hmap_get(&p->sw->index.campaigns, (uint64_t)p->id);
}

/* @start: what an earlier process has left of it; NULL: nothing. */
static struct camp *camp_new(struct sw *sw, int64_t id, const struct sw_start *start)
{
	struct camp *p = xcalloc(1, sizeof(*p));

	p->sw = sw;
	p->id = id;
	ilist_init(&p->dials);
	(void)hmap_set(&sw->camps, (uint64_t)id, p);
	if (start)
		camp_pace_restore(p, start);
	return p;
}

static struct camp *camp_of(struct sw *sw, int64_t id)
{
	struct camp *p = hmap_get(&sw->camps, (uint64_t)id);

	return p ? p : camp_new(sw, id, NULL);
}

static void camp_free(struct camp *p)
{
	pace_free(p->pace);
	free(p->told);
	free(p->members);
	free(p);
}

static bool runs(const struct camp *p)
{
	const struct sw_campaign *conf = camp_conf(p);

	return conf && conf->running && !p->sw->stopping;
}

/* ---- who and what is where ---- */

static void take_members(struct camp *p)
{
	const struct acd_conf *conf = &p->sw->conf->acd;

	if (p->members && p->members_of == p->sw->conf->version)
		return;
	p->members = xrealloc(p->members, (conf->member_n + 1) * sizeof(*p->members));
	p->member_n = 0;
	for (size_t i = 0; i < conf->member_n; i++)
		if (conf->members[i].queue_id == p->id)
			p->members[p->member_n++] = conf->members[i].agent_id;
	p->members_of = p->sw->conf->version;
}

/*
 * An agent of several campaigns that dial ahead counts for one of them at a time, or two would dial for him. Which one follows from his id
 * and the time, so that each gets its share and nobody has to remember.
 */
bool camp_counts_for(const struct camp *p, int64_t agent_id)
{
	const struct acd_conf *conf = &p->sw->conf->acd;
	int64_t ids[ACD_QUEUES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < conf->member_n && n < ARRAY_LEN(ids); i++) {
		const struct camp *q = conf->members[i].agent_id == agent_id ? hmap_get(&p->sw->camps, (uint64_t)conf->members[i].queue_id) : NULL;

		if (q && runs(q) && camp_conf(q)->mode == SW_PREDICTIVE && !ilist_empty(&q->dials))
			ids[n++] = q->id;
	}
	return n < 2 || ids[(size_t)(agent_id + clock_utc_ms() / SHARE_MS) % n] == p->id;
}

static void count_agent(struct camp *p, int64_t id)
{
	const struct sw_agent *a = hmap_get(&p->sw->agents, (uint64_t)id);
	struct camp_view *v = &p->view;

	if (!a)
		return;
	switch (a->state) {
	case ACD_READY:
		v->ready++;
		v->idle += sw_kept_up(a) && !a->call && camp_counts_for(p, id);
		break;
	case ACD_RESERVED:
		v->reserved++;
		break;
	case ACD_RINGING:
		break;
	case ACD_TALKING:
		v->talking++;
		break;
	case ACD_WRAPUP:
		v->wrapup++;
		break;
	default:
		return;
	}
	v->agents++;
}

static void count(struct camp *p)
{
	p->view = (struct camp_view){0};
	take_members(p);
	for (size_t i = 0; i < p->member_n; i++)
		count_agent(p, p->members[i]);
	ilist_each_entry(&p->dials, d, struct sw_dial, link) {
		p->view.held += d->state == DIAL_HELD;
		p->view.ringing += d->state == DIAL_RINGING;
		p->view.waiting += d->state == DIAL_WAIT;
	}
}

/* ---- claims ---- */

/* What no customer has heard of yet. */
static void give_all_back(struct camp *p, const char *why)
{
	ilist_each_entry(&p->dials, d, struct sw_dial, link)
		if (d->state < DIAL_RINGING)
			dial_give_back(d, why);
}

static void drop_late(struct camp *p)
{
	ilist_each_entry(&p->dials, d, struct sw_dial, link)
		if (d->state == DIAL_HELD && dial_late(d))
			dial_give_back(d, "late");
}

/* So many claims are enough for the next seconds: all lines of who dials ahead, one and a spare for who does not. */
static unsigned enough(const struct camp *p)
{
	bool ahead = camp_conf(p)->mode == SW_PREDICTIVE;
	unsigned n = ahead ? 6 * (unsigned)p->view.agents : (unsigned)p->view.agents + 2;

	return n < SW_CLAIMS_MAX ? n : SW_CLAIMS_MAX;
}

static void ask(struct camp *p)
{
	struct sw *sw = p->sw;
	unsigned want = enough(p), held = (unsigned)p->view.held;
	int64_t now = clock_mono_ms();

	if (!sw->start.ask_leads || (p->asking && now - p->asked_ms < ASK_MS) || clock_utc_ms() < p->ask_at_ms || held * 2 >= want)
		return;
	p->asking = true;
	p->asked_ms = now;
	sw->start.ask_leads(sw, p->id, (int)(want - held), sw->start.leads_arg);
}

static int64_t look_again(int64_t more_at_ms)
{
	int64_t now = clock_utc_ms(), at = more_at_ms ? more_at_ms : now + LOOK_MS;

	return at < now + LOOK_MIN_MS ? now + LOOK_MIN_MS : at > now + LOOK_MAX_MS ? now + LOOK_MAX_MS : at;
}

void sw_campaign_claims(struct sw *sw, const struct sw_claims_msg *m)
{
	struct camp *p = camp_of(sw, m->campaign_id);

	p->asking = false;
	p->more_at_ms = m->more_at_ms;
	p->ask_at_ms = !m->more_at_ms && (m->n || !strcmp(m->why, "more")) ? 0 : look_again(m->more_at_ms);
	(void)str_copy(p->why, sizeof(p->why), m->why);
	for (size_t i = 0; i < m->n; i++)
		(void)dial_new(p, &m->claims[i]);
	sw_campaigns_soon(sw);
}

/* ---- dialling ---- */

static bool room(const struct camp *p)
{
	const struct sw_campaign *conf = camp_conf(p);

	return clock_mono_ms() >= p->pause_until_ms && (conf->lines_max <= 0 || p->view.ringing + p->view.waiting < conf->lines_max);
}

/* One claim gets one agent. False: there is nothing to dial, or nobody for it. */
static bool reserve_one(struct camp *p, bool own_only)
{
	struct acd_queue_view v;

	if (!room(p) || acd_queue_get(p->sw->acd, p->id, &v) || !v.ready)
		return false;
	ilist_each_entry(&p->dials, d, struct sw_dial, link) {
		int r;

		if (d->state != DIAL_HELD || (own_only && !d->claim.agent_id))
			continue;
		if (!dial_has_line(d))
			return false;
		r = dial_reserve(d);
		if (!r)
			return true;
		if (!d->claim.agent_id)
			return false;
	}
	return false;
}

/* More ring than agents will be free: those who have rung longest are let go, after as long as a telephone must ring. */
static void hang_up_oldest(struct camp *p, int32_t n)
{
	int64_t now = clock_utc_ms();

	if (n <= 0 || clock_mono_ms() - p->let_go_ms < LET_GO_MS)
		return; /* the core is asked after each event, and counts on one answer a second */
	p->let_go_ms = clock_mono_ms();
	ilist_each_entry(&p->dials, d, struct sw_dial, link) {
		if (n <= 0)
			return;
		if (d->state != DIAL_RINGING || d->mode != SW_PREDICTIVE || !d->ring_ms || now - d->ring_ms < PACE_RING_MIN_MS)
			continue;
		dial_hang_up(d);
		n--;
	}
}

static void dial_predictive(struct camp *p)
{
	int32_t n;

	if (!camp_pace_begin(p))
		return;
	camp_pace_ask(p, &p->paced);
	n = p->paced.launch;
	hang_up_oldest(p, p->paced.hangup);
	ilist_each_entry(&p->dials, d, struct sw_dial, link) {
		if (n <= 0 || !room(p))
			return;
		if (d->state != DIAL_HELD || d->claim.agent_id)
			continue;
		if (!dial_has_line(d))
			return;
		dial_ahead(d);
		n--;
		p->view.ringing++;
	}
}

/* Who dials ahead must have the telephones of all who will talk. */
static void connect_telephones(struct camp *p)
{
	for (size_t i = 0; i < p->member_n; i++) {
		struct sw_agent *a = hmap_get(&p->sw->agents, (uint64_t)p->members[i]);

		if (a && a->state == ACD_READY && !a->call && !a->kept && clock_mono_ms() >= a->kept_at_ms) {
			a->kept_at_ms = clock_mono_ms() + KEPT_MS;
			(void)sw_kept_dial(a, p->sw, KEPT_MS);
		}
	}
}

/* Nobody is there any more for who would answer. */
static void hang_up_all(struct camp *p)
{
	ilist_each_entry(&p->dials, d, struct sw_dial, link)
		if (d->state == DIAL_RINGING && d->mode == SW_PREDICTIVE)
			dial_hang_up(d);
}

/* A camp that may dial, with everything counted; else NULL, and what it held goes back. */
static bool look(struct camp *p)
{
	count(p);
	camp_pace_snap(p, !runs(p));
	if (!runs(p) || !p->view.agents) {
		give_all_back(p, runs(p) ? "nobody" : "stopped");
		if (!runs(p))
			p->ask_at_ms = 0;
		if (!p->view.agents)
			hang_up_all(p);
		return false;
	}
	drop_late(p);
	ask(p);
	if (camp_conf(p)->mode == SW_PREDICTIVE) {
		connect_telephones(p);
		dial_predictive(p);
	}
	return true;
}

/* Those with an agent to give go round: who has waited for one longest is first. */
static struct camp *next_camp(struct sw *sw)
{
	struct camp *p, *best = NULL;
	size_t pos = 0;

	while ((p = hmap_next(&sw->camps, &pos)))
		if (p->active && (!best || p->turn_ms < best->turn_ms || (p->turn_ms == best->turn_ms && p->id < best->id)))
			best = p;
	return best;
}

static void forget_gone(struct sw *sw)
{
	struct camp *p;
	size_t pos = 0;

	while ((p = hmap_next(&sw->camps, &pos)))
		if (!camp_conf(p) && ilist_empty(&p->dials)) {
			(void)hmap_del(&sw->camps, (uint64_t)p->id);
			camp_free(p);
		}
}

/* Telephones stay connected while some campaign of the agent's runs, or somebody whom it has dialled may still answer. */
static void hang_up_idle(struct sw *sw)
{
	struct sw_agent *a;
	struct camp *p;
	size_t pos = 0;

	while ((a = hmap_next(&sw->agents, &pos)))
		a->wanted = false;
	for (pos = 0; (p = hmap_next(&sw->camps, &pos));)
		for (size_t i = 0; (runs(p) || !ilist_empty(&p->dials)) && i < p->member_n; i++)
			if ((a = hmap_get(&sw->agents, (uint64_t)p->members[i])))
				a->wanted = true;
	for (pos = 0; (a = hmap_next(&sw->agents, &pos));)
		if (a->kept && !a->wanted && !a->dial)
			sw_kept_drop(a, "no campaign runs");
}

static void run(void *arg)
{
	struct sw *sw = arg;
	struct camp *p;
	size_t pos = 0;

	for (size_t i = 0; i < sw->conf->campaign_n; i++)
		(void)camp_of(sw, sw->conf->campaigns[i].id);
	while ((p = hmap_next(&sw->camps, &pos)))
		p->active = look(p);
	while ((p = next_camp(sw)))
		if (!reserve_one(p, camp_conf(p)->mode == SW_PREDICTIVE))
			p->active = false;
	hang_up_idle(sw);
	for (pos = 0; (p = hmap_next(&sw->camps, &pos));)
		camp_tell(p);
	forget_gone(sw);
}

/* Not within what caused it: acting there would act on a state that is just changing. */
void sw_campaigns_soon(struct sw *sw)
{
	if (sw->camps.count || sw->conf->campaign_n)
		ltimer_set(&sw->campaign_run, 0, run, sw);
}

/* ---- an agent who is shown a customer ---- */

enum sw_refusal sw_campaign_command(struct sw *sw, struct sw_agent *a, const struct sw_cmd *cmd)
{
	struct sw_dial *d = a->dial;
	char why[16 + ACD_REASON_MAX] = "skip:";

	if (!d || d->state != DIAL_SHOWN || (cmd->call_id && cmd->call_id != d->call_id))
		return SW_R_NO_CALL;
	if (cmd->kind == SW_PREVIEW_DIAL) {
		dial_now(d);
		return SW_OK;
	}
	(void)str_copy(why + 5, sizeof(why) - 5, cmd->reason[0] && str_is_utf8(cmd->reason, strlen(cmd->reason)) ? cmd->reason : "none");
	dial_give_back(d, why);
	sw_campaigns_soon(sw);
	return SW_OK;
}

/* ---- beginning and end ---- */

void sw_campaigns_init(struct sw *sw, const struct sw_start *start)
{
	hmap_init(&sw->camps, false);
	hmap_init(&sw->dials, false);
	for (size_t i = 0; i < sw->conf->campaign_n; i++)
		(void)camp_new(sw, sw->conf->campaigns[i].id, start);
}

/* Before the log is closed: what was never dialled goes back. */
void sw_campaigns_stop(struct sw *sw)
{
	struct camp *p;
	size_t pos = 0;

	ltimer_cancel(&sw->campaign_run);
	while ((p = hmap_next(&sw->camps, &pos))) {
		give_all_back(p, "stopped");
		camp_pace_snap(p, true);
	}
}

void sw_campaigns_done(struct sw *sw)
{
	struct camp *p;
	size_t pos = 0;

	while ((p = hmap_next(&sw->camps, &pos))) {
		ilist_each_entry(&p->dials, d, struct sw_dial, link)
			free(d);
		camp_free(p);
	}
	hmap_done(&sw->camps);
	hmap_done(&sw->dials);
}
