/*
 * The routing core: who gets which call. Pure: events and time in, decisions out. No clock, no randomness, no I/O; the
 * same inputs give the same outputs to the byte on every machine.
 *
 *   agent    offline --login--> break(login) --ready--> ready --offer--> ringing --answer--> talking --end--> wrapup --> ready
 *                                 ^                        ^                |ring-out                          |
 *                                 |                        |                v                                  |
 *                                 +------- break <---------+---------- noanswer <--- (break or log-out asked while ringing,
 *                                                                                    talking or in wrap-up takes effect after it)
 *
 * Exits: ringing has the ring time-out, wrapup its limit, noanswer ends when the agent says ready (or by a limit, if set), talking
 * ends with the call; a device that goes away makes ready/ringing/noanswer `break` with reason "device", and the state before
 * is given back when the device returns within the grace time. Talk and wrap-up go on without a device; after them the agent waits
 * for it in the same way (the switch ends the talk). Nobody becomes ready without a device.
 *
 * A refused offer goes to the next agent at once. 486, 600, 603: this agent is out (`noanswer`, reason "refused") for 15 s, and is not
 * offered this call again for 60 s. Any other code: as if his device were lost, but ready comes back by itself after the grace
 * (15 s at least), since nobody may report that device again.
 *
 * Dialling out reserves an agent for a call before the call is dialled:
 *
 *   ready --reserve--> reserved --seize, same call--> talking ...
 *                         | unreserve, or its end: ready, idle as long as if he had been ready all the time
 *                         | break, logout, a lost device: at once; who dials sees the state and gives the call to somebody else
 *
 * Only who is ready can be reserved, and who is ready has no caller waiting for him: calls in go first. `unreserve` with a code says that
 * his telephone could not be reached or refused, as with an offer.
 *
 * `break`, `logout` while ringing, talking or in wrap-up are kept as pending; `ready` takes them back. Extending wrap-up tells
 * the new end as a state out with prev == state and reason "extend".
 *
 * Deadlines are processed at their nominal time: acd_step(t1), acd_step(t2) equals acd_step(t2).
 *
 * Owner first (owner.c): a caller whose customer has an owner is held back from the queue for him, keeping his place:
 *
 *   enter --whose is he?--> ask --known, or 150 ms--> owner --rings owner_ms, not answered--> the queue
 *                                                      | talks: waited for owner_busy_ms, then the queue
 *                                                      | gone: his team, owner_ms, then the queue; away, not a member: the queue
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strb;
struct json_t;

enum acd_state { ACD_OFFLINE, ACD_READY, ACD_RINGING, ACD_TALKING, ACD_WRAPUP, ACD_BREAK, ACD_NOANSWER, ACD_RESERVED, ACD_STATE_COUNT };
const char *acd_state_name(enum acd_state s); /* offline ready ringing talking wrapup break noanswer reserved */

#define ACD_REASON_MAX 32   /* bytes, with NUL: a code such as "lunch" */
#define ACD_QUEUES_MAX 64   /* queues an agent may serve */

enum acd_overflow { ACD_OVERFLOW_NONE, ACD_OVERFLOW_QUEUE, ACD_OVERFLOW_NUMBER, ACD_OVERFLOW_GOODBYE };

struct acd_queue_conf {
	int64_t id;
	int32_t priority;        /* higher first, between queues */
	int32_t ring_ms;         /* how long an offer rings */
	int32_t wrapup_ms;       /* 0: none */
	int32_t wrapup_max_ms;   /* with extensions */
	int32_t len_max;         /* callers waiting at most; 0: no limit */
	int32_t wait_max_ms;     /* 0: no limit */
	int32_t announce_ms;     /* position announcement interval; 0: never */
	int32_t target_ms;       /* service level target */
	bool empty_overflow;     /* overflow at once when nobody is logged in for it */
	int32_t owner_ms;        /* a known caller is offered to his owner so long before the queue; 0: not */
	int32_t owner_busy_ms;   /* an owner who talks is waited for so long; 0: the queue at once */
	bool owner_member;       /* only an owner who serves this queue */
	enum acd_overflow overflow;
	int64_t overflow_queue;  /* with ACD_OVERFLOW_QUEUE; a number's digits are the switch's business */
};

struct acd_member {
	int64_t agent_id, queue_id;
	int32_t level;           /* 1 first ... 9 last: lower levels are asked first */
};

struct acd_agent_conf {
	int64_t id, team_id;
	int32_t noanswer_ms;     /* how long "not answering" lasts before ready is given back; 0: until the agent says so */
	int32_t device_grace_ms; /* how long a vanished device may return to the state before */
};

struct acd_conf {
	int64_t version;
	struct acd_queue_conf *queues;
	size_t queue_n;
	struct acd_agent_conf *agents;
	size_t agent_n;
	struct acd_member *members;
	size_t member_n;
};

