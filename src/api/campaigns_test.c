/* Campaigns through the API: built, started, fed to the switch, applied, figures. */
#include "api/fixture.h"

#include <unistd.h>

#include "api/campaigns.h"
#include "api/live.h"

#define SWITCH ((struct sw *)(uintptr_t)1)

static json_int_t num(const json_t *o, const char *a, const char *b)
{
	const json_t *v = json_object_get(o, a);

	return json_integer_value(b ? json_object_get(v, b) : v);
}

/* Customers 1380013800<i> of nobody's. */
static void customers(struct fix *f, int n)
{
	for (int i = 0; i < n; i++) {
		char *sql = xasprintf("INSERT INTO customers (id, centre_id, rev, created_ms, updated_ms, name, contact_n, state, tags) SELECT %d, id, 1, 1, 1, 'k%d', 0, 'active', ',list,' FROM centre", 7000 + i, i);

		fix_run(f, sql);
		free(sql);
		sql = xasprintf("INSERT INTO customer_phones (id, centre_id, rev, created_ms, updated_ms, customer_id, number, label, state, sort)"
				" SELECT %d, id, 1, 1, 1, %d, '+86138%08d', 'self', 'ok', 1 FROM centre", 8000 + i, 7000 + i, i);
		fix_run(f, sql);
		free(sql);
	}
}

static int64_t new_campaign(struct client *c, const char *name)
{
	char *body = xasprintf("{\"name\":\"%s\",\"mode\":\"progressive\",\"hours\":\"0-24\",\"basis\":\"consent\",\"basis_text\":\"form of 2026\"}", name);
	int64_t id;

	assert_true(str_to_i64(&id, json_string_value(json_object_get(ask_for(c, "POST", "/campaigns", body, "201"), "id")), 1, INT64_MAX));
	free(body);
	return id;
}

/* "/campaigns/{id}" and @rest. */
static const json_t *at(struct client *c, const char *method, int64_t id, const char *rest, const char *body, const char *expect)
{
	char *path = xasprintf("/campaigns/%lld%s", (long long)id, rest);
	const json_t *o = ask_for(c, method, path, body, expect);

	free(path);
	return o;
}

static void wait_job(struct client *c, int64_t id)
{
	for (int i = 0; i < 3000; i++) {
		const json_t *o = at(c, "GET", id, "/job", NULL, "200");

		if (!json_is_true(json_object_get(o, "running")))
			return;
		(void)usleep(10000);
	}
	fail();
}

static void works_for(struct client *c, struct fix *f, int64_t campaign, const char *login)
{
	char *sql = xasprintf("SELECT id FROM users WHERE login = '%s'", login), *body;

	body = xasprintf("{\"campaign_id\":\"%lld\",\"user_id\":\"%lld\"}", (long long)campaign, (long long)fix_get(f, sql));
	(void)ask_for(c, "POST", "/campaign_agents", body, "201");
	free(sql);
	free(body);
}

static struct client begin(struct fix *f, int64_t *campaign, int leads)
{
	struct client admin;
	char *body;

	fix_start(f, true);
	fix_run(f, "UPDATE calling_windows SET hours = NULL, days = NULL"); /* whatever the time is */
	admin = fix_login(f, "admin", NULL);
	customers(f, leads);
	*campaign = new_campaign(&admin, "first");
	works_for(&admin, f, *campaign, "agent");
	if (leads) {
		body = xasprintf("{\"filters\":{\"tags.has\":\"list\"},\"count\":%d}", leads);
		(void)at(&admin, "POST", *campaign, "/leads", body, "202");
		free(body);
		wait_job(&admin, *campaign);
	}
	sw_claimed_n = 0;
	sw_claims_told = 0;
	sw_takes_no_claims = false;
	return admin;
}

static void ask_leads(struct fix *f, int64_t campaign, int want)
{
	unsigned before = sw_claims_told;

	api_ask_leads(SWITCH, campaign, want, f->api);
	for (int i = 0; i < 3000 && sw_claims_told == before; i++)
		(void)usleep(10000);
	assert_true(sw_claims_told > before);
}

