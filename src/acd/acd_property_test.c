/* What must hold for any stream of inputs: seeded random streams, absurd and stale ones among them. */
#include "acd/fixture.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#define AGENTS 12
#define QUEUES 4
#define STEPS 6000

static void make_conf(struct rng *r, struct acd_conf *conf)
{
	conf->version++;
	conf->queue_n = conf->agent_n = conf->member_n = 0;
	for (int i = 1; i <= QUEUES; i++) {
		if (!rng_below(r, 12))
			continue; /* this time without it */
		conf->queues[conf->queue_n++] = (struct acd_queue_conf){
			.id = i, .priority = (int32_t)rng_below(r, 3), .ring_ms = 5000 + (int32_t)rng_below(r, 20000),
			.wrapup_ms = (int32_t)rng_below(r, 3) * 5000, .wrapup_max_ms = 20000,
			.len_max = (int32_t)rng_below(r, 4) * 5, .wait_max_ms = (int32_t)rng_below(r, 3) * 30000,
			.announce_ms = (int32_t)rng_below(r, 2) * 10000, .empty_overflow = !rng_below(r, 3),
			.overflow = (enum acd_overflow)rng_below(r, 4), .overflow_queue = 1 + (int64_t)rng_below(r, QUEUES + 1),
			.owner_ms = (int32_t)rng_below(r, 3) * 7000, .owner_busy_ms = (int32_t)rng_below(r, 3) * 12000,
			.owner_member = !rng_below(r, 3),
		};
	}
	for (int i = 1; i <= AGENTS; i++) {
		if (!rng_below(r, 12))
			continue;
		conf->agents[conf->agent_n++] = (struct acd_agent_conf){
			.id = i, .team_id = i % 3, .noanswer_ms = (int32_t)rng_below(r, 2) * 20000,
			.device_grace_ms = (int32_t)rng_below(r, 3) * 10000,
		};
		for (int q = 1; q <= QUEUES; q++)
			if (rng_below(r, 2))
				conf->members[conf->member_n++] = (struct acd_member){i, q, 1 + (int32_t)rng_below(r, 3)};
	}
}

/* Mostly what could happen, also what never should. */
static struct acd_in random_in(struct rng *r, const struct centre *c, int64_t at, int64_t *next_call)
{
	struct acd_in in = {.at_ms = at, .agent_id = (int64_t)rng_below(r, AGENTS + 2), .code = 486};
	struct acd_agent_view v = {0};

	in.queue_id = (int64_t)rng_below(r, QUEUES + 2);
	in.call_id = 1000 + (int64_t)rng_below(r, (uint64_t)(*next_call - 1000) + 1);
	in.offer_id = c->offer_id - (int64_t)rng_below(r, 3);
	in.device_up = rng_below(r, 4);
	in.ready = rng_below(r, 3);
	in.force = !rng_below(r, 4);
	in.wrap = rng_below(r, 3);
	in.ms = (int32_t)rng_below(r, 10000) - 100;
	in.priority = (int32_t)rng_below(r, 3);
	in.owner_id = rng_below(r, 2) ? (int64_t)rng_below(r, AGENTS + 2) : 0;
	in.team_id = (int64_t)rng_below(r, 4);
	in.waited_ms = rng_below(r, 4) ? 0 : (int64_t)rng_below(r, 60000) - 1000;
	if (rng_below(r, 3))
		in.code = rng_below(r, 2) ? 480 : 603;
	(void)strcpy(in.reason, rng_below(r, 2) ? "tea" : rng_below(r, 9) ? "" : "\xff\xfe");
	switch (rng_below(r, 18)) {
	case 0: case 1: case 2: case 3:
		in.kind = ACD_IN_ENTER;
		in.call_id = (*next_call)++;
		in.queue_id = 1 + (int64_t)rng_below(r, QUEUES);
		break;
	case 4: case 5: case 6: case 7: /* what a ringing or talking agent would do */
		if (acd_agent_get(c->a, in.agent_id, &v))
			break;
		in.kind = v.state == ACD_RINGING ? (rng_below(r, 4) ? ACD_IN_ANSWERED : ACD_IN_REFUSED)
			  : v.state == ACD_RESERVED ? (rng_below(r, 2) ? ACD_IN_SEIZE : ACD_IN_UNRESERVE) : ACD_IN_RELEASE;
		in.call_id = v.call_id;
		if (in.agent_id == c->offer_agent)
			in.offer_id = c->offer_id;
		break;
	case 8: case 9:
		in.kind = rng_below(r, 2) ? ACD_IN_LOGIN : ACD_IN_READY;
		break;
	case 16: case 17: /* somebody is kept for a call that is dialled, which is answered or not */
		in.kind = ACD_IN_RESERVE;
		in.call_id = (*next_call)++;
		in.agent_id = rng_below(r, 3) ? 0 : in.agent_id;
		in.queue_id = 1 + (int64_t)rng_below(r, QUEUES);
		break;
	case 10:
		in.kind = ACD_IN_ANSWERED;
		in.agent_id = c->offer_agent;
		in.call_id = c->offer_call;
		in.offer_id = c->offer_id;
		break;
	default:
		in.kind = (enum acd_in_kind)rng_below(r, ACD_IN_COUNT);
	}
	return in;
}

