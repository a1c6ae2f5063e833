/*
 * What callers and agents do, in virtual time. Two clocks run against each other: the heap of what people do next, and the
 * routing core's deadlines; the earlier one is next, the core's first at the same millisecond, as in the switch.
 */
#include "sim/day.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acd/check.h"
#include "sim/day_priv.h"
#include "sim/draw.h"

#define ASK_MS 150     /* as the switch waits */
#define GOODBYE_MS 3000
#define BACK_S 40       /* mean until somebody who did not answer is back */
#define REFUSE_S 3      /* mean until he presses refuse */

static void due_at(struct day *d, struct due *due, int64_t at_ms, void (*act)(struct day *, struct due *))
{
	due->act = act;
	heap_set(&d->heap, &due->at, at_ms);
}

static void due_off(struct day *d, struct due *due)
{
	heap_del(&d->heap, &due->at);
}

static struct caller *caller_of(const struct day *d, int64_t id)
{
	return hmap_get(&d->callers, (uint64_t)id);
}

static struct worker *worker_of(const struct day *d, int64_t id)
{
	return hmap_get(&d->workers, (uint64_t)id);
}

/* ---- the core's adapter, as in the switch: inputs are told before they are fed, decisions as they are made, and acted on after ---- */

static void act(struct day *d, const struct acd_out *out);

static void on_out(const struct acd_out *out, void *arg)
{
	struct day *d = arg;

	tell_out(d, out);
	d->res->late += out->kind == ACD_OUT_OWNER && !strcmp(out->reason, "late");
	if (out->kind == ACD_OUT_OFFER) {
		struct caller *c = hmap_get(&d->callers, (uint64_t)out->call_id);

		c->own_offer = c->owner_id == out->agent_id && memmem(out->body, out->body_len, "\"side\":\"owner\"", 14);
		d->res->to_owner += c->own_offer;
	}
	for (size_t i = 0; i < out->body_len; i++)
		d->res->checksum = (d->res->checksum ^ (unsigned char)out->body[i]) * 0x100000001b3u;
	if (out->kind == ACD_OUT_OFFER && d->c->check)
		assert(!acd_check(out->call_id, out->agent_id, out->queue_id, out->body, out->body_len));
	if (d->out_n == d->out_cap) {
		d->out_cap = d->out_cap ? d->out_cap * 2 : 64;
		d->outs = xrealloc(d->outs, d->out_cap * sizeof(*d->outs));
	}
	d->outs[d->out_n++] = *out;
}

static void drain(struct day *d)
{
	if (d->draining)
		return;
	d->draining = true;
	while (d->out_at < d->out_n) {
		struct acd_out out = d->outs[d->out_at++];

		act(d, &out);
	}
	d->out_at = d->out_n = 0;
	d->draining = false;
}

static int feed(struct day *d, struct acd_in in)
{
	int r;

	in.at_ms = d->now;
	tell_in(d, &in);
	r = acd_input(d->acd, &in);
	drain(d);
	return r;
}

/* ---- callers ---- */

static void caller_free(struct day *d, struct caller *c)
{
	due_off(d, &c->due);
	due_off(d, &c->known);
	(void)hmap_del(&d->callers, (uint64_t)c->id);
	free(c);
}

/* Both part; the agent's leg ends @by. */
static void part(struct day *d, struct caller *c, const char *by, int code, int64_t heard_ms)
{
	struct worker *w = c->worker;

	if (!w)
		return;
	c->worker = NULL;
	w->caller = NULL;
	w->offer_id = 0;
	due_off(d, &w->hand);
	if (c->agent_leg_id)
		tell_leg_end(d, c, c->agent_leg_id, w->id, by, code, heard_ms);
	c->agent_leg_id = 0;
}

static void hang_up(struct day *d, struct caller *c, bool by_agent)
{
	struct worker *w = c->worker;
	int64_t heard_ms = d->now - c->answer_ms;

	d->res->talk_ms += heard_ms;
	tell_call_end(d, c, by_agent ? "agent" : "customer", 16, "hung up");
	part(d, c, by_agent ? "remote" : "local", 0, heard_ms);
	tell_leg_end(d, c, c->leg_id, 0, by_agent ? "local" : "remote", 0, heard_ms);
	(void)feed(d, (struct acd_in){.kind = ACD_IN_RELEASE, .agent_id = w->id, .call_id = c->id, .wrap = true});
	caller_free(d, c);
}

