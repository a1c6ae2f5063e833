/* Numbers and the toll guard in the switch: what leaves to the carrier, who may, and what is counted. */
#include "switch/bed_test.h"
#include "switch/sw_number.h"

#include "number/prefix.h"

static struct num_table table;
static struct num_rights trunk_rights, person_rights;
static struct sw_toll_conf toll;

static void plan_numbers(void)
{
	plan_default();
	table = (struct num_table){.id = 5, .area = "755", .called = NUM_F_E164, .shown = NUM_F_E164, .pai = true, .domain = "ims.example"};
	trunk_rights = person_rights = num_rights_default;
	plan.trunks[0].numbers = &table;
	plan.trunks[0].caller_id = "075523456789";
	plan.trunks[0].rights = &trunk_rights;
	plan.users[0].rights = &person_rights;
}

/* ---- the try-it box and real calls say the same ---- */

struct told {
	sem_t sem;
	char json[8192];
};

static void on_told(const char *json, void *arg)
{
	struct told *t = arg;

	(void)snprintf(t->json, sizeof(t->json), "%s", json ? json : "");
	(void)sem_post(&t->sem);
}

static const char *try_it(struct sw_trial trial)
{
	static struct told t;

	(void)sem_init(&t.sem, 0, 0);
	assert_int_equal(sw_try_number(bed.sw, &trial, on_told, &t), 0);
	while (sem_wait(&t.sem))
		;
	(void)sem_destroy(&t.sem);
	return t.json;
}

static struct sw_trial dialled(const char *number)
{
	struct sw_trial t = {.trunk_id = TRUNK, .user_id = ALICE};

	(void)snprintf(t.number, sizeof(t.number), "%s", number);
	return t;
}

static void says(const char *json, const char *part)
{
	if (!strstr(json, part))
		fail_msg("no %s in %s", part, json);
}

