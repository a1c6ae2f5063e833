/*
 * Offers inside a dialog: the ACK to our 2xx, re-INVITE and UPDATE of the other side, re-INVITEs of ours.
 *
 *   theirs   answered inside the handler; the same offer as the last one gets the same answer, as a refreshed session wants it.
 *            While ours waits for its answer: 491. While theirs waits for ours (before the call is answered): 500, Retry-After.
 *   ours     one at a time, by re-INVITE; 491 is tried again after a while
 *
 * A refused offer, of either side, leaves what was agreed before.
 */
#include "sip/leg_priv.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- our 2xx waits for its ACK (RFC 3261 13.3.1.4) ---- */

static void ack_overdue(void *arg)
{
	struct sip_leg *l = arg;
	int64_t delay;

	if (clock_mono_ms() >= l->ack_give_up_ms) {
		l->waiting_ack = false;
		leg_send_bye(l, l->bye_lines);
		leg_end(l, SIP_BY_LOST, 408, 0, "No ACK");
		leg_done(l);
		return;
	}
	if (l->server)
		(void)siptx_resend(l->server);
	delay = T1_MS(l->s) << ++l->ack_resends;
	ltimer_set(&l->ack_timer, delay < T2_MS(l->s) ? delay : T2_MS(l->s), ack_overdue, l);
}

void leg_ack_expect(struct sip_leg *l)
{
	l->waiting_ack = true;
	l->ack_resends = 0;
	l->ack_give_up_ms = clock_mono_ms() + GIVE_UP_MS(l->s);
	ltimer_set(&l->ack_timer, T1_MS(l->s), ack_overdue, l);
}

void leg_take_ack(struct sip_leg *l, const struct rx *r)
{
	const char *sdp;
	size_t len;
	bool ours = l->offer_is_ours;

	if (!l->waiting_ack || r->m->cseq.num != l->server_cseq)
		return;
	l->waiting_ack = false;
	ltimer_cancel(&l->ack_timer);
	leg_drop_server(l);
	sdp = ours ? leg_sdp_of(r, &len) : NULL;
	if (!sdp)
		len = 0;
	if (l->state == ENDED) {
		if (l->bye_after_ack)
			leg_send_bye(l, l->bye_lines);
		leg_done(l);
	} else if (l->state == ANSWERED) {
		l->state = UP;
		if (l->h.established)
			l->h.established(sdp, len, l->arg);
	} else if (ours && l->h.reanswer) {
		l->h.reanswer(200, sdp, len, l->arg); /* without an answer nothing changes */
	}
	if (l->state == UP)
		leg_reinvite_try(l);
}

/* ---- their offers ---- */

static bool as_before(const struct sip_leg *l, const char *sdp, size_t len)
{
	return sdp && l->sdp_local && l->sdp_remote && strlen(l->sdp_remote) == len && !memcmp(l->sdp_remote, sdp, len);
}

int leg_take_offer(struct sip_leg *l, const char *sdp, size_t len, const char **ret)
{
	static _Thread_local char answer[ANSWER_MAX];
	enum leg_state state = l->state;
	int code = 488;

	if (as_before(l, sdp, len)) {
		*ret = l->sdp_local;
		return 0;
	}
	answer[0] = '\0';
	if (l->h.reoffer)
		code = l->h.reoffer(sdp, len, answer, sizeof(answer), l->arg);
	if (l->state != state)
		code = 487; /* the owner hung up meanwhile */
	if (code)
		return code < 300 ? 500 : code;
	leg_replace(&l->sdp_local, answer);
	free(l->sdp_remote);
	l->sdp_remote = sdp ? xstrndup(sdp, len) : NULL;
	*ret = l->sdp_local;
	return 0;
}

