/* Cases from the numbering plan of the mainland (MIIT, 电信网编号计划, 2017) and ITU-T E.164; properties over made numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "number/region.h"

static void reads(const char *text, const char *area, enum num_kind kind, const char *canonical)
{
	struct num n;

	assert_int_equal(num_read(&n, text, area), kind != NUM_BAD);
	if (n.kind != kind || strcmp(n.text, canonical))
		fail_msg("%s (area %s): %s %s, expected %s %s", text, area, num_kind_name(n.kind), n.text, num_kind_name(kind), canonical);
}

TEST(number_is_read_as_the_numbering_plan_says)
{
	static const struct {
		const char *text, *area;
		enum num_kind kind;
		const char *canonical;
	} all[] = {
		/* mobiles, with and without the long-distance 0 and the country */
		{"13800138000", "", NUM_MOBILE, "+8613800138000"},
		{"013800138000", "755", NUM_MOBILE, "+8613800138000"},
		{"+8613800138000", "", NUM_MOBILE, "+8613800138000"},
		{"008613800138000", "", NUM_MOBILE, "+8613800138000"},
		{"8613800138000", "", NUM_MOBILE, "+8613800138000"},
		{"+86 138-0013-8000", "", NUM_MOBILE, "+8613800138000"},
		{"+86 (0)13800138000", "", NUM_MOBILE, "+8613800138000"},
		{"１３８００１３８０００", "", NUM_MOBILE, "+8613800138000"},
		{"＋８６　１３８－００１３－８０００", "", NUM_MOBILE, "+8613800138000"},
		{"19912345678", "", NUM_MOBILE, "+8619912345678"},
		{"16612345678", "", NUM_MOBILE, "+8616612345678"},
		{"tel:+8613800138000", "", NUM_MOBILE, "+8613800138000"},
		/* fixed lines: two-digit and three-digit areas, seven and eight digits */
		{"010-62345678", "", NUM_FIXED, "+861062345678"},
		{"（010）62345678", "", NUM_FIXED, "+861062345678"},
		{"0755 2345 6789", "", NUM_FIXED, "+8675523456789"},
		{"0951-6012345", "", NUM_FIXED, "+869516012345"},
		{"0991.2345678", "", NUM_FIXED, "+869912345678"},
		{"02123456789", "", NUM_FIXED, "+862123456789"},
		{"+861062345678", "755", NUM_FIXED, "+861062345678"},
		{"861062345678", "", NUM_FIXED, "+861062345678"},
		{"62345678", "10", NUM_FIXED, "+861062345678"},
		{"62345678", "", NUM_LOCAL, "62345678"},
		{"6234567", "991", NUM_FIXED, "+869916234567"},
		{"075595588", "", NUM_FIXED, "+8675595588"},
		{"01012345", "755", NUM_FIXED, "+861012345"},
		/* 400, 800, short codes: the same from everywhere */
		{"400-800-1234", "10", NUM_SHARED, "+864008001234"},
		{"+864008001234", "", NUM_SHARED, "+864008001234"},
		{"8008101234", "", NUM_FREE, "+868008101234"},
		{"95588", "755", NUM_SERVICE, "95588"},
		{"9501312345", "", NUM_OTHER, "9501312345"}, /* ten digits are too many */
		{"95013123", "", NUM_SERVICE, "95013123"},
		{"+8695588", "", NUM_SERVICE, "95588"},
		{"10086", "", NUM_SERVICE, "10086"},
		{"12345", "10", NUM_SERVICE, "12345"},
		{"114", "", NUM_SERVICE, "114"},
		{"10105757", "", NUM_SERVICE, "10105757"},
		{"110", "10", NUM_EMERGENCY, "110"},
		{"120", "", NUM_EMERGENCY, "120"},
		{"+86119", "", NUM_EMERGENCY, "119"},
		{"122", "", NUM_EMERGENCY, "122"},
		{"16885888", "", NUM_PREMIUM, "16885888"},
		{"96888123", "", NUM_PREMIUM, "96888123"},
		{"118114", "", NUM_PREMIUM, "118114"},
		{"075516812345", "", NUM_PREMIUM, "+8675516812345"},
		/* abroad; Hong Kong, Macao and Taiwan have country codes of their own */
		{"00852-2123 4567", "755", NUM_ABROAD, "+85221234567"},
		{"+1 202 555 0100", "", NUM_ABROAD, "+12025550100"},
		{"0044 20 7946 0000", "", NUM_ABROAD, "+442079460000"},
		{"+886223456789", "", NUM_ABROAD, "+886223456789"},
		{"00012345", "", NUM_ABROAD, "00012345"},
		{"00", "", NUM_ABROAD, "00"},
		/* the exchange behind a trunk, commands, nonsense */
		{"2001", "755", NUM_SHORT, "2001"},
		{"*72", "", NUM_CODE, "*72"},
		{"**21*13800138000#", "", NUM_CODE, "**21*13800138000#"},
		{"1795100120255501", "", NUM_OTHER, "1795100120255501"},
		{"0555123", "", NUM_FIXED, "+86555123"}, /* 0555 and a short code of that area */
		{"05550000", "", NUM_OTHER, "05550000"},
		{"", "", NUM_BAD, ""},
		{"+", "", NUM_BAD, ""},
		{"anonymous", "", NUM_BAD, ""},
		{"138x", "", NUM_BAD, ""},
		{"1+3", "", NUM_BAD, ""},
		{"123456789012345678901234567890123", "", NUM_BAD, ""}, /* 33 digits */
		{"+4305471109008521289094210940661", "", NUM_BAD, ""},  /* 31: with 00 they would be 33 */
		{"+430547110900852128909421094066", "", NUM_ABROAD, "00430547110900852128909421094066"},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		reads(all[i].text, all[i].area, all[i].kind, all[i].canonical);
}

