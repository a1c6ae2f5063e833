/* Counts tmr_start calls, so that start-up can prove that libre uses our timers. */
#pragma once

#include <stdint.h>

extern uint64_t tmr_ours_calls;