static void reoffer(struct sip_leg *l, const struct rx *r, char *lines, size_t size)
{
	struct siptx_server *t = siptx_server_new(l->s, r, l->ltag, true);
	const char *sdp, *answer = NULL;
	size_t len;
	int code;

	sdp = leg_sdp_of(r, &len);
	code = leg_take_offer(l, sdp, len, &answer);
	if (code) {
		(void)siptx_reply(t, code, NULL, NULL, NULL, NULL, 0);
		return;
	}
	leg_session_answer(l, lines, size);
	if (siptx_reply(t, 200, NULL, lines, SDP_TYPE, answer, strlen(answer)))
		return;
	leg_drop_server(l);
	siptx_server_watch(t, NULL, &l->server, l);
	l->server_cseq = r->m->cseq.num;
	l->offer_is_ours = !sdp;
	leg_ack_expect(l);
}

/* What an answer to a request that refreshes begins with. false: answered already. */
static bool refreshing_lines(struct sip_leg *l, const struct rx *r, char *lines, size_t size)
{
	if (sips_refuse_extensions(l->s, r) || leg_refuse_body(l->s, r))
		return false;
	if (leg_session_asked(l, r->m, lines, size)) {
		leg_answer_now(l, r, 422, lines);
		return false;
	}
	leg_learn_peer(l, r->m);
	leg_contact_lines(l, lines, size);
	return true;
}

void leg_take_reinvite(struct sip_leg *l, const struct rx *r)
{
	char lines[LINES_MAX];

	if (l->state != UP || l->waiting_ack) {
		leg_answer_now(l, r, 500, "Retry-After: 1\r\n"); /* RFC 3261 14.2 */
		return;
	}
	if (l->reinvite) {
		leg_answer_now(l, r, 491, NULL);
		return;
	}
	if (!refreshing_lines(l, r, lines, sizeof(lines)))
		return;
	leg_refresh_target(l, r->m);
	leg_choose_flow(l, r);
	reoffer(l, r, lines, sizeof(lines));
}

/* RFC 3311 5.2: whether an offer may come now. 0, 491 or 500. */
static int update_in_time(const struct sip_leg *l, const struct leg_fork *f)
{
	switch (l->state) {
	case RINGING:
		return l->settled ? 0 : l->offer_is_ours ? 491 : 500;
	case CALLING:
		return f && f->settled ? 0 : 491;
	default:
		return l->reinvite || (l->waiting_ack && l->offer_is_ours) ? 491 : 0;
	}
}

static void take_new_target(struct sip_leg *l, struct leg_fork *f, const struct rx *r)
{
	if (f) {
		char *kept = l->target;

		l->target = f->target;
		leg_refresh_target(l, r->m);
		f->target = l->target;
		l->target = kept;
		return;
	}
	leg_refresh_target(l, r->m);
	leg_choose_flow(l, r);
}

void leg_take_update(struct sip_leg *l, const struct rx *r)
{
	struct leg_fork *f = l->state == CALLING ? leg_fork_of(l, &r->m->from.tag) : NULL;
	char lines[LINES_MAX];
	const char *sdp, *answer = NULL;
	size_t len;
	int code = 0;

	sdp = leg_sdp_of(r, &len);
	if (sdp)
		code = update_in_time(l, f);
	if (code) {
		leg_answer_now(l, r, code, code == 500 ? "Retry-After: 2\r\n" : NULL);
		return;
	}
	if (!refreshing_lines(l, r, lines, sizeof(lines)))
		return;
	take_new_target(l, f, r);
	if (sdp)
		code = leg_take_offer(l, sdp, len, &answer);
	if (code) {
		leg_answer_now(l, r, code, NULL);
		return;
	}
	if (f && sdp) {
		f->renegotiated = true;
		l->heard = f;
	}
	if (l->state == UP || l->state == ANSWERED)
		leg_session_answer(l, lines, sizeof(lines)); /* before that the INVITE's own answer agrees on it */
	leg_answer_sdp(l, r, 200, lines, answer);
}

/* ---- our re-INVITE ---- */

