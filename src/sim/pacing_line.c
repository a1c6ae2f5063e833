/* A line each second: read for our core (`--external`), and written for a program of others (`--drive`). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "sim/pacing.h"

#define AGES_MAX 100000
#define TIME_MAX_S 1e9
#define ENDED_MAX 4
#define TICK_MS 1500      /* a call we ended may be told as failed, at most so much older */

/* ---- reading ---- */

struct pacing_line {
	struct pace *pace;
	struct pace_conf conf;
	int64_t day_ms, last_ms;
	int64_t before_ms;        /* time of the days before: the core's clock goes only forwards */
	double answered, dropped; /* as the last line said */
	bool begun;
	int32_t *talk_ms, *wrap_ms;
	struct pace_ring *ring;
	struct pace_event *events;
	size_t event_n;
	struct pace_ring ended[ENDED_MAX]; /* that the last answer said to hang up */
	size_t ended_n;
};

struct cursor {
	const char *at;
	bool bad;
};

static void skip(struct cursor *c)
{
	c->at += strspn(c->at, " \t\r\n");
}

static double take_number(struct cursor *c, double max)
{
	char *end;
	double v;

	skip(c);
	v = strtod(c->at, &end);
	if (end == c->at || !(v >= 0 && v <= max)) {
		c->bad = true;
		return 0;
	}
	c->at = end;
	return v;
}

static int32_t take_ms(struct cursor *c)
{
	return (int32_t)(take_number(c, INT32_MAX / 1000.0 - 1) * 1000 + 0.5);
}

/* ":" and a score; 1 without. */
static int32_t take_score(struct cursor *c)
{
	double v;

	if (*c->at != ':')
		return 1000;
	c->at++;
	v = take_number(c, 1000) * 1000 + 0.5;
	return v < 1 ? 1 : (int32_t)v;
}

/* Whether the part up to the next bar, or the end, goes on. */
static bool more(struct cursor *c)
{
	skip(c);
	return !c->bad && *c->at && *c->at != '|';
}

static void bar(struct cursor *c)
{
	skip(c);
	if (*c->at != '|')
		c->bad = true;
	else
		c->at++;
}

static size_t take_ages(struct cursor *c, int32_t *ret)
{
	size_t n = 0;

	while (more(c)) {
		if (n == AGES_MAX)
			c->bad = true;
		else
			ret[n++] = take_ms(c);
	}
	return n;
}

static size_t take_ring(struct cursor *c, struct pace_ring *ret)
{
	size_t n = 0;

	while (more(c)) {
		if (n == AGES_MAX) {
			c->bad = true;
			continue;
		}
		ret[n].age_ms = take_ms(c);
		ret[n++].score_permille = take_score(c);
	}
	return n;
}

static void take_event(struct cursor *c, struct pace_event *ret)
{
	static const char letters[] = "aftw";
	static const enum pace_event_kind kinds[] = {PACE_ANSWERED, PACE_FAILED, PACE_TALK_END, PACE_WRAP_END};
	const char *l = strchr(letters, *c->at);

	if (!l) {
		c->bad = true;
		return;
	}
	c->at++;
	ret->kind = kinds[l - letters];
	ret->ms = take_ms(c);
	ret->score_permille = take_score(c);
}

static size_t take_events(struct cursor *c, struct pace_event *ret)
{
	size_t n = 0;

	while (more(c)) {
		if (n == AGES_MAX)
			c->bad = true;
		else
			take_event(c, &ret[n++]);
	}
	return n;
}

struct pacing_line *pacing_line_new(const struct pace_conf *conf, int64_t day_ms)
{
	struct pacing_line *l = xcalloc(1, sizeof(*l));

	l->conf = *conf;
	l->day_ms = day_ms;
	l->talk_ms = xcalloc(AGES_MAX, sizeof(*l->talk_ms));
	l->wrap_ms = xcalloc(AGES_MAX, sizeof(*l->wrap_ms));
	l->ring = xcalloc(AGES_MAX, sizeof(*l->ring));
	l->events = xcalloc(AGES_MAX, sizeof(*l->events));
	if (pace_new(&l->pace, conf)) {
		pacing_line_free(l);
		return NULL;
	}
	return l;
}