struct conf_store {
	struct acd_queue_conf queues[QUEUES];
	struct acd_agent_conf agents[AGENTS];
	struct acd_member members[AGENTS * QUEUES];
	struct acd_conf conf;
};

static void store_init(struct conf_store *s)
{
	*s = (struct conf_store){0};
	s->conf.queues = s->queues;
	s->conf.agents = s->agents;
	s->conf.members = s->members;
}

static int64_t advance(struct rng *r, int64_t now)
{
	static const int64_t most[] = {1, 500, 3000, 3000, 8000, 40000};

	return now + (int64_t)rng_below(r, (uint64_t)most[rng_below(r, 6)]);
}

static void must_hold(const struct centre *c, uint64_t seed, int i)
{
	const char *broken = acd_invariant(c->a);

	if (broken)
		fail_msg("seed %llu step %d: %s", (unsigned long long)seed, i, broken);
}

/* The other core @d gets the same inputs, but time in small steps, by codec, and is replaced by its own snapshot now and then. */
static void resume(struct centre *d, const struct acd_conf *conf)
{
	struct acd *fresh;
	struct strb b, again;

	strb_init(&b, 1 << 20);
	strb_init(&again, 1 << 20);
	acd_snap_encode(d->a, &b);
	assert_int_equal(acd_new(&fresh, centre_hear, d), 0);
	assert_int_equal(acd_configure(fresh, conf, 0), 0);
	assert_int_equal(acd_snap_restore(fresh, b.buf, b.len), 0);
	acd_snap_encode(fresh, &again);
	assert_string_equal(b.buf, again.buf);
	acd_free(d->a);
	d->a = fresh;
	strb_done(&b);
	strb_done(&again);
}

static void through_codec(struct acd_in *in)
{
	struct strb b;

	strb_init(&b, 4096);
	acd_in_encode(in, &b);
	assert_int_equal(acd_in_decode(in, in->at_ms, b.buf, b.len), 0);
	strb_done(&b);
}

