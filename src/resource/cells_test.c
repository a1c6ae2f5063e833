/* Titles, numbers and cells as people write them. */
#include "base/test.h"
#include "resource/engine.h"

#include <string.h>

static const struct res_field fields[] = {
	{"name", RES_TEXT, "姓名", "Name", RES_REQUIRED, .also = "客户名称|称呼"},
	{"address", RES_TEXT, "地址", "Address"},
	{"company", RES_TEXT, "公司", "Company", .also = "单位|工作单位"},
	{"owner_id", RES_TEXT, "负责人", "Owner", .also = "坐席|业务员"},
	{"set_by_us", RES_TEXT, "系统", "System", RES_READONLY},
};
static const struct res_child_column phone_columns[] = {
	{"phones", "电话", "Phone", "手机|联系电话|mobile|tel", NULL},
	{"phones_family", "家人电话", "Family phone", NULL, "label=family"},
};
static const struct res_child phones = {.resource = "p", .parent = "r_id", .value = "number", .columns = phone_columns, .column_n = ARRAY_LEN(phone_columns)};
static const struct res_def rows = {.name = "rows", .fields = fields, .field_n = ARRAY_LEN(fields), .child = &phones};

static void meaning(const char *title, const char *want)
{
	int target = -2;
	const char *name;

	(void)res_titles_guess(&target, &rows, &title, 1);
	name = res_target_name(&rows, target);
	if (!name != !want || (name && strcmp(name, want)))
		fail_msg("%s means %s, not %s", title, name ? name : "nothing", want ? want : "nothing");
}

TEST(a_title_is_known_by_its_label_in_either_language_its_name_and_other_names)
{
	meaning("姓名", "name");
	meaning(" NAME * ", "name");
	meaning("姓 名", "name");
	meaning("姓名（必填）", "name");
	meaning("客户名称", "name");
	meaning("工作单位", "company");
	meaning("owner_id", "owner_id");
	meaning("Ｎａｍｅ", "name");
	meaning("系统", NULL);
	meaning("", NULL);
	meaning("价格", NULL);
}

TEST(a_title_with_a_number_or_a_word_before_it_is_guessed)
{
	meaning("电话2", "phones");
	meaning("Mobile 3", "phones");
	meaning("家庭地址", "address");
	meaning("客户联系电话", "phones");
	meaning("家人电话2", "phones_family");
	meaning("name of dog", NULL);
}

TEST(the_parts_of_a_header_of_two_rows_are_one_title)
{
	meaning("电话\n家人", "phones_family");
	meaning("电话（家人）", "phones_family");
	meaning("基本信息\n姓名", "name");
	meaning("电话\n本人", "phones");
}

TEST(a_field_is_given_once_and_a_list_as_often_as_it_comes)
{
	const char *titles[] = {"客户姓名", "电话", "姓名", "电话", "姓名", "手机1"};
	int t[ARRAY_LEN(titles)];

	assert_int_equal(res_titles_guess(t, &rows, titles, ARRAY_LEN(titles)), 4);
	assert_int_equal(t[0], -1); /* the certain one has it */
	assert_int_equal(t[1], RES_TARGET_CHILD);
	assert_int_equal(t[2], 0);
	assert_int_equal(t[3], RES_TARGET_CHILD);
	assert_int_equal(t[4], -1);
	assert_int_equal(t[5], RES_TARGET_CHILD);
}

static void number(const char *text, const char *want)
{
	char s[128];
	int r = res_number_clean(s, sizeof(s), text);

	if (want ? r || strcmp(s, want) : r != 2)
		fail_msg("%s is %s (%d), not %s", text, s, r, want ? want : "lost");
}

TEST(numbers_lose_what_programs_added_and_nothing_else)
{
	number("13800138000", "13800138000");
	number("13800138000.0", "13800138000");
	number("'013800138000", "013800138000");
	number("１３８００１３８０００", "13800138000");
	number("　138 0013\xc2\xa0" "8000 ", "138 0013 8000");
	number("13,800,138,000", "13800138000");
	number("1,38", "1,38");
	number("1.3800138E10", "13800138000");     /* Java's Double.toString: all digits */
	number("1.3800138000E+10", "13800138000"); /* as many decimals as the exponent says */
	number("+86 138-0013-8000", "+86 138-0013-8000");
	number("1.5", "1.5");
	number("0571-88888888", "0571-88888888");
	number("1.38001384E3", "1.38001384E3"); /* a fraction */
}

TEST(a_number_whose_digits_are_gone_is_not_made_up)
{
	number("1.38E+10", NULL);
	number("1.38001380E+10", NULL); /* two digits of eleven are not there */
	number("1.10101199001011E+17", NULL);
}

static void add(void *arg, const char *v)
{
	strb_printf(arg, "[%s]", v);
}

static void parts(const char *cell, bool numbers, const char *want)
{
	struct strb b;

	strb_init(&b, 4000);
	strb_puts(&b, "");
	res_cell_split(cell, numbers, add, &b);
	if (strcmp(b.buf, want))
		fail_msg("\"%s\" is %s, not %s", cell, b.buf, want);
	strb_done(&b);
}

TEST(several_values_in_a_cell_are_parted)
{
	parts("13800138000/13900139000", true, "[13800138000][13900139000]");
	parts("13800138000、13900139000；010-62345678", true, "[13800138000][13900139000][010-62345678]");
	parts("13800138000,\n 13900139000 ", true, "[13800138000][13900139000]");
	parts("13800138000 13900139000", true, "[13800138000][13900139000]");
	parts("138 0013 8000", true, "[138 0013 8000]");
	parts("13,800,138,000", true, "[13,800,138,000]");
	parts("13800138000;;", true, "[13800138000]");
	parts("甲 乙、丙", false, "[甲 乙][丙]");
	parts("", true, "");
	parts(" / ", true, "");
}
