/*
 * Session timers (RFC 4028), each leg for itself: a call whose other side has vanished without a word ends.
 *
 *   we refresh      at half the interval: UPDATE where it is allowed, else a re-INVITE with the description as it is
 *   they refresh    nothing for the interval less a third (32 s at most, RFC 4028 10): BYE
 *
 * Whoever does not speak session timers is not bothered with them, unless a proxy on the way wants one.
 */
#include "sip/leg_priv.h"
#include "sip/fields.h"

#include <stdio.h>
#include <string.h>

#define SESSION_MAX_S 86400 /* who wants more gets less */
#define INVITES_MAX   4	    /* how often a 422 makes us try again */

static void session_run(struct sip_leg *l);

static bool header_number(uint32_t *ret, const struct sip_msg *m, enum sip_hdrid id)
{
	const struct sip_hdr *h = sip_msg_hdr(m, id);

	return h && sipf_number(ret, &h->val);
}

static void session_expired(void *arg)
{
	struct sip_leg *l = arg;

	if (l->state == ANSWERED) { /* the missing ACK ends it */
		return;
	}
	leg_send_bye(l, "Reason: SIP;cause=408;text=\"Session expired\"\r\n");
	leg_end(l, SIP_BY_LOST, 408, 102, "Session expired");
}

/* ---- refreshing ---- */

static void refresh(struct sip_leg *l);

static void refresh_again(void *arg)
{
	struct sip_leg *l = arg;

	if (l->state == UP)
		refresh(l);
}

static void on_update_answer(const struct rx *r, void *arg)
{
	struct sip_leg *l = arg;
	int code = r ? r->m->scode : 408;

	if (code < 200 || l->state != UP)
		return;
	if (code < 300) {
		leg_refresh_target(l, r->m);
		leg_session_answered(l, r->m);
	} else if (code == 408 || code == 481) {
		leg_send_bye(l, "Reason: SIP;cause=408;text=\"Session expired\"\r\n");
		leg_end(l, SIP_BY_LOST, code, 0, "Session could not be refreshed");
	} else if (code == 422 && leg_session_too_small(l, r->m)) {
		refresh(l);
	} else if (code == 491 || code == 500 || code == 503) {
		ltimer_set(&l->session_timer, 2000, refresh_again, l); /* it does something else right now */
	} else {
		l->updates = false; /* 405, 501, 420: whatever its Allow said */
		refresh(l);
	}
}

static void refresh(struct sip_leg *l)
{
	struct siptx_request q;
	char buf[LINES_MAX];
	struct strb b;

	session_run(l); /* should nothing come back, and nothing else end it: try again later */
	if (l->reinvite || l->update || l->offer_waiting)
		return; /* one is under way and refreshes as well */
	if (!l->updates) {
		if (l->sdp_local)
			(void)sip_leg_reinvite(l, l->sdp_local);
		return;
	}
	strb_init_fixed(&b, buf, sizeof(buf));
	strb_puts(&b, LEG_LINES);
	leg_session_offer(l, &b);
	q = leg_request(l, "UPDATE", ++l->lseq);
	q.contact = true;
	q.lines = b.buf;
	q.cseq_slot = &l->lseq;
	(void)siptx_client_new(&l->update, l->s, leg_flow(l), &q, on_update_answer, l);
}

static void refresh_due(void *arg)
{
	struct sip_leg *l = arg;

	if (l->state == UP && !l->waiting_ack)
		refresh(l);
	else if (l->state != ENDED)
		ltimer_set(&l->session_timer, 1000, refresh_due, l);
}

static void session_run(struct sip_leg *l)
{
	int64_t ms = (int64_t)l->session_s * 1000, margin = ms / 3 < 32000 ? ms / 3 : 32000;

	if (!l->session_s || l->state == ENDED)
		ltimer_cancel(&l->session_timer);
	else if (l->session_ours)
		ltimer_set(&l->session_timer, ms / 2, refresh_due, l);
	else
		ltimer_set(&l->session_timer, ms - margin, session_expired, l);
}

/* ---- agreeing ---- */

int leg_session_asked(struct sip_leg *l, const struct sip_msg *m, char *lines, size_t size)
{
	const struct sip_conf *conf = &l->s->conf;
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_SESSION_EXPIRES);
	bool supported = sipm_has_token(m, SIP_HDR_SUPPORTED, "timer") || sipm_has_token(m, SIP_HDR_REQUIRE, "timer");
	struct sipf_session asked = {.refresher = SIPF_NOBODY};
	uint32_t least = 0, wanted;

	if (header_number(&least, m, SIP_HDR_MIN_SE) && least > SESSION_MAX_S)
		least = SESSION_MAX_S;
	if (least < conf->session_min_s)
		least = conf->session_min_s;
	if (!h || !sipf_session(&asked, &h->val)) {
		if (!supported) {
			l->session_s = 0;
			return 0;
		}
		asked.expires_s = conf->session_s;
	} else if (asked.expires_s < conf->session_min_s && supported) {
		(void)snprintf(lines, size, "Min-SE: %u\r\n", conf->session_min_s);
		return 422;
	}
	wanted = asked.expires_s < conf->session_s ? asked.expires_s : conf->session_s;
	l->session_s = wanted < least ? least : wanted;
	if (!supported)
		l->session_ours = true; /* RFC 4028 9, table 2 */
	else if (asked.refresher != SIPF_NOBODY)
		l->session_ours = asked.refresher == SIPF_UAS;
	else
		l->session_ours = false; /* who asks may as well ask again */
	l->session_named = supported;
	return 0;
}

void leg_session_answer(struct sip_leg *l, char *lines, size_t size)
{
	size_t n = strlen(lines);

	if (l->session_s)
		(void)snprintf(lines + n, size - n, "Session-Expires: %u;refresher=%s\r\n%s", l->session_s,
			       l->session_ours ? "uas" : "uac", l->session_named ? "Require: timer\r\n" : "");
	session_run(l);
}

void leg_session_offer(struct sip_leg *l, struct strb *b)
{
	bool first = l->state == CALLING;

	if (l->session_min_s != 90) /* what its absence means */
		strb_printf(b, "Min-SE: %u\r\n", l->session_min_s);
	if (l->session_s)
		strb_printf(b, "Session-Expires: %u%s\r\n", l->session_s,
			    first	      ? ""
			    : l->session_ours ? ";refresher=uac"
					      : ";refresher=uas");
}

void leg_session_answered(struct sip_leg *l, const struct sip_msg *m)
{
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_SESSION_EXPIRES);
	uint32_t least = l->s->conf.session_min_s / 3; /* it may not go below our Min-SE, but some do: within reason */
	struct sipf_session s;

	if (h && sipf_session(&s, &h->val)) {
		l->session_s = s.expires_s < least ? least : s.expires_s < SESSION_MAX_S ? s.expires_s : SESSION_MAX_S;
		if (!l->session_s)
			l->session_s = 1;
		l->session_ours = s.refresher != SIPF_UAS;
	} else {
		l->session_s = 0; /* it does not speak session timers */
	}
	session_run(l);
}

bool leg_session_too_small(struct sip_leg *l, const struct sip_msg *m)
{
	uint32_t least;

	if (!header_number(&least, m, SIP_HDR_MIN_SE) || least > SESSION_MAX_S || ++l->invites > INVITES_MAX)
		return false;
	l->session_min_s = least;
	if (l->session_s < least)
		l->session_s = least;
	return true;
}
