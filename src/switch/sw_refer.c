/*
 * Transfers: by REFER and INVITE with Replaces of desk phones, by command of desks (which also ask before: sw_move.c). The customer's call goes on; who is on its other side changes.
 *
 *   blind      TALK, HELD --REFER--> TRANSFER --the target answers--> TALK with it, the agent into wrap-up
 *                                       |  the target fails:  the agent is still there --> back to him, as it was
 *                                       |                     he has hung up, or does --> the queue it came from, in front; else the end
 *                                       |                     in the next moment
 *              a queue's number: at once into that queue
 *   attended   the agent's second call (he holds the first one) gives its other side to the first: at once, or as above while it rings
 *   by command as blind: a colleague, a queue, a number; until somebody answers he may take the customer back
 *   pick-up    INVITE with Replaces: a telephone takes the place of one that rings, or of its own agent's other one
 *
 * In TRANSFER the customer hears ring-back, or what the target's side plays. The agent stays "talking" until he hangs up or the
 * target answers; NOTIFYs tell his telephone how it goes.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "switch/sw.h"

#define TARGET_RING_MS 30000
#define HUNG_UP_MS     3000 /* some telephones hang up when they hear that it failed (baresip does) */
#define BACK_PRIORITY  1000 /* before all others: he had been answered already */

static med_leg media_leg(const struct sw_leg *l)
{
	return l ? call_leg_media(l->leg) : 0;
}

static void tell(struct sw_call *c, int code)
{
	if (c->ag)
		call_leg_refer_result(c->ag->leg, code);
}

/* ---- the target rings ---- */

static void begin(struct sw_call *c)
{
	sw_move_tell(c, "begin", 0);
	sw_parties_end(c, "transferred"); /* who listened */
	sw_call_rec_stop(c);
	if (c->move.consult) {
		sw_consult_begun(c);
		return;
	}
	c->held_before = c->phase == CALL_HELD;
	c->phase = CALL_TRANSFER;
	if (!media_leg(c->cust))
		return;
	med_unbridge(c->sw->media, media_leg(c->cust));
	(void)med_tone(c->sw->media, media_leg(c->cust), MED_TONE_RINGBACK);
	sw_seg_open(c, SEG_HOLD, "transfer");
}

/* The target takes the agent's place. */
void sw_transfer_complete(struct sw_call *c)
{
	sw_call_dial_over(c);
	sw_call_rec_stop(c);
	sw_move_tell(c, "done", 0);
	tell(c, 200);
	sw_call_drop_leg(&c->ag, 0, 16, "transferred");
	sw_call_release(c, &c->agent, true);
	c->ag = c->xleg;
	c->agent = c->xagent;
	c->seized = c->xagent != NULL;
	c->xleg = NULL;
	c->xagent = NULL;
	c->agent_held = c->beep = false;
	c->move.up = c->move.swapped = false;
	c->seg = SEG_NONE; /* his talk is not the one before */
	log_info("transferred call=%lld agent=%lld", (long long)c->id, (long long)(c->agent ? c->agent->id : 0));
	sw_call_connect(c);
}

void sw_transfer_back(struct sw_call *c)
{
	if (c->move.phone)
		c->back_ms = clock_mono_ms();
	if (c->held_before || c->agent_held) {
		c->phase = CALL_HELD;
		sw_call_play_music(c);
		c->seg = SEG_NONE;
		sw_seg_open(c, SEG_HOLD, "transfer failed");
	} else {
		sw_call_connect(c);
	}
}

/* Nobody is there any more who could take it back. */
static void give_back_to_queue(struct sw_call *c)
{
	if (strcmp(c->dir, "in") != 0 || !sw_queue_of(c->sw, c->queue_id)) {
		sw_call_end(c, "system", 480, 20, "transfer failed and the agent is gone");
		return;
	}
	c->back_ms = 0;
	log_warn("transfer failed, the caller waits anew call=%lld", (long long)c->id);
	c->seized = false;
	sw_call_enter_queue(c, 0, BACK_PRIORITY);
}

void sw_transfer_failed(struct sw_call *c, int code)
{
	if (c->phase == CALL_CONSULT) {
		sw_consult_target_gone(c, code);
		return;
	}
	sw_call_dial_over(c);
	sw_move_tell(c, "failed", code);
	tell(c, code);
	sw_call_drop_leg(&c->xleg, 487, 16, "transfer failed");
	sw_call_release(c, &c->xagent, false);
	if (c->phase != CALL_TRANSFER)
		return;
	if (c->ag)
		sw_transfer_back(c);
	else
		give_back_to_queue(c);
}

