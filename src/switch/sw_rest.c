/*
 * Slots for breaks (acd/rest.h): what is true of an agent comes from the core and the configuration, decisions are facts, and who is granted a break is
 * given one in the core. Who is sent on a break by others takes a slot and asks for none. Lines are of this process: after a start nobody waits.
 */
#include <stdlib.h>
#include <string.h>

#include "acd/rest.h"
#include "switch/sw.h"

#define LOOK_MS 1000

/* A break that the core gave by itself, because nobody has said that he is there, is nobody's rest. */
static bool is_rest(const struct acd_agent_view *v)
{
	if (v->state == ACD_BREAK)
		return strcmp(v->reason, "login") != 0 && strcmp(v->reason, "device") != 0;
	return v->pending == ACD_BREAK;
}

static int32_t away_of(const struct sw *sw, int64_t team_id)
{
	const struct sw_agent *a;
	size_t pos = 0;
	int32_t n = 0;

	while ((a = hmap_next(&sw->agents, &pos))) {
		struct acd_agent_view v;

		n += a->team_id == team_id && a->state != ACD_OFFLINE && !acd_agent_get(sw->acd, a->id, &v) && is_rest(&v);
	}
	return n;
}

static const struct sw_queue *queue_of(const struct sw *sw, int64_t id)
{
	for (size_t i = 0; i < sw->conf->queue_n; i++)
		if (sw->conf->queues[i].id == id)
			return &sw->conf->queues[i];
	return NULL;
}

static void take_queues(struct rest_view *ret, const struct sw *sw, int64_t agent_id)
{
	for (size_t i = 0; i < sw->conf->acd.member_n && ret->queue_n < ACD_QUEUES_MAX; i++) {
		const struct acd_member *m = &sw->conf->acd.members[i];
		const struct sw_queue *q = m->agent_id == agent_id ? queue_of(sw, m->queue_id) : NULL;
		struct acd_queue_view v;

		if (q && q->keep_ready && !acd_queue_get(sw->acd, q->id, &v))
			ret->queues[ret->queue_n++] = (struct rest_queue){q->id, q->keep_ready, (int32_t)v.ready};
	}
}

static bool view(struct rest_view *ret, int64_t agent_id, void *arg)
{
	const struct sw *sw = arg;
	const struct sw_user *u = sw_user_of(sw, agent_id);
	struct acd_agent_view v;

	*ret = (struct rest_view){0};
	if (!u || acd_agent_get(sw->acd, agent_id, &v))
		return false;
	ret->team_id = u->team_id;
	ret->max = u->team_id ? u->rest_max : 0;
	ret->away = ret->max ? away_of(sw, u->team_id) : 0;
	ret->there = v.state != ACD_OFFLINE && !is_rest(&v);
	ret->ready = v.state == ACD_READY;
	ret->busy = v.state == ACD_RINGING || v.state == ACD_TALKING || v.state == ACD_WRAPUP || v.state == ACD_RESERVED;
	take_queues(ret, sw, agent_id);
	return true;
}

static void emit(const struct rest_out *out, void *arg)
{
	struct sw *sw = arg;
	struct ev e = {.kind = EV_REST, .agent_id = out->agent_id, .queue_id = out->queue_id};
	char buf[512];
	struct strb b;

	strb_init_fixed(&b, buf, sizeof(buf));
	rest_encode(out, &b);
	sw_emit(sw, &e, &b);
}

static void look(void *arg)
{
	struct sw *sw = arg;

	rest_step(sw->rest, clock_utc_ms());
	if (sw->rest->n)
		ltimer_set(&sw->rest_timer, LOOK_MS, look, sw);
}

void sw_rest_init(struct sw *sw)
{
	sw->rest = xcalloc(1, sizeof(*sw->rest));
	sw->rest->view = view;
	sw->rest->emit = emit;
	sw->rest->arg = sw;
}

void sw_rest_done(struct sw *sw)
{
	ltimer_cancel(&sw->rest_timer);
	free(sw->rest);
	sw->rest = NULL;
}

/* Where nothing is limited nothing is asked. */
static bool limited(struct sw *sw, int64_t agent_id)
{
	struct rest_view v;

	return view(&v, agent_id, sw) && (v.max || v.queue_n) && v.there;
}

bool sw_rest_may(struct sw *sw, const struct sw_agent *a, const char *reason)
{
	if (!limited(sw, a->id) || rest_ask(sw->rest, a->id, reason, clock_utc_ms()))
		return true;
	if (sw->rest->n)
		ltimer_set(&sw->rest_timer, LOOK_MS, look, sw);
	return false;
}

void sw_rest_cancel(struct sw *sw, const struct sw_agent *a)
{
	rest_cancel(sw->rest, a->id);
}
