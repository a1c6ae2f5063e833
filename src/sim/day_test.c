/* The virtual day: fast, nothing lost, the same from the same seed, and waits as Erlang A has them. */
#include "sim/day.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "journal/journal.h"
#include "sim/erlang.h"

#define OPEN_MS 1764550800000LL /* 2025-12-01 09:00 in Shanghai */

TEST(a_day_of_8000_calls_and_84_agents_takes_less_than_10_s_with_every_step_checked)
{
	struct sim_day_conf c;
	struct sim_day_result r;
	int64_t t = clock_mono_ms();

	sim_day_example(&c, 84, 4, 8000, OPEN_MS);
	c.check = true;
	assert_int_equal(sim_day_run(&c, &r), 0);
	t = clock_mono_ms() - t;
	print_message("%llu calls, %llu events, %llu offers in %lld ms; answered %.1f %%, in 20 s %.1f %%, abandoned %.1f %%, overflowed %llu\n",
		      (unsigned long long)r.calls, (unsigned long long)r.events, (unsigned long long)r.offers, (long long)t,
		      100.0 * (double)r.answered / (double)r.calls, 100.0 * (double)r.answered_20s / (double)r.calls,
		      100.0 * (double)r.abandoned / (double)r.calls, (unsigned long long)r.overflowed);
	assert_in_range(r.calls, 7600, 8400); /* Poisson: 8,000 +- 4.5 standard deviations */
	assert_int_equal(r.calls, r.answered + r.abandoned + r.overflowed);
	assert_true(r.answered > r.calls * 8 / 10);
	assert_true(t < 10000);
	sim_day_done(&c);
}

static int sum_up(struct ev *e, void *arg)
{
	uint64_t *sum = arg;

	*sum = (*sum ^ (uint64_t)e->n ^ (uint64_t)e->at_ms << 20 ^ e->kind) * 0x100000001b3u;
	for (size_t i = 0; i < e->body_len; i++)
		*sum = (*sum ^ (unsigned char)e->body[i]) * 0x100000001b3u;
	return 0;
}

TEST(the_same_seed_gives_the_same_day_to_the_byte_and_another_seed_another)
{
	uint64_t sum[3] = {1, 1, 1};
	struct sim_day_conf c;
	struct sim_day_result r;

	sim_day_example(&c, 20, 3, 600, OPEN_MS);
	c.emit = sum_up;
	for (int i = 0; i < 3; i++) {
		c.arg = &sum[i];
		c.seed = i == 2 ? 8 : 7;
		assert_int_equal(sim_day_run(&c, &r), 0);
	}
	assert_true(sum[0] == sum[1]);
	assert_true(sum[0] != sum[2]);
	sim_day_done(&c);
}

static int refuse_late(struct ev *e, void *arg)
{
	return ++*(int *)arg == 5000 ? -28 : 0;
}

TEST(a_refused_event_ends_the_run_with_its_error)
{
	struct sim_day_conf c;
	struct sim_day_result r;
	int n = 0;

	sim_day_example(&c, 10, 2, 300, OPEN_MS);
	c.emit = refuse_late;
	c.arg = &n;
	assert_int_equal(sim_day_run(&c, &r), -28);
	sim_day_done(&c);
}

/* ---- against Erlang A: one queue, exponential talk and patience, answered at once, no wrap-up, no breaks ---- */

#define BATCHES 31 /* the first is thrown away */

struct batch {
	double calls, waited, abandoned, wait_ms;
};

struct watch {
	struct hmap open; /* call id -> at_ms + 1 */
	int64_t open_ms, batch_ms;
	struct batch batch[BATCHES];
};

static int watch_calls(struct ev *e, void *arg)
{
	struct watch *w = arg;
	int64_t came, wait_ms;
	struct batch *b;

	if (e->kind == EV_CALL_NEW)
		(void)hmap_set(&w->open, (uint64_t)e->call_id, (void *)(uintptr_t)(e->at_ms + 1));
	if (e->kind != EV_CALL_ANSWER && e->kind != EV_CALL_END)
		return 0;
	came = (int64_t)(uintptr_t)hmap_del(&w->open, (uint64_t)e->call_id) - 1;
	if (came < 0 || (came - w->open_ms) / w->batch_ms >= BATCHES)
		return 0; /* the end of a call that was answered before */
	b = &w->batch[(came - w->open_ms) / w->batch_ms];
	wait_ms = e->at_ms - came;
	b->calls++;
	b->waited += wait_ms > 0;
	b->abandoned += e->kind == EV_CALL_END;
	b->wait_ms += (double)wait_ms;
	return 0;
}

/* The mean over batches and its 99 % confidence interval (Student, 29 degrees of freedom: 2.756) must hold the formula's value. */
static void compare(const char *what, const double *v, double want)
{
	double mean = 0, var = 0, half;

	for (int i = 1; i < BATCHES; i++)
		mean += v[i] / (BATCHES - 1);
	for (int i = 1; i < BATCHES; i++)
		var += (v[i] - mean) * (v[i] - mean) / (BATCHES - 2);
	half = 2.756 * sqrt(var / (BATCHES - 1));
	print_message("  %s: simulated %.5f +- %.5f, Erlang A %.5f\n", what, mean, half, want);
	assert_true(fabs(mean - want) <= half);
	assert_true(half < 0.12 * want); /* else the comparison says nothing */
}

