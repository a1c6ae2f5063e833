/* The switch's own structures; see switch.h for what others see. Everything here is the switch thread's. */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "acd/acd.h"
#include "base/base.h"
#include "call/call.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "switch/sw_line.h"
#include "switch/switch.h"

#define SW_RESUME_MS 20000
#define SW_TICK_MS 1000
#define SW_DEAD_MS 120000   /* a telephone that vanished without a word: much sooner than its session timer would tell */
#define SW_ASK_MS 150      /* whose customer calls: the data may take so long */
#define SW_RATE_WAIT_MS 2000 /* a call out waits so long for a trunk's second */
#define SW_LOAD_PCT 85 /* of the media thread; below 75 calls are taken again */
#define SW_LOAD_CALLS 50

/* Lookups into one configuration version, made once when it is applied. */
struct sw_index {
	struct hmap queues, users, trunks; /* by id */
	struct hmap campaigns;             /* by id */
	struct hmap devices, numbers;      /* by name; numbers: "trunk/number", and "0/number" for any trunk */
	struct hmap extensions;            /* extension -> user */
	struct arena *keys;
};

struct sw_agent {
	int64_t id, team_id;
	char device[64];          /* which of his devices rings; "" while he is logged out */
	enum acd_state state;
	struct sw_call *call;     /* the call he is in or is being rung for; NULL */
	struct sw_ring *ring;     /* his test ring; NULL */
	struct sw_leg *kept;      /* his telephone while he dials, sw_kept.h; NULL */
	int64_t kept_at_ms;       /* mono: not tried again before */
	bool wanted;              /* within one look: a campaign of his runs */
	int64_t state_ms;         /* since when he is in it, nominally; UTC */
	struct sw_dial *dial;     /* the claim that the core keeps him for, sw_campaign.c; NULL */
	struct sw_party *party;   /* he listens, or has joined a call; NULL */
	bool visits;              /* logged in for that talk only: out again when it is over */
	struct sw_call *found;    /* sw_check.c: the call that says it has him */
	bool begun;               /* a static agent was logged in at start */
};

/* What we know of a device that is registered now. */
struct sw_reg {
	char name[64], transport[8];
	bool browser;             /* by WebSocket: its audio is WebRTC */
	struct sip_addr source;
};

/* A browser's credential: short-lived, not in the configuration. */
struct sw_cred {
	char name[64], ha1_md5[33], ha1_sha256[65];
	int64_t user_id, until_ms;
};

enum sw_role { ROLE_CUSTOMER, ROLE_AGENT_LEG, ROLE_THIRD, ROLE_PARTY };

/* What the toll guard keeps of a leg to a trunk. */
struct sw_toll {
	int64_t user_id, device_id;
	int64_t up_ms, counted_ms;  /* since when it costs, and until when that is in the sums */
	int32_t max_min;
	bool costly;
	bool listed;               /* a campaign's: whom it calls is on its list, and many hang up at once */
};

struct sw_leg {
	struct ilink out_link;    /* sw->out_legs, while it is a call out through a trunk */
	struct sw_toll toll;
	struct sw *sw;
	struct sw_call *call;     /* until gone; one that is kept between calls: NULL meanwhile */
	struct call_leg *leg;
	int64_t id, trunk_id, agent_id;
	int64_t device_id;        /* a configured device; 0: a browser or none of ours */
	enum sw_role role;
	bool kept;                /* belongs to the agent's log-in: his `kept` */
	bool dropped;             /* the call has let go of it: its end decides nothing any more */
	bool ring_logged, answer_logged;
	struct sw_party *party;   /* it belongs to one; NULL */
	struct ltimer dead;       /* runs while no audio arrives */
	bool hears, hear_answered; /* sw_hear.c: it is listened to; it was answered */
	int64_t hear_ms;          /* UTC: since when */
	struct ltimer hear_end;
};

/*
 *   inbound     NEW -> GREETING -> WAITING <-> OFFERED -> TALK <-> HELD -> ENDED
 *                                     |                    ^ `-> LOST (agent's browser gone) -> TALK or WAITING
 *                                     `-> OVERFLOWN (to a number) -> TALK;  GOODBYE -> ENDED
 *               TALK, HELD -> TRANSFER -> TALK with somebody else, or back (sw_refer.c)
 *               TALK, HELD -> CONSULT -> TALK with somebody else, or back, or TRANSFER (sw_move.c)
 *   direct      NEW -> DIALLING -> TALK ...      (to a URI, a colleague, or out through a trunk)
 *   test        NEW -> TEST: one leg to a trunk, nobody at our end (sw_testcall.c)
 *   click       NEW -> AGENT_FIRST -> DIALLING -> TALK ...
 *   campaign    NEW -> DIALLING -> TALK, with an agent whom the core keeps for it; or -> WAITING -> as inbound (sw_campaign.c)
 */
