/* Calls: from the first INVITE or dial until the customer is gone. The phases are drawn in sw.h. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "switch/sw.h"
#include "switch/sw_campaign.h"
#include "switch/sw_hear.h"
#include "switch/sw_kept.h"
#include "switch/sw_number.h"

#define RING_MARGIN_MS 2000   /* our own ring time-out comes behind the core's, so that the core decides */
#define DIRECT_RING_MS 30000

static const struct call_leg_handlers leg_handlers;

/* ---- small things ---- */

static struct media *media_of(struct sw_call *c)
{
	return c->sw->media;
}

static med_leg med_of(const struct sw_leg *l)
{
	return l ? call_leg_media(l->leg) : 0;
}

static bool leg_up(const struct sw_leg *l)
{
	return l && call_leg_get_state(l->leg) == CALL_LEG_UP;
}

/* Whether it plays, and so on_played will come if it ends. */
static bool play(struct sw_call *c, struct sw_leg *l, const char *name, bool loop)
{
	int r = med_of(l) ? med_play(media_of(c), med_of(l), &name, 1, loop) : -ENOENT;

	if (r)
		log_warn("prompt cannot be played call=%lld prompt=%s error=%d, silence instead", (long long)c->id, name, r);
	return !r;
}

static void play_music(struct sw_call *c)
{
	const struct sw_queue *q = sw_queue_of(c->sw, c->queue_id);

	if (c->phase == CALL_WAITING && c->campaign_id && c->queue_id == c->campaign_id) { /* who was called expects somebody to speak */
		(void)med_tone(media_of(c), med_of(c->cust), MED_TONE_SILENCE);
		return;
	}
	(void)play(c, c->cust, q && q->music ? q->music : "music/1", true);
}

static void trunk_count(struct sw *sw, int64_t trunk_id, int by)
{
	uintptr_t n;

	if (!trunk_id)
		return;
	n = (uintptr_t)hmap_get(&sw->trunk_calls, (uint64_t)trunk_id);
	n = n ? n : 1;
	assert(by > 0 || n > 1);
	(void)hmap_set(&sw->trunk_calls, (uint64_t)trunk_id, (void *)(n + (uintptr_t)by));
}

unsigned sw_trunk_load(const struct sw *sw, int64_t trunk_id)
{
	uintptr_t n = (uintptr_t)hmap_get(&sw->trunk_calls, (uint64_t)trunk_id);

	return n ? (unsigned)n - 1 : 0;
}

static bool trunk_full(struct sw *sw, const struct sw_trunk *t)
{
	uintptr_t n = (uintptr_t)hmap_get(&sw->trunk_calls, (uint64_t)t->id);

	return t->calls_max && n > (uintptr_t)t->calls_max;
}

/* ---- recording: one part a talk segment ---- */

static void rec_failed(struct sw *sw, struct sw_rec *rec, int error)
{
	struct ev e = {.kind = EV_REC_FAIL, .call_id = rec->call_id};
	char buf[256];
	struct strb b;
	struct jw w;

	rec->failed = true;
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "part", rec->id);
	jw_str(&w, "error", strerror(error < 0 ? -error : error));
	jw_end_obj(&w);
	sw_emit(sw, &e, &b);
	if (!sw->rec_alarm)
		sw_alarm(sw, "recording", "the disk refuses recordings; calls go on", true);
	sw->rec_alarm = true;
}

static void rec_over(struct sw *sw, struct sw_rec *rec)
{
	(void)hmap_del(&sw->recs, (uint64_t)rec->id);
	sw_finish_soon(sw);
	free(rec);
}

static void rec_closed(struct sw *sw, struct sw_rec *rec, const struct med_rec_result *res)
{
	struct ev e = {.kind = EV_REC_CLOSE, .call_id = rec->call_id};
	char buf[512];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "part", rec->id);
	jw_int(&w, "bytes", res->bytes);
	jw_int(&w, "dur_ms", res->dur_ms);
	jw_int(&w, "missing_ms", res->missing_ms);
	jw_str(&w, "hash", res->hash);
	jw_int(&w, "left_ms", res->facts.left_ms);
	jw_int(&w, "right_ms", res->facts.right_ms);
	jw_int(&w, "over_ms", res->facts.over_ms);
	jw_int(&w, "silence_ms", res->facts.silence_ms);
	jw_int(&w, "silence_at_ms", res->facts.silence_at_ms);
	jw_end_obj(&w);
	sw_emit(sw, &e, &b);
	if (sw->rec_alarm && !rec->failed) {
		sw->rec_alarm = false; /* the disk takes recordings again */
		sw_alarm(sw, "recording", "", false);
	}
	rec_over(sw, rec);
}

static void rec_start(struct sw_call *c, struct sw_leg *right)
{
	char path[512], buf[768];
	struct sw_rec *rec;
	struct strb b;
	struct jw w;
	struct tm tm;
	time_t t;
	int r;

	if (c->rec_id || !med_of(c->cust))
		return;
	t = (time_t)(clock_utc_ms() / 1000);
	(void)gmtime_r(&t, &tm);
	c->rec_id = idgen_next(&c->sw->ids, clock_utc_ms());
	(void)snprintf(path, sizeof(path), "%s/%04d/%02d/%02d/%02d/%lld.wav", c->sw->start.record_dir, tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, (long long)c->rec_id);
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "part", c->rec_id);
	jw_id(&w, "seg", c->seg_id);
	jw_str(&w, "path", path);
	jw_end_obj(&w);
	sw_emit_call(c, EV_REC_OPEN, &b);
	rec = xcalloc(1, sizeof(*rec));
	*rec = (struct sw_rec){.id = c->rec_id, .call_id = c->id};
	(void)hmap_set(&c->sw->recs, (uint64_t)rec->id, rec);
	r = med_record(media_of(c), c->rec_id, med_of(c->cust), med_of(right), path);
	if (r) {
		rec_failed(c->sw, rec, r);
		rec_over(c->sw, rec); /* the media knows nothing of it: no other event will come */
		c->rec_id = 0;
	}
}

static void rec_stop(struct sw_call *c)
{
	if (c->rec_id)
		med_record_stop(media_of(c), c->rec_id);
	c->rec_id = 0;
}

void sw_call_rec_event(struct sw *sw, const struct med_event *ev)
{
	struct sw_rec *rec = hmap_get(&sw->recs, (uint64_t)ev->rec_id);

	if (!rec)
		return;
	if (ev->type == MED_EV_REC_FAILED)
		rec_failed(sw, rec, ev->error);
	else
		rec_closed(sw, rec, &ev->rec);
}

/* ---- legs ---- */

static struct sw_leg *leg_new(struct sw_call *c, enum sw_role role, int64_t trunk_id)
{
	struct sw_leg *l = xcalloc(1, sizeof(*l));

	l->sw = c->sw;
	l->call = c;
	l->id = idgen_next(&c->sw->ids, clock_utc_ms());
	l->role = role;
	l->trunk_id = trunk_id;
	c->legs++;
	return l;
}

static void call_free_if_done(struct sw_call *c);

/* A leg that was never dialled or claimed. */
static void leg_abort(struct sw_leg *l)
{
	l->call->legs--;
	free(l);
}

/* Nothing more is tried. */
static void out_forget(struct sw_call *c)
{
	if (c->out)
		ltimer_cancel(&c->out->wait);
	free(c->out);
	c->out = NULL;
}

/* The call lets go of a leg: it is hung up, and what it does from now on concerns only its own record. */
static void leg_drop(struct sw_leg **pl, int code, int q850, const char *reason)
{
	struct sw_leg *l = *pl;

	if (!l)
		return;
	if (l->call->out && l->call->out->slot == pl)
		out_forget(l->call);
	*pl = NULL;
	if (l->kept && sw_kept_put_back(l))
		return;
	l->dropped = true;
	call_leg_hangup(l->leg, code, q850, reason);
}

int64_t sw_device_id(const struct sw *sw, const char *name)
{
	const struct sw_device *d = sw_device_of(sw, name);

	return d ? d->id : 0;
}

static int leg_dial(struct sw_leg **ret, struct sw_call *c, enum sw_role role, int64_t trunk_id, enum med_profile profile,
		    const struct sip_dial *d)
{
	const char *device = d->device ? d->device : (role == ROLE_AGENT_LEG || role == ROLE_PARTY) && c->agent ? c->agent->device : NULL;
	struct call_leg_audio audio = sw_audio_of(c->sw, sw_trunk_of(c->sw, trunk_id), device, false, c->cust ? c->cust : c->ag);
	struct sw_leg *l = leg_new(c, role, trunk_id);
	int r;

	if ((role == ROLE_AGENT_LEG || role == ROLE_PARTY) && c->agent) {
		l->agent_id = c->agent->id;
		l->device_id = sw_device_id(c->sw, c->agent->device);
	}
	r = call_leg_outgoing(&l->leg, c->sw->env, l->id, profile, d, &audio, &leg_handlers, l);
	if (r) {
		leg_abort(l);
		return r;
	}
	trunk_count(c->sw, trunk_id, 1);
	sw_leg_begun(l, false, sip_leg_transport(call_leg_sip(l->leg)), d->from_user, d->device ? d->device : d->uri);
	*ret = l;
	return 0;
}

