/* What goes through the two doors of net.c is copied into the trace (trace/trace.h); here is said whose it is. The switch thread's. */
#include "sip/leg_priv.h"

#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

#define PEERS 1024 /* remembered; what falls out is asked again, or counts as a stranger's until it proves itself anew */
#define TRUNK_MS 5000 /* so long the configuration's answer holds */
#define KNOWN_MS 3600000

struct peer {
	uint8_t ip[16];
	int64_t trunk_id, trunk_until_ms, known_until_ms;
};

struct sipt {
	struct trace *trace;
	struct peer peers[PEERS];
};

void sipt_open(struct sip_stack *s)
{
	if (!s->conf.trace)
		return;
	s->trace = xcalloc(1, sizeof(*s->trace));
	s->trace->trace = s->conf.trace;
}

void sipt_close(struct sip_stack *s)
{
	free(s->trace);
	s->trace = NULL;
}

static void addr_of(struct trace_addr *ret, const struct sa *sa)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};

	*ret = (struct trace_addr){.port = sa_port(sa)};
	if (sa_af(sa) == AF_INET6) {
		memcpy(ret->ip, &sa->u.in6.sin6_addr, 16);
	} else {
		memcpy(ret->ip, v4, sizeof(v4));
		memcpy(ret->ip + 12, &sa->u.in.sin_addr, 4);
	}
}

static struct peer *peer_of(struct sipt *t, const uint8_t ip[16])
{
	uint64_t h = 14695981039346656037u;
	struct peer *p;

	for (int i = 0; i < 16; i++)
		h = (h ^ ip[i]) * 1099511628211u;
	p = &t->peers[h % PEERS];
	if (memcmp(p->ip, ip, 16) != 0) {
		*p = (struct peer){0};
		memcpy(p->ip, ip, 16);
	}
	return p;
}

static int64_t trunk_of(struct sip_stack *s, struct peer *p, const struct sa *peer, int64_t now_ms)
{
	struct sip_addr a = {.port = sa_port(peer)};
	bool by_token;

	if (p->trunk_until_ms > now_ms || !s->h.trunk_of || sa_ntop(peer, a.host, sizeof(a.host)))
		return p->trunk_id;
	p->trunk_id = s->h.trunk_of(&a, "", &by_token, s->h.arg);
	p->trunk_until_ms = now_ms + TRUNK_MS;
	return p->trunk_id;
}

void sipt_message(struct sip_stack *s, bool out, const struct flow *f, const char *data, size_t len)
{
	struct trace_note n = {.out = out, .transport = sipnet_transport(s, f), .known = f->ws != 0};
	int64_t now_ms;
	struct peer *p;

	if (!s->trace || len <= 4) /* keep-alive */
		return;
	addr_of(&n.remote, &f->peer);
	addr_of(&n.local, f->from ? &f->from->local : &s->listeners[0].local);
	if (!f->ws) {
		now_ms = clock_mono_ms();
		p = peer_of(s->trace, n.remote.ip);
		n.trunk_id = trunk_of(s, p, &f->peer, now_ms);
		n.known = n.trunk_id || p->known_until_ms > now_ms;
	}
	trace_message(s->trace->trace, &n, data, len);
}

void sipt_known(struct sip_stack *s, const struct flow *f)
{
	struct trace_addr a;

	if (!s->trace || f->ws)
		return;
	addr_of(&a, &f->peer);
	peer_of(s->trace, a.ip)->known_until_ms = clock_mono_ms() + KNOWN_MS;
}

void sip_leg_trace(const struct sip_leg *leg, int64_t call_id, int64_t leg_id, int64_t trunk_id, const char *role, const char *party)
{
	if (!leg->s->trace)
		return;
	sipt_known(leg->s, &leg->flow);
	trace_leg(leg->s->trace->trace, &(struct trace_leg){
						.call_id = call_id, .leg_id = leg_id, .trunk_id = trunk_id, .role = role, .party = party,
						.sip_id = leg->call_id, .out = !leg->incoming,
					});
}
