/*
 * The world: a heap of what happens next, and once a second the pacer is asked.
 *
 *   call:   dialled --resolves--> failed | answered --agent idle--> talk
 *                                             |--held, wait_ms--> abandoned
 *   agent:  idle --call--> talk --> wrap-up --> idle (or a pause, then idle); who frees takes the customer held longest
 */
#include "sim/pacing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/detmath.h"
#include "sim/city.h"
#include "sim/draw.h"

enum what { RESOLVES, GIVES_UP, FREE_OF_TALK, FREE_OF_WRAP, BACK };

struct thing {
	struct heap_entry due;
	enum what what;
	struct thing *next;  /* free ones */
	size_t at;           /* in the list of its kind */
	int64_t since_ms;    /* dialled, answered, talking, wrapping up */
	uint64_t nth;        /* call, or talk */
	int32_t score_permille, talk_ms;
	bool answers;
};

struct list_of {
	struct thing **v;
	size_t n, cap;
};

struct world {
	const struct pacing_world *w;
	struct pacer *pacer;
	struct pacing_day *day;
	struct heap heap;
	struct thing *spare;
	struct list_of ringing, held, talking, wrapping;
	int32_t idle;
	int64_t now_ms;
	uint64_t talks, wraps;
	double phase, part_calls;
	int32_t *talk_ms, *wrap_ms;
	struct pace_ring *ring;
	size_t ring_cap;
};

void pacing_world_init(struct pacing_world *w, int32_t agents, double share, uint64_t seed)
{
	*w = (struct pacing_world){.seed = seed, .agents = agents, .share = share, .day_ms = 8 * 3600 * 1000, .drift = 0.25, .jump = 0.2,
				   .talk_s = 135, .talk_cv = 1.2, .wrap_s = 20, .wrap_cv = 0.6, .pause_p = 0.01, .pause_s = 240,
				   .ring_s = 9.5, .ring_cv = 0.6, .wait_ms = 2000, .limit_permille = 30};
}

double pacing_talk_share(const struct pacing_day *d)
{
	return d->staffed_ms ? (double)d->talk_ms / (double)d->staffed_ms : 0;
}

double pacing_abandoned_share(const struct pacing_day *d)
{
	return d->answered ? (double)d->abandoned / (double)d->answered : 0;
}

/* ---- lists, in no order but for held and ringing, whose first is the oldest ---- */

static void list_put(struct list_of *l, struct thing *t)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->v = xrealloc(l->v, l->cap * sizeof(*l->v));
	}
	t->at = l->n;
	l->v[l->n++] = t;
}

static void list_take(struct list_of *l, struct thing *t)
{
	assert(t->at < l->n && l->v[t->at] == t);
	l->n--;
	for (size_t i = t->at; i < l->n; i++) {
		l->v[i] = l->v[i + 1];
		l->v[i]->at = i;
	}
}

static struct thing *thing_new(struct world *s, enum what what)
{
	struct thing *t = s->spare;

	if (t)
		s->spare = t->next;
	else
		t = xcalloc(1, sizeof(*t));
	*t = (struct thing){.what = what, .since_ms = s->now_ms};
	return t;
}

static void thing_free(struct world *s, struct thing *t)
{
	t->next = s->spare;
	s->spare = t;
}

/* ---- chance: each call, talk and wrap-up has a generator of its own ---- */

enum stream { OF_DAY = 1, OF_CALL, OF_PART, OF_TALK, OF_WRAP };

static struct rng stream(const struct world *s, enum stream of, uint64_t nth)
{
	struct rng r;

	rng_init(&r, s->w->seed * 0x9e3779b97f4a7c15u + nth * 0xd1342543de82ef95u + of);
	return r;
}

/* A triangle from -1 to 1 and back over the day, begun anywhere. */
static double drift_at(const struct world *s, int64_t t)
{
	double x = (double)t / s->w->day_ms + s->phase;

	x -= (int)x;
	return x < 0.5 ? 4 * x - 1 : 3 - 4 * x;
}

