/*
 * Virtual days of outbound dialling, to compare ways of pacing on equal random numbers. Agents talk, wrap up and pause; calls are
 * answered, busy, rejected or ring out; the share that answers drifts over the day and jumps with each part of the list. A customer
 * who has answered and is not given to an agent within wait_ms is abandoned. Each call's fate hangs on seed and its number, each
 * talk's and wrap-up's length on seed and theirs, never on who paces.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dialer/pace.h"

struct pacing_world {
	uint64_t seed;
	int32_t agents;
	int32_t day_ms;              /* dialling; who talks then talks on, and is not counted further */
	double share;                /* of calls that answer, over the day's mean */
	double drift, jump;          /* the share moves by so much of itself, slowly and with each part of the list */
	double part_calls;           /* calls in a part of the list; 0: about an hour's */
	double talk_s, talk_cv, wrap_s, wrap_cv;
	double pause_p, pause_s;     /* how many wrap-ups end in a pause */
	double ring_s, ring_cv;      /* after the post-dial delay */
	int32_t wait_ms;
	int32_t limit_permille;
	double city;                 /* above 0: who is dialled is somebody of the simulated city (sim/city.h), of whom so many answer; from 9 o'clock on */
	int64_t calls_max;           /* dialled in the day; 0: no end */
};

/* The world of the figures in bench/README.md. */
void pacing_world_init(struct pacing_world *w, int32_t agents, double share, uint64_t seed);

struct pacing_day {
	int64_t dialled, resolved, answered, abandoned, hung_up; /* answered = abandoned + connected, once the day is over */
	int64_t talk_ms, wrap_ms, staffed_ms;                    /* within the day */
	int64_t lines_max;
	uint64_t checksum;                                       /* of all decisions */
};
double pacing_talk_share(const struct pacing_day *d);
double pacing_abandoned_share(const struct pacing_day *d);

/* A way of pacing. Made for one day. */
struct pacer {
	void (*event)(struct pacer *p, const struct pace_event *ev);
	void (*step)(struct pacer *p, const struct pace_now *now, const struct pacing_day *so_far, int32_t *launch, int32_t *hangup);
	void (*done)(struct pacer *p);
	bool at_events; /* it is also asked after each thing that happens, but then hangs up nobody */
};

struct pacer *pacer_ours(const struct pacing_world *w, const char *arg); /* "restarts": from its snapshot, each hour */
struct pacer *pacer_progressive(const struct pacing_world *w, const char *arg);
struct pacer *pacer_level(const struct pacing_world *w, const char *arg);
struct pacer *pacer_command(const struct pacing_world *w, const char *command); /* NULL: it could not be started */

/** One day; asserts what must hold of any day. Steps once a second, and at_events. Deterministic but for a command's answers. */
void pacing_run(const struct pacing_world *w, struct pacer *p, struct pacing_day *ret);

/* ---- a line each second, to and from a pacer outside ---- */

/*
 *   S <t> <idle> <held> | talk ages | wrap ages | ring age:score ... | attempts resolved answered dropped | events since the last line
 *   events: a<ring_s>:<score> answered, f<ring_s>:<score> failed, t<talk_s> talk ended, w<wrap_s> wrap-up ended
 * and back: <calls to launch> [<oldest calls to hang up that have rung 15 s>]. Seconds and scores may have decimals.
 */
struct pacing_line; /* what was read last, with what it needs to tell events and account from it */
struct pacing_line *pacing_line_new(const struct pace_conf *conf, int64_t day_ms);
void pacing_line_free(struct pacing_line *l);
int pacing_line_read(struct pacing_line *l, const char *line, struct pace_out *ret); /* -EINVAL: it is no such line, nothing was done */

/** `huawu sim pacing ...`; answers the exit code. */
int sim_pacing_main(int argc, char **argv);
