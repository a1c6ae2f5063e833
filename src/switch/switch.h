/*
 * The switch: the telephony loop. One thread owns all live state: calls, legs, agents, queues. It joins SIP, media and the routing core,
 * and appends every event to the journal. It never blocks: no SQL, no file, no DNS.
 *
 * Everybody else speaks to it by mailbox: configuration snapshots, commands, credentials. What it does is seen in the journal's tap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acd/acd.h"
#include "number/guard.h"
#include "number/table.h"

struct journal;
struct snap;
struct sw;
struct trace;

/* ---- configuration: an immutable snapshot, made by app/ from the database ---- */

enum sw_srtp { SW_SRTP_OFF, SW_SRTP_OPTIONAL, SW_SRTP_REQUIRED };

struct sw_audio {
	const char *codecs;      /* "pcma,pcmu,g722,opus", best first; NULL: PCMA, PCMU */
	enum sw_srtp srtp;       /* keys in our descriptions (RFC 4568) ... */
	bool srtp_any;           /* ... also where the signalling is not TLS, and anybody on the way reads them */
};

enum sw_browser_codec { SW_BROWSER_AUTO, SW_BROWSER_G711, SW_BROWSER_OPUS };

struct sw_device {
	int64_t id, user_id;     /* user_id 0: nobody's */
	const char *name;        /* SIP user name, e.g. "8001" */
	const char *ha1_md5, *ha1_sha256;
	const char *static_uri;  /* a phone that never registers: "sip:a1@127.0.0.2:28090"; NULL */
	bool auto_answer;
	struct sw_audio audio;
};

struct sw_user {
	int64_t id, team_id;
	const char *name, *login, *extension; /* extension: colleagues dial it; may be "" */
	const char *staff_no;    /* they may dial that as well; NULL: he has none */
	bool auto_answer;
	const struct num_rights *rights; /* NULL: num_rights_default */
	enum sw_browser_codec browser_codec;
	bool masked;             /* sees no customers' numbers: his telephone is shown an alias */
	bool no_dial;            /* keys no numbers: outside only what the program dials for him */
	int32_t rest_max;        /* of his team on a break at once; 0: no limit */
	bool static_agent;       /* logged in and ready at start, without a desk (bench, phones without browser) */
};

enum sw_transport { SW_UDP, SW_TCP, SW_TLS };

struct sw_trunk {
	int64_t id;
	const char *name, *host; /* the carrier's numeric address or name: where calls to it go, and come from */
	uint16_t port;           /* where calls to it go; any source port is accepted. 0: by SRV, or the transport's own */
	int32_t calls_max;       /* 0: no limit */
	const char *caller_id;   /* number shown on outbound calls; NULL: the agent's extension */
	bool outbound;           /* may be used for calls out */
	const struct num_table *numbers; /* the carrier's forms; NULL: numbers pass as they are */
	const struct num_rights *rights; /* what may be dialled through it; NULL: num_rights_default */
	enum sw_transport transport;
	const char *tls_pin;     /* SHA-256 of the one certificate that is taken; NULL: any that is signed for the name */
	const char *sources;     /* further addresses and networks that its calls come from, parted by blanks; NULL */
	bool registers;          /* we log in there, as @username */
	const char *username, *auth_user; /* NULL: none; auth_user NULL: the same */
	const char *secret;      /* in clear: memory only */
	const char *proxy;       /* "host" or "host:port" that everything is sent to; NULL: host */
	int32_t expires_s;
	bool auth_in;            /* its calls authenticate as @username, wherever they come from; its address alone counts nothing */
	const char *ha1_md5, *ha1_sha256; /* with auth_in */
	int32_t turn, weight;    /* smaller turns first; trunks of one turn share by weight */
	int32_t calls_per_s;     /* 0: no limit */
	int32_t options_s, options_fails; /* asked so often whether it is there (0: never); down after so many failures */
	struct sw_audio audio;
	int32_t answer_ms;       /* without any answer for so long, the next trunk is tried; 0: RFC 3261's 32 s */
};

enum sw_dest { SW_DEST_QUEUE, SW_DEST_USER, SW_DEST_URI };

