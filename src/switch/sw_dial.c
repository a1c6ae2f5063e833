/* See sw_dial.h for a claim's life. */
#include "switch/sw_dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switch/sw_kept.h"
#include "switch/sw_number.h"

#define RING_DEFAULT_S 30
#define WAIT_DEFAULT_MS 2000
#define LATE_MS 2000        /* who was not given to an agent by then counts as abandoned, however long the campaign lets him wait */
#define PROGRESS_MS 20000   /* from the INVITE until somebody's telephone rings: the carrier's search may take so long */
#define AGENT_MS 15000      /* an agent's telephone answers by itself, or not */
#define TRUNK_PAUSE_MS 1000 /* no trunk has room: so long nothing is dialled */

static int32_t ring_ms(const struct camp *p)
{
	const struct sw_campaign *conf = camp_conf(p);

	return (conf && conf->ring_s > 0 ? conf->ring_s : RING_DEFAULT_S) * 1000;
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
			   .agent_id = d->talk_agent_id ? d->talk_agent_id : d->agent ? d->agent->id : 0};
}

static void tell_new(const struct sw_dial *d)
{
	struct ev e = event_of(d, EV_ATTEMPT_NEW);
	char buf[1024];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	put_claim(&w, &d->claim);
	jw_str(&w, "mode", sw_mode_name(d->mode));
	jw_int(&w, "nth", d->claim.nth);
	jw_obj(&w, "why");
	camp_put_view(&w, &d->why);
	if (d->mode == SW_PREDICTIVE)
		pace_why_encode(&d->paced, &w, "pace");
	jw_end_obj(&w);
	jw_end_obj(&w);
	sw_emit(d->camp->sw, &e, &b);
}

static void tell_shown(const struct sw_dial *d)
{
	struct ev e = event_of(d, EV_PREVIEW_NEW);
	char buf[512];
	struct strb b;
	struct jw w;

	e.call_id = d->call_id;
	e.pii[e.pii_n++] = (struct ev_pii){"to", d->claim.number};
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	put_claim(&w, &d->claim);
	jw_int(&w, "nth", d->claim.nth);
	jw_int(&w, "until", d->shown_until_ms);
	jw_end_obj(&w);
	sw_emit(d->camp->sw, &e, &b);
}

static bool abandoned(const struct sw_dial *d)
{
	return d->answer_ms && !d->heard[0] && /* a machine does not mind */
	       (!d->connect_ms || d->connect_ms - d->answer_ms > LATE_MS);
}

static void tell_end(const struct sw_dial *d, const char *result, const char *why)
{
	struct ev e = event_of(d, EV_ATTEMPT_END);
	char buf[1024];
	struct strb b;
	struct jw w;

	if (!e.call_id)
		e.call_id = d->call_id; /* the desk that was shown it knows it by that */
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
	jw_bool(&w, "abandoned", abandoned(d));
	if (d->heard[0])
		jw_str(&w, "heard", d->heard);
	jw_end_obj(&w);
	sw_emit(d->camp->sw, &e, &b);
}

/* ---- how it ended ---- */

/*
 * What a carrier's answer means. The cause in a Reason header is the network's own word and goes first (ITU-T Q.850); without one the status
 * stands for what RFC 3398 8.2.6 makes of causes: 404 of 1, 484 of 28, 410 of 22, 486 of 17, 480 of 19, 20 and 31, 408 of 18, 603 of 21.
 * Carriers here send 480, 408 and cause 18 both for a mobile that is off and for one that only was not taken; that it rang tells them apart.
 */
static const struct { int q850; const char *result; } of_cause[] = {
	{1, "empty"}, {22, "empty"}, {28, "empty"}, {17, "busy"}, {20, "unreachable"}, {27, "unreachable"},
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
	if (q850 == 18 || code == 408 || code == 480 || code == 487)
		return rang ? "noanswer" : "unreachable";
	return "failed";
}

