/* An invented table: prefixes that nobody has, of places that exist. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "number/region.h"

static const struct num_place shenzhen = {"广东", "深圳", "755", "mobile"}, hangzhou = {"浙江", "杭州", "571", "telecom"},
			      beijing = {"北京", "北京", "10", "unicom"}, nowhere = {.carrier = "mobile"}, no_area = {"广东", "深圳", "", ""};

static void publish(const char *prefix, const struct num_place *p, ...)
{
	struct num_prefixes *t = num_prefixes_new();
	va_list ap;

	va_start(ap, p);
	while (prefix) {
		assert_int_equal(num_prefixes_add(t, prefix, p), 0);
		prefix = va_arg(ap, const char *);
		p = prefix ? va_arg(ap, const struct num_place *) : NULL;
	}
	va_end(ap);
	num_prefixes_publish(t);
}

static void says(const char *number, const char *zh, const char *en)
{
	char buf[NUM_REGION_MAX];

	(void)num_region_text(buf, sizeof(buf), number, "", "zh");
	assert_string_equal(buf, zh);
	(void)num_region_text(buf, sizeof(buf), number, "", "en");
	assert_string_equal(buf, en);
}

TEST(prefix_the_longest_wins_and_the_table_over_the_library)
{
	says("13800138000", "北京市", "Beijing");
	publish("138", &shenzhen, "1380013", &hangzhou, "138001380", &beijing, NULL);
	says("13800138000", "北京", "Beijing");
	says("13800139000", "浙江杭州", "Hangzhou, Zhejiang");
	says("13900139000", "上海市", "Shanghai"); /* not in the table */
	says("13812345678", "广东深圳", "Shenzhen, Guangdong");
	num_prefixes_publish(NULL);
	says("13800138000", "北京市", "Beijing");
}

TEST(prefix_fixed_lines_with_their_zero_and_short_ones)
{
	publish("0755", &hangzhou, "400800", &shenzhen, "95588", &beijing, NULL);
	says("0755-23456789", "浙江杭州", "Hangzhou, Zhejiang");
	says("400-800-1234", "广东深圳", "Shenzhen, Guangdong");
	says("95588", "北京", "Beijing");
	says("+85221234567", "中国香港特别行政区", "Hong Kong SAR China");
	num_prefixes_publish(NULL);
}

TEST(prefix_without_a_place_leaves_the_library_its_say)
{
	publish("1380013", &nowhere, NULL);
	says("13800138000", "北京市", "Beijing");
	num_prefixes_publish(NULL);
}

TEST(prefix_the_last_of_equal_ones_counts_in_any_order)
{
	publish("1990", &beijing, "1380", &shenzhen, "1990", &hangzhou, NULL);
	says("19901234567", "浙江杭州", "Hangzhou, Zhejiang");
	says("13801234567", "广东深圳", "Shenzhen, Guangdong");
	assert_int_equal(num_prefixes_info().rows, 2);
	num_prefixes_publish(NULL);
	assert_int_equal(num_prefixes_info().rows, 0);
}

TEST(prefix_refuses_what_is_none)
{
	static const char *const bad[] = {"", "13", "1380013800", "13a", "+86138", " 138"};
	struct num_prefixes *t = num_prefixes_new();

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(num_prefixes_add(t, bad[i], &beijing), -EINVAL);
	num_prefixes_free(t);
}

/* A mobile range that libphonenumber does not know was another city's, and dialled with a 0; the table cures it. */
TEST(prefix_a_new_range_is_at_home_where_the_table_says)
{
	struct num n;

	assert_true(num_read(&n, "16012345678", ""));
	assert_int_equal(n.kind, NUM_MOBILE);
	assert_int_equal(num_city_of(&n, "755"), NUM_CITY_UNKNOWN);
	publish("1601234", &shenzhen, NULL);
	assert_int_equal(num_city_of(&n, "755"), NUM_CITY_HOME);
	assert_int_equal(num_city_of(&n, "571"), NUM_CITY_OTHER);
	assert_int_equal(num_city_of(&n, ""), NUM_CITY_UNKNOWN);
	publish("1601234", &no_area, NULL);
	assert_int_equal(num_city_of(&n, "755"), NUM_CITY_HOME);
	assert_int_equal(num_city_of(&n, "571"), NUM_CITY_OTHER);
	publish("1601234", &nowhere, NULL);
	assert_int_equal(num_city_of(&n, "755"), NUM_CITY_UNKNOWN);
	num_prefixes_publish(NULL);
}

TEST(prefix_says_why)
{
	struct num_region r;
	struct num n;

	publish("1601234", &shenzhen, NULL);
	(void)num_read(&n, "16012345678", "");
	assert_true(num_region_of(&r, &n, "zh"));
	assert_int_equal(r.why, NUM_R_TABLE);
	assert_string_equal(r.prefix, "1601234");
	assert_string_equal(num_carrier_name(r.place.carrier, "en"), "China Mobile");
	num_prefixes_publish(NULL);
	assert_false(num_region_of(&r, &n, "zh"));
	assert_int_equal(r.why, NUM_R_NONE);
	(void)num_read(&n, "010-62345678", "");
	assert_true(num_region_of(&r, &n, "en"));
	assert_int_equal(r.why, NUM_R_LIBRARY);
	assert_string_equal(r.text, "Beijing");
}

TEST(prefix_names_of_numbers_without_a_home)
{
	says("110", "报警", "Police");
	says("95588", "中国工商银行", "ICBC");
	says("95000", "全国服务号码", "Service number, nationwide");
	says("12345", "政务服务便民热线", "Government services");
	says("96110", "本地服务号码", "Local service number");
	says("4008001234", "400 电话（全国）", "400 number, nationwide");
	says("8008101234", "800 免费电话（全国）", "800 freephone, nationwide");
	says("2001", "", "");
	says("not a number", "", "");
}

#define ROWS 500000
static void *ask_on(void *arg)
{
	volatile bool *stop = arg;
	struct num_place p;
	size_t found = 0;

	while (!*stop)
		found += num_prefix_find(&p, "13800138000") != 0;
	return (void *)found; // NOLINT
}

/* Half a million rows: six bytes each; tables change while others ask. */
TEST(prefix_half_a_million_rows_are_small_and_change_under_questions)
{
	volatile bool stop = false;
	pthread_t th;

	assert_int_equal(pthread_create(&th, NULL, ask_on, (void *)&stop), 0);
	for (int round = 0; round < 3; round++) {
		struct num_prefixes *t = num_prefixes_new();
		struct num_place p = shenzhen;

		for (unsigned i = 0; i < ROWS; i++) {
			char prefix[16];

			(void)snprintf(prefix, sizeof(prefix), "%u", 1300000 + i);
			(void)snprintf(p.city, sizeof(p.city), "市%u", i % 400);
			assert_int_equal(num_prefixes_add(t, prefix, &p), 0);
		}
		num_prefixes_publish(t);
	}
	assert_int_equal(num_prefixes_info().rows, ROWS);
	assert_int_equal(num_prefixes_info().places, 400);
	assert_true(num_prefixes_info().bytes < 4 << 20);
	stop = true;
	(void)pthread_join(th, NULL);
	says("17999991234", "广东市399", "Shenzhen, Guangdong");
	num_prefixes_publish(NULL);
}