struct sw_number {
	int64_t id;
	const char *number;      /* as the trunk delivers it */
	int64_t trunk_id;        /* 0: from any trunk */
	enum sw_dest dest;
	int64_t target_id;       /* queue or user */
	const char *uri;         /* SW_DEST_URI: "sip:1000@127.0.0.2:28090" */
	bool record;             /* SW_DEST_URI, SW_DEST_USER */
};

struct sw_queue {
	int64_t id;
	const char *name;
	bool answer_first;       /* answer at once, greeting and music; else ring through until an agent answers */
	bool record, record_waiting;
	bool auto_answer;
	const char *greeting, *music; /* prompt names or absolute paths; NULL: none */
	bool announce_position;
	const char *overflow_number; /* with ACD_OVERFLOW_NUMBER */
	int32_t keep_ready;      /* so many stay ready whoever wants a break; 0: no limit */
	bool owner_first;        /* the core's owner_ms is set: callers wait until it is known whose they are, or ask_ms */
};

/*
 * A campaign dials its leads. The routing core knows it as a queue: acd.queues has one of the same id (its wait limit and wrap-up; a priority
 * below those of calls in), acd.members its agents.
 */
enum sw_mode { SW_PREVIEW, SW_PROGRESSIVE, SW_PREDICTIVE };
const char *sw_mode_name(enum sw_mode m); /* preview progressive predictive */

struct sw_campaign {
	int64_t id;
	const char *name;
	enum sw_mode mode;
	bool running;            /* false: nothing new is dialled, what is held goes back, what rings or talks goes on */
	int32_t preview_s;       /* how long a customer is shown before he is dialled */
	int32_t ring_s;          /* how long he is rung; 0: 30 */
	int32_t wait_max_ms;     /* who has answered waits so long for an agent, then he is abandoned; 0: 2000 */
	int32_t limit_permille;  /* abandoned of answered at most */
	int32_t lines_max;       /* calls ringing or waiting at once; 0: no limit but the trunk's */
	int32_t wrapup_ms;
	int64_t trunk_id;        /* 0: whichever may dial the number */
	bool record;
	bool beep;               /* the agent hears a tone when he is connected */
	int32_t talk_max_ms;     /* a talk that lasts longer is an alarm, talk_long; 0: none does */
};

/* When the toll guard raises an alarm; 0: never. */
struct sw_toll_conf {
	int32_t odd_from, odd_to;  /* hours: calls abroad and premium in them */
	int32_t abroad_burst;      /* so many abroad or premium in ten minutes by one person, device or trunk */
	int32_t short_burst;       /* so many that were answered for less than six seconds; a trunk: five times as many */
};

struct sw_conf {
	int64_t version;
	const char *allowed;       /* networks that are never banned, by blanks; NULL: none */
	const struct num_rights *rights; /* of calls that nobody places: overflow, forwarding. NULL: num_rights_default */
	const struct sw_toll_conf *toll; /* NULL: as the form has it */
	struct sw_device *devices; size_t device_n;
	struct sw_user *users; size_t user_n;
	struct sw_trunk *trunks; size_t trunk_n;
	struct sw_number *numbers; size_t number_n;
	struct sw_queue *queues; size_t queue_n;
	struct sw_campaign *campaigns; size_t campaign_n;
	struct acd_conf acd;     /* the routing core's view of the same version */
	struct arena *arena;     /* holds every string and array above */
};

/* Minutes called out since the centre's midnight, for a process that starts in mid-day. */
struct sw_used {
	int64_t trunk_id, user_id; /* exactly one of them */
	int64_t ms, costly_ms;     /* all; abroad and premium */
};

/* Where a team's turn stood when the last process ended. */
struct sw_turn_state {
	int64_t team_id;
	const char *body;        /* of the last turn.draw or turn.back */
};

/* What a campaign's pacing had learned when the last process ended ... */
struct sw_pace_state {
	int64_t campaign_id;
	const char *body;        /* of the last campaign.pace */
};
/* ... and a dial ahead of agents that ended after that, oldest first. */
struct sw_past {
	int64_t campaign_id, begin_ms, answer_ms, end_ms; /* answer_ms 0: not answered */
	bool abandoned;
};