TEST(a_campaign_needs_a_basis_people_and_leads_and_starts_once)
{
	struct fix f;
	struct client admin, agent;
	const json_t *o;
	unsigned configured;
	int64_t id;

	admin = begin(&f, &id, 0);
	agent = fix_login(&f, "agent", NULL);
	o = at(&admin, "POST", id, "/start", "{}", "422 invalid");
	assert_non_null(json_object_get(json_object_get(json_object_get(o, "error"), "fields"), "leads"));
	customers(&f, 2);
	(void)at(&admin, "POST", id, "/leads", "{\"ids\":[\"7000\",\"7001\"],\"count\":2}", "202");
	wait_job(&admin, id);
	assert_int_equal(num(at(&admin, "GET", id, "/job", NULL, "200"), "added", NULL), 2);
	(void)at(&agent, "POST", id, "/start", "{}", "403 forbidden");
	configured = sw_configured;
	o = at(&admin, "POST", id, "/start", "{}", "200");
	assert_true(json_is_true(json_object_get(o, "changed")));
	assert_int_equal(sw_configured, configured + 1);
	o = at(&admin, "POST", id, "/start", "{}", "200"); /* the other supervisor, at the same moment */
	assert_true(json_is_false(json_object_get(o, "changed")));
	assert_text(json_object_get(o, "campaign"), "state", "running");
	assert_int_equal(sw_configured, configured + 1);
	(void)at(&admin, "POST", id, "/stop", "{}", "200");
	(void)at(&admin, "POST", id, "/start", "{}", "409 wrong_state");
	fix_stop(&f);
}

TEST(the_switch_gets_claims_only_of_what_runs_and_each_lead_once)
{
	struct fix f;
	struct client admin;
	int64_t id;

	admin = begin(&f, &id, 5);
	ask_leads(&f, id, 3);
	assert_int_equal(sw_claimed_n, 0);
	assert_string_equal(sw_claims_why, "state");
	(void)at(&admin, "POST", id, "/start", "{}", "200");
	ask_leads(&f, id, 3);
	assert_int_equal(sw_claimed_n, 3);
	assert_string_equal(sw_claimed[0].number, "+8613800000000");
	assert_int_equal(sw_claimed[0].nth, 1);
	assert_true(sw_claimed[0].until_ms > clock_utc_ms());
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'open'"), 3); /* committed before */
	ask_leads(&f, id, 10);
	assert_int_equal(sw_claimed_n, 2);
	assert_string_equal(sw_claims_why, "empty");
	fix_stop(&f);
}

TEST(what_the_switch_does_not_take_is_open_again)
{
	struct fix f;
	struct client admin;
	int64_t id;

	admin = begin(&f, &id, 2);
	(void)at(&admin, "POST", id, "/start", "{}", "200");
	sw_takes_no_claims = true;
	api_ask_leads(SWITCH, id, 2, f.api);
	for (int i = 0; i < 3000 && fix_get(&f, "SELECT COUNT(*) FROM dial_claims WHERE state = 'returned'") < 2; i++)
		(void)usleep(10000);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'open'"), 2);
	sw_takes_no_claims = false;
	fix_stop(&f);
}

/* As the switch tells it, and the log folds it. */
static void attempt(struct fix *f, const struct sw_claim *c, const char *result)
{
	char *sql = xasprintf("INSERT INTO attempt (claim_id, centre_id, campaign_id, lead_id, customer_id, call_id, nth, begin_ms, end_ms, result, applied)"
			      " SELECT %lld, id, %lld, %lld, %lld, %lld, %d, 1, %lld, '%s', 0 FROM centre", (long long)c->id, (long long)c->campaign_id, (long long)c->lead_id,
			      (long long)c->customer_id, (long long)c->id + 1, c->nth, (long long)clock_utc_ms(), result);

	fix_run(f, sql);
	free(sql);
}

static void applied(struct fix *f)
{
	for (int i = 0; i < 3000 && fix_get(f, "SELECT COUNT(*) FROM attempt WHERE applied = 0"); i++)
		(void)usleep(10000);
	assert_int_equal(fix_get(f, "SELECT COUNT(*) FROM attempt WHERE applied = 0"), 0);
}

