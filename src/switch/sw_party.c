/*
 * Parties: who is in a call beside the customer and the agent. A lead listens, whispers to the agent, or joins; a conference's third party
 * is one, too.
 *
 *   SW_LISTEN --his telephone rings, answers by itself--> hears --SW_LISTEN: another `how`, or another call, on the same leg-->
 *      --SW_LISTEN_END, he hangs up, his telephone is lost, he logs out, a call rings him, the call is over--> END
 *   JOIN: for the core he talks in that call; when the agent goes, he has his place
 *   SW_TAKE_OVER: at once; the agent goes into wrap-up
 *
 * Who hears whom (sw_call_audio), in TALK. On hold the customer is out of it: he hears music, and nobody hears him.
 *
 *   hears:     customer  agent  whisperer  joined
 *   customer      -        x        -         x
 *   agent         x        -        x         x
 *   listener      x        x        -         x
 *   whisperer     x        x        -         x
 *   joined        x        x        -         x
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switch/sw.h"

#define RING_MS 15000
#define PARTIES_MAX (MED_ROOM_MAX - 2)

static const char *const how_names[] = {[SW_HOW_LISTEN] = "listen", [SW_HOW_WHISPER] = "whisper", [SW_HOW_JOIN] = "join"};

const char *sw_how_name(enum sw_how how)
{
	return how_names[how];
}

static med_leg media_leg(const struct sw_leg *l)
{
	return l && !sip_leg_is_over(call_leg_sip(l->leg)) ? call_leg_media(l->leg) : 0;
}

/* ---- the audio ---- */

struct matrix {
	struct med_room_member m[MED_ROOM_MAX];
	unsigned n;
	uint32_t cust, agent, joined, whispers;
};

static uint32_t add(struct matrix *x, const struct sw_leg *l)
{
	med_leg leg = media_leg(l);

	if (!leg || x->n == MED_ROOM_MAX)
		return 0;
	x->m[x->n].leg = leg;
	return 1u << x->n++;
}

static bool has_parties(const struct sw_call *c)
{
	ilist_each_entry(&c->parties, p, const struct sw_party, link)
		if (p->up)
			return true;
	return false;
}

static void fill(struct matrix *x, struct sw_call *c)
{
	x->cust = c->phase == CALL_TALK ? add(x, c->cust) : 0;
	x->agent = add(x, c->ag);
	ilist_each_entry(&c->parties, p, struct sw_party, link) {
		uint32_t bit = p->up ? add(x, p->leg) : 0;

		x->joined |= p->how == SW_HOW_JOIN ? bit : 0;
		x->whispers |= p->how == SW_HOW_WHISPER ? bit : 0;
	}
	for (unsigned i = 0; i < x->n; i++) {
		x->m[i].hears = x->cust | x->agent | x->joined;
		if (x->agent == 1u << i)
			x->m[i].hears |= x->whispers;
	}
}

void sw_call_audio(struct sw_call *c)
{
	struct media *m = c->sw->media;
	struct matrix x = {0};

	if (!has_parties(c)) {
		med_room_close(m, c->room);
		c->room = NULL;
		if (c->phase == CALL_TALK)
			(void)med_bridge(m, media_leg(c->cust), media_leg(c->ag));
		else if (c->phase == CALL_HELD)
			med_unbridge(m, media_leg(c->cust));
		return;
	}
	if (!c->room)
		c->room = med_room_open(m);
	if (c->phase == CALL_HELD)
		med_unbridge(m, media_leg(c->cust));
	fill(&x, c);
	if (med_room_set(m, c->room, x.m, x.n))
		log_error("who hears whom cannot be set call=%lld", (long long)c->id);
}

/* ---- facts ---- */

static void tell(struct sw_party *p, enum ev_kind kind, const char *why)
{
	struct sw_call *c = p->leg->call;
	struct ev e = {.kind = kind, .call_id = c->id, .leg_id = p->leg->id, .agent_id = p->agent ? p->agent->id : 0, .queue_id = c->queue_id};
	char buf[256];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "party", p->id);
	jw_str(&w, "how", how_names[p->how]);
	if (kind == EV_PARTY_NEW) {
		if (c->agent)
			jw_id(&w, "whom", c->agent->id);
		jw_bool(&w, "told", p->told);
	} else {
		jw_str(&w, "why", why);
	}
	jw_end_obj(&w);
	sw_emit(c->sw, &e, &b);
}

static void begun(struct sw_party *p)
{
	p->id = idgen_next(&p->leg->sw->ids, clock_utc_ms());
	tell(p, EV_PARTY_NEW, NULL);
	log_info("a party hears call=%lld user=%lld how=%s", (long long)p->leg->call->id, (long long)(p->agent ? p->agent->id : 0),
		 how_names[p->how]);
}

