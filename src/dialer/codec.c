/* A pacer's whole state as JSON and back. Numbers have 17 digits, so that they read back to the same bits; empty bins at the end
 * are left out. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/base.h"
#include "dialer/core.h"

#define COUNT_MAX (1LL << 52)
#define VALUE_MAX 1e15

static void put_bins(struct jw *w, const char *key, const double *v, int n)
{
	while (n > 0 && v[n - 1] == 0)
		n--;
	jw_arr(w, key);
	for (int i = 0; i < n; i++)
		jw_num(w, NULL, v[i]);
	jw_end_arr(w);
}

void pace_snap_encode(const struct pace *p, struct strb *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_int(&w, "limit_permille", p->conf.limit_permille);
	jw_int(&w, "wait_ms", p->conf.wait_ms);
	jw_int(&w, "from_ms", p->conf.from_ms);
	jw_int(&w, "to_ms", p->conf.to_ms);
	jw_int(&w, "account_ms", p->from_ms);
	jw_int(&w, "answered", p->answered);
	jw_int(&w, "abandoned", p->abandoned);
	jw_int(&w, "first_ms", p->first_ms);
	jw_num(&w, "ln_price", p->ln_price);
	jw_num(&w, "answers", p->answers);
	jw_num(&w, "scores", p->scores);
	put_bins(&w, "answer", p->answer.bin, RING_BINS);
	put_bins(&w, "fail", p->fail.bin, RING_BINS);
	put_bins(&w, "wrap", p->wrap.bin, WRAP_BINS);
	put_bins(&w, "talk_end", p->talk_end, TALK_BINS);
	put_bins(&w, "talk_s", p->talk_s, TALK_BINS);
	jw_end_obj(&w);
}

/* ---- reading: the first value that is not as it should be sets `bad` ---- */

static int64_t get_int(bool *bad, const json_t *o, const char *key, int64_t min, int64_t max)
{
	const json_t *v = json_object_get(o, key);
	int64_t i = json_integer_value(v);

	if (!json_is_integer(v) || i < min || i > max)
		*bad = true;
	return i;
}

static double as_num(bool *bad, const json_t *v, double min, double max)
{
	double d = json_number_value(v);

	if (!json_is_number(v) || !(d >= min && d <= max))
		*bad = true;
	return d;
}

static void get_bins(bool *bad, const json_t *o, const char *key, double *ret, size_t n)
{
	const json_t *v = json_object_get(o, key);
	size_t len = json_array_size(v);

	if (!json_is_array(v) || len > n) {
		*bad = true;
		return;
	}
	memset(ret, 0, n * sizeof(*ret));
	for (size_t i = 0; i < len; i++)
		ret[i] = as_num(bad, json_array_get(v, i), 0, VALUE_MAX);
}

static void decode(bool *bad, struct pace *p, const json_t *o)
{
	p->conf.limit_permille = (int32_t)get_int(bad, o, "limit_permille", 0, INT32_MAX);
	p->conf.wait_ms = (int32_t)get_int(bad, o, "wait_ms", 0, INT32_MAX);
	p->conf.from_ms = get_int(bad, o, "from_ms", -COUNT_MAX, COUNT_MAX);
	p->conf.to_ms = get_int(bad, o, "to_ms", -COUNT_MAX, COUNT_MAX);
	p->from_ms = get_int(bad, o, "account_ms", p->conf.from_ms, COUNT_MAX);
	p->answered = get_int(bad, o, "answered", 0, COUNT_MAX);
	p->abandoned = get_int(bad, o, "abandoned", 0, COUNT_MAX);
	p->first_ms = get_int(bad, o, "first_ms", -COUNT_MAX, COUNT_MAX);
	p->ln_price = as_num(bad, json_object_get(o, "ln_price"), LN_PRICE_MIN, LN_PRICE_MAX);
	p->answers = as_num(bad, json_object_get(o, "answers"), 0, VALUE_MAX);
	p->scores = as_num(bad, json_object_get(o, "scores"), 1e-3, VALUE_MAX);
	get_bins(bad, o, "answer", p->answer.bin, RING_BINS);
	get_bins(bad, o, "fail", p->fail.bin, RING_BINS);
	get_bins(bad, o, "wrap", p->wrap.bin, WRAP_BINS);
	get_bins(bad, o, "talk_end", p->talk_end, TALK_BINS);
	get_bins(bad, o, "talk_s", p->talk_s, TALK_BINS);
}

int pace_snap_restore(struct pace *p, const char *body, size_t len)
{
	json_t *o = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	struct pace q = *p;
	bool bad = !json_is_object(o);

	if (!bad)
		decode(&bad, &q, o);
	json_decref(o);
	if (bad || !pace_conf_ok(&q.conf))
		return -EINVAL;
	pace_learn_sum(&q);
	*p = q;
	return 0;
}