/* In the log before our 200 or ACK leaves, so that a crash leaves no dialog that nobody knows of. */
void sw_leg_answered(struct sw_leg *l)
{
	struct ev e = {.kind = EV_LEG_ANSWER, .call_id = l->call ? l->call->id : 0, .leg_id = l->id, .agent_id = l->agent_id};
	char dialog[2048];

	if (l->answer_logged)
		return;
	sw_toll_answered(l);
	l->answer_logged = true;
	if (!sip_leg_dialog(call_leg_sip(l->leg), dialog, sizeof(dialog)))
		e.pii[e.pii_n++] = (struct ev_pii){"dialog", dialog};
	sw_emit(l->sw, &e, NULL);
}

static void answer(struct sw_leg *l)
{
	sw_leg_answered(l);
	(void)call_leg_answer(l->leg);
}

/* ---- calls ---- */

static struct sw_call *call_new(struct sw *sw, const char *dir, const char *from, const char *to, const char *name)
{
	struct sw_call *c = xcalloc(1, sizeof(*c));

	c->sw = sw;
	c->start_ms = clock_utc_ms();
	c->id = idgen_next(&sw->ids, c->start_ms);
	c->dir = dir;
	ilist_init(&c->parties);
	(void)str_copy(c->from, sizeof(c->from), from ? from : "");
	(void)str_copy(c->to, sizeof(c->to), to ? to : "");
	(void)str_copy(c->name, sizeof(c->name), name && strcmp(name, c->from) ? name : "");
	(void)hmap_set(&sw->calls, (uint64_t)c->id, c);
	return c;
}

static void call_begun(struct sw_call *c)
{
	struct ev e = {.kind = EV_CALL_NEW, .call_id = c->id, .queue_id = c->queue_id, .campaign_id = c->campaign_id,
		       .agent_id = c->agent ? c->agent->id : 0};
	char buf[256];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "dir", c->dir);
	if (c->trunk_id)
		jw_id(&w, "trunk", c->trunk_id);
	if (c->number_id)
		jw_id(&w, "number", c->number_id);
	if (c->consult_of)
		jw_id(&w, "parent", c->consult_of);
	jw_end_obj(&w);
	e.pii[e.pii_n++] = (struct ev_pii){"from", c->from};
	e.pii[e.pii_n++] = (struct ev_pii){"to", c->to};
	if (c->name[0])
		e.pii[e.pii_n++] = (struct ev_pii){"name", c->name};
	sw_emit(c->sw, &e, &b);
	if (c->customer_id)
		sw_customer_tell(c);
	sw_customer_ask(c);
}

static void call_free_if_done(struct sw_call *c)
{
	if (c->phase != CALL_ENDED || c->legs)
		return;
	(void)hmap_del(&c->sw->calls, (uint64_t)c->id);
	sw_finish_soon(c->sw);
	ltimer_cancel(&c->timer);
	out_forget(c);
	free(c);
}

/* He still talks to whom he wanted to ask before he would have transferred: that is his call from now on, and his wrap-up comes after it. */
static bool agent_stays_on(struct sw_call *c, struct sw_agent *a)
{
	struct sw_call *second = c->consult_id ? hmap_get(&c->sw->calls, (uint64_t)c->consult_id) : NULL;
	struct acd_in in = {.kind = ACD_IN_MOVE, .agent_id = a->id, .call_id = c->consult_id, .queue_id = c->queue_id};

	if (!second || second->phase == CALL_ENDED || !second->cust || second->caller || a->call != c || sw_acd(c->sw, &in))
		return false;
	second->caller = a;
	a->call = second;
	return true;
}

static void agent_release(struct sw_call *c, struct sw_agent **pa, bool wrap)
{
	struct acd_in in = {.kind = ACD_IN_RELEASE, .call_id = c->id, .wrap = wrap};
	struct sw_agent *a = *pa;

	if (!a)
		return;
	*pa = NULL;
	if (wrap && agent_stays_on(c, a))
		return;
	in.agent_id = a->id;
	in.wrap = wrap && !a->visits;
	if (a->call == c)
		a->call = NULL;
	(void)sw_acd(c->sw, &in);
	sw_agent_visited(c->sw, a);
}

/* The offer is over: the agent who was rung is free for what the core says next. */
static void agent_forget(struct sw_call *c)
{
	if (c->agent && c->agent->call == c)
		c->agent->call = NULL;
	c->agent = NULL;
}

void sw_call_end(struct sw_call *c, const char *by, int code, int q850, const char *reason)
{
	bool wrap = c->answered && strcmp(c->dir, "internal") != 0;
	bool talking = c->phase == CALL_TALK || c->phase == CALL_HELD || c->phase == CALL_LOST || c->phase == CALL_TRANSFER ||
		       c->phase == CALL_CONSULT || c->seized;
	char buf[256];
	struct strb b;
	struct jw w;

	if (c->phase == CALL_ENDED)
		return;
	c->phase = CALL_ENDED;
	ltimer_cancel(&c->timer);
	out_forget(c);
	rec_stop(c);
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "by", by);
	jw_int(&w, "cause", code);
	jw_int(&w, "q850", q850);
	jw_str(&w, "reason", reason);
	jw_end_obj(&w);
	sw_parties_end(c, "the call is over");
	sw_emit_call(c, EV_CALL_END, &b);
	if (c->dial)
		sw_campaign_ended(c);
	leg_drop(&c->cust, code ? code : 480, q850, reason);
	leg_drop(&c->ag, code ? code : 480, q850, reason);
	leg_drop(&c->xleg, code ? code : 480, q850, reason);
	if (!talking)
		agent_forget(c); /* he was only rung: the core takes the offer back, and may give him the next call at once */
	if (c->in_acd) {
		struct acd_in in = {.kind = ACD_IN_LEAVE, .call_id = c->id};

		c->in_acd = false;
		(void)sw_acd(c->sw, &in);
	}
	if (c->reserved) {
		struct acd_in in = {.kind = ACD_IN_UNRESERVE, .call_id = c->id};

		c->reserved = false;
		(void)sw_acd(c->sw, &in);
	}
	agent_release(c, &c->agent, wrap);
	agent_release(c, &c->caller, c->consult_of != 0);
	agent_release(c, &c->xagent, false);
	call_free_if_done(c);
}

static void join(struct sw_call *c)
{
	c->beep = false;
	sw_call_audio(c);
	if (c->record)
		rec_start(c, c->ag);
	if (c->pip)
		(void)med_tone(media_of(c), med_of(c->ag), MED_TONE_BEEP); /* over the first of what is said: nothing waits for it */
	c->pip = false;
}

/* Agent and customer hear each other. The record says "answered" before the 200 leaves, so that a crash between loses nothing. */
static void connect(struct sw_call *c)
{
	ltimer_cancel(&c->timer);
	out_forget(c);
	c->phase = CALL_TALK;
	sw_seg_open(c, sw_party_talk(c), NULL);
	if (!c->answered || (c->agent && c->answer_agent_id && c->agent->id != c->answer_agent_id)) {
		c->answered = true;
		sw_emit_call(c, EV_CALL_ANSWER, NULL);
	}
	if (c->agent)
		c->answer_agent_id = c->agent->id;
	if (c->dial)
		sw_campaign_connected(c);
	answer(c->cust);
	answer(c->ag);
	if (!c->beep || !play(c, c->ag, "beep", false)) /* after the beep: on_played */
		join(c);
}

/* ---- the queue ---- */

static void enter_queue(struct sw_call *c, int64_t waited_ms, int priority)
{
	const struct sw_queue *q = sw_queue_of(c->sw, c->queue_id);
	struct acd_in in = {
		.kind = ACD_IN_ENTER, .call_id = c->id, .queue_id = c->queue_id, .waited_ms = waited_ms, .priority = priority,
	};

	c->phase = CALL_WAITING;
	sw_parties_end(c, "the caller waits");
	c->in_acd = true;
	if (!c->dial)
		c->record = q && q->record;
	if (!c->enter_ms)
		c->enter_ms = clock_utc_ms();
	sw_seg_open(c, SEG_QUEUE, NULL);
	if (leg_up(c->cust) || c->accepted)
		play_music(c);
	if (c->accepted && q && q->record_waiting)
		rec_start(c, NULL); /* one part until an agent answers */
	sw_customer_enter(c, &in, q);
	if (sw_acd(c->sw, &in)) {
		c->in_acd = false;
		sw_call_end(c, "system", 480, 31, "queue does not exist");
	}
}

static void accept_call(struct sw_call *c)
{
	c->accepted = true;
	sw_emit_call(c, EV_CALL_ACCEPT, NULL);
	answer(c->cust);
}

static void begin_queue(struct sw_call *c, const struct sw_queue *q)
{
	c->queue_id = q->id;
	if (!q->answer_first) {
		(void)call_leg_ring(c->cust->leg);
		enter_queue(c, 0, 0);
		return;
	}
	accept_call(c);
	if (!q->greeting || !q->greeting[0] || !play(c, c->cust, q->greeting, false)) {
		enter_queue(c, 0, 0);
		return;
	}
	c->phase = CALL_GREETING;
	sw_seg_open(c, SEG_IVR, "greeting");
	if (q->record_waiting)
		rec_start(c, NULL);
}