void pacing_line_free(struct pacing_line *l)
{
	if (!l)
		return;
	pace_free(l->pace);
	free(l->talk_ms);
	free(l->wrap_ms);
	free(l->ring);
	free(l->events);
	free(l);
}

/* The first line, and one whose clock or count has gone back, begin a day. */
static void begin_day(struct pacing_line *l, int64_t at_ms)
{
	if (l->begun)
		l->before_ms = l->conf.from_ms + l->day_ms - at_ms + 1;
	l->conf.from_ms = l->before_ms + at_ms;
	l->conf.to_ms = l->conf.from_ms + l->day_ms;
	(void)pace_configure(l->pace, &l->conf);
	l->answered = l->dropped = 0;
	l->begun = true;
}

/* Our own hanging up is no failure of the call, should the other side tell it as one. */
static bool ended_by_us(const struct pacing_line *l, const struct pace_event *ev)
{
	for (size_t i = 0; i < l->ended_n && ev->kind == PACE_FAILED; i++)
		if (ev->ms >= l->ended[i].age_ms && ev->ms <= l->ended[i].age_ms + TICK_MS)
			return true;
	return false;
}

static void keep_ended(struct pacing_line *l, const struct pace_now *now, int32_t n)
{
	l->ended_n = 0;
	for (size_t i = 0; i < now->ring_n && n > 0 && l->ended_n < ENDED_MAX; i++) {
		const struct pace_ring *c = &now->ring[i];
		size_t at = l->ended_n;

		if (c->age_ms < PACE_RING_MIN_MS)
			continue;
		if (at == (size_t)n && l->ended[at - 1].age_ms >= c->age_ms)
			continue;
		for (at -= at == (size_t)n; at > 0 && l->ended[at - 1].age_ms < c->age_ms; at--)
			l->ended[at] = l->ended[at - 1];
		l->ended[at] = *c;
		l->ended_n += l->ended_n < (size_t)n;
	}
}

static void feed(struct pacing_line *l, int64_t at_ms, double answered, double dropped)
{
	struct pace_event lost = {.kind = PACE_ABANDONED};

	if (!l->begun || at_ms < l->last_ms || answered < l->answered || dropped < l->dropped)
		begin_day(l, at_ms);
	lost.at_ms = l->before_ms + at_ms;
	for (size_t i = 0; i < l->event_n; i++) {
		l->events[i].at_ms = l->before_ms + at_ms;
		if (!ended_by_us(l, &l->events[i]))
			pace_event(l->pace, &l->events[i]);
	}
	for (size_t i = 0; i < l->ended_n; i++)
		pace_event(l->pace, &(struct pace_event){.kind = PACE_ENDED, .at_ms = l->before_ms + at_ms, .ms = l->ended[i].age_ms,
							 .score_permille = l->ended[i].score_permille});
	for (double n = l->dropped; n < dropped; n++)
		pace_event(l->pace, &lost);
	l->answered = answered;
	l->dropped = dropped;
	l->last_ms = at_ms;
}

int pacing_line_read(struct pacing_line *l, const char *line, struct pace_out *ret)
{
	struct cursor c = {line};
	struct pace_now now = {.talk_ms = l->talk_ms, .wrap_ms = l->wrap_ms, .ring = l->ring};
	double answered, dropped;

	skip(&c);
	if (*c.at++ != 'S')
		return -EINVAL;
	now.at_ms = (int64_t)(take_number(&c, TIME_MAX_S) * 1000 + 0.5);
	now.idle = (int32_t)take_number(&c, AGES_MAX);
	now.held = (int32_t)take_number(&c, AGES_MAX);
	bar(&c);
	now.talk_n = take_ages(&c, l->talk_ms);
	bar(&c);
	now.wrap_n = take_ages(&c, l->wrap_ms);
	bar(&c);
	now.ring_n = take_ring(&c, l->ring);
	bar(&c);
	(void)take_number(&c, 1e12);
	(void)take_number(&c, 1e12);
	answered = take_number(&c, 1e12);
	dropped = take_number(&c, 1e6);
	bar(&c);
	l->event_n = take_events(&c, l->events);
	if (c.bad || *c.at)
		return -EINVAL;
	feed(l, now.at_ms, answered, dropped);
	now.at_ms += l->before_ms;
	pace_step(l->pace, &now, ret);
	keep_ended(l, &now, ret->hangup);
	return 0;
}

