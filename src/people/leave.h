/*
 * Leavers. Somebody is switched off and his customers are handed over by a rule, in three steps that each stand after a crash: the plan is
 * made (pure: share.h), written down in pieces, carried out in pieces. What was written down is the proof and what an undo gives back.
 */
#pragma once

#include <jansson.h>

#include "people/people.h"
#include "people/share.h"

#define LEAVE_PIECE 40       /* customers changed a transaction */
#define LEAVE_PLAN_PIECE 500 /* rows of the plan written a transaction */
#define LEAVE_UNDO_MS (24 * 3600000ll)
#define LEAVE_CUSTOMERS_MAX 1000000

struct leave_person {
	int64_t id, cap, has, gets;
	unsigned weight;
	char name[256], team[256];
};

struct leave_customer {
	int64_t id, to_id, team_id, owned_ms; /* to_id 0: into the pool */
	uint8_t draw[32];
	bool by_hand;
};

struct people_leave {
	int64_t user_id;
	char rule[12], seed[65];
	struct leave_person *people;
	size_t people_n;
	struct leave_customer *customers; /* in the order of draws, then those by hand */
	size_t customer_n;
	int64_t beyond;    /* customers of his that who asks may not change: they stay */
	int64_t next, due; /* of them, with a next contact; that is overdue */
	int64_t drafts;    /* notes begun and not saved */
};

/**
 * What @body asks for: {"rule": keep|people|team|pool, "people": [{"id","weight","cap"}], "seed": "...", "by_hand": {"customer id": "user id"
 * or null}}, read, checked and dealt. Any connection. 0, positive after res_fail, or negative; to be given to people_leave_done in any case.
 */
int people_leave_plan(struct people_leave *ret, struct res_ctx *c, int64_t user_id, const json_t *body);
void people_leave_done(struct people_leave *p);
/** For the page: counts, who gets how many, and the first @max customers with who gets them. */
int people_leave_preview(json_t **ret, struct res_ctx *c, const struct people_leave *p, size_t max);

/* On the writer, each a transaction. */

/** Switches him off, unless he is, and begins. */
int people_leave_begin(int64_t *leave_id, struct res_ctx *c, const struct people_leave *p);
/** Writes down the plan from @from on; @more: there is more. After the last it is "running". */
int people_leave_write(size_t *next, struct res_ctx *c, int64_t leave_id, const struct people_leave *p, size_t from);
/** Carries out, or undoes, a piece, as its state says. @more: come again. */
int people_leave_step(bool *more, struct res_ctx *c, int64_t leave_id);
/** Within a day: he is switched on again and gets back who still is where he was put. Carried out by people_leave_step. */
int people_leave_undo(struct res_ctx *c, int64_t leave_id);