bool sw_transfer_hung_up(struct sw_call *c)
{
	if (!c->back_ms || !c->agent || clock_mono_ms() - c->back_ms > HUNG_UP_MS)
		return false;
	sw_call_rec_stop(c);
	sw_call_release(c, &c->agent, true);
	give_back_to_queue(c);
	return true;
}

/* Rings the target as if he had the agent's place already. */
static int ring_colleague(struct sw_call *c, struct sw_agent *a)
{
	struct sw_agent *agent = c->agent;
	struct sw_leg *ag = c->ag;
	int r;

	c->agent = a;
	c->ag = NULL;
	r = sw_call_ring_agent(c, a, TARGET_RING_MS);
	c->xleg = c->ag;
	c->agent = agent;
	c->ag = ag;
	c->beep = false; /* he hears who it is */
	return r;
}

static int to_colleague(struct sw_call *c, int64_t user_id)
{
	struct sw_agent *a = sw_agent_get(c->sw, user_id);

	if (!a || a->state == ACD_OFFLINE)
		return 480;
	if (a == c->agent || a == c->caller || !sw_call_seize(c, a))
		return 486;
	c->xagent = a;
	c->move.user_id = a->id;
	sw_call_dial_over(c);
	begin(c);
	if (ring_colleague(c, a)) {
		sw_transfer_failed(c, 480);
		return 480;
	}
	return 0;
}

static int to_outside(struct sw_call *c, const char *number)
{
	int r;

	if (!sw_may_key(c->sw, c->agent))
		return 403;
	r = sw_call_dial_out(c, &c->xleg, number);
	if (r)
		return r == -EACCES ? 403 : r == -ENOENT || r == -EINVAL ? 404 : 503;
	(void)str_copy(c->move.number, sizeof(c->move.number), number);
	begin(c);
	return 0;
}

static int to_queue(struct sw_call *c, int64_t queue_id)
{
	if (!sw_queue_of(c->sw, queue_id))
		return 404;
	c->move.queue_id = queue_id;
	sw_move_tell(c, "done", 0);
	tell(c, 200);
	sw_call_rec_stop(c);
	med_unbridge(c->sw->media, media_leg(c->cust));
	sw_call_drop_leg(&c->ag, 0, 16, "transferred");
	sw_call_release(c, &c->agent, true);
	c->seized = c->agent_held = false;
	c->queue_id = queue_id;
	c->enter_ms = 0;
	c->seg = SEG_NONE;
	log_info("transferred to a queue call=%lld queue=%lld", (long long)c->id, (long long)queue_id);
	sw_call_enter_queue(c, 0, 0);
	return 0;
}

static int blind(struct sw_call *c, const char *target)
{
	const struct sw_user *u = sw_user_by_extension(c->sw, target);
	const struct sw_number *n;

	if (u)
		return to_colleague(c, u->id);
	n = sw_number_of(c->sw, c->trunk_id, target);
	if (n && n->dest == SW_DEST_QUEUE)
		return to_queue(c, n->target_id);
	if (n && n->dest == SW_DEST_USER)
		return to_colleague(c, n->target_id);
	return to_outside(c, target);
}

/* ---- attended ---- */

static void move_leg(struct sw_leg *l, struct sw_call *to)
{
	l->call->legs--;
	l->call = to;
	to->legs++;
}

/* The other side of the second call @from becomes the target of @c. The agent there talks on, in another call. */
static int take_over(struct sw_call *c, struct sw_call *from)
{
	struct sw_leg *far = from->ag;
	struct acd_in in = {.kind = ACD_IN_MOVE, .call_id = c->id, .queue_id = c->queue_id};
	bool up = call_leg_get_state(far->leg) == CALL_LEG_UP;

	assert(far && from->cust && c->cust);
	if (from->agent) {
		in.agent_id = from->agent->id;
		if (sw_acd(c->sw, &in))
			return 480;
		from->agent->call = c;
	}
	sw_call_rec_stop(from);
	med_unbridge(c->sw->media, media_leg(far));
	c->xleg = far;
	c->xagent = from->agent;
	from->ag = NULL;
	from->agent = NULL;
	c->consult_id = 0;
	c->move = (struct sw_move){.by_id = c->agent->id, .phone = true, .user_id = c->xagent ? c->xagent->id : 0};
	if (!c->xagent)
		(void)str_copy(c->move.number, sizeof(c->move.number), from->to);
	move_leg(far, c);
	if (up)
		sw_transfer_complete(c);
	else
		begin(c);
	sw_call_end(from, "agent", 0, 16, "transferred");
	return 0;
}

