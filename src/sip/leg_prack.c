/*
 * Reliable provisional answers of ours (RFC 3262), where the caller requires them.
 *
 *   progress --> waits for PRACK, repeated after T1, 2 T1, 4 T1 ...    PRACK --> the next one, or the answer
 *                64 T1 without PRACK: the call is refused with 504
 *
 * The first description that goes in one settles the session: the answer needs none then, and UPDATE and PRACK may bring
 * other offers. A caller who sent no offer gets ours in the first of them, and answers in PRACK.
 */
#include "sip/leg_priv.h"
#include "sip/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void rel_overdue(void *arg)
{
	struct sip_leg *l = arg;

	if (l->state != RINGING || !l->server)
		return;
	if (clock_mono_ms() >= l->rel_give_up_ms) {
		l->rel_waiting = false;
		(void)siptx_reply(l->server, 504, NULL, NULL, NULL, NULL, 0);
		leg_end(l, SIP_BY_LOST, 504, 0, "No PRACK");
		return;
	}
	(void)siptx_resend(l->server);
	ltimer_set(&l->rel_timer, T1_MS(l->s) << ++l->rel_resends, rel_overdue, l); /* RFC 3262 3: doubles without a bound */
}

static int rel_send(struct sip_leg *l, int code, const char *sdp)
{
	char lines[LINES_MAX];
	size_t n;

	if (!l->rel_seq) {
		char random[17];

		sipm_random(random);
		random[7] = '\0';
		l->rel_seq = (uint32_t)strtoul(random, NULL, 16); /* below 2^28: there is room to count */
	}
	leg_contact_lines(l, lines, sizeof(lines));
	n = strlen(lines);
	(void)snprintf(lines + n, sizeof(lines) - n, "Require: 100rel\r\nRSeq: %u\r\n", ++l->rel_seq);
	l->rel_waiting = true;
	l->rel_has_sdp = sdp != NULL;
	l->rel_resends = 0;
	l->rel_give_up_ms = clock_mono_ms() + GIVE_UP_MS(l->s);
	ltimer_set(&l->rel_timer, T1_MS(l->s), rel_overdue, l);
	return siptx_reply(l->server, code, NULL, lines, SDP_TYPE, sdp, sdp ? strlen(sdp) : 0);
}

int leg_rel_progress(struct sip_leg *l, int code, const char *sdp)
{
	if (l->rel_waiting) {
		l->next_code = code;
		if (sdp && !l->rel_has_sdp)
			leg_replace(&l->next_sdp, sdp);
		return 0;
	}
	if (l->settled)
		sdp = NULL; /* it has it */
	if (sdp)
		leg_replace(&l->sdp_local, sdp);
	return rel_send(l, code, sdp);
}

void leg_rel_stop(struct sip_leg *l)
{
	ltimer_cancel(&l->rel_timer);
	l->rel_waiting = false;
}

static void rel_next(struct sip_leg *l)
{
	char *sdp = l->next_sdp, *answer = l->next_answer;
	int code = l->next_code;

	l->next_sdp = l->next_answer = NULL;
	l->next_code = 0;
	if (l->state == RINGING && answer)
		(void)sip_leg_answer(l, answer);
	else if (l->state == RINGING && code)
		(void)leg_rel_progress(l, code, sdp);
	free(sdp);
	free(answer);
}

/* The PRACK of the one that waits. 0, or the status to answer it with; @answer: our description, to an offer in it. */
static int rel_acknowledged(struct sip_leg *l, const struct rx *r, const char **answer)
{
	size_t len;
	const char *sdp = leg_sdp_of(r, &len);
	bool had_sdp = l->rel_has_sdp, was_settled = l->settled;

	leg_rel_stop(l);
	l->settled = l->settled || had_sdp;
	if (had_sdp && !was_settled && l->offer_is_ours) {
		if (l->h.reanswer)
			l->h.reanswer(200, sdp, len, l->arg);
		return 0;
	}
	return sdp ? l->settled ? leg_take_offer(l, sdp, len, answer) : 488 : 0;
}

void leg_take_prack(struct sip_leg *l, const struct rx *r)
{
	const struct sip_hdr *h = sip_msg_hdr(r->m, SIP_HDR_RACK);
	const char *answer = NULL;
	struct sipf_rack a;
	int code = 0;

	if (!h || !sipf_rack(&a, &h->val)) {
		leg_answer_now(l, r, 400, NULL);
		return;
	}
	if (!l->incoming || !l->rel_seq || a.rseq != l->rel_seq || a.cseq != l->server_cseq || strcmp(a.method, "INVITE")) {
		leg_answer_now(l, r, 481, NULL);
		return;
	}
	if (leg_refuse_body(l->s, r))
		return;
	if (l->rel_waiting && l->state == RINGING)
		code = rel_acknowledged(l, r, &answer);
	leg_answer_sdp(l, r, code ? code : 200, NULL, code ? NULL : answer);
	rel_next(l);
}
