/* Numbers within words. */
#include "base/test.h"
#include "resource/engine.h"

#include <stdlib.h>
#include <string.h>

static void shows(const char *text, const char *want)
{
	char *got = res_mask_words(text), *back = res_unmask_words(got, text);

	assert_string_equal(got, want);
	assert_string_equal(back, text);
	free(got);
	free(back);
}

TEST(numbers_in_words_are_masked_and_put_back)
{
	shows("改打 13800138000 或 010-62345678。", "改打 138****8000 或 010****5678。");
	shows("138-0013-8000", "138****8000");
	shows("138 0013 8000", "138****8000");
	shows("13800138000 13900139000", "138****8000 139****9000");
	shows("+8613800138000", "138****8000");
	shows("8613800138000/008613800138001", "861****8000/138****8001");
	shows("１３８００１３８０００", "138****8000");
	shows("+85221234567", "852****4567");
	shows("400-800-1234", "400****1234");
}

TEST(what_is_no_telephone_number_stays)
{
	shows("订单 2026112200012345678 共 3 件，2026-11-22 送到", "订单 2026112200012345678 共 3 件，2026-11-22 送到");
	shows("分机 8001，95588，110", "分机 8001，95588，110");
	shows("", "");
	shows("+", "+");
	shows("1+1=2", "1+1=2");
}

TEST(a_sentence_that_was_changed_around_a_mask_keeps_the_number)
{
	char *s = res_unmask_words("请明天打 138****8000，下午", "打 13800138000");

	assert_string_equal(s, "请明天打 13800138000，下午");
	free(s);
}
