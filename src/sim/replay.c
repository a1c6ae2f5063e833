#include "sim/replay.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "acd/acd.h"
#include "acd/check.h"
#include "acd/turn.h"
#include "base/base.h"
#include "journal/journal.h"

struct said {
	enum ev_kind kind;
	int64_t call_id, agent_id, queue_id;
	char *body;
	size_t len;
};

struct replay {
	struct acd *core;      /* NULL until the run's configuration */
	bool fed;              /* it had inputs: a snapshot must be its state, not a new one */
	bool stopped;          /* the run ended in order: its log is whole */
	bool check;
	int64_t epoch;
	struct said *said;     /* by the core, and not yet found in the log: from said_at on */
	size_t said_n, said_at, said_cap;
	struct hmap drawn;     /* team -> struct drawn: the last draw of its turn */
	struct replay_result res;
};

struct drawn {
	char *team, *body;
	size_t len;
};

static void hear(const struct acd_out *out, void *arg)
{
	static const enum ev_kind kinds[] = {
		[ACD_OUT_STATE] = EV_AGENT_STATE,       [ACD_OUT_OFFER] = EV_OFFER_NEW,
		[ACD_OUT_OFFER_END] = EV_OFFER_END,     [ACD_OUT_OVERFLOW] = EV_QUEUE_OVERFLOW,
		[ACD_OUT_ANNOUNCE] = EV_QUEUE_ANNOUNCE, [ACD_OUT_OWNER] = EV_QUEUE_OWNER, [ACD_OUT_RESERVE] = EV_RESERVE_NEW,
	};
	struct replay *rp = arg;

	if (rp->said_n == rp->said_cap) {
		rp->said_cap = rp->said_cap ? rp->said_cap * 2 : 64;
		rp->said = xrealloc(rp->said, rp->said_cap * sizeof(*rp->said));
	}
	rp->said[rp->said_n++] = (struct said){kinds[out->kind], out->call_id, out->agent_id, out->queue_id,
					       xstrndup(out->body, out->body_len), out->body_len};
}

static void forget_said(struct replay *rp)
{
	for (; rp->said_at < rp->said_n; rp->said_at++)
		free(rp->said[rp->said_at].body);
	rp->said_at = rp->said_n = 0;
}

static void core_drop(struct replay *rp)
{
	acd_free(rp->core);
	rp->core = NULL;
	rp->fed = rp->stopped = false;
	forget_said(rp);
}

int replay_new(struct replay **ret, bool check)
{
	struct replay *rp = xcalloc(1, sizeof(*rp));

	rp->check = check;
	hmap_init(&rp->drawn, true);
	*ret = rp;
	return 0;
}

void replay_free(struct replay *rp)
{
	size_t pos = 0;

	if (!rp)
		return;
	core_drop(rp);
	for (struct drawn *d; (d = hmap_next(&rp->drawn, &pos));) {
		free(d->team);
		free(d->body);
		free(d);
	}
	hmap_done(&rp->drawn);
	free(rp->said);
	free(rp);
}

const struct replay_result *replay_result(const struct replay *rp)
{
	return &rp->res;
}

static void keep(char *dst, size_t size, const char *s, size_t n)
{
	n = n < size ? n : size - 1;
	if (n)
		memcpy(dst, s, n);
	dst[n] = '\0';
}

static int differs(struct replay *rp, const struct ev *e, const char *why, const char *expected, size_t len)
{
	rp->res.why = why;
	rp->res.epoch = e ? e->epoch : rp->epoch;
	rp->res.n = e ? e->n : 0;
	keep(rp->res.expected, sizeof(rp->res.expected), expected, len);
	keep(rp->res.logged, sizeof(rp->res.logged), e && e->body ? e->body : "", e && e->body ? e->body_len : 0);
	return 1;
}

/* Before a new input all that the core said must have been found. */
static int none_left(struct replay *rp, const struct ev *e)
{
	const struct said *s = &rp->said[rp->said_at];

	if (rp->said_at < rp->said_n)
		return differs(rp, e, "a decision is not in the log", s->body, s->len);
	forget_said(rp);
	return 0;
}

static int on_conf(struct replay *rp, const struct ev *e)
{
	struct acd_conf conf;
	int r = none_left(rp, e);

	if (r)
		return r;
	if (acd_conf_decode(&conf, e->body, e->body_len))
		return differs(rp, e, "the configuration cannot be read", "", 0);
	if (!rp->core)
		(void)acd_new(&rp->core, hear, rp);
	r = acd_configure(rp->core, &conf, e->at_ms);
	acd_conf_done(&conf);
	(void)r; /* what the switch fed and the core refused is refused again */
	return 0;
}

