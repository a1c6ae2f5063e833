/*
 * Made-up calls for tests: a seeded, endless, plausible stream of events, a step at a time. Calls come, wait, are
 * offered, answered or abandoned, held and ended; agents log in, pause and log out. Time moves as the caller says.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "journal/journal.h"

#define MADE_CALLS 40
#define MADE_AGENTS 12
#define MADE_QUEUES 3

struct made_call {
	int64_t id, leg, agent_leg, part, seg, offer, queue;
	int agent; /* index, -1: none */
	enum { MADE_FREE, MADE_WAITS, MADE_OFFERED, MADE_TALKS, MADE_HELD } stage;
};

struct made {
	struct rng rng;
	struct idgen ids;
	int64_t now_ms, offers;
	struct made_call calls[MADE_CALLS];
	const char *state[MADE_AGENTS]; /* NULL: offline */
	int (*emit)(struct ev *e, void *arg);
	void *arg;
	int error;     /* of the last emit */
	int64_t count; /* emitted */
};

static inline void made_init(struct made *m, uint64_t seed, int64_t now_ms, int (*emit)(struct ev *e, void *arg), void *arg)
{
	*m = (struct made){.now_ms = now_ms, .emit = emit, .arg = arg};
	rng_init(&m->rng, seed);
	idgen_init(&m->ids, 1);
}

static inline int64_t made_id(struct made *m)
{
	return idgen_next(&m->ids, m->now_ms);
}

static inline int64_t made_agent_id(int agent)
{
	return 1000 + agent;
}

__attribute__((format(printf, 3, 4))) static inline void made_emit(struct made *m, struct ev e, const char *fmt, ...)
{
	char body[1024];
	va_list ap;

	va_start(ap, fmt);
	e.body_len = (size_t)vsnprintf(body, sizeof(body), fmt, ap);
	va_end(ap);
	e.body = body;
	e.at_ms = m->now_ms;
	e.centre_id = 1;
	m->error = m->emit(&e, m->arg);
	m->count++;
}

static inline void made_state(struct made *m, int a, const char *state, int64_t call, int64_t queue)
{
	const char *prev = m->state[a] ? m->state[a] : "offline";

	m->state[a] = strcmp(state, "offline") ? state : NULL;
	made_emit(m, (struct ev){.kind = EV_AGENT_STATE, .agent_id = made_agent_id(a), .call_id = call, .queue_id = queue},
		  "{\"t\":%lld,\"state\":\"%s\",\"prev\":\"%s\",\"reason\":\"%s\",\"team\":\"%d\",\"call\":\"%lld\",\"until\":0}",
		  (long long)m->now_ms, state, prev, strcmp(state, "break") ? "" : "lunch", 100 + a % 3, (long long)call);
}

static inline void made_segment(struct made *m, struct made_call *c, const char *type, const char *why)
{
	c->seg = made_id(m);
	made_emit(m,
		  (struct ev){.kind = EV_SEG_OPEN, .call_id = c->id, .queue_id = c->queue,
			      .agent_id = c->agent >= 0 && strcmp(type, "queue") ? made_agent_id(c->agent) : 0},
		  "{\"seg\":\"%lld\",\"type\":\"%s\",\"why\":\"%s\"}", (long long)c->seg, type, why);
}

static inline void made_arrives(struct made *m, struct made_call *c)
{
	char from[24], dialog[160];

	*c = (struct made_call){.id = made_id(m), .leg = made_id(m), .agent = -1, .stage = MADE_WAITS,
				.queue = 50 + (int64_t)rng_below(&m->rng, MADE_QUEUES)};
	snprintf(from, sizeof(from), "1%010llu", (unsigned long long)rng_below(&m->rng, 10000000000u));
	snprintf(dialog, sizeof(dialog), "sip:%s@127.0.0.2 %lld;tag=a;tag=b", from, (long long)c->leg);
	made_emit(m,
		  (struct ev){.kind = EV_CALL_NEW, .call_id = c->id, .pii_n = 3,
			      .pii = {{"from", from}, {"to", "02088880000"}, {"name", "示例客户"}}},
		  "{\"dir\":\"in\",\"trunk\":\"7\",\"number\":\"%d\",\"parent\":\"0\"}", 70 + (int)rng_below(&m->rng, 2));
	made_emit(m,
		  (struct ev){.kind = EV_LEG_NEW, .call_id = c->id, .leg_id = c->leg, .pii_n = 2,
			      .pii = {{"local", "02088880000"}, {"remote", from}}},
		  "{\"role\":\"customer\",\"dir\":\"in\",\"device\":\"0\",\"trunk\":\"7\",\"transport\":\"udp\"}");
	made_emit(m, (struct ev){.kind = EV_CALL_ACCEPT, .call_id = c->id}, "{}");
	made_emit(m, (struct ev){.kind = EV_LEG_ANSWER, .call_id = c->id, .leg_id = c->leg, .pii_n = 1, .pii = {{"dialog", dialog}}}, "{}");
	made_emit(m, (struct ev){.kind = EV_ACD_IN, .call_id = c->id, .queue_id = c->queue},
		  "{\"k\":\"enter\",\"priority\":0,\"waited_ms\":0}");
	made_segment(m, c, "queue", "route");
}

