#include "base/test.h"

#include "sim/city.h"

#include <stdio.h>

#define N 40000

static const struct city_conf conf = {.seed = 5, .answer = 0.3, .talk_s = 135};

static void number(char *buf, size_t size, int i)
{
	(void)snprintf(buf, size, "138%08d", i);
}

TEST(a_number_keeps_its_nature_and_chance_does_the_rest)
{
	struct city_call a, b;
	struct rng r;
	unsigned empty = 0, differ = 0;
	char n[24];

	rng_init(&r, 1);
	for (int i = 0; i < N; i++) {
		number(n, sizeof(n), i);
		city_call(&a, &conf, n, 10, &r);
		do /* the carrier may be full at any time */
			city_call(&b, &conf, n, 10, &r);
		while (b.does == CITY_CONGESTED);
		if (a.does == CITY_EMPTY) {
			assert_int_equal(b.does, CITY_EMPTY);
			assert_int_equal(a.code, b.code);
			empty++;
		}
		differ += a.does != b.does;
	}
	assert_in_range(empty, N * 7 / 100, N * 9 / 100);
	assert_true(differ > N / 4);
}

/* Of people who exist and are not switched off or busy, a share of answer x hour answers: 0.3 x 1.1 at ten. */
TEST(ordinary_people_answer_as_often_as_they_should)
{
	unsigned by[CITY_DOES_COUNT] = {0}, people;
	struct city_call c;
	struct rng r;
	char n[24];

	rng_init(&r, 2);
	for (int i = 0; i < N; i++) {
		number(n, sizeof(n), i);
		city_call(&c, &conf, n, 10, &r);
		by[c.does]++;
		assert_true(c.ring_ms >= 500 && c.ring_ms < 60000);
		assert_int_equal(c.code == 0, c.does == CITY_ANSWERS || c.does == CITY_ASSISTANT);
		assert_int_equal(c.talk_ms > 0, c.code == 0);
	}
	people = by[CITY_ANSWERS] + by[CITY_REJECTS] + by[CITY_ASSISTANT] + by[CITY_NO_ANSWER];
	assert_in_range(by[CITY_ANSWERS], people * 31 / 100, people * 35 / 100);
	for (int d = 0; d < CITY_DOES_COUNT; d++)
		assert_true(by[d] > 0);
	for (int i = 0; i < 1000; i++) {
		number(n, sizeof(n), i);
		city_call(&c, &conf, n, 3, &r);
		assert_int_not_equal(c.does, CITY_ANSWERS);
	}
}

TEST(hours_average_to_one_over_a_working_day)
{
	double sum = 0;

	for (int h = 9; h <= 20; h++)
		sum += city_hour(h);
	assert_true(sum / 12 > 0.97 && sum / 12 < 1.03);
	assert_true(city_hour(-1) == 0 && city_hour(24) == 0 && city_hour(2) == 0);
}
