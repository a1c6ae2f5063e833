#include "campaign/stats.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "campaign/campaign.h"
#include "campaign/rules.h"
#include "db/db.h"
#include "journal/zone.h"

#define MIN_MS 60000ll
#define HOUR_MS 3600000ll
#define DAY_MS 86400000ll

/* ---- forecasts ---- */

int campaign_dry_in(int64_t due, const int64_t coming[DRY_MINUTES], double per_min)
{
	double left = (double)due;

	if (per_min <= 0)
		return -1;
	for (int m = 0; m < DRY_MINUTES; m++) {
		left += (double)coming[m] - per_min;
		if (left <= 0)
			return m;
		}
	return -1;
}

/* campaign_leads_due serves it. */
int campaign_next_due(int64_t *at_ms, int64_t *n, struct db *db, int64_t campaign_id, int64_t now_ms)
{
	int r = 0;

	*at_ms = *n = 0;
	for (int rank = 0; !r && rank < LEAD_RANKS; rank++) {
		int64_t at;

		r = db_get_i64(&at, db, "SELECT next_ms FROM campaign_leads WHERE campaign_id = $1 AND state = 'open' AND rank = $2 AND next_ms > $3 ORDER BY next_ms LIMIT 1", "iii",
			       campaign_id, (int64_t)rank, now_ms);
		if (!r && (!*at_ms || at < *at_ms))
			*at_ms = at;
		r = r == -ENOENT ? 0 : r;
	}
	for (int rank = 0; !r && *at_ms && *n < 100 && rank < LEAD_RANKS; rank++) {
		int64_t some = 0;

		r = db_get_i64(&some, db, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM campaign_leads WHERE campaign_id = $1 AND state = 'open' AND rank = $2 AND next_ms > $3"
					  " AND next_ms < $4 LIMIT 100) AS x", "iiii", campaign_id, (int64_t)rank, now_ms, *at_ms / MIN_MS * MIN_MS + MIN_MS);
		*n += some;
	}
	*n = *n > 100 ? 100 : *n;
	return r;
}

int64_t campaign_dials_left(const struct campaign_pace *p)
{
	double each = p->finished > 0 ? (double)(p->attempts - p->open_attempts) / (double)p->finished : 0;
	double left;

	each = each < 1 ? 1 : each;
	left = each * (double)p->open - (double)p->open_attempts;
	return left < (double)p->open ? p->open : (int64_t)llround(left); /* each that waits is dialled once more at least */
}

static int leads_of(struct campaign_pace *p, struct db *db, int64_t campaign_id, int64_t now_ms)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT COALESCE(SUM(CASE WHEN state IN ('open', 'claimed') THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'open' AND next_ms <= $2 THEN 1 ELSE 0 END), 0),"
			   " COALESCE(SUM(CASE WHEN state IN ('done', 'closed') AND attempts > 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(attempts), 0),"
			   " COALESCE(SUM(CASE WHEN state IN ('open', 'claimed') THEN attempts ELSE 0 END), 0),"
			   " COALESCE(MIN(CASE WHEN state = 'open' AND next_ms > $2 THEN next_ms END), 0) FROM campaign_leads WHERE campaign_id = $1");

	if (r)
		return r;
	db_bind_i64(st, 1, campaign_id);
	db_bind_i64(st, 2, now_ms);
	r = db_step(st);
	if (r == DB_ROW) {
		p->open = db_i64(st, 0);
		p->due = db_i64(st, 1);
		p->finished = db_i64(st, 2);
		p->attempts = db_i64(st, 3);
		p->open_attempts = db_i64(st, 4);
		p->next_ms = db_i64(st, 5);
	}
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

int campaign_pace_read(struct campaign_pace *ret, struct db *db, int64_t campaign_id, int64_t now_ms)
{
	struct db_stmt *st;
	int r;

	*ret = (struct campaign_pace){0};
	r = leads_of(ret, db, campaign_id, now_ms);
	if (!r) /* dial_claims_campaign serves it */
		r = db_get_i64(&ret->last_hour, db, "SELECT COUNT(*) FROM dial_claims WHERE campaign_id = $1 AND created_ms > $2 AND state <> 'returned'", "ii", campaign_id,
			       now_ms - HOUR_MS);
	if (!r)
		r = db_prepare(&st, db,
			       "SELECT (next_ms - $2) / 60000, COUNT(*) FROM campaign_leads WHERE campaign_id = $1 AND state = 'open' AND next_ms > $2 AND next_ms < $3"
			       " GROUP BY (next_ms - $2) / 60000");
	if (r)
		return r;
	db_bind_i64(st, 1, campaign_id);
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, now_ms + DRY_MINUTES * MIN_MS);
	while ((r = db_step(st)) == DB_ROW)
		if (db_i64(st, 0) >= 0 && db_i64(st, 0) < DRY_MINUTES)
			ret->coming[db_i64(st, 0)] = db_i64(st, 1);
	db_done(st);
	return r;
}