TEST(attempts_come_to_their_leads_and_progress_shows_them)
{
	struct fix f;
	struct client admin, agent;
	struct sw_claim claims[4];
	const json_t *o;
	int64_t id;

	admin = begin(&f, &id, 5);
	agent = fix_login(&f, "agent", NULL);
	(void)at(&admin, "POST", id, "/start", "{}", "200");
	ask_leads(&f, id, 4);
	memcpy(claims, sw_claimed, sizeof(claims));
	attempt(&f, &claims[0], "answered");
	attempt(&f, &claims[1], "noanswer");
	attempt(&f, &claims[2], "rejected");
	attempt(&f, &claims[3], "abandoned");
	applied(&f);
	o = at(&admin, "GET", id, "/progress", NULL, "200");
	assert_int_equal(num(o, "leads", "done"), 1);
	assert_int_equal(num(o, "leads", "open"), 4);
	assert_int_equal(num(o, "today", "dials"), 4);
	assert_int_equal(num(o, "today", "answered"), 1);
	assert_int_equal(num(o, "today", "abandoned"), 1);
	assert_int_equal(num(o, "ranks", "retry"), 3);
	assert_int_equal(num(o, "ranks", "new"), 1);
	assert_int_equal(json_array_size(json_object_get(o, "attempts")), 4);
	assert_text(json_object_get(o, "why"), "code", "more");
	o = ask_for(&admin, "GET", "/campaigns/overview", NULL, "200");
	assert_int_equal(json_array_size(json_object_get(o, "items")), 1);
	assert_true(json_is_true(json_object_get(o, "may")));
	o = ask_for(&agent, "GET", "/campaigns/overview", NULL, "200"); /* he works for it */
	assert_int_equal(json_array_size(json_object_get(o, "items")), 1);
	assert_true(json_is_false(json_object_get(o, "may")));
	assert_int_equal(json_array_size(json_object_get(ask_for(&agent, "GET", "/campaign_leads", NULL, "200"), "items")), 5); /* of the pool, which he may see */
	(void)new_campaign(&admin, "nobody's");
	assert_int_equal(json_array_size(json_object_get(ask_for(&agent, "GET", "/campaigns/overview", NULL, "200"), "items")), 1);
	fix_stop(&f);
}

TEST(recycling_says_first_how_many_and_dials_them_again)
{
	struct fix f;
	struct client admin;
	const json_t *o;
	int64_t id;

	admin = begin(&f, &id, 6);
	fix_run(&f, "UPDATE campaign_leads SET state = 'closed', attempts = 6, last_result = 'noanswer', why = 'attempts' WHERE customer_id < 7003");
	fix_run(&f, "UPDATE campaign_leads SET state = 'closed', attempts = 1, last_result = 'noanswer', why = 'dnc' WHERE customer_id = 7003");
	(void)at(&admin, "POST", id, "/recycle/preview", "{}", "422 invalid");
	(void)at(&admin, "POST", id, "/recycle/preview", "{\"last\":[\"never heard of\"]}", "422 invalid");
	o = at(&admin, "POST", id, "/recycle/preview", "{\"last\":[\"noanswer\",\"busy\"]}", "200");
	assert_int_equal(num(o, "n", NULL), 3);
	assert_int_equal(num(o, "spent", NULL), 3);
	(void)at(&admin, "POST", id, "/recycle", "{\"last\":[\"noanswer\"],\"count\":4}", "409 count_changed");
	(void)at(&admin, "POST", id, "/recycle", "{\"last\":[\"noanswer\"],\"count\":3}", "202");
	wait_job(&admin, id);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'open' AND attempts = 0"), 5);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'closed'"), 1);
	fix_stop(&f);
}

TEST(leads_go_out_again_and_those_that_were_dialled_are_closed)
{
	struct fix f;
	struct client admin;
	const json_t *o;
	int64_t id;

	admin = begin(&f, &id, 3);
	(void)at(&admin, "POST", id, "/start", "{}", "200");
	ask_leads(&f, id, 1);
	attempt(&f, &sw_claimed[0], "noanswer");
	applied(&f);
	o = at(&admin, "POST", id, "/leads/remove", "{\"filters\":{},\"count\":3}", "202");
	assert_text(o, "what", "remove");
	wait_job(&admin, id);
	o = at(&admin, "GET", id, "/job", NULL, "200");
	assert_int_equal(num(o, "removed", NULL), 2);
	assert_int_equal(num(o, "closed", NULL), 1);
	fix_stop(&f);
}

