#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"
#include "db/db.h"
#include "db/db_fixture.h"
#include "journal/journal_priv.h"
#include "journal/made_calls.h"

#define T0 1767225600000LL /* 2026-01-01 00:00 UTC */

static char dir[64], db_path[512], ring_path[96], spill_path[96];
static struct journal_conf conf;

static void fresh(void)
{
	log_set_level(LOG_L_ERROR);
	strcpy(dir, "/dev/shm/hw_journal_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(db_path, sizeof(db_path), "%s/t.db", dir);
	test_db_new(db_path, sizeof(db_path), strdupa(db_path));
	snprintf(ring_path, sizeof(ring_path), "%s/ring", dir);
	snprintf(spill_path, sizeof(spill_path), "%s/spill", dir);
	conf = (struct journal_conf){.ring_path = ring_path, .ring_bytes = 1 << 20, .spill_path = spill_path, .centre_id = 1};
}

static void gone(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
	test_db_gone(db_path);
}

static struct db *open_db(void)
{
	struct db *db;

	assert_int_equal(db_open(&db, db_path, DB_RW), 0);
	assert_int_equal(db_migrate(db), 0);
	return db;
}

static int64_t get(struct db *db, const char *sql)
{
	int64_t v = -1;

	assert_int_equal(db_get_i64(&v, db, sql, NULL), 0);
	return v;
}

/* A whole process's worth: database, writer, journal. */
struct run {
	struct db *db;
	struct db_writer *w;
	struct journal *j;
	struct journal_recovery rec;
};

static void run_open(struct run *r)
{
	r->db = open_db();
	assert_int_equal(db_writer_new(&r->w, db_path, 10), 0);
	assert_int_equal(journal_open(&r->j, &conf), 0);
}

static void run_start(struct run *r)
{
	run_open(r);
	assert_int_equal(journal_recover(r->j, r->w, &r->rec), 0);
}

static void run_end(struct run *r)
{
	db_writer_free(r->w);
	journal_close(r->j);
	db_close(r->db);
}

static int append(struct ev *e, void *arg)
{
	return journal_append(arg, e);
}

static int made_into(struct journal *j, uint64_t seed, int64_t events)
{
	struct made m;
	int64_t t = T0;

	made_init(&m, seed, t, append, j);
	while (m.count < events) {
		t += (int64_t)rng_below(&m.rng, 1000);
		made_step(&m, t);
		assert_int_equal(m.error, 0);
	}
	return (int)m.count;
}

/* ---- ring and records ---- */

/* RFC 3720 B.4: CRC-32C of 32 zeros, of 32 ones bytes, of 0..31; and the usual check word. */
TEST(crc_is_castagnolis)
{
	uint8_t b[32];

	memset(b, 0, 32);
	assert_int_equal(crc32c(b, 32), 0x8a9136aa);
	memset(b, 0xff, 32);
	assert_int_equal(crc32c(b, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		b[i] = (uint8_t)i;
	assert_int_equal(crc32c(b, 32), 0x46dd794e);
	assert_int_equal(crc32c("123456789", 9), 0xe3069283);
}

static struct ev sample(void)
{
	return (struct ev){.epoch = 3, .n = 9, .centre_id = 1, .at_ms = T0, .kind = EV_CALL_NEW, .call_id = INT64_MAX, .leg_id = 2,
			   .agent_id = 3, .queue_id = 4, .campaign_id = 5, .body = "{\"dir\":\"in\"}", .body_len = 12, .pii_n = 2,
			   .pii = {{"from", "13800138000"}, {"name", ""}}};
}

TEST(a_record_reads_back_and_every_flipped_byte_is_noticed)
{
	_Alignas(8) uint8_t b[512], c[512];
	struct ev e = sample();
	size_t n = rec_size(&e);
	struct rec r;

	assert_in_range(n, 1, sizeof(b));
	rec_encode(b, n, &e);
	assert_int_equal(rec_decode(&r, b, n), n);
	assert_int_equal(r.ev.call_id, INT64_MAX);
	assert_int_equal(r.ev.n, 9);
	assert_int_equal(r.ev.campaign_id, 5);
	assert_int_equal(r.ev.kind, EV_CALL_NEW);
	assert_string_equal(r.ev.body, "{\"dir\":\"in\"}");
	assert_int_equal(r.ev.pii_n, 2);
	assert_string_equal(r.ev.pii[0].text, "13800138000");
	assert_string_equal(r.ev.pii[1].key, "name");
	for (size_t i = 0; i < n; i++) {
		memcpy(c, b, n);
		c[i] ^= 0x10;
		assert_int_equal(rec_decode(&r, c, n), 0);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rec_decode(&r, b, i), 0); /* torn */
}

TEST(what_is_beyond_the_limits_is_refused)
{
	struct run r = {0};
	struct ev e = sample();
	char *big = xcalloc(1, EV_BODY_MAX + 2);
	char *text = xcalloc(1, REC_PII_TEXT_MAX + 2);

	fresh();
	run_start(&r);
	memset(big, ' ', EV_BODY_MAX + 1);
	memset(text, 'x', REC_PII_TEXT_MAX + 1);
	e.body = big;
	e.body_len = EV_BODY_MAX + 1;
	assert_int_equal(journal_append(r.j, &e), -EMSGSIZE);
	e = sample();
	e.pii[0].text = text;
	assert_int_equal(journal_append(r.j, &e), -EMSGSIZE);
	e = sample();
	e.at_ms = INT64_MAX;
	assert_int_equal(journal_append(r.j, &e), -EMSGSIZE);
	e = sample();
	assert_int_equal(journal_append(r.j, &e), 0);
	assert_int_equal(e.n, 1); /* refusals take no number */
	run_end(&r);
	free(big);
	free(text);
	gone();
}

TEST(a_second_process_is_refused)
{
	struct journal *a, *b;

	fresh();
	assert_int_equal(journal_open(&a, &conf), 0);
	assert_int_equal(journal_open(&b, &conf), -EBUSY);
	journal_close(a);
	assert_int_equal(journal_open(&b, &conf), 0);
	journal_close(b);
	conf.zone = "Mars/Olympus";
	assert_int_equal(journal_open(&b, &conf), -ENOENT);
	gone();
}

TEST(a_file_that_is_no_ring_is_kept_aside)
{
	struct journal *j;
	char aside[128];
	FILE *f;

	fresh();
	f = fopen(ring_path, "w");
	for (int i = 0; i < 3000; i++)
		fputs("text ", f);
	fclose(f);
	log_set_level(LOG_L_ERROR);
	assert_int_equal(journal_open(&j, &conf), 0);
	journal_close(j);
	snprintf(aside, sizeof(aside), "%s.damaged", ring_path);
	assert_int_equal(access(aside, F_OK), 0);
	gone();
}

TEST(a_ring_that_somebody_else_laid_out_is_refused)
{
	struct journal *j;
	struct stat st;
	char target[96];

	fresh();
	assert_int_equal(mkfifo(ring_path, 0666), 0);
	assert_int_equal(journal_open(&j, &conf), -EPERM);
	assert_int_equal(unlink(ring_path), 0);
	snprintf(target, sizeof(target), "%s/target", dir);
	assert_int_equal(symlink(target, ring_path), 0);
	assert_int_equal(journal_open(&j, &conf), -ELOOP);
	assert_int_equal(unlink(ring_path), 0);
	assert_int_equal(close(open(ring_path, O_RDWR | O_CREAT, 0600)), 0);
	assert_int_equal(chmod(ring_path, 0666), 0);
	assert_int_equal(journal_open(&j, &conf), 0);
	assert_int_equal(stat(ring_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	journal_close(j);
	if (!geteuid()) { /* only root can play another user */
		assert_int_equal(unlink(ring_path), 0);
		assert_int_equal(close(open(ring_path, O_RDWR | O_CREAT, 0600)), 0);
		assert_int_equal(chown(ring_path, 65534, 65534), 0);
		assert_int_equal(journal_open(&j, &conf), -EPERM);
	}
	gone();
}

TEST(a_ring_that_does_not_fit_is_refused_at_start)
{
	struct rlimit old, small;
	struct journal *j;

	fresh();
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){100000, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(journal_open(&j, &conf) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(journal_open(&j, &conf), 0);
	journal_close(j);
	gone();
}

static unsigned tapped;
static int64_t tapped_n;
static void tap(const struct ev *e, void *arg)
{
	tapped++;
	tapped_n = e->n;
}

TEST(a_full_ring_presses_then_refuses_and_loses_nothing_it_took)
{
	struct run r = {0};
	struct ev e = sample();
	int64_t took = 0;

	fresh();
	conf.ring_bytes = 65536;
	run_start(&r);
	tapped = 0;
	journal_tap(r.j, tap, NULL);
	assert_false(journal_pressed(r.j));
	while (journal_append(r.j, &e) == 0) {
		took++;
		assert_int_equal(e.n, took);
	}
	assert_int_equal(journal_append(r.j, &e), -ENOSPC);
	assert_true(journal_pressed(r.j));
	assert_int_equal(tapped, took);
	assert_int_equal(tapped_n, took);
	journal_attach(r.j, r.w, 1);
	while (journal_durable_n(r.j) < took)
		(void)usleep(1000);
	assert_false(journal_pressed(r.j));
	assert_int_equal(get(r.db, "SELECT count(*) FROM event WHERE kind = 'call.new'"), took);
	/* The ring goes round many times. */
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 100; i++)
			assert_int_equal(journal_append(r.j, &e), 0);
		while (journal_durable_n(r.j) < e.n)
			(void)usleep(500);
	}
	run_end(&r);
	gone();
}

TEST(a_ring_that_goes_round_while_it_is_warmed_keeps_its_bytes)
{
	TEST_DB_SQLITE_ONLY(); /* a hundred thousand events, and the ring's matter alone */
	struct run r = {0};
	int64_t events = 0, e, n;

	fresh();
	conf.ring_bytes = 8 << 20;
	run_start(&r);
	journal_attach(r.j, r.w, 1);
	while (atomic_load(&r.j->ring.h->head) < 3 * r.j->ring.bytes) {
		events += made_into(r.j, (uint64_t)events, 5000);
		while (journal_durable_n(r.j) < events)
			(void)usleep(500);
	}
	run_end(&r);
	r.db = open_db();
	assert_int_equal(get(r.db, "SELECT count(*) FROM event"), events);
	assert_int_equal(journal_verify(r.db, &e, &n), 0);
	db_close(r.db);
	gone();
}

TEST(time_never_goes_backwards_in_an_epoch)
{
	struct run r = {0};
	struct ev e = sample();

	fresh();
	run_start(&r);
	e.at_ms = T0 + 5;
	assert_int_equal(journal_append(r.j, &e), 0);
	e.at_ms = T0;
	assert_int_equal(journal_append(r.j, &e), 0);
	assert_int_equal(e.at_ms, T0 + 5);
	run_end(&r);
	gone();
}

/* ---- chain ---- */

static struct db *made_db(int64_t events)
{
	struct run r = {0};

	fresh();
	conf.ring_bytes = 16 << 20;
	run_start(&r);
	journal_attach(r.j, r.w, 1000);
	(void)made_into(r.j, 7, events);
	run_end(&r);
	return open_db();
}

static void breaks_at(struct db *db, const char *sql, int64_t want_n)
{
	int64_t e = 0, n = 0;

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, sql, NULL), 0);
	assert_int_equal(journal_verify(db, &e, &n), 1);
	assert_int_equal(e, 1);
	assert_int_equal(n, want_n);
	db_rollback(db);
}

TEST(verification_names_the_first_event_that_was_touched)
{
	struct db *db = made_db(300);
	int64_t e, n;

	assert_int_equal(journal_verify(db, &e, &n), 0);
	breaks_at(db, "UPDATE event SET body = '{}' WHERE n = 57", 57);
	breaks_at(db, "UPDATE event SET at_ms = at_ms + 1 WHERE n = 57", 57);
	breaks_at(db, "UPDATE event SET agent_id = 5 WHERE n = 57", 57);
	breaks_at(db, "UPDATE event SET kind = 'sys.stop' WHERE n = 57", 57);
	breaks_at(db, "UPDATE event SET hash = (SELECT hash FROM event WHERE n = 56) WHERE n = 57", 57);
	breaks_at(db, "DELETE FROM event WHERE n = 57", 57);
	breaks_at(db, "UPDATE event SET n = CASE n WHEN 57 THEN -58 ELSE -57 END WHERE n IN (57, 58)", -58 + 59);
	breaks_at(db, "UPDATE event_pii SET text = '10000000000' WHERE key = 'from' AND n ="
		      " (SELECT min(n) FROM event_pii WHERE key = 'from')",
		  get(db, "SELECT min(n) FROM event_pii WHERE key = 'from'"));
	db_close(db);
	gone();
}

TEST(swapped_events_are_noticed)
{
	struct db *db = made_db(300);
	int64_t e = 0, n = 0;

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, "UPDATE event SET n = 100000 WHERE n = 57", NULL), 0);
	assert_int_equal(db_run(db, "UPDATE event SET n = 57 WHERE n = 58", NULL), 0);
	assert_int_equal(db_run(db, "UPDATE event SET n = 58 WHERE n = 100000", NULL), 0);
	assert_int_equal(journal_verify(db, &e, &n), 1);
	assert_int_equal(n, 57);
	db_rollback(db);
	db_close(db);
	gone();
}

