/* Check digits by hand (ISO 7064 MOD 11-2); 11010519491231002X and 440524188001010014 are the standard's own examples (GB 11643-1999, 4.1). */
#include <string.h>

#include "base/test.h"
#include "number/id_number.h"

static void answers(const char *text, enum id_number_why why)
{
	struct id_number id;
	enum id_number_why got = id_number_read(&id, text, 20261122);

	if (got != why)
		fail_msg("%s: %s, expected %s", text, id_number_why_name(got), id_number_why_name(why));
}

TEST(id_number_examples_of_the_standard)
{
	struct id_number id;

	assert_int_equal(id_number_read(&id, "11010519491231002X", 20261122), ID_OK);
	assert_string_equal(id.text, "11010519491231002X");
	assert_string_equal(id.region, "110105");
	assert_int_equal(id.year, 1949);
	assert_int_equal(id.month, 12);
	assert_int_equal(id.day, 31);
	assert_false(id.male);
	assert_int_equal(id_number_read(&id, "440524188001010014", 20261122), ID_OK);
	assert_int_equal(id.year, 1880);
	assert_true(id.male);
}

TEST(id_number_is_read_as_people_write_it)
{
	static const char *const all[] = {"11010519491231002x", "110105 19491231 002X", "１１０１０５１９４９１２３１００２Ｘ", "'11010519491231002X", "110105-19491231-002X",
					  " 11010519491231002X\r\n", "１１０１０５１９４９１２３１００２ｘ"};
	struct id_number id;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(id_number_read(&id, all[i], 0), ID_OK);
		assert_string_equal(id.text, "11010519491231002X");
	}
}

TEST(id_number_says_what_is_wrong)
{
	answers("110105194912310021", ID_CHECK);
	answers("11010519491231002", ID_LENGTH);
	answers("1101051949123100200", ID_LENGTH);
	answers("", ID_LENGTH);
	answers("1101051949123100ZX", ID_LETTERS);
	answers("X1010519491231002X", ID_LETTERS);
	answers("无", ID_LETTERS);
	answers("01380080+000572000", ID_LETTERS); /* found by the fuzzer */
	answers("990105194912310028", ID_REGION);
	answers("010105194912310028", ID_REGION);
	answers("110105194913310028", ID_DATE);
	answers("110105194902300028", ID_DATE);
	answers("110105190002290028", ID_DATE); /* 1900 was no leap year */
	answers("110105202611230028", ID_DATE); /* tomorrow */
	answers("110105000001010028", ID_DATE);
	answers("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ID_LETTERS);
}

/* A double keeps 15 digits: 110105194912310025 is shown, and saved, as 110105194912310000. */
TEST(id_number_that_a_spreadsheet_rounded_is_told_apart)
{
	answers("110105194912310000", ID_ROUNDED);
	answers("1.10105E+17", ID_ROUNDED);
	answers("1.10105194912310E+17", ID_ROUNDED);
	answers("1.10105E17", ID_ROUNDED);
}

/* 15 digits: 110105491231002 is the standard's example without century and check digit. */
TEST(id_number_of_15_digits_becomes_one_of_18)
{
	struct id_number id;

	assert_int_equal(id_number_read(&id, "110105491231002", 20261122), ID_OK);
	assert_string_equal(id.text, "11010519491231002X");
	assert_int_equal(id_number_read(&id, "110105491231002.0", 20261122), ID_OK);
	answers("11010549123100X", ID_LETTERS);
	answers("110105490231002", ID_DATE);
}

TEST(id_number_every_single_mistyped_digit_is_noticed)
{
	static const char right[] = "11010519491231002X";

	for (size_t i = 0; i < 18; i++)
		for (char c = '0'; c <= '9'; c++) {
			char wrong[19];
			struct id_number id;

			memcpy(wrong, right, sizeof(wrong));
			wrong[i] = c;
			if (c != right[i])
				assert_int_not_equal(id_number_read(&id, wrong, 20261122), ID_OK);
		}
}

TEST(id_number_gives_the_age)
{
	struct id_number id = {.year = 2000, .month = 2, .day = 29};

	assert_int_equal(id_number_age(&id, 20260228), 25);
	assert_int_equal(id_number_age(&id, 20260301), 26);
	assert_int_equal(id_number_age(&id, 20280229), 28);
	assert_int_equal(id_number_age(&id, 20000229), 0);
}
