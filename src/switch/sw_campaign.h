/* Dialling out by campaigns, see sw_campaign.c. The switch thread's. */
#pragma once

#include "switch/sw.h"

struct sw_claims_msg {
	int64_t campaign_id, more_at_ms;
	char why[24];
	size_t n;
	struct sw_claim claims[];
};

void sw_campaigns_init(struct sw *sw);
void sw_campaigns_stop(struct sw *sw);
void sw_campaigns_done(struct sw *sw);
/** Something has changed that may make a dial possible or needless. */
void sw_campaigns_soon(struct sw *sw);
void sw_campaign_claims(struct sw *sw, const struct sw_claims_msg *m);

/** The core has kept an agent for a claim. */
void sw_campaign_reserved(struct sw *sw, const struct acd_out *out);

/* What a call of a campaign (c->dial) tells. */
void sw_campaign_dial(struct sw_call *c); /* its agent is at his telephone */
void sw_campaign_ring(struct sw_call *c);
void sw_campaign_up(struct sw_call *c);   /* the customer has answered */
void sw_campaign_closed(struct sw_call *c, const struct call_leg_close *cl); /* the customer's leg, whoever ended it */
void sw_campaign_ended(struct sw_call *c);

/** The result that stands for a carrier's answer; @rang: it had rung. */
const char *sw_attempt_result(int code, int q850, bool rang);
