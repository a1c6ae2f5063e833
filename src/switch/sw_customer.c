/*
 * Whose customer calls. The data is asked when a call begins and answers by mailbox, while the call goes on: only who enters a queue that
 * offers to the owner first waits for it there, in the core and by its nominal time (acd/owner.c). An answer is always a fact.
 */
#include <string.h>

#include "switch/sw.h"

void sw_customer_ask(struct sw_call *c)
{
	const struct sw_start *st = &c->sw->start;
	const char *number = !strcmp(c->dir, "in") ? c->from : !strcmp(c->dir, "out") ? c->to : "";

	if (!st->ask_customer || !number[0])
		return;
	c->ask_until_ms = clock_utc_ms() + st->ask_ms;
	st->ask_customer(c->sw, c->id, number, st->ask_arg);
}

void sw_customer_enter(struct sw_call *c, struct acd_in *in, const struct sw_queue *q)
{
	int64_t left_ms = c->ask_until_ms - clock_utc_ms();

	if (!q || !q->owner_first || c->owner_tried || strcmp(c->dir, "in") != 0)
		return;
	in->owner_id = c->owner_id;
	in->team_id = c->team_id;
	if (left_ms > 0)
		in->ms = (int32_t)left_ms;
	c->owner_tried = in->owner_id || in->team_id || in->ms;
}

static void tell(struct sw *sw, const struct sw_customer *m)
{
	struct ev e = {.kind = EV_CALL_CUSTOMER, .call_id = m->call_id};
	char buf[96];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "customer", m->customer_id);
	if (m->by_id)
		jw_id(&w, "by", m->by_id);
	jw_end_obj(&w);
	sw_emit(sw, &e, &b);
}

/* Also when nobody is there for him: that he has tried is what counts. */
static void tell_ring_back(const struct sw_call *c, const struct sw_customer *m)
{
	struct ev e = {.kind = EV_CALL_RINGBACK, .call_id = m->call_id, .campaign_id = m->back_campaign_id};
	char buf[96];
	struct strb b;
	struct jw w;

	if (!m->back_campaign_id || strcmp(c->dir, "in") != 0)
		return;
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "claim", m->back_claim_id);
	jw_id(&w, "agent", m->back_agent_id);
	jw_end_obj(&w);
	sw_emit(c->sw, &e, &b);
}

void sw_customer_tell(struct sw_call *c)
{
	tell(c->sw, &(struct sw_customer){.call_id = c->id, .customer_id = c->customer_id});
}

void sw_customer_said(struct sw *sw, const struct sw_customer *m)
{
	struct sw_call *c = hmap_get(&sw->calls, (uint64_t)m->call_id);
	struct acd_in in = {.kind = ACD_IN_KNOWN, .call_id = m->call_id, .owner_id = m->owner_id, .team_id = m->team_id};
	bool asked;

	if (c && c->campaign_id && c->customer_id && !m->by_id) { /* who asked knows it; whose the customer is besides is news */
		c->owner_id = m->owner_id;
		c->team_id = m->team_id;
		return;
	}
	if (m->customer_id)
		tell(sw, m);
	if (!c)
		return;
	tell_ring_back(c, m);
	c->customer_id = m->customer_id;
	if (m->by_id)
		return; /* who is on the line is there already */
	asked = c->in_acd && c->owner_tried && c->ask_until_ms; /* the core was told to wait; whether it still does, it knows */
	c->ask_until_ms = 0;
	c->owner_id = m->owner_id;
	c->team_id = m->team_id;
	if (asked)
		(void)sw_acd(sw, &in);
	c->shut = m->back_closed;
	sw_call_shut(c);
}
