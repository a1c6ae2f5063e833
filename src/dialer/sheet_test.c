#include "dialer/sheet.h"

#include <string.h>

#include "base/base.h"
#include "base/test.h"

/* 30 per mille: after 2 and 4 answers 0.06 and 0.12 calls were allowed; one was abandoned in the second slot. */
TEST(a_sheet_adds_up_by_slot)
{
	char text[1024];
	struct pace_sheet s;
	struct strb b;
	struct jw w;

	pace_sheet_init(&s, 1000, 4000, 1000, 30);
	pace_sheet_answer(&s, 999, 1); /* before */
	pace_sheet_answer(&s, 4000, 1); /* after */
	pace_sheet_dial(&s, 1000, 20000);
	pace_sheet_dial(&s, 1999, 25000);
	pace_sheet_answer(&s, 1500, 0);
	pace_sheet_answer(&s, 1999, 0);
	pace_sheet_answer(&s, 2000, 1);
	pace_sheet_answer(&s, 2001, 0);
	pace_sheet_dial(&s, 3000, 18000);
	strb_init_fixed(&b, text, sizeof(text));
	jw_init(&w, &b);
	pace_sheet_encode(&s, &w, NULL);
	assert_string_equal(text,
			    "{\"from_ms\":1000,\"slot_ms\":1000,\"limit_permille\":30,\"slots\":["
			    "{\"dialled\":2,\"answered\":2,\"abandoned\":0,\"abandoned_sum\":0,\"allowed_milli\":60,\"slack_milli\":60,\"price_ppm\":25000},"
			    "{\"dialled\":0,\"answered\":2,\"abandoned\":1,\"abandoned_sum\":1,\"allowed_milli\":120,\"slack_milli\":-880,\"price_ppm\":25000},"
			    "{\"dialled\":1,\"answered\":0,\"abandoned\":0,\"abandoned_sum\":1,\"allowed_milli\":120,\"slack_milli\":-880,\"price_ppm\":18000}"
			    "]}");
}

TEST(a_long_window_has_longer_slots)
{
	struct pace_sheet s;

	pace_sheet_init(&s, 0, 86400000, 900000, 30);
	assert_int_equal(s.n, 96);
	pace_sheet_init(&s, 0, 30LL * 86400000, 900000, 30); /* 2,880 quarters of an hour; 8-hour slots make 90 */
	assert_int_equal(s.slot_ms, 8 * 3600000);
	assert_int_equal(s.n, 90);
}
