/*
 * The routing core's adapter. Every input is logged before it is fed, every decision is logged as it is made, and acted on afterwards:
 * acting may give new inputs, so decisions wait in `outs` until the core has returned.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switch/sw.h"
#include "switch/sw_campaign.h"
#include "switch/sw_kept.h"
#include "switch/sw_number.h"

/* The input happens at the time its row says, to the millisecond, or replay would derive other deadlines. */
static void emit_in(struct sw *sw, struct acd_in *in)
{
	struct ev e = {
		.kind = EV_ACD_IN,
		.call_id = in->call_id,
		.agent_id = in->agent_id,
		.queue_id = in->queue_id,
	};
	char buf[512];
	struct strb b;

	strb_init_fixed(&b, buf, sizeof(buf));
	acd_in_encode(in, &b);
	sw_emit(sw, &e, &b);
	in->at_ms = e.at_ms;
}

void sw_acd_emit(const struct acd_out *out, void *arg)
{
	static const enum ev_kind kinds[] = {
		[ACD_OUT_STATE] = EV_AGENT_STATE,       [ACD_OUT_OFFER] = EV_OFFER_NEW,
		[ACD_OUT_OFFER_END] = EV_OFFER_END,     [ACD_OUT_OVERFLOW] = EV_QUEUE_OVERFLOW,
		[ACD_OUT_ANNOUNCE] = EV_QUEUE_ANNOUNCE, [ACD_OUT_OWNER] = EV_QUEUE_OWNER, [ACD_OUT_RESERVE] = EV_RESERVE_NEW,
	};
	struct sw *sw = arg;
	struct ev e = {
		.kind = kinds[out->kind],
		.call_id = out->call_id,
		.agent_id = out->agent_id,
		.queue_id = out->queue_id,
		.body = out->body,
		.body_len = out->body_len,
	};

	sw_emit(sw, &e, NULL);
	if (sw->out_n == sw->out_cap) {
		sw->out_cap = sw->out_cap ? sw->out_cap * 2 : 64;
		sw->outs = xrealloc(sw->outs, sw->out_cap * sizeof(*sw->outs));
	}
	sw->outs[sw->out_n] = *out;
	sw->outs[sw->out_n].body = NULL;
	/* Borrowed; the only one that the actions need is that an offer ended well. */
	sw->outs[sw->out_n].reason = out->kind == ACD_OUT_OFFER_END && !strcmp(out->reason, "answered") ? "answered" : NULL;
	sw->out_n++;
}

static void act(struct sw *sw, const struct acd_out *out)
{
	struct sw_agent *a;

	switch (out->kind) {
	case ACD_OUT_STATE:
		a = sw_agent_get(sw, out->agent_id);
		if (a) {
			a->state = out->state;
			camp_pace_agent(sw, a, out);
			sw_campaign_agent_state(sw, a, out);
			if (out->state == ACD_OFFLINE && !a->call)
				a->device[0] = '\0';
		}
		break;
	case ACD_OUT_OFFER:
		sw_call_offer(sw, out);
		break;
	case ACD_OUT_OFFER_END:
		sw_call_offer_end(sw, out);
		break;
	case ACD_OUT_OVERFLOW:
		sw_call_overflow(sw, out);
		break;
	case ACD_OUT_ANNOUNCE:
		sw_call_announce(sw, out);
		break;
	case ACD_OUT_OWNER:
		break; /* told; what follows from it is an offer */
	case ACD_OUT_RESERVE:
		sw_campaign_reserved(sw, out);
		break;
	}
}

static void on_deadline(void *arg)
{
	struct sw *sw = arg;

	sw->acd_timer_ms = 0;
	sw_acd_step(sw);
}