static void over(struct sw_party *p, const char *why)
{
	if (p->id)
		tell(p, EV_PARTY_END, why);
	p->id = 0;
}

enum sw_seg sw_party_talk(const struct sw_call *c)
{
	ilist_each_entry(&c->parties, p, const struct sw_party, link)
		if (p->up && p->how == SW_HOW_JOIN)
			return SEG_CONFERENCE;
	return SEG_TALK;
}

static void segment(struct sw_call *c)
{
	if (c->phase == CALL_TALK)
		sw_seg_open(c, sw_party_talk(c), NULL);
}

/* ---- one party ---- */

static unsigned count(const struct sw_call *c)
{
	unsigned n = 0;

	ilist_each_entry(&c->parties, p, const struct sw_party, link)
		n++;
	return n;
}

/* For the core he is in a talk: no call is offered. Who is not logged in is so for the time of it. */
static bool busy(struct sw_party *p, struct sw_call *c)
{
	if (p->seized)
		return true;
	p->seized = sw_agent_visit(c->sw, p->agent, p->device) && sw_call_seize(c, p->agent);
	if (!p->seized)
		sw_agent_visited(c->sw, p->agent);
	return p->seized;
}

/* He may be offered a call in this very moment: then he is no party any more. */
static void idle(struct sw_party *p, struct sw_call *c)
{
	struct acd_in in = {.kind = ACD_IN_RELEASE, .call_id = c->id, .agent_id = p->agent ? p->agent->id : 0};
	struct sw_agent *a = p->agent;

	if (!p->seized)
		return;
	p->seized = false;
	a->call = NULL;
	(void)sw_acd(c->sw, &in);
	sw_agent_visited(c->sw, a);
}

/* He is out of the list; his leg is left to the caller. */
static struct sw_leg *take_out(struct sw_party *p, const char *why)
{
	struct sw_leg *l = p->leg;

	over(p, why);
	if (p->agent)
		p->agent->party = NULL;
	ilink_unlink(&p->link);
	l->party = NULL;
	return l;
}

static void end(struct sw_party *p, const char *why, bool hang_up)
{
	struct sw_call *c = p->leg->call;
	struct sw_leg *l = take_out(p, why);

	if (hang_up)
		sw_call_drop_leg(&l, 487, 16, why);
	idle(p, c);
	free(p);
	if (c->phase == CALL_ENDED)
		return;
	segment(c);
	sw_call_audio(c);
}

static struct sw_party *party_new(struct sw_call *c, struct sw_leg *l, struct sw_agent *a, enum sw_how how)
{
	struct sw_party *p = xcalloc(1, sizeof(*p));

	p->agent = a;
	p->leg = l;
	p->how = how;
	l->party = p;
	if (a)
		a->party = p;
	ilist_push_back(&c->parties, &p->link);
	return p;
}

int sw_party_join(struct sw_call *c, struct sw_leg **pl, struct sw_agent *a, bool seized)
{
	struct sw_party *p;

	if (count(c) >= PARTIES_MAX || (a && a->party))
		return -EBUSY;
	p = party_new(c, *pl, a, SW_HOW_JOIN);
	*pl = NULL;
	p->seized = seized;
	p->up = p->told = p->fixed = true;
	begun(p);
	segment(c);
	sw_call_audio(c);
	return 0;
}

/* ---- commands ---- */

static bool can_be_heard(const struct sw_call *c)
{
	return c && (c->phase == CALL_TALK || c->phase == CALL_HELD) && c->cust && c->ag && !c->beep;
}

/* His telephone is rung as if he had the agent's place. */
static enum sw_refusal ring(struct sw_call *c, struct sw_agent *a, const struct sw_cmd *cmd)
{
	struct sw_leg *l = NULL;
	struct sw_party *p;
	char device[64];

	(void)str_copy(device, sizeof(device), a->device);
	if (!device[0])
		(void)snprintf(device, sizeof(device), "w%lld", (long long)a->id);
	if (sw_call_ring_party(c, &l, a, device, RING_MS))
		return SW_R_NO_DEVICE;
	p = party_new(c, l, a, cmd->how);
	p->told = cmd->told;
	(void)str_copy(p->device, sizeof(p->device), device);
	return SW_OK;
}

/* Another how, or another call, on the leg that he has. */
static enum sw_refusal change(struct sw_party *p, struct sw_call *c, const struct sw_cmd *cmd)
{
	struct sw_call *from = p->leg->call;
	struct sw_agent *a = p->agent;
	struct sw_leg *l = p->leg;

