/* What becomes of attempts, on real tables. */
#include "campaign/fixture.h"

#include <string.h>

#define MIN_MS 60000ll

/* As the log's fold leaves it: the claim's attempt has ended. */
static void ends(struct campaign_fix *f, const struct campaign_claim *c, const char *result)
{
	bool answered = !strcmp(result, "answered");

	fix_run(f, "INSERT INTO attempt (claim_id, centre_id, campaign_id, lead_id, customer_id, nth, begin_ms, ring_ms, answer_ms, connect_ms, end_ms, result, abandoned, applied)"
		   " VALUES (%lld, %lld, %lld, %lld, %lld, %d, %lld, %lld, %s%lld, %s%lld, %lld, '%s', 0, 0)",
		(long long)c->id, (long long)f->centre, (long long)c->campaign_id, (long long)c->lead_id, (long long)c->customer_id, c->nth,
		(long long)f->now_ms - 20000, (long long)f->now_ms - 18000, answered ? "" : "0 * ", (long long)f->now_ms - 10000, answered ? "" : "0 * ",
		(long long)f->now_ms - 9900, (long long)f->now_ms, result);
	if (!answered)
		fix_run(f, "UPDATE attempt SET answer_ms = NULL, connect_ms = NULL WHERE claim_id = %lld", (long long)c->id);
}

static size_t apply(struct campaign_fix *f, bool orphans)
{
	bool more = true;
	size_t n = 0, all = 0;

	while (more) {
		assert_int_equal(db_begin(f->db), 0);
		assert_int_equal(campaign_apply(&more, &n, f->db, f->zone, f->centre, orphans, f->now_ms), 0);
		assert_int_equal(db_commit(f->db), 0);
		all += n;
	}
	return all;
}

static struct campaign_claim claimed(struct campaign_fix *f)
{
	struct campaign_given g;

	fix_claim(f, &g, 1);
	assert_int_equal(g.n, 1);
	return g.claims[0];
}

TEST(an_unanswered_lead_waits_by_the_rule_and_its_next_number_has_its_turn)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 2);
	c = claimed(&f);
	assert_string_equal(c.number, "+8613800000000");
	ends(&f, &c, "noanswer");
	assert_int_equal(apply(&f, false), 1);
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), f.now_ms + 5 * MIN_MS);
	assert_int_equal(fix_count(&f, "SELECT attempts FROM campaign_leads"), 1);
	assert_int_equal(fix_count(&f, "SELECT rank FROM campaign_leads"), LEAD_RETRY);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'ended' AND result = 'noanswer'"), 1);
	f.now_ms += 5 * MIN_MS;
	c = claimed(&f);
	assert_string_equal(c.number, "+8613800000001");
	assert_int_equal(c.nth, 2);
	ends(&f, &c, "noanswer");
	(void)apply(&f, false);
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), f.now_ms + 180 * MIN_MS); /* both had their turn */
	assert_int_equal(fix_count(&f, "SELECT SUM(n) FROM campaign_tally WHERE result = 'noanswer'"), 2);
	assert_int_equal(fix_count(&f, "SELECT ring_ms FROM campaign_tally WHERE nth = 1"), 18000);
	fix_close(&f);
}

TEST(each_attempt_is_applied_once_however_often_it_is_tried)
{
	struct campaign_fix f;
	struct campaign_claim c;

	fix_open(&f, "progressive");
	fix_lead(&f, 0, 1);
	c = claimed(&f);
	ends(&f, &c, "busy");
	assert_int_equal(apply(&f, false), 1);
	assert_int_equal(apply(&f, false), 0);
	fix_run(&f, "UPDATE attempt SET applied = 0"); /* as if the program had died between two commits of another design */
	assert_int_equal(apply(&f, false), 1);
	assert_int_equal(fix_count(&f, "SELECT attempts FROM campaign_leads"), 1);
	assert_int_equal(fix_count(&f, "SELECT SUM(n) FROM campaign_tally"), 1);
	fix_close(&f);
}

TEST(who_was_reached_is_done_and_his_talk_is_counted)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	c = claimed(&f);
	ends(&f, &c, "answered");
	(void)apply(&f, false);
	assert_int_equal(fix_lead_is(&f, lead, "done", ""), 0);
	assert_int_equal(fix_count(&f, "SELECT talk_ms FROM campaign_tally WHERE result = 'answered'"), 9900);
	fix_close(&f);
}

