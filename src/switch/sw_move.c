/*
 * Consultation by command: the customer hears music while his agent asks somebody, on the one leg that the agent has. The same for browsers and
 * desk phones. sw_refer.c finds and rings the target.
 *
 *   TALK, HELD --consult--> CONSULT, the target rings, the agent hears it ring
 *                              | answers: the two talk, nothing is recorded
 *                              | swap: the agent talks with the customer, the target hears music; and back
 *      complete ---------------+--> TALK customer and target, the agent into wrap-up; while it rings: TRANSFER without him
 *      conference --> TALK of all three: whom he asked is a party (sw_party.c)
 *      back, the target is busy, refuses, hangs up or goes --+--> TALK, or HELD when his own telephone holds
 *      the agent hangs up -----+--> as complete: who is asked gets the customer
 *      his telephone is lost --+--> LOST, as in any talk; the target is let go
 *      the customer hangs up --+--> the end, for all three
 */
#include <string.h>

#include "switch/sw.h"

static med_leg media_leg(const struct sw_leg *l)
{
	return l ? call_leg_media(l->leg) : 0;
}

void sw_move_tell(struct sw_call *c, const char *what, int code)
{
	struct sw_move *m = &c->move;
	struct ev e = {.kind = EV_CALL_MOVE, .call_id = c->id, .agent_id = c->agent ? c->agent->id : 0, .queue_id = c->queue_id, .campaign_id = c->campaign_id};
	char buf[256];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "what", what);
	jw_str(&w, "how", m->consult ? "consult" : "blind");
	jw_id(&w, "by", m->by_id);
	if (m->user_id)
		jw_id(&w, "user", m->user_id);
	if (m->queue_id)
		jw_id(&w, "queue", m->queue_id);
	if (code)
		jw_int(&w, "code", code);
	jw_end_obj(&w);
	if (m->number[0])
		e.pii[e.pii_n++] = (struct ev_pii){"to", m->number};
	if (m->why[0])
		e.pii[e.pii_n++] = (struct ev_pii){"why", m->why};
	sw_emit(c->sw, &e, &b);
}

struct sw_agent *sw_move_free_agent(struct sw *sw, int64_t queue_id, const struct sw_agent *but)
{
	const struct acd_conf *conf = &sw->conf->acd;
	const struct acd_member *best = NULL;
	struct sw_agent *ret = NULL;

	for (size_t i = 0; i < conf->member_n; i++) {
		const struct acd_member *m = &conf->members[i];
		struct sw_agent *a = m->queue_id == queue_id ? sw_agent_get(sw, m->agent_id) : NULL;

		if (!a || a == but || a->call || a->state != ACD_READY)
			continue;
		if (best && (best->level < m->level || (best->level == m->level && ret->state_ms <= a->state_ms)))
			continue;
		best = m;
		ret = a;
	}
	return ret;
}

/* ---- who hears whom ---- */

static void music_to(struct sw_call *c, struct sw_leg *l)
{
	const struct sw_queue *q = sw_queue_of(c->sw, c->queue_id);
	const char *name = q && q->music ? q->music : "music/1";

	if (media_leg(l))
		(void)med_play(c->sw->media, media_leg(l), &name, 1, true);
}

/* The agent and whom he asks; the customer hears music. */
static void talk_with_target(struct sw_call *c)
{
	sw_call_rec_stop(c);
	med_unbridge(c->sw->media, media_leg(c->cust));
	(void)med_bridge(c->sw->media, media_leg(c->ag), media_leg(c->xleg));
	sw_call_play_music(c);
	sw_seg_open(c, SEG_HOLD, "consult");
}

static void talk_with_customer(struct sw_call *c)
{
	med_unbridge(c->sw->media, media_leg(c->xleg));
	(void)med_bridge(c->sw->media, media_leg(c->cust), media_leg(c->ag));
	sw_seg_open(c, SEG_TALK, NULL);
	sw_call_join(c);
	music_to(c, c->xleg);
}

void sw_consult_begun(struct sw_call *c)
{
	c->phase = CALL_CONSULT;
	c->held_before = false; /* he asks, and then goes on with the customer */
	med_unbridge(c->sw->media, media_leg(c->cust));
	sw_call_play_music(c);
	if (media_leg(c->ag))
		(void)med_tone(c->sw->media, media_leg(c->ag), MED_TONE_RINGBACK);
	sw_seg_open(c, SEG_HOLD, "consult");
}

void sw_consult_ring(struct sw_call *c, bool early_media)
{
	if (!early_media || !media_leg(c->ag))
		return;
	(void)med_bridge(c->sw->media, media_leg(c->ag), media_leg(c->xleg));
	if (!call_leg_audible(c->xleg->leg))
		(void)med_tone(c->sw->media, media_leg(c->ag), MED_TONE_RINGBACK);
}

