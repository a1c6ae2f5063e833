/*
 * People and what their telephony is configured by: teams, users, devices, queues, members, trunks, numbers, breaks, tokens (declared in
 * *_resource.c). Here is what the declarations cannot say: passwords, tokens, the first start, the demo centre.
 *
 * Codes of the hooks besides the engine's: 409 last_admin (nobody could administrate any more), 409 yourself (nobody locks
 * himself out), 409 history (calls know this row: set it inactive); fields: weak (password), reserved (a name that is ours),
 * no_key (secrets.key beside the data is missing).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "people/rights.h"
#include "resource/resource.h"

struct db;

#define PEOPLE_PASSWORD_MIN 8
#define PEOPLE_HASH_MAX 128

/** Before any thread: libsodium's start, and the realm that devices' secrets are made for ("huawu" unless said). */
int people_init(const char *realm);
const char *people_realm(void);

/* ---- passwords ---- */

/** argon2id, 2 passes, 19 MiB, 25 ms: on a worker, never on the writer or the switch. At most two at once; others wait. 0 or -ENOMEM. */
int people_password_hash(char ret[PEOPLE_HASH_MAX], const char *password);
/** NULL: good enough; else "range" or "weak". @login may be NULL. */
const char *people_password_check(const char *password, const char *login);
/** A password to be read out and typed: @groups groups of five letters, 16.6 bits each: "bakod-timur-sovel". */
void people_password_random(char *ret, size_t size, unsigned groups);

/** HA1 of RFC 7616 for both algorithms. */
void people_ha1(char md5[33], char sha256[65], const char *user, const char *realm, const char *secret);

/**
 * Opens the key that secrets are sealed with, which must be said again in clear (a carrier's password), or makes it at the first start.
 * @path: "<data>/secrets.key". Before any thread. Without it nothing is sealed: forms refuse such secrets.
 */
int people_secrets_open(const char *path);
/** NULL without a key; else the caller frees it. */
char *people_seal(const char *plain);
/** NULL when it is not sealed with this key; else the caller wipes and frees it. */
char *people_unseal(const char *sealed);

/* ---- who is it ---- */

struct people_user {
	int64_t id, centre_id, team_id;
	bool active, must_change_password;
	int64_t password_ms;  /* a session older than this is of the old password; 0: none set */
	const struct people_rights *rights; /* NULL: his role is gone */
	char role[32];
	char login[64], name[256], extension[24], lang[8];
};

/* 0, -ENOENT when there is none, or negative. Any connection. */
/** One point query: for every request of a session. Is the user still active, in what role, since when is the password? */
int people_user_get(struct people_user *ret, struct db *db, int64_t id);
int people_user_find(struct people_user *ret, struct db *db, int64_t centre_id, const char *login);
enum { PEOPLE_E_LOGIN = 1 };
/**
 * Checks login and password. 0; PEOPLE_E_LOGIN: wrong, without saying what, and after the same work for an unknown or
 * inactive user, or one without a password; or negative. On a worker.
 */
int people_login(struct people_user *ret, struct db *db, int64_t centre_id, const char *login, const char *password);
/** The user of @id proves his password: 0, PEOPLE_E_LOGIN or negative. On a worker. */
int people_password_verify(struct db *db, int64_t user_id, const char *password);
/**
 * A user's own new password: stores @hash (people_password_hash, made on a worker) and ends "must change". On the writer, in its
 * transaction; @c->who is the user himself.
 */
int people_password_set(struct res_ctx *c, const char *hash);
/** A user's own language: "zh" or "en". Writer. */
int people_lang_set(struct res_ctx *c, const char *lang);

/* ---- customers ---- */

struct people_customer {
	int64_t id, owner_id, team_id, type_id; /* 0: none */
	char name[256], type[256];              /* "": none */
	bool blocked;                           /* this number is marked as not to be used */
};
/** Whose number is it? @number: as number/ writes it. 0, -ENOENT or negative. Any connection; one point query. */
int people_customer_of(struct db *db, int64_t centre_id, const char *number, struct people_customer *ret);
/** A customer was spoken with (call, note): counts it, and a private customer's days begin anew. Writer, in its transaction. */
int people_customer_contact(struct db *db, int64_t customer_id, int64_t at_ms);

/** How many rows have a value in a custom field: 0, -ENOENT or negative. Any connection. */
int people_custom_used(int64_t *ret, struct db *db, int64_t centre_id, int64_t id);

/* ---- fault reports ---- */

#define PEOPLE_FAULT_TEXT_MAX 500 /* characters */
struct people_fault {
	int64_t user_id, call_id; /* call_id 0: none */
	int64_t happened_ms;
	const char *text, *summary; /* may be NULL */
	const char *details;        /* JSON */
};
/** A report by c->who. In a transaction on the writer's connection; answers as res_create. */
int people_fault_new(int64_t *ret, struct res_ctx *c, const struct people_fault *f);

struct people_token {
	int64_t id, centre_id;
	const struct people_rights *rights;
};
/** Whose is this bearer token? 0, -ENOENT or negative. */
int people_token_find(struct people_token *ret, struct db *db, const char *token);

/* ---- first start; on the writer, in its transaction ---- */

/** The centre, made when there is none, with the standard breaks. @zone: IANA. */
int people_centre(int64_t *ret, struct db *db, const char *name, const char *zone);
struct people_centre_info {
	int64_t id;
	char name[256], zone[64];
};
int people_centre_get(struct people_centre_info *ret, struct db *db); /* -ENOENT */
int people_centre_rename(struct db *db, int64_t centre_id, const char *name);
int people_has_admin(bool *ret, struct db *db, int64_t centre_id);
/** Makes an active administrator, or gives an existing user of that login this password and the role. Hashes: 25 ms. */
int people_create_admin(struct db *db, const char *login, const char *password);

/* ---- demo and bench ---- */

#define DEMO_PHONES 19
struct people_demo {
	const char *carrier_host; /* the simulated carrier, a trunk: "127.0.0.3" */
	uint16_t carrier_port;    /* where calls out go */
	const char *phone_host;   /* where its 19 phones answer: sip:8002@phone_host:phone_port ... 8020 */
	uint16_t phone_port;
};
/**
 * The demo centre: 20 people (8001 is the visitor's agent, with a browser; 8002 to 8020 have simulated phones, and those of them who are agents are ready from the start;
 * the last five dial out for projects alone),
 * the logins "agent", "lead" and "admin" for one click, teams, queues, numbers, trunk. Again: no change.
 */
int people_demo_seed(struct db *db, int64_t centre_id, const struct people_demo *conf);
/** Its carrier and telephones are there now: at another start other ports may be free. */
int people_demo_move(struct db *db, int64_t centre_id, const struct people_demo *conf);
/** The demo's customers: three of four of its callers, with owners, notes and a pool. Again: no change. */
int people_demo_customers(struct db *db, int64_t centre_id, int64_t now_ms);
/** Visits, deals, goals and call-backs of these. Again: no change. */
int people_demo_sales(struct db *db, int64_t centre_id, int64_t now_ms);
/**
 * Removes what the demo made and nobody else uses, with its calls; @left: how many rows stay because others refer to them. Who asks
 * stays, even if the demo made him.
 */
int people_demo_clear(struct res_ctx *c, unsigned *left);
int people_demo_present(bool *ret, struct db *db, int64_t centre_id);

/** What bench/serve wants (bench/README.md): numbers 1000, 2000 and q, agents a1..aN without registration. */
int people_bench_seed(struct db *db, int64_t centre_id, unsigned agents);
