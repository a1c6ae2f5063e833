/*
 * Dialling out: claims come from the data (start.ask_leads, sw_claims), each is permission to dial one number once, and each ends in
 * exactly one fact, attempt.end. The switch keeps few of them, and none that it may not dial.
 *
 *   held --an agent is reserved--> his telephone --up--> the customer rings --200--> they talk --> end
 *     |                                |                       |
 *     `- paused, stopped, too late     `- not to be reached    `- no answer, busy, empty ...: the agent is free at once, and keys nothing
 *        nobody there: returned           returned
 *
 * Whoever wants an agent asks the routing core (`reserve`): who is ready has no caller waiting, so calls in go first.
 */
#include "switch/sw_campaign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switch/sw_number.h"

#define RING_DEFAULT_S 30
#define PROGRESS_MS 20000   /* from the INVITE until somebody's telephone rings: the carrier's search may take so long */
#define AGENT_MS 15000      /* an agent's telephone answers by itself, or not */
#define ASK_MS 30000        /* an answer that is not there by then is not waited for */
#define TRUNK_PAUSE_MS 3000 /* no trunk has room: so long nothing is dialled */

/* A campaign as it lives. */
struct camp {
	struct sw *sw;
	int64_t id;
	struct ilink dials;     /* every claim we have, oldest first */
	unsigned held;          /* of them, those nothing has been done for */
	bool asking;
	int64_t asked_ms, ask_at_ms; /* mono: when; UTC: not before */
	int64_t pause_until_ms; /* mono */
	char why[24];           /* as the data said last */
};

enum dial_state { DIAL_HELD, DIAL_AGENT, DIAL_RINGING, DIAL_TALK };

/* A claim in our hands. */
struct sw_dial {
	struct ilink link;
	struct camp *camp;
	struct sw_claim claim;
	enum dial_state state;
	int64_t call_id;        /* from the reservation on */
	struct sw_call *call;
	struct ltimer ring;
	bool told;              /* attempt.new is out: the customer is being dialled */
	int64_t begin_ms, ring_ms, answer_ms, connect_ms; /* UTC; 0: not yet */
	const char *refused;    /* why it was not dialled after all: a code */
	struct call_leg_close close; /* how the customer's leg ended ... */
	bool closed;            /* ... if it has */
};

const char *sw_mode_name(enum sw_mode m)
{
	static const char *const names[] = {"preview", "progressive", "predictive"};

	return names[m];
}

static const struct sw_campaign *conf_of(const struct camp *p)
{
	return hmap_get(&p->sw->index.campaigns, (uint64_t)p->id);
}

static struct camp *camp_of(struct sw *sw, int64_t id)
{
	struct camp *p = hmap_get(&sw->camps, (uint64_t)id);

	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->sw = sw;
	p->id = id;
	ilist_init(&p->dials);
	(void)hmap_set(&sw->camps, (uint64_t)id, p);
	return p;
}

/* ---- what is told ---- */

static void put_claim(struct jw *w, const struct sw_claim *c)
{
	jw_obj(w, NULL);
	jw_id(w, "claim", c->id);
	jw_id(w, "lead", c->lead_id);
	jw_id(w, "customer", c->customer_id);
}

static struct ev event_of(const struct sw_dial *d, enum ev_kind kind)
{
	return (struct ev){.kind = kind, .call_id = d->call ? d->call->id : 0, .campaign_id = d->camp->id,
			   .agent_id = d->call && d->call->agent ? d->call->agent->id : 0};
}

static void put_why(struct jw *w, const struct sw_dial *d)
{
	struct acd_queue_view v = {0};

	(void)acd_queue_get(d->camp->sw->acd, d->camp->id, &v);
	jw_obj(w, "why");
	jw_int(w, "ready", v.ready);
	jw_int(w, "reserved", v.members[ACD_RESERVED]);
	jw_int(w, "talking", v.members[ACD_TALKING]);
	jw_int(w, "wrapup", v.members[ACD_WRAPUP]);
	jw_end_obj(w);
}

static void tell_new(const struct sw_dial *d, const struct sw_campaign *conf)
{
	struct ev e = event_of(d, EV_ATTEMPT_NEW);
	char buf[1024];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	put_claim(&w, &d->claim);
	jw_str(&w, "mode", sw_mode_name(conf->mode));
	jw_int(&w, "nth", d->claim.nth);
	put_why(&w, d);
	jw_end_obj(&w);
	sw_emit(d->camp->sw, &e, &b);
}

