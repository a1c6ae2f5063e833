#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "campaign/guard.h"

#define DAY_MS 86400000ll
#define MIN_MS 60000ll

/* ---- hours as people write them ---- */

TEST(hours_are_read_as_people_write_them)
{
	static const struct {
		const char *text, *as;
	} good[] = {
		{"09:00-12:00,13:30-20:00", "09:00-12:00,13:30-20:00"},
		{"9:00-12:00, 13:30-20:00", "09:00-12:00,13:30-20:00"},
		{"９：００－１２：００，１３：３０—２０：００", "09:00-12:00,13:30-20:00"},
		{"9:00至11:30、14:00到18:00", "09:00-11:30,14:00-18:00"},
		{"13:30~20:00;09:00~12:00", "09:00-12:00,13:30-20:00"}, /* put in order */
		{"9-12", "09:00-12:00"},
		{"9-12,", "09:00-12:00"},
		{"0:00-24:00", "00:00-24:00"},
		{"", "00:00-24:00"},
		{"  ", "00:00-24:00"},
		{"09:00-12:00,12:00-13:00", "09:00-12:00,12:00-13:00"}, /* side by side is no overlap */
	};
	char buf[12 * HOURS_MAX + 1];
	struct hours h;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (!hours_read(&h, good[i].text))
			fail_msg("not read: %s", good[i].text);
		hours_write(buf, sizeof(buf), &h);
		assert_string_equal(buf, good[i].as);
	}
}

TEST(what_are_no_hours_is_refused)
{
	static const char *const bad[] = {
		"9", "9:00", "9:00-", "-12:00", "12:00-9:00", "9:00-9:00", "9:60-10:00", "24:01-24:02", "9:00-25:00", "9:0-10:00", "09:00-12:00 13:00-14:00x",
		"09:00-12:00,11:00-13:00", "09:00-12:00,,", "morning", "9：00－", "09:00-12:00-13:00", "123-124", "9:000-10:00", ",",
		"0-1,2-3,4-5,6-7,8-9,10-11,12-13,14-15,16-17", /* nine parts */
	};
	struct hours h;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (hours_read(&h, bad[i]))
			fail_msg("read: %s", bad[i]);
}

TEST(a_minute_is_in_both_exactly_when_it_is_in_each)
{
	struct rng rng;

	rng_init(&rng, 7);
	for (int round = 0; round < 300; round++) {
		struct hours h[2], both;

		for (int k = 0; k < 2; k++) { /* up to four parts, so that both have at most seven */
			int at = 0;

			h[k] = (struct hours){0};
			while (h[k].n < 4) {
				int from = at + 1 + (int)(rng_u64(&rng) % 400), to = from + 1 + (int)(rng_u64(&rng) % 200);

				if (to > DAY_MIN)
					break;
				h[k].span[h[k].n].from = (int16_t)from;
				h[k].span[h[k].n++].to = (int16_t)to;
				at = to;
			}
		}
		hours_both(&both, &h[0], &h[1]);
		for (int m = 0; m < DAY_MIN; m++)
			assert_int_equal(hours_has(&both, m), hours_has(&h[0], m) && hours_has(&h[1], m));
	}
}

/* ---- days ---- */

TEST(days_have_numbers_and_back)
{
	/* date -u -d 1970-01-01 +%s / 86400 and so on, by GNU date. */
	static const struct {
		int64_t day, number;
	} known[] = {{19700101, 0}, {20000229, 11016}, {20261001, 20727}, {20261122, 20779}, {20270101, 20819}, {21000301, 47541}};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		assert_int_equal(day_number(known[i].day), known[i].number);
		assert_int_equal(day_yyyymmdd(known[i].number), known[i].day);
	}
	for (int64_t n = 0; n < 60000; n++)
		assert_int_equal(day_number(day_yyyymmdd(n)), n);
}

/* What happens on which day: 2026-10-01 is a Thursday and a holiday, Saturday the 10th is worked and counts as a Wednesday. */
static const struct guard_holiday autumn[] = {
	{20261001, DAY_HOLIDAY}, {20261002, DAY_HOLIDAY}, {20261003, DAY_HOLIDAY}, {20261004, DAY_HOLIDAY}, {20261005, DAY_HOLIDAY},
	{20261006, DAY_HOLIDAY}, {20261007, DAY_HOLIDAY}, {20261010, DAY_WED},
};

static int64_t at(int64_t day, int hour, int minute)
{
	return day_number(day) * DAY_MS + hour * 3600000ll + minute * MIN_MS;
}