static void give_up(struct day *d, struct caller *c)
{
	int64_t id = c->id;

	d->res->abandoned++;
	d->res->waited++;
	d->res->wait_ms += d->now - c->enter_ms;
	tell_call_end(d, c, "customer", 16, "gave up");
	part(d, c, "local", 487, 0);
	tell_leg_end(d, c, c->leg_id, 0, "remote", 487, 0);
	caller_free(d, c);
	(void)feed(d, (struct acd_in){.kind = ACD_IN_LEAVE, .call_id = id});
}

static void send_away(struct day *d, struct caller *c)
{
	tell_call_end(d, c, "system", 31, "nobody can take the call");
	tell_leg_end(d, c, c->leg_id, 0, "local", 0, 0);
	caller_free(d, c);
}

static void caller_acts(struct day *d, struct due *due)
{
	struct caller *c = container_of(due, struct caller, due);

	if (c->phase == PHASE_TALK)
		hang_up(d, c, draw_chance(&d->doing, 0.3));
	else if (c->phase == PHASE_GOODBYE)
		send_away(d, c);
	else
		give_up(d, c);
}

static void becomes_known(struct day *d, struct due *due)
{
	struct caller *c = container_of(due, struct caller, known);

	/* refused when it is late, as in the switch */
	(void)feed(d, (struct acd_in){.kind = ACD_IN_KNOWN, .call_id = c->id, .owner_id = c->owner_id, .team_id = c->team_id});
}

/* Whose he is, and when that will be known: a stream of its own, so that without owners nothing changes. */
static void draw_owner(struct day *d, struct caller *c)
{
	const struct acd_conf *acd = d->c->acd;
	const struct acd_agent_conf *g = &acd->agents[rng_below(&d->owning, acd->agent_n)];

	if (!draw_chance(&d->owning, d->c->known_p))
		return;
	c->owner_id = rng_below(&d->owning, 10) ? g->id : 1 + INT64_MAX / 2; /* one of ten has left the centre */
	c->team_id = g->team_id;
	c->asked = d->c->known_s > 0;
	if (c->asked)
		due_at(d, &c->known, d->now + draw_exponential_ms(&d->owning, d->c->known_s), becomes_known);
}

static void enter_queue(struct day *d, struct caller *c, int64_t queue_id)
{
	bool first = c->phase == PHASE_WAIT && c->queue_id == queue_id;

	c->queue_id = queue_id;
	c->phase = PHASE_WAIT;
	tell_segment(d, c, "queue", NULL);
	(void)feed(d, (struct acd_in){.kind = ACD_IN_ENTER, .call_id = c->id, .queue_id = queue_id, .priority = c->load->priority,
				      .waited_ms = d->now - c->enter_ms, .owner_id = first && !c->asked ? c->owner_id : 0,
				      .team_id = first && !c->asked ? c->team_id : 0, .ms = first && c->asked ? ASK_MS : 0});
}

static void caller_comes(struct day *d, const struct sim_load *load)
{
	struct caller *c = xcalloc(1, sizeof(*c));

	c->id = idgen_next(&d->ids, d->now);
	c->leg_id = idgen_next(&d->ids, d->now);
	c->load = load;
	c->queue_id = load->queue_id;
	c->enter_ms = d->now;
	c->accepted = load->answer_first;
	(void)hmap_set(&d->callers, (uint64_t)c->id, c);
	d->res->calls++;
	if (d->callers.count > d->res->inside_max)
		d->res->inside_max = d->callers.count;
	tell_call(d, c);
	if (c->accepted) {
		tell_call_plain(d, EV_CALL_ACCEPT, c);
		tell_leg_answer(d, c, false);
	} else {
		tell_leg_ring(d, c, false);
	}
	due_at(d, &c->due, d->now + draw_exponential_ms(&d->doing, load->patience_s), caller_acts);
	if (d->c->known_p > 0)
		draw_owner(d, c);
	enter_queue(d, c, load->queue_id);
}