static void dial_headers(char *buf, size_t size, const struct sw_call *c, bool auto_answer, bool resume)
{
	(void)snprintf(buf, size, "X-Huawu-Call: %lld\r\n%s%s", (long long)c->id, auto_answer ? SW_AUTO_ANSWER : "",
		       resume ? "X-Huawu-Resume: 1\r\n" : "");
}

struct shown {
	char user[64], name[160];
};

/*
 * Who calls, as the agent's telephone is told: all headers that name somebody are made of it. Without the right to numbers that is an alias
 * of the call and the number in part; a name that holds digits may hold the number.
 */
static void show_caller(struct shown *s, const struct sw_call *c, const struct sw_user *u)
{
	const char *number = !strcmp(c->dir, "out") ? c->to : c->from, *name = c->name[0] ? c->name : number;
	size_t n = strlen(number);

	(void)str_copy(s->user, sizeof(s->user), n ? number : "anonymous");
	(void)str_copy(s->name, sizeof(s->name), name);
	if (!u || !u->masked || !strcmp(c->dir, "internal") || !n)
		return;
	(void)snprintf(s->user, sizeof(s->user), "caller-%u", (unsigned)((uint64_t)c->id >> 6) % 100000);
	if (!c->name[0] || strpbrk(c->name, "0123456789"))
		(void)snprintf(s->name, sizeof(s->name), "%.*s****%s", n > 8 ? 3 : 0, number + (strncmp(number, "+86", 3) ? 0 : 3),
			       n > 4 ? number + n - (n > 8 ? 4 : 2) : "");
}

static void dial_other_side(struct sw_call *c);

/* Click-to-dial with a telephone that is connected already: as if it had just answered. */
static void is_there(void *arg)
{
	struct sw_call *c = arg;

	if (c->phase == CALL_AGENT_FIRST)
		dial_other_side(c);
}

/* Rings the agent's device for this call. */
static int ring_agent(struct sw_call *c, struct sw_agent *a, bool auto_answer, bool resume, int timeout_ms)
{
	const struct sw_user *u = sw_user_of(c->sw, a->id);
	const struct sw_device *dev = sw_device_of(c->sw, a->device);
	enum med_profile profile;
	char headers[256];
	struct shown shown;
	struct sip_dial d = {
		.from_user = shown.user,
		.from_name = shown.name,
		.headers = headers,
		.ring_timeout_ms = timeout_ms,
	};
	int r;

	if (auto_answer && c->phase == CALL_AGENT_FIRST && sw_kept_up(a)) {
		sw_kept_take(c, a);
		ltimer_set(&c->timer, 0, is_there, c);
		return 0;
	}
	sw_kept_drop(a, "a call rings");
	sw_party_leave(a, "a call rings");
	r = sw_agent_dial(c->sw, a, &d, &profile);
	show_caller(&shown, c, u);
	sw_ring_stop(a);
	if (r)
		return r;
	auto_answer = auto_answer || (u && u->auto_answer) || (dev && dev->auto_answer);
	c->beep = auto_answer && !resume && profile == MED_PLAIN && c->cust; /* a browser beeps by itself */
	dial_headers(headers, sizeof(headers), c, auto_answer || resume, resume);
	return leg_dial(&c->ag, c, ROLE_AGENT_LEG, 0, profile, &d);
}

static void offer_answered(struct sw_call *c);

static void refuse_offer(struct sw *sw, int64_t call_id, int64_t agent_id, int64_t offer_id, int code)
{
	struct acd_in in = {.kind = ACD_IN_REFUSED, .call_id = call_id, .agent_id = agent_id, .offer_id = offer_id, .code = code};

	(void)sw_acd(sw, &in);
}

void sw_call_offer(struct sw *sw, const struct acd_out *out)
{
	struct sw_call *c = hmap_get(&sw->calls, (uint64_t)out->call_id);
	struct sw_agent *a = sw_agent_get(sw, out->agent_id);
	const struct sw_queue *q;
	int r;

	if (!c || !a || c->phase != CALL_WAITING || a->call) {
		refuse_offer(sw, out->call_id, out->agent_id, out->offer_id, 480);
		return;
	}
	q = sw_queue_of(sw, c->queue_id);
	sw_party_leave(a, "a call rings");
	c->phase = CALL_OFFERED;
	c->offer_id = out->offer_id;
	c->agent = a;
	a->call = c;
	sw_seg_open(c, SEG_RING, NULL);
	if (sw_kept_up(a)) {
		sw_call_kept_offer(c);
		return;
	}
	if (a->kept || (c->dial && c->queue_id == c->campaign_id)) /* it is just answering, or can only be like that: sw_call_kept_offer when it is up */
		r = sw_kept_dial(a, sw, out->ring_ms + RING_MARGIN_MS);
	else
		r = ring_agent(c, a, q && q->auto_answer, false, out->ring_ms + RING_MARGIN_MS);
	if (r) {
		log_warn("agent cannot be rung call=%lld agent=%lld error=%d, next agent", (long long)c->id, (long long)a->id, r);
		refuse_offer(sw, c->id, a->id, out->offer_id, 480);
	}
}

/* The offer did not lead to a talk: the caller waits on. */
void sw_call_offer_end(struct sw *sw, const struct acd_out *out)
{
	struct sw_call *c = hmap_get(&sw->calls, (uint64_t)out->call_id);

	if (!c || c->phase != CALL_OFFERED || c->offer_id != out->offer_id || out->reason)
		return; /* a reason: answered, see offer_answered */
	leg_drop(&c->ag, 487, 16, "no longer offered");
	agent_forget(c);
	c->offer_id = 0;
	c->phase = CALL_WAITING;
	sw_seg_open(c, SEG_QUEUE, NULL);
}

/* When the ring time is over at the same moment, the core says so first: the call has moved on, and this leg is hung up already. */
static void offer_answered(struct sw_call *c)
{
	struct acd_in in = {.kind = ACD_IN_ANSWERED, .call_id = c->id, .agent_id = c->agent->id, .offer_id = c->offer_id};

	if (sw_acd(c->sw, &in))
		return;
	assert(c->phase == CALL_OFFERED && c->offer_id == in.offer_id && c->ag);
	c->in_acd = false;
	c->offer_id = 0;
	rec_stop(c);
	connect(c);
}

void sw_call_kept_offer(struct sw_call *c)
{
	const struct sw_campaign *conf = hmap_get(&c->sw->index.campaigns, (uint64_t)c->campaign_id);

	sw_kept_take(c, c->agent);
	c->pip = !conf || conf->beep;
	offer_answered(c);
}

void sw_call_kept_failed(struct sw_call *c, int code)
{
	refuse_offer(c->sw, c->id, c->agent->id, c->offer_id, code);
}

static int dial_trunk(struct sw_call *c, struct sw_leg **slot, enum sw_role role, const char *number);
static void out_failed(struct sw_call *c, int code, int q850, const char *reason);

/* Nobody takes the call. */
static void goodbye(struct sw_call *c)
{
	c->phase = CALL_GOODBYE;
	sw_parties_end(c, "the call is over");
	if (c->accepted && play(c, c->cust, "zh/goodbye", false))
		sw_seg_open(c, SEG_IVR, "goodbye");
	else
		sw_call_end(c, "system", 480, 31, "nobody can take the call");
}

void sw_call_shut(struct sw_call *c)
{
	struct acd_in in = {.kind = ACD_IN_LEAVE, .call_id = c->id};
	const struct sw_agent *owner = sw_agent_get(c->sw, c->owner_id);
	struct acd_queue_view q;

	if (!c->shut || c->phase != CALL_WAITING || !c->in_acd || (owner && owner->state != ACD_OFFLINE))
		return;
	if (acd_queue_get(c->sw->acd, c->queue_id, &q) || q.logged_in)
		return;
	c->in_acd = false;
	(void)sw_acd(c->sw, &in);
	rec_stop(c);
	if (!c->accepted)
		accept_call(c);
	c->phase = CALL_GOODBYE;
	if (play(c, c->cust, "zh/closed", false))
		sw_seg_open(c, SEG_IVR, "closed");
	else
		sw_call_end(c, "system", 480, 31, "out of hours");
}

void sw_call_overflow(struct sw *sw, const struct acd_out *out)
{
	struct sw_call *c = hmap_get(&sw->calls, (uint64_t)out->call_id);
	const struct sw_queue *q;

	if (!c || c->phase != CALL_WAITING)
		return;
	c->in_acd = false;
	rec_stop(c);
	if (c->dial && c->queue_id == c->campaign_id) {
		sw_call_end(c, "system", 480, 31, "no agent in time");
		return;
	}
	q = sw_queue_of(sw, out->queue_id);
	if (out->overflow == ACD_OVERFLOW_QUEUE && sw_queue_of(sw, out->target_queue)) {
		int64_t waited = clock_utc_ms() - c->enter_ms;

		c->queue_id = out->target_queue;
		c->seg = SEG_NONE; /* a queue segment of its own for the other queue */
		enter_queue(c, waited, 0);
		return;
	}
	if (out->overflow == ACD_OVERFLOW_NUMBER && q && q->overflow_number && q->overflow_number[0]) {
		c->phase = CALL_DIALLING;
		sw_seg_open(c, SEG_RING, "overflow");
		if (!dial_trunk(c, &c->ag, ROLE_THIRD, q->overflow_number))
			return;
	}
	goodbye(c);
}

