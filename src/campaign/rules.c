#include "campaign/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/zone.h"

#define DAY_MS 86400000ll
#define ROWS_MAX 2000 /* of a rules' table; more are not read */

/* ",mon,tue," as bits; nothing: all. */
static uint8_t days_of(const char *text)
{
	uint8_t bits = 0;

	for (int i = 0; text && day_names[i]; i++) {
		char key[16];

		(void)snprintf(key, sizeof(key), ",%s,", day_names[i]);
		if (strstr(text, key))
			bits |= (uint8_t)(1u << i);
	}
	return bits ? bits : DAYS_ALL;
}

static void hours_of(struct hours *ret, const char *text)
{
	if (!hours_read(ret, text ? text : ""))
		*ret = (struct hours){0}; /* somebody wrote it past us: closed */
}

static const char *text_of(struct db_stmt *st, int col)
{
	return db_is_null(st, col) ? "" : db_text(st, col);
}

/* ---- tables ---- */

struct reading {
	struct campaign_rules *p;
	struct guard_window *windows;
	struct guard_holiday *holidays;
};

static void take_window(struct reading *x, struct db_stmt *st)
{
	size_t n = x->p->calendar.window_n++;
	struct guard_window *w;

	x->windows = xrealloc(x->windows, (n + 1) * sizeof(*x->windows));
	w = &x->windows[n];
	*w = (struct guard_window){.days = days_of(text_of(st, 1))};
	(void)str_copy(w->region, sizeof(w->region), text_of(st, 0));
	hours_of(&w->hours, text_of(st, 2));
}

static void take_holiday(struct reading *x, struct db_stmt *st)
{
	size_t n = x->p->calendar.holiday_n++;
	const char *as = text_of(st, 2);
	uint8_t kind = DAY_HOLIDAY;

	for (uint8_t i = 0; !strcmp(text_of(st, 1), "work") && day_names[i]; i++)
		if (!strcmp(day_names[i], *as ? as : "fri"))
			kind = i;
	x->holidays = xrealloc(x->holidays, (n + 1) * sizeof(*x->holidays));
	x->holidays[n] = (struct guard_holiday){(int32_t)day_of_text(text_of(st, 0)), kind};
}

static void take_retry(struct reading *x, struct db_stmt *st)
{
	struct campaign_rules *p = x->p;
	struct retry_rule *rule;

	p->retries = xrealloc(p->retries, (p->retry_n + 1) * sizeof(*p->retries));
	rule = &p->retries[p->retry_n++];
	*rule = (struct retry_rule){db_i64(st, 0), dial_result_of(text_of(st, 1)), (int32_t)db_i64(st, 2), RETRY_AGAIN, (int32_t)db_i64(st, 4)};
	for (int i = 0; retry_action_names[i]; i++)
		if (!strcmp(retry_action_names[i], text_of(st, 3)))
			rule->action = (enum retry_action)i;
}

static void take_shown(struct reading *x, struct db_stmt *st)
{
	struct campaign_rules *p = x->p;
	struct shown *s;

	p->pool = xrealloc(p->pool, (p->pool_n + 1) * sizeof(*p->pool));
	s = &p->pool[p->pool_n++];
	*s = (struct shown){.id = db_i64(st, 0), .day_max = (int32_t)db_i64(st, 3), .today = (int32_t)db_i64(st, 4), .rests = db_i64(st, 5)};
	(void)str_copy(s->number, sizeof(s->number), db_text(st, 1));
	(void)str_copy(s->city, sizeof(s->city), text_of(st, 2));
}

/* Up to three parameters. */
static int read_rows(struct reading *x, struct db *db, const char *sql, const int64_t *args, int n, void (*take)(struct reading *x, struct db_stmt *st))
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, sql), rows = 0;

	if (r)
		return r;
	for (int i = 0; i < n; i++)
		db_bind_i64(st, i + 1, args[i]);
	while ((r = db_step(st)) == DB_ROW && rows++ < ROWS_MAX)
		take(x, st);
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* All numbers of the trunk, or those that the campaign names. Today's dials: shown_tally's key serves it. */
#define SHOWN_SQL \
	"SELECT s.id, s.number, s.city, s.day_max, COALESCE((SELECT SUM(t.n) FROM shown_tally t WHERE t.show_id = s.id AND t.hour_ms >= $3), 0)," \
	" CASE WHEN s.state <> 'active' OR s.rest_ms > $4 THEN 1 ELSE 0 END FROM shown_numbers s" \
	" JOIN campaigns c ON c.id = $2 AND (s.trunk_id IS NULL OR c.trunk_id IS NULL OR s.trunk_id = c.trunk_id)" \
	" WHERE s.centre_id = $1 AND (NOT EXISTS (SELECT 1 FROM campaign_numbers n WHERE n.campaign_id = $2)" \
	" OR EXISTS (SELECT 1 FROM campaign_numbers n WHERE n.campaign_id = $2 AND n.shown_id = s.id)) ORDER BY s.id"

