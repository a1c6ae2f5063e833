/* The events of a virtual day: kinds and bodies as the switch writes them (src/journal/kinds.h). */
#include <string.h>

#include "base/version.h"
#include "sim/day_priv.h"

static void emit(struct day *d, struct ev *e, const char *body, size_t len)
{
	e->epoch = d->epoch;
	e->n = ++d->n;
	e->centre_id = d->c->centre_id;
	e->at_ms = d->now;
	e->body = body;
	e->body_len = len;
	d->res->events++;
	if (d->c->emit && !d->failed)
		d->failed = d->c->emit(e, d->c->arg);
}

/* Bodies are written into d->body: begin, fields, end. */
static struct jw begin(struct day *d)
{
	struct jw w;

	strb_clear(&d->body);
	jw_init(&w, &d->body);
	jw_obj(&w, NULL);
	return w;
}

static void end(struct day *d, struct ev *e, struct jw *w)
{
	jw_end_obj(w);
	emit(d, e, d->body.buf, d->body.len);
}

static struct ev of_call(enum ev_kind kind, const struct caller *c)
{
	return (struct ev){.kind = kind, .call_id = c->id, .queue_id = c->queue_id, .agent_id = c->worker ? c->worker->id : 0};
}

void tell_start(struct day *d)
{
	struct ev e = {.kind = EV_SYS_START};
	struct jw w;

	d->epoch++;
	d->n = 0;
	w = begin(d);
	jw_str(&w, "version", HUAWU_VERSION);
	jw_int(&w, "pid", 0);
	end(d, &e, &w);
}

void tell_stop(struct day *d)
{
	emit(d, &(struct ev){.kind = EV_SYS_STOP}, NULL, 0);
}

void tell_conf(struct day *d)
{
	strb_clear(&d->body);
	acd_conf_encode(d->c->acd, &d->body);
	emit(d, &(struct ev){.kind = EV_ACD_CONF}, d->body.buf, d->body.len);
}

void tell_snap(struct day *d)
{
	strb_clear(&d->body);
	acd_snap_encode(d->acd, &d->body);
	emit(d, &(struct ev){.kind = EV_ACD_SNAP}, d->body.buf, d->body.len);
}

void tell_in(struct day *d, const struct acd_in *in)
{
	struct ev e = {.kind = EV_ACD_IN, .call_id = in->call_id, .agent_id = in->agent_id, .queue_id = in->queue_id};

	strb_clear(&d->body);
	acd_in_encode(in, &d->body);
	emit(d, &e, d->body.buf, d->body.len);
}

void tell_out(struct day *d, const struct acd_out *out)
{
	static const enum ev_kind kinds[] = {
		[ACD_OUT_STATE] = EV_AGENT_STATE,       [ACD_OUT_OFFER] = EV_OFFER_NEW,
		[ACD_OUT_OFFER_END] = EV_OFFER_END,     [ACD_OUT_OVERFLOW] = EV_QUEUE_OVERFLOW,
		[ACD_OUT_ANNOUNCE] = EV_QUEUE_ANNOUNCE, [ACD_OUT_OWNER] = EV_QUEUE_OWNER, [ACD_OUT_RESERVE] = EV_RESERVE_NEW,
	};
	struct ev e = {
		.kind = kinds[out->kind], .call_id = out->call_id, .agent_id = out->agent_id, .queue_id = out->queue_id,
	};

	emit(d, &e, out->body, out->body_len);
}