static void tell_end(const struct sw_dial *d, const char *result, const char *why)
{
	struct ev e = event_of(d, EV_ATTEMPT_END);
	char buf[1024];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	put_claim(&w, &d->claim);
	jw_str(&w, "result", result);
	jw_str(&w, "why", why);
	jw_int(&w, "code", d->closed ? d->close.code : 0);
	jw_int(&w, "q850", d->closed ? d->close.q850 : 0);
	jw_int(&w, "rang_at", d->ring_ms);
	jw_int(&w, "answered_at", d->answer_ms);
	jw_int(&w, "connected_at", d->connect_ms);
	jw_bool(&w, "abandoned", !strcmp(result, "abandoned"));
	jw_end_obj(&w);
	sw_emit(d->camp->sw, &e, &b);
}

/* ---- how an attempt ended ---- */

/*
 * What a carrier's answer means. The cause in a Reason header is the network's own word and goes first (ITU-T Q.850); without one the status
 * stands for what RFC 3398 8.2.6 makes of causes: 404 of 1, 484 of 28, 410 of 22, 486 of 17, 480 of 19, 20 and 31, 408 of 18, 603 of 21 (6.1.1
 * of RFC 4497). Carriers here send 480 and 408 both for a mobile that is off and for one that only was not taken; that it rang tells them apart.
 */
static const struct { int q850; const char *result; } of_cause[] = {
	{1, "empty"}, {22, "empty"}, {28, "empty"}, {17, "busy"}, {18, "unreachable"}, {20, "unreachable"}, {27, "unreachable"},
	{19, "noanswer"}, {21, "rejected"},
};

static const struct { int code; const char *result; } of_status[] = {
	{404, "empty"}, {410, "empty"}, {484, "empty"}, {604, "empty"}, {486, "busy"}, {600, "busy"}, {603, "rejected"}, {607, "rejected"},
};

const char *sw_attempt_result(int code, int q850, bool rang)
{
	for (size_t i = 0; i < ARRAY_LEN(of_cause); i++)
		if (of_cause[i].q850 == q850)
			return of_cause[i].result;
	for (size_t i = 0; i < ARRAY_LEN(of_status); i++)
		if (of_status[i].code == code)
			return of_status[i].result;
	if (code == 408 || code == 480 || code == 487)
		return rang ? "noanswer" : "unreachable";
	return "failed";
}

static const char *result_of(const struct sw_dial *d, const char **why)
{
	*why = "";
	if (d->connect_ms)
		return "answered";
	if (d->answer_ms)
		return "abandoned";
	if (d->refused) {
		*why = d->refused;
		return strcmp(d->refused, "barred") ? "returned" : "failed";
	}
	if (d->closed && d->close.code == 503 && d->close.retry_after_s) {
		*why = "rest";
		return "returned";
	}
	if (d->closed)
		return sw_attempt_result(d->close.code, d->close.q850, d->ring_ms != 0);
	*why = "agent";
	return d->ring_ms ? "noanswer" : "returned"; /* ours gave up before it rang: nobody was troubled */
}

/* ---- a dial's life ---- */

static void dial_free(struct sw_dial *d)
{
	if (d->state == DIAL_HELD)
		d->camp->held--;
	if (d->call_id)
		(void)hmap_del(&d->camp->sw->dials, (uint64_t)d->call_id);
	ltimer_cancel(&d->ring);
	ilink_unlink(&d->link);
	free(d);
}

static void give_back(struct sw_dial *d, const char *why)
{
	tell_end(d, "returned", why);
	dial_free(d);
}

/* What nothing has been done for yet. */
static void give_all_back(struct camp *p, const char *why)
{
	ilist_each_entry(&p->dials, d, struct sw_dial, link)
		if (d->state == DIAL_HELD)
			give_back(d, why);
}

static bool too_late(const struct sw_dial *d)
{
	return d->claim.until_ms && clock_utc_ms() > d->claim.until_ms;
}

/* The last look, at the instant of the dial: what was true when the claim was made may not be any more. NULL: go. */
static const char *may_not(const struct sw_dial *d, const struct sw_campaign *conf)
{
	struct sw *sw = d->camp->sw;
	struct sw_call *c;
	size_t pos = 0;

	if (!conf || !conf->running)
		return "stopped";
	if (sw->stopping || sw->pressed)
		return "busy";
	if (too_late(d))
		return "late";
	while ((c = hmap_next(&sw->calls, &pos)))
		if (c != d->call && c->phase != CALL_ENDED &&
		    (!strcmp(strcmp(c->dir, "in") ? c->to : c->from, d->call->to) ||
		     (d->claim.customer_id && c->customer_id == d->claim.customer_id)))
			return "in_call";
	return NULL;
}