	if (from == c && p->how == cmd->how)
		return SW_OK; /* pressed twice */
	over(p, from == c ? "changed" : "moved");
	if (from != c || cmd->how != SW_HOW_JOIN)
		idle(p, from);
	if (a->party != p)
		return SW_R_STATE;
	if (from != c) {
		ilink_unlink(&p->link);
		ilist_push_back(&c->parties, &p->link);
		from->legs--;
		c->legs++;
		l->call = c;
	}
	p->told = cmd->told;
	p->how = cmd->how;
	if (p->how == SW_HOW_JOIN && p->up && !busy(p, c))
		p->how = SW_HOW_LISTEN; /* the core has given him something in that moment */
	if (p->up)
		begun(p);
	if (from != c) {
		segment(from);
		sw_call_audio(from);
		sip_leg_trace(call_leg_sip(l->leg), c->id, l->id, 0, "third", p->device);
	}
	segment(c);
	sw_call_audio(c);
	return SW_OK;
}

static enum sw_refusal listen(struct sw_call *c, struct sw_agent *a, const struct sw_cmd *cmd)
{
	if (!can_be_heard(c))
		return SW_R_NO_CALL;
	if (a == c->agent || a == c->caller)
		return SW_R_STATE;
	if (a->party)
		return a->party->fixed ? SW_R_STATE : change(a->party, c, cmd);
	if (a->call || a->dial || a->kept || a->state == ACD_RINGING || a->state == ACD_RESERVED)
		return SW_R_STATE;
	if (c->sw->stopping)
		return SW_R_STOPPING;
	return count(c) < PARTIES_MAX ? ring(c, a, cmd) : SW_R_FULL;
}

/* The party has the agent's place; who had it goes into wrap-up. */
static void promote(struct sw_party *p, const char *why)
{
	struct sw_call *c = p->leg->call;
	struct sw_agent *a = p->agent;
	struct sw_leg *l = take_out(p, why);

	sw_call_rec_stop(c);
	sw_call_drop_leg(&c->ag, 0, 16, why);
	sw_call_release(c, &c->agent, true);
	c->ag = l;
	c->agent = a;
	c->seized = a != NULL;
	c->agent_held = c->beep = false;
	l->role = a ? ROLE_AGENT_LEG : ROLE_THIRD;
	free(p);
	log_info("a party has the agent's place call=%lld user=%lld", (long long)c->id, (long long)(a ? a->id : 0));
	c->seg = SEG_NONE; /* what follows is somebody else's */
	sw_call_connect(c);
}

static enum sw_refusal take_over(struct sw_call *c, struct sw_agent *a)
{
	struct sw_party *p = a->party;

	if (!can_be_heard(c) || !p || p->leg->call != c)
		return SW_R_NO_CALL;
	if (!p->up || !strcmp(c->dir, "internal"))
		return SW_R_STATE;
	if (!busy(p, c))
		return SW_R_STATE;
	promote(p, "taken over");
	return SW_OK;
}

enum sw_refusal sw_party_command(struct sw *sw, struct sw_agent *a, const struct sw_cmd *cmd, int64_t *call_id)
{
	struct sw_call *c = cmd->call_id ? hmap_get(&sw->calls, (uint64_t)cmd->call_id) : a->party ? a->party->leg->call : NULL;

	if (c)
		*call_id = c->id;
	switch (cmd->kind) {
	case SW_LISTEN:
		return listen(c, a, cmd);
	case SW_LISTEN_END:
		if (!a->party || a->party->leg->call != c)
			return SW_R_NO_CALL;
		end(a->party, "ended", true);
		return SW_OK;
	default:
		return take_over(c, a);
	}
}

/* ---- what happens meanwhile ---- */

void sw_party_up(struct sw_leg *l)
{
	struct sw_party *p = l->party;
	struct sw_call *c = l->call;

	if (p->up)
		return;
	if (p->how == SW_HOW_JOIN && !busy(p, c))
		p->how = SW_HOW_LISTEN;
	p->up = true;
	begun(p);
	segment(c);
	sw_call_audio(c);
}

void sw_party_closed(struct sw_leg *l)
{
	end(l->party, l->party->up ? "hung up" : "not answered", false);
}

void sw_party_dead(struct sw_leg *l)
{
	end(l->party, "no audio arrives", true);
}

void sw_party_leave(struct sw_agent *a, const char *why)
{
	if (a->party)
		end(a->party, why, true);
}

void sw_party_device(struct sw_agent *a, const char *device)
{
	if (a->party && !strcmp(a->party->device, device))
		end(a->party, "telephone was lost", true);
}

void sw_parties_end(struct sw_call *c, const char *why)
{
	while (!ilist_empty(&c->parties))
		end(container_of(c->parties.next, struct sw_party, link), why, true);
	med_room_close(c->sw->media, c->room);
	c->room = NULL;
}

bool sw_party_inherits(struct sw_call *c)
{
	if (c->phase != CALL_TALK && c->phase != CALL_HELD)
		return false;
	ilist_each_entry(&c->parties, p, struct sw_party, link)
		if (p->up && p->how == SW_HOW_JOIN && (!p->agent || p->seized)) {
			promote(p, "the agent has gone");
			return true;
		}
	return false;
}
