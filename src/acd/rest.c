/* See rest.h. Every question counts anew what is kept for others; lines are short. */
#include "acd/rest.h"

#include <string.h>

#include "base/base.h"

static const char *const names[REST_WHAT_COUNT] = {"granted", "waits", "turn", "lapsed", "cancelled", "gone"};

const char *rest_what_name(enum rest_what w)
{
	return names[w];
}

static size_t at(const struct rest *r, int64_t agent_id)
{
	size_t i = 0;

	while (i < r->n && r->waits[i].agent_id != agent_id)
		i++;
	return i;
}

const struct rest_wait *rest_find(const struct rest *r, int64_t agent_id)
{
	size_t i = at(r, agent_id);

	return i < r->n ? &r->waits[i] : NULL;
}

static bool serves(const struct rest_view *v, int64_t queue_id)
{
	for (size_t i = 0; i < v->queue_n; i++)
		if (v->queues[i].id == queue_id)
			return true;
	return false;
}

/* Slots that are kept for others count as taken, and who has one as if he were not ready any more. */
static void with_turns(const struct rest *r, struct rest_view *v, int64_t agent_id)
{
	for (size_t i = 0; i < r->n; i++) {
		struct rest_view other;

		if (!r->waits[i].turn_ms || r->waits[i].agent_id == agent_id || !r->view(&other, r->waits[i].agent_id, r->arg) || !other.there)
			continue;
		v->away += other.team_id == v->team_id;
		for (size_t q = 0; other.ready && q < v->queue_n; q++)
			v->queues[q].ready -= serves(&other, v->queues[q].id);
	}
	for (size_t q = 0; v->ready && q < v->queue_n; q++)
		v->queues[q].ready--;
}

/* Is there room for him? What speaks against it stands in @out. Who is not ready leaves a queue no shorter than it is. */
static bool room(const struct rest *r, struct rest_out *out, struct rest_view *v, int64_t agent_id)
{
	with_turns(r, v, agent_id);
	out->team_id = v->team_id;
	out->max = v->max;
	out->away = v->away;
	if (v->max && v->away >= v->max) {
		out->why = "team";
		return false;
	}
	for (size_t q = 0; v->ready && q < v->queue_n; q++) {
		if (v->queues[q].ready >= v->queues[q].keep)
			continue;
		out->why = "queue";
		out->queue_id = v->queues[q].id;
		out->keep = v->queues[q].keep;
		out->ready = v->queues[q].ready;
		return false;
	}
	out->why = "free";
	return true;
}

static void drop(struct rest *r, size_t i)
{
	memmove(&r->waits[i], &r->waits[i + 1], (r->n - i - 1) * sizeof(r->waits[0]));
	r->n--;
}

static void tell(struct rest *r, struct rest_out *out, enum rest_what what, int64_t agent_id, const char *reason)
{
	out->what = what;
	out->agent_id = agent_id;
	out->reason = reason;
	r->emit(out, r->arg);
}

static int32_t place(const struct rest *r, size_t i)
{
	int32_t n = 1;

	for (size_t k = 0; k < i; k++)
		n += r->waits[k].team_id == r->waits[i].team_id && !r->waits[k].turn_ms;
	return n;
}

bool rest_ask(struct rest *r, int64_t agent_id, const char *reason, int64_t now_ms)
{
	size_t i = at(r, agent_id);
	struct rest_out out = {0};
	struct rest_view v;

	if (!r->view(&v, agent_id, r->arg))
		return false;
	if (i < r->n && r->waits[i].turn_ms) {
		(void)room(r, &out, &v, agent_id);
		out.why = "turn";
		drop(r, i);
		tell(r, &out, REST_GRANTED, agent_id, reason);
		return true;
	}
	if (i == r->n && room(r, &out, &v, agent_id)) {
		tell(r, &out, REST_GRANTED, agent_id, reason);
		return true;
	}
	if (i == r->n && r->n == REST_WAITS_MAX)
		return false;
	if (i == r->n) {
		r->waits[r->n++] = (struct rest_wait){.agent_id = agent_id, .team_id = v.team_id, .asked_ms = now_ms};
		(void)str_copy(r->waits[i].reason, sizeof(r->waits[i].reason), reason);
		out.place = place(r, i);
		tell(r, &out, REST_WAITS, agent_id, reason);
	} else {
		(void)str_copy(r->waits[i].reason, sizeof(r->waits[i].reason), reason);
	}
	return false;
}

static void leave(struct rest *r, size_t i, enum rest_what what, const char *why)
{
	struct rest_wait w = r->waits[i];
	struct rest_out out = {.why = why, .team_id = w.team_id};

	drop(r, i);
	tell(r, &out, what, w.agent_id, w.reason);
}

void rest_cancel(struct rest *r, int64_t agent_id)
{
	size_t i = at(r, agent_id);

	if (i < r->n)
		leave(r, i, REST_CANCELLED, "asked");
}

/* True: he has left the line. */
static bool over(struct rest *r, size_t i, const struct rest_view *v, bool known, int64_t now_ms)
{
	struct rest_wait *w = &r->waits[i];

	if (!known || !v->there) {
		leave(r, i, REST_GONE, "away");
		return true;
	}
	if (!w->turn_ms || now_ms < w->turn_ms)
		return false;
	if (v->busy) {
		w->turn_ms = now_ms + REST_TURN_MS; /* from when he has hung up, about */
		return false;
	}
	leave(r, i, REST_LAPSED, "late");
	return true;
}

void rest_step(struct rest *r, int64_t now_ms)
{
	struct rest_view v;

	for (size_t i = 0; i < r->n;) {
		bool known = r->view(&v, r->waits[i].agent_id, r->arg);

		i += !over(r, i, &v, known, now_ms);
	}
	for (size_t i = 0; i < r->n; i++) {
		struct rest_wait *w = &r->waits[i];
		struct rest_out out = {0};

		if (w->turn_ms || !r->view(&v, w->agent_id, r->arg) || !room(r, &out, &v, w->agent_id))
			continue;
		w->turn_ms = out.until_ms = now_ms + REST_TURN_MS;
		tell(r, &out, REST_TURN, w->agent_id, w->reason);
	}
}

void rest_encode(const struct rest_out *out, struct strb *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_str(&w, "what", names[out->what]);
	jw_str(&w, "why", out->why);
	jw_id(&w, "team", out->team_id);
	jw_str(&w, "reason", out->reason);
	jw_int(&w, "place", out->place);
	jw_int(&w, "until", out->until_ms);
	jw_int(&w, "away", out->away);
	jw_int(&w, "max", out->max);
	jw_id(&w, "queue", out->queue_id);
	jw_int(&w, "keep", out->keep);
	jw_int(&w, "ready", out->ready);
	jw_end_obj(&w);
}
