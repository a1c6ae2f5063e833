/* Inside of a virtual day: day.c is what people do, day_event.c what is told of it. */
#pragma once

#include "base/base.h"
#include "journal/journal.h"
#include "sim/day.h"

struct day;

/* What happens next to somebody. */
struct due {
	struct heap_entry at;
	void (*act)(struct day *d, struct due *due);
};

enum phase { PHASE_WAIT, PHASE_RING, PHASE_TALK, PHASE_GOODBYE };

struct caller {
	struct due due; /* gives up; ends the talk; has heard the goodbye */
	struct due known; /* whose customer he is, is told */
	int64_t owner_id, team_id;
	bool asked, own_offer;
	int64_t id, leg_id, agent_leg_id, queue_id, enter_ms, answer_ms;
	const struct sim_load *load;
	struct worker *worker; /* rings or talks */
	enum phase phase;
	bool accepted;
};

struct worker {
	struct due plan; /* comes, goes on break, comes back */
	struct due hand; /* answers, refuses, ends wrap-up, comes back after not answering */
	int64_t id, offer_id;
	struct caller *caller; /* rings or talks */
	enum acd_state state;
	bool refuses;
};

struct arrivals {
	struct due due;
	const struct sim_load *load;
	double weight_sum;
};

struct day {
	const struct sim_day_conf *c;
	struct sim_day_result *res;
	struct rng coming, doing, naming, owning; /* streams of their own: who calls does not change what happens */
	struct acd *acd;
	struct heap heap;
	struct hmap callers, workers;
	struct arrivals *arrivals;
	size_t arriving; /* loads that still bring callers */
	struct worker *worker;
	size_t worker_n;
	struct acd_out *outs; /* decided, not yet acted on */
	size_t out_n, out_at, out_cap;
	bool draining;
	struct idgen ids;
	int64_t now, epoch, n;
	int failed;
	struct strb body;
};

/* Everything below is told at d->now. */
void tell_start(struct day *d);
void tell_stop(struct day *d);
void tell_conf(struct day *d);
void tell_snap(struct day *d);
void tell_in(struct day *d, const struct acd_in *in);
void tell_out(struct day *d, const struct acd_out *out);
void tell_call(struct day *d, const struct caller *c);
void tell_call_plain(struct day *d, enum ev_kind kind, const struct caller *c); /* accept, answer */
void tell_call_end(struct day *d, const struct caller *c, const char *by, int q850, const char *reason);
void tell_leg(struct day *d, const struct caller *c, bool agent, const char *from, const char *to);
void tell_leg_ring(struct day *d, const struct caller *c, bool agent);
void tell_leg_answer(struct day *d, const struct caller *c, bool agent);
void tell_leg_end(struct day *d, const struct caller *c, int64_t leg_id, int64_t agent_id, const char *by, int code, int64_t heard_ms);
void tell_segment(struct day *d, const struct caller *c, const char *type, const char *why);
