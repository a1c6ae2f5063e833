/*
 * Inside of the routing core. acd.c takes inputs and steps time, agent.c is the agent's state machine, call.c the waiting
 * caller's, owner.c holds callers for whose customers they are, reserve.c keeps agents for calls that are dialled, rank.c decides
 * who gets whom and says why, conf.c applies configurations, codec.c reads and writes event bodies.
 *
 * All functions act at a->now_ms, the nominal time of the input or deadline in hand. Whoever makes a call wait or an agent
 * ready calls the match at once, so between two inputs no waiting call has an eligible ready agent.
 */
#pragma once

#include "acd/acd.h"
#include "acd/otree.h"
#include "base/list.h"
#include "base/strb.h"

/* A phone that is busy or refuses (486, 600, 603): its agent is out for a moment, and longer for this very call. */
#define REFUSED_AGENT_MS 15000
#define REFUSED_CALL_MS 60000
/* An offer that fails for another reason (404, 480, no answer to the INVITE ...): the least pause before the next try. */
#define FAILED_MS 15000
#define RING_DEFAULT_MS 20000
#define LEVEL_MAX 9
#define HOPS_MAX 8                 /* queues an overflow looks through at one instant */
#define TIME_MAX_MS (1LL << 52)    /* beyond: absurd, refused */
#define WAITED_MAX_MS (7 * 86400000LL)
#define RESERVE_MAX_MS 600000      /* a preview and its ringing */
#define ASK_MAX_MS 2000            /* whose customer calls: nobody waits longer for that */
#define BEST_MAX 5                 /* candidates stored with a decision */

/* Why an agent of a queue is or is not free, as counted and stored with decisions: his state, or his lost device. */
enum { CLASS_DEVICE = ACD_STATE_COUNT, CLASS_COUNT };

enum timer_kind { TIMER_AGENT, TIMER_LIMIT, TIMER_REFUSAL, TIMER_ANNOUNCE, TIMER_HOLD };

struct timer {
	struct otree_node node; /* due, kind, id, second id: a defined order also within a millisecond */
};

struct queue {
	struct otree_node by_id;
	struct acd_queue_conf c;
	bool in_conf;
	struct otree waiting;   /* calls without an offer: -priority, since, id */
	struct otree offering;  /* calls with one, same keys */
	struct otree held;      /* calls without one that only their owner (or his team) may get yet, same keys */
	struct ilink calls;     /* all, in the order they entered */
	struct otree ready;     /* its ready members: level, idle since, agent id */
	unsigned members[CLASS_COUNT];
};

struct member {
	struct agent *agent;
	struct queue *queue;
	int32_t level;
	struct otree_node ready; /* in the queue's tree exactly while the agent is ready */
};

struct agent {
	struct otree_node by_id;
	struct acd_agent_conf c;
	bool in_conf;
	enum acd_state state;
	char reason[ACD_REASON_MAX];
	int64_t since_ms, until_ms;
	int64_t idle_ms;         /* ready since; survives an offer that was taken back and a device that came back */
	bool device_up;
	bool away;               /* in break because the device is lost: `after` is given back before until_ms */
	int64_t lost_ms;
	/* ringing, talking, wrap-up: where to afterwards; away: what is given back */
	enum acd_state after;
	char after_reason[ACD_REASON_MAX];
	int64_t after_until_ms;
	int64_t call_id, queue_id; /* ringing, talking, wrap-up, reserved */
	int64_t wrap_limit_ms;     /* wrap-up: extensions end here */
	int64_t offer_id;
	struct call *offered;    /* exactly while ringing; offered->agent is this one */
	struct timer timer;      /* at until_ms, if that is set */
	struct otree_node by_reserved; /* in a->reserved exactly while reserved */
	struct ilink refusals;
	struct otree owned;      /* calls held for him, who rings, talks or wraps up: since, id */
	struct member *members;  /* by queue id */
	unsigned member_n;
};

/* Whom a call is held for. OVER: his owner had it, and did not take it; only within an input. */
enum hold { HOLD_NONE, HOLD_ASK, HOLD_OWNER, HOLD_TEAM, HOLD_OVER, HOLD_COUNT };

struct call {
	struct otree_node by_id;
	int64_t id;
	struct queue *queue;
	struct ilink in_queue;
	struct otree_node place; /* in queue->offering while agent is set, else in queue->held while hold is, else in queue->waiting */
	struct agent *agent;
	int32_t priority;
	int64_t since_ms;        /* waits since, with the time in queues before */
	int64_t entered_ms;      /* this queue */
	bool overdue;            /* its limit passed while it rang: it leaves if that offer fails */
	struct timer limit, announce;
	struct ilink refusals;
	enum hold hold;
	int64_t owner_id, team_id; /* of the customer, while held */
	struct timer held;       /* until when */
	struct otree_node of_owner; /* in the owner's `owned` */
	const char *missed;      /* how its last offer ended */
};

/* This agent refused this call: not offered to him until the timer. */
struct refusal {
	struct agent *agent;
	struct call *call;
	struct ilink of_agent, of_call;
	struct timer timer;
};

