/* Applies a configuration: objects are made, changed or let go, memberships laid anew, and everything matched again. */
#include "acd/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void take_queues(struct acd *a, const struct acd_conf *conf)
{
	otree_each(&a->queues, n)
		container_of(n, struct queue, by_id)->in_conf = false;
	for (size_t i = 0; i < conf->queue_n; i++) {
		struct queue *q = acd_queue_find(a, conf->queues[i].id);
		bool rearm;

		if (!q)
			q = queue_new(a, conf->queues[i].id);
		rearm = q->c.wait_max_ms != conf->queues[i].wait_max_ms || q->c.announce_ms != conf->queues[i].announce_ms;
		q->c = conf->queues[i];
		q->in_conf = true;
		if (rearm)
			queue_rearm(a, q);
	}
}

static void take_agents(struct acd *a, const struct acd_conf *conf)
{
	otree_each(&a->agents, n) {
		struct agent *g = container_of(n, struct agent, by_id);

		g->in_conf = false;
		agent_part(g);
		g->member_n = 0;
	}
	for (size_t i = 0; i < conf->agent_n; i++) {
		struct agent *g = acd_agent_find(a, conf->agents[i].id);

		if (!g)
			g = agent_new(a, conf->agents[i].id);
		g->c = conf->agents[i];
		g->in_conf = true;
	}
}

static int by_agent_and_queue(const void *x, const void *y)
{
	const struct acd_member *a = x, *b = y;

	if (a->agent_id != b->agent_id)
		return a->agent_id < b->agent_id ? -1 : 1;
	return a->queue_id < b->queue_id ? -1 : a->queue_id > b->queue_id;
}

/* @m are an agent's, sorted by queue, @n of them; those of unknown queues are left out. */
static void take_members_of(struct acd *a, struct agent *g, const struct acd_member *m, size_t n)
{
	g->members = xrealloc(g->members, n * sizeof(*g->members));
	for (size_t i = 0; i < n; i++) {
		struct queue *q = acd_queue_find(a, m[i].queue_id);

		if (q && q->in_conf)
			g->members[g->member_n++] = (struct member){.agent = g, .queue = q, .level = m[i].level};
	}
}

static void take_members(struct acd *a, const struct acd_member *m, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		struct agent *g = acd_agent_find(a, m[i].agent_id);

		for (end = i + 1; end < n && m[end].agent_id == m[i].agent_id; end++)
			;
		if (g && g->in_conf)
			take_members_of(a, g, m + i, end - i);
	}
	otree_each(&a->agents, node)
		agent_join(container_of(node, struct agent, by_id));
}

static void let_go(struct acd *a)
{
	struct otree_node *n, *next;

	for (n = otree_first(&a->agents); n; n = next) {
		struct agent *g = container_of(n, struct agent, by_id);

		next = otree_next(n);
		if (!g->in_conf)
			agent_remove(a, g);
	}
	for (n = otree_first(&a->queues); n; n = next) {
		struct queue *q = container_of(n, struct queue, by_id);

		next = otree_next(n);
		if (!q->in_conf)
			queue_close(a, q);
	}
}

static void match_all(struct acd *a)
{
	otree_each(&a->queues, n) {
		struct queue *q = container_of(n, struct queue, by_id);

		queue_check_empty(a, q);
	}
	otree_each(&a->agents, n) {
		struct agent *g = container_of(n, struct agent, by_id);

		if (g->state == ACD_READY)
			match_agent(a, g);
	}
}

/* Ids are the caller's keys, so they are unique; levels and the number of queues an agent serves are checked. */
static int check(const struct acd_conf *conf, const struct acd_member *sorted)
{
	for (size_t i = 0, of_agent = 0; i < conf->member_n; i++) {
		const struct acd_member *m = &sorted[i];

		if (m->level < 1 || m->level > LEVEL_MAX)
			return -EINVAL;
		of_agent = i && m[-1].agent_id == m->agent_id ? of_agent + 1 : 1;
		if (of_agent > ACD_QUEUES_MAX || (of_agent > 1 && m[-1].queue_id == m->queue_id))
			return -EINVAL;
	}
	for (size_t i = 0; i < conf->queue_n; i++)
		if (conf->queues[i].id <= 0 || (unsigned)conf->queues[i].overflow > ACD_OVERFLOW_GOODBYE)
			return -EINVAL;
	for (size_t i = 0; i < conf->agent_n; i++)
		if (conf->agents[i].id <= 0)
			return -EINVAL;
	return 0;
}

int acd_configure(struct acd *a, const struct acd_conf *conf, int64_t at_ms)
{
	struct acd_member *sorted;
	int r;

	if (at_ms < 0 || at_ms > TIME_MAX_MS)
		return -EINVAL;
	sorted = xcalloc(conf->member_n, sizeof(*sorted));
	if (conf->member_n)
		memcpy(sorted, conf->members, conf->member_n * sizeof(*sorted));
	qsort(sorted, conf->member_n, sizeof(*sorted), by_agent_and_queue);
	r = check(conf, sorted);
	if (r)
		goto out;
	acd_step(a, at_ms);
	if (at_ms > a->now_ms)
		a->now_ms = at_ms;
	a->conf_version = conf->version;
	take_queues(a, conf);
	take_agents(a, conf);
	take_members(a, sorted, conf->member_n);
	let_go(a);
	match_all(a);
	acd_step(a, a->now_ms);
out:
	free(sorted);
	return r;
}
