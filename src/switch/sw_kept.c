/* See sw_kept.h. A leg between calls has no call; in one it reports as every other leg does. */
#include "switch/sw_kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/sw_campaign.h"

static const struct call_leg_handlers *base(void)
{
	return sw_call_leg_handlers();
}

bool sw_kept_up(const struct sw_agent *a)
{
	const struct sw_leg *l = a->kept;

	return l && !l->call && call_leg_get_state(l->leg) == CALL_LEG_UP;
}

static void hush(struct sw_leg *l)
{
	(void)med_tone(l->sw->media, call_leg_media(l->leg), MED_TONE_SILENCE);
}

void sw_kept_take(struct sw_call *c, struct sw_agent *a)
{
	struct sw_leg *l = a->kept;

	l->call = c;
	c->legs++;
	c->ag = l;
	c->beep = false;
	sip_leg_trace(call_leg_sip(l->leg), c->id, l->id, 0, "agent", a->device);
}

bool sw_kept_put_back(struct sw_leg *l)
{
	struct call_leg *leg = l->leg;

	/* A telephone that has put the last customer on hold would not hear the next one. */
	if (!l->kept || call_leg_get_state(leg) != CALL_LEG_UP || sip_leg_is_over(call_leg_sip(leg)) ||
	    med_leg_held_by_remote(l->sw->media, call_leg_media(leg)))
		return false;
	l->call->legs--;
	l->call = NULL;
	med_unbridge(l->sw->media, call_leg_media(leg));
	hush(l);
	return true;
}

void sw_kept_drop(struct sw_agent *a, const char *reason)
{
	struct sw_leg *l = a->kept;

	if (!l)
		return;
	a->kept = NULL;
	l->kept = false;
	if (l->call)
		return;
	l->dropped = true;
	call_leg_hangup(l->leg, 487, 16, reason);
}

/* ---- what it reports ---- */

static void on_ring(struct call_leg *leg, int code, bool early_media, void *arg)
{
	struct sw_leg *l = arg;

	if (l->call)
		base()->ring(leg, code, early_media, arg);
}

static void on_up(struct call_leg *leg, void *arg)
{
	struct sw_leg *l = arg;
	struct sw_agent *a = sw_agent_get(l->sw, l->agent_id);

	sw_leg_answered(l);
	if (l->dropped || !a || a->kept != l)
		return;
	hush(l);
	log_info("telephone stays connected agent=%lld device=%s", (long long)a->id, a->device);
	sw_campaign_kept(l->sw, a, 0);
}

static void on_held(struct call_leg *leg, bool held, void *arg)
{
	struct sw_leg *l = arg;

	if (l->call)
		base()->held(leg, held, arg);
}

static void on_digit(struct call_leg *leg, char digit, bool in_audio, void *arg)
{
	struct sw_leg *l = arg;

	if (l->call)
		base()->digit(leg, digit, in_audio, arg);
}

static void on_played(struct call_leg *leg, void *arg)
{
	struct sw_leg *l = arg;

	if (l->call)
		base()->played(leg, arg);
}

/* Nobody is there any more, in a call or not. */
static void dead(void *arg)
{
	struct sw_leg *l = arg;

	if (l->dropped)
		return;
	log_warn("no audio for %d s, hanging up agent=%lld leg=%lld", l->sw->start.dead_ms / 1000, (long long)l->agent_id, (long long)l->id);
	if (l->call)
		sw_call_end(l->call, "line", 0, 27, "no audio arrives");
	call_leg_hangup(l->leg, 0, 27, "no audio arrives");
}

static void on_silent(struct call_leg *leg, bool silent, void *arg)
{
	struct sw_leg *l = arg;

	if (!silent)
		ltimer_cancel(&l->dead);
	else
		ltimer_set(&l->dead, l->sw->start.dead_ms - l->sw->start.dead_ms / 6, dead, l);
}

static void on_trouble(struct call_leg *leg, enum med_trouble t, void *arg)
{
	sw_audio_trouble(arg, t);
}

static void on_audible(struct call_leg *leg, void *arg)
{
	struct sw_leg *l = arg;

	if (l->call)
		base()->audible(leg, arg);
}

static int on_refer(struct call_leg *leg, const char *target, struct call_leg *replaces, void *arg)
{
	struct sw_leg *l = arg;

	return l->call ? base()->refer(leg, target, replaces, arg) : 603;
}

static void hung_up(struct sw *sw, struct sw_agent *a)
{
	struct acd_in in = {.kind = ACD_IN_BREAK, .agent_id = a->id, .reason = "phone"};

	log_info("agent hung up between calls agent=%lld", (long long)a->id);
	(void)sw_acd(sw, &in);
}

static void on_closed(struct call_leg *leg, const struct call_leg_close *cl, void *arg)
{
	struct sw_leg *l = arg;
	struct sw_agent *a = sw_agent_get(l->sw, l->agent_id);
	bool kept = a && a->kept == l;

	if (kept)
		a->kept = NULL;
	if (l->call) {
		l->kept = false;
		base()->closed(leg, cl, arg);
		return;
	}
	ltimer_cancel(&l->dead);
	l->dropped = true;
	if (!kept)
		return;
	if (l->answer_logged && cl->by == SIP_BY_REMOTE && !cl->code)
		hung_up(l->sw, a);
	else
		sw_campaign_kept(l->sw, a, cl->code ? cl->code : 480);
}

static void on_gone(struct call_leg *leg, const struct call_leg_close *cl, const struct med_stats *st, void *arg)
{
	struct sw_leg *l = arg;
	struct sw *sw = l->sw;

	base()->gone(leg, cl, st, arg);
	sw->kept_legs--;
	sw_finish_soon(sw);
}

static const struct call_leg_handlers handlers = {
	.ring = on_ring, .up = on_up, .held = on_held, .digit = on_digit, .played = on_played, .silent = on_silent, .trouble = on_trouble,
	.closed = on_closed, .gone = on_gone, .audible = on_audible, .refer = on_refer,
};

int sw_kept_dial(struct sw_agent *a, struct sw *sw, int timeout_ms)
{
	struct sip_dial d = {
		.from_user = "dialler", .from_name = "外呼 Dialling", .ring_timeout_ms = timeout_ms,
		.headers = "X-Huawu-Kept: 1\r\n" SW_AUTO_ANSWER,
	};
	struct call_leg_audio audio = sw_audio_of(sw, NULL, a->device, false, NULL);
	enum med_profile profile;
	struct sw_leg *l;
	int r;

	if (a->kept)
		return 0;
	if (sw->stopping)
		return -ESHUTDOWN;
	r = sw_agent_dial(sw, a, &d, &profile);
	if (r)
		return r;
	sw_ring_stop(a);
	sw_party_leave(a, "a call rings");
	l = xcalloc(1, sizeof(*l));
	l->sw = sw;
	l->id = idgen_next(&sw->ids, clock_utc_ms());
	l->role = ROLE_AGENT_LEG;
	l->agent_id = a->id;
	l->device_id = sw_device_id(sw, a->device);
	l->kept = true;
	r = call_leg_outgoing(&l->leg, sw->env, l->id, profile, &d, &audio, &handlers, l);
	if (r) {
		free(l);
		return r;
	}
	a->kept = l;
	sw->kept_legs++;
	sw_leg_begun(l, false, sip_leg_transport(call_leg_sip(l->leg)), d.from_user, d.device ? d.device : d.uri);
	return 0;
}