/* A second call of the agent in @c, from his telephone: its other side rings or talks. */
static bool consults(const struct sw_call *c, const struct sw_call *second)
{
	return second != c && second->consult_of == c->id && second->cust && second->ag && !second->in_acd &&
	       (second->phase == CALL_DIALLING || second->phase == CALL_TALK || second->phase == CALL_HELD);
}

static bool can_transfer(const struct sw_call *c, const struct sw_leg *l)
{
	return (c->phase == CALL_TALK || c->phase == CALL_HELD) && c->cust && c->ag == l && c->agent && sw_party_talk(c) == SEG_TALK;
}

/* Of two colleagues the one who called may ask as well: the sides change places. */
static void turn_round(struct sw_call *c)
{
	struct sw_leg *l = c->cust;
	struct sw_agent *a = c->caller;

	c->cust = c->ag;
	c->caller = c->agent;
	c->ag = l;
	c->agent = a;
}

int sw_transfer(struct sw_leg *l, const char *target, struct sw_leg *replaces)
{
	struct sw_call *c = l->call, *second = replaces ? replaces->call : NULL;

	if (l->dropped || l->trunk_id || (replaces && !second)) /* a test ring's leg is in no call */
		return 403; /* a carrier's customer does not say where we call */
	if (second && consults(second, c)) { /* asked in the second call, naming the first */
		struct sw_call *first = second;

		int r = can_transfer(first, replaces) && l == c->cust ? take_over(first, c) : 403;

		if (!r && first->phase == CALL_TALK)
			call_leg_refer_result(l->leg, 200); /* the leg that asked is going, but hears it first */
		return r;
	}
	if (c->phase == CALL_TALK && l == c->cust && c->caller && c->agent && !second)
		turn_round(c);
	if (!can_transfer(c, l))
		return 403;
	c->move = (struct sw_move){.by_id = c->agent->id, .phone = true};
	if (!replaces)
		return blind(c, target);
	return consults(c, second) && replaces == second->cust ? take_over(c, second) : 403;
}

static enum sw_refusal refusal_of(int status)
{
	switch (status) {
	case 0:
		return SW_OK;
	case 480:
		return SW_R_TARGET_AWAY;
	case 486:
		return SW_R_TARGET_BUSY;
	case 403:
		return SW_R_CLASS;
	case 404:
		return SW_R_NUMBER;
	default:
		return SW_R_NO_TRUNK;
	}
}

static enum sw_refusal to_number(struct sw_call *c, const char *number)
{
	const struct sw_user *u = sw_user_by_extension(c->sw, number);
	enum sw_refusal r;

	if (u)
		return refusal_of(to_colleague(c, u->id));
	r = sw_may_key(c->sw, c->agent) ? sw_call_may_dial(c->sw, sw_user_of(c->sw, c->agent->id), number) : SW_R_CLASS;
	return r ? r : refusal_of(to_outside(c, number));
}

/* Who asks in a queue asks whoever of it is free. */
static enum sw_refusal ask_queue(struct sw_call *c, int64_t queue_id)
{
	struct sw_agent *a = sw_move_free_agent(c->sw, queue_id, c->agent);

	c->move.queue_id = queue_id;
	return a ? refusal_of(to_colleague(c, a->id)) : SW_R_TARGET_BUSY;
}

enum sw_refusal sw_transfer_to(struct sw_call *c, struct sw_agent *a, const struct sw_cmd *cmd)
{
	struct sw_move was = c->move;
	enum sw_refusal r;

	if (c->phase == CALL_TALK && a == c->caller && c->agent)
		turn_round(c);
	if (c->agent != a || !can_transfer(c, c->ag))
		return SW_R_STATE;
	c->move = (struct sw_move){.by_id = a->id, .consult = cmd->kind == SW_CONSULT};
	(void)str_copy(c->move.why, sizeof(c->move.why), cmd->why);
	if (cmd->target_id)
		r = refusal_of(to_colleague(c, cmd->target_id));
	else if (cmd->queue_id)
		r = c->move.consult ? ask_queue(c, cmd->queue_id) : refusal_of(to_queue(c, cmd->queue_id));
	else
		r = to_number(c, cmd->number);
	if (r)
		c->move = was;
	return r;
}

