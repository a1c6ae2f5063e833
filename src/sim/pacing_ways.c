/* Ways of pacing: ours, and two that others use. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "sim/pacing.h"

static void deaf(struct pacer *p, const struct pace_event *ev)
{
}

static void just_free(struct pacer *p)
{
	free(p);
}

/* ---- ours ---- */

struct ours {
	struct pacer way;
	struct pace *pace;
	struct pace_conf conf;
	bool restarts; /* each hour */
};

static void ours_event(struct pacer *p, const struct pace_event *ev)
{
	pace_event(((struct ours *)p)->pace, ev);
}

/* Ends the core and goes on with another from its snapshot. */
static void restart(struct ours *o)
{
	struct pace *next;
	struct strb b;

	strb_init(&b, 1 << 20);
	pace_snap_encode(o->pace, &b);
	if (pace_new(&next, &o->conf) || pace_snap_restore(next, b.buf, b.len))
		abort();
	pace_free(o->pace);
	o->pace = next;
	strb_done(&b);
}

static void ours_step(struct pacer *p, const struct pace_now *now, const struct pacing_day *so_far, int32_t *launch, int32_t *hangup)
{
	struct ours *o = (struct ours *)p;
	struct pace_out out;

	if (o->restarts && now->at_ms % 3600000 == 0)
		restart(o);
	pace_step(o->pace, now, &out);
	*launch = out.launch;
	*hangup = out.hangup;
}

static void ours_done(struct pacer *p)
{
	pace_free(((struct ours *)p)->pace);
	free(p);
}

struct pacer *pacer_ours(const struct pacing_world *w, const char *arg)
{
	struct ours *o = xcalloc(1, sizeof(*o));

	o->way = (struct pacer){ours_event, ours_step, ours_done, true};
	o->conf = (struct pace_conf){.limit_permille = w->limit_permille, .wait_ms = w->wait_ms, .to_ms = w->day_ms};
	o->restarts = arg && !strcmp(arg, "restarts");
	if (pace_new(&o->pace, &o->conf))
		abort();
	return &o->way;
}

/* ---- progressive: a call for each agent who is free ---- */

static void progressive_step(struct pacer *p, const struct pace_now *now, const struct pacing_day *so_far, int32_t *launch, int32_t *hangup)
{
	int32_t n = now->idle - now->held - (int32_t)now->ring_n;

	*launch = n > 0 ? n : 0;
}

struct pacer *pacer_progressive(const struct pacing_world *w, const char *arg)
{
	struct pacer *p = xcalloc(1, sizeof(*p));

	*p = (struct pacer){deaf, progressive_step, just_free, true};
	return p;
}

/*
 * ---- a dial level, in the manner of VICIdial's adaptive methods ----
 *
 * round(level x agents) lines are up, talks included. Every 15 s the level goes up by a step while agents idle and down while none
 * does; the day's abandoned share above the limit makes it 1 until it is below again. Not that program's code: its documented
 * behaviour, with the settings of somebody who knows it: a limit set below the true one and small steps.
 */
#define LEVEL_EVERY_MS 15000
#define LEVEL_STEP 0.05
#define LEVEL_MAX 8
#define LEVEL_MARGIN 0.93

struct level {
	struct pacer way;
	double level, limit, idle_sum;
	int64_t next_ms;
	int steps;
};

static void adapt(struct level *l, const struct pacing_day *so_far)
{
	double idle = l->steps ? l->idle_sum / l->steps : 0;

	if (pacing_abandoned_share(so_far) > l->limit && so_far->abandoned > 1)
		l->level = 1;
	else if (idle > 0.5)
		l->level += LEVEL_STEP;
	else
		l->level -= LEVEL_STEP;
	l->level = l->level < 1 ? 1 : l->level > LEVEL_MAX ? LEVEL_MAX : l->level;
	l->idle_sum = l->steps = 0;
}

static void level_step(struct pacer *p, const struct pace_now *now, const struct pacing_day *so_far, int32_t *launch, int32_t *hangup)
{
	struct level *l = (struct level *)p;
	int32_t agents = now->idle + (int32_t)now->talk_n + (int32_t)now->wrap_n, lines = (int32_t)(now->talk_n + now->ring_n) + now->held;

	l->idle_sum += now->idle;
	l->steps++;
	if (now->at_ms >= l->next_ms) {
		adapt(l, so_far);
		l->next_ms = now->at_ms + LEVEL_EVERY_MS;
	}
	*launch = (int32_t)(l->level * agents + 0.5) - lines;
	if (*launch < 0)
		*launch = 0;
}

struct pacer *pacer_level(const struct pacing_world *w, const char *arg)
{
	struct level *l = xcalloc(1, sizeof(*l));

	*l = (struct level){.way = {deaf, level_step, just_free}, .level = 1, .limit = LEVEL_MARGIN * w->limit_permille / 1000};
	return &l->way;
}
