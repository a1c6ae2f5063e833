/* For campaign's tests: a centre with agents, a running campaign and leads, on either database. It is 2026-09-22, a Tuesday, 10:00 in Shanghai. */
#pragma once

#include "base/test.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "campaign/campaign.h"
#include "campaign/guard.h"
#include "db/db.h"
#include "db/db_fixture.h"
#include "journal/zone.h"
#include "people/declared.h"
#include "people/people.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

struct campaign_fix {
	char file[64], path[512];
	struct db *db;
	struct zone *zone;
	int64_t centre, campaign, now_ms;
};

static int64_t fix_utc(int64_t day, int hour, int minute)
{
	return day_number(day) * 86400000ll + (hour - 8) * 3600000ll + minute * 60000ll;
}

static int64_t fix_new(struct campaign_fix *f, const struct res_def *d, json_t *body)
{
	struct system_ctx s;
	int64_t id = 0;

	assert_int_equal(db_begin(f->db), 0);
	system_init(&s, f->db, f->centre);
	s.c.now_ms = f->now_ms;
	s.c.prepared = !strcmp(d->name, "users") ? json_object() : NULL;
	if (system_write(&id, &s, d, 0, body))
		fail_msg("%s: %s", d->name, s.error.code ? s.error.code : "");
	system_done(&s);
	assert_int_equal(db_commit(f->db), 0);
	return id;
}

static void fix_run(struct campaign_fix *f, const char *sql, ...)
{
	char text[2000];
	va_list ap;

	va_start(ap, sql);
	vsnprintf(text, sizeof(text), sql, ap);
	va_end(ap);
	assert_int_equal(db_begin(f->db), 0);
	if (db_run(f->db, text, ""))
		fail_msg("%s: %s", text, db_error(f->db));
	assert_int_equal(db_commit(f->db), 0);
}

static int64_t fix_count(struct campaign_fix *f, const char *sql, ...)
{
	char text[2000];
	int64_t n = 0;
	va_list ap;

	va_start(ap, sql);
	vsnprintf(text, sizeof(text), sql, ap);
	va_end(ap);
	if (db_get_i64(&n, f->db, text, ""))
		fail_msg("%s: %s", text, db_error(f->db));
	return n;
}

static void fix_set(struct campaign_fix *f, int64_t lead, const char *set, ...)
{
	char text[1000];
	va_list ap;

	va_start(ap, set);
	vsnprintf(text, sizeof(text), set, ap);
	va_end(ap);
	fix_run(f, "UPDATE campaign_leads SET %s WHERE id = %lld", text, (long long)lead);
}

static int64_t fix_campaign(struct campaign_fix *f, const char *name, const char *mode)
{
	int64_t id = fix_new(f, &campaign_campaigns, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "mode", mode, "basis", "consent", "basis_text", "form of 2026"));

	fix_run(f, "UPDATE campaigns SET state = 'running' WHERE id = %lld", (long long)id);
	fix_run(f, "INSERT INTO campaign_agents (id, centre_id, rev, created_ms, updated_ms, campaign_id, user_id, share)"
		   " SELECT %lld, centre_id, 1, 1, 1, %lld, MIN(id), 1 FROM users GROUP BY centre_id", (long long)res_next_id(), (long long)id);
	return id;
}

static void fix_open(struct campaign_fix *f, const char *mode)
{
	*f = (struct campaign_fix){.now_ms = fix_utc(20260922, 10, 0)};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/campaign_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(zone_open(&f->zone, "Asia/Shanghai"), 0);
	(void)fix_new(f, &people_users, json_pack("{s:s, s:s, s:s}", "name", "agent one", "login", "one", "role", "agent"));
	f->campaign = fix_campaign(f, "first", mode);
}

/* Customer number @i with @phones telephones, 1380000<i><k>, in the campaign. Answers the lead. */
static int64_t fix_lead(struct campaign_fix *f, int i, int phones)
{
	int64_t customer = res_next_id(), added = 0, there = 0;

	fix_run(f, "INSERT INTO customers (id, centre_id, rev, created_ms, updated_ms, name, contact_n, state) VALUES (%lld, %lld, 1, 1, 1, 'c%d', 0, 'active')",
		(long long)customer, (long long)f->centre, i);
	for (int k = 0; k < phones; k++)
		fix_run(f, "INSERT INTO customer_phones (id, centre_id, rev, created_ms, updated_ms, customer_id, number, label, state, sort)"
			   " VALUES (%lld, %lld, 1, 1, 1, %lld, '+86138%07d%d', 'self', 'ok', %d)", (long long)res_next_id(), (long long)f->centre,
			(long long)customer, i, k, k);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(campaign_add(&added, &there, f->db, f->centre, f->campaign, &customer, 1, 5, f->now_ms), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(added, 1);
	return fix_count(f, "SELECT id FROM campaign_leads WHERE customer_id = %lld", (long long)customer);
}

/* An attempt of the lead that has ended. */
static void fix_past(struct campaign_fix *f, int64_t lead, int64_t at_ms)
{
	fix_run(f, "INSERT INTO dial_claims (id, centre_id, rev, created_ms, updated_ms, campaign_id, lead_id, customer_id, number, nth, state, until_ms, result, checked)"
		   " SELECT %lld, centre_id, 1, %lld, 1, campaign_id, id, customer_id, '+8613800000099', 1, 'ended', 1, 'noanswer', '{}' FROM campaign_leads WHERE id = %lld",
		(long long)res_next_id(), (long long)at_ms, (long long)lead);
}

static void fix_claim(struct campaign_fix *f, struct campaign_given *g, unsigned want)
{
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(campaign_claims(g, f->db, f->zone, f->centre, f->campaign, want, f->now_ms, 0), 0);
	assert_int_equal(db_commit(f->db), 0);
}

/* Its next_ms, when state and why are these; "" for no reason. */
static int64_t fix_lead_is(struct campaign_fix *f, int64_t lead, const char *state, const char *why)
{
	struct db_stmt *st;
	int64_t next;

	assert_int_equal(db_prepare(&st, f->db, "SELECT state, COALESCE(why, ''), next_ms FROM campaign_leads WHERE id = $1"), 0);
	db_bind_i64(st, 1, lead);
	assert_int_equal(db_step(st), DB_ROW);
	if (strcmp(db_text(st, 0), state) != 0 || strcmp(db_text(st, 1), why) != 0)
		fail_msg("lead is %s, %s; wanted %s, %s", db_text(st, 0), db_text(st, 1), state, why);
	next = db_i64(st, 2);
	db_done(st);
	return next;
}

static void fix_close(struct campaign_fix *f)
{
	zone_free(f->zone);
	db_close(f->db);
	test_db_gone(f->path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", f->file, *s);

		(void)unlink(p);
		free(p);
	}
}

#pragma GCC diagnostic pop