static int on_snap(struct replay *rp, const struct ev *e)
{
	struct strb b;
	int r = none_left(rp, e);

	if (r || !rp->core)
		return r;
	strb_init(&b, EV_BODY_MAX);
	acd_snap_encode(rp->core, &b);
	if (b.len != e->body_len || memcmp(b.buf, e->body, b.len)) {
		if (rp->fed || acd_snap_restore(rp->core, e->body, e->body_len)) {
			r = differs(rp, e, rp->fed ? "the core is in another state" : "the snapshot cannot be restored", b.buf, b.len);
		} else {
			strb_clear(&b);
			acd_snap_encode(rp->core, &b);
			if (b.len != e->body_len || memcmp(b.buf, e->body, b.len))
				r = differs(rp, e, "the snapshot does not come back as it was", b.buf, b.len);
		}
	}
	strb_done(&b);
	return r;
}

static int on_in(struct replay *rp, const struct ev *e)
{
	struct acd_in in;
	int r = none_left(rp, e);

	if (r)
		return r;
	if (!rp->core)
		return differs(rp, e, "an input before the configuration", "", 0);
	if (acd_in_decode(&in, e->at_ms, e->body, e->body_len))
		return differs(rp, e, "the input cannot be read", "", 0);
	rp->res.inputs++;
	rp->fed = true;
	(void)acd_input(rp->core, &in); /* refusals are the same as then */
	return 0;
}

/* Every decision's body begins with its nominal time. */
static int64_t time_of(const struct ev *e)
{
	static const char head[] = "{\"t\":";

	if (!e->body || e->body_len < sizeof(head) || memcmp(e->body, head, sizeof(head) - 1))
		return -1;
	return strtoll(e->body + sizeof(head) - 1, NULL, 10);
}

static int on_out(struct replay *rp, const struct ev *e)
{
	struct said *s;
	const char *why;

	if (!rp->core)
		return 0; /* the closing of a dead run is told without a core */
	if (rp->said_at == rp->said_n) {
		forget_said(rp);
		if (time_of(e) > e->at_ms)
			return differs(rp, e, "a decision before its time", "", 0);
		acd_step(rp->core, time_of(e));
	}
	if (rp->said_at == rp->said_n)
		return differs(rp, e, "the core decides nothing here", "", 0);
	s = &rp->said[rp->said_at];
	if (s->kind != e->kind || s->call_id != e->call_id || s->agent_id != e->agent_id || s->queue_id != e->queue_id ||
	    s->len != e->body_len || memcmp(s->body, e->body, s->len))
		return differs(rp, e, "another decision", s->body, s->len);
	rp->res.decisions++;
	if (rp->check && (e->kind == EV_OFFER_NEW || e->kind == EV_RESERVE_NEW)) {
		why = acd_check(e->call_id, e->agent_id, e->queue_id, e->body, e->body_len);
		if (why)
			return differs(rp, e, why, "", 0);
		rp->res.checked++;
	}
	free(s->body);
	rp->said_at++;
	return 0;
}

/* Each draw of a team follows from its last one. What is before the first that was read is not known. */
static int on_turn(struct replay *rp, const struct ev *e)
{
	json_t *o = json_loadb(e->body, e->body_len, 0, NULL);
	const char *team = json_string_value(json_object_get(o, "team"));
	struct drawn *d = team ? hmap_get_str(&rp->drawn, team) : NULL;
	const char *why = NULL;

	if (e->kind == EV_TURN_DRAW && (d || json_integer_value(json_object_get(o, "draw")) == 1)) {
		why = turn_check(d ? d->body : NULL, d ? d->len : 0, e->body, e->body_len);
		rp->res.draws++;
	}
	if (team && !d) {
		d = xcalloc(1, sizeof(*d));
		d->team = xstrdup(team);
		(void)hmap_set_str(&rp->drawn, d->team, d);
	}
	if (d) {
		free(d->body);
		d->body = xstrndup(e->body, e->body_len);
		d->len = e->body_len;
	}
	json_decref(o);
	return why ? differs(rp, e, why, "", 0) : 0;
}

/* A run that was killed may have decided more than reached the log; one that ended in order may not. */
static int run_over(struct replay *rp, const struct ev *e)
{
	int r = rp->stopped ? none_left(rp, e) : 0;

	if (!r)
		core_drop(rp);
	return r;
}

int replay_event(struct replay *rp, const struct ev *e)
{
	rp->res.events++;
	if (e->epoch != rp->epoch || e->kind == EV_SYS_START) {
		if (run_over(rp, e))
			return 1;
		rp->res.epochs += e->epoch != rp->epoch;
		rp->epoch = e->epoch;
	}
	switch (e->kind) {
	case EV_ACD_CONF:
		return on_conf(rp, e);
	case EV_ACD_SNAP:
		return on_snap(rp, e);
	case EV_ACD_IN:
		return on_in(rp, e);
	case EV_AGENT_STATE:
	case EV_OFFER_NEW:
	case EV_OFFER_END:
	case EV_QUEUE_OVERFLOW:
	case EV_QUEUE_ANNOUNCE:
	case EV_QUEUE_OWNER:
	case EV_RESERVE_NEW:
		return on_out(rp, e);
	case EV_TURN_DRAW:
	case EV_TURN_BACK:
		return on_turn(rp, e);
	case EV_SYS_STOP:
		rp->stopped = true;
		return 0;
	default:
		return 0;
	}
}

int replay_end(struct replay *rp)
{
	return run_over(rp, NULL);
}
