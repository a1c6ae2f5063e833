/*
 * Strangers: who fails to prove himself, how often, and who is not listened to for a while.
 *
 * Two things are counted: a source (an IPv4 address, an IPv6 /64: that is one customer's line) and a pair of user and source. A pair that
 * has failed too often is banned, and a source that has; a source where somebody is at home (registered telephones, a carrier, a call) is
 * never banned as a whole, but there a user who is tried from a source full of failures is banned at his first.
 *
 *   failures in WINDOW_MS reach the limit -> banned for 1 min, 5 min, 30 min, 2 h, 24 h; the next step when it happens again within a day
 *
 * A source that has never answered a challenge of ours and is no connection may be forged, so its ban stays short. Whether the user
 * exists decides nothing here: bans would tell it. Nothing in here has a clock; memory is bounded, what was seen longest ago goes first.
 */
#pragma once

#include "sip/sip_priv.h"

#define SIPB_ENTRIES_MAX 16384
#define SIPB_WINDOW_MS	 (10 * 60000LL)
#define SIPB_PAIR_LIMIT	 8   /* wrong answers of one user */
#define SIPB_SOURCE_LIMIT 24 /* of all users, none of whom is at home there */
#define SIPB_PROBE_LIMIT 90  /* requests without credentials, malformed messages ... */
#define SIPB_PROBE_MIN_MS 32000 /* ... that went on for so long: a hundred telephones after a power cut do the same for a moment */
#define SIPB_RATE	 200 /* requests a second of a source where nobody is at home */

struct sipb;

/** @at_home: whether somebody at @peer is at home who was not told by sipb_home: a carrier, a call. Asked seldom; may be NULL. */
struct sipb *sipb_new(bool (*at_home)(const struct sa *peer, void *arg), void *arg);
void sipb_free(struct sipb *b);

/** What a source is known by: an IPv4 address, the /64 of an IPv6 one. */
uint64_t sipb_source(const struct sa *peer);
/** Always listened to: a list of addresses and networks, by blanks. What does not parse is left out. */
void sipb_allow(struct sipb *b, const char *networks);

/** Somebody at @source is at home from now on, or no more; counted. */
void sipb_home(struct sipb *b, const struct sa *peer, bool on);
bool sipb_is_home(const struct sipb *b, const struct sa *peer);

/** One offence. True: @ret is a ban that has begun. @proven: the address is the sender's own. */
bool sipb_note(struct sipb *b, struct sip_ban *ret, const struct sa *peer, const char *user, enum sip_offence o, bool proven, int64_t now_ms);
/** He has proved who he is. */
void sipb_forgive(struct sipb *b, const struct sa *peer, const char *user);
/** Whether nothing is taken from there now; counts what is dropped. */
bool sipb_source_banned(struct sipb *b, const struct sa *peer, int64_t now_ms);
bool sipb_pair_banned(struct sipb *b, const struct sa *peer, const char *user, int64_t now_ms);
/** One request of a stranger; false: too many this second. */
bool sipb_take(struct sipb *b, const struct sa *peer, int64_t now_ms);

bool sipb_lift(struct sipb *b, const char *source, const char *user, int64_t now_ms);
void sipb_restore(struct sipb *b, const struct sip_ban *ban, int64_t now_ms);
size_t sipb_list(const struct sipb *b, struct sip_ban *ret, size_t max, int64_t now_ms);
void sipb_write(const struct sipb *b, struct jw *w, int64_t now_ms);
size_t sipb_count(const struct sipb *b);
