/*
 * Replay: the routing core's decisions of a log derived again from its inputs, and compared byte by byte. Also checks each
 * decision by its stored numbers alone (acd_check). Inputs are acd.in, acd.conf and acd.snap rows; everything the core says
 * must be in the log, in order, and nothing else. Deadlines have no input row: the next decision's time "t" says how far to step.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct db;
struct ev;
struct replay;

struct replay_result {
	uint64_t events, inputs, decisions, checked, epochs, draws;
	int64_t epoch, n;       /* of the first difference */
	char expected[4096];    /* what the core says there; "" when it says nothing */
	char logged[4096];      /* what the log says */
	const char *why;        /* NULL: no difference */
};

int replay_new(struct replay **ret, bool check);
/** Feeds the next event of the log, in order; all kinds, from the first event of an epoch on. 0, or 1 at the first difference. */
int replay_event(struct replay *rp, const struct ev *e);
/** After the last event. 0, or 1: the core said something that is not in the log. */
int replay_end(struct replay *rp);
const struct replay_result *replay_result(const struct replay *rp);
void replay_free(struct replay *rp);

/** The whole log from @epoch on (0: from the beginning). 0: no difference; 1: see @ret; negative: the log cannot be read. */
int replay_run(struct db *db, int64_t epoch, bool check, struct replay_result *ret);

/** `huawu replay --db PATH [--from EPOCH] [--check]`: 0 the same, 1 a difference, 2 cannot be read or bad usage. */
int replay_main(int argc, char **argv);
