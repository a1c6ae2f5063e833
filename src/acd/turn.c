#include "acd/turn.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/base.h"

static const char *const reaches[TURN_REACH_COUNT] = {"absent", "busy", "free"};

static const struct turn_member *find(const struct turn_member *m, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].agent_id == id)
			return &m[i];
	return NULL;
}

static bool in_order(const struct turn_member *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].agent_id <= (i ? m[i - 1].agent_id : 0) || (unsigned)m[i].reach >= TURN_REACH_COUNT)
			return false;
	return n <= TURN_MEMBERS_MAX;
}

static void drop(struct turn *t, size_t i)
{
	memmove(&t->owed[i], &t->owed[i + 1], (--t->owed_n - i) * sizeof(t->owed[0]));
}

/* Who has left the team is owed nothing any more. */
static void forget_leavers(struct turn *t, const struct turn_member *m, size_t n)
{
	for (size_t i = t->owed_n; i-- > 0;)
		if (!find(m, n, t->owed[i].agent_id))
			drop(t, i);
}

void turn_owe(struct turn *t, int64_t agent_id)
{
	for (size_t i = 0; i < t->owed_n; i++)
		if (t->owed[i].agent_id == agent_id) {
			t->owed[i].n += t->owed[i].n < TURN_OWED_MAX;
			return;
		}
	if (t->owed_n < TURN_MEMBERS_MAX)
		t->owed[t->owed_n++] = (struct turn_owed){agent_id, t->draws, 1};
}

/* The one owed longest who can be reached; kept in the order they were passed by, so it is the first. */
static bool take_owed(struct turn *t, struct turn_draw *ret, const struct turn_member *m, size_t n)
{
	for (size_t i = 0; i < t->owed_n; i++) {
		const struct turn_member *g = find(m, n, t->owed[i].agent_id);

		if (g->reach != ret->reach)
			continue;
		ret->agent_id = g->agent_id;
		ret->owed = true;
		if (!--t->owed[i].n)
			drop(t, i);
		return true;
	}
	return false;
}

static void go_round(struct turn *t, struct turn_draw *ret, const struct turn_member *m, size_t n)
{
	size_t at = 0;

	while (at < n && m[at].agent_id <= t->last_id)
		at++;
	for (;; at++) {
		const struct turn_member *g = &m[at % n];

		if (g->reach == ret->reach) {
			ret->agent_id = t->last_id = g->agent_id;
			return;
		}
		turn_owe(t, g->agent_id);
	}
}

int turn_next(struct turn *t, struct turn_draw *ret, const struct turn_member *m, size_t n)
{
	struct turn_draw d = {0};

	if (!in_order(m, n))
		return TURN_E_ORDER;
	for (size_t i = 0; i < n; i++)
		if (m[i].reach > d.reach)
			d.reach = m[i].reach;
	if (d.reach == TURN_ABSENT)
		return TURN_E_NOBODY;
	t->draws++;
	forget_leavers(t, m, n);
	if (!take_owed(t, &d, m, n))
		go_round(t, &d, m, n);
	*ret = d;
	return 0;
}

void turn_encode(const struct turn *t, const struct turn_draw *d, const struct turn_member *m, size_t n, struct strb *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_int(&w, "draw", t->draws);
	jw_id(&w, "agent", d->agent_id);
	jw_str(&w, "why", d->owed ? "owed" : "turn");
	jw_str(&w, "reach", reaches[d->reach]);
	jw_id(&w, "last", t->last_id);
	jw_arr(&w, "members");
	for (size_t i = 0; i < n; i++) {
		jw_arr(&w, NULL);
		jw_id(&w, NULL, m[i].agent_id);
		jw_int(&w, NULL, m[i].reach);
		jw_end_arr(&w);
	}
	jw_end_arr(&w);
	jw_arr(&w, "owed");
	for (size_t i = 0; i < t->owed_n; i++) {
		jw_arr(&w, NULL);
		jw_id(&w, NULL, t->owed[i].agent_id);
		jw_int(&w, NULL, t->owed[i].n);
		jw_int(&w, NULL, t->owed[i].since);
		jw_end_arr(&w);
	}
	jw_end_arr(&w);
	jw_end_obj(&w);
}

/* ---- reading ---- */

static bool take_id(int64_t *ret, const json_t *v)
{
	return json_is_string(v) && str_to_i64(ret, json_string_value(v), 0, INT64_MAX);
}

static bool owed_of(struct turn *t, const json_t *list)
{
	json_t *v;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > TURN_MEMBERS_MAX)
		return false;
	json_array_foreach(list, i, v) {
		struct turn_owed *o = &t->owed[t->owed_n++];
		json_int_t n = json_integer_value(json_array_get(v, 1));

		if (!take_id(&o->agent_id, json_array_get(v, 0)) || n < 1 || n > TURN_OWED_MAX)
			return false;
		o->n = (int32_t)n;
		o->since = json_integer_value(json_array_get(v, 2));
	}
	return true;
}

static int state_of(struct turn *ret, const json_t *o)
{
	*ret = (struct turn){.draws = json_integer_value(json_object_get(o, "draw"))};
	return ret->draws > 0 && take_id(&ret->last_id, json_object_get(o, "last")) && owed_of(ret, json_object_get(o, "owed")) ? 0 : -EINVAL;
}

int turn_decode(struct turn *ret, const char *body, size_t len)
{
	json_t *o = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	int r = state_of(ret, o);

	json_decref(o);
	return r;
}

static size_t members_of(struct turn_member *m, const json_t *list)
{
	json_t *v;
	size_t i;

	if (json_array_size(list) > TURN_MEMBERS_MAX)
		return 0;
	json_array_foreach(list, i, v) {
		json_int_t reach = json_integer_value(json_array_get(v, 1));

		if (!take_id(&m[i].agent_id, json_array_get(v, 0)) || reach < 0 || reach >= TURN_REACH_COUNT)
			return 0;
		m[i].reach = (enum turn_reach)reach;
	}
	return json_array_size(list);
}

/* The body may say more (who asked, for whom), after what a draw consists of. */
const char *turn_check(const char *before, size_t before_len, const char *body, size_t len)
{
	static _Thread_local struct turn t;
	static _Thread_local struct turn_member m[TURN_MEMBERS_MAX];
	json_t *o = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	size_t n = members_of(m, json_object_get(o, "members"));
	const char *why = NULL;
	struct turn_draw d;
	struct strb b;

	t = (struct turn){0};
	json_decref(o);
	strb_init(&b, 1 << 20);
	if (before && turn_decode(&t, before, before_len))
		why = "the draw before cannot be read";
	else if (!n || turn_next(&t, &d, m, n))
		why = "the draw cannot be read";
	if (!why) {
		turn_encode(&t, &d, m, n, &b);
		if (b.len < 2 || len < b.len || memcmp(b.buf, body, b.len - 1) != 0)
			why = "another is next";
	}
	strb_done(&b);
	return why;
}