void sw_call_announce(struct sw *sw, const struct acd_out *out)
{
	struct sw_call *c = hmap_get(&sw->calls, (uint64_t)out->call_id);
	const struct sw_queue *q = c ? sw_queue_of(sw, c->queue_id) : NULL;
	const char *names[3];
	char text[3][32];
	const char *lang;
	size_t n = 1;

	if (!q || !q->announce_position || !c->accepted || (c->phase != CALL_WAITING && c->phase != CALL_OFFERED) || !med_of(c->cust))
		return;
	lang = q->greeting && !strncmp(q->greeting, "en/", 3) ? "en" : "zh";
	if (out->position <= 1) {
		(void)snprintf(text[0], sizeof(text[0]), "%s/next", lang);
	} else if (out->position > 11) {
		(void)snprintf(text[0], sizeof(text[0]), "%s/still-busy", lang);
	} else {
		(void)snprintf(text[0], sizeof(text[0]), "%s/position-before", lang);
		(void)snprintf(text[1], sizeof(text[1]), "%s/num-%d", lang, out->position - 1);
		(void)snprintf(text[2], sizeof(text[2]), "%s/position-after", lang);
		n = strcmp(lang, "zh") ? 2 : 3; /* Chinese has a measure word behind the number */
	}
	for (size_t i = 0; i < n; i++)
		names[i] = text[i];
	(void)med_play(media_of(c), med_of(c->cust), names, n, false);
}

/* ---- calls that know where they go ---- */

/* As an error of ours: the callers make a SIP status or a refusal of it. */
static int no_trunk(enum sw_why why)
{
	switch (why) {
	case SW_WHY_BARRED:
		return -EACCES;
	case SW_WHY_FULL:
		return -EBUSY;
	case SW_WHY_INBOUND:
		return -ENOENT;
	default:
		return -EHOSTDOWN;
	}
}

static int status_of(int r)
{
	return r == -ENOENT ? 404 : r == -EACCES ? 403 : 503;
}

static int try_dial(struct sw_call *c, const struct sw_try *at)
{
	const struct sw_trunk *t = sw_trunk_of(c->sw, at->trunk_id);
	const struct sw_user *u = sw_user_of(c->sw, c->out->user_id);
	struct sw_verdict v;
	struct sip_dial d = {0};
	char uri[400] = "";
	int r;

	if (!t || trunk_full(c->sw, t))
		return -EBUSY;
	if (sw_gate_as(&v, c->sw, t, u, c->out->number, c->out->show, c->out->via, true))
		return -EACCES;
	sw_line_dial(c->sw, at, v.called, &d, uri, sizeof(uri));
	if (!d.uri)
		return -ENOENT;
	sw_verdict_dial(&v, &d);
	d.ring_timeout_ms = c->out->ring_ms;
	r = leg_dial(c->out->slot, c, c->out->role, t->id, MED_PLAIN, &d);
	if (!r)
		sw_toll_begun(*c->out->slot, u, c->out->device_id, &v);
	return r;
}

static int dial_next(struct sw_call *c);

/* Somebody is dialled, at whichever side. */
static bool rings_out(const struct sw_call *c)
{
	return c->phase == CALL_DIALLING || c->phase == CALL_TRANSFER || c->phase == CALL_CONSULT;
}

static void waited(void *arg)
{
	struct sw_call *c = arg;

	if (!rings_out(c))
		out_forget(c); /* nobody waits for it any more */
	else if (dial_next(c))
		out_failed(c, 503, 42, "no trunk has room");
}

/* The trunk's second is full: the next one, or wait a little when there is none. 0: waiting. */
static int wait_for_room(struct sw_call *c, int wait_ms)
{
	struct sw_out *o = c->out;
	int64_t now = clock_mono_ms();

	if (!o->wait_until_ms)
		o->wait_until_ms = now + SW_RATE_WAIT_MS;
	if (o->at + 1 < o->n || now + wait_ms > o->wait_until_ms)
		return -EBUSY;
	ltimer_set(&o->wait, wait_ms, waited, c);
	return 0;
}

/* Dials the next that can be dialled. Negative: none is left. */
static int dial_next(struct sw_call *c)
{
	struct sw_out *o = c->out;
	int r = -EHOSTDOWN, wait_ms;

	for (; o->at < o->n; o->at++) {
		if (!sw_line_take(c->sw, o->tries[o->at].trunk_id, &wait_ms)) {
			r = wait_for_room(c, wait_ms);
			if (!r)
				return 0;
			continue;
		}
		o->rang = false;
		r = try_dial(c, &o->tries[o->at]);
		if (!r) {
			o->at++;
			return 0;
		}
		log_warn("trunk cannot be dialled call=%lld trunk=%lld error=%d, next", (long long)c->id,
			 (long long)o->tries[o->at].trunk_id, r);
	}
	return r;
}

static struct sw_out *out_new(struct sw_call *c, struct sw_leg **slot, enum sw_role role, const char *number, const char *via)
{
	out_forget(c);
	c->out = xcalloc(1, sizeof(*c->out));
	c->out->slot = slot;
	c->out->role = role;
	c->out->via = via;
	(void)str_copy(c->out->number, sizeof(c->out->number), number);
	return c->out;
}

int sw_call_campaign_dial(struct sw_call *c, struct sw_campaign_out *o)
{
	struct sw_out *out = out_new(c, &c->cust, ROLE_CUSTOMER, c->to, "campaign");
	const struct sw_trunk *t = o->trunk_id ? sw_trunk_of(c->sw, o->trunk_id) : sw_trunk_out(c->sw);
	struct sw_verdict v;
	struct num n;

	if (num_read(&n, c->to, NULL) && n.kind == NUM_EMERGENCY)
		return -EACCES; /* which is never barred, but no campaign calls there */
	c->phase = CALL_DIALLING;
	out->ring_ms = o->ring_ms;
	(void)str_copy(out->show, sizeof(out->show), o->show);
	out->n = sw_line_tries(c->sw, c->to, NULL, o->trunk_id, out->tries, SW_TRIES_MAX, &o->why);
	if (o->why == SW_WHY_BARRED && !out->n && t)
		(void)sw_gate_as(&v, c->sw, t, NULL, c->to, o->show, "campaign", true); /* a fact */
	return out->n ? dial_next(c) : no_trunk(o->why);
}

/* Through the first trunk that takes it; how each attempt ends: out_closed. */
static int dial_trunk(struct sw_call *c, struct sw_leg **slot, enum sw_role role, const char *number)
{
	const struct sw_user *u = c->agent ? sw_user_of(c->sw, c->agent->id) : NULL;
	struct sw_verdict v;
	enum sw_why why;

	(void)out_new(c, slot, role, number, c->queue_id && !c->agent ? "overflow" : "desk");
	c->out->user_id = c->agent ? c->agent->id : 0;
	c->out->device_id = c->agent ? sw_device_id(c->sw, c->agent->device) : 0;
	c->out->n = sw_line_tries(c->sw, number, u, 0, c->out->tries, SW_TRIES_MAX, &why);
	if (why == SW_WHY_BARRED && !c->out->n)
		if (sw_gate(&v, c->sw, sw_trunk_out(c->sw), u, number, c->out->via, true)) /* a fact */
			c->refused = sw_gate_phrase(&v);
	return c->out->n ? dial_next(c) : no_trunk(why);
}

/* The leg that is tried has ended before anybody answered. True: another trunk is being tried. */
static bool out_closed(struct sw_call *c, struct sw_leg *l, const struct call_leg_close *cl)
{
	struct sw_out *o = c->out;
	struct sw_attempt a = {.code = cl->code, .silent = cl->silent};

	if (!o || l != *o->slot || !rings_out(c) || cl->by == SIP_BY_LOCAL)
		return false;
	a.rang = o->rang;
	a.heard = o->heard;
	sw_line_outcome(c->sw, l->trunk_id, o->at ? o->tries[o->at - 1].hop : NULL, cl);
	if (!sw_trunk_failed(&a) || o->at == o->n) {
		out_forget(c);
		return false;
	}
	log_warn("trunk failed call=%lld trunk=%lld code=%d reason=%s, next trunk", (long long)c->id, (long long)l->trunk_id, cl->code, cl->reason);
	*o->slot = NULL;
	if (!dial_next(c))
		return true;
	*o->slot = l; /* none was left: this one's end is the call's */
	out_forget(c);
	return false;
}

static int direct_uri(struct sw_call *c, const struct sw_number *n)
{
	struct sip_dial d = {.uri = n->uri, .from_user = c->from[0] ? c->from : "anonymous", .from_name = c->name[0] ? c->name : NULL};

	if (!sw_forward_ok(c->sw, n->uri))
		return 403;
	c->phase = CALL_DIALLING;
	c->record = n->record;
	sw_seg_open(c, SEG_RING, NULL);
	return leg_dial(&c->ag, c, ROLE_THIRD, 0, MED_PLAIN, &d) ? 503 : 0;
}

static bool seize(struct sw_call *c, struct sw_agent *a)
{
	struct acd_in in = {.kind = ACD_IN_SEIZE, .agent_id = a->id, .call_id = c->id, .queue_id = c->answered ? c->queue_id : 0};

	if (a->call || sw_acd(c->sw, &in))
		return false;
	a->call = c;
	return true;
}