static bool no_room(const struct sw_dial *d)
{
	return d->closed && d->close.code == 503 && d->close.retry_after_s;
}

static const char *result_of(const struct sw_dial *d, const char **why)
{
	*why = d->refused;
	if (d->heard[0])
		return d->heard; /* in the carrier's own words, whatever its code says */
	if (d->connect_ms)
		return "answered";
	if (d->answer_ms)
		return "abandoned";
	if (d->refused[0])
		return strcmp(d->refused, "barred") ? "returned" : "failed";
	if (no_room(d)) {
		*why = "rest";
		return "returned";
	}
	if (d->closed)
		return sw_attempt_result(d->close.code, d->close.q850, d->ring_ms != 0);
	*why = "hung_up";
	return d->ring_ms ? "noanswer" : "returned"; /* we gave up before it rang: nobody was troubled */
}

/* ---- beginning and end ---- */

struct sw_dial *dial_new(struct camp *p, const struct sw_claim *c)
{
	struct sw_dial *d = xcalloc(1, sizeof(*d));

	d->camp = p;
	d->claim = *c;
	p->view.held++;
	ilist_push_back(&p->dials, &d->link);
	return d;
}

static void forget_id(struct sw_dial *d)
{
	if (d->call_id)
		(void)hmap_del(&d->camp->sw->dials, (uint64_t)d->call_id);
	d->call_id = 0;
}

void dial_free(struct sw_dial *d)
{
	if (d->agent)
		d->agent->dial = NULL;
	forget_id(d);
	ltimer_cancel(&d->timer);
	ilink_unlink(&d->link);
	free(d);
}

bool dial_late(const struct sw_dial *d)
{
	return d->claim.until_ms && clock_utc_ms() > d->claim.until_ms;
}

/* The agent is not kept for it any more; @code: his telephone could not be reached. */
static void let_agent_go(struct sw_dial *d, int code)
{
	struct acd_in in = {.kind = ACD_IN_UNRESERVE, .call_id = d->call_id, .code = code};

	if (!d->agent)
		return;
	d->agent->dial = NULL;
	d->agent = NULL;
	(void)sw_acd(d->camp->sw, &in);
}

static void hold_again(struct sw_dial *d)
{
	ltimer_cancel(&d->timer);
	forget_id(d);
	d->state = DIAL_HELD;
}

void dial_give_back(struct sw_dial *d, const char *why)
{
	tell_end(d, "returned", why);
	let_agent_go(d, 0);
	dial_free(d);
}

static void refuse(struct sw_dial *d, const char *why)
{
	(void)str_copy(d->refused, sizeof(d->refused), why);
	sw_call_end(d->call, "system", 480, 0, why);
}

void dial_hang_up(struct sw_dial *d)
{
	sw_call_end(d->call, "system", 487, 16, "more ring than agents will be free");
}

/* ---- the customer ---- */

