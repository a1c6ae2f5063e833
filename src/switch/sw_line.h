/*
 * Trunks as they live: where the carrier is, whether it takes our registration, whether it answers, how fast it may be called. The
 * switch thread's. Kept over configurations that do not touch them.
 *
 *   where    numeric, or by name: looked up, followed (sip/resolve.c)
 *   state    unknown -> up <-> degraded <-> down, of registration, OPTIONS and names; each change is a fact (trunk.state),
 *            down is an alarm
 */
#pragma once

#include "call/call.h"
#include "switch/sw_trunk.h"

struct sw;
struct sw_line;

/** Makes lines for new or changed trunks, ends those of trunks that went. After each configuration. */
void sw_lines_apply(struct sw *sw);
void sw_lines_free(struct sw *sw);

/** Which trunk calls from @source, or over a registration of ours whose token is @user; 0: none. */
int64_t sw_line_of_source(struct sw *sw, const struct sip_addr *source, const char *user, bool *by_token);
/** The trunk whose calls authenticate as @user; 0: none. */
int64_t sw_line_of_account(struct sw *sw, const char *user);
/** Its digest; false: no trunk has this user. */
bool sw_line_credentials(struct sw *sw, struct sip_ha1 *ret, const char *user);

/** One new call, in or out, within what the trunk may have a second; false: too many, @wait_ms from now there is room. */
bool sw_line_take(struct sw *sw, int64_t trunk_id, int *wait_ms);

#define SW_HOP_MAX 96
struct sw_try {
	int64_t trunk_id;
	char hop[SW_HOP_MAX]; /* numeric URI */
	bool rate;            /* waits for its second */
};
/**
 * Where to try @number, in order: sw_route over all trunks (@only_id not 0: over that one), each at each of its addresses that is not known to be dead.
 * @why is told when there is nothing to try. Answers how many.
 */
size_t sw_line_tries(struct sw *sw, const char *number, const struct sw_user *user, int64_t only_id, struct sw_try *ret, size_t max,
		     enum sw_why *why);
/** What sw_route is told of a trunk, for @number and @user. */
void sw_line_now(struct sw *sw, const struct sw_trunk *t, const char *number, const struct sw_user *user, struct sw_trunk_now *ret);
/** The trunk's first address, in whatever state it is, for a test call; false: it has none. */
bool sw_line_hop(struct sw *sw, int64_t trunk_id, struct sw_try *ret);
/** Fills in what the trunk adds to an INVITE; @uri has 400 bytes. The strings are the line's and the configuration's. */
void sw_line_dial(struct sw *sw, const struct sw_try *at, const char *number, struct sip_dial *d, char *uri, size_t size);
/** How an attempt ended: a trunk that asked for rest gets it, an address that is silent is left for a while. */
void sw_line_outcome(struct sw *sw, int64_t trunk_id, const char *hop, const struct call_leg_close *c);