TEST(number_has_country_and_area)
{
	struct num n;

	assert_true(num_read(&n, "0755-23456789", ""));
	assert_int_equal(n.cc, 86);
	assert_string_equal(n.area, "755");
	assert_true(num_read(&n, "+85221234567", ""));
	assert_int_equal(n.cc, 852);
	assert_true(num_read(&n, "+12025550100", ""));
	assert_int_equal(n.cc, 1);
	assert_true(num_read(&n, "+442079460000", ""));
	assert_int_equal(n.cc, 44);
}

TEST(area_codes_are_told_from_what_is_none)
{
	char a[5];

	assert_true(num_area(a, "010"));
	assert_string_equal(a, "10");
	assert_true(num_area(a, "755"));
	assert_string_equal(a, "755");
	assert_true(num_area(a, ""));
	assert_string_equal(a, "");
	assert_false(num_area(a, "26"));   /* there is no 026 */
	assert_false(num_area(a, "7555"));
	assert_false(num_area(a, "400"));
	assert_false(num_area(a, "07x"));
	assert_false(num_area(a, "00755"));
}

TEST(number_is_written_in_every_form)
{
	static const struct {
		const char *number, *area;
		enum num_city city;
		const char *out[NUM_FORMS]; /* raw e164 bare intl national local */
	} all[] = {
		{"13800138000", "10", NUM_CITY_HOME,
		 {"+8613800138000", "+8613800138000", "8613800138000", "008613800138000", "13800138000", "13800138000"}},
		{"13800138000", "10", NUM_CITY_OTHER,
		 {"+8613800138000", "+8613800138000", "8613800138000", "008613800138000", "13800138000", "013800138000"}},
		{"01062345678", "10", 0, {"+861062345678", "+861062345678", "861062345678", "00861062345678", "01062345678", "62345678"}},
		{"075523456789", "10", 0,
		 {"+8675523456789", "+8675523456789", "8675523456789", "008675523456789", "075523456789", "075523456789"}},
		{"01095588", "10", 0, {"+861095588", "+861095588", "861095588", "00861095588", "01095588", "01095588"}},
		{"4008001234", "10", 0,
		 {"+864008001234", "+864008001234", "864008001234", "00864008001234", "4008001234", "4008001234"}},
		{"0085221234567", "10", 0,
		 {"+85221234567", "+85221234567", "85221234567", "0085221234567", "0085221234567", "0085221234567"}},
		{"110", "10", 0, {"110", "110", "110", "110", "110", "110"}},
		{"95588", "10", 0, {"95588", "95588", "95588", "95588", "95588", "95588"}},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (int f = 0; f < NUM_FORMS; f++) {
			char out[NUM_MAX];
			struct num n;

			assert_true(num_read(&n, all[i].number, all[i].area));
			num_write(out, &n, (enum num_form)f, all[i].area, all[i].city);
			assert_string_equal(out, all[i].out[f]);
		}
}

TEST(number_is_shown_in_groups)
{
	static const char *const all[][2] = {
		{"13800138000", "138 0013 8000"}, {"01062345678", "010-62345678"}, {"4008001234", "400-800-1234"},
		{"0085221234567", "+852 21234567"}, {"95588", "95588"}, {"2001", "2001"}, {"+12025550100", "+1 2025550100"},
	};
	char buf[NUM_MAX + 8];
	struct num n;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		assert_true(num_read(&n, all[i][0], ""));
		num_show(buf, sizeof(buf), &n);
		assert_string_equal(buf, all[i][1]);
	}
}

TEST(hidden_callers_are_recognised)
{
	assert_true(num_is_hidden("anonymous", "anonymous.invalid", NULL));
	assert_true(num_is_hidden("x", "ANONYMOUS.invalid", NULL));
	assert_true(num_is_hidden("Unknown", "192.0.2.1", NULL));
	assert_true(num_is_hidden("", NULL, NULL));
	assert_true(num_is_hidden("13800138000", NULL, "id"));
	assert_true(num_is_hidden("13800138000", NULL, "critical; id"));
	assert_true(num_is_hidden("13800138000", NULL, "user;header"));
	assert_false(num_is_hidden("13800138000", "192.0.2.1", "none"));
	assert_false(num_is_hidden("13800138000", NULL, "idle"));
	assert_false(num_is_hidden("13800138000", NULL, NULL));
}