static void drain(struct sw *sw)
{
	int64_t next;

	if (sw->draining)
		return;
	sw->draining = true;
	while (sw->out_at < sw->out_n) {
		struct acd_out out = sw->outs[sw->out_at++];

		act(sw, &out);
	}
	sw->out_n = sw->out_at = 0;
	sw->draining = false;
	next = acd_next_ms(sw->acd);
	if (next == sw->acd_timer_ms)
		return;
	sw->acd_timer_ms = next;
	if (next == INT64_MAX)
		ltimer_cancel(&sw->acd_timer);
	else
		ltimer_set(&sw->acd_timer, next - clock_utc_ms(), on_deadline, sw);
}

int sw_acd(struct sw *sw, struct acd_in *in)
{
	int r;

	emit_in(sw, in);
	r = acd_input(sw->acd, in);
	drain(sw);
	return r;
}

void sw_acd_step(struct sw *sw)
{
	acd_step(sw->acd, clock_utc_ms());
	drain(sw);
}

struct sw_agent *sw_agent_get(struct sw *sw, int64_t id)
{
	struct sw_agent *a = hmap_get(&sw->agents, (uint64_t)id);
	const struct sw_user *u;

	if (a)
		return a;
	u = sw_user_of(sw, id);
	if (!u)
		return NULL;
	a = xcalloc(1, sizeof(*a));
	a->id = id;
	a->team_id = u->team_id;
	(void)hmap_set(&sw->agents, (uint64_t)id, a);
	return a;
}

static const struct sw_device *static_device(const struct sw *sw, int64_t user_id)
{
	for (size_t i = 0; i < sw->conf->device_n; i++)
		if (sw->conf->devices[i].user_id == user_id && sw->conf->devices[i].static_uri)
			return &sw->conf->devices[i];
	return NULL;
}

static bool device_up(const struct sw *sw, const char *name)
{
	const struct sw_device *d = sw_device_of(sw, name);

	return (d && d->static_uri) || hmap_get_str(&sw->regs, name);
}

static void choose(struct sw *sw, struct sw_agent *a, const char *device);

void sw_static_agents(struct sw *sw)
{
	for (size_t i = 0; i < sw->conf->user_n; i++) {
		const struct sw_user *u = &sw->conf->users[i];
		const struct sw_device *d;
		struct sw_agent *a;

		if (!u->static_agent)
			continue;
		d = static_device(sw, u->id);
		a = sw_agent_get(sw, u->id);
		if (!d || !a || a->begun || a->state != ACD_OFFLINE)
			continue; /* who logs out later stays out */
		a->begun = true;
		choose(sw, a, d->name);
		struct acd_in in = {.kind = ACD_IN_LOGIN, .agent_id = u->id, .device_up = true, .ready = true};

		(void)sw_acd(sw, &in);
	}
}

int sw_agent_dial(struct sw *sw, const struct sw_agent *a, struct sip_dial *d, enum med_profile *profile)
{
	const struct sw_device *dev = sw_device_of(sw, a->device);
	const struct sw_reg *reg = hmap_get_str(&sw->regs, a->device);

	*profile = MED_PLAIN;
	if (dev && dev->static_uri) {
		if (!sw_forward_ok(sw, dev->static_uri))
			return -EACCES;
		d->uri = dev->static_uri;
		return 0;
	}
	if (!reg)
		return -ENOENT;
	d->device = a->device;
	if (reg->browser)
		*profile = MED_WEBRTC;
	return 0;
}

void sw_device_event(struct sw *sw, const char *device, bool up)
{
	const struct sw_device *d = sw_device_of(sw, device);
	struct ev e = {.kind = EV_DEVICE_STATE};
	char buf[160];
	struct strb b;
	struct jw w;

	if (!d)
		return; /* a browser: its agent knows */
	e.agent_id = d->user_id;
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "device", device);
	jw_bool(&w, "up", up);
	jw_end_obj(&w);
	sw_emit(sw, &e, &b);
}

