/* The trunks' state and the alarms, folded and shown. Everything here with the live view's lock held, but for the two handlers. */
#include "api/live.h"

#define PAST_MAX 100 /* alarms that are over and still told */

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int64_t id_of(const json_t *o, const char *key)
{
	return strtoll(text(o, key), NULL, 10);
}

/* ---- the fold ---- */

struct live_trunk *lines_trunk(struct live *l, int64_t id)
{
	struct live_trunk *t = hmap_get(&l->trunks_by_id, (uint64_t)id);

	if (t || !id)
		return t;
	t = xcalloc(1, sizeof(*t));
	t->id = id;
	t->configured = true;
	(void)str_copy(t->state, sizeof(t->state), "unknown");
	(void)str_copy(t->registration, sizeof(t->registration), "off");
	ilist_push_back(&l->trunks, &t->link);
	(void)hmap_set(&l->trunks_by_id, (uint64_t)id, t);
	return t;
}

void lines_fold_state(struct live *l, int64_t at_ms, const json_t *b)
{
	struct live_trunk *t = lines_trunk(l, id_of(b, "trunk"));
	const json_t *address;
	size_t i, n = 0;

	if (!t)
		return;
	if (strcmp(t->state, text(b, "state")) != 0)
		t->since_ms = at_ms;
	t->dirty = true;
	if (!strcmp(text(b, "state"), "gone")) {
		t->configured = false;
		return;
	}
	(void)str_copy(t->state, sizeof(t->state), text(b, "state"));
	(void)str_copy(t->why, sizeof(t->why), text(b, "why"));
	(void)str_copy(t->reason, sizeof(t->reason), text(b, "reason"));
	(void)str_copy(t->registration, sizeof(t->registration), text(b, "registration"));
	t->code = json_integer_value(json_object_get(b, "code"));
	t->rtt_ms = json_integer_value(json_object_get(b, "rtt_ms"));
	json_array_foreach(json_object_get(b, "addresses"), i, address)
		if (n < ARRAY_LEN(t->addresses))
			(void)str_copy(t->addresses[n++], sizeof(t->addresses[0]), json_string_value(address) ? json_string_value(address) : "");
	t->address_n = n;
}

void lines_fold_leg(struct live *l, const json_t *b, bool begins)
{
	struct live_trunk *t = hmap_get(&l->trunks_by_id, (uint64_t)id_of(b, "trunk"));

	if (!t)
		return;
	t->calls += begins ? 1 : -1;
	if (t->calls < 0)
		t->calls = 0; /* of a trunk that has been made anew meanwhile */
	t->dirty = true;
}

static struct live_alarm *find(struct live *l, const char *what, int64_t object)
{
	ilist_each_entry(&l->alarms, a, struct live_alarm, link)
		if (!a->over && a->object == object && !strcmp(a->what, what))
			return a;
	return NULL;
}

static void drop_past(struct live *l)
{
	unsigned past = 0;

	ilist_each_entry(&l->alarms, a, struct live_alarm, link)
		past += a->over;
	ilist_each_entry(&l->alarms, a, struct live_alarm, link) {
		if (past <= PAST_MAX)
			return;
		if (!a->over || a->dirty)
			continue;
		ilink_unlink(&a->link);
		free(a);
		past--;
	}
}

void lines_fold_alarm(struct live *l, int64_t at_ms, const json_t *b)
{
	bool on = json_is_true(json_object_get(b, "on"));
	int64_t object = id_of(b, "object");
	struct live_alarm *a = find(l, text(b, "what"), object);

	if (!a && !on)
		return;
	if (!a) {
		a = xcalloc(1, sizeof(*a));
		a->object = object;
		a->since_ms = at_ms;
		(void)str_copy(a->what, sizeof(a->what), text(b, "what"));
		ilist_push_back(&l->alarms, &a->link);
	}
	a->dirty = true;
	if (!on) {
		a->over = true;
		a->cleared_ms = at_ms;
		return;
	}
	(void)str_copy(a->name, sizeof(a->name), text(b, "name"));
	(void)str_copy(a->detail, sizeof(a->detail), text(b, "detail"));
}

/* A new run of the switch: it raises again what still holds. */
void lines_start(struct live *l, int64_t at_ms)
{
	ilist_each_entry(&l->alarms, a, struct live_alarm, link)
		if (!a->over) {
			a->over = true;
			a->cleared_ms = at_ms;
			a->dirty = true;
		}
	ilist_each_entry(&l->trunks, t, struct live_trunk, link) {
		(void)str_copy(t->state, sizeof(t->state), "unknown");
		t->calls = 0;
		t->dirty = true;
	}
}

void lines_clean(struct live *l)
{
	ilist_each_entry(&l->trunks, t, struct live_trunk, link) {
		if (t->dirty)
			t->changed_n = l->n;
		t->dirty = false;
		if (t->configured)
			continue;
		(void)hmap_del(&l->trunks_by_id, (uint64_t)t->id);
		ilink_unlink(&t->link);
		free(t);
	}
	ilist_each_entry(&l->alarms, a, struct live_alarm, link) {
		if (a->dirty)
			a->changed_n = l->n;
		a->dirty = false;
	}
	drop_past(l);
}