TEST(do_not_call_is_one_question_for_whom_he_talks_with_or_may_see)
{
	struct fix f;
	struct client admin, agent;
	int64_t id, me;
	char *sql;

	admin = begin(&f, &id, 3);
	(void)admin;
	agent = fix_login(&f, "agent", NULL);
	me = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	(void)ask_for(&agent, "POST", "/desk/do-not-call", "{}", "422 invalid");
	(void)ask_for(&agent, "POST", "/desk/do-not-call", "{\"customer_id\":\"424242\"}", "404 not_found");
	(void)ask_for(&agent, "POST", "/desk/do-not-call", "{\"call_id\":\"424242\"}", "404 not_found");
	sql = xasprintf("UPDATE customers SET owner_id = %lld WHERE id = 7000", (long long)me);
	fix_run(&f, sql);
	free(sql);
	(void)ask_for(&agent, "POST", "/desk/do-not-call", "{\"customer_id\":\"7000\"}", "204");
	(void)ask_for(&agent, "POST", "/desk/do-not-call", "{\"customer_id\":\"7000\"}", "204"); /* once more does no harm */
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM do_not_call WHERE user_id IS NOT NULL"), 1);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'closed' AND why = 'dnc'"), 1);
	(void)ask_for(&agent, "POST", "/desk/do-not-call/undo", "{\"customer_id\":\"7000\"}", "204");
	(void)ask_for(&agent, "POST", "/desk/do-not-call/undo", "{\"customer_id\":\"7000\"}", "404 not_found");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'closed'"), 0);
	(void)ask_for(&agent, "POST", "/desk/do-not-call", "{\"customer_id\":\"7000\"}", "204");
	say_call(clock_utc_ms(), 900, "13800000001", NULL);
	say(EV_SEG_OPEN, clock_utc_ms(), 900, me, 0, "{\"seg\":\"1\",\"type\":\"talk\"}");
	live_customer(f.api->live, 900, &(struct people_customer){.id = 7001, .name = "k1"});
	for (int i = 0; i < 300 && ask(&agent, "POST", "/desk/do-not-call", NULL, "{\"call_id\":\"900\"}")->status != 204; i++)
		(void)usleep(10000);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'closed' AND why = 'dnc'"), 2);
	fix_stop(&f);
}

TEST(the_desk_knows_its_projects_with_script_and_results_in_their_order)
{
	struct fix f;
	struct client admin, agent;
	const json_t *o;
	int64_t id;
	char *sql;

	admin = begin(&f, &id, 1);
	agent = fix_login(&f, "agent", NULL);
	assert_int_equal(json_array_size(json_object_get(ask_for(&agent, "GET", "/desk/campaigns", NULL, "200"), "items")), 0);
	sql = xasprintf("UPDATE campaigns SET script = '# Hello', results = '[\"%lld\",\"%lld\"]'", (long long)fix_get(&f, "SELECT id FROM contact_results WHERE code = 'refused'"),
			(long long)fix_get(&f, "SELECT id FROM contact_results WHERE code = 'interested'"));
	fix_run(&f, sql);
	free(sql);
	(void)at(&admin, "POST", id, "/start", "{}", "200");
	o = json_array_get(json_object_get(ask_for(&agent, "GET", "/desk/campaigns", NULL, "200"), "items"), 0);
	assert_text(o, "script", "# Hello");
	assert_int_equal(json_array_size(json_object_get(o, "results")), 2);
	assert_text(json_array_get(json_object_get(o, "results"), 0), "code", "refused");
	assert_true(json_is_true(json_object_get(o, "takes_part")));
	sql = xasprintf("/desk/campaigns/%lld/leave", (long long)id);
	(void)ask_for(&admin, "POST", sql, "{}", "404 not_found"); /* he does not work for it */
	(void)ask_for(&agent, "POST", sql, "{}", "204");
	free(sql);
	o = json_array_get(json_object_get(ask_for(&agent, "GET", "/desk/campaigns", NULL, "200"), "items"), 0);
	assert_true(json_is_false(json_object_get(o, "takes_part")));
	sql = xasprintf("UPDATE campaign_leads SET next_ms = %lld", (long long)clock_utc_ms() + 600000);
	fix_run(&f, sql);
	free(sql);
	sql = xasprintf("/desk/campaigns/%lld/join", (long long)id);
	(void)ask_for(&agent, "POST", sql, "{}", "204");
	free(sql);
	o = json_array_get(json_object_get(ask_for(&agent, "GET", "/desk/campaigns", NULL, "200"), "items"), 0);
	assert_true(json_is_true(json_object_get(o, "takes_part")));
	assert_int_equal(num(o, "next_n", NULL), 1);
	assert_true(num(o, "next_ms", NULL) > clock_utc_ms());
	fix_stop(&f);
}