void tell_call(struct day *d, const struct caller *c)
{
	struct ev e = of_call(EV_CALL_NEW, c);
	struct sim_caller who = {{0}, {0}, {0}};
	struct jw w = begin(d);

	jw_str(&w, "dir", "in");
	if (c->load->trunk_id)
		jw_id(&w, "trunk", c->load->trunk_id);
	if (c->load->number_id)
		jw_id(&w, "number", c->load->number_id);
	if (d->c->caller)
		d->c->caller(&who, d->res->calls, c->load, &d->naming, d->c->arg);
	e.pii[e.pii_n++] = (struct ev_pii){"from", who.from};
	e.pii[e.pii_n++] = (struct ev_pii){"to", who.to};
	if (who.name[0])
		e.pii[e.pii_n++] = (struct ev_pii){"name", who.name};
	end(d, &e, &w);
	tell_leg(d, c, false, who.to, who.from);
}

void tell_call_plain(struct day *d, enum ev_kind kind, const struct caller *c)
{
	struct ev e = of_call(kind, c);

	emit(d, &e, NULL, 0);
}

void tell_call_end(struct day *d, const struct caller *c, const char *by, int q850, const char *reason)
{
	struct ev e = of_call(EV_CALL_END, c);
	struct jw w = begin(d);

	jw_str(&w, "by", by);
	jw_int(&w, "cause", 0);
	jw_int(&w, "q850", q850);
	jw_str(&w, "reason", reason);
	end(d, &e, &w);
}

static struct ev of_leg(enum ev_kind kind, const struct caller *c, bool agent)
{
	return (struct ev){.kind = kind, .call_id = c->id, .leg_id = agent ? c->agent_leg_id : c->leg_id,
			   .agent_id = agent ? c->worker->id : 0};
}

void tell_leg(struct day *d, const struct caller *c, bool agent, const char *local, const char *remote)
{
	struct ev e = of_leg(EV_LEG_NEW, c, agent);
	struct jw w = begin(d);

	jw_str(&w, "role", agent ? "agent" : "customer");
	jw_str(&w, "dir", agent ? "out" : "in");
	if (!agent && c->load->trunk_id)
		jw_id(&w, "trunk", c->load->trunk_id);
	jw_str(&w, "transport", agent ? "ws" : "udp");
	if (local) {
		e.pii[e.pii_n++] = (struct ev_pii){"local", local};
		e.pii[e.pii_n++] = (struct ev_pii){"remote", remote};
	}
	end(d, &e, &w);
}

void tell_leg_ring(struct day *d, const struct caller *c, bool agent)
{
	struct ev e = of_leg(EV_LEG_RING, c, agent);
	struct jw w = begin(d);

	jw_int(&w, "code", 180);
	end(d, &e, &w);
}

void tell_leg_answer(struct day *d, const struct caller *c, bool agent)
{
	struct ev e = of_leg(EV_LEG_ANSWER, c, agent);

	emit(d, &e, NULL, 0);
}

/* Packets of 20 ms, none lost; 4.41 is what ITU-T G.107 gives for G.711 without loss or delay. */
void tell_leg_end(struct day *d, const struct caller *c, int64_t leg_id, int64_t agent_id, const char *by, int code,
		  int64_t heard_ms)
{
	struct ev e = {.kind = EV_LEG_END, .call_id = c->id, .leg_id = leg_id, .agent_id = agent_id};
	struct jw w = begin(d);

	jw_str(&w, "by", by);
	jw_int(&w, "code", code);
	jw_int(&w, "q850", code == 0 ? 16 : code == 486 ? 17 : 0);
	jw_str(&w, "reason", NULL);
	if (heard_ms > 0) {
		jw_obj(&w, "quality");
		jw_int(&w, "rx", heard_ms / 20);
		jw_int(&w, "lost", 0);
		jw_num(&w, "mos", 4.41);
		jw_end_obj(&w);
	}
	end(d, &e, &w);
}

void tell_segment(struct day *d, const struct caller *c, const char *type, const char *why)
{
	struct ev e = of_call(EV_SEG_OPEN, c);
	struct jw w = begin(d);

	jw_id(&w, "seg", idgen_next(&d->ids, d->now));
	jw_str(&w, "type", type);
	if (why)
		jw_str(&w, "why", why);
	end(d, &e, &w);
}