/* To a person: his device rings like an offer, but the core only hears that he is taken. */
static int direct_user(struct sw_call *c, int64_t user_id, bool record)
{
	struct sw_agent *a = sw_agent_get(c->sw, user_id);

	if (!a || a->state == ACD_OFFLINE)
		return 480;
	if (a == c->caller || !seize(c, a))
		return 486;
	c->agent = a;
	c->seized = true;
	c->phase = CALL_DIALLING;
	c->record = record;
	sw_seg_open(c, SEG_RING, NULL);
	return ring_agent(c, a, false, false, DIRECT_RING_MS) ? 480 : 0;
}

/* Digits, a leading plus, and the service codes' star and hash. */
static bool number_ok(const char *n)
{
	size_t len = strspn(n, "0123456789*#");

	if (n[0] == '+')
		len = 1 + strspn(n + 1, "0123456789");
	return len == strlen(n) && len >= 1 && len <= 32;
}

/* Says so, as a fact, when the toll guard refuses. */
enum sw_refusal sw_call_may_dial(struct sw *sw, const struct sw_user *u, const char *number)
{
	struct sw_try tries[SW_TRIES_MAX];
	struct sw_verdict v;
	enum sw_why why;

	if (!number_ok(number))
		return SW_R_NUMBER;
	if (sw_line_tries(sw, number, u, 0, tries, SW_TRIES_MAX, &why))
		return SW_OK;
	if (why == SW_WHY_BARRED && sw_gate(&v, sw, sw_trunk_out(sw), u, number, "desk", true))
		return sw_gate_refusal(&v);
	return why == SW_WHY_FULL ? SW_R_FULL : SW_R_NO_TRUNK;
}

enum sw_refusal sw_call_dial(struct sw *sw, struct sw_agent *a, const char *number, int64_t *call_id)
{
	const struct sw_user *u = sw_user_of(sw, a->id);
	enum sw_refusal refusal;
	struct sw_call *c;
	char to[64];

	if (!number_ok(number))
		return SW_R_NUMBER;
	if (sw->stopping)
		return SW_R_STOPPING;
	if (sw->pressed)
		return SW_R_FULL;
	if (a->state == ACD_OFFLINE || a->call)
		return SW_R_STATE;
	refusal = sw_user_by_extension(sw, number) ? SW_OK : sw_call_may_dial(sw, u, number);
	if (refusal)
		return refusal;
	sw_dialled(to, sizeof(to), sw, number);
	c = call_new(sw, sw_user_by_extension(sw, number) ? "internal" : "out", u && u->extension ? u->extension : "",
		     sw_user_by_extension(sw, number) ? number : to, NULL);
	c->agent = a;
	if (!seize(c, a)) {
		(void)hmap_del(&sw->calls, (uint64_t)c->id);
		free(c);
		return SW_R_STATE;
	}
	c->seized = true;
	c->record = true;
	call_begun(c);
	*call_id = c->id;
	c->phase = CALL_AGENT_FIRST;
	sw_seg_open(c, SEG_RING, "agent first");
	if (ring_agent(c, a, true, false, DIRECT_RING_MS)) {
		sw_call_end(c, "system", 480, 20, "agent's telephone is not registered");
		return SW_R_NO_DEVICE;
	}
	return SW_OK;
}

struct sw_call *sw_call_campaign(struct sw *sw, int64_t id, const struct sw_claim *claim, struct sw_dial *d, struct sw_agent *a)
{
	const struct sw_user *u = a ? sw_user_of(sw, a->id) : NULL;
	const struct sw_campaign *conf = hmap_get(&sw->index.campaigns, (uint64_t)claim->campaign_id);
	struct sw_call *c;
	char to[64];

	sw_dialled(to, sizeof(to), sw, claim->number);
	c = call_new(sw, "out", claim->show[0] ? claim->show : u && u->extension ? u->extension : "", to, NULL);
	(void)hmap_del(&sw->calls, (uint64_t)c->id);
	c->id = id; /* as the core knows it */
	(void)hmap_set(&sw->calls, (uint64_t)id, c);
	c->campaign_id = claim->campaign_id;
	c->customer_id = claim->customer_id;
	c->dial = d;
	c->record = conf && conf->record;
	sw_call_campaign_agent(c, a);
	call_begun(c);
	sw_seg_open(c, SEG_RING, "campaign");
	return c;
}

void sw_call_campaign_agent(struct sw_call *c, struct sw_agent *a)
{
	agent_forget(c);
	c->reserved = a != NULL;
	c->agent = a;
	if (a)
		a->call = c;
}

bool sw_call_campaign_connect(struct sw_call *c)
{
	struct acd_in in = {.kind = ACD_IN_SEIZE, .call_id = c->id, .queue_id = c->campaign_id, .agent_id = c->agent->id};
	const struct sw_campaign *conf = hmap_get(&c->sw->index.campaigns, (uint64_t)c->campaign_id);

	c->reserved = false;
	if (sw_acd(c->sw, &in)) {
		agent_forget(c);
		return false;
	}
	c->seized = true;
	c->queue_id = c->campaign_id;
	c->pip = !conf || conf->beep;
	sw_kept_take(c, c->agent);
	connect(c);
	return true;
}

void sw_call_campaign_queue(struct sw_call *c)
{
	c->queue_id = c->campaign_id;
	c->accepted = true;
	sw_emit_call(c, EV_CALL_ACCEPT, NULL);
	enter_queue(c, 0, 0);
}

/* Click-to-dial, second half: the agent's leg is up, now the other side. */
static void dial_other_side(struct sw_call *c)
{
	const struct sw_user *u = sw_user_by_extension(c->sw, c->to);
	int r;

	c->phase = CALL_DIALLING;
	if (u) {
		/* From here on like a call from a device: the caller on `cust`, the colleague on `ag`. */
		c->cust = c->ag;
		c->ag = NULL;
		c->caller = c->agent;
		c->agent = NULL;
		c->seized = false;
		r = direct_user(c, u->id, false);
	} else {
		r = dial_trunk(c, &c->cust, ROLE_CUSTOMER, c->to);
		r = r ? status_of(r) : 0;
	}
	if (r)
		sw_call_end(c, "system", r, 0, c->refused ? c->refused : "the other side cannot be reached");
	else
		(void)med_tone(media_of(c), med_of(u ? c->cust : c->ag), MED_TONE_RINGBACK);
}

/* ---- incoming ---- */

static void echo(struct sw_call *c)
{
	c->phase = CALL_ECHO;
	accept_call(c);
	sw_seg_open(c, SEG_IVR, "echo");
	(void)med_bridge(media_of(c), med_of(c->cust), med_of(c->cust));
}

static int route_trunk(struct sw_call *c, const struct sw_number *n)
{
	const struct sw_queue *q;

	switch (n->dest) {
	case SW_DEST_QUEUE:
		q = sw_queue_of(c->sw, n->target_id);
		if (!q)
			return 404;
		begin_queue(c, q);
		return 0;
	case SW_DEST_USER:
		(void)call_leg_ring(c->cust->leg);
		return direct_user(c, n->target_id, n->record);
	case SW_DEST_URI:
		return direct_uri(c, n);
	}
	return 404;
}

/* His telephone holds its call and dials another one: he asks somebody before he transfers. For the core he talks on in the first. */
static bool may_consult(const struct sw_agent *a)
{
	return a && a->call && a->call->phase == CALL_HELD && a->call->agent == a;
}

bool sw_may_key(struct sw *sw, const struct sw_agent *a)
{
	const struct sw_user *u = a ? sw_user_of(sw, a->id) : NULL;

	return !u || !u->no_dial;
}

static int route_consult(struct sw_call *c, struct sw_agent *a, const struct sw_user *u, const char *dialled)
{
	int r;

	if (u)
		return direct_user(c, u->id, false);
	if (!sw_may_key(c->sw, a))
		return 403;
	c->phase = CALL_DIALLING;
	sw_seg_open(c, SEG_RING, NULL);
	c->agent = a; /* who dials, for what he may and the number he shows */
	r = dial_trunk(c, &c->ag, ROLE_THIRD, dialled);
	c->agent = NULL;
	return r ? status_of(r) : 0;
}

/* A colleague's phone dials: an extension, the echo, or out through a trunk. */
static int route_device(struct sw_call *c, struct sw_agent *a, const char *dialled)
{
	const struct sw_user *u = sw_user_by_extension(c->sw, dialled);
	int r;

	if (!strcmp(dialled, "*43")) {
		echo(c);
		return 0;
	}
	if (!number_ok(dialled))
		return 484;
	if (c->consult_of)
		return route_consult(c, a, u, dialled);
	if (a && a->state != ACD_OFFLINE && !seize(c, a))
		return 486;
	if (u) {
		if (a && a->call == c)
			c->caller = a;
		r = direct_user(c, u->id, false);
		return r;
	}
	if (!a || a->call != c || !sw_may_key(c->sw, a))
		return 403; /* nobody is logged in at this phone: no calls out at somebody's expense */
	/* The device is the agent's side; the customer is dialled. */
	c->ag = c->cust;
	c->cust = NULL;
	c->ag->role = ROLE_AGENT_LEG;
	c->agent = a;
	c->seized = true;
	c->dir = "out";
	c->record = true;
	c->phase = CALL_DIALLING;
	sw_seg_open(c, SEG_RING, NULL);
	r = dial_trunk(c, &c->cust, ROLE_CUSTOMER, dialled);
	return r ? status_of(r) : 0;
}