/* Walks the open hours until so many minutes have passed in them. -1: there are not so many. */
static int64_t after_open(const struct guard_calendar *cal, const struct guard_when *w, int64_t wall_ms, int64_t left_ms)
{
	for (int i = 0; i < 2000; i++) {
		int64_t from = guard_next_open(cal, w, wall_ms), until;

		if (from < 0 || !guard_is_open(cal, w, from, &until))
			return -1;
		if (until - from >= left_ms)
			return from + left_ms;
		left_ms -= until - from;
		wall_ms = until;
	}
	return -1;
}

int campaign_end_forecast(int64_t *ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, const struct campaign_pace *p,
			  int64_t now_ms)
{
	struct campaign_rules *rules = NULL;
	int64_t end;
	int r;

	*ret = 0;
	if (!p->open || !p->last_hour)
		return 0;
	r = campaign_rules_load(&rules, db, zone, centre_id, campaign_id, now_ms);
	if (r)
		return r;
	rules->when.city = rules->when.region = "";
	end = after_open(&rules->calendar, &rules->when, rules->wall_ms, campaign_dials_left(p) * HOUR_MS / p->last_hour);
	*ret = end < 0 ? 0 : end - rules->wall_ms + now_ms;
	campaign_rules_free(rules);
	return 0;
}

/* ---- counts as JSON ---- */

/* {first column: second} */
static int counts(json_t *to, const char *name, struct db *db, const char *sql, int64_t a, int64_t b)
{
	json_t *o = json_object();
	struct db_stmt *st;
	int r = db_prepare(&st, db, sql);

	(void)json_object_set_new(to, name, o);
	if (r)
		return r;
	db_bind_i64(st, 1, a);
	if (b >= 0)
		db_bind_i64(st, 2, b);
	while ((r = db_step(st)) == DB_ROW)
		(void)json_object_set_new(o, db_is_null(st, 0) ? "" : db_text(st, 0), json_integer(db_i64(st, 1)));
	db_done(st);
	return r;
}

static int dials(json_t *to, const char *name, struct db *db, int64_t campaign_id, int64_t day)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT COALESCE(SUM(n), 0), COALESCE(SUM(CASE WHEN result = 'answered' THEN n ELSE 0 END), 0),"
			   " COALESCE(SUM(CASE WHEN result = 'abandoned' THEN n ELSE 0 END), 0), COALESCE(SUM(talk_ms), 0), COALESCE(SUM(ring_ms), 0)"
			   " FROM campaign_tally WHERE campaign_id = $1 AND day >= $2");

	if (r)
		return r;
	db_bind_i64(st, 1, campaign_id);
	db_bind_i64(st, 2, day);
	r = db_step(st);
	if (r == DB_ROW)
		(void)json_object_set_new(to, name, json_pack("{s:I, s:I, s:I, s:I, s:I}", "dials", (json_int_t)db_i64(st, 0), "answered", (json_int_t)db_i64(st, 1),
			"abandoned", (json_int_t)db_i64(st, 2), "talk_ms", (json_int_t)db_i64(st, 3), "ring_ms", (json_int_t)db_i64(st, 4)));
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

static int forecast(json_t *to, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, int64_t now_ms)
{
	struct campaign_pace p;
	int64_t end = 0;
	int dry, r = campaign_pace_read(&p, db, campaign_id, now_ms);

	if (!r)
		r = campaign_end_forecast(&end, db, zone, centre_id, campaign_id, &p, now_ms);
	if (r)
		return r;
	dry = campaign_dry_in(p.due, p.coming, (double)p.last_hour / 60);
	(void)json_object_set_new(to, "forecast", json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "due", (json_int_t)p.due, "per_hour", (json_int_t)p.last_hour, "left",
		(json_int_t)campaign_dials_left(&p), "end_ms", (json_int_t)end, "dry_ms", (json_int_t)(dry < 0 || !p.due ? 0 : now_ms + dry * MIN_MS), "next_ms", (json_int_t)p.next_ms));
	return 0;
}

