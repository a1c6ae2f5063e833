/* The demo's projects come with a past that adds up, and go without a trace. */
#include "campaign/fixture.h"

#include "campaign/stats.h"
#include "people/customer.h"

static const struct people_demo conf = {"127.0.0.3", 5090, "127.0.0.4", 5092};

#define OPEN(mode) "SELECT COUNT(*) FROM campaign_leads l JOIN campaigns c ON c.id = l.campaign_id JOIN demo_row d ON d.row_id = c.id AND d.resource = 'campaigns'" \
	" WHERE c.mode = '" mode "' AND l.state = 'open'"

TEST(the_demos_projects_have_a_past_that_adds_up_and_go_without_a_trace)
{
	static const char *const gone[] = {"dial_claims", "attempt", "guarded_dials", "campaign_tally", "shown_tally", "campaign_numbers", "shown_numbers", "leg_heard", "call_sounds",
					   "call_sound_data", "campaign_away", "do_not_call", "customers", "demo_row"};
	struct campaign_fix f;
	struct system_ctx s;
	unsigned left = 99;
	int64_t before, before_all;

	fix_open(&f, "progressive"); /* somebody's own project stays */
	before = fix_count(&f, "SELECT COUNT(*) FROM calling_windows");
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(people_demo_seed(f.db, f.centre, &conf), 0);
	assert_int_equal(people_demo_customers(f.db, f.centre, f.now_ms), 0);
	assert_int_equal(people_demo_sales(f.db, f.centre, f.now_ms), 0);
	assert_int_equal(campaign_demo(f.db, f.centre, f.now_ms), 0);
	assert_int_equal(campaign_demo(f.db, f.centre, f.now_ms), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM campaigns WHERE state = 'running' AND name LIKE '%%(示例)'"), 2);
	assert_true(fix_count(&f, "SELECT MIN(n) FROM (SELECT COUNT(*) AS n FROM dial_claims GROUP BY campaign_id) AS x") > 50);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM attempt a WHERE a.end_ms >= %lld OR a.applied = 0 OR NOT EXISTS (SELECT 1 FROM dial_claims d WHERE d.id = a.claim_id"
				       " AND d.result = a.result AND d.ended_ms = a.end_ms)", (long long)f.now_ms), 0);
	assert_int_equal(fix_count(&f, "SELECT SUM(n) FROM campaign_tally"), fix_count(&f, "SELECT COUNT(*) FROM attempt"));
	assert_int_equal(fix_count(&f, "SELECT SUM(n) FROM shown_tally"), fix_count(&f, "SELECT COUNT(*) FROM attempt"));
	assert_int_equal(fix_count(&f, "SELECT SUM(attempts) FROM campaign_leads"), fix_count(&f, "SELECT COUNT(*) FROM dial_claims"));
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'done'"), fix_count(&f, "SELECT COUNT(*) FROM attempt WHERE result = 'answered'"));
	assert_true(fix_count(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'open'") > 200);

	/* A list that has run out: who was dialled a day ago comes again, then further customers; not more than are wanted. */
	assert_int_equal(campaign_demo_refill(f.db, f.centre, f.now_ms), 0);
	before_all = fix_count(&f, "SELECT COUNT(*) FROM customers");
	fix_run(&f, "UPDATE campaign_leads SET state = 'done', last_result = 'answered'");
	fix_run(&f, "UPDATE campaign_leads SET last_ms = %lld WHERE id NOT IN (SELECT MIN(id) FROM campaign_leads GROUP BY campaign_id)", (long long)f.now_ms);
	fix_run(&f, "UPDATE campaign_leads SET last_ms = 1 WHERE id IN (SELECT MIN(id) FROM campaign_leads GROUP BY campaign_id)");
	assert_int_equal(campaign_demo_refill(f.db, f.centre, f.now_ms), 0);
	assert_int_equal(fix_count(&f, OPEN("predictive")), 40);
	assert_int_equal(fix_count(&f, OPEN("preview")), 1); /* nobody else was last dialled a day ago */
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM customers"), before_all + 39);
	assert_int_equal(campaign_demo_refill(f.db, f.centre, f.now_ms), 0);
	assert_int_equal(campaign_demo_refill(f.db, f.centre, f.now_ms), 0);
	assert_int_equal(fix_count(&f, OPEN("predictive")), 80);

	/* At the next start its carrier is elsewhere. */
	assert_int_equal(people_demo_move(f.db, f.centre, &(struct people_demo){"127.0.0.3", 6001, "127.0.0.4", 6002}), 0);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM trunks WHERE port = 6001"), 1);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM devices WHERE static_uri LIKE '%%@127.0.0.4:6002'"), fix_count(&f, "SELECT COUNT(*) FROM devices WHERE static_uri LIKE 'sip:%%'"));
	fix_run(&f, "INSERT INTO leg_heard (leg_id, stage, centre_id, call_id, trunk_id, at_ms, kind) SELECT 1, 'early', centre_id, 1, id, 1, 'voice' FROM trunks");
	fix_run(&f, "INSERT INTO call_sounds (id, centre_id, rev, created_ms, updated_ms, name, class, active, source, user_id)"
		    " SELECT 5000, centre_id, 1, 1, 1, 'x', 'off', 1, 'heard', id FROM users WHERE login = 'lead'");
	fix_run(&f, "INSERT INTO call_sound_data (sound_id, centre_id, print, alaw) VALUES (5000, %lld, '', '')", (long long)f.centre);

	assert_int_equal(db_begin(f.db), 0);
	system_init(&s, f.db, f.centre);
	s.c.now_ms = f.now_ms;
	assert_int_equal(people_demo_clear(&s.c, &left), 0);
	system_done(&s);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(left, 0);
	for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
		print_message("%s\n", gone[i]);
		assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM %s", gone[i]), 0);
	}
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM campaigns"), 1);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM calling_windows"), before);
	fix_close(&f);
}