static void against_erlang_a(unsigned agents, double calls_per_half_hour, double talk_s, double patience_s)
{
	struct acd_queue_conf q = {.id = 1, .ring_ms = 20000};
	struct acd_agent_conf *g = xcalloc(agents, sizeof(*g));
	struct acd_member *m = xcalloc(agents, sizeof(*m));
	struct acd_conf conf = {1, &q, 1, g, agents, m, agents};
	struct sim_load load = {.queue_id = 1, .patience_s = patience_s, .talk_s = talk_s};
	struct sim_day_conf c = {.seed = 3, .open_ms = OPEN_MS, .acd = &conf, .loads = &load, .load_n = 1, .emit = watch_calls};
	struct watch w = {.open_ms = OPEN_MS};
	double lambda = calls_per_half_hour / 1800, p[3][BATCHES];
	struct sim_day_result r;
	struct erlang e;

	for (unsigned i = 0; i < agents; i++) {
		g[i] = (struct acd_agent_conf){.id = i + 1};
		m[i] = (struct acd_member){i + 1, 1, 1};
	}
	w.batch_ms = (int64_t)(5000 / lambda * 1000); /* 5,000 calls a batch: many times the chain's memory */
	hmap_init(&w.open, false);
	c.close_ms = OPEN_MS + w.batch_ms * BATCHES;
	c.arg = &w;
	load.calls = 5000 * BATCHES;
	assert_int_equal(sim_day_run(&c, &r), 0);
	erlang_a(&e, (int)agents, lambda, talk_s, patience_s, 20);
	for (int i = 0; i < BATCHES; i++) {
		p[0][i] = w.batch[i].waited / w.batch[i].calls;
		p[1][i] = w.batch[i].abandoned / w.batch[i].calls;
		p[2][i] = w.batch[i].wait_ms / w.batch[i].calls / 1000;
	}
	print_message("%u agents, %.0f calls in half an hour, %.0f s, patience %.0f s, %llu calls\n", agents, calls_per_half_hour,
		      talk_s, patience_s, (unsigned long long)r.calls);
	compare("share that waits", p[0], e.p_wait);
	compare("share that abandons", p[1], e.p_abandon);
	compare("mean wait, s", p[2], e.mean_wait_s);
	hmap_done(&w.open);
	free(g);
	free(m);
}

TEST(waits_and_abandonment_are_those_of_erlang_a)
{
	against_erlang_a(4, 20, 155, 180);
	against_erlang_a(13, 100, 180, 415);
	against_erlang_a(42, 400, 180, 180);
	against_erlang_a(36, 400, 180, 180); /* overload: only those who give up keep it stable */
}

/* Owner first in every queue: nobody is lost, most owners who are there answer, and those who wait for nobody wait as before. */
static void owner_day(struct sim_day_result *r, double known_p, double known_s, int64_t restart)
{
	struct sim_day_conf c;
	struct acd_queue_conf *q;

	sim_day_example(&c, 40, 3, 3000, OPEN_MS);
	q = ((struct acd_conf *)(uintptr_t)c.acd)->queues;
	for (size_t i = 0; i < c.acd->queue_n; i++) {
		q[i].owner_ms = 12000;
		q[i].owner_busy_ms = i ? 20000 : 0;
		q[i].owner_member = i == 2;
	}
	c.check = true;
	c.known_p = known_p;
	c.known_s = known_s;
	c.restart_ms = restart;
	assert_int_equal(sim_day_run(&c, r), 0);
	assert_int_equal(r->calls, r->answered + r->abandoned + r->overflowed);
	sim_day_done(&c);
}

TEST(a_day_with_owner_first_loses_nobody_and_gives_owners_their_customers)
{
	struct sim_day_result none, all, slow, again;

	owner_day(&none, 0, 0, 0);
	assert_int_equal(none.to_owner, 0);
	owner_day(&all, 0.5, 0, 0);
	print_message("%llu calls, %llu offered to owners, %llu answered by them; mean wait %lld ms, without owners %lld ms\n",
		      (unsigned long long)all.calls, (unsigned long long)all.to_owner, (unsigned long long)all.by_owner,
		      (long long)(all.wait_ms / (int64_t)all.calls), (long long)(none.wait_ms / (int64_t)none.calls));
	assert_int_equal(all.calls, none.calls);
	assert_true(all.to_owner > all.calls / 10 && all.by_owner > all.to_owner / 2);
	assert_true(all.answered > none.answered * 9 / 10);
	owner_day(&slow, 0.5, 0.1, 0);
	/* exponential, mean 100 ms: e^-1.5 = 22 % of 1,500 known callers are too late */
	assert_in_range(slow.late, 270, 400);
	owner_day(&again, 0.5, 0.1, OPEN_MS + 3 * 3600000LL + 1234567); /* another run goes on from its snapshot */
	assert_int_equal(again.checksum, slow.checksum);
}
