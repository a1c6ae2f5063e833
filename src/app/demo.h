/* The demo centre of `huawu serve --demo`: invented people, a few days of history, simulated callers. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "api/api.h"

struct db;
struct db_writer;

extern const struct api_demo_user demo_cards[];
extern const size_t demo_card_n;

/** Makes people, queues and numbers once, and the last days' calls by running the cores in virtual time through the real log.
    1: the demo was cleared in this data folder, and nothing is made. */
int demo_prepare(struct db_writer *w, int64_t centre_id);
/** Starts the simulated telephone network as a child that ends with us; its pid, or negative. @sip: our address. */
pid_t demo_network(const char *sip);