static void rang_out(void *arg)
{
	struct sw_dial *d = arg;

	d->closed = true;
	d->close = (struct call_leg_close){.code = 487, .q850 = 19, .by = SIP_BY_LOCAL};
	sw_call_end(d->call, "system", 487, 19, "no answer");
}

static void refuse(struct sw_dial *d, const char *why)
{
	d->refused = why;
	sw_call_end(d->call, "system", 480, 0, why);
}

/* The agent is at his telephone. */
void sw_campaign_dial(struct sw_call *c)
{
	struct sw_dial *d = c->dial;
	const struct sw_campaign *conf = conf_of(d->camp);
	const char *why = may_not(d, conf);
	int r;

	if (why) {
		refuse(d, why);
		return;
	}
	d->state = DIAL_RINGING;
	d->begin_ms = clock_utc_ms();
	d->told = true;
	tell_new(d, conf);
	r = sw_call_campaign_dial(c, &(struct sw_campaign_out){
		.trunk_id = conf->trunk_id, .show = d->claim.show,
		.ring_ms = (conf->ring_s ? conf->ring_s : RING_DEFAULT_S) * 1000 + PROGRESS_MS,
	});
	if (!r)
		return;
	if (r != -EACCES)
		d->camp->pause_until_ms = clock_mono_ms() + TRUNK_PAUSE_MS;
	refuse(d, r == -EACCES ? "barred" : "trunk");
}

void sw_campaign_ring(struct sw_call *c)
{
	struct sw_dial *d = c->dial;
	const struct sw_campaign *conf = conf_of(d->camp);

	if (d->ring_ms)
		return;
	d->ring_ms = clock_utc_ms();
	ltimer_set(&d->ring, (conf && conf->ring_s ? conf->ring_s : RING_DEFAULT_S) * 1000, rang_out, d);
}

void sw_campaign_up(struct sw_call *c)
{
	struct sw_dial *d = c->dial;

	ltimer_cancel(&d->ring);
	d->answer_ms = clock_utc_ms();
	d->state = DIAL_TALK;
	if (!sw_call_campaign_connect(c)) {
		sw_call_end(c, "system", 480, 0, "agent is not there any more");
		return;
	}
	d->connect_ms = clock_utc_ms();
}

void sw_campaign_closed(struct sw_call *c, const struct call_leg_close *cl)
{
	c->dial->closed = true;
	c->dial->close = *cl;
}

void sw_campaign_ended(struct sw_call *c)
{
	struct sw_dial *d = c->dial;
	const char *why, *result = result_of(d, &why);

	tell_end(d, result, why);
	c->dial = NULL;
	sw_campaigns_soon(c->sw);
	dial_free(d);
}

/* ---- agents for claims ---- */

void sw_campaign_reserved(struct sw *sw, const struct acd_out *out)
{
	struct sw_dial *d = hmap_get(&sw->dials, (uint64_t)out->call_id);
	struct sw_agent *a = sw_agent_get(sw, out->agent_id);

	if (!d || !a || a->call) { /* nothing of the sort is in the log or the core; a telephone of his may be in use all the same */
		(void)sw_acd(sw, &(struct acd_in){.kind = ACD_IN_UNRESERVE, .call_id = out->call_id, .code = a && a->call ? 486 : 0});
		if (d)
			give_back(d, "agent");
		return;
	}
	d->call = sw_call_campaign(sw, d->call_id, d->camp->id, d->claim.show, d->claim.number, d->claim.customer_id, a);
	d->call->dial = d;
	if (sw_call_campaign_agent(d->call, AGENT_MS))
		sw_call_end(d->call, "agent", 480, 20, "agent's telephone is not registered");
}

/* ACD_E_STALE: nobody is free for it. */
static int reserve(struct sw_dial *d, const struct sw_campaign *conf)
{
	struct sw *sw = d->camp->sw;
	struct acd_in in = {.kind = ACD_IN_RESERVE, .queue_id = d->camp->id, .agent_id = d->claim.agent_id};

	in.ms = (conf->ring_s ? conf->ring_s : RING_DEFAULT_S) * 1000 + PROGRESS_MS + AGENT_MS;
	in.call_id = d->call_id = idgen_next(&sw->ids, clock_utc_ms());
	d->state = DIAL_AGENT; /* before the core is asked: its answer is acted on within */
	d->camp->held--;
	(void)hmap_set(&sw->dials, (uint64_t)d->call_id, d);
	int r = sw_acd(sw, &in);

	if (!r)
		return 0;
	(void)hmap_del(&sw->dials, (uint64_t)d->call_id);
	d->call_id = 0;
	d->state = DIAL_HELD;
	d->camp->held++;
	return r;
}

