/* What campaigns' pacing had learned, and what has been dialled since: for a switch that starts. */
#include <stdlib.h>

#include "app/paces.h"
#include "base/base.h"
#include "db/db.h"
#include "switch/switch.h"

#define PAST_MAX 20000 /* the newest */

static void load_states(struct paces *p, struct db *db, int64_t centre_id)
{
	struct db_stmt *st;

	if (db_prepare(&st, db, "SELECT campaign_id, body FROM campaign_pace WHERE centre_id = $1 AND campaign_id IN"
				" (SELECT id FROM campaigns WHERE centre_id = $1 AND state IN ('running', 'paused'))"))
		return;
	db_bind_i64(st, 1, centre_id);
	while (db_step(st) == DB_ROW) {
		p->states = xrealloc(p->states, (p->state_n + 1) * sizeof(*p->states));
		p->states[p->state_n++] = (struct sw_pace_state){db_i64(st, 0), xstrdup(db_text(st, 1))};
	}
	db_done(st);
}

/* Newest first as read, oldest first as kept. A hang-up of our own (no code) says nothing, as when it happened. */
static void load_past(struct paces *p, struct db *db, int64_t centre_id, int64_t since_ms)
{
	struct db_stmt *st;

	/* attempt_campaign */
	if (db_prepare(&st, db, "SELECT a.campaign_id, a.begin_ms, COALESCE(a.answer_ms, 0), a.end_ms, a.abandoned FROM attempt a"
				" JOIN campaigns c ON c.id = a.campaign_id AND c.state IN ('running', 'paused') LEFT JOIN campaign_pace p ON p.campaign_id = a.campaign_id"
				" WHERE c.centre_id = $1 AND a.end_ms > COALESCE(p.at_ms, $2) AND a.mode = 'predictive' AND a.begin_ms IS NOT NULL"
				" AND (a.answer_ms IS NOT NULL OR a.code <> 0) ORDER BY a.end_ms DESC LIMIT $3"))
		return;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, since_ms);
	db_bind_i64(st, 3, PAST_MAX);
	while (db_step(st) == DB_ROW) {
		p->past = xrealloc(p->past, (p->past_n + 1) * sizeof(*p->past));
		p->past[p->past_n++] = (struct sw_past){db_i64(st, 0), db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), db_i64(st, 4) != 0};
	}
	db_done(st);
	for (size_t i = 0, j = p->past_n; i + 1 < j; i++) {
		struct sw_past x = p->past[i];

		p->past[i] = p->past[--j];
		p->past[j] = x;
	}
}

void paces_load(struct paces *p, struct db *db, int64_t centre_id, int64_t since_ms)
{
	*p = (struct paces){0};
	load_states(p, db, centre_id);
	load_past(p, db, centre_id, since_ms);
}

void paces_free(struct paces *p)
{
	for (size_t i = 0; i < p->state_n; i++)
		free((void *)p->states[i].body);
	free(p->states);
	free(p->past);
}