TEST(a_sheet_of_customers_names_their_project)
{
	struct fix f;
	struct client admin, agent;
	char *body;
	int64_t id;

	admin = begin(&f, &id, 0);
	agent = fix_login(&f, "agent", NULL);
	body = xasprintf("{\"name\":\"new one\",\"phones\":[{\"number\":\"13900139000\"}],\"campaign_id\":\"%lld\"}", (long long)id);
	(void)ask_for(&admin, "POST", "/customers", body, "201"); /* as the import writes it */
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM campaign_leads WHERE state = 'open'"), 1);
	free(body);
	body = xasprintf("{\"name\":\"his\",\"phones\":[{\"number\":\"13900139001\"}],\"campaign_id\":\"%lld\"}", (long long)id);
	(void)ask_for(&agent, "POST", "/customers", body, "403 forbidden"); /* lists are not his to fill */
	free(body);
	fix_stop(&f);
}

/* A call in of customer 7000, as the log folds it. */
static void calls_back(struct fix *f, int64_t id)
{
	char *sql = xasprintf("INSERT INTO call (id, centre_id, dir, start_ms, customer_id) SELECT %lld, id, 'in', %lld, 7000 FROM centre", (long long)id, (long long)clock_utc_ms());

	fix_run(f, sql);
	free(sql);
	sql = xasprintf("INSERT INTO call_pii (call_id, centre_id, from_number) SELECT %lld, id, '13800000000' FROM centre", (long long)id);
	fix_run(f, sql);
	free(sql);
}

TEST(who_rings_back_reaches_who_dialled_him_and_is_counted)
{
	struct fix f;
	struct client admin, agent;
	const json_t *o;
	int64_t id, me;
	char *sql;

	admin = begin(&f, &id, 1);
	me = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	(void)at(&admin, "POST", id, "/start", "{}", "200");
	ask_leads(&f, id, 1);
	attempt(&f, &sw_claimed[0], "noanswer");
	sql = xasprintf("UPDATE attempt SET agent_id = %lld", (long long)me);
	fix_run(&f, sql);
	free(sql);
	applied(&f);
	sw_said = (struct sw_customer){0};
	api_ask_customer(SWITCH, 5000, "13800000000", f.api);
	for (int i = 0; i < 3000 && !sw_said.call_id; i++)
		(void)usleep(10000);
	assert_int_equal(sw_said.customer_id, 7000);
	assert_int_equal(sw_said.owner_id, me); /* the pool's, but he has dialled her */
	assert_int_equal(sw_said.back_campaign_id, id);
	assert_int_equal(sw_said.back_claim_id, sw_claimed[0].id);
	calls_back(&f, 5000);
	o = json_object_get(ask_for(&admin, "GET", "/desk/pop?call_id=5000", NULL, "200"), "campaign");
	assert_text(o, "name", "first");
	assert_text(o, "result", "noanswer");
	assert_true(json_is_false(json_object_get(o, "now")));
	{
		struct zone *zone = NULL;

		assert_int_equal(zone_open(&zone, "Asia/Shanghai"), 0);
		campaigns_watch(f.api, zone);
		campaigns_watch(f.api, zone);
		zone_free(zone);
	}
	assert_int_equal(num(at(&admin, "GET", id, "/progress", NULL, "200"), "ring_backs", NULL), 1);
	agent = fix_login(&f, "agent", NULL);
	fix_run(&f, "UPDATE call SET end_ms = start_ms + 9000 WHERE id = 5000"); /* out of hours: nobody was offered it */
	o = json_array_get(json_object_get(ask_for(&agent, "GET", "/todos", NULL, "200"), "items"), 0);
	assert_text(o, "kind", "missed");
	assert_text(o, "call_id", "5000");
	assert_false(sw_said.back_closed);

	/* Who dialled him is not there any more, or nobody was: it is the project's people's, and who deals with it does so for all. */
	fix_run(&f, "UPDATE ring_backs SET agent_id = NULL");
	o = json_array_get(json_object_get(ask_for(&agent, "GET", "/todos", NULL, "200"), "items"), 0);
	assert_text(o, "call_id", "5000");
	(void)ask_for(&agent, "POST", "/calls/5000/callback", "{}", "200");
	assert_int_equal(json_array_size(json_object_get(ask_for(&agent, "GET", "/todos", NULL, "200"), "items")), 0);

	/* After the project's last day: whoever finds nobody then is told so. */
	fix_run(&f, "UPDATE campaigns SET end_day = '2020-01-01'");
	sw_said = (struct sw_customer){0};
	api_ask_customer(SWITCH, 5001, "13800000000", f.api);
	for (int i = 0; i < 3000 && !sw_said.call_id; i++)
		(void)usleep(10000);
	assert_true(sw_said.back_closed);
	fix_stop(&f);
}

