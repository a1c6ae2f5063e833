/*
 * Many customers given to people by a seeded draw, or taken back by a rule: planned on any connection, carried out in pieces on the writer,
 * each customer through the engine and in the audit. What a plan was made of stays in allocations and allocation_rows, so that it can be
 * drawn again (allot_draw is pure) and put back.
 *
 * The rule of a certificate, version share-1: customers in the order of their ids, people as listed, share.h's deal. With numbers set by hand
 * ("fixed") these are caps of equal weights instead. Then single customers moved by hand go where they were moved to.
 */
#pragma once

#include "people/customer.h"

#define ALLOT_VERSION "share-1"
#define ALLOT_MAX 100000
#define ALLOT_PEOPLE_MAX 1000
#define ALLOT_SEED_SIZE 33

struct allot_person {
	int64_t id;
	char name[256], team[256];
	unsigned weight;
	int64_t cap;     /* of this time and of the pool's rules, whichever is less; -1: none */
	int64_t fixed;   /* a number set by hand; -1: none */
	int64_t own;     /* how many he has besides */
	int64_t n;       /* how many he gets */
	const char *why; /* takes no part: absent (not active), blind (his role reads no customers), full; NULL: he does */
};

struct allot_customer {
	int64_t id;
	int64_t to;      /* 0: nobody */
	int64_t owner_id, team_id, owned_ms; /* before; 0: none */
	bool hand;
};

struct allot {
	struct allot_person *people;
	size_t m;
	struct allot_customer *customers; /* by id */
	size_t n;
	char seed[ALLOT_SEED_SIZE], version[16], method[16];
	int64_t owned;   /* left out: they have an owner */
	int64_t beyond;  /* left out: merged, gone, or not his to give */
	bool take;       /* who goes to nobody is taken back */
	int64_t team_id, rule_id; /* of a rule */
	char title[200];
};
void allot_free(struct allot *a);

/** Draws: fills "to" of every customer that is not moved by hand, and "n" of every person. Customers by id. */
void allot_draw(struct allot *a);
/**
 * What giving @ids would do. @ask: {"to":[{"user_id" or "team_id","weight","cap","n"}],"method","owned","keep":[{"customer_id","user_id"}]}.
 * Only customers that c->who may give, to people whose customers he may change. @secret: of the process, for the seed. 422 with fields to,
 * method, keep. Any connection.
 */
int people_allot_plan(struct allot **ret, struct res_ctx *c, int64_t *ids, size_t n, const json_t *ask, const uint8_t secret[32]);
/** What a rule would take back now. */
int people_recycle_plan(struct allot **ret, struct res_ctx *c, int64_t rule_id, const uint8_t secret[32]);
/** The next nightly rule that has not run since @since_ms; -ENOENT. */
int people_recycle_due(int64_t *rule_id, struct db *db, int64_t centre_id, int64_t since_ms);

/* ---- carrying out; on the writer, in its transaction ---- */

#define ALLOT_PIECE 25
/** The line in allocations, without its rows. */
int people_allot_begin(int64_t *id, struct res_ctx *c, const struct allot *a);
/** Rows [@from, @from + @n) of the plan. */
int people_allot_rows(struct res_ctx *c, int64_t id, const struct allot *a, size_t from, size_t n);
/** The next customers after @last, for some milliseconds. @more false: it is over, or asked to end. */
int people_allot_step(bool *more, int64_t *last, struct res_ctx *c, int64_t id);
int people_allot_undo_step(bool *more, int64_t *last, struct res_ctx *c, int64_t id);
/** @ok false: it was interrupted. */
int people_allot_end(struct res_ctx *c, int64_t id, bool undo, bool ok);
/** Those of an earlier run of the program were interrupted. */
int people_allot_interrupted(struct db *db);

/** The plan as it was, for the certificate. Any connection; -ENOENT. */
int people_allot_load(struct allot **ret, struct db *db, int64_t centre_id, int64_t id);
