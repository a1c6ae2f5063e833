/*
 * What the files of a leg share. Nobody else includes this.
 *
 *   leg.c        its life, requests inside the dialog, its end
 *   leg_in.c     incoming, up to our final answer
 *   leg_out.c    outgoing, up to theirs
 *   leg_offer.c  offers inside the dialog: re-INVITE and UPDATE both ways, the ACK to our 2xx
 *   leg_timer.c  session timers
 *   leg_prack.c  reliable provisional answers of ours
 *   leg_refer.c  REFER and what we tell of it
 */
#pragma once

#include "sip/sip_priv.h"


#define RING_TIMEOUT_MS 180000 /* timer C */
/* RFC 3261 13.3.1.1: a minute, or a proxy on the way would give up (its timer C); T1 is short in tests only. */
#define RING_REPEAT_MS(s) (120 * T1_MS(s))
#define ANSWER_MAX	16384  /* SDP we answer with inside a handler */
#define SDP_TYPE	"application/sdp"
#define LEG_LINES	SIPS_ALLOW "Supported: " SIPS_SUPPORTED "\r\n"
#define FORKS_MAX	8     /* early dialogs of one INVITE that we remember */
#define LINES_MAX	512   /* header lines of an answer */

enum leg_state { RINGING, ANSWERED, CALLING, UP, ENDED };

/*
 * One of the telephones that our INVITE rings. Which of them is heard before the answer: the one that described
 * itself last (RFC 3960 3.1); one that only rings takes it from nobody; when the one that is heard goes (199),
 * another that has described itself, else our own ring-back. The answer decides, whoever was heard.
 */
struct leg_fork {
	char *tag, *remote, *target, *routes;
	char *sdp;            /* its last description */
	uint32_t rseq;        /* of its last reliable answer */
	uint32_t cseq;        /* of its last request */
	bool settled;         /* it has answered our offer reliably: UPDATE may carry another */
	bool renegotiated;    /* and has: the description in its 2xx is the old one */
};

struct sip_leg {
	struct ilink link;
	struct sip_stack *s;
	enum leg_state state;
	bool incoming, claimed, reported;
	struct sip_leg_handlers h;
	void *arg;
	struct sip_close close;
	char close_reason[96];
	struct ltimer close_timer, ring_timer, ack_timer, glare_timer, first_timer;

	char *dialog_key; /* Call-ID|our tag */
	char *merge_key;  /* Call-ID|their tag|CSeq of the INVITE */
	char *call_id, *ltag, *rtag;
	uint32_t lseq, rseq;
	char *local, *remote; /* values of From and To of our requests */
	char *target, *routes;
	char *device; /* NULL: a trunk or a plain URI */
	struct flow flow;

	struct siptx_server *server; /* the INVITE or re-INVITE we answer */
	uint32_t server_cseq;
	bool offer_is_ours; /* it came without one: the ACK brings the answer */
	bool waiting_ack;
	unsigned ack_resends;
	int64_t ack_give_up_ms;
	bool bye_after_ack;
	char *bye_lines;

	struct sip_auth *auth; /* NULL: none */
	struct siptx_client *client; /* our INVITE; stays for late and forked 2xx */
	struct siptx_client *reinvite;
	char *offer_sent, *offer_waiting;
	char *ack; /* last ACK to a 2xx, for its repeats */
	size_t ack_len;
	uint32_t ack_cseq;
	uint32_t ack_due; /* CSeq of a 2xx that the owner hears of first; 0: none */

	/* What was last agreed: our description, and theirs that it answers (NULL: ours was the offer). */
	char *sdp_local, *sdp_remote;
	bool updates; /* it allows UPDATE */

	/* Session timer (RFC 4028); session_s 0: none runs. */
	struct ltimer session_timer;
	struct siptx_client *update;
	uint32_t session_s, session_min_s;
	bool session_ours; /* we refresh */
	bool session_named; /* our answer says Require: timer */

	/* Reliable provisional answers of ours (RFC 3262): one at a time waits for its PRACK, what comes up meanwhile
	   waits behind it. */
	struct ltimer rel_timer;
	int64_t rel_give_up_ms;
	uint32_t rel_seq; /* RSeq of the last one; 0: none yet */
	unsigned rel_resends;
	bool rel_required, rel_waiting, rel_has_sdp;
	bool settled;	  /* our answer, or their answer to our offer, went reliably before the 2xx */
	int next_code, last_code;
	char *next_sdp, *next_answer;

