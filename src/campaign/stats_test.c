/* Forecasts, by hand. */
#include "campaign/fixture.h"

#include "campaign/stats.h"

TEST(a_list_runs_dry_when_more_is_dialled_than_becomes_due)
{
	int64_t coming[DRY_MINUTES] = {0};

	assert_int_equal(campaign_dry_in(60, coming, 2), 29);  /* after the thirtieth minute nothing is left */
	assert_int_equal(campaign_dry_in(200, coming, 2), -1); /* not within the hour */
	assert_int_equal(campaign_dry_in(60, coming, 0), -1);  /* nobody dials */
	coming[10] = 30;
	assert_int_equal(campaign_dry_in(60, coming, 2), 44);
	coming[29] = 1000;
	assert_int_equal(campaign_dry_in(60, coming, 2), -1);
	assert_int_equal(campaign_dry_in(0, coming, 5), 0);
}

TEST(what_is_left_to_dial_is_what_finished_leads_took)
{
	/* 100 finished with 250 dials; 40 wait and have had 20: 40 * 2.5 - 20 = 80. */
	struct campaign_pace p = {.open = 40, .finished = 100, .attempts = 270, .open_attempts = 20};

	assert_int_equal(campaign_dials_left(&p), 80);
	p.open_attempts = 90;
	p.attempts = 340; /* 40 * 2.5 - 90 = 10, but each is dialled once more at least */
	assert_int_equal(campaign_dials_left(&p), 40);
	p = (struct campaign_pace){.open = 500};
	assert_int_equal(campaign_dials_left(&p), 500); /* nothing is known yet: once each */
}

TEST(the_end_is_counted_in_open_hours)
{
	struct campaign_fix f;
	struct campaign_pace p = {.open = 480, .last_hour = 100};
	int64_t end = 0;

	fix_open(&f, "progressive");
	/* 480 dials at 100 an hour: 4.8 h from 10:00. Two until 12:00, then 2.8 from 13:30: 16:18. */
	assert_int_equal(campaign_end_forecast(&end, f.db, f.zone, f.centre, f.campaign, &p, f.now_ms), 0);
	assert_int_equal(end, fix_utc(20260922, 16, 18));
	p.open = 1000; /* 10 h: 2 + 6.5 today, 1.5 h on Wednesday */
	assert_int_equal(campaign_end_forecast(&end, f.db, f.zone, f.centre, f.campaign, &p, f.now_ms), 0);
	assert_int_equal(end, fix_utc(20260923, 10, 30));
	p.last_hour = 0;
	assert_int_equal(campaign_end_forecast(&end, f.db, f.zone, f.centre, f.campaign, &p, f.now_ms), 0);
	assert_int_equal(end, 0);
	fix_close(&f);
}

TEST(a_number_that_is_answered_less_than_the_others_rests_by_itself)
{
	struct campaign_fix f;
	int64_t bad, good;
	size_t n = 0;

	fix_open(&f, "progressive");
	bad = fix_new(&f, &campaign_shown_numbers, json_pack("{s:s}", "number", "057188120001"));
	good = fix_new(&f, &campaign_shown_numbers, json_pack("{s:s}", "number", "057188120002"));
	fix_run(&f, "INSERT INTO shown_tally (show_id, hour_ms, n, answered) VALUES (%lld, %lld, 100, 5), (%lld, %lld, 200, 70)", (long long)bad, (long long)f.now_ms - 3600000,
		(long long)good, (long long)f.now_ms - 3600000);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(campaign_shown_rest(&n, f.db, f.centre, f.now_ms), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(n, 1); /* 5 of 100 where 35 were to be expected */
	assert_int_equal(fix_count(&f, "SELECT rest_ms FROM shown_numbers WHERE id = %lld", (long long)bad), f.now_ms + 24 * 3600000ll);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(campaign_shown_rest(&n, f.db, f.centre, f.now_ms), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(n, 0); /* it rests already */
	fix_close(&f);
}