struct sw_start {
	const char *sip_listen, *external, *realm; /* see struct sip_conf */
	const char *tls_cert, *tls_key; /* of tls listeners; and with them browsers come by wss */
	const struct sw_used *used; size_t used_n; /* borrowed for sw_new */
	const struct sw_turn_state *turns; size_t turn_n; /* borrowed for sw_new */
	const struct sw_pace_state *paces; size_t pace_n; /* borrowed for sw_new */
	const struct sw_past *past; size_t past_n;        /* borrowed for sw_new */
	/* Asks whose number it is; sw_customer() answers, from any thread, or nobody does. On the switch's thread: must not block. NULL: nobody
	   knows. The number is as we have it, not always as number/ writes it. */
	void (*ask_customer)(struct sw *sw, int64_t call_id, const char *number, void *arg);
	void *ask_arg;
	int32_t ask_ms;          /* so long a caller waits for the answer at most, where it decides anything; 0: 150 */
	/* Asks for about @want leads to dial; sw_claims() answers, from any thread, once, or nobody does. On the switch's thread: must not
	   block. NULL: nothing is dialled. */
	void (*ask_leads)(struct sw *sw, int64_t campaign_id, int want, void *arg);
	void *leads_arg;
	const char *dns;         /* name servers for carriers' names, "127.0.0.1:5353 192.0.2.1"; NULL: the system's */
	const char *rtp_bind;
	uint16_t rtp_min, rtp_max;
	unsigned media_threads, calls_max, invites_per_s;
	int resume_ms;           /* an agent whose browser vanished in a call may come back so long; 0: 20000 */
	const char *record_dir;  /* recordings go to record_dir/YYYY/MM/DD/... */
	const char *heard_dir;   /* what carriers said and nobody knew, likewise; NULL: it is not kept */
	int64_t centre_id;
	unsigned node;           /* of the id generator */
	struct trace *trace;     /* where SIP messages are copied to; NULL: nowhere. The caller's, outlives the switch */
	unsigned session_s, session_min_s; /* SIP session timers (RFC 4028); 0: 1800, 90 */
	int32_t dead_ms;         /* a leg from which no audio has come for so long is hung up; 0: 120 s */
};

/** Starts the switch's thread (SIP, media, loop). @j is its from now on. Blocks until it listens. */
int sw_new(struct sw **ret, const struct sw_start *start, struct journal *j, struct snap *conf);
/** No new calls; ends when the last one is over or after @deadline_ms, then stops. What is said to it afterwards is refused. */
void sw_stop(struct sw *sw, int deadline_ms);
/** After sw_stop, when nobody can speak to it any more. */
void sw_free(struct sw *sw);
/** "127.0.0.1:5060" */
void sw_sip_local(const struct sw *sw, char *buf, size_t size);
#define SW_LISTEN_MAX 1024
/** "udp:127.0.0.1:5060, tls:[::1]:5061": all of them. */
void sw_sip_local_all(const struct sw *sw, char *buf, size_t size);
/**
 * Gives a browser's upgraded WebSocket (subprotocol "sip") to the switch; any thread. @device is the device that log-in may be.
 * @closed is called, on another thread, when the socket is to be given back. Negative: refused, the socket stays the caller's.
 */
int sw_phone_add(struct sw *sw, int fd, const char *peer_host, uint16_t peer_port, const char *device, const void *extra,
		 size_t extra_len, void (*closed)(void *arg), void *arg);
/** Cuts every socket of @device (log-out, disabled, taken over). Any thread. */
void sw_phone_cut(struct sw *sw, const char *device);

/** Announcements are known by this from now on: a struct hear_book (hear/hear.h), taken over when 0 is answered. Any thread. */
int sw_hear_book(struct sw *sw, struct snap *book);

/** A new configuration version, taken over when 0 is answered; the switch drops its reference to the old one when no call needs it. Any thread. */
int sw_configure(struct sw *sw, struct snap *conf);

/**
 * Begins or ends an alarm: the same @what and @object. @what is a code that the page knows in both languages; @object an id or 0, @name
 * what a person calls it, @detail further words. For who watches something outside of the switch: disk, certificate. Any thread.
 */
int sw_raise(struct sw *sw, const char *what, int64_t object, const char *name, const char *detail, bool on);

/* ---- strangers: what SIP has counted and whom it does not listen to ---- */