/* Piecewise constant rate: an exponential gap that crosses the end of its slot is drawn anew from there (no memory). */
static int64_t next_arrival(struct day *d, const struct arrivals *a, int64_t t)
{
	const struct sim_load *l = a->load;
	size_t slots = l->profile ? l->profile_n : 1;
	int64_t length = d->c->close_ms - d->c->open_ms;

	while (t < d->c->close_ms) {
		size_t slot = (size_t)((t - d->c->open_ms) * (int64_t)slots / length);
		int64_t end = d->c->open_ms + (int64_t)(slot + 1) * length / (int64_t)slots;
		double weight = l->profile ? l->profile[slot] / a->weight_sum : 1;
		double rate_s = l->calls * weight * (double)slots * 1000 / (double)length; /* calls a second */
		int64_t gap = rate_s > 0 ? draw_exponential_ms(&d->coming, 1 / rate_s) : length;

		if (t + gap < end)
			return t + gap;
		t = end > t ? end : t + 1;
	}
	return -1;
}

static void arrive(struct day *d, struct due *due);

static void await_next(struct day *d, struct arrivals *a, int64_t from_ms)
{
	int64_t t = next_arrival(d, a, from_ms);

	if (t < 0)
		d->arriving--;
	else
		due_at(d, &a->due, t, arrive);
}

static void arrive(struct day *d, struct due *due)
{
	struct arrivals *a = container_of(due, struct arrivals, due);

	await_next(d, a, d->now);
	caller_comes(d, a->load);
}

/* ---- agents ---- */

static void answer(struct day *d, struct worker *w)
{
	struct caller *c = w->caller;
	const struct sim_load *l = c->load;
	int64_t wait_ms = d->now - c->enter_ms;

	tell_leg_answer(d, c, true);
	c->phase = PHASE_TALK;
	if (feed(d, (struct acd_in){.kind = ACD_IN_ANSWERED, .call_id = c->id, .agent_id = w->id, .offer_id = w->offer_id}))
		assert(!"an answer is never late in virtual time");
	tell_segment(d, c, "talk", NULL);
	tell_call_plain(d, EV_CALL_ANSWER, c);
	if (!c->accepted)
		tell_leg_answer(d, c, false);
	c->answer_ms = d->now;
	d->res->answered++;
	d->res->by_owner += c->own_offer;
	d->res->answered_20s += wait_ms <= 20000;
	d->res->waited += wait_ms > 0;
	d->res->wait_ms += wait_ms;
	due_at(d, &c->due, d->now + (l->talk_cv > 0 ? draw_lognormal_ms(&d->doing, l->talk_s, l->talk_cv)
						   : draw_exponential_ms(&d->doing, l->talk_s)), caller_acts);
}

static void refuse(struct day *d, struct worker *w)
{
	struct caller *c = w->caller;

	tell_leg_end(d, c, c->agent_leg_id, w->id, "remote", 486, 0);
	c->agent_leg_id = 0;
	(void)feed(d, (struct acd_in){.kind = ACD_IN_REFUSED, .call_id = c->id, .agent_id = w->id, .offer_id = w->offer_id, .code = 486});
}

static void hand_acts(struct day *d, struct due *due)
{
	struct worker *w = container_of(due, struct worker, hand);

	if (w->state == ACD_RINGING && w->refuses)
		refuse(d, w);
	else if (w->state == ACD_RINGING)
		answer(d, w);
	else if (w->state == ACD_WRAPUP)
		(void)feed(d, (struct acd_in){.kind = ACD_IN_WRAP_END, .agent_id = w->id});
	else if (w->state == ACD_NOANSWER)
		(void)feed(d, (struct acd_in){.kind = ACD_IN_READY, .agent_id = w->id});
}

static void plan_break(struct day *d, struct due *due);

static void plan_next_break(struct day *d, struct worker *w)
{
	if (d->c->between_breaks_s > 0)
		due_at(d, &w->plan, d->now + draw_exponential_ms(&d->doing, d->c->between_breaks_s), plan_break);
}

static void plan_back(struct day *d, struct due *due)
{
	struct worker *w = container_of(due, struct worker, plan);

	(void)feed(d, (struct acd_in){.kind = ACD_IN_READY, .agent_id = w->id});
	plan_next_break(d, w);
}