TEST(clicks_are_counted_and_capped_and_who_wants_no_calls_is_not_dialled)
{
	struct fix f;
	struct client admin, agent;
	int64_t id, me;
	char *sql;

	admin = begin(&f, &id, 3);
	agent = fix_login(&f, "agent", NULL);
	me = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	sql = xasprintf("UPDATE customers SET owner_id = %lld WHERE id >= 7000", (long long)me);
	fix_run(&f, sql);
	free(sql);
	(void)at(&admin, "POST", id, "/start", "{}", "200");
	fix_run(&f, "UPDATE campaigns SET click_day_max = 2");
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"customer_id\":\"7000\"}", "200");
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"customer_id\":\"7001\"}", "200");
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"customer_id\":\"7000\"}", "409 click_cap");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM click_dials WHERE campaign_id IS NOT NULL"), 2);
	fix_run(&f, "UPDATE campaigns SET click_day_max = 0");
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"customer_id\":\"7000\"}", "200");
	fix_run(&f, "UPDATE outbound_settings SET click_day_max = 3");
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"customer_id\":\"7000\"}", "409 click_cap");
	fix_run(&f, "UPDATE outbound_settings SET click_day_max = 0");
	(void)ask_for(&agent, "POST", "/desk/do-not-call", "{\"customer_id\":\"7002\"}", "204");
	(void)ask_for(&agent, "POST", "/desk/dial", "{\"customer_id\":\"7002\"}", "409 do_not_call");
	fix_stop(&f);
}

TEST(who_works_for_a_campaign_is_told_with_his_talks_of_today)
{
	struct fix f;
	struct client admin, agent;
	int64_t id, me, now = clock_utc_ms();
	const json_t *o;
	char *sql;

	admin = begin(&f, &id, 1);
	me = fix_get(&f, "SELECT id FROM users WHERE login = 'agent'");
	for (int i = 0; i < 4; i++) { /* two talks of 30 s, one that nobody answered, one of three days ago */
		int64_t end = i == 3 ? now - 3 * 86400000ll : now;

		sql = xasprintf("INSERT INTO attempt (claim_id, centre_id, campaign_id, lead_id, customer_id, agent_id, nth, begin_ms, connect_ms, end_ms, result, applied)"
				" SELECT %d, id, %lld, 1, 7000, %lld, 1, %lld, %s, %lld, '%s', 1 FROM centre",
				9900 + i, (long long)id, (long long)me, (long long)end - 40000, i == 2 ? "NULL" : "0", (long long)end, i == 2 ? "noanswer" : "answered");
		fix_run(&f, sql);
		free(sql);
	}
	fix_run(&f, "UPDATE attempt SET connect_ms = end_ms - 30000 WHERE connect_ms IS NOT NULL");
	o = at(&admin, "GET", id, "/people", NULL, "200");
	assert_int_equal(json_array_size(json_object_get(o, "items")), 1);
	o = json_array_get(json_object_get(o, "items"), 0);
	assert_int_equal(num(o, "dials", NULL), 3);
	assert_int_equal(num(o, "talks", NULL), 2);
	assert_int_equal(num(o, "talk_ms", NULL), 60000);
	assert_int_equal(num(o, "share", NULL), 1);
	agent = fix_login(&f, "agent", NULL);
	fix_run(&f, "DELETE FROM campaign_agents");
	(void)at(&agent, "GET", id, "/people", NULL, "404 not_found"); /* not his any more */
	fix_stop(&f);
}