TEST(erasing_personal_data_leaves_the_log_verifiable)
{
	struct db *db = made_db(300);
	int64_t e, n;

	assert_true(get(db, "SELECT count(*) FROM event_pii") > 10);
	assert_int_equal(db_run(db, "DELETE FROM event_pii", NULL), 0);
	assert_int_equal(db_run(db, "DELETE FROM call_pii", NULL), 0);
	assert_int_equal(journal_verify(db, &e, &n), 0);
	assert_int_equal(get(db, "SELECT count(*) FROM event WHERE body LIKE '%示例%' OR body LIKE '%02088880000%'"), 0);
	db_close(db);
	gone();
}

/* ---- folds ---- */

struct history {
	struct db *db;
	struct journal_import *im;
	int64_t t;
};

static void history_new(struct history *h)
{
	fresh();
	h->db = open_db();
	h->t = T0;
	assert_int_equal(db_begin(h->db), 0);
	assert_int_equal(journal_import_new(&h->im, h->db, 1), 0);
}

static void history_end(struct history *h)
{
	char what[256] = "";

	assert_int_equal(db_commit(h->db), 0);
	if (journal_rollup_check(h->db, NULL, what))
		fail_msg("%s", what);
	journal_import_free(h->im);
	db_close(h->db);
	gone();
}