static void plan_break(struct day *d, struct due *due)
{
	static const char *const reasons[] = {"rest", "lunch", "meeting"};
	struct worker *w = container_of(due, struct worker, plan);
	struct acd_in in = {.kind = ACD_IN_BREAK, .agent_id = w->id};

	if (!d->arriving)
		return; /* the last callers first */
	(void)str_copy(in.reason, sizeof(in.reason), reasons[rng_below(&d->doing, ARRAY_LEN(reasons))]);
	(void)feed(d, in);
	due_at(d, &w->plan, d->now + draw_exponential_ms(&d->doing, d->c->break_s), plan_back);
}

static void plan_login(struct day *d, struct due *due)
{
	struct worker *w = container_of(due, struct worker, plan);

	(void)feed(d, (struct acd_in){.kind = ACD_IN_LOGIN, .agent_id = w->id, .device_up = true, .ready = true});
	plan_next_break(d, w);
}

/* ---- what the core decided ---- */

static double wrap_s(const struct day *d, int64_t queue_id)
{
	for (size_t i = 0; i < d->c->load_n; i++)
		if (d->c->loads[i].queue_id == queue_id)
			return d->c->loads[i].wrap_s;
	return 0;
}

static void act_state(struct day *d, struct worker *w, const struct acd_out *out)
{
	w->state = out->state;
	if (out->state == ACD_WRAPUP && wrap_s(d, out->queue_id) > 0)
		due_at(d, &w->hand, d->now + draw_exponential_ms(&d->doing, wrap_s(d, out->queue_id)), hand_acts);
	else if (out->state == ACD_NOANSWER)
		due_at(d, &w->hand, d->now + draw_exponential_ms(&d->doing, BACK_S), hand_acts);
	else if (out->state != ACD_RINGING && out->state != ACD_TALKING)
		due_off(d, &w->hand);
}

static void act_offer(struct day *d, struct worker *w, const struct acd_out *out)
{
	struct caller *c = caller_of(d, out->call_id);
	int64_t after = 0;

	assert(c && c->phase == PHASE_WAIT && !c->worker && !w->caller);
	d->res->offers++;
	c->phase = PHASE_RING;
	c->worker = w;
	w->caller = c;
	w->offer_id = out->offer_id;
	c->agent_leg_id = idgen_next(&d->ids, d->now);
	tell_segment(d, c, "ring", NULL);
	tell_leg(d, c, true, NULL, NULL);
	tell_leg_ring(d, c, true);
	if (draw_chance(&d->doing, d->c->noanswer_p))
		return;
	w->refuses = draw_chance(&d->doing, d->c->refuse_p);
	if (w->refuses || d->c->answer_s > 0)
		after = draw_exponential_ms(&d->doing, w->refuses ? REFUSE_S : d->c->answer_s);
	due_at(d, &w->hand, d->now + after, hand_acts);
}

/* The offer rang out, was refused or withdrawn: the caller waits on. An answer and the caller's end look different by now. */
static void act_offer_end(struct day *d, struct worker *w, const struct acd_out *out)
{
	struct caller *c = w->caller;

	if (!c || w->offer_id != out->offer_id || c->phase != PHASE_RING)
		return;
	part(d, c, "local", 487, 0);
	c->phase = PHASE_WAIT;
	tell_segment(d, c, "queue", NULL);
}

static void act_overflow(struct day *d, const struct acd_out *out)
{
	struct caller *c = caller_of(d, out->call_id);

	assert(c && !c->worker);
	if (out->overflow == ACD_OVERFLOW_QUEUE) {
		enter_queue(d, c, out->target_queue);
		return;
	}
	d->res->overflowed++;
	d->res->waited++;
	d->res->wait_ms += d->now - c->enter_ms;
	c->phase = PHASE_GOODBYE;
	tell_segment(d, c, "ivr", "goodbye");
	due_at(d, &c->due, d->now + (c->accepted ? GOODBYE_MS : 0), caller_acts);
}