static struct sw_agent *agent_of_device(struct sw *sw, const char *device)
{
	const struct sw_device *d = sw_device_of(sw, device);
	const struct sw_cred *cred = hmap_get_str(&sw->creds, device);
	int64_t user = d ? d->user_id : cred ? cred->user_id : 0;
	struct sw_agent *a = user ? sw_agent_get(sw, user) : NULL;

	return a && !strcmp(a->device, device) ? a : NULL;
}

/* INVITE with Replaces: the leg goes into the call that is there already; @c was only for the case that it is a new one. */
static int picked_up(struct sw_call *c, struct sw_leg *l, const struct sip_invite *inv, struct sw_agent *a)
{
	struct call_leg *old = call_leg_of(inv->replaces);
	struct sw_leg *ol = old ? call_leg_owner(old) : NULL;
	struct sw *sw = c->sw;
	int r;

	(void)hmap_del(&sw->calls, (uint64_t)c->id);
	free(c);
	assert(ol);
	l->call = ol->call;
	l->call->legs++;
	l->role = ROLE_AGENT_LEG;
	l->agent_id = a ? a->id : 0;
	sw_leg_begun(l, true, inv->transport, inv->dialled, inv->device);
	r = sw_pick_up(ol->call, ol, l, a);
	if (r) {
		l->dropped = true;
		call_leg_hangup(l->leg, r, 0, "may not take that call");
	}
	return 0;
}

int sw_call_invite(struct sip_leg *sip, const struct sip_invite *inv, void *arg)
{
	struct call_leg_audio audio;
	struct sw *sw = arg;
	const struct sw_number *n = NULL;
	const struct sw_trunk *t = NULL;
	bool device = inv->origin == SIP_FROM_DEVICE;
	struct sw_agent *a = device ? agent_of_device(sw, inv->device) : NULL;
	char from[64] = "", to[64];
	const struct sw_user *u;
	struct sw_call *c;
	struct sw_leg *l;
	int r, wait_ms;

	if (sw->stopping || sw->pressed || sw_overloaded(sw))
		return 503;
	if (!device) {
		t = sw_trunk_of(sw, inv->trunk_id);
		n = t ? sw_called(sw, t, inv->dialled, to, sizeof(to)) : NULL;
		if (!n)
			return 404;
		sw_caller(from, sizeof(from), t, inv);
		if (trunk_full(sw, t) || !sw_line_take(sw, t->id, &wait_ms))
			return 503;
	}
	if (a)
		sw_party_leave(a, "a call of his own");
	u = a ? sw_user_of(sw, a->id) : NULL;
	c = call_new(sw, device ? (sw_user_by_extension(sw, inv->dialled) || inv->dialled[0] == '*' ? "internal" : "out") : "in",
		     device ? (u && u->extension && u->extension[0] ? u->extension : inv->device) : from, device ? inv->dialled : to,
		     device || sw_name_is_number(inv->from_name, inv->from_user) ? NULL : inv->from_name);
	c->trunk_id = inv->trunk_id;
	c->number_id = n ? n->id : 0;
	if (may_consult(a)) {
		c->consult_of = a->call->id;
		a->call->consult_id = c->id;
	}
	l = leg_new(c, ROLE_CUSTOMER, inv->trunk_id);
	l->device_id = device ? sw_device_id(sw, inv->device) : 0;
	audio = sw_audio_of(sw, sw_trunk_of(sw, inv->trunk_id), device ? inv->device : NULL, true, NULL);
	r = call_leg_incoming(&l->leg, sw->env, l->id, sip, inv, &audio, &leg_handlers, l);
	if (r) {
		leg_abort(l);
		(void)hmap_del(&sw->calls, (uint64_t)c->id);
		free(c);
		return r;
	}
	if (inv->replaces && ((struct sw_leg *)call_leg_owner(call_leg_of(inv->replaces)))->call) /* not a test ring's */
		return picked_up(c, l, inv, a);
	c->cust = l;
	trunk_count(sw, l->trunk_id, 1);
	if (n && n->dest == SW_DEST_QUEUE)
		c->queue_id = n->target_id;
	call_begun(c);
	sw_leg_begun(l, true, inv->transport, inv->dialled, c->from);
	log_info("call begun call=%lld dir=%s from=%s to=%s", (long long)c->id, c->dir, log_num(c->from), log_num(c->to));
	r = device ? route_device(c, a, inv->dialled) : route_trunk(c, n);
	if (r && c->phase != CALL_ENDED)
		sw_call_end(c, "system", r, 0, c->refused ? c->refused : "cannot be routed");
	return 0;
}

/* ---- what legs report ---- */

static struct sw_leg *other(struct sw_call *c, struct sw_leg *l)
{
	return l == c->cust ? c->ag : c->cust;
}

static bool leg_over(const struct sw_leg *l)
{
	return l && sip_leg_is_over(call_leg_sip(l->leg));
}

/* The first of them; how many come is the other side's choice. */
static void log_ring(struct sw_leg *l, int code)
{
	struct ev e = {.kind = EV_LEG_RING, .call_id = l->call->id, .leg_id = l->id, .agent_id = l->agent_id};
	char buf[32];
	struct strb b;

	if (l->ring_logged)
		return;
	l->ring_logged = true;
	strb_init_fixed(&b, buf, sizeof(buf));
	strb_printf(&b, "{\"code\":%d}", code);
	sw_emit(l->sw, &e, &b);
}

/* The carrier's announcement or ring-back is heard by who called. Until it comes, and some never send any, ours is: the tone gives way
   to the first audio (on_audible). A 180 after a 183 changes nothing: what is heard goes on. */
static void hear_early(struct sw_call *c, struct sw_leg *l, struct sw_leg *o)
{
	(void)call_leg_early(o->leg);
	(void)med_bridge(media_of(c), med_of(c->cust), med_of(c->ag));
	if (!call_leg_audible(l->leg))
		(void)med_tone(media_of(c), med_of(o), MED_TONE_RINGBACK);
}

/* What was heard is over, and somebody else still rings (199). */
static void hear_nothing(struct sw_call *c, struct sw_leg *o)
{
	med_unbridge(media_of(c), med_of(o));
	(void)med_tone(media_of(c), med_of(o), MED_TONE_RINGBACK);
}

static void on_ring(struct call_leg *leg, int code, bool early_media, void *arg)
{
	struct sw_leg *l = arg, *o;
	struct sw_call *c = l->call;

	log_ring(l, code);
	if (l->party)
		return;
	if (early_media && !l->dropped)
		sw_hear_early(l);
	if (!l->dropped && c->out && l == *c->out->slot) {
		c->out->rang = true;
		c->out->heard |= early_media;
	}
	if (!l->dropped && c->phase == CALL_TRANSFER && l == c->xleg)
		sw_transfer_ring(c, code, early_media);
	if (!l->dropped && c->phase == CALL_CONSULT && l == c->xleg)
		sw_consult_ring(c, early_media);
	if (c->phase == CALL_TEST)
		sw_test_said(c, code, early_media);
	if (l->dropped || c->phase != CALL_DIALLING)
		return;
	if (c->dial) {
		sw_campaign_ring(c); /* the agent hears the customer, not his telephone */
		return;
	}
	o = other(c, l);
	if (!o)
		return;
	if (early_media)
		hear_early(c, l, o);
	else if (code == 199 && call_leg_get_state(leg) == CALL_LEG_EARLY)
		hear_nothing(c, o);
	else if (!leg_up(o))
		(void)call_leg_ring(o->leg);
}

/* The first audio of a side that rings: our own ring-back makes room for it. */
static void on_audible(struct call_leg *leg, void *arg)
{
	struct sw_leg *l = arg;
	struct sw_call *c = l->call;
	struct sw_leg *o = l->party ? NULL : l != c->xleg ? other(c, l) : c->phase == CALL_CONSULT ? c->ag : c->cust;

	if (!l->dropped && o && (!c->dial || l == c->xleg) && call_leg_get_state(leg) == CALL_LEG_EARLY && rings_out(c))
		med_stop(media_of(c), med_of(o));
}

static int on_refer(struct call_leg *leg, const char *target, struct call_leg *replaces, void *arg)
{
	struct sw_leg *l = arg;
	int r = sw_transfer(l, target, replaces ? call_leg_owner(replaces) : NULL);

	log_info("transfer asked for call=%lld leg=%lld to=%s attended=%d code=%d", (long long)l->call->id, (long long)l->id,
		 log_num(target), replaces != NULL, r ? r : 202);
	return r;
}

static void on_trying(struct call_leg *leg, void *arg)
{
	struct sw_leg *l = arg;

	if (l->call->phase == CALL_TEST)
		sw_test_said(l->call, 100, false);
}