static double share_now(const struct world *s, uint64_t nth)
{
	struct rng r = stream(s, OF_PART, (uint64_t)((double)nth / s->part_calls));
	double p = s->w->share * (1 + s->w->drift * drift_at(s, s->now_ms)) * (1 + s->w->jump * (2 * rng_unit(&r) - 1));

	return p < 0.95 ? p : 0.95;
}

#define MACHINE_MS 2000 /* so long it takes to know an assistant by its voice: then the agent is let go */
#define FIRST_HOUR 9

/* As the simulated network does it, but for what carriers announce, which takes the switch some seconds to know. */
static int64_t draw_city(const struct world *s, struct thing *t, struct rng *r)
{
	struct city_conf conf = {.seed = s->w->seed, .answer = s->w->city, .talk_s = s->w->talk_s};
	struct city_call c;
	char number[24];

	(void)snprintf(number, sizeof(number), "+86138%08llu", (unsigned long long)t->nth % 100000000);
	city_call(&c, &conf, number, FIRST_HOUR + (int)(s->now_ms / 3600000), r);
	t->answers = !c.code;
	t->talk_ms = c.does == CITY_ASSISTANT ? MACHINE_MS : c.talk_ms;
	return c.ring_ms < 30000 || t->answers ? c.ring_ms : 30000;
}

/* When and how a call resolves: answered, rung out at 30 s (55 % of the others), busy or a bad number (20 %), rejected (25 %). */
static int64_t draw_call(const struct world *s, struct thing *t)
{
	struct rng r = stream(s, OF_CALL, t->nth);
	int64_t delay = 2000 + (int64_t)rng_below(&r, 2001), ring;
	double how;

	if (s->w->city > 0)
		return draw_city(s, t, &r);
	t->answers = draw_chance(&r, share_now(s, t->nth));
	how = rng_unit(&r);
	if (t->answers || how >= 0.75) {
		do
			ring = draw_lognormal_ms(&r, t->answers ? s->w->ring_s : 8, s->w->ring_cv);
		while (ring >= 30000);
		return delay + ring;
	}
	return delay + (how < 0.55 ? 30000 : 500);
}

/* ---- what happens ---- */

static void tell(struct world *s, enum pace_event_kind kind, int64_t ms, int32_t score)
{
	s->pacer->event(s->pacer, &(struct pace_event){.kind = kind, .at_ms = s->now_ms, .ms = (int32_t)ms, .score_permille = score});
}

/* @call_ms: as long as he who was called will talk; 0: as anybody. */
static void talk(struct world *s, int32_t call_ms)
{
	struct thing *t = thing_new(s, FREE_OF_TALK);
	struct rng r;

	t->nth = s->talks++;
	r = stream(s, OF_TALK, t->nth);
	list_put(&s->talking, t);
	heap_set(&s->heap, &t->due, s->now_ms + (call_ms ? call_ms : draw_lognormal_ms(&r, s->w->talk_s, s->w->talk_cv)));
}

static void agent_free(struct world *s)
{
	struct thing *t = s->held.n ? s->held.v[0] : NULL;

	if (!t) {
		s->idle++;
		return;
	}
	list_take(&s->held, t);
	heap_del(&s->heap, &t->due);
	talk(s, t->talk_ms);
	thing_free(s, t);
}

static void call_resolves(struct world *s, struct thing *t)
{
	list_take(&s->ringing, t);
	s->day->resolved++;
	tell(s, t->answers ? PACE_ANSWERED : PACE_FAILED, s->now_ms - t->since_ms, t->score_permille);
	if (!t->answers) {
		thing_free(s, t);
		return;
	}
	s->day->answered++;
	if (s->idle) {
		s->idle--;
		talk(s, t->talk_ms);
		thing_free(s, t);
		return;
	}
	t->what = GIVES_UP;
	t->since_ms = s->now_ms;
	list_put(&s->held, t);
	heap_set(&s->heap, &t->due, s->now_ms + s->w->wait_ms);
}

