/*
 * Numbers and the toll guard in the switch. One function judges every call out, whoever places it (desk, telephone, transfer, forwarding,
 * overflow, test), and the page's try-it box asks the same one.
 *
 *   sw_plan   pure: what a trunk would send, and whether it may
 *   sw_gate       the same with today's minutes; who is refused is a fact in the journal
 */
#pragma once

#include "number/region.h"
#include "switch/sw.h"

enum sw_gate {
	SW_GATE_OK,
	SW_GATE_BAD,      /* no number */
	SW_GATE_CLASS,    /* destinations of this class are not allowed */
	SW_GATE_COUNTRY,  /* abroad, but not to this country */
	SW_GATE_BARRED,   /* a barred beginning */
	SW_GATE_MINUTES,  /* the day's minutes are used up */
	SW_GATE_COSTLY,   /* the day's minutes abroad and premium are */
	SW_GATE_COUNT,
};
const char *sw_gate_name(enum sw_gate g); /* ok bad class country barred minutes costly */

/* Who calls out through what. */
struct sw_plan_ask {
	const struct sw_trunk *trunk;
	const struct sw_user *user;          /* NULL: nobody */
	const struct num_rights *nobody;     /* rights of nobody; NULL: num_rights_default */
	const char *dialled;
	const char *caller_id;               /* of who dials, when the trunk has none: his extension */
	const char *shown;                   /* instead of the trunk's; NULL or "": not */
	struct sw_used trunk_used, user_used; /* today */
};

struct sw_verdict {
	struct num num;
	enum num_class class;
	enum num_city city;
	enum sw_gate gate;
	bool by_trunk;           /* the trunk's rights refuse, not the person's */
	int64_t rights_id;       /* the row that refuses; 0: what holds without a row */
	int32_t call_max_min;    /* 0: none */
	char called[NUM_TEXT_MAX];
	struct num_identity id;
	char lines[700];         /* header lines of it */
};

/** For @dialled of who is @u through @t, with today's minutes. */
struct sw_plan_ask sw_plan_ask(struct sw *sw, const struct sw_trunk *t, const struct sw_user *u, const char *dialled);
void sw_plan(struct sw_verdict *ret, const struct sw_plan_ask *ask, struct num_trace *tr);
enum sw_refusal sw_gate_refusal(const struct sw_verdict *o);
/** A sentence for a telephone's display: ASCII, short. */
const char *sw_gate_phrase(const struct sw_verdict *o);

/** Who we say we are, into a dial; the strings are @v's. The line's own From stays where the trunk has no number form. */
void sw_verdict_dial(const struct sw_verdict *v, struct sip_dial *d);

/* ---- with the day's minutes; the switch's thread ---- */

/** Plans and judges. @via: desk device transfer forward overflow campaign test. A refusal is logged when @note. */
enum sw_gate sw_gate(struct sw_verdict *ret, struct sw *sw, const struct sw_trunk *t, const struct sw_user *u, const char *dialled, const char *via,
		     bool note);
/** The same, showing @shown instead of the trunk's number (NULL or "": the trunk's). */
enum sw_gate sw_gate_as(struct sw_verdict *ret, struct sw *sw, const struct sw_trunk *t, const struct sw_user *u, const char *dialled,
			const char *shown, const char *via, bool note);
/** A number that is forwarded to a SIP address: at a trunk's host that is a call out, which nobody places. */
bool sw_forward_ok(struct sw *sw, const char *uri);
/** A leg that has passed the gate has been dialled to a trunk: its minutes count, bursts and odd hours are watched. */
void sw_toll_begun(struct sw_leg *l, const struct sw_user *u, int64_t device_id, const struct sw_verdict *o);
void sw_toll_answered(struct sw_leg *l); /* nothing for other legs */
void sw_toll_ended(struct sw_leg *l);    /* once; nothing for other legs */
void sw_toll_tick(struct sw *sw, bool new_day);
void sw_toll_init(struct sw *sw, const struct sw_used *used, size_t n);
void sw_toll_done(struct sw *sw);

/* ---- inbound ---- */

/** The caller as the records have him: canonical when the trunk has a table, "anonymous" when he hides. */
void sw_caller(char *buf, size_t size, const struct sw_trunk *t, const struct sip_invite *inv);
/** Whether a display name is only the number again, in whatever form. */
bool sw_name_is_number(const char *name, const char *user);
/** The number called: as it was delivered, else by its canonical form. NULL: none of ours. */
const struct sw_number *sw_called(const struct sw *sw, const struct sw_trunk *t, const char *dialled, char *canonical, size_t size);
/** A number dialled as the records have it: canonical when the first trunk out writes numbers in a form of its own. */
void sw_dialled(char *buf, size_t size, const struct sw *sw, const char *dialled);

/* ---- sw_trial.c ---- */

/** Writes the answer of the try-it box; false: no such trunk. */
bool sw_trial(struct sw *sw, struct sw_trial *t, struct strb *b);
