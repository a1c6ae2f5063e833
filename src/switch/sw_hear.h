/* What carriers and machines say on calls out, see sw_hear.c. The switch thread's. */
#pragma once

#include "switch/sw.h"

/** Early media has come on a leg out through a trunk: it is listened to until the answer or the end. Again: nothing new. */
void sw_hear_early(struct sw_leg *l);
/** The leg is answered. What was heard before does not matter any more; a campaign's customer may be a machine, which is listened for. */
void sw_hear_answered(struct sw_leg *l);
/** From media. */
void sw_hear_news(struct sw_leg *l, const struct med_heard *h);
/** What legs know announcements by, from now on; taken over. */
void sw_hear_book_set(struct sw *sw, struct snap *book);
