/* What the switch writes into the journal: one function a kind, or a handful of ids and a body. */
#include <errno.h>
#include <string.h>

#include "switch/sw.h"

void sw_emit(struct sw *sw, struct ev *e, const struct strb *body)
{
	int r;

	e->centre_id = sw->start.centre_id;
	e->at_ms = clock_utc_ms();
	if (body) {
		e->body = body->buf;
		e->body_len = body->len;
	}
	r = journal_append(sw->journal, e);
	if (r)
		log_error("event lost kind=%s call=%lld error=%d: the ring is full", ev_kind_name(e->kind),
			  (long long)e->call_id, r);
}

void sw_emit_call(struct sw_call *c, enum ev_kind kind, const struct strb *body)
{
	struct ev e = {
		.kind = kind,
		.call_id = c->id,
		.agent_id = c->agent ? c->agent->id : 0,
		.queue_id = c->queue_id,
		.campaign_id = c->campaign_id,
	};

	sw_emit(c->sw, &e, body);
}

void sw_alarm(struct sw *sw, const char *what, const char *detail, bool on)
{
	sw_alarm_about(sw, what, 0, "", detail, on);
}

void sw_alarm_about(struct sw *sw, const char *what, int64_t object, const char *name, const char *detail, bool on)
{
	struct ev e = {.kind = EV_SYS_ALARM};
	char buf[1024];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "what", what);
	if (object)
		jw_id(&w, "object", object);
	if (name[0])
		jw_str(&w, "name", name);
	jw_str(&w, "detail", detail);
	jw_bool(&w, "on", on);
	jw_end_obj(&w);
	if (on)
		log_error("alarm what=%s object=%s detail=%s", what, name, detail);
	else
		log_info("alarm over what=%s object=%s", what, name);
	sw_emit(sw, &e, &b);
}

static const char *const seg_names[] = {
	[SEG_IVR] = "ivr", [SEG_QUEUE] = "queue", [SEG_RING] = "ring", [SEG_TALK] = "talk", [SEG_HOLD] = "hold",
	[SEG_CONFERENCE] = "conference",
};

void sw_seg_open(struct sw_call *c, enum sw_seg seg, const char *why)
{
	char buf[256];
	struct strb b;
	struct jw w;

	if (c->seg == seg)
		return;
	c->seg = seg;
	c->seg_id = idgen_next(&c->sw->ids, clock_utc_ms());
	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "seg", c->seg_id);
	jw_str(&w, "type", seg_names[seg]);
	if (why)
		jw_str(&w, "why", why);
	jw_end_obj(&w);
	sw_emit_call(c, EV_SEG_OPEN, &b);
}

void sw_leg_begun(struct sw_leg *l, bool incoming, const char *transport, const char *local, const char *remote)
{
	static const char *const roles[] = {"customer", "agent", "third", "third"};
	int64_t call_id = l->call ? l->call->id : 0;
	struct ev e = {.kind = EV_LEG_NEW, .call_id = call_id, .leg_id = l->id, .agent_id = l->agent_id};
	char buf[256];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "role", roles[l->role]);
	jw_str(&w, "dir", incoming ? "in" : "out");
	if (l->device_id)
		jw_id(&w, "device", l->device_id);
	if (l->trunk_id)
		jw_id(&w, "trunk", l->trunk_id);
	jw_str(&w, "transport", transport);
	jw_end_obj(&w);
	e.pii[e.pii_n++] = (struct ev_pii){"local", local};
	e.pii[e.pii_n++] = (struct ev_pii){"remote", remote};
	sw_emit(l->sw, &e, &b);
	sip_leg_trace(call_leg_sip(l->leg), call_id, l->id, l->trunk_id, roles[l->role], remote);
}