static void add(struct history *h, int64_t seconds, struct ev e, const char *body)
{
	h->t += seconds * 1000;
	e.at_ms = h->t;
	e.body = body;
	e.body_len = strlen(body);
	assert_int_equal(journal_import_event(h->im, &e), 0);
}

/* 3 s in the queue, rings 7 s at agent 8 and 10 s at agent 9, who answers; 60 s talk, 20 s hold, 30 s talk; 15 s wrap-up. */
static void one_call(struct history *h)
{
	add(h, 0, (struct ev){.kind = EV_AGENT_STATE, .agent_id = 9}, "{\"t\":1767225600000,\"state\":\"ready\",\"prev\":\"offline\",\"team\":\"4\"}");
	add(h, 0, (struct ev){.kind = EV_CALL_NEW, .call_id = 1, .pii_n = 2, .pii = {{"from", "13800138000"}, {"name", "示例"}}},
	    "{\"dir\":\"in\",\"trunk\":\"7\",\"number\":\"6\"}");
	add(h, 0, (struct ev){.kind = EV_LEG_NEW, .call_id = 1, .leg_id = 2}, "{\"role\":\"customer\",\"dir\":\"in\",\"trunk\":\"7\"}");
	add(h, 0, (struct ev){.kind = EV_CALL_ACCEPT, .call_id = 1}, "{}");
	add(h, 0, (struct ev){.kind = EV_LEG_ANSWER, .call_id = 1, .leg_id = 2, .pii_n = 1, .pii = {{"dialog", "d"}}}, "{}");
	add(h, 0, (struct ev){.kind = EV_SEG_OPEN, .call_id = 1, .queue_id = 5}, "{\"seg\":\"11\",\"type\":\"queue\",\"why\":\"route\"}");
	add(h, 3, (struct ev){.kind = EV_SEG_OPEN, .call_id = 1, .queue_id = 5, .agent_id = 8}, "{\"seg\":\"12\",\"type\":\"ring\",\"why\":\"offer\"}");
	add(h, 7, (struct ev){.kind = EV_OFFER_NEW, .call_id = 1, .queue_id = 5, .agent_id = 9},
	    "{\"offer\":\"77\",\"ring_ms\":15000,\"why\":{\"winner\":{\"agent\":\"9\",\"idle\":0.25}}}");
	add(h, 0, (struct ev){.kind = EV_SEG_OPEN, .call_id = 1, .queue_id = 5, .agent_id = 9}, "{\"seg\":\"13\",\"type\":\"ring\",\"why\":\"offer\"}");
	add(h, 10, (struct ev){.kind = EV_OFFER_END, .call_id = 1}, "{\"offer\":\"77\",\"outcome\":\"answered\"}");
	add(h, 0, (struct ev){.kind = EV_AGENT_STATE, .agent_id = 9, .queue_id = 5}, "{\"state\":\"talking\",\"team\":\"4\",\"call\":\"1\"}");
	add(h, 0, (struct ev){.kind = EV_CALL_ANSWER, .call_id = 1, .agent_id = 9, .queue_id = 5}, "{}");
	add(h, 0, (struct ev){.kind = EV_SEG_OPEN, .call_id = 1, .queue_id = 5, .agent_id = 9}, "{\"seg\":\"14\",\"type\":\"talk\",\"why\":\"answer\"}");
	add(h, 0, (struct ev){.kind = EV_REC_OPEN, .call_id = 1}, "{\"part\":\"31\",\"seg\":\"14\",\"path\":\"a.wav\"}");
	add(h, 60, (struct ev){.kind = EV_SEG_OPEN, .call_id = 1, .queue_id = 5, .agent_id = 9}, "{\"seg\":\"15\",\"type\":\"hold\",\"why\":\"hold\"}");
	add(h, 20, (struct ev){.kind = EV_SEG_OPEN, .call_id = 1, .queue_id = 5, .agent_id = 9}, "{\"seg\":\"16\",\"type\":\"talk\",\"why\":\"resume\"}");
	add(h, 30, (struct ev){.kind = EV_REC_CLOSE, .call_id = 1}, "{\"part\":\"31\",\"bytes\":5,\"dur_ms\":6,\"missing_ms\":7,\"hash\":\"ab\",\"left_ms\":4,\"right_ms\":3,\"over_ms\":2,\"silence_ms\":21,\"silence_at_ms\":5}");
	add(h, 0, (struct ev){.kind = EV_LEG_END, .call_id = 1, .leg_id = 2}, "{\"by\":\"remote\",\"code\":200,\"q850\":16,\"quality\":{\"mos\":4.5}}");
	add(h, 0, (struct ev){.kind = EV_CALL_END, .call_id = 1}, "{\"by\":\"customer\",\"cause\":\"normal\",\"q850\":16}");
	add(h, 0, (struct ev){.kind = EV_AGENT_STATE, .agent_id = 9, .queue_id = 5}, "{\"state\":\"wrapup\",\"team\":\"4\",\"call\":\"1\"}");
	add(h, 15, (struct ev){.kind = EV_AGENT_STATE, .agent_id = 9}, "{\"state\":\"offline\",\"team\":\"4\"}");
}

