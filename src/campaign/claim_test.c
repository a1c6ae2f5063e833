/* Claims on real tables: who is picked, who is refused and why, and that nobody is claimed twice. */
#include "base/test.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "campaign/fixture.h"

TEST(new_leads_are_claimed_in_order_once_and_with_a_number_to_dial)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t leads[3];

	fix_open(&f, "progressive");
	for (int i = 0; i < 3; i++)
		leads[i] = fix_lead(&f, i, 1);
	fix_claim(&f, &g, 2);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.why, CAMPAIGN_MORE);
	assert_int_equal(g.claims[0].lead_id, leads[0]);
	assert_int_equal(g.claims[1].lead_id, leads[1]);
	assert_string_equal(g.claims[0].number, "+8613800000000");
	assert_string_equal(g.claims[0].show, "");
	assert_int_equal(g.claims[0].nth, 1);
	assert_int_equal(g.claims[0].agent_id, 0);
	assert_int_equal(g.claims[0].until_ms, f.now_ms + 120000);
	fix_claim(&f, &g, 5);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.claims[0].lead_id, leads[2]);
	assert_int_equal(g.why, CAMPAIGN_EMPTY);
	fix_claim(&f, &g, 5);
	assert_int_equal(g.n, 0);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'open'"), 3);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'claimed'"), 3);
	fix_close(&f);
}

TEST(call_backs_come_first_then_retries_then_new_ones_by_priority)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t leads[5];

	fix_open(&f, "progressive");
	for (int i = 0; i < 5; i++)
		leads[i] = fix_lead(&f, i, 1);
	fix_set(&f, leads[4], "rank = 0, next_ms = %lld, agent_id = (SELECT MIN(id) FROM users)", (long long)f.now_ms - 1000);
	fix_set(&f, leads[3], "rank = 1, next_ms = %lld, attempts = 1, last_result = 'busy'", (long long)f.now_ms);
	fix_set(&f, leads[2], "rank = 2");
	fix_set(&f, leads[1], "rank = 1, next_ms = %lld", (long long)f.now_ms + 60000); /* not due yet */
	fix_claim(&f, &g, 10);
	assert_int_equal(g.n, 4); /* the grace for the call-back's agent is not over */
	assert_int_equal(g.claims[0].lead_id, leads[4]);
	assert_true(g.claims[0].agent_id > 0); /* only he */
	assert_int_equal(g.claims[1].lead_id, leads[3]);
	assert_int_equal(g.claims[1].nth, 2);
	assert_int_equal(g.claims[2].lead_id, leads[2]);
	assert_int_equal(g.claims[3].lead_id, leads[0]);
	assert_int_equal(g.why, CAMPAIGN_LATER);
	assert_int_equal(g.more_at_ms, f.now_ms + 60000);
	fix_close(&f);
}

TEST(the_guard_stands_before_every_claim_and_says_why)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t merged, listed, person, no_number, tried, day, fine;

	fix_open(&f, "progressive");
	merged = fix_lead(&f, 0, 1);
	listed = fix_lead(&f, 1, 1);
	person = fix_lead(&f, 2, 2);
	no_number = fix_lead(&f, 3, 1);
	tried = fix_lead(&f, 4, 1);
	day = fix_lead(&f, 5, 1);
	fine = fix_lead(&f, 6, 2);
	fix_run(&f, "UPDATE customers SET state = 'merged' WHERE id = (SELECT customer_id FROM campaign_leads WHERE id = %lld)", (long long)merged);
	fix_new(&f, &campaign_do_not_call, json_pack("{s:s}", "number", "13800000010"));
	fix_new(&f, &campaign_do_not_call, json_pack("{s:s}", "number", "13800000021"));             /* her second number, but the person */
	fix_new(&f, &campaign_do_not_call, json_pack("{s:s, s:b}", "number", "13800000060", "person", 0)); /* only this number */
	fix_run(&f, "UPDATE campaign_leads SET state = 'open', why = NULL"); /* as if it had been listed before they came */
	fix_run(&f, "UPDATE customer_phones SET state = 'empty' WHERE number = '+8613800000030'");
	fix_set(&f, tried, "attempts = 6");
	fix_past(&f, day, f.now_ms - 3600000);
	fix_past(&f, day, f.now_ms - 7200000);
	fix_claim(&f, &g, 10);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.claims[0].lead_id, fine);
	assert_string_equal(g.claims[0].number, "+8613800000061");
	assert_int_equal(g.refused, 6);
	assert_int_equal(fix_lead_is(&f, merged, "closed", "gone"), 0);
	assert_int_equal(fix_lead_is(&f, listed, "closed", "dnc"), 0);
	assert_int_equal(fix_lead_is(&f, person, "closed", "dnc"), 0);
	assert_int_equal(fix_lead_is(&f, no_number, "closed", "number"), 0);
	assert_int_equal(fix_lead_is(&f, tried, "closed", "attempts"), 0);
	assert_int_equal(fix_lead_is(&f, day, "open", "lead_day"), fix_utc(20260923, 9, 0)); /* tomorrow at nine */
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM guarded_dials"), 6);
	assert_int_equal(fix_count(&f, "SELECT SUM(n) FROM guard_tally"), 6);
	fix_close(&f);
}