void sw_consult_up(struct sw_call *c)
{
	sw_call_dial_over(c);
	c->move.up = true;
	sw_move_tell(c, "answered", 0);
	talk_with_target(c);
}

/* ---- how it ends ---- */

/* Whom he asked is not there any more: agent and customer, as before. */
static void let_go(struct sw_call *c, const char *what, int code)
{
	bool swapped = c->move.swapped;

	sw_call_dial_over(c);
	sw_move_tell(c, what, code);
	med_unbridge(c->sw->media, media_leg(c->xleg));
	sw_call_drop_leg(&c->xleg, 487, 16, "let go");
	sw_call_release(c, &c->xagent, false);
	c->move.up = c->move.swapped = false;
	if (c->phase != CALL_CONSULT)
		return;
	if (swapped)
		c->phase = CALL_TALK;
	else
		sw_transfer_back(c);
}

void sw_consult_target_gone(struct sw_call *c, int code)
{
	bool talked = c->move.up;

	let_go(c, talked ? "left" : "failed", talked ? 0 : code);
	if (c->phase == CALL_TALK && media_leg(c->ag)) /* the customer hears him again: he is told */
		(void)med_tone(c->sw->media, media_leg(c->ag), MED_TONE_BEEP);
}

void sw_consult_drop(struct sw_call *c)
{
	sw_call_dial_over(c);
	sw_move_tell(c, "failed", 480);
	sw_call_drop_leg(&c->xleg, 487, 16, "the agent's telephone was lost");
	sw_call_release(c, &c->xagent, false);
	c->move.up = c->move.swapped = false;
	c->phase = CALL_HELD;
	c->seg = SEG_NONE; /* a hold of its own: nobody asks any more */
}

/* It rings on for the customer. */
static void ring_for_customer(struct sw_call *c)
{
	c->phase = CALL_TRANSFER;
	c->move.consult = false;
	med_unbridge(c->sw->media, media_leg(c->ag));
	if (media_leg(c->cust))
		(void)med_tone(c->sw->media, media_leg(c->cust), MED_TONE_RINGBACK);
}

void sw_consult_agent_gone(struct sw_call *c)
{
	if (c->move.up) {
		c->ag = NULL;
		sw_transfer_complete(c);
	} else {
		ring_for_customer(c);
		sw_transfer_agent_gone(c);
	}
}

static enum sw_refusal done(struct sw_call *c)
{
	if (c->phase == CALL_CONSULT && c->move.up) {
		sw_transfer_complete(c);
		return SW_OK;
	}
	if (c->phase == CALL_CONSULT)
		ring_for_customer(c);
	sw_call_drop_leg(&c->ag, 0, 16, "transferred"); /* he leaves them to it */
	sw_transfer_agent_gone(c);
	return SW_OK;
}

static enum sw_refusal back(struct sw_call *c)
{
	if (c->phase == CALL_CONSULT) {
		let_go(c, "back", 0);
		return SW_OK;
	}
	sw_call_dial_over(c);
	sw_move_tell(c, "back", 0);
	sw_call_drop_leg(&c->xleg, 487, 16, "taken back");
	sw_call_release(c, &c->xagent, false);
	sw_transfer_back(c);
	return SW_OK;
}

static enum sw_refusal swap(struct sw_call *c)
{
	if (c->phase != CALL_CONSULT || !c->move.up)
		return SW_R_STATE;
	c->move.swapped = !c->move.swapped;
	if (c->move.swapped)
		talk_with_customer(c);
	else
		talk_with_target(c);
	sw_move_tell(c, "swap", 0);
	return SW_OK;
}

/* Customer, agent and whom he asked hear each other. */
static enum sw_refusal conference(struct sw_call *c)
{
	struct sw_agent *x = c->xagent;

	if (c->phase != CALL_CONSULT || !c->move.up)
		return SW_R_STATE;
	sw_call_rec_stop(c);
	med_unbridge(c->sw->media, media_leg(c->ag));
	med_unbridge(c->sw->media, media_leg(c->xleg));
	c->phase = CALL_TALK;
	if (sw_party_join(c, &c->xleg, x, x != NULL)) {
		c->phase = CALL_CONSULT;
		c->move.swapped = false;
		talk_with_target(c);
		return SW_R_FULL;
	}
	c->xagent = NULL;
	c->move.up = c->move.swapped = false;
	sw_move_tell(c, "joined", 0);
	sw_call_join(c);
	return SW_OK;
}

enum sw_refusal sw_move_command(struct sw_call *c, struct sw_agent *a, const struct sw_cmd *cmd)
{
	if ((c->phase != CALL_CONSULT && c->phase != CALL_TRANSFER) || c->agent != a || !c->ag)
		return SW_R_STATE;
	switch (cmd->kind) {
	case SW_MOVE_DONE:
		return done(c);
	case SW_MOVE_BACK:
		return back(c);
	case SW_MOVE_JOIN:
		return conference(c);
	default:
		return swap(c);
	}
}