TEST(a_call_folds_into_its_records)
{
	struct history h;

	history_new(&h);
	one_call(&h);
	assert_int_equal(get(h.db, "SELECT end_ms - start_ms FROM call WHERE by = 'customer' AND q850 = 16 AND trunk_id = 7 AND number_id = 6"
				   " AND queue_id = 5 AND agent_id = 9 AND first_agent_id = 9 AND accept_ms = start_ms"), 130000);
	assert_int_equal(get(h.db, "SELECT answer_ms - start_ms FROM call"), 20000);
	assert_int_equal(get(h.db, "SELECT wait_ms FROM call"), 20000);
	assert_int_equal(get(h.db, "SELECT talk_ms FROM call"), 90000);
	assert_int_equal(get(h.db, "SELECT hold_ms FROM call"), 20000);
	assert_int_equal(get(h.db, "SELECT count(*) FROM call_pii WHERE from_number = '13800138000' AND name = '示例' AND to_number IS NULL"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM leg WHERE by = 'remote' AND code = 200 AND quality = '{\"mos\":4.5}'"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM leg_dialog"), 0);
	assert_int_equal(get(h.db, "SELECT count(*) FROM event_pii WHERE key = 'dialog'"), 0);
	assert_int_equal(get(h.db, "SELECT count(*) FROM segment WHERE end_ms IS NOT NULL"), 6);
	assert_int_equal(get(h.db, "SELECT count(*) FROM segment WHERE id = 16 AND by = 'customer' AND end_reason = 'end' AND team_id = 4"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM segment WHERE id = 14 AND end_reason = 'hold' AND by IS NULL"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM offer WHERE outcome = 'answered' AND core_id = 77 AND team_id = 4"
				   " AND why = '{\"winner\":{\"agent\":\"9\",\"idle\":0.25}}' AND end_ms - start_ms = 10000"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM recording_part WHERE state = 'closed' AND segment_id = 14 AND missing_ms = 7"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM recording_part WHERE left_ms = 4 AND right_ms = 3 AND over_ms = 2 AND silence_ms = 21 AND silence_at_ms = 5"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM call WHERE rec_n = 1 AND rec_ms = 6 AND rec_silence_ms = 21"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM call_pii WHERE tail = '8000'"), 1);
	assert_int_equal(get(h.db, "SELECT segment_id FROM activity WHERE state = 'talking'"), 14);
	assert_int_equal(get(h.db, "SELECT end_ms - start_ms FROM activity WHERE state = 'wrapup' AND team_id = 4"), 15000);
	history_end(&h);
}

