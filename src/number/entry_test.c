/* What people write in cells, with what they mean: expected values by hand, from the numbering plan of the mainland and ITU-T E.164. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "number/entry.h"

/* "+8613800138000 self x8001; !letters": what was read, one after the other. */
static void describe(char *buf, size_t size, const char *text, const char *area)
{
	struct num_entry e[8];
	size_t n = num_entries(e, ARRAY_LEN(e), text, area);

	buf[0] = '\0';
	for (size_t i = 0; i < n && i < ARRAY_LEN(e); i++) {
		char one[120];

		(void)snprintf(one, sizeof(one), "%s%s%s%s%s%s%s%s", i ? "; " : "", e[i].why ? "!" : "", e[i].why ? num_entry_why_name(e[i].why) : "",
			       e[i].why ? "" : e[i].num.text, e[i].label ? " " : "", num_entry_label_name(e[i].label), e[i].extension[0] ? " x" : "",
			       e[i].extension);
		(void)snprintf(buf + strlen(buf), size - strlen(buf), "%s", one);
	}
}

static void means(const char *text, const char *area, const char *expected)
{
	char got[600];

	describe(got, sizeof(got), text, area);
	if (strcmp(got, expected) != 0)
		fail_msg("\"%s\" (area %s): \"%s\", expected \"%s\"", text, area, got, expected);
}

struct row {
	const char *text, *expected;
};

static void all_mean(const struct row *rows, size_t n, const char *area)
{
	for (size_t i = 0; i < n; i++)
		means(rows[i].text, area, rows[i].expected);
}