int campaign_summary(json_t **ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, int64_t now_ms)
{
	int64_t day = zone_day(zone, now_ms), people = 0, refused = 0, backs = 0;
	json_t *o = json_object();
	int r = counts(o, "leads", db, "SELECT state, COUNT(*) FROM campaign_leads WHERE campaign_id = $1 GROUP BY state", campaign_id, -1);

	if (!r)
		r = dials(o, "all", db, campaign_id, 0);
	if (!r)
		r = dials(o, "today", db, campaign_id, day);
	if (!r)
		r = forecast(o, db, zone, centre_id, campaign_id, now_ms);
	if (!r)
		r = db_get_i64(&people, db, "SELECT COUNT(*) FROM campaign_people p JOIN users u ON u.id = p.user_id WHERE p.campaign_id = $1 AND u.active = 1", "i", campaign_id);
	if (!r)
		r = db_get_i64(&refused, db, "SELECT COALESCE(SUM(n), 0) FROM guard_tally WHERE campaign_id = $1 AND day = $2", "ii", campaign_id, day);
	if (!r)
		r = db_get_i64(&backs, db, "SELECT COUNT(*) FROM ring_backs WHERE campaign_id = $1", "i", campaign_id);
	(void)json_object_set_new(o, "ring_backs", json_integer(backs));
	(void)json_object_set_new(o, "people", json_integer(people));
	(void)json_object_set_new(o, "refused_today", json_integer(refused));
	if (r)
		json_decref(o);
	else
		*ret = o;
	return r;
}

/* [{"nth","result","n","ring_ms","talk_ms"}] */
static int attempts(json_t *to, struct db *db, int64_t campaign_id)
{
	json_t *list = json_array();
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT nth, result, SUM(n), SUM(ring_ms), SUM(talk_ms) FROM campaign_tally WHERE campaign_id = $1 GROUP BY nth, result ORDER BY nth, result");

	(void)json_object_set_new(to, "attempts", list);
	if (r)
		return r;
	db_bind_i64(st, 1, campaign_id);
	while ((r = db_step(st)) == DB_ROW)
		(void)json_array_append_new(list, json_pack("{s:I, s:s, s:I, s:I, s:I}", "nth", (json_int_t)db_i64(st, 0), "result", db_text(st, 1), "n",
			(json_int_t)db_i64(st, 2), "ring_ms", (json_int_t)db_i64(st, 3), "talk_ms", (json_int_t)db_i64(st, 4)));
	db_done(st);
	return r;
}

/* [{"id","name","n"}] what agents wrote. */
static int results(json_t *to, struct db *db, int64_t campaign_id, bool en)
{
	json_t *list = json_array();
	struct db_stmt *st;
	char id[24];
	int r = db_prepare(&st, db,
			   "SELECT l.result_id, x.zh, COALESCE(x.en, x.zh), COUNT(*) FROM campaign_leads l JOIN contact_results x ON x.id = l.result_id"
			   " WHERE l.campaign_id = $1 GROUP BY l.result_id, x.zh, x.en ORDER BY COUNT(*) DESC, l.result_id");

	(void)json_object_set_new(to, "results", list);
	if (r)
		return r;
	db_bind_i64(st, 1, campaign_id);
	while ((r = db_step(st)) == DB_ROW) {
		(void)snprintf(id, sizeof(id), "%lld", (long long)db_i64(st, 0));
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "id", id, "name", db_text(st, en ? 2 : 1), "n", (json_int_t)db_i64(st, 3)));
	}
	db_done(st);
	return r;
}