TEST(call_leaves_as_the_try_it_box_says)
{
	const char *json;
	char uri[128], from[128];
	struct dlg a, o;

	plan_numbers();
	begin();
	json = try_it(dialled("62345678"));
	(void)snprintf(uri, sizeof(uri), "\"uri\":\"sip:+8675562345678@%s\"", trunk.at);
	says(json, uri);
	says(json, "\"from\":\"<sip:+8675523456789@ims.example>\"");
	says(json, "\"pai\":\"<sip:+8675523456789@ims.example>\"");
	says(json, "\"allowed\":true");
	says(json, "\"class\":\"local\"");
	says(json, "\"chosen\":\"7\"");
	says(json, "\"what\":\"e164\",\"rule_id\":\"0\",\"before\":\"+8675562345678\"");
	assert_int_equal(dial(ALICE, "62345678"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&o, &trunk);
	(void)snprintf(uri, sizeof(uri), "INVITE sip:+8675562345678@%s SIP/2.0", trunk.at);
	assert_non_null(strstr(o.invite, uri));
	(void)snprintf(from, sizeof(from), "%.*s", (int)strcspn(header(o.invite, "From"), ";"), header(o.invite, "From"));
	assert_string_equal(from, "<sip:+8675523456789@ims.example>");
	assert_string_equal(header(o.invite, "P-Asserted-Identity"), "<sip:+8675523456789@ims.example>");
	answer(&o);
	bye(&o);
	expect_bye(&a);
	end();
}

TEST(form_that_is_not_saved_yet_can_be_tried)
{
	struct sw_trial t = dialled("13800138000");

	plan_numbers();
	begin();
	t.has_form = true;
	t.form = (struct num_table){.called = NUM_F_LOCAL, .shown = NUM_F_NATIONAL, .area = "755", .hide = true, .rpid = true};
	says(try_it(t), "\"uri\":\"sip:013800138000@"); /* a mobile of Beijing, dialled in Shenzhen */
	says(try_it(t), "\"from\":\"\\\"Anonymous\\\" <sip:anonymous@anonymous.invalid>\"");
	says(try_it(t), "\"privacy\":\"id\"");
	t.in = t.calling = true;
	says(try_it(t), "\"canonical\":\"+8613800138000\"");
	t.trunk_id = 99;
	assert_string_equal(try_it(t), "");
	end();
}

/* ---- inbound ---- */

static void caller_is(const char *lines, const char *from, const char *expected)
{
	struct dlg c;

	c = (struct dlg){.p = &trunk, .caller = true, .cseq = 1};
	(void)snprintf(c.call_id, sizeof(c.call_id), "c%u", ++serial);
	(void)snprintf(c.local, sizeof(c.local), "%s;tag=t%u", from, serial);
	(void)snprintf(c.remote, sizeof(c.remote), "<sip:q@%s>", bed.sip);
	(void)snprintf(c.target, sizeof(c.target), "sip:075523456789@%s", bed.sip);
	new_branch(c.branch, sizeof(c.branch));
	request(&c, "INVITE", 1, c.branch, lines, sdp_of(&trunk));
	expect_progress(&c, 180);
	says(try_it((struct sw_trial){.trunk_id = TRUNK, .in = true, .number = "+8675523456789"}), "\"number_id\":\"70\"");
	cancelled(&c);
	struct db *db;
	char sql[200];

	(void)await_event(0, EV_CALL_END, 0, "");
	stop(3000);
	db = records();
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM call_pii WHERE from_number = '%s' AND to_number = '+8675523456789' AND name IS NULL", expected);
	assert_int_equal(get(db, sql), 1);
	db_close(db);
	end();
}

static void plan_called(void)
{
	plan_numbers();
	plan.numbers[0].number = "23456789"; /* written as the people of the place do */
	plan.numbers[0].trunk_id = TRUNK;
	begin();
}

TEST(caller_is_kept_canonical_from_the_carriers_word)
{
	plan_called();
	caller_is("P-Asserted-Identity: <sip:013800138000@x>\r\n", "\"13800138000\" <sip:8888@x>", "+8613800138000");
}

TEST(caller_with_a_local_number_gets_the_trunks_area)
{
	plan_called();
	caller_is("", "<sip:88880000@x>", "+8675588880000");
}

TEST(caller_who_hides_is_not_shown)
{
	plan_called();
	caller_is("P-Asserted-Identity: <sip:013800138000@x>\r\nPrivacy: id\r\n", "<sip:anonymous@anonymous.invalid>", "anonymous");
}

/* ---- the gate ---- */

static void dials(const char *number, const char *expected)
{
	struct sw_plan_ask ask = {.trunk = &plan.trunks[0], .dialled = number};
	struct sw_verdict v;

	sw_plan(&v, &ask, NULL);
	assert_string_equal(v.called, expected);
}

/* 1601234 is nobody's prefix: unknown ranges get the 0 of other cities, until a table says where they are at home. */
TEST(mobile_of_a_new_range_loses_its_zero_when_the_table_says_it_is_at_home)
{
	static const struct num_place here = {"广东", "深圳", "755", ""}, elsewhere = {"浙江", "杭州", "571", ""};
	struct num_prefixes *t = num_prefixes_new();

	plan_numbers();
	table.called = NUM_F_LOCAL;
	dials("16012345678", "016012345678");
	dials("13510000000", "13510000000");
	assert_int_equal(num_prefixes_add(t, "1601234", &here), 0);
	assert_int_equal(num_prefixes_add(t, "1351000", &elsewhere), 0);
	num_prefixes_publish(t);
	dials("16012345678", "16012345678");
	dials("13510000000", "013510000000");
	num_prefixes_publish(NULL);
	dials("16012345678", "016012345678");
}

TEST(trunk_and_person_must_both_allow)
{
	plan_numbers();
	trunk_rights.countries = "852";
	begin();
	assert_int_equal(dial(ALICE, "0085221234567"), SW_R_ABROAD);
	says(try_it(dialled("0085221234567")), "\"allowed\":false,\"gate\":\"class\",\"by\":\"person\"");
	assert_int_equal(count_events(EV_DIAL_REFUSED, "\"by\":\"person\""), 1); /* trying is no fact */
	person_rights.countries = "*";
	says(try_it(dialled("0085221234567")), "\"allowed\":true");
	says(try_it(dialled("0012025550100")), "\"gate\":\"country\",\"by\":\"trunk\"");
	says(try_it(dialled("00852 2123")), "\"allowed\":true");
	end();
}

TEST(emergency_is_dialled_whatever_is_barred)
{
	struct dlg a, o;

	plan_numbers();
	trunk_rights.classes = person_rights.classes = 0;
	trunk_rights.barred = "1";
	trunk_rights.minutes_day = 1;
	plan.users[1].extension = "110"; /* from an older version */
	begin();
	assert_int_equal(dial(ALICE, "10086"), SW_R_BARRED);
	assert_int_equal(dial(ALICE, "110"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&o, &trunk);
	assert_non_null(strstr(o.invite, "INVITE sip:110@"));
	refuse(&o, 486);
	expect_bye(&a);
	end();
}

TEST(desk_phones_and_overflow_pass_the_same_gate)
{
	struct dlg c;
	int from;

	plan_numbers();
	plan.users[0].static_agent = plan.users[1].static_agent = false;
	plan.queues[0].overflow_number = "0085221234567";
	plan.queues[0].answer_first = true;
	plan.aq[0].overflow = ACD_OVERFLOW_NUMBER;
	plan.aq[0].wait_max_ms = 50;
	plan.numbers[1].uri = "sip:0085221234567@127.0.0.3:5060"; /* forwarded to the carrier */
	begin();
	call(&c, "13800138000", "uri");
	expect_final(&c, 403);
	(void)await_event(0, EV_DIAL_REFUSED, 0, "\"via\":\"forward\"");
	call(&c, "13800138000", "q");
	expect_final(&c, 200);
	from = await_event(0, EV_DIAL_REFUSED, 0, "\"via\":\"overflow\"");
	assert_int_equal(events[from].agent, 0);
	bye(&c);
	browser_open(&browser);
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = WEB, .ready = true), SW_OK);
	device_call(&c, &browser, "0085221234567");
	expect_final(&c, 403);
	(void)await_event(from + 1, EV_DIAL_REFUSED, WEB, "\"class\":\"abroad\"");
	end();
}

