/*
 * The fair turn (轮派): to whom of a team the next new customer goes. Pure: who is there goes in, who gets it and why comes out.
 *
 * The team stands in the order of its ids. The turn goes round; who is not there when it comes to him is passed by and is owed a turn,
 * three at most; owed turns are given first, the oldest first, as soon as he is there, and do not move the round. So of those who are
 * always there nobody is ever more than one ahead.
 *
 * The body of a draw says all it was made from and leaves behind: turn_check() makes it again, and it is what a state is restored from.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strb;

#define TURN_MEMBERS_MAX 1000
#define TURN_OWED_MAX 3

/* Somebody free goes before somebody busy, who gets the customer but not the call; who is absent gets nobody. */
enum turn_reach { TURN_ABSENT, TURN_BUSY, TURN_FREE, TURN_REACH_COUNT };

struct turn_member {
	int64_t agent_id;
	enum turn_reach reach;
};

struct turn_owed {
	int64_t agent_id, since; /* since: the first draw that passed him by */
	int32_t n;
};

struct turn {
	int64_t draws;           /* so far */
	int64_t last_id;         /* where the round stands; 0: before the first */
	struct turn_owed owed[TURN_MEMBERS_MAX];
	size_t owed_n;
};

struct turn_draw {
	int64_t agent_id;
	enum turn_reach reach;
	bool owed;               /* he was passed by before */
};

enum { TURN_E_NOBODY = 1, TURN_E_ORDER = 2 };

/** @m: the team by ascending id. TURN_E_NOBODY: all are absent, nothing has changed; TURN_E_ORDER: too many, or not in order. */
int turn_next(struct turn *t, struct turn_draw *ret, const struct turn_member *m, size_t n);
/** A draw came to nothing, after it was told: he is owed it. */
void turn_owe(struct turn *t, int64_t agent_id);
/** What @d was made from, and @t after it: {"draw","agent","why":turn|owed,"reach","last","members":[[id,reach]],"owed":[[id,n,since]]}. */
void turn_encode(const struct turn *t, const struct turn_draw *d, const struct turn_member *m, size_t n, struct strb *b);
/** The state that a draw has left behind. -EINVAL. */
int turn_decode(struct turn *ret, const char *body, size_t len);
/** Whether a draw follows from the one before (NULL: there was none). NULL, or a sentence. */
const char *turn_check(const char *before, size_t before_len, const char *body, size_t len);