int campaign_progress(json_t **ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, const char *lang, int64_t now_ms)
{
	json_t *o = NULL;
	int r = campaign_summary(&o, db, zone, centre_id, campaign_id, now_ms);

	if (!r)
		r = attempts(o, db, campaign_id);
	if (!r)
		r = results(o, db, campaign_id, lang && lang[0] == 'e');
	if (!r)
		r = counts(o, "waiting", db, "SELECT why, COUNT(*) FROM campaign_leads WHERE campaign_id = $1 AND state = 'open' AND next_ms > $2 GROUP BY why", campaign_id, now_ms);
	if (!r)
		r = counts(o, "closed", db, "SELECT why, COUNT(*) FROM campaign_leads WHERE campaign_id = $1 AND state = 'closed' GROUP BY why", campaign_id, -1);
	if (!r)
		r = counts(o, "guard", db, "SELECT why, n FROM guard_tally WHERE campaign_id = $1 AND day = $2", campaign_id, zone_day(zone, now_ms));
	if (!r)
		r = counts(o, "guard_all", db, "SELECT why, SUM(n) FROM guard_tally WHERE campaign_id = $1 GROUP BY why", campaign_id, -1);
	if (!r)
		r = counts(o, "ranks", db, "SELECT CASE rank WHEN 0 THEN 'callback' WHEN 1 THEN 'retry' ELSE 'new' END, COUNT(*) FROM campaign_leads WHERE campaign_id = $1"
					   " AND state = 'open' GROUP BY 1", campaign_id, -1);
	if (r)
		json_decref(o);
	else
		*ret = o;
	return r;
}

/* attempt_campaign serves the sums. */
int campaign_people_today(json_t **ret, struct db *db, const struct zone *zone, int64_t campaign_id, int64_t now_ms)
{
	json_t *list = json_array();
	struct db_stmt *st;
	char id[24];
	int r = db_prepare(&st, db,
			   "SELECT u.id, u.name, COALESCE(t.name, ''), p.share, COALESCE(d.n, 0), COALESCE(d.talks, 0), COALESCE(d.talk_ms, 0) FROM campaign_people p JOIN users u ON u.id = p.user_id"
			   " LEFT JOIN teams t ON t.id = u.team_id LEFT JOIN (SELECT agent_id, COUNT(*) AS n, SUM(CASE WHEN connect_ms IS NOT NULL THEN 1 ELSE 0 END) AS talks,"
			   " SUM(CASE WHEN connect_ms IS NOT NULL THEN end_ms - connect_ms ELSE 0 END) AS talk_ms FROM attempt WHERE campaign_id = $1 AND end_ms >= $2 AND result <> 'returned'"
			   " GROUP BY agent_id) AS d ON d.agent_id = u.id WHERE p.campaign_id = $1 AND u.active = 1 ORDER BY p.share, u.name, u.id");

	if (r) {
		json_decref(list);
		return r;
	}
	db_bind_i64(st, 1, campaign_id);
	db_bind_i64(st, 2, zone_utc_ms(zone, day_number(zone_day(zone, now_ms)) * DAY_MS));
	while ((r = db_step(st)) == DB_ROW) {
		(void)snprintf(id, sizeof(id), "%lld", (long long)db_i64(st, 0));
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "id", id, "name", db_text(st, 1), "team", db_text(st, 2), "share", (json_int_t)db_i64(st, 3),
			"dials", (json_int_t)db_i64(st, 4), "talks", (json_int_t)db_i64(st, 5), "talk_ms", (json_int_t)db_i64(st, 6)));
	}
	db_done(st);
	if (r)
		json_decref(list);
	else
		*ret = list;
	return r;
}

/* ---- health of the numbers shown ---- */

struct number_health {
	int64_t id, rest_ms;
	int32_t rest_percent, rest_h;
	char number[40], city[64], state[8];
	int64_t dials, answered, today;
	struct shown_hour *hours;
	size_t hour_n;
};

static int read_numbers(struct number_health **ret, size_t *n, struct db *db, int64_t centre_id)
{
	struct number_health *list = NULL;
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT id, number, COALESCE(city, ''), state, COALESCE(rest_ms, 0), rest_percent, rest_h FROM shown_numbers WHERE centre_id = $1 ORDER BY number, id");

	*n = 0;
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	while ((r = db_step(st)) == DB_ROW) {
		struct number_health *h;

		list = xrealloc(list, (*n + 1) * sizeof(*list));
		h = &list[(*n)++];
		*h = (struct number_health){.id = db_i64(st, 0), .rest_ms = db_i64(st, 4), .rest_percent = (int32_t)db_i64(st, 5), .rest_h = (int32_t)db_i64(st, 6)};
		(void)str_copy(h->number, sizeof(h->number), db_text(st, 1));
		(void)str_copy(h->city, sizeof(h->city), db_text(st, 2));
		(void)str_copy(h->state, sizeof(h->state), db_text(st, 3));
	}
	db_done(st);
	*ret = list;
	return r;
}