TEST(rollups_say_what_was_calculated_by_hand)
{
	struct history h;

	history_new(&h);
	one_call(&h);
	/* 2026-01-01 00:00 UTC is 08:00 in Shanghai. */
	assert_int_equal(get(h.db, "SELECT count(*) FROM rollup_agent_day WHERE day = 20260101 AND agent_id = 9 AND team_id = 4 AND queue_id = 5"
				   " AND offered = 1 AND answered = 1 AND missed = 0 AND talks = 1 AND talk_ms = 90000 AND hold_ms = 20000"
				   " AND wrapup_ms = 15000"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM rollup_agent_slot WHERE slot_ms = 1767225600000 AND team_id = 4 AND ready_ms = 20000"
				   " AND talking_ms = 110000 AND wrapup_ms = 15000 AND break_ms = 0"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM rollup_queue_slot WHERE queue_id = 5 AND number_id = 6 AND offered = 1 AND answered = 1"
				   " AND abandoned = 0 AND wait_ms = 20000 AND wait_max_ms = 20000 AND answered_10 = 0 AND answered_20 = 1"), 1);
	history_end(&h);
}

TEST(visits_end_by_an_agent_by_the_caller_or_by_another_queue)
{
	struct history h;

	history_new(&h);
	add(&h, 0, (struct ev){.kind = EV_CALL_NEW, .call_id = 1}, "{\"dir\":\"in\"}");
	add(&h, 0, (struct ev){.kind = EV_SEG_OPEN, .call_id = 1, .queue_id = 5}, "{\"seg\":\"11\",\"type\":\"queue\"}");
	add(&h, 900, (struct ev){.kind = EV_SEG_OPEN, .call_id = 1, .queue_id = 6}, "{\"seg\":\"12\",\"type\":\"queue\"}");
	add(&h, 5, (struct ev){.kind = EV_CALL_END, .call_id = 1}, "{\"by\":\"customer\"}");
	assert_int_equal(get(h.db, "SELECT count(*) FROM rollup_queue_slot WHERE queue_id = 5 AND slot_ms = 1767225600000 AND offered = 1"
				   " AND moved_on = 1 AND abandoned = 0 AND wait_ms = 900000"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM rollup_queue_slot WHERE queue_id = 6 AND slot_ms = 1767226500000 AND offered = 1"
				   " AND moved_on = 0 AND abandoned = 1 AND wait_ms = 5000"), 1);
	assert_int_equal(get(h.db, "SELECT wait_ms FROM call"), 905000);
	history_end(&h);
}

TEST(a_changed_rollup_is_noticed)
{
	struct history h;
	char what[256] = "";

	history_new(&h);
	one_call(&h);
	assert_int_equal(db_commit(h.db), 0);
	assert_int_equal(journal_rollup_check(h.db, NULL, what), 0);
	assert_int_equal(db_run(h.db, "UPDATE rollup_agent_day SET talk_ms = talk_ms + 1", NULL), 0);
	assert_int_equal(journal_rollup_check(h.db, NULL, what), 1);
	assert_non_null(strstr(what, "rollup_agent_day"));
	assert_int_equal(db_run(h.db, "UPDATE rollup_agent_day SET talk_ms = talk_ms - 1", NULL), 0);
	assert_int_equal(db_begin(h.db), 0);
	history_end(&h);
}

TEST(nonsense_stays_in_the_log_and_out_of_the_records)
{
	static const char *const bodies[] = {"", "x", "[]", "{\"t\":\"x\"}", "{\"seg\":{}}", "{\"a\":1,\"a\":2}", "{\"seg\":\"-5\",\"type\":3}",
					     "{\"t\":-9223372036854775808,\"state\":\"ready\",\"offer\":\"99999999999999999999\"}", "{\"\xff\":1}"};
	struct history h;
	int64_t e, n, events = 0;

	history_new(&h);
	log_set_level(LOG_L_ERROR);
	for (int k = 0; k < EV_KIND_COUNT; k++)
		for (size_t i = 0; i < ARRAY_LEN(bodies); i++, events++)
			add(&h, 0, (struct ev){.kind = (enum ev_kind)k, .call_id = 1, .leg_id = 2, .agent_id = 3}, bodies[i]);
	/* And twice what may be only once. */
	one_call(&h);
	one_call(&h);
	assert_int_equal(get(h.db, "SELECT count(*) FROM event"), events + 2 * 21);
	assert_int_equal(journal_verify(h.db, &e, &n), 0);
	history_end(&h);
}