static void run_twins(uint64_t seed, int *kept)
{
	struct centre c, d;
	struct conf_store s;
	struct rng r;
	int64_t now = 1000000, next_call = 1000;

	rng_init(&r, seed);
	centre_init(&c);
	centre_init(&d);
	store_init(&s);
	for (int i = 0; i < STEPS; i++) {
		struct acd_in in;

		now = advance(&r, now);
		if (!(i % 500)) {
			make_conf(&r, &s.conf);
			assert_int_equal(acd_configure(c.a, &s.conf, now), 0);
			assert_int_equal(acd_configure(d.a, &s.conf, now), 0);
		}
		in = random_in(&r, &c, rng_below(&r, 50) ? now : now - 5000, &next_call);
		if (!rng_below(&r, 500))
			in.at_ms = rng_below(&r, 2) ? -1 : INT64_MAX;
		for (int k = 0; k < 3 && in.at_ms <= now; k++)
			acd_step(d.a, in.at_ms - (int64_t)rng_below(&r, 3000)); /* backwards does no harm */
		{
			struct acd_in copy = in;
			int rc = acd_input(c.a, &in);

			through_codec(&copy);
			assert_int_equal(rc, acd_input(d.a, &copy));
		}
		must_hold(&c, seed, i);
		if (!rng_below(&r, 20)) {
			acd_step(c.a, now);
			acd_step(d.a, now - (int64_t)rng_below(&r, 9000));
			acd_step(d.a, now);
			must_hold(&c, seed, i);
		}
		if (!rng_below(&r, 40))
			resume(&d, &s.conf);
	}
	acd_step(c.a, now + 1000);
	acd_step(d.a, now + 1000);
	assert_int_equal(c.said.len, d.said.len);
	assert_memory_equal(c.said.buf, d.said.buf, c.said.len);
	assert_true(c.offers > 300); /* or nothing was tried */
	assert_non_null(strstr(c.said.buf, "\"side\":\"owner\""));
	assert_non_null(strstr(c.said.buf, "\"side\":\"reserve\""));
	*kept += strstr(c.said.buf, "\"state\":\"talking\",\"prev\":\"reserved\"") && strstr(c.said.buf, "\"side\":\"asked\"");
	assert_non_null(strstr(c.said.buf, "\"to\":\"wait\""));
	assert_non_null(strstr(c.said.buf, "\"to\":\"queue\""));
	centre_done(&c);
	centre_done(&d);
}

TEST(random_streams_keep_the_invariants_whatever_the_steps_and_across_snapshots)
{
	int kept = 0;

	for (uint64_t seed = 1; seed <= 25; seed++)
		run_twins(seed, &kept);
	assert_true(kept > 5); /* agents who were kept for calls had them answered */
}

/* ---- decisions: any number changed is found ---- */

static char *change_number(const char *body, unsigned nth, int64_t by)
{
	char *out = xcalloc(1, strlen(body) + 32), *end;
	const char *p = body;

	for (unsigned i = 0; *p; i++) {
		p += strcspn(p, "-0123456789");
		if (!*p)
			break;
		if (i == nth) {
			int64_t v = strtoll(p, &end, 10);

			(void)sprintf(out, "%.*s%lld%s", (int)(p - body), body, (long long)(v + by), end);
			return out;
		}
		p += 1 + strspn(p + 1, "0123456789");
	}
	free(out);
	return NULL;
}

/* Ten agents on two levels, then calls; or ten calls, then an agent: full lists of candidates on either side. */
static void decide(struct centre *c, bool by_call)
{
	struct acd_queue_conf q = {.id = 50, .ring_ms = 20000};
	struct acd_agent_conf agents[10];
	struct acd_member members[10];
	struct acd_conf conf = {1, &q, 1, agents, 10, members, 10};

	for (int i = 0; i < 10; i++) {
		agents[i] = (struct acd_agent_conf){i + 1, 1, 0, 0};
		members[i] = (struct acd_member){i + 1, 50, 1 + i % 2};
	}
	centre_init(c);
	assert_int_equal(acd_configure(c->a, &conf, 1000), 0);
	for (int i = 0; i < 10; i++) {
		if (by_call)
			assert_int_equal(IN(c, ACD_IN_LOGIN, 2000 + 10 * i, .agent_id = i + 1, .device_up = true, .ready = true), 0);
		else
			assert_int_equal(IN(c, ACD_IN_ENTER, 2000 + 10 * i, .call_id = 70 + i, .queue_id = 50, .priority = i % 3), 0);
	}
	if (by_call)
		assert_int_equal(IN(c, ACD_IN_ENTER, 9000, .call_id = 77, .queue_id = 50), 0);
	else
		assert_int_equal(IN(c, ACD_IN_LOGIN, 9000, .agent_id = 7, .device_up = true, .ready = true), 0);
	assert_int_equal(c->offers, 1);
}