TEST(entry_one_mobile_in_every_dress)
{
	static const char *const all[] = {
		"13800138000", "138 0013 8000", "138-0013-8000", "138.0013.8000", "1 3 8 0 0 1 3 8 0 0 0", "(138)00138000", "１３８００１３８０００",
		"１３８－００１３－８０００", "138　0013　8000", "+8613800138000", "+86 138 0013 8000", "+86-13800138000", "(+86)13800138000", "＋８６ 13800138000",
		"0086 13800138000", "008613800138000", "86 13800138000", "86-138-0013-8000", "013800138000", "0138 0013 8000", "13800138000.0",
		"13800138000.00", "1.3800138000E+10", "1.3800138E10", "1.3800138000e+10", "'13800138000", "‘13800138000", "\"13800138000\"",
		" 13800138000 ", "\t13800138000\r\n", "13800138000;", "13800138000，", "/13800138000", "手机:13800138000", "手机：13800138000", "手机 13800138000",
		"手机号码13800138000", "Tel: 13800138000", "MOBILE13800138000", "13800138000微信同号", "13800138000（张先生）", "张三 13800138000",
		"张三13800138000", "张三：13800138000", "Li: 13800138000", "13800138000(Li)", "138\xe2\x80\x8b""00138000", "\xef\xbb\xbf""13800138000", "138—0013—8000",
		"【13800138000】", "_13800138000_", "(86)13800138000", "8613800138000.0",
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		means(all[i], "571", "+8613800138000");
}

TEST(entry_fixed_lines_and_the_centres_area)
{
	static const struct row all[] = {
		{"0571-88123456", "+8657188123456"}, {"057188123456", "+8657188123456"}, {"0571 8812 3456", "+8657188123456"},
		{"(0571)88123456", "+8657188123456"}, {"（0571）8812-3456", "+8657188123456"}, {"0571/88123456", "+8657188123456"},
		{"0571 / 88123456", "+8657188123456"}, {"+86 571 88123456", "+8657188123456"}, {"+86 (0)571 88123456", "+8657188123456"},
		{"86-0571-88123456", "+8657188123456"}, {"88123456", "+8657188123456"}, {"8812 3456", "+8657188123456"}, {"8812-3456", "+8657188123456"},
		{"88123456.0", "+8657188123456"}, {"010-62345678", "+861062345678"}, {"021 6234 5678", "+862162345678"}, {"0951-6012345", "+869516012345"},
		{"57188123456", "+8657188123456"}, {"1062345678", "+861062345678"}, {"57188123456.0", "+8657188123456"}, /* the 0 was eaten */
		{"400-800-1234", "+864008001234"}, {"4008001234", "+864008001234"}, {"800 810 1234", "+868008101234"}, {"95588", "95588"},
		{"12345", "12345"}, {"110", "110"}, {"114", "114"}, {"121", "121"}, {"10086", "10086"}, {"12315", "12315"}, {"123", "!short"}, {"118", "!short"}, {"1023", "!short"}, {"0755 95588", "+8675595588"},
	};

	all_mean(all, ARRAY_LEN(all), "571");
	means("88123456", "", "!area");
	means("8812345", NULL, "!area");
	means("88123456/13800138000", "", "!area; +8613800138000");
}

TEST(entry_extensions)
{
	static const struct row all[] = {
		{"0571-88123456转8001", "+8657188123456 x8001"}, {"0571-88123456 转 8001", "+8657188123456 x8001"}, {"057188123456转分机8001", "+8657188123456 x8001"},
		{"0571-88123456分机：8001", "+8657188123456 x8001"}, {"0571-88123456x8001", "+8657188123456 x8001"}, {"0571-88123456 X 8001", "+8657188123456 x8001"},
		{"0571-88123456 ext. 8001", "+8657188123456 x8001"}, {"0571-88123456 Ext 8001", "+8657188123456 x8001"}, {"0571-88123456-8001", "+8657188123456 x8001"},
		{"0571-88123456（8001）", "+8657188123456 x8001"}, {"0571-88123456（转8001）", "+8657188123456 x8001"}, {"0571-88123456#8001", "+8657188123456 x8001"},
		{"88123456-8001", "+8657188123456 x8001"}, {"88123456转8001", "+8657188123456 x8001"}, {"400-800-1234-5", "+864008001234 x5"},
		{"400-800-1234转5", "+864008001234 x5"}, {"18412345678-1234", "+8618412345678 x1234"}, {"010-6234-5678-601", "+861062345678 x601"},
		{"0571-88123456转8001/13800138000", "+8657188123456 x8001; +8613800138000"}, {"0571-88123456转", "+8657188123456"},
		{"0571-88123456转1234567", "!form"},
	};

	all_mean(all, ARRAY_LEN(all), "571");
}

TEST(entry_several_numbers)
{
	static const struct row all[] = {
		{"13800138000/13900139000", "+8613800138000; +8613900139000"}, {"13800138000、13900139000", "+8613800138000; +8613900139000"},
		{"13800138000;13900139000", "+8613800138000; +8613900139000"}, {"13800138000；13900139000", "+8613800138000; +8613900139000"},
		{"13800138000，13900139000", "+8613800138000; +8613900139000"}, {"13800138000,13900139000", "+8613800138000; +8613900139000"},
		{"13800138000 13900139000", "+8613800138000; +8613900139000"}, {"13800138000\n13900139000", "+8613800138000; +8613900139000"},
		{"13800138000\r\n\r\n13900139000\r\n", "+8613800138000; +8613900139000"}, {"13800138000或13900139000", "+8613800138000; +8613900139000"},
		{"13800138000 或者 13900139000", "+8613800138000; +8613900139000"}, {"13800138000 or 13900139000", "+8613800138000; +8613900139000"},
		{"13800138000|13900139000", "+8613800138000; +8613900139000"}, {"138 0013 8000 139 0013 9000", "+8613800138000; +8613900139000"},
		{"13800138000　13900139000", "+8613800138000; +8613900139000"}, {"0571 88123456 13800138000", "+8657188123456; +8613800138000"},
		{"13800138000 0571-88123456 转 8001", "+8613800138000; +8657188123456 x8001"}, {"88123456 88123457", "+8657188123456; +8657188123457"},
		{"13800138000,13800138000", "+8613800138000; +8613800138000"}, {"13800138000/6", "+8613800138000; !short"},
		{"13800138000；；；", "+8613800138000"},
	};

	all_mean(all, ARRAY_LEN(all), "571");
}

TEST(entry_labels_say_whose_it_is)
{
	static const struct row all[] = {
		{"手机：13800138000 / 家 0571-88123456转8001", "+8613800138000; +8657188123456 family x8001"},
		{"本人:13800138000,公司:0571-88123456", "+8613800138000 self; +8657188123456 company"},
		{"家庭电话0571-88123456", "+8657188123456 family"}, {"13800138000(本人) 13900139000(家人)", "+8613800138000 self; +8613900139000 family"},
		{"本人13800138000家人13900139000", "+8613800138000 self; +8613900139000 family"}, {"13800138000本人13900139000配偶", "+8613800138000 self; +8613900139000 family"},
		{"Office: 0571-88123456 Home: 13800138000", "+8657188123456 company; +8613800138000 family"}, {"传真：0571-88123456", "+8657188123456 other"},
		{"单位办公电话 88123456", "+8657188123456 company"},
	};

	all_mean(all, ARRAY_LEN(all), "571");
}

TEST(entry_other_countries)
{
	static const struct row all[] = {
		{"+1 650 253 0000", "+16502530000"}, {"+1-650-253-0000", "+16502530000"}, {"+1 (650) 253-0000", "+16502530000"}, {"0016502530000", "+16502530000"},
		{"+852 2123 4567", "+85221234567"}, {"00852-21234567", "+85221234567"}, {"+44 20 7946 0958", "+442079460958"},
		{"+1 650 253 0000 x12", "+16502530000 x12"}, {"+852 21234567 / 13800138000", "+85221234567; +8613800138000"}, {"+1234", "!short"},
		{"+1234567890123456789", "!long"},
	};

	all_mean(all, ARRAY_LEN(all), "571");
}

TEST(entry_refuses_what_a_spreadsheet_rounded)
{
	static const char *const all[] = {
		"1.38E+10", "1.38001E+10", "1.38E10", "1.38e+10", "１.３８Ｅ＋１０",
		"1.38001380E+10", /* nine of eleven digits: a hundred numbers are written so */
		"8.61380013E+12", "5.7188E+11", "1E+10", "1.E+10",
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		means(all[i], "571", "!rounded");
	means("1.38E+10/13900139000", "571", "!rounded; +8613900139000");
	means("1.3800138000123E+13", "571", "!long"); /* all digits are there, but too many */
	means("8.8123456E+7", "571", "+8657188123456");
}

TEST(entry_says_what_is_wrong)
{
	static const struct row all[] = {
		{"1380013800", "!short"}, {"138001380", "!short"}, {"138001380001", "!long"}, {"13800138000139", "!long"}, {"12", "!short"}, {"2001", "!short"},
		{"1380013800O", "!letters"}, {"I3800138000", "!letters"}, {"138a0013b8000", "!letters"}, {"abc", "!letters"}, {"张三", "!letters"},
		{"一三八00138000", "!letters"}, {"微信：zhang123", "!letters"}, {"zhang@example.com", "!letters"}, {"13800138000 abc", "!letters"},
		{"*72", "!form"}, {"19999999999999999999999999999999999999999999999999999999", "!long"}, {"13800138000+13900139000", "!form"},
		{"\xff\xfe", "!letters"}, {"①③⑧00138000", "!letters"}, {"99999999999", "!form"}, {"0", "!short"},
	};

	all_mean(all, ARRAY_LEN(all), "571");
}

TEST(entry_nothing_is_no_mistake)
{
	static const char *const all[] = {"", " ", "-", "/", "无", " 没有 ", "N/A", "none", "—", "；", "\n\n", "手机：", "'", "NULL", "()"};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		means(all[i], "571", "");
}

TEST(entry_a_short_number_is_there_for_who_has_an_exchange)
{
	struct num_entry e;

	assert_int_equal(num_entries(&e, 1, "2001", ""), 1);
	assert_int_equal(e.why, NUM_E_SHORT);
	assert_int_equal(e.num.kind, NUM_SHORT);
	assert_string_equal(e.num.text, "2001");
	assert_int_equal(num_entries(&e, 1, "123", ""), 1); /* nobody's service, though it begins as one */
	assert_int_equal(e.why, NUM_E_SHORT);
	assert_string_equal(e.num.text, "123");
	assert_int_equal(num_entries(&e, 1, "62345678", ""), 1);
	assert_int_equal(e.why, NUM_E_AREA);
	assert_string_equal(e.num.text, "62345678");
}

TEST(entry_says_where_each_piece_stands)
{
	struct num_entry e[2];
	const char *text = "手机:13800138000、 abc";

	assert_int_equal(num_entries(e, 2, text, ""), 2);
	assert_int_equal(e[0].at, 7); /* two of three bytes, a colon */
	assert_int_equal(e[0].len, 11);
	assert_memory_equal(text + e[1].at, "abc", e[1].len);
	assert_int_equal(e[1].len, 3);
}

TEST(entry_counts_more_than_it_stores_and_bounds_the_text)
{
	struct num_entry e[2];
	char text[NUM_ENTRY_TEXT_MAX + 2];

	assert_int_equal(num_entries(e, 2, "110,119,120,122", ""), 4);
	assert_string_equal(e[1].num.text, "119");
	assert_int_equal(num_entries(NULL, 0, "110,119", ""), 2);
	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(num_entries(e, 2, text, ""), 1);
	assert_int_equal(e[0].why, NUM_E_LONG);
	memset(text, ';', NUM_ENTRY_TEXT_MAX);
	text[NUM_ENTRY_TEXT_MAX] = '\0';
	assert_int_equal(num_entries(e, 2, text, ""), 0);
}

/* Every mobile, written in some way and parted in some way, comes back. */
TEST(entry_property_what_is_written_is_read)
{
	static const char *const forms[] = {"%.3s%.4s%.4s", "%.3s-%.4s-%.4s", "+86 %.3s %.4s %.4s", "0%.3s%.4s%.4s", "0086%.3s%.4s%.4s", "86 %.3s%.4s%.4s",
					    "手机%.3s%.4s%.4s", "'%.3s%.4s%.4s", "%.3s%.4s%.4s.0"};
	static const char *const parts[] = {"/", "、", ";", "；", "，", ",", " ", "\n", "或", " 或 ", "，\n"};
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < 20000; i++) {
		char text[400] = "", expected[4][16];
		struct num_entry e[4];
		size_t n = 1 + x % 4;

		for (size_t k = 0; k < n; k++) {
			char national[12], one[80];

			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			(void)snprintf(national, sizeof(national), "1%u%09u", (unsigned)(3 + x % 7), (unsigned)(x / 7 % 1000000000));
			(void)snprintf(expected[k], sizeof(expected[k]), "+86%s", national);
			(void)snprintf(one, sizeof(one), forms[x / 1000 % ARRAY_LEN(forms)], national, national + 3, national + 7);
			if (k)
				strcat(text, parts[x / 77 % ARRAY_LEN(parts)]);
			strcat(text, one);
		}
		if (num_entries(e, 4, text, "571") != n)
			fail_msg("\"%s\" is %zu numbers", text, n);
		for (size_t k = 0; k < n; k++)
			if (e[k].why || strcmp(e[k].num.text, expected[k]))
				fail_msg("\"%s\": %s, expected %s", text, e[k].num.text, expected[k]);
	}
}