TEST(days_are_the_zones_days)
{
	struct zone *z;

	assert_int_equal(zone_open(&z, "Asia/Shanghai"), 0);
	assert_int_equal(zone_day(z, T0 + 16 * 3600000 - 1), 20260101);
	assert_int_equal(zone_day(z, T0 + 16 * 3600000), 20260102);
	zone_free(z);
	assert_int_equal(zone_open(&z, "UTC"), 0);
	assert_int_equal(zone_day(z, -1), 19691231);
	assert_int_equal(zone_day(z, 951782400000), 20000229);
	zone_free(z);
	/* Summer time: 2026-03-29 01:00 UTC Berlin goes from +1 to +2. */
	assert_int_equal(zone_open(&z, "Europe/Berlin"), 0);
	assert_int_equal(zone_day(z, 1782856800000 - 1), 20260630); /* 2026-06-30 22:00 UTC is midnight */
	assert_int_equal(zone_day(z, 1782856800000), 20260701);
	assert_int_equal(zone_day(z, T0 - 3600000), 20260101);
	assert_int_equal(zone_day(z, T0 - 3600000 - 1), 20251231);
	zone_free(z);
	assert_int_equal(zone_open(&z, "../etc/passwd"), -ENOENT);
	assert_int_equal(zone_open(&z, "zone.tab"), -ENOENT);
	assert_int_equal(zone_open(&z, "tzdata"), -ENOENT);
}

static int collect(const struct ev *e, void *arg)
{
	int64_t *v = arg;

	assert_true(e->epoch == v[0] ? e->n == v[1] + 1 : e->epoch > v[0]);
	v[0] = e->epoch;
	v[1] = e->n;
	if (e->kind == EV_CALL_NEW && !v[2]) {
		assert_int_equal(e->pii_n, 3);
		assert_string_equal(e->pii[0].key, "from");
		assert_string_equal(e->pii[2].text, "02088880000");
	}
	return ++v[2] == 100 ? 42 : 0;
}

TEST(reading_walks_in_order_and_stops_when_told)
{
	struct db *db = made_db(300);
	int64_t v[3] = {1, 99, 0};

	assert_int_equal(journal_read(db, 1, 100, collect, v), 42);
	assert_int_equal(v[1], 199);
	v[2] = -100000;
	assert_int_equal(journal_read(db, 1, 200, collect, v), 0);
	assert_int_equal(v[1], get(db, "SELECT max(n) FROM event"));
	db_close(db);
	gone();
}

/* Dialled, rang after 3 s, answered after 5 s more, given to an agent 1 s later, 60 s of talk; and one that was never dialled. */
TEST(an_attempt_folds_into_its_row_once)
{
	struct history h;

	history_new(&h);
	add(&h, 0, (struct ev){.kind = EV_ATTEMPT_NEW, .call_id = 1, .campaign_id = 60, .agent_id = 9},
	    "{\"claim\":\"100\",\"lead\":\"200\",\"customer\":\"300\",\"mode\":\"progressive\",\"nth\":2,\"why\":{\"ready\":3}}");
	assert_int_equal(get(h.db, "SELECT count(*) FROM attempt WHERE claim_id = 100 AND end_ms IS NULL AND begin_ms = 1767225600000"), 1);
	add(&h, 69, (struct ev){.kind = EV_ATTEMPT_END, .call_id = 1, .campaign_id = 60, .agent_id = 9},
	    "{\"claim\":\"100\",\"lead\":\"200\",\"customer\":\"300\",\"result\":\"answered\",\"why\":\"\",\"code\":0,\"rang_at\":1767225603000,"
	    "\"answered_at\":1767225608000,\"connected_at\":1767225609000,\"abandoned\":false}");
	add(&h, 9, (struct ev){.kind = EV_ATTEMPT_END, .call_id = 1, .campaign_id = 60}, "{\"claim\":\"100\",\"result\":\"failed\"}");
	assert_int_equal(get(h.db, "SELECT count(*) FROM attempt WHERE campaign_id = 60 AND lead_id = 200 AND customer_id = 300 AND agent_id = 9"
				   " AND mode = 'progressive' AND nth = 2 AND ring_ms - begin_ms = 3000 AND answer_ms - ring_ms = 5000"
				   " AND connect_ms - answer_ms = 1000 AND end_ms - connect_ms = 60000 AND result = 'answered' AND reason IS NULL"
				   " AND why = '{\"ready\":3}' AND applied = 0 AND abandoned = 0"), 1);
	add(&h, 0, (struct ev){.kind = EV_ATTEMPT_END, .campaign_id = 60},
	    "{\"claim\":\"101\",\"lead\":\"201\",\"customer\":\"301\",\"result\":\"returned\",\"why\":\"stopped\"}");
	assert_int_equal(get(h.db, "SELECT count(*) FROM attempt WHERE claim_id = 101 AND begin_ms IS NULL AND mode IS NULL AND call_id IS NULL"
				   " AND result = 'returned' AND reason = 'stopped'"), 1);
	history_end(&h);
}

