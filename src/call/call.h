/*
 * Call legs: one SIP dialog joined with its media. The switch thread's; nothing here decides policy.
 *
 *   incoming   new --ring--> ringing --early--> early --answer--> up --> closed --> gone
 *   outgoing   new --------- 18x ------------ 183+SDP ---- 2xx -> up --> closed --> gone
 *
 * `closed` comes at once when the dialog is over (decide what follows); `gone` a little later, with the media's final figures
 * (write the record). Both come exactly once, and nothing comes between or after but `gone`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/media.h"
#include "sip/sip.h"

struct call_env; /* the table of legs by id, through which media events find their leg */
struct call_leg;

enum call_leg_state { CALL_LEG_NEW, CALL_LEG_RINGING, CALL_LEG_EARLY, CALL_LEG_UP, CALL_LEG_CLOSED };

struct call_leg_close {
	enum sip_by by;
	int code, q850;
	char reason[64];
	bool silent;       /* as in sip_close */
	int retry_after_s;
};

struct call_leg_handlers {
	void (*trying)(struct call_leg *leg, void *arg); /* outgoing: 100. May be NULL */
	/* Outgoing: 18x. early_media: with a description. 199: what was heard is over. */
	void (*ring)(struct call_leg *leg, int code, bool early_media, void *arg);
	void (*up)(struct call_leg *leg, void *arg);                               /* outgoing: 2xx; incoming: ACK */
	void (*held)(struct call_leg *leg, bool held, void *arg);                  /* the far side holds or resumes */
	void (*digit)(struct call_leg *leg, char digit, bool in_audio, void *arg); /* in_audio: a bridge has passed it on already */
	void (*played)(struct call_leg *leg, void *arg);
	void (*silent)(struct call_leg *leg, bool silent, void *arg);
	void (*trouble)(struct call_leg *leg, enum med_trouble t, void *arg); /* one-way audio and its likely cause; MED_T_NONE: over */
	void (*closed)(struct call_leg *leg, const struct call_leg_close *c, void *arg);
	void (*gone)(struct call_leg *leg, const struct call_leg_close *c, const struct med_stats *stats, void *arg);
	void (*audible)(struct call_leg *leg, void *arg);                          /* its first audio has come; once */
	/* What med_leg_hear has found out; the last one also after `closed`, never after `gone`. May be NULL. */
	void (*heard)(struct call_leg *leg, const struct med_heard *heard, void *arg);
	/* The far side wants the call elsewhere (sip_leg_handlers.refer); @replaces: its other leg, or NULL. */
	int (*refer)(struct call_leg *leg, const char *target, struct call_leg *replaces, void *arg);
};

/* How a leg speaks; NULL where it is wanted: G.711 in the clear. */
struct call_leg_audio {
	struct med_leg_conf conf;
	med_leg like;   /* the offer begins with what this leg speaks; 0: none */
	bool opus_auto; /* a browser: re-INVITE to Opus when its line turns out poor */
};

int call_env_new(struct call_env **ret, struct sip_stack *sip, struct media *media);
/** After SIP and media have stopped: whoever still waits for the media's figures is `gone` without them. */
void call_env_free(struct call_env *env);
/** Give every media event that is about a leg here. */
void call_env_media(struct call_env *env, const struct med_event *ev);
unsigned call_env_legs(const struct call_env *env);

/** Takes an INVITE over. 0, or the SIP status to refuse it with (400, 488, 500): the INVITE is then still unclaimed. */
int call_leg_incoming(struct call_leg **ret, struct call_env *env, int64_t id, struct sip_leg *sip, const struct sip_invite *inv,
		      const struct call_leg_audio *audio, const struct call_leg_handlers *h, void *arg);
/** Dials; @d->sdp is filled here. Negative: not even begun (-ENOENT: the device is not registered); no handler is called then. */
int call_leg_outgoing(struct call_leg **ret, struct call_env *env, int64_t id, enum med_profile profile, const struct sip_dial *d,
		      const struct call_leg_audio *audio, const struct call_leg_handlers *h, void *arg);

int call_leg_ring(struct call_leg *leg);   /* 180, once */
int call_leg_early(struct call_leg *leg);  /* 183 with media, once */
int call_leg_answer(struct call_leg *leg); /* 200, once; nothing to do on an outgoing leg */
/** Whatever the state: BYE, CANCEL or a final answer. `closed` follows later, never inside. */
void call_leg_hangup(struct call_leg *leg, int code, int q850, const char *reason);

/** How the transfer goes on that `refer` accepted: SIP statuses, the last one final. */
void call_leg_refer_result(struct call_leg *leg, int code);
/** The leg that a SIP leg belongs to. */
struct call_leg *call_leg_of(const struct sip_leg *sip);
void *call_leg_owner(const struct call_leg *leg);
bool call_leg_audible(const struct call_leg *leg);

int64_t call_leg_id(const struct call_leg *leg);
enum call_leg_state call_leg_get_state(const struct call_leg *leg);
med_leg call_leg_media(const struct call_leg *leg); /* 0 once closed; also for med_leg_hear, whose news comes to `heard` */
struct sip_leg *call_leg_sip(const struct call_leg *leg);