static void all_changes_are_found(bool by_call)
{
	static const int64_t by[] = {1, -1, 7, 1000, -100000, 1LL << 40};
	struct centre c;
	unsigned n = 0;
	char *s;

	decide(&c, by_call);
	assert_null(acd_check(c.offer_call, c.offer_agent, 50, c.why, strlen(c.why)));
	for (; (s = change_number(c.why, n, 1)); n++) {
		for (size_t k = 0; k < ARRAY_LEN(by); k++) {
			char *changed = change_number(c.why, n, by[k]);

			if (!acd_check(c.offer_call, c.offer_agent, 50, changed, strlen(changed)))
				fail_msg("not found: %s", changed);
			free(changed);
		}
		free(s);
	}
	assert_true(n > 25);
	assert_non_null(acd_check(c.offer_call + 1, c.offer_agent + 1, 50, c.why, strlen(c.why)));
	centre_done(&c);
}

TEST(a_decision_with_any_number_changed_fails_the_check)
{
	all_changes_are_found(true);
	all_changes_are_found(false);
}

/* With the sum made right again, what the choice rests on is still found: the order, the winner, how many were free. */
static char *with_sum(const char *body, int64_t by)
{
	unsigned n = 0;
	char *s;

	while ((s = change_number(body, n, 0))) {
		free(s);
		n++;
	}
	return change_number(body, n - 1, by);
}

static void change_is_found(const struct centre *c, const char *from, int64_t by)
{
	const char *at = strstr(c->why, from);
	unsigned n = 0;
	char *s, *t;

	assert_non_null(at);
	for (const char *p = c->why; p < at + strlen(from); n++) {
		p += strcspn(p, "-0123456789");
		if (p >= at + strlen(from))
			break;
		p += 1 + strspn(p + 1, "0123456789");
	}
	s = change_number(c->why, n, by);
	t = with_sum(s, by);
	if (!acd_check(c->offer_call, c->offer_agent, 50, t, strlen(t)))
		fail_msg("not found: %s", t);
	free(s);
	free(t);
}

TEST(a_decision_forged_with_a_right_sum_fails_the_check_when_the_choice_does_not_follow)
{
	struct centre c;

	decide(&c, true);
	change_is_found(&c, "\"winner\":\"", 2);
	change_is_found(&c, "\"runner_up\":\"", 2);
	change_is_found(&c, "\"best\":[{\"agent\":\"1\",\"level\":", 1);       /* the winner on a worse level */
	change_is_found(&c, "\"best\":[{\"agent\":\"1\",\"level\":1,\"idle_ms\":", -1000);
	change_is_found(&c, "{\"agent\":\"5\",\"level\":1,\"idle_ms\":", 1000); /* the third idle longer than the first */
	change_is_found(&c, "\"ready\":", -7);
	change_is_found(&c, "\"refused\":", 6);
	centre_done(&c);
	decide(&c, false);
	change_is_found(&c, "\"priority\":", -1);
	change_is_found(&c, "\"waiting\":", -6);
	centre_done(&c);
}

/* ---- codecs ---- */