static int read_tables(struct campaign_rules *p, struct db *db)
{
	const int64_t centre[] = {p->centre_id}, both[] = {p->centre_id, p->campaign_id};
	const int64_t shown[] = {p->centre_id, p->campaign_id, p->midnight_ms, p->now_ms};
	struct reading x = {.p = p};
	int r;

	r = read_rows(&x, db, "SELECT region, days, hours FROM calling_windows WHERE centre_id = $1 AND active = 1 ORDER BY id", centre, 1, take_window);
	if (!r) /* by day, which a text of that form sorts by */
		r = read_rows(&x, db, "SELECT day, kind, counts_as FROM holidays WHERE centre_id = $1 ORDER BY day", centre, 1, take_holiday);
	if (!r)
		r = read_rows(&x, db,
			      "SELECT COALESCE(campaign_id, 0), result, nth, action, wait_min FROM retry_rules WHERE centre_id = $1"
			      " AND (campaign_id IS NULL OR campaign_id = $2) ORDER BY id", both, 2, take_retry);
	if (!r)
		r = read_rows(&x, db, SHOWN_SQL, shown, 4, take_shown);
	p->calendar.windows = x.windows;
	p->calendar.holidays = x.holidays;
	p->own = (struct guard_calendar){.holidays = x.holidays, .holiday_n = p->calendar.holiday_n};
	return r;
}

static int read_campaign(struct campaign_rules *p, struct db *db)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT c.state, c.mode, c.basis, c.basis_text, c.days, c.hours, c.start_day, c.end_day, c.attempts_max, c.day_max,"
			   " COALESCE(s.day_max, 0), COALESCE(s.week_max, 0), COALESCE(s.gap_min, 0), COALESCE(s.next_min, 0), COALESCE(s.grace_min, 0),"
			   " EXISTS (SELECT 1 FROM attachments a WHERE a.resource = 'campaigns' AND a.row_id = c.id)"
			   " FROM campaigns c LEFT JOIN outbound_settings s ON s.centre_id = c.centre_id WHERE c.centre_id = $1 AND c.id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, p->centre_id);
	db_bind_i64(st, 2, p->campaign_id);
	r = db_step(st);
	if (r == DB_ROW) {
		p->running = !strcmp(db_text(st, 0), "running");
		p->preview = !strcmp(db_text(st, 1), "preview");
		(void)str_copy(p->basis_code, sizeof(p->basis_code), db_text(st, 2));
		p->basis = strcmp(p->basis_code, "none") != 0 && (*text_of(st, 3) || db_i64(st, 15));
		p->when.days = days_of(text_of(st, 4));
		hours_of(&p->hours, text_of(st, 5));
		p->when.start_day = (int32_t)day_of_text(text_of(st, 6));
		p->when.end_day = (int32_t)day_of_text(text_of(st, 7));
		p->attempts_max = (int32_t)db_i64(st, 8);
		p->lead_day_max = (int32_t)db_i64(st, 9);
		p->day_max = (int32_t)db_i64(st, 10);
		p->week_max = (int32_t)db_i64(st, 11);
		p->gap_min = (int32_t)db_i64(st, 12);
		p->next_min = (int32_t)db_i64(st, 13);
		p->grace_min = (int32_t)db_i64(st, 14);
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

int campaign_rules_load(struct campaign_rules **ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, int64_t now_ms)
{
	struct campaign_rules *p = xcalloc(1, sizeof(*p));
	int r;

	p->centre_id = centre_id;
	p->campaign_id = campaign_id;
	p->now_ms = now_ms;
	p->wall_ms = zone_wall_ms(zone, now_ms);
	p->midnight_ms = zone_utc_ms(zone, p->wall_ms - p->wall_ms % DAY_MS);
	p->day = zone_day(zone, now_ms);
	p->when.hours = &p->hours;
	r = read_campaign(p, db);
	if (!r)
		r = read_tables(p, db);
	if (r)
		campaign_rules_free(p);
	else
		*ret = p;
	return r;
}

void campaign_rules_free(struct campaign_rules *p)
{
	if (!p)
		return;
	free((void *)p->calendar.windows);
	free((void *)p->calendar.holidays);
	free(p->pool);
	free(p->retries);
	free(p);
}