TEST(a_holiday_is_no_weekday_and_a_worked_saturday_is_the_day_it_stands_for)
{
	struct guard_calendar cal = {.holidays = autumn, .holiday_n = ARRAY_LEN(autumn)};

	assert_int_equal(guard_day_kind(&cal, at(20260930, 23, 59)), DAY_WED);
	assert_int_equal(guard_day_kind(&cal, at(20261001, 0, 0)), DAY_HOLIDAY);
	assert_int_equal(guard_day_kind(&cal, at(20261007, 12, 0)), DAY_HOLIDAY);
	assert_int_equal(guard_day_kind(&cal, at(20261008, 12, 0)), DAY_THU);
	assert_int_equal(guard_day_kind(&cal, at(20261010, 12, 0)), DAY_WED);
	assert_int_equal(guard_day_kind(&cal, at(20261011, 12, 0)), DAY_SUN);
}

/* ---- open and closed ---- */

static struct hours hours(const char *text)
{
	struct hours h;

	assert_true(hours_read(&h, text));
	return h;
}

static struct guard_window window(const char *region, unsigned days, const char *text)
{
	struct guard_window w = {.days = (uint8_t)days, .hours = hours(text)};

	snprintf(w.region, sizeof(w.region), "%s", region);
	return w;
}

#define WORKDAYS 0x1f
#define WEEKEND 0x60