	/* Outgoing, until the answer. */
	struct leg_fork forks[FORKS_MAX];
	unsigned fork_n;
	struct leg_fork *heard;
	char *invite_lines;
	unsigned invites; /* sent */
	int redirects;	  /* that may still be followed */

	/* REFER under way: the CSeq it came with, 0: none. */
	uint32_t refer_cseq;
	bool refer_silent; /* Refer-Sub: false */
	bool refer_deciding; /* the owner is being asked: what it says waits until our 202 is out */
	int refer_result;    /* that; 0: nothing */
	bool refer_hangup;   /* and it hung up meanwhile, with these */
	int hangup_code, hangup_q850;
	char hangup_reason[64];
	struct ltimer refer_timer;
};
void leg_replace(char **dst, const char *text);
void leg_replace_pl(char **dst, const struct pl *p);

struct sip_leg *leg_new(struct sip_stack *s, const char *call_id);
void leg_done(struct sip_leg *l);
void leg_end(struct sip_leg *l, enum sip_by by, int code, int q850, const char *reason);
void leg_drop_server(struct sip_leg *l);

const struct flow *leg_flow(struct sip_leg *l);
struct siptx_request leg_request(const struct sip_leg *l, const char *method, uint32_t cseq);
void leg_reason_lines(char *buf, size_t size, int code, int q850, const char *text);
void leg_send_ack(struct sip_leg *l, uint32_t cseq);
void leg_ack_flush(struct sip_leg *l);
void leg_send_bye(struct sip_leg *l, const char *lines);
void leg_choose_flow(struct sip_leg *l, const struct rx *r);
struct flow leg_flow_for(const struct sip_leg *l, const struct rx *r, const char *target, const char *routes);
struct sipf_replaces;
/** The leg that a Replaces names, ended or not; NULL. */
struct sip_leg *leg_find(struct sip_stack *s, const struct sipf_replaces *r);
void leg_refresh_target(struct sip_leg *l, const struct sip_msg *m);
bool leg_has_sdp(const struct rx *r);
const char *leg_sdp_of(const struct rx *r, size_t *len);
/** Contact, Allow, Supported. */
void leg_contact_lines(struct sip_leg *l, char *buf, size_t size);
/** What its Allow and Supported say. */
void leg_learn_peer(struct sip_leg *l, const struct sip_msg *m);
/** Answers with a description, unless it is NULL. */
void leg_answer_sdp(struct sip_leg *l, const struct rx *r, int code, const char *lines, const char *sdp);
void leg_answer_now(struct sip_leg *l, const struct rx *r, int code, const char *lines);

bool leg_refuse_body(struct sip_stack *s, const struct rx *r);
void leg_give_up_ringing(struct sip_leg *l, const char *lines);

void leg_ack_expect(struct sip_leg *l);
void leg_take_ack(struct sip_leg *l, const struct rx *r);
void leg_take_reinvite(struct sip_leg *l, const struct rx *r);
void leg_reinvite_try(struct sip_leg *l);
void leg_take_update(struct sip_leg *l, const struct rx *r);
/** Gives their offer (NULL: asks for ours) to the owner; 0 and @answer, borrowed, or a status. The same offer again is answered as
    before, without the owner. */
int leg_take_offer(struct sip_leg *l, const char *sdp, size_t len, const char **answer);
/** The fork that sent this, while it rings; NULL. */
struct leg_fork *leg_fork_of(struct sip_leg *l, const struct pl *tag);
void leg_forks_free(struct sip_leg *l);

/** A request of theirs that begins or refreshes the session: 0, or 422, and then @lines say from where on. */
int leg_session_asked(struct sip_leg *l, const struct sip_msg *m, char *lines, size_t size);
/** Adds our answer's part, and runs the timer from now on. */
void leg_session_answer(struct sip_leg *l, char *lines, size_t size);
/** Our request's part. */
void leg_session_offer(struct sip_leg *l, struct strb *b);
/** Their 2xx to it. */
void leg_session_answered(struct sip_leg *l, const struct sip_msg *m);
/** Their 422: false when we do not go so far. */
bool leg_session_too_small(struct sip_leg *l, const struct sip_msg *m);

int leg_rel_progress(struct sip_leg *l, int code, const char *sdp);
void leg_rel_stop(struct sip_leg *l);
void leg_take_prack(struct sip_leg *l, const struct rx *r);

void leg_take_refer(struct sip_leg *l, const struct rx *r);
void leg_refer_stop(struct sip_leg *l);