static void on_up(struct call_leg *leg, void *arg)
{
	struct sw_leg *l = arg;
	struct sw_call *c = l->call;

	sw_leg_answered(l);
	sw_hear_answered(l);
	if (l->party) {
		sw_party_up(l);
		return;
	}
	if (l->dropped || (l != c->xleg && leg_over(other(c, l))))
		return; /* the other side has gone in the same moment: that is told next */
	switch (c->phase) {
	case CALL_OFFERED:
		if (l == c->ag)
			offer_answered(c);
		break;
	case CALL_AGENT_FIRST:
		dial_other_side(c);
		break;
	case CALL_DIALLING:
		/* The dialled side is the one that makes it a conversation. */
		if (c->dial && l == c->cust)
			sw_campaign_up(c);
		else if (l == (c->seized && !strcmp(c->dir, "out") ? c->cust : c->ag))
			connect(c);
		break;
	case CALL_LOST:
		if (l == c->ag)
			connect(c);
		break;
	case CALL_TRANSFER:
		if (l == c->xleg)
			sw_transfer_up(c);
		break;
	case CALL_CONSULT:
		if (l == c->xleg)
			sw_consult_up(c);
		break;
	case CALL_TEST:
		sw_test_said(c, 200, false);
		break;
	default:
		break;
	}
}

static void on_digit(struct call_leg *leg, char digit, bool in_audio, void *arg)
{
	struct sw_leg *l = arg, *o = l->dropped || l->party ? NULL : other(l->call, l);
	const char digits[2] = {digit, '\0'};

	/* In a talk digits pass through with the audio; those of INFO are made audible here. */
	if (o && !in_audio && l->call->phase == CALL_TALK && med_of(o))
		(void)med_send_digits(media_of(l->call), med_of(o), digits);
}

static void on_played(struct call_leg *leg, void *arg)
{
	struct sw_leg *l = arg;
	struct sw_call *c = l->call;

	if (l->dropped)
		return;
	switch (c->phase) {
	case CALL_TALK:
		if (l == c->ag && c->beep)
			join(c);
		break;
	case CALL_GREETING:
		rec_stop(c);
		enter_queue(c, 0, 0);
		sw_call_shut(c);
		break;
	case CALL_WAITING:
	case CALL_OFFERED:
		play_music(c);
		break;
	case CALL_GOODBYE:
		sw_call_end(c, "system", 0, 16, "goodbye");
		break;
	default:
		break;
	}
}

static void hold_audio(struct sw_call *c, bool hold)
{
	if (hold) {
		rec_stop(c);
		c->phase = CALL_HELD;
		sw_call_audio(c);
		play_music(c);
		sw_seg_open(c, SEG_HOLD, NULL);
	} else {
		connect(c);
	}
}

static void on_held(struct call_leg *leg, bool held, void *arg)
{
	struct sw_leg *l = arg;
	struct sw_call *c = l->call;

	if (l->dropped || l != c->ag || !leg_up(c->cust))
		return;
	if (c->phase == CALL_TRANSFER || c->phase == CALL_CONSULT)
		c->agent_held = held;
	if (held && c->phase == CALL_TALK) {
		c->agent_held = true;
		hold_audio(c, true);
	} else if (!held && c->phase == CALL_HELD && c->agent_held) {
		c->agent_held = false;
		hold_audio(c, false);
	}
}

/* A colleague's or a customer's call straight to him, not yet answered. */
static bool rings_directly(const struct sw_call *c, const struct sw_agent *a)
{
	return c->phase == CALL_DIALLING && c->agent == a && strcmp(c->dir, "out") != 0;
}

enum sw_refusal sw_call_hold(struct sw_call *c, bool hold)
{
	if (c->phase != (hold ? CALL_TALK : CALL_HELD) || !c->cust || !c->ag)
		return SW_R_STATE;
	c->agent_held = false;
	hold_audio(c, hold);
	return SW_OK;
}

enum sw_refusal sw_call_refuse(struct sw_call *c, const struct sw_agent *a)
{
	if (c->phase == CALL_OFFERED)
		refuse_offer(c->sw, c->id, a->id, c->offer_id, 603);
	else if (rings_directly(c, a))
		sw_call_end(c, "agent", 603, 21, "refused");
	else if ((c->phase == CALL_TRANSFER || c->phase == CALL_CONSULT) && a == c->xagent)
		sw_transfer_failed(c, 603);
	else
		return SW_R_STATE;
	return SW_OK;
}

enum sw_refusal sw_call_digits(struct sw_call *c, const char *digits)
{
	if (!digits[0] || strspn(digits, "0123456789*#ABCD") != strlen(digits))
		return SW_R_NUMBER;
	if (c->phase == CALL_CONSULT && c->move.up) /* whom he talks with */
		return med_send_digits(media_of(c), med_of(c->move.swapped ? c->cust : c->xleg), digits) ? SW_R_STATE : SW_OK;
	if (c->phase != CALL_TALK || !c->cust)
		return SW_R_STATE;
	return med_send_digits(media_of(c), med_of(c->cust), digits) ? SW_R_STATE : SW_OK;
}

/* Nobody is there any more, and no BYE will come. A telephone that holds us sends nothing, and that is as it should be. */
static void leg_dead(void *arg)
{
	struct sw_leg *l = arg;

	if (l->dropped)
		return;
	if (med_leg_held_by_remote(l->sw->media, med_of(l))) {
		ltimer_set(&l->dead, l->sw->start.dead_ms, leg_dead, l);
		return;
	}
	log_warn("no audio for %d s, hanging up call=%lld leg=%lld", l->sw->start.dead_ms / 1000, (long long)l->call->id, (long long)l->id);
	if (l->party)
		sw_party_dead(l);
	else
		sw_call_end(l->call, "line", 0, 27, "no audio arrives");
}

static void on_silent(struct call_leg *leg, bool silent, void *arg)
{
	struct sw_leg *l = arg;

	log_info("%s call=%lld leg=%lld", silent ? "no audio arrives" : "audio is back", (long long)l->call->id, (long long)l->id);
	if (!silent)
		ltimer_cancel(&l->dead);
	else if (l->call->phase == CALL_ECHO)
		sw_call_end(l->call, "line", 0, 27, "no audio arrives"); /* there is nobody else to hang up */
	else
		ltimer_set(&l->dead, l->sw->start.dead_ms - l->sw->start.dead_ms / 6, leg_dead, l);
}

/* ---- the agent's browser vanishes in mid-call and comes back ---- */

static void resume_failed(void *arg)
{
	struct sw_call *c = arg;
	bool inbound = !strcmp(c->dir, "in") && c->queue_id && leg_up(c->cust);

	leg_drop(&c->ag, 487, 0, "agent did not come back");
	if (!inbound) {
		sw_call_end(c, "system", 0, 27, "agent's telephone was lost");
		return;
	}
	ltimer_cancel(&c->timer);
	agent_release(c, &c->agent, true);
	c->seized = false;
	log_warn("agent did not come back, the caller waits anew call=%lld", (long long)c->id);
	enter_queue(c, 0, 1000);
}

static void try_resume(struct sw_call *c)
{
	if (c->ag)
		return;
	if (ring_agent(c, c->agent, true, true, 10000))
		log_debug("agent's telephone is not back yet call=%lld", (long long)c->id);
}

static void agent_lost(struct sw_call *c)
{
	log_warn("agent's telephone is lost call=%lld agent=%lld, waiting %d ms", (long long)c->id,
		 (long long)(c->agent ? c->agent->id : 0), c->sw->start.resume_ms);
	rec_stop(c);
	if (c->phase != CALL_LOST) {
		c->phase = CALL_LOST;
		c->agent_held = c->beep = false;
		if (med_of(c->cust)) {
			med_unbridge(media_of(c), med_of(c->cust));
			play_music(c);
		}
		sw_seg_open(c, SEG_HOLD, "lost");
		ltimer_set(&c->timer, c->sw->start.resume_ms, resume_failed, c);
	}
	try_resume(c);
}

void sw_call_agent_leaves(struct sw_call *c, struct sw_agent *a, const char *why)
{
	if (c->reserved)
		return; /* he is not in it yet: when he has left, another is kept for it */
	if (c->agent == a && c->phase != CALL_CONSULT && sw_party_inherits(c))
		return;
	if ((c->phase == CALL_TRANSFER || c->phase == CALL_CONSULT) && a != c->caller)
		sw_transfer_hangup(c, a);
	else if (c->phase == CALL_LOST)
		resume_failed(c);
	else if (c->phase != CALL_OFFERED) /* the core takes an offer back by itself */
		sw_call_end(c, "system", 480, 0, why);
}

/* He is rung, and his browser has come back on another socket: what rang there is lost. */
static void ring_again(struct sw_call *c, struct sw_agent *a)
{
	const struct sw_queue *q = sw_queue_of(c->sw, c->queue_id);
	struct acd_agent_view v;

	leg_drop(&c->ag, 487, 0, "telephone moved");
	switch (c->phase) {
	case CALL_LOST:
		try_resume(c);
		return;
	case CALL_OFFERED:
		if (acd_agent_get(c->sw->acd, a->id, &v) ||
		    ring_agent(c, a, q && q->auto_answer, false, (int)(v.until_ms - clock_utc_ms()) + RING_MARGIN_MS))
			refuse_offer(c->sw, c->id, a->id, c->offer_id, 480);
		return;
	default:
		if (ring_agent(c, a, c->phase == CALL_AGENT_FIRST, false, DIRECT_RING_MS))
			sw_call_end(c, "line", 480, 27, "telephone was lost");
	}
}

