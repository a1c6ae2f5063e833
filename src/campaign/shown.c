#include "campaign/shown.h"

#include <math.h>
#include <string.h>

static bool free_to_show(const struct shown *s)
{
	return !s->rests && (!s->day_max || s->today < s->day_max);
}

static bool of_city(const struct shown *s, const char *city, const char *region)
{
	return *s->city && ((city && strstr(city, s->city)) || (region && strstr(region, s->city)));
}

/* How much of the day's limit is used; without one, each dial counts as of ten thousand. */
static double use(const struct shown *s)
{
	return (double)s->today / (s->day_max ? s->day_max : 10000);
}

int shown_pick(const struct shown *pool, size_t n, int64_t last_id, const char *city, const char *region)
{
	int best = -1, best_class = 0;

	for (size_t i = 0; i < n; i++) {
		const struct shown *s = &pool[i];
		int class = s->id == last_id ? 3 : of_city(s, city, region) ? 2 : 1;

		if (!free_to_show(s) || class < best_class || (class == best_class && use(s) >= use(&pool[best])))
			continue;
		best = (int)i;
		best_class = class;
	}
	return best;
}

struct shown_health shown_health(const struct shown_hour *hours, size_t n)
{
	struct shown_health h = {0};
	double variance = 0;

	for (size_t i = 0; i < n; i++) {
		const struct shown_hour *x = &hours[i];
		int32_t others = x->pool_n - x->n, others_answered = x->pool_answered - x->answered;
		double p;

		if (x->n <= 0 || others <= 0)
			continue; /* alone in that hour: nothing to compare with */
		p = (double)others_answered / others;
		h.compared = true;
		h.n += x->n;
		h.answered += x->answered;
		h.expected += x->n * p;
		/* Both rates are drawn: of the number's own n, and of the others', whose error weighs n times. */
		variance += x->n * p * (1 - p) * (1 + (double)x->n / others);
	}
	h.z = variance > 0 ? (h.answered - h.expected) / sqrt(variance) : 0;
	return h;
}

bool shown_should_rest(const struct shown_health *h, int32_t percent)
{
	return percent > 0 && h->compared && h->n >= SHOWN_REST_DIALS && h->answered < h->expected * (100 - percent) / 100 && h->z < -3;
}
