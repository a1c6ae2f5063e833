/*
 * Customers besides what their declaration says: the pool, requests for another's customer, merging. Each change is one transaction on the
 * writer, goes through the engine and is in the audit with who asked. All answer as the engine does: 0, positive with c->error, or negative.
 *
 * Codes: 409 taken (the number is another's; current: the customer, if who asks may see it), owned (somebody has it already), claim_cap,
 * own_cap, merged (it went into another: current), erased, undone, asked, decided, only_one.
 */
#pragma once

#include "people/declared.h"

/* ---- the pool ---- */

/** Takes a customer of nobody. */
int people_customer_claim(json_t **ret, struct res_ctx *c, int64_t id);
/** Gives it back, with a reason. Its owner, or who may assign. */
int people_customer_release(json_t **ret, struct res_ctx *c, int64_t id, const char *reason);
/** {"claimed","claim_day_max","own","own_max","keep_days","due","back_soon","asked","shared"}: what who asks has done today, what he may, what waits for him. */
int people_customer_mine(json_t **ret, struct res_ctx *c);

enum customer_news { CUSTOMER_WARNED, CUSTOMER_RETURNED, CUSTOMER_NEWS };
/** Somebody is to be told of a customer of his. */
struct customer_tell {
	int64_t user_id, customer_id;
	enum customer_news news;
	int64_t back_ms;
	char name[256];
};
/**
 * One piece of what is due: customers whose time is over go back, owners whose customers soon go back are told, times are counted anew
 * after the rules have changed. @n: how many are to be told; 0 with @more false: nothing is due. The program's own change. Writer, in
 * its transaction, at most some milliseconds.
 */
#define CUSTOMER_PIECE 20
int people_customer_pool_step(struct customer_tell tell[CUSTOMER_PIECE], size_t *n, bool *more, struct db *db, int64_t centre_id, int64_t now_ms);

/* ---- numbers and likenesses ---- */

/**
 * {"number","region","state": free|own|seen|taken|bad|pool,"customer": {...} or null,"asked": has he asked for it already}. Any connection.
 * seen: another's that he may see; taken: outside his view, and that is all that is said. @except: a customer's own numbers are free to it.
 */
int people_number_check(json_t **ret, struct res_ctx *c, const char *number, int64_t except);
/** Customers in his view that may be the same: [{"id","name",..,"why":["wechat"]}]; @who: fields of a form. Any connection. */
int people_customer_similar(json_t **ret, struct res_ctx *c, const json_t *who, int64_t except);

/* ---- requests ---- */

struct customer_asked {
	int64_t id, customer_id, user_id, owner_id, team_id; /* the request; who asks; whose it is */
	char state[16];
};
/** Asks for the customer who has @number. */
int people_customer_ask(struct customer_asked *ret, struct res_ctx *c, const char *number, const char *reason);
/** @action: assign share refuse withdraw. */
int people_customer_decide(struct customer_asked *ret, struct res_ctx *c, int64_t id, const char *action, const char *answer);
/** {"mine":[...],"others":[...]}: what he asked for, without what he may not see; what he may decide. Any connection. */
int people_customer_requests_of(json_t **ret, struct res_ctx *c);
/** Who may decide on this customer: at most @max ids. Any connection. */
int people_customer_deciders(int64_t *ids, size_t max, size_t *n, struct res_ctx *c, int64_t customer_id);

/* ---- merging ---- */

/**
 * Makes one customer of two: @other goes into @id. @fields: {"name": "other"} for what is taken from the other one, else what @id has stays and
 * what it lacks is filled. @revs: {"rev","other_rev"} as they were seen, or NULL.
 */
int people_customer_merge(json_t **ret, struct res_ctx *c, int64_t id, int64_t other, const json_t *fields, const json_t *revs);
/** Takes it back; what was changed since stays. {"customer","other","kept":[{"what","value"}]}. */
int people_customer_unmerge(json_t **ret, struct res_ctx *c, int64_t merge_id);
/** @id and the customers that went into it, and into those: at most @max. Any connection. */
int people_customer_all_of(int64_t *ids, size_t max, size_t *n, struct db *db, int64_t id);

/* ---- what may be shown ---- */

/** A number as @who may see it: a new value; null for NULL. */
json_t *customer_number_shown(const struct res_who *who, const char *number);

/* ---- inside people ---- */

/** A number as it is stored; as res_child's normal. */
int customer_number_normal(char *ret, size_t size, const char **what, struct res_ctx *c, const char *text);
/** The customer's main number beside the customer: of all telephones but @except. Writer. */
int customer_main_phone(struct db *db, int64_t customer_id, int64_t except);
/** What may be said of a customer in a refusal: {"id","name","owner_id","owner_id_label","state"} when who asks may see it, else NULL. 0 or negative. */
int customer_seen(json_t **ret, struct res_ctx *c, int64_t customer_id);
/** Makes the customer found by its name, numbers (but that of @except) and words, and its name sort; a merged one is not found. Writer. */
int customer_index(struct db *db, int64_t centre_id, int64_t customer_id, int64_t except);
/** Indexes new customers, who are written with all their telephones; c->memo. Writer. */
int customer_index_new(struct res_ctx *c, const struct res_new *rows, size_t n);
/** What c->body says besides the row: WeChat's day, an appointment, a campaign. Writer. */
int customer_said(struct res_ctx *c, int64_t id, const json_t *row);
/** What goes with a customer; ended by a NULL table. */
extern const struct customer_part {
	const char *table, *column;
} customer_parts[];
extern const struct res_many customer_many; /* customer_many.c */
/** Where a number is at home, for the column; a new value, or NULL. */
json_t *customer_region(const char *number);
/** Indexes a piece of the customers from before there was an index, or who are to be indexed again. @more: there are others. Writer. */
int customer_index_step(bool *more, struct db *db, int64_t centre_id);
/** Every customer is indexed anew, piece by piece. Writer. */
int customer_index_again(struct db *db, int64_t centre_id);
/** Counts anew when it goes back. Its type, owner and times are in the database already. Writer. */
int customer_back_set(struct db *db, int64_t customer_id);
/** The same of one that is about to be written first, into its row; c->memo. */
int customer_back_fill(struct res_ctx *c, json_t *row);
/** Rules have changed: all are counted anew, by and by. Writer. */
int customer_recount(struct db *db, int64_t centre_id);
/** A change by the program in the name of who asks: @patch as a body, @set besides the checks of a body (readonly fields). Both taken over; @set may be NULL. */
int customer_change(struct res_ctx *c, int64_t id, json_t *patch, json_t *set);
/** The row as it is, nothing hidden or masked. */
int customer_row(json_t **ret, struct res_ctx *c, int64_t id);
/** The row as who asks sees it; null when he does not. */
int customer_shown(json_t **ret, struct res_ctx *c, int64_t id);
/** A line in customer_claims. @by: 0: the program. */
int customer_claim_note(struct res_ctx *c, int64_t customer_id, int64_t user_id, int64_t by_id, const char *what, const char *reason);
/** May who asks read, or change, the customer? Says nothing. */
int customer_within(bool *ret, struct res_ctx *c, int64_t customer_id, bool write);

/** The lists' ready rows and the pool's rules, where the centre has none of them. System; writer. */
int customer_seed_lists(struct db *db, int64_t centre_id);
