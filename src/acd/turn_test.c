/* The fair turn: what it promises, by hand and by chance. */
#include "acd/turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"

/* One draw of agents 1..n by a word such as "f-b": free, absent, busy. 0: nobody. Its body is left in @b, if any. */
static int64_t draw(struct turn *t, const char *there, struct strb *b, bool *owed)
{
	struct turn_member m[32];
	struct turn_draw d;
	size_t n = strlen(there);

	for (size_t i = 0; i < n; i++)
		m[i] = (struct turn_member){(int64_t)i + 1, there[i] == 'f' ? TURN_FREE : there[i] == 'b' ? TURN_BUSY : TURN_ABSENT};
	if (turn_next(t, &d, m, n))
		return 0;
	if (owed)
		*owed = d.owed;
	if (b) {
		strb_clear(b);
		turn_encode(t, &d, m, n, b);
	}
	return d.agent_id;
}

static void draws(const char *there, const char *expected)
{
	struct turn *t = xcalloc(1, sizeof(*t));
	char got[64] = "";

	/* @there: rounds parted by blanks */
	for (const char *p = there; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		char one[32];

		(void)snprintf(one, sizeof(one), "%.*s", (int)strcspn(p, " "), p);
		(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%lld", (long long)draw(t, one, NULL, NULL));
	}
	assert_string_equal(got, expected);
	free(t);
}

TEST(the_turn_goes_round)
{
	draws("fff fff fff fff fff", "12312");
}

TEST(who_was_absent_gets_his_turn_when_he_is_back_and_the_round_goes_on_where_it_was)
{
	draws("f-f f-f fff fff fff fff", "132123"); /* the third is what 2 was owed; then the round goes on behind 3 */
}

TEST(busy_ones_get_a_customer_only_when_nobody_is_free_and_absent_ones_never)
{
	draws("bf- bf- b-- --- fb-", "22101");
}

TEST(owed_turns_are_three_at_most)
{
	/* 2 is passed by four times, and given three; the fourth of his is the round's. */
	draws("f- f- f- f- f- ff ff ff ff ff", "1111122221");
}

TEST(nobody_there_changes_nothing)
{
	struct turn *t = xcalloc(1, sizeof(*t)), *before = xcalloc(1, sizeof(*before));

	(void)draw(t, "f-f", NULL, NULL);
	(void)draw(t, "f-f", NULL, NULL);
	*before = *t;
	assert_int_equal(draw(t, "---", NULL, NULL), 0);
	assert_memory_equal(t, before, sizeof(*t));
	free(t);
	free(before);
}

TEST(a_team_out_of_order_is_refused)
{
	struct turn_member twice[] = {{1, TURN_FREE}, {1, TURN_FREE}}, back[] = {{2, TURN_FREE}, {1, TURN_FREE}}, odd[] = {{1, 7}};
	struct turn *t = xcalloc(1, sizeof(*t));
	struct turn_draw d;

	assert_int_equal(turn_next(t, &d, twice, 2), TURN_E_ORDER);
	assert_int_equal(turn_next(t, &d, back, 2), TURN_E_ORDER);
	assert_int_equal(turn_next(t, &d, odd, 1), TURN_E_ORDER);
	assert_int_equal(turn_next(t, &d, NULL, 0), TURN_E_NOBODY);
	free(t);
}

/*
 * By chance: 12 agents, four of whom are always free; the others come, go, join and leave. Whatever they do, the four never differ by
 * more than one; what somebody is owed is given before his next regular turn; and every draw follows from the body of the one before.
 */
static void by_chance(uint64_t seed)
{
	struct turn *t = xcalloc(1, sizeof(*t));
	int counts[13] = {0}, min, max, owed_draws = 0;
	struct strb b, last;
	struct rng r;

	rng_init(&r, seed);
	strb_init(&b, 1 << 16);
	strb_init(&last, 1 << 16);
	for (int i = 0; i < 2000; i++) {
		struct turn_member m[12];
		struct turn_draw d;
		size_t n = 0;

		for (int64_t id = 1; id <= 12; id++) {
			bool always = id % 3 == 0;

			if (always || rng_below(&r, 5)) /* else he is not in the team now */
				m[n++] = (struct turn_member){id, always ? TURN_FREE : (enum turn_reach)rng_below(&r, 3)};
		}
		assert_int_equal(turn_next(t, &d, m, n), 0);
		assert_int_equal(d.reach, TURN_FREE);
		counts[d.agent_id]++;
		owed_draws += d.owed;
		assert_true(!d.owed || d.agent_id % 3);
		min = max = counts[3];
		for (int id = 6; id <= 12; id += 3) {
			min = counts[id] < min ? counts[id] : min;
			max = counts[id] > max ? counts[id] : max;
		}
		if (max - min > 1)
			fail_msg("seed %llu draw %d: %d and %d", (unsigned long long)seed, i, min, max);
		strb_clear(&b);
		turn_encode(t, &d, m, n, &b);
		assert_null(turn_check(i ? last.buf : NULL, last.len, b.buf, b.len));
		strb_clear(&last);
		strb_add(&last, b.buf, b.len);
		if (!rng_below(&r, 10)) /* a new process */
			assert_int_equal(turn_decode(t, b.buf, b.len), 0);
	}
	assert_true(owed_draws > 100);
	assert_true(counts[1] > 100 && min > 100);
	strb_done(&b);
	strb_done(&last);
	free(t);
}

TEST(those_who_are_always_there_never_differ_by_more_than_one)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		by_chance(seed);
}

