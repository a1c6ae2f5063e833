/*
 * Outbound campaigns' data: who is called for what, and every permission to dial (a claim), committed before anybody dials.
 *
 *   lead   open --claim--> claimed --attempt--> open again (retry, call-back) | done (reached) | closed (why)
 *   claim  open --> ended (result) | returned (not dialled: the lead is open as before)
 *
 * Pure parts: guard.h (may it be dialled), retry.h (what follows), shown.h (which number is shown). What writes runs on the writer, in its
 * transaction.
 *
 * Codes besides the engine's: 409 wrong_state; 422 with basis, basis_text, agents, leads (what a start lacks).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resource/resource.h"

struct db;
struct zone;

extern const struct res_def campaign_campaigns, campaign_agents, campaign_teams, campaign_numbers, campaign_leads, campaign_dials,
	campaign_guarded, campaign_do_not_call, campaign_windows, campaign_holidays, campaign_retry_rules, campaign_settings,
	campaign_shown_numbers;
extern const struct res_option campaign_days[];

/** Hours in the form that hours_write gives, or a refusal. For hooks. */
void campaign_check_hours(struct res_ctx *c, struct json_t *row, const char *field);

/** The centre's limits, its calling window and retry rules, where it has none of them. Writer. */
int campaign_seed(struct db *db, int64_t centre_id);

/** The demo centre's projects with their past; again: no change. Its people and customers are there. Writer. */
int campaign_demo(struct db *db, int64_t centre_id, int64_t now_ms);
/** Where the demo's lists run out: who was last dialled a day ago is new again, else further customers come. No demo: nothing. Writer. */
int campaign_demo_refill(struct db *db, int64_t centre_id, int64_t now_ms);

/** yyyymmdd of "2026-11-22"; 0: it is none. */
int64_t campaign_day_of(const char *text);
int64_t campaign_day_number(int64_t yyyymmdd); /* days since 1970-01-01 */

/* ---- starting and stopping ---- */

/**
 * @action: start pause stop. Pressing it twice is once: @changed says whether this one did it. Answers as the engine; the row in @ret. A
 * start is refused with everything that it lacks.
 */
int campaign_state(struct json_t **ret, bool *changed, struct res_ctx *c, int64_t id, const char *action);

/**
 * Whether an agent takes part in the dialling of a project that he works for. @changed: he did not before. Answers as the engine: 404 for whom
 * it is none of his. Writer.
 */
int campaign_part(bool *changed, struct res_ctx *c, int64_t campaign_id, int64_t user_id, bool part);

/* ---- leads ---- */

/* Their rank: what is due first. New ones by priority, 0 to 10. */
enum { LEAD_CALLBACK, LEAD_RETRY, LEAD_NEW, LEAD_RANKS = LEAD_NEW + 11 };

/** Puts customers into a campaign; who is there already stays as he is, who is merged or erased is left out. @added, @there: counts. */
int campaign_add(int64_t *added, int64_t *there, struct db *db, int64_t centre_id, int64_t campaign_id, const int64_t *customers, size_t n,
		 int64_t priority, int64_t now_ms);
/** Takes leads out that were never dialled, closes others. Those that are being dialled stay. */
int campaign_remove(int64_t *removed, int64_t *closed, struct db *db, int64_t campaign_id, const int64_t *leads, size_t n, int64_t now_ms);
/** Leads of a customer, of one campaign or all (0), are closed at once, since she is not to be called (until @until_ms; 0: for good). */
int campaign_close_leads(struct db *db, int64_t customer_id, int64_t campaign_id, int64_t until_ms, int64_t now_ms);

/** "Do not call again": puts a number on the list, for a campaign or the centre (0), by whoever hears it, and closes the customer's leads. Writer. */
int campaign_bar(struct res_ctx *c, int64_t customer_id, const char *number, int64_t campaign_id);
/** Takes back what the same person has put there a moment ago; leads that it closed wait again. 404: there is nothing of his. Writer. */
int campaign_unbar(struct res_ctx *c, int64_t customer_id, const char *number);
#define CAMPAIGN_UNBAR_MS (15 * 60000ll)
#define CAMPAIGN_SKIP_MIN 30 /* who was skipped by an agent is not shown again before */

/* ---- claims ---- */

struct campaign_claim {
	int64_t id, campaign_id, lead_id, customer_id;
	int64_t agent_id;        /* 0: anybody of the campaign; else only he */
	int64_t until_ms;        /* not dialled after this */
	int32_t nth, score_permille;
	char number[64], show[64];
};

/* Why there are no more claims now. X(enumerator, "name") */
#define CAMPAIGN_WHYS(X)                                                                   \
	X(CAMPAIGN_MORE, "more")       /* there are, ask again */                           \
	X(CAMPAIGN_EMPTY, "empty")     /* no lead is waiting any more */                    \
	X(CAMPAIGN_LATER, "later")     /* leads wait for their time: more_at_ms */          \
	X(CAMPAIGN_OUT_OF_HOURS, "hours") \
	X(CAMPAIGN_GUARDED, "guard")   /* all that were due were refused */                 \
	X(CAMPAIGN_RESTING, "resting") /* no number to show */                              \
	X(CAMPAIGN_NOT_RUNNING, "state")
enum campaign_why {
#define X(e, name) e,
	CAMPAIGN_WHYS(X)
#undef X
	CAMPAIGN_WHY_COUNT
};
const char *campaign_why_name(enum campaign_why w);

#define CAMPAIGN_CLAIMS_MAX 100
struct campaign_given {
	struct campaign_claim claims[CAMPAIGN_CLAIMS_MAX];
	size_t n;
	size_t refused;          /* leads that the guard did not let pass */
	enum campaign_why why;   /* CAMPAIGN_MORE unless n is less than was wanted */
	int64_t more_at_ms;      /* when to ask again; 0: when something has changed */
};

/**
 * Claims up to @want due leads of a running campaign: call-backs first, then retries, then new ones. Each is judged by the guard; refused
 * ones get their reason and next time. Past @end_ms of the loop's clock (0: no limit) it stops, so it may give fewer than there are
 * (CAMPAIGN_MORE).
 */
int campaign_claims(struct campaign_given *ret, struct db *db, const struct zone *zone, int64_t centre_id, int64_t campaign_id, unsigned want,
		    int64_t now_ms, int64_t end_ms);

/* ---- attempts ---- */

/**
 * Applies attempts that have ended, and of which nothing is known (@orphans: claims of an earlier run of the program): lead, number, sums.
 * @more: perhaps not the last. @done: how many.
 */
int campaign_apply(bool *more, size_t *done, struct db *db, const struct zone *zone, int64_t centre_id, bool orphans, int64_t now_ms);
/** Claims that never reached the switch: their leads are open again. */
int campaign_give_back(struct db *db, const struct zone *zone, int64_t centre_id, const int64_t *claims, size_t n, int64_t now_ms);