TEST(what_was_heard_folds_once_a_leg_and_stage)
{
	struct history h;

	history_new(&h);
	add(&h, 0, (struct ev){.kind = EV_LEG_HEARD, .call_id = 1, .leg_id = 2, .campaign_id = 60},
	    "{\"stage\":\"early\",\"kind\":\"taught\",\"at_ms\":4200,\"class\":\"off\",\"confidence\":800,\"sample\":\"5\",\"offset_ms\":3900,\"trunk\":\"7\"}");
	add(&h, 1, (struct ev){.kind = EV_LEG_HEARD, .call_id = 1, .leg_id = 2}, "{\"stage\":\"early\",\"kind\":\"voice\",\"at_ms\":1}");
	add(&h, 2, (struct ev){.kind = EV_LEG_HEARD, .call_id = 3, .leg_id = 4},
	    "{\"stage\":\"early\",\"kind\":\"voice\",\"at_ms\":2000,\"file\":\"2026/01/01/4.wav\",\"kept_ms\":9000,\"bytes\":72058}");
	assert_int_equal(get(h.db, "SELECT count(*) FROM leg_heard WHERE leg_id = 2 AND stage = 'early' AND call_id = 1 AND campaign_id = 60"
				   " AND trunk_id = 7 AND at_ms = 1767225600000 AND kind = 'taught' AND class = 'off' AND confidence = 800"
				   " AND sample_id = 5 AND offset_ms = 3900 AND heard_ms = 4200 AND file IS NULL"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM leg_heard WHERE leg_id = 4 AND campaign_id IS NULL AND class IS NULL"
				   " AND file = '2026/01/01/4.wav' AND kept_ms = 9000 AND said IS NULL"), 1);
	assert_int_equal(get(h.db, "SELECT count(*) FROM leg_heard"), 2);
	history_end(&h);
}

/* ---- recovery ---- */

/* Leaves what a killed process leaves: a child appends, and goes without a word. */
static void die_with(void (*fn)(struct run *r))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct run r = {0};

		run_start(&r);
		fn(&r);
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void hundred_events(struct run *r)
{
	(void)made_into(r->j, 3, 400); /* only in the ring */
}

static unsigned orphans;
static void orphan(int64_t leg_id, const char *dialog, void *arg)
{
	assert_true(leg_id > 0);
	assert_non_null(strstr(dialog, "sip:"));
	orphans++;
}

static int64_t repair(int64_t part_id, const char *path, int64_t *bytes, char hash_hex[65], void *arg)
{
	assert_non_null(strstr(path, ".wav"));
	*bytes = 100;
	strcpy(hash_hex, "cd");
	return part_id % 2 ? -EIO : 2000;
}

TEST(a_killed_process_leaves_nothing_open_and_its_dialogs_are_handed_out)
{
	struct run r = {.rec = {.orphan = orphan, .part = repair}};
	int64_t e, n, open;
	char what[256];

	fresh();
	die_with(hundred_events);
	orphans = 0;
	run_start(&r);
	assert_int_equal(journal_epoch(r.j), 3); /* 1 died, 2 closed it */
	assert_true(r.rec.calls > 0 && r.rec.legs > 0);
	assert_int_equal(orphans, get(r.db, "SELECT count(*) FROM leg WHERE by = 'lost' AND answer_ms IS NOT NULL"));
	assert_true(orphans > 0);
	assert_int_equal(get(r.db, "SELECT count(*) FROM call WHERE by = 'system' AND reason = 'restart'"), r.rec.calls);
	open = get(r.db, "SELECT (SELECT count(*) FROM call WHERE end_ms IS NULL) + (SELECT count(*) FROM leg WHERE end_ms IS NULL)"
			 " + (SELECT count(*) FROM segment WHERE end_ms IS NULL) + (SELECT count(*) FROM activity WHERE end_ms IS NULL)"
			 " + (SELECT count(*) FROM offer WHERE end_ms IS NULL) + (SELECT count(*) FROM recording_part WHERE end_ms IS NULL)"
			 " + (SELECT count(*) FROM leg_dialog)");
	assert_int_equal(open, 0);
	assert_int_equal(get(r.db, "SELECT count(*) FROM recording_part WHERE repaired = 1 OR state = 'failed'"), r.rec.parts);
	assert_int_equal(journal_verify(r.db, &e, &n), 0);
	assert_int_equal(journal_rollup_check(r.db, NULL, what), 0);
	run_end(&r);

	/* Until a run has served for a minute, the next two starts hand them out again; nothing else is left to do. */
	n = orphans;
	for (int start = 1; start <= 3; start++) {
		orphans = 0;
		run_start(&r);
		assert_int_equal(orphans, start <= 2 ? n : 0);
		assert_int_equal(r.rec.calls + r.rec.legs + r.rec.parts + r.rec.events, 0);
		assert_int_equal(journal_epoch(r.j), 3 + start);
		run_end(&r);
	}
	gone();
}

static void one_dial(struct run *r)
{
	static const char body[] = "{\"claim\":\"100\",\"lead\":\"200\",\"customer\":\"300\",\"mode\":\"predictive\",\"nth\":1}";
	struct ev e = {.kind = EV_ATTEMPT_NEW, .centre_id = 1, .at_ms = T0, .call_id = 1, .campaign_id = 60, .body = body, .body_len = sizeof(body) - 1};

	assert_int_equal(journal_append(r->j, &e), 0);
}

TEST(what_was_dialled_by_a_killed_process_ends_unknown)
{
	struct run r = {0};

	fresh();
	die_with(one_dial);
	run_start(&r);
	assert_int_equal(get(r.db, "SELECT count(*) FROM attempt WHERE claim_id = 100 AND lead_id = 200 AND customer_id = 300 AND campaign_id = 60"
				   " AND call_id = 1 AND result = 'unknown' AND end_ms IS NOT NULL AND applied = 0"), 1);
	run_end(&r);
	gone();
}