static inline void made_ends(struct made *m, struct made_call *c, const char *by)
{
	if (c->stage == MADE_OFFERED) {
		made_emit(m, (struct ev){.kind = EV_OFFER_END, .call_id = c->id, .agent_id = made_agent_id(c->agent), .queue_id = c->queue},
			  "{\"t\":%lld,\"offer\":\"%lld\",\"outcome\":\"abandoned\",\"code\":0}", (long long)m->now_ms, (long long)c->offer);
		made_state(m, c->agent, "ready", 0, 0);
	}
	if (c->agent >= 0)
		made_emit(m, (struct ev){.kind = EV_LEG_END, .call_id = c->id, .leg_id = c->agent_leg},
			  "{\"by\":\"local\",\"code\":200,\"q850\":16}");
	made_emit(m, (struct ev){.kind = EV_LEG_END, .call_id = c->id, .leg_id = c->leg},
		  "{\"by\":\"remote\",\"code\":200,\"q850\":16,\"quality\":{\"rx\":500,\"lost\":1,\"jitter_ms\":2,\"mos\":4.2}}");
	if (c->part)
		made_emit(m, (struct ev){.kind = EV_REC_CLOSE, .call_id = c->id},
			  "{\"part\":\"%lld\",\"bytes\":16000,\"dur_ms\":1000,\"missing_ms\":0,\"hash\":\"00\",\"repaired\":false}",
			  (long long)c->part);
	made_emit(m, (struct ev){.kind = EV_CALL_END, .call_id = c->id, .agent_id = c->agent >= 0 ? made_agent_id(c->agent) : 0},
		  "{\"by\":\"%s\",\"cause\":\"normal\",\"q850\":16,\"reason\":\"\"}", by);
	if (c->stage == MADE_TALKS || c->stage == MADE_HELD)
		made_state(m, c->agent, "wrapup", c->id, c->queue);
	c->stage = MADE_FREE;
}

static inline void made_offered(struct made *m, struct made_call *c, int agent)
{
	c->agent = agent;
	c->agent_leg = made_id(m);
	c->offer = ++m->offers;
	c->stage = MADE_OFFERED;
	made_emit(m, (struct ev){.kind = EV_OFFER_NEW, .call_id = c->id, .agent_id = made_agent_id(agent), .queue_id = c->queue},
		  "{\"t\":%lld,\"offer\":\"%lld\",\"ring_ms\":15000,\"why\":{\"winner\":{\"agent\":\"%d\",\"idle_ms\":4000,\"level\":1},"
		  "\"second\":null,\"best\":[{\"agent\":\"1001\",\"idle_ms\":300}],\"others\":{\"talking\":4,\"break\":2}}}",
		  (long long)m->now_ms, (long long)c->offer, 1000 + agent);
	made_state(m, agent, "ringing", c->id, c->queue);
	made_emit(m,
		  (struct ev){.kind = EV_LEG_NEW, .call_id = c->id, .leg_id = c->agent_leg, .agent_id = made_agent_id(agent), .pii_n = 2,
			      .pii = {{"local", "02088880000"}, {"remote", "8001"}}},
		  "{\"role\":\"agent\",\"dir\":\"out\",\"device\":\"9\",\"trunk\":\"0\",\"transport\":\"ws\"}");
	made_emit(m, (struct ev){.kind = EV_LEG_RING, .call_id = c->id, .leg_id = c->agent_leg}, "{\"code\":180}");
	made_segment(m, c, "ring", "offer");
}