/* Each hour of a number beside the pool's of the same hour. shown_tally_hour serves it. */
static int read_hours(struct number_health *list, size_t n, struct db *db, int64_t centre_id, int64_t since_ms)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT t.show_id, t.n, t.answered, p.n, p.answered FROM shown_tally t JOIN shown_numbers s ON s.id = t.show_id"
			   " JOIN (SELECT x.hour_ms, SUM(x.n) AS n, SUM(x.answered) AS answered FROM shown_tally x JOIN shown_numbers y ON y.id = x.show_id"
			   " WHERE x.hour_ms >= $2 AND y.centre_id = $1 GROUP BY x.hour_ms) AS p ON p.hour_ms = t.hour_ms"
			   " WHERE t.hour_ms >= $2 AND s.centre_id = $1 ORDER BY t.show_id, t.hour_ms");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, since_ms);
	while ((r = db_step(st)) == DB_ROW)
		for (size_t i = 0; i < n; i++) {
			struct number_health *h = &list[i];

			if (h->id != db_i64(st, 0))
				continue;
			h->hours = xrealloc(h->hours, (h->hour_n + 1) * sizeof(*h->hours));
			h->hours[h->hour_n++] = (struct shown_hour){(int32_t)db_i64(st, 1), (int32_t)db_i64(st, 2), (int32_t)db_i64(st, 3), (int32_t)db_i64(st, 4)};
			h->dials += db_i64(st, 1);
			h->answered += db_i64(st, 2);
		}
	db_done(st);
	return r;
}

static void free_numbers(struct number_health *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].hours);
	free(list);
}

int campaign_shown_health(json_t **ret, struct db *db, int64_t centre_id, int days, int64_t now_ms)
{
	struct number_health *list = NULL;
	json_t *out = json_array();
	size_t n = 0;
	char id[24];
	int r = read_numbers(&list, &n, db, centre_id);

	if (!r)
		r = read_hours(list, n, db, centre_id, now_ms - days * DAY_MS);
	for (size_t i = 0; !r && i < n; i++) {
		const struct number_health *x = &list[i];
		struct shown_health h = shown_health(x->hours, x->hour_n);

		(void)snprintf(id, sizeof(id), "%lld", (long long)x->id);
		(void)json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:b}", "id", id, "number", x->number, "city", x->city, "state",
			!strcmp(x->state, "active") && x->rest_ms > now_ms ? "resting" : x->state, "rest_ms", (json_int_t)(x->rest_ms > now_ms ? x->rest_ms : 0), "dials", (json_int_t)x->dials,
			"answered", (json_int_t)x->answered, "compared_dials", (json_int_t)h.n, "expected", h.expected, "z", h.z, "compared", h.compared));
	}
	free_numbers(list, n);
	if (r)
		json_decref(out);
	else
		*ret = out;
	return r;
}

/* Since its last rest, and at most a day back. */
int campaign_shown_rest(size_t *resting, struct db *db, int64_t centre_id, int64_t now_ms)
{
	struct number_health *list = NULL;
	size_t n = 0;
	int r = read_numbers(&list, &n, db, centre_id);

	*resting = 0;
	for (size_t i = 0; !r && i < n; i++) {
		struct number_health *x = &list[i];
		int64_t since = x->rest_ms > now_ms - DAY_MS ? x->rest_ms : now_ms - DAY_MS;
		struct shown_health h;
		char why[120];

		if (strcmp(x->state, "active") != 0 || x->rest_ms > now_ms || !x->rest_percent)
			continue;
		r = read_hours(x, 1, db, centre_id, since);
		h = shown_health(x->hours, x->hour_n);
		if (r || !shown_should_rest(&h, x->rest_percent))
			continue;
		(void)snprintf(why, sizeof(why), "%d / %d, %.0f", h.answered, h.n, h.expected);
		r = db_run(db, "UPDATE shown_numbers SET rest_ms = $1, rest_why = $2, updated_ms = $3, rev = rev + 1 WHERE id = $4", "itii", now_ms + x->rest_h * HOUR_MS, why,
			   now_ms, x->id);
		*resting += !r;
	}
	free_numbers(list, n);
	return r;
}