/* The database takes nothing while another connection holds its lock. */
static struct db *lock_db(void)
{
	struct db *other = open_db();

	assert_int_equal(db_begin(other), 0);
	return other;
}

TEST(a_locked_database_makes_the_log_spill_and_nothing_is_lost)
{
	struct run r = {0};
	struct ev e = sample();
	struct db *other;
	int64_t epoch, n;

	fresh();
	conf.ring_bytes = 65536;
	run_start(&r);
	other = lock_db();
	journal_attach(r.j, r.w, 5);
	while (journal_append(r.j, &e) == 0)
		;
	while (journal_durable_n(r.j) < e.n) /* durable: in the spill */
		(void)usleep(1000);
	assert_true(r.j->spill.size > 30000);
	assert_int_equal(get(r.db, "SELECT count(*) FROM event"), 0);
	assert_false(journal_pressed(r.j));
	for (int i = 0; i < 50; i++)
		assert_int_equal(journal_append(r.j, &e), 0);
	db_rollback(other);
	while (get(r.db, "SELECT count(*) FROM event") < e.n)
		(void)usleep(1000);
	run_end(&r);
	other = other ? (db_close(other), open_db()) : NULL;
	assert_int_equal(journal_verify(other, &epoch, &n), 0);
	assert_int_equal(get(other, "SELECT max(n) FROM event"), e.n);
	db_close(other);
	gone();
}

static void spilled_then_dead(struct run *r)
{
	struct db *other = lock_db();
	struct ev e = sample();

	journal_attach(r->j, r->w, 5);
	while (journal_append(r->j, &e) == 0)
		;
	while (journal_durable_n(r->j) < e.n)
		(void)usleep(1000);
	for (int i = 0; i < 50; i++)
		assert_int_equal(journal_append(r->j, &e), 0);
	(void)other;
}

TEST(a_process_that_dies_while_spilling_loses_nothing)
{
	struct run r = {0};
	struct ev e = sample();
	size_t one = rec_size(&e);
	int64_t epoch, n;

	fresh();
	conf.ring_bytes = 65536;
	die_with(spilled_then_dead);
	run_start(&r);
	assert_int_equal(get(r.db, "SELECT count(*) FROM event WHERE epoch = 1"), 65536 / one + 50);
	assert_int_equal(journal_verify(r.db, &epoch, &n), 0);
	assert_int_equal(r.j->spill.size, 0);
	run_end(&r);
	gone();
}

TEST(a_full_disk_keeps_events_in_the_ring_until_there_is_room)
{
	struct run r = {0};
	struct rlimit old, small;
	int64_t count, epoch, n;

	TEST_DB_SQLITE_ONLY(); /* another process's disk is not filled by a limit of ours */
	fresh();
	conf.ring_bytes = 4 << 20;
	run_start(&r);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){300000, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	journal_attach(r.j, r.w, 5);
	count = made_into(r.j, 5, 9000); /* some 3 MB: neither database nor spill may grow to that */
	while (!journal_is_stuck(r.j))
		(void)usleep(1000);
	assert_true(journal_durable_n(r.j) < count);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	while (get(r.db, "SELECT count(*) FROM event") < count || journal_is_stuck(r.j))
		(void)usleep(1000);
	run_end(&r);
	r.db = open_db();
	assert_int_equal(journal_verify(r.db, &epoch, &n), 0);
	db_close(r.db);
	gone();
}

TEST(a_torn_record_at_the_rings_end_is_left_out)
{
	struct run r = {0};
	struct ev e = sample();
	int64_t epoch, n;

	fresh();
	run_start(&r);
	for (int i = 0; i < 10; i++)
		assert_int_equal(journal_append(r.j, &e), 0);
	memset(ring_at(&r.j->ring, atomic_load(&r.j->ring.h->head) - 40), 0xee, 40);
	db_writer_free(r.w); /* not attached: all stays in the ring */
	journal_close(r.j);
	db_close(r.db);
	run_start(&r);
	assert_int_equal(get(r.db, "SELECT count(*) FROM event WHERE epoch = 1"), 9);
	assert_int_equal(journal_verify(r.db, &epoch, &n), 0);
	run_end(&r);
	gone();
}

TEST(a_damaged_spill_is_kept_aside_and_the_rest_goes_in)
{
	struct run r = {0};
	char aside[128];
	int fd;

	fresh();
	conf.ring_bytes = 65536;
	die_with(spilled_then_dead);
	fd = open(spill_path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "torn record here", 16), 16);
	close(fd);
	run_start(&r);
	assert_true(get(r.db, "SELECT count(*) FROM event WHERE epoch = 1") > 100);
	snprintf(aside, sizeof(aside), "%s.damaged", spill_path);
	assert_int_equal(access(aside, F_OK), 0);
	run_end(&r);
	gone();
}

TEST(an_import_and_a_run_make_one_log)
{
	struct history h;
	struct run r = {0};
	int64_t e, n;

	history_new(&h);
	one_call(&h);
	assert_int_equal(db_commit(h.db), 0);
	journal_import_free(h.im);
	db_close(h.db);
	run_start(&r);
	assert_int_equal(journal_epoch(r.j), 2);
	journal_attach(r.j, r.w, 1000);
	(void)made_into(r.j, 3, 100);
	run_end(&r);
	r.db = open_db();
	assert_int_equal(journal_verify(r.db, &e, &n), 0);
	db_close(r.db);
	gone();
}
