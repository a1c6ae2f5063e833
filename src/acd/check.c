#include "acd/check.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int64_t id_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? strtoll(s, NULL, 10) : 0;
}

static int64_t int_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* All numbers and ids below @v. */
static uint64_t total(json_t *v)
{
	uint64_t sum = json_is_integer(v) ? (uint64_t)json_integer_value(v) : 0;
	const char *s = json_string_value(v), *key;
	json_t *child;
	size_t i;

	if (s)
		sum = (uint64_t)strtoll(s, NULL, 10); /* a word counts nothing */
	json_array_foreach(v, i, child)
		sum += total(child);
	json_object_foreach(v, key, child)
		sum += total(child);
	return sum;
}

/* a must come before b: by the first number that differs; more of it is better, save for the level and the ids. */
static int in_order(const json_t *a, const json_t *b, int agents)
{
	const char *first = agents ? "level" : "priority", *then = agents ? "idle_ms" : "waited_ms";
	int64_t d = int_of(a, first) - int_of(b, first);

	if (d)
		return agents ? d < 0 : d > 0;
	d = int_of(a, then) - int_of(b, then);
	if (d)
		return d > 0;
	return id_of(a, agents ? "agent" : "call") < id_of(b, agents ? "agent" : "call");
}

/* The owner is no candidate among others. */
static const char *judge_owner(json_t *o, const json_t *why, int64_t agent_id)
{
	if (id_of(why, "winner") != agent_id || id_of(why, "owner") != agent_id)
		return "the winner is not the owner";
	if (int_of(why, "first_ms") <= 0 || int_of(o, "ring_ms") != int_of(why, "first_ms"))
		return "the owner has not the queue's seconds";
	if (int_of(why, "waited_ms") < 0)
		return "the call waited for less than nothing";
	return NULL;
}

static const char *judge(json_t *o, int64_t call_id, int64_t agent_id, int64_t queue_id)
{
	json_t *why = json_object_get(o, "why"), *best = json_object_get(why, "best"), *first = json_array_get(best, 0);
	const char *side = json_string_value(json_object_get(why, "side"));
	int team = side && !strcmp(side, "team"), asked = side && !strcmp(side, "asked");
	int agents = team || asked || (side && (!strcmp(side, "agents") || !strcmp(side, "reserve")));
	const char *key = agents ? "agent" : "call";
	int64_t free_n = team ? int_of(why, "team_ready") : agents ? int_of(json_object_get(why, "members"), "ready") : int_of(why, "waiting");
	size_t n = json_array_size(best);

	if ((total(o) - (uint64_t)id_of(why, "sum")) % ((uint64_t)1 << 63) != (uint64_t)id_of(why, "sum"))
		return "a number was changed";
	if (side && !strcmp(side, "owner"))
		return judge_owner(o, why, agent_id);
	if (!first || !side || (!agents && strcmp(side, "calls")))
		return "no candidates";
	if (!team)
		free_n -= int_of(why, "refused");
	if (asked && free_n > 0)
		free_n = 1; /* no candidate among others */
	if (free_n < 1 || n != (size_t)(free_n < 5 ? free_n : 5))
		return "the candidates are not as many as were free";
	for (size_t i = 1; i < n; i++)
		if (!in_order(json_array_get(best, i - 1), json_array_get(best, i), agents))
			return "the candidates are not in order";
	if (id_of(why, "winner") != id_of(first, key) || id_of(first, key) != (agents ? agent_id : call_id))
		return "the winner is not the best";
	if (id_of(why, "runner_up") != id_of(json_array_get(best, 1), key))
		return "the runner-up is not the second";
	if (!agents && id_of(first, "queue") != queue_id)
		return "the call waited in another queue";
	return NULL;
}

const char *acd_check(int64_t call_id, int64_t agent_id, int64_t queue_id, const char *body, size_t len)
{
	json_t *o = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	const char *s = o ? judge(o, call_id, agent_id, queue_id) : "not JSON";

	json_decref(o);
	return s;
}
