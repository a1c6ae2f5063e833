#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "number/guard.h"
#include "number/table.h"

static struct num number(const char *text)
{
	struct num n;

	assert_true(num_read(&n, text, ""));
	return n;
}

/* ---- rules ---- */

static const struct num_rule rules[] = {
	{.id = 1, .begins = "0", .len = 12, .strip = 1},             /* out, called: the carrier wants no 0 before mobiles */
	{.id = 2, .begins = "1", .len = 11, .put = "88"},            /* a technical prefix */
	{.id = 3, .begins = "1", .strip = 1, .put = "99"},           /* never reached by mobiles */
	{.id = 4, .in = true, .calling = true, .begins = "9", .len = 12, .strip = 1}, /* delivers 9 before mobiles */
	{.id = 5, .in = true, .begins = "8888", .strip = 4, .put = "0755233"}, /* the last digits of the number called */
};

static const struct num_table table = {.id = 1, .area = "755", .called = NUM_F_LOCAL, .shown = NUM_F_NATIONAL, .rules = rules, .rule_n = 5};

TEST(first_rule_that_fits_counts)
{
	struct num_trace tr = {0};
	char out[NUM_TEXT_MAX];
	struct num n = number("13800138000");

	num_outbound(out, &table, false, &n, "13800138000", NUM_CITY_OTHER, &tr);
	assert_string_equal(out, "13800138000"); /* 0 put by the form, taken by rule 1, and rule 2 no longer asked */
	assert_int_equal(tr.n, 2);
	assert_string_equal(tr.steps[0].what, "local");
	assert_string_equal(tr.steps[0].after, "013800138000");
	assert_int_equal(tr.steps[1].rule_id, 1);
	num_outbound(out, &table, false, &n, "13800138000", NUM_CITY_HOME, NULL);
	assert_string_equal(out, "8813800138000");
	n = number("10086");
	num_outbound(out, &table, false, &n, "10086", 0, NULL);
	assert_string_equal(out, "990086");
	n = number("075523456789");
	num_outbound(out, &table, false, &n, "", 0, NULL);
	assert_string_equal(out, "23456789");
}

TEST(what_the_carrier_delivers_becomes_canonical)
{
	struct num n;

	assert_true(num_inbound(&n, &table, true, "913800138000", NULL));
	assert_string_equal(n.text, "+8613800138000");
	assert_true(num_inbound(&n, &table, true, "23456789", NULL));
	assert_string_equal(n.text, "+8675523456789");
	assert_true(num_inbound(&n, &table, false, "88881234", NULL));
	assert_string_equal(n.text, "+867552331234"); /* seven digits */
	assert_false(num_inbound(&n, &table, true, "anonymous", NULL));
	assert_false(num_inbound(&n, &table, true, "", NULL));
}

TEST(without_a_table_numbers_pass_untouched)
{
	char out[NUM_TEXT_MAX];
	struct num n = number("+86 138 0013 8000");

	num_outbound(out, &num_table_none, false, &n, "0013", 0, NULL);
	assert_string_equal(out, "0013");
}

TEST(rule_that_leaves_nothing_is_not_applied)
{
	const struct num_rule all = {.id = 9, .strip = 30};
	const struct num_table t = {.id = 1, .called = NUM_F_NATIONAL, .rules = &all, .rule_n = 1};
	char out[NUM_TEXT_MAX];
	struct num n = number("110");

	num_outbound(out, &t, false, &n, "110", 0, NULL);
	assert_string_equal(out, "110");
}

TEST(what_a_rule_uncovers_is_told)
{
	static const struct num_rule rules[] = {{.id = 1, .begins = "9", .strip = 1}, {.id = 2, .begins = "+", .strip = 1, .put = "77"}};
	struct num_table t = {.id = 1, .called = NUM_F_RAW, .rules = rules, .rule_n = 2};
	struct num n = number("90085221234567"), inner;

	assert_true(num_uncovered(&inner, &t, &n, "90085221234567", NUM_CITY_UNKNOWN));
	assert_string_equal(inner.text, "+85221234567");
	n = number("13800138000");
	assert_false(num_uncovered(&inner, &t, &n, "13800138000", NUM_CITY_UNKNOWN));
	t.called = NUM_F_E164; /* +8613800138000 without its plus is no other number */
	assert_false(num_uncovered(&inner, &t, &n, "13800138000", NUM_CITY_UNKNOWN));
	t.called = NUM_F_RAW;
	n = number("916885888");
	assert_true(num_uncovered(&inner, &t, &n, "916885888", NUM_CITY_UNKNOWN));
	assert_int_equal(inner.kind, NUM_PREMIUM);
	n = number("995588");
	assert_false(num_uncovered(&inner, &t, &n, "995588", NUM_CITY_UNKNOWN)); /* nothing that costs more than it says */
}