enum sw_phase {
	CALL_NEW, CALL_GREETING, CALL_WAITING, CALL_OFFERED, CALL_AGENT_FIRST, CALL_DIALLING, CALL_TALK, CALL_HELD, CALL_LOST,
	CALL_GOODBYE, CALL_ECHO, CALL_TRANSFER, CALL_CONSULT, CALL_TEST, CALL_ENDED,
};

enum sw_seg { SEG_NONE, SEG_IVR, SEG_QUEUE, SEG_RING, SEG_TALK, SEG_HOLD, SEG_CONFERENCE };

/* Somebody in a call beside customer and agent: sw_party.c. */
struct sw_party {
	struct ilink link;        /* sw_call.parties, in the order they came */
	int64_t id;               /* of the fact; 0: he does not hear yet */
	struct sw_agent *agent;   /* NULL: somebody outside, in a conference */
	struct sw_leg *leg;       /* leg->call is the call */
	enum sw_how how;
	bool up, told;
	bool seized;              /* the core has him in this call */
	bool fixed;               /* a conference's member by a transfer: he does not listen elsewhere */
	char device[64];          /* which of his telephones; "": none of ours */
};

/* A call on its way out through trunks: what is still to be tried. */
#define SW_TRIES_MAX 8
struct sw_out {
	char number[64];
	const char *via;            /* for the toll guard, see sw_gate */
	char show[64];              /* our number that is shown; "": the trunk's */
	int ring_ms;                /* 0: as long as SIP rings */
	int64_t user_id, device_id; /* who dials; 0: nobody */
	enum sw_role role;
	struct sw_leg **slot;       /* cust, ag or xleg of the call: the leg that is tried now */
	struct sw_try tries[SW_TRIES_MAX];
	size_t n, at;               /* at: the one after the one that runs */
	bool rang, heard;
	int64_t wait_until_ms;      /* for a trunk's second: not longer; 0: it has not waited */
	struct ltimer wait;
};

/* How a call goes, or went last, from one to another: by whom and to whom. */
struct sw_move {
	int64_t by_id, user_id, queue_id; /* by_id 0: it never did */
	char number[64], why[SW_MOVE_WHY_MAX];
	bool consult;
	bool phone;                 /* by REFER: his telephone hears how it goes */
	bool up;                    /* CONSULT: the target has answered */
	bool swapped;               /* CONSULT: the agent talks with the customer, the target hears music */
};

struct sw_call {
	struct sw *sw;
	int64_t id;
	const char *dir;            /* in, out, internal, test */
	enum sw_phase phase;
	int64_t trunk_id, number_id, queue_id, campaign_id;
	struct sw_dial *dial;       /* of a campaign: until it has ended; NULL */
	char from[64], to[64], name[64];
	struct sw_leg *cust;        /* the customer, or the colleague who calls */
	struct sw_leg *ag;          /* the agent (or third party) on the other side */
	struct sw_agent *agent;     /* talks, rings or is being resumed on `ag` */
	struct sw_agent *caller;    /* internal calls: the colleague on `cust` */
	struct sw_leg *xleg;        /* TRANSFER: the target that rings; CONSULT: who is asked */
	struct sw_agent *xagent;    /* he, when it is a colleague */
	struct sw_move move;
	int64_t consult_of;         /* the call that the agent on `cust` holds meanwhile; 0: none */
	int64_t consult_id;         /* the other way round: the last such call of this one's agent */
	int64_t answer_agent_id;    /* the last one of whom the log says that he answered */
	int64_t back_ms;            /* when a transfer failed and the agent got it back; 0: never */
	bool held_before;           /* TRANSFER: and so it becomes again if that fails */
	int64_t offer_id;
	bool in_acd, accepted, answered, record, agent_held;
	bool beep;                  /* his telephone answers by itself: a tone first */
	bool pip;                   /* it is connected already: a tone into the first of what is said */
	bool seized;                /* agent is in this call by SEIZE */
	bool reserved;              /* the core keeps agent for it, by RESERVE */
	enum sw_seg seg;
	int64_t seg_id, rec_id;
	int64_t start_ms, enter_ms;
	int64_t customer_id, owner_id, team_id; /* as sw_customer has said; 0 */
	int64_t ask_until_ms;       /* the answer is waited for until then; 0: it is there, or nobody was asked */
	bool shut;                  /* he rings back out of hours */
	bool owner_tried;           /* the core had the owner, or was to wait for him to be known: not in a further queue again */
	struct ilink parties;       /* struct sw_party */
	struct mroom *room;         /* while there are some; NULL: a bridge serves */
	unsigned legs;              /* sw_legs that are not gone yet */
	int64_t bare_ms;            /* sw_check.c: since when it has ended, or has no leg; 0: neither */
	const char *refused;        /* by the toll guard: a sentence for a telephone's display */
	int32_t test_steps;         /* told so far */
	struct ltimer timer;        /* LOST: give up; TEST: hang up */
	struct sw_out *out;         /* dialled through trunks; NULL: not */
};