static void act(struct day *d, const struct acd_out *out)
{
	switch (out->kind) {
	case ACD_OUT_STATE:
		act_state(d, worker_of(d, out->agent_id), out);
		break;
	case ACD_OUT_OFFER:
		act_offer(d, worker_of(d, out->agent_id), out);
		break;
	case ACD_OUT_OFFER_END:
		act_offer_end(d, worker_of(d, out->agent_id), out);
		break;
	case ACD_OUT_OVERFLOW:
		act_overflow(d, out);
		break;
	case ACD_OUT_ANNOUNCE:
	case ACD_OUT_OWNER:
	case ACD_OUT_RESERVE:
		break;
	}
}

/* ---- the run ---- */

static void core_new(struct day *d)
{
	int r = acd_new(&d->acd, on_out, d);

	tell_start(d);
	tell_conf(d);
	if (!r)
		r = acd_configure(d->acd, d->c->acd, d->now);
	assert(!r);
}

static void begin(struct day *d)
{
	rng_init(&d->coming, d->c->seed);
	rng_init(&d->doing, d->c->seed ^ 0x5e41a8c1d2b7f30eu);
	rng_init(&d->naming, d->c->seed ^ 0x1f83d9abfb41bd6bu);
	rng_init(&d->owning, d->c->seed ^ 0x6f776e);
	idgen_init(&d->ids, d->c->node);
	hmap_init(&d->callers, false);
	hmap_init(&d->workers, false);
	strb_init(&d->body, EV_BODY_MAX);
	d->res->checksum = 0xcbf29ce484222325u;
	d->now = d->c->open_ms;
	core_new(d);
	tell_snap(d);
	d->worker_n = d->c->acd->agent_n;
	d->worker = xcalloc(d->worker_n, sizeof(*d->worker));
	for (size_t i = 0; i < d->worker_n; i++) {
		struct worker *w = &d->worker[i];

		w->id = d->c->acd->agents[i].id;
		(void)hmap_set(&d->workers, (uint64_t)w->id, w);
		due_at(d, &w->plan, d->now + (int64_t)(rng_unit(&d->doing) * d->c->late_s * 1000), plan_login);
	}
	d->arriving = d->c->load_n;
	d->arrivals = xcalloc(d->c->load_n, sizeof(*d->arrivals));
	for (size_t i = 0; i < d->c->load_n; i++) {
		struct arrivals *a = &d->arrivals[i];

		a->load = &d->c->loads[i];
		for (size_t k = 0; k < a->load->profile_n; k++)
			a->weight_sum += a->load->profile[k];
		await_next(d, a, d->now);
	}
}

/* Another run takes over in the middle, from the state of this one. */
static void restart(struct day *d)
{
	struct acd *old = d->acd;
	struct strb b;
	int r;

	d->now = d->c->restart_ms;
	strb_init(&b, EV_BODY_MAX);
	acd_snap_encode(old, &b);
	tell_stop(d);
	core_new(d);
	r = acd_snap_restore(d->acd, b.buf, b.len);
	assert(!r);
	acd_free(old);
	strb_done(&b);
	tell_snap(d);
}

static void go_home(struct day *d)
{
	for (size_t i = 0; i < d->worker_n; i++) {
		struct worker *w = &d->worker[i];

		due_off(d, &w->plan);
		if (w->state == ACD_WRAPUP)
			(void)feed(d, (struct acd_in){.kind = ACD_IN_WRAP_END, .agent_id = w->id});
		if (w->state != ACD_OFFLINE)
			(void)feed(d, (struct acd_in){.kind = ACD_IN_LOGOUT, .agent_id = w->id});
		due_off(d, &w->hand);
		assert(w->state == ACD_OFFLINE);
	}
	tell_stop(d);
}

static void step(struct day *d)
{
	struct heap_entry *e = heap_min(&d->heap);
	int64_t core = acd_next_ms(d->acd), next = e && e->key < core ? e->key : core;

	assert(next != INT64_MAX); /* or somebody waits for ever */
	if (d->c->restart_ms && d->epoch == 1 && next >= d->c->restart_ms) {
		restart(d);
		return;
	}
	d->now = next;
	if (core <= next) {
		acd_step(d->acd, next);
		drain(d);
	} else {
		struct due *due = container_of(e, struct due, at);

		heap_del(&d->heap, e);
		due->act(d, due);
	}
	if (d->c->check)
		assert(!acd_invariant(d->acd));
}