/* ---- what happens meanwhile ---- */

void sw_transfer_ring(struct sw_call *c, int code, bool early_media)
{
	tell(c, code);
	if (!early_media || !media_leg(c->cust))
		return;
	(void)med_bridge(c->sw->media, media_leg(c->cust), media_leg(c->xleg));
	if (!call_leg_audible(c->xleg->leg))
		(void)med_tone(c->sw->media, media_leg(c->cust), MED_TONE_RINGBACK);
}

void sw_transfer_up(struct sw_call *c)
{
	if (c->cust && !sip_leg_is_over(call_leg_sip(c->cust->leg)))
		sw_transfer_complete(c);
}

void sw_transfer_hangup(struct sw_call *c, struct sw_agent *a)
{
	if (a == c->xagent) {
		sw_transfer_failed(c, 603);
		return;
	}
	sw_call_drop_leg(&c->ag, 0, 16, "hung up by the agent");
	if (c->phase == CALL_CONSULT)
		sw_consult_agent_gone(c);
	else
		sw_transfer_agent_gone(c);
}

void sw_transfer_agent_gone(struct sw_call *c)
{
	c->ag = NULL;
	c->agent_held = false;
	sw_call_release(c, &c->agent, true);
	c->seg = SEG_NONE; /* what follows is not his */
	sw_seg_open(c, SEG_HOLD, "transfer");
}

void sw_transfer_device(struct sw_call *c, struct sw_agent *a)
{
	if (a == c->xagent) {
		sw_transfer_failed(c, 480);
	} else if (a == c->agent) {
		sw_call_drop_leg(&c->ag, 0, 27, "telephone was lost");
		sw_transfer_agent_gone(c);
	} else {
		sw_call_end(c, "line", 480, 27, "telephone was lost");
	}
}

/* ---- pick-up ---- */

/* The new leg stands where the old one stood. */
static void take_place(struct sw_call *c, struct sw_leg *l, struct sw_agent *a)
{
	l->role = ROLE_AGENT_LEG;
	l->agent_id = a->id;
	sw_call_drop_leg(&c->ag, 200, 26, "Call completed elsewhere");
	c->ag = l;
	c->beep = false;
}

/* A call that is offered to somebody else. */
static int pick_offer(struct sw_call *c, struct sw_leg *l, struct sw_agent *a)
{
	struct acd_in leave = {.kind = ACD_IN_LEAVE, .call_id = c->id, .reason = "picked up"};

	if (a->call || a->state == ACD_RINGING)
		return 486;
	c->phase = CALL_DIALLING; /* the offer's end is not for us any more */
	c->in_acd = false;
	c->offer_id = 0;
	if (c->agent->call == c)
		c->agent->call = NULL;
	c->agent = NULL;
	(void)sw_acd(c->sw, &leave);
	if (!sw_call_seize(c, a)) {
		sw_call_drop_leg(&c->ag, 487, 16, "no longer offered");
		sw_call_enter_queue(c, clock_utc_ms() - c->enter_ms, BACK_PRIORITY);
		return 486;
	}
	c->agent = a;
	c->seized = true;
	sw_call_rec_stop(c);
	take_place(c, l, a);
	sw_call_connect(c);
	return 0;
}

static int pick_direct(struct sw_call *c, struct sw_leg *l, struct sw_agent *a)
{
	if (a == c->caller || !sw_call_seize(c, a))
		return 486;
	sw_call_release(c, &c->agent, false);
	c->agent = a;
	take_place(c, l, a);
	sw_call_connect(c);
	return 0;
}

int sw_pick_up(struct sw_call *c, struct sw_leg *old, struct sw_leg *l, struct sw_agent *a)
{
	if (!a || a->state == ACD_OFFLINE || old->dropped || old != c->ag || !c->cust || !c->agent)
		return 403;
	switch (c->phase) {
	case CALL_OFFERED:
		return a == c->agent ? 403 : pick_offer(c, l, a);
	case CALL_DIALLING:
		return a == c->agent || !strcmp(c->dir, "out") ? 403 : pick_direct(c, l, a);
	case CALL_TALK:
	case CALL_HELD:
		if (a != c->agent)
			return 403; /* nobody takes a talk out of a colleague's hands */
		sw_call_rec_stop(c);
		c->agent_held = false;
		take_place(c, l, a);
		sw_call_connect(c);
		return 0;
	default:
		return 403;
	}
}
