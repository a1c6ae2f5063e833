/*
 * The telephone of an agent who dials stays connected between calls: one leg, which belongs to his log-in. Calls are put through on it, one
 * after the other, with a tone and without ringing.
 *
 *   none --sw_kept_dial, it answers by itself--> up --sw_kept_take--> in a call --the call lets go of it--> up ...
 *
 * It ends when he goes on a break or logs out, when his telephone is lost or another is chosen, when a call comes that is for him and rings,
 * and when no campaign wants it any more. In a call it then ends with the call. An agent who hangs up between two calls is not there: break,
 * reason "phone", until he says ready.
 */
#pragma once

#include "switch/sw.h"

/** Rings his telephone, with the word to answer by itself; told by sw_campaign_kept. 0 also when it is there or rings already. */
int sw_kept_dial(struct sw_agent *a, struct sw *sw, int timeout_ms);
bool sw_kept_up(const struct sw_agent *a); /* and in no call */
/** It is the agent's side of @c now; it must be up. */
void sw_kept_take(struct sw_call *c, struct sw_agent *a);
/** The call lets go of it: true, it stays up; false, it is to be hung up like any other. */
bool sw_kept_put_back(struct sw_leg *l);
void sw_kept_drop(struct sw_agent *a, const char *reason);