static void gives_up(struct world *s, struct thing *t)
{
	list_take(&s->held, t);
	s->day->abandoned++;
	tell(s, PACE_ABANDONED, s->w->wait_ms, 0);
	thing_free(s, t);
}

/* The part of [from, now] that lies within the day. */
static int64_t within_day(const struct world *s, int64_t from)
{
	int64_t to = s->now_ms < s->w->day_ms ? s->now_ms : s->w->day_ms;

	return to > from ? to - from : 0;
}

static void talk_ends(struct world *s, struct thing *t)
{
	struct rng r;

	list_take(&s->talking, t);
	s->day->talk_ms += within_day(s, t->since_ms);
	tell(s, PACE_TALK_END, s->now_ms - t->since_ms, 0);
	t->what = FREE_OF_WRAP;
	t->since_ms = s->now_ms;
	t->nth = s->wraps++;
	r = stream(s, OF_WRAP, t->nth);
	list_put(&s->wrapping, t);
	heap_set(&s->heap, &t->due, s->now_ms + draw_lognormal_ms(&r, s->w->wrap_s, s->w->wrap_cv));
}

static void wrap_ends(struct world *s, struct thing *t)
{
	struct rng r = stream(s, OF_WRAP, t->nth);

	(void)rng_u64(&r);
	list_take(&s->wrapping, t);
	s->day->wrap_ms += within_day(s, t->since_ms);
	tell(s, PACE_WRAP_END, s->now_ms - t->since_ms, 0);
	r.s[0] ^= 0x5851f42d4c957f2du; /* whether he pauses does not hang on how long his wrap-up was */
	(void)rng_u64(&r);
	if (draw_chance(&r, s->w->pause_p)) {
		t->what = BACK;
		heap_set(&s->heap, &t->due, s->now_ms + (int64_t)(s->w->pause_s * 1000));
		return;
	}
	thing_free(s, t);
	agent_free(s);
}

static void happen(struct world *s, struct thing *t)
{
	switch (t->what) {
	case RESOLVES:
		call_resolves(s, t);
		break;
	case GIVES_UP:
		gives_up(s, t);
		break;
	case FREE_OF_TALK:
		talk_ends(s, t);
		break;
	case FREE_OF_WRAP:
		wrap_ends(s, t);
		break;
	case BACK:
		thing_free(s, t);
		agent_free(s);
		break;
	}
}

/* ---- once a second, and when something has happened ---- */

static void dial(struct world *s)
{
	struct thing *t = thing_new(s, RESOLVES);

	t->nth = (uint64_t)s->day->dialled++;
	t->score_permille = 1000;
	list_put(&s->ringing, t);
	heap_set(&s->heap, &t->due, s->now_ms + draw_call(s, t));
	if ((int64_t)s->ringing.n > s->day->lines_max)
		s->day->lines_max = (int64_t)s->ringing.n;
}

static void hang_up_oldest(struct world *s)
{
	struct thing *t = s->ringing.n ? s->ringing.v[0] : NULL;

	if (!t || s->now_ms - t->since_ms < PACE_RING_MIN_MS)
		return;
	tell(s, PACE_ENDED, s->now_ms - t->since_ms, t->score_permille);
	list_take(&s->ringing, t);
	heap_del(&s->heap, &t->due);
	thing_free(s, t);
	s->day->resolved++;
	s->day->hung_up++;
}

static void ages(const struct world *s, const struct list_of *l, int32_t *ret)
{
	for (size_t i = 0; i < l->n; i++)
		ret[i] = (int32_t)(s->now_ms - l->v[i]->since_ms);
}