struct acd {
	void (*emit)(const struct acd_out *out, void *arg);
	void *arg;
	int64_t now_ms, offer_last, conf_version;
	struct otree agents, queues, calls; /* by id */
	struct otree reserved;   /* agents, by the id of the call they are kept for */
	struct otree timers;
	struct strb body;
};

/* acd.c */
extern const char *const acd_state_names[ACD_STATE_COUNT];
void acd_timer_set(struct acd *a, struct timer *t, int64_t due_ms, enum timer_kind kind, int64_t id, int64_t id2);
void acd_timer_stop(struct acd *a, struct timer *t);
struct agent *acd_agent_find(const struct acd *a, int64_t id);
struct queue *acd_queue_find(const struct acd *a, int64_t id);
struct call *acd_call_find(const struct acd *a, int64_t id);
void acd_emit(struct acd *a, struct acd_out *out); /* with what is in a->body */

/* agent.c */
struct agent *agent_new(struct acd *a, int64_t id);
void agent_free(struct acd *a, struct agent *g);
int agent_class(const struct agent *g);
void agent_join(struct agent *g);  /* its memberships are set: counts it and shows it when ready */
void agent_part(struct agent *g);
void agent_ring(struct acd *a, struct agent *g, struct call *c, int64_t offer_id, int64_t until_ms);
void agent_talk(struct acd *a, struct agent *g, int64_t call_id, int64_t queue_id);
void agent_settle(struct acd *a, struct agent *g, bool keep_idle); /* on to g->after; keep_idle: as if he had been ready all the time */
void agent_refused(struct acd *a, struct agent *g);    /* his phone refused an offer */
void agent_failed(struct acd *a, struct agent *g);     /* his phone could not be reached */
void agent_timer(struct acd *a, struct agent *g);
void agent_reserve(struct acd *a, struct agent *g, int64_t call_id, int64_t queue_id, int64_t until_ms);
void agent_remove(struct acd *a, struct agent *g);     /* his configuration vanished */
const char *acd_reason(const struct acd_in *in);         /* of a break; never empty */
int agent_input(struct acd *a, const struct acd_in *in);

/* call.c */
struct queue *queue_new(struct acd *a, int64_t id);
unsigned queue_waiting(const struct queue *q);
unsigned queue_logged_in(const struct queue *q);
void queue_check_empty(struct acd *a, struct queue *q); /* overflows it when nobody is logged in, if so configured */
void queue_close(struct acd *a, struct queue *q);       /* its configuration vanished; freed when no call is left */
void queue_rearm(struct acd *a, struct queue *q);       /* limits and announcements by a new configuration */
void call_place(struct call *c, struct agent *g);       /* among the waiting (or held), or among those offered to @g */
void call_hold(struct call *c, enum hold hold);
void call_arm(struct acd *a, struct call *c);
struct call *call_new(struct acd *a, int64_t id, struct queue *q, int32_t priority, int64_t since_ms, int64_t entered_ms);
void call_free(struct acd *a, struct call *c);
void call_offer_end(struct acd *a, struct agent *g, const char *outcome, int code); /* tells; call and agent go on apart */
void call_again(struct acd *a, struct call *c);         /* waits again after an offer */
void call_waits_on(struct acd *a, int64_t id);          /* the same, when what its agent did meanwhile may have sent it away */
void call_timer(struct acd *a, struct call *c, enum timer_kind kind);
void refusal_new(struct acd *a, struct agent *g, struct call *c, int64_t due_ms);
void refusal_free(struct acd *a, struct refusal *r);
bool refusal_between(const struct agent *g, const struct call *c);
int call_input(struct acd *a, const struct acd_in *in);

/* owner.c */
bool owner_free(const struct acd *a, const struct queue *q, const struct acd_in *in); /* could take the call of this ENTER at once */
void owner_enter(struct acd *a, struct call *c, const struct acd_in *in); /* the call is there: holds it, or matches it */
int owner_known(struct acd *a, const struct acd_in *in);
void owner_timer(struct acd *a, struct call *c);
void owner_again(struct acd *a, struct call *c);  /* held, and waits again after an offer */
void owner_moved(struct acd *a, struct agent *g); /* whom he will not be free for soon go on */
bool owner_match(struct acd *a, struct agent *g); /* ready: is offered who is held for him. False: nobody is */
bool owner_soon(const struct agent *g);           /* rings, talks or wraps up, and is ready afterwards */
void owner_own(struct acd *a, struct call *c, struct agent *g); /* held for him */
void owner_disown(struct acd *a, struct call *c);

/* reserve.c */
struct agent *reserved_for(const struct acd *a, int64_t call_id);
int reserve_input(struct acd *a, const struct acd_in *in);

/* rank.c */
bool match_reserve(struct acd *a, struct queue *q, const struct acd_in *in); /* false: nobody is ready for it */
void match_call(struct acd *a, struct call *c);   /* waits: offers it if somebody is free for it */
void match_agent(struct acd *a, struct agent *g); /* ready: offers him a call if one waits for him */
bool match_team(struct acd *a, struct call *c);   /* held for a team: the same among its agents */
void match_owner(struct acd *a, struct call *c, struct agent *g); /* offers it to him, who is ready */
bool serves(const struct agent *g, const struct queue *q);
