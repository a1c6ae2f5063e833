/* See sw_trunk.h. */
#include "switch/sw_trunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/rng.h"
#include "switch/sw.h"

const char *sw_trunk_state_name(enum sw_trunk_state s)
{
	static const char *const names[] = {"unknown", "up", "degraded", "down"};

	_Static_assert(ARRAY_LEN(names) == SW_TRUNK_STATE_COUNT, "every state has a name");
	return names[s];
}

const char *sw_why_name(enum sw_why w)
{
	static const char *const names[] = {"usable", "rate", "suspect", "inbound", "barred", "down", "resting", "full"};

	_Static_assert(ARRAY_LEN(names) == SW_WHY_COUNT, "every reason has a name");
	return names[w];
}

static enum sw_why judge(const struct sw_trunk_now *t, const struct sw_route_ask *ask)
{
	if (!t->conf->outbound)
		return SW_WHY_INBOUND;
	if (t->barred)
		return SW_WHY_BARRED;
	if (t->state == SW_TRUNK_DOWN)
		return SW_WHY_DOWN;
	if (t->resting)
		return SW_WHY_RESTING;
	if (t->conf->calls_max && t->calls >= t->conf->calls_max)
		return SW_WHY_FULL;
	if (t->suspect)
		return SW_WHY_SUSPECT;
	return t->rate ? SW_WHY_RATE : SW_WHY_USABLE;
}

static int32_t weight_of(const struct sw_trunk *t)
{
	return t->weight > 0 ? t->weight : 1;
}

/*
 * The next to try among those judged @why and not yet @taken: of the smallest turn, one drawn by weight (RFC 2782's way).
 * -1: none is left.
 */
static ssize_t draw(const struct sw_route_ask *ask, const enum sw_why *judged, const bool *taken, enum sw_why why, struct rng *rng)
{
	int32_t turn = INT32_MAX;
	uint64_t sum = 0, at;

	for (size_t i = 0; i < ask->trunk_n; i++) {
		const struct sw_trunk *t = ask->trunks[i].conf;

		if (taken[i] || judged[i] != why || t->turn > turn)
			continue;
		if (t->turn < turn)
			sum = 0;
		turn = t->turn;
		sum += (uint64_t)weight_of(t);
	}
	if (!sum)
		return -1;
	at = rng_below(rng, sum);
	for (size_t i = 0; i < ask->trunk_n; i++) {
		const struct sw_trunk *t = ask->trunks[i].conf;

		if (taken[i] || judged[i] != why || t->turn != turn)
			continue;
		if (at < (uint64_t)weight_of(t))
			return (ssize_t)i;
		at -= (uint64_t)weight_of(t);
	}
	return -1;
}

size_t sw_route(struct sw_choice *ret, const struct sw_route_ask *ask)
{
	static const enum sw_why tried[] = {SW_WHY_USABLE, SW_WHY_RATE, SW_WHY_SUSPECT};
	enum sw_why *judged = xcalloc(ask->trunk_n + 1, sizeof(*judged));
	bool *taken = xcalloc(ask->trunk_n + 1, sizeof(*taken));
	size_t n = 0, at;
	struct rng rng;
	ssize_t i;

	rng_init(&rng, ask->seed);
	for (size_t k = 0; k < ask->trunk_n; k++)
		judged[k] = judge(&ask->trunks[k], ask);
	for (size_t w = 0; w < ARRAY_LEN(tried); w++)
		while ((i = draw(ask, judged, taken, tried[w], &rng)) >= 0) {
			taken[i] = true;
			ret[n++] = (struct sw_choice){ask->trunks[i].conf->id, tried[w]};
		}
	at = n;
	for (size_t k = 0; k < ask->trunk_n; k++)
		if (!taken[k])
			ret[at++] = (struct sw_choice){ask->trunks[k].conf->id, judged[k]};
	free(judged);
	free(taken);
	return n;
}

enum sw_why sw_route_why(const struct sw_choice *choices, size_t n)
{
	/* A trunk that is only full may have room in a moment; a number that every trunk bars will never do. */
	static const enum sw_why order[] = {SW_WHY_FULL, SW_WHY_RATE, SW_WHY_RESTING, SW_WHY_DOWN, SW_WHY_BARRED};

	for (size_t w = 0; w < ARRAY_LEN(order); w++)
		for (size_t i = 0; i < n; i++)
			if (choices[i].why == order[w])
				return order[w];
	return SW_WHY_INBOUND;
}

bool sw_trunk_failed(const struct sw_attempt *a)
{
	/* Not the callee's word, but the carrier's about us: password, payment, permission, the way, the proxy's log-in. */
	static const int ours[] = {401, 402, 403, 407, 430};

	if (a->heard)
		return false;
	if (a->silent)
		return true;
	if (a->code == 408)
		return !a->rang;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (a->code == ours[i])
			return true;
	return a->code >= 500 && a->code < 600;
}