static void look(struct world *s, struct pace_now *now)
{
	if (s->ringing.n > s->ring_cap) {
		s->ring_cap = 2 * s->ringing.n;
		s->ring = xrealloc(s->ring, s->ring_cap * sizeof(*s->ring));
	}
	for (size_t i = 0; i < s->ringing.n; i++)
		s->ring[i] = (struct pace_ring){(int32_t)(s->now_ms - s->ringing.v[i]->since_ms), s->ringing.v[i]->score_permille};
	ages(s, &s->talking, s->talk_ms);
	ages(s, &s->wrapping, s->wrap_ms);
	*now = (struct pace_now){.at_ms = s->now_ms, .idle = s->idle, .held = (int32_t)s->held.n, .talk_ms = s->talk_ms, .talk_n = s->talking.n,
				 .wrap_ms = s->wrap_ms, .wrap_n = s->wrapping.n, .ring = s->ring, .ring_n = s->ringing.n};
}

static void ask(struct world *s, bool may_hang_up)
{
	int32_t launch = 0, hangup = 0;
	struct pace_now now;

	look(s, &now);
	s->pacer->step(s->pacer, &now, s->day, &launch, &hangup);
	assert(launch >= 0 && hangup >= 0);
	for (int32_t i = 0; may_hang_up && i < hangup; i++)
		hang_up_oldest(s);
	if (s->w->calls_max && launch > s->w->calls_max - s->day->dialled)
		launch = (int32_t)(s->w->calls_max - s->day->dialled);
	for (int32_t i = 0; i < launch; i++)
		dial(s);
	s->day->checksum = (s->day->checksum ^ (uint64_t)(launch + 1000 * hangup)) * 0x100000001b3u;
}

static void run_until(struct world *s, int64_t until)
{
	struct heap_entry *e;

	while ((e = heap_min(&s->heap)) && e->key <= until) {
		s->now_ms = e->key;
		heap_del(&s->heap, e);
		happen(s, (struct thing *)((char *)e - offsetof(struct thing, due)));
		if (s->pacer->at_events && s->now_ms < s->w->day_ms)
			ask(s, false);
	}
	s->now_ms = until;
}

static void check(const struct world *s)
{
	assert(s->idle >= 0 && (s->idle == 0 || s->held.n == 0)); /* nobody waits while somebody is free */
	assert((int64_t)s->idle + (int64_t)s->talking.n + (int64_t)s->wrapping.n <= s->w->agents); /* the others pause */
	assert(s->day->dialled == s->day->resolved + (int64_t)s->ringing.n);
	assert(s->day->answered >= s->day->abandoned + (int64_t)s->held.n);
}

static void world_init(struct world *s, const struct pacing_world *w, struct pacer *p, struct pacing_day *day)
{
	struct rng r;

	*s = (struct world){.w = w, .pacer = p, .day = day, .idle = w->agents};
	s->talk_ms = xcalloc((size_t)w->agents, sizeof(*s->talk_ms));
	s->wrap_ms = xcalloc((size_t)w->agents, sizeof(*s->wrap_ms));
	s->part_calls = w->part_calls > 0 ? w->part_calls : 3600 / (w->talk_s + w->wrap_s) * w->agents / w->share;
	r = stream(s, OF_DAY, 0);
	s->phase = rng_unit(&r);
	*day = (struct pacing_day){.checksum = 0xcbf29ce484222325u, .staffed_ms = (int64_t)w->agents * w->day_ms};
}

static void list_done(struct list_of *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

static void world_done(struct world *s)
{
	struct thing *t;

	heap_done(&s->heap);
	list_done(&s->ringing);
	list_done(&s->held);
	list_done(&s->talking);
	list_done(&s->wrapping);
	while ((t = s->spare)) {
		s->spare = t->next;
		free(t);
	}
	free(s->talk_ms);
	free(s->wrap_ms);
	free(s->ring);
}

void pacing_run(const struct pacing_world *w, struct pacer *p, struct pacing_day *ret)
{
	struct world s;

	world_init(&s, w, p, ret);
	for (int64_t t = 0; t < w->day_ms; t += 1000) {
		run_until(&s, t);
		ask(&s, true);
		check(&s);
	}
	while (heap_min(&s.heap)) /* all who answer, and all talks, to their end */
		run_until(&s, heap_min(&s.heap)->key);
	check(&s);
	assert(s.idle == w->agents && !s.ringing.n && !s.held.n);
	world_done(&s);
}