TEST(what_the_carrier_would_read_is_what_is_judged)
{
	static const struct num_rule nine[] = {{.id = 1, .begins = "9", .strip = 1}};

	plan_numbers();
	table = (struct num_table){.id = 5, .called = NUM_F_BARE, .shown = NUM_F_BARE};
	begin();
	says(try_it(dialled("6834000")), "\"gate\":\"class\""); /* Niue, for who reads 86... as China */
	says(try_it(dialled("13800138000")), "\"allowed\":true");
	table.area[0] = '1', table.area[1] = '0';
	says(try_it(dialled("6834000")), "\"allowed\":true"); /* 86106834000: of Beijing */
	table = (struct num_table){.id = 5, .called = NUM_F_RAW, .rules = nine, .rule_n = 1};
	trunk_rights.classes = person_rights.classes |= 1u << NUM_C_OTHER;
	says(try_it(dialled("913800138000")), "\"allowed\":true");
	says(try_it(dialled("90085221234567")), "\"gate\":\"class\"");
	says(try_it(dialled("90085221234567")), "\"class\":\"abroad\"");
	end();
}

TEST(however_a_forward_names_the_carrier_it_is_a_call_out)
{
	static const char *const forwards[] = {"sip:00852.2123.4567@127.0.0.3:5060", "sip:0085221234567@127.0.0.99",
					       "sip:+85221234567@127.0.0.3;transport=tcp"};
	struct dlg c;

	for (size_t i = 0; i < ARRAY_LEN(forwards); i++) {
		plan_numbers();
		plan.trunks[0].sources = "127.0.0.99";
		plan.numbers[1].uri = forwards[i];
		begin();
		call(&c, "13800138000", "uri");
		expect_final(&c, 403);
		(void)await_event(0, EV_DIAL_REFUSED, 0, "\"via\":\"forward\"");
		end();
	}
}

TEST(minutes_of_the_day_are_counted_and_end)
{
	plan_numbers();
	plan.used[0] = (struct sw_used){.trunk_id = TRUNK, .ms = 59 * 60000LL, .costly_ms = 0};
	plan.used[1] = (struct sw_used){.user_id = ALICE, .ms = 10 * 60000LL, .costly_ms = 5 * 60000LL};
	plan.used_n = 2;
	trunk_rights.minutes_day = 60;
	trunk_rights.countries = person_rights.countries = "*";
	person_rights.abroad_minutes_day = 5;
	begin();
	says(try_it(dialled("13800138000")), "\"allowed\":true");
	says(try_it(dialled("0085221234567")), "\"gate\":\"costly\",\"by\":\"person\"");
	assert_int_equal(dial(ALICE, "0085221234567"), SW_R_MINUTES);
	trunk_rights.minutes_day = 59;
	says(try_it(dialled("13800138000")), "\"gate\":\"minutes\",\"by\":\"trunk\"");
	assert_int_equal(dial(ALICE, "13800138000"), SW_R_MINUTES);
	end();
}

