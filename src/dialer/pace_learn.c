/*
 * What the pacing core learns from the campaign's own calls, and the budget.
 *
 * The price's logarithm moves by GAIN x (share - [abandoned]) with each answered call and stays in [LN_PRICE_MIN, LN_PRICE_MAX].
 * Summed over T answers: |abandoned / T - share| <= (LN_PRICE_MAX - LN_PRICE_MIN) / (GAIN x T), but for what the bounds cut off. No
 * model enters: a guarantee that holds however wrong the forecasts are. The share aimed at is a fifteenth below the limit.
 */
#include <assert.h>
#include <errno.h>

#include "base/base.h"
#include "dialer/core.h"

#define GAIN 0.12
#define AIM (14.0 / 15)            /* of the limit: 2.8 % for 3 % */
#define LN_PRICE_START -3.5065578973199818 /* ln 0.03 */
#define CALLS_MEMORY 150.0         /* resolved calls */
#define CALLS_PRIOR 40.0
#define SHARE_PRIOR 0.25
#define TIMES_MEMORY 400.0         /* answers, failures, wrap-ups */
#define TALKS_MEMORY 600.0
#define TALK_PRIOR_S 120.0         /* mean; as if three talks had been seen */
#define TALK_PRIOR_N 3.0

double pace_answer_share(const struct pace *p)
{
	return p->answers / p->scores;
}

/* Ages from three quarters to five quarters are looked at together, and the overall rate stands in for what was not seen. */
static void learn_hazard(struct pace *p)
{
	double ends[TALK_BINS + 1] = {0}, seconds[TALK_BINS + 1] = {0}, rate;

	for (int i = 0; i < TALK_BINS; i++) {
		ends[i + 1] = ends[i] + p->talk_end[i];
		seconds[i + 1] = seconds[i] + p->talk_s[i];
	}
	rate = (ends[TALK_BINS] + TALK_PRIOR_N) / (seconds[TALK_BINS] + TALK_PRIOR_N * TALK_PRIOR_S);
	for (int i = 0; i < TALK_BINS; i++) {
		int half = 1 + i / 4, lo = i - half < 0 ? 0 : i - half, hi = i + half >= TALK_BINS ? TALK_BINS : i + half + 1;

		p->hazard[i] = (ends[hi] - ends[lo] + TALK_PRIOR_N) / (seconds[hi] - seconds[lo] + TALK_PRIOR_N / rate);
	}
}

static void learn_init(struct pace *p)
{
	p->ln_price = LN_PRICE_START;
	p->scores = CALLS_PRIOR;
	p->answers = CALLS_PRIOR * SHARE_PRIOR;
	hist_init(&p->answer, RING_BINS, TIMES_MEMORY);
	hist_fill(&p->answer, 4, 24, 20);
	hist_init(&p->fail, RING_BINS, TIMES_MEMORY);
	hist_fill(&p->fail, 2, 36, 20);
	hist_init(&p->wrap, WRAP_BINS, TIMES_MEMORY);
	hist_fill(&p->wrap, 0, 40, 10);
	learn_hazard(p);
}

void pace_learn_sum(struct pace *p)
{
	hist_sum(&p->answer);
	hist_sum(&p->fail);
	hist_sum(&p->wrap);
	learn_hazard(p);
}

static void learn_talk(struct pace *p, double s)
{
	const double keep = 1 - 1 / TALKS_MEMORY;
	int last = s < 0 ? 0 : s >= (TALK_BINS - 1) * TALK_BIN_S ? TALK_BINS - 1 : (int)(s / TALK_BIN_S);

	for (int i = 0; i < TALK_BINS; i++) {
		p->talk_end[i] *= keep;
		p->talk_s[i] *= keep;
	}
	for (int i = 0; i < last; i++)
		p->talk_s[i] += TALK_BIN_S;
	p->talk_s[last] += s > last * TALK_BIN_S ? s - last * TALK_BIN_S : 0;
	p->talk_end[last] += 1;
	learn_hazard(p);
}

static void learn_call(struct pace *p, const struct pace_event *ev, bool answered)
{
	const double keep = 1 - 1 / CALLS_MEMORY;

	p->answers = p->answers * keep + answered;
	p->scores = p->scores * keep + (ev->score_permille > 0 ? ev->score_permille / 1000.0 : 1);
	hist_add(answered ? &p->answer : &p->fail, ev->ms / 1000.0);
}

static void move_price(struct pace *p, double by)
{
	p->ln_price += GAIN * by;
	if (p->ln_price < LN_PRICE_MIN)
		p->ln_price = LN_PRICE_MIN;
	if (p->ln_price > LN_PRICE_MAX)
		p->ln_price = LN_PRICE_MAX;
}

int64_t pace_window_at(const struct pace *p, int64_t at_ms)
{
	int64_t len = p->conf.to_ms - p->conf.from_ms;

	if (len <= 0 || at_ms < p->conf.to_ms)
		return p->conf.from_ms;
	return p->conf.from_ms + (at_ms - p->conf.from_ms) / len * len;
}

/* A new window begins with an empty account; the price stays, it is what the work costs here. */
static void account_at(struct pace *p, int64_t at_ms)
{
	int64_t from = pace_window_at(p, at_ms);

	if (from <= p->from_ms)
		return;
	p->from_ms = from;
	p->answered = p->abandoned = 0;
}

void pace_event(struct pace *p, const struct pace_event *ev)
{
	account_at(p, ev->at_ms);
	switch (ev->kind) {
	case PACE_ANSWERED:
		learn_call(p, ev, true);
		p->answered++;
		move_price(p, AIM * p->conf.limit_permille / 1000);
		break;
	case PACE_FAILED:
		learn_call(p, ev, false);
		break;
	case PACE_ABANDONED:
		p->abandoned++;
		move_price(p, -1);
		break;
	case PACE_TALK_END:
		learn_talk(p, ev->ms / 1000.0);
		break;
	case PACE_WRAP_END:
		hist_add(&p->wrap, ev->ms / 1000.0);
		break;
	case PACE_EVENT_COUNT:
		assert(!"no such event");
	}
}

void pace_account(const struct pace *p, int64_t at_ms, struct pace_account *ret)
{
	int64_t from = pace_window_at(p, at_ms);
	bool same = from <= p->from_ms;

	*ret = (struct pace_account){.from_ms = same ? p->from_ms : from, .answered = same ? p->answered : 0, .abandoned = same ? p->abandoned : 0};
	ret->to_ms = ret->from_ms + (p->conf.to_ms - p->conf.from_ms);
}

bool pace_conf_ok(const struct pace_conf *c)
{
	return c->limit_permille >= 0 && c->limit_permille <= 1000 && c->wait_ms >= 0 && c->wait_ms <= 60000 && c->to_ms >= c->from_ms;
}

int pace_configure(struct pace *p, const struct pace_conf *conf)
{
	if (!pace_conf_ok(conf))
		return -EINVAL;
	if (conf->from_ms != p->conf.from_ms) {
		p->from_ms = conf->from_ms;
		p->answered = p->abandoned = 0;
	}
	p->conf = *conf;
	return 0;
}

int pace_new(struct pace **ret, const struct pace_conf *conf)
{
	struct pace *p = obj_new(sizeof(*p), NULL);
	int r;

	if (!p)
		return -ENOMEM;
	learn_init(p);
	r = pace_configure(p, conf);
	if (r)
		p = obj_unref(p);
	else
		*ret = p;
	return r;
}

void pace_free(struct pace *p)
{
	obj_unref(p);
}