struct sw {
	struct sw_start start;      /* strings below are copies */
	struct journal *journal;
	struct snap *conf_snap;
	const struct sw_conf *conf;
	struct sw_index index;
	struct sip_stack *sip;
	struct sip_edge *edge;      /* under edge_lock: HTTP's threads give sockets to it */
	pthread_mutex_t edge_lock;
	struct media *media;
	struct call_env *env;
	struct acd *acd;
	struct mbox *mbox;
	struct idgen ids;
	struct hmap calls, agents;  /* by id */
	struct hmap regs, creds;    /* by name */
	struct hmap recs;           /* open recording parts by id -> struct sw_rec */
	struct hmap meters[3];      /* sw_toll.c: user, trunk, device -> struct sw_meter */
	struct ilink out_legs;
	unsigned toll_alarms;       /* meters that have one */
	unsigned hear_n;            /* sw_hear.c: legs listened to */
	struct hmap camps, dials;   /* sw_campaign.c: campaigns by id, claims by the call's id */
	struct ltimer campaign_run;
	unsigned kept_legs;         /* telephones that stay connected, in a call or not, until they are gone */
	struct rest *rest;          /* who waits for a break, sw_rest.c */
	struct ltimer rest_timer;
	struct hmap turns;          /* team id -> struct turn */
	struct hmap lines;          /* trunk id -> struct sw_line */
	struct hmap trunk_deaf;     /* trunk id -> calls in a row with one-way audio */
	struct hmap trunk_calls;    /* trunk id -> calls in it plus one, as a number */
	struct acd_out *outs;       /* decisions not acted on yet */
	size_t out_n, out_cap, out_at;
	bool draining;
	char **orphans;             /* dialogs of browsers that were not back yet when BYE was to be sent */
	size_t orphan_n;
	int64_t acd_timer_ms;
	struct ltimer acd_timer, tick, deadline, finishing;
	int64_t deviation_ms, day;
	int db_trouble; /* 1: the log spills, 2: it waits in memory */
	bool pressed, overload, stopping, rec_alarm;
	atomic_bool stopped;
	const char *broken;         /* the invariant that the last alarm named; NULL: all hold */
	pthread_t thread;
	sem_t started;
	int start_error;
	char local[64], local_all[SW_LISTEN_MAX];
};

struct sw_rec {
	int64_t id, call_id;
	bool failed;
};

/* sw_event.c */
void sw_emit(struct sw *sw, struct ev *e, const struct strb *body);
void sw_emit_call(struct sw_call *c, enum ev_kind kind, const struct strb *body); /* with the call's ids */
struct sip_ban;
void sw_stranger_ban(const struct sip_ban *x, bool on, void *arg);
void sw_stranger_ask(struct sw *sw, const struct sw_stranger_ask *m);
void sw_alarm(struct sw *sw, const char *what, const char *detail, bool on);
void sw_alarm_about(struct sw *sw, const char *what, int64_t object, const char *name, const char *detail, bool on);
bool sw_overloaded(struct sw *sw); /* and says so when it begins and ends */
/** A call or recording is gone: who waits for the last one to stop looks again. */
void sw_finish_soon(struct sw *sw);
void sw_seg_open(struct sw_call *c, enum sw_seg seg, const char *why);
void sw_leg_begun(struct sw_leg *l, bool incoming, const char *transport, const char *local, const char *remote);