/* Inputs. X(enumerator, "name") */
#define ACD_INPUTS(X)                                                                                                  \
	X(ACD_IN_LOGIN, "login")             /* agent; device_up: his device is registered; ready: into Ready at once */ \
	X(ACD_IN_LOGOUT, "logout")           /* agent; force: at once, also from talking (the switch ends the call) */   \
	X(ACD_IN_READY, "ready")             /* agent */                                                                \
	X(ACD_IN_BREAK, "break")             /* agent, reason */                                                        \
	X(ACD_IN_WRAP_EXTEND, "wrap_extend") /* agent, ms */                                                            \
	X(ACD_IN_WRAP_END, "wrap_end")       /* agent */                                                                \
	X(ACD_IN_DEVICE, "device")           /* agent, device_up */                                                     \
	X(ACD_IN_SEIZE, "seize")             /* agent, call, queue or 0 (for wrap-up): he dials, takes a call: talking */ \
	X(ACD_IN_RELEASE, "release")         /* agent, call, wrap (ms: instead of the queue's): that call ended for him */ \
	X(ACD_IN_ENTER, "enter")             /* call, queue, priority, waited_ms (from before, with overflow); the customer's owner \
						and team, or ms: so long it waits to be told by "known" */ \
	X(ACD_IN_KNOWN, "known")             /* call, owner, team (0: none): the answer to whose customer he is */       \
	X(ACD_IN_LEAVE, "leave")             /* call: the caller is gone (abandoned) or was taken away (with a reason) */ \
	X(ACD_IN_ANSWERED, "answered")       /* call, offer, agent */                                                   \
	X(ACD_IN_REFUSED, "refused")         /* call, offer, agent, code: device busy, gone or refused */               \
	X(ACD_IN_MOVE, "move")               /* agent, call, queue or 0: he talks on, in another call (a transfer) */       \
	X(ACD_IN_RESERVE, "reserve")         /* queue (of a campaign), call, ms, agent (0: whoever is ready for it): he is kept for that call */ \
	X(ACD_IN_UNRESERVE, "unreserve")     /* call, code: not for him after all, or (code) not to be reached */            \
	X(ACD_IN_STEP, "step")               /* only in replay: none is logged; deadlines follow from times */

#define ACD_ENUM(id, name) id,
enum acd_in_kind { ACD_INPUTS(ACD_ENUM) ACD_IN_COUNT };
#undef ACD_ENUM

struct acd_in {
	enum acd_in_kind kind;
	int64_t at_ms;
	int64_t agent_id, call_id, queue_id, offer_id, owner_id, team_id;
	int32_t priority, code, ms;
	int64_t waited_ms;
	bool device_up, ready, force, wrap;
	char reason[ACD_REASON_MAX];
};

enum acd_out_kind { ACD_OUT_STATE, ACD_OUT_OFFER, ACD_OUT_OFFER_END, ACD_OUT_OVERFLOW, ACD_OUT_ANNOUNCE, ACD_OUT_OWNER, ACD_OUT_RESERVE };

struct acd_out {
	enum acd_out_kind kind;
	int64_t t_ms; /* nominal time of the decision */
	int64_t agent_id, call_id, queue_id, offer_id, team_id;
	enum acd_state state, prev; /* ACD_OUT_STATE */
	int64_t until_ms;           /* when the state or offer runs out; 0: no limit */
	int32_t ring_ms, position, waiting, code;
	const char *reason;         /* state: why; offer end: outcome; overflow: why; owner (agent_id, 0: none): see owner.c */
	enum acd_overflow overflow;
	int64_t target_queue;
	/* The event's body, ready for the log: what acd_check() recomputes the choice from. Borrowed for the call. */
	const char *body;
	size_t body_len;
};

struct acd;

/**
 * @emit is called for each decision, inside acd_input and acd_step, in order; it must not call back into the core.
 * Offer ids are made by the core: a counter that only grows, kept in snapshots.
 */
int acd_new(struct acd **ret, void (*emit)(const struct acd_out *out, void *arg), void *arg);
void acd_free(struct acd *a);

/** Applies a configuration; agents and queues that vanished are let go when they are idle. */
int acd_configure(struct acd *a, const struct acd_conf *conf, int64_t at_ms);

/* acd_input's documented refusals: nothing changed, nothing emitted. */
enum { ACD_E_UNKNOWN = 1, ACD_E_STATE = 2, ACD_E_STALE = 3 };

/** Processes deadlines up to in->at_ms, then the input. 0 or ACD_E_*; a refused input still belongs into the log. */
int acd_input(struct acd *a, const struct acd_in *in);
void acd_step(struct acd *a, int64_t now_ms);
/** When it next wants to be stepped; INT64_MAX: never. */
int64_t acd_next_ms(const struct acd *a);

/* What the switch and the live board may ask. */
struct acd_agent_view {
	enum acd_state state, pending; /* pending: break or offline asked for later; else == state */
	char reason[ACD_REASON_MAX];
	int64_t since_ms, until_ms, call_id, queue_id;
	bool device_up;
};
int acd_agent_get(const struct acd *a, int64_t agent_id, struct acd_agent_view *ret); /* ACD_E_UNKNOWN */
/** Whether a call waits in a queue, offered or not. */
bool acd_call_waits(const struct acd *a, int64_t call_id);
struct acd_queue_view {
	unsigned waiting, offering, ready, logged_in;
	unsigned members[ACD_STATE_COUNT]; /* by state; in a break because a device is lost: in none */
	int64_t oldest_ms; /* when the longest waiting one entered; 0: nobody */
};
int acd_queue_get(const struct acd *a, int64_t queue_id, struct acd_queue_view *ret);

/* ---- codec: to and from event bodies ---- */
void acd_in_encode(const struct acd_in *in, struct strb *b);
int acd_in_decode(struct acd_in *ret, int64_t at_ms, const char *body, size_t len); /* -EINVAL */
void acd_conf_encode(const struct acd_conf *c, struct strb *b);
int acd_conf_decode(struct acd_conf *ret, const char *body, size_t len); /* free with acd_conf_done */
void acd_conf_done(struct acd_conf *c);
void acd_snap_encode(const struct acd *a, struct strb *b);
int acd_snap_restore(struct acd *a, const char *body, size_t len);

/** Invariants (see acd.c); NULL, or a sentence that names the first one broken. */
const char *acd_invariant(const struct acd *a);