static void dial_progressive(struct camp *p, const struct sw_campaign *conf)
{
	struct acd_queue_view v;
	bool anybody = true;

	ilist_each_entry(&p->dials, d, struct sw_dial, link) {
		if (acd_queue_get(p->sw->acd, p->id, &v) || !v.ready)
			return;
		if (d->state == DIAL_HELD && (anybody || d->claim.agent_id) && reserve(d, conf) && !d->claim.agent_id)
			anybody = false;
	}
}

/* ---- claims ---- */

static unsigned agents_of(const struct sw *sw, int64_t id)
{
	static const enum acd_state there[] = {ACD_READY, ACD_RINGING, ACD_TALKING, ACD_WRAPUP, ACD_RESERVED};
	struct acd_queue_view v;
	unsigned n = 0;

	if (acd_queue_get(sw->acd, id, &v))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		n += v.members[there[i]];
	return n;
}

static void ask(struct camp *p, unsigned agents)
{
	struct sw *sw = p->sw;
	unsigned enough = agents + 2;
	int64_t now = clock_mono_ms();

	if (!sw->start.ask_leads || (p->asking && now - p->asked_ms < ASK_MS) || clock_utc_ms() < p->ask_at_ms)
		return;
	if (p->held * 2 >= enough)
		return;
	p->asking = true;
	p->asked_ms = now;
	sw->start.ask_leads(sw, p->id, (int)(enough - p->held), sw->start.leads_arg);
}

static void drop_late(struct camp *p)
{
	ilist_each_entry(&p->dials, d, struct sw_dial, link)
		if (d->state == DIAL_HELD && too_late(d))
			give_back(d, "late");
}

static void step(struct camp *p)
{
	const struct sw_campaign *conf = conf_of(p);
	unsigned agents = agents_of(p->sw, p->id);

	if (!conf || !conf->running || p->sw->stopping) {
		give_all_back(p, "stopped");
		p->ask_at_ms = 0;
		return;
	}
	if (!agents) {
		give_all_back(p, "nobody");
		return;
	}
	drop_late(p);
	if (clock_mono_ms() >= p->pause_until_ms)
		dial_progressive(p, conf);
	ask(p, agents);
}

void sw_campaign_claims(struct sw *sw, const struct sw_claims_msg *m)
{
	struct camp *p = camp_of(sw, m->campaign_id);

	p->asking = false;
	p->ask_at_ms = m->more_at_ms;
	(void)str_copy(p->why, sizeof(p->why), m->why);
	for (size_t i = 0; i < m->n; i++) {
		struct sw_dial *d = xcalloc(1, sizeof(*d));

		d->camp = p;
		d->claim = m->claims[i];
		p->held++;
		ilist_push_back(&p->dials, &d->link);
	}
	sw_campaigns_soon(sw);
}

/* ---- when ---- */

static void run(void *arg)
{
	struct sw *sw = arg;
	struct camp *p;
	size_t pos = 0;

	for (size_t i = 0; i < sw->conf->campaign_n; i++)
		(void)camp_of(sw, sw->conf->campaigns[i].id);
	while ((p = hmap_next(&sw->camps, &pos)))
		step(p);
	pos = 0;
	while ((p = hmap_next(&sw->camps, &pos)))
		if (!conf_of(p) && ilist_empty(&p->dials)) {
			(void)hmap_del(&sw->camps, (uint64_t)p->id);
			free(p);
			pos = 0;
		}
}

/* Not within what caused it: acting there would act on a state that is just changing. */
void sw_campaigns_soon(struct sw *sw)
{
	if (sw->camps.count || sw->conf->campaign_n)
		ltimer_set(&sw->campaign_run, 0, run, sw);
}

void sw_campaigns_init(struct sw *sw)
{
	hmap_init(&sw->camps, false);
	hmap_init(&sw->dials, false);
}

/* Before the log is closed: what was never dialled goes back. */
void sw_campaigns_stop(struct sw *sw)
{
	struct camp *p;
	size_t pos = 0;

	ltimer_cancel(&sw->campaign_run);
	while ((p = hmap_next(&sw->camps, &pos)))
		give_all_back(p, "stopped");
}

void sw_campaigns_done(struct sw *sw)
{
	struct camp *p;
	size_t pos = 0;

	while ((p = hmap_next(&sw->camps, &pos))) {
		ilist_each_entry(&p->dials, d, struct sw_dial, link)
			free(d);
		free(p);
	}
	hmap_done(&sw->camps);
	hmap_done(&sw->dials);
}