struct sw_stranger_ask {
	bool lift;               /* the ban of this user ("": of all) at this source */
	char source[52], user[256];
	char restore[1024];      /* not empty: a ban of an earlier process, the body of a sip.ban; nothing is answered */
	/* Once, on the switch's thread: an object (see sip_strangers, or {} after lifting), borrowed; NULL: there is no such ban. */
	void (*answer)(const char *json, void *arg);
	void *arg;
};
/** Any thread. */
int sw_strangers(struct sw *sw, const struct sw_stranger_ask *q);

/** BYE for dialogs of a dead process (from journal_recover). Any thread, after sw_new. */
int sw_orphan(struct sw *sw, const char *dialog);

/* ---- commands, from any thread; @answer is called on the switch thread (NULL: not wanted) ---- */

enum sw_cmd_kind {
	SW_LOGIN,        /* user_id, device ("" : his browser "w<user_id>"), ready */
	SW_LOGOUT,       /* user_id, force */
	SW_READY, SW_BREAK /* reason; force: asked by another, whatever the slots; else he may have to wait for one (rest facts tell) */,
	SW_BREAK_CANCEL, /* user_id: he does not wait for a slot any more */
	 SW_WRAP_EXTEND /* ms */, SW_WRAP_END,
	SW_TEST_RING,    /* user_id, device ("": his browser): rings it, without a call */
	SW_DIAL,         /* user_id, number: rings his device, then the number */
	SW_HANGUP,       /* user_id: his call. call_id 0: the current one */
	SW_REFUSE,       /* user_id: the offer that rings now */
	SW_HOLD, SW_RESUME,
	SW_DIGITS,       /* number: the digits, towards the customer */
	SW_CREDENTIAL,   /* device, ha1_md5, ha1_sha256, user_id, ms: valid so long. For browsers */
	SW_CREDENTIAL_GONE, /* device */
	SW_TEST_CALL,    /* user_id (who asks), trunk_id, number, ms (hung up then): through that trunk, with nobody at our end */
	SW_TEST_END,     /* call_id */
	/* user_id: his call, to one of: the colleague target_id, queue_id, number. @why travels along. SW_TRANSFER: whom it rings while he stays
	   (sw_refer.c); SW_CONSULT: whom he asks while the customer hears music (sw_move.c) */
	SW_TRANSFER, SW_CONSULT,
	SW_MOVE_DONE,    /* user_id: whom he asks, or who rings for it, gets the customer */
	SW_MOVE_BACK,    /* user_id: whom he asks or transfers to is let go, the customer is his again */
	SW_MOVE_SWAP,    /* user_id: from whom he asks to the customer, and back */
	SW_MOVE_JOIN,    /* user_id: with the customer and whom he asks, a conference */
	SW_PREVIEW_DIAL, /* user_id: the customer whom he is shown (preview.new), now. call_id 0: whichever it is */
	SW_PREVIEW_SKIP, /* user_id, reason (a code): not him; call_id 0: whichever it is */
	SW_LISTEN,       /* user_id hears call_id from now on, as `how`; in another one before: moved. His telephone rings first (sw_party.c) */
	SW_LISTEN_END,   /* user_id; call_id 0: whichever it is */
	SW_TAKE_OVER,    /* user_id, who is a party of call_id, has the agent's place */
};

/* Hears only; is heard by the agent, too; is heard by all. */
enum sw_how { SW_HOW_LISTEN, SW_HOW_WHISPER, SW_HOW_JOIN };
const char *sw_how_name(enum sw_how how); /* listen whisper join */

#define SW_MOVE_WHY_MAX 400 /* bytes: a hundred characters and some */

struct sw_cmd {
	enum sw_cmd_kind kind;
	int64_t user_id, call_id, trunk_id, target_id, queue_id;
	int32_t ms;
	bool ready, force;
	enum sw_how how;
	bool told; /* SW_LISTEN: the agent is to know */
	char device[64], reason[ACD_REASON_MAX], number[64], why[SW_MOVE_WHY_MAX];
	char ha1_md5[33], ha1_sha256[65];
};