TEST(what_was_not_dialled_is_as_if_nothing_had_been)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead, show;

	fix_open(&f, "progressive");
	show = fix_new(&f, &campaign_shown_numbers, json_pack("{s:s}", "number", "057188120001"));
	lead = fix_lead(&f, 0, 1);
	c = claimed(&f);
	assert_int_equal(fix_count(&f, "SELECT n FROM shown_tally WHERE show_id = %lld", (long long)show), 1);
	ends(&f, &c, "returned");
	(void)apply(&f, false);
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), 0); /* due at once */
	assert_int_equal(fix_count(&f, "SELECT attempts FROM campaign_leads"), 0);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM campaign_tally"), 0);
	assert_int_equal(fix_count(&f, "SELECT n FROM shown_tally"), 0);
	c = claimed(&f);
	assert_int_equal(c.nth, 1);
	fix_close(&f);
}

TEST(a_number_that_does_not_exist_is_marked_and_a_customer_without_others_is_closed)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t one, two;

	fix_open(&f, "progressive");
	one = fix_lead(&f, 0, 1);
	two = fix_lead(&f, 1, 2);
	c = claimed(&f);
	ends(&f, &c, "empty");
	c = claimed(&f);
	ends(&f, &c, "suspended");
	(void)apply(&f, false);
	assert_int_equal(fix_lead_is(&f, one, "closed", "number"), 0);
	assert_int_equal(fix_lead_is(&f, two, "open", ""), f.now_ms + 5 * MIN_MS);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM customer_phones WHERE number = '+8613800000000' AND state = 'empty'"), 1);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM customer_phones WHERE number = '+8613800000010' AND state = 'suspended'"), 1);
	assert_true(fix_count(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'customer_phones' AND action = 'update'") == 2);
	f.now_ms += 5 * MIN_MS;
	c = claimed(&f);
	assert_string_equal(c.number, "+8613800000011");
	fix_close(&f);
}

TEST(claims_of_a_dead_program_are_unknown_and_tried_after_the_pause)
{
	struct campaign_fix f;
	struct campaign_claim c, d;
	int64_t lead, other;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	other = fix_lead(&f, 1, 1);
	c = claimed(&f);
	d = claimed(&f);
	ends(&f, &c, "answered"); /* told before it died, applied by nobody yet */
	(void)d;
	assert_int_equal(apply(&f, false), 1);
	assert_int_equal(apply(&f, true), 1);
	assert_int_equal(fix_lead_is(&f, lead, "done", ""), 0);
	assert_int_equal(fix_lead_is(&f, other, "open", ""), f.now_ms + 60 * MIN_MS);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'open'"), 0);
	assert_int_equal(fix_count(&f, "SELECT attempts FROM campaign_leads WHERE id = %lld", (long long)other), 1);
	fix_close(&f);
}

TEST(a_clock_that_jumps_neither_loses_a_lead_nor_dials_it_at_once)
{
	struct campaign_fix f;
	struct campaign_given g;
	struct campaign_claim c;
	int64_t lead, due;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	c = claimed(&f);
	ends(&f, &c, "busy");
	f.now_ms -= 3600000; /* back, before it is applied */
	assert_int_equal(apply(&f, false), 1);
	due = fix_lead_is(&f, lead, "open", "");
	assert_int_equal(due, f.now_ms + 3600000 + 10 * MIN_MS); /* ten minutes after its end, as that was told */
	fix_claim(&f, &g, 5);
	assert_int_equal(g.n, 0);
	f.now_ms = due;
	c = claimed(&f);
	f.now_ms += 2 * 3600000; /* on, while it rings: its end is told with the new time */
	ends(&f, &c, "noanswer");
	assert_int_equal(apply(&f, false), 1);
	assert_true(fix_lead_is(&f, lead, "open", "") > f.now_ms);
	fix_claim(&f, &g, 5);
	assert_int_equal(g.n, 0);
	assert_int_equal(fix_count(&f, "SELECT attempts FROM campaign_leads WHERE id = %lld", (long long)lead), 2);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'open'"), 0);
	fix_close(&f);
}

TEST(an_agents_word_during_the_call_stays)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	c = claimed(&f);
	fix_set(&f, lead, "state = 'open', rank = 0, next_ms = %lld, agent_id = (SELECT MIN(id) FROM users)", (long long)f.now_ms + 3600000);
	ends(&f, &c, "answered");
	(void)apply(&f, false);
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), f.now_ms + 3600000);
	assert_int_equal(fix_count(&f, "SELECT attempts FROM campaign_leads"), 1);
	fix_close(&f);
}