TEST(bad_bodies_are_refused)
{
	static const char *const bad[] = {
		"", "[]", "{", "{}", "{\"k\":\"nap\"}", "{\"k\":\"ready\",\"agent\":1}", "{\"k\":\"ready\",\"agent\":\"x\"}",
		"{\"k\":\"ready\",\"ready\":1}", "{\"k\":\"break\",\"reason\":\"0123456789012345678901234567890123456789\"}",
		"{\"k\":\"ready\",\"ms\":99999999999}", "{\"k\":\"ready\",\"k\":\"ready\"}",
		"{\"queues\":{}}", "{\"queues\":[{\"id\":\"1\"}]}", "{\"agents\":[[]]}", "{\"members\":[[\"1\",\"2\"]]}",
	};
	struct acd_conf conf;
	struct acd_in in;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(acd_in_decode(&in, 5, bad[i], strlen(bad[i])), -EINVAL);
		if (strcmp(bad[i], "{}") && !strstr(bad[i], "\"k\""))
			assert_int_equal(acd_conf_decode(&conf, bad[i], strlen(bad[i])), -EINVAL);
	}
}

TEST(a_configuration_comes_back_from_its_body)
{
	struct conf_store s;
	struct acd_conf back;
	struct strb b, again;
	struct rng r;

	rng_init(&r, 3);
	store_init(&s);
	strb_init(&b, 1 << 20);
	strb_init(&again, 1 << 20);
	make_conf(&r, &s.conf);
	acd_conf_encode(&s.conf, &b);
	assert_int_equal(acd_conf_decode(&back, b.buf, b.len), 0);
	assert_int_equal(back.queue_n, s.conf.queue_n);
	assert_memory_equal(back.members, s.members, back.member_n * sizeof(*back.members));
	acd_conf_encode(&back, &again);
	assert_string_equal(b.buf, again.buf);
	acd_conf_done(&back);
	strb_done(&b);
	strb_done(&again);
}

TEST(a_snapshot_that_contradicts_itself_is_refused)
{
	static const char *const bad[] = {
		"{\"version\":1,\"calls\":[{\"id\":\"5\",\"queue\":\"9\"}]}",
		"{\"version\":1,\"agents\":[{\"id\":\"1\",\"state\":\"ringing\",\"after\":\"ready\"}]}",
		"{\"version\":1,\"agents\":[{\"id\":\"1\",\"state\":\"ready\",\"after\":\"ready\"}]}",
		"{\"version\":2}",
		"{\"version\":1,\"refused\":[[\"1\",\"1\",5]]}",
		"{\"version\":1,\"calls\":[{\"id\":\"5\",\"queue\":\"50\",\"announce\":9}]}",
	};
	struct acd_queue_conf q = {.id = 50};
	struct acd_agent_conf g = {1, 1, 0, 0};
	struct acd_conf conf = {1, &q, 1, &g, 1, NULL, 0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct centre c;

		centre_init(&c);
		assert_int_equal(acd_configure(c.a, &conf, 0), 0);
		assert_int_equal(acd_snap_restore(c.a, bad[i], strlen(bad[i])), -EINVAL);
		centre_done(&c);
	}
}

/* ---- cost: 5,000 agents in 50 queues (three each), 10,000 waiting ---- */