static inline void made_rings_out(struct made *m, struct made_call *c)
{
	made_emit(m, (struct ev){.kind = EV_OFFER_END, .call_id = c->id, .agent_id = made_agent_id(c->agent), .queue_id = c->queue},
		  "{\"t\":%lld,\"offer\":\"%lld\",\"outcome\":\"timeout\",\"code\":0}", (long long)m->now_ms, (long long)c->offer);
	made_state(m, c->agent, "noanswer", 0, 0);
	made_emit(m, (struct ev){.kind = EV_LEG_END, .call_id = c->id, .leg_id = c->agent_leg}, "{\"by\":\"timeout\",\"code\":487}");
	c->agent = -1;
	c->stage = MADE_WAITS;
	made_segment(m, c, "queue", "timeout");
}

static inline void made_answered(struct made *m, struct made_call *c)
{
	c->part = made_id(m);
	c->stage = MADE_TALKS;
	made_emit(m, (struct ev){.kind = EV_OFFER_END, .call_id = c->id, .agent_id = made_agent_id(c->agent), .queue_id = c->queue},
		  "{\"t\":%lld,\"offer\":\"%lld\",\"outcome\":\"answered\",\"code\":200}", (long long)m->now_ms, (long long)c->offer);
	made_state(m, c->agent, "talking", c->id, c->queue);
	made_emit(m,
		  (struct ev){.kind = EV_LEG_ANSWER, .call_id = c->id, .leg_id = c->agent_leg, .pii_n = 1, .pii = {{"dialog", "sip:8001@127.0.0.1 x"}}},
		  "{}");
	made_emit(m, (struct ev){.kind = EV_CALL_ANSWER, .call_id = c->id, .agent_id = made_agent_id(c->agent), .queue_id = c->queue}, "{}");
	made_segment(m, c, "talk", "answer");
	made_emit(m, (struct ev){.kind = EV_REC_OPEN, .call_id = c->id},
		  "{\"part\":\"%lld\",\"seg\":\"%lld\",\"path\":\"2026/01/01/%lld.wav\"}", (long long)c->part, (long long)c->seg,
		  (long long)c->part);
}

static inline int made_ready_agent(struct made *m)
{
	int from = (int)rng_below(&m->rng, MADE_AGENTS);

	for (int i = 0; i < MADE_AGENTS; i++) {
		int a = (from + i) % MADE_AGENTS;

		if (m->state[a] && !strcmp(m->state[a], "ready"))
			return a;
	}
	return -1;
}

static inline void made_step_call(struct made *m, struct made_call *c)
{
	uint64_t dice = rng_below(&m->rng, 100);
	int a;

	switch (c->stage) {
	case MADE_FREE:
		made_arrives(m, c);
		break;
	case MADE_WAITS:
		a = made_ready_agent(m);
		if (dice < 10)
			made_ends(m, c, "customer");
		else if (a >= 0)
			made_offered(m, c, a);
		break;
	case MADE_OFFERED:
		if (dice < 10)
			made_ends(m, c, "customer");
		else if (dice < 25)
			made_rings_out(m, c);
		else
			made_answered(m, c);
		break;
	case MADE_TALKS:
		if (dice < 70) {
			made_ends(m, c, dice < 40 ? "customer" : "agent");
			break;
		}
		c->stage = MADE_HELD;
		made_segment(m, c, "hold", "hold");
		break;
	case MADE_HELD:
		c->stage = MADE_TALKS;
		made_segment(m, c, "talk", "resume");
		break;
	}
}

/* Agents that are in no call change by themselves. */
static inline void made_step_agent(struct made *m, int a)
{
	const char *s = m->state[a];

	if (!s)
		made_state(m, a, "break", 0, 0);
	else if (!strcmp(s, "break") || !strcmp(s, "wrapup") || !strcmp(s, "noanswer"))
		made_state(m, a, "ready", 0, 0);
	else if (!strcmp(s, "ready") && !rng_below(&m->rng, 20))
		made_state(m, a, rng_below(&m->rng, 2) ? "break" : "offline", 0, 0);
}

/** A few events, at @now_ms. */
static inline void made_step(struct made *m, int64_t now_ms)
{
	m->now_ms = now_ms;
	if (rng_below(&m->rng, 3))
		made_step_call(m, &m->calls[rng_below(&m->rng, MADE_CALLS)]);
	else
		made_step_agent(m, (int)rng_below(&m->rng, MADE_AGENTS));
}
