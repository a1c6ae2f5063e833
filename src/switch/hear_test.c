/* What carriers say in early media, and machines after the answer: packets of sound against the whole switch. */
#include "switch/bed_test.h"

#include "hear/hear.h"
#include "hear/voice_test.h"
#include "media/g711.h"
#include "switch/sw_campaign.h"

#define SPEECH VOICE_S(4)

static struct sw_claim claims[4];
static unsigned claims_n, claims_given;
static uint16_t seq;
static uint32_t stamp;

static void leads(struct sw *sw, int64_t campaign_id, int want, void *arg)
{
	assert_int_equal(sw_claims(sw, campaign_id, claims + claims_given, claims_n - claims_given, clock_utc_ms() + 3600000, "empty"), 0);
	claims_given = claims_n;
}

static void book_free(void *b)
{
	hear_book_free(b);
}

/* Speaker 1's words 1 mean off, words 2 an assistant. */
static struct snap *taught(void)
{
	static const enum hear_class class[] = {HEAR_C_OFF, HEAR_C_ASSISTANT};
	static int16_t pcm[SPEECH];
	struct hear_taught t[2];
	struct hear_print *p[2];
	struct hear_book *b;

	for (unsigned i = 0; i < 2; i++) {
		voice_say(pcm, SPEECH, 1, i + 1);
		assert_int_equal(hear_print_new(&p[i], pcm, SPEECH), 0);
		t[i] = (struct hear_taught){.id = 5 + i, .class = class[i], .print = p[i]};
	}
	assert_int_equal(hear_book_new(&b, t, 2), 0);
	hear_print_free(p[0]);
	hear_print_free(p[1]);
	return snap_new(b, book_free);
}

/* Alice, progressive, and one customer, who rings with early media. */
static void dialled(struct dlg *a, struct dlg *c)
{
	plan_default();
	plan.leads = leads;
	plan.campaigns_n = 1;
	plan.campaigns[0] = (struct sw_campaign){.id = CAMPAIGN, .name = "c", .mode = SW_PROGRESSIVE, .running = true, .ring_s = 60};
	plan.aq[2] = (struct acd_queue_conf){.id = CAMPAIGN, .priority = -1, .ring_ms = 20000, .wait_max_ms = 2000, .wrapup_ms = 20000};
	plan.members[plan.members_n++] = (struct acd_member){ALICE, CAMPAIGN, 1};
	claims[0] = (struct sw_claim){.id = 1, .campaign_id = CAMPAIGN, .lead_id = 101, .customer_id = 201, .nth = 1, .number = "13800000001"};
	claims_n = 1;
	claims_given = 0;
	begin();
	assert_int_equal(sw_hear_book(bed.sw, taught()), 0);
	rung(a, &phone_a);
	answer(a);
	rung(c, &trunk);
	reply(c, 183);
	(void)await_event(0, EV_LEG_RING, 0, "");
	seq = 1;
	stamp = 0;
}

/* The customer's side sends sound; where it lies say its timestamps. */
static void says(const struct dlg *c, const int16_t *pcm, unsigned n)
{
	const char *m = strstr(c->invite, "m=audio ");
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	unsigned port;

	assert_non_null(m);
	assert_int_equal(sscanf(m, "m=audio %u", &port), 1);
	to.sin_port = htons((uint16_t)port);
	g711_tables();
	for (unsigned i = 0; i + 160 <= n; i += 160, seq++, stamp += 160) {
		uint8_t p[172] = {0x80, 8, (uint8_t)(seq >> 8), (uint8_t)seq, (uint8_t)(stamp >> 24), (uint8_t)(stamp >> 16), (uint8_t)(stamp >> 8),
				  (uint8_t)stamp, 1, 2, 3, 4};

		for (unsigned k = 0; k < 160; k++)
			p[12 + k] = alaw_of(pcm[i + k]);
		assert_int_equal(sendto(bed.sink, p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(p));
		if (i / 160 % 16 == 0)
			(void)peer_read(&trunk, 2); /* not faster than the media thread takes it */
	}
}

static void speaks(const struct dlg *c, unsigned words)
{
	static int16_t pcm[SPEECH + 4000];

	memset(pcm, 0, sizeof(pcm));
	voice_say(pcm, SPEECH, 1, words);
	says(c, pcm, SPEECH + 4000);
}

static void ended_as(const char *result)
{
	(void)await_event(0, EV_ATTEMPT_END, 0, result);
	assert_int_equal(count_events(EV_ATTEMPT_END, ""), 1);
}

TEST(a_taught_announcement_ends_the_attempt_with_its_result)
{
	struct dlg a, c;

	dialled(&a, &c);
	speaks(&c, 1);
	expect_cancel(&c);
	ended_as("\"result\":\"off\"");
	(void)await_event(0, EV_LEG_HEARD, 0, "\"stage\":\"early\",\"kind\":\"taught\"");
	(void)await_event(0, EV_LEG_HEARD, 0, "\"sample\":\"5\"");
	(void)await_event(0, EV_AGENT_STATE, ALICE, "\"ready\""); /* no key, no wrap-up */
	assert_null(look(&phone_a, "BYE", NULL, 0));
	end();
}

TEST(the_busy_tone_in_early_media_is_busy)
{
	static int16_t pcm[VOICE_S(3)];
	struct dlg a, c;

	dialled(&a, &c);
	for (unsigned i = 0; i < ARRAY_LEN(pcm); i++)
		pcm[i] = i / 2800 % 2 ? 0 : (int16_t)(8000 * sin(2 * M_PI * 450 * i / 8000));
	says(&c, pcm, ARRAY_LEN(pcm));
	expect_cancel(&c);
	ended_as("\"result\":\"busy\"");
	(void)await_event(0, EV_LEG_HEARD, 0, "\"kind\":\"busy\"");
	end();
}

TEST(a_voice_nobody_taught_is_no_answer_and_is_kept_for_somebody_to_judge)
{
	struct dlg a, c;
	char path[256], *file;
	int at;

	dialled(&a, &c);
	speaks(&c, 3);
	speaks(&c, 4);
	assert_int_equal(count_events(EV_ATTEMPT_END, ""), 0); /* it rings on */
	refuse(&c, 603);
	ended_as("\"result\":\"rejected\"");
	at = await_event(0, EV_LEG_HEARD, 0, "\"kind\":\"voice\"");
	file = strstr(events[at].body, "\"file\":\"");
	assert_non_null(file);
	(void)snprintf(path, sizeof(path), "%s/%.*s", bed.rec_dir, (int)strcspn(file + 8, "\""), file + 8);
	assert_int_equal(access(path, R_OK), 0);
	end();
}

TEST(who_answers_after_a_tune_of_his_own_has_answered)
{
	struct dlg a, c;

	dialled(&a, &c);
	speaks(&c, 3);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	speaks(&c, 4);
	bye(&c);
	ended_as("\"result\":\"answered\"");
	assert_int_equal(count_events(EV_LEG_HEARD, ""), 0);
	end();
}

TEST(an_assistant_that_answers_is_none)
{
	struct dlg a, c;

	dialled(&a, &c);
	answer(&c);
	(void)await_event(0, EV_SEG_OPEN, ALICE, "\"talk\"");
	speaks(&c, 2);
	expect_bye(&c);
	ended_as("\"result\":\"assistant\"");
	(void)await_event(0, EV_LEG_HEARD, 0, "\"stage\":\"answered\"");
	end();
}