/* sw_conf.c */
void sw_index_build(struct sw_index *x, const struct sw_conf *conf);
void sw_index_done(struct sw_index *x);
const struct sw_queue *sw_queue_of(const struct sw *sw, int64_t id);
const struct sw_user *sw_user_of(const struct sw *sw, int64_t id);
const struct sw_trunk *sw_trunk_of(const struct sw *sw, int64_t id);
const struct sw_device *sw_device_of(const struct sw *sw, const char *name);
const struct sw_number *sw_number_of(const struct sw *sw, int64_t trunk_id, const char *number);
const struct sw_user *sw_user_by_extension(const struct sw *sw, const char *extension);
const struct sw_trunk *sw_trunk_out(const struct sw *sw);
void sw_apply_conf(struct sw *sw, struct snap *conf);

/* sw_agent.c: the routing core's adapter and the agents */
int sw_acd(struct sw *sw, struct acd_in *in); /* logs the input, feeds it, acts on the decisions */
void sw_acd_step(struct sw *sw);
void sw_device_event(struct sw *sw, const char *device, bool up); /* a configured telephone came or went */
void sw_acd_emit(const struct acd_out *out, void *arg);
struct sw_agent *sw_agent_get(struct sw *sw, int64_t id); /* made on demand for a configured user; NULL: unknown */
void sw_agent_device(struct sw *sw, const char *device, bool ws, bool up);
enum sw_refusal sw_agent_command(struct sw *sw, const struct sw_cmd *cmd, int64_t *call_id);
void sw_static_agents(struct sw *sw);
/** Logs in, not ready, who joins a call without having done so; out again by sw_agent_visited. False: he cannot be. */
bool sw_agent_visit(struct sw *sw, struct sw_agent *a, const char *device);
void sw_agent_visited(struct sw *sw, struct sw_agent *a); /* his talk is over; nothing when he was logged in before */
/* Fills the dial for an agent's chosen device; 0 or -ENOENT. */
int sw_agent_dial(struct sw *sw, const struct sw_agent *a, struct sip_dial *d, enum med_profile *profile);

/* sw_ring.c */
/** Rings @device for ten seconds at most. SW_R_STATE: he is in a call, or it rings; SW_R_NO_DEVICE. */
enum sw_refusal sw_ring_start(struct sw *sw, struct sw_agent *a, const char *device);
void sw_ring_stop(struct sw_agent *a); /* a call comes */

/* sw_call.c */
unsigned sw_trunk_load(const struct sw *sw, int64_t trunk_id); /* calls in it now */
int sw_call_invite(struct sip_leg *sip, const struct sip_invite *inv, void *arg);
void sw_call_offer(struct sw *sw, const struct acd_out *out);
void sw_call_offer_end(struct sw *sw, const struct acd_out *out);
void sw_call_kept_offer(struct sw_call *c); /* offered to one whose telephone is up now */
void sw_call_kept_failed(struct sw_call *c, int code); /* or cannot be */
void sw_call_overflow(struct sw *sw, const struct acd_out *out);
void sw_call_announce(struct sw *sw, const struct acd_out *out);
enum sw_refusal sw_call_dial(struct sw *sw, struct sw_agent *a, const char *number, int64_t *call_id);
enum sw_refusal sw_call_hold(struct sw_call *c, bool hold);
enum sw_refusal sw_call_refuse(struct sw_call *c, const struct sw_agent *a);
enum sw_refusal sw_call_digits(struct sw_call *c, const char *digits);
void sw_call_end(struct sw_call *c, const char *by, int code, int q850, const char *reason);
/* The browser of @a, who is in @c or is rung for it, registered anew or vanished. */
void sw_call_agent_device(struct sw_call *c, struct sw_agent *a, bool up);
/* The agent in @c is about to be logged out, come what may: his talk ends, who is only waiting for him waits on. */
void sw_call_agent_leaves(struct sw_call *c, struct sw_agent *a, const char *why);
/* For sw_check.c: the core does not offer it any more, or does not know it at all. */
void sw_call_wait_on(struct sw_call *c);
void sw_call_rec_event(struct sw *sw, const struct med_event *ev);

