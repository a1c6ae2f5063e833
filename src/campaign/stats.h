/*
 * Figures of campaigns: progress, list health, what the guard did, forecasts, health of shown numbers. Read from sums (campaign_tally,
 * guard_tally, shown_tally) and counts of leads; any connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct json_t;
struct zone;

#define DRY_MINUTES 60

/**
 * In how many minutes does a list run dry? @due: leads that may be dialled now; @coming[m]: those that become due in minute m from now;
 * @per_min: how many are dialled a minute. -1: not within DRY_MINUTES. Pure.
 */
int campaign_dry_in(int64_t due, const int64_t coming[DRY_MINUTES], double per_min);

struct campaign_pace {
	int64_t open, due;          /* leads that wait; of them now */
	int64_t finished;           /* done and closed */
	int64_t attempts;           /* all so far */
	int64_t open_attempts;      /* on leads that still wait */
	int64_t last_hour;          /* dialled in it */
	int64_t coming[DRY_MINUTES];
	int64_t next_ms;            /* the first that waits for its time; 0: none */
};
int campaign_pace_read(struct campaign_pace *ret, struct db *db, int64_t campaign_id, int64_t now_ms);
/** When the first of those that wait for their time is due, and how many are within that minute, a hundred at most; 0: none. By index alone. */
int campaign_next_due(int64_t *at_ms, int64_t *n, struct db *db, int64_t campaign_id, int64_t now_ms);
/**
 * How many dials are still to be made: what a finished lead took, for each that waits, without what it has had. Pure.
 */
int64_t campaign_dials_left(const struct campaign_pace *p);
/** When the list is through at this pace within the campaign's hours; 0: it cannot be said. */
int campaign_end_forecast(int64_t *ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, const struct campaign_pace *p,
			  int64_t now_ms);

/** {"leads":{state:n},"all":{...},"today":{"dials","answered","abandoned","talk_ms","refused"},...} for a list of projects. */
int campaign_summary(struct json_t **ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, int64_t now_ms);
/** The same with what the project's page shows besides. */
int campaign_progress(struct json_t **ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, const char *lang, int64_t now_ms);

/** Who works for it, and how often each talked today: [{"id","name","team","share","dials","talks","talk_ms"}]; dials are those kept for him. */
int campaign_people_today(struct json_t **ret, struct db *db, const struct zone *zone, int64_t campaign_id, int64_t now_ms);

/** Health of every shown number over the last @days days: [{"id","number",...,"n","answered","expected","z"}]. */
int campaign_shown_health(struct json_t **ret, struct db *db, int64_t centre_id, int days, int64_t now_ms);
/** Numbers whose health says so begin to rest. @n: how many. Writer. */
int campaign_shown_rest(size_t *n, struct db *db, int64_t centre_id, int64_t now_ms);
