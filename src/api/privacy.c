/*
 * Customers' numbers are for who has the right to them. Every way out of the server asks here, or is the resource engine, which masks by
 * its declarations; the switch gives telephones an alias (switch/sw_call.c). Here, too: one number shown for a reason.
 */
#include "api/api_int.h"

#include "people/privacy.h"

#define REASON_MAX 500

const char *privacy_number(struct ask *k, const char *number)
{
	char *masked;

	if (!number || !*number || !privacy_masked(k))
		return number;
	masked = res_mask(number);
	number = arena_strdup(k->arena, masked);
	free(masked);
	return number;
}

const char *privacy_words(struct ask *k, const char *words)
{
	char *masked;

	if (!words || !*words || !privacy_masked(k))
		return words;
	masked = res_mask_words(words);
	words = arena_strdup(k->arena, masked);
	free(masked);
	return words;
}

const char *privacy_json(struct ask *k, const char *text)
{
	json_t *v = privacy_masked(k) ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL, *masked;
	char *out;

	if (!v)
		return privacy_masked(k) ? "null" : text;
	masked = res_mask_json(v);
	out = json_dumps(masked, JSON_COMPACT | JSON_ENCODE_ANY);
	text = arena_strdup(k->arena, out);
	free(out);
	json_decref(masked);
	json_decref(v);
	return text;
}

json_t *privacy_answer(struct ask *k, json_t *take)
{
	json_t *masked = privacy_masked(k) ? res_mask_json(take) : NULL;

	if (masked)
		json_decref(take);
	return masked ? masked : take;
}

/* ---- looking for numbers ---- */

bool privacy_has_digits(const char *q)
{
	unsigned n = 0;

	for (; *q; q++)
		n += *q >= '0' && *q <= '9';
	return n > 0;
}

bool privacy_search(struct ask *k, const char *q)
{
	const char *key = arena_printf(k->arena, "%lld", (long long)k->who.user_id);
	int64_t wait_ms = limiter_wait_ms(k->api->number_searches, key, clock_mono_ms());

	if (!wait_ms) {
		limiter_note(k->api->number_searches, key, clock_mono_ms());
		return true;
	}
	log_warn("searches for numbers refused user=%lld", (long long)k->who.user_id);
	http_set_header(k->rq, "Retry-After", arena_printf(k->arena, "%lld", (long long)(wait_ms + 999) / 1000));
	api_refuse(k, "slow_down", NULL, NULL);
	return false;
}

/* A condition on a masked field: the engine lets only whole values through. */
static bool asks_masked(const struct res_def *d, const json_t *filters)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)filters, key, v)
		for (size_t i = 0; i < d->field_n; i++) {
			size_t n = strlen(d->fields[i].name);

			if ((d->fields[i].flags & RES_MASKED) && !strncmp(key, d->fields[i].name, n) && (!key[n] || key[n] == '.'))
				return true;
		}
	return false;
}

bool privacy_list(struct ask *k, const struct res_def *d, const char *q, const json_t *filters)
{
	bool finds = d->find_kind && q && privacy_has_digits(q);

	return !privacy_masked(k) || !(finds || asks_masked(d, filters)) || privacy_search(k, q);
}

/* ---- one number, for a reason ---- */

struct job {
	struct res_ctx c;
	int64_t id;
	const char *reason;
	json_t *out;
};

static int reveal_job(struct db *db, void *arg)
{
	struct job *j = arg;

	j->c.db = db;
	return people_phone_reveal(&j->out, &j->c, j->id, j->reason);
}

void phones_reveal(struct ask *k)
{
	struct res_error e = {0};
	struct job j = {.c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms}};
	json_t *bad = NULL;
	int r;

	if (!api_path_id(k, &j.id))
		return;
	j.reason = api_text(k, "reason", REASON_MAX, true, &bad);
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!k->who.user_id && privacy_masked(k)) { /* a program's day is not counted */
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, reveal_job, &j);
	if (r)
		api_refuse_res(k, r, "reveal", &e);
	else
		api_ok(k, 200, j.out);
}