/* ---- writing ---- */

struct command {
	struct pacer way;
	FILE *to, *from;
	pid_t pid;
	struct strb events;
};

static void put_s(struct strb *b, int64_t ms)
{
	strb_printf(b, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
}

static void command_event(struct pacer *p, const struct pace_event *ev)
{
	static const char letters[PACE_EVENT_COUNT] = {[PACE_ANSWERED] = 'a', [PACE_FAILED] = 'f', [PACE_TALK_END] = 't', [PACE_WRAP_END] = 'w'};
	struct command *c = (struct command *)p;

	if (!letters[ev->kind])
		return; /* dropped ones are counted */
	strb_putc(&c->events, ' ');
	strb_putc(&c->events, letters[ev->kind]);
	put_s(&c->events, ev->ms);
	if (ev->kind == PACE_ANSWERED || ev->kind == PACE_FAILED)
		strb_printf(&c->events, ":%.3f", ev->score_permille / 1000.0);
}

static void put_line(struct strb *b, const struct pace_now *now, const struct pacing_day *so_far, const char *events)
{
	strb_printf(b, "S %lld %d %d |", (long long)(now->at_ms / 1000), now->idle, now->held);
	for (size_t i = 0; i < now->talk_n; i++)
		strb_putc(b, ' '), put_s(b, now->talk_ms[i]);
	strb_puts(b, " |");
	for (size_t i = 0; i < now->wrap_n; i++)
		strb_putc(b, ' '), put_s(b, now->wrap_ms[i]);
	strb_puts(b, " |");
	for (size_t i = 0; i < now->ring_n; i++) {
		strb_putc(b, ' ');
		put_s(b, now->ring[i].age_ms);
		strb_printf(b, ":%.3f", now->ring[i].score_permille / 1000.0);
	}
	strb_printf(b, " | %lld %lld %lld %lld |%s\n", (long long)so_far->dialled, (long long)so_far->resolved, (long long)so_far->answered,
		    (long long)so_far->abandoned, events);
}

static void command_step(struct pacer *p, const struct pace_now *now, const struct pacing_day *so_far, int32_t *launch, int32_t *hangup)
{
	struct command *c = (struct command *)p;
	char answer[64];
	struct strb b;
	int n;

	strb_init(&b, 8 << 20);
	put_line(&b, now, so_far, c->events.buf ? c->events.buf : "");
	n = fputs(b.buf, c->to) < 0 || fflush(c->to) || !fgets(answer, sizeof(answer), c->from) ? 0 : sscanf(answer, "%d %d", launch, hangup);
	strb_done(&b);
	strb_clear(&c->events);
	if (n < 1 || *launch < 0 || *hangup < 0 || *launch > AGES_MAX) {
		fprintf(stderr, "huawu sim pacing: the command gave no answer to the line of second %lld\n", (long long)(now->at_ms / 1000));
		exit(1);
	}
}

static void command_done(struct pacer *p)
{
	struct command *c = (struct command *)p;

	(void)fclose(c->to);
	(void)fclose(c->from);
	(void)waitpid(c->pid, NULL, 0);
	strb_done(&c->events);
	free(c);
}

static pid_t start(const char *command, int to[2], int from[2])
{
	pid_t pid = fork();

	if (pid)
		return pid;
	(void)dup2(to[0], STDIN_FILENO);
	(void)dup2(from[1], STDOUT_FILENO);
	for (int i = 0; i < 2; i++) {
		(void)close(to[i]);
		(void)close(from[i]);
	}
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

struct pacer *pacer_command(const struct pacing_world *w, const char *command)
{
	struct command *c;
	int to[2], from[2];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC))
		return NULL;
	if (pipe2(from, O_CLOEXEC)) {
		(void)close(to[0]);
		(void)close(to[1]);
		return NULL;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	pid = start(command, to, from);
	(void)close(to[0]);
	(void)close(from[1]);
	if (pid < 0) {
		(void)close(to[1]);
		(void)close(from[0]);
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	*c = (struct command){.way = {command_event, command_step, command_done}, .to = fdopen(to[1], "w"), .from = fdopen(from[0], "r"), .pid = pid};
	strb_init(&c->events, 1 << 20);
	return &c->way;
}
