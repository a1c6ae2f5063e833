/* Listening, whispering, joining, taking over: played against the whole switch, each telephone with a tone of its own. */
#include "switch/bed_test.h"

#include <math.h>

#include "media/phone_test.h"

/* ---- sound: each telephone of the bed describes bed.rtp_port; here each dialog gets a socket of its own ---- */

struct ear {
	struct phone p;
	bool open;
};
static struct ear ears[16];

static const char *my_sdp(unsigned i)
{
	static char sdp[512];

	(void)snprintf(sdp, sizeof(sdp), "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %u RTP/AVP 8 101\r\n"
		       "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n", ears[i].p.port);
	return sdp;
}

static void ear_open(unsigned i)
{
	phone_open(&ears[i].p, 300 + 200 * i, i + 1);
	ears[i].open = true;
}

static void ears_close(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(ears); i++)
		if (ears[i].open)
			phone_close(&ears[i].p);
	memset(ears, 0, sizeof(ears));
}

static void caller(struct dlg *c, unsigned i)
{
	const char *m;

	ear_open(i);
	begin_call(c, &trunk, "13800000001", "q", my_sdp(i));
	m = await(&trunk, "SIP/2.0 200", c->call_id);
	phone_aim(&ears[i].p, m);
	(void)snprintf(c->remote, sizeof(c->remote), "%s", header(m, "To"));
	contact_of(m, c->target, sizeof(c->target));
	ack(c, true);
}

/* The switch's call at @p, answered. */
static void answers(struct dlg *d, struct peer *p, unsigned i)
{
	rung(d, p);
	ear_open(i);
	phone_aim(&ears[i].p, d->invite);
	respond(d, d->invite, 200, my_sdp(i));
	(void)await(p, "ACK", d->call_id);
}

/* All speak for @ms, in real time. */
static void speak(int ms)
{
	int64_t t0 = clock_mono_ms();

	for (int k = 0; k < ms / 20; k++) {
		int64_t wait;

		for (unsigned i = 0; i < ARRAY_LEN(ears); i++)
			if (ears[i].open)
				phone_send(&ears[i].p);
		wait = t0 + (k + 1) * 20 - clock_mono_ms();
		if (wait > 0)
			(void)poll(NULL, 0, (int)wait);
		for (unsigned i = 0; i < ARRAY_LEN(ears); i++)
			if (ears[i].open)
				phone_hear(&ears[i].p);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median share of windows of 20 ms that are not silent: what a busy machine brings too late spoils its window only. */
static double level(unsigned i, unsigned of)
{
	static double share[PHONE_HEARD / 160];
	const struct phone *p = &ears[i].p;
	unsigned k = 0;

	for (unsigned at = 0; at + 160 <= p->n; at += 160) {
		double e = 0;

		for (unsigned j = 0; j < 160; j++)
			e += (double)p->pcm[at + j] * p->pcm[at + j];
		if (e < 160 * 100.0 * 100.0)
			continue;
		share[k++] = tone_power(p->pcm + at, 160, 300 + 200 * of);
	}
	qsort(share, k, sizeof(*share), by_size);
	return k ? share[k / 2] : 0;
}

/* @hears[i]: bits of those whom ear i hears; all others it must not. Ears beyond are not asked. */
static void assert_hears(const unsigned *hears, unsigned n)
{
	speak(300);
	for (unsigned i = 0; i < n; i++)
		ears[i].p.n = 0;
	speak(500);
	for (unsigned i = 0; i < n; i++) {
		unsigned of = (unsigned)__builtin_popcount(hears[i]);

		for (unsigned k = 0; k < n; k++) {
			double got = level(i, k);

			if (hears[i] >> k & 1 ? got < 0.5 / of : got > 0.03)
				fail_msg("%u hears %u at %.3f, of %u", i, k, got, of);
		}
	}
}

/* ---- the floor ---- */

enum { CUST = 1, AG = 2, LEAD = 4 };

/* Alice serves the queue, Bob has a telephone and serves nothing. */
static void floor_plan(void)
{
	plan_default();
	plan.queues[0].answer_first = true;
	plan.queues[0].record = true;
	plan.aq[0].wrapup_ms = 60000;
	plan.members[1] = (struct acd_member){WEB, QUEUE2, 2};
	plan.members[2] = (struct acd_member){WEB, QUEUE2, 3};
	plan.members_n = 1;
}

static int64_t talk(struct dlg *c, struct dlg *a)
{
	int at;

	caller(c, 0);
	answers(a, &phone_a, 1);
	at = await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	return events[at].call;
}

#define LISTEN(user, call, as) COMMAND(.kind = SW_LISTEN, .user_id = (user), .call_id = (call), .how = (as))

static int party(int from, const char *how)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "\"how\":\"%s\"", how);
	return await_event(from, EV_PARTY_NEW, 0, text);
}