TEST(the_last_attempt_closes)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead;

	fix_open(&f, "progressive");
	fix_run(&f, "UPDATE campaigns SET attempts_max = 1");
	lead = fix_lead(&f, 0, 1);
	c = claimed(&f);
	ends(&f, &c, "noanswer");
	(void)apply(&f, false);
	assert_int_equal(fix_lead_is(&f, lead, "closed", "attempts"), 0);
	fix_close(&f);
}

TEST(claims_that_never_reached_the_switch_are_given_back)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	c = claimed(&f);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(campaign_give_back(f.db, f.zone, f.centre, &c.id, 1, f.now_ms), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), 0);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'returned'"), 1);
	fix_close(&f);
}

TEST(who_was_skipped_in_the_preview_is_not_the_next_again)
{
	struct campaign_fix f;
	struct campaign_claim c;
	struct campaign_given g;
	int64_t lead, n;

	fix_open(&f, "preview");
	lead = fix_lead(&f, 0, 1);
	c = claimed(&f);
	ends(&f, &c, "returned");
	fix_run(&f, "UPDATE attempt SET reason = 'skip:later' WHERE claim_id = %lld", (long long)c.id);
	(void)apply(&f, false);
	n = fix_lead_is(&f, lead, "open", "skipped");
	assert_true(n > f.now_ms);
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 0);
	assert_int_equal(g.why, CAMPAIGN_LATER);
	f.now_ms = n;
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 1);
	(void)fix_lead_is(&f, lead, "claimed", "");
	assert_int_equal(g.claims[0].nth, 1); /* nobody was dialled */
	fix_close(&f);
}

/* ---- what an agent writes ---- */

static int64_t user_of(struct campaign_fix *f)
{
	return fix_count(f, "SELECT MIN(id) FROM users");
}

static void notes(struct campaign_fix *f, int64_t call_id, const char *code, int64_t next_ms)
{
	struct system_ctx s;
	int64_t result = code ? fix_count(f, "SELECT id FROM contact_results WHERE code = '%s'", code) : 0;

	assert_int_equal(db_begin(f->db), 0);
	system_init(&s, f->db, f->centre);
	s.c.now_ms = f->now_ms;
	if (campaign_noted(&s.c, call_id, user_of(f), result, next_ms))
		fail_msg("%s", s.error.code ? s.error.code : "");
	system_done(&s);
	assert_int_equal(db_commit(f->db), 0);
}

/* A lead whose call, number 900, is going on. */
static struct campaign_claim in_call(struct campaign_fix *f, int64_t *lead, int phones)
{
	struct campaign_claim c;

	fix_open(f, "progressive");
	*lead = fix_lead(f, 0, phones);
	c = claimed(f);
	fix_run(f, "INSERT INTO attempt (claim_id, centre_id, campaign_id, lead_id, customer_id, call_id, nth) VALUES (%lld, %lld, 1, 1, 1, 900, 1)", (long long)c.id,
		(long long)f->centre);
	return c;
}

TEST(a_call_back_waits_for_its_minute_and_its_agent)
{
	struct campaign_fix f;
	struct campaign_claim c;
	struct campaign_given g;
	int64_t lead, due;

	c = in_call(&f, &lead, 1);
	due = f.now_ms + 37 * MIN_MS;
	notes(&f, 900, "call_later", due);
	fix_run(&f, "UPDATE attempt SET end_ms = %lld, result = 'answered', applied = 0 WHERE claim_id = %lld", (long long)f.now_ms, (long long)c.id);
	(void)apply(&f, false);
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), due);
	f.now_ms = due - 1000;
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 0);
	assert_int_equal(g.more_at_ms, due);
	f.now_ms = due;
	fix_claim(&f, &g, 1);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.claims[0].agent_id, user_of(&f));
	fix_close(&f);
}

