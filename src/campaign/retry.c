#include "campaign/retry.h"

#include <assert.h>
#include <string.h>

#define MIN_MS 60000ll
#define WITHOUT_RULE_MIN 1440

static const struct {
	const char *code, *zh, *en;
	bool counts;
} results[] = {
#define X(e, code, zh, en, counts) [e] = {code, zh, en, counts},
	DIAL_RESULTS(X)
#undef X
};

const char *dial_result_name(enum dial_result r)
{
	assert(r < DIAL_RESULT_COUNT);
	return results[r].code;
}

const char *dial_result_text(enum dial_result r, const char *lang)
{
	assert(r < DIAL_RESULT_COUNT);
	return lang && lang[0] == 'e' ? results[r].en : results[r].zh;
}

bool dial_result_counts(enum dial_result r)
{
	assert(r < DIAL_RESULT_COUNT);
	return results[r].counts;
}

enum dial_result dial_result_of(const char *code)
{
	for (int i = 0; code && i < DIAL_RESULT_COUNT; i++)
		if (!strcmp(results[i].code, code))
			return (enum dial_result)i;
	return DIAL_UNKNOWN;
}

const char *const retry_action_names[] = {"again", "next", "close", NULL};

/*
 * Busy is soon over; who does not answer is tried at another time of day; who rejects is asked once more, on another day. Who answered and
 * heard nobody is left alone for three days (Ofcom's rule: 72 hours).
 */
const struct retry_rule retry_defaults[] = {
	{0, DIAL_BUSY, 1, RETRY_AGAIN, 10},
	{0, DIAL_BUSY, 2, RETRY_AGAIN, 30},
	{0, DIAL_BUSY, 4, RETRY_NEXT, 240},
	{0, DIAL_NOANSWER, 1, RETRY_NEXT, 180},
	{0, DIAL_NOANSWER, 3, RETRY_NEXT, 1440},
	{0, DIAL_REJECTED, 1, RETRY_AGAIN, 1440},
	{0, DIAL_REJECTED, 2, RETRY_CLOSE, 0},
	{0, DIAL_EMPTY, 1, RETRY_NEXT, 1440},
	{0, DIAL_SUSPENDED, 1, RETRY_NEXT, 10080},
	{0, DIAL_OFF, 1, RETRY_NEXT, 240},
	{0, DIAL_OFF, 3, RETRY_NEXT, 1440},
	{0, DIAL_UNREACHABLE, 1, RETRY_NEXT, 120},
	{0, DIAL_UNREACHABLE, 3, RETRY_NEXT, 1440},
	{0, DIAL_ASSISTANT, 1, RETRY_AGAIN, 240},
	{0, DIAL_ASSISTANT, 3, RETRY_CLOSE, 0},
	{0, DIAL_FAILED, 1, RETRY_AGAIN, 5},
	{0, DIAL_FAILED, 3, RETRY_AGAIN, 60},
	{0, DIAL_ABANDONED, 1, RETRY_AGAIN, 4320},
	{0, DIAL_UNKNOWN, 1, RETRY_AGAIN, 60},
};
const size_t retry_default_n = sizeof(retry_defaults) / sizeof(retry_defaults[0]);

/* The campaign's own for the result if there is any, else the centre's; of these the one with the highest nth that has been reached. */
static const struct retry_rule *rule_for(const struct retry_rule *rules, size_t n, const struct retry_in *in)
{
	const struct retry_rule *best = NULL;
	bool own = false;

	for (size_t i = 0; i < n; i++)
		own |= in->campaign_id && rules[i].campaign_id == in->campaign_id && rules[i].result == in->result;
	for (size_t i = 0; i < n; i++) {
		const struct retry_rule *x = &rules[i];

		if (x->campaign_id == (own ? in->campaign_id : 0) && x->result == in->result && x->nth <= in->nth && (!best || x->nth > best->nth))
			best = x;
	}
	return best;
}

struct retry retry_after(const struct retry_rule *rules, size_t n, const struct retry_in *in)
{
	static const struct retry_rule without = {.action = RETRY_AGAIN, .wait_min = WITHOUT_RULE_MIN};
	const struct retry_rule *rule = rule_for(rules, n, in);
	struct retry ret = {.phone_at = in->phone_at < in->phones ? in->phone_at : 0};

	if (in->result == DIAL_RETURNED)
		return ret; /* nothing has happened */
	if (in->result == DIAL_ANSWERED || !in->phones || (in->attempts_max && in->nth >= in->attempts_max)) {
		ret.close = true;
		return ret;
	}
	if (!rule)
		rule = &without;
	ret.close = rule->action == RETRY_CLOSE;
	ret.wait_ms = rule->wait_min * MIN_MS;
	if (rule->action != RETRY_NEXT)
		return ret;
	/* A number that has just gone out of use left its place to the next one. */
	ret.phone_at = in->phone_at + (in->result == DIAL_EMPTY || in->result == DIAL_SUSPENDED ? 0 : 1);
	if (ret.phone_at < in->phones)
		ret.wait_ms = in->next_min * MIN_MS;
	else
		ret.phone_at = 0;
	return ret;
}