static void done(struct day *d)
{
	struct caller *c;
	size_t pos = 0;

	while ((c = hmap_next(&d->callers, &pos)))
		caller_free(d, c);
	acd_free(d->acd);
	heap_done(&d->heap);
	hmap_done(&d->callers);
	hmap_done(&d->workers);
	strb_done(&d->body);
	free(d->outs);
	free(d->arrivals);
	free(d->worker);
}

int sim_day_run(const struct sim_day_conf *c, struct sim_day_result *ret)
{
	struct day d = {.c = c, .res = ret};

	*ret = (struct sim_day_result){0};
	begin(&d);
	while (!d.failed && (d.arriving || d.callers.count))
		step(&d);
	if (!d.failed) {
		go_home(&d);
		assert(ret->calls == ret->answered + ret->abandoned + ret->overflowed);
	}
	done(&d);
	return d.failed;
}

/* ---- an example centre ---- */

static void example_queues(struct acd_conf *conf, struct sim_load *loads, unsigned queues, double calls)
{
	/* A working day from nine to six in quarters of an hour: a morning peak, the lunch dip, a lower afternoon peak. */
	static const double day[36] = {4, 6, 8, 9, 10, 10, 10, 9, 8, 8, 7, 6, 5, 4, 4, 5, 6, 7,
				       8, 8, 9, 9, 8, 8, 8, 7, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3};

	for (unsigned i = 0; i < queues; i++) {
		conf->queues[i] = (struct acd_queue_conf){
			.id = 101 + i, .priority = i == 0 ? 1 : 0, .ring_ms = 20000, .wrapup_ms = 30000, .wrapup_max_ms = 90000,
			.len_max = 60, .wait_max_ms = 300000, .announce_ms = 30000, .target_ms = 20000,
			.empty_overflow = i % 2, .overflow = i % 3 == 1 ? ACD_OVERFLOW_QUEUE : ACD_OVERFLOW_GOODBYE,
			.overflow_queue = i % 3 == 1 ? 101 : 0,
		};
		loads[i] = (struct sim_load){
			.queue_id = 101 + i, .number_id = 201 + i, .trunk_id = 301, .calls = calls / queues, .profile = day,
			.profile_n = ARRAY_LEN(day), .patience_s = 180, .talk_s = 170, .talk_cv = 1.1, .wrap_s = 25,
			.answer_first = i % 2 == 0,
		};
	}
}

void sim_day_example(struct sim_day_conf *ret, unsigned agents, unsigned queues, double calls, int64_t open_ms)
{
	struct acd_conf *conf = xcalloc(1, sizeof(*conf));
	struct sim_load *loads = xcalloc(queues, sizeof(*loads));

	*conf = (struct acd_conf){.version = 1, .queue_n = queues, .agent_n = agents};
	conf->queues = xcalloc(queues, sizeof(*conf->queues));
	conf->agents = xcalloc(agents, sizeof(*conf->agents));
	conf->members = xcalloc((size_t)agents * 2, sizeof(*conf->members));
	example_queues(conf, loads, queues, calls);
	for (unsigned i = 0; i < agents; i++) {
		conf->agents[i] = (struct acd_agent_conf){.id = 1001 + i, .team_id = 11 + i % 4, .noanswer_ms = 120000, .device_grace_ms = 30000};
		for (unsigned k = 0; k < 2 && k < queues; k++)
			conf->members[conf->member_n++] = (struct acd_member){1001 + i, 101 + (i + k) % queues, 1 + (int32_t)k};
	}
	*ret = (struct sim_day_conf){
		.seed = 1, .open_ms = open_ms, .close_ms = open_ms + 9 * 3600000, .acd = conf, .loads = loads, .load_n = queues,
		.answer_s = 4, .noanswer_p = 0.01, .refuse_p = 0.005, .late_s = 600, .between_breaks_s = 5400, .break_s = 600,
		.centre_id = 1,
	};
}

void sim_day_done(struct sim_day_conf *c)
{
	free(c->acd->queues);
	free(c->acd->agents);
	free(c->acd->members);
	free((void *)c->acd);
	free((void *)c->loads);
}