TEST(a_campaign_ends_by_itself_at_its_target_and_after_its_last_day_and_a_dry_list_is_told)
{
	struct fix f;
	struct client admin;
	struct zone *zone = NULL;
	unsigned configured;
	int64_t id;

	admin = begin(&f, &id, 3);
	assert_int_equal(zone_open(&zone, "Asia/Shanghai"), 0);
	(void)at(&admin, "POST", id, "/start", "{}", "200");
	fix_run(&f, "INSERT INTO dial_claims (id, centre_id, rev, created_ms, updated_ms, campaign_id, lead_id, customer_id, nth, state, until_ms)"
		    " SELECT l.id, l.centre_id, 1, l.created_ms, 1, l.campaign_id, l.id, l.customer_id, 1, 'ended', 1 FROM campaign_leads l");
	sw_raised[0] = 0;
	campaigns_watch(f.api, zone); /* three dials in the last hour, three leads: they last an hour */
	assert_string_equal(sw_raised, "list_dry");
	assert_false(sw_raised_on);
	fix_run(&f, "UPDATE campaign_leads SET state = 'done' WHERE customer_id > 7000"); /* one is left, for twenty minutes */
	campaigns_watch(f.api, zone);
	assert_true(sw_raised_on);
	fix_run(&f, "UPDATE campaigns SET target = 2");
	fix_run(&f, "INSERT INTO campaign_tally (campaign_id, day, nth, result, n, ring_ms, talk_ms) SELECT id, 1, 1, 'answered', 2, 0, 0 FROM campaigns");
	configured = sw_configured;
	campaigns_watch(f.api, zone);
	assert_text(json_object_get(at(&admin, "GET", id, "/progress", NULL, "200"), "campaign"), "state", "ended");
	assert_int_equal(sw_configured, configured + 1);
	fix_run(&f, "UPDATE campaigns SET target = 0, state = 'running', end_day = '2020-01-01'");
	campaigns_watch(f.api, zone);
	assert_text(json_object_get(at(&admin, "GET", id, "/progress", NULL, "200"), "campaign"), "state", "ended");
	zone_free(zone);
	fix_stop(&f);
}

TEST(a_day_is_told_slot_by_slot_and_dial_by_dial)
{
	struct fix f;
	struct client admin;
	const json_t *o, *slot;
	const struct answer *a;
	int64_t id;
	char *sql, *path;

	admin = begin(&f, &id, 1);
	/* 2026-03-02 10:05 in Shanghai: an answer, an abandoned one and one that nobody took; the next day does not count. */
	for (int i = 0; i < 4; i++) {
		sql = xasprintf("INSERT INTO attempt (claim_id, centre_id, campaign_id, lead_id, customer_id, nth, mode, begin_ms, ring_ms, answer_ms, connect_ms, end_ms, result, abandoned, applied, why)"
				" SELECT %d, id, %lld, 1, 7000, 1, 'predictive', %lld, %lld, %s, %s, %lld, '%s', %d, 1, '{\"idle\":2,\"free_milli\":1500,\"price_ppm\":%d}' FROM centre",
				100 + i, (long long)id, 1772417100000ll + i * 1000 + (i == 3 ? 86400000ll : 0), 1772417103000ll, i < 2 ? "1772417110000" : "NULL", i ? "NULL" : "1772417110100",
				1772417140000ll + (i == 3 ? 86400000ll : 0), i == 0 ? "answered" : i == 1 ? "abandoned" : "noanswer", i == 1, 20000 + i);
		fix_run(&f, sql);
		free(sql);
	}
	o = json_object_get(at(&admin, "GET", id, "/day?day=20260302", NULL, "200"), "sheet");
	assert_int_equal(num(o, "slot_ms", NULL), 900000);
	assert_int_equal(num(o, "limit_permille", NULL), 30);
	slot = json_array_get(json_object_get(o, "slots"), 40); /* 10:00 to 10:15 */
	assert_int_equal(num(slot, "dialled", NULL), 3);
	assert_int_equal(num(slot, "answered", NULL), 2);
	assert_int_equal(num(slot, "abandoned", NULL), 1);
	assert_int_equal(num(slot, "allowed_milli", NULL), 60); /* 3 % of two */
	assert_int_equal(num(slot, "price_ppm", NULL), 20002);
	(void)at(&admin, "GET", id, "/day?day=20260231x", NULL, "400 bad_query");
	path = xasprintf("/campaigns/%lld/day.xlsx?day=20260302&lang=en", (long long)id);
	a = ask(&admin, "GET", path, NULL, NULL);
	free(path);
	assert_int_equal(a->status, 200);
	assert_memory_equal(a->body, "PK", 2);
	fix_stop(&f);
}
