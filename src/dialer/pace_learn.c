/*
 * What the pacing core learns from the campaign's own calls, and the budget.
 *
 * Budget: the price's logarithm moves by GAIN x limit with each answered call and by -GAIN with each abandoned one: it is the account
 * of all there ever was. Since it stays in [LN_PRICE_MIN, LN_PRICE_MAX], abandoned <= limit x T + (MAX - MIN) / GAIN over T answers
 * whatever the forecasts are worth: a guarantee that needs no model. Around it works a slow correction, REPAY, towards a small
 * reserve in this window's account, so that the price becomes what the limit costs here; while there is less than the reserve it only
 * lowers the price, so that the bound stands.
 */
#include <assert.h>
#include <errno.h>

#include "base/base.h"
#include "dialer/core.h"

#define GAIN 0.12
#define REPAY 0.0003               /* for each call away from the reserve, RESERVE_FAR at most, at each answer */
#define RESERVE_FAR 4.0
#define LN_PRICE_START -1.6094379124341003 /* ln 0.2 */
#define CALLS_MEMORY 600.0         /* resolved calls */
#define CALLS_PRIOR 40.0
#define SHARE_PRIOR 0.4            /* rather too many: dialling too few for half a minute is cheaper than fifty abandoned at once */
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

/* A call of score r had r chances to answer; one that was ended early had as many of them as answers come by then. */
static void learn_call(struct pace *p, const struct pace_event *ev, double chances, double answered)
{
	const double keep = 1 - 1 / CALLS_MEMORY, score = ev->score_permille > 0 ? ev->score_permille / 1000.0 : 1;

	p->answers = p->answers * keep + answered;
	p->scores = p->scores * keep + score * chances;
}

/* ---- the budget ---- */

#define RESERVE_MAX 3.5
#define RESERVE_EARLY 0.3          /* of what was earned so far */
#define RESERVE_LATE 0.5           /* and of what is still to come RESERVE_COMING more */
#define RESERVE_COMING 0.2
#define RATE_CREDIT_N 20           /* answers, as if seen in RATE_CREDIT_MS, in the forecast of those to come */
#define RATE_CREDIT_MS 600000

void pace_budget(const struct pace *p, int64_t at_ms, struct budget *ret)
{
	double limit = p->conf.limit_permille / 1000.0, seen_ms = RATE_CREDIT_MS, left_ms;
	struct pace_account a;

	pace_account(p, at_ms, &a);
	left_ms = a.to_ms > at_ms ? (double)(a.to_ms - at_ms) : 0;
	if (a.answered && at_ms > p->first_ms)
		seen_ms += (double)(at_ms - p->first_ms);
	ret->slack = limit * (double)a.answered - (double)a.abandoned;
	ret->coming = limit * (double)(a.answered + RATE_CREDIT_N) / seen_ms * left_ms;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double reserve(const struct pace *p, const struct budget *b)
{
	double late = least(RESERVE_MAX, RESERVE_LATE + RESERVE_COMING * b->coming);

	return least(late, RESERVE_EARLY * p->conf.limit_permille / 1000.0 * (double)p->answered);
}

static double off_reserve(const struct pace *p, int64_t at_ms)
{
	struct budget b;
	double off;

	pace_budget(p, at_ms, &b);
	off = b.slack - reserve(p, &b);
	return off < -RESERVE_FAR ? -RESERVE_FAR : least(off, RESERVE_FAR);
}

static void move_price(struct pace *p, double by)
{
	p->ln_price += by;
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
		learn_call(p, ev, 1, 1);
		hist_add(&p->answer, ev->ms / 1000.0);
		if (p->answered++ == 0)
			p->first_ms = ev->at_ms;
		move_price(p, GAIN * p->conf.limit_permille / 1000 + REPAY * off_reserve(p, ev->at_ms));
		break;
	case PACE_FAILED:
		learn_call(p, ev, 1, 0);
		hist_add(&p->fail, ev->ms / 1000.0);
		break;
	case PACE_ENDED:
		learn_call(p, ev, hist_below(&p->answer, ev->ms / 1000.0), 0);
		break;
	case PACE_ABANDONED:
		p->abandoned++;
		move_price(p, -GAIN);
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
