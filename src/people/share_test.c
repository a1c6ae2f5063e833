/* Dealing by a seeded draw. The expected deal of ten among three was computed with Python's hashlib by the rule in the header. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "people/share.h"

static void deal(size_t n, struct share_person *people, size_t m, const char *seed, struct share_thing *things)
{
	for (size_t i = 0; i < n; i++)
		things[i] = (struct share_thing){.id = (int64_t)i + 1};
	share_deal(things, n, people, m, seed);
}

TEST(ten_among_three_are_dealt_as_the_rule_says)
{
	static const int64_t order[] = {2, 8, 1, 5, 4, 3, 6, 7, 10, 9}, who[] = {101, 101, 101, 101, 103, 103, 103, 102, 102, 102};
	struct share_person p[] = {{.id = 101, .weight = 1, .cap = -1}, {.id = 102, .weight = 1, .cap = -1}, {.id = 103, .weight = 1, .cap = -1}};
	struct share_thing t[10];

	deal(10, p, 3, "2026-11-22", t);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(t[i].id, order[i]);
		assert_int_equal(p[t[i].to].id, who[i]);
	}
	assert_memory_equal(t[2].draw, "\x73\x32\x0a\xdd", 4); /* of "2026-11-22:1" */
}

TEST(order_of_what_comes_in_does_not_matter)
{
	struct share_person p[] = {{.id = 103, .weight = 1, .cap = -1}, {.id = 101, .weight = 1, .cap = -1}, {.id = 102, .weight = 1, .cap = -1}};
	struct share_thing t[10];

	for (size_t i = 0; i < 10; i++)
		t[i] = (struct share_thing){.id = 10 - (int64_t)i};
	share_deal(t, 10, p, 3, "2026-11-22");
	assert_int_equal(t[0].id, 2);
	assert_int_equal(p[t[0].to].id, 101);
	assert_int_equal(t[9].id, 9);
	assert_int_equal(p[t[9].to].id, 102);
}

TEST(equal_weights_differ_by_one_at_most_whatever_the_numbers)
{
	for (size_t m = 1; m <= 12; m++)
		for (int64_t n = 0; n < 60; n++) {
			struct share_person p[12];
			int64_t least = INT64_MAX, most = 0, sum = 0;

			for (size_t i = 0; i < m; i++)
				p[i] = (struct share_person){.id = (int64_t)i + 7, .weight = 3, .cap = -1};
			share_counts(p, m, n, "x");
			for (size_t i = 0; i < m; i++) {
				least = p[i].n < least ? p[i].n : least;
				most = p[i].n > most ? p[i].n : most;
				sum += p[i].n;
			}
			assert_int_equal(sum, n);
			assert_true(most - least <= 1);
		}
}

TEST(weights_give_nobody_a_whole_one_more_or_less)
{
	static const unsigned weights[] = {5, 3, 1, 1};

	for (int64_t n = 0; n < 100; n++) {
		struct share_person p[4];
		int64_t sum = 0;

		for (size_t i = 0; i < 4; i++)
			p[i] = (struct share_person){.id = (int64_t)i + 1, .weight = weights[i], .cap = -1};
		share_counts(p, 4, n, "w");
		for (size_t i = 0; i < 4; i++) {
			int64_t off = p[i].n * 10 - n * weights[i]; /* tenths: the weights are ten together */

			assert_true(off > -10 && off < 10);
			sum += p[i].n;
		}
		assert_int_equal(sum, n);
	}
}

TEST(caps_hold_and_what_they_leave_goes_to_the_others)
{
	struct share_person p[] = {{.id = 1, .weight = 1, .cap = 2}, {.id = 2, .weight = 1, .cap = -1}, {.id = 3, .weight = 2, .cap = 5}};

	share_counts(p, 3, 20, "c"); /* 5:5:10 at first; 2 and 5 are full, the second takes 13 */
	assert_int_equal(p[0].n, 2);
	assert_int_equal(p[1].n, 13);
	assert_int_equal(p[2].n, 5);
	p[1].cap = 4;
	share_counts(p, 3, 20, "c");
	assert_int_equal(p[0].n + p[1].n + p[2].n, 11);
}

TEST(what_no_cap_leaves_room_for_stays_undealt)
{
	struct share_person p[] = {{.id = 1, .weight = 1, .cap = 2}, {.id = 2, .weight = 0, .cap = -1}, {.id = 3, .weight = 1, .cap = 0}};
	struct share_thing t[5];
	size_t none = 0;

	deal(5, p, 3, "s", t);
	for (size_t i = 0; i < 5; i++)
		if (t[i].to == SHARE_NONE) {
			none++;
			assert_true(i >= 2); /* the last in the order of draws */
		} else {
			assert_int_equal(p[t[i].to].id, 1);
		}
	assert_int_equal(none, 3);
}

TEST(another_seed_is_another_deal)
{
	struct share_person p[] = {{.id = 1, .weight = 1, .cap = -1}, {.id = 2, .weight = 1, .cap = -1}};
	struct share_thing a[40], b[40];
	size_t same = 0;

	deal(40, p, 2, "one", a);
	deal(40, p, 2, "two", b);
	for (size_t i = 0; i < 40; i++)
		same += a[i].id == b[i].id;
	assert_true(same < 20);
}
