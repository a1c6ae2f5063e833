/* Counts the calling thread's tmr_start calls, so that start-up can prove that libre uses our timers. */
#pragma once

#include <stdint.h>

extern _Thread_local uint64_t tmr_ours_calls;

/** Frees the calling thread's heap of timers; those still running are forgotten. */
void tmr_ours_thread_done(void);
