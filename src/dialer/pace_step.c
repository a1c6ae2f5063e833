/*
 * How many calls now. For horizons s of 4 to 22 s: each ringing call will have answered with q(s), each busy agent will be free, in
 * time for a customer who answers at s, with f(s). Answers less agents, taken as normal with mean m and variance v, use up all who
 * are idle with P(s). v holds how little is known of the share that answers, so that a campaign's first minute is a careful one. The
 * risk of a call dialled now is P where its own answer falls. (The greatest P from there on, its harm to later answers as well, was
 * tried and keeps agents 0.1 to 0.4 points less busy: later calls are held back or ended in time.)
 */
#include <assert.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/detmath.h"
#include "dialer/core.h"

#define HORIZONS 5
#define ABOUT_12_S 2           /* the horizon that `why` quotes */
#define ANSWER_MAX 0.95
#define FREE_MAX 0.9
#define AGED_WEIGHT 2.0        /* observations' worth of "as long again as it has lasted" in a wrap-up's forecast */
#define PRICE_MAX 0.95
#define OVER_COST 0.4          /* the price falls by e^-OVER_COST for each call over the limit */
#define END_NEAR 20.0          /* with less to come than so many calls, what is left is kept for the end */
#define END_KEEP 2.4           /* calls, and END_KEEP_AGENTS x sqrt(agents): those ringing at the end may still be lost */
#define END_KEEP_AGENTS 0.6
#define HANGUP_FACTOR 3
#define HANGUP_ABOVE 0.02

static const double horizon_s[HORIZONS] = {4, 8, 12, 16, 22};
static const double nearest_s[HORIZONS - 1] = {6, 10, 14, 19}; /* where the next horizon is nearer */

const char *pace_verdict_name(enum pace_verdict v)
{
	static const char *const names[] = {"dial", "hold", "lines", "nobody", "progressive"};

	_Static_assert(ARRAY_LEN(names) == PACE_VERDICT_COUNT, "a name each");
	return names[v];
}

struct outlook {
	double answers[HORIZONS], free[HORIZONS], var[HORIZONS];
	double fresh[HORIZONS];  /* q of a call dialled now */
	double weight[HORIZONS]; /* share of its answers nearest to each horizon */
	double unsure;           /* variance of the answering share, relative to its square */
	double idle;             /* less customers who wait already */
};

static double share_of(double p, int32_t score_permille)
{
	double r = p * (score_permille > 0 ? score_permille / 1000.0 : 1);

	return r < ANSWER_MAX ? r : ANSWER_MAX;
}

static void expect_call(struct outlook *o, const struct pace *p, double share, const struct pace_ring *c)
{
	double age = c->age_ms / 1000.0, before = hist_below(&p->answer, age), left, q;
	double r = share_of(share, c->score_permille);

	left = r * (1 - before) + (1 - r) * (1 - hist_below(&p->fail, age));
	if (left < 1e-9)
		return; /* older than anything seen: it will fail any moment */
	for (int i = 0; i < HORIZONS; i++) {
		q = r * (hist_below(&p->answer, age + horizon_s[i]) - before) / left;
		o->answers[i] += q;
		o->var[i] += q * (1 - q);
	}
}

static void expect_free(struct outlook *o, int i, double f)
{
	o->free[i] += f;
	o->var[i] += f * (1 - f);
}

static void expect_wrapup(struct outlook *o, const struct pace *p, double seen, double age)
{
	double before = hist_below(&p->wrap, age), left = (1 - before) * seen;

	for (int i = 0; i < HORIZONS; i++) {
		double s = horizon_s[i] + p->conf.wait_ms / 1000.0, ends = (hist_below(&p->wrap, age + s) - before) * seen;

		expect_free(o, i, (ends + AGED_WEIGHT * s / (s + age)) / (left + AGED_WEIGHT));
	}
}

static void expect_talk(struct outlook *o, const struct pace *p, const double *wrapped, int32_t age_ms)
{
	int bin = age_ms / 1000 / TALK_BIN_S;
	double h = p->hazard[bin < 0 ? 0 : bin < TALK_BINS ? bin : TALK_BINS - 1], f;

	for (int i = 0; i < HORIZONS; i++) {
		f = h * wrapped[i];
		expect_free(o, i, f < FREE_MAX ? f : FREE_MAX);
	}
}

static void look_ahead(struct outlook *o, const struct pace *p, const struct pace_now *now)
{
	double share = pace_answer_share(p), seen = hist_seen(&p->wrap), wrapped[HORIZONS], before = 0;
	double fresh = share_of(share, now->next_permille);

	*o = (struct outlook){.idle = now->idle - now->held, .unsure = (1 - share_of(share, 0)) / (share * p->scores + 1e-9)};
	for (int i = 0; i < HORIZONS; i++) {
		double below = i + 1 < HORIZONS ? hist_below(&p->answer, nearest_s[i]) : 1;

		o->weight[i] = below - before;
		before = below;
		o->fresh[i] = fresh * hist_below(&p->answer, horizon_s[i]);
		wrapped[i] = hist_area(&p->wrap, horizon_s[i] + p->conf.wait_ms / 1000.0);
	}
	for (size_t i = 0; i < now->ring_n; i++)
		expect_call(o, p, share, &now->ring[i]);
	for (size_t i = 0; i < now->wrap_n; i++)
		expect_wrapup(o, p, seen, now->wrap_ms[i] / 1000.0);
	for (size_t i = 0; i < now->talk_n; i++)
		expect_talk(o, p, wrapped, now->talk_ms[i]);
}