static int64_t cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int by_value(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

static void count_offer(const struct acd_out *o, void *arg)
{
	struct centre *c = arg;

	if (o->kind == ACD_OUT_OFFER) {
		c->offers++;
		c->offer_id = o->offer_id;
		c->offer_agent = o->agent_id;
		c->offer_call = o->call_id;
	}
}

enum { BIG_AGENTS = 5000, BIG_QUEUES = 50, BIG_WAITING = 10000, BIG_ROUNDS = 20000 };

static void big_conf(struct acd *a)
{
	struct acd_queue_conf *queues = xcalloc(BIG_QUEUES, sizeof(*queues));
	struct acd_agent_conf *agents = xcalloc(BIG_AGENTS, sizeof(*agents));
	struct acd_member *members = xcalloc(BIG_AGENTS * 3, sizeof(*members));
	struct acd_conf conf = {1, queues, BIG_QUEUES, agents, BIG_AGENTS, members, BIG_AGENTS * 3};

	for (int i = 0; i < BIG_QUEUES; i++)
		queues[i] = (struct acd_queue_conf){.id = i + 1, .ring_ms = 20000, .wrapup_ms = 10000, .wait_max_ms = 600000};
	for (int i = 0; i < BIG_AGENTS; i++) {
		agents[i] = (struct acd_agent_conf){i + 1, 1, 0, 0};
		for (int k = 0; k < 3; k++)
			members[3 * i + k] = (struct acd_member){i + 1, 1 + (i + 17 * k) % BIG_QUEUES, 1 + k};
	}
	assert_int_equal(acd_configure(a, &conf, 0), 0);
	free(queues);
	free(agents);
	free(members);
}

/* One decision: an agent ends wrap-up and gets the best of the waiting, or (when @waiting is 0) a call finds the best agent. */
static void measure(const char *what, bool calls_wait)
{
	int64_t *ns = xcalloc(BIG_ROUNDS, sizeof(*ns)), now = 1000, call = 1;
	struct centre c = {0};
	struct rng r;

	rng_init(&r, 5);
	assert_int_equal(acd_new(&c.a, count_offer, &c), 0);
	big_conf(c.a);
	for (int i = 0; calls_wait && i < BIG_WAITING; i++)
		acd_input(c.a, &(struct acd_in){.kind = ACD_IN_ENTER, .at_ms = now++, .call_id = call++,
			.queue_id = 1 + (int64_t)rng_below(&r, BIG_QUEUES)});
	for (int i = 0; i < BIG_AGENTS; i++) {
		acd_input(c.a, &(struct acd_in){.kind = ACD_IN_LOGIN, .at_ms = now, .agent_id = i + 1, .device_up = true, .ready = true});
		if (calls_wait) /* keep as many waiting */
			acd_input(c.a, &(struct acd_in){.kind = ACD_IN_ENTER, .at_ms = now, .call_id = call++,
				.queue_id = 1 + (int64_t)rng_below(&r, BIG_QUEUES)});
	}
	for (int i = 0; i < BIG_ROUNDS; i++) {
		unsigned before = c.offers;
		struct acd_in in = {.at_ms = now, .agent_id = 1 + i % BIG_AGENTS, .call_id = call};
		int64_t t;

		if (calls_wait) { /* a ringing agent's caller hangs up: he is ready again, and gets the next */
			struct acd_agent_view v;

			acd_input(c.a, &(struct acd_in){.kind = ACD_IN_ENTER, .at_ms = now, .call_id = call++,
				.queue_id = 1 + (int64_t)rng_below(&r, BIG_QUEUES)});
			assert_int_equal(acd_agent_get(c.a, in.agent_id, &v), 0);
			in.kind = ACD_IN_LEAVE;
			in.call_id = v.call_id;
		} else {
			in.kind = ACD_IN_ENTER;
			in.queue_id = 1 + (int64_t)rng_below(&r, BIG_QUEUES);
			call++;
		}
		t = cpu_ns();
		assert_int_equal(acd_input(c.a, &in), 0);
		ns[i] = cpu_ns() - t;
		assert_int_equal(c.offers, before + 1);
		if (!calls_wait)
			acd_input(c.a, &(struct acd_in){.kind = ACD_IN_LEAVE, .at_ms = now, .call_id = in.call_id});
	}
	qsort(ns, BIG_ROUNDS, sizeof(*ns), by_value);
	print_message("%s: p50 %.1f us, p99 %.1f us, max %.1f us\n", what, ns[BIG_ROUNDS / 2] / 1e3,
		      ns[BIG_ROUNDS * 99 / 100] / 1e3, ns[BIG_ROUNDS - 1] / 1e3);
#ifndef __SANITIZE_ADDRESS__
	assert_true(ns[BIG_ROUNDS / 2] <= 50000);
	assert_true(ns[BIG_ROUNDS * 99 / 100] <= 1000000);
#endif
	free(ns);
	acd_free(c.a);
}

TEST(a_decision_among_5000_agents_and_10000_waiting_takes_at_most_50_us)
{
	measure("a call finds an agent among 5,000 free", false);
	measure("an agent gets one of 10,000 waiting calls", true);
}
