/* Inside campaign: all that a centre and one of its campaigns say about dialling, read for one piece of work. */
#pragma once

#include "campaign/guard.h"
#include "campaign/retry.h"
#include "campaign/shown.h"

struct db;
struct zone;

struct campaign_rules {
	int64_t centre_id, campaign_id, now_ms;
	int64_t wall_ms;         /* now, on the wall */
	int64_t midnight_ms;     /* today's beginning, UTC */
	int64_t day;             /* yyyymmdd */
	bool running, basis, preview;
	char basis_code[16];
	int32_t attempts_max, lead_day_max;
	int32_t day_max, week_max, gap_min, next_min, grace_min;
	struct hours hours;      /* of the campaign */
	struct guard_when when;  /* its hours, days and dates; without a customer */
	struct guard_calendar calendar;
	struct guard_calendar own; /* the same without windows: the campaign's hours alone */
	struct shown *pool;
	size_t pool_n;           /* 0: the trunk's own number is shown */
	struct retry_rule *retries;
	size_t retry_n;
};

/** -ENOENT: there is no such campaign. On the writer's or any connection. */
int campaign_rules_load(struct campaign_rules **ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, int64_t now_ms);
void campaign_rules_free(struct campaign_rules *p);
/**
 * The network, or who listened to it, says that a number is not in use: its row says so, and nobody need try it again. As the program, so that
 * the audit says who. Other results: nothing. Writer.
 */
int campaign_mark_number(struct db *db, int64_t centre_id, int64_t customer_id, const char *number, enum dial_result result, int64_t now_ms);
/** Beginning of the hour, UTC. */
static inline int64_t campaign_hour(int64_t ms)
{
	return ms - ms % 3600000;
}