/* The risk that one call more, after @more dialled in this step, finds nobody free when it answers. */
static double risk_after(const struct outlook *o, int more)
{
	double risk = 0;

	for (int i = 0; i < HORIZONS; i++) {
		double q = o->fresh[i], answers = o->answers[i] + more * q;
		double var = o->var[i] + more * q * (1 - q) + answers * answers * o->unsure + 1e-6;

		risk += o->weight[i] * dm_phi((answers - o->free[i] + 0.5 - o->idle) / __builtin_sqrt(var));
	}
	return risk;
}

/* ---- the price ---- */

/* How much of the price is left towards the window's end: what may still be lost against what is still earned; 0: nothing. */
static double end_share(const struct budget *b, double agents)
{
	double keep = END_KEEP + END_KEEP_AGENTS * __builtin_sqrt(agents), left = b->slack + b->coming - keep;

	if (b->coming >= END_NEAR || b->slack >= keep)
		return 1;
	return left > 0 ? left / b->coming : 0;
}

static double price_of(const struct pace *p, const struct budget *b, double agents)
{
	double over = b->slack < 0 ? -b->slack : 0, end = end_share(b, agents);
	double price = dm_exp(p->ln_price - OVER_COST * over) / __builtin_sqrt(agents) * end * end;

	return price < PRICE_MAX ? price : PRICE_MAX;
}

/* ---- the decision ---- */

static int32_t thousandths(double v)
{
	return (int32_t)(v * 1000 + (v < 0 ? -0.5 : 0.5));
}

static int32_t old_calls(const struct pace_now *now)
{
	int32_t n = 0;

	for (size_t i = 0; i < now->ring_n; i++)
		n += now->ring[i].age_ms >= PACE_RING_MIN_MS;
	return n;
}

static void dial_for_idle(const struct pace_now *now, int32_t room, struct pace_out *out)
{
	int32_t n = now->idle - now->held - (int32_t)now->ring_n;

	out->launch = n < 0 ? 0 : n < room ? n : room;
	out->hangup = n < 0 && old_calls(now) > 0;
	out->why.verdict = PACE_PROGRESSIVE;
}

static void dial_within(const struct outlook *o, double price, int32_t room, const struct pace_now *now, struct pace_out *out)
{
	double risk = risk_after(o, 0), taken = risk;

	while (risk <= price && out->launch < room) {
		taken = risk;
		risk = risk_after(o, ++out->launch);
	}
	if (out->launch == 0 && risk > HANGUP_FACTOR * price + HANGUP_ABOVE && old_calls(now) > 0)
		out->hangup = 1;
	out->why.verdict = out->launch ? PACE_DIAL : room > 0 ? PACE_HOLD : PACE_LINES;
	out->why.risk_ppm = (int32_t)(1e6 * (out->launch ? taken : risk) + 0.5);
}

void pace_step(const struct pace *p, const struct pace_now *now, struct pace_out *out)
{
	int64_t agents = (int64_t)now->idle + (int64_t)now->talk_n + (int64_t)now->wrap_n, room = PACE_LINES_MAX * agents - (int64_t)now->ring_n;
	struct budget budget;
	struct outlook o;
	double price;

	look_ahead(&o, p, now);
	pace_budget(p, now->at_ms, &budget);
	price = price_of(p, &budget, agents > 0 ? (double)agents : 1);
	*out = (struct pace_out){.why = {.idle = now->idle, .held = now->held, .ringing = (int32_t)now->ring_n,
					 .free_milli = thousandths(o.free[ABOUT_12_S]), .answers_milli = thousandths(o.answers[ABOUT_12_S]),
					 .answer_permille = thousandths(pace_answer_share(p)),
					 .price_ppm = (int32_t)(1e6 * price + 0.5), .slack_milli = thousandths(budget.slack)}};
	if (room < 0)
		room = 0;
	if (p->conf.limit_permille == 0 || price <= 0)
		dial_for_idle(now, (int32_t)room, out);
	else
		dial_within(&o, price, (int32_t)room, now, out);
	if (agents == 0)
		out->why.verdict = PACE_NOBODY;
}

void pace_why_encode(const struct pace_why *w, struct jw *out, const char *key)
{
	jw_obj(out, key);
	jw_str(out, "verdict", pace_verdict_name(w->verdict));
	jw_int(out, "idle", w->idle);
	jw_int(out, "held", w->held);
	jw_int(out, "ringing", w->ringing);
	jw_int(out, "free_milli", w->free_milli);
	jw_int(out, "answers_milli", w->answers_milli);
	jw_int(out, "answer_permille", w->answer_permille);
	jw_int(out, "risk_ppm", w->risk_ppm);
	jw_int(out, "price_ppm", w->price_ppm);
	jw_int(out, "slack_milli", w->slack_milli);
	jw_end_obj(out);
}