TEST(the_list_of_a_campaign_bars_only_there_and_an_end_lifts_it)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t lead, other;
	char id[24];

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	other = fix_campaign(&f, "another", "progressive");
	snprintf(id, sizeof(id), "%lld", (long long)other);
	fix_new(&f, &campaign_do_not_call, json_pack("{s:s, s:s}", "number", "13800000000", "campaign_id", id));
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 1);
	fix_run(&f, "DELETE FROM dial_claims");
	fix_set(&f, lead, "state = 'open'");
	fix_new(&f, &campaign_do_not_call, json_pack("{s:s, s:I}", "number", "13800000000", "until_ms", (json_int_t)f.now_ms + 3600000));
	assert_int_equal(fix_lead_is(&f, lead, "open", "dnc"), f.now_ms + 3600000);
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 0);
	f.now_ms += 3600000;
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 1);
	fix_close(&f);
}

TEST(do_not_call_again_closes_the_leads_of_all_campaigns_at_once)
{
	struct campaign_fix f;
	int64_t lead, other, customer;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	customer = fix_count(&f, "SELECT customer_id FROM campaign_leads");
	other = fix_campaign(&f, "another", "predictive");
	fix_run(&f, "INSERT INTO campaign_leads (id, centre_id, rev, created_ms, updated_ms, campaign_id, customer_id, state, priority, rank, next_ms, attempts, phone_at)"
		    " SELECT 77, centre_id, 1, 1, 1, %lld, customer_id, 'open', 5, 7, 0, 0, 0 FROM campaign_leads WHERE id = %lld", (long long)other, (long long)lead);
	fix_new(&f, &campaign_do_not_call, json_pack("{s:s, s:s}", "number", "138 0000 0000", "reason", "asked"));
	assert_int_equal(fix_lead_is(&f, lead, "closed", "dnc"), 0);
	assert_int_equal(fix_lead_is(&f, 77, "closed", "dnc"), 0);
	assert_int_equal(fix_count(&f, "SELECT customer_id FROM do_not_call"), customer);
	fix_close(&f);
}

TEST(a_customer_in_two_campaigns_is_dialled_by_one_at_a_time)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t first, other;

	fix_open(&f, "progressive");
	fix_lead(&f, 0, 2);
	first = f.campaign;
	other = fix_campaign(&f, "another", "progressive");
	fix_run(&f, "INSERT INTO campaign_leads (id, centre_id, rev, created_ms, updated_ms, campaign_id, customer_id, state, priority, rank, next_ms, attempts, phone_at)"
		    " SELECT 77, centre_id, 1, 1, 1, %lld, customer_id, 'open', 5, 7, 0, 0, 1 FROM campaign_leads WHERE campaign_id = %lld", (long long)other, (long long)first);
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 1);
	f.campaign = other;
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 0);
	assert_int_equal(g.why, CAMPAIGN_GUARDED);
	assert_int_equal(fix_lead_is(&f, 77, "open", "taken"), f.now_ms + 120000);
	fix_close(&f);
}

TEST(outside_its_hours_a_campaign_gets_nothing_and_no_lead_is_touched)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t lead;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	f.now_ms = fix_utc(20260922, 12, 30);
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 0);
	assert_int_equal(g.why, CAMPAIGN_OUT_OF_HOURS);
	assert_int_equal(g.more_at_ms, fix_utc(20260922, 13, 30));
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), 0);
	fix_run(&f, "UPDATE campaigns SET end_day = '2026-09-21'");
	fix_claim(&f, &g, 1);
	assert_int_equal(g.why, CAMPAIGN_OUT_OF_HOURS);
	assert_int_equal(g.more_at_ms, 0);
	fix_run(&f, "UPDATE campaigns SET state = 'paused'");
	fix_claim(&f, &g, 1);
	assert_int_equal(g.why, CAMPAIGN_NOT_RUNNING);
	fix_close(&f);
}

TEST(a_claim_does_not_outlive_the_window_it_was_judged_in)
{
	struct campaign_fix f;
	struct campaign_given g;

	fix_open(&f, "preview");
	fix_lead(&f, 0, 1);
	f.now_ms = fix_utc(20260922, 11, 59);
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.claims[0].until_ms, fix_utc(20260922, 12, 0));
	fix_close(&f);
}