TEST(the_customers_region_decides_which_window_counts)
{
	struct guard_window windows[] = {
		window("", WORKDAYS, "09:00-12:00,14:00-20:00"), window("", WEEKEND, "10:00-12:00"),
		window("新疆", WORKDAYS | WEEKEND, "11:00-21:00"), window("广东", WORKDAYS, "09:30-20:00"), window("广东深圳", WORKDAYS, "10:00-18:00"),
	};
	struct guard_calendar cal = {windows, ARRAY_LEN(windows), autumn, ARRAY_LEN(autumn)};
	struct hours all = hours("");
	static const struct {
		const char *city, *region;
		int64_t day;
		int hour, minute;
		bool open;
	} cases[] = {
		{"", "浙江杭州", 20260930, 9, 0, true},       /* Wednesday */
		{"", "浙江杭州", 20260930, 8, 59, false},
		{"", "浙江杭州", 20260930, 12, 0, false},     /* the end is not included */
		{"", "浙江杭州", 20260930, 13, 59, false},
		{"", "浙江杭州", 20260930, 19, 59, true},
		{"", "浙江杭州", 20261001, 10, 0, false},     /* no window names holidays */
		{"", "浙江杭州", 20261010, 9, 0, true},       /* worked Saturday */
		{"", "浙江杭州", 20261011, 9, 0, false},      /* Sunday: from 10 */
		{"", "浙江杭州", 20261011, 10, 0, true},
		{"", "新疆乌鲁木齐", 20260930, 9, 0, false},
		{"", "新疆乌鲁木齐", 20260930, 20, 59, true},
		{"", "新疆乌鲁木齐", 20261011, 11, 0, true},
		{"", "广东广州", 20260930, 9, 30, true},
		{"", "广东深圳", 20260930, 9, 30, false},     /* the longer name counts */
		{"", "广东深圳", 20260930, 18, 0, false},
		{"", "广东广州", 20261011, 10, 0, false},     /* Guangdong's windows say nothing of Sundays */
		{"新疆喀什", "浙江杭州", 20260930, 9, 0, false}, /* where she lives before where the number is at home */
		{"北京", "新疆乌鲁木齐", 20260930, 9, 0, false}, /* no window for Beijing: the number's */
		{"", "", 20260930, 9, 0, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct guard_when w = {.hours = &all, .days = DAYS_ALL, .city = cases[i].city, .region = cases[i].region};

		if (guard_is_open(&cal, &w, at(cases[i].day, cases[i].hour, cases[i].minute), NULL) != cases[i].open)
			fail_msg("case %zu", i);
	}
}

TEST(a_region_alone_with_a_window_closes_nobody_else)
{
	struct guard_window windows[] = {window("新疆", DAYS_ALL, "11:00-21:00")};
	struct guard_calendar cal = {windows, 1, NULL, 0};
	struct hours all = hours("");
	struct guard_when w = {.hours = &all, .days = DAYS_ALL, .city = "", .region = "浙江杭州"};

	assert_true(guard_is_open(&cal, &w, at(20260930, 3, 0), NULL));
	w.region = "新疆";
	assert_false(guard_is_open(&cal, &w, at(20260930, 3, 0), NULL));
}

TEST(windows_for_the_same_day_add_up)
{
	struct guard_window windows[] = {window("", DAYS_ALL, "09:00-11:00"), window("", DAYS_ALL, "10:00-12:00"), window("", DAYS_ALL, "12:00-13:00")};
	struct guard_calendar cal = {windows, 3, NULL, 0};
	struct hours all = hours("");
	struct guard_when w = {.hours = &all, .days = DAYS_ALL, .city = "", .region = ""};
	int64_t until = 0;

	assert_true(guard_is_open(&cal, &w, at(20260930, 10, 30), &until));
	assert_int_equal(until, at(20260930, 13, 0));
}

/* Minute by minute, another way: a minute is open when the campaign's hours and some window that counts for the day have it. */
static bool open_by_hand(const struct guard_calendar *cal, const struct guard_when *w, int64_t ms)
{
	int minute = (int)(ms % DAY_MS / MIN_MS), kind = guard_day_kind(cal, ms);
	int64_t day = day_yyyymmdd(ms / DAY_MS);
	bool any = false, general = false;

	if ((w->start_day && day < w->start_day) || (w->end_day && day > w->end_day) || !(w->days >> kind & 1) || !hours_has(w->hours, minute))
		return false;
	for (size_t i = 0; i < cal->window_n; i++) {
		general = true;
		any |= (cal->windows[i].days >> kind & 1) && hours_has(&cal->windows[i].hours, minute);
	}
	return any || !general;
}

static struct hours random_hours(struct rng *rng)
{
	struct hours h = {0};
	int at_min = 0;

	while (h.n < 3) {
		int from = at_min + 1 + (int)(rng_u64(rng) % 600), to = from + 1 + (int)(rng_u64(rng) % 400);

		if (to > DAY_MIN)
			break;
		h.span[h.n].from = (int16_t)from;
		h.span[h.n++].to = (int16_t)to;
		at_min = to;
	}
	return h;
}

TEST(open_and_next_open_agree_with_counting_minutes)
{
	struct rng rng;

	rng_init(&rng, 11);
	for (int round = 0; round < 60; round++) {
		struct guard_window windows[3];
		struct guard_calendar cal = {windows, rng_u64(&rng) % 3, autumn, ARRAY_LEN(autumn)};
		struct hours own = random_hours(&rng);
		struct guard_when w = {.hours = &own, .days = (uint8_t)(rng_u64(&rng) | 1), .city = "", .region = ""};
		int64_t now = at(20260925, 0, 0) + (int64_t)(rng_u64(&rng) % (20 * DAY_MS)), next, first = -1;

		for (size_t i = 0; i < cal.window_n; i++)
			windows[i] = (struct guard_window){.days = (uint8_t)rng_u64(&rng), .hours = random_hours(&rng)};
		if (rng_u64(&rng) % 2)
			w.end_day = (int32_t)day_yyyymmdd(now / DAY_MS + (int64_t)(rng_u64(&rng) % 5));
		next = guard_next_open(&cal, &w, now);
		for (int64_t m = now - now % MIN_MS; first < 0 && m < now + 12 * DAY_MS; m += MIN_MS)
			if (open_by_hand(&cal, &w, m))
				first = m < now ? now : m;
		assert_int_equal(guard_is_open(&cal, &w, now, NULL), open_by_hand(&cal, &w, now));
		if (first >= 0)
			assert_int_equal(next, first);
		else
			assert_true(next < 0 || next >= now + 12 * DAY_MS - DAY_MS);
	}
}

/* ---- verdicts ---- */

static struct guard_in fine(const struct hours *h)
{
	return (struct guard_in){
		.wall_ms = at(20260930, 10, 0), .number = true, .basis = true, .attempts_max = 6, .lead_day_max = 2, .day_max = 3, .week_max = 8, .gap_min = 5,
		.when = {.hours = h, .days = DAYS_ALL, .city = "", .region = ""},
	};
}

TEST(each_reason_is_given_with_the_time_when_it_is_over)
{
	struct hours h = hours("09:00-12:00,13:30-20:00");
	struct guard_calendar cal = {0};
	struct guard_in in = fine(&h);
	struct guard_verdict v = guard_judge(&cal, &in);

	assert_int_equal(v.why, GUARD_OK);
	assert_int_equal(v.again_ms, at(20260930, 12, 0)); /* it holds until the window closes */

#define CASE(change, reason, again)                     \
	do {                                            \
		in = fine(&h);                          \
		change;                                 \
		v = guard_judge(&cal, &in);             \
		assert_int_equal(v.why, reason);        \
		assert_int_equal(v.again_ms, again);    \
	} while (0)
	CASE(in.gone = true, GUARD_GONE, 0);
	CASE(in.dnc = true, GUARD_DNC, 0);
	CASE(in.number = false, GUARD_NUMBER, 0);
	CASE(in.attempts = 6, GUARD_ATTEMPTS, 0);
	CASE(in.attempts = 5, GUARD_OK, at(20260930, 12, 0));
	CASE((in.attempts = 60, in.attempts_max = 0), GUARD_OK, at(20260930, 12, 0));
	CASE(in.when.end_day = 20260929, GUARD_ENDED, 0);
	CASE(in.when.end_day = 20260930, GUARD_OK, at(20260930, 12, 0));
	CASE(in.when.start_day = 20261005, GUARD_HOURS, at(20261005, 9, 0));
	CASE(in.basis = false, GUARD_BASIS, at(20261001, 9, 0));
	CASE(in.taken = true, GUARD_TAKEN, at(20260930, 10, 2));
	CASE(in.lead_today = 2, GUARD_LEAD_DAY, at(20261001, 9, 0));
	CASE(in.today = 3, GUARD_DAY, at(20261001, 9, 0));
	CASE((in.week = 8, in.week_first_ms = at(20260924, 15, 0)), GUARD_WEEK, at(20261001, 15, 0)); /* seven days after the first */
	CASE((in.week = 8, in.week_first_ms = at(20260924, 12, 30)), GUARD_WEEK, at(20261001, 13, 30)); /* that is the midday break */
	CASE(in.last_ms = at(20260930, 9, 56), GUARD_GAP, at(20260930, 10, 1));
	CASE(in.last_ms = at(20260930, 9, 55), GUARD_OK, at(20260930, 12, 0));
	CASE(in.wall_ms = at(20260930, 12, 0), GUARD_HOURS, at(20260930, 13, 30));
	CASE(in.wall_ms = at(20260930, 20, 0), GUARD_HOURS, at(20261001, 9, 0));
	CASE(in.when.days = 1 << DAY_MON, GUARD_HOURS, at(20261005, 9, 0));
	/* What is for good is said before what passes. */
	CASE((in.dnc = true, in.today = 3, in.wall_ms = at(20260930, 23, 0)), GUARD_DNC, 0);
#undef CASE
}

TEST(a_verdict_never_lets_pass_what_a_rule_forbids_and_always_says_a_later_time)
{
	struct guard_calendar cal = {.holidays = autumn, .holiday_n = ARRAY_LEN(autumn)};
	struct rng rng;

	rng_init(&rng, 3);
	for (int i = 0; i < 20000; i++) {
		struct hours h = random_hours(&rng);
		struct guard_in in = fine(&h);
		struct guard_verdict v;

		in.wall_ms = at(20260925, 0, 0) + (int64_t)(rng_u64(&rng) % (20 * DAY_MS));
		in.gone = !(rng_u64(&rng) % 20);
		in.dnc = !(rng_u64(&rng) % 10);
		in.number = rng_u64(&rng) % 10;
		in.basis = rng_u64(&rng) % 10;
		in.taken = !(rng_u64(&rng) % 10);
		in.attempts = (int32_t)(rng_u64(&rng) % 8);
		in.lead_today = (int32_t)(rng_u64(&rng) % 4);
		in.today = (int32_t)(rng_u64(&rng) % 5);
		in.week = (int32_t)(rng_u64(&rng) % 10);
		in.week_first_ms = in.wall_ms - (int64_t)(rng_u64(&rng) % (7 * DAY_MS));
		in.last_ms = in.wall_ms - (int64_t)(rng_u64(&rng) % (10 * MIN_MS));
		v = guard_judge(&cal, &in);
		if (v.why == GUARD_OK) {
			assert_true(in.number && in.basis && !in.gone && !in.dnc && !in.taken && in.attempts < 6 && in.lead_today < 2 && in.today < 3 && in.week < 8);
			assert_true(in.last_ms + 5 * MIN_MS <= in.wall_ms);
			assert_true(guard_is_open(&cal, &in.when, in.wall_ms, NULL));
			assert_true(guard_is_open(&cal, &in.when, v.again_ms - 1, NULL));
			assert_true(v.again_ms > in.wall_ms);
		} else if (v.again_ms) {
			assert_true(v.again_ms > in.wall_ms);
			assert_true(guard_is_open(&cal, &in.when, v.again_ms, NULL) || guard_next_open(&cal, &in.when, v.again_ms) < 0);
		}
	}
}