/* Two of three are there by turns, never both absent for long: in the long run all three have the same. */
TEST(who_is_sometimes_away_has_as_many_in_the_end)
{
	struct turn *t = xcalloc(1, sizeof(*t));
	int counts[4] = {0};

	for (int i = 0; i < 3000; i++)
		counts[draw(t, i % 4 == 1 ? "-ff" : i % 4 == 3 ? "f-f" : "fff", NULL, NULL)]++;
	for (int id = 1; id <= 3; id++)
		assert_in_range(counts[id], 1000 - TURN_OWED_MAX, 1000 + TURN_OWED_MAX);
	free(t);
}

TEST(a_draw_that_was_altered_does_not_follow)
{
	struct turn *t = xcalloc(1, sizeof(*t));
	struct strb a, b;
	char *forged;

	strb_init(&a, 1 << 16);
	strb_init(&b, 1 << 16);
	assert_int_equal(draw(t, "f-f", &a, NULL), 1);
	assert_int_equal(draw(t, "f-f", &b, NULL), 3);
	assert_null(turn_check(a.buf, a.len, b.buf, b.len));
	assert_non_null(turn_check(NULL, 0, b.buf, b.len));
	for (const char *s = "1320"; *s; s++) {
		forged = xstrndup(b.buf, b.len);
		*(strstr(forged, "\"agent\":\"") + 9) = *s;
		assert_true((turn_check(a.buf, a.len, forged, b.len) == NULL) == (*s == '3'));
		free(forged);
	}
	strb_done(&a);
	strb_done(&b);
	free(t);
}

TEST(bad_bodies_of_draws_are_refused)
{
	static const char *const bad[] = {
		"", "{}", "[]", "{\"draw\":0,\"last\":\"1\",\"owed\":[]}", "{\"draw\":1,\"last\":1,\"owed\":[]}", "{\"draw\":1,\"last\":\"1\",\"owed\":{}}",
		"{\"draw\":1,\"last\":\"1\",\"owed\":[[\"2\",4,1]]}", "{\"draw\":1,\"last\":\"1\",\"owed\":[[2,1,1]]}", "{\"draw\":1,\"last\":\"1\",\"owed\":[[\"2\",0,1]]}",
	};
	struct turn *t = xcalloc(1, sizeof(*t));

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_not_equal(turn_decode(t, bad[i], strlen(bad[i])), 0);
	free(t);
}
