/*
 * A claim in our hands, from the data's word to its end. Each ends in exactly one fact, attempt.end. Inside of campaigns: sw_campaign.c
 * decides what is dialled when, sw_dial.c does it.
 *
 *   progressive  HELD --an agent is reserved--> AGENT --his telephone is connected--> RINGING --the customer answers--> TALK
 *   preview      the same, with SHOWN before RINGING: he sees whom he will speak to, dials at once, skips, or lets the time run
 *   predictive   HELD --as many as pacing says--> RINGING --answers--> WAIT in the campaign's queue --an agent is free--> TALK
 *
 *   HELD     ends "returned" when the campaign is paused or nobody is there, and when its time is over
 *   AGENT    an agent who cannot be reached is let go, and it is held again
 *   RINGING  an agent who leaves is replaced; when nobody else is free the customer is not rung any longer
 *   WAIT     who waits longer than the campaign lets him is abandoned
 */
#pragma once

#include "dialer/pace.h"
#include "switch/sw_campaign.h"

/* What a campaign's agents do, and how many of its calls are where. */
struct camp_view {
	int32_t agents;   /* there, on no break */
	int32_t ready, idle; /* idle: ready, with the telephone connected, and not counted for another campaign */
	int32_t reserved, talking, wrapup;
	int32_t ringing, waiting, held;
};

/* A campaign as it lives. */
struct camp {
	struct sw *sw;
	int64_t id;
	struct ilink dials;      /* every claim we have, oldest first */
	int64_t *members;        /* of the configuration that members_of says */
	size_t member_n;
	int64_t members_of;
	bool active;             /* within one look at all of them: it may want an agent */
	bool asking;
	int64_t asked_ms, ask_at_ms; /* mono: when; UTC: not before */
	int64_t more_at_ms;      /* as the data said */
	int64_t pause_until_ms;  /* mono: no trunk has room */
	int64_t turn_ms;         /* when it was given an agent last: the one that has waited longest is first */
	char why[24];            /* as the data said last */
	enum sw_why trunk_why;   /* with pause_until_ms */
	struct camp_view view;   /* as counted last */
	struct pace *pace;       /* of one that dials ahead, or did; NULL */
	struct pace_conf pace_conf; /* as set last */
	struct pace_out paced;   /* its last word */
	int64_t let_go_ms;       /* mono: when calls that rang were given up last, for at most once a second */
	bool pace_news;          /* it has learned since it was told to the log */
	int64_t snap_ms;         /* mono: then */
	char *told;              /* the last campaign.state; NULL: none */
	int64_t told_ms;         /* mono */
};

enum dial_state { DIAL_HELD, DIAL_AGENT, DIAL_SHOWN, DIAL_RINGING, DIAL_WAIT, DIAL_TALK };

struct sw_dial {
	struct ilink link;
	struct camp *camp;
	struct sw_claim claim;
	enum dial_state state;
	enum sw_mode mode;       /* as it was begun */
	struct camp_view why;    /* when it was decided to dial it */
	struct pace_why paced;   /* PREDICTIVE: and by what */
	int64_t call_id;         /* of the call to be; 0 while held */
	struct sw_call *call;    /* from RINGING on */
	struct sw_agent *agent;  /* whom the core keeps for it: AGENT, SHOWN, RINGING */
	struct ltimer timer;     /* SHOWN: dial; RINGING: rang long enough; WAIT for a telephone: too long; TALK: as long as a talk may last */
	bool talks_long;         /* that is told */
	int64_t shown_until_ms;  /* UTC */
	int64_t begin_ms, ring_ms, answer_ms, connect_ms; /* UTC; 0: not yet */
	int64_t talk_agent_id;
	char refused[16 + ACD_REASON_MAX]; /* why it was not dialled after all */
	struct call_leg_close close; /* how the customer's leg ended ... */
	bool closed;             /* ... if it has */
	char heard[16];          /* the result that an announcement or a machine stands for; "": none was recognised */
};

const struct sw_campaign *camp_conf(const struct camp *p); /* NULL: it is gone */

struct sw_dial *dial_new(struct camp *p, const struct sw_claim *c);
void dial_free(struct sw_dial *d);
/** Nothing has been done for it, or nothing more than an agent kept: it is not dialled. */
void dial_give_back(struct sw_dial *d, const char *why);
bool dial_late(const struct sw_dial *d);
/** Whether some trunk would take it now; if none, the campaign pauses for a moment. */
bool dial_has_line(struct sw_dial *d);
/** Keeps an agent for a held claim. ACD_E_STALE: nobody is free for it. */
int dial_reserve(struct sw_dial *d);
/** The customer is dialled whom an agent is shown. */
void dial_now(struct sw_dial *d);
/** Dials a held claim with nobody kept for it. */
void dial_ahead(struct sw_dial *d);
/** Gives up a customer who still rings. */
void dial_hang_up(struct sw_dial *d);

bool camp_counts_for(const struct camp *p, int64_t agent_id); /* for none of the other campaigns that dial ahead */

/* sw_pace.c */
bool camp_pace_begin(struct camp *p); /* set as the campaign is; false: it cannot be */
void camp_pace_event(struct camp *p, enum pace_event_kind kind, int64_t at_ms, int64_t ms, int32_t score_permille);
void camp_pace_ask(struct camp *p, struct pace_out *out);
void camp_pace_snap(struct camp *p, bool at_once);
void camp_pace_restore(struct camp *p, const struct sw_start *start);

/** sw_state.c: says what the campaign does, if that has changed and was not said within the last second. */
void camp_tell(struct camp *p);
void camp_put_view(struct jw *w, const struct camp_view *v);