/* sw_call.c, for sw_refer.c */
void sw_call_rec_stop(struct sw_call *c);
void sw_call_play_music(struct sw_call *c);
void sw_call_drop_leg(struct sw_leg **pl, int code, int q850, const char *reason);
void sw_call_release(struct sw_call *c, struct sw_agent **pa, bool wrap);
#define SW_AUTO_ANSWER                                                                                                                                \
	"X-Huawu-Auto-Answer: 1\r\nAlert-Info: <http://localhost>;info=alert-autoanswer\r\nCall-Info: <sip:localhost>;answer-after=0\r\n"
void sw_call_connect(struct sw_call *c);
void sw_call_join(struct sw_call *c); /* agent and customer hear each other, and are recorded */
enum sw_refusal sw_call_may_dial(struct sw *sw, const struct sw_user *u, const char *number);
void sw_call_enter_queue(struct sw_call *c, int64_t waited_ms, int priority);
bool sw_call_seize(struct sw_call *c, struct sw_agent *a);
int sw_call_ring_agent(struct sw_call *c, struct sw_agent *a, int timeout_ms);
/** Rings @device of @a, which answers by itself, as a further leg of @c. */
int sw_call_ring_party(struct sw_call *c, struct sw_leg **ret, struct sw_agent *a, const char *device, int timeout_ms);
/** May he dial numbers outside with his telephone? */
bool sw_may_key(struct sw *sw, const struct sw_agent *a);
int sw_call_dial_out(struct sw_call *c, struct sw_leg **ret, const char *number); /* as the agent in it; -EINVAL: no number */

void sw_call_dial_over(struct sw_call *c); /* no further trunk is tried */

/* sw_call.c, for sw_campaign.c */
struct sw_campaign_out {
	int64_t trunk_id;   /* 0: any */
	const char *show;
	int ring_ms;
	enum sw_why why;    /* out: why no trunk takes it */
};
/** A call with that id to the claim's customer. @a: the agent whom the core keeps for it; NULL: nobody yet. */
struct sw_call *sw_call_campaign(struct sw *sw, int64_t id, const struct sw_claim *claim, struct sw_dial *d, struct sw_agent *a);
void sw_call_campaign_agent(struct sw_call *c, struct sw_agent *a); /* another one is kept for it; NULL: nobody any more */
int sw_call_campaign_dial(struct sw_call *c, struct sw_campaign_out *o);
/** Agent and customer are put through. False: the core does not keep him any more. */
bool sw_call_campaign_connect(struct sw_call *c);
void sw_call_shut(struct sw_call *c); /* is nobody there for his queue, he hears that these are no hours, and the call is over */
void sw_call_campaign_queue(struct sw_call *c); /* the customer has answered and waits for whoever is free */

/* sw_call.c, for sw_kept.c */
const struct call_leg_handlers *sw_call_leg_handlers(void);
void sw_leg_answered(struct sw_leg *l);
int64_t sw_device_id(const struct sw *sw, const char *name); /* 0: none that is configured */

/* sw_customer.c */
void sw_customer_ask(struct sw_call *c);                       /* it has begun */
void sw_customer_tell(struct sw_call *c);                      /* it was dialled for that customer */
void sw_customer_enter(struct sw_call *c, struct acd_in *in, const struct sw_queue *q); /* it enters a queue: what the core is told */
void sw_customer_said(struct sw *sw, const struct sw_customer *m);

/* sw_turn.c */
/* sw_rest.c */
void sw_rest_init(struct sw *sw);
void sw_rest_done(struct sw *sw);
/** May he go on a break now? False: he waits for a slot. */
bool sw_rest_may(struct sw *sw, const struct sw_agent *a, const char *reason);
void sw_rest_cancel(struct sw *sw, const struct sw_agent *a);

void sw_turn_init(struct sw *sw, const struct sw_turn_state *states, size_t n);
void sw_turn_done(struct sw *sw);
int64_t sw_turn_draw(struct sw *sw, const struct sw_turn *t, bool *is_free, bool *owed); /* 0: nobody */