TEST(the_number_shown_follows_city_limit_and_rest)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t hangzhou, shanghai;

	fix_open(&f, "progressive");
	hangzhou = fix_new(&f, &campaign_shown_numbers, json_pack("{s:s, s:s, s:i}", "number", "057188120001", "city", "杭州", "day_max", 1));
	shanghai = fix_new(&f, &campaign_shown_numbers, json_pack("{s:s, s:s, s:i}", "number", "02161230001", "city", "上海", "day_max", 2));
	for (int i = 0; i < 4; i++)
		fix_lead(&f, i, 1);
	fix_run(&f, "UPDATE customers SET city = '浙江杭州'");
	fix_claim(&f, &g, 4);
	assert_int_equal(g.n, 3);
	assert_string_equal(g.claims[0].show, "057188120001");
	assert_string_equal(g.claims[1].show, "02161230001"); /* that of her city is used up */
	assert_string_equal(g.claims[2].show, "02161230001");
	assert_int_equal(g.why, CAMPAIGN_RESTING);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'open' AND why IS NULL"), 1);
	assert_int_equal(fix_count(&f, "SELECT n FROM shown_tally WHERE show_id = %lld", (long long)hangzhou), 1);
	assert_int_equal(fix_count(&f, "SELECT n FROM shown_tally WHERE show_id = %lld", (long long)shanghai), 2);
	f.now_ms = fix_utc(20260923, 9, 0); /* limits are a day's */
	fix_claim(&f, &g, 4);
	assert_int_equal(g.n, 1);
	assert_string_equal(g.claims[0].show, "057188120001");
	fix_close(&f);
}

TEST(two_pick_the_same_lead_only_once_whatever_is_checked_here)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t lead;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 1);
	/* As if a check had failed: the indexes refuse a second open claim of the lead, and of the number. */
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(db_run(f.db, "INSERT INTO dial_claims (id, centre_id, rev, created_ms, updated_ms, campaign_id, lead_id, customer_id, number, nth, state, until_ms, checked)"
				      " SELECT 5, centre_id, 1, 1, 1, campaign_id, lead_id, customer_id, '+8613900000000', 2, 'open', 1, '{}' FROM dial_claims WHERE lead_id = $1", "i", lead),
			 DB_E_UNIQUE);
	db_rollback(f.db);
	lead = fix_lead(&f, 1, 1);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(db_run(f.db, "INSERT INTO dial_claims (id, centre_id, rev, created_ms, updated_ms, campaign_id, lead_id, customer_id, number, nth, state, until_ms, checked)"
				      " SELECT 5, centre_id, 1, 1, 1, campaign_id, $1, customer_id, number, 1, 'open', 1, '{}' FROM dial_claims", "i", lead), DB_E_UNIQUE);
	db_rollback(f.db);
	fix_close(&f);
}

/* ---- starting and stopping ---- */

static int press(struct campaign_fix *f, const char *action, bool *changed)
{
	struct system_ctx s;
	json_t *row = NULL;
	int r;

	assert_int_equal(db_begin(f->db), 0);
	system_init(&s, f->db, f->centre);
	s.c.now_ms = f->now_ms;
	r = campaign_state(&row, changed, &s.c, f->campaign, action);
	assert_true(r >= 0);
	r = r ? s.error.status : 0;
	system_done(&s);
	json_decref(row);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	return r;
}

TEST(start_pause_and_stop_twice_are_once)
{
	struct campaign_fix f;
	int64_t version;
	bool changed;

	fix_open(&f, "progressive");
	fix_run(&f, "UPDATE campaigns SET state = 'draft', basis = 'none'");
	assert_int_equal(press(&f, "pause", &changed), 409);
	assert_int_equal(press(&f, "start", &changed), 422); /* no basis, no leads */
	fix_run(&f, "UPDATE campaigns SET basis = 'consent'");
	fix_lead(&f, 0, 1);
	assert_int_equal(press(&f, "start", &changed), 0);
	assert_true(changed);
	version = fix_count(&f, "SELECT version FROM conf_version");
	assert_int_equal(press(&f, "start", &changed), 0);
	assert_false(changed);
	assert_int_equal(fix_count(&f, "SELECT version FROM conf_version"), version); /* the switch is not bothered */
	assert_int_equal(press(&f, "pause", &changed), 0);
	assert_int_equal(press(&f, "pause", &changed), 0);
	assert_false(changed);
	assert_int_equal(press(&f, "stop", &changed), 0);
	assert_int_equal(press(&f, "stop", &changed), 0);
	assert_int_equal(press(&f, "start", &changed), 409);
	assert_true(fix_count(&f, "SELECT ended_ms FROM campaigns") > 0);
	fix_close(&f);
}

TEST(a_call_back_that_its_agent_has_missed_is_anybodys_after_the_grace)
{
	struct campaign_fix f;
	struct campaign_given g;
	int64_t lead;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	fix_set(&f, lead, "rank = 0, next_ms = %lld, agent_id = (SELECT MIN(id) FROM users)", (long long)f.now_ms - 15 * 60000);
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.claims[0].agent_id, 0);
	fix_close(&f);
}