static void glare_over(void *arg)
{
	leg_reinvite_try(arg);
}

/* RFC 3261 14.1: who made the Call-ID waits 2.1 to 4 s, the other side up to 2 s, in steps of 10 ms. */
static void glare_wait(struct sip_leg *l)
{
	char random[17];
	uint8_t b[2];
	int64_t steps;

	sipm_random(random);
	(void)str_hex_to(b, 2, (char[5]){random[0], random[1], random[2], random[3], 0});
	steps = (b[0] << 8 | b[1]) % (l->incoming ? 201 : 191);
	if (!l->offer_waiting) { /* unless a newer one came up */
		l->offer_waiting = l->offer_sent;
		l->offer_sent = NULL;
	}
	ltimer_set(&l->glare_timer, l->incoming ? steps * 10 : 2100 + steps * 10, glare_over, l);
}

static void reinvite_accepted(struct sip_leg *l, const struct rx *r)
{
	const char *sdp;
	size_t len;

	leg_refresh_target(l, r->m);
	if (!l->device)
		leg_choose_flow(l, r);
	leg_send_ack(l, r->m->cseq.num);
	siptx_client_detach(l->reinvite); /* repeats: acknowledged_again */
	leg_learn_peer(l, r->m);
	leg_session_answered(l, r->m);
	leg_replace(&l->sdp_local, l->offer_sent);
	leg_replace(&l->sdp_remote, NULL);
	sdp = leg_sdp_of(r, &len);
	if (l->h.reanswer)
		l->h.reanswer(r->m->scode, sdp, len, l->arg);
}

static void on_reanswer(const struct rx *r, void *arg)
{
	struct sip_leg *l = arg;
	int code = r ? r->m->scode : 408;

	if (code < 200 || l->state != UP)
		return;
	obj_ref(l);
	if (code < 300) {
		reinvite_accepted(l, r);
	} else if (code == 491) {
		glare_wait(l);
	} else if (code == 422 && leg_session_too_small(l, r->m)) {
		if (!l->offer_waiting)
			leg_replace(&l->offer_waiting, l->offer_sent);
	} else if (code == 408 || code == 481) { /* RFC 3261 12.2.1.2: the dialog is gone */
		leg_send_bye(l, NULL);
		leg_end(l, SIP_BY_LOST, code, 0, NULL);
	} else if (l->h.reanswer) {
		l->h.reanswer(code, NULL, 0, l->arg);
	}
	if (l->state == UP)
		leg_reinvite_try(l);
	obj_unref(l);
}

void leg_reinvite_try(struct sip_leg *l)
{
	struct siptx_request q;
	char buf[LINES_MAX];
	struct strb b;

	if (!l->offer_waiting || l->reinvite || l->waiting_ack || l->state != UP ||
		ltimer_running(&l->glare_timer))
		return;
	free(l->offer_sent);
	l->offer_sent = l->offer_waiting;
	l->offer_waiting = NULL;
	strb_init_fixed(&b, buf, sizeof(buf));
	strb_puts(&b, LEG_LINES);
	leg_session_offer(l, &b);
	q = leg_request(l, "INVITE", ++l->lseq);
	q.contact = true;
	q.lines = b.buf;
	q.content_type = SDP_TYPE;
	q.body = l->offer_sent;
	q.body_len = strlen(l->offer_sent);
	q.cseq_slot = &l->lseq;
	(void)siptx_client_new(&l->reinvite, l->s, leg_flow(l), &q, on_reanswer, l);
}

int sip_leg_reinvite(struct sip_leg *l, const char *sdp)
{
	if (l->state != UP)
		return -ENOTCONN;
	if (strlen(sdp) >= ANSWER_MAX)
		return -EMSGSIZE;
	if (sdp != l->offer_waiting)
		leg_replace(&l->offer_waiting, sdp);
	leg_reinvite_try(l);
	return 0;
}