/* sw_refer.c */
/** SW_TRANSFER or SW_CONSULT of @a, who is in the call. */
enum sw_refusal sw_transfer_to(struct sw_call *c, struct sw_agent *a, const struct sw_cmd *cmd);
/* REFER on @l. 0, or the status that refuses it. */
int sw_transfer(struct sw_leg *l, const char *target, struct sw_leg *replaces);
void sw_transfer_ring(struct sw_call *c, int code, bool early_media); /* the target's 18x */
void sw_transfer_up(struct sw_call *c);
void sw_transfer_failed(struct sw_call *c, int code);
void sw_transfer_agent_gone(struct sw_call *c);
/* The agent's telephone has hung up. True: only because a transfer failed; the customer waits on. */
bool sw_transfer_hung_up(struct sw_call *c);
void sw_transfer_hangup(struct sw_call *c, struct sw_agent *a);
void sw_transfer_device(struct sw_call *c, struct sw_agent *a);
void sw_transfer_complete(struct sw_call *c); /* the target takes the agent's place */
void sw_transfer_back(struct sw_call *c);     /* the agent has the customer again, as it was */
/* @l wants the place of @old in @c. 0, or the status that refuses it. */
int sw_pick_up(struct sw_call *c, struct sw_leg *old, struct sw_leg *l, struct sw_agent *a);

/* sw_party.c */
/** Computes from phase and parties who hears whom, and sets it. After every change of these. */
void sw_call_audio(struct sw_call *c);
enum sw_refusal sw_party_command(struct sw *sw, struct sw_agent *a, const struct sw_cmd *cmd, int64_t *call_id);
/**
 * The leg *@pl, which is up and in @c, becomes a member of the conference; taken, *@pl is NULL then. @a: whose it is; NULL: somebody outside. @seized:
 * the core has him in this call already (it is released when he goes). -EBUSY: full.
 */
int sw_party_join(struct sw_call *c, struct sw_leg **pl, struct sw_agent *a, bool seized);
void sw_party_up(struct sw_leg *l);
void sw_party_closed(struct sw_leg *l);
void sw_party_dead(struct sw_leg *l);
/** What the talk of @c is: talk or conference. */
enum sw_seg sw_party_talk(const struct sw_call *c);
void sw_party_leave(struct sw_agent *a, const char *why);           /* he must be free now; no party: nothing happens */
void sw_party_device(struct sw_agent *a, const char *device);       /* that browser is gone, or elsewhere */
void sw_parties_end(struct sw_call *c, const char *why);
/** The agent goes (his leg is gone, or to be dropped): who has joined gets his place. False: nobody has. */
bool sw_party_inherits(struct sw_call *c);

/* sw_move.c: consultation, and what is told of every way that a call goes */
void sw_move_tell(struct sw_call *c, const char *what, int code);
enum sw_refusal sw_move_command(struct sw_call *c, struct sw_agent *a, const struct sw_cmd *cmd); /* done, back, swap */
void sw_consult_begun(struct sw_call *c);
void sw_consult_ring(struct sw_call *c, bool early_media);
void sw_consult_up(struct sw_call *c);
void sw_consult_target_gone(struct sw_call *c, int code);
void sw_consult_agent_gone(struct sw_call *c); /* he has hung up: whom he asked gets the customer */
void sw_consult_drop(struct sw_call *c);       /* his telephone is lost: nobody is asked any more, the customer waits for him */
struct sw_agent *sw_move_free_agent(struct sw *sw, int64_t queue_id, const struct sw_agent *but); /* of that queue; NULL: none is */

/* For sw_testcall.c. */
struct sw_verdict;
struct sw_call *sw_call_test(struct sw *sw, const struct sw_verdict *v, int64_t trunk_id);
int sw_call_test_dial(struct sw_call *c, const struct sip_dial *d);
void sw_call_test_play(struct sw_call *c, const char *prompt);

/* sw_testcall.c */
enum sw_refusal sw_test_begin(struct sw *sw, const struct sw_cmd *cmd, int64_t *call_id);
enum sw_refusal sw_test_end(struct sw *sw, int64_t call_id);
void sw_test_said(struct sw_call *c, int code, bool early_media); /* 100, 18x, 200 */
void sw_test_closed(struct sw_call *c, const struct call_leg_close *cl);

/* sw_check.c: what must hold between two events, and what is done when it does not. NULL, or a sentence. */
const char *sw_check(struct sw *sw);

/* sw_audio.c: how legs speak, and what goes wrong with it. */
/** How to speak to a trunk (@t), a device (@name: configured, or a browser's) or neither; @like: the other side, NULL: unknown yet. */
struct call_leg_audio sw_audio_of(const struct sw *sw, const struct sw_trunk *t, const char *device, bool incoming, const struct sw_leg *like);
void sw_audio_trouble(struct sw_leg *l, enum med_trouble t);
/** The leg's figures, as "quality" of its record; counts whether its trunk is deaf. */
void sw_audio_quality(struct sw_leg *l, struct jw *w, const struct med_stats *st);
