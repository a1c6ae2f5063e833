/*
 * Visits (来访), deals (成单), goals (目标), call-backs (预约回拨): plain resources, and what their hooks share. A customer's next contact is the
 * earliest of his open call-backs, whoever set it: a note, the customer's own page, the list of to-dos.
 *
 *   visit    booked -> confirmed -> arrived (again: todo -> invited | dropped) | missed | signed
 *   deal     ordered -> signed | cancelled (follow: todo -> done)
 *   callback open -> done | dropped
 *
 * Codes: fields "month" format, "user_id" required unique; 409 only_one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "resource/resource.h"

struct json_t;
struct zone;

/** The centre's zone: 0, or negative when its file is not there. */
int sales_zone(struct zone **ret, struct db *db);
/** "2026-11-22": the centre's day of an instant, by UTC where the zone is not known; "" after the year 9999. */
void sales_day(char ret[11], struct db *db, int64_t at_ms);
/** Is it a day, "2026-11-22"? */
bool sales_is_day(const char *s);
/** Is the user not there on @day: absent, or not working here any more? Any connection. */
int sales_away(bool *ret, struct db *db, int64_t user_id, const char *day);
/**
 * What visits, deals and call-backs begin with: a customer that who writes may see, its agent (user_id: who was said, else its owner, else who
 * writes), his team. For hooks; what is wrong goes to c->error. 0 or negative.
 */
int sales_whose(struct res_ctx *c, struct json_t *row, const struct json_t *old);

/* ---- call-backs and the customer's next contact; on the writer, in its transaction ---- */

/** The customer's next contact is as his open call-backs say. */
int sales_next_set(struct db *db, int64_t customer_id);
/** The page says when he is to be contacted next (0: not): his earliest open call-back is moved, made or dropped. */
int sales_next_said(struct res_ctx *c, int64_t customer_id, int64_t next_ms);
struct sales_noted {
	int64_t customer_id, call_id, user_id, next_ms; /* customer_id or call_id may be 0; next_ms 0: nothing arranged */
	const char *phone, *reason;                     /* "" or NULL: none */
};
/** A note was written: what was due is done, what it arranges is a call-back. */
int sales_noted(struct res_ctx *c, const struct sales_noted *n);
/** A number became a customer's: its call-backs, too. */
int sales_adopt(struct db *db, int64_t centre_id, int64_t customer_id, const char *number);
/** The customer is another's now (0: nobody's): what is still to be done for him goes along. */
int sales_owner_changed(struct db *db, int64_t customer_id, int64_t owner_id);

/** The list of to-dos' rules, where a centre has none. System; writer. */
int sales_seed(struct db *db, int64_t centre_id);

struct sales_rules {
	int64_t grace_min, remind_min, visit_hours;
	char off_rule[8]; /* wait team lead */
};
int sales_rules_get(struct sales_rules *ret, struct db *db, int64_t centre_id);

/* ---- who does a call-back ---- */

/** SQL: 1 when the user of row @u is not there on the day bound to $@day. */
#define SALES_AWAY(u, day)                                                                                            \
	"CASE WHEN " u ".id IS NULL THEN 0 WHEN " u ".active = 0 OR EXISTS (SELECT 1 FROM absences z WHERE z.user_id = " u ".id" \
	" AND z.to_day >= $" day " AND z.from_day <= $" day ") THEN 1 ELSE 0 END"
/** SQL: ids of the teams that the user bound to $@at is in, or leads. */
#define SALES_TEAMS(at) "(SELECT s.id FROM teams s WHERE s.lead_id = $" at " OR s.id IN (SELECT w.team_id FROM users w WHERE w.id = $" at "))"

struct sales_callback {
	int64_t id, customer_id, user_id, team_id, due_ms; /* user_id 0: the team's */
	int64_t changed_ms; /* who has just taken it, or moved it, has the grace anew */
	bool away;   /* its agent is */
	bool leads;  /* who asks leads its team */
	bool in_team;
};
/** Why somebody who is not its agent has the call-back in his list: "open" nobody's, "away", "ask" (its lead decides), "team"; NULL: he has not. */
const char *sales_why(const struct sales_rules *rules, const struct sales_callback *b, int64_t now_ms);
/**
 * Takes a call-back that is in one's list, or whose team one leads; sees its customer from then on. @from: whose it was, 0: nobody's.
 * 409 decided: it is not open any more. On the writer.
 */
int sales_take(struct json_t **ret, int64_t *from, struct res_ctx *c, int64_t id);
/** Hands one's own, or one of a team that one leads, to somebody of one's teams, with a word. @from as above. */
int sales_hand(struct json_t **ret, int64_t *from, struct res_ctx *c, int64_t id, int64_t to, const char *reason);
/** What becomes of a missed call: called back at @due_ms, or (0) dealt with. Of calls that rang him, or that one of his customers made. */
int sales_missed(struct json_t **ret, struct res_ctx *c, int64_t call_id, int64_t due_ms, const char *reason);