/* ---- properties ---- */

static unsigned long long made;

static unsigned draw(unsigned n)
{
	made = made * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(made >> 33) % n;
}

/* A number that somebody may dial, of any kind. */
static const char *make(char *buf)
{
	static const char *const heads[] = {"1", "13", "01", "00", "0086", "+86", "+", "86", "95", "96", "400", "800", "0", "010", "0755", "10", "2", "6", ""};
	static const char chars[] = "0123456789012345678901234567890123456789*#";
	size_t n = (size_t)sprintf(buf, "%s", heads[draw(ARRAY_LEN(heads))]), len = n + draw(13);

	while (n < len)
		buf[n++] = chars[draw(draw(8) ? 40 : 42)];
	buf[n] = '\0';
	return buf;
}

static const char *const areas[] = {"", "10", "21", "755", "951"};

TEST(reading_again_changes_nothing)
{
	char text[64];

	made = 1;
	for (int i = 0; i < 300000; i++) {
		const char *area = areas[draw(ARRAY_LEN(areas))];
		struct num n, again;

		if (!num_read(&n, make(text), area))
			continue;
		assert_true(strlen(n.text) < NUM_MAX);
		if (!num_read(&again, n.text, area) || again.kind != n.kind || strcmp(again.text, n.text) || strcmp(again.area, n.area) || again.cc != n.cc)
			fail_msg("%s area %s: %s %s, again %s %s", text, area, num_kind_name(n.kind), n.text, num_kind_name(again.kind), again.text);
	}
}

/* What has a place in the plan survives every form; what fits nothing may be read as something else. */
TEST(what_is_written_in_a_form_is_read_back)
{
	char text[64], out[NUM_MAX];
	int seen[NUM_KINDS] = {0};

	made = 2;
	for (int i = 0; i < 300000; i++) {
		const char *area = areas[draw(ARRAY_LEN(areas))];
		enum num_form f = (enum num_form)draw(NUM_FORMS);
		struct num n, again;

		if (!num_read(&n, make(text), area) || n.kind == NUM_OTHER || (n.kind == NUM_ABROAD && !n.cc))
			continue;
		if (f == NUM_F_BARE && (strlen(n.text) < 8 || (n.kind == NUM_FIXED && strlen(n.text) < 11)))
			continue; /* +852123 is no whole number; 86 and another area's short code look like a subscriber */
		num_write(out, &n, f, area, (enum num_city)draw(3));
		if (!num_read_form(&again, out, f, area) || again.kind != n.kind || strcmp(again.text, n.text)) {
			/* Bare digits of a country that begin like a short code of ours. */
			if (f == NUM_F_BARE && n.kind == NUM_ABROAD && strlen(n.text) <= 11)
				continue;
			fail_msg("%s area %s: %s %s as %s is %s, read as %s %s", text, area, num_kind_name(n.kind), n.text, num_form_name(f), out,
				 num_kind_name(again.kind), again.text);
		}
		seen[n.kind]++;
	}
	for (int k = NUM_MOBILE; k < NUM_OTHER; k++)
		assert_true(seen[k] > 20);
}

TEST(region_is_told_in_both_languages)
{
	static const char *const all[][3] = {
		{"13510000000", "广东省深圳市", "Shenzhen, Guangdong"},
		{"01062345678", "北京市", "Beijing"},
		{"+442079460000", "英国", "London"},
		{"95588", "中国工商银行", "ICBC"}, {"2001", "", ""},
	};
	char buf[128];
	struct num n;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		assert_true(num_read(&n, all[i][0], ""));
		assert_int_equal(num_region(buf, sizeof(buf), &n, "zh"), *all[i][1] != 0);
		assert_string_equal(buf, all[i][1]);
		assert_int_equal(num_region(buf, sizeof(buf), &n, "en"), *all[i][2] != 0);
		assert_string_equal(buf, all[i][2]);
	}
}

TEST(mobiles_are_at_home_in_one_city)
{
	struct num n;

	assert_true(num_read(&n, "13510000000", ""));
	assert_int_equal(num_city_of(&n, "755"), NUM_CITY_HOME);
	assert_int_equal(num_city_of(&n, "10"), NUM_CITY_OTHER);
	assert_int_equal(num_city_of(&n, ""), NUM_CITY_UNKNOWN);
	assert_true(num_read(&n, "13800138000", ""));
	assert_int_equal(num_city_of(&n, "10"), NUM_CITY_HOME);
	assert_true(num_read(&n, "01062345678", ""));
	assert_int_equal(num_city_of(&n, "10"), NUM_CITY_UNKNOWN);
}
