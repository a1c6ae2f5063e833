/*
 * Shares and times are assumptions of the size that tele-sales floors tell: one number in seven does not exist or is not in service, three
 * calls in four are not answered, nobody answers at night.
 */
#include "sim/city.h"

#include "base/base.h"
#include "sim/draw.h"


#define NAME(id, name) [id] = name,
const char *city_does_name(enum city_does d)
{
	static const char *const names[] = {CITY_DOES(NAME)};

	return names[d];
}
#undef NAME

double city_hour(int hour)
{
	static const double by_hour[24] = {[7] = 0.3, [8] = 0.7, 0.9, 1.1, 1.1, 0.85, 0.75, 0.9, 1.0, 1.1, 1.15, 1.2, 1.1, 0.85, [21] = 0.5, [22] = 0.2};

	return hour >= 0 && hour < 24 ? by_hour[hour] : 0;
}

/* The number's own nature: draws that are the same each time it is dialled. */
static void nature_init(struct rng *r, const struct city_conf *c, const char *number)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (const char *p = number; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	rng_init(r, h ^ (c->seed * 0x9e3779b97f4a7c15u));
}

static int32_t ms_between(struct rng *r, double from_s, double to_s)
{
	return (int32_t)(1000 * (from_s + (to_s - from_s) * rng_unit(r)));
}

static int32_t capped(int64_t ms, int32_t max)
{
	return ms < max ? (int32_t)ms : max;
}

void city_call(struct city_call *ret, const struct city_conf *c, const char *number, int hour, struct rng *r)
{
	static const int codes[CITY_DOES_COUNT] = {[CITY_NO_ANSWER] = 480, [CITY_REJECTS] = 603, [CITY_BUSY] = 486, [CITY_OFF] = 480,
						   [CITY_UNREACHABLE] = 480, [CITY_SUSPENDED] = 480, [CITY_EMPTY] = 404, [CITY_CONGESTED] = 503};
	struct rng own;
	double kind, ready;
	bool tune, machine, says;

	nature_init(&own, c, number);
	kind = rng_unit(&own);
	ready = 0.4 + 1.2 * rng_unit(&own);
	tune = draw_chance(&own, 0.3);
	machine = draw_chance(&own, 0.12);
	says = draw_chance(&own, 0.7); /* its carrier announces instead of telling by code */

	*ret = (struct city_call){.ring_ms = ms_between(r, 2, 4)};
	if (draw_chance(r, 0.002))
		ret->does = CITY_CONGESTED;
	else if (kind < 0.08)
		ret->does = CITY_EMPTY;
	else if (kind < 0.12)
		ret->does = CITY_SUSPENDED;
	else if (kind < 0.18 && draw_chance(r, 0.7))
		ret->does = CITY_OFF;
	else if (draw_chance(r, 0.02))
		ret->does = CITY_UNREACHABLE;
	else if (draw_chance(r, 0.06))
		ret->does = CITY_BUSY;
	else if (draw_chance(r, c->answer * city_hour(hour) * ready))
		ret->does = CITY_ANSWERS;
	else if (draw_chance(r, 0.15))
		ret->does = CITY_REJECTS;
	else
		ret->does = machine ? CITY_ASSISTANT : CITY_NO_ANSWER;

	ret->code = codes[ret->does];
	switch (ret->does) {
	case CITY_ANSWERS:
		ret->ring_ms += capped(draw_lognormal_ms(r, 9.5, 0.6), 28000);
		ret->at_once = draw_chance(r, 0.08);
		ret->deaf = draw_chance(r, 0.005);
		ret->talk_ms = ret->at_once ? ms_between(r, 0.4, 3) : capped(3000 + draw_lognormal_ms(r, c->talk_s, 1.2), 1800000);
		ret->tune = tune;
		break;
	case CITY_ASSISTANT:
		ret->ring_ms += ms_between(r, 15, 20);
		ret->talk_ms = ms_between(r, 12, 25);
		ret->tune = tune;
		break;
	case CITY_NO_ANSWER:
		ret->ring_ms += ms_between(r, 28, 45);
		ret->tune = tune;
		ret->announced = says && !tune;
		break;
	case CITY_REJECTS:
		ret->ring_ms += ms_between(r, 2, 20);
		ret->tune = tune;
		if (draw_chance(r, 0.5))
			ret->code = 486;
		break;
	case CITY_CONGESTED:
		break;
	default:
		ret->announced = says;
		if (says)
			ret->code = 480;
	}
}