static void choose(struct sw *sw, struct sw_agent *a, const char *device)
{
	struct ev e = {.kind = EV_AGENT_DEVICE, .agent_id = a->id};
	char buf[160];
	struct strb b;
	struct jw w;

	(void)str_copy(a->device, sizeof(a->device), device);
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "device", device);
	jw_end_obj(&w);
	sw_emit(sw, &e, &b);
}

bool sw_agent_visit(struct sw *sw, struct sw_agent *a, const char *device)
{
	struct acd_in in = {.kind = ACD_IN_LOGIN, .agent_id = a->id, .device_up = true};

	if (a->state != ACD_OFFLINE)
		return true;
	choose(sw, a, device);
	a->visits = !sw_acd(sw, &in);
	return a->visits;
}

void sw_agent_visited(struct sw *sw, struct sw_agent *a)
{
	struct acd_in in = {.kind = ACD_IN_LOGOUT, .agent_id = a->id, .force = true};

	if (!a->visits)
		return;
	a->visits = false;
	(void)sw_acd(sw, &in);
}

/* Walks all agents: registrations change seldom against calls, and agents are thousands at most. */
void sw_agent_device(struct sw *sw, const char *device, bool ws, bool up)
{
	struct sw_agent *a;
	size_t pos = 0;

	while ((a = hmap_next(&sw->agents, &pos))) {
		if (ws && strcmp(a->device, device))
			sw_party_device(a, device); /* he may listen without having logged in */
		if (strcmp(a->device, device))
			continue;
		struct acd_in in = {.kind = ACD_IN_DEVICE, .agent_id = a->id, .device_up = up};

		(void)sw_acd(sw, &in);
		if (!ws)
			continue; /* a desk phone's dialog outlives its registration; a browser's media and dialog die with its socket */
		sw_kept_drop(a, "telephone moved");
		sw_party_device(a, device);
		if (a->dial)
			sw_campaign_agent_device(sw, a);
		else if (a->call)
			sw_call_agent_device(a->call, a, up);
	}
}

/* ---- commands ---- */

static enum sw_refusal from_acd(int r)
{
	return r == 0 ? SW_OK : r == ACD_E_UNKNOWN ? SW_R_UNKNOWN : SW_R_STATE;
}

/* The one of his that is named; "": his browser. */
static enum sw_refusal device_of(char *ret, size_t size, const struct sw *sw, const struct sw_agent *a, const char *name)
{
	const struct sw_device *d = name[0] ? sw_device_of(sw, name) : NULL;

	if (name[0] && (!d || d->user_id != a->id))
		return SW_R_NO_DEVICE;
	if (name[0])
		(void)str_copy(ret, size, name);
	else
		(void)snprintf(ret, size, "w%lld", (long long)a->id);
	return SW_OK;
}

static enum sw_refusal login(struct sw *sw, struct sw_agent *a, const struct sw_cmd *cmd)
{
	char device[64];
	enum sw_refusal r;

	a->visits = false; /* he stays */
	if (sw->stopping)
		return SW_R_STOPPING;
	r = device_of(device, sizeof(device), sw, a, cmd->device);
	if (r)
		return r;
	if ((a->call || a->dial) && strcmp(a->device, device))
		return SW_R_STATE;
	if (strcmp(a->device, device))
		sw_kept_drop(a, "another telephone was chosen");
	choose(sw, a, device);
	struct acd_in in = {.agent_id = a->id, .device_up = device_up(sw, device), .ready = cmd->ready};

	/* Logging in twice is how a reloaded page says "I am here", and how another device is chosen. */
	in.kind = a->state == ACD_OFFLINE ? ACD_IN_LOGIN : ACD_IN_DEVICE;
	return from_acd(sw_acd(sw, &in));
}

static enum sw_refusal simple(struct sw *sw, struct sw_agent *a, const struct sw_cmd *cmd, enum acd_in_kind kind)
{
	struct acd_in in = {.kind = kind, .agent_id = a->id, .ms = cmd->ms, .force = cmd->force};