TEST(every_preset_reads_back_what_it_writes)
{
	static const char *const numbers[] = {"13800138000", "19912345678", "01062345678", "075523456789", "09516012345", "4008001234", "8008101234",
					      "95588",       "10086",       "110",         "118114",       "0085221234567", "0012025550100", "2001"};

	for (size_t p = 0; p < num_preset_n; p++)
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
			for (int city = 0; city < 3; city++)
				for (int calling = 0; calling < 2; calling++) {
					struct num_table t = {.id = 1, .area = "755", .called = num_presets[p].called, .shown = num_presets[p].called};
					struct num n = number(numbers[i]), back;
					char out[NUM_TEXT_MAX];

					num_outbound(out, &t, calling, &n, n.text, (enum num_city)city, NULL);
					assert_true(num_inbound(&back, &t, calling, out, NULL));
					assert_string_equal(back.text, n.text);
				}
}

/* ---- our own number ---- */

TEST(own_number_stands_where_the_carrier_wants_it)
{
	struct num_table t = {.id = 1, .area = "10", .called = NUM_F_E164, .shown = NUM_F_E164, .pai = true, .domain = "ims.example"};
	struct num called = number("13800138000");
	struct num_identity id;
	char lines[600];

	num_identify(&id, &t, "62345678", "acc", "192.0.2.1", &called, NULL);
	assert_string_equal(id.from_user, "+861062345678");
	assert_string_equal(id.from_domain, "ims.example");
	num_identity_lines(lines, sizeof(lines), &id);
	assert_string_equal(lines, "P-Asserted-Identity: <sip:+861062345678@ims.example>\r\n");
	t.from_account = t.ppi = true;
	t.pai = false;
	t.rpid = true;
	num_identify(&id, &t, "62345678", "acc", "192.0.2.1", &called, NULL);
	assert_string_equal(id.from_user, "acc");
	num_identity_lines(lines, sizeof(lines), &id);
	assert_string_equal(lines, "P-Preferred-Identity: <sip:+861062345678@ims.example>\r\n"
				   "Remote-Party-ID: <sip:+861062345678@ims.example>;party=calling;screen=yes;privacy=off\r\n");
}

/* RFC 3323 4.1.1.3 and RFC 3325 9.1: the network may still know. */
TEST(own_number_is_hidden_when_wanted)
{
	struct num_table t = {.id = 1, .called = NUM_F_NATIONAL, .shown = NUM_F_NATIONAL, .pai = true, .hide = true};
	struct num called = number("13800138000");
	struct num_identity id;
	char lines[600];

	num_identify(&id, &t, "01062345678", NULL, "192.0.2.1", &called, NULL);
	assert_string_equal(id.from_user, "anonymous");
	assert_string_equal(id.from_domain, "anonymous.invalid");
	assert_string_equal(id.from_name, "Anonymous");
	num_identity_lines(lines, sizeof(lines), &id);
	assert_string_equal(lines, "P-Asserted-Identity: <sip:01062345678@192.0.2.1>\r\nPrivacy: id\r\n");
	assert_true(num_is_hidden(id.from_user, id.from_domain, NULL));
}

TEST(one_of_several_numbers_is_always_the_same_for_a_customer)
{
	struct num_table t = {.id = 1, .shown = NUM_F_NATIONAL, .numbers = " 4008001234  01062345678 95588"};
	int seen[3] = {0};

	for (int i = 0; i < 300; i++) {
		struct num_identity a, b;
		char text[16];
		struct num called;

		(void)snprintf(text, sizeof(text), "1380013%04d", i);
		called = number(text);
		num_identify(&a, &t, "1", NULL, "h", &called, NULL);
		num_identify(&b, &t, "2", NULL, "h", &called, NULL);
		assert_string_equal(a.number, b.number);
		seen[!strcmp(a.number, "4008001234") ? 0 : !strcmp(a.number, "01062345678") ? 1 : 2]++;
	}
	for (int i = 0; i < 3; i++)
		assert_true(seen[i] > 50); /* a third of 300 each, roughly */
}

/* ---- classes and rights ---- */