TEST(a_call_back_that_is_moved_takes_its_lead_along_and_one_that_is_done_is_done)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead;

	c = in_call(&f, &lead, 1);
	notes(&f, 900, "call_later", f.now_ms + 3600000);
	fix_run(&f, "INSERT INTO callbacks (id, centre_id, rev, created_ms, updated_ms, customer_id, due_ms, user_id, campaign_id, state)"
		    " VALUES (5, %lld, 1, 1, 1, %lld, %lld, %lld, %lld, 'open')", (long long)f.centre, (long long)c.customer_id, (long long)f.now_ms + 7200000,
		(long long)user_of(&f), (long long)f.campaign);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(campaign_callbacks(f.db, c.customer_id), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), f.now_ms + 7200000);
	fix_run(&f, "UPDATE callbacks SET state = 'done'");
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(campaign_callbacks(f.db, c.customer_id), 0);
	assert_int_equal(db_commit(f.db), 0);
	(void)fix_lead_is(&f, lead, "done", "");
	fix_close(&f);
}

TEST(do_not_call_again_is_one_word_and_bars_every_number_of_hers)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead;

	c = in_call(&f, &lead, 2);
	notes(&f, 900, "do_not_call", f.now_ms + 3600000);
	notes(&f, 900, "do_not_call", 0); /* twice is once */
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM do_not_call"), 1);
	fix_run(&f, "UPDATE attempt SET end_ms = %lld, result = 'answered', applied = 0 WHERE claim_id = %lld", (long long)f.now_ms, (long long)c.id);
	(void)apply(&f, false);
	(void)fix_lead_is(&f, lead, "done", "");
	notes(&f, 900, "call_later", f.now_ms + 3600000); /* somebody promises one all the same: the guard stands before it */
	f.now_ms += 3600000;
	{
		struct campaign_given g;

		fix_claim(&f, &g, 1);
		assert_int_equal(g.n, 0);
	}
	(void)fix_lead_is(&f, lead, "closed", "dnc");
	fix_close(&f);
}

TEST(do_not_call_again_is_taken_back_by_who_said_it_and_her_leads_wait_as_before)
{
	struct campaign_fix f;
	struct system_ctx s;
	struct res_who who;
	int64_t lead, at;
	int r;

	fix_open(&f, "progressive");
	lead = fix_lead(&f, 0, 1);
	at = f.now_ms + 7200000;
	fix_set(&f, lead, "next_ms = %lld", (long long)at);
	for (int i = 0; i < 3; i++) {
		int64_t customer = fix_count(&f, "SELECT customer_id FROM campaign_leads WHERE id = %lld", (long long)lead);

		assert_int_equal(db_begin(f.db), 0);
		system_init(&s, f.db, f.centre);
		who = *s.c.who;
		who.user_id = user_of(&f) + (i == 1); /* the second is somebody else */
		s.c.who = &who;
		s.c.now_ms = f.now_ms;
		r = i ? campaign_unbar(&s.c, customer, "+8613800000000") : campaign_bar(&s.c, customer, "+8613800000000", 0);
		assert_int_equal(r, i == 1 ? 1 : 0);
		system_done(&s);
		assert_int_equal(db_commit(f.db), 0);
		if (i < 2)
			(void)fix_lead_is(&f, lead, "closed", "dnc");
	}
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), at);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM do_not_call"), 0);
	fix_close(&f);
}

TEST(who_does_not_take_part_is_no_member_until_he_comes_back)
{
	struct campaign_fix f;
	struct system_ctx s;
	bool changed;
	int64_t version, me;

	fix_open(&f, "progressive");
	me = user_of(&f);
	version = fix_count(&f, "SELECT version FROM conf_version");
	assert_int_equal(db_begin(f.db), 0);
	system_init(&s, f.db, f.centre);
	s.c.now_ms = f.now_ms;
	assert_int_equal(campaign_part(&changed, &s.c, f.campaign, me + 1, false), 1); /* it is none of his */
	assert_int_equal(campaign_part(&changed, &s.c, f.campaign, me, false), 0);
	assert_true(changed);
	assert_int_equal(campaign_part(&changed, &s.c, f.campaign, me, false), 0);
	assert_false(changed);
	system_done(&s);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(fix_count(&f, "SELECT version FROM conf_version"), version + 1);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM campaign_away"), 1);
	assert_int_equal(db_begin(f.db), 0);
	system_init(&s, f.db, f.centre);
	assert_int_equal(campaign_part(&changed, &s.c, f.campaign, me, true), 0);
	assert_true(changed);
	system_done(&s);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM campaign_away"), 0);
	fix_close(&f);
}