void lines_free(struct live *l)
{
	for (struct ilink *k; (k = ilist_pop_front(&l->trunks));)
		free(container_of(k, struct live_trunk, link));
	for (struct ilink *k; (k = ilist_pop_front(&l->alarms));)
		free(container_of(k, struct live_alarm, link));
	hmap_done(&l->trunks_by_id);
}

/* ---- as JSON ---- */

static void put_trunk(struct jw *w, const struct live_trunk *t)
{
	jw_obj(w, NULL);
	jw_id(w, "id", t->id);
	jw_str(w, "name", t->name);
	jw_str(w, "state", t->state);
	jw_str(w, "why", t->why);
	jw_int(w, "code", t->code);
	jw_str(w, "reason", t->reason);
	jw_str(w, "registration", t->registration);
	jw_arr(w, "addresses");
	for (size_t i = 0; i < t->address_n; i++)
		jw_str(w, NULL, t->addresses[i]);
	jw_end_arr(w);
	jw_int(w, "rtt_ms", t->rtt_ms);
	jw_int(w, "calls", t->calls);
	jw_int(w, "calls_max", t->calls_max);
	jw_int(w, "since_ms", t->since_ms);
	jw_end_obj(w);
}

static void put_alarm(struct jw *w, const struct live_alarm *a)
{
	jw_obj(w, NULL);
	jw_str(w, "what", a->what);
	if (a->object)
		jw_id(w, "object", a->object);
	else
		jw_null(w, "object");
	jw_str(w, "name", a->name);
	jw_str(w, "detail", a->detail);
	jw_bool(w, "on", !a->over);
	jw_int(w, "since_ms", a->since_ms);
	if (a->over)
		jw_int(w, "cleared_ms", a->cleared_ms);
	else
		jw_null(w, "cleared_ms");
	jw_end_obj(w);
}

static void put_trunks(struct jw *w, const char *key, struct live *l)
{
	jw_arr(w, key);
	ilist_each_entry(&l->trunks, t, struct live_trunk, link)
		if (t->configured)
			put_trunk(w, t);
	jw_end_arr(w);
}

static void put_alarms(struct jw *w, const char *key, struct live *l, bool past)
{
	jw_arr(w, key);
	ilist_each_entry(&l->alarms, a, struct live_alarm, link)
		if (!a->over)
			put_alarm(w, a);
	for (struct ilink *k = l->alarms.prev; past && k != &l->alarms; k = k->prev) { /* newest first */
		const struct live_alarm *a = container_of(k, struct live_alarm, link);

		if (a->over)
			put_alarm(w, a);
	}
	jw_end_arr(w);
}

void lines_put(struct jw *w, struct live *l)
{
	put_trunks(w, "trunks", l);
	put_alarms(w, "alarms", l, false);
}

void lines_frames(struct live *l, int64_t since_n, struct strb *out, size_t *last)
{
	struct strb json;
	struct jw w;

	strb_init(&json, 8192);
	ilist_each_entry(&l->trunks, t, struct live_trunk, link) {
		if (since_n < 0 ? !t->dirty && t->configured : t->changed_n <= since_n)
			continue;
		strb_clear(&json);
		jw_init(&w, &json);
		if (t->configured)
			put_trunk(&w, t);
		else
			strb_printf(&json, "{\"kind\":\"trunk\",\"id\":\"%lld\"}", (long long)t->id);
		*last = out->len;
		http_sse_frame(out, NULL, t->configured ? "trunk" : "gone", json.buf, json.len);
	}
	ilist_each_entry(&l->alarms, a, struct live_alarm, link) {
		if (since_n < 0 ? !a->dirty : a->changed_n <= since_n)
			continue;
		strb_clear(&json);
		jw_init(&w, &json);
		put_alarm(&w, a);
		*last = out->len;
		http_sse_frame(out, NULL, "alarm", json.buf, json.len);
	}
	strb_done(&json);
}

/* ---- asked for ---- */

static void answer(struct ask *k, void (*put)(struct jw *w, const char *key, struct live *l))
{
	struct live *l = k->api->live;
	struct strb b;
	struct jw w;

	strb_init(&b, 4 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	(void)pthread_mutex_lock(&l->lock);
	put(&w, "items", l);
	(void)pthread_mutex_unlock(&l->lock);
	jw_end_obj(&w);
	if (b.overflow)
		api_failed(k, "lines", -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

static void put_all_alarms(struct jw *w, const char *key, struct live *l)
{
	put_alarms(w, key, l, true);
}

void lines_status(struct ask *k)
{
	answer(k, put_trunks);
}

void lines_alarms(struct ask *k)
{
	answer(k, put_all_alarms);
}