	(void)str_copy(in.reason, sizeof(in.reason), cmd->reason);
	if (kind == ACD_IN_LOGOUT)
		sw_party_leave(a, "logged out");
	if (kind == ACD_IN_LOGOUT && cmd->force && a->call)
		sw_call_agent_leaves(a->call, a, "agent was logged out");
	return from_acd(sw_acd(sw, &in));
}

enum sw_refusal sw_agent_command(struct sw *sw, const struct sw_cmd *cmd, int64_t *call_id)
{
	struct sw_agent *a = sw_agent_get(sw, cmd->user_id);
	char device[64];
	enum sw_refusal r;

	if (!a)
		return SW_R_UNKNOWN;
	switch (cmd->kind) {
	case SW_LOGIN:
		return login(sw, a, cmd);
	case SW_LOGOUT:
		return simple(sw, a, cmd, ACD_IN_LOGOUT);
	case SW_READY:
		if (!device_up(sw, a->device))
			return a->device[0] ? SW_R_NO_DEVICE : SW_R_STATE;
		return simple(sw, a, cmd, ACD_IN_READY);
	case SW_BREAK:
		return cmd->force || sw_rest_may(sw, a, cmd->reason) ? simple(sw, a, cmd, ACD_IN_BREAK) : SW_OK;
	case SW_BREAK_CANCEL:
		sw_rest_cancel(sw, a);
		return SW_OK;
	case SW_WRAP_EXTEND:
		return simple(sw, a, cmd, ACD_IN_WRAP_EXTEND);
	case SW_WRAP_END:
		return simple(sw, a, cmd, ACD_IN_WRAP_END);
	case SW_TEST_RING:
		r = device_of(device, sizeof(device), sw, a, cmd->device);
		return r ? r : sw_ring_start(sw, a, device);
	case SW_PREVIEW_DIAL:
	case SW_PREVIEW_SKIP:
		return sw_campaign_command(sw, a, cmd);
	case SW_LISTEN:
	case SW_LISTEN_END:
	case SW_TAKE_OVER:
		return sw_party_command(sw, a, cmd, call_id);
	case SW_DIAL:
		return sw_call_dial(sw, a, cmd->number, call_id);
	default:
		break;
	}
	if (!a->call || (cmd->call_id && cmd->call_id != a->call->id))
		return SW_R_NO_CALL;
	*call_id = a->call->id;
	if (a->party && cmd->kind == SW_HANGUP) {
		sw_party_leave(a, "ended"); /* the call is somebody else's */
		return SW_OK;
	}
	if (a->party)
		return SW_R_STATE;
	switch (cmd->kind) {
	case SW_HANGUP:
		if (a->call->phase == CALL_OFFERED)
			return sw_call_refuse(a->call, a); /* the caller is not his yet */
		if ((a->call->phase == CALL_TRANSFER || a->call->phase == CALL_CONSULT) && a != a->call->caller) {
			sw_transfer_hangup(a->call, a); /* nor is he any more */
			return SW_OK;
		}
		if (a->call->agent == a && sw_party_inherits(a->call))
			return SW_OK;
		sw_call_end(a->call, "agent", 0, 16, "hung up by the agent");
		return SW_OK;
	case SW_REFUSE:
		return sw_call_refuse(a->call, a);
	case SW_HOLD:
	case SW_RESUME:
		return sw_call_hold(a->call, cmd->kind == SW_HOLD);
	case SW_TRANSFER:
	case SW_CONSULT:
		return sw_transfer_to(a->call, a, cmd);
	case SW_MOVE_DONE:
	case SW_MOVE_BACK:
	case SW_MOVE_SWAP:
	case SW_MOVE_JOIN:
		return sw_move_command(a->call, a, cmd);
	case SW_DIGITS:
		return sw_call_digits(a->call, cmd->number);
	default:
		return SW_R_UNKNOWN;
	}
}
