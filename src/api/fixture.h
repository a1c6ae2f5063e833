/* A whole API on loopback for its tests: real database, writer, workers and server; the switch and the journal are the test's. */
#pragma once

#include "base/test.h"

#include <jansson.h>

#include "api/api_int.h"
#include "journal/journal.h"

struct fix {
	char dir[64], url[512];
	struct db_writer *writer;
	struct pool *pool;
	struct http *http;
	struct api *api;
	struct api_conf conf;
	int64_t centre_id;
};

struct answer {
	int status;
	char *head, *body;
	json_t *json; /* NULL when it is none */
};

/* Who asks. */
struct client {
	struct fix *f;
	char cookie[80], csrf[40], lang[4];
	const char *token;
};

void fix_start(struct fix *f, bool demo);
void fix_stop(struct fix *f);
int fix_dial(const struct fix *f);
int64_t fix_get(struct fix *f, const char *sql); /* first column of the first row */
void fix_run(struct fix *f, const char *sql);

struct client fix_login(struct fix *f, const char *login, const char *password);
/** One request on a connection of its own; @headers: further lines. Answers below /api/v1 are checked against the document. */
const struct answer *ask(struct client *c, const char *method, const char *path, const char *headers, const char *body);
const struct answer *ask_bytes(struct client *c, const char *method, const char *path, const char *headers, const void *body, size_t n);
/** The same, and the status must be @status; a status of an error is followed by its code: ask_for(..., "409 conflict"). */
const json_t *ask_for(struct client *c, const char *method, const char *path, const char *body, const char *expect);

/* The journal as the switch would speak to it: n counts by itself. */
void say(enum ev_kind kind, int64_t at_ms, int64_t call, int64_t agent, int64_t queue, const char *body);
void say_call(int64_t at_ms, int64_t call, const char *from, const char *name);
void say_event(struct ev *e); /* any other */
void say_ring_full(bool full);

/* The switch: what it was told last, and what it answers. */
extern struct sw_trial sw_tried; /* the last question of the try-it box */
extern struct sw_customer sw_said; /* the last word on whose call it is */
extern struct sw_claim sw_claimed[500]; /* the last claims it was given ... */
extern size_t sw_claimed_n;
extern int64_t sw_claims_more_ms; /* ... and what was said with them */
extern char sw_claims_why[24];
extern _Atomic unsigned sw_claims_told;
extern bool sw_takes_no_claims;
extern char sw_raised[64]; /* the last alarm */
extern bool sw_raised_on;
extern int64_t sw_hung_up_trunk;
extern struct sw_turn sw_drawn, sw_drawn_back; /* the last draw, and the last that was given back */
extern int64_t sw_next_in_turn; /* whom it answers; 0: nobody */
extern unsigned sw_books; /* how often it was given a book of taught sounds, and the last one */
extern struct snap *sw_book;
extern struct sw_stranger_ask sw_lifted; /* the last ban that was lifted */
extern struct sw_cmd sw_last;
extern unsigned sw_told, sw_configured, edge_cuts;
extern enum sw_refusal sw_answer;
extern bool sw_silent;

/* Checks @v against @schema of the document; NULL, or where it differs (a static text). */
const char *schema_differs(const json_t *doc, const json_t *schema, const json_t *v);
const json_t *the_document(void);

#define assert_text(json, key, want) assert_string_equal(json_string_value(json_object_get(json, key)), want)
