/*
 * A test ring: an agent hears whether the telephone rings that he has chosen. It is no call: nobody is on the other side, nothing is
 * recorded, and a call for him ends it. Whoever answers hears a tone and is let go.
 */
#include <stdlib.h>
#include <string.h>

#include "switch/sw.h"

#define RING_MS 10000

struct sw_ring {
	struct sw_leg leg; /* first: whoever asks for a leg's owner gets this, and sees that it has no call */
};

static void ring_over(struct sw_ring *r)
{
	struct sw_agent *a = sw_agent_get(r->leg.sw, r->leg.agent_id);

	if (a && a->ring == r)
		a->ring = NULL;
}

static void on_up(struct call_leg *leg, void *arg)
{
	static const char *const tone[] = {"beep"};
	struct sw_ring *r = arg;

	if (med_play(r->leg.sw->media, call_leg_media(leg), tone, 1, false))
		call_leg_hangup(leg, 0, 16, "test ring answered");
}

static void on_played(struct call_leg *leg, void *arg)
{
	call_leg_hangup(leg, 0, 16, "test ring answered");
}

static void on_closed(struct call_leg *leg, const struct call_leg_close *c, void *arg)
{
	ring_over(arg);
}

static void on_gone(struct call_leg *leg, const struct call_leg_close *c, const struct med_stats *st, void *arg)
{
	(void)obj_unref(leg);
	free(arg);
}

static void on_ring(struct call_leg *leg, int code, bool early_media, void *arg)
{
}

static void on_flag(struct call_leg *leg, bool on, void *arg)
{
}

static void on_digit(struct call_leg *leg, char digit, bool in_audio, void *arg)
{
}

static void on_audible(struct call_leg *leg, void *arg)
{
}

static const struct call_leg_handlers handlers = {
	.ring = on_ring, .up = on_up, .held = on_flag, .digit = on_digit, .played = on_played, .silent = on_flag, .closed = on_closed,
	.gone = on_gone, .audible = on_audible,
};

enum sw_refusal sw_ring_start(struct sw *sw, struct sw_agent *a, const char *device)
{
	struct sw_agent as = {.id = a->id};
	struct sip_dial d = {.from_user = "test", .from_name = "振铃测试 Test ring", .ring_timeout_ms = RING_MS};
	struct call_leg_audio audio = sw_audio_of(sw, NULL, device, false, NULL);
	enum med_profile profile;
	struct sw_ring *r;

	if (a->call || a->ring || a->kept || a->dial)
		return SW_R_STATE;
	(void)str_copy(as.device, sizeof(as.device), device);
	if (sw_agent_dial(sw, &as, &d, &profile))
		return SW_R_NO_DEVICE;
	r = xcalloc(1, sizeof(*r));
	r->leg.sw = sw;
	r->leg.agent_id = a->id;
	r->leg.id = idgen_next(&sw->ids, clock_utc_ms());
	r->leg.dropped = true;
	if (call_leg_outgoing(&r->leg.leg, sw->env, r->leg.id, profile, &d, &audio, &handlers, r)) {
		free(r);
		return SW_R_NO_DEVICE;
	}
	a->ring = r;
	log_info("test ring agent=%lld device=%s", (long long)a->id, device);
	return SW_OK;
}

void sw_ring_stop(struct sw_agent *a)
{
	if (a->ring)
		call_leg_hangup(a->ring->leg.leg, 0, 16, "a call comes");
	a->ring = NULL;
}
