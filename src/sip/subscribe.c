/*
 * Telephones ask for events. We have one that they want at once or they complain: message waiting (RFC 3842), where there is never
 * any. That needs no state: every SUBSCRIBE, the first and those that refresh it, is answered with a tag that only its
 * Call-ID decides and with one NOTIFY that counts as it does.
 */
#include "sip/sip_priv.h"
#include "sip/fields.h"

#include <stdio.h>
#include <string.h>

#define EXPIRES_MAX 3600
#define EVENTS	    "Allow-Events: message-summary\r\n"

void sips_refuse_method(struct sip_stack *s, const struct rx *r)
{
	if (!pl_strcmp(&r->m->met, "PUBLISH"))
		siptx_reply_stateless(s, r, 489, NULL, EVENTS); /* RFC 3903 6: no event package takes it */
	else if (!pl_strcmp(&r->m->met, "REFER"))
		siptx_reply_stateless(s, r, 403, NULL, NULL); /* of calls only, by who is in them */
	else
		siptx_reply_stateless(s, r, 405, NULL, SIPS_ALLOW_ALL);
}

/* The event's name without its parameters. */
static bool is_message_summary(const struct sip_msg *m)
{
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_EVENT);
	const char *name = "message-summary";
	size_t n = strlen(name);

	return h && h->val.l >= n && !strncasecmp(h->val.p, name, n) && (h->val.l == n || strchr("; \t", h->val.p[n]));
}

static void notify(struct sip_stack *s, const struct rx *r, const char *device, const char *tag, uint32_t expires)
{
	const struct sip_hdr *contact = sip_msg_hdr(r->m, SIP_HDR_CONTACT);
	char uri[SIPM_URI_MAX], from[SIPM_URI_MAX], to[SIPM_URI_MAX], call_id[SIPM_TOKEN_MAX], routes[SIPM_ROUTES_MAX], body[256],
		lines[256];
	struct siptx_request q = {.method = "NOTIFY", .uri = uri, .from = from, .to = to, .call_id = call_id, .cseq = r->m->cseq.num,
				  .routes = routes, .lines = lines, .contact = true,
				  .content_type = "application/simple-message-summary", .body = body};
	struct re_sip_addr a;
	int n;

	if (!contact || sip_addr_decode(&a, &contact->val) || !sipm_copy(uri, sizeof(uri), &a.auri) ||
		!sipm_copy(to, sizeof(to), &r->m->from.val) || !sipm_copy(call_id, sizeof(call_id), &r->m->callid) ||
		sipm_routes(routes, sizeof(routes), r->m, SIP_HDR_RECORD_ROUTE, false))
		return;
	n = re_snprintf(from, sizeof(from), "%r%s%s", &r->m->to.val, pl_isset(&r->m->to.tag) ? "" : ";tag=",
			pl_isset(&r->m->to.tag) ? "" : tag);
	if (n < 0)
		return;
	if (expires)
		(void)snprintf(lines, sizeof(lines), "Event: message-summary\r\nSubscription-State: active;expires=%u\r\n", expires);
	else
		(void)snprintf(lines, sizeof(lines), "Event: message-summary\r\nSubscription-State: terminated;reason=timeout\r\n");
	(void)snprintf(body, sizeof(body), "Messages-Waiting: no\r\nMessage-Account: sip:%.64s@%.64s\r\nVoice-Message: 0/0 (0/0)\r\n", device,
		       s->conf.realm);
	q.body_len = strlen(body);
	(void)siptx_client_new(NULL, s, &r->flow, &q, NULL, NULL);
}

void sips_subscribe(struct sip_stack *s, const struct rx *r, const char *device)
{
	const struct sip_hdr *h = sip_msg_hdr(r->m, SIP_HDR_EXPIRES);
	uint32_t expires = EXPIRES_MAX;
	struct sa local;
	char lines[256], tag[9];

	if (!is_message_summary(r->m)) {
		siptx_reply_stateless(s, r, 489, NULL, EVENTS);
		return;
	}
	if (h && !sipf_number(&expires, &h->val)) {
		siptx_reply_stateless(s, r, 400, NULL, NULL);
		return;
	}
	if (expires > EXPIRES_MAX)
		expires = EXPIRES_MAX;
	sipnet_local_for(s, &r->flow, &local);
	(void)re_snprintf(lines, sizeof(lines), "Expires: %u\r\nContact: <sip:%J%s>\r\n" EVENTS, expires, &local,
			  sipnet_uri_params(&r->flow));
	siptx_reply_stateless(s, r, 200, NULL, lines);
	siptx_stateless_tag(tag, r);
	notify(s, r, device, tag, expires);
}