/* The last look, at the instant of the dial: what was true when the claim was made may not be any more. NULL: go. */
static const char *may_not(const struct sw_dial *d)
{
	const struct sw_campaign *conf = camp_conf(d->camp);
	struct sw *sw = d->camp->sw;
	char to[64];
	struct sw_call *c;
	size_t pos = 0;

	if (!conf || !conf->running)
		return "stopped";
	if (sw->stopping || sw->pressed)
		return "busy";
	if (dial_late(d))
		return "late";
	sw_dialled(to, sizeof(to), sw, d->claim.number);
	while ((c = hmap_next(&sw->calls, &pos)))
		if (c->phase != CALL_ENDED && (!strcmp(strcmp(c->dir, "in") ? c->to : c->from, to) ||
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

static void no_line(struct camp *p, enum sw_why why)
{
	p->pause_until_ms = clock_mono_ms() + TRUNK_PAUSE_MS;
	p->trunk_why = why;
}

bool dial_has_line(struct sw_dial *d)
{
	const struct sw_campaign *conf = camp_conf(d->camp);
	struct sw_try tries[SW_TRIES_MAX];
	enum sw_why why;

	if (sw_line_tries(d->camp->sw, d->claim.number, NULL, conf->trunk_id, tries, SW_TRIES_MAX, &why) || why == SW_WHY_BARRED)
		return true; /* who is barred everywhere is told so, and not waited for */
	no_line(d->camp, why);
	return false;
}

/* By now the call's id is in the log or the core, or nobody else's. */
static void dial(struct sw_dial *d)
{
	const struct sw_campaign *conf = camp_conf(d->camp);
	const char *why = may_not(d);
	struct sw_campaign_out out;
	int r;

	if (why) {
		dial_give_back(d, why);
		return;
	}
	out = (struct sw_campaign_out){.trunk_id = conf->trunk_id, .show = d->claim.show, .ring_ms = ring_ms(d->camp) + PROGRESS_MS};
	ltimer_cancel(&d->timer);
	d->state = DIAL_RINGING;
	d->begin_ms = clock_utc_ms();
	d->call = sw_call_campaign(d->camp->sw, d->call_id, &d->claim, d, d->agent);
	tell_new(d);
	r = sw_call_campaign_dial(d->call, &out);
	if (!r)
		return;
	if (r != -EACCES)
		no_line(d->camp, out.why);
	refuse(d, r == -EACCES ? "barred" : "trunk");
}

void sw_campaign_ring(struct sw_call *c)
{
	struct sw_dial *d = c->dial;

	if (d->ring_ms || d->answer_ms)
		return;
	d->ring_ms = clock_utc_ms();
	ltimer_set(&d->timer, ring_ms(d->camp), rang_out, d);
}

void sw_campaign_heard(struct sw_call *c, const char *result)
{
	struct sw_dial *d = c->dial;

	(void)str_copy(d->heard, sizeof(d->heard), result);
	sw_call_end(c, "system", 487, 16, "an announcement");
}

static void waited_for_telephone(void *arg)
{
	struct sw_dial *d = arg;

	sw_call_end(d->call, "system", 480, 31, "agent's telephone was not there in time");
}

/* Whoever is free gets him. */
static void queue(struct sw_dial *d)
{
	d->state = DIAL_WAIT;
	sw_call_campaign_queue(d->call);
}

static void put_through(struct sw_dial *d)
{
	ltimer_cancel(&d->timer);
	if (!sw_call_campaign_connect(d->call))
		queue(d); /* he has left in this moment */
}

void sw_campaign_up(struct sw_call *c)
{
	struct sw_dial *d = c->dial;
	const struct sw_campaign *conf = camp_conf(d->camp);

	ltimer_cancel(&d->timer);
	d->answer_ms = clock_utc_ms();
	if (d->mode == SW_PREDICTIVE)
		camp_pace_event(d->camp, PACE_ANSWERED, d->answer_ms, d->answer_ms - d->begin_ms, d->claim.score_permille);
	if (d->agent && sw_kept_up(d->agent))
		put_through(d);
	else if (d->agent)
		ltimer_set(&d->timer, conf && conf->wait_max_ms > 0 ? conf->wait_max_ms : WAIT_DEFAULT_MS, waited_for_telephone, d);
	else
		queue(d);
	sw_campaigns_soon(c->sw);
}

/* ---- how long he talks ---- */

static void tell_long(struct sw_dial *d, bool on)
{
	const struct sw_user *u = sw_user_of(d->camp->sw, d->talk_agent_id);
	char minutes[24];

	(void)snprintf(minutes, sizeof(minutes), "%lld", (long long)((clock_utc_ms() - d->connect_ms) / 60000));
	sw_alarm_about(d->camp->sw, "talk_long", d->call->id, u ? u->name : "", on ? minutes : "", on);
	d->talks_long = on;
}

static void talked_long(void *arg)
{
	tell_long(arg, true);
}

void sw_campaign_connected(struct sw_call *c)
{
	struct sw_dial *d = c->dial;
	const struct sw_campaign *conf = camp_conf(d->camp);

	d->state = DIAL_TALK;
	d->talk_agent_id = c->agent ? c->agent->id : 0;
	if (!d->connect_ms) {
		ltimer_cancel(&d->timer); /* of ringing, or of waiting for a telephone */
		d->connect_ms = clock_utc_ms();
		if (conf && conf->talk_max_ms > 0)
			ltimer_set(&d->timer, conf->talk_max_ms, talked_long, d);
	}
	if (d->agent)
		d->agent->dial = NULL; /* he talks: nobody is kept any more */
	d->agent = NULL;
}

void sw_campaign_closed(struct sw_call *c, const struct call_leg_close *cl)
{
	if (c->dial->closed)
		return;
	c->dial->closed = true;
	c->dial->close = *cl;
}

/* Who was dialled ahead and did not answer, or answered in vain. A trunk without room says nothing of him. */
static void learn(const struct sw_dial *d)
{
	int64_t now = clock_utc_ms();

	if (d->mode != SW_PREDICTIVE)
		return;
	if (abandoned(d))
		camp_pace_event(d->camp, PACE_ABANDONED, now, 0, 0);
	else if (!d->answer_ms && !d->refused[0] && !no_room(d))
		camp_pace_event(d->camp, d->closed || d->heard[0] ? PACE_FAILED : PACE_ENDED, now, now - d->begin_ms, d->claim.score_permille);
}

void sw_campaign_ended(struct sw_call *c)
{
	struct sw_dial *d = c->dial;
	const char *why, *result = result_of(d, &why);

	if (d->talks_long)
		tell_long(d, false);
	tell_end(d, result, why);
	learn(d);
	c->dial = NULL;
	sw_campaigns_soon(c->sw);
	dial_free(d); /* the call lets its agent go */
}

/* ---- the agent ---- */

static void begin(struct sw_dial *d)
{
	d->why = d->camp->view;
	d->call_id = idgen_next(&d->camp->sw->ids, clock_utc_ms());
	(void)hmap_set(&d->camp->sw->dials, (uint64_t)d->call_id, d);
}

static enum sw_mode mode_of(const struct sw_dial *d)
{
	const struct sw_campaign *conf = camp_conf(d->camp);

	return conf ? conf->mode : SW_PROGRESSIVE;
}

int dial_reserve(struct sw_dial *d)
{
	const struct sw_campaign *conf = camp_conf(d->camp);
	struct acd_in in = {.kind = ACD_IN_RESERVE, .queue_id = d->camp->id, .agent_id = d->claim.agent_id};
	int r;

	begin(d);
	d->mode = mode_of(d) == SW_PREVIEW ? SW_PREVIEW : SW_PROGRESSIVE; /* somebody's own customer is never dialled ahead of him */
	d->state = DIAL_AGENT; /* before the core is asked: its answer is acted on within */
	in.call_id = d->call_id;
	in.ms = ring_ms(d->camp) + PROGRESS_MS + AGENT_MS + (d->mode == SW_PREVIEW ? conf->preview_s * 1000 : 0);
	r = sw_acd(d->camp->sw, &in);
	if (r)
		hold_again(d);
	return r;
}

void dial_ahead(struct sw_dial *d)
{
	begin(d);
	d->mode = SW_PREDICTIVE;
	d->paced = d->camp->paced.why;
	dial(d);
}

void dial_now(struct sw_dial *d)
{
	dial(d);
}

static void shown_long_enough(void *arg)
{
	dial(arg);
}

/* His telephone is connected. */
static void agent_there(struct sw_dial *d)
{
	const struct sw_campaign *conf = camp_conf(d->camp);

	if (d->mode != SW_PREVIEW || !conf || conf->preview_s <= 0) {
		dial(d);
		return;
	}
	d->state = DIAL_SHOWN;
	d->shown_until_ms = clock_utc_ms() + conf->preview_s * 1000;
	ltimer_set(&d->timer, conf->preview_s * 1000, shown_long_enough, d);
	tell_shown(d);
}

static void connect_telephone(struct sw_dial *d)
{
	struct sw_agent *a = d->agent;
	int r;

	if (sw_kept_up(a)) {
		sw_campaign_kept(d->camp->sw, a, 0);
		return;
	}
	r = sw_kept_dial(a, d->camp->sw, AGENT_MS);
	if (r) {
		log_warn("agent cannot be connected agent=%lld error=%d", (long long)a->id, r);
		sw_campaign_kept(d->camp->sw, a, 480);
	}
}

void sw_campaign_reserved(struct sw *sw, const struct acd_out *out)
{
	struct sw_dial *d = hmap_get(&sw->dials, (uint64_t)out->call_id);
	struct sw_agent *a = sw_agent_get(sw, out->agent_id);

	if (!d || !a || a->call || a->dial) { /* it has ended in this moment; or he is in a call that the core does not know of */
		(void)sw_acd(sw, &(struct acd_in){.kind = ACD_IN_UNRESERVE, .call_id = out->call_id, .code = a && (a->call || a->dial) ? 486 : 0});
		if (d && d->call)
			sw_call_end(d->call, "agent", 487, 16, "agent left");
		else if (d)
			hold_again(d);
		sw_campaigns_soon(sw);
		return;
	}
	d->agent = a;
	a->dial = d;
	d->camp->turn_ms = clock_mono_ms();
	if (d->call)
		sw_call_campaign_agent(d->call, a);
	connect_telephone(d);
}

bool sw_campaign_keeps(const struct sw_agent *a, int64_t call_id)
{
	return a->dial && a->dial->agent == a && a->dial->call_id == call_id;
}

/* He is let go, and who is there next is kept for it instead. */
static void another_agent(struct sw_dial *d)
{
	struct acd_in in = {.kind = ACD_IN_RESERVE, .queue_id = d->camp->id, .call_id = d->call_id, .agent_id = d->claim.agent_id};

	if (!d->call) {
		hold_again(d);
		sw_campaigns_soon(d->camp->sw);
		return;
	}
	sw_call_campaign_agent(d->call, NULL);
	in.ms = ring_ms(d->camp) + PROGRESS_MS;
	if (sw_acd(d->camp->sw, &in))
		sw_call_end(d->call, "agent", 487, 16, "agent left");
}

void sw_campaign_kept(struct sw *sw, struct sw_agent *a, int code)
{
	struct sw_dial *d = a->dial;
	struct sw_call *c = a->call;

	if (c && c->phase == CALL_OFFERED && c->agent == a && !c->ag) {
		if (code)
			sw_call_kept_failed(c, code);
		else
			sw_call_kept_offer(c);
	} else if (d && code) {
		let_agent_go(d, code);
		another_agent(d);
	} else if (d && d->state == DIAL_AGENT) {
		agent_there(d);
	} else if (d && d->answer_ms) {
		put_through(d);
	} else {
		sw_campaigns_soon(sw);
	}
}

void sw_campaign_agent_device(struct sw *sw, struct sw_agent *a)
{
	connect_telephone(a->dial); /* gone altogether: then the core has let him go before */
}

/* ---- what he does meanwhile ---- */

static bool may_stay_connected(enum acd_state s)
{
	return s != ACD_OFFLINE && s != ACD_BREAK && s != ACD_NOANSWER;
}

void sw_campaign_agent_state(struct sw *sw, struct sw_agent *a, const struct acd_out *out)
{
	struct sw_dial *d = a->dial;

	sw_campaigns_soon(sw);
	if (!may_stay_connected(out->state))
		sw_kept_drop(a, acd_state_name(out->state));
	if (!d || out->state == ACD_RESERVED || out->state == ACD_TALKING)
		return;
	d->agent = NULL; /* the core keeps him no more: a break, a log-out, a lost telephone, or for too long */
	a->dial = NULL;
	another_agent(d);
}