TEST(destinations_have_their_class)
{
	static const struct {
		const char *number, *area;
		enum num_class c;
	} all[] = {
		{"110", "", NUM_C_EMERGENCY}, {"01062345678", "10", NUM_C_LOCAL}, {"01062345678", "755", NUM_C_DOMESTIC}, {"62345678", "", NUM_C_LOCAL},
		{"13800138000", "10", NUM_C_MOBILE}, {"4008001234", "", NUM_C_SHARED}, {"8008101234", "", NUM_C_FREE}, {"95588", "", NUM_C_SERVICE},
		{"2001", "", NUM_C_SHORT}, {"16885888", "", NUM_C_PREMIUM}, {"075516885888", "", NUM_C_PREMIUM}, {"0085221234567", "", NUM_C_ABROAD},
		{"+12025550100", "", NUM_C_ABROAD}, {"00", "", NUM_C_ABROAD}, {"000852", "", NUM_C_ABROAD}, {"*72", "", NUM_C_OTHER},
		{"1790900120255501", "", NUM_C_OTHER}, {"900852212345", "", NUM_C_OTHER}, {"05550000", "", NUM_C_DOMESTIC}, {"0179", "", NUM_C_OTHER},
		{"+86", "", NUM_C_OTHER}, {"0", "", NUM_C_OTHER}, {"+0", "", NUM_C_ABROAD},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct num n = number(all[i].number);

		if (num_class_of(&n, all[i].area) != all[i].c)
			fail_msg("%s is %s", all[i].number, num_class_name(num_class_of(&n, all[i].area)));
	}
}

static enum num_why may(const struct num_rights *r, const char *text)
{
	struct num n = number(text);

	return num_may(r, &n, num_class_of(&n, ""), text);
}

TEST(abroad_and_premium_are_off_until_somebody_allows_them)
{
	struct num_rights r = num_rights_default;

	assert_int_equal(may(&r, "13800138000"), NUM_OK);
	assert_int_equal(may(&r, "0085221234567"), NUM_W_CLASS);
	assert_int_equal(may(&r, "+12025550100"), NUM_W_CLASS);
	assert_int_equal(may(&r, "16885888"), NUM_W_CLASS);
	assert_int_equal(may(&r, "1795100120255501"), NUM_W_CLASS);
	r.countries = "853 852";
	assert_int_equal(may(&r, "0085221234567"), NUM_OK);
	assert_int_equal(may(&r, "+12025550100"), NUM_W_COUNTRY);
	assert_int_equal(may(&r, "00"), NUM_W_COUNTRY);
	r.countries = "*";
	assert_int_equal(may(&r, "+12025550100"), NUM_OK);
	r.classes = 0;
	assert_int_equal(may(&r, "13800138000"), NUM_W_CLASS);
	assert_int_equal(may(&r, "110"), NUM_OK); /* whatever is forbidden */
	r.barred = "1";
	assert_int_equal(may(&r, "120"), NUM_OK);
}

TEST(barred_beginnings_hold_in_every_way_of_writing)
{
	static const struct {
		const char *barred, *number;
		enum num_why why;
	} all[] = {
		{"00 + !0086 !+86", "0555123", NUM_OK}, {"00 + !0086 !+86", "00442079460000", NUM_W_BARRED},
		{"00 + !0086 !+86", "008613800138000", NUM_OK}, {"00 + !0086 !+86", "+44207", NUM_W_BARRED},
		{"00 + !0086 !+86", "+8613800138000", NUM_OK}, {"0755", "+8675523456789", NUM_W_BARRED}, {"138", "+86 138 0013 8000", NUM_W_BARRED},
		{"00 + !00852", "+85221234567", NUM_OK}, {"00 + !00852", "+85321234567", NUM_W_BARRED},
		{"00 !+852", "+85221234567", NUM_OK}, {"00 !+852", "+85321234567", NUM_W_BARRED}, {"!", "13800138000", NUM_OK},
		{"+852", "0085221234567", NUM_W_BARRED}, {"+852", "00 852 2123", NUM_W_BARRED}, {"00 !+852", "0085221234567", NUM_OK},
		{"+86138", "13800138000", NUM_W_BARRED},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct num_rights r = num_rights_default;

		r.countries = "*";
		r.barred = all[i].barred;
		if (may(&r, all[i].number) != all[i].why)
			fail_msg("%s with %s is %s", all[i].number, all[i].barred, num_why_name(may(&r, all[i].number)));
	}
}
