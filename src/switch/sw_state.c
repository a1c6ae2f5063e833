/*
 * What a campaign does, and why no customer comes: one true line for agent and supervisor, as a code with its numbers. The first that holds
 * is told:
 *
 *   paused                          somebody has stopped it
 *   stopping                        the program is
 *   no_members                      nobody is assigned
 *   nobody        n assigned        none of them is there
 *   trunk         "trunk": why      no line takes calls (codes of sw_why_name)
 *   dialling      n                 customers ring or are being put through: all is well
 *   busy          n                 all who are there talk or wrap up
 *   slow          n seconds         the database has not answered for so long
 *   empty later hours guard resting state ...   as the data says why it gives nothing; "at": when it is asked again
 *   asking                          it is just being asked
 *   lines         n                 as many lines are up as there may be
 *   connecting    n                 telephones of agents are being connected
 *   pacing        risk, price       the next call would be lost too likely: "verdict" hold, or progressive when no budget is left
 */
#include <stdlib.h>
#include <string.h>

#include "switch/sw_dial.h"

#define TELL_MS 1000
#define SLOW_MS 3000

struct line {
	const char *why;
	int64_t n, at_ms;
};

void camp_put_view(struct jw *w, const struct camp_view *v)
{
	jw_int(w, "agents", v->agents);
	jw_int(w, "ready", v->ready);
	jw_int(w, "idle", v->idle);
	jw_int(w, "reserved", v->reserved);
	jw_int(w, "talking", v->talking);
	jw_int(w, "wrapup", v->wrapup);
	jw_int(w, "ringing", v->ringing);
	jw_int(w, "waiting", v->waiting);
	jw_int(w, "held", v->held);
}

/* Nothing is held to dial. */
static struct line no_claims(const struct camp *p)
{
	int64_t asked_ms = clock_mono_ms() - p->asked_ms;

	if (p->asking && asked_ms > SLOW_MS)
		return (struct line){"slow", asked_ms / 1000, 0};
	if (p->asking || !p->why[0] || !strcmp(p->why, "more"))
		return (struct line){"asking", 0, 0};
	return (struct line){p->why, 0, p->more_at_ms};
}

static struct line line_of(const struct camp *p, const struct sw_campaign *conf)
{
	const struct camp_view *v = &p->view;

	if (p->sw->stopping)
		return (struct line){"stopping", 0, 0};
	if (!conf->running)
		return (struct line){"paused", 0, 0};
	if (!p->member_n)
		return (struct line){"no_members", 0, 0};
	if (!v->agents)
		return (struct line){"nobody", (int64_t)p->member_n, 0};
	if (clock_mono_ms() < p->pause_until_ms)
		return (struct line){"trunk", 0, 0};
	if (v->ringing || v->waiting || v->reserved)
		return (struct line){"dialling", v->ringing + v->waiting, 0};
	if (!v->ready)
		return (struct line){"busy", v->talking + v->wrapup, 0};
	if (!v->held)
		return no_claims(p);
	if (conf->lines_max > 0 && v->ringing + v->waiting >= conf->lines_max)
		return (struct line){"lines", conf->lines_max, 0};
	if (conf->mode == SW_PREDICTIVE && !v->idle)
		return (struct line){"connecting", v->ready, 0};
	if (conf->mode == SW_PREDICTIVE && p->pace && p->paced.why.verdict != PACE_DIAL)
		return (struct line){"pacing", 0, 0};
	return (struct line){"dialling", 0, 0};
}

/* So that not every second is news. */
static int32_t about(int32_t v, int32_t step)
{
	return v / step * step;
}

static void put(struct strb *b, const struct camp *p, const struct sw_campaign *conf)
{
	struct line l = line_of(p, conf);
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_str(&w, "mode", sw_mode_name(conf->mode));
	jw_bool(&w, "running", conf->running);
	jw_str(&w, "why", l.why);
	if (!strcmp(l.why, "trunk"))
		jw_str(&w, "trunk", sw_why_name(p->trunk_why));
	jw_int(&w, "n", l.n);
	jw_int(&w, "at", l.at_ms);
	jw_int(&w, "members", (int64_t)p->member_n);
	camp_put_view(&w, &p->view);
	jw_int(&w, "limit", conf->limit_permille);
	if (conf->mode == SW_PREDICTIVE && p->pace) {
		struct pace_account a;

		pace_account(p->pace, clock_utc_ms(), &a);
		jw_int(&w, "answered", a.answered);
		jw_int(&w, "abandoned", a.abandoned);
		jw_str(&w, "verdict", pace_verdict_name(p->paced.why.verdict));
		jw_int(&w, "risk", about(p->paced.why.risk_ppm, 1000));
		jw_int(&w, "price", about(p->paced.why.price_ppm, 1000));
		jw_int(&w, "slack", about(p->paced.why.slack_milli, 100));
	}
	jw_end_obj(&w);
}

void camp_tell(struct camp *p)
{
	const struct sw_campaign *conf = camp_conf(p);
	struct ev e = {.kind = EV_CAMPAIGN_STATE, .campaign_id = p->id};
	int64_t now = clock_mono_ms();
	char buf[1024];
	struct strb b;

	if (!conf || (p->told && now - p->told_ms < TELL_MS))
		return;
	strb_init_fixed(&b, buf, sizeof(buf));
	put(&b, p, conf);
	if (p->told && !strcmp(p->told, b.buf))
		return;
	free(p->told);
	p->told = xstrdup(b.buf);
	p->told_ms = now;
	sw_emit(p->sw, &e, &b);
}