TEST(short_calls_that_come_thick_raise_an_alarm)
{
	struct dlg a, o;
	int from = 0;

	plan_numbers();
	toll = (struct sw_toll_conf){.short_burst = 3};
	plan.toll = &toll;
	begin();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(count_events(EV_SYS_ALARM, "\"toll\""), 0);
		assert_int_equal(dial(ALICE, "13800138000"), SW_OK);
		rung(&a, &phone_a);
		answer(&a);
		rung(&o, &trunk);
		answer(&o);
		(void)await_event(from, EV_CALL_ANSWER, ALICE, "");
		bye(&o);
		expect_bye(&a);
		from = await_event(from, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"") + 1;
	}
	(void)await_event(0, EV_SYS_ALARM, 0, "\"toll\"");
	end();
}

TEST(calls_abroad_at_odd_hours_and_in_bursts_raise_an_alarm)
{
	struct dlg a, o;

	plan_numbers();
	toll = (struct sw_toll_conf){.odd_from = 0, .odd_to = 24}; /* every hour is odd */
	plan.toll = &toll;
	trunk_rights.countries = person_rights.countries = "*";
	begin();
	assert_int_equal(dial(ALICE, "13800138000"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&o, &trunk);
	refuse(&o, 486);
	expect_bye(&a);
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"ready\",\"prev\":\"talking\"");
	assert_int_equal(count_events(EV_SYS_ALARM, "\"toll\""), 0);
	assert_int_equal(dial(ALICE, "0085221234567"), SW_OK);
	rung(&a, &phone_a);
	answer(&a);
	rung(&o, &trunk);
	(void)await_event(0, EV_SYS_ALARM, 0, "\"what\":\"toll\",\"object\":\"1\",\"name\":\"A\"");
	(void)await_event(0, EV_SYS_ALARM, 0, "\"what\":\"toll\",\"object\":\"7\",\"name\":\"t\"");
	refuse(&o, 486);
	expect_bye(&a);
	end();
}

/* ---- test calls ---- */

TEST(test_call_tells_each_answer_of_the_carrier)
{
	struct dlg o;
	struct db *db;
	struct sw_cmd cmd = {.kind = SW_TEST_CALL, .user_id = BOB, .trunk_id = TRUNK, .ms = 60000};

	plan_numbers();
	begin();
	(void)snprintf(cmd.number, sizeof(cmd.number), "0085221234567");
	assert_int_equal(command(cmd), SW_R_ABROAD);
	(void)snprintf(cmd.number, sizeof(cmd.number), "110");
	assert_int_equal(command(cmd), SW_R_EMERGENCY);
	(void)snprintf(cmd.number, sizeof(cmd.number), "13800138000");
	assert_int_equal(command(cmd), SW_OK);
	rung(&o, &trunk);
	reply(&o, 183);
	(void)await_event(0, EV_TEST_STEP, 0, "\"code\":0");
	(void)await_event(0, EV_TEST_STEP, 0, "\"code\":180,\"early\":false");
	(void)await_event(0, EV_TEST_STEP, 0, "\"code\":183,\"early\":true");
	answer(&o);
	(void)await_event(0, EV_TEST_STEP, 0, "\"code\":200");
	bye(&o);
	(void)await_event(0, EV_TEST_STEP, 0, "\"by\":\"remote\"");
	assert_int_equal(command(cmd), SW_OK);
	rung(&o, &trunk);
	refuse(&o, 486);
	(void)await_event(0, EV_TEST_STEP, 0, "\"code\":486");
	cmd.ms = 50;
	assert_int_equal(command(cmd), SW_OK);
	rung(&o, &trunk);
	expect_cancel(&o);
	(void)await_event(0, EV_TEST_STEP, 0, "\"by\":\"local\"");
	(void)await_event(await_event(0, EV_TEST_STEP, 0, "\"by\":\"local\""), EV_LEG_END, 0, "");
	stop(3000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM call WHERE dir = 'test' AND end_ms > 0"), 3);
	assert_int_equal(get(db, "SELECT count(*) FROM test_step WHERE sent LIKE '%sip:+8613800138000@127.0.0.3%'"), 3);
	assert_int_equal(get(db, "SELECT count(*) FROM rollup_queue_slot"), 0);
	assert_int_equal(get(db, "SELECT count(*) FROM rollup_agent_day WHERE talks > 0"), 0);
	db_close(db);
	end();
}
