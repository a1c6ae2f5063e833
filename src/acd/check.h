/* Recomputes a stored decision from its own numbers; shares no code with the core that made it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** @body of an offer.new event, with the event's ids. NULL: the choice follows from the numbers; else what is wrong. */
const char *acd_check(int64_t call_id, int64_t agent_id, int64_t queue_id, const char *body, size_t len);
