/*
 * What the files of a leg share. Nobody else includes this.
 *
 *   leg.c        its life, requests inside the dialog, its end
 *   leg_in.c     incoming, up to our final answer
 *   leg_out.c    outgoing, up to theirs
 *   leg_offer.c  offers once it is up: re-INVITE both ways, the ACK to our 2xx
 */
#pragma once

#include "sip/sip_priv.h"


#define RING_TIMEOUT_MS 180000 /* timer C */
#define RING_REPEAT_MS	60000  /* RFC 3261 13.3.1.1: a proxy on the way would give up otherwise */
#define ANSWER_MAX	16384  /* SDP we answer with inside a handler */
#define SDP_TYPE	"application/sdp"
#define LEG_LINES	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n"

enum leg_state { RINGING, ANSWERED, CALLING, UP, ENDED };

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
void leg_refresh_target(struct sip_leg *l, const struct sip_msg *m);
bool leg_has_sdp(const struct rx *r);
const char *leg_sdp_of(const struct rx *r, size_t *len);
void leg_contact_lines(struct sip_leg *l, char *buf, size_t size);
void leg_answer_now(struct sip_leg *l, const struct rx *r, int code, const char *lines);

bool leg_refuse_body(struct sip_stack *s, const struct rx *r);
void leg_give_up_ringing(struct sip_leg *l, const char *lines);

void leg_ack_expect(struct sip_leg *l);
void leg_take_ack(struct sip_leg *l, const struct rx *r);
void leg_take_reinvite(struct sip_leg *l, const struct rx *r);
void leg_reinvite_try(struct sip_leg *l);
