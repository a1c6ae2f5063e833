/* Dialling out by campaigns, see sw_campaign.c. The switch thread's. */
#pragma once

#include "switch/sw.h"

struct sw_claims_msg {
	int64_t campaign_id, more_at_ms;
	char why[24];
	size_t n;
	struct sw_claim claims[];
};

void sw_campaigns_init(struct sw *sw, const struct sw_start *start);
void sw_campaigns_stop(struct sw *sw);
void sw_campaigns_done(struct sw *sw);
/** Something has changed that may make a dial possible or needless. */
void sw_campaigns_soon(struct sw *sw);
void sw_campaign_claims(struct sw *sw, const struct sw_claims_msg *m);

/* What the core decides: an agent is kept for a claim; an agent enters a state. */
void sw_campaign_reserved(struct sw *sw, const struct acd_out *out);
void sw_campaign_agent_state(struct sw *sw, struct sw_agent *a, const struct acd_out *out);
void camp_pace_agent(struct sw *sw, struct sw_agent *a, const struct acd_out *out); /* sw_pace.c; before the above */
bool sw_campaign_keeps(const struct sw_agent *a, int64_t call_id); /* as the core says */

/** SW_PREVIEW_DIAL, SW_PREVIEW_SKIP of who is shown a customer. */
enum sw_refusal sw_campaign_command(struct sw *sw, struct sw_agent *a, const struct sw_cmd *cmd);

/** His telephone is connected and stays so; @code: it could not be, or is lost. */
void sw_campaign_kept(struct sw *sw, struct sw_agent *a, int code);
void sw_campaign_agent_device(struct sw *sw, struct sw_agent *a); /* his browser went or moved while he is kept for a claim */

/* What a call of a campaign (c->dial) tells. */
void sw_campaign_ring(struct sw_call *c);
void sw_campaign_up(struct sw_call *c);        /* the customer has answered */
void sw_campaign_heard(struct sw_call *c, const char *result); /* no customer: an announcement before the answer, a machine after it */
void sw_campaign_connected(struct sw_call *c); /* and hears an agent */
void sw_campaign_closed(struct sw_call *c, const struct call_leg_close *cl); /* the customer's leg, whoever ended it */
void sw_campaign_ended(struct sw_call *c);

/** The result that stands for a carrier's answer; @rang: it had rung. */
const char *sw_attempt_result(int code, int q850, bool rang);