TEST(an_announcement_that_was_taken_for_an_answer_is_put_right_by_the_agent)
{
	struct campaign_fix f;
	struct campaign_claim c;
	int64_t lead;

	c = in_call(&f, &lead, 2);
	fix_run(&f, "UPDATE attempt SET end_ms = %lld, result = 'answered', applied = 0 WHERE claim_id = %lld", (long long)f.now_ms, (long long)c.id);
	(void)apply(&f, false);
	(void)fix_lead_is(&f, lead, "done", "");
	notes(&f, 900, "no_number", 0);
	assert_int_equal(fix_lead_is(&f, lead, "open", ""), f.now_ms + 5 * MIN_MS); /* her other number */
	assert_int_equal(fix_count(&f, "SELECT COUNT(*) FROM customer_phones WHERE state = 'empty'"), 1);
	fix_close(&f);
}

/* ---- anything at any time ---- */

static void check_all(struct campaign_fix *f)
{
	assert_int_equal(fix_count(f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'claimed'"), fix_count(f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'open'"));
	assert_int_equal(fix_count(f, "SELECT COUNT(*) FROM campaign_leads l WHERE state = 'claimed' AND NOT EXISTS (SELECT 1 FROM dial_claims d WHERE d.lead_id = l.id AND d.state = 'open')"), 0);
	assert_int_equal(fix_count(f, "SELECT COUNT(*) FROM campaign_leads l WHERE attempts <> (SELECT COUNT(*) FROM dial_claims d WHERE d.lead_id = l.id AND d.state = 'ended')"), 0);
	assert_int_equal(fix_count(f, "SELECT COUNT(*) FROM campaign_leads WHERE attempts > 6"), 0);
	/* Nobody was dialled more often on one day than allowed, and nobody outside the hours: 9-12, 13:30-20 of UTC+8. */
	assert_int_equal(fix_count(f, "SELECT COUNT(*) FROM (SELECT 1 AS x FROM dial_claims WHERE state <> 'returned' GROUP BY customer_id, (created_ms + 28800000) / 86400000 HAVING COUNT(*) > 2) AS y"), 0);
	assert_int_equal(fix_count(f, "SELECT COUNT(*) FROM (SELECT (created_ms + 28800000) / 60000 %% 1440 AS m FROM dial_claims) AS y WHERE m < 540 OR m >= 1200 OR (m >= 720 AND m < 810)"), 0);
}

TEST(whatever_happens_in_whatever_order_no_lead_is_lost_stuck_or_dialled_too_often)
{
	static const char *const results[] = {"answered", "noanswer", "noanswer", "busy", "rejected", "empty", "off", "failed", "abandoned", "returned", "returned", "unknown"};
	struct campaign_claim open[40];
	struct campaign_fix f;
	struct campaign_given g;
	struct rng rng;
	size_t n = 0;

	rng_init(&rng, 17);
	fix_open(&f, "progressive");
	for (int i = 0; i < 12; i++)
		fix_lead(&f, i, 1 + i % 3);
	for (int step = 0; step < 150; step++) {
		f.now_ms += (int64_t)rng_below(&rng, 90) * MIN_MS;
		if (rng_below(&rng, 3) && n < 30) {
			fix_claim(&f, &g, 1 + (unsigned)rng_below(&rng, 3));
			for (size_t i = 0; i < g.n; i++)
				open[n++] = g.claims[i];
		}
		while (n && rng_below(&rng, 2)) {
			size_t k = rng_below(&rng, n);

			ends(&f, &open[k], results[rng_below(&rng, ARRAY_LEN(results))]);
			open[k] = open[--n];
		}
		(void)apply(&f, false);
		if (!rng_below(&rng, 20)) { /* killed, and started again */
			(void)apply(&f, true);
			n = 0;
		}
		if (step % 10 == 9)
			check_all(&f);
	}
	(void)apply(&f, true);
	check_all(&f);
	assert_true(fix_count(&f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'ended'") > 15);
	fix_close(&f);
}