/* Gone, or registered from a new place: what we have of him is a dead flow either way. */
void sw_call_agent_device(struct sw_call *c, struct sw_agent *a, bool up)
{
	bool rung;

	if (c->phase == CALL_TRANSFER) {
		sw_transfer_device(c, a);
		return;
	}
	if (c->phase == CALL_CONSULT && a == c->xagent) {
		sw_transfer_failed(c, 480);
		return;
	}
	if (c->phase == CALL_CONSULT && a == c->agent)
		sw_consult_drop(c);
	rung = c->phase == CALL_OFFERED || c->phase == CALL_LOST || c->phase == CALL_AGENT_FIRST || rings_directly(c, a);

	if (a == c->caller) {
		sw_call_end(c, "line", 480, 27, "telephone was lost");
	} else if (rung && up) {
		ring_again(c, a);
	} else if (c->phase == CALL_TALK || c->phase == CALL_HELD) {
		leg_drop(&c->ag, 0, 27, "telephone moved");
		agent_lost(c);
	} else if (c->phase != CALL_OFFERED && c->phase != CALL_LOST) {
		sw_call_end(c, "line", 480, 27, "telephone was lost");
	}
}

void sw_call_wait_on(struct sw_call *c)
{
	leg_drop(&c->ag, 487, 16, "no longer offered");
	agent_forget(c);
	c->offer_id = 0;
	c->phase = CALL_WAITING;
	if (acd_call_waits(c->sw->acd, c->id))
		sw_seg_open(c, SEG_QUEUE, NULL);
	else
		enter_queue(c, clock_utc_ms() - c->enter_ms, 0);
}

static void agent_leg_closed(struct sw_call *c, const struct call_leg_close *cl)
{
	c->ag = NULL;
	switch (c->phase) {
	case CALL_TRANSFER:
		sw_transfer_agent_gone(c);
		break;
	case CALL_CONSULT:
		if (cl->by == SIP_BY_LOST || cl->by == SIP_BY_TIMEOUT) {
			sw_consult_drop(c);
			agent_lost(c);
		} else {
			sw_consult_agent_gone(c);
		}
		break;
	case CALL_OFFERED:
		refuse_offer(c->sw, c->id, c->agent->id, c->offer_id, cl->code ? cl->code : 480);
		break;
	case CALL_LOST:
		break; /* the timer decides; a registration tries again */
	case CALL_TALK:
	case CALL_HELD:
		if (c->agent && (cl->by == SIP_BY_LOST || cl->by == SIP_BY_TIMEOUT))
			agent_lost(c);
		else if (!sw_transfer_hung_up(c) && !sw_party_inherits(c))
			sw_call_end(c, "agent", cl->code, cl->q850, cl->reason);
		break;
	case CALL_DIALLING:
		if (c->queue_id && !c->agent) {
			goodbye(c); /* the number that the queue overflows to */
			break;
		}
		/* fall through */
	default:
		sw_call_end(c, c->phase == CALL_DIALLING && c->cust && leg_up(c->cust) ? "line" : "agent", cl->code ? cl->code : 480,
			    cl->q850, cl->reason);
		break;
	}
}

/* Nothing is left to try, and no leg's end will say so. */
static void out_failed(struct sw_call *c, int code, int q850, const char *reason)
{
	out_forget(c);
	if (c->phase == CALL_TRANSFER || c->phase == CALL_CONSULT)
		sw_transfer_failed(c, code);
	else if (c->queue_id && !c->agent)
		goodbye(c);
	else
		sw_call_end(c, "line", code, q850, reason);
}

static void on_closed(struct call_leg *leg, const struct call_leg_close *cl, void *arg)
{
	struct sw_leg *l = arg;
	struct sw_call *c = l->call;

	trunk_count(l->sw, l->trunk_id, -1);
	sw_toll_ended(l);
	ltimer_cancel(&l->dead);
	ltimer_cancel(&l->hear_end);
	if (l->dropped)
		return;
	l->dropped = true;
	if (l->party) {
		sw_party_closed(l);
		return;
	}
	if (c->phase == CALL_TEST)
		sw_test_closed(c, cl);
	if (out_closed(c, l, cl))
		return;
	if (l == c->ag) {
		agent_leg_closed(c, cl);
	} else if (l == c->xleg) {
		c->xleg = NULL;
		sw_transfer_failed(c, cl->code ? cl->code : 480);
	} else if (l == c->cust) {
		if (c->dial)
			sw_campaign_closed(c, cl);
		c->cust = NULL;
		sw_call_end(c, cl->by == SIP_BY_REMOTE ? "customer" : "line", cl->code, cl->q850, cl->reason);
	}
}

static void on_gone(struct call_leg *leg, const struct call_leg_close *cl, const struct med_stats *st, void *arg)
{
	static const char *const by[] = {
		[SIP_BY_REMOTE] = "remote", [SIP_BY_LOCAL] = "local", [SIP_BY_TIMEOUT] = "timeout", [SIP_BY_LOST] = "lost",
	};
	struct sw_leg *l = arg;
	struct sw_call *c = l->call;
	struct ev e = {.kind = EV_LEG_END, .call_id = c ? c->id : 0, .leg_id = l->id, .agent_id = l->agent_id};
	char buf[512];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	if (l->trunk_id)
		jw_id(&w, "trunk", l->trunk_id);
	jw_str(&w, "by", by[cl->by]);
	jw_int(&w, "code", cl->code);
	jw_int(&w, "q850", cl->q850);
	jw_str(&w, "reason", cl->reason);
	sw_audio_quality(l, &w, st);
	jw_end_obj(&w);
	sw_emit(l->sw, &e, &b);
	(void)obj_unref(leg);
	free(l);
	if (!c)
		return;
	c->legs--;
	call_free_if_done(c);
}

static void on_trouble(struct call_leg *leg, enum med_trouble t, void *arg)
{
	struct sw_leg *l = arg;

	if (!l->party) /* who only listens need not be heard */
		sw_audio_trouble(l, t);
}

static void on_heard(struct call_leg *leg, const struct med_heard *h, void *arg)
{
	sw_hear_news(arg, h);
}

static const struct call_leg_handlers leg_handlers = {
	.trying = on_trying,
	.ring = on_ring,
	.up = on_up,
	.held = on_held,
	.digit = on_digit,
	.played = on_played,
	.silent = on_silent,
	.trouble = on_trouble,
	.closed = on_closed,
	.gone = on_gone,
	.audible = on_audible,
	.heard = on_heard,
	.refer = on_refer,
};

const struct call_leg_handlers *sw_call_leg_handlers(void)
{
	return &leg_handlers;
}

/* ---- for transfers: sw_refer.c ---- */

void sw_call_rec_stop(struct sw_call *c)
{
	rec_stop(c);
}

void sw_call_play_music(struct sw_call *c)
{
	play_music(c);
}

void sw_call_drop_leg(struct sw_leg **pl, int code, int q850, const char *reason)
{
	leg_drop(pl, code, q850, reason);
}

void sw_call_release(struct sw_call *c, struct sw_agent **pa, bool wrap)
{
	agent_release(c, pa, wrap && strcmp(c->dir, "internal") != 0);
}

void sw_call_connect(struct sw_call *c)
{
	connect(c);
}

void sw_call_join(struct sw_call *c)
{
	join(c);
}

void sw_call_enter_queue(struct sw_call *c, int64_t waited_ms, int priority)
{
	enter_queue(c, waited_ms, priority);
}

bool sw_call_seize(struct sw_call *c, struct sw_agent *a)
{
	return seize(c, a);
}

int sw_call_ring_agent(struct sw_call *c, struct sw_agent *a, int timeout_ms)
{
	return ring_agent(c, a, false, false, timeout_ms);
}

int sw_call_ring_party(struct sw_call *c, struct sw_leg **ret, struct sw_agent *a, const char *device, int timeout_ms)
{
	struct sw_agent as = {.id = a->id}, *agent = c->agent;
	enum med_profile profile;
	char headers[256];
	struct shown shown;
	struct sip_dial d = {.from_user = shown.user, .from_name = shown.name, .headers = headers, .ring_timeout_ms = timeout_ms};
	int r;

	(void)str_copy(as.device, sizeof(as.device), device);
	r = sw_agent_dial(c->sw, &as, &d, &profile);
	if (r)
		return r;
	sw_ring_stop(a);
	show_caller(&shown, c, sw_user_of(c->sw, a->id));
	dial_headers(headers, sizeof(headers), c, true, false);
	c->agent = &as; /* whose leg it is */
	r = leg_dial(ret, c, ROLE_PARTY, 0, profile, &d);
	c->agent = agent;
	return r;
}

void sw_call_dial_over(struct sw_call *c)
{
	out_forget(c);
}

int sw_call_dial_out(struct sw_call *c, struct sw_leg **ret, const char *number)
{
	return number_ok(number) ? dial_trunk(c, ret, ROLE_THIRD, number) : -EINVAL;
}

/* ---- what test calls use ---- */

struct sw_call *sw_call_test(struct sw *sw, const struct sw_verdict *v, int64_t trunk_id)
{
	struct sw_call *c = call_new(sw, "test", v->id.number, v->num.text, NULL);

	c->trunk_id = trunk_id;
	c->phase = CALL_TEST;
	call_begun(c);
	return c;
}

int sw_call_test_dial(struct sw_call *c, const struct sip_dial *d)
{
	return leg_dial(&c->cust, c, ROLE_CUSTOMER, c->trunk_id, MED_PLAIN, d);
}

void sw_call_test_play(struct sw_call *c, const char *prompt)
{
	(void)play(c, c->cust, prompt, true);
}