/** @code: 0 done; else a stable code from sw_refusal_name. */
enum sw_refusal { SW_OK, SW_R_UNKNOWN, SW_R_STATE, SW_R_NO_DEVICE, SW_R_NO_TRUNK, SW_R_NUMBER, SW_R_NO_CALL, SW_R_FULL, SW_R_STOPPING,
	SW_R_CLASS, SW_R_ABROAD, SW_R_PREMIUM, SW_R_BARRED, SW_R_MINUTES, /* the toll guard: sw_number.h */
	SW_R_EMERGENCY, /* nobody tests a line on 110 */
	SW_R_TARGET_BUSY, SW_R_TARGET_AWAY, /* to whom a call is to go */
	SW_R_COUNT };
const char *sw_refusal_name(enum sw_refusal r); /* unknown wrong_state no_device no_trunk bad_number no_call full stopping,
	class_off abroad_off premium_off barred minutes_used emergency_test target_busy target_away */
int sw_command(struct sw *sw, const struct sw_cmd *cmd, void (*answer)(enum sw_refusal r, int64_t call_id, void *arg), void *arg);

/* ---- whose customer calls ---- */

struct sw_customer {
	int64_t call_id;         /* with by_id also one that has ended */
	int64_t customer_id;     /* 0: nobody's */
	int64_t owner_id, team_id; /* who gets it first; 0: nobody */
	int64_t by_id;           /* a person said so, and this is no answer to ask_customer; 0 */
	int64_t back_campaign_id, back_claim_id, back_agent_id; /* he rings back: by what he was dialled last, and who did; 0 */
	bool back_closed;        /* and its hours are over: is nobody there for his queue, he is told so */
};
/** Any thread. */
int sw_customer(struct sw *sw, const struct sw_customer *c);

/** Every call that goes through this trunk ends. Any thread. */
int sw_hang_up_trunk(struct sw *sw, int64_t trunk_id);

/* ---- what campaigns dial ---- */

#define SW_CLAIMS_MAX 500
/* One permission to dial one number once, committed before the switch hears of it. Each ends in exactly one attempt.end in the log. */
struct sw_claim {
	int64_t id, campaign_id, lead_id, customer_id;
	int64_t agent_id;        /* only he; 0: anybody of the campaign */
	int64_t until_ms;        /* UTC: not dialled later, but given back (attempt.end "returned"); 0: any time */
	int32_t nth;             /* which attempt of the lead this is, from 1 */
	int32_t score_permille;  /* how likely it is answered against the average; 1000: as likely; 0: unknown */
	char number[64], show[64]; /* show: our number that is shown; "": the trunk's */
};
/**
 * The answer to ask_leads. With fewer than were wanted, @more_at_ms (UTC) says when to ask again (0: when there is room) and @why, a code,
 * what is in the way. Also without having been asked: none, 0, "more" makes it ask at once, since something has changed. Negative: the switch
 * is stopping and none was taken. Any thread.
 */
int sw_claims(struct sw *sw, int64_t campaign_id, const struct sw_claim *claims, size_t n, int64_t more_at_ms, const char *why);

/* ---- the turn of a team (acd/turn.h): who gets a new customer ---- */

struct sw_turn {
	int64_t team_id, by_id;  /* by: who asks; he counts as free, for he has the customer */
	int64_t call_id, customer_id; /* what it is about; 0 */
	int64_t back_id;         /* not a new draw: this agent did not get him after all, and is owed the turn */
};
/** @answer is called once, on the switch's thread: whom; 0: nobody of the team is there. @free: he could take the call now. Any thread. */
int sw_turn(struct sw *sw, const struct sw_turn *t, void (*answer)(int64_t agent_id, bool free, bool owed, void *arg), void *arg);

/* ---- the try-it box: what a number would become, by the code that real calls run ---- */

struct sw_trial {
	int64_t trunk_id, user_id;      /* user_id 0: nobody */
	bool in, calling;               /* as delivered by the carrier, as called or calling number; else dialled */
	bool has_form;                  /* @form instead of the trunk's, before it is saved; its rules stay the trunk's */
	struct num_table form;          /* its texts are the two below */
	char number[NUM_TEXT_MAX];
	char domain[128], numbers[304];
};
/** @answer is called once on the switch's thread with a JSON object, borrowed; NULL: there is no such trunk. Any thread. */
int sw_try_number(struct sw *sw, const struct sw_trial *t, void (*answer)(const char *json, void *arg), void *arg);
