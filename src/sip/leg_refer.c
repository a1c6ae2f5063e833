/*
 * REFER (RFC 3515): the other side of a leg wants a call to go elsewhere. The owner decides and says how it goes on;
 * what we tell of it are NOTIFYs with a status line (RFC 3420), in the dialog of the REFER, until the final one or the
 * leg's end. One at a time.
 */
#include "sip/leg_priv.h"
#include "sip/fields.h"

#include <stdio.h>
#include <string.h>

#define REFER_MS 180000 /* the subscription ends of itself; a transfer rings shorter than that */

static void notify(struct sip_leg *l, int code, const char *reason)
{
	struct siptx_request q = leg_request(l, "NOTIFY", ++l->lseq);
	char lines[160], body[128];
	bool over = code >= 200;

	(void)snprintf(lines, sizeof(lines), "Event: refer;id=%u\r\nSubscription-State: %s\r\n", l->refer_cseq,
		       over ? "terminated;reason=noresource" : "active;expires=180");
	(void)snprintf(body, sizeof(body), "SIP/2.0 %d %.80s\r\n", code, reason && reason[0] ? reason : sipm_reason_phrase(code));
	q.contact = true;
	q.lines = lines;
	q.content_type = "message/sipfrag;version=2.0";
	q.body = body;
	q.body_len = strlen(body);
	(void)siptx_client_new(NULL, l->s, leg_flow(l), &q, NULL, NULL);
}

void leg_refer_stop(struct sip_leg *l)
{
	ltimer_cancel(&l->refer_timer);
	l->refer_cseq = 0;
}

static void refer_timeout(void *arg)
{
	sip_leg_refer_result(arg, 408, NULL);
}

void sip_leg_refer_result(struct sip_leg *l, int code, const char *reason)
{
	char clean[81];
	size_t n = 0;

	if (!l->refer_cseq || l->state != UP)
		return;
	if (l->refer_deciding) {
		l->refer_result = code;
		return;
	}
	for (; reason && *reason && n + 1 < sizeof(clean); reason++)
		if ((unsigned char)*reason >= ' ' && *reason != 127)
			clean[n++] = *reason;
	clean[n] = '\0';
	if (!l->refer_silent)
		notify(l, code, clean);
	if (code >= 200)
		leg_refer_stop(l);
}

/* 0 and @ret, or the status to refuse it with. */
static int read_refer(struct sip_refer *ret, struct sipf_refer_to *to, struct sip_leg *l, const struct rx *r)
{
	const struct sip_hdr *h = sip_msg_hdr(r->m, SIP_HDR_REFER_TO);

	if (!h || !sipf_refer_to(to, &h->val))
		return 400;
	*ret = (struct sip_refer){.target = to->user};
	if (!to->attended)
		return 0;
	ret->replaces = leg_find(l->s, &to->replaces);
	if (!ret->replaces || ret->replaces == l || ret->replaces->state == ENDED)
		return 481; /* its other call has ended, or is none of ours */
	return 0;
}

static int ask_owner(struct sip_leg *l, const struct sip_refer *refer)
{
	int code;

	l->refer_result = 0;
	l->refer_deciding = true;
	code = l->h.refer(refer, l->arg);
	l->refer_deciding = false;
	return code;
}

void leg_take_refer(struct sip_leg *l, const struct rx *r)
{
	const struct sip_hdr *sub = sip_msg_hdr(r->m, SIP_HDR_REFER_SUB);
	char lines[LINES_MAX];
	struct sipf_refer_to to;
	struct sip_refer refer;
	int code;

	if (sips_refuse_extensions(l->s, r))
		return;
	code = l->state != UP ? 403 : l->refer_cseq ? 491 : 0;
	if (!code)
		code = read_refer(&refer, &to, l, r);
	if (!code && !l->h.refer)
		code = 603;
	if (code) {
		leg_answer_now(l, r, code, NULL);
		return;
	}
	l->refer_silent = sub && !pl_strcasecmp(&sub->val, "false"); /* RFC 4488 */
	l->refer_cseq = r->m->cseq.num;
	ltimer_set(&l->refer_timer, REFER_MS, refer_timeout, l);
	code = ask_owner(l, &refer);
	if (code) {
		leg_refer_stop(l);
		leg_answer_now(l, r, code, NULL);
	} else {
		leg_contact_lines(l, lines, sizeof(lines));
		if (l->refer_silent)
			(void)strncat(lines, "Refer-Sub: false\r\n", sizeof(lines) - strlen(lines) - 1);
		leg_answer_now(l, r, 202, lines);
		/* RFC 3515 2.4.4: the first NOTIFY comes at once */
		sip_leg_refer_result(l, l->refer_result ? l->refer_result : 100, NULL);
	}
	if (l->refer_hangup)
		sip_leg_hangup(l, l->hangup_code, l->hangup_q850, l->hangup_reason);
}