static void over(void)
{
	end();
	ears_close();
}

TEST(a_lead_listens_whispers_joins_and_each_hears_whom_he_should)
{
	struct dlg c, a, l;
	struct db *db;
	int64_t id;
	int at;

	floor_plan();
	begin();
	id = talk(&c, &a);
	assert_int_equal(LISTEN(BOB, id, SW_HOW_LISTEN), SW_OK);
	answers(&l, &phone_b, 2);
	assert_string_equal(header(l.invite, "X-Huawu-Auto-Answer"), "1");
	at = party(0, "listen");
	assert_int_equal(events[at].agent, BOB);
	assert_non_null(strstr(events[at].body, "\"whom\":\"1\""));
	assert_hears((unsigned[]){AG, CUST, CUST | AG}, 3);
	assert_int_equal(LISTEN(BOB, id, SW_HOW_WHISPER), SW_OK);
	(void)party(at, "whisper");
	assert_hears((unsigned[]){AG, CUST | LEAD, CUST | AG}, 3); /* the customer: the agent and nobody else */
	assert_int_equal(LISTEN(BOB, id, SW_HOW_WHISPER), SW_OK); /* pressed twice */
	assert_int_equal(LISTEN(BOB, id, SW_HOW_JOIN), SW_OK);
	(void)await_event(at, EV_SEG_OPEN, ALICE, "\"conference\"");
	(void)await_event(at, EV_AGENT_STATE, BOB, "\"state\":\"talking\"");
	assert_hears((unsigned[]){AG | LEAD, CUST | LEAD, CUST | AG}, 3);
	/* on hold the customer is out of it, agent and lead hear each other */
	assert_int_equal(COMMAND(.kind = SW_HOLD, .user_id = ALICE), SW_OK);
	assert_hears((unsigned[]){0, LEAD, AG}, 3);
	assert_int_equal(COMMAND(.kind = SW_RESUME, .user_id = ALICE), SW_OK);
	assert_hears((unsigned[]){AG | LEAD, CUST | LEAD, CUST | AG}, 3);
	assert_int_equal(COMMAND(.kind = SW_LISTEN_END, .user_id = BOB), SW_OK);
	expect_bye(&l);
	ears[2].open = false;
	assert_hears((unsigned[]){AG, CUST}, 2); /* a bridge again */
	(void)await_event(at, EV_AGENT_STATE, BOB, "\"state\":\"ready\"");
	assert_int_equal(COMMAND(.kind = SW_LISTEN_END, .user_id = BOB), SW_R_NO_CALL);
	bye(&c);
	expect_bye(&a);
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT count(*) FROM call_party WHERE agent_id = 2 AND whom_id = 1"), 3);
	assert_int_equal(get(db, "SELECT count(*) FROM call_party WHERE how = 'listen' AND reason = 'changed'"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM call_party WHERE how = 'join' AND reason = 'ended'"), 1);
	assert_int_equal(get(db, "SELECT count(*) FROM leg"), 3);
	assert_int_equal(get(db, "SELECT sum(talks) FROM rollup_agent_day WHERE agent_id = 1"), 1);
	db_close(db);
	over();
}

TEST(taking_over_gives_the_lead_the_customer_and_the_agent_his_wrap_up)
{
	struct dlg c, a, l;
	struct db *db;
	int64_t id;
	int at;

	floor_plan();
	begin();
	id = talk(&c, &a);
	assert_int_equal(COMMAND(.kind = SW_TAKE_OVER, .user_id = BOB, .call_id = id), SW_R_NO_CALL); /* he does not hear it yet */
	assert_int_equal(LISTEN(BOB, id, SW_HOW_LISTEN), SW_OK);
	answers(&l, &phone_b, 2);
	(void)party(0, "listen");
	assert_int_equal(COMMAND(.kind = SW_TAKE_OVER, .user_id = BOB, .call_id = id), SW_OK);
	expect_bye(&a);
	ears[1].open = false;
	at = await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	assert_hears((unsigned[]){LEAD, 0, CUST}, 3);
	assert_int_equal(COMMAND(.kind = SW_TAKE_OVER, .user_id = BOB, .call_id = id), SW_R_NO_CALL); /* pressed twice */
	assert_int_equal(COMMAND(.kind = SW_HANGUP, .user_id = BOB), SW_OK);
	expect_bye(&c);
	expect_bye(&l);
	(void)await_event(at, EV_AGENT_STATE, BOB, "\"state\":\"wrapup\"");
	stop(1000);
	db = records();
	assert_int_equal(get(db, "SELECT agent_id FROM call"), BOB);
	assert_int_equal(get(db, "SELECT first_agent_id FROM call"), ALICE);
	assert_int_equal(get(db, "SELECT count(*) FROM recording_part"), 2);
	assert_int_equal(get(db, "SELECT count(*) FROM call_party WHERE reason = 'taken over'"), 1);
	db_close(db);
	over();
}

TEST(every_end_leaves_no_leg_and_nobody_stuck)
{
	struct dlg c, a, l;
	int64_t id;
	int at = 0;

	floor_plan();
	plan.aq[0].wrapup_ms = 0;
	begin();
	/* the listener's telephone hangs up */
	id = talk(&c, &a);
	assert_int_equal(LISTEN(BOB, id, SW_HOW_LISTEN), SW_OK);
	answers(&l, &phone_b, 2);
	at = party(at, "listen");
	bye(&l);
	at = await_event(at, EV_PARTY_END, BOB, "hung up");
	/* it is busy: nothing has begun, and he may try again */
	assert_int_equal(LISTEN(BOB, id, SW_HOW_JOIN), SW_OK);
	assert_int_equal(LISTEN(BOB, id, SW_HOW_JOIN), SW_OK); /* pressed twice */
	rung(&l, &phone_b);
	refuse(&l, 486);
	at = await_event(at, EV_LEG_END, BOB, "486");
	assert_int_equal(LISTEN(BOB, id, SW_HOW_JOIN), SW_OK);
	rung(&l, &phone_b);
	answer(&l);
	at = party(at, "join");
	/* he logs out */
	assert_int_equal(COMMAND(.kind = SW_LOGOUT, .user_id = BOB, .force = true), SW_OK);
	expect_bye(&l);
	at = await_event(at, EV_PARTY_END, BOB, "logged out");
	/* the customer hangs up */
	assert_int_equal(LISTEN(BOB, id, SW_HOW_LISTEN), SW_R_NO_DEVICE); /* his telephone was that of his log-in */
	assert_int_equal(COMMAND(.kind = SW_LOGIN, .user_id = BOB, .device = "a2"), SW_OK);
	assert_int_equal(LISTEN(BOB, id, SW_HOW_WHISPER), SW_OK);
	rung(&l, &phone_b);
	answer(&l);
	at = party(at, "whisper");
	bye(&c);
	expect_bye(&l);
	expect_bye(&a);
	at = await_event(at, EV_PARTY_END, BOB, "the call is over");
	assert_int_equal(LISTEN(BOB, id, SW_HOW_LISTEN), SW_R_NO_CALL);
	over();
}

TEST(who_has_joined_keeps_the_customer_when_the_agent_goes)
{
	struct dlg c, a, l;
	int64_t id;

	floor_plan();
	begin();
	id = talk(&c, &a);
	assert_int_equal(LISTEN(BOB, id, SW_HOW_JOIN), SW_OK);
	answers(&l, &phone_b, 2);
	(void)party(0, "join");
	bye(&a);
	ears[1].open = false;
	(void)await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"state\":\"wrapup\"");
	assert_hears((unsigned[]){LEAD, 0, CUST}, 3);
	bye(&l);
	expect_bye(&c);
	over();
}

TEST(an_offer_ends_the_listening_and_a_call_of_his_own_does)
{
	struct dlg c, a, l, c2;
	int64_t id;
	int at;

	floor_plan();
	plan.members[0] = (struct acd_member){ALICE, QUEUE, 1};
	plan.members[1] = (struct acd_member){BOB, QUEUE, 2};
	plan.members_n = 2;
	begin();
	id = talk(&c, &a);
	assert_int_equal(LISTEN(BOB, id, SW_HOW_LISTEN), SW_OK);
	answers(&l, &phone_b, 2);
	at = party(0, "listen");
	call(&c2, "13800000002", "q");
	expect_final(&c2, 200);
	expect_bye(&l);
	at = await_event(at, EV_PARTY_END, BOB, "a call rings");
	rung(&l, &phone_b);
	answer(&l);
	at = await_event(at, EV_SEG_OPEN, BOB, "\"talk\"");
	assert_int_equal(LISTEN(BOB, id, SW_HOW_LISTEN), SW_R_STATE); /* he talks */
	assert_int_equal(LISTEN(ALICE, id, SW_HOW_LISTEN), SW_R_STATE); /* it is her own */
	bye(&c2);
	expect_bye(&l);
	bye(&c);
	expect_bye(&a);
	over();
}

/* ---- more than one call ---- */

TEST(one_listener_goes_through_calls_on_one_leg)
{
	struct dlg c, a, b, c2, l;
	int64_t id, id2;
	int at;

	/* Bob talks as well; the third one has a browser, and goes from one call to the other, twice */
	floor_plan();
	plan.members[1] = (struct acd_member){BOB, QUEUE, 2};
	plan.members_n = 2;
	begin();
	browser_open(&browser);
	id = talk(&c, &a);
	call(&c2, "13800000002", "q");
	expect_final(&c2, 200);
	rung(&b, &phone_b);
	answer(&b);
	at = await_event(0, EV_SEG_OPEN, BOB, "\"talk\"");
	id2 = events[at].call;
	assert_int_not_equal(id, id2);
	assert_int_equal(LISTEN(WEB, id, SW_HOW_LISTEN), SW_OK); /* not logged in: his browser is there */
	rung(&l, &browser);
	answer(&l);
	at = party(at, "listen");
	assert_int_equal(events[at].call, id);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(LISTEN(WEB, i % 2 ? id : id2, SW_HOW_LISTEN), SW_OK); /* the same leg: nothing rings */
		at = await_event(at + 1, EV_PARTY_NEW, WEB, "listen");
		assert_int_equal(events[at].call, i % 2 ? id : id2);
	}
	assert_int_equal(LISTEN(WEB, id2, SW_HOW_LISTEN), SW_OK);
	at = await_event(at + 1, EV_PARTY_NEW, WEB, "listen");
	bye(&c);
	expect_bye(&a);
	(void)await_event(at, EV_CALL_END, 0, "");
	assert_int_equal(COMMAND(.kind = SW_LISTEN_END, .user_id = WEB, .call_id = id2), SW_OK); /* the other call's end did not concern him */
	expect_bye(&l);
	/* his browser is lost while he listens */
	assert_int_equal(LISTEN(WEB, id2, SW_HOW_LISTEN), SW_OK);
	rung(&l, &browser);
	answer(&l);
	at = await_event(at + 1, EV_PARTY_NEW, WEB, "listen");
	peer_close(&browser);
	at = await_event(at, EV_PARTY_END, WEB, "telephone was lost");
	/* for a talk that he takes over he is logged in, and out again after it */
	browser_open(&browser);
	assert_int_equal(LISTEN(WEB, id2, SW_HOW_JOIN), SW_OK);
	rung(&l, &browser);
	answer(&l);
	at = await_event(at, EV_AGENT_STATE, WEB, "\"state\":\"talking\"");
	at = await_event(at, EV_PARTY_NEW, WEB, "join");
	assert_int_equal(COMMAND(.kind = SW_TAKE_OVER, .user_id = WEB, .call_id = id2), SW_OK);
	expect_bye(&b);
	at = await_event(at, EV_SEG_OPEN, WEB, "\"talk\"");
	bye(&c2);
	expect_bye(&l);
	(void)await_event(at, EV_AGENT_STATE, WEB, "\"state\":\"offline\"");
	over();
}
