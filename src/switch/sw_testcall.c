/*
 * Test calls: an administrator wants to see what a carrier answers to a number. One leg, no agent; each answer is a fact (test.step),
 * kept beside the call, whose direction is "test" and which no figure counts. Answered, it plays a prompt until its time is over.
 */
#include "switch/sw_line.h"
#include "switch/sw_number.h"

#include <stdio.h>
#include <string.h>

#define STEPS_MAX 50 /* how many answers come is the carrier's choice */
#define PROMPT "zh/test-call"

static void put_sent(struct strb *b, const struct sip_dial *d, const struct sw_verdict *v)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_str(&w, "uri", d->uri);
	jw_str(&w, "from", d->from_user);
	jw_str(&w, "from_host", d->from_host);
	jw_str(&w, "pai", v->id.pai[0] ? v->id.pai : NULL);
	jw_str(&w, "ppi", v->id.ppi[0] ? v->id.ppi : NULL);
	jw_str(&w, "rpid", v->id.rpid[0] ? v->id.rpid : NULL);
	jw_str(&w, "shown", v->id.number);
	jw_end_obj(&w);
}

/* "203.0.113.7:5060" of the hop that it went to. */
static void address_of(const struct sw_call *c, char *buf, size_t size)
{
	struct sw_try at;

	(void)sw_line_hop(c->sw, c->trunk_id, &at);
	(void)str_copy(buf, size, strncmp(at.hop, "sip:", 4) ? at.hop : at.hop + 4);
}

static void step(struct sw_call *c, int code, bool early, const struct call_leg_close *cl, const char *sent)
{
	static const char *const by[] = {
		[SIP_BY_REMOTE] = "remote", [SIP_BY_LOCAL] = "local", [SIP_BY_TIMEOUT] = "timeout", [SIP_BY_LOST] = "lost",
	};
	struct ev e = {.kind = EV_TEST_STEP, .call_id = c->id, .leg_id = c->cust ? c->cust->id : 0};
	char buf[600], address[SW_HOP_MAX];
	struct strb b;
	struct jw w;

	if (c->test_steps++ >= STEPS_MAX && !cl)
		return;
	address_of(c, address, sizeof(address));
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_int(&w, "t_ms", clock_utc_ms() - c->start_ms);
	jw_int(&w, "code", code);
	jw_bool(&w, "early", early);
	jw_id(&w, "trunk", c->trunk_id);
	jw_str(&w, "address", address);
	if (cl) {
		jw_int(&w, "q850", cl->q850);
		jw_str(&w, "reason", cl->reason);
		jw_str(&w, "by", by[cl->by]);
	}
	jw_end_obj(&w);
	if (sent)
		e.pii[e.pii_n++] = (struct ev_pii){"sent", sent};
	sw_emit(c->sw, &e, &b);
}

/* Ended by us: its leg reports to nobody any more. */
static void end(struct sw_call *c, const char *reason)
{
	struct call_leg_close cl = {.by = SIP_BY_LOCAL, .q850 = 16};

	(void)str_copy(cl.reason, sizeof(cl.reason), reason);
	step(c, 0, false, &cl, NULL);
	sw_call_end(c, "system", 487, 16, reason);
}

static void time_is_over(void *arg)
{
	end(arg, "the test's time is over");
}

void sw_test_said(struct sw_call *c, int code, bool early_media)
{
	step(c, code, early_media, NULL, NULL);
	if (code == 200)
		sw_call_test_play(c, PROMPT);
}

void sw_test_closed(struct sw_call *c, const struct call_leg_close *cl)
{
	step(c, cl->code, false, cl, NULL);
}

enum sw_refusal sw_test_begin(struct sw *sw, const struct sw_cmd *cmd, int64_t *call_id)
{
	const struct sw_trunk *t = sw_trunk_of(sw, cmd->trunk_id);
	const struct sw_user *u = sw_user_of(sw, cmd->user_id);
	struct sip_dial d = {0};
	char uri[400] = "", sent[1200];
	struct sw_try at;
	struct sw_verdict v;
	struct sw_call *c;
	struct strb b;

	if (sw->stopping)
		return SW_R_STOPPING;
	if (!t)
		return SW_R_NO_TRUNK;
	if (sw->pressed || (t->calls_max && sw_trunk_load(sw, t->id) >= (unsigned)t->calls_max))
		return SW_R_FULL;
	if (sw_gate(&v, sw, t, u, cmd->number, "test", true))
		return sw_gate_refusal(&v);
	if (v.class == NUM_C_EMERGENCY)
		return SW_R_EMERGENCY;
	if (!sw_line_hop(sw, t->id, &at))
		return SW_R_NO_TRUNK;
	sw_line_dial(sw, &at, v.called, &d, uri, sizeof(uri));
	sw_verdict_dial(&v, &d);
	d.first_ms = 0; /* the carrier's silence shall be seen */
	d.ring_timeout_ms = cmd->ms;
	c = sw_call_test(sw, &v, t->id);
	*call_id = c->id;
	strb_init_fixed(&b, sent, sizeof(sent));
	put_sent(&b, &d, &v);
	step(c, 0, false, NULL, sent);
	if (sw_call_test_dial(c, &d)) {
		step(c, 503, false, &(struct call_leg_close){.by = SIP_BY_LOCAL, .code = 503, .reason = "cannot be sent"}, NULL);
		sw_call_end(c, "system", 503, 0, "cannot be sent");
		return SW_OK;
	}
	sw_toll_begun(c->cust, u, 0, &v);
	ltimer_set(&c->timer, cmd->ms, time_is_over, c);
	return SW_OK;
}

enum sw_refusal sw_test_end(struct sw *sw, int64_t call_id)
{
	struct sw_call *c = hmap_get(&sw->calls, (uint64_t)call_id);

	if (!c || c->phase != CALL_TEST)
		return SW_R_NO_CALL;
	end(c, "ended by who tests");
	return SW_OK;
}
